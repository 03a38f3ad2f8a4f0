package spec_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

const acmeBulk = "/v1/customers/acme/bulk"

// firms makes that many partners, p1 and so on.
func firms(w *spec.World, n int) {
	for i := range n {
		w.Partner(fmt.Sprint("p", i+1))
	}
}

// grantRows are rows that grant to the first n partners.
func grantRows(n int) []m {
	out := make([]m, n)
	for i := range out {
		out[i] = m{"op": "grant", "partner": fmt.Sprint("p", i+1), "everyone": true, "level": "support"}
	}
	return out
}

// done waits until a job is not open any more, and returns it.
func done(t *testing.T, c *spec.Client, at string) *spec.Answer {
	t.Helper()
	var job *spec.Answer
	spec.Eventually(t, func() error {
		if job = c.Do("GET", at, nil).Want(200); job.Get("finished_at") == nil {
			return fmt.Errorf("the job is still open: %s", job.Body)
		}
		return nil
	})
	return job
}

// wantRows fails the test unless the rows have these states and codes, such as "done 201".
func wantRows(t *testing.T, c *spec.Client, job string, want ...string) {
	t.Helper()
	a := c.Do("GET", job+"/results?limit=100", nil).Want(200)
	var got []string
	for i := range a.Int("items.length") {
		item := fmt.Sprintf("items.%d.", i)
		text := a.String(item + "state")
		if status := a.Get(item + "status"); status != nil {
			text += fmt.Sprint(" ", status)
		}
		if code := a.Get(item + "code"); code != nil {
			text += fmt.Sprint(" ", code)
		}
		got = append(got, text)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("got the results %s, want %s: %s", strings.Join(got, ", "), strings.Join(want, ", "), a.Body)
	}
}

func TestABulkJobMakesEachChangeAsItsOwnRequest(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	firms(w, 3)
	ann := w.AdminOf("acme")
	rows := append(grantRows(2),
		m{"op": "grant", "partner": "nobody", "everyone": true},
		m{"op": "edit", "partner": "p1", "level": "manage", "version": 1},
		m{"op": "edit", "partner": "p1", "note": "late", "version": 1},
		m{"op": "extend", "partner": "p2", "until": w.Now().Add(24 * time.Hour)},
		m{"op": "revoke", "partner": "p2"},
		m{"op": "revoke", "partner": "p3"})
	job := ann.Do("POST", acmeBulk, m{"rows": rows}).Want(202)
	where := job.Header.Get("Location")
	if where != acmeBulk+"/"+job.String("id") || job.Int("rows") != 8 {
		t.Errorf("got %s at %s, want the job of eight rows", job.Body, where)
	}
	end := done(t, ann, where)
	wantRows(t, ann, where, "done 201", "done 201", "failed 404 not_found", "done 200", "failed 412 version_mismatch", "done 200", "done 200",
		"failed 404 not_found")
	if end.String("state") != "done" || end.Int("succeeded") != 5 || end.Int("failed") != 3 || end.Int("pending") != 0 {
		t.Errorf("got %s, want five done and three failed", end.Body)
	}
	if got := ann.Do("GET", "/v1/customers/acme/grants/p1", nil).Want(200).String("level"); got != "manage" {
		t.Errorf("the first grant: got %s, want what the fourth row made of it", got)
	}
	events := ann.Do("GET", "/v1/customers/acme/history", nil).Want(200)
	if got := events.Int("items.length"); got < 5 || events.Get("items.0.actor.email") != "admin@acme.example" {
		t.Errorf("got the history %s, want an event of each change, by the admin", events.Body)
	}
	w.Provider().Do("GET", where, nil).Want(200)
}

func TestTheFirstRowThatFailsIsTheLastOneWhenTheJobStops(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	firms(w, 3)
	ann := w.AdminOf("acme")
	rows := append(grantRows(1), m{"op": "revoke", "partner": "p2"})
	rows = append(rows, grantRows(3)[2])
	where := ann.Do("POST", acmeBulk, m{"rows": rows, "on_error": "stop"}).Want(202).Header.Get("Location")
	if got := done(t, ann, where); got.String("state") != "stopped" || got.Int("skipped") != 1 {
		t.Errorf("got %s, want it stopped with one row skipped", got.Body)
	}
	wantRows(t, ann, where, "done 201", "failed 404 not_found", "skipped")

	w.Grant("acme", m{"partner": "p2", "everyone": true}).Want(201)
	again := ann.Do("POST", where+"/retry", nil).Want(202)
	if again.Int("rows") != 2 || where != acmeBulk+"/"+again.String("retry_of") {
		t.Errorf("got %s, want a job of the two rows that were not done", again.Body)
	}
	where = again.Header.Get("Location")
	done(t, ann, where)
	wantRows(t, ann, where, "done 200", "done 201")
	ann.Do("POST", where+"/retry", nil).WantProblem(409, "nothing_to_retry")
}

func TestWhoIsNoAdminAnyMoreGetsNothingMoreDone(t *testing.T) {
	t.Parallel()
	w := spec.New(t, withoutWorker)
	w.Customer("acme")
	firms(w, 2)
	w.Admin("acme", "ben@acme.example")
	ben := w.As("ben@acme.example")
	where := ben.Do("POST", acmeBulk, m{"rows": grantRows(2)}).Want(202).Header.Get("Location")
	ann := w.AdminOf("acme")
	w.Provider().Do("PUT", "/v1/customers/acme/members/ben@acme.example", m{"name": "Ben", "role": "member"}).Want(200)
	w.Advance(time.Minute) // and the schedule runs
	done(t, ann, where)
	wantRows(t, ann, where, "failed 403 forbidden", "failed 403 forbidden")
	if got := ann.Do("GET", "/v1/customers/acme/grants", nil).Want(200).Int("items.length"); got != 0 {
		t.Errorf("got %d grants, want none", got)
	}
}

// withoutWorker leaves jobs to the schedule, which runs when the clock is moved.
func withoutWorker(c *stack.Config) {
	c.Settings = map[string]string{"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1"}
}

func TestABulkJobIsCancelled(t *testing.T) {
	t.Parallel()
	w := spec.New(t, withoutWorker)
	w.Customer("acme")
	firms(w, 2)
	ann := w.AdminOf("acme")
	where := ann.Do("POST", acmeBulk, m{"rows": grantRows(2)}).Want(202).Header.Get("Location")
	ann.Do("POST", where+"/retry", nil).WantProblem(409, "job_open")
	got := ann.Do("POST", where+"/cancel", nil).Want(200)
	if got.String("state") != "cancelled" || got.Int("skipped") != 2 {
		t.Errorf("got %s, want it cancelled", got.Body)
	}
	w.Advance(time.Minute)
	wantRows(t, ann, where, "skipped", "skipped")
	ann.Do("POST", where+"/cancel", nil).Want(200)
}

func TestACustomerHasFewOpenJobsAndIsAnsweredAsTheFirstTime(t *testing.T) {
	t.Parallel()
	w := spec.New(t, withoutWorker)
	w.Customer("acme")
	w.Customer("globex")
	firms(w, 1)
	ann := w.AdminOf("acme")
	ask := func(key string) *spec.Answer {
		return ann.Do("POST", acmeBulk, m{"rows": grantRows(1)}, "Idempotency-Key", key)
	}
	first := ask("k0").Want(202)
	if again := ask("k0").Want(202); again.String("id") != first.String("id") || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the same request: got %s, want the first job %s", again.Body, first.Body)
	}
	for i := range access.MaxOpenJobs - 1 {
		ask(fmt.Sprint("k", i+1)).Want(202)
	}
	if a := ask("more").WantProblem(429, "too_many_requests"); a.Header.Get("Retry-After") == "" {
		t.Error("got no Retry-After, want one")
	}
	w.AdminOf("globex").Do("POST", "/v1/customers/globex/bulk", m{"rows": grantRows(1)}).Want(202)
	ann.Do("POST", first.Header.Get("Location")+"/cancel", nil).Want(200)
	ask("more").Want(202)
}

func TestADryRunOfAJobTellsWhatItsRowsWouldDoInTheirOrder(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	firms(w, 1)
	w.User("p1", "kim@p1.example", "tech")
	ann := w.AdminOf("acme")
	rows := append(grantRows(1), m{"op": "edit", "partner": "p1", "level": "manage"}, m{"op": "revoke", "partner": "p1"},
		m{"op": "edit", "partner": "p1", "level": "view"})
	before := len(records(t, w))
	where := ann.Do("POST", acmeBulk+"?dry_run=true", m{"rows": rows}).Want(202).Header.Get("Location")
	if got := done(t, ann, where); got.Get("dry_run") != true || got.Int("succeeded") != 3 {
		t.Errorf("got %s, want a dry run of which three rows would succeed", got.Body)
	}
	wantRows(t, ann, where, "done 201", "done 200", "done 200", "failed 409 ended")
	a := ann.Do("GET", where+"/results", nil).Want(200)
	for i, want := range []string{"1 0", "1 0", "0 1"} {
		if got := fmt.Sprint(a.Int(fmt.Sprintf("items.%d.gains", i)), " ", a.Int(fmt.Sprintf("items.%d.loses", i))); got != want {
			t.Errorf("row %d: got %s who gain and lose, want %s", i+1, got, want)
		}
	}
	if after := len(records(t, w)); after-before > len(rows)+3 { // the rows, the job, what is open, a lease
		t.Errorf("got %d records more, want those of the job alone", after-before)
	}
	ann.Do("GET", "/v1/customers/acme/grants/p1", nil).WantProblem(404, "not_found")
}

func TestTheRowsOfAJobAreTakenAndGivenAsCSV(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	firms(w, 2)
	kim := w.User("p2", "kim@p2.example", "tech")
	ann := w.AdminOf("acme")
	post := func(body, query string) *spec.Answer {
		return ann.Do("POST", acmeBulk+query, body, "Content-Type", "text/csv")
	}
	csv := "\ufeffop,partner,level,everyone,users,until,add,note,version\r\n" +
		"grant,p1,support,true,,2027-03-01T00:00:00Z,,\"one, \"\"two\"\"\",\r\n" +
		"edit,p1,view,,,none,,,1\r\n" +
		"grant,p2,,," + kim + ",,,,\r\n"
	where := post(csv, "?on_error=stop").Want(202).Header.Get("Location")
	done(t, ann, where)
	wantRows(t, ann, where, "done 201", "done 200", "done 201")
	g := ann.Do("GET", "/v1/customers/acme/grants/p1", nil).Want(200)
	if g.Get("note") != `one, "two"` || g.Get("until") != nil || g.Get("level") != "view" {
		t.Errorf("got %s, want what the lines say", g.Body)
	}
	out := string(ann.Do("GET", where+"/results?format=csv", nil).Want(200).Body)
	if lines := strings.Split(out, "\r\n"); len(lines) != 6 || !strings.HasPrefix(lines[0], "row,op,customer,partner,state,status,code") ||
		!strings.HasPrefix(lines[1], "1,grant,acme,p1,done,201,") || !strings.HasPrefix(lines[4], "#rows,3,") {
		t.Errorf("got the results as CSV %q", out)
	}
	for body, want := range map[string]string{
		"":                              "the body is empty",
		"op,partner\n":                  "line 2: there is no row",
		"op;partner\ngrant;p1\n":        "line 1: the columns are separated by commas",
		"op,colour\n":                   `line 1: there is no column "colour"`,
		"op,op\n":                       `line 1: the column "op" stands there twice`,
		"partner\np1\n":                 "line 1: there is no column op",
		"op,partner\ngrant,p1,p2\n":     "line 2: this line has not as many cells",
		"op,partner\ngrant,\"p1\n":      "line 2: a quotation mark",
		"op,partner\ngrant,p\"1\n":      "line 2: a cell that is not quoted",
		"op,partner,level\nshout,p1,\n": "line 2: op is one of",
	} {
		a := post(body, "").WantProblem(http.StatusBadRequest, "invalid")
		if !strings.HasPrefix(a.String("detail"), want) {
			t.Errorf("%q: got %s, want %s", body, a.Body, want)
		}
	}
	post("op,partner,level\ngrant,p1,\ngrant,p2,total\nedit,p1,\n", "").WantProblem(400, "invalid", "/rows/1/level")
}

func TestWhatIsMalformedInAJobIsNamedRowByRow(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	ann := w.AdminOf("acme")
	ann.Do("POST", acmeBulk, m{"rows": []any{
		m{"op": "shout", "partner": "p1"},
		"grant",
		m{"op": "grant", "partner": "p1", "colour": 1},
		m{"op": "revoke", "partner": "p1", "level": "view"},
		m{"op": "extend", "partner": "p1"},
		m{"op": "grant", "customer": "globex", "partner": "p1"},
		m{"op": "edit", "partner": "p1", "version": 0},
		m{"op": "edit"},
		m{"op": "grant"},
		m{"op": "revoke", "partner": 7},
		m{"op": "revoke", "partner": "p1", "version": 1},
	}, "on_error": "pause"}).WantProblem(400, "invalid", "/rows/0/op", "/rows/1", "/rows/2/colour", "/rows/3/level", "/rows/4/extend",
		"/rows/5/customer", "/rows/6/version", "/rows/7/partner", "/rows/8", "/rows/9/partner", "/rows/10/version", "/on_error")
	ann.Do("POST", acmeBulk, m{"rows": []any{
		m{"op": "revoke", "customer": "", "partner": "p1"}, m{"op": "grant", "partner": "", "email": "kim@contoso.example"},
	}}).WantProblem(400, "invalid", "/rows/0/customer", "/rows/1/partner")
	ann.Do("POST", acmeBulk, m{"rows": []any{}}).WantProblem(400, "invalid", "/rows")
	ann.Do("POST", acmeBulk, m{"rows": grantRows(access.MaxJobRows + 1)}).WantProblem(400, "invalid", "/rows")
	ann.Do("POST", acmeBulk+"?dry_run=perhaps&colour=red", m{"rows": grantRows(1)}).WantProblem(400, "invalid", "?dry_run", "?colour")
	ann.Do("POST", acmeBulk, "<rows/>", "Content-Type", "text/xml").WantProblem(415, "unsupported_media_type")
	huge := m{"op": "grant", "partner": "p1", "note": strings.Repeat("x", 1<<20)}
	ann.Do("POST", acmeBulk, m{"rows": []m{huge}}).WantProblem(413, "too_large")
}

func TestTheProvidersRowsOpenAndEndRelationshipsAlone(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Customer("globex")
	firms(w, 1)
	p := w.Provider()
	where := p.Do("POST", "/v1/bulk", m{"rows": []m{
		{"op": "grant", "customer": "acme", "partner": "p1", "everyone": true},
		{"op": "grant", "customer": "globex", "partner": "p1"},
		{"op": "revoke", "customer": "globex", "partner": "p1"},
		{"op": "grant", "customer": "nowhere", "partner": "p1"},
	}}).Want(202).Header.Get("Location")
	done(t, p, where)
	wantRows(t, p, where, "done 201", "done 201", "done 200", "failed 404 not_found")
	if got := w.AdminOf("acme").Do("GET", "/v1/customers/acme/grants/p1", nil).Want(200).String("level"); got != "support" {
		t.Errorf("got the level %s, want support, as a relationship has it", got)
	}
	p.Do("POST", "/v1/bulk", m{"rows": []m{
		{"op": "edit", "customer": "acme", "partner": "p1", "level": "manage"},
		{"op": "grant", "partner": "p1"},
		{"op": "grant", "customer": "acme", "partner": "p1", "level": "view"},
	}}).WantProblem(400, "invalid", "/rows/0/op", "/rows/1/customer", "/rows/2/level")
	p.Do("POST", where+"/retry", nil).Want(202)
	p.Do("POST", where+"/cancel", nil).Want(200)
}

func TestAJobIsSeenByItsOwnOrganisationAlone(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Customer("globex")
	firms(w, 1)
	ann, gil := w.AdminOf("acme"), w.AdminOf("globex")
	id := ann.Do("POST", acmeBulk, m{"rows": grantRows(1)}).Want(202).String("id")
	done(t, ann, acmeBulk+"/"+id)
	for _, path := range []string{"", "/results"} {
		gil.Do("GET", acmeBulk+"/"+id+path, nil).WantProblem(404, "not_found")
		gil.Do("GET", "/v1/customers/globex/bulk/"+id+path, nil).WantProblem(404, "not_found")
		w.Provider().Do("GET", "/v1/bulk/"+id+path, nil).WantProblem(404, "not_found")
		w.Member("acme", "mia@acme.example").Do("GET", acmeBulk+"/"+id+path, nil).Want(200)
	}
	for _, path := range []string{"/cancel", "/retry"} {
		gil.Do("POST", "/v1/customers/globex/bulk/"+id+path, nil).WantProblem(404, "not_found")
		w.Provider().Do("POST", "/v1/bulk/"+id+path, nil).WantProblem(404, "not_found")
		w.As("mia@acme.example").Do("POST", acmeBulk+"/"+id+path, nil).WantProblem(403, "forbidden")
	}
}

func TestOfManyChangesAtOnceARecipientGetsAFewMailsAndADigest(t *testing.T) {
	t.Parallel()
	w := spec.New(t, func(c *stack.Config) { c.Stream = true })
	const ops, it = "ops@p1.example", "it@acme.example"
	p := w.Provider()
	w.Customer("acme")
	p.Do("PUT", "/v1/customers/acme", m{"contacts": []string{it}}).Want(200)
	firms(w, 7)
	ann := w.AdminOf("acme")
	done(t, ann, ann.Do("POST", acmeBulk, m{"rows": grantRows(7)}).Want(202).Header.Get("Location"))
	mails(t, w, it, "grant.created", "bundled", 7-receipt.PerJob)
	mails(t, w, it, "grant.created", "delivered", receipt.PerJob)
	w.Advance(6 * time.Minute)
	wantDigest(t, w, it, 7-receipt.PerJob, "the access of P1 to Acme was granted", "the access of P7 to Acme was granted")

	// A partner's people get one digest, whichever customers it is about.
	p.Do("PATCH", "/v1/partners/p1", m{"contacts": []string{ops}}, "If-Match", "*").Want(200)
	rows := []m{}
	for i := range 5 {
		id := fmt.Sprint("c", i)
		w.Customer(id)
		rows = append(rows, m{"op": "grant", "customer": id, "partner": "p1"})
	}
	done(t, p, p.Do("POST", "/v1/bulk", m{"rows": rows}).Want(202).Header.Get("Location"))
	mailed(t, w, ops, "grant.created", receipt.PerJob)
	spec.Eventually(t, func() error {
		list := p.Do("GET", "/v1/partners/p1/mail", nil).Want(200)
		if n := strings.Count(string(list.Body), `"state":"bundled"`); n != 5-receipt.PerJob {
			return fmt.Errorf("got %d mails for the digest: %s", n, list.Body)
		}
		return nil
	})
	w.Advance(6 * time.Minute)
	wantDigest(t, w, ops, 5-receipt.PerJob, "the access of P1 to C")
}

// wantDigest waits for the digest to an address, which has that many lines and at least one of the texts.
func wantDigest(t *testing.T, w *spec.World, to string, lines int, texts ...string) {
	t.Helper()
	digest := mailed(t, w, to, "mail.summary", 1)
	found := slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(digest.Text, text) })
	if got := strings.Count(digest.Text, "UTC: "); got != lines || !found || digest.Subject != "More changes made at once" {
		t.Errorf("got %s\n%s\nwant a digest of %d changes, among them one of %q", digest.Subject, digest.Text, lines, texts)
	}
}

// Rows name users, caps and everyone as the routes do: what a function may call for its own requests, the worker may for its rows.
func TestTheRowsOfAJobEditWhateverTheirRouteEdits(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann := w.AdminOf("acme")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "support"}).Want(201)
	edit := func(more m) m {
		more["op"], more["partner"] = "edit", "contoso"
		return more
	}
	rows := []m{
		edit(m{"users": m{"add": []string{sam}}}),
		edit(m{"users": m{"remove": []string{sam}}}),
		edit(m{"caps": m{"kim@contoso.example": "view"}}),
		edit(m{"everyone": true}),
		edit(m{"everyone": false, "users": m{"set": []string{kim}}}),
		edit(m{"state": "suspended"}),
		edit(m{"state": "open"}),
		{"op": "revoke", "partner": "contoso"},
	}
	for _, query := range []string{"?dry_run=true", ""} {
		job := ann.Do("POST", acmeBulk+query, m{"rows": rows}).Want(202).Header.Get("Location")
		done(t, ann, job)
		wantRows(t, ann, job, slices.Repeat([]string{"done 200"}, len(rows))...)
		if query != "" {
			w.Allowed(kim, "sign_in", "acme")
		}
	}
	w.Denied(kim, "sign_in", "acme", "ended")
}
