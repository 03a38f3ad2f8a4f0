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
	// Activated tells whether the user has chosen a password of its own.
	Activated(ctx context.Context, u access.User) (bool, error)
	// Reset ends the user's password and sessions: nobody signs in until a temporary password is made. It can be repeated, and has to be after
	// an error.
	Reset(ctx context.Context, u access.User) error
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
	Send    opt[bool]   `json:"send"`
	Reset   opt[bool]   `json:"reset"`
}

// postPassword changes the caller's own password (P20), has a temporary one sent to a user who has not signed in yet (P15), or replaces the password of one
// who has (P20).
func postPassword(ctx context.Context, c *call) (reply, error) {
	if c.api.Accounts == nil {
		return reply{}, access.Refuse(access.NotFound, "passwords are not kept here: change yours where you sign in")
	}
	var b passwordBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	if alone := b.Current == (opt[string]{}) && b.New == (opt[string]{}) && b.Send.Given != b.Reset.Given; alone && (b.Send.Value || b.Reset.Value) {
		return c.renewActivation(ctx, b.Reset.Value)
	}
	return c.changePassword(ctx, b)
}

// renewActivation has a temporary password sent to a user who has not signed in yet: also when the one before has ended, or there is no account
// yet, because accounts were not kept when the user came. Reset does it for whoever has signed in as well: the password and the sessions end first,
// so that what fails afterwards leaves an account that nobody can enter, and that can be sent a password.
func (c *call) renewActivation(ctx context.Context, reset bool) (reply, error) {
	if c.who.kind&(leads|provider) == 0 {
		return reply{}, access.Refuse(access.Forbidden, "your role does not allow this")
	}
	u, err := c.user(ctx)
	if err != nil {
		return reply{}, err
	}
	if err := access.MayRenew(c.who.actor(), u); err != nil {
		return reply{}, err
	}
	if err := c.mayMail(ctx, u.Email, false); err != nil {
		return reply{}, err
	}
	if reset {
		err = c.api.Accounts.Reset(ctx, *u)
	} else {
		err = c.notActivated(ctx, u)
	}
	if err != nil {
		return reply{}, err
	}
	return c.changeUser(ctx, "", false, func(f access.UserFacts) (access.Change, reply, error) {
		change, u, err := access.PlanRenewActivation(f, c.moment())
		if err != nil {
			return access.Change{}, reply{}, err
		}
		return change, reply{status: 200, version: u.Version, body: viewUser(u, true)}, nil
	})
}

func (c *call) notActivated(ctx context.Context, u *access.User) error {
	activated, err := c.api.Accounts.Activated(ctx, *u)
	if err == nil && activated {
		err = access.Refuse(access.Ended, "%s has signed in already and has a password: reset it, or have the person replace it where people sign in", u.Name)
	}
	return err
}

// changePassword changes the caller's own password. There is no answer to keep for an Idempotency-Key: it would tell that a password was right,
// and a repetition is refused as the current password is another one by then.
func (c *call) changePassword(ctx context.Context, b passwordBody) (reply, error) {
	me := c.who.id.User
	if me == nil || me.ID != c.PathValue("user") {
		return reply{}, nothingHere()
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
