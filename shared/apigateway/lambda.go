package apigateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Lambda makes a function's handler out of h. A panic of h is logged, without anything that the caller sent, and answered as 500; a body
// larger than MaxBody is answered as 413 and never reaches h. Each request is logged in one line, which names its route and not its path:
// that can hold people's addresses.
func Lambda(h Handler, refuse Refuse, log *slog.Logger) lambda.Handler {
	return &adapter{handle: h, refuse: refuse, log: log}
}

type adapter struct {
	handle   Handler
	refuse   Refuse
	log      *slog.Logger
	decoders sync.Pool // of *decoder
}

// Invoke implements lambda.Handler. The error is for payloads that do not come from API Gateway.
func (a *adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := time.Now()
	d, _ := a.decoders.Get().(*decoder)
	if d == nil {
		d = &decoder{}
	}
	r := Request{buffer: d.buffer}
	bad, err := d.decode(payload, &r)
	defer func() {
		d.buffer = r.buffer
		a.decoders.Put(d)
	}()
	if err != nil {
		return nil, fmt.Errorf("the payload is no HTTP request of API Gateway's format 2.0: %w", err)
	}
	var resp Response
	if bad != nil {
		resp = a.refuse(bad.status, bad.detail, r.RequestID)
	} else {
		resp = a.handleSafely(ctx, &r)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("request_id", r.RequestID), slog.String("route", r.RouteKey),
		slog.Int("status", resp.Status), slog.String("code", resp.Code), slog.Int64("ms", time.Since(began).Milliseconds()))
	return encode(resp, r.RequestID), nil
}

func (a *adapter) handleSafely(ctx context.Context, r *Request) (resp Response) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		what := fmt.Sprintf("%T", p) // not the value, which may hold what the caller sent
		if e, ok := p.(runtime.Error); ok {
			what = e.Error()
		}
		a.log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("request_id", r.RequestID), slog.String("route", r.RouteKey),
			slog.String("error", what), slog.String("stack", string(debug.Stack())))
		resp = a.refuse(http.StatusInternalServerError, "Something went wrong on our side. It has been logged under the request's id.",
			r.RequestID)
	}()
	return a.handle(ctx, r)
}
