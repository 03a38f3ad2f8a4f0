package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"partneraccess/shared/manifest"
	"partneraccess/shared/stream/batch"
)

// The poller's pace. A mail is to be in the box within a second of the change that it tells of.
const (
	// between two looks at a shard that had nothing new; dynoxide pays for each by the length of its stream
	idlePoll    = 100 * time.Millisecond
	shardPoll   = time.Second // between two looks for new shards
	firstPause  = 100 * time.Millisecond
	longest     = 5 * time.Second // between two attempts; Lambda's own pauses grow longer
	recordsRead = 1000            // at most, in one call
)

// poller is Lambda's event source mapping for one function: it reads the table's stream, shard by shard and parents before
// children, and hands the function batches of the records that match the manifest's filter, again and again until they
// succeed or are given up. What of the manifest's Stream makes only AWS faster is not done here: batches never wait to be
// filled, and those of one shard come one after the other.
type poller struct {
	function manifest.Function
	match    filter
	client   *dynamodbstreams.Client
	arn      string // the stream's
	call     func(ctx context.Context, id string, event []byte) ([]byte, error)
	dead     *DeadLetters
	seen     *positions
	log      *slog.Logger
	skew     atomic.Int64 // nanoseconds by which the engine's clock, which dates the records, is ahead of ours
}

// newPoller checks the manifest's filter and finds the stream.
func (s *Stack) newPoller(ctx context.Context, f manifest.Function) (*poller, error) {
	if s.handlers[f.Name] == nil {
		return nil, fmt.Errorf("function %s is to be started by the stream and has no handler in the local stack", f.Name)
	}
	match, err := newFilter(f.Stream.Filter)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", f.Name, err)
	}
	table, err := s.engine.Client().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(s.table)})
	if err != nil {
		return nil, fmt.Errorf("find the stream of table %s: %w", s.table, err)
	}
	arn := aws.ToString(table.Table.LatestStreamArn)
	if arn == "" {
		return nil, fmt.Errorf("table %s was made without a stream, so that %s would never run: start with new data", s.table, f.Name)
	}
	file := ""
	if dir := s.engine.DataDir(); dir != "" {
		file = filepath.Join(dir, "position-"+f.Name+".json")
	}
	seen, err := loadPositions(file, arn)
	if err != nil {
		return nil, err
	}
	o := s.engine.Client().Options()
	return &poller{
		function: f, match: match, arn: arn, dead: s.Dead, seen: seen, log: s.log.With("function", f.Name),
		client: dynamodbstreams.New(dynamodbstreams.Options{
			Region: o.Region, Credentials: o.Credentials, BaseEndpoint: o.BaseEndpoint, HTTPClient: o.HTTPClient,
		}),
		call: func(ctx context.Context, id string, event []byte) ([]byte, error) {
			return invoke(context.WithoutCancel(ctx), s.handlers, f, id, event) // what is under way is finished
		},
	}, nil
}

// run reads the stream until ctx ends.
func (p *poller) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	ended := map[string]chan struct{}{} // by shard; closed when it has been read to its end
	tick := time.NewTicker(shardPoll)
	defer tick.Stop()
	for {
		shards, err := p.shards(ctx)
		if err != nil && ctx.Err() == nil {
			p.log.Warn("the stream cannot be read, trying again", "error", err.Error())
		}
		for _, shard := range shards {
			id, parent := aws.ToString(shard.ShardId), aws.ToString(shard.ParentShardId)
			listed := slices.ContainsFunc(shards, func(s types.Shard) bool { return aws.ToString(s.ShardId) == parent })
			if ended[id] != nil || listed && !isClosed(ended[parent]) {
				continue
			}
			done := make(chan struct{})
			ended[id] = done
			wg.Go(func() {
				if p.read(ctx, id) {
					close(done)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c: // never of a nil one
		return true
	default:
		return false
	}
}

func (p *poller) shards(ctx context.Context) ([]types.Shard, error) {
	var all []types.Shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &p.arn}
	for {
		out, err := p.client.DescribeStream(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("describe the stream: %w", err)
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return all, nil
		}
	}
}

// read reads one shard, and reports whether it came to the shard's end; if not, ctx has ended.
func (p *poller) read(ctx context.Context, shard string) bool {
	var iterator *string
	for {
		var out *dynamodbstreams.GetRecordsOutput
		var err error
		if iterator == nil {
			iterator, err = p.iterator(ctx, shard)
		}
		if err == nil {
			out, err = p.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(recordsRead)})
		}
		if err != nil {
			if ctx.Err() == nil {
				p.log.Warn("a shard cannot be read, trying again", "shard", shard, "error", err.Error())
			}
			iterator = nil // it may have expired
			if !sleep(ctx, shardPoll) {
				return false
			}
			continue
		}
		if skew, ok := awsmiddleware.GetAttemptSkew(out.ResultMetadata); ok {
			p.skew.Store(int64(skew))
		}
		if !p.deliver(ctx, shard, out.Records) {
			return false
		}
		if iterator = out.NextShardIterator; iterator == nil {
			return true
		}
		if len(out.Records) == 0 && !sleep(ctx, idlePoll) {
			return false
		}
	}
}

// iterator begins behind what has been handled; at the oldest record of a shard that is new, or has lost that place.
func (p *poller) iterator(ctx context.Context, shard string) (*string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &p.arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if number := p.seen.get(shard); number != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &number
	}
	out, err := p.client.GetShardIterator(ctx, in)
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeTrimHorizon, nil
		out, err = p.client.GetShardIterator(ctx, in)
	}
	if err != nil {
		return nil, fmt.Errorf("get an iterator: %w", err)
	}
	return out.ShardIterator, nil
}

// deliver hands records to the function in batches of those that match. It reports false when ctx ended before all were handled.
func (p *poller) deliver(ctx context.Context, shard string, records []types.Record) bool {
	var next []entry
	for i, r := range records {
		e, err := p.entry(r)
		switch {
		case err != nil: // never seen, and nothing that the function could make sense of
			p.log.Error("a record of the stream cannot be translated and is passed over", "shard", shard, "error", err.Error())
		case e.matches:
			next = append(next, e)
		}
		full := len(next) == max(p.function.Stream.BatchSize, 1)
		if last := i == len(records)-1; len(next) > 0 && (full || last) {
			if !p.process(ctx, shard, next, 0) {
				return false
			}
			next = nil
		}
		if len(next) == 0 && r.Dynamodb != nil { // what did not match has been handled by being passed over
			p.seen.set(shard, aws.ToString(r.Dynamodb.SequenceNumber))
		}
	}
	if len(records) > 0 {
		if err := p.seen.save(); err != nil {
			p.log.Warn("the position in the stream is not kept for the next start", "error", err.Error())
		}
	}
	return true
}

// entry is one record as the function gets it.
type entry struct {
	record  events.DynamoDBEventRecord
	raw     json.RawMessage
	matches bool
}

func (p *poller) entry(r types.Record) (entry, error) {
	record, err := batch.Record(p.arn, r)
	if err != nil {
		return entry{}, err
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return entry{}, err
	}
	var decoded any
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return entry{}, err
	}
	return entry{record, raw, p.match(decoded)}, nil
}

// process calls the function with a batch until it has succeeded or is given up: then it lies in the dead letters. failed is how
// often it, or the larger one that it was cut from, was tried before. It reports false when ctx ended before that.
func (p *poller) process(ctx context.Context, shard string, b []entry, failed int) bool {
	var ended *batch.ResponseContext
	for {
		id := newInvocationID()
		condition := ""
		if limit := p.function.Stream.MaxAge; limit > 0 && p.age(b[0]) > limit {
			condition = batch.TooOld
		} else if failed > p.function.Stream.Retries {
			condition = batch.RetriesExhausted
		}
		if condition != "" {
			p.bury(shard, b, batch.RequestContext{
				RequestID: id, FunctionARN: functionARN(p.function.Name), Condition: condition, ApproximateInvokeCount: failed,
			}, ended)
			return true
		}
		if failed > 0 && !sleep(ctx, min(firstPause<<min(failed-1, 16), longest)) {
			return false
		}
		first, err := p.try(ctx, id, b)
		ended = &batch.ResponseContext{StatusCode: 200, ExecutedVersion: "$LATEST"}
		switch {
		case err != nil:
			p.log.Error("function failed", "request_id", id, "attempt", failed+1, "batch", len(b), "error", err.Error())
			ended.FunctionError = "Unhandled"
			if n := len(b); p.function.Stream.Bisect && n > 1 { // which does not count as an attempt
				return p.process(ctx, shard, b[:n/2], failed) && p.process(ctx, shard, b[n/2:], failed)
			}
		case first == len(b):
			return true
		default:
			p.log.Warn("function reported failures", "request_id", id, "attempt", failed+1, "batch", len(b), "from",
				b[first].record.Change.SequenceNumber)
			b = b[first:]
		}
		failed++
	}
}

// age is how long ago the engine made a record, by the engine's own clock.
func (p *poller) age(e entry) time.Duration {
	return time.Since(e.record.Change.ApproximateCreationDateTime.Time) + time.Duration(p.skew.Load())
}

// try calls the function once and returns the index of the first record that has to come again; len(b) when none has.
func (p *poller) try(ctx context.Context, id string, b []entry) (int, error) {
	event, err := payloadOf(b)
	if err != nil {
		return 0, err
	}
	raw, err := p.call(ctx, id, event)
	if err != nil {
		return 0, err
	}
	return firstFailed(raw, b)
}

func payloadOf(b []entry) ([]byte, error) {
	var e struct {
		Records []json.RawMessage `json:"Records"`
	}
	for _, r := range b {
		e.Records = append(e.Records, r.raw)
	}
	return json.Marshal(e)
}

// firstFailed reads a partial batch response. As in Lambda an empty one is a success, the lowest number counts, and a number that is
// empty or not of this batch fails all of it.
func firstFailed(raw []byte, b []entry) (int, error) {
	var response *struct {
		BatchItemFailures []struct {
			ItemIdentifier *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(raw) == 0 {
		return len(b), nil
	}
	if err := json.Unmarshal(raw, &response); err != nil {
		return 0, fmt.Errorf("the answer is no partial batch response: %w", err)
	}
	first := len(b)
	if response == nil {
		return first, nil
	}
	for _, f := range response.BatchItemFailures {
		i := slices.IndexFunc(b, func(e entry) bool {
			return f.ItemIdentifier != nil && e.record.Change.SequenceNumber == *f.ItemIdentifier
		})
		if i < 0 {
			return 0, fmt.Errorf("the answer reports %q, which is no sequence number of the batch", aws.ToString(f.ItemIdentifier))
		}
		first = min(first, i)
	}
	return first, nil
}

func (p *poller) bury(shard string, b []entry, request batch.RequestContext, ended *batch.ResponseContext) {
	first, last := b[0].record.Change, b[len(b)-1].record.Change
	event, err := payloadOf(b)
	if err != nil { // every part of it has been JSON before
		p.log.Error("a dead letter without its records", "error", err.Error())
	}
	err = p.dead.add(batch.DeadLetter{
		RequestContext: request, ResponseContext: ended, Version: "1.0", Timestamp: time.Now().UTC().Truncate(time.Millisecond),
		DDBStreamBatchInfo: batch.Info{
			ShardID: shard, StreamARN: p.arn, BatchSize: len(b),
			StartSequenceNumber: first.SequenceNumber, EndSequenceNumber: last.SequenceNumber,
			ApproximateArrivalOfFirstRecord: first.ApproximateCreationDateTime.UTC(),
			ApproximateArrivalOfLastRecord:  last.ApproximateCreationDateTime.UTC(),
		},
		Payload: string(event),
	})
	if err != nil {
		p.log.Warn("a dead letter is not kept for the next start", "error", err.Error())
	}
	p.log.Error("a batch was given up: see /_local/dead-letters", "condition", request.Condition, "attempts", request.ApproximateInvokeCount,
		"batch", len(b), "shard", shard, "from", first.SequenceNumber)
}

// sleep reports false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// DeadLetters are the batches that were given up, kept in a file where the table is. The zero value is empty and ready, and kept in memory.
type DeadLetters struct {
	mu      sync.Mutex
	file    string // empty: in memory
	letters []batch.DeadLetter
}

// keepIn reads what the file has, and keeps all in it from then on.
func (d *DeadLetters) keepIn(file string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.file = file
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &d.letters)
	}
	if err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	return nil
}

func (d *DeadLetters) add(l batch.DeadLetter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.letters = append(d.letters, l)
	return d.save()
}

// List returns all of them, oldest first; never nil.
func (d *DeadLetters) List() []batch.DeadLetter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]batch.DeadLetter{}, d.letters...)
}

// Remove takes the one with that request id out, and reports whether it was there. One that the file could not be rid of comes back with
// the next start, and can be replayed again.
func (d *DeadLetters) Remove(requestID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.letters)
	d.letters = slices.DeleteFunc(d.letters, func(l batch.DeadLetter) bool { return l.RequestContext.RequestID == requestID })
	_ = d.save()
	return len(d.letters) < n
}

func (d *DeadLetters) save() error {
	if d.file == "" {
		return nil
	}
	return save(d.file, d.letters)
}

// save writes a value beside the file and moves it there, so that a crash leaves the old one.
func save(file string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(file), err)
	}
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	return os.Rename(file+".new", file)
}

// positions are the places up to which a stream has been handled, by shard, kept in a file where the table is. A place that is lost
// costs nothing but work: receipts tell what has been sent.
type positions struct {
	file string // empty: in memory

	mu     sync.Mutex
	Stream string            `json:"stream"`
	Shards map[string]string `json:"shards"`
}

func loadPositions(file, stream string) (*positions, error) {
	none := &positions{file: file, Stream: stream, Shards: map[string]string{}}
	if file == "" {
		return none, nil
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the position in the stream: %w", err)
	}
	p := &positions{file: file}
	if err := json.Unmarshal(data, p); err != nil || p.Stream != stream || p.Shards == nil { // of another table, or cut off
		return none, nil //nolint:nilerr // see above
	}
	return p, nil
}

func (p *positions) get(shard string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Shards[shard]
}

func (p *positions) set(shard, number string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Shards[shard] = number
}

func (p *positions) save() error {
	if p.file == "" {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return save(p.file, p)
}
