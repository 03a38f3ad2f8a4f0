package spec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/spec"
)

// The partner's side: rows A, E and P of the features.

const pick = "/v1/partners/contoso/customers/acme/users"

func TestD2_W3_W14_A1_A3_A4_ThePartnerListsItsCustomersWithTheirPresentSetting(t *testing.T) {
	w, kim, _ := acme(t)
	w.Customer("globex")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "manage"}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"offer": "support"}, "If-Match", "*").Want(200)
	k := w.As("kim@contoso.example")
	list := k.Do("GET", "/v1/partners/contoso/customers", nil).Want(200)
	got := fmt.Sprint(list.String("items.0.customer.id"), list.String("items.0.customer.name"), list.String("items.0.customer.domain"), list.String("items.0.level"), list.String("items.0.effective_level"), list.String("items.1.customer.id"))
	if want := "acmeAcmeacme.examplemanagesupportglobex"; got != want {
		t.Errorf("the list: got %s, want %s", got, want)
	}
	if found := k.Do("GET", "/v1/partners/contoso/customers?q=glo", nil).Want(200); len(found.Get("items").([]any)) != 1 || found.String("items.0.customer.id") != "globex" {
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

func TestA2_A11_A12_A16_A17_AManagedCustomerIsAlwaysOpenAndReadOnlyToTheCustomer(t *testing.T) {
	w, kim, sam := acme(t)
	g := w.Provider().Do("PUT", "/v1/customers/acme/managing-partner", m{"partner": "contoso"}).Want(201)
	if g.String("grant.level") != "manage" || g.Get("grant.managed") != true || g.Get("grant.until") != nil {
		t.Errorf("the grant: got %s, want managed, continuous, at manage", g.Body)
	}
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim, sam}}).Want(200)
	w.Allowed(kim, "settings:write", "acme")
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

func TestA15_AManagedCustomerHasExactlyOnePartner(t *testing.T) {
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

func TestA5_A21_ThePartnerPicksItsUsersWhereTheCustomerHasOpenedAccess(t *testing.T) {
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
	w, kim, _ := acme(t)
	w.Partner("fabrikam")
	fay := w.User("fabrikam", "fay@fabrikam.example", "tech")
	w.Grant("acme", m{"partner": "contoso"}).Want(201)
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim, fay}}).WantProblem(422, "user_not_of_partner")
	w.Grant("acme", m{"partner": "contoso", "users": []string{fay}}).WantProblem(422, "user_not_of_partner", "/users/0")
}

func TestA7_A8_APersonOfTheCustomerCannotAlsoComeInAsAPartner(t *testing.T) {
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
	w, kim, _ := acme(t)
	w.Partner("contoso", "sso", false)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "require_sso": true}).Want(201)
	w.Denied(kim, "sign_in", "acme", "sso_required")
	w.Partner("contoso", "sso", true)
	w.Allowed(kim, "sign_in", "acme")
}

func TestW10_A18_A19_A20_TheSignInLinkShowsOnlyWhileTheUserHasAccess(t *testing.T) {
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": spec.Start.Add(time.Hour)}).Want(201)
	link := func(email string) (url string, access bool) {
		item := w.As(email).Do("GET", "/v1/partners/contoso/customers?status=active,expired,suspended", nil).Want(200).Get("items.0").(map[string]any)
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
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	out := w.As("sam@contoso.example").Do("DELETE", "/v1/partners/contoso/customers/acme", nil).Want(200)
	if got := out.String("grant.end.reason"); got != "relinquished_by_partner" {
		t.Errorf("reason: got %q, want relinquished_by_partner", got)
	}
	w.Denied(kim, "sign_in", "acme", "ended")
}

func TestE2_E6_E7_UsersArePickedPerTenantAndTakingOneOutLeavesTheAccount(t *testing.T) {
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

func TestE10_E14_WhileEveryoneIsOnSingleUsersCannotBeTakenOut(t *testing.T) {
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

func TestE11_E12_E13_EveryoneMeansAllPresentUsersAndEveryFutureOneButNoExternalOnes(t *testing.T) {
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

func TestE15_E16_AfterEveryoneIsSwitchedOffThoseWhoHadAccessKeepItAndAreManagedOneByOne(t *testing.T) {
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
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso"}).Want(201)
	w.As("sam@contoso.example").Do("PUT", pick, m{"everyone": true}).Want(200)
	w.Allowed(kim, "sign_in", "acme")
	w.As("sam@contoso.example").Do("PUT", pick, m{"users": []string{kim}}).WantProblem(409, "everyone_is_on")
	w.As("sam@contoso.example").Do("PUT", pick, m{"everyone": false, "users": []string{kim}}).Want(200)
	w.Allowed(kim, "sign_in", "acme")
}

func TestP2_P4_TheOwnerCreatesEmployeesAndTheySeeEachOther(t *testing.T) {
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
	w := spec.New(t)
	w.Partner("contoso")
	w.Customer("acme")
	w.Member("acme", "bob@acme.example")
	w.Provider().Do("POST", "/v1/partners/contoso/users", m{"email": "bob@acme.example", "name": "Bob", "role": "tech"}).WantProblem(422, "not_for_customers", "/email")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"email": "bob@acme.example"}, "If-Match", "*").WantProblem(422, "not_for_customers", "/email")
}

func TestP8_P9_P10_P11_ThePortalIsDecidedByTheEmployeesRole(t *testing.T) {
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
	}
	for action, roles := range may {
		for role, user := range users {
			q := m{"subject": m{"type": "user", "id": user}, "action": m{"name": action}, "resource": m{"type": "partner", "id": "contoso"}}
			if got, want := w.Backend().Do("POST", "/access/v1/evaluation", q).Want(200).Get("decision"), slices.Contains(strings.Fields(roles), role); got != want {
				t.Errorf("%s, %s: got %v, want %v", role, action, got, want)
			}
			q["resource"] = m{"type": "partner", "id": "fabrikam"}
			if w.Backend().Do("POST", "/access/v1/evaluation", q).Want(200).Get("decision") != false {
				t.Errorf("%s, %s at another partner: got true, want false", role, action)
			}
		}
	}
}

func TestP8_AccountSettingsAreTheOwnersAlone(t *testing.T) {
	w := spec.New(t)
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	w.User("contoso", "adam@contoso.example", "admin")
	account := "/v1/partners/contoso/account"
	etag := w.As("olga@contoso.example").Do("GET", account, nil).Want(200).Header.Get("ETag")
	w.As("olga@contoso.example").Do("PATCH", account, m{"name": "Contoso Ltd", "contacts": []string{"Ops@contoso.example"}}, "If-Match", etag).Want(200)
	w.As("adam@contoso.example").Do("PATCH", account, m{"name": "X"}, "If-Match", "*").WantProblem(403, "forbidden")
	if got := w.Provider().Do("GET", "/v1/partners/contoso", nil).Want(200); got.String("name") != "Contoso Ltd" || got.String("contacts.0") != "ops@contoso.example" {
		t.Errorf("the partner: got %s, want the new name and contact", got.Body)
	}
}

func TestP13_TwoFactorAuthenticationNeedsAPhone(t *testing.T) {
	w := spec.New(t)
	w.Partner("contoso")
	body := m{"email": "kim@contoso.example", "name": "Kim", "role": "tech", "mfa": true}
	w.Provider().Do("POST", "/v1/partners/contoso/users", body).WantProblem(422, "phone_required", "/phone")
	body["phone"] = "+4930123456"
	kim := w.Provider().Do("POST", "/v1/partners/contoso/users", body).Want(201).String("id")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"phone": nil}, "If-Match", "*").WantProblem(422, "phone_required", "/phone")
}

func TestP14_SeveralEmployeesAreCreatedInOneGoWithAResultEach(t *testing.T) {
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
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"email": "kim.keller@contoso.example", "role": "business", "phone": "+4930123456"}, "If-Match", `"1"`).Want(200)
	w.Allowed("kim.keller@contoso.example", "sign_in", "acme")
	w.Denied("kim@contoso.example", "sign_in", "acme", "unknown_subject")
	w.User("contoso", "kim@contoso.example", "tech") // the old address is free again
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"email": "kim@contoso.example"}, "If-Match", "*").WantProblem(409, "email_taken", "/email")
}

func TestP17_ChangingAccessDoesNotAlterHistory(t *testing.T) {
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	before := w.AdminOf("acme").Do("GET", "/v1/customers/acme/history?type=grant.created", nil).Want(200).Body
	w.Advance(time.Hour)
	w.AdminOf("acme").Do("PATCH", contosoGrant, m{"level": "manage"}, "If-Match", "*").Want(200)
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"name": "Kimberly"}, "If-Match", "*").Want(200)
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+kim, nil).Want(204)
	if after := w.AdminOf("acme").Do("GET", "/v1/customers/acme/history?type=grant.created", nil).Want(200).Body; string(after) != string(before) {
		t.Errorf("history: got\n%s\nwant\n%s", after, before)
	}
}

func TestP21_AnEmployeeIsDeletedAndOneOwnerStays(t *testing.T) {
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
