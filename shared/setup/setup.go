// Package setup turns the environment of a function into what its handler is made of.
package setup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/oklog/ulid/v2"

	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/metrics"
	"partneraccess/shared/sweep"
)

// Run starts a function for people and for the provider's systems. It returns only when the environment is wrong, with the exit code of the
// process. The environment: TABLE_NAME (needed); REQUIRE_SSO, "true" when new grants require single sign-on unless they say
// otherwise; SIGN_IN_URL, where a partner's user enters a tenant, with {customer} and {domain} to be filled in; and what
// dynamo.NewClient and Metrics read. More completes what the handler is made of, with what not every function needs.
func Run(handler func(httpapi.Config) lambda.Handler, more ...func(getenv func(string) string, store *dynamo.Store, cfg *httpapi.Config) error) int {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	cfg, store, err := config(os.Getenv, time.Now, log)
	for _, complete := range more {
		if err == nil {
			err = complete(os.Getenv, store, &cfg)
		}
	}
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		return 1
	}
	lambda.Start(handler(cfg))
	return 0
}

func config(getenv func(string) string, now func() time.Time, log *slog.Logger) (httpapi.Config, *dynamo.Store, error) {
	cfg := httpapi.Config{Now: now, NewID: IDs(now), SignInURL: getenv("SIGN_IN_URL"), Log: log}
	if s := getenv("REQUIRE_SSO"); s != "" {
		var err error
		if cfg.RequireSSO, err = strconv.ParseBool(s); err != nil {
			return cfg, nil, fmt.Errorf("REQUIRE_SSO is %q: set it to true or false", s)
		}
	}
	store, err := Table(getenv)
	cfg.Store = store
	return cfg, store, err
}

// People is what the functions for people are made of, from the environment that Run reads.
func People(getenv func(string) string, now func() time.Time, log *slog.Logger) (httpapi.Config, error) {
	cfg, _, err := config(getenv, now, log)
	return cfg, err
}

// IDs makes new ULIDs by that clock. Those of one process sort in the order in which they were made, also within a millisecond.
func IDs(now func() time.Time) func() string {
	entropy := &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}
	return func() string { return ulid.MustNew(ulid.Timestamp(now()), entropy).String() }
}

// Metrics writes the figures of a function to its standard output, among its logs. STAGE names the deployment.
func Metrics(getenv func(string) string) *metrics.Recorder {
	return metrics.New(os.Stdout, getenv("STAGE"), time.Now)
}

// Expire starts the scheduled function. The environment: TABLE_NAME, and what dynamo.NewClient, Metrics and more read.
func Expire(more func(getenv func(string) string, store *dynamo.Store, s *sweep.Sweep) error) int {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	s := sweep.Sweep{Now: time.Now, NewID: IDs(time.Now), Log: log, Metrics: Metrics(os.Getenv)}
	store, err := Table(os.Getenv)
	if err == nil {
		s.Store = store
		err = more(os.Getenv, store, &s)
	}
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		return 1
	}
	lambda.Start(s.Handler())
	return 0
}

// Table is the table that TABLE_NAME names, with what dynamo.NewClient and Metrics read.
func Table(getenv func(string) string) (*dynamo.Store, error) {
	name := getenv("TABLE_NAME")
	if name == "" {
		return nil, errors.New("TABLE_NAME is not set: name the table")
	}
	db, err := dynamo.NewClient(getenv)
	if err != nil {
		return nil, err
	}
	return dynamo.New(db, name).Measured(Metrics(getenv)), nil
}
