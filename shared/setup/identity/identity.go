// Package identity wires the identity provider, for the functions that keep accounts. It is apart from setup so that the other
// functions do not carry the client of Cognito, which would double them.
package identity

import (
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/cognito"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/messages"
	"partneraccess/shared/service"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// Accounts are people's accounts: own when it is given (the local stack has a Cognito of its own), else those of FromEnvironment.
func Accounts(e *setup.Environment, own *cognito.Provider) (service.Accounts, error) {
	accounts := own
	if own == nil {
		var err error
		if accounts, err = FromEnvironment(e.Getenv); accounts == nil {
			return nil, err
		}
	}
	return accounts, nil
}

// Directory builds the function that keeps partners, customers and their people; own is as in Accounts.
func Directory(own *cognito.Provider) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		cfg, _, err := e.Config()
		if err != nil {
			return nil, err
		}
		if cfg.Accounts, err = Accounts(e, own); err != nil {
			return nil, err
		}
		cfg.Languages = messages.Languages()
		return httpapi.NewDirectory(cfg), nil
	}
}

// Expire builds the scheduled function.
func Expire(own *cognito.Provider) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		store, err := e.Store()
		if err != nil {
			return nil, err
		}
		s := sweep.Sweep{Store: store, Now: e.Now, NewID: e.NewID, Log: e.Log, Metrics: e.MetricsRecorder()}
		if s.Accounts, err = Accounts(e, own); err != nil {
			return nil, err
		}
		return s.Handler(), nil
	}
}

// FromEnvironment are people's accounts, as the environment says: IDENTITY is cognito or none (the default: the provider has an
// identity provider of its own, which is told of no changes). With cognito, USER_POOL_ID and USER_POOL_CLIENT_ID name the pool and
// the client that passwords are checked with; besides, what cognito.NewClient reads. Nil: no accounts are kept.
func FromEnvironment(getenv func(string) string) (*cognito.Provider, error) {
	switch kind := getenv("IDENTITY"); kind {
	case "", "none":
		return nil, nil
	case "cognito":
	default:
		return nil, fmt.Errorf("IDENTITY is %q: set it to cognito or none", kind)
	}
	for _, name := range []string{"USER_POOL_ID", "USER_POOL_CLIENT_ID"} {
		if getenv(name) == "" {
			return nil, fmt.Errorf("%s is not set, and IDENTITY is cognito: name the user pool and its client, or set IDENTITY to none", name)
		}
	}
	client, err := cognito.NewClient(getenv)
	if err != nil {
		return nil, err
	}
	return cognito.New(client, getenv("USER_POOL_ID"), getenv("USER_POOL_CLIENT_ID")), nil
}
