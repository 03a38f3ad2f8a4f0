package access_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// caps is an edit of caps: address, level, address, level; a level of -1 lifts the cap.
func caps(pairs ...any) access.EditCommand {
	cmd := access.EditCommand{Caps: map[string]*access.Level{}}
	for i := 0; i < len(pairs); i += 2 {
		if l, ok := pairs[i+1].(access.Level); ok {
			cmd.Caps[pairs[i].(string)] = &l
		} else {
			cmd.Caps[pairs[i].(string)] = nil
		}
	}
	return cmd
}

// The example of issue 11, point 3: whatever the partner chooses, the cap holds.
func TestNoChoiceOfThePartnerChangesACap(t *testing.T) {
	for _, c := range []struct {
		name   string
		choose func(w *world, kim, lee string)
	}{
		{"nothing", func(*world, string, string) {}},
		{"everyone", func(w *world, _, _ string) { w.must(w.pick(access.AssignCommand{Everyone: new(true)})) }},
		{"everyone on and off", func(w *world, _, _ string) {
			w.must(w.pick(access.AssignCommand{Everyone: new(true)}))
			w.must(w.pick(access.AssignCommand{Everyone: new(false)}))
		}},
		{"a set with the person", func(w *world, kim, lee string) { w.must(w.pick(access.AssignCommand{Users: list(kim, lee)})) }},
		{"out and in again", func(w *world, kim, lee string) {
			w.must(w.pick(access.AssignCommand{Users: list(lee)}))
			w.must(w.pick(access.AssignCommand{Users: list(kim, lee)}))
		}},
		{"everyone on, off, out and in again", func(w *world, kim, lee string) {
			w.must(w.pick(access.AssignCommand{Everyone: new(true)}))
			w.must(w.pick(access.AssignCommand{Everyone: new(false)}))
			w.must(w.pick(access.AssignCommand{Users: list(lee)}))
			w.must(w.pick(access.AssignCommand{Users: list(kim, lee)}))
		}},
		{"the access is relinquished and granted again", func(w *world, kim, _ string) {
			w.must(w.end(access.PlanRelinquish))
			w.as(ann).must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)}))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
			w.must(w.grant(access.GrantCommand{Users: []string{lee}, Level: new(access.Manage), AssignedBy: new(access.ByPartner)}))
			w.must(w.grant(access.GrantCommand{Users: []string{kim}, Individual: true, Level: new(access.View)}))
			w.as(olga)
			c.choose(w, kim, lee)
			w.wantLevel(kim, access.View)
			w.wantLevel(lee, map[bool]access.Level{true: access.Manage}[w.why(lee) == access.Granted])
			w.wantCaps("kim@contoso.example view")
		})
	}
}

func TestACapBelongsToTheAddressAndHoldsForTheNextAccount(t *testing.T) {
	for _, role := range []access.Role{access.Tech, access.External} {
		w := newWorld(t)
		kim := w.join("contoso", "kim", access.Tech)
		w.must(w.grant(access.GrantCommand{Level: new(access.Manage)}))
		w.must(w.edit(caps("kim@contoso.example", access.View)))
		w.as(provider).leave(kim)
		again := w.join("contoso", "kim", role)
		w.as(olga).must(w.pick(access.AssignCommand{Users: list(again)}))
		w.wantLevel(again, access.View)
	}
}

func TestACapHoldsInEveryGrantOnceItsRulesAreCopied(t *testing.T) {
	w := newWorld(t)
	kim, pat := w.join("contoso", "kim", access.Tech), w.join("fabrikam", "pat", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)}))
	manage := access.GrantCommand{Users: []string{pat}, Level: new(access.Manage)}
	w.must(w.planned(access.PlanGrant(w.relation("acme", "fabrikam", pat), manage, w.planContext())))
	edition := loaded(w.grants, "acme fabrikam").PublicVersion()
	p := w.must(w.edit(caps("pat@fabrikam.example", access.None)))
	wantFields(t, p, "caps")
	if task := taskOf(w.change, access.TaskCustomerRules); task == nil || task.Customer != "acme" || !task.Due.After(w.now) {
		t.Errorf("got the task %+v, want one for acme, due soon", task)
	}
	copied := func() access.GrantChange {
		t.Helper()
		return w.must(w.planned(access.PlanCustomerRules(w.relation("acme", "fabrikam"), w.planContext())))
	}
	copied()
	w.wantWhy(pat, access.LevelTooLow)
	if got := loaded(w.grants, "acme fabrikam").PublicVersion(); got != edition || len(w.change.Events) > 0 {
		t.Errorf("got edition %d and events %v, want %d as before, and nothing told", got, w.change.Events, edition)
	}
	again, err := access.PlanCustomerRules(w.relation("acme", "fabrikam"), w.planContext())
	wantUnchanged(t, again, err)

	// What reads the customer before the cap and commits after it does not bring the old caps back.
	r := w.relation("acme", "fabrikam")
	w.must(w.edit(caps("pat@fabrikam.example", access.View)))
	copied()
	r.Grant = loaded(w.grants, "acme fabrikam")
	w.must(w.planned(access.PlanEdit(r, access.EditCommand{Seen: anyVersion, Level: new(access.Support)}, w.planContext())))
	w.wantLevel(pat, access.View)
}

func TestEveryNewGrantCopiesTheRules(t *testing.T) {
	w := newWorld(t)
	kim, pat := w.join("contoso", "kim", access.Tech), w.join("fabrikam", "pat", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)}))
	w.must(w.edit(caps("pat@fabrikam.example", access.View)))
	manage := access.GrantCommand{Users: []string{pat}, Level: new(access.Manage)}
	w.must(w.planned(access.PlanGrant(w.relation("acme", "fabrikam", pat), manage, w.planContext())))
	w.wantLevel(pat, access.View)
	if got := w.grants["acme fabrikam"].Domain; got != "acme.example" {
		t.Errorf("got the domain %q, want acme.example", got)
	}
}

func TestADomainOfTheCustomersReachesItsGrants(t *testing.T) { // D7
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Everyone: true, Level: new(access.Manage)}))
	w.wantWhy(kim, access.Granted)
	c, _, err := access.PlanCustomer("acme", loaded(w.customers, "acme"), w.registry(),
		access.CustomerCommand{Seen: anyVersion, Domain: new("contoso.example")}, w.planContext())
	w.done(c, err)
	if task := taskOf(w.change, access.TaskCustomerRules); task == nil || task.Customer != "acme" {
		t.Errorf("got the task %+v, want one for acme", task)
	}
	w.must(w.planned(access.PlanCustomerRules(w.relation("acme", "contoso"), w.planContext())))
	w.wantWhy(kim, access.DeniedOwnOrganisation)
	c, _, err = access.PlanCustomer("acme", loaded(w.customers, "acme"), w.registry(),
		access.CustomerCommand{Seen: anyVersion, Name: new("Acme Ltd")}, w.planContext())
	w.done(c, err)
	if task := taskOf(w.change, access.TaskCustomerRules); task != nil {
		t.Errorf("another name: got the task %+v, want none", task)
	}
}

func TestACapIsLoweredAtAnyVersionAndRaisedAtTheCurrentOne(t *testing.T) {
	kim := "kim@contoso.example"
	for _, c := range []struct {
		name string
		cmd  access.EditCommand
		want access.Code
	}{
		{"the same", caps(kim, access.Support), ""},
		{"lower", caps(kim, access.View), ""},
		{"none", caps(kim, access.None), ""},
		{"a first cap on somebody", caps("lee@contoso.example", access.Manage), ""},
		{"higher", caps(kim, access.Manage), access.VersionMismatch},
		{"lifted", caps(kim, nil), access.VersionMismatch},
		{"one lower and one higher", caps(kim, access.Manage, "lee@contoso.example", access.None), access.VersionMismatch},
		{"lifting none", caps("lee@contoso.example", nil), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.must(w.grant(access.GrantCommand{Users: []string{w.join("contoso", "kim", access.Tech)}, Level: new(access.Manage)}))
			w.must(w.edit(caps(kim, access.Support)))
			c.cmd.Seen = 1
			_, err := w.edit(c.cmd)
			wantRefusal(t, err, c.want)
			c.cmd.Seen = loaded(w.grants, "acme contoso").PublicVersion()
			if _, err := w.edit(c.cmd); err != nil {
				t.Errorf("by who saw it: %v", err)
			}
		})
	}
}

func TestAnEventNamesWhoMayDoLessByACap(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)}))
	w.must(w.edit(caps("kim@contoso.example", access.View, "somebody@elsewhere.example", access.None)))
	w.wantEvents(events.GrantEdited)
	d := w.event().Data
	if want := (events.Person{ID: kim, Email: "kim@contoso.example", Name: "kim", Level: "view", LevelWas: "manage"}); len(d.Changed) != 1 ||
		d.Changed[0] != want {
		t.Errorf("got changed %+v, want %+v", d.Changed, want)
	}
	if !slices.Equal(d.Fields, []string{"caps"}) {
		t.Errorf("got fields %v, want caps", d.Fields)
	}
	w.must(w.edit(caps("kim@contoso.example", nil)))
	if d := w.event().Data; len(d.Changed) != 1 || d.Changed[0].Level != "manage" || d.Changed[0].LevelWas != "view" {
		t.Errorf("lifted: got changed %+v, want manage and view before", d.Changed)
	}
}

func TestACustomerCapsTwoHundredPeople(t *testing.T) {
	w := newWorld(t)
	w.must(w.grant(access.GrantCommand{}))
	for i := range access.MaxCaps {
		w.must(w.edit(caps(fmt.Sprintf("user%d@contoso.example", i), access.View)))
	}
	_, err := w.edit(caps("one-more@contoso.example", access.View))
	wantRefusal(t, err, access.TooManyUsers)
	w.must(w.edit(caps("user0@contoso.example", access.None)))
	w.must(w.edit(caps("user0@contoso.example", nil)))
	w.must(w.edit(caps("one-more@contoso.example", access.View)))
}

func TestAChangeOfAddressNeverEscapesACap(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)}))
	w.must(w.edit(caps("kim@contoso.example", access.View)))
	u := w.users[kim]
	u.Email, u.FormerEmails = "kim2@contoso.example", []string{"kim@contoso.example"}
	w.users[kim] = u
	w.wantLevel(kim, access.View)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Individual: true, Level: new(access.Support)})) // the customer may
	w.wantLevel(kim, access.Support)
	w.must(w.edit(caps("kim@contoso.example", access.None)))
	w.wantWhy(kim, access.LevelTooLow)
}

func TestANewGrantByAddressHasItsLevelWhateverTheOldCap(t *testing.T) { // D15: what is shown is what is given
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)}))
	w.must(w.edit(caps("kim@contoso.example", access.View)))
	w.must(w.end(access.PlanRevoke))
	w.now = w.now.Add(time.Hour)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Individual: true, Level: new(access.Support)}))
	w.wantLevel(kim, access.Support)
	w.wantCaps("kim@contoso.example support")
}

func taskOf(c access.Change, kind access.TaskKind) *access.Task {
	for _, write := range c.Writes {
		if t, ok := write.(access.TaskWrite); ok && t.After != nil && t.After.Kind == kind {
			return t.After
		}
	}
	return nil
}
