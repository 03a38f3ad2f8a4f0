package stack_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

// throttled is a gateway with these limits, at a clock that stands still until it is moved.
type throttled struct {
	t       *testing.T
	handler *stack.Gateway
	now     time.Time
	calls   int // of functions
}

func newThrottled(t *testing.T, limits manifest.Throttles) *throttled {
	t.Helper()
	g := &throttled{t: t, now: time.Date(2027, 3, 1, 10, 0, 0, 0, time.UTC)}
	h := handlerFunc(echo)
	counted := handlerFunc(func(ctx context.Context, event []byte) ([]byte, error) { g.calls++; return h(ctx, event) })
	functions := []manifest.Function{
		{Name: "check", Timeout: time.Second, Routes: []httpapi.Route{
			{Method: "POST", Path: "/check"}, {Method: "POST", Path: "/checks"}, {Method: "GET", Path: "/about", Public: true},
		}},
		{Name: "list", Timeout: time.Second, Routes: []httpapi.Route{{Method: "GET", Path: "/things"}}},
	}
	issuer, err := stack.NewIssuer("http://issuer.example/_local", "")
	if err != nil {
		t.Fatal(err)
	}
	g.handler, err = stack.NewGateway(functions, map[string]lambda.Handler{"check": counted, "list": counted},
		stack.NewAuthorizer(issuer.Keys(), issuer.URL(), stack.Audience, time.Now), []string{page},
		func() time.Time { return g.now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	g.handler.Throttle(limits)
	return g
}

// ask returns how many of n requests were not answered 429, and looks at how the others were.
func (g *throttled) ask(n int, method, path string) (taken int) {
	g.t.Helper()
	for range n {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(g.t.Context(), method, path, nil)
		r.Header.Set("Origin", page)
		g.handler.ServeHTTP(w, r)
		if w.Code != http.StatusTooManyRequests {
			taken++
			continue
		}
		h := w.Header()
		got := fmt.Sprint(w.Body, " ", h.Get("Content-Type"), " ", h.Get("Retry-After"), " ", h.Get("Access-Control-Allow-Origin"))
		if want := `{"message":"Too Many Requests"} application/json  ` + page; got != want {
			g.t.Errorf("got %q, want %q", got, want)
		}
	}
	return taken
}

func TestEachRouteTakesItsBurstAndThenItsRate(t *testing.T) {
	t.Parallel()
	g := newThrottled(t, manifest.Throttles{
		Check: manifest.Throttle{Rate: 10, Burst: 5}, Public: manifest.Throttle{Rate: 1, Burst: 2}, Others: manifest.Throttle{Rate: 4, Burst: 3},
	})
	step := func(after time.Duration, n int, method, path string, want int) {
		t.Helper()
		g.now = g.now.Add(after)
		if got := g.ask(n, method, path); got != want {
			t.Errorf("%s later, %d requests for %s: got %d taken, want %d", after, n, path, got, want)
		}
	}
	step(0, 8, "POST", "/check", 5)
	step(0, 8, "POST", "/checks", 5) // a bucket of its own
	step(0, 8, "GET", "/about", 2)   // public, though check's
	step(0, 8, "GET", "/things", 3)
	step(99*time.Millisecond, 2, "POST", "/check", 0)
	step(time.Millisecond, 2, "POST", "/check", 1) // the tenth of a second is there
	step(400*time.Millisecond, 8, "POST", "/check", 4)
	step(time.Hour, 8, "POST", "/check", 5) // no more than the burst
	step(0, 8, "GET", "/things", 3)
	step(250*time.Millisecond, 8, "GET", "/things", 1)
	step(-time.Hour, 8, "GET", "/things", 0)
	step(time.Second, 8, "GET", "/things", 3)
	if g.calls != 2 { // of the public route alone: the others have no token, and took from their buckets all the same
		t.Errorf("got %d calls of functions, want 2", g.calls)
	}
	if got := g.ask(8, "GET", "/nowhere"); got != 8 {
		t.Errorf("a route that is not there: got %d answers, want 8", got)
	}
}
