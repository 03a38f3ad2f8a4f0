package trust

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/stack"
)

// attacker is one of those who work together: any account of the evil partner, past or present, under any address that it has had, with or
// without the name of the account in the token; a mailbox outside; or a person of the customer that colludes.
func (w *world) attacker() who {
	if w.chance(8) {
		return w.person(pick(w, "ann@hooli.example", "bob@hooli.example"))
	}
	if w.chance(10) {
		return w.person(w.mailbox())
	}
	ours := []*account{}
	for _, id := range w.order {
		if a := w.accounts[id]; (a.partner == evil || domainOf(a.address) == "elsewhere.example") && slices.ContainsFunc(a.held, readable) {
			ours = append(ours, a)
		}
	}
	if len(ours) == 0 {
		return w.person(w.mailbox())
	}
	a := pick(w, ours...)
	if w.chance(2) { // those who can do most
		for _, lead := range ours {
			if lead.status == "active" && rank(lead.role) >= rank("business") && w.chance(2) {
				a = lead
				break
			}
		}
	}
	address := a.address
	for !readable(address) || w.chance(4) {
		address = a.held[w.random.IntN(len(a.held))]
	}
	if sideOf(address) == evil && w.chance(2) {
		out := w.person(address)
		out.side = evil
		return out
	}
	return who{TokenRequest: stack.TokenRequest{Email: address, Account: a.id}, side: evil, account: a.id}
}

// newAddress is one that an attacker may want for an account.
func (w *world) newAddress() string {
	w.made++
	return pick(w,
		fmt.Sprintf("e%d@evil.example", w.made), fmt.Sprintf("e%d@evil.example", w.made), w.mailbox(), "newcio@globex.example",
		"boss@globex.example", "x@eu.acme.example",
		"g1@good.example", "g2@good.example", "new@hooli.example", fmt.Sprintf("e%d@other.example", w.made),
	)
}

// attack sends one request of an attacker's.
func (w *world) attack(ctx context.Context) error {
	by := w.attacker()
	part := pick(w, evil, evil, evil, evil, good)
	cust := pick(w, customers()...)
	all := w.usersOf(part, true)
	user := pick(w, all...)
	if by.account != "" && w.chance(6) {
		user = by.account
	}
	if w.chance(6) { // somebody of before, or of another
		user = pick(w, w.order...)
	}
	partners, owner := "/v1/partners/"+part, "/v1/customers/"+cust
	switch w.random.IntN(30) {
	case 0, 1, 2: // what there is to read
		_, err := w.attempt(ctx, by, http.MethodGet,
			partners+pick(w, "", "/users?limit=100", "/users/"+user, "/customers", "/customers/"+cust, "/customers/"+cust+"/users",
				"/history?limit=50", "/history?limit=50", "/account", "/invitations", "/mail", "/partners"), nil)
		return err
	case 3, 4:
		_, err := w.attempt(ctx, by, http.MethodGet,
			owner+pick(w, "", "/grants", "/grants/"+part, "/grants/"+part+"/users", "/members", "/history?limit=50", "/invitations", "/mail"), nil)
		return err
	case 5:
		_, err := w.attempt(ctx, by, http.MethodGet, pick(w, "/v1/me", "/v1/me", "/v1/partners?q=e", "/v1/customers", "/v1/partners"), nil)
		if err != nil {
			return err
		}
		return w.reloadUsers(ctx)
	case 6, 7, 8: // accounts
		role := pick(w, "owner", "admin", "business", "tech", "sales_marketing", "external", "tech")
		body := object{"email": w.newAddress(), "name": "Mallory", "role": role}
		return w.changeUser(ctx, by, http.MethodPost, partners+"/users", body, "", role)
	case 9, 10, 11, 12:
		body, role := object{}, ""
		switch w.random.IntN(5) {
		case 0, 1:
			body["email"] = w.newAddress()
		case 2:
			role = pick(w, "owner", "admin", "business", "tech", "external")
			body["role"] = role
		case 3:
			body["status"] = pick(w, "disabled", "active", "active")
		case 4:
			body["name"] = fmt.Sprint("Mallory ", w.random.IntN(100))
		}
		return w.changeUser(ctx, by, http.MethodPatch, partners+"/users/"+user, body, user, role)
	case 13:
		return w.changeUser(ctx, by, http.MethodDelete, partners+"/users/"+user, nil, user, "")
	case 14, 15, 16, 17, 18: // the choice of users
		return w.assignUsers(ctx, by, part, cust, partners+"/customers/"+cust+"/users")
	case 19:
		if w.random.IntN(4) > 0 {
			return nil
		}
		a, err := w.attempt(ctx, by, http.MethodDelete, partners+"/customers/"+cust, nil)
		if err == nil && a.Done() {
			w.termsOf(cust, part).open = false
		}
		return err
	case 20, 21, 22:
		return w.attackByInvitation(ctx, by, cust, owner)
	case 23, 24, 25:
		return w.answerInvitation(ctx, by)
	case 26:
		return w.attackAsOthers(ctx, by, part, cust)
	case 27:
		body := object{pick(w, "contacts", "contacts", "name"): pick[any](w, []string{"olga@evil.example", "contact@globex.example"})}
		if w.chance(3) {
			body = object{"sso": true} // it claims single sign-on, which only the provider could allow
		}
		_, err := w.attempt(ctx, by, http.MethodPatch, partners+"/account", body)
		return err
	case 28:
		_, err := w.attempt(ctx, by, http.MethodPost, "/access/v1/evaluation", object{
			"subject": object{"type": "user", "id": user}, "action": object{"name": "dashboard:read"},
			"resource": object{"type": "customer", "id": cust},
		})
		return err
	}
	if by.side == hooli {
		return w.customerDoes(ctx, hooli)
	}
	_, err := w.attempt(ctx, by, http.MethodPost, partners+"/users/"+user+"/password", object{"send": true})
	return err
}

// attackAsOthers sends a request that is a customer's, or the provider's, own.
func (w *world) attackAsOthers(ctx context.Context, by who, part, cust string) error {
	partners, owner := "/v1/partners/"+part, "/v1/customers/"+cust
	method, path, body := http.MethodPost, owner+"/grants", any(object{"partner": part, "everyone": true, "level": "manage"})
	switch w.random.IntN(6) {
	case 0:
		method, path, body = http.MethodPatch, owner+"/grants/"+part, object{"level": "manage", "everyone": true, "caps": object{}}
	case 1:
		method, path, body = http.MethodPut, owner+"/members/m1@elsewhere.example", object{"name": "M", "role": "admin"}
	case 2:
		method, path, body = http.MethodPatch, partners, object{"offer": "manage", "status": "active"}
	case 3:
		method, path, body = http.MethodPut, owner+"/managing-partner", object{"partner": evil}
	case 4:
		method, path, body = http.MethodPut, owner+"/relationships/"+evil, object{"everyone": true}
	}
	if by.side == hooli && cust == hooli || w.memberOf(by, cust) {
		return nil // that is its right: customerDoes does it
	}
	_, err := w.attempt(ctx, by, method, path, body)
	return err
}

// attempt sends an attacker's request, and judges whether it should have been done.
func (w *world) attempt(ctx context.Context, by who, method, path string, body any) (ask.Answer, error) {
	a, err := w.do(ctx, by, method, path, body)
	if err != nil {
		return a, err
	}
	if by.side == evil && !w.memberOfAny(by) && strings.Contains(string(a.Body), `"approvers":[{`) {
		w.violation("%s was shown who decides at a customer: %s %s: %s", w.call(by), method, path, a.Body)
	}
	route := strings.Split(strings.TrimPrefix(strings.SplitN(path, "?", 2)[0], "/"), "/")
	w.report.Answers[fmt.Sprintf("%s %s %d", method, strings.Join(route[1:min(2, len(route))], "/"), a.Status)]++
	if !a.Done() || len(route) < 3 || strings.HasPrefix(path, "/access/") {
		return a, nil
	}
	me := w.accounts[by.account]
	known := by.Account == "" || me != nil && me.status != "removed" && me.address == by.Email
	switch org := route[2]; {
	case route[1] == "invitations":
	case !known:
		w.violation("%s, a token from before, was taken by %s %s: %d %s", w.call(by), method, path, a.Status, a.Body)
	case route[1] == "customers" && len(route) > 3 && route[3] == "invitations" && me != nil:
	case route[1] == "customers" && !w.memberOf(by, org):
		w.violation("%s is none of %s's people, and did %s %s: %d %s", w.call(by), org, method, path, a.Status, a.Body)
	case route[1] == "partners" && method != http.MethodGet && (me == nil || me.partner != org):
		w.violation("%s is none of %s's people, and did %s %s: %d %s", w.call(by), org, method, path, a.Status, a.Body)
	case route[1] == "partners" && by.side == evil && me != nil && org != me.partner && !w.memberOfAny(by):
		w.violation("%s is none of %s's people, and read %s: %s", w.call(by), org, path, a.Body)
	}
	if method == http.MethodGet || route[1] == "invitations" || me == nil {
		return a, nil
	}
	switch {
	case me.status != "active":
		w.violation("%s is %s, and did %s %s: %d", w.call(by), me.status, method, path, a.Status)
	case w.partners[me.partner].status == "suspended":
		w.violation("partner %s is suspended, and its %s did %s %s: %d", me.partner, w.call(by), method, path, a.Status)
	case rank(me.role) < rank("business"):
		own := len(route) > 5 && route[5] == "password" || len(route) > 3 && route[3] == "requests" // judged by what they get
		leaves := method == http.MethodDelete && len(route) > 4 && route[3] == "customers"
		if !own && !leaves {
			w.violation("%s is %s, and did %s %s: %d", w.call(by), me.role, method, path, a.Status)
		}
	}
	return a, nil
}

// memberOf returns whether the caller is a person of the customer: by its address alone, and never through the account of a partner's user.
func (w *world) memberOf(by who, cust string) bool {
	k := w.customers[cust]
	if k == nil || by.Account != "" {
		return false
	}
	_, is := k.members[by.Email]
	return is
}

func (w *world) memberOfAny(by who) bool {
	for _, id := range customers() {
		if w.memberOf(by, id) {
			return true
		}
	}
	return false
}

// changeUser changes a partner's users, and judges it by rank.
func (w *world) changeUser(ctx context.Context, by who, method, path string, body object, user, role string) error {
	var before account
	if a := w.accounts[user]; a != nil {
		before = *a
	}
	me := w.accounts[by.account]
	mine := 0
	if me != nil {
		mine = rank(me.role)
	}
	a, err := w.attempt(ctx, by, method, path, any(body))
	if err != nil || !a.Done() {
		return err
	}
	changed := user == "" || method == http.MethodDelete
	for member, value := range map[string]string{"email": before.address, "role": before.role, "status": before.status} {
		if body[member] != nil && body[member] != value {
			changed = true
		}
	}
	switch {
	case !changed && body["name"] == nil:
	case rank(role) > mine || rank(before.role) > mine || role == "owner" && before.role != "owner":
		w.violation("%s, of rank %d, did %s %s %v to a %s", w.call(by), mine, method, path, body, before.role)
	case user != "" && user == by.account && role != "" && role != before.role:
		w.violation("%s changed its own role from %s to %s", w.call(by), before.role, role)
	}
	if address, _ := body["email"].(string); address != before.address {
		for id, k := range w.customers {
			if within(address, k.domain) {
				w.violation("%s has got the address %s, and %s has registered that domain", w.call(by), address, id)
			}
		}
		if _, member := w.customers[globex].members[address]; member {
			w.violation("%s has got the address %s, of a member of %s", w.call(by), address, globex)
		}
	}
	return w.reloadUsers(ctx)
}

// assignUsers changes which of the partner's users have access to a customer.
func (w *world) assignUsers(ctx context.Context, by who, part, cust, path string) error {
	body := object{}
	var on *bool
	switch w.random.IntN(3) {
	case 0:
		body["everyone"] = true
		on = new(bool)
		*on = true
	case 1:
		body["everyone"] = false
		on = new(bool)
	default:
		users := []string{}
		for _, id := range w.usersOf(part, true) {
			if w.chance(2) {
				users = append(users, id)
			}
		}
		body["users"] = users
	}
	return w.putAssignment(ctx, by, part, cust, path, body, on)
}

// putAssignment sends the partner's choice of users, and judges it.
func (w *world) putAssignment(ctx context.Context, by who, part, cust, path string, body object, on *bool) error {
	t := w.termsOf(cust, part)
	open, byPartner := w.running(t), t.byPartner || t.managed
	a, err := w.attempt(ctx, by, http.MethodPut, path, body)
	if err != nil || !a.Done() {
		return err
	}
	if !open || !byPartner {
		w.violation("%s chose who enters %s, which does not leave that to the partner: %d %s", w.call(by), cust, a.Status, a.Body)
	}
	clear(t.limits)
	if on != nil {
		w.switchEveryone(t, part, *on)
	}
	return nil
}

// attackByInvitation invites somebody, sends an invitation again, or takes one back.
func (w *world) attackByInvitation(ctx context.Context, by who, cust, path string) error {
	if all := w.sorted(); len(all) > 0 && w.chance(3) {
		i := pick(w, all...)
		path = "/v1/customers/" + i.customer + "/invitations/" + i.id
		if w.chance(2) {
			a, err := w.attempt(ctx, by, http.MethodDelete, path, nil)
			if err == nil && a.Done() {
				i.over = true
			}
			return err
		}
		return w.resend(ctx, by, i, path+"/resend")
	}
	if by.side == hooli {
		return nil
	}
	if w.memberOf(by, cust) {
		by.account = "" // acts as the customer
	}
	me := w.accounts[by.account]
	if me == nil {
		_, err := w.attempt(ctx, by, http.MethodPost, path+"/invitations", object{"email": w.mailbox()})
		return err
	}
	return w.inviteAsPartner(ctx, by, cust, w.mailbox(), level(1+w.random.IntN(3)), 1+w.random.IntN(30))
}

// inviteAsPartner sends an invitation by a partner's user, and judges it.
func (w *world) inviteAsPartner(ctx context.Context, by who, cust, address string, l level, days int) error {
	me := w.accounts[by.account]
	body := object{"email": address, "level": levels()[l], "days": days}
	t := w.termsOf(cust, me.partner)
	known := len(w.invitations)
	if err := w.sendInvitation(ctx, by, cust, me.partner, body, l, time.Time{}); err != nil {
		return err
	}
	if len(w.invitations) > known &&
		(!w.running(t) || !t.byPartner && !t.managed || me.status != "active" || rank(me.role) < rank("business") ||
			w.partners[me.partner].status != "active") {
		w.violation("%s (%+v) invited to %s, which has not left that to it", w.call(by), *me, cust)
	}
	return nil
}

// resend sends an invitation again: a pending one as it is, an ended one as a new one, by who invited or may invite.
func (w *world) resend(ctx context.Context, by who, i *invitation, path string) error {
	if w.memberOf(by, i.customer) {
		by.account = "" // acts as the customer
	}
	stood := w.stands(i)
	a, err := w.attempt(ctx, by, http.MethodPost, path, nil)
	if err != nil || !a.Done() {
		return err
	}
	side := "customer"
	if w.accounts[by.account] != nil {
		side = "partner"
	}
	var got struct {
		Invitation struct {
			ID      string    `json:"id"`
			Level   string    `json:"level"`
			Expires time.Time `json:"expires_at"`
		}
	}
	if err := a.Into(&got); err != nil {
		return err
	}
	if got.Invitation.ID == i.id {
		if side == "partner" {
			i.level = min(i.level, w.termsOf(i.customer, i.partner).level, w.partners[i.partner].offer)
		}
		if side != i.by || !stood {
			w.violation("%s sent the %s's invitation %s again (it stood: %v): %s", w.call(by), i.by, i.id, stood, a.Body)
		}
		i.expires = got.Invitation.Expires
		w.readMails()
		return nil
	}
	t := w.termsOf(i.customer, i.partner)
	if side == "partner" && (!w.running(t) || !t.byPartner && !t.managed) {
		w.violation("%s sent an ended invitation to %s again, which has not left that to it", w.call(by), i.customer)
	}
	return w.recordInvitation(got.Invitation.ID, by, i.customer, i.partner, i.address, levelOf(got.Invitation.Level), i.until,
		got.Invitation.Expires)
}

// answerInvitation accepts or declines an invitation that the attackers were sent, or looks at it.
func (w *world) answerInvitation(ctx context.Context, by who) error {
	if len(w.secrets) == 0 {
		return nil
	}
	secret := pick(w, w.secrets...)
	id := strings.Split(secret, "~")[1]
	i := w.invitations[id]
	if i == nil {
		return nil
	}
	if w.random.IntN(8) == 0 {
		_, err := w.attempt(ctx, by, http.MethodGet, "/v1/invitations/"+secret, nil)
		return err
	}
	if w.random.IntN(12) > 0 { // by the one whom it is for, mostly
		by = w.person(i.address)
	}
	if w.random.IntN(12) == 0 {
		a, err := w.attempt(ctx, by, http.MethodPost, "/v1/invitations/"+secret+"/decline", nil)
		if err == nil && a.Done() {
			i.over = true
		}
		return err
	}
	return w.accept(ctx, by, i, secret)
}

// accept accepts an invitation, and judges it by what holds now, not by what held when it was made.
func (w *world) accept(ctx context.Context, by who, i *invitation, secret string) error {
	stands := w.stands(i)
	a, err := w.attempt(ctx, by, http.MethodPost, "/v1/invitations/"+secret+"/accept", object{"name": "Eve"})
	if err != nil || !a.Done() {
		return err
	}
	t := w.termsOf(i.customer, i.partner)
	if !stands {
		w.violation("%s accepted %+v, which does not stand (terms %+v): %s", w.call(by), *i, *t, a.Body)
	}
	if by.Email != i.address {
		w.violation("%s accepted an invitation of %s", w.call(by), i.address)
	}
	i.over = true
	if err := w.reloadUsers(ctx); err != nil {
		return err
	}
	if !stands {
		return nil
	}
	if i.by == "partner" {
		if a := w.holder(i.address); a != nil {
			t.limits[a.id] = min(i.level, t.level, w.partners[i.partner].offer)
		}
		return nil
	}
	if caps := w.customers[i.customer].caps; w.running(t) {
		if limit, capped := caps[i.address]; !capped || i.level < limit { // an invitation lifts no cap
			caps[i.address] = i.level
		}
	} else {
		w.begin(t, i.level, w.now, i.until)
		w.choose(t, i.partner, false)
	}
	if a := w.holder(i.address); a != nil {
		w.name(t, a.id)
	}
	return nil
}
