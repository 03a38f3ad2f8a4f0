package dynamo_test

import (
	"fmt"
	"slices"
	"testing"

	"partneraccess/shared/access"
)

func TestAUserConcernsTheCustomersWhoseOpenGrantsCountIt(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	ann := &access.User{ID: "contoso:ann", Partner: "contoso", Number: 5, Role: access.Tech, Status: access.Removed}
	eve := &access.User{ID: "contoso:eve", Partner: "contoso", Number: 6, Role: access.External, Status: access.Removed}
	grant := func(customer string, more func(*access.Grant)) access.Write {
		g := access.Grant{
			ID: "grt_" + customer, Customer: customer, Partner: "contoso", Level: access.View, State: access.StateOpen, Epoch: 2,
			Version: 1, From: noon, Created: noon,
		}
		if more != nil {
			more(&g)
		}
		return access.GrantWrite{After: &g}
	}
	row := func(customer string, u *access.User, epoch int64, out bool) access.Write {
		return access.AssignmentWrite{After: &access.Assignment{
			Customer: customer, Partner: "contoso", User: u.ID, Epoch: epoch, Excluded: out, At: noon, Version: 1,
		}}
	}
	upTo := func(n int64) func(*access.Grant) { return func(g *access.Grant) { g.EveryoneUpTo = n } }
	everyone := func(g *access.Grant) { g.Everyone = true }
	ended := func(g *access.Grant) { g.State = access.StateEnded }
	tb.save(t,
		grant("a-picked", nil), row("a-picked", ann, 2, false), row("a-picked", eve, 2, false),
		grant("b-taken-out", nil), row("b-taken-out", ann, 2, true),
		grant("c-of-an-older-epoch", nil), row("c-of-an-older-epoch", ann, 1, false),
		grant("d-up-to-the-number", upTo(5)),
		grant("e-up-to-the-number-before", upTo(4)),
		grant("f-up-to-the-number-and-taken-out", upTo(5)), row("f-up-to-the-number-and-taken-out", ann, 2, true),
		grant("g-everyone", everyone),
		grant("h-nobody", nil),
		grant("i-ended", ended), row("i-ended", ann, 2, false),
		grant("j-up-to-the-number-and-ended", func(g *access.Grant) { upTo(5)(g); ended(g) }),
		row("k-whose-grant-the-index-has-not-yet", ann, 1, false),
		grant("l-granted-anew-which-the-index-has-not-yet", ended), row("l-granted-anew-which-the-index-has-not-yet", ann, 3, false),
	)
	for _, c := range []struct {
		about    string
		user     *access.User
		everyone bool
		want     []string
	}{
		{
			"who has left", ann, false,
			[]string{"a-picked", "d-up-to-the-number", "k-whose-grant-the-index-has-not-yet", "l-granted-anew-which-the-index-has-not-yet"},
		},
		{
			"with those that let everyone in", ann, true,
			[]string{
				"a-picked", "d-up-to-the-number", "g-everyone", "k-whose-grant-the-index-has-not-yet",
				"l-granted-anew-which-the-index-has-not-yet",
			},
		},
		{"who is external", eve, true, []string{"a-picked"}},
		{"who is nowhere", &access.User{ID: "fabrikam:fay", Partner: "fabrikam", Number: 1, Role: access.Tech}, true, nil},
	} {
		got, next, err := tb.CustomersConcerned(t.Context(), c.user, c.everyone, "")
		if err != nil || next != "" || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q (next %q, %v), want %q", c.about, got, next, err, c.want)
		}
	}
}

func TestTheCustomersOfAUserAreFoundInFewRequestsAmongManyGrants(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	ann := &access.User{ID: "contoso:ann", Partner: "contoso", Number: 5, Role: access.Tech, Status: access.Removed}
	var writes []access.Write
	var want []string
	for i := range 1100 {
		g := access.Grant{
			Customer: fmt.Sprintf("c%04d", i), Partner: "contoso", Level: access.View, State: access.StateOpen, Epoch: 1,
			Version: 1, From: noon,
		}
		if i%100 == 7 {
			writes = append(writes,
				access.AssignmentWrite{After: &access.Assignment{
					Customer: g.Customer, Partner: "contoso", User: ann.ID, Epoch: 1, At: noon,
					Version: 1,
				}})
			want = append(want, g.Customer)
		}
		if i%100 == 99 {
			g.EveryoneUpTo = 5
			want = append(want, g.Customer)
		}
		writes = append(writes, access.GrantWrite{After: &g})
	}
	tb.save(t, writes...)
	before := len(tb.line.seen())
	var got []string
	for after := ""; ; {
		customers, next, err := tb.CustomersConcerned(t.Context(), ann, false, after)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, customers...)
		if after = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := len(tb.line.seen()) - before; n != 6 {
		t.Errorf("got %d requests, want 6: three stretches of 1,100 grants, and the user's rows beside each", n)
	}
}

func TestRowsThatCountNoMoreAreFoundAndSweptWithoutTheOthers(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	const epoch = 7
	grant := &access.Grant{
		ID: "grt_1", Customer: "acme", Partner: "contoso", Level: access.View, State: access.StateOpen, Epoch: epoch,
		Count: 3, Version: 1, From: noon,
	}
	writes := []access.Write{access.GrantWrite{After: grant}}
	var stay []string
	for i := range 600 {
		a := &access.Assignment{
			Customer: "acme", Partner: "contoso", User: fmt.Sprintf("contoso:%04d", i), Epoch: int64(i % epoch), At: noon,
			Version: 1,
		}
		switch {
		case i%200 == 100:
			a.Epoch = epoch
			stay = append(stay, a.User)
		case i%200 == 150:
			a.Epoch, a.Excluded = epoch, true // taken out, and would not be in without that
		}
		writes = append(writes, access.AssignmentWrite{After: a})
	}
	writes = append(writes,
		access.AssignmentWrite{After: &access.Assignment{
			Customer: "acme", Partner: "contoso2", User: "contoso2:1", Epoch: 1, At: noon,
			Version: 1,
		}})
	tb.save(t, writes...)
	for after := ""; ; {
		g, rows, next, err := tb.AssignmentRows(t.Context(), "acme", "contoso", after, 50)
		if err != nil {
			t.Fatal(err)
		}
		if err := tb.Apply(t.Context(), planOf(access.PlanOldAssignments(g, rows))); err != nil {
			t.Fatal(err)
		}
		if after = next; next == "" {
			break
		}
	}
	var left []string
	var err error
	for after, more := "", true; more && err == nil; more = after != "" {
		var rows []*access.Assignment
		_, rows, after, err = tb.AssignmentRows(t.Context(), "acme", "contoso", after, 500)
		for _, a := range rows {
			left = append(left, a.User)
		}
	}
	if err != nil || !slices.Equal(left, stay) {
		t.Errorf("got %q left (%v), want %q", left, err, stay)
	}
	if _, rows, _, err := tb.AssignmentRows(t.Context(), "acme", "contoso2", "", 500); err != nil || len(rows) != 1 {
		t.Errorf("another partner's rows, without a grant: got %d left (%v), want 1", len(rows), err)
	}
}

func TestAPageOfUsersCostsTheSameAfterAThousandHaveComeAndGone(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	var writes, gone []access.Write
	for i := range 1010 {
		u := &access.User{
			ID: fmt.Sprintf("contoso:%04d", i), Partner: "contoso", Number: int64(i), Email: fmt.Sprintf("u%d@contoso.example", i),
			Name: "User", Role: access.Tech, Status: access.Active, Version: 1,
		}
		writes = append(writes, access.UserWrite{After: u})
		if i < 1000 {
			left := *u
			left.Status, left.RemovalHeadcountVersion, left.Version = access.Removed, 5, 2
			gone = append(gone, access.UserWrite{Before: u, After: &left})
		}
	}
	tb.save(t, writes...)
	for part := range slices.Chunk(gone, 40) {
		if err := tb.Apply(t.Context(), planOf(access.Change{Writes: part})); err != nil {
			t.Fatal(err)
		}
	}
	before := len(tb.line.seen())
	page, err := tb.Users(t.Context(), "contoso", "", false, access.PageRequest{Limit: 10})
	if err != nil || len(page.Items) != 10 || page.Next != "" {
		t.Errorf("got %d users and next %q (%v), want the 10 who stayed", len(page.Items), page.Next, err)
	}
	if n := len(tb.line.seen()) - before; n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
	u, err := tb.User(t.Context(), "contoso:0007")
	if err != nil || u == nil || u.Status != access.Removed || u.RemovalHeadcountVersion != 5 {
		t.Errorf("one who left: got %+v (%v), want it as removed", u, err)
	}
	r, err := tb.GrantFacts(t.Context(), "acme", "contoso", []string{"contoso:0007", "contoso:1005", "contoso:9999"}, false)
	if err != nil || r.Users["contoso:0007"] == nil || r.Users["contoso:1005"] == nil || r.Users["contoso:9999"] != nil {
		t.Errorf("a relation: got the users %+v (%v), want also who left", r.Users, err)
	}
}
