package httpapi

import (
	"context"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

// maxBulkBody is how large the body of a bulk request may be, in bytes.
const maxBulkBody = 1 << 20

// jobView is a bulk job.
type jobView struct {
	ID         string          `json:"id"`
	Customer   textOrNull      `json:"customer"` // null: the provider's
	State      access.JobState `json:"state"`
	DryRun     bool            `json:"dry_run"`
	OnError    string          `json:"on_error"`
	Rows       int             `json:"rows"`
	Succeeded  int             `json:"succeeded"`
	Failed     int             `json:"failed"`
	Skipped    int             `json:"skipped"`
	Pending    int             `json:"pending"`
	RetryOf    textOrNull      `json:"retry_of"`
	CreatedBy  byView          `json:"created_by"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	FinishedAt *time.Time      `json:"finished_at"`
	DeletedAt  time.Time       `json:"deleted_at"` // the job and its results
}

const (
	onErrorContinue = "continue"
	onErrorStop     = "stop"
)

func viewJob(j *access.Job) jobView {
	v := jobView{
		ID: j.ID, Customer: textOrNull(j.Customer), State: j.State, DryRun: j.DryRun, OnError: onErrorContinue, Rows: j.Rows,
		Succeeded: j.Succeeded, Failed: j.Failed, RetryOf: textOrNull(j.RetryOf), CreatedAt: j.Created, UpdatedAt: j.Updated,
		FinishedAt: timeOrNull(j.Finished), DeletedAt: j.Expires(), CreatedBy: byView{Kind: string(access.ActorCustomer), Email: j.Caller.Email},
	}
	if j.StopOnError {
		v.OnError = onErrorStop
	}
	if j.Customer == "" {
		v.CreatedBy.Kind = string(access.ActorProvider)
	}
	if v.Skipped = j.Pending(); j.Open() {
		v.Pending, v.Skipped = v.Skipped, 0
	}
	return v
}

// resultView is a row of a bulk job, and what became of it.
type resultView struct {
	Row      int             `json:"row"` // from 1
	Op       access.Op       `json:"op"`
	Customer string          `json:"customer"`
	Partner  textOrNull      `json:"partner"` // null: a grant by e-mail
	State    access.RowState `json:"state"`
	Status   *int            `json:"status"` // of HTTP; null: it has no result. Likewise the others
	Code     textOrNull      `json:"code"`   // of the problem
	Detail   textOrNull      `json:"detail"`
	Version  *int64          `json:"version"` // of the grant, afterwards
	At       *time.Time      `json:"at"`
	Gains    *int            `json:"gains"` // of a dry run, as are the next
	Loses    *int            `json:"loses"`
	Mails    *int            `json:"mails"`
}

func viewResult(j *access.Job, r *access.JobRow) resultView {
	v := resultView{Row: r.Number, Op: r.Op, Customer: r.Customer, Partner: textOrNull(r.Partner), State: r.State(j)}
	is := r.Result
	if is == nil {
		return v
	}
	v.Status, v.Code, v.Detail, v.At = &is.Status, textOrNull(is.Code), textOrNull(is.Detail), timeOrNull(is.At)
	if is.Version > 0 {
		v.Version = &is.Version
	}
	if j.DryRun {
		v.Gains, v.Loses, v.Mails = &is.Gains, &is.Loses, &is.Mails
	}
	return v
}

// acceptedJob is the answer to a request for a job, which is not done yet.
func (c *call) acceptedJob(j *access.Job) reply {
	where := "/v1/bulk/" + j.ID
	if j.Customer != "" {
		where = "/v1/customers/" + j.Customer + "/bulk/" + j.ID
	}
	return reply{status: 202, body: viewJob(j), location: where}
}

func jobReply(j *access.Job) reply { return reply{status: 200, body: viewJob(j)} }

// jobCaller is the caller, to be authorised again for each row.
func (c *call) jobCaller() access.JobCaller {
	out := access.JobCaller{Issuer: c.Claims.Issuer, Subject: c.Claims.Subject, Email: c.who.id.Email, Account: c.Claims.Account}
	if c.who.kind == provider {
		out.Scopes = []string{ScopeDirectory}
	}
	return out
}

func postBulk(ctx context.Context, c *call) (reply, error) {
	ask, err := c.readJob()
	if err != nil {
		return reply{}, err
	}
	return perform(c, c.acceptedJob, func(o service.Options[*access.Job]) (*access.Job, error) { return c.service.SubmitJob(ctx, ask, o) })
}

func getBulk(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	j, err := c.service.Job(ctx, c.PathValue("customer"), c.PathValue("job"))
	return replyWith(jobReply, j, err)
}

func listBulkResults(ctx context.Context, c *call) (reply, error) {
	ask, filter, digest, err := pageAsk(c.Request)
	_ = filter // there is none
	if err != nil {
		return reply{}, err
	}
	j, rows, err := c.service.JobRows(ctx, c.PathValue("customer"), c.PathValue("job"), ask)
	return listReply(rows, err, digest, func(r *access.JobRow) resultView { return viewResult(j, r) })
}

func cancelBulk(ctx context.Context, c *call) (reply, error) {
	return perform(c, jobReply, func(o service.Options[*access.Job]) (*access.Job, error) {
		return c.service.CancelJob(ctx, c.PathValue("customer"), c.PathValue("job"), o)
	})
}

func retryBulk(ctx context.Context, c *call) (reply, error) {
	return perform(c, c.acceptedJob, func(o service.Options[*access.Job]) (*access.Job, error) {
		return c.service.RetryJob(ctx, c.PathValue("customer"), c.PathValue("job"), c.jobCaller(), o)
	})
}
