package access

import (
	"time"

	"partneraccess/events"
)

// Page is a part of a list. Next is the position after it, "" at the end; a page may hold fewer items than were asked for, or none,
// though more follow.
type Page[T any] struct {
	Items []T
	Next  string
}

// PageRequest says which part of a list is wanted.
type PageRequest struct {
	After string // the position that the page before gave; "" = from the start
	Limit int    // 1 to 100
}

// GrantRow is a grant with what is shown beside it.
type GrantRow struct {
	Grant     *Grant
	Customer  *Customer
	Partner   *Partner
	Headcount Headcount
	Viewer    Facts // of the user who asks; empty when that is not a partner's user
}

// GrantUser is one user who belongs to a grant.
type GrantUser struct {
	User       *User
	Assignment *Assignment // nil when everyone is in
}

// HistoryFilter says which events are wanted.
type HistoryFilter struct {
	Type  events.Type // "" = all
	From  time.Time   // inclusive; zero = no bound
	Until time.Time   // exclusive; zero = no bound
}
