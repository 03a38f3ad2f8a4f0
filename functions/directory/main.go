// Command directory is the Lambda function that manages the partners, their users, the customers and their members.
package main

import (
	"os"
	_ "time/tzdata" // the time zones: Lambda's provided.al2023 has none

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
)

func main() { os.Exit(setup.Start(identity.Directory(nil))) }
