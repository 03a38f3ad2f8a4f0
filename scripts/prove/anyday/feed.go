package anyday

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"

	"partneraccess/shared/setup"
	"partneraccess/shared/setup/publishing"
	"partneraccess/shared/stream/batch"
)

// feed gives the records of the table's stream to the function publish, as badly as Lambda may.
type feed struct {
	*world
	streams  *dynamodbstreams.Client
	arn      string
	function lambda.Handler
	shards   map[string]*string             // iterators by shard
	ended    map[string]bool                // shards
	waiting  [][]events.DynamoDBEventRecord // batches
	kept     map[string]int                 // the bytes of each item that the function makes, by its key
	fail     float64                        // how many writes of the function fail
}

var errFault = errors.New("a fault on purpose")

func newFeed(w *world) (*feed, error) {
	table, err := w.client.DescribeTable(w.ctx, &dynamodb.DescribeTableInput{TableName: &w.Table})
	if err != nil {
		return nil, err
	}
	o := w.client.Options()
	f := &feed{
		world: w, arn: aws.ToString(table.Table.LatestStreamArn), shards: map[string]*string{}, ended: map[string]bool{}, kept: map[string]int{},
		streams: dynamodbstreams.New(dynamodbstreams.Options{
			Region: o.Region, Credentials: o.Credentials, BaseEndpoint: o.BaseEndpoint, HTTPClient: o.HTTPClient,
		}),
	}
	faulty := dynamodb.New(o, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("faults", func(
				ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
			) (middleware.InitializeOutput, middleware.Metadata, error) {
				if put, ok := in.Parameters.(*dynamodb.PutItemInput); ok {
					f.weigh(put.Item)
				}
				if f.random.Float64() < f.fail/2 { // before it happens
					return middleware.InitializeOutput{}, middleware.Metadata{}, errFault
				}
				out, metadata, err := next.HandleInitialize(ctx, in)
				if f.random.Float64() < f.fail/2 { // it has happened, and nobody knows
					return middleware.InitializeOutput{}, middleware.Metadata{}, errFault
				}
				return out, metadata, err
			}), middleware.Before)
		})
	})
	none := func(*lambdaservice.Options) {}
	f.function, err = publishing.Publish(func(*eventbridge.Options) {}, none)(&setup.Environment{
		Getenv: func(name string) string {
			return map[string]string{ // there are no webhooks: nothing is started
				"TABLE_NAME": w.Table, "BASE_URL": "https://api.access.example", "DELIVER_FUNCTION": "deliver", "AWS_REGION": "eu-central-1",
				"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
			}[name]
		},
		Now: w.service.Now, NewID: w.service.NewID, Log: slog.New(slog.DiscardHandler), Client: faulty,
	})
	return f, err
}

// weigh notes the size of an item, as DynamoDB bills storage: names and values in UTF-8, and a hundred bytes beside
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html).
func (f *feed) weigh(item map[string]dynamotypes.AttributeValue) {
	size := 100
	for name, v := range item {
		size += len(name)
		switch v := v.(type) {
		case *dynamotypes.AttributeValueMemberS:
			size += len(v.Value)
		case *dynamotypes.AttributeValueMemberN:
			size += len(v.Value)/2 + 1
		case *dynamotypes.AttributeValueMemberBOOL:
			size++
		case *dynamotypes.AttributeValueMemberL:
			size += 3
			for _, e := range v.Value {
				if s, ok := e.(*dynamotypes.AttributeValueMemberS); ok {
					size += 1 + len(s.Value)
				}
			}
		}
	}
	pk, _ := item["pk"].(*dynamotypes.AttributeValueMemberS)
	sk, _ := item["sk"].(*dynamotypes.AttributeValueMemberS)
	f.kept[pk.Value+" "+sk.Value] = size
}

// read takes what is new in the stream, in batches of one to a hundred records.
func (f *feed) read() error {
	out, err := f.streams.DescribeStream(f.ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &f.arn})
	if err != nil {
		return fmt.Errorf("describe the stream: %w", err)
	}
	for _, s := range out.StreamDescription.Shards {
		id := aws.ToString(s.ShardId)
		if f.ended[id] {
			continue
		}
		if f.shards[id] == nil {
			it, err := f.streams.GetShardIterator(f.ctx, &dynamodbstreams.GetShardIteratorInput{
				StreamArn: &f.arn, ShardId: &id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
			})
			if err != nil {
				return fmt.Errorf("read a shard: %w", err)
			}
			f.shards[id] = it.ShardIterator
		}
		if err := f.readShard(id); err != nil {
			return err
		}
	}
	return nil
}

func (f *feed) readShard(id string) error {
	for {
		got, err := f.streams.GetRecords(f.ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: f.shards[id]})
		if err != nil {
			return fmt.Errorf("read records: %w", err)
		}
		var records []events.DynamoDBEventRecord
		for _, r := range got.Records {
			record, err := batch.Record(f.arn, r)
			if err != nil {
				return err
			}
			if f.random.Float64() < f.Lose {
				continue
			}
			records = append(records, record)
		}
		for len(records) > 0 {
			n := min(len(records), 1+f.random.IntN(100))
			f.waiting = append(f.waiting, records[:n])
			records = records[n:]
		}
		if f.shards[id] = got.NextShardIterator; got.NextShardIterator == nil {
			f.ended[id] = true
			return nil
		}
		if len(got.Records) == 0 {
			return nil
		}
	}
}

// deliver gives the function what waits: some of it twice, some later, in another order, and with writes that fail.
func (f *feed) deliver() error {
	if err := f.read(); err != nil {
		return err
	}
	now := f.waiting
	f.waiting = nil
	if f.random.Float64() < f.Faulty {
		f.random.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
	}
	for _, b := range now {
		if f.random.Float64() < f.Faulty/4 {
			f.waiting = append(f.waiting, b)
			continue
		}
		f.fail = 0
		if f.random.Float64() < f.Faulty/2 {
			f.fail = 0.2
		}
		left, err := f.give(b)
		f.fail = 0
		if err != nil {
			return err
		}
		if len(left) > 0 {
			f.Failed++
			f.waiting = append(f.waiting, left)
		}
		if f.random.Float64() < f.Faulty/4 {
			f.Repeated++
			f.waiting = append(f.waiting, b)
		}
	}
	return nil
}

// give invokes the function with one batch, and returns the records that are to come again: from the first that failed on, as Lambda does.
func (f *feed) give(b []events.DynamoDBEventRecord) ([]events.DynamoDBEventRecord, error) {
	f.Batches++
	in, err := json.Marshal(events.DynamoDBEvent{Records: b})
	if err != nil {
		return nil, err
	}
	out, err := f.function.Invoke(f.ctx, in)
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	var response events.DynamoDBEventResponse
	if err := json.Unmarshal(out, &response); err != nil || len(response.BatchItemFailures) == 0 {
		return nil, err
	}
	first := response.BatchItemFailures[0].ItemIdentifier
	at := slices.IndexFunc(b, func(r events.DynamoDBEventRecord) bool { return r.Change.SequenceNumber == first })
	return b[at:], nil
}

// drain delivers all that is left, without new faults.
func (f *feed) drain() error {
	faulty := f.Faulty
	f.Faulty = 0
	defer func() { f.Faulty = faulty }()
	for {
		if err := f.deliver(); err != nil {
			return err
		}
		if len(f.waiting) == 0 {
			return nil
		}
	}
}
