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

// A search lists candidates page by page and decides each on its facts, like a check. A page says where the next one begins in the
// candidates, not in the results, so that each request does a bounded piece of work; it may hold fewer results than its limit, or none.

// partnersPerPage is how many partners of a customer one page of a search for subjects looks at.
const partnersPerPage = 25

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
		facts, err := k.Facts.Facts(ctx, []access.Question{{User: f.user}}, f.ask.consistency())
		if err != nil || !k.Catalogue.DecidePortal(facts[0], partner, f.ask.action.id).Allow {
			return results{}, err
		}
		return results{list: []string{partner}}, nil
	}
	if t, _ := k.Catalogue.Resource(f.ask.resource.kind); !t.Self {
		return results{}, nil // whose ids only the provider knows
	}
	customers, err := k.Facts.CustomersOf(ctx, partner, access.PageAsk{After: f.after, Limit: f.limit})
	if err != nil || len(customers.Items) == 0 {
		return results{next: customers.Next}, err
	}
	qs := make([]access.Question, len(customers.Items))
	for i, c := range customers.Items {
		qs[i] = access.Question{User: f.user, Customer: c}
	}
	facts, err := k.Facts.Facts(ctx, qs, f.ask.consistency())
	if err != nil {
		return results{}, err
	}
	now := k.Now().UTC()
	found := results{next: customers.Next}
	for i, c := range customers.Items {
		if k.Catalogue.Decide(facts[i], c, f.ask.action.id, now).Allow {
			found.list = append(found.list, c)
		}
	}
	return found, nil
}

// subjects finds the users who may do the action. The position is <partner>|<user>: after that user of the partner, or, with "*" for
// the user, after all of them.
func (k *check) subjects(ctx context.Context, _ *Request, f *find) (results, error) {
	partner, user, _ := strings.Cut(f.after, "|")
	if f.portal {
		found, next, err := k.usersWhoMay(ctx, f, f.partner, user, f.limit)
		if next != "" {
			found.next = f.partner + "|" + next
		}
		return found, err
	}
	if !access.ValidID(f.customer) {
		return results{}, nil
	}
	var found results
	left := f.limit
	if partner != "" && user != "*" { // in the midst of a partner
		part, next, err := k.usersWhoMay(ctx, f, partner, user, left)
		if err != nil {
			return results{}, err
		}
		found.list = part.list
		if next != "" {
			found.next = partner + "|" + next
			return found, nil
		}
		left -= len(part.list)
	}
	if left <= 0 {
		found.next = partner + "|*"
		return found, nil
	}
	partners, err := k.Facts.PartnersOf(ctx, f.customer, access.PageAsk{After: partner, Limit: partnersPerPage})
	if err != nil {
		return results{}, err
	}
	open, err := k.letIn(ctx, f, partners.Items)
	if err != nil {
		return results{}, err
	}
	for i, p := range partners.Items {
		if open[i] {
			part, next, err := k.usersWhoMay(ctx, f, p, "", left)
			if err != nil {
				return results{}, err
			}
			found.list = append(found.list, part.list...)
			if next != "" {
				found.next = p + "|" + next
				return found, nil
			}
			left -= len(part.list)
		}
		if left <= 0 && (i+1 < len(partners.Items) || partners.Next != "") {
			found.next = p + "|*"
			return found, nil
		}
	}
	if partners.Next != "" {
		found.next = partners.Next + "|*"
	}
	return found, nil
}

// letIn tells which partners' grants are active, so that nobody is looked for in the others.
func (k *check) letIn(ctx context.Context, f *find, partners []string) ([]bool, error) {
	qs := make([]access.Question, len(partners))
	for i, p := range partners {
		qs[i] = access.Question{User: p + ":", Customer: f.customer} // no user: the partner and its grant are what matters
	}
	facts, err := k.Facts.Facts(ctx, qs, f.ask.consistency())
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

// usersWhoMay decides one page of a partner's users.
func (k *check) usersWhoMay(ctx context.Context, f *find, partner, after string, limit int) (found results, next string, err error) {
	if after != "" && !access.ValidUserID(after) || !access.ValidID(partner) {
		return found, "", nil // a forged token: it finds nothing
	}
	users, err := k.Facts.UsersOf(ctx, partner, access.PageAsk{After: after, Limit: limit})
	if err != nil || len(users.Items) == 0 {
		return found, users.Next, err
	}
	ms := make([]matter, len(users.Items))
	qs := make([]access.Question, len(users.Items))
	for i, u := range users.Items {
		ms[i] = matter{user: u, customer: f.customer, portal: f.portal, partner: f.partner, known: true}
		qs[i] = ms[i].question()
	}
	facts, err := k.Facts.Facts(ctx, qs, f.ask.consistency())
	if err != nil {
		return found, "", err
	}
	now := k.Now().UTC()
	for i := range ms {
		if k.decideOne(&ms[i], facts[i], f.ask.action.id, now).Allow {
			found.list = append(found.list, ms[i].user)
		}
	}
	return found, users.Next, nil
}

// actions finds the named actions that the user may do.
func (k *check) actions(ctx context.Context, _ *Request, f *find) (results, error) {
	facts, err := k.Facts.Facts(ctx, []access.Question{f.question()}, f.ask.consistency())
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
