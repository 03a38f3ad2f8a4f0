package access

import (
	"time"

	"partneraccess/events"
)

// reminders returns the days before the end at which both sides are reminded, the latest reminder first.
func reminders() []int { return []int{1, 7, 30} }

// decideBefore is how long before its end it is decided whether a grant is extended by itself.
const decideBefore = 24 * time.Hour

// DecidesExtension reports whether it is now to be decided whether the grant is extended by itself, and since which day somebody must have
// used the access.
func (g *Grant) DecidesExtension(now time.Time) (since Day, due bool) {
	at := g.Until.Add(-decideBefore)
	due = g.AutoExtend > 0 && g.State == StateOpen && !g.Until.IsZero() && at.After(g.NotifiedUntil) && !at.After(now) && now.Before(g.Until)
	return DayOf(now.Add(-g.AutoExtend)), due
}

// planExtension plans that the clock moves the end of a grant that was used: nil when it does not.
func planExtension(r GrantFacts, pc PlanContext) (*GrantChange, error) {
	since, due := r.Grant.DecidesExtension(pc.Now)
	end := r.Grant.Until.Add(r.Grant.AutoExtend)
	if !due || !eligible(r.Partner) || r.LastUsed < since || end.Year() > 9999 {
		return nil, nil
	}
	p := newGrantPlan(r, pc.asClock())
	if err := p.setPeriod(nil, &end); err != nil {
		return nil, err
	}
	out, err := p.finish(events.GrantEdited, nil)
	return &out, err
}

func eligible(p *Partner) bool { return checkEligible(p) == nil }

func beforeEnd(until time.Time, days int) time.Time {
	return until.Add(-time.Duration(days) * 24 * time.Hour)
}

// Due returns the next instant at which an event is due: the start of the period, a reminder, or the end. Zero means that none is. Access
// does not wait for it.
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

// PlanDue plans what is due for a grant: its end, or else the event of its start and the latest reminder, however many were missed. When
// nothing is due, the change is empty.
func PlanDue(r GrantFacts, pc PlanContext) (GrantChange, error) {
	if r.Grant == nil {
		return GrantChange{}, nil
	}
	if r.Grant.expired(pc.Now) {
		return planEnd(r, Expired, pc.asClock())
	}
	if out, err := planExtension(r, pc); out != nil || err != nil {
		return *out, err
	}
	due := r.Grant.Due()
	if due.IsZero() || due.After(pc.Now) {
		return GrantChange{Grant: r.Grant}, nil
	}
	pc = pc.asClock()
	p := newGrantPlan(r, pc)
	p.recordDue(true)
	p.copyRules()
	p.grant.NotifiedUntil = pc.Now
	p.grant.Version++
	p.grant.HiddenVersions++
	return GrantChange{Grant: p.grant, Change: Change{Writes: []Write{GrantWrite{Before: r.Grant, After: p.grant}}, Events: p.pastEvents}}, nil
}

// recordDue adds the events that are due for the stored grant and not recorded yet: its start and, with reminding, the latest reminder,
// however many were missed.
func (p *grantPlan) recordDue(reminding bool) {
	before, pc := p.before, p.pc.asClock()
	if p.created || before == nil {
		return
	}
	tell := func(t events.Type, days int) {
		p.pastEvents = append(p.pastEvents,
			pc.event(t, p.facts.Customer, p.facts.Partner, grantData(before, p.facts.Headcount, func(d *events.Data) {
				d.Users, d.UsersTruncated = p.usersWithAccess()
				d.Status, d.Days = string(before.Status(p.facts.Partner, pc.Now)), days
				if days > 0 {
					d.AutoExtend = DaysText(before.AutoExtend)
				}
			})))
	}
	passed := func(t time.Time) bool { return t.After(p.grant.NotifiedUntil) && !t.After(pc.Now) }
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
