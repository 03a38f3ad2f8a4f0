package cognito

import (
	"context"
	"fmt"

	"partneraccess/shared/access"
)

// Accounts are the accounts at the identity provider, as Follower uses them.
type Accounts interface {
	// Sync makes the user's account be as the user is, and can be repeated. Alone says that nothing that was sent about it before may still
	// arrive, and settled the same of what it has sent itself.
	Sync(ctx context.Context, u access.User, alone bool) (settled bool, err error)
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

// Follow does the work of a task that the caller has taken (access.Change.Identity, access.PlanTakeIdentity), and deletes the task when
// nothing more is to be done. After an error the task is still there, and is due when the caller's time is over. A user who changes
// meanwhile has a task again, and so has one about whom something may still be on its way.
func (f *Follower) Follow(ctx context.Context, t *access.Task) error {
	u, err := f.Store.User(ctx, t.User)
	switch {
	case err != nil:
		return fmt.Errorf("read a user: %w", err)
	case u == nil: // never: users are kept when they are removed
		return fmt.Errorf("there is no user %s", t.User)
	}
	settled, err := f.Accounts.Sync(ctx, *u, t.Until.IsZero())
	if err != nil {
		return err
	}
	err = f.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		now, err := f.Store.Task(ctx, t.ID)
		return access.PlanIdentityDone(now, t, settled), nil, err
	})
	if err != nil {
		return fmt.Errorf("delete a task: %w", err)
	}
	return nil
}
