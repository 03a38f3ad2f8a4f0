package access

import (
	"time"

	"partneraccess/events"
)

// rulesGrace is how long the request that changed a customer's rules has to update its grants itself.
const rulesGrace = time.Minute

// rulesTask leaves a task that updates the rules in all of the customer's grants, in case the request that changed them fails before it
// has done so.
func (pc PlanContext) rulesTask(customer string) TaskWrite {
	return TaskWrite{After: &Task{
		ID: pc.NewID(), Kind: TaskCustomerRules, Customer: customer, Due: pc.Now.Add(rulesGrace), Created: pc.Now,
		Version: 1,
	}}
}

// PlanCustomerRules plans that a grant copies the customer's domain and caps (D7). It has no event of its own: the change of the rules had
// one. The change is empty when the grant has ended, or its copy is as new as the customer's record.
func PlanCustomerRules(r GrantFacts, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Grant == nil || r.Grant.Ended(pc.Now) || r.Grant.HasRulesOf(r.Customer) {
		return GrantChange{Grant: r.Grant}, nil
	}
	p := newGrantPlan(r, pc)
	p.copyRules()
	p.grant.Version++
	p.grant.HiddenVersions++
	return GrantChange{Grant: p.grant, Change: Change{Writes: []Write{GrantWrite{Before: r.Grant, After: p.grant}}}}, nil
}

// reviewInvitations leaves a task that ends the customer's pending invitations that cannot be accepted any more: those to one partner, or
// all when partner is "". It returns nothing when the customer has never had an invitation.
func (pc PlanContext) reviewInvitations(c *Customer, partner string) []Write {
	if c == nil || !c.HasInvitations && !c.HasRequests {
		return nil
	}
	t := pc.task(TaskInvitations, partner, "")
	t.After.Customer = c.ID
	return []Write{t}
}

// reviewInvitationsOf leaves the same task for the invitations that a partner's user has sent, when the change ends its right to invite or
// gives the account to another person.
func (pc PlanContext) reviewInvitationsOf(before, after *User) []Write {
	if !roleMayInvite(before.Role) || before.Status != Active {
		return nil
	}
	if after.Status == Active && roleMayInvite(after.Role) && domainOf(after.Email) == domainOf(before.Email) {
		return nil
	}
	return []Write{pc.task(TaskInvitations, before.Partner, before.ID)}
}

// needsRow reports whether the assignment has, or can again have, an effect: it is of the present epoch, and does not exclude a user who
// would have no access without it. The row of a user who may have access without an assignment is needed for its last use.
func (g *Grant) needsRow(a *Assignment) bool {
	if a.LastUse.On != "" && (g.Everyone || g.EveryoneUpTo > 0) {
		return true
	}
	return a.Epoch >= g.Epoch && (!a.Excluded || g.Everyone || g.EveryoneUpTo > 0)
}

// PlanOldAssignments plans that a grant's rows that have no effect leave the lists. An epoch never returns, so they never have one again.
func PlanOldAssignments(g *Grant, rows []*Assignment) Change {
	var c Change
	for _, a := range rows {
		if g != nil && !g.needsRow(a) {
			c.Writes = append(c.Writes, AssignmentWrite{Before: a})
		}
	}
	return c
}

// PlanEndForRemovedPartner plans the end of one grant of a partner that was removed, managed or not.
func PlanEndForRemovedPartner(r GrantFacts, pc PlanContext) (GrantChange, error) {
	if r.Customer == nil || r.Grant == nil || r.Grant.State == StateEnded {
		return GrantChange{Grant: r.Grant}, nil
	}
	if r.Customer.ManagedBy == r.Grant.Partner && r.Customer.ManagedBy != "" {
		return unmanage(r, PartnerRemoved, pc)
	}
	return planEnd(r, PartnerRemoved, pc)
}

// PlanUserLeft plans that a user who was removed from the partner is no longer counted in one grant. While everyone is on there is nothing
// to write.
func PlanUserLeft(r GrantFacts, user string, pc PlanContext) (GrantChange, error) {
	u := r.Users[user]
	if r.Grant == nil || u == nil || r.Grant.Ended(pc.Now) {
		return GrantChange{Grant: r.Grant}, nil
	}
	p := newGrantPlan(r, pc.asClock())
	row, counted := p.row(user), false
	switch {
	case p.grant.Everyone && u.Role != External, row != nil && row.Excluded:
	case u.Role != External && u.Number <= p.grant.EveryoneUpTo:
		counted = u.RemovalHeadcountVersion > p.grant.EveryoneUpToVersion
	default:
		counted = row != nil
	}
	if !counted {
		return GrantChange{Grant: r.Grant}, nil
	}
	p.exclude(u)
	return p.finish(events.GrantUserLeft, func(d *events.Data) { d.Person = ref(person(u)) })
}

// PersonChanged is the reason in the event when a user's access to a customer ended because the account belongs to another person now.
const PersonChanged = "person_changed"

// personTask leaves a task that ends what customers granted to the person who had the account before, and notifies every customer
// concerned of the user's new address.
func (pc PlanContext) personTask(before, after *User, was, counted int64) TaskWrite {
	w := pc.task(TaskPersonChanged, after.Partner, after.ID)
	w.After.EmailWas, w.After.FormerNumber, w.After.HeadcountVersion = before.Email, was, counted
	return w
}

// PlanPersonChanged plans that a user's access ends in one grant because its address has moved to another domain: where the customer
// assigned the person who had the account, and where that person had access by its number. A partner's assignment stays while the partner
// may assign, and so does the access of everyone.
func PlanPersonChanged(r GrantFacts, t *Task, pc PlanContext) (GrantChange, error) {
	u := r.Users[t.User]
	if r.Grant == nil || u == nil || t.FormerNumber == 0 || r.Grant.Ended(pc.Now) {
		return GrantChange{Grant: r.Grant}, nil
	}
	p := newGrantPlan(r, pc.asClock())
	row, ends := p.row(u.ID), false
	switch {
	case p.grant.Everyone && u.Role != External:
	case row != nil:
		ends = !row.Excluded && row.Number != u.Number && (row.By != ByPartner || p.grant.AssignedBy != ByPartner)
	case u.Role != External:
		ends = t.FormerNumber <= p.grant.EveryoneUpTo && t.HeadcountVersion > p.grant.EveryoneUpToVersion
	}
	if !ends {
		stays := GrantChange{Grant: r.Grant}
		if row != nil && !row.Excluded && row.Number != u.Number { // the partner's assignment stays, for the new person
			after := *row
			after.Number, after.Version = u.Number, row.Version+1
			stays.Change.Writes = []Write{AssignmentWrite{Before: row, After: &after}}
		}
		return stays, nil
	}
	p.exclude(u)
	return p.finish(events.GrantPersonChanged, func(d *events.Data) {
		d.Person, d.EmailWas, d.Reason = ref(person(u)), t.EmailWas, PersonChanged
	})
}

// PlanNotifyPersonChanged plans the events that notify the customers of a page, where the user still belongs to the grant, of its new
// address. The rows are as they are after PlanPersonChanged. The second round only ends access, and notifies nobody again.
func PlanNotifyPersonChanged(t *Task, rows []GrantFacts, after string, pc PlanContext) Change {
	c := PlanTaskProgress(t, after, pc)
	for _, r := range rows {
		u := r.Users[t.User]
		if t.Again || r.Grant == nil || r.Customer == nil || u == nil || r.Grant.Ended(pc.Now) {
			continue
		}
		p := newGrantPlan(r, pc.asClock())
		if p.grant.Admits(u, p.row(u.ID)) {
			c.Events = append(c.Events,
				p.pc.event(events.GrantPersonChanged, r.Customer, r.Partner, grantData(p.grant, r.Headcount, func(d *events.Data) {
					d.Users, d.UsersTruncated = p.usersWithAccess()
					d.Status = string(p.grant.Status(r.Partner, pc.Now))
					d.Person, d.EmailWas = ref(person(u)), t.EmailWas
				})))
		}
	}
	return c
}

// PlanNotifyCustomers plans the events that notify customers of a partner's suspension or resumption, one page of its grants at a time.
// The grants are as they were listed; those that have ended are skipped.
func PlanNotifyCustomers(t *Task, rows []GrantFacts, after string, pc PlanContext) Change {
	kind := events.GrantPartnerSuspended
	if t.Kind == TaskPartnerResumed {
		kind = events.GrantPartnerResumed
	}
	c := PlanTaskProgress(t, after, pc)
	for _, r := range rows {
		if r.Grant != nil && r.Customer != nil && !r.Grant.Ended(pc.Now) {
			c.Events = append(c.Events, pc.asClock().event(kind, r.Customer, r.Partner, grantData(r.Grant, r.Headcount, func(d *events.Data) {
				d.Status = string(r.Grant.Status(r.Partner, pc.Now))
			})))
		}
	}
	return c
}
