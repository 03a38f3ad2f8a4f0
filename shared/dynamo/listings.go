package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
)

// A listing is one item with nothing but keys: the table has it by the partner's name in the customer's partition, index 1 by the
// customer's name in the partner's. Lists of grants of any length are read in its order; what is shown of a grant comes from the grant.

func listingItem(l *access.Listing) draft {
	d := newDraft(listingKey(l))
	d.index1(partnerIndexPK(l.Partner), listingPrefix+l.CustomerName)
	return d
}

func (it *item) listing() *access.Listing {
	l := &access.Listing{
		CustomerName: strings.TrimPrefix(it.s(gsi1sk), listingPrefix), PartnerName: strings.TrimPrefix(it.s(sk), listingPrefix),
	}
	l.Customer, l.Partner = access.SortedID(l.CustomerName), access.SortedID(l.PartnerName)
	return l
}

// listing stages a listing, on the condition that it has the names that were loaded.
func (tx *transaction) listing(table string, w access.ListingWrite) {
	d := listingItem(w.After)
	if w.Before == nil {
		tx.create(table, d)
		return
	}
	const same = "gsi1sk = :was"
	was := map[string]types.AttributeValue{":was": str(listingPrefix + w.Before.CustomerName)}
	if listingKey(w.Before) == listingKey(w.After) {
		*tx = append(*tx, types.TransactWriteItem{Put: &types.Put{
			TableName: &table, Item: d, ConditionExpression: aws.String(same), ExpressionAttributeValues: was,
		}})
		return
	}
	tx.create(table, d)
	*tx = append(*tx, types.TransactWriteItem{Delete: &types.Delete{
		TableName: &table, Key: listingKey(w.Before).attributes(), ConditionExpression: aws.String(same), ExpressionAttributeValues: was,
	}})
}

// listings is the span of a customer's listings, by the partner's name, or, where customer is "", of a partner's by the customer's.
func listings(customer, partner, after string) span {
	if customer != "" {
		return prefixed(customerPK(customer), listingPrefix, after)
	}
	return prefixed(partnerIndexPK(partner), listingPrefix, after).inIndex()
}

// Listings lists a customer's listings, by the partner's name, or, where customer is "", a partner's by the customer's. Next is the
// position to continue from; "" at the end. A partner's come from index 1, which may lag.
func (s *Store) Listings(
	ctx context.Context, customer, partner, position string, limit int,
) (list []*access.Listing, next string, err error) {
	sp := listings(customer, partner, position)
	items, more, err := s.query(ctx, sp, limit)
	for _, it := range items {
		list = append(list, it.listing())
		if more {
			next = after(listingPrefix, sp.sortKey())(it)
		}
	}
	return list, next, err
}

// Listed reads a listing as it is now; nil when its pair is listed by another name of the partner.
func (s *Store) Listed(ctx context.Context, l *access.Listing) (*access.Listing, error) {
	return one(ctx, s, listingKey(l), (*item).listing)
}

// byName reads a list of grants of any length by the other side's name.
func (s *Store) byName(
	ctx context.Context, f access.GrantFilter, ask access.PageRequest, l grantList,
) (access.Page[access.GrantRow], error) {
	key := l.listings.sortKey()
	fetch := s.newestFirst(l.listings, listingPrefix, key)
	if !f.Descending {
		fetch = func(ctx context.Context, position string, n int) ([]*item, bool, error) {
			sp := l.listings
			if position != "" {
				sp.first = listingPrefix + position + "\x01"
			}
			return s.query(ctx, sp, n)
		}
	}
	return walk(ctx, ask, true, fetch, l.joinListings, after(listingPrefix, key))
}

// joinGrantsOf reads the grants of listings before it joins them.
func (s *Store) joinGrantsOf(join joinGrants) joinGrants {
	return func(ctx context.Context, items []*item) ([]*access.GrantRow, error) {
		keys := make([]Key, len(items))
		for i, it := range items {
			names := it.listing()
			keys[i] = grantKey(names.Customer, names.Partner)
		}
		found, err := s.get(ctx, keys)
		if err != nil {
			return nil, err
		}
		var grants []*item
		for _, k := range keys {
			if found[k] != nil {
				grants = append(grants, found[k])
			}
		}
		joined, err := join(ctx, grants)
		if err != nil {
			return nil, err
		}
		rows := make([]*access.GrantRow, len(items))
		for i, k := range keys {
			if found[k] != nil {
				rows[i], joined = joined[0], joined[1:]
			}
		}
		return rows, nil
	}
}
