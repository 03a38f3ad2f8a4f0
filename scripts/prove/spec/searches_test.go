package spec_test

import (
	"net/http"
	"slices"
	"testing"

	"partneraccess/scripts/prove/spec"
)

// Searches of AuthZEN, on the whole service: who may come in, where somebody may go, and what for.

func found(a *spec.Answer, member string) []string {
	var out []string
	for _, r := range a.Want(http.StatusOK).Get("results").([]any) {
		out = append(out, r.(map[string]any)[member].(string))
	}
	slices.Sort(out)
	return out
}

func TestSearchesFindWhoMayComeInWhereToAndWhatFor(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Customer("globex")
	w.Partner("initech")
	ian := w.User("initech", "ian@initech.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	w.Grant("acme", m{"partner": "initech", "everyone": true, "level": "support"}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "everyone": true}).Want(201)

	search := func(what string, body m) *spec.Answer {
		return w.Backend().Do(http.MethodPost, "/access/v1/search/"+what, body)
	}
	action, someone := m{"name": "sign_in"}, m{"type": "user"}
	at := func(customer string) m { return m{"type": "customer", "id": customer} }
	whoever := func(id string) m { return m{"type": "user", "id": id} }

	want := []string{ian, kim}
	slices.Sort(want)
	if got := found(search("subject", m{"subject": someone, "action": action, "resource": at("acme")}), "id"); !slices.Equal(got, want) {
		t.Errorf("who may enter acme: got %v, want %v", got, want)
	}
	for user, want := range map[string][]string{kim: {"acme", "globex"}, sam: {"globex"}, ian: {"acme"}} {
		if got := found(search("resource", m{"subject": whoever(user), "action": action, "resource": m{"type": "customer"}}),
			"id"); !slices.Equal(got, want) {
			t.Errorf("where %s may go: got %v, want %v", user, got, want)
		}
	}
	view := found(search("action", m{"subject": whoever(kim), "resource": at("acme")}), "name")
	support := found(search("action", m{"subject": whoever(ian), "resource": at("acme")}), "name")
	if !slices.Contains(view, "sign_in") || slices.Contains(view, "reports:read") || !slices.Contains(support, "reports:read") {
		t.Errorf("what they may do: got %v at level view and %v at support", view, support)
	}
}
