package access

// Identity is what the table knows of a person by the e-mail address.
type Identity struct {
	Email    string
	User     *User    // the partner's user with that address, unless removed
	Partner  *Partner // that user's
	MemberOf []string // customers
	Account  string   // the name of the account that is kept for the members with that address; "" = none

	Preferences Preferences
}

// Individual returns the partner's user whom a grant by e-mail finds; nil while the address is not proved to be the user's (D8, D15).
func (id Identity) Individual() *User {
	if id.User == nil || id.User.Unproved {
		return nil
	}
	return id.User
}

// Membership is a person's place in one customer.
type Membership struct {
	Customer *Customer
	Member   *Member
}
