package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/manifest"
)

// sweeper is a scheduled function that notes when it was called, by the stack's clock, and whether two calls overlapped.
type sweeper struct {
	mu     sync.Mutex
	events []lambdaevents.EventBridgeEvent
	busy   bool
	fail   bool
	hold   chan struct{} // nil: a call ends at once
}

func (s *sweeper) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var e lambdaevents.EventBridgeEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	s.mu.Lock()
	overlap := s.busy
	s.busy = true
	s.events = append(s.events, e)
	s.mu.Unlock()
	if s.hold != nil {
		<-s.hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	switch {
	case overlap:
		return nil, errors.New("two calls at once")
	case s.fail:
		return nil, errors.New("broken")
	}
	return nil, nil
}

func (s *sweeper) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

func scheduled(t *testing.T, s *sweeper, every time.Duration) stack.Config {
	t.Helper()
	c := config(t)
	c.Functions = []manifest.Function{
		{Name: "sweeper", Timeout: time.Minute, Schedule: every},
		{Name: "not there", Timeout: time.Minute, Schedule: every},
	}
	c.Handlers = func(stack.Deps) (map[string]lambda.Handler, error) {
		return map[string]lambda.Handler{"sweeper": s}, nil
	}
	return c
}

func TestAScheduledFunctionRunsBetweenAClockMoveAndItsAnswer(t *testing.T) {
	f := &sweeper{}
	s := start(t, scheduled(t, f, time.Hour))
	status, got := call(t, "POST", s.URL()+"/_local/clock", `{"now":"2031-01-02T03:04:05Z"}`)
	if status != 200 || f.calls() != 1 {
		t.Fatalf("got %d %s and %d calls, want one", status, got, f.calls())
	}
	e := f.events[0]
	if e.DetailType != "Scheduled Event" || e.Source != "aws.events" || !e.Time.Equal(time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)) ||
		e.ID == "" {
		t.Errorf("got %+v", e)
	}
	f.fail = true
	if status, got := call(t, "POST", s.URL()+"/_local/clock", `{"advance":"1h"}`); status != 500 ||
		!strings.Contains(got, "the sweep failed") {
		t.Errorf("a sweep that fails: got %d %s, want 500", status, got)
	}
}

func TestAScheduledFunctionRunsByTheRealClockOnlyWhenItIsAskedFor(t *testing.T) {
	f := &sweeper{}
	c := scheduled(t, f, 20*time.Millisecond)
	c.Still = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	c.Schedule = true
	start(t, c)
	until(t, "it has run three times", func() bool { return f.calls() >= 3 })

	idle := &sweeper{}
	c = scheduled(t, idle, time.Millisecond)
	c.Table += "-idle"
	s := start(t, c)
	if status, _ := call(t, "GET", s.URL()+"/_local/health", ""); status != 200 || idle.calls() != 0 {
		t.Errorf("not asked for: got %d calls, want none", idle.calls())
	}
}

func TestRunsOfAScheduledFunctionDoNotOverlap(t *testing.T) {
	f := &sweeper{hold: make(chan struct{})}
	c := scheduled(t, f, 10*time.Millisecond)
	c.Schedule = true
	s := start(t, c)
	until(t, "a run is under way", func() bool { return f.calls() == 1 })
	moved := make(chan int)
	go func() {
		status, _ := call(t, "POST", s.URL()+"/_local/clock", `{"advance":"1h"}`)
		moved <- status
	}()
	close(f.hold)
	if status := <-moved; status != 200 { // an overlap would have failed
		t.Errorf("got %d, want 200", status)
	}
	if f.calls() < 2 {
		t.Errorf("got %d calls, want one more after the clock was moved", f.calls())
	}
}

func TestAScheduledFunctionDoesNotWaitForAnother(t *testing.T) {
	slow, quick := &sweeper{hold: make(chan struct{})}, &sweeper{}
	c := scheduled(t, slow, 10*time.Millisecond)
	c.Functions = append(c.Functions, manifest.Function{Name: "other", Timeout: time.Minute, Schedule: 10 * time.Millisecond})
	c.Handlers = func(stack.Deps) (map[string]lambda.Handler, error) {
		return map[string]lambda.Handler{"sweeper": slow, "other": quick}, nil
	}
	c.Schedule = true
	start(t, c)
	t.Cleanup(func() { close(slow.hold) }) // before the stack's stop
	until(t, "a run of the one is under way", func() bool { return slow.calls() == 1 })
	before := quick.calls()
	until(t, "the other has had its turns meanwhile", func() bool { return quick.calls() >= before+3 })
	if got := slow.calls(); got != 1 {
		t.Errorf("got %d calls of the one that is still under way, want 1", got)
	}
}

func TestEveryScheduledFunctionRunsAfterAClockMoveThoughOneFails(t *testing.T) {
	fails, other := &sweeper{fail: true}, &sweeper{}
	c := scheduled(t, fails, time.Hour)
	c.Functions = append(c.Functions, manifest.Function{Name: "other", Timeout: time.Minute, Schedule: time.Hour})
	c.Handlers = func(stack.Deps) (map[string]lambda.Handler, error) {
		return map[string]lambda.Handler{"sweeper": fails, "other": other}, nil
	}
	s := start(t, c)
	if status, got := call(t, "POST", s.URL()+"/_local/clock", `{"advance":"1h"}`); status != 500 || fails.calls() != 1 || other.calls() != 1 {
		t.Errorf("got %d %s, %d calls of the one and %d of the other, want 500 and one of each", status, got, fails.calls(), other.calls())
	}
}
