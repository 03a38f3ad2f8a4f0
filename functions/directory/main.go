// Command directory is the Lambda function that manages the partners, their users, the customers and their members.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
)

func main() { os.Exit(setup.Start(identity.Directory(nil))) }
