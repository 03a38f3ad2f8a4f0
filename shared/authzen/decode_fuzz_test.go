package authzen_test

import (
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
	"partneraccess/shared/authzen"
)

// A body that is taken is JSON, and each of its queries is whole or refused.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"customer","id":"c"},"context":{"consistency":"snapshot"}}`,
		`{"evaluations":[{"subject":{"type":"user"}},1,null]}`, `{"options":{"evaluations_semantic":"x"}}`, `{"page":{"limit":1,"token":"x"}}`,
		`{"page":{"limit":1e9}}`,
		`{"subject":[],"subject":{}}`, `{"resource":{"type":"device","id":"d","properties":{"customer":"acme"}}}`, `[]`, `{`, ``,
		"\xef\xbb\xbf{}", `{"evaluations":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, many := range []bool{false, true} {
			r, refused := (&authzen.Decoder{}).Decode(body, many)
			if refused != nil {
				if refused.Code != access.Invalid {
					t.Errorf("got %v, want the code %s", refused, access.Invalid)
				}
				for _, f := range refused.Fields {
					if !jsontext.Pointer(f.Pointer).IsValid() {
						t.Errorf("got the pointer %q, which is none", f.Pointer)
					}
				}
				continue
			}
			var o map[string]any
			if err := json.Unmarshal(body, &o); err != nil {
				t.Errorf("%q: got it accepted, though it is no JSON object: %v", body, err)
			}
			if n := len(r.Queries); n < 1 || n > authzen.MaxEvaluations || r.Page.Limit < 0 || r.Page.Limit > authzen.MaxResults {
				t.Errorf("%q: got %d queries and the limit %d", body, n, r.Page.Limit)
			}
			for i := range r.Queries {
				q := &r.Queries[i]
				if q.Validate(authzen.Required{SubjectID: true, Action: true, ResourceID: true}) == nil &&
					(q.Subject == nil || q.Action == nil || q.Resource == nil) {
					t.Errorf("%q: got a query without a subject, an action or a resource", body)
				}
			}
		}
	})
}
