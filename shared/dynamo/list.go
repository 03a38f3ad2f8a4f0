package dynamo

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// reads is how many requests one page of a filtered list may take. A page that found few items is short and has a next one.
const reads = 4

// walk fills a page. It reads after the position, has join turn items into values and drop those that are not wanted, and stops when the
// page is full. positionOf returns what follows the prefix in an item's sort key.
func walk[T any](ctx context.Context, ask access.PageRequest, sparse bool,
	fetch func(ctx context.Context, after string, n int) ([]*item, bool, error),
	join func(ctx context.Context, items []*item) ([]*T, error),
	positionOf func(*item) string,
) (access.Page[T], error) {
	page := access.Page[T]{Items: []T{}}
	after, n, rounds := ask.After, ask.Limit+1, 1
	if sparse {
		n, rounds = 100, reads
	}
	for range rounds {
		items, more, err := fetch(ctx, after, n)
		if err != nil {
			return page, err
		}
		rows, err := join(ctx, items)
		if err != nil {
			return page, err
		}
		for i, row := range rows {
			if row != nil {
				if len(page.Items) == ask.Limit {
					page.Next = after
					return page, nil
				}
				page.Items = append(page.Items, *row)
			}
			after = positionOf(items[i])
		}
		if !more {
			return page, nil
		}
	}
	page.Next = after
	return page, nil
}

func after(prefix, attribute string) func(*item) string {
	return func(it *item) string { return strings.TrimPrefix(it.s(attribute), prefix) }
}

// each decodes every item and returns those that are wanted.
func each[T any](as func(*item) *T, keep func(*T) bool) func(context.Context, []*item) ([]*T, error) {
	return func(_ context.Context, items []*item) ([]*T, error) {
		out := make([]*T, len(items))
		for i, it := range items {
			v, err := decode(it, as)
			if err != nil {
				return nil, err
			}
			if keep == nil || keep(v) {
				out[i] = v
			}
		}
		return out, nil
	}
}

func (s *Store) stretch(pk, prefix string) func(context.Context, string, int) ([]*item, bool, error) {
	return func(ctx context.Context, after string, n int) ([]*item, bool, error) {
		return s.query(ctx, prefixed(pk, prefix, after), n)
	}
}

// newestFirst reads a span from its end. Its sort keys are in the given attribute and begin with the prefix.
func (s *Store) newestFirst(sp span, prefix, key string) func(context.Context, string, int) ([]*item, bool, error) {
	sp.backwards = true
	return func(ctx context.Context, after string, n int) ([]*item, bool, error) {
		if after == "" {
			return s.query(ctx, sp, n)
		}
		sp := sp
		sp.last = prefix + after // was shown: it comes first and is dropped
		items, more, err := s.query(ctx, sp, n+1)
		if len(items) > 0 && items[0].s(key) == sp.last {
			items = items[1:]
		}
		return items, more, err
	}
}

// GrantUsers lists the users of a grant (D19, A12): those assigned one by one, or all users of the partner who have access.
func (s *Store) GrantUsers(ctx context.Context, g *access.Grant, ask access.PageRequest) (access.Page[access.GrantUser], error) {
	if g.Everyone || g.EveryoneUpTo > 0 {
		join := func(ctx context.Context, items []*item) ([]*access.GrantUser, error) {
			users, err := each((*item).user, nil)(ctx, items)
			if err != nil {
				return nil, err
			}
			keys := make([]Key, len(users))
			for i, u := range users {
				keys[i] = assignmentKey(g.Customer, u.ID)
			}
			return s.pair(ctx, g, users, keys)
		}
		prefix := assignmentPrefix(g.Partner)
		return walk(ctx, ask, true, s.stretch(partnerPK(g.Partner), prefix), join, after(prefix, sk))
	}
	join := func(ctx context.Context, items []*item) ([]*access.GrantUser, error) {
		rows, err := each((*item).assignment, func(a *access.Assignment) bool { return a.Epoch == g.Epoch && !a.Excluded })(ctx, items)
		if err != nil {
			return nil, err
		}
		keys := make([]Key, 0, len(rows))
		for _, a := range rows {
			if a != nil {
				keys = append(keys, userKey(a.User))
			}
		}
		side, err := s.get(ctx, keys)
		if err != nil {
			return nil, err
		}
		out := make([]*access.GrantUser, len(rows))
		for i, a := range rows {
			if a == nil {
				continue
			}
			u, err := lookup(side, userKey(a.User), (*item).user)
			if err != nil {
				return nil, err
			}
			if u != nil && g.Admits(u, a) {
				out[i] = &access.GrantUser{User: u, Assignment: a}
			}
		}
		return out, nil
	}
	prefix := assignmentPrefix(g.Partner)
	return walk(ctx, ask, true, s.stretch(customerPK(g.Customer), prefix), join, after(prefix, sk))
}

func (s *Store) pair(ctx context.Context, g *access.Grant, users []*access.User, keys []Key) ([]*access.GrantUser, error) {
	side, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]*access.GrantUser, len(users))
	for i, u := range users {
		a, err := lookup(side, keys[i], (*item).assignment)
		if err != nil {
			return nil, err
		}
		if u.Status != access.Removed && g.Admits(u, a) {
			out[i] = &access.GrantUser{User: u, Assignment: a}
		}
	}
	return out, nil
}

// Users lists a partner's users in the order in which they joined, without removed ones.
func (s *Store) Users(ctx context.Context, partner, query string, onlyActive bool, ask access.PageRequest) (access.Page[access.User],
	error,
) {
	keep := func(u *access.User) bool {
		if u.Status == access.Removed || onlyActive && u.Status != access.Active {
			return false
		}
		return access.NameMatches(u.Name, u.Email, query)
	}
	prefix := assignmentPrefix(partner)
	return walk(ctx, ask, true, s.stretch(partnerPK(partner), prefix), each((*item).user, keep), after(prefix, sk))
}

// Members lists a customer's members by address.
func (s *Store) Members(ctx context.Context, customer string, ask access.PageRequest) (access.Page[access.Member], error) {
	return walk(ctx, ask, false, s.stretch(customerPK(customer), memberPrefix), each((*item).member, nil), after(memberPrefix, sk))
}

// LastAdmin reports whether the member with the address is the only admin of a customer that has a grant which has not ended. It is
// strongly consistent.
func (s *Store) LastAdmin(ctx context.Context, customer, address string, now time.Time) (bool, error) {
	other := func(m *access.Member) bool { return m.Admin && m.Email != address }
	if found, err := anyOf(ctx, s.stretch(customerPK(customer), memberPrefix), after(memberPrefix, sk), (*item).member, other); found ||
		err != nil {
		return false, err
	}
	open := func(g *access.Grant) bool { return !g.Ended(now) }
	return anyOf(ctx, s.stretch(customerPK(customer), grantPrefix), after(grantPrefix, sk), (*item).grant, open)
}

// anyOf reports whether a span has a wanted record.
func anyOf[T any](ctx context.Context, fetch func(ctx context.Context, after string, n int) ([]*item, bool, error),
	place func(*item) string,
	as func(*item) *T, wanted func(*T) bool,
) (bool, error) {
	for position := ""; ; {
		items, more, err := fetch(ctx, position, 100)
		if err != nil {
			return false, err
		}
		for _, it := range items {
			v, err := decode(it, as)
			if err != nil || wanted(v) {
				return err == nil, err
			}
			position = place(it)
		}
		if !more {
			return false, nil
		}
	}
}

// Partners lists the partners of the directory that keep accepts, by name. With a query it lists those with, for each word of the query, a
// word in their name that begins with it, in the order of the longest.
func (s *Store) Partners(ctx context.Context, query string, keep func(*access.Partner) bool,
	ask access.PageRequest,
) (access.Page[access.Partner], error) {
	if query == "" {
		return walk(ctx, ask, true, s.shards(directoryPK), each((*item).partner, keep), after("", gsi1sk))
	}
	ws := words(query)
	longest := slices.MaxFunc(ws, func(a, b string) int { return len(a) - len(b) })
	fetch := func(ctx context.Context, after string, n int) ([]*item, bool, error) {
		sp := span{pk: wordPK(longest), first: longest, last: longest + "\U0010FFFF"}
		if after != "" {
			sp.first = after + "\x01"
		}
		return s.query(ctx, sp, n)
	}
	join := s.partnersNamed(func(it *item, p *access.Partner) bool {
		word, _, _ := strings.Cut(it.s(sk), "#")
		return keep(p) && access.NameMatches(p.Name, "", query) && word == firstMatch(p.Name, longest)
	})
	return walk(ctx, ask, true, fetch, join, after("", sk))
}

// partnersNamed reads the partners whose ids are in the rows, and returns those that are wanted.
func (s *Store) partnersNamed(keep func(*item, *access.Partner) bool) func(context.Context, []*item) ([]*access.Partner, error) {
	return func(ctx context.Context, items []*item) ([]*access.Partner, error) {
		keys := make([]Key, len(items))
		for i, it := range items {
			keys[i] = partnerKey(it.s("id"))
		}
		found, err := s.get(ctx, keys)
		if err != nil {
			return nil, err
		}
		out := make([]*access.Partner, len(items))
		for i, k := range keys {
			p, err := lookup(found, k, (*item).partner)
			if err != nil {
				return nil, err
			}
			if p != nil && keep(items[i], p) {
				out[i] = p
			}
		}
		return out, nil
	}
}

// firstMatch returns the one word of the name under which a query lists it, so that it is listed once.
func firstMatch(name, query string) string {
	for i, w := range distinctWords(name) {
		if i < access.MaxNameWords && strings.HasPrefix(w, query) {
			return w
		}
	}
	return ""
}

// SubPartners lists the partners whose parent is the given one, by id (W3).
func (s *Store) SubPartners(ctx context.Context, parent string, ask access.PageRequest) (access.Page[access.Partner], error) {
	join := s.partnersNamed(func(_ *item, p *access.Partner) bool { return p.Status != access.Removed && p.Parent == parent })
	return walk(ctx, ask, false, s.stretch(partnerPK(parent), subPartnerPrefix), join, after(subPartnerPrefix, sk))
}

// Customers lists the customers that are not removed, by name: all, or those whose words begin with the words of the query, or whose id or
// domain begins with it. It reads index 1.
func (s *Store) Customers(ctx context.Context, query string, ask access.PageRequest) (access.Page[access.Customer], error) {
	keep := func(c *access.Customer) bool { return customerMatches(c, query) }
	return walk(ctx, ask, query != "", s.shards(customersPK), each((*item).customer, keep), after("", gsi1sk))
}

func customerMatches(c *access.Customer, query string) bool {
	return access.NameMatches(c.Name, c.ID, query) || access.IDBegins(c.Domain, query)
}

// RemovedPartners lists the removed partners, by id. No other list has them.
func (s *Store) RemovedPartners(ctx context.Context, ask access.PageRequest) (access.Page[access.Partner], error) {
	return walk(ctx, ask, false, s.shards(removedPK), each((*item).partner, nil), after("", gsi1sk))
}

// shards reads all shards of a list concurrently and merges them in order.
func (s *Store) shards(pk func(shard int) string) func(context.Context, string, int) ([]*item, bool, error) {
	return func(ctx context.Context, after string, n int) ([]*item, bool, error) {
		return s.merged(ctx, pk, after, n)
	}
}

func (s *Store) merged(ctx context.Context, pk func(shard int) string, after string, n int) ([]*item, bool, error) {
	var shards [directoryShards][]*item
	var more [directoryShards]bool
	g, ctx := errgroup.WithContext(ctx)
	for i := range shards {
		g.Go(func() error {
			sp := span{index: gsi1, pk: pk(i), first: " ", last: "\U0010FFFF"}
			if after != "" {
				sp.first = after + "\x01"
			}
			var err error
			shards[i], more[i], err = s.query(ctx, sp, n)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, false, err
	}
	var all []*item
	any := false
	for i, items := range shards {
		all = append(all, items...)
		any = any || more[i]
	}
	sort.Slice(all, func(i, j int) bool { return all[i].s(gsi1sk) < all[j].s(gsi1sk) })
	if len(all) > n {
		all, any = all[:n], true
	}
	return all, any, nil
}

// CustomerHistory lists a customer's events, newest first (P17).
func (s *Store) CustomerHistory(ctx context.Context, customer string, f access.HistoryFilter,
	ask access.PageRequest,
) (access.Page[events.Event], error) {
	return s.history(ctx, span{pk: customerPK(customer)}, sk, f, ask)
}

// PartnerHistory lists a partner's events, newest first. It comes from index 1.
func (s *Store) PartnerHistory(ctx context.Context, partner string, f access.HistoryFilter,
	ask access.PageRequest) (access.Page[events.Event],
	error,
) {
	return s.history(ctx, span{pk: partnerIndexPK(partner), index: gsi1}, gsi1sk, f, ask)
}

// late is how long after an event's time its id may have been generated. The id decides the position in the history.
const late = 10 * time.Second

func (s *Store) history(ctx context.Context, sp span, key string, f access.HistoryFilter,
	ask access.PageRequest) (access.Page[events.Event],
	error,
) {
	if !f.Until.IsZero() && !f.From.Before(f.Until) { // nothing lies between, and DynamoDB refuses a range whose ends are the wrong way round
		return access.Page[events.Event]{Items: []events.Event{}}, nil
	}
	sp.first, sp.last = eventPrefix, eventPrefix+"~"
	if !f.From.IsZero() {
		sp.first = eventSK(firstID(f.From))
	}
	if !f.Until.IsZero() {
		sp.last = eventSK(firstID(f.Until.Add(late)))
	}
	join := func(_ context.Context, items []*item) ([]*events.Event, error) {
		out := make([]*events.Event, len(items))
		for i, it := range items {
			e, err := it.event()
			if err != nil {
				return nil, err
			}
			if f.Wants(&e) {
				out[i] = &e
			}
		}
		return out, nil
	}
	return walk(ctx, ask, f.Selective() || !f.Until.IsZero(), s.newestFirst(sp, eventPrefix, key), join, after(eventPrefix, key))
}
