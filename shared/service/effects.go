package service

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"partneraccess/shared/access"
)

// Effect is what a rehearsed change gives one user at one customer, or takes from it.
type Effect struct {
	User     *access.User
	Customer string
	From, To access.Level // effective levels, as a check answers them; None = no access
	At       time.Time    // when the change takes effect, UTC: now, or when the grant's period begins
	Until    time.Time    // when the access ends by itself after the change, UTC; zero = it does not, or there is none
}

// Effects are all effects of a rehearsal, in the order of customers and users. Somebody who gets a higher level for a shorter time gains
// and loses.
type Effects struct {
	Gains, Loses []Effect
	Complete     bool // false: there were more people to look at than maxConcerned; the others are missing
}

// maxConcerned is how many pairs of a user and a customer are looked at.
const maxConcerned = 12_000

// concerned is whom a rehearsal concerns.
type concerned struct {
	everybody map[[2]string]bool            // all users of the grants of a customer and a partner
	single    map[[2]string]map[string]bool // single users of such grants
}

func (c *concerned) add(customer, user string) {
	partner, _, _ := strings.Cut(user, ":")
	pair := [2]string{customer, partner}
	if c.single[pair] == nil {
		c.single[pair] = map[string]bool{}
	}
	c.single[pair][user] = true
}

// Effects compares what a check would answer before and after the rehearsed changes, by the same decision, for everybody whom they concern.
func (r *Rehearsal) Effects(ctx context.Context, now time.Time) (Effects, error) {
	who := concerned{everybody: map[[2]string]bool{}, single: map[[2]string]map[string]bool{}}
	for _, c := range r.Changes {
		for _, w := range c.Writes {
			if err := r.concern(ctx, &who, w); err != nil {
				return Effects{}, err
			}
		}
	}
	for pair := range who.everybody {
		if who.single[pair] == nil {
			who.single[pair] = map[string]bool{}
		}
	}
	out, left := Effects{Complete: true}, maxConcerned
	for _, pair := range slices.SortedFunc(maps.Keys(who.single), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		users := who.single[pair]
		if who.everybody[pair] {
			if err := r.usersOf(ctx, pair, users, left); err != nil {
				return out, err
			}
		}
		if len(users) > left {
			out.Complete = false
		}
		ids := slices.Sorted(maps.Keys(users))
		ids = ids[:min(len(ids), left)]
		left -= len(ids)
		for part := range slices.Chunk(ids, 100) {
			if err := r.compare(ctx, &out, pair, part, now); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// concern finds whom one write concerns.
func (r *Rehearsal) concern(ctx context.Context, who *concerned, w access.Write) error {
	switch w := w.(type) {
	case access.GrantWrite:
		if !w.Before.SameTerms(w.After) {
			who.everybody[[2]string{w.After.Customer, w.After.Partner}] = true
		}
	case access.AssignmentWrite:
		a := cmp.Or(w.After, w.Before)
		who.add(a.Customer, a.User)
	case access.UserWrite:
		for _, u := range []*access.User{w.Before, w.After} { // another person under the id is in by other grants
			if u == nil {
				continue
			}
			err := stretches(func(after string) (string, error) {
				customers, next, err := r.CustomersConcerned(ctx, u, true, after)
				for _, c := range customers {
					who.add(c, u.ID)
				}
				return next, err
			})
			if err != nil {
				return err
			}
		}
	case access.PartnerWrite:
		before, after := w.Before, w.After
		if before == nil || before.Status == after.Status && before.Class == after.Class && before.Offer == after.Offer &&
			before.SSO == after.SSO {
			return nil
		}
		return stretches(func(position string) (string, error) {
			customers, more, err := r.CustomersOf(ctx, after.ID, position, 100)
			for _, c := range customers {
				who.everybody[[2]string{c, after.ID}] = true
			}
			return last(customers, more), err
		})
	case access.CustomerWrite:
		if w.Before == nil || w.Before.Status == w.After.Status {
			return nil
		}
		return stretches(func(position string) (string, error) {
			partners, more, err := r.PartnersOf(ctx, w.After.ID, position, 100)
			for _, p := range partners {
				who.everybody[[2]string{w.After.ID, p}] = true
			}
			return last(partners, more), err
		})
	}
	return nil
}

// stretches reads stretch after stretch. The reader returns where the next one begins; "" at the end.
func stretches(read func(after string) (next string, err error)) error {
	for after := ""; ; {
		next, err := read(after)
		if err != nil || next == "" {
			return err
		}
		after = next
	}
}

// last is where the stretch after these ids begins; "" when there is none.
func last(ids []string, more bool) string {
	if !more || len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}

// usersOf adds the users of a grant, before and after the changes; a few more than the limit at most.
func (r *Rehearsal) usersOf(ctx context.Context, pair [2]string, users map[string]bool, limit int) error {
	before, err := r.Store.Concerned(ctx, pair[0], pair[1], nil)
	if err != nil {
		return err
	}
	after := r.overlaid(before, pair[0], pair[1], nil)
	for _, g := range []*access.Grant{before.Grant, after.Grant} {
		if g == nil {
			continue
		}
		err := stretches(func(position string) (string, error) {
			page, err := r.GrantUsers(ctx, g, access.PageRequest{Limit: 100, After: position})
			for _, u := range page.Items {
				users[u.User.ID] = true
			}
			if len(users) > limit {
				return "", err
			}
			return page.Next, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// compare decides about users before and after the changes.
func (r *Rehearsal) compare(ctx context.Context, out *Effects, pair [2]string, users []string, now time.Time) error {
	before, err := r.Store.Concerned(ctx, pair[0], pair[1], users)
	if err != nil {
		return err
	}
	after := r.overlaid(before, pair[0], pair[1], users)
	at := now
	if g := cmp.Or(after.Grant, before.Grant); g != nil && g.From.After(now) {
		at = g.From
	}
	decide := func(f access.GrantFacts, user string) access.Decision {
		return access.DecideAccess(access.Facts{
			Partner: f.Partner, User: f.Users[user], Grant: f.Grant, Assignment: f.Assignments[user],
		}, pair[0], at)
	}
	for _, id := range users {
		was, is := decide(before, id), decide(after, id)
		user := cmp.Or(after.Users[id], before.Users[id])
		if user == nil || !was.Allow && !is.Allow {
			continue
		}
		e := Effect{User: user, Customer: pair[0], From: was.Level, To: is.Level, At: at, Until: is.Until}
		if !is.Allow {
			e.Until = time.Time{}
		}
		both := was.Allow && is.Allow
		if is.Level > was.Level || both && later(is.Until, was.Until) {
			out.Gains = append(out.Gains, e)
		}
		if is.Level < was.Level || both && later(was.Until, is.Until) {
			out.Loses = append(out.Loses, e)
		}
	}
	return nil
}

// later compares ends of access; zero is none.
func later(a, b time.Time) bool { return !b.IsZero() && (a.IsZero() || a.After(b)) }
