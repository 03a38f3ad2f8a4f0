package stack_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

const page = "http://localhost:5173" // an origin that may call

// echo answers with the event that it got.
func echo(_ context.Context, event []byte) ([]byte, error) {
	return json.Marshal(events.APIGatewayV2HTTPResponse{
		StatusCode: 200, Headers: map[string]string{"content-type": "application/json"}, Body: string(event),
	})
}

type handlerFunc func(context.Context, []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

type gateway struct {
	url     string
	handler http.Handler
	issuer  *stack.Issuer
	log     *logBuffer
}

// logBuffer is written to by the server while a test reads it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newGateway(t *testing.T, h handlerFunc) gateway {
	t.Helper()
	issuer, err := stack.NewIssuer("http://issuer.example/_local", "")
	if err != nil {
		t.Fatal(err)
	}
	functions := []manifest.Function{{
		Name: "f", Timeout: time.Minute,
		Routes: []httpapi.Route{
			{Method: "GET", Path: "/public", Public: true},
			{Method: "POST", Path: "/things"},
			{Method: "GET", Path: "/things/{thing}"},
			{Method: "GET", Path: "/things/special"},
			{Method: "PUT", Path: "/things/{thing}/people/{email}"},
			{Method: "PATCH", Path: "/things/{thing}"},
			{Method: "PATCH", Path: "/things/{rest+}"},
			{Method: "PATCH", Path: "/{rest+}"},
			{Method: "POST", Path: "/scoped/{thing}", Scopes: []string{"b", "c"}},
			{Method: "POST", Path: "/scoped", Scopes: []string{"c", "d"}},
		},
	}, {
		Name: "missing", Timeout: time.Second,
		Routes: []httpapi.Route{{Method: "GET", Path: "/missing", Public: true}},
	}}
	log := &logBuffer{}
	g, err := stack.NewGateway(functions, map[string]lambda.Handler{"f": h},
		stack.NewAuthorizer(issuer.Keys(), issuer.URL(), stack.Audience, time.Now), []string{page},
		func() time.Time { return time.Date(2027, 3, 1, 10, 0, 0, 0, time.UTC) },
		slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return gateway{server.URL, g, issuer, log}
}

func (g gateway) token(t *testing.T) string {
	t.Helper()
	token, err := g.issuer.Token(stack.TokenRequest{Email: "ann@acme.example", Scope: "a b"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// send adds the token and returns the answer with its body read.
func (g gateway) send(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+g.token(t))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(answer)
}

func decodeEvent(t *testing.T, s string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal([]byte(s), &e); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return e
}

func TestAnEventHasTheShapeOfPayloadFormat2(t *testing.T) {
	g := newGateway(t, echo)
	res, got := g.send(t, "PUT", "/things/%E2%98%95%20c/people/ann%40acme.example?q=x%20y&tag=1&tag=2&empty=", `{"name":"Ü"}`,
		"Content-Type", "application/json", "X-Many", "one", "X-Many", "two", "Cookie", "a=1; b=2", "User-Agent", "test/1")
	if res.StatusCode != 200 {
		t.Fatalf("status: got %d, want 200: %s", res.StatusCode, got)
	}
	e := decodeEvent(t, got)

	for _, c := range []struct{ what, got, want string }{
		{"version", e.Version, "2.0"},
		{"routeKey", e.RouteKey, "PUT /things/{thing}/people/{email}"},
		{"rawPath", e.RawPath, "/things/☕ c/people/ann@acme.example"},
		{"rawQueryString", e.RawQueryString, "q=x%20y&tag=1&tag=2&empty="},
		{"path parameter thing", e.PathParameters["thing"], "☕ c"},
		{"path parameter email", e.PathParameters["email"], "ann@acme.example"},
		{"query q", e.QueryStringParameters["q"], "x y"},
		{"query tag", e.QueryStringParameters["tag"], "1,2"},
		{"repeated header", e.Headers["x-many"], "one,two"},
		{"header host", "http://" + e.Headers["host"], g.url},
		{"header cookie", e.Headers["cookie"], ""},
		{"cookies", strings.Join(e.Cookies, "|"), "a=1|b=2"},
		{"body", e.Body, `{"name":"Ü"}`},
		{"context routeKey", e.RequestContext.RouteKey, e.RouteKey},
		{"stage", e.RequestContext.Stage, "$default"},
		{"method", e.RequestContext.HTTP.Method, "PUT"},
		{"path", e.RequestContext.HTTP.Path, e.RawPath},
		{"protocol", e.RequestContext.HTTP.Protocol, "HTTP/1.1"},
		{"sourceIp", e.RequestContext.HTTP.SourceIP, "127.0.0.1"},
		{"userAgent", e.RequestContext.HTTP.UserAgent, "test/1"},
		{"domainName", e.RequestContext.DomainName, "127.0.0.1"},
		{"time", e.RequestContext.Time, "01/Mar/2027:10:00:00 +0000"},
		{"requestId", e.RequestContext.RequestID, res.Header.Get("Apigw-Requestid")},
		{"claim email", e.RequestContext.Authorizer.JWT.Claims["email"], "ann@acme.example"},
		{"claim email_verified", e.RequestContext.Authorizer.JWT.Claims["email_verified"], "true"},
		{"claim scope", e.RequestContext.Authorizer.JWT.Claims["scope"], "a b"},
		{"claim aud", e.RequestContext.Authorizer.JWT.Claims["aud"], "[partner-access]"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
	if got, want := e.RequestContext.TimeEpoch, time.Date(2027, 3, 1, 10, 0, 0, 0, time.UTC).UnixMilli(); got != want {
		t.Errorf("timeEpoch: got %d, want %d", got, want)
	}
	if v, there := e.QueryStringParameters["empty"]; !there || v != "" {
		t.Errorf("query empty: got %q, %v, want an empty value", v, there)
	}
	if exp := e.RequestContext.Authorizer.JWT.Claims["exp"]; len(exp) != 10 || strings.ContainsAny(exp, ".e") {
		t.Errorf("claim exp: got %q, want whole seconds", exp)
	}
	if e.IsBase64Encoded {
		t.Error("isBase64Encoded: got true for JSON")
	}

	// Nothing in it that the events package does not know, and nothing that the package cannot read back.
	d := json.NewDecoder(strings.NewReader(got))
	d.DisallowUnknownFields()
	if err := d.Decode(&events.APIGatewayV2HTTPRequest{}); err != nil {
		t.Error(err)
	}
	if !strings.Contains(got, `"scopes":null`) {
		t.Errorf("got %s, want scopes as null", got)
	}
}

func TestABodyThatIsNoTextComesInBase64(t *testing.T) {
	g := newGateway(t, echo)
	for _, c := range []struct {
		name, contentType, body string
		base64                  bool
	}{
		{"JSON", "application/json; charset=utf-8", `{}`, false},
		{"a JSON dialect", "application/merge-patch+json", `{}`, false},
		{"plain text", "text/plain", `x`, false},
		{"JSON that is not UTF-8", "application/json", "\"\xff\"", true},
		{"a form", "application/x-www-form-urlencoded", "a=b", true},
		{"bytes", "application/octet-stream", "abc", true},
		{"nothing", "application/octet-stream", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got := g.send(t, "POST", "/things", c.body, "Content-Type", c.contentType)
			e := decodeEvent(t, got)
			want := c.body
			if c.base64 {
				want = base64.StdEncoding.EncodeToString([]byte(c.body))
			}
			if e.Body != want || e.IsBase64Encoded != c.base64 {
				t.Errorf("got %q, base64 %v; want %q, base64 %v", e.Body, e.IsBase64Encoded, want, c.base64)
			}
		})
	}
}

func TestTheRouteIsFoundSegmentBySegment(t *testing.T) {
	g := newGateway(t, echo)
	for _, c := range []struct {
		name, method, path, want string // want: the route key, or nothing for 404
	}{
		{"a parameter", "GET", "/things/x", "GET /things/{thing}"},
		{"a literal before a parameter", "GET", "/things/special", "GET /things/special"},
		{"an encoded slash separates", "GET", "/things/a%2Fb", ""},
		{"what follows an encoded question mark is cut off", "GET", "/things/a%3Fb/c", "GET /things/{thing}"},
		{"an encoded letter", "GET", "/thing%73/special", "GET /things/special"},
		{"dots are no path", "GET", "/things/%2E%2E", "GET /things/{thing}"},
		{"an empty parameter", "GET", "/things/", ""},
		{"a slash too many", "GET", "/things/x/", ""},
		{"two slashes", "GET", "//things/x", ""},
		{"another method", "DELETE", "/things/x", ""},
		{"HEAD is not GET", "HEAD", "/things/x", ""},
		{"an unknown path", "GET", "/nothing", ""},
		{"the root", "GET", "/", ""},
		{"a parameter before a greedy one", "PATCH", "/things/x", "PATCH /things/{thing}"},
		{"a greedy parameter takes the rest", "PATCH", "/things/x/y", "PATCH /things/{rest+}"},
		{"the longer of two greedy ones", "PATCH", "/other/x", "PATCH /{rest+}"},
		{"the root is no rest", "PATCH", "/", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, got := g.send(t, c.method, c.path, "")
			if c.want == "" {
				if res.StatusCode != 404 || (c.method != "HEAD" && strings.TrimSpace(got) != `{"message":"Not Found"}`) {
					t.Errorf("got %d %s, want API Gateway's 404", res.StatusCode, got)
				}
				return
			}
			if e := decodeEvent(t, got); e.RouteKey != c.want {
				t.Errorf("route: got %q, want %q", e.RouteKey, c.want)
			} else if rest, greedy := e.PathParameters["rest"]; greedy && !strings.HasSuffix(c.path, "/"+rest) {
				t.Errorf("got the rest %q of %s", rest, c.path)
			}
		})
	}
}

func TestTwoFunctionsCannotHaveOneRoute(t *testing.T) {
	one := []httpapi.Route{{Method: "GET", Path: "/x"}}
	_, err := stack.NewGateway([]manifest.Function{{Name: "a", Routes: one}, {Name: "b", Routes: one}}, nil, nil, nil, time.Now,
		slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("got no error")
	}
}

func TestEveryRouteOfTheManifestIsFound(t *testing.T) {
	issuer, err := stack.NewIssuer("http://issuer.example", "")
	if err != nil {
		t.Fatal(err)
	}
	handlers := map[string]lambda.Handler{}
	for _, f := range manifest.Functions() {
		handlers[f.Name] = handlerFunc(echo)
	}
	g, err := stack.NewGateway(manifest.Functions(), handlers,
		stack.NewAuthorizer(issuer.Keys(), issuer.URL(), stack.Audience, time.Now), nil, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	token, err := issuer.Token(stack.TokenRequest{Scope: "x " + httpapi.ScopeDirectory})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest.Functions() {
		for _, route := range f.Routes {
			r := httptest.NewRequestWithContext(t.Context(), route.Method, strings.NewReplacer("{", "", "}", "").Replace(route.Path), nil)
			r.Header.Set("Authorization", token)
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != 200 {
				t.Errorf("%s: got %d, want 200", route.Key(), w.Code)
			} else if e := decodeEvent(t, w.Body.String()); e.RouteKey != route.Key() {
				t.Errorf("%s: got the route %s", route.Key(), e.RouteKey)
			}
		}
	}
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html: one of the route's scopes is enough.
func TestARouteThatAsksForScopesTakesATokenWithOneOfThem(t *testing.T) {
	g := newGateway(t, echo)
	if res, got := g.send(t, "POST", "/scoped/1", ""); res.StatusCode != 200 { // the token's are a and b
		t.Errorf("b or c: got %d %s, want the function's answer", res.StatusCode, got)
	}
	res, got := g.send(t, "POST", "/scoped", "")
	if challenge := res.Header.Get("Www-Authenticate"); res.StatusCode != 403 || strings.TrimSpace(got) != `{"message":"Forbidden"}` ||
		!strings.HasPrefix(challenge, `Bearer scope="c d" error="insufficient_scope"`) {
		t.Errorf("c or d: got %d %s, challenge %s", res.StatusCode, got, challenge)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", g.url+"/scoped", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, _ := do(t, r); res.StatusCode != 401 {
		t.Errorf("without a token: got %d, want 401", res.StatusCode)
	}
}

func TestAnAnswerIsWrittenAsTheFunctionGaveIt(t *testing.T) {
	g := newGateway(t, func(context.Context, []byte) ([]byte, error) {
		return json.Marshal(events.APIGatewayV2HTTPResponse{
			StatusCode: 201, IsBase64Encoded: true, Body: base64.StdEncoding.EncodeToString([]byte{0xff, 0}),
			Headers: map[string]string{
				"ETag": `"7"`, "content-type": "image/x", "Content-Length": "99", "Access-Control-Allow-Origin": "https://evil.example",
			},
			Cookies:           []string{"a=1", "b=2"},
			MultiValueHeaders: map[string][]string{"X-Lost": {"1"}},
		})
	})
	res, got := g.send(t, "POST", "/things", "")
	if res.StatusCode != 201 || got != "\xff\x00" {
		t.Errorf("got %d %q, want 201 and the two bytes", res.StatusCode, got)
	}
	for name, want := range map[string]string{
		"Etag": `"7"`, "Content-Type": "image/x", "Content-Length": "2", "Access-Control-Allow-Origin": "", "X-Lost": "",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got, want := res.Header.Values("Set-Cookie"), []string{"a=1", "b=2"}; !slices.Equal(got, want) {
		t.Errorf("Set-Cookie: got %q, want %q", got, want)
	}
}

func TestAFunctionThatFailsIsAnInternalServerError(t *testing.T) {
	for name, h := range map[string]handlerFunc{
		"an error":         func(context.Context, []byte) ([]byte, error) { return nil, errors.New("secret cause") },
		"a panic":          func(context.Context, []byte) ([]byte, error) { panic("secret cause") },
		"no HTTP response": func(context.Context, []byte) ([]byte, error) { return []byte(`"secret cause"`), nil },
		"no status":        func(context.Context, []byte) ([]byte, error) { return []byte(`{"body":"secret cause"}`), nil },
		"not base64 after all": func(context.Context, []byte) ([]byte, error) {
			return []byte(`{"statusCode":200,"isBase64Encoded":true,"body":"secret cause!"}`), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, h)
			res, got := g.send(t, "POST", "/things", "")
			if res.StatusCode != 500 || strings.TrimSpace(got) != `{"message":"Internal Server Error"}` {
				t.Errorf("got %d %s, want API Gateway's 500", res.StatusCode, got)
			}
			if !strings.Contains(g.log.String(), "function failed") {
				t.Errorf("the log has no word of it: %s", g.log)
			}
		})
	}
	t.Run("no handler", func(t *testing.T) {
		g := newGateway(t, echo)
		res, _ := g.send(t, "GET", "/missing", "")
		if res.StatusCode != 500 || !strings.Contains(g.log.String(), "functions.go") {
			t.Errorf("got %d, log %s; want 500 and where to add it", res.StatusCode, g.log)
		}
	})
}

func TestAFunctionGetsItsContextAndEndsAtItsTimeout(t *testing.T) {
	issuer, err := stack.NewIssuer("http://issuer.example", "")
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	defer close(release)
	h := handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the context has no deadline")
		}
		if lc, ok := lambdacontext.FromContext(ctx); !ok || lc.AwsRequestID == "" {
			t.Error("the context has no Lambda request id")
		}
		<-release // deaf to its context, as a function can be
		return nil, nil
	})
	functions := []manifest.Function{{
		Name: "f", Timeout: time.Nanosecond, Routes: []httpapi.Route{{Method: "GET", Path: "/x", Public: true}},
	}}
	g, err := stack.NewGateway(functions, map[string]lambda.Handler{"f": h},
		stack.NewAuthorizer(issuer.Keys(), issuer.URL(), stack.Audience, time.Now), nil, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/x", nil))
	if w.Code != 500 {
		t.Errorf("got %d, want 500", w.Code)
	}
}

func TestABodyBeyondTheLimitIsRefused(t *testing.T) {
	g := newGateway(t, func(context.Context, []byte) ([]byte, error) { return []byte(`{"statusCode":204}`), nil })
	const lambda, gateway = 6 << 20, 10 << 20 // the event is larger than its body by some hundred bytes
	for size, want := range map[int]int{lambda - 8<<10: 204, lambda: 413, gateway: 413, gateway + 1: 413} {
		res, got := g.send(t, "POST", "/things", strings.Repeat("x", size))
		if res.StatusCode != want || want == 413 && got != `{"message":"Request Entity Too Large"}` {
			t.Errorf("%d bytes: got %d %s, want %d", size, res.StatusCode, got, want)
		}
	}
	g = newGateway(t, func(context.Context, []byte) ([]byte, error) {
		return json.Marshal(events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: strings.Repeat("x", lambda)})
	})
	if res, got := g.send(t, "POST", "/things", ""); res.StatusCode != 500 || got != `{"message":"Internal Server Error"}` {
		t.Errorf("an answer beyond Lambda's limit: got %d %.80s, want API Gateway's 500", res.StatusCode, got)
	}
}

// As AWS's own test tool has it (aws-lambda-dotnet, Tools/LambdaTestTool-v2, its cases of answers).
func TestAnAnswerWithoutHeadersIsPlainText(t *testing.T) {
	g := newGateway(t, func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"statusCode":200,"body":"Hello, World!"}`), nil
	})
	res, got := g.send(t, "POST", "/things", "")
	if got != "Hello, World!" || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("got %q of %q, want plain text", got, res.Header.Get("Content-Type"))
	}
	if id := res.Header.Get("Apigw-Requestid"); !regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`).MatchString(id) {
		t.Errorf("got the id %q, want API Gateway's shape", id)
	}
}

func TestCORS(t *testing.T) {
	g := newGateway(t, echo)
	preflight := func(origin string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), "OPTIONS", g.url+"/things/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "PATCH")
		res, _ := do(t, r)
		return res
	}

	res := preflight(page)
	if res.StatusCode != 204 {
		t.Errorf("preflight: got %d, want 204", res.StatusCode)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  page,
		"Access-Control-Allow-Methods": "GET,POST,PUT,PATCH,DELETE",
		"Access-Control-Allow-Headers": "authorization,content-type,if-match,if-none-match,idempotency-key,prefer,traceparent,x-request-id",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("preflight, %s: got %q, want %q", name, got, want)
		}
	}
	for name := range maps.Keys(preflight("https://evil.example").Header) {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("preflight of a foreign page: got %s", name)
		}
	}

	// A page must be able to read refusals too.
	for what, path := range map[string]string{"an answer": "/things/x", "a 404": "/nothing", "a 500": "/missing"} {
		res, _ := g.send(t, "GET", path, "", "Origin", page)
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != page {
			t.Errorf("%s: allowed origin: got %q, want %q", what, got, page)
		}
		if got, want := res.Header.Get(
			"Access-Control-Expose-Headers"), "etag,location,x-request-id,retry-after,idempotency-replayed,evaluated-at,"+
			"preference-applied,link,"+
			"content-disposition"; got != want {
			t.Errorf("%s: exposed: got %q, want %q", what, got, want)
		}
	}
	res, _ = g.send(t, "GET", "/things/x", "", "Origin", "https://evil.example")
	if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("a foreign page: allowed origin: got %q, want none", got)
	}
}

func TestTheLogHoldsNoAddressAndNoToken(t *testing.T) {
	g := newGateway(t, echo)
	r := httptest.NewRequestWithContext(t.Context(), "PUT", "/things/x/people/ann%40acme.example?q=ann", strings.NewReader(`{"secret":1}`))
	r.Header.Set("Authorization", "Bearer "+g.token(t))
	g.handler.ServeHTTP(httptest.NewRecorder(), r) // the line is written after the answer: a server's client would not wait for it
	log := g.log.String()
	if !strings.Contains(log, `route="PUT /things/{thing}/people/{email}" status=200`) {
		t.Errorf("log: got %s, want the route and the status", log)
	}
	for _, secret := range []string{"ann", "acme", "secret", "eyJ"} {
		if strings.Contains(log, secret) {
			t.Errorf("log: got %s, which holds %q", log, secret)
		}
	}
}
