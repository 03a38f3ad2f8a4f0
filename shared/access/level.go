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

var levelNames = [...]string{"none", "view", "support", "manage"}

func (l Level) String() string {
	if l < None || l > Manage {
		return fmt.Sprintf("Level(%d)", int8(l))
	}
	return levelNames[l]
}

// ParseLevel is the level of that name.
func ParseLevel(s string) (Level, bool) {
	for i, n := range levelNames {
		if n == s {
			return Level(i), true
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
