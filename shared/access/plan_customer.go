package access

import (
	"slices"
	"sort"

	"partneraccess/events"
)

// CustomerCommand registers or edits a customer. Nil fields were not given.
type CustomerCommand struct {
	Seen     int64
	Name     *string
	Domain   *string
	Contacts *[]string
}

// PlanCustomer plans that a customer is registered (D6) or edited. Registry holds the records of the domain that it has, of the one that it
// gets, and of those above them: one that is a partner's is refused with DomainTaken. A domain that was set before there was a registry is
// entered by any edit.
func PlanCustomer(id string, before *Customer, registry Domains, cmd CustomerCommand, pc PlanContext) (Change, *Customer, error) {
	if before != nil && before.Status == Removed {
		return Change{}, nil, Refuse(Ended, "customer %s was removed, and its id is never used again: choose another one", id)
	}
	c := Customer{ID: id, Status: Active, Created: pc.Now}
	if before != nil {
		c = *before
	} else if cmd.Name == nil {
		return Change{}, nil, Refuse(Invalid, "a new customer needs a name").At("/name")
	}
	var fields []string
	if cmd.Name != nil && assign(&c.Name, *cmd.Name) {
		fields = append(fields, "name")
	}
	if cmd.Domain != nil && assign(&c.Domain, *cmd.Domain) {
		fields = append(fields, "domain")
	}
	if cmd.Contacts != nil && !slices.Equal(c.Contacts, *cmd.Contacts) {
		c.Contacts = *cmd.Contacts
		fields = append(fields, "contacts")
	}
	var was string
	if before != nil {
		was = before.Domain
	}
	registered, err := registry.register(id, was, c.Domain)
	if err != nil {
		return Change{}, nil, err
	}
	kind := events.CustomerEdited
	switch {
	case before == nil:
		kind, fields = events.CustomerCreated, nil
	case len(fields) == 0:
		return Change{Writes: registered}, before, nil
	case cmd.Seen != AnyVersion && cmd.Seen != before.Version:
		return Change{}, nil, versionMismatch("customer", cmd.Seen, before.Version)
	}
	c.Updated = pc.Now
	c.Version++
	sort.Strings(fields)
	out := Change{
		Writes: append([]Write{CustomerWrite{Before: before, After: &c}}, registered...),
		Events: []events.Event{pc.event(kind, &c, nil, events.Data{
			Version: c.Version, Fields: fields, Changes: customerAlterations(before, &c),
		})},
	}
	if before != nil && c.Domain != before.Domain {
		out.Writes = append(out.Writes, pc.rulesTask(c.ID))
	}
	if before != nil && c.Name != before.Name {
		out.Writes = append(out.Writes, pc.renamed(c.ID, ""))
	}
	return out, &c, nil
}

// PlanRemoveCustomer plans the removal of a customer, once all its grants have ended: the caller ends them first, and none can be
// opened between, because every opening writes the customer. Registry holds the record of its domain, which is free then.
func PlanRemoveCustomer(before *Customer, grants []*Grant, registry Domains, pc PlanContext) (Change, error) {
	if before == nil || before.Status == Removed {
		return Change{}, notFound("customer")
	}
	for _, g := range grants {
		if g.State != StateEnded {
			return Change{}, Refuse(Contention, "partner %s was granted access meanwhile: try again", g.Partner)
		}
	}
	c := *before
	c.Status, c.ManagedBy, c.Updated = Removed, "", pc.Now
	c.Version++
	freed, err := registry.register(c.ID, c.Domain, "")
	if err != nil {
		return Change{}, err
	}
	return Change{
		Writes: append(append([]Write{CustomerWrite{Before: before, After: &c}}, pc.reviewInvitations(before, "")...), freed...),
		Events: []events.Event{pc.event(events.CustomerRemoved, &c, nil, events.Data{Version: c.Version})},
	}, nil
}

// PlanEndForRemovedCustomer plans the end of one grant of a customer that is being removed, managed or not.
func PlanEndForRemovedCustomer(r GrantFacts, pc PlanContext) (GrantChange, error) {
	return planEnd(r, CustomerRemoved, pc)
}
