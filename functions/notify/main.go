// Command notify is the Lambda function that tells people by e-mail what has happened. Its settings are those of mailing.FromEnvironment.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/setup/mailing"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, err := mailing.FromEnvironment(os.Getenv, log)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h)
}
