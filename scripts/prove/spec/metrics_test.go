package spec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// What an operator sees: figures and logs, and that no person stands in them.

// figure is the sum of a metric and its latest value, at GET /_local/metrics; both 0 when there is none. Label is the dimension beside the
// stage.
func figure(w *spec.World, name, label string) (sum, latest float64) {
	for _, f := range w.Anonymous().Local(http.MethodGet, "/_local/metrics", nil).Want(http.StatusOK).Get("metrics").([]any) {
		f := f.(map[string]any)
		dimensions := f["dimensions"].(map[string]any)
		if f["name"] != name || dimensions["Stage"] != "local" {
			continue
		}
		if label == "" && len(dimensions) == 1 ||
			label != "" && slices.Contains([]any{dimensions["Decision"], dimensions["Reason"], dimensions["State"]}, any(label)) {
			return f["sum"].(float64), f["latest"].(float64)
		}
	}
	return 0, 0
}

func wantSum(t *testing.T, w *spec.World, name, label string, want float64) {
	t.Helper()
	if got, _ := figure(w, name, label); got != want {
		t.Errorf("%s %s: got %v, want %v", name, label, got, want)
	}
}

// byReason adds up the decisions of lines of figures by what stands beside their number: the reason is no dimension, as AWS bills each
// value of one, but can be searched for.
func byReason(t *testing.T, lines string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for line := range strings.Lines(lines) {
		var l struct {
			Decision, Reason string
			Decisions        float64
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if l.Decisions > 0 {
			out[strings.TrimSpace(l.Decision+" "+l.Reason)] += l.Decisions
		}
	}
	return out
}

func TestEveryDecisionIsCountedAndItsReasonTold(t *testing.T) {
	t.Parallel()
	figures := &printed{}
	w := spec.New(t, func(c *stack.Config) { c.Figures = figures })
	w.Customer("acme")
	w.Partner("contoso")
	kim, sam := w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "business")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	w.Allowed(kim, "sign_in", "acme")
	w.Denied(kim, "reports:read", "acme", "level_too_low")
	w.Denied(sam, "sign_in", "acme", "user_not_assigned")
	batch := m{
		"action": m{"name": "sign_in"}, "resource": m{"type": "customer", "id": "acme"},
		"evaluations": []m{
			{"subject": m{"type": "user", "id": kim}},
			{"subject": m{"type": "user", "id": sam}},
			{"subject": m{"type": "user", "id": kim}},
			{"subject": m{"type": "user"}}, // cannot be answered
			{"subject": m{"type": "user", "id": kim}},
		},
	}
	want := func(of map[string]float64) {
		t.Helper()
		sums := map[string]float64{}
		for name, n := range of {
			decision, _, _ := strings.Cut(name, " ")
			sums[decision] += n
		}
		for _, decision := range []string{"allowed", "denied", "unanswered"} {
			wantSum(t, w, "Decisions", decision, sums[decision])
		}
		if got := byReason(t, figures.String()); !maps.Equal(got, of) {
			t.Errorf("got the decisions %v, want %v", got, of)
		}
	}
	w.Backend().Do("POST", "/access/v1/evaluations", batch).Want(200)
	want(map[string]float64{"allowed": 4, "denied user_not_assigned": 2, "denied level_too_low": 1, "unanswered invalid": 1})
	// What stands behind the one that decides is not answered, and not counted.
	batch["options"] = m{"evaluations_semantic": "deny_on_first_deny"}
	w.Backend().Do("POST", "/access/v1/evaluations", batch).Want(200)
	after := map[string]float64{"allowed": 5, "denied user_not_assigned": 3, "denied level_too_low": 1, "unanswered invalid": 1}
	want(after)
	// Nor is what was never a question.
	w.Backend().Do("POST", "/access/v1/evaluation", m{"subject": m{"type": "user", "id": kim}}).Want(400)
	want(after)
}

func TestTheLogMayLeaveOutAllowsAndNothingElse(t *testing.T) {
	t.Parallel()
	logs := &printed{}
	w := spec.New(t, func(c *stack.Config) {
		c.Log, c.Settings = slog.New(slog.NewJSONHandler(logs, nil)), map[string]string{"LOG_ALLOWS": "0"}
	})
	w.Customer("acme")
	w.Partner("contoso")
	kim, sam := w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "business")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	w.Allowed(kim, "sign_in", "acme")
	w.Denied(sam, "sign_in", "acme", "user_not_assigned")
	batch := func(who ...string) {
		var evaluations []m
		for _, id := range who {
			evaluations = append(evaluations, m{"subject": m{"type": "user", "id": id}})
		}
		w.Backend().Do("POST", "/access/v1/evaluations", m{
			"action": m{"name": "sign_in"}, "resource": m{"type": "customer", "id": "acme"}, "evaluations": evaluations,
		}).Want(200)
	}
	batch(kim, kim)
	batch(kim, sam)
	w.Backend().Do("POST", "/access/v1/evaluation", m{"subject": m{"type": "user", "id": kim}}).Want(400)
	w.Backend().Do("POST", "/access/v1/search/action", m{
		"subject": m{"type": "user", "id": kim}, "resource": m{"type": "customer", "id": "acme"},
	}).Want(200)
	var got []string
	changes := 0
	for line := range strings.Lines(logs.String()) {
		var l struct {
			Msg, Function, Route, Decision string
			Status                         int
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Msg != "request" {
			continue
		}
		if l.Function == "check" {
			got = append(got, strings.TrimSpace(fmt.Sprint(l.Route, " ", l.Status, " ", l.Decision)))
		} else {
			changes++
		}
	}
	want := []string{
		"POST /access/v1/evaluation 200 user_not_assigned", "POST /access/v1/evaluations 200", "POST /access/v1/evaluation 400",
		"POST /access/v1/search/action 200",
	}
	if !slices.Equal(got, want) || changes < 5 {
		t.Errorf("got the lines %q of check and %d of changes, want %q and at least 5", got, changes, want)
	}
}

func TestEveryEndIsCountedOnceByItsReason(t *testing.T) {
	t.Parallel()
	w, _, _ := acme(t)
	owner := w.User("contoso", "olga@contoso.example", "owner")
	grant := m{"partner": "contoso", "everyone": true}
	until := func(d time.Duration) m { return m{"partner": "contoso", "everyone": true, "until": w.Now().Add(d)} }

	w.Grant("acme", grant).Want(201)
	for range 2 {
		w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200) // the second time it has ended
	}
	wantSum(t, w, "GrantsEnded", "revoked_by_customer", 1)

	w.Grant("acme", grant).Want(201)
	w.As("olga@contoso.example").Do("DELETE", "/v1/partners/contoso/customers/acme", nil).Want(200)
	wantSum(t, w, "GrantsEnded", "relinquished_by_partner", 1)

	w.Grant("acme", until(time.Hour)).Want(201)
	w.Advance(2 * time.Hour)
	w.Advance(time.Hour)
	wantSum(t, w, "GrantsEnded", "expired", 1)

	w.Grant("acme", until(time.Hour)).Want(201)
	w.Stack.Clock.Advance(2 * time.Hour) // no sweep comes by before it is granted again
	w.Grant("acme", grant).Want(201)
	w.Advance(time.Hour)
	wantSum(t, w, "GrantsEnded", "expired", 2)

	w.Provider().Do("DELETE", "/v1/partners/contoso", nil).Want(204)
	w.Advance(0)
	w.Advance(time.Hour)
	wantSum(t, w, "GrantsEnded", "partner_removed", 1)
	wantSum(t, w, "GrantsEnded", "revoked_by_customer", 1)
	w.Denied(owner, "sign_in", "acme", "partner_not_active")
}

func TestMailsAreCountedByWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	contacts := func(addresses ...string) {
		w.Provider().Do("PUT", "/v1/customers/acme", m{"contacts": addresses}).Want(200)
	}
	contacts("it@acme.example", "gone@bounced.example", "cross@complained.example", "no@refused.example")
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	const list = "/v1/customers/acme/mail"
	for to, state := range map[string]string{
		"it@acme.example": "delivered", "gone@bounced.example": "bounced", "cross@complained.example": "complained",
		"no@refused.example": "failed",
	} {
		mailState(t, w, list, to, "grant.created", state)
	}
	contacts("gone@bounced.example")
	w.Stack.Clock.Advance(time.Minute)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	mailState(t, w, list, "gone@bounced.example", "grant.revoked", "suppressed")
	sent := float64(len(w.Stack.Mail.List())) // those to others, too
	for state, want := range map[string]float64{
		"sent": sent, "delivered": sent - 2, "bounced": 1, "complained": 1, "failed": 1,
		"suppressed": 1,
	} {
		spec.Eventually(t, func() error {
			if got, _ := figure(w, "Mails", state); got < want {
				return fmt.Errorf("mails that are %s: got %v, want %v", state, got, want)
			}
			return nil
		})
		wantSum(t, w, "Mails", state, want)
	}
}

func TestTheSweepTellsHowLateItIs(t *testing.T) {
	t.Parallel()
	w, _, _ := acme(t)
	w.Advance(time.Second)
	if sum, latest := figure(w, "SweepLag", ""); sum != 0 || latest != 0 {
		t.Errorf("with nothing due: got %v s, want 0", latest)
	}
	until := w.Now().Add(time.Hour)
	w.Grant("acme", m{"partner": "contoso", "everyone": true, "until": until}).Want(201)
	w.Stack.Clock.Set(until.Add(90*time.Second + 5*time.Millisecond))
	w.Advance(0)
	if _, latest := figure(w, "SweepLag", ""); latest != 90.005 {
		t.Errorf("with an end that is 90.005 s old: got %v s", latest)
	}
	w.Advance(0)
	if _, latest := figure(w, "SweepLag", ""); latest != 0 {
		t.Errorf("once it is done: got %v s, want 0", latest)
	}
}

func TestPrometheusReadsTheFiguresToo(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.Denied(kim, "sign_in", "acme", "no_grant")
	w.Denied(kim, "sign_in", "acme", "no_grant")
	w.Advance(0)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Stack.URL()+"/_local/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	const want = `# TYPE BulkLag gauge
BulkLag{Stage="local"} 0
# TYPE Decisions counter
Decisions{Decision="denied",Stage="local"} 2
# TYPE SweepLag gauge
SweepLag{Stage="local"} 0
`
	if string(body) != want || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("got %s\n%s\nwant\n%s", res.Header.Get("Content-Type"), body, want)
	}
}

// printed is what functions print. Many write to it.
type printed struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.String()
}

func TestLogsAndFiguresTellWhatHappenedAndNameNoPerson(t *testing.T) {
	t.Parallel()
	logs, figures := &printed{}, &printed{}
	o := newEmployer(t, func(c *stack.Config) {
		c.Stream, c.Log, c.Figures = true, slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})), figures
	})
	// Every name and address holds this; so do a note, and what is sent where nothing like it belongs.
	const mark = "zaphodia"
	person := func(i int, domain string) string { return fmt.Sprintf("%s%d@%s", mark, i, domain) }
	o.Provider().Do("PUT", "/v1/customers/acme",
		m{"name": "Acme", "contacts": []string{person(1, "acme.example"), person(2, "bounced.example"), person(3, "refused.example")}})
	o.Provider().Do("PUT", "/v1/partners/contoso", m{"name": "Contoso", "contacts": []string{person(4, "contoso.example")}})
	ann := o.Admin("acme", person(5, "acme.example"))
	employee := func(i int, name string) string {
		return o.Provider().Do("POST", "/v1/partners/contoso/users", m{
			"email": person(i, "contoso.example"), "name": name + " " + mark, "role": "tech", "phone": "+4930777123",
		}).Want(201).String("id")
	}
	kim := employee(6, "Kim")
	mailed(t, o.World, person(6, "contoso.example"), "user.created", 1)
	o.wires.fail("AdminCreateUser", false) // an account that the sweep has to finish
	employee(11, "Sam")
	o.wires.fail("*", false)
	o.settle()
	o.wires.mend()
	o.settle()
	o.Stack.SES.Fail(1) // which is logged, and tried again later
	ann.Do("POST", grants, m{"partner": "contoso", "users": []string{kim}, "note": "for " + mark}).Want(201)
	for to, state := range map[string]string{
		person(1, "acme.example"): "delivered", person(2, "bounced.example"): "bounced", person(3, "refused.example"): "failed",
	} {
		spec.Eventually(t, func() error {
			o.Advance(time.Minute) // till what failed has been tried again; and before another mail to the same address
			_, err := mailWith(o.World, "/v1/customers/acme/mail", to, "grant.created", state)
			return err
		})
	}
	o.Allowed(person(6, "contoso.example"), "sign_in", "acme")
	o.Denied(person(7, "nowhere.example"), "sign_in", "acme", "unknown_subject")
	o.As(person(6, "contoso.example")).Do("POST", "/access/v1/evaluation",
		spec.Question(person(6, "contoso.example"), "sign_in", "acme")).Want(200)
	o.As(person(8, "nowhere.example")).Do("GET", "/v1/me", nil)
	o.As(person(8, "nowhere.example")).Do("GET", grants, nil).WantProblem(403, "not_registered")
	ann.Do("GET", "/v1/customers/acme/members?q="+mark, nil).Want(400)
	ann.Do("GET", grants+"?q="+mark, nil).Want(200)
	ann.Do("POST", grants, `{"email": "`+person(9, "nowhere.example")+`", `).Want(400)
	ann.Do("POST", grants, m{"email": person(9, "nowhere.example")}).WantProblem(422, "unknown_email")
	o.Provider().Do("DELETE", "/v1/customers/acme/members/"+url.PathEscape(person(9, "nowhere.example")), nil).WantProblem(404, "not_found")
	ann.Do("POST", invitations, m{"email": person(10, "elsewhere.example"), "partner": "contoso"}).Want(201)
	token := tokenIn(t, mailed(t, o.World, person(10, "elsewhere.example"), "invitation.created", 1))
	o.Anonymous().Do("GET", byToken(token), nil).Want(200)
	o.As(person(10, "elsewhere.example")).Do("POST", byToken(token)+"/accept", m{"name": "Eve " + mark}).Want(200)
	password := passwordIn(mailed(t, o.World, person(6, "contoso.example"), "user.created", 1).Text)
	bearer := o.login(person(6, "contoso.example"), password, secretOne).Want(200).String("token")
	o.Bearer(bearer).Do("POST", pathOf(kim)+"/password", m{"current": secretOne, "new": secretTwo}).Want(204)
	ann.Do("DELETE", contosoGrant, nil).Want(200)
	o.settle()

	secrets := map[string]string{
		"a name or an address": mark, "an invitation's token": token, "a temporary password": password, "a password": secretOne,
		"another one":      secretTwo,
		"a person's token": bearer, "a system's token": o.Token(stack.TokenRequest{Scope: "partner-access/directory"}),
		"a telephone number": "777123",
	}
	for kind, text := range map[string]string{"the logs": logs.String(), "the figures": figures.String()} {
		for line := range strings.Lines(text) {
			for what, secret := range secrets {
				if secret == "" || strings.Contains(strings.ToLower(line), strings.ToLower(secret)) {
					t.Errorf("%s hold %s, %q: %s", kind, what, secret, line)
				}
			}
		}
	}
	wantLogs(t, logs.String())
	wantEMF(t, figures.String())
	if refused := o.Stack.Metrics.Refused(); len(refused) > 0 {
		t.Errorf("figures that CloudWatch would not read: %q", refused)
	}
}

// wantLogs looks at the lines that functions print: JSON, and one for each request, with the same members always.
func wantLogs(t *testing.T, text string) {
	t.Helper()
	functions := map[string]int{}
	for line := range strings.Lines(text) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Errorf("a line of the log is no JSON: %s", line)
			continue
		}
		function, _ := l["function"].(string)
		if function == "" || l["msg"] == "function failed" || l["msg"] == "function reported failures" || l["shard"] != nil {
			// said by the stack itself
			continue
		}
		if id, _ := l["request_id"].(string); id == "" {
			t.Errorf("a line of %s has no request_id: %s", function, line)
		}
		functions[function]++
		if l["msg"] != "request" {
			continue
		}
		route, _ := l["route"].(string)
		status, _ := l["status"].(float64)
		code, said := l["code"].(string)
		if _, timed := l["ms"].(float64); !timed || !said || !strings.Contains(route, " /") || status < 200 || (status >= 400) != (code != "") {
			t.Errorf("a request is not told as it should be: %s", line)
		}
	}
	for _, f := range []string{"check", "grant", "revoke", "list", "directory", "invite", "mail", "expire", "notify", "feedback"} {
		if functions[f] == 0 {
			t.Errorf("%s: got no line in the log", f)
		}
	}
}

// wantEMF holds lines against the schema that AWS gives for the embedded metric format: the members that it requires, of the types that it
// names, and that all that is referred to stands at the root.
func wantEMF(t *testing.T, text string) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		var root map[string]any
		if err := json.Unmarshal([]byte(line), &root); err != nil {
			t.Errorf("a figure is no JSON: %s", line)
			continue
		}
		meta, _ := root["_aws"].(map[string]any)
		at, timed := meta["Timestamp"].(float64)
		directives, _ := meta["CloudWatchMetrics"].([]any)
		if !timed || at != float64(int64(at)) || len(directives) != 1 || len(root) > 5 {
			t.Errorf("a figure has no time in milliseconds, no directive, or too much: %s", line)
			continue
		}
		d, _ := directives[0].(map[string]any)
		dimensions, _ := d["Dimensions"].([]any)
		list, _ := d["Metrics"].([]any)
		if d["Namespace"] != "PartnerAccess" || len(dimensions) != 1 || len(list) != 1 {
			t.Errorf("a figure has another namespace, or not one set of dimensions and one metric: %s", line)
			continue
		}
		set, _ := dimensions[0].([]any)
		for _, name := range set {
			if v, _ := root[fmt.Sprint(name)].(string); v == "" {
				t.Errorf("the dimension %v has no text at the root: %s", name, line)
			}
		}
		metric, _ := list[0].(map[string]any)
		name, _ := metric["Name"].(string)
		if _, number := root[name].(float64); !number || !slices.Contains([]any{"Count", "Seconds"}, metric["Unit"]) || len(set) == 0 ||
			set[0] != "Stage" {
			t.Errorf("the metric %q has no number at the root, no unit or no stage: %s", name, line)
		}
		seen[name] = true
	}
	for _, name := range []string{"Decisions", "GrantsEnded", "Mails", "SweepLag"} {
		if !seen[name] {
			t.Errorf("%s: got no figure", name)
		}
	}
}
