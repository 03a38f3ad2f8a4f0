// Command webhook is the Lambda function that keeps the webhooks to which events are sent.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/hooks"
)

func main() { os.Exit(setup.Start(hooks.Webhook())) }
