package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Middleware asks before each request, and serves it only when the answer is a clear yes. Question says who asks for what; its error, which
// should say that nobody is signed in, is answered with 401. A denial is 403, and what could not be answered is 503. The answers are
// problem documents (RFC 9457) that say no more than the reason. What serves the request finds the decision with FromContext.
func Middleware(c Checker, question func(*http.Request) (Question, error)) func(http.Handler) http.Handler {
	ask := func(ctx context.Context, q Question) (Decision, error) {
		decisions, errs, err := c.Checks(ctx, []Question{q})
		if err != nil {
			return Decision{}, err
		}
		return decisions[0], errs[0]
	}
	if one, ok := c.(interface {
		Check(ctx context.Context, q Question) (Decision, error)
	}); ok {
		ask = one.Check
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q, err := question(r)
			if err != nil {
				refuse(w, http.StatusUnauthorized, "unauthenticated")
				return
			}
			d, err := ask(r.Context(), q)
			switch {
			case err != nil:
				w.Header().Set("Retry-After", "1")
				refuse(w, http.StatusServiceUnavailable, "unanswered")
			case !d.Allowed:
				refuse(w, http.StatusForbidden, d.Reason)
			default:
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), decisionKey{}, d)))
			}
		})
	}
}

type decisionKey struct{}

// FromContext is the decision that Middleware has served the request on; false outside of it.
func FromContext(ctx context.Context) (Decision, bool) {
	d, ok := ctx.Value(decisionKey{}).(Decision)
	return d, ok
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body, _ := json.Marshal(struct { // which cannot fail
		Title  string `json:"title"`
		Status int    `json:"status"`
		Reason string `json:"reason,omitempty"`
	}{http.StatusText(status), status, reason})
	_, _ = w.Write(body)
}
