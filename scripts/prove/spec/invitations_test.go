package spec_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// Invitations: rows E3 to E8. The tokens are taken out of the mails, as people do.

const invitations = "/v1/customers/acme/invitations"

// withMail starts a world whose stream runs, so that mails are sent.
func withMail(t *testing.T) *spec.World {
	t.Helper()
	w := spec.New(t, func(c *stack.Config) { c.Stream = true })
	w.Customer("acme")
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	mailed(t, w, "olga@contoso.example", "user.created", 1) // contacts that a test adds are told of what comes after
	return w
}

// mailed waits for the n-th mail of that event to the address, counted from 1.
func mailed(t *testing.T, w *spec.World, to, event string, n int) stack.Mail {
	t.Helper()
	var mail stack.Mail
	spec.Eventually(t, func() error {
		var seen []string
		found := 0
		for _, mail = range w.Stack.Mail.List() {
			seen = append(seen, mail.To+" "+mail.Event)
			if mail.To == to && mail.Event == event {
				if found++; found == n {
					return nil
				}
			}
		}
		return fmt.Errorf("mail %d of %s to %s: got only %q", n, event, to, seen)
	})
	return mail
}

var invitationLink = regexp.MustCompile(`/v1/invitations/(\S+)`)

// tokenIn is the token in a mail.
func tokenIn(t *testing.T, mail stack.Mail) string {
	t.Helper()
	found := invitationLink.FindStringSubmatch(mail.Text)
	if found == nil {
		t.Fatalf("the mail holds no link: %s", mail.Text)
	}
	s, err := url.PathUnescape(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func byToken(token string) string { return "/v1/invitations/" + url.PathEscape(token) }

func TestE3_E4_AnInvitedPersonAcceptsAndHasAccessByThatGrantOnly(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Customer("globex")
	w.Grant("globex", m{"partner": "contoso", "everyone": true}).Want(201)
	w.AdminOf("acme").Do("POST", invitations,
		m{"email": "Eve@Elsewhere.example", "partner": "contoso", "level": "support", "until": spec.Start.Add(90 * day)}).Want(201)
	w.Denied("eve@elsewhere.example", "sign_in", "acme", "unknown_subject")
	secret := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 1))
	preview := w.Anonymous().Do("GET", byToken(secret), nil).Want(200)
	if got := fmt.Sprint(preview.String("customer.name"), preview.String("partner.name"), preview.String("level"), preview.String("email"),
		preview.String("status")); got != "AcmeContososupporte***@elsewhere.examplepending" {
		t.Errorf("preview: got %s", preview.Body)
	}
	eve := w.As("eve@elsewhere.example")
	eve.Do("POST", byToken(secret)+"/accept", m{"name": "Eve External"}).Want(200)
	w.Allowed("eve@elsewhere.example", "reports:read", "acme")
	w.Denied("eve@elsewhere.example", "sign_in", "globex", "user_not_assigned")
	me := eve.Do("GET", "/v1/me", nil).Want(200)
	if me.String("partner.user.role") != "external" || me.String("partner.user.name") != "Eve External" {
		t.Errorf("me: got %s, want an external user of contoso", me.Body)
	}
	mailed(t, w, "admin@acme.example", "invitation.accepted", 1) // the inviting side hears of it
	came := w.As("olga@contoso.example").Do("GET", "/v1/partners/contoso/history?type=user.created", nil).Want(200)
	if came.String("items.0.data.person.email") != "eve@elsewhere.example" || came.String("items.0.data.role") != "external" ||
		came.String("items.0.data.invitation") == "" {
		t.Errorf("the partner's history: got %s, want Eve, who came by the invitation", came.Body)
	}
	mailed(t, w, "eve@elsewhere.example", "grant.created", 1)
	for _, mail := range w.Stack.Mail.List() {
		if mail.Event == "user.created" && strings.Contains(mail.Text, "eve@elsewhere.example") {
			t.Errorf("got a mail about the account to %s, want none: the others tell it", mail.To)
		}
	}
	if got := w.AdminOf("acme").Do("GET", contosoGrant, nil).Want(200); got.String("until") != spec.Start.Add(90*day).Format(time.RFC3339) ||
		got.Int("user_count") != 1 {
		t.Errorf("the grant: got %s, want one user, until the end that was offered", got.Body)
	}
	eve.Do("POST", byToken(secret)+"/accept", m{}).WantProblem(410, "invitation_ended")
}

func TestE5_E8_ACancelledInvitationCannotBeAccepted(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	ann := w.AdminOf("acme")
	id := ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201).String("invitation.id")
	secret := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 1))
	if got := ann.Do("GET", invitations+"?status=pending", nil).Want(200).String("items.0.id"); got != id {
		t.Errorf("the list: got %q, want %q", got, id)
	}
	ann.Do("DELETE", invitations+"/"+id, nil).Want(200)
	ann.Do("DELETE", invitations+"/"+id, nil).Want(200) // says the same again
	w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{}).WantProblem(410, "invitation_ended")
	if got := w.Anonymous().Do("GET", byToken(secret), nil).Want(200).String("status"); got != "cancelled" {
		t.Errorf("the page says %q, want cancelled", got)
	}
	mailed(t, w, "eve@elsewhere.example", "invitation.cancelled", 1)
	ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201) // an ended one never blocks a new one
}

func TestAnInvitationsTokenIsWhatOpensIt(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.AdminOf("acme").Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
	secret := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 1))
	accept, decline := byToken(secret)+"/accept", byToken(secret)+"/decline"
	w.Anonymous().Do("POST", accept, nil).Want(401)
	w.Backend().Do("POST", accept, nil).WantProblem(403, "forbidden")
	w.As("mallory@elsewhere.example").Do("POST", accept, nil).WantProblem(403, "wrong_person")
	w.As("mallory@elsewhere.example").Do("POST", decline, nil).WantProblem(403, "wrong_person")
	forged := secret[:len(secret)-4] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, secret[len(secret)-4:])
	for _, wrong := range []string{
		forged, "nothing", "acme~01J9Z3NDEKTSV4RRFFQ69G5FAV~" + strings.Repeat("A", 43),
		"nowhere~01J9Z3NDEKTSV4RRFFQ69G5FAV~" + strings.Repeat("A", 43),
	} {
		w.Anonymous().Do("GET", byToken(wrong), nil).WantProblem(404, "not_found")
		w.As("eve@elsewhere.example").Do("POST", byToken(wrong)+"/accept", m{}).WantProblem(404, "not_found")
	}
	w.As("eve@elsewhere.example").Do("POST", decline, nil).Want(200)
	mailed(t, w, "admin@acme.example", "invitation.declined", 1)
}

func TestSendingAnInvitationAgainEndsTheOldToken(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	ann := w.AdminOf("acme")
	id := ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201).String("invitation.id")
	first := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 1))
	ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).WantProblem(409, "already_invited", "/email")
	w.Advance(5 * day)
	ann.Do("POST", invitations+"/"+id+"/resend", nil).Want(200)
	second := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.resent", 1))
	w.As("eve@elsewhere.example").Do("POST", byToken(first)+"/accept", m{}).WantProblem(404, "not_found")
	w.Advance(7*day - time.Millisecond) // its life began anew
	w.As("eve@elsewhere.example").Do("POST", byToken(second)+"/accept", m{}).Want(200)
}

func TestAnInvitationRemindsOnceAndEndsOnTheInstant(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	ann := w.AdminOf("acme")
	ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso", "days": 7}).Want(201)
	mailed(t, w, "eve@elsewhere.example", "invitation.created", 1)
	w.Advance(5 * day)
	reminder := mailed(t, w, "eve@elsewhere.example", "invitation.reminded", 1)
	if reminder.Headers["List-Unsubscribe"] == "" {
		t.Error("the reminder has no List-Unsubscribe")
	}
	secret := tokenIn(t, reminder)
	w.Advance(2 * day)
	w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{}).WantProblem(410, "invitation_ended")
	mailed(t, w, "admin@acme.example", "invitation.expired", 1)
	if got := ann.Do("GET", invitations+"?status=expired", nil).Want(200).Int("items.length"); got != 1 {
		t.Errorf("expired ones: got %d, want 1", got)
	}
}

func TestThePartnerInvitesWhereTheCustomerLetsItAssign(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	olga := w.As("olga@contoso.example")
	olga.Do("POST", invitations, m{"email": "eve@elsewhere.example"}).WantProblem(404, "not_found")
	olga.Do("POST", "/v1/customers/nowhere/invitations", m{"email": "eve@elsewhere.example"}).WantProblem(404, "not_found")
	w.Grant("acme", m{"partner": "contoso", "level": "support"}).Want(201)
	id := olga.Do("POST", invitations, m{"email": "eve@elsewhere.example", "level": "view"}).Want(201).String("invitation.id")
	if got := olga.Do("GET", "/v1/partners/contoso/invitations", nil).Want(200).String("items.0.id"); got != id {
		t.Errorf("the partner's list: got %q, want %q", got, id)
	}
	secret := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 1))
	w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{}).Want(200)
	w.Allowed("eve@elsewhere.example", "sign_in", "acme")
	w.Denied("eve@elsewhere.example", "reports:read", "acme", "level_too_low") // its own level caps the grant's
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"assigned_by": "customer"}, "If-Match", "*").Want(200)
	olga.Do("POST", invitations, m{"email": "dan@elsewhere.example"}).WantProblem(403, "forbidden")
}

func TestWhoNeedsNoInvitationOrMustNotHaveOneIsNotInvited(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Partner("fabrikam")
	w.User("fabrikam", "fay@fabrikam.example", "tech")
	w.Customer("globex")
	w.Member("globex", "gil@globex.example")
	ann := w.AdminOf("acme")
	for email, code := range map[string]string{
		"olga@contoso.example": "email_taken", "somebody@acme.example": "own_organisation",
		// Whose member or user somebody is elsewhere nobody is told.
		"fay@fabrikam.example": "email_unavailable", "gil@globex.example": "email_unavailable", "nobody@globex.example": "email_unavailable",
	} {
		status := 409
		if code == "own_organisation" {
			status = 422
		}
		ann.Do("POST", invitations, m{"email": email, "partner": "contoso"}).WantProblem(status, code, "/email")
	}
}

func TestAnInvitationShowsWhetherItsMailArrived(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	ann := w.AdminOf("acme")
	state := func(path string) string {
		a := ann.Do("GET", path, nil).Want(200)
		if s, ok := a.Get("mail.state").(string); ok {
			return s
		}
		s, _ := a.Get("items.0.mail.state").(string)
		return s
	}
	until := func(path, want string) {
		t.Helper()
		spec.Eventually(t, func() error {
			if got := state(path); got != want {
				return fmt.Errorf("%s: got the mail's state %q, want %s", path, got, want)
			}
			return nil
		})
	}
	const all = "/v1/customers/acme/invitations"
	made := ann.Do("POST", all, m{"email": "noor@bounced.example", "partner": "contoso"}).Want(201)
	if got := made.Get("invitation.mail"); got != nil {
		t.Errorf("just made: got the mail %v, want null", got)
	}
	one := all + "/" + made.String("invitation.id")
	until(one, "bounced")
	until(all, "bounced")
	ann.Do("POST", one+"/resend", nil).Want(200)
	until(one, "suppressed") // the latest mail's
}
