package dynamo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// quick sends the one request of a check past the SDK's stack, which takes half of its time: signed by the SDK's signer, and no more. It
// bears success alone. Whatever else comes (no answer, a refusal, a clock that is wrong, a response that was damaged) is the SDK's: the
// same request is made again by its way, with its retries and its errors. Reading twice does no harm.
//
// Turned down on 2026-11-29: for the service's functions, whose rights and failures are watched by way of the SDK's stack.
type quick struct {
	options dynamodb.Options
	address *url.URL
	signer  *v4.Signer
}

// WithQuickReads sends the first attempt of each BatchGetItem past the SDK's stack, where the client comes from NewClient or ClientOf and
// nobody looks into its stack or its requests.
func WithQuickReads() Option { return func(s *settings) { s.quick = true } }

// newQuick returns nil when requests have to go by the SDK's stack: for the sake of whoever is in it.
func newQuick(client *dynamodb.Client) *quick {
	if client == nil {
		return nil
	}
	o := client.Options()
	endpoint, fixed := o.EndpointResolverV2.(resolved)
	_, untraced := o.TracerProvider.(*tracing.NopTracerProvider)
	_, unmeasured := o.MeterProvider.(metrics.NopMeterProvider)
	if !fixed || o.Credentials == nil || len(o.APIOptions) > 0 || o.ClientLogMode != 0 || !untraced || !unmeasured {
		return nil
	}
	for _, in := range reflect.ValueOf(o.Interceptors).Fields() {
		if in.Len() > 0 {
			return nil
		}
	}
	address := endpoint.URI
	if address.Path == "" {
		address.Path = "/"
	}
	return &quick{o, &address, v4.NewSigner()}
}

// send reports whether the response was read. The error is of a context that has ended: all else is for another attempt.
func (q *quick) send(ctx context.Context, c *call) (read bool, err error) {
	credentials, err := q.options.Credentials.Retrieve(ctx)
	if err != nil {
		return false, ctx.Err()
	}
	r := (&http.Request{
		Method: http.MethodPost, URL: q.address, Host: q.address.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"X-Amz-Target": c.target, "Content-Type": contentType,
			"Accept-Encoding": identity, // the checksum is that of what is sent
		}, ContentLength: int64(len(c.request)),
		Body: body{bytes.NewReader(c.request)}, GetBody: func() (io.ReadCloser, error) { return body{bytes.NewReader(c.request)}, nil },
	}).WithContext(ctx)
	digest := sha256.Sum256(c.request)
	if err := q.signer.SignHTTP(ctx, credentials, r, hex.EncodeToString(digest[:]), "dynamodb", q.options.Region, time.Now()); err != nil {
		return false, ctx.Err()
	}
	a, err := q.options.HTTPClient.Do(r)
	if err != nil {
		return false, ctx.Err()
	}
	defer a.Body.Close() //nolint:errcheck // it was read, or is left
	if a.StatusCode != http.StatusOK {
		return false, ctx.Err()
	}
	if err := c.DeserializeResponse(ctx, nil, nil, &smithyhttp.Response{Response: a}, nil); err != nil {
		return false, ctx.Err()
	}
	return true, nil
}

// body is a request's, as an http.Request wants it.
type body struct{ *bytes.Reader }

// Close implements io.Closer.
func (body) Close() error { return nil }
