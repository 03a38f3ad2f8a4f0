package main

import (
	"context"
	"fmt"
	"strings"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
)

// lists compares the round trips of one page of each side's list in a small and in a large table.
func lists(ctx context.Context) ([]fixture.Figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	var trips, sorted []string
	for _, n := range []int{200, 20_000} {
		t := newTally(e.Client(), fmt.Sprintf("lists-%d", n))
		if err := t.directory(ctx, "contoso", "acme"); err != nil {
			return nil, err
		}
		if err := t.grants(ctx, n); err != nil {
			return nil, err
		}
		for order, pages := range map[access.GrantOrder]*[]string{access.GrantsByID: &trips, access.GrantsByName: &sorted} {
			f := access.GrantFilter{Now: t.planContext.Now, Order: order}
			ours, err := t.page(func(ask access.PageRequest) (int, error) {
				p, err := t.store.CustomerGrants(ctx, &access.Customer{ID: "acme"}, f, ask)
				return len(p.Items), err
			})
			if err != nil {
				return nil, err
			}
			theirs, err := t.page(func(ask access.PageRequest) (int, error) {
				p, err := t.store.PartnerCustomers(ctx, &access.Partner{ID: "contoso"}, f, ask)
				return len(p.Items), err
			})
			if err != nil {
				return nil, err
			}
			*pages = append(*pages, fmt.Sprintf("%d and %d of %d", ours, theirs, n))
		}
	}
	return []fixture.Figure{
		{"page of a customer's and of a partner's list by id: round trips", strings.Join(trips, "; "), "the same number"},
		{"the same by name: sorted and counted; beyond 500 by the names beside the grants", strings.Join(sorted, "; "), ""},
	}, nil
}

// grants gives acme n partners, and contoso n customers.
func (t *tally) grants(ctx context.Context, n int) error {
	var texts []string
	for i := range n {
		customer, partner := fixture.CustomerID(i), fmt.Sprintf("p%06d", i)
		texts = append(texts,
			strings.ReplaceAll(fixture.GrantJSON, "acme", customer),
			strings.ReplaceAll(customerJSON, "acme", customer),
			strings.ReplaceAll(fixture.GrantJSON, "contoso", partner),
			strings.ReplaceAll(fixture.PartnerJSON, "contoso", partner),
			fmt.Sprintf(listingJSON, "acme", "partner", partner, partner, "acme", "acme"),
			fmt.Sprintf(listingJSON, customer, "contoso", "contoso", "contoso", "acme", customer),
		)
	}
	return fixture.Write(ctx, t.db, t.table, texts)
}

// listingJSON is by which names a pair is listed: the customer, the partner's name and id, and the partner, the customer's name and id.
const listingJSON = `{"pk":{"S":"C#%s"},"sk":{"S":"N#%s#%s"},"gsi1pk":{"S":"P#%s"},"gsi1sk":{"S":"N#%s#%s"}}`

const customerJSON = `{"created":{"S":"2026-01-15T08:00:00.000Z"},"name":{"S":"Acme"},"domain":{"S":"acme.example"},"sk":{"S":"C"},"pk":{"S":"C#acme"},"version":{"N":"4"},"id":{"S":"acme"},"status":{"S":"active"},"updated":{"S":"2026-11-02T10:11:12.131Z"}}`

// page counts the round trips of one full page.
func (t *tally) page(list func(access.PageRequest) (int, error)) (int, error) {
	before := t.requests.Load()
	got, err := list(access.PageRequest{Limit: 50})
	if err == nil && got != 50 {
		err = fmt.Errorf("a page holds %d items, not 50", got)
	}
	return int(t.requests.Load() - before), err
}
