package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/authzen"
	"partneraccess/shared/rawjson"
)

// A search reads candidates, some at a time, and decides each on its facts, like a check, until its page is full and one more result is
// known, or the candidates end. A page says where the next one begins in the candidates. The work of a request is bounded by maxReads: a
// page that has a next one is shorter than its limit only after some thousand candidates of which too few were results.
const (
	maxReads          = 50 // of candidates, in one request
	candidatesPerRead = 100
	partnersPerRead   = 25 // of one customer, in a search for subjects
)

// search is a query for the subjects, resources or actions that complete it, and the page that is wanted.
type search struct {
	evaluation
	limit int
	after string // the position in the candidates, "" = the start
}

// results are a page of ids or names, and the position after it ("" = there are no more).
type results struct {
	list []string
	next string
}

// candidates finds a page of a search.
type candidates func(context.Context, *search) (results, error)

func (k *check) search(
	ctx context.Context, r *apigateway.Request, required authzen.Required, find candidates,
) ([]byte, *access.Error) {
	request, refused := k.decode(r, false)
	if refused != nil {
		return nil, refused
	}
	q := &request.Queries[0]
	forSubject, forResource := !required.SubjectID, !required.ResourceID
	if forSubject && q.Subject != nil {
		q.Subject.ID = "" // it is ignored, and likewise below
	}
	if forResource && q.Resource != nil {
		q.Resource.ID, q.Resource.Customer, q.Resource.HasCustomer = "", "", true
	}
	evaluations := []evaluation{k.prepare(q, required)}
	e := &evaluations[0]
	if e.past != nil {
		return nil, q.InvalidAt("A search finds what is allowed now: ask evaluations about the past.")
	}
	if e.failed != nil {
		return nil, e.failed
	}
	if _, refused := k.mayAsk(ctx, r, evaluations); refused != nil {
		return nil, refused
	}
	s := search{}
	digest := queryDigest(r.RouteKey, q)
	if refused := s.setPage(request.Page, digest); refused != nil {
		return nil, refused
	}
	if k.findUsers(ctx, r, evaluations); e.failed != nil {
		return nil, e.failed
	}
	s.evaluation = *e
	var found results
	if e.knownType && (forSubject && q.Subject.Type == "user" || e.user != "") {
		var err error
		if found, err = find(ctx, &s); err != nil {
			return nil, k.readFailed(ctx, r, err)
		}
	}
	out := authzen.Results{IDs: found.list, NextToken: s.token(digest, found.next)}
	switch {
	case forSubject:
		out.Type = "user"
	case forResource:
		out.Type = q.Resource.Type
	}
	return out.Append(make([]byte, 0, 64+48*len(found.list))), nil
}

// queryDigest identifies the search that a token belongs to.
func queryDigest(route string, q *authzen.Query) string {
	var b []byte
	for _, e := range [...]*authzen.Entity{q.Subject, q.Action, q.Resource} {
		if e == nil { // a search for actions needs none
			e = &authzen.Entity{}
		}
		for _, s := range [...]string{e.Type, e.ID, e.Customer} {
			b = rawjson.AppendString(b, s)
		}
	}
	b = rawjson.AppendString(rawjson.AppendString(b, route), string(q.Consistency()))
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// token is where the next page begins: <digest><limit>.<position>. It names only a place among the candidates of
// this search, so that a forged one reaches nothing else.
func (s *search) token(digest, next string) string {
	if next == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(digest + strconv.Itoa(s.limit) + "." + next))
}

// setPage reads which page is wanted.
func (s *search) setPage(p authzen.Page, digest string) *access.Error {
	s.limit = p.Limit
	if p.Token == "" {
		if s.limit == 0 {
			s.limit = defaultLimit
		}
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Token)
	rest, ours := strings.CutPrefix(string(text), digest)
	limit, after, whole := strings.Cut(rest, ".")
	n, bad := strconv.Atoi(limit)
	if err != nil || !ours || !whole || bad != nil || n < 1 || n > maxLimit || !plainPosition(after) {
		return authzen.Invalid("/page/token", "This token belongs to another search, or is none: start again without it.")
	}
	if s.limit != 0 && s.limit != n {
		return authzen.Invalid("/page/limit", "The limit is the one that the search began with; it may be left out.")
	}
	s.limit, s.after = n, after
	return nil
}

// resources finds the customers at which the user may do the action, or its own partner's portal.
func (k *check) resources(ctx context.Context, s *search) (results, error) {
	partner, _, _ := strings.Cut(s.user, ":")
	if s.query.Resource.Type == access.PartnerType {
		facts, err := k.Facts.Facts(ctx, []access.FactsQuery{{User: s.user}}, s.query.Consistency())
		if err != nil || !k.Catalogue.DecidePortal(facts[0], partner, s.query.Action.ID).Allow {
			return results{}, err
		}
		return results{list: []string{partner}}, nil
	}
	if t, _ := k.Catalogue.Resource(s.query.Resource.Type); !t.Self {
		return results{}, nil // whose ids only the provider knows
	}
	g := pageBuilder{limit: s.limit, at: s.after, readsLeft: maxReads}
	for g.more() {
		customers, err := k.Facts.CustomersOf(ctx, partner, access.PageRequest{After: g.at, Limit: g.readSize()})
		if err != nil {
			return results{}, err
		}
		qs := make([]access.FactsQuery, len(customers.Items))
		for i, c := range customers.Items {
			qs[i] = access.FactsQuery{User: s.user, Customer: c}
		}
		facts, err := k.factsOf(ctx, qs, s)
		if err != nil {
			return results{}, err
		}
		now := k.Now().UTC()
		for i, c := range customers.Items {
			if g.add(c, c, k.Catalogue.Decide(facts[i], c, s.query.Action.ID, now).Allow) {
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
func (k *check) factsOf(ctx context.Context, qs []access.FactsQuery, s *search) ([]access.Facts, error) {
	if len(qs) == 0 {
		return nil, nil
	}
	return k.Facts.Facts(ctx, qs, s.query.Consistency())
}

// pageBuilder fills a page of a search.
type pageBuilder struct {
	results
	limit     int
	at        string // the position after the last candidate that was decided
	readsLeft int    // reads of candidates that are allowed
}

// more returns whether candidates may be read once more; when not, the next page begins here.
func (g *pageBuilder) more() bool {
	if g.readsLeft == 0 {
		g.next = g.at
		return false
	}
	g.readsLeft--
	return true
}

// readSize is how many candidates to read: as many as fill the page when all are results, and many when they are not.
func (g *pageBuilder) readSize() int {
	if g.readsLeft == maxReads-1 {
		return min(g.limit+1, candidatesPerRead)
	}
	return candidatesPerRead
}

// add adds a candidate when it is a result; position is the one after it. Full means that the page is full and another result follows.
func (g *pageBuilder) add(id, position string, result bool) (full bool) {
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
func (k *check) subjects(ctx context.Context, s *search) (results, error) {
	partner, user, _ := strings.Cut(s.after, "|")
	g := &pageBuilder{limit: s.limit, at: s.after, readsLeft: maxReads}
	if s.portal {
		_, err := k.allowedUsers(ctx, s, g, s.partner, user)
		return g.results, err
	}
	if !access.ValidID(s.customer) {
		return results{}, nil
	}
	if partner != "" && user != "*" { // the page begins among a partner's users
		if full, err := k.allowedUsers(ctx, s, g, partner, user); full || err != nil {
			return g.results, err
		}
		g.at = partner + "|*"
	}
	for g.more() {
		partners, err := k.Facts.PartnersOf(ctx, s.customer, access.PageRequest{After: partner, Limit: partnersPerRead})
		if err != nil {
			return results{}, err
		}
		open, err := k.haveActiveGrants(ctx, s, partners.Items)
		if err != nil {
			return results{}, err
		}
		for i, p := range partners.Items {
			if open[i] {
				if full, err := k.allowedUsers(ctx, s, g, p, ""); full || err != nil {
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

// haveActiveGrants returns which partners' grants are active, so that the users of the others need not be read.
func (k *check) haveActiveGrants(ctx context.Context, s *search, partners []string) ([]bool, error) {
	qs := make([]access.FactsQuery, len(partners))
	for i, p := range partners {
		qs[i] = access.FactsQuery{User: p + ":", Customer: s.customer} // no user: only the partner and its grant are read
	}
	facts, err := k.factsOf(ctx, qs, s)
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

// allowedUsers decides a partner's users after the given one. Full means that the page ends among them.
func (k *check) allowedUsers(ctx context.Context, s *search, g *pageBuilder, partner, after string) (full bool, err error) {
	if after != "" && !access.ValidUserID(after) || !access.ValidID(partner) {
		return false, nil // a forged token: it finds nothing
	}
	for g.more() {
		users, err := k.Facts.UsersOf(ctx, partner, access.PageRequest{After: after, Limit: g.readSize()})
		if err != nil {
			return false, err
		}
		evaluations := make([]evaluation, len(users.Items))
		qs := make([]access.FactsQuery, len(users.Items))
		for i, u := range users.Items {
			evaluations[i] = s.evaluation
			evaluations[i].user = u
			qs[i] = evaluations[i].question()
		}
		facts, err := k.factsOf(ctx, qs, s)
		if err != nil {
			return false, err
		}
		now := k.Now().UTC()
		for i := range evaluations {
			if g.add(evaluations[i].user, partner+"|"+evaluations[i].user, k.decideOne(&evaluations[i], facts[i], s.query.Action.ID, now).Allow) {
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
func (k *check) actions(ctx context.Context, s *search) (results, error) {
	facts, err := k.Facts.Facts(ctx, []access.FactsQuery{s.question()}, s.query.Consistency())
	if err != nil {
		return results{}, err
	}
	names := k.Catalogue.CustomerActions()
	if s.portal {
		names = k.Catalogue.PortalActions()
	}
	from, there := slices.BinarySearch(names, s.after)
	if there {
		from++
	}
	var found results
	now := k.Now().UTC()
	for i, name := range names[from:] {
		if !k.decideOne(&s.evaluation, facts[0], name, now).Allow {
			continue
		}
		if len(found.list) == s.limit {
			found.next = names[from+i-1]
			break
		}
		found.list = append(found.list, name)
	}
	return found, nil
}
