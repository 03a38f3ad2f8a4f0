package histories

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// set is a set of a partner's users, a bit for each.
type set uint64

func of(users ...int) set {
	var s set
	for _, u := range users {
		s |= 1 << u
	}
	return s
}

func (s set) has(u int) bool { return s&(1<<u) != 0 }

type standing int

const (
	active standing = iota
	suspended
	removed
)

type phase int

const (
	never phase = iota // there never was a grant
	open
	paused
	ended
	expired
)

// state is all that the naive model knows of one customer and one partner: who is in, one by one.
type state struct {
	partner  standing
	present  set // users who have not left
	disabled set
	member   set // who are the customer's own people, too

	phase    phase
	everyone bool
	in       set // while everyone is not on
	level    int
	from     int64
	until    int64
	left     bool // some who have left while they were in may still be counted, until a sweep comes by
	grants   int  // how many were opened in this epoch, and when the last one was
	opened   int64

	wish  wish // that may be pending
	stale bool // of a view: who asks read the grant before it was opened, or ended
}

func (s state) String() string {
	return fmt.Sprintf("partner %d present %b disabled %b member %b; phase %d everyone %v in %b level %d from %d until %d left %v",
		s.partner, s.present, s.disabled, s.member, s.phase, s.everyone, s.in, s.level, s.from, s.until, s.left)
}

// over is the phase at that minute.
func (s *state) at(now int64) phase {
	if (s.phase == open || s.phase == paused) && s.until != none && s.until <= now {
		return expired
	}
	return s.phase
}

func (s *state) admits(u int) bool { return s.present.has(u) && (s.everyone || s.in.has(u)) }

// decide is what a check is answered.
func (s *state) decide(u, need int, now int64) string {
	switch {
	case !s.present.has(u):
		return "unknown_subject"
	case s.partner != active:
		return "partner_not_active"
	case s.disabled.has(u):
		return "user_not_active"
	}
	switch s.at(now) {
	case never:
		return "no_grant"
	case expired:
		return "expired"
	case ended:
		return "ended"
	case paused:
		return "suspended"
	}
	switch {
	case now < s.from:
		return "not_yet_active"
	case !s.admits(u):
		return "user_not_assigned"
	case s.member.has(u):
		return "customer_user_conflict"
	case s.level < need:
		return "level_too_low"
	}
	return "granted"
}

// seen is what an observation found.
type seen struct {
	partner                   standing
	present, disabled, member set
	status                    string // of the grant, "" where there never was one
	paused                    bool   // by the customer, which the status does not tell from a partner that is suspended
	everyone                  bool
	in                        set
	level                     int
	from, until               int64
	counted                   int // as the grant says
	wish                      int // 1 and the number of the pending request; 0 = none
}

// begin is the state that was seen.
func (o seen) begin() state {
	s := state{partner: o.partner, present: o.present, disabled: o.disabled, member: o.member}
	switch o.status {
	case "":
		return s
	case "ended":
		s.phase = ended
		return s
	case "expired":
		s.phase = expired
		return s
	default:
		s.phase = open
		if o.paused {
			s.phase = paused
		}
	}
	s.everyone, s.level, s.from, s.until = o.everyone, o.level, o.from, o.until
	if !o.everyone {
		s.in = o.in
		s.left = o.counted != bits.OnesCount64(uint64(o.in))
	}
	return s
}

// agrees tells whether the model's state is what was seen.
func (s state) agrees(o seen, now int64) bool {
	if s.partner != o.partner || s.present != o.present || s.disabled != o.disabled || s.member != o.member {
		return false
	}
	p := s.at(now)
	if s.partner == removed && p != never && p != expired {
		p = ended // what the sweep writes down later
	}
	wanted := map[phase]string{never: "", ended: "ended", expired: "expired", paused: "suspended", open: "active"}[p]
	if p == open && now < s.from {
		wanted = "scheduled"
	}
	if s.partner == suspended && (p == open || p == paused) {
		wanted = "suspended" // which a check answers, too, whatever the customer has set
	}
	if s.partner == removed && o.status == "ended" && wanted == "expired" {
		wanted = "ended" // the sweep wrote down that the partner had gone before the clock came to the end
	}
	if wanted != o.status {
		return false
	}
	if pending := s.pending(now); o.wish != 0 && (!pending || o.wish != s.wish.id) || o.wish == 0 && pending && !s.wish.lapsed {
		return false
	}
	if p != open && p != paused {
		return true
	}
	in := s.in & s.present
	return o.paused == (p == paused) && s.everyone == o.everyone && (s.everyone || in == o.in) && s.level == o.level && s.from == o.from &&
		s.until == o.until
}

// plan is what a change makes of the state, and what it is answered.
func (s state) plan(c *command, now int64) (state, string) {
	switch c.kind {
	case join:
		if s.partner == removed {
			return s, "404 not_found"
		}
		s.present |= of(c.users...)
		return s, "201"
	case leave, disable, enable:
		return s.account(c)
	case suspendPartner, resumePartner, removePartner:
		if s.partner == removed {
			return s, "gone"
		}
		switch c.kind {
		case suspendPartner:
			s.partner = suspended
		case resumePartner:
			s.partner = active
		default:
			s.partner = removed
			return s, "204"
		}
		return s, "200"
	case addMember:
		answer := "201"
		if s.member.has(c.users[0]) {
			answer = "200"
		}
		s.member |= of(c.users[0])
		return s, answer
	case removeMember:
		if !s.member.has(c.users[0]) {
			return s, "404 not_found"
		}
		s.member &^= of(c.users[0])
		return s, "204"
	case grantUsers, grantEveryone:
		return s.grant(c, now)
	case askFor:
		return s.ask(c, now)
	case approve, decline, withdraw:
		return s.answer(c, now)
	}
	return s.edit(c, now)
}

// account is a change of one user's account.
func (s state) account(c *command) (state, string) {
	u := c.users[0]
	if !s.present.has(u) || s.partner == removed && c.kind != leave {
		return s, "404 not_found"
	}
	switch c.kind {
	case disable:
		s.disabled |= of(u)
	case enable:
		s.disabled &^= of(u)
	default:
		s.left = s.left || !s.everyone && s.in.has(u)
		s.present &^= of(u)
		s.disabled &^= of(u)
		s.in &^= of(u)
		return s, "204"
	}
	return s, "200"
}

// candidate tells why a user cannot be put in.
func (s *state) candidate(u int) string {
	switch {
	case !s.present.has(u):
		return "422 user_not_of_partner"
	case s.admits(u):
		return ""
	case s.disabled.has(u):
		return "422 user_not_active"
	case s.member.has(u):
		return "409 customer_user_conflict"
	}
	return ""
}

func (s state) grant(c *command, now int64) (state, string) {
	if s.partner != active {
		return s, "422 partner_not_active"
	}
	before, answer := s, "200"
	timed := c.until != unchanged && c.until != none // in a grant null says nothing
	if p := s.at(now); p != open && p != paused {
		s.begin(now)
		answer = "201"
		if c.level >= 0 {
			s.level = c.level
		}
		if timed && !s.period(c, now) {
			return before, "422 period_invalid"
		}
	} else if c.level >= 0 && c.level != s.level || timed && c.until != s.until { // a second one adds people, and nothing else
		return before, "409 grant_differs"
	}
	if c.kind == grantEveryone {
		s.switchOn()
		return s, answer
	}
	for _, u := range c.users {
		if no := s.candidate(u); no != "" {
			return before, no
		}
		if !s.everyone {
			s.in |= of(u)
		}
	}
	return s, answer
}

// begin opens another grant.
func (s *state) begin(now int64) {
	s.phase, s.everyone, s.in, s.left = open, false, 0, false
	s.level, s.from, s.until = 1, now, none
	s.grants, s.opened = s.grants+1, now
}

func (s *state) switchOn() {
	if !s.everyone {
		s.everyone, s.in, s.left = true, 0, false
	}
}

func (s *state) period(c *command, now int64) bool {
	switch {
	case c.from == unchanged:
	case c.from > now:
		s.from = c.from
	case s.from > now:
		s.from = now
	}
	if c.until != unchanged && c.until != s.until {
		if c.until != none && c.until <= now {
			return false
		}
		s.until = c.until
	}
	return s.until == none || s.from < s.until
}

func (s state) edit(c *command, now int64) (state, string) {
	before, p := s, s.at(now)
	switch {
	case c.kind == relinquish && s.partner == suspended: // its people change nothing
		return s, "403 partner_not_active"
	case p == never:
		return s, "404 not_found"
	case c.kind == relinquish && s.partner == removed:
		return s, "gone"
	case c.kind == revoke || c.kind == relinquish:
		if p == open || p == paused {
			p = ended
		}
		s.phase = p // what the clock has ended first stays so
		return s, "200"
	case p == ended, p == expired, s.partner == removed:
		return s, "409 ended"
	}
	extends := false
	switch c.kind {
	case setLevel:
		extends = c.level > s.level
		s.level = c.level
	case setUntil, setFrom:
		if !s.period(c, now) {
			return before, "422 period_invalid"
		}
		extends = s.from < before.from || before.until != none && (s.until == none || s.until > before.until)
	case suspend:
		s.phase = paused
	case resume:
		extends = s.phase == paused
		s.phase = open
	case everyoneOn:
		extends = !s.everyone
		s.switchOn()
	case everyoneOff:
		if s.everyone {
			s.everyone, s.in, s.left = false, s.present, false
		}
	case addUsers, setUsers:
		for _, u := range c.users {
			if no := s.candidate(u); no != "" {
				return before, no
			}
		}
		switch {
		case c.kind == setUsers && s.everyone:
			return before, "409 everyone_is_on"
		case c.kind == setUsers:
			s.in, s.left = of(c.users...), false
		case !s.everyone:
			s.in |= of(c.users...)
		}
		extends = s.in&^before.in != 0
	case removeUsers, deleteUser:
		u := of(c.users...)
		switch {
		case c.kind == deleteUser && !s.admits(c.users[0]):
			return s, "404 not_found"
		case s.everyone:
			return s, "409 everyone_is_on"
		}
		s.in &^= u
		if s.in == 0 && before.in != 0 {
			return before, "409 last_user"
		}
	}
	if extends && s.partner != active {
		return before, "422 partner_not_active"
	}
	return s, "200"
}

// contended is the answer to a change that was not made because others were always first.
const contended = "409 contention"

// steps are the states to which an operation may lead, given what it was answered.
func (s state) steps(o *operation) []state {
	if o.kind == observe {
		if s.agrees(o.seen, o.nows[0]) {
			return []state{o.seen.begin()}
		}
		return nil
	}
	if o.kind == check || o.kind == batch {
		for _, now := range o.nows {
			fits := true
			for i, u := range o.users {
				fits = fits && s.decide(u, o.need, now) == o.answers[i]
			}
			if fits {
				return []state{s}
			}
		}
		return nil
	}
	if o.answer == contended {
		return []state{s}
	}
	var out []state
	for _, now := range o.nows {
		for _, view := range s.views(o, now) {
			after, answer := view.plan(&o.command, now)
			if !o.answered(answer, view, after) {
				continue
			}
			if o.answer == "200" && answer == "409 last_user" { // those who have left were still counted
				after = view
				after.in &^= of(o.users...)
			}
			after = s.without(after, o, answer)
			if after.wish.lapsed = after.wish.lapsed || after.wish.id != 0 && after.moot(now); !slices.Contains(out, after) {
				out = append(out, after)
			}
		}
	}
	return out
}

// without takes back what was only another view of the state, and no change of the operation's.
func (s state) without(after state, o *operation, answer string) state {
	after.stale = false
	if o.kind == askFor && answer != "200" && answer != "201" {
		after.wish = s.wish
	}
	if o.kind.ofPartner() || o.kind == addMember || o.kind == removeMember {
		return after
	}
	after.partner, after.present, after.disabled, after.member = s.partner, s.present, s.disabled, s.member
	if !after.everyone && after.in&^after.present != 0 {
		after.in, after.left = after.in&after.present, true
	}
	return after
}

// answered returns whether the operation's answer is the one that the model gives where it makes that of the state.
func (o *operation) answered(wanted string, before, after state) bool {
	switch {
	case o.kind == askFor && wanted == o.answer && (wanted == "200" || wanted == "201"):
		return after.wish.id == o.request+1
	case wanted == "gone":
		return gone(o.answer)
	case o.answer == "200" && wanted == "409 last_user":
		return before.left
	}
	return wanted == o.answer || o.refusesOwn(wanted)
}

// gone tells whether an answer is fit for what was removed.
func gone(answer string) bool {
	return answer == "404 not_found" || answer == "409 ended" || answer == "403 not_registered" || answer == "403 forbidden"
}

// views are the state as the operation may have read it: a change of a grant is written only if the grant is as it was read, but what the
// partner and its users were then may have changed while it was under way. Every check looks at those anyway, so that nobody gets in by it.
func (s state) views(o *operation, now int64) []state {
	out := []state{s}
	if (o.kind == askFor || o.kind.ofRequest()) && s.wish.lapsed && s.pending(now) { // its end may have been recorded while it was moot
		out = append(out, s)
		out[0].wish.lapsed, out[1].wish = false, wish{}
	}
	// Whoever asks reads the partner and the grant first, and then whether the request before is pending, which it may not be any more: by
	// what makes it moot, the new one is moot, too.
	if o.kind == askFor && len(o.partners) > 0 && s.pending(now) {
		v := s
		v.wish = wish{}
		out = append(out, v)
	}
	if o.kind == askFor && o.regranted {
		for _, v := range slices.Clone(out) {
			v.stale = true
			out = append(out, v)
		}
	}
	vary := func(change func(state) state) {
		for _, v := range slices.Clone(out) {
			if other := change(v); !slices.Contains(out, other) {
				out = append(out, other)
			}
		}
	}
	for _, p := range o.partners {
		vary(func(v state) state { v.partner = p; return v })
	}
	users := o.users
	if o.kind == approve {
		users = s.wish.users.list()
	}
	for _, u := range users {
		if o.mixed.has(u) {
			vary(func(v state) state { v.present ^= of(u); return v })
			vary(func(v state) state { v.disabled ^= of(u); return v })
			vary(func(v state) state { v.member ^= of(u); return v })
		}
	}
	return out
}

// operation is a command that was answered.
type operation struct {
	command
	client    int
	call, end int64    // nanoseconds since the history began
	nows      []int64  // the minutes that the clock showed meanwhile
	answer    string   // of a change: the status, and the code of a refusal
	answers   []string // of a check: the reason for each of the users
	seen      seen     // of an observation

	// What changed meanwhile, see views.
	partners  []standing
	mixed     set
	regranted bool // a grant was opened or ended
}

func (o *operation) String() string {
	out := o.command.String() + ": " + o.answer + strings.Join(o.answers, ",")
	if o.kind == observe {
		out += fmt.Sprintf("%+v", o.seen)
	}
	return fmt.Sprintf("%s (%.3f to %.3f ms, client %d, now %v)", out, float64(o.call)/1e6, float64(o.end)/1e6, o.client, o.nows)
}

func model(begin state) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{begin} },
		Step: func(s, in, _ any) []any {
			var out []any
			for _, next := range s.(state).steps(in.(*operation)) {
				out = append(out, next)
			}
			return out
		},
		DescribeOperation: func(in, _ any) string { return in.(*operation).String() },
		DescribeState:     func(s any) string { return fmt.Sprint(s) },
	}
	return m.ToModel()
}
