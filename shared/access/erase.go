package access

import (
	"slices"
	"strings"

	"partneraccess/events"
)

// Erasing a person means: the record of a user who was removed loses the address, the name and the telephone number, the records of its
// addresses go, and a task puts a pseudonym into whatever of the partner's history, invitations and mails names the person. Who did what
// can still be told apart: the user's id stays, and the pseudonym is made of it.

// ErasedName stands for the name of a person who was erased.
const ErasedName = "Erased person"

// pseudonyms is the domain of the addresses that stand for erased people: nobody can ever have one (RFC 2606).
const pseudonyms = "erased.invalid"

// Pseudonym returns the address that stands for an erased user, the same for ever.
func Pseudonym(user string) string {
	_, id, _ := strings.Cut(user, ":")
	return "erased-" + strings.ToLower(id) + "@" + pseudonyms
}

// IsPseudonym reports whether an address stands for an erased person: no mail is sent to it, and nobody registers it.
func IsPseudonym(address string) bool { return strings.HasSuffix(address, "@"+pseudonyms) }

// Erased reports whether the person was erased.
func (u *User) Erased() bool { return IsPseudonym(u.Email) }

// Addresses returns all addresses that the account has or had.
func (u *User) Addresses() []string { return append(slices.Clone(u.FormerEmails), u.Email) }

// ErasureFacts are the records that a plan to erase a person reads.
type ErasureFacts struct {
	Partner *Partner
	User    *User
	Emails  []*Email // of the user's addresses, those that there are
}

// MayErase refuses to erase a person: the partner's owner and admins and the provider may, but nobody himself, and nobody a person whose
// role is above his own.
func MayErase(a Actor, u *User) error {
	switch {
	case a.Kind == ActorPartner && a.Role != Owner && a.Role != Admin:
		return Refuse(Forbidden, "only your organisation's owner and admins, and the provider, erase people")
	case a.Kind == ActorPartner && a.User == u.ID:
		return Refuse(Forbidden, "nobody erases himself: ask another admin of your organisation, or the provider")
	}
	if err := MayManageRole(a, u.Role); err != nil {
		return err
	}
	return nil
}

// PlanErase plans that a user who was removed is erased. The change is empty when that has been done.
func PlanErase(f ErasureFacts, pc PlanContext) (Change, error) {
	if f.Partner == nil || f.User == nil || f.User.Status != Removed {
		return Change{}, notFound("user")
	}
	if err := MayErase(pc.Actor, f.User); err != nil || f.User.Erased() {
		return Change{}, err
	}
	u := *f.User
	u.Email, u.Name, u.Phone, u.FormerEmails, u.MemberOf, u.Updated = Pseudonym(u.ID), ErasedName, "", nil, nil, pc.Now
	u.Version++
	t := pc.task(TaskPersonErased, u.Partner, u.ID)
	t.After.Addresses = f.User.Addresses()
	c := Change{Writes: []Write{UserWrite{Before: f.User, After: &u}, t}}
	for _, e := range f.Emails {
		if w := forget(e, u.ID); w != nil {
			c.Writes = append(c.Writes, *w)
		}
	}
	d := events.Data{Version: u.Version, Person: ref(person(&u))}
	c.Events = []events.Event{pc.event(events.UserErased, nil, f.Partner, d)}
	return c, nil
}

// forget removes the user from the record of an address; nil when it is not there. A record that says nothing any more is deleted.
func forget(e *Email, user string) *EmailWrite {
	after := *e
	after.FormerUsers = slices.DeleteFunc(slices.Clone(e.FormerUsers), func(id string) bool { return id == user })
	after.Version++
	switch {
	case after.User == "" && len(after.MemberOf) == 0 && len(after.FormerUsers) == 0:
		return &EmailWrite{Before: e}
	case len(after.FormerUsers) == len(e.FormerUsers):
		return nil
	}
	return &EmailWrite{Before: e, After: &after}
}

// Erasure says which person a task of the kind person_erased removes from what.
type Erasure struct {
	User      string
	Partner   string
	Addresses []string // that the account had
}

// Erasure returns what a task of the kind person_erased does.
func (t *Task) Erasure() Erasure {
	return Erasure{User: t.User, Partner: t.Partner, Addresses: t.Addresses}
}

// Covers reports whether the address was the person's.
func (x Erasure) Covers(address string) bool { return slices.Contains(x.Addresses, address) }

// Pseudonym returns what stands for the person's addresses.
func (x Erasure) Pseudonym() string { return Pseudonym(x.User) }

// Event puts the pseudonym into an event of the partner, and reports whether that changed it. People are told by the id of the user; by
// the address only where the event has no id: a person who was invited, and actors of events from before they had ids. What people wrote,
// such as notes, stays as it is; and so does what a customer's member did, or is, under the same address.
func (x Erasure) Event(e *events.Event) bool {
	changed := false
	set := func(to *string, v string) {
		if *to != "" && *to != v {
			*to, changed = v, true
		}
	}
	person := func(p *events.Person) bool {
		if p == nil || p.ID != x.User && (p.ID != "" || !x.Covers(p.Email)) {
			return false
		}
		set(&p.Email, x.Pseudonym())
		set(&p.Name, ErasedName)
		return true
	}
	if a := &e.Actor; a.Kind == string(ActorPartner) && (a.ID == x.User || a.ID == "" && x.Covers(a.Email)) {
		set(&a.Email, x.Pseudonym())
		set(&a.Name, ErasedName)
	}
	if e.Partner != nil {
		for i := range e.Partner.Contacts {
			if x.Covers(e.Partner.Contacts[i]) {
				set(&e.Partner.Contacts[i], x.Pseudonym())
			}
		}
	}
	d := &e.Data
	for _, people := range [][]events.Person{d.Added, d.Changed, d.Removed, d.Users} {
		for i := range people {
			person(&people[i])
		}
	}
	if d.Side == string(ActorPartner) {
		person(d.Inviter)
	}
	person(d.Requester)
	named := person(d.Person)
	if named {
		set(&d.EmailWas, x.Pseudonym())
	}
	for i := range d.Changes {
		ch := &d.Changes[i]
		for _, v := range []*any{&ch.Was, &ch.Is} {
			changed = x.value(v, ch.Field, named) || changed
		}
	}
	return changed
}

// value puts the pseudonym into a field's value: the address and the name of the person concerned, and the partner's contacts.
func (x Erasure) value(v *any, field string, named bool) (changed bool) {
	stands := map[string]string{"email": x.Pseudonym(), "name": ErasedName}[field]
	switch is := (*v).(type) {
	case string:
		if named && stands != "" && is != stands {
			*v = stands
			return true
		}
	case []any: // as it is decoded
		for i := range is {
			if s, ok := is[i].(string); ok && x.Covers(s) {
				is[i], changed = x.Pseudonym(), true
			}
		}
	}
	return changed
}
