package dynamo_test

import (
	"reflect"
	"testing"
	"time"

	"partneraccess/shared/access"
)

// fullJob is a bulk job with every field set, but for its end.
func fullJob() (*access.Job, []*access.JobRow) {
	j := &access.Job{
		ID: "01JJOB0000000000000000000A", Customer: "acme", State: access.JobRunning, DryRun: true, StopOnError: true, Rows: 3, Succeeded: 1,
		Failed: 1, Attempts: 2, RetryOf: "01JJOB0000000000000000000B", Request: "r-1", Created: noon, Updated: noon.Add(time.Second),
		Due: noon.Add(time.Minute), Version: 1,
		Caller: access.JobCaller{Issuer: "https://id.example", Subject: "s", Email: ann, Account: "member~01J", Scopes: []string{"a", "b"}},
	}
	rows := []*access.JobRow{
		{
			Job: j.ID, Number: 1, Op: access.OpEdit, Customer: "acme", Partner: "contoso", Body: []byte(`{"level":"view"}`), Seen: 3, Key: "k-1",
			Expires: j.Expires(), Version: 1,
			Result: &access.RowResult{Status: 200, Version: 4, At: noon, Gains: 1, Loses: 2, Mails: 3},
		},
		{
			Job: j.ID, Number: 2, Op: access.OpRevoke, Customer: "acme", Partner: "fabrikam", Seen: access.AnyVersion, Key: "k-2",
			Expires: j.Expires(), Version: 1, Result: &access.RowResult{Status: 404, Code: access.NotFound, Detail: "nothing", At: noon},
		},
		{
			Job: j.ID, Number: 3, Op: access.OpGrant, Customer: "acme", Body: []byte(`{"email":"kim@contoso.example"}`), Seen: access.AnyVersion,
			Key: "k-3", Expires: j.Expires(), Version: 1,
		},
	}
	return j, rows
}

func TestAJobAndItsRowsComeBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	j, rows := fullJob()
	open := &access.OpenJobs{Customer: "acme", Jobs: []string{j.ID}, Version: 1}
	done := *j
	done.ID, done.Customer, done.State = "01JJOB0000000000000000000C", "", access.JobDone
	done.Finished, done.Due = noon.Add(time.Hour), time.Time{}
	c := access.Change{Writes: []access.Write{access.JobWrite{After: j}, access.OpenJobsWrite{After: open}, access.JobWrite{After: &done}}}
	for _, r := range rows {
		c.Writes = append(c.Writes, access.JobRowWrite{After: r})
	}
	if err := tb.Apply(t.Context(), planOf(c)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []*access.Job{j, &done} {
		if got, err := tb.Job(t.Context(), want.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got the job %+v (%v), want %+v", got, err, want)
		}
	}
	if got, err := tb.OpenJobs(t.Context(), "acme"); err != nil || !reflect.DeepEqual(got, open) {
		t.Errorf("got the open jobs %+v (%v), want %+v", got, err, open)
	}
	page, err := tb.JobRows(t.Context(), j.ID, access.PageRequest{Limit: 2})
	if err != nil || len(page.Items) != 2 || page.Next == "" {
		t.Fatalf("got %+v (%v), want a page of two rows, and another", page, err)
	}
	rest, err := tb.JobRows(t.Context(), j.ID, access.PageRequest{Limit: 2, After: page.Next})
	if err != nil || len(rest.Items) != 1 {
		t.Fatalf("got %+v (%v), want the last row", rest, err)
	}
	for i, got := range append(page.Items, rest.Items...) {
		if !reflect.DeepEqual(&got, rows[i]) {
			t.Errorf("got the row %+v, want %+v", got, rows[i])
		}
	}
	golden(t, "testdata/jobs.golden", tb.dump(t))
}

func TestAnOpenJobIsListedFromTheInstantAtWhichItIsDue(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	j, _ := fullJob()
	if err := tb.Apply(t.Context(), planOf(access.Change{Writes: []access.Write{access.JobWrite{After: j}}})); err != nil {
		t.Fatal(err)
	}
	listed := func(now time.Time) (out []access.DueJob) {
		for shard := range tb.JobShards() {
			jobs, more, err := tb.DueJobs(t.Context(), shard, now, "", 10)
			if err != nil || more {
				t.Fatal(err, more)
			}
			out = append(out, jobs...)
		}
		return out
	}
	if got := listed(j.Due.Add(-time.Millisecond)); len(got) != 0 {
		t.Errorf("the instant before: got %+v, want none", got)
	}
	if got := listed(j.Due); len(got) != 1 || got[0].ID != j.ID || !got[0].Due.Equal(j.Due) || got[0].Organisation != "C#acme" {
		t.Errorf("got %+v, want the job of acme", got)
	}
}
