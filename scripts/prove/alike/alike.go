// Package alike proves that all ways to ask answer the same: the service, the check function invoked without API Gateway, and a back end
// that reads the table itself. It fills a table with random records, asks random questions at random instants, above all at those where
// periods begin and end, and compares the answers byte by byte.
package alike

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/meter"
	"partneraccess/scripts/prove/report"
	"partneraccess/shared/access"
	"partneraccess/shared/authzen"
	"partneraccess/shared/client"
	"partneraccess/shared/client/invoke"
	"partneraccess/shared/client/table"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
)

// Config says how much is asked.
type Config struct {
	Engine    *engine.Engine // nil: one is started
	Table     string         // it is made
	Questions int
	World     int // questions to one world of records
	Seed      uint64
	Log       io.Writer // gets a line now and then; nil: nothing is logged
}

// Report is what a run found.
type Report struct {
	Questions, Requests int     // of the table, for those
	Units               float64 // read units
	Reasons             map[string]int
	Took                time.Duration
	Violations          []string
}

// String implements fmt.Stringer.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d questions in %s; the table itself took %d requests and %.0f read units\n", r.Questions, r.Took.Round(time.Second),
		r.Requests, r.Units)
	report.Counts(&b, "answers", r.Reasons)
	report.Violations(&b, r.Violations)
	return b.String()
}

// most is how many violations are kept, after which it ends.
const most = 20

// Run asks the questions.
func Run(ctx context.Context, c Config) (_ *Report, err error) {
	began := time.Now()
	if c.Engine == nil {
		if c.Engine, err = engine.Start(ctx, engine.Options{}); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, c.Engine.Stop()) }()
	}
	if err := dynamo.CreateTable(ctx, c.Engine.Client(), c.Table, false); err != nil {
		return nil, err
	}
	a, err := newAsked(c)
	if err != nil {
		return nil, err
	}
	defer a.meter.Close()
	for n := 0; a.report.Questions < c.Questions && len(a.report.Violations) < most; n++ {
		w := newWorld(a.random, n)
		if err := w.save(ctx, a.store); err != nil {
			return nil, err
		}
		for until := a.report.Questions + c.World; a.report.Questions < min(until, c.Questions); {
			if err := a.ask(ctx, w); err != nil {
				return nil, err
			}
		}
		if c.Log != nil {
			_, _ = fmt.Fprintf(c.Log, "%d questions, %d differences\n", a.report.Questions, len(a.report.Violations))
		}
	}
	a.report.Took = time.Since(began)
	return a.report, nil
}

// asked are the ways to ask, with one clock.
type asked struct {
	random  *rand.Rand
	now     time.Time
	store   *dynamo.Store
	meter   *meter.Meter // of what the table's own way asks
	service lambda.Handler
	invoked *client.Client
	table   *table.Checker
	report  *Report
}

func newAsked(c Config) (*asked, error) {
	a := &asked{
		random: rand.New(rand.NewPCG(c.Seed, 0)), //nolint:gosec // no secret
		store:  dynamo.New(c.Engine.Client(), c.Table), meter: meter.New(c.Engine.Endpoint()), report: &Report{Reasons: map[string]int{}},
	}
	clock := func() time.Time { return a.now }
	catalogue := access.DefaultCatalogue()
	a.service = httpapi.NewCheck(httpapi.CheckConfig{
		Facts: dynamo.NewReader(c.Engine.Client(), c.Table), Catalogue: catalogue, Now: clock, BaseURL: "https://access.example",
		Log: slog.New(slog.DiscardHandler),
	})
	a.invoked = invoke.New(function{a.service}, "check", client.Tries(1))
	db, err := table.Client(aws.Config{
		Region: engine.Region, Credentials: c.Engine.Client().Options().Credentials, BaseEndpoint: aws.String(a.meter.URL()),
	})
	if err != nil {
		return nil, err
	}
	a.table, err = table.New(db, c.Table, catalogue, table.Clock(clock))
	return a, err
}

// function is the check function behind Lambda's Invoke.
type function struct{ lambda.Handler }

// Invoke implements invoke.Invoker.
func (f function) Invoke(
	ctx context.Context, in *lambdaservice.InvokeInput, _ ...func(*lambdaservice.Options),
) (*lambdaservice.InvokeOutput, error) {
	out, err := f.Handler.Invoke(ctx, in.Payload)
	return &lambdaservice.InvokeOutput{Payload: out}, err
}

// ask asks a question, or some in one batch, in all ways.
func (a *asked) ask(ctx context.Context, w *world) error {
	n := 1
	if a.random.IntN(8) == 0 {
		n = 2 + a.random.IntN(12)
	}
	questions := make([]client.Question, n)
	for i := range questions {
		questions[i] = w.question(a.random)
	}
	a.now = w.instant(a.random)
	want, status, err := a.asService(ctx, questions)
	if err != nil {
		return err
	}
	if _, _, _, err := a.meter.Take(); err != nil {
		return err
	}
	decisions, errs, err := a.table.Checks(ctx, questions)
	if err != nil {
		return fmt.Errorf("the table was asked %+v: %w", questions, err)
	}
	calls, units, _, err := a.meter.Take()
	if err != nil {
		return err
	}
	a.report.Questions, a.report.Requests, a.report.Units = a.report.Questions+n, a.report.Requests+calls, a.report.Units+units
	if most := 1 + addressesOf(questions); calls > most {
		a.violation(questions, "the table was asked %d times, want %d at most", calls, most)
	}
	if n == 1 && status != http.StatusOK {
		if p := (*client.Problem)(nil); !errors.As(errs[0], &p) || p.Status != status {
			a.violation(questions, "the service answers %d, and the table %+v, %v", status, decisions[0], errs[0])
		}
	} else if got := a.written(decisions, errs); !bytes.Equal(got, want) {
		a.violation(questions, "the service answers\n%s\nand the table\n%s", want, got)
	}
	invoked, wrong, err := a.asInvoked(ctx, questions)
	if err != nil {
		return err
	}
	for i := range questions {
		if invoked[i] != decisions[i] || (wrong[i] == nil) != (errs[i] == nil) {
			a.violation(questions[i:i+1], "the function answers %+v, %v, and the table %+v, %v", invoked[i], wrong[i], decisions[i], errs[i])
		}
		if p := (*client.Problem)(nil); errors.As(errs[i], &p) {
			a.report.Reasons[fmt.Sprint(p.Status)]++
		} else {
			a.report.Reasons[decisions[i].Reason]++
		}
	}
	return nil
}

func (a *asked) violation(questions []client.Question, format string, args ...any) {
	if len(a.report.Violations) == most {
		return
	}
	a.report.Violations = append(a.report.Violations,
		fmt.Sprintf("%+v at %s: %s", questions, a.now.Format(time.RFC3339Nano), fmt.Sprintf(format, args...)))
}

func addressesOf(questions []client.Question) int {
	all := map[string]bool{}
	for _, q := range questions {
		if strings.Contains(q.User, "@") {
			all[strings.ToLower(q.User)] = true
		}
	}
	return len(all)
}

// asService returns the body of the service's answer.
func (a *asked) asService(ctx context.Context, questions []client.Question) ([]byte, int, error) {
	type object map[string]any
	evaluation := func(q client.Question) object {
		return object{
			"subject": object{"type": "user", "id": q.User}, "action": object{"name": q.Action},
			"resource": object{"type": "customer", "id": q.Customer},
		}
	}
	route, question := "POST /access/v1/evaluation", evaluation(questions[0])
	if len(questions) > 1 {
		var all []object
		for _, q := range questions {
			all = append(all, evaluation(q))
		}
		route, question = "POST /access/v1/evaluations", object{"evaluations": all}
	}
	body, err := json.Marshal(question)
	if err != nil {
		return nil, 0, err
	}
	payload, err := json.Marshal(object{
		"version": "2.0", "routeKey": route, "headers": object{"content-type": "application/json"}, "body": string(body),
		"requestContext": object{
			"requestId": "alike", "http": object{"method": "POST"},
			"authorizer": object{"jwt": object{"claims": object{"scope": httpapi.ScopeCheck}}},
		},
	})
	if err != nil {
		return nil, 0, err
	}
	out, err := a.service.Invoke(ctx, payload)
	if err != nil {
		return nil, 0, err
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	err = json.Unmarshal(out, &answer)
	return []byte(answer.Body), answer.StatusCode, err
}

// asInvoked asks by Lambda's Invoke.
func (a *asked) asInvoked(ctx context.Context, questions []client.Question) ([]client.Decision, []error, error) {
	if len(questions) > 1 {
		return a.invoked.Checks(ctx, questions)
	}
	d, err := a.invoked.Check(ctx, questions[0])
	return []client.Decision{d}, []error{err}, nil
}

// written are the decisions of the table as the service writes its own.
func (a *asked) written(decisions []client.Decision, errs []error) []byte {
	one := func(b []byte, i int, at time.Time) []byte {
		if p := (*client.Problem)(nil); errors.As(errs[i], &p) {
			pointer := fmt.Sprintf("/evaluations/%d/action/name", i)
			return authzen.AppendFailure(b, authzen.Invalid(pointer, "This is empty: name an action."), p.Status)
		}
		d := decisions[i]
		level, _ := access.ParseLevel(d.Level)
		return authzen.AppendDecision(b, &access.Decision{
			Allow: d.Allowed, Reason: access.DecisionReason(d.Reason), Grant: d.Grant, Level: level, Until: d.ValidUntil,
		}, at, nil)
	}
	var escaped []byte
	if len(decisions) == 1 {
		escaped = one(nil, 0, decisions[0].EvaluatedAt)
	} else {
		escaped = authzen.AppendBatch(nil, len(decisions), func(b []byte, i int) []byte { return one(b, i, time.Time{}) })
	}
	var text string
	if err := json.Unmarshal([]byte(`"`+string(escaped)+`"`), &text); err != nil {
		return []byte(err.Error())
	}
	return []byte(text)
}
