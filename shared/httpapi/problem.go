package httpapi

import (
	"math"
	"net/http"
	"strconv"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/rawjson"
)

// Problem is the body of every refusal (RFC 9457).
type Problem struct {
	Type      string       `json:"type"` // urn:partner-access:problem:<code>
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Code      string       `json:"code"`   // stable
	Detail    string       `json:"detail"` // what is wrong, and what to do
	RequestID string       `json:"request_id,omitzero"`
	Errors    []FieldError `json:"errors,omitempty"`
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

// problems is how each failure is answered: the one place where codes meet HTTP.
//
//nolint:funlen // a table: a line for each code
func problems(code access.Code) statusAndTitle {
	switch code {
	case access.Invalid:
		return statusAndTitle{http.StatusBadRequest, "The request is malformed"}
	case unauthenticated:
		return statusAndTitle{http.StatusUnauthorized, "Sign in first"}
	case access.Forbidden:
		return statusAndTitle{http.StatusForbidden, "You may not do this"}
	case access.NotRegistered:
		return statusAndTitle{http.StatusForbidden, "You are not registered with the provider"}
	case access.Managed:
		return statusAndTitle{http.StatusForbidden, "The relationship is managed by the provider"}
	case access.NotFound:
		return statusAndTitle{http.StatusNotFound, "Not found"}
	case access.LastUser:
		return statusAndTitle{http.StatusConflict, "The last user cannot be removed"}
	case access.EveryoneIsOn:
		return statusAndTitle{http.StatusConflict, "Everyone is switched on"}
	case access.ManagedElsewhere:
		return statusAndTitle{http.StatusConflict, "Another partner manages the customer"}
	case access.CustomerHasPartners:
		return statusAndTitle{http.StatusConflict, "Other partners have access to the customer"}
	case access.CustomerUserConflict:
		return statusAndTitle{http.StatusConflict, "The person belongs to the customer"}
	case access.EmailTaken:
		return statusAndTitle{http.StatusConflict, "The address is taken"}
	case access.EmailUnavailable:
		return statusAndTitle{http.StatusConflict, "The address cannot be used"}
	case access.DomainTaken:
		return statusAndTitle{http.StatusConflict, "The domain is taken"}
	case access.LastAdmin:
		return statusAndTitle{http.StatusConflict, "The only admin of a customer with open grants"}
	case access.OwnerRequired:
		return statusAndTitle{http.StatusConflict, "An owner is required"}
	case access.GrantDiffers:
		return statusAndTitle{http.StatusConflict, "The open grant has other terms"}
	case access.Ended:
		return statusAndTitle{http.StatusConflict, "It has ended"}
	case access.Contention:
		return statusAndTitle{http.StatusConflict, "Someone else is changing the same thing"}
	case access.AlreadyInvited:
		return statusAndTitle{http.StatusConflict, "The person has already been invited"}
	case access.MailOutdated:
		return statusAndTitle{http.StatusConflict, "The mail is outdated"}
	case access.WrongPerson:
		return statusAndTitle{http.StatusForbidden, "The invitation is for somebody else"}
	case access.InvitationEnded:
		return statusAndTitle{http.StatusGone, "The invitation has ended"}
	case access.VersionMismatch:
		return statusAndTitle{http.StatusPreconditionFailed, "It has changed since it was read"}
	case tooLarge:
		return statusAndTitle{http.StatusRequestEntityTooLarge, "The request is too large"}
	case unsupportedMediaType:
		return statusAndTitle{http.StatusUnsupportedMediaType, "The body has to be JSON"}
	case access.UnknownEmail:
		return statusAndTitle{http.StatusUnprocessableEntity, "No user has this address"}
	case access.OwnOrganisation:
		return statusAndTitle{http.StatusUnprocessableEntity, "A person of your own organisation"}
	case access.PartnerNotEligible:
		return statusAndTitle{http.StatusUnprocessableEntity, "The partner is not eligible"}
	case access.PartnerNotActive:
		return statusAndTitle{http.StatusUnprocessableEntity, "The partner is not active"}
	case access.UserNotOfPartner:
		return statusAndTitle{http.StatusUnprocessableEntity, "Not a user of the partner"}
	case access.UserNotActive:
		return statusAndTitle{http.StatusUnprocessableEntity, "The user is not active"}
	case access.NotForCustomers:
		return statusAndTitle{http.StatusUnprocessableEntity, "The address belongs to a customer"}
	case access.PhoneRequired:
		return statusAndTitle{http.StatusUnprocessableEntity, "A telephone number is required"}
	case access.PeriodInvalid:
		return statusAndTitle{http.StatusUnprocessableEntity, "The period is invalid"}
	case access.WrongPassword:
		return statusAndTitle{http.StatusUnprocessableEntity, "The current password is wrong"}
	case access.WeakPassword:
		return statusAndTitle{http.StatusUnprocessableEntity, "The new password is too weak"}
	case access.TooManyUsers:
		return statusAndTitle{http.StatusUnprocessableEntity, "Too many users at once"}
	case access.IdempotencyMismatch:
		return statusAndTitle{http.StatusUnprocessableEntity, "The idempotency key was used for another request"}
	case ifMatchRequired:
		return statusAndTitle{http.StatusPreconditionRequired, "If-Match is required"}
	case access.TooManyRequests:
		return statusAndTitle{http.StatusTooManyRequests, "Too many requests"}
	case unavailable:
		return statusAndTitle{http.StatusServiceUnavailable, "Try again in a moment"}
	}
	return statusAndTitle{http.StatusInternalServerError, "Something went wrong"}
}

// problemOf is the problem document of a refusal.
func problemOf(e *access.Error, requestID string) Problem {
	a := problems(e.Code)
	if e.Caller {
		a = problems(access.Forbidden)
	}
	p := Problem{
		Type: "urn:partner-access:problem:" + string(e.Code), Title: a.title, Status: a.status, Code: string(e.Code), Detail: e.Detail,
		RequestID: requestID,
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
