// Command publish is the Lambda function that keeps the versions of records, for questions about the past.
package main

import (
	"os"

	"partneraccess/shared/setup"
)

func main() { os.Exit(setup.Start(setup.Publish)) }
