package access

import (
	"maps"
	"reflect"
	"time"
)

// Class is how the provider classifies a partner.
type Class string

// A customer can grant access to a channel partner only (D9).
const (
	Channel Class = "channel"
	Other   Class = "other"
)

// Status is the state of an account: of a partner, a user or a customer.
type Status string

// The states. Suspended is a partner's (the kill switch), disabled is a user's. Removed is for ever.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Disabled  Status = "disabled"
	Removed   Status = "removed"
)

// Role is what a partner's user may do in the partner's own portal (P2, P8-P11).
type Role string

// The roles. External users have no role in the portal and are never part of everyone (E3).
const (
	Owner          Role = "owner"
	Admin          Role = "admin"
	Business       Role = "business"
	Tech           Role = "tech"
	SalesMarketing Role = "sales_marketing"
	External       Role = "external"
)

// rank orders the roles: nobody assigns a role above his own, or changes a user who has one.
func (r Role) rank() int {
	switch r {
	case Owner:
		return 5
	case Admin:
		return 4
	case Business:
		return 3
	case Tech, SalesMarketing:
		return 2
	case External:
		return 1
	}
	return 0
}

// Above reports whether the role stands above the other one. Tech and sales_marketing stand side by side.
func (r Role) Above(other Role) bool { return r.rank() > other.rank() }

// Partner is an outside organisation that customers grant access to their tenants.
type Partner struct {
	ID       string
	Name     string
	Class    Class
	Offer    Level // the highest level that the provider lets it have (W4, W11)
	SSO      bool  // single sign-on is enabled (A9)
	Status   Status
	Parent   string   // for the tree only (W3): access never flows along it (W12)
	Contacts []string // e-mail addresses
	Domains  []string // that the provider has confirmed for this partner, sorted: no other partner makes users in them
	Created  time.Time
	Updated  time.Time
	Changed  Stamp // when this version was made; Updated leaves out what people do not see. Likewise in the other records
	Version  int64 // 1 at first, one more with each write

	// OwnerSetsSSO is the provider's permission for the partner's owner to set SSO. It is false unless the provider gives it: a partner that
	// claims single sign-on which it lacks has access where a customer requires it.
	OwnerSetsSSO bool
}

// Headcount numbers and counts a partner's users. It is a record of its own, so that a new user does not change the partner's record.
type Headcount struct {
	Partner    string
	LastNumber int64 // the number given to the latest user
	Staff      int   // users who are neither external nor removed: those whom everyone includes
	Owners     int   // active owners
	Changed    Stamp
	Version    int64
}

// User is a person of a partner: an employee or an external user.
type User struct {
	ID       string // <partner>:<ulid>
	Partner  string
	Number   int64 // the partner's n-th user; a change of the address to another domain gives the user another number
	Email    string
	Name     string
	Phone    string // E.164; "" = none
	Role     Role
	Status   Status
	MFA      bool     // two-factor authentication is required
	MemberOf []string // ids of the customers whose member this person is: the user has no access there (A7, A8)

	// Unproved: nobody has proved yet that the address is this person's. Grants by e-mail do not find the user, and the account ends when
	// somebody else proves the address.
	Unproved bool
	// FormerEmails are the addresses that the account had before, oldest first. A customer's caps on them still apply.
	FormerEmails []string
	// RemovalHeadcountVersion is the version of the partner's headcount that the user's removal wrote; 0 = the user is not removed.
	RemovalHeadcountVersion int64
	// ActivationMissedAt is when a temporary password ended with which nobody had signed in (see TaskActivation), UTC; zero = none did, or
	// another password was made since.
	ActivationMissedAt time.Time

	Created time.Time // UTC
	Updated time.Time // UTC
	Changed Stamp
	Version int64
}

// Email records who an address belongs to. It is written by both sides, so that the address of a customer's member and that of a partner's
// user cannot be registered at the same time unseen.
type Email struct {
	Address     string
	User        string   // id of the partner's user, or ""
	MemberOf    []string // customers, sorted
	FormerUsers []string // ids of the users who had the address while it was a member's: they stay those customers' own people
	Account     string   // the name of the account of the members with this address; "" = none is kept for them
	Preferences Preferences
	Version     int64
}

// Customer is a tenant's organisation.
type Customer struct {
	ID             string
	Name           string
	Domain         string
	Contacts       []string
	Status         Status // active or removed
	ManagedBy      string // the partner that manages it, or "" (A2)
	Caps           Caps   // the most that single people may do here, whichever partner they belong to
	HasInvitations bool   // it has, or had, invitations: whatever ends a grant looks for those that end with it
	HasRequests    bool   // likewise requests of partners, which also end when what they ask for is granted
	Requests       RequestPolicy
	Created        time.Time
	Updated        time.Time
	Changed        Stamp
	Version        int64 // also incremented when a grant is opened, so that two concurrent openings conflict (A15)
}

// Caps are the highest levels that single people may have in one customer's tenant, by address. Only the customer changes them: they stay
// whatever the partner does with the account. None denies the person.
type Caps map[string]Level

// MaxCaps is how many people of all its partners one customer can cap: each of its grants carries a copy.
const MaxCaps = 200

// Of returns the cap that applies to a user: the lowest of those on its address and on its former addresses; false when there is none.
func (c Caps) Of(u *User) (Level, bool) {
	most, capped := c[u.Email]
	for _, address := range u.FormerEmails {
		if l, is := c[address]; is && (!capped || l < most) {
			most, capped = l, true
		}
	}
	return most, capped
}

// Member is a person of a customer.
type Member struct {
	Customer string
	Email    string
	Name     string
	Admin    bool
	Created  time.Time
	Version  int64
}

// State is what was last decided about a grant. What people see is its status, which depends on the clock, too.
type State string

// The states of a grant.
const (
	StateOpen      State = "open"
	StateSuspended State = "suspended"
	StateEnded     State = "ended"
)

// Reason is why a grant ended.
type Reason string

// The reasons, kept for ever.
const (
	RevokedByCustomer     Reason = "revoked_by_customer"
	RelinquishedByPartner Reason = "relinquished_by_partner"
	Expired               Reason = "expired"
	PartnerRemoved        Reason = "partner_removed"
	CustomerRemoved       Reason = "customer_removed"
	RelationshipEnded     Reason = "relationship_ended" // by the provider (A4)
	ManagementEnded       Reason = "management_ended"   // by the provider
)

// The reasons why a pending invitation ends without an answer: it could not be accepted any more. CustomerRemoved and
// PartnerRemoved are reasons, too.
const (
	GrantEnded    Reason = "grant_ended"          // the grant that it was for is not the open one any more
	ChoiceChanged Reason = "choice_changed"       // the partner invited, and no longer picks the users, or not in the same way
	InviterLeft   Reason = "inviter_left"         // who invited may not invite any more
	NotActive     Reason = "partner_not_active"   // the partner is suspended
	NotEligible   Reason = "partner_not_eligible" // the partner is of another class, or is offered no access
	ManagedNow    Reason = "managed"              // one partner manages the customer, and no other partner gets a grant
	PeriodChanged Reason = "period_changed"       // a grant was opened that lasts longer than what was offered
)

// Assigner is who picks the partner's users.
type Assigner string

// The partner may pick only where the grant says so (A5); the customer may always.
const (
	ByCustomer Assigner = "customer"
	ByPartner  Assigner = "partner"
)

// End is how a grant ended.
type End struct {
	Reason Reason
	At     time.Time // UTC
	By     By
}

// By is who did something, as it is kept.
type By struct {
	Kind  ActorKind
	Email string
}

// Grant is the one record that gives a partner access to a customer's tenant. There is one per (customer, partner): after an end the row
// is used again under a new id. All instants are UTC.
type Grant struct {
	ID         string
	Customer   string
	Partner    string
	Level      Level
	State      State
	From       time.Time     // the period is half-open: From <= t < Until
	Until      time.Time     // zero = continuous
	RequireSSO bool          // (A9)
	AutoExtend time.Duration // the end moves so much later, a day before it comes, if somebody used the access within that long; 0 = never
	AssignedBy Assigner
	Managed    bool   // only the provider changes it (A11, A12)
	Note       string // the customer's own: the partner never sees it
	Message    string // from the customer to the partner
	End        *End   // nil while no end is written down

	AssignedBySince time.Time // when AssignedBy last changed; zero = not since the grant was opened
	PreviousEnd     time.Time // when the grant before this one, on the same row, ended; zero = there was none
	NotifiedUntil   time.Time // starts and reminders that were due by then have their events

	// Copies from the customer's record, so that one read returns them with the level.
	Domain       string // users with an address in it have no access (D7)
	Caps         Caps
	Asking       RequestMode // whether its partner may ask for more; "" as in RequestPolicy
	RulesVersion int64       // the customer's version that they were copied from: an older one never overwrites them

	Everyone            bool      // all of the partner's staff have access, now and later (E11-E13)
	Epoch               int64     // assignments of an older epoch do not count (E14)
	EveryoneUpTo        int64     // staff up to this user number have access, after everyone was switched off (E15); 0 = nobody has by number
	EveryoneUpToVersion int64     // the headcount's version when everyone was switched off: users who were removed before are not counted
	EveryoneSince       time.Time // when everyone was last switched on; it stays when everyone is switched off
	EveryoneBy          By        // who switched it on
	Count               int       // users with access; while Everyone is on, external users only: the headcount counts the staff

	Created        time.Time
	Updated        time.Time
	Changed        Stamp
	Version        int64
	HiddenVersions int64 // how many versions changed nothing that the API shows
}

// PublicVersion is the version that the API shows: reminders, and copies of the customer's rules, leave it as it is.
func (g *Grant) PublicVersion() int64 { return g.Version - g.HiddenVersions }

// UsersCanBeListed reports whether users are assigned one by one, and at most as many as one change can name.
func (g *Grant) UsersCanBeListed() bool {
	return !g.Everyone && g.EveryoneUpTo == 0 && g.Count <= MaxUserChanges
}

// NoEpoch is the epoch of a row that holds the last use of a user whom everyone includes, and no assignment: it never counts.
const NoEpoch = -1

// Assignment is one user inside a grant, or, after everyone was switched off, one user who is excluded from it. Its row also holds the
// user's last use; a row without an assignment has NoEpoch and version 0.
type Assignment struct {
	Customer string
	Partner  string
	User     string
	Epoch    int64    // it counts only while the grant has the same
	Excluded bool     // the user has no access, although the user's number is among those up to which everyone has
	Level    *Level   // limits the grant's level for this user; nil = the grant's
	By       Assigner // who assigned the user; "" = not recorded
	Number   int64    // the user's number when it was assigned: another one means another person; 0 = not recorded
	At       time.Time
	Granter  By    // who assigned the user: the person behind By
	Version  int64 // the grant's version that wrote it

	LastUse Use // no part of the version: a check records it, and a change of the assignment leaves it as it is
}

// Admits reports whether the user belongs to the grant, whatever its period and state. A nil assignment means that there is none; an
// assignment of the person who had the account before does not count. Everyone, and everyone up to a number, does not include external
// users; a removed user belongs to no grant (D23).
func (g *Grant) Admits(u *User, a *Assignment) bool {
	if u.Status == Removed {
		return false
	}
	if g.counts(u, a) {
		return !a.Excluded && !g.pickedAnotherPerson(u, a)
	}
	if u.Role == External {
		return false
	}
	return g.Everyone || u.Number <= g.EveryoneUpTo
}

// counts reports whether the row is an assignment of the grant's epoch, and not one that everyone has replaced.
func (g *Grant) counts(u *User, a *Assignment) bool {
	return a != nil && a.Epoch == g.Epoch && (!g.Everyone || u.Role == External)
}

// pickedAnotherPerson reports whether the assignment is for the person who had the account before: its address has moved to another domain
// since. A partner's assignment stays valid while the partner may assign; PlanPersonChanged then records the new person, so that the
// customer keeps it when it assigns the users again.
func (g *Grant) pickedAnotherPerson(u *User, a *Assignment) bool {
	return a.Number != 0 && a.Number != u.Number && (a.By == ByCustomer || g.AssignedBy != ByPartner)
}

// HasRulesOf reports whether the grant's copy of the customer's domain and caps is equal to the customer's, or newer.
func (g *Grant) HasRulesOf(c *Customer) bool {
	return g.RulesVersion >= c.Version || g.Domain == c.Domain && maps.Equal(g.Caps, c.Caps) && g.Asking == c.Requests.Mode
}

// UserCount returns the number of users who belong to the grant.
func (g *Grant) UserCount(h Headcount) int {
	if g.Everyone {
		return h.Staff + g.Count
	}
	return g.Count
}

// EffectiveLevel returns the lower of the granted level and the partner's offer (W11).
func (g *Grant) EffectiveLevel(p *Partner) Level { return Lowest(g.Level, p.Offer) }

// LevelOf returns the effective level of a user who belongs to the grant: the lowest of the granted level, the partner's offer, the
// customer's cap on the person, and the assignment's own level. A nil assignment has none.
func (g *Grant) LevelOf(p *Partner, u *User, a *Assignment) Level {
	return Lowest(g.levelOf(u, a), p.Offer)
}

// levelOf returns the level without regard to the partner's offer.
func (g *Grant) levelOf(u *User, a *Assignment) Level {
	l := g.Level
	if a != nil && a.Epoch == g.Epoch && a.Level != nil {
		l = Lowest(l, *a.Level)
	}
	if u != nil && len(g.Caps) > 0 {
		if most, capped := g.Caps.Of(u); capped {
			l = Lowest(l, most)
		}
	}
	return l
}

// SameTerms reports whether the grants, of one customer and partner, decide alike about every user whose own assignment is the same.
func (g *Grant) SameTerms(other *Grant) bool {
	if g == nil || other == nil {
		return g == other
	}
	a, b := *g, *other
	for _, g := range []*Grant{&a, &b} { // what no decision looks at
		g.AutoExtend, g.Asking = 0, ""
		g.Note, g.Message, g.Count, g.Version, g.HiddenVersions = "", "", 0, 0, 0
		g.Created, g.Updated, g.NotifiedUntil, g.RulesVersion, g.Changed = time.Time{}, time.Time{}, time.Time{}, 0, ""
	}
	return reflect.DeepEqual(a, b)
}

// Ended reports whether the grant has ended at that instant, whether or not the end is recorded.
func (g *Grant) Ended(now time.Time) bool {
	return g.State == StateEnded || g.expired(now)
}

func (g *Grant) expired(now time.Time) bool {
	return g.State != StateEnded && !g.Until.IsZero() && !now.Before(g.Until)
}

// GrantStatus is what people see of a grant.
type GrantStatus string

// The statuses of a grant.
const (
	StatusScheduled GrantStatus = "scheduled"
	StatusActive    GrantStatus = "active"
	StatusSuspended GrantStatus = "suspended"
	StatusExpired   GrantStatus = "expired"
	StatusEnded     GrantStatus = "ended"
)

// Status is what people see of a grant at that instant: scheduled, active, suspended, expired or ended. It is what a check would
// answer now: active only where neither the grant nor its partner denies, and suspended where the partner is suspended, of another class,
// or without the single sign-on that is required. A removed partner's grants have ended, whether or not that has been written down (D5).
func (g *Grant) Status(p *Partner, now time.Time) GrantStatus {
	switch g.denial(p, now) {
	case Granted:
		return StatusActive
	case DeniedExpired:
		return StatusExpired
	case DeniedEnded:
		return StatusEnded
	case NotYetActive:
		return StatusScheduled
	}
	return StatusSuspended
}

// DenialReason returns why the grant is not active at that instant, by the reason that a check gives to its users; "" while it is active.
func (g *Grant) DenialReason(p *Partner, now time.Time) DecisionReason {
	if why := g.denial(p, now); why != Granted {
		return why
	}
	return ""
}

// EndAt returns how the grant ended, whether or not the end is recorded; nil while it has not.
func (g *Grant) EndAt(p *Partner, now time.Time) *End {
	switch {
	case g.State == StateEnded:
		return g.End
	case g.expired(now):
		return &End{Reason: Expired, At: g.Until, By: By{Kind: ActorClock}}
	case p != nil && p.Status == Removed:
		return &End{Reason: PartnerRemoved, At: p.Updated, By: By{Kind: ActorProvider}}
	}
	return nil
}
