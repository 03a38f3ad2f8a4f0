package anyday

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/scripts/local/engine"
)

// Worlds says how many histories are made, beside what Config says of each.
type Worlds struct {
	Changes int       // of all histories together, at least
	Length  int       // changes of one history: dynoxide becomes slower as its stream grows
	AtOnce  int       // how many histories are made at the same time
	Log     io.Writer // gets a line for each history; nil: nothing is logged
}

// RunWorlds makes histories, each with an engine and a number of its own, until there are enough changes or a history has differences, and
// adds up what was found. The history of a number is the same for the same seed.
func RunWorlds(ctx context.Context, c Config, many Worlds) (*Report, error) {
	began := time.Now()
	sum := &Report{}
	var mu sync.Mutex
	next, started := c.World, 0
	g, ctx := errgroup.WithContext(ctx)
	for range many.AtOnce {
		g.Go(func() error {
			for {
				mu.Lock()
				number, done := next, started >= many.Changes || len(sum.Violations) > 0
				next, started = next+1, started+many.Length
				mu.Unlock()
				if done {
					return nil
				}
				one, err := runWorld(ctx, c, number, many.Length)
				if err != nil {
					return fmt.Errorf("seed %d, world %d: %w", c.Seed, number, err)
				}
				mu.Lock()
				sum.add(one, number)
				if many.Log != nil {
					_, _ = fmt.Fprintf(many.Log, "world %d: %d changes, %d checks, %d differences so far, %s\n", number, sum.Changes, sum.Asked,
						len(sum.Violations), time.Since(began).Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	err := g.Wait()
	return sum, err
}

// runWorld makes one history with an engine of its own.
func runWorld(ctx context.Context, c Config, number, length int) (*Report, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // nothing is kept
	c.Engine, c.Table, c.World, c.Changes = e, "anyday-"+rand.Text(), number, length
	return Run(ctx, c)
}

// add adds what the history of a number found. Took and Asking are of all together, also of those that were made at the same time.
func (r *Report) add(one *Report, number int) {
	r.Worlds++
	r.Changes += one.Changes
	r.Refused += one.Refused
	r.Asked += one.Asked
	r.Allowed += one.Allowed
	r.Lists += one.Lists
	r.Rows += one.Rows
	r.Batches += one.Batches
	r.Failed += one.Failed
	r.Repeated += one.Repeated
	r.Incomplete += one.Incomplete
	r.Versions += one.Versions
	r.VersionBytes += one.VersionBytes
	r.Took += one.Took
	r.Asking += one.Asking
	for _, v := range one.Violations {
		r.Violations = append(r.Violations, fmt.Sprintf("world %d: %s", number, v))
	}
}
