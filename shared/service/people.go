package service

import (
	"context"

	"partneraccess/shared/access"
)

// People lists who can come in to a customer's tenant at the filter's instant, over all partners.
func (s *Service) People(ctx context.Context, customer string, f access.PeopleFilter, ask access.PageRequest) (access.PeoplePage, error) {
	if _, err := s.Customer(ctx, customer); err != nil {
		return access.PeoplePage{}, err
	}
	return s.Store.People(ctx, customer, f, ask)
}

// CustomersOfPerson lists the customers whose tenants one user of a partner can enter at the filter's instant. Those who manage the
// partner's people see everybody's, the others their own.
func (s *Service) CustomersOfPerson(
	ctx context.Context, who Caller, partner, user string, f access.PeopleFilter, ask access.PageRequest,
) (access.PeoplePage, error) {
	itself := who.Identity.User != nil && who.Identity.User.ID == user
	if who.Actor.Kind != access.ActorProvider && who.Leads != partner && !itself {
		return access.PeoplePage{}, NothingHere()
	}
	if _, err := s.User(ctx, partner, user); err != nil {
		return access.PeoplePage{}, err
	}
	return s.Store.CustomersOfPerson(ctx, user, f, ask)
}
