package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"partneraccess/scripts/local/ask"
)

// What there is. A customer grants access to partners number c, c+1 and c+2 (of those there are), of which each has its first two users in;
// the last of the three has everyone.
const (
	customers = 300
	partners  = 30
	usersEach = 6
	batchSize = 50
)

// world is the data, and who asks.
type world struct {
	base  string
	users [partners][]string // their ids

	mu     sync.Mutex
	tokens map[string]string
}

type object map[string]any

func customer(c int) string { return fmt.Sprintf("cust-%04d", c) }
func partner(p int) string  { return fmt.Sprintf("part-%03d", p) }
func admin(c int) string    { return "admin@" + customer(c) + ".example" }

// lets tells whether user u of partner p is in at customer c, by how populate has made it.
func lets(c, p, u int) bool {
	switch (p - c%partners + partners) % partners {
	case 0, 1:
		return u < 2
	case 2:
		return true
	}
	return false
}

const (
	directory = "partner-access/directory"
	check     = "partner-access/check"
)

func (w *world) populate(ctx context.Context) error {
	for p := range partners {
		if _, err := w.send(ctx, directory, http.MethodPut, "/v1/partners/"+partner(p), object{
			"name": "Partner " + partner(p), "class": "channel", "offer": "manage", "sso": true,
			"contacts": []string{"ops@" + partner(p) + ".example"},
		}, nil); err != nil {
			return err
		}
		for u := range usersEach {
			var made struct{ ID string }
			if _, err := w.send(ctx, directory, http.MethodPost, "/v1/partners/"+partner(p)+"/users", object{
				"email": fmt.Sprintf("user%d@%s.example", u, partner(p)), "name": fmt.Sprint("User ", u), "role": "tech",
			}, &made); err != nil {
				return err
			}
			w.users[p] = append(w.users[p], made.ID)
		}
	}
	for c := range customers {
		if _, err := w.send(ctx, directory, http.MethodPut, "/v1/customers/"+customer(c), object{
			"name": "Customer " + customer(c), "domain": customer(c) + ".example", "contacts": []string{"it@" + customer(c) + ".example"},
		}, nil); err != nil {
			return err
		}
		if _, err := w.send(ctx, directory, http.MethodPut, "/v1/customers/"+customer(c)+"/members/"+admin(c),
			object{"name": "Admin", "role": "admin"}, nil); err != nil {
			return err
		}
		for i := range 3 {
			p := (c + i) % partners
			body := object{"partner": partner(p), "level": "support", "users": w.users[p][:2]}
			if i == 2 {
				body = object{"partner": partner(p), "level": "support", "everyone": true}
			}
			if _, err := w.send(ctx, admin(c), http.MethodPost, "/v1/customers/"+customer(c)+"/grants", body, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// mails lets a partner in, and takes the time from the answer until the first mail about it is in the box, the shortest first. Before, it
// waits until all that populate has brought about has been sent.
func (w *world) mails(ctx context.Context) ([]time.Duration, error) {
	for last, still := -1, 0; still < 10; {
		n, err := w.inMailbox(ctx)
		if err != nil {
			return nil, err
		}
		if still++; n != last {
			last, still = n, 0
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	var out []time.Duration
	for c := range 20 {
		w.emptyMailbox(ctx)
		grants := "/v1/customers/" + customer(c) + "/grants"
		p := (c + partners/2) % partners // is not let in otherwise
		if _, err := w.send(ctx, admin(c), http.MethodPost, grants, object{"partner": partner(p), "level": "support", "users": w.users[p][:2]},
			nil); err != nil {
			return nil, err
		}
		for began := time.Now(); ; {
			n, err := w.inMailbox(ctx)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				out = append(out, time.Since(began))
				break
			}
			if time.Since(began) > time.Minute {
				return nil, errors.New("no mail within a minute")
			}
			if err := sleep(ctx, 2*time.Millisecond); err != nil {
				return nil, err
			}
		}
		if _, err := w.send(ctx, admin(c), http.MethodDelete, grants+"/"+partner(p), nil, nil); err != nil {
			return nil, err
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil { // for the mails of the end
			return nil, err
		}
	}
	slices.Sort(out)
	return out, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (w *world) inMailbox(ctx context.Context) (int, error) {
	var mails []struct{ ID string }
	_, err := w.send(ctx, directory, http.MethodGet, "/_local/mail", nil, &mails)
	return len(mails), err
}

// drive lets so many clients ask for a while.
func (w *world) drive(ctx context.Context, clients int, length time.Duration) results {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	all := make([]results, clients)
	var wg sync.WaitGroup
	wg.Go(func() { // the mailbox keeps what nobody throws away
		for ctx.Err() == nil {
			w.emptyMailbox(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Second):
			}
		}
	})
	for i := range clients {
		all[i] = results{}
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 2026)) //nolint:gosec // the same load every time
			for ctx.Err() == nil {
				kind, do := w.something(random, i, clients)
				began := time.Now()
				err := do(ctx)
				if ctx.Err() != nil { // time is up: it was cut off
					return
				}
				all[i].record(kind, time.Since(began), err)
			}
		})
	}
	wg.Wait()
	total := results{}
	for _, r := range all {
		for kind, k := range r {
			t := total.of(kind)
			t.took = append(t.took, k.took...)
			t.failed += k.failed
			t.first = cmp.Or(t.first, k.first)
		}
	}
	return total
}

// something is what a client does next: of 100 requests 95 are checks, half of them batches; 3 are pages of lists, and 2 are writes. A
// client edits its own customers alone, and so that no answer of a check changes.
func (w *world) something(random *rand.Rand, client, clients int) (kind string, do func(context.Context) error) {
	c, p := random.IntN(customers), 0
	switch n := random.IntN(100); {
	case n < 47:
		p = (c + random.IntN(5)) % partners
		u := random.IntN(usersEach)
		return "check", func(ctx context.Context) error { return w.one(ctx, c, p, u) }
	case n < 95:
		p, u := random.IntN(partners), random.IntN(usersEach)
		return "batch of 50", func(ctx context.Context) error { return w.batch(ctx, c, p, u) }
	case n < 97:
		return "list of a customer", func(ctx context.Context) error {
			_, err := w.send(ctx, admin(c), http.MethodGet, "/v1/customers/"+customer(c)+"/grants", nil, nil)
			return err
		}
	case n < 98:
		p = random.IntN(partners)
		return "list of a partner", func(ctx context.Context) error {
			_, err := w.send(ctx, directory, http.MethodGet, "/v1/partners/"+partner(p)+"/customers", nil, nil)
			return err
		}
	default:
		c = c/clients*clients + client
		if c >= customers {
			c = client
		}
		p = c % partners
		level := []string{"support", "manage"}[random.IntN(2)]
		return "edit", func(ctx context.Context) error { return w.edit(ctx, c, p, level) }
	}
}

func (w *world) emptyMailbox(ctx context.Context) {
	_, _ = ask.Send(ctx, client(), ask.Request{Method: http.MethodDelete, URL: w.base + "/_local/mail"}) // the next time will do
}

type decision struct {
	Decision bool
	Context  struct{ Reason string }
}

func (d decision) check(c, p, u int) error {
	if d.Decision != lets(c, p, u) {
		return fmt.Errorf("user %d of %s at %s: got %t (%s), want %t", u, partner(p), customer(c), d.Decision, d.Context.Reason, !d.Decision)
	}
	return nil
}

func (w *world) one(ctx context.Context, c, p, u int) error {
	var d decision
	if _, err := w.send(ctx, check, http.MethodPost, "/access/v1/evaluation", object{
		"subject": object{"type": "user", "id": w.users[p][u]}, "action": object{"name": "reports:read"},
		"resource": object{"type": "customer", "id": customer(c)},
	}, &d); err != nil {
		return err
	}
	return d.check(c, p, u)
}

func (w *world) batch(ctx context.Context, c, p, u int) error {
	var about []object
	for i := range batchSize {
		about = append(about, object{"resource": object{"type": "customer", "id": customer((c + i) % customers)}})
	}
	var answer struct{ Evaluations []decision }
	if _, err := w.send(ctx, check, http.MethodPost, "/access/v1/evaluations", object{
		"subject": object{"type": "user", "id": w.users[p][u]}, "action": object{"name": "reports:read"}, "evaluations": about,
	}, &answer); err != nil {
		return err
	}
	if len(answer.Evaluations) != batchSize {
		return fmt.Errorf("got %d answers, want %d", len(answer.Evaluations), batchSize)
	}
	for i, d := range answer.Evaluations {
		if err := d.check((c+i)%customers, p, u); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) edit(ctx context.Context, c, p int, level string) error {
	path := "/v1/customers/" + customer(c) + "/grants/" + partner(p)
	for range 5 { // another client's time, or a reminder, may come in between
		etag, err := w.send(ctx, admin(c), http.MethodGet, path, nil, nil)
		if err != nil {
			return err
		}
		_, err = w.send(ctx, admin(c)+" "+etag, http.MethodPatch, path, object{"level": level}, nil)
		if refused, ok := errors.AsType[*ask.Refused](err); ok && refused.Status == http.StatusPreconditionFailed {
			continue
		}
		return err
	}
	return fmt.Errorf("%s changes all the time", path)
}

// send sends a request as that person or with that scope (with an ETag after a space, for If-Match) and reads the answer.
func (w *world) send(ctx context.Context, who, method, path string, body, answer any) (etag string, err error) {
	who, match, _ := strings.Cut(who, " ")
	token, err := w.token(ctx, who)
	if err != nil {
		return "", err
	}
	r := ask.Request{Method: method, URL: w.base + path, Token: token, Body: body}
	if match != "" {
		r.Header = map[string]string{"If-Match": match}
	}
	a, err := ask.Send(ctx, client(), r)
	if err != nil {
		return "", err
	}
	return a.Header.Get("ETag"), a.Into(answer)
}

// client keeps a connection for each of the load's clients.
var client = sync.OnceValue(func() *http.Client { //nolint:gochecknoglobals // one for the process, like http.DefaultClient
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: time.Minute}
})

// token asks the local stack for one, once for everybody.
func (w *world) token(ctx context.Context, who string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.tokens[who]; t != "" {
		return t, nil
	}
	whose := object{"scope": who}
	if strings.Contains(who, "@") {
		whose = object{"email": who}
	}
	a, err := ask.Send(ctx, client(), ask.Request{Method: http.MethodPost, URL: w.base + "/_local/token", Body: whose})
	if err != nil {
		return "", err
	}
	var answer struct{ Token string }
	if err := a.Into(&answer); err != nil {
		return "", err
	}
	if w.tokens == nil {
		w.tokens = map[string]string{}
	}
	w.tokens[who] = answer.Token
	return answer.Token, nil
}

// results are those of each kind of request.
type results map[string]*result

type result struct {
	took   []time.Duration
	failed int
	first  string // of the failures
}

func (r results) of(kind string) *result {
	if r[kind] == nil {
		r[kind] = &result{}
	}
	return r[kind]
}

func (r results) record(kind string, took time.Duration, err error) {
	k := r.of(kind)
	k.took = append(k.took, took)
	if err != nil {
		k.failed++
		k.first = cmp.Or(k.first, err.Error())
	}
}

func (r results) writes() int64 {
	if k := r["edit"]; k != nil {
		return int64(len(k.took))
	}
	return 0
}

// print writes the table and returns how many failed.
func (r results) print(w io.Writer, took time.Duration) (failed int) {
	kinds := make([]string, 0, len(r))
	total := 0
	for kind, k := range r {
		kinds = append(kinds, kind)
		failed += k.failed
		total += len(k.took)
	}
	slices.Sort(kinds)
	_, _ = fmt.Fprintf(w, "%-20s %9s %8s %10s %10s %10s\n", "REQUEST", "HOW MANY", "FAILED", "P50", "P99", "LONGEST")
	for _, kind := range kinds {
		k := r[kind]
		slices.Sort(k.took)
		at := func(q float64) time.Duration {
			return k.took[min(int(q*float64(len(k.took))), len(k.took)-1)].Round(10 * time.Microsecond)
		}
		_, _ = fmt.Fprintf(w, "%-20s %9d %8d %10s %10s %10s\n", kind, len(k.took), k.failed, at(0.5), at(0.99), at(1))
		if k.first != "" {
			_, _ = fmt.Fprintf(w, "  the first failure: %s\n", k.first)
		}
	}
	_, _ = fmt.Fprintf(w, "%.0f requests a second, %d failed\n", float64(total)/took.Seconds(), failed)
	return failed
}
