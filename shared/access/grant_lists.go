package access

import (
	"fmt"
	"slices"
	"time"
)

// GrantOrder is by what grants are ordered; within it by the name of the other side.
type GrantOrder string

// The orders, ascending. A grant without an end comes after all ends.
const (
	GrantsByID    GrantOrder = "" // of the other side
	GrantsByName  GrantOrder = "name"
	GrantsByEnd   GrantOrder = "until"
	GrantsByUsers GrantOrder = "users"
)

// GrantFilter says which grants of a list are wanted, and in which order.
type GrantFilter struct {
	Query          string    // each word begins a word of the other side's name, or the whole begins its id or domain
	Statuses       []string  // none = all that have not ended
	Levels         []Level   // effective levels; none = all
	Everyone       *bool     // nil = all
	EndsBefore     time.Time // only what ends before; zero = no bound
	ChangedSince   time.Time // only what was changed then or later; zero = no bound
	Now            time.Time
	Past           Past   // asks about its instant, which Now is then, too
	Viewer         string // a user: its access is looked up, too
	OnlyAccessible bool   // only what that user can enter

	Order      GrantOrder
	Descending bool
	// MustSort: a list that is too long for the order is refused. Otherwise it comes by id.
	MustSort bool
}

// WantsGrant reports whether the filter may want the grant, as far as that does not depend on other records.
func (f GrantFilter) WantsGrant(g *Grant) bool {
	return (f.Everyone == nil || g.Everyone == *f.Everyone) &&
		(f.EndsBefore.IsZero() || !g.Until.IsZero() && g.Until.Before(f.EndsBefore)) &&
		!g.Updated.Before(f.ChangedSince) &&
		(len(f.Levels) == 0 || slices.ContainsFunc(f.Levels, func(l Level) bool { return l <= g.Level }))
}

// Wants reports whether the filter wants the row, whatever the other side's name is.
func (f GrantFilter) Wants(r *GrantRow) bool {
	if !f.WantsGrant(r.Grant) || len(f.Levels) > 0 && !slices.Contains(f.Levels, r.Grant.EffectiveLevel(r.Partner)) {
		return false
	}
	status := r.Grant.Status(r.Partner, f.Now)
	if len(f.Statuses) == 0 {
		return status != StatusEnded && status != StatusExpired
	}
	return slices.Contains(f.Statuses, string(status))
}

// Narrows reports whether the filter leaves out grants without regard to other records.
func (f GrantFilter) Narrows() bool {
	return f.Everyone != nil || !f.EndsBefore.IsZero() || !f.ChangedSince.IsZero() || len(f.Levels) > 0
}

// GrantPage is a part of a list of grants, with how many rows the whole list has; nil = they were not counted.
type GrantPage struct {
	Page[GrantRow]
	Total   *int
	Missing []MissingVersions // of the records of the list, when it is of the past
}

// PageOfGrants returns the wanted page of the rows, which the filter wants; name is the SortName of the other side. A row that stays as it
// is stands in exactly one page. It fails with Invalid at ?cursor when the position is none.
func PageOfGrants(rows []*GrantRow, f GrantFilter, name func(*GrantRow) string, ask PageRequest) (GrantPage, error) {
	after, err := ParsePosition(ask.After)
	if ask.After != "" && err != nil {
		return GrantPage{}, err
	}
	placeOf := func(r *GrantRow) Place {
		at := Place{3: name(r)}
		switch f.Order {
		case GrantsByEnd:
			at[0] = r.Grant.placeOfEnd()
		case GrantsByUsers:
			at[0] = fmt.Sprintf("%012d", r.Grant.UserCount(r.Headcount))
		case GrantsByID, GrantsByName:
		}
		return at
	}
	compare := func(a, b Place) int { return a.compare(b, f.Descending) }
	return GrantPage{Page: pageBetween(rows, placeOf, compare, after, ask), Total: ref(len(rows))}, nil
}
