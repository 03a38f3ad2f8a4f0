package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"partneraccess/scripts/measure/bench/fixture"

	"github.com/aws/aws-lambda-go/lambda"
)

func cpuAndAllocations(ctx context.Context) ([]fixture.Figure, error) {
	p := fixture.Event(fixture.Single, fixture.Question)
	floor := floor(fixture.NewClient(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}), fixture.Table)
	check := fixture.CheckHandler(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}, fixture.Table)
	a, b, err := compare(ctx, work{check, p, 300}, work{floor, p, 300})
	if err != nil {
		return nil, err
	}
	return []fixture.Figure{
		{"check: CPU against the floor", fmt.Sprintf("%.2fx (%v against %v)", a.ratio(b), a.cpu(), b.cpu()), "1.0x"},
		{"check: allocations against the floor", fmt.Sprintf("%.2fx (%.0f against %.0f)", a.allocs/b.allocs, a.allocs, b.allocs), "1.1x"},
		{
			"check: bytes allocated against the floor", fmt.Sprintf("%.2fx (%.0f KB against %.0f KB)", a.bytes/b.bytes, a.bytes/1024, b.bytes/1024),
			"-",
		},
	}, nil
}

// batchAgainstSingles asks about one user at fifty customers: in one request, and one by one.
func batchAgainstSingles(ctx context.Context) ([]fixture.Figure, error) {
	const n = 50
	storage := &fixture.Canned{Answers: fixture.ManyAnswers(fixture.Table, n)}
	check := fixture.CheckHandler(storage, fixture.Table)
	p := fixture.Event(fixture.Multiple, fixture.ManyQuestions(n))
	out, err := check.Invoke(ctx, p)
	if err != nil {
		return nil, err
	}
	if got := strings.Count(string(out), `\"decision\":true`); got != n {
		return nil, fmt.Errorf("the batch of %d allowed %d: %s", n, got, out)
	}
	trips := storage.Calls.Load()
	one := fixture.CheckHandler(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}, fixture.Table)
	a, b, err := compare(ctx, work{check, p, 30}, work{one, fixture.Event(fixture.Single, fixture.Question), 30 * n})
	if err != nil {
		return nil, err
	}
	return []fixture.Figure{
		{"batch of 50: CPU against 50 single checks", fmt.Sprintf("%.2fx (%v against %v)", a.ratio(b)/n, a.cpu(), b.cpu()*n), "0.1x"},
		{"batch of 50: allocations against 50 single checks", fmt.Sprintf("%.2fx", a.allocs/b.allocs/n), "-"},
		{"batch of 50: round trips for its 102 records", fmt.Sprint(trips), "2"},
	}, nil
}

// work is a request and how often it is made in one round.
type work struct {
	handler lambda.Handler
	payload []byte
	times   int
}

// cost is what one request takes.
type cost struct {
	rounds []float64 // CPU time of each round, in nanoseconds for a request
	allocs float64
	bytes  float64
}

func (c cost) cpu() time.Duration {
	return time.Duration(fixture.Median(c.rounds)).Round(100 * time.Nanosecond)
}

// ratio is the median of the rounds' own ratios: two rounds that follow each other have met the same machine.
func (c cost) ratio(d cost) float64 {
	rs := make([]float64, len(c.rounds))
	for i := range rs {
		rs[i] = c.rounds[i] / d.rounds[i]
	}
	return fixture.Median(rs)
}

// compare runs both in turns, each after the other first.
func compare(ctx context.Context, x, y work) (a, b cost, err error) {
	const rounds = 41
	for i := range rounds + 2 {
		pair := [2]work{x, y}
		costs := [2]*cost{&a, &b}
		if i%2 == 1 {
			slices.Reverse(pair[:])
			slices.Reverse(costs[:])
		}
		for j, w := range pair {
			cpu, allocs, bytes, err := w.run(ctx)
			if err != nil {
				return a, b, err
			}
			if i < 2 { // to warm up
				continue
			}
			costs[j].rounds = append(costs[j].rounds, cpu)
			costs[j].allocs, costs[j].bytes = allocs, bytes
		}
	}
	return a, b, nil
}

func (w work) run(ctx context.Context) (cpu, allocs, bytes float64, err error) {
	runtime.GC() // so that a round pays for its own garbage only
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	t0, err := fixture.ProcessCPU()
	if err != nil {
		return 0, 0, 0, err
	}
	for range w.times {
		out, err := w.handler.Invoke(ctx, w.payload)
		if err != nil {
			return 0, 0, 0, err
		}
		if len(out) == 0 {
			return 0, 0, 0, errors.New("the handler answered nothing")
		}
	}
	t1, err := fixture.ProcessCPU()
	runtime.ReadMemStats(&m1)
	n := float64(w.times)
	return float64(t1-t0) / n, float64(m1.Mallocs-m0.Mallocs) / n, float64(m1.TotalAlloc-m0.TotalAlloc) / n, err
}
