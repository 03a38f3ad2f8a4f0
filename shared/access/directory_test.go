package access_test

import (
	"slices"
	"testing"

	"partneraccess/events"
	"partneraccess/shared/access"
)

func TestANewPartnerIsOfferedSupport(t *testing.T) { // W4, W7
	w := newWorld(t).as(provider)
	w.partner("northwind", access.PartnerCommand{Name: new("Northwind")})
	p := w.partners["northwind"]
	if p.Class != access.Channel || p.Offer != access.Support || p.SSO || p.Status != access.Active || p.Parent != "" || p.Version != 1 ||
		!p.Created.Equal(start) {
		t.Errorf("got %+v, want an active channel partner that is offered support", p)
	}
	if h := w.headcounts["northwind"]; h != (access.Headcount{Partner: "northwind", Version: 1}) {
		t.Errorf("got headcount %+v, want an empty one", h)
	}
	w.wantEvents(events.PartnerCreated)
	_, _, err := access.PlanPartner("tailspin", nil, nil, nil, access.PartnerCommand{}, w.planContext())
	wantRefusal(t, err, access.Invalid)
	wantPointer(t, err, "/name")
}

func TestEditingAPartnerTellsWhatHappened(t *testing.T) {
	w := newWorld(t).as(provider)
	for _, c := range []struct {
		cmd    access.PartnerCommand
		told   events.Type
		fields []string
	}{
		{access.PartnerCommand{Status: new(access.Suspended)}, events.PartnerSuspended, []string{"status"}},
		{access.PartnerCommand{Status: new(access.Active), Offer: new(access.View)}, events.PartnerResumed, []string{"offer", "status"}},
		{access.PartnerCommand{Name: new("C"), Contacts: list("ops@contoso.example")}, events.PartnerEdited, []string{"contacts", "name"}},
	} {
		w.partner("contoso", c.cmd)
		w.wantEvents(c.told)
		if got := w.event().Data.Fields; !slices.Equal(got, c.fields) {
			t.Errorf("%s: got fields %v, want %v", c.told, got, c.fields)
		}
	}
	before := w.partners["contoso"].Version
	w.partner("contoso", access.PartnerCommand{Name: new("C")})
	if w.change.Events != nil || w.partners["contoso"].Version != before {
		t.Errorf("the same name again: got %+v, want nothing to do", w.change)
	}
}

func TestAPartnersParentIsAnotherPartner(t *testing.T) { // W3
	w := newWorld(t).as(provider)
	contoso, fabrikam := loaded(w.partners, "contoso"), loaded(w.partners, "fabrikam")
	_, p, err := access.PlanPartner("contoso", contoso, []*access.Partner{fabrikam}, nil,
		access.PartnerCommand{Seen: anyVersion, Parent: new("fabrikam")}, w.planContext())
	if err != nil || p.Parent != "fabrikam" {
		t.Errorf("got %+v and %v, want the parent set", p, err)
	}
	removed := *fabrikam
	removed.Status = access.Removed
	below := *fabrikam
	below.Parent = "contoso"
	deep := []*access.Partner{fabrikam}
	for range access.MaxParents {
		deep = append(deep, fabrikam)
	}
	for name, above := range map[string][]*access.Partner{
		"nobody": nil, "itself": {contoso}, "removed": {&removed}, "one that is below it": {&below, contoso},
		"one with as many above it as may be": deep,
	} {
		_, _, err := access.PlanPartner("contoso", contoso, above, nil, access.PartnerCommand{Seen: anyVersion, Parent: new("x")},
			w.planContext())
		wantRefusal(t, err, access.Invalid)
		if access.CodeOf(err) != "" {
			wantPointer(t, err, "/parent")
		} else {
			t.Errorf("parent %s: got no refusal, want one", name)
		}
	}
}

func TestAPartnersOwnerSetsSSOOnlyWhereTheProviderAllowsIt(t *testing.T) { // A9
	for _, c := range []struct {
		name    string
		allowed bool
		by      access.Actor
		cmd     access.PartnerCommand
		want    access.Code
	}{
		{"the owner, not allowed", false, olga, access.PartnerCommand{SSO: new(false)}, access.Forbidden},
		{"the owner, allowed", true, olga, access.PartnerCommand{SSO: new(false)}, ""},
		{"the owner allows itself", false, olga, access.PartnerCommand{OwnerSetsSSO: new(true)}, access.Forbidden},
		{"the owner keeps the permission", true, olga, access.PartnerCommand{SSO: new(true), OwnerSetsSSO: new(true)}, access.Forbidden},
		{"the owner, something else", false, olga, access.PartnerCommand{Contacts: list("a@b.example")}, ""},
		{"the provider, not allowed", false, provider, access.PartnerCommand{SSO: new(false)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t).as(provider)
			w.partner("contoso", access.PartnerCommand{OwnerSetsSSO: &c.allowed})
			c.cmd.Seen = access.AnyVersion
			_, _, err := access.PlanPartner("contoso", loaded(w.partners, "contoso"), nil, nil, c.cmd, w.as(c.by).planContext())
			wantRefusal(t, err, c.want)
		})
	}
}

func TestAStaleEditOfAPartnerMayOnlyTakeAway(t *testing.T) {
	for _, c := range []struct {
		name string
		cmd  access.PartnerCommand
		want access.Code
	}{
		{"suspend", access.PartnerCommand{Status: new(access.Suspended)}, ""},
		{"a lower offer", access.PartnerCommand{Offer: new(access.Support)}, ""},
		{"single sign-on off", access.PartnerCommand{SSO: new(false)}, ""},
		{"the owner no longer sets single sign-on", access.PartnerCommand{OwnerSetsSSO: new(false)}, ""},
		{"another class", access.PartnerCommand{Class: new(access.Other)}, ""},
		{"another name", access.PartnerCommand{Name: new("C")}, access.VersionMismatch},
		{"contacts", access.PartnerCommand{Contacts: list("a@b.example")}, access.VersionMismatch},
		{"both", access.PartnerCommand{Status: new(access.Suspended), Name: new("C")}, access.VersionMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t).as(provider)
			c.cmd.Seen = 99
			_, _, err := access.PlanPartner("contoso", loaded(w.partners, "contoso"), nil, nil, c.cmd, w.planContext())
			wantRefusal(t, err, c.want)
		})
	}
	w := newWorld(t).as(provider)
	w.partner("contoso",
		access.PartnerCommand{Status: new(access.Suspended), Offer: new(access.View), SSO: new(false), Class: new(access.Other)})
	for _, cmd := range []access.PartnerCommand{
		{Status: new(access.Active)}, {Offer: new(access.Support)}, {SSO: new(true)}, {OwnerSetsSSO: new(true)}, {Class: new(access.Channel)},
	} {
		cmd.Seen = 1
		_, _, err := access.PlanPartner("contoso", loaded(w.partners, "contoso"), nil, nil, cmd, w.planContext())
		wantRefusal(t, err, access.VersionMismatch)
	}
}

func TestWhatWasRemovedIsNeverUsedAgain(t *testing.T) {
	w := newWorld(t).as(provider)
	w.removePartner("contoso")
	w.wantEvents(events.PartnerRemoved)
	_, err := access.PlanRemovePartner(loaded(w.partners, "contoso"), nil, w.planContext())
	wantRefusal(t, err, access.NotFound)
	_, _, err = access.PlanPartner("contoso", loaded(w.partners, "contoso"), nil, nil, access.PartnerCommand{Seen: anyVersion, Name: new("C")},
		w.planContext())
	wantRefusal(t, err, access.Ended)

	w.done(access.PlanRemoveCustomer(loaded(w.customers, "acme"), nil, nil, w.planContext()))
	w.wantEvents(events.CustomerRemoved)
	_, err = access.PlanRemoveCustomer(loaded(w.customers, "acme"), nil, nil, w.planContext())
	wantRefusal(t, err, access.NotFound)
	_, _, err = access.PlanCustomer("acme", loaded(w.customers, "acme"), nil, access.CustomerCommand{Seen: anyVersion, Name: new("A")},
		w.planContext())
	wantRefusal(t, err, access.Ended)
}

func TestACustomerIsRemovedOnceAllItsGrantsHaveEnded(t *testing.T) {
	w, _, _, _ := withThree(t)
	remove := func() error {
		_, err := access.PlanRemoveCustomer(loaded(w.customers, "acme"), []*access.Grant{loaded(w.grants, "acme contoso")}, nil, w.planContext())
		return err
	}
	wantRefusal(t, remove(), access.Contention)
	w.must(w.as(provider).end(access.PlanEndForRemovedCustomer))
	wantRefusal(t, remove(), "")
}

func TestEditingACustomer(t *testing.T) {
	w := newWorld(t).as(provider)
	_, _, err := access.PlanCustomer("umbrella", nil, nil, access.CustomerCommand{}, w.planContext())
	wantRefusal(t, err, access.Invalid)
	wantPointer(t, err, "/name")
	acme := loaded(w.customers, "acme")
	_, _, err = access.PlanCustomer("acme", acme, w.registry(), access.CustomerCommand{Seen: acme.Version + 1, Name: new("A")},
		w.planContext())
	wantRefusal(t, err, access.VersionMismatch)
	c, same, err := access.PlanCustomer("acme", acme, w.registry(), access.CustomerCommand{Seen: acme.Version + 1, Name: &acme.Name},
		w.planContext())
	if err != nil || !c.Empty() || same != acme {
		t.Errorf("the same name again: got %+v, %v, want nothing to do", c, err)
	}
	c, after, err := access.PlanCustomer("acme", acme, w.registry(),
		access.CustomerCommand{Seen: acme.Version, Name: new("A"), Domain: new("a.example"), Contacts: list("it@a.example")}, w.planContext())
	w.done(c, err)
	w.wantEvents(events.CustomerEdited)
	if got := w.event().Data.Fields; after.Version != acme.Version+1 || !slices.Equal(got, []string{"contacts", "domain", "name"}) {
		t.Errorf("got version %d and fields %v, want one more and all three", after.Version, got)
	}
}

func TestTheFirstUserThatTheProviderCreatesIsTheOwner(t *testing.T) { // P2
	w := newWorld(t).as(provider)
	w.partner("northwind", access.PartnerCommand{Name: new("Northwind")})
	u, err := w.newUser("northwind", access.UserCommand{Email: new("n@northwind.example"), Name: new("N")})
	if err != nil || u.Role != access.Owner || u.Number != 1 || u.Status != access.Active || u.Partner != "northwind" {
		t.Fatalf("got %+v, %v, want the owner", u, err)
	}
	w.wantEvents(events.UserCreated)
	_, err = w.newUser("northwind", access.UserCommand{Email: new("m@northwind.example"), Name: new("M")})
	wantRefusal(t, err, access.Invalid)
	wantPointer(t, err, "/role")
}

func TestOnlyTheProviderHandlesOwners(t *testing.T) { // P8
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Admin)
	w.as(olga)
	_, err := w.newUser("contoso", access.UserCommand{Email: new("o2@contoso.example"), Role: new(access.Owner)})
	wantRefusal(t, err, access.Forbidden)
	_, err = w.editUser(kim, access.UserCommand{Role: new(access.Owner)})
	wantRefusal(t, err, access.Forbidden)
	_, err = w.editUser(w.owner, access.UserCommand{Name: new("O")})
	wantRefusal(t, err, access.Forbidden)
	_, err = access.PlanRemoveUserAccount(w.userFacts(w.owner, ""), w.planContext())
	wantRefusal(t, err, access.Forbidden)
	_, err = w.as(provider).editUser(kim, access.UserCommand{Role: new(access.Owner)})
	wantRefusal(t, err, "")
}

func TestAPartnerKeepsAnActiveOwner(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Admin)
	w.as(provider)
	for name, cmd := range map[string]access.UserCommand{
		"another role": {Role: new(access.Admin)}, "disabled": {Status: new(access.Disabled)},
	} {
		if _, err := w.editUser(w.owner, cmd); access.CodeOf(err) != access.OwnerRequired {
			t.Errorf("%s: got %v, want owner_required", name, err)
		}
	}
	_, err := access.PlanRemoveUserAccount(w.userFacts(w.owner, ""), w.planContext())
	wantRefusal(t, err, access.OwnerRequired)
	_, err = w.editUser(kim, access.UserCommand{Role: new(access.Owner)})
	wantRefusal(t, err, "")
	w.setStatus(w.owner, access.Disabled)
	_, err = access.PlanRemoveUserAccount(w.userFacts(kim, ""), w.planContext())
	wantRefusal(t, err, access.OwnerRequired) // a disabled owner is none
	w.leave(w.owner)
	if h := w.headcounts["contoso"]; h.Owners != 1 || h.Staff != 1 || h.LastNumber != 2 {
		t.Errorf("got headcount %+v, want 1 owner, 1 of staff, and the next number to be 3", h)
	}
}

func TestAnAddressIsOnePersons(t *testing.T) { // P5
	w := newWorld(t)
	w.join("fabrikam", "pat", access.Tech)
	w.member("initech", "peter@initech.example", false)
	kim := w.join("contoso", "kim", access.Tech)
	w.as(provider)
	for address, want := range map[string]access.Code{
		"pat@fabrikam.example": access.EmailTaken, "peter@initech.example": access.NotForCustomers, "kim@contoso.example": access.EmailTaken,
	} {
		_, err := w.newUser("contoso", access.UserCommand{Email: &address, Name: new("x"), Role: new(access.Tech)})
		wantRefusal(t, err, want)
		wantPointer(t, err, "/email")
		if address != "kim@contoso.example" {
			_, err = w.editUser(kim, access.UserCommand{Email: &address})
			wantRefusal(t, err, want)
		}
	}
	w.leave(kim)
	if again := w.join("contoso", "kim", access.Tech); again == kim {
		t.Errorf("the address of one who has left: got the same user %s, want a new one", again)
	}
	w.member("initech", "peter@elsewhere.example", false)
	w.noMember("initech", "peter@elsewhere.example")
	_, err := w.newUser("contoso", access.UserCommand{Email: new("peter@elsewhere.example"), Name: new("Peter"), Role: new(access.Tech)})
	wantRefusal(t, err, "")
}

func TestANewAddressFreesTheOldOne(t *testing.T) { // P19
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	u, err := w.editUser(kim, access.UserCommand{Email: new("k@contoso.example"), Phone: new("+4930123456")})
	if err != nil || u.Email != "k@contoso.example" {
		t.Fatalf("got %+v, %v, want the new address", u, err)
	}
	if got := w.event().Data.Fields; !slices.Equal(got, []string{"email", "phone"}) {
		t.Errorf("got fields %v, want email and phone", got)
	}
	w.join("contoso", "kim", access.Tech)
}

func TestTwoFactorAuthenticationNeedsATelephoneNumber(t *testing.T) { // P13
	w := newWorld(t)
	cmd := access.UserCommand{Email: new("kim@contoso.example"), Name: new("kim"), Role: new(access.Tech), MFA: new(true)}
	_, err := w.newUser("contoso", cmd)
	wantRefusal(t, err, access.PhoneRequired)
	wantPointer(t, err, "/phone")
	cmd.Phone = new("+4930123456")
	u, err := w.newUser("contoso", cmd)
	wantRefusal(t, err, "")
	_, err = w.editUser(u.ID, access.UserCommand{Phone: new("")})
	wantRefusal(t, err, access.PhoneRequired)
	_, err = w.editUser(u.ID, access.UserCommand{Phone: new(""), MFA: new(false)})
	wantRefusal(t, err, "")
}

func TestExternalUsersStayExternal(t *testing.T) { // E3: or joining everyone would depend on an edit
	w := newWorld(t)
	kim, lee := w.join("contoso", "kim", access.Tech), w.join("contoso", "lee", access.External)
	_, err := w.editUser(kim, access.UserCommand{Role: new(access.External)})
	wantRefusal(t, err, access.Invalid)
	_, err = w.editUser(lee, access.UserCommand{Role: new(access.Tech)})
	wantRefusal(t, err, access.Invalid)
	_, err = w.editUser(kim, access.UserCommand{Role: new(access.Business)})
	wantRefusal(t, err, "")
}

func TestAStaleEditOfAUserMayOnlyDisable(t *testing.T) {
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	_, err := w.editUser(kim, access.UserCommand{Seen: 9, Name: new("K")})
	wantRefusal(t, err, access.VersionMismatch)
	_, err = w.editUser(kim, access.UserCommand{Seen: 9, Name: new("K"), Status: new(access.Disabled)})
	wantRefusal(t, err, access.VersionMismatch)
	_, err = w.editUser(kim, access.UserCommand{Seen: 9, Status: new(access.Disabled)})
	wantRefusal(t, err, "")
	w.wantEvents(events.UserDisabled)
	_, err = w.editUser(kim, access.UserCommand{Seen: 9, Status: new(access.Active)})
	wantRefusal(t, err, access.VersionMismatch)
	w.setStatus(kim, access.Active)
	w.wantEvents(events.UserEnabled)
	u, err := w.editUser(kim, access.UserCommand{Seen: 9, Name: new("kim")})
	if err != nil || u.Version != 3 {
		t.Errorf("the same name again: got %+v, %v, want nothing to do", u, err)
	}
}

func TestWhoHasLeftIsNoUser(t *testing.T) { // D23, P21
	w := newWorld(t)
	kim := w.join("contoso", "kim", access.Tech)
	w.leave(kim)
	w.wantEvents(events.UserRemoved)
	_, err := w.editUser(kim, access.UserCommand{Name: new("K")})
	wantRefusal(t, err, access.NotFound)
	_, err = access.PlanRemoveUserAccount(w.userFacts(kim, ""), w.planContext())
	wantRefusal(t, err, access.NotFound)
	w.as(provider).removePartner("contoso")
	_, err = w.newUser("contoso", access.UserCommand{Email: new("x@contoso.example"), Role: new(access.Tech)})
	wantRefusal(t, err, access.NotFound)
	_, err = w.editUser(w.owner, access.UserCommand{Name: new("O")})
	wantRefusal(t, err, access.NotFound)
}

func TestWhoBecomesAMemberIsOutAtOnceAndBackAfterwards(t *testing.T) { // A7, A8
	w, kim, lee, _ := withThree(t)
	w.member("acme", "kim@contoso.example", false)
	w.wantEvents(events.MemberAdded)
	w.wantWhy(kim, access.DeniedConflict)
	w.wantWhy(lee, access.Granted)
	if got := w.users[kim].Status; got != access.Active {
		t.Errorf("kim's account: got %s, want it active (D25)", got)
	}
	w.member("acme", "kim@contoso.example", true)
	w.wantEvents(events.MemberEdited)
	w.member("acme", "kim@contoso.example", true)
	w.wantEvents()
	w.member("initech", "kim@contoso.example", true)
	if got := w.users[kim].MemberOf; !slices.Equal(got, []string{"acme", "initech"}) {
		t.Errorf("member of: got %v, want acme and initech", got)
	}
	w.noMember("acme", "kim@contoso.example")
	w.wantEvents(events.MemberRemoved)
	w.wantWhy(kim, access.Granted)
	_, err := access.PlanRemoveMember(w.memberFacts("acme", "kim@contoso.example"), w.planContext())
	wantRefusal(t, err, access.NotFound)
	_, _, err = access.PlanMember(w.memberFacts("nobody", "x@y.example"), "x@y.example", "X", false, access.AnyVersion, w.planContext())
	wantRefusal(t, err, access.NotFound)
}

func TestACustomersOwnPersonStaysThatUnderAnotherAddress(t *testing.T) { // A7, A8
	for _, address := range []string{"k@contoso.example", "k@elsewhere.example"} {
		w, kim, _, _ := withThree(t)
		w.as(provider)
		w.member("acme", "kim@contoso.example", false)
		if _, err := w.editUser(kim, access.UserCommand{Email: &address}); err != nil {
			t.Fatal(err)
		}
		if got := w.users[kim].MemberOf; !slices.Equal(got, []string{"acme"}) {
			t.Errorf("under %s: got a member of %v, want acme still", address, got)
		}
		_, err := w.editUser(kim, access.UserCommand{Email: new("kim@contoso.example")})
		wantRefusal(t, err, access.NotForCustomers)
		w.member("initech", "kim@contoso.example", false) // by the address that kim had
		w.noMember("acme", "kim@contoso.example")
		if got := w.users[kim].MemberOf; !slices.Equal(got, []string{"initech"}) {
			t.Errorf("no longer acme's: got a member of %v, want initech", got)
		}
		w.member("initech", address, false)
		w.noMember("initech", "kim@contoso.example")
		if got := w.users[kim].MemberOf; !slices.Equal(got, []string{"initech"}) {
			t.Errorf("a member under the new address still: got %v, want initech", got)
		}
		w.noMember("initech", address)
		if got := w.users[kim].MemberOf; len(got) != 0 {
			t.Errorf("nobody's member: got %v, want none", got)
		}
		if got := w.emails["kim@contoso.example"].FormerUsers; got != nil {
			t.Errorf("nobody's address: got %v as who had it, want none", got)
		}
	}
}

func TestAPersonIsAMemberOfNoMoreThanAHundredCustomers(t *testing.T) {
	w := newWorld(t).as(provider)
	f := w.memberFacts("acme", "x@y.example")
	f.Email = &access.Email{Address: "x@y.example", Version: 1, MemberOf: make([]string, access.MaxMemberships)}
	_, _, err := access.PlanMember(f, "x@y.example", "X", false, access.AnyVersion, w.planContext())
	wantRefusal(t, err, access.Invalid)
	f.Email.MemberOf = f.Email.MemberOf[1:]
	_, _, err = access.PlanMember(f, "x@y.example", "X", false, access.AnyVersion, w.planContext())
	wantRefusal(t, err, "")
}
