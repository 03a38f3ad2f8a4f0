// Command mail is the Lambda function that shows what became of the mails, sends one again, and lets a blocked address get mails again.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mailing"
)

func main() { os.Exit(setup.Start(mailing.Mail(nil))) }
