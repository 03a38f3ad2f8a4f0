package access

import (
	"slices"
	"time"
)

// Why is the stable code of a decision's reason.
type Why string

// The reasons. All but granted deny.
const (
	Granted            Why = "granted"
	UnknownSubject     Why = "unknown_subject"
	WhyPartnerInactive Why = "partner_not_active"
	WhyNotEligible     Why = "partner_not_eligible"
	SSORequired        Why = "sso_required"
	WhyUserInactive    Why = "user_not_active"
	NoGrant            Why = "no_grant"
	PendingApproval    Why = "pending_approval"
	NotYetActive       Why = "not_yet_active"
	WhySuspended       Why = "suspended"
	WhyExpired         Why = "expired"
	WhyEnded           Why = "ended"
	UserNotAssigned    Why = "user_not_assigned"
	WhyConflict        Why = "customer_user_conflict"
	WhyOwnOrganisation Why = "own_organisation"
	LevelTooLow        Why = "level_too_low"
	ActionNotAllowed   Why = "action_not_allowed"
	RoleNotAllowed     Why = "role_not_allowed"
)

// Decision is the answer to one question, with its reason.
type Decision struct {
	Allow bool
	Why   Why
	Grant string    // the grant's id, when there is a grant
	Level Level     // the effective level: the lowest of grant, cap, assignment and offer; None unless the user is in
	Until time.Time // when the access ends by itself, UTC; zero = it does not, or there is none
}

// Decide tells whether the user may do the action in the customer's tenant at that instant. Every fact can deny on its own; the
// answer is yes only when all are there and none does (W11, A21, D5). Customer is the tenant's id.
func (c *Catalogue) Decide(f Facts, customer, action string, now time.Time) Decision {
	d := enter(f, customer, now)
	if d.Why != Granted {
		return d
	}
	switch yes, higher := c.allows(d.Level, action); {
	case yes:
		d.Allow = true
	case higher || d.Level == None:
		d.Why = LevelTooLow
	default:
		d.Why = ActionNotAllowed
	}
	return d
}

// enter decides everything but the action: whether the user is let in at all, and up to which level.
func enter(f Facts, customer string, now time.Time) Decision {
	deny := func(w Why) Decision { return Decision{Why: w} }
	u, p, g := f.User, f.Partner, f.Grant
	switch {
	case u == nil || u.Status == Removed:
		return deny(UnknownSubject)
	case p == nil || p.ID != u.Partner:
		return deny(WhyPartnerInactive)
	case p.standing() != Granted:
		return deny(p.standing())
	case u.Status != Active:
		return deny(WhyUserInactive)
	case g == nil || g.Partner != p.ID || g.Customer != customer: // W12: a grant is its own partner's and nobody else's
		return deny(NoGrant)
	}
	d := Decision{Grant: g.ID}
	a := f.Assignment
	if a != nil && (a.User != u.ID || a.Customer != customer) {
		a = nil
	}
	switch why := g.standing(p, now); {
	case why != Granted:
		d.Why = why
	case !g.Admits(u, a):
		d.Why = UserNotAssigned
	case slices.Contains(u.MemberOf, customer):
		d.Why = WhyConflict
	case InDomain(u.Email, g.Domain): // D7: the customer, or its domain, may be younger than the user
		d.Why = WhyOwnOrganisation
	default:
		d.Why = Granted
		d.Level = g.LevelOf(p, u, a)
		d.Until = g.Until
	}
	return d
}

// standing is what of the partner denies all of its users, whichever the customer; Granted when nothing does.
func (p *Partner) standing() Why {
	switch {
	case p.Status != Active:
		return WhyPartnerInactive
	case p.Class != Channel:
		return WhyNotEligible
	}
	return Granted
}

// standing is what of the grant and its partner denies everybody at that instant, whoever the user is; Granted when nothing does. Checks answer
// it, and the status that people see follows from it.
func (g *Grant) standing(p *Partner, now time.Time) Why {
	switch {
	case g.State == StateEnded && g.End != nil && g.End.Reason == Expired, g.expired(now):
		return WhyExpired
	case g.State == StateEnded, p.Status == Removed:
		return WhyEnded
	case g.State == StateRequested:
		return PendingApproval
	case p.standing() != Granted:
		return p.standing()
	case g.State != StateOpen:
		return WhySuspended
	case now.Before(g.From):
		return NotYetActive
	case g.RequireSSO && !p.SSO:
		return SSORequired
	}
	return Granted
}

// Entry decides whether the user has any access at all at that instant: allowed for any action, when there is a level. Its reason is the one that a
// check gives for an action that every level allows.
func Entry(f Facts, customer string, now time.Time) Decision {
	d := enter(f, customer, now)
	if d.Why == Granted && d.Level == None {
		d.Why = LevelTooLow
	}
	d.Allow = d.Why == Granted
	return d
}

// Enters tells whether the user has any access at all at that instant, and up to which level (A18: what a sign-in link stands for).
func Enters(f Facts, customer string, now time.Time) (Level, bool) {
	d := Entry(f, customer, now)
	return d.Level, d.Allow
}

// DecidePortal tells whether the user's role allows an action in the partner's own portal (P8-P11).
func (c *Catalogue) DecidePortal(f Facts, partner, action string) Decision {
	u, p := f.User, f.Partner
	switch {
	case u == nil || u.Status == Removed:
		return Decision{Why: UnknownSubject}
	case p == nil || p.ID != u.Partner || p.Status != Active:
		return Decision{Why: WhyPartnerInactive}
	case u.Status != Active:
		return Decision{Why: WhyUserInactive}
	case u.Partner != partner || !c.roleAllows(u.Role, action):
		return Decision{Why: RoleNotAllowed}
	}
	return Decision{Allow: true, Why: Granted}
}
