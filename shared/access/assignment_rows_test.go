package access_test

import (
	"slices"
	"testing"

	"partneraccess/shared/access"
)

// oldRows tells whether the latest change left a task that deletes rows which count no more.
func (w *world) oldRows() bool {
	return slices.ContainsFunc(w.change.Writes, func(write access.Write) bool {
		t, is := write.(access.TaskWrite)
		return is && t.After != nil && t.After.Kind == access.TaskOldAssignments && t.After.Customer == "acme" && t.After.Partner == "contoso"
	})
}

func TestWhatMakesRowsCountNoMoreLeavesATaskThatDeletesThem(t *testing.T) {
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim, lee}}))
	if w.oldRows() {
		t.Error("a first grant: got a task, want none")
	}
	w.must(w.edit(access.EditCommand{Everyone: new(true)}))
	if !w.oldRows() {
		t.Error("everyone is switched on: got no task")
	}
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	if w.oldRows() {
		t.Error("everyone is switched off: got a task, want none: the rows of now count")
	}
	w.must(w.end(access.PlanRevoke))
	w.must(w.grant(access.GrantCommand{Users: []string{kim}}))
	if !w.oldRows() {
		t.Error("granted anew: got no task")
	}
	w.wantIn("kim")
}

func TestWhoIsTakenOutLeavesARowOnlyWhereItSaysSomething(t *testing.T) {
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim, lee}}))
	w.must(w.removeUser(kim))
	if _, there := w.assignments["acme "+kim]; there {
		t.Error("picked one by one: got a row of who was taken out, want none")
	}
	w.wantIn("lee")
	w.must(w.edit(access.EditCommand{Add: []string{kim}}))
	w.wantIn("kim lee")
	w.must(w.edit(access.EditCommand{Everyone: new(true)}))
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	w.must(w.removeUser(kim))
	if a, there := w.assignments["acme "+kim]; !there || !a.Excluded {
		t.Errorf("everyone up to a number: got %+v, want a row that takes the user out", a)
	}
	w.wantIn("olga lee")
}

func TestRowsThatCountAreNotDeleted(t *testing.T) {
	row := func(epoch int64, out bool) *access.Assignment {
		return &access.Assignment{Customer: "acme", Partner: "contoso", User: "contoso:kim", Epoch: epoch, Excluded: out, Version: 1}
	}
	for _, c := range []struct {
		about string
		grant *access.Grant
		row   *access.Assignment
		gone  bool
	}{
		{"in", &access.Grant{Epoch: 3}, row(3, false), false},
		{"of an older epoch", &access.Grant{Epoch: 3}, row(2, false), true},
		{"taken out of an older epoch", &access.Grant{Epoch: 3, EveryoneUpTo: 9}, row(2, true), true},
		{"of an epoch that the grant was read before", &access.Grant{Epoch: 3}, row(4, false), false},
		{"taken out of those who were picked", &access.Grant{Epoch: 3}, row(3, true), true},
		{"taken out of everyone up to a number", &access.Grant{Epoch: 3, EveryoneUpTo: 9}, row(3, true), false},
		{"taken out, while everyone is on", &access.Grant{Epoch: 3, Everyone: true}, row(3, true), false},
		{"in a grant that has ended", &access.Grant{Epoch: 3, State: access.StateEnded}, row(3, false), false},
		{"of no grant", nil, row(3, false), false},
	} {
		if got := len(access.PlanOldAssignments(c.grant, []*access.Assignment{c.row}).Writes) == 1; got != c.gone {
			t.Errorf("%s: got deleted %v, want %v", c.about, got, c.gone)
		}
	}
}
