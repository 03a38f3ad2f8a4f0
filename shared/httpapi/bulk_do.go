package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/service"
)

// JobRows does what the rows of one bulk job stand for: each is a request of whoever asked for the job to the route of its operation,
// authorised when it is made, and made once. It is not safe for concurrent use.
type JobRows struct {
	api       *api
	job       *access.Job
	service   *service.Service
	rehearsal *service.Rehearsal // of a dry run: what its rows would have left so far
}

// NewJobRows returns what does the rows of jobs.
func NewJobRows(cfg Config) func(*access.Job) *JobRows {
	a := &api{Config: cfg, routes: byKey(slices.Concat(grantRoutes(), editRoutes(), revokeRoutes(), directoryRoutes()))}
	return func(j *access.Job) *JobRows {
		use := cfg.Service
		use.Log, use.Request, use.BulkJob = cfg.Log.With("request_id", j.Request, "job", j.ID), j.Request, j.ID
		out := &JobRows{api: a, job: j, service: &use}
		if j.DryRun {
			out.service, out.rehearsal = use.Rehearse()
		}
		return out
	}
}

// Do does a row. With an error the result is what to record should no more attempts be made.
func (w *JobRows) Do(ctx context.Context, row *access.JobRow) (access.RowResult, error) {
	out, err := w.do(ctx, row)
	var refused *access.Error
	switch {
	case err == nil:
		return out, nil
	case errors.As(err, &refused):
		return refusedRow(refused), nil
	}
	code := internal
	if errors.Is(err, access.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		code = unavailable
	}
	w.service.Log.Error("a row waits", "row", row.Number, "code", string(code), "error", err.Error())
	return refusedRow(access.Refuse(code, "it is not known whether this was done: try it again, which does it once")), err
}

func refusedRow(e *access.Error) access.RowResult {
	p := problemOf(e, "")
	return access.RowResult{Status: p.Status, Code: e.Code, Detail: p.Detail}
}

func (w *JobRows) do(ctx context.Context, row *access.JobRow) (access.RowResult, error) {
	r := w.request(row)
	route := w.api.routes[r.RouteKey]
	who, err := authorise(ctx, w.api.Store, w.api.Federation, r, route.callers)
	if err != nil {
		return access.RowResult{}, err
	}
	use := *w.service
	c := &call{Request: r, api: w.api, service: &use, who: who, row: &rowMark{row.Key, row.Expires}}
	if w.rehearsal != nil {
		return w.rehearse(ctx, c, route)
	}
	out, err := c.forEachTag(ctx, route.endpoint)
	if err != nil {
		return access.RowResult{}, err
	}
	result := access.RowResult{Status: out.status, Version: out.version}
	if tag := strings.Trim(out.etag, `"`); tag != "" { // it was made before
		result.Version, _ = strconv.ParseInt(tag, 10, 64) // as it was written
	}
	return result, nil
}

// rehearse tells what a row would do after those before it.
func (w *JobRows) rehearse(ctx context.Context, c *call, route Route) (access.RowResult, error) {
	v, would, err := c.rehearse(ctx, route.endpoint)
	if err != nil {
		return access.RowResult{}, err
	}
	if err := w.rehearsal.Keep(ctx, would); err != nil {
		return access.RowResult{}, err
	}
	out := access.RowResult{Status: v.Would.Status, Gains: len(v.Gains), Loses: len(v.Loses), Mails: len(v.Mails)}
	if p := v.Would.Problem; p != nil {
		out.Code, out.Detail = access.Code(p.Code), p.Detail
	}
	return out, nil
}

// request is what a row stands for.
func (w *JobRows) request(row *access.JobRow) *apigateway.Request {
	who := w.job.Caller
	r := &apigateway.Request{
		RequestID: w.job.Request, Body: row.Body,
		Claims:  apigateway.Claims{Issuer: who.Issuer, Subject: who.Subject, Email: who.Email, Account: who.Account, Scopes: who.Scopes},
		Headers: []apigateway.Field{{Name: "content-type", Value: "application/json"}},
		Params:  []apigateway.Field{{Name: "customer", Value: row.Customer}, {Name: "partner", Value: row.Partner}},
	}
	of := "/v1/customers/{customer}/grants/{partner}"
	if w.job.Customer == "" {
		of = "/v1/customers/{customer}/relationships/{partner}"
	}
	switch {
	case row.Op == access.OpGrant && w.job.Customer != "":
		r.Method, of = http.MethodPost, "/v1/customers/{customer}/grants"
		r.Params = r.Params[:1]
	case row.Op == access.OpGrant:
		r.Method = http.MethodPut
	case row.Op == access.OpRevoke:
		r.Method, r.Headers = http.MethodDelete, nil
	default:
		r.Method = http.MethodPatch
		seen := "*"
		if row.Seen != access.AnyVersion {
			seen = etag(row.Seen)
		}
		r.Headers = append(r.Headers, apigateway.Field{Name: "if-match", Value: seen})
	}
	r.RouteKey = r.Method + " " + of
	r.Path = strings.NewReplacer("{customer}", row.Customer, "{partner}", row.Partner).Replace(of)
	return r
}
