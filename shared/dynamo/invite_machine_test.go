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

// Invitations in the state machine. First the naive model of them.

// bid is an invitation.
type bid struct {
	pair
	id, address string
	level       access.Level
	until       time.Time // of the grant that it opens
	byPartner   bool
	by          access.Actor
	deal        int // the grant that was open when it was made; 0 = none
	made        time.Time
	state       access.InvitationStatus
	reason      access.Reason
	days        int
	ends        time.Time
	tokens      []string // that open it
	sending     int      // the mail whose token is awaited or known
	reminded    bool
	user        string
}

// ownStatus is the state as the invitation itself tells it.
func (m *model) ownStatus(b *bid) access.InvitationStatus {
	if b.state == access.InvitationPending && !m.now.Before(b.ends) {
		return access.InvitationExpired
	}
	return b.state
}

// bidStatus is the state as people see it: nobody can accept what stands on something that is gone.
func (m *model) bidStatus(b *bid) access.InvitationStatus {
	if s := m.ownStatus(b); s != access.InvitationPending || m.lapsed(b) == "" {
		return s
	}
	return access.InvitationCancelled
}

func (m *model) bidReason(b *bid) access.Reason {
	if m.ownStatus(b) == access.InvitationPending {
		return m.lapsed(b)
	}
	return b.reason
}

// lapsed is what a pending invitation stood on and is gone.
func (m *model) lapsed(b *bid) access.Reason {
	d := m.deals[b.pair]
	in := d != nil && !m.over(b.pair)
	switch a := m.partners[b.partner]; {
	case a.status == access.Removed:
		return access.PartnerRemoved
	case a.status != access.Active:
		return access.NotActive
	case a.offer == access.None:
		return access.NotEligible
	case b.deal != 0 && (!in || d.id != b.deal), b.deal == 0 && slices.ContainsFunc(m.ends(b.pair), b.made.Before):
		return access.GrantEnded
	case b.byPartner && (!d.byPartner || d.chosen.After(b.made)):
		return access.ChoiceChanged
	case b.byPartner && (m.people[b.by.User].status != access.Active || !manages(m.people[b.by.User].role)),
		!b.byPartner && !m.admins[b.customer]:
		return access.InviterLeft
	case !in && !b.until.IsZero() && !b.until.After(m.now):
		return access.Expired
	case in && b.deal == 0 && !b.until.IsZero() && (d.until.IsZero() || d.until.After(b.until)):
		return access.PeriodChanged
	}
	return ""
}

// ends are the instants at which grants of the pair have ended.
func (m *model) ends(p pair) []time.Time {
	out := slices.Clone(m.ended[p])
	if d := m.deals[p]; d != nil && !d.ended && m.expired(d) {
		out = append(out, d.until)
	}
	return out
}

func manages(r access.Role) bool {
	return r == access.Owner || r == access.Admin || r == access.Business
}

// isUser is the user who has the address now, "" for nobody.
func (m *model) isUser(address string) string {
	for id, u := range m.people {
		if u.address == address && !u.gone() {
			return id
		}
	}
	return ""
}

// memberships of an address are the same for whoever has it, and stay when a user leaves.
func (m *model) memberships(address string) map[string]bool {
	for _, u := range m.people {
		if u.address == address {
			return u.memberOf
		}
	}
	return map[string]bool{}
}

// mayInvite: the customer always, the partner while it is in and picks the users.
func (m *model) mayInvite(p pair, byPartner bool) access.Code {
	switch d := m.deals[p]; {
	case !byPartner:
		return ""
	case d == nil || m.over(p):
		return access.NotFound
	case !d.byPartner:
		return access.Forbidden
	}
	return ""
}

// invitable: people of the customer need no invitation (D7), other customers' people get no access (P5), and nobody is a user of two
// partners. Whose people others are nobody is told.
func (m *model) invitable(p pair, address string, knowsMembers bool) access.Code {
	of, user := m.memberships(address), m.isUser(address)
	switch {
	case of[p.customer] && knowsMembers:
		return access.OwnOrganisation
	case user != "" && m.people[user].partner == p.partner:
		return access.EmailTaken
	case user != "" && !m.idle(user):
		return access.EmailUnavailable
	}
	return m.ofCustomers(address)
}

// ofCustomers is why an address of customers' people is refused (P5).
func (m *model) ofCustomers(address string) access.Code {
	for _, is := range m.memberships(address) {
		if is {
			return access.EmailUnavailable
		}
	}
	return ""
}

// idle tells whether an external user has come to the end of the last customer: another partner may have the person then.
func (m *model) idle(user string) bool {
	u := m.people[user]
	for p, d := range m.deals {
		if p.partner == u.partner && d.people[user] && !m.over(p) {
			return false
		}
	}
	return u.external()
}

func (m *model) invite(b bid) access.Code {
	if code := m.mayInvite(b.pair, b.byPartner); code != "" {
		return code
	}
	if code := m.eligible(b.partner); code != "" {
		return code
	}
	d := m.deals[b.pair]
	in := d != nil && !m.over(b.pair)
	if !b.until.IsZero() && (!b.until.After(m.now) || in && !d.until.Equal(b.until)) {
		return access.PeriodInvalid
	}
	if code := m.invitable(b.pair, b.address, !b.byPartner); code != "" {
		return code
	}
	var old *bid
	for _, other := range m.bids {
		if other.pair == b.pair && other.address == b.address && other.state == access.InvitationPending {
			old = other
		}
	}
	if old != nil && m.bidStatus(old) == access.InvitationPending {
		return access.AlreadyInvited
	}
	if in {
		b.deal = d.id
	}
	if b.byPartner {
		b.level = min(b.level, d.level, m.partners[b.partner].offer)
	}
	if old != nil { // its end is written down at the latest now
		old.reason, old.state = m.bidReason(old), m.bidStatus(old)
	}
	b.state, b.sending, b.ends, b.made = access.InvitationPending, 1, m.now.AddDate(0, 0, b.days), m.now
	m.bids = append(m.bids, &b)
	return ""
}

// answered tells why a person cannot answer an invitation (E4, E5).
func (m *model) answered(b *bid, address string) access.Code {
	switch {
	case m.ownStatus(b) != access.InvitationPending:
		return access.InvitationEnded
	case b.address != address:
		return access.WrongPerson
	}
	return ""
}

// accept lets the person in, under that id when it is new: as an external user of the partner, in this grant and no other (E3).
func (m *model) accept(b *bid, address, id string) access.Code {
	if code := m.answered(b, address); code != "" {
		return code
	}
	if code := m.eligible(b.partner); code != "" {
		return code
	}
	if m.lapsed(b) != "" {
		return access.InvitationEnded
	}
	user := m.isUser(address)
	if user != "" && m.people[user].partner != b.partner {
		if !m.idle(user) {
			return access.EmailTaken
		}
		if code := m.invitable(b.pair, address, true); code != "" {
			return code
		}
		m.leave(user)
		user = ""
	}
	if user != "" && m.people[user].status != access.Active {
		return access.UserNotActive
	}
	code := m.invitable(b.pair, address, true)
	if code == access.EmailTaken { // who is the partner's user may accept, unless a customer has registered the person since
		code = m.ofCustomers(address)
	}
	if code != "" {
		return code
	}
	d := m.deals[b.pair]
	fresh := d == nil || m.over(b.pair)
	if fresh {
		m.recordChange(b.pair)
		d = &deal{
			id: m.nextDeal(), opened: m.now, level: b.level, from: m.now, until: b.until, people: map[string]bool{}, caps: map[string]access.Level{},
			left: map[string]bool{},
		}
		m.deals[b.pair] = d
	}
	if user == "" {
		user = id
		m.people[id] = &someone{
			partner: b.partner, address: address, role: access.External, status: access.Active,
			memberOf: m.memberships(address),
		}
	}
	d.people[user] = true
	switch most, capped := m.caps[b.customer][address]; {
	case fresh:
	case b.byPartner:
		d.caps[user] = min(b.level, d.level, m.partners[b.partner].offer)
	case !capped || b.level < most:
		m.setCap(b.customer, address, b.level)
	}
	b.state, b.user = access.InvitationAccepted, user
	return ""
}

func (m *model) decline(b *bid, address string) access.Code {
	code := m.answered(b, address)
	if code == "" {
		b.state = access.InvitationDeclined
	}
	return code
}

func (m *model) cancel(b *bid) access.Code {
	if m.ownStatus(b) == access.InvitationPending {
		b.state = access.InvitationCancelled
	}
	return ""
}

// resend sends a pending invitation again; one that has ended is made anew, under that id.
func (m *model) resend(b *bid, by access.Actor, id string) access.Code {
	byPartner := by.Kind == "partner"
	switch s := m.bidStatus(b); {
	case s == access.InvitationAccepted:
		return access.InvitationEnded
	case s != access.InvitationPending:
		next := bid{pair: b.pair, id: id, address: b.address, level: b.level, until: b.until, byPartner: byPartner, by: by, days: b.days}
		if m.deals[b.pair] != nil && !m.over(b.pair) {
			next.until = time.Time{}
		}
		return m.invite(next)
	case byPartner != b.byPartner:
		return access.Forbidden
	}
	if code := m.mayInvite(b.pair, byPartner); code != "" {
		return code
	}
	if code := m.invitable(b.pair, b.address, !byPartner); code != "" {
		return code
	}
	b.sending++
	if byPartner {
		b.level = min(b.level, m.deals[b.pair].level, m.partners[b.partner].offer)
	}
	b.tokens, b.reminded, b.ends = nil, false, m.now.AddDate(0, 0, b.days)
	return ""
}

// mail is what sending the n-th mail does: its token opens the invitation, unless a later mail was called for.
func (m *model) mail(b *bid, n int, token string) access.Code {
	if m.ownStatus(b) != access.InvitationPending || n != b.sending {
		return access.InvitationEnded
	}
	b.tokens = append(b.tokens, token)
	return ""
}

// visit is the clock's: it writes an end down, or reminds once, two days before the end of an invitation of more than four days.
func (m *model) visit(b *bid) {
	due := b.ends
	if b.days > 4 && !b.reminded {
		due = due.AddDate(0, 0, -2)
	}
	switch {
	case b.state != access.InvitationPending || m.now.Before(due):
	case m.bidStatus(b) != access.InvitationPending:
		b.reason, b.state = m.bidReason(b), m.bidStatus(b)
	default:
		b.reminded = true
		b.sending++
	}
}

// review writes down the end of what nobody can accept any more.
func (m *model) review(b *bid) {
	if m.ownStatus(b) == access.InvitationPending {
		b.reason, b.state = m.bidReason(b), m.bidStatus(b)
	}
}

// bidMarks are the instants to come at which invitations end or are reminded of.
func (m *model) bidMarks() []time.Time {
	var out []time.Time
	for _, b := range m.bids {
		for _, at := range []time.Time{b.ends, b.ends.AddDate(0, 0, -2)} {
			if b.state == access.InvitationPending && at.After(m.now) {
				out = append(out, at)
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// Then the machine's commands.

// someAddress is an outsider's, or that of somebody who is or was a user.
func (m *machine) someAddress(t *rapid.T) string {
	if rapid.IntRange(0, 3).Draw(t, "whose") > 0 {
		return fmt.Sprintf("x%d-%d@elsewhere.example", rapid.IntRange(0, 1).Draw(t, "outsider"), m.run)
	}
	return m.model.people[m.someUser(t)].address
}

func (m *machine) someBid(t *rapid.T) *bid {
	if len(m.model.bids) == 0 {
		return nil
	}
	pending := slices.DeleteFunc(slices.Clone(m.model.bids), func(b *bid) bool { return m.model.bidStatus(b) != access.InvitationPending })
	if len(pending) > 0 && rapid.IntRange(0, 4).Draw(t, "pending") > 0 {
		return rapid.SampledFrom(pending).Draw(t, "pending invitation")
	}
	return rapid.SampledFrom(m.model.bids).Draw(t, "invitation")
}

// theAdmin is the customer's admin, who may cease to be one.
func theAdmin(customer string) access.Actor {
	return access.Actor{Kind: "customer", Email: "ann@" + customer + ".example"}
}

// someInviter is the customer's admin, or one of the partner's users who manage people.
func (m *machine) someInviter(t *rapid.T, p pair, byPartner bool) access.Actor {
	if !byPartner {
		return theAdmin(p.customer)
	}
	leads := slices.DeleteFunc(m.model.present(p.partner), func(id string) bool {
		u := m.model.people[id]
		return u.status != access.Active || !manages(u.role)
	})
	id := rapid.SampledFrom(leads).Draw(t, "inviter")
	return access.Actor{Kind: "partner", Email: m.model.people[id].address, User: id, Role: m.model.people[id].role}
}

// changeAdmin makes the customer's admin a plain member, or an admin again.
func (m *machine) changeAdmin(t *rapid.T) {
	m.setAdmin(rapid.SampledFrom(m.model.customers).Draw(t, "customer"), rapid.IntRange(0, 2).Draw(t, "admin") > 0)
}

func (m *machine) setAdmin(customer string, admin bool) {
	address := theAdmin(customer).Email
	m.same(m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.MemberFacts(ctx, customer, address)
		if err != nil {
			return access.Change{}, err
		}
		c, _, err := access.PlanMember(f, address, "Ann", admin, access.AnyVersion, m.planContext(theProvider))
		return c, err
	}), "")
	m.model.admins[customer] = admin
	m.model.deciders[pair{customer, address}] = admin
}

func (m *machine) invite(t *rapid.T) { m.inviteTo(t, m.somePair(t)) }

func (m *machine) inviteTo(t *rapid.T, p pair) {
	b := bid{
		pair: p, address: m.someAddress(t), level: access.View, byPartner: rapid.IntRange(0, 2).Draw(t, "by") == 2,
		days: rapid.SampledFrom([]int{1, 5}).Draw(t, "days"),
	}
	b.by = m.someInviter(t, p, b.byPartner)
	cmd := access.InviteCommand{Email: b.address, Level: maybe(t, "level", someLevel), Days: b.days}
	if cmd.Level != nil {
		b.level = *cmd.Level
	}
	if rapid.IntRange(0, 2).Draw(t, "until?") == 0 {
		b.until = m.someEnd(t)
	}
	cmd.Until = b.until
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.InvitationFacts(ctx, b.customer, b.partner, b.address, nil)
		if err != nil {
			return access.Change{}, err
		}
		c, i, err := access.PlanInvite(f, cmd, m.planContext(b.by))
		if i != nil {
			b.id = i.ID
		}
		return c, err
	})
	m.same(got, m.model.invite(b))
	if got == "" {
		m.sendMail(t, m.model.bids[len(m.model.bids)-1], 1)
	}
}

// answer accepts or declines an invitation, mostly as the person whom it is for.
func (m *machine) answer(t *rapid.T) {
	if b := m.someBid(t); b != nil {
		m.answerTo(t, b)
	}
}

// answerLate is answer on the instant at which the invitation ends, or on the one before or after.
func (m *machine) answerLate(t *rapid.T) {
	b := m.someBid(t)
	if b == nil {
		return
	}
	if at := b.ends.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ms")) * time.Millisecond); at.After(m.model.now) {
		m.model.now = at
	}
	m.answerTo(t, b)
}

// answerInVain is answer when the customer has ended the grant meanwhile, into which the partner or the customer has invited.
func (m *machine) answerInVain(t *rapid.T) {
	p := m.somePair(t)
	if d := m.model.deals[p]; d != nil {
		cmd := access.EditCommand{Seen: access.AnyVersion, AssignedBy: new(access.ByPartner)}
		got := m.relation(p, nil, false, func(r access.GrantFacts) (access.GrantChange, error) {
			return access.PlanEdit(r, cmd, m.planContext(aCustomer))
		})
		m.same(got, m.model.edit(p, cmd, false))
	}
	n := len(m.model.bids)
	m.inviteTo(t, p)
	if len(m.model.bids) == n {
		return
	}
	got := m.relation(p, nil, false, func(r access.GrantFacts) (access.GrantChange, error) {
		return access.PlanRevoke(r, m.planContext(aCustomer))
	})
	m.same(got, m.model.end(p))
	m.answerTo(t, m.model.bids[n])
}

func (m *machine) answerTo(t *rapid.T, b *bid) {
	address := b.address
	if rapid.IntRange(0, 9).Draw(t, "mistaken") == 9 {
		address = m.someAddress(t)
	}
	actor := access.Actor{Kind: "partner", Email: address}
	if rapid.IntRange(0, 4).Draw(t, "declines") == 4 {
		got := m.bid(b, func(r access.GrantFacts, i *access.Invitation) (access.Change, error) {
			c, _, err := access.PlanDecline(r, i, m.planContext(actor))
			return c, err
		})
		m.same(got, m.model.decline(b, address))
		return
	}
	m.people(b.partner)
	was, user := m.model.isUser(address), ""
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		i, err := m.store.Invitation(ctx, b.customer, b.id)
		if err != nil {
			return access.Change{}, err
		}
		f, err := m.store.InvitationFacts(ctx, i.Customer, i.Partner, i.Email, i)
		if err != nil {
			return access.Change{}, err
		}
		p, after, err := access.PlanAccept(f, i, "Somebody", m.planContext(actor))
		if after != nil {
			user = after.User
		}
		return p.Change, err
	})
	m.same(got, m.model.accept(b, address, user))
	m.spread(t, b.customer)
	if got != "" {
		return
	}
	m.accepted[0]++
	u, err := m.store.User(m.ctx, user)
	if err != nil || u == nil || u.Role != access.External || u.Partner != b.partner || u.Email != address {
		t.Fatalf("who accepted: got %+v (%v), want an external user of %s", u, err, b.partner)
	}
	if was != "" {
		m.accepted[1]++
		return
	}
	// A person who came by this invitation is in this grant only, whoever lets everyone in.
	m.compareDecisions(t, []string{user})
	for p, d := range m.model.deals {
		if d.people[user] != (p == b.pair) {
			t.Fatalf("the model has %s in %v: %v", user, p, d.people[user])
		}
	}
}

// keepBid is what else happens to an invitation: it is taken back, sent again, mailed, or the clock comes by.
func (m *machine) keepBid(t *rapid.T) {
	b := m.someBid(t)
	if b == nil {
		return
	}
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0:
		got := m.bid(b, func(r access.GrantFacts, i *access.Invitation) (access.Change, error) {
			c, _, err := access.PlanCancel(r, i, m.planContext(aCustomer))
			return c, err
		})
		m.same(got, m.model.cancel(b))
	case 1:
		byPartner := rapid.Bool().Draw(t, "by partner")
		by, id, bids := m.someInviter(t, b.pair, byPartner), "", len(m.model.bids)
		got := m.apply(func(ctx context.Context) (access.Change, error) {
			i, err := m.store.Invitation(ctx, b.customer, b.id)
			if err != nil {
				return access.Change{}, err
			}
			f, err := m.store.InvitationFacts(ctx, i.Customer, i.Partner, i.Email, i)
			if err != nil {
				return access.Change{}, err
			}
			c, after, err := access.PlanResend(f, i, m.planContext(by))
			if after != nil {
				id = after.ID
			}
			return c, err
		})
		m.same(got, m.model.resend(b, by, id))
		if got == "" && len(m.model.bids) == bids && rapid.Bool().Draw(t, "late mail") { // that of before is sent only now
			m.sendMail(t, b, b.sending-1)
		}
	case 2:
		m.sendMail(t, b, max(1, b.sending-rapid.IntRange(0, 1).Draw(t, "late")))
	default:
		m.same(m.bidRow(b, access.PlanInvitationDue), "")
		m.model.visit(b)
	}
}

func (m *machine) bidRow(b *bid, plan func(*access.InvitationRow, access.PlanContext) (access.Change, error)) access.Code {
	m.Helper()
	return m.apply(func(ctx context.Context) (access.Change, error) {
		r, err := m.store.InvitationRow(ctx, b.customer, b.id)
		if err != nil {
			return access.Change{}, err
		}
		return plan(r, m.planContext(theClock))
	})
}

// reviewBids is the sweep's look through a customer's pending invitations, or those to a partner.
func (m *machine) reviewBids(t *rapid.T) {
	p := m.somePair(t)
	customer, partner := p.customer, p.partner
	switch rapid.IntRange(0, 2).Draw(t, "whose") {
	case 0:
		customer = ""
	case 1:
		partner = ""
	}
	var got []string
	for after := ""; ; {
		rows, next, err := m.store.PendingInvitations(m.ctx, customer, partner, "", after, rapid.IntRange(1, 3).Draw(t, "at once"))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			got = append(got, r.ID)
		}
		if after = next; next == "" {
			break
		}
	}
	var want []string
	for _, b := range m.model.bids {
		if b.state == access.InvitationPending && (customer == "" || b.customer == customer) && (partner == "" || b.partner == partner) {
			want = append(want, b.id)
			m.same(m.bidRow(b, access.PlanInvitationEnd), "")
			m.model.review(b)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("pending invitations of %q to %q: got %v, want %v", customer, partner, got, want)
	}
}

func (m *machine) sendMail(t *rapid.T, b *bid, n int) {
	token := fmt.Sprintf("token-%d", len(b.tokens)+10*n)
	got := m.bid(b, func(_ access.GrantFacts, i *access.Invitation) (access.Change, error) {
		return access.PlanToken(i, n, token, m.planContext(theClock))
	})
	m.same(got, m.model.mail(b, n, token))
	m.compareBids(t, b.customer)
}

func (m *machine) bid(b *bid, plan func(access.GrantFacts, *access.Invitation) (access.Change, error)) access.Code {
	m.Helper()
	return m.apply(func(ctx context.Context) (access.Change, error) {
		i, err := m.store.Invitation(ctx, b.customer, b.id)
		if err != nil {
			return access.Change{}, err
		}
		r, err := m.store.GrantFacts(ctx, b.customer, b.partner, nil, false)
		if err != nil {
			return access.Change{}, err
		}
		return plan(r, i)
	})
}

// compareBids compares a customer's invitations, and those to each partner, all or those of a status.
func (m *machine) compareBids(t *rapid.T, customer string) {
	status := rapid.SampledFrom(
		[]access.InvitationStatus{
			"", "", access.InvitationPending, access.InvitationAccepted, access.InvitationCancelled,
			access.InvitationExpired,
		}).Draw(t, "status")
	filter := access.InvitationFilter{Status: status, Now: m.model.now}
	show := func(customer, partner, id, address string, level access.Level, s access.InvitationStatus, why access.Reason, sending int,
		reminded bool, tokens []string, user string,
	) string {
		return fmt.Sprint(customer, " ", partner, " ", id, " ", address, " ", level, " ", s, " ", why, " mail ", sending, " ", reminded, " ",
			tokens, " ", user)
	}
	compare := func(about string, of func(*bid) bool, list func(access.PageRequest) (access.Page[access.InvitationRow], error)) {
		got := m.pages(t, rapid.IntRange(1, 3).Draw(t, "limit"), func(ask access.PageRequest) ([]string, string, error) {
			page, err := list(ask)
			var rows []string
			for _, i := range page.Items {
				s, why := i.Status(m.model.now)
				rows = append(rows,
					show(i.Invitation.Customer, i.Invitation.Partner, i.ID, i.Email, i.Level, s, why, i.Sending, i.Reminded, i.Digests, i.User))
			}
			return rows, page.Next, err
		})
		var want []string
		for _, b := range m.model.bids {
			if s := m.model.bidStatus(b); of(b) && (status == "" || s == status) {
				want = append(want,
					show(b.customer, b.partner, b.id, b.address, b.level, s, m.model.bidReason(b), b.sending, b.reminded, b.tokens, b.user))
			}
		}
		if !slices.Equal(got, want) { // both in the order in which they were made
			t.Fatalf("%s (%q): got\n%s\nwant\n%s", about, status, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	compare("invitations of "+customer, func(b *bid) bool { return b.customer == customer },
		func(ask access.PageRequest) (access.Page[access.InvitationRow], error) {
			return m.store.CustomerInvitations(m.ctx, customer, filter, ask)
		})
	partner := rapid.SampledFrom(slices.Sorted(maps.Keys(m.model.partners))).Draw(t, "to")
	compare("invitations to "+partner, func(b *bid) bool { return b.partner == partner },
		func(ask access.PageRequest) (access.Page[access.InvitationRow], error) {
			return m.store.PartnerInvitations(m.ctx, partner, filter, ask)
		})
}
