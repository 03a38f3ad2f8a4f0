// Command prove looks for what should never be, for as long as it is told to:
//
//	go run ./scripts/prove histories -ops 100000 -clients 16 -seed 1
//
// The same seed chooses the same again; what is found ends it with the status 1.
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
	"syscall"

	"partneraccess/scripts/prove/crash"
	"partneraccess/scripts/prove/histories"
	"partneraccess/scripts/prove/input"
	"partneraccess/scripts/prove/trust"
)

func main() {
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
	const usage = "say what to prove: histories, input, crash or trust, and -h after it for the flags"
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(log)
	seed := flags.Uint64("seed", rand.Uint64(), "chooses everything that is random") //nolint:gosec // no secret
	switch args[0] {
	case "histories":
		c := histories.Config{Log: log}
		flags.IntVar(&c.Ops, "ops", 100_000, "operations at least")
		flags.IntVar(&c.Clients, "clients", 16, "clients at once")
		flags.IntVar(&c.Customers, "customers", 3, "customers")
		flags.IntVar(&c.Partners, "partners", 2, "partners at a time")
		flags.IntVar(&c.Users, "users", 3, "users of a partner beside its owner, at least")
		flags.IntVar(&c.Epoch, "epoch", 40, "operations of a client between two observations")
		flags.StringVar(&c.Keep, "keep", os.TempDir(), "folder for histories that are wrong")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		c.Seed = *seed
		_, _ = fmt.Fprintln(log, "seed", c.Seed)
		r, err := histories.Run(ctx, c)
		if r != nil {
			_, _ = fmt.Fprint(out, r)
		}
		if err == nil && len(r.Violations) > 0 {
			err = errFound
		}
		return err
	case "input":
		c := input.Config{Log: log}
		flags.IntVar(&c.Requests, "requests", 100_000, "requests")
		flags.Uint64Var(&c.From, "from", 0, "the first request's number; with -requests 1 one is repeated")
		flags.IntVar(&c.HTTP, "http", 10, "how many of a hundred go through the gateway, over HTTP")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		c.Seed = *seed
		_, _ = fmt.Fprintln(log, "seed", c.Seed)
		r, err := input.Run(ctx, c)
		if r != nil {
			_, _ = fmt.Fprint(out, r)
		}
		if err == nil && len(r.Violations) > 0 {
			err = errFound
		}
		return err
	case "trust":
		c := trust.Config{Log: log}
		flags.IntVar(&c.Steps, "steps", 100_000, "requests at least")
		flags.IntVar(&c.Length, "length", 250, "requests in one world")
		flags.IntVar(&c.Worlds, "worlds", 4, "worlds at the same time")
		flags.IntVar(&c.First, "world", 0, "the number of the first world; with -steps 1 one is repeated")
		flags.IntVar(&c.Most, "most", 5, "worlds with violations, after which it ends")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		c.Seed = *seed
		_, _ = fmt.Fprintln(log, "seed", c.Seed)
		r, err := trust.Run(ctx, c)
		if r != nil {
			_, _ = fmt.Fprint(out, r)
		}
		if err == nil && len(r.Violations) > 0 {
			err = errFound
		}
		return err
	case "crash":
		c := crash.Config{Log: log}
		flags.IntVar(&c.Rounds, "rounds", 20, "kills")
		flags.IntVar(&c.Clients, "clients", 8, "customers that change their grants at once")
		flags.StringVar(&c.Binary, "stack", ".build/local", "the local stack's binary (go build -o .build/local ./scripts/local)")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		c.Seed = *seed
		_, _ = fmt.Fprintln(log, "seed", c.Seed)
		data, err := os.MkdirTemp("", "crash-")
		if err != nil {
			return err
		}
		c.Data = data
		r, err := crash.Run(ctx, c)
		if r != nil {
			_, _ = fmt.Fprint(out, r)
		}
		if err == nil && len(r.Violations) > 0 {
			err = errFound
		}
		if err != nil { // what is wrong can be looked at
			_, _ = fmt.Fprintln(log, "the data is kept in", data)
			return err
		}
		return os.RemoveAll(data)
	}
	return errors.New(usage)
}
