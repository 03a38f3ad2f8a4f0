package access_test

import (
	"fmt"
	"testing"
	"time"

	"partneraccess/shared/access"
)

// jobWorld is a job of three rows that is open, beside another.
func jobWorld(t *testing.T) (access.PlanContext, *access.Job, *access.OpenJobs, []access.JobRow) {
	t.Helper()
	pc := access.PlanContext{Now: time.Date(2026, time.November, 28, 10, 0, 0, 0, time.UTC), Request: "r"}
	c, j, err := access.PlanJob(&access.OpenJobs{Customer: "acme", Jobs: []string{"other"}, Version: 7},
		access.Job{ID: "j", Customer: "acme", Rows: 3, StopOnError: true}, pc)
	if err != nil || len(c.Writes) != 2 {
		t.Fatal(c, err)
	}
	rows := make([]access.JobRow, 3)
	for i := range rows {
		rows[i] = access.JobRow{Job: "j", Number: i + 1, Version: 1}
	}
	return pc, j, c.Writes[1].(access.OpenJobsWrite).After, rows
}

func openAfter(c access.Change, before *access.OpenJobs) []string {
	for _, w := range c.Writes {
		if w, is := w.(access.OpenJobsWrite); is {
			return w.After.Jobs
		}
	}
	return before.Jobs
}

func TestAJobEndsWithItsLastRowOrWithTheFirstThatFails(t *testing.T) {
	t.Parallel()
	ok, no := access.RowResult{Status: 200}, access.RowResult{Status: 409, Code: access.Ended}
	for _, c := range []struct {
		name    string
		results map[int]access.RowResult
		want    string
	}{
		{"nothing", nil, "queued 0 0 true [other j]"},
		{"a row", map[int]access.RowResult{1: ok}, "running 1 0 true [other j]"},
		{"all rows", map[int]access.RowResult{1: ok, 2: ok, 3: ok}, "done 3 0 false [other]"},
		{"one that fails", map[int]access.RowResult{1: ok, 2: no}, "stopped 1 1 false [other]"},
		{"the last one fails", map[int]access.RowResult{1: ok, 2: ok, 3: no}, "done 2 1 false [other]"},
	} {
		pc, j, open, rows := jobWorld(t)
		change, after := access.PlanJobResults(j, open, rows, c.results, pc)
		got := fmt.Sprint(after.State, " ", after.Succeeded, " ", after.Failed, " ", after.Open(), " ", openAfter(change, open))
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestARowHasOneResultHoweverOftenItIsRecorded(t *testing.T) {
	t.Parallel()
	pc, j, open, rows := jobWorld(t)
	rows[0].Result, j.Succeeded = &access.RowResult{Status: 201}, 1
	c, after := access.PlanJobResults(j, open, rows, map[int]access.RowResult{1: {Status: 500, Code: "internal"}}, pc)
	if !c.Empty() || after.Failed != 0 || after.Succeeded != 1 {
		t.Errorf("got %+v and %+v, want nothing changed", c, after)
	}
}

func TestACancelledJobKeepsTheResultsOfRowsThatWereUnderWay(t *testing.T) {
	t.Parallel()
	pc, j, open, rows := jobWorld(t)
	c, cancelled := access.PlanCancelJob(j, open, pc)
	if cancelled.Open() || cancelled.State != access.JobCancelled || len(openAfter(c, open)) != 1 {
		t.Fatalf("got %+v, want it cancelled", cancelled)
	}
	if c, again := access.PlanCancelJob(cancelled, open, pc); !c.Empty() || again != cancelled {
		t.Errorf("again: got %+v, want nothing", c)
	}
	c, after := access.PlanJobResults(cancelled, open, rows, map[int]access.RowResult{1: {Status: 200}}, pc)
	if after.State != access.JobCancelled || after.Succeeded != 1 || after.Pending() != 2 || len(c.Writes) != 2 {
		t.Errorf("got %+v, want the result of the first row, and nothing opened again", after)
	}
	if c := access.PlanJobWaits(cancelled, pc); !c.Empty() {
		t.Errorf("waiting: got %+v, want nothing", c)
	}
}
