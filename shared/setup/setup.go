// Package setup builds the functions' handlers from an environment, once: each function does so in Lambda, and the local stack for all of
// them.
//
// What needs the client of one more AWS service stands in a package of its own, so that other functions' binaries do not carry it: identity
// (Cognito) and mails (SES).
package setup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/mail"
	"partneraccess/shared/metrics"
	"partneraccess/shared/service"
)

// Environment is what a handler is built from.
type Environment struct {
	Getenv  func(string) string // the settings that the manifest names for the function
	Now     func() time.Time
	NewID   func() string // a new ULID at each call
	Log     *slog.Logger
	Metrics *metrics.Recorder // nil: to the standard output, among the logs, for the deployment that STAGE names
	Client  *dynamodb.Client  // nil: dynamo.NewClient makes one from the settings

	// AtEnd has a function called when Lambda ends the process, so that allowed checks can be added up until then; nil: nobody says when
	// that is, and each is counted at once.
	AtEnd func(do func())
}

// Build makes a handler. The error is a sentence for the operator.
type Build func(*Environment) (lambda.Handler, error)

// Start runs a function in Lambda, with the environment of the process. It returns only when the handler cannot be built, with the exit
// code of the process.
func Start(build Build) int {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	var registered chan error
	e := &Environment{Getenv: os.Getenv, Now: time.Now, NewID: IDs(time.Now), Log: log, AtEnd: func(do func()) {
		registered = make(chan error, 1)
		go func() { // while the handler is built
			registered <- onShutdown(os.Getenv("AWS_LAMBDA_RUNTIME_API"), func() {
				do()
				os.Exit(0) // Lambda waits for half a second otherwise
			})
		}()
	}}
	h, err := build(e)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		return 1
	}
	if registered != nil {
		if err := <-registered; err != nil {
			log.Warn("the last figures will be lost", "error", err.Error())
		}
	}
	lambda.Start(h)
	return 0
}

// IDs makes new ULIDs by that clock. Those of one process sort in the order in which they were made, also within a millisecond.
func IDs(now func() time.Time) func() string {
	entropy := &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}
	return func() string { return ulid.MustNew(ulid.Timestamp(now()), entropy).String() }
}

// MetricsRecorder records the function's metrics.
func (e *Environment) MetricsRecorder() *metrics.Recorder {
	if e.Metrics == nil {
		e.Metrics = metrics.New(os.Stdout, e.Getenv("STAGE"), e.Now)
	}
	return e.Metrics
}

// table is the client and the name of the table that TABLE_NAME names.
func (e *Environment) table() (*dynamodb.Client, string, error) {
	name := e.Getenv("TABLE_NAME")
	if name == "" {
		return nil, "", errors.New("TABLE_NAME is not set: name the table")
	}
	if e.Client != nil {
		return e.Client, name, nil
	}
	db, err := dynamo.NewClient(e.Getenv)
	return db, name, err
}

// Store is the table. It reads TABLE_NAME, and what dynamo.NewClient does.
func (e *Environment) Store() (*dynamo.Store, error) {
	db, name, err := e.table()
	if err != nil {
		return nil, err
	}
	return dynamo.New(db, name, dynamo.WithMetrics(e.MetricsRecorder())), nil
}

// Config is what the functions for people are made of. Beside what Store reads: REQUIRE_SSO, "true" when new grants require single sign-on
// unless they say otherwise; SIGN_IN_URL, where a partner's user enters a tenant, with {customer} and {domain} to be filled in;
// FEDERATION, the identity providers of others (see access.ParseFederation).
func (e *Environment) Config() (httpapi.Config, *dynamo.Store, error) {
	cfg := httpapi.Config{Service: service.Service{Now: e.Now, NewID: e.NewID, Log: e.Log}, SignInURL: e.Getenv("SIGN_IN_URL")}
	var err error
	if cfg.RequireSSO, err = e.Switch("REQUIRE_SSO"); err != nil {
		return cfg, nil, err
	}
	cfg.Notices = e.notices
	federation, err := access.ParseFederation(e.Getenv("FEDERATION"))
	if err != nil {
		return cfg, nil, fmt.Errorf("FEDERATION: %w", err)
	}
	cfg.Federation = federation
	store, err := e.Store()
	cfg.Store = store
	return cfg, store, err
}

// Switch reads a variable of the environment that is true or false; without it it is false.
func (e *Environment) Switch(name string) (bool, error) {
	s := e.Getenv(name)
	if s == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(s)
	if err != nil {
		return false, fmt.Errorf("%s is %q: set it to true or false", name, s)
	}
	return on, nil
}

// notices implements service.Notices, by what the function that sends the mails goes by, too.
func (e *Environment) notices(ctx context.Context, table service.Store, about events.Event) ([]service.Notice, error) {
	situation, err := mail.ReadSituation(ctx, table, about, e.Now())
	if err != nil {
		return nil, err
	}
	var out []service.Notice
	for _, l := range situation.Letters(about) {
		if l.Outdated == "" || l.Urgent() {
			out = append(out, service.Notice{To: l.To, Template: l.Template, Side: service.NoticeSide(l.Side)})
		}
	}
	return out, nil
}

// People builds a function for people that needs the table alone.
func People(handler func(httpapi.Config) lambda.Handler) Build {
	return func(e *Environment) (lambda.Handler, error) {
		cfg, _, err := e.Config()
		if err != nil {
			return nil, err
		}
		return handler(cfg), nil
	}
}

// Invite builds the function that invites. It reads IDENTITY, too: cognito when other functions keep accounts.
func Invite(e *Environment) (lambda.Handler, error) {
	cfg, _, err := e.Config()
	if err != nil {
		return nil, err
	}
	cfg.AccountsElsewhere = e.Getenv("IDENTITY") == "cognito"
	return httpapi.NewInvite(cfg), nil
}

// BaseURL reads BASE_URL, the service's public address, without a slash at the end. The error is a sentence for the operator.
func (e *Environment) BaseURL() (string, error) {
	base := strings.TrimSuffix(e.Getenv("BASE_URL"), "/")
	if base == "" {
		return "", errors.New("BASE_URL is not set: give the service's public address, such as https://access.example.com")
	}
	return base, nil
}

// heldAllowed is how long allowed checks are added up.
const heldAllowed = time.Minute

// Check builds the function that decides. It reads TABLE_NAME, BASE_URL (the service's public address), CATALOGUE_FILE (a JSON file of
// actions and levels; the default catalogue without it), LOG_ALLOWS (how many percent of the answers that allow are logged; all without
// it), PARTNER_URL (the partner's portal, where a denied person can ask), and what dynamo.NewClient does.
func Check(e *Environment) (lambda.Handler, error) {
	if e.AtEnd != nil {
		figures := e.MetricsRecorder()
		figures.HoldAllowed(heldAllowed)
		e.AtEnd(figures.Flush)
	}
	base, err := e.BaseURL()
	if err != nil {
		return nil, err
	}
	catalogue := access.DefaultCatalogue()
	if file := e.Getenv("CATALOGUE_FILE"); file != "" {
		text, err := os.ReadFile(file) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("CATALOGUE_FILE cannot be read: %w", err)
		}
		if catalogue, err = access.ParseCatalogue(text); err != nil {
			return nil, fmt.Errorf("CATALOGUE_FILE %s: %w", file, err)
		}
	}
	logged := 100
	if s := e.Getenv("LOG_ALLOWS"); s != "" {
		var err error
		if logged, err = strconv.Atoi(s); err != nil || logged < 0 || logged > 100 {
			return nil, fmt.Errorf("LOG_ALLOWS is %q: give a percentage from 0 to 100", s)
		}
	}
	db, name, err := e.table()
	if err != nil {
		return nil, err
	}
	figures := dynamo.WithMetrics(e.MetricsRecorder())
	reader := dynamo.NewReader(db, name, figures)
	return httpapi.NewCheck(httpapi.CheckConfig{
		Facts: reader, Uses: reader, Past: dynamo.New(db, name, figures), Catalogue: catalogue, Now: e.Now, BaseURL: base,
		Log: e.Log, Metrics: e.MetricsRecorder(), UnloggedAllows: 100 - logged, AskPage: e.Getenv("PARTNER_URL"),
	}), nil
}
