// Command grant is the Lambda function that grants a partner access to a customer's tenant.
package main

import (
	"os"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.People(httpapi.NewGrant))) }
