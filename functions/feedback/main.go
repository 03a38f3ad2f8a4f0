// Command feedback is the Lambda function that records which mails were delivered, bounced or were marked as spam.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mails"
)

func main() { os.Exit(setup.Start(mails.Feedback)) }
