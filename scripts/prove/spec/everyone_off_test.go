package spec_test

import (
	"fmt"
	"slices"
	"testing"
)

// After everyone was switched off, those who stay are in by their number. A set that leaves somebody out names who loses access, mails that
// person and has it in the history (issue 11, point 12; issue 12, point 3).
func TestD27_E15_D31_OneOfManyUsersIsRemovedByPartnerOrCustomer(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	var users []string
	for part := range 5 {
		var some []m
		for i := range 25 {
			some = append(some, m{"email": fmt.Sprintf("u%d@contoso.example", part*25+i), "name": fmt.Sprint("User ", part*25+i), "role": "tech"})
		}
		made := w.Provider().Do("POST", "/v1/partners/contoso/users", m{"users": some}).Want(200)
		for i := range some {
			users = append(users, made.String(fmt.Sprintf("results.%d.user.id", i)))
		}
	}
	w.Grant("acme", m{"partner": "contoso", "everyone": true, "assigned_by": "partner"}).Want(201)
	ann, olga := w.AdminOf("acme"), w.As("olga@contoso.example")
	ann.Do("PATCH", contosoGrant, m{"everyone": false}, "If-Match", "*").Want(200)

	out := olga.Do("PUT", pick, m{"users": users[1:]}).Want(200) // Olga herself goes, too
	if out.Int("changes.removed.length") != 2 || !slices.Contains(out.Strings("changes.removed"), users[0]) ||
		out.Int("grant.user_count") != 124 {
		t.Errorf("by the partner: got %s, want Olga and User 0 removed of 126", out.Body)
	}
	w.Denied(users[0], "sign_in", "acme", "user_not_assigned")
	w.Allowed(users[1], "sign_in", "acme")
	mailed(t, w, "u0@contoso.example", "grant.edited", 1)

	out = ann.Do("PATCH", contosoGrant, m{"users": m{"set": users[2:]}}, "If-Match", "*").Want(200)
	if got := out.Strings("changes.removed"); !slices.Equal(got, users[1:2]) {
		t.Errorf("by the customer: got %v removed, want User 1", got)
	}
	w.Denied(users[1], "sign_in", "acme", "user_not_assigned")
	mailed(t, w, "u1@contoso.example", "grant.edited", 1)
	history := ann.Do("GET", "/v1/customers/acme/history?type=grant.edited&limit=1", nil).Want(200)
	if got := history.Get("items.0.data.removed.0.email"); got != "u1@contoso.example" {
		t.Errorf("the history: got %v, want User 1's address", got)
	}

	olga.Do("PUT", pick, m{"add": users[:1], "remove": users[2:4]}).Want(200)
	w.Allowed(users[0], "sign_in", "acme")
	w.Denied(users[3], "sign_in", "acme", "user_not_assigned")
	olga.Do("PUT", pick, m{"add": users[:1], "remove": users[:1]}).WantProblem(400, "invalid", "/remove")
	olga.Do("PUT", pick, m{"users": users[:1], "remove": users[:1]}).WantProblem(400, "invalid", "")
}
