package service

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"partneraccess/shared/access"
)

// Outdated says that what a mail would carry is of no use any more.
type Outdated struct{ Reason error }

// Error implements error.
func (o *Outdated) Error() string { return o.Reason.Error() }

// Unwrap is the reason.
func (o *Outdated) Unwrap() error { return o.Reason }

// outdated turns the refusals that mean that a mail has come too late into *Outdated.
func outdated(err error) error {
	switch access.CodeOf(err) {
	case access.InvitationEnded, access.Ended, access.NotFound:
		return &Outdated{err}
	}
	return err
}

// NewToken makes a token for an invitation's mail or its reminder; sending is that of the event which calls for the mail. Only the token's
// digest is stored. Which of the earlier ones still open the invitation, access.PlanToken decides. It fails with *Outdated.
func (s *Service) NewToken(ctx context.Context, customer, invitation string, sending int) (string, error) {
	secret := rand.Text()
	token, err := change(ctx, s, Options[string]{}, func(ctx context.Context) (access.Change, string, error) {
		i, err := s.Store.Invitation(ctx, customer, invitation)
		if err != nil {
			return access.Change{}, "", err
		}
		c, err := access.PlanToken(i, sending, access.TokenDigest(secret), s.planContext(clock().Actor))
		if err != nil {
			return access.Change{}, "", err
		}
		return c, access.Token(i, secret), nil
	})
	return token, outdated(err)
}

// NewPassword makes a temporary password for a mail to a user under that address, and has the clock end it before it is made. It is stored
// nowhere, and is "" when the person signs in elsewhere, or has signed in already and moved says that the mail tells of another address. It
// fails with *Outdated.
func (s *Service) NewPassword(ctx context.Context, user, address string, moved bool) (string, error) {
	u, err := s.Store.User(ctx, user)
	switch {
	case err != nil:
		return "", err
	case u == nil || u.Status != access.Active:
		return "", &Outdated{errors.New("there is no such user any more, or it is disabled")}
	case u.Email != address: // it was changed meanwhile, and the change has its own mail
		return "", &Outdated{errors.New("the user has another address now")}
	case s.Accounts == nil:
		return "", nil
	}
	password, err := s.temporaryPassword(ctx, u.Account(), func(t *access.Task, pc access.PlanContext) (access.Change, *access.Task, error) {
		u, err := s.Store.User(ctx, user)
		if err != nil {
			return access.Change{}, nil, err
		}
		return access.PlanTemporaryPassword(u, t, pc)
	})
	if moved && access.CodeOf(err) == access.Ended {
		return "", nil
	}
	return password, outdated(err)
}

// NewMemberPassword is NewPassword for the account of a customer's member with that address. It is "" when the member signs in elsewhere.
func (s *Service) NewMemberPassword(ctx context.Context, customer, address string) (string, error) {
	e, err := s.Store.Email(ctx, address)
	switch {
	case err != nil:
		return "", err
	case e == nil || !slices.Contains(e.MemberOf, customer):
		return "", &Outdated{errors.New("there is no such member any more")}
	case s.Accounts == nil || e.Account == "":
		return "", nil
	}
	account := access.MemberAccountOf(e.Account, address, e)
	password, err := s.temporaryPassword(ctx, account, func(t *access.Task, pc access.PlanContext) (access.Change, *access.Task, error) {
		now, err := s.Store.Email(ctx, address)
		switch {
		case err != nil:
			return access.Change{}, nil, err
		case now == nil || now.Account != account.Name:
			return access.Change{}, nil, access.Refuse(access.Ended, "the member has another account now, or none")
		}
		return access.PlanMemberPassword(now, t, pc)
	})
	return password, outdated(err)
}

// temporaryPassword makes one, after it has had the clock end it, and keeps others from being made meanwhile. Limit plans that, for the
// account's activation task.
func (s *Service) temporaryPassword(
	ctx context.Context, a access.Account, limit func(*access.Task, access.PlanContext) (access.Change, *access.Task, error),
) (string, error) {
	mine, err := change(ctx, s, Options[*access.Task]{}, func(ctx context.Context) (access.Change, *access.Task, error) {
		t, err := s.Store.Task(ctx, access.ActivationTask(a.Name))
		if err != nil {
			return access.Change{}, nil, err
		}
		return limit(t, s.planContext(clock().Actor))
	})
	if err != nil {
		return "", err
	}
	password, settled, err := s.Accounts.TemporaryPassword(ctx, a)
	if settled {
		s.settle(ctx, mine)
	}
	return password, err
}

// settle lets others make a temporary password. When that fails they have to wait some minutes, and no more.
func (s *Service) settle(ctx context.Context, mine *access.Task) {
	err := s.apply(ctx, func(ctx context.Context) (access.Change, error) {
		now, err := s.Store.Task(ctx, mine.ID)
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanPasswordSettled(now, mine), nil
	})
	if err != nil {
		s.Log.Warn("another temporary password has to wait", "account", mine.User, "until", mine.InFlightUntil, "error", err.Error())
	}
}
