package apigateway

import (
	"context"
	"fmt"
	"hash/fnv"
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
// that can hold people's addresses. UnloggedRoutine leaves some out.
func Lambda(h Handler, refuse Refuse, log *slog.Logger, options ...Option) lambda.Handler {
	a := &adapter{handle: h, refuse: refuse, log: log, maxBody: MaxBody}
	for _, o := range options {
		o(a)
	}
	return a
}

// Option changes what Lambda makes.
type Option func(*adapter)

// UnloggedRoutine leaves that percentage of the routine answers out of the log: which ones is decided by their request ids, so that all
// who log the same request can leave out the same. Any other answer is logged.
func UnloggedRoutine(percent int) Option { return func(a *adapter) { a.unlogged = percent } }

// LargestBody takes bodies of up to that many bytes, in place of MaxBody.
func LargestBody(bytes int) Option { return func(a *adapter) { a.maxBody = bytes } }

// logs returns whether the answer to the request of that id is logged.
func (a *adapter) logs(resp *Response, requestID string) bool {
	if !resp.Routine || a.unlogged == 0 {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(requestID)) // it never fails
	return int(h.Sum32()%100) >= a.unlogged
}

type adapter struct {
	handle   Handler
	refuse   Refuse
	log      *slog.Logger
	unlogged int       // percent of the routine answers
	maxBody  int       // bytes
	decoders sync.Pool // of *decoder
}

// Invoke implements lambda.Handler. The error is for payloads that do not come from API Gateway.
func (a *adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := time.Now()
	d, _ := a.decoders.Get().(*decoder)
	if d == nil {
		d = &decoder{maxBody: a.maxBody}
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
	if a.logs(&resp, r.RequestID) {
		a.logRequest(ctx, &r, &resp, time.Since(began))
	}
	return encode(resp, r.RequestID), nil
}

func (a *adapter) logRequest(ctx context.Context, r *Request, resp *Response, took time.Duration) {
	line := [7]slog.Attr{
		slog.String("request_id", r.RequestID), slog.String("route", r.RouteKey), slog.Int("status", resp.Status),
		slog.String("code", resp.Code), slog.Int64("ms", took.Milliseconds()),
	}
	attrs := line[:5]
	if resp.Decision != "" {
		attrs = append(attrs, slog.String("decision", resp.Decision))
	}
	if trace := traceOf(r.Header("traceparent")); trace != "" {
		attrs = append(attrs, slog.String("trace_id", trace))
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "request", attrs...)
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
