// Package apigateway lets a function answer HTTP requests behind API Gateway's HTTP API: it turns a payload of format 2.0 into a Request,
// and a Response into the answer. It knows nothing of what the requests are about.
//
//	apigateway.go   what a handler sees and answers
//	lambda.go       Lambda makes a function's handler: panics, bodies that are too large, a line in the log for each request
//	decode.go       a payload to a Request
//	encode.go       a Response to the payload's answer
package apigateway

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// MaxBody is how large a request's body may be, in bytes.
const MaxBody = 64 << 10

// Handler answers one HTTP request.
type Handler func(ctx context.Context, r *Request) Response

// Refuse answers a request that has no answer of a Handler, with one of these statuses: 400, its body cannot be read; 413, its body is too
// large; 500, the handler has panicked. Detail is a sentence for the caller.
type Refuse func(status int, detail, requestID string) Response

// Request is an HTTP request as API Gateway hands it to a function.
type Request struct {
	Method    string
	RouteKey  string // "POST /v1/customers/{customer}/grants"
	Path      string // as it was sent, still escaped
	RawQuery  string
	Body      []byte
	RequestID string // of the caller (X-Request-ID) when it can be logged, else API Gateway's
	Claims    Claims
	Headers   []Field // see Header
	Params    []Field // see PathValue

	buffer []byte // see Buffer
}

// Field is a header or a path parameter.
type Field struct{ Name, Value string }

// Claims are those of the verified token. All are "" or empty for a request without one.
type Claims struct {
	Issuer  string
	Subject string
	Email   string   // "" unless the issuer has verified it
	Account string   // Cognito's name of the account
	Unclear bool     // the name of the account is no text
	Scopes  []string // of the claim scope or scp
}

// Has returns whether the token has the scope.
func (c *Claims) Has(scope string) bool { return slices.Contains(c.Scopes, scope) }

// Header is the value of the header of that name, "" when it was not sent. API Gateway joins repeated ones with commas.
func (r *Request) Header(name string) string {
	for i := range r.Headers {
		if strings.EqualFold(r.Headers[i].Name, name) {
			return r.Headers[i].Value
		}
	}
	return ""
}

// HasHeader reports whether there is one of that name, if only an empty one.
func (r *Request) HasHeader(name string) bool {
	return slices.ContainsFunc(r.Headers, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}

// PathValue is the value of {name} in the path, unescaped.
func (r *Request) PathValue(name string) string {
	for i := range r.Params {
		if r.Params[i].Name == name {
			return r.Params[i].Value
		}
	}
	return ""
}

// Query is the parsed query; the error says what is malformed about it.
func (r *Request) Query() (url.Values, error) { return url.ParseQuery(r.RawQuery) }

// Buffer is an empty slice with room for n bytes, for the answer's body: it is used again for later requests, after the answer is encoded.
func (r *Request) Buffer(n int) []byte {
	r.buffer = slices.Grow(r.buffer[:0], n)
	return r.buffer
}

// Response is the answer to a Request. X-Request-ID is added to it. Header is never written to, and may thus be shared.
type Response struct {
	Status  int
	Header  map[string]string
	Body    []byte // UTF-8
	Escaped bool   // Body is escaped already, as it has to stand inside of a JSON string
	Code    string // of the problem document that Body is, for the log; "" for any other body

	Decision string // why a check was answered as it was, for the log; "" for what is no single check
	Routine  bool   // the log may leave this answer out: see UnloggedRoutine
}
