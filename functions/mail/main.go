// Command mail is the Lambda function that lists the mails and their delivery, sends one again, and unblocks addresses.
package main

import (
	"os"
	_ "time/tzdata" // an export gives instants in the zone that it is asked for, and Lambda's images have no zones

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mails"
)

func main() { os.Exit(setup.Start(mails.Mail(nil))) }
