package httpapi

import (
	"slices"
	"strings"
	"testing"
)

func TestARouteSaysWhoMayCallItAndTheGatewayLetsNobodyElseThrough(t *testing.T) {
	t.Parallel()
	for _, r := range Routes() {
		if r.Fallback {
			if r.endpoint != nil || !r.Public {
				t.Errorf("%s: got an endpoint or a need for a token, want neither: there is nothing to protect", r.Key())
			}
			continue
		}
		if strings.HasPrefix(r.Path, "/v1/") != (r.endpoint != nil && r.callers != 0) {
			t.Errorf("%s: want an endpoint and callers, unless it is one of the decision API", r.Key())
		}
		if r.endpoint != nil && r.Public != (r.callers == anonymous) {
			t.Errorf("%s: got public %v, want that where anybody may call", r.Key(), r.Public)
		}
		var scopes []string
		if r.callers == provider {
			scopes = []string{ScopeDirectory}
		}
		if !slices.Equal(r.Scopes, scopes) {
			t.Errorf("%s: got the scopes %q, want %q: the gateway asks for the provider's where nobody else may call", r.Key(), r.Scopes, scopes)
		}
	}
}
