package access_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/access"
)

func TestAPasswordIsLongRatherThanColourful(t *testing.T) { // P20
	for _, c := range []struct{ name, password, want string }{
		{"twelve letters", "abcdefghijkl", ""},
		{"eleven", "abcdefghijk", "12 to 256"},
		{"eleven of two bytes each", "äöüßéèêáàâå", "12 to 256"},
		{"256", strings.Repeat("abcdefgh", 32), ""},
		{"257", strings.Repeat("abcdefgh", 32) + "a", "12 to 256"},
		{"several words", "correct horse battery", ""},
		{"a space before", " correct horse", "spaces"},
		{"a space behind", "correct horse ", "spaces"},
		{"a control character", "correct\thorse", "control"},
		{"no UTF-8", "correct horse\xff", "control"},
		{"five different", "abcdeabcdeabcde", ""},
		{"four different", "abcdabcdabcdabcd", "different"},
		{"four different in two sizes", "abcdABCDabcdABCD", "different"},
		{"the current one", "the current one", "current"},
	} {
		err := access.CheckPassword("the current one", c.password)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: got %v, want no error", c.name, err)
			}
			continue
		}
		wantRefusal(t, err, access.WeakPassword)
		wantPointer(t, err, "/new")
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to speak of %q", c.name, err, c.want)
		}
	}
}

func TestEveryChangeThatAnAccountHasToKnowOfLeavesItsTask(t *testing.T) { // P2, P13, P19, P21
	partner := &access.Partner{ID: "contoso", Status: access.Active, Version: 1}
	pc := access.PlanContext{Now: start, Actor: provider, NewID: func() string { return strings.Repeat("0", 26) }, Accounts: true}
	facts := func(role access.Role, task *access.Task) access.UserFacts {
		u := &access.User{
			ID: "contoso:" + strings.Repeat("0", 26), Partner: "contoso", Number: 2, Email: "kim@contoso.example", Name: "Kim", Phone: "+4930123456",
			Role: role, Status: access.Active, Version: 3,
		}
		return access.UserFacts{
			Partner: partner, Headcount: access.Headcount{Partner: "contoso", LastNumber: 2, Staff: 2, Owners: 1, Version: 5}, User: u, Task: task,
			Email: &access.Email{Address: u.Email, User: u.ID, Version: 1},
		}
	}
	edit := func(role access.Role, cmd access.UserCommand) *access.Task {
		t.Helper()
		cmd.Seen = anyVersion
		f := facts(role, nil)
		if cmd.Email != nil {
			f.Email, f.OldEmail = nil, f.Email
		}
		c, _, err := access.PlanUser(f, cmd, pc)
		if err != nil {
			t.Fatal(err)
		}
		return c.Identity()
	}
	for _, c := range []struct {
		name string
		cmd  access.UserCommand
		want bool
	}{
		{"address", access.UserCommand{Email: new("kira@contoso.example")}, true},
		{"phone", access.UserCommand{Phone: new("")}, true},
		{"second factor", access.UserCommand{MFA: new(true)}, true},
		{"status", access.UserCommand{Status: new(access.Disabled)}, true},
		{"name", access.UserCommand{Name: new("Kira")}, false},
		{"role", access.UserCommand{Role: new(access.Business)}, true},
		{"nothing", access.UserCommand{Name: new("Kim")}, false},
	} {
		if got := edit(access.Tech, c.cmd); (got != nil) != c.want {
			t.Errorf("%s: got task %+v, want one: %v", c.name, got, c.want)
		}
		if c.cmd.Role == nil && (edit(access.External, c.cmd) != nil) != c.want {
			t.Errorf("%s of an external user: want a task: %v", c.name, c.want)
		}
	}

	create := func(role access.Role, pc access.PlanContext) *access.Task {
		t.Helper()
		c, _, err := access.PlanNewUser(access.UserFacts{Partner: partner},
			access.UserCommand{Email: new("new@contoso.example"), Name: new("New"), Role: &role}, pc)
		if err != nil {
			t.Fatal(err)
		}
		return c.Identity()
	}
	none := pc
	none.Accounts = false
	if create(access.Tech, pc) == nil || create(access.External, pc) == nil || create(access.Tech, none) != nil {
		t.Error("a new user: want a task, where accounts are kept")
	}
	c, err := access.PlanRemoveUserAccount(facts(access.Tech, nil), pc)
	if err != nil || c.Identity() == nil {
		t.Errorf("removal: got task %+v (%v), want one", c.Identity(), err)
	}
}

func TestAnAccountBelongsIntoTheGroupOfItsRoleAndOfAllEmployees(t *testing.T) {
	var names []string
	for _, g := range access.Groups() {
		names = append(names, g.Name)
	}
	for role, want := range map[access.Role][]string{
		access.Owner: {"partners", "partner-owner"}, access.Admin: {"partners", "partner-admin"},
		access.Business: {"partners", "partner-business"},
		access.Tech:     {"partners", "partner-tech"}, access.SalesMarketing: {"partners", "partner-sales_marketing"},
		access.External: {"partners", "partner-external"},
	} {
		u := access.User{Role: role}
		if got := u.Groups(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", role, got, want)
		}
		for _, g := range want {
			if !slices.Contains(names, g) || !access.MaintainedGroup(g) {
				t.Errorf("%s: got %q not among the groups that are made and kept, want it there", role, g)
			}
		}
	}
	for _, other := range []string{"partner-", "partner-admins", "admins", ""} { // are not this service's to remove anybody from
		if access.MaintainedGroup(other) {
			t.Errorf("%q: got a group that is maintained, want none", other)
		}
	}
}

func TestAnIdentityTaskIsOneWorkersUntilItIsDue(t *testing.T) {
	pc := access.PlanContext{Now: start, Actor: provider, NewID: func() string { return strings.Repeat("0", 26) }, Accounts: true}
	c, _, err := access.PlanNewUser(
		access.UserFacts{Partner: &access.Partner{ID: "contoso", Status: access.Active}},
		access.UserCommand{Email: new("kim@contoso.example"), Name: new("Kim"), Role: new(access.Tech)}, pc,
	)
	if err != nil {
		t.Fatal(err)
	}
	first := c.Identity()
	if lease := first.Due.Sub(start); lease < 30*time.Second || lease > time.Minute {
		t.Errorf("the writer has it for %v, want longer than a function runs, and no longer than until the next sweep", lease)
	}
	at := func(now time.Time) access.PlanContext { pc.Now = now; return pc }
	if c, got := access.PlanClaimIdentityTask(first, at(first.Due.Add(-tick))); got != nil || !c.Empty() {
		t.Errorf("the instant before: got %+v, want it left alone", got)
	}
	_, second := access.PlanClaimIdentityTask(first, at(first.Due))
	if second == nil || second.Version != first.Version+1 || second.Again || !second.Due.After(first.Due) {
		t.Errorf("at the instant: got %+v, want the next version, taken", second)
	}
	if _, got := access.PlanClaimIdentityTask(nil, pc); got != nil {
		t.Errorf("no task: got %+v, want none", got)
	}

	if access.PlanIdentityDone(first, first, true).Empty() {
		t.Error("done: got nothing to do, want the task deleted")
	}
	again := *first
	again.Again = true
	for name, c := range map[string]access.Change{
		"gone": access.PlanIdentityDone(nil, first, true), "taken by another": access.PlanIdentityDone(second, first, true),
		"again": access.PlanIdentityDone(&again, &again, true),
	} {
		if !c.Empty() {
			t.Errorf("%s: got %+v, want nothing to do", name, c)
		}
	}
}

func TestATemporaryPasswordHasItsEnd(t *testing.T) { // P15
	pc := access.PlanContext{Now: start, Actor: provider, NewID: func() string { return strings.Repeat("0", 26) }, Accounts: true}
	partner := &access.Partner{ID: "contoso", Status: access.Active, Version: 1}
	task := func(c access.Change) *access.Task {
		for _, w := range c.Writes {
			if w, ok := w.(access.TaskWrite); ok && (w.After == nil || w.After.Kind == access.TaskActivation) {
				return w.After
			}
		}
		return nil
	}
	create := func(role access.Role, pc access.PlanContext) (*access.User, *access.Task) {
		t.Helper()
		c, u, err := access.PlanNewUser(access.UserFacts{Partner: partner},
			access.UserCommand{Email: new("kim@contoso.example"), Name: new("Kim"), Role: &role}, pc)
		if err != nil {
			t.Fatal(err)
		}
		return u, task(c)
	}
	u, first := create(access.Tech, pc)
	if first == nil || !first.Due.Equal(start.Add(access.ActivationLife)) || first.User != u.ID {
		t.Fatalf("a new employee: got task %+v, want one after %s", first, access.ActivationLife)
	}
	if _, external := create(access.External, pc); external == nil {
		t.Error("an external user: got no task, want one")
	}
	without := pc
	without.Accounts = false
	if _, none := create(access.Tech, without); none != nil {
		t.Errorf("without accounts: got task %+v, want none", none)
	}

	at := func(now time.Time) access.PlanContext { pc.Now = now; return pc }
	if c, got := access.PlanClaimActivationTask(first, at(first.Due.Add(-tick))); got != nil || !c.Empty() {
		t.Errorf("the instant before: got %+v, want it left alone", got)
	}
	_, mine := access.PlanClaimActivationTask(first, at(first.Due))
	if mine == nil || mine.Version != first.Version+1 {
		t.Fatalf("at the instant: got %+v, want it taken", mine)
	}
	if wait := mine.InFlightUntil.Sub(first.Due); wait != 6*time.Minute || !mine.Due.Equal(mine.InFlightUntil) {
		t.Errorf("got %+v, want nobody else to touch the password for 6 minutes", mine)
	}
	if _, _, err := access.PlanTemporaryPassword(u, mine, at(mine.InFlightUntil.Add(-tick))); access.CodeOf(err) != access.Contention {
		t.Errorf("while a sweep ends the password: got %v, want another one refused", err)
	}
	c, made, err := access.PlanTemporaryPassword(u, mine, at(mine.InFlightUntil))
	if err != nil || task(c) != made || !made.Due.Equal(pc.Now.Add(access.ActivationLife)) ||
		!made.InFlightUntil.Equal(pc.Now.Add(6*time.Minute)) {
		t.Errorf("another password: got %+v (%v), want an end of its own, and no other one for 6 minutes", made, err)
	}
	if got := task(access.PlanPasswordSettled(made, made)); got == nil || !got.InFlightUntil.IsZero() || !got.Due.Equal(made.Due) ||
		got.Version != made.Version+1 {
		t.Errorf("all was answered: got %+v, want the same end, and no wait", got)
	}
	for name, now := range map[string]*access.Task{"gone": nil, "another's by now": mine} {
		if c := access.PlanPasswordSettled(now, made); !c.Empty() {
			t.Errorf("all was answered, and the task is %s: got %+v, want it left alone", name, c)
		}
	}
	if c := access.PlanActivationDone(task(c), mine, u, partner, access.ActivationOutcome{PasswordExpired: true}, pc); !c.Empty() {
		t.Errorf("another password was made meanwhile: got %+v, want nothing to do", c)
	}

	if c := access.PlanActivationDone(mine, mine, u, partner, access.ActivationOutcome{}, pc); len(c.Writes) != 1 || len(c.Events) != 0 {
		t.Errorf("who has signed in: got %+v, want the task to go, and nothing told", c)
	}
	c = access.PlanActivationDone(mine, mine, u, partner, access.ActivationOutcome{PasswordExpired: true}, pc)
	if len(c.Writes) != 2 || len(c.Events) != 1 || c.Events[0].Actor.Kind != "clock" || c.Events[0].Data.Person.Email != u.Email {
		t.Fatalf("who has not: got %+v, want the user marked, and it told", c)
	}
	marked := c.Writes[1].(access.UserWrite).After
	if !marked.ActivationMissedAt.Equal(pc.Now) || marked.Version != u.Version+1 || marked.Status != access.Active {
		t.Errorf("got %+v, want a mark and nothing else", marked)
	}
	if c, _, err := access.PlanTemporaryPassword(marked, nil, pc); err != nil || len(c.Writes) != 2 ||
		!c.Writes[1].(access.UserWrite).After.ActivationMissedAt.IsZero() {
		t.Errorf("another password for one who was marked: got %+v (%v), want the mark gone", c, err)
	}
	for name, change := range map[string]func(*access.User){
		"removed": func(u *access.User) { u.Status = access.Removed }, "disabled": func(u *access.User) { u.Status = access.Disabled },
	} {
		other := *u
		change(&other)
		if c := access.PlanActivationDone(mine, mine, &other, partner, access.ActivationOutcome{PasswordExpired: true}, pc); len(c.Writes) != 1 ||
			len(c.Events) != 0 {
			t.Errorf("a user who is %s: got %+v, want the task to go, and nothing told", name, c)
		}
	}
}

func TestATemporaryPasswordIsSentToActiveEmployeesAlone(t *testing.T) { // P15
	pc := access.PlanContext{Now: start, Actor: olga, NewID: func() string { return strings.Repeat("0", 26) }, Accounts: true}
	facts := func(change func(*access.UserFacts)) access.UserFacts {
		f := access.UserFacts{
			Partner: &access.Partner{ID: "contoso", Status: access.Active},
			User: &access.User{
				ID: "contoso:kim", Partner: "contoso", Email: "kim@contoso.example", Role: access.Tech, Status: access.Active,
				Version: 3,
			},
		}
		change(&f)
		return f
	}
	c, _, err := access.PlanRenewActivation(facts(func(*access.UserFacts) {}), pc)
	if err != nil || c.Identity() == nil || len(c.Events) != 1 || c.Events[0].Data.Person.ID != "contoso:kim" {
		t.Errorf("got %+v (%v), want a task that makes the account when there is none, and an event", c, err)
	}
	for name, tc := range map[string]struct {
		change func(*access.UserFacts)
		want   access.Code
	}{
		"nobody":            {func(f *access.UserFacts) { f.User = nil }, access.NotFound},
		"removed":           {func(f *access.UserFacts) { f.User.Status = access.Removed }, access.NotFound},
		"a removed partner": {func(f *access.UserFacts) { f.Partner.Status = access.Removed }, access.NotFound},
		"disabled":          {func(f *access.UserFacts) { f.User.Status = access.Disabled }, access.UserNotActive},
	} {
		c, _, err := access.PlanRenewActivation(facts(tc.change), pc)
		if access.CodeOf(err) != tc.want || !c.Empty() {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}
