package access_test

import (
	"fmt"
	"testing"
	"time"

	"partneraccess/shared/access"
)

// The status of a grant and the reason beside it are what a check answers to a user who is in, whatever the state of both sides.
func TestTheStatusOfAGrantIsWhatACheckAnswersToItsUsers(t *testing.T) {
	user := &access.User{
		ID: "contoso:kim", Partner: "contoso", Email: "kim@contoso.example", Role: access.Tech, Status: access.Active,
		Number: 1,
	}
	end := &access.End{Reason: access.RevokedByCustomer, At: start}
	for _, status := range []access.Status{access.Active, access.Suspended, access.Removed} {
		for _, class := range []access.Class{access.Channel, access.Other} {
			for _, sso := range []bool{true, false} {
				p := &access.Partner{ID: "contoso", Class: class, Status: status, SSO: sso, Offer: access.Manage}
				for _, state := range []access.State{access.StateOpen, access.StateSuspended, access.StateEnded} {
					g := &access.Grant{
						ID: "grt_1", Customer: "acme", Partner: "contoso", Level: access.View, State: state, RequireSSO: true, Everyone: true,
						From: start, Until: start.Add(time.Hour),
					}
					if state == access.StateEnded {
						g.End = end
					}
					for _, now := range []time.Time{start.Add(-tick), start, start.Add(time.Hour - tick), start.Add(time.Hour)} {
						name := fmt.Sprint(status, " ", class, " sso ", sso, " ", state, " ", now.Sub(start))
						level, in := access.EffectiveLevel(access.Facts{Partner: p, User: user, Grant: g}, "acme", now)
						d := (&access.Catalogue{}).Decide(access.Facts{Partner: p, User: user, Grant: g}, "acme", "sign_in", now)
						if active := g.Status(p, now) == "active"; active != in || in && level != access.View {
							t.Errorf("%s: got the status %s, while the check lets in: %v", name, g.Status(p, now), in)
						}
						over := g.Status(p, now) == "ended" || g.Status(p, now) == "expired"
						switch denied := g.DenialReason(p, now); {
						case in && denied != "":
							t.Errorf("%s: got the reason %s beside an open access, want none", name, denied)
						case !in && !over && denied != d.Reason:
							t.Errorf("%s: got the reason %s, want that of the check, %s", name, denied, d.Reason)
						case !in && denied == "":
							t.Errorf("%s: got no reason, want one", name)
						}
					}
				}
			}
		}
	}
}

func TestAGrantIsSuspendedWhileItsPartnerKeepsEverybodyOut(t *testing.T) {
	partner := access.Partner{ID: "contoso", Class: access.Channel, Status: access.Active, Offer: access.Manage}
	open := access.Grant{Customer: "acme", Partner: "contoso", Level: access.View, State: access.StateOpen, From: start}
	for _, c := range []struct {
		name   string
		change func(*access.Partner, *access.Grant)
		status string
		reason access.DecisionReason
	}{
		{"nothing is in the way", func(*access.Partner, *access.Grant) {}, "active", ""},
		{
			"the partner is suspended", func(p *access.Partner, _ *access.Grant) { p.Status = access.Suspended }, "suspended",
			access.DeniedPartnerNotActive,
		},
		{
			"the partner is of another class", func(p *access.Partner, _ *access.Grant) { p.Class = access.Other }, "suspended",
			access.DeniedPartnerNotEligible,
		},
		{"single sign-on is required", func(_ *access.Partner, g *access.Grant) { g.RequireSSO = true }, "suspended", access.SSORequired},
		{
			"the customer has suspended it", func(_ *access.Partner, g *access.Grant) { g.State = access.StateSuspended }, "suspended",
			access.DeniedSuspended,
		},
		{"both have", func(p *access.Partner, g *access.Grant) {
			p.Status, g.State = access.Suspended, access.StateSuspended
		}, "suspended", access.DeniedPartnerNotActive},
		{"it has not begun, at a suspended partner", func(p *access.Partner, g *access.Grant) {
			p.Status, g.From = access.Suspended, start.Add(tick)
		}, "suspended", access.DeniedPartnerNotActive},
		{"it has not begun", func(_ *access.Partner, g *access.Grant) { g.From = start.Add(tick) }, "scheduled", access.NotYetActive},
		{"it has expired, at a suspended partner", func(p *access.Partner, g *access.Grant) {
			p.Status, g.Until = access.Suspended, start
		}, "expired", access.DeniedExpired},
		{"the partner is removed", func(p *access.Partner, _ *access.Grant) { p.Status = access.Removed }, "ended", access.DeniedEnded},
		{"the provider offers nothing", func(p *access.Partner, _ *access.Grant) { p.Offer = access.None }, "active", ""},
	} {
		p, g := partner, open
		c.change(&p, &g)
		if got, why := g.Status(&p, start), g.DenialReason(&p, start); string(got) != c.status || why != c.reason {
			t.Errorf("%s: got %s (%s), want %s (%s)", c.name, got, why, c.status, c.reason)
		}
	}
}
