package mail

import (
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// lastUsed tells, in a reminder that access ends, when it was last used: by the user whom the letter is for, or by any of those whom the
// grant assigns. It is "" where users are not listed one by one, since their rows are not read then.
func (v view) lastUsed() string {
	d, s := v.d(), v.l.Situation
	if v.l.Template != "expiring" || !s.Known || len(d.Users) == 0 {
		return ""
	}
	users := d.Users
	if v.l.Side == User {
		me := v.recipient(d.Users)
		if me == nil {
			return ""
		}
		users = []events.Person{*me}
	}
	var latest access.Day
	for _, p := range users {
		if u := s.Users[p.ID]; u != nil {
			latest = max(latest, access.LastUsed(u, s.Assignments[p.ID]))
		}
	}
	return v.ago(latest, s.Now)
}

// ago tells how long before an instant a day was, in words and as a date.
func (v view) ago(day access.Day, now time.Time) string {
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return v.T("used.never")
	}
	days, date := int(now.UTC().Truncate(24*time.Hour).Sub(t).Hours()/24), v.date(t)
	switch {
	case days <= 0:
		return v.T("used.today", "date", date)
	case days == 1:
		return v.T("used.yesterday", "date", date)
	case days < 60:
		return v.T("used.days_ago", "n", days, "date", date)
	case days < 730:
		return v.T("used.months_ago", "n", days/30, "date", date)
	}
	return v.T("used.years_ago", "n", days/365, "date", date)
}
