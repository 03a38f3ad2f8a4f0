// Command load puts the local stack under a realistic load for a while, and prints how long answers took, what went wrong, and whether
// memory grew.
//
// It starts the stack itself, as a process of its own, with the environment that it is given: BACKEND=lambda puts the built binaries behind
// the gateway.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"partneraccess/scripts/local/launch"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	length := flag.Duration("for", 10*time.Minute, "how long")
	clients := flag.Int("clients", 8, "how many ask at once")
	binary := flag.String("stack", ".build/local", "the local stack's binary (go build -o .build/local ./scripts/local)")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("%q is not understood: see -help", flag.Arg(0))
	}

	s, err := launch.Start(ctx, launch.Options{Binary: *binary})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	w := &world{base: s.URL}
	if err := w.populate(ctx); err != nil {
		return fmt.Errorf("populate: %w", err)
	}
	mails, err := w.mails(ctx)
	if err != nil {
		return fmt.Errorf("mails: %w", err)
	}
	fmt.Printf("from a grant's answer until its mail is in the box, before the load: %s, p50 of %d; the longest %s\n",
		mails[len(mails)/2].Round(time.Millisecond), len(mails), mails[len(mails)-1].Round(time.Millisecond))
	backend := cmp.Or(os.Getenv("BACKEND"), "the handlers in the gateway's process")
	fmt.Printf("%s at %s: %d customers, %d partners of %d users; %d clients for %s\n", backend, s.URL, customers, partners, usersEach,
		*clients, *length)

	watching, done := context.WithCancel(ctx)
	memory := watch(watching, s.ID, max(*length/60, 500*time.Millisecond))
	began := time.Now()
	results := w.drive(ctx, *clients, *length)
	took := time.Since(began)
	done()
	if err := ctx.Err(); err != nil {
		return err
	}
	failed := results.print(os.Stdout, took)
	grew := memory().print(os.Stdout, results.writes())
	switch {
	case failed > 0:
		return fmt.Errorf("%d of the answers were wrong or missing", failed)
	case grew != "":
		return fmt.Errorf("the memory of %s grew", grew)
	}
	return nil
}
