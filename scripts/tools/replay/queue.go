package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/stream/batch"
)

// queueSource reads Lambda's dead-letter queue, which says where the records are in the stream.
type queueSource struct {
	url     string
	sqs     *sqs.Client
	streams *dynamodbstreams.Client
	db      *dynamodb.Client
}

// hidden is how long a message that was read is not seen, unless it is given back: longer than the whole of a replay, so that one that
// failed does not come again in the same.
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
		versions := ofVersions(l.RequestContext.FunctionARN)
		records, err := s.fromStream(ctx, l.DDBStreamBatchInfo, versions)
		var trimmed *types.TrimmedDataAccessException
		var gone *types.ResourceNotFoundException // the shard, or with the stream all of them
		if errors.As(err, &trimmed) || errors.As(err, &gone) {
			if versions {
				return nil, errors.New("its records are older than the stream, and nowhere else: those versions are lost, which answers about their " +
					"time say; delete the letter")
			}
			return s.fromTable(ctx, l.DDBStreamBatchInfo)
		}
		return records, err
	}
	l.remove = func(ctx context.Context) error {
		_, err := s.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &s.url, ReceiptHandle: m.ReceiptHandle})
		return err
	}
	l.giveBack = func(ctx context.Context) error {
		_, err := s.sqs.ChangeMessageVisibility(ctx,
			&sqs.ChangeMessageVisibilityInput{QueueUrl: &s.url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
		return err
	}
	return l, nil
}

// ofVersions reports whether the function is the one that keeps the versions of records.
func ofVersions(function string) bool {
	_, name, _ := strings.Cut(function, ":function:")
	name, _, _ = strings.Cut(name, ":") // a version or an alias
	return name == "publish" || strings.HasSuffix(name, "-publish")
}

// fromStream reads the batch's records, without those between them that the stream's filter had kept from the function. The one that keeps
// versions passes over those that are none of its own.
func (s *queueSource) fromStream(ctx context.Context, i batch.Info, versions bool) ([]lambdaevents.DynamoDBEventRecord, error) {
	at, err := s.streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &i.StreamARN, ShardId: &i.ShardID, ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber,
		SequenceNumber: &i.StartSequenceNumber,
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
			_, event := r.Dynamodb.NewImage["event"]
			if event && r.EventName == types.OperationTypeInsert || versions && r.EventName != types.OperationTypeRemove {
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

// slack is by how much an event's time, which is that of the request, may differ from the time of its record.
const slack = 2 * time.Minute

// fromTable reads the events of the batch's time from the table: those of all partners and customers, since a dead letter does not say
// whose they were. A history is a Query; so this costs one small Query for each partner that there ever was, and each customer that there
// is, and no Scan: nobody is told anything that concerns a removed customer alone. It finds more than the batch, which the receipts make
// harmless.
func (s *queueSource) fromTable(ctx context.Context, i batch.Info) ([]lambdaevents.DynamoDBEventRecord, error) {
	first, last := i.ApproximateArrivalOfFirstRecord, i.ApproximateArrivalOfLastRecord
	if first.IsZero() || last.IsZero() {
		return nil, errors.New("the dead letter does not say when its records came")
	}
	_, name, _ := strings.Cut(i.StreamARN, ":table/")
	name, _, _ = strings.Cut(name, "/")
	store := dynamo.New(s.db, name)
	partners, err := everyPartner(ctx, store)
	if err != nil {
		return nil, err
	}
	customers, err := all(ctx, func(ctx context.Context, ask access.PageRequest) (access.Page[access.Customer], error) {
		return store.Customers(ctx, "", ask)
	})
	if err != nil {
		return nil, fmt.Errorf("list the customers: %w", err)
	}
	f := access.HistoryFilter{From: first.Add(-slack), Until: last.Add(slack)}
	histories := make([]func(context.Context, access.PageRequest) (access.Page[events.Event], error), 0, len(partners)+len(customers))
	for _, id := range partners {
		histories = append(histories, func(ctx context.Context, ask access.PageRequest) (access.Page[events.Event], error) {
			return store.PartnerHistory(ctx, id, f, ask)
		})
	}
	for _, c := range customers {
		histories = append(histories, func(ctx context.Context, ask access.PageRequest) (access.Page[events.Event], error) {
			return store.CustomerHistory(ctx, c.ID, f, ask)
		})
	}
	found := make([][]events.Event, len(histories))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for n, history := range histories {
		g.Go(func() (err error) {
			found[n], err = all(ctx, history)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read the events from the table: %w", err)
	}
	list := slices.Concat(found...)
	slices.SortFunc(list, func(a, b events.Event) int { return strings.Compare(a.ID, b.ID) }) // as they happened
	list = slices.CompactFunc(list, func(a, b events.Event) bool { return a.ID == b.ID })     // most stand in two histories
	records := make([]lambdaevents.DynamoDBEventRecord, len(list))
	for n, e := range list {
		data, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
		}
		records[n] = batch.Inserted(i.StreamARN, e, data, n+1)
	}
	return records, nil
}

// everyPartner are the ids of all partners, those that were removed among them.
func everyPartner(ctx context.Context, store *dynamo.Store) ([]string, error) {
	present, err := all(ctx, func(ctx context.Context, ask access.PageRequest) (access.Page[access.Partner], error) {
		return store.Partners(ctx, "", func(*access.Partner) bool { return true }, ask)
	})
	if err != nil {
		return nil, fmt.Errorf("list the partners: %w", err)
	}
	removed, err := all(ctx, store.RemovedPartners)
	if err != nil {
		return nil, fmt.Errorf("list the partners that were removed: %w", err)
	}
	var ids []string
	for _, p := range append(present, removed...) {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil // one may have been removed between the two lists
}

// all reads a list to its end.
func all[T any](ctx context.Context, list func(context.Context, access.PageRequest) (access.Page[T], error)) ([]T, error) {
	var out []T
	for ask := (access.PageRequest{Limit: 100}); ; {
		page, err := list(ctx, ask)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if ask.After = page.Next; page.Next == "" {
			return out, nil
		}
	}
}
