package sweep_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

var (
	start    = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	provider = access.Actor{Kind: "provider"}
	ann      = access.Actor{Kind: "customer", Email: "ann@acme.example"}
)

// world is a table of customers, all of whom have let contoso in for an hour.
type world struct {
	*dynamo.Store
	t         *testing.T
	now       time.Time
	customers []string
}

func newWorld(t *testing.T, customers int) *world {
	t.Helper()
	client, table := engine.Shared(t).Client(), "sweep-"+rand.Text()
	if err := dynamo.CreateTable(t.Context(), client, table, false); err != nil {
		t.Fatal(err)
	}
	w := &world{Store: dynamo.New(client, table), t: t, now: start}
	w.apply(func(context.Context) (access.Change, error) {
		c, _, err := access.PlanPartner("contoso", nil, nil, nil, access.PartnerCommand{Name: new("Contoso"), Offer: new(access.Manage)},
			w.planContext(provider))
		return c, err
	})
	for i := range customers {
		id := fmt.Sprintf("customer%02d", i)
		w.customers = append(w.customers, id)
		w.apply(func(context.Context) (access.Change, error) {
			c, _, err := access.PlanCustomer(id, nil, nil, access.CustomerCommand{Name: &id}, w.planContext(provider))
			return c, err
		})
		w.apply(func(ctx context.Context) (access.Change, error) {
			r, err := w.GrantFacts(ctx, id, "contoso", nil, false)
			if err != nil {
				return access.Change{}, err
			}
			p, err := access.PlanGrant(r, access.GrantCommand{Until: new(start.Add(time.Hour))}, w.planContext(ann))
			return p.Change, err
		})
	}
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) planContext(a access.Actor) access.PlanContext {
	return access.PlanContext{Now: w.now, Actor: a, NewID: setup.IDs(w.clock)}
}

func (w *world) apply(plan func(context.Context) (access.Change, error)) {
	w.t.Helper()
	err := w.Apply(w.t.Context(), func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		c, err := plan(ctx)
		return c, nil, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) removePartner() {
	w.t.Helper()
	w.apply(func(ctx context.Context) (access.Change, error) {
		p, err := w.Partner(ctx, "contoso")
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanRemovePartner(p, nil, w.planContext(provider))
	})
}

// sweep runs once on that store.
func (w *world) sweep(ctx context.Context, store sweep.Store) sweep.Report {
	w.t.Helper()
	s := &sweep.Sweep{Store: store, Now: w.clock, NewID: setup.IDs(w.clock), Log: slog.New(slog.DiscardHandler)}
	r, err := s.Run(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// ended is how many grants are written down as ended. Each must have exactly one event of that, and the others none.
func (w *world) ended() int {
	w.t.Helper()
	n := 0
	for _, id := range w.customers {
		r, err := w.GrantFacts(w.t.Context(), id, "contoso", nil, false)
		if err != nil {
			w.t.Fatal(err)
		}
		history, err := w.CustomerHistory(w.t.Context(), id, access.HistoryFilter{}, access.PageRequest{Limit: 100})
		if err != nil {
			w.t.Fatal(err)
		}
		want := ""
		if r.Grant.State == access.StateEnded {
			n++
			want = string(r.Grant.End.Reason)
		}
		var told []string
		for _, e := range history.Items {
			if e.Data.Reason != "" {
				told = append(told, e.Data.Reason)
			}
		}
		if got := strings.Join(told, ", "); got != want {
			w.t.Errorf("%s: got told that it ended by %q, want %q as the grant says", id, got, want)
		}
	}
	return n
}

// limited is the context of a function that has until then. It does not end, so that nothing fails on a slow machine: only its deadline is
// looked at.
type limited struct {
	context.Context
	until time.Time
}

func (l limited) Deadline() (time.Time, bool) { return l.until, true }

// margin is how long before its time-out a function has to stop, at the least.
const margin = 5 * time.Second

// slow is a table of which every change takes until there is no time left.
type slow struct {
	*dynamo.Store
	stop   time.Time
	lookup atomic.Int64 // how many grants were looked at
}

func (s *slow) Apply(ctx context.Context, plan dynamo.Plan) error {
	err := s.Store.Apply(ctx, plan)
	time.Sleep(time.Until(s.stop))
	return err
}

func (s *slow) Take(ctx context.Context, plan dynamo.Plan) error {
	err := s.Store.Take(ctx, plan)
	time.Sleep(time.Until(s.stop))
	return err
}

func (s *slow) GrantFacts(ctx context.Context, customer, partner string, users []string, whole bool) (access.GrantFacts, error) {
	s.lookup.Add(1)
	return s.Store.GrantFacts(ctx, customer, partner, users, whole)
}

func TestASweepStopsBeforeItsTimeOutAndTheNextOneGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		customers int
		cause     func(w *world)
		most      int // grants that a run can come to whose every change takes all of the time
	}{
		{"periods that end at one instant: one of each of the 8 shards", 40, func(w *world) { w.now = start.Add(time.Hour) }, 8},
		{"a partner's removal, which is gone through in pages of 50", 60, (*world).removePartner, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.customers)
			c.cause(w)
			done := 0
			for allowed := 100 * time.Millisecond; done == 0; allowed *= 2 { // a machine on which nothing was begun in that time gets more
				began := time.Now()
				first := &slow{Store: w.Store, stop: began.Add(allowed)}
				r := w.sweep(limited{t.Context(), first.stop.Add(margin)}, first)
				if !r.Cut || r.Failed > 0 {
					t.Fatalf("with time for a part: got %+v, want it cut and nothing failed", r)
				}
				if done = w.ended(); done > c.most {
					t.Fatalf("with time for a part: got %d ends, want at most %d", done, c.most)
				}
			}
			second := &slow{Store: w.Store}
			if r := w.sweep(t.Context(), second); r.Cut || r.Failed > 0 || r.Done == 0 {
				t.Errorf("the next run: got %+v, want the rest done", r)
			}
			if got := w.ended(); got != c.customers {
				t.Errorf("after the next run: got %d ends, want all %d", got, c.customers)
			}
			if got, want := int(second.lookup.Load()), c.customers-done; got != want {
				t.Errorf("the next run looked at %d grants, want the %d that were left", got, want)
			}
			if r := w.sweep(t.Context(), w.Store); r.Cut || r.Done > 0 || r.Failed > 0 {
				t.Errorf("a third run: got %+v, want nothing left to do", r)
			}
		})
	}
}

func TestASweepThatBeginsTooLateLeavesEverythingToTheNextOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.now = start.Add(time.Hour)
	r := w.sweep(limited{t.Context(), time.Now().Add(margin)}, w.Store)
	if want := (sweep.Report{Cut: true}); r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
	if got := w.ended(); got != 0 {
		t.Errorf("got %d ends, want none", got)
	}
	if r := w.sweep(t.Context(), w.Store); r.Cut || r.Done != 10 || r.Failed > 0 || w.ended() != 10 {
		t.Errorf("the next run: got %+v, want all 10 done", r)
	}
}
