package access

import (
	"slices"
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
	ID       string // a ULID
	Customer string
	Partner  string
	Grant    string // the id of the grant that was open when it was made; "" = accepting opens one
	Email    string // whom it is bound to
	Level    Level
	Until    time.Time // end of the grant that accepting opens; zero = continuous. Only where there is no grant yet
	State    InvitationStatus
	Reason   Reason   // why it ended, when that was nobody's answer to it
	By       By       // who invited: customer or partner
	Inviter  string   // the id of the partner\'s user who invited; "" when the customer did
	Digests  []string // of the tokens that open it: the mail's and the reminder's. The tokens themselves are stored nowhere
	Sending  int      // how many mails with a token were called for
	Days     int      // how long it lasts
	Expires  time.Time
	Reminded bool
	User     string // who accepted
	Created  time.Time
	Updated  time.Time
	Version  int64
}

// Status is the state at that instant: pending ends with the period, whether or not that has been written down.
func (i *Invitation) Status(now time.Time) InvitationStatus {
	if i.State == InvitationPending && !now.Before(i.Expires) {
		return InvitationExpired
	}
	return i.State
}

// reminderOfInvitation is how long before its end a person is reminded, once, of an invitation that lasts longer than twice that.
const reminderOfInvitation = 48 * time.Hour

// Due is when the clock next brings something to the invitation: a reminder or its end. Zero = nothing more.
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

// InviteFacts is what a plan about an invitation looks at: the relation, the invited address and who has it, and the customer's invitations to it.
type InviteFacts struct {
	Relation
	Email   *Email
	User    *User         // the partner's user with that address, of whichever partner
	Holder  Holder        // the same, with what its end looks at
	Domains Domains       // of the address, and those above it
	Invited []*Invitation // of this customer and partner, to this address
}

// InviteCommand invites a person.
type InviteCommand struct {
	Email string
	Level *Level // default: view
	Until time.Time
	Days  int
}

// PlanInvite plans an invitation, by the customer or, where the customer lets the partner assign, by the partner.
func PlanInvite(f InviteFacts, cmd InviteCommand, m Moment) (Change, *Invitation, error) {
	if err := mayInvite(f.Relation, m); err != nil {
		return Change{}, nil, err
	}
	if err := eligible(f.Partner); err != nil {
		return Change{}, nil, err.At("/partner")
	}
	level := View
	if cmd.Level != nil {
		level = *cmd.Level
	}
	if !cmd.Until.IsZero() {
		if !cmd.Until.After(m.Now) {
			return Change{}, nil, Refuse(PeriodInvalid, "the end %s is not in the future", cmd.Until.Format(time.RFC3339)).At("/until")
		}
		if f.Grant != nil && !f.Grant.Ended(m.Now) && !f.Grant.Until.Equal(cmd.Until) {
			return Change{}, nil, Refuse(PeriodInvalid, "the partner is in already, and the period belongs to the whole grant: leave until out here").At("/until")
		}
	}
	if f.Holder.yields() && f.User.Partner != f.Partner.ID {
		f.User = nil // the invited person can prove the address
	}
	if err := invitable(f, cmd.Email, m.Actor.Kind == "customer"); err != nil {
		return Change{}, nil, err
	}
	for _, i := range f.Invited {
		if i.Status(m.Now) == InvitationPending {
			return Change{}, nil, Refuse(AlreadyInvited, "%s has been invited already and has not answered: send that invitation again, or cancel it", cmd.Email).At("/email")
		}
	}
	i := Invitation{
		ID: m.NewID(), Customer: f.Customer.ID, Partner: f.Partner.ID, Email: cmd.Email, Level: level, Until: cmd.Until, State: InvitationPending,
		By: m.Actor.by(), Sending: 1, Days: cmd.Days, Expires: m.Now.Add(time.Duration(cmd.Days) * 24 * time.Hour), Created: m.Now, Updated: m.Now, Version: 1,
	}
	return Change{
		// The customer's record is what two invitations of one address at once both write. It is read before the invitations are listed.
		Writes: []Write{InvitationWrite{After: &i}, touch(f.Customer)},
		Events: []events.Event{m.invitation(events.InvitationCreated, f.Relation, &i)},
	}, &i, nil
}

// mayInvite tells whether the inviting side may let anybody in at all.
func mayInvite(r Relation, m Moment) error {
	switch {
	case r.Customer == nil || r.Customer.Status != Active:
		return notFound("customer")
	case m.Actor.Kind == "partner":
		if r.Grant == nil || r.Grant.EndAt(r.Partner, m.Now) != nil {
			return notFound("customer")
		}
		if r.Grant.AssignedBy != ByPartner {
			return Refuse(Forbidden, "in this grant the customer picks the users: ask it to invite, or to let the partner assign them")
		}
	case r.Customer.ManagedBy != "":
		return managed()
	}
	return nil
}

// invitable refuses addresses of people who need no invitation, or must not have one (D7, P5). Whose member or user somebody is elsewhere nobody is told, and
// whether somebody is a member of this customer only those who know its members.
func invitable(f InviteFacts, email string, knowsMembers bool) error {
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

// invitation is an event about an invitation.
func (m Moment) invitation(t events.Type, r Relation, i *Invitation) events.Event {
	return m.event(t, r.Customer, r.Partner, events.Data{
		Invitation: i.ID, Version: i.Version, Person: &events.Person{Email: i.Email, ID: i.User}, Level: i.Level.String(), Until: instant(i.Until),
		Expires: ref(i.Expires), Sending: i.Sending, Inviter: &events.Person{Email: i.By.Email}, Side: i.By.Kind,
	})
}

func (i *Invitation) next(m Moment) *Invitation {
	n := *i
	n.Version++
	n.Updated = m.Now
	return &n
}

// ended refuses what needs a pending invitation (E5).
func (i *Invitation) ended(now time.Time) error {
	if s := i.Status(now); s != InvitationPending {
		return Refuse(InvitationEnded, "this invitation was %s: ask for a new one", s)
	}
	return nil
}

// PlanResend plans a new mail with a new token, which ends the old one, and a new life of the same length.
func PlanResend(r Relation, i *Invitation, m Moment) (Change, *Invitation, error) {
	if err := mayInvite(r, m); err != nil {
		return Change{}, nil, err
	}
	if err := eligible(r.Partner); err != nil {
		return Change{}, nil, err
	}
	if err := i.ended(m.Now); err != nil {
		return Change{}, nil, err
	}
	n := i.next(m)
	n.Sending, n.Digests, n.Reminded, n.Expires = n.Sending+1, nil, false, m.Now.Add(time.Duration(n.Days)*24*time.Hour)
	return Change{
		Writes: []Write{InvitationWrite{Before: i, After: n}},
		Events: []events.Event{m.invitation(events.InvitationResent, r, n)},
	}, n, nil
}

// maxDigests is how many tokens open one invitation at most: the mail's, the reminder's, and those of attempts to send them of which it is not
// known that they failed.
const maxDigests = 10

// PlanToken plans that the token of the latest mail is known, by its digest. It is refused when the invitation has ended, or when a later mail
// was called for meanwhile.
func PlanToken(i *Invitation, sending int, digest string, m Moment) (Change, error) {
	if i == nil {
		return Change{}, notFound("invitation")
	}
	if err := i.ended(m.Now); err != nil {
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

// PlanCancel plans that the inviting side takes the invitation back (E5). Cancelling one that has ended changes nothing.
func PlanCancel(r Relation, i *Invitation, m Moment) (Change, *Invitation, error) {
	if i == nil {
		return Change{}, nil, notFound("invitation")
	}
	if i.Status(m.Now) != InvitationPending {
		return Change{}, i, nil
	}
	return m.closed(r, i, InvitationCancelled, events.InvitationCancelled)
}

// PlanDecline plans that the invited person does not want to come.
func PlanDecline(r Relation, i *Invitation, m Moment) (Change, *Invitation, error) {
	if err := i.addressed(m); err != nil {
		return Change{}, nil, err
	}
	return m.closed(r, i, InvitationDeclined, events.InvitationDeclined)
}

func (m Moment) closed(r Relation, i *Invitation, s InvitationStatus, t events.Type) (Change, *Invitation, error) {
	n := i.next(m)
	n.State = s
	return Change{
		Writes: []Write{InvitationWrite{Before: i, After: n}},
		Events: []events.Event{m.invitation(t, r, n)},
	}, n, nil
}

// addressed refuses everybody but the invited person, and what has ended.
func (i *Invitation) addressed(m Moment) error {
	if err := i.ended(m.Now); err != nil {
		return err
	}
	if m.Actor.Email != i.Email {
		return Refuse(WrongPerson, "this invitation is for another address: sign in under the address that it was sent to")
	}
	return nil
}

// PlanAccept plans that the invited person comes in: as an external user of the partner, in this grant only. The state and the end of the
// invitation are conditions of the same transaction. Name is what the person is called.
func PlanAccept(f InviteFacts, i *Invitation, name string, m Moment) (Planned, *Invitation, error) {
	if err := i.addressed(m); err != nil {
		return Planned{}, nil, err
	}
	if f.Customer == nil || f.Customer.Status != Active {
		return Planned{}, nil, Refuse(InvitationEnded, "the organisation that invited is no longer there")
	}
	if err := eligible(f.Partner); err != nil {
		return Planned{}, nil, err
	}
	user := f.User
	if user != nil && user.Status == Removed {
		user = nil
	}
	f.User = nil
	var writes []Write
	var came []events.Event
	if user != nil && user.Partner != f.Partner.ID && f.Holder.yields() {
		writes, came = f.Holder.yield(m)
		user = nil
	}
	if user != nil && user.Partner != f.Partner.ID {
		return Planned{}, nil, Refuse(EmailTaken, "you are a user of another partner already, and nobody is a user of two: ask to be let in as that")
	}
	if user != nil && user.Status != Active {
		return Planned{}, nil, Refuse(UserNotActive, "your account is %s: it has to be active first", user.Status)
	}
	if err := invitable(f, i.Email, true); err != nil {
		return Planned{}, nil, err
	}
	if user != nil && user.Unproved {
		is := user.proved(m)
		writes, user = append(writes, UserWrite{Before: user, After: is}), is
	}
	if user == nil {
		h := f.Headcount
		h.Last++
		h.Version++
		user = &User{
			ID: f.Partner.ID + ":" + m.NewID(), Partner: f.Partner.ID, Number: h.Last, Email: i.Email, Name: name, Role: External, Status: Active,
			Created: m.Now, Updated: m.Now, Version: 1,
		}
		writes = append(writes, HeadcountWrite{Before: &f.Headcount, After: &h}, UserWrite{After: user}, take(f.Email, i.Email, user.ID))
		d := userData(user)
		d.Invitation = i.ID // by which whoever is told of accounts knows that there are other mails about this
		came = append(came, m.event(events.UserCreated, nil, f.Partner, d))
	}
	p := newRelationPlan(f.Relation, m)
	level := &i.Level
	if f.Grant == nil || f.Grant.EndAt(f.Partner, m.Now) != nil {
		if i.By.Kind != "customer" {
			return Planned{}, nil, Refuse(InvitationEnded, "the customer no longer lets the partner in")
		}
		if f.Customer.ManagedBy != "" { // since the invitation (A15)
			return Planned{}, nil, Refuse(InvitationEnded, "the organisation that invited is managed by a partner now, and lets nobody else in")
		}
		until := i.Until
		if !until.IsZero() && !until.After(m.Now) {
			return Planned{}, nil, Refuse(InvitationEnded, "the access that was offered has ended")
		}
		p.open(i.Level, m.Now, until)
		level = nil
	}
	p.r.Users = map[string]*User{}
	for id, u := range f.Users {
		p.r.Users[id] = u
	}
	p.r.Users[user.ID] = user
	if err := p.addInvited(user, i.By, level); err != nil {
		return Planned{}, nil, err
	}
	out, err := p.finish(kindOf(p.fresh), nil)
	if err != nil {
		return out, nil, err
	}
	n := i.next(m)
	n.State, n.User = InvitationAccepted, user.ID
	out.Change.Writes = append(append(out.Change.Writes, writes...), InvitationWrite{Before: i, After: n})
	out.Change.Events = append(append(came, out.Change.Events...), m.invitation(events.InvitationAccepted, f.Relation, n))
	return out, n, nil
}

// void tells that nobody can accept the invitation as things stand: it is for an organisation that is not active, or that another partner manages.
func (i *Invitation) void(r Relation, now time.Time) bool {
	if r.Customer == nil || r.Customer.Status != Active || eligible(r.Partner) != nil {
		return true
	}
	in := r.Grant != nil && r.Grant.EndAt(r.Partner, now) == nil
	return !in && (r.Customer.ManagedBy != "" || i.By.Kind != "customer")
}

// PlanInvitationDue plans what the clock has brought to an invitation: a reminder, with a new token, unless nobody could accept it, or its end.
func PlanInvitationDue(r Relation, i *Invitation, m Moment) (Change, error) {
	if i == nil {
		return Change{}, nil
	}
	m = m.clock()
	due := i.Due()
	switch {
	case due.IsZero() || due.After(m.Now):
		return Change{}, nil
	case i.Status(m.Now) == InvitationExpired:
		c, _, err := m.closed(r, i, InvitationExpired, events.InvitationExpired)
		return c, err
	}
	n := i.next(m)
	n.Reminded = true
	if i.void(r, m.Now) {
		return Change{Writes: []Write{InvitationWrite{Before: i, After: n}}}, nil
	}
	n.Sending++
	return Change{
		Writes: []Write{InvitationWrite{Before: i, After: n}},
		Events: []events.Event{m.invitation(events.InvitationReminded, r, n)},
	}, nil
}
