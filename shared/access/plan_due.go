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
		if t.After(g.NotifiedUntil) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// PlanDue plans what the clock has brought to a grant: its end, or else that it has started, and the latest reminder, however many were missed.
// When nothing is due, the change is empty.
func PlanDue(r Relation, pc PlanContext) (Planned, error) {
	if r.Grant == nil {
		return Planned{}, nil
	}
	if r.Grant.expired(pc.Now) {
		return planEnd(r, Expired, pc.clock())
	}
	due := r.Grant.Due()
	if due.IsZero() || due.After(pc.Now) {
		return Planned{Grant: r.Grant}, nil
	}
	pc = pc.clock()
	p := newRelationPlan(r, pc)
	p.tell(true)
	p.rules()
	p.g.NotifiedUntil = pc.Now
	p.g.Version++
	p.g.HiddenVersions++
	return Planned{Grant: p.g, Change: Change{Writes: []Write{GrantWrite{Before: r.Grant, After: p.g}}, Events: p.past}}, nil
}

// tell tells what the clock has brought to the grant that there was, and nobody has told yet: that it has started, and, where they still mean something,
// the latest reminder, however many were missed.
func (p *relationPlan) tell(reminding bool) {
	before, pc := p.before, p.pc.clock()
	if p.fresh || before == nil {
		return
	}
	tell := func(t events.Type, days int) {
		p.past = append(p.past, pc.event(t, p.r.Customer, p.r.Partner, grantData(before, p.r.Headcount, func(d *events.Data) {
			d.Users, d.UsersTruncated = p.concerned()
			d.Status, d.Days = string(before.Status(p.r.Partner, pc.Now)), days
		})))
	}
	passed := func(t time.Time) bool { return t.After(p.g.NotifiedUntil) && !t.After(pc.Now) }
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
