package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// withThree is a world in which Kim, Lee and Max of Contoso are in Acme's grant, at level support.
func withThree(t *testing.T) (w *world, kim, lee, maxi string) {
	t.Helper()
	w = newWorld(t)
	kim, lee, maxi = w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech), w.join("contoso", "max", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim, lee, maxi}, Level: new(access.Support)}))
	w.now = w.now.Add(time.Hour)
	return w, kim, lee, maxi
}

func TestTheSavedSetReplacesTheOldOne(t *testing.T) { // D27
	w, kim, lee, maxi := withThree(t)
	noa := w.join("contoso", "noa", access.Tech)
	p, err := w.edit(access.EditCommand{Set: list(noa, kim)})
	if err != nil {
		t.Fatal(err)
	}
	w.wantIn("kim noa")
	wantFields(t, p, "users")
	if c := p.Summary; !slices.Equal(c.Added, []string{noa}) || !slices.Equal(c.Removed, []string{lee, maxi}) || c.Before != 3 ||
		c.After != 2 {
		t.Errorf("got changes %+v, want noa added, lee and max removed, from 3 users to 2", c)
	}
	w.wantEvents(events.GrantEdited)
	if d := w.event().Data; len(d.Removed) != 2 || d.Removed[0] != (events.Person{ID: lee, Email: "lee@contoso.example", Name: "lee"}) {
		t.Errorf("event: got removed %+v, want lee and max with their addresses", d.Removed)
	}
	again, err := w.edit(access.EditCommand{Set: list(kim, noa, kim)})
	wantUnchanged(t, again, err)
}

func TestACapOutlivesASetAndLeavingAndComingBack(t *testing.T) {
	w, kim, lee, _ := withThree(t)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Individual: true, Level: new(access.View)}))
	w.wantLevel(kim, access.View)
	w.must(w.edit(access.EditCommand{Set: list(kim, lee)}))
	w.wantLevel(kim, access.View)
	w.must(w.edit(access.EditCommand{Remove: []string{kim}}))
	w.must(w.edit(access.EditCommand{Add: []string{kim}}))
	w.wantLevel(kim, access.View)
}

func TestASetWritesWhatChangesHoweverManyAreIn(t *testing.T) {
	crowd := func(t *testing.T, n int) (*world, []string) {
		w := newWorld(t)
		var users []string
		for range n {
			users = append(users, w.join("contoso", "u"+w.newID(), access.Tech))
		}
		for part := range slices.Chunk(users, access.MaxUserChanges) {
			w.must(w.grant(access.GrantCommand{Users: part}))
		}
		return w, users
	}
	t.Run("one of 120 goes", func(t *testing.T) {
		w, users := crowd(t, 120)
		p := w.must(w.edit(access.EditCommand{Set: list(users[1:]...)}))
		if got := len(w.change.Writes); got != 2 || !slices.Equal(p.Summary.Removed, users[:1]) || p.Summary.After != 119 {
			t.Errorf("got %d writes and changes %+v, want the grant and one user written", got, p.Summary)
		}
	})
	t.Run("80 of 120 go, a row each", func(t *testing.T) {
		w, users := crowd(t, 120)
		p := w.must(w.edit(access.EditCommand{Set: list(users[80:]...)}))
		if got := len(w.change.Writes); got != 81 || len(p.Summary.Removed) != 80 || p.Grant.Count != 40 {
			t.Errorf("got %d writes and count %d, want 81 and 40", got, p.Grant.Count)
		}
	})
	t.Run("81 of 120 go, and those who stay are written", func(t *testing.T) {
		w, users := crowd(t, 120)
		newcomer := w.join("contoso", "newcomer", access.Tech)
		p := w.must(w.edit(access.EditCommand{Set: list(append(users[81:], newcomer, newcomer)...)}))
		if got := len(w.change.Writes); got != 42 || len(p.Summary.Removed) != 81 || p.Grant.Count != 40 ||
			!slices.Equal(p.Summary.Added, []string{newcomer}) {
			t.Errorf("got %d writes, count %d, %d removed and %v added; want 42, 40, 81 and the newcomer", got, p.Grant.Count,
				len(p.Summary.Removed), p.Summary.Added)
		}
		if got := len(strings.Fields(w.in())); got != 40 {
			t.Errorf("in the grant: got %d users, want 40", got)
		}
	})
	t.Run("81 newcomers are too many", func(t *testing.T) {
		w, _ := crowd(t, 1)
		var users []string
		for range access.MaxUserChanges + 1 {
			users = append(users, w.join("contoso", "n"+w.newID(), access.Tech))
		}
		_, err := w.edit(access.EditCommand{Set: &users})
		wantRefusal(t, err, access.TooManyUsers)
	})
}

func TestAddAndRemoveWorkTogether(t *testing.T) {
	w, kim, lee, maxi := withThree(t)
	noa := w.join("contoso", "noa", access.External)
	p := w.must(
		w.edit(access.EditCommand{
			Add: []string{noa, kim}, Remove: []string{lee, maxi, "contoso:nobody", w.join("fabrikam", "pat", access.Tech)},
		}))
	w.wantIn("kim noa")
	if c := p.Summary; !slices.Equal(c.Added, []string{noa}) || !slices.Equal(c.Removed, []string{lee, maxi}) {
		t.Errorf("got changes %+v, want noa added, lee and max removed; who is in already or is nobody does not count", c)
	}
	again, err := w.edit(access.EditCommand{Add: []string{noa}, Remove: []string{lee}})
	wantUnchanged(t, again, err)
}

func TestTheListAnErrorPointsInto(t *testing.T) {
	w, kim, _, _ := withThree(t)
	pat := w.join("fabrikam", "pat", access.Tech)
	_, err := w.edit(access.EditCommand{Set: list(kim, pat)})
	wantPointer(t, err, "/users/set/1")
	_, err = w.edit(access.EditCommand{Add: []string{pat}})
	wantPointer(t, err, "/users/add/0")
}

// The partner has removed a user, and the clock has not counted it out of the grant yet.
func TestAnEmptySetLeavesNobodyWhoeverIsCountedStill(t *testing.T) { // E9
	w, _, _, _ := withThree(t)
	g := w.grants["acme contoso"]
	g.Count++
	w.grants["acme contoso"] = g
	_, err := w.edit(access.EditCommand{Set: list()})
	wantRefusal(t, err, access.LastUser)
}

func TestAtLeastOneUserKeepsAccess(t *testing.T) { // E9
	w, kim, lee, maxi := withThree(t)
	w.must(w.edit(access.EditCommand{Remove: []string{lee, maxi}}))
	_, err := w.edit(access.EditCommand{Remove: []string{kim}})
	wantRefusal(t, err, access.LastUser)
	_, err = w.edit(access.EditCommand{Set: list()})
	wantRefusal(t, err, access.LastUser)
	_, err = w.removeUser(kim)
	wantRefusal(t, err, access.LastUser)
	w.must(w.edit(access.EditCommand{Add: []string{lee}, Remove: []string{kim}}))
	w.wantIn("lee")
	w.must(w.end(access.PlanRevoke)) // never refused (W13)
	w.wantWhy(lee, access.DeniedEnded)
}

func TestNobodyCanStayNobody(t *testing.T) { // E9 is about taking the last one out
	w := newWorld(t)
	w.must(w.grant(access.GrantCommand{}))
	p, err := w.edit(access.EditCommand{Set: list()})
	wantUnchanged(t, p, err)
}

// A stale edit is fine as long as it only takes away: what matters is that access taken away stays away.
func TestAStaleVersionIsAcceptedOnlyForTakingAway(t *testing.T) {
	later := start.Add(48 * time.Hour)
	for _, c := range []struct {
		name string
		cmd  func(kim, noa string) access.EditCommand
		want access.Code
	}{
		{"a lower level", func(string, string) access.EditCommand { return access.EditCommand{Level: new(access.View)} }, ""},
		{
			"a higher level", func(string, string) access.EditCommand { return access.EditCommand{Level: new(access.Manage)} },
			access.VersionMismatch,
		},
		{"an earlier end", func(string, string) access.EditCommand { return access.EditCommand{Until: new(later.Add(-tick))} }, ""},
		{
			"a later end", func(string, string) access.EditCommand { return access.EditCommand{Until: new(later.Add(tick))} },
			access.VersionMismatch,
		},
		{"no end", func(string, string) access.EditCommand { return access.EditCommand{Until: &time.Time{}} }, access.VersionMismatch},
		{"a later start", func(string, string) access.EditCommand {
			return access.EditCommand{From: new(start.Add(24 * time.Hour))}
		}, ""},
		{"suspend", func(string, string) access.EditCommand { return access.EditCommand{State: new(access.StateSuspended)} }, ""},
		{"require single sign-on", func(string, string) access.EditCommand { return access.EditCommand{RequireSSO: new(true)} }, ""},
		{"another note", func(string, string) access.EditCommand { return access.EditCommand{Note: new("x")} }, access.VersionMismatch},
		{"another message", func(string, string) access.EditCommand { return access.EditCommand{Message: new("x")} }, access.VersionMismatch},
		{
			"let the partner pick", func(string, string) access.EditCommand { return access.EditCommand{AssignedBy: new(access.ByPartner)} },
			access.VersionMismatch,
		},
		{"everyone on", func(string, string) access.EditCommand { return access.EditCommand{Everyone: new(true)} }, access.VersionMismatch},
		{"take a user out", func(kim, _ string) access.EditCommand { return access.EditCommand{Remove: []string{kim}} }, ""},
		{"put a user in", func(_, noa string) access.EditCommand { return access.EditCommand{Add: []string{noa}} }, access.VersionMismatch},
		{"put a user in who is in", func(kim, _ string) access.EditCommand { return access.EditCommand{Add: []string{kim}} }, ""},
		{"a smaller set", func(kim, _ string) access.EditCommand { return access.EditCommand{Set: list(kim)} }, ""},
		{"another set", func(kim, noa string) access.EditCommand { return access.EditCommand{Set: list(kim, noa)} }, access.VersionMismatch},
		{"both at once", func(kim, _ string) access.EditCommand {
			return access.EditCommand{Remove: []string{kim}, Level: new(access.Manage)}
		}, access.VersionMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, kim, _, _ := withThree(t)
			noa := w.join("contoso", "noa", access.Tech)
			w.must(w.edit(access.EditCommand{Until: &later}))
			cmd := c.cmd(kim, noa)
			cmd.Seen = 1
			_, err := w.edit(cmd)
			wantRefusal(t, err, c.want)
			cmd.Seen = 2
			if c.want == "" {
				cmd.Seen = 3
			}
			if _, err := w.edit(cmd); err != nil {
				t.Errorf("at the version that is there: got %v, want it done", err)
			}
		})
	}
}

func TestAnEndWhereThereWasNoneTakesAway(t *testing.T) {
	w, _, _, _ := withThree(t)
	w.must(w.edit(access.EditCommand{Note: new("x")}))
	w.must(w.edit(access.EditCommand{Seen: 1, Until: new(w.now.AddDate(10, 0, 0))}))
}

func TestResumingAndLiftingSingleSignOnGive(t *testing.T) {
	w, _, _, _ := withThree(t)
	w.must(w.edit(access.EditCommand{State: new(access.StateSuspended), RequireSSO: new(true), From: new(start.Add(48 * time.Hour))}))
	for _, cmd := range []access.EditCommand{{State: new(access.StateOpen)}, {RequireSSO: new(false)}, {From: &time.Time{}}} {
		cmd.Seen = 1
		_, err := w.edit(cmd)
		wantRefusal(t, err, access.VersionMismatch)
	}
}

func TestNothingIsGivenToAPartnerThatIsNotEligible(t *testing.T) { // D9, D10
	for name, c := range map[string]struct {
		cmd  access.PartnerCommand
		want access.Code
	}{
		"suspended":       {access.PartnerCommand{Status: new(access.Suspended)}, access.PartnerNotActive},
		"another class":   {access.PartnerCommand{Class: new(access.Other)}, access.PartnerNotEligible},
		"nothing offered": {access.PartnerCommand{Offer: new(access.None)}, access.PartnerNotEligible},
	} {
		t.Run(name, func(t *testing.T) {
			w, kim, _, _ := withThree(t)
			w.partner("contoso", c.cmd)
			_, err := w.edit(access.EditCommand{Level: new(access.Manage)})
			wantRefusal(t, err, c.want)
			_, err = w.edit(access.EditCommand{Everyone: new(true)})
			wantRefusal(t, err, c.want)
			w.must(w.edit(access.EditCommand{Note: new("waiting")}))
			w.must(w.edit(access.EditCommand{Level: new(access.View), Remove: []string{kim}})) // W13
			w.must(w.end(access.PlanRevoke))
		})
	}
}

func TestSuspendAndResume(t *testing.T) { // A14: disabled, and back
	w, kim, _, _ := withThree(t)
	p := w.must(w.edit(access.EditCommand{State: new(access.StateSuspended)}))
	wantFields(t, p, "state")
	w.wantEvents(events.GrantSuspended)
	w.wantWhy(kim, access.DeniedSuspended)
	again, err := w.edit(access.EditCommand{State: new(access.StateSuspended)})
	wantUnchanged(t, again, err)
	w.must(w.edit(access.EditCommand{State: new(access.StateOpen)}))
	w.wantEvents(events.GrantResumed)
	w.wantWhy(kim, access.Granted)
	w.wantIn("kim lee max")
}

func TestWhatHasEndedCannotBeEdited(t *testing.T) {
	until := start.Add(2 * time.Hour)
	for name, end := range map[string]func(w *world){
		"revoked":             func(w *world) { w.must(w.end(access.PlanRevoke)) },
		"at the end":          func(w *world) { w.now = until },
		"the partner removed": func(w *world) { w.removePartner("contoso") },
	} {
		t.Run(name, func(t *testing.T) {
			w, kim, _, _ := withThree(t)
			w.must(w.edit(access.EditCommand{Until: &until, AssignedBy: new(access.ByPartner)}))
			w.now = until.Add(-tick)
			w.must(w.edit(access.EditCommand{Level: new(access.View)}))
			end(w)
			_, err := w.edit(access.EditCommand{Level: new(access.None)})
			wantRefusal(t, err, access.Ended)
			_, err = w.pick(access.AssignCommand{Users: list(kim)})
			wantRefusal(t, err, access.Ended)
			_, err = w.removeUser(kim)
			wantRefusal(t, err, access.Ended)
		})
	}
}

func TestWhatWasNeverThereCannotBeEdited(t *testing.T) {
	w := newWorld(t)
	_, err := w.edit(access.EditCommand{})
	wantRefusal(t, err, access.NotFound)
	_, err = w.pick(access.AssignCommand{Users: list()})
	wantRefusal(t, err, access.NotFound)
	_, err = w.removeUser("contoso:nobody")
	wantRefusal(t, err, access.NotFound)
	_, err = w.end(access.PlanRevoke)
	wantRefusal(t, err, access.NotFound)
}

func TestEditingThePeriod(t *testing.T) { // A14
	hour := time.Hour
	for _, c := range []struct {
		name                string
		from, until         *time.Time
		wantFrom, wantUntil time.Time // of a grant from start to start+10h, edited at start+1h
		want                access.Code
	}{
		{
			name: "a start in the past leaves the start that has passed", from: new(start.Add(-hour)), wantFrom: start,
			wantUntil: start.Add(10 * hour),
		},
		{name: "a start between then and now does, too", from: new(start.Add(hour / 2)), wantFrom: start, wantUntil: start.Add(10 * hour)},
		{name: "zero does, too", from: &time.Time{}, wantFrom: start, wantUntil: start.Add(10 * hour)},
		{
			name: "a start to come closes until then", from: new(start.Add(2 * hour)), wantFrom: start.Add(2 * hour),
			wantUntil: start.Add(10 * hour),
		},
		{name: "zero opens the end", until: &time.Time{}, wantFrom: start},
		{name: "an end in a millisecond", until: new(start.Add(hour + tick)), wantFrom: start, wantUntil: start.Add(hour + tick)},
		{name: "an end now", until: new(start.Add(hour)), want: access.PeriodInvalid},
		{name: "a start at the end", from: new(start.Add(10 * hour)), want: access.PeriodInvalid},
		{
			name: "a start a millisecond before the end", from: new(start.Add(10*hour - tick)), wantFrom: start.Add(10*hour - tick),
			wantUntil: start.Add(10 * hour),
		},
		{name: "both, in the wrong order", from: new(start.Add(4 * hour)), until: new(start.Add(3 * hour)), want: access.PeriodInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.must(w.grant(access.GrantCommand{Until: new(start.Add(10 * hour))}))
			w.now = start.Add(hour)
			p, err := w.edit(access.EditCommand{From: c.from, Until: c.until})
			wantRefusal(t, err, c.want)
			if err == nil && (!p.Grant.From.Equal(c.wantFrom) || !p.Grant.Until.Equal(c.wantUntil)) {
				t.Errorf("got %s to %s, want %s to %s", p.Grant.From, p.Grant.Until, c.wantFrom, c.wantUntil)
			}
		})
	}
}

func TestAScheduledGrantCanBeginAtOnce(t *testing.T) {
	w := newWorld(t)
	w.must(w.grant(access.GrantCommand{From: new(start.Add(time.Hour))}))
	w.now = start.Add(time.Minute)
	p := w.must(w.edit(access.EditCommand{From: &time.Time{}}))
	if !p.Grant.From.Equal(w.now) {
		t.Errorf("got from %s, want now, %s: a period never begins in the past", p.Grant.From, w.now)
	}
}

func TestTheEventOfAnEditTellsWhatItWas(t *testing.T) {
	w, _, _, _ := withThree(t)
	until := start.Add(48 * time.Hour)
	p := w.must(
		w.edit(access.EditCommand{
			Level: new(access.Manage), Until: &until, Note: new("n"), Message: new("m"), RequireSSO: new(true), AssignedBy: new(access.ByPartner),
		}))
	wantFields(t, p, "assigned_by", "level", "message", "note", "require_sso", "until")
	d := w.event().Data
	if d.LevelWas != "support" || d.Level != "manage" || d.UntilWas != nil || d.Until == nil || !d.Until.Equal(until) ||
		d.AssignedBy != "partner" || d.Version != 2 {
		t.Errorf("got %+v, want level from support to manage, an end where there was none, assigned by the partner", d)
	}
	w.must(w.edit(access.EditCommand{Until: &time.Time{}}))
	if d := w.event().Data; d.UntilWas == nil || !d.UntilWas.Equal(until) || d.Until != nil || d.LevelWas != "" {
		t.Errorf("got %+v, want the end that was there and no other level", d)
	}
}

func TestOneUserIsTakenOutByItself(t *testing.T) { // E6, E7
	w, kim, lee, _ := withThree(t)
	p := w.must(w.removeUser(kim))
	w.wantIn("lee max")
	w.wantEvents(events.GrantEdited)
	if c := p.Summary; !slices.Equal(c.Removed, []string{kim}) || c.Before != 3 || c.After != 2 {
		t.Errorf("got changes %+v, want kim removed", c)
	}
	if got := w.users[kim].Status; got != access.Active {
		t.Errorf("kim's account: got %s, want it as it was, active (D25, E7)", got)
	}
	_, err := w.removeUser(kim)
	wantRefusal(t, err, access.NotFound)
	_, err = w.removeUser(w.join("fabrikam", "pat", access.Tech))
	wantRefusal(t, err, access.NotFound)
	w.leave(lee)
	_, err = w.removeUser(lee) // who has left is in no list
	wantRefusal(t, err, access.NotFound)
}

func TestThePartnerPicksWhereTheGrantSaysSo(t *testing.T) { // A5, A21
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.External)
	w.must(w.grant(access.GrantCommand{}))
	w.wantWhy(kim, access.UserNotAssigned)
	w.as(olga)
	p := w.must(w.pick(access.AssignCommand{Users: list(kim, lee)}))
	wantFields(t, p, "users")
	w.wantIn("kim lee")
	w.wantWhy(kim, access.Granted)
	by := events.Actor{Kind: "partner", Email: "olga@contoso.example", ID: "contoso:olga"}
	if e := w.event(); e.Type != events.GrantEdited || e.Actor != by {
		t.Errorf("got event %+v, want an edit by the partner", e)
	}
	w.must(w.pick(access.AssignCommand{Users: list(lee)}))
	w.wantIn("lee")
	_, err := w.pick(access.AssignCommand{Users: list()})
	wantRefusal(t, err, access.LastUser)
	w.must(w.pick(access.AssignCommand{Everyone: new(true)}))
	w.wantIn("olga kim")
	w.must(w.pick(access.AssignCommand{Everyone: new(false), Users: list(kim)}))
	w.wantIn("kim")

	w.must(w.as(ann).edit(access.EditCommand{AssignedBy: new(access.ByCustomer)}))
	_, err = w.as(olga).pick(access.AssignCommand{Users: list(lee)})
	wantRefusal(t, err, access.Forbidden)
}

func TestThePickIsBoundByTheSameRules(t *testing.T) {
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	pat := w.join("fabrikam", "pat", access.Tech)
	w.must(w.grant(access.GrantCommand{}))
	w.as(olga)
	_, err := w.pick(access.AssignCommand{Users: list(kim, pat)})
	wantRefusal(t, err, access.UserNotOfPartner) // A6
	wantPointer(t, err, "/users/1")
	w.member("acme", "lee@contoso.example", false)
	_, err = w.pick(access.AssignCommand{Users: list(lee)})
	wantRefusal(t, err, access.CustomerUserConflict) // A7

	w.must(w.pick(access.AssignCommand{Users: list(kim, w.join("contoso", "max", access.Tech))}))
	_, err = w.pick(access.AssignCommand{Seen: 1, Users: list(kim, w.join("contoso", "noa", access.Tech))})
	wantRefusal(t, err, access.VersionMismatch)
	w.must(w.pick(access.AssignCommand{Seen: 1, Users: list(kim)}))

	w.partner("contoso", access.PartnerCommand{Status: new(access.Suspended)})
	_, err = w.pick(access.AssignCommand{Everyone: new(true)})
	wantRefusal(t, err, access.PartnerNotActive)
	_, err = w.pick(access.AssignCommand{Users: list(kim)})
	if err != nil {
		t.Errorf("a pick that gives nothing: got %v, want it accepted", err)
	}
}

func TestAnEditOfNothingChangesNothing(t *testing.T) {
	w, kim, lee, maxi := withThree(t)
	g := w.grants["acme contoso"]
	for i, cmd := range []access.EditCommand{
		{},
		{Seen: 77},
		{
			Level: &g.Level, From: &g.From, Until: &g.Until, State: &g.State, RequireSSO: &g.RequireSSO, AssignedBy: &g.AssignedBy, Note: &g.Note,
			Message: &g.Message,
		},
		{Everyone: new(false)},
		{Set: list(kim, lee, maxi)},
		{Add: []string{kim}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p, err := w.edit(cmd)
			wantUnchanged(t, p, err)
		})
	}
}
