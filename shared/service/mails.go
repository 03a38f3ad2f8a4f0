package service

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// Notifier makes the mails of events and sends them.
type Notifier interface {
	// NotifyOne sends the mail of an event to one recipient. It fails with receipt.ErrUnknown when the event tells nobody whom that digest
	// stands for, and with receipt.ErrHeld while somebody else is sending it. After any other error the mail has not been sent, and can be
	// sent again.
	NotifyOne(ctx context.Context, e events.Event, recipient string) error
	// Outdated is why the mail of an event to one recipient says what holds no longer; "" when it holds. It fails with receipt.ErrUnknown
	// likewise.
	Outdated(ctx context.Context, e events.Event, recipient string) (string, error)
	// NotifyWaiting is NotifyOne for a mail that waits for another attempt, and fails with receipt.ErrSettled when another was faster.
	NotifyWaiting(ctx context.Context, e events.Event, recipient string) error
	// NotifySummary is NotifyWaiting for the summary of a day, with the names of the organisations that it is about; outdated is why nobody is
	// to get it.
	NotifySummary(ctx context.Context, r receipt.Receipt, customer, partner, outdated string) error
	// Read returns what a mail says, of its event or, where that is nil, of a summary's receipt with the names of the organisations that it is
	// about. It fails with receipt.ErrUnknown when the event has no such mail to the recipient.
	Read(ctx context.Context, r receipt.Receipt, e *events.Event, customer, partner string) (receipt.Text, error)
	// GiveUp settles a mail that waits and that no event tells anybody of any more.
	GiveUp(ctx context.Context, key receipt.Key, reason string) error
}

// Suppressed is the mail service's own list of addresses to which it sends nothing.
type Suppressed interface {
	// Remove takes an address off the list; one that is not on it is no error. It can be repeated.
	Remove(ctx context.Context, address string) error
}

// CustomerMails lists what became of the mails about a customer, newest first, without those to the partners' contacts.
func (s *Service) CustomerMails(ctx context.Context, customer string, ask access.PageRequest) (access.Page[receipt.Receipt], error) {
	if _, err := s.Customer(ctx, customer); err != nil {
		return access.Page[receipt.Receipt]{}, err
	}
	return s.Store.CustomerMails(ctx, customer, ask)
}

// PartnerMails lists what became of the mails about a partner, newest first, without those to the customers' contacts.
func (s *Service) PartnerMails(ctx context.Context, who Caller, partner string, ask access.PageRequest) (access.Page[receipt.Receipt],
	error,
) {
	if _, err := s.Partner(ctx, who, partner); err != nil {
		return access.Page[receipt.Receipt]{}, err
	}
	return s.Store.PartnerMails(ctx, partner, ask)
}

// ResendMail sends a mail again, to the same person and about the same event, once for each asked, which names the request ("" names none).
// The mail is one of the list of the partner when that is not "", otherwise of the customer's. It is refused with access.MailOutdated when
// what it says holds no longer, with access.Contention while somebody else is sending it, and with access.TooManyRequests when the caller's
// organisation has caused as many mails to the recipient as a day allows. After access.ErrUnavailable the mail has not been sent.
func (s *Service) ResendMail(ctx context.Context, who Caller, partner string, key receipt.Key, asked string) (*receipt.Receipt, error) {
	r, err := s.mail(ctx, who, partner, key)
	if err != nil {
		return nil, err
	}
	if who.Leads != "" && r.Customer == "" && r.Side == "user" { // it may bring another temporary password
		id, err := s.Store.Identity(ctx, r.To)
		if err != nil {
			return nil, err
		}
		if id.User != nil && id.User.Partner == partner {
			if err := access.MayManageRole(who.Actor, id.User.Role); err != nil {
				return nil, err
			}
		}
	}
	switch err := s.resend(ctx, *r, asked, who.source()); {
	case errors.Is(err, receipt.ErrUnknown):
		return nil, NothingHere()
	case errors.Is(err, receipt.ErrHeld):
		return nil, access.Refuse(access.Contention, "this mail is being sent at this moment: look at what became of it")
	case access.CodeOf(err) != "":
		return nil, err
	case err != nil:
		return nil, errors.Join(access.ErrUnavailable, err)
	}
	if r, err = s.Store.Mail(ctx, key); err != nil {
		return nil, err
	}
	if r.State == receipt.Dropped { // found out when its secret was to be made
		return nil, access.Refuse(access.MailOutdated, "this mail is not sent again: %s", r.Reason)
	}
	return r, nil
}

// mail returns a mail of the list of the partner when that is not "", otherwise of the customer's.
func (s *Service) mail(ctx context.Context, who Caller, partner string, key receipt.Key) (*receipt.Receipt, error) {
	r, err := s.Store.Mail(ctx, key)
	if err != nil {
		return nil, err
	}
	other := "partner" // whose contacts' mails the caller does not see
	if partner != "" {
		other = "customer"
	}
	if r == nil || who.Actor.Kind != access.ActorProvider && r.Side == other || partner != "" && r.Partner != partner && r.With != partner {
		return nil, NothingHere()
	}
	return r, nil
}

// ReadMail returns a mail of the list of the partner when that is not "", otherwise of the customer's, with what it says, which is nil when
// what it is about is no longer kept.
func (s *Service) ReadMail(ctx context.Context, who Caller, partner string, key receipt.Key) (*receipt.Receipt, *receipt.Text, error) {
	r, err := s.mail(ctx, who, partner, key)
	if err != nil {
		return nil, nil, err
	}
	e, err := s.Store.Event(ctx, r.Key)
	if err != nil {
		return nil, nil, err
	}
	var names [2]string
	switch {
	case e == nil && r.Type != receipt.SummaryType:
		return r, nil, nil
	case e == nil:
		if names, _, err = s.summaryOf(ctx, *r); err != nil {
			return nil, nil, err
		}
	}
	text, err := s.Notifier.Read(ctx, *r, e, names[0], names[1])
	switch {
	case errors.Is(err, receipt.ErrUnknown): // to a contact that was replaced, in a situation that is no more
		return r, nil, nil
	case err != nil:
		return nil, nil, err
	}
	return r, &text, nil
}

func (s *Service) resend(ctx context.Context, r receipt.Receipt, asked, source string) error {
	e, err := s.Store.Event(ctx, r.Key)
	switch {
	case err != nil:
		return err
	case e == nil && r.Type != receipt.SummaryType:
		return receipt.ErrUnknown
	case e == nil:
		return access.Refuse(access.MailOutdated, "a summary is not sent again: send the mails that it tells of")
	case asked == "" || r.Asked != asked: // a request that was carried out before is not refused
		if err := s.mayResend(ctx, *e, r, asked, source); err != nil {
			return err
		}
	}
	// Being held is no refusal yet: the one before may have reopened it and then failed. Whoever holds it for good is found out in sending.
	switch err := s.Store.ReopenMail(ctx, r.Key, asked, s.Now().UTC()); {
	case errors.Is(err, receipt.ErrDone):
		return nil
	case err != nil && !errors.Is(err, receipt.ErrHeld):
		return err
	}
	return s.Notifier.NotifyOne(ctx, *e, r.Recipient)
}

// mayResend refuses to send again what holds no longer, and more than the organisation that asks may have us send. The receipt stays as it
// is.
func (s *Service) mayResend(ctx context.Context, e events.Event, r receipt.Receipt, asked, source string) error {
	why, err := s.Notifier.Outdated(ctx, e, r.Recipient)
	switch {
	case errors.Is(err, receipt.ErrUnknown): // a contact that was added after the event, and replaced since
		return access.Refuse(access.MailOutdated, "this mail is not sent again: this address no longer gets mails about it")
	case err != nil:
		return err
	case why != "":
		return access.Refuse(access.MailOutdated, "this mail is not sent again: %s", why)
	case source == "":
		return nil
	}
	if asked == "" {
		asked = rand.Text()
	}
	now := s.Now()
	b := receipt.NewBudget(source, r.To, false, now)
	ok, err := s.Store.SpendMail(ctx, b, r.Event+"/"+asked)
	if err != nil || ok {
		return err
	}
	return tooManyMails(r.To, b.Renewed().Sub(now))
}

// RetryMail sends a mail that waits, or settles it when there is nothing to tell any more. It fails like Notifier.NotifyWaiting.
func (s *Service) RetryMail(ctx context.Context, key receipt.Key) error {
	e, err := s.Store.Event(ctx, key)
	if err != nil {
		return err
	}
	if e != nil {
		err := s.Notifier.NotifyWaiting(ctx, *e, key.Recipient)
		if errors.Is(err, receipt.ErrUnknown) {
			return s.Notifier.GiveUp(ctx, key, "the event tells this person nothing any more")
		}
		return err
	}
	r, err := s.Store.Mail(ctx, key)
	switch {
	case err != nil:
		return err
	case r != nil && r.Type == receipt.SummaryType:
		return s.summary(ctx, *r)
	}
	return s.Notifier.GiveUp(ctx, key, "its event is no longer there")
}

// summary sends the summary of a day, unless its recipient has no more to do with the organisations that it is about.
func (s *Service) summary(ctx context.Context, r receipt.Receipt) error {
	names, about, err := s.summaryOf(ctx, r)
	if err != nil {
		return err
	}
	still, err := s.concerned(ctx, r, about)
	if err != nil {
		return err
	}
	outdated := ""
	if !still {
		outdated = "this address no longer gets mails about it"
	}
	return s.Notifier.NotifySummary(ctx, r, names[0], names[1], outdated)
}

// summaryOf returns the names of the customer and the partner that a summary is about, "" for none, and what else is known of them.
func (s *Service) summaryOf(ctx context.Context, r receipt.Receipt) (names [2]string, about access.GrantFacts, err error) {
	partner := r.Partner
	if r.Customer != "" {
		partner = r.With
	}
	if about, err = s.Store.Concerned(ctx, r.Customer, partner, nil); err != nil {
		return names, about, err
	}
	if about.Customer != nil {
		names[0] = about.Customer.Name
	}
	if about.Partner != nil {
		names[1] = about.Partner.Name
	}
	return names, about, nil
}

// concerned tells whether the recipient of a summary still gets mails about its organisations.
func (s *Service) concerned(ctx context.Context, r receipt.Receipt, about access.GrantFacts) (bool, error) {
	switch {
	case r.Side == "invitee":
		return true, nil
	case r.Side == "customer" && about.Customer != nil:
		if slices.Contains(about.Customer.Contacts, r.To) {
			return true, nil
		}
		id, err := s.Store.Identity(ctx, r.To) // an admin who has invited somebody
		return err == nil && slices.Contains(id.MemberOf, about.Customer.ID), err
	case (r.Side == "partner" || r.Side == "user") && about.Partner != nil:
		if slices.Contains(about.Partner.Contacts, r.To) {
			return true, nil
		}
		id, err := s.Store.Identity(ctx, r.To)
		return err == nil && id.User != nil && id.User.Partner == about.Partner.ID && id.User.Status == access.Active, err
	}
	return false, nil
}

// Unblock lets an address that bounced or complained get mails again: those from now on, and those that are sent again. An address that is
// not blocked here is refused, and not looked for on the mail service's list, where others of the provider's systems may have put it.
func (s *Service) Unblock(ctx context.Context, address string) error {
	blocked, err := s.Store.Blocks(ctx, address)
	if err != nil {
		return err
	}
	if len(blocked) == 0 {
		return access.Refuse(access.NotFound, "this address is not blocked: it gets its mails")
	}
	// The list comes first: when that fails, the address is still blocked, and the request can be repeated.
	if err := s.Suppressed.Remove(ctx, address); err != nil {
		return errors.Join(access.ErrUnavailable, err)
	}
	now := s.now()
	for _, b := range blocked {
		if b.At.After(now) { // the mail service's clock is ahead of ours
			now = b.At
		}
	}
	switch cleared, err := s.Store.ClearAddress(ctx, address, now); {
	case err != nil:
		return err
	case !cleared:
		return access.Refuse(access.Contention, "something happened to this address at this moment: try again")
	}
	return nil
}

// mayMail refuses a request that has us send a mail to an address to which the caller's organisation has caused as many as a day allows.
// The mails are counted when they are sent, so that many requests at once may pass: then their mails are held back.
func (s *Service) mayMail(ctx context.Context, who Caller, address string, security bool) error {
	source := who.source()
	if source == "" || address == "" {
		return nil
	}
	b := receipt.NewBudget(source, address, security, s.now())
	left, err := s.Store.MailsLeft(ctx, b)
	if err != nil || left {
		return err
	}
	return tooManyMails(address, b.Renewed().Sub(s.now()))
}

// tooManyMails refuses what would have us send one more mail to the address, until that time has passed.
func tooManyMails(address string, wait time.Duration) error {
	e := access.Refuse(access.TooManyRequests, "your organisation has caused as many mails to %s as a day allows: try again tomorrow", address)
	e.Wait = wait
	return e
}
