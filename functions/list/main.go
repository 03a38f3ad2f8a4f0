// Command list is the Lambda function that lists and reads grants, partners, customers, their people and history.
package main

import (
	"os"
	_ "time/tzdata" // an export gives instants in the zone that it is asked for, and Lambda's images have no zones

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.People(httpapi.NewList))) }
