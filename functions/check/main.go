// Command check is the Lambda function that answers whether a partner's user may do something in a customer's tenant.
package main

import (
	"os"

	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.Check)) }
