package spec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/dynamo"
)

// Addresses that bounced or complained get no mails, until the provider says that they may.

const acmeMail = "/v1/customers/acme/mail"

// blocks is where an address is unblocked.
func blocks(address string) string {
	return "/v1/mail/blocks/" + strings.ReplaceAll(address, "@", "%40")
}

// mailingTo is a world in which acme's contact is that address, which hears of each grant and of its end.
func mailingTo(t *testing.T, address string) *spec.World {
	t.Helper()
	w := withMail(t)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{address}}).Want(200)
	return w
}

// mails waits until n mails of an event to an address are in that state, and is the reason of the newest and the id of the oldest.
func mails(t *testing.T, w *spec.World, to, event, state string, n int) (id, reason string) {
	t.Helper()
	var found []m
	spec.Eventually(t, func() error {
		list := w.Provider().Do("GET", acmeMail, nil).Want(200)
		found = nil
		for _, item := range list.Get("items").([]any) {
			if mail := item.(m); mail["to"] == to && mail["type"] == event && mail["state"] == state {
				found = append(found, mail)
			}
		}
		if len(found) != n {
			return fmt.Errorf("got %s, want %d mails of %s to %s that are %s", list.Body, n, event, to, state)
		}
		return nil
	})
	reason, _ = found[0]["reason"].(string)
	return found[n-1]["id"].(string), reason
}

// untilBlocked waits for what comes an instant after a mail's state.
func untilBlocked(t *testing.T, w *spec.World, address string) {
	t.Helper()
	store := dynamo.New(w.Stack.Engine().Client(), w.Stack.Table())
	spec.Eventually(t, func() error {
		b, err := store.Blocks(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 {
			return fmt.Errorf("%s: got an address that gets mails, want it blocked", address)
		}
		return nil
	})
}

// Its mailbox is there again; and SES, which had put the address onto the suppression list of the account, sends to it again.
func TestAnAddressThatBouncedGetsMailsAgainOnceUnblocked(t *testing.T) {
	t.Parallel()
	const address = "it@suppressed.example"
	w := mailingTo(t, address)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mails(t, w, address, "grant.created", "bounced", 1)
	untilBlocked(t, w, address)
	w.Stack.Clock.Advance(time.Minute)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	id, _ := mails(t, w, address, "grant.revoked", "suppressed", 1)
	resend := func() *spec.Answer {
		return w.AdminOf("acme").Do("POST", acmeMail+"/"+id+"/resend", nil).Want(200)
	}
	if got := resend().String("state"); got != "suppressed" {
		t.Errorf("sent again while it is blocked: got %s, want suppressed", got)
	}

	w.Provider().Do("DELETE", blocks("IT@Suppressed.example"), nil).Want(204)
	resend()
	mails(t, w, address, "grant.revoked", "delivered", 1)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mails(t, w, address, "grant.created", "delivered", 1)
	w.Provider().Do("DELETE", blocks(address), nil).WantProblem(404, "not_found")
}

func TestAnAddressThatBouncesOrComplainsAgainIsBlockedAgain(t *testing.T) {
	t.Parallel()
	for address, c := range map[string]struct{ state, why string }{
		"gone@bounced.example":     {"bounced", "user unknown"}, // from its own mail server: SES has tried
		"cross@complained.example": {"complained", "abuse"},
	} {
		t.Run(c.state, func(t *testing.T) {
			t.Parallel()
			w := mailingTo(t, address)
			for n := range 2 {
				w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
				if _, why := mails(t, w, address, "grant.created", c.state, n+1); !strings.Contains(why, c.why) {
					t.Errorf("why: got %q, want %q", why, c.why)
				}
				untilBlocked(t, w, address)
				w.Stack.Clock.Advance(time.Minute)
				w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
				mails(t, w, address, "grant.revoked", "suppressed", n+1)
				w.Provider().Do("DELETE", blocks(address), nil).Want(204)
				w.Stack.Clock.Advance(time.Minute)
			}
		})
	}
}

func TestAnAddressStaysBlockedUntilSESHasTakenItOffItsList(t *testing.T) {
	t.Parallel()
	const address = "it@suppressed.example"
	w := mailingTo(t, address)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	id, _ := mails(t, w, address, "grant.created", "bounced", 1)
	untilBlocked(t, w, address)
	resend := func() *spec.Answer {
		return w.AdminOf("acme").Do("POST", acmeMail+"/"+id+"/resend", nil).Want(200)
	}
	for _, fault := range []func(int){w.Stack.SES.Fail, w.Stack.SES.Lose} { // the second is done, and its answer lost
		fault(1)
		w.Provider().Do("DELETE", blocks(address), nil).WantProblem(503, "unavailable")
		if got := resend().String("state"); got != "suppressed" {
			t.Errorf("sent again while SES has not said that it will send: got %s, want suppressed", got)
		}
	}
	w.Provider().Do("DELETE", blocks(address), nil).Want(204)
	resend()
	mails(t, w, address, "grant.created", "delivered", 1)
}

// Others of the provider's systems send with the same account, and may have had an address put onto SES's list.
func TestAnAddressThatIsNotBlockedIsLeftOnSESsList(t *testing.T) {
	t.Parallel()
	const address = "it@suppressed.example"
	w := mailingTo(t, address)
	w.Provider().Do("DELETE", blocks(address), nil).WantProblem(404, "not_found")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	mails(t, w, address, "grant.created", "bounced", 1)
	for _, other := range []string{"it@acme.example", "other@suppressed.example"} {
		w.Provider().Do("DELETE", blocks(other), nil).WantProblem(404, "not_found")
	}
	for _, none := range []string{"it", "it@", "@suppressed.example", "It%20%3C" + address + "%3E"} {
		w.Provider().Do("DELETE", blocks(none), nil).WantProblem(400, "invalid")
	}
}

// A complaint about what one organisation causes silences that organisation's mails, and no other's security notices.
func TestAComplaintAboutOneOrganisationsMailsHoldsBackNoOthers(t *testing.T) {
	t.Parallel()
	const address = "cross@complained.example"
	w := mailingTo(t, "it@acme.example")
	kim, sam := w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "assigned_by": "partner"}).Want(201)
	mails(t, w, "it@acme.example", "grant.created", "delivered", 1)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{address}}).Want(200)
	pick := func(users ...string) {
		w.As("olga@contoso.example").Do("PUT", "/v1/partners/contoso/customers/acme/users", m{"users": users}).Want(200)
	}
	pick(kim)
	mails(t, w, address, "grant.edited", "complained", 1)
	untilBlocked(t, w, address)
	pick(kim, sam)
	mails(t, w, address, "grant.edited", "suppressed", 1)
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"level": "support"}, "If-Match", "*").Want(200)
	mails(t, w, address, "grant.edited", "complained", 2) // Acme's own change was sent, and complained of, too
	w.Stack.Clock.Advance(time.Minute)
	w.Provider().Do("DELETE", blocks(address), nil).Want(204)
	pick(sam)
	mails(t, w, address, "grant.edited", "complained", 3)
}
