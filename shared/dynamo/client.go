package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"partneraccess/shared/awsenv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

// NewClient returns the DynamoDB client of a Lambda function, from the environment that Lambda sets: see awsenv.Read. The error is a
// sentence for the operator.
func NewClient(getenv func(string) string, change ...func(*dynamodb.Options)) (*dynamodb.Client, error) {
	env, err := awsenv.Read(getenv, "DYNAMODB", "table")
	if err != nil {
		return nil, err
	}
	o := dynamodb.Options{Region: env.Region, Credentials: env.Credentials, BaseEndpoint: env.Endpoint}
	o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = env.FIPS, env.DualStack
	tune(&o)
	for _, f := range change {
		f(&o)
	}
	if err := fixEndpoint(&o); err != nil {
		return nil, err
	}
	return dynamodb.New(o), nil
}

// ClientOf returns the client of a process that has a configuration of the SDK's own, with what makes NewClient's cheap and quick to give
// up: a back end that decides by itself. The error is a sentence for the operator.
func ClientOf(cfg aws.Config, change ...func(*dynamodb.Options)) (*dynamodb.Client, error) {
	var wrong error
	client := dynamodb.NewFromConfig(cfg, slices.Concat([]func(*dynamodb.Options){tune}, change, []func(*dynamodb.Options){
		func(o *dynamodb.Options) { wrong = fixEndpoint(o) },
	})...)
	return client, wrong
}

// tune sets how requests are sent, and how often.
func tune(o *dynamodb.Options) {
	o.HTTPClient = Direct{transport()}
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 4
		o.Backoff = retry.BackoffDelayerFunc(backoff)
	})
}

// fixEndpoint resolves the endpoint once.
func fixEndpoint(o *dynamodb.Options) error {
	endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), dynamodb.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil {
		return fmt.Errorf("no endpoint of DynamoDB follows from AWS_REGION %q and the AWS_ENDPOINT_URL settings: %w", o.Region, err)
	}
	o.EndpointResolverV2 = resolved(endpoint)
	return nil
}

// resolved is the endpoint of every call. It depends only on what is known at the start; resolving it each time costs a sixth of a call's
// CPU time, for regular expressions over the region's name.
type resolved smithyendpoints.Endpoint

func (e resolved) ResolveEndpoint(context.Context, dynamodb.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint(e), nil
}

// backoff returns the pause before an attempt: a random time of up to 25 ms, doubled each time. The SDK's own begins at a second, which a
// check does not have. The SDK's retry quota, which protects a table in trouble, stays.
func backoff(attempt int, _ error) (time.Duration, error) {
	return rand.N(25 * time.Millisecond << min(attempt, 5)), nil //nolint:gosec // a delay is no secret
}

// Direct sends the SDK's requests straight through a transport. An http.Client would only add redirects, cookies and referrers, which
// DynamoDB does not use.
type Direct struct{ http.RoundTripper }

// Do implements dynamodb.HTTPClient.
func (d Direct) Do(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("send the request: %w", err)
	}
	return resp, nil
}

// transport gives up early on a dead connection, so that the SDK can try another while the caller still waits.
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
