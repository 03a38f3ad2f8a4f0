package mails

import (
	"context"
	"fmt"
	"net/http"

	"partneraccess/shared/mail"
	"partneraccess/shared/webhook"
)

// chat posts cards to the chat's address, and hands all else to the mail service.
type chat struct {
	mail.Sender
	address string
}

// Send implements mail.Sender. A chat that does not answer may have the card: then it comes once more.
func (c chat) Send(ctx context.Context, m mail.Message) (string, error) {
	if m.Card == nil {
		return c.Sender.Send(ctx, m)
	}
	// The operator's own address, which is checked when it is deployed: loopback is none there.
	post := webhook.Client{Local: webhook.CheckURL(c.address) != nil}
	a, err := post.Post(ctx, c.address, http.Header{"Content-Type": {"application/json"}}, m.Card)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", mail.ErrUncertain, err)
	case a.Status >= 200 && a.Status < 300:
		return "", nil
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusRequestTimeout, a.Status >= 500:
		return "", fmt.Errorf("the chat answered %d: %.200s", a.Status, a.Body)
	default:
		return "", fmt.Errorf("%w: the chat answered %d: %.200s", mail.ErrRefused, a.Status, a.Body)
	}
}
