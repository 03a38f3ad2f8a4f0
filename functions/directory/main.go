// Command directory is the Lambda function that keeps the partners, their users, the customers and their members.
package main

import (
	"os"

	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
)

func main() { os.Exit(setup.Run(httpapi.NewDirectory, accounts)) }

func accounts(getenv func(string) string, store *dynamo.Store, cfg *httpapi.Config) error {
	keeper, err := identity.Accounts(getenv, store)
	if keeper != nil {
		cfg.Accounts = keeper
	}
	return err
}
