package histories

import "strings"

// Requests of partners in the model: one of a pair is pending at most, for access of users or of everyone.

// wish is the latest request of a pair. The zero value is one that has ended, or none.
type wish struct {
	id       int // 1 and its number
	users    set
	everyone bool
	level    int   // 0 = inside an open grant, which has one
	until    int64 // of the grant that it opens
	inside   bool  // a grant was open when it was made
	grant    int   // which of this epoch
	made     int64
	expires  int64
	agreed   [2]terms // by which of the customer's admins

	// lapsed: it was moot for some time, and whether its end was recorded then is not known.
	lapsed bool
}

// terms are what an admin has approved.
type terms struct {
	yes   bool
	level int
	until int64
}

// waits is how many minutes a request waits for a decision, and approvals how many a customer needs.
const waits = 60

func approvals(customer int) int {
	if customer == 0 {
		return 2
	}
	return 1
}

func (s set) list() []int {
	var out []int
	for u := range 64 {
		if s.has(u) {
			out = append(out, u)
		}
	}
	return out
}

// isOpen returns whether there is a grant that has not ended.
func (s *state) isOpen(now int64) bool {
	p := s.at(now)
	return p == open || p == paused
}

// pending returns whether the request is to be decided.
func (s *state) pending(now int64) bool {
	return s.wish.id != 0 && now < s.wish.expires && !s.moot(now)
}

// moot returns whether nobody needs to decide about the request any more.
func (s *state) moot(now int64) bool {
	w := s.wish
	switch {
	case s.partner != active:
		return true
	case !w.inside:
		return s.isOpen(now) || s.phase != never && s.opened > w.made
	case !s.isOpen(now), s.grants != w.grant:
		return true
	}
	return s.gives(w)
}

// gives returns whether the open grant is as the request asks.
func (s *state) gives(w wish) bool {
	if w.everyone {
		return s.everyone
	}
	for _, u := range w.users.list() {
		if s.present.has(u) && !s.admits(u) {
			return false
		}
	}
	return true
}

func (s state) ask(c *command, now int64) (state, string) {
	switch {
	case s.partner == removed:
		return s, "gone"
	case s.partner == suspended:
		return s, "403 partner_not_active"
	case s.pending(now):
		return s, "200"
	}
	for _, u := range c.users {
		switch {
		case !s.present.has(u):
			return s, "422 user_not_of_partner"
		case s.disabled.has(u):
			return s, "422 user_not_active"
		}
	}
	w := wish{
		id: c.request + 1, users: of(c.users...), everyone: len(c.users) == 0, inside: s.isOpen(now) != s.stale, made: now, expires: now + waits,
	}
	switch {
	case w.inside && (c.level >= 0 || c.until != unchanged):
		return s, "409 grant_differs"
	case w.inside && !s.stale && s.gives(w):
		return s, "422 gives_nothing"
	case w.inside:
		if w.grant = s.grants; s.until != none {
			w.expires = min(w.expires, s.until)
		}
	case c.until != unchanged && c.until <= now:
		return s, "422 period_invalid"
	default:
		if w.level = 1; c.level >= 0 {
			w.level = c.level
		}
		if c.until != unchanged {
			w.until, w.expires = c.until, min(w.expires, c.until)
		}
	}
	s.wish = w
	return s, "201"
}

// answer decides about a request, or withdraws it.
func (s state) answer(c *command, now int64) (state, string) {
	pending := s.wish.id == c.request+1 && s.pending(now)
	switch {
	case c.kind == withdraw && s.partner == removed:
		return s, "gone"
	case c.kind == withdraw && s.partner == suspended:
		return s, "403 partner_not_active"
	case c.kind == withdraw && !pending:
		return s, "200" // as it has ended
	case c.kind != withdraw && c.decider == owners:
		return s, "own"
	case !pending:
		return s, "409 request_ended"
	case c.kind != approve:
		s.wish = wish{}
		return s, "200"
	}
	return s.approve(c, now)
}

func (s state) approve(c *command, now int64) (state, string) {
	before, w := s, s.wish
	is := terms{true, w.level, w.until}
	if c.level >= 0 {
		if is.level = c.level; is.level > w.level {
			return before, "422 wider_than_asked"
		}
	}
	if c.until != unchanged {
		if is.until = c.until; w.inside || w.until != none && is.until > w.until {
			return before, "422 wider_than_asked"
		}
	}
	if !w.inside {
		if is.until != none && is.until <= now {
			return before, "422 period_invalid"
		}
		s.begin(now)
		s.level, s.until = is.level, is.until
	}
	if w.everyone {
		s.switchOn()
	}
	for _, u := range w.users.list() {
		if no := s.candidate(u); no != "" {
			return before, no
		}
		if !s.everyone {
			s.in |= of(u)
		}
	}
	if w.agreed[c.decider] = is; approvals(c.customer) == 2 && w.agreed[1-c.decider] != is {
		before.wish = w
		return before, "200"
	}
	s.wish = wish{}
	return s, "200"
}

// refusesOwn returns whether the answer refuses what is expected to be refused: a decision by the partner's own people, which may fail on
// several grounds, and a request of a partner that was suspended while its caller was looked at.
func (o *operation) refusesOwn(wanted string) bool {
	return wanted == "own" && (strings.HasPrefix(o.answer, "403") || strings.HasPrefix(o.answer, "404")) ||
		o.kind == askFor && wanted == "403 partner_not_active" && o.answer == "422 partner_not_active"
}
