package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/manifest"
	"partneraccess/shared/stream"
)

// publisher is the manifest's function publish, without the pauses of its attempts.
func publisher(t *testing.T) manifest.Function {
	t.Helper()
	all := manifest.Functions()
	f := all[slices.IndexFunc(all, func(f manifest.Function) bool { return f.Name == "publish" })]
	of := *f.Stream
	of.Retries, of.BatchSize = 0, 1
	f.Stream = &of
	return f
}

func TestVersionsThatWereGivenUpAreKeptByAReplay(t *testing.T) {
	var healed atomic.Bool
	s, err := stack.Start(t.Context(), stack.Config{
		Engine: engine.Shared(t), Table: "replay-" + rand.Text(), Stream: true, CreateTable: dynamo.CreateTable,
		Functions: []manifest.Function{publisher(t)},
		Handlers: func(d stack.Deps) (map[string]lambda.Handler, error) {
			store := dynamo.New(d.Client, d.Table)
			return map[string]lambda.Handler{"publish": stream.RecordHandler(slog.New(slog.DiscardHandler),
				func(ctx context.Context, c stream.Change) error {
					if !healed.Load() {
						return errors.New("not yet")
					}
					return store.RecordVersion(ctx, c.Old, c.New)
				})}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	store := dynamo.New(s.Engine().Client(), s.Table())
	first := access.Customer{ID: "acme", Name: "Acme", Status: access.Active, Version: 1}
	second := first
	second.Name, second.Version = "Acme Nord", 2
	for _, w := range []access.Write{access.CustomerWrite{After: &first}, access.CustomerWrite{Before: &first, After: &second}} {
		err := store.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
			return access.Change{Writes: []access.Write{w}}, nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(10 * time.Second); len(s.Dead.List()) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got %d dead letters, want both versions given up", len(s.Dead.List()))
		}
	}
	args := []string{"-local", s.URL()}
	if err := run(t.Context(), args, nil, io.Discard, io.Discard); err == nil || len(s.Dead.List()) != 2 || len(versions(t, s)) != 0 {
		t.Errorf("while it is broken: got %v with %d letters left, want an error and both", err, len(s.Dead.List()))
	}
	healed.Store(true)
	var out strings.Builder
	if err := run(t.Context(), args, nil, &out, io.Discard); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if got := versions(t, s); !slices.Equal(got, []string{"Acme", "Acme Nord"}) || len(s.Dead.List()) != 0 {
		t.Errorf("got the versions %v with %d letters left, want both and none", got, len(s.Dead.List()))
	}
}

// versions are the names in the customer's versions, in their order.
func versions(t *testing.T, s *stack.Stack) []string {
	t.Helper()
	out, err := s.Engine().Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String(s.Table()), KeyConditionExpression: aws.String("#pk = :pk"),
		ExpressionAttributeNames:  map[string]string{"#pk": "pk"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: "Z#CC#acme"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, item := range out.Items {
		if name, is := item["name"].(*types.AttributeValueMemberS); is {
			names = append(names, name.Value)
		}
	}
	return names
}
