package peer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
)

// What both sides hold: 100,000 grants, ten at each customer, and who of a partner's two users is in each. All follows from the numbers, so
// that the right answer to every question can be told without asking anybody.
const (
	peerCustomers = 10_000
	grantsEach    = 10
	peerPartners  = 1_000
)

// peerGrant is a customer's grant to a partner.
type peerGrant struct {
	customer, partner int
	level             access.Level
	from, until       time.Time
	second            bool // the partner's second user is in, too; its first one always is
}

// grantOf is the j-th grant of a customer: of ten, one has ended, one has not begun, and eight are open.
func grantOf(customer, j int, now time.Time) peerGrant {
	const day = 24 * time.Hour
	g := peerGrant{
		customer: customer, partner: (customer + 97*j) % peerPartners, level: access.View + access.Level((customer+j)%3),
		from: now.Add(-90 * day), until: now.Add(90 * day), second: (customer+j)%3 == 0,
	}
	switch (3*customer + j) % 10 {
	case 0:
		g.until = now.Add(-day)
	case 1:
		g.from = now.Add(day)
	}
	return g
}

func partnerIsActive(partner int) bool { return partner%20 != 19 }

// userIsActive tells it of a partner's first and second user.
func userIsActive(partner, user int) bool { return user == 0 || partner%20 != 7 }

func peerPartnerID(partner int) string { return fmt.Sprintf("p%06d", partner) }

func userID(partner, user int) string {
	return fmt.Sprintf("%s:01JD8Z6Q7YB5V3K2N4M6%06d", peerPartnerID(partner), 2*partner+user)
}

// question is one check, and its answer.
type question struct {
	customer, partner, user int
	level                   access.Level // what the action takes
	allow                   bool
}

// action is one that this level gives and no lower one does.
func (q question) action() string {
	return map[access.Level]string{access.View: "dashboard:read", access.Support: "reports:read", access.Manage: "settings:write"}[q.level]
}

// nextQuestion is one of the mix: of 100, 75 are about a user who is in, 15 about a colleague who is in a third of the grants, 7 about a
// partner that the customer has granted access nothing, and 3 about a user who does not exist. Some of all these meet a period, a partner
// or an account that is over, or a level too low.
func nextQuestion(random *rand.Rand, now time.Time) question {
	g := grantOf(random.IntN(peerCustomers), random.IntN(grantsEach), now)
	q := question{customer: g.customer, partner: g.partner}
	switch n := random.IntN(100); {
	case n < 60:
		q.level = access.View
	case n < 90:
		q.level = access.Support
	default:
		q.level = access.Manage
	}
	in := false
	switch n := random.IntN(100); {
	case n < 75:
		in = true
	case n < 90:
		q.user, in = 1, g.second
	case n < 97:
		q.partner = (g.partner + 1) % peerPartners // no two partners of a customer are neighbours
	default:
		q.user = 2
	}
	open := !now.Before(g.from) && now.Before(g.until)
	q.allow = in && open && g.level >= q.level && partnerIsActive(q.partner) && userIsActive(q.partner, q.user)
	return q
}

// peerItems are the items of our table, in DynamoDB's JSON, those of a customer after the others.
func peerItems(now time.Time) (directory []string, ofCustomer func(customer int) []string) {
	for p := range peerPartners {
		text := strings.ReplaceAll(fixture.PartnerJSON, "contoso", peerPartnerID(p))
		if !partnerIsActive(p) {
			text = replaced(text, `"status":{"S":"active"}`, `"status":{"S":"disabled"}`)
		}
		directory = append(directory, text)
		for u := range 2 {
			text := userItem(fixture.UserJSON, p, u)
			if !userIsActive(p, u) {
				text = replaced(text, `"status":{"S":"active"}`, `"status":{"S":"disabled"}`)
			}
			directory = append(directory, text)
		}
	}
	return directory, func(customer int) []string {
		var out []string
		for j := range grantsEach {
			g := grantOf(customer, j, now)
			text := strings.NewReplacer("acme", fixture.CustomerID(customer), "contoso", peerPartnerID(g.partner)).Replace(fixture.GrantJSON)
			text = replaced(text, `"level":{"S":"support"}`, fmt.Sprintf(`"level":{"S":"%s"}`, g.level))
			text = replaced(text, `"from":{"S":"2026-10-01T08:00:00.000Z"}`, fmt.Sprintf(`"from":{"S":"%s"}`, stored(g.from)))
			text = replaced(text, `"until":{"S":"2027-03-01T00:00:00.000Z"}`, fmt.Sprintf(`"until":{"S":"%s"}`, stored(g.until)))
			out = append(out, text)
			for u := range 2 {
				if u == 0 || g.second {
					out = append(out, strings.ReplaceAll(userItem(fixture.AssignmentJSON, g.partner, u), "acme", fixture.CustomerID(customer)))
				}
			}
		}
		return out
	}
}

func userItem(text string, partner, user int) string {
	text = strings.ReplaceAll(text, "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1", userID(partner, user))
	return strings.ReplaceAll(text, "contoso", peerPartnerID(partner))
}

func stored(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// replaced panics when there is nothing to replace: the item would not be what it is held to be.
func replaced(text, from, to string) string {
	if strings.Count(text, from) != 1 {
		panic(fmt.Sprintf("%s is not in %s once", from, text))
	}
	return strings.Replace(text, from, to, 1)
}
