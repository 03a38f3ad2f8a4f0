package dynamo_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"partneraccess/shared/access"
)

// Requests in the state machine. First the naive model of them.

// wish is a request of a partner.
type wish struct {
	pair
	id        string
	kind      access.RequestKind
	personal  bool
	by        string // the user who asks
	terms     access.RequestTerms
	deal      int // the grant that was open when it was made; 0 = none
	made      time.Time
	expires   time.Time
	state     access.RequestStatus
	reason    access.Reason
	approvals map[string]access.RequestTerms // by address
}

// waits is how long requests wait for a decision.
const waits = 168 * time.Hour

// wishStatus is the state as people see it, with the reason why it was cancelled.
func (m *model) wishStatus(w *wish) (access.RequestStatus, access.Reason) {
	switch {
	case w.state != access.RequestPending:
		return w.state, w.reason
	case !m.now.Before(w.expires):
		return access.RequestExpired, ""
	}
	if why := m.moot(w); why != "" {
		return access.RequestCancelled, why
	}
	return access.RequestPending, ""
}

// moot is why nobody needs to decide any more.
func (m *model) moot(w *wish) access.Reason {
	d, asker := m.deals[w.pair], m.people[w.by]
	switch a := m.partners[w.partner]; {
	case a.status == access.Removed:
		return access.PartnerRemoved
	case a.status != access.Active:
		return access.NotActive
	case a.offer == access.None:
		return access.NotEligible
	case asker.status != access.Active, !w.personal && !manages(asker.role):
		return access.RequesterLeft
	case w.deal == 0 && d != nil && !m.over(w.pair):
		return access.Fulfilled
	case w.deal == 0 && d != nil && d.opened.After(w.made),
		w.deal != 0 && (d == nil || d.id != w.deal || m.over(w.pair)):
		return access.GrantEnded
	case w.deal != 0 && m.gives(w, w.terms):
		return access.Fulfilled
	}
	return ""
}

// gives tells whether the grant is as the terms of the wish say.
func (m *model) gives(w *wish, t access.RequestTerms) bool {
	d := m.deals[w.pair]
	switch {
	case w.kind == access.AskExtend:
		return d.until.IsZero() || !t.Until.IsZero() && !t.Until.After(d.until)
	case w.kind == access.AskRaise && !w.personal:
		return d.level >= t.Level
	case t.Everyone:
		return d.everyone
	}
	for _, id := range t.Users {
		u := m.people[id]
		if !u.gone() && (!d.people[id] || w.kind == access.AskRaise && m.reaches(w.pair, id) < t.Level) {
			return false
		}
	}
	return true
}

// reaches is the level that somebody has in a grant, whatever the provider offers.
func (m *model) reaches(p pair, user string) access.Level {
	d := m.deals[p]
	level := d.level
	if own, capped := d.caps[user]; capped {
		level = min(level, own)
	}
	if most, capped := m.caps[p.customer][m.people[user].address]; capped {
		level = min(level, most)
	}
	return level
}

// ask makes a wish for these users, in their order; nil without a code: one like it is pending. Named: the level, or the period, was said.
func (m *model) ask(w wish, users []string, named bool) (*wish, access.Code) {
	if code := m.eligible(w.partner); code != "" {
		return nil, code
	}
	d, asker := m.deals[w.pair], m.people[w.by]
	open := d != nil && !m.over(w.pair)
	w.personal = !manages(asker.role)
	switch {
	case asker.status != access.Active:
		return nil, access.Forbidden
	case w.personal && (!open || asker.external() && !d.people[w.by]): // who does not decide for others asks inside a grant
		return nil, access.CannotAsk
	}
	var before *wish
	for _, other := range m.wishes {
		if other.pair == w.pair && other.kind == w.kind && other.personal == w.personal && (!w.personal || other.by == w.by) {
			before = other
		}
	}
	if before != nil {
		if s, _ := m.wishStatus(before); s == access.RequestPending {
			return nil, ""
		}
	}
	if code := m.askedTerms(&w, users, open, named); code != "" {
		return nil, code
	}
	if open && m.gives(&w, w.terms) {
		return nil, access.GivesNothing
	}
	w.made, w.expires, w.state, w.approvals = m.now, m.now.Add(waits), access.RequestPending, map[string]access.RequestTerms{}
	if open {
		if w.deal = d.id; !d.until.IsZero() && d.until.Before(w.expires) {
			w.expires = d.until
		}
	}
	if !w.terms.Until.IsZero() && w.terms.Until.Before(w.expires) {
		w.expires = w.terms.Until
	}
	if before != nil { // its end is written down at the latest now
		before.state, before.reason = m.wishStatus(before)
	}
	m.wishes = append(m.wishes, &w)
	return &w, ""
}

// askedTerms are refused, or completed.
func (m *model) askedTerms(w *wish, users []string, open, named bool) access.Code {
	d, t := m.deals[w.pair], &w.terms
	switch {
	case w.personal && (t.Everyone || len(t.Users) > 0 && !slices.Equal(t.Users, []string{w.by})):
		return access.Forbidden
	case w.personal:
		t.Users = []string{w.by}
	}
	for _, id := range users {
		if u := m.people[id]; u.partner != w.partner || u.gone() {
			return access.UserNotOfPartner
		} else if u.status != access.Active {
			return access.UserNotActive
		}
	}
	offered := func() access.Code {
		switch {
		case t.Level == access.None:
			return access.Invalid
		case t.Level > m.partners[w.partner].offer:
			return access.PartnerNotEligible
		}
		return ""
	}
	late := !t.Until.IsZero() && !t.Until.After(m.now)
	switch {
	case w.kind == access.AskAccess && !open && late:
		return access.PeriodInvalid
	case w.kind == access.AskAccess && !open:
		return offered()
	case w.kind == access.AskAccess && named:
		return access.GrantDiffers
	case w.kind == access.AskAccess:
	case !open:
		return access.Ended
	case w.kind == access.AskExtend && w.personal:
		return access.Forbidden
	case w.kind == access.AskExtend && late:
		return access.PeriodInvalid
	case w.kind == access.AskRaise && (offered() != "" || !w.personal):
		return offered()
	case w.kind == access.AskRaise:
		most, capped := m.caps[w.customer][m.people[w.by].address]
		switch {
		case !d.people[w.by], t.Level > d.level:
			return access.Forbidden
		case !capped || most >= t.Level:
			return access.GivesNothing
		}
	}
	return ""
}

// decider tells why somebody cannot decide about a wish.
func (m *model) decider(w *wish, email string) access.Code {
	switch {
	case !m.decides(w.customer, email):
		return access.Forbidden
	case m.asks(w, email):
		return access.OwnRequest
	}
	if s, _ := m.wishStatus(w); s != access.RequestPending {
		return access.RequestEnded
	}
	return ""
}

func (m *model) decides(customer, email string) bool {
	return m.deciders[pair{customer, email}]
}

// asks tells whether somebody is of the side that asks: a user of the partner, or one who was and is named.
func (m *model) asks(w *wish, email string) bool {
	for id, u := range m.people {
		if u.address == email && u.partner == w.partner && (!u.gone() || id == w.by || slices.Contains(w.terms.Users, id)) {
			return true
		}
	}
	return false
}

// approve grants what the wish asks for, or less, when enough people have approved the same.
func (m *model) approve(w *wish, email string, t access.RequestTerms) (granted bool, code access.Code) {
	if code := m.decider(w, email); code != "" {
		return false, code
	}
	asked := w.terms
	fewer := !t.Everyone && (asked.Everyone || !slices.Equal(t.Users, asked.Users))
	outside := slices.ContainsFunc(t.Users, func(id string) bool {
		return !slices.Contains(asked.Users, id) && (!asked.Everyone || m.people[id].external())
	})
	if t.Level > asked.Level || fewer && (len(t.Users) == 0 || outside) ||
		!asked.Until.IsZero() && (t.Until.IsZero() || t.Until.After(asked.Until)) {
		return false, access.WiderThanAsked
	}
	kept := *m // what the last approval does, is done then
	kept.deals, kept.caps, kept.ended = maps.Clone(m.deals), maps.Clone(m.caps), maps.Clone(m.ended)
	if code := m.carryOut(w, t); code != "" {
		return false, code
	}
	w.approvals[email] = t
	with := 0
	for other, terms := range w.approvals {
		if other == email || terms.Equal(t) && m.decides(w.customer, other) && !m.asks(w, other) {
			with++
		}
	}
	if with < m.needs[w.customer] {
		m.deals, m.caps, m.ended = kept.deals, kept.caps, kept.ended
		return false, ""
	}
	w.state = access.RequestApproved
	return true, ""
}

// carryOut does what the terms say, as the customer's own command would.
func (m *model) carryOut(w *wish, t access.RequestTerms) access.Code {
	if w.deal == 0 {
		if !t.Until.IsZero() && !t.Until.After(m.now) {
			return access.PeriodInvalid
		}
		return m.grant(w.pair, access.GrantCommand{Users: t.Users, Everyone: t.Everyone, Level: &t.Level, Until: &t.Until})
	}
	if m.gives(w, t) {
		return access.GivesNothing
	}
	var cmd access.EditCommand
	switch {
	case w.kind == access.AskExtend:
		cmd.Until = &t.Until
	case w.kind == access.AskRaise && !w.personal:
		cmd.Level = &t.Level
	case w.kind == access.AskRaise:
		cmd.Caps = map[string]*access.Level{}
		if most, capped := m.caps[w.customer][m.people[w.by].address]; capped && most < t.Level {
			cmd.Caps[m.people[w.by].address] = &t.Level
		}
	case t.Everyone:
		cmd.Everyone = new(true)
	default:
		cmd.Add = t.Users
	}
	return m.edit(w.pair, cmd, false)
}

// wishMarks are the instants to come at which requests expire.
func (m *model) wishMarks() []time.Time {
	var out []time.Time
	for _, w := range m.wishes {
		if w.state == access.RequestPending && w.expires.After(m.now) {
			out = append(out, w.expires)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// Then the machine's commands.

// takeRequests makes the customer one that every partner may ask, with a second admin, so that two can decide.
func (m *machine) takeRequests(customer string, approvals int) {
	cleo := "cleo@" + customer + ".example"
	m.same(m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.MemberFacts(ctx, customer, cleo)
		if err != nil {
			return access.Change{}, err
		}
		c, _, err := access.PlanMember(f, cleo, "Cleo", true, access.AnyVersion, m.planContext(theProvider))
		return c, err
	}), "")
	m.same(m.apply(func(ctx context.Context) (access.Change, error) {
		before, err := m.store.Customer(ctx, customer)
		if err != nil {
			return access.Change{}, err
		}
		cmd := access.PolicyCommand{Seen: access.AnyVersion}
		cmd.Mode, cmd.Approvals, cmd.Hours = access.RequestsOpen, approvals, int(waits/time.Hour)
		c, _, err := access.PlanRequestPolicy(before, nil, cmd, m.planContext(theAdmin(customer)))
		return c, err
	}), "")
	m.model.deciders[pair{customer, cleo}], m.model.needs[customer] = true, approvals
}

// someWish is mostly one that is pending.
func (m *machine) someWish(t *rapid.T) *wish {
	if len(m.model.wishes) == 0 {
		return nil
	}
	pending := slices.DeleteFunc(slices.Clone(m.model.wishes), func(w *wish) bool {
		s, _ := m.model.wishStatus(w)
		return s != access.RequestPending
	})
	if len(pending) > 0 && rapid.IntRange(0, 4).Draw(t, "pending") > 0 {
		return rapid.SampledFrom(pending).Draw(t, "pending request")
	}
	return rapid.SampledFrom(m.model.wishes).Draw(t, "request")
}

// someColleague is anybody of the partner's, mostly somebody who asks for others.
func (m *machine) someColleague(t *rapid.T, partner string) access.Actor {
	all := m.model.usersOf(partner)
	leads := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !manages(m.model.people[id].role) })
	id := rapid.SampledFrom(rapid.SampledFrom([][]string{leads, leads, all}).Draw(t, "from")).Draw(t, "colleague")
	return access.Actor{Kind: "partner", Email: m.model.people[id].address, User: id, Role: m.model.people[id].role}
}

// someDecider is mostly one of the customer's admins, or somebody who would like to be.
func (m *machine) someDecider(t *rapid.T, w *wish) access.Actor {
	cleo := access.Actor{Kind: "customer", Email: "cleo@" + w.customer + ".example"}
	asker := access.Actor{Kind: "customer", Email: m.model.people[w.by].address}
	other := access.Actor{Kind: "customer", Email: m.model.people[m.someUser(t)].address}
	return rapid.SampledFrom([]access.Actor{theAdmin(w.customer), theAdmin(w.customer), cleo, cleo, asker, other}).Draw(t, "decider")
}

// askFor asks, mostly for something that is left to ask for.
func (m *machine) askFor(t *rapid.T) {
	p := m.somePair(t)
	by := m.someColleague(t, p.partner)
	w := wish{pair: p, by: by.User, kind: access.AskAccess}
	d := m.model.deals[p]
	if d != nil && !m.model.over(p) || rapid.IntRange(0, 4).Draw(t, "in vain") == 0 {
		w.kind = rapid.SampledFrom([]access.RequestKind{access.AskAccess, access.AskExtend, access.AskRaise}).Draw(t, "kind")
	}
	cmd := access.RequestCommand{Kind: w.kind}
	named := false
	if w.kind == access.AskAccess && manages(by.Role) {
		if cmd.Everyone = rapid.IntRange(0, 2).Draw(t, "everyone") == 0; !cmd.Everyone {
			cmd.Users = m.someUsers(t, p.partner, "users", 1)
		}
	}
	if w.kind == access.AskRaise || w.kind == access.AskAccess && rapid.Bool().Draw(t, "level?") {
		cmd.Level, named = new(someLevel(t)), true
	}
	if w.kind == access.AskExtend || w.kind == access.AskAccess && rapid.IntRange(0, 2).Draw(t, "until?") == 0 {
		cmd.Until, named = new(m.someEnd(t)), true
	}
	w.terms = access.RequestTerms{Everyone: cmd.Everyone, Users: slices.Sorted(slices.Values(cmd.Users))}
	if w.kind == access.AskAccess && (d == nil || m.model.over(p)) {
		w.terms.Level = access.View
	}
	if cmd.Level != nil {
		w.terms.Level = *cmd.Level
	}
	if cmd.Until != nil {
		w.terms.Until = *cmd.Until
	}
	var made string
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.AskFacts(ctx, p.customer, p.partner, by.User, cmd.Kind, cmd.Users)
		if err != nil {
			return access.Change{}, err
		}
		c, row, err := access.PlanRequest(f, cmd, m.planContext(by))
		if made = ""; err == nil && !c.Empty() {
			made = row.ID
		}
		return c, err
	})
	wanted, code := m.model.ask(w, cmd.Users, named)
	if m.same(got, code); (made != "") != (wanted != nil) {
		t.Fatalf("got the request %q, want %+v", made, wanted)
	}
	if wanted != nil {
		wanted.id = made
		m.touched[p] = true
		m.requests["asked"]++
		if rapid.Bool().Draw(t, "decided soon") {
			m.approveTo(t, wanted)
		}
	}
}

// wished applies a plan about a request.
func (m *machine) wished(w *wish, who string, users []string, plan func(access.RequestFacts) (access.Change, error)) access.Code {
	m.touched[w.pair] = true
	return m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.RequestFacts(ctx, w.customer, w.id, who, users)
		if err != nil {
			return access.Change{}, err
		}
		return plan(f)
	})
}

// approve approves as it was asked, lower, shorter or fewer, and now and then more.
func (m *machine) approve(t *rapid.T) {
	if w := m.someWish(t); w != nil {
		m.approveTo(t, w)
	}
}

func (m *machine) approveTo(t *rapid.T, w *wish) {
	by, terms := m.someDecider(t, w), w.terms
	var cmd access.ApproveCommand
	switch rapid.IntRange(0, 7).Draw(t, "change") {
	case 0:
		if l := someLevel(t); terms.Level != access.None && l != access.None {
			terms.Level, cmd.Level = l, &l
		}
	case 1:
		if w.kind == access.AskExtend || w.kind == access.AskAccess && terms.Level != access.None {
			cmd.Until = new(m.someEnd(t))
			terms.Until = *cmd.Until
		}
	case 2:
		if w.kind == access.AskAccess {
			some := m.someUsers(t, w.partner, "fewer", 1)
			terms.Users, terms.Everyone, cmd.Users = slices.Sorted(slices.Values(some)), false, &some
		}
	}
	var users []string
	if cmd.Users != nil {
		users = *cmd.Users
	}
	final := false
	got := m.wished(w, by.Email, users, func(f access.RequestFacts) (access.Change, error) {
		a, err := access.PlanApprove(f, cmd, false, m.planContext(by))
		final = a.Final
		return a.Change, err
	})
	granted, code := m.model.approve(w, by.Email, terms)
	if m.same(got, code); final != granted {
		t.Fatalf("%+v, approved by %s: got a grant: %v, want %v", w, by.Email, final, granted)
	}
	switch {
	case granted:
		m.requests["approved"]++
		m.spread(t, w.customer)
	case code == "":
		m.requests["seconded"]++
	case code == access.OwnRequest:
		m.requests["own, refused"]++
	}
}

func (m *machine) decline(t *rapid.T) {
	w := m.someWish(t)
	if w == nil {
		return
	}
	by := m.someDecider(t, w)
	got := m.wished(w, by.Email, nil, func(f access.RequestFacts) (access.Change, error) {
		c, _, err := access.PlanDeclineRequest(f, "no", m.planContext(by))
		return c, err
	})
	code := m.model.decider(w, by.Email)
	if m.same(got, code); code == "" {
		w.state = access.RequestDeclined
		m.requests["declined"]++
	}
}

func (m *machine) withdraw(t *rapid.T) {
	w := m.someWish(t)
	if w == nil {
		return
	}
	by := m.someColleague(t, w.partner)
	var code access.Code
	s, _ := m.model.wishStatus(w)
	switch {
	case by.User != w.by && !manages(by.Role):
		code = access.NotFound
	case s == access.RequestPending:
		m.requests["withdrawn"]++
	}
	m.same(m.wished(w, "", nil, func(f access.RequestFacts) (access.Change, error) {
		c, _, err := access.PlanWithdraw(f, m.planContext(by))
		return c, err
	}), code)
	if code == "" && s == access.RequestPending {
		w.state = access.RequestWithdrawn
	}
}

// expireWish has the sweep come by, mostly when the request expires, or on the instant before or after.
func (m *machine) expireWish(t *rapid.T) {
	w := m.someWish(t)
	if w == nil {
		return
	}
	if at := w.expires.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ms")) * time.Millisecond); at.After(m.model.now) &&
		rapid.IntRange(0, 2).Draw(t, "in time") == 0 {
		m.model.now = at
	}
	plan := access.PlanRequestDue
	if rapid.Bool().Draw(t, "review") {
		plan = access.PlanRequestEnd
	}
	m.same(m.wished(w, "", nil, func(f access.RequestFacts) (access.Change, error) { return plan(f, m.planContext(theClock)) }), "")
	before := w.state
	if w.state, w.reason = m.model.wishStatus(w); w.state != before {
		m.requests[string(w.state)]++
	}
}

// compareWishes compares a customer's requests, and those of a partner.
func (m *machine) compareWishes(t *rapid.T, customer string) {
	filter := access.RequestFilter{Now: m.model.now}
	show := func(customer, partner, id string, kind access.RequestKind, terms access.RequestTerms, s access.RequestStatus,
		why access.Reason, approvals int,
	) string {
		return fmt.Sprint(customer, " ", partner, " ", id, " ", kind, " ", terms, " ", s, " ", why, " ", approvals)
	}
	compare := func(about string, of func(*wish) bool, list func(access.PageRequest) (access.Page[access.RequestRow], error)) {
		got := m.pages(t, rapid.IntRange(1, 3).Draw(t, "limit"), func(ask access.PageRequest) ([]string, string, error) {
			page, err := list(ask)
			var rows []string
			for _, r := range page.Items {
				s, why := r.Status(m.model.now)
				rows = append(rows, show(r.Request.Customer, r.Request.Partner, r.ID, r.Kind, r.Asked, s, why, len(r.Approvals)))
			}
			return rows, page.Next, err
		})
		var want []string
		for _, w := range m.model.wishes {
			if s, why := m.model.wishStatus(w); of(w) {
				want = append(want, show(w.customer, w.partner, w.id, w.kind, w.terms, s, why, len(w.approvals)))
			}
		}
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Fatalf("%s: got\n%s\nwant\n%s", about, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	compare("requests to "+customer, func(w *wish) bool { return w.customer == customer },
		func(ask access.PageRequest) (access.Page[access.RequestRow], error) {
			return m.store.CustomerRequests(m.ctx, customer, filter, ask)
		})
	partner := rapid.SampledFrom(slices.Sorted(maps.Keys(m.model.partners))).Draw(t, "whose")
	compare("requests of "+partner, func(w *wish) bool { return w.partner == partner },
		func(ask access.PageRequest) (access.Page[access.RequestRow], error) {
			return m.store.PartnerRequests(m.ctx, partner, filter, ask)
		})
}
