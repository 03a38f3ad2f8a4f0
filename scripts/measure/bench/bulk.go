package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
)

// bulkPartners is how many partners a job of the most rows is about: each is granted access, and has it extended, edited and revoked.
const bulkPartners = access.MaxJobRows / 4

// bulkJobs measures a job of the most rows on the local stack, with its stream and its mails, from the request to the last result.
func bulkJobs(ctx context.Context) (_ []fixture.Figure, err error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	s, err := stack.Start(ctx, stack.Config{
		Engine: e, Table: fixture.Table, CreateTable: dynamo.CreateTable, Handlers: stack.Functions, Stream: true, Schedule: true,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	b := bulkBench{stack: s}
	if b.provider, err = s.Token(stack.TokenRequest{Scope: httpapi.ScopeDirectory}); err != nil {
		return nil, err
	}
	if b.admin, err = s.Token(stack.TokenRequest{Email: "ann@acme.example"}); err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	accepted, took, err := b.job(ctx)
	return []fixture.Figure{
		{"a job of 1,000 rows, until it is accepted", accepted.Round(10 * time.Millisecond).String(), ""},
		{"until its last row has its result", took.Round(100 * time.Millisecond).String(), "1 minute"},
	}, err
}

type bulkBench struct {
	stack           *stack.Stack
	provider, admin string // tokens
}

func (b bulkBench) send(ctx context.Context, token, method, path string, body, into any) error {
	a, err := ask.Send(ctx, http.DefaultClient, ask.Request{Method: method, URL: b.stack.URL() + path, Token: token, Body: body})
	if err != nil {
		return err
	}
	return a.Into(into)
}

func (b bulkBench) prepare(ctx context.Context) error {
	type m = map[string]any
	customer := m{"name": "Acme", "contacts": []string{"it@acme.example"}}
	if err := b.send(ctx, b.provider, http.MethodPut, "/v1/customers/acme", customer, nil); err != nil {
		return err
	}
	member := m{"name": "Ann", "role": "admin"}
	if err := b.send(ctx, b.provider, http.MethodPut, "/v1/customers/acme/members/ann@acme.example", member, nil); err != nil {
		return err
	}
	for i := range bulkPartners {
		body := m{
			"name": fmt.Sprint("Partner ", i), "class": "channel", "offer": "manage", "contacts": []string{fmt.Sprintf("ops@p%d.example", i)},
		}
		if err := b.send(ctx, b.provider, http.MethodPut, fmt.Sprint("/v1/partners/p", i), body, nil); err != nil {
			return err
		}
	}
	return nil
}

// job has a job done, and returns how long it took until it was accepted, and until it was done.
func (b bulkBench) job(ctx context.Context) (accepted, took time.Duration, err error) {
	type m = map[string]any
	var rows []m
	for _, row := range []m{
		{"op": "grant", "everyone": true, "until": "2030-01-01T00:00:00Z"},
		{"op": "extend", "extend": "P90D"},
		{"op": "edit", "level": "manage"},
		{"op": "revoke"},
	} {
		for i := range bulkPartners {
			r := m{"partner": fmt.Sprint("p", i)}
			for name, value := range row {
				r[name] = value
			}
			rows = append(rows, r)
		}
	}
	var job struct {
		ID, State         string
		Succeeded, Failed int
	}
	began := time.Now()
	if err := b.send(ctx, b.admin, http.MethodPost, "/v1/customers/acme/bulk", m{"rows": rows}, &job); err != nil {
		return 0, 0, err
	}
	accepted = time.Since(began)
	for job.State != string(access.JobDone) {
		if time.Sleep(100 * time.Millisecond); time.Since(began) > 10*time.Minute {
			return accepted, 0, fmt.Errorf("the job is not done within ten minutes: %+v", job)
		}
		if err := b.send(ctx, b.admin, http.MethodGet, "/v1/customers/acme/bulk/"+job.ID, nil, &job); err != nil {
			return accepted, 0, err
		}
	}
	if job.Succeeded != len(rows) {
		err = fmt.Errorf("%d rows succeeded, want all of %d", job.Succeeded, len(rows))
	}
	return accepted, time.Since(began), err
}
