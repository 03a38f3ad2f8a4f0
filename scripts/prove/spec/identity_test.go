package spec_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// A business user makes an employee with a mailbox of its own, signs in, and moves the account to the address of somebody who is about to
// come.
func TestAnAddressTakenInAdvanceOpensNothing(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	const cio = "newcio@globex.example"
	_, boris := o.employee("boris@contoso.example", "business", secretOne)
	attacker := o.Bearer(boris)
	mallory := attacker.Do("POST", "/v1/partners/contoso/users",
		object{"email": "mallory@mailbox.example", "name": "Mallory", "role": "tech"}).Want(201).String("id")
	token := o.login("mallory@mailbox.example", o.credential(mallory), secretTwo).Want(200).String("token")
	o.Bearer(token).Do("GET", "/v1/me", nil).Want(200)

	attacker.Do("PATCH", pathOf(mallory), object{"email": cio}, "If-Match", "*").Want(200) // nobody has registered the domain yet
	o.Bearer(token).Do("GET", "/v1/me", nil).WantProblem(401, "unauthenticated")
	o.out("mallory@mailbox.example", secretTwo)
	o.out(cio, secretTwo)

	o.Customer("globex")
	added := o.Provider().Do("PUT", "/v1/customers/globex/members/"+cio, object{"name": "New CIO", "role": "admin"}).Want(201)
	if got := added.Get("partner_user"); got != nil {
		t.Errorf("the address was never proved: got the account %v with it, want it ended", got)
	}
	o.Provider().Do("GET", pathOf(mallory), nil).WantProblem(404, "not_found")
	o.settle()
	o.wantAccount(mallory, "none")
	o.out(cio, secretTwo)
	for name, bearer := range map[string]string{
		"the token from before":                   token,
		"one of the account with its new address": o.Token(stack.TokenRequest{Email: cio, Account: mallory}),
	} {
		o.Bearer(bearer).Do("GET", "/v1/customers/globex/grants", nil).WantProblem(401, "unauthenticated")
		if a := o.Bearer(bearer).Do("POST", "/v1/customers/globex/grants",
			object{"partner": "contoso", "everyone": true, "level": "manage"}); a.Status != 401 {
			t.Errorf("%s grants: got %d %s, want 401", name, a.Status, a.Body)
		}
	}
	o.As(cio).Do("GET", "/v1/customers/globex/grants", nil).Want(200) // the person itself
	// Now that the domain is registered, no user of a partner gets such an address.
	kim := o.User("contoso", "kim@contoso.example", "tech")
	for _, address := range []string{cio, "other@globex.example", "other@eu.globex.example"} {
		attacker.Do("PATCH", pathOf(kim), object{"email": address}, "If-Match", "*").WantProblem(409, "email_unavailable", "/email")
		attacker.Do("POST", "/v1/partners/contoso/users", object{"email": address, "name": "X", "role": "tech"}).WantProblem(409,
			"email_unavailable", "/email")
	}
	o.Provider().Do("POST", "/v1/partners/contoso/users",
		object{"email": "other@eu.globex.example", "name": "X", "role": "tech"}).WantProblem(422, "not_for_customers", "/email")
}

func TestAnAccountOfAPartnersUserIsThatUserAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("Contoso")
	w.Customer("globex")
	kim := w.User("Contoso", "kim@elsewhere.example", "admin")
	a := w.Provider().Do("PUT", "/v1/customers/globex/members/kim@elsewhere.example", object{"name": "Kim", "role": "admin"}).Want(201)
	if a.String("partner_user.user") != kim || a.String("partner_user.partner") != "Contoso" {
		t.Errorf("registered: got %s, want the account that has the address", a.Body)
	}
	account := func(name string) *spec.Client {
		return w.Bearer(w.Token(stack.TokenRequest{Email: "kim@elsewhere.example", Account: name}))
	}
	for _, name := range []string{kim, strings.ToLower(kim), strings.ToUpper(kim)} {
		me := account(name).Do("GET", "/v1/me", nil).Want(200)
		if me.String("partner.user.id") != kim || me.Int("customers.length") != 0 {
			t.Errorf("%s: got %s, want the user, and no customer's member", name, me.Body)
		}
		account(name).Do("GET", "/v1/customers/globex/grants", nil).WantProblem(404, "not_found")
		account(name).Do("POST", "/v1/customers/globex/grants", object{"partner": "Contoso"}).WantProblem(404, "not_found")
		account(name).Do("GET", "/v1/partners/Contoso/users", nil).Want(200)
		account(name).Do("POST", "/access/v1/evaluation", spec.Question(kim, "sign_in", "globex")).Want(200)
	}
	other := w.User("Contoso", "lee@elsewhere.example", "tech")
	for _, name := range []string{
		other, strings.ToLower(other), "Contoso:x", "Contoso:" + kim, kim + "0", ":",
		"a b:01J9Z3NDEKTSV4RRFFQ69G5FAV",
	} {
		account(name).Do("GET", "/v1/me", nil).WantProblem(401, "unauthenticated")
		account(name).Do("GET", "/v1/customers/globex/grants", nil).WantProblem(401, "unauthenticated")
		account(name).Do("POST", "/access/v1/evaluation", spec.Question(kim, "sign_in", "globex")).WantProblem(401, "unauthenticated")
	}
	for _, name := range []string{"", "google_123", "5f1c8e1a-7a3b-4f0e-9d7e-0c6f5e2b8a11"} { // accounts of other people
		if got := account(name).Do("GET", "/v1/me", nil).Want(200).Int("customers.length"); got != 1 {
			t.Errorf("%q: got %d customers, want the one", name, got)
		}
		account(name).Do("GET", "/v1/customers/globex/grants", nil).Want(200)
	}
	// A scope in such an account's token opens nothing either.
	scoped := w.Bearer(
		w.Token(
			stack.TokenRequest{
				Email: "kim@elsewhere.example", Account: strings.ToLower(kim),
				Scope: "partner-access/directory partner-access/check",
			}))
	scoped.Do("DELETE", "/v1/customers/globex", nil).WantProblem(403, "forbidden")
	scoped.Do("POST", "/access/v1/evaluation", spec.Question(other, "sign_in", "globex")).WantProblem(403, "forbidden")
}

func TestAnAddressIsProvedByTheFirstSignIn(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Customer("acme")
	w.User("contoso", "olga@contoso.example", "owner")
	olga := w.As("olga@contoso.example")
	kim := olga.Do("POST", "/v1/partners/contoso/users", object{"email": "kim@contoso.example", "name": "Kim", "role": "tech"}).Want(201)
	if kim.Get("email_proved") != false {
		t.Errorf("a lead's new user: got %s, want the address unproved", kim.Body)
	}
	w.Grant("acme", object{"email": "kim@contoso.example"}).WantProblem(422, "unknown_email", "/email")
	if got := w.As("kim@contoso.example").Do("GET", "/v1/me", nil).Want(200); got.Get("partner.user.email_proved") != true {
		t.Errorf("after the first sign-in: got %s, want the address proved", got.Body)
	}
	w.Grant("acme", object{"email": "kim@contoso.example"}).Want(201)
	w.As("kim@contoso.example").Do("GET", "/v1/me", nil).Want(200)

	olga.Do("PATCH", "/v1/partners/contoso/users/"+kim.String("id"), object{"email": "k@contoso.example"}, "If-Match", "*").Want(200)
	w.Customer("initech")
	w.Grant("initech", object{"email": "k@contoso.example"}).WantProblem(422, "unknown_email", "/email")

	w.Provider().Do("PATCH", "/v1/partners/contoso", object{"domains": []string{"Contoso.example"}}, "If-Match", "*").Want(200)
	olga.Do("POST", "/v1/partners/contoso/users", object{"email": "lee@contoso.example", "name": "Lee", "role": "tech"}).Want(201)
	w.Grant("initech", object{"email": "lee@contoso.example"}).Want(201)
	if got := olga.Do("GET", "/v1/partners/contoso", nil).Want(200).Strings("domains"); len(got) != 1 || got[0] != "contoso.example" {
		t.Errorf("the partner's own: got domains %v", got)
	}
	if got := w.AdminOf("acme").Do("GET", "/v1/partners/contoso", nil).Want(200).Get("domains"); got != nil {
		t.Errorf("a customer: got domains %v, want them left out", got)
	}
}

// An employee who signs in elsewhere than in this service's pages proves the address, too, once the identity provider is asked.
func TestAnAddressIsProvedByTheIdentityProvidersSignIn(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	olga := o.As("olga@contoso.example")
	kim := olga.Do("POST", "/v1/partners/contoso/users",
		object{"email": "kim@contoso.example", "name": "Kim", "role": "tech"}).Want(201).String("id")
	o.login("kim@contoso.example", temporaryIn(t, o.mailTo("kim@contoso.example")), secretOne).Want(200)
	proved := func() any { return o.Provider().Do("GET", pathOf(kim), nil).Want(200).Get("email_proved") }
	if proved() != false {
		t.Error("before the identity provider was asked: got it proved")
	}
	o.waitForMails("user.created", "kim@contoso.example", 1)
	o.Advance(7*24*time.Hour + time.Minute)
	if proved() != true {
		t.Error("after the identity provider was asked: got it unproved")
	}
}

// A colleague-to-be's address is taken by another partner, which hopes for the grant that is meant for him.
func TestAnUnprovedAddressHoldsNothingAgainstWhoCanProveIt(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Partner("fabrikam")
	w.User("fabrikam", "fay@fabrikam.example", "business")
	fay := w.As("fay@fabrikam.example")
	squat := func(email string) string {
		return fay.Do("POST", "/v1/partners/fabrikam/users", m{"email": email, "name": "X", "role": "tech"}).Want(201).String("id")
	}
	gone := func(user string) {
		t.Helper()
		w.Provider().Do("GET", "/v1/partners/fabrikam/users/"+user, nil).WantProblem(404, "not_found")
	}
	first := squat("new@contoso.example")
	w.Grant("acme", m{"email": "new@contoso.example"}).WantProblem(422, "unknown_email", "/email")
	olga := w.As("olga@contoso.example")
	olga.Do("POST", "/v1/partners/contoso/users", m{"email": "new@contoso.example", "name": "New", "role": "tech"}).WantProblem(409,
		"email_unavailable", "/email")
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"domains": []string{"contoso.example"}}, "If-Match", "*").Want(200)
	olga.Do("POST", "/v1/partners/contoso/users", m{"email": "new@contoso.example", "name": "New", "role": "tech"}).Want(201)
	gone(first)
	fay.Do("POST", "/v1/partners/fabrikam/users", m{"email": "other@contoso.example", "name": "X", "role": "tech"}).WantProblem(409,
		"email_unavailable", "/email")
	w.Provider().Do("POST", "/v1/partners/fabrikam/users", m{"email": "other@contoso.example", "name": "X", "role": "tech"}).WantProblem(409,
		"domain_taken", "/email")

	second := squat("ned@elsewhere.example")
	w.Provider().Do("POST", "/v1/partners/contoso/users", m{"email": "ned@elsewhere.example", "name": "Ned", "role": "tech"}).Want(201)
	gone(second)

	third := squat("eve@elsewhere.example")
	w.AdminOf("acme").Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
	secret := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 1))
	w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{}).Want(200)
	gone(third)
	w.Allowed("eve@elsewhere.example", "sign_in", "acme")
}

func TestASuspendedPartnerReadsAndChangesNothing(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	tn.Provider().Do("PATCH", "/v1/partners/contoso", object{"status": "suspended"}, "If-Match", "*").Want(200)
	for route, may := range whoMay(t) {
		for _, letter := range strings.Split("O a B T S X", " ") {
			leads := strings.Contains(may, "L") && strings.Contains("OaB", letter)
			if !strings.Contains(may, letter) && !leads || may == "*" {
				continue
			}
			if letter == "X" && strings.HasSuffix(route, "/customers/{customer}") {
				continue // sees where it has access, and has none
			}
			if strings.HasPrefix(route, "GET ") && strings.Contains(route, "{request}") && strings.Contains("TSX", letter) {
				continue // sees its own requests, and has made none
			}
			a := tn.at(route, letter, "own")
			if reads := strings.HasPrefix(route, "GET "); reads && a.Status != 200 || !reads && a.Status != 403 {
				t.Errorf("%s, %s: got %d %s, want it read, and nothing changed", letter, route, a.Status, a.Body)
			}
			if !strings.HasPrefix(route, "GET ") {
				a.WantProblem(403, "partner_not_active")
			}
		}
	}
	tn.callers["B"].Do("GET", "/v1/me", nil).Want(200)
	tn.Provider().Do("PATCH", "/v1/partners/contoso", object{"status": "active"}, "If-Match", "*").Want(200)
	tn.callers["O"].Do("PATCH", "/v1/partners/contoso/account", object{"contacts": []string{}}, "If-Match", "*").Want(200)
}

func TestNobodyRaisesHimselfOrHandlesWhoStandsAboveHim(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	owner, admin := w.User("contoso", "olga@contoso.example", "owner"), w.User("contoso", "adam@contoso.example", "admin")
	business, tech := w.User("contoso", "boris@contoso.example", "business"), w.User("contoso", "kim@contoso.example", "tech")
	boris := w.As("boris@contoso.example")
	edit := func(user string, body object) *spec.Answer {
		return boris.Do("PATCH", "/v1/partners/contoso/users/"+user, body, "If-Match", "*")
	}
	edit(business, object{"role": "admin"}).WantProblem(403, "forbidden", "/role")
	edit(business, object{"role": "tech"}).WantProblem(403, "forbidden", "/role")
	edit(tech, object{"role": "admin"}).WantProblem(403, "forbidden", "/role")
	for _, above := range []string{owner, admin} {
		edit(above, object{"status": "disabled"}).WantProblem(403, "forbidden")
		edit(above, object{"email": "mine@mailbox.example"}).WantProblem(403, "forbidden")
		boris.Do("DELETE", "/v1/partners/contoso/users/"+above, nil).WantProblem(403, "forbidden")
	}
	boris.Do("POST", "/v1/partners/contoso/users", object{"email": "x@contoso.example", "name": "X", "role": "admin"}).WantProblem(403,
		"forbidden", "/role")
	edit(tech, object{"role": "business"}).Want(200)
	edit(tech, object{"name": "Kim"}).Want(200)
}

func TestTheLastOwnerOfARemovedPartnerCanBeRemoved(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso", "domains", []string{"contoso.example"})
	w.Partner("fabrikam")
	olga := w.User("contoso", "olga@contoso.example", "owner")
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+olga, nil).WantProblem(409, "owner_required")
	w.Provider().Do("DELETE", "/v1/partners/contoso", nil).Want(204)
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+olga, nil).Want(http.StatusNoContent)
	w.User("fabrikam", "olga@contoso.example", "owner")
}

func TestTheDirectoryShowsCustomersWhomTheyCouldGrantAccess(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	w.Partner("offerless", "offer", "none")
	w.Partner("other", "class", "other")
	w.Partner("paused", "status", "suspended")
	w.User("contoso", "kim@contoso.example", "tech")
	for _, c := range []*spec.Client{w.AdminOf("acme"), w.Member("acme", "bob@acme.example")} {
		list := c.Do("GET", "/v1/partners", nil).Want(200)
		if list.Int("items.length") != 1 || list.String("items.0.id") != "contoso" {
			t.Errorf("the directory: got %s, want Contoso alone", list.Body)
		}
		for _, hidden := range []string{"offerless", "other", "paused"} {
			c.Do("GET", "/v1/partners/"+hidden, nil).WantProblem(404, "not_found")
		}
	}
	w.AdminOf("acme").Do("GET", "/v1/partners/contoso/users", nil).Want(200)
	w.AdminOf("acme").Do("GET", "/v1/partners/offerless/users", nil).WantProblem(404, "not_found")
	w.As("bob@acme.example").Do("GET", "/v1/partners/contoso/users", nil).WantProblem(403, "forbidden")
}

func TestNobodyHasMailSentAgainToWhoStandsAboveHim(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.User("contoso", "adam@contoso.example", "admin")
	w.User("contoso", "boris@contoso.example", "business")
	mails := "/v1/partners/contoso/mail"
	path := mails + "/" + mailState(t, w, mails, "adam@contoso.example", "user.created", "delivered") + "/resend"
	w.As("boris@contoso.example").Do("POST", path, nil).WantProblem(403, "forbidden")
	w.As("olga@contoso.example").Do("POST", path, nil).Want(200)
}

// A grant by e-mail tells nothing of the address while anything else is wrong with it.
func TestAGrantByEMailIsReadToItsEndBeforeTheAddressIsLookedUp(t *testing.T) {
	t.Parallel()
	w, _, _ := acme(t)
	for _, email := range []string{"kim@contoso.example", "nobody@contoso.example"} {
		w.Grant("acme", m{"email": email, "until": "2026-11-22T10:00:00Z"}).WantProblem(422, "period_invalid", "/until")
	}
	w.Provider().Do("PUT", "/v1/customers/acme/managing-partner", m{"partner": "contoso"}).Want(201)
	for _, email := range []string{"kim@contoso.example", "nobody@contoso.example"} {
		w.Grant("acme", m{"email": email}).WantProblem(403, "managed")
	}
}
