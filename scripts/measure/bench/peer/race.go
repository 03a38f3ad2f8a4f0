package peer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/scripts/local/processes"
	"partneraccess/scripts/measure/bench/fixture"
)

// contender is one side: something that answers checks.
type contender struct {
	name    string
	prepare func(question) []byte                       // the request, which is no part of what is measured
	check   func(context.Context, []byte) (bool, error) // sends it
	cpu     func() (time.Duration, error)               // of the side's processes, since they began
	waited  func() (total time.Duration, answers int)   // for storage, since the last call: it is taken off; nil: it counts
	twice   bool                                        // each round comes once before it is measured, too
}

// race is one comparison.
type race struct {
	ours, theirs contender
	clients      int
	goals        goals
}

type goals struct{ cpu, p50, rate string }

// lap is what one side took for some questions.
type lap struct {
	each    []float64 // nanoseconds of a check, without what is taken off
	cpu     float64   // nanoseconds of a check
	rate    float64   // checks a second
	answers int       // of storage
}

// run puts the same questions to both sides, each first in turn. A ratio is the median of the rounds' own ratios: two laps that follow each
// other have met the same machine.
func (r race) run(ctx context.Context, now time.Time) ([]fixture.Figure, error) {
	const rounds, each = 15, 600
	var laps [2][]lap
	for round := range rounds + 1 {
		random := rand.New(rand.NewPCG(uint64(round), 2026)) //nolint:gosec // the same questions every time
		questions := make([]question, each)
		for i := range questions {
			questions[i] = nextQuestion(random, now)
		}
		for i := range laps {
			i = (round + i) % len(laps)
			side := [...]contender{r.ours, r.theirs}[i]
			if round == 0 || side.twice { // to warm up
				if _, err := side.run(ctx, questions, r.clients); err != nil {
					return nil, err
				}
			}
			l, err := side.run(ctx, questions, r.clients)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				laps[i] = append(laps[i], l)
			}
		}
	}
	figures := []fixture.Figure{
		compared("CPU of a check", "%.2fx", laps, func(l lap) float64 { return l.cpu }, fixture.Duration, r.goals.cpu),
		compared("p50", "%.2fx", laps, func(l lap) float64 { return fixture.Quantile(l.each, 50) }, fixture.Duration, r.goals.p50),
		compared("p99", "%.2fx", laps, func(l lap) float64 { return fixture.Quantile(l.each, 99) }, fixture.Duration, ""),
		compared("checks a second", "%.2fx", laps, func(l lap) float64 { return l.rate },
			func(f float64) string { return fmt.Sprintf("%.0f", f) }, r.goals.rate),
	}
	if r.ours.waited != nil || r.theirs.waited != nil {
		figures[3] = compared("storage's answers to a check", "%.2fx", laps, func(l lap) float64 { return float64(l.answers) / each },
			func(f float64) string { return fmt.Sprintf("%.2f", f) }, "")
	}
	if r.ours.waited == nil && r.theirs.waited != nil { // the handler's one call is counted elsewhere
		figures = figures[:3]
	}
	out := []fixture.Figure{{fmt.Sprintf("%s against %s, %d at a time:", r.ours.name, r.theirs.name, r.clients)}}
	for _, f := range figures {
		f[0] = "  " + f[0]
		out = append(out, f)
	}
	return out, nil
}

func compared(what, format string, laps [2][]lap, of func(lap) float64, show func(float64) string, goal string) fixture.Figure {
	var ratios []float64
	var values [2][]float64
	for i := range laps[0] {
		a, b := of(laps[0][i]), of(laps[1][i])
		ratios, values[0], values[1] = append(ratios, a/b), append(values[0], a), append(values[1], b)
	}
	ours, theirs := show(fixture.Median(values[0])), show(fixture.Median(values[1]))
	return fixture.Figure{what, fmt.Sprintf(format+" (%s against %s)", fixture.Median(ratios), ours, theirs), goal}
}

// cpuOf is the CPU time of a process and its descendants, or of those of them that run this program.
func cpuOf(id int, program string) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		family, err := processes.Family(id)
		if err != nil {
			return 0, err
		}
		var total time.Duration
		found := false
		for _, p := range family {
			if program == "" || p.Name == program {
				total, found = total+p.CPU, true
			}
		}
		if !found {
			return 0, fmt.Errorf("process %d %s: it has ended, or this system does not tell what it uses (Linux does)", id, program)
		}
		return total, nil
	}
}

func sum(a, b func() (time.Duration, error)) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		x, err := a()
		if err != nil {
			return 0, err
		}
		y, err := b()
		return x + y, err
	}
}

// run asks all questions.
func (c contender) run(ctx context.Context, questions []question, clients int) (lap, error) {
	type prepared struct {
		question
		request []byte
	}
	todo := make(chan prepared, len(questions))
	for _, q := range questions {
		todo <- prepared{q, c.prepare(q)}
	}
	close(todo)
	var out lap
	var mu sync.Mutex
	if c.waited != nil {
		c.waited()
	}
	before, err := c.cpu()
	if err != nil {
		return lap{}, fmt.Errorf("%s: %w", c.name, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for range clients {
		g.Go(func() error {
			for q := range todo {
				began := time.Now()
				allowed, err := c.check(ctx, q.request)
				took := time.Since(began)
				switch {
				case err != nil:
					return fmt.Errorf("%s: %w", c.name, err)
				case allowed != q.allow:
					return fmt.Errorf("%s answered %v to %+v", c.name, allowed, q.question)
				}
				answers := 0
				if c.waited != nil {
					var waited time.Duration
					waited, answers = c.waited()
					took -= waited
				}
				mu.Lock()
				out.each, out.answers = append(out.each, float64(took)), out.answers+answers
				mu.Unlock()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return lap{}, err
	}
	n := float64(len(questions))
	out.rate = n / time.Since(start).Seconds()
	after, err := c.cpu()
	out.cpu = float64(after-before) / n
	return out, err
}
