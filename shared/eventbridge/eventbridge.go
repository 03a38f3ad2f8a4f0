// Package eventbridge puts events on a bus of Amazon EventBridge. No other package of a function imports its client.
package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"partneraccess/shared/awsenv"
	"partneraccess/shared/cloudevents"
)

// Source is the source of the service's events on the bus, which rules match; that of the CloudEvent is the service's address.
const Source = "partner-access"

// Bus is a bus.
type Bus struct {
	client *eventbridge.Client
	name   string
}

// New returns the bus of that name, from the environment that Lambda gives a function: see awsenv.Read. The error is a sentence for the
// operator. The client makes one attempt: what the bus does not take waits in the table.
func New(getenv func(string) string, name string, change ...func(*eventbridge.Options)) (*Bus, error) {
	env, err := awsenv.Read(getenv, "EVENTBRIDGE", "bus")
	if err != nil {
		return nil, err
	}
	o := eventbridge.Options{Region: env.Region, Credentials: env.Credentials, BaseEndpoint: env.Endpoint, RetryMaxAttempts: 1}
	o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = env.FIPS, env.DualStack
	return &Bus{eventbridge.New(o, change...), name}, nil
}

// Put puts events on the bus, ten at most, and returns for each why the bus did not take it; nil when it did. The detail is the CloudEvent,
// its type the detail's type.
func (b *Bus) Put(ctx context.Context, all []cloudevents.Event) []error {
	refused := make([]error, len(all))
	in := &eventbridge.PutEventsInput{}
	for _, e := range all {
		detail, err := json.Marshal(e)
		if err != nil {
			return fill(refused, fmt.Errorf("encode an event: %w", err))
		}
		in.Entries = append(in.Entries, types.PutEventsRequestEntry{
			EventBusName: &b.name, Source: aws.String(Source), DetailType: &e.Type, Detail: aws.String(string(detail)), Time: &e.Time,
		})
	}
	out, err := b.client.PutEvents(ctx, in)
	switch {
	case err != nil:
		return fill(refused, fmt.Errorf("put events: %w", err))
	case len(out.Entries) != len(all):
		return fill(refused, errors.New("the bus did not answer for each event"))
	}
	for i, e := range out.Entries {
		if e.ErrorCode != nil {
			refused[i] = fmt.Errorf("%s: %s", *e.ErrorCode, aws.ToString(e.ErrorMessage))
		}
	}
	return refused
}

func fill(all []error, with error) []error {
	for i := range all {
		all[i] = with
	}
	return all
}
