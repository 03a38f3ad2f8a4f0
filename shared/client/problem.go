package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Problem is the service's answer to a request that it refused or could not answer (RFC 9457). Code is stable, and the way to tell problems
// apart; Title and Detail are for people and may change.
type Problem struct {
	Status     int           `json:"status"`
	Code       string        `json:"code"` // "" when the answer is none of the service's own: API Gateway's, or a proxy's
	Title      string        `json:"title"`
	Detail     string        `json:"detail"` // what is wrong, and what to do
	RequestID  string        `json:"request_id"`
	Errors     []FieldError  `json:"errors"`
	RetryAfter time.Duration `json:"-"` // how long the service asks to wait; 0: it does not say
}

// FieldError says what is wrong with one part of a request.
type FieldError struct {
	Pointer string `json:"pointer"` // a place in the body (RFC 6901), or ? and the name of a query parameter
	Detail  string `json:"detail"`
}

func (p *Problem) Error() string {
	text := fmt.Sprintf("partner access: %d", p.Status)
	if p.Code != "" {
		text += " " + p.Code
	}
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	if p.RequestID != "" {
		text += " (request " + p.RequestID + ")"
	}
	return text
}

// problemOf reads what was answered with a status of 400 or more, whoever it was.
func problemOf(a *http.Response, body []byte) *Problem {
	p := &Problem{}
	if json.Unmarshal(body, p) != nil || p.Status != a.StatusCode {
		*p = Problem{Title: http.StatusText(a.StatusCode), Detail: http.StatusText(a.StatusCode)}
	}
	p.Status = a.StatusCode
	if p.RequestID == "" {
		p.RequestID = a.Header.Get("X-Request-ID")
	}
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		p.RetryAfter = time.Duration(seconds) * time.Second
	}
	return p
}
