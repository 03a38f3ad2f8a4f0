package stack_test

import (
	"testing"

	"partneraccess/scripts/local/stack"
)

func TestEachIssuersTokensHaveItsOwnAudienceAndKeys(t *testing.T) {
	t.Parallel()
	one, two := newSigner(t), newSigner(t)
	const other, client = "https://pool.example", "client"
	a := one.authorizer()
	a.Trust(two.keys, other, client)
	for _, c := range []struct {
		name    string
		by      *signer
		changes map[string]any
		good    bool
	}{
		{"the first one's", one, nil, true},
		{"the second one's", two, map[string]any{"iss": other, "aud": client}, true},
		{"the first one's for the second one's audience", one, map[string]any{"aud": client}, false},
		{"the second one's for the first one's audience", two, map[string]any{"iss": other, "aud": stack.Audience}, false},
		{"the first one's with the second one's key", two, nil, false},
		{"the second one's with the first one's key", one, map[string]any{"iss": other, "aud": client}, false},
		{"a third one's", two, map[string]any{"iss": "https://third.example", "aud": client}, false},
		{"the second one's, expired", two, map[string]any{"iss": other, "aud": client, "exp": two.now.Unix()}, false},
	} {
		if _, err := a.Claims(c.by.token(t, c.changes)); (err == nil) != c.good {
			t.Errorf("%s: got %v, want it accepted: %v", c.name, err, c.good)
		}
	}
}
