// Command mail is the Lambda function that shows what became of the mails, sends one again, and lets a blocked address get mails again. Its
// settings are those of mailing.MailFromEnvironment.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/setup/mailing"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, err := mailing.MailFromEnvironment(os.Getenv, log)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h)
}
