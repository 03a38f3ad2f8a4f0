package httpapi_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/service"
)

// emptyTable has nobody, and keeps the address that it was asked for.
type emptyTable struct {
	service.Store
	address string
}

func (e *emptyTable) Identity(_ context.Context, address string) (access.Identity, error) {
	e.address = address
	return access.Identity{}, nil
}

// getMe asks GET /v1/me with a token of these claims.
func getMe(t *testing.T, s service.Store, claims string) string {
	t.Helper()
	h := httpapi.NewDirectory(httpapi.Config{Service: service.Service{Store: s, Now: time.Now, Log: slog.New(slog.DiscardHandler)}})
	out, err := h.Invoke(t.Context(), []byte(
		`{"version":"2.0","routeKey":"GET /v1/me","requestContext":{"requestId":"r","authorizer":{"jwt":{"claims":{`+claims+`}}}}}`,
	))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAnAddressCountsOnlyWhenItIsVerifiedAndPlain(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]string{
		`"email":"Ann@Acme.Example","email_verified":"true"`:          "ann@acme.example",
		`"email":"a@b.example","email_verified":true`:                 "a@b.example",
		`"email":"a@b.example","email_verified":"false"`:              "",
		`"email":"\u00e4@b.example","email_verified":"true"`:          "",
		`"email":"\u212aim@b.example","email_verified":"true"`:        "", // the Kelvin sign, which lower case makes a k
		`"email":"a@b.example <c@d.example>","email_verified":"true"`: "",
	} {
		s := &emptyTable{}
		if out := getMe(t, s, claims); s.address != want {
			t.Errorf("%s: got %q looked up, want %q; answered %s", claims, s.address, want, out)
		}
	}
}

func TestAPanicIsAnsweredWithAProblemDocument(t *testing.T) {
	t.Parallel()
	out := getMe(t, nil, `"email":"a@b.example","email_verified":"true"`) // no table: a nil dereference
	if !strings.Contains(out, `"statusCode":500`) || !strings.Contains(out, `application/problem+json`) ||
		!strings.Contains(out, `\"internal\"`) {
		t.Errorf("got %s, want 500 with a problem document", out)
	}
}
