package dynamo

import (
	"context"
	"strings"

	"partneraccess/shared/access"
)

// Lists of grants are sorted as people would sort them, and counted, as long as that is cheap: all rows are read for each page. A list of
// more than sortedGrants comes by name from the listings, and says nothing of its length: a page of it costs the same however long it is.
// No key has the other orders. A filter that looks at the grants alone makes a long list short, up to narrowedGrants.
const (
	sortedGrants   = 500
	narrowedGrants = 5000
)

// What a position begins with in a list that was sorted, and in one by the listings; a position in a list by id is an id.
const (
	sortedPosition = "="
	namedPosition  = "~"
)

// joinGrants reads what is shown beside grants. It returns a row for each item, nil where the filter does not want it.
type joinGrants func(ctx context.Context, items []*item) ([]*access.GrantRow, error)

// grantList is a list of grants: of a customer, or for a partner.
type grantList struct {
	span   span
	prefix string // of its sort keys
	join   joinGrants
	name   func(*access.GrantRow) string // the SortName of the other side

	listings     span // of the same grants, by that name
	joinListings joinGrants
}

func (s *Store) grantList(ctx context.Context, f access.GrantFilter, ask access.PageRequest, l grantList) (access.GrantPage, error) {
	position, sorted := strings.CutPrefix(ask.After, sortedPosition)
	named := false
	if !sorted {
		position, named = strings.CutPrefix(ask.After, namedPosition)
	}
	if f.Order != access.GrantsByID && (ask.After == "" || sorted) {
		items, all, err := s.grantItems(ctx, f, l, sorted)
		if err != nil {
			return access.GrantPage{}, err
		}
		if all {
			return s.sortedGrants(ctx, f, access.PageRequest{After: position, Limit: ask.Limit}, l, items)
		}
		if f.MustSort && (f.Order != access.GrantsByName || s.past != nil) {
			return access.GrantPage{}, access.Refuse(access.Invalid, "this list has more than %d rows, too many to be sorted so: narrow it by "+
				"level, everyone, ends_before or changed_since, or leave out sort", sortedGrants).At("?sort")
		}
		named = f.Order == access.GrantsByName && s.past == nil // no listing has the names of then
	}
	if named {
		page, err := s.byName(ctx, f, access.PageRequest{After: position, Limit: ask.Limit}, l)
		if page.Next != "" {
			page.Next = namedPosition + page.Next
		}
		return access.GrantPage{Page: page}, err
	}
	fetch := func(ctx context.Context, after string, n int) ([]*item, bool, error) {
		sp := prefixed(l.span.pk, l.prefix, after)
		sp.index = l.span.index
		return s.query(ctx, sp, n)
	}
	page, err := walk(ctx, ask, true, fetch, l.join, after(l.prefix, l.span.sortKey()))
	return access.GrantPage{Page: page}, err
}

// grantItems reads the grants of a list that the filter may want, and reports whether these are all; otherwise they are too many to be
// sorted. A list that was sorted on the page before is sorted to its end, even when it has grown.
func (s *Store) grantItems(ctx context.Context, f access.GrantFilter, l grantList, sorted bool) (items []*item, all bool, err error) {
	most := sortedGrants
	if f.Narrows() && s.past == nil {
		most = narrowedGrants
	}
	sp := l.span
	for read := 0; ; {
		found, more, err := s.query(ctx, sp, most+1)
		if err != nil {
			return nil, false, err
		}
		for _, it := range found {
			g, err := decode(it, (*item).grant)
			if err != nil {
				return nil, false, err
			}
			if s.past != nil || f.WantsGrant(g) { // what the grant was at an instant is known later
				items = append(items, it)
			}
		}
		if read += len(found); !sorted && (len(items) > sortedGrants || read > most) {
			return nil, false, nil
		}
		if !more || len(found) == 0 {
			return items, true, nil
		}
		sp.first = found[len(found)-1].s(sp.sortKey()) + "\x01"
	}
}

func (s *Store) sortedGrants(
	ctx context.Context, f access.GrantFilter, ask access.PageRequest, l grantList, items []*item,
) (access.GrantPage, error) {
	joined, err := l.join(ctx, items)
	if err != nil {
		return access.GrantPage{}, err
	}
	rows := joined[:0]
	for _, r := range joined {
		if r != nil {
			rows = append(rows, r)
		}
	}
	page, err := access.PageOfGrants(rows, f, l.name, ask)
	if page.Next != "" {
		page.Next = sortedPosition + page.Next
	}
	return page, err
}

// CustomerGrants lists the partners with a grant of the customer (D12, D13, D18, D19).
func (s *Store) CustomerGrants(
	ctx context.Context, c *access.Customer, f access.GrantFilter, ask access.PageRequest,
) (access.GrantPage, error) {
	if !f.Past.At.IsZero() && s.past == nil {
		return s.customerGrantsAt(ctx, c, f, ask)
	}
	join := s.joinPartners(c, f)
	return s.grantList(ctx, f, ask, grantList{
		span: prefixed(customerPK(c.ID), grantPrefix, ""), prefix: grantPrefix, join: join,
		listings: listings(c.ID, "", ""), joinListings: s.joinGrantsOf(join),
		name: func(r *access.GrantRow) string { return access.SortName(r.Partner.Name, r.Partner.ID) },
	})
}

// joinPartners reads the partners of a customer's grants, and returns the rows that are wanted.
func (s *Store) joinPartners(c *access.Customer, f access.GrantFilter) joinGrants {
	return func(ctx context.Context, items []*item) ([]*access.GrantRow, error) {
		grants := make([]*access.Grant, len(items))
		keys := make([]Key, 0, 2*len(items))
		if s.past != nil {
			var err error
			if items, err = s.rewound(ctx, items); err != nil {
				return nil, err
			}
		}
		for i, it := range items {
			if it == nil {
				continue
			}
			g, err := decode(it, (*item).grant)
			if err != nil {
				return nil, err
			}
			grants[i] = g
			keys = append(keys, partnerKey(g.Partner), headcountKey(g.Partner))
		}
		side, err := s.get(ctx, keys)
		if err != nil {
			return nil, err
		}
		rows := make([]*access.GrantRow, len(items))
		for i, g := range grants {
			if g == nil {
				continue
			}
			row := access.GrantRow{Grant: g, Customer: c}
			if row.Partner, err = lookup(side, partnerKey(g.Partner), (*item).partner); err != nil {
				return nil, err
			}
			if row.Headcount, err = headcountIn(side, g.Partner); err != nil {
				return nil, err
			}
			if row.Partner != nil && f.Wants(&row) && access.NameMatches(row.Partner.Name, row.Partner.ID, f.Query) {
				rows[i] = &row
			}
		}
		return rows, nil
	}
}

// PartnerCustomers lists the customers with a grant for the partner (A1, A3, W14). Which customers there are comes from index 1; their
// records are read from the table.
func (s *Store) PartnerCustomers(
	ctx context.Context, p *access.Partner, f access.GrantFilter, ask access.PageRequest,
) (access.GrantPage, error) {
	if !f.Past.At.IsZero() && s.past == nil {
		return s.partnerCustomersAt(ctx, p, f, ask)
	}
	join := s.joinCustomers(p, f) // reads the grants itself
	return s.grantList(ctx, f, ask, grantList{
		span: prefixed(partnerIndexPK(p.ID), customerPrefix, "").inIndex(), prefix: customerPrefix, join: join,
		listings: listings("", p.ID, ""), joinListings: join,
		name: func(r *access.GrantRow) string { return access.SortName(r.Customer.Name, r.Customer.ID) },
	})
}

// joinCustomers reads the customers of a partner's grants, with the grants once more, and returns the rows that are wanted.
func (s *Store) joinCustomers(p *access.Partner, f access.GrantFilter) joinGrants {
	return func(ctx context.Context, items []*item) ([]*access.GrantRow, error) {
		keys := []Key{headcountKey(p.ID)}
		if f.Viewer != "" {
			keys = append(keys, userKey(f.Viewer))
		}
		customers := make([]string, len(items))
		for i, it := range items {
			c := strings.TrimPrefix(it.s(pk), customerPrefix)
			customers[i] = c
			keys = append(keys, customerKey(c), grantKey(c, p.ID))
			if f.Viewer != "" {
				keys = append(keys, assignmentKey(c, f.Viewer))
			}
		}
		side, err := s.get(ctx, keys)
		if err != nil {
			return nil, err
		}
		head, err := headcountIn(side, p.ID)
		if err != nil {
			return nil, err
		}
		user, err := lookup(side, userKey(f.Viewer), (*item).user)
		if err != nil {
			return nil, err
		}
		rows := make([]*access.GrantRow, len(items))
		for i, id := range customers {
			row := access.GrantRow{Partner: p, Headcount: head}
			if row.Customer, err = lookup(side, customerKey(id), (*item).customer); err != nil {
				return nil, err
			}
			if row.Grant, err = lookup(side, grantKey(id, p.ID), (*item).grant); err != nil {
				return nil, err
			}
			if row.Customer == nil || row.Grant == nil {
				continue
			}
			if f.Viewer != "" {
				row.Viewer = access.Facts{Partner: p, User: user, Grant: row.Grant}
				if row.Viewer.Assignment, err = lookup(side, assignmentKey(id, f.Viewer), (*item).assignment); err != nil {
					return nil, err
				}
			}
			if _, in := access.EffectiveLevel(row.Viewer, id, f.Now); f.OnlyAccessible && !in {
				continue
			}
			if f.Wants(&row) && customerMatches(row.Customer, f.Query) {
				rows[i] = &row
			}
		}
		return rows, nil
	}
}
