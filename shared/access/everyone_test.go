package access_test

import (
	"strings"
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
	_, err = w.pick(access.AssignCommand{Users: list(kim)})
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
	if c := p.Summary; c.Before != 3 || c.After != 3 || c.Removed != nil {
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
	if p.Summary.Before != 3 || p.Summary.After != 2 {
		t.Errorf("got changes %+v, want from 3 users to 2", p.Summary)
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
			h.Staff, h.LastNumber = size, int64(size)
			w.headcounts["contoso"] = h
			w.must(w.grant(access.GrantCommand{Everyone: !on}))
			p := w.must(w.edit(access.EditCommand{Everyone: &on}))
			writes = append(writes, len(w.change.Writes)+len(w.change.Events))
			if p.Summary.After != size {
				t.Errorf("everyone %v: got %d users after, want %d", on, p.Summary.After, size)
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
	w.wantWhy(kim, access.DeniedUserNotActive)
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

// 125 people stay after everyone was switched off: one of them, or some, can be taken out, by name (issue 11, point 12; D27, E15).
func TestSomeOfManyWhoStayedCanBeTakenOutAndAreNamed(t *testing.T) {
	crowd := func(t *testing.T) (*world, []string) {
		w := newWorld(t)
		users := []string{w.owner}
		for range 124 {
			users = append(users, w.join("contoso", "u"+w.newID(), access.Tech))
		}
		w.must(w.grant(access.GrantCommand{Everyone: true, AssignedBy: new(access.ByPartner)}))
		w.must(w.edit(access.EditCommand{Everyone: new(false)}))
		return w, users
	}
	for _, c := range []struct {
		name           string
		leave          int // how many leave
		named, unnamed int
	}{
		{"one", 1, 1, 0},
		{"eighty", 80, 80, 0},
		{"more than a request changes, while too many stay to be written", 44, 44, 0},
		{"eighty-one, while few stay", 81, 80, 1},
		{"all but one", 124, 80, 44},
	} {
		t.Run(c.name, func(t *testing.T) {
			for who, set := range map[string]func(*world, []string) (access.GrantChange, error){
				"customer": func(w *world, stay []string) (access.GrantChange, error) {
					return w.as(ann).edit(access.EditCommand{Set: &stay})
				},
				"partner": func(w *world, stay []string) (access.GrantChange, error) {
					return w.as(olga).pick(access.AssignCommand{Users: &stay})
				},
			} {
				w, users := crowd(t)
				p, err := set(w, users[c.leave:])
				if err != nil {
					t.Fatalf("%s: %v", who, err)
				}
				if p.Summary.After != 125-c.leave || len(p.Summary.Removed) != c.leave {
					t.Errorf("%s: got %d after and %d removed, want %d and %d", who, p.Summary.After, len(p.Summary.Removed), 125-c.leave, c.leave)
				}
				if d := w.event().Data; len(d.Removed) != c.named || d.Unnamed != c.unnamed || d.Removed[0].Email == "" {
					t.Errorf("%s: got %d named and %d more, want %d and %d", who, len(d.Removed), d.Unnamed, c.named, c.unnamed)
				}
				w.wantWhy(users[0], access.UserNotAssigned)
				w.wantWhy(users[124], access.Granted)
				if got := len(strings.Fields(w.in())); got != 125-c.leave {
					t.Errorf("%s: got %d in, want %d", who, got, 125-c.leave)
				}
			}
		})
	}
	t.Run("the same set changes nothing", func(t *testing.T) {
		w, users := crowd(t)
		p, err := w.edit(access.EditCommand{Set: &users})
		wantUnchanged(t, p, err)
	})
	t.Run("one goes and one comes", func(t *testing.T) {
		w, users := crowd(t)
		noa := w.join("contoso", "noa", access.External)
		p := w.must(w.edit(access.EditCommand{Set: list(append(users[1:], noa)...)}))
		if p.Summary.After != 125 || len(w.change.Writes) != 3 {
			t.Errorf("got %d after by %d writes, want 125 by the grant and two users", p.Summary.After, len(w.change.Writes))
		}
	})
	t.Run("single ones of thousands, by the partner", func(t *testing.T) {
		w, users := crowd(t)
		w.vague = true
		noa := w.join("contoso", "noa", access.Tech)
		p := w.must(w.as(olga).pick(access.AssignCommand{Add: []string{noa}, Remove: users[:1]}))
		if p.Summary.After != 125 || len(w.event().Data.Removed) != 1 || len(w.event().Data.Added) != 1 {
			t.Errorf("got %+v, want one more and one less, both named", p.Summary)
		}
		_, err := w.pick(access.AssignCommand{Add: []string{"fabrikam:nobody"}})
		wantPointer(t, err, "/add/0")
		stay := users[2:]
		_, err = w.pick(access.AssignCommand{Users: &stay})
		wantRefusal(t, err, access.TooManyUsers) // several requests with add and remove do it
	})
}
