// Command expire is the Lambda function that does the work that is due.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
)

func main() { os.Exit(setup.Start(identity.Expire(nil))) }
