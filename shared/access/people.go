package access

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Person is one person who can enter one customer's tenant now: a row of the lists that tell who can come in where. Whoever a check allows
// any level of actions is in them, and nobody else.
type Person struct {
	Facts
	Customer *Customer // in a list of customers
	Level    Level     // the effective level, above None
}

// PersonOf returns the row of a person, and false when a check would not let the person in at that instant.
func PersonOf(f Facts, customer string, now time.Time) (Person, bool) {
	d := DecideAccess(f, customer, now)
	return Person{Facts: f, Level: d.Level}, d.Allow
}

// Why is how a person came to have access.
type Why string

// The ways. External people are picked one by one, too.
const (
	WhyPicked   Why = "picked"
	WhyEveryone Why = "everyone" // also after everyone was switched off: who had access then kept it
	WhyExternal Why = "external"
)

// Why returns how the person came to have access.
func (p Person) Why() Why {
	switch {
	case p.User.Role == External:
		return WhyExternal
	case p.Grant.counts(p.User, p.Assignment):
		return WhyPicked
	}
	return WhyEveryone
}

// Since returns from when on the person has had the access without a break, UTC: since the grant began, and the person was assigned, or
// everyone was switched on and the account made. Pauses (of the grant, the partner or the account) are none.
func (p Person) Since() time.Time {
	if p.Grant.counts(p.User, p.Assignment) {
		return later(p.Grant.From, p.Assignment.At)
	}
	return later(p.Grant.From, p.Grant.byNumberSince(p.User))
}

// byNumberSince returns from when on a user without an assignment has belonged to the grant.
func (g *Grant) byNumberSince(u *User) time.Time { return later(g.EveryoneSince, u.Created) }

// Granter returns who assigned the person, or switched everyone on.
func (p Person) Granter() By {
	if p.Grant.counts(p.User, p.Assignment) {
		return p.Assignment.Granter
	}
	return p.Grant.EveryoneBy
}

// LastUsed returns the last day on which the person used the access; "" when none is recorded.
func (p Person) LastUsed() Day { return LastUsed(p.User, p.Assignment) }

// PeopleOrder is by what rows are ordered: within an end by partner, and within all by name.
type PeopleOrder string

// The orders, ascending. Access without an end comes after all ends, and access that was never used before all days.
const (
	OrderName     PeopleOrder = "name" // of the person, or of the customer in a list of customers
	OrderPartner  PeopleOrder = "partner"
	OrderEnd      PeopleOrder = "until"
	OrderLastUsed PeopleOrder = "last_used_on"
)

// PeopleFilter says which rows are wanted, and in which order.
type PeopleFilter struct {
	Query       string    // as NameMatches has it: of the person and its address, or of the customer
	Partner     string    // "" = all
	Levels      []Level   // effective levels; none = all
	EndsBefore  time.Time // only what ends before; zero = no bound
	UnusedSince Day       // only what was last used before that day, or never; "" = no bound
	Order       PeopleOrder
	Descending  bool
	Count       bool // the rows are counted, however many they are
	Now         time.Time
	Past        Past // asks about its instant, which Now is then, too
}

// WantsGrant reports whether the filter may want people of a grant.
func (f PeopleFilter) WantsGrant(g *Grant, p *Partner) bool {
	most := g.EffectiveLevel(p)
	return (f.Partner == "" || g.Partner == f.Partner) &&
		(f.EndsBefore.IsZero() || !g.Until.IsZero() && g.Until.Before(f.EndsBefore)) &&
		(len(f.Levels) == 0 || slices.ContainsFunc(f.Levels, func(l Level) bool { return l <= most }))
}

// Wants reports whether the filter wants the row.
func (f PeopleFilter) Wants(p *Person) bool {
	switch {
	case !f.WantsGrant(p.Grant, p.Partner),
		len(f.Levels) > 0 && !slices.Contains(f.Levels, p.Level),
		f.UnusedSince != "" && p.LastUsed() >= f.UnusedSince:
		return false
	case f.Query == "":
		return true
	case p.Customer != nil:
		return NameMatches(p.Customer.Name, p.Customer.ID, f.Query) || IDBegins(p.Customer.Domain, f.Query)
	}
	return NameMatches(p.User.Name, p.User.Email, f.Query)
}

// Place is where a row stands in the order: by its value, by the partner's name and id, and by SortName. No two rows of a list have the
// same.
type Place [4]string

const (
	placeSeparator = "#" // in no value, id or normal form of a name
	noEnd          = "~" // after all instants
	maxSortName    = 200 // bytes of a name by which rows are sorted; a cursor has room for two
)

// PlaceOf returns the place of a row.
func (f PeopleFilter) PlaceOf(p *Person) Place {
	at := f.PlaceOfGrant(p.Grant, p.Partner)
	if at[3] = SortName(p.User.Name, p.User.ID); p.Customer != nil {
		at[3] = SortName(p.Customer.Name, p.Customer.ID)
	}
	if f.Order == OrderLastUsed {
		at[0] = string(p.LastUsed())
	}
	return at
}

// PlaceOfGrant returns what the places of all people of a grant begin with, except in the order of the last use.
func (f PeopleFilter) PlaceOfGrant(g *Grant, p *Partner) (at Place) {
	if f.Order == OrderEnd {
		at[0] = g.placeOfEnd()
	}
	if f.Order == OrderEnd || f.Order == OrderPartner {
		at[1], at[2] = normalName(p.Name), p.ID
	}
	return at
}

func (g *Grant) placeOfEnd() string {
	if g.Until.IsZero() {
		return noEnd
	}
	return g.Until.UTC().Format("2006-01-02T15:04:05.000Z")
}

// SortName is by what people and organisations are sorted: their name in normal form, and their id.
func SortName(name, id string) string { return normalName(name) + placeSeparator + id }

func normalName(name string) string {
	s := strings.Join(NameWords(name), " ")
	if len(s) > maxSortName {
		for s = s[:maxSortName]; !utf8.ValidString(s); {
			s = s[:len(s)-1]
		}
	}
	return s
}

// Position returns the position in a list after the row at that place.
func (p Place) Position() string { return strings.Join(p[:], placeSeparator) }

// ParsePosition returns the place before a position. It fails with Invalid at ?cursor when it is none.
func ParsePosition(s string) (Place, error) {
	var p Place
	parts := strings.SplitN(s, placeSeparator, len(p))
	if len(parts) != len(p) {
		return p, Refuse(Invalid, "this cursor is none that a list has given: start again without it").At("?cursor")
	}
	copy(p[:], parts)
	return p, nil
}

// Compare returns whether one place comes before another one (-1) or after it (1).
func (f PeopleFilter) Compare(a, b Place) int { return a.compare(b, f.Descending) }

func (p Place) compare(other Place, descending bool) int {
	for i := range p {
		if c := cmp.Compare(p[i], other[i]); c != 0 {
			if descending {
				return -c
			}
			return c
		}
	}
	return 0
}

// PeoplePage is a part of a list of people, with how many rows the whole list has; nil = they were not counted.
type PeoplePage struct {
	Page[Person]
	Total   *int
	Missing []MissingVersions // of the records of the list, when it is of the past
}

// PageOfPeople returns the wanted page of the rows that the filter wants. The position after a page is the place of its last row: a row
// that stays as it is stands in exactly one page, whatever changes between the pages. It fails with Invalid at ?cursor when the position is
// none.
func PageOfPeople(rows []Person, f PeopleFilter, ask PageRequest) (PeoplePage, error) {
	after, err := ParsePosition(ask.After)
	if ask.After != "" && err != nil {
		return PeoplePage{}, err
	}
	wanted := make([]*Person, 0, len(rows))
	for i := range rows {
		if f.Wants(&rows[i]) {
			wanted = append(wanted, &rows[i])
		}
	}
	return PeoplePage{Page: pageBetween(wanted, f.PlaceOf, f.Compare, after, ask), Total: ref(len(wanted))}, nil
}

// pageBetween returns the page of the rows after a place, in the order of their places; without a position, from the first.
func pageBetween[T any](rows []*T, placeOf func(*T) Place, compare func(a, b Place) int, after Place, ask PageRequest) Page[T] {
	type placed struct {
		at  Place
		row *T
	}
	var left []placed
	for _, r := range rows {
		if at := placeOf(r); ask.After == "" || compare(at, after) > 0 {
			left = append(left, placed{at, r})
		}
	}
	slices.SortFunc(left, func(a, b placed) int { return compare(a.at, b.at) })
	page := Page[T]{Items: []T{}}
	for i, r := range left {
		if i == ask.Limit {
			page.Next = left[i-1].at.Position()
			break
		}
		page.Items = append(page.Items, *r.row)
	}
	return page
}
