package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"partneraccess/shared/access"
)

// A search lists candidates stretch by stretch and decides each on its facts, like a check, until its page is full and one more result is known, or the
// candidates end. A page says where the next one begins in the candidates. So that each request does a bounded piece of work, it reads maxStretches at
// most: a page may be short, and have a next one, only after some thousand candidates of which too few were results.
const (
	maxStretches       = 50  // of one request
	candidatesAtOnce   = 100 // at most, in a stretch
	partnersPerStretch = 25  // of a customer, in a search for subjects
)

// find is a search: what it asks, and the part that is wanted.
type find struct {
	*matter
	ask   *ask
	limit int
	after string // the position in the candidates, "" = the start
}

// results are a page of ids or names, and the position after it ("" = there are no more).
type results struct {
	list []string
	next string
}

func (k *check) search(
	ctx context.Context, r *Request, n needs, candidates func(context.Context, *Request, *find) (results, error),
) ([]byte, *access.Error) {
	b, refused := k.read(r, false)
	if refused != nil {
		return nil, refused
	}
	a := &b.asks[0]
	if e := a.flawed(n); e != nil {
		return nil, e
	}
	ms := make([]matter, 1)
	m := &ms[0]
	forSubject, forResource := !n.subjectID, !n.resourceID
	if forSubject {
		a.subject.id = "" // it is ignored
	}
	if forResource {
		a.resource.id, a.resource.customer, a.resource.owned = "", "", true
	}
	if e := k.understand(a, m); e != nil {
		return nil, e
	}
	if refused := k.mayAsk(ctx, r, ms); refused != nil {
		return nil, refused
	}
	f := &find{matter: m, ask: a}
	digest := f.digest(r.RouteKey)
	if refused := f.turn(b.page, digest); refused != nil {
		return nil, refused
	}
	k.name(ctx, r, ms)
	if m.failed != nil {
		return nil, m.failed
	}
	var found results
	if m.known && (forSubject && a.subject.kind == "user" || m.user != "") {
		var err error
		if found, err = candidates(ctx, r, f); err != nil {
			return nil, k.unread(ctx, r, err)
		}
	}

	out := append(make([]byte, 0, 64+48*len(found.list)), `{"page":{"next_token":`...)
	out = quote(out, f.token(digest, found.next))
	out = append(out, `},"results":[`...)
	for i, id := range found.list {
		if i > 0 {
			out = append(out, ',')
		}
		switch {
		case forSubject:
			out = append(out, `{"type":"user","id":`...)
		case forResource:
			out = append(out, `{"type":`...)
			out = quote(out, a.resource.kind)
			out = append(out, `,"id":`...)
		default:
			out = append(out, `{"name":`...)
		}
		out = quote(out, id)
		out = append(out, '}')
	}
	return append(out, `]}`...), nil
}

// digest identifies the search that a token belongs to.
func (f *find) digest(route string) string {
	var b []byte
	for _, e := range [...]*entity{f.ask.subject, f.ask.action, f.ask.resource} {
		if e == nil { // a search for actions needs none
			e = &entity{}
		}
		b = quote(quote(quote(b, e.kind), e.id), e.customer)
	}
	b = quote(quote(b, route), string(f.ask.consistency()))
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// token is where the next page begins: <digest><limit>.<position>. It names only a place among candidates that the search would come
// to anyway, so that a forged one reaches nothing else.
func (f *find) token(digest, next string) string {
	if next == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(digest + strconv.Itoa(f.limit) + "." + next))
}

// turn finds the page that is wanted.
func (f *find) turn(p page, digest string) *access.Error {
	f.limit = p.limit
	if p.token == "" {
		if f.limit == 0 {
			f.limit = defaultLimit
		}
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.token)
	rest, ours := strings.CutPrefix(string(text), digest)
	limit, after, whole := strings.Cut(rest, ".")
	n, bad := strconv.Atoi(limit)
	if err != nil || !ours || !whole || bad != nil || n < 1 || n > maxLimit || !plainPosition(after) {
		return invalid("/page/token", "This token belongs to another search, or is none: start again without it.")
	}
	if f.limit != 0 && f.limit != n {
		return invalid("/page/limit", "The limit is the one that the search began with; it may be left out.")
	}
	f.limit, f.after = n, after
	return nil
}

// resources finds the customers that let the user in for the action, or its own partner's portal.
func (k *check) resources(ctx context.Context, _ *Request, f *find) (results, error) {
	partner, _, _ := strings.Cut(f.user, ":")
	if f.ask.resource.kind == access.PartnerType {
		facts, err := k.Facts.Facts(ctx, []access.FactsQuery{{User: f.user}}, f.ask.consistency())
		if err != nil || !k.Catalogue.DecidePortal(facts[0], partner, f.ask.action.id).Allow {
			return results{}, err
		}
		return results{list: []string{partner}}, nil
	}
	if t, _ := k.Catalogue.Resource(f.ask.resource.kind); !t.Self {
		return results{}, nil // whose ids only the provider knows
	}
	g := gathering{limit: f.limit, at: f.after, left: maxStretches}
	for g.more() {
		customers, err := k.Facts.CustomersOf(ctx, partner, access.PageRequest{After: g.at, Limit: g.stretch()})
		if err != nil {
			return results{}, err
		}
		qs := make([]access.FactsQuery, len(customers.Items))
		for i, c := range customers.Items {
			qs[i] = access.FactsQuery{User: f.user, Customer: c}
		}
		facts, err := k.factsOf(ctx, qs, f)
		if err != nil {
			return results{}, err
		}
		now := k.Now().UTC()
		for i, c := range customers.Items {
			if g.take(c, c, k.Catalogue.Decide(facts[i], c, f.ask.action.id, now).Allow) {
				return g.results, nil
			}
		}
		if customers.Next == "" {
			return g.results, nil
		}
		g.at = customers.Next
	}
	return g.results, nil
}

// factsOf reads the facts of candidates, if there are any.
func (k *check) factsOf(ctx context.Context, qs []access.FactsQuery, f *find) ([]access.Facts, error) {
	if len(qs) == 0 {
		return nil, nil
	}
	return k.Facts.Facts(ctx, qs, f.ask.consistency())
}

// gathering fills a page of a search.
type gathering struct {
	results
	limit int
	at    string // the position after the last candidate that was decided
	left  int    // stretches that may still be read
}

// more tells whether another stretch may be read; when not, the next page begins here.
func (g *gathering) more() bool {
	if g.left == 0 {
		g.next = g.at
		return false
	}
	g.left--
	return true
}

// stretch is how many candidates to read: as many as fill the page when all are results, and many when they are not.
func (g *gathering) stretch() int {
	if g.left == maxStretches-1 {
		return min(g.limit+1, candidatesAtOnce)
	}
	return candidatesAtOnce
}

// take adds a candidate when it is a result; position is the one after it. It tells that the page is full and another result follows.
func (g *gathering) take(id, position string, result bool) (full bool) {
	if result && len(g.list) == g.limit {
		g.next = g.at
		return true
	}
	if result {
		g.list = append(g.list, id)
	}
	g.at = position
	return false
}

// subjects finds the users who may do the action. The position is <partner>|<user>: after that user of the partner, or, with "*" for
// the user, after all of them.
func (k *check) subjects(ctx context.Context, _ *Request, f *find) (results, error) {
	partner, user, _ := strings.Cut(f.after, "|")
	g := &gathering{limit: f.limit, at: f.after, left: maxStretches}
	if f.portal {
		_, err := k.usersWhoMay(ctx, f, g, f.partner, user)
		return g.results, err
	}
	if !access.ValidID(f.customer) {
		return results{}, nil
	}
	if partner != "" && user != "*" { // in the midst of a partner
		if full, err := k.usersWhoMay(ctx, f, g, partner, user); full || err != nil {
			return g.results, err
		}
		g.at = partner + "|*"
	}
	for g.more() {
		partners, err := k.Facts.PartnersOf(ctx, f.customer, access.PageRequest{After: partner, Limit: partnersPerStretch})
		if err != nil {
			return results{}, err
		}
		open, err := k.letIn(ctx, f, partners.Items)
		if err != nil {
			return results{}, err
		}
		for i, p := range partners.Items {
			if open[i] {
				if full, err := k.usersWhoMay(ctx, f, g, p, ""); full || err != nil {
					return g.results, err
				}
			}
			g.at = p + "|*"
		}
		if partner = partners.Next; partner == "" {
			return g.results, nil
		}
		g.at = partner + "|*"
	}
	return g.results, nil
}

// letIn tells which partners' grants are active, so that nobody is looked for in the others.
func (k *check) letIn(ctx context.Context, f *find, partners []string) ([]bool, error) {
	qs := make([]access.FactsQuery, len(partners))
	for i, p := range partners {
		qs[i] = access.FactsQuery{User: p + ":", Customer: f.customer} // no user: the partner and its grant are what matters
	}
	facts, err := k.factsOf(ctx, qs, f)
	if err != nil {
		return nil, err
	}
	now := k.Now().UTC()
	open := make([]bool, len(partners))
	for i := range facts {
		open[i] = facts[i].Partner != nil && facts[i].Grant != nil && facts[i].Grant.Status(facts[i].Partner, now) == "active"
	}
	return open, nil
}

// usersWhoMay decides a partner's users after the given one. Full says that the page ends among them.
func (k *check) usersWhoMay(ctx context.Context, f *find, g *gathering, partner, after string) (full bool, err error) {
	if after != "" && !access.ValidUserID(after) || !access.ValidID(partner) {
		return false, nil // a forged token: it finds nothing
	}
	for g.more() {
		users, err := k.Facts.UsersOf(ctx, partner, access.PageRequest{After: after, Limit: g.stretch()})
		if err != nil {
			return false, err
		}
		ms := make([]matter, len(users.Items))
		qs := make([]access.FactsQuery, len(users.Items))
		for i, u := range users.Items {
			ms[i] = matter{user: u, customer: f.customer, portal: f.portal, partner: f.partner, known: true}
			qs[i] = ms[i].question()
		}
		facts, err := k.factsOf(ctx, qs, f)
		if err != nil {
			return false, err
		}
		now := k.Now().UTC()
		for i := range ms {
			if g.take(ms[i].user, partner+"|"+ms[i].user, k.decideOne(&ms[i], facts[i], f.ask.action.id, now).Allow) {
				return true, nil
			}
		}
		if after = users.Next; after == "" {
			return false, nil
		}
		g.at = partner + "|" + after
	}
	return true, nil
}

// actions finds the named actions that the user may do.
func (k *check) actions(ctx context.Context, _ *Request, f *find) (results, error) {
	facts, err := k.Facts.Facts(ctx, []access.FactsQuery{f.question()}, f.ask.consistency())
	if err != nil {
		return results{}, err
	}
	names := k.Catalogue.CustomerActions()
	if f.portal {
		names = k.Catalogue.PortalActions()
	}
	from, there := slices.BinarySearch(names, f.after)
	if there {
		from++
	}
	var found results
	now := k.Now().UTC()
	for i, name := range names[from:] {
		if !k.decideOne(f.matter, facts[0], name, now).Allow {
			continue
		}
		if len(found.list) == f.limit {
			found.next = names[from+i-1]
			break
		}
		found.list = append(found.list, name)
	}
	return found, nil
}
