package access

import (
	"slices"
	"strings"
	"time"

	"partneraccess/events"
)

// InvitationStatus is the state of an invitation. An ended one is kept, and never blocks a new one.
type InvitationStatus string

// The states; all but pending are ends.
const (
	InvitationPending   InvitationStatus = "pending"
	InvitationAccepted  InvitationStatus = "accepted"
	InvitationDeclined  InvitationStatus = "declined"
	InvitationCancelled InvitationStatus = "cancelled"
	InvitationExpired   InvitationStatus = "expired"
)

// Invitation is a pending offer to a person by e-mail: to become an external user of a partner, in one customer's grant only (E3, E4).
type Invitation struct {
	ID        string // a ULID
	Customer  string
	Partner   string
	Grant     string // the id of the grant that was open when it was made; "" = accepting opens one
	Email     string // only this address can accept
	Level     Level
	Until     time.Time // end of the grant that accepting opens; zero = continuous. Only where there is no grant yet
	State     InvitationStatus
	Reason    Reason   // why it ended without an answer
	By        By       // who invited: customer or partner
	Inviter   string   // the id of the partner's user who invited; "" when the customer did
	Digests   []string // of the tokens that open it: the mail's and the reminder's. The tokens themselves are stored nowhere
	Sending   int      // how many mails with a token were called for
	MailEvent string   // the id of the event whose mail carries the latest of them; "" = not recorded
	Days      int      // how long it lasts
	Expires   time.Time
	Reminded  bool
	User      string // who accepted
	Created   time.Time
	Updated   time.Time
	Version   int64
}

// Status returns the state at that instant: a pending invitation expires at its end, whether or not that is recorded.
func (i *Invitation) Status(now time.Time) InvitationStatus {
	if i.State == InvitationPending && !now.Before(i.Expires) {
		return InvitationExpired
	}
	return i.State
}

// reminderOfInvitation is how long before its end a person is reminded, once, of an invitation that lasts longer than twice that.
const reminderOfInvitation = 48 * time.Hour

// Due returns the instant of the next reminder, or else of the end; zero when the invitation is not pending.
func (i *Invitation) Due() time.Time {
	switch {
	case i.State != InvitationPending:
		return time.Time{}
	case !i.Reminded && i.Days > 4:
		return i.Expires.Add(-reminderOfInvitation)
	}
	return i.Expires
}

// Limits of an invitation's life, in days.
const (
	DefaultInvitationDays = 7
	MaxInvitationDays     = 30
)

// Inviter is the present record of the person who invited: a user of the partner, or a member of the customer. Both are nil when there is
// none any more.
type Inviter struct {
	User   *User
	Member *Member
}

// InvitationRow is an invitation with the records that decide whether it can be accepted.
type InvitationRow struct {
	*Invitation
	Customer *Customer
	Partner  *Partner
	Grant    *Grant // nil when there never was one
	Inviter  Inviter
}

// Status returns the state at that instant as people see it, whether or not it is recorded; with the reason when the invitation was
// cancelled because it could not be accepted any more.
func (r *InvitationRow) Status(now time.Time) (InvitationStatus, Reason) {
	s := r.Invitation.Status(now)
	if s != InvitationPending {
		return s, r.Reason
	}
	if why := r.Lapsed(now); why != "" {
		return InvitationCancelled, why
	}
	return InvitationPending, ""
}

// Lapsed returns why a pending invitation cannot be accepted at that instant; "" while it can. It is the only rule for that: for
// accepting, for what people are shown, for reminders and for the sweep.
func (r *InvitationRow) Lapsed(now time.Time) Reason {
	i, g := r.Invitation, r.Grant
	switch {
	case r.Customer == nil || r.Customer.Status != Active:
		return CustomerRemoved
	case r.Partner == nil || r.Partner.Status == Removed:
		return PartnerRemoved
	case r.Partner.Status != Active:
		return NotActive
	case checkEligible(r.Partner) != nil:
		return NotEligible
	case r.grantEnded(now):
		return GrantEnded
	case i.By.Kind == ActorPartner && (g.AssignedBy != ByPartner || g.AssignedBySince.After(i.Created)):
		return ChoiceChanged
	case r.inviterLeft():
		return InviterLeft
	}
	if open := g != nil && g.EndAt(r.Partner, now) == nil; !open {
		if r.Customer.ManagedBy != "" { // since the invitation (A15)
			return ManagedNow
		}
		if !i.Until.IsZero() && !i.Until.After(now) {
			return Expired
		}
	} else if i.Grant == "" && !i.Until.IsZero() && (g.Until.IsZero() || g.Until.After(i.Until)) {
		return PeriodChanged
	}
	return ""
}

// grantEnded reports whether the grant that the invitation is for has ended. An invitation that was for a new grant ends with the first
// grant since.
func (r *InvitationRow) grantEnded(now time.Time) bool {
	i, g := r.Invitation, r.Grant
	if g == nil {
		return i.Grant != "" || i.By.Kind == ActorPartner
	}
	end := g.EndAt(r.Partner, now)
	switch {
	case i.Grant != "":
		return end != nil || g.ID != i.Grant
	case i.By.Kind == ActorPartner: // of before invitations named their grant: the partner invites into an open one only
		return end != nil || g.Created.After(i.Created)
	}
	return end != nil && end.At.After(i.Created) || g.PreviousEnd.After(i.Created)
}

// inviterLeft reports whether the inviter may not invite any more: the partner's user is not active, has another role, or is another
// person now; the customer's member is removed or no admin.
func (r *InvitationRow) inviterLeft() bool {
	if r.By.Kind != ActorPartner {
		return r.Inviter.Member == nil || !r.Inviter.Member.Admin
	}
	u := r.Inviter.User
	return u == nil || u.Status != Active || u.Partner != r.Invitation.Partner || !roleMayInvite(u.Role) ||
		domainOf(u.Email) != domainOf(r.By.Email)
}

// roleMayInvite reports whether users of that role may invite for their partner (P8, P9).
func roleMayInvite(r Role) bool { return r == Owner || r == Admin || r == Business }

func domainOf(email string) string {
	_, domain, _ := strings.Cut(email, "@")
	return domain
}

// InvitationFacts are the records that a plan about an invitation reads: those of the grant, the invited address and its user, and the
// customer's pending invitation to it.
type InvitationFacts struct {
	GrantFacts
	Email      *Email
	User       *User              // the partner's user with that address, of whichever partner
	Holder     AddressHolder      // the same, with what its end looks at
	Domains    Domains            // of the address, and those above it
	Pending    *Invitation        // of this customer and partner, to this address; its end may not have been written down
	Inviters   map[string]Inviter // of Pending, and of the invitation that the plan is about, by their ids
	Unlisted   []*Invitation      // pending ones of the customer that are not yet found by their address
	DefaultSSO bool               // the provider's setting, for a grant that accepting opens
}

func (f *InvitationFacts) row(i *Invitation) *InvitationRow {
	return &InvitationRow{Invitation: i, Customer: f.Customer, Partner: f.Partner, Grant: f.Grant, Inviter: f.Inviters[i.ID]}
}

// InvitationFilter says which invitations of a list are wanted: those of a status at that instant, of a customer and of a partner, or all
// where it is "".
type InvitationFilter struct {
	Customer string
	Partner  string
	Status   InvitationStatus
	Now      time.Time
}

// MatchesParties reports whether the invitation is of the customer and the partner asked for. It reads nothing but the invitation.
func (f InvitationFilter) MatchesParties(i *Invitation) bool {
	return (f.Customer == "" || i.Customer == f.Customer) && (f.Partner == "" || i.Partner == f.Partner)
}

// Matches reports whether the invitation is one of those asked for.
func (f InvitationFilter) Matches(r *InvitationRow) bool {
	s, _ := r.Status(f.Now)
	return (f.Status == "" || s == f.Status) && f.MatchesParties(r.Invitation)
}

// InviteCommand invites a person.
type InviteCommand struct {
	Email string
	Level *Level // default: view
	Until time.Time
	Days  int
}

// PlanInvite plans an invitation, by the customer or, where the customer lets the partner assign, by the partner, who can offer no more
// than it has.
func PlanInvite(f InvitationFacts, cmd InviteCommand, pc PlanContext) (Change, *Invitation, error) {
	if err := mayInvite(f.GrantFacts, pc); err != nil {
		return Change{}, nil, err
	}
	if err := checkEligible(f.Partner); err != nil {
		return Change{}, nil, err.At("/partner")
	}
	i := Invitation{
		ID: pc.NewID(), Customer: f.Customer.ID, Partner: f.Partner.ID, Email: cmd.Email, Level: View, Until: cmd.Until, State: InvitationPending,
		By: pc.Actor.by(), Sending: 1, Days: cmd.Days, Expires: pc.Now.Add(time.Duration(cmd.Days) * 24 * time.Hour), Created: pc.Now,
		Updated: pc.Now, Version: 1,
	}
	open := f.Grant != nil && f.Grant.EndAt(f.Partner, pc.Now) == nil
	if open {
		i.Grant = f.Grant.ID
	}
	if cmd.Level != nil {
		i.Level = *cmd.Level
	}
	if pc.Actor.Kind == ActorPartner {
		i.Inviter, i.Level = pc.Actor.User, Lowest(i.Level, f.Grant.EffectiveLevel(f.Partner))
	}
	if !cmd.Until.IsZero() {
		if !cmd.Until.After(pc.Now) {
			return Change{}, nil, Refuse(PeriodInvalid, "the end %s is not in the future", cmd.Until.Format(time.RFC3339)).At("/until")
		}
		if open && !f.Grant.Until.Equal(cmd.Until) {
			return Change{}, nil, Refuse(PeriodInvalid,
				"the partner has access already, and the period belongs to the whole grant: leave until out here").At("/until")
		}
	}
	if err := f.checkAddressee(cmd.Email, pc); err != nil {
		return Change{}, nil, err
	}
	c, err := pc.endPrevious(f, cmd.Email)
	if err != nil {
		return Change{}, nil, err
	}
	c.Writes = append(c.Writes, InvitationWrite{After: &i})
	if !f.Customer.HasInvitations {
		after := *f.Customer
		after.HasInvitations = true
		after.Version++
		c.Writes = append(c.Writes, CustomerWrite{Before: f.Customer, After: &after})
		for n, old := range f.Unlisted {
			if n < maxUnlisted && (f.Pending == nil || old.ID != f.Pending.ID) {
				c.Writes = append(c.Writes, InvitationListing{old})
			}
		}
		// What ends at the same time as the first invitation is made does not know yet that there are any.
		t := pc.task(TaskInvitations, "", "")
		t.After.Customer, t.After.Due = f.Customer.ID, pc.Now.Add(secondRound)
		c.Writes = append(c.Writes, t)
	}
	c.Events = append(c.Events, i.recordMailEvent(pc.invitation(events.InvitationCreated, f.GrantFacts, &i)))
	return c, &i, nil
}

// checkAddressee refuses an address that cannot be invited. An account that ends with the acceptance is no hindrance.
func (f InvitationFacts) checkAddressee(email string, pc PlanContext) error {
	if (f.Holder.endsWhenProved() || f.Holder.hasNoAccess(pc.Now)) && f.User.Partner != f.Partner.ID {
		f.User = nil // the invited person can prove the address, or has come from another partner and is in nowhere any more
	}
	return checkInvitable(f, email, pc.Actor.Kind == ActorCustomer)
}

// maxUnlisted is how many older invitations are listed by their address together with the first new one: a transaction has room for no
// more.
const maxUnlisted = 60

// endPrevious records the end of the previous invitation to the same address. It is refused while that one is pending.
func (pc PlanContext) endPrevious(f InvitationFacts, email string) (Change, error) {
	if f.Pending == nil {
		return Change{}, nil
	}
	switch status, why := f.row(f.Pending).Status(pc.Now); status {
	case InvitationPending:
		return Change{}, Refuse(AlreadyInvited,
			"%s has been invited already and has not answered: send that invitation again, or cancel it", email).At("/email")
	case InvitationExpired:
		c, _, err := pc.asClock().endInvitation(f.GrantFacts, f.Pending, InvitationExpired, events.InvitationExpired, "")
		return c, err
	default:
		c, _, err := pc.asClock().endInvitation(f.GrantFacts, f.Pending, InvitationCancelled, events.InvitationCancelled, why)
		return c, err
	}
}

// mayInvite refuses an invitation where the actor's side may invite nobody to this grant.
func mayInvite(r GrantFacts, pc PlanContext) error {
	switch {
	case r.Customer == nil || r.Customer.Status != Active:
		return notFound("customer")
	case pc.Actor.Kind == ActorPartner:
		if r.Grant == nil || r.Grant.EndAt(r.Partner, pc.Now) != nil {
			return notFound("customer")
		}
		if r.Grant.AssignedBy != ByPartner {
			return Refuse(Forbidden, "in this grant the customer assigns the users: ask it to invite, or to let the partner assign them")
		}
	case r.Customer.ManagedBy != "":
		return managed()
	}
	return nil
}

// checkInvitable refuses addresses of people who need no invitation, or must not have one (D7, P5). The refusal does not say of which
// other customer or partner somebody is a member or user, and only with knowsMembers whether somebody is a member of this customer.
func checkInvitable(f InvitationFacts, email string, knowsMembers bool) error {
	member := func(c string) bool { return f.Email != nil && slices.Contains(f.Email.MemberOf, c) }
	user := f.User != nil && f.User.Status != Removed
	of := f.Domains.partner(email)
	switch {
	case InDomain(email, f.Customer.Domain), knowsMembers && member(f.Customer.ID):
		return Refuse(OwnOrganisation, "%s is one of the customer's own people: partners are people of outside organisations", email).At("/email")
	case user && f.User.Partner == f.Partner.ID:
		return Refuse(EmailTaken, "%s is a user of this partner already: assign that user, no invitation is needed", email).At("/email")
	case user, f.Email != nil && len(f.Email.MemberOf) > 0, f.Domains.ofCustomers(email), of != "" && of != f.Partner.ID:
		return Refuse(EmailUnavailable, "this address cannot be invited to this partner").At("/email")
	}
	return nil
}

// invitation returns an event about an invitation.
func (pc PlanContext) invitation(t events.Type, r GrantFacts, i *Invitation) events.Event {
	return pc.event(t, r.Customer, r.Partner, events.Data{
		Invitation: i.ID, Version: i.Version, Person: &events.Person{Email: i.Email, ID: i.User}, Level: i.Level.String(),
		Until:   instant(i.Until),
		Expires: ref(i.Expires), Sending: i.Sending, Inviter: &events.Person{ID: i.Inviter, Email: i.By.Email}, Side: string(i.By.Kind),
		Grant: i.Grant, Reason: string(i.Reason),
	})
}

// recordMailEvent records that the event's mail carries the invitation's latest token.
func (i *Invitation) recordMailEvent(e events.Event) events.Event {
	i.MailEvent = e.ID
	return e
}

func (i *Invitation) next(pc PlanContext) *Invitation {
	n := *i
	n.Version++
	n.Updated = pc.Now
	return &n
}

// checkPending refuses an invitation that is not pending (E5).
func (i *Invitation) checkPending(now time.Time) error {
	if s := i.Status(now); s != InvitationPending {
		return Refuse(InvitationEnded, "this invitation was %s: ask for a new one", s)
	}
	return nil
}

// PlanResend plans a new mail with a new token, which replaces the old one, and a new period of the same length. Only the side that
// invited resends a pending invitation. An ended one is replaced by a new invitation, which is returned, by any side that may invite now.
// One that was accepted is refused.
func PlanResend(f InvitationFacts, i *Invitation, pc PlanContext) (Change, *Invitation, error) {
	status, _ := f.row(i).Status(pc.Now)
	switch {
	case status == InvitationAccepted:
		return Change{}, nil, Refuse(InvitationEnded, "this invitation has already been accepted")
	case status != InvitationPending:
		cmd := InviteCommand{Email: i.Email, Level: &i.Level, Until: i.Until, Days: i.Days}
		if f.Grant != nil && f.Grant.EndAt(f.Partner, pc.Now) == nil {
			cmd.Until = time.Time{} // the grant's own period holds
		}
		return PlanInvite(f, cmd, pc)
	case pc.Actor.Kind != i.By.Kind:
		return Change{}, nil, Refuse(Forbidden, "the %s sent this invitation: only that side sends it again", i.By.Kind)
	}
	if err := mayInvite(f.GrantFacts, pc); err != nil {
		return Change{}, nil, err
	}
	if err := f.checkAddressee(i.Email, pc); err != nil {
		return Change{}, nil, err
	}
	n := i.next(pc)
	n.Sending, n.Digests, n.Reminded, n.Expires = n.Sending+1, nil, false, pc.Now.Add(time.Duration(n.Days)*24*time.Hour)
	if pc.Actor.Kind == ActorPartner {
		n.Level = Lowest(n.Level, f.Grant.EffectiveLevel(f.Partner))
	}
	return Change{
		Writes: []Write{InvitationWrite{Before: i, After: n}},
		Events: []events.Event{n.recordMailEvent(pc.invitation(events.InvitationResent, f.GrantFacts, n))},
	}, n, nil
}

// maxDigests is how many tokens open one invitation at most: the mail's, the reminder's, and those of attempts to send them of which it is
// not known that they failed.
const maxDigests = 10

// PlanToken plans that the token of the latest mail is known, by its digest. It is refused when the invitation has ended, or when a later
// mail was called for meanwhile.
func PlanToken(i *Invitation, sending int, digest string, pc PlanContext) (Change, error) {
	if i == nil {
		return Change{}, notFound("invitation")
	}
	if err := i.checkPending(pc.Now); err != nil {
		return Change{}, err
	}
	if i.Sending != sending {
		return Change{}, Refuse(InvitationEnded, "a later mail carries the token")
	}
	n := *i
	n.Version++
	n.Digests = append(slices.Clone(n.Digests), digest)
	if drop := len(n.Digests) - maxDigests; drop > 0 { // of attempts to send the mail that failed, as far as anybody knows
		n.Digests = n.Digests[drop:]
	}
	return Change{Writes: []Write{InvitationWrite{Before: i, After: &n}}}, nil
}

// PlanCancel plans that an invitation is cancelled (E5), by the partner or by the customer, whichever invited. A managed customer does not
// cancel its partner's (A12). Cancelling one that has ended changes nothing.
func PlanCancel(r GrantFacts, i *Invitation, pc PlanContext) (Change, *Invitation, error) {
	if i == nil {
		return Change{}, nil, notFound("invitation")
	}
	if i.Status(pc.Now) != InvitationPending {
		return Change{}, i, nil
	}
	if pc.Actor.Kind == ActorCustomer && i.By.Kind == ActorPartner && r.Customer != nil && r.Customer.ManagedBy != "" {
		return Change{}, nil, managed()
	}
	return pc.endInvitation(r, i, InvitationCancelled, events.InvitationCancelled, "")
}

// PlanDecline plans that the invited person declines.
func PlanDecline(r GrantFacts, i *Invitation, pc PlanContext) (Change, *Invitation, error) {
	if err := i.checkInvitee(pc); err != nil {
		return Change{}, nil, err
	}
	return pc.endInvitation(r, i, InvitationDeclined, events.InvitationDeclined, "")
}

// endInvitation plans that the invitation is in one of the states that are ends; why is "" when somebody answered or cancelled it.
func (pc PlanContext) endInvitation(
	r GrantFacts, i *Invitation, s InvitationStatus, t events.Type, why Reason,
) (Change, *Invitation, error) {
	n := i.next(pc)
	n.State, n.Reason = s, why
	return Change{
		Writes: []Write{InvitationWrite{Before: i, After: n}},
		Events: []events.Event{pc.invitation(t, r, n)},
	}, n, nil
}

// checkInvitee refuses an invitation that is not pending, and any actor but the invited person.
func (i *Invitation) checkInvitee(pc PlanContext) error {
	if err := i.checkPending(pc.Now); err != nil {
		return err
	}
	if pc.Actor.Email != i.Email {
		return Refuse(WrongPerson, "this invitation is for another address: sign in under the address that it was sent to")
	}
	return nil
}

// PlanAccept plans that the invited person accepts: it becomes an external user of the partner, in this grant only. The level is what the
// inviter could give now, and at most what was offered. Everything that it depends on, such as the inviter's right, is a condition of the
// same transaction. The inviter is the actor of the events. Name is the person's name.
func PlanAccept(f InvitationFacts, i *Invitation, name string, pc PlanContext) (GrantChange, *Invitation, error) {
	a, err := f.newAcceptance(i, pc)
	if err != nil {
		return GrantChange{}, nil, err
	}
	if a.user == nil {
		a.addUser(i, name, false)
	}
	return a.finish(i)
}

// PlanRegister is PlanAccept for a person who has no account yet and has not signed in: the invitation's token was sent to the address and
// nowhere else. The account's temporary password is sent there, too, so that a token in other hands opens nothing. It is refused where the
// address has an account: that one has to sign in.
func PlanRegister(f InvitationFacts, i *Invitation, name string, pc PlanContext) (GrantChange, *Invitation, error) {
	a, err := f.newAcceptance(i, pc)
	if err != nil {
		return GrantChange{}, nil, err
	}
	if a.user != nil {
		return GrantChange{}, nil, Refuse(EmailTaken, "the invited address has an account already: sign in with it, then accept")
	}
	a.addUser(i, name, true)
	return a.finish(i)
}

// acceptance is an invitation that is being accepted.
type acceptance struct {
	InvitationFacts
	user   *User // who accepts; nil: nobody has the address yet
	row    *InvitationRow
	by     PlanContext // the inviter is the actor of what the acceptance changes
	pc     PlanContext
	writes []Write
	events []events.Event
}

// newAcceptance refuses an invitation that the actor cannot accept. An account in its way that is unproved, or has no access anywhere,
// ends.
func (f InvitationFacts) newAcceptance(i *Invitation, pc PlanContext) (*acceptance, error) {
	if err := i.checkInvitee(pc); err != nil {
		return nil, err
	}
	a := &acceptance{InvitationFacts: f, row: f.row(i), by: pc, pc: pc, user: f.User}
	a.by.Actor = Actor{Kind: i.By.Kind, Email: i.By.Email, User: i.Inviter}
	if err := a.row.checkAcceptable(pc.Now); err != nil {
		return nil, err
	}
	if a.user != nil && a.user.Status == Removed {
		a.user = nil
	}
	elsewhere := a.user != nil && a.user.Partner != f.Partner.ID
	switch {
	case elsewhere && f.Holder.endsWhenProved():
		a.writes, a.events = f.Holder.endUnproved(pc)
		a.user = nil
	case elsewhere && f.Holder.hasNoAccess(pc.Now):
		a.writes, a.events = f.Holder.endAccount(pc, InvitedElsewhere)
		a.user = nil
	case elsewhere:
		return nil, Refuse(EmailTaken, "you are a user of another partner already, and nobody is a user of two: ask for access as that one")
	case a.user != nil && a.user.Status != Active:
		return nil, Refuse(UserNotActive, "your account is %s: it has to be active first", a.user.Status)
	}
	a.User = nil
	if err := checkInvitable(a.InvitationFacts, i.Email, true); err != nil {
		return nil, err
	}
	if a.user != nil && a.user.Unproved {
		is := a.user.withProvedAddress(pc)
		a.writes, a.user = append(a.writes, UserWrite{Before: a.user, After: is}), is
	}
	a.writes = append(a.writes, a.row.Inviter.conditions()...)
	return a, nil
}

// addUser makes the invited person a user of the partner; with account, one whose account the service keeps, and who gets a mail about it.
func (a *acceptance) addUser(i *Invitation, name string, account bool) {
	h := a.Headcount
	h.LastNumber++
	h.Version++
	u := &User{
		ID: a.Partner.ID + ":" + a.pc.NewID(), Partner: a.Partner.ID, Number: h.LastNumber, Email: i.Email, Name: name, Role: External,
		Status:  Active,
		Created: a.pc.Now, Updated: a.pc.Now, Version: 1,
	}
	a.writes = append(a.writes, HeadcountWrite{Before: &a.Headcount, After: &h}, UserWrite{After: u}, setAddressUser(a.Email, i.Email, u.ID))
	d := userData(u)
	d.Invitation = i.ID // its own mails tell about the account
	if account {
		d.Account = true // but for the password
		a.writes = append(append(a.writes, a.pc.accountTask(nil, u)...), a.pc.activation(u)...)
	}
	a.events = append(a.events, a.by.event(events.UserCreated, nil, a.Partner, d))
	a.user = u
}

// finish plans that the user is added to the grant, and that the invitation was accepted.
func (a *acceptance) finish(i *Invitation) (GrantChange, *Invitation, error) {
	p := newGrantPlan(a.GrantFacts, a.by)
	p.facts.Users = map[string]*User{}
	for id, u := range a.Users {
		p.facts.Users[id] = u
	}
	p.facts.Users[a.user.ID] = a.user
	if err := p.addInvited(a.user, i, a.DefaultSSO); err != nil {
		return GrantChange{}, nil, err
	}
	out, err := p.finish(grantEventType(p.created), func(d *events.Data) { d.Person, d.Invitation = ref(person(a.user)), i.ID })
	if err != nil {
		return out, nil, err
	}
	n := i.next(a.pc)
	n.State, n.User = InvitationAccepted, a.user.ID
	out.Change.Writes = append(append(out.Change.Writes, a.writes...), InvitationWrite{Before: i, After: n})
	out.Change.Events = append(append(a.events, out.Change.Events...), a.pc.invitation(events.InvitationAccepted, a.GrantFacts, n))
	return out, n, nil
}

// conditions returns the condition that the inviter's record is as it was loaded.
func (by Inviter) conditions() []Write {
	switch {
	case by.User != nil:
		return []Write{UserCheck{*by.User}}
	case by.Member != nil:
		return []Write{MemberCheck{*by.Member}}
	}
	return nil
}

// checkAcceptable refuses an invitation that nobody can accept at that instant.
func (r *InvitationRow) checkAcceptable(now time.Time) error {
	switch why := r.Lapsed(now); why {
	case "":
		return nil
	case CustomerRemoved:
		return Refuse(InvitationEnded, "the organisation that invited is no longer there")
	case PartnerRemoved, NotActive, NotEligible:
		return checkEligible(r.Partner)
	case GrantEnded:
		return Refuse(InvitationEnded, "the access that this invitation was for has ended: ask for a new invitation")
	case ChoiceChanged:
		return Refuse(InvitationEnded, "the customer has changed who assigns the users: ask for a new invitation")
	case InviterLeft:
		return Refuse(InvitationEnded, "the person who sent this invitation can no longer invite: ask for a new one")
	case ManagedNow:
		return Refuse(InvitationEnded, "the organisation that invited is managed by a partner now, and grants nobody else access")
	case PeriodChanged:
		return Refuse(InvitationEnded, "the access now lasts longer than what was offered: ask for a new invitation")
	default:
		return Refuse(InvitationEnded, "the access that was offered has ended")
	}
}

// PlanInvitationEnd plans that a pending invitation that nobody can accept any more is cancelled, with the reason. Both sides get a mail.
func PlanInvitationEnd(r *InvitationRow, pc PlanContext) (Change, error) {
	if r == nil {
		return Change{}, nil
	}
	status, why := r.Status(pc.Now)
	if r.State != InvitationPending || status != InvitationCancelled {
		return Change{}, nil
	}
	c, _, err := pc.asClock().endInvitation(r.grantFacts(), r.Invitation, InvitationCancelled, events.InvitationCancelled, why)
	return c, err
}

func (r *InvitationRow) grantFacts() GrantFacts {
	return GrantFacts{Customer: r.Customer, Partner: r.Partner, Grant: r.Grant}
}

// PlanInvitationDue plans what is due for an invitation: a reminder, with a new token, or its end, also that of one that nobody can accept
// any more.
func PlanInvitationDue(r *InvitationRow, pc PlanContext) (Change, error) {
	if r == nil {
		return Change{}, nil
	}
	pc = pc.asClock()
	i := r.Invitation
	due := i.Due()
	switch {
	case due.IsZero() || due.After(pc.Now):
		return Change{}, nil
	case i.Status(pc.Now) == InvitationExpired:
		c, _, err := pc.endInvitation(r.grantFacts(), i, InvitationExpired, events.InvitationExpired, "")
		return c, err
	case r.Lapsed(pc.Now) != "":
		return PlanInvitationEnd(r, pc)
	}
	n := i.next(pc)
	n.Reminded = true
	n.Sending++
	return Change{
		Writes: []Write{InvitationWrite{Before: i, After: n}},
		Events: []events.Event{n.recordMailEvent(pc.invitation(events.InvitationReminded, r.grantFacts(), n))},
	}, nil
}
