package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// EditCommand changes a grant that has not ended. Nil fields were not given.
type EditCommand struct {
	Seen       int64     // the version that the caller read, or AnyVersion
	Set        *[]string // replaces all users (D27)
	Add        []string
	Remove     []string
	Everyone   *bool
	Level      *Level
	From       *time.Time     // zero = now
	Until      *time.Time     // zero = continuous
	Extend     *time.Duration // moves the present end so much later, instead of Until
	AutoExtend *time.Duration // 0 = not extended by itself
	State      *State         // open or suspended
	RequireSSO *bool
	AssignedBy *Assigner
	Note       *string           // the customer's own; the partner never sees it
	Message    *string           // from the customer to the partner
	Caps       map[string]*Level // by address: the highest level that the person may have; nil lifts the cap
}

// OnlyNarrows reports whether the command narrows access whatever the grant is like, and widens nothing.
func (c EditCommand) OnlyNarrows() bool {
	narrows := c.State != nil && *c.State == StateSuspended || len(c.Remove) > 0 || c.Everyone != nil && !*c.Everyone ||
		c.Level != nil && *c.Level == None
	widens := c.State != nil && *c.State != StateSuspended || len(c.Add) > 0 || c.Everyone != nil && *c.Everyone ||
		c.Level != nil && *c.Level != None
	return narrows && !widens && c.Set == nil && c.From == nil && c.Until == nil && c.Extend == nil &&
		c.AutoExtend == nil && c.RequireSSO == nil &&
		c.AssignedBy == nil && c.Note == nil && c.Message == nil && c.Caps == nil
}

// OnlyCaps reports whether the command sets caps and nothing else, and lifts none: it nearly always narrows access.
func (c EditCommand) OnlyCaps() bool {
	for _, level := range c.Caps {
		if level == nil {
			return false
		}
	}
	return len(c.Caps) > 0 && c.Set == nil && len(c.Add) == 0 && len(c.Remove) == 0 && c.Everyone == nil && c.Level == nil && c.From == nil &&
		c.Until == nil && c.Extend == nil && c.AutoExtend == nil && c.State == nil && c.RequireSSO == nil && c.AssignedBy == nil &&
		c.Note == nil && c.Message == nil
}

// AnyVersion is the Seen of a command that applies to whichever version is stored.
const AnyVersion int64 = -1

// PlanEdit plans a customer's edit. A change that only narrows access is never refused for a stale version; any other is refused with
// VersionMismatch when the grant has changed since the caller read it.
func PlanEdit(r GrantFacts, cmd EditCommand, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Customer.Status != Active || r.Grant == nil {
		return GrantChange{}, notFound("grant")
	}
	if r.Grant.Managed && !r.Grant.Ended(pc.Now) {
		return GrantChange{}, managed()
	}
	if err := checkNotEnded(r, pc); err != nil {
		return GrantChange{}, err
	}
	p := newGrantPlan(r, pc)
	if cmd.Level != nil {
		p.setLevel(*cmd.Level)
	}
	if cmd.Extend != nil {
		end, err := p.extended(*cmd.Extend)
		if err != nil {
			return GrantChange{}, err
		}
		cmd.Until = &end
	}
	if err := p.setPeriod(cmd.From, cmd.Until); err != nil {
		return GrantChange{}, err
	}
	if err := p.setAutoExtend(cmd.AutoExtend); err != nil {
		return GrantChange{}, err
	}
	if cmd.RequireSSO != nil && *cmd.RequireSSO != p.grant.RequireSSO {
		p.grant.RequireSSO = *cmd.RequireSSO
		p.recordChange("require_sso", !*cmd.RequireSSO)
	}
	p.setAssignedBy(cmd.AssignedBy)
	p.setTexts(cmd.Note, cmd.Message)
	kind := events.GrantEdited
	if cmd.State != nil && *cmd.State != p.grant.State {
		kind = events.GrantSuspended
		if *cmd.State == StateOpen {
			kind = events.GrantResumed
		}
		p.grant.State = *cmd.State
		p.recordChange("state", *cmd.State == StateOpen)
	}
	if err := p.changeUsers(cmd.Everyone, cmd.Set, cmd.Add, cmd.Remove, "/users/set", "/users/add"); err != nil {
		return GrantChange{}, err
	}
	for _, address := range sortedKeys(cmd.Caps) {
		if err := p.setCap(address, cmd.Caps[address]); err != nil {
			return GrantChange{}, err
		}
	}
	if cmd.Seen != AnyVersion && cmd.Seen != r.Grant.PublicVersion() && len(p.widened) > 0 {
		return GrantChange{}, Refuse(VersionMismatch,
			"the grant has changed since version %d was read; it is at version %d now: read it again and decide anew",
			cmd.Seen, r.Grant.PublicVersion())
	}
	if len(p.widened) > 0 && !onlyTexts(p.widened) {
		if err := checkEligible(r.Partner); err != nil {
			return GrantChange{}, err
		}
	}
	out, err := p.finish(kind, nil)
	out.Change.Narrows = len(p.widened) == 0
	return out, err
}

// onlyTexts reports whether the fields are the note or the message only: they do not widen access.
func onlyTexts(fields []string) bool {
	return !slices.ContainsFunc(fields, func(f string) bool { return f != "note" && f != "message" })
}

// AssignCommand is the partner's assignment of its users to one customer (A5).
type AssignCommand struct {
	Seen     int64     // the version that the caller read, or AnyVersion
	Users    *[]string // replaces all users; nil = not given
	Add      []string
	Remove   []string
	Everyone *bool
}

// PlanAssign plans the partner's assignment of its users. It is Forbidden unless the grant says that the partner assigns.
func PlanAssign(r GrantFacts, cmd AssignCommand, pc PlanContext) (GrantChange, error) {
	if r.Partner == nil || r.Customer == nil || r.Customer.Status != Active || r.Grant == nil {
		return GrantChange{}, notFound("customer")
	}
	if err := checkNotEnded(r, pc); err != nil {
		return GrantChange{}, err
	}
	if r.Grant.AssignedBy != ByPartner {
		return GrantChange{}, Refuse(Forbidden, "in this grant the customer assigns the users: ask it to let the partner assign them")
	}
	p := newGrantPlan(r, pc)
	if err := p.changeUsers(cmd.Everyone, cmd.Users, cmd.Add, cmd.Remove, "/users", "/add"); err != nil {
		return GrantChange{}, err
	}
	if cmd.Seen != AnyVersion && cmd.Seen != r.Grant.PublicVersion() && len(p.widened) > 0 {
		return GrantChange{}, Refuse(VersionMismatch,
			"the assigned users have changed since version %d was read; it is at version %d now: read it again", cmd.Seen,
			r.Grant.PublicVersion())
	}
	if len(p.widened) > 0 {
		if err := checkEligible(r.Partner); err != nil {
			return GrantChange{}, err
		}
	}
	return p.finish(events.GrantEdited, nil)
}

func checkNotEnded(r GrantFacts, pc PlanContext) *Error {
	end := r.Grant.EndAt(r.Partner, pc.Now)
	if end == nil {
		return nil
	}
	return Refuse(Ended, "this grant ended at %s (%s) and cannot be changed: grant access again", end.At.Format(time.RFC3339), end.Reason)
}

// PlanRemoveUser plans that the customer removes one user from a grant.
func PlanRemoveUser(r GrantFacts, user string, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Customer.Status != Active || r.Grant == nil {
		return GrantChange{}, notFound("grant")
	}
	if r.Grant.Managed && !r.Grant.Ended(pc.Now) {
		return GrantChange{}, managed()
	}
	if err := checkNotEnded(r, pc); err != nil {
		return GrantChange{}, err
	}
	p := newGrantPlan(r, pc)
	u := r.Users[user]
	if u == nil || u.Partner != p.grant.Partner || !p.grant.Admits(u, p.row(user)) {
		return GrantChange{}, notFound("user in this grant")
	}
	if err := p.changeUsers(nil, nil, nil, []string{user}, "", ""); err != nil {
		return GrantChange{}, err
	}
	return p.finish(events.GrantEdited, nil)
}

// PlanLeave plans that one of the partner's users is removed from a grant by the partner's side. Every user may remove itself, even the
// last one and whoever assigned it; others are removed only where the partner assigns its users.
func PlanLeave(r GrantFacts, user string, pc PlanContext) (GrantChange, error) {
	if r.Partner == nil || r.Customer == nil || r.Customer.Status != Active || r.Grant == nil {
		return GrantChange{}, notFound("customer")
	}
	if err := checkNotEnded(r, pc); err != nil {
		return GrantChange{}, err
	}
	p := newGrantPlan(r, pc)
	u := r.Users[user]
	if u == nil || u.Partner != p.grant.Partner || !p.grant.Admits(u, p.row(user)) {
		return GrantChange{}, notFound("user in this grant")
	}
	if user == pc.Actor.User {
		if err := p.remove(u); err != nil {
			return GrantChange{}, err
		}
		return p.finish(events.GrantEdited, nil)
	}
	if r.Grant.AssignedBy != ByPartner {
		return GrantChange{}, Refuse(Forbidden, "in this grant the customer assigns the users: ask it to remove the user, or the user to leave")
	}
	if err := p.changeUsers(nil, nil, nil, []string{user}, "", ""); err != nil {
		return GrantChange{}, err
	}
	return p.finish(events.GrantEdited, nil)
}

// PlanRevoke plans the customer's end of a grant (D29, W13). It is refused for managed relationships only. When the grant has ended
// already, the change is empty.
func PlanRevoke(r GrantFacts, pc PlanContext) (GrantChange, error) {
	return planOwnEnd(r, RevokedByCustomer, pc)
}

// PlanRelinquish plans the partner's end of a grant.
func PlanRelinquish(r GrantFacts, pc PlanContext) (GrantChange, error) {
	return planOwnEnd(r, RelinquishedByPartner, pc)
}

// PlanEndRelationship plans the provider's end of a relationship (A4). A managed one ends through PlanUnmanage.
func PlanEndRelationship(r GrantFacts, pc PlanContext) (GrantChange, error) {
	return planOwnEnd(r, RelationshipEnded, pc)
}

func planOwnEnd(r GrantFacts, why Reason, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Grant == nil {
		return GrantChange{}, notFound("grant")
	}
	if r.Grant.Managed && !r.Grant.Ended(pc.Now) {
		return GrantChange{}, managed()
	}
	return planEnd(r, why, pc)
}

func planEnd(r GrantFacts, why Reason, pc PlanContext) (GrantChange, error) {
	if r.Grant == nil || r.Grant.State == StateEnded {
		return GrantChange{Grant: r.Grant}, nil
	}
	kind := map[Reason]events.Type{
		RevokedByCustomer: events.GrantRevoked, RelinquishedByPartner: events.GrantRelinquished,
		Expired: events.GrantExpired,
	}[why]
	if kind == "" {
		kind = events.GrantEnded
	}
	end := End{Reason: why, At: pc.Now, By: pc.Actor.by()}
	if why == PartnerRemoved && r.Partner != nil && r.Partner.Status == Removed { // the end was at the removal
		end = *r.Grant.EndAt(r.Partner, pc.Now)
	}
	if r.Grant.expired(pc.Now) { // it had expired before
		end, kind = End{Reason: Expired, At: r.Grant.Until, By: By{Kind: ActorClock}}, events.GrantExpired
		pc = pc.asClock()
	}
	p := newGrantPlan(r, pc)
	before := p.userCount()
	p.grant.State, p.grant.End = StateEnded, &end
	p.grant.Managed = false
	p.recordChange("state", false)
	out, err := p.finish(kind, func(d *events.Data) { d.Reason = string(end.Reason) })
	out.Summary.Before, out.Summary.After = before, 0
	return out, err
}
