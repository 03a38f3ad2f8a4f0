package dynamo_test

import (
	"maps"
	"slices"
	"time"

	"partneraccess/shared/access"
)

// model is what the service should do, in the simplest words: for every customer and partner the set of people who are in, one by one.
// "Everyone" is no more than a mark at a set, which says that who joins the partner's staff joins the set. It is written from the
// features' table, not from the code: no epochs, no numbers, no versions.
type model struct {
	now       time.Time
	customers []string
	partners  map[string]*agency
	people    map[string]*someone // by id, also those who have left
	deals     map[pair]*deal
	bids      []*bid                             // invitations, in the order in which they were made
	caps      map[string]map[string]access.Level // by customer and address: the most that a person may do
	admins    map[string]bool
	ended     map[pair][]time.Time // when grants ended that were written down as that
	made      int
	wishes    []*wish        // requests, in the order in which they were made
	deciders  map[pair]bool  // by customer and address: its admins
	needs     map[string]int // by customer: how many approvals a request needs
}

type pair struct{ customer, partner string }

type agency struct {
	status  access.Status
	offer   access.Level
	removed time.Time
}

type someone struct {
	partner, address string
	role             access.Role
	status           access.Status
	memberOf         map[string]bool
}

func (s *someone) gone() bool     { return s.status == access.Removed }
func (s *someone) external() bool { return s.role == access.External }

// deal is a grant.
type deal struct {
	id          int
	opened      time.Time
	chosen      time.Time // when the choice of the users changed sides
	level       access.Level
	from, until time.Time // zero = continuous
	suspended   bool
	ended       bool // by somebody; the clock's ends follow from until
	byPartner   bool // the partner picks
	everyone    bool
	people      map[string]bool         // everybody who is in
	caps        map[string]access.Level // levels of their own, of those whom the partner invited
	raises      bool                    // the edit under way gives somebody a higher cap, or lifts one
	left        map[string]bool         // left the partner while they were in one by one: still counted, until the sweep comes by
}

func (d *deal) count() int { return len(d.people) + len(d.left) }

// verdict is a decision without the grant's id.
type verdict struct {
	allow bool
	why   access.DecisionReason
	level access.Level
	until time.Time
}

func newModel() *model {
	return &model{
		caps: map[string]map[string]access.Level{}, admins: map[string]bool{}, ended: map[pair][]time.Time{},
		now: time.Date(2026, time.June, 1, 10, 0, 0, 0, time.UTC), partners: map[string]*agency{}, people: map[string]*someone{},
		deals: map[pair]*deal{}, deciders: map[pair]bool{}, needs: map[string]int{},
	}
}

func (m *model) nextDeal() int {
	m.made++
	return m.made
}

// recordChange keeps when the grant ended that another takes the place of.
func (m *model) recordChange(p pair) {
	if d := m.deals[p]; d != nil && !d.ended && m.expired(d) {
		m.ended[p] = append(m.ended[p], d.until)
	}
}

// usersOf lists the ids of all who ever were users of the partner, in the order in which they joined.
func (m *model) usersOf(partner string) []string {
	return slices.DeleteFunc(m.everybody(), func(id string) bool { return m.people[id].partner != partner })
}

// present lists those who have not left; of all partners when none is named.
func (m *model) present(partner string) []string {
	return slices.DeleteFunc(m.everybody(), func(id string) bool {
		u := m.people[id]
		return u.gone() || partner != "" && u.partner != partner
	})
}

func (m *model) everybody() []string { return slices.Sorted(maps.Keys(m.people)) }

// marks are the instants to come at which grants begin or end.
func (m *model) marks() []time.Time {
	var out []time.Time
	for _, d := range m.deals {
		for _, at := range []time.Time{d.from, d.until} {
			if at.After(m.now) {
				out = append(out, at)
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

func (m *model) expired(d *deal) bool {
	return !d.ended && !d.until.IsZero() && !m.now.Before(d.until)
}

// over tells whether a grant has ended, for whatever reason.
func (m *model) over(p pair) bool {
	d := m.deals[p]
	return d.ended || m.expired(d) || m.partners[p.partner].status == access.Removed
}

func (m *model) status(p pair) string {
	switch d := m.deals[p]; {
	case m.expired(d):
		return "expired"
	case m.over(p):
		return "ended"
	case d.suspended, m.partners[p.partner].status == access.Suspended:
		return "suspended"
	case m.now.Before(d.from):
		return "scheduled"
	}
	return "active"
}

// decide says whether a user may do at a customer's what needs a level.
func (m *model) decide(user, customer string, needs access.Level) verdict {
	no := func(w access.DecisionReason) verdict { return verdict{why: w} }
	u := m.people[user]
	if u == nil || u.gone() {
		return no(access.UnknownSubject)
	}
	if m.partners[u.partner].status != access.Active {
		return no(access.DeniedPartnerNotActive)
	}
	if u.status != access.Active {
		return no(access.DeniedUserNotActive)
	}
	d := m.deals[pair{customer, u.partner}]
	if d == nil {
		return no(access.NoGrant)
	}
	switch m.status(pair{customer, u.partner}) {
	case "expired":
		return no(access.DeniedExpired)
	case "ended":
		return no(access.DeniedEnded)
	case "suspended":
		return no(access.DeniedSuspended)
	case "scheduled":
		return no(access.NotYetActive)
	}
	if !d.people[user] {
		return no(access.UserNotAssigned)
	}
	if u.memberOf[customer] {
		return no(access.DeniedConflict)
	}
	level := min(d.level, m.partners[u.partner].offer)
	if own, capped := d.caps[user]; capped {
		level = min(level, own)
	}
	if most, capped := m.caps[customer][u.address]; capped {
		level = min(level, most)
	}
	if level < needs {
		return verdict{why: access.LevelTooLow, level: level, until: d.until}
	}
	return verdict{allow: true, why: access.Granted, level: level, until: d.until}
}

// The directory.

func (m *model) addPartner(id string, offer access.Level) {
	m.partners[id] = &agency{status: access.Active, offer: offer}
}

func (m *model) setPartner(id string, change func(*agency)) access.Code {
	if m.partners[id].status == access.Removed {
		return access.Ended
	}
	change(m.partners[id])
	return ""
}

func (m *model) removePartner(id string) access.Code {
	if m.partners[id].status == access.Removed {
		return access.NotFound
	}
	m.partners[id].status, m.partners[id].removed = access.Removed, m.now
	return ""
}

func (m *model) join(partner, id, address string, role access.Role) access.Code {
	if m.partners[partner].status == access.Removed {
		return access.NotFound
	}
	m.people[id] = &someone{partner: partner, address: address, role: role, status: access.Active, memberOf: m.memberships(address)}
	for p, d := range m.deals {
		if p.partner == partner && d.everyone && role != access.External {
			d.people[id] = true // E12
		}
	}
	return ""
}

func (m *model) leave(user string) access.Code {
	u := m.people[user]
	if u.gone() {
		return access.NotFound
	}
	u.status = access.Removed
	for _, d := range m.deals {
		if d.people[user] && (!d.everyone || u.external()) {
			d.left[user] = true
		}
		delete(d.people, user)
	}
	return ""
}

func (m *model) setStatus(user string, s access.Status) access.Code {
	u := m.people[user]
	if u.gone() || m.partners[u.partner].status == access.Removed {
		return access.NotFound
	}
	u.status = s
	return ""
}

func (m *model) setMember(user, customer string, member, admin bool) access.Code {
	u := m.people[user]
	if !member && !u.memberOf[customer] {
		return access.NotFound
	}
	u.memberOf[customer] = member
	m.deciders[pair{customer, u.address}] = member && admin
	return ""
}

// Grants.

// eligible tells why a partner cannot be given anything.
func (m *model) eligible(partner string) access.Code {
	switch a := m.partners[partner]; {
	case a.status != access.Active:
		return access.PartnerNotActive
	case a.offer == access.None:
		return access.PartnerNotEligible
	}
	return ""
}

// attempt changes a copy of the grant, which can take its place when nothing is refused.
func attempt(d deal, change func(*deal) access.Code) (*deal, access.Code) {
	d.people, d.caps, d.left, d.raises = clone(d.people), clone(d.caps), clone(d.left), false
	code := change(&d)
	return &d, code
}

func clone[V any](m map[string]V) map[string]V {
	out := map[string]V{}
	maps.Copy(out, m)
	return out
}

func (m *model) grant(p pair, cmd access.GrantCommand) access.Code {
	if code := m.eligible(p.partner); code != "" {
		return code
	}
	d := deal{id: m.nextDeal(), opened: m.now, level: access.View, from: m.now, byPartner: len(cmd.Users) == 0 && !cmd.Everyone}
	fresh := m.deals[p] == nil || m.over(p)
	if !fresh {
		d = *m.deals[p] // D20
	}
	after, code := attempt(d, func(d *deal) access.Code {
		if !fresh {
			if m.differs(d, cmd) {
				return access.GrantDiffers
			}
		} else {
			if cmd.Level != nil {
				d.level = *cmd.Level
			}
			m.choose(d, cmd.AssignedBy)
			if code := m.period(d, cmd.From, cmd.Until); code != "" {
				return code
			}
		}
		if cmd.Everyone {
			m.everyone(d, p.partner, true)
		}
		return m.add(d, p, cmd.Users)
	})
	if code != "" {
		return code
	}
	m.recordChange(p)
	m.deals[p] = after
	if cmd.Individual && cmd.Level != nil {
		address := m.people[cmd.Users[0]].address
		if _, capped := m.caps[p.customer][address]; capped || !fresh {
			m.setCap(p.customer, address, *cmd.Level) // D15
		}
	}
	return ""
}

func (m *model) setCap(customer, address string, level access.Level) {
	if m.caps[customer] == nil {
		m.caps[customer] = map[string]access.Level{}
	}
	m.caps[customer][address] = level
}

// differs tells whether a second grant names other terms than those of the open one (D20).
func (m *model) differs(d *deal, cmd access.GrantCommand) bool {
	began := !d.from.After(m.now)
	switch {
	case cmd.Level != nil && !cmd.Individual && *cmd.Level != d.level:
	case cmd.From != nil && cmd.From.After(m.now) && !cmd.From.Equal(d.from):
	case cmd.From != nil && !cmd.From.After(m.now) && !began:
	case cmd.Until != nil && !cmd.Until.Equal(d.until):
	case cmd.AssignedBy != nil && (*cmd.AssignedBy == access.ByPartner) != d.byPartner:
	default:
		return false
	}
	return true
}

// choose sets who picks the users.
func (m *model) choose(d *deal, by *access.Assigner) {
	if by != nil && d.byPartner != (*by == access.ByPartner) {
		d.byPartner, d.chosen = !d.byPartner, m.now
	}
}

func (m *model) period(d *deal, from, until *time.Time) access.Code {
	if from != nil {
		switch {
		case from.After(m.now):
			d.from = *from
		case d.from.After(m.now): // it has not begun: now, at once
			d.from = m.now
		}
	}
	if until != nil && !until.Equal(d.until) {
		if !until.IsZero() && !until.After(m.now) {
			return access.PeriodInvalid
		}
		d.until = *until
	}
	if !d.until.IsZero() && !d.from.Before(d.until) {
		return access.PeriodInvalid
	}
	return ""
}

// everyone lets all staff in and nobody else (E14), or lets no more in than there are (E15).
func (m *model) everyone(d *deal, partner string, on bool) {
	if d.everyone == on {
		return
	}
	d.everyone = on
	if !on {
		return
	}
	d.people, d.caps, d.left = map[string]bool{}, map[string]access.Level{}, map[string]bool{}
	for id, u := range m.people {
		if u.partner == partner && !u.gone() && !u.external() {
			d.people[id] = true
		}
	}
}

// candidate tells why somebody cannot be put in who is not.
func (m *model) candidate(d *deal, p pair, user string) access.Code {
	switch u := m.people[user]; {
	case u.partner != p.partner || u.gone():
		return access.UserNotOfPartner // A6
	case d.people[user]:
		return ""
	case u.status != access.Active:
		return access.UserNotActive // D8
	case u.memberOf[p.customer]:
		return access.CustomerUserConflict // A7
	}
	return ""
}

func (m *model) add(d *deal, p pair, users []string) access.Code {
	for _, user := range users {
		if code := m.candidate(d, p, user); code != "" {
			return code
		}
		d.people[user] = true
	}
	return ""
}

// who changes who is in, as edits and picks do.
func (m *model) who(d *deal, p pair, everyone *bool, set *[]string, add, remove []string) access.Code {
	before := d.count()
	if everyone != nil {
		m.everyone(d, p.partner, *everyone)
	}
	if set != nil {
		for _, user := range *set {
			if code := m.candidate(d, p, user); code != "" {
				return code
			}
		}
		if d.everyone {
			return access.EveryoneIsOn
		}
		d.people, d.left = map[string]bool{}, map[string]bool{}
		for _, user := range *set {
			d.people[user] = true
		}
	}
	if code := m.add(d, p, add); code != "" {
		return code
	}
	for _, user := range remove {
		u := m.people[user]
		if u.partner != p.partner {
			continue
		}
		if d.everyone && !u.external() {
			return access.EveryoneIsOn // E10
		}
		delete(d.people, user)
	}
	for user := range d.caps {
		if !d.people[user] {
			delete(d.caps, user)
		}
	}
	if before > 0 && d.count() == 0 && !d.everyone {
		return access.LastUser // E9
	}
	return ""
}

func (m *model) edit(p pair, cmd access.EditCommand, stale bool) access.Code {
	caps, raises := clone(m.caps[p.customer]), false
	for address, level := range cmd.Caps {
		was, capped := caps[address]
		raises = raises || capped && (level == nil || *level > was)
		delete(caps, address)
		if level != nil {
			caps[address] = *level
		}
	}
	code := m.change(p, stale, func(d *deal) access.Code {
		d.raises = raises
		if cmd.Level != nil {
			d.level = *cmd.Level
		}
		if code := m.period(d, cmd.From, cmd.Until); code != "" {
			return code
		}
		m.choose(d, cmd.AssignedBy)
		if cmd.State != nil {
			d.suspended = *cmd.State == access.StateSuspended
		}
		return m.who(d, p, cmd.Everyone, cmd.Set, cmd.Add, cmd.Remove)
	})
	if code == "" {
		m.caps[p.customer] = caps
	}
	return code
}

func (m *model) pick(p pair, cmd access.AssignCommand, stale bool) access.Code {
	return m.change(p, stale, func(d *deal) access.Code {
		if !d.byPartner {
			return access.Forbidden
		}
		return m.who(d, p, cmd.Everyone, cmd.Users, nil, nil)
	})
}

func (m *model) removeUser(p pair, user string) access.Code {
	return m.change(p, false, func(d *deal) access.Code {
		if !d.people[user] {
			return access.NotFound
		}
		return m.who(d, p, nil, nil, nil, []string{user})
	})
}

// change edits a grant that has not ended. What gives more needs the version that is there, and an eligible partner.
func (m *model) change(p pair, stale bool, change func(*deal) access.Code) access.Code {
	d := m.deals[p]
	if d == nil {
		return access.NotFound
	}
	if m.over(p) {
		return access.Ended
	}
	after, code := attempt(*d, change)
	if code != "" {
		return code
	}
	if extendsAccess(d, after) {
		if stale {
			return access.VersionMismatch
		}
		if code := m.eligible(p.partner); code != "" {
			return code
		}
	}
	m.deals[p] = after
	return ""
}

// extendsAccess tells whether somebody gets, or may get, more than before.
func extendsAccess(before, after *deal) bool {
	for user := range after.people {
		if !before.people[user] {
			return true
		}
	}
	return after.raises || after.level > before.level || after.from.Before(before.from) || after.byPartner && !before.byPartner ||
		before.suspended && !after.suspended ||
		after.everyone && !before.everyone || !before.until.IsZero() && (after.until.IsZero() || after.until.After(before.until))
}

// end is a revoke or a relinquish. When the clock was first, that stays the reason.
func (m *model) end(p pair) access.Code {
	d := m.deals[p]
	if d == nil {
		return access.NotFound
	}
	if !d.ended && !m.expired(d) {
		d.ended = true
		m.ended[p] = append(m.ended[p], m.now)
	}
	return ""
}

// The sweep.

// userLeft no longer counts somebody in a grant that has not ended.
func (m *model) userLeft(p pair, user string) {
	if d := m.deals[p]; d != nil && !d.ended && !m.expired(d) {
		delete(d.left, user)
	}
}

// partnerGone ends a grant of a removed partner, and gives how; nil when it had been ended before, by whomever. When the clock was first,
// that stays the reason.
func (m *model) partnerGone(p pair) *access.End {
	d := m.deals[p]
	switch {
	case d == nil || d.ended:
		return nil
	case m.expired(d):
		return &access.End{Reason: access.Expired, At: d.until}
	}
	d.ended = true
	m.ended[p] = append(m.ended[p], m.partners[p.partner].removed)
	return &access.End{Reason: access.PartnerRemoved, At: m.partners[p.partner].removed}
}
