package dynamo

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// Who can come in to a customer's tenant is in no one place: the customer's grants tell which partners, their assignments and the partners'
// users who. Each row is decided on facts that are read from the table for its page, so that nobody is shown who cannot come in.
//
// Where the grants have few people, all are read, sorted and counted. Where they have more than countedPeople, a page is merged from the
// people of each grant, who stand in index 1 by name: see mergedPeople. It reads little more than it shows, whatever the customer's size,
// and does not know how many there are. The order of the last use, which no key has, and a count that is asked for read everybody.
//
// Lists of a partner's users come from index 1 and not from the table, so that a customer who asks again and again takes nothing from the
// partition that the partner's checks read. The index may be a moment behind: whoever has just joined a partner, or was just enabled, may
// be missing for that long.

const (
	// countedPeople is up to how many people, by the grants' own counts, a list is read whole.
	countedPeople = 500
	// peopleAtOnce is how many grants' people are read at once.
	peopleAtOnce = 16
	// usersPerKey is how many users a query reads, roughly, at the price of one that is read by its key.
	usersPerKey = 16
)

// peopleSource is an active grant with its partner.
type peopleSource struct {
	grant     *access.Grant
	partner   *access.Partner
	headcount access.Headcount
}

// picked reports whether the people of the grant are best found by its assignments, and not among all of the partner's users.
func (p peopleSource) picked() bool {
	return !p.grant.Everyone && p.grant.EveryoneUpTo == 0 && p.headcount.LastNumber >= int64(p.grant.Count)*usersPerKey
}

// People lists the people who can come in to a customer's tenant, as the filter has it.
func (s *Store) People(ctx context.Context, customer string, f access.PeopleFilter, ask access.PageRequest) (access.PeoplePage, error) {
	if !f.Past.At.IsZero() {
		return s.peopleAt(ctx, customer, f, ask)
	}
	sources, err := s.peopleSources(ctx, customer, f)
	if err != nil {
		return access.PeoplePage{}, err
	}
	people := 0
	for _, p := range sources {
		people += p.grant.UserCount(p.headcount)
	}
	if people > s.counted && f.Order != access.OrderLastUsed && !f.Count {
		return s.mergedPeople(ctx, sources, f, ask)
	}
	rows, err := s.everybody(ctx, sources, f.Now)
	if err != nil {
		return access.PeoplePage{}, err
	}
	page, err := access.PageOfPeople(rows, f, ask)
	if err != nil {
		return page, err
	}
	still, err := s.decidedAgain(ctx, page.Items, f)
	*page.Total -= len(page.Items) - len(still)
	page.Items = still
	return page, err
}

// peopleSources returns the active grants of a customer whose people the filter may want.
func (s *Store) peopleSources(ctx context.Context, customer string, f access.PeopleFilter) ([]peopleSource, error) {
	var grants []*access.Grant
	var err error
	if f.Partner == "" {
		grants, err = whole(ctx, s, prefixed(customerPK(customer), grantPrefix, ""), (*item).grant)
	} else {
		var g *access.Grant
		if g, err = one(ctx, s, grantKey(customer, f.Partner), (*item).grant); g != nil {
			grants = append(grants, g)
		}
	}
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, g := range grants {
		if !g.Ended(f.Now) {
			keys = append(keys, partnerKey(g.Partner), headcountKey(g.Partner))
		}
	}
	side, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []peopleSource
	for _, g := range grants {
		p, err := lookup(side, partnerKey(g.Partner), (*item).partner)
		if err != nil {
			return nil, err
		}
		h, err := headcountIn(side, g.Partner)
		if err != nil {
			return nil, err
		}
		if p != nil && g.Status(p, f.Now) == access.StatusActive && f.WantsGrant(g, p) {
			out = append(out, peopleSource{g, p, h})
		}
	}
	return out, nil
}

// everybody returns all people of the grants who can come in.
func (s *Store) everybody(ctx context.Context, sources []peopleSource, now time.Time) ([]access.Person, error) {
	found := make([][]access.Person, len(sources))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(peopleAtOnce)
	for i, p := range sources {
		work.Go(func() error {
			var err error
			found[i], err = s.peopleOf(ctx, p, now)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	var all []access.Person
	for _, rows := range found {
		all = append(all, rows...)
	}
	return all, nil
}

// peopleOf returns the people of a grant who can come in.
func (s *Store) peopleOf(ctx context.Context, p peopleSource, now time.Time) ([]access.Person, error) {
	rows, err := s.assignmentsOf(ctx, p.grant)
	if err != nil {
		return nil, err
	}
	assigned := make(map[string]*access.Assignment, len(rows))
	for _, a := range rows {
		assigned[a.User] = a
	}
	var users []*access.User
	if p.picked() {
		users, err = s.pickedUsers(ctx, p.grant, rows)
	} else {
		users, err = s.usersOf(ctx, p.grant.Partner)
	}
	if err != nil {
		return nil, err
	}
	out := make([]access.Person, 0, len(users))
	for _, u := range users {
		f := access.Facts{Partner: p.partner, User: u, Grant: p.grant, Assignment: assigned[u.ID]}
		if row, in := access.PersonOf(f, p.grant.Customer, now); in {
			out = append(out, row)
		}
	}
	return out, nil
}

// assignmentsOf reads the rows of a grant.
func (s *Store) assignmentsOf(ctx context.Context, g *access.Grant) ([]*access.Assignment, error) {
	if s.past != nil {
		return s.assignmentsAt(ctx, g)
	}
	return whole(ctx, s, prefixed(customerPK(g.Customer), assignmentPrefix(g.Partner), ""), (*item).assignment)
}

// usersOf reads all users of a partner who have not left.
func (s *Store) usersOf(ctx context.Context, partner string) ([]*access.User, error) {
	if s.past != nil {
		return s.usersAt(ctx, partner)
	}
	return whole(ctx, s, prefixed(partnerIndexPK(partner), userPrefix, "").inIndex(), (*item).user)
}

// pickedUsers reads the users whom rows of the grant assign.
func (s *Store) pickedUsers(ctx context.Context, g *access.Grant, rows []*access.Assignment) ([]*access.User, error) {
	var keys []Key
	for _, a := range rows {
		if a.Epoch == g.Epoch && !a.Excluded {
			keys = append(keys, userKey(a.User))
		}
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	users := make([]*access.User, 0, len(items))
	for _, k := range keys {
		u, err := lookup(items, k, (*item).user)
		if err != nil {
			return nil, err
		}
		if u != nil {
			users = append(users, u)
		}
	}
	return users, nil
}

// decidedAgain reads the users and assignments of rows from the table, and returns those rows that are still wanted, as they are now.
func (s *Store) decidedAgain(ctx context.Context, rows []access.Person, f access.PeopleFilter) ([]access.Person, error) {
	keys := make([]Key, 0, 2*len(rows))
	for _, row := range rows {
		keys = append(keys, userKey(row.User.ID), assignmentKey(row.Grant.Customer, row.User.ID))
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]access.Person, 0, len(rows))
	for i, row := range rows {
		if row.User, err = lookup(items, keys[2*i], (*item).user); err != nil {
			return nil, err
		}
		if row.Assignment, err = lookup(items, keys[2*i+1], (*item).assignment); err != nil {
			return nil, err
		}
		if now, in := access.PersonOf(row.Facts, row.Grant.Customer, f.Now); in && f.Wants(&now) {
			out = append(out, now)
		}
	}
	return out, nil
}

// whole reads and decodes all items of a span.
func whole[T any](ctx context.Context, s *Store, sp span, as func(*item) *T) ([]*T, error) {
	const more1MB = 10_000 // than DynamoDB sends in one answer of 1 MB
	var out []*T
	for {
		items, more, err := s.query(ctx, sp, more1MB)
		if err != nil {
			return nil, err
		}
		then := items
		if s.past != nil {
			if then, err = s.rewindItems(ctx, items); err != nil {
				return nil, err
			}
		}
		for _, it := range then {
			v, err := decode(it, as)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		if !more || len(items) == 0 {
			return out, nil
		}
		sp.first = items[len(items)-1].s(sp.sortKey()) + "\x01"
	}
}

// sortKey is the attribute by which the span is sorted.
func (sp span) sortKey() string {
	if sp.index == "" {
		return sk
	}
	return sp.index + sk
}
