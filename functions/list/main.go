// Command list is the Lambda function that lists and reads grants, partners, customers, their people and history.
package main

import (
	"os"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.People(httpapi.NewList))) }
