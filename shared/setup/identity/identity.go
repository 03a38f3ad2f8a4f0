// Package identity wires the identity provider, for the functions that keep accounts. The others are spared its client: it would double them.
package identity

import (
	"fmt"

	"partneraccess/shared/cognito"
)

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
