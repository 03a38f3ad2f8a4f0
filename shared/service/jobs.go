package service

import (
	"context"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// jobs is what bulk jobs need of the table.
type jobs interface {
	// Job reads a job; nil when there is none, or none any more.
	Job(ctx context.Context, id string) (*access.Job, error)
	// OpenJobs reads which jobs of a customer are open, with "" which of the provider's; nil when it never had one.
	OpenJobs(ctx context.Context, customer string) (*access.OpenJobs, error)
	// JobRows lists a job's rows in their order.
	JobRows(ctx context.Context, id string, ask access.PageRequest) (access.Page[access.JobRow], error)
}

// JobRequest is a job that is asked for. Its rows have their operation, customer, partner, body and the version seen; Key when an earlier
// job gave it.
type JobRequest struct {
	Customer    string // "" = the provider's
	Caller      access.JobCaller
	DryRun      bool
	StopOnError bool
	RetryOf     string
	Rows        []*access.JobRow
}

// atOnce is how many rows are stored in one transaction.
const atOnce = 100

// SubmitJob stores a job, to be done in the background, and has it started. What is stored of one that is refused is deleted with time.
func (s *Service) SubmitJob(ctx context.Context, ask JobRequest, o Options[*access.Job]) (*access.Job, error) {
	if o.Repeat != nil { // before any row is stored
		if first, err := s.Store.StoredResponse(ctx, o.Repeat.Digest); err != nil || first != nil {
			return nil, o.Repeat.of(first, err)
		}
	}
	pc := s.planContext(access.Actor{})
	j := access.Job{
		ID: s.NewID(), Customer: ask.Customer, Caller: ask.Caller, DryRun: ask.DryRun, StopOnError: ask.StopOnError, RetryOf: ask.RetryOf,
		Rows: len(ask.Rows), Created: pc.Now,
	}
	open, err := s.Store.OpenJobs(ctx, ask.Customer)
	if err != nil {
		return nil, err
	}
	if err := access.CheckOpenJobs(open); err != nil {
		return nil, err
	}
	if err := s.storeRows(ctx, j, ask.Rows); err != nil {
		return nil, err
	}
	out, err := change(ctx, s, o, func(ctx context.Context) (access.Change, *access.Job, error) {
		open, err := s.Store.OpenJobs(ctx, ask.Customer)
		if err != nil {
			return access.Change{}, nil, err
		}
		return access.PlanJob(open, j, pc)
	})
	if err == nil && s.StartJobs != nil {
		if err := s.StartJobs(ctx); err != nil { // the schedule does within a minute
			s.Log.Warn("a job waits for the schedule", "job", out.ID, "error", err.Error())
		}
	}
	return out, err
}

// storeRows stores the rows of a job that nobody can see yet.
func (s *Service) storeRows(ctx context.Context, j access.Job, rows []*access.JobRow) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, r := range rows {
		r.Job, r.Number, r.Expires, r.Version = j.ID, i+1, j.Expires(), 1
		if r.Key == "" {
			r.Key = j.ID + "-" + strconv.Itoa(r.Number)
		}
	}
	for part := range slices.Chunk(rows, atOnce) {
		g.Go(func() error {
			var c access.Change
			for _, r := range part {
				c.Writes = append(c.Writes, access.JobRowWrite{After: r})
			}
			return s.apply(ctx, func(context.Context) (access.Change, error) { return c, nil })
		})
	}
	return g.Wait()
}

// Job reads a job of that customer, with "" one of the provider's. It fails with access.NotFound for any other.
func (s *Service) Job(ctx context.Context, customer, id string) (*access.Job, error) {
	if !access.ValidID(id) {
		return nil, NothingHere()
	}
	j, err := s.Store.Job(ctx, id)
	if err == nil && (j == nil || j.Customer != customer) {
		err = NothingHere()
	}
	return j, err
}

// JobRows lists the rows of a job with their results.
func (s *Service) JobRows(
	ctx context.Context, customer, id string, ask access.PageRequest,
) (*access.Job, access.Page[access.JobRow], error) {
	j, err := s.Job(ctx, customer, id)
	if err != nil {
		return nil, access.Page[access.JobRow]{}, err
	}
	rows, err := s.Store.JobRows(ctx, id, ask)
	return j, rows, err
}

// CancelJob has no further row of a job done. Rows that are being done may still be.
func (s *Service) CancelJob(ctx context.Context, customer, id string, o Options[*access.Job]) (*access.Job, error) {
	return change(ctx, s, o, func(ctx context.Context) (access.Change, *access.Job, error) {
		j, open, err := s.openJob(ctx, customer, id)
		if err != nil {
			return access.Change{}, nil, err
		}
		c, after := access.PlanCancelJob(j, open, s.planContext(access.Actor{}))
		return c, after, nil
	})
}

func (s *Service) openJob(ctx context.Context, customer, id string) (*access.Job, *access.OpenJobs, error) {
	open, err := s.Store.OpenJobs(ctx, customer)
	if err != nil {
		return nil, nil, err
	}
	j, err := s.Job(ctx, customer, id)
	return j, open, err
}

// RetryJob asks for another job with the rows of one that failed or were skipped, for that caller. A row is still made once: where it was
// unknown what became of it, it is answered as the first time.
func (s *Service) RetryJob(ctx context.Context, customer, id string, who access.JobCaller, o Options[*access.Job]) (*access.Job, error) {
	j, err := s.Job(ctx, customer, id)
	if err != nil {
		return nil, err
	}
	if err := j.CheckRetry(); err != nil {
		return nil, err
	}
	ask := JobRequest{Customer: customer, Caller: who, DryRun: j.DryRun, StopOnError: j.StopOnError, RetryOf: j.ID}
	err = stretches(func(after string) (string, error) {
		page, err := s.Store.JobRows(ctx, id, access.PageRequest{Limit: atOnce, After: after})
		for i := range page.Items {
			r := page.Items[i]
			if r.Result == nil || r.Result.Code != "" {
				r.Result = nil
				ask.Rows = append(ask.Rows, &r)
			}
		}
		return page.Next, err
	})
	if err != nil {
		return nil, err
	}
	return s.SubmitJob(ctx, ask, o)
}

// RecordRows records the results of rows of a job by their numbers, each once, and returns the job as it is then. Ask is where they are
// listed.
func (s *Service) RecordRows(
	ctx context.Context, id string, ask access.PageRequest, results map[int]access.RowResult,
) (*access.Job, error) {
	return s.recordJob(ctx, id, func(j *access.Job, open *access.OpenJobs, pc access.PlanContext) (access.Change, *access.Job, error) {
		page, err := s.Store.JobRows(ctx, id, ask) // another worker may have been faster
		if err != nil {
			return access.Change{}, nil, err
		}
		c, after := access.PlanJobResults(j, open, page.Items, results, pc)
		return c, after, nil
	})
}

// PostponeJob has a job continued later, because something did not answer.
func (s *Service) PostponeJob(ctx context.Context, id string) error {
	_, err := s.recordJob(ctx, id, func(j *access.Job, _ *access.OpenJobs, pc access.PlanContext) (access.Change, *access.Job, error) {
		return access.PlanJobWaits(j, pc), j, nil
	})
	return err
}

func (s *Service) recordJob(
	ctx context.Context, id string, plan func(*access.Job, *access.OpenJobs, access.PlanContext) (access.Change, *access.Job, error),
) (*access.Job, error) {
	return change(ctx, s, Options[*access.Job]{}, func(ctx context.Context) (access.Change, *access.Job, error) {
		j, err := s.Store.Job(ctx, id)
		if err != nil || j == nil {
			return access.Change{}, nil, err
		}
		open, err := s.Store.OpenJobs(ctx, j.Customer)
		if err != nil {
			return access.Change{}, nil, err
		}
		return plan(j, open, s.planContext(access.Actor{}))
	})
}
