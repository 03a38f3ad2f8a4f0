// Command feedback is the Lambda function that notes what became of the mails.
//
// Settings: TABLE_NAME, and what dynamo.NewClient reads.
package main

import (
	"errors"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/dynamo"
	"partneraccess/shared/ses"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, err := handler(os.Getenv, log)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h)
}

func handler(getenv func(string) string, log *slog.Logger) (lambda.Handler, error) {
	table := getenv("TABLE_NAME")
	if table == "" {
		return nil, errors.New("TABLE_NAME is not set: name the table")
	}
	client, err := dynamo.NewClient(getenv)
	if err != nil {
		return nil, err
	}
	return ses.FeedbackHandler(dynamo.New(client, table), log), nil
}
