package mailing

import (
	"context"
	"slices"

	"partneraccess/shared/access"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

// summary sends the summary of a day, unless its recipient has no more to do with the organisations that it is about.
func (n notify) summary(ctx context.Context, r receipt.Receipt) error {
	partner := r.Partner
	if r.Customer != "" {
		partner = r.With
	}
	about, err := n.Store.Concerned(ctx, r.Customer, partner, nil)
	if err != nil {
		return err
	}
	told, err := n.told(ctx, r, about)
	if err != nil {
		return err
	}
	outdated := ""
	if !told {
		outdated = "nobody is told at this address any more"
	}
	var names [2]string
	if about.Customer != nil {
		names[0] = about.Customer.Name
	}
	if about.Partner != nil {
		names[1] = about.Partner.Name
	}
	return n.notifier.NotifySummary(ctx, mail.Summary(r, names[0], names[1], outdated))
}

// told tells whether the recipient of a summary is still one whom its mails would reach.
func (n notify) told(ctx context.Context, r receipt.Receipt, about access.Relation) (bool, error) {
	switch mail.Side(r.Side) {
	case mail.Customer:
		if about.Customer == nil || slices.Contains(about.Customer.Contacts, r.To) {
			return about.Customer != nil, nil
		}
		id, err := n.Store.Identity(ctx, r.To) // an admin who has invited somebody
		return err == nil && slices.Contains(id.MemberOf, about.Customer.ID), err
	case mail.Partner, mail.User:
		if about.Partner == nil {
			return false, nil
		}
		if slices.Contains(about.Partner.Contacts, r.To) {
			return true, nil
		}
		id, err := n.Store.Identity(ctx, r.To)
		return err == nil && id.User != nil && id.User.Partner == about.Partner.ID && id.User.Status == access.Active, err
	case mail.Invitee:
		return true, nil
	}
	return false, nil
}
