// Command expire is the Lambda function that does what is due: expiries, reminders, and work on many grants.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
)

func main() { os.Exit(setup.Start(identity.Expire(nil))) }
