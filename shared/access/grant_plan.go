package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// MaxUserChanges is the number of users that one request may add and remove: the change is one transaction of at most 100 writes.
const MaxUserChanges = 80

// MaxUserSet is the number of users that a replacement of all users may name; only those who are added or removed are written.
const MaxUserSet = 1000

// GrantFacts are the records that a plan about one customer and one partner reads, as they are stored now.
type GrantFacts struct {
	LastUsed    Day // the last day on which anybody used the access; read only where an extension depends on it, "" elsewhere
	Customer    *Customer
	Partner     *Partner
	Headcount   Headcount
	Grant       *Grant                 // nil when there never was one
	Users       map[string]*User       // those that the command names; with UsersLoaded, all who belong to the grant
	UsersLoaded bool                   // Users holds those with access by their number (after everyone was switched off), too
	Assignments map[string]*Assignment // of these users; and all of the grant's, when asked for or when they are few
}

// ChangeSummary says what a command changed, for the response (D17).
type ChangeSummary struct {
	Added   []string // users, sorted
	Removed []string
	Fields  []string // names of the API, sorted
	// Before and After are the numbers of users: when everyone is switched on or off, single users are not listed.
	Before, After int
}

// GrantChange is a planned change of a grant, with what the response shows.
type GrantChange struct {
	Change  Change
	Grant   *Grant // as it will be
	Created bool   // under a new id
	Summary ChangeSummary
}

// grantPlan edits a copy of a grant and collects what has to be written.
type grantPlan struct {
	pc               PlanContext
	facts            GrantFacts
	before           *Grant // as loaded; nil when there is none
	grant            *Grant // the copy
	created          bool   // granted under a new id
	rows             map[string]*Assignment
	added            []string
	removed          []string
	changed          map[string]Level // users whose level changes, with the level before
	caps             *Caps            // the customer's caps as they will be; nil = as they are
	unnamed          int              // number of users who lose access and are not loaded
	headcountChecked bool             // the headcount must be as it was loaded when the change is written
	everyone         *bool
	widened          []string // fields whose change widens access
	narrowed         []string // fields whose change narrows access, or does neither
	pastEvents       []events.Event
}

func newGrantPlan(r GrantFacts, pc PlanContext) *grantPlan {
	p := &grantPlan{pc: pc, facts: r, before: r.Grant, rows: map[string]*Assignment{}, changed: map[string]Level{}}
	if r.Grant != nil {
		g := *r.Grant
		p.grant = &g
	}
	return p
}

// open starts a new grant: on a new row, or on the row of one that has ended.
func (p *grantPlan) open(level Level, from, until time.Time) {
	g := Grant{Customer: p.facts.Customer.ID, Partner: p.facts.Partner.ID, AssignedBy: ByCustomer}
	if old := p.grant; old != nil {
		if old.expired(p.pc.Now) { // the end is not recorded yet: its event comes before that of the new grant
			p.pastEvents = append(p.pastEvents,
				p.pc.asClock().event(events.GrantExpired, p.facts.Customer, p.facts.Partner, grantData(old, p.facts.Headcount, func(d *events.Data) {
					d.Users, d.UsersTruncated = p.usersWithAccess()
					d.Status, d.Reason = string(old.Status(p.facts.Partner, p.pc.Now)), string(Expired)
				})))
		}
		g.Epoch = old.Epoch
		if e := old.EndAt(p.facts.Partner, p.pc.Now); e != nil {
			g.PreviousEnd = e.At
		}
	}
	g.ID = "grt_" + p.pc.NewID()
	g.Level, g.State, g.From, g.Until = level, StateOpen, from, until
	g.Epoch++
	g.Created, g.NotifiedUntil = p.pc.Now, p.pc.Now
	p.grant, p.created = &g, true
}

// copyRules copies the domain and the caps from the customer's record to the grant, unless the grant has a newer copy.
func (p *grantPlan) copyRules() {
	if c := p.facts.Customer; c != nil && c.Version > p.grant.RulesVersion {
		p.grant.Domain, p.grant.Caps, p.grant.Asking, p.grant.RulesVersion = c.Domain, c.Caps, c.Requests.Mode, c.Version
	}
}

func (p *grantPlan) setLevel(l Level) {
	if l != p.grant.Level {
		widens := l > p.grant.Level
		p.grant.Level = l
		p.recordChange("level", widens)
	}
}

func (p *grantPlan) setPeriod(from, until *time.Time) error {
	now := p.pc.Now
	if from != nil {
		f := *from
		if f.Before(now) {
			f = now // a period never begins in the past
			if !p.grant.From.After(now) {
				f = p.grant.From // it has begun: the start does not change
			}
		}
		if !f.Equal(p.grant.From) {
			widens := f.Before(p.grant.From)
			p.recordDue(until == nil || until.Equal(p.grant.Until))
			p.grant.From, p.grant.NotifiedUntil = f, now
			p.recordChange("from", widens)
		}
	}
	if until != nil && !until.Equal(p.grant.Until) {
		if !until.IsZero() && !until.After(now) {
			return Refuse(PeriodInvalid, "the end %s is not in the future: revoke the grant to end it now", until.Format(time.RFC3339)).At("/until")
		}
		widens := until.IsZero() || !p.grant.Until.IsZero() && until.After(p.grant.Until)
		p.recordDue(false)
		p.grant.Until, p.grant.NotifiedUntil = *until, now
		p.recordChange("until", widens)
	}
	if !p.grant.Until.IsZero() && !p.grant.From.Before(p.grant.Until) {
		return Refuse(PeriodInvalid, "the period ends at %s, before it begins at %s", p.grant.Until.Format(time.RFC3339),
			p.grant.From.Format(time.RFC3339)).At("/until")
	}
	return nil
}

// extended is the present end, so much later.
func (p *grantPlan) extended(by time.Duration) (time.Time, error) {
	end := p.grant.Until.Add(by)
	switch {
	case p.grant.Until.IsZero():
		return end, Refuse(PeriodInvalid, "the grant has no end that could be moved: it is continuous").At("/extend")
	case end.Year() > 9999:
		return end, Refuse(PeriodInvalid, "the end would be after the year 9999").At("/extend")
	}
	return end, nil
}

// setAutoExtend sets by how much the end moves by itself; nil leaves it, and 0 lifts it. It is decided a day before the end: an end within
// a day lifts it.
func (p *grantPlan) setAutoExtend(by *time.Duration) error {
	moved := p.before == nil || !p.grant.Until.Equal(p.before.Until)
	old := p.grant.AutoExtend
	if by != nil {
		p.grant.AutoExtend = *by
	}
	if p.grant.AutoExtend > 0 && (by != nil || moved) && !p.grant.Until.After(p.pc.Now.Add(decideBefore)) {
		if by != nil {
			return Refuse(PeriodInvalid, "only a grant that ends, and not within a day, is extended by itself: give it such an end").
				At("/auto_extend")
		}
		p.grant.AutoExtend = 0
	}
	if p.grant.AutoExtend != old {
		p.recordChange("auto_extend", p.grant.AutoExtend > old)
	}
	return nil
}

// recordChange records that a field of the API changed, and whether the change widens access.
func (p *grantPlan) recordChange(field string, widens bool) {
	l := &p.narrowed
	if widens {
		l = &p.widened
	}
	if !slices.Contains(*l, field) {
		*l = append(*l, field)
	}
}

func (p *grantPlan) fields() []string {
	f := append(append([]string(nil), p.widened...), p.narrowed...)
	slices.Sort(f)
	return slices.Compact(f)
}

// finish returns the change with its writes and the event of the given type. It fills in the data that all events of grants carry; more
// adds to them. When nothing changed, the change is empty.
func (p *grantPlan) finish(t events.Type, more func(*events.Data)) (GrantChange, error) {
	if len(p.rows) > MaxUserChanges {
		err := Refuse(TooManyUsers,
			"this would change %d users; at most %d can change in one request: use several, which add and remove users, or everyone", len(p.rows),
			MaxUserChanges)
		err.Limit = MaxUserChanges
		return GrantChange{}, err
	}
	slices.Sort(p.added)
	slices.Sort(p.removed)
	for _, id := range slices.Clone(p.added) { // removed and assigned again: no change
		if slices.Contains(p.removed, id) {
			p.added = slices.DeleteFunc(p.added, func(a string) bool { return a == id })
			p.removed = slices.DeleteFunc(p.removed, func(a string) bool { return a == id })
		}
	}
	before := 0
	if p.before != nil && !p.before.Ended(p.pc.Now) {
		before = p.before.UserCount(p.facts.Headcount)
	}
	out := GrantChange{
		Grant: p.grant, Created: p.created,
		Summary: ChangeSummary{Added: p.added, Removed: p.removed, Fields: p.fields(), Before: before, After: p.userCount()},
	}
	if !p.created && len(out.Summary.Fields) == 0 {
		out.Grant = p.before
		return out, nil
	}
	p.copyRules()
	p.grant.Updated = p.pc.Now
	p.grant.Version = 1
	if p.before != nil {
		p.grant.Version = p.before.Version + 1
	}
	c := &out.Change
	switch {
	case p.caps != nil:
		after := *p.facts.Customer
		after.Caps, after.Updated = *p.caps, p.pc.Now
		after.Version++
		p.grant.Caps, p.grant.RulesVersion = after.Caps, after.Version
		c.Writes = append(c.Writes, CustomerWrite{Before: p.facts.Customer, After: &after}, p.pc.rulesTask(after.ID))
	case p.created:
		c.Writes = append(c.Writes, bumpVersion(p.facts.Customer))
	}
	c.Writes = append(c.Writes, GrantWrite{Before: p.before, After: p.grant})
	if p.before == nil {
		c.Writes = append(c.Writes, ListingWrite{After: NewListing(p.facts.Customer, p.facts.Partner)})
	}
	c.Writes = append(c.Writes, p.writeRows()...)
	if p.headcountChecked {
		c.Writes = append(c.Writes, HeadcountCheck{p.facts.Headcount})
	}
	if p.before != nil && p.grant.Epoch != p.before.Epoch {
		t := p.pc.task(TaskOldAssignments, p.grant.Partner, "")
		t.After.Customer = p.grant.Customer
		c.Writes = append(c.Writes, t)
	}
	if p.endsInvitations() || p.endsRequests() {
		c.Writes = append(c.Writes, p.pc.reviewInvitations(p.facts.Customer, p.grant.Partner)...)
	}
	c.Events = append(p.pastEvents, p.pc.event(t, p.facts.Customer, p.facts.Partner, p.eventData(out.Summary.Fields, more)))
	return out, nil
}

// writeRows returns the writes of the assignments that changed. A row that only says that the user has no access is not written, or
// deleted, where its absence means the same: the next write is conditioned on the grant's version.
func (p *grantPlan) writeRows() []Write {
	var out []Write
	for _, id := range sortedKeys(p.rows) {
		a := p.rows[id]
		a.Version = p.grant.Version
		w := AssignmentWrite{Before: p.facts.Assignments[id], After: a}
		if a.Excluded && !p.grant.needsRow(a) {
			if w.After = nil; w.Before == nil {
				continue
			}
		}
		out = append(out, w)
	}
	return out
}

// eventData returns the data of the event: what the grant is like, who has access, and what the change altered.
func (p *grantPlan) eventData(fields []string, more func(*events.Data)) events.Data {
	return grantData(p.grant, p.facts.Headcount, func(d *events.Data) {
		d.Users, d.UsersTruncated = p.usersWithAccess()
		d.Status = string(p.grant.Status(p.facts.Partner, p.pc.Now))
		d.Fields = fields
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
			who.Level, who.LevelWas = p.grant.levelOf(p.facts.Users[id], p.row(id)).String(), p.changed[id].String()
			d.Changed = append(d.Changed, who)
		}
		if p.before != nil && !p.created {
			addFormerTerms(d, p.before, p.grant)
			d.Changes = grantAlterations(p.before, p.grant)
		}
		if more != nil {
			more(d)
		}
	})
}

// addFormerTerms adds the terms of the grant that the change altered, as they were before.
func addFormerTerms(d *events.Data, before, after *Grant) {
	if before.Level != after.Level {
		d.LevelWas = before.Level.String()
	}
	if !before.From.Equal(after.From) {
		d.FromWas = instant(before.From)
	}
	if !before.Until.Equal(after.Until) {
		d.UntilWas = instant(before.Until)
	}
	if before.RequireSSO != after.RequireSSO {
		d.SSOWas = ref(before.RequireSSO)
	}
}

// endsInvitations reports whether the change may end pending invitations: the grant ends, another one opens on its row, or the customer
// assigns the users instead of the partner. When a partner or a customer is removed, one task reviews all of its invitations instead.
func (p *grantPlan) endsInvitations() bool {
	switch {
	case p.before == nil || p.before.State == StateEnded:
		return false
	case p.grant.State == StateEnded:
		return p.grant.End.Reason != PartnerRemoved && p.grant.End.Reason != CustomerRemoved
	}
	return p.created || p.before.AssignedBy == ByPartner && p.grant.AssignedBy != ByPartner
}

// endsRequests reports whether the change may grant what a pending request asks for.
func (p *grantPlan) endsRequests() bool {
	if c := p.facts.Customer; c == nil || !c.HasRequests || p.grant.State == StateEnded {
		return false
	}
	granted := func(f string) bool {
		return slices.Contains([]string{"caps", "everyone", "level", "until", "users"}, f)
	}
	return p.created || slices.ContainsFunc(p.widened, granted)
}

// usersWithAccess returns the active users who belong to the grant, or truncated when they are too many to be named. Disabled users have
// no access, and get no mail (D24).
func (p *grantPlan) usersWithAccess() (users []events.Person, truncated bool) {
	if !p.grant.UsersCanBeListed() {
		return nil, true
	}
	ids := sortedKeys(p.facts.Assignments)
	for id := range p.rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if a, u := p.row(id), p.facts.Users[id]; a != nil && !a.Excluded && (u == nil || u.Status == Active && p.grant.Admits(u, a)) {
			users = append(users, p.person(id))
		}
	}
	return users, false
}

// person returns a user as the event names it, with its level when that is lower than the grant's.
func (p *grantPlan) person(id string) events.Person {
	out := events.Person{ID: id}
	if u := p.facts.Users[id]; u != nil {
		out = person(u)
	}
	row := p.row(id)
	if l := p.grant.levelOf(p.facts.Users[id], row); l < p.grant.Level && (row == nil || !row.Excluded) {
		out.Level = l.String()
	}
	return out
}

// bumpVersion writes a new version of the customer, so that a plan that depends on the set of its partners is made again (A15).
func bumpVersion(c *Customer) CustomerWrite {
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
