// Package jobs wires the functions that take bulk jobs and do them. It is apart from setup so that the other functions do not carry the
// client of Lambda.
package jobs

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/shared/access"
	"partneraccess/shared/awslambda"
	"partneraccess/shared/bulk"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

// Bulk builds the function that takes jobs. It reads what Config of the environment does; WORK_FUNCTION, the name of the function that does
// them; and what awslambda.Starter reads. Change adapts the client of Lambda.
func Bulk(change ...func(*lambdaservice.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		cfg, _, err := e.Config()
		if err != nil {
			return nil, err
		}
		function := e.Getenv("WORK_FUNCTION")
		if function == "" {
			return nil, errors.New("WORK_FUNCTION is not set: name the function that does bulk jobs")
		}
		start, err := awslambda.Starter(e.Getenv, function, change...)
		if err != nil {
			return nil, err
		}
		cfg.StartJobs = func(ctx context.Context) error { return start(ctx, "{}") }
		return httpapi.NewBulk(cfg), nil
	}
}

// Work builds the function that does jobs. It reads what Config of the environment does.
func Work(e *setup.Environment) (lambda.Handler, error) {
	cfg, store, err := e.Config()
	if err != nil {
		return nil, err
	}
	rows := httpapi.NewJobRows(cfg)
	w := &bulk.Worker{
		Store: store, Rows: func(j *access.Job) bulk.Rows { return rows(j) }, Now: e.Now, NewID: e.NewID, Log: e.Log,
		Metrics: e.MetricsRecorder(),
	}
	return w.Handler(), nil
}
