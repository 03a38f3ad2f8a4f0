package access

import (
	"slices"
	"sort"

	"partneraccess/events"
)

// MemberFacts are the records that a plan about a customer's member reads.
type MemberFacts struct {
	Customer *Customer
	Member   *Member
	Email    *Email        // nil when nothing is known of the address
	Holder   AddressHolder // the partner's user with that address
	Task     *Task         // the identity task of the account that the address has for its members

	FormerHolders []*User // the partners' users who had that address while it was a member's
	// those, and the one who has it, who are members of the customer under another of their addresses as well, by id
	OtherMemberships map[string]bool

	LastAdmin bool // the member is the customer's only admin, and a grant has not ended; looked up where the member would be an admin no more
	Confirmed bool // the caller says that it knows so
}

// LastAdminLeft is the reason in the event when a customer with open grants has no admin left, which concerns the provider.
const LastAdminLeft = "last_admin"

// dropAdmin plans what else changes when a member is no longer an admin, and returns the reason for the event. It refuses to leave a
// customer with open grants without an admin, unless that is confirmed. It writes the customer's record, so that of two admins who are
// removed at once the second is seen to be the last.
func (f MemberFacts) dropAdmin(pc PlanContext) (writes []Write, reason string, err error) {
	if f.LastAdmin && !f.Confirmed {
		return nil, "", Refuse(LastAdmin,
			"%s is the only admin of customer %s, whose grants nobody could end then: register another admin first, or confirm with "+
				"?confirm=last_admin",
			f.Member.Email, f.Customer.ID)
	}
	writes = pc.reviewInvitations(f.Customer, "")
	if f.Customer.Status == Active {
		writes = append(writes, bumpVersion(f.Customer))
	}
	if f.LastAdmin {
		reason = LastAdminLeft
	}
	return writes, reason, nil
}

// PlanMember plans that a person becomes a member of a customer, or that its name or role changes. A partner's user who becomes a
// member can no longer come in as a partner (A7), and gains nothing by it; an account whose address was never proved ends.
// Seen is the version that the caller has seen, or AnyVersion.
func PlanMember(f MemberFacts, address, name string, admin bool, seen int64, pc PlanContext) (Change, *Member, error) {
	if f.Customer == nil || f.Customer.Status != Active {
		return Change{}, nil, notFound("customer")
	}
	if is := f.Member; seen != AnyVersion && (is == nil || is.Version != seen) {
		var version int64
		if is != nil {
			version = is.Version
		}
		return Change{}, nil, versionMismatch("member", seen, version)
	}
	after := Member{Customer: f.Customer.ID, Email: address, Created: pc.Now}
	kind := events.MemberAdded
	if f.Member != nil {
		after, kind = *f.Member, events.MemberEdited
		if after.Name == name && after.Admin == admin {
			return Change{}, f.Member, nil
		}
	}
	after.Name, after.Admin = name, admin
	after.Version++
	c, made := Change{Writes: []Write{MemberWrite{Before: f.Member, After: &after}}}, false
	if f.Member == nil {
		if f.Email != nil && len(f.Email.MemberOf) >= MaxMemberships {
			return Change{}, nil, Refuse(Invalid, "%s is a member of %d customers already, and more are not possible", address, MaxMemberships)
		}
		if f.Holder.endsWhenProved() {
			writes, past := f.Holder.endUnproved(pc)
			c.Writes, c.Events = append(c.Writes, writes...), append(c.Events, past...)
		}
		more, gets := membershipWrites(f, address, true, pc)
		c.Writes, made = append(c.Writes, more...), gets
	}
	reason := ""
	if f.Member != nil && f.Member.Admin && !admin {
		writes, why, err := f.dropAdmin(pc)
		if err != nil {
			return Change{}, nil, err
		}
		c.Writes, reason = append(c.Writes, writes...), why
	}
	c.Events = append(c.Events, pc.event(kind, f.Customer, nil, events.Data{
		Person: &events.Person{Email: address, Name: name}, Role: after.role(), Reason: reason, Account: made,
		Changes: memberAlterations(f.Member, &after),
	}))
	return c, &after, nil
}

// PlanRemoveMember plans that a person is no longer a member. A removed customer's members can be removed, too: until then their addresses
// belong to it.
func PlanRemoveMember(f MemberFacts, pc PlanContext) (Change, error) {
	if f.Customer == nil || f.Member == nil {
		return Change{}, notFound("member")
	}
	more, _ := membershipWrites(f, f.Member.Email, false, pc)
	writes := append([]Write{MemberWrite{Before: f.Member}}, more...)
	reason := ""
	if f.Member.Admin {
		more, why, err := f.dropAdmin(pc)
		if err != nil {
			return Change{}, err
		}
		writes, reason = append(writes, more...), why
	}
	return Change{
		Writes: writes,
		Events: []events.Event{pc.event(events.MemberRemoved, f.Customer, nil,
			events.Data{Person: &events.Person{Email: f.Member.Email, Name: f.Member.Name}, Reason: reason})},
	}, nil
}

// membershipWrites records whether the person is a member of the customer: at the address, and at the partners' users who have the address
// or had it while it was a member's. The account of the members with the address is made or ends; made reports the former.
func membershipWrites(f MemberFacts, address string, member bool, pc PlanContext) (writes []Write, made bool) {
	after := Email{Address: address}
	if f.Email != nil {
		after = *f.Email
	}
	after.MemberOf = toggled(after.MemberOf, f.Customer.ID, member)
	if len(after.MemberOf) == 0 {
		after.FormerUsers = nil
	}
	after.forgetUnheld()
	after.Version++
	people := f.FormerHolders
	if member && f.Holder.endsWhenProved() {
		after.User = ""
	} else if f.Holder.User != nil {
		people = append(slices.Clone(people), f.Holder.User)
	}
	had := after.Account
	accounts := pc.maintainMemberAccount(&after, f.Task)
	out := append([]Write{EmailWrite{Before: f.Email, After: &after}}, accounts...)
	for _, user := range people {
		if user.Status == Removed || !member && f.OtherMemberships[user.ID] {
			continue
		}
		u := *user
		u.MemberOf = toggled(u.MemberOf, f.Customer.ID, member)
		u.Version++
		out = append(out, UserWrite{Before: user, After: &u})
	}
	return out, had == "" && after.Account != ""
}

// PlanRenewMember plans that a member gets a temporary password, again or for the first time: accounts may not have been kept when it was
// registered. It is refused where the member signs in otherwise. The caller has found out that the member has not signed in, or has ended
// its password.
func PlanRenewMember(f MemberFacts, pc PlanContext) (Change, *Member, error) {
	if f.Customer == nil || f.Customer.Status != Active || f.Member == nil || f.Email == nil {
		return Change{}, nil, notFound("member")
	}
	switch u := f.Holder.User; {
	case u != nil && u.Status != Removed:
		return Change{}, nil, Refuse(EmailTaken,
			"user %s of a partner has the address %s, whose account carries no membership: give one of them another address", u.ID, f.Member.Email)
	case pc.Federation.Covers(f.Member.Email):
		return Change{}, nil, Refuse(NotFound, "%s signs in with its own identity provider: no password is kept here", f.Member.Email)
	}
	after := *f.Email
	writes := pc.maintainMemberAccount(&after, f.Task)
	if after.Account == f.Email.Account {
		writes = pc.identityTask(f.Task, after.Account, Task{Address: after.Address, Customer: f.Customer.ID})
	} else {
		after.Version++
		writes = append(writes, EmailWrite{Before: f.Email, After: &after})
	}
	return Change{
		Writes: writes,
		Events: []events.Event{pc.event(events.MemberRenewed, f.Customer, nil,
			events.Data{Person: &events.Person{Email: f.Member.Email, Name: f.Member.Name}})},
	}, f.Member, nil
}

func toggled(list []string, s string, in bool) []string {
	out := slices.DeleteFunc(slices.Clone(list), func(e string) bool { return e == s })
	if in {
		out = append(out, s)
		sort.Strings(out)
	}
	return out
}
