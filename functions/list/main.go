// Command list is the Lambda function that answers every question about what is there.
package main

import (
	"os"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.People(httpapi.NewList))) }
