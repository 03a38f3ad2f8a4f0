package access

import (
	"strings"
	"time"

	"partneraccess/events"
)

// A person's account is kept at an identity provider, so that one sign-in opens several systems (P1, P3). The table decides, and the
// provider follows it: every change of a partner's user, or of who is a member under an address, that concerns an account leaves a task,
// in the same transaction, which is deleted when the account is as the table says (see Account).
//
// There is one such task for each account, and one worker at a time has its lease, which ends at Due. The change that writes a task has the
// first lease. A change that comes during a lease writes the task again, with Again set, so that the account is compared once more when the
// lease is over. Requests without an answer, and those of a worker that crashed, may reach the provider even later: the task is kept until
// that is impossible (InFlightUntil), and the account is compared once more then. So the provider's last state is the table's, after any
// crash and any loss on the network.

// TaskIdentity brings the account at the identity provider into line with the user. Its Again means that an earlier worker may still be
// running.
const TaskIdentity TaskKind = "identity"

// identityLease is how long a worker has the task to itself: longer than a function that writes one may run.
const identityLease = 45 * time.Second

// IdentityTask is the id of an account's task: a user's has the user's id for its name.
func IdentityTask(account string) string { return "identity:" + account }

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

// Groups are those that the identity provider has for its own pages, triggers and apps, which find them in people's tokens. The account of
// a partner's user is in that of all of them and in that of its role, and follows the user's role (P19); a member's is in that of
// customers' people.
//
// The service itself reads no group, and nothing is allowed by one: the table says at each request who may do what, and a token says for an
// hour what was so when it was made.
func Groups() []Group {
	out := []Group{{groupCustomers, "people of customers"}, {groupPartners, "people of partners"}}
	for _, r := range append(employeeRoles(), External) {
		out = append(out, Group{groupOfRole + string(r), "people of partners with the role " + string(r)})
	}
	return out
}

// Groups returns the names of the groups that the user's account belongs to.
func (u *User) Groups() []string {
	return []string{groupPartners, groupOfRole + string(u.Role)}
}

// MaintainedGroup reports whether the service maintains the members of the group of that name. It leaves all other groups as they are.
func MaintainedGroup(name string) bool {
	role, is := strings.CutPrefix(name, groupOfRole)
	return name == groupPartners || name == groupCustomers || is && (Role(role).employee() || Role(role) == External)
}

// accountTask leaves the task that brings the account into line with the user, when accounts are kept.
func (pc PlanContext) accountTask(before *Task, u *User) []Write {
	return pc.identityTask(before, u.ID, Task{Partner: u.Partner})
}

// identityTask leaves the task that brings the account of that name into line with the table, when accounts are kept. Of tells whose it is.
func (pc PlanContext) identityTask(before *Task, account string, of Task) []Write {
	if !pc.Accounts {
		return nil
	}
	t := Task{
		ID: IdentityTask(account), Kind: TaskIdentity, Partner: of.Partner, Customer: of.Customer, User: account, Address: of.Address,
		Due: pc.Now.Add(identityLease), Created: pc.Now, Version: before.Stored() + 1,
	}
	if pc.Unattended { // nobody has sent anything under it
		t.Due, t.Idle = pc.Now, true
	}
	if before != nil {
		t.Created, t.Again, t.InFlightUntil = before.Created, before.Due.After(pc.Now), before.lastArrival(pc.Now)
	}
	return []Write{TaskWrite{Before: before, After: &t}}
}

// lastArrival returns the instant, UTC, until which requests of earlier workers may still reach the identity provider; zero when that is
// over.
func (t *Task) lastArrival(now time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	until := t.InFlightUntil
	if !t.Idle { // its worker may have sent requests until then
		until = t.Due.Add(requestLife)
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// Identity returns the identity task that a change leaves, and whose lease its committer has; nil when there is none.
func (c Change) Identity() *Task {
	if all := c.IdentityTasks(); len(all) > 0 {
		return all[0]
	}
	return nil
}

// IdentityTasks returns all of them. The task of an account that ended because somebody else has proved its address comes first.
func (c Change) IdentityTasks() []*Task {
	var out []*Task
	for _, w := range c.Writes {
		if t, ok := w.(TaskWrite); ok && t.After != nil && t.After.Kind == TaskIdentity {
			out = append(out, t.After)
		}
	}
	return out
}

// PlanClaimIdentityTask plans that a worker gets the lease of an identity task that is due. The task is nil when there is none, or another
// worker has it.
func PlanClaimIdentityTask(t *Task, pc PlanContext) (Change, *Task) {
	if t == nil || t.Due.After(pc.Now) {
		return Change{}, nil
	}
	mine := *t
	mine.Due, mine.Again, mine.InFlightUntil, mine.Idle = pc.Now.Add(identityLease), false, t.lastArrival(pc.Now), false
	mine.Version++
	return Change{Writes: []Write{TaskWrite{Before: t, After: &mine}}}, &mine
}

// PlanIdentityDone plans that a task whose work is done is deleted, unless it was written again since. Settled means that no request of
// the worker is still on its way.
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

// TaskActivation is due when a user's temporary password ends. A worker that is about to set a password first sets InFlightUntil, for as
// long as that request can arrive, and clears it when the provider has answered. So no password is replaced by an earlier one whose request
// was late: the provider has no conditional writes for them.
//
// Only the identity provider knows whether a user has ever signed in. It is asked when the task is due, or when somebody wants to send
// another password. So a new employee is active, not invited: customers can grant it access before it has signed in (D16), and it cannot
// use that without a token. If nobody has signed in by then, the password ends for certain, the person and the partner's primary address
// get a mail, and the user shows since when (User.ActivationMissedAt) until another password is made.
const TaskActivation TaskKind = "activation"

// ActivationLife is how long a temporary password can be used.
const ActivationLife = 7 * 24 * time.Hour

// requestLife is how long after it was sent a request can reach the identity provider: it is signed for five minutes, from the sender's
// clock (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), and it is sent within one minute.
const requestLife = 6 * time.Minute

// ActivationTask is the id of an account's task.
func ActivationTask(account string) string { return "activation:" + account }

// activation has the clock look whether a new user has signed in.
func (pc PlanContext) activation(u *User) []Write {
	if !pc.Accounts {
		return nil
	}
	return []Write{TaskWrite{After: activationTask(nil, u.ID, Task{Partner: u.Partner}, pc)}}
}

// activationTask returns the task that ends a temporary password of the account of that name. Of tells whose the account is.
func activationTask(before *Task, account string, of Task, pc PlanContext) *Task {
	t := Task{
		ID: ActivationTask(account), Kind: TaskActivation, Partner: of.Partner, Customer: of.Customer, User: account, Address: of.Address,
		Due: pc.Now.Add(ActivationLife), Created: pc.Now, Version: before.Stored() + 1,
	}
	if before != nil {
		t.Created = before.Created
	}
	return &t
}

// PlanTemporaryPassword plans the end of a temporary password, before it is made. It is refused with Contention while requests about the
// previous one may still arrive, and undo it.
func PlanTemporaryPassword(u *User, t *Task, pc PlanContext) (Change, *Task, error) {
	c, mine, err := planPassword(u.ID, Task{Partner: u.Partner}, t, pc)
	if err != nil {
		return Change{}, nil, err
	}
	if !u.ActivationMissedAt.IsZero() {
		after := *u
		after.ActivationMissedAt, after.Updated = time.Time{}, pc.Now
		after.Version++
		c.Writes = append(c.Writes, UserWrite{Before: u, After: &after})
	}
	return c, mine, nil
}

// PlanMemberPassword is PlanTemporaryPassword for the account of the members with an address.
func PlanMemberPassword(e *Email, t *Task, pc PlanContext) (Change, *Task, error) {
	if e == nil || e.Account == "" {
		return Change{}, nil, notFound("account")
	}
	return planPassword(e.Account, Task{Address: e.Address, Customer: e.MemberOf[0]}, t, pc)
}

func planPassword(account string, of Task, t *Task, pc PlanContext) (Change, *Task, error) {
	if t != nil && t.InFlightUntil.After(pc.Now) {
		return Change{}, nil, Refuse(Contention,
			"what was sent about the temporary password before may still arrive: try again after %s",
			t.InFlightUntil.Format(time.RFC3339))
	}
	mine := activationTask(t, account, of, pc)
	mine.InFlightUntil = pc.Now.Add(requestLife)
	return Change{Writes: []Write{TaskWrite{Before: t, After: mine}}}, mine, nil
}

// PlanPasswordSettled plans that another temporary password can be made, because the provider has answered all requests about this one.
func PlanPasswordSettled(now, mine *Task) Change {
	if now == nil || now.Version != mine.Version {
		return Change{}
	}
	after := *now
	after.InFlightUntil = time.Time{}
	after.Version++
	return Change{Writes: []Write{TaskWrite{Before: now, After: &after}}}
}

// PlanClaimActivationTask plans that a sweep gets the lease of an activation task that is due. The task is nil when there is none, or
// another sweep has it.
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

// ActivationOutcome is what the identity provider says of a temporary password when it ends.
type ActivationOutcome struct {
	PasswordExpired bool   // the user had not signed in, and the password cannot be used any more
	SignedInAs      string // the address of the account whose user has chosen a password, which was mailed to that address; "" = unknown
}

// PlanActivationDone plans that an activation task is deleted by the sweep that has its lease. A user who has signed in has proved the
// address; for one who has not, there is an event.
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

// PlanRenewActivation plans that a user who has not signed in yet gets a temporary password, again or for the first time (accounts may not
// have been kept when the user was created). The caller has found out that the user has not signed in.
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

// MayRenew refuses to have a temporary password sent to a user whom the actor may not change, or whose account is not active.
func MayRenew(a Actor, u *User) error {
	if err := MayManageRole(a, u.Role); err != nil {
		return err
	}
	if u.Status != Active {
		return Refuse(UserNotActive, "the account of %s is %s: it has to be active first", u.Name, u.Status)
	}
	return nil
}
