package access

import (
	"time"

	"partneraccess/events"
)

// ActorKind is the side that an actor belongs to.
type ActorKind string

// The kinds. The clock is the actor of what becomes due: ends, reminders, and work that goes through many grants.
const (
	ActorProvider ActorKind = "provider"
	ActorCustomer ActorKind = "customer"
	ActorPartner  ActorKind = "partner"
	ActorClock    ActorKind = "clock"
)

// Actor is who makes a change.
type Actor struct {
	Kind  ActorKind
	Email string // "" for the provider's systems and the clock
	Name  string // of the person, "" when it is not known
	User  string // the partner's user, "" otherwise
	Role  Role   // of the partner's user
}

func (a Actor) by() By { return By{Kind: a.Kind, Email: a.Email} }

// PlanContext is what a plan needs beside the facts and the command: who acts, when, and how new ids are made.
type PlanContext struct {
	Now   time.Time // UTC, to the millisecond
	Actor Actor
	NewID func() string // a new ULID at each call

	Request string // the id of the request that asks for the change; "" for the clock's
	Job     string // the bulk job of which the change is a row; "" = none

	// Accounts: people's accounts are kept at an identity provider, and changes leave tasks to update them.
	Accounts   bool
	Unattended bool       // whoever commits the change keeps no accounts: the tasks are due at once
	Federation Federation // identity providers of others, whose people need no account of their own
}

// Change is one atomic change: all its writes happen, with its events, or none does.
type Change struct {
	Writes  []Write
	Events  []events.Event
	At      time.Time // when it was planned, UTC: the stamp of the records that it writes; zero = they keep the stamp that they have
	Narrows bool      // it narrows or ends access and widens none: changes that widen access wait for it
}

// Empty reports whether there is nothing to write.
func (c Change) Empty() bool { return len(c.Writes) == 0 && len(c.Events) == 0 }

// Ends returns the reasons of the grants that the change ends, one for each.
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

// Replace writes a record: Before is the record as it was loaded (nil: there must be none), and After is what it becomes (nil: it is
// deleted).
type Replace[T any] struct{ Before, After *T }

func (Replace[T]) write() {}

// Found returns the version of the record as it was loaded; 0 when there was none.
func (w Replace[T]) Found() int64 {
	if before, ok := any(w.Before).(interface{ Stored() int64 }); ok {
		return before.Stored() // nil's is 0
	}
	return 0
}

// The records that are written, each as Replace says.
type (
	// PartnerWrite writes a partner.
	PartnerWrite = Replace[Partner]
	// HeadcountWrite writes a partner's headcount.
	HeadcountWrite = Replace[Headcount]
	// UserWrite writes a partner's user.
	UserWrite = Replace[User]
	// EmailWrite writes whose an address is.
	EmailWrite = Replace[Email]
	// DomainWrite writes whose a domain is.
	DomainWrite = Replace[Domain]
	// CustomerWrite writes a customer.
	CustomerWrite = Replace[Customer]
	// MemberWrite writes a customer's member.
	MemberWrite = Replace[Member]
	// GrantWrite writes a grant.
	GrantWrite = Replace[Grant]
	// AssignmentWrite writes an assignment.
	AssignmentWrite = Replace[Assignment]
	// TaskWrite writes a task.
	TaskWrite = Replace[Task]
	// InvitationWrite writes an invitation.
	InvitationWrite = Replace[Invitation]
	// RequestWrite writes a request of a partner.
	RequestWrite = Replace[Request]
	// RequestSlotWrite writes which request of its kind and pair is the latest.
	RequestSlotWrite = Replace[RequestSlot]
	// CodeAttemptsWrite writes what a partner tried in vain.
	CodeAttemptsWrite = Replace[CodeAttempts]
	// JobWrite writes a bulk job.
	JobWrite = Replace[Job]
	// JobRowWrite writes a row of a bulk job.
	JobRowWrite = Replace[JobRow]
	// ListingWrite writes by which names a pair is listed.
	ListingWrite = Replace[Listing]
	// OpenJobsWrite writes which jobs of an organisation are open.
	OpenJobsWrite = Replace[OpenJobs]
)

// What else a change writes, or holds against what was loaded.
type (
	// InvitationListing lists a pending invitation by its address, which was made before invitations were found by that. It changes nothing
	// else.
	InvitationListing struct{ Invitation *Invitation }
	// UserCheck changes nothing: the user has to be as it was loaded.
	UserCheck struct{ User User }
	// MemberCheck changes nothing: the member has to be as it was loaded.
	MemberCheck struct{ Member Member }
	// CustomerCheck changes nothing: the customer has to be as it was loaded.
	CustomerCheck struct{ Customer Customer }
	// HeadcountCheck changes nothing: no user of the partner may have been created or removed since it was loaded.
	HeadcountCheck struct{ Headcount Headcount }
)

func (InvitationListing) write() {}
func (UserCheck) write()         {}
func (MemberCheck) write()       {}
func (CustomerCheck) write()     {}
func (HeadcountCheck) write()    {}

func (pc PlanContext) event(t events.Type, c *Customer, p *Partner, d events.Data) events.Event {
	a := events.Actor{Kind: string(pc.Actor.Kind), Email: pc.Actor.Email, Name: pc.Actor.Name, ID: pc.Actor.User}
	e := events.Event{ID: pc.NewID(), Type: t, Time: pc.Now, Actor: a, Data: d, Request: pc.Request, Job: pc.Job}
	if c != nil {
		e.Customer = &events.Organisation{ID: c.ID, Name: c.Name, Domain: c.Domain, Contacts: c.Contacts}
	}
	if p != nil {
		e.Partner = &events.Organisation{ID: p.ID, Name: p.Name, Contacts: p.Contacts}
	}
	return e
}

func (pc PlanContext) asClock() PlanContext {
	pc.Actor, pc.Request, pc.Job = Actor{Kind: ActorClock}, "", ""
	return pc
}

func person(u *User) events.Person { return events.Person{ID: u.ID, Email: u.Email, Name: u.Name} }

func ref[T any](v T) *T { return &v }

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// The Stored methods are the version that was loaded; 0 when there was none.

func (r *Partner) Stored() int64 { return stored(r, func(r *Partner) int64 { return r.Version }) } //nolint:revive // see above

func (r *Headcount) Stored() int64  { return stored(r, func(r *Headcount) int64 { return r.Version }) }  //nolint:revive // see above
func (r *User) Stored() int64       { return stored(r, func(r *User) int64 { return r.Version }) }       //nolint:revive // see above
func (r *Email) Stored() int64      { return stored(r, func(r *Email) int64 { return r.Version }) }      //nolint:revive // see above
func (r *Domain) Stored() int64     { return stored(r, func(r *Domain) int64 { return r.Version }) }     //nolint:revive // see above
func (r *Customer) Stored() int64   { return stored(r, func(r *Customer) int64 { return r.Version }) }   //nolint:revive // see above
func (r *Member) Stored() int64     { return stored(r, func(r *Member) int64 { return r.Version }) }     //nolint:revive // see above
func (r *Grant) Stored() int64      { return stored(r, func(r *Grant) int64 { return r.Version }) }      //nolint:revive // see above
func (r *Assignment) Stored() int64 { return stored(r, func(r *Assignment) int64 { return r.Version }) } //nolint:revive // see above
func (r *Task) Stored() int64       { return stored(r, func(r *Task) int64 { return r.Version }) }       //nolint:revive // see above
func (r *Invitation) Stored() int64 { return stored(r, func(r *Invitation) int64 { return r.Version }) } //nolint:revive // see above
func (r *Job) Stored() int64        { return stored(r, func(r *Job) int64 { return r.Version }) }        //nolint:revive // see above
func (r *JobRow) Stored() int64     { return stored(r, func(r *JobRow) int64 { return r.Version }) }     //nolint:revive // see above
func (r *OpenJobs) Stored() int64   { return stored(r, func(r *OpenJobs) int64 { return r.Version }) }   //nolint:revive // see above

// Stored is likewise the version of a request, of a slot and of attempts.
func (r *Request) Stored() int64 { return stored(r, func(r *Request) int64 { return r.Version }) }

// Stored is the slot's version.
func (r *RequestSlot) Stored() int64 {
	return stored(r, func(r *RequestSlot) int64 { return r.Version })
}

// Stored is the version of the attempts.
func (r *CodeAttempts) Stored() int64 {
	return stored(r, func(r *CodeAttempts) int64 { return r.Version })
}

func stored[T any](r *T, version func(*T) int64) int64 {
	if r == nil {
		return 0
	}
	return version(r)
}

func assign[T comparable](to *T, v T) bool {
	if *to == v {
		return false
	}
	*to = v
	return true
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}
