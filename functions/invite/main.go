// Command invite is the Lambda function that invites people who have no account, and grants them access when they accept.
package main

import (
	"os"

	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.Invite)) }
