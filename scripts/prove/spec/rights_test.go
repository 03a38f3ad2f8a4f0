package spec_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// What a function calls only now and then is driven here, so that its rights can be held against what it calls: see spec.Main.

func TestAnInvitationIsMadeOnceUnderOneIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	body := m{"email": "eve@elsewhere.example", "partner": "contoso"}
	first := w.AdminOf("acme").Do("POST", invitations, body, "Idempotency-Key", "k1").Want(201)
	again := w.AdminOf("acme").Do("POST", invitations, body, "Idempotency-Key", "k1").Want(201)
	if string(first.Body) != string(again.Body) || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the second time: got %s, want %s, said to be the first answer", again.Body, first.Body)
	}
	w.AdminOf("acme").Do("POST", invitations, body).WantProblem(409, "already_invited")
}

// mailState waits until the mail about an event to an address is in that state, and is its id.
func mailState(t *testing.T, w *spec.World, list, to, event, state string) (id string) {
	t.Helper()
	spec.Eventually(t, func() (err error) {
		id, err = mailWith(w, list, to, event, state)
		return err
	})
	return id
}

func mailWith(w *spec.World, list, to, event, state string) (id string, err error) {
	mails := w.Provider().Do("GET", list, nil).Want(http.StatusOK)
	for _, item := range mails.Get("items").([]any) {
		mail := item.(map[string]any)
		if mail["to"] == to && mail["type"] == event && mail["state"] == state {
			return mail["id"].(string), nil
		}
	}
	return "", fmt.Errorf("%s: got %s, want a mail of %s to %s that is %s", list, mails.Body, event, to, state)
}

func TestFeedbackOnAMailIsShownAndABouncedAddressGetsNoMore(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	acmeContacts := func(address string) {
		w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{address}}).Want(200)
	}
	acmeContacts("gone@bounced.example")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mailState(t, w, "/v1/customers/acme/mail", "gone@bounced.example", "grant.created", "bounced")
	w.Stack.Clock.Advance(time.Minute)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	mailState(t, w, "/v1/customers/acme/mail", "gone@bounced.example", "grant.revoked", "suppressed")
	acmeContacts("it@acme.example")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mailState(t, w, "/v1/customers/acme/mail", "it@acme.example", "grant.created", "delivered")
}

func TestAMailWithATokenOrAPasswordIsSentAgainWithANewOne(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, func(c *stack.Config) { c.Stream = true })
	o.Customer("acme")
	o.AdminOf("acme").Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
	first := tokenIn(t, mailed(t, o.World, "eve@elsewhere.example", "invitation.created", 1))
	id := mailState(t, o.World, "/v1/customers/acme/mail", "eve@elsewhere.example", "invitation.created", "delivered")
	o.AdminOf("acme").Do("POST", "/v1/customers/acme/mail/"+id+"/resend", nil).Want(200)
	second := tokenIn(t, mailed(t, o.World, "eve@elsewhere.example", "invitation.created", 2))
	if first == second {
		t.Error("the second mail has the token of the first, of which only a digest should be kept")
	}
	o.Anonymous().Do("GET", byToken(second), nil).Want(200)

	o.User("contoso", "kim@contoso.example", "tech")
	o.mailTo("kim@contoso.example")
	id = mailState(t, o.World, "/v1/partners/contoso/mail", "kim@contoso.example", "user.created", "delivered")
	o.Provider().Do("POST", "/v1/partners/contoso/mail/"+id+"/resend", nil).Want(200)
	again := mailed(t, o.World, "kim@contoso.example", "user.created", 2)
	secret := passwordIn(again.Text)
	if secret == "" {
		t.Fatalf("got a mail without a temporary password: %s", again.Text)
	}
	o.login("kim@contoso.example", secret, secretOne).Want(http.StatusOK)
}

// passwordIn is the temporary password in a mail; "" when there is none.
func passwordIn(text string) string {
	for _, word := range strings.Fields(text) {
		if word = strings.Trim(word, ".,:"); len(word) == 23 && strings.Count(word, "-") == 3 {
			return word
		}
	}
	return ""
}

func TestAnAccountThatCouldNotBeEnabledIsEnabledByTheSweep(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	for i, after := range []bool{false, true} {
		email := fmt.Sprintf("kim%d@contoso.example", i)
		kim := o.User("contoso", email, "tech")
		o.edit(kim, object{"status": "disabled"})
		o.settle()
		o.wires.fail("AdminEnableUser", after)
		o.edit(kim, object{"status": "active"})
		if o.task(kim) == nil {
			t.Fatal("got no task, want one")
		}
		o.wires.mend()
		o.settle()
		o.wantNoTask(kim)
		o.wantAccount(kim, "enabled "+email)
	}
}

func TestAMailWhosePasswordHasEndedUnusedIsSentAgainWithANewOne(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, func(c *stack.Config) { c.Stream = true })
	kim := o.User("contoso", "kim@contoso.example", "tech")
	missed := func() any { return o.Provider().Do("GET", pathOf(kim), nil).Want(200).Get("activation_missed_at") }
	o.mailTo("kim@contoso.example")
	id := mailState(t, o.World, "/v1/partners/contoso/mail", "kim@contoso.example", "user.created", "delivered")
	o.Advance(8 * 24 * time.Hour)
	if missed() == nil {
		t.Fatal("after eight days: got a user who may still sign in, want one who has missed it")
	}
	o.Provider().Do("POST", "/v1/partners/contoso/mail/"+id+"/resend", nil).Want(200)
	secret := passwordIn(mailed(t, o.World, "kim@contoso.example", "user.created", 2).Text)
	o.login("kim@contoso.example", secret, secretOne).Want(http.StatusOK)
	if got := missed(); got != nil {
		t.Errorf("after another password: got missed at %v, want nothing", got)
	}
}
