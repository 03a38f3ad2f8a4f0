// Command mail is the Lambda function that lists the mails and their delivery, sends one again, and unblocks addresses.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mails"
)

func main() { os.Exit(setup.Start(mails.Mail(nil))) }
