package service

import (
	"context"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// mayMail refuses a request that has us send a mail to an address to which the caller's organisation has caused as many as a day allows. The mails are
// counted when they are sent, so that many requests at once may pass: then their mails are held back.
func (s *Service) mayMail(ctx context.Context, who Caller, address string, security bool) error {
	source := who.Source()
	if source == "" || address == "" {
		return nil
	}
	b := receipt.NewBudget(source, address, security, s.now())
	left, err := s.Store.MailsLeft(ctx, b)
	if err != nil || left {
		return err
	}
	return TooManyMails(address, b.Renewed().Sub(s.now()))
}

// TooManyMails refuses what would have us send one more mail to the address, until that time has passed.
func TooManyMails(address string, wait time.Duration) error {
	e := access.Refuse(access.TooManyRequests, "your organisation has caused as many mails to %s as a day allows: try again tomorrow", address)
	e.Wait = wait
	return e
}
