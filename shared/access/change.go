package access

import (
	"time"

	"partneraccess/events"
)

// Actor is who makes a change.
type Actor struct {
	Kind  string // provider, customer, partner or clock
	Email string // "" for the provider's systems and the clock
	User  string // the partner's user, "" otherwise
	Role  Role   // of the partner's user
}

func (a Actor) by() By { return By{Kind: a.Kind, Email: a.Email} }

// Moment is what a plan needs to know of the world: who acts, when, and how new things are called.
type Moment struct {
	Now   time.Time // UTC, to the millisecond
	Actor Actor
	NewID func() string // a new ULID at each call

	// Accounts says that the employees' accounts are kept at an identity provider, which has to hear of changes.
	Accounts bool
}

// Change is one atomic change: all its writes happen, with its events, or none does.
type Change struct {
	Writes []Write
	Events []events.Event
	Takes  bool // it ends or narrows access and gives none: changes that give access wait for it
}

// Empty tells that there is nothing to do.
func (c Change) Empty() bool { return len(c.Writes) == 0 && len(c.Events) == 0 }

// Ends are the reasons of the grants that the change writes down as ended, one for each.
func (c Change) Ends() []Reason {
	var out []Reason
	for _, e := range c.Events {
		switch e.Type {
		case events.GrantRevoked, events.GrantRelinquished, events.GrantExpired, events.GrantEnded:
			out = append(out, Reason(e.Data.Reason))
		}
	}
	return out
}

// Write is one record's new state and the state that it must be found in.
type Write interface{ write() }

// In all writes, Before is the record as it was loaded (nil: there must be none), and After is what it becomes (nil: it is deleted).
type (
	// PartnerWrite writes a partner.
	PartnerWrite struct {
		Before *Partner
		After  *Partner
	}
	// HeadcountWrite writes a partner's headcount.
	HeadcountWrite struct {
		Before *Headcount
		After  *Headcount
	}
	// UserWrite writes a partner's user.
	UserWrite struct {
		Before *User
		After  *User
	}
	// EmailWrite writes whose an address is.
	EmailWrite struct {
		Before *Email
		After  *Email
	}
	// DomainWrite writes whose a domain is.
	DomainWrite struct {
		Before *Domain
		After  *Domain
	}
	// CustomerWrite writes a customer.
	CustomerWrite struct {
		Before *Customer
		After  *Customer
	}
	// MemberWrite writes a customer's member.
	MemberWrite struct {
		Before *Member
		After  *Member
	}
	// GrantWrite writes a grant.
	GrantWrite struct {
		Before *Grant
		After  *Grant
	}
	// AssignmentWrite writes an assignment.
	AssignmentWrite struct {
		Before *Assignment
		After  *Assignment
	}
	// TaskWrite writes a task.
	TaskWrite struct {
		Before *Task
		After  *Task
	}
	// InvitationWrite writes an invitation.
	InvitationWrite struct {
		Before *Invitation
		After  *Invitation
	}
	// InvitationListing lists a pending invitation by its address, which was made before invitations were found by that. It changes nothing else.
	InvitationListing struct{ Invitation *Invitation }
	// UserCheck changes nothing: the user has to be as it was loaded.
	UserCheck struct{ User User }
	// MemberCheck changes nothing: the member has to be as it was loaded.
	MemberCheck struct{ Member Member }
	// HeadcountCheck changes nothing: nobody may have joined or left the partner since.
	HeadcountCheck struct{ Headcount Headcount }
)

func (PartnerWrite) write()    {}
func (HeadcountWrite) write()  {}
func (UserWrite) write()       {}
func (EmailWrite) write()      {}
func (DomainWrite) write()     {}
func (CustomerWrite) write()   {}
func (MemberWrite) write()     {}
func (GrantWrite) write()      {}
func (AssignmentWrite) write() {}
func (TaskWrite) write()       {}
func (InvitationWrite) write() {}
func (HeadcountCheck) write()  {}

func (InvitationListing) write() {}
func (UserCheck) write()         {}
func (MemberCheck) write()       {}

func (m Moment) event(t events.Type, c *Customer, p *Partner, d events.Data) events.Event {
	e := events.Event{ID: m.NewID(), Type: t, Time: m.Now, Actor: events.Actor{Kind: m.Actor.Kind, Email: m.Actor.Email}, Data: d}
	if c != nil {
		e.Customer = &events.Organisation{ID: c.ID, Name: c.Name, Domain: c.Domain, Contacts: c.Contacts}
	}
	if p != nil {
		e.Partner = &events.Organisation{ID: p.ID, Name: p.Name, Contacts: p.Contacts}
	}
	return e
}

func (m Moment) clock() Moment {
	m.Actor = Actor{Kind: "clock"}
	return m
}

func person(u *User) events.Person { return events.Person{ID: u.ID, Email: u.Email, Name: u.Name} }

func ref[T any](v T) *T { return &v }

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Partner) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Headcount) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *User) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Email) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Domain) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Customer) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Member) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Grant) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Assignment) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Task) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}

// Stored is the version that was loaded; 0 when there was none.
func (r *Invitation) Stored() int64 {
	if r == nil {
		return 0
	}
	return r.Version
}
