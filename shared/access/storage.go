package access

import (
	"errors"
	"time"

	"partneraccess/events"
)

// ErrRepeated says that a request's idempotency key was used before: nothing was changed, and its first answer can be read.
var ErrRepeated = errors.New("idempotency key was used before")

// Answer is what a request with an idempotency key was answered. It is stored in the same transaction as the change, so that there is
// one exactly when the change was made.
type Answer struct {
	Digest      string // of the key, the caller and the route
	Fingerprint string // of the request's body
	Status      int
	ETag        string
	Location    string
	Body        []byte
	Expires     time.Time // the record may go after this
}

// Page is a part of a list. Next is the position after it, "" at the end; a page may hold fewer items than were asked for, or none,
// though more follow.
type Page[T any] struct {
	Items []T
	Next  string
}

// PageAsk says which part of a list is wanted.
type PageAsk struct {
	After string // the position that the page before gave; "" = from the start
	Limit int    // 1 to 100
}

// GrantRow is a grant with what is shown beside it.
type GrantRow struct {
	Grant     *Grant
	Customer  *Customer
	Partner   *Partner
	Headcount Headcount
	You       Facts // of the user who asks; empty when that is not a partner's user
}

// GrantUser is one user who is in a grant.
type GrantUser struct {
	User       *User
	Assignment *Assignment // nil when everyone is in
}

// GrantFilter says which grants of a list are wanted.
type GrantFilter struct {
	Query    string   // each word begins a word of the other side's name, or the whole begins its id or domain
	Statuses []string // "" = all that have not ended
	Now      time.Time
	For      string // a user: its access is looked up, too
	OnlyMine bool   // only what that user can enter
}

// HistoryFilter says which events are wanted.
type HistoryFilter struct {
	Type  events.Type // "" = all
	From  time.Time   // inclusive; zero = no bound
	Until time.Time   // exclusive; zero = no bound
}

// Identity is what the table knows of a person by the e-mail address.
type Identity struct {
	Email    string
	User     *User    // the partner's user with that address, unless removed
	Partner  *Partner // that user's
	MemberOf []string // customers
}

// Individual is the partner's user whom a grant by e-mail finds: nobody while the address has not been proved to be the user's (D8, D15).
func (id Identity) Individual() *User {
	if id.User == nil || id.User.Unproved {
		return nil
	}
	return id.User
}

// Membership is a person's place in one customer.
type Membership struct {
	Customer *Customer
	Member   *Member
}

// ErrUnavailable says that the storage did not answer, or had no capacity: it may later. It is unknown whether a change was made.
var ErrUnavailable = errors.New("the storage did not answer")

// Work is something that the clock has brought: a grant, an invitation or a task.
type Work struct {
	Position   string // its place in the list of due work
	Due        time.Time
	Customer   string
	Partner    string // of a grant
	Invitation string
	Task       string

	Organisation string // whom it is done for; "" = not known
}
