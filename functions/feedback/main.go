// Command feedback is the Lambda function that notes what became of the mails.
//
// Settings: TABLE_NAME, STAGE (which deployment the figures are of), and what dynamo.NewClient reads.
package main

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/dynamo"
	"partneraccess/shared/metrics"
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
	store := dynamo.New(client, table).Measured(metrics.New(os.Stdout, getenv("STAGE"), time.Now))
	return ses.FeedbackHandler(store, log), nil
}
