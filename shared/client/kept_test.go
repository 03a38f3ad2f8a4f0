package client

import (
	"testing"
	"time"
)

// An allow is kept as long as was asked for, never beyond its end, by spans that do not depend on whose clock is right; a denial never.
func TestAnAllowIsKeptNoLongerThanItIsValid(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	theirs := now.Add(-time.Hour)
	for about, c := range map[string]struct {
		decision Decision
		lasts    time.Duration
	}{
		"no end":              {Decision{Allowed: true}, time.Minute},
		"an end after it":     {Decision{Allowed: true, EvaluatedAt: theirs, ValidUntil: theirs.Add(time.Hour)}, time.Minute},
		"an end before it":    {Decision{Allowed: true, EvaluatedAt: theirs, ValidUntil: theirs.Add(10 * time.Second)}, 10 * time.Second},
		"decided at no time":  {Decision{Allowed: true, ValidUntil: theirs.Add(time.Hour)}, 0},
		"denied":              {Decision{}, 0},
		"denied, with an end": {Decision{EvaluatedAt: theirs, ValidUntil: theirs.Add(time.Hour)}, 0},
	} {
		clock := now
		k := &kept{most: time.Minute, now: func() time.Time { return clock }, allows: map[Question]allow{}}
		q := Question{User: "kim"}
		k.put(q, c.decision, now)
		for _, after := range []time.Duration{0, 10*time.Second - 1, 10 * time.Second, time.Minute - 1, time.Minute} {
			clock = now.Add(after)
			if _, got := k.get(q); got != (after < c.lasts) {
				t.Errorf("%s: kept %v after %s, want %v", about, got, after, after < c.lasts)
			}
		}
		if _, got := k.get(Question{User: "sam"}); got {
			t.Errorf("%s: somebody else got it", about)
		}
	}
	var none *kept
	none.put(Question{}, Decision{Allowed: true}, now)
	if _, got := none.get(Question{}); got {
		t.Error("kept without being asked to")
	}
}
