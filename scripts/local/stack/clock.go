package stack

import (
	"sync/atomic"
	"time"
)

// Clock is the clock that the handlers and the schedule see. It runs as fast as the real one, ahead of it or behind it
// by an offset that can be moved. Tokens follow the real clock, so that moving this one signs nobody out.
type Clock struct {
	offset atomic.Int64 // in nanoseconds
}

// Now is the moved time, in UTC.
func (c *Clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.offset.Load())).UTC()
}

// Advance moves the clock by d, which may be negative, and returns the new time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.offset.Add(int64(d))
	return c.Now()
}

// Set makes it t now.
func (c *Clock) Set(t time.Time) {
	c.offset.Store(int64(time.Until(t)))
}
