package main

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

func BenchmarkFloor(b *testing.B) {
	h := floor(newClient(&canned{answers: cannedAnswers(table)}), table)
	p := event("/access/v1/evaluation", question)
	b.ReportAllocs()
	for b.Loop() {
		if out, err := h.Invoke(b.Context(), p); err != nil {
			b.Fatal(string(out), err)
		}
	}
}

func BenchmarkGetItemOnly(b *testing.B) {
	c := newClient(&canned{answers: cannedAnswers(table)})
	b.ReportAllocs()
	for b.Loop() {
		_, err := c.GetItem(context.Background(),
			&dynamodb.GetItemInput{TableName: aws.String(table), ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "C#acme"},
				"sk": &types.AttributeValueMemberS{Value: "G#contoso"},
			}})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFactsOnly(b *testing.B) {
	r := dynamo.NewReader(newClient(&canned{answers: cannedAnswers(table)}), table)
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
	h := checkHandler(&canned{answers: cannedAnswers(table)}, table)
	p := event("/access/v1/evaluation", question)
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
	h := checkHandler(&canned{answers: manyAnswers(table, 50)}, table)
	p := event(multiple, manyQuestions(50))
	b.ReportAllocs()
	for b.Loop() {
		if out, err := h.Invoke(b.Context(), p); err != nil {
			b.Fatal(string(out), err)
		}
	}
}
