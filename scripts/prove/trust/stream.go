package trust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	facts "partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/manifest"
	"partneraccess/shared/stream/batch"
)

// functions are those of a world: the stream starts none, and nothing is heard of a mail once it is sent, so that a world does the same for
// the same seed, and nothing is written but by requests and the clock.
func functions() []manifest.Function {
	var out []manifest.Function
	for _, f := range manifest.Functions() {
		if f.Stream = nil; !f.Feedback {
			out = append(out, f)
		}
	}
	return out
}

// outbox reads the table's stream, and has the mails of its events sent at once.
type outbox struct {
	client   *dynamodbstreams.Client
	arn      string
	iterator *string
	notify   lambda.Handler
}

func newOutbox(ctx context.Context, e *engine.Engine, table string, notify lambda.Handler) (*outbox, error) {
	described, err := e.Client().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, err
	}
	o := e.Client().Options()
	b := &outbox{
		arn: aws.ToString(described.Table.LatestStreamArn), notify: notify,
		client: dynamodbstreams.New(dynamodbstreams.Options{
			Region: o.Region, Credentials: o.Credentials, BaseEndpoint: o.BaseEndpoint, HTTPClient: o.HTTPClient,
		}),
	}
	stream, err := b.client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &b.arn})
	if err != nil {
		return nil, err
	}
	if n := len(stream.StreamDescription.Shards); n != 1 {
		return nil, fmt.Errorf("the stream has %d shards, and this reads one", n)
	}
	it, err := b.client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &b.arn, ShardId: stream.StreamDescription.Shards[0].ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err == nil {
		b.iterator = it.ShardIterator
	}
	return b, err
}

// read returns what has been written since it was called before.
func (b *outbox) read(ctx context.Context) ([]events.DynamoDBEventRecord, error) {
	var out []events.DynamoDBEventRecord
	for {
		got, err := b.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: b.iterator})
		if err != nil {
			return nil, fmt.Errorf("read the stream: %w", err)
		}
		if b.iterator = got.NextShardIterator; b.iterator == nil {
			return nil, errors.New("the stream's shard has ended")
		}
		for _, r := range got.Records {
			record, err := batch.Record(b.arn, r)
			if err != nil {
				return nil, err
			}
			out = append(out, record)
		}
		if len(got.Records) == 0 {
			return out, nil
		}
	}
}

// sent is a mail, as its receipt says.
type sent struct {
	to, template string
	event        string // its id
}

// written is what was written to the table, and the mails that followed at once.
type written struct {
	records int // without those about mails
	events  []facts.Type
	mails   map[sent]bool // but for those that were dropped, since what they say held no longer, and summaries
}

// deliver reads what has been written, and has the mails sent.
func (b *outbox) deliver(ctx context.Context) (written, error) {
	out := written{mails: map[sent]bool{}}
	for {
		records, err := b.read(ctx)
		if err != nil || len(records) == 0 {
			return out, err
		}
		var fresh []events.DynamoDBEventRecord
		for _, r := range records {
			sk := r.Change.Keys["sk"].String()
			switch {
			case strings.HasPrefix(sk, "L#"):
				out.receipt(r.Change.NewImage)
				continue
			case strings.HasPrefix(sk, "T#") && r.EventName == "INSERT":
				var e facts.Event
				if err := json.Unmarshal([]byte(r.Change.NewImage["event"].String()), &e); err != nil {
					return out, err
				}
				out.events = append(out.events, e.Type)
				fresh = append(fresh, r)
			}
			out.records++
		}
		if err := b.send(ctx, fresh); err != nil {
			return out, err
		}
	}
}

// receipt notes the mail of a receipt, as it is at last.
func (w *written) receipt(image map[string]events.DynamoDBAttributeValue) {
	text := func(name string) string {
		if v, is := image[name]; is {
			return v.String()
		}
		return ""
	}
	_, event, _ := strings.Cut(text("sk"), "#")
	event, _, _ = strings.Cut(event, "#")
	m := sent{text("to"), text("template"), event}
	switch {
	case m.template == "summary", m.template == "digest":
	case text("state") == "dropped":
		delete(w.mails, m)
	default:
		w.mails[m] = true
	}
}

// send has the mails of events sent, as the stream would.
func (b *outbox) send(ctx context.Context, records []events.DynamoDBEventRecord) error {
	if len(records) == 0 {
		return nil
	}
	in, err := json.Marshal(events.DynamoDBEvent{Records: records})
	if err != nil {
		return err
	}
	raw, err := b.notify.Invoke(ctx, in)
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	var failed events.DynamoDBEventResponse
	if err := json.Unmarshal(raw, &failed); err != nil {
		return err
	}
	if len(failed.BatchItemFailures) > 0 {
		return fmt.Errorf("notify failed with %d of %d events", len(failed.BatchItemFailures), len(records))
	}
	return nil
}
