package mails

import (
	"context"

	"partneraccess/events"
	"partneraccess/shared/mail"
)

// situations reads what holds when letters are made.
type situations struct{ Config }

// Situation implements mail.Situations.
func (s situations) Situation(ctx context.Context, e events.Event) (mail.Situation, error) {
	return mail.ReadSituation(ctx, s.Store, e, s.Now())
}
