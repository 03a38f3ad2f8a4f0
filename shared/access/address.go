package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// An address counts when it is proved to be the user's: by a first sign-in, by an accepted invitation, by being in a domain that the
// provider has confirmed for the partner, or by the provider having entered it. A grant by e-mail finds nobody by an address that is not
// proved, and the account yields to whoever proves the address: the provider, the partner of the domain, a customer whose member it
// becomes, and the person who accepts an invitation.

// AddressHolder is the user who has an address, with what the end of the account looks at. Its User is nil when no partner's user has the
// address.
type AddressHolder struct {
	User      *User
	Partner   *Partner
	Headcount Headcount
	Task      *Task // the identity task that the user has

	// GrantsLoaded says that Grants are those in which the user counts, and have not ended as far as it is written down. It is looked up for
	// an external user of another partner who is invited.
	GrantsLoaded bool
	Grants       []*Grant
}

// maxFormer is how many addresses an account can have had before its present one.
const maxFormer = 20

// AddressProvedElsewhere is why an account ended whose address was never proved.
const AddressProvedElsewhere = "address_proved_elsewhere"

// endsWhenProved tells whether the account ends when somebody else proves the address.
func (h AddressHolder) endsWhenProved() bool {
	return h.User != nil && h.User.Status != Removed && h.User.Unproved && h.Partner != nil
}

// InvitedElsewhere is why an external user's account ended that no longer opened anything.
const InvitedElsewhere = "invited_elsewhere"

// hasNoAccess tells whether the account is one of an external user whose last customer is gone: it opens nothing, and ends when the person
// comes to another partner.
func (h AddressHolder) hasNoAccess(now time.Time) bool {
	if !h.GrantsLoaded || h.User == nil || h.User.Role != External || h.User.Status == Removed || h.Partner == nil {
		return false
	}
	return !slices.ContainsFunc(h.Grants, func(g *Grant) bool { return g.EndAt(h.Partner, now) == nil })
}

// endUnproved plans the end of an account whose address somebody else has proved. The caller writes whose the address is now. The event
// stands in the history of the holder's partner, and does not say who has proved the address.
func (h AddressHolder) endUnproved(pc PlanContext) ([]Write, []events.Event) {
	return h.endAccount(pc, AddressProvedElsewhere)
}

func (h AddressHolder) endAccount(pc PlanContext, reason string) ([]Write, []events.Event) {
	pc = pc.asClock()
	pc.Accounts = true // whoever takes the address may not keep accounts itself, and the sweep deletes a task for which nothing is to be done
	writes, u := h.removeUser(pc)
	d := userData(u)
	d.Reason = reason
	return writes, []events.Event{pc.event(events.UserRemoved, nil, h.Partner, d)}
}

// removeUser plans that the user is no longer the partner's, but for whose the address is then.
func (h AddressHolder) removeUser(pc PlanContext) ([]Write, *User) {
	u := *h.User
	u.Status, u.Updated = Removed, pc.Now
	u.Version++
	after := h.Headcount
	adjustHeadcount(&after, h.User, &u)
	after.Version++ // also when no number changes: a switch of everyone must not overlook it
	u.RemovalHeadcountVersion = after.Version
	return append([]Write{
		HeadcountWrite{Before: &h.Headcount, After: &after}, UserWrite{Before: h.User, After: &u}, pc.task(TaskUserRemoved, u.Partner, u.ID),
	}, append(pc.accountTask(h.Task, &u), pc.reviewInvitationsOf(h.User, &u)...)...), &u
}

// claimAddress plans that the address becomes one of a user of f.Partner: an unproved account of another partner that has it ends, when the
// partner or the provider may take it over. It refuses an address of customers' people (P5), of a domain that is another partner's, and one
// that another user has. Only the provider is told why: everybody else learns that the address cannot be used. The caller writes whose the
// address is now.
func (f UserFacts) claimAddress(address string, pc PlanContext) ([]Write, []events.Event, error) {
	of := f.Domains.partner(address)
	var err *Error
	switch h := f.Holder; {
	case f.Domains.ofCustomers(address):
		err = Refuse(NotForCustomers,
			"this address is in a domain that a customer has registered: accounts of partners are never for a customer's people")
	case of != "" && of != f.Partner.ID:
		err = Refuse(DomainTaken, "this address is in a domain that is confirmed for partner %s: no other partner makes users in it", of)
	case f.Email == nil:
		return nil, nil, nil
	case len(f.Email.MemberOf) > 0:
		err = Refuse(NotForCustomers, "this address belongs to a customer's member: accounts of partners are never for a customer's people")
	case f.Email.User == "":
		return nil, nil, nil
	case h.endsWhenProved() && h.User.Partner != f.Partner.ID && (pc.Actor.Kind == ActorProvider || of == f.Partner.ID):
		writes, past := h.endUnproved(pc)
		return writes, past, nil
	default:
		err = Refuse(EmailTaken, "a partner's user has this address already: every user has an address of its own")
	}
	if pc.Actor.Kind != ActorProvider {
		err = emailUnavailable()
	}
	return nil, nil, err.At("/email")
}

// emailUnavailable is all that somebody learns of an address who may not know whose it is.
func emailUnavailable() *Error {
	return Refuse(EmailUnavailable, "this address cannot be used: choose another one, or ask the provider")
}

// needsProof tells whether an address that the actor gives to a user of f.Partner has still to be proved.
func (f UserFacts) needsProof(address string, pc PlanContext) bool {
	return pc.Actor.Kind != ActorProvider && f.Domains.partner(address) != f.Partner.ID
}

// formerEmails is the list of the user's earlier addresses once it has another one.
func (u *User) formerEmails() ([]string, error) {
	out := slices.DeleteFunc(slices.Clone(u.FormerEmails), func(a string) bool { return a == u.Email })
	if out = append(out, u.Email); len(out) > maxFormer {
		return nil, Refuse(Invalid,
			"this account has had %d addresses already, and more are not possible: remove it and create another",
			maxFormer).At("/email")
	}
	return out, nil
}

// PlanAddressProved plans that a user's address is proved, because its owner has signed in under it. The change is empty when that is
// known, or the user has another address by now.
func PlanAddressProved(u *User, address string, pc PlanContext) Change {
	if u == nil || !u.Unproved || u.Email != address || u.Status == Removed {
		return Change{}
	}
	return Change{Writes: []Write{UserWrite{Before: u, After: u.withProvedAddress(pc)}}}
}

func (u *User) withProvedAddress(pc PlanContext) *User {
	after := *u
	after.Unproved, after.Updated = false, pc.Now
	after.Version++
	return &after
}
