// Package awslambda has another function of the deployment started. No other package of a function imports Lambda's client.
package awslambda

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"partneraccess/shared/awsenv"
)

// patience is how long Lambda may take to accept an event, which is sent once. Who asks waits for it, and the schedule stands behind.
const patience = 2 * time.Second

// Starter returns what has a function begin, without waiting for what it does, from the environment that Lambda gives the caller: see
// awsenv.Read. The error is a sentence for the operator.
func Starter(getenv func(string) string, function string, change ...func(*lambda.Options)) (func(context.Context) error, error) {
	env, err := awsenv.Read(getenv, "LAMBDA", "functions")
	if err != nil {
		return nil, err
	}
	o := lambda.Options{Region: env.Region, Credentials: env.Credentials, BaseEndpoint: env.Endpoint, RetryMaxAttempts: 1}
	o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = env.FIPS, env.DualStack
	client := lambda.New(o, change...)
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		_, err := client.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: &function, InvocationType: types.InvocationTypeEvent, Payload: []byte("{}"),
		})
		if err != nil {
			return fmt.Errorf("start the function %s: %w", function, err)
		}
		return nil
	}, nil
}
