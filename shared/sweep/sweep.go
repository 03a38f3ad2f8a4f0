// Package sweep does the work that is due: it records ends, causes the mails about starts and reminders, and finishes changes to many
// grants. Access itself never waits for it.
package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/metrics"
	"partneraccess/shared/service"
	"partneraccess/shared/turns"
)

// Store is the table, as the sweep uses it.
type Store interface {
	service.Store
	// DueShards is into how many parts the due work is divided; Due lists one of them, the longest due first. Some of it may have been done.
	DueShards() int
	Due(ctx context.Context, shard int, now time.Time, after string, limit int) (work []access.DueWork, more bool, err error)
}

// Sweep is the work, and what it needs.
type Sweep struct {
	Store    Store
	Accounts service.Accounts // nil: no accounts are kept
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
	pageSize             = 2000             // pieces of due work a request
	sharePerOrganisation = 50               // pieces of one organisation between two readings of what is due
	timeoutMargin        = 5 * time.Second  // before the function's time-out
	maxDuration          = 50 * time.Second // of a run, so that the next minute's does not overlap
)

// Handler is the scheduled function. The event is ignored.
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

// Run does all work that is due, until there is none or time runs out. Two runs may overlap: every piece is written on the condition
// that it is as it was read. A piece that fails is logged and left for the next run; an error means that the list itself
// could not be read.
func (s *Sweep) Run(ctx context.Context) (Report, error) {
	began := time.Now()
	stop := began.Add(maxDuration)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-timeoutMargin).Before(stop) {
		stop = deadline.Add(-timeoutMargin)
	}
	run := &run{Sweep: s, stop: stop}
	run.work.Service = &service.Service{Store: s.Store, Now: s.Now, NewID: s.NewID, Accounts: s.Accounts, Log: s.Log}
	run.work.Began = s.Now().UTC().Truncate(time.Millisecond)
	g, ctx := errgroup.WithContext(ctx)
	for shard := range s.Store.DueShards() {
		g.Go(func() error { return run.shard(ctx, shard) })
	}
	err := g.Wait()
	s.Log.Info("sweep", "done", run.report.Done, "failed", run.report.Failed, "lag_ms", run.report.Lag.Milliseconds(),
		"cut", run.report.Cut, "ms", time.Since(began).Milliseconds())
	if err == nil || run.report.Lag > 0 { // an error without any lag is no lag of zero
		s.Metrics.Sweep(run.report.Lag)
	}
	return run.report, err
}

type run struct {
	*Sweep
	work service.Due
	stop time.Time // of the real clock

	mu     sync.Mutex
	report Report
}

func (r *run) timeIsUp() bool {
	if time.Now().Before(r.stop) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Cut = true
	return true
}

// shard does the work of one part. Organisations take turns: a piece of one waits for one piece of each other at most, however much they
// have.
func (r *run) shard(ctx context.Context, shard int) error {
	tried := map[string]bool{} // the index may show for a moment what is done already
	for left := true; left && !r.timeIsUp(); {
		var q *turns.Queue[access.DueWork]
		var err error
		if q, left, err = r.queueDue(ctx, shard, tried); err != nil {
			return err
		}
		for !r.timeIsUp() {
			organisation, w, ok := q.Next()
			if !ok {
				break
			}
			if again := r.do(ctx, w); again {
				q.Add(organisation, w)
			}
		}
	}
	return nil
}

// queueDue queues what is due in a shard and was not tried in this run, up to each organisation's share. Left means that there was more.
func (r *run) queueDue(ctx context.Context, shard int, tried map[string]bool) (q *turns.Queue[access.DueWork], left bool, err error) {
	q = &turns.Queue[access.DueWork]{Share: sharePerOrganisation}
	for after := ""; !r.timeIsUp(); {
		work, more, err := r.Store.Due(ctx, shard, r.work.Began, after, pageSize)
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

// do does one piece of work. Again means that it is a task of which there is another page.
func (r *run) do(ctx context.Context, w access.DueWork) (again bool) {
	again, err := r.work.Do(ctx, w)
	r.mu.Lock()
	defer r.mu.Unlock()
	if lag := r.work.Began.Sub(w.Due); lag > r.report.Lag {
		r.report.Lag = lag
	}
	switch {
	case err != nil:
		r.report.Failed++
		r.Log.Error("due work failed", "customer", w.Customer, "partner", w.Partner, "invitation", w.Invitation,
			"task", w.Task, "error", err.Error())
		return false
	case !again:
		r.report.Done++
	}
	return again
}
