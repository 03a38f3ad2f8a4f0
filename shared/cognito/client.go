package cognito

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// NewClient makes the Cognito client of a Lambda function, from the environment that Lambda gives it: AWS_REGION, AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER or AWS_ENDPOINT_URL names another endpoint than
// the region's own. The error is a sentence for the operator.
func NewClient(getenv func(string) string, change ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.Client, error) {
	credentials := aws.Credentials{
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"),
		Source: "environment",
	}
	switch {
	case getenv("AWS_REGION") == "":
		return nil, errors.New("AWS_REGION is not set: name the region of the user pool")
	case credentials.AccessKeyID == "" || credentials.SecretAccessKey == "":
		return nil, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set: Lambda sets them, elsewhere give the function some")
	}
	o := cognitoidentityprovider.Options{
		Region:      getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }), // they never change while a function lives
		HTTPClient:  &http.Client{Transport: transport()},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 3
			o.MaxBackoff = time.Second // somebody waits for the answer, and what fails now is done by the sweep
		}),
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL"} {
		if url := getenv(name); url != "" {
			o.BaseEndpoint = &url
			break
		}
	}
	for _, f := range change {
		f(&o)
	}
	return cognitoidentityprovider.New(o), nil
}

// transport gives up early on a connection that has died.
func transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   2 * time.Second,
		ResponseHeaderTimeout: 5 * time.Second,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       55 * time.Second,
		ForceAttemptHTTP2:     true,
	}
}
