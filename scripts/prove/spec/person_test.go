package spec_test

import (
	"strings"
	"testing"
	"time"
)

// A change of address is a change of person, unless the domain stays the same (issue 11, point 5).

func TestAnAddressOfAnotherDomainEndsAccessAndTheCustomerIsTold(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	w.Customer("globex")
	w.Provider().Do("PUT", "/v1/customers/globex", m{"contacts": []string{"it@globex.example"}}).Want(200)
	kim, lee := w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "lee@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, lee}}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "everyone": true}).Want(201)
	move := func(address string) {
		t.Helper()
		w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"email": address}, "If-Match", "*").Want(200)
	}

	move("kim.larsen@contoso.example")
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(time.Minute) // the sweep
	for _, to := range []string{"it@acme.example", "it@globex.example"} {
		if mail := mailed(t, w, to, "grant.person_changed", 1); !strings.Contains(mail.Text, "kim.larsen@contoso.example") ||
			!strings.Contains(mail.Text, "kim@contoso.example") || !strings.Contains(mail.Text, "keeps its access") {
			t.Errorf("to %s: got %s, want both addresses, and that access stays", to, mail.Text)
		}
	}
	w.Allowed(kim, "sign_in", "acme")

	move("kim@elsewhere.example")
	w.Denied(kim, "sign_in", "acme", "user_not_assigned") // at once
	w.Allowed(kim, "sign_in", "globex")                   // everyone means whoever works there
	w.Advance(time.Minute)
	if mail := mailed(t, w, "it@acme.example", "grant.person_changed", 2); !strings.Contains(mail.Text, "another person") {
		t.Errorf("got %s, want that it may be another person", mail.Text)
	}
	mailed(t, w, "it@globex.example", "grant.person_changed", 2)
	history := w.AdminOf("acme").Do("GET", "/v1/customers/acme/history?type=grant.person_changed", nil).Want(200)
	if history.Int("items.length") != 2 || history.String("items.0.data.reason") != "person_changed" ||
		history.String("items.0.data.email_was") != "kim.larsen@contoso.example" ||
		history.Get("items.1.data.reason") != nil || history.Int("items.0.data.user_count") != 1 {
		t.Errorf("the history: got %s, want both changes, the second with its reason", history.Body)
	}
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(200) // the customer knows the new address
	w.Allowed(kim, "sign_in", "acme")
}

func TestAConflictDoesNotVanishWithAChangeOfAddress(t *testing.T) { // A7, A8
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.Member("acme", "kim@contoso.example")
	w.Denied(kim, "sign_in", "acme", "customer_user_conflict")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"email": "kim2@contoso.example"}, "If-Match", "*").Want(200)
	w.Denied(kim, "sign_in", "acme", "customer_user_conflict")
	w.Provider().Do("DELETE", "/v1/customers/acme/members/kim@contoso.example", nil).Want(204)
	w.Allowed(kim, "sign_in", "acme")
}
