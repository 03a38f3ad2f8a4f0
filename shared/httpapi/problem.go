package httpapi

import (
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/rawjson"
)

// Problem is the body of every refusal (RFC 9457).
type Problem struct {
	Type      string       `json:"type"` // see problemType
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Code      string       `json:"code"`   // stable
	Detail    string       `json:"detail"` // what is wrong, and what to do
	RequestID string       `json:"request_id,omitzero"`
	Errors    []FieldError `json:"errors,omitempty"`

	// What the detail says, for words of a client's own: see access.Error.
	Limit   int    `json:"limit,omitzero"`
	MaxDays int    `json:"max_days,omitzero"`
	Offered string `json:"offered,omitzero"`
}

// FieldError is what is wrong at one place of the request's body, or at a parameter.
type FieldError struct {
	Pointer string `json:"pointer"` // RFC 6901
	Detail  string `json:"detail"`
}

// The failures of HTTP itself, beside those of the domain.
const (
	unauthenticated      access.Code = "unauthenticated"
	unsupportedMediaType access.Code = "unsupported_media_type"
	tooLarge             access.Code = "too_large"
	ifMatchRequired      access.Code = "if_match_required"
	unavailable          access.Code = "unavailable"
	internal             access.Code = "internal"
)

type statusAndTitle struct {
	status int
	title  string
}

// problems is how each failure is answered, by its code: the one place where codes meet HTTP.
//
//exhaustive:enforce
//nolint:gochecknoglobals // a table that nobody changes
var problems = map[access.Code]statusAndTitle{
	access.Invalid:              {http.StatusBadRequest, "The request is malformed"},
	unauthenticated:             {http.StatusUnauthorized, "Sign in first"},
	access.Forbidden:            {http.StatusForbidden, "You may not do this"},
	access.NotRegistered:        {http.StatusForbidden, "You are not registered with the provider"},
	access.Managed:              {http.StatusForbidden, "The relationship is managed by the provider"},
	access.NotFound:             {http.StatusNotFound, "Not found"},
	access.LastUser:             {http.StatusConflict, "The last user cannot be removed"},
	access.EveryoneIsOn:         {http.StatusConflict, "Everyone is switched on"},
	access.ManagedElsewhere:     {http.StatusConflict, "Another partner manages the customer"},
	access.CustomerHasPartners:  {http.StatusConflict, "Other partners have access to the customer"},
	access.CustomerUserConflict: {http.StatusConflict, "The person belongs to the customer"},
	access.EmailTaken:           {http.StatusConflict, "The address is taken"},
	access.EmailUnavailable:     {http.StatusConflict, "The address cannot be used"},
	access.DomainTaken:          {http.StatusConflict, "The domain is taken"},
	access.LastAdmin:            {http.StatusConflict, "The only admin of a customer with open grants"},
	access.OwnerRequired:        {http.StatusConflict, "An owner is required"},
	access.GrantDiffers:         {http.StatusConflict, "The open grant has other terms"},
	access.Ended:                {http.StatusConflict, "It has ended"},
	access.PlanChanged:          {http.StatusConflict, "It would do something else now"},
	access.Contention:           {http.StatusConflict, "Someone else is changing the same thing"},
	access.AlreadyInvited:       {http.StatusConflict, "The person has already been invited"},
	access.JobOpen:              {http.StatusConflict, "The job is still open"},
	access.NothingToRetry:       {http.StatusConflict, "There is nothing to try again"},
	access.TooManyWebhooks:      {http.StatusConflict, "There are as many webhooks as there can be"},
	access.WebhookNotVerified:   {http.StatusConflict, "The webhook is not verified"},
	access.DeliveryPendingStill: {http.StatusConflict, "The delivery is under way"},
	access.MailOutdated:         {http.StatusConflict, "The mail is outdated"},
	access.CannotAsk:            {http.StatusNotFound, "No customer takes this request"},
	access.RequestEnded:         {http.StatusConflict, "The request has ended"},
	access.AlreadyAsked:         {http.StatusConflict, "A question was asked already"},
	access.OwnRequest:           {http.StatusForbidden, "Nobody decides about a request of his own"},
	access.WiderThanAsked:       {http.StatusUnprocessableEntity, "Wider than what was asked for"},
	access.GivesNothing:         {http.StatusUnprocessableEntity, "It would change nothing"},
	access.WrongPerson:          {http.StatusForbidden, "The invitation is for somebody else"},
	access.InvitationEnded:      {http.StatusGone, "The invitation has ended"},
	access.EventsGone:           {http.StatusGone, "The events are no longer kept"},
	access.VersionMismatch:      {http.StatusPreconditionFailed, "It has changed since it was read"},
	tooLarge:                    {http.StatusRequestEntityTooLarge, "The request is too large"},
	unsupportedMediaType:        {http.StatusUnsupportedMediaType, "The body has to be JSON"},
	access.UnknownEmail:         {http.StatusUnprocessableEntity, "No user has this address"},
	access.OwnOrganisation:      {http.StatusUnprocessableEntity, "A person of your own organisation"},
	access.PartnerNotEligible:   {http.StatusUnprocessableEntity, "The partner is not eligible"},
	access.PartnerNotActive:     {http.StatusUnprocessableEntity, "The partner is not active"},
	access.UserNotOfPartner:     {http.StatusUnprocessableEntity, "Not a user of the partner"},
	access.UserNotActive:        {http.StatusUnprocessableEntity, "The user is not active"},
	access.NotForCustomers:      {http.StatusUnprocessableEntity, "The address belongs to a customer"},
	access.PhoneRequired:        {http.StatusUnprocessableEntity, "A telephone number is required"},
	access.PeriodInvalid:        {http.StatusUnprocessableEntity, "The period is invalid"},
	access.WrongPassword:        {http.StatusUnprocessableEntity, "The current password is wrong"},
	access.WeakPassword:         {http.StatusUnprocessableEntity, "The new password is too weak"},
	access.TooManyUsers:         {http.StatusUnprocessableEntity, "Too many users at once"},
	access.IdempotencyMismatch:  {http.StatusUnprocessableEntity, "The idempotency key was used for another request"},
	ifMatchRequired:             {http.StatusPreconditionRequired, "If-Match is required"},
	access.TooManyRequests:      {http.StatusTooManyRequests, "Too many requests"},
	unavailable:                 {http.StatusServiceUnavailable, "Try again in a moment"},
	internal:                    {http.StatusInternalServerError, "Something went wrong"},
}

// ProblemCodes are the codes of all problem documents, in no order.
func ProblemCodes() []access.Code { return slices.Collect(maps.Keys(problems)) }

func problemFor(code access.Code) statusAndTitle {
	if p, ok := problems[code]; ok {
		return p
	}
	return problems[internal]
}

// problemOf is the problem document of a refusal.
func problemOf(e *access.Error, requestID string) Problem {
	a := problemFor(e.Code)
	if e.Caller {
		a = problemFor(access.Forbidden)
	}
	p := Problem{
		Type: problemType(e.Code), Title: a.title, Status: a.status, Code: string(e.Code), Detail: e.Detail,
		RequestID: requestID, Limit: e.Limit, MaxDays: e.MaxDays, Offered: e.Offered,
	}
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, FieldError{Pointer: f.Pointer, Detail: f.Detail})
	}
	return p
}

// append writes the problem document. It is written by hand so that the functions that need no other encoder, such as check, do without
// one.
func (p Problem) append(b []byte) []byte {
	b = append(b, `{"type":`...)
	b = rawjson.AppendString(b, p.Type)
	b = append(b, `,"title":`...)
	b = rawjson.AppendString(b, p.Title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(p.Status), 10)
	b = append(b, `,"code":`...)
	b = rawjson.AppendString(b, p.Code)
	b = append(b, `,"detail":`...)
	b = rawjson.AppendString(b, p.Detail)
	if p.RequestID != "" {
		b = append(b, `,"request_id":`...)
		b = rawjson.AppendString(b, p.RequestID)
	}
	if len(p.Errors) > 0 {
		b = append(b, `,"errors":[`...)
		for i, e := range p.Errors {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"pointer":`...)
			b = rawjson.AppendString(b, e.Pointer)
			b = append(b, `,"detail":`...)
			b = rawjson.AppendString(b, e.Detail)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	if p.Limit != 0 {
		b = append(b, `,"limit":`...)
		b = strconv.AppendInt(b, int64(p.Limit), 10)
	}
	if p.MaxDays != 0 {
		b = append(b, `,"max_days":`...)
		b = strconv.AppendInt(b, int64(p.MaxDays), 10)
	}
	if p.Offered != "" {
		b = append(b, `,"offered":`...)
		b = rawjson.AppendString(b, p.Offered)
	}
	return append(b, '}')
}

// refusal is the response that carries a problem document. One that can be repeated says when, in Retry-After.
func refusal(e *access.Error, requestID string) apigateway.Response {
	p := problemOf(e, requestID)
	r := apigateway.Response{
		Status: p.Status, Header: map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store"}, Body: p.append(nil),
		Code: string(e.Code),
	}
	if e.Code == unavailable || e.Code == access.TooManyRequests || e.Code == access.Contention {
		r.Header["Retry-After"] = strconv.Itoa(max(1, int(math.Ceil(e.Wait.Seconds()))))
	}
	if e.Code == unauthenticated {
		r.Header["WWW-Authenticate"] = "Bearer"
	}
	return r
}

// refuse is the problem document for a request that apigateway refuses.
func refuse(status int, detail, requestID string) apigateway.Response {
	code := internal
	switch status {
	case http.StatusBadRequest:
		code = access.Invalid
	case http.StatusRequestEntityTooLarge:
		code = tooLarge
	}
	return refusal(access.Refuse(code, "%s", detail), requestID)
}
