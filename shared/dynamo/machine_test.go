package dynamo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

// The state machine: random commands go to the store on a real engine and to a naive model (model_test.go) that lists every person who
// is in every grant one by one. After each command both must have answered the same, decide the same about everybody, and list the
// same. More runs: go test ./shared/dynamo -run Model -rapid.checks=1000 -rapid.steps=100 (a hundred steps in each, of which the first ones
// make its organisations). A failure prints its seed.
func TestTheStoreDoesWhatTheNaiveModelDoes(t *testing.T) {
	client := engine.Shared(t).Client()
	table := "machine-" + rand.Text()
	if err := dynamo.CreateTable(t.Context(), client, table, false); err != nil {
		t.Fatal(err)
	}
	runs, steps, accepted, swept, requests := 0, 0, [2]int{}, map[string]int{}, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		runs++ // every run has its own organisations, so that one table does for all
		m := &machine{
			T: rt, ctx: t.Context(), store: dynamo.New(client, table), reader: dynamo.NewReader(client, table),
			run: runs, model: newModel(), grants: map[pair]*access.Grant{}, partners: map[string]*access.Partner{}, touched: map[pair]bool{},
			accepted: &accepted, swept: swept, requests: requests,
		}
		m.found()
		for _, c := range m.model.customers { // begin with something to work on
			for _, p := range slices.Sorted(maps.Keys(m.model.partners)) {
				m.grantTo(rt, pair{c, p})
				m.inviteTo(rt, pair{c, p})
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":                   func(t *rapid.T) { steps++; m.compare(t) },
			"grant":              m.grant,
			"grant an address":   m.individual,
			"edit users":         m.editUsers,
			"edit everyone":      m.editEveryone,
			"edit terms":         m.editTerms,
			"edit caps":          m.editCaps,
			"pick":               m.pick,
			"remove user":        m.removeUser,
			"end":                m.end,
			"due":                m.due,
			"due, as often":      m.due,
			"due, more often":    m.due,
			"user left":          m.userLeft,
			"partner gone":       m.partnerGone,
			"join":               m.join,
			"leave":              m.leave,
			"disable or enable":  m.disable,
			"become a member":    m.becomeMember,
			"change the partner": m.changePartner,
			"clock":              m.clock,
			"clock, as often":    m.clock,
			"everyone, as often": m.editEveryone,
			"invite":             m.invite,
			"invite, as often":   m.invite,
			"answer late":        m.answerLate,
			"answer in vain":     m.answerInVain,
			"answer":             m.answer,
			"answer, as often":   m.answer,
			"keep an invitation": m.keepBid,
			"change the admin":   m.changeAdmin,
			"review invitations": m.reviewBids,
			"delete old rows":    m.oldRows,
			"use the access":     m.use,
			"ask":                m.askFor,
			"ask, as often":      m.askFor,
			"ask, more often":    m.askFor,
			"ask, most often":    m.askFor,
			"approve":            m.approve,
			"approve, as often":  m.approve,
			"approve, often":     m.approve,
			"decline":            m.decline,
			"withdraw":           m.withdraw,
			"expire a request":   m.expireWish,
		})
		m.compareAll(rt)
		m.sweepAll(rt)
		m.compareAll(rt)
	})
	t.Logf("%d steps in %d worlds", steps, runs)
	t.Logf("%d invitations were accepted, %d of them by people who were users already; what the sweep found to do: %v", accepted[0],
		accepted[1], swept)
	t.Logf("what requests came to: %v", requests)
	if !t.Failed() && accepted[0] == 0 {
		t.Error("got no invitation that was accepted, want some: the machine proves nothing of them")
	}
	for _, what := range []string{"approved", "seconded", "own, refused", "declined", "withdrawn", "expired", "cancelled"} {
		if !t.Failed() && requests[what] == 0 && runs >= 100 {
			t.Errorf("got no request that was %s, want some: the machine proves nothing of it", what)
		}
	}
	for _, e := range []events.Type{events.GrantExpired, events.GrantUserLeft, events.GrantEnded} {
		if !t.Failed() && swept[string(e)] == 0 {
			t.Errorf("got no %s by the sweep, want some: the machine proves nothing of it", e)
		}
	}
}

// machine is one run: the store, and beside it the model.
type machine struct {
	*rapid.T
	ctx    context.Context
	store  *dynamo.Store
	reader *dynamo.Reader
	run    int
	ids    int
	model  *model

	grants   map[pair]*access.Grant     // as they were last read
	partners map[string]*access.Partner // likewise
	touched  map[pair]bool              // grants that the latest command may have changed
	accepted *[2]int                    // invitations of all runs, and those by users
	swept    map[string]int             // events of all runs that came of the sweep's visits
	requests map[string]int             // what requests of all runs came to
}

var (
	theProvider = access.Actor{Kind: "provider"}
	theClock    = access.Actor{Kind: "clock"}
	aCustomer   = access.Actor{Kind: "customer", Email: "ann@acme.example"}
	aPartner    = access.Actor{Kind: "partner", Email: "olga@contoso.example"}
)

func (m *machine) planContext(a access.Actor) access.PlanContext {
	return access.PlanContext{Now: m.model.now, Actor: a, NewID: func() string {
		m.ids++
		return fmt.Sprintf("%013d%013d", m.run, m.ids)
	}}
}

// found registers two customers, and two partners with an owner, one more of staff and an external user each.
func (m *machine) found() {
	for i := range 2 {
		id := fmt.Sprintf("c%d-%d", i, m.run)
		m.apply(func(context.Context) (access.Change, error) {
			c, _, err := access.PlanCustomer(id, nil, nil, access.CustomerCommand{Name: &id}, m.planContext(theProvider))
			return c, err
		})
		m.model.customers = append(m.model.customers, id)
		m.setAdmin(id, true)
		m.takeRequests(id, i+1)
	}
	for i := range 2 {
		id := fmt.Sprintf("p%d-%d", i, m.run)
		m.apply(func(context.Context) (access.Change, error) {
			cmd := access.PartnerCommand{Name: &id, Offer: new(access.Manage)}
			c, _, err := access.PlanPartner(id, nil, nil, nil, cmd, m.planContext(theProvider))
			return c, err
		})
		m.model.addPartner(id, access.Manage)
		m.newUser(id, access.Owner)
		m.newUser(id, access.Tech)
		m.newUser(id, access.External)
	}
}

// apply plans on what the store has and commits; the code of the refusal, or "", is the outcome.
func (m *machine) apply(plan func(context.Context) (access.Change, error)) access.Code {
	m.Helper()
	err := m.store.Apply(m.ctx, func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		c, err := plan(ctx)
		return c, nil, err
	})
	if code := access.CodeOf(err); code != "" || err == nil {
		return code
	}
	m.Fatalf("apply: %v", err)
	return ""
}

// relation applies a plan about one grant.
func (m *machine) relation(p pair, users []string, whole bool, plan func(access.GrantFacts) (access.GrantChange, error)) access.Code {
	m.Helper()
	m.touched[p] = true
	return m.apply(func(ctx context.Context) (access.Change, error) {
		r, err := m.store.GrantFacts(ctx, p.customer, p.partner, users, whole)
		if err != nil {
			return access.Change{}, err
		}
		out, err := plan(r)
		return out.Change, err
	})
}

// same tells whether store and model answered a command alike.
func (m *machine) same(got, want access.Code) {
	m.Helper()
	if got != want {
		m.Fatalf("got outcome %q of the store, want %q as of the model", got, want)
	}
}

// Draws.

func (m *machine) somePair(t *rapid.T) pair {
	return pair{rapid.SampledFrom(m.model.customers).Draw(t, "customer"), m.somePartner(t)}
}

func (m *machine) somePartner(t *rapid.T) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(m.model.partners))).Draw(t, "partner")
}

// someUsers are up to three users, mostly of the partner, some of whom may have left.
func (m *machine) someUsers(t *rapid.T, partner, label string, atLeast int) []string {
	own, all := m.model.usersOf(partner), m.model.everybody()
	from := rapid.SampledFrom([][]string{own, own, own, own, own, all}).Draw(t, "from")
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), min(atLeast, len(from)), min(3, len(from)), rapid.ID[string]).Draw(t, label)
}

func (m *machine) someUser(t *rapid.T) string {
	return rapid.SampledFrom(m.model.everybody()).Draw(t, "user")
}

// someInstant is to the millisecond around an instant to come at which a grant begins or ends, around now, or around an hour later.
func (m *machine) someInstant(t *rapid.T) time.Time {
	at := m.model.now
	marks := m.model.marks()
	if ends := m.model.bidMarks(); len(ends) > 0 && rapid.IntRange(0, 3).Draw(t, "an invitation's") == 0 {
		marks = ends
	}
	if ends := m.model.wishMarks(); len(ends) > 0 && rapid.IntRange(0, 5).Draw(t, "a request's") == 0 {
		marks = ends
	}
	if len(marks) > 0 && rapid.Bool().Draw(t, "mark") {
		at = rapid.SampledFrom(marks).Draw(t, "around")
	} else if rapid.Bool().Draw(t, "later") {
		at = at.Add(time.Hour)
	}
	return at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ms")) * time.Millisecond)
}

// maybe draws a value, or nil.
func maybe[T any](t *rapid.T, label string, draw func(*rapid.T) T) *T {
	if rapid.IntRange(0, 2).Draw(t, label+"?") < 2 {
		return nil
	}
	return new(draw(t))
}

func someLevel(t *rapid.T) access.Level {
	return rapid.SampledFrom([]access.Level{access.View, access.Support, access.Manage, access.None}).Draw(t, "level")
}

func someAssigner(t *rapid.T) access.Assigner {
	return rapid.SampledFrom([]access.Assigner{access.ByCustomer, access.ByPartner}).Draw(t, "assigner")
}

// someEnd is an instant, or zero for no end.
func (m *machine) someEnd(t *rapid.T) time.Time {
	if rapid.IntRange(0, 3).Draw(t, "continuous") == 3 {
		return time.Time{}
	}
	return m.someInstant(t)
}

// someVersion is what an editor has seen: whichever, the present one, or the one before.
func (m *machine) someVersion(t *rapid.T, p pair) (seen int64, stale bool) {
	how := rapid.IntRange(0, 2).Draw(t, "seen")
	if how == 0 {
		return access.AnyVersion, false
	}
	g := m.stored(t, p).Grant // what decisions read of a grant has no version
	if g == nil {
		return 1 - int64(how), how == 2
	}
	return g.PublicVersion() + 1 - int64(how), how == 2
}

// Commands about a grant.

func (m *machine) grant(t *rapid.T) { m.grantTo(t, m.somePair(t)) }

func (m *machine) grantTo(t *rapid.T, p pair) {
	cmd := access.GrantCommand{
		Level: maybe(t, "level", someLevel), From: maybe(t, "from", m.someInstant), Until: maybe(t, "until", m.someEnd),
		AssignedBy: maybe(t, "assigned by", someAssigner),
	}
	switch rapid.IntRange(0, 3).Draw(t, "who") {
	case 0:
		cmd.Everyone = true
	case 1, 2:
		cmd.Users = m.someUsers(t, p.partner, "users", 1)
	}
	got := m.relation(p, cmd.Users, false,
		func(r access.GrantFacts) (access.GrantChange, error) {
			return access.PlanGrant(r, cmd, m.planContext(aCustomer))
		})
	m.same(got, m.model.grant(p, cmd))
}

func (m *machine) individual(t *rapid.T) {
	user := m.someUser(t)
	p := pair{rapid.SampledFrom(m.model.customers).Draw(t, "customer"), m.model.people[user].partner}
	cmd := access.GrantCommand{Users: []string{user}, Individual: true, Level: maybe(t, "level", someLevel)}
	got := m.relation(p, cmd.Users, false,
		func(r access.GrantFacts) (access.GrantChange, error) {
			return access.PlanGrant(r, cmd, m.planContext(aCustomer))
		})
	m.same(got, m.model.grant(p, cmd))
	m.spread(t, p.customer)
}

// spread does what follows every change of a cap: all the customer's grants copy it.
func (m *machine) spread(t *rapid.T, customer string) {
	for _, p := range slices.Sorted(maps.Keys(m.model.partners)) {
		m.visit(t, pair{customer, p}, nil, func(r access.GrantFacts) (access.GrantChange, error) {
			return access.PlanCustomerRules(r, m.planContext(theClock))
		})
	}
}

// editCaps caps people of whichever partner, by their addresses.
func (m *machine) editCaps(t *rapid.T) {
	p := m.somePair(t)
	cmd := access.EditCommand{Caps: map[string]*access.Level{}}
	users := m.someUsers(t, p.partner, "whom", 1)
	for _, user := range users {
		cmd.Caps[m.model.people[user].address] = maybe(t, "cap", someLevel)
	}
	var stale bool
	cmd.Seen, stale = m.someVersion(t, p)
	got := m.relation(p, users, false, func(r access.GrantFacts) (access.GrantChange, error) {
		return access.PlanEdit(r, cmd, m.planContext(aCustomer))
	})
	m.same(got, m.model.edit(p, cmd, stale))
	m.spread(t, p.customer)
}

func (m *machine) edit(t *rapid.T, p pair, cmd access.EditCommand) {
	var stale bool
	cmd.Seen, stale = m.someVersion(t, p)
	users := slices.Concat(cmd.Add, cmd.Remove)
	if cmd.Set != nil {
		users = *cmd.Set
	}
	got := m.relation(p, users, cmd.Set != nil,
		func(r access.GrantFacts) (access.GrantChange, error) {
			return access.PlanEdit(r, cmd, m.planContext(aCustomer))
		})
	m.same(got, m.model.edit(p, cmd, stale))
}

func (m *machine) editUsers(t *rapid.T) {
	p := m.somePair(t)
	var cmd access.EditCommand
	if rapid.Bool().Draw(t, "set") {
		cmd.Set = new(m.someUsers(t, p.partner, "users", 0))
	} else {
		cmd.Add = m.someUsers(t, p.partner, "add", 0)
		cmd.Remove = slices.DeleteFunc(m.someUsers(t, p.partner, "remove", 0), func(u string) bool { return slices.Contains(cmd.Add, u) })
	}
	m.edit(t, p, cmd)
}

func (m *machine) editEveryone(t *rapid.T) {
	p := m.somePair(t)
	cmd := access.EditCommand{Everyone: new(rapid.Bool().Draw(t, "on"))}
	switch rapid.IntRange(0, 3).Draw(t, "with") {
	case 0:
		cmd.Set = new(m.someUsers(t, p.partner, "users", 0))
	case 1:
		cmd.Add = m.someUsers(t, p.partner, "add", 0)
	case 2:
		cmd.Remove = m.someUsers(t, p.partner, "remove", 0)
	}
	m.edit(t, p, cmd)
}

func (m *machine) editTerms(t *rapid.T) {
	state := func(t *rapid.T) access.State {
		return rapid.SampledFrom([]access.State{access.StateOpen, access.StateSuspended}).Draw(t, "state")
	}
	m.edit(t, m.somePair(t), access.EditCommand{
		Level: maybe(t, "level", someLevel), From: maybe(t, "from", m.someInstant), Until: maybe(t, "until", m.someEnd),
		State: maybe(t, "state", state), AssignedBy: maybe(t, "assigned by", someAssigner),
	})
}

func (m *machine) pick(t *rapid.T) {
	p := m.somePair(t)
	var cmd access.AssignCommand
	if rapid.Bool().Draw(t, "everyone?") {
		cmd.Everyone = new(rapid.Bool().Draw(t, "everyone"))
	}
	var users []string
	if cmd.Everyone == nil || !*cmd.Everyone && rapid.Bool().Draw(t, "users?") {
		users = m.someUsers(t, p.partner, "users", 0)
		cmd.Users = &users
	}
	var stale bool
	cmd.Seen, stale = m.someVersion(t, p)
	got := m.relation(p, users, true, func(r access.GrantFacts) (access.GrantChange, error) {
		return access.PlanAssign(r, cmd, m.planContext(aPartner))
	})
	m.same(got, m.model.pick(p, cmd, stale))
}

func (m *machine) removeUser(t *rapid.T) {
	p := m.somePair(t)
	user := m.someUser(t)
	got := m.relation(p, []string{user}, false, func(r access.GrantFacts) (access.GrantChange, error) {
		return access.PlanRemoveUser(r, user, m.planContext(aCustomer))
	})
	m.same(got, m.model.removeUser(p, user))
}

// end revokes or relinquishes.
func (m *machine) end(t *rapid.T) {
	p := m.somePair(t)
	plan, by := access.PlanRevoke, aCustomer
	if rapid.Bool().Draw(t, "relinquish") {
		plan, by = access.PlanRelinquish, aPartner
	}
	got := m.relation(p, nil, false, func(r access.GrantFacts) (access.GrantChange, error) { return plan(r, m.planContext(by)) })
	m.same(got, m.model.end(p))
}

// What the sweep does. It may come by early, late, twice, or not at all.

// due writes down what the clock has ended, which the model knows anyway, and tells of starts and reminders, which nobody sees in a list.
// Mostly it comes by when the grant begins or ends, or on the instant before or after.
func (m *machine) due(t *rapid.T) {
	p := m.somePair(t)
	ahead := map[pair][]time.Time{}
	for p, d := range m.model.deals {
		for _, at := range []time.Time{d.from, d.until} {
			if at.After(m.model.now) && !m.model.over(p) {
				ahead[p] = append(ahead[p], at)
			}
		}
	}
	if len(ahead) > 0 && rapid.IntRange(0, 3).Draw(t, "in time") > 0 {
		p = rapid.SampledFrom(slices.SortedFunc(maps.Keys(ahead), pair.compare)).Draw(t, "of")
		at := rapid.SampledFrom(ahead[p]).Draw(t, "mark").Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ms")) * time.Millisecond)
		if at.After(m.model.now) {
			m.model.now = at
		}
	}
	m.dueAt(t, p)
}

func (m *machine) dueAt(t *rapid.T, p pair) {
	var told, want string
	before := m.stored(t, p).Grant
	m.visit(t, p, nil, func(r access.GrantFacts) (access.GrantChange, error) {
		if d := m.model.deals[p]; d != nil && m.model.expired(d) && r.Grant.State != access.StateEnded {
			want = string(events.GrantExpired)
		}
		out, err := access.PlanDue(r, m.planContext(theClock))
		for _, e := range out.Change.Events {
			if e.Type != events.GrantStarted && e.Type != events.GrantExpiring {
				told += string(e.Type)
			}
		}
		return out, err
	})
	if told != want {
		t.Fatalf("%v: got told %q, want %q", p, told, want)
	}
	g := m.stored(t, p).Grant
	if g != nil && !g.Due().IsZero() && !g.Due().After(m.model.now) {
		t.Fatalf("%v: got work due at %s when it was just done at %s", p, g.Due(), m.model.now)
	}
	if want == "" && before != nil && g.PublicVersion() != before.PublicVersion() {
		t.Fatalf("%v: got version %d after the clock has told something, want %d as before for whoever edits", p, g.PublicVersion(),
			before.PublicVersion())
	}
}

// userLeft comes to one grant of the partner that somebody has left, mostly where that one was let in.
func (m *machine) userLeft(t *rapid.T) {
	isGone := func(id string) bool { return m.model.people[id].gone() }
	if !slices.ContainsFunc(m.model.everybody(), isGone) {
		m.leave(t)
	}
	gone := slices.DeleteFunc(m.model.everybody(), func(id string) bool { return !isGone(id) })
	if len(gone) == 0 {
		return
	}
	user := rapid.SampledFrom(gone).Draw(t, "who left")
	p := pair{rapid.SampledFrom(m.model.customers).Draw(t, "customer"), m.model.people[user].partner}
	for _, id := range gone {
		if d := m.model.deals[p]; d != nil && d.left[id] && m.model.people[id].partner == p.partner && rapid.Bool().Draw(t, "counted") {
			user = id
		}
	}
	m.userLeftAt(t, p, user)
}

func (m *machine) userLeftAt(t *rapid.T, p pair, user string) {
	m.visit(t, p, []string{user}, func(r access.GrantFacts) (access.GrantChange, error) {
		return access.PlanUserLeft(r, user, m.planContext(theClock))
	})
	m.model.userLeft(p, user)
	if r, d := m.stored(t, p), m.model.deals[p]; d != nil && r.Grant.UserCount(r.Headcount) != d.count() {
		t.Fatalf("%v after %s: got %d users counted, want %d", p, user, r.Grant.UserCount(r.Headcount), d.count())
	}
}

// partnerGone comes to one grant of a partner that was removed, now and then just before.
func (m *machine) partnerGone(t *rapid.T) {
	p := m.somePair(t)
	if m.model.partners[p.partner].status != access.Removed {
		if rapid.IntRange(0, 2).Draw(t, "remove it") > 0 {
			return
		}
		m.removePartner(p.partner)
	}
	m.partnerGoneAt(t, p)
}

func (m *machine) partnerGoneAt(t *rapid.T, p pair) {
	m.visit(t, p, nil, func(r access.GrantFacts) (access.GrantChange, error) {
		return access.PlanEndForRemovedPartner(r, m.planContext(theClock))
	})
	want := m.model.partnerGone(p)
	if g := m.stored(t, p).Grant; g != nil &&
		(g.State != access.StateEnded || want != nil && (g.End.Reason != want.Reason || !g.End.At.Equal(want.At))) {
		t.Fatalf("%v: got state %s and end %+v, want ended by %+v", p, g.State, g.End, want)
	}
}

// sweepAll comes by everywhere.
func (m *machine) sweepAll(t *rapid.T) {
	for _, c := range m.model.customers {
		for _, id := range m.model.everybody() {
			if u := m.model.people[id]; u.gone() {
				m.userLeftAt(t, pair{c, u.partner}, id)
			}
		}
		for _, partner := range slices.Sorted(maps.Keys(m.model.partners)) {
			m.dueAt(t, pair{c, partner})
			if m.model.partners[partner].status == access.Removed {
				m.partnerGoneAt(t, pair{c, partner})
			}
		}
	}
}

// oldRows deletes rows of a grant that count no more, which nobody can see.
func (m *machine) oldRows(t *rapid.T) {
	p := m.somePair(t)
	m.touched[p] = true
	m.same(m.apply(func(ctx context.Context) (access.Change, error) {
		g, rows, _, err := m.store.AssignmentRows(ctx, p.customer, p.partner, "", 50)
		return access.PlanOldAssignments(g, rows), err
	}), "")
}

// use records the last use of anybody anywhere. It changes nothing that the model knows of, also where the person has no access.
func (m *machine) use(t *rapid.T) {
	use := access.Use{On: access.DayOf(m.model.now), Number: int64(rapid.IntRange(1, 3).Draw(t, "number"))}
	user, customer := m.someUser(t), rapid.SampledFrom(m.model.customers).Draw(t, "customer")
	if err := m.reader.RecordUse(m.ctx, customer, user, use); err != nil {
		t.Fatal(err)
	}
	m.touched[pair{customer, m.model.people[user].partner}] = true
}

// visit is the sweep's at one grant. It is never refused, and a second time it finds nothing to do.
func (m *machine) visit(t *rapid.T, p pair, users []string, plan func(access.GrantFacts) (access.GrantChange, error)) {
	var c access.Change
	m.same(m.relation(p, users, false, func(r access.GrantFacts) (access.GrantChange, error) {
		out, err := plan(r)
		c = out.Change
		return out, err
	}), "")
	for _, e := range c.Events {
		m.swept[string(e.Type)]++
	}
	r, err := m.store.GrantFacts(m.ctx, p.customer, p.partner, users, false)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := plan(r); err != nil || !again.Change.Empty() {
		t.Fatalf("%v, once more: got %+v (%v), want nothing to do", p, again.Change, err)
	}
}

func (m *machine) stored(t *rapid.T, p pair) access.GrantFacts {
	r, err := m.store.GrantFacts(m.ctx, p.customer, p.partner, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The directory.

// people marks all grants of a partner.
func (m *machine) people(partner string) {
	for _, c := range m.model.customers {
		m.touched[pair{c, partner}] = true
	}
}

func (m *machine) join(t *rapid.T) {
	partner := m.somePartner(t)
	if len(m.model.present(partner)) >= 5 {
		return
	}
	m.newUser(partner, rapid.SampledFrom([]access.Role{access.Tech, access.Admin, access.External}).Draw(t, "role"))
}

func (m *machine) newUser(partner string, role access.Role) {
	m.people(partner)
	address := fmt.Sprintf("u%d-%d@%s.example", len(m.model.people), m.run, partner)
	var id string
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.UserFacts(ctx, partner, "", address)
		if err != nil {
			return access.Change{}, err
		}
		c, u, err := access.PlanNewUser(f, access.UserCommand{Email: &address, Name: &address, Role: &role}, m.planContext(theProvider))
		if u != nil {
			id = u.ID
		}
		return c, err
	})
	m.same(got, m.model.join(partner, id, address, role))
}

// someEmployee is a user who is not the owner, whom the partner must keep.
func (m *machine) someEmployee(t *rapid.T) string {
	return rapid.SampledFrom(
		slices.DeleteFunc(m.model.everybody(), func(id string) bool { return m.model.people[id].role == access.Owner })).Draw(t, "employee")
}

func (m *machine) leave(t *rapid.T) {
	user := m.someEmployee(t)
	partner := m.model.people[user].partner
	m.people(partner)
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.UserFacts(ctx, partner, user, "")
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanRemoveUserAccount(f, m.planContext(theProvider))
	})
	m.same(got, m.model.leave(user))
}

func (m *machine) disable(t *rapid.T) {
	user := m.someEmployee(t)
	status := rapid.SampledFrom([]access.Status{access.Disabled, access.Active}).Draw(t, "status")
	m.people(m.model.people[user].partner)
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.UserFacts(ctx, m.model.people[user].partner, user, "")
		if err != nil {
			return access.Change{}, err
		}
		c, _, err := access.PlanUser(f, access.UserCommand{Seen: access.AnyVersion, Status: &status}, m.planContext(theProvider))
		return c, err
	})
	m.same(got, m.model.setStatus(user, status))
}

// becomeMember makes a partner's user a member of a customer, or takes it out again.
func (m *machine) becomeMember(t *rapid.T) {
	user := m.someUser(t)
	customer := rapid.SampledFrom(m.model.customers).Draw(t, "customer")
	member, admin := rapid.Bool().Draw(t, "member"), rapid.Bool().Draw(t, "admin")
	address := m.model.people[user].address
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		f, err := m.store.MemberFacts(ctx, customer, address)
		if err != nil {
			return access.Change{}, err
		}
		if !member {
			return access.PlanRemoveMember(f, m.planContext(theProvider))
		}
		c, _, err := access.PlanMember(f, address, "Somebody", admin, access.AnyVersion, m.planContext(theProvider))
		return c, err
	})
	m.same(got, m.model.setMember(user, customer, member, admin))
}

func (m *machine) editPartner(partner string, cmd access.PartnerCommand) access.Code {
	m.people(partner)
	cmd.Seen = access.AnyVersion
	return m.apply(func(ctx context.Context) (access.Change, error) {
		before, err := m.store.Partner(ctx, partner)
		if err != nil {
			return access.Change{}, err
		}
		c, _, err := access.PlanPartner(partner, before, nil, nil, cmd, m.planContext(theProvider))
		return c, err
	})
}

func (m *machine) changePartner(t *rapid.T) {
	partner := m.somePartner(t)
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 9:
		m.removePartner(partner)
	case 6, 7, 8:
		offer := someLevel(t)
		m.same(m.editPartner(partner, access.PartnerCommand{Offer: &offer}), m.model.setPartner(partner, func(a *agency) { a.offer = offer }))
	default:
		status := access.Suspended // nothing can be seen of a partner while it is: not for long
		if m.model.partners[partner].status == access.Suspended {
			status = access.Active
		}
		m.same(m.editPartner(partner, access.PartnerCommand{Status: &status}), m.model.setPartner(partner, func(a *agency) { a.status = status }))
	}
}

func (m *machine) removePartner(partner string) {
	m.people(partner)
	got := m.apply(func(ctx context.Context) (access.Change, error) {
		before, err := m.store.Partner(ctx, partner)
		if err != nil {
			return access.Change{}, err
		}
		return access.PlanRemovePartner(before, nil, m.planContext(theProvider))
	})
	m.same(got, m.model.removePartner(partner))
}

// clock moves on, mostly to the instant at which a grant begins or ends, or to the one before or after.
func (m *machine) clock(t *rapid.T) {
	if at := m.someInstant(t); at.After(m.model.now) {
		m.model.now = at
	}
}

// Comparisons.

// compare looks at all decisions, and at one list that the latest command may have changed: a grant's users, a customer's grants or a
// partner's, or requests. Which one is drawn, as looking at all would take most of the time.
func (m *machine) compare(t *rapid.T) {
	m.compareDecisions(t, m.model.present(""))
	if len(m.touched) == 0 {
		return
	}
	p := rapid.SampledFrom(slices.SortedFunc(maps.Keys(m.touched), pair.compare)).Draw(t, "look at")
	clear(m.touched)
	switch rapid.IntRange(0, 4).Draw(t, "as") {
	case 0:
		m.compareCustomer(t, p.customer)
	case 1:
		m.comparePartner(t, p.partner)
	case 2:
		m.compareWishes(t, p.customer)
	default:
		m.compareUsers(t, p)
	}
}

// compareAll looks at everything, once in a run.
func (m *machine) compareAll(t *rapid.T) {
	for _, c := range m.model.customers {
		m.compareBids(t, c)
		m.compareWishes(t, c)
	}
	m.compareDecisions(t, append(m.model.everybody(), fmt.Sprintf("p0-%d:%026d", m.run, 0))) // also who has left, and who never was
	for _, c := range m.model.customers {
		m.compareCustomer(t, c)
		for _, p := range slices.Sorted(maps.Keys(m.model.partners)) {
			m.compareUsers(t, pair{c, p})
		}
	}
	for _, p := range slices.Sorted(maps.Keys(m.model.partners)) {
		m.comparePartner(t, p)
	}
}

// compareDecisions asks about the users at every customer, and keeps the grants and partners that it saw.
func (m *machine) compareDecisions(t *rapid.T, users []string) {
	var qs []access.FactsQuery
	for _, user := range users {
		for _, customer := range m.model.customers {
			qs = append(qs, access.FactsQuery{User: user, Customer: customer})
		}
	}
	facts, err := m.reader.Facts(m.ctx, qs, access.Strong)
	if err != nil {
		t.Fatal(err)
	}
	catalogue := access.DefaultCatalogue()
	for i, q := range qs {
		if g := facts[i].Grant; g != nil {
			m.grants[pair{g.Customer, g.Partner}] = g
		}
		if p := facts[i].Partner; p != nil {
			m.partners[p.ID] = p
		}
		for action, needs := range map[string]access.Level{
			"sign_in": access.View, "reports:read": access.Support,
			"settings:write": access.Manage,
		} {
			d := catalogue.Decide(facts[i], q.Customer, action, m.model.now)
			got := verdict{d.Allow, d.Reason, d.Level, d.Until}
			if want := m.model.decide(q.User, q.Customer, needs); got != want {
				t.Fatalf("%s for %s at %s: got %+v, want %+v\nfacts: grant %+v, assignment %+v", action, q.User, q.Customer, got, want, facts[i].Grant,
					facts[i].Assignment)
			}
		}
	}
}

func (m *machine) compareUsers(t *rapid.T, p pair) {
	g, d := m.grants[p], m.model.deals[p]
	if g == nil || d == nil {
		if (g == nil) != (d == nil) {
			t.Fatalf("grant of %v: got %+v, want %+v", p, g, d)
		}
		return
	}
	limit := rapid.IntRange(2, 4).Draw(t, "limit")
	got := m.pages(t, limit, func(ask access.PageRequest) ([]string, string, error) {
		page, err := m.store.GrantUsers(m.ctx, g, ask)
		var ids []string
		for _, u := range page.Items {
			ids = append(ids, u.User.ID)
		}
		return ids, page.Next, err
	})
	if want := slices.Sorted(maps.Keys(d.people)); !slices.Equal(got, want) {
		t.Fatalf("users in %v, %d a page: got %v, want %v", p, limit, got, want)
	}
}

func (m *machine) compareCustomer(t *rapid.T, id string) {
	m.comparePeople(t, id)
	m.compareRows(t, "partners of "+id, func(p pair) (string, bool) { return p.partner, p.customer == id },
		func(f access.GrantFilter, ask access.PageRequest) (access.Page[access.GrantRow], error) {
			page, err := m.store.CustomerGrants(m.ctx, &access.Customer{ID: id, Name: id}, f, ask)
			return page.Page, err
		})
}

// comparePeople compares who can come in, from a list that is read whole or merged.
func (m *machine) comparePeople(t *rapid.T, customer string) {
	store := m.store
	if rapid.Bool().Draw(t, "merged") {
		merged := *m.store
		store = &merged
		store.MergePeople()
	}
	f := access.PeopleFilter{Order: access.OrderName, Now: m.model.now}
	got := m.pages(t, rapid.IntRange(1, 4).Draw(t, "limit"), func(ask access.PageRequest) ([]string, string, error) {
		page, err := store.People(m.ctx, customer, f, ask)
		var rows []string
		for _, p := range page.Items {
			rows = append(rows, p.User.ID+" "+p.Level.String())
		}
		return rows, page.Next, err
	})
	var want []string
	for _, u := range m.model.everybody() {
		if d := m.model.decide(u, customer, access.View); d.allow {
			want = append(want, u+" "+d.level.String())
		}
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Fatalf("people of %s: got %v, want %v", customer, got, want)
	}
}

func (m *machine) comparePartner(t *rapid.T, id string) {
	m.compareRows(t, "customers of "+id, func(p pair) (string, bool) { return p.customer, p.partner == id },
		func(f access.GrantFilter, ask access.PageRequest) (access.Page[access.GrantRow], error) {
			page, err := m.store.PartnerCustomers(m.ctx, m.partners[id], f, ask)
			return page.Page, err
		})
}

// compareRows compares a list of grants, each with its status and its number of users: those that have not ended, or all.
func (m *machine) compareRows(t *rapid.T, about string, of func(pair) (string, bool),
	list func(access.GrantFilter, access.PageRequest) (access.Page[access.GrantRow], error),
) {
	f := access.GrantFilter{Now: m.model.now}
	all := rapid.Bool().Draw(t, "all")
	if all {
		f.Statuses = []string{"scheduled", "active", "suspended", "expired", "ended"}
	}
	got := m.pages(t, rapid.IntRange(1, 3).Draw(t, "limit"), func(ask access.PageRequest) ([]string, string, error) {
		page, err := list(f, ask)
		var rows []string
		for _, r := range page.Items {
			name, _ := of(pair{r.Grant.Customer, r.Grant.Partner})
			rows = append(rows, fmt.Sprintf("%s %s %d", name, r.Grant.Status(r.Partner, m.model.now), r.Grant.UserCount(r.Headcount)))
		}
		return rows, page.Next, err
	})
	var want []string
	for p, d := range m.model.deals {
		if name, is := of(p); is && (all || !m.model.over(p)) {
			want = append(want, fmt.Sprintf("%s %s %d", name, m.model.status(p), d.count()))
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%s (all: %v): got %v, want %v", about, all, got, want)
	}
}

// pages reads a list to its end.
func (m *machine) pages(t *rapid.T, limit int, page func(access.PageRequest) ([]string, string, error)) []string {
	var all []string
	for ask := (access.PageRequest{Limit: limit}); ; {
		items, next, err := page(ask)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) > limit {
			t.Fatalf("got a page of %d, want at most %d", len(items), limit)
		}
		all = append(all, items...)
		if next == "" {
			return all
		}
		if next <= ask.After {
			t.Fatalf("got position %q after %q, want one further on", next, ask.After)
		}
		ask.After = next
	}
}

func (p pair) compare(q pair) int {
	return strings.Compare(p.customer+" "+p.partner, q.customer+" "+q.partner)
}
