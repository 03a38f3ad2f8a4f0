package access

import "time"

// TaskKind names work that goes through many grants, and is done a page at a time.
type TaskKind string

// The tasks. Access has ended at once; they write that down, grant by grant, and tell the customers (D23).
const (
	TaskPartnerRemoved   TaskKind = "partner_removed"
	TaskPartnerSuspended TaskKind = "partner_suspended"
	TaskPartnerResumed   TaskKind = "partner_resumed"
	TaskUserRemoved      TaskKind = "user_removed"
	TaskPersonChanged    TaskKind = "person_changed"  // a user has another address, which may mean another person
	TaskCustomerRules    TaskKind = "customer_rules"  // the customer's domain, or a cap, has changed: its grants copy that
	TaskOldAssignments   TaskKind = "old_assignments" // deletes the rows of a grant that count no more
	// looks through the pending invitations of a customer, to a partner, or of one of its users
	TaskInvitations TaskKind = "invitations"
)

// Task is such work, and how far it has come. It is stored with the change that caused it.
type Task struct {
	ID           string
	Kind         TaskKind
	Partner      string
	Customer     string // for tasks about one customer's grants
	User         string // for user_removed
	LastCustomer string // the last customer that was done, "" = none
	Again        bool   // this is the second round, for grants that the first may not have seen
	Due          time.Time
	// for identity and activation: before that, what was sent earlier may still reach the identity provider; zero = nothing is on its way
	InFlightUntil time.Time
	Idle          bool // for identity: nobody has it, it waits for its Until
	Created       time.Time
	Version       int64

	// For person_changed.
	EmailWas         string // the user's address before
	FormerNumber     int64  // its number before, when it is another person now; 0 = it is the same
	HeadcountVersion int64  // the headcount's version that the change made
}

// secondRound is when grants are looked through again: what was being written while the cause was, is in the index by then.
const secondRound = 10 * time.Minute

func (pc PlanContext) task(k TaskKind, partner, user string) TaskWrite {
	return TaskWrite{After: &Task{ID: pc.NewID(), Kind: k, Partner: partner, User: user, Due: pc.Now, Created: pc.Now, Version: 1}}
}

// PlanTaskProgress plans that a task has come past a customer, or, when that was the last one, that it is done. Removals go through all
// grants twice.
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

// Superseded tells whether a task has been overtaken and can go undone: nobody is told that a partner is suspended which is not any more.
func (t *Task) Superseded(p *Partner) bool {
	switch t.Kind {
	case TaskPartnerSuspended:
		return p == nil || p.Status != Suspended
	case TaskPartnerResumed:
		return p == nil || p.Status != Active
	}
	return false
}

// DueWork is something that the clock has brought: a grant, an invitation or a task.
type DueWork struct {
	Position   string // its place in the list of due work
	Due        time.Time
	Customer   string
	Partner    string // of a grant
	Invitation string
	Task       string

	Organisation string // whom it is done for; "" = not known
}
