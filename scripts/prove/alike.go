package main

import (
	"context"
	"crypto/rand"

	"partneraccess/scripts/prove/alike"
)

// alike proves that a back end that reads the table itself gets the service's own answers.
func (c *command) alike(ctx context.Context) error {
	cfg := alike.Config{Table: "alike-" + rand.Text(), Log: c.log}
	c.flags.IntVar(&cfg.Questions, "questions", 100_000, "questions")
	c.flags.IntVar(&cfg.World, "world", 1_000, "questions to one world of records")
	if err := c.parse(); err != nil {
		return err
	}
	cfg.Seed = c.seed
	r, err := alike.Run(ctx, cfg)
	if r == nil {
		return err
	}
	return c.conclude(r, r.Violations, err)
}
