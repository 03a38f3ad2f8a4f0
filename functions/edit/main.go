// Command edit is the Lambda function that changes who is in, how much, and for how long.
package main

import (
	"os"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.People(httpapi.NewEdit))) }
