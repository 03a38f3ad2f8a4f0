package access

import (
	"slices"
	"sort"

	"partneraccess/events"
)

// PartnerCommand creates or edits a partner, on behalf of the provider, or of its owner in the account settings. Nil fields were not
// given; on a new partner they take their defaults.
type PartnerCommand struct {
	Seen     int64 // AnyVersion when the caller did not say
	Name     *string
	Class    *Class  // default: channel
	Offer    *Level  // default: support (W7)
	SSO      *bool   // default: not enabled
	Status   *Status // active or suspended; default: active
	Parent   *string // "" = none
	Contacts *[]string
	Domains  *[]string // sorted, each once

	OwnerSetsSSO *bool // default: the provider alone sets SSO
}

// OnlyStatus reports whether the command suspends or resumes the partner and does nothing else: such a command needs no version.
func (c PartnerCommand) OnlyStatus() bool {
	return c.Status != nil && c.Name == nil && c.Class == nil && c.Offer == nil && c.SSO == nil && c.Parent == nil && c.Contacts == nil &&
		c.Domains == nil && c.OwnerSetsSSO == nil
}

// OnlySuspends reports whether the command suspends the partner and does nothing else.
func (c PartnerCommand) OnlySuspends() bool { return c.OnlyStatus() && *c.Status == Suspended }

// MaxParents is how many partners are above one at most (W3).
const MaxParents = 10

// PlanPartner plans that a partner is created (before is nil) or edited. Above are the new parent, its parent, and so on, at most one more
// than MaxParents. Registry holds the records of the partner's domains, of those that it gets, and of those above them: a domain that
// belongs to somebody else is refused with DomainTaken. A change that only narrows access (a lower offer, suspension, single sign-on off)
// is never refused for a stale version.
func PlanPartner(id string, before *Partner, above []*Partner, registry Domains, cmd PartnerCommand, pc PlanContext) (Change, *Partner,
	error,
) {
	if before != nil && before.Status == Removed {
		return Change{}, nil, Refuse(Ended, "partner %s was removed, and its id is never used again: choose another one", id)
	}
	p := Partner{ID: id, Class: Channel, Offer: Support, Status: Active, Created: pc.Now}
	if before != nil {
		p = *before
	} else if cmd.Name == nil {
		return Change{}, nil, Refuse(Invalid, "a new partner needs a name").At("/name")
	}
	if err := maySetSSO(before, cmd, pc.Actor); err != nil {
		return Change{}, nil, err
	}
	fields, widened, err := cmd.apply(&p, above)
	if err != nil {
		return Change{}, nil, err
	}
	widened = widened || before == nil
	var registered []Write
	if cmd.Domains != nil && !slices.Equal(p.Domains, *cmd.Domains) {
		if registered, err = registry.confirm(id, p.Domains, *cmd.Domains); err != nil {
			return Change{}, nil, err
		}
		p.Domains = *cmd.Domains
		fields, widened = append(fields, "domains"), true
	}
	if before != nil && len(fields) == 0 {
		return Change{}, before, nil
	}
	if before != nil && widened && cmd.Seen != AnyVersion && cmd.Seen != before.Version {
		return Change{}, nil, versionMismatch("partner", cmd.Seen, before.Version)
	}
	kind := partnerEventType(before, &p)
	p.Updated = pc.Now
	p.Version++
	sort.Strings(fields)
	c := Change{Writes: append([]Write{PartnerWrite{Before: before, After: &p}}, registered...), Narrows: !widened}
	if before == nil {
		c.Writes = append(c.Writes, HeadcountWrite{After: &Headcount{Partner: id, Version: 1}})
		fields = nil
	}
	if before != nil && p.Name != before.Name {
		c.Writes = append(c.Writes, pc.renamed("", id))
	}
	switch kind {
	case events.PartnerSuspended:
		c.Writes = append(c.Writes, pc.task(TaskPartnerSuspended, id, ""))
	case events.PartnerResumed:
		c.Writes = append(c.Writes, pc.task(TaskPartnerResumed, id, ""))
	}
	if checkEligible(before) == nil && checkEligible(&p) != nil {
		c.Writes = append(c.Writes, pc.task(TaskInvitations, id, ""))
	}
	d := events.Data{Version: p.Version, Fields: fields, Level: p.Offer.String(), Changes: partnerAlterations(before, &p)}
	c.Events = []events.Event{pc.event(kind, nil, &p, d)}
	return c, &p, nil
}

// apply sets what the command says on the partner, but for its domains. It returns the names of the API's fields that changed, and whether
// a change widens access. It refuses a name of too many words and a parent that cannot be one.
func (c PartnerCommand) apply(p *Partner, above []*Partner) (fields []string, widened bool, err error) {
	record := func(field string, changed, widens bool) {
		if changed {
			fields = append(fields, field)
			widened = widened || widens
		}
	}
	if c.Name != nil && *c.Name != p.Name {
		if len(DistinctNameWords(*c.Name)) > MaxNameWords {
			return nil, false, Refuse(Invalid,
				"the name of a partner has at most %d different words, so that it is found by each of them", MaxNameWords).At("/name")
		}
		record("name", assign(&p.Name, *c.Name), true)
	}
	if c.Class != nil {
		record("class", assign(&p.Class, *c.Class), *c.Class == Channel)
	}
	if c.Offer != nil {
		higher := *c.Offer > p.Offer
		record("offer", assign(&p.Offer, *c.Offer), higher)
	}
	if c.SSO != nil {
		record("sso", assign(&p.SSO, *c.SSO), *c.SSO)
	}
	if c.OwnerSetsSSO != nil {
		record("owner_sets_sso", assign(&p.OwnerSetsSSO, *c.OwnerSetsSSO), *c.OwnerSetsSSO)
	}
	if c.Status != nil {
		record("status", assign(&p.Status, *c.Status), *c.Status == Active)
	}
	if c.Parent != nil && *c.Parent != p.Parent {
		if *c.Parent != "" {
			if err := checkParent(p.ID, *c.Parent, above); err != nil {
				return nil, false, err
			}
		}
		record("parent", assign(&p.Parent, *c.Parent), true)
	}
	if c.Contacts != nil && !slices.Equal(p.Contacts, *c.Contacts) {
		p.Contacts = *c.Contacts
		record("contacts", true, true)
	}
	return fields, widened, nil
}

// partnerEventType returns the event of a change of a partner; before is nil for a new one.
func partnerEventType(before, after *Partner) events.Type {
	switch {
	case before == nil:
		return events.PartnerCreated
	case before.Status != after.Status && after.Status == Suspended:
		return events.PartnerSuspended
	case before.Status != after.Status:
		return events.PartnerResumed
	}
	return events.PartnerEdited
}

// maySetSSO refuses to let a partner's owner set single sign-on, unless the provider allows it. Only the provider gives that permission.
// That the person is the owner is decided before.
func maySetSSO(before *Partner, cmd PartnerCommand, a Actor) error {
	switch {
	case a.Kind == "provider":
		return nil
	case cmd.OwnerSetsSSO != nil:
		return Refuse(Forbidden, "only the provider allows a partner's owner to set single sign-on").At("/owner_sets_sso")
	case cmd.SSO != nil && (before == nil || !before.OwnerSetsSSO):
		return Refuse(Forbidden, "the provider sets whether your organisation has single sign-on: ask the provider").At("/sso")
	}
	return nil
}

// checkParent refuses a parent that does not exist, and one that would make a cycle or too many levels (W3). Two concurrent moves can
// still make a cycle, which has no effect on access: nothing is inherited along the tree (W12).
func checkParent(id, parent string, above []*Partner) error {
	if len(above) == 0 || above[0].Status == Removed || above[0].ID == id {
		return Refuse(Invalid, "there is no other partner %q that could be the parent", parent).At("/parent")
	}
	for _, p := range above {
		if p.ID == id {
			return Refuse(Invalid, "partner %q is below %q already: move it away first", parent, id).At("/parent")
		}
	}
	if len(above) > MaxParents {
		return Refuse(Invalid, "partner %q has %d partners above it already, and more are not possible", parent, MaxParents).At("/parent")
	}
	return nil
}

// PlanRemovePartner plans the removal of a partner: at once none of its users has access anywhere (D5, D23). The accounts stay (D25), and
// its domains are free. Registry holds the records of its domains.
func PlanRemovePartner(before *Partner, registry Domains, pc PlanContext) (Change, error) {
	if before == nil || before.Status == Removed {
		return Change{}, notFound("partner")
	}
	p := *before
	p.Status, p.Domains, p.Updated = Removed, nil, pc.Now
	p.Version++
	freed, err := registry.confirm(p.ID, before.Domains, nil)
	if err != nil {
		return Change{}, err
	}
	return Change{
		Writes: append(
			[]Write{PartnerWrite{Before: before, After: &p}, pc.task(TaskPartnerRemoved, p.ID, ""), pc.task(TaskInvitations, p.ID, "")}, freed...),
		Events: []events.Event{pc.event(events.PartnerRemoved, nil, &p, events.Data{Version: p.Version})},
	}, nil
}
