package service

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// Due does the work that is due, for one run of the sweep. Access never depends on it: decisions go by the clock.
type Due struct {
	*Service
	Began time.Time // when the run began, UTC; what became due later is left for the next one

	silent atomic.Bool // the identity provider does not answer: it is asked no more
}

const (
	stretch  = 50              // grants, invitations or customers of a task in one piece
	parallel = 8               // of them at once
	patience = 5 * time.Second // with the identity provider, for one account
)

// Do does one piece of work, or nothing when it has been done already. Again tells that the task has another stretch. After an error the
// piece is still due. Two runs may do the same piece: every write is conditioned on what was read.
func (d *Due) Do(ctx context.Context, w access.DueWork) (again bool, err error) {
	switch {
	case w.Task != "":
		return d.task(ctx, w.Task)
	case w.Request != "":
		return false, d.request(ctx, w.Customer, w.Request, access.PlanRequestDue)
	case w.Invitation != "":
		return false, d.invitation(ctx, w.Customer, w.Invitation, access.PlanInvitationDue)
	}
	return false, d.grantDue(ctx, w.Customer, w.Partner)
}

// clock is the caller of work that is due.
func clock() Caller { return Caller{Actor: access.Actor{Kind: access.ActorClock}} }

func (d *Due) planContext() access.PlanContext { return d.Service.planContext(clock().Actor) }

// errDecides is a plan's word that it needs to know whether the access was used.
var errDecides = errors.New("an extension is to be decided")

// grantDue does what is due for one grant. An extension gives access: unlike an end it waits for changes that take.
func (d *Due) grantDue(ctx context.Context, customer, partner string) error {
	var since access.Day
	err := d.grant(ctx, customer, partner, func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
		if r.Grant != nil {
			var decides bool
			if since, decides = r.Grant.DecidesExtension(pc.Now); decides {
				return access.GrantChange{}, errDecides
			}
		}
		return access.PlanDue(r, pc)
	})
	if !errors.Is(err, errDecides) {
		return err
	}
	used, err := d.usedSince(ctx, customer, partner, since)
	if err != nil {
		return err
	}
	_, err = change(ctx, d.Service, Options[Granted]{}, d.ofGrant(clock(), customer, partner, nil, false,
		func(r access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
			r.LastUsed = used
			return access.PlanDue(r, pc)
		}))
	return err
}

// usedSince returns a day, not before that one, on which somebody used the access; "" when nobody did.
func (d *Due) usedSince(ctx context.Context, customer, partner string, since access.Day) (access.Day, error) {
	var used access.Day
	err := stretches(func(after string) (string, error) {
		_, rows, next, err := d.Store.AssignmentRows(ctx, customer, partner, after, stretch)
		for _, a := range rows {
			if a.LastUse.On >= since {
				used, next = a.LastUse.On, ""
				break
			}
		}
		return next, err
	})
	return used, err
}

// grant plans and commits what one grant needs: mostly an end, so that others who keep changing the grant do not hold it up.
func (d *Due) grant(ctx context.Context, customer, partner string, plan grantPlan, users ...string) error {
	_, err := take(ctx, d.Service, d.ofGrant(clock(), customer, partner, users, false, plan))
	return err
}

func (d *Due) invitation(
	ctx context.Context, customer, id string, plan func(*access.InvitationRow, access.PlanContext) (access.Change, error),
) error {
	return d.apply(ctx, func(ctx context.Context) (access.Change, error) {
		row, err := d.Store.InvitationRow(ctx, customer, id)
		if err != nil {
			return access.Change{}, err
		}
		return plan(row, d.planContext())
	})
}

// task does one stretch of a task, from where it stopped, and writes down how far it has come. Again tells that there is another stretch.
func (d *Due) task(ctx context.Context, id string) (again bool, err error) {
	t, err := d.Store.Task(ctx, id)
	if err != nil || t == nil || t.Due.After(d.Began) {
		return false, err
	}
	switch t.Kind {
	case access.TaskIdentity:
		return false, d.identity(ctx, id, access.PlanClaimIdentityTask, d.FollowAccount)
	case access.TaskActivation:
		return false, d.identity(ctx, id, access.PlanClaimActivationTask, d.activation)
	}
	return d.taskPage(ctx, t)
}

// identity takes a task about one account, and does its work. An identity provider that does not answer holds up no more than one piece of
// work of each shard: the other accounts are left for the next run.
func (d *Due) identity(
	ctx context.Context, id string,
	take func(*access.Task, access.PlanContext) (access.Change, *access.Task), do func(context.Context, *access.Task) error,
) error {
	if d.silent.Load() {
		return errSilent
	}
	mine, err := change(ctx, d.Service, Options[*access.Task]{}, func(ctx context.Context) (access.Change, *access.Task, error) {
		t, err := d.Store.Task(ctx, id)
		switch {
		case err != nil || t == nil:
			return access.Change{}, nil, err
		case d.Accounts == nil: // none are kept any more
			return access.Change{Writes: []access.Write{access.TaskWrite{Before: t}}}, nil, nil
		}
		c, mine := take(t, d.planContext())
		return c, mine, nil
	})
	if err != nil || mine == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = do(ctx, mine)
	if errors.Is(err, access.ErrUnavailable) {
		d.silent.Store(true)
	}
	return err
}

// activation ends the temporary password of one account whose owner has not signed in with it in time, and tells of that when the owner is
// a partner's user.
func (d *Due) activation(ctx context.Context, mine *access.Task) error {
	a, err := d.accountOf(ctx, mine)
	if err != nil {
		return err
	}
	var is access.ActivationOutcome
	if a.Status != access.Removed {
		if is, err = d.Accounts.Lapse(ctx, a); err != nil {
			return err
		}
	}
	return d.apply(ctx, func(ctx context.Context) (access.Change, error) {
		now, err := d.Store.Task(ctx, mine.ID)
		if err != nil {
			return access.Change{}, err
		}
		if mine.Address != "" {
			return access.PlanActivationDone(now, mine, nil, nil, is, d.planContext()), nil
		}
		u, err := d.Store.User(ctx, mine.User)
		if err != nil {
			return access.Change{}, err
		}
		p, err := d.Store.Partner(ctx, mine.Partner)
		return access.PlanActivationDone(now, mine, u, p, is, d.planContext()), err
	})
}

var errSilent = errors.New("the identity provider did not answer before")

// taskPage does one stretch of a task. Again tells that there is another.
func (d *Due) taskPage(ctx context.Context, t *access.Task) (again bool, err error) {
	switch t.Kind {
	case access.TaskCustomerRules:
		return d.customerRules(ctx, t)
	case access.TaskInvitations:
		return d.reviewPending(ctx, t)
	case access.TaskOldAssignments:
		return d.oldAssignments(ctx, t)
	case access.TaskPersonErased:
		return d.personErased(ctx, t)
	case access.TaskRenamed:
		return d.renamed(ctx, t)
	}
	p, err := d.Store.Partner(ctx, t.Partner)
	if err != nil {
		return false, err
	}
	if t.Superseded(p) {
		return false, d.progress(ctx, access.Change{Writes: []access.Write{access.TaskWrite{Before: t}}})
	}
	switch t.Kind {
	case access.TaskUserRemoved:
		return d.userLeft(ctx, t)
	case access.TaskPersonChanged:
		return d.personChanged(ctx, t)
	}
	customers, more, err := d.Store.CustomersOf(ctx, t.Partner, t.LastCustomer, stretch)
	if err != nil {
		return false, err
	}
	after := last(customers, more)
	if t.Kind == access.TaskPartnerSuspended || t.Kind == access.TaskPartnerResumed {
		rows := make([]access.GrantFacts, len(customers))
		if err := each(ctx, customers, func(ctx context.Context, i int, c string) error {
			rel, err := d.Store.GrantFacts(ctx, c, t.Partner, nil, false)
			rows[i] = rel
			return err
		}); err != nil {
			return false, err
		}
		return after != "", d.progress(ctx, access.PlanNotifyCustomers(t, rows, after, d.planContext()))
	}
	err = each(ctx, customers, func(ctx context.Context, _ int, c string) error {
		return d.grant(ctx, c, t.Partner, access.PlanEndForRemovedPartner)
	})
	if err != nil {
		return false, err
	}
	return after != "", d.progress(ctx, access.PlanTaskProgress(t, after, d.planContext()))
}

// userLeft does one stretch of the grants that count a user who has left the partner. The others are not looked at.
func (d *Due) userLeft(ctx context.Context, t *access.Task) (again bool, err error) {
	u, err := d.Store.User(ctx, t.User)
	if err != nil {
		return false, err
	}
	var customers []string
	next := ""
	if u != nil {
		if customers, next, err = d.Store.CustomersConcerned(ctx, u, false, t.LastCustomer); err != nil {
			return false, err
		}
	}
	err = each(ctx, customers, func(ctx context.Context, _ int, c string) error {
		return d.grant(ctx, c, t.Partner, func(rel access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
			return access.PlanUserLeft(rel, t.User, pc)
		}, t.User)
	})
	if err != nil {
		return false, err
	}
	return next != "", d.progress(ctx, access.PlanTaskProgress(t, next, d.planContext()))
}

// personChanged ends what customers gave to another person than the one who has the account now, and tells every customer concerned of the
// new address.
func (d *Due) personChanged(ctx context.Context, t *access.Task) (again bool, err error) {
	u, err := d.Store.User(ctx, t.User)
	if err != nil {
		return false, err
	}
	var customers []string
	next := ""
	if u != nil {
		was := *u
		if t.FormerNumber > 0 {
			was.Number = t.FormerNumber
		}
		if customers, next, err = d.Store.CustomersConcerned(ctx, &was, true, t.LastCustomer); err != nil {
			return false, err
		}
	}
	if len(customers) > stretch { // one transaction tells them all
		customers = customers[:stretch]
		next = customers[stretch-1]
	}
	stay := make([]access.GrantFacts, len(customers))
	if err := each(ctx, customers, func(ctx context.Context, i int, c string) error {
		return d.grant(ctx, c, t.Partner, func(rel access.GrantFacts, pc access.PlanContext) (access.GrantChange, error) {
			p, err := access.PlanPersonChanged(rel, t, pc)
			if stay[i] = (access.GrantFacts{}); len(p.Change.Events) == 0 {
				stay[i] = rel
			}
			return p, err
		}, t.User)
	}); err != nil {
		return false, err
	}
	return next != "", d.progress(ctx, access.PlanNotifyPersonChanged(t, stay, next, d.planContext()))
}

// personErased puts the pseudonym into one stretch of what names the person. The second round finds what was being written meanwhile.
func (d *Due) personErased(ctx context.Context, t *access.Task) (again bool, err error) {
	next, err := d.Store.Erase(ctx, t.Erasure(), t.LastCustomer, 2*stretch)
	if err != nil {
		return false, err
	}
	return next != "", d.progress(ctx, access.PlanTaskProgress(t, next, d.planContext()))
}

// customerRules has a stretch of a customer's grants copy its domain and caps.
func (d *Due) customerRules(ctx context.Context, t *access.Task) (again bool, err error) {
	partners, more, err := d.Store.PartnersOf(ctx, t.Customer, t.LastCustomer, stretch)
	if err != nil {
		return false, err
	}
	after := last(partners, more)
	if err := each(ctx, partners, func(ctx context.Context, _ int, partner string) error {
		return d.grant(ctx, t.Customer, partner, access.PlanCustomerRules)
	}); err != nil {
		return false, err
	}
	return after != "", d.progress(ctx, access.PlanTaskProgress(t, after, d.planContext()))
}

// renamed brings the names of now into one stretch of the listings of a customer, or of a partner. The other side's names, which order
// them, stay. The second round finds what another rename has moved meanwhile, and grants that were given at the same time.
func (d *Due) renamed(ctx context.Context, t *access.Task) (again bool, err error) {
	list, next, err := d.Store.Listings(ctx, t.Customer, t.Partner, t.LastCustomer, stretch)
	if err != nil {
		return false, err
	}
	err = each(ctx, list, func(ctx context.Context, _ int, l *access.Listing) error {
		return d.apply(ctx, func(ctx context.Context) (access.Change, error) {
			found, err := d.Store.Listed(ctx, l)
			if err != nil || found == nil {
				return access.Change{}, err
			}
			r, err := d.Store.GrantFacts(ctx, l.Customer, l.Partner, nil, false)
			return access.PlanListing(found, r), err
		})
	})
	if err != nil {
		return false, err
	}
	return next != "", d.progress(ctx, access.PlanTaskProgress(t, next, d.planContext()))
}

// requestsAfter begins a position among the requests: the same task goes through the invitations first.
const requestsAfter = "requests "

// reviewPending ends what nobody can answer any more: of one stretch of pending invitations, and, once these are through, of pending
// requests.
func (d *Due) reviewPending(ctx context.Context, t *access.Task) (again bool, err error) {
	next := ""
	after, requests := strings.CutPrefix(t.LastCustomer, requestsAfter)
	if !requests {
		if next, err = d.endInvitations(ctx, t); err != nil {
			return false, err
		}
		after = ""
	}
	if next == "" {
		if next, err = d.endRequests(ctx, t, after); err != nil {
			return false, err
		}
		if next != "" {
			next = requestsAfter + next
		}
	}
	return next != "", d.progress(ctx, access.PlanTaskProgress(t, next, d.planContext()))
}

func (d *Due) endInvitations(ctx context.Context, t *access.Task) (next string, err error) {
	rows, next, err := d.Store.PendingInvitations(ctx, t.Customer, t.Partner, t.User, t.LastCustomer, stretch)
	if err != nil {
		return "", err
	}
	return next, each(ctx, rows, func(ctx context.Context, _ int, row *access.InvitationRow) error {
		if status, _ := row.Status(d.Began); status != access.InvitationCancelled {
			return nil
		}
		return d.invitation(ctx, row.Invitation.Customer, row.ID, access.PlanInvitationEnd)
	})
}

func (d *Due) endRequests(ctx context.Context, t *access.Task, after string) (next string, err error) {
	rows, next, err := d.Store.PendingRequests(ctx, t.Customer, t.Partner, t.User, after, stretch)
	if err != nil {
		return "", err
	}
	return next, each(ctx, rows, func(ctx context.Context, _ int, row *access.RequestRow) error {
		if status, _ := row.Status(d.Began); status != access.RequestCancelled {
			return nil
		}
		return d.request(ctx, row.Request.Customer, row.ID, access.PlanRequestEnd)
	})
}

// oldAssignments takes what counts no more of one stretch of a grant's rows out of the lists.
func (d *Due) oldAssignments(ctx context.Context, t *access.Task) (again bool, err error) {
	next, err := change(ctx, d.Service, Options[string]{}, func(ctx context.Context) (access.Change, string, error) {
		g, rows, next, err := d.Store.AssignmentRows(ctx, t.Customer, t.Partner, t.LastCustomer, stretch)
		return access.PlanOldAssignments(g, rows), next, err
	})
	if err != nil {
		return false, err
	}
	return next != "", d.progress(ctx, access.PlanTaskProgress(t, next, d.planContext()))
}

// progress writes down how far a task has come, unless another run has come further.
func (d *Due) progress(ctx context.Context, c access.Change) error {
	tried := false
	err := d.apply(ctx, func(context.Context) (access.Change, error) {
		if tried {
			return access.Change{}, errOvertaken
		}
		tried = true
		return c, nil
	})
	if errors.Is(err, errOvertaken) {
		return nil
	}
	return err
}

var errOvertaken = errors.New("another run has come further")

// each does something for all of a stretch, some at once, and stops at the first error.
func each[T any](ctx context.Context, all []T, do func(ctx context.Context, i int, one T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, one := range all {
		g.Go(func() error { return do(ctx, i, one) })
	}
	return g.Wait()
}
