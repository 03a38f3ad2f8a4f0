package stack_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/manifest"
	"partneraccess/shared/stream/batch"
)

// listener is a function of the stream: it notes each batch that it gets, and answers as told.
type listener struct {
	mu      sync.Mutex
	batches [][]string // the sort keys
	raw     [][]byte
	answer  func(batch []lambdaevents.DynamoDBEventRecord, call int) ([]byte, error) // nil: all is well
}

func (l *listener) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var e lambdaevents.DynamoDBEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches = append(l.batches, keys(e.Records))
	l.raw = append(l.raw, payload)
	if l.answer == nil {
		return []byte(`{"batchItemFailures":[]}`), nil
	}
	return l.answer(e.Records, len(l.batches))
}

func keys(records []lambdaevents.DynamoDBEventRecord) []string {
	var out []string
	for _, r := range records {
		out = append(out, r.Change.NewImage["sk"].String())
	}
	return out
}

func (l *listener) got() [][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.batches)
}

// report answers with the failure of the records with these sort keys.
func report(records []lambdaevents.DynamoDBEventRecord, failed ...string) ([]byte, error) {
	var r lambdaevents.DynamoDBEventResponse
	for _, rec := range records {
		if slices.Contains(failed, rec.Change.NewImage["sk"].String()) {
			r.BatchItemFailures = append(r.BatchItemFailures, lambdaevents.DynamoDBBatchItemFailure{ItemIdentifier: rec.Change.SequenceNumber})
		}
	}
	return json.Marshal(r)
}

const onlyEvents = `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"sk":{"S":[{"prefix":"T#"}]}}}}`

func streamConfig(t *testing.T, l lambda.Handler, s manifest.Stream) stack.Config {
	t.Helper()
	c := config(t)
	c.Table += rand.Text() // a table's name brings its old stream back
	c.Stream, c.CreateTable = true, dynamo.CreateTable
	c.Functions = []manifest.Function{{Name: "listener", Timeout: time.Minute, Stream: &s}}
	c.Handlers = func(stack.Deps) (map[string]lambda.Handler, error) {
		return map[string]lambda.Handler{"listener": l}, nil
	}
	return c
}

// put writes items with these sort keys in one transaction, so that they come in one batch if the stream's reader lets them.
func put(t *testing.T, s *stack.Stack, sortKeys ...string) {
	t.Helper()
	in := &dynamodb.TransactWriteItemsInput{}
	table := s.Table()
	for _, k := range sortKeys {
		in.TransactItems = append(in.TransactItems,
			types.TransactWriteItem{Put: &types.Put{TableName: &table, Item: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "C#acme"}, "sk": &types.AttributeValueMemberS{Value: k},
				"n": &types.AttributeValueMemberN{Value: "7"},
				"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberBOOL{Value: true}}},
			}}})
	}
	if _, err := s.Engine().Client().TransactWriteItems(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// until asks until it is so, for half a minute at most.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not come to pass that %s", what)
		}
	}
}

func flat(batches [][]string) []string { return slices.Concat(batches...) }

func TestTheStreamHandsTheFunctionWhatMatchesInBatchesAndInOrder(t *testing.T) {
	l := &listener{}
	s := start(t, streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 2, Retries: 1}))
	put(t, s, "T#1", "G#1", "T#2", "T#3")
	put(t, s, "T#1", "T#4") // the first is now a MODIFY
	until(t, "T#4 arrives", func() bool { return slices.Contains(flat(l.got()), "T#4") })
	if got, want := flat(l.got()), []string{"T#1", "T#2", "T#3", "T#4"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, b := range l.got() {
		if len(b) > 2 {
			t.Errorf("got a batch of %d, want 2 at most", len(b))
		}
	}
}

// engineTime is the time by the engine's own clock, which dates the records.
func engineTime(t *testing.T, s *stack.Stack) time.Time {
	t.Helper()
	out, err := s.Engine().Client().ListTables(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
	if !ok {
		t.Fatal("the engine's answer has no date")
	}
	return at
}

func TestARecordLooksAsLambdaSpellsIt(t *testing.T) {
	l := &listener{}
	s := start(t, streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 10}))
	began := engineTime(t, s)
	put(t, s, "T#1")
	until(t, "it arrives", func() bool { return len(l.got()) > 0 })
	var got struct{ Records []map[string]any }
	if err := json.Unmarshal(l.raw[0], &got); err != nil || len(got.Records) != 1 {
		t.Fatalf("got %s (%v)", l.raw[0], err)
	}
	r := got.Records[0]
	d, ok := r["dynamodb"].(map[string]any)
	if !ok {
		t.Fatalf("got %v", r)
	}
	arn, _ := r["eventSourceARN"].(string)
	if !strings.Contains(arn, ":table/"+s.Table()+"/stream/") {
		t.Errorf("eventSourceARN: got %q", arn)
	}
	created, _ := d["ApproximateCreationDateTime"].(float64)
	if later := time.Unix(int64(created), 0).Sub(began); later < -2*time.Second || later > time.Minute {
		t.Errorf("ApproximateCreationDateTime: got %v", d["ApproximateCreationDateTime"])
	}
	if n, _ := d["SequenceNumber"].(string); strings.Trim(n, "0123456789") != "" || n == "" {
		t.Errorf("SequenceNumber: got %v, want digits", d["SequenceNumber"])
	}
	if id, _ := r["eventID"].(string); id == "" {
		t.Error("there is no eventID")
	}
	image := map[string]any{
		"pk": map[string]any{"S": "C#acme"}, "sk": map[string]any{"S": "T#1"}, "n": map[string]any{"N": "7"},
		"l": map[string]any{"L": []any{map[string]any{"BOOL": true}}},
	}
	for name, want := range map[string]any{
		"eventName": "INSERT", "eventSource": "aws:dynamodb", "eventVersion": "1.1",
		"NewImage": image, "Keys": map[string]any{"pk": image["pk"], "sk": image["sk"]}, "StreamViewType": "NEW_AND_OLD_IMAGES", "OldImage": nil,
	} {
		from := r
		if strings.ToUpper(name[:1]) == name[:1] {
			from = d
		}
		if fmt.Sprint(from[name]) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, from[name], want)
		}
	}
}

func TestReportedFailuresComeAgainFromTheLowestOn(t *testing.T) {
	failures := map[string]int{"T#2": 1, "T#3": 2} // how often each fails
	l := &listener{}
	l.answer = func(records []lambdaevents.DynamoDBEventRecord, _ int) ([]byte, error) {
		var failed []string
		for _, k := range slices.Backward(keys(records)) { // the highest first: the lowest counts all the same
			if failures[k] > 0 {
				failures[k]--
				failed = append(failed, k)
			}
		}
		return report(records, failed...)
	}
	s := start(t, streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 10, Retries: 3, Bisect: true}))
	put(t, s, "T#1", "T#2", "T#3", "T#4")
	until(t, "the third attempt is made", func() bool { return len(l.got()) >= 3 })
	put(t, s, "T#5")
	until(t, "T#5 arrives", func() bool { return slices.Contains(flat(l.got()), "T#5") })
	want := [][]string{{"T#1", "T#2", "T#3", "T#4"}, {"T#2", "T#3", "T#4"}, {"T#3", "T#4"}, {"T#5"}}
	if got := l.got(); !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got the batches %q, want %q", got, want)
	}
	if n := len(s.Dead.List()); n != 0 {
		t.Errorf("got %d dead letters, want none", n)
	}
}

func TestAPoisonedRecordIsGivenUpAfterItsRetriesAndCanBeReplayed(t *testing.T) {
	healed := make(chan struct{})
	l := &listener{}
	l.answer = func(records []lambdaevents.DynamoDBEventRecord, _ int) ([]byte, error) {
		select {
		case <-healed:
			return report(records)
		default:
			return report(records, "T#2")
		}
	}
	s := start(t, streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 1, Retries: 2}))
	put(t, s, "T#1", "T#2", "T#3")
	until(t, "what is behind it arrives", func() bool { return slices.Contains(flat(l.got()), "T#3") })
	if got, want := flat(l.got()), []string{"T#1", "T#2", "T#2", "T#2", "T#3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	status, text := call(t, "GET", s.URL()+"/_local/dead-letters", "")
	var letters []batch.DeadLetter
	if err := json.Unmarshal([]byte(text), &letters); err != nil || status != 200 || len(letters) != 1 {
		t.Fatalf("dead letters: got %d %s (%v), want one", status, text, err)
	}
	d := letters[0]
	info := d.DDBStreamBatchInfo
	if d.RequestContext.Condition != batch.RetriesExhausted || d.RequestContext.ApproximateInvokeCount != 3 || info.BatchSize != 1 ||
		info.ShardID == "" || info.StreamARN == "" || info.StartSequenceNumber == "" || info.StartSequenceNumber != info.EndSequenceNumber {
		t.Errorf("dead letter: got %+v", d)
	}

	close(healed)
	status, text = call(t, "POST", s.URL()+"/_local/lambda/2015-03-31/functions/listener/invocations", d.Payload)
	if status != 200 || strings.Contains(text, "itemIdentifier") {
		t.Errorf("replay: got %d %s, want no failure", status, text)
	}
	if got := flat(l.got()); got[len(got)-1] != "T#2" {
		t.Errorf("replay: got %v, want T#2 once more", got)
	}
	if status, text := call(t, "DELETE", s.URL()+"/_local/dead-letters/"+d.RequestContext.RequestID, ""); status != 204 {
		t.Errorf("delete: got %d %s, want 204", status, text)
	}
	if status, text := call(t, "GET", s.URL()+"/_local/dead-letters", ""); status != 200 || text != "[]" {
		t.Errorf("dead letters: got %d %s, want none", status, text)
	}
	if status, _ := call(t, "DELETE", s.URL()+"/_local/dead-letters/"+d.RequestContext.RequestID, ""); status != 404 {
		t.Errorf("delete again: got %d, want 404", status)
	}
}

func TestABatchThatFailsAsAWholeIsCutInHalfOrNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		bisect bool
		dead   []int // sizes
	}{{"bisect", true, []int{1}}, {"no bisect", false, []int{4}}} {
		t.Run(c.name, func(t *testing.T) {
			l := &listener{}
			l.answer = func(records []lambdaevents.DynamoDBEventRecord, _ int) ([]byte, error) {
				if slices.Contains(keys(records), "T#3") {
					return nil, errors.New("poison")
				}
				return nil, nil // an empty answer is a success
			}
			s := start(t, streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 4, Retries: 1, Bisect: c.bisect}))
			put(t, s, "T#1", "T#2", "T#3", "T#4")
			put(t, s, "T#5")
			until(t, "what is behind arrives", func() bool { return slices.Contains(flat(l.got()), "T#5") })
			var sizes []int
			for _, d := range s.Dead.List() {
				sizes = append(sizes, d.DDBStreamBatchInfo.BatchSize)
			}
			if !slices.Equal(sizes, c.dead) {
				t.Errorf("dead letters of the sizes %v, want %v", sizes, c.dead)
			}
		})
	}
}

func TestAnAnswerThatNamesNoRecordOfTheBatchFailsAllOfIt(t *testing.T) {
	for name, answer := range map[string]string{
		"empty":      `{"batchItemFailures":[{"itemIdentifier":""}]}`,
		"null":       `{"batchItemFailures":[{"itemIdentifier":null}]}`,
		"another":    `{"batchItemFailures":[{"itemIdentifier":"999999999"}]}`,
		"wrong name": `{"batchItemFailures":[{"id":"1"}]}`,
		"no object":  `7`,
	} {
		t.Run(name, func(t *testing.T) {
			l := &listener{answer: func([]lambdaevents.DynamoDBEventRecord, int) ([]byte, error) { return []byte(answer), nil }}
			s := start(t, streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 4}))
			put(t, s, "T#1", "T#2")
			until(t, "it is given up", func() bool { return len(s.Dead.List()) == 1 })
			if d := s.Dead.List()[0]; d.DDBStreamBatchInfo.BatchSize != 2 || d.ResponseContext.FunctionError == "" {
				t.Errorf("dead letter: got %+v", d)
			}
		})
	}
}

func TestTheStackDoesNotStartWhenTheStreamCannotReachItsFunction(t *testing.T) {
	l := &listener{}
	fine := manifest.Stream{Filter: onlyEvents, BatchSize: 1}
	unknown := streamConfig(t, l, manifest.Stream{Filter: `{"eventName":[{"anything-but":["REMOVE"]}]}`, BatchSize: 1})
	missing := streamConfig(t, l, fine)
	missing.Handlers = nil
	without := streamConfig(t, l, fine)
	without.Table += "-without"
	without.CreateTable = func(ctx context.Context, client *dynamodb.Client, name string, _ bool) error {
		return dynamo.CreateTable(ctx, client, name, false)
	}
	for want, c := range map[string]stack.Config{"anything-but": unknown, "no handler": missing, "without a stream": without} {
		s, err := stack.Start(t.Context(), c)
		if err == nil {
			_ = s.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestWithoutTheStreamNothingIsRead(t *testing.T) {
	c := streamConfig(t, &listener{}, manifest.Stream{Filter: `{"a":"not understood"}`})
	c.Stream = false
	start(t, c)
}

// toRestart is a stack that the test stops itself; none when its engine would outlive it.
func toRestart(t *testing.T, c stack.Config) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if s.Engine().Kind() != engine.External {
		return s
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	t.Log("an engine that outlives the stack keeps its own data: nothing to restart")
	return nil
}

func TestAfterARestartTheStreamGoesOnWhereItWas(t *testing.T) {
	l := &listener{}
	c := streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 10})
	c.Engine, c.DataDir = nil, t.TempDir()
	first := toRestart(t, c)
	if first == nil {
		return
	}
	put(t, first, "T#1")
	until(t, "the first arrives", func() bool { return len(l.got()) == 1 })
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, c)
	put(t, second, "T#2")
	until(t, "the second arrives", func() bool { return slices.Contains(flat(l.got()), "T#2") })
	if got, want := flat(l.got()), []string{"T#1", "T#2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAfterARestartWhatWasGivenUpIsStillThereToBeReplayed(t *testing.T) {
	l := &listener{answer: func([]lambdaevents.DynamoDBEventRecord, int) ([]byte, error) { return nil, errors.New("poison") }}
	c := streamConfig(t, l, manifest.Stream{Filter: onlyEvents, BatchSize: 1})
	c.Engine, c.DataDir = nil, t.TempDir()
	first := toRestart(t, c)
	if first == nil {
		return
	}
	put(t, first, "T#1", "T#2")
	until(t, "both are given up", func() bool { return len(first.Dead.List()) == 2 })
	given := first.Dead.List()
	if !first.Dead.Remove(given[0].RequestContext.RequestID) {
		t.Error("the first could not be taken out")
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, c)
	if got := second.Dead.List(); len(got) != 1 || got[0].RequestContext.RequestID != given[1].RequestContext.RequestID ||
		got[0].Payload != given[1].Payload {
		t.Errorf("got %+v, want what was left, %+v", got, given[1:])
	}
}
