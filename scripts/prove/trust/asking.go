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

// wish is a partner's request, as it was made, and what customers' people have approved of it so far.
type wish struct {
	id, customer, partner string
	kind                  string
	personal              bool
	account, address      string // who asked
	offer                 offer
	approvals             map[string]offer // by address
	wasOpen               bool
	opened                int
	over                  bool
}

// offer is what a request asks for, or what somebody approves of it.
type offer struct {
	level    level
	user     string // one; "" = none is named
	everyone bool
	until    time.Time // zero: no end
}

// attackByRequest asks for something, or decides about it in the customers' place.
func (w *world) attackByRequest(ctx context.Context) error {
	by, part, cust := w.attacker(), pick(w, evil, evil, evil, evil, good), pick(w, customers()...)
	if len(w.wishes) > 0 && w.chance(2) {
		r := pick(w, w.wishes...)
		switch w.random.IntN(6) {
		case 0:
			a, err := w.attempt(ctx, by, http.MethodDelete, "/v1/partners/"+r.partner+"/requests/"+r.id, nil)
			if err == nil && a.Done() {
				r.over = true
			}
			return err
		case 1:
			_, err := w.attempt(ctx, by, http.MethodGet, "/v1/partners/"+part+"/requests"+pick(w, "", "/"+r.id), nil)
			return err
		case 2:
			_, err := w.attempt(ctx, by, http.MethodGet, "/v1/customers/"+cust+pick(w, "/requests", "/requests/"+r.id, "/request-policy"), nil)
			return err
		}
		return w.decide(ctx, by, r)
	}
	return w.askFor(ctx, by, part, cust, pick(w, w.usersOf(part, true)...))
}

// waiting tells whether requests to the customer wait for a decision, as far as the world knows.
func (w *world) waiting(cust string) bool {
	return slices.ContainsFunc(w.wishes, func(r *wish) bool { return r.customer == cust && !r.over })
}

// askFor makes a request.
func (w *world) askFor(ctx context.Context, by who, part, cust, user string) error {
	if !w.chance(4) { // mostly somebody who can
		for _, id := range w.usersOf(part, true) {
			a := w.accounts[id]
			if a.status == "active" && (rank(a.role) >= rank("business") || w.chance(3)) && w.chance(2) {
				by = who{TokenRequest: stack.TokenRequest{Email: a.address, Account: id}, side: sideOf(a.address), account: id}
				break
			}
		}
	}
	t := w.termsOf(cust, part)
	r := &wish{customer: cust, partner: part, kind: w.someKind(t), approvals: map[string]offer{}}
	body := object{"customer": cust, "kind": r.kind}
	if w.codes[cust] != "" && w.chance(2) {
		body["code"] = w.codes[cust]
	} else if w.chance(4) {
		body["code"] = "ABCD2345"
	}
	r.wasOpen, r.opened = w.running(t), t.opened
	me := w.accounts[by.account]
	r.personal = me != nil && rank(me.role) < rank("business")
	switch {
	case r.kind == "access" && !r.personal:
		if r.offer.everyone = w.chance(3); r.offer.everyone {
			body["everyone"] = true
		} else {
			r.offer.user = user
			body["users"] = []string{user}
		}
	case r.personal:
		r.offer.user = by.account
	}
	if r.kind == "raise" || r.kind == "access" && !r.wasOpen {
		r.offer.level = level(1 + w.random.IntN(3))
		if r.kind == "raise" && !w.chance(3) {
			r.offer.level = min(3, t.level+1)
		}
		body["level"] = levels()[r.offer.level]
	}
	if r.kind == "extend" || r.kind == "access" && !r.wasOpen && w.chance(2) {
		r.offer.until = w.now.Add(time.Duration(1+w.random.IntN(90)) * 24 * time.Hour)
		if r.kind == "extend" && !w.chance(3) {
			r.offer.until = t.until.Add(time.Duration(1+w.random.IntN(9)) * 24 * time.Hour)
		}
		body["until"] = r.offer.until
	}
	a, err := w.attempt(ctx, by, http.MethodPost, "/v1/partners/"+part+"/requests", body)
	if err != nil || a.Status != http.StatusCreated {
		return err
	}
	var got struct{ Request struct{ ID string } }
	if err := a.Into(&got); err != nil {
		return err
	}
	r.id, r.account, r.address = got.Request.ID, by.account, by.Email
	w.wishes = append(w.wishes, r)
	w.report.Asked++
	if len(w.scheme) == 0 && !w.chance(3) { // it is decided soon, and not first by who may
		w.scheme = []move{
			func(ctx context.Context) error {
				return w.decide(ctx, who{TokenRequest: stack.TokenRequest{Email: by.Email}, side: evil}, r)
			},
			func(ctx context.Context) error { return w.decide(ctx, w.person("ann@"+cust+".example"), r) },
			func(ctx context.Context) error { return w.decide(ctx, w.person("cleo@"+cust+".example"), r) },
		}
	}
	return nil
}

// someKind is mostly one that is left to ask for.
func (w *world) someKind(t *terms) string {
	switch {
	case w.chance(3):
		return pick(w, "access", "access", "extend", "raise")
	case !w.running(t):
		return "access"
	case !t.until.IsZero() && w.chance(2):
		return "extend"
	case t.level < 3 && w.chance(2):
		return "raise"
	}
	return "access"
}

// customerOnRequests has a customer's people say who may ask, hand out a code, and decide.
func (w *world) customerOnRequests(ctx context.Context, cust string) error {
	ann := w.person("ann@" + cust + ".example")
	path := "/v1/customers/" + cust
	var waiting []*wish
	for _, r := range w.wishes {
		if r.customer == cust && !r.over {
			waiting = append(waiting, r)
		}
	}
	switch n := w.random.IntN(10); {
	case n < 1 || len(waiting) == 0 && n < 6:
		need := 1 + w.random.IntN(2)
		a, err := w.do(ctx, ann, http.MethodPut, path+"/request-policy",
			object{"mode": pick(w, "off", "code", "known", "open", "open", "open"), "approvals": need})
		if err == nil && a.Done() {
			w.customers[cust].approvals = need
		}
		return err
	case n < 2 || len(waiting) == 0:
		a, err := w.do(ctx, ann, http.MethodPost, path+"/request-policy/code", nil)
		if err == nil && a.Done() {
			w.codes[cust] = a.Text("code")
		}
		return err
	case n < 3:
		r := pick(w, waiting...)
		a, err := w.do(ctx, ann, http.MethodPost, path+"/requests/"+r.id+"/decline", object{"note": "no"})
		if err == nil && a.Done() {
			r.over = true
		}
		return err
	}
	who := w.person(pick(w, "ann", "cleo") + "@" + cust + ".example")
	return w.decide(ctx, who, pick(w, waiting[max(0, len(waiting)-4):]...))
}

// decide approves a request, and records what that consents to.
func (w *world) decide(ctx context.Context, by who, r *wish) error {
	give, body := r.offer, object{}
	if r.offer.level > 1 && w.chance(3) {
		give.level--
		body["level"] = levels()[give.level]
	}
	if !r.offer.until.IsZero() && w.chance(4) {
		give.until = r.offer.until.Add(-12 * time.Hour)
		body["until"] = give.until
	}
	if w.chance(10) && r.offer.level > 0 {
		body["level"] = levels()[min(3, r.offer.level+1)]
		give.level = min(3, r.offer.level+1)
	}
	path := "/v1/customers/" + r.customer + "/requests/" + r.id + "/approve"
	var a ask.Answer
	var err error
	if by.side == "" {
		a, err = w.do(ctx, by, http.MethodPost, path, body)
	} else {
		a, err = w.attempt(ctx, by, http.MethodPost, path, body)
	}
	if err != nil || !a.Done() {
		return err
	}
	return w.judgeApproval(ctx, by, r, give, a)
}

// judgeApproval holds an approval that was accepted against who may approve what, and records the consent that it is.
func (w *world) judgeApproval(ctx context.Context, by who, r *wish, give offer, a ask.Answer) error {
	what := fmt.Sprintf("%s approved the %s of %s by %s at %s", w.call(by), r.kind, r.address, r.partner, r.customer)
	k, t := w.customers[r.customer], w.termsOf(r.customer, r.partner)
	if !k.members[by.Email] {
		w.violation("%s, and is no admin there", what)
	}
	if w.own(by.Email, r) {
		w.violation("%s, and is of the asking side", what)
	}
	if give.level > r.offer.level {
		w.violation("%s at %s, and was asked for %s", what, levels()[give.level], levels()[r.offer.level])
	}
	var got struct {
		Request struct{ Status string }
		Grant   *struct {
			ID, Level string
			Until     *time.Time
		}
	}
	if err := a.Into(&got); err != nil {
		return err
	}
	r.approvals[by.Email] = give
	count := 0
	for address, other := range r.approvals {
		if other == give && k.members[address] && !w.own(address, r) {
			count++
		}
	}
	final := got.Request.Status == "approved"
	switch {
	case final != (got.Grant != nil):
		w.violation("%s: it is %s, and the grant is %v", what, got.Request.Status, got.Grant)
	case final && count < max(1, k.approvals):
		w.violation("%s: %d have approved, and %d are needed", what, count, k.approvals)
	case final && r.over:
		w.violation("%s, and that was over", what)
	case final && (r.wasOpen && (t.opened != r.opened || !w.running(t)) || !r.wasOpen && w.running(t)):
		w.violation("%s, and the grant is another one by now", what)
	}
	if asker := w.accounts[r.account]; final &&
		(asker == nil || asker.status != "active" || !r.personal && rank(asker.role) < rank("business")) {
		w.violation("%s, and who asked may not ask any more", what)
	}
	if !final {
		return nil
	}
	w.report.Approved++
	r.over = true
	w.consentTo(r, give)
	return w.judgeGranted(ctx, what, r, give)
}

// own returns whether the address is of the side that asked.
func (w *world) own(address string, r *wish) bool {
	holder := w.holder(address)
	return address == r.address || holder != nil && holder.partner == r.partner
}

// consentTo records what a final approval consents to.
func (w *world) consentTo(r *wish, give offer) {
	t := w.termsOf(r.customer, r.partner)
	switch {
	case r.kind == "extend":
		t.until = give.until
	case r.kind == "raise" && r.personal:
		for _, address := range w.accounts[r.account].held {
			if limit, ok := w.customers[r.customer].caps[address]; ok && limit < give.level {
				w.customers[r.customer].caps[address] = give.level
			}
		}
	case r.kind == "raise":
		t.level = give.level
	default:
		if !r.wasOpen {
			w.begin(t, give.level, w.now, give.until)
			w.choose(t, r.partner, false)
		}
		if give.everyone {
			w.switchEveryone(t, r.partner, true)
		} else {
			w.name(t, give.user)
		}
	}
}

// judgeGranted reads the grant: what was approved is there at once.
func (w *world) judgeGranted(ctx context.Context, what string, r *wish, give offer) error {
	a, err := w.getAsProvider(ctx, "/v1/customers/"+r.customer+"/grants/"+r.partner)
	if err != nil {
		return err
	}
	var g struct {
		Level, Status string
		Everyone      bool
		Until         *time.Time
	}
	if err := a.Into(&g); err != nil {
		w.violation("%s, and there is no grant: %v", what, err)
		return nil
	}
	until := time.Time{}
	if g.Until != nil {
		until = *g.Until
	}
	switch {
	case slices.Contains([]string{"ended", "expired"}, g.Status),
		give.everyone && !g.Everyone,
		give.level > 0 && !r.personal && levelOf(g.Level) != give.level,
		(r.kind == "extend" || r.kind == "access" && !r.wasOpen) && !until.Equal(give.until.Truncate(time.Millisecond)):
		w.violation("%s with %+v, and the grant is %s", what, give, strings.TrimSpace(string(a.Body)))
	}
	return nil
}
