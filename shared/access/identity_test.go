package access_test

import (
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
	m := access.Moment{Now: start, Actor: provider, NewID: func() string { return strings.Repeat("0", 26) }, Accounts: true}
	facts := func(role access.Role, task *access.Task) access.UserFacts {
		u := &access.User{
			ID: "contoso:" + strings.Repeat("0", 26), Partner: "contoso", Number: 2, Email: "kim@contoso.example", Name: "Kim", Phone: "+4930123456",
			Role: role, Status: access.Active, Version: 3,
		}
		return access.UserFacts{
			Partner: partner, Headcount: access.Headcount{Partner: "contoso", Last: 2, Staff: 2, Owners: 1, Version: 5}, User: u, Task: task,
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
		c, _, err := access.PlanUser(f, cmd, m)
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
		{"role", access.UserCommand{Role: new(access.Business)}, false},
		{"nothing", access.UserCommand{Name: new("Kim")}, false},
	} {
		if got := edit(access.Tech, c.cmd); (got != nil) != c.want {
			t.Errorf("%s: got task %+v, want one: %v", c.name, got, c.want)
		}
		if c.cmd.Role == nil && edit(access.External, c.cmd) != nil {
			t.Errorf("%s of an external user: got a task, want none", c.name)
		}
	}

	create := func(role access.Role, m access.Moment) *access.Task {
		t.Helper()
		c, _, err := access.PlanNewUser(access.UserFacts{Partner: partner}, access.UserCommand{Email: new("new@contoso.example"), Name: new("New"), Role: &role}, m)
		if err != nil {
			t.Fatal(err)
		}
		return c.Identity()
	}
	none := m
	none.Accounts = false
	if create(access.Tech, m) == nil || create(access.External, m) != nil || create(access.Tech, none) != nil {
		t.Error("a new user: want a task for an employee alone, and where accounts are kept")
	}
	c, err := access.PlanRemoveUserAccount(facts(access.Tech, nil), m)
	if err != nil || c.Identity() == nil {
		t.Errorf("removal: got task %+v (%v), want one", c.Identity(), err)
	}
}

func TestAnIdentityTaskIsOneWorkersUntilItIsDue(t *testing.T) {
	m := access.Moment{Now: start, Actor: provider, NewID: func() string { return strings.Repeat("0", 26) }, Accounts: true}
	c, _, err := access.PlanNewUser(
		access.UserFacts{Partner: &access.Partner{ID: "contoso", Status: access.Active}},
		access.UserCommand{Email: new("kim@contoso.example"), Name: new("Kim"), Role: new(access.Tech)}, m,
	)
	if err != nil {
		t.Fatal(err)
	}
	first := c.Identity()
	if lease := first.Due.Sub(start); lease < 30*time.Second || lease > time.Minute {
		t.Errorf("the writer has it for %v, want longer than a function runs, and no longer than until the next sweep", lease)
	}
	at := func(now time.Time) access.Moment { m.Now = now; return m }
	if c, got := access.PlanTakeIdentity(first, at(first.Due.Add(-tick))); got != nil || !c.Empty() {
		t.Errorf("the instant before: got %+v, want it left alone", got)
	}
	_, second := access.PlanTakeIdentity(first, at(first.Due))
	if second == nil || second.Version != first.Version+1 || second.Again || !second.Due.After(first.Due) {
		t.Errorf("at the instant: got %+v, want the next version, taken", second)
	}
	if _, got := access.PlanTakeIdentity(nil, m); got != nil {
		t.Errorf("no task: got %+v, want none", got)
	}

	if access.PlanIdentityDone(first, first).Empty() {
		t.Error("done: got nothing to do, want the task deleted")
	}
	again := *first
	again.Again = true
	for name, c := range map[string]access.Change{
		"gone": access.PlanIdentityDone(nil, first), "taken by another": access.PlanIdentityDone(second, first), "again": access.PlanIdentityDone(&again, &again),
	} {
		if !c.Empty() {
			t.Errorf("%s: got %+v, want nothing to do", name, c)
		}
	}
}
