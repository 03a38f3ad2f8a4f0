package spec_test

import (
	"net/url"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// Invitations stand on what is true when they are accepted.

// invited has Olga of Contoso, or Acme's admin, invite Eve into the open grant in which Contoso picks the users, and gives the id and the
// token.
func invited(t *testing.T, w *spec.World, by *spec.Client, body m) (id, secret string) {
	t.Helper()
	n := 1
	for _, mail := range w.Stack.Mail.List() {
		if mail.To == "eve@elsewhere.example" && mail.Event == "invitation.created" {
			n++
		}
	}
	body["email"] = "eve@elsewhere.example"
	id = by.Do("POST", invitations, body).Want(201).String("invitation.id")
	return id, tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", n))
}

func TestAnInvitationEndsWithTheGrantThatItWasFor(t *testing.T) {
	t.Parallel()
	for about, end := range map[string]func(w *spec.World){
		"revoked": func(w *spec.World) { w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200) },
		"relinquished": func(w *spec.World) {
			w.As("olga@contoso.example").Do("DELETE", "/v1/partners/contoso/customers/acme", nil).Want(200)
		},
		"expired": func(w *spec.World) { w.Advance(day) },
		"granted anew": func(w *spec.World) {
			w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
			w.Grant("acme", m{"partner": "contoso"}).Want(201)
		},
	} {
		t.Run(about, func(t *testing.T) {
			w := withMail(t)
			w.Grant("acme", m{"partner": "contoso", "level": "support", "until": spec.Start.Add(day)}).Want(201)
			ann, olga := w.AdminOf("acme"), w.As("olga@contoso.example")
			id, secret := invited(t, w, olga, m{"level": "manage"})
			if got := olga.Do("GET", invitations+"/"+id, nil).Want(200); got.String("level") != "support" || got.String("grant") == "" {
				t.Errorf("the invitation: got %s, want no more than the grant, and its id", got.Body)
			}
			end(w)
			if got := w.Anonymous().Do("GET", byToken(secret), nil).Want(200); got.String("status") != "cancelled" ||
				got.String("reason") != "grant_ended" {
				t.Errorf("the page: got %s, want cancelled, because the grant ended", got.Body)
			}
			eve := w.As("eve@elsewhere.example")
			eve.Do("POST", byToken(secret)+"/accept", m{}).WantProblem(410, "invitation_ended")
			w.Denied("eve@elsewhere.example", "sign_in", "acme", "unknown_subject")
			for _, list := range []*spec.Answer{
				ann.Do("GET", invitations+"?status=cancelled", nil).Want(200),
				olga.Do("GET", "/v1/partners/contoso/invitations?status=cancelled", nil).Want(200),
			} {
				if list.String("items.0.id") != id || list.String("items.0.reason") != "grant_ended" {
					t.Errorf("a list: got %s, want it with its reason", list.Body)
				}
			}
			w.Advance(time.Second) // the sweep comes by
			mailed(t, w, "eve@elsewhere.example", "invitation.cancelled", 1)
			mailed(t, w, "olga@contoso.example", "invitation.cancelled", 1)
			if got := ann.Do("GET", "/v1/customers/acme/history?type=invitation.cancelled",
				nil).Want(200); got.String("items.0.data.reason") != "grant_ended" || got.Int("items.length") != 1 {
				t.Errorf("the history: got %s, want the end once, with its reason", got.Body)
			}
		})
	}
}

func TestAnInvitationEndsWhenItsInviterMayNotInviteAnyMore(t *testing.T) {
	t.Parallel()
	provider := func(w *spec.World) *spec.Client { return w.Provider() }
	for about, c := range map[string]struct {
		then   func(w *spec.World, ben string)
		reason string
	}{
		"disabled": {func(w *spec.World, ben string) {
			provider(w).Do("PATCH", "/v1/partners/contoso/users/"+ben, m{"status": "disabled"}, "If-Match", "*").Want(200)
		}, "inviter_left"},
		"removed": {func(w *spec.World, ben string) {
			provider(w).Do("DELETE", "/v1/partners/contoso/users/"+ben, nil).Want(204)
		}, "inviter_left"},
		"of another role": {func(w *spec.World, ben string) {
			provider(w).Do("PATCH", "/v1/partners/contoso/users/"+ben, m{"role": "tech"}, "If-Match", "*").Want(200)
		}, "inviter_left"},
		"the choice of the customer's": {func(w *spec.World, _ string) {
			w.AdminOf("acme").Do("PATCH", contosoGrant, m{"assigned_by": "customer"}, "If-Match", "*").Want(200)
		}, "choice_changed"},
	} {
		t.Run(about, func(t *testing.T) {
			w := withMail(t)
			ben := w.User("contoso", "ben@contoso.example", "business")
			w.Grant("acme", m{"partner": "contoso", "level": "support"}).Want(201)
			id, secret := invited(t, w, w.As("ben@contoso.example"), m{})
			c.then(w, url.PathEscape(ben))
			w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{}).WantProblem(410, "invitation_ended")
			w.Denied("eve@elsewhere.example", "sign_in", "acme", "unknown_subject")
			w.Advance(time.Second)
			if got := w.AdminOf("acme").Do("GET", invitations+"/"+id, nil).Want(200); got.String("status") != "cancelled" ||
				got.String("reason") != c.reason || got.Int("version") < 3 {
				t.Errorf("got %s, want it written down as cancelled because of %s", got.Body, c.reason)
			}
		})
	}
}

func TestTheInviterIsTheActorInTheHistoryOfAnAcceptance(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	ann := w.AdminOf("acme")
	_, secret := invited(t, w, ann, m{"partner": "contoso"})
	w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{}).Want(200)
	got := ann.Do("GET", "/v1/customers/acme/history?type=grant.created", nil).Want(200)
	if got.String("items.0.actor.kind") != "customer" || got.String("items.0.actor.email") != "admin@acme.example" ||
		got.String("items.0.data.person.email") != "eve@elsewhere.example" {
		t.Errorf("got %s, want the admin who invited, for eve", got.Body)
	}
}

func TestOnlyTheSideThatInvitedSendsAgainAndAnEndedOneIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Grant("acme", m{"partner": "contoso", "level": "support"}).Want(201)
	ann, olga := w.AdminOf("acme"), w.As("olga@contoso.example")
	id, _ := invited(t, w, ann, m{"partner": "contoso"})
	olga.Do("POST", invitations+"/"+id+"/resend", nil).WantProblem(403, "forbidden")
	ann.Do("POST", invitations+"/"+id+"/resend", nil).Want(200)
	ann.Do("DELETE", invitations+"/"+id, nil).Want(200)
	again := olga.Do("POST", invitations+"/"+id+"/resend", nil).Want(201)
	if again.String("invitation.id") == id || again.Header.Get("Location") != invitations+"/"+again.String("invitation.id") ||
		again.String("invitation.invited_by.email") != "olga@contoso.example" {
		t.Errorf("got %s at %s, want a new one, by olga", again.Body, again.Header.Get("Location"))
	}
	olga.Do("POST", invitations+"/"+id+"/resend", nil).WantProblem(409, "already_invited", "/email")
	secret := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 2))
	w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{}).Want(200)
	olga.Do("POST", invitations+"/"+again.String("invitation.id")+"/resend", nil).WantProblem(410, "invitation_ended")
}
