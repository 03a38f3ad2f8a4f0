package authzen

import (
	"strconv"

	"partneraccess/shared/access"
)

// Query asks whether, or for which, a subject may do an action on a resource. What is not given is nil.
//
// Unknown members are ignored, as the standard wants. What is missing or of a wrong type is kept in its entity until Validate: in a batch
// it may be a default that every evaluation replaces.
type Query struct {
	Subject, Action, Resource *Entity
	Context                   *Context
}

// Entity is a subject, an action (whose name is its ID) or a resource.
type Entity struct {
	Type        string
	ID          string
	Customer    string // properties.customer
	HasCustomer bool

	evaluation int          // which one it stands in; inDefaults
	wrong      *memberError // the entity itself, or its properties
	wrongType  *memberError
	wrongID    *memberError // a search for the entity ignores it
}

// Context is what the service reads in a context.
type Context struct {
	RecordUse *bool   // whether an allow counts as a use of the access; nil = not said
	At        *string // the instant of the past that is asked about, as it was given; nil = now is

	consistency access.Consistency
	evaluation  int // as in Entity
	wrong       *memberError
}

// inDefaults stands for the members that all evaluations of a batch have in common, and those of a request that is no batch.
const inDefaults = -1

// memberError says what is wrong with a member.
type memberError struct {
	member string // a pointer below the object that it was found in: "", "/id", or wholeEvaluation
	detail string
}

// wholeEvaluation is the member of an error that concerns an evaluation and not one of its entities.
const wholeEvaluation = ".."

const (
	actionName  = "name" // the member of an action that is its ID
	wantsObject = "This has to be an object."
	wantsString = "This has to be a string."
	isMissing   = "This is missing."
)

// Required says which members of a query an endpoint needs, beside the subject, the resource and their types.
type Required struct{ SubjectID, Action, ResourceID bool }

// Validate returns the first thing that is wrong with a query; nil when nothing is.
func (q *Query) Validate(r Required) *access.Error {
	if e := q.Subject.validate("/subject", r.SubjectID); e != nil {
		return e
	}
	if r.Action {
		if e := q.Action.validate("/action", true); e != nil {
			return e
		}
	}
	if e := q.Resource.validate("/resource", r.ResourceID); e != nil {
		return e
	}
	if q.Context != nil && q.Context.wrong != nil {
		return q.Context.wrong.at(q.Context.evaluation, "/context")
	}
	return nil
}

func (e *Entity) validate(pointer string, needsID bool) *access.Error {
	switch {
	case e == nil:
		return Invalid(pointer, isMissing)
	case e.wrongType != nil:
		return e.wrongType.at(e.evaluation, pointer)
	case e.wrong != nil:
		return e.wrong.at(e.evaluation, pointer)
	case needsID && e.wrongID != nil:
		return e.wrongID.at(e.evaluation, pointer)
	}
	return nil
}

// RequireCustomer returns an error when the query's resource does not name the customer that it belongs to.
func (q *Query) RequireCustomer() *access.Error {
	if q.Resource.HasCustomer {
		return nil
	}
	e := memberError{"/properties/customer", "This is missing: it names the customer whose resource it is."}
	return e.at(q.Resource.evaluation, "/resource")
}

// InvalidAt refuses a query for the instant that its context names.
func (q *Query) InvalidAt(detail string) *access.Error {
	e := memberError{"/at", detail}
	return e.at(q.Context.evaluation, "/context")
}

// InvalidSubject refuses a query for the id of its subject.
func (q *Query) InvalidSubject(detail string) *access.Error {
	e := memberError{"/id", detail}
	return e.at(q.Subject.evaluation, "/subject")
}

// Consistency is how the facts are to be read; strong unless the query says otherwise.
func (q *Query) Consistency() access.Consistency {
	if q.Context == nil || q.Context.consistency == "" {
		return access.Strong
	}
	return q.Context.consistency
}

func (m *memberError) at(evaluation int, object string) *access.Error {
	pointer := object + m.member
	if m.member == wholeEvaluation {
		pointer = ""
	}
	if evaluation != inDefaults {
		pointer = "/evaluations/" + strconv.Itoa(evaluation) + pointer
	}
	return Invalid(pointer, m.detail)
}

// isMissing returns whether the error is that nothing was given.
func (m *memberError) isMissing() bool { return m != nil && m.detail == isMissing }

// Invalid refuses a request for what stands at one place of it, an RFC 6901 pointer.
func Invalid(pointer, detail string) *access.Error {
	return &access.Error{Code: access.Invalid, Detail: detail, Fields: []access.Field{{Pointer: pointer, Detail: detail}}}
}

// withDefaults completes an evaluation's entity by that of all evaluations: the whole, or the type and the ID that it leaves out.
// Properties are its own.
func (e *Entity) withDefaults(all *Entity) *Entity {
	switch {
	case e == nil:
		return all
	case all == nil:
		return e
	}
	if e.wrongType.isMissing() && all.wrongType == nil {
		e.Type, e.wrongType = all.Type, nil
	}
	if e.wrongID.isMissing() && all.wrongID == nil {
		e.ID, e.wrongID = all.ID, nil
	}
	return e
}
