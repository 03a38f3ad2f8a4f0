package awsenv_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"partneraccess/shared/awsenv"
)

func TestAClientsSettingsAreThoseOfTheEnvironment(t *testing.T) {
	env := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}
	read := func() (awsenv.Settings, error) {
		return awsenv.Read(func(name string) string { return env[name] }, "SESV2", "mail service")
	}
	s, err := read()
	if err != nil || s.Region != "eu-central-1" || s.Endpoint != nil || s.FIPS != aws.FIPSEndpointStateUnset ||
		s.DualStack != aws.DualStackEndpointStateUnset {
		t.Errorf("got %+v, %v, want the region's own endpoint", s, err)
	}
	c, err := s.Credentials.Retrieve(t.Context())
	if err != nil || c.AccessKeyID != "a" || c.SecretAccessKey != "b" || c.SessionToken != "c" || c.CanExpire {
		t.Errorf("credentials: got %+v, %v, want those given, for good", c, err)
	}

	env["AWS_USE_FIPS_ENDPOINT"], env["AWS_USE_DUALSTACK_ENDPOINT"], env["AWS_ENDPOINT_URL"] = "true", "true", "http://all.example"
	if s, err := read(); err != nil || s.FIPS != aws.FIPSEndpointStateEnabled || s.DualStack != aws.DualStackEndpointStateEnabled ||
		*s.Endpoint != "http://all.example" {
		t.Errorf("got %+v, %v, want both, and the endpoint of all services", s, err)
	}
	env["AWS_ENDPOINT_URL_SESV2"], env["AWS_ENDPOINT_URL_DYNAMODB"] = "http://ses.example", "http://other.example"
	if s, err := read(); err != nil || *s.Endpoint != "http://ses.example" {
		t.Errorf("got %+v, %v, want the service's own", s, err)
	}
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		was := env[name]
		env[name] = ""
		if _, err := read(); err == nil || !strings.Contains(err.Error(), name+" ") {
			t.Errorf("without %s: got %v, want it named", name, err)
		}
		env[name] = was
	}
}
