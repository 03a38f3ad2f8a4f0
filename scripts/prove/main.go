// Command prove looks for violations of what the service promises, for as long as its flags say:
//
//	go run ./scripts/prove histories -ops 100000 -clients 16 -seed 1
//
// The same seed chooses the same again; a violation ends it with the status 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"partneraccess/scripts/prove/crash"
	"partneraccess/scripts/prove/histories"
	"partneraccess/scripts/prove/input"
	"partneraccess/scripts/prove/trust"
)

func main() {
	debug.SetGCPercent(400) // the proofs make much garbage and keep little
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

var errFound = errors.New("found what should never be")

func run(ctx context.Context, args []string, out, log io.Writer) error {
	const usage = "say what to prove: histories, input, crash, trust, anyday or alike, and -h after it for the flags"
	if len(args) == 0 {
		return errors.New(usage)
	}
	c := command{flags: flag.NewFlagSet(args[0], flag.ContinueOnError), args: args[1:], out: out, log: log}
	c.flags.SetOutput(log)
	c.flags.Uint64Var(&c.seed, "seed", rand.Uint64(), "chooses everything that is random") //nolint:gosec // no secret
	switch args[0] {
	case "histories":
		return c.histories(ctx)
	case "input":
		return c.input(ctx)
	case "trust":
		return c.trust(ctx)
	case "anyday":
		return c.anyday(ctx)
	case "alike":
		return c.alike(ctx)
	case "crash":
		return c.crash(ctx)
	}
	return errors.New(usage)
}

// command is one proof with its flags.
type command struct {
	flags    *flag.FlagSet
	args     []string
	out, log io.Writer
	seed     uint64
}

// parse reads the flags, and writes the seed down first of all.
func (c *command) parse() error {
	if err := c.flags.Parse(c.args); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(c.log, "seed", c.seed)
	return nil
}

// conclude prints a report, and makes an error of its violations.
func (c *command) conclude(report fmt.Stringer, violations []string, err error) error {
	_, _ = fmt.Fprint(c.out, report)
	if err == nil && len(violations) > 0 {
		return errFound
	}
	return err
}

func (c *command) histories(ctx context.Context) error {
	cfg := histories.Config{Log: c.log}
	c.flags.IntVar(&cfg.Ops, "ops", 100_000, "operations at least")
	c.flags.IntVar(&cfg.Clients, "clients", 16, "clients at once")
	c.flags.IntVar(&cfg.Customers, "customers", 3, "customers")
	c.flags.IntVar(&cfg.Partners, "partners", 2, "partners at a time")
	c.flags.IntVar(&cfg.Users, "users", 3, "users of a partner beside its owner, at least")
	c.flags.IntVar(&cfg.Epoch, "epoch", 40, "operations of a client between two observations")
	c.flags.StringVar(&cfg.Keep, "keep", os.TempDir(), "folder for histories that are wrong")
	if err := c.parse(); err != nil {
		return err
	}
	cfg.Seed = c.seed
	r, err := histories.Run(ctx, cfg)
	if r == nil {
		return err
	}
	return c.conclude(r, r.Violations, err)
}

func (c *command) input(ctx context.Context) error {
	cfg := input.Config{Log: c.log}
	c.flags.IntVar(&cfg.Requests, "requests", 100_000, "requests")
	c.flags.Uint64Var(&cfg.From, "from", 0, "the first request's number; with -requests 1 one is repeated")
	c.flags.IntVar(&cfg.HTTP, "http", 10, "how many of a hundred go through the gateway, over HTTP")
	if err := c.parse(); err != nil {
		return err
	}
	cfg.Seed = c.seed
	r, err := input.Run(ctx, cfg)
	if r == nil {
		return err
	}
	return c.conclude(r, r.Violations, err)
}

func (c *command) trust(ctx context.Context) error {
	cfg := trust.Config{Log: c.log}
	c.flags.IntVar(&cfg.Steps, "steps", 100_000, "requests at least")
	c.flags.IntVar(&cfg.Length, "length", 250, "requests in one world")
	c.flags.IntVar(&cfg.Worlds, "worlds", 4, "worlds at the same time")
	c.flags.IntVar(&cfg.First, "world", 0, "the number of the first world; with -steps 1 one is repeated")
	c.flags.IntVar(&cfg.Most, "most", 5, "worlds with violations, after which it ends")
	c.flags.IntVar(&cfg.DryRun, "dry-run", 4, "one of so many requests is held against its dry run; 0: none")
	if err := c.parse(); err != nil {
		return err
	}
	cfg.Seed = c.seed
	r, err := trust.Run(ctx, cfg)
	if r == nil {
		return err
	}
	return c.conclude(r, r.Violations, err)
}

func (c *command) crash(ctx context.Context) error {
	cfg := crash.Config{Log: c.log}
	c.flags.IntVar(&cfg.Rounds, "rounds", 20, "kills")
	c.flags.IntVar(&cfg.Clients, "clients", 8, "customers that change their grants at once")
	bulk := c.flags.Bool("bulk", false, "kill in the middle of bulk jobs, and look whether each row is made once")
	c.flags.StringVar(&cfg.Binary, "stack", ".build/local", "the local stack's binary (go build -o .build/local ./scripts/local)")
	if err := c.parse(); err != nil {
		return err
	}
	cfg.Seed = c.seed
	var err error
	if cfg.Data, err = os.MkdirTemp("", "crash-"); err != nil {
		return err
	}
	if *bulk {
		r, failed := crash.RunBulk(ctx, cfg)
		if err = failed; r != nil {
			err = c.conclude(r, r.Violations, err)
		}
	} else {
		r, failed := crash.Run(ctx, cfg)
		if err = failed; r != nil {
			err = c.conclude(r, r.Violations, err)
		}
	}
	if err != nil { // what is wrong can be looked at
		_, _ = fmt.Fprintln(c.log, "the data is kept in", cfg.Data)
		return err
	}
	return os.RemoveAll(cfg.Data)
}
