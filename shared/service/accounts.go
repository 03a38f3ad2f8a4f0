package service

import (
	"context"
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
func (s *Service) follow(ctx context.Context, tasks ...*access.Task) {
	ctx, cancel := context.WithTimeout(ctx, followFor)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(followParallel)
	for _, t := range tasks {
		if t == nil || s.Accounts == nil {
			continue
		}
		g.Go(func() error {
			if err := s.Accounts.Follow(ctx, t); err != nil {
				s.Log.Warn("an account is left to the sweep", "user", t.User, "error", err.Error())
			}
			return nil
		})
	}
	_ = g.Wait() // nothing above fails
}

// followYielding brings up the accounts that end because of the last one, which cannot get the address before, and returns the task of that.
func (s *Service) followYielding(ctx context.Context, tasks []*access.Task) []*access.Task {
	for ; len(tasks) > 1; tasks = tasks[1:] {
		s.follow(ctx, tasks[0])
	}
	return tasks
}

// PasswordsKept refuses what is about passwords where the provider's own identity provider keeps them.
func (s *Service) PasswordsKept() error {
	if s.Accounts == nil {
		return access.Refuse(access.NotFound, "passwords are not kept here: change yours where you sign in")
	}
	return nil
}

// Send has a temporary password sent to a user who has not signed in yet (P15): also when the one before has ended, or there is no account yet,
// because accounts were not kept when the user came. It fails with access.Ended when the user has signed in.
func (s *Service) Send(ctx context.Context, who Caller, partner, user string, o Options[*access.User]) (*access.User, error) {
	return s.renewActivation(ctx, who, partner, user, s.notActivated, o)
}

// Reset does what Send does for whoever has signed in as well (P20): the password and the sessions end first, so that what fails afterwards leaves an
// account that nobody can enter, and that can be sent a password.
func (s *Service) Reset(ctx context.Context, who Caller, partner, user string, o Options[*access.User]) (*access.User, error) {
	return s.renewActivation(ctx, who, partner, user, func(ctx context.Context, u access.User) error { return s.Accounts.Reset(ctx, u) }, o)
}

func (s *Service) renewActivation(
	ctx context.Context, who Caller, partner, user string, first func(context.Context, access.User) error, o Options[*access.User],
) (*access.User, error) {
	if err := s.PasswordsKept(); err != nil {
		return nil, err
	}
	if who.Leads == "" && who.Actor.Kind != "provider" {
		return nil, access.Refuse(access.Forbidden, "your role does not allow this")
	}
	u, err := s.User(ctx, partner, user)
	if err != nil {
		return nil, err
	}
	if err := access.MayRenew(who.Actor, u); err != nil {
		return nil, err
	}
	if err := s.mayMail(ctx, who, u.Email, false); err != nil {
		return nil, err
	}
	if err := first(ctx, *u); err != nil {
		return nil, err
	}
	renew := func(_ context.Context, f access.UserFacts) (access.Change, *access.User, error) {
		return access.PlanRenewActivation(f, s.moment(who.Actor))
	}
	return s.changeUser(ctx, partner, user, "", renew, func(p plan[*access.User]) (*access.User, error) { return change(ctx, s, o, p) })
}

func (s *Service) notActivated(ctx context.Context, u access.User) error {
	activated, err := s.Accounts.Activated(ctx, u)
	if err == nil && activated {
		err = access.Refuse(access.Ended, "%s has signed in already and has a password: reset it, or have the person replace it where people sign in", u.Name)
	}
	return err
}

// ChangePassword changes the password of the user, who has to be the caller (P20). It fails like Accounts.ChangePassword.
func (s *Service) ChangePassword(ctx context.Context, who Caller, user, current, proposed string) error {
	if err := s.PasswordsKept(); err != nil {
		return err
	}
	me := who.Identity.User
	if me == nil || me.ID != user {
		return NothingHere()
	}
	if err := access.CheckPassword(current, proposed); err != nil {
		return err
	}
	return s.Accounts.ChangePassword(ctx, *me, current, proposed)
}
