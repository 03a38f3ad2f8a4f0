package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

// NewClient makes the DynamoDB client of a Lambda function, from the environment that Lambda gives it: AWS_REGION, AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL names another endpoint than the region's
// own; AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT choose among those. The error is a sentence for the operator.
//
// Hand-made, where config.LoadDefaultConfig would do it: an execution environment's credentials never change while it lives, so the
// chain of providers, the shared configuration files and the clients of three other services are 2 MB of binary and a millisecond of
// every cold start for nothing.
func NewClient(getenv func(string) string, change ...func(*dynamodb.Options)) (*dynamodb.Client, error) {
	region := getenv("AWS_REGION")
	if region == "" {
		return nil, errors.New("AWS_REGION is not set: name the region of the table")
	}
	credentials := aws.Credentials{
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"),
		Source: "environment",
	}
	if credentials.AccessKeyID == "" || credentials.SecretAccessKey == "" {
		return nil, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set: Lambda sets them, elsewhere give the function some")
	}
	o := dynamodb.Options{
		Region:      region,
		Credentials: fixed(credentials),
		HTTPClient:  Direct{transport()},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 4
			o.Backoff = retry.BackoffDelayerFunc(backoff)
		}),
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"} {
		if url := getenv(name); url != "" {
			o.BaseEndpoint = &url
			break
		}
	}
	if getenv("AWS_USE_FIPS_ENDPOINT") == "true" {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if getenv("AWS_USE_DUALSTACK_ENDPOINT") == "true" {
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	for _, f := range change {
		f(&o)
	}
	endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), dynamodb.EndpointParameters{
		Region: &region, Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil {
		return nil, fmt.Errorf("no endpoint of DynamoDB follows from AWS_REGION %q and the AWS_ENDPOINT_URL settings: %w", region, err)
	}
	o.EndpointResolverV2 = resolved(endpoint)
	return dynamodb.New(o), nil
}

// resolved is the endpoint of every call. All that it depends on is known at the start, and to find it takes a sixth of a call's CPU
// time, for regular expressions over the region's name.
type resolved smithyendpoints.Endpoint

func (e resolved) ResolveEndpoint(context.Context, dynamodb.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint(e), nil
}

// fixed are credentials that stay as they are.
type fixed aws.Credentials

func (f fixed) Retrieve(context.Context) (aws.Credentials, error) { return aws.Credentials(f), nil }

// backoff is the pause before an attempt: up to 25 ms, and twice as long each time, at random. The SDK's own begins at a second,
// which a check has not; its budget of retries, which protects a table in trouble, is untouched.
func backoff(attempt int, _ error) (time.Duration, error) {
	return rand.N(25 * time.Millisecond << min(attempt, 5)), nil //nolint:gosec // a delay is no secret
}

// Direct sends the SDK's requests straight through a transport. An http.Client would only add what DynamoDB has no use for: redirects,
// cookies, referrers.
type Direct struct{ http.RoundTripper }

// Do implements dynamodb.HTTPClient.
func (d Direct) Do(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("send the request: %w", err)
	}
	return resp, nil
}

// transport gives up early on a connection that has died, so that the SDK can try another while the caller still waits.
func transport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true) // DynamoDB speaks no other
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   2 * time.Second,
		ResponseHeaderTimeout: 5 * time.Second,
		MaxIdleConnsPerHost:   32, // one for each request that a function has under way; the default of 2 would close the others again
		IdleConnTimeout:       55 * time.Second,
		Protocols:             &protocols,
	}
}
