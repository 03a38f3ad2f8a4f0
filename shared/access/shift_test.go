package access_test

import (
	"slices"
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
