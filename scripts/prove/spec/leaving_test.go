package spec_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

// outside is acme with an admin, and a grant for contoso's kim and for eve, who has come by an invitation.
func outside(t *testing.T, more object) (w *spec.World, ann *spec.Client, kim, eve string) {
	t.Helper()
	w, ann, kim = office(t)
	body := object{"partner": "contoso", "users": []string{kim}, "level": "view"}
	for name, v := range more {
		body[name] = v
	}
	w.Grant("acme", body).Want(201)
	return w, ann, kim, comeIn(t, w, ann, "acme", "contoso", "eve@elsewhere.example")
}

// comeIn has a person invited and accept, and returns the id of the user that it is then.
func comeIn(t *testing.T, w *spec.World, by *spec.Client, customer, partner, email string) string {
	w.As(email).Do("POST", byToken(tokenOf(t, w, by, customer, partner, email))+"/accept", object{"name": "Eve"}).Want(200)
	return w.As(email).Do("GET", "/v1/me", nil).Want(200).String("partner.user.id")
}

// tokenOf invites a person and returns a token, as the mail would have it.
func tokenOf(t *testing.T, w *spec.World, by *spec.Client, customer, partner, email string) string {
	t.Helper()
	const secret = "0123456789abcdefghijklmnop"
	id := by.Do("POST", "/v1/customers/"+customer+"/invitations", object{"email": email, "partner": partner}).Want(201).String("invitation.id")
	store := dynamo.New(w.Stack.Engine().Client(), w.Stack.Table())
	i, err := store.Invitation(t.Context(), customer, id)
	if err != nil || i == nil {
		t.Fatalf("got the invitation %v, %v", i, err)
	}
	err = store.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
		c, err := access.PlanToken(i, i.Sending, access.TokenDigest(secret), access.PlanContext{Now: w.Now()})
		return c, nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return access.Token(i, secret)
}

func TestAnExternalUserWithoutCustomersIsInvitedByAnother(t *testing.T) {
	t.Parallel()
	w, ann, _, eve := outside(t, object{"until": "2026-12-01T00:00:00Z"})
	w.Customer("globex")
	w.Partner("fabrikam")
	greg := w.AdminOf("globex")
	invite := func() *spec.Answer {
		return greg.Do("POST", "/v1/customers/globex/invitations", object{"email": "eve@elsewhere.example", "partner": "fabrikam"})
	}
	invite().WantProblem(409, "email_unavailable") // it is in acme
	w.As("eve@elsewhere.example").Do("DELETE", contosoPath+"/customers/acme/users/"+eve, nil).Want(204)
	again := comeIn(t, w, greg, "globex", "fabrikam", "eve@elsewhere.example")
	if again == eve || again == "" {
		t.Fatalf("got the user %q, want one of fabrikam", again)
	}
	w.Allowed(again, "sign_in", "globex")
	w.Denied(eve, "sign_in", "acme", "unknown_subject")
	w.Provider().Do("GET", contosoUsers+"/"+eve, nil).WantProblem(404, "not_found") // nobody is a user of two
	told := w.As("olga@contoso.example").Do("GET", contosoPath+"/history?type=user.removed", nil).Want(200)
	if got := told.String("items.0.data.reason"); got != "invited_elsewhere" {
		t.Errorf("the history of the partner: got the reason %s, want invited_elsewhere", got)
	}
	// it is in globex
	ann.Do("POST", "/v1/customers/acme/invitations", object{"email": "eve@elsewhere.example", "partner": "contoso"}).WantProblem(409,
		"email_unavailable")
	greg.Do("DELETE", "/v1/customers/globex/grants/fabrikam", nil).Want(200)
	ann.Do("POST", "/v1/customers/acme/invitations", object{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
}

func TestAnExternalUserCanBeInvitedElsewhereWhenAccessEnds(t *testing.T) {
	t.Parallel()
	w, _, _, _ := outside(t, object{"until": "2026-11-22T11:00:00Z"})
	w.Customer("globex")
	w.Partner("fabrikam")
	greg := w.AdminOf("globex")
	body := object{"email": "eve@elsewhere.example", "partner": "fabrikam"}
	w.Advance(time.Hour - time.Millisecond)
	greg.Do("POST", "/v1/customers/globex/invitations", body).WantProblem(409, "email_unavailable")
	w.Advance(time.Millisecond)
	greg.Do("POST", "/v1/customers/globex/invitations", body).Want(201)
}

func TestAnEmployeeInNoCustomerIsNotInvitedElsewhere(t *testing.T) {
	t.Parallel()
	w, _, _ := office(t)
	w.Customer("globex")
	w.Partner("fabrikam")
	w.AdminOf("globex").Do("POST", "/v1/customers/globex/invitations",
		object{"email": "kim@contoso.example", "partner": "fabrikam"}).WantProblem(409, "email_unavailable")
}

func TestEverybodyLeavesACustomerByItself(t *testing.T) {
	t.Parallel()
	w, ann, kim, eve := outside(t, object{"assigned_by": "partner"})
	place := contosoPath + "/customers/acme/users/"
	olga := w.As("olga@contoso.example")
	w.As("eve@elsewhere.example").Do("DELETE", place+kim, nil).WantProblem(404, "not_found") // others are none of its business
	w.As("kim@contoso.example").Do("DELETE", place+eve, nil).WantProblem(404, "not_found")
	ann.Do("DELETE", place+eve, nil).WantProblem(404, "not_found") // the customer has a route of its own
	w.As("eve@elsewhere.example").Do("DELETE", "/v1/partners/contoso/customers/globex/users/"+eve, nil).WantProblem(404, "not_found")
	w.Allowed(eve, "sign_in", "acme")
	w.As("eve@elsewhere.example").Do("DELETE", place+eve, nil).Want(204)
	w.Denied(eve, "sign_in", "acme", "user_not_assigned")
	w.As("eve@elsewhere.example").Do("DELETE", place+eve, nil).WantProblem(404, "not_found")
	last := ann.Do("GET", acmePath+"/history?limit=1", nil).Want(200)
	if got := last.String("items.0.type") + " by " + last.String("items.0.actor.email"); got != "grant.edited by eve@elsewhere.example" {
		t.Errorf("the customer's history: got %s, want that eve has left", got)
	}
	olga.Do("DELETE", place+kim, nil).WantProblem(409, "last_user") // (E9) stops others
	w.As("kim@contoso.example").Do("DELETE", place+kim, nil).Want(204)
	w.Denied(kim, "sign_in", "acme", "user_not_assigned")
}

func TestALeadTakesAUserOutWhereThePartnerPicks(t *testing.T) {
	t.Parallel()
	w, ann, kim, eve := outside(t, nil)
	place := contosoPath + "/customers/acme/users/"
	w.As("olga@contoso.example").Do("DELETE", place+eve, nil).WantProblem(403, "forbidden") // here the customer picks
	w.Allowed(eve, "sign_in", "acme")
	ann.Do("PATCH", contosoGrant, object{"assigned_by": "partner"}, "If-Match", "*").Want(200)
	w.As("olga@contoso.example").Do("DELETE", place+eve, nil).Want(204)
	w.Denied(eve, "sign_in", "acme", "user_not_assigned")
	w.Allowed(kim, "sign_in", "acme")
}

func TestOfEveryoneOnlyAnExternalUserCanLeave(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "everyone": true}).Want(201)
	eve := comeIn(t, w, ann, "acme", "contoso", "eve@elsewhere.example")
	place := contosoPath + "/customers/acme/users/"
	w.As("kim@contoso.example").Do("DELETE", place+kim, nil).WantProblem(409, "everyone_is_on")
	w.As("eve@elsewhere.example").Do("DELETE", place+eve, nil).Want(204)
	w.Denied(eve, "sign_in", "acme", "user_not_assigned")
	w.Allowed(kim, "sign_in", "acme")
}

func TestTheOnlyAdminWithOpenGrantsIsRemovedWithAConfirmation(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	provider, member := w.Provider(), acmePath+"/members/admin@acme.example"
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Member("acme", "ben@acme.example") // who is no admin
	for _, query := range []string{"?confirm=", "?confirm=yes", "?confirm=last_admin&confirm=last_admin"} {
		provider.Do("DELETE", member+query, nil).WantProblem(400, "invalid", "?confirm")
	}
	provider.Do("DELETE", member+"?sure=1", nil).WantProblem(400, "invalid", "?sure")
	provider.Do("DELETE", member, nil).WantProblem(409, "last_admin")
	provider.Do("PUT", member, object{"name": "Ann", "role": "member"}).WantProblem(409, "last_admin")
	provider.Do("PUT", member, object{"name": "Ann B", "role": "admin"}).Want(200) // stays one
	ann.Do("GET", grants, nil).Want(200)

	provider.Do("PUT", acmePath+"/members/cat@acme.example", object{"name": "Cat", "role": "admin"}).Want(201)
	provider.Do("DELETE", member, nil).Want(204) // cat is one
	cat := acmePath + "/members/cat@acme.example"
	provider.Do("PUT", cat, object{"name": "Cat", "role": "member"}).WantProblem(409, "last_admin")
	provider.Do("PUT", cat+"?confirm=last_admin", object{"name": "Cat", "role": "member"}).Want(200)
	provider.Do("PUT", cat, object{"name": "Cat", "role": "admin"}).Want(200)
	provider.Do("DELETE", cat+"?confirm=last_admin", nil).Want(204)
	var told []string
	for _, e := range provider.Do("GET", acmePath+"/history?limit=6", nil).Want(200).Get("items").([]any) {
		if e.(object)["data"].(object)["reason"] == "last_admin" {
			told = append(told, e.(object)["type"].(string))
		}
	}
	if want := []string{"member.removed", "member.edited"}; !slices.Equal(told, want) {
		t.Errorf("the history: got %v with the reason last_admin, want %v", told, want)
	}
}

func TestTheOnlyAdminWithoutOpenGrantsIsRemovedLikeAnyMember(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	ann.Do("DELETE", contosoGrant, nil).Want(200)
	w.Provider().Do("DELETE", acmePath+"/members/admin@acme.example", nil).Want(204)
}

// TestTwoAdminsWhoGoAtOnceDoNotBothGoUnconfirmed removes both at the same time, again and again.
func TestTwoAdminsWhoGoAtOnceDoNotBothGoUnconfirmed(t *testing.T) {
	t.Parallel()
	w, _, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	for range 5 {
		var leave []func() *spec.Answer
		for _, name := range []string{"admin", "zoe"} {
			w.Provider().Do("PUT", acmePath+"/members/"+name+"@acme.example", object{"name": name, "role": "admin"})
			leave = append(leave, func() *spec.Answer {
				return w.Provider().Do("DELETE", acmePath+"/members/"+name+"@acme.example", nil)
			})
		}
		answers := race(leave...)
		left := [2]int{answers[0].Status, answers[1].Status}
		slices.Sort(left[:])
		if left != [2]int{204, 409} {
			t.Fatalf("two who go at once: got %v, want one 204 and one 409", left)
		}
	}
}
