package access

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// people plans who is in. chosen and added are where the set, and those to be added, stand in the request's body.
func (p *relationPlan) people(everyone *bool, set *[]string, add, remove []string, chosen, added string) error {
	before := p.count()
	if everyone != nil {
		p.switchEveryone(*everyone)
	}
	if set != nil {
		var users []*User
		for i, id := range *set {
			u, err := p.candidate(id)
			if err != nil {
				return err.At(chosen + "/" + strconv.Itoa(i))
			}
			users = append(users, u)
		}
		if err := p.set(users); err != nil {
			return err
		}
	}
	for i, id := range add {
		u, err := p.candidate(id)
		if err != nil {
			return err.At(added + "/" + strconv.Itoa(i))
		}
		p.add(u, nil)
	}
	for _, id := range remove {
		if u := p.r.Users[id]; u != nil && u.Partner == p.g.Partner { // who is nobody is not in
			if err := p.remove(u); err != nil {
				return err
			}
		}
	}
	if before > 0 && p.count() == 0 && !p.g.Everyone {
		return Refuse(LastUser, "at least one user keeps access: put another one in first, or revoke the whole grant") // E9
	}
	return nil
}

// candidate is the user when it may be put into the grant; one who is in already may stay whatever has become of the account.
func (p *relationPlan) candidate(id string) (*User, *Error) {
	u := p.r.Users[id]
	if partner, _, _ := strings.Cut(id, ":"); partner != p.g.Partner || u == nil || u.Status == Removed {
		return nil, Refuse(UserNotOfPartner, "%q is no user of partner %s: choose from that partner's users", id, p.g.Partner) // A6
	}
	if p.g.Admits(u, p.row(id)) {
		return u, nil
	}
	if u.Status != Active {
		return nil, Refuse(UserNotActive, "this person's account is not active: it has to be active first") // D8
	}
	return u, stranger(p.r.Customer, u)
}

// stranger refuses people of the customer's own.
func stranger(c *Customer, u *User) *Error {
	if slices.Contains(u.MemberOf, c.ID) {
		return Refuse(CustomerUserConflict, "this person is a member of this customer, and nobody is that and a partner's user, too") // A7
	}
	if InDomain(u.Email, c.Domain) {
		return Refuse(OwnOrganisation, "this person has an address of the customer's own organisation: partners are outside organisations") // D7
	}
	return nil
}

func (p *relationPlan) count() int { return p.g.UserCount(p.r.Headcount) }

// row is the assignment of a user as it would be after what was planned so far; nil when none counts.
func (p *relationPlan) row(user string) *Assignment {
	a, planned := p.rows[user]
	if !planned {
		a = p.r.Assignments[user]
	}
	if a == nil || a.Epoch != p.g.Epoch {
		return nil
	}
	return a
}

func (p *relationPlan) put(u *User, out bool, level *Level) {
	by := ByCustomer
	if p.pc.Actor.Kind == ActorPartner {
		by = ByPartner
	}
	p.rows[u.ID] = &Assignment{
		Customer: p.g.Customer, Partner: p.g.Partner, User: u.ID, Epoch: p.g.Epoch, Excluded: out, Level: level, By: by, Number: u.Number, At: p.pc.Now,
	}
}

// keep writes the user's row again: it stays who picked whom, and up to which level.
func (p *relationPlan) keep(u *User, row *Assignment) {
	p.put(u, false, nil)
	if row != nil {
		n := p.rows[u.ID]
		n.Level, n.By, n.Number = row.Level, row.By, row.Number
	}
}

// add lets a user in, up to a level of its own when one is given (D15).
func (p *relationPlan) add(u *User, level *Level) {
	row := p.row(u.ID)
	if p.g.Admits(u, row) {
		if level == nil || row != nil && row.Level != nil && *row.Level == *level {
			return
		}
		had := p.g.levelOf(u, row) // what the user could have had until now
		p.keep(u, row)
		p.rows[u.ID].Level = level
		p.changed[u.ID] = had
		p.note("level", p.g.levelOf(u, p.row(u.ID)) > had)
		return
	}
	if row == nil || row.Excluded { // a stale one is counted still
		p.g.Count++
	}
	p.put(u, false, level)
	p.added = append(p.added, u.ID)
	p.note("users", true)
}

// addInvited puts the person who accepted into the grant, which opens where there is none. The level to which the customer invites into an open grant is
// that person's cap, and lifts no lower one; the level of the partner's invitation is the assignment's own, and no more than the partner has now.
func (p *relationPlan) addInvited(u *User, i *Invitation, sso bool) error {
	if p.g == nil || p.g.EndAt(p.r.Partner, p.pc.Now) != nil {
		p.open(i.Level, p.pc.Now, i.Until)
		p.g.RequireSSO = sso
		p.add(u, nil)
		return nil
	}
	if i.By.Kind == ActorPartner {
		level := Lowest(i.Level, p.g.EffectiveLevel(p.r.Partner))
		p.add(u, &level)
		return nil
	}
	p.add(u, nil)
	p.rules()
	most := i.Level
	if is, capped := p.g.Caps.Of(u); capped {
		most = Lowest(most, is)
	}
	return p.cap(u.Email, &most)
}

// remove takes a user out.
func (p *relationPlan) remove(u *User) error {
	if p.g.Everyone && u.Role != External {
		return Refuse(EveryoneIsOn, "everyone of the partner has access: switch everyone off first, then remove single users") // E10, E14
	}
	if !p.g.Admits(u, p.row(u.ID)) {
		return nil
	}
	p.out(u)
	return nil
}

func (p *relationPlan) out(u *User) {
	p.put(u, true, nil)
	p.g.Count--
	p.removed = append(p.removed, u.ID)
	p.note("users", false)
}

// set makes the given users the ones who are in, and nobody else (D27).
func (p *relationPlan) set(users []*User) error {
	if p.g.Everyone {
		return Refuse(EveryoneIsOn, "everyone of the partner has access: switch everyone off first, then choose single users")
	}
	keep := map[string]bool{}
	newcomers := 0
	for _, u := range users {
		if !keep[u.ID] && !p.g.Admits(u, p.row(u.ID)) {
			newcomers++
		}
		keep[u.ID] = true
	}
	out := p.leaving(keep)
	known := p.g.EveryoneUpTo == 0 || p.r.Known
	if !known && newcomers == 0 && len(keep) == p.count() {
		return nil // the same as before: the one who saves a form twice changes nothing
	}
	if known && len(out)+newcomers <= MaxUserChanges {
		for _, u := range users {
			p.add(u, nil)
		}
		for _, u := range out {
			p.out(u)
		}
		return nil
	}
	// Too many go to write them down one by one: a new epoch, in which only the chosen ones count.
	was := map[string]*Assignment{}
	in := map[string]bool{}
	for _, u := range users {
		was[u.ID], in[u.ID] = p.row(u.ID), p.g.Admits(u, p.row(u.ID))
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
		p.unnamed += max(0, p.count()-stay-len(out)) // those who are in by their number only
	}
	p.g.Epoch++
	p.g.EveryoneUpTo = 0
	p.rows = map[string]*Assignment{}
	p.note("users", false)
	for _, u := range users {
		if in[u.ID] {
			p.keep(u, was[u.ID])
		} else {
			p.put(u, false, nil)
			in[u.ID] = true
			p.added = append(p.added, u.ID)
			p.note("users", true)
		}
	}
	p.g.Count = len(p.rows)
	return nil
}

// leaving is everybody who is in, as far as that is known, and whom a set does not keep.
func (p *relationPlan) leaving(keep map[string]bool) []*User {
	var out []*User
	for _, id := range sortedKeys(p.r.Assignments) {
		if a := p.row(id); a != nil && !a.Excluded && !keep[id] {
			u := p.r.Users[id]
			if u == nil {
				u = &User{ID: id}
			}
			out = append(out, u)
		}
	}
	if p.g.EveryoneUpTo == 0 || !p.r.Known {
		return out
	}
	for _, id := range sortedKeys(p.r.Users) {
		if u := p.r.Users[id]; u.Partner == p.g.Partner && !keep[id] && p.row(id) == nil && p.g.Admits(u, nil) {
			out = append(out, u)
		}
	}
	return out
}

// switchEveryone lets all staff in, or no longer lets new staff in. It costs the same whatever the size of the partner.
func (p *relationPlan) switchEveryone(on bool) {
	if on == p.g.Everyone {
		return
	}
	p.everyone = &on
	if on {
		// E14: what was assigned one by one no longer counts. External users are not part of everyone; those who are in were
		// let in one by one, and so are out, too.
		for _, id := range sortedKeys(p.r.Assignments) {
			if row, u := p.row(id), p.r.Users[id]; row != nil && !row.Excluded && u != nil && u.Role == External && u.Status != Removed {
				p.removed = append(p.removed, id)
			}
		}
		p.g.Everyone, p.g.EveryoneUpTo, p.g.Count = true, 0, 0
		p.g.Epoch++
		p.rows = map[string]*Assignment{}
		p.note("everyone", true)
		return
	}
	// E15, E16: those who had access keep it. Who that is must not change under way, so nobody may join until this is written.
	p.g.Everyone, p.g.EveryoneUpTo, p.g.Count = false, p.r.Headcount.LastNumber, p.r.Headcount.Staff+p.g.Count
	p.g.EveryoneUpToVersion = p.r.Headcount.Version
	p.checked = true
	p.note("everyone", false)
}

// cap makes the level the most that the person with that address may do in the customer's tenant, in whichever grant; nil lifts the cap.
func (p *relationPlan) cap(address string, level *Level) error {
	p.rules()
	was, capped := p.g.Caps[address]
	if capped == (level != nil) && (level == nil || was == *level) {
		return nil
	}
	caps := maps.Clone(p.g.Caps)
	if caps == nil {
		caps = Caps{}
	}
	delete(caps, address)
	gives := level == nil || capped && *level > was
	if level != nil {
		if caps[address] = *level; len(caps) > MaxCaps {
			return Refuse(TooManyUsers, "a customer can cap %d people, and has capped as many: lift caps that are no longer needed first", MaxCaps)
		}
	}
	before := *p.g
	p.g.Caps, p.caps = caps, &caps
	for _, id := range sortedKeys(p.r.Users) {
		u, row := p.r.Users[id], p.row(id)
		if u.Partner != p.g.Partner || u.Email != address && !slices.Contains(u.FormerEmails, address) || !p.g.Admits(u, row) {
			continue
		}
		had := before.levelOf(u, row)
		if row != nil && row.Level != nil && row.By != ByPartner { // how a customer capped a person before there were caps
			p.keep(u, row)
			p.rows[id].Level = nil
		}
		has := p.g.levelOf(u, p.row(id))
		gives = gives || has > had
		if _, is := p.changed[id]; has != had && !is && !slices.Contains(p.added, id) {
			p.changed[id] = had
		}
	}
	p.note("caps", gives)
	return nil
}

// capIndividual caps a user whom the customer names by address, with a level. A new grant has that level itself: only a cap that there is gives way.
func (p *relationPlan) capIndividual(u *User, level Level) error {
	p.rules()
	if _, capped := p.g.Caps.Of(u); p.fresh && !capped {
		return nil
	}
	for _, former := range u.FormerEmails { // the customer knows of them, and says now what holds for this person
		if _, capped := p.g.Caps[former]; capped {
			if err := p.cap(former, &level); err != nil {
				return err
			}
		}
	}
	return p.cap(u.Email, &level)
}
