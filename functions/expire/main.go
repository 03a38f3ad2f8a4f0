// Command expire is the Lambda function that does what the clock has brought.
package main

import (
	"os"

	"partneraccess/shared/dynamo"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
	"partneraccess/shared/sweep"
)

func main() { os.Exit(setup.Expire(accounts)) }

func accounts(getenv func(string) string, store *dynamo.Store, s *sweep.Sweep) error {
	keeper, err := identity.Accounts(getenv, store)
	if keeper != nil {
		s.Accounts = keeper
	}
	return err
}
