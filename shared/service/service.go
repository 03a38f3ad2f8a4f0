// Package service holds the use cases, each once and without HTTP: a use case loads facts, has shared/access plan a change, and commits it.
// Whoever offers them (the people's API, the sweep, the mails) decodes, calls and encodes, and obeys the same rules.
//
// A use case fails with *access.Error when it is refused; with access.ErrUnavailable when the storage or the identity provider does not answer,
// and then it is unknown whether the change was made; with *Repeated; and otherwise because of a mistake of ours.
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
	Accounts   Accounts         // the employees' accounts; nil: the provider's own identity provider keeps them, and is told nothing
	Log        *slog.Logger     // names the request, where there is one

	// What the use cases about mails need, and no other.
	Notifier   Notifier
	Suppressed Suppressed // of the service that Notifier sends with
}

// Caller is who asks for something, and has been authorised to.
type Caller struct {
	Actor    access.Actor    // as it is remembered in what it changes
	Identity access.Identity // of a person; of the provider's systems only the address
	Customer string          // the customer that it belongs to and acts for; "" = none
	Leads    string          // the partner whose people and customers it manages (P8, P9); "" = none
	Sees     Sight
}

// Sight is how much of what it asks for a caller gets to see.
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
	DryRun bool       // the change is planned, and refused or answered as it would be, but not committed; only Grant heeds it
	Repeat *Repeat[T] // nil: the request cannot be told from another one

	// Precondition refuses the version of the thing that is there, or 0 when nothing is; nil: whatever is there.
	Precondition func(version int64) error
}

// allows heeds the precondition about the version that is there; 0 = nothing is, to which nothing is objected.
func (o Options[T]) allows(version int64) error {
	if o.Precondition == nil || version == 0 {
		return nil
	}
	return o.Precondition(version)
}

// allowsNothing heeds the precondition where nothing is there.
func (o Options[T]) allowsNothing() error {
	if o.Precondition == nil {
		return nil
	}
	return o.Precondition(0)
}

// Repeat makes a request one that can be sent again: its first answer is committed in the change's own transaction, and given again.
type Repeat[T any] struct {
	Digest      string    // of the key, the caller and the route
	Fingerprint string    // of what is asked; another one under the same digest is refused with access.IdempotencyMismatch
	Expires     time.Time // the first answer may be forgotten after this

	// Encode makes the answer of a result: its status, tag, location and body.
	Encode func(T) (access.Answer, error)
}

// Repeated says that the same request was carried out before: nothing was changed now.
type Repeated struct{ Answer *access.Answer }

// Error implements error.
func (*Repeated) Error() string { return "the same request was carried out before" }

// NothingHere refuses what is asked about something that is not there, or that the caller may not see.
func NothingHere() error {
	return access.Refuse(access.NotFound, "there is nothing here, or nothing that you may see")
}

// plan loads what it needs and plans a change, with what the change comes to. It may be called several times.
type plan[T any] func(ctx context.Context) (access.Change, T, error)

// change plans and commits a change. It fails like Store.Apply; with *Repeated instead of access.ErrRepeated.
func change[T any](ctx context.Context, s *Service, o Options[T], plan plan[T]) (T, error) {
	var out T
	if o.DryRun {
		_, out, err := plan(ctx)
		return out, err
	}
	if o.Repeat != nil {
		if first, err := s.Store.Answer(ctx, o.Repeat.Digest); err != nil || first != nil {
			return out, o.Repeat.of(first, err)
		}
	}
	err := s.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		var c access.Change
		var err error
		if c, out, err = plan(ctx); err != nil || o.Repeat == nil {
			return c, nil, err
		}
		answer, err := o.Repeat.Encode(out)
		answer.Digest, answer.Fingerprint, answer.Expires = o.Repeat.Digest, o.Repeat.Fingerprint, o.Repeat.Expires
		return c, &answer, err
	})
	if o.Repeat == nil || !errors.Is(err, access.ErrRepeated) && access.CodeOf(err) == "" {
		return out, err
	}
	// The same request may have been faster elsewhere, and what it changed be what this one was refused for.
	first, lost := s.Store.Answer(ctx, o.Repeat.Digest)
	switch {
	case lost != nil || first != nil:
		return out, o.Repeat.of(first, lost)
	case errors.Is(err, access.ErrRepeated):
		return out, access.Refuse(access.Contention, "the same request is being answered elsewhere: try again")
	}
	return out, err
}

// of is what becomes of a request whose key has a first answer.
func (r *Repeat[T]) of(first *access.Answer, err error) error {
	switch {
	case err != nil:
		return err
	case first.Fingerprint != r.Fingerprint:
		return access.Refuse(access.IdempotencyMismatch, "this Idempotency-Key was used for a request with another body: use a new key for a new request")
	}
	return &Repeated{first}
}

// stands tells whether the change of a request was made, now or when it was first sent.
func stands(err error) bool {
	var before *Repeated
	return err == nil || errors.As(err, &before)
}

// take plans and commits a change that ends access and gives none.
func take[T any](ctx context.Context, s *Service, plan plan[T]) (T, error) {
	var out T
	err := s.Store.Take(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		var c access.Change
		var err error
		c, out, err = plan(ctx)
		return c, nil, err
	})
	return out, err
}

// apply plans and commits a change that has no result.
func (s *Service) apply(ctx context.Context, plan func(context.Context) (access.Change, error)) error {
	return s.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		c, err := plan(ctx)
		return c, nil, err
	})
}

// none is the result of a use case that has none.
type none = struct{}

// moment is what a plan needs to know of the world.
func (s *Service) moment(who access.Actor) access.Moment {
	return access.Moment{Now: s.now(), Actor: who, NewID: s.NewID, Accounts: s.Accounts != nil}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
