package trust

import (
	"context"
	cryptorand "crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/report"
)

// Config says how much is done. The zero value of a number takes its default.
type Config struct {
	Steps  int // requests of attackers and others; 100,000
	Length int // steps of one world; 250
	Worlds int // at the same time; 4
	First  int // the number of the first world
	Most   int // violations, after which it ends; 5
	Seed   uint64
	DryRun int // one of so many requests is held against its dry run; 0: none

	Engine   *engine.Engine // outlives the run; nil: each world has one of its own, as DYNAMODB says, since dynoxide slows down as it fills
	Handlers func(stack.Deps) (map[string]lambda.Handler, error)
	Log      io.Writer // nil: nothing is said under way
}

// Report is what was found.
type Report struct {
	Seed       uint64
	Steps      int
	Worlds     int
	Checks     int
	Predicted  int // requests that were held against their dry runs
	Applied    int // of these, that were not refused
	Events     int // that these dry runs foretold
	Foretold   int // likewise, mails at once
	Later      int // likewise, mails of the work that follows
	Allowed    int
	Mails      int
	Asked      int            // requests of partners
	Approved   int            // of these
	Answers    map[string]int // to attackers, by method, kind of organisation and status
	Violations []string
	After      int // steps until the first one
	Took       time.Duration
}

func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d steps in %d worlds, %d checks (%d allowed), %d mails, %d requests (%d approved), in %v\n",
		r.Seed, r.Steps, r.Worlds, r.Checks, r.Allowed, r.Mails, r.Asked, r.Approved, r.Took.Round(time.Second))
	fmt.Fprintf(&b, "  %d dry runs, %d of them of what was then done, with %d events, %d mails at once and %d later ones\n",
		r.Predicted, r.Applied, r.Events, r.Foretold, r.Later)
	report.Counts(&b, "attackers were answered", r.Answers)
	if r.After > 0 {
		fmt.Fprintf(&b, "  the first was found after %d steps\n", r.After)
	}
	report.Violations(&b, r.Violations)
	return b.String()
}

// Run has worlds attacked, one after the other and some at a time, until so many steps were done or enough was found. The world of a number
// is the same for the same seed. An error means that it could not go on.
func Run(ctx context.Context, c Config) (*Report, error) {
	for of, value := range map[*int]int{&c.Steps: 100_000, &c.Length: 250, &c.Worlds: 4, &c.Most: 5} {
		if *of == 0 {
			*of = value
		}
	}
	if c.Handlers == nil {
		c.Handlers = stack.Functions
	}
	key, err := rsa.GenerateKey(cryptorand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	out := &Report{Seed: c.Seed, Answers: map[string]int{}}
	began := time.Now()
	var mu sync.Mutex
	next := c.First
	g, ctx := errgroup.WithContext(ctx)
	for range c.Worlds {
		g.Go(func() error {
			for {
				mu.Lock()
				number, done := next, out.Steps >= c.Steps || len(out.Violations) >= c.Most
				next++
				mu.Unlock()
				if done {
					return nil
				}
				one, found, err := attackWorld(ctx, c, key, number)
				mu.Lock()
				out.add(one, found)
				if c.Log != nil && err == nil {
					_, _ = fmt.Fprintf(c.Log, "world %d: %d steps, %d violations so far\n", number, out.Steps, len(out.Violations))
				}
				mu.Unlock()
				if err != nil {
					return fmt.Errorf("seed %d, world %d: %w", c.Seed, number, err)
				}
			}
		})
	}
	err = g.Wait()
	out.Took = time.Since(began)
	return out, err
}

func (r *Report) add(one *Report, found []string) {
	if one == nil {
		return
	}
	if len(found) > 0 && r.After == 0 {
		r.After = r.Steps + one.Steps
	}
	r.Worlds++
	r.Steps += one.Steps
	r.Checks += one.Checks
	r.Allowed += one.Allowed
	r.Mails += one.Mails
	r.Asked += one.Asked
	r.Approved += one.Approved
	r.Predicted += one.Predicted
	r.Applied += one.Applied
	r.Events += one.Events
	r.Foretold += one.Foretold
	r.Later += one.Later
	for k, n := range one.Answers {
		r.Answers[k] += n
	}
	r.Violations = append(r.Violations, found...)
}

// attackWorld goes through one world, until it ends or something is found: what is wrong once may be wrong from then on.
func attackWorld(ctx context.Context, c Config, key *rsa.PrivateKey, number int) (_ *Report, found []string, err error) {
	if c.Engine == nil {
		if c.Engine, err = engine.Start(ctx, engine.Options{}); err != nil {
			return nil, nil, err
		}
		defer c.Engine.Stop() //nolint:errcheck // it ends with this process at the latest
	}
	table := "trust-" + cryptorand.Text()
	random := rand.New(rand.NewPCG(c.Seed, uint64(number))) //nolint:gosec // no secret; the number is no negative one
	w, err := newWorld(ctx, c, key, table, random)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		_, lost := c.Engine.Client().DeleteTable(context.WithoutCancel(ctx), &dynamodb.DeleteTableInput{TableName: &table})
		err = errors.Join(err, w.stop(), lost)
	}()
	setup := len(w.trace)
	for step := 0; step < c.Length && len(w.found) == 0; step++ {
		if err := w.step(ctx); err != nil {
			return w.report, nil, err
		}
		if err := w.check(ctx); err != nil {
			return w.report, nil, err
		}
		w.readMails()
		w.report.Steps++
	}
	if len(w.found) == 0 {
		return w.report, nil, nil
	}
	return w.report,
		[]string{fmt.Sprintf("seed %d, world %d:\n      %s\n    after\n      %s", c.Seed, number, strings.Join(w.found, "\n      "),
			strings.Join(essential(w.trace[setup:]), "\n      "))}, nil
}

// essential leaves out of a trace what changed nothing, but for its end.
func essential(trace []string) []string {
	var out []string
	for i, line := range trace {
		_, status, _ := strings.Cut(line, " -> ")
		if i == len(trace)-1 || strings.HasPrefix(status, "2") && !strings.Contains(line, ": GET ") {
			out = append(out, line)
		}
	}
	return out
}

func (w *world) step(ctx context.Context) error {
	w.now = w.now.Add(time.Second) // what comes later is later
	w.Clock.Advance(time.Second)
	if len(w.scheme) == 0 && w.chance(8) {
		w.scheme = w.plot()
	}
	if len(w.scheme) > 0 && !w.chance(5) {
		next := w.scheme[0]
		w.scheme = w.scheme[1:]
		return next(ctx)
	}
	switch n := w.random.IntN(20); {
	case n < 4:
		return w.customerDoes(ctx, pick(w, globex, globex, acme, hooli))
	case n < 6:
		return w.providerDoes(ctx)
	case n < 7:
		return w.goodDoes(ctx)
	case n < 11:
		return w.attackByRequest(ctx)
	}
	return w.attack(ctx)
}
