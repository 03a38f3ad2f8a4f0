package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
)

func jobItem(j *access.Job) draft {
	k := jobKey(j.ID)
	d := newDraft(k)
	if j.Open() {
		d[gsi2pk] = str(jobDuePK(shardOf(j.ID, jobShards)))
		d[gsi2sk] = str(dueSK(j.Due, k) + "#" + jobOwner(j.Customer))
	}
	d.s("id", j.ID)
	d.s("customer", j.Customer)
	d.s("issuer", j.Caller.Issuer)
	d.s("subject", j.Caller.Subject)
	d.s("email", j.Caller.Email)
	d.s("account", j.Caller.Account)
	d.list("scopes", j.Caller.Scopes)
	d.s("state", string(j.State))
	d.b("dry", j.DryRun)
	d.b("stop", j.StopOnError)
	d.n("rows", int64(j.Rows))
	d.n("succeeded", int64(j.Succeeded))
	d.n("failed", int64(j.Failed))
	d.n("attempts", int64(j.Attempts))
	d.s("retry_of", j.RetryOf)
	d.s("request", j.Request)
	d.t("created", j.Created)
	d.t("updated", j.Updated)
	d.t("finished", j.Finished)
	d.t("due", j.Due)
	d.n("version", j.Version)
	d.n(ttl, j.Expires().Unix())
	return d
}

func (it *item) job() *access.Job {
	return &access.Job{
		ID: it.s("id"), Customer: it.s("customer"), State: access.JobState(it.s("state")), DryRun: it.b("dry"), StopOnError: it.b("stop"),
		Caller: access.JobCaller{
			Issuer: it.s("issuer"), Subject: it.s("subject"), Email: it.s("email"), Account: it.s("account"), Scopes: it.list("scopes"),
		},
		Rows: int(it.n("rows")), Succeeded: int(it.n("succeeded")), Failed: int(it.n("failed")), Attempts: int(it.n("attempts")),
		RetryOf: it.s("retry_of"), Request: it.s("request"), Created: it.t("created"), Updated: it.t("updated"), Finished: it.t("finished"),
		Due: it.t("due"), Version: it.n("version"),
	}
}

func jobRowItem(r *access.JobRow) draft {
	d := newDraft(jobRowKey(r.Job, r.Number))
	d.s("job", r.Job)
	d.n("row", int64(r.Number))
	d.s("op", string(r.Op))
	d.s("customer", r.Customer)
	d.s("partner", r.Partner)
	d.s("body", string(r.Body))
	d.n("seen", r.Seen)
	d.s("key", r.Key)
	d.n("version", r.Version)
	d.n(ttl, r.Expires.Unix())
	if is := r.Result; is != nil {
		d.n("status", int64(is.Status))
		d.s("code", string(is.Code))
		d.s("detail", is.Detail)
		d.n("grant_version", is.Version)
		d.t("at", is.At)
		d.n("gains", int64(is.Gains))
		d.n("loses", int64(is.Loses))
		d.n("mails", int64(is.Mails))
	}
	return d
}

func (it *item) jobRow() *access.JobRow {
	r := &access.JobRow{
		Job: it.s("job"), Number: int(it.n("row")), Op: access.Op(it.s("op")), Customer: it.s("customer"), Partner: it.s("partner"),
		Seen: it.n("seen"), Key: it.s("key"), Expires: time.Unix(it.n(ttl), 0).UTC(), Version: it.n("version"),
	}
	if body := it.s("body"); body != "" {
		r.Body = []byte(body)
	}
	if it.find("status") != nil {
		r.Result = &access.RowResult{
			Status: int(it.n("status")), Code: access.Code(it.s("code")), Detail: it.s("detail"), Version: it.n("grant_version"), At: it.t("at"),
			Gains: int(it.n("gains")), Loses: int(it.n("loses")), Mails: int(it.n("mails")),
		}
	}
	return r
}

func openJobsItem(o *access.OpenJobs) draft {
	d := newDraft(openJobsKey(o.Customer))
	d.s("customer", o.Customer)
	d.list("jobs", o.Jobs)
	d.n("version", o.Version)
	return d
}

func (it *item) openJobs() *access.OpenJobs {
	return &access.OpenJobs{Customer: it.s("customer"), Jobs: it.list("jobs"), Version: it.n("version")}
}

// Job reads a job; nil when there is none, or none any more.
func (s *Store) Job(ctx context.Context, id string) (*access.Job, error) {
	return one(ctx, s, jobKey(id), (*item).job)
}

// OpenJobs reads which jobs of a customer are open, with "" which of the provider's; nil when it never had one.
func (s *Store) OpenJobs(ctx context.Context, customer string) (*access.OpenJobs, error) {
	return one(ctx, s, openJobsKey(customer), (*item).openJobs)
}

// JobRows lists the rows of a job in their order, a page at a time.
func (s *Store) JobRows(ctx context.Context, id string, ask access.PageRequest) (access.Page[access.JobRow], error) {
	return walk(ctx, ask, true, s.stretch(jobPK(id), jobRowPrefix), each((*item).jobRow, nil), after(jobRowPrefix, sk))
}

// JobShards returns into how many shards the open jobs are divided.
func (s *Store) JobShards() int { return jobShards }

// DueJobs lists the open jobs of a shard that can be continued by now, longest due first, after the given position. It reads index 2: some
// may have been finished meanwhile.
func (s *Store) DueJobs(ctx context.Context, shard int, now time.Time, after string, limit int) (
	jobs []access.DueJob, more bool, err error,
) {
	items, more, err := s.dueBy(ctx, jobDuePK(shard), now, after, limit)
	if err != nil {
		return nil, false, err
	}
	for _, it := range items {
		j := access.DueJob{Position: it.s(gsi2sk), ID: strings.TrimPrefix(it.s(pk), jobPrefix)}
		if len(j.Position) < len(instantLayout) {
			return nil, false, errors.New("a job that is due has a key that is too short")
		}
		j.Due, _ = parseTime(j.Position[:len(instantLayout)]) // only for how long it has waited
		_, j.Organisation, _ = strings.Cut(j.Position, "#"+it.s(pk)+"#"+it.s(sk)+"#")
		jobs = append(jobs, j)
	}
	return jobs, more, nil
}

// HoldJobs has one worker do the jobs of a shard until that instant: false when another has them. The same worker can hold them again.
func (s *Store) HoldJobs(ctx context.Context, shard int, worker string, now, until time.Time) (bool, error) {
	e := edit{
		key:       jobLeaseKey(shard),
		condition: "attribute_not_exists(#until) OR #until <= :now OR #worker = :worker",
		values:    map[string]types.AttributeValue{":now": str(timeText(now))},
	}
	e.to("until", timeText(until))
	e.to("worker", worker)
	ok, _, err := s.update(ctx, fmt.Sprintf("hold the jobs of shard %d", shard), e)
	return ok, err
}
