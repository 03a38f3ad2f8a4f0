package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// An address is proved by a first sign-in, by an accepted invitation, by a domain that the provider has confirmed for the partner, or by
// the provider having entered it. A grant by e-mail does not find a user by an address that is not proved, and the account ends when
// somebody else proves the address: the provider, the partner of the domain, a customer whose member the person becomes, or the person who
// accepts an invitation.

// AddressHolder is the user who has an address, with the facts that a plan to end the account needs. User is nil when no partner's user
// has the address.
type AddressHolder struct {
	User      *User
	Partner   *Partner
	Headcount Headcount
	Task      *Task // the identity task that the user has

	// GrantsLoaded: Grants holds the grants, without a recorded end, in which the user counts. They are loaded for an external user of another
	// partner who is invited.
	GrantsLoaded bool
	Grants       []*Grant
}

// maxFormer is how many addresses an account can have had before its present one.
const maxFormer = 20

// AddressProvedElsewhere is the reason in the event when an unproved account ended because somebody else proved its address.
const AddressProvedElsewhere = "address_proved_elsewhere"

// endsWhenProved reports whether the account ends when somebody else proves the address: it is unproved, and not removed.
func (h AddressHolder) endsWhenProved() bool {
	return h.User != nil && h.User.Status != Removed && h.User.Unproved && h.Partner != nil
}

// InvitedElsewhere is the reason in the event when an external user's account without access ended because another partner's invitation
// was accepted.
const InvitedElsewhere = "invited_elsewhere"

// hasNoAccess reports whether the account is an external user's who counts in no grant that has not ended. Such an account ends when the
// person is invited to another partner. It is false unless GrantsLoaded.
func (h AddressHolder) hasNoAccess(now time.Time) bool {
	if !h.GrantsLoaded || h.User == nil || h.User.Role != External || h.User.Status == Removed || h.Partner == nil {
		return false
	}
	return !slices.ContainsFunc(h.Grants, func(g *Grant) bool { return g.EndAt(h.Partner, now) == nil })
}

// endUnproved plans the end of an account whose address somebody else has proved. The caller writes the address's new user. The event is
// in the history of the holder's partner, and does not name who proved the address.
func (h AddressHolder) endUnproved(pc PlanContext) ([]Write, []events.Event) {
	return h.endAccount(pc, AddressProvedElsewhere)
}

// endAccount plans the end of the account on behalf of the clock, with the reason in the event.
func (h AddressHolder) endAccount(pc PlanContext, reason string) ([]Write, []events.Event) {
	pc = pc.asClock()
	pc.Accounts = true // the actor's side may keep no accounts; the sweep deletes a task without work
	writes, u := h.removeUser(pc)
	d := userData(u)
	d.Reason = reason
	return writes, []events.Event{pc.event(events.UserRemoved, nil, h.Partner, d)}
}

// removeUser plans that the user is removed from the partner. The caller writes the record of the address.
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

// claimAddress plans that the address becomes that of a user of f.Partner. An unproved account of another partner that has it ends, if the
// actor is the provider or the domain is confirmed for f.Partner. It refuses an address of customers' people (P5), one in another
// partner's domain, and one that another user has. The refusal gives the cause to the provider only; to others it is EmailUnavailable. The
// caller writes the address's new user.
func (f UserFacts) claimAddress(address string, pc PlanContext) ([]Write, []events.Event, error) {
	of := f.Domains.partner(address)
	var err *Error
	switch h := f.Holder; {
	case IsPseudonym(address):
		return nil, nil, Refuse(Invalid, "addresses of %s stand for people who were erased", pseudonyms).At("/email")
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

// emailUnavailable is the refusal for callers who may not know whose an address is.
func emailUnavailable() *Error {
	return Refuse(EmailUnavailable, "this address cannot be used: choose another one, or ask the provider")
}

// needsProof reports whether an address that the actor sets for a user of f.Partner is unproved.
func (f UserFacts) needsProof(address string, pc PlanContext) bool {
	return pc.Actor.Kind != ActorProvider && f.Domains.partner(address) != f.Partner.ID
}

// formerEmails returns the list of former addresses for a user that gets another address. It refuses more than maxFormer.
func (u *User) formerEmails() ([]string, error) {
	out := slices.DeleteFunc(slices.Clone(u.FormerEmails), func(a string) bool { return a == u.Email })
	if out = append(out, u.Email); len(out) > maxFormer {
		return nil, Refuse(Invalid,
			"this account has had %d addresses already, and more are not possible: remove it and create another",
			maxFormer).At("/email")
	}
	return out, nil
}

// PlanAddressProved plans that a user's address is proved, because its owner has signed in with it. The change is empty when the address
// is proved already, or the user has another one now.
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
