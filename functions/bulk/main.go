// Command bulk is the Lambda function that takes jobs of many changes, and tells what became of them.
package main

import (
	"os"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/jobs"
)

func main() { os.Exit(setup.Start(jobs.Bulk())) }
