package httpapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

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
		SSO: f.flag(b.SSO, "/sso"), Status: oneOf(&f, b.Status, "/status", access.Active, access.Suspended),
		Contacts: f.contacts(b.Contacts, "/contacts"),
		Domains:  f.domains(b.Domains, "/domains"), OwnerSetsSSO: f.flag(b.OwnerSetsSSO, "/owner_sets_sso"),
	}
	cmd.Parent = f.textOrNone(b.Parent, "/parent", "this cannot be a partner's id; null for none", access.ValidID)
	return cmd, f.err()
}

// putPartner and patchPartner differ in one point: PUT creates, PATCH needs a partner to edit and the version that was seen. Both leave
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
	if cmd.Seen, err = c.readIfMatch(!create && !cmd.OnlyStatus()); err != nil {
		return reply{}, err
	}
	return savePartner(ctx, c, cmd, create, func(p *access.Partner) any { return viewPartner(p, true) })
}

func savePartner(ctx context.Context, c *call, cmd access.PartnerCommand, create bool, view func(*access.Partner) any) (reply, error) {
	present := func(p service.SavedPartner) reply {
		out := reply{status: 200, version: p.After.Version, body: view(p.After)}
		if p.Created {
			out.status, out.location = 201, "/v1/partners/"+p.After.ID
		}
		return out
	}
	return perform(c, present, func(o service.Options[service.SavedPartner]) (service.SavedPartner, error) {
		return c.service.SavePartner(ctx, c.caller(), c.PathValue("partner"), cmd, create, o)
	})
}

type accountBody struct {
	Name     opt[string]   `json:"name"`
	SSO      opt[bool]     `json:"sso"`
	Contacts opt[[]string] `json:"contacts"`
}

// patchAccount changes what the owner may change of its partner (P8). The name is the provider's: customers recognise a partner by it.
// Single sign-on is the provider's, too, unless it allows the owner to set it (A9).
func patchAccount(ctx context.Context, c *call) (reply, error) {
	seen, err := c.readIfMatch(true)
	if err != nil {
		return reply{}, err
	}
	var b accountBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	if b.Name.Given {
		return reply{}, access.Refuse(access.Forbidden, "only the provider changes the name of your organisation: ask the provider").At("/name")
	}
	var f findings
	cmd := access.PartnerCommand{Seen: seen, SSO: f.flag(b.SSO, "/sso"), Contacts: f.contacts(b.Contacts, "/contacts")}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return savePartner(ctx, c, cmd, false, func(p *access.Partner) any { return viewAccount(p) })
}

func deletePartner(ctx context.Context, c *call) (reply, error) {
	return reply{status: 204}, c.service.RemovePartner(ctx, c.caller(), c.PathValue("partner"))
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
		Phone: f.textOrNone(b.Phone, at+"/phone", "a telephone number is written as in E.164, such as +4930123456; null for none",
			access.ValidPhone),
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
		return perform(c, createdUserReply, func(o service.Options[*access.User]) (*access.User, error) {
			return c.service.AddUser(ctx, c.caller(), c.PathValue("partner"), cmd, o)
		})
	}
	if b.userBody != (userBody{}) {
		return reply{}, access.Refuse(access.Invalid, "give either one user, or several in users").At("/users")
	}
	if n := len(b.Users.Value); n == 0 || n > maxNewUsers {
		return reply{}, access.Refuse(access.Invalid, "users holds 1 to %d users", maxNewUsers).At("/users")
	}
	bind, err := repeatOf(c, "users", func(struct{}) reply { return reply{} })
	if err != nil {
		return reply{}, err
	}
	users := make([]service.NewUser, len(b.Users.Value))
	for i, one := range b.Users.Value {
		users[i].Command, users[i].Refused = newUser(one)
		if users[i].Repeat, err = repeatOf(c, fmt.Sprint("user ", i), createdUserReply); err != nil {
			return reply{}, err
		}
	}
	added, err := c.service.AddUsers(ctx, c.caller(), c.PathValue("partner"), users, bind)
	if err != nil {
		return reply{}, err
	}
	out := userResults{Results: make([]userResult, len(added))}
	for i, u := range added {
		if out.Results[i], err = userResultOf(u, i); err != nil {
			return reply{}, err
		}
	}
	return reply{status: 200, body: out}, nil
}

// userResultOf is the result for one of several users.
func userResultOf(u service.AddedUser, i int) (userResult, error) {
	var refused *access.Error
	if errors.As(u.Err, &refused) {
		p := problemOf(refused, "")
		for j := range p.Errors {
			p.Errors[j].Pointer = fmt.Sprintf("/users/%d%s", i, p.Errors[j].Pointer)
		}
		return userResult{Status: p.Status, Problem: &p}, nil
	}
	out, err := replyWith(createdUserReply, u.User, u.Err)
	if err != nil {
		return userResult{}, err
	}
	body, err := out.encode()
	return userResult{Status: out.status, User: body}, err
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

func createdUserReply(u *access.User) reply {
	out := userReply(u)
	out.status, out.location = 201, "/v1/partners/"+u.Partner+"/users/"+u.ID
	return out
}

func userReply(u *access.User) reply {
	return reply{status: 200, version: u.Version, body: viewUser(u, true)}
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
	if cmd.Seen, err = c.readIfMatch(!cmd.OnlyDisables()); err != nil {
		return reply{}, err
	}
	return perform(c, userReply, func(o service.Options[*access.User]) (*access.User, error) {
		return c.service.EditUser(ctx, c.caller(), c.PathValue("partner"), c.PathValue("user"), cmd, o)
	})
}

func deleteUser(ctx context.Context, c *call) (reply, error) {
	erase, err := c.onlyParameter("erase", "erase is true or false", "true", "false") // whether the person is to be erased, too
	if err != nil {
		return reply{}, err
	}
	if erase == "true" {
		return reply{status: 204}, c.service.EraseUser(ctx, c.caller(), c.PathValue("partner"), c.PathValue("user"))
	}
	return reply{status: 204}, c.service.RemoveUser(ctx, c.caller(), c.PathValue("partner"), c.PathValue("user"))
}

type customerBody struct {
	Name     opt[string]   `json:"name"`
	Domain   opt[string]   `json:"domain"`
	Contacts opt[[]string] `json:"contacts"`
}

func putCustomer(ctx context.Context, c *call) (reply, error) {
	seen, err := c.readIfMatch(false)
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
	present := func(cust service.SavedCustomer) reply {
		out := reply{status: 200, version: cust.After.Version, body: viewCustomer(cust.After)}
		if cust.Created {
			out.status, out.location = 201, "/v1/customers/"+cust.After.ID
		}
		return out
	}
	return perform(c, present, func(o service.Options[service.SavedCustomer]) (service.SavedCustomer, error) {
		return c.service.SaveCustomer(ctx, c.caller(), c.PathValue("customer"), cmd, o)
	})
}

func deleteCustomer(ctx context.Context, c *call) (reply, error) {
	return reply{status: 204}, c.service.RemoveCustomer(ctx, c.caller(), c.PathValue("customer"))
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
	seen, err := c.readIfMatch(false)
	if err != nil {
		return reply{}, err
	}
	confirmed, err := c.readConfirm(access.LastAdmin)
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
	cmd := service.MemberCommand{Name: *name, Admin: *role == roleAdmin, Seen: seen, Confirmed: confirmed}
	return perform(c, memberReply, func(o service.Options[service.SavedMember]) (service.SavedMember, error) {
		return c.service.SaveMember(ctx, c.caller(), c.PathValue("customer"), address, cmd, o)
	})
}

// registeredMemberView is a member as the provider sees it: also that a partner's account has the address. That account is no member's, and
// has no access to the customer (A7, A8).
type registeredMemberView struct {
	memberView
	PartnerUser *partnerUserView `json:"partner_user,omitzero"`
}

type partnerUserView struct {
	User    string `json:"user"`
	Partner string `json:"partner"`
}

func memberReply(m service.SavedMember) reply {
	view := registeredMemberView{memberView: viewMember(m.After)}
	if u := m.Holder; u != nil {
		view.PartnerUser = &partnerUserView{User: u.ID, Partner: u.Partner}
	}
	out := reply{status: 200, version: m.After.Version, body: view}
	if m.Created {
		out.status = 201
	}
	return out
}

func deleteMember(ctx context.Context, c *call) (reply, error) {
	address, err := c.address()
	if err != nil {
		return reply{}, err
	}
	confirmed, err := c.readConfirm(access.LastAdmin)
	if err != nil {
		return reply{}, err
	}
	return reply{status: 204}, c.service.RemoveMember(ctx, c.caller(), c.PathValue("customer"), address, confirmed)
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
	return perform(c, c.openedReply, func(o service.Options[service.Granted]) (service.Granted, error) {
		return c.service.OpenRelationship(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), everyone != nil && *everyone, o)
	})
}

func deleteRelationship(ctx context.Context, c *call) (reply, error) {
	return perform(c, c.plannedReply, func(o service.Options[service.Granted]) (service.Granted, error) {
		return c.service.EndRelationship(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), o)
	})
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
	return perform(c, c.openedReply, func(o service.Options[service.Granted]) (service.Granted, error) {
		return c.service.Manage(ctx, c.caller(), c.PathValue("customer"), *partner, o)
	})
}

func deleteManagingPartner(ctx context.Context, c *call) (reply, error) {
	g, err := c.service.Unmanage(ctx, c.caller(), c.PathValue("customer"))
	return replyWith(c.plannedReply, g, err)
}
