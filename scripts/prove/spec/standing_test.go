package spec_test

import (
	"testing"

	"partneraccess/scripts/prove/spec"
)

// The status of a grant, in the customer's list and the partner's, in filters and counts, is what a check answers now.

func TestAGrantIsShownAsSuspendedWhileItsPartnerKeepsEverybodyOut(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "require_sso": true}).Want(201)
	for _, c := range []struct {
		about          string
		partner        m
		status, reason string
	}{
		{"a suspended partner", m{"status": "suspended"}, "suspended", "partner_not_active"},
		{"an active one", m{"status": "active"}, "active", ""},
		{"a partner of another class", m{"class": "other"}, "suspended", "partner_not_eligible"},
		{"a channel partner", m{"class": "channel"}, "active", ""},
		{"a partner without the single sign-on that is required", m{"sso": false}, "suspended", "sso_required"},
	} {
		w.Provider().Do("PATCH", "/v1/partners/contoso", c.partner, "If-Match", "*").Want(200)
		wantStanding(t, w, c.about, c.status, c.reason)
		if c.reason == "" {
			w.Allowed(kim, "sign_in", "acme")
		} else {
			w.Denied(kim, "sign_in", "acme", c.reason)
		}
	}
}

// wantStanding compares the status of contoso's grant at acme wherever it is shown.
func wantStanding(t *testing.T, w *spec.World, about, status, reason string) {
	t.Helper()
	ann := w.AdminOf("acme")
	for _, a := range []*spec.Answer{ann.Do("GET", contosoGrant, nil).Want(200)} {
		if got, _ := a.Get("reason").(string); a.String("status") != status || got != reason || a.String("state") != "open" {
			t.Errorf("%s: got %s, want %s (%s), and open as the customer has set it", about, a.Body, status, reason)
		}
	}
	for path, c := range map[string]*spec.Client{grants: ann, "/v1/partners/contoso/customers": w.Provider()} {
		for _, s := range []string{"active", "suspended"} {
			list, want := c.Do("GET", path+"?status="+s, nil).Want(200), 0
			if s == status {
				want = 1
			}
			if got := list.Int("items.length"); got != want {
				t.Errorf("%s: %s with the status %s: got %d, want %d", about, path, s, got, want)
			} else if want == 1 {
				if got, _ := list.Get("items.0.reason").(string); got != reason {
					t.Errorf("%s: %s: got the reason %q, want %q", about, path, got, reason)
				}
			}
		}
	}
}
