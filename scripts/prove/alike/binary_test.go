package alike_test

import (
	"crypto/rand"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/scripts/local/deployed"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/lambdahost"
	"partneraccess/scripts/prove/alike"
	"partneraccess/shared/client"
	"partneraccess/shared/client/invoke"
)

// The function's own binary, as Lambda runs it, by Lambda's client.
func TestTheFunctionIsInvokedAsItIsDeployed(t *testing.T) {
	t.Parallel()
	e := engine.Shared(t)
	dir := t.TempDir()
	err := deployed.BuildPackages(t.Context(), dir, runtime.GOOS, runtime.GOARCH, []string{"./functions/check"}, []string{"check"})
	if err != nil {
		t.Fatal(err)
	}
	host, err := lambdahost.Start(t.Context(), lambdahost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	table := "invoked-" + rand.Text()
	kim, err := alike.Granted(t.Context(), e, table)
	if err != nil {
		t.Fatal(err)
	}
	host.Deploy(lambdahost.Function{
		Name: "check", Binary: filepath.Join(dir, "check", "bootstrap"), Timeout: 10 * time.Second, Memory: 256, Env: map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": e.Endpoint(), "TABLE_NAME": table, "BASE_URL": "https://access.example.com",
		},
	})
	c := invoke.New(lambda.New(lambda.Options{
		Region: engine.Region, BaseEndpoint: aws.String(host.URL()), Credentials: e.Client().Options().Credentials,
	}), "check", client.Timeout(10*time.Second))
	if d, err := c.Check(t.Context(), kim); err != nil || !d.Allowed || d.Reason != "granted" {
		t.Errorf("got %+v, %v, want it allowed", d, err)
	}
	nobody := kim
	nobody.User = "nobody@contoso.example"
	decisions, errs, err := c.Checks(t.Context(), []client.Question{kim, nobody})
	if err != nil || errs[0] != nil || errs[1] != nil || !decisions[0].Allowed || decisions[1].Reason != "unknown_subject" {
		t.Errorf("got %+v, %v, %v, want one allowed", decisions, errs, err)
	}
}
