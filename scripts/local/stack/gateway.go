package stack

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/manifest"
)

// maxBody is API Gateway's limit for a request's body, and maxPayload Lambda's for an event and for an answer, in bytes.
const (
	maxBody    = 10 << 20
	maxPayload = 6 << 20
)

// Gateway is an HTTP handler that does what API Gateway does between the internet and the functions: it finds the
// route, has the token verified, sends the function the event that it would get in AWS, and writes its answer.
type Gateway struct {
	router     *router
	handlers   map[string]lambda.Handler
	authorizer *Authorizer
	cors       cors
	now        func() time.Time
	log        *slog.Logger
	buckets    atomic.Pointer[buckets] // nil: nothing is throttled
}

// NewGateway serves the functions' routes with the handlers, by function name. Pages of the origins may call it.
func NewGateway(functions []manifest.Function, handlers map[string]lambda.Handler, a *Authorizer, origins []string, now func() time.Time,
	log *slog.Logger,
) (*Gateway, error) {
	r, err := newRouter(functions)
	if err != nil {
		return nil, err
	}
	return &Gateway{router: r, handlers: handlers, authorizer: a, cors: cors{origins}, now: now, log: log}, nil
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	id := newRequestID()
	g.cors.mark(w.Header(), r)
	w.Header().Set("Apigw-Requestid", id)
	if g.cors.preflight(w, r) {
		return
	}

	// The path and the query can hold people's addresses: the log names the route.
	log := g.log.With("request_id", id)
	status, key, answered := g.serve(w, r, id, log)
	level := slog.LevelInfo
	if answered { // the function has written a line of it
		level = slog.LevelDebug
	}
	log.Log(r.Context(), level, "request at the gateway", "route", key, "status", status, "ms", time.Since(started).Milliseconds())
}

// serve answers a request, and tells whether it was the function that did.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, id string, log *slog.Logger) (status int, routeKey string, answered bool) {
	m, found := g.router.find(r.Method, decodedPath(r.URL))
	if !found {
		return refuse(w, http.StatusNotFound, "Not Found"), "none", false
	}
	if b := g.buckets.Load(); b != nil && !b.take(m) {
		return refuse(w, http.StatusTooManyRequests, "Too Many Requests"), m.routeKey, false
	}
	var claims map[string]string
	if !m.public {
		var err error
		if claims, err = g.authorizer.Claims(r.Header.Get("Authorization")); err != nil {
			challenge := "Bearer"
			if !errors.Is(err, errNoToken) {
				challenge = fmt.Sprintf(`Bearer error="invalid_token", error_description=%q`, err.Error())
			}
			w.Header().Set("Www-Authenticate", challenge)
			return refuse(w, http.StatusUnauthorized, "Unauthorized"), m.routeKey, false
		}
		if !scoped(claims, m.scopes) {
			w.Header().Set("Www-Authenticate",
				fmt.Sprintf(`Bearer scope=%q error="insufficient_scope" error_description="the token has none of the scopes that the route asks for"`,
					strings.Join(m.scopes, " ")))
			return refuse(w, http.StatusForbidden, "Forbidden"), m.routeKey, false
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large"), m.routeKey, false
		}
		return refuse(w, http.StatusBadRequest, "Bad Request"), m.routeKey, false
	}
	event, err := encodePayload(r, body, m, claims, id, g.now())
	if err != nil {
		log.Error("event cannot be encoded", "route", m.routeKey, "error", err)
		return refuse(w, http.StatusInternalServerError, "Internal Server Error"), m.routeKey, false
	}
	if len(event) > maxPayload {
		return refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large"), m.routeKey, false
	}
	answer, err := g.invoke(r.Context(), m.function, id, event)
	if err != nil {
		log.Error("function failed", "function", m.function.Name, "route", m.routeKey, "error", err)
		if errors.Is(err, ErrUnavailable) {
			return refuse(w, http.StatusServiceUnavailable, "Service Unavailable"), m.routeKey, false
		}
		return refuse(w, http.StatusInternalServerError, "Internal Server Error"), m.routeKey, false
	}
	answer.write(w)
	return answer.StatusCode, m.routeKey, true
}

// invoke runs a function, which a caller who goes away does not end, and reads its answer.
func (g *Gateway) invoke(ctx context.Context, f manifest.Function, id string, event []byte) (*answer, error) {
	raw, err := invoke(context.WithoutCancel(ctx), g.handlers, f, id, event)
	if err != nil {
		return nil, err
	}
	return decodeAnswer(raw)
}

// answer is what a function gave back, checked and ready to be written.
type answer struct {
	events.APIGatewayV2HTTPResponse
	content []byte
}

func decodeAnswer(raw []byte) (*answer, error) {
	a := &answer{}
	if len(raw) > maxPayload {
		return nil, fmt.Errorf("the function's answer has %d bytes, and Lambda takes %d", len(raw), maxPayload)
	}
	if err := json.Unmarshal(raw, &a.APIGatewayV2HTTPResponse); err != nil {
		return nil, fmt.Errorf("the function's answer is not an HTTP response: %w", err)
	}
	if a.StatusCode < 200 || a.StatusCode > 599 {
		return nil, fmt.Errorf("the function's answer has statusCode %d", a.StatusCode)
	}
	a.content = []byte(a.Body)
	if a.IsBase64Encoded {
		var err error
		if a.content, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			return nil, fmt.Errorf("the function's answer says isBase64Encoded, and its body is not: %w", err)
		}
	}
	return a, nil
}

// write sends the answer. Format 2.0 has no multiValueHeaders: what a function puts there is lost, as in AWS.
func (a *answer) write(w http.ResponseWriter) {
	h := w.Header()
	for name, value := range a.Headers {
		if !isCORSHeader(name) && !strings.EqualFold(name, "Content-Length") {
			h.Set(name, value)
		}
	}
	for _, c := range a.Cookies {
		h.Add("Set-Cookie", c)
	}
	if len(a.content) > 0 && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(a.content) // the caller has gone away
}

// refuse answers as API Gateway itself does.
func refuse(w http.ResponseWriter, status int, message string) int {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q}`, message) // the caller has gone away
	return status
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone away
}
