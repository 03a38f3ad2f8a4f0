package spec_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/mail/receipt"
)

// What one organisation can have us send to one address on one day has a bound.

// untilTomorrow checks that an answer refuses one more mail, and says when there may be one.
func untilTomorrow(t *testing.T, w *spec.World, a *spec.Answer) {
	t.Helper()
	a.WantProblem(http.StatusTooManyRequests, "too_many_requests")
	left := w.Now().Truncate(day).Add(day).Sub(w.Now())
	wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if got := time.Duration(wait) * time.Second; err != nil || got < left || got > left+time.Minute {
		t.Errorf("Retry-After: got %s, want the %s that are left of the day", a.Header.Get("Retry-After"), left)
	}
}

func TestAnInvitationIsMailedNoMoreOftenThanADayAllows(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Grant("acme", m{"partner": "contoso", "level": "support"}).Want(201)
	olga, ann := w.As("olga@contoso.example"), w.AdminOf("acme")
	id, _ := invited(t, w, olga, m{})
	resend := func() *spec.Answer { return olga.Do("POST", invitations+"/"+id+"/resend", nil) }
	for n := range receipt.Daily - 1 {
		resend().Want(200)
		mailed(t, w, "eve@elsewhere.example", "invitation.resent", n+1)
	}
	untilTomorrow(t, w, resend())
	olga.Do("DELETE", invitations+"/"+id, nil).Want(200) // what ends is not refused
	untilTomorrow(t, w, olga.Do("POST", invitations, m{"email": "eve@elsewhere.example"}))
	olga.Do("POST", invitations, m{"email": "ewa@elsewhere.example"}).Want(201)
	if got := ann.Do("GET", invitations+"?status=pending", nil).Want(200); got.Int("items.length") != 1 {
		t.Errorf("got %s, want no trace of what was refused", got.Body)
	}
	// another organisation's mails are its own
	ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
	mailed(t, w, "eve@elsewhere.example", "invitation.created", 2)
}

func TestAPersonIsMadeAndRemovedNoMoreOftenThanADayAllows(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	olga := w.As("olga@contoso.example")
	create := func() *spec.Answer {
		return olga.Do("POST", "/v1/partners/contoso/users", m{"email": "kim@contoso.example", "name": "Kim", "role": "tech"})
	}
	for n := range receipt.Daily {
		id := create().Want(201).String("id")
		mailed(t, w, "kim@contoso.example", "user.created", n+1)
		olga.Do("DELETE", "/v1/partners/contoso/users/"+id, nil).Want(204)
	}
	untilTomorrow(t, w, create())
}

func TestNoticesToContactsBeyondADaysBudgetAreToldInASummary(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	const it = "it@acme.example"
	w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": []string{it}}).Want(200)
	users := []string{w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "tech")}
	w.Grant("acme", m{"partner": "contoso", "level": "support", "assigned_by": "partner"}).Want(201)
	olga := w.As("olga@contoso.example")
	pick := func(n int) {
		olga.Do("PUT", "/v1/partners/contoso/customers/acme/users", m{"users": users[n%2:][:1]}).Want(200)
	}
	for n := range receipt.Daily {
		pick(n)
		mailed(t, w, it, "grant.edited", n+1)
	}
	pick(receipt.Daily)
	mails(t, w, it, "grant.edited", "bundled", 1)
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"level": "view"}, "If-Match", "*").Want(200)
	mailed(t, w, it, "grant.edited", receipt.Daily+1) // its own changes are told
	olga.Do("DELETE", "/v1/partners/contoso/customers/acme", nil).Want(200)
	mailed(t, w, it, "grant.relinquished", 1) // and that access ended

	w.Advance(w.Now().Truncate(day).Add(day + time.Hour).Sub(w.Now()))
	summary := mailed(t, w, it, "mail.summary", 1)
	if want := "the access of Contoso to Acme was changed"; strings.Count(summary.Text, want) != 1 ||
		!strings.Contains(summary.Subject, "Contoso") {
		t.Errorf("got %s\n%s\nwant one line: %s", summary.Subject, summary.Text, want)
	}
	id, _ := mails(t, w, it, "mail.summary", "delivered", 1)
	w.AdminOf("acme").Do("POST", fmt.Sprintf("%s/%s/resend", acmeMail, id), nil).WantProblem(409, "mail_outdated")
}
