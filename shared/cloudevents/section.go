package cloudevents

import "strconv"

// Section is a part of a feed.
type Section struct {
	Events []Event // one after the other, without a gap
	Latest int64   // the number of the feed's latest event, 0 before the first
	Gone   bool    // the event after the one that was asked for is not kept any more
}

// Place is the event's place in its feed as a number; 0 when it has none.
func (e Event) Place() int64 {
	n, _ := strconv.ParseInt(e.Sequence, 10, 64)
	return n
}
