// Command directory is the Lambda function that keeps the partners, their users, the customers and their members.
package main

import (
	"os"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Run(httpapi.NewDirectory)) }
