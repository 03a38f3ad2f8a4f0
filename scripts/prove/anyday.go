package main

import (
	"context"
	"crypto/rand"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/prove/anyday"
)

// anyday proves that questions about the past are answered as they were then.
func (c *command) anyday(ctx context.Context) error {
	changes := c.flags.Int("changes", 100_000, "how many")
	faulty := c.flags.Float64("faulty", 0.5, "how much of the stream comes twice, late or in another order, or fails halfway: 0 to 1")
	if err := c.parse(); err != nil {
		return err
	}
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return err
	}
	defer e.Stop() //nolint:errcheck // nothing is kept
	r, err := anyday.Run(ctx, anyday.Config{Engine: e, Table: "anyday-" + rand.Text(), Changes: *changes, Seed: c.seed, Faulty: *faulty})
	if err != nil {
		return err
	}
	return c.conclude(r, r.Violations, nil)
}
