package access

import (
	"fmt"
	"strings"
)

// Account is what the identity provider has to have for one person: a user of a partner, or whoever is a member of customers under one
// address.
//
// The name says for good whose it is, and nothing else does: a user's account has the user's id for its name (contoso:01J9…), a member's
// begins with member~, and those that come from another identity provider (Federation) begin with idp~. No id of a partner has a ~. So no
// account ever acts as two of the three, whatever its address is.
type Account struct {
	Name   string // never changes
	Email  string
	Phone  string // "" = none
	MFA    bool
	Groups []string // of Groups, whose members the service maintains
	Status Status   // removed: there is to be no account
}

// AccountKind says as whom an account acts.
type AccountKind string

// The kinds.
const (
	NamelessAccount  AccountKind = ""          // the token is not of an account of these: it acts by its address
	UserAccount      AccountKind = "user"      // as the partner's user of that id, and never as a customer's member
	MemberAccount    AccountKind = "member"    // as a member of customers, and never as a partner's user
	FederatedAccount AccountKind = "federated" // likewise, for the addresses that its identity provider may vouch for
)

const (
	memberPrefix    = "member~"
	federatedPrefix = "idp~"
)

// AccountName is the name of an account, as a token gives it.
type AccountName struct {
	Kind     AccountKind
	Name     string // as it was given: the identity provider may have folded its letters to lower case
	Provider string // of a federated account: the identity provider's name in Federation, in lower case
}

// ParseAccountName reads the name of an account. It is not ok for a name that could be meant for one of the service's own accounts and is
// none: nobody can tell as whom it acts.
func ParseAccountName(s string) (name AccountName, ok bool) {
	name = AccountName{Name: s}
	kind, rest, marked := strings.Cut(s, "~")
	switch {
	case marked && strings.EqualFold(kind+"~", memberPrefix):
		name.Kind = MemberAccount
		return name, validULID(rest)
	case marked && strings.EqualFold(kind+"~", federatedPrefix):
		name.Kind = FederatedAccount
		provider, subject, found := strings.Cut(rest, "_")
		name.Provider = strings.ToLower(provider)
		return name, found && provider != "" && subject != ""
	case strings.Contains(s, ":"):
		name.Kind = UserAccount
		return name, ValidAccountName(s)
	}
	return name, !marked
}

// validULID reports whether s is a ULID, whose letters may be of either case.
func validULID(s string) bool {
	upper := strings.ToUpper(s) // letters of other alphabets that fold to these are none of a ULID
	return len(s) == 26 && len(upper) == 26 && strings.Trim(upper, ulidLetters) == ""
}

// IsMember reports whether the account is that which the address has now for its member. A member who has been removed and registered
// again has another.
func (n AccountName) IsMember(account string) bool {
	return n.Kind == MemberAccount && account != "" && strings.EqualFold(n.Name, account)
}

// Account returns what the identity provider has to have for the user.
func (u *User) Account() Account {
	return Account{Name: u.ID, Email: u.Email, Phone: u.Phone, MFA: u.MFA, Groups: u.Groups(), Status: u.Status}
}

// MemberAccountOf returns what the identity provider has to have under that name for the members with the address: nothing once the
// address has another account or none. The record is nil when nothing is known of the address.
func MemberAccountOf(name, address string, e *Email) Account {
	a := Account{Name: name, Email: address, Groups: []string{groupCustomers}, Status: Active}
	if e == nil || e.Account != name {
		a.Status = Removed
	}
	return a
}

// maintainMemberAccount plans the account of the members with an address, whose record is about to become after. There is one as long as
// the address is a member's and no partner's user has it: two accounts cannot have the same address, and one that is a partner's carries
// no membership. An address for which another identity provider vouches gets none. Task is the identity task of the account that ends.
func (pc PlanContext) maintainMemberAccount(after *Email, task *Task) []Write {
	ends := after.User != "" || len(after.MemberOf) == 0
	switch {
	case after.Account != "" && ends:
		name := after.Account
		after.Account = ""
		return pc.identityTask(task, name, Task{Address: after.Address})
	case after.Account == "" && !ends && pc.Accounts && !pc.Federation.Covers(after.Address):
		after.Account = memberPrefix + pc.NewID()
		of := Task{Address: after.Address, Customer: after.MemberOf[0]}
		return append(pc.identityTask(nil, after.Account, of), TaskWrite{After: activationTask(nil, after.Account, of, pc)})
	}
	return nil
}

// Federation is the identity providers of others whose people sign in as customers' members.
type Federation []FederatedProvider

// FederatedProvider is one of them.
type FederatedProvider struct {
	Name    string   // in lower case; an account's name begins with idp~, this and _
	Domains []string // in which its addresses count, exactly as they are written; "*" alone = any
}

// anyDomain stands for all domains in a provider's list.
const anyDomain = "*"

// Vouches reports whether the provider of that name may vouch for the address.
func (f Federation) Vouches(provider, address string) bool {
	for _, p := range f {
		if p.Name == provider && p.covers(address) {
			return true
		}
	}
	return false
}

// Covers reports whether any of the providers vouches for the address: its owner signs in there.
func (f Federation) Covers(address string) bool {
	for _, p := range f {
		if p.covers(address) {
			return true
		}
	}
	return false
}

func (p FederatedProvider) covers(address string) bool {
	for _, d := range p.Domains {
		if d == anyDomain || d == domainOf(address) {
			return true
		}
	}
	return false
}

// ParseFederation reads the identity providers of others from a setting: name=domain,domain;name=*. "" is none.
func ParseFederation(s string) (Federation, error) {
	var out Federation
	for one := range strings.SplitSeq(s, ";") {
		if one == "" {
			continue
		}
		name, domains, _ := strings.Cut(one, "=")
		p := FederatedProvider{Name: strings.ToLower(name), Domains: strings.Split(domains, ",")}
		if !ValidProviderName(name) {
			return nil, fmt.Errorf("%q is no name of an identity provider: letters, digits and hyphens, 28 at most", name)
		}
		for _, d := range p.Domains {
			if is, ok := ParseDomain(d); d != anyDomain && (!ok || is != d) {
				return nil, fmt.Errorf("identity provider %s: %q is no domain in lower case, such as acme.example, and not *", name, d)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// String is the setting that ParseFederation reads.
func (f Federation) String() string {
	all := make([]string, len(f))
	for i, p := range f {
		all[i] = p.Name + "=" + strings.Join(p.Domains, ",")
	}
	return strings.Join(all, ";")
}

// FederatedName is the name that the identity provider has in the pool. Cognito begins the accounts' names with it: what is before their
// first _ is then never a partner's id.
func FederatedName(provider string) string { return federatedPrefix + provider }

// maxProviderName is what is left of Cognito's 32 characters.
const maxProviderName = 28

// ValidProviderName reports whether s can be the name of an identity provider in Federation.
func ValidProviderName(s string) bool {
	return s != "" && len(s) <= maxProviderName && ValidID(s) && !strings.ContainsAny(s, "._")
}
