package access

import (
	"slices"
	"time"
)

// PlanJob plans a new job, whose rows are stored already. It is refused while too many others of its customer are open.
func PlanJob(open *OpenJobs, j Job, pc PlanContext) (Change, *Job, error) {
	if err := CheckOpenJobs(open); err != nil {
		return Change{}, nil, err
	}
	j.State, j.Created, j.Updated, j.Due, j.Version = JobQueued, pc.Now, pc.Now, pc.Now, 1
	j.Request = pc.Request
	more := open.with(j.Customer, func(ids []string) []string { return append(ids, j.ID) })
	return Change{Writes: []Write{JobWrite{After: &j}, more}}, &j, nil
}

// CheckOpenJobs refuses another job while too many are open.
func CheckOpenJobs(open *OpenJobs) error {
	if open == nil || len(open.Jobs) < MaxOpenJobs {
		return nil
	}
	err := Refuse(TooManyRequests, "%d bulk jobs are open, which is as many as there can be: wait for one, or cancel one", MaxOpenJobs)
	err.Wait = jobPause
	return err
}

// with plans another list of open jobs.
func (o *OpenJobs) with(customer string, change func([]string) []string) OpenJobsWrite {
	after := OpenJobs{Customer: customer, Version: 1}
	if o != nil {
		after.Jobs, after.Version = slices.Clone(o.Jobs), o.Version+1
	}
	after.Jobs = change(after.Jobs)
	return OpenJobsWrite{Before: o, After: &after}
}

// finish ends an open job, which then counts no more among those that are open.
func (j *Job) finish(open *OpenJobs, as JobState, pc PlanContext) Write {
	j.State, j.Finished, j.Due = as, pc.Now, time.Time{}
	return open.with(j.Customer, func(ids []string) []string {
		return slices.DeleteFunc(ids, func(id string) bool { return id == j.ID })
	})
}

// PlanJobResults plans that rows have results: those among them that have none yet, as they are stored. A job without pending rows is done;
// with StopOnError one row that failed ends it. Rows of a job that was cancelled meanwhile have been done all the same.
func PlanJobResults(j *Job, open *OpenJobs, rows []JobRow, results map[int]RowResult, pc PlanContext) (Change, *Job) {
	next, failed := *j, false
	var c Change
	for i := range rows {
		r := &rows[i]
		result, is := results[r.Number]
		if !is || r.Result != nil {
			continue
		}
		after := *r
		after.Result, after.Version = &result, r.Version+1
		c.Writes = append(c.Writes, JobRowWrite{Before: r, After: &after})
		if result.Code != "" {
			next.Failed, failed = next.Failed+1, true
		} else {
			next.Succeeded++
		}
	}
	if len(c.Writes) == 0 {
		return c, j
	}
	next.Updated, next.Attempts, next.Version = pc.Now, 0, j.Version+1
	if j.Open() {
		next.State, next.Due = JobRunning, pc.Now
		switch {
		case failed && j.StopOnError && next.Pending() > 0:
			c.Writes = append(c.Writes, next.finish(open, JobStopped, pc))
		case next.Pending() == 0:
			c.Writes = append(c.Writes, next.finish(open, JobDone, pc))
		}
	}
	c.Writes = append(c.Writes, JobWrite{Before: j, After: &next})
	return c, &next
}

// PlanJobWaits plans that an open job is continued later, because something did not answer.
func PlanJobWaits(j *Job, pc PlanContext) Change {
	if !j.Open() {
		return Change{}
	}
	next := *j
	next.Attempts++
	next.Due, next.Version = pc.Now.Add(jobPause), j.Version+1
	return Change{Writes: []Write{JobWrite{Before: j, After: &next}}}
}

// PlanCancelJob plans that no further row of a job is done. One that is not open stays as it is, which is no error.
func PlanCancelJob(j *Job, open *OpenJobs, pc PlanContext) (Change, *Job) {
	if !j.Open() {
		return Change{}, j
	}
	next := *j
	next.Updated, next.Version = pc.Now, j.Version+1
	write := next.finish(open, JobCancelled, pc)
	return Change{Writes: []Write{JobWrite{Before: j, After: &next}, write}}, &next
}

// CheckRetry refuses to try the rows of a job again that is still open, or of which none failed or was skipped.
func (j *Job) CheckRetry() error {
	switch {
	case j.Open():
		return Refuse(JobOpen, "this job is still open: wait until it is done, or cancel it")
	case j.Succeeded == j.Rows:
		return Refuse(NothingToRetry, "no row of this job has failed or was skipped")
	}
	return nil
}
