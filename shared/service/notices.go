package service

import (
	"context"

	"partneraccess/events"
)

// NoticeSide is whom a mail addresses.
type NoticeSide string

// The sides.
const (
	ToUser     NoticeSide = "user"
	ToPartner  NoticeSide = "partner"  // its contacts
	ToCustomer NoticeSide = "customer" // its contacts
	ToInvitee  NoticeSide = "invitee"
)

// Notice is a mail that an event causes.
type Notice struct {
	To       string
	Template string
	Side     NoticeSide
}

// Notices says which mails an event causes, by what the table holds. An address that gets no mails any more, or more than its share of the
// day, is among them: what becomes of a mail is decided when it is sent.
type Notices func(ctx context.Context, table Store, e events.Event) ([]Notice, error)

// Notices are the mails that the rehearsed changes cause.
func (r *Rehearsal) Notices(ctx context.Context, of Notices) ([]Notice, error) {
	var out []Notice
	for _, c := range r.Changes {
		for _, e := range c.Events {
			more, err := of(ctx, r, e)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}
