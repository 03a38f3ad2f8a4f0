package access

import (
	"errors"
	"fmt"
	"time"
)

// Code names a failure for callers; it is stable.
type Code string

// The failures of the domain. What a caller can do about each is in its detail.
const (
	Invalid              Code = "invalid"                // the command itself is malformed
	Forbidden            Code = "forbidden"              // the actor may see it but not do this
	NotRegistered        Code = "not_registered"         // the provider does not know the actor (D6)
	Managed              Code = "managed"                // only the provider changes a managed relationship (A12)
	NotFound             Code = "not_found"              // not there, or somebody else's
	LastUser             Code = "last_user"              // the last user of a grant cannot be removed (E9)
	EveryoneIsOn         Code = "everyone_is_on"         // switch everyone off first (E10, E14)
	ManagedElsewhere     Code = "managed_elsewhere"      // another partner manages the customer (A15)
	CustomerHasPartners  Code = "customer_has_partners"  // other partners still have access (A15)
	CustomerUserConflict Code = "customer_user_conflict" // the person is a member of the customer (A7)
	EmailTaken           Code = "email_taken"
	EmailUnavailable     Code = "email_unavailable" // the address cannot be used; the caller may not know whose it is
	DomainTaken          Code = "domain_taken"      // it belongs to a customer, or to another partner
	OwnerRequired        Code = "owner_required"    // a partner keeps at least one owner
	LastAdmin            Code = "last_admin"        // the customer has open grants, and no other admin
	GrantDiffers         Code = "grant_differs"     // the open grant has other terms: edit it (D20)
	Ended                Code = "ended"             // what has ended cannot be changed, only granted again
	PlanChanged          Code = "plan_changed"      // it would do something else than what the caller was shown
	Contention           Code = "contention"        // others change the same thing all the time: try again
	UnknownEmail         Code = "unknown_email"     // (D8)
	OwnOrganisation      Code = "own_organisation"
	PartnerNotEligible   Code = "partner_not_eligible" // not a channel partner (D9), or the provider offers it nothing (W4)
	PartnerNotActive     Code = "partner_not_active"
	UserNotOfPartner     Code = "user_not_of_partner" // (A6)
	UserNotActive        Code = "user_not_active"
	NotForCustomers      Code = "not_for_customers" // employee accounts are never for a customer's people (P5)
	PhoneRequired        Code = "phone_required"    // two-factor authentication needs a phone (P13)
	PeriodInvalid        Code = "period_invalid"
	TooManyUsers         Code = "too_many_users"
	VersionMismatch      Code = "version_mismatch" // the caller has seen an older version
	InvitationEnded      Code = "invitation_ended" // (E5)
	AlreadyInvited       Code = "already_invited"  // and has not answered yet
	WrongPerson          Code = "wrong_person"     // an invitation is bound to the invited address
	WrongPassword        Code = "wrong_password"   // the current one, when it is changed (P20)
	WeakPassword         Code = "weak_password"
	TooManyRequests      Code = "too_many_requests"    // for now
	IdempotencyMismatch  Code = "idempotency_mismatch" // the key of a repeatable request was used for another one
	JobOpen              Code = "job_open"             // a bulk job is still being done
	NothingToRetry       Code = "nothing_to_retry"     // no row of a bulk job has failed
	TooManyWebhooks      Code = "too_many_webhooks"    // of one owner
	WebhookNotVerified   Code = "webhook_not_verified" // it has to answer the challenge first
	DeliveryPendingStill Code = "delivery_pending"     // it is on its way, or waits for its next attempt
	MailOutdated         Code = "mail_outdated"        // what the mail says holds no longer, so that it is not sent again
	CannotAsk            Code = "cannot_ask"           // no customer takes the request: a wrong code, or requests are off
	RequestEnded         Code = "request_ended"        // it was decided, or is over
	OwnRequest           Code = "own_request"          // nobody decides about a request of his own
	WiderThanAsked       Code = "wider_than_asked"     // an approval grants at most what was asked for
	GivesNothing         Code = "gives_nothing"        // what is asked for, or approved, is so already
	AlreadyAsked         Code = "already_asked"        // a question about the request, which there is once
	EventsGone           Code = "events_gone"          // what the caller has not read yet is not kept any more
)

// Field names one place of the input and what is wrong with it.
type Field struct {
	Pointer string // RFC 6901, into the request's body
	Detail  string
}

// Error is a refusal whose text the caller sees in full. Any other error is internal.
type Error struct {
	Code   Code
	Detail string
	Fields []Field
	Caller bool          // the code says something of the caller itself, not of what the request names
	Wait   time.Duration // after which it may be tried again; 0 = not said

	// What a client needs to say it in words of its own; zero where the detail has no such number or level.
	Limit   int    // the most that there may be at once
	MaxDays int    // the longest period that the customer grants, in days
	Offered string // the level that the provider offers the partner
}

// offering says in the refusal which level the provider offers the partner.
func (e *Error) offering(l Level) *Error {
	e.Offered = l.String()
	return e
}

func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return fmt.Sprintf("%s: %s", e.Code, e.Detail)
	}
	return fmt.Sprintf("%s: %s (%s: %s)", e.Code, e.Detail, e.Fields[0].Pointer, e.Fields[0].Detail)
}

// At returns the error with a place of the input that it concerns.
func (e *Error) At(pointer string) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), Field{Pointer: pointer, Detail: e.Detail})
	return &c
}

// Refuse makes a refusal. The detail says what is wrong and what to do.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of a refusal, or "" for any other error and for nil.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// ErrUnavailable means that the storage did not answer, or had no capacity. A later attempt may succeed. It is unknown whether a change
// was made.
var ErrUnavailable = errors.New("the storage did not answer")

func versionMismatch(what string, seen, now int64) *Error {
	return Refuse(VersionMismatch, "the %s has changed since version %d was read; it is at version %d now: read it again and decide anew",
		what, seen, now)
}
