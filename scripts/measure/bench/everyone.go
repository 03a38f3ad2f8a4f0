package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/setup"
)

// everyone compares the writes of switching everyone on and off for partners of 10 and of 10,000 users.
func everyone(ctx context.Context) ([]fixture.Figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	var wrote []string
	for _, n := range []int{10, 10_000} {
		t := newTally(e.Client(), fmt.Sprintf("everyone-%d", n))
		if err := t.directory(ctx, "contoso", "acme"); err != nil {
			return nil, err
		}
		if err := t.staff(ctx, n); err != nil {
			return nil, err
		}
		on, err := t.writes(func() error { return t.everyone(ctx, true) })
		if err != nil {
			return nil, err
		}
		off, err := t.writes(func() error { return t.everyone(ctx, false) })
		if err != nil {
			return nil, err
		}
		wrote = append(wrote, fmt.Sprintf("%d and %d of %d users", on, off, n))
	}
	return []fixture.Figure{{"everyone on and off: records written or checked", strings.Join(wrote, "; "), "the same number"}}, nil
}

// tally is a store whose requests and written records are counted.
type tally struct {
	db          *dynamodb.Client
	table       string
	store       *dynamo.Store
	planContext access.PlanContext

	requests, records atomic.Int64
}

func newTally(db *dynamodb.Client, table string) *tally {
	now := func() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }
	t := &tally{
		db: db, table: table,
		planContext: access.PlanContext{Now: now(), Actor: access.Actor{Kind: "provider"}, NewID: setup.IDs(now)},
	}
	counted := dynamodb.New(db.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Initialize.Add(
				middleware.InitializeMiddlewareFunc("tally",
					func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput,
						middleware.Metadata, error,
					) {
						t.requests.Add(1)
						if tx, ok := in.Parameters.(*dynamodb.TransactWriteItemsInput); ok {
							t.records.Add(int64(len(tx.TransactItems)))
						}
						return next.HandleInitialize(ctx, in)
					}), middleware.Before)
		})
	})
	t.store = dynamo.New(counted, table)
	return t
}

func (t *tally) apply(ctx context.Context, plan func() (access.Change, error)) error {
	return t.store.Apply(ctx, func(context.Context) (access.Change, *access.StoredResponse, error) {
		c, err := plan()
		return c, nil, err
	})
}

// directory creates the table, a partner and a customer.
func (t *tally) directory(ctx context.Context, partner, customer string) error {
	if err := dynamo.CreateTable(ctx, t.db, t.table, false); err != nil {
		return err
	}
	offer := access.Manage
	err := t.apply(ctx, func() (access.Change, error) {
		c, _, err := access.PlanPartner(partner, nil, nil, nil, access.PartnerCommand{Seen: access.AnyVersion, Name: &partner, Offer: &offer},
			t.planContext)
		return c, err
	})
	if err != nil {
		return err
	}
	return t.apply(ctx, func() (access.Change, error) {
		c, _, err := access.PlanCustomer(customer, nil, nil, access.CustomerCommand{Seen: access.AnyVersion, Name: &customer}, t.planContext)
		return c, err
	})
}

// staff gives contoso n users. What they are like is of no concern here: their number is.
func (t *tally) staff(ctx context.Context, n int) error {
	texts := make([]string, n)
	for i := range texts {
		id := fmt.Sprintf("contoso:01JD8Z6Q7YB5V3K2N4M6%06d", i)
		texts[i] = strings.NewReplacer("contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1", id, `{"N":"17"}`, fmt.Sprintf(`{"N":"%d"}`, i+1)).Replace(fixture.UserJSON)
	}
	if err := fixture.Write(ctx, t.db, t.table, texts); err != nil {
		return err
	}
	return t.apply(ctx, func() (access.Change, error) {
		return access.Change{Writes: []access.Write{access.HeadcountWrite{
			Before: &access.Headcount{Partner: "contoso", Version: 1},
			After:  &access.Headcount{Partner: "contoso", LastNumber: int64(n), Staff: n, Version: 2},
		}}}, nil
	})
}

// everyone switches everyone on, with a grant, or off.
func (t *tally) everyone(ctx context.Context, on bool) error {
	return t.apply(ctx, func() (access.Change, error) {
		r, err := t.store.GrantFacts(ctx, "acme", "contoso", nil, false)
		if err != nil {
			return access.Change{}, err
		}
		var p access.GrantChange
		if on {
			p, err = access.PlanGrant(r, access.GrantCommand{Everyone: true}, t.planContext)
		} else {
			p, err = access.PlanEdit(r, access.EditCommand{Seen: access.AnyVersion, Everyone: &on}, t.planContext)
		}
		return p.Change, err
	})
}

func (t *tally) writes(do func() error) (int, error) {
	before := t.records.Load()
	err := do()
	return int(t.records.Load() - before), err
}
