package dynamo

import (
	"context"
	"time"

	"partneraccess/shared/access"
)

// CustomersOfPerson lists the customers whose tenants a user can enter, as the filter has it, with how many there are. Which they may be
// comes from index 1: the user's own rows, and the partner's grants to everyone. What is said of each is read from the table. It reads all
// of them: no key has them by name, and who asks is the partner that has them.
func (s *Store) CustomersOfPerson(
	ctx context.Context, user string, f access.PeopleFilter, ask access.PageRequest,
) (access.PeoplePage, error) {
	rows, err := whole(ctx, s, prefixed(userIndexPK(user), customerPrefix, "").inIndex(), (*item).assignment)
	if err != nil {
		return access.PeoplePage{}, err
	}
	grants, err := whole(ctx, s, prefixed(partnerIndexPK(partnerOf(user)), customerPrefix, "").inIndex(), (*item).grant)
	if err != nil {
		return access.PeoplePage{}, err
	}
	assigned := make(map[string]bool, len(rows))
	for _, a := range rows {
		assigned[a.Customer] = true
	}
	var customers []string
	for _, g := range grants {
		if assigned[g.Customer] || g.Everyone || g.EveryoneUpTo > 0 {
			customers = append(customers, g.Customer)
		}
	}
	people, err := s.personAt(ctx, user, customers, f.Now)
	if err != nil {
		return access.PeoplePage{}, err
	}
	return access.PageOfPeople(people, f, ask)
}

// personAt returns at which of the customers a user can come in.
func (s *Store) personAt(ctx context.Context, user string, customers []string, now time.Time) ([]access.Person, error) {
	partner := partnerOf(user)
	keys := []Key{partnerKey(partner), userKey(user)}
	for _, c := range customers {
		keys = append(keys, customerKey(c), grantKey(c, partner), assignmentKey(c, user))
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	var f access.Facts
	if f.Partner, err = lookup(items, partnerKey(partner), (*item).partner); err != nil {
		return nil, err
	}
	if f.User, err = lookup(items, userKey(user), (*item).user); err != nil {
		return nil, err
	}
	var out []access.Person
	for _, id := range customers {
		if f.Grant, err = lookup(items, grantKey(id, partner), (*item).grant); err != nil {
			return nil, err
		}
		if f.Assignment, err = lookup(items, assignmentKey(id, user), (*item).assignment); err != nil {
			return nil, err
		}
		row, in := access.PersonOf(f, id, now)
		if row.Customer, err = lookup(items, customerKey(id), (*item).customer); err != nil {
			return nil, err
		}
		if in && row.Customer != nil {
			out = append(out, row)
		}
	}
	return out, nil
}
