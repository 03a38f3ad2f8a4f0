package access_test

import (
	"slices"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

const eve = "eve@elsewhere.example"

// inviting is Acme, which lets Contoso assign its users in an open grant, and whose admin is ann.
func inviting(t *testing.T) *world {
	t.Helper()
	w := newWorld(t).as(provider)
	w.member("acme", ann.Email, true)
	w.as(ann)
	w.must(w.grant(access.GrantCommand{Level: new(access.Support), AssignedBy: new(access.ByPartner)}))
	return w
}

// theOwner is Contoso's owner as a caller.
func (w *world) theOwner() access.Actor {
	return access.Actor{Kind: "partner", Email: "olga@contoso.example", User: w.owner, Role: access.Owner}
}

func (w *world) inviteFacts(address string, about *access.Invitation) access.InvitationFacts {
	f := access.InvitationFacts{
		GrantFacts: w.whole("acme", "contoso"), Email: loaded(w.emails, address),
		Inviters: map[string]access.Inviter{},
	}
	if f.Email != nil && f.Email.User != "" {
		f.User = loaded(w.users, f.Email.User)
	}
	for _, id := range sortedIDs(w.invitations) {
		if i := w.invitations[id]; i.Email == address && i.State == access.InvitationPending {
			f.Pending = &i
		}
	}
	for _, i := range []*access.Invitation{f.Pending, about} {
		if i != nil {
			f.Inviters[i.ID] = w.inviterOf(i)
		}
	}
	return f
}

func (w *world) inviterOf(i *access.Invitation) access.Inviter {
	if i.By.Kind == "partner" {
		return access.Inviter{User: loaded(w.users, i.Inviter)}
	}
	return access.Inviter{Member: loaded(w.members, "acme "+i.By.Email)}
}

func (w *world) row(id string) *access.InvitationRow {
	i := w.invitations[id]
	r := w.relation("acme", "contoso")
	return &access.InvitationRow{Invitation: &i, Customer: r.Customer, Partner: r.Partner, Grant: r.Grant, Inviter: w.inviterOf(&i)}
}

func (w *world) invite(a access.Actor, cmd access.InviteCommand) (*access.Invitation, error) {
	w.t.Helper()
	cmd.Email, cmd.Days = eve, 7
	defer func(a access.Actor) { w.actor = a }(w.actor)
	c, i, err := access.PlanInvite(w.inviteFacts(eve, nil), cmd, w.as(a).planContext())
	if err == nil {
		w.commit(c)
	}
	return i, err
}

// invited is for what a test only stands on.
func (w *world) invited(a access.Actor, cmd access.InviteCommand) string {
	w.t.Helper()
	i, err := w.invite(a, cmd)
	if err != nil {
		w.t.Fatal(err)
	}
	return i.ID
}

func (w *world) accept(id string) (access.GrantChange, error) {
	w.t.Helper()
	defer func(a access.Actor) { w.actor = a }(w.actor)
	i := w.invitations[id]
	p, _, err := access.PlanAccept(w.inviteFacts(eve, &i), &i, "Eve", w.as(access.Actor{Kind: "partner", Email: eve}).planContext())
	return w.planned(p, err)
}

func (w *world) resend(a access.Actor, id string) (*access.Invitation, error) {
	w.t.Helper()
	defer func(a access.Actor) { w.actor = a }(w.actor)
	i := w.invitations[id]
	c, after, err := access.PlanResend(w.inviteFacts(eve, &i), &i, w.as(a).planContext())
	if err == nil {
		w.commit(c)
	}
	return after, err
}

func sortedIDs[V any](m map[string]V) []string {
	var ids []string
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// reviewed tells whether the latest change left a task that looks through those invitations.
func (w *world) reviewed(customer, partner, user string) bool {
	return slices.ContainsFunc(w.change.Writes, func(write access.Write) bool {
		t, is := write.(access.TaskWrite)
		return is && t.After != nil && t.After.Kind == access.TaskInvitations && t.After.Customer == customer && t.After.Partner == partner &&
			t.After.User == user
	})
}

func TestAnInvitationEndsWithWhatItStandsOn(t *testing.T) {
	by := map[string]access.Assigner{"partner": access.ByPartner, "customer": access.ByCustomer}
	revoke := func(w *world) { w.must(w.end(access.PlanRevoke)) }
	grant := func(w *world) { w.must(w.grant(access.GrantCommand{AssignedBy: new(access.ByPartner)})) }
	assignedBy := func(side string) func(*world) {
		return func(w *world) { w.must(w.edit(access.EditCommand{AssignedBy: new(by[side])})) }
	}
	partner := func(cmd access.PartnerCommand) func(*world) {
		return func(w *world) { w.as(provider).partner("contoso", cmd); w.as(ann) }
	}
	ownerIs := func(change func(*access.User)) func(*world) {
		return func(w *world) {
			u := w.users[w.owner]
			change(&u)
			w.users[w.owner] = u
		}
	}
	const both = "customer partner"
	for _, c := range []struct {
		about string
		by    string // who invited
		then  []func(*world)
		why   access.Reason
		task  string // the latest change leaves a task for the invitations: of the customer to the partner, of the customer, to the partner
	}{
		{"nothing happens", both, nil, "", ""},
		{"the customer revokes", both, []func(*world){revoke}, access.GrantEnded, "pair"},
		{
			"the partner relinquishes", both,
			[]func(*world){func(w *world) { w.as(w.theOwner()); w.must(w.end(access.PlanRelinquish)); w.as(ann) }},
			access.GrantEnded, "pair",
		},
		{
			"the provider ends the relationship", both,
			[]func(*world){func(w *world) { w.as(provider); w.must(w.end(access.PlanEndRelationship)); w.as(ann) }},
			access.GrantEnded, "pair",
		},
		{"the grant is revoked and granted anew", both, []func(*world){revoke, grant}, access.GrantEnded, ""},
		{"the period has passed, and nothing was written", both, []func(*world){
			func(w *world) { w.must(w.edit(access.EditCommand{Until: new(start.Add(time.Hour))})) }, func(w *world) { w.now = start.Add(time.Hour) },
		}, access.GrantEnded, ""},
		{"the period has not quite passed", both, []func(*world){
			func(w *world) { w.must(w.edit(access.EditCommand{Until: new(start.Add(time.Hour))})) },
			func(w *world) { w.now = start.Add(time.Hour - tick) },
		}, "", ""},
		{"the clock ends the grant", both, []func(*world){
			func(w *world) { w.must(w.edit(access.EditCommand{Until: new(start.Add(time.Hour))})) },
			func(w *world) { w.now = start.Add(time.Hour); w.must(w.end(access.PlanDue)) },
		}, access.GrantEnded, "pair"},
		{"the customer takes the choice of the users back", "partner", []func(*world){assignedBy("customer")}, access.ChoiceChanged, "pair"},
		{"the customer takes it back, and invited itself", "customer", []func(*world){assignedBy("customer")}, "", "pair"},
		{
			"the customer takes it back and gives it again", "partner",
			[]func(*world){assignedBy("customer"), func(w *world) { w.now = w.now.Add(tick) }, assignedBy("partner")},
			access.ChoiceChanged, "",
		},
		{
			"the inviter is disabled", "partner",
			[]func(*world){ownerIs(func(u *access.User) { u.Status = access.Disabled })},
			access.InviterLeft,
			"",
		},
		{
			"the inviter is removed", "partner",
			[]func(*world){ownerIs(func(u *access.User) { u.Status = access.Removed })},
			access.InviterLeft,
			"",
		},
		{
			"the inviter may manage nobody any more", "partner",
			[]func(*world){ownerIs(func(u *access.User) { u.Role = access.Tech })},
			access.InviterLeft, "",
		},
		{
			"the inviter has another role that manages people", "partner",
			[]func(*world){ownerIs(func(u *access.User) { u.Role = access.Business })},
			"", "",
		},
		{
			"the inviter's account has become another person's", "partner",
			[]func(*world){ownerIs(func(u *access.User) { u.Email = "olga@gmail.example" })},
			access.InviterLeft, "",
		},
		{
			"the inviter's address changes within the domain", "partner",
			[]func(*world){ownerIs(func(u *access.User) { u.Email = "o@contoso.example" })},
			"", "",
		},
		{
			"the partner's owner leaves, and the customer invited", "customer",
			[]func(*world){ownerIs(func(u *access.User) { u.Status = access.Removed })},
			"", "",
		},
		{
			"the admin who invited is an admin no more", "customer",
			[]func(*world){func(w *world) { w.member("acme", ann.Email, false) }},
			access.InviterLeft, "customer",
		},
		{
			"the admin who invited leaves", "customer",
			[]func(*world){func(w *world) { w.noMember("acme", ann.Email) }},
			access.InviterLeft,
			"customer",
		},
		{
			"the partner is suspended", both,
			[]func(*world){partner(access.PartnerCommand{Status: new(access.Suspended)})},
			access.NotActive,
			"partner",
		},
		{
			"the partner is suspended and resumed", both,
			[]func(*world){
				partner(access.PartnerCommand{Status: new(access.Suspended)}),
				partner(access.PartnerCommand{Status: new(access.Active)}),
			},
			"", "",
		},
		{
			"the partner is of another class", both,
			[]func(*world){partner(access.PartnerCommand{Class: new(access.Other)})},
			access.NotEligible,
			"partner",
		},
		{
			"the provider offers nothing", both,
			[]func(*world){partner(access.PartnerCommand{Offer: new(access.None)})},
			access.NotEligible,
			"partner",
		},
		{"the provider offers less", both, []func(*world){partner(access.PartnerCommand{Offer: new(access.View)})}, "", ""},
		{
			"the partner is removed", both,
			[]func(*world){func(w *world) { w.as(provider).removePartner("contoso") }},
			access.PartnerRemoved,
			"partner",
		},
		{
			"the customer suspends the grant", both,
			[]func(*world){func(w *world) { w.must(w.edit(access.EditCommand{State: new(access.StateSuspended)})) }},
			"", "",
		},
	} {
		for _, side := range []string{"customer", "partner"} {
			if c.by != side && c.by != both {
				continue
			}
			t.Run(c.about+", and the "+side+" invited", func(t *testing.T) {
				w := inviting(t)
				actor := ann
				if side == "partner" {
					actor = w.theOwner()
				}
				id := w.invited(actor, access.InviteCommand{})
				w.now = w.now.Add(tick)
				for _, then := range c.then {
					then(w)
				}
				status, why := w.row(id).Status(w.now)
				if wantStatus := map[bool]access.InvitationStatus{
					true:  access.InvitationPending,
					false: access.InvitationCancelled,
				}[c.why == ""]; status != wantStatus || why != c.why {
					t.Errorf("got %s (%s), want %s (%s)", status, why, wantStatus, c.why)
				}
				if c.task != "" {
					customer, partner := map[string]string{"pair": "acme", "customer": "acme"}[c.task], map[string]string{
						"pair":    "contoso",
						"partner": "contoso",
					}[c.task]
					if !w.reviewed(customer, partner, "") {
						t.Errorf("got the writes %+v, want a task for the invitations of %q to %q", w.change.Writes, customer, partner)
					}
				}
				before := len(w.grants["acme contoso"].ID)
				_, err := w.accept(id)
				if (err == nil) != (c.why == "") || len(w.grants["acme contoso"].ID) != before {
					t.Errorf("accepting: got %v, want it refused: %v", err, c.why != "")
				}
			})
		}
	}
}

func TestAnInvitationForANewGrantEndsWithTheFirstThatThereWas(t *testing.T) {
	w := newWorld(t).as(provider)
	w.member("acme", ann.Email, true)
	w.as(ann)
	id := w.invited(ann, access.InviteCommand{Level: new(access.Manage)})
	if w.row(id).Grant != nil {
		t.Fatal("there is a grant already")
	}
	w.now = w.now.Add(tick)
	w.must(w.grant(access.GrantCommand{}))
	if got := w.row(id).Lapsed(w.now); got != "" {
		t.Errorf("while the first grant is open: got %s, want it pending", got)
	}
	w.now = w.now.Add(tick)
	w.must(w.end(access.PlanRevoke))
	if got := w.row(id).Lapsed(w.now); got != access.GrantEnded {
		t.Errorf("after it was revoked: got %q, want grant_ended", got)
	}
	w.now = w.now.Add(tick)
	w.must(w.grant(access.GrantCommand{}))
	if got := w.row(id).Lapsed(w.now); got != access.GrantEnded {
		t.Errorf("when the partner is granted access anew: got %q, want grant_ended", got)
	}
	// One that is made after an end is not concerned by it, even within the same instant.
	w.must(w.end(access.PlanRevoke))
	again := w.invited(ann, access.InviteCommand{})
	if got := w.invitations[id]; got.State != access.InvitationCancelled || got.Reason != access.GrantEnded {
		t.Errorf("the old one, when a new one is made: got %s (%s), want it written down as cancelled", got.State, got.Reason)
	}
	if got := w.row(again).Lapsed(w.now); got != "" {
		t.Errorf("one made after the end: got %s, want it pending", got)
	}
	if p, err := w.accept(again); err != nil || !p.Created {
		t.Errorf("accepting that: got %+v, %v, want a new grant", p.Grant, err)
	}
}

func TestAnInvitationOfferedUntilAnEndNeverLastsLonger(t *testing.T) {
	w := newWorld(t).as(provider)
	w.member("acme", ann.Email, true)
	w.as(ann)
	end := start.Add(24 * time.Hour)
	id := w.invited(ann, access.InviteCommand{Until: end})
	w.must(w.grant(access.GrantCommand{Until: new(end)}))
	if got := w.row(id).Lapsed(w.now); got != "" {
		t.Errorf("a grant until the same end: got %s, want it pending", got)
	}
	w.must(w.edit(access.EditCommand{Until: new(end.Add(tick))}))
	if got := w.row(id).Lapsed(w.now); got != access.PeriodChanged {
		t.Errorf("a grant that lasts longer: got %q, want period_changed", got)
	}
	w.must(w.edit(access.EditCommand{Until: &time.Time{}}))
	if got := w.row(id).Lapsed(w.now); got != access.PeriodChanged {
		t.Errorf("a continuous grant: got %q, want period_changed", got)
	}
}

func TestAPartnersInvitationGivesWhatThePartnerHasThenAndNow(t *testing.T) {
	for _, c := range []struct {
		about             string
		grant, offer, ask access.Level
		grantNow          access.Level
		invited, accepted access.Level
	}{
		{"less than the grant", access.Manage, access.Manage, access.View, access.Manage, access.View, access.View},
		{"more than the grant", access.Support, access.Manage, access.Manage, access.Support, access.Support, access.Support},
		{"more than the offer", access.Manage, access.Support, access.Manage, access.Manage, access.Support, access.Support},
		{"the grant is raised since", access.Support, access.Manage, access.Manage, access.Manage, access.Support, access.Support},
		{"the grant is lowered since", access.Manage, access.Manage, access.Manage, access.View, access.Manage, access.View},
	} {
		w := inviting(t)
		w.as(provider).partner("contoso", access.PartnerCommand{Offer: &c.offer})
		w.as(ann)
		if c.grant != access.Support {
			w.must(w.edit(access.EditCommand{Level: &c.grant}))
		}
		id := w.invited(w.theOwner(), access.InviteCommand{Level: &c.ask})
		if got := w.invitations[id].Level; got != c.invited {
			t.Errorf("%s: got an invitation to %s, want %s", c.about, got, c.invited)
		}
		if c.grantNow != c.grant {
			w.must(w.edit(access.EditCommand{Level: &c.grantNow}))
		}
		w.must(w.accept(id))
		a := w.assignments["acme "+w.emails[eve].User]
		if a.Level == nil || *a.Level != c.accepted {
			t.Errorf("%s: got %v for the person, want %s", c.about, a.Level, c.accepted)
		}
		w.must(w.edit(access.EditCommand{Level: new(access.Manage)})) // what is raised afterwards does not raise it
		if a := w.assignments["acme "+w.emails[eve].User]; *a.Level != c.accepted {
			t.Errorf("%s: after the grant was raised: got %v for the person, want %s", c.about, a.Level, c.accepted)
		}
	}
}

func TestTheInviterIsTheActorOfWhatAnInvitationBrings(t *testing.T) {
	w := newWorld(t).as(provider)
	w.member("acme", ann.Email, true)
	id := w.invited(ann, access.InviteCommand{})
	w.must(w.accept(id))
	w.wantEvents(events.UserCreated, events.GrantCreated, events.InvitationAccepted)
	for _, e := range w.change.Events[:2] {
		if e.Actor.Kind != "customer" || e.Actor.Email != ann.Email || e.Data.Person == nil || e.Data.Person.Email != eve ||
			e.Data.Invitation != id {
			t.Errorf("%s: got actor %+v, person %+v and invitation %q, want ann, for eve", e.Type, e.Actor, e.Data.Person, e.Data.Invitation)
		}
	}
	if e := w.event(); e.Data.Inviter.Email != ann.Email || e.Data.Person.Email != eve {
		t.Errorf("invitation.accepted: got inviter %+v and person %+v, want both", e.Data.Inviter, e.Data.Person)
	}
	w = inviting(t)
	w.must(w.accept(w.invited(w.theOwner(), access.InviteCommand{})))
	if e := w.change.Events[1]; e.Type != events.GrantEdited || e.Actor.Kind != "partner" || e.Actor.Email != "olga@contoso.example" {
		t.Errorf("got %s by %+v, want grant.edited by olga", e.Type, e.Actor)
	}
}

func TestAcceptingStandsOnTheInvitersRecord(t *testing.T) {
	w := inviting(t)
	w.must(w.accept(w.invited(w.theOwner(), access.InviteCommand{})))
	if !slices.ContainsFunc(w.change.Writes, func(write access.Write) bool {
		check, is := write.(access.UserCheck)
		return is && check.User.ID == w.owner
	}) {
		t.Errorf("got the writes %+v, want a condition on the inviter", w.change.Writes)
	}
}

func TestAGrantOpenedByAnInvitationHasTheDefaultForSSO(t *testing.T) {
	w := newWorld(t).as(provider)
	w.member("acme", ann.Email, true)
	i := w.invitations[w.invited(ann, access.InviteCommand{})]
	f := w.inviteFacts(eve, &i)
	f.DefaultSSO = true
	w.as(access.Actor{Kind: "partner", Email: eve})
	p, _, err := access.PlanAccept(f, &i, "Eve", w.planContext())
	if err != nil || !p.Grant.RequireSSO {
		t.Errorf("got %+v, %v, want a grant that requires it", p.Grant, err)
	}
}

func TestOnlyTheSideThatInvitedSendsAPendingInvitationAgain(t *testing.T) {
	w := inviting(t)
	id := w.invited(ann, access.InviteCommand{})
	if _, err := w.resend(w.theOwner(), id); access.CodeOf(err) != access.Forbidden {
		t.Errorf("the partner: got %v, want forbidden", err)
	}
	w.now = w.now.Add(time.Hour)
	if again, err := w.resend(ann, id); err != nil || again.ID != id || again.Sending != 2 || !again.Expires.Equal(w.now.Add(7*24*time.Hour)) {
		t.Errorf("the customer: got %+v, %v, want the same invitation with a new life", again, err)
	}
	w = inviting(t)
	id = w.invited(w.theOwner(), access.InviteCommand{})
	if _, err := w.resend(ann, id); access.CodeOf(err) != access.Forbidden {
		t.Errorf("the customer, of the partner's: got %v, want forbidden", err)
	}
}

func TestAnEndedInvitationIsSentAgainAsANewOneByWhoeverMayInvite(t *testing.T) {
	ended := map[string]func(*world, string){
		"cancelled": func(w *world, id string) {
			i := w.invitations[id]
			c, _, err := access.PlanCancel(w.relation("acme", "contoso"), &i, w.planContext())
			w.done(c, err)
		},
		"declined": func(w *world, id string) {
			i := w.invitations[id]
			w.as(access.Actor{Kind: "partner", Email: eve})
			c, _, err := access.PlanDecline(w.relation("acme", "contoso"), &i, w.planContext())
			w.done(c, err)
			w.as(ann)
		},
		"expired, which was not written down": func(w *world, _ string) { w.now = w.now.Add(7 * 24 * time.Hour) },
		"whose inviter has left, which was not written down": func(w *world, _ string) {
			u := w.users[w.owner]
			u.Role = access.Tech
			w.users[w.owner] = u
		},
	}
	for _, about := range sortedIDs(ended) {
		w := inviting(t)
		id := w.invited(w.theOwner(), access.InviteCommand{Level: new(access.View)})
		ended[about](w, id)
		again, err := w.resend(ann, id)
		if err != nil || again.ID == id || again.Email != eve || again.Level != access.View || again.By.Kind != "customer" || again.Sending != 1 {
			t.Errorf("%s: got %+v, %v, want a new one by the customer", about, again, err)
			continue
		}
		if old := w.invitations[id]; old.State == access.InvitationPending {
			t.Errorf("%s: got the old one pending still, want its end written down", about)
		}
		w.wantEvents(append(w.closing(), events.InvitationCreated)...)
	}
	w := inviting(t)
	id := w.invited(ann, access.InviteCommand{})
	w.must(w.accept(id))
	if _, err := w.resend(ann, id); access.CodeOf(err) != access.InvitationEnded {
		t.Errorf("one that was accepted: got %v, want invitation_ended", err)
	}
	w = inviting(t)
	id = w.invited(w.theOwner(), access.InviteCommand{})
	w.must(w.edit(access.EditCommand{AssignedBy: new(access.ByCustomer)}))
	if _, err := w.resend(w.theOwner(), id); access.CodeOf(err) != access.Forbidden {
		t.Errorf("by the partner that no longer picks the users: got %v, want forbidden", err)
	}
}

// closing are the ends of invitations that the latest change tells.
func (w *world) closing() []events.Type {
	var out []events.Type
	for _, e := range w.change.Events {
		if e.Type == events.InvitationCancelled || e.Type == events.InvitationExpired {
			out = append(out, e.Type)
		}
	}
	return out
}

func TestTheSweepWritesDownWhyAnInvitationEnded(t *testing.T) {
	w := inviting(t)
	id := w.invited(w.theOwner(), access.InviteCommand{})
	if c, err := access.PlanInvitationEnd(w.row(id), w.planContext()); err != nil || !c.Empty() {
		t.Errorf("while it is pending: got %+v, %v, want nothing", c, err)
	}
	w.now = w.now.Add(tick)
	w.must(w.end(access.PlanRevoke))
	c, err := access.PlanInvitationEnd(w.row(id), w.planContext())
	w.done(c, err)
	if got := w.invitations[id]; got.State != access.InvitationCancelled || got.Reason != access.GrantEnded || !got.Due().IsZero() {
		t.Errorf("got %+v, want it cancelled because the grant ended", got)
	}
	if e := w.event(); e.Type != events.InvitationCancelled || e.Actor.Kind != "clock" || e.Data.Reason != "grant_ended" ||
		e.Data.Side != "partner" {
		t.Errorf("got %+v, want the reason, by the clock", e)
	}
	if c, err := access.PlanInvitationEnd(w.row(id), w.planContext()); err != nil || !c.Empty() {
		t.Errorf("once it is written down: got %+v, %v, want nothing", c, err)
	}
}

func TestNobodyIsRemindedOfAnInvitationThatNobodyCanAccept(t *testing.T) {
	w := inviting(t)
	id := w.invited(w.theOwner(), access.InviteCommand{})
	w.now = w.now.Add(5 * 24 * time.Hour)
	w.must(w.end(access.PlanRevoke))
	c, err := access.PlanInvitationDue(w.row(id), w.planContext())
	w.done(c, err)
	w.wantEvents(events.InvitationCancelled)
}

func TestAnOldPartnersInvitationDependsOnTheGrantOpenThen(t *testing.T) {
	w := inviting(t)
	w.now = w.now.Add(tick)
	id := w.invited(w.theOwner(), access.InviteCommand{})
	i := w.invitations[id]
	i.Grant = "" // as it was not recorded
	w.invitations[id] = i
	if got := w.row(id).Lapsed(w.now); got != "" {
		t.Errorf("while that is open: got %s, want it pending", got)
	}
	w.now = w.now.Add(tick)
	w.must(w.end(access.PlanRevoke))
	w.now = w.now.Add(tick)
	w.must(w.grant(access.GrantCommand{AssignedBy: new(access.ByPartner)}))
	if got := w.row(id).Lapsed(w.now); got != access.GrantEnded {
		t.Errorf("when another was opened since: got %q, want grant_ended", got)
	}
}
