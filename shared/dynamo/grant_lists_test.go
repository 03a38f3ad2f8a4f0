package dynamo_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/access"
)

// sortedGrants gives acme grants for some partners, and contoso grants of some customers.
func sortedGrants(t *testing.T) (*table, *access.Customer, *access.Partner) {
	t.Helper()
	tb := newTable(t)
	acme, contoso := &access.Customer{ID: "acme", Name: "Acme", Version: 1}, partnerNamed("contoso", "Contoso")
	contoso.Class = access.Channel
	writes := []access.Write{access.HeadcountWrite{After: &access.Headcount{Partner: "contoso", Staff: 9, Version: 1}}}
	for i, c := range []struct {
		name     string
		level    access.Level
		until    time.Time
		everyone bool
		count    int
		offer    access.Level
	}{
		{"Zeta", access.View, noon.Add(2 * time.Hour), false, 3, access.Manage},
		{"élan", access.Manage, time.Time{}, true, 0, access.Support},
		{"Beta", access.Support, noon.Add(time.Hour), false, 12, access.Manage},
		{"beta two", access.Manage, noon.Add(time.Hour), false, 1, access.Manage},
	} {
		p := partnerNamed(fmt.Sprintf("p%d", 9-i), c.name)
		p.Class, p.Offer = access.Channel, c.offer
		grant := access.Grant{
			ID: p.ID, Customer: "acme", Partner: p.ID, Level: c.level, State: access.StateOpen, Until: c.until, Everyone: c.everyone, Count: c.count,
			Updated: noon.Add(time.Duration(i) * time.Minute), Version: 1,
		}
		theirs := grant
		theirs.Customer, theirs.Partner = fmt.Sprintf("c%d", 9-i), "contoso"
		writes = append(writes, access.PartnerWrite{After: p}, access.GrantWrite{After: &grant}, access.GrantWrite{After: &theirs},
			access.HeadcountWrite{After: &access.Headcount{Partner: p.ID, Staff: 5, Version: 1}},
			access.CustomerWrite{After: &access.Customer{ID: theirs.Customer, Name: c.name, Status: access.Active, Version: 1}})
	}
	tb.save(t, writes...)
	contoso.Offer = access.Manage
	return tb, acme, contoso
}

func TestGrantsAreSortedFilteredAndCounted(t *testing.T) {
	t.Parallel()
	tb, acme, contoso := sortedGrants(t)
	for _, c := range []struct {
		name         string
		f            access.GrantFilter
		ours, theirs string // the numbers in the ids, of acme's grants and of contoso's customers
	}{
		{"by id", access.GrantFilter{}, "6 7 8 9", "6 7 8 9"},
		{"by name", access.GrantFilter{Order: access.GrantsByName}, "6 7 8 9", "6 7 8 9"},
		{"by name, turned round", access.GrantFilter{Order: access.GrantsByName, Descending: true}, "9 8 7 6", "9 8 7 6"},
		{"by end", access.GrantFilter{Order: access.GrantsByEnd}, "6 7 9 8", "6 7 9 8"},
		{"by users", access.GrantFilter{Order: access.GrantsByUsers}, "6 9 8 7", "6 9 8 7"},
		{"everyone", access.GrantFilter{Order: access.GrantsByName, Everyone: new(true)}, "8", "8"},
		{"not everyone", access.GrantFilter{Order: access.GrantsByEnd, Everyone: new(false)}, "6 7 9", "6 7 9"},
		{"the effective level", access.GrantFilter{Order: access.GrantsByName, Levels: []access.Level{access.Support}}, "7 8", "7"},
		{"ends before", access.GrantFilter{Order: access.GrantsByName, EndsBefore: noon.Add(2 * time.Hour)}, "6 7", "6 7"},
		{"changed since", access.GrantFilter{Order: access.GrantsByName, ChangedSince: noon.Add(2 * time.Minute)}, "6 7", "6 7"},
		{"changed since, by id", access.GrantFilter{ChangedSince: noon.Add(2 * time.Minute)}, "6 7", "6 7"},
	} {
		c.f.Now = noon
		for side, want := range map[string]string{"ours": c.ours, "theirs": c.theirs} {
			got, pages := "", 0
			for ask := (access.PageRequest{Limit: 2}); ; {
				page, err := tb.CustomerGrants(t.Context(), acme, c.f, ask)
				if side == "theirs" {
					page, err = tb.PartnerCustomers(t.Context(), contoso, c.f, ask)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Items {
					got += " " + r.Grant.ID[1:]
				}
				if total := len(strings.Fields(want)); c.f.Order != access.GrantsByID && (page.Total == nil || *page.Total != total) {
					t.Errorf("%s, %s: got a total of %v, want %d", c.name, side, page.Total, total)
				}
				if ask.After, pages = page.Next, pages+1; page.Next == "" {
					break
				}
			}
			if got != " "+want {
				t.Errorf("%s, %s: got%s in %d pages, want %s", c.name, side, got, pages, want)
			}
		}
	}
}

func TestALongListOfGrantsComesByNameAndIsCountedWhenNarrowed(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	contoso := partnerNamed("contoso", "Contoso")
	contoso.Class, contoso.Offer = access.Channel, access.Manage
	var writes []access.Write
	add := func(from, to int) {
		for i := from; i < to; i++ {
			id := fmt.Sprintf("c%03d", i)
			g := &access.Grant{ID: id, Customer: id, Partner: "contoso", Level: access.View, State: access.StateOpen, Updated: noon, Version: 1}
			if i%100 == 0 {
				g.Until = noon.Add(time.Hour)
			}
			c := &access.Customer{ID: id, Name: fmt.Sprintf("N%03d", 999-i), Status: access.Active, Version: 1}
			writes = append(writes, access.GrantWrite{After: g}, access.CustomerWrite{After: c},
				access.ListingWrite{After: access.NewListing(c, contoso)})
		}
		tb.save(t, writes...)
		writes = nil
	}
	list := func(ctx context.Context, f access.GrantFilter, after string) (string, access.GrantPage, error) {
		f.Now = noon
		page, err := tb.PartnerCustomers(ctx, contoso, f, access.PageRequest{Limit: 50, After: after})
		if err != nil || len(page.Items) == 0 {
			return "", page, err
		}
		return page.Items[0].Customer.ID, page, nil
	}
	add(0, 500)
	byName := access.GrantFilter{Order: access.GrantsByName, MustSort: true}
	first, page, err := list(t.Context(), byName, "")
	if err != nil || first != "c499" || *page.Total != 500 {
		t.Errorf("500 rows: got %s and a total of %v (%v), want c499, the first by name, and 500", first, page.Total, err)
	}
	sorted := page.Next
	add(500, 600)
	first, page, err = list(t.Context(), byName, "")
	if err != nil || first != "c599" || page.Total != nil {
		t.Errorf("600 rows: got %s and a total of %v (%v), want c599, the first by name, and none", first, page.Total, err)
	}
	before := len(tb.line.seen())
	if first, _, err = list(t.Context(), byName, page.Next); err != nil || first != "c549" {
		t.Errorf("the next page: got %s (%v), want c549", first, err)
	}
	queries := slices.DeleteFunc(tb.line.seen()[before:], func(operation string) bool { return operation != "Query" })
	if len(queries) != 1 {
		t.Errorf("the next page: got %d queries, want 1", len(queries))
	}
	if first, _, err = list(t.Context(), byName, sorted); err != nil || first != "c449" {
		t.Errorf("the next page of the list that was sorted: got %s (%v), want c449", first, err)
	}
	if first, _, err = list(t.Context(), access.GrantFilter{}, ""); err != nil || first != "c000" {
		t.Errorf("by id: got %s (%v), want c000", first, err)
	}
	if _, _, err = list(t.Context(), access.GrantFilter{Order: access.GrantsByEnd, MustSort: true}, ""); access.CodeOf(err) != access.Invalid {
		t.Errorf("by end, which must be sorted: got %v, want invalid", err)
	}
	f := access.GrantFilter{Order: access.GrantsByName, MustSort: true, EndsBefore: noon.Add(2 * time.Hour)}
	if first, page, err = list(t.Context(), f, ""); err != nil || first != "c500" || *page.Total != 6 {
		t.Errorf("narrowed: got %s and a total of %v (%v), want c500 and 6", first, page.Total, err)
	}
}

func TestALongListIsWholeInBothDirectionsAndForBothSides(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	acme, contoso := &access.Customer{ID: "acme", Name: "Acme", Version: 1}, partnerNamed("contoso", "Contoso")
	var writes []access.Write
	var want []string
	for i := range 503 { // the names are in no order of the ids; some are the same
		name := fmt.Sprintf("N %03d", (i*7)%250)
		p, c := partnerNamed(fmt.Sprintf("p%03d", i), name), &access.Customer{ID: fmt.Sprintf("c%03d", i), Name: name, Version: 1}
		for _, pair := range []struct {
			c *access.Customer
			p *access.Partner
		}{{acme, p}, {c, contoso}} {
			writes = append(writes, access.GrantWrite{After: &access.Grant{
				ID: "g", Customer: pair.c.ID, Partner: pair.p.ID, Level: access.View, State: access.StateOpen, Version: 1,
			}}, access.ListingWrite{After: access.NewListing(pair.c, pair.p)})
		}
		writes = append(writes, access.PartnerWrite{After: p}, access.CustomerWrite{After: c})
		want = append(want, fmt.Sprintf("n %03d %03d", (i*7)%250, i))
	}
	for part := range slices.Chunk(writes, 60) { // a partner's words are writes, too
		tb.save(t, part...)
	}
	slices.Sort(want)
	for _, descending := range []bool{false, true} {
		f := access.GrantFilter{Now: noon, Order: access.GrantsByName, Descending: descending}
		ours := func(ctx context.Context, ask access.PageRequest) (access.Page[access.GrantRow], error) {
			page, err := tb.CustomerGrants(ctx, acme, f, ask)
			return page.Page, err
		}
		theirs := func(ctx context.Context, ask access.PageRequest) (access.Page[access.GrantRow], error) {
			page, err := tb.PartnerCustomers(ctx, contoso, f, ask)
			return page.Page, err
		}
		if descending {
			slices.Reverse(want)
		}
		for _, limit := range []int{40, 100} {
			got, _ := pageThrough(t, "acme's grants", ours, func(r access.GrantRow) string {
				return strings.ToLower(r.Partner.Name) + " " + r.Partner.ID[1:]
			}, limit)
			if !slices.Equal(got, want) {
				t.Errorf("acme's grants, %d a page, turned round %v: got %q", limit, descending, got)
			}
			got, _ = pageThrough(t, "contoso's customers", theirs, func(r access.GrantRow) string {
				return strings.ToLower(r.Customer.Name) + " " + r.Customer.ID[1:]
			}, limit)
			if !slices.Equal(got, want) {
				t.Errorf("contoso's customers, %d a page, turned round %v: got %q", limit, descending, got)
			}
		}
	}
}
