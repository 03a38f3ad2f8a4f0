package spec_test

import (
	"bytes"
	"testing"

	"partneraccess/scripts/prove/spec"
)

func TestD15_D17_ADryRunSaysWhomTheAddressFindsAndChangesNothing(t *testing.T) {
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	found := ann.Do("POST", grants+"?dry_run=true", m{"email": "Kim@Contoso.example", "level": "support"}).Want(200)
	if found.String("grant.partner.id") != "contoso" || found.String("grant.level") != "support" ||
		found.String("changes.people.0.id") != kim ||
		found.String("changes.people.0.email") != "kim@contoso.example" || found.String("changes.people.0.effective_level") != "support" {
		t.Errorf("got %s, want contoso's kim, with support", found.Body)
	}
	if got := found.Header.Get("Location"); got != "" {
		t.Errorf("got the location %q, want none: nothing is created", got)
	}
	ann.Do("GET", contosoGrant, nil).WantProblem(404, "not_found")
	w.Denied(kim, "sign_in", "acme", "no_grant")
	if items := ann.Do("GET", "/v1/customers/acme/history", nil).Want(200).Get("items").([]any); len(items) != 2 {
		t.Errorf("history: got %v, want the two of the registration", items)
	}

	// Where a grant is open, the answer is that grant, and what the person would have in it.
	w.Grant("acme", m{"partner": "contoso", "users": []string{sam}, "level": "manage"}).Want(201)
	open := ann.Do("GET", contosoGrant, nil).Want(200)
	found = ann.Do("POST", grants+"?dry_run=true", m{"email": "kim@contoso.example"}).Want(200)
	if found.String("grant.id") != open.String("id") || found.String("changes.people.0.effective_level") != "manage" ||
		found.Int("changes.user_count.after") != 2 {
		t.Errorf("got %s, want the open grant, and kim as the second, with manage", found.Body)
	}
	found = ann.Do("POST", grants+"?dry_run=true", m{"email": "kim@contoso.example", "level": "view"}).Want(200)
	if got := found.String("changes.people.0.effective_level"); got != "view" {
		t.Errorf("kim's level: got %s, want view", got)
	}
	found = ann.Do("POST", grants+"?dry_run=true", m{"email": "sam@contoso.example"}).Want(200)
	if found.String("changes.people.0.id") != sam || len(found.Strings("changes.added")) != 0 {
		t.Errorf("got %s, want sam, who has access already", found.Body)
	}
	if got := ann.Do("GET", contosoGrant, nil).Want(200); got.Int("version") != open.Int("version") {
		t.Errorf("got version %d, want %d as before", got.Int("version"), open.Int("version"))
	}
}

func TestD15_ADryRunSaysNoMoreThanTheGrantWould(t *testing.T) {
	w, kim, _ := acme(t)
	w.Customer("globex")
	w.Member("globex", "gil@globex.example")
	w.Partner("fabrikam", "status", "suspended")
	w.User("fabrikam", "fay@fabrikam.example", "tech")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"status": "disabled"}, "If-Match", "*").Want(200)
	ann := w.AdminOf("acme")
	for _, body := range []m{
		{"email": "nobody@nowhere.example"},
		{"email": "ann@acme.example"},
		{"email": "gil@globex.example"},
		{"email": "kim@contoso.example"},
		{"email": "fay@fabrikam.example"},
		{"email": "not an address"},
		{"email": "sam@contoso.example", "until": "2020-01-01T00:00:00Z"},
		{"partner": "nobody"},
		{},
	} {
		real := ann.Do("POST", grants, body)
		dry := ann.Do("POST", grants+"?dry_run=true", body)
		if dry.Status != real.Status || dry.String("code") != real.String("code") || dry.String("detail") != real.String("detail") {
			t.Errorf("%v: got %s, want what the grant is refused with: %s", body, dry.Body, real.Body)
		}
		if real.Status < 400 {
			t.Errorf("%v: got %d, want a refusal", body, real.Status)
		}
	}
	w.As("bob@acme.example").Do("POST", grants+"?dry_run=true", m{"email": "sam@contoso.example"}).WantProblem(403, "not_registered")
	w.Member("acme", "bob@acme.example")
	w.As("bob@acme.example").Do("POST", grants+"?dry_run=true", m{"email": "sam@contoso.example"}).WantProblem(403, "forbidden")
}

func TestD15_ADryRunIsAskedForWithTrueAndKeepsNoIdempotencyKey(t *testing.T) {
	w, _, _ := acme(t)
	ann := w.AdminOf("acme")
	body := m{"email": "kim@contoso.example"}
	for _, query := range []string{"?dry_run=maybe", "?dry_run", "?dry_run=true&dry_run=true", "?dry_run=true&x=1", "?dryrun=true", "?%zz"} {
		ann.Local("POST", grants+query, body).WantProblem(400, "invalid")
	}
	ann.Do("POST", grants+"?dry_run=true", body, "Idempotency-Key", "once").Want(200)
	first := ann.Do("POST", grants+"?dry_run=false", body, "Idempotency-Key", "once").Want(201)
	if again := ann.Do("POST", grants, body, "Idempotency-Key", "once").Want(201); !bytes.Equal(first.Body, again.Body) {
		t.Errorf("got %s, want the first answer again: %s", again.Body, first.Body)
	}
}

func TestD17_D29_TheAnswerNamesWhoLostAccess(t *testing.T) {
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	ann := w.AdminOf("acme")
	out := ann.Do("PATCH", contosoGrant, m{"users": m{"remove": []string{sam}}}, "If-Match", "*").Want(200)
	if out.String("changes.people.0.email") != "sam@contoso.example" || out.Get("changes.people.0.effective_level") != nil {
		t.Errorf("one is removed: got %s, want sam, without access", out.Body)
	}
	out = ann.Do("DELETE", contosoGrant, nil).Want(200)
	if people := out.Get("changes.people").([]any); len(people) != 1 || out.String("changes.people.0.email") != "kim@contoso.example" {
		t.Errorf("revoked: got %s, want kim", out.Body)
	}
	out = ann.Do("DELETE", contosoGrant, nil).Want(200)
	if people := out.Get("changes.people").([]any); len(people) != 0 {
		t.Errorf("revoked before: got %s, want nobody", out.Body)
	}
}

func TestA12_AManagedCustomerCannotCancelItsPartnersInvitations(t *testing.T) {
	w, _, _ := acme(t)
	w.Provider().Do("PUT", "/v1/customers/acme/managing-partner", m{"partner": "contoso"}).Want(201)
	const invitations = "/v1/customers/acme/invitations"
	sam := w.As("sam@contoso.example")
	id := sam.Do("POST", invitations, m{"email": "eve@guests.example"}).Want(201).String("invitation.id")
	ann := w.AdminOf("acme")
	ann.Do("GET", invitations+"/"+id, nil).Want(200)
	ann.Do("DELETE", invitations+"/"+id, nil).WantProblem(403, "managed")
	if got := ann.Do("GET", invitations+"/"+id, nil).Want(200).String("status"); got != "pending" {
		t.Errorf("got %s, want pending", got)
	}
	sam.Do("DELETE", invitations+"/"+id, nil).Want(200)
	ann.Do("DELETE", invitations+"/"+id, nil).Want(200) // what has ended is answered as it ended
}

func TestE5_E8_PendingInvitationsAreListedByPartnerOrCustomer(t *testing.T) {
	w, _, _ := acme(t)
	w.Customer("globex")
	w.Partner("fabrikam")
	for _, to := range [][2]string{{"acme", "contoso"}, {"acme", "fabrikam"}, {"globex", "contoso"}} {
		w.AdminOf(to[0]).Do("POST", "/v1/customers/"+to[0]+"/invitations", m{"email": "eve@guests.example", "partner": to[1]}).Want(201)
	}
	ann, sam := w.AdminOf("acme"), w.As("sam@contoso.example")
	for _, c := range []struct {
		who  *spec.Client
		path string
		want int
	}{
		{ann, "/v1/customers/acme/invitations?status=pending", 2},
		{ann, "/v1/customers/acme/invitations?status=pending&partner=contoso", 1},
		{ann, "/v1/customers/acme/invitations?status=accepted&partner=contoso", 0},
		{ann, "/v1/customers/acme/invitations?partner=", 2},
		{ann, "/v1/customers/acme/invitations?partner=acme", 0},
		{sam, "/v1/partners/contoso/invitations", 2},
		{sam, "/v1/partners/contoso/invitations?customer=globex", 1},
		{sam, "/v1/partners/contoso/invitations?customer=contoso", 0},
	} {
		if items := c.who.Do("GET", c.path, nil).Want(200).Get("items").([]any); len(items) != c.want {
			t.Errorf("%s: got %d, want %d", c.path, len(items), c.want)
		}
	}
	ann.Do("GET", "/v1/customers/acme/invitations?partner=-", nil).WantProblem(400, "invalid", "?partner")
}
