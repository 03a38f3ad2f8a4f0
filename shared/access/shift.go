package access

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Shift says whose access the change of one record may have altered: everybody's who fits Customer, Partner and User.
//
// A decision reads four records and the clock, and each record alone can deny. So whoever loses access by a change loses it by one record
// of it, and the shifts of all records that a change writes name everybody who loses or gains. What the clock alone brings, the start and
// the end of a period, has its shift when it is written down: within a minute by the sweep. At says when it really was.
type Shift struct {
	Lost bool // access, or some of it, is lost; otherwise it is gained

	Customer, Partner, User string // whom it concerns; "" = each
	Grant                   string // the grant's id, where there is one

	Level  Level          // of a loss: the most that is left, unless Ask
	Ask    bool           // of a loss: some may have lost access and others not, and a check says who
	Reason DecisionReason // of a loss: as a check gives it, or LevelTooLow where there is a lower level
	At     time.Time      // UTC
}

// shifts collects the shifts of one record; of are the members that all of them have.
type shifts struct {
	of   Shift
	list []Shift
}

// lost adds that nobody has more than the level.
func (l *shifts) lost(level Level, why DecisionReason) {
	s := l.of
	s.Lost, s.Level, s.Reason = true, level, why
	l.list = append(l.list, s)
}

// mayLose adds that some may have less, which checks say.
func (l *shifts) mayLose(why DecisionReason) {
	s := l.of
	s.Lost, s.Ask, s.Reason = true, true, why
	l.list = append(l.list, s)
}

func (l *shifts) gained() { l.list = append(l.list, l.of) }

// has reports whether there is a loss, or a gain, already.
func (l *shifts) has(lost bool) bool {
	return slices.ContainsFunc(l.list, func(s Shift) bool { return s.Lost == lost })
}

// PartnerShifts returns what a change of a partner's record means for the access of its people. A new partner has none.
func PartnerShifts(before, after *Partner, at time.Time) []Shift {
	if before == nil {
		return nil
	}
	l := shifts{of: Shift{Partner: after.ID, At: at}}
	was, is := before.denial(), after.denial()
	switch {
	case was == Granted && is != Granted:
		l.lost(None, is)
	case was != Granted && is == Granted:
		l.gained()
	case is == Granted:
		if after.Offer < before.Offer {
			l.lost(after.Offer, LevelTooLow)
		}
		if before.SSO && !after.SSO {
			l.mayLose(SSORequired)
		}
		if after.Offer > before.Offer || after.SSO && !before.SSO {
			l.gained()
		}
	}
	return l.list
}

// UserShifts returns what a change of a partner's user means for its access. Before is nil for a new user, and for one who has left.
func UserShifts(before, after *User, at time.Time) []Shift {
	l := shifts{of: Shift{Partner: after.Partner, User: after.ID, At: at}}
	was, is := before != nil && before.Status == Active, after.Status == Active
	switch {
	case after.Status == Removed && (before == nil || before.Status != Removed):
		l.lost(None, UnknownSubject)
	case was && !is:
		l.lost(None, DeniedUserNotActive)
	case !was && is:
		l.gained()
	case !is:
	case before.Email != after.Email || before.Number != after.Number || (before.Role == External) != (after.Role == External):
		// Caps go by address, and so does whether the user is one of the customer's own people; the number says who was assigned.
		l.mayLose(UserNotAssigned)
		l.gained()
	}
	if was && is {
		for _, customer := range after.MemberOf {
			if l.of.Customer = customer; !slices.Contains(before.MemberOf, customer) {
				l.lost(None, DeniedConflict)
			}
		}
		for _, customer := range before.MemberOf {
			if l.of.Customer = customer; !slices.Contains(after.MemberOf, customer) {
				l.gained()
			}
		}
	}
	return l.list
}

// inForce returns why the grant denies everybody at that instant, whatever its partner is like; Granted when it does not.
func (g *Grant) inForce(at time.Time) DecisionReason {
	if g == nil {
		return NoGrant
	}
	return g.denial(&Partner{Status: Active, Class: Channel, SSO: true}, at)
}

// GrantShifts returns what a change of a grant means for the access of the partner's people. Before is nil for the first grant of its
// customer and partner. The end of a removed partner's grant means nothing more: PartnerShifts has said that the partner was removed.
func GrantShifts(before, after *Grant, at time.Time) []Shift {
	l := shifts{of: Shift{Customer: after.Customer, Partner: after.Partner, Grant: after.ID, At: at}}
	if before != nil && before.State == StateOpen && before.expired(at) {
		l.of.Grant, l.of.At = before.ID, before.Until
		l.lost(None, DeniedExpired)
		l.of.Grant, l.of.At = after.ID, at
	}
	was, is := before.inForce(at), after.inForce(at)
	switch {
	case was == Granted && is != Granted:
		if after.State != StateEnded || after.End == nil || after.End.Reason != PartnerRemoved {
			l.lost(None, is)
		}
	case was != Granted && is == Granted:
		l.gained()
	case is == Granted:
		l.terms(before, after)
		if before.From.After(before.NotifiedUntil) && !before.From.After(after.NotifiedUntil) && !l.has(false) {
			l.of.At = before.From // the period has begun, and nobody has said so yet
			l.gained()
		}
	}
	return l.list
}

// terms adds what other terms of a grant mean that goes on.
func (l *shifts) terms(a, b *Grant) {
	if b.Level < a.Level {
		l.lost(b.Level, LevelTooLow)
	}
	capped, lifted := capShifts(a.Caps, b.Caps)
	for why, lost := range map[DecisionReason]bool{
		LevelTooLow:           capped,
		SSORequired:           b.RequireSSO && !a.RequireSSO,
		DeniedOwnOrganisation: b.Domain != a.Domain && b.Domain != "",
		UserNotAssigned: a.Epoch != b.Epoch || a.Everyone && !b.Everyone || b.EveryoneUpTo < a.EveryoneUpTo ||
			a.AssignedBy != b.AssignedBy && b.AssignedBy != ByPartner,
	} {
		if lost {
			l.mayLose(why)
		}
	}
	slices.SortStableFunc(l.list, func(a, b Shift) int { return strings.Compare(string(a.Reason), string(b.Reason)) })
	if b.Level > a.Level || lifted || a.RequireSSO && !b.RequireSSO || b.Domain != a.Domain && a.Domain != "" || a.Epoch != b.Epoch ||
		b.Everyone && !a.Everyone || b.EveryoneUpTo > a.EveryoneUpTo || a.AssignedBy != b.AssignedBy && b.AssignedBy == ByPartner {
		l.gained()
	}
}

// capShifts reports whether a cap was set or lowered, and whether one was lifted or raised.
func capShifts(before, after Caps) (lowered, raised bool) {
	if maps.Equal(before, after) {
		return false, false
	}
	for address, is := range after {
		was, capped := before[address]
		lowered, raised = lowered || !capped || is < was, raised || capped && is > was
	}
	for address := range before {
		_, capped := after[address]
		raised = raised || !capped
	}
	return lowered, raised
}

// AssignmentShifts returns what a change of an assignment means for the access of its user; the row of a last use alone is no assignment.
// Where the change also altered the grant, it is read as it is after that.
func AssignmentShifts(before, after *Assignment, at time.Time) []Shift {
	l := shifts{of: Shift{Customer: after.Customer, Partner: after.Partner, User: after.User, At: at}}
	exists := func(a *Assignment) bool { return a != nil && a.Epoch != NoEpoch }
	same := exists(before) && exists(after) && before.Epoch == after.Epoch
	was, is := exists(before) && !before.Excluded, exists(after) && !after.Excluded
	switch {
	case !is && (was || exists(after) && !same):
		l.lost(None, UserNotAssigned)
	case is:
		if after.Level != nil && (!same || before.Excluded || before.Level == nil || *before.Level > *after.Level) {
			l.lost(*after.Level, LevelTooLow)
		}
		if was && same && (before.By != after.By || before.Number != after.Number) {
			l.mayLose(UserNotAssigned)
		}
		raised := same && before.Level != nil && (after.Level == nil || *after.Level > *before.Level)
		if !was || !same || raised || l.has(true) && l.list[len(l.list)-1].Ask {
			l.gained()
		}
	case exists(before) && !exists(after): // an exclusion that has become needless
		l.gained()
	}
	return l.list
}
