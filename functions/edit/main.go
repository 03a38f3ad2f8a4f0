// Command edit is the Lambda function that edits who has access, at which level, and for how long.
package main

import (
	"os"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.People(httpapi.NewEdit))) }
