package mail

import (
	"net/url"
	"strings"
	"time"

	"partneraccess/events"
)

// Requester is who asked, with the organisation.
func (v view) Requester() string { return named(v.d().Requester, 60) + " of " + v.Partner() }

// Asking is the partner that tried wrong codes.
func (v view) Asking() string { return short(organisation(v.d().Asking)) }

// Wish is what is asked for, after "asks for".
func (v view) Wish() string {
	switch v.d().Kind {
	case "extend":
		return "more time with the access to " + v.Customer()
	case "raise":
		return "a higher level of access to " + v.Customer()
	}
	return "access to " + v.Customer()
}

// Narrowed reports whether less was approved than asked for.
func (v view) Narrowed() bool { return len(v.d().Changes) > 0 }

func (v view) addRequestFacts(t *factTable) {
	d := v.d()
	if v.l.Template == "request_codes" {
		t.add("When", clock(v.l.Event.Time))
		return
	}
	was := ""
	if v.l.Event.Type == events.RequestApproved {
		was = "approved"
	}
	label := func(s string) string {
		if was != "" {
			return s + " (" + was + ")"
		}
		return s
	}
	if d.Level != "" {
		t.add(label("Access level"), inWords(d.Level)+v.asked("level"))
	}
	if d.Kind == "access" && d.Level != "" { // users in an open grant have no period of their own
		t.add("Begins", instant(d.From, "when it is approved"))
	}
	if d.Kind == "extend" || d.Kind == "access" && d.Level != "" {
		t.add(label("Ends"), instant(d.Until, "no end date, until it is revoked")+v.asked("until"))
	}
	if d.Everyone != nil && *d.Everyone {
		t.add(label("Users"), "everyone of "+v.Partner())
	}
	names := make([]string, len(d.Users))
	for i := range d.Users {
		names[i] = named(&d.Users[i], 60)
	}
	t.add(label("Users"), strings.Join(names, ", "))
	t.add("Ticket", singleLine(d.Ticket))
	t.add("Asked by", named(d.Requester, 200))
	switch v.l.Template {
	case "request", "request_reminder", "request_question", "request_seconded":
		t.add("To be decided before", instant(d.Expires, ""))
	}
	if v.l.Template == "request" {
		return
	}
	t.addDone("Done by", v)
}

// asked says what was asked for where the approval grants less.
func (v view) asked(field string) string {
	for _, c := range v.d().Changes {
		if was, is := c.Was.(string); c.Field == field && is {
			if at, err := time.Parse(time.RFC3339, was); err == nil {
				was = clock(at)
			}
			return "; asked: " + singleLine(was)
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
		add(named(p, 60)+" writes", d.Purpose)
	}
	add("Question of "+v.Customer(), d.Question)
	add(v.Customer()+" writes", d.Message)
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
