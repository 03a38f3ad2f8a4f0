package access_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

func TestGrantLetsThePickedUsersInAndTellsWhatItDid(t *testing.T) {
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.External)
	p, err := w.grant(access.GrantCommand{Users: []string{lee, kim}, Note: new("migration"), Message: new("welcome")})
	if err != nil {
		t.Fatal(err)
	}
	w.wantIn("kim lee")
	w.wantWhy(kim, access.Granted)
	w.wantEvents(events.GrantCreated)

	g := p.Grant
	if g.Level != access.View || g.State != access.StateOpen || !g.From.Equal(start) || !g.Until.IsZero() ||
		g.AssignedBy != access.ByCustomer ||
		g.RequireSSO || g.Managed || g.Note != "migration" || g.Message != "welcome" || g.Version != 1 || !g.Created.Equal(start) ||
		!g.Updated.Equal(start) {
		t.Errorf("got grant %+v, want view, open, from now on, continuous, assigned by the customer, at version 1", g)
	}
	if c := p.Summary; !slices.Equal(c.Added, []string{kim, lee}) || c.Removed != nil || c.Before != 0 || c.After != 2 || !p.Created {
		t.Errorf("got changes %+v (created %v), want both users added to none (D17)", c, p.Created)
	}

	e := w.event()
	if e.ID == "" || !e.Time.Equal(start) || e.Actor != (events.Actor{Kind: "customer", Email: "ann@acme.example"}) ||
		e.Customer == nil || e.Customer.ID != "acme" || e.Customer.Name != "ACME" || e.Partner == nil || e.Partner.ID != "contoso" ||
		e.Partner.Name != "Contoso" {
		t.Errorf("got event %+v, want who did what to whom, and when", e)
	}
	d := e.Data
	if d.Grant != g.ID || d.Version != 1 || d.Level != "view" || d.From == nil || !d.From.Equal(start) || d.Until != nil ||
		d.AssignedBy != "customer" ||
		d.UserCount == nil || *d.UserCount != 2 || d.Note != "migration" || d.Message != "welcome" || d.LevelWas != "" || d.UntilWas != nil ||
		d.Everyone != nil {
		t.Errorf("got event data %+v, want the grant as it is now", d)
	}
	want := []events.Person{{ID: kim, Email: "kim@contoso.example", Name: "kim"}, {ID: lee, Email: "lee@contoso.example", Name: "lee"}}
	if !slices.Equal(d.Added, want) || d.Removed != nil {
		t.Errorf("got added %v and removed %v, want added %v (D21)", d.Added, d.Removed, want)
	}
}

func TestGrantNamesWhatStandsAgainstIt(t *testing.T) {
	for _, c := range []struct {
		name    string
		against func(w *world, cmd *access.GrantCommand)
		code    access.Code
		pointer string // "" = the refusal is about the whole
	}{
		{"the partner is suspended", func(w *world, _ *access.GrantCommand) {
			w.partner("contoso", access.PartnerCommand{Status: new(access.Suspended)})
		}, access.PartnerNotActive, "/partner"},
		{"the partner was removed", func(w *world, _ *access.GrantCommand) { w.removePartner("contoso") }, access.PartnerNotActive, "/partner"},
		{"the partner is no channel partner (D9)", func(w *world, _ *access.GrantCommand) {
			w.partner("contoso", access.PartnerCommand{Class: new(access.Other)})
		}, access.PartnerNotEligible, "/partner"},
		{"the provider offers the partner nothing (W4, D10)", func(w *world, _ *access.GrantCommand) {
			w.partner("contoso", access.PartnerCommand{Offer: new(access.None)})
		}, access.PartnerNotEligible, "/partner"},
		{"a user of another partner (A6)", func(w *world, cmd *access.GrantCommand) {
			cmd.Users = append(cmd.Users, w.join("fabrikam", "pat", access.Tech))
		}, access.UserNotOfPartner, "/users/1"},
		{"a user whom nobody knows (A6)", func(_ *world, cmd *access.GrantCommand) {
			cmd.Users = []string{"contoso:01J00000000000000000000000"}
		}, access.UserNotOfPartner, "/users/0"},
		{"a user who has left (A6)", func(w *world, cmd *access.GrantCommand) { w.leave(cmd.Users[0]) }, access.UserNotOfPartner, "/users/0"},
		{"a user who is disabled (D8)", func(w *world, cmd *access.GrantCommand) {
			w.setStatus(cmd.Users[0], access.Disabled)
		}, access.UserNotActive, "/users/0"},
		{"a user who is a member of the customer (A7)", func(w *world, _ *access.GrantCommand) {
			w.member("acme", "kim@contoso.example", false)
		}, access.CustomerUserConflict, "/users/0"},
		{"a user with an address of the customer's own domain (D7)", func(w *world, cmd *access.GrantCommand) {
			w.as(provider).customer("acme", "contoso.example") // registered after the user
		}, access.OwnOrganisation, "/users/0"},
		{"an individual is pointed to by the address (D15)", func(w *world, cmd *access.GrantCommand) {
			w.setStatus(cmd.Users[0], access.Disabled)
			cmd.Individual = true
		}, access.UserNotActive, "/email"},
		{"a period that has ended just now", func(w *world, cmd *access.GrantCommand) { cmd.Until = &w.now }, access.PeriodInvalid, "/until"},
		{"a period that ends when it begins", func(w *world, cmd *access.GrantCommand) {
			cmd.From, cmd.Until = new(w.now.Add(time.Hour)), new(w.now.Add(time.Hour))
		}, access.PeriodInvalid, "/until"},
		{"the customer is managed (A12)", func(w *world, _ *access.GrantCommand) { w.must(w.manage("acme", "contoso")) }, access.Managed, ""},
		{"the customer is managed by another partner (A15)", func(w *world, _ *access.GrantCommand) {
			w.must(w.manage("acme", "fabrikam"))
		}, access.Managed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			cmd := access.GrantCommand{Users: []string{w.join("contoso", "kim", access.Tech)}}
			c.against(w, &cmd)
			_, err := w.grant(cmd)
			wantRefusal(t, err, c.code)
			if c.pointer != "" {
				wantPointer(t, err, c.pointer)
			}
		})
	}
}

func TestGrantNeedsACustomerAndAPartner(t *testing.T) {
	w := newWorld(t)
	_, err := access.PlanGrant(w.relation("nobody", "contoso"), access.GrantCommand{}, w.planContext())
	wantRefusal(t, err, access.NotFound)
	_, err = access.PlanGrant(w.relation("acme", "nobody"), access.GrantCommand{}, w.planContext())
	wantRefusal(t, err, access.NotFound)
	wantPointer(t, err, "/partner")
	w.done(access.PlanRemoveCustomer(loaded(w.customers, "acme"), nil, nil, w.planContext()))
	_, err = w.grant(access.GrantCommand{})
	wantRefusal(t, err, access.NotFound)
}

func TestASecondGrantMergesIntoTheFirst(t *testing.T) { // D20
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	first := w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Support)}))
	w.now = w.now.Add(time.Hour)
	p, err := w.grant(access.GrantCommand{Users: []string{kim, lee, lee}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Created || p.Grant.ID != first.Grant.ID || p.Grant.Version != 2 || p.Grant.Level != access.Support || !p.Grant.From.Equal(start) {
		t.Errorf("got created %v and grant %+v, want the same one at version 2 with its level and period", p.Created, p.Grant)
	}
	wantFields(t, p, "users")
	if c := p.Summary; !slices.Equal(c.Added, []string{lee}) || c.Before != 1 || c.After != 2 {
		t.Errorf("got changes %+v, want only lee added, from 1 user to 2", c)
	}
	w.wantIn("kim lee")
	w.wantEvents(events.GrantEdited)

	again, err := w.grant(access.GrantCommand{Users: []string{kim, lee}, Level: new(access.Support)})
	wantUnchanged(t, again, err)
}

func TestAMergeKeepsWhoIsInWhateverBecameOfTheAccount(t *testing.T) {
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}}))
	w.setStatus(kim, access.Disabled)
	w.must(w.grant(access.GrantCommand{Users: []string{kim, lee}}))
	w.wantIn("kim lee")
	w.wantWhy(kim, access.DeniedUserNotActive)
}

func TestAnIndividualsLevelIsTheirCapWhereTheGrantIsThereAlready(t *testing.T) { // D15, D20, W11
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	first := w.must(w.grant(access.GrantCommand{Users: []string{kim}, Individual: true, Level: new(access.Support)}))
	if first.Grant.Level != access.Support || first.Grant.Caps != nil || w.customers["acme"].Caps != nil {
		t.Errorf("first: got grant level %s and caps %v, want support for the grant and no caps", first.Grant.Level, first.Grant.Caps)
	}
	second := w.must(w.grant(access.GrantCommand{Users: []string{lee}, Individual: true, Level: new(access.View)}))
	w.wantCaps("lee@contoso.example view")
	w.wantLevel(lee, access.View)
	if second.Grant.Level != access.Support || w.assignments["acme "+lee].Level != nil {
		t.Errorf("second: got grant level %s and lee's own %v, want support and none", second.Grant.Level, w.assignments["acme "+lee].Level)
	}
	raised := w.must(w.grant(access.GrantCommand{Users: []string{lee}, Individual: true, Level: new(access.Support)}))
	wantFields(t, raised, "caps")
	w.wantCaps("lee@contoso.example support")
	w.wantLevel(lee, access.Support)
	if raised.Summary.Added != nil {
		t.Errorf("raised: got %+v, want lee's level alone changed", raised.Summary)
	}
	again, err := w.grant(access.GrantCommand{Users: []string{lee}, Individual: true, Level: new(access.Support)})
	wantUnchanged(t, again, err)
	plain, err := w.grant(access.GrantCommand{Users: []string{lee}})
	wantUnchanged(t, plain, err)
	w.wantIn("kim lee")
}

func TestASecondGrantAddsPeopleAndNothingElse(t *testing.T) { // D20
	from, until := start.Add(-time.Hour), start.Add(24*time.Hour)
	for _, c := range []struct {
		name string
		cmd  access.GrantCommand
		want []string // fields that differ
	}{
		{"people alone", access.GrantCommand{}, nil},
		{"the same terms", access.GrantCommand{
			Level: new(access.Support), Until: &until, RequireSSO: new(true), AssignedBy: new(access.ByCustomer), Note: new("n"),
		}, nil},
		{"the same start, which was in the past when it was granted", access.GrantCommand{From: &from}, nil},
		{"another start in the past", access.GrantCommand{From: new(start.Add(-time.Minute))}, nil},
		{"a start now", access.GrantCommand{From: &start}, nil},
		{"no start", access.GrantCommand{From: &time.Time{}}, nil},
		{"a start to come", access.GrantCommand{From: new(start.Add(tick))}, []string{"from"}},
		{"a later end", access.GrantCommand{Until: new(until.Add(tick))}, []string{"until"}},
		{"an earlier end", access.GrantCommand{Until: new(until.Add(-tick))}, []string{"until"}},
		{"no end", access.GrantCommand{Until: &time.Time{}}, []string{"until"}},
		{"a lower level", access.GrantCommand{Level: new(access.View)}, []string{"level"}},
		{"a higher level", access.GrantCommand{Level: new(access.Manage)}, []string{"level"}},
		{"no single sign-on", access.GrantCommand{RequireSSO: new(false)}, []string{"require_sso"}},
		{"the partner picks", access.GrantCommand{AssignedBy: new(access.ByPartner)}, []string{"assigned_by"}},
		{"another note", access.GrantCommand{Note: new("")}, []string{"note"}},
		{"another message", access.GrantCommand{Message: new("x")}, []string{"message"}},
		{"everything", access.GrantCommand{
			Level: new(access.View), From: &until, Until: &time.Time{}, RequireSSO: new(false), AssignedBy: new(access.ByPartner), Note: new("m"),
		}, []string{"level", "from", "until", "require_sso", "assigned_by", "note"}},
		{"an individual's level is no term of the grant", access.GrantCommand{Individual: true, Level: new(access.View)}, nil},
		{"an individual with an end", access.GrantCommand{Individual: true, Level: new(access.View), Until: &time.Time{}}, []string{"until"}},
		{"everyone", access.GrantCommand{Everyone: true}, nil},
		{"everyone with another level", access.GrantCommand{Everyone: true, Level: new(access.Manage)}, []string{"level"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
			first := w.must(w.grant(access.GrantCommand{
				Users: []string{kim}, Level: new(access.Support), From: &from, Until: &until, RequireSSO: new(true), Note: new("n"),
			}))
			if !c.cmd.Everyone {
				c.cmd.Users = []string{lee}
			}
			p, err := w.grant(c.cmd)
			if c.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				g, f := p.Grant, first.Grant
				if p.Created || g.Level != f.Level || !g.From.Equal(f.From) || !g.Until.Equal(f.Until) || !g.RequireSSO ||
					g.AssignedBy != f.AssignedBy || g.Note != f.Note {
					t.Errorf("got %+v, want the terms as they were", g)
				}
				w.wantWhy(lee, access.Granted)
				return
			}
			wantRefusal(t, err, access.GrantDiffers)
			var refusal *access.Error
			var got []string
			if errors.As(err, &refusal) {
				for _, f := range refusal.Fields {
					got = append(got, strings.TrimPrefix(f.Pointer, "/"))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got fields %v, want %v, in %v", got, c.want, err)
			}
			w.wantWhy(lee, access.UserNotAssigned)
		})
	}
}

func TestASecondGrantDoesNotBringAPeriodForwardThatHasNotBegun(t *testing.T) { // D20
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	begin := start.Add(time.Hour)
	w.must(w.grant(access.GrantCommand{From: &begin}))
	_, err := w.grant(access.GrantCommand{Users: []string{kim}, From: new(start.Add(-time.Hour))})
	wantRefusal(t, err, access.GrantDiffers)
	wantPointer(t, err, "/from")
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, From: &begin}))
	w.wantWhy(kim, access.NotYetActive)
}

func TestGrantClampsThePeriodToWhatIsLeft(t *testing.T) {
	for _, c := range []struct {
		name                string
		from, until         time.Time
		wantFrom, wantUntil time.Time
	}{
		{"a start in the past is now", start.Add(-time.Hour), time.Time{}, start, time.Time{}},
		{"a start one millisecond ago is now", start.Add(-tick), time.Time{}, start, time.Time{}},
		{"a start now", start, time.Time{}, start, time.Time{}},
		{"a start in a millisecond", start.Add(tick), time.Time{}, start.Add(tick), time.Time{}},
		{"zero is now and continuous", time.Time{}, time.Time{}, start, time.Time{}},
		{"an end in a millisecond", start, start.Add(tick), start, start.Add(tick)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := newWorld(t).grant(access.GrantCommand{From: &c.from, Until: &c.until})
			if err != nil {
				t.Fatal(err)
			}
			if g := p.Grant; !g.From.Equal(c.wantFrom) || !g.Until.Equal(c.wantUntil) {
				t.Errorf("got %s to %s, want %s to %s", g.From, g.Until, c.wantFrom, c.wantUntil)
			}
		})
	}
}

func TestAGrantWithoutUsersIsAssignedByThePartner(t *testing.T) { // A5
	for _, c := range []struct {
		name string
		cmd  access.GrantCommand
		want access.Assigner
	}{
		{"nobody named", access.GrantCommand{}, access.ByPartner},
		{"everyone", access.GrantCommand{Everyone: true}, access.ByCustomer},
		{"nobody named, and the customer wants to pick later", access.GrantCommand{AssignedBy: new(access.ByCustomer)}, access.ByCustomer},
		{"everyone, and the partner may change it", access.GrantCommand{Everyone: true, AssignedBy: new(access.ByPartner)}, access.ByPartner},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if p := w.must(w.grant(c.cmd)); p.Grant.AssignedBy != c.want {
				t.Errorf("got assigned by %s, want %s", p.Grant.AssignedBy, c.want)
			}
		})
	}
}

func TestSSOIsRequiredByDefaultUnlessTheGrantSaysOtherwise(t *testing.T) { // A9
	for _, c := range []struct {
		name    string
		setting bool
		say     *bool
		want    bool
	}{
		{"setting off", false, nil, false},
		{"setting on", true, nil, true},
		{"setting off, grant on", false, new(true), true},
		{"setting on, grant off", true, new(false), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if p := w.must(w.grant(access.GrantCommand{DefaultSSO: c.setting, RequireSSO: c.say})); p.Grant.RequireSSO != c.want {
				t.Errorf("got %v, want %v", p.Grant.RequireSSO, c.want)
			}
			if p := w.must(w.grant(access.GrantCommand{DefaultSSO: !c.setting})); p.Grant.RequireSSO != c.want {
				t.Errorf("after a merge under another setting: got %v, want %v as before", p.Grant.RequireSSO, c.want)
			}
		})
	}
}

func TestTheEffectiveLevelIsTheLowerOfOfferAndConsent(t *testing.T) { // W11
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.partner("contoso", access.PartnerCommand{Offer: new(access.View)})
	g := w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)})).Grant
	partner := w.partners["contoso"]
	if got := g.EffectiveLevel(&partner); g.Level != access.Manage || got != access.View {
		t.Errorf("got %s granted and %s effective, want manage and view", g.Level, got)
	}
	w.partner("contoso", access.PartnerCommand{Offer: new(access.None)})
	w.wantWhy(kim, access.LevelTooLow)
	w.partner("contoso", access.PartnerCommand{Offer: new(access.Manage)})
	w.wantWhy(kim, access.Granted)
}

func TestARelationshipOpensSupportWhereTheOfferIsAtLeastThat(t *testing.T) { // W7
	for offer, want := range map[access.Level]access.Level{
		access.None: access.None, access.View: access.None, access.Support: access.Support, access.Manage: access.Support,
	} {
		t.Run("offer "+offer.String(), func(t *testing.T) {
			w := newWorld(t).as(provider)
			w.partner("contoso", access.PartnerCommand{Offer: &offer})
			p := w.must(w.relationship(true, true))
			if g := p.Grant; g.Level != want || g.AssignedBy != access.ByPartner || !g.RequireSSO || !g.Everyone || !p.Created {
				t.Errorf("got %+v, want level %s, assigned by the partner, with single sign-on and everyone", g, want)
			}
			w.wantEvents(events.GrantCreated)
			again, err := w.relationship(false, false)
			wantUnchanged(t, again, err)
		})
	}
}

func TestARelationshipIsRefusedWhereNoneCanBe(t *testing.T) {
	w := newWorld(t).as(provider)
	_, err := access.PlanRelationship(w.relation("nobody", "contoso"), false, false, w.planContext())
	wantRefusal(t, err, access.NotFound)
	_, err = access.PlanRelationship(w.relation("acme", "nobody"), false, false, w.planContext())
	wantRefusal(t, err, access.NotFound)
	w.partner("contoso", access.PartnerCommand{Status: new(access.Suspended)})
	_, err = w.relationship(false, false)
	wantRefusal(t, err, access.PartnerNotActive)
	w.partner("contoso", access.PartnerCommand{Status: new(access.Active)})
	w.must(w.manage("acme", "fabrikam"))
	_, err = w.relationship(false, false)
	wantRefusal(t, err, access.ManagedElsewhere)
}

func TestEveryOpeningMarksTheCustomer(t *testing.T) { // A15: two openings side by side must not overlook each other
	w := newWorld(t)
	before := w.customers["acme"].Version
	w.must(w.grant(access.GrantCommand{}))
	if got := w.customers["acme"].Version; got != before+1 {
		t.Errorf("customer after a grant: got version %d, want %d", got, before+1)
	}
	w.must(w.grant(access.GrantCommand{Users: []string{w.join("contoso", "kim", access.Tech)}}))
	if got := w.customers["acme"].Version; got != before+1 {
		t.Errorf("customer after a merge: got version %d, want it untouched at %d", got, before+1)
	}
}

func TestOneRequestChangesNoMoreThanEightyUsers(t *testing.T) {
	w := newWorld(t)
	var users []string
	for range access.MaxUserChanges + 1 {
		users = append(users, w.join("contoso", "u"+w.newID(), access.Tech))
	}
	_, err := w.grant(access.GrantCommand{Users: users})
	wantRefusal(t, err, access.TooManyUsers)
	p := w.must(w.grant(access.GrantCommand{Users: users[1:]}))
	if p.Summary.After != access.MaxUserChanges {
		t.Errorf("got %d users, want %d", p.Summary.After, access.MaxUserChanges)
	}
	w.must(w.grant(access.GrantCommand{Users: users})) // one of them is new: that is one change
}
