package access

import (
	"time"

	"partneraccess/events"
)

// reminders are how many days before the end both sides are reminded, the last one first.
func reminders() []int { return []int{1, 7, 30} }

func beforeEnd(until time.Time, days int) time.Time {
	return until.Add(-time.Duration(days) * 24 * time.Hour)
}

// Due is the next instant at which the clock brings something that has not been told: the start of the period, a reminder, or the end.
// Zero = nothing more. Access itself never waits for it.
func (g *Grant) Due() time.Time {
	if g.State != StateOpen && g.State != StateSuspended {
		return time.Time{}
	}
	instants := []time.Time{g.From}
	if !g.Until.IsZero() {
		instants = append(instants, g.Until)
		for _, days := range reminders() {
			instants = append(instants, beforeEnd(g.Until, days))
		}
	}
	var next time.Time
	for _, t := range instants {
		if t.After(g.Told) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// PlanDue plans what the clock has brought to a grant: its end, or else that it has started, and the latest reminder, however many were missed.
// When nothing is due, the change is empty.
func PlanDue(r Relation, m Moment) (Planned, error) {
	if r.Grant == nil {
		return Planned{}, nil
	}
	if r.Grant.expired(m.Now) {
		return planEnd(r, Expired, m.clock())
	}
	due := r.Grant.Due()
	if due.IsZero() || due.After(m.Now) {
		return Planned{Grant: r.Grant}, nil
	}
	m = m.clock()
	p := newRelationPlan(r, m)
	p.tell(true)
	p.rules()
	p.g.Told = m.Now
	p.g.Version++
	p.g.Quiet++
	return Planned{Grant: p.g, Change: Change{Writes: []Write{GrantWrite{Before: r.Grant, After: p.g}}, Events: p.past}}, nil
}

// tell tells what the clock has brought to the grant that there was, and nobody has told yet: that it has started, and, where they still mean something,
// the latest reminder, however many were missed.
func (p *relationPlan) tell(reminding bool) {
	before, m := p.before, p.m.clock()
	if p.fresh || before == nil {
		return
	}
	tell := func(t events.Type, days int) {
		p.past = append(p.past, m.event(t, p.r.Customer, p.r.Partner, grantData(before, p.r.Headcount, func(d *events.Data) {
			d.Users, d.UsersTruncated = p.concerned()
			d.Status, d.Days = string(before.Status(p.r.Partner, m.Now)), days
		})))
	}
	passed := func(t time.Time) bool { return t.After(p.g.Told) && !t.After(m.Now) }
	if passed(before.From) {
		tell(events.GrantStarted, 0)
	}
	if before.Until.IsZero() || !reminding {
		return
	}
	for _, days := range reminders() {
		if passed(beforeEnd(before.Until, days)) {
			tell(events.GrantExpiring, days)
			return
		}
	}
}

// TaskKind names work that goes through many grants, and is done a page at a time.
type TaskKind string

// The tasks. Access has ended at once; they write that down, grant by grant, and tell the customers (D23).
const (
	TaskPartnerRemoved   TaskKind = "partner_removed"
	TaskPartnerSuspended TaskKind = "partner_suspended"
	TaskPartnerResumed   TaskKind = "partner_resumed"
	TaskUserRemoved      TaskKind = "user_removed"
	TaskPersonChanged    TaskKind = "person_changed"  // a user has another address, which may mean another person
	TaskCustomerRules    TaskKind = "customer_rules"  // the customer's domain, or a cap, has changed: its grants copy that
	TaskOldAssignments   TaskKind = "old_assignments" // deletes the rows of a grant that count no more
	TaskInvitations      TaskKind = "invitations"     // looks through the pending invitations of a customer, to a partner, or of one of its users
)

// Task is such work, and how far it has come. It is stored with the change that caused it.
type Task struct {
	ID       string
	Kind     TaskKind
	Partner  string
	Customer string // for tasks about one customer's grants
	User     string // for user_removed
	After    string // the last customer that was done, "" = none
	Again    bool   // this is the second round, for grants that the first may not have seen
	Due      time.Time
	Until    time.Time // for identity and activation: before that, what was sent earlier may still reach the identity provider; zero = nothing is on its way
	Idle     bool      // for identity: nobody has it, it waits for its Until
	Created  time.Time
	Version  int64

	// For person_changed.
	EmailWas string // the user's address before
	Number   int64  // its number before, when it is another person now; 0 = it is the same
	Counted  int64  // the headcount's version that the change made
}

// secondRound is when grants are looked through again: what was being written while the cause was, is in the index by then.
const secondRound = 10 * time.Minute

func (m Moment) task(k TaskKind, partner, user string) TaskWrite {
	return TaskWrite{After: &Task{ID: m.NewID(), Kind: k, Partner: partner, User: user, Due: m.Now, Created: m.Now, Version: 1}}
}

// rulesGrace is for how long the request that changed a customer's rules has its grants to itself.
const rulesGrace = time.Minute

// rulesTask has the clock see to it that all the customer's grants copy its rules, should the request fail that does so before it is answered.
func (m Moment) rulesTask(customer string) TaskWrite {
	return TaskWrite{After: &Task{ID: m.NewID(), Kind: TaskCustomerRules, Customer: customer, Due: m.Now.Add(rulesGrace), Created: m.Now, Version: 1}}
}

// PlanCustomerRules plans that a grant copies the customer's domain and caps (D7). It changes nothing else, and tells nobody: what changed was told
// with the change. When the grant has ended, or has a copy as new as the customer's record, the change is empty.
func PlanCustomerRules(r Relation, m Moment) (Planned, error) {
	if r.Customer == nil || r.Grant == nil || r.Grant.Ended(m.Now) || r.Grant.Follows(r.Customer) {
		return Planned{Grant: r.Grant}, nil
	}
	p := newRelationPlan(r, m)
	p.rules()
	p.g.Version++
	p.g.Quiet++
	return Planned{Grant: p.g, Change: Change{Writes: []Write{GrantWrite{Before: r.Grant, After: p.g}}}}, nil
}

// reviewInvitations leaves a task that ends the customer's pending invitations which nobody can accept any more: to one partner, or all when that is "".
// It is nothing where the customer has never invited anybody.
func (m Moment) reviewInvitations(c *Customer, partner string) []Write {
	if c == nil || !c.Inviting {
		return nil
	}
	t := m.task(TaskInvitations, partner, "")
	t.After.Customer = c.ID
	return []Write{t}
}

// reviewInvitationsOf leaves the same task for the invitations that a partner's user has sent, where it could send any and now may not, or not as the
// person that it was.
func (m Moment) reviewInvitationsOf(before, after *User) []Write {
	if !invites(before.Role) || before.Status != Active {
		return nil
	}
	if after.Status == Active && invites(after.Role) && domainOf(after.Email) == domainOf(before.Email) {
		return nil
	}
	return []Write{m.task(TaskInvitations, before.Partner, before.ID)}
}

// PlanProgress plans that a task has come past a customer, or, when that was the last one, that it is done. Removals go through all grants twice.
func PlanProgress(t *Task, after string, m Moment) Change {
	next := *t
	next.Version++
	next.After = after
	if after != "" {
		return Change{Writes: []Write{TaskWrite{Before: t, After: &next}}}
	}
	if t.Again || t.Kind == TaskOldAssignments || t.Kind == TaskPartnerSuspended || t.Kind == TaskPartnerResumed || t.Kind == TaskCustomerRules ||
		t.Kind == TaskPersonChanged && t.Number == 0 {
		return Change{Writes: []Write{TaskWrite{Before: t}}}
	}
	next.Again, next.Due = true, m.Now.Add(secondRound)
	return Change{Writes: []Write{TaskWrite{Before: t, After: &next}}}
}

// counts tells whether the row says anything of the grant as it is, or could again: not one of an older epoch, and not one that takes out somebody who
// would not be in without it.
func (g *Grant) counts(a *Assignment) bool {
	return a.Epoch >= g.Epoch && (!a.Out || g.Everyone || g.UpTo > 0)
}

// PlanOldAssignments plans that those of a grant's rows are deleted which count no more. An epoch never comes back, and neither do they.
func PlanOldAssignments(g *Grant, rows []*Assignment) Change {
	var c Change
	for _, a := range rows {
		if g != nil && !g.counts(a) {
			c.Writes = append(c.Writes, AssignmentWrite{Before: a})
		}
	}
	return c
}

// PlanPartnerGone plans the end of one grant of a partner that was removed, managed or not.
func PlanPartnerGone(r Relation, m Moment) (Planned, error) {
	if r.Customer == nil || r.Grant == nil || r.Grant.State == StateEnded {
		return Planned{Grant: r.Grant}, nil
	}
	if r.Customer.ManagedBy == r.Grant.Partner && r.Customer.ManagedBy != "" {
		return unmanage(r, PartnerRemoved, m)
	}
	return planEnd(r, PartnerRemoved, m)
}

// PlanUserLeft plans that a user who has left the partner is no longer counted in one grant. While everyone is on there is nothing to write.
func PlanUserLeft(r Relation, user string, m Moment) (Planned, error) {
	u := r.Users[user]
	if r.Grant == nil || u == nil || r.Grant.Ended(m.Now) {
		return Planned{Grant: r.Grant}, nil
	}
	p := newRelationPlan(r, m.clock())
	row, counted := p.row(user), false
	switch {
	case p.g.Everyone && u.Role != External, row != nil && row.Out:
	case u.Role != External && u.Number <= p.g.UpTo:
		counted = u.Left > p.g.UpToAt
	default:
		counted = row != nil
	}
	if !counted {
		return Planned{Grant: r.Grant}, nil
	}
	p.out(u)
	return p.finish(events.GrantUserLeft, func(d *events.Data) { d.Person = ref(person(u)) })
}

// PersonChanged is why one user's access to a customer ended whose account belongs to another person now.
const PersonChanged = "person_changed"

// personTask has the clock end what customers gave to another person, and tell every customer concerned of a user's new address.
func (m Moment) personTask(before, after *User, was, counted int64) TaskWrite {
	w := m.task(TaskPersonChanged, after.Partner, after.ID)
	w.After.EmailWas, w.After.Number, w.After.Counted = before.Email, was, counted
	return w
}

// PlanPersonChanged plans that the access of a user ends in one grant because its address has moved to another domain: where the customer picked the
// person who had the account, and where that person was in by its number. What the partner picked stays while it
// may pick, and so does what everyone has.
func PlanPersonChanged(r Relation, t *Task, m Moment) (Planned, error) {
	u := r.Users[t.User]
	if r.Grant == nil || u == nil || t.Number == 0 || r.Grant.Ended(m.Now) {
		return Planned{Grant: r.Grant}, nil
	}
	p := newRelationPlan(r, m.clock())
	row, ends := p.row(u.ID), false
	switch {
	case p.g.Everyone && u.Role != External:
	case row != nil:
		ends = !row.Out && row.Number != u.Number && (row.By != ByPartner || p.g.AssignedBy != ByPartner)
	case u.Role != External:
		ends = t.Number <= p.g.UpTo && t.Counted > p.g.UpToAt
	}
	if !ends {
		stays := Planned{Grant: r.Grant}
		if row != nil && !row.Out && row.Number != u.Number { // the new person stays, as whom the customer is told of it
			after := *row
			after.Number, after.Version = u.Number, row.Version+1
			stays.Change.Writes = []Write{AssignmentWrite{Before: row, After: &after}}
		}
		return stays, nil
	}
	p.out(u)
	return p.finish(events.GrantPersonChanged, func(d *events.Data) {
		d.Person, d.EmailWas, d.Reason = ref(person(u)), t.EmailWas, PersonChanged
	})
}

// PlanTellPersonChanged plans that the customers of a page whom the user may still enter are told of its new address. The rows are as they are after
// PlanPersonChanged; the second round, which is for what ends, tells nobody again.
func PlanTellPersonChanged(t *Task, rows []Relation, after string, m Moment) Change {
	c := PlanProgress(t, after, m)
	for _, r := range rows {
		u := r.Users[t.User]
		if t.Again || r.Grant == nil || r.Customer == nil || u == nil || r.Grant.Ended(m.Now) {
			continue
		}
		p := newRelationPlan(r, m.clock())
		if p.g.Admits(u, p.row(u.ID)) {
			c.Events = append(c.Events, p.m.event(events.GrantPersonChanged, r.Customer, r.Partner, grantData(p.g, r.Headcount, func(d *events.Data) {
				d.Users, d.UsersTruncated = p.concerned()
				d.Status = string(p.g.Status(r.Partner, m.Now))
				d.Person, d.EmailWas = ref(person(u)), t.EmailWas
			})))
		}
	}
	return c
}

// PlanTellCustomers plans that customers are told of a partner's suspension or resumption, a page of its grants at a time. The grants are as
// they were listed; those that have ended are passed over.
func PlanTellCustomers(t *Task, rows []Relation, after string, m Moment) Change {
	kind := events.GrantPartnerSuspended
	if t.Kind == TaskPartnerResumed {
		kind = events.GrantPartnerResumed
	}
	c := PlanProgress(t, after, m)
	for _, r := range rows {
		if r.Grant != nil && r.Customer != nil && !r.Grant.Ended(m.Now) {
			c.Events = append(c.Events, m.clock().event(kind, r.Customer, r.Partner, grantData(r.Grant, r.Headcount, func(d *events.Data) {
				d.Status = string(r.Grant.Status(r.Partner, m.Now))
			})))
		}
	}
	return c
}

// Moot tells whether a task has been overtaken and can go undone: nobody is told that a partner is suspended which is not any more.
func (t *Task) Moot(p *Partner) bool {
	switch t.Kind {
	case TaskPartnerSuspended:
		return p == nil || p.Status != Suspended
	case TaskPartnerResumed:
		return p == nil || p.Status != Active
	}
	return false
}
