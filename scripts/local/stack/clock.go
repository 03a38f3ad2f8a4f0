package stack

import (
	"sync/atomic"
	"time"
)

// Clock is the clock that the handlers and the schedule see. It runs as fast as the real one, ahead of it or behind it
// by an offset that can be moved; or it stands still until it is moved. Tokens follow the real clock, so that moving this one signs nobody
// out.
type Clock struct {
	still  time.Time    // where it stands, but for the offset; zero: it runs
	offset atomic.Int64 // in nanoseconds
}

// Now is the moved time, in UTC.
func (c *Clock) Now() time.Time {
	return c.base().Add(time.Duration(c.offset.Load())).UTC()
}

func (c *Clock) base() time.Time {
	if c.still.IsZero() {
		return time.Now()
	}
	return c.still
}

// Advance moves the clock by d, which may be negative, and returns the new time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.offset.Add(int64(d))
	return c.Now()
}

// Set makes it t now.
func (c *Clock) Set(t time.Time) {
	c.offset.Store(int64(t.Sub(c.base())))
}
