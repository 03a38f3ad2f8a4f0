package spec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// The customer's side: rows D and W of the features, and A12 to A14. The names begin with the rows' tags.

// acme is a world in which customer acme may let contoso in, whose users are kim and sam.
func acme(t *testing.T) (w *spec.World, kim, sam string) {
	t.Helper()
	w = spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	return w, w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "business")
}

type m = map[string]any

const grants, contosoGrant = "/v1/customers/acme/grants", "/v1/customers/acme/grants/contoso"

func TestD1_D3_ACustomerAddsUsersAndSoGrantsThemReadAccess(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	for _, action := range []string{"sign_in", "insights:read", "metrics:read", "dashboard:read", "capacity:read"} {
		w.Allowed(kim, action, "acme")
	}
	w.Denied(kim, "reports:read", "acme", "level_too_low")
	w.Denied(sam, "insights:read", "acme", "user_not_assigned")
}

func TestD4_D15_D16_PartnersAreAddedByEmailOrByOrganisation(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	one := w.Grant("acme", m{"email": "Kim@Contoso.example", "level": "view"}).Want(201)
	if got := one.Strings("changes.added"); !slices.Equal(got, []string{kim}) {
		t.Errorf("added: got %v, want %s", got, kim)
	}
	ann := w.AdminOf("acme")
	if got := ann.Do("GET", "/v1/partners?q=cont", nil).Want(200).String("items.0.id"); got != "contoso" {
		t.Errorf("found: got %q, want contoso", got)
	}
	users := ann.Do("GET", "/v1/partners/contoso/users", nil).Want(200)
	if a, b := users.String("items.0.id"), users.String("items.1.id"); a != kim || b != sam {
		t.Errorf("registered users: got %s and %s, want %s and %s", a, b, kim, sam)
	}
	w.Grant("acme", m{"partner": "contoso", "users": []string{sam}}).Want(200)
	w.Allowed(sam, "sign_in", "acme")
}

func TestD5_D23_AccessEndsWhenTheUserOrItsOrganisationIsRemoved(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+kim, nil).Want(204)
	w.Denied(kim, "sign_in", "acme", "unknown_subject")
	w.Allowed(sam, "sign_in", "acme")
	w.Provider().Do("DELETE", "/v1/partners/contoso", nil).Want(204)
	w.Denied(sam, "sign_in", "acme", "partner_not_active")
	if got := w.AdminOf("acme").Do("GET", contosoGrant, nil).Want(200); got.String("status") != "ended" ||
		got.String("end.reason") != "partner_removed" {
		t.Errorf("the grant: got %s, want ended by partner_removed", got.Body)
	}
	me := w.As("sam@contoso.example").Do("GET", "/v1/me", nil).Want(200)
	if me.Get("partner") != nil || me.String("removed_partner") != "Contoso" {
		t.Errorf("its person asks who it is: got %s, want no partner, and the name of the one that was removed", me.Body)
	}
}

func TestD6_TheGranterMustBeRegistered(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.As("nobody@acme.example").Do("POST", grants, m{"partner": "contoso", "users": []string{kim}}).WantProblem(403, "not_registered")
}

func TestD7_TheUserMustNotBelongToTheGrantersOwnOrganisation(t *testing.T) {
	t.Parallel()
	w, _, _ := acme(t)
	w.Member("acme", "bob@elsewhere.example")
	for _, email := range []string{"bob@elsewhere.example", "somebody@acme.example"} {
		w.Grant("acme", m{"email": email}).WantProblem(422, "own_organisation", "/email")
	}
	inside := w.User("contoso", "desk@late.example", "tech")
	w.Customer("late") // registered after the user
	w.Grant("late", m{"partner": "contoso", "users": []string{inside}}).WantProblem(422, "own_organisation", "/users/0")
	w.Grant("late", m{"email": "desk@late.example"}).WantProblem(422, "own_organisation", "/email")
}

func TestD8_TheAddressMustBelongToAnActivePartnerAccount(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"email": "who@contoso.example"}).WantProblem(422, "unknown_email", "/email")
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"status": "disabled"}, "If-Match", "*").Want(200)
	w.Grant("acme", m{"email": "kim@contoso.example"}).WantProblem(422, "user_not_active", "/email")
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}, "If-Match", "*").Want(200)
	w.Grant("acme", m{"email": "sam@contoso.example"}).WantProblem(422, "partner_not_active")
}

func TestD9_D10_WhatThePartnerLacksIsRefusedAndTheDetailSaysWhich(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Partner("northwind", "class", "other")
	nina := w.User("northwind", "nina@northwind.example", "tech")
	w.Partner("litware", "offer", "none")
	w.Partner("fabrikam", "status", "suspended")
	w.Partner("tailspin")
	w.Provider().Do("DELETE", "/v1/partners/tailspin", nil).Want(204)
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+kim, m{"status": "disabled"}, "If-Match", "*").Want(200)
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+sam, nil).Want(204)
	for _, c := range []struct {
		lacks   string
		body    m
		status  int
		code    string
		pointer string
		which   []string // what the detail says
	}{
		{"the class", m{"partner": "northwind"}, 422, "partner_not_eligible", "/partner", []string{"not classified as a channel partner"}},
		{
			"the class, for a user",
			m{"partner": "northwind", "users": []string{nina}},
			422, "partner_not_eligible", "/partner",
			[]string{"not classified as a channel partner"},
		},
		{
			"the class, for an address",
			m{"email": "nina@northwind.example"},
			422, "partner_not_eligible", "/partner",
			[]string{"not classified as a channel partner"},
		},
		{"an offer", m{"partner": "litware"}, 422, "partner_not_eligible", "/partner", []string{"offers", "no access"}},
		{"being active", m{"partner": "fabrikam"}, 422, "partner_not_active", "/partner", []string{"partner is not active"}},
		{"being there still", m{"partner": "tailspin"}, 422, "partner_not_active", "/partner", []string{"partner is not active"}},
		{"being there at all", m{"partner": "nobody"}, 404, "not_found", "/partner", []string{"no such partner"}},
		{
			"an active account",
			m{"partner": "contoso", "users": []string{kim}},
			422, "user_not_active", "/users/0",
			[]string{"account is not active"},
		},
		{
			"an active account, by its address",
			m{"email": "kim@contoso.example"},
			422, "user_not_active", "/email",
			[]string{"account is not active"},
		},
		{
			"an account",
			m{"partner": "contoso", "users": []string{sam}},
			422, "user_not_of_partner", "/users/0",
			[]string{sam, "no user of partner contoso"},
		},
		{
			"an account, by its address",
			m{"email": "sam@contoso.example"},
			422, "unknown_email", "/email",
			[]string{"sam@contoso.example", "no user of any partner"},
		},
	} {
		detail := w.Grant("acme", c.body).WantProblem(c.status, c.code, c.pointer).String("detail")
		for _, says := range c.which {
			if !strings.Contains(detail, says) {
				t.Errorf("the partner's side lacks %s: got the detail %q, want it to say %q", c.lacks, detail, says)
			}
		}
		for _, hidden := range []string{kim, nina, "northwind", "litware", "fabrikam", "tailspin", "suspended", "removed", "disabled"} {
			if strings.Contains(detail, hidden) {
				t.Errorf("the partner's side lacks %s: got the detail %q, which says what the directory does not show: %s", c.lacks, detail, hidden)
			}
		}
	}
}

func TestD9_AClassTakenAwayLaterDeniesAtOnce(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"class": "other"}, "If-Match", "*").Want(200)
	w.Denied(kim, "sign_in", "acme", "partner_not_eligible")
}

func TestD12_D13_D18_D19_TheCustomerListsAndSearchesItsPartners(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Partner("fabrikam", "name", "Fabrikam Résell")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	w.Grant("acme", m{"partner": "fabrikam"}).Want(201)
	ann := w.AdminOf("acme")
	all := ann.Do("GET", grants, nil).Want(200)
	if got := fmt.Sprint(all.String("items.0.partner.name"), all.Int("items.0.user_count"), all.String("items.1.partner.name"),
		all.Int("items.1.user_count")); got != "Contoso2Fabrikam Résell0" {
		t.Errorf("the list: got %s, want Contoso with 2 users and Fabrikam with none", got)
	}
	for q, want := range map[string]string{"resell": "fabrikam", "FAB": "fabrikam", "con": "contoso"} {
		found := ann.Do("GET", grants+"?q="+q, nil).Want(200)
		if items := found.Get("items").([]any); len(items) != 1 || found.String("items.0.partner.id") != want {
			t.Errorf("q=%s: got %s, want %s alone", q, found.Body, want)
		}
	}
	if items := ann.Do("GET", grants+"?q=zzz", nil).Want(200).Get("items").([]any); len(items) != 0 {
		t.Errorf("q=zzz: got %v, want nothing", items)
	}
}

func TestD12_TheListOfActivePartnersOmitsEndedAndSuspended(t *testing.T) {
	t.Parallel()
	w, _, _ := acme(t)
	w.Partner("fabrikam")
	w.Partner("litware")
	w.Partner("northwind")
	w.Partner("tailspin")
	until := spec.Start.Add(time.Hour)
	ann := w.AdminOf("acme")
	w.Grant("acme", m{"partner": "contoso"}).Want(201)
	w.Grant("acme", m{"partner": "fabrikam"}).Want(201)
	w.Grant("acme", m{"partner": "litware", "until": until}).Want(201)
	w.Grant("acme", m{"partner": "northwind"}).Want(201)
	w.Grant("acme", m{"partner": "tailspin", "from": spec.Start.Add(day)}).Want(201)
	listed := func(query string) string {
		var out []string
		list := ann.Do("GET", grants+query, nil).Want(200)
		for i := range list.Int("items.length") {
			at := fmt.Sprintf("items.%d.", i)
			out = append(out, list.String(at+"partner.id")+" "+list.String(at+"status"))
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	want := func(when string, lists map[string]string) {
		t.Helper()
		for query, want := range lists {
			if got := listed(query); got != want {
				t.Errorf("%s, %q: got %q, want %q", when, query, got, want)
			}
		}
	}
	want("at first", map[string]string{
		"":               "contoso active, fabrikam active, litware active, northwind active, tailspin scheduled",
		"?status=active": "contoso active, fabrikam active, litware active, northwind active",
	})
	ann.Do("DELETE", "/v1/customers/acme/grants/fabrikam", nil).Want(200)
	ann.Do("PATCH", "/v1/customers/acme/grants/northwind", m{"state": "suspended"}, "If-Match", "*").Want(200)
	w.Stack.Clock.Set(until.Add(-time.Millisecond))
	want("an instant before the end", map[string]string{"?status=active": "contoso active, litware active"})
	after := map[string]string{
		"":                      "contoso active, northwind suspended, tailspin scheduled",
		"?status=active":        "contoso active",
		"?status=ended,expired": "fabrikam ended, litware expired",
		"?status=expired":       "litware expired",
	}
	w.Stack.Clock.Set(until)
	want("at the end, before the sweep", after)
	w.Advance(0)
	want("after the sweep", after)
	for partner, status := range map[string]string{"fabrikam": "ended", "litware": "expired"} { // they are there, for whoever asks
		if got := ann.Do("GET", "/v1/customers/acme/grants/"+partner, nil).Want(200).String("status"); got != status {
			t.Errorf("%s: got %q, want %q", partner, got, status)
		}
	}
}

func TestD17_D28_D30_EveryActionSaysWhatItChanged(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	made := w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	if got := made.Header.Get("Location"); got != contosoGrant {
		t.Errorf("Location: got %q, want %q", got, contosoGrant)
	}
	ann := w.AdminOf("acme")
	edited := ann.Do("PATCH", contosoGrant, m{"users": m{"add": []string{sam}, "remove": []string{kim}}, "level": "support"}, "If-Match",
		made.Header.Get("ETag")).Want(200)
	if a, r, f := edited.Strings("changes.added"), edited.Strings("changes.removed"), edited.Strings("changes.fields"); !slices.Equal(a,
		[]string{sam}) || !slices.Equal(r, []string{kim}) || !slices.Equal(f, []string{"level", "users"}) {
		t.Errorf("changes: got added %v, removed %v, fields %v", a, r, f)
	}
	ended := ann.Do("DELETE", contosoGrant, nil).Want(200)
	if got := ended.String("grant.end.reason"); got != "revoked_by_customer" {
		t.Errorf("reason: got %q, want revoked_by_customer", got)
	}
	if got := ended.String("grant.end.by.email"); got != "admin@acme.example" {
		t.Errorf("by: got %q, want admin@acme.example", got)
	}
}

func TestD20_AddingAnOrganisationThatIsThereAlreadyMerges(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	first := w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	second := w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(200)
	if a, b := first.String("grant.id"), second.String("grant.id"); a != b {
		t.Errorf("grant: got %s, then %s: want one", a, b)
	}
	if got := second.Int("grant.user_count"); got != 2 {
		t.Errorf("user_count: got %d, want 2", got)
	}
	if got := second.Strings("changes.added"); !slices.Equal(got, []string{sam}) {
		t.Errorf("added: got %v, want sam alone", got)
	}
	if items := w.AdminOf("acme").Do("GET", grants, nil).Get("items").([]any); len(items) != 1 {
		t.Errorf("rows: got %d, want 1", len(items))
	}
}

func TestD24_D25_WithoutAccessACustomerIsNotListed(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	k := w.As("kim@contoso.example")
	if items := k.Do("GET", "/v1/partners/contoso/customers", nil).Want(200).Get("items").([]any); len(items) != 0 {
		t.Errorf("customers: got %v, want none", items)
	}
	if got := k.Do("GET", "/v1/me", nil).Want(200).String("partner.user.status"); got != "active" {
		t.Errorf("account: got %q, want active", got)
	}
}

func TestD24_NotificationsAreAnActionAndEndWithTheAccess(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	w.Allowed(kim, "notifications:receive", "acme")
	w.Denied(sam, "notifications:receive", "acme", "user_not_assigned")
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	w.Denied(kim, "notifications:receive", "acme", "ended")
}

func TestD27_TheSavedSetReplacesTheOldOne(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	lee := w.User("contoso", "lee@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
	out := w.AdminOf("acme").Do("PATCH", contosoGrant, m{"users": m{"set": []string{sam, lee}}}, "If-Match", `"1"`).Want(200)
	if a, r := out.Strings("changes.added"), out.Strings("changes.removed"); !slices.Equal(a, []string{lee}) ||
		!slices.Equal(r, []string{kim}) {
		t.Errorf("changes: got added %v, removed %v; want lee and kim", a, r)
	}
	w.Denied(kim, "sign_in", "acme", "user_not_assigned")
	w.Allowed(sam, "sign_in", "acme")
	w.Allowed(lee, "sign_in", "acme")
}

func TestD29_RemoveEndsTheOrganisationsAccessInTheNextCheck(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.Allowed(kim, "sign_in", "acme")
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	w.Denied(kim, "sign_in", "acme", "ended")
	w.Denied(sam, "sign_in", "acme", "ended")
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200) // says the same again
}

func TestRegrantingIsANewGrantAndTheReasonsStayInTheHistory(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	first := w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201).String("grant.id")
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	second := w.Grant("acme", m{"partner": "contoso", "users": []string{sam}}).Want(201)
	if second.String("grant.id") == first {
		t.Error("the grant's id: got the same, want another")
	}
	w.Denied(kim, "sign_in", "acme", "user_not_assigned") // the old assignment does not come back to life
	w.Allowed(sam, "sign_in", "acme")
	w.Advance(time.Hour)
	history := w.AdminOf("acme").Do("GET", "/v1/customers/acme/history?type=grant.revoked", nil).Want(200)
	if got := history.String("items.0.data.reason"); got != "revoked_by_customer" || history.String("items.0.data.grant") != first {
		t.Errorf("history: got %s, want the first grant's end", history.Body)
	}
}

// Whichever is lower wins, and the partner's portal shows it, from where the customer's own console is launched.
func TestW10_W11_W14_OfGrantAndOfferTheLowerCounts(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	levels := []string{"none", "view", "support", "manage"}
	needs := map[string]string{"sign_in": "view", "reports:read": "support", "settings:write": "manage"}
	offer := func(level string) {
		t.Helper()
		w.Provider().Do("PATCH", "/v1/partners/contoso", m{"offer": level}, "If-Match", "*").Want(200)
	}
	for _, c := range []struct{ grant, offer, want string }{
		{"manage", "manage", "manage"},
		{"manage", "support", "support"},
		{"support", "manage", "support"},
		{"manage", "view", "view"},
		{"view", "manage", "view"},
		{"support", "view", "view"},
		{"view", "support", "view"},
		{"manage", "none", "none"},
		{"none", "manage", "none"},
	} {
		offer("manage")
		w.AdminOf("acme").Do("PATCH", contosoGrant, m{"level": c.grant}, "If-Match", "*").Want(200)
		offer(c.offer)
		name := "granted " + c.grant + ", offered " + c.offer
		enters := c.want != "none"
		for action, least := range needs {
			if slices.Index(levels, c.want) >= slices.Index(levels, least) {
				w.Allowed(kim, action, "acme")
			} else {
				w.Denied(kim, action, "acme", "level_too_low")
			}
		}
		if enters {
			a := w.Backend().Do("POST", "/access/v1/evaluation", spec.Question(kim, "sign_in", "acme")).Want(200)
			if got := a.String("context.level"); got != c.want {
				t.Errorf("%s: the check's level: got %q, want %q", name, got, c.want)
			}
		}
		k := w.As("kim@contoso.example")
		list := k.Do("GET", "/v1/partners/contoso/customers", nil).Want(200)
		if got := list.String("items.0.level") + ", " + list.String("items.0.effective_level"); got != c.grant+", "+c.want {
			t.Errorf("%s: the partner sees %s, want %s, %s", name, got, c.grant, c.want)
		}
		if got := list.Get("items.0.you_have_access"); got != enters {
			t.Errorf("%s: you_have_access: got %v, want %v", name, got, enters)
		}
		if link := list.Get("items.0.sign_in_url"); (link != nil) != enters {
			t.Errorf("%s: the link to the customer's console: got %v, want one: %v", name, link, enters)
		}
		users := k.Do("GET", "/v1/partners/contoso/customers/acme/users", nil).Want(200)
		if got := users.String("items.0.effective_level"); got != c.want {
			t.Errorf("%s: the user's level: got %q, want %q", name, got, c.want)
		}
	}
}

func TestW4_W9_W11_ManageWorksOnlyWhenBothSidesAgree(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	g := w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "manage"}).Want(201)
	if got := g.String("grant.effective_level"); got != "manage" {
		t.Errorf("effective level: got %q, want manage", got)
	}
	w.Allowed(kim, "settings:write", "acme")
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"offer": "support"}, "If-Match", "*").Want(200)
	w.Denied(kim, "settings:write", "acme", "level_too_low")
	w.Allowed(kim, "reports:read", "acme")
	if got := w.AdminOf("acme").Do("GET", contosoGrant, nil).Want(200); got.String("level") != "manage" ||
		got.String("effective_level") != "support" {
		t.Errorf("levels: got %s and %s, want manage and support", got.String("level"), got.String("effective_level"))
	}
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"offer": "none"}, "If-Match", "*").Want(200)
	w.Denied(kim, "sign_in", "acme", "level_too_low")
}

func TestW2_EachPurposeHasAnActionAndTheLeastLevelThatGivesIt(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "none"}).Want(201)
	levels := []string{"none", "view", "support", "manage"}
	for have, level := range levels {
		w.AdminOf("acme").Do("PATCH", contosoGrant, m{"level": level}, "If-Match", "*").Want(200)
		for _, c := range []struct{ purpose, action, least string }{
			{"support", "reports:read", "support"},
			{"optimisation", "insights:read", "view"},
			{"optimisation", "metrics:read", "view"},
			{"managed configuration", "settings:write", "manage"},
			{"activity monitoring for billing", "user_activity:read", "support"},
			{"activity monitoring for billing", "capacity:read", "view"},
		} {
			want, reason := have >= slices.Index(levels, c.least), "level_too_low"
			if want {
				reason = "granted"
			}
			if got, why := w.Check(kim, c.action, "acme"); got != want || why != reason {
				t.Errorf("%s (%s) at level %s: got %v (%s), want %v (%s)", c.purpose, c.action, level, got, why, want, reason)
			}
		}
	}
}

func TestW6_SupportIsReadOnly(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "support"}).Want(201)
	for _, what := range []string{"dashboard", "reports", "user_activity"} {
		w.Allowed(kim, what+":read", "acme")
		w.Denied(kim, what+":write", "acme", "level_too_low")
		w.Denied(kim, what+":delete", "acme", "level_too_low")
	}
	w.Denied(kim, "settings:write", "acme", "level_too_low")
}

func TestW7_ARelationshipOpensSupportWhenTheOfferIsAtLeastThat(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("litware", "offer", "view")
	open := w.Provider().Do("PUT", "/v1/customers/acme/relationships/contoso", m{}).Want(201)
	if got := open.String("grant.level"); got != "support" {
		t.Errorf("level: got %q, want support", got)
	}
	if got := w.Provider().Do("PUT", "/v1/customers/acme/relationships/litware", m{}).Want(201).String("grant.level"); got != "none" {
		t.Errorf("level of the lesser offer: got %q, want none", got)
	}
	w.Provider().Do("PUT", "/v1/customers/acme/relationships/contoso", m{}).Want(200)
	w.As("sam@contoso.example").Do("PUT", "/v1/partners/contoso/customers/acme/users", m{"users": []string{kim}}).Want(200)
	w.Allowed(kim, "reports:read", "acme")
	w.Provider().Do("DELETE", "/v1/customers/acme/relationships/contoso", nil).Want(200)
	w.Denied(kim, "reports:read", "acme", "ended")
}

func TestW8_W13_TheCustomerCanLowerAndRevokeAtAnyTime(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "manage"}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"level": "support"}, "If-Match", `"999"`).Want(200)
	w.Denied(kim, "settings:write", "acme", "level_too_low")
	ann.Do("PATCH", contosoGrant, m{"level": "manage"}, "If-Match", `"999"`).WantProblem(412, "version_mismatch")
	ann.Do("PATCH", contosoGrant, m{"state": "suspended"}, "If-Match", `"999"`).Want(200)
	w.Denied(kim, "sign_in", "acme", "suspended")
	ann.Do("PATCH", contosoGrant, m{"state": "open"}, "If-Match", `"3"`).Want(200)
	w.Allowed(kim, "sign_in", "acme")
	ann.Do("DELETE", contosoGrant, nil).Want(200)
	w.Denied(kim, "sign_in", "acme", "ended")
}

func TestW12_AccessNeverFlowsAlongThePartnerTree(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Partner("child", "parent", "contoso")
	w.Partner("parent")
	w.Partner("contoso", "parent", "parent")
	up, down := w.User("parent", "up@parent.example", "tech"), w.User("child", "down@child.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "everyone": true, "level": "manage"}).Want(201)
	w.Allowed(kim, "settings:write", "acme")
	w.Denied(up, "sign_in", "acme", "no_grant")
	w.Denied(down, "sign_in", "acme", "no_grant")
}

func TestA13_A14_AccessIsContinuousTimedOrDisabledToTheInstant(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	from, until := spec.Start.Add(time.Hour), spec.Start.Add(3*time.Hour)
	g := w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "from": from, "until": until}).Want(201)
	if got := g.String("grant.status"); got != "scheduled" {
		t.Errorf("status: got %q, want scheduled", got)
	}
	w.Advance(time.Hour - time.Millisecond)
	w.Denied(kim, "sign_in", "acme", "not_yet_active")
	w.Advance(time.Millisecond)
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(2*time.Hour - time.Millisecond)
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(time.Millisecond)
	w.Denied(kim, "sign_in", "acme", "expired")
	ann := w.AdminOf("acme")
	if got := ann.Do("GET", contosoGrant, nil).Want(200); got.String("status") != "expired" ||
		got.String("until") != until.Format(time.RFC3339) {
		t.Errorf("the grant: got %s, want expired, with its end", got.Body)
	}
	ann.Do("PATCH", contosoGrant, m{"until": until.Add(time.Hour)}, "If-Match", "*").WantProblem(409, "ended")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201) // continuous
	w.Advance(10 * 365 * 24 * time.Hour)
	w.Allowed(kim, "sign_in", "acme")
}

func TestA14_TheCustomerSuspendsAndResumesAccessWhileAPeriodEnds(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	state := func(state, status string) {
		t.Helper()
		if got := ann.Do("PATCH", contosoGrant, m{"state": state}, "If-Match", "*").Want(200).String("grant.status"); got != status {
			t.Errorf("%s: got status %q, want %q", state, got, status)
		}
		seen := w.As("sam@contoso.example").Do("GET", "/v1/partners/contoso/customers?status=active,suspended", nil).Want(200)
		if got := seen.String("items.0.status"); got != status {
			t.Errorf("%s: the partner sees %q, want %q", state, got, status)
		}
	}
	w.Grant("acme", m{"partner": "contoso", "everyone": true, "level": "manage"}).Want(201) // continuous
	for range 2 {
		state("suspended", "suspended")
		w.Denied(kim, "sign_in", "acme", "suspended")
		w.Denied(sam, "settings:write", "acme", "suspended")
		w.Advance(100 * day) // nothing opens it but the customer
		w.Denied(kim, "sign_in", "acme", "suspended")
		state("open", "active")
		w.Allowed(kim, "sign_in", "acme")
		w.Allowed(sam, "settings:write", "acme")
	}
	ann.Do("DELETE", contosoGrant, nil).Want(200)

	// A period goes on while access is disabled, and what is open again ends when it would have.
	until := w.Now().Add(3 * time.Hour)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": until}).Want(201)
	state("suspended", "suspended")
	w.Advance(time.Hour)
	w.Denied(kim, "sign_in", "acme", "suspended")
	state("open", "active")
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(2*time.Hour - time.Millisecond)
	w.Allowed(kim, "sign_in", "acme")
	state("suspended", "suspended")
	w.Denied(kim, "sign_in", "acme", "suspended")
	w.Advance(time.Millisecond)
	w.Denied(kim, "sign_in", "acme", "expired")
	ann.Do("PATCH", contosoGrant, m{"state": "open"}, "If-Match", "*").WantProblem(409, "ended")
	w.Denied(kim, "sign_in", "acme", "expired")
}

func TestTheEndCanBeMovedWhileThePeriodLasts(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "until": spec.Start.Add(time.Hour)}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("PATCH", contosoGrant, m{"until": "2026-11-22T14:00:00+02:00"}, "If-Match", `"1"`).Want(200)
	w.Advance(2*time.Hour - time.Millisecond)
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(time.Millisecond)
	w.Denied(kim, "sign_in", "acme", "expired")
}

func TestTheKillSwitchSuspendsAPartnerEverywhereAndResumesIt(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Customer("globex")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "everyone": true}).Want(201)
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}, "If-Match", `"999"`).Want(200)
	w.Denied(kim, "sign_in", "acme", "partner_not_active")
	w.Denied(kim, "sign_in", "globex", "partner_not_active")
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "active"}, "If-Match", "*").Want(200)
	w.Allowed(kim, "sign_in", "acme")
}

func TestARemovedCustomerLetsNobodyInAndIsGone(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Provider().Do("DELETE", "/v1/customers/acme", nil).Want(204)
	w.Denied(kim, "sign_in", "acme", "ended")
	w.AdminOf("acme").Do("GET", grants, nil).WantProblem(404, "not_found")
	w.Provider().Do("PUT", "/v1/customers/acme", m{"name": "Acme"}).WantProblem(409, "ended")
}
