package httpapi

import (
	"context"
	"errors"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

type passwordBody struct {
	Current opt[string] `json:"current"`
	New     opt[string] `json:"new"`
	Send    opt[bool]   `json:"send"`
	Reset   opt[bool]   `json:"reset"`
}

// postPassword changes the caller's own password (P20), has a temporary one sent to a user who has not signed in yet (P15), or replaces the
// password of one who has (P20).
func postPassword(ctx context.Context, c *call) (reply, error) {
	if err := c.service.PasswordsKept(); err != nil {
		return reply{}, err
	}
	var b passwordBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	if alone := b.Current == (opt[string]{}) && b.New == (opt[string]{}) && b.Send.Given != b.Reset.Given; alone &&
		(b.Send.Value || b.Reset.Value) {
		renew := c.service.Send
		if b.Reset.Value {
			renew = c.service.Reset
		}
		return perform(c, userReply, func(o service.Options[*access.User]) (*access.User, error) {
			return renew(ctx, c.caller(), c.PathValue("partner"), c.PathValue("user"), o)
		})
	}
	return c.changePassword(ctx, b)
}

type renewalBody struct {
	Send  opt[bool] `json:"send"`
	Reset opt[bool] `json:"reset"`
}

// postMemberPassword has a temporary password sent to a customer's member who has not signed in yet, or replaces the password of one who
// has. Only the provider may: one account acts for all customers whose member the person is, and is none of theirs to end.
func postMemberPassword(ctx context.Context, c *call) (reply, error) {
	address, err := c.address()
	if err != nil {
		return reply{}, err
	}
	var b renewalBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	if b.Send.Given == b.Reset.Given || !b.Send.Value && !b.Reset.Value {
		return reply{}, access.Refuse(access.Invalid, "give one of: send, reset").At("/send")
	}
	return perform(c, func(m *access.Member) reply { return reply{status: 200, version: m.Version, body: viewMember(m)} },
		func(o service.Options[*access.Member]) (*access.Member, error) {
			return c.service.RenewMember(ctx, c.caller(), c.PathValue("customer"), address, b.Reset.Value, o)
		})
}

// changePassword changes the caller's own password. It ignores an Idempotency-Key: a kept answer would tell
// that a password was right, and a repeated request fails, as the current password has changed.
func (c *call) changePassword(ctx context.Context, b passwordBody) (reply, error) {
	me := c.who.id.User
	if me == nil || me.ID != c.PathValue("user") {
		return reply{}, notFound()
	}
	var f findings
	for pointer, given := range map[string]bool{"/send": b.Send.Given, "/reset": b.Reset.Given} {
		if given {
			f.add(pointer, "give one of: send, reset, or current and new")
		}
	}
	alone := !b.Send.Given && !b.Reset.Given
	if alone && b.Current.Value == "" {
		f.add("/current", "give the current password")
	}
	if alone && b.New.Value == "" {
		f.add("/new", "give the new password")
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	err := c.service.ChangePassword(ctx, c.caller(), me.ID, b.Current.Value, b.New.Value)
	if errors.Is(err, access.ErrUnavailable) {
		c.api.Log.Error("request failed", "request_id", c.RequestID, "route", c.RouteKey, "code", string(unavailable), "error", err.Error())
		return reply{},
			access.Refuse(unavailable,
				"the identity provider did not answer in time, and the password may have been changed: see whether the new one signs you in")
	}
	return reply{status: 204}, err
}
