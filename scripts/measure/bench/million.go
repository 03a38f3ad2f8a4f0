package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// million compares what things cost in a table of 1,000,000 grants with what they cost in one of 10,000, storage included. Both are there
// at once and measured in turns. They are in memory, where they are filled in some minutes: on a disk each write waits for it.
func million(ctx context.Context) (_ []fixture.Figure, err error) {
	e, err := engine.Start(ctx, engine.Options{Kind: engine.Dynoxide})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Stop()) }()
	sides := make([]*side, 2)
	for i, n := range []int{10_000, 1_000_000} {
		if sides[i], err = newSide(ctx, e, n); err != nil {
			return nil, err
		}
	}
	var out []fixture.Figure
	for _, m := range []struct {
		what   string
		rounds int
		do     func(*side, context.Context, int) error
		before func(*side, context.Context) error // each time, unmeasured; nil: nothing
	}{
		{"check", 2000, (*side).check, nil},
		{"batch of 50", 400, (*side).batch, nil},
		{"page of a customer's list", 400, (*side).customerPage, nil},
		{"page of a partner's list", 400, (*side).partnerPage, nil},
		{"sweep of 100 ends", 20, (*side).sweep, (*side).makeDue},
	} {
		took := make([][]float64, len(sides))
		for round := range m.rounds {
			for j := range sides {
				i := (round + j) % len(sides) // each first in turn
				if m.before != nil {
					if err := m.before(sides[i], ctx); err != nil {
						return nil, err
					}
				}
				began := time.Now()
				if err := m.do(sides[i], ctx, round); err != nil {
					return nil, fmt.Errorf("%s among %d: %w", m.what, sides[i].grants, err)
				}
				took[i] = append(took[i], float64(time.Since(began)))
			}
		}
		few, many := fixture.Median(took[0]), fixture.Median(took[1])
		out = append(out, fixture.Figure{
			fmt.Sprintf("%s with 1,000,000 grants against 10,000: time, p50 of %d", m.what, m.rounds),
			fmt.Sprintf("%.2fx (%v against %v)", many/few, time.Duration(many).Round(time.Microsecond), time.Duration(few).Round(time.Microsecond)),
			"0.95x to 1.05x",
		})
	}
	return out, nil
}

// side is one of the two tables.
type side struct {
	*tally
	grants int
	checks lambda.Handler
}

// newSide fills a table: contoso has so many customers, and kim is in the grant of each; acme has 200 partners.
func newSide(ctx context.Context, e *engine.Engine, grants int) (*side, error) {
	name := fmt.Sprintf("grants-%d", grants)
	s := &side{tally: newTally(e.Client(), name), grants: grants, checks: fixture.CheckHandler(engineStorage{e.Endpoint()}, name)}
	began := time.Now()
	if err := s.directory(ctx, "contoso", "acme"); err != nil {
		return nil, err
	}
	var texts []string
	for i := range 200 {
		partner := fmt.Sprintf("p%06d", i)
		texts = append(texts, strings.ReplaceAll(fixture.GrantJSON, "contoso", partner),
			strings.ReplaceAll(fixture.PartnerJSON, "contoso", partner),
			strings.ReplaceAll(customerJSON, "acme", fixture.CustomerID(i)))
	}
	if err := fixture.Write(ctx, s.db, s.table, append(texts, fixture.UserJSON)); err != nil {
		return nil, err
	}
	const step = 10_000
	for from := 0; from < grants; from += step {
		texts := make([]string, 0, 2*step)
		for i := from; i < from+step; i++ {
			for _, text := range []string{fixture.GrantJSON, fixture.AssignmentJSON} {
				texts = append(texts, strings.ReplaceAll(text, "acme", fixture.CustomerID(i)))
			}
		}
		if err := fixture.Write(ctx, s.db, s.table, texts); err != nil {
			return nil, err
		}
		if done := from + step; done%100_000 == 0 {
			fmt.Fprintf(os.Stderr, "%s: %d grants after %s\n", name, done, time.Since(began).Round(time.Second))
		}
	}
	return s, nil
}

func (s *side) check(ctx context.Context, round int) error {
	return allowed(ctx, s.checks, fixture.Event(fixture.Single, strings.Replace(fixture.Question, "acme", s.some(round), 1)))
}

// some is one of the customers, all over the table.
func (s *side) some(n int) string { return fixture.CustomerID(200 + (n*7919)%(s.grants-1000)) }

func (s *side) batch(ctx context.Context, round int) error {
	body := fixture.ManyQuestions(50)
	for i := range 50 {
		body = strings.Replace(body, `"`+fixture.CustomerOf(i)+`"`, `"`+s.some(round*50+i)+`"`, 1)
	}
	out, err := s.checks.Invoke(ctx, fixture.Event(fixture.Multiple, body))
	if err == nil && strings.Count(string(out), `\"decision\":true`) != 50 {
		err = fmt.Errorf("the batch answered %s", out)
	}
	return err
}

func (s *side) customerPage(context.Context, int) error {
	_, err := s.page(func(ask access.PageRequest) (int, error) {
		p, err := s.store.CustomerGrants(context.Background(), &access.Customer{ID: "acme"}, access.GrantFilter{Now: s.planContext.Now}, ask)
		return len(p.Items), err
	})
	return err
}

func (s *side) partnerPage(context.Context, int) error {
	_, err := s.page(func(ask access.PageRequest) (int, error) {
		p, err := s.store.PartnerCustomers(context.Background(), &access.Partner{ID: "contoso"}, access.GrantFilter{Now: s.planContext.Now}, ask)
		return len(p.Items), err
	})
	return err
}

// due is how many ends a sweep finds.
const due = 100

// makeDue lets grants of other customers have ended an hour ago.
func (s *side) makeDue(ctx context.Context) error {
	texts := overdue(due)
	for i := range texts {
		texts[i] = strings.ReplaceAll(texts[i], "c00", "d00")
	}
	return fixture.Write(ctx, s.db, s.table, texts)
}

func (s *side) sweep(ctx context.Context, _ int) error {
	now := func() time.Time { return s.planContext.Now }
	r, err := (&sweep.Sweep{Store: s.store, Now: now, NewID: setup.IDs(now), Log: slog.New(slog.DiscardHandler)}).Run(ctx)
	if err == nil && (r.Done != due || r.Failed > 0) {
		err = fmt.Errorf("the sweep did %d pieces of work and failed at %d", r.Done, r.Failed)
	}
	return err
}
