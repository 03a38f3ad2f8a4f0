package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// MaxUserChanges is how many users one request may put in and take out: the change is one transaction of at most 100 writes.
const MaxUserChanges = 80

// MaxUserSet is how many users a set may name: it changes only those who were not in, and those who are in no more.
const MaxUserSet = 1000

// Relation is all that a plan about one (customer, partner) looks at, as it is stored now.
type Relation struct {
	Customer    *Customer
	Partner     *Partner
	Headcount   Headcount
	Grant       *Grant                 // nil when there never was one
	Users       map[string]*User       // those that the command names; and everybody who is in, when Known
	Known       bool                   // after everyone was switched off: those who are in by their number are among Users
	Assignments map[string]*Assignment // theirs; and everybody's, when that was asked for or they are few
}

// Changes says what a command changed, for the answer (D17).
type Changes struct {
	Added   []string // users, sorted
	Removed []string
	Fields  []string // names of the API, sorted
	// Before and After count the users: when everyone is switched, nobody is listed one by one.
	Before, After int
}

// Planned is a planned change of a grant with what the answer shows.
type Planned struct {
	Change  Change
	Grant   *Grant // as it will be
	Created bool   // under a new id
	Changes Changes
}

// relationPlan edits a copy of a grant and remembers what has to be written.
type relationPlan struct {
	pc       PlanContext
	r        Relation
	before   *Grant // as loaded; nil when there is none
	g        *Grant // the copy
	fresh    bool   // granted under a new id
	rows     map[string]*Assignment
	added    []string
	removed  []string
	changed  map[string]Level // users who were in and may do more or less than before: how much that was
	caps     *Caps            // the customer's caps as they will be; nil = as they are
	unnamed  int              // users who go and are not known one by one
	checked  bool             // the headcount has to be as it was loaded
	everyone *bool
	gives    []string // fields whose change gives more
	takes    []string // fields whose change takes away, or is neither
	past     []events.Event
}

func newRelationPlan(r Relation, pc PlanContext) *relationPlan {
	p := &relationPlan{pc: pc, r: r, before: r.Grant, rows: map[string]*Assignment{}, changed: map[string]Level{}}
	if r.Grant != nil {
		g := *r.Grant
		p.g = &g
	}
	return p
}

// open starts a new grant: on a new row, or on the row of one that has ended.
func (p *relationPlan) open(level Level, from, until time.Time) {
	g := Grant{Customer: p.r.Customer.ID, Partner: p.r.Partner.ID, AssignedBy: ByCustomer}
	if old := p.g; old != nil {
		if old.expired(p.pc.Now) { // no sweep has come by yet: the end is told before the new beginning
			p.past = append(p.past, p.pc.clock().event(events.GrantExpired, p.r.Customer, p.r.Partner, grantData(old, p.r.Headcount, func(d *events.Data) {
				d.Users, d.UsersTruncated = p.concerned()
				d.Status, d.Reason = string(old.Status(p.r.Partner, p.pc.Now)), string(Expired)
			})))
		}
		g.Epoch = old.Epoch
		if e := old.EndAt(p.r.Partner, p.pc.Now); e != nil {
			g.PreviousEnd = e.At
		}
	}
	g.ID = "grt_" + p.pc.NewID()
	g.Level, g.State, g.From, g.Until = level, StateOpen, from, until
	g.Epoch++
	g.Created, g.NotifiedUntil = p.pc.Now, p.pc.Now
	p.g, p.fresh = &g, true
}

// rules copies what the customer says of people from its record to the grant, unless the grant has a newer copy.
func (p *relationPlan) rules() {
	if c := p.r.Customer; c != nil && c.Version > p.g.RulesVersion {
		p.g.Domain, p.g.Caps, p.g.RulesVersion = c.Domain, c.Caps, c.Version
	}
}

func (p *relationPlan) setLevel(l Level) {
	if l != p.g.Level {
		gives := l > p.g.Level
		p.g.Level = l
		p.note("level", gives)
	}
}

func (p *relationPlan) setPeriod(from, until *time.Time) error {
	now := p.pc.Now
	if from != nil {
		f := *from
		if f.Before(now) {
			f = now // a period never begins in the past
			if !p.g.From.After(now) {
				f = p.g.From // it has begun: that stays as it was
			}
		}
		if !f.Equal(p.g.From) {
			gives := f.Before(p.g.From)
			p.tell(until == nil || until.Equal(p.g.Until))
			p.g.From, p.g.NotifiedUntil = f, now
			p.note("from", gives)
		}
	}
	if until != nil && !until.Equal(p.g.Until) {
		if !until.IsZero() && !until.After(now) {
			return Refuse(PeriodInvalid, "the end %s is not in the future: revoke the grant to end it now", until.Format(time.RFC3339)).At("/until")
		}
		gives := until.IsZero() || !p.g.Until.IsZero() && until.After(p.g.Until)
		p.tell(false)
		p.g.Until, p.g.NotifiedUntil = *until, now
		p.note("until", gives)
	}
	if !p.g.Until.IsZero() && !p.g.From.Before(p.g.Until) {
		return Refuse(PeriodInvalid, "the period ends at %s, before it begins at %s", p.g.Until.Format(time.RFC3339), p.g.From.Format(time.RFC3339)).At("/until")
	}
	return nil
}

// note remembers that a field of the API changed, and whether that gives more.
func (p *relationPlan) note(field string, gives bool) {
	l := &p.takes
	if gives {
		l = &p.gives
	}
	if !slices.Contains(*l, field) {
		*l = append(*l, field)
	}
}

func (p *relationPlan) fields() []string {
	f := append(append([]string(nil), p.gives...), p.takes...)
	slices.Sort(f)
	return slices.Compact(f)
}

// finish turns what was edited into the change. The event is of the given type; data that all events of grants carry is filled in.
func (p *relationPlan) finish(t events.Type, more func(*events.Data)) (Planned, error) {
	if len(p.rows) > MaxUserChanges {
		return Planned{}, Refuse(TooManyUsers, "this would change %d users; at most %d can change in one request: use several, which add and remove users, or everyone", len(p.rows), MaxUserChanges)
	}
	slices.Sort(p.added)
	slices.Sort(p.removed)
	for _, id := range slices.Clone(p.added) { // taken out and put in again: stays
		if slices.Contains(p.removed, id) {
			p.added = slices.DeleteFunc(p.added, func(a string) bool { return a == id })
			p.removed = slices.DeleteFunc(p.removed, func(a string) bool { return a == id })
		}
	}
	before := 0
	if p.before != nil && !p.before.Ended(p.pc.Now) {
		before = p.before.UserCount(p.r.Headcount)
	}
	out := Planned{Grant: p.g, Created: p.fresh, Changes: Changes{Added: p.added, Removed: p.removed, Fields: p.fields(), Before: before, After: p.count()}}
	if !p.fresh && len(out.Changes.Fields) == 0 {
		out.Grant = p.before
		return out, nil
	}
	p.rules()
	p.g.Updated = p.pc.Now
	p.g.Version = 1
	if p.before != nil {
		p.g.Version = p.before.Version + 1
	}
	c := &out.Change
	switch {
	case p.caps != nil:
		after := *p.r.Customer
		after.Caps, after.Updated = *p.caps, p.pc.Now
		after.Version++
		p.g.Caps, p.g.RulesVersion = after.Caps, after.Version
		c.Writes = append(c.Writes, CustomerWrite{Before: p.r.Customer, After: &after}, p.pc.rulesTask(after.ID))
	case p.fresh:
		c.Writes = append(c.Writes, touch(p.r.Customer))
	}
	c.Writes = append(c.Writes, GrantWrite{Before: p.before, After: p.g})
	for _, id := range sortedKeys(p.rows) {
		a := p.rows[id]
		a.Version = p.g.Version
		w := AssignmentWrite{Before: p.r.Assignments[id], After: a}
		if a.Excluded && !p.g.needsRow(a) { // nothing is as good: the grant's version is what the next write is conditioned on
			if w.After = nil; w.Before == nil {
				continue
			}
		}
		c.Writes = append(c.Writes, w)
	}
	if p.checked {
		c.Writes = append(c.Writes, HeadcountCheck{p.r.Headcount})
	}
	if p.before != nil && p.g.Epoch != p.before.Epoch {
		t := p.pc.task(TaskOldAssignments, p.g.Partner, "")
		t.After.Customer = p.g.Customer
		c.Writes = append(c.Writes, t)
	}
	if p.endsInvitations() {
		c.Writes = append(c.Writes, p.pc.reviewInvitations(p.r.Customer, p.g.Partner)...)
	}
	data := grantData(p.g, p.r.Headcount, func(d *events.Data) {
		d.Users, d.UsersTruncated = p.concerned()
		d.Status = string(p.g.Status(p.r.Partner, p.pc.Now))
		d.Fields = out.Changes.Fields
		d.Everyone = p.everyone
		for _, id := range p.added {
			d.Added = append(d.Added, p.person(id))
		}
		named := p.removed[:min(len(p.removed), MaxUserChanges)]
		for _, id := range named {
			d.Removed = append(d.Removed, p.person(id))
		}
		d.Unnamed = p.unnamed + len(p.removed) - len(named)
		for _, id := range sortedKeys(p.changed) {
			who := p.person(id)
			who.Level, who.LevelWas = p.g.levelOf(p.r.Users[id], p.row(id)).String(), p.changed[id].String()
			d.Changed = append(d.Changed, who)
		}
		if p.before != nil && !p.fresh {
			if p.before.Level != p.g.Level {
				d.LevelWas = p.before.Level.String()
			}
			if !p.before.From.Equal(p.g.From) {
				d.FromWas = instant(p.before.From)
			}
			if !p.before.Until.Equal(p.g.Until) {
				d.UntilWas = instant(p.before.Until)
			}
			if p.before.RequireSSO != p.g.RequireSSO {
				d.SSOWas = ref(p.before.RequireSSO)
			}
		}
		if more != nil {
			more(d)
		}
	})
	c.Events = append(p.past, p.pc.event(t, p.r.Customer, p.r.Partner, data))
	return out, nil
}

// endsInvitations tells whether pending invitations may end with the change: the grant ends, or another begins on its row, or the choice of the users
// changes sides. Where the partner or the customer is removed, one look through all of its invitations does.
func (p *relationPlan) endsInvitations() bool {
	switch {
	case p.before == nil || p.before.State == StateEnded:
		return false
	case p.g.State == StateEnded:
		return p.g.End.Reason != PartnerRemoved && p.g.End.Reason != CustomerRemoved
	}
	return p.fresh || p.before.AssignedBy == ByPartner && p.g.AssignedBy != ByPartner
}

// concerned is everybody who is in, or that they are too many to be named. Who is disabled has no access, and is told nothing (D24).
func (p *relationPlan) concerned() (users []events.Person, crowd bool) {
	if !p.g.UsersCanBeListed() {
		return nil, true
	}
	ids := sortedKeys(p.r.Assignments)
	for id := range p.rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if a, u := p.row(id), p.r.Users[id]; a != nil && !a.Excluded && (u == nil || u.Status == Active && p.g.Admits(u, a)) {
			users = append(users, p.person(id))
		}
	}
	return users, false
}

// person is a user as the event names it, with the level when that is a lower one than the grant's.
func (p *relationPlan) person(id string) events.Person {
	out := events.Person{ID: id}
	if u := p.r.Users[id]; u != nil {
		out = person(u)
	}
	row := p.row(id)
	if l := p.g.levelOf(p.r.Users[id], row); l < p.g.Level && (row == nil || !row.Excluded) {
		out.Level = l.String()
	}
	return out
}

// touch marks the customer: whoever plans on the set of its partners has to look again (A15).
func touch(c *Customer) CustomerWrite {
	after := *c
	after.Version++
	return CustomerWrite{Before: c, After: &after}
}

func grantData(g *Grant, h Headcount, more func(*events.Data)) events.Data {
	d := events.Data{
		Grant: g.ID, Version: g.Version, Level: g.Level.String(), From: instant(g.From), Until: instant(g.Until),
		UserCount: ref(g.UserCount(h)), AssignedBy: string(g.AssignedBy), Note: g.Note, Message: g.Message,
		RequireSSO: ref(g.RequireSSO),
	}
	more(&d)
	return d
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
