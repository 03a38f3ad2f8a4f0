package mail

import (
	"net/url"
	"strings"
	"time"

	"partneraccess/events"
)

// Requester is who asked, with the organisation.
func (v view) Requester() string {
	return v.T("person.of", "person", v.named(v.d().Requester, 60), "organisation", v.Partner())
}

// Asking is the partner that tried wrong codes.
func (v view) Asking() string { return short(organisation(v.d().Asking)) }

// Wish is what is asked for, after "asks for".
func (v view) Wish() string {
	switch v.d().Kind {
	case "extend":
		return v.T("wish.extend")
	case "raise":
		return v.T("wish.raise")
	}
	return v.T("wish.access")
}

// Narrowed reports whether less was approved than asked for.
func (v view) Narrowed() bool { return len(v.d().Changes) > 0 }

func (v view) addRequestFacts(t *factTable) {
	d := v.d()
	if v.l.Template == "request_codes" {
		t.add(v.T("fact.when"), v.clock(v.l.Event.Time))
		return
	}
	label := func(s string) string {
		if v.l.Event.Type == events.RequestApproved {
			return v.T("fact.approved", "label", s)
		}
		return s
	}
	if d.Level != "" {
		t.add(label(v.T("fact.access_level")), v.inWords(d.Level)+v.asked("level"))
	}
	if d.Kind == "access" && d.Level != "" { // users in an open grant have no period of their own
		t.add(v.T("fact.begins"), v.instant(d.From, v.T("end.from_approval")))
	}
	if d.Kind == "extend" || d.Kind == "access" && d.Level != "" {
		t.add(label(v.T("fact.ends")), v.instant(d.Until, v.T("end.none"))+v.asked("until"))
	}
	if d.Everyone != nil && *d.Everyone {
		t.add(label(v.T("fact.users")), v.T("users.everyone"))
	}
	names := make([]string, len(d.Users))
	for i := range d.Users {
		names[i] = v.named(&d.Users[i], 60)
	}
	t.add(label(v.T("fact.users")), strings.Join(names, ", "))
	t.add(v.T("fact.ticket"), singleLine(d.Ticket))
	t.add(v.T("fact.asked_by"), v.named(d.Requester, 200))
	switch v.l.Template {
	case "request", "request_reminder", "request_question", "request_seconded":
		t.add(v.T("fact.to_be_decided_before"), v.instant(d.Expires, ""))
	}
	if v.l.Template == "request" {
		return
	}
	t.addDone(v.T("fact.done_by"), v)
}

// asked says what was asked for where the approval grants less.
func (v view) asked(field string) string {
	for _, c := range v.d().Changes {
		if was, is := c.Was.(string); c.Field == field && is {
			if at, err := time.Parse(time.RFC3339, was); err == nil {
				was = v.clock(at)
			}
			return v.T("change.asked", "was", v.oneOf("level", was))
		}
	}
	return ""
}

// requestQuotes are the words of who asked, of who asked back, and of who decided.
func (v view) requestQuotes() []quote {
	var out []quote
	add := func(title, text string) {
		if text != "" {
			out = append(out, quote{title, lines(text)})
		}
	}
	d := v.d()
	if p := d.Requester; p != nil {
		add(v.T("quote.person", "person", v.named(p, 60)), d.Purpose)
	}
	add(v.T("quote.question"), d.Question)
	add(v.T("quote.customer"), d.Message)
	return out
}

// requestLink is the page with the request shown. The person still has to sign in; nothing is decided by opening it.
func (v view) requestLink(page string, ids map[string]string) string {
	address := fill(page, ids)
	u, err := url.Parse(address)
	if err != nil || v.d().AskedFor == "" {
		return address
	}
	query := u.Query()
	query.Set("request", v.d().AskedFor)
	u.RawQuery = query.Encode()
	return u.String()
}
