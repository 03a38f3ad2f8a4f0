package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// fair measures how long one tenant's end waits for another tenant's work, and what the removal of users costs at a partner with many
// customers.
func fair(ctx context.Context) ([]fixture.Figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	const tasks = 1_000
	var delays []time.Duration
	var behind int
	for _, n := range []int{0, tasks} {
		t := newTally(e.Client(), fmt.Sprintf("fair-%d", n))
		if err := t.directory(ctx, "contoso", "acme"); err != nil {
			return nil, err
		}
		end := strings.NewReplacer("contoso", "fabrikam", "2027-03-01T00:00:00.000Z", "2026-11-22T09:30:00.000Z").Replace(fixture.GrantJSON)
		end = strings.Replace(end, "{", `{"gsi2pk":{"S":"Q#0"},"gsi2sk":{"S":"2026-11-22T09:30:00.000Z#C#acme#G#fabrikam"},`, 1)
		if err := fixture.Write(ctx, t.db, t.table, []string{end}); err != nil {
			return nil, err
		}
		for range n {
			if err := t.removal(ctx, "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"); err != nil {
				return nil, err
			}
		}
		s := &stopwatch{Store: t.store, customer: "acme"}
		if err := t.sweep(ctx, s); err != nil {
			return nil, err
		}
		delays, behind = append(delays, s.after), s.pieces
	}
	figures := []fixture.Figure{
		{
			fmt.Sprintf("one tenant's end, behind %d tasks of another, against none", tasks),
			fmt.Sprintf("%v against %v, %d tasks before it", delays[1].Round(time.Millisecond), delays[0].Round(time.Millisecond), behind),
			"one batch of each shard",
		},
	}
	rows, err := goneRows(ctx, e.Client())
	if err != nil {
		return nil, err
	}
	figures = append(figures, rows...)
	took, requests, err := removals(ctx, newTally(e.Client(), "fair-removals"))
	if err != nil {
		return nil, err
	}
	return append(figures, fixture.Figure{
		"20 users removed at a partner with 250 customers, the sweep", fmt.Sprintf("%v, %d requests", took.Round(time.Millisecond), requests),
		"10 s before",
	}), nil
}

// goneRows compares the requests of a revoke, and of a page of a search for people, where many have come and gone and where nobody has.
func goneRows(ctx context.Context, db *dynamodb.Client) ([]fixture.Figure, error) {
	const gone, people = 600, 1_000
	var revokes, pages []string
	for _, busy := range []bool{false, true} {
		t := newTally(db, fmt.Sprintf("fair-gone-%v", busy))
		if err := t.directory(ctx, "contoso", "acme"); err != nil {
			return nil, err
		}
		if err := t.staff(ctx, gone); err != nil {
			return nil, err
		}
		if err := t.pick(ctx, 0, 1); err != nil {
			return nil, err
		}
		for from := 1; busy && from < gone; from += access.MaxUserChanges {
			if err := t.pick(ctx, from, min(from+access.MaxUserChanges, gone)); err != nil {
				return nil, err
			}
		}
		if err := t.everyone(ctx, true); err != nil { // from now on none of the rows counts
			return nil, err
		}
		for i := 0; busy && i < people; i++ {
			if err := t.comeAndGo(ctx, i); err != nil {
				return nil, err
			}
		}
		before := t.requests.Load()
		for ask := (access.PageRequest{Limit: 50}); ; {
			found, err := t.store.Users(ctx, "contoso", "gone", true, ask)
			if err != nil {
				return nil, err
			}
			if ask.After = found.Next; ask.After == "" {
				break
			}
		}
		pages = append(pages, fmt.Sprint(t.requests.Load()-before))
		before = t.requests.Load()
		if err := t.revoke(ctx); err != nil {
			return nil, err
		}
		revokes = append(revokes, fmt.Sprint(t.requests.Load()-before))
	}
	return []fixture.Figure{
		{
			fmt.Sprintf("revoke: requests with %d rows that no longer count, and with one", gone), revokes[1] + " and " + revokes[0],
			"the same number",
		},
		{
			fmt.Sprintf("search of all 600 people of a partner: requests after %d have come and gone, and where nobody has", people),
			pages[1] + " and " + pages[0], "the same number",
		},
	}, nil
}

// staffID is the id of one of those whom staff makes.
func staffID(i int) string { return fmt.Sprintf("contoso:01JD8Z6Q7YB5V3K2N4M6%06d", i) }

// pick grants contoso's users from one to another access to acme, beside those who have it.
func (t *tally) pick(ctx context.Context, from, to int) error {
	var users []string
	for i := from; i < to; i++ {
		users = append(users, staffID(i))
	}
	return t.apply(ctx, func() (access.Change, error) {
		r, err := t.store.GrantFacts(ctx, "acme", "contoso", users, false)
		if err != nil {
			return access.Change{}, err
		}
		p, err := access.PlanGrant(r, access.GrantCommand{Users: users}, t.planContext)
		return p.Change, err
	})
}

func (t *tally) revoke(ctx context.Context) error {
	return t.apply(ctx, func() (access.Change, error) {
		r, err := t.store.GrantFacts(ctx, "acme", "contoso", nil, false)
		if err != nil {
			return access.Change{}, err
		}
		p, err := access.PlanRevoke(r, t.planContext)
		return p.Change, err
	})
}

// comeAndGo has contoso get a user and remove it.
func (t *tally) comeAndGo(ctx context.Context, n int) error {
	name, email, role, id := fmt.Sprint("Gone ", n), fmt.Sprintf("gone%d@contoso.example", n), access.Tech, ""
	err := t.apply(ctx, func() (access.Change, error) {
		f, err := t.store.UserFacts(ctx, "contoso", "", email)
		if err != nil {
			return access.Change{}, err
		}
		c, u, err := access.PlanNewUser(f, access.UserCommand{Name: &name, Email: &email, Role: &role}, t.planContext)
		if err == nil {
			id = u.ID
		}
		return c, err
	})
	if err != nil {
		return err
	}
	return t.apply(ctx, func() (access.Change, error) {
		f, err := t.store.UserFacts(ctx, "contoso", id, "")
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanRemoveUserAccount(f, t.planContext)
	})
}

// removals measures the sweep of 20 users of a partner with 250 customers; each user is in one customer's grant.
func removals(ctx context.Context, t *tally) (time.Duration, int64, error) {
	if err := t.directory(ctx, "contoso", "acme"); err != nil {
		return 0, 0, err
	}
	const customers, users = 250, 20
	if err := t.grants(ctx, customers); err != nil {
		return 0, 0, err
	}
	var rows []string
	for i := range users {
		id := staffID(i)
		user := strings.NewReplacer("contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1", id, `{"S":"active"}`, `{"S":"removed"}`).Replace(fixture.UserJSON)
		row := strings.NewReplacer("contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1", id, "acme", fixture.CustomerID(i)).Replace(fixture.AssignmentJSON)
		rows = append(rows, user, row)
	}
	if err := fixture.Write(ctx, t.db, t.table, rows); err != nil {
		return 0, 0, err
	}
	for i := range users {
		if err := t.removal(ctx, staffID(i)); err != nil {
			return 0, 0, err
		}
	}
	began, before := time.Now(), t.requests.Load()
	err := t.sweep(ctx, t.store)
	return time.Since(began), t.requests.Load() - before, err
}

// removal leaves the task that a user's removal leaves.
func (t *tally) removal(ctx context.Context, user string) error {
	return t.apply(ctx, func() (access.Change, error) {
		due := t.planContext.Now.Add(-time.Hour) // before everybody else's
		return access.Change{Writes: []access.Write{access.TaskWrite{After: &access.Task{
			ID: t.planContext.NewID(), Kind: access.TaskUserRemoved, Partner: "contoso", User: user, Due: due, Created: due, Version: 1,
		}}}}, nil
	})
}

func (t *tally) sweep(ctx context.Context, store sweep.Store) error {
	now := func() time.Time { return t.planContext.Now }
	r, err := (&sweep.Sweep{Store: store, Now: now, NewID: setup.IDs(now), Log: slog.New(slog.DiscardHandler)}).Run(ctx)
	if err == nil && (r.Failed > 0 || r.Cut) {
		err = fmt.Errorf("the sweep failed at %d pieces of %d, or was cut: %v", r.Failed, r.Done+r.Failed, r.Cut)
	}
	return err
}

// stopwatch is a store that notes when, and after how many pages of tasks, a customer's grant is looked at.
type stopwatch struct {
	sweep.Store
	customer string

	mu     sync.Mutex
	began  time.Time
	after  time.Duration
	tasks  int
	pieces int
}

func (s *stopwatch) Due(ctx context.Context, shard int, now time.Time, after string, limit int) ([]access.DueWork, bool, error) {
	s.mu.Lock()
	if s.began.IsZero() {
		s.began = time.Now()
	}
	s.mu.Unlock()
	return s.Store.Due(ctx, shard, now, after, limit)
}

func (s *stopwatch) Task(ctx context.Context, id string) (*access.Task, error) {
	s.mu.Lock()
	s.tasks++
	s.mu.Unlock()
	return s.Store.Task(ctx, id)
}

func (s *stopwatch) GrantFacts(ctx context.Context, customer, partner string, users []string, whole bool) (access.GrantFacts, error) {
	s.mu.Lock()
	if customer == s.customer && s.after == 0 {
		s.after, s.pieces = time.Since(s.began), s.tasks
	}
	s.mu.Unlock()
	return s.Store.GrantFacts(ctx, customer, partner, users, whole)
}
