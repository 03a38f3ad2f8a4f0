package access

import (
	"strings"
	"time"

	"partneraccess/events"
)

// An employee's account lies with an identity provider, so that one sign-in opens several systems (P1, P3). The table is the truth, and the
// provider follows it: every change of an employee that its account has to know of leaves a task, in the same transaction, which goes away
// when the account is as the user is.
//
// There is one such task for each user, and it is taken by one worker at a time: whoever writes it has until its Due to itself. A change
// that comes while another worker may still be at work writes the task again, and has it gone through Again when that one's time is over.
// What got no answer, or was sent by a worker that never said what became of it, may even reach the provider after that: then the task is
// kept until it cannot (Until), and the account is looked at once more. So what is written last at the provider is what was read last from
// the table, and no crash and no network leaves it otherwise.

// TaskIdentity makes the account at the identity provider be as the user is. Its Again says that an earlier worker may still be at work.
const TaskIdentity TaskKind = "identity"

// identityLease is how long whoever takes the task has it to itself: longer than a function that writes one may run.
const identityLease = 45 * time.Second

// IdentityTask is the id of a user's task.
func IdentityTask(user string) string { return "identity:" + user }

// HasAccount tells whether the user's account is kept at the identity provider. External users bring a sign-in of their own.
func (u *User) HasAccount() bool { return u.Role != External }

// Group is a group of accounts at the identity provider.
type Group struct {
	Name string
	Who  string // is in it, for the operator
}

// The groups whose names are no role's.
const (
	groupCustomers = "customers"
	groupPartners  = "partners"
	groupOfRole    = "partner-" // and the role
)

// Groups are those that the identity provider has for its own pages, triggers and apps, which find them in people's tokens. An employee's
// account is in that of all employees and in that of its role, and follows the user's role (P19); a customer's people are the provider's
// own to put into theirs.
//
// The service itself reads no group, and nothing is allowed by one: the table says at each request who may do what, and a token says for an
// hour what was so when it was made.
func Groups() []Group {
	out := []Group{{groupCustomers, "people of customers"}, {groupPartners, "people of partners"}}
	for _, r := range employeeRoles() {
		out = append(out, Group{groupOfRole + string(r), "people of partners with the role " + string(r)})
	}
	return out
}

// Groups are the names of those that the user's account belongs into; none for a user without one.
func (u *User) Groups() []string {
	if !u.HasAccount() {
		return nil
	}
	return []string{groupPartners, groupOfRole + string(u.Role)}
}

// GroupOfEmployees tells whether the service says who is in the group of that name. All other groups are left as they are.
func GroupOfEmployees(name string) bool {
	role, is := strings.CutPrefix(name, groupOfRole)
	return name == groupPartners || is && Role(role).employee()
}

// accountTask leaves the task that brings the account up with the user, when accounts are kept.
func (pc PlanContext) accountTask(before *Task, u *User) []Write {
	if !pc.Accounts || !u.HasAccount() {
		return nil
	}
	t := Task{
		ID: IdentityTask(u.ID), Kind: TaskIdentity, Partner: u.Partner, User: u.ID, Due: pc.Now.Add(identityLease), Created: pc.Now,
		Version: before.Stored() + 1,
	}
	if before != nil {
		t.Created, t.Again, t.InFlightUntil = before.Created, before.Due.After(pc.Now), before.lastArrival(pc.Now)
	}
	return []Write{TaskWrite{Before: before, After: &t}}
}

// lastArrival is until when what earlier workers have sent may still reach the provider; zero when that is over.
func (t *Task) lastArrival(now time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	until := t.InFlightUntil
	if !t.Idle { // whoever had it has sent things for as long
		until = t.Due.Add(requestLife)
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// Identity is the identity task that a change leaves, and whoever commits it has taken; nil when it leaves none.
func (c Change) Identity() *Task {
	if all := c.IdentityTasks(); len(all) > 0 {
		return all[0]
	}
	return nil
}

// IdentityTasks are all of them: where an account ends because somebody else has proved its address, that account's comes first.
func (c Change) IdentityTasks() []*Task {
	var out []*Task
	for _, w := range c.Writes {
		if t, ok := w.(TaskWrite); ok && t.After != nil && t.After.Kind == TaskIdentity {
			out = append(out, t.After)
		}
	}
	return out
}

// PlanClaimIdentityTask plans that a worker takes an identity task that is due. Nil: there is none, or somebody has it.
func PlanClaimIdentityTask(t *Task, pc PlanContext) (Change, *Task) {
	if t == nil || t.Due.After(pc.Now) {
		return Change{}, nil
	}
	mine := *t
	mine.Due, mine.Again, mine.InFlightUntil, mine.Idle = pc.Now.Add(identityLease), false, t.lastArrival(pc.Now), false
	mine.Version++
	return Change{Writes: []Write{TaskWrite{Before: t, After: &mine}}}, &mine
}

// PlanIdentityDone plans that a task goes away whose work its worker has done, unless there is more to do by now. Settled says that nothing
// that the worker has sent is still on its way.
func PlanIdentityDone(now, mine *Task, settled bool) Change {
	if now == nil || now.Version != mine.Version || !now.Due.Equal(mine.Due) || mine.Again {
		return Change{}
	}
	until := mine.InFlightUntil
	if !settled {
		until = mine.Due.Add(requestLife)
	}
	if until.IsZero() {
		return Change{Writes: []Write{TaskWrite{Before: now}}}
	}
	last := *now
	last.Due, last.InFlightUntil, last.Idle = until, until, true
	last.Version++
	return Change{Writes: []Write{TaskWrite{Before: now, After: &last}}}
}

// TaskActivation is due when a user's temporary password ends. Whoever is about to set a password says so in its Until first, for as long
// as that request could arrive, and takes it away when the provider has answered. So no password is overtaken by one that was set before it
// and got lost on its way: the provider knows no condition on them.
//
// Whether a user has ever signed in only the identity provider knows, and it is asked when the task is due, or when somebody wants to send
// another password. So a new employee is active and not invited: customers can let it in before it has signed in (D16), and it gets
// in nowhere without a token. When nobody has signed in by then, the password ends for certain, the person and the partner's primary
// address are told, and the user shows since when (User.Missed) until another password is made.
const TaskActivation TaskKind = "activation"

// ActivationLife is how long a temporary password can be used.
const ActivationLife = 7 * 24 * time.Hour

// requestLife is how long after it was sent a request can reach the identity provider: it is signed for five minutes, from the sender's
// clock (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), and it is sent within one minute.
const requestLife = 6 * time.Minute

// ActivationTask is the id of a user's task.
func ActivationTask(user string) string { return "activation:" + user }

// activation has the clock look whether a new user has signed in.
func (pc PlanContext) activation(u *User) []Write {
	if !pc.Accounts || !u.HasAccount() {
		return nil
	}
	return []Write{TaskWrite{After: activationTask(nil, u, pc)}}
}

func activationTask(before *Task, u *User, pc PlanContext) *Task {
	t := Task{
		ID: ActivationTask(u.ID), Kind: TaskActivation, Partner: u.Partner, User: u.ID, Due: pc.Now.Add(ActivationLife), Created: pc.Now,
		Version: before.Stored() + 1,
	}
	if before != nil {
		t.Created = before.Created
	}
	return &t
}

// PlanTemporaryPassword plans, before a temporary password is made, that it will end. It is refused with Contention while what was sent
// about the one before may still arrive, and undo it.
func PlanTemporaryPassword(u *User, t *Task, pc PlanContext) (Change, *Task, error) {
	if t != nil && t.InFlightUntil.After(pc.Now) {
		return Change{}, nil, Refuse(Contention,
			"what was sent about the temporary password before may still arrive: try again after %s",
			t.InFlightUntil.Format(time.RFC3339))
	}
	mine := activationTask(t, u, pc)
	mine.InFlightUntil = pc.Now.Add(requestLife)
	c := Change{Writes: []Write{TaskWrite{Before: t, After: mine}}}
	if !u.ActivationMissedAt.IsZero() {
		after := *u
		after.ActivationMissedAt, after.Updated = time.Time{}, pc.Now
		after.Version++
		c.Writes = append(c.Writes, UserWrite{Before: u, After: &after})
	}
	return c, mine, nil
}

// PlanPasswordSettled plans that another temporary password can be made, because the provider has answered all that was sent about this
// one.
func PlanPasswordSettled(now, mine *Task) Change {
	if now == nil || now.Version != mine.Version {
		return Change{}
	}
	after := *now
	after.InFlightUntil = time.Time{}
	after.Version++
	return Change{Writes: []Write{TaskWrite{Before: now, After: &after}}}
}

// PlanClaimActivationTask plans that a sweep takes an activation task that is due. Nil: there is none, or somebody has it.
func PlanClaimActivationTask(t *Task, pc PlanContext) (Change, *Task) {
	if t == nil || t.Due.After(pc.Now) {
		return Change{}, nil
	}
	mine := *t
	mine.Due = pc.Now.Add(requestLife)
	mine.InFlightUntil = mine.Due
	mine.Version++
	return Change{Writes: []Write{TaskWrite{Before: t, After: &mine}}}, &mine
}

// ActivationOutcome is what became of a temporary password, as the identity provider says when it ends.
type ActivationOutcome struct {
	PasswordExpired bool   // the user had not signed in, and cannot any more
	SignedInAs      string // the address of the account whose user has chosen a password, which was mailed to that address; "" = unknown
}

// PlanActivationDone plans that the task goes away that a sweep has taken. Who has signed in has proved the address.
func PlanActivationDone(now, mine *Task, u *User, p *Partner, is ActivationOutcome, pc PlanContext) Change {
	if now.Stored() != mine.Version {
		return Change{}
	}
	c := Change{Writes: []Write{TaskWrite{Before: now}}}
	if !is.PasswordExpired {
		c.Writes = append(c.Writes, PlanAddressProved(u, is.SignedInAs, pc).Writes...)
		return c
	}
	if u == nil || u.Status != Active || p == nil || p.Status == Removed {
		return c
	}
	pc = pc.asClock()
	after := *u
	after.ActivationMissedAt, after.Updated = pc.Now, pc.Now
	after.Version++
	c.Writes = append(c.Writes, UserWrite{Before: u, After: &after})
	c.Events = []events.Event{pc.event(events.ActivationMissed, nil, p, userData(&after))}
	return c
}

// PlanRenewActivation plans that a user who has not signed in yet gets a temporary password, once more or for the first time: also when
// there is no account yet, because accounts were not kept when the user came. That it has not signed in the caller has found out.
func PlanRenewActivation(f UserFacts, pc PlanContext) (Change, *User, error) {
	switch {
	case f.Partner == nil || f.Partner.Status == Removed || f.User == nil || f.User.Status == Removed:
		return Change{}, nil, notFound("user")
	}
	if err := MayRenew(pc.Actor, f.User); err != nil {
		return Change{}, nil, err
	}
	return Change{
		Writes: pc.accountTask(f.Task, f.User),
		Events: []events.Event{pc.event(events.ActivationRenewed, nil, f.Partner, userData(f.User))},
	}, f.User, nil
}

// MayRenew refuses to have a temporary password sent to a user whom the actor may not change, who has no account here, or whose account is
// not active.
func MayRenew(a Actor, u *User) error {
	if err := MayManageRole(a, u.Role); err != nil {
		return err
	}
	switch {
	case !u.HasAccount():
		return Refuse(NotFound, "an external user brings a sign-in of its own: no password is kept here")
	case u.Status != Active:
		return Refuse(UserNotActive, "the account of %s is %s: it has to be active first", u.Name, u.Status)
	}
	return nil
}
