package spec_test

import (
	"fmt"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// A customer's cap on one person is the customer's (issue 11, point 3), and its own people are no partner's users (D7).

const kimsCap = "kim@contoso.example"

// capped is a grant up to manage in which the partner picks, with a cap of view on Kim.
func capped(t *testing.T) (w *spec.World, kim, sam string) {
	w, kim, sam = acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{sam}, "level": "manage", "assigned_by": "partner"}).Want(201)
	w.Grant("acme", m{"email": kimsCap, "level": "view"}).Want(200)
	return w, kim, sam
}

func TestWhateverThePartnerChoosesACapHolds(t *testing.T) {
	t.Parallel()
	picks := func(bodies ...m) func(*spec.World, string, string) {
		return func(w *spec.World, _, _ string) {
			for _, b := range bodies {
				w.As("sam@contoso.example").Do("PUT", pick, b).Want(200)
			}
		}
	}
	for name, choose := range map[string]func(w *spec.World, kim, sam string){
		"nothing":          func(*spec.World, string, string) {},
		"everyone":         picks(m{"everyone": true}),
		"everyone on, off": picks(m{"everyone": true}, m{"everyone": false}),
		"out and in again": func(w *spec.World, kim, sam string) {
			picks(m{"users": []string{sam}}, m{"users": []string{kim, sam}})(w, "", "")
		},
		"everyone, then in": func(w *spec.World, kim, sam string) {
			picks(m{"everyone": true}, m{"everyone": false}, m{"users": []string{kim}})(w, "", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, kim, sam := capped(t)
			w.Denied(kim, "settings:write", "acme", "level_too_low")
			choose(w, kim, sam)
			w.Allowed(kim, "sign_in", "acme")
			w.Denied(kim, "settings:write", "acme", "level_too_low")
		})
	}
}

func TestACapIsKeptForTheNextAccountOfThePerson(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"tech", "external"} {
		w, kim, _ := capped(t)
		w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+kim, nil).Want(204)
		again := w.User("contoso", kimsCap, role)
		w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{again}}).Want(200)
		w.Denied(again, "settings:write", "acme", "level_too_low")
		w.Allowed(again, "sign_in", "acme")
	}
}

func TestACapHoldsInAllOfTheCustomersGrantsWhenItIsAnswered(t *testing.T) {
	t.Parallel()
	w, kim, _ := capped(t)
	w.Partner("fabrikam")
	fay := w.User("fabrikam", "fay@fabrikam.example", "tech")
	w.Grant("acme", m{"partner": "fabrikam", "users": []string{fay}, "level": "manage"}).Want(201)
	before := w.AdminOf("acme").Do("GET", "/v1/customers/acme/grants/fabrikam", nil).Want(200)
	change := w.AdminOf("acme").Do("PATCH", contosoGrant, m{"caps": m{"Fay@fabrikam.example": "none", kimsCap: nil}}, "If-Match",
		"*").Want(200)
	if got := change.Strings("changes.fields"); fmt.Sprint(got) != "[caps]" {
		t.Errorf("changes.fields: got %v, want caps", got)
	}
	if change.Int("changes.people.length") != 1 || change.String("changes.people.0.email") != kimsCap ||
		change.String("changes.people.0.effective_level") != "manage" {
		t.Errorf("changes.people: got %s, want Kim of this partner, with the level manage", change.Body)
	}
	w.Denied(fay, "sign_in", "acme", "level_too_low")
	w.Allowed(kim, "settings:write", "acme")
	after := w.AdminOf("acme").Do("GET", "/v1/customers/acme/grants/fabrikam", nil).Want(200)
	if a, b := before.Header.Get("ETag"), after.Header.Get("ETag"); a != b {
		t.Errorf("ETag of the other grant: got %s, want %s as before", b, a)
	}
	customer := w.AdminOf("acme").Do("GET", "/v1/customers/acme", nil).Want(200)
	if customer.Int("caps.length") != 1 || customer.String("caps.0.email") != "fay@fabrikam.example" ||
		customer.String("caps.0.level") != "none" {
		t.Errorf("the customer's caps: got %s, want Fay's alone", customer.Body)
	}
	w.Advance(2 * time.Minute) // the sweep finds it done
	w.Denied(fay, "sign_in", "acme", "level_too_low")
	w.AdminOf("acme").Do("DELETE", "/v1/customers/acme/grants/fabrikam", nil).Want(200)
	w.Grant("acme", m{"partner": "fabrikam", "users": []string{fay}, "level": "manage"}).Want(201)
	w.Denied(fay, "sign_in", "acme", "level_too_low") // it outlives the grant
}

func TestACapIsShownAndTheLevelInEffectIs(t *testing.T) {
	t.Parallel()
	w, kim, sam := capped(t)
	for _, by := range []*spec.Answer{
		w.AdminOf("acme").Do("GET", contosoGrant+"/users", nil).Want(200),
		w.As("sam@contoso.example").Do("GET", pick, nil).Want(200),
	} {
		got := map[string]string{}
		for i := range by.Int("items.length") {
			at := fmt.Sprintf("items.%d.", i)
			got[by.String(at+"id")] = fmt.Sprint(by.Get(at+"cap"), " ", by.Get(at+"effective_level"))
		}
		if want := (map[string]string{kim: "view view", sam: "<nil> manage"}); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("cap and effective_level: got %v, want %v", got, want)
		}
	}
}

func TestOnlyTheCustomerChangesACapAndOnlyLowersItUnseen(t *testing.T) {
	t.Parallel()
	w, kim, _ := capped(t)
	w.As("sam@contoso.example").Do("PATCH", contosoGrant, m{"caps": m{kimsCap: "manage"}}, "If-Match", "*").WantProblem(404, "not_found")
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"caps": m{kimsCap: "manage"}}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
	ann.Do("PATCH", contosoGrant, m{"caps": m{kimsCap: nil}}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
	ann.Do("PATCH", contosoGrant, m{"caps": m{kimsCap: "none"}}, "If-Match", `"1"`).Want(200)
	w.Denied(kim, "sign_in", "acme", "level_too_low")
	ann.Do("PATCH", contosoGrant, m{"caps": m{kimsCap: "everything"}}, "If-Match", "*").WantProblem(400, "invalid", "/caps/"+kimsCap)
	ann.Do("PATCH", contosoGrant, m{"caps": m{"nobody": "view"}}, "If-Match", "*").WantProblem(400, "invalid", "/caps/nobody")
	ann.Do("PATCH", contosoGrant, m{"caps": m{"a/b~c@contoso.example": "all"}}, "If-Match", "*").WantProblem(400, "invalid",
		"/caps/a~1b~0c@contoso.example")
	ann.Do("PATCH", contosoGrant, `{"caps":{"kim@contoso.example":"view","KIM@contoso.example":"none"}}`, "If-Match", "*").WantProblem(400,
		"invalid", "/caps/"+kimsCap)
	many := m{}
	for i := range 21 {
		many[fmt.Sprintf("u%d@contoso.example", i)] = "view"
	}
	ann.Do("PATCH", contosoGrant, m{"caps": many}, "If-Match", "*").WantProblem(400, "invalid", "/caps")
}

func TestD7_AnAddressOfTheCustomersDomainIsDeniedAtTheCheck(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("fabrikam")
	fay := w.User("fabrikam", "fay@eu.globex.example", "tech")
	for _, customer := range []string{"acme", "initech"} {
		if customer != "acme" {
			w.Customer(customer)
		}
		w.Grant(customer, m{"partner": "fabrikam", "everyone": true, "level": "manage"}).Want(201)
		w.Allowed(fay, "settings:write", customer)
	}
	w.Provider().Do("PUT", "/v1/customers/acme", m{"domain": "globex.example"}).Want(200) // taken over, say
	w.Denied(fay, "sign_in", "acme", "own_organisation")
	w.Allowed(fay, "sign_in", "initech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Allowed(kim, "sign_in", "acme")
	w.Provider().Do("PUT", "/v1/customers/acme", m{"domain": "acme.example"}).Want(200)
	w.Allowed(fay, "sign_in", "acme")
}

func TestD20_ASecondGrantThatNamesOtherTermsIsRefusedAndSaysWhich(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	until := spec.Start.Add(24 * time.Hour)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": until}).Want(201)
	w.Grant("acme", m{"partner": "contoso", "users": []string{sam}, "until": until.Add(time.Hour)}).WantProblem(409, "grant_differs", "/until")
	w.Grant("acme", m{"partner": "contoso", "users": []string{sam}, "from": until.Add(-time.Hour), "level": "support"}).WantProblem(409,
		"grant_differs", "/from", "/level")
	w.Grant("acme", m{"email": "sam@contoso.example", "level": "view", "until": until.Add(-time.Hour)}).WantProblem(409, "grant_differs",
		"/until")
	w.Denied(sam, "sign_in", "acme", "user_not_assigned")
	w.Allowed(kim, "sign_in", "acme")
	w.Grant("acme", m{"partner": "contoso", "users": []string{sam}, "until": until, "from": spec.Start.Add(-time.Hour), "level": "view"}).Want(
		200)
	w.Allowed(sam, "sign_in", "acme")
}
