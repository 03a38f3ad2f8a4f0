// Command check is the Lambda function that answers whether a partner's user may do something in a customer's tenant.
//
// Settings: TABLE_NAME, BASE_URL (the service's public address), CATALOGUE_FILE (optional: a JSON file beside the binary), STAGE (which
// deployment the figures are of), and what dynamo.NewClient reads.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/metrics"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, err := handler(os.Getenv, log)
	if err != nil {
		log.Error("cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h)
}

func handler(getenv func(string) string, log *slog.Logger) (lambda.Handler, error) {
	table := getenv("TABLE_NAME")
	if table == "" {
		return nil, errors.New("TABLE_NAME is not set: name the service's table")
	}
	base := strings.TrimSuffix(getenv("BASE_URL"), "/")
	if base == "" {
		return nil, errors.New("BASE_URL is not set: give the service's public address, such as https://access.example.com")
	}
	catalogue := access.DefaultCatalogue()
	if file := getenv("CATALOGUE_FILE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("CATALOGUE_FILE cannot be read: %w", err)
		}
		if catalogue, err = access.ParseCatalogue(text); err != nil {
			return nil, fmt.Errorf("CATALOGUE_FILE %s: %w", file, err)
		}
	}
	client, err := dynamo.NewClient(getenv)
	if err != nil {
		return nil, err
	}
	figures := metrics.New(os.Stdout, getenv("STAGE"), time.Now)
	return httpapi.NewCheck(httpapi.CheckConfig{
		Facts: dynamo.NewReader(client, table).Measured(figures), Catalogue: catalogue, Now: time.Now, BaseURL: base, Log: log, Metrics: figures,
	}), nil
}
