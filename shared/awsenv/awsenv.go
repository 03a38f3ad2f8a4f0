// Package awsenv reads the environment that Lambda gives a function into what a client of the AWS SDK needs.
//
// Hand-made, where config.LoadDefaultConfig would do it: an execution environment's credentials never change while it lives, so the chain
// of providers, the shared configuration files and the clients of three other services are 2 MB of binary and a millisecond of every cold
// start for nothing.
package awsenv

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Settings are the options that all clients have.
type Settings struct {
	Region      string
	Credentials aws.CredentialsProvider
	Endpoint    *string // nil = the region's own
	FIPS        aws.FIPSEndpointState
	DualStack   aws.DualStackEndpointState
}

// Read reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. AWS_ENDPOINT_URL_ and the service's name, as the
// SDK spells it, or AWS_ENDPOINT_URL names another endpoint than the region's own; AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT
// choose among those (https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html). The error is a sentence for the
// operator; about is what lies in the region.
func Read(getenv func(string) string, service, about string) (Settings, error) {
	s := Settings{Region: getenv("AWS_REGION")}
	if s.Region == "" {
		return Settings{}, fmt.Errorf("AWS_REGION is not set: name the region of the %s", about)
	}
	c := aws.Credentials{
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"),
		Source: "environment",
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return Settings{},
			errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set: Lambda sets them, elsewhere give the function some")
	}
	s.Credentials = fixedCredentials(c)
	for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
		if url := getenv(name); url != "" {
			s.Endpoint = &url
			break
		}
	}
	if getenv("AWS_USE_FIPS_ENDPOINT") == "true" {
		s.FIPS = aws.FIPSEndpointStateEnabled
	}
	if getenv("AWS_USE_DUALSTACK_ENDPOINT") == "true" {
		s.DualStack = aws.DualStackEndpointStateEnabled
	}
	return s, nil
}

// fixedCredentials are credentials that stay as they are.
type fixedCredentials aws.Credentials

// Retrieve implements aws.CredentialsProvider.
func (f fixedCredentials) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials(f), nil
}
