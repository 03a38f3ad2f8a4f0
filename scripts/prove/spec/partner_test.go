package spec_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// The partner's side: rows A, E and P of the features.

const pick = "/v1/partners/contoso/customers/acme/users"

func TestW3_PartnersStandInATreeAndThePartnerOpensACustomerFromIt(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	const contoso = "/v1/partners/contoso"
	w.Partner("fabrikam")
	w.Partner("litware")
	w.Partner("gone")
	w.Provider().Do("DELETE", "/v1/partners/gone", nil).Want(204)
	shown := func(want any) {
		t.Helper()
		if got := w.Provider().Do("GET", contoso, nil).Want(200).Get("parent"); got != want {
			t.Errorf("the provider sees the parent %v, want %v", got, want)
		}
		if got := w.As("kim@contoso.example").Do("GET", contoso, nil).Want(200).Get("parent"); got != want {
			t.Errorf("the partner sees the parent %v, want %v", got, want)
		}
		if got := w.Provider().Do("GET", "/v1/partners?q=contoso", nil).Want(200).Get("items.0.parent"); got != want {
			t.Errorf("the list shows the parent %v, want %v", got, want)
		}
		if got := w.AdminOf("acme").Do("GET", contoso, nil).Want(200).Get("parent"); got != nil {
			t.Errorf("the customer sees the parent %v, want none", got)
		}
	}
	put := func(method string, parent any) *spec.Answer {
		return w.Provider().Do(method, contoso, m{"parent": parent}, "If-Match", "*")
	}
	shown(nil)
	for _, method := range []string{"PUT", "PATCH"} {
		if got := put(method, "fabrikam").Want(200).Get("parent"); got != "fabrikam" {
			t.Errorf("%s: got the parent %v, want fabrikam", method, got)
		}
		shown("fabrikam")
		put(method, "litware").Want(200) // moved
		shown("litware")
		for _, nobody := range []string{"nobody", "gone", "contoso"} { // the last is itself
			put(method, nobody).WantProblem(400, "invalid", "/parent")
		}
		put(method, "no id!").WantProblem(400, "invalid", "/parent")
		shown("litware")
		w.Provider().Do("PATCH", contoso, m{"name": "Contoso Ltd"}, "If-Match", "*").Want(200) // leaves it where it is
		shown("litware")
		put(method, nil).Want(200)
		shown(nil)
	}
	w.Partner("young", "parent", "contoso") // born below it
	if got := w.Provider().Do("GET", "/v1/partners/young", nil).Want(200).Get("parent"); got != "contoso" {
		t.Errorf("the new partner's parent: got %v, want contoso", got)
	}
	w.Provider().Do("PUT", "/v1/partners/orphan", m{"name": "Orphan", "parent": "nobody"}).WantProblem(400, "invalid", "/parent")
	w.Provider().Do("GET", "/v1/partners/orphan", nil).WantProblem(404, "not_found")

	w.User("young", "yves@young.example", "owner")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "manage"}).Want(201)
	list := w.As("kim@contoso.example").Do("GET", contoso+"/customers", nil).Want(200)
	if list.String("items.0.customer.id") != "acme" || !strings.HasPrefix(list.String("items.0.sign_in_url"), "https://") {
		t.Errorf("below contoso: got %s, want acme, to be opened", list.Body)
	}
	if got := w.As("yves@young.example").Do("GET", "/v1/partners/young/customers", nil).Want(200).Int("items.length"); got != 0 {
		t.Errorf("below the partner below it: got %d customers, want none", got)
	}
}

func TestD2_W14_A1_A3_A4_ThePartnerListsItsCustomers(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Customer("globex")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "manage"}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"offer": "support"}, "If-Match", "*").Want(200)
	k := w.As("kim@contoso.example")
	list := k.Do("GET", "/v1/partners/contoso/customers", nil).Want(200)
	got := fmt.Sprint(list.String("items.0.customer.id"), list.String("items.0.customer.name"), list.String("items.0.customer.domain"),
		list.String("items.0.level"), list.String("items.0.effective_level"), list.String("items.1.customer.id"))
	if want := "acmeAcmeacme.examplemanagesupportglobex"; got != want {
		t.Errorf("the list: got %s, want %s", got, want)
	}
	if found := k.Do("GET", "/v1/partners/contoso/customers?q=glo", nil).Want(200); len(found.Get("items").([]any)) != 1 ||
		found.String("items.0.customer.id") != "globex" {
		t.Errorf("q=glo: got %s, want globex alone", found.Body)
	}
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	if list := k.Do("GET", "/v1/partners/contoso/customers", nil).Want(200); len(list.Get("items").([]any)) != 1 {
		t.Errorf("after an end: got %s, want globex alone", list.Body)
	}
	if list := k.Do("GET", "/v1/partners/contoso/customers?status=ended", nil).Want(200); list.String("items.0.customer.id") != "acme" {
		t.Errorf("ended ones: got %s, want acme", list.Body)
	}
}

func TestA2_A11_A12_A16_AManagedCustomerIsOpenAndReadOnlyToItself(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	g := w.Provider().Do("PUT", "/v1/customers/acme/managing-partner", m{"partner": "contoso"}).Want(201)
	if g.String("grant.level") != "manage" || g.Get("grant.managed") != true || g.Get("grant.until") != nil {
		t.Errorf("the grant: got %s, want managed, continuous, at manage", g.Body)
	}
	w.Denied(kim, "sign_in", "acme", "user_not_assigned")
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim, sam}}).Want(200)
	wantFullAccess(w, kim)
	ann := w.AdminOf("acme")
	ann.Do("GET", contosoGrant, nil).Want(200)
	if users := ann.Do("GET", contosoGrant+"/users", nil).Want(200).Get("items").([]any); len(users) != 2 {
		t.Errorf("users: got %v, want two", users)
	}
	ann.Do("PATCH", contosoGrant, m{"state": "suspended"}, "If-Match", "*").WantProblem(403, "managed")
	ann.Do("DELETE", contosoGrant, nil).WantProblem(403, "managed")
	ann.Do("DELETE", contosoGrant+"/users/"+kim, nil).WantProblem(403, "managed")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).WantProblem(403, "managed")
	w.As("sam@contoso.example").Do("DELETE", "/v1/partners/contoso/customers/acme", nil).WantProblem(403, "managed")
	w.Provider().Do("DELETE", "/v1/customers/acme/relationships/contoso", nil).WantProblem(403, "managed")
	w.Provider().Do("DELETE", "/v1/customers/acme/managing-partner", nil).Want(200)
	w.Denied(kim, "sign_in", "acme", "ended")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
}

// wantFullAccess fails the test unless the user may do everything in acme's tenant, what the catalogue does not name, too.
func wantFullAccess(w *spec.World, user string) {
	for _, action := range []string{
		"sign_in", "insights:read", "metrics:read", "dashboard:read", "capacity:read", "reports:read", "user_activity:read",
		"settings:write", "reports:delete", "anything:else", "users",
	} {
		w.Allowed(user, action, "acme")
	}
}

func TestA17_APickedUserOfAnOpenCustomerHasFullAccess(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	g := w.Grant("acme", m{"partner": "contoso", "level": "manage"}).Want(201)
	if g.Get("grant.managed") != false || g.String("grant.status") != "active" || g.String("grant.assigned_by") != "partner" {
		t.Errorf("the grant: got %s, want one that is not managed, open, and the partner's to pick for", g.Body)
	}
	w.Denied(kim, "sign_in", "acme", "user_not_assigned")
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim}}).Want(200)
	wantFullAccess(w, kim)
	w.Denied(sam, "sign_in", "acme", "user_not_assigned")
	seen := w.As("kim@contoso.example").Do("GET", "/v1/partners/contoso/customers", nil).Want(200)
	if seen.String("items.0.effective_level") != "manage" || seen.Get("items.0.managed") != false ||
		seen.Get("items.0.you_have_access") != true || seen.Get("items.0.sign_in_url") == nil {
		t.Errorf("what the user sees: got %s, want manage, not managed, and the link", seen.Body)
	}
}

func TestA15_AManagedCustomerHasExactlyOnePartner(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("fabrikam")
	w.Grant("acme", m{"partner": "fabrikam"}).Want(201)
	managing := "/v1/customers/acme/managing-partner"
	w.Provider().Do("PUT", managing, m{"partner": "contoso"}).WantProblem(409, "customer_has_partners")
	w.AdminOf("acme").Do("DELETE", "/v1/customers/acme/grants/fabrikam", nil).Want(200)
	w.Provider().Do("PUT", managing, m{"partner": "contoso"}).Want(201)
	w.Provider().Do("PUT", managing, m{"partner": "contoso"}).Want(200)
	w.Provider().Do("PUT", managing, m{"partner": "fabrikam"}).WantProblem(409, "managed_elsewhere")
	w.Provider().Do("PUT", "/v1/customers/acme/relationships/fabrikam", m{}).WantProblem(409, "managed_elsewhere")
	w.Grant("acme", m{"partner": "fabrikam"}).WantProblem(403, "managed")
	_ = kim
}

func TestA5_A21_ThePartnerAssignsUsersWhereTheCustomerAllowsIt(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim}}).WantProblem(404, "not_found")
	g := w.Grant("acme", m{"partner": "contoso", "level": "support"}).Want(201)
	if got := g.String("grant.assigned_by"); got != "partner" {
		t.Errorf("assigned_by: got %q, want partner", got)
	}
	w.Denied(kim, "reports:read", "acme", "user_not_assigned") // open, but not picked
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim, sam}}).Want(200)
	w.Allowed(kim, "reports:read", "acme")
	w.As("kim@contoso.example").Do("PUT", pick, m{"users": []string{kim}}).WantProblem(403, "forbidden")
	w.AdminOf("acme").Do("DELETE", contosoGrant+"/users/"+kim, nil).Want(200) // the customer may always take one out
	w.Denied(kim, "reports:read", "acme", "user_not_assigned")
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"assigned_by": "customer"}, "If-Match", "*").Want(200)
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim}}).WantProblem(403, "forbidden")
}

func TestA6_OnlyUsersOfTheOwnOrganisationCanBePicked(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("fabrikam")
	fay := w.User("fabrikam", "fay@fabrikam.example", "tech")
	w.Grant("acme", m{"partner": "contoso"}).Want(201)
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim, fay}}).WantProblem(422, "user_not_of_partner")
	w.Grant("acme", m{"partner": "contoso", "users": []string{fay}}).WantProblem(422, "user_not_of_partner", "/users/0")
}

func TestA7_A8_APersonOfTheCustomerCannotAlsoComeInAsAPartner(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Member("acme", "kim@contoso.example") // afterwards
	w.Denied(kim, "sign_in", "acme", "customer_user_conflict")
	w.Customer("globex")
	w.Grant("globex", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Allowed(kim, "sign_in", "globex") // elsewhere nothing is in the way
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).WantProblem(409, "customer_user_conflict", "/users/0")
	w.Grant("acme", m{"email": "kim@contoso.example"}).WantProblem(409, "customer_user_conflict", "/email")
	w.Provider().Do("DELETE", "/v1/customers/acme/members/kim@contoso.example", nil).Want(204)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Allowed(kim, "sign_in", "acme")
}

func TestA9_WhereTheGrantRequiresItThePartnerNeedsSingleSignOn(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("contoso", "sso", false)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "require_sso": true}).Want(201)
	w.Denied(kim, "sign_in", "acme", "sso_required")
	w.Partner("contoso", "sso", true)
	w.Allowed(kim, "sign_in", "acme")
}

func TestA9_TheOwnerSetsSingleSignOnOnlyWhereTheProviderAllowsIt(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("contoso", "sso", false)
	w.User("contoso", "olga@contoso.example", "owner")
	w.User("contoso", "adam@contoso.example", "admin")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "require_sso": true}).Want(201)
	const account, partner = contosoPath + "/account", contosoPath
	olga, adam := w.As("olga@contoso.example"), w.As("adam@contoso.example")

	if got := olga.Do("GET", account, nil).Want(200); got.Get("sso") != false || got.Get("owner_sets_sso") != false {
		t.Errorf("the account: got %s, want neither single sign-on nor the right to set it", got.Body)
	}
	for _, claimed := range []bool{true, false} { // also what is so already
		olga.Do("PATCH", account, m{"sso": claimed}, "If-Match", "*").WantProblem(403, "forbidden", "/sso")
	}
	both := m{"sso": true, "contacts": []string{"new@contoso.example"}}
	olga.Do("PATCH", account, both, "If-Match", "*").WantProblem(403, "forbidden", "/sso")
	olga.Do("PATCH", account, m{"owner_sets_sso": true}, "If-Match", "*").WantProblem(400, "invalid", "/owner_sets_sso")
	olga.Do("PATCH", partner, m{"owner_sets_sso": true}, "If-Match", "*").Want(403)
	w.Denied(kim, "sign_in", "acme", "sso_required")

	w.Provider().Do("PATCH", partner, m{"owner_sets_sso": true}, "If-Match", "*").Want(200)
	if got := olga.Do("GET", account, nil).Want(200); got.Get("sso") != false || got.Get("owner_sets_sso") != true {
		t.Errorf("the account: got %s, want the right to set single sign-on alone", got.Body)
	}
	w.Denied(kim, "sign_in", "acme", "sso_required") // the right alone gives nothing
	adam.Do("PATCH", account, m{"sso": true}, "If-Match", "*").WantProblem(403, "forbidden")
	olga.Do("PATCH", account, m{"sso": true}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
	etag := olga.Do("GET", account, nil).Want(200).Header.Get("ETag")
	if got := olga.Do("PATCH", account, m{"sso": true}, "If-Match", etag).Want(200); got.Get("sso") != true {
		t.Errorf("the account: got %s, want single sign-on", got.Body)
	}
	w.Allowed(kim, "sign_in", "acme")
	if got := w.Provider().Do("GET", contosoPath+"/history?limit=1", nil).Want(200); got.String("items.0.type") != "partner.edited" ||
		got.String("items.0.actor.email") != "olga@contoso.example" || fmt.Sprint(got.Strings("items.0.data.fields")) != "[sso]" {
		t.Errorf("the history: got %s, want that Olga has changed sso", got.Body)
	}
	olga.Do("PATCH", account, m{"sso": false}, "If-Match", `"1"`).Want(200) // what only takes access away is never refused for a stale version
	w.Denied(kim, "sign_in", "acme", "sso_required")

	w.Provider().Do("PATCH", partner, m{"owner_sets_sso": false}, "If-Match", "*").Want(200)
	olga.Do("PATCH", account, m{"sso": true}, "If-Match", "*").WantProblem(403, "forbidden", "/sso")
	w.Denied(kim, "sign_in", "acme", "sso_required")
}

func TestW10_A18_A19_A20_TheSignInLinkShowsOnlyDuringAccess(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": spec.Start.Add(time.Hour)}).Want(201)
	link := func(email string) (url string, access bool) {
		item := w.As(email).Do("GET", "/v1/partners/contoso/customers?status=active,expired,suspended",
			nil).Want(200).Get("items.0").(map[string]any)
		url, _ = item["sign_in_url"].(string)
		return url, item["you_have_access"] == true
	}
	if url, in := link("kim@contoso.example"); !in || !strings.HasPrefix(url, "https://") {
		t.Errorf("kim: got %q, %v; want a link", url, in)
	}
	if url, in := link("sam@contoso.example"); in || url != "" {
		t.Errorf("sam, who was not picked: got %q, %v; want none", url, in)
	}
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"state": "suspended"}, "If-Match", "*").Want(200)
	if url, in := link("kim@contoso.example"); in || url != "" {
		t.Errorf("suspended: got %q, %v; want none", url, in)
	}
	ann.Do("PATCH", contosoGrant, m{"state": "open"}, "If-Match", "*").Want(200)
	w.Advance(time.Hour)
	if url, in := link("kim@contoso.example"); in || url != "" {
		t.Errorf("at the end of the period: got %q, %v; want none", url, in)
	}
}

func TestThePartnerRelinquishes(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	out := w.As("sam@contoso.example").Do("DELETE", "/v1/partners/contoso/customers/acme", nil).Want(200)
	if got := out.String("grant.end.reason"); got != "relinquished_by_partner" {
		t.Errorf("reason: got %q, want relinquished_by_partner", got)
	}
	w.Denied(kim, "sign_in", "acme", "ended")
}

func TestE2_E6_E7_UsersAreAssignedPerTenantAndKeepAccounts(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Customer("globex")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.AdminOf("acme").Do("DELETE", contosoGrant+"/users/"+kim, nil).Want(200)
	w.AdminOf("acme").Do("DELETE", contosoGrant+"/users/"+kim, nil).WantProblem(404, "not_found")
	w.Denied(kim, "sign_in", "acme", "user_not_assigned")
	w.Allowed(kim, "sign_in", "globex")
}

func TestE9_TheLastUserCannotBeTakenOutButTheWholeGrantCanEnd(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("DELETE", contosoGrant+"/users/"+sam, nil).Want(200)
	ann.Do("DELETE", contosoGrant+"/users/"+kim, nil).WantProblem(409, "last_user")
	ann.Do("PATCH", contosoGrant, m{"users": m{"remove": []string{kim}}}, "If-Match", "*").WantProblem(409, "last_user")
	ann.Do("PATCH", contosoGrant, m{"users": m{"set": []string{}}}, "If-Match", "*").WantProblem(409, "last_user")
	w.Allowed(kim, "sign_in", "acme")
	ann.Do("DELETE", contosoGrant, nil).Want(200)
}

func TestE10_WhileEveryoneIsOnSingleUsersCannotBeTakenOut(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	ann := w.AdminOf("acme")
	on := ann.Do("PATCH", contosoGrant, m{"everyone": true}, "If-Match", `"1"`).Want(200)
	if got := on.Int("grant.user_count"); got != 2 {
		t.Errorf("user_count: got %d, want 2", got)
	}
	ann.Do("DELETE", contosoGrant+"/users/"+kim, nil).WantProblem(409, "everyone_is_on")
	ann.Do("PATCH", contosoGrant, m{"users": m{"remove": []string{sam}}}, "If-Match", "*").WantProblem(409, "everyone_is_on")
	ann.Do("PATCH", contosoGrant, m{"users": m{"set": []string{sam}}}, "If-Match", "*").WantProblem(409, "everyone_is_on")
}

func TestE14_EveryoneReplacesAssignmentsAndOffRevivesNone(t *testing.T) {
	t.Parallel()
	edit := func(everyone bool) func(*spec.World) *spec.Answer {
		return func(w *spec.World) *spec.Answer {
			return w.AdminOf("acme").Do("PATCH", contosoGrant, m{"everyone": everyone}, "If-Match", "*")
		}
	}
	choose := func(everyone bool) func(*spec.World) *spec.Answer {
		return func(w *spec.World) *spec.Answer {
			return w.As("sam@contoso.example").Do("PUT", pick, m{"everyone": everyone})
		}
	}
	for _, c := range []struct {
		how     string
		on, off func(*spec.World) *spec.Answer
	}{
		{"the customer edits", edit(true), edit(false)},
		{
			"the customer grants again", func(w *spec.World) *spec.Answer { return w.Grant("acme", m{"partner": "contoso", "everyone": true}) },
			edit(false),
		},
		{"the partner picks", choose(true), choose(false)},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			w, kim, sam := acme(t)
			eve := w.User("contoso", "eve@elsewhere.example", "external")
			w.Grant("acme", m{"partner": "contoso", "users": []string{kim, eve}, "assigned_by": "partner"}).Want(201)
			in := func(when string, users ...string) {
				t.Helper()
				for _, u := range []string{kim, sam, eve} {
					if slices.Contains(users, u) {
						w.Allowed(u, "sign_in", "acme")
					} else {
						w.Denied(u, "sign_in", "acme", "user_not_assigned")
					}
				}
				got := listedUsers(w, "acme")
				slices.Sort(got)
				if slices.Sort(users); !slices.Equal(got, users) {
					t.Errorf("%s: the list of users: got %v, want %v", when, got, users)
				}
				if got := userCount(w, t, "acme"); got != len(users) {
					t.Errorf("%s: user_count: got %d, want %d", when, got, len(users))
				}
			}
			since := func() (out []string) { // who has an assignment of its own
				list := w.AdminOf("acme").Do("GET", contosoGrant+"/users", nil).Want(200)
				for i := range list.Int("items.length") {
					if at := fmt.Sprintf("items.%d.", i); list.Get(at+"assigned_at") != nil {
						out = append(out, list.String(at+"id"))
					}
				}
				return out
			}
			in("one by one", kim, eve)
			if got := since(); len(got) != 2 {
				t.Errorf("one by one: got %v assigned, want kim and eve", got)
			}

			on := c.on(w).Want(200)
			if got := on.Strings("changes.removed"); !slices.Equal(got, []string{eve}) {
				t.Errorf("switched on: removed: got %v, want eve, who is external", got)
			}
			in("switched on", kim, sam)
			if got := since(); got != nil {
				t.Errorf("switched on: got %v assigned, want nobody", got)
			}

			c.off(w).Want(200)
			in("switched off", kim, sam)
			w.AdminOf("acme").Do("DELETE", contosoGrant+"/users/"+kim, nil).Want(200)
			in("kim taken out", sam)
			w.AdminOf("acme").Do("PATCH", contosoGrant, m{"users": m{"add": []string{eve}}}, "If-Match", "*").Want(200)
			in("eve let in again", sam, eve)

			c.on(w).Want(200) // that kim was taken out no longer counts either
			in("switched on again", kim, sam)
			c.off(w).Want(200)
			in("switched off again", kim, sam)
		})
	}
}

func TestE11_E12_E13_EveryoneIsPresentAndFutureUsersNotExternal(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	eve := w.User("contoso", "eve@elsewhere.example", "external")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.Allowed(kim, "sign_in", "acme")
	new := w.User("contoso", "new@contoso.example", "tech")
	w.Allowed(new, "sign_in", "acme")
	w.Denied(eve, "sign_in", "acme", "user_not_assigned")
	w.Grant("acme", m{"partner": "contoso", "users": []string{eve}}).Want(200)
	w.Allowed(eve, "sign_in", "acme")
	if users := w.AdminOf("acme").Do("GET", contosoGrant+"/users", nil).Want(200).Get("items").([]any); len(users) != 4 {
		t.Errorf("users: got %d, want 4", len(users))
	}
}

func TestE15_E16_AfterEveryoneOffUsersKeepAccessOneByOne(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"everyone": false}, "If-Match", `"1"`).Want(200)
	late := w.User("contoso", "late@contoso.example", "tech")
	w.Allowed(kim, "sign_in", "acme")
	w.Denied(late, "sign_in", "acme", "user_not_assigned")
	ann.Do("DELETE", contosoGrant+"/users/"+kim, nil).Want(200)
	w.Denied(kim, "sign_in", "acme", "user_not_assigned")
	w.Allowed(sam, "sign_in", "acme")
	out := ann.Do("PATCH", contosoGrant, m{"users": m{"add": []string{late}}}, "If-Match", "*").Want(200)
	w.Allowed(late, "sign_in", "acme")
	if got := out.Int("grant.user_count"); got != 2 {
		t.Errorf("user_count: got %d, want 2", got)
	}
}

func TestE11_ThePartnerSwitchesEveryoneOnWhereItAssigns(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso"}).Want(201)
	w.As("sam@contoso.example").Do("PUT", pick, m{"everyone": true}).Want(200)
	w.Allowed(kim, "sign_in", "acme")
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim}}).WantProblem(409, "everyone_is_on")
	w.As("sam@contoso.example").Do("PUT", pick, m{"everyone": false, "users": []string{kim}}).Want(200)
	w.Allowed(kim, "sign_in", "acme")
}

func TestP2_P4_TheOwnerCreatesEmployeesAndTheySeeEachOther(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	first := w.Provider().Do("POST", "/v1/partners/contoso/users", m{"email": "olga@contoso.example", "name": "Olga"}).Want(201)
	if got := first.String("role"); got != "owner" {
		t.Errorf("the first user's role: got %q, want owner", got)
	}
	olga := w.As("olga@contoso.example")
	for _, role := range []string{"admin", "business", "tech", "sales_marketing"} {
		olga.Do("POST", "/v1/partners/contoso/users", m{"email": role + "@contoso.example", "name": role, "role": role}).Want(201)
	}
	list := w.As("sales_marketing@contoso.example").Do("GET", "/v1/partners/contoso/users", nil).Want(200)
	if got := len(list.Get("items").([]any)); got != 5 {
		t.Errorf("employees: got %d, want 5", got)
	}
	olga.Do("POST", "/v1/partners/contoso/users", m{"email": "x@contoso.example", "name": "X", "role": "owner"}).WantProblem(403, "forbidden")
}

func TestP5_EmployeeAccountsAreNeverForACustomersPeople(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Customer("acme")
	w.Member("acme", "bob@acme.example")
	w.Provider().Do("POST", "/v1/partners/contoso/users", m{"email": "bob@acme.example", "name": "Bob", "role": "tech"}).WantProblem(422,
		"not_for_customers", "/email")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"email": "bob@acme.example"}, "If-Match", "*").WantProblem(422,
		"not_for_customers", "/email")
}

func TestP8_P9_P10_P11_ThePortalIsDecidedByTheEmployeesRole(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Partner("fabrikam")
	users := map[string]string{}
	for _, role := range []string{"owner", "admin", "business", "tech", "sales_marketing", "external"} {
		users[role] = w.User("contoso", role+"@contoso.example", role)
	}
	may := map[string]string{ // action: the roles that may
		"account:write":   "owner",
		"employees:write": "owner admin business",
		"store:buy":       "owner admin business sales_marketing",
		"licences:write":  "owner admin business",
		"devices:read":    "owner admin tech",
		"tickets:write":   "owner admin tech",
		"apis:read":       "owner admin tech",
		"marketing:read":  "owner admin sales_marketing",
		"prices:read":     "owner admin sales_marketing",

		"integrations:write": "owner admin business",
		"clients:write":      "owner admin business",
		"admin_pages:read":   "owner admin business", // but these three of them
		"device_status:read": "owner admin tech",
		"device_audit:read":  "owner admin",
		"round_trips:read":   "owner admin",
	}
	wantPortalActions(t, w, "contoso", "fabrikam", users, may)
}

func TestP1_P3_P4_EmployeesSignInAndReadTicketsAndHistory(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.Partner("fabrikam")
	users := map[string]string{}
	for _, role := range []string{"owner", "admin", "business", "tech", "sales_marketing", "external"} {
		users[role] = w.User("contoso", role+"@contoso.example", role)
	}
	const employees = "owner admin business tech sales_marketing"
	wantPortalActions(t, w, "contoso", "fabrikam", users, map[string]string{
		"portal:sign_in": employees, "academy:read": employees, "knowledge_base:read": employees, "tickets:read": employees,
		"history:read": employees,
	})
	for role := range users {
		answer := w.As(role+"@contoso.example").Do("GET", "/v1/partners/contoso/history", nil)
		if role == "external" {
			answer.WantProblem(403, "forbidden")
			continue
		}
		if answer.Want(200).Get("items.length") == 0.0 {
			t.Errorf("the history of %s: got none, want that of the partner", role)
		}
	}
}

// wantPortalActions asks for each action whether exactly the users of the named roles may do it in their own partner's portal, and nobody
// in another's.
func wantPortalActions(t *testing.T, w *spec.World, own, other string, users, may map[string]string) {
	t.Helper()
	for action, roles := range may {
		for role, user := range users {
			q := m{"subject": m{"type": "user", "id": user}, "action": m{"name": action}, "resource": m{"type": "partner", "id": own}}
			if got, want := w.Backend().Do("POST", "/access/v1/evaluation", q).Want(200).Get("decision"), slices.Contains(strings.Fields(roles),
				role); got != want {
				t.Errorf("%s, %s: got %v, want %v", role, action, got, want)
			}
			q["resource"] = m{"type": "partner", "id": other}
			if w.Backend().Do("POST", "/access/v1/evaluation", q).Want(200).Get("decision") != false {
				t.Errorf("%s, %s at another partner: got true, want false", role, action)
			}
		}
	}
}

func TestP8_AccountSettingsAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	w.User("contoso", "adam@contoso.example", "admin")
	account := "/v1/partners/contoso/account"
	etag := w.As("olga@contoso.example").Do("GET", account, nil).Want(200).Header.Get("ETag")
	w.As("olga@contoso.example").Do("PATCH", account, m{"contacts": []string{"Ops@contoso.example"}}, "If-Match", etag).Want(200)
	w.As("olga@contoso.example").Do("PATCH", account, m{"name": "Security Team"}, "If-Match", "*").WantProblem(403, "forbidden", "/name")
	w.As("adam@contoso.example").Do("PATCH", account, m{"contacts": []string{}}, "If-Match", "*").WantProblem(403, "forbidden")
	if got := w.Provider().Do("GET", "/v1/partners/contoso", nil).Want(200); got.String("name") != "Contoso" ||
		got.String("contacts.0") != "ops@contoso.example" {
		t.Errorf("the partner: got %s, want the new contact, and the name that the provider gave", got.Body)
	}
}

func TestP13_TwoFactorAuthenticationNeedsAPhone(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	body := m{"email": "kim@contoso.example", "name": "Kim", "role": "tech", "mfa": true}
	w.Provider().Do("POST", "/v1/partners/contoso/users", body).WantProblem(422, "phone_required", "/phone")
	body["phone"] = "+4930123456"
	kim := w.Provider().Do("POST", "/v1/partners/contoso/users", body).Want(201).String("id")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"phone": nil}, "If-Match", "*").WantProblem(422, "phone_required", "/phone")
}

func TestP14_SeveralEmployeesAreCreatedInOneGoWithAResultEach(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	out := w.As("olga@contoso.example").Do("POST", "/v1/partners/contoso/users", m{"users": []m{
		{"email": "kim@contoso.example", "name": "Kim", "role": "tech"},
		{"email": "olga@contoso.example", "name": "Olga again", "role": "tech"},
		{"email": "sam@contoso.example", "name": "Sam", "role": "business"},
	}}).Want(200)
	if got := fmt.Sprint(out.Int("results.0.status"), out.Int("results.1.status"), out.Int("results.2.status")); got != "201 409 201" {
		t.Errorf("results: got %s, want 201 409 201", got)
	}
	if got := out.String("results.1.problem.errors.0.pointer"); got != "/users/1/email" {
		t.Errorf("pointer: got %q, want /users/1/email", got)
	}
}

func TestP19_EmailRoleAndPhoneCanBeEdited(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim,
		m{"email": "kim.keller@contoso.example", "role": "business", "phone": "+4930123456"}, "If-Match", `"1"`).Want(200)
	w.Allowed("kim.keller@contoso.example", "sign_in", "acme")
	w.Denied("kim@contoso.example", "sign_in", "acme", "unknown_subject")
	w.User("contoso", "kim@contoso.example", "tech") // the old address is free again
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"email": "kim@contoso.example"}, "If-Match", "*").WantProblem(409,
		"email_taken", "/email")
}

func TestP17_ChangingAccessDoesNotAlterHistory(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	before := w.AdminOf("acme").Do("GET", "/v1/customers/acme/history?type=grant.created", nil).Want(200).Body
	w.Advance(time.Hour)
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"level": "manage"}, "If-Match", "*").Want(200)
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"name": "Kimberly"}, "If-Match", "*").Want(200)
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+kim, nil).Want(204)
	if after := w.AdminOf("acme").Do("GET", "/v1/customers/acme/history?type=grant.created",
		nil).Want(200).Body; string(after) != string(before) {
		t.Errorf("history: got\n%s\nwant\n%s", after, before)
	}
}

func TestTheHistoryOfAPeriodIsHalfOpen(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	w.Advance(time.Hour)
	one := w.Now()
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Advance(time.Millisecond)
	two := w.Now()
	ann.Do("PATCH", contosoGrant, m{"users": m{"add": []string{sam}}}, "If-Match", "*").Want(200)
	ann.Do("PATCH", contosoGrant, m{"state": "suspended"}, "If-Match", "*").Want(200)
	w.Advance(48 * time.Hour)
	three := w.Now()
	ann.Do("DELETE", contosoGrant, nil).Want(200)

	type event struct {
		id, kind string
		at       time.Time
	}
	read := func(history, filter string) (out []event) {
		t.Helper()
		for cursor := ""; ; { // five to a page, so that all of it is more than one
			page := w.Provider().Do("GET", history+"?limit=5"+filter+cursor, nil).Want(200)
			for i := range page.Int("items.length") {
				at := fmt.Sprintf("items.%d.", i)
				when, err := time.Parse(time.RFC3339, page.String(at+"time"))
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, event{page.String(at + "id"), page.String(at + "type"), when})
			}
			if page.Get("next_cursor") == nil {
				return out
			}
			cursor = "&cursor=" + url.QueryEscape(page.String("next_cursor"))
		}
	}
	east := time.FixedZone("", 2*60*60)
	for _, history := range []string{"/v1/customers/acme/history", "/v1/partners/contoso/history"} {
		all := read(history, "")
		if len(all) < 6 { // more than a page: the four, and what came before
			t.Fatalf("%s: got %v, want six events or more", history, all)
		}
		bounds := []time.Time{{}, spec.Start, one, two, two.Add(time.Millisecond), three} // a millisecond after one comes two; the first is none
		for _, from := range bounds {
			for _, until := range bounds { // before the beginning, too: then it holds nothing
				filter := ""
				if !from.IsZero() {
					filter += "&from=" + url.QueryEscape(from.Format(time.RFC3339Nano))
				}
				if !until.IsZero() {
					filter += "&until=" + url.QueryEscape(until.In(east).Format(time.RFC3339Nano))
				}
				var want []event
				for _, e := range all {
					if !e.at.Before(from) && (until.IsZero() || e.at.Before(until)) {
						want = append(want, e)
					}
				}
				if got := read(history, filter); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s?%s: got %v, want %v", history, filter, got, want)
				}
			}
		}
		for period, want := range map[[2]time.Time]string{
			{one, two}:              "grant.created",
			{two, three}:            "grant.suspended grant.edited",
			{two, two}:              "",
			{three, three.Add(day)}: "grant.revoked",
			{three.Add(time.Millisecond), three.Add(day)}: "",
		} {
			var got []string
			for _, e := range read(history, "&from="+period[0].Format(time.RFC3339Nano)+"&until="+period[1].Format(time.RFC3339Nano)) {
				got = append(got, e.kind)
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s from %s until %s: got %q, want %q", history, period[0], period[1], s, want)
			}
		}
		both := read(history, "&type=grant.edited&from="+one.Format(time.RFC3339Nano)+"&until="+three.Format(time.RFC3339Nano))
		if len(both) != 1 || both[0].kind != "grant.edited" {
			t.Errorf("%s, by type and time: got %v, want the one edit", history, both)
		}
	}
}

func TestP21_AnEmployeeIsDeletedAndOneOwnerStays(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	olga := w.User("contoso", "olga@contoso.example", "owner")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.As("olga@contoso.example").Do("DELETE", "/v1/partners/contoso/users/"+kim, nil).Want(204)
	w.As("kim@contoso.example").Do("GET", "/v1/partners/contoso/users", nil).WantProblem(403, "not_registered")
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+olga, nil).WantProblem(409, "owner_required")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+olga, m{"role": "admin"}, "If-Match", "*").WantProblem(409, "owner_required")
	w.User("contoso", "otto@contoso.example", "owner")
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+olga, nil).Want(204)
}

func TestTheAnswersToThePartnersOwnChangesHoldNoNote(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme",
		m{"partner": "contoso", "users": []string{kim}, "assigned_by": "partner", "note": "ours alone", "message": "welcome"}).Want(201)
	lead := w.As("sam@contoso.example")
	for _, a := range []*spec.Answer{
		lead.Do("PUT", "/v1/partners/contoso/customers/acme/users", m{"users": []string{kim, sam}}).Want(200),
		lead.Do("PUT", "/v1/partners/contoso/customers/acme/users", m{"everyone": true}).Want(200),
		lead.Do("DELETE", "/v1/partners/contoso/customers/acme", nil).Want(200),
	} {
		if a.String("grant.note") != "" || a.String("grant.message") != "welcome" {
			t.Errorf("got %s, want the message, and no note", a.Body)
		}
	}
	if a := w.AdminOf("acme").Do("GET", contosoGrant, nil).Want(200); a.String("note") != "ours alone" {
		t.Errorf("the customer: got %s, want the note", a.Body)
	}
}
