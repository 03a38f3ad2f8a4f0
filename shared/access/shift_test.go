package access_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partneraccess/shared/access"
)

// drawLevel is a level, and drawFacts are records of one person that may give it access.
func drawLevel(t *rapid.T, what string) access.Level {
	return rapid.SampledFrom([]access.Level{access.None, access.View, access.Support, access.Manage}).Draw(t, what)
}

func drawPartner(t *rapid.T) *access.Partner {
	return &access.Partner{
		ID: "contoso", Offer: drawLevel(t, "offer"), SSO: rapid.Bool().Draw(t, "sso"),
		Class:  rapid.SampledFrom([]access.Class{access.Channel, access.Channel, access.Other}).Draw(t, "class"),
		Status: rapid.SampledFrom([]access.Status{access.Active, access.Active, access.Suspended, access.Removed}).Draw(t, "partner's status"),
	}
}

func drawUser(t *rapid.T) *access.User {
	u := &access.User{
		ID: "contoso:kim", Partner: "contoso", Number: rapid.Int64Range(1, 3).Draw(t, "number"),
		Email:  rapid.SampledFrom([]string{"kim@contoso.example", "kim@acme.example", "lee@contoso.example"}).Draw(t, "address"),
		Role:   rapid.SampledFrom([]access.Role{access.Tech, access.Owner, access.External}).Draw(t, "role"),
		Status: rapid.SampledFrom([]access.Status{access.Active, access.Active, access.Disabled, access.Removed}).Draw(t, "status"),
	}
	if rapid.IntRange(0, 3).Draw(t, "member") == 0 {
		u.MemberOf = []string{"acme"}
	}
	return u
}

func drawInstant(t *rapid.T, what string) time.Time {
	return start.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, what)) * time.Hour)
}

func drawGrant(t *rapid.T) *access.Grant {
	g := &access.Grant{
		ID: "grt_1", Customer: "acme", Partner: "contoso", Level: drawLevel(t, "level"), From: drawInstant(t, "from"),
		State:      rapid.SampledFrom([]access.State{access.StateOpen, access.StateSuspended, access.StateEnded}).Draw(t, "state"),
		RequireSSO: rapid.Bool().Draw(t, "requires sso"), Domain: rapid.SampledFrom([]string{"", "acme.example"}).Draw(t, "domain"),
		AssignedBy: rapid.SampledFrom([]access.Assigner{access.ByCustomer, access.ByPartner}).Draw(t, "assigner"),
		Everyone:   rapid.Bool().Draw(t, "everyone"), EveryoneUpTo: rapid.Int64Range(0, 3).Draw(t, "up to"),
		Epoch: rapid.Int64Range(1, 2).Draw(t, "epoch"), NotifiedUntil: drawInstant(t, "notified"),
	}
	if rapid.Bool().Draw(t, "ends") {
		g.Until = g.From.Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "length")) * time.Hour)
	}
	if g.State == access.StateEnded {
		g.End = &access.End{Reason: access.RevokedByCustomer, At: start}
	}
	if rapid.Bool().Draw(t, "capped") {
		g.Caps = access.Caps{rapid.SampledFrom([]string{"kim@contoso.example", "lee@contoso.example"}).Draw(t, "who"): drawLevel(t, "cap")}
	}
	return g
}

func drawAssignment(t *rapid.T, g *access.Grant, u *access.User) *access.Assignment {
	a := &access.Assignment{Customer: "acme", Partner: "contoso", User: u.ID, Epoch: access.NoEpoch}
	if rapid.Bool().Draw(t, "has a row") {
		a.Epoch, a.Excluded = rapid.Int64Range(1, g.Epoch).Draw(t, "row's epoch"), rapid.Bool().Draw(t, "excluded")
		a.Number = rapid.SampledFrom([]int64{0, u.Number, u.Number + 1}).Draw(t, "row's number")
		a.By = rapid.SampledFrom([]access.Assigner{access.ByCustomer, access.ByPartner}).Draw(t, "row's assigner")
		if rapid.Bool().Draw(t, "has a level") {
			l := drawLevel(t, "row's level")
			a.Level = &l
		}
	}
	return a
}

func drawFacts(t *rapid.T) access.Facts {
	f := access.Facts{Partner: drawPartner(t), User: drawUser(t), Grant: drawGrant(t)}
	f.Assignment = drawAssignment(t, f.Grant, f.User)
	return f
}

// Whoever has less after a change of one record, whatever the other records are, is named by a loss; likewise who has more by a gain.
func TestEveryLossAndGainHasAShift(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := drawFacts(t)
		after := before
		isNew := rapid.IntRange(0, 4).Draw(t, "is new") == 0
		var got []access.Shift
		switch rapid.IntRange(0, 3).Draw(t, "which record changes") {
		case 0:
			after.Partner = drawPartner(t)
			got = access.PartnerShifts(before.Partner, after.Partner, start)
		case 1:
			if after.User = drawUser(t); isNew {
				before.User = nil
			}
			got = access.UserShifts(before.User, after.User, start)
		case 2:
			if after.Grant = drawGrant(t); isNew {
				before.Grant = nil
			}
			got = access.GrantShifts(before.Grant, after.Grant, start)
		case 3: // a change writes the grant first, and a row that is written has its epoch and the user's number
			after.Assignment = drawAssignment(t, after.Grant, after.User)
			if a := after.Assignment; a.Epoch != access.NoEpoch {
				a.Epoch = after.Grant.Epoch
				if b := before.Assignment; isNew || b.Epoch != a.Epoch || b.Excluded {
					a.Number = after.User.Number
				}
				a.Excluded = a.Excluded && (!after.Grant.Everyone || after.User.Role == access.External)
			} else if after.Grant.Everyone || after.Grant.EveryoneUpTo > 0 { // a row is needed here
				after.Assignment = before.Assignment
			}
			if isNew {
				before.Assignment = nil
			}
			got = access.AssignmentShifts(before.Assignment, after.Assignment, start)
		}
		was, _ := access.EffectiveLevel(before, "acme", start)
		is, _ := access.EffectiveLevel(after, "acme", start)
		has := func(lost bool) bool {
			return slices.ContainsFunc(got, func(s access.Shift) bool {
				return s.Lost == lost && (!lost || s.Ask || s.Level >= is) && concerns(s, "acme", "contoso", after.User.ID)
			})
		}
		if is < was && !has(true) || is > was && !has(false) {
			t.Fatalf("from %s to %s: got %+v", was, is, got)
		}
	})
}

func concerns(s access.Shift, customer, partner, user string) bool {
	fits := func(want, is string) bool { return want == "" || want == is }
	return fits(s.Customer, customer) && fits(s.Partner, partner) && fits(s.User, user)
}

// What each change means, one by one: the table that receivers read in events/README.md.
func TestWhatEachChangeMeansForAccess(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	grant := func(change func(*access.Grant)) *access.Grant {
		g := &access.Grant{
			ID: "grt_1", Customer: "acme", Partner: "contoso", Level: access.Support, State: access.StateOpen, From: hour(-2), Epoch: 1,
			NotifiedUntil: hour(-1), AssignedBy: access.ByCustomer, Count: 1,
		}
		change(g)
		return g
	}
	as := func(*access.Grant) {}
	grants := func(before, after func(*access.Grant)) []access.Shift {
		return access.GrantShifts(grant(before), grant(after), start)
	}
	ended := func(why access.Reason, at time.Time) func(*access.Grant) {
		return func(g *access.Grant) { g.State, g.End = access.StateEnded, &access.End{Reason: why, At: at} }
	}
	partner := func(change func(*access.Partner)) []access.Shift {
		before := access.Partner{ID: "contoso", Status: access.Active, Class: access.Channel, Offer: access.Support, SSO: true}
		after := before
		change(&after)
		return access.PartnerShifts(&before, &after, start)
	}
	user := func(change func(*access.User)) []access.Shift {
		before := access.User{ID: "kim", Partner: "contoso", Email: "kim@contoso.example", Status: access.Active, Role: access.Tech}
		after := before
		change(&after)
		return access.UserShifts(&before, &after, start)
	}
	for name, c := range map[string]struct {
		got  []access.Shift
		want string
	}{
		"granted":              {access.GrantShifts(nil, grant(as), start), "acme/contoso/ gained"},
		"revoked":              {grants(as, ended(access.RevokedByCustomer, start)), "acme/contoso/ lost none ended"},
		"suspended":            {grants(as, func(g *access.Grant) { g.State = access.StateSuspended }), "acme/contoso/ lost none suspended"},
		"resumed":              {grants(func(g *access.Grant) { g.State = access.StateSuspended }, as), "acme/contoso/ gained"},
		"level lowered":        {grants(as, func(g *access.Grant) { g.Level = access.View }), "acme/contoso/ lost view level_too_low"},
		"level raised":         {grants(as, func(g *access.Grant) { g.Level = access.Manage }), "acme/contoso/ gained"},
		"note changed":         {grants(as, func(g *access.Grant) { g.Note = "n" }), ""},
		"single sign-on asked": {grants(as, func(g *access.Grant) { g.RequireSSO = true }), "acme/contoso/ lost? sso_required"},
		"one person capped": {
			grants(as, func(g *access.Grant) { g.Caps = access.Caps{"kim@contoso.example": access.View} }),
			"acme/contoso/ lost? level_too_low",
		},
		"everyone on": {
			grants(as, func(g *access.Grant) { g.Everyone, g.Epoch = true, 2 }),
			"acme/contoso/ lost? user_not_assigned; acme/contoso/ gained",
		},
		"everyone off": {
			grants(func(g *access.Grant) { g.Everyone = true }, func(g *access.Grant) { g.EveryoneUpTo = 9 }),
			"acme/contoso/ lost? user_not_assigned; acme/contoso/ gained",
		},
		"scheduled": {access.GrantShifts(nil, grant(func(g *access.Grant) { g.From = hour(1) }), start), ""},
		"begun by the clock": {
			grants(func(g *access.Grant) { g.From, g.NotifiedUntil = hour(-1), hour(-2) }, func(g *access.Grant) { g.From = hour(-1) }),
			"acme/contoso/ gained at -1h",
		},
		"expired by the clock": {
			grants(func(g *access.Grant) { g.Until = hour(-1) }, func(g *access.Grant) {
				g.Until = hour(-1)
				ended(access.Expired, hour(-1))(g)
			}),
			"acme/contoso/ lost none expired at -1h",
		},
		"granted again after an end that nothing has written down": {
			grants(func(g *access.Grant) { g.Until = hour(-1) }, func(g *access.Grant) { g.ID = "grt_2" }),
			"acme/contoso/ lost none expired at -1h; acme/contoso/ gained",
		},
		"ended since the partner was removed": {grants(as, ended(access.PartnerRemoved, start)), ""},

		"partner suspended":  {partner(func(p *access.Partner) { p.Status = access.Suspended }), "/contoso/ lost none partner_not_active"},
		"partner removed":    {partner(func(p *access.Partner) { p.Status = access.Removed }), "/contoso/ lost none partner_not_active"},
		"partner of a class": {partner(func(p *access.Partner) { p.Class = access.Other }), "/contoso/ lost none partner_not_eligible"},
		"offer lowered":      {partner(func(p *access.Partner) { p.Offer = access.View }), "/contoso/ lost view level_too_low"},
		"single sign-on off": {partner(func(p *access.Partner) { p.SSO = false }), "/contoso/ lost? sso_required"},
		"partner renamed":    {partner(func(p *access.Partner) { p.Name = "n" }), ""},
		"user disabled":      {user(func(u *access.User) { u.Status = access.Disabled }), "/contoso/kim lost none user_not_active"},
		"user removed":       {user(func(u *access.User) { u.Status = access.Removed }), "/contoso/kim lost none unknown_subject"},
		"user is a member": {
			user(func(u *access.User) { u.MemberOf = []string{"acme"} }), "acme/contoso/kim lost none customer_user_conflict",
		},
		"user renamed": {user(func(u *access.User) { u.Name = "n" }), ""},
		"address changed": {
			user(func(u *access.User) { u.Email = "kim@fabrikam.example" }),
			"/contoso/kim lost? user_not_assigned; /contoso/kim gained",
		},
	} {
		var got []string
		for _, s := range c.got {
			line := s.Customer + "/" + s.Partner + "/" + s.User + " "
			switch {
			case s.Lost && s.Ask:
				line += "lost? " + string(s.Reason)
			case s.Lost:
				line += "lost " + s.Level.String() + " " + string(s.Reason)
			default:
				line += "gained"
			}
			if !s.At.Equal(start) {
				line += " at " + strings.TrimSuffix(s.At.Sub(start).String(), "0m0s")
			}
			got = append(got, line)
		}
		if got := strings.Join(got, "; "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
