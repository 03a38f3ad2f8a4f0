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

// HistoryFilter says which events are wanted. "" and the zero instant stand for all.
type HistoryFilter struct {
	Type     events.Type
	From     time.Time // inclusive
	Until    time.Time // exclusive
	Customer string
	Partner  string
	Person   string // an address or a user's id: events that name the person (see events.Data.Names)
	Actor    string // a kind of actor, or the address or the user's id of one
}

// Selective reports whether the filter leaves out events of its period.
func (f HistoryFilter) Selective() bool {
	return f.Type != "" || f.Customer != "" || f.Partner != "" || f.Person != "" || f.Actor != ""
}

// Wants reports whether an event is among the wanted ones.
func (f HistoryFilter) Wants(e *events.Event) bool {
	of := func(want string, o *events.Organisation) bool { return want == "" || o != nil && o.ID == want }
	switch {
	case f.Type != "" && f.Type != e.Type, e.Time.Before(f.From), !f.Until.IsZero() && !e.Time.Before(f.Until):
		return false
	case !of(f.Customer, e.Customer), !of(f.Partner, e.Partner):
		return false
	case f.Person != "" && !e.Data.Names(f.Person):
		return false
	}
	return f.Actor == "" || f.Actor == e.Actor.Kind || f.Actor == e.Actor.Email || f.Actor == e.Actor.ID
}

// ActorKinds are all kinds of actors.
func ActorKinds() []ActorKind {
	return []ActorKind{ActorProvider, ActorCustomer, ActorPartner, ActorClock}
}
