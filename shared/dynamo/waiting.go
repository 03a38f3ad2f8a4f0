package dynamo

import (
	"context"
	"strings"
)

// What waits for an answer, invitations and requests, lies apart from what has ended, under another key with the same id.

// pendingOf reads a stretch of what waits, of a customer or, when that is "", of a partner, and returns what is wanted of it. Next is the
// position to continue from, "" at the end.
func pendingOf[T any](ctx context.Context, s *Store, prefix, customer, partner, after string, limit int,
	as func(*item) *T, want func(*T) bool,
) (list []*T, next string, err error) {
	sp := prefixed(customerPK(customer), prefix, after)
	if customer == "" {
		sp = prefixed(partnerIndexPK(partner), prefix, after).inIndex()
	}
	items, more, err := s.query(ctx, sp, limit)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		v, err := decode(it, as)
		if err != nil {
			return nil, "", err
		}
		if next = it.s("id"); want(v) {
			list = append(list, v)
		}
	}
	if !more {
		next = ""
	}
	return list, next, nil
}

// currentOf reads from the table what index 1 lists, which may have ended since: under the first of the keys under which there is any.
func currentOf[T any](ctx context.Context, s *Store, items []*item, as func(*item) *T,
	keysOf func(customer, id string) [2]Key,
) ([]*T, error) {
	var keys []Key
	of := func(it *item) [2]Key { return keysOf(strings.TrimPrefix(it.s(pk), customerPrefix), it.s("id")) }
	for _, it := range items {
		both := of(it)
		keys = append(keys, both[:]...)
	}
	side, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	list := make([]*T, len(items))
	for n, it := range items {
		if list[n], err = firstOf(side, of(it), as); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// firstOf decodes what get has read under the first of the keys under which there is any.
func firstOf[T any](items map[Key]*item, keys [2]Key, as func(*item) *T) (*T, error) {
	if v, err := lookup(items, keys[0], as); err != nil || v != nil {
		return v, err
	}
	return lookup(items, keys[1], as)
}

// wanted makes rows of those that match. Of one that does not match by itself nothing more is read, and its row is nil.
func wanted[T, R any](ctx context.Context, list []*T, candidate func(*T) bool, rowsOf func(context.Context, []*T) ([]*R, error),
	matches func(*R) bool,
) ([]*R, error) {
	for n, v := range list {
		if v != nil && !candidate(v) {
			list[n] = nil
		}
	}
	rows, err := rowsOf(ctx, list)
	if err != nil {
		return nil, err
	}
	for n, r := range rows {
		if r != nil && !matches(r) {
			rows[n] = nil
		}
	}
	return rows, nil
}
