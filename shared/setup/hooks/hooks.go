// Package hooks wires the functions that keep webhooks and send to them. It is apart from setup so that the other functions do not carry
// what they need.
package hooks

import (
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/shared/awslambda"
	"partneraccess/shared/deliver"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/service"
	"partneraccess/shared/setup"
	"partneraccess/shared/webhook"
)

// Webhook builds the function that keeps webhooks. It reads what Config of the environment does; BASE_URL, the service's address;
// CUSTOMER_WEBHOOKS, with true customers keep webhooks, too; what awslambda.DeliveryStarter reads; and WEBHOOKS_LOCAL.
func Webhook(change ...func(*lambdaservice.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		cfg, _, err := e.Config()
		if err != nil {
			return nil, err
		}
		if cfg.Source, err = e.BaseURL(); err != nil {
			return nil, err
		}
		if cfg.CustomerWebhooks, err = e.Switch("CUSTOMER_WEBHOOKS"); err != nil {
			return nil, err
		}
		client := &webhook.Client{}
		if client.Local, err = local(e); err != nil {
			return nil, err
		}
		cfg.CheckWebhook = client.Check
		if cfg.StartDeliveries, err = awslambda.DeliveryStarter(e.Getenv, change...); err != nil {
			return nil, err
		}
		return httpapi.NewWebhook(cfg), nil
	}
}

// Deliver builds the function that sends to webhooks. It reads what Store of the environment does; what awslambda.DeliveryStarter reads;
// and WEBHOOKS_LOCAL: with true loopback can be sent to, which is for a service on one's own machine.
func Deliver(change ...func(*lambdaservice.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		store, err := e.Store()
		if err != nil {
			return nil, err
		}
		start, err := awslambda.DeliveryStarter(e.Getenv, change...)
		if err != nil {
			return nil, err
		}
		client := &webhook.Client{}
		if client.Local, err = local(e); err != nil {
			return nil, err
		}
		w := &deliver.Worker{
			Store: store, Sender: client, Start: start, Now: e.Now, NewID: e.NewID, Log: e.Log,
			Service: &service.Service{Store: store, Now: e.Now, NewID: e.NewID, Log: e.Log},
		}
		return w.Handler(), nil
	}
}

// local reads WEBHOOKS_LOCAL. Lambda names its functions in their environment: there it is refused.
func local(e *setup.Environment) (bool, error) {
	switch v := e.Getenv("WEBHOOKS_LOCAL"); {
	case v == "" || v == "false":
		return false, nil
	case v != "true":
		return false, errors.New("WEBHOOKS_LOCAL is true or false")
	case e.Getenv("AWS_LAMBDA_FUNCTION_NAME") != "" && e.Getenv("AWS_ENDPOINT_URL_LAMBDA") == "":
		return false, errors.New("WEBHOOKS_LOCAL is for a service on one's own machine: in Lambda nothing is sent to loopback")
	}
	return true, nil
}
