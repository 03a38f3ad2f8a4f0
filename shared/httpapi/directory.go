package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
)

// directoryStore loads what plans about the directory look at.
type directoryStore interface {
	UserFacts(ctx context.Context, partner, user, address string) (access.UserFacts, error)
	MemberFacts(ctx context.Context, customer, address string) (access.MemberFacts, error)
	// LastAdmin tells whether no other member of the customer is an admin, though one of its grants has not ended.
	LastAdmin(ctx context.Context, customer, address string, now time.Time) (bool, error)
	// Domains reads the records of the registry of domains that a plan about these addresses or domains looks at.
	Domains(ctx context.Context, addresses ...string) (access.Domains, error)
}

type partnerBody struct {
	Name     opt[string]   `json:"name"`
	Class    opt[string]   `json:"class"`
	Offer    opt[string]   `json:"offer"`
	SSO      opt[bool]     `json:"sso"`
	Status   opt[string]   `json:"status"`
	Parent   opt[string]   `json:"parent"`
	Contacts opt[[]string] `json:"contacts"`
	Domains  opt[[]string] `json:"domains"`

	OwnerSetsSSO opt[bool] `json:"owner_sets_sso"`
}

func (b partnerBody) command() (access.PartnerCommand, error) {
	var f findings
	cmd := access.PartnerCommand{
		Name: f.name(b.Name, "/name"), Class: oneOf(&f, b.Class, "/class", access.Channel, access.Other), Offer: f.level(b.Offer, "/offer"),
		SSO: f.flag(b.SSO, "/sso"), Status: oneOf(&f, b.Status, "/status", access.Active, access.Suspended), Contacts: f.contacts(b.Contacts, "/contacts"),
		Domains: f.domains(b.Domains, "/domains"), OwnerSetsSSO: f.flag(b.OwnerSetsSSO, "/owner_sets_sso"),
	}
	cmd.Parent = f.textOrNone(b.Parent, "/parent", "this cannot be a partner's id; null for none", access.ValidID)
	return cmd, f.err()
}

// putPartner and patchPartner differ only in what they find: PUT creates, PATCH needs something to edit and the version that was seen. Both leave
// what is not given as it is.
func putPartner(ctx context.Context, c *call) (reply, error) { return writePartner(ctx, c, true) }

func patchPartner(ctx context.Context, c *call) (reply, error) { return writePartner(ctx, c, false) }

func writePartner(ctx context.Context, c *call, create bool) (reply, error) {
	var b partnerBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	cmd, err := b.command()
	if err != nil {
		return reply{}, err
	}
	if cmd.Seen, err = c.seen(!create && !cmd.OnlyStatus()); err != nil {
		return reply{}, err
	}
	return c.savePartner(ctx, cmd, create, func(p *access.Partner) any { return viewPartner(p, true) })
}

func (c *call) savePartner(ctx context.Context, cmd access.PartnerCommand, create bool, view func(*access.Partner) any) (reply, error) {
	id := c.PathValue("partner")
	save := func(ctx context.Context) (access.Change, reply, error) {
		before, registry, err := c.partnerAndDomains(ctx, id, cmd.Domains)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		if !create && (before == nil || before.Status == access.Removed) {
			return access.Change{}, reply{}, nothingHere()
		}
		if before == nil && c.expects() {
			return access.Change{}, reply{}, nothingSeen()
		}
		if before != nil && before.Status != access.Removed {
			if err := c.unseen(before.Version); err != nil {
				return access.Change{}, reply{}, err
			}
		}
		var above []*access.Partner
		if cmd.Parent != nil {
			for next := *cmd.Parent; next != "" && len(above) <= access.MaxParents; {
				p, err := c.api.Store.Partner(ctx, next)
				if err != nil {
					return access.Change{}, reply{}, err
				}
				if p == nil {
					break
				}
				above, next = append(above, p), p.Parent
			}
		}
		change, after, err := access.PlanPartner(id, before, above, registry, cmd, c.moment())
		if err != nil {
			return access.Change{}, reply{}, err
		}
		out := reply{status: 200, version: after.Version, body: view(after)}
		if before == nil {
			out.status, out.location = 201, "/v1/partners/"+id
		}
		return change, out, nil
	}
	if cmd.OnlySuspends() {
		return c.take(ctx, save)
	}
	return c.change(ctx, "", save)
}

// partnerAndDomains reads a partner and, when its domains are to be others, the records of those that it has and gets.
func (c *call) partnerAndDomains(ctx context.Context, id string, domains *[]string) (*access.Partner, access.Domains, error) {
	p, err := c.api.Store.Partner(ctx, id)
	if err != nil || domains == nil {
		return p, nil, err
	}
	names := *domains
	if p != nil {
		names = slices.Concat(names, p.Domains)
	}
	registry, err := c.api.Store.Domains(ctx, names...)
	return p, registry, err
}

type accountBody struct {
	Name     opt[string]   `json:"name"`
	SSO      opt[bool]     `json:"sso"`
	Contacts opt[[]string] `json:"contacts"`
}

// patchAccount is what the owner itself may change of its partner (P8). The name is the provider's: customers recognise a partner by it.
// Single sign-on is the provider's, too, unless it allows the owner to set it (A9).
func patchAccount(ctx context.Context, c *call) (reply, error) {
	seen, err := c.seen(true)
	if err != nil {
		return reply{}, err
	}
	var b accountBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	if b.Name.Given {
		return reply{}, access.Refuse(access.Forbidden, "the name of your organisation is the provider's to change: ask the provider").At("/name")
	}
	var f findings
	cmd := access.PartnerCommand{Seen: seen, SSO: f.flag(b.SSO, "/sso"), Contacts: f.contacts(b.Contacts, "/contacts")}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return c.savePartner(ctx, cmd, false, func(p *access.Partner) any { return viewAccount(p) })
}

func deletePartner(ctx context.Context, c *call) (reply, error) {
	return c.take(ctx, func(ctx context.Context) (access.Change, reply, error) {
		before, registry, err := c.partnerAndDomains(ctx, c.PathValue("partner"), &[]string{})
		if err != nil {
			return access.Change{}, reply{}, err
		}
		change, err := access.PlanRemovePartner(before, registry, c.moment())
		return change, reply{status: 204}, err
	})
}

type userBody struct {
	Email  opt[string] `json:"email"`
	Name   opt[string] `json:"name"`
	Role   opt[string] `json:"role"`
	Phone  opt[string] `json:"phone"`
	MFA    opt[bool]   `json:"mfa"`
	Status opt[string] `json:"status"`
}

func (b userBody) command(f *findings, at string) access.UserCommand {
	return access.UserCommand{
		Email: f.email(b.Email, at+"/email"), Name: f.name(b.Name, at+"/name"), MFA: f.flag(b.MFA, at+"/mfa"),
		Phone:  f.textOrNone(b.Phone, at+"/phone", "a telephone number is written as in E.164, such as +4930123456; null for none", access.ValidPhone),
		Role:   oneOf(f, b.Role, at+"/role", access.Owner, access.Admin, access.Business, access.Tech, access.SalesMarketing, access.External),
		Status: oneOf(f, b.Status, at+"/status", access.Active, access.Disabled),
	}
}

// newUsersBody is one user, or several (P14).
type newUsersBody struct {
	userBody
	Users opt[[]userBody] `json:"users"`
}

// maxNewUsers is how many users one request may create.
const maxNewUsers = 25

type userResult struct {
	Status  int            `json:"status"`
	User    jsontext.Value `json:"user,omitzero"`
	Problem *Problem       `json:"problem,omitzero"`
}

type userResults struct {
	Results []userResult `json:"results"`
}

func postUsers(ctx context.Context, c *call) (reply, error) {
	var b newUsersBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	if !b.Users.Given {
		cmd, err := newUser(b.userBody)
		if err != nil {
			return reply{}, err
		}
		out, tasks, err := c.createUser(ctx, "", cmd)
		c.follow(ctx, tasks...)
		return out, err
	}
	if b.userBody != (userBody{}) {
		return reply{}, access.Refuse(access.Invalid, "give either one user, or several in users").At("/users")
	}
	if n := len(b.Users.Value); n == 0 || n > maxNewUsers {
		return reply{}, access.Refuse(access.Invalid, "users holds 1 to %d users", maxNewUsers).At("/users")
	}
	// The key is bound to the whole body before anything is done: the users' own answers are kept one by one.
	bind := func(context.Context) (access.Change, reply, error) { return access.Change{}, reply{}, nil }
	if _, err := c.change(ctx, "users", bind); err != nil {
		return reply{}, err
	}
	var out userResults
	var tasks []*access.Task
	defer func() { c.follow(ctx, tasks...) }() // those that were created, also when another one fails
	for i, one := range b.Users.Value {
		cmd, err := newUser(one)
		var made reply
		if err == nil {
			var left []*access.Task
			made, left, err = c.createUser(ctx, fmt.Sprint("user ", i), cmd)
			tasks = append(tasks, left...)
		}
		res, err := c.result(made, err, i)
		if err != nil {
			return reply{}, err
		}
		out.Results = append(out.Results, res)
	}
	return reply{status: 200, body: out}, nil
}

// result is what became of one of several users: a refusal is its own, any other failure is the whole request's. Repeated under its
// Idempotency-Key, the request goes on where it failed.
func (c *call) result(made reply, err error, i int) (userResult, error) {
	var refused *access.Error
	switch {
	case errors.As(err, &refused):
		p := problemOf(refused, "")
		for j := range p.Errors {
			p.Errors[j].Pointer = fmt.Sprintf("/users/%d%s", i, p.Errors[j].Pointer)
		}
		return userResult{Status: p.Status, Problem: &p}, nil
	case err != nil:
		return userResult{}, err
	}
	u, err := made.encode()
	return userResult{Status: made.status, User: u}, err
}

func newUser(b userBody) (access.UserCommand, error) {
	var f findings
	cmd := b.command(&f, "")
	if !b.Email.Given {
		f.add("/email", "a user needs an e-mail address")
	}
	if !b.Name.Given {
		f.add("/name", "a user needs a name")
	}
	return cmd, f.err()
}

// createUser creates one user. There are no tasks when no account is to be made, or no user was created.
func (c *call) createUser(ctx context.Context, part string, cmd access.UserCommand) (reply, []*access.Task, error) {
	partner := c.PathValue("partner")
	var tasks []*access.Task
	out, err := c.change(ctx, part, func(ctx context.Context) (access.Change, reply, error) {
		f, err := c.api.Store.UserFacts(ctx, partner, "", *cmd.Email)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		if err := c.mayMail(ctx, *cmd.Email, false); err != nil {
			return access.Change{}, reply{}, err
		}
		change, u, err := access.PlanNewUser(f, cmd, c.moment())
		if err != nil {
			return access.Change{}, reply{}, err
		}
		tasks = change.IdentityTasks()
		return change, reply{status: 201, version: u.Version, location: "/v1/partners/" + partner + "/users/" + u.ID, body: viewUser(u, true)}, nil
	})
	if err != nil || out.replayed {
		return out, nil, err
	}
	return out, c.followYielding(ctx, tasks), nil
}

// followYielding brings up the accounts that end because of the last one, which cannot get the address before, and returns the task of that.
func (c *call) followYielding(ctx context.Context, tasks []*access.Task) []*access.Task {
	for ; len(tasks) > 1; tasks = tasks[1:] {
		c.follow(ctx, tasks[0])
	}
	return tasks
}

func patchUser(ctx context.Context, c *call) (reply, error) {
	var b userBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	cmd := b.command(&f, "")
	err := f.err()
	if err != nil {
		return reply{}, err
	}
	if cmd.Seen, err = c.seen(!cmd.OnlyDisables()); err != nil {
		return reply{}, err
	}
	address := ""
	if cmd.Email != nil {
		address = *cmd.Email
	}
	return c.changeUser(ctx, address, cmd.OnlyDisables(), func(f access.UserFacts) (access.Change, reply, error) {
		if cmd.Email != nil && f.User != nil && f.User.Email != *cmd.Email {
			if err := errors.Join(c.mayMail(ctx, *cmd.Email, true), c.mayMail(ctx, f.User.Email, true)); err != nil {
				return access.Change{}, reply{}, err
			}
		}
		change, u, err := access.PlanUser(f, cmd, c.moment())
		if err != nil {
			return access.Change{}, reply{}, err
		}
		return change, reply{status: 200, version: u.Version, body: viewUser(u, true)}, nil
	})
}

func deleteUser(ctx context.Context, c *call) (reply, error) {
	return c.changeUser(ctx, "", true, func(f access.UserFacts) (access.Change, reply, error) {
		change, err := access.PlanRemoveUserAccount(f, c.moment())
		return change, reply{status: 204}, err
	})
}

// changeUser loads, plans and commits a change of the user that the path names. Takes says that it ends the user's access and gives none.
func (c *call) changeUser(ctx context.Context, address string, takes bool, plan func(access.UserFacts) (access.Change, reply, error)) (reply, error) {
	if _, err := c.user(ctx); err != nil {
		return reply{}, err
	}
	var tasks []*access.Task
	change := func(ctx context.Context) (access.Change, reply, error) {
		f, err := c.api.Store.UserFacts(ctx, c.PathValue("partner"), c.PathValue("user"), address)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		change, out, err := plan(f)
		tasks = change.IdentityTasks()
		return change, out, err
	}
	commit := func() (reply, error) { return c.change(ctx, "", change) }
	if takes {
		commit = func() (reply, error) { return c.take(ctx, change) }
	}
	out, err := commit()
	if err == nil && !out.replayed {
		c.follow(ctx, c.followYielding(ctx, tasks)...)
	}
	return out, err
}

type customerBody struct {
	Name     opt[string]   `json:"name"`
	Domain   opt[string]   `json:"domain"`
	Contacts opt[[]string] `json:"contacts"`
}

func putCustomer(ctx context.Context, c *call) (reply, error) {
	seen, err := c.seen(false)
	if err != nil {
		return reply{}, err
	}
	var b customerBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	cmd := access.CustomerCommand{Seen: seen, Name: f.name(b.Name, "/name"), Contacts: f.contacts(b.Contacts, "/contacts")}
	cmd.Domain = f.domain(b.Domain, "/domain")
	if err := f.err(); err != nil {
		return reply{}, err
	}
	id := c.PathValue("customer")
	saved, err := c.change(ctx, "", func(ctx context.Context) (access.Change, reply, error) {
		before, err := c.api.Store.Customer(ctx, id)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		if before == nil && c.expects() {
			return access.Change{}, reply{}, nothingSeen()
		}
		if before != nil && before.Status != access.Removed {
			if err := c.unseen(before.Version); err != nil {
				return access.Change{}, reply{}, err
			}
		}
		registry, err := c.domainsOf(ctx, before, cmd.Domain)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		change, after, err := access.PlanCustomer(id, before, registry, cmd, c.moment())
		if err != nil {
			return access.Change{}, reply{}, err
		}
		out := reply{status: 200, version: after.Version, body: viewCustomer(after)}
		if before == nil {
			out.status, out.location = 201, "/v1/customers/"+id
		}
		return change, out, nil
	})
	if err != nil || cmd.Domain == nil {
		return saved, err
	}
	return saved, c.spreadRules(ctx, id) // D7: at the next check nobody of that domain is a partner's user here
}

// domainsOf reads the records of the domain that a customer has, and of the one that it gets.
func (c *call) domainsOf(ctx context.Context, cust *access.Customer, gets *string) (access.Domains, error) {
	var names []string
	if cust != nil {
		names = append(names, cust.Domain)
	}
	if gets != nil {
		names = append(names, *gets)
	}
	return c.api.Store.Domains(ctx, names...)
}

// deleteCustomer ends all the customer's grants, one by one, and then removes the customer: the answer comes when nobody gets in any more.
func deleteCustomer(ctx context.Context, c *call) (reply, error) {
	cust, err := c.customer(ctx)
	if err != nil {
		return reply{}, err
	}
	return c.take(ctx, func(ctx context.Context) (access.Change, reply, error) {
		before, err := c.api.Store.Customer(ctx, cust.ID)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		rows, err := c.grantsOf(ctx, cust)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		grants := make([]*access.Grant, len(rows))
		for i, row := range rows {
			g := row.Grant
			grants[i] = g
			if g.State == access.StateEnded {
				continue
			}
			if grants[i], err = c.endForRemoval(ctx, g); err != nil {
				return access.Change{}, reply{}, err
			}
		}
		registry, err := c.domainsOf(ctx, before, nil)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		change, err := access.PlanRemoveCustomer(before, grants, registry, c.moment())
		return change, reply{status: 204}, err
	})
}

func (c *call) endForRemoval(ctx context.Context, g *access.Grant) (*access.Grant, error) {
	var ended *access.Grant
	err := c.api.Store.Take(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		r, err := c.api.Store.Relation(ctx, g.Customer, g.Partner, nil, false)
		if err != nil {
			return access.Change{}, nil, err
		}
		p, err := access.PlanEndForRemoval(r, c.moment())
		ended = p.Grant
		return p.Change, nil, err
	})
	return ended, err
}

// grantsOf is every grant of a customer, with its partner.
func (c *call) grantsOf(ctx context.Context, cust *access.Customer) ([]access.GrantRow, error) {
	var out []access.GrantRow
	f := access.GrantFilter{Now: c.api.now(), Statuses: statuses()}
	for ask := (access.PageAsk{Limit: maxLimit}); ; {
		page, err := c.api.Store.CustomerGrants(ctx, cust, f, ask)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if ask.After = page.Next; page.Next == "" {
			return out, nil
		}
	}
}

type memberBody struct {
	Name opt[string] `json:"name"`
	Role opt[string] `json:"role"`
}

const (
	roleAdmin  = "admin"
	roleMember = "member"
)

func (c *call) address() (string, error) {
	a, ok := access.ParseEmail(c.PathValue("email"))
	if !ok {
		return "", access.Refuse(access.Invalid, "the path has to end in a plain e-mail address, such as ann@acme.example")
	}
	return a, nil
}

func putMember(ctx context.Context, c *call) (reply, error) {
	address, err := c.address()
	if err != nil {
		return reply{}, err
	}
	seen, err := c.seen(false)
	if err != nil {
		return reply{}, err
	}
	confirmed, err := c.confirms(access.LastAdmin)
	if err != nil {
		return reply{}, err
	}
	var b memberBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	name, role := f.name(b.Name, "/name"), oneOf(&f, b.Role, "/role", roleAdmin, roleMember)
	if !b.Name.Given {
		f.add("/name", "a member needs a name")
	}
	if !b.Role.Given {
		f.add("/role", "a member needs a role: admin or member")
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	left := false
	var tasks []*access.Task // of an account that ended because its address was never proved
	out, err := c.change(ctx, "", func(ctx context.Context) (access.Change, reply, error) {
		facts, err := c.api.Store.MemberFacts(ctx, c.PathValue("customer"), address)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		if err := c.unseen(facts.Member.Stored()); err != nil {
			return access.Change{}, reply{}, err
		}
		if *role != roleAdmin {
			if err := c.lookForAdmins(ctx, &facts, confirmed); err != nil {
				return access.Change{}, reply{}, err
			}
		}
		left = facts.LastAdmin
		change, m, err := access.PlanMember(facts, address, *name, *role == roleAdmin, seen, c.moment())
		if err != nil {
			return access.Change{}, reply{}, err
		}
		tasks = change.IdentityTasks()
		view := registeredMemberView{memberView: viewMember(m)}
		if u := facts.Holder.User; u != nil && u.Status != access.Removed && !u.Unproved {
			view.PartnerUser = &partnerUserView{User: u.ID, Partner: u.Partner}
		}
		out := reply{status: 200, version: m.Version, body: view}
		if facts.Member == nil {
			out.status = 201
		}
		return change, out, nil
	})
	if err == nil {
		c.follow(ctx, tasks...)
	}
	c.warnOfNoAdmin(left, err)
	return out, err
}

// registeredMemberView is what the provider is told of a member whom it has registered: also that a partner's account has the address. That account is no
// member's, and gets in nowhere at the customer (A7, A8).
type registeredMemberView struct {
	memberView
	PartnerUser *partnerUserView `json:"partner_user,omitzero"`
}

type partnerUserView struct {
	User    string `json:"user"`
	Partner string `json:"partner"`
}

func deleteMember(ctx context.Context, c *call) (reply, error) {
	address, err := c.address()
	if err != nil {
		return reply{}, err
	}
	confirmed, err := c.confirms(access.LastAdmin)
	if err != nil {
		return reply{}, err
	}
	var left bool
	out, err := c.take(ctx, func(ctx context.Context) (access.Change, reply, error) {
		facts, err := c.api.Store.MemberFacts(ctx, c.PathValue("customer"), address)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		if err := c.lookForAdmins(ctx, &facts, confirmed); err != nil {
			return access.Change{}, reply{}, err
		}
		left = facts.LastAdmin
		change, err := access.PlanRemoveMember(facts, c.moment())
		return change, reply{status: 204}, err
	})
	c.warnOfNoAdmin(left, err)
	return out, err
}

// lookForAdmins adds to the facts about an admin, who will be one no more, whether there is another.
func (c *call) lookForAdmins(ctx context.Context, f *access.MemberFacts, confirmed bool) (err error) {
	if f.Customer == nil || f.Customer.Status != access.Active || f.Member == nil || !f.Member.Admin {
		return nil
	}
	f.Confirmed = confirmed
	f.LastAdmin, err = c.api.Store.LastAdmin(ctx, f.Customer.ID, f.Member.Email, c.api.now())
	return err
}

// warnOfNoAdmin tells the provider of a customer that has open grants and no admin any more; the event in the history says so, too.
func (c *call) warnOfNoAdmin(left bool, err error) {
	if left && err == nil {
		c.api.Log.Warn("a customer with open grants has no admin any more", "request_id", c.RequestID, "customer", c.PathValue("customer"))
	}
}

type relationshipBody struct {
	Everyone opt[bool] `json:"everyone"`
}

func putRelationship(ctx context.Context, c *call) (reply, error) {
	var b relationshipBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	everyone := f.flag(b.Everyone, "/everyone")
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return c.provided(ctx, c.PathValue("partner"), func(_ context.Context, r access.Relation, m access.Moment) (access.Planned, error) {
		if err := c.unseen(openVersion(r, m)); err != nil {
			return access.Planned{}, err
		}
		return access.PlanRelationship(r, everyone != nil && *everyone, c.api.RequireSSO, m)
	})
}

func deleteRelationship(ctx context.Context, c *call) (reply, error) {
	return c.take(ctx, c.ofGrant(nil, false, access.PlanEndRelationship))
}

type managingBody struct {
	Partner opt[string] `json:"partner"`
}

func putManagingPartner(ctx context.Context, c *call) (reply, error) {
	var b managingBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	partner := f.text(b.Partner, "/partner", "this cannot be a partner's id", access.ValidID)
	if !b.Partner.Given {
		f.add("/partner", "name the partner that manages the customer")
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return c.provided(ctx, *partner, func(ctx context.Context, r access.Relation, m access.Moment) (access.Planned, error) {
		var others []access.GrantRow
		if r.Customer != nil && r.Customer.ManagedBy != "" {
			if err := c.unseen(r.Customer.Version); err != nil {
				return access.Planned{}, err
			}
		}
		if r.Customer != nil { // read after the customer was, which every opening writes: none can slip in
			var err error
			if others, err = c.grantsOf(ctx, r.Customer); err != nil {
				return access.Planned{}, err
			}
		}
		return access.PlanManage(r, others, m)
	})
}

// openVersion is the version of the relation's grant; 0 when there is none that is open.
func openVersion(r access.Relation, m access.Moment) int64 {
	if r.Grant == nil || r.Grant.EndAt(r.Partner, m.Now) != nil {
		return 0
	}
	return r.Grant.Edition()
}

// provided plans and commits what the provider opens between a customer and a partner.
func (c *call) provided(ctx context.Context, partner string, plan func(context.Context, access.Relation, access.Moment) (access.Planned, error)) (reply, error) {
	return c.change(ctx, "", func(ctx context.Context) (access.Change, reply, error) {
		r, err := c.api.Store.Relation(ctx, c.PathValue("customer"), partner, nil, false)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.moment()
		p, err := plan(ctx, r, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		out := planned(r, p, m.Now)
		if p.Created {
			out.status, out.location = 201, "/v1/customers/"+r.Customer.ID+"/grants/"+partner
		}
		return p.Change, out, nil
	})
}

func deleteManagingPartner(ctx context.Context, c *call) (reply, error) {
	return c.take(ctx, func(ctx context.Context) (access.Change, reply, error) {
		cust, err := c.customer(ctx)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		r, err := c.api.Store.Relation(ctx, cust.ID, cust.ManagedBy, nil, false)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		m := c.moment()
		p, err := access.PlanUnmanage(r, m)
		if err != nil {
			return access.Change{}, reply{}, err
		}
		return p.Change, planned(r, p, m.Now), nil
	})
}
