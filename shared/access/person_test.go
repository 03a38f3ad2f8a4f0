package access_test

import (
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// move gives the user another address, as the provider, and returns the task that this leaves.
func (w *world) move(user, address string) *access.Task {
	w.t.Helper()
	defer func(a access.Actor) { w.actor = a }(w.actor)
	if _, err := w.as(provider).editUser(user, access.UserCommand{Email: &address}); err != nil {
		w.t.Fatal(err)
	}
	t := taskOf(w.change, access.TaskPersonChanged)
	if t == nil {
		w.t.Fatal("got no task, want one that tells the customers")
	}
	return t
}

// visit does the task's work at Acme's grant for Contoso, and returns what was told there.
func (w *world) visit(task *access.Task) []events.Event {
	w.t.Helper()
	p := w.must(w.planned(access.PlanPersonChanged(w.whole("acme", "contoso", task.User), task, w.planContext())))
	if len(p.Change.Events) > 0 {
		again, err := access.PlanPersonChanged(w.whole("acme", "contoso", task.User), task, w.planContext())
		wantUnchanged(w.t, again, err)
		return p.Change.Events
	}
	return access.PlanNotifyPersonChanged(task, []access.GrantFacts{w.whole("acme", "contoso", task.User)}, "", w.planContext()).Events
}

// A change of address is a change of person, unless the domain stays the same (issue 11, point 5).
func TestAnotherDomainIsAnotherPerson(t *testing.T) {
	const same, other = "kim.larsen@contoso.example", "kim@elsewhere.example"
	for _, c := range []struct {
		name     string
		role     access.Role
		let      func(w *world, kim string) // how the user comes in
		address  string
		why      access.DecisionReason
		reason   string // of the event; "-" = nothing is told
		in, left int    // users counted before and after
	}{
		{"picked by the customer, same domain", access.Tech, pickedBy(ann), same, access.Granted, "", 1, 1},
		{"picked by the customer, another domain", access.Tech, pickedBy(ann), other, access.UserNotAssigned, "person_changed", 1, 0},
		{"picked by the partner, same domain", access.Tech, pickedBy(olga), same, access.Granted, "", 1, 1},
		{"picked by the partner, another domain", access.Tech, pickedBy(olga), other, access.Granted, "", 1, 1},
		{"picked by the partner, which may pick no more, another domain", access.Tech, func(w *world, kim string) {
			pickedBy(olga)(w, kim)
			w.as(ann).must(w.edit(access.EditCommand{AssignedBy: new(access.ByCustomer)}))
		}, other, access.UserNotAssigned, "person_changed", 1, 0},
		{
			"external, picked by the customer, another domain", access.External, pickedBy(ann), other, access.UserNotAssigned, "person_changed", 1,
			0,
		},
		{"a subdomain is another domain", access.Tech, pickedBy(ann), "kim@eu.contoso.example", access.UserNotAssigned, "person_changed", 1, 0},
		{"by everyone, another domain", access.Tech, func(w *world, _ string) {
			w.must(w.grant(access.GrantCommand{Everyone: true}))
		}, other, access.Granted, "", 2, 2},
		{"by its number, same domain", access.Tech, upToNow, same, access.Granted, "", 2, 2},
		{"by its number, another domain", access.Tech, upToNow, other, access.UserNotAssigned, "person_changed", 2, 1},
		{"taken out before", access.Tech, func(w *world, kim string) {
			upToNow(w, kim)
			w.must(w.edit(access.EditCommand{Remove: []string{kim}}))
		}, other, access.UserNotAssigned, "-", 1, 1},
		{"never in", access.Tech, func(w *world, _ string) { w.must(w.grant(access.GrantCommand{})) }, other, access.UserNotAssigned, "-", 0, 0},
		{"the grant has ended", access.Tech, func(w *world, kim string) {
			pickedBy(ann)(w, kim)
			w.must(w.end(access.PlanRevoke))
		}, other, access.DeniedEnded, "-", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			kim := w.join("contoso", "kim", c.role)
			c.let(w.as(ann), kim)
			g := w.grants["acme contoso"]
			if got := g.UserCount(w.headcounts["contoso"]); got != c.in {
				t.Fatalf("before: got %d users, want %d", got, c.in)
			}
			task := w.move(kim, c.address)
			if c.why != "" {
				w.wantWhy(kim, c.why) // at once
			}
			told := w.visit(task)
			if c.why == "" {
				c.why = access.UserNotAssigned
			}
			w.wantWhy(kim, c.why)
			if c.reason == "-" {
				if len(told) != 0 {
					t.Errorf("got %+v told, want nothing", told)
				}
				return
			}
			if len(told) != 1 || told[0].Type != events.GrantPersonChanged || told[0].Customer == nil || told[0].Customer.ID != "acme" {
				t.Fatalf("got %+v, want one event for Acme", told)
			}
			d := told[0].Data
			if d.Reason != c.reason || d.EmailWas != "kim@contoso.example" || d.Person == nil || d.Person.Email != c.address {
				t.Errorf("got %+v, want both addresses and the reason %q", d, c.reason)
			}
			g = w.grants["acme contoso"]
			if got := g.UserCount(w.headcounts["contoso"]); got != c.left {
				t.Errorf("after: got %d users, want %d", got, c.left)
			}
			task.Again = true
			if again := w.visit(task); len(again) != 0 {
				t.Errorf("the second round: got %+v, want nothing told again", again)
			}
		})
	}
}

func pickedBy(a access.Actor) func(*world, string) {
	return func(w *world, kim string) {
		w.must(w.grant(access.GrantCommand{AssignedBy: new(access.ByPartner)}))
		if a.Kind == "partner" {
			w.as(a).must(w.pick(access.AssignCommand{Users: list(kim)}))
		} else {
			w.as(a).must(w.edit(access.EditCommand{Add: []string{kim}}))
		}
	}
}

func upToNow(w *world, _ string) {
	w.must(w.grant(access.GrantCommand{Everyone: true}))
	w.must(w.edit(access.EditCommand{Everyone: new(false)}))
}

func TestThePersonWhoHasTheAccountNowCanBePickedAgain(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	pickedBy(ann)(w.as(ann), kim)
	task := w.move(kim, "kim@elsewhere.example")
	w.as(ann).must(w.edit(access.EditCommand{Add: []string{kim}})) // before the sweep comes by
	w.wantWhy(kim, access.Granted)
	w.wantIn("kim")
	if told := w.visit(task); len(told) != 1 || told[0].Data.Reason != "" {
		t.Errorf("got %+v, want the new address told, and no end", told)
	}
	w.wantIn("kim")
}

func TestASetByTheCustomerKeepsWhomItPickedAndNotWhoCameAfter(t *testing.T) {
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim, lee}, AssignedBy: new(access.ByPartner)}))
	w.as(olga).must(w.pick(access.AssignCommand{Users: list(kim)})) // the partner leaves the customer's pick as it is
	task := w.move(kim, "kim@elsewhere.example")
	w.wantWhy(kim, access.UserNotAssigned)
	w.visit(task)
	w.wantIn("")
}

func TestWhoLeavesAfterAChangeOfPersonIsCountedOutOnce(t *testing.T) {
	for _, first := range []string{"the change", "the leaving"} {
		w := newWorld(t)
		kim := w.join("contoso", "kim", access.Tech)
		upToNow(w, kim)
		task := w.move(kim, "kim@elsewhere.example")
		w.now = w.now.Add(time.Hour)
		w.as(provider).leave(kim)
		gone := func() {
			w.must(w.planned(access.PlanUserLeft(w.whole("acme", "contoso", kim), kim, w.planContext())))
		}
		if first == "the change" {
			w.visit(task)
			gone()
		} else {
			gone()
			w.visit(task)
		}
		w.wantIn("olga")
	}
}

func TestAChangeOfPersonHoldsUpASwitchOfEveryone(t *testing.T) { // whoever counts the people up to now must not overlook it
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	before := w.headcounts["contoso"]
	w.move(kim, "kim.larsen@contoso.example")
	if got := w.headcounts["contoso"]; got != before {
		t.Errorf("same domain: got headcount %+v, want %+v as before", got, before)
	}
	w.move(kim, "kim@elsewhere.example")
	if got := w.headcounts["contoso"]; got.Version != before.Version+1 || got.LastNumber != before.LastNumber+1 || got.Staff != before.Staff ||
		w.users[kim].Number != got.LastNumber {
		t.Errorf("another domain: got headcount %+v and number %d, want the next number", got, w.users[kim].Number)
	}
}

// Who is picked by the partner stays after a change of person while the partner may pick. When the customer takes the choice back it keeps
// whom it sees, and nobody else: the person whom it saw, once the clock has told it of the change, and not the one of whom it has not
// heard.
func TestACustomerThatAssignsAgainKeepsThePersonsItWasToldOf(t *testing.T) {
	take := func(w *world) { w.as(ann).must(w.edit(access.EditCommand{AssignedBy: new(access.ByCustomer)})) }
	for about, c := range map[string]struct {
		do  func(w *world, task *access.Task)
		why access.DecisionReason
	}{
		"after it was told":  {func(w *world, task *access.Task) { w.visit(task); take(w) }, access.Granted},
		"before it was told": {func(w *world, _ *access.Task) { take(w) }, access.UserNotAssigned},
		"and then hears of it": {func(w *world, task *access.Task) {
			take(w)
			if told := w.visit(task); len(told) != 1 || told[0].Data.Reason != "person_changed" {
				t.Errorf("got %+v told, want the end", told)
			}
		}, access.UserNotAssigned},
	} {
		t.Run(about, func(t *testing.T) {
			w := newWorld(t)
			kim := w.join("contoso", "kim", access.Tech)
			pickedBy(olga)(w.as(ann), kim)
			task := w.move(kim, "kim@elsewhere.example")
			w.wantWhy(kim, access.Granted)
			c.do(w, task)
			w.wantWhy(kim, c.why)
		})
	}
}
