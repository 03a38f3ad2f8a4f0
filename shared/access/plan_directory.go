package access

import (
	"slices"
	"sort"
	"strings"

	"partneraccess/events"
)

// PartnerCommand sets what the provider says of a partner, or its owner in the account settings. Nil fields were not given; on a new
// partner they take their defaults.
type PartnerCommand struct {
	Seen     int64 // AnyVersion when the caller did not say
	Name     *string
	Class    *Class  // default: channel
	Offer    *Level  // default: support (W7)
	SSO      *bool   // default: not enabled
	Status   *Status // active or suspended; default: active
	Parent   *string // "" = none
	Contacts *[]string
	Domains  *[]string // sorted, each once

	OwnerSetsSSO *bool // default: the provider alone sets SSO
}

// OnlyStatus tells that the command suspends or resumes the partner and does nothing else: what others changed meanwhile does not matter to it.
func (c PartnerCommand) OnlyStatus() bool {
	return c.Status != nil && c.Name == nil && c.Class == nil && c.Offer == nil && c.SSO == nil && c.Parent == nil && c.Contacts == nil &&
		c.Domains == nil && c.OwnerSetsSSO == nil
}

// OnlySuspends tells that the command is the kill switch and nothing else.
func (c PartnerCommand) OnlySuspends() bool { return c.OnlyStatus() && *c.Status == Suspended }

// MaxParents is how many partners are above one at most (W3).
const MaxParents = 10

// PlanPartner plans that a partner is created (before is nil) or edited. Above are the new parent, its parent, and so on, one more than MaxParents at
// most. Registry holds the records of the partner's domains, of those that it gets, and of those above them: one that belongs to somebody else is refused
// with DomainTaken. What only takes away (a lower offer, suspension, single sign-on switched off) is never refused for a stale version.
func PlanPartner(id string, before *Partner, above []*Partner, registry Domains, cmd PartnerCommand, m Moment) (Change, *Partner, error) {
	if before != nil && before.Status == Removed {
		return Change{}, nil, Refuse(Ended, "partner %s was removed, and its id is never used again: choose another one", id)
	}
	p := Partner{ID: id, Class: Channel, Offer: Support, Status: Active, Created: m.Now}
	if before != nil {
		p = *before
	} else if cmd.Name == nil {
		return Change{}, nil, Refuse(Invalid, "a new partner needs a name").At("/name")
	}
	if err := maySetSSO(before, cmd, m.Actor); err != nil {
		return Change{}, nil, err
	}
	var fields []string
	gives := before == nil
	set := func(field string, changed, more bool) {
		if changed {
			fields = append(fields, field)
			gives = gives || more
		}
	}
	if cmd.Name != nil && *cmd.Name != p.Name {
		if len(DistinctNameWords(*cmd.Name)) > MaxNameWords {
			return Change{}, nil, Refuse(Invalid, "the name of a partner has at most %d different words, so that it is found by each of them", MaxNameWords).At("/name")
		}
		set("name", assign(&p.Name, *cmd.Name), true)
	}
	if cmd.Class != nil {
		set("class", assign(&p.Class, *cmd.Class), *cmd.Class == Channel)
	}
	if cmd.Offer != nil {
		more := *cmd.Offer > p.Offer
		set("offer", assign(&p.Offer, *cmd.Offer), more)
	}
	if cmd.SSO != nil {
		set("sso", assign(&p.SSO, *cmd.SSO), *cmd.SSO)
	}
	if cmd.OwnerSetsSSO != nil {
		set("owner_sets_sso", assign(&p.OwnerSetsSSO, *cmd.OwnerSetsSSO), *cmd.OwnerSetsSSO)
	}
	if cmd.Status != nil {
		set("status", assign(&p.Status, *cmd.Status), *cmd.Status == Active)
	}
	if cmd.Parent != nil {
		if *cmd.Parent != "" && *cmd.Parent != p.Parent {
			if err := parentable(id, *cmd.Parent, above); err != nil {
				return Change{}, nil, err
			}
		}
		set("parent", assign(&p.Parent, *cmd.Parent), true)
	}
	if cmd.Contacts != nil && !slices.Equal(p.Contacts, *cmd.Contacts) {
		p.Contacts = *cmd.Contacts
		set("contacts", true, true)
	}
	var registered []Write
	if cmd.Domains != nil && !slices.Equal(p.Domains, *cmd.Domains) {
		var err error
		if registered, err = registry.confirm(id, p.Domains, *cmd.Domains); err != nil {
			return Change{}, nil, err
		}
		p.Domains = *cmd.Domains
		set("domains", true, true)
	}
	if before != nil && len(fields) == 0 {
		return Change{}, before, nil
	}
	if before != nil && gives && cmd.Seen != AnyVersion && cmd.Seen != before.Version {
		return Change{}, nil, stale("partner", cmd.Seen, before.Version)
	}
	kind := events.PartnerEdited
	switch {
	case before == nil:
		kind = events.PartnerCreated
	case before.Status != p.Status && p.Status == Suspended:
		kind = events.PartnerSuspended
	case before.Status != p.Status:
		kind = events.PartnerResumed
	}
	p.Updated = m.Now
	p.Version++
	sort.Strings(fields)
	c := Change{Writes: append([]Write{PartnerWrite{Before: before, After: &p}}, registered...), Takes: !gives}
	if before == nil {
		c.Writes = append(c.Writes, HeadcountWrite{After: &Headcount{Partner: id, Version: 1}})
		fields = nil
	}
	switch kind {
	case events.PartnerSuspended:
		c.Writes = append(c.Writes, m.task(TaskPartnerSuspended, id, ""))
	case events.PartnerResumed:
		c.Writes = append(c.Writes, m.task(TaskPartnerResumed, id, ""))
	}
	if eligible(before) == nil && eligible(&p) != nil {
		c.Writes = append(c.Writes, m.task(TaskInvitations, id, ""))
	}
	c.Events = []events.Event{m.event(kind, nil, &p, events.Data{Version: p.Version, Fields: fields, Level: p.Offer.String()})}
	return c, &p, nil
}

// maySetSSO refuses to let a person of the partner say whether it has single sign-on, unless the provider allows that to its owner. Nobody
// but the provider gives that permission. That the person is the owner has been decided before.
func maySetSSO(before *Partner, cmd PartnerCommand, a Actor) error {
	switch {
	case a.Kind == "provider":
		return nil
	case cmd.OwnerSetsSSO != nil:
		return Refuse(Forbidden, "only the provider allows a partner's owner to set single sign-on").At("/owner_sets_sso")
	case cmd.SSO != nil && (before == nil || !before.OwnerSetsSSO):
		return Refuse(Forbidden, "the provider sets whether your organisation has single sign-on: ask the provider").At("/sso")
	}
	return nil
}

// parentable refuses a parent that is not there, and one by which the tree would have a circle or too many levels (W3). Two that move at once can still
// make a circle, which does no harm: nothing is inherited along the tree (W12).
func parentable(id, parent string, above []*Partner) error {
	if len(above) == 0 || above[0].Status == Removed || above[0].ID == id {
		return Refuse(Invalid, "there is no other partner %q that could be the parent", parent).At("/parent")
	}
	for _, p := range above {
		if p.ID == id {
			return Refuse(Invalid, "partner %q is below %q already: move it away first", parent, id).At("/parent")
		}
	}
	if len(above) > MaxParents {
		return Refuse(Invalid, "partner %q has %d partners above it already, and more are not possible", parent, MaxParents).At("/parent")
	}
	return nil
}

// PlanRemovePartner plans the removal of a partner: at once none of its users gets in anywhere (D5, D23). The accounts stay (D25), and its domains are free.
// Registry holds the records of its domains.
func PlanRemovePartner(before *Partner, registry Domains, m Moment) (Change, error) {
	if before == nil || before.Status == Removed {
		return Change{}, notFound("partner")
	}
	p := *before
	p.Status, p.Domains, p.Updated = Removed, nil, m.Now
	p.Version++
	freed, err := registry.confirm(p.ID, before.Domains, nil)
	if err != nil {
		return Change{}, err
	}
	return Change{
		Writes: append([]Write{PartnerWrite{Before: before, After: &p}, m.task(TaskPartnerRemoved, p.ID, ""), m.task(TaskInvitations, p.ID, "")}, freed...),
		Events: []events.Event{m.event(events.PartnerRemoved, nil, &p, events.Data{Version: p.Version})},
	}, nil
}

// CustomerCommand sets what the provider says of a customer. Nil fields were not given.
type CustomerCommand struct {
	Seen     int64
	Name     *string
	Domain   *string
	Contacts *[]string
}

// PlanCustomer plans that a customer is registered (D6) or edited. Registry holds the records of the domain that it has, of the one that it gets, and of
// those above them: one that is a partner's is refused with DomainTaken. A domain that was set before there was a registry is entered by any edit.
func PlanCustomer(id string, before *Customer, registry Domains, cmd CustomerCommand, m Moment) (Change, *Customer, error) {
	if before != nil && before.Status == Removed {
		return Change{}, nil, Refuse(Ended, "customer %s was removed, and its id is never used again: choose another one", id)
	}
	c := Customer{ID: id, Status: Active, Created: m.Now}
	if before != nil {
		c = *before
	} else if cmd.Name == nil {
		return Change{}, nil, Refuse(Invalid, "a new customer needs a name").At("/name")
	}
	var fields []string
	if cmd.Name != nil && assign(&c.Name, *cmd.Name) {
		fields = append(fields, "name")
	}
	if cmd.Domain != nil && assign(&c.Domain, *cmd.Domain) {
		fields = append(fields, "domain")
	}
	if cmd.Contacts != nil && !slices.Equal(c.Contacts, *cmd.Contacts) {
		c.Contacts = *cmd.Contacts
		fields = append(fields, "contacts")
	}
	var was string
	if before != nil {
		was = before.Domain
	}
	registered, err := registry.register(id, was, c.Domain)
	if err != nil {
		return Change{}, nil, err
	}
	kind := events.CustomerEdited
	switch {
	case before == nil:
		kind, fields = events.CustomerCreated, nil
	case len(fields) == 0:
		return Change{Writes: registered}, before, nil
	case cmd.Seen != AnyVersion && cmd.Seen != before.Version:
		return Change{}, nil, stale("customer", cmd.Seen, before.Version)
	}
	c.Updated = m.Now
	c.Version++
	sort.Strings(fields)
	out := Change{
		Writes: append([]Write{CustomerWrite{Before: before, After: &c}}, registered...),
		Events: []events.Event{m.event(kind, &c, nil, events.Data{Version: c.Version, Fields: fields})},
	}
	if before != nil && c.Domain != before.Domain {
		out.Writes = append(out.Writes, m.rulesTask(c.ID))
	}
	return out, &c, nil
}

// PlanRemoveCustomer plans the removal of a customer, once all its grants have ended: the caller ends them first, and none can be
// opened between, because every opening writes the customer. Registry holds the record of its domain, which is free then.
func PlanRemoveCustomer(before *Customer, grants []*Grant, registry Domains, m Moment) (Change, error) {
	if before == nil || before.Status == Removed {
		return Change{}, notFound("customer")
	}
	for _, g := range grants {
		if g.State != StateEnded {
			return Change{}, Refuse(Contention, "partner %s has got access meanwhile: try again", g.Partner)
		}
	}
	c := *before
	c.Status, c.ManagedBy, c.Updated = Removed, "", m.Now
	c.Version++
	freed, err := registry.register(c.ID, c.Domain, "")
	if err != nil {
		return Change{}, err
	}
	return Change{
		Writes: append(append([]Write{CustomerWrite{Before: before, After: &c}}, m.reviewInvitations(before, "")...), freed...),
		Events: []events.Event{m.event(events.CustomerRemoved, &c, nil, events.Data{Version: c.Version})},
	}, nil
}

// PlanEndForRemoval plans the end of one grant of a customer that is being removed, managed or not.
func PlanEndForRemoval(r Relation, m Moment) (Planned, error) { return planEnd(r, CustomerRemoved, m) }

// MemberFacts is what a plan about a customer's member looks at.
type MemberFacts struct {
	Customer *Customer
	Member   *Member
	Email    *Email // nil when nothing is known of the address
	Holder   Holder // the partner's user with that address

	Former    []*User         // the partners' users who had that address while it was a member's
	Elsewhere map[string]bool // those, and the one who has it, who are members of the customer under another of their addresses as well, by id

	LastAdmin bool // the member is the customer's only admin, and a grant has not ended; looked up where the member would be an admin no more
	Confirmed bool // the caller says that it knows so
}

// LastAdminLeft is why an event about a member concerns the provider: the customer has open grants, and nobody who can change them.
const LastAdminLeft = "last_admin"

// dropAdmin plans what else changes when an admin is one no more. It refuses to leave a customer with open grants and without an admin, unless that is
// confirmed. The customer's record is written, so that of two admins who go at once the second is seen to be the last. The reason is for the event.
func (f MemberFacts) dropAdmin(m Moment) (writes []Write, reason string, err error) {
	if f.LastAdmin && !f.Confirmed {
		return nil, "", Refuse(LastAdmin, "%s is the only admin of customer %s, whose grants nobody could end then: register another admin first, or confirm with ?confirm=last_admin",
			f.Member.Email, f.Customer.ID)
	}
	writes = m.reviewInvitations(f.Customer, "")
	if f.Customer.Status == Active {
		writes = append(writes, touch(f.Customer))
	}
	if f.LastAdmin {
		reason = LastAdminLeft
	}
	return writes, reason, nil
}

// PlanMember plans that a person becomes a member of a customer, or that its name or role changes. A partner's user who becomes a
// member can no longer come in as a partner (A7), and gains nothing by it; an account whose address was never proved ends.
// Seen is the version that the caller has seen, or AnyVersion.
func PlanMember(f MemberFacts, address, name string, admin bool, seen int64, m Moment) (Change, *Member, error) {
	if f.Customer == nil || f.Customer.Status != Active {
		return Change{}, nil, notFound("customer")
	}
	if is := f.Member; seen != AnyVersion && (is == nil || is.Version != seen) {
		var version int64
		if is != nil {
			version = is.Version
		}
		return Change{}, nil, stale("member", seen, version)
	}
	after := Member{Customer: f.Customer.ID, Email: address, Created: m.Now}
	kind := events.MemberAdded
	if f.Member != nil {
		after, kind = *f.Member, events.MemberEdited
		if after.Name == name && after.Admin == admin {
			return Change{}, f.Member, nil
		}
	}
	after.Name, after.Admin = name, admin
	after.Version++
	c := Change{Writes: []Write{MemberWrite{Before: f.Member, After: &after}}}
	if f.Member == nil {
		if f.Email != nil && len(f.Email.MemberOf) >= MaxMemberships {
			return Change{}, nil, Refuse(Invalid, "%s is a member of %d customers already, and more are not possible", address, MaxMemberships)
		}
		if f.Holder.yields() {
			writes, past := f.Holder.yield(m)
			c.Writes, c.Events = append(c.Writes, writes...), append(c.Events, past...)
		}
		c.Writes = append(c.Writes, belong(f, address, true)...)
	}
	reason := ""
	if f.Member != nil && f.Member.Admin && !admin {
		writes, why, err := f.dropAdmin(m)
		if err != nil {
			return Change{}, nil, err
		}
		c.Writes, reason = append(c.Writes, writes...), why
	}
	role := "member"
	if admin {
		role = "admin"
	}
	c.Events = append(c.Events, m.event(kind, f.Customer, nil, events.Data{Person: &events.Person{Email: address, Name: name}, Role: role, Reason: reason}))
	return c, &after, nil
}

// PlanRemoveMember plans that a person is no longer a member. A removed customer's members can be removed, too: until then their addresses belong to it.
func PlanRemoveMember(f MemberFacts, m Moment) (Change, error) {
	if f.Customer == nil || f.Member == nil {
		return Change{}, notFound("member")
	}
	writes := append([]Write{MemberWrite{Before: f.Member}}, belong(f, f.Member.Email, false)...)
	reason := ""
	if f.Member.Admin {
		more, why, err := f.dropAdmin(m)
		if err != nil {
			return Change{}, err
		}
		writes, reason = append(writes, more...), why
	}
	return Change{
		Writes: writes,
		Events: []events.Event{m.event(events.MemberRemoved, f.Customer, nil, events.Data{Person: &events.Person{Email: f.Member.Email, Name: f.Member.Name}, Reason: reason})},
	}, nil
}

// belong writes at the address, and at the partners' users who have it, or had it when it was a member's already, whether the person is a member of the customer.
func belong(f MemberFacts, address string, member bool) []Write {
	after := Email{Address: address}
	if f.Email != nil {
		after = *f.Email
	}
	after.MemberOf = toggled(after.MemberOf, f.Customer.ID, member)
	if len(after.MemberOf) == 0 {
		after.Former = nil
	}
	after.Version++
	people := f.Former
	if member && f.Holder.yields() {
		after.User = ""
	} else if f.Holder.User != nil {
		people = append(slices.Clone(people), f.Holder.User)
	}
	out := []Write{EmailWrite{Before: f.Email, After: &after}}
	for _, user := range people {
		if user.Status == Removed || !member && f.Elsewhere[user.ID] {
			continue
		}
		u := *user
		u.MemberOf = toggled(u.MemberOf, f.Customer.ID, member)
		u.Version++
		out = append(out, UserWrite{Before: user, After: &u})
	}
	return out
}

func toggled(list []string, s string, in bool) []string {
	out := slices.DeleteFunc(slices.Clone(list), func(e string) bool { return e == s })
	if in {
		out = append(out, s)
		sort.Strings(out)
	}
	return out
}

// UserFacts is what a plan about a partner's user looks at.
type UserFacts struct {
	Partner   *Partner
	Headcount Headcount
	User      *User   // nil for a new one
	Email     *Email  // of the address that the user gets, or has
	OldEmail  *Email  // of the address that the user gives up
	Task      *Task   // the identity task that the user has
	Domains   Domains // of the address that the user gets, and those above it
	Holder    Holder  // another user who has that address
}

// UserCommand creates or edits a partner's user. Nil fields were not given.
type UserCommand struct {
	Seen   int64
	Email  *string
	Name   *string
	Phone  *string // "" = none
	Role   *Role
	Status *Status // active or disabled
	MFA    *bool
}

// OnlyDisables tells that the command disables the user and does nothing else.
func (c UserCommand) OnlyDisables() bool {
	return c.Status != nil && *c.Status == Disabled && c.Email == nil && c.Name == nil && c.Phone == nil && c.Role == nil && c.MFA == nil
}

// PlanNewUser plans that a partner gets a user (P2, P14). It refuses roles above the actor's own, and then addresses that cannot be the user's (see claim);
// owners are set by the provider, and the first user is one unless another role is given.
func PlanNewUser(f UserFacts, cmd UserCommand, m Moment) (Change, *User, error) {
	if f.Partner == nil || f.Partner.Status == Removed {
		return Change{}, nil, notFound("partner")
	}
	role := Role("")
	if cmd.Role != nil {
		role = *cmd.Role
	} else if f.Headcount.Last == 0 && m.Actor.Kind == ActorProvider {
		role = Owner
	}
	if role == "" {
		return Change{}, nil, Refuse(Invalid, "a user needs a role: admin, business, tech, sales_marketing or external").At("/role")
	}
	if err := MayHandle(m.Actor, role); err != nil {
		return Change{}, nil, err.At("/role")
	}
	h := f.Headcount
	h.Last++
	h.Version++
	u := User{
		ID: f.Partner.ID + ":" + m.NewID(), Partner: f.Partner.ID, Number: h.Last, Email: *cmd.Email, Role: role, Status: Active, Created: m.Now, Updated: m.Now, Version: 1,
	}
	setAll(&u, cmd)
	if err := reachable(&u); err != nil {
		return Change{}, nil, err
	}
	u.Unproved = f.unproved(u.Email, m)
	writes, past, err := f.claim(u.Email, m)
	if err != nil {
		return Change{}, nil, err
	}
	count(&h, nil, &u)
	c := Change{
		Writes: append(writes, HeadcountWrite{Before: &f.Headcount, After: &h}, UserWrite{After: &u}, take(f.Email, u.Email, u.ID)),
		Events: append(past, m.event(events.UserCreated, nil, f.Partner, userData(&u))),
	}
	c.Writes = append(append(c.Writes, m.account(nil, &u)...), m.activation(&u)...)
	return c, &u, nil
}

// PlanUser plans that a user is edited (P19), disabled or enabled. Nobody changes his own role, or a user whose role is above his own. An address that the
// provider gives, be it the present one, is proved by that.
func PlanUser(f UserFacts, cmd UserCommand, m Moment) (Change, *User, error) {
	if f.Partner == nil || f.Partner.Status == Removed || f.User == nil || f.User.Status == Removed {
		return Change{}, nil, notFound("user")
	}
	if err := MayHandle(m.Actor, f.User.Role); err != nil {
		return Change{}, nil, err
	}
	u := *f.User
	if cmd.Role != nil && *cmd.Role != u.Role {
		if m.Actor.User == u.ID {
			return Change{}, nil, Refuse(Forbidden, "nobody changes his own role: ask somebody else who manages your organisation's people").At("/role")
		}
		if err := MayHandle(m.Actor, *cmd.Role); err != nil {
			return Change{}, nil, err.At("/role")
		}
		if *cmd.Role == External || u.Role == External {
			return Change{}, nil, Refuse(Invalid, "an external user stays external, and an employee an employee: remove the account and create another").At("/role")
		}
		u.Role = *cmd.Role
	}
	setAll(&u, cmd)
	if cmd.Email != nil && (u.Email != f.User.Email || m.Actor.Kind == ActorProvider) {
		u.Unproved = f.unproved(u.Email, m)
	}
	fields := differing(f.User, &u)
	if len(fields) == 0 {
		return Change{}, f.User, nil
	}
	onlyDisables := len(fields) == 1 && fields[0] == "status" && u.Status == Disabled
	if cmd.Seen != AnyVersion && cmd.Seen != f.User.Version && !onlyDisables {
		return Change{}, nil, stale("user", cmd.Seen, f.User.Version)
	}
	if err := reachable(&u); err != nil {
		return Change{}, nil, err
	}
	var c Change
	h := f.Headcount
	count(&h, f.User, &u)
	var was int64 // the number of the person before, when it is another one now
	if _, domain, _ := strings.Cut(u.Email, "@"); !strings.HasSuffix(f.User.Email, "@"+domain) {
		h.Last++
		was, u.Number = u.Number, h.Last
	}
	if h != f.Headcount {
		if h.Owners == 0 && f.Headcount.Owners > 0 {
			return Change{}, nil, ownerRequired()
		}
		h.Version++
		c.Writes = append(c.Writes, HeadcountWrite{Before: &f.Headcount, After: &h})
	}
	if u.Email != f.User.Email {
		var err error
		if u.Former, err = f.User.former(); err != nil {
			return Change{}, nil, err
		}
		writes, past, err := f.claim(u.Email, m)
		if err != nil {
			return Change{}, nil, err
		}
		c.Writes, c.Events = append(c.Writes, writes...), past
		// The customers whose member the old address is still have that person for their own, whatever it is called now (A7).
		c.Writes = append(c.Writes, take(f.Email, u.Email, u.ID), leftBehind(f.OldEmail, f.User))
		c.Writes = append(c.Writes, m.personTask(f.User, &u, was, h.Version))
	}
	u.Updated = m.Now
	u.Version++
	c.Writes = append(append(c.Writes, UserWrite{Before: f.User, After: &u}), m.reviewInvitationsOf(f.User, &u)...)
	if u.Email != f.User.Email || u.Role != f.User.Role || u.Phone != f.User.Phone || u.MFA != f.User.MFA || u.Status != f.User.Status {
		c.Writes = append(c.Writes, m.account(f.Task, &u)...)
	}
	kind := events.UserEdited
	if u.Status != f.User.Status {
		kind = events.UserEnabled
		if u.Status == Disabled {
			kind = events.UserDisabled
		}
	}
	d := userData(&u)
	d.Fields = fields
	if u.Email != f.User.Email {
		d.EmailWas = f.User.Email
	}
	c.Events = append(c.Events, m.event(kind, nil, f.Partner, d))
	return c, &u, nil
}

// PlanRemoveUserAccount plans that a user leaves the partner: at once it gets in nowhere (D23), and its address is free again. The last owner stays, unless the
// partner was removed.
func PlanRemoveUserAccount(f UserFacts, m Moment) (Change, error) {
	if f.Partner == nil || f.User == nil || f.User.Status == Removed {
		return Change{}, notFound("user")
	}
	if err := MayHandle(m.Actor, f.User.Role); err != nil {
		return Change{}, err
	}
	if h := f.Headcount; f.Partner.Status != Removed && h.Owners == 1 && f.User.Role == Owner && f.User.Status == Active {
		return Change{}, ownerRequired()
	}
	writes, u := Holder{User: f.User, Partner: f.Partner, Headcount: f.Headcount, Task: f.Task}.leave(m)
	return Change{
		Writes: append(writes, take(f.Email, u.Email, "")),
		Events: []events.Event{m.event(events.UserRemoved, nil, f.Partner, userData(u))},
	}, nil
}

// MayHandle refuses an actor who gives the role to a user, or changes a user who has it: a person of a partner where the role is above his own, and
// everybody but the provider where an owner is concerned. Whether the actor manages the partner's people at all has been decided before.
func MayHandle(a Actor, r Role) *Error {
	switch {
	case a.Kind == ActorProvider:
		return nil
	case r == Owner:
		return Refuse(Forbidden, "owners are set, changed and removed by the provider alone")
	case a.Kind == ActorPartner && r.Above(a.Role):
		return Refuse(Forbidden, "your role is %s: nobody gives a role above his own, or changes a user who has one", a.Role)
	}
	return nil
}

func ownerRequired() *Error {
	return Refuse(OwnerRequired, "the partner keeps at least one active owner: make another user the owner first")
}

// leftBehind writes that the user no longer has the address, and, while that is some customer's member's, that it had it.
func leftBehind(before *Email, u *User) EmailWrite {
	w := take(before, u.Email, "")
	if len(w.After.MemberOf) > 0 && !slices.Contains(w.After.Former, u.ID) {
		w.After.Former = append(slices.Clone(w.After.Former), u.ID)
	}
	return w
}

func take(before *Email, address, user string) EmailWrite {
	after := Email{Address: address}
	if before != nil {
		after = *before
	}
	after.User = user
	after.Version++
	return EmailWrite{Before: before, After: &after}
}

func reachable(u *User) error {
	if u.MFA && u.Phone == "" {
		return Refuse(PhoneRequired, "two-factor authentication needs a telephone number: give one, or switch mfa off").At("/phone") // P13
	}
	return nil
}

// count adds up what the headcount says of one user before and after.
func count(h *Headcount, before, after *User) {
	one := func(u *User, n int) {
		if u == nil || u.Status == Removed {
			return
		}
		if u.Role != External {
			h.Staff += n
		}
		if u.Role == Owner && u.Status == Active {
			h.Owners += n
		}
	}
	one(before, -1)
	one(after, 1)
}

func setAll(u *User, cmd UserCommand) {
	set(&u.Email, cmd.Email)
	set(&u.Name, cmd.Name)
	set(&u.Phone, cmd.Phone)
	set(&u.Status, cmd.Status)
	set(&u.MFA, cmd.MFA)
}

func differing(a, b *User) []string {
	var out []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"email", a.Email == b.Email},
		{"email_proved", a.Email != b.Email || a.Unproved == b.Unproved},
		{"mfa", a.MFA == b.MFA},
		{"name", a.Name == b.Name},
		{"phone", a.Phone == b.Phone},
		{"role", a.Role == b.Role},
		{"status", a.Status == b.Status},
	} {
		if !f.same {
			out = append(out, f.name)
		}
	}
	return out
}

func userData(u *User) events.Data {
	p := person(u)
	return events.Data{Version: u.Version, Person: &p, Role: string(u.Role)}
}

func stale(what string, seen, now int64) *Error {
	return Refuse(VersionMismatch, "the %s has changed since version %d was read; it is at version %d now: read it again and decide anew", what, seen, now)
}

func assign[T comparable](to *T, v T) bool {
	if *to == v {
		return false
	}
	*to = v
	return true
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}
