package spec_test

import (
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// A partner asks, and the customer decides: nothing is granted but by an approval.

const (
	contosoRequests = "/v1/partners/contoso/requests"
	acmeRequests    = "/v1/customers/acme/requests"
	acmePolicy      = "/v1/customers/acme/request-policy"
)

// asking is a world with mails in which olga leads contoso, kim works for it, and admin@ and bob@ are acme's admins.
func asking(t *testing.T) (w *spec.World, olga, ann *spec.Client, kim string) {
	t.Helper()
	w = withMail(t)
	ann = w.AdminOf("acme")
	w.Admin("acme", "bob@acme.example")
	kim = w.User("contoso", "kit@contoso.example", "tech")
	return w, w.As("olga@contoso.example"), ann, kim
}

// code makes a code of acme's.
func code(ann *spec.Client) string {
	return ann.Do("POST", acmePolicy+"/code", nil).Want(200).String("code")
}

// policy puts acme's policy.
func policy(ann *spec.Client, body m) { ann.Do("PUT", acmePolicy, body, "If-Match", "*").Want(200) }

func TestAPartnerAsksWithACodeAndTheApprovalIsTheGrant(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	until := spec.Start.Add(90 * day)
	asked := olga.Do("POST", contosoRequests, m{
		"customer": "acme", "code": strings.ToLower(code(ann)), "kind": "access", "level": "support", "users": []string{kim}, "until": until,
		"reason": "Migration", "ticket": "INC-1",
	}).Want(201)
	id := asked.String("request.id")
	if asked.String("request.status") != "pending" || asked.Header.Get("Location") != contosoRequests+"/"+id {
		t.Errorf("got %s at %s, want it pending", asked.Body, asked.Header.Get("Location"))
	}
	w.Denied(kim, "sign_in", "acme", "no_grant")
	mailed(t, w, "admin@acme.example", "request.created", 1)
	mailed(t, w, "bob@acme.example", "request.created", 1)
	mailed(t, w, "olga@contoso.example", "request.created", 1)

	bob := w.As("bob@acme.example")
	approve := acmeRequests + "/" + id + "/approve"
	would := ann.Do("POST", approve+"?dry_run=true", m{"level": "view"}).Want(200)
	if would.String("gains.0.user.id") != kim || would.String("gains.0.to_level") != "view" ||
		would.String("would.answer.grant.level") != "view" {
		t.Errorf("the dry run: got %s, want that kim gets view", would.Body)
	}
	w.Denied(kim, "sign_in", "acme", "no_grant")
	ann.Do("POST", approve, m{"level": "manage", "until": nil}).WantProblem(422, "wider_than_asked", "/level", "/until")
	done := ann.Do("POST", approve, m{"level": "view", "note": "To begin with"}, "Idempotency-Key", "k").Want(200)
	if done.String("request.status") != "approved" || done.String("grant.level") != "view" || done.String("request.granted.level") != "view" ||
		done.String("request.decided_by.email") != "admin@acme.example" {
		t.Errorf("got %s, want it approved at view", done.Body)
	}
	w.Allowed(kim, "insights:read", "acme")
	w.Denied(kim, "reports:read", "acme", "level_too_low")
	again := ann.Do("POST", approve, m{"level": "view", "note": "To begin with"}, "Idempotency-Key", "k")
	if string(again.Body) != string(done.Body) {
		t.Errorf("repeated: got %s, want %s", again.Body, done.Body)
	}
	late := bob.Do("POST", acmeRequests+"/"+id+"/decline", m{}).WantProblem(409, "request_ended")
	if !strings.Contains(late.String("detail"), "admin@acme.example") {
		t.Errorf("the second: got %s, want who decided", late.Body)
	}
	mailed(t, w, "olga@contoso.example", "request.approved", 1)
	mailed(t, w, "bob@acme.example", "request.approved", 1)
	for _, list := range []*spec.Answer{
		ann.Do("GET", "/v1/customers/acme/history?type=grant.created", nil).Want(200),
		olga.Do("GET", "/v1/partners/contoso/history?type=grant.created", nil).Want(200),
		olga.Do("GET", "/v1/partners/contoso/history?type=request.approved", nil).Want(200),
	} {
		if list.String("items.0.data.request") != id || list.Get("items.0.data.approvers") != nil && list.String("items.0.partner.id") == "" {
			t.Errorf("a history: got %s, want the request's id", list.Body)
		}
	}
	if got := olga.Do("GET", "/v1/partners/contoso/history?type=request.created", nil).Want(200); got.Get("items.0.data.approvers") != nil {
		t.Errorf("the partner's history: got %s, want nobody of the customer who decides", got.Body)
	}
}

func TestWhoMayNotAskLearnsNothingAndRunsOutOfAttempts(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	w.Customer("globex")
	w.AdminOf("globex").Do("PUT", "/v1/customers/globex/request-policy", m{"mode": "off"}, "If-Match", "*").Want(200)
	right := code(ann)
	ask := func(customer, code string) *spec.Answer {
		return olga.Do("POST", contosoRequests, m{"customer": customer, "code": code, "kind": "access", "users": []string{kim}})
	}
	var first string
	for _, customer := range []string{"acme", "globex", "nowhere"} {
		for n := range 5 {
			got := ask(customer, "WRONG234").WantProblem(404, "cannot_ask").String("detail")
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("%s, attempt %d: got %q, want %q as everywhere", customer, n, got, first)
			}
		}
		ask(customer, right).WantProblem(429, "too_many_requests")
	}
	if got := olga.Do("GET", contosoRequests, nil).Want(200); got.Int("items.length") != 0 {
		t.Errorf("got %s, want no request", got.Body)
	}
	got := ann.Do("GET", "/v1/customers/acme/history?type=request.codes_refused", nil).Want(200)
	if got.Int("items.length") != 1 || got.String("items.0.data.asking.id") != "contoso" {
		t.Errorf("acme's history: got %s, want one word about contoso", got.Body)
	}
	if got := olga.Do("GET", "/v1/partners/contoso/history?type=request.codes_refused", nil).Want(200); got.Int("items.length") != 0 {
		t.Errorf("contoso's history: got %s, want nothing of it", got.Body)
	}
	w.Advance(time.Hour)
	for range 5 {
		ask("acme", "WRONG234").WantProblem(404, "cannot_ask")
	}
	if got := ann.Do("GET", "/v1/customers/acme/history?type=request.codes_refused", nil).Want(200); got.Int("items.length") != 1 {
		t.Errorf("an hour later: got %s, want no other word on that day", got.Body)
	}
	w.Advance(time.Hour)
	one := ask("acme", right).Want(201).String("request.id")
	if got := ask("acme", right).Want(200); got.String("request.id") != one {
		t.Errorf("a second one: got %s, want the first, %s", got.Body, one)
	}
	ask("acme", "").WantProblem(404, "cannot_ask")
}

func TestTheCustomerSaysWhoAsksAndForHowLong(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	body := m{"customer": "acme", "kind": "access", "users": []string{kim}}
	policy(ann, m{"mode": "known"})
	olga.Do("POST", contosoRequests, body).WantProblem(404, "cannot_ask")
	policy(ann, m{"mode": "open", "max_days": 30, "reason_required": true, "hours": 10})
	refused := olga.Do("POST", contosoRequests, body)
	if refused.WantProblem(422, "period_invalid", "/until"); refused.Int("max_days") != 30 {
		t.Errorf("got %s, want it to say how many days", refused.Body)
	}
	body["until"] = spec.Start.Add(31 * day)
	olga.Do("POST", contosoRequests, body).WantProblem(422, "period_invalid", "/until")
	body["until"] = spec.Start.Add(30 * day)
	olga.Do("POST", contosoRequests, body).WantProblem(400, "invalid", "/reason")
	body["reason"] = "Because"
	got := olga.Do("POST", contosoRequests, body).Want(201)
	if want := spec.Start.Add(10 * time.Hour).Format("2006-01-02T15:04:05Z"); got.String("request.expires_at") != want {
		t.Errorf("got %s, want that it waits until %s", got.Body, want)
	}
	ann.Do("PUT", acmePolicy, m{"mode": "open", "approvers": []string{"member@acme.example"}}, "If-Match", "*").WantProblem(400, "invalid",
		"/approvers/0")
	w.Member("acme", "member@acme.example")
	ann.Do("PUT", acmePolicy, m{"mode": "open", "approvers": []string{"member@acme.example"}}, "If-Match", "*").WantProblem(400, "invalid",
		"/approvers/0")
	ann.Do("PUT", acmePolicy, m{"mode": "open"}).WantProblem(428, "if_match_required")
	ann.Do("PUT", acmePolicy, m{"mode": "open"}, "If-Match", `"1"`).WantProblem(412, "version_mismatch")
}

func TestOnlyThoseWhoDecideDoAndNobodyAboutHisOwn(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	w.Member("acme", "member@acme.example")
	w.Customer("globex")
	w.User("contoso", "dora@people.example", "business") // of contoso, and an admin of acme
	w.Admin("acme", "dora@people.example")
	policy(ann, m{"mode": "open"})
	id := w.As("dora@people.example").Do("POST", contosoRequests, m{"customer": "acme", "kind": "access", "users": []string{kim}}).
		Want(201).String("request.id")
	for _, verb := range []string{"approve", "decline"} {
		path := acmeRequests + "/" + id + "/" + verb
		w.As("dora@people.example").Do("POST", path, m{}).WantProblem(403, "own_request")
		w.As("member@acme.example").Do("POST", path, m{}).WantProblem(403, "forbidden")
		olga.Do("POST", path, m{}).WantProblem(404, "not_found")
		w.AdminOf("globex").Do("POST", path, m{}).WantProblem(404, "not_found")
	}
	policy(ann, m{"mode": "open", "approvers": []string{"bob@acme.example"}})
	path := acmeRequests + "/" + id
	ann.Do("POST", path+"/approve", m{}).WantProblem(403, "forbidden")
	bob := w.As("bob@acme.example")
	bob.Do("POST", path+"/ask", m{"question": "Why?"}).Want(200)
	bob.Do("POST", path+"/ask", m{"question": "Why then?"}).WantProblem(409, "already_asked")
	mailed(t, w, "dora@people.example", "request.questioned", 1)
	w.Member("acme", "bob@acme.example") // no admin any more
	bob.Do("POST", path+"/approve", m{}).WantProblem(403, "forbidden")
	w.Denied(kim, "sign_in", "acme", "no_grant")
}

func TestSeveralApproveTheSameTermsBeforeAnythingIsGranted(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	w.Admin("acme", "cleo@acme.example")
	policy(ann, m{"mode": "open", "approvals": 2})
	id := olga.Do("POST", contosoRequests, m{"customer": "acme", "kind": "access", "level": "support", "users": []string{kim}}).
		Want(201).String("request.id")
	path := acmeRequests + "/" + id + "/approve"
	bob, cleo := w.As("bob@acme.example"), w.As("cleo@acme.example")
	for range 2 { // the same person twice is one
		if got := ann.Do("POST", path, m{}).Want(200); got.Get("grant") != nil || got.String("request.status") != "pending" {
			t.Fatalf("one: got %s, want nothing granted", got.Body)
		}
	}
	if got := bob.Do("POST", path, m{"level": "view"}).Want(200); got.Get("grant") != nil {
		t.Fatalf("other terms: got %s, want nothing granted", got.Body)
	}
	w.Member("acme", "admin@acme.example") // ann may not approve any more
	if got := cleo.Do("POST", path, m{}).Want(200); got.Get("grant") != nil {
		t.Fatalf("with one who has left the admins: got %s, want nothing granted", got.Body)
	}
	w.Denied(kim, "sign_in", "acme", "no_grant")
	if got := olga.Do("GET", contosoRequests+"/"+id, nil).Want(200); got.Get("approvals") != nil {
		t.Errorf("the partner: got %s, want nobody who has approved so far", got.Body)
	}
	if got := bob.Do("POST", path, m{}).Want(200); got.String("grant.level") != "support" {
		t.Errorf("two: got %s, want the grant", got.Body)
	}
	w.Allowed(kim, "reports:read", "acme")
}

func TestAnExtensionMovesTheEndAndARaiseTheLevelOfTheSameGrant(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	until := spec.Start.Add(10 * day)
	grant := w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view", "until": until}).Want(201).String("grant.id")
	ask := func(body m) string {
		body["customer"] = "acme"
		return olga.Do("POST", contosoRequests, body).Want(201).String("request.id")
	}
	later, raised := ask(m{"kind": "extend", "until": until.Add(20 * day)}), ask(m{"kind": "raise", "level": "manage"})
	got := ann.Do("POST", acmeRequests+"/"+later+"/approve", m{"until": until.Add(5 * day)}).Want(200)
	if got.String("grant.id") != grant || got.String("grant.until") != until.Add(5*day).Format("2006-01-02T15:04:05Z") {
		t.Errorf("extended: got %s, want the same grant for five days more", got.Body)
	}
	got = ann.Do("POST", acmeRequests+"/"+raised+"/approve", m{"level": "support"}).Want(200)
	if got.String("grant.id") != grant || got.String("grant.level") != "support" {
		t.Errorf("raised: got %s, want the same grant at support", got.Body)
	}
	w.Allowed(kim, "reports:read", "acme")
	olga.Do("POST", contosoRequests, m{"customer": "acme", "kind": "raise", "level": "view"}).WantProblem(422, "gives_nothing")
	olga.Do("POST", contosoRequests, m{"customer": "acme", "kind": "access", "users": []string{kim}}).WantProblem(422, "gives_nothing")
	again := ask(m{"kind": "raise", "level": "manage"})
	ann.Do("PATCH", contosoGrant, m{"level": "manage"}, "If-Match", "*").Want(200)
	ann.Do("POST", acmeRequests+"/"+again+"/approve", m{}).WantProblem(409, "request_ended")
	if got := ann.Do("GET", acmeRequests+"/"+again, nil).Want(200); got.String("cancelled_because") != "fulfilled" {
		t.Errorf("granted in another way: got %s, want it cancelled as fulfilled", got.Body)
	}
	w.Advance(time.Second)
	mailed(t, w, "olga@contoso.example", "request.cancelled", 1)
	if got := ann.Do("GET", acmeRequests+"?status=cancelled", nil).Want(200); got.Int("items.length") != 1 || got.Int("items.0.version") != 2 {
		t.Errorf("got %s, want its end recorded", got.Body)
	}
}

func TestAPersonAsksForItselfInsideAGrantAlone(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	kit := w.As("kit@contoso.example")
	policy(ann, m{"mode": "open"})
	self := m{"customer": "acme", "kind": "access"}
	kit.Do("POST", contosoRequests, self).WantProblem(404, "cannot_ask")
	w.Grant("acme", m{"email": "olga@contoso.example", "level": "support"}).Want(201)
	kit.Do("POST", contosoRequests, m{"customer": "acme", "kind": "access", "everyone": true}).WantProblem(403, "forbidden")
	kit.Do("POST", contosoRequests, m{"customer": "acme", "kind": "extend", "until": nil}).WantProblem(403, "forbidden")
	id := kit.Do("POST", contosoRequests, self).Want(201).String("request.id")
	tess := w.User("contoso", "tess@contoso.example", "tech")
	w.As("tess@contoso.example").Do("GET", contosoRequests+"/"+id, nil).WantProblem(404, "not_found")
	if got := w.As("tess@contoso.example").Do("GET", contosoRequests, nil).Want(200); got.Int("items.length") != 0 {
		t.Errorf("a colleague: got %s, want nothing", got.Body)
	}
	olga.Do("GET", contosoRequests+"/"+id, nil).Want(200)
	ann.Do("POST", acmeRequests+"/"+id+"/approve", m{}).Want(200)
	w.Allowed(kim, "reports:read", "acme")
	w.Denied(tess, "sign_in", "acme", "user_not_assigned")

	ann.Do("PATCH", contosoGrant, m{"caps": m{"kit@contoso.example": "view"}}, "If-Match", "*").Want(200)
	kit.Do("POST", contosoRequests, m{"customer": "acme", "kind": "raise", "level": "manage"}).WantProblem(403, "forbidden")
	id = kit.Do("POST", contosoRequests, m{"customer": "acme", "kind": "raise", "level": "support"}).Want(201).String("request.id")
	w.Denied(kim, "reports:read", "acme", "level_too_low")
	ann.Do("POST", acmeRequests+"/"+id+"/approve", m{}).Want(200)
	w.Allowed(kim, "reports:read", "acme")
}

func TestARequestExpiresByTheClockAndRemindsBefore(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	policy(ann, m{"mode": "open", "hours": 100})
	ask := func() string {
		return olga.Do("POST", contosoRequests, m{"customer": "acme", "kind": "access", "users": []string{kim}}).Want(201).String("request.id")
	}
	id := ask()
	w.Advance(50*time.Hour - time.Second)
	if got := ann.Do("GET", "/v1/customers/acme/history?type=request.reminded", nil).Want(200); got.Int("items.length") != 0 {
		t.Errorf("before half: got %s, want no reminder", got.Body)
	}
	w.Advance(time.Second)
	mailed(t, w, "bob@acme.example", "request.reminded", 1)
	w.Advance(40 * time.Hour)
	mailed(t, w, "bob@acme.example", "request.reminded", 2)
	w.Advance(10*time.Hour - time.Second)
	if got := olga.Do("GET", contosoRequests+"/"+id, nil).Want(200).String("status"); got != "pending" {
		t.Errorf("a second before: got %s, want pending", got)
	}
	w.Advance(time.Second)
	ann.Do("POST", acmeRequests+"/"+id+"/approve", m{}).WantProblem(409, "request_ended")
	mailed(t, w, "olga@contoso.example", "request.expired", 1)
	w.Denied(kim, "sign_in", "acme", "no_grant")
	if other := ask(); other == id {
		t.Errorf("asked anew: got the same request %s", id)
	}
}

func TestWhatMakesARequestMootCancelsIt(t *testing.T) {
	t.Parallel()
	for about, c := range map[string]struct {
		then   func(w *spec.World, ben string)
		reason string
	}{
		"suspended": {func(w *spec.World, _ string) {
			w.Provider().Do("PATCH", "/v1/partners/contoso", m{"status": "suspended"}, "If-Match", "*").Want(200)
		}, "partner_not_active"},
		"not eligible": {func(w *spec.World, _ string) {
			w.Provider().Do("PATCH", "/v1/partners/contoso", m{"class": "other"}, "If-Match", "*").Want(200)
		}, "partner_not_eligible"},
		"demoted": {func(w *spec.World, ben string) {
			w.Provider().Do("PATCH", "/v1/partners/contoso/users/"+ben, m{"role": "tech"}, "If-Match", "*").Want(200)
		}, "requester_left"},
		"left": {func(w *spec.World, ben string) {
			w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+ben, nil).Want(204)
		}, "requester_left"},
		"granted": {func(w *spec.World, _ string) { w.Grant("acme", m{"partner": "contoso"}).Want(201) }, "fulfilled"},
	} {
		t.Run(about, func(t *testing.T) {
			w, _, ann, kim := asking(t)
			ben := w.User("contoso", "ben@contoso.example", "business")
			policy(ann, m{"mode": "open"})
			id := w.As("ben@contoso.example").Do("POST", contosoRequests, m{"customer": "acme", "kind": "access", "users": []string{kim}}).
				Want(201).String("request.id")
			c.then(w, ben)
			got := ann.Do("GET", acmeRequests+"/"+id, nil).Want(200)
			if got.String("status") != "cancelled" || got.String("cancelled_because") != c.reason {
				t.Errorf("at once: got %s, want it cancelled because %s", got.Body, c.reason)
			}
			ann.Do("POST", acmeRequests+"/"+id+"/approve", m{}).WantProblem(409, "request_ended")
			w.Advance(time.Second)
			mailed(t, w, "bob@acme.example", "request.cancelled", 1)
			if got := ann.Do("GET", acmeRequests+"/"+id, nil).Want(200); got.String("cancelled_because") != c.reason || got.Int("version") != 2 {
				t.Errorf("recorded: got %s, want because %s", got.Body, c.reason)
			}
		})
	}
}

func TestARequestIsReadAndWithdrawnByItsSideAlone(t *testing.T) {
	t.Parallel()
	w, olga, ann, kim := asking(t)
	w.Partner("fabrikam")
	w.User("fabrikam", "fay@fabrikam.example", "owner")
	w.Customer("globex")
	policy(ann, m{"mode": "open"})
	id := olga.Do("POST", contosoRequests, m{"customer": "acme", "kind": "access", "users": []string{kim}}).Want(201).String("request.id")
	fay := w.As("fay@fabrikam.example")
	fay.Do("GET", contosoRequests+"/"+id, nil).WantProblem(404, "not_found")
	fay.Do("GET", "/v1/partners/fabrikam/requests/"+id, nil).WantProblem(404, "not_found")
	fay.Do("DELETE", "/v1/partners/fabrikam/requests/"+id, nil).WantProblem(404, "not_found")
	w.AdminOf("globex").Do("GET", "/v1/customers/globex/requests/"+id, nil).WantProblem(404, "not_found")
	w.As("kit@contoso.example").Do("DELETE", contosoRequests+"/"+id, nil).WantProblem(404, "not_found")
	w.Provider().Do("GET", contosoRequests+"/"+id, nil).Want(200)
	w.User("contoso", "ben@contoso.example", "business")
	if got := w.As("ben@contoso.example").Do("DELETE", contosoRequests+"/"+id, nil).Want(200); got.String("request.status") != "withdrawn" {
		t.Errorf("got %s, want it withdrawn", got.Body)
	}
	olga.Do("DELETE", contosoRequests+"/"+id, nil).Want(200)
	mailed(t, w, "bob@acme.example", "request.withdrawn", 1)
	ann.Do("POST", acmeRequests+"/"+id+"/approve", m{}).WantProblem(409, "request_ended")
	w.Denied(kim, "sign_in", "acme", "no_grant")
}

func TestADenialSaysHowToAskWhereThatIsKnown(t *testing.T) {
	t.Parallel()
	w, _, ann, kim := asking(t)
	w.Partner("fabrikam")
	olga := "olga@contoso.example"
	ask := func(subject, action, customer string) *spec.Answer {
		return w.Backend().Do("POST", "/access/v1/evaluation", spec.Question(subject, action, customer)).Want(200)
	}
	kinds := func(a *spec.Answer) string {
		if a.Get("context.request") == nil {
			return "none"
		}
		return strings.Join(a.Strings("context.request.kinds"), " ")
	}
	want := func(about, subject, action, reason, kind string) {
		t.Helper()
		a := ask(subject, action, "acme")
		if a.String("context.reason") != reason || kinds(a) != kind {
			t.Errorf("%s: got %s, want %s and to ask for %q", about, a.Body, reason, kind)
		}
	}
	got := ask(olga, "sign_in", "acme")
	const page = "https://cloud.example/partners/contoso?ask=access&customer=acme"
	if got.String("context.request.page") != page || kinds(got) != "" {
		t.Errorf("no grant: got %s, want the page, and nothing said of the customer", got.Body)
	}
	same := strings.ReplaceAll(string(ask(olga, "sign_in", "nowhere").Body), "nowhere", "acme")
	if same != string(got.Body) {
		t.Errorf("no such customer: got %s, want %s", same, got.Body)
	}
	want("one who asks for itself alone", kim, "sign_in", "no_grant", "none")
	want("nobody", "nobody@nowhere.example", "sign_in", "unknown_subject", "none")

	w.Grant("acme", m{"email": olga, "level": "view"}).Want(201)
	want("not assigned", kim, "sign_in", "user_not_assigned", "access")
	want("a higher action", olga, "reports:read", "level_too_low", "raise")
	want("allowed", olga, "sign_in", "granted", "none")
	policy(ann, m{"mode": "off"})
	want("not assigned, and off", kim, "sign_in", "user_not_assigned", "none")
	want("a higher action, and off", olga, "reports:read", "level_too_low", "none")
	policy(ann, m{"mode": "known"})
	w.Provider().Do("PATCH", "/v1/partners/contoso", m{"offer": "view"}, "If-Match", "*").Want(200)
	want("as much as is offered", olga, "reports:read", "level_too_low", "none")
	ann.Do("DELETE", contosoGrant, nil).Want(200)
	want("ended", olga, "sign_in", "ended", "")
}
