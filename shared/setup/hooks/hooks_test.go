package hooks

import (
	"testing"

	"partneraccess/shared/setup"
)

func TestLoopbackIsForOnesOwnMachineAlone(t *testing.T) {
	for _, c := range []struct {
		name    string
		env     map[string]string
		allowed bool
		refused bool
	}{
		{"nothing is said", map[string]string{}, false, false},
		{"it is said that it is not", map[string]string{"WEBHOOKS_LOCAL": "false"}, false, false},
		{"on one's own machine", map[string]string{"WEBHOOKS_LOCAL": "true"}, true, false},
		{"something else", map[string]string{"WEBHOOKS_LOCAL": "yes"}, false, true},
		{"in Lambda", map[string]string{"WEBHOOKS_LOCAL": "true", "AWS_LAMBDA_FUNCTION_NAME": "partner-access-prod-deliver"}, false, true},
		{"as Lambda runs it, on one's own machine", map[string]string{
			"WEBHOOKS_LOCAL": "true", "AWS_LAMBDA_FUNCTION_NAME": "deliver", "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:8080/_local/lambda",
		}, true, false},
	} {
		allowed, err := local(&setup.Environment{Getenv: func(name string) string { return c.env[name] }})
		if allowed != c.allowed || err != nil != c.refused {
			t.Errorf("%s: got %t and %v", c.name, allowed, err)
		}
	}
}
