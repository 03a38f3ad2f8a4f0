package dynamo

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// News is what a written item means for others: an event of the history, or what the change of a record means for access. Most items mean
// nothing to others.
type News struct {
	Event  *events.Event
	Shifts []access.Shift
	IDs    []string  // of the shifts: ULIDs, the same whenever the same change is read
	At     time.Time // of the shifts: when the change was planned, UTC
}

// NewsOf returns what an item of the table that was written means for others: old and now are its images in DynamoDB's JSON, as the table's
// stream has them; old is empty for a new item.
func NewsOf(old, now json.RawMessage) (News, error) {
	image, err := attributesOf(now)
	if err != nil {
		return News{}, fmt.Errorf("the new image: %w", err)
	}
	before, err := attributesOf(old)
	if err != nil {
		return News{}, fmt.Errorf("the old image: %w", err)
	}
	key, it, was := keyOf(image), fromSDK(image), fromSDK(before)
	if strings.HasPrefix(key.SK, eventPrefix) {
		if len(before) > 0 { // a person was erased from it, which is no event
			return News{}, nil
		}
		e, err := decode(it, func(it *item) events.Event {
			e, err := it.event()
			it.check("event", err)
			return e
		})
		return News{Event: &e}, err
	}
	number := numberOf(key, it)
	if _, kept := refOf(key); !kept || number == 0 || len(before) > 0 && number == numberOf(key, was) {
		return News{}, it.err
	}
	n := News{At: it.madeAt()}
	if len(before) == 0 {
		was = nil
	}
	n.Shifts = shiftsOf(key, was, it, n.At)
	if it.err == nil && was != nil {
		it.err = was.err
	}
	if it.err != nil {
		return News{}, it.err
	}
	for i := range n.Shifts {
		n.IDs = append(n.IDs, shiftID(n.At, key, number, i))
	}
	return n, nil
}

// madeAt is when the record's latest version was made. Records from before stamps were recorded have only when people saw them change.
func (it *item) madeAt() time.Time {
	for _, name := range []string{changed, "updated", "at"} {
		if it.s(name) != "" {
			return it.t(name)
		}
	}
	return time.Time{}
}

// shiftsOf returns what the change of a record means for access; was is nil for a new item.
func shiftsOf(k Key, was, is *item, at time.Time) []access.Shift {
	switch k.PK[:1] + k.SK[:1] {
	case "PP":
		return access.PartnerShifts(recordOf(was, (*item).partner), is.partner(), at)
	case "PU", "PF":
		return access.UserShifts(recordOf(was, (*item).user), is.user(), at)
	case "CG":
		return access.GrantShifts(recordOf(was, (*item).grant), is.grant(), at)
	case "CU":
		return access.AssignmentShifts(recordOf(was, (*item).assignment), is.assignment(), at)
	}
	return nil
}

func recordOf[T any](it *item, as func(*item) *T) *T {
	if it == nil {
		return nil
	}
	return as(it)
}

// shiftID returns the id of a shift of a record's version: a ULID of the instant and of a digest, so that copies have the same.
func shiftID(at time.Time, k Key, number int64, i int) string {
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d", k.PK, k.SK, number, i))
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(at)) // fails after the year 10889
	_ = id.SetEntropy(digest[:10])     // fails for another length
	return id.String()
}
