package dynamo

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
)

// What was at an instant is read like what is now, and then each record that has changed since is replaced by its version of that instant:
// one Query of one item, and another one where the versions around the instant do not follow each other. So an answer about the past costs
// what the same answer about now does, and a request for each record that has changed since, however long ago the instant and however many
// changes came after it. The newest changes, which the stream has not delivered, are in the records themselves.
//
// Turned down on 2026-11-28: to read all versions of a customer and replay them, which costs its whole history; an index of when each
// version ended, which has to be written twice; a daily copy of everything, which answers for midnights alone; point-in-time recovery,
// which restores a table in hours and knows the last 35 days.

// past is an instant that a store answers about, with what is missing for it.
type past struct {
	access.Past
	at access.Stamp

	mu      sync.Mutex
	missing map[Key]access.MissingVersions // by the key that was asked for
}

// versionsAtOnce is how many versions are read at once.
const versionsAtOnce = 16

// as returns the store as it was at the instant: get, one and whole return what the records were then.
func (s *Store) as(of access.Past) *Store {
	then := *s
	then.past = &past{Past: of, at: access.StampOf(of.At), missing: map[Key]access.MissingVersions{}}
	return &then
}

// lacking returns the versions that are missing for what the store has answered, and counts the answer as one with a gap when somebody
// should have a look.
func (s *Store) lacking() []access.MissingVersions {
	p := s.past
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]access.MissingVersions, 0, len(p.missing))
	seen, overdue := map[access.MissingVersions]bool{}, false
	for _, m := range p.missing {
		if !seen[m] {
			seen[m], out = true, append(out, m)
		}
		overdue = overdue || m.Before < access.StampOf(p.Asked.Add(-access.LatestDelivery))
	}
	if overdue {
		s.metrics.PastGap()
	}
	return out
}

// rewind returns what the records with these keys were; items are what they are now. A user who has left since is under the key that was
// asked for.
func (s *Store) rewind(ctx context.Context, keys []Key, items map[Key]*item) (map[Key]*item, error) {
	if err := s.addFormer(ctx, keys, items); err != nil {
		return nil, err
	}
	then := make([]*item, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(versionsAtOnce)
	for i, k := range keys {
		now := items[k]
		if done, it := s.unchangedSince(k, now); done {
			then[i] = it
			continue
		}
		g.Go(func() (err error) {
			then[i], err = s.version(ctx, k, now)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make(map[Key]*item, len(keys))
	for i, k := range keys {
		if then[i] != nil {
			out[k] = then[i]
		}
	}
	return out, nil
}

// addFormer adds the users who have left under the keys that they had before.
func (s *Store) addFormer(ctx context.Context, keys []Key, items map[Key]*item) error {
	var left []Key
	var asked []Key
	for _, k := range keys {
		if isUserKey(k) && items[k] == nil && strings.HasPrefix(k.SK, userPrefix) {
			asked, left = append(asked, k), append(left, formerUserKey(strings.TrimPrefix(k.SK, userPrefix)))
		}
	}
	if len(left) == 0 {
		return nil
	}
	now := *s
	now.past = nil
	found, err := now.get(ctx, left)
	for i, k := range asked {
		if it := found[left[i]]; it != nil {
			items[k] = it
		}
	}
	return err
}

// unchangedSince returns what the record was where that is sure without its versions: it has not changed since, or did not exist.
func (s *Store) unchangedSince(k Key, now *item) (sure bool, then *item) {
	if _, ok := refOf(k); !ok {
		return true, now
	}
	number := int64(0)
	if now != nil {
		number = numberOf(k, now)
	}
	if number > 0 && now.stamp() <= s.past.at {
		return true, now.withoutUse()
	}
	return number <= 1, nil // no record is deleted, so that the first version of each has the number 1
}

// withoutUse returns an assignment's row without the last use, which is not of the past; any other item as it is.
func (it *item) withoutUse() *item {
	if it.find(used) == nil {
		return it
	}
	out := &item{err: it.err}
	for _, a := range it.attrs {
		if a.name != used && a.name != usedBy {
			out.attrs = append(out.attrs, a)
		}
	}
	return out
}

// version returns what a record that has changed since was at the instant; nil when it did not exist. Where versions are missing, it is the
// latest one before them, and they are noted.
func (s *Store) version(ctx context.Context, k Key, now *item) (*item, error) {
	ref, _ := refOf(k)
	found, _, err := s.query(ctx, ref.upTo(s.past.at), 1)
	if err != nil {
		return nil, err
	}
	var then *item
	var known, next int64 // numbers of versions
	if len(found) > 0 {
		then = found[0]
		known = numberOf(k, then)
	}
	var made access.Stamp // of the next version
	if now != nil {
		next, made = numberOf(k, now), now.stamp()
	}
	if next != known+1 {
		later, _, err := s.query(ctx, ref.after(s.past.at), 1)
		if err != nil {
			return nil, err
		}
		if len(later) > 0 {
			next, made = numberOf(k, later[0]), later[0].stamp()
		}
	}
	if next > known+1 {
		s.past.lacks(k, known+1, next-1, made)
	}
	if then != nil && isTombstone(k, then) {
		return nil, nil
	}
	return then, nil
}

// isTombstone reports whether an assignment's version says that it ended.
func isTombstone(k Key, it *item) bool {
	return strings.HasPrefix(k.PK, customerPK("")) && strings.HasPrefix(k.SK, userPrefix) && it.find("version") == nil
}

// lacks notes versions that are missing.
func (p *past) lacks(k Key, from, to int64, before access.Stamp) {
	m := access.MissingVersions{From: from, To: to, Before: before}
	kind, id, _ := strings.Cut(k.PK, "#")
	row, of, _ := strings.Cut(k.SK, "#")
	switch kind + row {
	case "PP":
		m.Kind, m.Partner = access.PartnerRecord, id
	case "PH":
		m.Kind, m.Partner = access.HeadcountRecord, id
	case "PU", "PF":
		m.Kind, m.User = access.UserRecord, of
	case "CC":
		m.Kind, m.Customer = access.CustomerRecord, id
	case "CG":
		m.Kind, m.Customer, m.Partner = access.GrantRecord, id, of
	case "CU":
		m.Kind, m.Customer, m.User = access.AssignmentRecord, id, of
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missing[k] = m
}

// rewound returns what the records of these items were, nil for those that did not exist.
func (s *Store) rewound(ctx context.Context, now []*item) ([]*item, error) {
	keys, items := make([]Key, len(now)), make(map[Key]*item, len(now))
	for i, it := range now {
		keys[i] = Key{it.s(pk), it.s(sk)}
		items[keys[i]] = it
	}
	then, err := s.rewind(ctx, keys, items)
	if err != nil {
		return nil, err
	}
	out := make([]*item, len(now))
	for i, k := range keys {
		out[i] = then[k]
	}
	return out, nil
}

// rewindItems is rewound without those that did not exist.
func (s *Store) rewindItems(ctx context.Context, now []*item) ([]*item, error) {
	all, err := s.rewound(ctx, now)
	out := make([]*item, 0, len(all))
	for _, it := range all {
		if it != nil {
			out = append(out, it)
		}
	}
	return out, err
}

// peopleAt lists the people who could enter a customer's tenant at an instant. It reads all of them: no key has the names of then.
func (s *Store) peopleAt(ctx context.Context, customer string, f access.PeopleFilter, ask access.PageRequest) (access.PeoplePage, error) {
	then := s.as(f.Past)
	sources, err := then.peopleSources(ctx, customer, f)
	if err != nil {
		return access.PeoplePage{}, err
	}
	rows, err := then.everybody(ctx, sources, f.Now)
	if err != nil {
		return access.PeoplePage{}, err
	}
	page, err := access.PageOfPeople(rows, f, ask)
	page.Missing = then.lacking()
	return page, err
}

// assignmentsAt returns the assignments of a grant at the store's instant: of those who are assigned now, and those who ever were.
func (s *Store) assignmentsAt(ctx context.Context, g *access.Grant) ([]*access.Assignment, error) {
	now := *s
	now.past = nil
	items := map[Key]*item{}
	var keys []Key
	rows, err := whole(ctx, &now, prefixed(customerPK(g.Customer), assignmentPrefix(g.Partner), ""), func(it *item) *item { return it })
	if err != nil {
		return nil, err
	}
	for _, it := range rows {
		k := Key{it.s(pk), it.s(sk)}
		if items[k] = it; it.n(serial) > 0 {
			keys = append(keys, k)
		}
	}
	ever := span{
		pk: assignmentVersionsPK(g.Customer, g.Partner), first: assignedPrefix, last: assignedPrefix + afterAllStamps,
	}
	assigned, err := whole(ctx, &now, ever, func(it *item) *item { return it })
	if err != nil {
		return nil, err
	}
	for _, it := range assigned {
		k := assignmentKey(g.Customer, strings.TrimPrefix(it.s(sk), assignedPrefix))
		if now := items[k]; now == nil || now.n(serial) == 0 {
			keys = append(keys, k)
		}
	}
	then, err := s.rewind(ctx, keys, items)
	if err != nil {
		return nil, err
	}
	out := make([]*access.Assignment, 0, len(then))
	for _, k := range keys {
		a, err := lookup(then, k, (*item).assignment)
		if err != nil {
			return nil, err
		}
		if a != nil {
			out = append(out, a)
		}
	}
	return out, nil
}

// usersAt returns the users of a partner at the store's instant, those who have left since among them.
func (s *Store) usersAt(ctx context.Context, partner string) ([]*access.User, error) {
	var out []*access.User
	for _, prefix := range []string{assignmentPrefix(partner), "F#" + partner + ":"} {
		users, err := whole(ctx, s, prefixed(partnerPK(partner), prefix, ""), (*item).user)
		if err != nil {
			return nil, err
		}
		out = append(out, users...)
	}
	return out, nil
}

func (s *Store) customerGrantsAt(
	ctx context.Context, c *access.Customer, f access.GrantFilter, ask access.PageRequest,
) (access.GrantPage, error) {
	then := s.as(f.Past)
	was, err := one(ctx, then, customerKey(c.ID), (*item).customer)
	if err != nil || was == nil {
		return access.GrantPage{Page: access.Page[access.GrantRow]{Items: []access.GrantRow{}}, Total: new(int)}, err
	}
	page, err := then.CustomerGrants(ctx, was, f, ask)
	page.Missing = then.lacking()
	return page, err
}

func (s *Store) partnerCustomersAt(
	ctx context.Context, p *access.Partner, f access.GrantFilter, ask access.PageRequest,
) (access.GrantPage, error) {
	then := s.as(f.Past)
	was, err := one(ctx, then, partnerKey(p.ID), (*item).partner)
	if err != nil || was == nil {
		return access.GrantPage{Page: access.Page[access.GrantRow]{Items: []access.GrantRow{}}, Total: new(int)}, err
	}
	page, err := then.PartnerCustomers(ctx, was, f, ask)
	page.Missing = then.lacking()
	return page, err
}

// GrantAt returns the grant of a customer for a partner as it was, with both sides and, unless viewer is "", what it let that user of the
// partner do; and which versions are missing for that. Each record that did not exist then is nil.
func (s *Store) GrantAt(
	ctx context.Context, customer, partner, viewer string, of access.Past,
) (access.GrantRow, []access.MissingVersions, error) {
	then := s.as(of)
	keys := []Key{customerKey(customer), partnerKey(partner), headcountKey(partner), grantKey(customer, partner)}
	if viewer != "" {
		keys = append(keys, userKey(viewer), assignmentKey(customer, viewer))
	}
	var row access.GrantRow
	items, err := then.get(ctx, keys)
	if err != nil {
		return row, nil, err
	}
	if row.Customer, err = lookup(items, customerKey(customer), (*item).customer); err != nil {
		return row, nil, err
	}
	if row.Partner, err = lookup(items, partnerKey(partner), (*item).partner); err != nil {
		return row, nil, err
	}
	if row.Headcount, err = headcountIn(items, partner); err != nil {
		return row, nil, err
	}
	if row.Grant, err = lookup(items, grantKey(customer, partner), (*item).grant); err != nil {
		return row, nil, err
	}
	if viewer != "" {
		row.Viewer, err = factsIn(items, access.FactsQuery{User: viewer, Customer: customer})
	}
	return row, then.lacking(), err
}

// PastFacts returns the facts about each question as they were, with the versions that are missing for it. It fails with
// access.ErrUnavailable when the table does not answer.
func (s *Store) PastFacts(
	ctx context.Context, qs []access.FactsQuery, of access.Past,
) ([]access.Facts, [][]access.MissingVersions, error) {
	then := s.as(of)
	var keys []Key
	for _, q := range qs {
		keys = append(keys, factsKeys(q)...)
	}
	items, err := then.get(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	facts, missing := make([]access.Facts, len(qs)), make([][]access.MissingVersions, len(qs))
	for i, q := range qs {
		if facts[i], err = factsIn(items, q); err != nil {
			return nil, nil, err
		}
		for _, k := range factsKeys(q) {
			if m, lacks := then.past.missing[k]; lacks {
				missing[i] = append(missing[i], m)
			}
		}
	}
	then.lacking()
	return facts, missing, nil
}

func factsKeys(q access.FactsQuery) []Key {
	keys := []Key{partnerKey(partnerOf(q.User)), userKey(q.User)}
	if q.Customer != "" {
		keys = append(keys, grantKey(q.Customer, partnerOf(q.User)), assignmentKey(q.Customer, q.User))
	}
	return keys
}

// factsIn returns the facts about a question from items that get has read.
func factsIn(items map[Key]*item, q access.FactsQuery) (f access.Facts, err error) {
	partner := partnerOf(q.User)
	if f.Partner, err = lookup(items, partnerKey(partner), (*item).partner); err != nil {
		return f, err
	}
	if f.User, err = lookup(items, userKey(q.User), (*item).user); err != nil || q.Customer == "" {
		return f, err
	}
	if f.Grant, err = lookup(items, grantKey(q.Customer, partner), (*item).grant); err != nil {
		return f, err
	}
	f.Assignment, err = lookup(items, assignmentKey(q.Customer, q.User), (*item).assignment)
	return f, err
}
