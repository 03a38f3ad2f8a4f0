package batch_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"partneraccess/shared/stream/batch"
)

const arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/2026-11-22T00:00:00.000"

func TestARecordOfEveryKindOfAttributeLooksAsLambdaSpellsIt(t *testing.T) {
	data, err := batch.Record(arn, types.Record{
		EventID: aws.String("1"), EventName: types.OperationTypeRemove, EventVersion: aws.String("1.1"),
		UserIdentity: &types.Identity{Type: aws.String("Service"), PrincipalId: aws.String("dynamodb.amazonaws.com")},
		Dynamodb: &types.StreamRecord{
			SequenceNumber: aws.String("100"), SizeBytes: aws.Int64(7), StreamViewType: types.StreamViewTypeNewAndOldImages,
			ApproximateCreationDateTime: aws.Time(time.Date(2026, 11, 22, 10, 0, 0, 999, time.UTC)),
			Keys:                        map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "C#acme"}},
			OldImage: map[string]types.AttributeValue{
				"s": &types.AttributeValueMemberS{Value: ""}, "n": &types.AttributeValueMemberN{Value: "1.50"},
				"b":    &types.AttributeValueMemberB{Value: []byte{0, 255}},
				"bool": &types.AttributeValueMemberBOOL{Value: false}, "null": &types.AttributeValueMemberNULL{Value: true},
				"ss": &types.AttributeValueMemberSS{Value: []string{"a"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"1"}},
				"bs": &types.AttributeValueMemberBS{Value: [][]byte{{1}}},
				"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{
					&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": &types.AttributeValueMemberS{Value: "y"}}},
				}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"awsRegion":"eu-central-1","dynamodb":{"ApproximateCreationDateTime":1795341600,"Keys":{"pk":{"S":"C#acme"}},` +
		`"OldImage":{"b":{"B":"AP8="},"bool":{"BOOL":false},"bs":{"BS":["AQ=="]},"l":{"L":[{"M":{"x":{"S":"y"}}}]},"n":{"N":"1.50"},"ns":{"NS":["1"]},` +
		`"null":{"NULL":true},"s":{"S":""},"ss":{"SS":["a"]}},"SequenceNumber":"100","SizeBytes":7,"StreamViewType":"NEW_AND_OLD_IMAGES"},` +
		`"eventID":"1","eventName":"REMOVE","eventSource":"aws:dynamodb","eventVersion":"1.1","eventSourceARN":"` + arn + `",` +
		`"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestARecordWithoutContentOrWithAnUnknownAttributeIsAnError(t *testing.T) {
	for name, r := range map[string]types.Record{
		"no content": {},
		"unknown":    {Dynamodb: &types.StreamRecord{NewImage: map[string]types.AttributeValue{"x": &types.UnknownUnionMember{Tag: "NEW"}}}},
	} {
		if got, err := batch.Record(arn, r); err == nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
}
