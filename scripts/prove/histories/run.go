package histories

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/sync/errgroup"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/report"
)

// Config says how much is done. The zero value of a number takes its default.
type Config struct {
	Ops       int // by the clients; 100,000
	Clients   int // 16
	Customers int // 3
	Partners  int // 2
	Users     int // of each partner, beside its owner; 3
	Epoch     int // operations of each client between two observations; 40
	Most      int // violations, after which it ends; 20
	Seed      uint64

	Engine *engine.Engine // outlives the run; nil: one is started as DYNAMODB says
	Table  string         // with an engine that is shared: one of its own
	Keep   string         // a folder for the histories that are wrong; empty: they are not kept
	Log    io.Writer      // a line now and then; nil: nothing

	Handlers func(stack.Deps) (map[string]lambda.Handler, error) // nil: the functions' own
}

// Report is what a run found.
type Report struct {
	Seed       uint64
	Engine     string
	Ops        int
	Checks     int // questions that were answered, one for each user in a batch
	Epochs     int
	Parts      int // that were judged
	Approvals  int // of partners' requests, that were accepted
	ByKind     map[string]int
	Answers    map[string]int
	Violations []string
	Took       time.Duration
	Judging    time.Duration // of that
}

// String is what is printed of it.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b,
		"histories: engine %s, seed %d, %d operations (%d questions answered, %d approvals) in %d epochs, %d parts judged, "+
			"%s (%s of it judging), %d CPUs %s/%s\n",
		r.Engine, r.Seed, r.Ops, r.Checks, r.Approvals, r.Epochs, r.Parts, r.Took.Round(time.Second), r.Judging.Round(time.Second),
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	report.Counts(&b, "by kind", r.ByKind)
	report.Counts(&b, "answers", r.Answers)
	report.Violations(&b, r.Violations)
	return b.String()
}

const (
	mostUsers = 50 // of a partner in an epoch
	judging   = time.Minute
)

// Run does a history and judges it. The error is for what kept it from being done; what is wrong with the service stands in the report.
func Run(ctx context.Context, c Config) (*Report, error) {
	for _, d := range []struct {
		n  *int
		is int
	}{{&c.Ops, 100_000}, {&c.Clients, 16}, {&c.Customers, 3}, {&c.Partners, 2}, {&c.Users, 3}, {&c.Epoch, 40}, {&c.Most, 20}} {
		if *d.n == 0 {
			*d.n = d.is
		}
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Handlers == nil {
		c.Handlers = stack.Functions
	}
	w, err := newWorld(ctx, c)
	if err != nil {
		return nil, err
	}
	r := &runner{
		Config: c, w: w, kinds: weights(), began: time.Now(),
		report: &Report{Seed: c.Seed, Engine: w.Engine().Kind(), ByKind: map[string]int{}, Answers: map[string]int{}},
	}
	err = r.run(ctx)
	r.report.Took = time.Since(r.began)
	return r.report, errors.Join(err, w.stop())
}

type runner struct {
	Config
	w      *world
	kinds  []kind
	began  time.Time
	report *Report

	begin map[pair]state // of this epoch
	ops   [][]*operation // of this epoch, by client
}

func (r *runner) elapsed() int64 { return int64(time.Since(r.began)) }

func (r *runner) run(ctx context.Context) error {
	r.begin = map[pair]state{}
	if _, err := r.observe(ctx, func(p pair, o *operation) { r.begin[p] = o.seen.begin() }); err != nil {
		return err
	}
	for r.report.Ops < r.Ops && len(r.report.Violations) < r.Most {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.epoch(ctx); err != nil {
			return fmt.Errorf("epoch %d of seed %d: %w", r.report.Epochs, r.Seed, err)
		}
		r.report.Epochs++
		if r.report.Epochs%10 == 0 {
			_, _ = fmt.Fprintf(r.Log, "%s: %d operations, %d epochs, %d violations\n", time.Since(r.began).Round(time.Second), r.report.Ops,
				r.report.Epochs, len(r.report.Violations))
		}
	}
	return nil
}

// epoch has the clients do their share, looks at what is there then, and judges.
func (r *runner) epoch(ctx context.Context) error {
	n := r.report.Epochs
	r.ops = make([][]*operation, r.Clients)
	random := rand.New(rand.NewPCG(r.Seed, uint64(n)<<32|1<<31)) //nolint:gosec // to choose commands
	doomed, by, at := -1, random.IntN(r.Clients), random.IntN(r.Epoch)
	if random.IntN(4) == 0 { // a partner goes for ever, in the middle of everything
		doomed = random.IntN(r.Partners)
	}
	var clients errgroup.Group
	for client := range r.Clients {
		clients.Go(func() error {
			random := rand.New(rand.NewPCG(r.Seed, uint64(n)<<32|uint64(client))) //nolint:gosec // likewise
			for i := range r.Epoch {
				c := choose(random, r.kinds, r.Customers, r.Partners, r.w.usersOf, r.w.now())
				if doomed >= 0 && client == by && i == at {
					c = command{kind: removePartner, partner: doomed, level: -1, from: unchanged, until: unchanged}
				}
				if err := r.do(ctx, client, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := clients.Wait(); err != nil {
		return err
	}
	a, err := r.w.advance(ctx, 1) // the sweep does what is due
	if err != nil || a.Status != http.StatusOK {
		return fmt.Errorf("move the clock: got %d %s: %w", a.Status, a.Body, err)
	}
	after := map[pair]*operation{}
	if _, err := r.observe(ctx, func(p pair, o *operation) { after[p] = o }); err != nil {
		return err
	}
	r.judge(after)
	return r.settle(ctx, after)
}

// do sends a command and keeps what it was answered.
func (r *runner) do(ctx context.Context, client int, c command) error {
	if c.kind == join && r.w.usersOf(c.partner) >= mostUsers {
		c.kind, c.users = check, []int{0}
	}
	if c.kind == batch {
		for u := range min(r.w.usersOf(c.partner), 20) {
			c.users = append(c.users, u)
		}
	}
	if c.kind.ofRequest() && !r.w.someRequest(&c) {
		c.kind, c.users, c.how, c.level, c.until = check, []int{0}, "snapshot", -1, unchanged
	}
	o := &operation{command: c, client: client}
	var token, method, path string
	var body any
	if c.kind != moveClock {
		token, method, path, body = r.w.request(&o.command)
	}
	shown := r.w.now()
	o.call = r.elapsed()
	var a ask.Answer
	var err error
	if c.kind == moveClock {
		a, err = r.w.advance(ctx, c.by)
	} else {
		a, err = r.w.do(ctx, token, method, path, body)
	}
	o.end = r.elapsed()
	o.nows = r.w.since(shown)
	if err != nil {
		return fmt.Errorf("%v: %w", &o.command, err)
	}
	o.answer = became(a)
	if err := r.understand(o, a, body); err != nil {
		return err
	}
	r.ops[client] = append(r.ops[client], o)
	return nil
}

// understand notes who somebody new is, and what a question was answered.
func (r *runner) understand(o *operation, a ask.Answer, body any) error {
	w := r.w
	if a.Status >= http.StatusInternalServerError || o.kind.reads() && a.Status != http.StatusOK ||
		o.kind == moveClock && a.Status != http.StatusOK {
		w.mu.Lock()
		r.report.Violations = append(r.report.Violations, fmt.Sprintf("%v: got %d %s", o, a.Status, a.Body))
		w.mu.Unlock()
		for range o.users { // of which nothing is known
			o.answers = append(o.answers, "")
		}
		return nil
	}
	switch {
	case o.kind == join && a.Status == http.StatusCreated:
		o.users = []int{w.joined(o.partner, person{a.Text("id"), body.(object)["email"].(string)})}
	case o.kind == askFor && a.Done():
		return w.noteRequest(o, a)
	case o.kind == leave && a.Done():
		w.gone(w.person(o.partner, o.users[0]).id, o.end)
	case o.kind == removePartner && a.Done():
		w.gone(w.firm(o.partner).id, o.end)
	}
	if !o.kind.reads() {
		return nil
	}
	var got struct {
		decision
		Evaluations []decision
		Results     []struct{ ID, Name string }
	}
	if err := json.Unmarshal(a.Body, &got); err != nil {
		return fmt.Errorf("%v: got %s: %w", o, a.Body, err)
	}
	switch o.kind {
	case check:
		o.answers = []string{got.reason()}
	case batch:
		for _, d := range got.Evaluations {
			o.answers = append(o.answers, d.reason())
		}
		if len(o.answers) != len(o.users) {
			return fmt.Errorf("%v: got %d answers", o, len(o.answers))
		}
	case searchUsers:
		var ids []string
		for _, one := range got.Results {
			ids = append(ids, one.ID)
		}
		o.users = w.within(o.partner, ids)
		o.answers = slices.Repeat([]string{"granted"}, len(o.users))
	case searchCustomers:
		o.answers = []string{""}
		for _, one := range got.Results {
			if one.ID == customerID(o.customer) {
				o.answers[0] = "granted"
			}
		}
	case searchActions:
		o.need, o.answers = 1, []string{""}
		if len(got.Results) > 0 {
			o.answers[0] = "granted"
		}
	}
	o.answer = ""
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, u := range o.users {
		f := w.firms[o.partner]
		if u < 0 {
			return fmt.Errorf("%v: got a user whom nobody knows: %s", o, a.Body)
		}
		for _, id := range []string{f.id, f.users[u].id} {
			if when, out := w.goners[id]; o.answers[i] == "granted" && out && when < o.call {
				r.report.Violations = append(r.report.Violations,
					fmt.Sprintf("seed %d, epoch %d: %s was let in by [%v], and had gone for ever", r.Seed, r.report.Epochs, id, o))
			}
		}
	}
	return nil
}

// joined notes a partner's new user, and returns its number.
func (w *world) joined(partner int, p person) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.firms[partner]
	f.users = append(f.users, p)
	return len(f.users) - 1
}

// gone notes that a user or a partner was removed.
func (w *world) gone(id string, when int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.goners[id] = when
}

// observe reads every pair, while nobody does anything.
func (r *runner) observe(ctx context.Context, each func(pair, *operation)) (int, error) {
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(8)
	for c := range r.Customers {
		for p := range r.Partners {
			g.Go(func() error {
				o := &operation{
					command: command{kind: observe, customer: c, partner: p, level: -1, from: unchanged, until: unchanged},
					client:  r.Clients, call: r.elapsed(), nows: []int64{r.w.now()},
				}
				var err error
				if o.seen, err = r.w.observed(ctx, c, p); err != nil {
					return fmt.Errorf("observe: %w", err)
				}
				o.end = r.elapsed()
				mu.Lock()
				defer mu.Unlock()
				each(pair{c, p}, o)
				return nil
			})
		}
	}
	return r.Customers * r.Partners, g.Wait()
}

// judge holds the epoch against what is promised.
func (r *runner) judge(after map[pair]*operation) {
	start := time.Now()
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(2)
	for p, begin := range r.begin {
		part := part{pair: p, begin: begin}
		for _, ops := range r.ops {
			for _, o := range ops {
				if o.partner == p.partner && (o.customer == p.customer || o.kind.ofPartner()) && o.kind != moveClock {
					mine := *o // what is noted with it differs from part to part
					part.ops = append(part.ops, &mine)
				}
			}
		}
		part.ops = append(part.ops, after[p])
		g.Go(func() error {
			part.mark()
			wrong := part.violations()
			if w := part.linearizable(judging, r.Keep); w != "" {
				wrong = append(wrong, w)
			}
			if o := after[p].seen; !o.everyone && (o.status == "active" || o.status == "suspended" || o.status == "scheduled") &&
				o.counted != bits.OnesCount64(uint64(o.in)) {
				wrong = append(wrong,
					fmt.Sprintf("customer %d and partner %d: the grant counts %d users after the sweep, and lists %b", p.customer, p.partner, o.counted,
						o.in))
			}
			mu.Lock()
			defer mu.Unlock()
			r.report.Parts++
			for _, v := range wrong {
				r.report.Violations = append(r.report.Violations, fmt.Sprintf("seed %d, epoch %d: %s", r.Seed, r.report.Epochs, v))
			}
			return nil
		})
	}
	_ = g.Wait() // its functions return none
	for _, ops := range r.ops {
		for _, o := range ops {
			r.report.count(o)
		}
	}
	r.report.Judging += time.Since(start)
}

// count adds an operation.
func (r *Report) count(o *operation) {
	r.Ops++
	r.ByKind[o.kind.String()]++
	if o.kind == approve && o.answer == "200" {
		r.Approvals++
	}
	if o.answer != "" {
		r.Answers[o.answer]++
	}
	r.Checks += len(o.answers)
	for _, a := range o.answers {
		if a != "" {
			r.Answers[a]++
		}
	}
}

// settle begins the next epoch: whoever has gone is forgotten, and somebody new comes in. No request is pending any more.
func (r *runner) settle(ctx context.Context, after map[pair]*operation) error {
	if err := r.w.endRequests(ctx, after); err != nil {
		return err
	}
	for i, f := range r.w.firms {
		partner := after[pair{0, i}].seen
		var stay []person
		for u, p := range f.users {
			there := partner.partner != removed && partner.present.has(u)
			if there && len(stay) <= 2*r.Users {
				stay = append(stay, p)
				continue
			}
			if there {
				if err := r.w.must(ctx, http.MethodDelete, "/v1/partners/"+f.id+"/users/"+p.id, nil, http.StatusNoContent); err != nil {
					return err
				}
			}
			for c := range r.Customers {
				if !after[pair{c, i}].seen.member.has(u) {
					continue
				}
				if err := r.w.must(ctx, http.MethodDelete, "/v1/customers/"+customerID(c)+"/members/"+p.email, nil, http.StatusNoContent); err != nil {
					return err
				}
			}
		}
		if partner.partner == removed {
			f, err := r.w.newFirm(ctx, r.Users)
			if err != nil {
				return err
			}
			r.w.firms[i] = f
			continue
		}
		f.users = stay
		for len(f.users) <= r.Users {
			if err := r.w.newUser(ctx, f, "tech"); err != nil {
				return err
			}
		}
	}
	_, err := r.observe(ctx, func(p pair, o *operation) { r.begin[p] = o.seen.begin() })
	return err
}
