package access

import (
	"slices"
	"time"
)

// DecisionReason is the stable code of a decision's reason.
type DecisionReason string

// The reasons. All but granted deny.
const (
	Granted                  DecisionReason = "granted"
	UnknownSubject           DecisionReason = "unknown_subject"
	DeniedPartnerNotActive   DecisionReason = "partner_not_active"
	DeniedPartnerNotEligible DecisionReason = "partner_not_eligible"
	SSORequired              DecisionReason = "sso_required"
	DeniedUserNotActive      DecisionReason = "user_not_active"
	NoGrant                  DecisionReason = "no_grant"
	NotYetActive             DecisionReason = "not_yet_active"
	DeniedSuspended          DecisionReason = "suspended"
	DeniedExpired            DecisionReason = "expired"
	DeniedEnded              DecisionReason = "ended"
	UserNotAssigned          DecisionReason = "user_not_assigned"
	DeniedConflict           DecisionReason = "customer_user_conflict"
	DeniedOwnOrganisation    DecisionReason = "own_organisation"
	LevelTooLow              DecisionReason = "level_too_low"
	ActionNotAllowed         DecisionReason = "action_not_allowed"
	RoleNotAllowed           DecisionReason = "role_not_allowed"
)

// Decision is the answer to one question, with its reason.
type Decision struct {
	Allow  bool
	Reason DecisionReason
	Grant  string    // the grant's id, when there is a grant
	Level  Level     // the effective level: the lowest of grant, cap, assignment and offer; None unless the user is in
	Until  time.Time // when the access ends by itself, UTC; zero = it does not, or there is none
}

// Decide reports whether the user may do the action in the customer's tenant at that instant. Every fact can deny on its own; the
// answer is yes only when all are there and none does (W11, A21, D5). Customer is the tenant's id.
func (c *Catalogue) Decide(f Facts, customer, action string, now time.Time) Decision {
	d := decideLevel(f, customer, now)
	if d.Reason != Granted {
		return d
	}
	switch yes, higher := c.allows(d.Level, action); {
	case yes:
		d.Allow = true
	case higher || d.Level == None:
		d.Reason = LevelTooLow
	default:
		d.Reason = ActionNotAllowed
	}
	return d
}

// decideLevel decides everything but the action: whether the user has access, and at which effective level.
func decideLevel(f Facts, customer string, now time.Time) Decision {
	deny := func(w DecisionReason) Decision { return Decision{Reason: w} }
	u, p, g := f.User, f.Partner, f.Grant
	switch {
	case u == nil || u.Status == Removed:
		return deny(UnknownSubject)
	case p == nil || p.ID != u.Partner:
		return deny(DeniedPartnerNotActive)
	case p.denial() != Granted:
		return deny(p.denial())
	case u.Status != Active:
		return deny(DeniedUserNotActive)
	case g == nil || g.Partner != p.ID || g.Customer != customer: // W12: a grant is for its own partner only
		return deny(NoGrant)
	}
	d := Decision{Grant: g.ID}
	a := f.Assignment
	if a != nil && (a.User != u.ID || a.Customer != customer) {
		a = nil
	}
	switch why := g.denial(p, now); {
	case why != Granted:
		d.Reason = why
	case !g.Admits(u, a):
		d.Reason = UserNotAssigned
	case slices.Contains(u.MemberOf, customer):
		d.Reason = DeniedConflict
	case InDomain(u.Email, g.Domain): // D7: the customer, or its domain, may be younger than the user
		d.Reason = DeniedOwnOrganisation
	default:
		d.Reason = Granted
		d.Level = g.LevelOf(p, u, a)
		d.Until = g.Until
	}
	return d
}

// denial returns the reason for which the partner's record denies all of its users, for every customer; Granted when there is none.
func (p *Partner) denial() DecisionReason {
	switch {
	case p.Status != Active:
		return DeniedPartnerNotActive
	case p.Class != Channel:
		return DeniedPartnerNotEligible
	}
	return Granted
}

// denial returns the reason for which the grant and its partner deny every user at that instant; Granted when there is none. Checks answer
// with it, and the status that people see is derived from it.
func (g *Grant) denial(p *Partner, now time.Time) DecisionReason {
	switch {
	case g.State == StateEnded && g.End != nil && g.End.Reason == Expired, g.expired(now):
		return DeniedExpired
	case g.State == StateEnded, p.Status == Removed:
		return DeniedEnded
	case p.denial() != Granted:
		return p.denial()
	case g.State != StateOpen:
		return DeniedSuspended
	case now.Before(g.From):
		return NotYetActive
	case g.RequireSSO && !p.SSO:
		return SSORequired
	}
	return Granted
}

// DecideAccess decides whether the user has any access to the customer at that instant. Allow is true when there is a level above none;
// the reason is the one that a check gives for an action that every level allows.
func DecideAccess(f Facts, customer string, now time.Time) Decision {
	d := decideLevel(f, customer, now)
	if d.Reason == Granted && d.Level == None {
		d.Reason = LevelTooLow
	}
	d.Allow = d.Reason == Granted
	return d
}

// EffectiveLevel returns the user's effective level in the customer's tenant at that instant, and whether the user has any access (A18:
// sign-in links are shown for it).
func EffectiveLevel(f Facts, customer string, now time.Time) (Level, bool) {
	d := DecideAccess(f, customer, now)
	return d.Level, d.Allow
}

// DecidePortal reports whether the user's role allows an action in the partner's own portal (P8-P11).
func (c *Catalogue) DecidePortal(f Facts, partner, action string) Decision {
	u, p := f.User, f.Partner
	switch {
	case u == nil || u.Status == Removed:
		return Decision{Reason: UnknownSubject}
	case p == nil || p.ID != u.Partner || p.Status != Active:
		return Decision{Reason: DeniedPartnerNotActive}
	case u.Status != Active:
		return Decision{Reason: DeniedUserNotActive}
	case u.Partner != partner || !c.roleAllows(u.Role, action):
		return Decision{Reason: RoleNotAllowed}
	}
	return Decision{Allow: true, Reason: Granted}
}
