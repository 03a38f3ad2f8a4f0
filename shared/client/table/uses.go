package table

import (
	"context"
	"sync/atomic"
	"time"

	"partneraccess/shared/client"
)

const (
	// useBudget is how long an answer waits at most until its use is recorded.
	useBudget = 250 * time.Millisecond
	// usePause is how long the service is not asked after it did not answer, lest every answer waits for it.
	usePause = 10 * time.Second
)

// Asker asks the service: a client.Client does.
type Asker interface {
	Check(ctx context.Context, q client.Question) (client.Decision, error)
}

// uses has the service record uses.
type uses struct {
	service     Asker
	pausedUntil atomic.Int64 // nanoseconds since 1970
}

// record has the service record a use, now. Nobody hears of what goes wrong: the person's next check asks again. A person who breaks its
// request off stays seen.
func (u *uses) record(ctx context.Context, q client.Question, now time.Time) {
	if now.UnixNano() < u.pausedUntil.Load() {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), useBudget)
	defer done()
	if _, err := u.service.Check(ctx, q); err != nil {
		u.pausedUntil.Store(now.Add(usePause).UnixNano())
	}
}
