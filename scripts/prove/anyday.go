package main

import (
	"context"

	"partneraccess/scripts/prove/anyday"
)

// anyday proves that questions about the past are answered as they were then.
func (c *command) anyday(ctx context.Context) error {
	var many anyday.Worlds
	c.flags.IntVar(&many.Changes, "changes", 100_000, "changes of all histories together, at least")
	c.flags.IntVar(&many.Length, "length", 1_000, "changes of one history")
	c.flags.IntVar(&many.AtOnce, "worlds", 2, "histories at the same time")
	cfg := anyday.Config{}
	c.flags.IntVar(&cfg.World, "world", 0, "the number of the first history; with -changes 1 one is repeated")
	c.flags.Float64Var(&cfg.Faulty, "faulty", 0.5,
		"how much of the stream comes twice, late or in another order, or fails halfway: 0 to 1")
	if err := c.parse(); err != nil {
		return err
	}
	cfg.Seed, many.Log = c.seed, c.log
	r, err := anyday.RunWorlds(ctx, cfg, many)
	return c.conclude(r, r.Violations, err)
}
