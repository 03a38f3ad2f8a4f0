// Command grant is the Lambda function that lets a partner into a customer's tenant.
package main

import (
	"os"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.People(httpapi.NewGrant))) }
