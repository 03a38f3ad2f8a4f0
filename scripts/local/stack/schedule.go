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
// Two runs of one function never overlap; two that do are for the functions' own tests. Different functions know nothing of each other, as
// in AWS.
type schedule struct {
	functions []*scheduledFunction
	call      func(ctx context.Context, f manifest.Function, id string, event []byte) error
	now       func() time.Time
}

type scheduledFunction struct {
	manifest.Function
	mu sync.Mutex // held by its run that is under way
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
			out.functions = append(out.functions, &scheduledFunction{Function: f})
		}
	}
	return out
}

// all runs every scheduled function once, one after the other, each when its run that is under way has ended.
func (s *schedule) all(ctx context.Context) error {
	var errs []error
	for _, f := range s.functions {
		f.mu.Lock()
		errs = append(errs, s.once(ctx, f.Function))
		f.mu.Unlock()
	}
	return errors.Join(errs...)
}

// run runs the functions by the real clock until ctx ends. A turn that finds a run of the same function under way is left out: what that
// one leaves is for the next turn.
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
				if f.mu.TryLock() {
					_ = s.once(ctx, f.Function) // it has been logged
					f.mu.Unlock()
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
		Region: engine.Region, Resources: []string{"arn:aws:events:" + engine.Region + ":" + accountID + ":rule/" + f.Name},
		Detail: json.RawMessage("{}"),
	})
	if err != nil {
		return fmt.Errorf("encode the scheduled event: %w", err)
	}
	return s.call(ctx, f, id, event)
}
