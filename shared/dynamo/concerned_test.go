package dynamo_test

import (
	"fmt"
	"slices"
	"testing"

	"partneraccess/shared/access"
)

func TestTheCustomersWhomAUserConcernsAreThoseWhoseOpenGrantsCountIt(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	ann := &access.User{ID: "contoso:ann", Partner: "contoso", Number: 5, Role: access.Tech, Status: access.Removed}
	eve := &access.User{ID: "contoso:eve", Partner: "contoso", Number: 6, Role: access.External, Status: access.Removed}
	grant := func(customer string, more func(*access.Grant)) access.Write {
		g := access.Grant{ID: "grt_" + customer, Customer: customer, Partner: "contoso", Level: access.View, State: access.StateOpen, Epoch: 2, Version: 1, From: noon, Created: noon}
		if more != nil {
			more(&g)
		}
		return access.GrantWrite{After: &g}
	}
	row := func(customer string, u *access.User, epoch int64, out bool) access.Write {
		return access.AssignmentWrite{After: &access.Assignment{
			Customer: customer, Partner: "contoso", User: u.ID, Epoch: epoch, Out: out, At: noon, Version: 1,
		}}
	}
	upTo := func(n int64) func(*access.Grant) { return func(g *access.Grant) { g.UpTo = n } }
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
			[]string{"a-picked", "d-up-to-the-number", "g-everyone", "k-whose-grant-the-index-has-not-yet", "l-granted-anew-which-the-index-has-not-yet"},
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

func TestTheCustomersWhomAUserConcernsAreFoundInFewRequestsAmongManyGrants(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	ann := &access.User{ID: "contoso:ann", Partner: "contoso", Number: 5, Role: access.Tech, Status: access.Removed}
	var writes []access.Write
	var want []string
	for i := range 1100 {
		g := access.Grant{Customer: fmt.Sprintf("c%04d", i), Partner: "contoso", Level: access.View, State: access.StateOpen, Epoch: 1, Version: 1, From: noon}
		if i%100 == 7 {
			writes = append(writes, access.AssignmentWrite{After: &access.Assignment{Customer: g.Customer, Partner: "contoso", User: ann.ID, Epoch: 1, At: noon, Version: 1}})
			want = append(want, g.Customer)
		}
		if i%100 == 99 {
			g.UpTo = 5
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
