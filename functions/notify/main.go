// Command notify is the Lambda function that notifies people by e-mail of what has happened.
package main

import (
	"os"
	_ "time/tzdata" // the time zones: Lambda's provided.al2023 has none

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mails"
)

func main() { os.Exit(setup.Start(mails.Notify(nil))) }
