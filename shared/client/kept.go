package client

import (
	"sync"
	"time"
)

// maxKept is how many allows are kept at most: beyond it all are dropped.
const maxKept = 10_000

// KeepAllows answers Check from an allow that is no older than that. It trades the promise that a revocation counts at once: for so long,
// this process goes on to allow what was ended. An allow is never kept beyond its ValidUntil, and a denial never at all.
func KeepAllows(d time.Duration) Option {
	return func(c *Client) { c.kept = &kept{most: d, now: time.Now, allows: map[Question]allow{}} }
}

type kept struct {
	most time.Duration
	now  func() time.Time

	mu     sync.Mutex
	allows map[Question]allow
}

type allow struct {
	decision Decision
	until    time.Time // by this machine's clock
}

func (k *kept) get(q Question) (Decision, bool) {
	if k == nil {
		return Decision{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.allows[q]
	if !ok || !k.now().Before(a.until) {
		delete(k.allows, q)
		return Decision{}, false
	}
	return a.decision, true
}

// put keeps an allow that was asked for at an instant of this machine's clock. How long it is valid is a span of the service's clock, so
// that the two need not show the same.
func (k *kept) put(q Question, d Decision, asked time.Time) {
	if k == nil || !d.Allowed {
		return
	}
	lasts := k.most
	if !d.ValidUntil.IsZero() {
		if d.EvaluatedAt.IsZero() {
			return
		}
		lasts = min(lasts, d.ValidUntil.Sub(d.EvaluatedAt))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.allows) >= maxKept {
		clear(k.allows)
	}
	k.allows[q] = allow{d, asked.Add(lasts)}
}
