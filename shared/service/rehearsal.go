package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"sync"

	"partneraccess/shared/access"
)

// Rehearsal is a table that changes nothing: a use case that is given it plans all its changes, and reads what they would leave. It shows
// what the use case would do, as long as nothing else happens meanwhile.
type Rehearsal struct {
	Store
	Changes []access.Change // in their order

	mu      sync.Mutex     // the work that follows is rehearsed side by side
	written map[string]any // the records as they would be, by their keys; nil: deleted
}

// Rehearse returns the service with a table that changes nothing, and that table. No account is touched, and nothing is sent.
func (s *Service) Rehearse() (*Service, *Rehearsal) {
	r := &Rehearsal{Store: s.Store, written: map[string]any{}}
	on := *s
	on.Store, on.rehearsing = r, true
	return &on, r
}

// Apply plans the change. It never commits.
func (r *Rehearsal) Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	c, _, err := plan(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Changes = append(r.Changes, c)
	for _, w := range c.Writes {
		r.write(w)
	}
	return nil
}

// Keep applies what another rehearsal, which was made on this one, would have done.
func (r *Rehearsal) Keep(ctx context.Context, made *Rehearsal) error {
	for _, c := range made.Changes {
		err := r.Apply(ctx, func(context.Context) (access.Change, *access.StoredResponse, error) { return c, nil, nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// Take is Apply.
func (r *Rehearsal) Take(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	return r.Apply(ctx, plan)
}

// StoredResponse finds none: what is rehearsed is no repetition.
func (*Rehearsal) StoredResponse(context.Context, string) (*access.StoredResponse, error) {
	return nil, nil
}

// The keys of the records that are read again after they were written.

func partnerRecord(id string) string              { return "partner " + id }
func customerRecord(id string) string             { return "customer " + id }
func userRecord(id string) string                 { return "user " + id }
func invitationRecord(customer, id string) string { return "invitation " + customer + " " + id }
func grantRecord(customer, partner string) string { return "grant " + customer + " " + partner }
func rowRecord(customer, user string) string      { return "row " + customer + " " + user }
func memberRecord(customer, email string) string  { return "member " + customer + " " + email }
func requestRecord(customer, id string) string    { return "request " + customer + " " + id }
func taskRecord(id string) string                 { return "task " + id }

func (r *Rehearsal) write(w access.Write) {
	switch w := w.(type) {
	case access.PartnerWrite:
		keep(r, w, func(p *access.Partner) string { return partnerRecord(p.ID) })
	case access.CustomerWrite:
		keep(r, w, func(c *access.Customer) string { return customerRecord(c.ID) })
	case access.UserWrite:
		keep(r, w, func(u *access.User) string { return userRecord(u.ID) })
	case access.GrantWrite:
		keep(r, w, func(g *access.Grant) string { return grantRecord(g.Customer, g.Partner) })
	case access.AssignmentWrite:
		keep(r, w, func(a *access.Assignment) string { return rowRecord(a.Customer, a.User) })
	case access.InvitationWrite:
		keep(r, w, func(i *access.Invitation) string { return invitationRecord(i.Customer, i.ID) })
	case access.EmailWrite:
		keep(r, w, func(e *access.Email) string { return emailRecord(e.Address) })
	case access.MemberWrite:
		keep(r, w, func(m *access.Member) string { return memberRecord(m.Customer, m.Email) })
	case access.RequestWrite:
		keep(r, w, func(q *access.Request) string { return requestRecord(q.Customer, q.ID) })
	case access.TaskWrite:
		keep(r, w, func(t *access.Task) string { return taskRecord(t.ID) })
	}
}

func keep[T any](r *Rehearsal, w access.Replace[T], key func(*T) string) {
	if w.After == nil {
		r.written[key(w.Before)] = nil
		return
	}
	r.written[key(w.After)] = w.After
}

// rehearsed returns the record as the rehearsal left it, or else as it was read.
func rehearsed[T any](r *Rehearsal, key string, stored *T) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	after, is := r.written[key]
	if !is {
		return stored
	}
	record, _ := after.(*T)
	return record
}

// Partner reads a partner.
func (r *Rehearsal) Partner(ctx context.Context, id string) (*access.Partner, error) {
	p, err := r.Store.Partner(ctx, id)
	return rehearsed(r, partnerRecord(id), p), err
}

// Customer reads a customer.
func (r *Rehearsal) Customer(ctx context.Context, id string) (*access.Customer, error) {
	c, err := r.Store.Customer(ctx, id)
	return rehearsed(r, customerRecord(id), c), err
}

// User reads a user.
func (r *Rehearsal) User(ctx context.Context, id string) (*access.User, error) {
	u, err := r.Store.User(ctx, id)
	return rehearsed(r, userRecord(id), u), err
}

// ErasureFacts reads what erasing a user looks at.
func (r *Rehearsal) ErasureFacts(ctx context.Context, partner, user string) (access.ErasureFacts, error) {
	f, err := r.Store.ErasureFacts(ctx, partner, user)
	f.User = rehearsed(r, userRecord(user), f.User)
	return f, err
}

// Invitation reads an invitation.
func (r *Rehearsal) Invitation(ctx context.Context, customer, id string) (*access.Invitation, error) {
	i, err := r.Store.Invitation(ctx, customer, id)
	return rehearsed(r, invitationRecord(customer, id), i), err
}

// GrantFacts loads what a plan looks at.
func (r *Rehearsal) GrantFacts(ctx context.Context, customer, partner string, users []string, whole bool) (access.GrantFacts, error) {
	f, err := r.Store.GrantFacts(ctx, customer, partner, users, whole)
	return r.overlaid(f, customer, partner, users), err
}

// Concerned reads what mails are about.
func (r *Rehearsal) Concerned(ctx context.Context, customer, partner string, users []string) (access.GrantFacts, error) {
	f, err := r.Store.Concerned(ctx, customer, partner, users)
	return r.overlaid(f, customer, partner, users), err
}

func (r *Rehearsal) overlaid(f access.GrantFacts, customer, partner string, users []string) access.GrantFacts {
	f.Customer = rehearsed(r, customerRecord(customer), f.Customer)
	f.Partner = rehearsed(r, partnerRecord(partner), f.Partner)
	f.Grant = rehearsed(r, grantRecord(customer, partner), f.Grant)
	f.Users, f.Assignments = copied(f.Users), copied(f.Assignments)
	for _, id := range users {
		overlay(f.Users, id, rehearsed(r, userRecord(id), f.Users[id]))
		overlay(f.Assignments, id, rehearsed(r, rowRecord(customer, id), f.Assignments[id]))
	}
	for id := range f.Assignments { // those that were loaded beside the users asked for
		overlay(f.Assignments, id, rehearsed(r, rowRecord(customer, id), f.Assignments[id]))
	}
	return f
}

func copied[T any](m map[string]*T) map[string]*T {
	out := make(map[string]*T, len(m))
	maps.Copy(out, m)
	return out
}

func overlay[T any](in map[string]*T, id string, record *T) {
	if record == nil {
		delete(in, id)
		return
	}
	in[id] = record
}

// Conform returns the service with a table that makes no other changes than these, in their order. It refuses with access.PlanChanged what
// would be changed otherwise, since other records were there, or another sort of event would follow.
func (s *Service) Conform(changes []access.Change) *Service {
	on := *s
	on.Store = &conforming{Store: s.Store, left: changes}
	return &on
}

type conforming struct {
	Store
	left []access.Change
}

// Apply commits the change when it is the next one.
func (c *conforming) Apply(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	return c.next(ctx, c.Store.Apply, plan)
}

// Take is Apply for a change that ends access.
func (c *conforming) Take(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	return c.next(ctx, c.Store.Take, plan)
}

type planned = func(context.Context) (access.Change, *access.StoredResponse, error)

func (c *conforming) next(ctx context.Context, commit func(context.Context, planned) error, plan planned) error {
	as := false // it is the next one
	err := commit(ctx, func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		change, answer, err := plan(ctx)
		as = len(c.left) > 0 && digest(change) == digest(c.left[0])
		if err == nil && !as && len(change.Events) > 0 { // what has no events is bookkeeping that comes after
			err = PlanChanged()
		}
		return change, answer, err
	})
	if err == nil && as {
		c.left = c.left[1:]
	}
	return err
}

// PlanChanged refuses a request that would do something else than what was shown.
func PlanChanged() error {
	return access.Refuse(access.PlanChanged, "something else happened since this was shown: look at what it would do now, with dry_run=true")
}

// digest is of the records that a change replaces, as they were found, and of the types of its events.
func digest(c access.Change) string {
	h := sha256.New()
	for _, w := range c.Writes {
		replaced(h, w)
	}
	for _, e := range c.Events {
		_, _ = fmt.Fprintln(h, "event", e.Type) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}

func replaced(h hash.Hash, w access.Write) {
	version := int64(0)
	if r, ok := w.(interface{ Found() int64 }); ok {
		version = r.Found()
	}
	_, _ = fmt.Fprintf(h, "%T %d\n", w, version)
}
