// Package publishing wires the function publish. It is apart from setup so that the other functions do not carry EventBridge's client.
package publishing

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
	awseventbridge "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/shared/awslambda"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/eventbridge"
	"partneraccess/shared/publish"
	"partneraccess/shared/setup"
	"partneraccess/shared/stream"
)

// Publish builds the function that keeps the versions of records and publishes events. It reads what Store of the environment does;
// BASE_URL, the service's address, which is the events' source; what awslambda.DeliveryStarter reads; CUSTOMER_WEBHOOKS, with true
// customers' webhooks get their events; and BUS_NAME, the bus that gets them: without it none does, and they can be read from their feeds
// alone. The functions adapt the clients of EventBridge and of Lambda.
func Publish(events func(*awseventbridge.Options), functions func(*lambdaservice.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		store, err := e.Store()
		if err != nil {
			return nil, err
		}
		source, err := e.BaseURL()
		if err != nil {
			return nil, err
		}
		p := &publish.Publisher{Table: store, Now: e.Now, Log: e.Log}
		if p.CustomerWebhooks, err = e.Switch("CUSTOMER_WEBHOOKS"); err != nil {
			return nil, err
		}
		if p.StartDeliveries, err = awslambda.DeliveryStarter(e.Getenv, functions); err != nil {
			return nil, err
		}
		if name := e.Getenv("BUS_NAME"); name != "" {
			bus, err := eventbridge.New(e.Getenv, name, events)
			if err != nil {
				return nil, err
			}
			p.Bus = bus
		}
		versions := func(ctx context.Context, c stream.Change) error { return store.RecordVersion(ctx, c.Old, c.New) }
		return p.Handler(stream.RecordHandler(e.Log, versions, publisher{p, source}.change)), nil
	}
}

type publisher struct {
	*publish.Publisher
	source string
}

// change publishes what the change of an item means for others. One event that fails does not keep back the others.
func (p publisher) change(ctx context.Context, c stream.Change) error {
	n, err := dynamo.NewsOf(c.Old, c.New)
	if err != nil {
		return err
	}
	var errs []error
	if n.Event != nil {
		errs = append(errs, p.Publish(ctx, cloudevents.FromEvent(p.source, *n.Event)))
	}
	for i, s := range n.Shifts {
		errs = append(errs, p.Publish(ctx, cloudevents.FromShift(p.source, n.IDs[i], n.At, s)))
	}
	return errors.Join(errs...)
}
