package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/meter"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

const (
	peoplePartners = 50
	peopleEach     = 200
)

// people measures pages of who can come in at a customer with 50 partners and 10,000 people: at half of the partners everyone has access,
// at the others each person was picked.
func people(ctx context.Context) ([]fixture.Figure, error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Stop() //nolint:errcheck // it ends with this process at the latest
	if err := dynamo.CreateTable(ctx, e.Client(), fixture.Table, false); err != nil {
		return nil, err
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	if err := manyPeople(ctx, dynamo.New(e.Client(), fixture.Table), now); err != nil {
		return nil, err
	}
	m := meter.New(e.Endpoint())
	defer m.Close()
	store := dynamo.New(dynamodb.New(e.Client().Options(), func(o *dynamodb.Options) { o.BaseEndpoint = aws.String(m.URL()) }), fixture.Table)
	var out []fixture.Figure
	for _, c := range []struct {
		name string
		f    access.PeopleFilter
		goal string
	}{
		{"by name", access.PeopleFilter{Order: access.OrderName}, "100 ms"},
		{"by end", access.PeopleFilter{Order: access.OrderEnd}, "100 ms"},
		{"by name, counted", access.PeopleFilter{Order: access.OrderName, Count: true}, ""},
	} {
		c.f.Now = now
		f, err := firstPages(ctx, store, m, c.f)
		if err != nil {
			return nil, err
		}
		out = append(out, fixture.Figure{"first page of 10,000 people of 50 partners, " + c.name, f, c.goal})
	}
	began, seen := time.Now(), 0
	ask := access.PageRequest{Limit: 100}
	for {
		page, err := store.People(ctx, "acme", access.PeopleFilter{Order: access.OrderName, Now: now}, ask)
		if err != nil {
			return nil, err
		}
		seen += len(page.Items)
		if ask.After = page.Next; page.Next == "" {
			break
		}
	}
	calls, reads, _, err := m.Take()
	return append(out, fixture.Figure{
		"all 100 pages of them by name",
		fmt.Sprintf("%d people, %v, %d calls, %.0f read units", seen, time.Since(began).Round(time.Millisecond), calls, reads),
		"10,000 people",
	}), err
}

// firstPages returns the median time of a first page, and what it asks of the table.
func firstPages(ctx context.Context, s *dynamo.Store, m *meter.Meter, f access.PeopleFilter) (string, error) {
	var took []time.Duration
	for range 11 {
		if _, _, _, err := m.Take(); err != nil {
			return "", err
		}
		began := time.Now()
		page, err := s.People(ctx, "acme", f, access.PageRequest{Limit: 50})
		if err == nil && len(page.Items) != 50 {
			err = fmt.Errorf("a page holds %d people, not 50", len(page.Items))
		}
		if err != nil {
			return "", err
		}
		took = append(took, time.Since(began))
	}
	calls, reads, _, err := m.Take()
	slices.Sort(took)
	return fmt.Sprintf("p50 %v, %d calls, %.0f read units", took[len(took)/2].Round(time.Millisecond), calls, reads), err
}

// manyPeople writes the customer's grants, and the partners with their people.
func manyPeople(ctx context.Context, s *dynamo.Store, now time.Time) error {
	var writes []access.Write
	for i := range peoplePartners {
		p := fmt.Sprintf("p%02d", i)
		g := &access.Grant{
			ID: "grt_" + p, Customer: "acme", Partner: p, Level: access.Support, State: access.StateOpen, Epoch: 1, Everyone: i%2 == 0,
			Until: now.Add(time.Duration(1+i%9) * 24 * time.Hour), Created: now, Updated: now, Version: 1,
		}
		writes = append(writes, access.GrantWrite{After: g}, access.PartnerWrite{After: &access.Partner{
			ID: p, Name: "Partner " + p, Status: access.Active, Class: access.Channel, Offer: access.Manage, Created: now, Updated: now, Version: 1,
		}}, access.HeadcountWrite{After: &access.Headcount{Partner: p, LastNumber: peopleEach, Staff: peopleEach, Version: 1}})
		if !g.Everyone {
			g.Count = peopleEach
		}
		for n := range peopleEach {
			id := fmt.Sprintf("%s:01JD8Z6Q7YB5V3K2N4M6%06d", p, n)
			writes = append(writes, access.UserWrite{After: &access.User{
				ID: id, Partner: p, Number: int64(n + 1), Email: fmt.Sprintf("person%d@%s.example", n, p),
				Name:  fmt.Sprintf("Person %d", n*7919%10_000),
				Phone: "+4930123456", Role: access.Tech, Status: access.Active, MFA: true, Created: now, Updated: now, Version: 1,
			}})
			if !g.Everyone {
				writes = append(writes, access.AssignmentWrite{After: &access.Assignment{
					Customer: "acme", Partner: p, User: id, Epoch: 1, By: access.ByCustomer, Number: int64(n + 1), At: now, Version: 1,
					Granter: access.By{Kind: access.ActorCustomer, Email: "ann@acme.example"},
				}})
			}
		}
	}
	for part := range slices.Chunk(writes, 90) {
		err := s.Apply(ctx, func(context.Context) (access.Change, *access.StoredResponse, error) {
			return access.Change{Writes: part}, nil, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
