package access_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// world keeps records as the table does: a change is committed only when every record is as the plan found it. (Records of kinds that
// no test here looks at again are not kept.)
// In the beginning there are Acme (acme.example) and Initech, and the channel partners Contoso and Fabrikam, each with an owner.
type world struct {
	t     *testing.T
	now   time.Time
	actor access.Actor
	ids   int
	owner string // Contoso's, whose name is olga
	vague bool   // who is in by its number is not known, as of a partner with many thousands

	accounts   bool // are kept
	federation access.Federation

	partners    map[string]access.Partner
	headcounts  map[string]access.Headcount
	users       map[string]access.User
	emails      map[string]access.Email
	domains     map[string]access.Domain
	customers   map[string]access.Customer
	members     map[string]access.Member
	grants      map[string]access.Grant
	assignments map[string]access.Assignment
	invitations map[string]access.Invitation

	change access.Change  // the latest that was committed
	told   []events.Event // all
}

var (
	provider   = access.Actor{Kind: "provider"}
	ann        = access.Actor{Kind: "customer", Email: "ann@acme.example"}
	olga       = access.Actor{Kind: "partner", Email: "olga@contoso.example", User: "contoso:olga", Role: access.Owner}
	start      = time.Date(2026, time.June, 1, 10, 0, 0, 0, time.UTC)
	tick       = time.Millisecond // between one instant and the next
	anyVersion = access.AnyVersion
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, now: start, actor: provider,
		partners: map[string]access.Partner{}, headcounts: map[string]access.Headcount{}, users: map[string]access.User{},
		emails: map[string]access.Email{}, domains: map[string]access.Domain{}, customers: map[string]access.Customer{},
		members: map[string]access.Member{},
		grants:  map[string]access.Grant{}, assignments: map[string]access.Assignment{},
		invitations: map[string]access.Invitation{},
	}
	w.customer("acme", "acme.example")
	w.customer("initech", "initech.example")
	for _, p := range []string{"fabrikam", "contoso"} {
		w.partner(p, access.PartnerCommand{Name: new(strings.ToUpper(p[:1]) + p[1:]), Offer: new(access.Manage), SSO: new(true)})
		w.owner = w.join(p, "olga", access.Owner)
	}
	w.actor = ann
	return w
}

func (w *world) planContext() access.PlanContext {
	return access.PlanContext{Now: w.now, Actor: w.actor, NewID: w.newID, Accounts: w.accounts, Federation: w.federation}
}

func (w *world) newID() string {
	w.ids++
	return fmt.Sprintf("%026d", w.ids)
}

// as lets somebody else act from now on.
func (w *world) as(a access.Actor) *world {
	w.actor = a
	return w
}

// commit does what the store does with a change.
func (w *world) commit(c access.Change) {
	w.t.Helper()
	if n := len(c.Writes) + len(c.Events) + 1; n > 100 {
		w.t.Fatalf("got a change of %d items (with the answer's), want at most 100: the transaction's limit", n)
	}
	for _, write := range c.Writes {
		switch r := write.(type) {
		case access.PartnerWrite:
			put(w, w.partners, r.After.ID, r.Before.Stored(), r.After, r.After.Version)
		case access.HeadcountWrite:
			put(w, w.headcounts, r.After.Partner, r.Before.Stored(), r.After, r.After.Version)
		case access.UserWrite:
			put(w, w.users, r.After.ID, r.Before.Stored(), r.After, r.After.Version)
		case access.EmailWrite:
			put(w, w.emails, r.After.Address, r.Before.Stored(), r.After, r.After.Version)
		case access.DomainWrite:
			if r.After == nil {
				delete(w.domains, r.Before.Name)
			} else {
				put(w, w.domains, r.After.Name, r.Before.Stored(), r.After, r.After.Version)
			}
		case access.CustomerWrite:
			put(w, w.customers, r.After.ID, r.Before.Stored(), r.After, r.After.Version)
		case access.MemberWrite:
			if r.After == nil {
				delete(w.members, r.Before.Customer+" "+r.Before.Email)
			} else {
				put(w, w.members, r.After.Customer+" "+r.After.Email, r.Before.Stored(), r.After, r.After.Version)
			}
		case access.GrantWrite:
			put(w, w.grants, r.After.Customer+" "+r.After.Partner, r.Before.Stored(), r.After, r.After.Version)
		case access.AssignmentWrite:
			if r.After == nil {
				if have := w.assignments[r.Before.Customer+" "+r.Before.User]; have.Version != r.Before.Version {
					w.t.Fatalf("assignment of %s: got version %d deleted, and %d is there", r.Before.User, r.Before.Version, have.Version)
				}
				delete(w.assignments, r.Before.Customer+" "+r.Before.User)
				continue
			}
			put(w, w.assignments, r.After.Customer+" "+r.After.User, r.Before.Stored(), r.After, r.After.Version)
		case access.InvitationWrite:
			put(w, w.invitations, r.After.ID, r.Before.Stored(), r.After, r.After.Version)
		case access.HeadcountCheck:
			if got, want := w.headcounts[r.Headcount.Partner].Version, r.Headcount.Version; got != want {
				w.t.Fatalf("headcount of %s: got version %d, want %d", r.Headcount.Partner, got, want)
			}
		}
	}
	w.change = c
	w.told = append(w.told, c.Events...)
}

// put fails where the table's condition would, and where a version does not grow.
func put[T interface {
	access.Partner | access.Headcount | access.User | access.Email | access.Domain | access.Customer |
		access.Member | access.Grant | access.Assignment | access.Invitation
}](w *world, records map[string]T, key string, was int64, after *T, version int64) {
	w.t.Helper()
	have := int64(0)
	if old, ok := records[key]; ok {
		have = versionOf(old)
	}
	if have != was || version <= have {
		w.t.Fatalf("%T %q: got a write from version %d to %d, and version %d is there", *after, key, was, version, have)
	}
	records[key] = *after
}

func versionOf(r any) int64 {
	switch r := r.(type) {
	case access.Partner:
		return r.Version
	case access.Headcount:
		return r.Version
	case access.User:
		return r.Version
	case access.Email:
		return r.Version
	case access.Domain:
		return r.Version
	case access.Customer:
		return r.Version
	case access.Member:
		return r.Version
	case access.Grant:
		return r.Version
	case access.Assignment:
		return r.Version
	case access.Invitation:
		return r.Version
	}
	panic(fmt.Sprintf("no version in %T", r))
}

// loaded is the record as a plan gets it: nil when there is none.
func loaded[T any](records map[string]T, key string) *T {
	if r, ok := records[key]; ok {
		return &r
	}
	return nil
}

func (w *world) relation(customer, partner string, users ...string) access.GrantFacts {
	r := access.GrantFacts{
		Customer: loaded(w.customers, customer), Partner: loaded(w.partners, partner), Headcount: w.headcounts[partner],
		Grant: loaded(w.grants, customer+" "+partner), Users: map[string]*access.User{}, Assignments: map[string]*access.Assignment{},
	}
	for _, id := range users {
		if u := loaded(w.users, id); u != nil {
			r.Users[id] = u
		}
		if a := loaded(w.assignments, customer+" "+id); a != nil {
			r.Assignments[id] = a
		}
	}
	return r
}

// whole is the relation with everybody's assignments.
func (w *world) whole(customer, partner string, users ...string) access.GrantFacts {
	for key := range w.assignments {
		if c, user, _ := strings.Cut(key, " "); c == customer && strings.HasPrefix(user, partner+":") {
			users = append(users, user)
		}
	}
	g := w.grants[customer+" "+partner]
	for id, u := range w.users {
		if g.EveryoneUpTo > 0 && u.Partner == partner && g.Admits(&u, loaded(w.assignments, customer+" "+id)) {
			users = append(users, id)
		}
	}
	r := w.relation(customer, partner, users...)
	r.UsersLoaded = g.EveryoneUpTo > 0 && !w.vague
	return r
}

// The commands of Acme and Contoso. Each commits what it planned.

func (w *world) grant(cmd access.GrantCommand) (access.GrantChange, error) {
	w.t.Helper()
	return w.planned(access.PlanGrant(w.relation("acme", "contoso", cmd.Users...), cmd, w.planContext()))
}

func (w *world) edit(cmd access.EditCommand) (access.GrantChange, error) {
	w.t.Helper()
	if cmd.Seen == 0 {
		cmd.Seen = anyVersion
	}
	users := slices.Concat(cmd.Add, cmd.Remove)
	for address := range cmd.Caps {
		if e := loaded(w.emails, address); e != nil && e.User != "" {
			users = append(users, e.User)
		}
	}
	if cmd.Set != nil {
		return w.planned(access.PlanEdit(w.whole("acme", "contoso", *cmd.Set...), cmd, w.planContext()))
	}
	return w.planned(access.PlanEdit(w.relation("acme", "contoso", users...), cmd, w.planContext()))
}

func (w *world) pick(cmd access.AssignCommand) (access.GrantChange, error) {
	w.t.Helper()
	if cmd.Seen == 0 {
		cmd.Seen = anyVersion
	}
	users := slices.Concat(cmd.Add, cmd.Remove)
	if cmd.Users != nil {
		users = *cmd.Users
	}
	return w.planned(access.PlanAssign(w.whole("acme", "contoso", users...), cmd, w.planContext()))
}

func (w *world) removeUser(user string) (access.GrantChange, error) {
	w.t.Helper()
	return w.planned(access.PlanRemoveUser(w.relation("acme", "contoso", user), user, w.planContext()))
}

func (w *world) end(plan func(access.GrantFacts, access.PlanContext) (access.GrantChange, error)) (access.GrantChange, error) {
	w.t.Helper()
	return w.planned(plan(w.relation("acme", "contoso"), w.planContext()))
}

func (w *world) relationship(everyone, defaultSSO bool) (access.GrantChange, error) {
	w.t.Helper()
	return w.planned(access.PlanRelationship(w.relation("acme", "contoso"), everyone, defaultSSO, w.planContext()))
}

func (w *world) manage(customer, partner string) (access.GrantChange, error) {
	w.t.Helper()
	var others []access.GrantRow
	for _, key := range slices.Sorted(maps.Keys(w.grants)) {
		if g := w.grants[key]; g.Customer == customer && g.Partner != partner {
			others = append(others, access.GrantRow{Grant: &g, Partner: loaded(w.partners, g.Partner)})
		}
	}
	return w.planned(access.PlanManage(w.relation(customer, partner), others, w.planContext()))
}

func (w *world) planned(p access.GrantChange, err error) (access.GrantChange, error) {
	w.t.Helper()
	if err != nil {
		if len(p.Change.Writes) > 0 || len(p.Change.Events) > 0 || p.Grant != nil {
			w.t.Errorf("refused with %v, and got a plan %+v", err, p)
		}
		return p, err
	}
	w.commit(p.Change)
	return p, nil
}

// The directory.

func (w *world) partner(id string, cmd access.PartnerCommand) {
	w.t.Helper()
	cmd.Seen = anyVersion
	c, _, err := access.PlanPartner(id, loaded(w.partners, id), nil, w.registry(), cmd, w.planContext())
	w.done(c, err)
}

func (w *world) removePartner(id string) {
	w.t.Helper()
	w.done(access.PlanRemovePartner(loaded(w.partners, id), w.registry(), w.planContext()))
}

func (w *world) customer(id, domain string) {
	w.t.Helper()
	c, _, err := access.PlanCustomer(id, loaded(w.customers, id), w.registry(),
		access.CustomerCommand{Seen: anyVersion, Name: new(strings.ToUpper(id)), Domain: &domain}, w.planContext())
	w.done(c, err)
}

func (w *world) newUser(partner string, cmd access.UserCommand) (*access.User, error) {
	w.t.Helper()
	f := access.UserFacts{
		Partner: loaded(w.partners, partner), Headcount: w.headcounts[partner], Email: loaded(w.emails, *cmd.Email), Domains: w.registry(),
		Holder: w.holder(*cmd.Email),
	}
	c, u, err := access.PlanNewUser(f, cmd, w.planContext())
	if err == nil {
		w.commit(c)
	}
	return u, err
}

// join makes <name>@<partner>.example a user of the partner and returns its id.
func (w *world) join(partner, name string, role access.Role) string {
	w.t.Helper()
	defer func(a access.Actor) { w.actor = a }(w.actor)
	w.actor = provider
	u, err := w.newUser(partner, access.UserCommand{Email: new(name + "@" + partner + ".example"), Name: &name, Role: &role})
	if err != nil {
		w.t.Fatal(err)
	}
	return u.ID
}

func (w *world) userFacts(user, address string) access.UserFacts {
	u := loaded(w.users, user)
	f := access.UserFacts{User: u}
	if u == nil {
		return f
	}
	f.Partner, f.Headcount, f.Email = loaded(w.partners, u.Partner), w.headcounts[u.Partner], loaded(w.emails, u.Email)
	if address != "" && address != u.Email {
		f.OldEmail, f.Email = f.Email, loaded(w.emails, address)
		f.Holder = w.holder(address)
	}
	f.Domains = w.registry()
	return f
}

// registry is the whole of it.
func (w *world) registry() access.Domains {
	out := access.Domains{}
	for name := range w.domains {
		out[name] = loaded(w.domains, name)
	}
	return out
}

// holder is the user who has the address.
func (w *world) holder(address string) access.AddressHolder {
	e := loaded(w.emails, address)
	if e == nil || e.User == "" {
		return access.AddressHolder{}
	}
	u := loaded(w.users, e.User)
	return access.AddressHolder{User: u, Partner: loaded(w.partners, u.Partner), Headcount: w.headcounts[u.Partner]}
}

func (w *world) editUser(user string, cmd access.UserCommand) (*access.User, error) {
	w.t.Helper()
	if cmd.Seen == 0 {
		cmd.Seen = anyVersion
	}
	address := ""
	if cmd.Email != nil {
		address = *cmd.Email
	}
	c, u, err := access.PlanUser(w.userFacts(user, address), cmd, w.planContext())
	if err == nil {
		w.commit(c)
	}
	return u, err
}

func (w *world) setStatus(user string, s access.Status) {
	w.t.Helper()
	if _, err := w.editUser(user, access.UserCommand{Status: &s}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) leave(user string) {
	w.t.Helper()
	w.done(access.PlanRemoveUserAccount(w.userFacts(user, ""), w.planContext()))
}

func (w *world) memberFacts(customer, address string) access.MemberFacts {
	f := access.MemberFacts{
		Customer: loaded(w.customers, customer), Member: loaded(w.members, customer+" "+address), Email: loaded(w.emails, address),
		Holder:           w.holder(address),
		OtherMemberships: map[string]bool{},
	}
	if f.Email == nil {
		return f
	}
	for _, id := range f.Email.FormerUsers {
		f.FormerHolders = append(f.FormerHolders, loaded(w.users, id))
	}
	for _, e := range w.emails {
		if e.Address != address && slices.Contains(e.MemberOf, customer) {
			for _, id := range append(slices.Clone(e.FormerUsers), e.User) {
				f.OtherMemberships[id] = true
			}
		}
	}
	return f
}

func (w *world) member(customer, address string, admin bool) {
	w.t.Helper()
	c, _, err := access.PlanMember(w.memberFacts(customer, address), address, "Somebody", admin, access.AnyVersion, w.planContext())
	w.done(c, err)
}

func (w *world) noMember(customer, address string) {
	w.t.Helper()
	w.done(access.PlanRemoveMember(w.memberFacts(customer, address), w.planContext()))
}

func (w *world) done(c access.Change, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	w.commit(c)
}

// What tests look at.

// in lists the names of Contoso's users whom the grant admits, in the order in which they joined.
func (w *world) in() string {
	g := w.grants["acme contoso"]
	var names []string
	for _, id := range slices.Sorted(maps.Keys(w.users)) {
		u := w.users[id]
		if u.Partner == "contoso" && g.Admits(&u, loaded(w.assignments, "acme "+id)) {
			names = append(names, u.Name)
		}
	}
	return strings.Join(names, " ")
}

func (w *world) wantIn(want string) {
	w.t.Helper()
	if got := w.in(); got != want {
		w.t.Errorf("in the grant: got %q, want %q", got, want)
	}
	g := w.grants["acme contoso"]
	wantCount := len(strings.Fields(want))
	if got := g.UserCount(w.headcounts["contoso"]); got != wantCount {
		w.t.Errorf("user count: got %d, want %d (%s)", got, wantCount, want)
	}
}

// why is the reason of the decision about a user of any partner who wants to sign in at Acme.
func (w *world) why(user string) access.DecisionReason {
	u := loaded(w.users, user)
	partner, _, _ := strings.Cut(user, ":")
	f := access.Facts{
		Partner: loaded(w.partners, partner), User: u, Grant: loaded(w.grants, "acme "+partner), Assignment: loaded(w.assignments, "acme "+user),
	}
	return access.DefaultCatalogue().Decide(f, "acme", "sign_in", w.now).Reason
}

func (w *world) wantWhy(user string, want access.DecisionReason) {
	w.t.Helper()
	if got := w.why(user); got != want {
		w.t.Errorf("decision for %s at %s: got %s, want %s", w.users[user].Name, w.now.Format(time.RFC3339Nano), got, want)
	}
}

// wantLevel is how much the user of any partner may do at Acme.
func (w *world) wantLevel(user string, want access.Level) {
	w.t.Helper()
	u := loaded(w.users, user)
	partner, _, _ := strings.Cut(user, ":")
	f := access.Facts{
		Partner: loaded(w.partners, partner), User: u, Grant: loaded(w.grants, "acme "+partner), Assignment: loaded(w.assignments, "acme "+user),
	}
	if got, _ := access.EffectiveLevel(f, "acme", w.now); got != want {
		t := access.DefaultCatalogue().Decide(f, "acme", "sign_in", w.now)
		w.t.Errorf("%s: got level %s (%s), want %s", u.Name, got, t.Reason, want)
	}
}

// wantCaps are Acme's caps, in the order of the addresses, at the customer and at its grant for Contoso.
func (w *world) wantCaps(want ...string) {
	w.t.Helper()
	for where, caps := range map[string]access.Caps{"the customer": w.customers["acme"].Caps, "the grant": w.grants["acme contoso"].Caps} {
		var got []string
		for _, address := range slices.Sorted(maps.Keys(caps)) {
			got = append(got, address+" "+caps[address].String())
		}
		if !slices.Equal(got, want) {
			w.t.Errorf("caps of %s: got %q, want %q", where, got, want)
		}
	}
}

// event is the latest event, which the latest change must have told.
func (w *world) event() events.Event {
	w.t.Helper()
	if len(w.change.Events) == 0 {
		w.t.Fatal("the latest change told nothing, want an event")
	}
	return w.change.Events[len(w.change.Events)-1]
}

func (w *world) wantEvents(want ...events.Type) {
	w.t.Helper()
	var got []events.Type
	for _, e := range w.change.Events {
		got = append(got, e.Type)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("events of the change: got %v, want %v", got, want)
	}
}

// must is for what a test only stands on.
func (w *world) must(p access.GrantChange, err error) access.GrantChange {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func wantRefusal(t *testing.T, err error, want access.Code) {
	t.Helper()
	if got := access.CodeOf(err); got != want {
		t.Errorf("got refusal %q (%v), want %q", got, err, want)
	}
}

func wantPointer(t *testing.T, err error, want string) {
	t.Helper()
	var refusal *access.Error
	if !errors.As(err, &refusal) || len(refusal.Fields) != 1 || refusal.Fields[0].Pointer != want {
		t.Errorf("got %v, want a refusal that points to %q", err, want)
	}
}

// wantUnchanged tells that a command had nothing to do.
func wantUnchanged(t *testing.T, p access.GrantChange, err error) {
	t.Helper()
	if err != nil || !p.Change.Empty() || p.Grant == nil {
		t.Errorf("got %d writes, %d events, grant %v and error %v; want the grant as it was and nothing to do",
			len(p.Change.Writes), len(p.Change.Events), p.Grant, err)
	}
}

func wantFields(t *testing.T, p access.GrantChange, want ...string) {
	t.Helper()
	if !slices.Equal(p.Summary.Fields, want) {
		t.Errorf("changed fields: got %v, want %v", p.Summary.Fields, want)
	}
}

func list(ids ...string) *[]string {
	if ids == nil {
		ids = []string{}
	}
	return &ids
}
