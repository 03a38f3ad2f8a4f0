package access

import (
	"fmt"
	"time"
)

// Stamp is an instant as records bear it: UTC, to the millisecond, 2027-03-03T09:30:00.000Z; "" = not recorded. Stamps compare as texts do.
//
// A record's stamp is when its latest version was made: the clock of the function that planned the change, which is also the time of the
// change's events. The change is committed some milliseconds later, and functions' clocks differ by as much. So an answer about a past
// instant is exact but for changes that were under way at that instant: they count from the instant on at which they were planned, while a
// check at that very moment may not have seen them yet. A record's stamps never decrease: where a clock is behind the one of the change
// before, the record keeps the earlier change's stamp.
type Stamp string

// stampLayout is how a Stamp is written.
const stampLayout = "2006-01-02T15:04:05.000Z"

// StampOf returns the stamp of an instant; "" of none.
func StampOf(t time.Time) Stamp {
	if t.IsZero() {
		return ""
	}
	return Stamp(t.UTC().Format(stampLayout))
}

// PlannedAt returns when the change was planned: the time of its latest event, or now for a change without one.
func (c Change) PlannedAt(now time.Time) time.Time {
	var at time.Time
	for _, e := range c.Events {
		at = later(at, e.Time)
	}
	if at.IsZero() {
		return now
	}
	return at
}

// MaxPast is how long ago an instant may be that is asked about.
const MaxPast = 10 * 366 * 24 * time.Hour

// CheckPast refuses an instant about which no past is known: one in the future, and one too long ago.
func CheckPast(at, now time.Time) *Error {
	switch {
	case at.After(now):
		return Refuse(Invalid, "%s is in the future, and only what was can be told: give an instant up to now", at.UTC().Format(time.RFC3339))
	case at.Before(now.Add(-MaxPast)):
		return Refuse(Invalid, "%s is more than ten years ago: give a later instant", at.UTC().Format(time.RFC3339))
	}
	return nil
}

// Past is an instant of the past that is asked about; a zero At asks about now.
type Past struct {
	At    time.Time // UTC
	Asked time.Time // when it is asked, UTC
}

// LatestDelivery is how long after a change its versions may still be on their way without anybody having to look.
const LatestDelivery = 15 * time.Minute

// RecordKind is what kind of record a version is of.
type RecordKind string

// The kinds of records whose versions are kept: those that decisions and lists of grants and people read.
const (
	PartnerRecord    RecordKind = "partner"
	HeadcountRecord  RecordKind = "headcount"
	UserRecord       RecordKind = "user"
	CustomerRecord   RecordKind = "customer"
	GrantRecord      RecordKind = "grant"
	AssignmentRecord RecordKind = "assignment"
)

// MissingVersions are versions of one record that should be known and are not, so that what the record was at an instant is not sure. What
// is told of it then is the latest version before.
type MissingVersions struct {
	Kind     RecordKind
	Customer string // of a customer, grant or assignment; "" otherwise
	Partner  string // of a partner, headcount or grant; "" otherwise
	User     string // of a user or assignment; "" otherwise
	From, To int64  // the versions, both included; of an assignment, how often it was changed
	Before   Stamp  // when the version after them was made
}

// String names the record, for logs.
func (m MissingVersions) String() string {
	return fmt.Sprintf("%s %s/%s/%s %d-%d", m.Kind, m.Customer, m.Partner, m.User, m.From, m.To)
}
