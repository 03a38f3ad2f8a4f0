package client

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	defaultTimeout = 2 * time.Second
	defaultTries   = 3
	maxAnswer      = 16 << 20 // bytes: Lambda answers 6 MB at most
	maxPause       = 10 * time.Second
)

// Client asks one deployment. It may be used by many goroutines at once; make one for a process, since it keeps connections and the token.
type Client struct {
	base    string
	tokens  Tokens
	http    *http.Client
	timeout time.Duration
	tries   int
	pause   time.Duration                // before the second try; it doubles
	trace   func(context.Context) string // nil: requests name no trace
	kept    *kept                        // nil: nothing is kept
	queue   queue
}

// Option changes what New makes.
type Option func(*Client)

// HTTPClient sends requests with that client, for its proxies, certificates or traces.
func HTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// Timeout bounds each try. It is two seconds, unless this says otherwise; the context bounds all of them.
func Timeout(d time.Duration) Option { return func(c *Client) { c.timeout = d } }

// Tries is how often a request is sent at most that may be repeated: three times, unless this says otherwise.
func Tries(n int) Option { return func(c *Client) { c.tries = max(n, 1) } }

// Traces has each request say to which trace it belongs: parent returns the traceparent (W3C Trace Context) of a context, "" for none. The
// service's log names the trace. Questions that travel together belong to the trace of the first.
func Traces(parent func(context.Context) string) Option { return func(c *Client) { c.trace = parent } }

// New is a client of the deployment at that address: the stack's output Address, or http://127.0.0.1:8080 of make run.
func New(base string, tokens Tokens, options ...Option) *Client {
	transport := http.DefaultTransport
	if t, ok := transport.(*http.Transport); ok {
		t = t.Clone()
		t.MaxIdleConnsPerHost = 64
		transport = t
	}
	c := &Client{
		base: strings.TrimSuffix(base, "/"), tokens: tokens, timeout: defaultTimeout, tries: defaultTries, pause: 50 * time.Millisecond,
		http: &http.Client{Transport: transport, CheckRedirect: noRedirect},
	}
	c.queue.client = c
	for _, o := range options {
		o(c)
	}
	return c
}

// noRedirect keeps the token at the address that it is for.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Request is any request of the API.
type Request struct {
	Method string // GET, unless it says otherwise
	Path   string // /v1/…, with its query, escaped
	Body   any    // as JSON; nil: none

	// IfMatch is the ETag of the version that is to be changed: another one is refused (412).
	IfMatch string
	// Plan is a dry run's plan: the request does exactly that, or is refused (409 plan_changed).
	Plan string
}

// Answer is what came back beside the body.
type Answer struct {
	Status int
	Header http.Header
}

// Do sends a request and reads the answer into out, unless that is nil. A refusal is a *Problem. A POST gets an Idempotency-Key, so that it
// can be repeated when nothing came back, as can what reads. Other changes are repeated when the service was asked too much, and did
// nothing.
func (c *Client) Do(ctx context.Context, q Request, out any) (Answer, error) {
	body := []byte(nil)
	if q.Body != nil {
		var err error
		if body, err = json.Marshal(q.Body); err != nil {
			return Answer{}, fmt.Errorf("partner access: %w", err)
		}
	}
	header := http.Header{}
	header.Set("Accept", "application/json, application/problem+json")
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	if q.Method == http.MethodPost && strings.HasPrefix(q.Path, "/v1/") {
		header.Set("Idempotency-Key", crand.Text())
	}
	if q.IfMatch != "" {
		header.Set("If-Match", q.IfMatch)
	}
	if q.Plan != "" {
		header.Set("Prefer", "plan="+q.Plan)
	}
	renewed := false
	for n := 1; ; n++ {
		a, err := c.try(ctx, q.Method, q.Path, header, body, out)
		var p *Problem
		_ = errors.As(err, &p)
		switch {
		case err == nil, ctx.Err() != nil:
			return a, err
		case p != nil && p.Status == http.StatusUnauthorized && !renewed && c.forget(header): // it has ended, or was ended
			renewed = true
			continue
		case n >= c.tries, !q.repeatable(p):
			return a, err
		}
		wait := c.pause<<(n-1)/2 + mrand.N(c.pause<<(n-1))
		if p != nil && p.RetryAfter > 0 {
			wait = p.RetryAfter
		}
		if end, ok := ctx.Deadline(); wait > maxPause || ok && time.Until(end) < wait {
			return a, err // rather what the service said than that time is up
		}
		select {
		case <-ctx.Done():
			return a, err
		case <-time.After(wait):
		}
	}
}

// repeatable reports whether to send a request again that was answered so, nil when nothing came. What was too much was not done. All else
// may have been: then only what comes to the same when it is done twice.
func (q Request) repeatable(p *Problem) bool {
	harmless := q.Method == "" || q.Method == http.MethodGet || q.Method == http.MethodPost || q.Method == http.MethodPut && q.IfMatch == ""
	switch {
	case p == nil:
		return harmless
	case p.Status == http.StatusTooManyRequests:
		return true
	case p.Status == http.StatusBadGateway, p.Status == http.StatusServiceUnavailable, p.Status == http.StatusGatewayTimeout:
		return harmless
	}
	return false
}

// forget drops the token of a request that was refused, where it can be got anew.
func (c *Client) forget(h http.Header) bool {
	own, ok := c.tokens.(interface{ forget(token string) })
	if ok {
		own.forget(strings.TrimPrefix(h.Get("Authorization"), "Bearer "))
	}
	return ok
}

func (c *Client) try(ctx context.Context, method, path string, header http.Header, body []byte, out any) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("partner access: %w", err)
	}
	token, err := c.tokens.Token(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("partner access: %w", err)
	}
	header.Set("Authorization", "Bearer "+token)
	if c.trace != nil {
		if parent := c.trace(ctx); parent != "" {
			header.Set("Traceparent", parent)
		}
	}
	r.Header = header.Clone() // the transport may still read it when the next try is made
	a, err := c.http.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("partner access: %w", err)
	}
	defer a.Body.Close() //nolint:errcheck // it was read
	answer := Answer{Status: a.StatusCode, Header: a.Header}
	text, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	switch {
	case err != nil:
		return answer, fmt.Errorf("partner access: read the answer: %w", err)
	case a.StatusCode >= http.StatusMultipleChoices:
		return answer, problemOf(a, text)
	case out == nil || a.StatusCode == http.StatusNoContent:
		return answer, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return answer, fmt.Errorf("partner access: read the answer: %w", err)
	}
	return answer, nil
}
