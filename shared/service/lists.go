package service

import (
	"context"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// What is shown, one by one and in lists. A filter's instant is given by whoever asks, who shows what stands at that instant.

// Me is who the caller is to the service.
type Me struct {
	Identity    access.Identity
	Memberships []access.Membership
}

// Me tells who the caller is, and writes down that the caller's address is proved, since its token says that it is verified. A table that
// is busy does not make it fail: the next request tries again.
func (s *Service) Me(ctx context.Context, who Caller) (Me, error) {
	if u := who.Identity.User; u != nil && u.Unproved {
		after, err := s.prove(ctx, who, u.ID)
		if after != nil {
			who.Identity.User = after
		}
		if err != nil {
			s.Log.Warn("an address stays unproved for now", "user", u.ID, "error", err.Error())
		}
	}
	ms, err := s.Store.Memberships(ctx, who.Identity.Email, who.Identity.MemberOf)
	return Me{who.Identity, ms}, err
}

// SetPreferences keeps how the caller reads what it is sent, at the record of its own address.
func (s *Service) SetPreferences(ctx context.Context, who Caller, p access.Preferences) (access.Preferences, error) {
	return change(ctx, s, Options[access.Preferences]{}, func(ctx context.Context) (access.Change, access.Preferences, error) {
		e, err := s.Store.Email(ctx, who.Identity.Email)
		if err != nil {
			return access.Change{}, p, err
		}
		c, err := access.PlanPreferences(e, who.Identity, p)
		return c, p, err
	})
}

// prove returns the user as the latest plan leaves it; nil when that changes nothing.
func (s *Service) prove(ctx context.Context, who Caller, id string) (*access.User, error) {
	return change(ctx, s, Options[*access.User]{}, func(ctx context.Context) (access.Change, *access.User, error) {
		now, err := s.Store.User(ctx, id)
		if err != nil {
			return access.Change{}, nil, err
		}
		c := access.PlanAddressProved(now, who.Identity.Email, s.planContext(who.Actor))
		if c.Empty() {
			return c, nil, nil
		}
		return c, c.Writes[0].(access.UserWrite).After, nil
	})
}

// GrantStatuses are all that a grant can have.
func GrantStatuses() []string {
	return []string{"scheduled", "active", "suspended", "expired", "ended"}
}

// CustomerGrants lists a customer's grants (D12, D13, D18, D19).
func (s *Service) CustomerGrants(
	ctx context.Context, customer string, f access.GrantFilter, ask access.PageRequest,
) (access.GrantPage, error) {
	cust, err := s.Customer(ctx, customer)
	if err != nil {
		return access.GrantPage{}, err
	}
	return s.Store.CustomerGrants(ctx, cust, f, ask)
}

// grantsOf is every grant of a customer, with its partner.
func (s *Service) grantsOf(ctx context.Context, cust *access.Customer) ([]access.GrantRow, error) {
	var out []access.GrantRow
	f := access.GrantFilter{Now: s.now(), Statuses: GrantStatuses()}
	for ask := (access.PageRequest{Limit: 100}); ; {
		page, err := s.Store.CustomerGrants(ctx, cust, f, ask)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if ask.After = page.Next; page.Next == "" {
			return out, nil
		}
	}
}

// GrantOf is the latest grant of a customer for a partner, with both sides.
func (s *Service) GrantOf(ctx context.Context, customer, partner string) (access.GrantRow, error) {
	r, err := s.Store.GrantFacts(ctx, customer, partner, nil, false)
	if err == nil && (r.Grant == nil || r.Partner == nil || r.Customer == nil || r.Customer.Status == access.Removed) {
		err = NothingHere()
	}
	return rowOf(r), err
}

func rowOf(r access.GrantFacts) access.GrantRow {
	return access.GrantRow{Grant: r.Grant, Customer: r.Customer, Partner: r.Partner, Headcount: r.Headcount}
}

// GrantUsers lists who is in a grant (D19, A12).
func (s *Service) GrantUsers(
	ctx context.Context, customer, partner string, ask access.PageRequest,
) (access.GrantRow, access.Page[access.GrantUser], error) {
	row, err := s.GrantOf(ctx, customer, partner)
	if err != nil {
		return row, access.Page[access.GrantUser]{}, err
	}
	page, err := s.Store.GrantUsers(ctx, row.Grant, ask)
	return row, page, err
}

// Members lists a customer's members.
func (s *Service) Members(ctx context.Context, customer string, ask access.PageRequest) (access.Page[access.Member], error) {
	if _, err := s.Customer(ctx, customer); err != nil {
		return access.Page[access.Member]{}, err
	}
	return s.Store.Members(ctx, customer, ask)
}

// Partners lists the partners by name, or those of the directory.
func (s *Service) Partners(ctx context.Context, who Caller, query string, ask access.PageRequest) (access.Page[access.Partner], error) {
	keep := func(p *access.Partner) bool { return p.Status != access.Removed }
	if who.Sees == SeesDirectory {
		keep = inDirectory
	}
	return s.Store.Partners(ctx, access.SearchText(query), keep, ask)
}

// Users lists a partner's users; customers see the active ones.
func (s *Service) Users(ctx context.Context, who Caller, partner, query string, ask access.PageRequest) (access.Page[access.User], error) {
	if _, err := s.Partner(ctx, who, partner); err != nil {
		return access.Page[access.User]{}, err
	}
	return s.Store.Users(ctx, partner, access.SearchText(query), who.Sees == SeesDirectory, ask)
}

// PartnerCustomers lists a partner's customers (A1, A3, W14), with what the caller itself may do there.
func (s *Service) PartnerCustomers(
	ctx context.Context, who Caller, partner string, f access.GrantFilter, ask access.PageRequest,
) (access.GrantPage, error) {
	p, err := s.Partner(ctx, who, partner)
	if err != nil {
		return access.GrantPage{}, err
	}
	if u := who.Identity.User; u != nil {
		f.Viewer, f.OnlyAccessible = u.ID, who.Sees == SeesOwn
	}
	return s.Store.PartnerCustomers(ctx, p, f, ask)
}

// PartnerCustomer is one of PartnerCustomers.
func (s *Service) PartnerCustomer(ctx context.Context, who Caller, customer, partner string) (access.GrantRow, error) {
	var me []string
	if u := who.Identity.User; u != nil {
		me = []string{u.ID}
	}
	r, err := s.Store.GrantFacts(ctx, customer, partner, me, false)
	if err != nil {
		return access.GrantRow{}, err
	}
	if r.Grant == nil || r.Partner == nil || r.Partner.Status == access.Removed || r.Customer == nil || r.Customer.Status == access.Removed {
		return access.GrantRow{}, NothingHere()
	}
	row := rowOf(r)
	for _, id := range me {
		row.Viewer = access.Facts{Partner: r.Partner, User: r.Users[id], Grant: r.Grant, Assignment: r.Assignments[id]}
	}
	if _, in := access.EffectiveLevel(row.Viewer, r.Customer.ID, s.now()); who.Sees == SeesOwn && !in {
		return access.GrantRow{}, NothingHere()
	}
	return row, nil
}

// SubPartners lists the partners below one (W3, W12).
func (s *Service) SubPartners(ctx context.Context, who Caller, partner string, ask access.PageRequest) (access.Page[access.Partner],
	error,
) {
	p, err := s.Partner(ctx, who, partner)
	if err != nil {
		return access.Page[access.Partner]{}, err
	}
	return s.Store.SubPartners(ctx, p.ID, ask)
}

// Customers lists all customers by name.
func (s *Service) Customers(ctx context.Context, query string, ask access.PageRequest) (access.Page[access.Customer], error) {
	return s.Store.Customers(ctx, query, ask)
}

// CustomerHistory lists a customer's events, newest first (P17).
func (s *Service) CustomerHistory(
	ctx context.Context, customer string, f access.HistoryFilter, ask access.PageRequest,
) (access.Page[events.Event], error) {
	if _, err := s.Customer(ctx, customer); err != nil {
		return access.Page[events.Event]{}, err
	}
	return s.Store.CustomerHistory(ctx, customer, f, ask)
}

// PartnerHistory lists a partner's events, newest first.
func (s *Service) PartnerHistory(
	ctx context.Context, who Caller, partner string, f access.HistoryFilter, ask access.PageRequest,
) (access.Page[events.Event], error) {
	if _, err := s.Partner(ctx, who, partner); err != nil {
		return access.Page[events.Event]{}, err
	}
	return s.Store.PartnerHistory(ctx, partner, f, ask)
}
