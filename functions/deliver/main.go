// Command deliver is the Lambda function that sends events to webhooks.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/hooks"
)

func main() { os.Exit(setup.Start(hooks.Deliver())) }
