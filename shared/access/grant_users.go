package access

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// changeUsers plans which users belong to the grant. setPointer and addPointer are the places of the set and of the added users in the
// request's body. It refuses to remove the last user (E9).
func (p *grantPlan) changeUsers(everyone *bool, set *[]string, add, remove []string, setPointer, addPointer string) error {
	before := p.userCount()
	if everyone != nil {
		p.switchEveryone(*everyone)
	}
	if set != nil {
		var users []*User
		for i, id := range *set {
			u, err := p.assignableUser(id)
			if err != nil {
				return err.At(setPointer + "/" + strconv.Itoa(i))
			}
			users = append(users, u)
		}
		if err := p.replaceUsers(users); err != nil {
			return err
		}
	}
	for i, id := range add {
		u, err := p.assignableUser(id)
		if err != nil {
			return err.At(addPointer + "/" + strconv.Itoa(i))
		}
		p.add(u, nil)
	}
	for _, id := range remove {
		if u := p.facts.Users[id]; u != nil && u.Partner == p.grant.Partner {
			if err := p.remove(u); err != nil {
				return err
			}
		}
	}
	// A user who has just been removed may be counted still: an empty set names nobody all the same.
	nobody := p.userCount() == 0 || set != nil && len(*set)+len(add) == 0
	if before > 0 && nobody && !p.grant.Everyone {
		return Refuse(LastUser, "at least one user keeps access: add another user first, or revoke the grant") // E9
	}
	return nil
}

// assignableUser returns the user when it may be assigned. A user who belongs to the grant already may stay whatever its status is.
func (p *grantPlan) assignableUser(id string) (*User, *Error) {
	u := p.facts.Users[id]
	if partner, _, _ := strings.Cut(id, ":"); partner != p.grant.Partner || u == nil || u.Status == Removed {
		return nil, Refuse(UserNotOfPartner, "%q is no user of partner %s: choose from that partner's users", id, p.grant.Partner) // A6
	}
	if p.grant.Admits(u, p.row(id)) {
		return u, nil
	}
	if u.Status != Active {
		return nil, Refuse(UserNotActive, "this person's account is not active: it has to be active first") // D8
	}
	return u, rejectOwnPeople(p.facts.Customer, u)
}

// rejectOwnPeople refuses a user who is a member of the customer (A7) or has an address in its domain (D7).
func rejectOwnPeople(c *Customer, u *User) *Error {
	if slices.Contains(u.MemberOf, c.ID) {
		return Refuse(CustomerUserConflict, "this person is a member of this customer, and a member cannot also be a partner's user") // A7
	}
	if InDomain(u.Email, c.Domain) {
		return Refuse(OwnOrganisation, "this person has an address of the customer's own organisation: partners are outside organisations") // D7
	}
	return nil
}

func (p *grantPlan) userCount() int { return p.grant.UserCount(p.facts.Headcount) }

// row returns the user's assignment as planned so far; nil when there is none that counts.
func (p *grantPlan) row(user string) *Assignment {
	a, planned := p.rows[user]
	if !planned {
		a = p.facts.Assignments[user]
	}
	if a == nil || a.Epoch != p.grant.Epoch {
		return nil
	}
	return a
}

func (p *grantPlan) writeRow(u *User, out bool, level *Level) {
	by := ByCustomer
	if p.pc.Actor.Kind == ActorPartner {
		by = ByPartner
	}
	p.rows[u.ID] = &Assignment{
		Customer: p.grant.Customer, Partner: p.grant.Partner, User: u.ID, Epoch: p.grant.Epoch, Excluded: out, Level: level, By: by,
		Number: u.Number, At: p.pc.Now, Granter: p.pc.Actor.by(),
	}
}

// keepRow writes the user's row again, for the same person, with the same level, and with who assigned it and when.
func (p *grantPlan) keepRow(u *User, row *Assignment) {
	p.writeRow(u, false, nil)
	n := p.rows[u.ID]
	if row == nil { // the user has access by its number
		n.At, n.Granter = p.grant.byNumberSince(u), p.grant.EveryoneBy
		return
	}
	n.Level, n.By, n.Number, n.At, n.Granter = row.Level, row.By, row.Number, row.At, row.Granter
}

// add assigns a user, with a level of its own when one is given (D15).
func (p *grantPlan) add(u *User, level *Level) {
	row := p.row(u.ID)
	if p.grant.Admits(u, row) {
		if level == nil || row != nil && row.Level != nil && *row.Level == *level {
			return
		}
		had := p.grant.levelOf(u, row) // what the user could have had until now
		p.keepRow(u, row)
		p.rows[u.ID].Level = level
		p.changed[u.ID] = had
		p.recordChange("level", p.grant.levelOf(u, p.row(u.ID)) > had)
		return
	}
	if row == nil || row.Excluded { // a stale one is counted still
		p.grant.Count++
	}
	p.writeRow(u, false, level)
	p.added = append(p.added, u.ID)
	p.recordChange("users", true)
}

// addInvited assigns the person who accepted an invitation, and opens the grant if there is none. In an open grant the level of the
// customer's invitation becomes the person's cap, unless a lower one is there; the level of the partner's invitation is the assignment's
// own, at most the partner's present level.
func (p *grantPlan) addInvited(u *User, i *Invitation, sso bool) error {
	if p.grant == nil || p.grant.EndAt(p.facts.Partner, p.pc.Now) != nil {
		p.open(i.Level, p.pc.Now, i.Until)
		p.grant.RequireSSO = sso
		p.add(u, nil)
		return nil
	}
	if i.By.Kind == ActorPartner {
		level := Lowest(i.Level, p.grant.EffectiveLevel(p.facts.Partner))
		p.add(u, &level)
		return nil
	}
	p.add(u, nil)
	p.copyRules()
	most := i.Level
	if is, capped := p.grant.Caps.Of(u); capped {
		most = Lowest(most, is)
	}
	return p.setCap(u.Email, &most)
}

// remove removes a user; nothing changes when the user does not belong to the grant. It is refused while everyone is on.
func (p *grantPlan) remove(u *User) error {
	if p.grant.Everyone && u.Role != External {
		return Refuse(EveryoneIsOn, "everyone of the partner has access: switch everyone off first, then remove single users") // E10, E14
	}
	if !p.grant.Admits(u, p.row(u.ID)) {
		return nil
	}
	p.exclude(u)
	return nil
}

func (p *grantPlan) exclude(u *User) {
	p.writeRow(u, true, nil)
	p.grant.Count--
	p.removed = append(p.removed, u.ID)
	p.recordChange("users", false)
}

// replaceUsers makes the given users the only ones who belong to the grant (D27).
func (p *grantPlan) replaceUsers(users []*User) error {
	if p.grant.Everyone {
		return Refuse(EveryoneIsOn, "everyone of the partner has access: switch everyone off first, then choose single users")
	}
	keep := map[string]bool{}
	newcomers := 0
	for _, u := range users {
		if !keep[u.ID] && !p.grant.Admits(u, p.row(u.ID)) {
			newcomers++
		}
		keep[u.ID] = true
	}
	out := p.usersNotKept(keep)
	known := p.grant.EveryoneUpTo == 0 || p.facts.UsersLoaded
	if !known && newcomers == 0 && len(keep) == p.userCount() {
		return nil // the same as before: the one who saves a form twice changes nothing
	}
	if known && len(out)+newcomers <= MaxUserChanges {
		for _, u := range users {
			p.add(u, nil)
		}
		for _, u := range out {
			p.exclude(u)
		}
		return nil
	}
	// Too many users are removed to write each row: in a new epoch only the given users have assignments that count.
	was := map[string]*Assignment{}
	in := map[string]bool{}
	for _, u := range users {
		was[u.ID], in[u.ID] = p.row(u.ID), p.grant.Admits(u, p.row(u.ID))
	}
	for _, u := range out {
		p.removed = append(p.removed, u.ID)
	}
	stay := 0
	for id := range in {
		if in[id] {
			stay++
		}
	}
	if !known {
		p.unnamed += max(0, p.userCount()-stay-len(out)) // users with access by their number only
	}
	p.grant.Epoch++
	p.grant.EveryoneUpTo = 0
	p.rows = map[string]*Assignment{}
	p.recordChange("users", false)
	for _, u := range users {
		if in[u.ID] {
			p.keepRow(u, was[u.ID])
		} else {
			p.writeRow(u, false, nil)
			in[u.ID] = true
			p.added = append(p.added, u.ID)
			p.recordChange("users", true)
		}
	}
	p.grant.Count = len(p.rows)
	return nil
}

// usersNotKept returns the users who belong to the grant, as far as they are loaded, and are not among those to keep.
func (p *grantPlan) usersNotKept(keep map[string]bool) []*User {
	var out []*User
	for _, id := range sortedKeys(p.facts.Assignments) {
		if a := p.row(id); a != nil && !a.Excluded && !keep[id] {
			u := p.facts.Users[id]
			if u == nil {
				u = &User{ID: id}
			}
			out = append(out, u)
		}
	}
	if p.grant.EveryoneUpTo == 0 || !p.facts.UsersLoaded {
		return out
	}
	for _, id := range sortedKeys(p.facts.Users) {
		if u := p.facts.Users[id]; u.Partner == p.grant.Partner && !keep[id] && p.row(id) == nil && p.grant.Admits(u, nil) {
			out = append(out, u)
		}
	}
	return out
}

// switchEveryone widens all staff access, or stops giving it to new staff. Its cost does not depend on the number of users.
func (p *grantPlan) switchEveryone(on bool) {
	if on == p.grant.Everyone {
		return
	}
	p.everyone = &on
	if on {
		// E14: single assignments no longer count. External users are not part of everyone: theirs end, too.
		for _, id := range sortedKeys(p.facts.Assignments) {
			if row, u := p.row(id), p.facts.Users[id]; row != nil && !row.Excluded && u != nil && u.Role == External && u.Status != Removed {
				p.removed = append(p.removed, id)
			}
		}
		p.grant.Everyone, p.grant.EveryoneUpTo, p.grant.Count = true, 0, 0
		p.grant.EveryoneSince, p.grant.EveryoneBy = p.pc.Now, p.pc.Actor.by()
		p.grant.Epoch++
		p.rows = map[string]*Assignment{}
		p.recordChange("everyone", true)
		return
	}
	// E15, E16: all who had access keep it. The headcount is a condition of the write, so that no user is created or removed meanwhile.
	p.grant.Everyone, p.grant.EveryoneUpTo, p.grant.Count = false, p.facts.Headcount.LastNumber, p.facts.Headcount.Staff+p.grant.Count
	p.grant.EveryoneUpToVersion = p.facts.Headcount.Version
	p.headcountChecked = true
	p.recordChange("everyone", false)
}

// setCap sets the highest level that the person with that address may have in the customer's tenant, in all grants; nil lifts the cap.
func (p *grantPlan) setCap(address string, level *Level) error {
	p.copyRules()
	was, capped := p.grant.Caps[address]
	if capped == (level != nil) && (level == nil || was == *level) {
		return nil
	}
	caps := maps.Clone(p.grant.Caps)
	if caps == nil {
		caps = Caps{}
	}
	delete(caps, address)
	widens := level == nil || capped && *level > was
	if level != nil {
		if caps[address] = *level; len(caps) > MaxCaps {
			return Refuse(TooManyUsers, "a customer can cap %d people, and has capped as many: lift caps that are no longer needed first", MaxCaps)
		}
	}
	before := *p.grant
	p.grant.Caps, p.caps = caps, &caps
	for _, id := range sortedKeys(p.facts.Users) {
		u, row := p.facts.Users[id], p.row(id)
		if u.Partner != p.grant.Partner || u.Email != address && !slices.Contains(u.FormerEmails, address) || !p.grant.Admits(u, row) {
			continue
		}
		had := before.levelOf(u, row)
		if row != nil && row.Level != nil && row.By != ByPartner { // how a customer capped a person before there were caps
			p.keepRow(u, row)
			p.rows[id].Level = nil
		}
		has := p.grant.levelOf(u, p.row(id))
		widens = widens || has > had
		if _, is := p.changed[id]; has != had && !is && !slices.Contains(p.added, id) {
			p.changed[id] = had
		}
	}
	p.recordChange("caps", widens)
	return nil
}

// capIndividual caps a user whom the customer names by address and level. A new grant has that level itself, so only an existing cap is
// changed.
func (p *grantPlan) capIndividual(u *User, level Level) error {
	p.copyRules()
	if _, capped := p.grant.Caps.Of(u); p.created && !capped {
		return nil
	}
	for _, former := range u.FormerEmails { // the customer knows of them, and says now what holds for this person
		if _, capped := p.grant.Caps[former]; capped {
			if err := p.setCap(former, &level); err != nil {
				return err
			}
		}
	}
	return p.setCap(u.Email, &level)
}
