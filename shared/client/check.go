package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Question asks whether a partner's user may do something at a customer.
type Question struct {
	User     string // the id, or the verified e-mail address
	Action   string // of the catalogue: reports:read
	Customer string // the customer's id
}

// Decision is the answer to a Question. Only Allowed decides; the rest says why.
type Decision struct {
	Allowed bool
	Reason  string // granted, no_grant, expired, …: the contract lists them
	Level   string // at which level the grant counts; "" without one
	Grant   string // its id; "" without one

	// ValidUntil is when an allow ends by the clock, if nothing ends it before; zero: at no known instant. EvaluatedAt is when it was decided.
	// Both are by the service's clock, in UTC.
	ValidUntil, EvaluatedAt time.Time
}

// Checker answers questions: a Client over HTTPS, or whatever decides as the service does. The answers are in the order of the questions.
// An error of the whole means that nothing was answered; a question that could not be answered by itself is a denial with its error in
// errs.
type Checker interface {
	Checks(ctx context.Context, questions []Question) (decisions []Decision, errs []error, err error)
}

// MaxQuestions is how many questions a batch may hold.
const MaxQuestions = 100

// evaluation is a question in AuthZEN's words, and an answer.
type (
	entity struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	action struct {
		Name string `json:"name"`
	}
	evaluation struct {
		Subject  entity `json:"subject"`
		Action   action `json:"action"`
		Resource entity `json:"resource"`
	}
	answered struct {
		Decision *bool `json:"decision"` // nil: the answer has none, and is none
		Context  struct {
			Reason      string    `json:"reason"`
			Level       string    `json:"level"`
			Grant       string    `json:"grant"`
			ValidUntil  time.Time `json:"valid_until"`
			EvaluatedAt time.Time `json:"evaluated_at"`
			Error       *struct {
				Status  int    `json:"status"`
				Message string `json:"message"`
			} `json:"error"`
		} `json:"context"`
	}
)

func (q Question) evaluation() evaluation {
	return evaluation{entity{"user", q.User}, action{q.Action}, entity{"customer", q.Customer}}
}

var errNoDecision = errors.New("partner access: the answer has no decision")

func (a answered) decision() (Decision, error) {
	if e := a.Context.Error; e != nil {
		return Decision{}, &Problem{Status: e.Status, Title: http.StatusText(e.Status), Detail: e.Message}
	}
	if a.Decision == nil {
		return Decision{}, errNoDecision
	}
	return Decision{
		Allowed: *a.Decision, Reason: a.Context.Reason, Level: a.Context.Level, Grant: a.Context.Grant,
		ValidUntil: a.Context.ValidUntil, EvaluatedAt: a.Context.EvaluatedAt,
	}, nil
}

// Checks asks all questions in batches, one after the other. None of them counts as a use of the access.
func (c *Client) Checks(ctx context.Context, questions []Question) ([]Decision, []error, error) {
	decisions, errs := make([]Decision, len(questions)), make([]error, len(questions))
	for from := 0; from < len(questions); from += MaxQuestions {
		to := min(from+MaxQuestions, len(questions))
		if err := c.batch(ctx, questions[from:to], decisions[from:to], errs[from:to], nil); err != nil {
			return nil, nil, err
		}
	}
	return decisions, errs, nil
}

// options say more of all questions of a batch.
type options struct {
	RecordUse bool `json:"record_use"` // an allow counts as a use of the access, as it does of a question that goes alone
}

func (c *Client) batch(ctx context.Context, questions []Question, decisions []Decision, errs []error, with *options) error {
	body := struct {
		Context     *options     `json:"context,omitempty"`
		Evaluations []evaluation `json:"evaluations"`
	}{Context: with}
	for _, q := range questions {
		body.Evaluations = append(body.Evaluations, q.evaluation())
	}
	var got struct {
		Evaluations []answered `json:"evaluations"`
	}
	a, err := c.Do(ctx, Request{Method: http.MethodPost, Path: "/access/v1/evaluations", Body: body}, &got)
	if err != nil {
		return err
	}
	if len(got.Evaluations) != len(questions) {
		return fmt.Errorf("partner access: got %d answers to %d questions", len(got.Evaluations), len(questions))
	}
	at, _ := time.Parse(time.RFC3339, a.Header.Get("Evaluated-At"))
	for i, e := range got.Evaluations {
		decisions[i], errs[i] = e.decision()
		if errs[i] == nil && decisions[i].EvaluatedAt.IsZero() {
			decisions[i].EvaluatedAt = at
		}
	}
	return nil
}

// Check asks one question. Whatever goes wrong is a denial with an error: Allowed is true only when the service said so. An allow counts as
// a use of the access. Questions that others ask within two milliseconds go with it, 50 at most.
func (c *Client) Check(ctx context.Context, q Question) (Decision, error) {
	if d, ok := c.kept.get(q); ok {
		return d, nil
	}
	ask := c.queue.ask
	if len(q.User)+len(q.Action)+len(q.Customer) > maxJoining {
		ask = c.one
	}
	began := time.Now()
	d, err := ask(ctx, q)
	if err != nil {
		return Decision{}, err
	}
	c.kept.put(q, d, began)
	return d, nil
}

// one asks a question by itself.
func (c *Client) one(ctx context.Context, q Question) (Decision, error) {
	var got answered
	if _, err := c.Do(ctx, Request{Method: http.MethodPost, Path: "/access/v1/evaluation", Body: q.evaluation()}, &got); err != nil {
		return Decision{}, err
	}
	return got.decision()
}
