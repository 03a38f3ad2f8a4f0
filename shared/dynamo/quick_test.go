package dynamo

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
)

func quickReader(t *testing.T) (*Reader, *wiretap) {
	t.Helper()
	e := engine.Shared(t)
	table := "quick-" + rand.Text()
	if err := CreateTable(t.Context(), e.Client(), table, false); err != nil {
		t.Fatal(err)
	}
	fill(t, e.Client(), table)
	tap := &wiretap{}
	r := reader(t, e.Endpoint(), table, tap, WithQuickReads())
	if r.quick == nil {
		t.Fatal("got a reader without quick reads")
	}
	return r, tap
}

func TestAQuickReadIsOneSignedRequest(t *testing.T) {
	r, tap := quickReader(t)
	slow, _ := engineReader(t)
	want, err := slow.Facts(t.Context(), acme, access.Strong)
	if err != nil {
		t.Fatal(err)
	}
	var header http.Header
	r.quick.options.HTTPClient = noting{tap, &header}
	got, err := r.Facts(t.Context(), acme, access.Strong)
	if err != nil || text(got) != text(want) {
		t.Errorf("got %s, %v, want %s", text(got), err, text(want))
	}
	if len(tap.asked) != 1 || tap.asked[0] != "BatchGetItem" {
		t.Errorf("got the requests %v, want one", tap.asked)
	}
	signed := header.Get("Authorization")
	for _, part := range []string{"AWS4-HMAC-SHA256 Credential=test/", "/eu-central-1/dynamodb/aws4_request", "x-amz-target", "host"} {
		if !strings.Contains(signed, part) {
			t.Errorf("got the signature %s, want %q in it", signed, part)
		}
	}
	if got := header.Get("Accept-Encoding"); got != "identity" {
		t.Errorf("got Accept-Encoding %q, want what the checksum is of", got)
	}
}

// noting keeps the header of the latest request.
type noting struct {
	dynamodb.HTTPClient
	header *http.Header
}

func (n noting) Do(r *http.Request) (*http.Response, error) {
	*n.header = r.Header.Clone()
	return n.HTTPClient.Do(r)
}

// Whatever is no success is asked again by the SDK's way, and its error is the SDK's.
func TestWhatAQuickReadDoesNotGetTheSDKGets(t *testing.T) {
	for about, c := range map[string]struct {
		status int
		answer string
	}{
		"a failure":                       {500, `{"__type":"InternalServerError"}`},
		"no capacity":                     {400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`},
		"a clock that is wrong":           {403, `{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired"}`},
		"an answer that is none":          {200, `<html>`},
		"half an answer":                  {200, `{"Responses":{"t":[{"pk":{"S":"P#contoso"},`},
		"an answer with another's status": {203, `{"Responses":{},"UnprocessedKeys":{}}`},
	} {
		t.Run(about, func(t *testing.T) {
			r, tap := quickReader(t)
			tap.answer = func(n int, _ string) (int, string) {
				if n == 1 {
					return c.status, c.answer
				}
				return 0, ""
			}
			got, err := r.Facts(t.Context(), acme, access.Strong)
			if err != nil || got[0].Grant == nil || got[0].Assignment == nil || len(tap.asked) != 2 {
				t.Errorf("got %s, %v after %d requests, want the facts after two", text(got), err, len(tap.asked))
			}
		})
	}
	r, tap := quickReader(t)
	tap.answer = func(int, string) (int, string) { return 400, `{"__type":"AccessDeniedException"}` }
	if got, err := r.Facts(t.Context(), acme, access.Strong); err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Errorf("got %s, %v, want the SDK's error", text(got), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := r.Facts(ctx, acme, access.Strong); err == nil {
		t.Errorf("a context that has ended: got %s, want an error", text(got))
	}
}

func TestWhoLooksIntoTheSDKSeesAllReads(t *testing.T) {
	look := func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(*middleware.Stack) error { return nil })
	}
	env := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
	watched, err := NewClient(func(name string) string { return env[name] }, look)
	if err != nil {
		t.Fatal(err)
	}
	for about, db := range map[string]*dynamodb.Client{"a watched client": watched, "another client": dynamodb.New(dynamodb.Options{})} {
		if NewReader(db, "t", WithQuickReads()).quick != nil {
			t.Errorf("%s: got quick reads, want all by the SDK's stack", about)
		}
	}
	plain, err := NewClient(func(name string) string { return env[name] })
	if err != nil || NewReader(plain, "t", WithQuickReads()).quick == nil || NewReader(plain, "t").quick != nil {
		t.Errorf("a plain client: got none where they are wanted, or some where not (%v)", err)
	}
}
