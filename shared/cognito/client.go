package cognito

import (
	"net"
	"net/http"
	"time"

	"partneraccess/shared/awsenv"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// NewClient makes the Cognito client of a Lambda function, from the environment that Lambda gives it: see awsenv.Read. The error is a
// sentence for the operator.
func NewClient(getenv func(string) string, change ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.Client, error) {
	env, err := awsenv.Read(getenv, "COGNITO_IDENTITY_PROVIDER", "user pool")
	if err != nil {
		return nil, err
	}
	o := cognitoidentityprovider.Options{
		Region:       env.Region,
		Credentials:  env.Credentials,
		BaseEndpoint: env.Endpoint,
		HTTPClient:   &http.Client{Transport: transport()},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 3
			o.MaxBackoff = time.Second // somebody waits for the answer, and what fails now is done by the sweep
		}),
	}
	o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = env.FIPS, env.DualStack
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
