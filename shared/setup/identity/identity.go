// Package identity wires the identity provider, for the functions that keep accounts. The others are spared its client: it would double them.
package identity

import (
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/cognito"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// Keep makes what keeps the accounts of a table's employees, where the environment does not say: the local stack has a Cognito of its own.
type Keep func(cognito.Store) *cognito.Keeper

// Accounts are those that keep makes, or, when it is nil, that the environment names (see Accounts).
func (keep Keep) Accounts(e *setup.Environment, s cognito.Store) (*cognito.Keeper, error) {
	if keep != nil {
		return keep(s), nil
	}
	return Accounts(e.Getenv, s)
}

// Directory builds the function that keeps partners, customers and their people.
func Directory(keep Keep) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		cfg, store, err := e.Config()
		if err != nil {
			return nil, err
		}
		keeper, err := keep.Accounts(e, store)
		if err != nil {
			return nil, err
		}
		if keeper != nil {
			cfg.Accounts = keeper
		}
		return httpapi.NewDirectory(cfg), nil
	}
}

// Expire builds the scheduled function.
func Expire(keep Keep) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		store, err := e.Store()
		if err != nil {
			return nil, err
		}
		keeper, err := keep.Accounts(e, store)
		if err != nil {
			return nil, err
		}
		s := sweep.Sweep{Store: store, Now: e.Now, NewID: e.NewID, Log: e.Log, Metrics: e.Figures()}
		if keeper != nil {
			s.Accounts = keeper
		}
		return s.Handler(), nil
	}
}

// Accounts are the employees' accounts, as the environment says: IDENTITY is cognito or none (the default: the provider brings an identity
// provider of its own, and nobody has to hear of changes). With cognito, USER_POOL_ID and USER_POOL_CLIENT_ID name the pool and the client
// that passwords are checked with; besides, what cognito.NewClient reads. Nil: no accounts are kept.
func Accounts(getenv func(string) string, s cognito.Store) (*cognito.Keeper, error) {
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
	return cognito.Keep(cognito.New(client, getenv("USER_POOL_ID"), getenv("USER_POOL_CLIENT_ID")), s), nil
}
