package cognito

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// watch notes whether Cognito has answered all that was sent under a context. An attempt without an answer may arrive after a later one,
// and undo it, for as long as its signature is good; and the SDK's own repetitions hide it.
type watch struct{ open atomic.Bool }

type watchKey struct{}

func watched(ctx context.Context) (context.Context, *watch) {
	w := &watch{}
	return context.WithValue(ctx, watchKey{}, w), w
}

func (w *watch) settled() bool { return !w.open.Load() }

// watching has each attempt of a client's calls noted.
func watching(s *middleware.Stack) error {
	each := middleware.FinalizeMiddlewareFunc("Watch",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata,
			error,
		) {
			out, meta, err := next.HandleFinalize(ctx, in)
			if w, ok := ctx.Value(watchKey{}).(*watch); ok && !answered(middleware.GetOperationName(ctx), err) {
				w.open.Store(true)
			}
			return out, meta, err
		})
	return s.Finalize.Insert(each, "Retry", middleware.After)
}

// answered tells whether an attempt has had its effect by now, or will never have one. An answer of 5xx may be that of a gateway which did
// not wait for the service behind it.
func answered(operation string, err error) bool {
	var reply *smithyhttp.ResponseError
	switch {
	case err == nil, strings.HasPrefix(operation, "AdminGet"), strings.HasPrefix(operation, "AdminList"), lacking(err, operation):
		return true
	}
	return errors.As(err, &reply) && reply.HTTPStatusCode() > 0 && reply.HTTPStatusCode() < 500 // 0: nothing came
}
