package access_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// actorOf is somebody who acts for a partner in a role.
func actorOf(partner string, role access.Role) access.Actor {
	return access.Actor{Kind: "partner", Email: string(role) + "@" + partner + ".example", User: partner + ":" + string(role), Role: role}
}

func address(a string) access.UserCommand {
	return access.UserCommand{Email: &a, Name: new("x"), Role: new(access.Tech)}
}

func TestNobodyGivesARoleAboveHisOwnOrHandlesAnybodyAboveHim(t *testing.T) {
	roles := []access.Role{access.Owner, access.Admin, access.Business, access.Tech, access.SalesMarketing, access.External}
	for _, actor := range []access.Role{access.Owner, access.Admin, access.Business} {
		for _, role := range roles {
			want := access.Code("")
			if role == access.Owner || role.Above(actor) {
				want = access.Forbidden
			}
			t.Run(fmt.Sprintf("%s and %s", actor, role), func(t *testing.T) {
				w := newWorld(t)
				user := w.join("contoso", "kim", role)
				w.as(actorOf("contoso", actor))
				_, err := w.newUser("contoso", access.UserCommand{Email: new("new@contoso.example"), Name: new("x"), Role: &role})
				wantRefusal(t, err, want)
				for name, cmd := range map[string]access.UserCommand{
					"renamed": {Name: new("K")}, "readdressed": {Email: new("k@contoso.example")}, "disabled": {Status: new(access.Disabled)},
				} {
					if _, err := w.editUser(user, cmd); access.CodeOf(err) != want {
						t.Errorf("%s: got %v, want %q", name, err, want)
					}
				}
				w.as(provider).setStatus(user, access.Active)
				w.as(actorOf("contoso", actor))
				if _, _, err := access.PlanRenewActivation(w.userFacts(user, ""), w.planContext()); role != access.External &&
					access.CodeOf(err) != want {
					t.Errorf("another password: got %v, want %q", err, want)
				}
				_, err = access.PlanRemoveUserAccount(w.userFacts(user, ""), w.planContext())
				wantRefusal(t, err, want)
				if role == access.External {
					return
				}
				tech := w.join("contoso", "lee", access.Tech)
				if role == access.Tech {
					return
				}
				_, err = w.as(actorOf("contoso", actor)).editUser(tech, access.UserCommand{Role: &role})
				wantRefusal(t, err, want)
			})
		}
	}
	if access.Tech.Above(access.SalesMarketing) || access.SalesMarketing.Above(access.Tech) || !access.Tech.Above(access.External) ||
		access.Role("").Above(access.External) {
		t.Error("tech and sales_marketing stand side by side, above external")
	}
}

func TestNobodyChangesHisOwnRole(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Admin)
	w.as(access.Actor{Kind: "partner", User: kim, Role: access.Admin})
	_, err := w.editUser(kim, access.UserCommand{Role: new(access.Business)}) // not even a lower one
	wantRefusal(t, err, access.Forbidden)
	wantPointer(t, err, "/role")
	_, err = w.editUser(kim, access.UserCommand{Role: new(access.Admin), Name: new("K")})
	wantRefusal(t, err, "")
}

func TestARemovedPartnersLastOwnerCanBeRemovedAndItsAddressIsFree(t *testing.T) {
	w := newWorld(t).as(provider)
	w.removePartner("contoso")
	w.leave(w.owner)
	u, err := w.newUser("fabrikam", address("olga@contoso.example"))
	wantRefusal(t, err, "")
	if u.Partner != "fabrikam" {
		t.Errorf("got %+v, want a user of Fabrikam", u)
	}
}

func TestAnAddressOfALeadIsUnprovedUnlessItsDomainIsThePartners(t *testing.T) {
	w := newWorld(t).as(provider)
	w.partner("contoso", access.PartnerCommand{Domains: list("contoso.example")})
	for _, c := range []struct {
		actor   access.Actor
		address string
		want    bool
	}{
		{provider, "a@elsewhere.example", false},
		{olga, "b@elsewhere.example", true},
		{olga, "c@contoso.example", false},
		{olga, "d@eu.contoso.example", false},
		{olga, "e@notcontoso.example", true},
	} {
		u, err := w.as(c.actor).newUser("contoso", address(c.address))
		if err != nil || u.Unproved != c.want {
			t.Errorf("%s by the %s: got %+v, %v, want unproved: %v", c.address, c.actor.Kind, u, err, c.want)
		}
	}
	kim := w.join("contoso", "kim", access.Tech)
	u, err := w.as(olga).editUser(kim, access.UserCommand{Email: new("kim@elsewhere.example")})
	if err != nil || !u.Unproved || !slices.Equal(u.FormerEmails, []string{"kim@contoso.example"}) {
		t.Errorf("another address: got %+v, %v, want it unproved, and the one before kept", u, err)
	}
	if u, err = w.editUser(kim, access.UserCommand{Email: new("kim@elsewhere.example"), Name: new("Kim")}); err != nil || !u.Unproved {
		t.Errorf("the same address by a lead: got %+v, %v, want it unproved still", u, err)
	}
	u, err = w.as(provider).editUser(kim, access.UserCommand{Email: new("kim@elsewhere.example")})
	if err != nil || u.Unproved || !slices.Equal(w.event().Data.Fields, []string{"email_proved"}) {
		t.Errorf("the same address by the provider: got %+v, %v, want it proved, and that told", u, err)
	}
}

func TestAnAddressIsProvedByItsOwnersSignInAlone(t *testing.T) {
	w := newWorld(t).as(olga)
	u, err := w.newUser("contoso", address("kim@elsewhere.example"))
	wantRefusal(t, err, "")
	if c := access.PlanAddressProved(u, "other@elsewhere.example", w.planContext()); !c.Empty() {
		t.Errorf("another address by now: got %+v, want nothing", c)
	}
	w.commit(access.PlanAddressProved(u, "kim@elsewhere.example", w.planContext()))
	after := loaded(w.users, u.ID)
	if after.Unproved || after.Version != u.Version+1 {
		t.Errorf("got %+v, want it proved", after)
	}
	if c := access.PlanAddressProved(after, "kim@elsewhere.example", w.planContext()); !c.Empty() {
		t.Errorf("proved before: got %+v, want nothing", c)
	}
	mine := &access.Task{ID: access.ActivationTask(u.ID), Kind: access.TaskActivation, Version: 2}
	for signedIn, want := range map[string]bool{"kim@elsewhere.example": true, "old@elsewhere.example": false, "": false} {
		c := access.PlanActivationDone(mine, mine, u, loaded(w.partners, "contoso"), access.ActivationOutcome{SignedInAs: signedIn},
			w.planContext())
		if got := len(c.Writes) == 2 && !c.Writes[1].(access.UserWrite).After.Unproved; got != want || len(c.Events) > 0 {
			t.Errorf("the account has signed in as %q: got %+v, want it proved: %v", signedIn, c, want)
		}
	}
}

func TestWhoseAnAddressIsOnlyTheProviderLearns(t *testing.T) {
	w := newWorld(t).as(provider)
	w.partner("fabrikam", access.PartnerCommand{Domains: list("fabrikam.example")})
	w.join("contoso", "kim", access.Tech)
	w.member("initech", "peter@elsewhere.example", false)
	for a, want := range map[string]access.Code{
		"kim@contoso.example":     access.EmailTaken,
		"peter@elsewhere.example": access.NotForCustomers,
		"x@acme.example":          access.NotForCustomers,
		"x@eu.acme.example":       access.NotForCustomers,
		"olga@fabrikam.example":   access.DomainTaken,
		"x@fabrikam.example":      access.DomainTaken,
		"x@eu.fabrikam.example":   access.DomainTaken,
	} {
		_, err := w.as(provider).newUser("contoso", address(a))
		wantRefusal(t, err, want)
		wantPointer(t, err, "/email")
		_, err = w.as(olga).newUser("contoso", address(a))
		wantRefusal(t, err, access.EmailUnavailable)
		wantPointer(t, err, "/email")
		lee := w.join("contoso", "lee", access.Tech)
		_, err = w.as(olga).editUser(lee, access.UserCommand{Email: &a})
		wantRefusal(t, err, access.EmailUnavailable)
		w.as(provider).leave(lee)
	}
	// What else is wrong is said first, so that it is the same whoever has the address.
	for _, a := range []string{"x@elsewhere.example", "kim@contoso.example"} {
		cmd := address(a)
		cmd.MFA = new(true)
		_, err := w.as(olga).newUser("contoso", cmd)
		wantRefusal(t, err, access.PhoneRequired)
		cmd = address(a)
		cmd.Role = new(access.Owner)
		_, err = w.newUser("contoso", cmd)
		wantRefusal(t, err, access.Forbidden)
		lee := w.join("contoso", "lee", access.Tech)
		_, err = w.as(olga).editUser(lee, access.UserCommand{Seen: 9, Email: &a})
		wantRefusal(t, err, access.VersionMismatch)
		w.as(provider).leave(lee)
	}
}

func TestAnUnprovedAddressYieldsToWhoCanProveIt(t *testing.T) {
	const contested = "kim@elsewhere.example"
	squatted := func(t *testing.T) (*world, string) {
		w := newWorld(t)
		u, err := w.as(actorOf("fabrikam", access.Business)).newUser("fabrikam", address(contested))
		wantRefusal(t, err, "")
		return w, u.ID
	}
	ended := func(t *testing.T, w *world, squatter string) {
		t.Helper()
		u := w.users[squatter]
		if u.Status != access.Removed || u.RemovalHeadcountVersion == 0 || w.headcounts["fabrikam"].Staff != 1 {
			t.Errorf("the unproved account: got %+v of %+v, want it removed and not counted", u, w.headcounts["fabrikam"])
		}
		i := slices.IndexFunc(w.change.Events, func(e events.Event) bool { return e.Type == events.UserRemoved })
		if i < 0 || w.change.Events[i].Data.Reason != access.AddressProvedElsewhere || w.change.Events[i].Actor != (events.Actor{Kind: "clock"}) {
			t.Errorf("got events %+v, want that it was removed, why, and not by whom", w.change.Events)
		}
		kinds := map[access.TaskKind]int{}
		for _, write := range w.change.Writes {
			if task, ok := write.(access.TaskWrite); ok {
				kinds[task.After.Kind]++
			}
		}
		if kinds[access.TaskUserRemoved] != 1 || kinds[access.TaskIdentity] < 1 {
			t.Errorf("got tasks %v, want those that end its account and take it out of the grants", kinds)
		}
	}
	t.Run("to the provider, who makes the user of another partner", func(t *testing.T) {
		w, squatter := squatted(t)
		u, err := w.as(provider).newUser("contoso", address(contested))
		wantRefusal(t, err, "")
		ended(t, w, squatter)
		if e := w.emails[contested]; e.User != u.ID || u.Unproved {
			t.Errorf("got %+v and %+v, want the address to be the new user's, and proved", e, u)
		}
	})
	t.Run("to the provider, who changes a user's address", func(t *testing.T) {
		w, squatter := squatted(t)
		lee := w.join("contoso", "lee", access.Tech)
		_, err := w.as(provider).editUser(lee, access.UserCommand{Email: new(contested)})
		wantRefusal(t, err, "")
		ended(t, w, squatter)
	})
	t.Run("to the partner of the domain", func(t *testing.T) {
		w, squatter := squatted(t)
		_, err := w.as(olga).newUser("contoso", address(contested))
		wantRefusal(t, err, access.EmailUnavailable)
		w.as(provider).partner("contoso", access.PartnerCommand{Domains: list("elsewhere.example")})
		_, err = w.as(olga).newUser("contoso", address(contested))
		wantRefusal(t, err, "")
		ended(t, w, squatter)
	})
	t.Run("to a customer, whose member it becomes", func(t *testing.T) {
		w, squatter := squatted(t)
		w.as(provider).member("acme", contested, true)
		ended(t, w, squatter)
		if e := w.emails[contested]; e.User != "" || !slices.Equal(e.MemberOf, []string{"acme"}) {
			t.Errorf("got %+v, want the address to be the member's alone", e)
		}
	})
	t.Run("not to another user of the same partner", func(t *testing.T) {
		w, _ := squatted(t)
		_, err := w.as(provider).newUser("fabrikam", address(contested))
		wantRefusal(t, err, access.EmailTaken)
	})
	t.Run("not when it was proved", func(t *testing.T) {
		w, squatter := squatted(t)
		w.commit(access.PlanAddressProved(loaded(w.users, squatter), contested, w.planContext()))
		_, err := w.as(provider).newUser("contoso", address(contested))
		wantRefusal(t, err, access.EmailTaken)
		w.member("acme", contested, true)
		if u := w.users[squatter]; u.Status != access.Active || !slices.Equal(u.MemberOf, []string{"acme"}) {
			t.Errorf("got %+v, want the account kept, and in no grant of the customer's (A7)", u)
		}
	})
}

func TestAnAccountHasHadAtMostTwentyAddressesBefore(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	for n := range 20 {
		_, err := w.as(olga).editUser(kim, access.UserCommand{Email: new(fmt.Sprintf("k%d@contoso.example", n))})
		wantRefusal(t, err, "")
	}
	_, err := w.editUser(kim, access.UserCommand{Email: new("k20@contoso.example")})
	wantRefusal(t, err, access.Invalid)
	wantPointer(t, err, "/email")
	u, err := w.editUser(kim, access.UserCommand{Name: new("K")})
	if err != nil || len(u.FormerEmails) != 20 || u.FormerEmails[0] != "kim@contoso.example" {
		t.Errorf("got %+v, %v, want the twenty kept", u, err)
	}
}

func TestADomainBelongsToOneSide(t *testing.T) {
	w := newWorld(t).as(provider)
	confirm := func(partner string, domains ...string) error {
		_, _, err := access.PlanPartner(partner, loaded(w.partners, partner), nil, w.registry(),
			access.PartnerCommand{Seen: anyVersion, Domains: &domains}, w.planContext())
		return err
	}
	register := func(customer, domain string) error {
		_, _, err := access.PlanCustomer(customer, loaded(w.customers, customer), w.registry(),
			access.CustomerCommand{Seen: anyVersion, Domain: &domain}, w.planContext())
		return err
	}
	w.partner("contoso", access.PartnerCommand{Domains: list("contoso.example", "msp.example")})
	wantRefusal(t, confirm("fabrikam", "msp.example"), access.DomainTaken)
	wantRefusal(t, confirm("fabrikam", "eu.msp.example"), access.DomainTaken)
	wantRefusal(t, confirm("fabrikam", "acme.example"), access.DomainTaken)
	wantRefusal(t, confirm("fabrikam", "eu.acme.example"), access.DomainTaken)
	wantRefusal(t, register("initech", "msp.example"), access.DomainTaken)
	wantRefusal(t, register("initech", "eu.msp.example"), access.DomainTaken)
	w.customer("initech", "acme.example") // customers may share one
	if got := w.domains["acme.example"].Customers; !slices.Equal(got, []string{"acme", "initech"}) {
		t.Errorf("acme.example: got %v, want both customers", got)
	}
	w.customer("acme", "")
	wantRefusal(t, confirm("fabrikam", "acme.example"), access.DomainTaken)
	w.done(access.PlanRemoveCustomer(loaded(w.customers, "initech"), nil, w.registry(), w.planContext()))
	wantRefusal(t, confirm("fabrikam", "acme.example"), "")
	w.partner("contoso", access.PartnerCommand{Domains: list("contoso.example")})
	wantRefusal(t, register("acme", "msp.example"), "")
	w.removePartner("contoso")
	wantRefusal(t, confirm("fabrikam", "contoso.example"), "")
	if len(w.domains) != 0 {
		t.Errorf("got %v, want no record of a domain that is nobody's", w.domains)
	}
	stale := access.PartnerCommand{Seen: 9, Domains: list("x.example")}
	_, _, err := access.PlanPartner("fabrikam", loaded(w.partners, "fabrikam"), nil, w.registry(), stale, w.planContext())
	wantRefusal(t, err, access.VersionMismatch)
	if (access.PartnerCommand{Status: new(access.Suspended), Domains: list()}).OnlySuspends() {
		t.Error("another list of domains is more than the kill switch")
	}
}

func TestADomainFromBeforeTheRegistryIsEnteredByAnyEdit(t *testing.T) {
	w := newWorld(t).as(provider)
	delete(w.domains, "acme.example")
	w.customer("acme", "acme.example")
	if got := w.domains["acme.example"].Customers; !slices.Equal(got, []string{"acme"}) {
		t.Errorf("got %v, want it registered", got)
	}
}

func TestAGrantByEMailIsCheckedBeforeTheAddressIsLookedUp(t *testing.T) {
	w := newWorld(t)
	acme := loaded(w.customers, "acme")
	managed := *acme
	managed.ManagedBy = "contoso"
	past, later := w.now, w.now.Add(time.Hour)
	for name, c := range map[string]struct {
		customer *access.Customer
		cmd      access.GrantCommand
		want     access.Code
	}{
		"nothing is wrong":         {acme, access.GrantCommand{From: &past, Until: &later}, ""},
		"no end":                   {acme, access.GrantCommand{From: &later, Until: new(time.Time)}, ""},
		"no customer":              {nil, access.GrantCommand{}, access.NotFound},
		"a managed customer":       {&managed, access.GrantCommand{}, access.Managed},
		"an end that is now":       {acme, access.GrantCommand{Until: &past}, access.PeriodInvalid},
		"an end that is its begin": {acme, access.GrantCommand{From: &later, Until: &later}, access.PeriodInvalid},
	} {
		if err := access.CheckGrant(c.customer, c.cmd, w.planContext()); access.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	id := access.Identity{User: &access.User{Unproved: true}}
	if got := id.Individual(); got != nil {
		t.Errorf("an unproved address: got %+v, want nobody", got)
	}
	if id.User.Unproved = false; id.Individual() != id.User {
		t.Error("a proved address: got nobody, want the user")
	}
}
