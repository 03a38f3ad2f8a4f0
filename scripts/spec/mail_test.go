package spec_test

import (
	"strings"
	"testing"
)

// Mails: D21, D31, and what became of them.

func TestD21_D31_UsersHearThatAccessWasGrantedAndRemovedAndTheCustomerHearsOfBoth(t *testing.T) {
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "support", "note": "migration"}).Want(201)
	granted := mailed(t, w, "kim@contoso.example", "grant.created", 1)
	if !strings.Contains(granted.Subject, "Acme") || !strings.Contains(granted.Text, "migration") {
		t.Errorf("the mail says neither to whom nor why: %s\n%s", granted.Subject, granted.Text)
	}
	mailed(t, w, "it@acme.example", "grant.created", 1)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	mailed(t, w, "kim@contoso.example", "grant.revoked", 1)
	mailed(t, w, "it@acme.example", "grant.revoked", 1)
}

func TestTheStateOfEachMailIsReadAndAMailIsSentAgain(t *testing.T) {
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	w.Provider().Do("PUT", "/v1/partners/contoso", m{"contacts": []string{"ops@contoso.example"}}).Want(200)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mailed(t, w, "it@acme.example", "grant.created", 1)
	mailed(t, w, "ops@contoso.example", "grant.created", 1)
	find := func(path, to string) (id, state string) {
		list := w.Provider().Do("GET", path, nil).Want(200)
		for _, item := range list.Get("items").([]any) {
			if mail := item.(map[string]any); mail["to"] == to && mail["type"] == "grant.created" {
				return mail["id"].(string), mail["state"].(string)
			}
		}
		t.Fatalf("%s: got %s, want a mail to %s", path, list.Body, to)
		return "", ""
	}
	id, state := find("/v1/customers/acme/mail", "it@acme.example")
	if state != "sent" && state != "claimed" { // the mail is in the box an instant before it is marked
		t.Errorf("state: got %q, want sent", state)
	}
	again := w.AdminOf("acme").Do("POST", "/v1/customers/acme/mail/"+id+"/resend", nil).Want(200)
	if got := again.String("state"); got != "sent" {
		t.Errorf("after sending again: got %q, want sent", got)
	}
	mailed(t, w, "it@acme.example", "grant.created", 2)
	id, _ = find("/v1/partners/contoso/mail", "ops@contoso.example")
	w.As("olga@contoso.example").Do("POST", "/v1/partners/contoso/mail/"+id+"/resend", nil).Want(200)
	mailed(t, w, "ops@contoso.example", "grant.created", 2)
	// The other side's contacts are nobody's business.
	customers, _ := find("/v1/customers/acme/mail", "it@acme.example")
	w.As("olga@contoso.example").Do("POST", "/v1/partners/contoso/mail/"+customers+".acme/resend", nil).WantProblem(404, "not_found")
	if list := w.AdminOf("acme").Do("GET", "/v1/customers/acme/mail", nil).Want(200); strings.Contains(string(list.Body), "ops@contoso.example") {
		t.Errorf("the customer's list shows the partner's contacts: %s", list.Body)
	}
}
