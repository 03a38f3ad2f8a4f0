// Package sweep does what the clock has brought: it writes down ends, tells of starts and reminders, and finishes work that goes through
// many grants. Access itself never waits for it.
package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/metrics"
	"partneraccess/shared/turns"
)

// Store is the table, as the sweep uses it.
type Store interface {
	// DueShards is into how many parts the due work is divided; Due lists one of them, the longest due first. Some of it may have been done.
	DueShards() int
	Due(ctx context.Context, shard int, now time.Time, after string, limit int) (work []access.Work, more bool, err error)
	Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.Answer, error)) error
	Take(ctx context.Context, plan func(context.Context) (access.Change, *access.Answer, error)) error
	Relation(ctx context.Context, customer, partner string, users []string, whole bool) (access.Relation, error)
	InvitationRow(ctx context.Context, customer, id string) (*access.InvitationRow, error)
	// AssignmentRows lists the rows of a grant, also those that count no more, a stretch at a time.
	AssignmentRows(ctx context.Context, customer, partner, after string, limit int) (g *access.Grant, rows []*access.Assignment, next string, err error)
	// PendingInvitations lists those of a customer, to a partner, or of one of its users, a stretch at a time.
	PendingInvitations(ctx context.Context, customer, partner, user, after string, limit int) (rows []*access.InvitationRow, next string, err error)
	Task(ctx context.Context, id string) (*access.Task, error)
	Partner(ctx context.Context, id string) (*access.Partner, error)
	User(ctx context.Context, id string) (*access.User, error)
	CustomersOf(ctx context.Context, partner, after string, limit int) (customers []string, more bool, err error)
	// PartnersOf lists the partners for which the customer has, or had, a grant, a page at a time.
	PartnersOf(ctx context.Context, customer, after string, limit int) (partners []string, more bool, err error)
	// CustomersConcerned lists those whose grants concern one user, a stretch at a time.
	CustomersConcerned(ctx context.Context, u *access.User, everyone bool, after string) (customers []string, next string, err error)
}

// Accounts are the employees' accounts at the identity provider.
type Accounts interface {
	// Follow does the work of an identity task that was taken, and deletes the task. It fails with access.ErrUnavailable when the
	// identity provider does not answer.
	Follow(ctx context.Context, t *access.Task) error
	// Lapse ends the temporary password of a user who has not signed in with it, and tells whether that is so. It fails likewise.
	Lapse(ctx context.Context, u access.User) (access.Activation, error)
}

// Sweep is the work, and what it needs.
type Sweep struct {
	Store    Store
	Accounts Accounts // nil: no accounts are kept
	Now      func() time.Time
	NewID    func() string
	Log      *slog.Logger
	Metrics  *metrics.Recorder // nil: nothing is measured
}

// Report is what one run did.
type Report struct {
	Done   int           `json:"done"`   // pieces of work
	Failed int           `json:"failed"` // left for the next run
	Lag    time.Duration `json:"lag_ns"` // how long the oldest piece had been due
	Cut    bool          `json:"cut"`    // time ran out: the next run goes on
}

const (
	page     = 50               // grants, invitations or customers of a task in one piece
	listed   = 2000             // pieces of due work a request
	share    = 50               // pieces of one organisation between two looks at what is due
	parallel = 8                // pieces at once, in each shard one after the other
	margin   = 5 * time.Second  // before the function's time-out
	atMost   = 50 * time.Second // a run, so that the next minute's finds the field clear
	patience = 5 * time.Second  // with the identity provider, for one account
)

// Handler is the scheduled function. The event is not looked at.
func (s *Sweep) Handler() lambda.Handler { return handler{s} }

type handler struct{ *Sweep }

// Invoke implements lambda.Handler.
func (h handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	s := *h.Sweep
	if c, ok := lambdacontext.FromContext(ctx); ok {
		s.Log = s.Log.With("request_id", c.AwsRequestID)
	}
	r, err := s.Run(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// Run does all work that is due, until there is none or time runs out. Two runs at once do each other no harm: every piece is written on the
// condition that it is as it was read. A piece that fails is logged and left for the next run; an error means that the list itself could
// not be read.
func (s *Sweep) Run(ctx context.Context) (Report, error) {
	began := time.Now()
	stop := began.Add(atMost)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-margin).Before(stop) {
		stop = deadline.Add(-margin)
	}
	run := &run{Sweep: s, now: s.Now().UTC().Truncate(time.Millisecond), stop: stop}
	g, ctx := errgroup.WithContext(ctx)
	for shard := range s.Store.DueShards() {
		g.Go(func() error { return run.shard(ctx, shard) })
	}
	err := g.Wait()
	s.Log.Info("sweep", "done", run.report.Done, "failed", run.report.Failed, "lag_ms", run.report.Lag.Milliseconds(), "cut", run.report.Cut, "ms", time.Since(began).Milliseconds())
	if err == nil || run.report.Lag > 0 { // what was not seen is no zero
		s.Metrics.Sweep(run.report.Lag)
	}
	return run.report, err
}

type run struct {
	*Sweep
	now  time.Time
	stop time.Time // of the real clock

	mu     sync.Mutex
	report Report
	silent bool // the identity provider does not answer: it is asked no more
}

func (r *run) late() bool {
	if time.Now().Before(r.stop) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Cut = true
	return true
}

// shard does the work of one part. Organisations take turns: a piece of one waits for one piece of each other at most, however much they have.
func (r *run) shard(ctx context.Context, shard int) error {
	tried := map[string]bool{} // the index may show for a moment what is done already
	for left := true; left && !r.late(); {
		var q *turns.Queue[access.Work]
		var err error
		if q, left, err = r.due(ctx, shard, tried); err != nil {
			return err
		}
		for !r.late() {
			organisation, w, ok := q.Next()
			if !ok {
				break
			}
			if again := r.piece(ctx, w); again {
				q.Add(organisation, w)
			}
		}
	}
	return nil
}

// due queues what is due in a shard and was not tried in this run, up to each organisation's share. Left tells that there was more.
func (r *run) due(ctx context.Context, shard int, tried map[string]bool) (q *turns.Queue[access.Work], left bool, err error) {
	q = &turns.Queue[access.Work]{Share: share}
	for after := ""; !r.late(); {
		work, more, err := r.Store.Due(ctx, shard, r.now, after, listed)
		if err != nil {
			return nil, false, fmt.Errorf("list due work: %w", err)
		}
		for _, w := range work {
			after = w.Position
			if tried[w.Position] {
				continue
			}
			if !q.Add(cmp.Or(w.Organisation, w.Position), w) {
				left = true
				continue
			}
			tried[w.Position] = true
		}
		if !more {
			break
		}
	}
	return q, left, nil
}

// piece does one piece of work. Again tells that it is a task of which there is another page.
func (r *run) piece(ctx context.Context, w access.Work) (again bool) {
	var err error
	switch {
	case w.Task != "":
		again, err = r.task(ctx, w.Task)
	case w.Invitation != "":
		err = r.invitation(ctx, w.Customer, w.Invitation, access.PlanInvitationDue)
	default:
		err = r.grant(ctx, w.Customer, w.Partner, access.PlanDue)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if lag := r.now.Sub(w.Due); lag > r.report.Lag {
		r.report.Lag = lag
	}
	switch {
	case err != nil:
		r.report.Failed++
		r.Log.Error("due work failed", "customer", w.Customer, "partner", w.Partner, "invitation", w.Invitation, "task", w.Task, "error", err.Error())
		return false
	case !again:
		r.report.Done++
	}
	return again
}

func (r *run) moment() access.Moment {
	return access.Moment{Now: r.Now().UTC().Truncate(time.Millisecond), Actor: access.Actor{Kind: "clock"}, NewID: r.NewID}
}

// grant plans and commits what one grant needs: mostly an end, so that others who keep changing the grant do not hold it up.
func (r *run) grant(ctx context.Context, customer, partner string, plan func(access.Relation, access.Moment) (access.Planned, error), users ...string) error {
	return r.Store.Take(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		rel, err := r.Store.Relation(ctx, customer, partner, users, false)
		if err != nil {
			return access.Change{}, nil, err
		}
		p, err := plan(rel, r.moment())
		return p.Change, nil, err
	})
}

func (r *run) invitation(ctx context.Context, customer, id string, plan func(*access.InvitationRow, access.Moment) (access.Change, error)) error {
	return r.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		row, err := r.Store.InvitationRow(ctx, customer, id)
		if err != nil {
			return access.Change{}, nil, err
		}
		c, err := plan(row, r.moment())
		return c, nil, err
	})
}

// task does one page of a task, from where it stopped, and writes down how far it has come. Again tells that there is another page.
func (r *run) task(ctx context.Context, id string) (again bool, err error) {
	t, err := r.Store.Task(ctx, id)
	if err != nil || t == nil || t.Due.After(r.now) {
		return false, err
	}
	switch t.Kind {
	case access.TaskIdentity:
		return false, r.identity(ctx, id, access.PlanTakeIdentity, func(ctx context.Context, mine *access.Task) error { return r.Accounts.Follow(ctx, mine) })
	case access.TaskActivation:
		return false, r.identity(ctx, id, access.PlanTakeActivation, r.activation)
	}
	return r.taskPage(ctx, t)
}

// identity takes a task about one account, and does its work. An identity provider that does not answer holds up no more than one piece of work
// of each shard: the other accounts are left for the next run.
func (r *run) identity(ctx context.Context, id string, take func(*access.Task, access.Moment) (access.Change, *access.Task), do func(context.Context, *access.Task) error) error {
	r.mu.Lock()
	silent := r.silent
	r.mu.Unlock()
	if silent {
		return errSilent
	}
	var mine *access.Task
	err := r.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		t, err := r.Store.Task(ctx, id)
		if err != nil || t == nil {
			mine = nil
			return access.Change{}, nil, err
		}
		if r.Accounts == nil { // none are kept any more
			return access.Change{Writes: []access.Write{access.TaskWrite{Before: t}}}, nil, nil
		}
		var c access.Change
		c, mine = take(t, r.moment())
		return c, nil, nil
	})
	if err != nil || mine == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = do(ctx, mine)
	if errors.Is(err, access.ErrUnavailable) {
		r.mu.Lock()
		r.silent = true
		r.mu.Unlock()
	}
	return err
}

// activation ends the temporary password of one user who has not signed in with it in time, and tells of that.
func (r *run) activation(ctx context.Context, mine *access.Task) error {
	u, err := r.Store.User(ctx, mine.User)
	if err != nil {
		return err
	}
	var is access.Activation
	if u != nil && u.Status != access.Removed {
		if is, err = r.Accounts.Lapse(ctx, *u); err != nil {
			return err
		}
	}
	return r.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		now, err := r.Store.Task(ctx, mine.ID)
		if err != nil {
			return access.Change{}, nil, err
		}
		u, err := r.Store.User(ctx, mine.User)
		if err != nil {
			return access.Change{}, nil, err
		}
		p, err := r.Store.Partner(ctx, mine.Partner)
		return access.PlanActivationDone(now, mine, u, p, is, r.moment()), nil, err
	})
}

var errSilent = errors.New("the identity provider did not answer before")

// taskPage does one page of a task. Again tells that there is another.
func (r *run) taskPage(ctx context.Context, t *access.Task) (again bool, err error) {
	switch t.Kind {
	case access.TaskCustomerRules:
		return r.customerRules(ctx, t)
	case access.TaskInvitations:
		return r.reviewInvitations(ctx, t)
	case access.TaskOldAssignments:
		return r.oldAssignments(ctx, t)
	}
	p, err := r.Store.Partner(ctx, t.Partner)
	if err != nil {
		return false, err
	}
	if t.Moot(p) {
		return false, r.progress(ctx, access.Change{Writes: []access.Write{access.TaskWrite{Before: t}}})
	}
	switch t.Kind {
	case access.TaskUserRemoved:
		return r.userLeft(ctx, t)
	case access.TaskPersonChanged:
		return r.personChanged(ctx, t)
	}
	customers, more, err := r.Store.CustomersOf(ctx, t.Partner, t.After, page)
	if err != nil {
		return false, err
	}
	after := ""
	if more && len(customers) > 0 {
		after = customers[len(customers)-1]
	}
	if t.Kind == access.TaskPartnerSuspended || t.Kind == access.TaskPartnerResumed {
		rows := make([]access.Relation, len(customers))
		if err := each(ctx, customers, func(ctx context.Context, i int, c string) error {
			rel, err := r.Store.Relation(ctx, c, t.Partner, nil, false)
			rows[i] = rel
			return err
		}); err != nil {
			return false, err
		}
		return after != "", r.progress(ctx, access.PlanTellCustomers(t, rows, after, r.moment()))
	}
	err = each(ctx, customers, func(ctx context.Context, _ int, c string) error {
		return r.grant(ctx, c, t.Partner, access.PlanPartnerGone)
	})
	if err != nil {
		return false, err
	}
	return after != "", r.progress(ctx, access.PlanProgress(t, after, r.moment()))
}

// userLeft does one stretch of the grants that count a user who has left the partner. The others are not looked at.
func (r *run) userLeft(ctx context.Context, t *access.Task) (again bool, err error) {
	u, err := r.Store.User(ctx, t.User)
	if err != nil {
		return false, err
	}
	var customers []string
	next := ""
	if u != nil {
		if customers, next, err = r.Store.CustomersConcerned(ctx, u, false, t.After); err != nil {
			return false, err
		}
	}
	err = each(ctx, customers, func(ctx context.Context, _ int, c string) error {
		return r.grant(ctx, c, t.Partner, func(rel access.Relation, m access.Moment) (access.Planned, error) {
			return access.PlanUserLeft(rel, t.User, m)
		}, t.User)
	})
	if err != nil {
		return false, err
	}
	return next != "", r.progress(ctx, access.PlanProgress(t, next, r.moment()))
}

// personChanged ends what customers gave to another person than the one who has the account now, and tells every customer concerned of the new address.
func (r *run) personChanged(ctx context.Context, t *access.Task) (again bool, err error) {
	u, err := r.Store.User(ctx, t.User)
	if err != nil {
		return false, err
	}
	var customers []string
	next := ""
	if u != nil {
		was := *u
		if t.Number > 0 {
			was.Number = t.Number
		}
		if customers, next, err = r.Store.CustomersConcerned(ctx, &was, true, t.After); err != nil {
			return false, err
		}
	}
	if len(customers) > page { // one transaction tells them all
		customers = customers[:page]
		next = customers[page-1]
	}
	stay := make([]access.Relation, len(customers))
	if err := each(ctx, customers, func(ctx context.Context, i int, c string) error {
		return r.grant(ctx, c, t.Partner, func(rel access.Relation, m access.Moment) (access.Planned, error) {
			p, err := access.PlanPersonChanged(rel, t, m)
			if stay[i] = (access.Relation{}); len(p.Change.Events) == 0 {
				stay[i] = rel
			}
			return p, err
		}, t.User)
	}); err != nil {
		return false, err
	}
	return next != "", r.progress(ctx, access.PlanTellPersonChanged(t, stay, next, r.moment()))
}

// customerRules has a page of a customer's grants copy its domain and caps.
func (r *run) customerRules(ctx context.Context, t *access.Task) (again bool, err error) {
	partners, more, err := r.Store.PartnersOf(ctx, t.Customer, t.After, page)
	if err != nil {
		return false, err
	}
	after := ""
	if more && len(partners) > 0 {
		after = partners[len(partners)-1]
	}
	if err := each(ctx, partners, func(ctx context.Context, _ int, partner string) error {
		return r.grant(ctx, t.Customer, partner, access.PlanCustomerRules)
	}); err != nil {
		return false, err
	}
	return after != "", r.progress(ctx, access.PlanProgress(t, after, r.moment()))
}

// reviewInvitations ends those of one stretch of pending invitations that nobody can accept any more.
func (r *run) reviewInvitations(ctx context.Context, t *access.Task) (again bool, err error) {
	rows, next, err := r.Store.PendingInvitations(ctx, t.Customer, t.Partner, t.User, t.After, page)
	if err != nil {
		return false, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, row := range rows {
		if status, _ := row.Status(r.now); status == access.InvitationCancelled {
			g.Go(func() error {
				return r.invitation(gctx, row.Invitation.Customer, row.ID, access.PlanInvitationEnd)
			})
		}
	}
	if err := g.Wait(); err != nil {
		return false, err
	}
	return next != "", r.progress(ctx, access.PlanProgress(t, next, r.moment()))
}

// oldAssignments deletes what counts no more of one stretch of a grant's rows.
func (r *run) oldAssignments(ctx context.Context, t *access.Task) (again bool, err error) {
	next := ""
	err = r.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		g, rows, n, err := r.Store.AssignmentRows(ctx, t.Customer, t.Partner, t.After, page)
		next = n
		return access.PlanOldAssignments(g, rows), nil, err
	})
	if err != nil {
		return false, err
	}
	return next != "", r.progress(ctx, access.PlanProgress(t, next, r.moment()))
}

// progress writes down how far a task has come, unless another run has come further.
func (r *run) progress(ctx context.Context, c access.Change) error {
	tried := false
	err := r.Store.Apply(ctx, func(context.Context) (access.Change, *access.Answer, error) {
		if tried {
			return access.Change{}, nil, errOvertaken
		}
		tried = true
		return c, nil, nil
	})
	if errors.Is(err, errOvertaken) {
		return nil
	}
	return err
}

var errOvertaken = errors.New("another run has come further")

func each(ctx context.Context, customers []string, do func(ctx context.Context, i int, customer string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, c := range customers {
		g.Go(func() error { return do(ctx, i, c) })
	}
	return g.Wait()
}
