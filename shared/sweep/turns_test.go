package sweep_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// crowded is due work in one shard, in a table that is not there: tasks, each of so many pages, and grants.
type crowded struct {
	sweep.Store

	mu    sync.Mutex
	work  []access.DueWork
	pages map[string]int // that a task still has
	done  []string       // the pieces in the order in which they were done
}

func (c *crowded) DueShards() int { return 1 }

func (c *crowded) Due(_ context.Context, _ int, _ time.Time, after string, limit int) ([]access.DueWork, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := slices.IndexFunc(c.work, func(w access.DueWork) bool { return w.Position > after })
	if from < 0 {
		return nil, false, nil
	}
	to := min(from+limit, len(c.work))
	return slices.Clone(c.work[from:to]), to < len(c.work), nil // as an index, it lists what is done already
}

func (c *crowded) record(piece string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, piece)
}

func (c *crowded) Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	_, _, err := plan(ctx)
	return err
}

func (c *crowded) Take(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	return c.Apply(ctx, plan)
}

func (c *crowded) GrantFacts(_ context.Context, customer, partner string, _ []string, _ bool) (access.GrantFacts, error) {
	c.record("grant of " + customer)
	return access.GrantFacts{}, nil
}

func (c *crowded) Task(_ context.Context, id string) (*access.Task, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages[id] == 0 {
		return nil, nil
	}
	partner, _, _ := strings.Cut(id, " ")
	return &access.Task{ID: id, Kind: access.TaskInvitations, Partner: partner}, nil
}

func (c *crowded) PendingInvitations(_ context.Context, _, partner, _, _ string, _ int) ([]*access.InvitationRow, string, error) {
	c.record("task of " + partner)
	return nil, "", nil
}

func (c *crowded) PendingRequests(context.Context, string, string, string, string, int) ([]*access.RequestRow, string, error) {
	return nil, "", nil
}

func (c *crowded) sweep(t *testing.T) {
	t.Helper()
	now := func() time.Time { return start }
	if r, err := (&sweep.Sweep{Store: c, Now: now, NewID: setup.IDs(now), Log: slog.New(slog.DiscardHandler)}).Run(t.Context()); err != nil ||
		r.Failed > 0 || r.Cut {
		t.Fatalf("got %+v, %v", r, err)
	}
}

func TestAThousandTasksOfOneOrganisationDelayAnothersByOne(t *testing.T) {
	t.Parallel()
	const many = 1000
	c := &crowded{pages: map[string]int{}}
	add := func(w access.DueWork) {
		w.Position = fmt.Sprintf("%05d", len(c.work))
		c.work = append(c.work, w)
	}
	for i := range many {
		id := fmt.Sprintf("contoso %d", i)
		c.pages[id] = 1
		add(access.DueWork{Task: id, Organisation: "P#contoso"})
	}
	add(access.DueWork{Customer: "acme", Partner: "fabrikam", Organisation: "C#acme"})
	add(access.DueWork{Customer: "globex", Partner: "fabrikam", Organisation: "C#globex"})
	add(access.DueWork{Customer: "acme", Partner: "northwind", Organisation: "C#acme"})
	c.sweep(t)
	if got := slices.Index(c.done, "grant of acme"); got != 1 {
		t.Errorf("acme's end: got %d pieces before it, want one of contoso's", got)
	}
	if got := slices.Index(c.done, "grant of globex"); got != 2 {
		t.Errorf("globex's end: got %d pieces before it, want one of each other's", got)
	}
	if got := len(c.done); got != many+3 {
		t.Errorf("got %d pieces of work done, want each once: %d", got, many+3)
	}
}

func TestATaskOfManyPagesGivesWayAfterEachPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 120)
	w.removePartner()
	w.apply(func(context.Context) (access.Change, error) {
		c, _, err := access.PlanPartner("fabrikam", nil, nil, nil, access.PartnerCommand{Name: new("Fabrikam"), Offer: new(access.Manage)},
			w.planContext(provider))
		return c, err
	})
	first := "globex"
	w.apply(func(context.Context) (access.Change, error) {
		c, _, err := access.PlanCustomer(first, nil, nil, access.CustomerCommand{Name: &first}, w.planContext(provider))
		return c, err
	})
	w.apply(func(ctx context.Context) (access.Change, error) {
		r, err := w.GrantFacts(ctx, first, "fabrikam", nil, false)
		if err != nil {
			return access.Change{}, err
		}
		p, err := access.PlanGrant(r, access.GrantCommand{Until: new(start.Add(time.Minute))}, w.planContext(ann))
		return p.Change, err
	})
	w.now = start.Add(2 * time.Minute)
	one := &inOneShard{Store: w.Store}
	w.sweep(t.Context(), one)
	if got := w.ended(); got != 120 {
		t.Errorf("got %d ends, want all 120", got)
	}
	at := slices.Index(one.grants, first+" fabrikam")
	if at < 0 || at > 60 {
		t.Errorf("fabrikam's end at %s: got it after %d grants, want it after the first page of contoso's removal at the latest", first, at)
	}
}

// inOneShard is a table whose due work stands in one list, and says in which order grants were looked at.
type inOneShard struct {
	sweep.Store
	mu     sync.Mutex
	grants []string
}

func (s *inOneShard) DueShards() int { return 1 }

func (s *inOneShard) Due(ctx context.Context, _ int, now time.Time, after string, limit int) ([]access.DueWork, bool, error) {
	if after != "" {
		return nil, false, nil
	}
	var all []access.DueWork
	for shard := range s.Store.DueShards() {
		work, _, err := s.Store.Due(ctx, shard, now, "", limit)
		if err != nil {
			return nil, false, err
		}
		all = append(all, work...)
	}
	slices.SortFunc(all, func(a, b access.DueWork) int { return strings.Compare(a.Position, b.Position) })
	return all, false, nil
}

func (s *inOneShard) GrantFacts(ctx context.Context, customer, partner string, users []string, whole bool) (access.GrantFacts, error) {
	s.mu.Lock()
	s.grants = append(s.grants, customer+" "+partner)
	s.mu.Unlock()
	return s.Store.GrantFacts(ctx, customer, partner, users, whole)
}
