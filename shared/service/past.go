package service

import (
	"context"

	"partneraccess/shared/access"
)

// The past is told to those who are told the present: a customer's members of today see the customer's past, and a partner's users of today
// what their organisation had. Each side sees of a grant what it sees of it today.

// GrantAt returns a customer's grant for a partner as it was, with both sides, and which versions are missing for that.
func (s *Service) GrantAt(
	ctx context.Context, customer, partner string, of access.Past,
) (access.GrantRow, []access.MissingVersions, error) {
	if _, err := s.Customer(ctx, customer); err != nil {
		return access.GrantRow{}, nil, err
	}
	row, missing, err := s.Store.GrantAt(ctx, customer, partner, "", of)
	if err == nil && (row.Grant == nil || row.Partner == nil || row.Customer == nil) {
		err = noGrantThen(missing)
	}
	return row, missing, err
}

// PartnerCustomerAt returns a partner's grant of a customer as it was, with what it let the caller do.
func (s *Service) PartnerCustomerAt(
	ctx context.Context, who Caller, customer, partner string, of access.Past,
) (access.GrantRow, []access.MissingVersions, error) {
	if _, err := s.Partner(ctx, who, partner); err != nil {
		return access.GrantRow{}, nil, err
	}
	viewer := ""
	if u := who.Identity.User; u != nil {
		viewer = u.ID
	}
	row, missing, err := s.Store.GrantAt(ctx, customer, partner, viewer, of)
	if err != nil {
		return row, nil, err
	}
	if row.Grant == nil || row.Partner == nil || row.Customer == nil {
		return row, nil, noGrantThen(missing)
	}
	if _, in := access.EffectiveLevel(row.Viewer, customer, of.At); who.Sees == SeesOwn && !in {
		return row, nil, noGrantThen(nil)
	}
	return row, missing, nil
}

// noGrantThen refuses what did not exist at the instant, as far as is known, or what the caller may not see.
func noGrantThen(missing []access.MissingVersions) error {
	if len(missing) > 0 {
		return access.Refuse(access.NotFound, "what there was at that instant is not known: versions of the records are missing")
	}
	return access.Refuse(access.NotFound, "there was nothing here at that instant, or nothing that you may see")
}
