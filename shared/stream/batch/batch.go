// Package batch is what Lambda makes of the records of a DynamoDB stream: the event that it sends to a function, and the message
// that it puts in the dead-letter queue when the function fails for good.
package batch

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	facts "partneraccess/events"
)

// Record is one record as Lambda spells it.
func Record(arn string, r types.Record) (events.DynamoDBEventRecord, error) {
	out := events.DynamoDBEventRecord{
		AWSRegion: region(arn), EventID: aws.ToString(r.EventID), EventName: string(r.EventName), EventSource: "aws:dynamodb",
		EventVersion: "1.1", EventSourceArn: arn,
	}
	if v := aws.ToString(r.EventVersion); v != "" {
		out.EventVersion = v
	}
	if u := r.UserIdentity; u != nil { // of a row that the TTL deleted
		out.UserIdentity = &events.DynamoDBUserIdentity{Type: aws.ToString(u.Type), PrincipalID: aws.ToString(u.PrincipalId)}
	}
	d := r.Dynamodb
	if d == nil {
		return out, fmt.Errorf("record %s has no content", out.EventID)
	}
	out.Change = events.DynamoDBStreamRecord{
		SequenceNumber: aws.ToString(d.SequenceNumber), SizeBytes: aws.ToInt64(d.SizeBytes), StreamViewType: string(d.StreamViewType),
		ApproximateCreationDateTime: events.SecondsEpochTime{Time: aws.ToTime(d.ApproximateCreationDateTime).Truncate(time.Second)},
	}
	var err error
	for _, image := range []struct {
		from map[string]types.AttributeValue
		to   *map[string]events.DynamoDBAttributeValue
	}{{d.Keys, &out.Change.Keys}, {d.NewImage, &out.Change.NewImage}, {d.OldImage, &out.Change.OldImage}} {
		if *image.to, err = attributes(image.from); err != nil {
			return out, fmt.Errorf("record %s: %w", out.EventID, err)
		}
	}
	return out, nil
}

func attributes(from map[string]types.AttributeValue) (map[string]events.DynamoDBAttributeValue, error) {
	if from == nil {
		return nil, nil
	}
	to := make(map[string]events.DynamoDBAttributeValue, len(from))
	for name, v := range from {
		var err error
		if to[name], err = attribute(v); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
	}
	return to, nil
}

func attribute(v types.AttributeValue) (events.DynamoDBAttributeValue, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value), nil
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value), nil
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(v.Value), nil
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value), nil
	case *types.AttributeValueMemberNULL:
		return events.NewNullAttribute(), nil
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(v.Value), nil
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(v.Value), nil
	case *types.AttributeValueMemberBS:
		return events.NewBinarySetAttribute(v.Value), nil
	case *types.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, len(v.Value))
		for i, e := range v.Value {
			var err error
			if list[i], err = attribute(e); err != nil {
				return events.DynamoDBAttributeValue{}, err
			}
		}
		return events.NewListAttribute(list), nil
	case *types.AttributeValueMemberM:
		m, err := attributes(v.Value)
		if err != nil {
			return events.DynamoDBAttributeValue{}, err
		}
		return events.NewMapAttribute(m), nil
	}
	return events.DynamoDBAttributeValue{}, fmt.Errorf("unknown kind %T", v)
}

// Inserted is the record of an event's item that was put into the table: as much of it as the functions of the stream look at. The data is
// the event's JSON. Any number will do, as long as the function can name the record by it.
func Inserted(arn string, e facts.Event, data []byte, number int) events.DynamoDBEventRecord {
	organisation := ""
	switch {
	case e.Customer != nil:
		organisation = "C#" + e.Customer.ID
	case e.Partner != nil:
		organisation = "P#" + e.Partner.ID
	}
	return events.DynamoDBEventRecord{
		AWSRegion: region(arn), EventName: "INSERT", EventSource: "aws:dynamodb", EventVersion: "1.1", EventSourceArn: arn,
		Change: events.DynamoDBStreamRecord{
			SequenceNumber: strconv.Itoa(number), StreamViewType: string(types.StreamViewTypeNewAndOldImages),
			NewImage: map[string]events.DynamoDBAttributeValue{
				"pk": events.NewStringAttribute(organisation), "sk": events.NewStringAttribute("T#" + e.ID),
				"event": events.NewStringAttribute(string(data)),
			},
		},
	}
}

// region is the region that an ARN names.
func region(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}

// Why a batch was given up.
const (
	RetriesExhausted = "RetryAttemptsExhausted"
	TooOld           = "RecordAgeExceeded"
)

// DeadLetter is what Lambda puts in the queue for a batch that it has given up: where the records are, but not the records
// (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html).
type DeadLetter struct {
	RequestContext     RequestContext   `json:"requestContext"`
	ResponseContext    *ResponseContext `json:"responseContext,omitempty"` // nil when the function was not called
	Version            string           `json:"version"`
	Timestamp          time.Time        `json:"timestamp"`
	DDBStreamBatchInfo Info             `json:"DDBStreamBatchInfo"`
	Payload            string           `json:"payload,omitempty"` // the event; S3 and the local stack keep it, SQS does not
}

// RequestContext is which function was called, and how often.
type RequestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"` // RetriesExhausted or TooOld
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

// ResponseContext is how the last call ended.
type ResponseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"` // empty when it reported single failures
}

// Info is where in the stream the batch is. Both numbers are inclusive; filtered records lie between them, too.
type Info struct {
	ShardID                         string    `json:"shardId"`
	StartSequenceNumber             string    `json:"startSequenceNumber"`
	EndSequenceNumber               string    `json:"endSequenceNumber"`
	ApproximateArrivalOfFirstRecord time.Time `json:"approximateArrivalOfFirstRecord"`
	ApproximateArrivalOfLastRecord  time.Time `json:"approximateArrivalOfLastRecord"`
	BatchSize                       int       `json:"batchSize"`
	StreamARN                       string    `json:"streamArn"`
}
