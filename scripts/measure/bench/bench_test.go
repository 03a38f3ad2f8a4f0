package main

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

func BenchmarkFloor(b *testing.B) {
	h := floor(fixture.NewClient(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}), fixture.Table)
	p := fixture.Event("/access/v1/evaluation", fixture.Question)
	b.ReportAllocs()
	for b.Loop() {
		if out, err := h.Invoke(b.Context(), p); err != nil {
			b.Fatal(string(out), err)
		}
	}
}

func BenchmarkGetItemOnly(b *testing.B) {
	c := fixture.NewClient(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)})
	b.ReportAllocs()
	for b.Loop() {
		_, err := c.GetItem(context.Background(),
			&dynamodb.GetItemInput{TableName: aws.String(fixture.Table), ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "C#acme"},
				"sk": &types.AttributeValueMemberS{Value: "G#contoso"},
			}})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFactsOnly(b *testing.B) {
	r := dynamo.NewReader(fixture.NewClient(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}), fixture.Table)
	qs := []access.FactsQuery{{User: "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1", Customer: "acme"}}
	b.ReportAllocs()
	for b.Loop() {
		f, err := r.Facts(context.Background(), qs, access.Strong)
		if err != nil || f[0].Grant == nil || f[0].User == nil || f[0].Partner == nil || f[0].Assignment == nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	h := fixture.CheckHandler(&fixture.Canned{Answers: fixture.CannedAnswers(fixture.Table)}, fixture.Table)
	p := fixture.Event("/access/v1/evaluation", fixture.Question)
	out, err := h.Invoke(b.Context(), p)
	if err != nil || !strings.Contains(string(out), `\"decision\":true`) {
		b.Fatal(string(out), err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if out, err := h.Invoke(b.Context(), p); err != nil {
			b.Fatal(string(out), err)
		}
	}
}

func BenchmarkBatchOf50(b *testing.B) {
	h := fixture.CheckHandler(&fixture.Canned{Answers: fixture.ManyAnswers(fixture.Table, 50)}, fixture.Table)
	p := fixture.Event(fixture.Multiple, fixture.ManyQuestions(50))
	b.ReportAllocs()
	for b.Loop() {
		if out, err := h.Invoke(b.Context(), p); err != nil {
			b.Fatal(string(out), err)
		}
	}
}
