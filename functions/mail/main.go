// Command mail is the Lambda function that shows what became of the mails, sends one again, and lets a blocked address get mails again.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mails"
)

func main() { os.Exit(setup.Start(mails.Mail(nil))) }
