package identity_test

import (
	"strings"
	"testing"

	"partneraccess/shared/setup/identity"
)

func TestTheEnvironmentSaysWhetherAccountsAreKept(t *testing.T) {
	t.Parallel()
	cognito := map[string]string{
		"IDENTITY": "cognito", "USER_POOL_ID": "eu-central-1_pool", "USER_POOL_CLIENT_ID": "client",
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
	}
	without := func(name, value string) map[string]string {
		out := map[string]string{}
		for k, v := range cognito {
			out[k] = v
		}
		out[name] = value
		return out
	}
	for _, c := range []struct {
		name  string
		env   map[string]string
		kept  bool
		wrong string
	}{
		{"nothing", nil, false, ""},
		{"none", map[string]string{"IDENTITY": "none"}, false, ""},
		{"cognito", cognito, true, ""},
		{"something else", map[string]string{"IDENTITY": "okta"}, false, `IDENTITY is "okta"`},
		{"no pool", without("USER_POOL_ID", ""), false, "USER_POOL_ID"},
		{"no client", without("USER_POOL_CLIENT_ID", ""), false, "USER_POOL_CLIENT_ID"},
		{"no region", without("AWS_REGION", ""), false, "AWS_REGION"},
	} {
		keeper, err := identity.FromEnvironment(func(name string) string { return c.env[name] })
		if (keeper != nil) != c.kept || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: got %v and %v, want accounts: %v, an error with %q", c.name, keeper, err, c.kept, c.wrong)
		}
	}
}
