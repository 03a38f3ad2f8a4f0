package access

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"partneraccess/events"
)

// GrantCommand grants a partner access to a customer's tenant. Nil fields were not given.
type GrantCommand struct {
	Users      []string       // users to assign (D16)
	Individual bool           // the one user was named by e-mail: Level is that user's own (D15)
	Everyone   bool           // all staff, now and later (E11)
	Level      *Level         // default: view
	From       *time.Time     // zero = now
	Until      *time.Time     // zero = continuous
	AutoExtend *time.Duration // default: not extended by itself
	RequireSSO *bool          // default: DefaultSSO
	AssignedBy *Assigner      // default: the customer when users or everyone are given, otherwise the partner (A5)
	Note       *string        // the customer's own
	Message    *string        // from the customer to the partner
	DefaultSSO bool           // the provider's setting
}

// CheckGrant refuses what PlanGrant refuses independently of the users. It runs before an address is looked up, so that a wrong request
// learns nothing about it.
func CheckGrant(c *Customer, cmd GrantCommand, pc PlanContext) error {
	switch {
	case c == nil || c.Status != Active:
		return notFound("customer")
	case c.ManagedBy != "":
		return managed()
	case cmd.Until != nil && !cmd.Until.IsZero() && !cmd.Until.After(pc.Now):
		return Refuse(PeriodInvalid, "the end %s is not in the future", cmd.Until.Format(time.RFC3339)).At("/until")
	case cmd.From != nil && cmd.Until != nil && !cmd.Until.IsZero() && !cmd.Until.After(*cmd.From):
		return Refuse(PeriodInvalid, "the period ends at %s, before it begins at %s", cmd.Until.Format(time.RFC3339),
			cmd.From.Format(time.RFC3339)).At("/until")
	}
	return nil
}

// PlanGrant plans a grant: a new one, or, where one is open already, a merge into it (D20). It refuses
// managed customers (A12), partners that are not active or not eligible (D9, W4), users who are not the partner's (A6), not active
// (D8), of the customer's own organisation (D7) or its members (A7), and periods that have passed.
func PlanGrant(r GrantFacts, cmd GrantCommand, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Customer.Status != Active {
		return GrantChange{}, notFound("customer")
	}
	if r.Customer.ManagedBy != "" || r.Grant != nil && r.Grant.Managed && !r.Grant.Ended(pc.Now) {
		return GrantChange{}, managed()
	}
	if err := checkEligible(r.Partner); err != nil {
		return GrantChange{}, err.At("/partner")
	}
	p := newGrantPlan(r, pc)
	if r.Grant == nil || r.Grant.Ended(pc.Now) {
		if err := p.openAs(cmd); err != nil {
			return GrantChange{}, err
		}
	} else if err := cmd.checkSameTerms(r.Grant, pc.Now); err != nil {
		return GrantChange{}, err
	}
	if cmd.Everyone {
		p.switchEveryone(true)
	}
	for i, id := range cmd.Users {
		u, err := p.assignableUser(id)
		if err != nil {
			return GrantChange{}, err.At(userPointer(cmd.Individual, "/users", i))
		}
		p.add(u, nil)
		if cmd.Individual && cmd.Level != nil {
			if err := p.capIndividual(u, *cmd.Level); err != nil {
				return GrantChange{}, err
			}
		}
	}
	return p.finish(grantEventType(p.created), nil)
}

// openAs opens a new grant with the terms of the command, or their defaults.
func (p *grantPlan) openAs(cmd GrantCommand) error {
	level := View
	if cmd.Level != nil {
		level = *cmd.Level
	}
	p.open(level, p.pc.Now, time.Time{})
	p.grant.RequireSSO = cmd.DefaultSSO
	if len(cmd.Users) == 0 && !cmd.Everyone {
		p.grant.AssignedBy = ByPartner
	}
	if cmd.RequireSSO != nil && *cmd.RequireSSO != p.grant.RequireSSO {
		p.recordChange("require_sso", !*cmd.RequireSSO)
		p.grant.RequireSSO = *cmd.RequireSSO
	}
	p.setAssignedBy(cmd.AssignedBy)
	p.setTexts(cmd.Note, cmd.Message)
	if err := p.setPeriod(cmd.From, cmd.Until); err != nil {
		return err
	}
	return p.setAutoExtend(cmd.AutoExtend)
}

// checkSameTerms refuses, with GrantDiffers, a second grant whose terms differ from the open one's: it can only add people (D20).
func (c GrantCommand) checkSameTerms(g *Grant, now time.Time) error {
	from := g.From
	if !from.After(now) {
		from = now // it has begun
	}
	var fields []string
	add := func(field string, differs bool) {
		if differs {
			fields = append(fields, field)
		}
	}
	add("level", c.Level != nil && !c.Individual && *c.Level != g.Level)
	add("from", c.From != nil && !later(*c.From, now).Equal(from))
	add("until", c.Until != nil && !c.Until.Equal(g.Until))
	add("auto_extend", c.AutoExtend != nil && *c.AutoExtend != g.AutoExtend)
	add("require_sso", c.RequireSSO != nil && *c.RequireSSO != g.RequireSSO)
	add("assigned_by", c.AssignedBy != nil && *c.AssignedBy != g.AssignedBy)
	add("note", c.Note != nil && *c.Note != g.Note)
	add("message", c.Message != nil && *c.Message != g.Message)
	if len(fields) == 0 {
		return nil
	}
	err := Refuse(GrantDiffers,
		"a grant to partner %s is open already, with another %s: leave that out to add people to it, or change it for everybody "+
			"with PATCH /v1/customers/%s/grants/%[1]s", g.Partner, strings.Join(fields, ", "), g.Customer)
	for _, f := range fields {
		err.Fields = append(err.Fields, Field{Pointer: "/" + f, Detail: "the open grant has another " + f})
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func grantEventType(fresh bool) events.Type {
	if fresh {
		return events.GrantCreated
	}
	return events.GrantEdited
}

func (p *grantPlan) setAssignedBy(a *Assigner) {
	if a != nil && *a != p.grant.AssignedBy {
		p.setAssigner(*a)
	}
}

// setAssigner sets who assigns the users, and since when.
func (p *grantPlan) setAssigner(a Assigner) {
	if a == p.grant.AssignedBy {
		return
	}
	p.grant.AssignedBy = a
	if !p.created {
		p.grant.AssignedBySince = p.pc.Now
	}
	p.recordChange("assigned_by", a == ByPartner)
}

func (p *grantPlan) setTexts(note, message *string) {
	if note != nil && *note != p.grant.Note {
		p.grant.Note = *note
		p.recordChange("note", true) // widens nothing, but a stale caller must not overwrite it
	}
	if message != nil && *message != p.grant.Message {
		p.grant.Message = *message
		p.recordChange("message", true) // likewise
	}
}

func checkEligible(p *Partner) *Error {
	switch {
	case p == nil:
		return Refuse(NotFound, "there is no such partner: look it up in the partners directory")
	case p.Status != Active:
		return Refuse(PartnerNotActive, "this partner is not active: nobody can grant it access now")
	case p.Class != Channel:
		// D9
		return Refuse(PartnerNotEligible,
			"this partner is not classified as a channel partner, so customers cannot grant it access: ask the provider")
	case p.Offer == None:
		return Refuse(PartnerNotEligible, "the provider offers this partner no access to customers: ask the provider").offering(None) // W4, D10
	}
	return nil
}

func managed() *Error {
	return Refuse(Managed, "this customer is managed: the relationship is always open and only the provider changes it") // A12
}

func notFound(what string) *Error { return Refuse(NotFound, "there is no such %s", what) }

func userPointer(individual bool, list string, i int) string {
	if individual {
		return "/email"
	}
	return list + "/" + strconv.Itoa(i)
}

// PlanRelationship plans a relationship that the provider establishes: level support when the offer is at least that, otherwise none (W7).
// The partner assigns its users. When a grant is open already, the change is empty.
func PlanRelationship(r GrantFacts, everyone, defaultSSO bool, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Customer.Status != Active {
		return GrantChange{}, notFound("customer")
	}
	if r.Partner == nil {
		return GrantChange{}, notFound("partner")
	}
	if by := r.Customer.ManagedBy; by != "" && by != r.Partner.ID {
		// A15
		return GrantChange{}, Refuse(ManagedElsewhere,
			"customer %s is managed by partner %s, and a managed customer has one partner", r.Customer.ID, by)
	}
	if r.Partner.Status != Active {
		return GrantChange{}, Refuse(PartnerNotActive, "partner %s is %s: make it active first", r.Partner.ID, r.Partner.Status)
	}
	if r.Partner.Class != Channel {
		// D9
		return GrantChange{}, Refuse(PartnerNotEligible,
			"partner %s is not classified as a channel partner, so none of its users has access: change its class first",
			r.Partner.ID)
	}
	p := newGrantPlan(r, pc)
	if r.Grant != nil && !r.Grant.Ended(pc.Now) {
		return p.finish(events.GrantEdited, nil)
	}
	level := None
	if r.Partner.Offer >= Support {
		level = Support
	}
	p.open(level, pc.Now, time.Time{})
	p.grant.RequireSSO, p.grant.AssignedBy = defaultSSO, ByPartner
	if everyone {
		p.switchEveryone(true)
	}
	return p.finish(events.GrantCreated, nil)
}

// PlanManage plans that the partner manages the customer: always open, level manage (A2, A11, A15, A16). Others are the customer's grants
// to other partners with those partners, read together with r. It refuses while another partner has an open grant or manages the customer.
// A removed partner does not count: its grant has ended, even if the sweep has not recorded that yet.
func PlanManage(r GrantFacts, others []GrantRow, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Customer.Status != Active {
		return GrantChange{}, notFound("customer")
	}
	var gone *Partner // managed the customer before
	if by := r.Customer.ManagedBy; by != "" && (r.Partner == nil || by != r.Partner.ID) {
		for _, row := range others {
			if row.Grant.Partner == by && row.Partner != nil && row.Partner.Status == Removed {
				gone = row.Partner
			}
		}
		if gone == nil {
			return GrantChange{}, Refuse(ManagedElsewhere, "customer %s is managed by partner %s: end that first", r.Customer.ID, by)
		}
	}
	if err := checkEligible(r.Partner); err != nil {
		return GrantChange{}, err.At("/partner")
	}
	if r.Partner.Offer < Manage {
		return GrantChange{}, Refuse(PartnerNotEligible,
			"partner %s is offered %s, and managing a customer needs the offer manage", r.Partner.ID,
			r.Partner.Offer).At("/partner").offering(r.Partner.Offer)
	}
	for _, row := range others {
		if g := row.Grant; g.Partner != r.Partner.ID && g.EndAt(row.Partner, pc.Now) == nil {
			return GrantChange{}, Refuse(CustomerHasPartners,
				"customer %s still grants partner %s access, and a managed customer has one partner: end that first",
				r.Customer.ID, g.Partner)
		}
	}
	p := newGrantPlan(r, pc)
	switch {
	case p.grant == nil || p.grant.Ended(pc.Now):
		p.open(Manage, pc.Now, time.Time{})
	case r.Customer.ManagedBy == r.Partner.ID && p.grant.Managed:
		return p.finish(events.GrantEdited, nil)
	}
	if p.grant.AssignedBy != ByPartner && !p.created {
		p.grant.AssignedBySince = pc.Now
	}
	p.grant.Managed, p.grant.AssignedBy = true, ByPartner
	p.recordChange("managed", true)
	p.setLevel(Manage)
	if p.grant.State != StateOpen {
		p.grant.State = StateOpen
		p.recordChange("state", true)
	}
	if err := p.setPeriod(&time.Time{}, &time.Time{}); err != nil {
		return GrantChange{}, err
	}
	out, err := p.finish(grantEventType(p.created), nil)
	if err != nil {
		return out, err
	}
	after := *r.Customer
	after.ManagedBy, after.Updated = r.Partner.ID, pc.Now
	after.Version++
	out.Change.Writes = slices.DeleteFunc(out.Change.Writes, func(w Write) bool { _, is := w.(CustomerWrite); return is })
	out.Change.Writes = append(out.Change.Writes, CustomerWrite{Before: r.Customer, After: &after})
	out.Change.Writes = append(out.Change.Writes, pc.reviewInvitations(r.Customer, "")...) // nobody else can accept one now (A15)
	if gone != nil {
		out.Change.Events = append(out.Change.Events, pc.event(events.ManagementEnded, r.Customer, gone, events.Data{}))
	}
	out.Change.Events = append(out.Change.Events, pc.event(events.ManagementAssigned, r.Customer, r.Partner, events.Data{Grant: out.Grant.ID}))
	return out, nil
}

// PlanUnmanage plans the end of a managed relationship.
func PlanUnmanage(r GrantFacts, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Customer.Status != Active || r.Customer.ManagedBy == "" {
		return GrantChange{}, notFound("managing partner")
	}
	if r.Grant == nil || r.Grant.Partner != r.Customer.ManagedBy { // it was read before another became the managing one
		return GrantChange{},
			Refuse(Contention, "customer %s was given another managing partner meanwhile: read it, then try again", r.Customer.ID)
	}
	return unmanage(r, ManagementEnded, pc)
}

func unmanage(r GrantFacts, why Reason, pc PlanContext) (GrantChange, error) {
	out, err := planEnd(r, why, pc)
	if err != nil {
		return out, err
	}
	after := *r.Customer
	after.ManagedBy, after.Updated = "", pc.Now
	after.Version++
	out.Change.Writes = append(out.Change.Writes, CustomerWrite{Before: r.Customer, After: &after})
	out.Change.Events = append(out.Change.Events, pc.event(events.ManagementEnded, r.Customer, r.Partner, events.Data{}))
	return out, nil
}
