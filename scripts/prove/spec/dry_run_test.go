package spec_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

func TestD15_D17_ADryRunSaysWhomTheAddressFindsAndChangesNothing(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	found := ann.Do("POST", grants+"?dry_run=true", m{"email": "Kim@Contoso.example", "level": "support"}).Want(200)
	if found.String("would.answer.grant.partner.id") != "contoso" || found.String("would.answer.grant.level") != "support" ||
		found.String("would.answer.changes.people.0.id") != kim ||
		found.String("would.answer.changes.people.0.email") != "kim@contoso.example" ||
		found.String("would.answer.changes.people.0.effective_level") != "support" {
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
	if found.String("would.answer.grant.id") != open.String("id") ||
		found.String("would.answer.changes.people.0.effective_level") != "manage" ||
		found.Int("would.answer.changes.user_count.after") != 2 {
		t.Errorf("got %s, want the open grant, and kim as the second, with manage", found.Body)
	}
	found = ann.Do("POST", grants+"?dry_run=true", m{"email": "kim@contoso.example", "level": "view"}).Want(200)
	if got := found.String("would.answer.changes.people.0.effective_level"); got != "view" {
		t.Errorf("kim's level: got %s, want view", got)
	}
	found = ann.Do("POST", grants+"?dry_run=true", m{"email": "sam@contoso.example"}).Want(200)
	if found.String("would.answer.changes.people.0.id") != sam || len(found.Strings("would.answer.changes.added")) != 0 {
		t.Errorf("got %s, want sam, who has access already", found.Body)
	}
	if got := ann.Do("GET", contosoGrant, nil).Want(200); got.Int("version") != open.Int("version") {
		t.Errorf("got version %d, want %d as before", got.Int("version"), open.Int("version"))
	}
}

func TestD15_ADryRunSaysNoMoreThanTheGrantWould(t *testing.T) {
	t.Parallel()
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
		at := "would.problem."
		if real.Status == 400 { // what is malformed is refused as ever
			at = ""
		}
		if dry.String(at+"code") != real.String("code") || dry.String(at+"detail") != real.String("detail") {
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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

// people are those who gain or lose, as user, customer, and the levels before and after.
func people(t *testing.T, a *spec.Answer, which string) []string {
	t.Helper()
	out := []string{}
	for _, e := range a.Get(which).([]any) {
		e := e.(map[string]any)
		user := e["user"].(map[string]any)
		out = append(out, fmt.Sprint(user["email"], " ", e["customer"], ": ", e["from_level"], " -> ", e["to_level"]))
	}
	if total := a.Int(which + "_total"); total != len(out) {
		t.Errorf("%s_total: got %d, want %d", which, total, len(out))
	}
	return out
}

func TestADryRunNamesWhoGainsAndWhoLoses(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Customer("globex")
	olgaID := w.User("contoso", "olga@contoso.example", "owner")
	ann, olga := w.AdminOf("acme"), w.As("olga@contoso.example")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}, "level": "support", "assigned_by": "partner"}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "everyone": true, "level": "view"}).Want(201)
	const k, s, o = "kim@contoso.example", "sam@contoso.example", "olga@contoso.example"
	for _, tc := range []struct {
		name         string
		by           *spec.Client
		method, path string
		body         any
		gains, loses []string
	}{
		{
			"a higher level", ann, "PATCH", contosoGrant,
			m{"level": "manage"},
			[]string{k + " acme: support -> manage", s + " acme: support -> manage"},
			nil,
		},
		{"a cap", ann, "PATCH", contosoGrant, m{"caps": m{k: "view"}}, nil, []string{k + " acme: support -> view"}},
		{
			"one in, one out", ann, "PATCH", contosoGrant,
			m{"users": m{"add": []string{olgaID}, "remove": []string{kim}}},
			[]string{o + " acme: none -> support"},
			[]string{k + " acme: support -> none"},
		},
		{"everyone", ann, "PATCH", contosoGrant, m{"everyone": true}, []string{o + " acme: none -> support"}, nil},
		{
			"an end", ann, "PATCH", contosoGrant,
			m{"until": spec.Start.Add(day)},
			nil,
			[]string{k + " acme: support -> support", s + " acme: support -> support"},
		},
		{
			"a pause", ann, "PATCH", contosoGrant,
			m{"state": "suspended"},
			nil,
			[]string{k + " acme: support -> none", s + " acme: support -> none"},
		},
		{"a note", ann, "PATCH", contosoGrant, m{"note": "for the audit"}, nil, nil},
		{"a revocation", ann, "DELETE", contosoGrant, nil, nil, []string{k + " acme: support -> none", s + " acme: support -> none"}},
		{
			"the partner's end", olga, "DELETE", "/v1/partners/contoso/customers/acme", nil, nil,
			[]string{k + " acme: support -> none", s + " acme: support -> none"},
		},
		{
			"a user who is disabled", olga, "PATCH", "/v1/partners/contoso/users/" + kim,
			m{"status": "disabled"},
			nil,
			[]string{k + " acme: support -> none", k + " globex: view -> none"},
		},
		{
			"a user who is removed", olga, "DELETE", "/v1/partners/contoso/users/" + sam, nil, nil,
			[]string{s + " acme: support -> none", s + " globex: view -> none"},
		},
		{
			"a lower offer", w.Provider(), "PATCH", "/v1/partners/contoso",
			m{"offer": "view"},
			nil,
			[]string{k + " acme: support -> view", s + " acme: support -> view"},
		},
		{"the kill switch", w.Provider(), "PATCH", "/v1/partners/contoso", m{"status": "suspended"}, nil, []string{
			k + " acme: support -> none", s + " acme: support -> none", k + " globex: view -> none", o + " globex: view -> none",
			s + " globex: view -> none",
		}},
		{
			"a customer that leaves", w.Provider(), "DELETE", "/v1/customers/globex", nil, nil,
			[]string{k + " globex: view -> none", o + " globex: view -> none", s + " globex: view -> none"},
		},
	} {
		a := tc.by.Do(tc.method, tc.path+"?dry_run=true", tc.body, "If-Match", "*").Want(200)
		gains, loses := people(t, a, "gains"), people(t, a, "loses")
		slices.Sort(gains)
		slices.Sort(loses)
		slices.Sort(tc.gains)
		slices.Sort(tc.loses)
		if !slices.Equal(gains, tc.gains) || !slices.Equal(loses, tc.loses) {
			t.Errorf("%s: got gains %q and loses %q, want %q and %q: %s", tc.name, gains, loses, tc.gains, tc.loses, a.Body)
		}
	}
}

func TestADryRunOfALaterPeriodNamesWhoGainsThen(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	from := spec.Start.Add(day)
	a := w.AdminOf("acme").Do("POST", grants+"?dry_run=true", m{"partner": "contoso", "users": []string{kim}, "from": from}).Want(200)
	if got := people(t, a, "gains"); !slices.Equal(got, []string{"kim@contoso.example acme: none -> view"}) {
		t.Errorf("gains: got %q", got)
	}
	if got := a.String("gains.0.at"); got != from.Format(time.RFC3339) {
		t.Errorf("got from %s on, want %s", got, from.Format(time.RFC3339))
	}
}

func TestADryRunSaysWhatWorkFollowsLater(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Customer("globex")
	p := w.Provider()
	for id, contacts := range map[string][]string{"acme": {"it@acme.example"}, "globex": {"it@globex.example", "boss@globex.example"}} {
		p.Do("PUT", "/v1/customers/"+id, m{"name": id, "contacts": contacts}, "If-Match", "*").Want(200)
	}
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "everyone": true}).Want(201)
	ann := w.AdminOf("acme")
	ann.Do("POST", "/v1/customers/acme/invitations", m{"email": "eve@guests.example", "partner": "contoso"}).Want(201)
	for _, c := range []struct {
		by           *spec.Client
		method, path string
		body         any
		want         string
		mails        int
	}{
		{p, "PATCH", "/v1/partners/contoso", m{"status": "suspended"}, "[invitations partner_suspended]", 5}, // three contacts, eve and ann
		{p, "PATCH", "/v1/partners/contoso", m{"name": "Contoso Nord"}, "[]", 0},
		{p, "DELETE", "/v1/partners/contoso", nil, "[invitations partner_removed]", 6}, // kim, too: of everyone nobody is named
		{p, "DELETE", "/v1/partners/contoso/users/" + kim, nil, "[user_removed]", 1},   // acme counted kim
		{ann, "DELETE", contosoGrant, nil, "[invitations]", 2},                         // eve and ann
	} {
		a := c.by.Do(c.method, c.path+"?dry_run=true", c.body, "If-Match", "*").Want(200)
		if got := fmt.Sprint(a.Get("later")); got != c.want || a.Int("later_mails_total") != c.mails {
			t.Errorf("%s %s: got the later work %s with %d mails, want %s with %d", c.method, c.path, got, a.Int("later_mails_total"), c.want,
				c.mails)
		}
	}
}

func TestADryRunWritesNothingAndTellsTheMails(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	contacts := m{"contacts": []string{"desk@contoso.example", "boss@contoso.example"}}
	w.Provider().Do("PATCH", "/v1/partners/contoso", contacts, "If-Match", "*").Want(200)
	w.Provider().Do("PUT", "/v1/customers/acme", m{"name": "Acme", "contacts": []string{"it@acme.example"}}, "If-Match", "*").Want(200)
	ann := w.AdminOf("acme")
	before := records(t, w)
	a := ann.Do("POST", grants+"?dry_run=true", m{"partner": "contoso", "users": []string{kim}, "assigned_by": "partner"}).Want(200)
	if !slices.Equal(before, records(t, w)) {
		t.Error("the dry run changed the table")
	}
	if got := a.Get("events"); fmt.Sprint(got) != "[map[type:grant.created]]" {
		t.Errorf("events: got %v", got)
	}
	// The partner's contacts are the partner's: that they get a mail is said, not how many they are.
	want := []string{"<nil> granted", "it@acme.example granted", "kim@contoso.example granted"}
	got := []string{}
	for _, mail := range a.Get("mails").([]any) {
		got = append(got, fmt.Sprint(mail.(map[string]any)["to"], " ", mail.(map[string]any)["template"]))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || a.Int("mails_total") != 3 {
		t.Errorf("mails: got %q, want %q", got, want)
	}
}

func TestARequestDoesWhatItsPlanSaysOrNothing(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	body := m{"level": "support"}
	plan := ann.Do("PATCH", contosoGrant+"?dry_run=true", body, "If-Match", "*").Want(200).String("plan")
	again := ann.Do("PATCH", contosoGrant+"?dry_run=true", body, "If-Match", "*").Want(200).String("plan")
	if plan != again {
		t.Errorf("the same request has the plans %s and %s", plan, again)
	}
	prefer := []string{"If-Match", "*", "Prefer", "plan=" + plan}
	ann.Do("PATCH", contosoGrant, m{"level": "manage"}, prefer...).WantProblem(409, "plan_changed")
	ann.Do("PATCH", contosoGrant, body, "If-Match", "*", "Prefer", "plan=nonsense").WantProblem(409, "plan_changed")

	// Somebody else gets less meanwhile: what was shown would not happen.
	w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+sam, m{"status": "disabled"}, "If-Match", "*").Want(200)
	ann.Do("PATCH", contosoGrant, body, prefer...).WantProblem(409, "plan_changed")
	w.Allowed(kim, "sign_in", "acme")

	plan = ann.Do("PATCH", contosoGrant+"?dry_run=true", body, "If-Match", "*").Want(200).String("plan")
	done := ann.Do("PATCH", contosoGrant, body, "If-Match", "*", "Prefer", "return=minimal, plan="+plan).Want(200)
	if got := done.Header.Get("Preference-Applied"); got != "plan" {
		t.Errorf("Preference-Applied: got %q, want plan", got)
	}
	w.Allowed(kim, "reports:read", "acme")
	// What only takes goes by a plan, too, and is done by it.
	plan = ann.Do("DELETE", contosoGrant+"?dry_run=true", nil).Want(200).String("plan")
	ann.Do("DELETE", contosoGrant, nil, "Prefer", "plan="+plan).Want(200)
	w.Denied(kim, "sign_in", "acme", "ended")
}

func TestARepeatedRequestWithAPlanIsAnsweredAsTheFirstTime(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	ann := w.AdminOf("acme")
	body := m{"partner": "contoso", "users": []string{kim}}
	plan := ann.Do("POST", grants+"?dry_run=true", body).Want(200).String("plan")
	send := func(key string) *spec.Answer {
		return ann.Do("POST", grants, body, "Prefer", "plan="+plan, "Idempotency-Key", key)
	}
	first := send("once").Want(201)
	again := send("once").Want(201)
	if again.Header.Get("Idempotency-Replayed") != "true" || again.String("grant.id") != first.String("grant.id") {
		t.Errorf("got %s, want the first answer: %s", again.Body, first.Body)
	}
	send("twice").WantProblem(409, "plan_changed") // another request, which would do something else now
}
