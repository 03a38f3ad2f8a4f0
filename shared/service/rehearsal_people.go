package service

import (
	"context"
	"slices"

	"partneraccess/shared/access"
)

// Who gets the mails of a rehearsed change: people as it would leave them.

func emailRecord(address string) string { return "email " + address }

// Identity reads who has an e-mail address.
func (r *Rehearsal) Identity(ctx context.Context, address string) (access.Identity, error) {
	id, err := r.Store.Identity(ctx, address)
	if err != nil {
		return id, err
	}
	stored := &access.Email{Address: address, MemberOf: id.MemberOf, Account: id.Account}
	if id.User != nil {
		stored.User = id.User.ID
	}
	e := rehearsed(r, emailRecord(address), stored)
	out := access.Identity{Email: address}
	if e == nil {
		return out, nil
	}
	if out.MemberOf, out.Account = e.MemberOf, e.Account; e.User == "" {
		return out, nil
	}
	if e.User != stored.User { // it has another user afterwards
		id.Partner = nil
		if id.User, err = r.Store.User(ctx, e.User); err != nil {
			return out, err
		}
	}
	u := rehearsed(r, userRecord(e.User), id.User)
	if u == nil || u.Status == access.Removed {
		return out, nil
	}
	if id.Partner == nil {
		if id.Partner, err = r.Store.Partner(ctx, u.Partner); err != nil {
			return out, err
		}
	}
	out.User, out.Partner = u, rehearsed(r, partnerRecord(u.Partner), id.Partner)
	return out, nil
}

// Users lists those that the table has.
func (r *Rehearsal) Users(
	ctx context.Context, partner, query string, onlyActive bool, ask access.PageRequest,
) (access.Page[access.User], error) {
	page, err := r.Store.Users(ctx, partner, query, onlyActive, ask)
	var left []access.User
	for _, stored := range page.Items {
		u := rehearsed(r, userRecord(stored.ID), &stored)
		if u != nil && u.Status != access.Removed && (!onlyActive || u.Status == access.Active) {
			left = append(left, *u)
		}
	}
	page.Items = left
	return page, err
}

// MembersOf reads those of the people who are members of the customer.
func (r *Rehearsal) MembersOf(ctx context.Context, customer string, people []string) ([]access.Member, error) {
	found, err := r.Store.MembersOf(ctx, customer, people)
	written := r.members(customer)
	out := slices.DeleteFunc(found, func(m access.Member) bool {
		_, is := written[m.Email]
		return is
	})
	for _, address := range people {
		if m := written[address]; m != nil {
			out = append(out, *m)
		}
	}
	return out, err
}

// RequestRow reads a request with what decides whether it is still to be decided.
func (r *Rehearsal) RequestRow(ctx context.Context, customer, id string) (*access.RequestRow, error) {
	row, err := r.Store.RequestRow(ctx, customer, id)
	if err != nil || row == nil {
		return nil, err
	}
	return r.requestRow(row), nil
}
