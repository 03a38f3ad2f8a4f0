package cognito

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// attempts records whether Cognito has answered every request that was sent under a context. A request without an answer may arrive after a
// later one and undo it, as long as its signature is valid; and the SDK's retries hide that.
type attempts struct{ open atomic.Bool }

type watchKey struct{}

func watchAttempts(ctx context.Context) (context.Context, *attempts) {
	w := &attempts{}
	return context.WithValue(ctx, watchKey{}, w), w
}

func (w *attempts) settled() bool { return !w.open.Load() }

// watchMiddleware records each attempt of a client's calls in the context's attempts.
func watchMiddleware(s *middleware.Stack) error {
	each := middleware.FinalizeMiddlewareFunc("Watch",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata,
			error,
		) {
			out, meta, err := next.HandleFinalize(ctx, in)
			if w, ok := ctx.Value(watchKey{}).(*attempts); ok && !answered(middleware.GetOperationName(ctx), err) {
				w.open.Store(true)
			}
			return out, meta, err
		})
	return s.Finalize.Insert(each, "Retry", middleware.After)
}

// answered reports whether an attempt has had its effect by now, or never will. A response of 5xx may come from a gateway that did not wait
// for the service behind it.
func answered(operation string, err error) bool {
	var reply *smithyhttp.ResponseError
	switch {
	case err == nil, strings.HasPrefix(operation, "AdminGet"), strings.HasPrefix(operation, "AdminList"), lacking(err, operation):
		return true
	}
	return errors.As(err, &reply) && reply.HTTPStatusCode() > 0 && reply.HTTPStatusCode() < 500 // 0: nothing came
}
