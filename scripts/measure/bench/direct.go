package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/meter"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/client"
	"partneraccess/shared/client/invoke"
	"partneraccess/shared/client/table"
	"partneraccess/shared/dynamo"
)

// question is fixture.Question as the client package asks it.
func question() client.Question {
	return client.Question{User: "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1", Action: "reports:read", Customer: "acme"}
}

// call is a call of a client's, as a handler: what it costs the process that makes it.
type call func(ctx context.Context) (bool, error)

// Invoke implements lambda.Handler.
func (c call) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	allowed, err := c(ctx)
	if err == nil && !allowed {
		err = errors.New("the question was denied")
	}
	return []byte("allowed"), err
}

// direct measures a back end that decides from the table itself against one that reads a single item as the SDK comes, and what each way to
// ask takes of the back end's process.
func direct(ctx context.Context) ([]fixture.Figure, error) {
	now := func() time.Time { return time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC) }
	storage := &fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}
	config := fixture.NewClient(storage).Options()
	db, err := table.Client(aws.Config{Region: config.Region, Credentials: config.Credentials}, func(o *dynamodb.Options) {
		o.HTTPClient = dynamo.Direct{RoundTripper: storage}
	})
	if err != nil {
		return nil, err
	}
	checker, err := table.New(db, fixture.Table, access.DefaultCatalogue(), table.Clock(now))
	if err != nil {
		return nil, err
	}
	check := call(func(ctx context.Context) (bool, error) {
		d, err := checker.Check(ctx, question())
		return d.Allowed, err
	})
	bare := fixture.NewClient(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)})
	get := call(func(ctx context.Context) (bool, error) {
		out, err := bare.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String(fixture.Table), ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "C#acme"}, "sk": &types.AttributeValueMemberS{Value: "G#contoso"},
			},
		})
		if err != nil {
			return false, err
		}
		state, _ := out.Item["state"].(*types.AttributeValueMemberS)
		return state != nil && state.Value == "open", nil
	})
	a, b, err := compare(ctx, work{check, nil, 300}, work{get, nil, 300})
	if err != nil {
		return nil, err
	}
	invoked := invoke.New(&cannedFunction{}, "check")
	byInvoke := call(func(ctx context.Context) (bool, error) {
		decisions, _, err := invoked.Checks(ctx, []client.Question{question()})
		return err == nil && decisions[0].Allowed, err
	})
	c, d, err := compare(ctx, work{byInvoke, nil, 300}, work{check, nil, 300})
	if err != nil {
		return nil, err
	}
	calls, strong, eventual, err := directStorage(ctx, now)
	if err != nil {
		return nil, err
	}
	return []fixture.Figure{
		{
			"a check from the table: CPU against a bare GetItem of the SDK",
			fmt.Sprintf("%.2fx (%v against %v)", a.ratio(b), a.cpu(), b.cpu()), "0.7x",
		},
		{
			"a check from the table: allocations against a bare GetItem of the SDK",
			fmt.Sprintf("%.2fx (%.0f against %.0f)", a.allocs/b.allocs, a.allocs, b.allocs), "-",
		},
		{"a check from the table: round trips", strconv.Itoa(calls), "1"},
		{"a check from the table: read units, strong and eventual", fmt.Sprintf("%g and %g", strong, eventual), "4 and 2"},
		{
			"a check by Lambda's Invoke: its own CPU, without Lambda's client, against one from the table",
			fmt.Sprintf("%.2fx (%v against %v)", c.ratio(d), c.cpu(), d.cpu()), "-",
		},
	}, nil
}

// cannedFunction is the check function, which allows.
type cannedFunction struct{}

func (cannedFunction) Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	return &lambda.InvokeOutput{Payload: []byte(`{"statusCode":200,"headers":{"Content-Type":"application/json"},` +
		`"body":"{\"evaluations\":[{\"decision\":true,\"context\":{\"reason\":\"granted\",\"grant\":\"grt_1\",\"level\":\"support\"}}]}"}`)}, nil
}

// directStorage counts what one check from the table asks of a real engine.
func directStorage(ctx context.Context, now func() time.Time) (calls int, strong, eventual float64, err error) {
	e, err := engine.Start(ctx, engine.Options{})
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, e.Stop()) }()
	if err := dynamo.CreateTable(ctx, e.Client(), fixture.Table, false); err != nil {
		return 0, 0, 0, err
	}
	items := []string{fixture.PartnerJSON, fixture.UserJSON, fixture.GrantJSON, fixture.AssignmentJSON}
	if err := fixture.Write(ctx, e.Client(), fixture.Table, items); err != nil {
		return 0, 0, 0, err
	}
	m := meter.New(e.Endpoint())
	defer m.Close()
	db, err := table.Client(aws.Config{
		Region: engine.Region, Credentials: e.Client().Options().Credentials, BaseEndpoint: aws.String(m.URL()),
	})
	if err != nil {
		return 0, 0, 0, err
	}
	for _, of := range []struct {
		units   *float64
		options []table.Option
	}{{&strong, nil}, {&eventual, []table.Option{table.Eventual()}}} {
		checker, err := table.New(db, fixture.Table, access.DefaultCatalogue(), append(of.options, table.Clock(now))...)
		if err != nil {
			return 0, 0, 0, err
		}
		if d, err := checker.Check(ctx, question()); err != nil || !d.Allowed {
			return 0, 0, 0, fmt.Errorf("got %+v: %w", d, errors.Join(err, errors.New("want it allowed")))
		}
		if calls, *of.units, _, err = m.Take(); err != nil {
			return 0, 0, 0, err
		}
	}
	return calls, strong, eventual, nil
}
