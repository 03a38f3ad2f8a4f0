package spec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// Mails: D21, D31, and what became of them.

func TestD21_D31_UsersAndCustomerAreToldOfGrantAndRemoval(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "support", "note": "ticket 4711", "message": "migration"}).Want(
		201)
	granted := mailed(t, w, "kim@contoso.example", "grant.created", 1)
	if !strings.Contains(granted.Subject, "Acme") || !strings.Contains(granted.Text, "migration") {
		t.Errorf("the mail says neither to whom nor why: %s\n%s", granted.Subject, granted.Text)
	}
	if strings.Contains(granted.Text+granted.HTML, "4711") {
		t.Errorf("the mail to the partner's user carries the note, which is the customer's own:\n%s", granted.Text)
	}
	mailed(t, w, "it@acme.example", "grant.created", 1)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	mailed(t, w, "kim@contoso.example", "grant.revoked", 1)
	mailed(t, w, "it@acme.example", "grant.revoked", 1)
}

func TestD24_WithoutAccessAUserIsDeniedAndGetsNoFurtherMail(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	var users []string
	id := map[string]string{}
	for _, name := range []string{"disabled", "removed", "out", "sam"} {
		id[name] = w.User("contoso", name+"@contoso.example", "tech")
		users = append(users, id[name])
	}
	w.Grant("acme", m{"partner": "contoso", "users": users, "level": "support", "until": spec.Start.Add(60 * day)}).Want(201)
	for name, user := range id {
		mailed(t, w, name+"@contoso.example", "grant.created", 1)
		w.Allowed(user, "insights:read", "acme")
	}

	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+id["disabled"], m{"status": "disabled"}, "If-Match", "*").Want(200)
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+id["removed"], nil).Want(204)
	w.AdminOf("acme").Do("DELETE", contosoGrant+"/users/"+id["out"], nil).Want(200)
	mailed(t, w, "out@contoso.example", "grant.edited", 1) // that access was removed, D31
	for name, reason := range map[string]string{"disabled": "user_not_active", "removed": "unknown_subject", "out": "user_not_assigned"} {
		for _, action := range []string{"sign_in", "insights:read", "reports:read"} {
			w.Denied(id[name], action, "acme", reason)
		}
	}
	w.As("disabled@contoso.example").Do("GET", "/v1/partners/contoso/customers", nil).WantProblem(403, "forbidden")
	w.As("removed@contoso.example").Do("GET", "/v1/partners/contoso/customers", nil).WantProblem(403, "not_registered")
	if got := w.As("out@contoso.example").Do("GET", "/v1/me", nil).Want(200).String("partner.user.status"); got != "active" {
		t.Errorf("who was taken out: got an account that is %s, want active", got)
	}

	// Everything of which who is in is told. Each is waited for, so that it is in a batch of the stream before the next one's.
	ann := w.AdminOf("acme")
	for _, c := range []struct {
		event string
		do    func()
	}{
		{"grant.edited", func() { ann.Do("PATCH", contosoGrant, m{"level": "manage"}, "If-Match", "*").Want(200) }},
		{"grant.suspended", func() { ann.Do("PATCH", contosoGrant, m{"state": "suspended"}, "If-Match", "*").Want(200) }},
		{"grant.resumed", func() { ann.Do("PATCH", contosoGrant, m{"state": "open"}, "If-Match", "*").Want(200) }},
		{"grant.expiring", func() { w.Advance(31 * day) }},
		{"grant.revoked", func() { ann.Do("DELETE", contosoGrant, nil).Want(200) }},
	} {
		c.do()
		for _, to := range []string{"sam@contoso.example", "it@acme.example"} {
			mailState(t, w, "/v1/customers/acme/mail", to, c.event, "delivered")
		}
	}
	w.User("contoso", "last@contoso.example", "tech")
	mailed(t, w, "last@contoso.example", "user.created", 1) // the batches before it are done with

	got := map[string]int{}
	for _, mail := range w.Stack.Mail.List() {
		if strings.HasPrefix(mail.Event, "grant.") && mail.To != "it@acme.example" && mail.To != "sam@contoso.example" &&
			mail.To != "olga@contoso.example" {
			// the owner of a partner without contacts
			got[mail.To+" "+mail.Event]++
		}
	}
	want := map[string]int{
		"disabled@contoso.example grant.created": 1, "removed@contoso.example grant.created": 1,
		"out@contoso.example grant.created": 1, "out@contoso.example grant.edited": 1,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("mails about the customer: got %v, want %v", got, want)
	}
}

func TestTheStateOfEachMailIsReadAndAMailIsSentAgain(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	w.Provider().Do("PUT", "/v1/partners/contoso", m{"contacts": []string{"ops@contoso.example"}}).Want(200)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mailed(t, w, "it@acme.example", "grant.created", 1)
	mailed(t, w, "ops@contoso.example", "grant.created", 1)
	// The mail is in the box an instant before it is marked, and until then it is being sent: who asks for it again gets that one.
	find := func(path, to string) (id string) {
		t.Helper()
		spec.Eventually(t, func() error {
			list := w.Provider().Do("GET", path, nil).Want(200)
			for _, item := range list.Get("items").([]any) {
				if mail := item.(map[string]any); mail["to"] == to && mail["type"] == "grant.created" && mail["state"] != "claimed" {
					if mail["state"] != "sent" && mail["state"] != "delivered" {
						t.Errorf("state: got %q, want sent, or delivered, which it soon is", mail["state"])
					}
					id = mail["id"].(string)
					return nil
				}
			}
			return fmt.Errorf("%s: got %s, want a mail to %s that was sent", path, list.Body, to)
		})
		return id
	}
	id := find("/v1/customers/acme/mail", "it@acme.example")
	again := w.AdminOf("acme").Do("POST", "/v1/customers/acme/mail/"+id+"/resend", nil).Want(200)
	if got := again.String("state"); got != "sent" && got != "delivered" {
		t.Errorf("after sending again: got %q, want sent, or delivered, which it soon is", got)
	}
	mailed(t, w, "it@acme.example", "grant.created", 2)
	// The same request again, whose answer was lost, sends no third one; another request does.
	for range 2 {
		w.AdminOf("acme").Do("POST", "/v1/customers/acme/mail/"+id+"/resend", nil, "Idempotency-Key", "once-more").Want(200)
	}
	mailed(t, w, "it@acme.example", "grant.created", 3)
	id = find("/v1/partners/contoso/mail", "ops@contoso.example")
	w.As("olga@contoso.example").Do("POST", "/v1/partners/contoso/mail/"+id+"/resend", nil).Want(200)
	mailed(t, w, "ops@contoso.example", "grant.created", 2)
	// The other side's contacts are nobody's business.
	customers := find("/v1/customers/acme/mail", "it@acme.example")
	w.As("olga@contoso.example").Do("POST", "/v1/partners/contoso/mail/"+customers+".acme/resend", nil).WantProblem(404, "not_found")
	if list := w.AdminOf("acme").Do("GET", "/v1/customers/acme/mail", nil).Want(200); strings.Contains(string(list.Body),
		"ops@contoso.example") {
		t.Errorf("the customer's list shows the partner's contacts: %s", list.Body)
	}
}

// What a mail said is read by whoever may list it: word for word, also after names and terms have changed, and without its secrets.
func TestAMailIsReadAsItWasSentWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	w.Provider().Do("PUT", "/v1/partners/contoso", m{"contacts": []string{"ops@contoso.example"}}).Want(200)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "support", "message": "the migration"}).Want(201)
	w.AdminOf("acme").Do("POST", "/v1/customers/acme/invitations", m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
	admin, owner := w.AdminOf("acme"), w.As("olga@contoso.example")

	// The mail is in the box an instant before it is marked.
	find := func(by *spec.Client, list, to, event string) string {
		t.Helper()
		var id string
		spec.Eventually(t, func() error {
			got := by.Do("GET", list, nil).Want(200)
			for _, item := range got.Get("items").([]any) {
				if mail := item.(map[string]any); mail["to"] == to && mail["type"] == event && mail["sent_at"] != nil {
					id = mail["id"].(string)
					return nil
				}
			}
			return fmt.Errorf("%s: got %s, want a mail of %s to %s that was sent", list, got.Body, event, to)
		})
		return list + "/" + id
	}
	check := func(by *spec.Client, path string, sent stack.Mail) {
		t.Helper()
		got := by.Do("GET", path, nil).Want(200)
		same := got.String("text") == sent.Text && got.String("subject") == sent.Subject
		if !same || got.Get("as_sent") != true || got.String("language") != "en" {
			t.Errorf("%s: got %s, want the text that was sent:\n%s", path, got.Body, sent.Text)
		}
	}
	sent := mailed(t, w, "kim@contoso.example", "grant.created", 1)
	for by, list := range map[*spec.Client]string{admin: "/v1/customers/acme/mail", owner: "/v1/partners/contoso/mail"} {
		path := find(by, list, "kim@contoso.example", "grant.created")
		check(by, path, sent)
		w.Provider().Do("PUT", "/v1/partners/contoso", m{"name": "Contoso " + list[4:8]}).Want(200)
		admin.Do("PATCH", contosoGrant, m{"level": "view"}, "If-Match", "*").Want(200)
		check(by, path, sent) // it says what was so, and still does
	}

	// Secrets are left out, and the rest is as it was sent.
	invited := mailed(t, w, "eve@elsewhere.example", "invitation.created", 1)
	token := tokenIn(t, invited)
	got := admin.Do("GET", find(admin, "/v1/customers/acme/mail", "eve@elsewhere.example", "invitation.created"), nil).Want(200)
	if text := got.String("text"); strings.Contains(text, token) || !strings.Contains(text, "...") || got.Get("as_sent") != true {
		t.Errorf("an invitation: got %s, want dots in the place of the token %s", got.Body, token)
	}
	if want := strings.ReplaceAll(invited.Text, token, "..."); got.String("text") != want {
		t.Errorf("an invitation: got %s, want %s", got.String("text"), want)
	}

	// The other side's contacts are nobody's business.
	admin.Do("PATCH", contosoGrant, m{"everyone": true}, "If-Match", "*").Want(200)
	theirs := find(owner, "/v1/partners/contoso/mail", "ops@contoso.example", "grant.edited")
	theirs = strings.TrimSuffix(theirs[strings.LastIndexByte(theirs, '/')+1:], ".acme")
	admin.Do("GET", "/v1/customers/acme/mail/"+theirs, nil).WantProblem(404, "not_found")
	own := find(admin, "/v1/customers/acme/mail", "it@acme.example", "grant.created")
	owner.Do("GET", "/v1/partners/contoso/mail/"+own[strings.LastIndexByte(own, '/')+1:]+".acme", nil).WantProblem(404, "not_found")
}

// What SES does not take waits in the table, and the schedule sends it: no event is held up, and nobody has to do anything.
func TestAnHourWithoutSESCostsNoMailAndDoublesNone(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	w.Provider().Do("PUT", "/v1/partners/contoso", m{"contacts": []string{"ops@contoso.example"}}).Want(200)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	mailed(t, w, "ops@contoso.example", "user.created", 1)
	mailed(t, w, "kim@contoso.example", "user.created", 1)
	w.Stack.SES.Fail(100_000)
	want := map[string]int{"kim@contoso.example grant.created": 1, "it@acme.example grant.created": 1}
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	waits := func(list, to, event string) {
		t.Helper()
		spec.Eventually(t, func() error {
			for _, item := range w.Provider().Do("GET", list, nil).Want(200).Get("items").([]any) {
				if mail := item.(map[string]any); mail["to"] == to && mail["type"] == event && mail["state"] == "claimed" && mail["reason"] != nil {
					return nil
				}
			}
			return fmt.Errorf("%s: no mail of %s to %s waits", list, event, to)
		})
	}
	waits("/v1/customers/acme/mail", "kim@contoso.example", "grant.created")
	waits("/v1/customers/acme/mail", "it@acme.example", "grant.created")
	for range 6 {
		w.Advance(10 * time.Minute)
	}
	// The stream has gone on meanwhile, and still does.
	for i := range 6 {
		email := fmt.Sprintf("u%d@contoso.example", i)
		w.User("contoso", email, "tech")
		waits("/v1/partners/contoso/mail", email, "user.created")
		want[email+" user.created"] = 1
	}
	want["ops@contoso.example user.created"], want["kim@contoso.example user.created"] = 7, 1
	w.Stack.SES.Heal()
	for range 3 { // one pause, and what another run was at
		w.Advance(15 * time.Minute)
	}
	got := map[string]int{}
	for _, mail := range w.Stack.Mail.List() {
		if strings.HasPrefix(mail.Event, "grant.") || strings.HasPrefix(mail.Event, "user.") {
			got[mail.To+" "+mail.Event]++
		}
	}
	delete(got, "olga@contoso.example user.created")
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("mails: got %v, want %v", got, want)
	}
	if dead := w.Stack.Dead.List(); len(dead) != 0 {
		t.Errorf("dead letters: got %d, want none", len(dead))
	}
}

// The note is the customer's own; the message is for the partner.
func TestTheNoteStaysPrivateAndTheMessageReachesThePartner(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.User("contoso", "olga@contoso.example", "owner")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "note": "n-4711", "message": "evenings only"}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"note": "n-4712"}, "If-Match", "*").Want(200)
	edited := ann.Do("PATCH", contosoGrant, m{"message": "mornings, too", "note": "n-4713"}, "If-Match", "*").Want(200)
	if got := edited.Get("grant"); got.(m)["note"] != "n-4713" || got.(m)["message"] != "mornings, too" {
		t.Errorf("the customer's view: got %s, want both", edited.Body)
	}
	history := ann.Do("GET", "/v1/customers/acme/history", nil).Want(200)
	if got := string(history.Body); !strings.Contains(got, "n-4711") || !strings.Contains(got, "n-4713") {
		t.Errorf("the customer's history: got %s, want the notes", got)
	}
	for _, path := range []string{"/v1/partners/contoso/history", "/v1/partners/contoso/customers", "/v1/partners/contoso/mail"} {
		a := w.As("olga@contoso.example").Do("GET", path, nil).Want(200)
		if got := string(a.Body); strings.Contains(got, "n-47") || strings.Contains(got, `"note"`) {
			t.Errorf("%s: got %s, want nothing of the note", path, got)
		}
		if got := string(a.Body); path != "/v1/partners/contoso/mail" && !strings.Contains(got, "mornings, too") {
			t.Errorf("%s: got %s, want the message", path, got)
		}
	}
	ann.Do("PATCH", contosoGrant, m{"message": strings.Repeat("x", 1001)}, "If-Match", "*").WantProblem(400, "invalid", "/message")
	if got := ann.Do("PATCH", contosoGrant, m{"message": nil}, "If-Match", "*").Want(200).String("grant.message"); got != "" {
		t.Errorf("emptied: got %q, want none", got)
	}
}

func TestWhereAPartnerHasNoContactsItsOwnerGetsWhatTheyWould(t *testing.T) { // P16, D21, D31
	t.Parallel()
	w := withMail(t)
	w.User("contoso", "kim@contoso.example", "tech")
	mailed(t, w, "olga@contoso.example", "user.created", 2) // its own account's, and the copy of Kim's
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mailed(t, w, "olga@contoso.example", "grant.created", 1)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	mailed(t, w, "olga@contoso.example", "grant.revoked", 1)
}

// A partner cannot have the customer's contact get another letter than the customer's by naming the address as its own.
func TestACommonContactGetsTheCustomersLetter(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	w.Provider().Do("PUT", "/v1/partners/contoso", m{"contacts": []string{"it@acme.example", "ops@contoso.example"}}).Want(200)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	if got := mailed(t, w, "it@acme.example", "grant.created", 1); got.Subject != "Contoso now has access to Acme" {
		t.Errorf("got %q, want the customer's letter", got.Subject)
	}
	mailed(t, w, "ops@contoso.example", "grant.created", 1)
}

// Recipients are resolved, and what is said of the access is looked up, when a mail is made: here an hour after the change.
func TestALaterMailHasThePresentRecipientsAndState(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	id := map[string]string{}
	var users []string
	for _, name := range []string{"left", "disabled", "moved", "stays"} {
		id[name] = w.User("contoso", name+"@contoso.example", "tech")
		users = append(users, id[name])
		mailed(t, w, name+"@contoso.example", "user.created", 1)
	}
	w.Stack.SES.Fail(100_000)
	w.Grant("acme", m{"partner": "contoso", "users": users, "level": "manage"}).Want(201)
	for _, to := range []string{"left", "disabled", "moved", "stays"} {
		mailState(t, w, "/v1/customers/acme/mail", to+"@contoso.example", "grant.created", "claimed")
	}
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+id["left"], nil).Want(204)
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+id["disabled"], m{"status": "disabled"}, "If-Match", "*").Want(200)
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+id["moved"], m{"email": "new@contoso.example"}, "If-Match", "*").Want(200)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"offer": "view"}, "If-Match", "*").Want(200)
	w.Stack.SES.Heal()
	for range 3 {
		w.Advance(15 * time.Minute)
	}
	stays := mailed(t, w, "stays@contoso.example", "grant.created", 1)
	if !strings.Contains(stays.Text,
		"Access level: view (read-only: figures and insights), as the provider offers Contoso no more than that") {
		t.Errorf("got %s, want the level in effect", stays.Text)
	}
	mailed(t, w, "new@contoso.example", "grant.created", 1)
	for _, to := range []string{"left", "disabled", "moved"} {
		mailState(t, w, "/v1/customers/acme/mail", to+"@contoso.example", "grant.created", "dropped")
	}
	for _, mail := range w.Stack.Mail.List() {
		if mail.Event == "grant.created" &&
			(strings.HasPrefix(mail.To, "left@") || strings.HasPrefix(mail.To, "disabled@") || strings.HasPrefix(mail.To, "moved@")) {
			t.Errorf("got a mail to %s, want none", mail.To)
		}
	}
}

// Resend sends nothing that holds no longer, and leaves the mail as it is.
func TestAMailIsNotSentAgainWhenWhatItSaysHoldsNoLonger(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{"it@acme.example"}}).Want(200)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	ann := w.AdminOf("acme")
	granted := map[string]string{}
	for _, to := range []string{"kim@contoso.example", "it@acme.example"} {
		granted[to] = mailState(t, w, acmeMail, to, "grant.created", "delivered")
	}
	outdated := func(id string) { ann.Do("POST", acmeMail+"/"+id+"/resend", nil).WantProblem(409, "mail_outdated") }
	ann.Do("POST", acmeMail+"/"+granted["kim@contoso.example"]+"/resend", nil, "Idempotency-Key", "first").Want(200)
	ann.Do("DELETE", contosoGrant, nil).Want(200)
	revoked := mailState(t, w, acmeMail, "kim@contoso.example", "grant.revoked", "delivered")
	for to, id := range granted {
		outdated(id)
		mailState(t, w, acmeMail, to, "grant.created", "delivered") // as it was
	}
	// A request that was carried out is answered again.
	ann.Do("POST", acmeMail+"/"+granted["kim@contoso.example"]+"/resend", nil, "Idempotency-Key", "first").Want(200)
	ann.Do("POST", acmeMail+"/"+revoked+"/resend", nil).Want(200)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	outdated(revoked) // "you no longer have access"
	again := mailState(t, w, acmeMail, "kim@contoso.example", "grant.created", "delivered")
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+kim, nil).Want(204)
	outdated(again)

	ann.Do("POST", "/v1/customers/acme/invitations", m{"email": "noor@freelance.example", "partner": "contoso"}).Want(201)
	invited := mailState(t, w, acmeMail, "noor@freelance.example", "invitation.created", "delivered")
	invitation := ann.Do("GET", "/v1/customers/acme/invitations", nil).Want(200).String("items.0.id")
	ann.Do("POST", "/v1/customers/acme/invitations/"+invitation+"/resend", nil).Want(200)
	outdated(invited) // a later mail carries the link
	later := mailState(t, w, acmeMail, "noor@freelance.example", "invitation.resent", "delivered")
	ann.Do("DELETE", "/v1/customers/acme/invitations/"+invitation, nil).Want(200)
	outdated(later)
}
