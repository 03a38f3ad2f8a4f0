package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/manifest"
)

// schedule runs the manifest's scheduled functions: as often as it says by the real clock, and whenever the stack's clock was moved.
// A run never overlaps another one of the same stack; two that do are for the functions' own tests.
type schedule struct {
	functions []manifest.Function
	call      func(ctx context.Context, f manifest.Function, id string, event []byte) error
	now       func() time.Time

	mu sync.Mutex // held by the run that is under way
}

func (s *Stack) newSchedule() *schedule {
	out := &schedule{now: s.Clock.Now, call: func(ctx context.Context, f manifest.Function, id string, event []byte) error {
		_, err := invoke(context.WithoutCancel(ctx), s.handlers, f, id, event)
		if err != nil {
			s.log.Error("scheduled function failed", "function", f.Name, "request_id", id, "error", err.Error())
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
		return nil
	}}
	for _, f := range s.functions {
		if f.Schedule > 0 && s.handlers[f.Name] != nil {
			out.functions = append(out.functions, f)
		}
	}
	return out
}

// all runs every scheduled function once, one after the other.
func (s *schedule) all(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, f := range s.functions {
		errs = append(errs, s.once(ctx, f))
	}
	return errors.Join(errs...)
}

// run runs the functions by the real clock until ctx ends. A turn that finds another run under way is left out, since that one
// does the work.
func (s *schedule) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, f := range s.functions {
		wg.Go(func() {
			tick := time.NewTicker(f.Schedule)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if s.mu.TryLock() {
					_ = s.once(ctx, f) // it has been logged
					s.mu.Unlock()
				}
			}
		})
	}
}

// once calls a function as an EventBridge rule does. The event carries the stack's time; a function that used it for anything
// but its log would trust whoever may invoke it.
func (s *schedule) once(ctx context.Context, f manifest.Function) error {
	id := newInvocationID()
	event, err := json.Marshal(events.EventBridgeEvent{
		Version: "0", ID: id, DetailType: "Scheduled Event", Source: "aws.events", AccountID: accountID, Time: s.now().Truncate(time.Second),
		Region: engine.Region, Resources: []string{"arn:aws:events:" + engine.Region + ":" + accountID + ":rule/" + f.Name}, Detail: json.RawMessage("{}"),
	})
	if err != nil {
		return fmt.Errorf("encode the scheduled event: %w", err)
	}
	return s.call(ctx, f, id, event)
}
