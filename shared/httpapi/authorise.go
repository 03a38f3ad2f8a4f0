package httpapi

import (
	"context"
	"slices"
	"strings"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/service"
)

// The scopes that a token may carry. Everything else that a caller may do follows from who it is in the table.
const (
	ScopeDirectory = "partner-access/directory" // the provider's own systems
	ScopeCheck     = "partner-access/check"     // a back end that asks for decisions
	ScopeAudit     = "partner-access/audit"     // a back end that asks what was decided at an instant of the past
)

// callerKind is a set of kinds of callers.
type callerKind uint16

const (
	provider         callerKind = 1 << iota // a token with the directory scope
	customerAdmin                           // an admin of the customer that the route names
	customerMember                          // another member of it
	anyMember                               // a member of any customer: the partners directory is open to them (D16)
	anyCustomerAdmin                        // an admin of any customer: they see the partners' people, too
	owner                                   // the owner of the partner that the route names; likewise the five below
	partnerAdmin
	business
	tech
	sales
	external
	anyLead   // a lead of any partner: what the route names has to be its own partner's
	signedIn  // everybody with a token, also people who are not registered
	anonymous // without a token: the path carries a secret, or there is none to keep
)

const (
	members   = customerAdmin | customerMember
	leads     = owner | partnerAdmin | business // those who manage a partner's people and customers (P8, P9)
	employees = leads | tech | sales            // they see each other's records (P4)
)

// caller is who makes a request.
type caller struct {
	kind    callerKind
	id      access.Identity    // of a person
	account access.AccountKind // that the token was made out to
	name    string             // of a customer's member
}

// actor is the caller as it is recorded with a change.
func (c caller) actor() access.Actor {
	switch {
	case c.kind == provider:
		return access.Actor{Kind: "provider", Email: c.id.Email}
	case c.kind&members != 0:
		return access.Actor{Kind: "customer", Email: c.id.Email, Name: c.name}
	}
	a := access.Actor{Kind: "partner", Email: c.id.Email}
	if c.id.User != nil {
		a.User, a.Role, a.Name = c.id.User.ID, c.id.User.Role, c.id.User.Name
	}
	return a
}

// forService is the caller as the use cases need it; customer is the one that the path names, "" for none.
func (c caller) forService(customer string) service.Caller {
	out := service.Caller{Actor: c.actor(), Identity: c.id}
	switch {
	case c.kind&members != 0:
		out.Customer = customer
	case c.kind&leads != 0:
		out.Leads = c.id.User.Partner
	case c.kind == anyMember:
		out.Sees = service.SeesDirectory
	case c.kind == external:
		out.Sees = service.SeesOwn
	}
	return out
}

func notFound() error { return service.NothingHere() }

// accountOf reads the name of the account that the token was made out to. A name that cannot be read is refused: it could be that of a
// partner's user. So is an address for which the account's own identity provider may not vouch.
func accountOf(c *apigateway.Claims, f access.Federation) (access.AccountName, error) {
	name, ok := access.ParseAccountName(c.Account)
	if !ok || c.Unclear {
		return name, access.Refuse(unauthenticated, "it is unclear which account this token was made out to: sign in again")
	}
	if name.Kind == access.FederatedAccount {
		if address, ok := access.ParseEmail(c.Email); ok && !f.Vouches(name.Provider, address) {
			return name, access.Refuse(unauthenticated, "the identity provider of this account may not vouch for its address: ask the provider")
		}
	}
	return name, nil
}

// staleAccount refuses the token of an account that has another address by now. A token lives on for a while when its account's address has
// changed.
func staleAccount() *access.Error {
	return access.Refuse(unauthenticated, "this token was made out to an account that has another address now, or is gone: sign in again")
}

// rejectSuspended refuses a person of a suspended partner who would change something: they may read.
func rejectSuspended(id access.Identity, r *apigateway.Request) error {
	if r.Method == "GET" || id.Partner == nil || id.Partner.Status != access.Suspended {
		return nil
	}
	err := access.Refuse(access.PartnerNotActive,
		"your organisation is suspended: it can read, and change nothing, until the provider resumes it")
	err.Caller = true
	return err
}

// authorise returns who the caller is, or a refusal. A person of another organisation gets 404, and a person who is not registered
// not_registered (D6), whatever the route names. The account of a partner's user is that user only: it carries no customer's membership and
// no scope, whatever its address and its token's scopes are. The account of a customer's member is that of no partner's user.
func authorise(ctx context.Context, s service.Store, f access.Federation, r *apigateway.Request, may callerKind) (caller, error) {
	if may&anonymous != 0 {
		return caller{kind: anonymous}, nil
	}
	account, err := accountOf(&r.Claims, f)
	if err != nil {
		return caller{}, err
	}
	address, ok := access.ParseEmail(r.Claims.Email)
	if may&provider != 0 && account.Kind == access.NamelessAccount && r.Claims.Has(ScopeDirectory) {
		return caller{kind: provider, id: access.Identity{Email: address}}, nil
	}
	if may == provider && account.Kind != access.NamelessAccount {
		return caller{}, access.Refuse(access.Forbidden, "this needs a token of the provider's systems, and no person's")
	}
	if !ok {
		if may&signedIn != 0 {
			return caller{kind: signedIn, account: account.Kind}, nil
		}
		return caller{}, access.Refuse(access.Forbidden, "this needs a token of a person with a verified e-mail address%s", orScope(may))
	}
	return authorisePerson(ctx, s, r, may, account, address)
}

// authorisePerson is authorise for a token of a person with that address and of that account.
func authorisePerson(
	ctx context.Context, s service.Store, r *apigateway.Request, may callerKind, account access.AccountName, address string,
) (caller, error) {
	c := caller{kind: signedIn, id: access.Identity{Email: address}, account: account.Kind}
	var err error
	if account.Kind == access.MemberAccount { // it may have ended, and another have come in its place
		if c.id, err = s.Identity(ctx, address); err == nil && !account.IsMember(c.id.Account) {
			err = staleAccount()
		}
		if err != nil {
			return c, err
		}
	}
	if account.Kind != access.UserAccount {
		if c.kind, c.name, err = membership(ctx, s, r, address); err != nil {
			return c, err
		}
		if c.kind&members != 0 {
			return c, roleAllows(c.kind, may)
		}
	}
	if account.Kind != access.MemberAccount {
		if c.id, err = s.Identity(ctx, address); err != nil {
			return c, err
		}
	}
	switch account.Kind {
	case access.UserAccount:
		if c.id.MemberOf = nil; c.id.User == nil || !access.SameAccount(account.Name, c.id.User.ID) {
			return c, staleAccount()
		}
	case access.MemberAccount, access.FederatedAccount:
		c.id.User, c.id.Partner = nil, nil
	case access.NamelessAccount:
	}
	if may&signedIn != 0 {
		return c, rejectSuspended(c.id, r)
	}
	if c.id.User == nil && len(c.id.MemberOf) == 0 {
		return c, access.Refuse(access.NotRegistered, "nobody has registered %s here: ask your administrator or the provider", address)
	}
	return authoriseRegistered(ctx, s, r, may, c)
}

// membership is which member of the route's customer the address belongs to, and the member's name; signedIn when to none, or when the
// route is no customer's.
func membership(ctx context.Context, s service.Store, r *apigateway.Request, address string) (callerKind, string, error) {
	customer := r.PathValue("customer")
	if !strings.Contains(r.RouteKey, " /v1/customers/") || !access.ValidID(customer) {
		return signedIn, "", nil
	}
	ms, err := s.Memberships(ctx, address, []string{customer})
	switch {
	case err != nil || len(ms) != 1:
		return signedIn, "", err
	case ms[0].Member.Admin:
		return customerAdmin, ms[0].Member.Name, nil
	}
	return customerMember, ms[0].Member.Name, nil
}

// authoriseRegistered is authorise for a person who is registered, but no member of the customer whose route it is.
func authoriseRegistered(ctx context.Context, s service.Store, r *apigateway.Request, may callerKind, c caller) (caller, error) {
	u, p := c.id.User, c.id.Partner
	employed := p != nil && p.Status != access.Removed
	own := r.PathValue("customer") == "" && r.PathValue("partner") == "" // the route names no organisation: there is nothing to hide
	if employed && p.ID == r.PathValue("partner") && strings.Contains(r.RouteKey, " /v1/partners/") {
		own = true
		if u.Status != access.Active {
			return c, access.Refuse(access.Forbidden, "your account is %s: ask your organisation's administrator", u.Status)
		}
		if c.kind = kindOfRole(u.Role); c.kind&may != 0 {
			return c, rejectSuspended(c.id, r)
		}
	}
	if may&anyLead != 0 && employed && u.Status == access.Active && kindOfRole(u.Role)&leads != 0 {
		c.kind = kindOfRole(u.Role)
		return c, rejectSuspended(c.id, r)
	}
	if may&(anyMember|anyCustomerAdmin) != 0 {
		ms, err := s.Memberships(ctx, c.id.Email, c.id.MemberOf)
		if err != nil {
			return c, err
		}
		admin := slices.ContainsFunc(ms, func(m access.Membership) bool { return m.Member.Admin })
		switch {
		case admin || len(ms) > 0 && may&anyMember != 0:
			c.kind = anyMember
			return c, nil
		case len(ms) > 0:
			return c, roleAllows(anyMember, may)
		}
	}
	if own {
		return c, roleAllows(c.kind, may)
	}
	return c, notFound()
}

func roleAllows(k, may callerKind) error {
	if k&may == 0 {
		return access.Refuse(access.Forbidden, "your role does not allow this")
	}
	return nil
}

func orScope(may callerKind) string {
	if may&provider != 0 {
		return ", or with the scope " + ScopeDirectory
	}
	return ""
}

func kindOfRole(r access.Role) callerKind {
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
