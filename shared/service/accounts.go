package service

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// Accounts are people's accounts at the identity provider. Each method fails with access.ErrUnavailable when the identity provider
// does not answer or has had enough; it is unknown then whether anything was changed.
type Accounts interface {
	// Sync makes the account be as it is to be, and can be repeated. Alone says that nothing that was sent about it before may still
	// arrive, and settled the same of what it has sent itself, also with an error.
	Sync(ctx context.Context, a access.Account, alone bool) (settled bool, err error)
	// ChangePassword refuses with access.WrongPassword, access.WeakPassword or access.TooManyRequests.
	ChangePassword(ctx context.Context, a access.Account, current, proposed string) error
	// Activated tells whether the account's owner has chosen a password.
	Activated(ctx context.Context, a access.Account) (bool, error)
	// Reset ends the account's password and sessions: nobody signs in until a temporary password is made. It can be repeated, and has to be
	// after an error.
	Reset(ctx context.Context, a access.Account) error
	// Lapse ends the temporary password of an account whose owner has not signed in with it, and tells whether that is so.
	Lapse(ctx context.Context, a access.Account) (access.ActivationOutcome, error)
	// TemporaryPassword makes one anew. It refuses with access.Ended when there is no use for one any more. Settled as in Sync.
	TemporaryPassword(ctx context.Context, a access.Account) (password string, settled bool, err error)
}

// FollowAccount makes an account be as the table says, for an identity task that the caller has taken (access.Change.Identity,
// access.PlanClaimIdentityTask), and deletes the task when nothing more is to be done. After an error the task is still there, and is due
// when the caller's time is over. An account that has to change meanwhile has a task again, and so has one about which something may still
// be on its way.
func (s *Service) FollowAccount(ctx context.Context, t *access.Task) error {
	a, err := s.accountOf(ctx, t)
	if err != nil {
		return err
	}
	settled, err := s.Accounts.Sync(ctx, a, t.InFlightUntil.IsZero())
	if err != nil {
		return err
	}
	err = s.apply(ctx, func(ctx context.Context) (access.Change, error) {
		now, err := s.Store.Task(ctx, t.ID)
		return access.PlanIdentityDone(now, t, settled), err
	})
	if err != nil {
		return fmt.Errorf("delete a task: %w", err)
	}
	return nil
}

// accountOf returns what the account that a task names has to be.
func (s *Service) accountOf(ctx context.Context, t *access.Task) (access.Account, error) {
	if t.Address != "" {
		e, err := s.Store.Email(ctx, t.Address)
		if err != nil {
			return access.Account{}, fmt.Errorf("read an address: %w", err)
		}
		return access.MemberAccountOf(t.User, t.Address, e), nil
	}
	u, err := s.Store.User(ctx, t.User)
	switch {
	case err != nil:
		return access.Account{}, fmt.Errorf("read a user: %w", err)
	case u == nil: // never: users are kept when they are removed
		return access.Account{}, fmt.Errorf("there is no user %s", t.User)
	}
	return u.Account(), nil
}

const (
	followFor      = 10 * time.Second // then the caller is answered, and the sweep goes on
	followParallel = 5
)

// follow brings the accounts up with what was just changed. The change stands whatever becomes of it: what fails is left to the sweep.
func (s *Service) follow(ctx context.Context, tasks ...*access.Task) {
	if s.rehearsing {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, followFor)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(followParallel)
	for _, t := range tasks {
		if t == nil || s.Accounts == nil {
			continue
		}
		g.Go(func() error {
			if err := s.FollowAccount(ctx, t); err != nil {
				s.Log.Warn("an account is left to the sweep", "account", t.User, "error", err.Error())
			}
			return nil
		})
	}
	_ = g.Wait() // nothing above fails
}

// followYielding brings up the accounts that end because of the last one, which cannot get the address before, and returns the task of
// that.
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

// Send has a temporary password sent to a user who has not signed in yet (P15): also when the one before has ended, or there is no account
// yet, because accounts were not kept when the user came. It fails with access.Ended when the user has signed in.
func (s *Service) Send(ctx context.Context, who Caller, partner, user string, o Options[*access.User]) (*access.User, error) {
	return s.renewActivation(ctx, who, partner, user, s.notActivated, o)
}

// Reset does what Send does for whoever has signed in as well (P20): the password and the sessions end first, so that what fails afterwards
// leaves an account that nobody can enter, and that can be sent a password.
func (s *Service) Reset(ctx context.Context, who Caller, partner, user string, o Options[*access.User]) (*access.User, error) {
	reset := func(ctx context.Context, u access.User) error { return s.Accounts.Reset(ctx, u.Account()) }
	return s.renewActivation(ctx, who, partner, user, reset, o)
}

func (s *Service) renewActivation(
	ctx context.Context, who Caller, partner, user string, first func(context.Context, access.User) error, o Options[*access.User],
) (*access.User, error) {
	if err := s.PasswordsKept(); err != nil {
		return nil, err
	}
	if who.Leads == "" && who.Actor.Kind != access.ActorProvider {
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
		return access.PlanRenewActivation(f, s.planContext(who.Actor))
	}
	return s.changeUser(ctx, partner, user, "", renew, func(p plan[*access.User]) (*access.User, error) { return change(ctx, s, o, p) })
}

func (s *Service) notActivated(ctx context.Context, u access.User) error {
	return s.refuseActivated(ctx, u.Account(), u.Name)
}

func (s *Service) refuseActivated(ctx context.Context, a access.Account, name string) error {
	activated, err := s.Accounts.Activated(ctx, a)
	if err == nil && activated {
		err = access.Refuse(access.Ended,
			"%s has signed in already and has a password: reset it, or have the person replace it where people sign in", name)
	}
	return err
}

// RenewMember has a temporary password sent to a customer's member who has not signed in yet; with reset also to one who has, whose
// password and sessions end first (see Reset).
func (s *Service) RenewMember(
	ctx context.Context, who Caller, customer, address string, reset bool, o Options[*access.Member],
) (*access.Member, error) {
	if err := s.PasswordsKept(); err != nil {
		return nil, err
	}
	f, err := s.Store.MemberFacts(ctx, customer, address)
	if err != nil {
		return nil, err
	}
	if _, _, err := access.PlanRenewMember(f, s.planContext(who.Actor)); err != nil { // before anything ends
		return nil, err
	}
	if name := f.Email.Account; name != "" {
		a := access.MemberAccountOf(name, address, f.Email)
		if reset {
			err = s.Accounts.Reset(ctx, a)
		} else {
			err = s.refuseActivated(ctx, a, f.Member.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	var tasks []*access.Task
	m, err := change(ctx, s, o, func(ctx context.Context) (access.Change, *access.Member, error) {
		f, err := s.Store.MemberFacts(ctx, customer, address)
		if err != nil {
			return access.Change{}, nil, err
		}
		c, m, err := access.PlanRenewMember(f, s.planContext(who.Actor))
		tasks = c.IdentityTasks()
		return c, m, err
	})
	if err == nil {
		s.follow(ctx, tasks...)
	}
	return m, err
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
	return s.Accounts.ChangePassword(ctx, me.Account(), current, proposed)
}
