package httpapi

import (
	"context"
	"slices"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

type grantBody struct {
	Partner    opt[string]   `json:"partner"`
	Email      opt[string]   `json:"email"`
	Users      opt[[]string] `json:"users"`
	Everyone   opt[bool]     `json:"everyone"`
	Level      opt[string]   `json:"level"`
	From       opt[moment]   `json:"from"`
	Until      opt[moment]   `json:"until"`
	AutoExtend opt[string]   `json:"auto_extend"`
	RequireSSO opt[bool]     `json:"require_sso"`
	AssignedBy opt[string]   `json:"assigned_by"`
	Note       opt[string]   `json:"note"`
	Message    opt[string]   `json:"message"`
}

// command reads what is to be granted, and to whom: a partner, or the address of one of its users.
func (b grantBody) command() (cmd access.GrantCommand, to service.Grantee, err error) {
	var f findings
	cmd = access.GrantCommand{
		Level: f.level(b.Level, "/level"), RequireSSO: f.flag(b.RequireSSO, "/require_sso"), Note: f.note(b.Note, "/note"),
		Message:    f.message(b.Message, "/message"),
		AssignedBy: oneOf(&f, b.AssignedBy, "/assigned_by", access.ByCustomer, access.ByPartner),
		From:       optionalInstant(b.From), Until: optionalInstant(b.Until), Everyone: b.Everyone.Value,
		AutoExtend: f.durationOrNone(b.AutoExtend, "/auto_extend"),
	}
	f.flag(b.Everyone, "/everyone")
	if p := f.text(b.Partner, "/partner", "this cannot be a partner's id: look it up in the partners directory", access.ValidID); p != nil {
		to.Partner = *p
	}
	if e := f.email(b.Email, "/email"); e != nil {
		to.Email = *e
	}
	if users := f.users(b.Users, "/users", access.MaxUserChanges); users != nil {
		if cmd.Users = *users; len(b.Users.Value) == 0 {
			f.add("/users", "name at least one user, or leave this out to let the partner assign its users")
		}
	}
	switch {
	case b.Partner.Given == b.Email.Given:
		f.add("", "name either the partner or the email of one of its users")
	case b.Email.Given && (b.Users.Given || b.Everyone.Value):
		f.add("/email", "with an e-mail address one user is named: leave users and everyone out")
	case b.Users.Given && b.Everyone.Value:
		f.add("/everyone", "give either users or everyone")
	}
	return cmd, to, f.err()
}

// optionalInstant is an instant that was given; in a grant null means the same as nothing.
func optionalInstant(o opt[moment]) *time.Time {
	if !o.has() {
		return nil
	}
	return &o.Value.Time
}

func postGrant(ctx context.Context, c *call) (reply, error) {
	var b grantBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	cmd, to, err := b.command()
	if err != nil {
		return reply{}, err
	}
	return perform(c, c.openedReply, func(o service.Options[service.Granted]) (service.Granted, error) {
		return c.service.Grant(ctx, c.caller(), c.PathValue("customer"), to, cmd, o)
	})
}

type usersBody struct {
	Set    opt[[]string] `json:"set"`
	Add    opt[[]string] `json:"add"`
	Remove opt[[]string] `json:"remove"`
}

type editBody struct {
	Users      opt[usersBody] `json:"users"`
	Everyone   opt[bool]      `json:"everyone"`
	Level      opt[string]    `json:"level"`
	From       opt[moment]    `json:"from"`
	Until      opt[moment]    `json:"until"`
	Extend     opt[string]    `json:"extend"`
	AutoExtend opt[string]    `json:"auto_extend"`
	State      opt[string]    `json:"state"`
	RequireSSO opt[bool]      `json:"require_sso"`
	AssignedBy opt[string]    `json:"assigned_by"`
	Note       opt[string]    `json:"note"`
	Message    opt[string]    `json:"message"`

	Caps opt[map[string]opt[string]] `json:"caps"`
}

func (b editBody) command() (access.EditCommand, error) {
	var f findings
	cmd := access.EditCommand{
		Everyone: f.flag(b.Everyone, "/everyone"), Level: f.level(b.Level, "/level"), From: instantOrZero(b.From), Until: instantOrZero(b.Until),
		Extend: f.duration(b.Extend, "/extend"), State: oneOf(&f, b.State, "/state", access.StateOpen, access.StateSuspended),
		AutoExtend: f.durationOrNone(b.AutoExtend, "/auto_extend"), RequireSSO: f.flag(b.RequireSSO, "/require_sso"),
		AssignedBy: oneOf(&f, b.AssignedBy, "/assigned_by", access.ByCustomer, access.ByPartner), Note: f.note(b.Note, "/note"),
		Message: f.message(b.Message, "/message"),
		Caps:    f.caps(b.Caps, "/caps"), Set: f.users(b.Users.Value.Set, "/users/set", access.MaxUserSet),
	}
	if add := f.users(b.Users.Value.Add, "/users/add", access.MaxUserChanges); add != nil {
		cmd.Add = *add
	}
	if remove := f.users(b.Users.Value.Remove, "/users/remove", access.MaxUserChanges); remove != nil {
		cmd.Remove = *remove
	}
	if b.Extend.Given && b.Until.Given {
		f.add("/extend", "give either until or extend")
	}
	if b.Users.Null {
		f.add("/users", "say what to do with the users: set, or add and remove")
	}
	if cmd.Set != nil && (len(cmd.Add) > 0 || len(cmd.Remove) > 0) {
		f.add("/users", "give either set, or add and remove")
	}
	if cmd.Everyone != nil && *cmd.Everyone && cmd.Set != nil {
		f.add("/everyone", "everyone cannot be switched on while single users are chosen")
	}
	f.addedAndRemoved(cmd.Add, cmd.Remove, "/users/remove")
	return cmd, f.err()
}

// addedAndRemoved finds users who are to be added and removed.
func (f *findings) addedAndRemoved(add, remove []string, pointer string) {
	for _, id := range add {
		if slices.Contains(remove, id) {
			f.add(pointer, id+" is to be added, too")
		}
	}
}

// instantOrZero is an instant that was given, null being the zero time: without a bound.
func instantOrZero(o opt[moment]) *time.Time {
	if !o.Given {
		return nil
	}
	return &o.Value.Time
}

func patchGrant(ctx context.Context, c *call) (reply, error) {
	var b editBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	cmd, err := b.command()
	if err != nil {
		return reply{}, err
	}
	if cmd.Seen, err = c.readIfMatch(!cmd.OnlyNarrows()); err != nil {
		return reply{}, err
	}
	return perform(c, c.plannedReply, func(o service.Options[service.Granted]) (service.Granted, error) {
		return c.service.Edit(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), cmd, o)
	})
}

type pickBody struct {
	Users    opt[[]string] `json:"users"`
	Add      opt[[]string] `json:"add"`
	Remove   opt[[]string] `json:"remove"`
	Everyone opt[bool]     `json:"everyone"`
}

// putAssignedUsers is the partner's choice of which of its users have access to a customer (A5, E2, E11).
func putAssignedUsers(ctx context.Context, c *call) (reply, error) {
	seen, err := c.readIfMatch(false)
	if err != nil {
		return reply{}, err
	}
	var b pickBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	cmd := access.AssignCommand{Seen: seen, Users: f.users(b.Users, "/users", access.MaxUserSet), Everyone: f.flag(b.Everyone, "/everyone")}
	if add := f.users(b.Add, "/add", access.MaxUserChanges); add != nil {
		cmd.Add = *add
	}
	if remove := f.users(b.Remove, "/remove", access.MaxUserChanges); remove != nil {
		cmd.Remove = *remove
	}
	single := b.Add.Given || b.Remove.Given
	if !single && !b.Users.Given && !b.Everyone.Given || cmd.Users != nil && cmd.Everyone != nil && *cmd.Everyone ||
		single && (b.Users.Given || b.Everyone.Given) {
		f.add("", "give either users, or everyone, or add and remove")
	}
	f.addedAndRemoved(cmd.Add, cmd.Remove, "/remove")
	if err := f.err(); err != nil {
		return reply{}, err
	}
	return perform(c, c.plannedReply, func(o service.Options[service.Granted]) (service.Granted, error) {
		return c.service.Assign(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), cmd, o)
	})
}

func deleteGrant(ctx context.Context, c *call) (reply, error) {
	return perform(c, c.plannedReply, func(o service.Options[service.Granted]) (service.Granted, error) {
		return c.service.Revoke(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), o)
	})
}

func relinquish(ctx context.Context, c *call) (reply, error) {
	g, err := c.service.Relinquish(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"))
	return replyWith(c.plannedReply, g, err)
}

func leaveCustomer(ctx context.Context, c *call) (reply, error) {
	g, err := c.service.Leave(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), c.PathValue("user"))
	return replyWith(noContent, g, err)
}

func deleteGrantUser(ctx context.Context, c *call) (reply, error) {
	g, err := c.service.RemoveGrantUser(ctx, c.caller(), c.PathValue("customer"), c.PathValue("partner"), c.PathValue("user"))
	return replyWith(c.plannedReply, g, err)
}
