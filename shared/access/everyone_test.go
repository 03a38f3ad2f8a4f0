package access_test

import (
	"testing"

	"partneraccess/events"
	"partneraccess/shared/access"
)

func TestEveryoneMeansAllStaffNowAndLater(t *testing.T) { // E11, E12
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.External)
	p := w.must(w.grant(access.GrantCommand{Everyone: true}))
	w.wantIn("olga kim")
	w.wantWhy(kim, access.Granted)
	w.wantWhy(lee, access.UserNotAssigned) // E3
	if d := w.event().Data; d.Everyone == nil || !*d.Everyone || d.Added != nil || *d.UserCount != 2 {
		t.Errorf("got event data %+v, want everyone switched on, nobody one by one, and 2 users", d)
	}
	wantFields(t, p, "everyone")

	noa := w.join("contoso", "noa", access.Business)
	w.wantIn("olga kim noa")
	w.wantWhy(noa, access.Granted)
	w.wantWhy(w.join("fabrikam", "pat", access.Tech), access.NoGrant) // E13: per tenant and partner
	w.leave(kim)
	w.wantIn("olga noa")
	w.wantWhy(kim, access.UnknownSubject)
}

func TestSwitchingEveryoneOnReplacesSingleUsers(t *testing.T) { // E14
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.External)
	w.must(w.grant(access.GrantCommand{Users: []string{lee}}))
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Individual: true, Level: new(access.None)}))
	w.wantWhy(kim, access.LevelTooLow)
	p := w.must(w.edit(access.EditCommand{Everyone: new(true)}))
	wantFields(t, p, "everyone")
	w.wantIn("olga kim")
	w.wantWhy(kim, access.LevelTooLow) // the cap is the customer's, and stays
	w.wantWhy(lee, access.UserNotAssigned)

	w.must(w.edit(access.EditCommand{Add: []string{lee}}))
	w.wantIn("olga kim lee")
	w.must(w.edit(access.EditCommand{Remove: []string{lee}}))
	w.wantIn("olga kim")
	w.must(w.grant(access.GrantCommand{Users: []string{lee}}))
	w.wantIn("olga kim lee")
}

func TestWhileEveryoneIsOnNoSingleUserGoes(t *testing.T) { // E10, E14
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Everyone: true, AssignedBy: new(access.ByPartner)}))
	_, err := w.edit(access.EditCommand{Remove: []string{kim}})
	wantRefusal(t, err, access.EveryoneIsOn)
	_, err = w.edit(access.EditCommand{Set: list(kim)})
	wantRefusal(t, err, access.EveryoneIsOn)
	_, err = w.removeUser(kim)
	wantRefusal(t, err, access.EveryoneIsOn)
	_, err = w.pick(access.PickCommand{Users: list(kim)})
	wantRefusal(t, err, access.EveryoneIsOn)
	p, err := w.grant(access.GrantCommand{Users: []string{kim}})
	wantUnchanged(t, p, err)
	w.must(w.edit(access.EditCommand{Everyone: new(false), Remove: []string{kim}})) // both in one request
	w.wantIn("olga")
}

func TestSwitchingEveryoneOffKeepsThoseWhoHadAccess(t *testing.T) { // E15, E16
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.External)
	w.must(w.grant(access.GrantCommand{Everyone: true}))
	w.must(w.edit(access.EditCommand{Add: []string{lee}}))
	p := w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	wantFields(t, p, "everyone")
	if c := p.Changes; c.Before != 3 || c.After != 3 || c.Removed != nil {
		t.Errorf("got changes %+v, want the same 3 users before and after", c)
	}
	w.wantEvents(events.GrantEdited)
	if d := w.event().Data; d.Everyone == nil || *d.Everyone {
		t.Errorf("got event data %+v, want everyone switched off", d)
	}
	noa := w.join("contoso", "noa", access.Tech)
	w.wantIn("olga kim lee")
	w.wantWhy(noa, access.UserNotAssigned)

	w.must(w.removeUser(kim))
	w.wantIn("olga lee")
	w.must(w.edit(access.EditCommand{Add: []string{noa, kim}}))
	w.wantIn("olga kim lee noa")
	w.must(w.edit(access.EditCommand{Remove: []string{noa}}))
	p = w.must(w.edit(access.EditCommand{Set: list(kim, noa)}))
	w.wantIn("kim noa")
	if p.Changes.Before != 3 || p.Changes.After != 2 {
		t.Errorf("got changes %+v, want from 3 users to 2", p.Changes)
	}
	w.join("contoso", "pia", access.Tech)
	w.wantIn("kim noa")
}

func TestSavingTheSameSetAfterEveryoneChangesNothing(t *testing.T) { // D27
	w := newWorld(t)
	kim, lee := w.join("fabrikam", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	w.must(w.grant(access.GrantCommand{Everyone: true}))
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	p, err := w.edit(access.EditCommand{Set: list(w.owner, lee, lee)})
	wantUnchanged(t, p, err)
	_, err = w.edit(access.EditCommand{Set: list(w.owner, lee, kim)})
	wantRefusal(t, err, access.UserNotOfPartner)
	noa := w.join("contoso", "noa", access.Tech)
	w.must(w.edit(access.EditCommand{Set: list(w.owner, noa)}))
	w.wantIn("olga noa")
}

func TestSwitchingCostsTheSameWhateverTheSize(t *testing.T) {
	for _, on := range []bool{true, false} {
		var writes []int
		for _, size := range []int{3, 10_000} {
			w := newWorld(t)
			h := w.headcounts["contoso"]
			h.Staff, h.Last = size, int64(size)
			w.headcounts["contoso"] = h
			w.must(w.grant(access.GrantCommand{Everyone: !on}))
			p := w.must(w.edit(access.EditCommand{Everyone: &on}))
			writes = append(writes, len(w.change.Writes)+len(w.change.Events))
			if p.Changes.After != size {
				t.Errorf("everyone %v: got %d users after, want %d", on, p.Changes.After, size)
			}
		}
		if writes[0] != writes[1] || writes[0] > 3 {
			t.Errorf("everyone %v: got %v items written for 3 and for 10,000 users, want the same few", on, writes)
		}
	}
}

func TestSwitchingOffHoldsTheHeadcountAndSwitchingOnDoesNot(t *testing.T) {
	w := newWorld(t)
	w.must(w.grant(access.GrantCommand{Everyone: true}))
	if holdsHeadcount(w.change) {
		t.Error("switched on: got a condition on the headcount, want none: all grants of a popular partner would collide on it")
	}
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	if !holdsHeadcount(w.change) {
		t.Error("switched off: got no condition on the headcount, want one: nobody may join under way (E15)")
	}
}

func holdsHeadcount(c access.Change) bool {
	for _, write := range c.Writes {
		if _, is := write.(access.HeadcountCheck); is {
			return true
		}
	}
	return false
}

func TestEveryJoinAndLeaveMovesTheHeadcount(t *testing.T) { // what switching everyone off is conditioned on
	w := newWorld(t)
	version := func() int64 { return w.headcounts["contoso"].Version }
	for _, role := range []access.Role{access.Tech, access.External} {
		before := version()
		kim := w.join("contoso", "kim", role)
		if version() != before+1 {
			t.Errorf("%s joins: got headcount version %d, want %d", role, version(), before+1)
		}
		w.leave(kim)
		if version() != before+2 {
			t.Errorf("%s leaves: got headcount version %d, want %d", role, version(), before+2)
		}
	}
}

func TestWhoHadLeftBeforeEveryoneWasSwitchedOffIsNotIn(t *testing.T) { // D23
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Everyone: true}))
	w.leave(kim)
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	w.wantIn("olga")
	_, err := w.removeUser(kim)
	wantRefusal(t, err, access.NotFound)
	p, err := w.edit(access.EditCommand{Remove: []string{kim}})
	wantUnchanged(t, p, err)
	w.wantIn("olga")
}

func TestDisabledStaffBelongsToEveryone(t *testing.T) { // its account denies, and it is back when that is enabled
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Everyone: true}))
	w.setStatus(kim, access.Disabled)
	w.wantIn("olga kim")
	w.wantWhy(kim, access.WhyUserInactive)
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
	w.setStatus(kim, access.Active)
	w.wantIn("olga kim")
	w.wantWhy(kim, access.Granted)
}

func TestOldAssignmentsStayForgottenAfterManySwitches(t *testing.T) {
	w := newWorld(t)
	lee := w.join("contoso", "lee", access.External)
	w.must(w.grant(access.GrantCommand{Users: []string{lee}}))
	for range 3 {
		w.must(w.edit(access.EditCommand{Everyone: new(true)}))
		w.wantIn("olga")
		w.must(w.edit(access.EditCommand{Everyone: new(false)}))
		w.wantIn("olga")
	}
}
