package access

import (
	"strconv"
	"time"
)

// Day is a calendar day in UTC, as 2026-11-28; "" = none. Days compare as texts do.
type Day string

// dayLayout is how a Day is written.
const dayLayout = "2006-01-02"

// DayOf returns the day of an instant, in UTC.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(dayLayout)) }

// DaysText is a duration of whole days as the API writes it (ISO 8601: P90D); "" for none.
func DaysText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return "P" + strconv.Itoa(int(d/(24*time.Hour))) + "D"
}

// ParseDay reads a day as DayOf writes it; false when the text is none.
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(dayLayout, s)
	return Day(s), err == nil && t.Format(dayLayout) == s
}

// Use is the last day on which a check allowed a user something in a customer's tenant. It is a day and no instant, so that it is written
// at most once a person, customer and day. Number is the user's number then: another one means another person.
type Use struct {
	On     Day
	Number int64
}

// LastUsed returns the last day on which the user used the access; "" when no use is recorded of the person who has the account now.
func LastUsed(u *User, a *Assignment) Day {
	if a == nil || a.LastUse.Number != u.Number {
		return ""
	}
	return a.LastUse.On
}

// UnrecordedUse returns the use that a decision of today is; zero when it is none, since it allows nothing in a customer's tenant, or when
// the facts tell of it already.
func UnrecordedUse(f Facts, d Decision, today Day) Use {
	if !d.Allow || d.Grant == "" || LastUsed(f.User, f.Assignment) >= today {
		return Use{}
	}
	return Use{On: today, Number: f.User.Number}
}
