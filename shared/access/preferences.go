package access

// Preferences are how a person reads what it is sent: the language, a tag such as "de", and the time zone, a name of IANA's such as
// "Europe/Berlin". "" leaves the choice to the provider. The person alone sets them; they stand at the record of its address, and go with
// the person.
type Preferences struct{ Language, Zone string }

// PlanPreferences plans that a person has these preferences; e is the record of its address. It is refused when the person is not
// registered, and empty when nothing changes.
func PlanPreferences(e *Email, who Identity, p Preferences) (Change, error) {
	user := who.User != nil && e != nil && e.User == who.User.ID
	member := who.User == nil && e != nil && len(e.MemberOf) > 0
	if !user && !member {
		return Change{}, Refuse(NotRegistered, "nobody has registered %s here: ask your administrator or the provider", who.Email)
	}
	if e.Preferences == p {
		return Change{}, nil
	}
	after := *e
	after.Preferences = p
	after.Version++
	return Change{Writes: []Write{EmailWrite{Before: e, After: &after}}}, nil
}

// forgetUnheld removes the preferences of a person who has left: of an address that nobody has any longer.
func (e *Email) forgetUnheld() {
	if e.User == "" && len(e.MemberOf) == 0 {
		e.Preferences = Preferences{}
	}
}
