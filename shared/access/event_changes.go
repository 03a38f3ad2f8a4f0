package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// alteredFields collects what an event says of the fields that a change altered.
type alteredFields []events.Change

// add adds a field whose value differs. An empty text, a zero instant and an empty list are nil: there is none.
func add[T any](l *alteredFields, field string, was, is T, value func(T) any) {
	w, i := value(was), value(is)
	if !sameValue(w, i) {
		*l = append(*l, events.Change{Field: field, Was: w, Is: i})
	}
}

func sameValue(a, b any) bool {
	l, isList := a.([]string)
	if m, both := b.([]string); isList && both {
		return slices.Equal(l, m)
	}
	return !isList && a == b
}

func (l *alteredFields) text(field, was, is string) {
	add(l, field, was, is, func(s string) any {
		if s == "" {
			return nil
		}
		return s
	})
}

func (l *alteredFields) flag(field string, was, is bool) {
	add(l, field, was, is, func(b bool) any { return b })
}

func (l *alteredFields) list(field string, was, is []string) {
	add(l, field, was, is, func(s []string) any {
		if len(s) == 0 {
			return nil
		}
		return s
	})
}

func (l *alteredFields) instant(field string, was, is time.Time) {
	add(l, field, was, is, func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UTC().Format(time.RFC3339Nano)
	})
}

// grantAlterations returns the fields in which two versions of a grant differ, sorted.
func grantAlterations(a, b *Grant) []events.Change {
	var l alteredFields
	l.text("assigned_by", string(a.AssignedBy), string(b.AssignedBy))
	l.text("auto_extend", DaysText(a.AutoExtend), DaysText(b.AutoExtend))
	l.flag("everyone", a.Everyone, b.Everyone)
	l.instant("from", a.From, b.From)
	l.text("level", a.Level.String(), b.Level.String())
	l.flag("managed", a.Managed, b.Managed)
	l.text("message", a.Message, b.Message)
	l.text("note", a.Note, b.Note)
	l.flag("require_sso", a.RequireSSO, b.RequireSSO)
	l.text("state", string(a.State), string(b.State))
	l.instant("until", a.Until, b.Until)
	return l
}

// userAlterations is the same for a partner's user. A telephone number stays out of the events, which are kept for ever: that it changed
// is among their fields.
func userAlterations(a, b *User) []events.Change {
	var l alteredFields
	l.text("email", a.Email, b.Email)
	l.flag("email_proved", !a.Unproved, !b.Unproved)
	l.flag("mfa", a.MFA, b.MFA)
	l.text("name", a.Name, b.Name)
	l.text("role", string(a.Role), string(b.Role))
	l.text("status", string(a.Status), string(b.Status))
	return l
}

// partnerAlterations is the same for a partner; a is nil for a new one, of which nothing was altered.
func partnerAlterations(a, b *Partner) []events.Change {
	if a == nil {
		return nil
	}
	var l alteredFields
	l.text("class", string(a.Class), string(b.Class))
	l.list("contacts", a.Contacts, b.Contacts)
	l.list("domains", a.Domains, b.Domains)
	l.text("name", a.Name, b.Name)
	l.text("offer", a.Offer.String(), b.Offer.String())
	l.flag("owner_sets_sso", a.OwnerSetsSSO, b.OwnerSetsSSO)
	l.text("parent", a.Parent, b.Parent)
	l.flag("sso", a.SSO, b.SSO)
	l.text("status", string(a.Status), string(b.Status))
	return l
}

// customerAlterations is the same for a customer.
func customerAlterations(a, b *Customer) []events.Change {
	if a == nil {
		return nil
	}
	var l alteredFields
	l.list("contacts", a.Contacts, b.Contacts)
	l.text("domain", a.Domain, b.Domain)
	l.text("name", a.Name, b.Name)
	return l
}

// memberAlterations is the same for a customer's member.
func memberAlterations(a, b *Member) []events.Change {
	if a == nil {
		return nil
	}
	var l alteredFields
	l.text("name", a.Name, b.Name)
	l.text("role", a.role(), b.role())
	return l
}

func (m *Member) role() string {
	if m.Admin {
		return "admin"
	}
	return "member"
}
