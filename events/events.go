// Package events is the published contract of what has happened: past-tense facts, each stored with the change that caused it.
//
// A consumer expects every event twice and in any order: ID tells copies apart, Time and Data.Version put them in order.
// Fields are only ever added; what a consumer does not know it passes over.
package events

import "time"

// Type names a fact.
type Type string

// The facts. One change of a grant is one event, however much it changes.
const (
	PartnerCreated   Type = "partner.created"
	PartnerEdited    Type = "partner.edited"
	PartnerSuspended Type = "partner.suspended" // the provider's kill switch: no customer lets the partner in
	PartnerResumed   Type = "partner.resumed"
	PartnerRemoved   Type = "partner.removed" // for ever: its id is never used again (D5, D23)
	UserCreated      Type = "user.created"
	UserEdited       Type = "user.edited"
	UserDisabled     Type = "user.disabled"
	UserEnabled      Type = "user.enabled"
	UserRemoved      Type = "user.removed" // left the partner (D5, D23)
	UserErased       Type = "user.erased"  // a pseudonym stands for the person from now on, here and in all that happened before
	// a user who has never signed in gets a temporary password, once more or for the first time (P15)
	ActivationRenewed  Type = "user.activation_renewed"
	ActivationMissed   Type = "user.activation_missed" // a user has not signed in with it in time, and it works no more
	CustomerCreated    Type = "customer.created"
	CustomerEdited     Type = "customer.edited"
	CustomerRemoved    Type = "customer.removed"
	MemberAdded        Type = "member.added"
	MemberEdited       Type = "member.edited"
	MemberRemoved      Type = "member.removed"
	MemberRenewed      Type = "member.activation_renewed" // a member gets a temporary password, once more or for the first time
	GrantCreated       Type = "grant.created"             // access was granted, or granted again after an end (D21)
	GrantEdited        Type = "grant.edited"              // users, everyone, level, period, who assigns, single sign-on, note, message
	GrantSuspended     Type = "grant.suspended"           // paused by the customer
	GrantResumed       Type = "grant.resumed"
	GrantRevoked       Type = "grant.revoked"      // ended by the customer (D29, D31, W13)
	GrantRelinquished  Type = "grant.relinquished" // ended by the partner
	GrantExpired       Type = "grant.expired"      // ended by the clock (A14)
	GrantEnded         Type = "grant.ended"        // ended for another reason, which Data.Reason names
	ManagementAssigned Type = "customer.managed"   // a partner manages the customer from now on (A2, A15)
	ManagementEnded    Type = "customer.unmanaged"

	GrantStarted          Type = "grant.started"           // the period has begun
	GrantExpiring         Type = "grant.expiring"          // Data.Days before the end
	GrantUserLeft         Type = "grant.user_left"         // a user who was in has left the partner (D23)
	GrantPersonChanged    Type = "grant.person_changed"    // a user who is in, or was, has another address; Data.Reason when its access ended
	GrantPartnerSuspended Type = "grant.partner_suspended" // what partner.suspended means to one customer
	GrantPartnerResumed   Type = "grant.partner_resumed"

	InvitationCreated   Type = "invitation.created" // a person without an account is invited (E3)
	InvitationResent    Type = "invitation.resent"  // with a new token; the old one has ended
	InvitationReminded  Type = "invitation.reminded"
	InvitationAccepted  Type = "invitation.accepted"
	InvitationDeclined  Type = "invitation.declined"
	InvitationCancelled Type = "invitation.cancelled" // (E5, E8)
	InvitationExpired   Type = "invitation.expired"

	// A partner asks a customer for access, for more of it or for more time. What an approval grants has an event of its own, grant.created or
	// grant.edited, in the same change; it names the request.
	RequestCreated      Type = "request.created"
	RequestReminded     Type = "request.reminded"   // nobody has decided yet
	RequestQuestioned   Type = "request.questioned" // one who decides asks something back
	RequestSeconded     Type = "request.seconded"   // approved by one, and others have to approve the same
	RequestApproved     Type = "request.approved"   // with data.changes, when it was less than what was asked for
	RequestDeclined     Type = "request.declined"
	RequestWithdrawn    Type = "request.withdrawn"
	RequestExpired      Type = "request.expired"
	RequestCancelled    Type = "request.cancelled"     // it became moot, for Data.Reason
	RequestCodesRefused Type = "request.codes_refused" // a partner has tried wrong codes; the customer's alone
	RequestPolicyEdited Type = "request.policy_edited" // who may ask, who decides, and the code; the customer's alone
)

// Event is one fact.
type Event struct {
	ID       string        `json:"id"`   // a ULID: sorts by time
	Type     Type          `json:"type"` //
	Time     time.Time     `json:"time"` // when the change was made, UTC, to the millisecond
	Actor    Actor         `json:"actor"`
	Customer *Organisation `json:"customer,omitzero"` // nil when no customer is concerned
	Partner  *Organisation `json:"partner,omitzero"`  // nil when no partner is concerned
	Data     Data          `json:"data"`

	// Request is the X-Request-ID of the request that made the change; "" for the clock's, and for events from before it was recorded. It can
	// be the caller's own text: show it to nobody but the actor's side and the provider.
	Request string `json:"request_id,omitzero"`

	// Job is the bulk job of which the change was a row; "" for any other change. The mails about a job's changes are put together.
	Job string `json:"job,omitzero"`

	// Webhook is the webhook that a mail is about. No event of the contract has it: see access.WebhookNotice.
	Webhook string `json:"webhook,omitzero"`
}

// Actor is who made the change.
type Actor struct {
	Kind  string `json:"kind"` // provider, customer, partner or clock
	Email string `json:"email,omitzero"`
	Name  string `json:"name,omitzero"` // of the person; show a customer's to nobody at the partner
	ID    string `json:"id,omitzero"`   // of a partner's user
}

// Organisation is a customer or a partner as it was when the event happened.
type Organisation struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitzero"`
	Domain   string   `json:"domain,omitzero"`   // of a customer
	Contacts []string `json:"contacts,omitzero"` // whom to tell; the first one is the primary address (P16)
}

// Person is somebody whom the event concerns.
type Person struct {
	ID    string `json:"id,omitzero"` // of a partner's user
	Email string `json:"email,omitzero"`
	Name  string `json:"name,omitzero"`

	// Of a user in a grant who may do less there than others: how much, after the change; and before it, where the change altered that.
	Level    string `json:"level,omitzero"`
	LevelWas string `json:"level_was,omitzero"`
}

// Change is one field that a change altered, as it was and as it is: nil (none), a string, a bool or a list of strings. Instants are
// written as in the event's other members.
type Change struct {
	Field string `json:"field"` // as the API calls it
	Was   any    `json:"was"`
	Is    any    `json:"is"`
}

// Data is what the event says beyond who and when; what does not apply is left out. Never a secret.
type Data struct {
	Grant      string     `json:"grant,omitzero"`           // the grant's id
	Version    int64      `json:"version,omitzero"`         // of the changed record, after the change
	Level      string     `json:"level,omitzero"`           // after the change
	LevelWas   string     `json:"level_was,omitzero"`       // when the change altered it
	From       *time.Time `json:"from,omitzero"`            // start of the period, UTC
	FromWas    *time.Time `json:"from_was,omitzero"`        // when the change altered it
	Until      *time.Time `json:"until,omitzero"`           // end of the period, UTC, exclusive; absent = continuous
	UntilWas   *time.Time `json:"until_was,omitzero"`       // when the change altered it
	RequireSSO *bool      `json:"require_sso,omitzero"`     // after the change: users have to come by single sign-on (A9)
	SSOWas     *bool      `json:"require_sso_was,omitzero"` // when the change altered it
	Reason     string     `json:"reason,omitzero"`          // why it ended
	Everyone   *bool      `json:"everyone,omitzero"`        // when the change switched everyone on or off
	Added      []Person   `json:"added,omitzero"`           // users let in one by one
	// users who were in and may do less or more than before, with their levels (D15)
	Changed    []Person `json:"changed,omitzero"`
	Removed    []Person `json:"removed,omitzero"`     // users taken out, as far as they are known and few
	Unnamed    int      `json:"unnamed,omitzero"`     // how many more were taken out: the partner's contacts stand for them
	UserCount  *int     `json:"user_count,omitzero"`  // users in the grant after the change
	AssignedBy string   `json:"assigned_by,omitzero"` // customer or partner
	Fields     []string `json:"fields,omitzero"`      // the names of what changed, as the API calls them
	// those of Fields that have one value, with it before and after; telephone numbers are never among them
	Changes []Change `json:"changes,omitzero"`
	// everybody who is in after the change, or was until the end, when they are few
	Users          []Person   `json:"users,omitzero"`
	UsersTruncated bool       `json:"crowd,omitzero"`       // too many users to be listed: the partner's contacts are notified instead
	Status         string     `json:"status,omitzero"`      // of the grant, as people see it, after the change
	Days           int        `json:"days,omitzero"`        // until the end
	AutoExtend     string     `json:"auto_extend,omitzero"` // by how much the grant is extended by itself while it is used (ISO 8601: P90D)
	Invitation     string     `json:"invitation,omitzero"`  // the invitation's id
	Expires        *time.Time `json:"expires,omitzero"`     // when the invitation ends, UTC
	Sending        int        `json:"sending,omitzero"`     // the invitation's first, second, … mail with a token
	Inviter        *Person    `json:"inviter,omitzero"`     // who invited, and hears of the outcome
	Side           string     `json:"side,omitzero"`        // the inviter's: customer or partner
	Person         *Person    `json:"person,omitzero"`      // the user, member or invited person concerned
	EmailWas       string     `json:"email_was,omitzero"`   // of that person, when the change altered it
	Role           string     `json:"role,omitzero"`        // of that person
	Note           string     `json:"note,omitzero"`        // the customer's own, for its people alone
	Message        string     `json:"message,omitzero"`     // the customer's words to the partner

	// of a request
	AskedFor  string        `json:"request,omitzero"`   // the request's id; also of the grant's event that an approval caused
	Kind      string        `json:"kind,omitzero"`      // access, extend or raise
	Purpose   string        `json:"purpose,omitzero"`   // why, in the requester's words
	Ticket    string        `json:"ticket,omitzero"`    // as the requester named it
	Question  string        `json:"question,omitzero"`  // of one who decides
	Requester *Person       `json:"requester,omitzero"` // who asked, and hears of the outcome
	Approvers []Person      `json:"approvers,omitzero"` // who decides at the customer; show them to nobody at the partner
	Asking    *Organisation `json:"asking,omitzero"`    // of request.codes_refused: the partner

	Account bool `json:"account,omitzero"` // an account came with the membership or the invitation, in the service's own user pool
}
