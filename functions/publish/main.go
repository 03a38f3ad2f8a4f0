// Command publish is the Lambda function that keeps the versions of records, for questions about the past, and
// publishes events.
package main

import (
	"os"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/publishing"
)

func main() {
	os.Exit(setup.Start(publishing.Publish(func(*eventbridge.Options) {}, func(*lambda.Options) {})))
}
