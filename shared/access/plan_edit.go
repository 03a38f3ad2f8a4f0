package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// EditCommand changes a grant that has not ended. Nil fields were not given.
type EditCommand struct {
	Seen       int64     // the version that the caller saw; AnyVersion = whichever is there
	Set        *[]string // these users and nobody else (D27)
	Add        []string
	Remove     []string
	Everyone   *bool
	Level      *Level
	From       *time.Time // zero = now
	Until      *time.Time // zero = continuous
	State      *State     // open or suspended
	RequireSSO *bool
	AssignedBy *Assigner
	Note       *string           // the customer's own
	Message    *string           // the customer's words to the partner
	Caps       map[string]*Level // by address: the most that the person may do; nil lifts the cap
}

// OnlyNarrows tells that the command takes access away whatever the grant is like, and gives none.
func (c EditCommand) OnlyNarrows() bool {
	takes := c.State != nil && *c.State == StateSuspended || len(c.Remove) > 0 || c.Everyone != nil && !*c.Everyone ||
		c.Level != nil && *c.Level == None
	gives := c.State != nil && *c.State != StateSuspended || len(c.Add) > 0 || c.Everyone != nil && *c.Everyone ||
		c.Level != nil && *c.Level != None
	return takes && !gives && c.Set == nil && c.From == nil && c.Until == nil && c.RequireSSO == nil && c.AssignedBy == nil && c.Note == nil &&
		c.Message == nil && c.Caps == nil
}

// OnlyCaps tells that the command caps people and lifts no cap: nearly always it takes.
func (c EditCommand) OnlyCaps() bool {
	for _, level := range c.Caps {
		if level == nil {
			return false
		}
	}
	return len(c.Caps) > 0 && c.Set == nil && len(c.Add) == 0 && len(c.Remove) == 0 && c.Everyone == nil && c.Level == nil && c.From == nil &&
		c.Until == nil &&
		c.State == nil && c.RequireSSO == nil && c.AssignedBy == nil && c.Note == nil && c.Message == nil
}

// AnyVersion is what an edit says that is meant for whichever version is there.
const AnyVersion int64 = -1

// PlanEdit plans a customer's edit. What only takes access away is never refused for a stale version; everything else answers
// VersionMismatch when the grant has changed since the caller saw it.
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
	if err := p.setPeriod(cmd.From, cmd.Until); err != nil {
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

// onlyTexts tells whether nothing but the note and the message is among the fields: neither gives anything.
func onlyTexts(fields []string) bool {
	return !slices.ContainsFunc(fields, func(f string) bool { return f != "note" && f != "message" })
}

// AssignCommand is the partner's choice of who of its users may enter one customer (A5).
type AssignCommand struct {
	Seen     int64     // AnyVersion when the caller did not say
	Users    *[]string // these and nobody else
	Add      []string
	Remove   []string
	Everyone *bool
}

// PlanAssign plans the partner's choice. It is the partner's only where the grant says so.
func PlanAssign(r GrantFacts, cmd AssignCommand, pc PlanContext) (GrantChange, error) {
	if r.Partner == nil || r.Customer == nil || r.Customer.Status != Active || r.Grant == nil {
		return GrantChange{}, notFound("customer")
	}
	if err := checkNotEnded(r, pc); err != nil {
		return GrantChange{}, err
	}
	if r.Grant.AssignedBy != ByPartner {
		return GrantChange{}, Refuse(Forbidden, "in this grant the customer picks the users: ask it to let the partner assign them")
	}
	p := newGrantPlan(r, pc)
	if err := p.changeUsers(cmd.Everyone, cmd.Users, cmd.Add, cmd.Remove, "/users", "/add"); err != nil {
		return GrantChange{}, err
	}
	if cmd.Seen != AnyVersion && cmd.Seen != r.Grant.PublicVersion() && len(p.widened) > 0 {
		return GrantChange{}, Refuse(VersionMismatch,
			"the choice has changed since version %d was read; it is at version %d now: read it again", cmd.Seen,
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

// PlanRemoveUser plans that one user is taken out of a grant.
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

// PlanLeave plans that one of the partner's users is taken out of a customer. Everybody leaves by itself, whoever picked it and even as the
// last one; others are taken out where the partner picks its users.
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
		return GrantChange{}, Refuse(Forbidden, "in this grant the customer picks the users: ask it to take the user out, or the user to leave")
	}
	if err := p.changeUsers(nil, nil, nil, []string{user}, "", ""); err != nil {
		return GrantChange{}, err
	}
	return p.finish(events.GrantEdited, nil)
}

// PlanRevoke plans the customer's end of a grant (D29, W13). It is never refused but for managed relationships, and says the same again
// when the grant has ended already.
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
	if why == PartnerRemoved && r.Partner != nil && r.Partner.Status == Removed { // it ended then, and everybody has been told so since
		end = *r.Grant.EndAt(r.Partner, pc.Now)
	}
	if r.Grant.expired(pc.Now) { // the clock was first
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
