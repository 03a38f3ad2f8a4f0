package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"partneraccess/shared/access"
)

// Pending requests are kept apart from ended ones, which are kept for ever, so that reading the pending ones costs the same however many
// have ended. The slot of a kind and pair names the latest one.

func requestItem(r *access.Request) draft {
	k, prefix := requestKey(r.Customer, r.ID), requestPrefix
	if r.State != access.RequestPending {
		k, prefix = decidedRequestKey(r.Customer, r.ID), decidedPrefix
	}
	d := newDraft(k)
	d.index1(partnerIndexPK(r.Partner), prefix+r.ID)
	d.due(k, r.Due())
	d.s("id", r.ID)
	d.s("customer", r.Customer)
	d.s("partner", r.Partner)
	d.s("kind", string(r.Kind))
	d.terms("asked", &r.Asked)
	d.s("purpose", r.Purpose)
	d.s("ticket", r.Ticket)
	d.s("grant", r.Grant)
	d.b("personal", r.Personal)
	d.s("by", string(r.By.Kind))
	d.s("by_email", r.By.Email)
	d.s("user", r.User)
	d.s("state", string(r.State))
	d.s("why", string(r.Why))
	d.s("question", r.Question)
	d.s("question_by", r.Asker.Email)
	approvals := make([]string, len(r.Approvals))
	for i, a := range r.Approvals {
		approvals[i] = timeText(a.At) + " " + a.Email + " " + termsText(&a.Terms)
	}
	d.list("approvals", approvals)
	d.s("decider", r.Decider.Email)
	d.s("note", r.Note)
	d.terms("granted", r.Granted)
	d.t("expires", r.Expires)
	d.n("reminders", int64(r.Reminders))
	d.t("created", r.Created)
	d.t("updated", r.Updated)
	d.n("version", r.Version)
	return d
}

func (it *item) request() *access.Request {
	r := &access.Request{
		ID: it.s("id"), Customer: it.s("customer"), Partner: it.s("partner"), Kind: access.RequestKind(it.s("kind")), Purpose: it.s("purpose"),
		Ticket: it.s("ticket"), Grant: it.s("grant"), Personal: it.b("personal"),
		By: access.By{Kind: access.ActorKind(it.s("by")), Email: it.s("by_email")}, User: it.s("user"),
		State: access.RequestStatus(it.s("state")), Why: access.Reason(it.s("why")), Question: it.s("question"),
		Asker: customersPerson(it.s("question_by")), Decider: customersPerson(it.s("decider")), Note: it.s("note"), Granted: it.terms("granted"),
		Expires: it.t("expires"), Reminders: int(it.n("reminders")), Created: it.t("created"), Updated: it.t("updated"), Version: it.n("version"),
	}
	if asked := it.terms("asked"); asked != nil {
		r.Asked = *asked
	}
	for _, text := range it.list("approvals") {
		at, rest, _ := strings.Cut(text, " ")
		email, terms, _ := strings.Cut(rest, " ")
		when, err := parseTime(at)
		it.check("approvals", err)
		if t := it.termsOf("approvals", terms); t != nil {
			r.Approvals = append(r.Approvals, access.Approval{Email: email, Terms: *t, At: when})
		}
	}
	return r
}

// customersPerson is a person of the customer who decided or asked; nobody when the address is "".
func customersPerson(email string) access.By {
	if email == "" {
		return access.By{}
	}
	return access.By{Kind: access.ActorCustomer, Email: email}
}

// storedTerms are the terms of a request as they are written.
type storedTerms struct {
	Level    string   `json:"level"`
	Everyone bool     `json:"everyone,omitzero"`
	Users    []string `json:"users,omitzero"`
	From     string   `json:"from,omitzero"`
	Until    string   `json:"until,omitzero"`
}

var errNoTerms = errors.New("no terms of a request")

func termsText(t *access.RequestTerms) string {
	s := storedTerms{Level: t.Level.String(), Everyone: t.Everyone, Users: t.Users}
	if !t.From.IsZero() {
		s.From = timeText(t.From)
	}
	if !t.Until.IsZero() {
		s.Until = timeText(t.Until)
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts and booleans can be written
	}
	return string(text)
}

func (d draft) terms(name string, t *access.RequestTerms) {
	if t != nil {
		d.s(name, termsText(t))
	}
}

func (it *item) terms(name string) *access.RequestTerms {
	if text := it.s(name); text != "" {
		return it.termsOf(name, text)
	}
	return nil
}

func (it *item) termsOf(name, text string) *access.RequestTerms {
	var s storedTerms
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		it.check(name, errNoTerms)
		return nil
	}
	t := access.RequestTerms{Everyone: s.Everyone, Users: s.Users, Level: it.levelOf(&attr{name: name, text: s.Level})}
	for _, at := range []struct {
		text string
		to   *time.Time
	}{{s.From, &t.From}, {s.Until, &t.Until}} {
		if at.text != "" {
			when, err := parseTime(at.text)
			it.check(name, err)
			*at.to = when
		}
	}
	return &t
}

func slotItem(s *access.RequestSlot) draft {
	d := newDraft(slotKey(s.Customer, s.Partner, s.Kind, s.User))
	d.s("customer", s.Customer)
	d.s("partner", s.Partner)
	d.s("kind", string(s.Kind))
	d.s("user", s.User)
	d.s("request", s.Request)
	d.n("version", s.Version)
	return d
}

func (it *item) slot() *access.RequestSlot {
	return &access.RequestSlot{
		Customer: it.s("customer"), Partner: it.s("partner"), Kind: access.RequestKind(it.s("kind")), User: it.s("user"),
		Request: it.s("request"), Version: it.n("version"),
	}
}

// attemptsKeptFor is how long a count of attempts in vain is kept: longer than it matters to anybody.
const attemptsKeptFor = 48 * time.Hour

func attemptsItem(a *access.CodeAttempts) draft {
	d := newDraft(attemptsKey(a.Partner, a.Customer))
	d.s("partner", a.Partner)
	d.s("customer", a.Customer)
	d.n("count", int64(a.Count))
	d.t("since", a.Since)
	d.t("notified", a.Notified)
	d.n(ttl, a.Since.Add(attemptsKeptFor).Unix())
	d.n("version", a.Version)
	return d
}

func (it *item) attempts() *access.CodeAttempts {
	return &access.CodeAttempts{
		Partner: it.s("partner"), Customer: it.s("customer"), Count: int(it.n("count")), Since: it.t("since"), Notified: it.t("notified"),
		Version: it.n("version"),
	}
}

func (d draft) policy(p access.RequestPolicy) {
	d.s("asking", string(p.Mode))
	d.list("approvers", p.Approvers)
	for name, n := range map[string]int{"approvals": p.Approvals, "ask_hours": p.Hours, "ask_days": p.MaxDays} {
		if n > 0 {
			d.n(name, int64(n))
		}
	}
	if p.Version > 0 {
		d.n("ask_version", p.Version)
	}
	d.b("ask_why", p.ReasonRequired)
	d.s("ask_code", p.CodeDigest)
	d.t("ask_code_at", p.CodeMade)
}

func (it *item) policy() access.RequestPolicy {
	return access.RequestPolicy{
		Mode: access.RequestMode(it.s("asking")), Approvers: it.list("approvers"), Approvals: int(it.n("approvals")),
		Hours: int(it.n("ask_hours")), MaxDays: int(it.n("ask_days")), ReasonRequired: it.b("ask_why"), CodeDigest: it.s("ask_code"),
		CodeMade: it.t("ask_code_at"), Version: it.n("ask_version"),
	}
}

// request stages a request. One that ends moves to the ended ones.
func (tx *transaction) request(table string, w access.RequestWrite) {
	if w.Before != nil && w.After.State != access.RequestPending {
		tx.remove(table, requestKey(w.Before.Customer, w.Before.ID), w.Before.Version)
		tx.create(table, requestItem(w.After))
		return
	}
	tx.put(table, requestItem(w.After), w.Before.Stored())
	if w.Before == nil {
		d := newDraft(askedKey(w.After.Partner, w.After.ID))
		d.s("customer", w.After.Customer)
		tx.create(table, d)
	}
}

// RequestCustomer returns which customer a partner's request is to; "" when there is no such request.
func (s *Store) RequestCustomer(ctx context.Context, partner, id string) (string, error) {
	customer, err := one(ctx, s, askedKey(partner, id), func(it *item) *string { c := it.s("customer"); return &c })
	if err != nil || customer == nil {
		return "", err
	}
	return *customer, nil
}

// Request reads a request, pending or ended; nil when there is none.
func (s *Store) Request(ctx context.Context, customer, id string) (*access.Request, error) {
	keys := requestKeys(customer, id)
	items, err := s.get(ctx, keys[:])
	if err != nil {
		return nil, err
	}
	return firstOf(items, keys, (*item).request)
}

// requestKeys are those of a request, of which the one that ended counts when both were read.
func requestKeys(customer, id string) [2]Key {
	return [2]Key{decidedRequestKey(customer, id), requestKey(customer, id)}
}

// RequestRow returns a request with what decides whether it is still to be decided; nil when there is none.
func (s *Store) RequestRow(ctx context.Context, customer, id string) (*access.RequestRow, error) {
	r, err := s.Request(ctx, customer, id)
	if err != nil || r == nil {
		return nil, err
	}
	rows, err := s.requestRows(ctx, []*access.Request{r})
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// requestRows loads the people whom the requests name, and what decides whether the pending ones are still to be decided. Nil stays nil.
func (s *Store) requestRows(ctx context.Context, list []*access.Request) ([]*access.RequestRow, error) {
	rows := make([]*access.RequestRow, len(list))
	var keys []Key
	for n, r := range list {
		if r == nil {
			continue
		}
		rows[n] = &access.RequestRow{Request: r, Users: map[string]*access.User{}, Assignments: map[string]*access.Assignment{}}
		keys = append(keys, userKey(r.User))
		for _, u := range r.Asked.Users {
			keys = append(keys, userKey(u))
		}
		if r.State != access.RequestPending {
			continue
		}
		keys = append(keys, customerKey(r.Customer), partnerKey(r.Partner), grantKey(r.Customer, r.Partner))
		for _, u := range r.Asked.Users {
			keys = append(keys, assignmentKey(r.Customer, u))
		}
	}
	if len(keys) == 0 {
		return rows, nil
	}
	side, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r != nil {
			if err := fillRequest(r, side); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// fillRequest fills in what decides about a request of what was read.
func fillRequest(r *access.RequestRow, side map[Key]*item) error {
	var errs [4]error
	r.Customer, errs[0] = lookup(side, customerKey(r.Request.Customer), (*item).customer)
	r.Partner, errs[1] = lookup(side, partnerKey(r.Request.Partner), (*item).partner)
	r.Grant, errs[2] = lookup(side, grantKey(r.Request.Customer, r.Request.Partner), (*item).grant)
	r.Requester, errs[3] = lookup(side, userKey(r.User), (*item).user)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	for _, id := range r.Asked.Users {
		u, err := lookup(side, userKey(id), (*item).user)
		if err != nil {
			return err
		}
		if u != nil {
			r.Users[id] = u
		}
		a, err := lookup(side, assignmentKey(r.Request.Customer, id), (*item).assignment)
		if err != nil {
			return err
		}
		if a != nil {
			r.Assignments[id] = a
		}
	}
	return nil
}

// AskFacts loads what a plan about a new request of one of the partner's users reads. It reads as much for a customer that there is not as
// for one that does not take the request. Those who decide are not among it: see Deciders.
func (s *Store) AskFacts(
	ctx context.Context, customer, partner, user string, kind access.RequestKind, users []string,
) (access.RequestFacts, error) {
	var f access.RequestFacts
	var err error
	if f.GrantFacts, err = s.GrantFacts(ctx, customer, partner, append(slices.Clone(users), user), false); err != nil {
		return f, err
	}
	slot := slotKey(customer, partner, kind, "")
	if u := f.Users[user]; u != nil && !u.Role.AsksForOthers() {
		slot = slotKey(customer, partner, kind, user)
	}
	items, err := s.get(ctx, []Key{slot, attemptsKey(partner, customer)})
	if err != nil {
		return f, err
	}
	if f.Slot, err = lookup(items, slot, (*item).slot); err != nil {
		return f, err
	}
	if f.Attempts, err = lookup(items, attemptsKey(partner, customer), (*item).attempts); err != nil || f.Slot == nil {
		return f, err
	}
	f.Latest, err = s.RequestRow(ctx, customer, f.Slot.Request)
	return f, err
}

// RequestFacts loads what a plan about a request reads, with these users beside those whom it names. Who is the member of the customer who
// decides about it; "" when it is only withdrawn or ended. The row is nil when there is no such request.
func (s *Store) RequestFacts(ctx context.Context, customer, id, who string, users []string) (access.RequestFacts, error) {
	var f access.RequestFacts
	r, err := s.Request(ctx, customer, id)
	if err != nil || r == nil {
		return f, err
	}
	users = append(slices.Concat(users, r.Asked.Users), r.User)
	if f.GrantFacts, err = s.GrantFacts(ctx, customer, r.Partner, users, false); err != nil {
		return f, err
	}
	f.Row = &access.RequestRow{
		Request: r, Customer: f.Customer, Partner: f.Partner, Grant: f.Grant, Requester: f.Users[r.User], Users: f.Users,
		Assignments: f.Assignments,
	}
	if f.Customer == nil {
		return f, nil
	}
	var people []string
	if who != "" {
		people = append(people, who)
		for _, a := range r.Approvals {
			people = append(people, a.Email)
		}
		if f.Colleague, err = s.colleagues(ctx, r.Partner, people); err != nil {
			return f, err
		}
	}
	f.Deciders, err = s.Deciders(ctx, f.Customer, people...)
	return f, err
}

// colleagues tells which of the addresses are those of users of the partner.
func (s *Store) colleagues(ctx context.Context, partner string, addresses []string) (map[string]bool, error) {
	keys := make([]Key, len(addresses))
	for i, a := range addresses {
		keys[i] = emailKey(a)
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for i, a := range addresses {
		e, err := lookup(items, keys[i], (*item).email)
		if err != nil {
			return nil, err
		}
		out[a] = e != nil && e.User != "" && partnerOf(e.User) == partner
	}
	return out, nil
}

// Deciders reads who decides about requests to a customer: the first access.MaxApprovers of them, and those of these people who do.
func (s *Store) Deciders(ctx context.Context, c *access.Customer, people ...string) ([]access.Member, error) {
	out, err := s.deciding(ctx, c, append(slices.Clone(c.Requests.Approvers), people...))
	if err != nil || len(c.Requests.Approvers) > 0 {
		return out, err
	}
	found := map[string]bool{}
	for _, m := range out {
		found[m.Email] = true
	}
	var first []access.Member
	for after := ""; ; {
		items, more, err := s.query(ctx, prefixed(customerPK(c.ID), memberPrefix, after), 500)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			m, err := decode(it, (*item).member)
			if err != nil {
				return nil, err
			}
			if after = m.Email; m.Admin && len(first) < access.MaxApprovers {
				first = append(first, *m)
				if found[m.Email] {
					out = slices.DeleteFunc(out, func(o access.Member) bool { return o.Email == m.Email })
				}
			}
		}
		if !more || len(first) == access.MaxApprovers {
			return append(first, out...), nil
		}
	}
}

// deciding reads those of these people who decide, each once.
func (s *Store) deciding(ctx context.Context, c *access.Customer, people []string) ([]access.Member, error) {
	people = slices.Compact(slices.Sorted(slices.Values(people)))
	keys := make([]Key, len(people))
	for i, a := range people {
		keys[i] = memberKey(c.ID, a)
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []access.Member
	for _, k := range keys {
		m, err := lookup(items, k, (*item).member)
		if err != nil {
			return nil, err
		}
		if c.Requests.Decides(m) {
			out = append(out, *m)
		}
	}
	return out, nil
}

// MembersOf reads those of these people who are members of the customer.
func (s *Store) MembersOf(ctx context.Context, customer string, people []string) ([]access.Member, error) {
	keys := make([]Key, len(people))
	for i, a := range people {
		keys[i] = memberKey(customer, a)
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []access.Member
	for _, k := range keys {
		m, err := lookup(items, k, (*item).member)
		if err != nil {
			return nil, err
		}
		if m != nil {
			out = append(out, *m)
		}
	}
	return out, nil
}

// PendingRequests lists requests whose end is not recorded, a page at a time: of a customer, by one partner unless that is ""; or, when
// customer is "", of a partner, by one of its users unless user is "". Next is the position to continue from, "" at the end. Those of a
// partner come from index 1, which may lag.
func (s *Store) PendingRequests(ctx context.Context, customer, partner, user, after string, limit int) (rows []*access.RequestRow,
	next string, err error,
) {
	f := access.RequestFilter{Partner: partner, User: user}
	list, next, err := pendingOf(ctx, s, requestPrefix, customer, partner, after, limit, (*item).request, func(r *access.Request) bool {
		return r.State == access.RequestPending && f.MatchesParties(r)
	})
	if err != nil {
		return nil, "", err
	}
	rows, err = s.requestRows(ctx, list)
	return rows, next, err
}

// CustomerRequests lists the requests to a customer, newest last. The cost of listing pending ones does not depend on how many have ended.
func (s *Store) CustomerRequests(ctx context.Context, customer string, f access.RequestFilter,
	ask access.PageRequest,
) (access.Page[access.RequestRow], error) {
	join := func(ctx context.Context, items []*item) ([]*access.RequestRow, error) {
		list, err := each((*item).request, nil)(ctx, items)
		if err != nil {
			return nil, err
		}
		return s.wantedRequests(ctx, list, f)
	}
	return walk(ctx, ask, true, s.apart(customerPK(customer), sk, requestPrefixes(f)...), join, idAfterPrefix(sk))
}

// PartnerRequests lists the requests of a partner, newest last. Which there are comes from index 1; they are read from the table.
func (s *Store) PartnerRequests(ctx context.Context, partner string, f access.RequestFilter,
	ask access.PageRequest,
) (access.Page[access.RequestRow], error) {
	join := func(ctx context.Context, items []*item) ([]*access.RequestRow, error) {
		list, err := currentOf(ctx, s, items, (*item).request, requestKeys)
		if err != nil {
			return nil, err
		}
		return s.wantedRequests(ctx, list, f)
	}
	return walk(ctx, ask, true, s.apart(partnerIndexPK(partner), gsi1sk, requestPrefixes(f)...), join, idAfterPrefix(gsi1sk))
}

func requestPrefixes(f access.RequestFilter) []string {
	if f.Status == access.RequestPending {
		return []string{requestPrefix}
	}
	return []string{requestPrefix, decidedPrefix}
}

func (s *Store) wantedRequests(ctx context.Context, list []*access.Request, f access.RequestFilter) ([]*access.RequestRow, error) {
	return wanted(ctx, list, f.MatchesParties, s.requestRows, f.Matches)
}
