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
)

// Run starts a function for people and for the provider's systems. It returns only when the environment is wrong, with the exit code of the
// process. The environment: TABLE_NAME (needed); REQUIRE_SSO, "true" when new grants require single sign-on unless they say
// otherwise; SIGN_IN_URL, where a partner's user enters a tenant, with {customer} and {domain} to be filled in; and what
// dynamo.NewClient reads.
func Run(handler func(httpapi.Config) lambda.Handler) int {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	cfg, err := config(os.Getenv, time.Now, log)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		return 1
	}
	lambda.Start(handler(cfg))
	return 0
}

func config(getenv func(string) string, now func() time.Time, log *slog.Logger) (httpapi.Config, error) {
	cfg := httpapi.Config{Now: now, NewID: IDs(now), SignInURL: getenv("SIGN_IN_URL"), Log: log}
	table := getenv("TABLE_NAME")
	if table == "" {
		return cfg, errors.New("TABLE_NAME is not set: name the table")
	}
	if s := getenv("REQUIRE_SSO"); s != "" {
		var err error
		if cfg.RequireSSO, err = strconv.ParseBool(s); err != nil {
			return cfg, fmt.Errorf("REQUIRE_SSO is %q: set it to true or false", s)
		}
	}
	db, err := dynamo.NewClient(getenv)
	if err != nil {
		return cfg, err
	}
	cfg.Store = dynamo.New(db, table)
	return cfg, nil
}

// IDs makes new ULIDs by that clock. Those of one process sort in the order in which they were made, also within a millisecond.
func IDs(now func() time.Time) func() string {
	entropy := &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}
	return func() string { return ulid.MustNew(ulid.Timestamp(now()), entropy).String() }
}
