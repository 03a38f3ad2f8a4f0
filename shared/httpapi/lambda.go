package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
)

// MaxBody is how large a request's body may be, in bytes.
const MaxBody = 64 << 10

// Handler answers one HTTP request.
type Handler func(ctx context.Context, r *Request) Response

// Request is an HTTP request as API Gateway's HTTP API hands it to a function.
type Request struct {
	Method    string
	RouteKey  string // "POST /v1/customers/{customer}/grants"
	Path      string // as it was sent, still escaped
	RawQuery  string
	Body      []byte
	RequestID string // of the caller (X-Request-ID) when it is sane, else API Gateway's
	Claims    Claims

	headers []field
	params  []field
	scratch []byte // see room
}

type field struct{ name, value string }

// Claims are what the verified token says of the caller. All are "" or empty for a request without one.
type Claims struct {
	Issuer  string
	Subject string
	Email   string // in the form of access.ParseEmail; "" unless the issuer has verified it
	Account string // Cognito's name of the account: the user's id, for an employee, perhaps in another case
	Unclear bool   // the name of the account is no text
	Scopes  []string
}

// Has tells whether the token has the scope.
func (c *Claims) Has(scope string) bool {
	for _, s := range c.Scopes {
		if s == scope {
			return true
		}
	}
	return false
}

// Header is the value of the header of that lower-case name, "" when it was not sent. API Gateway joins repeated ones with commas.
func (r *Request) Header(name string) string {
	for i := range r.headers {
		if strings.EqualFold(r.headers[i].name, name) {
			return r.headers[i].value
		}
	}
	return ""
}

// PathValue is what stands for {name} in the path, unescaped.
func (r *Request) PathValue(name string) string {
	for i := range r.params {
		if r.params[i].name == name {
			return r.params[i].value
		}
	}
	return ""
}

// Query is the parsed query; the error tells what is malformed about it.
func (r *Request) Query() (url.Values, error) { return url.ParseQuery(r.RawQuery) }

// room is an empty slice with room for so many bytes, for the answer's body: the adapter uses it again after it has encoded the answer.
func (r *Request) room(n int) []byte {
	r.scratch = slices.Grow(r.scratch[:0], n)
	return r.scratch
}

// Response is the answer to a Request. The adapter adds X-Request-ID and never writes to Header, which may thus be shared.
type Response struct {
	Status int
	Header map[string]string
	Body   []byte // UTF-8

	code   access.Code // of the problem document that Body is; "" for any other
	quoted bool        // Body is escaped already, as it has to stand inside of a JSON string
}

// Lambda makes a function's handler out of h. It takes API Gateway's payload format 2.0. A panic of h is logged, without anything
// that the caller sent, and answered as 500; a body larger than MaxBody is answered as 413 and never reaches h. Each request is logged in
// one line, which names its route and not its path: that can hold people's addresses.
//
// The payload is read with jsontext instead of being unmarshalled into events.APIGatewayV2HTTPRequest: that takes a third of the
// whole time of a check, for fields that nobody looks at.
func Lambda(h Handler, log *slog.Logger) lambda.Handler {
	return &adapter{handle: h, log: log}
}

type adapter struct {
	handle  Handler
	log     *slog.Logger
	walkers sync.Pool // of *walker
}

// Invoke implements lambda.Handler. The error is for payloads that do not come from API Gateway.
func (a *adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := time.Now()
	c, _ := a.walkers.Get().(*walker)
	if c == nil {
		c = &walker{}
	}
	c.reset(payload)
	r := Request{scratch: c.scratch}
	refused, err := c.request(&r)
	c.reset(nil) // keep no request in the pool
	defer func() {
		c.scratch = r.scratch
		a.walkers.Put(c)
	}()
	if err != nil {
		return nil, fmt.Errorf("the payload is no HTTP request of API Gateway's format 2.0: %w", err)
	}
	var resp Response
	if refused != nil {
		resp = refusal(refused, r.RequestID)
	} else {
		resp = a.safely(ctx, &r)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("request_id", r.RequestID), slog.String("route", r.RouteKey),
		slog.Int("status", resp.Status), slog.String("code", string(resp.code)), slog.Int64("ms", time.Since(began).Milliseconds()))
	return encode(resp, r.RequestID), nil
}

func (a *adapter) safely(ctx context.Context, r *Request) (resp Response) {
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
		resp = refusal(access.Refuse(internal, "Something went wrong on our side. It has been logged under the request's id."), r.RequestID)
	}()
	return a.handle(ctx, r)
}

// encode writes the response in API Gateway's format 2.0.
func encode(r Response, requestID string) []byte {
	size := 192 + len(r.Body)
	if !r.quoted {
		size += bytes.Count(r.Body, []byte{'"'})
	}
	b := make([]byte, 0, size)
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, `,"headers":{"X-Request-ID":`...)
	b = quote(b, requestID)
	for name, value := range r.Header {
		b = append(b, ',')
		b = quote(b, name)
		b = append(b, ':')
		b = quote(b, value)
	}
	b = append(b, `},"body":`...)
	if r.quoted {
		b = append(b, '"')
		b = append(b, r.Body...)
		b = append(b, '"')
	} else {
		b = quoteJSON(b, r.Body)
	}
	return append(b, `,"isBase64Encoded":false}`...)
}

// quote appends a JSON string; what is no UTF-8 is replaced.
func quote[T ~[]byte | ~string](b []byte, s T) []byte {
	b, err := jsontext.AppendQuote(b, s)
	_ = err // only tells that something was replaced
	return b
}

// quoteJSON is quote for a text that is JSON itself: every few bytes there is a quote to escape, and hardly ever anything else.
func quoteJSON(b, text []byte) []byte {
	from := len(b)
	b = append(b, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			return quote(b[:from], text)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// request reads the payload. Refused says that the request is one that no handler is asked about.
func (w *walker) request(r *Request) (refused *access.Error, err error) {
	var body string
	var encoded bool
	var gatewayID, email, username, use string
	var verified, unclear bool
	fields := make([]field, 0, 24) // headers and path parameters, in one piece
	err = w.object(func(name string) (err error) {
		switch name {
		case "version":
			var v string
			if v, err = w.text(); err == nil && v != "2.0" {
				err = fmt.Errorf("its version is %q", v)
			}
		case "routeKey":
			r.RouteKey, err = w.text()
		case "rawPath":
			r.Path, err = w.text()
		case "rawQueryString":
			r.RawQuery, err = w.text()
		case "headers":
			r.headers, fields, err = w.fields(fields)
		case "pathParameters":
			r.params, fields, err = w.fields(fields)
		case "body":
			body, err = w.text()
		case "isBase64Encoded":
			encoded, err = w.bool()
		case "requestContext":
			err = w.object(func(name string) (err error) {
				switch name {
				case "requestId":
					gatewayID, err = w.text()
				case "http":
					err = w.object(func(name string) (err error) {
						if name != "method" {
							return w.skip()
						}
						r.Method, err = w.text()
						return err
					})
				case "authorizer":
					err = w.object(func(name string) error {
						if name != "jwt" {
							return w.skip()
						}
						return w.object(func(name string) error {
							if name != "claims" {
								return w.skip()
							}
							return w.object(func(name string) (err error) {
								switch name {
								case "iss":
									r.Claims.Issuer, err = w.text()
								case "sub":
									r.Claims.Subject, err = w.text()
								case "email":
									email, err = w.text()
								case "cognito:username":
									r.Claims.Account, r.Claims.Unclear, err = w.claim()
								case "username": // so an access token of Cognito's names the same
									username, unclear, err = w.claim()
								case "token_use":
									use, err = w.text()
								case "email_verified": // API Gateway turns all claims into strings
									var v string
									if v, err = w.text(); err == nil {
										verified = v == "true"
									}
								case "scope", "scp": // API Gateway looks at either; a list has become "[a b]"
									var v string
									if v, err = w.text(); err == nil {
										r.Claims.Scopes = append(r.Claims.Scopes, strings.Fields(strings.Trim(v, "[]"))...)
									}
								default:
									err = w.skip()
								}
								return err
							})
						})
					})
				default:
					err = w.skip()
				}
				return err
			})
		default:
			err = w.skip()
		}
		return err
	})
	if err == nil {
		err = w.end()
	}
	if err != nil {
		return nil, err
	}
	if r.RouteKey == "" {
		return nil, errors.New("it has no routeKey")
	}
	if use == "access" && r.Claims.Account == "" && !r.Claims.Unclear {
		r.Claims.Account, r.Claims.Unclear = username, unclear
	}
	if verified {
		r.Claims.Email, _ = access.ParseEmail(email)
	}
	r.RequestID = gatewayID
	if id := r.Header("x-request-id"); saneID(id) {
		r.RequestID = id
	}
	r.Body = []byte(body)
	if encoded {
		if r.Body, err = base64.StdEncoding.DecodeString(body); err != nil {
			return access.Refuse(access.Invalid, "the body is no base64, though API Gateway says so"), nil
		}
	}
	if len(r.Body) > MaxBody {
		return access.Refuse(tooLarge, "A body may have %d bytes at most; this one has %d.", MaxBody, len(r.Body)), nil
	}
	return nil, nil
}

// saneID tells whether a caller's request id can be logged and sent back as it is.
func saneID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// walker reads JSON member by member. The texts that it returns are parts of one copy of the input, and stay valid.
type walker struct {
	in   bytes.Buffer
	data string
	dec  jsontext.Decoder

	scratch []byte // the adapter's; see Request.room
}

// reset begins with another input, which must not change before the walker is done with it.
func (w *walker) reset(input []byte) {
	w.data = string(input)
	w.in = *bytes.NewBuffer(input)
	w.dec.Reset(&w.in)
}

// object calls member for each member's name; member reads the value. null is an object without members.
func (w *walker) object(member func(name string) error) error {
	t, err := w.dec.ReadToken()
	if err != nil {
		return err
	}
	switch t.Kind() {
	case 'n':
		return nil
	case '{':
	default:
		return fmt.Errorf("%s stands where an object should", w.dec.StackPointer())
	}
	for w.dec.PeekKind() != '}' {
		name, err := w.text()
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err = w.dec.ReadToken()
	return err
}

// text reads a string; anything else that is no object or array is taken as it is written, null as "".
func (w *walker) text() (string, error) {
	v, err := w.dec.ReadValue()
	if err != nil {
		return "", err
	}
	end := int(w.dec.InputOffset())
	switch v.Kind() {
	case '"':
		if bytes.IndexByte(v, '\\') < 0 {
			return w.data[end-len(v)+1 : end-1], nil
		}
		b, err := jsontext.AppendUnquote(make([]byte, 0, len(v)), v)
		return string(b), err
	case 'n':
		return "", nil
	case '{', '[':
		return "", fmt.Errorf("%s is no text", w.dec.StackPointer())
	}
	return w.data[end-len(v) : end], nil
}

// claim reads a claim that is a text. Unclear says that it is anything else.
func (w *walker) claim() (s string, unclear bool, err error) {
	if w.dec.PeekKind() != '"' {
		return "", true, w.skip()
	}
	s, err = w.text()
	return s, false, err
}

func (w *walker) bool() (bool, error) {
	s, err := w.text()
	return s == "true", err
}

func (w *walker) skip() error { return w.dec.SkipValue() }

// fields reads an object of texts, to the end of a list.
func (w *walker) fields(list []field) (these, all []field, err error) {
	from := len(list)
	err = w.object(func(name string) error {
		v, err := w.text()
		list = append(list, field{name, v})
		return err
	})
	return list[from:len(list):len(list)], list, err
}

// end checks that nothing follows.
func (w *walker) end() error {
	if _, err := w.dec.ReadToken(); err != io.EOF { //nolint:errorlint // ReadToken promises it unwrapped
		return errors.New("something follows the JSON value")
	}
	return nil
}
