package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/metrics"
)

// checkHandler is the check function as functions/check wires it, but for the storage and the clock, which stands still at the day of the
// items here.
func checkHandler(storage http.RoundTripper, table string) lambda.Handler {
	return checkHandlerAt(storage, table, func() time.Time { return time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC) })
}

func checkHandlerAt(storage http.RoundTripper, table string, now func() time.Time) lambda.Handler {
	settings := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
		"AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SESSION_TOKEN": sessionToken(),
	}
	client, err := dynamo.NewClient(func(name string) string { return settings[name] }, func(o *dynamodb.Options) {
		o.HTTPClient = dynamo.Direct{RoundTripper: storage}
	})
	if err != nil {
		panic(err)
	}
	// What is logged and counted is written as in Lambda: a system call for each line.
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	figures := metrics.New(out, "prod", time.Now)
	return httpapi.NewCheck(httpapi.CheckConfig{
		Facts: dynamo.NewReader(client, table, dynamo.WithMetrics(figures)), Catalogue: access.DefaultCatalogue(),
		BaseURL: "https://access.example.com", Now: now, Log: slog.New(slog.NewJSONHandler(out, nil)),
		Metrics: figures,
	})
}
