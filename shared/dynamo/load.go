package dynamo

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"partneraccess/shared/access"
)

// GrantFacts loads what a plan about one customer and partner reads, with the users of those ids. With whole, or when there are few, it
// loads all assignments of the grant, and with whole also the users who have access by their number, if these are few enough to be named.
// Reads are strongly consistent. The grant and its assignments are of one instant, so that a plan that changes nothing, or refuses, states
// what was true. Apply detects whatever else changes meanwhile.
func (s *Store) GrantFacts(ctx context.Context, customer, partner string, users []string, whole bool) (access.GrantFacts, error) {
	h := holding(ctx)
	for n := 0; h != nil || n < attempts; n++ {
		r, err := s.grantFacts(ctx, customer, partner, users, whole)
		if err != nil || r.Grant == nil || len(r.Assignments) == 0 && len(users) == 0 {
			return r, err
		}
		// Assignments change only together with their grant: where it is the same before and after they were read, they are its own.
		now, err := one(ctx, s, grantKey(customer, partner), (*item).grant)
		if err != nil || now.Stored() == r.Grant.Version {
			return r, err
		}
		s.metrics.Contended()
		if h != nil { // for a change that ends access: nobody else's comes between from now on
			if err := errors.Join(h.late(), h.hold(ctx, grantKey(customer, partner))); err != nil {
				return r, err
			}
			continue
		}
		if err := wait(ctx, rand.N(time.Millisecond<<min(n, 6))); err != nil { //nolint:gosec // a delay is no secret
			return r, err
		}
	}
	return access.GrantFacts{}, contention()
}

func (s *Store) grantFacts(ctx context.Context, customer, partner string, users []string, whole bool) (access.GrantFacts, error) {
	r := access.GrantFacts{Users: map[string]*access.User{}, Assignments: map[string]*access.Assignment{}}
	keys := []Key{customerKey(customer), partnerKey(partner), headcountKey(partner), grantKey(customer, partner)}
	for _, u := range users {
		keys = append(keys, userKey(u))
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return r, err
	}
	if r.Customer, err = lookup(items, customerKey(customer), (*item).customer); err != nil {
		return r, err
	}
	if r.Partner, err = lookup(items, partnerKey(partner), (*item).partner); err != nil {
		return r, err
	}
	if r.Headcount, err = headcountIn(items, partner); err != nil {
		return r, err
	}
	if r.Grant, err = lookup(items, grantKey(customer, partner), (*item).grant); err != nil {
		return r, err
	}
	if err := s.users(ctx, r.Users, items, users); err != nil || r.Grant == nil {
		return r, err
	}
	return r, s.assignments(ctx, &r, users, whole)
}

// Concerned returns what an event is about as it is now: the organisations that it names, their grant, and these users with their
// assignments. Either id may be "". It is one read without a transaction: do not base a change on it.
func (s *Store) Concerned(ctx context.Context, customer, partner string, users []string) (access.GrantFacts, error) {
	r := access.GrantFacts{Users: map[string]*access.User{}, Assignments: map[string]*access.Assignment{}}
	var keys []Key
	if customer != "" {
		keys = append(keys, customerKey(customer))
	}
	if partner != "" {
		keys = append(keys, partnerKey(partner), headcountKey(partner))
	}
	both := customer != "" && partner != ""
	if both {
		keys = append(keys, grantKey(customer, partner))
	}
	for _, u := range users {
		keys = append(keys, userKey(u))
		if both {
			keys = append(keys, assignmentKey(customer, u))
		}
	}
	if len(keys) == 0 {
		return r, nil
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return r, err
	}
	var errs [4]error
	r.Customer, errs[0] = lookup(items, customerKey(customer), (*item).customer)
	r.Partner, errs[1] = lookup(items, partnerKey(partner), (*item).partner)
	r.Headcount, errs[2] = headcountIn(items, partner)
	r.Grant, errs[3] = lookup(items, grantKey(customer, partner), (*item).grant)
	if err := errors.Join(errs[:]...); err != nil {
		return r, err
	}
	if err := s.users(ctx, r.Users, items, users); err != nil {
		return r, err
	}
	for _, id := range users {
		a, err := lookup(items, assignmentKey(customer, id), (*item).assignment)
		if err != nil {
			return r, err
		}
		if a != nil {
			r.Assignments[id] = a
		}
	}
	return r, nil
}

// assignments loads the rows of a grant after the grant. GrantFacts then checks that both belong together.
func (s *Store) assignments(ctx context.Context, r *access.GrantFacts, users []string, whole bool) error {
	customer, partner := r.Grant.Customer, r.Grant.Partner
	if !whole && !r.Grant.UsersCanBeListed() {
		keys := make([]Key, len(users))
		for i, id := range users {
			keys[i] = assignmentKey(customer, id)
		}
		items, err := s.get(ctx, keys)
		if err != nil {
			return err
		}
		for i, id := range users {
			a, err := lookup(items, keys[i], (*item).assignment)
			if err != nil {
				return err
			}
			if a != nil {
				r.Assignments[id] = a
			}
		}
		return nil
	}
	for after := ""; ; {
		rows, more, err := s.query(ctx, prefixed(customerPK(customer), assignmentPrefix(partner), after), 500)
		if err != nil {
			return err
		}
		for _, it := range rows {
			a, err := decode(it, (*item).assignment)
			if err != nil {
				return err
			}
			r.Assignments[a.User] = a
			after = a.User[len(partner)+1:]
		}
		if !more {
			break
		}
	}
	if r.Grant.EveryoneUpTo > 0 && !r.Grant.Everyone && r.Grant.Count <= access.MaxUserSet {
		if err := s.byNumber(ctx, r); err != nil {
			return err
		}
	}
	return s.names(ctx, r)
}

// byNumber loads the users who have access by their number, after everyone was switched off. It gives up and leaves UsersLoaded false
// when it would have to search thousands of users.
func (s *Store) byNumber(ctx context.Context, r *access.GrantFacts) error {
	partner := r.Grant.Partner
	for after, pages := "", 0; ; pages++ {
		if pages == maxUserPages {
			return nil
		}
		items, more, err := s.query(ctx, prefixed(partnerPK(partner), assignmentPrefix(partner), after), 500)
		if err != nil {
			return err
		}
		for _, it := range items {
			u, err := decode(it, (*item).user)
			if err != nil {
				return err
			}
			if r.Users[u.ID] == nil && r.Grant.Admits(u, r.Assignments[u.ID]) {
				r.Users[u.ID] = u
			}
			after = u.ID[len(partner)+1:]
		}
		if !more {
			r.UsersLoaded = true
			return nil
		}
	}
}

// maxUserPages is how many pages of 500 users byNumber reads at most.
const maxUserPages = 20

// names loads the users that facts with all assignments list, so that events can name them.
func (s *Store) names(ctx context.Context, r *access.GrantFacts) error {
	var keys []Key
	var ids []string
	for id, a := range r.Assignments {
		if r.Users[id] == nil && a.Epoch == r.Grant.Epoch && !a.Excluded {
			keys, ids = append(keys, userKey(id)), append(ids, id)
		}
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return err
	}
	return s.users(ctx, r.Users, items, ids)
}

// users adds the users of those ids to the facts, from items that were read already. A user who is missing has left and is read from the
// former users.
func (s *Store) users(ctx context.Context, into map[string]*access.User, items map[Key]*item, ids []string) error {
	var missing []Key
	for _, id := range ids {
		if items[userKey(id)] == nil {
			missing = append(missing, formerUserKey(id))
		}
	}
	former, err := s.get(ctx, missing)
	if err != nil {
		return err
	}
	for _, id := range ids {
		u, err := lookup(items, userKey(id), (*item).user)
		if err == nil && u == nil {
			u, err = lookup(former, formerUserKey(id), (*item).user)
		}
		if err != nil {
			return err
		}
		if u != nil {
			into[id] = u
		}
	}
	return nil
}

// Partner reads a partner; nil when there is none.
func (s *Store) Partner(ctx context.Context, id string) (*access.Partner, error) {
	return one(ctx, s, partnerKey(id), (*item).partner)
}

// Customer reads a customer; nil when there is none.
func (s *Store) Customer(ctx context.Context, id string) (*access.Customer, error) {
	return one(ctx, s, customerKey(id), (*item).customer)
}

// User reads a partner's user, also a former one; nil when there never was one.
func (s *Store) User(ctx context.Context, id string) (*access.User, error) {
	u, err := one(ctx, s, userKey(id), (*item).user)
	if err != nil || u != nil {
		return u, err
	}
	return one(ctx, s, formerUserKey(id), (*item).user)
}

// Member reads a customer's member; nil when there is none.
func (s *Store) Member(ctx context.Context, customer, email string) (*access.Member, error) {
	return one(ctx, s, memberKey(customer, email), (*item).member)
}

// Email reads what is known of an e-mail address; nil when nothing is.
func (s *Store) Email(ctx context.Context, address string) (*access.Email, error) {
	return one(ctx, s, emailKey(address), (*item).email)
}

// Identity returns who has an e-mail address: with two requests for a partner's user, else with one.
func (s *Store) Identity(ctx context.Context, address string) (access.Identity, error) {
	id := access.Identity{Email: address}
	e, err := one(ctx, s, emailKey(address), (*item).email)
	if err != nil || e == nil {
		return id, err
	}
	id.MemberOf, id.Account, id.Preferences = e.MemberOf, e.Account, e.Preferences
	if e.User == "" {
		return id, nil
	}
	items, err := s.get(ctx, []Key{userKey(e.User), partnerKey(partnerOf(e.User))})
	if err != nil {
		return id, err
	}
	u, err := lookup(items, userKey(e.User), (*item).user)
	if err != nil || u == nil || u.Status == access.Removed {
		return id, err
	}
	id.User = u
	id.Partner, err = lookup(items, partnerKey(u.Partner), (*item).partner)
	return id, err
}

// Preferences returns how people read what they are sent, by their addresses. Those of whom nothing is known are missing.
func (s *Store) Preferences(ctx context.Context, addresses []string) (map[string]access.Preferences, error) {
	keys := make([]Key, len(addresses))
	for i, a := range addresses {
		keys[i] = emailKey(a)
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := map[string]access.Preferences{}
	for _, it := range items {
		e, err := decode(it, (*item).email)
		if err != nil {
			return nil, err
		}
		out[e.Address] = e.Preferences
	}
	return out, nil
}

// Memberships returns a person's membership in each of the customers.
func (s *Store) Memberships(ctx context.Context, address string, customers []string) ([]access.Membership, error) {
	var keys []Key
	for _, c := range customers {
		keys = append(keys, customerKey(c), memberKey(c, address))
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []access.Membership
	for _, id := range customers {
		c, err := lookup(items, customerKey(id), (*item).customer)
		if err != nil {
			return nil, err
		}
		m, err := lookup(items, memberKey(id, address), (*item).member)
		if err != nil {
			return nil, err
		}
		if c != nil && m != nil && c.Status == access.Active {
			out = append(out, access.Membership{Customer: c, Member: m})
		}
	}
	return out, nil
}

// MemberFacts loads what a plan about a customer's member reads.
func (s *Store) MemberFacts(ctx context.Context, customer, address string) (access.MemberFacts, error) {
	var f access.MemberFacts
	items, err := s.get(ctx, []Key{customerKey(customer), memberKey(customer, address), emailKey(address)})
	if err != nil {
		return f, err
	}
	if f.Customer, err = lookup(items, customerKey(customer), (*item).customer); err != nil {
		return f, err
	}
	if f.Member, err = lookup(items, memberKey(customer, address), (*item).member); err != nil {
		return f, err
	}
	if f.Email, err = lookup(items, emailKey(address), (*item).email); err != nil {
		return f, err
	}
	if f.Holder, err = s.holder(ctx, f.Email); err != nil || f.Email == nil {
		return f, err
	}
	if f.Email.Account != "" {
		if f.Task, err = s.Task(ctx, access.IdentityTask(f.Email.Account)); err != nil {
			return f, err
		}
	}
	for _, id := range f.Email.FormerUsers {
		u, err := s.User(ctx, id)
		if err != nil {
			return f, err
		}
		if u != nil {
			f.FormerHolders = append(f.FormerHolders, u)
		}
	}
	return f, s.elsewhere(ctx, &f)
}

// elsewhere returns which of the users with the address is a member of the customer under another address.
func (s *Store) elsewhere(ctx context.Context, f *access.MemberFacts) error {
	people := f.FormerHolders
	if f.Holder.User != nil {
		people = append(slices.Clone(people), f.Holder.User)
	}
	var keys []Key
	for _, u := range people {
		for _, address := range append(slices.Clone(u.FormerEmails), u.Email) {
			keys = append(keys, emailKey(address))
		}
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return err
	}
	f.OtherMemberships = map[string]bool{}
	for _, u := range people {
		for _, address := range append(slices.Clone(u.FormerEmails), u.Email) {
			e, err := lookup(items, emailKey(address), (*item).email)
			if err != nil {
				return err
			}
			if e != nil && address != f.Email.Address && slices.Contains(e.MemberOf, f.Customer.ID) &&
				(e.User == u.ID || slices.Contains(e.FormerUsers, u.ID)) {
				f.OtherMemberships[u.ID] = true
			}
		}
	}
	return nil
}

// holder loads the partner's user who has an address, with what the end of the account reads.
func (s *Store) holder(ctx context.Context, e *access.Email) (access.AddressHolder, error) {
	var h access.AddressHolder
	if e == nil || e.User == "" {
		return h, nil
	}
	partner, task := partnerOf(e.User), taskKey(access.IdentityTask(e.User))
	items, err := s.get(ctx, []Key{userKey(e.User), partnerKey(partner), headcountKey(partner), task})
	if err != nil {
		return h, err
	}
	if h.User, err = lookup(items, userKey(e.User), (*item).user); err != nil {
		return h, err
	}
	if h.Partner, err = lookup(items, partnerKey(partner), (*item).partner); err != nil {
		return h, err
	}
	if h.Task, err = lookup(items, task, (*item).task); err != nil {
		return h, err
	}
	h.Headcount, err = headcountIn(items, partner)
	return h, err
}

// Domains returns the records of the domain registry that a plan about these addresses or domains reads.
func (s *Store) Domains(ctx context.Context, addresses ...string) (access.Domains, error) {
	names := access.DomainNamesOf(addresses...)
	keys := make([]Key, len(names))
	for i, name := range names {
		keys[i] = domainKey(name)
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	return domainsIn(items, names)
}

func domainsIn(items map[Key]*item, names []string) (access.Domains, error) {
	out := access.Domains{}
	for _, name := range names {
		r, err := lookup(items, domainKey(name), (*item).domain)
		if err != nil {
			return nil, err
		}
		if r != nil {
			out[name] = r
		}
	}
	return out, nil
}

// UserFacts loads what a plan about a partner's user reads. user is "" for a new one; address is the new address, or "" when it does not
// change.
func (s *Store) UserFacts(ctx context.Context, partner, user, address string) (access.UserFacts, error) {
	var f access.UserFacts
	keys := []Key{partnerKey(partner), headcountKey(partner)}
	if user != "" {
		keys = append(keys, userKey(user), taskKey(access.IdentityTask(user)))
	}
	domains := access.DomainNamesOf(address)
	if address != "" {
		keys = append(keys, emailKey(address))
	}
	for _, name := range domains {
		keys = append(keys, domainKey(name))
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return f, err
	}
	if f.Partner, err = lookup(items, partnerKey(partner), (*item).partner); err != nil {
		return f, err
	}
	if f.Headcount, err = headcountIn(items, partner); err != nil {
		return f, err
	}
	if f.Domains, err = domainsIn(items, domains); err != nil {
		return f, err
	}
	if f.Email, err = lookup(items, emailKey(address), (*item).email); err != nil {
		return f, err
	}
	if f.Holder, err = s.holder(ctx, f.Email); err != nil || user == "" {
		return f, err
	}
	if f.User, err = lookup(items, userKey(user), (*item).user); err != nil || f.User == nil {
		return f, err
	}
	if f.Task, err = lookup(items, taskKey(access.IdentityTask(user)), (*item).task); err != nil {
		return f, err
	}
	old, err := one(ctx, s, emailKey(f.User.Email), (*item).email)
	if address == "" || address == f.User.Email {
		f.Email = old
	} else {
		f.OldEmail = old
	}
	return f, err
}

func headcountIn(items map[Key]*item, partner string) (access.Headcount, error) {
	h, err := lookup(items, headcountKey(partner), (*item).headcount)
	if err != nil || h == nil {
		return access.Headcount{Partner: partner}, err
	}
	return *h, nil
}
