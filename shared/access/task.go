package access

import "time"

// TaskKind names work that goes through many grants, one page at a time.
type TaskKind string

// The tasks. Access ends with the change itself; they record that grant by grant, and notify the customers (D23).
const (
	TaskPartnerRemoved   TaskKind = "partner_removed"
	TaskPartnerSuspended TaskKind = "partner_suspended"
	TaskPartnerResumed   TaskKind = "partner_resumed"
	TaskUserRemoved      TaskKind = "user_removed"
	TaskPersonErased     TaskKind = "person_erased"   // a pseudonym takes the place of a removed user in all that names the person
	TaskPersonChanged    TaskKind = "person_changed"  // a user has another address, which may mean another person
	TaskCustomerRules    TaskKind = "customer_rules"  // the customer's domain, or a cap, has changed: its grants copy that
	TaskOldAssignments   TaskKind = "old_assignments" // deletes a grant's rows that have no effect
	TaskRenamed          TaskKind = "renamed"         // a customer, or a partner, has another name: its grants are listed by that
	TaskInvitations      TaskKind = "invitations"     // reviews pending invitations: a customer's, those to a partner, or a user's
)

// Notifies reports whether the work has events of its own, which people get mails about.
func (k TaskKind) Notifies() bool {
	switch k {
	case TaskPartnerRemoved, TaskPartnerSuspended, TaskPartnerResumed, TaskUserRemoved, TaskPersonChanged, TaskInvitations:
		return true
	}
	return false
}

// Task is such work, and how far it has come. It is stored with the change that caused it. All instants are UTC.
type Task struct {
	ID           string
	Kind         TaskKind
	Partner      string
	Customer     string // for tasks about one customer's grants
	User         string // for tasks about one user; for identity and activation the name of the account
	Address      string // for identity and activation: the address that the account is kept for; "" = it is a partner's user's
	LastCustomer string // the last customer, or other position, that is done; "" = none
	Due          time.Time
	Created      time.Time
	Version      int64

	// Again: this is the second round, for grants that the first may have missed. Of an identity task: an earlier worker may still be running,
	// so that the account is compared once more after its lease.
	Again bool

	// For identity and activation.
	InFlightUntil time.Time // until then, requests of earlier workers may still reach the identity provider; zero = none can
	Idle          bool      // no worker has the lease: the task waits for InFlightUntil

	Addresses []string // for person_erased: those that the account had

	// For person_changed.
	EmailWas         string // the user's address before
	FormerNumber     int64  // the user's number before, when the account is another person's now; 0 = it is the same person's
	HeadcountVersion int64  // the headcount's version that the change wrote
}

// secondRound is the delay after which all grants are read again: by then the index lists those that were written at the same time as the
// cause.
const secondRound = 10 * time.Minute

func (pc PlanContext) task(k TaskKind, partner, user string) TaskWrite {
	return TaskWrite{After: &Task{ID: pc.NewID(), Kind: k, Partner: partner, User: user, Due: pc.Now, Created: pc.Now, Version: 1}}
}

// PlanTaskProgress plans that a task is done up to the customer named after, or, when that is "", that it is finished. Removals go through
// all grants twice.
func PlanTaskProgress(t *Task, after string, pc PlanContext) Change {
	next := *t
	next.Version++
	next.LastCustomer = after
	if after != "" {
		return Change{Writes: []Write{TaskWrite{Before: t, After: &next}}}
	}
	if t.Again || t.Kind == TaskOldAssignments || t.Kind == TaskPartnerSuspended || t.Kind == TaskPartnerResumed ||
		t.Kind == TaskCustomerRules ||
		t.Kind == TaskPersonChanged && t.FormerNumber == 0 {
		return Change{Writes: []Write{TaskWrite{Before: t}}}
	}
	next.Again, next.Due = true, pc.Now.Add(secondRound)
	return Change{Writes: []Write{TaskWrite{Before: t, After: &next}}}
}

// Superseded reports whether a later change has made the task unnecessary: customers get no mail about a suspension that was lifted, or a
// resumption that was undone.
func (t *Task) Superseded(p *Partner) bool {
	switch t.Kind {
	case TaskPartnerSuspended:
		return p == nil || p.Status != Suspended
	case TaskPartnerResumed:
		return p == nil || p.Status != Active
	}
	return false
}

// DueWork is a grant, an invitation, a request or a task that is due.
type DueWork struct {
	Position   string // its place in the list of due work
	Due        time.Time
	Customer   string
	Partner    string // of a grant
	Invitation string
	Request    string
	Task       string

	Organisation string // the organisation that it is done for; "" = not known
}
