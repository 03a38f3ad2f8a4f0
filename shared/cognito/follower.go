package cognito

import (
	"context"
	"fmt"

	"partneraccess/shared/access"
)

// Accounts are the accounts at the identity provider, as Follower uses them.
type Accounts interface {
	// Sync makes the user's account be as the user is, and can be repeated.
	Sync(ctx context.Context, u access.User) error
}

// Store is the table, as Follower uses it. Reads are strongly consistent.
type Store interface {
	User(ctx context.Context, id string) (*access.User, error)
	Task(ctx context.Context, id string) (*access.Task, error)
	Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.Answer, error)) error
}

// Follower does the work of identity tasks.
type Follower struct {
	Accounts Accounts
	Store    Store
}

// Keeper is all that can be done with the accounts.
type Keeper struct {
	*Provider
	*Follower
}

// Keep keeps the accounts of the table's users at the provider.
func Keep(p *Provider, s Store) *Keeper {
	return &Keeper{Provider: p, Follower: &Follower{Accounts: p, Store: s}}
}

// Follow does the work of a task that the caller has taken (access.Change.Identity, access.PlanTakeIdentity), and deletes the task when nothing
// more is to be done. After an error the task is still there, and is due when the caller's time is over. A user who changes meanwhile
// has a task again.
func (f *Follower) Follow(ctx context.Context, t *access.Task) error {
	u, err := f.Store.User(ctx, t.User)
	switch {
	case err != nil:
		return fmt.Errorf("read a user: %w", err)
	case u == nil: // never: users are kept when they are removed
		return fmt.Errorf("there is no user %s", t.User)
	}
	if err := f.Accounts.Sync(ctx, *u); err != nil {
		return err
	}
	err = f.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		now, err := f.Store.Task(ctx, t.ID)
		return access.PlanIdentityDone(now, t), nil, err
	})
	if err != nil {
		return fmt.Errorf("delete a task: %w", err)
	}
	return nil
}
