// Command work is the Lambda function that does the rows of bulk jobs.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/jobs"
)

func main() { os.Exit(setup.Start(jobs.Work)) }
