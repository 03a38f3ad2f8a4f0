package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/child"
	"partneraccess/scripts/local/launch"
	"partneraccess/shared/httpapi"
)

// BulkReport is what was seen of bulk jobs.
type BulkReport struct {
	Kills      int
	Jobs       int
	Rows       int
	Cut        int // requests for a job whose answer was lost
	Interrupts int // jobs that a kill met between their first row and their last
	Violations []string
}

func (r *BulkReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills; %d bulk jobs of %d rows in all, %d of which a kill met half done; %d requests for a job without an answer\n",
		r.Kills, r.Jobs, r.Rows, r.Interrupts, r.Cut)
	for _, v := range r.Violations {
		fmt.Fprintln(&b, "VIOLATION", v)
	}
	return b.String()
}

// Of each job: so many partners are granted access for a period, and so many rows move the end of one of these grants by a day each. A row
// that is made twice shows in the end of its grant, and in the number of events.
const (
	bulkPartners = 8
	bulkExtends  = 112
	bulkDays     = 30
)

// bulkJob is a job of one customer, and what has to come of it.
type bulkJob struct {
	customer, token string
	body            object
	until           time.Time // of each grant, before it is moved
	days            [bulkPartners]int
}

// RunBulk kills the stack so many times in the middle of a bulk job, and looks at what is there when the job is done.
func RunBulk(ctx context.Context, c Config) (_ *BulkReport, err error) {
	w := &world{
		Config: c, window: map[letter]int{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: time.Minute},
	}
	if w.port, err = child.FreePort(ctx); err != nil {
		return nil, err
	}
	if w.inbox, err = openInbox(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.inbox.close()) }()
	p, err := w.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { p.Kill() }()
	if w.provider, err = w.token(ctx, object{"scope": httpapi.ScopeDirectory}); err != nil {
		return nil, err
	}
	for n := range bulkPartners {
		body := object{"name": fmt.Sprint("Partner ", n), "class": "channel", "offer": "manage"}
		if _, err := w.must(ctx, w.provider, http.MethodPut, fmt.Sprint("/v1/partners/p", n), body); err != nil {
			return nil, err
		}
	}
	report, r := &BulkReport{}, rand.New(rand.NewPCG(c.Seed, 2)) //nolint:gosec // no secret
	for round := range c.Rounds {
		if p, err = w.bulkRound(ctx, p, report, round, r); err != nil {
			return report, fmt.Errorf("round %d: %w; the stack printed: %s", round, err, p.Printed())
		}
		if report.Violations = w.report.Violations; len(report.Violations) > 0 {
			break
		}
	}
	return report, p.Stop()
}

// bulkRound is a job, a kill or two while it is done, and a look at what came of it. It gives the stack back, running.
func (w *world) bulkRound(ctx context.Context, p *launch.Stack, report *BulkReport, round int, r *rand.Rand) (*launch.Stack, error) {
	j, err := w.newBulkJob(ctx, round, r)
	if err != nil {
		return p, err
	}
	path := "/v1/customers/" + j.customer + "/bulk"
	answered := make(chan error, 1)
	go func() {
		_, err := w.send(ctx, j.token, http.MethodPost, path, j.body, "the-only-one")
		answered <- err
	}()
	asked := r.IntN(3) > 0
	if asked { // and the job is under way
		if err := <-answered; err != nil {
			return p, err
		}
	}
	time.Sleep(time.Duration(r.IntN(900)) * time.Millisecond)
	for again := true; again; {
		if _, err := kill(p, r); err != nil {
			return p, err
		}
		report.Kills++
		w.http.CloseIdleConnections()
		w.ahead += time.Minute // the lease of the worker that was killed is over
		if p, err = w.restart(ctx, p); err != nil {
			return p, err
		}
		if again = r.IntN(3) == 0; again { // what was left is being done
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		}
	}
	if !asked && <-answered != nil {
		report.Cut++
	}
	a, err := w.send(ctx, j.token, http.MethodPost, path, j.body, "the-only-one")
	if err == nil {
		err = a.Into(nil)
	}
	if err != nil {
		return p, err
	}
	return p, w.bulkEnd(ctx, report, j, path+"/"+a.Text("id"))
}

// newBulkJob makes a customer with an admin, and the job that it will ask for.
func (w *world) newBulkJob(ctx context.Context, round int, r *rand.Rand) (*bulkJob, error) {
	j := &bulkJob{customer: fmt.Sprint("b", round), until: time.Now().UTC().Truncate(day).Add(bulkDays * day)}
	email := "admin@" + j.customer + ".example"
	if _, err := w.must(ctx, w.provider, http.MethodPut, "/v1/customers/"+j.customer, object{"name": j.customer}); err != nil {
		return nil, err
	}
	member := object{"name": "Admin", "role": "admin"}
	if _, err := w.must(ctx, w.provider, http.MethodPut, "/v1/customers/"+j.customer+"/members/"+email, member); err != nil {
		return nil, err
	}
	var rows []object
	for n := range bulkPartners {
		rows = append(rows, object{"op": "grant", "partner": fmt.Sprint("p", n), "everyone": true, "until": j.until})
	}
	for range bulkExtends {
		n := r.IntN(bulkPartners)
		j.days[n]++
		rows = append(rows, object{"op": "extend", "partner": fmt.Sprint("p", n), "extend": "P1D"})
	}
	j.body = object{"rows": rows}
	var err error
	j.token, err = w.token(ctx, object{"email": email})
	return j, err
}

// bulkEnd waits for the end of a job, and holds what it did against its rows.
func (w *world) bulkEnd(ctx context.Context, report *BulkReport, j *bulkJob, path string) error {
	var before, job struct {
		State             string
		Succeeded, Failed int
	}
	if _, err := w.get(ctx, path, &before); err != nil {
		return err
	}
	if before.Succeeded > 0 && before.State == "running" {
		report.Interrupts++
	}
	w.ahead += time.Minute
	if _, err := w.must(ctx, w.provider, http.MethodPost, "/_local/clock", object{"advance": "1m"}); err != nil { // the schedule runs
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := w.get(ctx, path, &job); err != nil {
			return err
		}
		if job.State == "done" {
			break
		}
		if time.Now().After(end) {
			w.violated("%s: the job is still %s after a minute: %+v", j.customer, job.State, job)
			return nil
		}
	}
	report.Jobs++
	report.Rows += bulkPartners + bulkExtends
	if job.Succeeded != bulkPartners+bulkExtends || job.Failed != 0 {
		w.violated("%s: got %d rows that succeeded and %d that failed, want all of %d to succeed", j.customer, job.Succeeded, job.Failed,
			bulkPartners+bulkExtends)
	}
	for n, days := range j.days {
		var g struct {
			Until   time.Time
			Version int
		}
		if _, err := w.get(ctx, fmt.Sprintf("/v1/customers/%s/grants/p%d", j.customer, n), &g); err != nil {
			return err
		}
		if want := j.until.Add(time.Duration(days) * day); !g.Until.Equal(want) || g.Version != days+1 {
			w.violated("%s: the grant to p%d ends at %s in version %d, want %s in version %d: %d rows moved it", j.customer, n, g.Until, g.Version,
				want, days+1, days)
		}
	}
	events, err := w.countEvents(ctx, j.customer)
	if want := bulkPartners + bulkExtends; err == nil && events != want {
		w.violated("%s: got %d events of grants, want one for each of %d rows", j.customer, events, want)
	}
	return err
}

// countEvents counts the events of a customer's grants.
func (w *world) countEvents(ctx context.Context, customer string) (n int, err error) {
	for cursor := ""; ; {
		var page struct {
			Items []struct{ Type string }
			Next  *string `json:"next_cursor"`
		}
		var a ask.Answer
		a, err = w.send(ctx, w.provider, http.MethodGet, "/v1/customers/"+customer+"/history?limit=100"+cursor, nil, "")
		if err == nil {
			err = a.Into(&page)
		}
		for _, e := range page.Items {
			if strings.HasPrefix(e.Type, "grant.") {
				n++
			}
		}
		if err != nil || page.Next == nil {
			return n, err
		}
		cursor = "&cursor=" + *page.Next
	}
}
