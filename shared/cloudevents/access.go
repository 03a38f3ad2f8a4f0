package cloudevents

import (
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// The names of the events that say whose access a change may have altered.
const (
	Lost   = "access.lost"
	Gained = "access.gained"
)

// CustomerRemoved is the name of the last event of a customer.
const CustomerRemoved = string(events.CustomerRemoved)

// FromShift returns what a change means for access as others get it, without its sequence: access.lost or access.gained. The id has to be
// the same for each copy.
func FromShift(source, id string, at time.Time, s access.Shift) Event {
	d := Data{
		Customer: s.Customer, Partner: s.Partner, Match: &Match{Customer: s.Customer, Partner: s.Partner, User: s.User}, Grant: s.Grant,
		Reason: string(s.Reason),
	}
	began := s.At.UTC()
	d.At = &began
	if !s.Lost {
		return newEvent(source, id, Gained, at, d)
	}
	d.Level, d.Ask = s.Level.String(), &s.Ask
	return newEvent(source, id, Lost, at, d)
}
