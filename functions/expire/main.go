// Command expire is the Lambda function that does what the clock has brought.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
)

func main() { os.Exit(setup.Start(identity.Expire(nil))) }
