// Package service holds the use cases, without HTTP: each loads facts, has shared/access plan a change, and commits it. The people's API,
// the sweep and the mails call them, so that all follow the same rules.
//
// Unless its comment says otherwise, a use case returns an *access.Error when it is refused, which changes nothing; access.ErrUnavailable
// when the storage or the identity provider does not answer, and it is unknown whether the change was made; *Repeated when it was given a
// Repeat; and any other error because of a fault of ours. Instants are UTC, to the millisecond.
package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// Service is what the use cases need.
type Service struct {
	Store      Store
	Now        func() time.Time // the clock
	NewID      func() string    // a new ULID at each call
	RequireSSO bool             // whether new grants require single sign-on when the request does not say (A9)
	Accounts   Accounts         // people's accounts; nil: the provider's own identity provider keeps them, or another function does
	Log        *slog.Logger     // names the request, where there is one
	Request    string           // the id of the request that is served, for what it changes; "" for the clock's work
	BulkJob    string           // the bulk job of which a row is made; "" = none

	// AccountsElsewhere: Accounts is nil, but other functions keep accounts. An account that comes with a change is left to the sweep.
	AccountsElsewhere bool
	Federation        access.Federation // identity providers of others, whose people sign in as customers' members

	// StartJobs has the function that does bulk jobs begin at once; nil: its schedule does.
	StartJobs func(ctx context.Context) error

	// What the use cases about webhooks need, and no other.
	Source          string                                          // the service's address, which messages name
	StartDeliveries func(ctx context.Context, webhook string) error // has what waits for a webhook sent; nil: the schedule does

	rehearsing bool // nothing outside of the table happens either

	// What the use cases about mails need, and no other.
	Notifier   Notifier
	Suppressed Suppressed // of the service that Notifier sends with
}

// Caller is who makes a request. It has been authorised already.
type Caller struct {
	Actor    access.Actor    // recorded in what it changes
	Identity access.Identity // of a person; of the provider's systems only the address
	Customer string          // the customer that it belongs to and acts for; "" = none
	Leads    string          // the partner whose people and customers it manages (P8, P9); "" = none
	Sees     Sight
}

// Sight limits what a caller sees.
type Sight int

// The sights.
const (
	SeesAll       Sight = iota
	SeesDirectory       // of the partners those that a customer could grant access to, and of their users the active ones (D16)
	SeesOwn             // of a partner's customers those that the caller itself can enter
)

// source is the caller's organisation, as receipt.SourceOf names it; "" for the provider, whose mails are not counted.
func (who Caller) source() string {
	switch {
	case who.Actor.Kind == access.ActorCustomer:
		return receipt.Key{Customer: who.Customer}.Organisation()
	case who.Actor.Kind == access.ActorPartner && who.Identity.User != nil:
		return receipt.Key{Partner: who.Identity.User.Partner}.Organisation()
	}
	return ""
}

// Options are what a request says beside its command. T is the result of the use case.
type Options[T any] struct {
	Repeat *Repeat[T] // nil: the request cannot be repeated

	// Precondition returns an error for a version that the request is not meant for; 0 stands for nothing. nil: any version.
	Precondition func(version int64) error
}

// allows applies the precondition to the version that exists. Version 0 means that nothing exists, which is allowed.
func (o Options[T]) allows(version int64) error {
	if o.Precondition == nil || version == 0 {
		return nil
	}
	return o.Precondition(version)
}

// allowsNothing applies the precondition where nothing exists.
func (o Options[T]) allowsNothing() error {
	if o.Precondition == nil {
		return nil
	}
	return o.Precondition(0)
}

// Repeat identifies a request that may be sent again. Its first answer is committed in the same transaction as the change, and returned in
// *Repeated from then on.
type Repeat[T any] struct {
	Digest      string    // of the key, the caller and the route
	Fingerprint string    // of the body; another one under the same digest is refused with access.IdempotencyMismatch
	Expires     time.Time // until when the first answer is kept

	// Encode returns the answer to be stored for a result. It may be called several times.
	Encode func(T) (access.StoredResponse, error)
}

// Repeated is returned when the same request was carried out before: nothing was changed now. Answer is the first answer.
type Repeated struct{ Answer *access.StoredResponse }

// Error implements error.
func (*Repeated) Error() string { return "the same request was carried out before" }

// NothingHere refuses a request for something that does not exist, or that the caller may not see.
func NothingHere() error {
	return access.Refuse(access.NotFound, "there is nothing here, or nothing that you may see")
}

// plan loads what it needs and plans a change, with what the change comes to. It may be called several times.
type plan[T any] func(ctx context.Context) (access.Change, T, error)

// change plans and commits a change. It fails like Store.Apply; with *Repeated instead of access.ErrKeyUsed.
func change[T any](ctx context.Context, s *Service, o Options[T], plan plan[T]) (T, error) {
	return once(ctx, s, o, plan, s.Store.Apply)
}

// once plans a change and has it committed, unless the same request was carried out before.
func once[T any](
	ctx context.Context, s *Service, o Options[T], plan plan[T],
	commit func(context.Context, func(context.Context) (access.Change, *access.StoredResponse, error)) error,
) (T, error) {
	var out T
	if o.Repeat != nil {
		if first, err := s.Store.StoredResponse(ctx, o.Repeat.Digest); err != nil || first != nil {
			return out, o.Repeat.of(first, err)
		}
	}
	err := commit(ctx, func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		var c access.Change
		var err error
		c, out, err = plan(ctx)
		if c.At = c.PlannedAt(s.now()); err != nil || o.Repeat == nil {
			return c, nil, err
		}
		answer, err := o.Repeat.Encode(out)
		answer.Digest, answer.Fingerprint, answer.Expires = o.Repeat.Digest, o.Repeat.Fingerprint, o.Repeat.Expires
		return c, &answer, err
	})
	if o.Repeat == nil || !errors.Is(err, access.ErrKeyUsed) && access.CodeOf(err) == "" {
		return out, err
	}
	// The same request may have been faster elsewhere, and what it changed be what this one was refused for.
	first, lost := s.Store.StoredResponse(ctx, o.Repeat.Digest)
	switch {
	case lost != nil || first != nil:
		return out, o.Repeat.of(first, lost)
	case errors.Is(err, access.ErrKeyUsed):
		return out, access.Refuse(access.Contention, "the same request is being answered elsewhere: try again")
	}
	return out, err
}

// of returns what a request fails with whose first answer was looked up.
func (r *Repeat[T]) of(first *access.StoredResponse, err error) error {
	switch {
	case err != nil:
		return err
	case first.Fingerprint != r.Fingerprint:
		return access.Refuse(access.IdempotencyMismatch,
			"this Idempotency-Key was used for a request with another body: use a new key for a new request")
	}
	return &Repeated{first}
}

// stands tells whether a request's change was made: now, or when it was first sent.
func stands(err error) bool {
	var before *Repeated
	return err == nil || errors.As(err, &before)
}

// take plans and commits a change that ends access and gives none. It fails like Store.Take.
func take[T any](ctx context.Context, s *Service, plan plan[T]) (T, error) {
	return takeOnce(ctx, s, Options[T]{}, plan)
}

// takeOnce is take for a request that may be sent again.
func takeOnce[T any](ctx context.Context, s *Service, o Options[T], plan plan[T]) (T, error) {
	return once(ctx, s, o, plan, s.Store.Take)
}

// apply plans and commits a change that has no result.
func (s *Service) apply(ctx context.Context, plan func(context.Context) (access.Change, error)) error {
	return s.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		c, err := plan(ctx)
		c.At = c.PlannedAt(s.now())
		return c, nil, err
	})
}

// end is take for a change that has no result.
func (s *Service) end(ctx context.Context, plan func(context.Context) (access.Change, error)) error {
	return s.Store.Take(ctx, func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		c, err := plan(ctx)
		c.At = c.PlannedAt(s.now())
		return c, nil, err
	})
}

// none is the result of a use case that has none.
type none = struct{}

// planContext returns what a plan needs beside the facts: who acts, when, and how new ids are made.
func (s *Service) planContext(who access.Actor) access.PlanContext {
	return access.PlanContext{
		Now: s.now(), Actor: who, NewID: s.NewID, Request: s.Request, Job: s.BulkJob, Accounts: s.Accounts != nil, Unattended: s.Accounts == nil,
		Federation: s.Federation,
	}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
