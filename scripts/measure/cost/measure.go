package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/meter"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/access"
	"partneraccess/shared/client"
	checker "partneraccess/shared/client/table"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/manifest"
	"partneraccess/shared/metrics"
)

// sample is how many of something are measured. What they use is the same each time, but for their time.
const sample = 40

// checksPerDay is how many checks one person makes at one customer in a day, as in the figures of scripts/measure/bench.
const checksPerDay = 300

// measure drives the local stack over HTTP and notes what everything uses.
func measure(ctx context.Context) (_ []row, rest []expense, err error) {
	real, err := engine.Start(ctx, engine.Options{Kind: engine.Dynoxide})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, real.Stop()) }()
	b := &bench{meter: meter.New(real.Endpoint())}
	b.log.seconds = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	defer b.meter.Close()
	if err := os.Setenv("AWS_ENDPOINT_URL_DYNAMODB", b.meter.URL()); err != nil {
		return nil, nil, err
	}
	b.stack, err = stack.Start(ctx, stack.Config{
		CreateTable: dynamo.CreateTable, Handlers: b.watched, Stream: true, Still: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
	})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, b.stack.Stop()) }()

	users, err := b.populate(ctx)
	if err != nil {
		return nil, nil, err
	}
	grants, err := b.each(ctx, sample, func(i int) error {
		return b.send(ctx, admin(i), http.MethodPost, "/v1/customers/"+customer(i)+"/grants", object{
			"partner": "contoso", "users": users[:2], "level": "support", "until": b.stack.Clock.Now().Add(time.Hour),
		}, nil)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("grants: %w", err)
	}
	// The first check of a person, customer and day records the use.
	first, err := b.each(ctx, sample, func(i int) error { return b.ask(ctx, users[0], 1, i, "strong") })
	if err != nil {
		return nil, nil, fmt.Errorf("first checks: %w", err)
	}
	later, err := b.each(ctx, sample*5, func(i int) error { return b.ask(ctx, users[0], 1, i%sample, "strong") })
	if err != nil {
		return nil, nil, fmt.Errorf("checks: %w", err)
	}
	denied, err := b.each(ctx, sample, func(i int) error { return b.ask(ctx, users[0], 1, sample+i%10, "strong") })
	if err != nil {
		return nil, nil, fmt.Errorf("denied checks: %w", err)
	}
	single := first.times(1.0 / checksPerDay).plus(later.times(1 - 1.0/checksPerDay))
	var batches [2]use
	for i, consistency := range []string{"strong", "eventual"} {
		if batches[i], err = b.each(ctx, sample, func(int) error { return b.ask(ctx, users[0], 50, 0, consistency) }); err != nil {
			return nil, nil, fmt.Errorf("batches: %w", err)
		}
		batches[i] = batches[i].times(1.0 / 50)
	}
	own, err := b.inTheAccount(ctx, single, users[0])
	if err != nil {
		return nil, nil, err
	}
	ends, err := b.each(ctx, 1, func(int) error {
		return b.send(ctx, "", http.MethodPost, "/_local/clock", object{"advance": "1h"}, nil)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("ends: %w", err)
	}
	b.log.figures = stack.Metrics{}
	idle, err := b.each(ctx, sample, func(int) error {
		return b.send(ctx, "", http.MethodPost, "/_local/clock", object{"advance": "1m"}, nil)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sweeps: %w", err)
	}
	return append([]row{
		{"a million checks, one by one", 1e6, single, 2.00},
		{"a million checks that are denied, one by one", 1e6, denied, 0},
		{"a million checks, 50 customers of one user at a time", 1e6, batches[0], 0.33},
		{"the same, eventually consistent", 1e6, batches[1], 0.20},
		{"a thousand grants to two users each", 1e3, grants, 0},
		{"a thousand ends of them, at their time", 1e3, ends.times(1.0 / sample), 0},
		{"a month of sweeps that find nothing", monthOfMinutes, idle, 0},
	}, own...), atRest(idle, len(b.log.figures.List())), nil
}

type bench struct {
	stack *stack.Stack
	meter *meter.Meter

	log written

	mu     sync.Mutex
	billed use
}

// watched are the stack's handlers, whose invocations are added up as Lambda bills them, and whose lines are counted.
func (b *bench) watched(d stack.Deps) (map[string]lambda.Handler, error) {
	d.Log = slog.New(slog.NewJSONHandler(&b.log, nil))
	d.Metrics = metrics.New(&b.log, "prod", b.log.now)
	d.Metrics.HoldAllowed(time.Minute)
	d.Settings = map[string]string{"LOG_ALLOWS": "1"} // as a deployment has it by default
	handlers, err := stack.Functions(d)
	if err != nil {
		return nil, err
	}
	for _, f := range manifest.Functions() {
		handlers[f.Name] = watch{handlers[f.Name], b, f}
	}
	return handlers, nil
}

type watch struct {
	lambda.Handler
	b *bench
	f manifest.Function
}

func (w watch) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := time.Now()
	out, err := w.Handler.Invoke(ctx, payload)
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	w.b.billed.invocations++
	w.b.billed.gbSeconds += time.Since(began).Seconds() * float64(w.f.Memory) / 1024
	if len(w.f.Routes) > 0 {
		w.b.billed.requests++
		w.b.billed.logBytes += float64(accessLine())
		w.b.billed.outBytes += float64(len(out) + answerHead)
	}
	return out, err
}

// each does something n times, waits for what follows from it, and returns what one of them used.
func (b *bench) each(ctx context.Context, n int, do func(int) error) (use, error) {
	if err := b.settle(ctx); err != nil {
		return use{}, err
	}
	b.stack.Mail.Clear()
	if _, _, _, err := b.take(); err != nil {
		return use{}, err
	}
	for i := range n {
		if err := do(i); err != nil {
			return use{}, err
		}
	}
	if err := b.settle(ctx); err != nil {
		return use{}, err
	}
	calls, reads, writes, err := b.meter.Take()
	b.mu.Lock()
	u := b.billed
	b.billed = use{}
	b.mu.Unlock()
	u.logBytes += b.log.take()
	// All round trips one after the other, in the largest function: rather too much.
	memory := 0
	for _, f := range manifest.Functions() {
		memory = max(memory, f.Memory)
	}
	u.gbSeconds += float64(calls) * trip.Seconds() * float64(memory) / 1024
	// Lambda bills whole milliseconds.
	u.gbSeconds += u.invocations * time.Millisecond.Seconds() * float64(memory) / 1024
	u.reads, u.writes, u.mails = reads, writes, float64(len(b.stack.Mail.List()))
	return u.times(1 / float64(n)), err
}

func (b *bench) take() (int, float64, float64, error) {
	b.mu.Lock()
	b.billed = use{}
	b.mu.Unlock()
	b.log.take()
	return b.meter.Take()
}

// settle waits until the stream's events have become mails: until a second passes in which no function runs.
func (b *bench) settle(ctx context.Context) error {
	for before := math.NaN(); ; {
		b.mu.Lock()
		now := b.billed.invocations
		b.mu.Unlock()
		if now == before {
			return nil
		}
		before = now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func (u use) plus(v use) use {
	return use{
		u.requests + v.requests, u.invocations + v.invocations, u.gbSeconds + v.gbSeconds, u.reads + v.reads,
		u.writes + v.writes, u.mails + v.mails, u.logBytes + v.logBytes, u.outBytes + v.outBytes,
	}
}

func (u use) times(f float64) use {
	return use{
		u.requests * f, u.invocations * f, u.gbSeconds * f, u.reads * f, u.writes * f, u.mails * f, u.logBytes * f, u.outBytes * f,
	}
}

type object map[string]any

// Scopes of the provider's own systems.
const (
	directory = "partner-access/directory"
	check     = "partner-access/check"
)

func customer(i int) string { return fmt.Sprintf("customer-%04d", i) }

func admin(i int) string { return "admin@" + customer(i) + ".example" }

// populate makes a partner with staff and the customers, each with a contact.
func (b *bench) populate(ctx context.Context) (users []string, err error) {
	if err := b.send(ctx, directory, http.MethodPut, "/v1/partners/contoso", object{
		"name": "Contoso MSP", "class": "channel", "offer": "manage", "sso": true, "contacts": []string{"ops@contoso.example"},
	}, nil); err != nil {
		return nil, err
	}
	for i := range 5 {
		var made struct{ ID string }
		if err := b.send(ctx, directory, http.MethodPost, "/v1/partners/contoso/users", object{
			"email": fmt.Sprintf("user%d@contoso.example", i), "name": "A User", "role": "tech",
		}, &made); err != nil {
			return nil, err
		}
		users = append(users, made.ID)
	}
	for i := range 50 {
		if err := b.send(ctx, directory, http.MethodPut, "/v1/customers/"+customer(i), object{
			"name": "Customer of " + customer(i), "domain": customer(i) + ".example", "contacts": []string{"it@" + customer(i) + ".example"},
		}, nil); err != nil {
			return nil, err
		}
		if err := b.send(ctx, directory, http.MethodPut, "/v1/customers/"+customer(i)+"/members/"+admin(i),
			object{"name": "An Admin", "role": "admin"}, nil); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// ask asks n questions about the user, one for each customer from that one on.
func (b *bench) ask(ctx context.Context, user string, n, from int, consistency string) error {
	about := func(i int) object { return object{"type": "customer", "id": customer(i % 50)} }
	body := object{
		"subject": object{"type": "user", "id": user}, "action": object{"name": "reports:read"}, "context": object{"consistency": consistency},
	}
	if n == 1 {
		body["resource"] = about(from)
		return b.send(ctx, check, http.MethodPost, "/access/v1/evaluation", body, nil)
	}
	var evaluations []object
	for i := range n {
		evaluations = append(evaluations, object{"resource": about(from + i)})
	}
	body["evaluations"] = evaluations
	return b.send(ctx, check, http.MethodPost, "/access/v1/evaluations", body, nil)
}

// inTheAccount are the other ways to ask, for back ends in the vendor's account.
func (b *bench) inTheAccount(ctx context.Context, single use, user string) ([]row, error) {
	strong, err := b.direct(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("checks from the table: %w", err)
	}
	eventual, err := b.direct(ctx, user, checker.Eventual())
	if err != nil {
		return nil, fmt.Errorf("checks from the table, eventually consistent: %w", err)
	}
	invoked := single // without API Gateway and its log, and within the region
	invoked.requests, invoked.outBytes, invoked.logBytes = 0, 0, single.logBytes-float64(accessLine())
	return []row{
		{"a million checks by Lambda's Invoke, one by one", 1e6, invoked, 0},
		{"a million checks from the table, one by one", 1e6, strong, 0.52},
		{"a million checks from the table, eventually consistent", 1e6, eventual, 0.26},
	}, nil
}

// direct has a back end decide from the table, one question after the other, and returns what one uses beside the back end's own time.
func (b *bench) direct(ctx context.Context, user string, options ...checker.Option) (use, error) {
	config := aws.Config{Region: engine.Region, BaseEndpoint: aws.String(b.meter.URL())}
	config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
	})
	db, err := checker.Client(config)
	if err != nil {
		return use{}, err
	}
	c, err := checker.New(db, b.stack.Table(), access.DefaultCatalogue(), append(options, checker.Clock(b.stack.Clock.Now))...)
	if err != nil {
		return use{}, err
	}
	u, err := b.each(ctx, sample, func(i int) error {
		d, err := c.Check(ctx, client.Question{User: user, Action: "reports:read", Customer: customer(i)})
		if err == nil && !d.Allowed {
			err = fmt.Errorf("got %+v, want it allowed", d)
		}
		return err
	})
	u.gbSeconds = 0 // of no function
	return u, err
}

// send sends a request as that person, with that scope, or without a token, and reads the answer.
func (b *bench) send(ctx context.Context, who, method, path string, body object, answer any) error {
	b.log.tick() // each environment of a function gets one request a second
	r := ask.Request{Method: method, URL: b.stack.URL() + path, Body: body}
	if who != "" {
		as := stack.TokenRequest{Scope: who}
		if strings.Contains(who, "@") {
			as = stack.TokenRequest{Email: who}
		}
		var err error
		if r.Token, err = b.stack.Token(as); err != nil {
			return err
		}
	}
	a, err := ask.Send(ctx, http.DefaultClient, r)
	if err != nil {
		return err
	}
	return a.Into(answer)
}
