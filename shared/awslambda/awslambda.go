// Package awslambda has another function of the deployment started. No other package of a function imports Lambda's client.
package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"partneraccess/shared/awsenv"
)

// patience is how long Lambda may take to accept an event, which is sent once. Who asks waits for it, and the schedule stands behind.
const patience = 2 * time.Second

// Starter returns what has a function begin, without waiting for what it does, from the environment that Lambda gives the caller: see
// awsenv.Read. The payload says what to do, in JSON. The error is a sentence for the operator.
func Starter(
	getenv func(string) string, function string, change ...func(*lambda.Options),
) (func(ctx context.Context, payload string) error, error) {
	env, err := awsenv.Read(getenv, "LAMBDA", "functions")
	if err != nil {
		return nil, err
	}
	o := lambda.Options{Region: env.Region, Credentials: env.Credentials, BaseEndpoint: env.Endpoint, RetryMaxAttempts: 1}
	o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = env.FIPS, env.DualStack
	client := lambda.New(o, change...)
	return func(ctx context.Context, payload string) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		_, err := client.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: &function, InvocationType: types.InvocationTypeEvent, Payload: []byte(payload),
		})
		if err != nil {
			return fmt.Errorf("start the function %s: %w", function, err)
		}
		return nil
	}, nil
}

// DeliveryStarter returns what has the deliveries to a webhook begin, from DELIVER_FUNCTION, the name of the function that sends, and what
// Starter reads.
func DeliveryStarter(
	getenv func(string) string, change ...func(*lambda.Options),
) (func(ctx context.Context, webhook string) error, error) {
	function := getenv("DELIVER_FUNCTION")
	if function == "" {
		return nil, errors.New("DELIVER_FUNCTION is not set: name the function that sends to webhooks")
	}
	start, err := Starter(getenv, function, change...)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, webhook string) error {
		payload, err := json.Marshal(map[string]string{"webhook": webhook})
		if err != nil {
			return err
		}
		return start(ctx, string(payload))
	}, nil
}
