package mail

import (
	"fmt"
	"strings"
	"time"

	"partneraccess/shared/messages"
)

// wording writes a letter's words in one language, and its times in one zone.
type wording struct {
	catalogue *messages.Catalogue
	language  string
	zone      *time.Location
	err       error // the first of a letter
}

// T returns the words of the catalogue with that key, which begins with "mails." there. Its parameters have the values that are given, as
// name and value in turn, and else those of the letter (value). What cannot be written is "", and fails the letter.
func (v view) T(key string, given ...any) string {
	text, err := v.w.catalogue.Format("mails."+key, func(name string) (any, bool) {
		for i := 0; i+1 < len(given); i += 2 {
			if given[i] == name {
				return given[i+1], true
			}
		}
		return v.value(name)
	})
	if err != nil && v.w.err == nil {
		v.w.err = err
	}
	return text
}

// oneOf is T for a key that ends in one of a set of names, such as a level's; a name without words of its own is returned as it is.
func (v view) oneOf(family, name string) string {
	if key := family + "." + name; v.w.catalogue.Has("mails." + key) {
		return v.T(key)
	}
	return singleLine(strings.ReplaceAll(name, "_", " "))
}

// value returns the letter's value for a parameter of that name; false when there is none.
//
//nolint:cyclop // a table
func (v view) value(name string) (any, bool) {
	switch name {
	case "address":
		return v.Address(), true
	case "asking":
		return v.Asking(), true
	case "by":
		return v.By(), true
	case "customer":
		return v.Customer(), true
	case "day":
		return v.Day(), true
	case "days":
		return v.Days(), true
	case "email":
		return v.Email(), true
	case "emailWas":
		return v.EmailWas(), true
	case "ended":
		return v.Ended(), true
	case "expires":
		return v.Expires(), true
	case "extendedBy":
		return v.ExtendedBy(), true
	case "from":
		return v.From(), true
	case "inviter":
		return v.Inviter(), true
	case "left":
		return v.Left(), true
	case "level":
		return v.Level(), true
	case "life":
		return v.Life(), true
	case "memberRole":
		return v.MemberRole(), true
	case "partner":
		return v.Partner(), true
	case "period":
		return v.Period(), true
	case "person":
		return v.Person(), true
	case "personEmail":
		return v.PersonEmail(), true
	case "personName":
		return v.PersonName(), true
	case "product":
		return v.Product(), true
	case "reason":
		return v.Reason(), true
	case "requester":
		return v.Requester(), true
	case "source":
		return v.Source(), true
	case "until":
		return v.Until(), true
	case "users":
		return v.Count(), true
	case "wish":
		return v.Wish(), true
	}
	return nil, false
}

// clock writes an instant, with its zone: in the recipient's, and in UTC where that is another.
func (v view) clock(t time.Time) string {
	utc, local := t.UTC(), t.In(v.w.zone)
	if _, offset := local.Zone(); offset == 0 {
		return v.instantIn(utc, "UTC")
	}
	inUTC := v.timeOfDay(utc, "UTC")
	if utc.Day() != local.Day() {
		inUTC = v.instantIn(utc, "UTC")
	}
	return v.T("time.and_utc", "local", v.instantIn(local, v.zoneName(local)), "utc", inUTC)
}

func (v view) instantIn(t time.Time, zone string) string {
	return v.T("time.instant", "date", v.date(t), "clock", v.timeOfDay(t, zone))
}

func (v view) timeOfDay(t time.Time, zone string) string {
	return v.T("time.clock", "time", t.Format("15:04"), "zone", zone)
}

// zoneName is the name of an instant's zone as people know it, CET or UTC-03:00.
func (v view) zoneName(t time.Time) string {
	name, _ := t.Zone()
	if name == "" || strings.ContainsAny(name[:1], "+-") {
		return "UTC" + t.Format("-07:00")
	}
	if key := "zone." + strings.ToLower(name); v.w.catalogue.Has("mails." + key) {
		return v.T(key)
	}
	return name
}

// date writes a day.
func (v view) date(t time.Time) string {
	return v.T("time.date", "day", t.Day(), "month", v.T(fmt.Sprintf("month.%d", int(t.Month()))), "year", t.Year())
}

// instant is clock, or what there is for none.
func (v view) instant(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return v.clock(*t)
}
