package histories

import (
	"testing"
	"time"
)

func TestTheJudgeSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	const how = "snapshot"
	op := func(k kind, answer string, from, to int64, users ...int) *operation {
		o := &operation{
			command: command{kind: k, users: users, level: -1, from: unchanged, until: unchanged, need: 1, how: how}, answer: answer,
			call: from, end: to, nows: []int64{5},
		}
		if k == check {
			o.answer, o.answers = "", []string{answer}
		}
		return o
	}
	strong := func(o *operation) *operation { o.how = "strong"; return o }
	at := func(o *operation, nows ...int64) *operation { o.nows = nows; return o }
	until := func(o *operation, minute int64) *operation { o.until = minute; return o }
	level := func(o *operation, l int) *operation { o.level = l; return o }
	granted := func() *operation { return op(grantUsers, "201", 0, 10, 0) }
	for _, c := range []struct {
		about         string
		history       []*operation
		linear, watch bool // whether each of the two judges accepts it
	}{
		{"in after the grant", []*operation{granted(), op(check, "granted", 11, 20, 0)}, true, true},
		{"another user", []*operation{granted(), op(check, "granted", 11, 20, 1)}, false, true}, // nothing was taken away
		{"in after the revoke", []*operation{granted(), op(revoke, "200", 11, 20), op(check, "granted", 21, 30, 0)}, false, false},
		{"in during the revoke", []*operation{granted(), op(revoke, "200", 11, 25), op(check, "granted", 21, 30, 0)}, true, true},
		{
			"out, then in, during the revoke",
			[]*operation{granted(), op(revoke, "200", 11, 50), op(check, "ended", 21, 30, 0), op(check, "granted", 31, 40, 0)},
			false, true,
		},
		{
			"the same, and not a snapshot",
			[]*operation{granted(), op(revoke, "200", 11, 50), strong(op(check, "ended", 21, 30, 0)), strong(op(check, "granted", 31, 40, 0))},
			true,
			true,
		},
		{"not a snapshot, in quiet", []*operation{granted(), op(revoke, "200", 11, 20), strong(op(check, "granted", 21, 30, 0))}, false, false},
		{"in after relinquishing", []*operation{granted(), op(relinquish, "200", 11, 20), op(check, "granted", 21, 30, 0)}, false, false},
		{"in after suspension", []*operation{granted(), op(suspend, "200", 11, 20), op(check, "granted", 21, 30, 0)}, false, false},
		{
			"in while it is resumed",
			[]*operation{granted(), op(suspend, "200", 11, 20), op(resume, "200", 21, 40), op(check, "granted", 22, 30, 0)},
			true, true,
		},
		{
			"resumed too late",
			[]*operation{granted(), op(suspend, "200", 11, 20), op(check, "granted", 22, 30, 0), op(resume, "200", 31, 40)},
			false, false,
		},
		{
			"in after the partner's removal",
			[]*operation{granted(), op(removePartner, "204", 11, 20), op(check, "granted", 21, 30, 0)},
			false,
			false,
		},
		{
			"in after the partner's suspension",
			[]*operation{granted(), op(suspendPartner, "200", 11, 20), op(check, "granted", 21, 30, 0)},
			false,
			false,
		},
		{"in after leaving the partner", []*operation{granted(), op(leave, "204", 11, 20, 0), op(check, "granted", 21, 30, 0)}, false, false},
		{
			"in after the account was disabled",
			[]*operation{granted(), op(disable, "200", 11, 20, 0), op(check, "granted", 21, 30, 0)},
			false,
			false,
		},
		{"in as the customer's own", []*operation{granted(), op(addMember, "201", 11, 20, 0), op(check, "granted", 21, 30, 0)}, false, false},
		{"in after others were chosen", []*operation{granted(), op(setUsers, "200", 11, 20, 1), op(check, "granted", 21, 30, 0)}, false, false},
		{"in after everyone, then removed", []*operation{
			granted(), op(everyoneOn, "200", 11, 20), op(everyoneOff, "200", 21, 30), op(removeUsers, "200", 31, 40, 2),
			op(check, "granted", 41, 50, 2),
		}, false, false},
		{
			"in after the end",
			[]*operation{granted(), until(op(setUntil, "200", 11, 20), 7), at(op(check, "granted", 21, 30, 0), 7)},
			false,
			false,
		},
		{
			"in while the clock comes to the end",
			[]*operation{granted(), until(op(setUntil, "200", 11, 20), 7), at(op(check, "granted", 21, 30, 0), 6, 7)},
			true, true,
		},
		{"more than the level", []*operation{granted(), level(op(setLevel, "200", 11, 20), 0), op(check, "granted", 21, 30, 0)}, false, false},
		{"two first grants", []*operation{granted(), op(grantUsers, "201", 0, 10, 1)}, false, true},
		{
			"two last users",
			[]*operation{granted(), op(addUsers, "200", 11, 20, 1), op(removeUsers, "200", 21, 30, 0), op(deleteUser, "200", 21, 30, 1)},
			false,
			true,
		},
		{
			"the last user stays",
			[]*operation{granted(), op(addUsers, "200", 11, 20, 1), op(removeUsers, "200", 21, 30, 0), op(deleteUser, "409 last_user", 21, 30, 1)},
			true, true,
		},
		{"refused for contention", []*operation{granted(), op(revoke, contended, 11, 20), op(check, "granted", 21, 30, 0)}, true, true},
		{"let in by a partner that was being suspended", []*operation{
			op(suspendPartner, "200", 5, 8), granted(), op(check, "partner_not_active", 11, 20, 0),
		}, true, true},
		{"let in by a partner that had been suspended", []*operation{op(suspendPartner, "200", -20, -10), granted()}, false, true},
	} {
		p := part{begin: state{present: of(0, 1, 2, 3)}, ops: c.history}
		p.mark()
		if got := p.linearizable(time.Minute, ""); (got == "") != c.linear {
			t.Errorf("%s: got %q, want it to be linearizable: %v", c.about, got, c.linear)
		}
		if got := p.violations(); (len(got) == 0) != c.watch {
			t.Errorf("%s: got the violations %q, want none: %v", c.about, got, c.watch)
		}
	}
}

func TestWhatIsSeenIsWhereTheNextEpochBegins(t *testing.T) {
	t.Parallel()
	for _, o := range []seen{
		{present: of(0, 1)},
		{present: of(0, 1), status: "active", in: of(1), level: 2, from: 3, until: 9, counted: 1},
		{present: of(0, 1), status: "suspended", paused: true, everyone: true, level: 1, from: 3},
		{present: of(0, 1), partner: suspended, status: "suspended", everyone: true, level: 1, from: 3},
		{present: of(0), partner: suspended, member: of(1), disabled: of(0), status: "suspended", in: of(0), level: 1, from: 8, counted: 1},
		{present: of(0), status: "expired"},
		{present: of(0), status: "ended"},
		{partner: removed, status: "ended"},
	} {
		if s := o.begin(); !s.agrees(o, 5) {
			t.Errorf("got %v, which is not what was seen: %+v", s, o)
		}
	}
	open := seen{present: of(0, 1), status: "active", in: of(1), level: 2, from: 3, until: 9, counted: 1}
	for about, other := range map[string]seen{
		"another user":  {present: of(0, 1), status: "active", in: of(0), level: 2, from: 3, until: 9},
		"another level": {present: of(0, 1), status: "active", in: of(1), level: 1, from: 3, until: 9},
		"another end":   {present: of(0, 1), status: "active", in: of(1), level: 2, from: 3},
		"ended":         {present: of(0, 1), status: "ended"},
		"somebody left": {present: of(1), status: "active", in: of(1), level: 2, from: 3, until: 9},
	} {
		if open.begin().agrees(other, 5) {
			t.Errorf("%s: got no difference from %+v", about, open)
		}
	}
}
