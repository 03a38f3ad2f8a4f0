// Package invoke asks the function check itself, by Lambda's Invoke, and so without API Gateway and without tokens: whoever may invoke the
// function may ask anything. It is for back ends in the vendor's account that want the service's own answer, with its log lines, figures
// and recorded uses, for less than half the price of HTTPS.
//
//	access := invoke.New(lambda.NewFromConfig(cfg), checkFunction)
//	guard := client.Middleware(access, question)
//
// checkFunction is the stack's output CheckFunction, and the back end's role needs lambda:InvokeFunction on it and on nothing else of the
// service. API Gateway's throttle is not in the way, nor are the function's own limits: many questions at once take executions from the
// account's, unless the setting checkConcurrency keeps some for check.
package invoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/shared/client"
)

// Invoker is Lambda's client.
type Invoker interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, options ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// New returns a client that asks that function: Check, Checks and what else is at /access/v1. Other requests are answered with 404.
func New(with Invoker, function string, options ...client.Option) *client.Client {
	none := client.TokenFunc(func(context.Context) (string, error) { return "", nil })
	own := client.HTTPClient(&http.Client{Transport: &transport{with, function}})
	return client.New("https://lambda", none, append([]client.Option{own}, options...)...)
}

type transport struct {
	with     Invoker
	function string
}

// event is what API Gateway makes of a request (payload format 2.0), as far as the function reads it.
type event struct {
	Version  string            `json:"version"`
	RouteKey string            `json:"routeKey"`
	RawPath  string            `json:"rawPath"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Context  struct {
		RequestID string `json:"requestId"`
		HTTP      struct {
			Method string `json:"method"`
		} `json:"http"`
		Authorizer struct {
			JWT struct {
				Claims map[string]string `json:"claims"`
			} `json:"jwt"`
		} `json:"authorizer"`
	} `json:"requestContext"`
}

// scope is that of a back end's token: what a caller may ask who may invoke the function.
const scope = "partner-access/check"

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte(nil)
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close() // it was read
	}
	if !strings.HasPrefix(r.URL.Path, "/access/v1/") {
		return response(r, http.StatusNotFound, nil, nil), nil
	}
	e := event{
		Version: "2.0", RouteKey: r.Method + " " + r.URL.Path, RawPath: r.URL.Path, Headers: map[string]string{}, Body: string(body),
	}
	for name := range r.Header {
		if name != "Authorization" {
			e.Headers[strings.ToLower(name)] = r.Header.Get(name)
		}
	}
	e.Context.RequestID, e.Context.HTTP.Method = rand.Text(), r.Method
	e.Context.Authorizer.JWT.Claims = map[string]string{"scope": scope}
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	out, err := t.with.Invoke(r.Context(), &lambda.InvokeInput{FunctionName: &t.function, Payload: payload},
		func(o *lambda.Options) { o.RetryMaxAttempts = 1 }) // the client repeats
	switch {
	case err != nil:
		return nil, fmt.Errorf("invoke %s: %w", t.function, err)
	case out.FunctionError != nil:
		return nil, fmt.Errorf("invoke %s: the function failed: %s", t.function, *out.FunctionError)
	}
	var a struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
		Encoded    bool              `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(out.Payload, &a); err != nil || a.StatusCode == 0 {
		return nil, fmt.Errorf("invoke %s: its answer is none of the function check", t.function)
	}
	text := []byte(a.Body)
	if a.Encoded {
		if text, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			return nil, fmt.Errorf("invoke %s: read the answer: %w", t.function, err)
		}
	}
	return response(r, a.StatusCode, a.Headers, text), nil
}

func response(r *http.Request, status int, headers map[string]string, body []byte) *http.Response {
	out := &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
	for name, value := range headers {
		out.Header.Set(name, value)
	}
	return out
}
