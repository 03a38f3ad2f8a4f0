package httpapi

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// Accounts are the employees' accounts at the identity provider.
type Accounts interface {
	// Follow makes an account be as its user is. The task has been taken by the caller; after an error it is left to the sweep.
	Follow(ctx context.Context, t *access.Task) error
	// ChangePassword refuses with access.WrongPassword, access.WeakPassword or access.TooManyRequests, and fails with access.ErrUnavailable
	// when it is unknown whether the password was changed.
	ChangePassword(ctx context.Context, u access.User, current, proposed string) error
}

const (
	followFor      = 10 * time.Second // then the caller is answered, and the sweep goes on
	followParallel = 5
)

// follow brings the accounts up with what was just changed. The change stands whatever becomes of it: what fails is left to the sweep.
func (c *call) follow(ctx context.Context, tasks ...*access.Task) {
	ctx, cancel := context.WithTimeout(ctx, followFor)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(followParallel)
	for _, t := range tasks {
		if t == nil || c.api.Accounts == nil {
			continue
		}
		g.Go(func() error {
			if err := c.api.Accounts.Follow(ctx, t); err != nil {
				c.api.Log.Warn("an account is left to the sweep", "request_id", c.RequestID, "user", t.User, "error", err.Error())
			}
			return nil
		})
	}
	_ = g.Wait() // nothing above fails
}

type passwordBody struct {
	Current opt[string] `json:"current"`
	New     opt[string] `json:"new"`
}

// postPassword changes the caller's own password (P20). There is no answer to keep for an Idempotency-Key: it would tell that a
// password was right, and a repetition is refused as the current password is another one by then.
func postPassword(ctx context.Context, c *call) (reply, error) {
	if c.api.Accounts == nil {
		return reply{}, access.Refuse(access.NotFound, "passwords are not kept here: change yours where you sign in")
	}
	me := c.who.id.User
	if me == nil || me.ID != c.PathValue("user") {
		return reply{}, nothingHere()
	}
	var b passwordBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	if b.Current.Value == "" {
		f.add("/current", "give the current password")
	}
	if b.New.Value == "" {
		f.add("/new", "give the new password")
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	if err := access.CheckPassword(b.Current.Value, b.New.Value); err != nil {
		return reply{}, err
	}
	err := c.api.Accounts.ChangePassword(ctx, *me, b.Current.Value, b.New.Value)
	if errors.Is(err, access.ErrUnavailable) {
		c.api.Log.Error("request failed", "request_id", c.RequestID, "route", c.RouteKey, "code", string(unavailable), "error", err.Error())
		return reply{}, access.Refuse(unavailable, "the identity provider did not answer in time, and the password may have been changed: see whether the new one signs you in")
	}
	return reply{status: 204}, err
}
