package httpapi

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
)

// A check that allows something is a use of the access: the day of the latest one is recorded in the assignment's row, which the check has
// read anyway, so that it costs a write once a person, customer and day, and nothing otherwise. It is recorded before the answer, since
// Lambda freezes a function that has answered and what is under way then may never arrive. It delays that one answer by useBudget at most
// and never changes it: a use that could not be recorded is recorded by the person's next check.
//
// Only what a back end asks is a use: a person who asks about itself has not entered anything. Of a batch and a search, which fill menus,
// it is one only where context.record_use says so.

const (
	// useBudget is how long an answer waits at most until its use is recorded.
	useBudget = 50 * time.Millisecond
	// usePause is how long no use is recorded after one that failed, lest a table in trouble makes every answer wait.
	usePause = 10 * time.Second
)

// UseRecorder records uses. It makes one attempt, within the time that ctx leaves; the error is for the log.
type UseRecorder interface {
	RecordUse(ctx context.Context, customer, user string, use access.Use) error
}

// isUse reports whether an allowed evaluation counts as a use of the access.
func (e *evaluation) isUse(batch bool) bool {
	if asked := e.query.Context; asked != nil && asked.RecordUse != nil {
		return *asked.RecordUse
	}
	return !batch
}

// recordUses records those uses of the evaluations that their rows do not tell of yet.
func (k *check) recordUses(ctx context.Context, r *apigateway.Request, batch bool, evaluations []evaluation) {
	var uses []*evaluation
	for i := range evaluations {
		e := &evaluations[i]
		same := func(other *evaluation) bool { return other.user == e.user && other.customer == e.customer }
		if e.failed == nil && e.use.On != "" && e.isUse(batch) && !slices.ContainsFunc(uses, same) {
			uses = append(uses, e)
		}
	}
	now := k.Now()
	if len(uses) == 0 || k.Uses == nil || now.UnixNano() < k.pausedUntil.Load() {
		return
	}
	ctx, done := context.WithTimeout(ctx, useBudget)
	defer done()
	var g errgroup.Group
	g.SetLimit(16)
	for _, e := range uses {
		g.Go(func() error { return k.Uses.RecordUse(ctx, e.customer, e.user, e.use) })
	}
	if err := g.Wait(); err != nil {
		k.pausedUntil.Store(now.Add(usePause).UnixNano())
		k.Log.LogAttrs(ctx, slog.LevelWarn, "use not recorded", slog.String("request_id", r.RequestID), slog.String("error", err.Error()))
	}
}
