package httpapi

import (
	"context"
	"slices"
	"strings"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

// The scopes that a token may carry. Everything else that a caller may do follows from who it is in the table.
const (
	ScopeDirectory = "partner-access/directory" // the provider's own systems
	ScopeCheck     = "partner-access/check"     // a back end that asks for decisions
)

// kind is a set of kinds of callers.
type kind uint16

const (
	provider       kind = 1 << iota // a token with the directory scope
	customerAdmin                   // an admin of the customer that the route names
	customerMember                  // another member of it
	anyCustomer                     // a member of whichever customer: the partners directory is open to them (D16)
	anyAdmin                        // an admin of whichever customer: they see the partners' people, too
	owner                           // of the partner that the route names, and so on
	partnerAdmin
	business
	tech
	sales
	external
	anyPartner // a lead of whichever partner: what it names has to be its own partner's
	anybody    // whoever has signed in, even when nobody knows him
	nobody     // without signing in: the path carries a secret
)

const (
	members   = customerAdmin | customerMember
	leads     = owner | partnerAdmin | business // those who manage a partner's people and customers (P8, P9)
	employees = leads | tech | sales            // they see each other's records (P4)
)

// caller is who makes a request, as far as the route needs to know.
type caller struct {
	kind kind
	id   access.Identity // of a person
}

// actor is the caller as it is remembered in what it changes.
func (c caller) actor() access.Actor {
	switch {
	case c.kind == provider:
		return access.Actor{Kind: "provider", Email: c.id.Email}
	case c.kind&members != 0:
		return access.Actor{Kind: "customer", Email: c.id.Email}
	}
	a := access.Actor{Kind: "partner", Email: c.id.Email}
	if c.id.User != nil {
		a.User, a.Role = c.id.User.ID, c.id.User.Role
	}
	return a
}

// asks is the caller as the use cases know it, of a request whose path names that customer or none.
func (c caller) asks(customer string) service.Caller {
	out := service.Caller{Actor: c.actor(), Identity: c.id}
	switch {
	case c.kind&members != 0:
		out.Customer = customer
	case c.kind&leads != 0:
		out.Leads = c.id.User.Partner
	case c.kind == anyCustomer:
		out.Sees = service.SeesDirectory
	case c.kind == external:
		out.Sees = service.SeesOwn
	}
	return out
}

func nothingHere() error { return service.NothingHere() }

// accountOf is the name of a partner's user's account that the token was made out to, "" when it was made out to anybody else. It is compared with
// access.SameAccount. A name that cannot be read is refused: it could be such an account's.
func accountOf(c *Claims) (string, error) {
	name := c.Account
	switch {
	case c.Unclear:
	case !strings.Contains(name, ":"):
		return "", nil
	case access.ValidAccountName(name):
		return name, nil
	}
	return "", access.Refuse(unauthenticated, "it is unclear which account this token was made out to: sign in again")
}

// staleAccount refuses the token of an account that has another address by now. A token lives on for a while when its account's address has changed hands.
func staleAccount() *access.Error {
	return access.Refuse(unauthenticated, "this token was made out to an account that has another address now, or is gone: sign in again")
}

// rejectSuspended refuses a person of a suspended partner who would change something: such people read.
func rejectSuspended(id access.Identity, r *Request) error {
	if r.Method == "GET" || id.Partner == nil || id.Partner.Status != access.Suspended {
		return nil
	}
	err := access.Refuse(access.PartnerNotActive, "your organisation is suspended: it can read, and change nothing, until the provider resumes it")
	err.Caller = true
	return err
}

// authorise tells who the caller is, or why the route is closed to it. A person of another organisation learns no more than that there is
// nothing; a person whom nobody knows, that it is not registered (D6), whatever the route names. An account of a partner's user is that user and
// nobody else: whatever its address and the token's scopes are, it carries no customer's membership.
func authorise(ctx context.Context, s service.Store, r *Request, may kind) (caller, error) {
	if may&nobody != 0 {
		return caller{kind: nobody}, nil
	}
	account, err := accountOf(&r.Claims)
	if err != nil {
		return caller{}, err
	}
	if may&provider != 0 && account == "" && r.Claims.Has(ScopeDirectory) {
		return caller{kind: provider, id: access.Identity{Email: r.Claims.Email}}, nil
	}
	address, ok := access.ParseEmail(r.Claims.Email)
	if !ok {
		if may&anybody != 0 {
			return caller{kind: anybody}, nil
		}
		return caller{}, access.Refuse(access.Forbidden, "this needs a token of a person with a verified e-mail address%s", orScope(may))
	}
	c := caller{kind: anybody, id: access.Identity{Email: address}}
	if account != "" {
		if c.id, err = s.Identity(ctx, address); err != nil {
			return c, err
		}
		if c.id.MemberOf = nil; c.id.User == nil || !access.SameAccount(account, c.id.User.ID) {
			return c, staleAccount()
		}
	}
	if customer := r.PathValue("customer"); strings.Contains(r.RouteKey, " /v1/customers/") && access.ValidID(customer) && account == "" {
		ms, err := s.Memberships(ctx, address, []string{customer})
		if err != nil {
			return c, err
		}
		if len(ms) == 1 {
			c.kind = customerMember
			if ms[0].Member.Admin {
				c.kind = customerAdmin
			}
			return c, roleAllows(c.kind, may)
		}
	}
	if c.id.User == nil {
		c.id, err = s.Identity(ctx, address)
	}
	if err != nil {
		return c, err
	}
	if may&anybody != 0 {
		return c, rejectSuspended(c.id, r)
	}
	u, p := c.id.User, c.id.Partner
	if u == nil && len(c.id.MemberOf) == 0 {
		return c, access.Refuse(access.NotRegistered, "nobody has registered %s here: ask your administrator or the provider", address)
	}
	own := r.PathValue("customer") == "" && r.PathValue("partner") == "" // the route names nobody: there is nothing to hide
	if p != nil && p.ID == r.PathValue("partner") && p.Status != access.Removed && strings.Contains(r.RouteKey, " /v1/partners/") {
		own = true
		if u.Status != access.Active {
			return c, access.Refuse(access.Forbidden, "your account is %s: ask your organisation's administrator", u.Status)
		}
		if c.kind = kindOfRole(u.Role); c.kind&may != 0 {
			return c, rejectSuspended(c.id, r)
		}
	}
	if may&anyPartner != 0 && p != nil && p.Status != access.Removed && u.Status == access.Active && kindOfRole(u.Role)&leads != 0 {
		c.kind = kindOfRole(u.Role)
		return c, rejectSuspended(c.id, r)
	}
	if may&(anyCustomer|anyAdmin) != 0 {
		ms, err := s.Memberships(ctx, address, c.id.MemberOf)
		if err != nil {
			return c, err
		}
		admin := slices.ContainsFunc(ms, func(m access.Membership) bool { return m.Member.Admin })
		switch {
		case admin || len(ms) > 0 && may&anyCustomer != 0:
			c.kind = anyCustomer
			return c, nil
		case len(ms) > 0:
			return c, roleAllows(anyCustomer, may)
		}
	}
	if own {
		return c, roleAllows(c.kind, may)
	}
	return c, nothingHere()
}

func roleAllows(k, may kind) error {
	if k&may == 0 {
		return access.Refuse(access.Forbidden, "your role does not allow this")
	}
	return nil
}

func orScope(may kind) string {
	if may&provider != 0 {
		return ", or with the scope " + ScopeDirectory
	}
	return ""
}

func kindOfRole(r access.Role) kind {
	switch r {
	case access.Owner:
		return owner
	case access.Admin:
		return partnerAdmin
	case access.Business:
		return business
	case access.Tech:
		return tech
	case access.SalesMarketing:
		return sales
	}
	return external
}
