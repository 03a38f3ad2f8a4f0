package spec_test

import (
	"testing"

	"partneraccess/scripts/prove/spec"
)

// What each of them promises while others change things is for scripts/prove to find out; at rest they say the same.
func TestEveryConsistencyDecidesAlike(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	backend := w.Backend()
	decide := func(user, action string) {
		t.Helper()
		var first *spec.Answer
		for _, how := range []string{"strong", "snapshot", "eventual"} {
			q := spec.Question(user, action, "acme")
			q["context"] = m{"consistency": how}
			one := backend.Do("POST", "/access/v1/evaluation", q).Want(200)
			if first == nil {
				first = one
			}
			several := backend.Do("POST", "/access/v1/evaluations", m{"evaluations": []m{q, spec.Question(kim, "sign_in", "nowhere"), q}}).Want(200)
			for _, i := range []string{"evaluations.0.", "evaluations.2."} {
				if got, want := several.String(i+"context.reason"), first.String("context.reason"); got != want ||
					one.String("context.reason") != want {
					t.Errorf("%s, %s, %s: got %s among several and %s alone, want %s", how, user, action, got, one.String("context.reason"), want)
				}
			}
		}
	}
	all := func() {
		t.Helper()
		for _, user := range []string{kim, sam, "kim@contoso.example", "nobody@contoso.example"} {
			for _, action := range []string{"sign_in", "reports:read"} {
				decide(user, action)
			}
		}
	}
	all()
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	all()
}
