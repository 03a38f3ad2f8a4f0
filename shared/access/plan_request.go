package access

import (
	"slices"
	"strings"
	"time"

	"partneraccess/events"
)

// RequestCommand asks a customer for something. Nil fields were not given.
type RequestCommand struct {
	Code     string
	Kind     RequestKind
	Level    *Level
	Everyone bool
	Users    []string
	From     *time.Time
	Until    *time.Time // zero = without an end
	Purpose  string
	Ticket   string
}

// PlanRequest plans that a partner's user asks a customer; its owner, admins and business users for anybody, others for themselves inside a
// grant. While one of the same kind and pair is pending, that one is returned, and nothing changes. Where the customer does not take the
// request, whether or not there is such a customer, it is refused with CannotAsk: count that with PlanWrongCode.
func PlanRequest(f RequestFacts, cmd RequestCommand, pc PlanContext) (Change, *RequestRow, error) {
	if err := checkEligible(f.Partner); err != nil {
		return Change{}, nil, err
	}
	u := f.Users[pc.Actor.User]
	if u == nil || u.Status != Active || u.Partner != f.Partner.ID {
		return Change{}, nil, Refuse(Forbidden, "your account is not active: ask your organisation's administrator")
	}
	a := asking{f: f, cmd: cmd, pc: pc, user: u, personal: !roleMayInvite(u.Role)}
	coded, err := a.checkDoor()
	if err != nil {
		return Change{}, nil, err
	}
	if l := f.Latest; l != nil {
		if s, _ := l.Status(pc.Now); s == RequestPending {
			return Change{}, l, nil
		}
	}
	terms, err := a.terms()
	if err != nil {
		return Change{}, nil, err
	}
	if err := f.Customer.Requests.checkPeriod(cmd.Kind, terms, pc.Now); err != nil {
		return Change{}, nil, err
	}
	if f.Customer.Requests.ReasonRequired && strings.TrimSpace(cmd.Purpose) == "" {
		return Change{}, nil, Refuse(Invalid, "this customer wants to know why: say it").At("/reason")
	}
	return a.plan(terms, coded)
}

// asking is a request that is being made.
type asking struct {
	f        RequestFacts
	cmd      RequestCommand
	pc       PlanContext
	user     *User
	personal bool
}

func (a *asking) open() bool {
	g := a.f.Grant
	return g != nil && g.EndAt(a.f.Partner, a.pc.Now) == nil
}

// checkDoor refuses a request that the customer does not take, in the same words whatever the reason is. Coded: it needed the code.
func (a *asking) checkDoor() (coded bool, err error) {
	c := a.f.Customer
	policy, id := RequestPolicy{}, ""
	if c != nil {
		policy, id = c.Requests.Or(), c.ID
	}
	right := policy.matches(id, a.cmd.Code) // also where it is not looked at: it takes the same time
	takes := c != nil && c.Status == Active && c.ManagedBy == "" && policy.Mode != RequestsOff
	row := a.f.Assignments[a.user.ID]
	switch {
	case a.personal:
		takes = takes && a.open() && (a.user.Role != External || a.f.Grant.Admits(a.user, row))
	case a.open(), policy.Mode == RequestsOpen, policy.Mode == RequestsKnown && a.f.Grant != nil:
	default:
		coded = policy.Mode == RequestsByCode
		takes = takes && coded && right
	}
	if coded || !takes {
		if left, wait := a.f.Attempts.left(a.pc.Now); left == 0 {
			return coded, tooManyCodes(wait)
		}
	}
	if !takes {
		return coded, Refuse(CannotAsk,
			"no customer takes this request: check the customer's id and the code that it has handed out, or ask it to grant you access")
	}
	return coded, nil
}

// terms returns what is asked for, or why that cannot be.
func (a *asking) terms() (RequestTerms, error) {
	var t RequestTerms
	if err := a.users(&t); err != nil {
		return t, err
	}
	var err error
	switch {
	case a.cmd.Kind == AskAccess && !a.open():
		err = a.newGrant(&t)
	case a.cmd.Kind == AskAccess && (a.cmd.Level != nil || a.cmd.From != nil || a.cmd.Until != nil):
		err = Refuse(GrantDiffers, "your organisation has access already: ask for a higher level with raise, for a later end with extend")
	case a.cmd.Kind == AskAccess:
	case !a.open():
		err = Refuse(Ended, "there is no open grant of this customer: ask for access")
	case a.cmd.Kind == AskExtend:
		if a.personal {
			return t, Refuse(Forbidden, "the end is that of all users: ask your organisation's owner, an admin or a business user")
		}
		if a.cmd.Until == nil {
			return t, Refuse(Invalid, "say until when").At("/until")
		}
		t.Until = *a.cmd.Until
		if !t.Until.IsZero() && !t.Until.After(a.pc.Now) {
			return t, Refuse(PeriodInvalid, "the end %s is not in the future", t.Until.Format(time.RFC3339)).At("/until")
		}
	default:
		err = a.raise(&t)
	}
	if err != nil {
		return t, err
	}
	if a.open() && gives(a.f.Grant, a.cmd.Kind, a.personal, t, a.f.Users, a.f.Assignments) {
		return t, Refuse(GivesNothing, "the grant is as you ask already")
	}
	return t, nil
}

// users fills in for whom the request is.
func (a *asking) users(t *RequestTerms) error {
	named := slices.Compact(slices.Sorted(slices.Values(a.cmd.Users)))
	switch {
	case a.personal && (a.cmd.Everyone || len(named) > 0 && !slices.Equal(named, []string{a.user.ID})):
		return Refuse(Forbidden, "your role asks for yourself alone: leave users and everyone out")
	case a.personal:
		t.Users = []string{a.user.ID}
		return nil
	case a.cmd.Kind != AskAccess && (a.cmd.Everyone || len(named) > 0):
		return Refuse(Invalid, "an end and a level are those of all users of the grant: leave users and everyone out").At("/users")
	case a.cmd.Kind == AskAccess && !a.cmd.Everyone && len(named) == 0:
		return Refuse(Invalid, "name the users, or ask for everyone").At("/users")
	}
	for i, id := range a.cmd.Users {
		u := a.f.Users[id]
		if partner, _, _ := strings.Cut(id, ":"); partner != a.f.Partner.ID || u == nil || u.Status == Removed {
			return Refuse(UserNotOfPartner, "%q is no user of your organisation", id).At(userPointer(false, "/users", i))
		}
		if u.Status != Active {
			return Refuse(UserNotActive, "this person's account is not active: it has to be active first").At(userPointer(false, "/users", i))
		}
	}
	t.Users, t.Everyone = named, a.cmd.Everyone
	return nil
}

func (a *asking) newGrant(t *RequestTerms) error {
	t.Level = View
	if a.cmd.Level != nil {
		t.Level = *a.cmd.Level
	}
	if a.cmd.From != nil {
		t.From = *a.cmd.From
	}
	if a.cmd.Until != nil {
		t.Until = *a.cmd.Until
	}
	if !t.Until.IsZero() && !t.Until.After(later(a.pc.Now, t.From)) {
		return Refuse(PeriodInvalid, "the end %s is not in the future, or not after the start", t.Until.Format(time.RFC3339)).At("/until")
	}
	return a.checkOffer(t.Level)
}

func (a *asking) raise(t *RequestTerms) error {
	if a.cmd.Level == nil {
		return Refuse(Invalid, "say to which level").At("/level")
	}
	t.Level = *a.cmd.Level
	if err := a.checkOffer(t.Level); err != nil || !a.personal {
		return err
	}
	g, row := a.f.Grant, a.f.Assignments[a.user.ID]
	most, capped := g.Caps.Of(a.user)
	switch {
	case !g.Admits(a.user, row):
		return Refuse(Forbidden, "you do not belong to this grant: ask for access first")
	case t.Level > g.Level:
		return Refuse(Forbidden, "the whole grant is at %s: ask your organisation's owner, an admin or a business user to have it raised",
			g.Level)
	case !capped || most >= t.Level:
		return Refuse(GivesNothing, "the customer does not limit you below that level")
	}
	return nil
}

func (a *asking) checkOffer(l Level) error {
	switch {
	case l == None:
		return Refuse(Invalid, "ask for view, support or manage").At("/level")
	case l > a.f.Partner.Offer:
		return Refuse(PartnerNotEligible, "the provider offers your organisation at most %s: ask the provider", a.f.Partner.Offer).
			At("/level").offering(a.f.Partner.Offer)
	}
	return nil
}

// checkPeriod refuses a period that is longer than the customer allows.
func (p RequestPolicy) checkPeriod(k RequestKind, t RequestTerms, now time.Time) error {
	if p.MaxDays == 0 || k == AskRaise || k == AskAccess && t.Level == None { // users in an open grant have no period of their own
		return nil
	}
	if t.Until.IsZero() || t.Until.After(later(now, t.From).AddDate(0, 0, p.MaxDays)) {
		err := Refuse(PeriodInvalid, "this customer grants at most %d days at a time", p.MaxDays).At("/until")
		err.MaxDays = p.MaxDays
		return err
	}
	return nil
}

// plan makes the request. The latest one, which is over, gets its end recorded.
func (a *asking) plan(t RequestTerms, coded bool) (Change, *RequestRow, error) {
	f, pc := a.f, a.pc
	r := Request{
		ID: pc.NewID(), Customer: f.Customer.ID, Partner: f.Partner.ID, Kind: a.cmd.Kind, Asked: t, Purpose: a.cmd.Purpose, Ticket: a.cmd.Ticket,
		Personal: a.personal, By: pc.Actor.by(), User: a.user.ID, State: RequestPending, Created: pc.Now, Updated: pc.Now, Version: 1,
		Expires: pc.Now.Add(time.Duration(f.Customer.Requests.Or().Hours) * time.Hour),
	}
	if a.open() {
		r.Grant = f.Grant.ID
		if end := f.Grant.Until; !end.IsZero() && end.Before(r.Expires) {
			r.Expires = end
		}
	}
	if !t.Until.IsZero() && t.Until.Before(r.Expires) { // then nothing is left to approve
		r.Expires = t.Until
	}
	slot := RequestSlot{
		Customer: r.Customer, Partner: r.Partner, Kind: r.Kind, User: a.slotUser(), Request: r.ID, Version: f.Slot.Stored() + 1,
	}
	var c Change
	if l := f.Latest; l != nil && l.State == RequestPending {
		c = pc.recordEnd(l, f.Deciders)
	}
	c.Writes = append(c.Writes, RequestSlotWrite{Before: f.Slot, After: &slot}, RequestWrite{After: &r}, UserCheck{*a.user})
	if coded { // so that no attempt in vain came between
		n := CodeAttempts{Partner: r.Partner, Customer: r.Customer, Since: pc.Now, Version: f.Attempts.Stored() + 1}
		if f.Attempts != nil {
			n.Notified = f.Attempts.Notified
		}
		c.Writes = append(c.Writes, CodeAttemptsWrite{Before: f.Attempts, After: &n})
	}
	if !f.Customer.HasRequests {
		after := *f.Customer
		after.HasRequests = true
		after.Version++
		review := pc.task(TaskInvitations, "", "") // what ends at the same time does not know yet that there are any
		review.After.Customer, review.After.Due = f.Customer.ID, pc.Now.Add(secondRound)
		c.Writes = append(c.Writes, CustomerWrite{Before: f.Customer, After: &after}, review)
	}
	row := &RequestRow{
		Request: &r, Customer: f.Customer, Partner: f.Partner, Grant: f.Grant, Requester: a.user, Users: f.Users, Assignments: f.Assignments,
	}
	c.Events = append(c.Events, pc.request(events.RequestCreated, row, &r, f.Deciders))
	return c, row, nil
}

func (a *asking) slotUser() string {
	if a.personal {
		return a.user.ID
	}
	return ""
}

// request returns an event about a request. Deciders are those who get its mails at the customer.
func (pc PlanContext) request(t events.Type, row *RequestRow, r *Request, deciders []Member) events.Event {
	d := events.Data{
		AskedFor: r.ID, Kind: string(r.Kind), Version: r.Version, Purpose: r.Purpose, Ticket: r.Ticket, Grant: r.Grant, Reason: string(r.Why),
		Question: r.Question, Message: r.Note, Expires: ref(r.Expires),
		Requester: &events.Person{ID: r.User, Email: r.By.Email},
	}
	if u := row.Requester; u != nil {
		d.Requester.Name = u.Name
	}
	terms := r.Asked
	if r.Granted != nil {
		terms = *r.Granted
		d.Changes = termAlterations(r.Asked, terms)
	}
	if terms.Level != None {
		d.Level = terms.Level.String()
	}
	d.From, d.Until = instant(terms.From), instant(terms.Until)
	if terms.Everyone {
		d.Everyone = ref(true)
	}
	for _, id := range terms.Users {
		p := events.Person{ID: id}
		if u := row.Users[id]; u != nil {
			p = person(u)
		}
		d.Users = append(d.Users, p)
	}
	for _, m := range deciders[:min(len(deciders), MaxApprovers)] {
		d.Approvers = append(d.Approvers, events.Person{Email: m.Email})
	}
	return pc.event(t, row.Customer, row.Partner, d)
}

// termAlterations returns in which terms an approval differs from what was asked.
func termAlterations(asked, granted RequestTerms) []events.Change {
	var l alteredFields
	l.flag("everyone", asked.Everyone, granted.Everyone)
	l.instant("from", asked.From, granted.From)
	l.text("level", asked.Level.String(), granted.Level.String())
	l.instant("until", asked.Until, granted.Until)
	l.list("users", asked.Users, granted.Users)
	return l
}

func (r *Request) next(pc PlanContext) *Request {
	n := *r
	n.Version++
	n.Updated = pc.Now
	return &n
}

// PlanWithdraw plans that the partner withdraws a request: who asked, or somebody who asks for the partner. One that has ended stays as it
// is.
func PlanWithdraw(f RequestFacts, pc PlanContext) (Change, *RequestRow, error) {
	r := f.Row
	if r == nil || r.User != pc.Actor.User && !roleMayInvite(pc.Actor.Role) {
		return Change{}, nil, notFound("request")
	}
	if s, _ := r.Status(pc.Now); s != RequestPending {
		return Change{}, r, nil
	}
	n := r.next(pc)
	n.State = RequestWithdrawn
	return pc.endRequest(events.RequestWithdrawn, r, n, f.Deciders)
}

// endRequest plans that the request is as n says, with the event.
func (pc PlanContext) endRequest(t events.Type, row *RequestRow, n *Request, deciders []Member) (Change, *RequestRow, error) {
	after := *row
	after.Request = n
	return Change{
		Writes: []Write{RequestWrite{Before: row.Request, After: n}},
		Events: []events.Event{pc.request(t, row, n, deciders)},
	}, &after, nil
}

// recordEnd records the end of a request that has expired or is moot; the change is empty when it is to be decided still.
func (pc PlanContext) recordEnd(row *RequestRow, deciders []Member) Change {
	pc = pc.asClock()
	n := row.next(pc)
	kind := events.RequestExpired
	switch n.State, n.Why = row.Status(pc.Now); n.State {
	case RequestExpired:
	case RequestCancelled:
		kind = events.RequestCancelled
	default:
		return Change{}
	}
	c, _, _ := pc.endRequest(kind, row, n, deciders)
	return c
}

// PlanRequestEnd plans that the end of a pending request that has expired or is moot is recorded. Both sides get a mail.
func PlanRequestEnd(f RequestFacts, pc PlanContext) (Change, error) {
	if f.Row == nil || f.Row.State != RequestPending {
		return Change{}, nil
	}
	return pc.recordEnd(f.Row, f.Deciders), nil
}

// PlanRequestDue plans what is due for a request: its end, or a reminder to those who decide, however many were missed.
func PlanRequestDue(f RequestFacts, pc PlanContext) (Change, error) {
	r := f.Row
	if r == nil || r.State != RequestPending {
		return Change{}, nil
	}
	if s, _ := r.Status(pc.Now); s != RequestPending {
		return pc.recordEnd(r, f.Deciders), nil
	}
	due := r.Due()
	if due.IsZero() || due.After(pc.Now) {
		return Change{}, nil
	}
	pc = pc.asClock()
	n := r.next(pc)
	for at := due; !at.IsZero() && !at.After(pc.Now); at = n.reminderAt(n.Reminders + 1) {
		n.Reminders++
	}
	c, _, err := pc.endRequest(events.RequestReminded, r, n, f.Deciders)
	return c, err
}
