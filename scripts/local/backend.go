package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/deployed"
	"partneraccess/scripts/local/stack"
)

// backend is where the functions run, when that is not this process.
type backend struct {
	*deployed.Backend        // nil: they are none of ours
	where             string // for people; empty: in this process
}

// Close ends the functions.
func (b backend) Close() error {
	if b.Backend == nil {
		return nil
	}
	return b.Backend.Close()
}

// backendOf changes what is to be started as BACKEND says, and starts what the functions run on.
func backendOf(ctx context.Context, env func(string) string, c *stack.Config, out io.Writer) (backend, error) {
	switch kind := env("BACKEND"); kind {
	case "", "handlers":
		return backend{}, nil
	case "lambda":
	default:
		return backend{}, fmt.Errorf("BACKEND=%s is not understood: set it to lambda, or leave it out", kind)
	}
	c.RealClock = true
	if url := env("AWS_ENDPOINT_URL_LAMBDA"); url != "" {
		return external(env, url, c)
	}
	settings := map[string]string{}
	if c.Port != 0 { // as the stack's own handlers have it
		settings["invitationUrl"] = fmt.Sprintf("http://127.0.0.1:%d/v1/invitations/{token}", c.Port)
	}
	if _, err := fmt.Fprintln(out, "building the functions and the template"); err != nil {
		return backend{}, err
	}
	b, err := deployed.Start(ctx, deployed.Options{Target: deployed.AWS, Accounts: c.Accounts, Settings: settings, Output: out, Log: c.Log})
	if err != nil {
		return backend{}, err
	}
	c.Handlers = b.Handlers
	return backend{b, "programs of their own, with the environment of the CDK's template"}, nil
}

// external leaves the functions, the table, and all that starts functions but for requests, to a Lambda that is already there. The names of
// the functions and of the table are those that the CDK app gives them.
func external(env func(string) string, url string, c *stack.Config) (backend, error) {
	if env("AWS_ENDPOINT_URL_DYNAMODB") == "" {
		return backend{}, errors.New("AWS_ENDPOINT_URL_LAMBDA is set, and AWS_ENDPOINT_URL_DYNAMODB is not: say where the functions' table is")
	}
	if c.Accounts && env("IDENTITY") != "" {
		return backend{}, errors.New("IDENTITY=cognito is not for functions that are already there: they do not know the local accounts")
	}
	stage := env("STAGE")
	if stage == "" {
		stage = "dev"
	}
	prefix := "partner-access-" + stage + "-"
	c.Accounts, c.Stream, c.Schedule = false, false, false
	c.Table = prefix + "table"
	c.CreateTable = func(context.Context, *dynamodb.Client, string, bool) error {
		return fmt.Errorf("it is not there: deploy the stage %s first (make localstack-deploy)", stage)
	}
	c.Handlers = func(stack.Deps) (map[string]lambda.Handler, error) {
		return stack.Invoked(deployed.Client(url), prefix), nil
	}
	return backend{nil, "those of the stage " + stage + " at " + url}, nil
}
