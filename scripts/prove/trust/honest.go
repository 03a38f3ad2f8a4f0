package trust

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"partneraccess/scripts/local/ask"
)

func pick[T any](w *world, of ...T) T { return of[w.random.IntN(len(of))] }

// chance is true once in n times.
func (w *world) chance(n int) bool { return w.random.IntN(n) == 0 }

// customerDoes sends a request of a customer's admin, and records what it consents to.
func (w *world) customerDoes(ctx context.Context, cust string) error {
	if w.chance(4) || w.waiting(cust) && w.chance(2) {
		return w.customerOnRequests(ctx, cust)
	}
	by := w.person("ann@" + cust + ".example")
	part := pick(w, evil, evil, evil, good)
	t := w.termsOf(cust, part)
	path := "/v1/customers/" + cust + "/grants"
	users := w.usersOf(part, true)
	switch n := w.random.IntN(20); {
	case !w.running(t) || n < 3:
		return w.grant(ctx, by, cust, part, path)
	case n < 4:
		a, err := w.do(ctx, by, http.MethodDelete, path+"/"+part, nil)
		if err == nil && a.Done() {
			t.open = false
		}
		return err
	case n < 5 && len(t.named) > 0:
		id := pick(w, users...)
		a, err := w.do(ctx, by, http.MethodDelete, path+"/"+part+"/users/"+id, nil)
		if err == nil && a.Done() {
			delete(t.named, id)
		}
		return err
	case n < 8:
		return w.customerInvites(ctx, by, cust, part)
	case n < 9:
		for _, i := range w.sorted() {
			if i.customer == cust && !i.over && w.chance(2) {
				a, err := w.do(ctx, by, http.MethodDelete, "/v1/customers/"+cust+"/invitations/"+i.id, nil)
				if err == nil && a.Done() {
					i.over = true
				}
				return err
			}
		}
		return nil
	}
	return w.edit(ctx, by, cust, part, path+"/"+part, users)
}

// grant opens a grant, or adds people to the one that is open.
func (w *world) grant(ctx context.Context, by who, cust, part, path string) error {
	t := w.termsOf(cust, part)
	users := w.usersOf(part, true)
	body := object{"partner": part}
	l, from, until := level(1), w.now, time.Time{}
	fresh := !w.running(t)
	var named []string
	var person string
	everyone := false
	switch w.random.IntN(4) {
	case 0:
		person = pick(w, "adam@evil.example", "tess@evil.example", "g1@good.example", "g2@good.example", "gus@good.example",
			"m1@elsewhere.example", "boss@globex.example")
		body = object{"email": person}
	case 1:
		named = []string{pick(w, users...), pick(w, users...)}
		if named[0] == named[1] {
			named = named[:1]
		}
		body["users"] = named
	case 2:
		everyone = true
		body["everyone"] = true
	}
	if fresh || person != "" {
		if w.chance(2) {
			l = level(1 + w.random.IntN(3))
			body["level"] = levels()[l]
		}
	}
	byPartner := fresh && named == nil && person == "" && !everyone
	if fresh {
		if w.chance(3) {
			byPartner = w.chance(2)
			body["assigned_by"] = map[bool]string{true: "partner", false: "customer"}[byPartner]
		}
		from, until = w.drawPeriod(body)
		if person == "" { // for whom the partner is not known yet
			body["note"], body["message"] = secretNote(cust), secretWords(cust, part)
		}
	}
	a, err := w.do(ctx, by, http.MethodPost, path, body)
	if err == nil && a.Status == http.StatusBadRequest && body["message"] != nil { // a service from before the member
		delete(body, "message")
		a, err = w.do(ctx, by, http.MethodPost, path, body)
	}
	if err != nil || !a.Done() {
		return err
	}
	if person != "" {
		holder := w.judgeGrantToPerson(cust, person, a)
		if holder == nil {
			return nil
		}
		part, named = holder.partner, []string{holder.id}
		t = w.termsOf(cust, part)
		fresh = !w.running(t)
		// The level of a new grant is everybody's. It lifts a cap that there is, as the customer names that very person.
		if _, capped := w.customers[cust].caps[person]; body["level"] != nil && (!fresh || capped) {
			w.customers[cust].caps[person] = l
		}
	}
	if fresh {
		w.begin(t, l, from, until)
		w.choose(t, part, byPartner)
		t.named = map[string]string{}
	}
	w.name(t, named...)
	if everyone {
		w.switchEveryone(t, part, true)
	}
	return nil
}

// drawPeriod sets the period of a new grant in a body. Until is zero when the grant has no end.
func (w *world) drawPeriod(body object) (from, until time.Time) {
	from = w.now
	if w.chance(4) {
		until = w.now.Add(time.Duration(1+w.random.IntN(60)) * 24 * time.Hour)
		body["until"] = until
	}
	if w.chance(8) {
		later := w.now.Add(time.Duration(1+w.random.IntN(5)) * 24 * time.Hour)
		if until.IsZero() || later.Before(until) {
			from, body["from"] = later, later
		}
	}
	return from, until
}

// judgeGrantToPerson returns the account that a grant to that address went to; nil when nobody has the address.
func (w *world) judgeGrantToPerson(cust, person string, a ask.Answer) *account {
	holder := w.holder(person)
	if holder == nil {
		w.violation("%s granted to %s, whom nobody has: %s", cust, person, a.Body)
		return nil
	}
	if !readable(person) && holder.partner != good {
		w.violation("%s granted to %s, an address that %s has never proved, and %s got it: %s", cust, person, holder.id, holder.partner, a.Body)
	}
	if domainOf(person) == good+".example" && holder.partner != good {
		w.violation("%s granted to %s, a person of %s, and %s got it", cust, person, good, holder.partner)
	}
	return holder
}

// edit changes the terms.
func (w *world) edit(ctx context.Context, by who, cust, part, path string, users []string) error {
	t := w.termsOf(cust, part)
	body := object{}
	var then func()
	switch w.random.IntN(11) {
	case 0, 1:
		l := level(w.random.IntN(4))
		body["level"], then = levels()[l], func() { t.level = l }
	case 2:
		on := t.suspended || w.chance(3)
		body["state"], then = map[bool]string{true: "open", false: "suspended"}[on], func() { t.suspended = !on }
	case 3, 4:
		on := w.chance(2)
		body["everyone"], then = on, func() { w.switchEveryone(t, part, on) }
	case 5:
		set := []string{pick(w, users...)}
		if other := pick(w, users...); other != set[0] {
			set = append(set, other)
		}
		body["users"], then = object{"set": set}, func() { t.named = map[string]string{}; w.name(t, set...) }
	case 6:
		id := pick(w, users...)
		body["users"], then = object{"remove": []string{id}}, func() { delete(t.named, id) }
	case 7:
		id := pick(w, users...)
		body["users"], then = object{"add": []string{id}}, func() { w.name(t, id) }
	case 8:
		if w.chance(2) {
			until := w.now.Add(time.Duration(1+w.random.IntN(30)) * 24 * time.Hour)
			body["until"], then = until, func() { t.until = until }
		} else {
			body["until"], then = nil, func() { t.until = time.Time{} }
		}
	case 9:
		byPartner := w.chance(2)
		body["assigned_by"], then = map[bool]string{true: "partner", false: "customer"}[byPartner], func() { w.choose(t, part, byPartner) }
	case 10:
		address := w.accounts[pick(w, users...)].address
		l := level(w.random.IntN(4))
		body["caps"], then = object{address: levels()[l]}, func() { w.customers[cust].caps[address] = l }
		if w.chance(4) {
			body["caps"], then = object{address: nil}, func() { delete(w.customers[cust].caps, address) }
		}
	}
	return w.patch(ctx, by, path, body, then)
}

// patch sends an edit, and calls then when it is done.
func (w *world) patch(ctx context.Context, by who, path string, body object, then func()) error {
	a, err := w.do(ctx, by, http.MethodPatch, path, body)
	if err == nil && a.Done() {
		then()
	}
	return err
}

func (w *world) customerInvites(ctx context.Context, by who, cust, part string) error {
	l := level(1 + w.random.IntN(3))
	body := object{"email": w.mailbox(), "partner": part, "level": levels()[l], "days": 1 + w.random.IntN(14)}
	var until time.Time
	if w.chance(4) {
		until = w.now.Add(time.Duration(2+w.random.IntN(20)) * 24 * time.Hour)
		body["until"] = until
	}
	return w.sendInvitation(ctx, by, cust, part, body, l, until)
}

// mailbox is an address outside, which the attackers read.
func (w *world) mailbox() string {
	return fmt.Sprintf("m%d@elsewhere.example", w.random.IntN(6))
}

// sendInvitation sends an invitation, and records its terms.
func (w *world) sendInvitation(ctx context.Context, by who, cust, part string, body object, l level, until time.Time) error {
	a, err := w.do(ctx, by, http.MethodPost, "/v1/customers/"+cust+"/invitations", body)
	if err != nil || !a.Done() {
		return err
	}
	var got struct {
		Invitation struct {
			ID      string    `json:"id"`
			Expires time.Time `json:"expires_at"`
		}
	}
	if err := a.Into(&got); err != nil {
		return err
	}
	return w.recordInvitation(got.Invitation.ID, by, cust, part, body["email"].(string), l, until, got.Invitation.Expires)
}

func (w *world) recordInvitation(id string, by who, cust, part, address string, l level, until,
	expires time.Time,
) error {
	t := w.termsOf(cust, part)
	i := &invitation{
		id: id, customer: cust, partner: part, address: address, by: "customer", level: l, until: until, expires: expires,
		opened: t.opened, wasOpen: w.running(t), switched: t.switched, inviter: by.Email,
	}
	if by.account != "" {
		i.by, i.account, i.level = "partner", by.account, min(l, t.level, w.partners[part].offer)
	}
	w.invitations[i.id] = i
	w.readMails()
	return nil
}

func (w *world) sorted() []*invitation {
	var out []*invitation
	for _, i := range w.invitations {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b *invitation) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return out
}

// providerDoes sends a request of the provider's, which lowers and raises what a partner may have at all.
func (w *world) providerDoes(ctx context.Context) error {
	by := w.provider()
	p := w.partners[pick(w, evil, evil, evil, good)]
	patch := func(body object, then func()) error { return w.patch(ctx, by, "/v1/partners/"+p.id, body, then) }
	switch w.random.IntN(16) {
	case 0, 1:
		status := "suspended"
		if p.status == status || w.chance(2) {
			status = "active"
		}
		return patch(object{"status": status}, func() { p.status = status })
	case 2:
		l := level(1 + w.random.IntN(3))
		return patch(object{"offer": levels()[l]}, func() { p.offer = l })
	case 3:
		return patch(object{"offer": "manage"}, func() { p.offer = 3 })
	case 4:
		sso := w.chance(2)
		return patch(object{"sso": sso}, func() { p.sso = sso })
	case 5:
		class := "channel"
		if p.class == class && w.chance(3) {
			class = "other"
		}
		return patch(object{"class": class}, func() { p.class = class })
	case 6, 7:
		return w.changeMembers(ctx, by)
	case 8:
		return w.registerDomain(ctx, globex, "globex.example")
	case 9:
		return w.changeRelationship(ctx, by)
	case 10, 11:
		id := pick(w, w.usersOf(evil, true)...)
		if w.chance(3) {
			id = w.owner().id // the only owner, who has to stay one
		}
		status := pick(w, "disabled", "active")
		if _, err := w.do(ctx, by, http.MethodPatch, "/v1/partners/evil/users/"+id, object{"status": status}); err != nil {
			return err
		}
		return w.reloadUsers(ctx)
	case 12:
		w.made++
		if _, err := w.do(ctx, by, http.MethodPost, "/v1/partners/evil/users",
			object{
				"email": fmt.Sprintf("p%d@evil.example", w.made), "name": "Made",
				"role": pick(w, "admin", "business", "tech", "external"),
			}); err != nil {
			return err
		}
		return w.reloadUsers(ctx)
	case 13: // who should not lead any more
		if a := w.holder("adam@evil.example"); a != nil {
			if _, err := w.do(ctx, by, http.MethodPatch, "/v1/partners/evil/users/"+a.id, object{"role": pick(w, "tech", "admin")}); err != nil {
				return err
			}
			return w.reloadUsers(ctx)
		}
	}
	return w.moveClock(ctx)
}

// registerDomain registers a customer's domain.
func (w *world) registerDomain(ctx context.Context, cust, domain string) error {
	a, err := w.do(ctx, w.provider(), http.MethodPut, "/v1/customers/"+cust, object{"domain": domain})
	if err == nil && a.Done() {
		w.customers[cust].domain = domain
	}
	return err
}

// changeMembers adds or removes a customer's member, also people whose addresses attackers have taken.
func (w *world) changeMembers(ctx context.Context, by who) error {
	cust := pick(w, globex, acme)
	address := pick(w, "newcio@globex.example", "newcio@globex.example", "m1@elsewhere.example", "m2@elsewhere.example", "tess@evil.example")
	if _, is := w.customers[cust].members[address]; is && w.chance(2) {
		return w.removeMember(ctx, by, cust, address)
	}
	return w.putMember(ctx, by, cust, address, pick(w, "admin", "member"))
}

// removeMember removes a customer's member.
func (w *world) removeMember(ctx context.Context, by who, cust, address string) error {
	a, err := w.do(ctx, by, http.MethodDelete, "/v1/customers/"+cust+"/members/"+address, nil)
	if err == nil && a.Done() {
		w.left(cust, address)
	}
	return err
}

// putMember adds a customer's member, or changes its role. It ends an account that has never proved that address.
func (w *world) putMember(ctx context.Context, by who, cust, address, role string) error {
	body := object{"name": secretName(cust, "newcomer"), "role": role}
	a, err := w.do(ctx, by, http.MethodPut, "/v1/customers/"+cust+"/members/"+address, body)
	if err != nil || !a.Done() {
		return err
	}
	w.joined(cust, address, role == "admin")
	if err := w.reloadUsers(ctx); err != nil {
		return err
	}
	if a := w.holder(address); a != nil && !readable(address) {
		w.violation("%s is a member of %s, and %s still has that address, which it has never proved", address, cust, a.id)
	}
	return nil
}

// changeRelationship opens or ends a relationship, as the provider.
func (w *world) changeRelationship(ctx context.Context, by who) error {
	cust, part := pick(w, customers()...), pick(w, evil, good)
	t, p := w.termsOf(cust, part), w.partners[part]
	path := "/v1/customers/" + cust
	var a ask.Answer
	var err error
	switch w.random.IntN(4) {
	case 0:
		everyone := w.chance(2)
		a, err = w.do(ctx, by, http.MethodPut, path+"/relationships/"+part, object{"everyone": everyone})
		if err == nil && a.Status == http.StatusCreated {
			l := level(0)
			if p.offer >= 2 {
				l = 2
			}
			w.begin(t, l, w.now, time.Time{})
			w.choose(t, part, true)
			w.switchEveryone(t, part, everyone)
		}
	case 1:
		a, err = w.do(ctx, by, http.MethodDelete, path+"/relationships/"+part, nil)
		if err == nil && a.Done() {
			t.open = false
		}
	case 2:
		if a, err = w.do(ctx, by, http.MethodPut, path+"/managing-partner", object{"partner": part}); err == nil && a.Done() {
			if !w.running(t) {
				w.begin(t, 3, w.now, time.Time{})
			}
			w.customers[cust].manager = part
			w.choose(t, part, true)
			t.managed, t.level, t.suspended, t.until = true, 3, false, time.Time{}
			if t.from.After(w.now) {
				t.from = w.now
			}
		}
	case 3:
		if a, err = w.do(ctx, by, http.MethodDelete, path+"/managing-partner", nil); err == nil && a.Done() {
			managed := w.termsOf(cust, w.customers[cust].manager)
			managed.open, managed.managed = false, false
			w.customers[cust].manager = ""
		}
	}
	return err
}

// moveClock moves the clock, which runs the sweep.
func (w *world) moveClock(ctx context.Context) error {
	by := time.Duration(pick(w, 1, 1, 3, 24, 24*5, 24*15)) * time.Hour
	a, err := w.do(ctx, w.provider(), http.MethodPost, "/_local/clock", object{"advance": by.String()})
	if err != nil {
		return err
	}
	w.now = w.now.Add(by)
	if err := a.Into(nil); err != nil {
		return err
	}
	return w.reloadUsers(ctx)
}

// goodDoes sends a request of the honest partner's.
func (w *world) goodDoes(ctx context.Context) error {
	by := w.person("gina@good.example")
	switch w.random.IntN(3) {
	case 0: // a colleague-to-be, whose address somebody else may have taken
		if _, err := w.do(ctx, by, http.MethodPost, "/v1/partners/good/users",
			object{"email": pick(w, "g1@good.example", "g2@good.example"), "name": secretName(good, "colleague"), "role": "tech"}); err != nil {
			return err
		}
		return w.reloadUsers(ctx)
	case 1:
		cust := pick(w, customers()...)
		users := w.usersOf(good, false)
		_, err := w.do(ctx, by, http.MethodPut, "/v1/partners/good/customers/"+cust+"/users", object{"users": []string{pick(w, users...)}})
		return err
	}
	_, err := w.do(ctx, w.person(pick(w, "g1@good.example", "gus@good.example")), http.MethodGet, "/v1/me", nil)
	if err != nil {
		return err
	}
	return w.reloadUsers(ctx)
}
