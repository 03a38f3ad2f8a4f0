package service_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

// oneGrant is a table with one grant, which somebody else may change between two reads.
type oneGrant struct {
	service.Store
	version   int64
	meanwhile func(*oneGrant) // before the change is planned
	committed []access.Change
}

func (g *oneGrant) GrantFacts(context.Context, string, string, []string, bool) (access.GrantFacts, error) {
	return access.GrantFacts{
		Customer: &access.Customer{ID: "acme", Name: "Acme", Status: access.Active, Version: 1},
		Partner:  &access.Partner{ID: "contoso", Name: "Contoso", Status: access.Active, Class: access.Channel, Offer: access.Manage, Version: 1},
		Grant: &access.Grant{
			ID: "grt_1", Customer: "acme", Partner: "contoso", Level: access.View, State: access.StateOpen, Everyone: true, Version: g.version,
		},
	}, nil
}

func (g *oneGrant) Take(ctx context.Context, plan func(context.Context) (access.Change, *access.StoredResponse, error)) error {
	if g.meanwhile != nil {
		g.meanwhile(g)
	}
	c, _, err := plan(ctx)
	if err == nil {
		g.committed = append(g.committed, c)
	}
	return err
}

func TestWhatIsCarriedOutAsPlannedStandsOnTheSameRecords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		meanwhile func(*oneGrant)
		want      access.Code
		changes   int
	}{
		{"nothing happened", nil, "", 1},
		{"another change came between", func(g *oneGrant) { g.version++ }, access.PlanChanged, 0},
	} {
		table := &oneGrant{version: 7}
		s := &service.Service{
			Store: table, Now: func() time.Time { return time.Date(2026, time.June, 1, 10, 0, 0, 0, time.UTC) },
			NewID: func() string { return "01J9Z3NDEKTSV4RRFFQ69G5FAV" },
		}
		who := service.Caller{Actor: access.Actor{Kind: access.ActorCustomer, Email: "ann@acme.example"}, Customer: "acme"}
		on, rehearsal := s.Rehearse()
		if _, err := on.Revoke(t.Context(), who, "acme", "contoso", service.Options[service.Granted]{}); err != nil {
			t.Fatal(err)
		}
		if len(table.committed) != 0 {
			t.Errorf("%s: the rehearsal committed %v", tc.name, table.committed)
		}
		told := []events.Type{}
		for _, c := range rehearsal.Changes {
			for _, e := range c.Events {
				told = append(told, e.Type)
			}
		}
		if !slices.Equal(told, []events.Type{events.GrantRevoked}) {
			t.Errorf("%s: got the events %v, want the revocation", tc.name, told)
		}
		table.meanwhile = tc.meanwhile
		_, err := s.Conform(rehearsal.Changes).Revoke(t.Context(), who, "acme", "contoso", service.Options[service.Granted]{})
		if access.CodeOf(err) != tc.want || len(table.committed) != tc.changes {
			t.Errorf("%s: got %v and %d changes, want %q and %d", tc.name, err, len(table.committed), tc.want, tc.changes)
		}
	}
}
