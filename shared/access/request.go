package access

import (
	"slices"
	"time"
)

// RequestKind is what a partner asks a customer for.
type RequestKind string

// The kinds.
const (
	AskAccess RequestKind = "access" // a grant, or, where one is open, that more users belong to it
	AskExtend RequestKind = "extend" // a later end of the open grant
	AskRaise  RequestKind = "raise"  // a higher level in the open grant, for all of its users or for the asking person
)

// AsksForOthers reports whether users of that role ask for any of their organisation's people; the others ask for themselves.
func (r Role) AsksForOthers() bool { return roleMayInvite(r) }

// RequestStatus is the state of a request. An ended one is kept for ever.
type RequestStatus string

// The states; all but pending are ends.
const (
	RequestPending   RequestStatus = "pending"
	RequestApproved  RequestStatus = "approved"
	RequestDeclined  RequestStatus = "declined"
	RequestWithdrawn RequestStatus = "withdrawn"
	RequestExpired   RequestStatus = "expired"
	RequestCancelled RequestStatus = "cancelled" // it became moot; see RequestRow.Moot
)

// RequestTerms are what is asked for, or what an approval grants. What the kind does not need is zero.
type RequestTerms struct {
	Level    Level
	Everyone bool
	Users    []string  // ids, sorted
	From     time.Time // zero, or one that has passed: from the approval on
	Until    time.Time // zero = without an end
}

// Equal reports whether the terms are the same.
func (t RequestTerms) Equal(o RequestTerms) bool {
	return t.Level == o.Level && t.Everyone == o.Everyone && slices.Equal(t.Users, o.Users) && t.From.Equal(o.From) && t.Until.Equal(o.Until)
}

// Approval is one person's consent to exactly these terms. It grants nothing by itself.
type Approval struct {
	Email string
	Terms RequestTerms
	At    time.Time // UTC
}

// MaxRequestUsers is how many users a request can name.
const MaxRequestUsers = 20

// Request is what a partner asks of a customer. It grants nothing: an approval does, by the rules of every grant. All instants are UTC.
type Request struct {
	ID       string // a ULID
	Customer string
	Partner  string
	Kind     RequestKind
	Asked    RequestTerms
	Purpose  string // why, in the requester's words; "" = not said
	Ticket   string
	Grant    string // the id of the grant that was open when it was made; "" = approving opens one
	Personal bool   // the requester asks for itself, inside the grant
	By       By     // who asked
	User     string // the same, by id

	State     RequestStatus
	Why       Reason // why it was cancelled
	Question  string // an approver's, once; "" = none
	Asker     By     // of the question
	Approvals []Approval
	Decider   By // who approved last, or declined
	Note      string
	Granted   *RequestTerms // what the approval granted; nil = nothing

	Expires   time.Time // when it ends without a decision
	Reminders int       // how many were due by now and have their event
	Created   time.Time
	Updated   time.Time
	Version   int64
}

// RequestSlot names the latest request of a kind and pair, and of a person where it asks for itself: what is pending there is pending once.
type RequestSlot struct {
	Customer string
	Partner  string
	Kind     RequestKind
	User     string // of a personal request
	Request  string
	Version  int64
}

// reminderAt returns when the n-th reminder is due: at half and at nine tenths of the time; zero when there is no such one.
func (r *Request) reminderAt(n int) time.Time {
	life := r.Expires.Sub(r.Created)
	switch n {
	case 1:
		return r.Created.Add(life / 2)
	case 2:
		return r.Created.Add(life * 9 / 10)
	}
	return time.Time{}
}

// Due returns the instant of the next reminder, or else of the end; zero when the request is not pending.
func (r *Request) Due() time.Time {
	if r.State != RequestPending {
		return time.Time{}
	}
	if at := r.reminderAt(r.Reminders + 1); !at.IsZero() {
		return at
	}
	return r.Expires
}

// RequestRow is a request with the records that decide whether it is still to be decided.
type RequestRow struct {
	*Request
	Customer    *Customer
	Partner     *Partner
	Grant       *Grant // nil when there never was one
	Requester   *User
	Users       map[string]*User // those whom it names
	Assignments map[string]*Assignment
}

// The reasons why a pending request is cancelled, beside those of invitations.
const (
	RequesterLeft Reason = "requester_left" // who asked may not ask any more
	Fulfilled     Reason = "fulfilled"      // the customer has granted it, or as much, in another way
)

// Status returns the state at that instant as people see it, whether or not it is recorded, with the reason when it was cancelled.
func (r *RequestRow) Status(now time.Time) (RequestStatus, Reason) {
	switch {
	case r.State != RequestPending:
		return r.State, r.Why
	case !now.Before(r.Expires):
		return RequestExpired, ""
	}
	if why := r.Moot(now); why != "" {
		return RequestCancelled, why
	}
	return RequestPending, ""
}

// Moot returns why a pending request is not to be decided any more; "" while it is. It is the only rule for that: for deciding, for what
// people are shown, for reminders and for the sweep.
func (r *RequestRow) Moot(now time.Time) Reason {
	switch {
	case r.Customer == nil || r.Customer.Status != Active:
		return CustomerRemoved
	case r.Partner == nil || r.Partner.Status == Removed:
		return PartnerRemoved
	case r.Partner.Status != Active:
		return NotActive
	case !eligible(r.Partner):
		return NotEligible
	case r.Customer.ManagedBy != "":
		return ManagedNow
	case r.requesterLeft():
		return RequesterLeft
	case r.Request.Grant == "":
		return r.grantedSince(now)
	case r.Grant == nil || r.Grant.ID != r.Request.Grant || r.Grant.EndAt(r.Partner, now) != nil:
		return GrantEnded
	case r.fulfilled():
		return Fulfilled
	}
	return ""
}

// requesterLeft reports whether who asked may not ask any more: gone, disabled, another person under the same account, or of a role that
// does not ask for others.
func (r *RequestRow) requesterLeft() bool {
	u := r.Requester
	return u == nil || u.Status != Active || u.Partner != r.Request.Partner || !r.Personal && !roleMayInvite(u.Role) ||
		domainOf(u.Email) != domainOf(r.By.Email)
}

// grantedSince returns what a grant that was opened since says of a request for one: its wish is fulfilled, or the grant has ended.
func (r *RequestRow) grantedSince(now time.Time) Reason {
	switch g := r.Grant; {
	case g == nil:
		return ""
	case g.EndAt(r.Partner, now) == nil: // there was none when it was made
		return Fulfilled
	case g.Created.After(r.Created):
		return GrantEnded
	}
	return ""
}

// fulfilled reports whether the open grant is as the request asks.
func (r *RequestRow) fulfilled() bool {
	return gives(r.Grant, r.Kind, r.Personal, r.Asked, r.Users, r.Assignments)
}

// gives reports whether the grant is as these terms ask, so that they would add nothing.
func gives(g *Grant, k RequestKind, personal bool, t RequestTerms, users map[string]*User, rows map[string]*Assignment) bool {
	switch {
	case k == AskExtend:
		return g.Until.IsZero() || !t.Until.IsZero() && !t.Until.After(g.Until)
	case k == AskRaise && !personal:
		return g.Level >= t.Level
	case t.Everyone:
		return g.Everyone
	}
	for _, id := range t.Users {
		u := users[id]
		switch {
		case u == nil || u.Status == Removed: // nobody can be given anything under this id
		case !g.Admits(u, rows[id]), k == AskRaise && g.levelOf(u, rows[id]) < t.Level:
			return false
		}
	}
	return true
}

// RequestFilter says which requests of a list are wanted: those of a status at that instant, of a customer, of a partner and of a person,
// or all where it is "".
type RequestFilter struct {
	Customer string
	Partner  string
	User     string // who asked
	Status   RequestStatus
	Now      time.Time
}

// MatchesParties reports whether the request is of the customer, the partner and the person asked for. It reads nothing but the request.
func (f RequestFilter) MatchesParties(r *Request) bool {
	return (f.Customer == "" || r.Customer == f.Customer) && (f.Partner == "" || r.Partner == f.Partner) && (f.User == "" || r.User == f.User)
}

// Matches reports whether the request is one of those asked for.
func (f RequestFilter) Matches(r *RequestRow) bool {
	s, _ := r.Status(f.Now)
	return (f.Status == "" || s == f.Status) && f.MatchesParties(r.Request)
}

// RequestFacts are the records that a plan about a request reads: those of the grant, with the users whom it names and who asks, and
//
//   - for a new one: the latest request of its kind and pair, and the partner's attempts in vain;
//   - for one that there is: its row.
type RequestFacts struct {
	GrantFacts
	Slot      *RequestSlot
	Latest    *RequestRow
	Attempts  *CodeAttempts
	Row       *RequestRow
	Deciders  []Member        // who decides now: the first MaxApprovers, who get the mails, and whoever approves or has approved
	Colleague map[string]bool // of those who approve or have approved, by address: whether the address is a user's of the asking partner
}
