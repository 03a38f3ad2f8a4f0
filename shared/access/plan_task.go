package access

import (
	"time"

	"partneraccess/events"
)

// rulesGrace is for how long the request that changed a customer's rules has its grants to itself.
const rulesGrace = time.Minute

// rulesTask has the clock see to it that all the customer's grants copy its rules, should the request fail that does so before it is
// answered.
func (pc PlanContext) rulesTask(customer string) TaskWrite {
	return TaskWrite{After: &Task{
		ID: pc.NewID(), Kind: TaskCustomerRules, Customer: customer, Due: pc.Now.Add(rulesGrace), Created: pc.Now,
		Version: 1,
	}}
}

// PlanCustomerRules plans that a grant copies the customer's domain and caps (D7). It changes nothing else, and tells nobody: what changed
// was told with the change. When the grant has ended, or has a copy as new as the customer's record, the change is empty.
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

// reviewInvitations leaves a task that ends the customer's pending invitations which nobody can accept any more: to one partner, or all
// when that is "". It is nothing where the customer has never invited anybody.
func (pc PlanContext) reviewInvitations(c *Customer, partner string) []Write {
	if c == nil || !c.HasInvitations {
		return nil
	}
	t := pc.task(TaskInvitations, partner, "")
	t.After.Customer = c.ID
	return []Write{t}
}

// reviewInvitationsOf leaves the same task for the invitations that a partner's user has sent, where it could send any and now may not, or
// not as the person that it was.
func (pc PlanContext) reviewInvitationsOf(before, after *User) []Write {
	if !roleMayInvite(before.Role) || before.Status != Active {
		return nil
	}
	if after.Status == Active && roleMayInvite(after.Role) && domainOf(after.Email) == domainOf(before.Email) {
		return nil
	}
	return []Write{pc.task(TaskInvitations, before.Partner, before.ID)}
}

// needsRow tells whether the row says anything of the grant as it is, or could again: not one of an older epoch, and not one that takes out
// somebody who would not be in without it.
func (g *Grant) needsRow(a *Assignment) bool {
	return a.Epoch >= g.Epoch && (!a.Excluded || g.Everyone || g.EveryoneUpTo > 0)
}

// PlanOldAssignments plans that those of a grant's rows are deleted which count no more. An epoch never comes back, and neither do they.
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

// PlanUserLeft plans that a user who has left the partner is no longer counted in one grant. While everyone is on there is nothing to
// write.
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

// PersonChanged is why one user's access to a customer ended whose account belongs to another person now.
const PersonChanged = "person_changed"

// personTask has the clock end what customers gave to another person, and tell every customer concerned of a user's new address.
func (pc PlanContext) personTask(before, after *User, was, counted int64) TaskWrite {
	w := pc.task(TaskPersonChanged, after.Partner, after.ID)
	w.After.EmailWas, w.After.FormerNumber, w.After.HeadcountVersion = before.Email, was, counted
	return w
}

// PlanPersonChanged plans that the access of a user ends in one grant because its address has moved to another domain: where the customer
// picked the person who had the account, and where that person was in by its number. What the partner picked stays while it
// may pick, and so does what everyone has.
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
		if row != nil && !row.Excluded && row.Number != u.Number { // the new person stays, as whom the customer is told of it
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

// PlanNotifyPersonChanged plans that the customers of a page whom the user may still enter are told of its new address. The rows are as
// they are after PlanPersonChanged; the second round, which is for what ends, tells nobody again.
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

// PlanNotifyCustomers plans that customers are told of a partner's suspension or resumption, a page of its grants at a time. The grants are
// as they were listed; those that have ended are passed over.
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
