package access

import "strings"

// Listing is by which names a customer and a partner stand in each other's lists of grants, so that a list of any length is read in their
// order. Each pair has one, from its first grant on. Names that have changed reach it by a task.
type Listing struct {
	Customer, CustomerName string // the name as SortName has it
	Partner, PartnerName   string
}

// NewListing is by which names the two are listed now.
func NewListing(c *Customer, p *Partner) *Listing {
	return &Listing{c.ID, SortName(c.Name, c.ID), p.ID, SortName(p.Name, p.ID)}
}

// SortedID returns the id in what SortName returns.
func SortedID(sortName string) string {
	return sortName[strings.LastIndex(sortName, placeSeparator)+1:]
}

// PlanListing plans that a listing has the names of now. The facts are those of its pair.
func PlanListing(found *Listing, r GrantFacts) Change {
	if found == nil || r.Customer == nil || r.Partner == nil {
		return Change{}
	}
	after := NewListing(r.Customer, r.Partner)
	if *after == *found {
		return Change{}
	}
	return Change{Writes: []Write{ListingWrite{Before: found, After: after}}}
}

// renamed leaves a task that brings a new name into the listings of a customer, or of a partner: the other is "".
func (pc PlanContext) renamed(customer, partner string) Write {
	t := pc.task(TaskRenamed, partner, "")
	t.After.Customer = customer
	return t
}
