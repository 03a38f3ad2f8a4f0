package access

import "fmt"

// Level is how much a partner may do in a customer's tenant: none < view < support < manage (W4, W6, W9, D3).
type Level int8

// The levels, in their order.
const (
	None Level = iota // a relationship without access
	View
	Support
	Manage
)

func (l Level) String() string {
	switch l {
	case None:
		return "none"
	case View:
		return "view"
	case Support:
		return "support"
	case Manage:
		return "manage"
	}
	return fmt.Sprintf("Level(%d)", int8(l))
}

// ParseLevel is the level of that name.
func ParseLevel(s string) (Level, bool) {
	for l := None; l <= Manage; l++ {
		if l.String() == s {
			return l, true
		}
	}
	return None, false
}

// Lowest is the lowest of the levels (W11).
func Lowest(l Level, more ...Level) Level {
	for _, m := range more {
		l = min(l, m)
	}
	return l
}
