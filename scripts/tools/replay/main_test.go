package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/mail"
	"partneraccess/shared/manifest"
	"partneraccess/shared/stream"
	"partneraccess/shared/stream/batch"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// world is a stack whose function of the stream fails until it is healed.
type world struct {
	*stack.Stack
	partners []string // of the events, in turn

	mu     sync.Mutex
	healed bool
	seen   []string // ids, once it is healed
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{partners: []string{"contoso"}}
	s, err := stack.Start(t.Context(), stack.Config{
		Engine: engine.Shared(t), Table: "replay-" + rand.Text(), Stream: true, CreateTable: dynamo.CreateTable,
		Functions: []manifest.Function{{Name: "notify", Timeout: time.Minute, Stream: &manifest.Stream{
			Filter: `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"sk":{"S":[{"prefix":"T#"}]}}}}`, BatchSize: 1,
		}}},
		Handlers: func(stack.Deps) (map[string]lambda.Handler, error) {
			return map[string]lambda.Handler{"notify": stream.Handler(w.each, slog.New(slog.DiscardHandler))}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Stack = s
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) each(_ context.Context, e events.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.healed {
		return errors.New("not yet")
	}
	w.seen = append(w.seen, e.ID)
	return nil
}

func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.healed = true
}

// happen stores an event of now, and returns its id when the stack has given its batch up.
func (w *world) happen(t *testing.T) string {
	t.Helper()
	id := ulid.Make().String()
	before := len(w.Dead.List())
	partner := w.partners[len(w.Dead.List())%len(w.partners)]
	e := events.Event{
		ID: id, Type: events.GrantCreated, Time: time.Now().UTC(), Customer: &events.Organisation{ID: "acme"},
		Partner: &events.Organisation{ID: partner},
	}
	if partner == "" { // it concerns the customer alone
		e.Type, e.Partner = events.MemberAdded, nil
	}
	if err := dynamo.New(w.Engine().Client(), w.Table()).Apply(t.Context(),
		func(context.Context) (access.Change, *access.StoredResponse, error) {
			return access.Change{Events: []events.Event{e}}, nil, nil
		}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); len(w.Dead.List()) == before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it was not given up")
		}
	}
	return id
}

// queue speaks as much of SQS as is needed.
type queue struct {
	mu       sync.Mutex
	messages map[string]string // by receipt handle
	unseen   []string
	refuses  string // an action that the caller has no right to
}

func (q *queue) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var in struct {
		ReceiptHandle     string
		VisibilityTimeout *int
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		http.Error(rw, err.Error(), 400)
		return
	}
	rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
	out := map[string]any{}
	action, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if action == q.refuses {
		rw.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(rw, `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no right"}`)
		return
	}
	switch action {
	case "ReceiveMessage":
		if len(q.unseen) > 0 {
			out["Messages"] = []map[string]string{{"MessageId": "1", "ReceiptHandle": q.unseen[0], "Body": q.messages[q.unseen[0]]}}
			q.unseen = q.unseen[1:]
		}
	case "DeleteMessage":
		delete(q.messages, in.ReceiptHandle)
	case "ChangeMessageVisibility":
		if in.VisibilityTimeout == nil || *in.VisibilityTimeout != 0 || q.messages[in.ReceiptHandle] == "" {
			http.Error(rw, "only 0 is known here, of a message that is there", http.StatusBadRequest)
			return
		}
		q.unseen = append(q.unseen, in.ReceiptHandle)
	default:
		http.Error(rw, "this action is unknown here: "+action, http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(rw).Encode(out)
}

// inAWS are the flags and the environment of a replay from a queue that holds these letters, as SQS gets them: without the payload.
func inAWS(t *testing.T, w *world, streams string, letters []batch.DeadLetter, more ...string) (*queue, []string, func(string) string) {
	t.Helper()
	q := &queue{messages: map[string]string{}}
	for i, l := range letters {
		l.Payload = ""
		body, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		more = slices.Insert(more, i, string(body))
	}
	for i, body := range more {
		handle := fmt.Sprint("handle ", i)
		q.messages[handle] = body
		q.unseen = append(q.unseen, handle)
	}
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	return q, []string{"-queue", server.URL + "/000000000000/dead"}, func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_SQS": server.URL,
			"AWS_ENDPOINT_URL_DYNAMODB": w.Engine().Endpoint(), "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": streams,
			"AWS_ENDPOINT_URL_LAMBDA": w.URL() + "/_local/lambda",
		}[name]
	}
}

func TestTheLocalStacksDeadLettersAreReplayed(t *testing.T) {
	w := start(t)
	want := []string{w.happen(t), w.happen(t)}
	args := []string{"-local", w.URL() + "/"}
	var out strings.Builder
	if err := run(t.Context(), args, nil, &out, io.Discard); err == nil || len(w.Dead.List()) != 2 {
		t.Errorf("while it is broken: got %v and %d letters left, want an error and both: %s", err, len(w.Dead.List()), out.String())
	}
	w.heal()
	if err := run(t.Context(), args, nil, &out, io.Discard); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if !slices.Equal(w.seen, want) || len(w.Dead.List()) != 0 {
		t.Errorf("got %v with %d letters left, want %v and none", w.seen, len(w.Dead.List()), want)
	}
}

func TestAQueuesDeadLettersAreReplayedFromTheStream(t *testing.T) {
	w := start(t)
	first, second, third := w.happen(t), w.happen(t), w.happen(t)
	letters := w.Dead.List()
	both := letters[0] // as of a larger batch
	both.DDBStreamBatchInfo.EndSequenceNumber, both.DDBStreamBatchInfo.BatchSize = letters[1].DDBStreamBatchInfo.EndSequenceNumber, 2
	q, args, env := inAWS(t, w, w.Engine().Endpoint(), []batch.DeadLetter{both}, "no letter")
	var out strings.Builder
	if err := run(t.Context(), args, env, &out, io.Discard); err == nil || len(q.messages) != 2 {
		t.Errorf("while it is broken: got %v and %d messages left, want an error and both: %s", err, len(q.messages), out.String())
	}
	w.heal() // and what failed can be replayed at once
	if err := run(t.Context(), args, env, &out, io.Discard); err == nil || len(q.messages) != 1 || q.messages["handle 1"] == "" {
		t.Errorf("got %v and the messages %v left, want an error and what is no letter: %s", err, q.messages, out.String())
	}
	if want := []string{first, second}; !slices.Equal(w.seen, want) {
		t.Errorf("got %v, want %v and not %s", w.seen, want, third)
	}
}

func TestWhatFailedAgainCanBeReadFromTheQueueAtOnce(t *testing.T) {
	w := start(t)
	w.happen(t)
	for _, c := range []struct {
		name, refuses string
		stopped       bool // after the first letter
		unseen        int  // messages that can be read afterwards
		want          string
	}{
		{"all were tried", "", false, 2, "are still in the queue"},
		{"the replay was stopped", "", true, 2, context.Canceled.Error()},
		{"no right to give them back", "ChangeMessageVisibility", false, 0, "not seen for up to an hour"},
	} {
		q, args, env := inAWS(t, w, w.Engine().Endpoint(), w.Dead.List(), "no letter")
		q.refuses = c.refuses
		ctx, cancel := context.WithCancel(t.Context())
		var out strings.Builder
		err := run(ctx, args, env, writer(func(p []byte) (int, error) {
			if c.stopped {
				cancel()
			}
			return out.Write(p)
		}), io.Discard)
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.want) || len(q.unseen) != c.unseen || len(q.messages) != 2 {
			t.Errorf("%s: got %v and %d of %d messages that can be read, want %q and %d of 2: %s", c.name, err, len(q.unseen), len(q.messages),
				c.want, c.unseen, out.String())
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestDeadLettersOlderThanTheStreamAreReplayedFromTheTable(t *testing.T) {
	w := start(t)
	w.partners = []string{"contoso", "fabrikam", ""} // fabrikam was removed
	c := access.Change{Writes: []access.Write{
		access.CustomerWrite{After: &access.Customer{ID: "acme", Name: "Acme", Status: access.Active, Version: 1}},
	}}
	for i, status := range []access.Status{access.Active, access.Removed} {
		c.Writes = append(c.Writes,
			access.PartnerWrite{After: &access.Partner{ID: w.partners[i], Name: w.partners[i], Status: status, Version: 1}})
	}
	if err := dynamo.New(w.Engine().Client(), w.Table()).Apply(t.Context(),
		func(context.Context) (access.Change, *access.StoredResponse, error) { return c, nil, nil }); err != nil {
		t.Fatal(err)
	}
	ids := []string{w.happen(t), w.happen(t), w.happen(t)}
	old := w.Dead.List()[:1]
	// The letter has the time of the engine, which may be another machine's; the events have ours.
	old[0].DDBStreamBatchInfo.ApproximateArrivalOfFirstRecord = time.Now()
	old[0].DDBStreamBatchInfo.ApproximateArrivalOfLastRecord = time.Now()
	forgetful := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/x-amz-json-1.0")
		rw.WriteHeader(400)
		_, _ = io.WriteString(rw, `{"__type":"com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException","message":"trimmed"}`)
	}))
	t.Cleanup(forgetful.Close)
	w.heal()
	q, args, env := inAWS(t, w, forgetful.URL, old)
	var out strings.Builder
	if err := run(t.Context(), args, env, &out, io.Discard); err != nil || len(q.messages) != 0 {
		t.Errorf("got %v and %d messages left, want none: %s", err, len(q.messages), out.String())
	}
	if !slices.Equal(w.seen, ids) { // all are of the letter's time
		t.Errorf("got %v, want %v", w.seen, ids)
	}

	w.seen = nil
	old[0].DDBStreamBatchInfo.ApproximateArrivalOfFirstRecord = time.Now().Add(-72 * time.Hour)
	old[0].DDBStreamBatchInfo.ApproximateArrivalOfLastRecord = time.Now().Add(-71 * time.Hour)
	q, args, env = inAWS(t, w, forgetful.URL, old)
	if err := run(t.Context(), args, env, &out, io.Discard); err == nil || len(q.messages) != 1 || len(w.seen) != 0 {
		t.Errorf("events of another time: got %v, %v and %d messages left, want an error and the message kept", w.seen, err, len(q.messages))
	}
}

// What the stream has forgotten is looked for in the histories of partners and customers.
func TestEveryEventThatTellsAnybodyStandsInAHistory(t *testing.T) {
	telling := 0
	for _, kind := range events.Types() {
		sample, err := events.Sample(kind)
		if err != nil {
			t.Fatal(err)
		}
		var e events.Event
		if err := json.Unmarshal(sample, &e); err != nil {
			t.Fatal(err)
		}
		if len(mail.Letters(e)) == 0 {
			continue
		}
		telling++
		if e.Partner == nil && e.Customer == nil {
			t.Errorf("%s: got mails, no partner and no customer, want that it can be found when the stream has forgotten it", kind)
		}
	}
	if telling < 20 {
		t.Errorf("got %d types of events that cause mails, want most of them", telling)
	}
}

func TestTheCommandSaysWhatItNeeds(t *testing.T) {
	for _, args := range [][]string{{}, {"-queue", "x", "-local", "y"}, {"-local", "x", "more"}, {"-nothing"}} {
		if err := run(t.Context(), args, func(string) string { return "" }, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: got no error", args)
		}
	}
	err := run(t.Context(), []string{"-queue", "x"}, func(string) string { return "" }, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("without a region: got %v, want an error that names it", err)
	}
}
