package spec_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/seed"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// What was right when it began, and is no longer when it ends.

func TestA15_AnEarlierInvitationAddsNoSecondPartner(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Partner("fabrikam")
	ann := w.AdminOf("acme")
	ann.Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
	secret := tokenIn(t, mailed(t, w, "eve@elsewhere.example", "invitation.created", 1))
	w.Provider().Do("PUT", "/v1/customers/acme/managing-partner", m{"partner": "fabrikam"}).Want(201)
	w.As("eve@elsewhere.example").Do("POST", byToken(secret)+"/accept", m{"name": "Eve"}).WantProblem(410, "invitation_ended")
	w.Denied("eve@elsewhere.example", "sign_in", "acme", "unknown_subject")
	ann.Do("GET", contosoGrant, nil).Want(404)

	// Nobody is reminded of it either.
	w.Advance(6 * day)
	if got := ann.Do("GET", "/v1/customers/acme/history?type=invitation.reminded", nil).Want(200); len(got.Get("items").([]any)) != 0 {
		t.Errorf("got %s, want no reminder", got.Body)
	}
}

func TestE5_TwoInvitationsOfOneAddressAtOnceAreOne(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	ann := w.AdminOf("acme")
	for i := range 20 {
		address := strings.Repeat("e", i+1) + "@elsewhere.example"
		invite := func() *spec.Answer {
			return ann.Do("POST", invitations, m{"email": address, "partner": "contoso"})
		}
		if got := outcomes(race(invite, invite, invite)); got != "201, 409 already_invited, 409 already_invited" {
			t.Fatalf("round %d: got %s, want one invitation", i, got)
		}
	}
}

func TestNobodyIsRemindedOfAnInvitationThatNobodyCanAccept(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*spec.World){
		"the customer was removed": func(w *spec.World) { w.Provider().Do("DELETE", "/v1/customers/acme", nil).Want(204) },
		"the partner was removed":  func(w *spec.World) { w.Provider().Do("DELETE", "/v1/partners/contoso", nil).Want(204) },
		"the partner was suspended": func(w *spec.World) {
			w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}).Want(200)
		},
		"": func(*spec.World) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withMail(t)
			w.AdminOf("acme").Do("POST", invitations, m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201)
			mailed(t, w, "eve@elsewhere.example", "invitation.created", 1)
			end(w)
			w.Advance(6 * day)
			if name == "" {
				mailed(t, w, "eve@elsewhere.example", "invitation.reminded", 1)
				return
			}
			got := w.Provider().Do("GET", "/v1/customers/acme/history?type=invitation.reminded", nil)
			if got.Status == 404 { // a removed customer has none that is shown
				got = w.Provider().Do("GET", "/v1/partners/contoso/history?type=invitation.reminded", nil).Want(200)
			}
			if strings.Contains(string(got.Body), "invitation.reminded") {
				t.Errorf("got %s, want no reminder", got.Body)
			}
		})
	}
}

func TestASuspendedPartnersInvitationIsNotSentAgain(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	id := w.AdminOf("acme").Do("POST", invitations,
		m{"email": "eve@elsewhere.example", "partner": "contoso"}).Want(201).String("invitation.id")
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}).Want(200)
	w.AdminOf("acme").Do("POST", invitations+"/"+id+"/resend", nil).WantProblem(422, "partner_not_active")
}

func TestARemovedCustomersMembersCanStillBeRemoved(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	w.Member("acme", "bob@acme.example")
	w.Provider().Do("DELETE", "/v1/customers/acme", nil).Want(204)
	bob := m{"email": "bob@acme.example", "name": "Bob", "role": "tech"}
	w.Provider().Do("POST", "/v1/partners/contoso/users", bob).WantProblem(422, "not_for_customers")
	w.Provider().Do("DELETE", "/v1/customers/acme/members/bob@acme.example", nil).Want(204)
	w.Provider().Do("POST", "/v1/partners/contoso/users", bob).Want(201)
}

func TestAnEditRightAfterTheStartDoesNotHideTheStart(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	ann := w.AdminOf("acme")
	w.Grant("acme", m{"partner": "contoso", "everyone": true, "from": spec.Start.Add(time.Hour), "until": spec.Start.Add(90 * day)}).Want(201)
	w.Stack.Clock.Advance(time.Hour + 30*time.Second) // and no sweep yet
	tag := ann.Do("GET", contosoGrant, nil).Want(200).Header.Get("ETag")
	ann.Do("PATCH", contosoGrant, m{"until": spec.Start.Add(60 * day)}, "If-Match", tag).Want(200)
	w.Advance(time.Minute)
	for _, kind := range []string{"grant.started", "grant.edited"} {
		if got := ann.Do("GET", "/v1/customers/acme/history?type="+kind, nil).Want(200); len(got.Get("items").([]any)) != 1 {
			t.Errorf("%s: got %s, want it once", kind, got.Body)
		}
	}
}

func TestAMemberIsNotOverwrittenByWhoHasSeenAnOlderOne(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	const path = "/v1/customers/acme/members/bob@acme.example"
	p := w.Provider()
	p.Do("PUT", path, m{"name": "Bob", "role": "member"}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
	first := p.Do("PUT", path, m{"name": "Bob", "role": "member"}).Want(201).Header.Get("ETag")
	second := p.Do("PUT", path, m{"name": "Bob", "role": "admin"}, "If-Match", first).Want(200).Header.Get("ETag")
	p.Do("PUT", path, m{"name": "Bob", "role": "member"}, "If-Match", first).WantProblem(412, "version_mismatch")
	p.Do("PUT", path, m{"name": "Robert", "role": "admin"}, "If-Match", second).Want(200)
	p.Do("PUT", path, m{"name": "Bob", "role": "admin"}).Want(200)
}

func TestW14_OnlyTheKillSwitchNeedsNoVersion(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Allowed(kim, "sign_in", "acme")
	p := w.Provider()
	p.Do("PATCH", "/v1/partners/contoso", m{"status": "suspended", "name": "C"}).WantProblem(428, "if_match_required")
	p.Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}, "If-Match", `"99"`).Want(200) // what takes away is never too late
	w.Denied(kim, "sign_in", "acme", "partner_not_active")
	p.Do("PATCH", "/v1/partners/contoso", m{"status": "active", "offer": "manage"}).WantProblem(428, "if_match_required")
	p.Do("PATCH", "/v1/partners/contoso", m{"status": "active"}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
	p.Do("PATCH", "/v1/partners/contoso", m{"status": "active"}).Want(200)
	w.Allowed(kim, "sign_in", "acme")
	p.Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}).Want(200)
	w.Denied(kim, "sign_in", "acme", "partner_not_active")
}

func TestW3_TheTreeOfPartnersHasNoCircle(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for _, id := range []string{"top", "middle", "bottom"} {
		w.Partner(id)
	}
	p := w.Provider()
	parent := func(id string, of any) *spec.Answer {
		return p.Do("PATCH", "/v1/partners/"+id, m{"parent": of}, "If-Match", "*")
	}
	parent("middle", "top").Want(200)
	parent("bottom", "middle").Want(200)
	parent("top", "bottom").WantProblem(400, "invalid", "/parent")
	parent("top", "top").WantProblem(400, "invalid", "/parent")
	parent("bottom", nil).Want(200)
	parent("top", "bottom").Want(200)
}

func TestA18_NoSignInAddressIsMadeOfADomainThatThereIsNot(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Provider().Do("PUT", "/v1/customers/nodomain", m{"name": "No Domain"}).Want(201)
	w.Partner("contoso")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("nodomain", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	got := w.As("kim@contoso.example").Do("GET", "/v1/partners/contoso/customers", nil).Want(200)
	if url := got.Get("items.0.sign_in_url"); url != nil {
		t.Errorf("got the address %v, want none", url)
	}
}

// The README's first requests, as they stand, with the demo data that they are about.
func TestTheFirstRequestsOfTheReadmeAnswerWhatTheReadmeSays(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "## First requests")
	_, rest, found2 := strings.Cut(rest, "```bash\n")
	script, _, found3 := strings.Cut(rest, "```")
	if !found || !found2 || !found3 || strings.Count(script, "BASE=http://127.0.0.1:8080") != 1 {
		t.Fatal("the README's first requests are not found")
	}
	w := spec.New(t)
	if err := seed.Run(t.Context(), w.Stack.URL(), demoToken(w)); err != nil {
		t.Fatal(err)
	}
	script = strings.Replace(script, "http://127.0.0.1:8080", w.Stack.URL(), 1)
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", script) //nolint:gosec // the README's own
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var checks []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, `"decision"`) {
			checks = append(checks, line)
		}
	}
	want := []string{`"no_grant"`, `"decision":true`, `"ended"`}
	if len(checks) != 3 || !slices.EqualFunc(checks, want, strings.Contains) {
		t.Errorf("got %s, want three checks with %q", out, want)
	}
	if strings.Contains(string(out), "problem") || len(checks) > 0 && strings.Contains(checks[0], `"decision":true`) {
		t.Errorf("got %s", out)
	}
}

func demoToken(w *spec.World) seed.Token {
	return func(scope, email string) (string, error) {
		return w.Stack.Token(stack.TokenRequest{Scope: scope, Email: email})
	}
}

// What make run shows first, and the README's pictures are taken of. A run that was cut off is repeated.
func TestTheDemoDataShowsEachStateOfAccess(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for range 2 {
		if err := errors.Join(seed.Run(t.Context(), w.Stack.URL(), demoToken(w)),
			seed.States(t.Context(), w.Stack.URL(), demoToken(w), w.Stack.Clock.Now())); err != nil {
			t.Fatal(err)
		}
	}
	mia := w.As("mia@umbra.example")
	for partner, want := range map[string]string{
		"aldgate": "active false 3 false", "brightline": "active false 2 true", "corvus": "active true 4 true",
		"delphi": "scheduled false 1 true", "evergreen": "suspended false 2 false", "foundry": "ended false 1 false",
	} {
		g := mia.Do("GET", "/v1/customers/umbra/grants/"+partner, nil).Want(200)
		if got := fmt.Sprint(g.Get("status"), " ", g.Get("everyone"), " ", g.Get("user_count"), " ", g.Get("until") != nil); got != want {
			t.Errorf("%s: got %s, want %s", partner, got, want)
		}
	}
	for path, n := range map[string]int{"invitations?status=pending": 1, "requests?status=pending": 1} {
		if items := mia.Do("GET", "/v1/customers/umbra/"+path, nil).Want(200).Get("items").([]any); len(items) != n {
			t.Errorf("%s: got %v, want %d", path, items, n)
		}
	}
	if got := w.AdminOf("initech").Do("GET", "/v1/customers/initech", nil).Want(200).Get("managing_partner"); got != "contoso" {
		t.Errorf("initech is managed by %v, want contoso", got)
	}
}

func TestWhatOnlyTakesAccessAwayNeedsNoVersion(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	sam := w.User("contoso", "sam@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}, "level": "manage"}).Want(201)
	ann, olga := w.AdminOf("acme"), w.As("olga@contoso.example")

	ann.Do("PATCH", contosoGrant, m{"users": m{"remove": []string{sam}}}).Want(200)
	w.Denied(sam, "sign_in", "acme", "user_not_assigned")
	ann.Do("PATCH", contosoGrant, m{"users": m{"remove": []string{kim}, "add": []string{sam}}}).WantProblem(428, "if_match_required")
	ann.Do("PATCH", contosoGrant, m{"state": "suspended"}).Want(200)
	w.Denied(kim, "sign_in", "acme", "suspended")
	ann.Do("PATCH", contosoGrant, m{"state": "open"}).WantProblem(428, "if_match_required")
	ann.Do("PATCH", contosoGrant, m{"level": "view"}).WantProblem(428, "if_match_required") // an edit, which may give as well as take

	user := "/v1/partners/contoso/users/" + kim
	olga.Do("PATCH", user, m{"status": "disabled", "name": "Kim"}).WantProblem(428, "if_match_required")
	olga.Do("PATCH", user, m{"status": "disabled"}).Want(200)
	olga.Do("PATCH", user, m{"status": "active"}).WantProblem(428, "if_match_required")
}
