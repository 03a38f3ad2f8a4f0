package access_test

import (
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

type ending = func(access.GrantFacts, access.PlanContext) (access.GrantChange, error)

func TestAGrantEndsAtOnceAndItsReasonIsKept(t *testing.T) {
	for _, c := range []struct {
		name   string
		actor  access.Actor
		end    ending
		reason access.Reason
		told   events.Type
	}{
		{"the customer revokes (D29, D31, W13)", ann, access.PlanRevoke, access.RevokedByCustomer, events.GrantRevoked},
		{"the partner relinquishes", olga, access.PlanRelinquish, access.RelinquishedByPartner, events.GrantRelinquished},
		{"the provider ends the relationship (A4)", provider, access.PlanEndRelationship, access.RelationshipEnded, events.GrantEnded},
		{"the customer is removed", provider, access.PlanEndForRemovedCustomer, access.CustomerRemoved, events.GrantEnded},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, kim, _, _ := withThree(t)
			w.wantWhy(kim, access.Granted)
			p := w.must(w.as(c.actor).end(c.end))
			w.wantWhy(kim, access.DeniedEnded)
			wantFields(t, p, "state")
			w.wantEvents(c.told)
			want := access.End{Reason: c.reason, At: w.now, By: access.By{Kind: c.actor.Kind, Email: c.actor.Email}}
			if g := p.Grant; g.State != access.StateEnded || g.End == nil || *g.End != want {
				t.Errorf("got state %s and end %+v, want ended by %+v", g.State, g.End, want)
			}
			if p.Summary.Before != 3 || p.Summary.After != 0 {
				t.Errorf("got changes %+v, want from 3 users to none", p.Summary)
			}
			if d := w.event().Data; d.Reason != string(c.reason) || *d.UserCount != 3 {
				t.Errorf("got event data %+v, want the reason and how many were in", d)
			}
			if got := len(w.change.Writes); got != 1 {
				t.Errorf("got %d writes, want the grant alone: whom it let in stays on record", got)
			}

			w.now = w.now.Add(time.Hour)
			again, err := w.as(ann).end(access.PlanRevoke)
			wantUnchanged(t, again, err)
			if again.Grant.End == nil || *again.Grant.End != want {
				t.Errorf("ended again: got end %+v, want the first one %+v", again.Grant.End, want)
			}
		})
	}
}

func TestAccessStopsAtTheEndWhetherOrNotASweepHasRun(t *testing.T) { // A13
	w, kim, _, _ := withThree(t)
	until := w.now.Add(time.Hour)
	w.must(w.edit(access.EditCommand{Until: &until}))
	w.now = until.Add(-tick)
	w.wantWhy(kim, access.Granted)
	p, err := w.end(access.PlanDue)
	wantUnchanged(t, p, err)
	w.now = until
	w.wantWhy(kim, access.DeniedExpired)
	w.now = until.Add(time.Hour)
	w.must(w.end(access.PlanDue))
	w.wantWhy(kim, access.DeniedExpired)
	w.wantEvents(events.GrantExpired)
	g := w.grants["acme contoso"]
	if want := (access.End{Reason: access.Expired, At: until, By: access.By{Kind: "clock"}}); g.End == nil || *g.End != want {
		t.Errorf("got end %+v, want %+v: it ended when its period did", g.End, want)
	}
	if e := w.event(); e.Actor.Kind != "clock" || e.Data.Reason != "expired" {
		t.Errorf("got event %+v, want one by the clock", e)
	}
	p, err = w.end(access.PlanDue)
	wantUnchanged(t, p, err)
}

func TestWhoRevokesAfterTheEndIsToldThatTheClockWasFirst(t *testing.T) {
	for name, end := range map[string]ending{"revoke": access.PlanRevoke, "relinquish": access.PlanRelinquish} {
		t.Run(name, func(t *testing.T) {
			w, _, _, _ := withThree(t)
			until := w.now.Add(time.Hour)
			w.must(w.edit(access.EditCommand{Until: &until}))
			w.now = until
			p := w.must(w.end(end))
			w.wantEvents(events.GrantExpired)
			if e := p.Grant.End; e == nil || e.Reason != access.Expired || !e.At.Equal(until) || e.By.Kind != "clock" {
				t.Errorf("got end %+v, want the clock's at %s", e, until)
			}
		})
	}
}

func TestGrantingAgainAfterAnEndStartsAnew(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(w *world, until time.Time)
		told []events.Type
	}{
		{"revoked", func(w *world, _ time.Time) { w.must(w.end(access.PlanRevoke)) }, []events.Type{events.GrantCreated}},
		{"relinquished", func(w *world, _ time.Time) { w.must(w.end(access.PlanRelinquish)) }, []events.Type{events.GrantCreated}},
		{"expired, and a sweep has come by", func(w *world, until time.Time) {
			w.now = until
			w.must(w.end(access.PlanDue))
		}, []events.Type{events.GrantCreated}},
		{
			"expired, and no sweep has come by: the end is told first", func(w *world, until time.Time) { w.now = until },
			[]events.Type{events.GrantExpired, events.GrantCreated},
		},
		{"suspended and expired", func(w *world, until time.Time) {
			w.must(w.edit(access.EditCommand{State: new(access.StateSuspended)}))
			w.now = until
		}, []events.Type{events.GrantExpired, events.GrantCreated}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, kim, lee, _ := withThree(t)
			until := w.now.Add(time.Hour)
			w.must(w.edit(access.EditCommand{Until: &until, Note: new("old"), RequireSSO: new(true)}))
			w.must(w.edit(access.EditCommand{Everyone: new(true)}))
			w.must(w.edit(access.EditCommand{Everyone: new(false)}))
			c.end(w, until)
			old := w.grants["acme contoso"]
			p := w.must(w.grant(access.GrantCommand{Users: []string{lee}}))
			w.wantIn("lee")
			w.wantWhy(kim, access.UserNotAssigned)
			w.wantWhy(lee, access.Granted)
			w.wantEvents(c.told...)
			g := p.Grant
			if !p.Created || g.ID == old.ID || g.Version != old.Version+1 || g.Epoch <= old.Epoch {
				t.Errorf("got created %v, id %s, version %d, epoch %d; want a new id on the same row, after version %d and epoch %d", p.Created, g.ID,
					g.Version, g.Epoch, old.Version, old.Epoch)
			}
			if g.Level != access.View || g.State != access.StateOpen || !g.Until.IsZero() || !g.From.Equal(w.now) || g.Note != "" || g.RequireSSO ||
				g.End != nil || g.EveryoneUpTo != 0 || g.Everyone {
				t.Errorf("got %+v, want nothing of the old grant's terms", g)
			}
			if p.Summary.Before != 0 || p.Summary.After != 1 {
				t.Errorf("got changes %+v, want from no user to 1", p.Summary)
			}
			if first := w.change.Events[0]; first.Type == events.GrantExpired {
				if first.Data.Grant != old.ID || first.Data.Reason != "expired" || first.Actor.Kind != "clock" || *first.Data.UserCount != 4 ||
					first.ID >= w.event().ID {
					t.Errorf("got the end told as %+v, want the old grant's, by the clock, before the new beginning", first)
				}
			}
		})
	}
}

func TestARemovedPartnersGrantCanStillBeEnded(t *testing.T) { // D5, W13
	w, kim, _, _ := withThree(t)
	w.as(provider).removePartner("contoso")
	w.wantWhy(kim, access.DeniedPartnerNotActive)
	if got := w.users[kim].Status; got != access.Active {
		t.Errorf("kim's account: got %s, want it as it was, active (D25)", got)
	}
	g, p := w.grants["acme contoso"], w.partners["contoso"]
	if got := g.Status(&p, w.now); got != "ended" {
		t.Errorf("status: got %q, want ended though nothing is written yet", got)
	}
	if e := g.EndAt(&p, w.now); e == nil || e.Reason != access.PartnerRemoved || !e.At.Equal(w.now) {
		t.Errorf("end: got %+v, want the partner's removal at %s", e, w.now)
	}
	w.must(w.as(ann).end(access.PlanRevoke))
	_, err := w.grant(access.GrantCommand{Users: []string{kim}})
	wantRefusal(t, err, access.PartnerNotActive)
}

func TestTheStatusThatPeopleSee(t *testing.T) {
	from, until := start, start.Add(time.Hour)
	active := access.Partner{Class: access.Channel, Status: access.Active}
	for _, c := range []struct {
		name  string
		grant access.Grant
		now   time.Time
		want  string
	}{
		{"before the period", access.Grant{State: access.StateOpen, From: from, Until: until}, from.Add(-tick), "scheduled"},
		{"at its start", access.Grant{State: access.StateOpen, From: from, Until: until}, from, "active"},
		{"before its end", access.Grant{State: access.StateOpen, From: from, Until: until}, until.Add(-tick), "active"},
		{"at its end", access.Grant{State: access.StateOpen, From: from, Until: until}, until, "expired"},
		{"suspended before the period", access.Grant{State: access.StateSuspended, From: from, Until: until}, from.Add(-tick), "suspended"},
		{"suspended at its end", access.Grant{State: access.StateSuspended, From: from, Until: until}, until, "expired"},
		{"revoked", access.Grant{State: access.StateEnded, Until: until, End: &access.End{Reason: access.RevokedByCustomer}}, until, "ended"},
		{"expired and written down", access.Grant{State: access.StateEnded, End: &access.End{Reason: access.Expired}}, until, "expired"},
		{"continuous", access.Grant{State: access.StateOpen, From: from}, until.AddDate(100, 0, 0), "active"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.grant.Status(&active, c.now); string(got) != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			_, over := map[string]bool{"expired": true, "ended": true}[c.want]
			if got := c.grant.Ended(c.now); got != over {
				t.Errorf("ended: got %v, want %v", got, over)
			}
		})
	}
}

func TestAManagedCustomerIsAlwaysOpenAtLevelManage(t *testing.T) { // A2, A11, A16
	w := newWorld(t).as(provider)
	kim := w.join("contoso", "kim", access.Tech)
	p := w.must(w.manage("acme", "contoso"))
	if g := p.Grant; !g.Managed || g.Level != access.Manage || g.State != access.StateOpen || !g.Until.IsZero() ||
		g.AssignedBy != access.ByPartner || !p.Created {
		t.Errorf("got %+v, want managed, manage, open, continuous, assigned by the partner", g)
	}
	w.wantEvents(events.GrantCreated, events.ManagementAssigned)
	if got := w.customers["acme"].ManagedBy; got != "contoso" {
		t.Errorf("managed by: got %q, want contoso", got)
	}
	again, err := w.manage("acme", "contoso")
	wantUnchanged(t, again, err)
	w.wantWhy(kim, access.UserNotAssigned)
	w.must(w.as(olga).pick(access.AssignCommand{Users: list(kim)})) // A5
	w.wantWhy(kim, access.Granted)

	ended := w.must(w.as(provider).end(access.PlanUnmanage))
	w.wantEvents(events.GrantEnded, events.ManagementEnded)
	if e := ended.Grant.End; e == nil || e.Reason != access.ManagementEnded || ended.Grant.Managed || w.customers["acme"].ManagedBy != "" {
		t.Errorf("got grant %+v at a customer managed by %q, want the management ended", ended.Grant, w.customers["acme"].ManagedBy)
	}
	w.wantWhy(kim, access.DeniedEnded)
	_, err = w.end(access.PlanUnmanage)
	wantRefusal(t, err, access.NotFound)
	w.must(w.manage("acme", "fabrikam"))
}

func TestOnlyTheManagingPartnersGrantIsEndedWithTheManagement(t *testing.T) { // A15
	w := newWorld(t).as(provider)
	w.must(w.manage("acme", "contoso"))
	before := w.relation("acme", "contoso")
	w.must(w.end(access.PlanUnmanage))
	w.must(w.manage("acme", "fabrikam"))
	before.Grant = loaded(w.grants, "acme contoso")
	before.Customer = loaded(w.customers, "acme") // was read after the grant of the one before
	_, err := access.PlanUnmanage(before, w.planContext())
	wantRefusal(t, err, access.Contention)
}

func TestManagingTakesAnOpenGrantOver(t *testing.T) {
	w, kim, _, _ := withThree(t)
	old := w.must(
		w.edit(access.EditCommand{From: new(w.now.Add(time.Hour)), Until: new(w.now.Add(2 * time.Hour)), State: new(access.StateSuspended)}))
	p := w.must(w.as(provider).manage("acme", "contoso"))
	if g := p.Grant; p.Created || g.ID != old.Grant.ID || g.Level != access.Manage || g.State != access.StateOpen || !g.From.Equal(w.now) ||
		!g.Until.IsZero() {
		t.Errorf("got %+v, want the same grant, open from now on without an end", g)
	}
	w.wantEvents(events.GrantEdited, events.ManagementAssigned)
	w.wantIn("kim lee max")
	w.wantWhy(kim, access.Granted)
}

func TestOnlyTheProviderChangesAManagedRelationship(t *testing.T) { // A12
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	w.must(w.as(provider).manage("acme", "contoso"))
	w.must(w.as(olga).pick(access.AssignCommand{Users: list(kim, lee)}))
	w.as(ann)
	for name, command := range map[string]func() (access.GrantChange, error){
		"grant":           func() (access.GrantChange, error) { return w.grant(access.GrantCommand{Users: []string{kim}}) },
		"lower the level": func() (access.GrantChange, error) { return w.edit(access.EditCommand{Level: new(access.View)}) },
		"suspend": func() (access.GrantChange, error) {
			return w.edit(access.EditCommand{State: new(access.StateSuspended)})
		},
		"take a user out":  func() (access.GrantChange, error) { return w.removeUser(kim) },
		"revoke":           func() (access.GrantChange, error) { return w.end(access.PlanRevoke) },
		"relinquish":       func() (access.GrantChange, error) { return w.as(olga).end(access.PlanRelinquish) },
		"end relationship": func() (access.GrantChange, error) { return w.as(provider).end(access.PlanEndRelationship) },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			_, err := command()
			wantRefusal(t, err, access.Managed)
		})
	}
	w.t = t
	w.wantIn("kim lee")
}

func TestAManagedCustomerHasOnePartner(t *testing.T) { // A15
	w := newWorld(t)
	w.must(w.grant(access.GrantCommand{Until: new(w.now.Add(time.Hour))}))
	w.as(provider)
	_, err := w.manage("acme", "fabrikam")
	wantRefusal(t, err, access.CustomerHasPartners)
	w.now = w.now.Add(time.Hour - tick)
	_, err = w.manage("acme", "fabrikam")
	wantRefusal(t, err, access.CustomerHasPartners)
	w.now = w.now.Add(tick) // Contoso's grant ends
	w.must(w.manage("acme", "fabrikam"))
	_, err = w.manage("acme", "contoso")
	wantRefusal(t, err, access.ManagedElsewhere)
}

func TestManagingNeedsAnEligiblePartnerWithTheOffer(t *testing.T) {
	for name, c := range map[string]struct {
		cmd  access.PartnerCommand
		want access.Code
	}{
		"offer support": {access.PartnerCommand{Offer: new(access.Support)}, access.PartnerNotEligible},
		"suspended":     {access.PartnerCommand{Status: new(access.Suspended)}, access.PartnerNotActive},
		"another class": {access.PartnerCommand{Class: new(access.Other)}, access.PartnerNotEligible},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).as(provider)
			w.partner("contoso", c.cmd)
			_, err := w.manage("acme", "contoso")
			wantRefusal(t, err, c.want)
			wantPointer(t, err, "/partner")
		})
	}
	w := newWorld(t)
	_, err := access.PlanManage(w.relation("acme", "nobody"), nil, w.planContext())
	wantRefusal(t, err, access.NotFound)
	_, err = access.PlanManage(w.relation("nobody", "contoso"), nil, w.planContext())
	wantRefusal(t, err, access.NotFound)
}
