package stack

import (
	"net/http"
	"slices"
	"strings"
)

// cors answers preflight requests and marks answers as API Gateway does for an HTTP API with a CORS configuration
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html): what a function itself says about
// CORS does not count.
type cors struct {
	origins []string
}

const (
	corsMethods = "GET,POST,PUT,PATCH,DELETE"
	corsAllow   = "authorization,content-type,if-match,if-none-match,idempotency-key,prefer,traceparent,x-request-id"
	corsExpose  = "etag,location,x-request-id,retry-after,idempotency-replayed,evaluated-at,preference-applied,link,content-disposition"
	corsMaxAge  = "600"
)

// allowed says whether pages of this origin may read answers.
func (c cors) allowed(origin string) bool {
	return origin != "" && (slices.Contains(c.origins, origin) || slices.Contains(c.origins, "*"))
}

// preflight answers a preflight request and reports whether the request was one.
func (c cors) preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if c.allowed(r.Header.Get("Origin")) {
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", corsMethods)
		h.Set("Access-Control-Allow-Headers", corsAllow)
		h.Set("Access-Control-Max-Age", corsMaxAge)
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// mark lets the page that asked read the answer, if it may. It comes before the answer's own headers.
func (c cors) mark(h http.Header, r *http.Request) {
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); c.allowed(origin) {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", corsExpose)
	}
}

func isCORSHeader(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), "access-control-")
}
