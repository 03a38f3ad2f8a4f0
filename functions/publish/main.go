// Command publish is the Lambda function that keeps the versions of records, for questions about the past, and
// publishes events.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/publishing"
)

func main() { os.Exit(setup.Start(publishing.Publish())) }
