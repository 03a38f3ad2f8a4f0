package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/oklog/ulid/v2"

	"partneraccess/scripts/replay/batch"
)

// queueSource reads Lambda's dead-letter queue, which says where the records are in the stream.
type queueSource struct {
	url     string
	sqs     *sqs.Client
	streams *dynamodbstreams.Client
	db      *dynamodb.Client
}

// hidden is how long a message that was read is not seen: longer than the whole of a replay, so that one that failed does not come again.
const hidden = time.Hour

func (s *queueSource) next(ctx context.Context) (*letter, error) {
	out, err := s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &s.url, MaxNumberOfMessages: 1, WaitTimeSeconds: 2, VisibilityTimeout: int32(hidden.Seconds()),
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	if len(out.Messages) == 0 {
		return nil, nil
	}
	m := out.Messages[0]
	l := &letter{}
	err = json.Unmarshal([]byte(aws.ToString(m.Body)), &l.DeadLetter)
	l.records = func(ctx context.Context) ([]lambdaevents.DynamoDBEventRecord, error) {
		if err != nil || l.DDBStreamBatchInfo.StreamARN == "" {
			return nil, errors.New("the message is no dead letter of a stream")
		}
		records, err := s.fromStream(ctx, l.DDBStreamBatchInfo)
		var trimmed *types.TrimmedDataAccessException
		var gone *types.ResourceNotFoundException // the shard, or with the stream all of them
		if errors.As(err, &trimmed) || errors.As(err, &gone) {
			return s.fromTable(ctx, l.DDBStreamBatchInfo)
		}
		return records, err
	}
	l.remove = func(ctx context.Context) error {
		_, err := s.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &s.url, ReceiptHandle: m.ReceiptHandle})
		return err
	}
	return l, nil
}

// fromStream reads the batch's records, without those between them that the stream's filter had kept from the function.
func (s *queueSource) fromStream(ctx context.Context, i batch.Info) ([]lambdaevents.DynamoDBEventRecord, error) {
	at, err := s.streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &i.StreamARN, ShardId: &i.ShardID, ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: &i.StartSequenceNumber,
	})
	if err != nil {
		return nil, fmt.Errorf("find the batch in the stream: %w", err)
	}
	var records []lambdaevents.DynamoDBEventRecord
	for iterator := at.ShardIterator; iterator != nil; {
		out, err := s.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			return nil, fmt.Errorf("read the batch from the stream: %w", err)
		}
		for _, r := range out.Records {
			if after(aws.ToString(r.Dynamodb.SequenceNumber), i.EndSequenceNumber) {
				return records, nil
			}
			if _, ok := r.Dynamodb.NewImage["event"]; ok && r.EventName == types.OperationTypeInsert {
				record, err := batch.Record(i.StreamARN, r)
				if err != nil {
					return nil, err
				}
				records = append(records, record)
			}
			if aws.ToString(r.Dynamodb.SequenceNumber) == i.EndSequenceNumber {
				return records, nil
			}
		}
		iterator = out.NextShardIterator
	}
	return records, nil
}

// after compares sequence numbers: decimals of any length.
func after(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

// slack is by how much an event's id, whose time is that of the request, may differ from the time of its record.
const slack = 2 * time.Minute

// fromTable reads the events of the batch's time from the table: all of them, since a dead letter does not say whose they were. That is
// a Scan, which nothing else in this project does. An operator does it for letters that are more than a day old; it costs half a read unit
// for each 4 KB of the whole table and finds more than the batch, which the receipts make harmless.
func (s *queueSource) fromTable(ctx context.Context, i batch.Info) ([]lambdaevents.DynamoDBEventRecord, error) {
	_, name, _ := strings.Cut(i.StreamARN, ":table/")
	name, _, _ = strings.Cut(name, "/")
	first, err := eventKey(i.ApproximateArrivalOfFirstRecord.Add(-slack))
	if err != nil {
		return nil, err
	}
	last, err := eventKey(i.ApproximateArrivalOfLastRecord.Add(slack))
	if err != nil {
		return nil, err
	}
	pages := dynamodb.NewScanPaginator(s.db, &dynamodb.ScanInput{
		TableName: &name, FilterExpression: aws.String("#sk BETWEEN :first AND :last AND attribute_exists(#event)"),
		ExpressionAttributeNames: map[string]string{"#sk": "sk", "#event": "event"},
		ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{
			":first": &dynamodbtypes.AttributeValueMemberS{Value: first}, ":last": &dynamodbtypes.AttributeValueMemberS{Value: last},
		},
	})
	var records []lambdaevents.DynamoDBEventRecord
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the events from the table: %w", err)
		}
		for _, item := range page.Items {
			image := map[string]lambdaevents.DynamoDBAttributeValue{}
			for _, attribute := range []string{"pk", "sk", "event"} {
				if v, ok := item[attribute].(*dynamodbtypes.AttributeValueMemberS); ok {
					image[attribute] = lambdaevents.NewStringAttribute(v.Value)
				}
			}
			records = append(records, lambdaevents.DynamoDBEventRecord{
				EventName: "INSERT", EventSource: "aws:dynamodb", EventSourceArn: i.StreamARN,
				// Any number will do, as long as the function can name the record by it.
				Change: lambdaevents.DynamoDBStreamRecord{NewImage: image, SequenceNumber: strconv.Itoa(len(records) + 1)},
			})
		}
	}
	return records, nil
}

// eventKey is the sort key that an event of that instant has at least.
func eventKey(at time.Time) (string, error) {
	var id ulid.ULID
	if at.IsZero() {
		return "", errors.New("the dead letter does not say when its records came")
	}
	if err := id.SetTime(ulid.Timestamp(at)); err != nil {
		return "", fmt.Errorf("make an id of %s: %w", at, err)
	}
	return "T#" + id.String(), nil
}
