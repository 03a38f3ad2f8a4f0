package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/service"
)

// unresponsiveTable is a table that answers nothing.
type unresponsiveTable struct{ service.Store }

func (unresponsiveTable) Identity(ctx context.Context, _ string) (access.Identity, error) {
	<-ctx.Done()
	return access.Identity{}, fmt.Errorf("read: %w", ctx.Err())
}

func TestARequestIsAnsweredBeforeTheFunctionIsStopped(t *testing.T) {
	t.Parallel()
	const event = `{"version":"2.0","routeKey":"GET /v1/me","rawPath":"/v1/me","headers":{},"requestContext":{"requestId":"r",` +
		`"authorizer":{"jwt":{"claims":{"email":"ann@acme.example","email_verified":"true"}}},"http":{"method":"GET","path":"/v1/me"}}}`
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s := service.Service{Store: unresponsiveTable{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		out, err := httpapi.NewDirectory(httpapi.Config{Service: s}).Invoke(ctx, []byte(event))
		if err != nil || ctx.Err() != nil || !strings.Contains(string(out), `"statusCode":503`) {
			t.Errorf("got %s, %v with %v, want 503 before the time is over", out, err, ctx.Err())
		}
	})
}
