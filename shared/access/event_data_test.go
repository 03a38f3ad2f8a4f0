package access_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// What the events say of a change: all that mails and the history need, since neither reads the state again.

func names(people []events.Person) string {
	var out string
	for _, p := range people {
		out += p.Name + " "
	}
	return out
}

func TestAnEventSaysWhatAChangeAlteredAndFromWhat(t *testing.T) {
	w := newWorld(t)
	begin, end := w.now.Add(time.Hour), w.now.Add(100*time.Hour)
	w.must(w.grant(access.GrantCommand{From: &begin, Until: &end, Level: new(access.Support)}))
	if d := w.event().Data; d.RequireSSO == nil || *d.RequireSSO || d.FromWas != nil || d.UntilWas != nil || d.SSOWas != nil {
		t.Errorf("a new grant: got %+v, want no single sign-on, and nothing that was before", d)
	}
	later := begin.Add(time.Hour)
	w.must(w.edit(access.EditCommand{From: &later, Until: &time.Time{}, Level: new(access.View), RequireSSO: new(true)}))
	d := w.event().Data
	if d.FromWas == nil || !d.FromWas.Equal(begin) || d.UntilWas == nil || !d.UntilWas.Equal(end) || d.LevelWas != "support" ||
		d.SSOWas == nil || *d.SSOWas || !*d.RequireSSO {
		t.Errorf("got %+v, want the period, the level and the single sign-on as they were before", d)
	}
	w.must(w.edit(access.EditCommand{Note: new("a note")}))
	if d := w.event().Data; d.FromWas != nil || d.UntilWas != nil || d.LevelWas != "" || d.SSOWas != nil || !*d.RequireSSO {
		t.Errorf("only the note: got %+v, want nothing else that was before", d)
	}
}

func TestAnEventNamesWhoseOwnLevelChangedAndFromWhat(t *testing.T) { // D15
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech)
	own := func(user string, level access.Level) events.Data {
		t.Helper()
		cmd := access.GrantCommand{Users: []string{user}, Individual: true, Level: &level}
		w.must(w.planned(access.PlanGrant(w.whole("acme", "contoso", user), cmd, w.planContext())))
		return w.event().Data
	}
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Level: new(access.Manage)}))

	d := own(lee, access.View)
	if len(d.Added) != 1 || d.Added[0].Name != "lee" || d.Added[0].Level != "view" || d.Level != "manage" || d.Changed != nil {
		t.Errorf("let in with a level of its own: got %+v, want it named with that level", d)
	}
	d = own(lee, access.Support)
	if len(d.Changed) != 1 ||
		d.Changed[0] != (events.Person{ID: lee, Email: "lee@contoso.example", Name: "lee", Level: "support", LevelWas: "view"}) ||
		d.LevelWas != "" || d.Added != nil {
		t.Errorf("more: got %+v, want support and view before", d)
	}
	if i := slices.IndexFunc(d.Users, func(p events.Person) bool { return p.Name == "kim" }); i < 0 || d.Users[i].Level != "" {
		t.Errorf("got users %+v, want Kim without a level of its own", d.Users)
	}
	if i := slices.IndexFunc(d.Users, func(p events.Person) bool { return p.Name == "lee" }); i < 0 || d.Users[i].Level != "support" {
		t.Errorf("got users %+v, want Lee at support", d.Users)
	}
	d = own(kim, access.View)
	if len(d.Changed) != 1 || d.Changed[0].Level != "view" || d.Changed[0].LevelWas != "manage" {
		t.Errorf("less, for one who had the grant's: got %+v, want view and manage before", d.Changed)
	}
}

func TestAnEndThatANewGrantTellsFirstSaysWhoWasIn(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.must(w.grant(access.GrantCommand{Users: []string{kim}, Until: new(w.now.Add(time.Hour))}))
	w.now = w.now.Add(2 * time.Hour) // and no sweep has come by
	w.must(w.planned(access.PlanGrant(w.whole("acme", "contoso", w.owner), access.GrantCommand{Users: []string{w.owner}}, w.planContext())))
	w.wantEvents(events.GrantExpired, events.GrantCreated)
	was, is := w.change.Events[0].Data, w.change.Events[1].Data
	if names(was.Users) != "kim " || was.UsersTruncated || was.Status != "expired" || was.Reason != "expired" {
		t.Errorf("the end: got %+v, want Kim, expired", was)
	}
	if names(is.Users) != "olga " {
		t.Errorf("the new beginning: got %+v, want Olga alone", is)
	}
}

func TestAnAcceptanceThatMakesAUserSaysThatTheUserCame(t *testing.T) { // E4
	w := newWorld(t)
	i := &access.Invitation{
		ID: fmt.Sprintf("%026d", 7), Customer: "acme", Partner: "contoso", Email: "eve@elsewhere.example", State: access.InvitationPending,
		Level: access.View,
		By:    access.By{Kind: "customer", Email: ann.Email}, Created: w.now, Expires: w.now.Add(time.Hour), Version: 1,
	}
	w.invitations[i.ID] = *i
	accept := func() []events.Event {
		t.Helper()
		f := access.InvitationFacts{GrantFacts: w.whole("acme", "contoso"), Email: loaded(w.emails, i.Email), Inviters: map[string]access.Inviter{
			i.ID: {Member: &access.Member{Customer: "acme", Email: ann.Email, Admin: true, Version: 1}},
		}}
		if f.Email != nil {
			f.User = loaded(w.users, f.Email.User)
		}
		p, _, err := access.PlanAccept(f, i, "Eve", w.as(access.Actor{Kind: "partner", Email: i.Email}).planContext())
		if err != nil {
			t.Fatal(err)
		}
		w.commit(p.Change)
		return p.Change.Events
	}
	told := accept()
	if len(told) != 3 || told[0].Type != events.UserCreated || told[1].Type != events.GrantCreated ||
		told[2].Type != events.InvitationAccepted {
		t.Fatalf("got %+v, want the user, the grant and the acceptance", told)
	}
	e := told[0]
	if e.Data.Invitation != i.ID || e.Data.Role != "external" || e.Data.Person.Email != i.Email ||
		e.Data.Person.ID != told[2].Data.Person.ID || e.Customer != nil || e.Partner.ID != "contoso" {
		t.Errorf("got %+v, want Contoso's new external user, by the invitation", e)
	}
}

func TestWhoGoesWhenASetReplacesEverybodyIsNamedAsFarAsItIsKnown(t *testing.T) { // D27, E15
	for _, vague := range []bool{false, true} {
		w := newWorld(t)
		kim, lee, ext := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.Tech), w.join("contoso", "ext", access.External)
		w.must(w.grant(access.GrantCommand{Everyone: true}))
		w.must(w.edit(access.EditCommand{Add: []string{ext}}))
		w.must(w.edit(access.EditCommand{Everyone: new(false)})) // Olga, Kim and Lee by their numbers
		w.must(w.edit(access.EditCommand{Remove: []string{lee}}))
		w.vague = vague
		w.must(w.edit(access.EditCommand{Set: list(kim)}))
		w.wantIn("kim")
		d := w.event().Data
		if vague && (names(d.Removed) != "ext " || d.Unnamed != 1 || names(d.Users) != "kim " || d.UsersTruncated) {
			t.Errorf("got %+v, want Ext named and one more, Olga, who is in no row of the grant", d)
		}
		if !vague && (names(d.Removed) != "olga ext " || d.Unnamed != 0) {
			t.Errorf("got removed %q and %d more, want Olga and Ext named", names(d.Removed), d.Unnamed)
		}
		w.must(w.edit(access.EditCommand{Set: list(kim, lee)}))
		if d := w.event().Data; d.Removed != nil || d.Unnamed != 0 || names(d.Added) != "lee " {
			t.Errorf("nobody goes: got %+v", d)
		}
	}
}

func TestWhenMoreGoThanAnEventCanNameTheyAreCounted(t *testing.T) {
	w := newWorld(t)
	var all []string
	for i := range access.MaxUserChanges + 2 {
		all = append(all, w.join("contoso", fmt.Sprintf("u%03d", i), access.Tech))
	}
	w.must(w.grant(access.GrantCommand{Users: all[:access.MaxUserChanges]}))
	w.must(w.edit(access.EditCommand{Add: all[access.MaxUserChanges:]}))
	w.must(w.edit(access.EditCommand{Set: list(all[0])}))
	w.wantIn("u000")
	if d := w.event().Data; len(d.Removed) != access.MaxUserChanges || d.Unnamed != 1 {
		t.Errorf("got %d named and %d more, want %d named and one more counted", len(d.Removed), d.Unnamed, access.MaxUserChanges)
	}
	w.must(w.edit(access.EditCommand{Add: all[1:access.MaxUserChanges]}))
	w.must(w.edit(access.EditCommand{Set: list(all[0])}))
	if d := w.event().Data; len(d.Removed) != access.MaxUserChanges-1 || d.Unnamed != 0 {
		t.Errorf("got %d named and %d more, want all %d named", len(d.Removed), d.Unnamed, access.MaxUserChanges-1)
	}
}

func TestWhoIsExternalIsNamedWhenEveryoneReplacesSingleUsers(t *testing.T) { // E14
	w := newWorld(t)
	kim, ext, other := w.join("contoso", "kim", access.Tech), w.join("contoso", "ext", access.External), w.join("contoso", "other",
		access.External)
	w.must(w.grant(access.GrantCommand{Users: []string{kim, ext, other}}))
	cmd := access.EditCommand{Seen: anyVersion, Everyone: new(true), Add: []string{other}}
	w.must(w.planned(access.PlanEdit(w.whole("acme", "contoso"), cmd, w.planContext())))
	w.wantIn("olga kim other")
	if d := w.event().Data; names(d.Removed) != "ext " || d.Added != nil || d.Unnamed != 0 {
		t.Errorf("got %+v, want Ext taken out, and the other, who was put in again, as before", d)
	}
}

func TestARemovedPartnersGrantIsNoHindranceToAManagingOne(t *testing.T) { // A15
	w := newWorld(t)
	w.must(w.grant(access.GrantCommand{}))
	w.as(provider).removePartner("contoso") // and no sweep has come by
	w.must(w.manage("acme", "fabrikam"))
	if got := w.customers["acme"].ManagedBy; got != "fabrikam" {
		t.Errorf("managed by: got %q, want fabrikam", got)
	}
	w.must(w.end(access.PlanEndForRemovedPartner)) // the sweep
	if g := w.grants["acme contoso"]; g.State != access.StateEnded || g.End.Reason != access.PartnerRemoved ||
		w.customers["acme"].ManagedBy != "fabrikam" {
		t.Errorf("got %+v at a customer managed by %q, want its end written down and Fabrikam managing", g, w.customers["acme"].ManagedBy)
	}
}

func TestARemovedPartnerThatManagedIsFollowedByAnother(t *testing.T) { // A15
	w := newWorld(t).as(provider)
	w.must(w.manage("acme", "contoso"))
	w.removePartner("contoso")
	w.must(w.manage("acme", "fabrikam"))
	w.wantEvents(events.GrantCreated, events.ManagementEnded, events.ManagementAssigned)
	if e := w.change.Events[1]; e.Partner.ID != "contoso" {
		t.Errorf("the end of the management: got partner %s, want contoso", e.Partner.ID)
	}
	w.must(w.end(access.PlanEndForRemovedPartner))
	w.wantEvents(events.GrantEnded)
	if got := w.customers["acme"].ManagedBy; got != "fabrikam" {
		t.Errorf("managed by: got %q, want fabrikam", got)
	}
}
