// Package stream decodes the records in batches of the table's stream, and their events, and reports the records that failed to Lambda.
package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"partneraccess/events"
)

const (
	// reserve is the time that must be left to begin another event: one event can mean eighty mails.
	reserve = 20 * time.Second
	// answer is the time for the response itself, so that an event that hangs fails alone and not with its batch.
	answer = 2 * time.Second
)

// Handler calls each with the event of every record of a batch, in the order of the stream, and returns the sequence numbers of the records
// that failed (a partial batch response). It skips records that are no inserted event.
//
// A failed record does not stop those behind it. Lambda takes the lowest number as its checkpoint and delivers that record and all behind
// it again, and when it gives up, all of them go to the dead-letter queue: so whatever is behind a record that can never succeed must have
// been handled the first time, and handling an event again must be harmless.
//
// When the invocation's deadline is near, the rest of the batch is not handled: its first record is reported, which makes Lambda deliver it
// again. The first record of a batch is always handled, so that there is progress.
//
// A payload that is no batch, or a failed record without a sequence number, fails as a whole.
func Handler(each func(context.Context, events.Event) error, log *slog.Logger) lambda.Handler {
	return handler{ofEvents(each), log}
}

// Change is what a record of the stream says: an item of the table has been written. The images are in DynamoDB's JSON.
type Change struct {
	Old json.RawMessage // the item before; empty for a new one
	New json.RawMessage
}

// Reader does something with each change of an item.
type Reader func(context.Context, Change) error

// RecordHandler calls the readers with every record of a batch that wrote an item, in the order of the stream, as Handler does. Each reader
// gets each record, also when another one fails on it: the record has failed when one of them has.
func RecordHandler(log *slog.Logger, readers ...Reader) lambda.Handler {
	return handler{func(ctx context.Context, raw json.RawMessage) (string, []any, error) {
		c, number, err := change(raw)
		if err != nil || c == nil {
			return number, nil, err
		}
		errs := make([]error, len(readers))
		for i, read := range readers {
			errs[i] = read(ctx, *c)
		}
		return number, nil, errors.Join(errs...)
	}, log}
}

// change returns what a record says of an item that was written; nil when it says that one was deleted.
func change(raw json.RawMessage) (*Change, string, error) {
	var r struct {
		EventName string `json:"eventName"`
		DynamoDB  struct {
			SequenceNumber string          `json:"SequenceNumber"`
			OldImage       json.RawMessage `json:"OldImage"`
			NewImage       json.RawMessage `json:"NewImage"`
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		number, _ := sequenceNumber(raw)
		return nil, number, fmt.Errorf("decode the record: %w", err)
	}
	number := r.DynamoDB.SequenceNumber
	switch {
	case r.EventName == "REMOVE":
		return nil, number, nil
	case len(r.DynamoDB.NewImage) == 0:
		return nil, number, errors.New("the record has no new image")
	}
	return &Change{Old: r.DynamoDB.OldImage, New: r.DynamoDB.NewImage}, number, nil
}

// handler handles batches. Each handles one record and returns its sequence number, if it has one, and what to log of a failure beside.
type handler struct {
	each func(context.Context, json.RawMessage) (number string, about []any, err error)
	log  *slog.Logger
}

// ofEvents handles the records that are inserted events.
func ofEvents(each func(context.Context, events.Event) error) func(context.Context, json.RawMessage) (string, []any, error) {
	return func(ctx context.Context, raw json.RawMessage) (string, []any, error) {
		e, number, err := decode(raw)
		if err != nil || e == nil {
			return number, nil, err
		}
		return number, []any{"event_id", e.ID, "event_type", e.Type}, each(ctx, *e)
	}
}

// record has the fields of a stream record that are needed. Decoding the rest could only fail.
type record struct {
	EventName string `json:"eventName"`
	DynamoDB  struct {
		SequenceNumber string                     `json:"SequenceNumber"`
		NewImage       map[string]json.RawMessage `json:"NewImage"`
	} `json:"dynamodb"`
}

type failure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

type response struct {
	BatchItemFailures []failure `json:"batchItemFailures"`
}

// Invoke implements lambda.Handler.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var batch struct {
		Records []json.RawMessage `json:"Records"`
	}
	if err := json.Unmarshal(payload, &batch); err != nil {
		return nil, fmt.Errorf("the payload is no batch of a stream: %w", err)
	}
	if c, ok := lambdacontext.FromContext(ctx); ok {
		h.log = h.log.With("request_id", c.AwsRequestID)
	}
	deadline, bounded := ctx.Deadline()
	if bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answer))
		defer cancel()
	}

	out := response{BatchItemFailures: []failure{}}
	for i, raw := range batch.Records {
		late := bounded && i > 0 && time.Until(deadline) < reserve
		var number string
		err := errLate
		if late {
			number, _ = sequenceNumber(raw)
		} else {
			number, err = h.handle(ctx, raw)
		}
		if err == nil {
			continue
		}
		if number == "" { // Lambda would take an empty identifier as the failure of the whole batch: say it as such
			return nil, fmt.Errorf("record %d of the batch has no sequence number: %w", i, err)
		}
		out.BatchItemFailures = append(out.BatchItemFailures, failure{number})
		if late {
			h.log.Warn("out of time, the rest of the batch must come again", "sequence_number", number, "left", len(batch.Records)-i)
			break
		}
	}
	return json.Marshal(out)
}

var errLate = errors.New("out of time")

// handle handles one record and returns its sequence number, if it has one.
func (h handler) handle(ctx context.Context, raw json.RawMessage) (string, error) {
	number, about, err := h.each(ctx, raw)
	if err != nil {
		h.log.With(about...).Error("a record of the stream failed", "sequence_number", number, "error", err.Error())
	}
	return number, err
}

// decode returns the event of a record; nil when it has none.
func decode(raw json.RawMessage) (*events.Event, string, error) {
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		number, _ := sequenceNumber(raw)
		return nil, number, fmt.Errorf("decode the record: %w", err)
	}
	number := r.DynamoDB.SequenceNumber
	// The same as the stream's filter in the manifest: its T# is how the keys of events begin.
	sortKey, _ := text(r.DynamoDB.NewImage["sk"])
	if r.EventName != "INSERT" || !strings.HasPrefix(sortKey, "T#") {
		return nil, number, nil
	}
	data, ok := text(r.DynamoDB.NewImage["event"])
	if !ok {
		return nil, number, errors.New("the record's item has no attribute event that is a text")
	}
	var e events.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return nil, number, fmt.Errorf("decode the event: %w", err)
	}
	if e.ID == "" || e.Type == "" {
		return nil, number, errors.New("the event has no id or no type")
	}
	return &e, number, nil
}

// text is the value of a string attribute.
func text(attribute json.RawMessage) (string, bool) {
	var a struct{ S *string }
	if len(attribute) == 0 || json.Unmarshal(attribute, &a) != nil || a.S == nil {
		return "", false
	}
	return *a.S, true
}

// sequenceNumber returns the sequence number of a record even when the rest of it is malformed.
func sequenceNumber(raw json.RawMessage) (string, bool) {
	var r, d map[string]json.RawMessage
	var number string
	if json.Unmarshal(raw, &r) != nil || json.Unmarshal(r["dynamodb"], &d) != nil || json.Unmarshal(d["SequenceNumber"], &number) != nil {
		return "", false
	}
	return number, number != ""
}
