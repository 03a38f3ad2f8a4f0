package events

import "time"

// Altered returns the fields that the change altered, with their values before and after, and nothing that it left as it was. Of an event
// from before Changes it returns what its other members say.
func (d Data) Altered() []Change {
	out := d.Changes
	if out == nil {
		out = d.fromMembers()
	}
	if d.Person != nil && d.EmailWas != "" && !altersField(out, "email") {
		out = append(out[:len(out):len(out)], Change{Field: "email", Was: d.EmailWas, Is: d.Person.Email})
	}
	return out
}

func (d Data) fromMembers() []Change {
	var out []Change
	if d.Everyone != nil {
		out = append(out, Change{Field: "everyone", Was: !*d.Everyone, Is: *d.Everyone})
	}
	if d.FromWas != nil {
		out = append(out, Change{Field: "from", Was: instant(d.FromWas), Is: instant(d.From)})
	}
	if d.LevelWas != "" {
		out = append(out, Change{Field: "level", Was: d.LevelWas, Is: d.Level})
	}
	if d.SSOWas != nil && d.RequireSSO != nil {
		out = append(out, Change{Field: "require_sso", Was: *d.SSOWas, Is: *d.RequireSSO})
	}
	if d.UntilWas != nil || d.altersUntil() {
		out = append(out, Change{Field: "until", Was: instant(d.UntilWas), Is: instant(d.Until)})
	}
	return out
}

// altersUntil reports whether the end of the period is among the fields: without an end before, it was continuous.
func (d Data) altersUntil() bool {
	for _, f := range d.Fields {
		if f == "until" {
			return true
		}
	}
	return false
}

func altersField(changes []Change, field string) bool {
	for _, c := range changes {
		if c.Field == field {
			return true
		}
	}
	return false
}

func instant(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Names reports whether the event names a person, by its address or by the id of a partner's user: as the one concerned, as who invited, or
// among the users of a grant.
func (d Data) Names(who string) bool {
	is := func(p *Person) bool { return p != nil && (p.Email == who || p.ID == who) }
	if is(d.Person) || is(d.Inviter) || is(d.Requester) || d.EmailWas == who {
		return true
	}
	for _, list := range [][]Person{d.Added, d.Changed, d.Removed, d.Users, d.Approvers} {
		for i := range list {
			if is(&list[i]) {
				return true
			}
		}
	}
	return false
}
