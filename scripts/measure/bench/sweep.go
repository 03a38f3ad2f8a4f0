package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// ends measures the sweep when many periods end at one instant, on a table without a stream.
func ends(ctx context.Context) ([]fixture.Figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	var each []time.Duration
	var runs []int
	counts := []int{1_000, 10_000}
	for _, n := range counts {
		t := newTally(e.Client(), fmt.Sprintf("ends-%d", n))
		if err := t.directory(ctx, "contoso", "acme"); err != nil {
			return nil, err
		}
		if err := fixture.Write(ctx, t.db, t.table, overdue(n)); err != nil {
			return nil, err
		}
		s := sweep.Sweep{
			Store: t.store, Now: func() time.Time { return t.planContext.Now }, NewID: setup.IDs(func() time.Time { return t.planContext.Now }),
			Log: slog.New(slog.DiscardHandler),
		}
		began, done, run := time.Now(), 0, 0
		for more := true; more; run++ {
			r, err := s.Run(ctx)
			if err != nil || r.Failed > 0 {
				return nil, fmt.Errorf("the sweep failed at %d of %d pieces: %w", r.Failed, r.Done+r.Failed, err)
			}
			done, more = done+r.Done, r.Cut
		}
		if done != n {
			return nil, fmt.Errorf("the sweep did %d pieces of work, not %d", done, n)
		}
		each, runs = append(each, time.Since(began)/time.Duration(n)), append(runs, run)
	}
	total := each[1] * time.Duration(counts[1])
	return []fixture.Figure{
		{
			"10,000 periods that end at one instant: sweeps of a minute", fmt.Sprintf("%d, %v in all", runs[1], total.Round(100*time.Millisecond)),
			"1",
		},
		{
			"   each of them, against each of 1,000",
			fmt.Sprintf("%.2fx (%v against %v)", float64(each[1])/float64(each[0]), each[1].Round(time.Microsecond),
				each[0].Round(time.Microsecond)), "linear",
		},
	}, nil
}

// overdue are n customers, each with a grant whose period has ended an hour ago.
func overdue(n int) []string {
	const end = "2026-11-22T09:00:00.000Z"
	var texts []string
	for i := range n {
		c := fixture.CustomerID(i)
		grant := strings.NewReplacer("acme", c, "2027-03-01T00:00:00.000Z", end).Replace(fixture.GrantJSON)
		due := fmt.Sprintf(`{"gsi2pk":{"S":"Q#%d"},"gsi2sk":{"S":"%s#C#%s#G#contoso"},`, i%8, end, c)
		texts = append(texts, strings.Replace(grant, "{", due, 1), strings.ReplaceAll(customerJSON, "acme", c))
	}
	return texts
}
