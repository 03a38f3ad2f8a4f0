// Package bulk does the rows of open jobs, piece by piece, until none is left or the time runs out.
//
// The jobs are divided into shards, and each shard has one worker at a time, so that however many jobs there are a few executions are busy
// with them. In a shard organisations take turns: a piece of one waits for one piece of each other at most. A worker that is killed leaves
// its shard when its lease is over; rows that it had done and not recorded are done again, which answers as the first time.
package bulk

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
	"partneraccess/shared/service"
	"partneraccess/shared/turns"
)

// Store is the table, as the worker uses it.
type Store interface {
	service.Store
	// JobShards is into how many parts the open jobs are divided; DueJobs lists those of one that can be continued, longest due first. Some
	// may have been finished.
	JobShards() int
	DueJobs(ctx context.Context, shard int, now time.Time, after string, limit int) (jobs []access.DueJob, more bool, err error)
	// HoldJobs has one worker do the jobs of a shard until that instant: false when another has them.
	HoldJobs(ctx context.Context, shard int, worker string, now, until time.Time) (bool, error)
}

// Rows does what the rows of one job stand for, in the order of the calls. An error means that a row has no result yet, and may have been
// done all the same: the next attempt finds out.
type Rows interface {
	Do(ctx context.Context, r *access.JobRow) (access.RowResult, error)
}

// Worker is the work, and what it needs.
type Worker struct {
	Store   Store
	Rows    func(*access.Job) Rows // what does the rows of a job
	Now     func() time.Time
	NewID   func() string
	Log     *slog.Logger
	Metrics *metrics.Recorder // nil: nothing is measured
}

// Report is what one run did.
type Report struct {
	Rows int           `json:"rows"`   // that have a result
	Jobs int           `json:"jobs"`   // that are done
	Lag  time.Duration `json:"lag_ns"` // how long the oldest job had waited to be continued
	Cut  bool          `json:"cut"`    // time ran out: the next run goes on
}

const (
	lease   = 30 * time.Second // of a shard
	renewal = 5 * time.Second  // how often a worker asks for more of it, at least
	round   = 2 * time.Second  // after which jobs that came meanwhile have their turns
	jobs    = 100              // that are listed at once, those first that have waited longest
	aRow    = 20 * time.Second // is the longest that one takes
	margin  = 30 * time.Second // before the function's time-out: for one row, and what it came to
)

// Handler is the function. What starts it says nothing: it does whatever is due.
func (w *Worker) Handler() lambda.Handler { return handler{w} }

type handler struct{ *Worker }

// Invoke implements lambda.Handler.
func (h handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	w := *h.Worker
	if c, ok := lambdacontext.FromContext(ctx); ok {
		w.Log = w.Log.With("request_id", c.AwsRequestID)
	}
	r, err := w.Run(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// Run does the rows of all jobs that nobody else is at. An error means that the jobs could not be listed, or held.
func (w *Worker) Run(ctx context.Context) (Report, error) {
	began := time.Now()
	run := &run{Worker: w, id: w.NewID(), stop: began.Add(time.Hour)}
	if deadline, ok := ctx.Deadline(); ok {
		run.stop = deadline.Add(-margin)
	}
	run.service = &service.Service{Store: w.Store, Now: w.Now, NewID: w.NewID, Log: w.Log}
	g, ctx := errgroup.WithContext(ctx)
	for shard := range w.Store.JobShards() {
		g.Go(func() error { return run.shard(ctx, shard) })
	}
	err := g.Wait()
	w.Log.Info("bulk jobs", "rows", run.report.Rows, "done", run.report.Jobs, "lag_ms", run.report.Lag.Milliseconds(), "cut", run.report.Cut,
		"ms", time.Since(began).Milliseconds())
	if err == nil || run.report.Lag > 0 {
		w.Metrics.Bulk(run.report.Lag)
	}
	return run.report, err
}

type run struct {
	*Worker
	id      string // of the worker
	service *service.Service
	stop    time.Time // of the real clock

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

// shard does the jobs of one part, while no other worker does. It looks again after it has let go: who came meanwhile found it held.
func (r *run) shard(ctx context.Context, shard int) error {
	s := &shardRun{run: r, shard: shard, open: map[string]*openJob{}, left: map[string]bool{}}
	for !r.timeIsUp() {
		q, err := s.queue(ctx)
		if err != nil || q == nil {
			return err
		}
		if mine, err := s.hold(ctx); err != nil || !mine {
			return err
		}
		for until := time.Now().Add(round); time.Now().Before(until) && !r.timeIsUp(); {
			organisation, id, some := q.Next()
			if !some {
				break
			}
			again, err := s.piece(ctx, id)
			switch {
			case errors.Is(err, errLost):
				return nil
			case err != nil:
				s.left[id] = true
				r.Log.Error("a job waits", "job", id, "error", err.Error())
			case again:
				q.Add(organisation, id)
			}
		}
		if _, err := r.Store.HoldJobs(ctx, shard, r.id, r.now(), r.now()); err != nil {
			return fmt.Errorf("let go of a shard: %w", err)
		}
	}
	return nil
}

// shardRun is one worker's work in one shard.
type shardRun struct {
	*run
	shard   int
	renewed time.Time // of the real clock
	open    map[string]*openJob
	left    map[string]bool // jobs that this run does no more: they are finished, or wait
}

// openJob is a job that is being done.
type openJob struct {
	rows  Rows
	after string // the position up to which all rows are recorded
}

var errLost = errors.New("another worker has the shard")

func (r *run) now() time.Time { return r.Now().UTC().Truncate(time.Millisecond) }

// queue queues the jobs that are due; nil when there is none.
func (s *shardRun) queue(ctx context.Context) (*turns.Queue[string], error) {
	now := s.now()
	due, _, err := s.Store.DueJobs(ctx, s.shard, now, "", jobs)
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	var q *turns.Queue[string]
	for _, j := range due {
		if s.left[j.ID] {
			continue
		}
		if q == nil {
			q = &turns.Queue[string]{}
		}
		q.Add(cmp.Or(j.Organisation, j.ID), j.ID)
		s.mu.Lock()
		s.report.Lag = max(s.report.Lag, now.Sub(j.Due))
		s.mu.Unlock()
	}
	return q, nil
}

// hold asks for the shard, or for more of it.
func (s *shardRun) hold(ctx context.Context) (bool, error) {
	now := s.now()
	mine, err := s.Store.HoldJobs(ctx, s.shard, s.id, now, now.Add(lease))
	if err != nil {
		return false, fmt.Errorf("hold a shard: %w", err)
	}
	s.renewed = time.Now()
	return mine, nil
}

// piece does the next rows of a job, and records what they came to. Again tells that there are more.
func (s *shardRun) piece(ctx context.Context, id string) (again bool, err error) {
	j, err := s.service.Store.Job(ctx, id)
	if err != nil {
		return false, err
	}
	if j == nil || !j.Open() || j.Due.After(s.now()) {
		s.left[id] = true
		return false, nil
	}
	job := s.open[id]
	if job == nil {
		job = &openJob{rows: s.Rows(j)}
		s.open[id] = job
	}
	ask := access.PageRequest{Limit: access.JobPiece, After: job.after}
	page, err := s.service.Store.JobRows(ctx, id, ask)
	if err != nil {
		return false, err
	}
	results, failed := s.do(ctx, j, job, page.Items)
	if errors.Is(failed, errLost) {
		return false, failed
	}
	after, err := s.service.RecordRows(ctx, id, ask, results)
	if err != nil {
		delete(s.open, id) // a dry run has to be rehearsed from its first row again
		return false, err
	}
	s.mu.Lock()
	s.report.Rows += len(results)
	s.mu.Unlock()
	switch {
	case after == nil || !after.Open():
		s.mu.Lock()
		s.report.Jobs++
		s.mu.Unlock()
		s.left[id] = true
		delete(s.open, id)
		return false, nil
	case failed != nil:
		return false, errors.Join(failed, s.service.PostponeJob(ctx, id))
	case s.timeIsUp():
		return false, nil
	}
	job.after = page.Next
	return true, nil
}

// do does rows until one gets no result, one fails that is to be the last, or the time is up.
func (s *shardRun) do(ctx context.Context, j *access.Job, job *openJob, rows []access.JobRow) (map[int]access.RowResult, error) {
	results := map[int]access.RowResult{}
	for i := range rows {
		row := &rows[i]
		if row.Result != nil && !j.DryRun {
			continue
		}
		if s.timeIsUp() {
			break
		}
		if time.Since(s.renewed) > renewal {
			if mine, err := s.hold(ctx); err != nil || !mine {
				return nil, cmp.Or(err, errLost)
			}
		}
		limited, cancel := context.WithTimeout(ctx, aRow)
		result, err := job.rows.Do(limited, row)
		cancel()
		if err != nil && j.Attempts+1 < access.JobAttempts {
			return results, err
		}
		if row.Result != nil { // of a dry run, which is rehearsed again for those that follow
			continue
		}
		result.At = s.now()
		results[row.Number] = result
		if result.Code != "" && j.StopOnError {
			break
		}
	}
	return results, nil
}
