package dynamo_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

// tenant is a random customer with grants for three partners, in a table with others.
type tenant struct {
	*table
	r        *rand.Rand
	customer string
	partners []string
	users    []string
	grants   []*access.Grant
	rows     map[string]*access.Assignment
	people   map[string]*access.User
}

func mostly(r *rand.Rand) bool { return r.IntN(8) > 0 }

func oneOf[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func newTenant(t *testing.T, tb *table, r *rand.Rand, n int) *tenant {
	t.Helper()
	w := &tenant{
		table: tb, r: r, customer: fmt.Sprintf("c%d", n), rows: map[string]*access.Assignment{}, people: map[string]*access.User{},
	}
	var writes []access.Write
	levels := []access.Level{access.None, access.View, access.Support, access.Manage}
	for i := range 3 {
		p := fmt.Sprintf("p%d-%d", n, i)
		record := &access.Partner{
			ID: p, Name: oneOf(r, "Zeta", "alpha", "Ünder"), Status: access.Active, Class: access.Channel, Offer: oneOf(r, levels[1:]...),
			SSO: mostly(r), Version: 1,
		}
		if !mostly(r) {
			record.Status = access.Suspended
		}
		staff := r.IntN(7)
		g := &access.Grant{
			ID: "grt_" + p, Customer: w.customer, Partner: p, Level: oneOf(r, levels...), State: access.StateOpen, From: noon.Add(-time.Hour),
			RequireSSO: r.IntN(3) == 0, Domain: w.customer + ".example", Epoch: int64(1 + r.IntN(2)), Everyone: r.IntN(3) == 0,
			Until: oneOf(r, time.Time{}, noon.Add(time.Hour), noon.Add(2*time.Hour)), Count: r.IntN(4), Version: 1,
		}
		if r.IntN(3) == 0 {
			g.EveryoneUpTo = int64(r.IntN(5))
		}
		if !mostly(r) {
			g.State = access.StateSuspended
		}
		writes = append(writes, access.PartnerWrite{After: record}, access.GrantWrite{After: g},
			access.HeadcountWrite{After: &access.Headcount{Partner: p, LastNumber: int64(staff) * int64(1+r.IntN(40)), Staff: staff, Version: 1}})
		w.partners, w.grants = append(w.partners, p), append(w.grants, g)
		for n := range staff {
			u := &access.User{
				ID: fmt.Sprintf("%s:01JD8Z6Q7YB5V3K2N4M6P8R0%02d", p, n), Partner: p, Number: int64(n + 1), Email: fmt.Sprintf("u%d@%s.example", n, p),
				Name: oneOf(r, "Kim", "Kim B", "Émile", "zoë", "Ann"), Role: oneOf(r, access.Tech, access.Tech, access.External), Status: access.Active,
				Created: noon, Version: 1,
			}
			switch r.IntN(8) {
			case 0:
				u.Status = access.Disabled
			case 1:
				u.MemberOf = []string{w.customer}
			case 2:
				u.Email = fmt.Sprintf("u%d@%s.example", n, w.customer)
			}
			writes = append(writes, access.UserWrite{After: u})
			w.users, w.people[u.ID] = append(w.users, u.ID), u
			if r.IntN(3) > 0 {
				a := &access.Assignment{
					Customer: w.customer, Partner: p, User: u.ID, Epoch: int64(1 + r.IntN(2)), Excluded: r.IntN(4) == 0,
					Number: u.Number, At: noon, Version: 1,
				}
				if r.IntN(4) == 0 {
					a.Level = new(oneOf(r, levels...))
				}
				writes = append(writes, access.AssignmentWrite{After: a})
				w.rows[u.ID] = a
			}
		}
	}
	tb.save(t, writes...)
	return w
}

// allowed are the users whom a check allows an action, with their levels.
func (w *tenant) allowed(t *testing.T, r *dynamo.Reader) map[string]access.Level {
	t.Helper()
	qs := make([]access.FactsQuery, len(w.users))
	for i, u := range w.users {
		qs[i] = access.FactsQuery{User: u, Customer: w.customer}
	}
	facts, err := r.Facts(t.Context(), qs, access.Strong)
	if err != nil {
		t.Fatal(err)
	}
	out, catalogue := map[string]access.Level{}, access.DefaultCatalogue()
	for i, u := range w.users {
		if d := catalogue.Decide(facts[i], w.customer, "sign_in", noon); d.Allow {
			out[u] = d.Level
		}
	}
	return out
}

func TestPeopleAreThoseWhomChecksAllow(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	reader := dynamo.NewReader(clientOf(t, engine.Shared(t).Endpoint(), tb.line), tb.name)
	merged := dynamo.New(clientOf(t, engine.Shared(t).Endpoint(), tb.line), tb.name)
	merged.MergePeople()
	r := rand.New(rand.NewPCG(3, 15)) //nolint:gosec // a test's worlds, the same each time
	people := 0
	for n := range 120 {
		w := newTenant(t, tb, r, n)
		for _, u := range w.users {
			if r.IntN(3) == 0 {
				use := access.Use{On: oneOf(r, access.Day("2026-10-01"), "2026-11-01"), Number: w.people[u].Number}
				if err := reader.RecordUse(t.Context(), w.customer, u, use); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := w.allowed(t, reader)
		people += len(want)
		f := access.PeopleFilter{
			Order: oneOf(r, access.OrderName, access.OrderPartner, access.OrderEnd, access.OrderLastUsed), Descending: r.IntN(2) == 0, Now: noon,
		}
		for path, s := range map[string]*dynamo.Store{"whole": tb.Store, "merged": merged} {
			got := map[string]access.Level{}
			var last access.Place
			for ask := (access.PageRequest{Limit: 1 + r.IntN(4)}); ; {
				page, err := s.People(t.Context(), w.customer, f, ask)
				if err != nil || path == "whole" && *page.Total != len(want) {
					t.Fatalf("world %d, %s: got %v, %v in all, want %d", n, path, err, page.Total, len(want))
				}
				for i := range page.Items {
					p := &page.Items[i]
					if at := f.PlaceOf(p); len(got) > 0 && f.Compare(last, at) >= 0 {
						t.Fatalf("world %d, %s, by %s: %q comes after %q", n, path, f.Order, at, last)
					} else {
						last = at
					}
					got[p.User.ID] = p.Level
				}
				if ask.After = page.Next; page.Next == "" {
					break
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("world %d, %s, by %s: got %v, want %v", n, path, f.Order, got, want)
			}
		}
		w.wantCustomersOf(t, want)
	}
	if people < 100 {
		t.Errorf("got %d people who can come in, want more in such worlds", people)
	}
}

// wantCustomersOf wants the customer in the list of each person whom a check allows, and of no other.
func (w *tenant) wantCustomersOf(t *testing.T, allowed map[string]access.Level) {
	t.Helper()
	w.save(t, access.CustomerWrite{After: &access.Customer{ID: w.customer, Name: "Acme", Status: access.Active, Version: 1}})
	for _, u := range w.users {
		page, err := w.CustomersOfPerson(t.Context(), u, access.PeopleFilter{Order: access.OrderName, Now: noon}, access.PageRequest{Limit: 10})
		level, in := allowed[u]
		if err != nil || in != (len(page.Items) == 1) || in && page.Items[0].Level != level {
			t.Fatalf("%s: got %+v (%v), want access: %v", u, page.Items, err, in)
		}
	}
}

func TestPagesOfPeopleAreCompleteWhileGrantsChange(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	merged := dynamo.New(clientOf(t, engine.Shared(t).Endpoint(), tb.line), tb.name)
	merged.MergePeople()
	var writes []access.Write
	grants := map[string]*access.Grant{}
	for i := range 6 {
		p := fmt.Sprintf("p%d", i)
		grants[p] = &access.Grant{
			ID: p, Customer: "acme", Partner: p, Level: access.View, State: access.StateOpen, Epoch: 1, Everyone: true, Version: 1,
			Until: noon.Add(time.Duration(i%2) * time.Hour),
		}
		if i%2 == 0 {
			grants[p].Until = time.Time{}
		}
		writes = append(writes, access.GrantWrite{After: grants[p]},
			access.HeadcountWrite{After: &access.Headcount{Partner: p, Staff: 20, Version: 1}},
			access.PartnerWrite{After: &access.Partner{
				ID: p, Name: "Partner", Status: access.Active, Class: access.Channel, Offer: access.View, Version: 1,
			}})
		for n := range 20 {
			writes = append(writes, access.UserWrite{After: &access.User{
				ID: fmt.Sprintf("%s:01JD8Z6Q7YB5V3K2N4M6P8R0%02d", p, n), Partner: p, Number: int64(n + 1), Email: fmt.Sprintf("u%d@%s.example", n, p),
				Name: fmt.Sprintf("User %d", n*7%20), Role: access.Tech, Status: access.Active, Version: 1,
			}})
		}
	}
	tb.save(t, writes...)
	r := rand.New(rand.NewPCG(4, 15)) //nolint:gosec // likewise
	for _, s := range []*dynamo.Store{tb.Store, merged} {
		for _, order := range []access.PeopleOrder{access.OrderName, access.OrderPartner, access.OrderEnd} {
			f := access.PeopleFilter{Order: order, Descending: r.IntN(2) == 0, Now: noon}
			seen := map[string]int{}
			for ask := (access.PageRequest{Limit: 7}); ; {
				page, err := s.People(t.Context(), "acme", f, ask)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range page.Items {
					seen[p.User.ID]++
				}
				if ask.After = page.Next; page.Next == "" {
					break
				}
				before := grants[fmt.Sprintf("p%d", r.IntN(3))] // those of the first three come and go, the others stay
				after := *before
				after.Version++
				after.State = oneOf(r, access.StateOpen, access.StateSuspended)
				after.Level = oneOf(r, access.View, access.None)
				tb.save(t, access.GrantWrite{Before: before, After: &after})
				grants[after.Partner] = &after
			}
			for i := 3; i < 6; i++ {
				for n := range 20 {
					if id := fmt.Sprintf("p%d:01JD8Z6Q7YB5V3K2N4M6P8R0%02d", i, n); seen[id] != 1 {
						t.Errorf("by %s: %s stands in %d pages, want 1", order, id, seen[id])
					}
				}
			}
			if most := slices.Max(slices.Collect(maps.Values(seen))); most > 1 {
				t.Errorf("by %s: somebody stands in %d pages", order, most)
			}
		}
	}
}

func TestAPageOfManyPeopleReadsLittleMoreThanItShows(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for _, size := range []int{600, 1800} {
		customer := fmt.Sprintf("c%d", size)
		var writes []access.Write
		for i := range 3 {
			p := fmt.Sprintf("%s-p%d", customer, i)
			writes = append(writes, access.GrantWrite{After: &access.Grant{
				ID: p, Customer: customer, Partner: p, Level: access.View, State: access.StateOpen, Epoch: 1, Everyone: true, Version: 1,
			}}, access.HeadcountWrite{After: &access.Headcount{Partner: p, Staff: size / 3, Version: 1}}, access.PartnerWrite{After: &access.Partner{
				ID: p, Name: "Partner", Status: access.Active, Class: access.Channel, Offer: access.View, Version: 1,
			}})
			for n := range size / 3 {
				writes = append(writes, access.UserWrite{After: &access.User{
					ID: fmt.Sprintf("%s:01JD8Z6Q7YB5V3K2N4M6P8R%03d", p, n), Partner: p, Number: int64(n + 1), Email: fmt.Sprintf("u%d@%s.example", n, p),
					Name: fmt.Sprintf("User %d", n), Role: access.Tech, Status: access.Active, Version: 1,
				}})
			}
		}
		tb.save(t, writes...)
		before := len(tb.line.seen())
		page, err := tb.People(t.Context(), customer, access.PeopleFilter{Order: access.OrderName, Now: noon}, access.PageRequest{Limit: 50})
		got := strings.Join(tb.line.seen()[before:], " ")
		if want := "Query BatchGetItem Query Query Query BatchGetItem"; err != nil || len(page.Items) != 50 || page.Total != nil || got != want {
			t.Errorf("%d people: got %d of %v (%v) with %s, want 50 of nil with %s", size, len(page.Items), page.Total, err, got, want)
		}
		counted := access.PeopleFilter{Order: access.OrderName, Count: true, Now: noon}
		page, err = tb.People(t.Context(), customer, counted, access.PageRequest{Limit: 50})
		if err != nil || page.Total == nil || *page.Total != size {
			t.Errorf("%d people, counted: got %v (%v)", size, page.Total, err)
		}
	}
}
