package trust

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"partneraccess/scripts/local/stack"
)

// move is one request of a scheme.
type move func(context.Context) error

// aim is whom a scheme is to bring in, and where.
type aim struct{ account, customer string }

// plot is what attackers plan ahead: a few requests of theirs, and of others whom they wait for or talk into something, which chance
// alone would seldom bring into that order. Other requests may come between. The same oracle judges them all.
func (w *world) plot() []move {
	free := slices.DeleteFunc(customers(), func(id string) bool { return w.customers[id].manager != "" })
	if len(free) == 0 {
		return nil
	}
	cust := pick(w, free...)
	moves := pick(w, w.squat, w.membership, w.recycle, w.climb, w.shed, w.shed, w.lateGuest, w.lateGuest, w.hostGone, w.replace)(cust)
	if w.chance(2) { // from a time when all is well
		moves = append([]move{w.restore}, moves...)
	}
	return moves
}

func (w *world) restore(ctx context.Context) error {
	p := w.partners[evil]
	well := object{"status": "active", "class": "channel", "offer": "manage", "sso": true}
	return w.patch(ctx, w.provider(), "/v1/partners/evil", well, func() {
		p.status, p.class, p.offer, p.sso = "active", "channel", 3, true
	})
}

// as is the account under its present address.
func (w *world) as(a *account) who {
	return who{TokenRequest: stack.TokenRequest{Email: a.address, Account: a.id}, side: evil, account: a.id}
}

// owner is the evil partner's.
func (w *world) owner() *account {
	for _, id := range w.order {
		if a := w.accounts[id]; a.partner == evil && a.role == "owner" {
			return a
		}
	}
	return w.accounts[w.order[0]]
}

// some is an active account of the evil partner's staff with a role like that, or the owner.
func (w *world) some(fits func(*account) bool) *account {
	var out []*account
	for _, id := range w.usersOf(evil, false) {
		if a := w.accounts[id]; a.status == "active" && readable(a.address) && a.role != "owner" && fits(a) {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return w.owner()
	}
	return pick(w, out...)
}

func leads(a *account) bool  { return rank(a.role) >= rank("business") }
func serves(a *account) bool { return rank(a.role) < rank("business") }

func (w *world) admin(cust string) who { return w.person("ann@" + cust + ".example") }

// fresh is an address that nobody has had.
func (w *world) fresh(domain string) string {
	w.made++
	return fmt.Sprintf("e%d@%s", w.made, domain)
}

func (w *world) makes(address, role string) move {
	return func(ctx context.Context) error {
		body := object{"email": address, "name": "Mallory", "role": role}
		return w.changeUser(ctx, w.as(w.owner()), http.MethodPost, "/v1/partners/evil/users", body, "", role)
	}
}

// alters has the owner change a user, who is found by its address when it is time.
func (w *world) alters(address string, body object) move {
	return func(ctx context.Context) error {
		a := w.holder(address)
		if a == nil {
			return nil
		}
		method, role := http.MethodPatch, ""
		if body == nil {
			method = http.MethodDelete
		} else if r, ok := body["role"].(string); ok {
			role = r
		}
		return w.changeUser(ctx, w.as(w.owner()), method, "/v1/partners/evil/users/"+a.id, body, a.id, role)
	}
}

// opens has the customer let the evil partner in up to that level, and say who picks the users.
func (w *world) opens(cust string, l level, byPartner bool) move {
	return func(ctx context.Context) error {
		t := w.termsOf(cust, evil)
		path, body := "/v1/customers/"+cust+"/grants", object{"level": levels()[l], "assigned_by": "customer"}
		if byPartner {
			body["assigned_by"] = "partner"
		}
		if w.running(t) {
			body["state"], body["until"] = "open", nil
			return w.patch(ctx, w.admin(cust), path+"/"+evil, body, func() {
				t.level, t.suspended, t.until = l, false, time.Time{}
				w.choose(t, evil, byPartner)
			})
		}
		body["partner"] = evil
		a, err := w.do(ctx, w.admin(cust), http.MethodPost, path, body)
		if err == nil && a.Done() {
			w.begin(t, l, w.now, time.Time{})
			w.choose(t, evil, byPartner)
			clear(t.named)
		}
		return err
	}
}

func (w *world) revokes(cust string) move {
	return func(ctx context.Context) error {
		a, err := w.do(ctx, w.admin(cust), http.MethodDelete, "/v1/customers/"+cust+"/grants/"+evil, nil)
		if err == nil && a.Done() {
			w.termsOf(cust, evil).open = false
		}
		return err
	}
}

// chooses has the partner pick, with or without who has the address then.
func (w *world) chooses(cust, address string, in bool) move {
	return func(ctx context.Context) error {
		users := []string{w.owner().id}
		if a := w.holder(address); in && a != nil {
			users = append(users, a.id)
			w.aim = aim{a.id, cust}
		}
		return w.putAssignment(ctx, w.as(w.owner()), evil, cust, "/v1/partners/evil/customers/"+cust+"/users", object{"users": users}, nil)
	}
}

func (w *world) everyone(cust string, on bool) move {
	return func(ctx context.Context) error {
		return w.putAssignment(ctx, w.as(w.owner()), evil, cust, "/v1/partners/evil/customers/"+cust+"/users", object{"everyone": on}, &on)
	}
}

// enters has who is invited under the address accept whatever invitations there are to it.
func (w *world) enters(cust, address string) move {
	return func(ctx context.Context) error {
		for _, secret := range w.secrets {
			i := w.invitations[strings.Split(secret, "~")[1]]
			if i == nil || i.address != address || i.customer != cust || i.over {
				continue
			}
			if err := w.accept(ctx, w.person(address), i, secret); err != nil {
				return err
			}
			if a := w.holder(address); a != nil {
				w.aim = aim{a.id, cust}
			}
		}
		return nil
	}
}

func (w *world) provides(f func(context.Context, who) error) move {
	return func(ctx context.Context) error { return f(ctx, w.provider()) }
}

// squat takes an address that is somebody else's, who comes later.
func (w *world) squat(string) []move {
	address := pick(w, "boss@globex.example", "newcio@globex.example")
	take := w.makes(address, "tech")
	if w.chance(2) {
		take = w.alters(w.some(serves).address, object{"email": address})
	}
	switch w.random.IntN(3) {
	case 0:
		return []move{take, func(ctx context.Context) error {
			a, err := w.do(ctx, w.admin(acme), http.MethodPost, "/v1/customers/acme/grants", object{"email": address})
			if err == nil && a.Done() {
				w.violation("%s granted to %s, an address that nobody has proved: %s", acme, address, a.Body)
			}
			return err
		}}
	case 1:
		return []move{take, w.provides(func(ctx context.Context, by who) error {
			return w.putMember(ctx, by, pick(w, globex, acme), address, "member")
		})}
	}
	own := func(ctx context.Context) error { return w.registerDomain(ctx, globex, "globex.example") }
	return []move{take, w.opens(globex, 3, true), w.chooses(globex, address, true), own}
}

// membership has an account use the membership of the person who has its address.
func (w *world) membership(cust string) []move {
	a := w.some(func(*account) bool { return true })
	address, grants := a.address, "/v1/customers/"+cust+"/grants"
	return []move{
		w.provides(func(ctx context.Context, by who) error { return w.putMember(ctx, by, cust, address, "admin") }),
		func(ctx context.Context) error {
			_, err := w.attempt(ctx, w.as(a), http.MethodGet, grants, nil)
			return err
		},
		func(ctx context.Context) error {
			_, err := w.attempt(ctx, w.as(a), http.MethodPatch, grants+"/"+evil, object{"level": "manage"})
			return err
		},
		w.provides(func(ctx context.Context, by who) error { return w.removeMember(ctx, by, cust, address) }),
	}
}

// recycle gives the address of one account to another one of a higher role, and uses a token of the first.
func (w *world) recycle(string) []move {
	a := w.some(serves)
	old := w.as(a)
	return []move{
		w.alters(a.address, object{"email": w.fresh("evil.example")}), w.makes(old.Email, "admin"),
		func(ctx context.Context) error {
			_, err := w.attempt(ctx, old, http.MethodPatch, "/v1/partners/evil/users/"+a.id, object{"name": "Mallory"})
			return err
		},
	}
}

// climb goes for roles: its own, those above it, and the last owner's.
func (w *world) climb(string) []move {
	me := w.some(func(a *account) bool { return a.role == pick(w, "business", "admin") })
	other := w.some(func(a *account) bool { return rank(a.role) > rank(me.role) })
	path := "/v1/partners/evil/users/"
	role := pick(w, "owner", "admin", "business", "tech")
	return []move{
		func(ctx context.Context) error {
			return w.changeUser(ctx, w.as(me), http.MethodPatch, path+me.id, object{"role": role}, me.id, role)
		},
		func(ctx context.Context) error {
			return w.changeUser(ctx, w.as(me), http.MethodPatch, path+other.id, object{"name": w.fresh("name")}, other.id, "")
		},
		func(ctx context.Context) error {
			return w.changeUser(ctx, w.as(me), http.MethodDelete, path+other.id, nil, other.id, "")
		},
		w.provides(func(ctx context.Context, by who) error {
			var err error
			switch w.random.IntN(3) {
			case 0:
				_, err = w.do(ctx, by, http.MethodPatch, path+w.owner().id, object{"status": "disabled"})
			case 1:
				_, err = w.do(ctx, by, http.MethodPatch, path+w.owner().id, object{"role": "admin"})
			case 2:
				_, err = w.do(ctx, by, http.MethodDelete, path+w.owner().id, nil)
			}
			if err != nil {
				return err
			}
			return w.reloadUsers(ctx)
		}),
	}
}

// shed is a way out of a customer's cap on one person.
func (w *world) shed(cust string) []move {
	address := w.some(serves).address
	var out []move
	if w.chance(2) {
		address = w.mailbox()
		out = append(out, w.makes(address, "tech"))
	}
	most := level(w.random.IntN(3))
	out = append(out, w.opens(cust, 3, true), w.chooses(cust, address, true), func(ctx context.Context) error {
		return w.patch(ctx, w.admin(cust), "/v1/customers/"+cust+"/grants/"+evil, object{"caps": object{address: levels()[most]}}, func() {
			w.customers[cust].caps[address] = most
		})
	})
	switch w.random.IntN(6) {
	case 0:
		out = append(out, w.chooses(cust, address, false))
	case 1:
		out = append(out, w.everyone(cust, true), w.everyone(cust, false))
	case 2:
		now := w.fresh(domainOf(address))
		out = append(out, w.alters(address, object{"email": now}))
		address = now
	case 3:
		out = append(out, w.alters(address, nil), w.makes(address, "tech"))
	case 4:
		out = append(out, w.revokes(cust), w.opens(cust, 3, true))
	case 5:
		return append(out, w.alters(address, nil), func(ctx context.Context) error {
			body := object{"email": address, "partner": evil, "level": "manage", "days": 14}
			return w.sendInvitation(ctx, w.admin(cust), cust, evil, body, 3, time.Time{})
		}, w.enters(cust, address))
	}
	return append(out, w.chooses(cust, address, true))
}

// lateGuest accepts the invitation of a partner's user when much has changed.
func (w *world) lateGuest(cust string) []move {
	address, a := w.mailbox(), w.some(leads)
	user := "/v1/partners/evil/users/" + a.id
	provider := func(body object) move {
		return w.provides(func(ctx context.Context, by who) error {
			if _, err := w.do(ctx, by, http.MethodPatch, user, body); err != nil {
				return err
			}
			return w.reloadUsers(ctx)
		})
	}
	out := []move{
		w.alters(address, nil), w.opens(cust, level(1+w.random.IntN(3)), true),
		func(ctx context.Context) error {
			return w.inviteAsPartner(ctx, w.as(a), cust, address, 3, 1+w.random.IntN(30))
		},
	}
	switch w.random.IntN(8) {
	case 0:
		out = append(out, provider(object{"role": "tech"}))
	case 1:
		out = append(out, provider(object{"status": "disabled"}))
	case 2:
		out = append(out, provider(object{"email": w.fresh("other.example")}))
	case 3:
		out = append(out, w.opens(cust, 3, false), w.opens(cust, 3, true))
	case 4:
		out = append(out, w.revokes(cust), w.opens(cust, 3, true))
	case 5:
		out = append(out, w.opens(cust, 1, true))
	case 6:
		out = append(out, w.moveClock)
	case 7:
		out = append(out, w.opens(cust, 3, true))
	}
	return append(out, w.enters(cust, address), w.opens(cust, 3, true))
}

// hostGone accepts the invitation of a customer's admin, who is none any more; or one to a grant that was to end, and now does not.
func (w *world) hostGone(cust string) []move {
	host, address := "deb@"+cust+".example", w.mailbox()
	until := w.now.Add(5 * 24 * time.Hour)
	out := []move{
		w.alters(address, nil),
		w.provides(func(ctx context.Context, by who) error { return w.putMember(ctx, by, cust, host, "admin") }),
		w.revokes(cust),
		func(ctx context.Context) error {
			body := object{"email": address, "partner": evil, "level": "manage", "days": 14, "until": until}
			return w.sendInvitation(ctx, w.person(host), cust, evil, body, 3, until)
		},
	}
	switch w.random.IntN(3) {
	case 0:
		out = append(out, w.provides(func(ctx context.Context, by who) error { return w.putMember(ctx, by, cust, host, "member") }))
	case 1:
		out = append(out, w.provides(func(ctx context.Context, by who) error { return w.removeMember(ctx, by, cust, host) }))
	case 2:
		out = append(out, w.opens(cust, 3, false))
	}
	return append(out, w.enters(cust, address))
}

// replace puts another person into the account of one whom the customer has picked.
func (w *world) replace(cust string) []move {
	a := w.some(serves)
	return []move{
		w.opens(cust, 3, false),
		func(ctx context.Context) error {
			w.aim = aim{a.id, cust}
			return w.patch(ctx, w.admin(cust), "/v1/customers/"+cust+"/grants/"+evil, object{"users": object{"add": []string{a.id}}}, func() {
				w.name(w.termsOf(cust, evil), a.id)
			})
		},
		func(ctx context.Context) error {
			return w.alters(a.address, object{"email": w.fresh("other.example")})(ctx)
		},
	}
}
