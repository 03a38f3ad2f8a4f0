package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/dynamo"
)

const (
	usePeople    = 500 // customers at which a person's first check of a day is measured
	useChecks    = 6   // checks at each; the first records the use
	checksPerDay = 300 // of one person at one customer: one for each of some dozen pages, an hour, for a working day
)

// uses measures what recording the last use adds to checks: the first one of a person, customer and day writes it before it answers. The
// mean is over a day of 300 checks of each person at each customer.
func uses(ctx context.Context) ([]fixture.Figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	if err := dynamo.CreateTable(ctx, e.Client(), fixture.Table, false); err != nil {
		return nil, err
	}
	if err := load(ctx, e.Client(), fixture.Table, usePeople); err != nil {
		return nil, err
	}
	tomorrow := time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)
	check := fixture.CheckHandlerAt(engineStorage{e.Endpoint()}, fixture.Table, func() time.Time { return tomorrow })
	var first, later []float64
	for i := range usePeople {
		p := fixture.Event(fixture.Single, strings.Replace(fixture.Question, "acme", fixture.CustomerID(i), 1))
		for n := range useChecks {
			began := time.Now()
			if err := allowed(ctx, check, p); err != nil {
				return nil, err
			}
			if took := float64(time.Since(began)); n == 0 {
				first = append(first, took)
			} else {
				later = append(later, took)
			}
		}
	}
	f, l := fixture.Median(first), fixture.Median(later)
	return []fixture.Figure{
		{
			fmt.Sprintf("a check that records a use against one that need not: time, p50 of %d", usePeople),
			fmt.Sprintf("%.2fx (%v against %v)", f/l, time.Duration(f).Round(time.Microsecond), time.Duration(l).Round(time.Microsecond)), "",
		},
		{
			fmt.Sprintf("what that adds to the mean of %d checks of a person at a customer in a day", checksPerDay),
			fmt.Sprintf("%.2f%%", 100*(f-l)/(l*checksPerDay)), "1%",
		},
	}, nil
}
