package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partneraccess/shared/client"
)

var token = client.TokenFunc(func(context.Context) (string, error) { return "secret", nil })

// service answers each request by the next of those; the last goes on. It keeps what was asked.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	asked []*http.Request
	texts []string
}

func serve(t *testing.T, answers ...http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		n := len(s.asked)
		s.asked, s.texts = append(s.asked, r), append(s.texts, string(text))
		s.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(text)))
		answers[min(n, len(answers)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func cut(w http.ResponseWriter, _ *http.Request) { // the connection, without an answer
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = c.Close()
	}
}

var kim = client.Question{User: "kim@contoso.example", Action: "reports:read", Customer: "acme"}

const (
	yes = `{"decision":true,"context":{"reason":"granted","level":"support","grant":"grt_1","valid_until":"2027-03-01T00:00:00Z","evaluated_at":"2026-11-22T10:00:00.125Z"}}`
	no  = `{"decision":false,"context":{"reason":"expired","evaluated_at":"2026-11-22T10:00:00.125Z"}}`
)

// Whatever is not the service's clear yes is a no, and says why.
func TestOnlyAClearYesAllows(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		answer  http.HandlerFunc
		allowed bool
		fails   bool
	}{
		"yes":                        {says(200, yes), true, false},
		"no":                         {says(200, no), false, false},
		"nothing in the answer":      {says(200, `{}`), false, true},
		"a null decision":            {says(200, `{"decision":null}`), false, true},
		"a decision that is a text":  {says(200, `{"decision":"true"}`), false, true},
		"an error in the context":    {says(200, `{"decision":true,"context":{"error":{"status":400,"message":"?"}}}`), false, true},
		"half an answer":             {says(200, yes[:20]), false, true},
		"a page of a proxy":          {says(200, `<html>ok</html>`), false, true},
		"a yes with another status":  {says(203, yes), true, false},
		"a yes that leads elsewhere": {says(302, yes, "Location", "https://elsewhere.example/"), false, true},
		"a refusal":                  {says(403, `{"status":403,"code":"forbidden"}`), false, true},
		"a failure that says yes":    {says(500, yes), false, true},
		"no answer":                  {cut, false, true},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.answer)
			d, err := client.New(s.URL, token, client.Tries(1)).Check(t.Context(), kim)
			if d.Allowed != c.allowed || (err != nil) != c.fails {
				t.Errorf("got %+v, %v, want allowed %v, an error %v", d, err, c.allowed, c.fails)
			}
		})
	}
}

func TestADecisionSaysWhyAndUntilWhen(t *testing.T) {
	t.Parallel()
	s := serve(t, says(200, yes))
	got, err := client.New(s.URL+"/", token).Check(t.Context(), kim)
	want := client.Decision{
		Allowed: true, Reason: "granted", Level: "support", Grant: "grt_1",
		ValidUntil: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), EvaluatedAt: time.Date(2026, 11, 22, 10, 0, 0, 125e6, time.UTC),
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	r := s.asked[0]
	if r.URL.Path != "/access/v1/evaluation" || r.Header.Get("Authorization") != "Bearer secret" ||
		s.texts[0] != `{"subject":{"type":"user","id":"kim@contoso.example"},"action":{"name":"reports:read"},"resource":{"type":"customer","id":"acme"}}` {
		t.Errorf("asked %s %s as %s", r.URL, s.texts[0], r.Header.Get("Authorization"))
	}
}

// What is harmless twice is repeated, three times in all; a change that may have been made is not.
func TestWhatMayBeRepeatedIs(t *testing.T) {
	t.Parallel()
	busy, down := says(429, `{"status":429,"code":"too_many_requests"}`, "Retry-After", "0"), says(503, `{"status":503,"code":"unavailable"}`)
	for about, c := range map[string]struct {
		method, match string
		first         http.HandlerFunc
		sent          int
	}{
		"a read that got no answer":         {"GET", "", cut, 2},
		"a read while the service is down":  {"GET", "", down, 2},
		"a POST, by its key":                {"POST", "", cut, 2},
		"a PUT of what it is to be":         {"PUT", "", down, 2},
		"a PUT of a version":                {"PUT", `"3"`, down, 1},
		"a PATCH that got no answer":        {"PATCH", `"3"`, cut, 1},
		"a DELETE that got no answer":       {"DELETE", `"3"`, cut, 1},
		"a DELETE of which it was too much": {"DELETE", `"3"`, busy, 2},
		"what was refused":                  {"GET", "", says(404, `{"status":404,"code":"not_found"}`), 1},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.first, says(200, `{}`))
			_, err := client.New(s.URL, token).Do(t.Context(), client.Request{Method: c.method, Path: "/v1/x", IfMatch: c.match}, nil)
			if (err == nil) != (c.sent == 2) || s.count() < c.sent || c.sent == 2 && s.count() != 2 {
				t.Errorf("got %v after %d requests, want %d", err, s.count(), c.sent)
			}
			if a, b := s.asked[0], s.asked[s.count()-1]; a.Header.Get("Idempotency-Key") != b.Header.Get("Idempotency-Key") ||
				(c.method == "POST") != (a.Header.Get("Idempotency-Key") != "") {
				t.Errorf("got the keys %q and %q, want one for a POST", a.Header.Get("Idempotency-Key"), b.Header.Get("Idempotency-Key"))
			}
		})
	}
	s := serve(t, down)
	if _, err := client.New(s.URL, token).Check(t.Context(), kim); err == nil || s.count() != 3 {
		t.Errorf("got %v after %d requests, want an error after three", err, s.count())
	}
}

// Who is told to come later than there is time for hears what the service said, at once.
func TestThereIsNoWaitingBeyondTheDeadline(t *testing.T) {
	t.Parallel()
	s := serve(t, says(429, `{"status":429,"code":"too_many_requests","detail":"come later","request_id":"r1"}`, "Retry-After", "9"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := client.New(s.URL, token).Do(ctx, client.Request{Path: "/v1/me"}, nil)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != "too_many_requests" || p.RetryAfter != 9*time.Second || ctx.Err() != nil || s.count() != 1 {
		t.Errorf("got %v after %d requests, want the problem at once", err, s.count())
	}
	if want := "partner access: 429 too_many_requests: come later (request r1)"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestARequestSaysToWhichTraceItBelongs(t *testing.T) {
	t.Parallel()
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	type key struct{}
	s := serve(t, says(200, yes))
	c := client.New(s.URL, token, client.Traces(func(ctx context.Context) string {
		text, _ := ctx.Value(key{}).(string)
		return text
	}))
	for i, want := range []string{parent, ""} {
		if _, err := c.Check(context.WithValue(t.Context(), key{}, want), kim); err != nil {
			t.Fatal(err)
		}
		if got := s.asked[i].Header.Get("traceparent"); got != want {
			t.Errorf("got the traceparent %q, want %q", got, want)
		}
	}
}

// Questions of the same moment are one request, and each gets its own answer.
func TestQuestionsTravelTogether(t *testing.T) {
	t.Parallel()
	var most atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Subject     struct{ ID string }
			Context     json.RawMessage
			Evaluations []struct{ Subject struct{ ID string } }
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		answer := func(user string) string {
			return fmt.Sprintf(`{"decision":%v,"context":{"reason":%q}}`, strings.HasSuffix(user, "7"), user)
		}
		if r.URL.Path == "/access/v1/evaluation" {
			_, _ = io.WriteString(w, answer(body.Subject.ID))
			return
		}
		if got, want := string(body.Context), `{"record_use":true}`; got != want { // as a question that goes alone
			t.Errorf("got the context %s, want %s", got, want)
		}
		most.Store(max(most.Load(), int64(len(body.Evaluations))))
		var all []string
		for _, e := range body.Evaluations {
			all = append(all, answer(e.Subject.ID))
		}
		w.Header().Set("Evaluated-At", "2026-11-22T10:00:00.125Z")
		_, _ = io.WriteString(w, `{"evaluations":[`+strings.Join(all, ",")+`]}`)
	})
	c := client.New(s.URL, token)
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			user := fmt.Sprint("u", i)
			d, err := c.Check(t.Context(), client.Question{User: user, Action: "sign_in", Customer: "acme"})
			if err != nil || d.Reason != user || d.Allowed != strings.HasSuffix(user, "7") {
				t.Errorf("%s: got %+v, %v", user, d, err)
			}
		})
	}
	wg.Wait()
	if s.count() > 100 || most.Load() < 2 || most.Load() > 50 {
		t.Errorf("400 questions were %d requests of up to %d, want few of up to 50", s.count(), most.Load())
	}
}

// Who gives up takes nobody along.
func TestOneWhoGivesUpLeavesTheOthers(t *testing.T) {
	t.Parallel()
	s := serve(t, says(200, `{"evaluations":[`+yes+`,`+yes+`]}`))
	c := client.New(s.URL, token)
	gone, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		cancel()
		if d, err := c.Check(gone, kim); !errors.Is(err, context.Canceled) || d.Allowed {
			t.Errorf("who gave up: got %+v, %v", d, err)
		}
		wg.Go(func() {
			if d, err := c.Check(t.Context(), client.Question{User: "sam"}); err != nil || !d.Allowed {
				t.Errorf("the other: got %+v, %v", d, err)
			}
		})
	})
	wg.Wait()
}

func TestTheMiddlewareFailsClosed(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		answer http.HandlerFunc
		user   string
		status int
		body   string
	}{
		"allowed":    {says(200, yes), "kim", 200, "for kim at support"},
		"denied":     {says(200, no), "kim", 403, `{"title":"Forbidden","status":403,"reason":"expired"}`},
		"unanswered": {says(500, `oh`), "kim", 503, `{"title":"Service Unavailable","status":503,"reason":"unanswered"}`},
		"nobody":     {says(200, yes), "", 401, `{"title":"Unauthorized","status":401,"reason":"unauthenticated"}`},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.answer)
			guard := client.Middleware(client.New(s.URL, token, client.Tries(1)), func(r *http.Request) (client.Question, error) {
				if c.user == "" {
					return client.Question{}, errors.New("nobody is signed in")
				}
				return client.Question{User: c.user, Action: "reports:read", Customer: r.PathValue("customer")}, nil
			})
			mux := http.NewServeMux()
			mux.Handle("GET /customers/{customer}/reports", guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				d, _ := client.FromContext(r.Context())
				_, _ = fmt.Fprintf(w, "for %s at %s", c.user, d.Level)
			})))
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/customers/acme/reports", nil))
			if rec.Code != c.status || rec.Body.String() != c.body {
				t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, c.status, c.body)
			}
		})
	}
}

// A machine's token is asked for once, shared, and replaced when the service refuses it.
func TestATokenIsKeptUntilItEnds(t *testing.T) {
	t.Parallel()
	var given atomic.Int64
	tokens := serve(t, func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		asked := r.FormValue("grant_type") + " " + r.FormValue("scope")
		if asked != "client_credentials partner-access/check" || id != "id" || secret != "s%3Ecret" {
			w.WriteHeader(400)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"token%d","expires_in":3600}`, given.Add(1))
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token1" && given.Load() == 1 && r.URL.Path == "/v1/ended" {
			says(401, `{"message":"Unauthorized"}`)(w, r)
			return
		}
		says(200, `{}`)(w, r)
	})
	c := client.New(s.URL, client.Credentials(tokens.URL, "id", "s>cret", "partner-access/check"))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Do(t.Context(), client.Request{Path: "/v1/me"}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if given.Load() != 1 {
		t.Errorf("got %d tokens, want one", given.Load())
	}
	if _, err := c.Do(t.Context(), client.Request{Path: "/v1/ended"}, nil); err != nil || given.Load() != 2 {
		t.Errorf("got %v with %d tokens, want the second to do", err, given.Load())
	}
	if _, err := client.New(s.URL, client.Credentials(tokens.URL, "id", "wrong")).Check(t.Context(), kim); err == nil {
		t.Error("got no error without a token")
	}
}

func TestPagesAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, says(200, `{"items":[{"id":"grt_1"},{"id":"grt_2"}],"next_cursor":"a+b"}`), says(200, `{"items":[],"next_cursor":"c"}`),
		says(200, `{"items":[{"id":"grt_3"}],"next_cursor":null}`), says(500, ``))
	c := client.New(s.URL, token, client.Tries(1))
	var got []string
	for g, err := range c.Grants(t.Context(), "a/b") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, g.ID)
	}
	if strings.Join(got, " ") != "grt_1 grt_2 grt_3" || s.asked[1].RequestURI != "/v1/customers/a%2Fb/grants?cursor=a%2Bb" {
		t.Errorf("got %v, the second page by %s", got, s.asked[1].RequestURI)
	}
	for _, err := range client.Pages[client.Grant](t.Context(), c, "/v1/customers/acme/grants?status=active") {
		if err == nil {
			t.Error("got an item of a failure")
		}
	}
}
