// Command feedback is the Lambda function that records what became of the mails.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mails"
)

func main() { os.Exit(setup.Start(mails.Feedback)) }
