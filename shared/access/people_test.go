package access_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"partneraccess/shared/access"
)

// Half of the facts of a random world are such that they give people access, so that about every tenth person has access.
func mostly(r *rand.Rand) bool { return r.IntN(8) > 0 }

func oneOf[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// randomFacts are those of one person and one customer, at start.
func randomFacts(r *rand.Rand, id string) access.Facts {
	levels := []access.Level{access.None, access.View, access.Support, access.Manage}
	p := &access.Partner{
		ID: "contoso", Name: "Contoso", Status: access.Active, Class: access.Channel, Offer: oneOf(r, levels...), SSO: mostly(r),
	}
	if !mostly(r) {
		p.Status = oneOf(r, access.Suspended, access.Removed)
	}
	if !mostly(r) {
		p.Class = access.Other
	}
	u := &access.User{
		ID: "contoso:" + id, Partner: "contoso", Number: int64(r.IntN(4)), Email: id + "@contoso.example",
		Name: oneOf(r, "Kim", "Émile", "kim b"),
		Role: oneOf(r, access.Tech, access.Tech, access.Owner, access.External), Status: access.Active, Created: start.Add(-time.Hour),
	}
	if !mostly(r) {
		u.Status = oneOf(r, access.Disabled, access.Removed)
	}
	if !mostly(r) {
		u.MemberOf = []string{oneOf(r, "acme", "globex")}
	}
	if !mostly(r) {
		u.Email = id + "@mail.acme.example"
	}
	g := &access.Grant{
		ID: "g", Customer: "acme", Partner: "contoso", Level: oneOf(r, levels...), State: access.StateOpen, From: start.Add(-time.Minute),
		RequireSSO: r.IntN(2) == 0, AssignedBy: oneOf(r, access.ByCustomer, access.ByPartner), Domain: oneOf(r, "", "acme.example"),
		Everyone: r.IntN(3) == 0, Epoch: int64(r.IntN(2)), EveryoneUpTo: int64(r.IntN(3)), EveryoneSince: start.Add(-time.Second),
	}
	if !mostly(r) {
		g.State = oneOf(r, access.StateSuspended, access.StateEnded)
		g.End = &access.End{Reason: oneOf(r, access.Expired, access.RevokedByCustomer)}
	}
	g.Until = oneOf(r, time.Time{}, start.Add(time.Millisecond), start.Add(time.Hour), start)
	if !mostly(r) {
		g.From = oneOf(r, start, start.Add(time.Nanosecond))
	}
	if r.IntN(3) == 0 {
		g.Caps = access.Caps{u.Email: oneOf(r, levels...)}
	}
	f := access.Facts{Partner: p, User: u, Grant: g}
	if mostly(r) {
		a := &access.Assignment{
			Customer: "acme", Partner: "contoso", User: u.ID, Epoch: int64(r.IntN(2)), Excluded: !mostly(r), By: oneOf(r, access.ByCustomer, ""),
			Number: int64(r.IntN(3)), At: start.Add(-time.Minute),
		}
		if r.IntN(3) == 0 {
			a.Level = new(oneOf(r, levels...))
		}
		if r.IntN(6) == 0 {
			*a = access.Assignment{Customer: "acme", Partner: "contoso", User: u.ID, Epoch: access.NoEpoch}
		}
		a.LastUse = access.Use{On: oneOf(r, access.Day(""), "2026-05-01", "2026-06-01"), Number: int64(r.IntN(4))}
		f.Assignment = a
	}
	return f
}

func TestWhoCanComeInIsWhomACheckAllowsAnAction(t *testing.T) {
	t.Parallel()
	catalogue := access.DefaultCatalogue()
	r := rand.New(rand.NewPCG(7, 15)) //nolint:gosec // a test's worlds, the same each time
	allowed, reasons := 0, map[access.DecisionReason]bool{}
	for n := range 20_000 {
		f := randomFacts(r, "kim")
		var level access.Level
		some := false
		for _, action := range append([]string{"anything"}, catalogue.CustomerActions()...) {
			d := catalogue.Decide(f, "acme", action, start)
			some, level, reasons[d.Reason] = some || d.Allow, max(level, d.Level), true
		}
		row, in := access.PersonOf(f, "acme", start)
		if in != some || in && row.Level != level {
			t.Fatalf("world %d: got in %v at %s, want %v at %s, of %+v %+v %+v %+v", n, in, row.Level, some, level, *f.Partner, *f.User, *f.Grant,
				f.Assignment)
		}
		if in {
			allowed++
		}
	}
	if allowed < 1500 || len(reasons) < 12 {
		t.Errorf("got %d people who can come in and the reasons %v, want worlds of all kinds", allowed, reasons)
	}
}

// company is a list of people of some partners, all of whom can come in.
func company(r *rand.Rand, n int) []access.Person {
	var out []access.Person
	for len(out) < n {
		id := fmt.Sprintf("%03d", len(out))
		f := randomFacts(r, id)
		f.Partner.ID = oneOf(r, "contoso", "fabrikam", "tailspin")
		f.Partner.Name = oneOf(r, "Zeta", "alpha", "Ünder")
		f.User.Partner, f.User.ID, f.Grant.Partner = f.Partner.ID, f.Partner.ID+":"+id, f.Partner.ID
		if f.Assignment != nil {
			f.Assignment.User = f.User.ID
		}
		if p, in := access.PersonOf(f, "acme", start); in {
			out = append(out, p)
		}
	}
	return out
}

func ids(rows []access.Person) []string {
	out := make([]string, 0, len(rows))
	for _, p := range rows {
		out = append(out, p.User.ID)
	}
	return out
}

func TestPagesOfPeopleHoldEachRowThatStaysOnce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 15)) //nolint:gosec // likewise
	for n := range 500 {
		all := company(r, 1+r.IntN(30))
		f := access.PeopleFilter{
			Order: oneOf(r, access.OrderName, access.OrderPartner, access.OrderEnd, access.OrderLastUsed), Descending: r.IntN(2) == 0, Now: start,
		}
		stays := map[string]bool{}
		for i := range all {
			stays[all[i].User.ID] = r.IntN(3) > 0
		}
		seen := map[string]int{}
		var last access.Place
		for ask := (access.PageRequest{Limit: 1 + r.IntN(5)}); ; {
			here := slices.Clone(all)
			here = slices.DeleteFunc(here, func(p access.Person) bool { return !stays[p.User.ID] && r.IntN(2) == 0 }) // they come and go
			r.Shuffle(len(here), func(i, j int) { here[i], here[j] = here[j], here[i] })
			page, err := access.PageOfPeople(here, f, ask)
			if err != nil || *page.Total != len(here) {
				t.Fatalf("world %d: got %v and a total of %v, want %d", n, err, page.Total, len(here))
			}
			for i := range page.Items {
				at := f.PlaceOf(&page.Items[i])
				if len(seen) > 0 && f.Compare(last, at) >= 0 {
					t.Fatalf("world %d: %q comes after %q", n, at, last)
				}
				last = at
				seen[page.Items[i].User.ID]++
			}
			if ask.After = page.Next; page.Next == "" {
				break
			}
		}
		for id, stay := range stays {
			if seen[id] > 1 || stay && seen[id] != 1 {
				t.Fatalf("world %d: %s stands in %d pages, stays: %v", n, id, seen[id], stay)
			}
		}
	}
}

func TestPeopleAreFilteredAndOrdered(t *testing.T) {
	t.Parallel()
	person := func(partner, id, name string, level access.Level, until time.Time, used access.Day) access.Person {
		return access.Person{Level: level, Facts: access.Facts{
			Partner:    &access.Partner{ID: partner, Name: "The " + partner, Offer: access.Manage},
			User:       &access.User{ID: partner + ":" + id, Name: name, Email: id + "@" + partner + ".example", Number: 1},
			Grant:      &access.Grant{Partner: partner, Level: access.Manage, Until: until},
			Assignment: &access.Assignment{LastUse: access.Use{On: used, Number: 1}},
		}}
	}
	soon, late := start.Add(time.Hour), start.Add(48*time.Hour)
	rows := []access.Person{
		person("fabrikam", "1", "Zoë", access.View, soon, "2026-05-01"),
		person("contoso", "2", "adam", access.Manage, time.Time{}, ""),
		person("contoso", "3", "Kim Lee", access.Support, late, "2026-05-31"),
		person("fabrikam", "4", "Bea", access.View, soon, "2026-06-01"),
	}
	for _, c := range []struct {
		name string
		f    access.PeopleFilter
		want string
	}{
		{"by name", access.PeopleFilter{Order: access.OrderName}, "2 4 3 1"},
		{"by name, turned round", access.PeopleFilter{Order: access.OrderName, Descending: true}, "1 3 4 2"},
		{"by partner", access.PeopleFilter{Order: access.OrderPartner}, "2 3 4 1"},
		{"by end", access.PeopleFilter{Order: access.OrderEnd}, "4 1 3 2"},
		{"by last use", access.PeopleFilter{Order: access.OrderLastUsed}, "2 1 3 4"},
		{"of one partner", access.PeopleFilter{Order: access.OrderName, Partner: "contoso"}, "2 3"},
		{"a word of the name", access.PeopleFilter{Order: access.OrderName, Query: "lee"}, "3"},
		{"an address", access.PeopleFilter{Order: access.OrderName, Query: "4@fab"}, "4"},
		{"one level", access.PeopleFilter{Order: access.OrderName, Levels: []access.Level{access.View}}, "4 1"},
		{"two levels", access.PeopleFilter{Order: access.OrderName, Levels: []access.Level{access.Manage, access.Support}}, "2 3"},
		{"ends before the end itself", access.PeopleFilter{Order: access.OrderName, EndsBefore: soon}, ""},
		{"ends before the instant after", access.PeopleFilter{Order: access.OrderName, EndsBefore: soon.Add(1)}, "4 1"},
		{"unused since the day after", access.PeopleFilter{Order: access.OrderName, UnusedSince: "2026-06-01"}, "2 3 1"},
		{"unused since the day itself", access.PeopleFilter{Order: access.OrderName, UnusedSince: "2026-05-01"}, "2"},
	} {
		page, err := access.PageOfPeople(rows, c.f, access.PageRequest{Limit: 10})
		got := ""
		for _, id := range ids(page.Items) {
			got += " " + id[len(id)-1:]
		}
		if err != nil || got != "" && got[1:] != c.want || got == "" && c.want != "" {
			t.Errorf("%s: got%s (%v), want %s", c.name, got, err, c.want)
		}
	}
	for _, position := range []string{"x", "a#b#c"} {
		if _, err := access.PageOfPeople(rows, access.PeopleFilter{}, access.PageRequest{Limit: 1, After: position}); err == nil {
			t.Errorf("the position %q: got no error", position)
		}
	}
}

// row is how the person is listed now; it fails the test when the person cannot come in.
func (w *world) personRow(user string) access.Person {
	w.t.Helper()
	r := w.relation("acme", "contoso", user)
	f := access.Facts{Partner: r.Partner, User: r.Users[user], Grant: r.Grant, Assignment: r.Assignments[user]}
	p, in := access.PersonOf(f, "acme", w.now)
	if !in {
		w.t.Fatalf("%s cannot come in", user)
	}
	return p
}

func (w *world) wantRow(when, user string, why access.Why, since time.Time, by string) {
	w.t.Helper()
	p := w.personRow(user)
	if p.Why() != why || !p.Since().Equal(since) || p.Granter().Email != by {
		w.t.Errorf("%s: got %s since %v by %+v, want %s since %v by %s", when, p.Why(), p.Since(), p.Granter(), why, since, by)
	}
}

func TestARowTellsWhySinceWhenAndByWhom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as(provider)
	kim, eve := w.join("contoso", "kim", access.Tech), w.join("contoso", "eve", access.External)
	w.as(ann)
	picked := w.now
	w.must(w.grant(access.GrantCommand{Users: []string{kim, eve}, Level: new(access.Support)}))
	w.wantRow("picked", kim, access.WhyPicked, picked, ann.Email)
	w.wantRow("an external person", eve, access.WhyExternal, picked, ann.Email)

	bob := access.Actor{Kind: "customer", Email: "bob@acme.example"}
	w.as(bob)
	w.now = w.now.Add(time.Hour)
	w.must(w.edit(access.EditCommand{Set: list(kim, eve), Level: new(access.View)}))
	w.wantRow("edited by another one", kim, access.WhyPicked, picked, ann.Email)

	w.now = w.now.Add(time.Hour)
	everyone := w.now
	w.must(w.edit(access.EditCommand{Everyone: new(true)}))
	w.wantRow("everyone", kim, access.WhyEveryone, everyone, bob.Email)

	w.as(provider)
	w.now = w.now.Add(time.Hour)
	lee := w.join("contoso", "lee", access.Tech)
	w.wantRow("joined later", lee, access.WhyEveryone, w.users[lee].Created, bob.Email)

	w.as(ann)
	w.now = w.now.Add(time.Hour)
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	w.wantRow("everyone was switched off", kim, access.WhyEveryone, everyone, bob.Email)
	w.must(w.edit(access.EditCommand{Set: list(kim)}))
	w.wantRow("kept one by one", kim, access.WhyEveryone, everyone, bob.Email)
}

func TestOldRowsKeepALastUseWhileTheyMayBeNeeded(t *testing.T) {
	t.Parallel()
	used := access.Use{On: "2026-05-01", Number: 1}
	rows := []*access.Assignment{
		{User: "contoso:stale", Epoch: 1, Version: 1},
		{User: "contoso:used", Epoch: 1, Version: 1, LastUse: used},
		{User: "contoso:only", Epoch: access.NoEpoch, LastUse: used},
		{User: "contoso:counts", Epoch: 2, Version: 2},
	}
	for _, c := range []struct {
		name string
		g    access.Grant
		want int // rows that are deleted
	}{
		{"everyone", access.Grant{Epoch: 2, Everyone: true}, 1},
		{"everyone up to a number", access.Grant{Epoch: 2, EveryoneUpTo: 4}, 1},
		{"one by one", access.Grant{Epoch: 2}, 3},
	} {
		if got := len(access.PlanOldAssignments(&c.g, rows).Writes); got != c.want {
			t.Errorf("%s: got %d rows deleted, want %d", c.name, got, c.want)
		}
	}
}
