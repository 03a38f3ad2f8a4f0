package stream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"partneraccess/events"
	"partneraccess/shared/stream"
)

// item is a record that inserts the event of that id, as Lambda spells it.
func item(number, id string) string {
	e, err := json.Marshal(events.Event{
		ID: id, Type: events.GrantCreated, Time: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Customer: &events.Organisation{ID: "acme"}, Partner: &events.Organisation{ID: "initech"},
	})
	if err != nil {
		panic(err)
	}
	return insert(number, "T#"+id, fmt.Sprintf(`"event":{"S":%q}`, e))
}

func insert(number, sortKey, attributes string) string {
	return fmt.Sprintf(`{"eventID":"c4ca4238","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-central-1",
		"dynamodb":{"ApproximateCreationDateTime":1795341600,"Keys":{"pk":{"S":"C#acme"},"sk":{"S":%q}},
		"NewImage":{"pk":{"S":"C#acme"},"sk":{"S":%[1]q},"type":{"S":"grant.created"},%s},
		"SequenceNumber":%q,"SizeBytes":311,"StreamViewType":"NEW_AND_OLD_IMAGES"},
		"eventSourceARN":"arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/2026-11-22T00:00:00.000"}`, sortKey, attributes, number)
}

func batch(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

var quiet = slog.New(slog.DiscardHandler)

// run gives a batch to a handler that fails for the poisoned ids; it returns the ids handled and the numbers reported.
func run(t *testing.T, payload []byte, poisoned ...string) (handled, failed []string) {
	t.Helper()
	h := stream.Handler(func(_ context.Context, e events.Event) error {
		handled = append(handled, e.ID)
		if slices.Contains(poisoned, e.ID) {
			return errors.New("poison")
		}
		return nil
	}, quiet)
	out, err := h.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	return handled, numbers(t, out)
}

func numbers(t *testing.T, out []byte) []string {
	t.Helper()
	var r struct {
		BatchItemFailures *[]struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(out, &r); err != nil || r.BatchItemFailures == nil {
		t.Fatalf("got %s (%v), want a partial batch response", out, err)
	}
	var got []string
	for _, f := range *r.BatchItemFailures {
		got = append(got, f.ItemIdentifier)
	}
	return got
}

func TestABatchIsHandledInOrderAndFailuresHaveSequenceNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		records  []string
		poisoned []string
		handled  []string
		failed   []string
	}{
		"no records": {},
		"in order": {
			records: []string{item("101", "A"), item("102", "B"), item("103", "C")},
			handled: []string{"A", "B", "C"},
		},
		"a record that comes twice is handed on twice: receipts tell copies apart": {
			records: []string{item("101", "A"), item("101", "A")},
			handled: []string{"A", "A"},
		},
		"a poisoned record does not hold up those behind it": {
			records: []string{item("101", "A"), item("102", "B"), item("103", "C")}, poisoned: []string{"B"},
			handled: []string{"A", "B", "C"}, failed: []string{"102"},
		},
		"several failures": {
			records: []string{item("101", "A"), item("102", "B"), item("103", "C")}, poisoned: []string{"A", "C"},
			handled: []string{"A", "B", "C"}, failed: []string{"101", "103"},
		},
		"what is no inserted event is passed over": {
			records: []string{
				insert("101", "G#initech", `"id":{"S":"x"}`),
				strings.Replace(item("102", "A"), "INSERT", "MODIFY", 1),
				strings.Replace(strings.Replace(item("103", "B"), "INSERT", "REMOVE", 1), "NewImage", "OldImage", 1),
				strings.Replace(item("104", "C"), `"sk":{"S"`, `"sk":{"B"`, 2),
				item("105", "D"),
			},
			handled: []string{"D"},
		},
		"a malformed record fails alone": {
			records: []string{
				insert("101", "T#A", `"event":{"S":"{"}`),
				insert("102", "T#B", `"event":{"S":"{}"}`),
				insert("103", "T#C", `"event":{"N":"1"}`),
				insert("104", "T#D", `"nothing":{"NULL":true}`),
				`{"eventName":7,"dynamodb":{"SequenceNumber":"105"}}`,
				insert("106", "T#F", `"event":{"S":"{\"id\":7}"}`),
				item("107", "G"),
			},
			handled: []string{"G"}, failed: []string{"101", "102", "103", "104", "105", "106"},
		},
		"an attribute of an unknown kind elsewhere does not matter": {
			records: []string{strings.Replace(item("101", "A"), `"type":{"S":"grant.created"}`, `"type":{"FUTURE":[1]}`, 1)},
			handled: []string{"A"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			handled, failed := run(t, batch(c.records...), c.poisoned...)
			if !slices.Equal(handled, c.handled) {
				t.Errorf("handled: got %v, want %v", handled, c.handled)
			}
			if !slices.Equal(failed, c.failed) {
				t.Errorf("reported: got %v, want %v", failed, c.failed)
			}
		})
	}
}

func TestAnEventArrivesAsItWasWritten(t *testing.T) {
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	want := events.Event{
		ID: "01K", Type: events.GrantExpiring, Time: time.Date(2026, 11, 22, 10, 0, 0, 5_000_000, time.UTC), Actor: events.Actor{Kind: "clock"},
		Customer: &events.Organisation{ID: "acme", Name: `Acme "Ö" <&>`, Contacts: []string{"it@acme.example"}},
		Data:     events.Data{Until: &until, Days: 7},
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(string(data))
	if err != nil {
		t.Fatal(err)
	}
	var got events.Event
	h := stream.Handler(func(_ context.Context, e events.Event) error { got = e; return nil }, quiet)
	if _, err := h.Invoke(t.Context(), batch(insert("101", "T#01K", `"event":{"S":`+string(quoted)+`}`))); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("got %s (%v), want %s", again, err, data)
	}
}

func TestAFailureThatCannotBeNamedFailsTheWholeBatch(t *testing.T) {
	h := stream.Handler(func(context.Context, events.Event) error { return errors.New("poison") }, quiet)
	for _, payload := range []string{
		``, `7`, `{"Records":7}`,
		string(batch(item("101", "A"), item("", "B"))),
		string(batch(`7`)),
		string(batch(`{"eventName":7,"dynamodb":{"SequenceNumber":7}}`)),
	} {
		if out, err := h.Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%.60s: got %s, want an error", payload, out)
		}
	}
}

func TestNearTheDeadlineTheRestOfTheBatchIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var handled []string
		h := stream.Handler(func(_ context.Context, e events.Event) error {
			time.Sleep(15 * time.Second) // of the bubble's clock
			handled = append(handled, e.ID)
			if e.ID == "A" {
				return errors.New("poison")
			}
			return nil
		}, quiet)
		out, err := h.Invoke(ctx, batch(item("101", "A"), item("102", "B"), item("103", "C"), item("104", "D"), item("105", "E")))
		if err != nil {
			t.Fatal(err)
		}
		// After the third, 15 seconds are left.
		if want := []string{"A", "B", "C"}; !slices.Equal(handled, want) {
			t.Errorf("handled: got %v, want %v", handled, want)
		}
		if got, want := numbers(t, out), []string{"101", "104"}; !slices.Equal(got, want) {
			t.Errorf("reported: got %v, want the failure and the first that was left, %v", got, want)
		}
	})
}

func TestTheFirstRecordIsTriedHoweverLittleTimeThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var handled []string
		h := stream.Handler(func(_ context.Context, e events.Event) error { handled = append(handled, e.ID); return nil }, quiet)
		out, err := h.Invoke(ctx, batch(item("101", "A"), item("102", "B")))
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"A"}; !slices.Equal(handled, want) {
			t.Errorf("handled: got %v, want %v", handled, want)
		}
		if got, want := numbers(t, out), []string{"102"}; !slices.Equal(got, want) {
			t.Errorf("reported: got %v, want %v", got, want)
		}
	})
}

func TestAnEventThatHangsFailsInTimeForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		h := stream.Handler(func(ctx context.Context, _ events.Event) error { <-ctx.Done(); return ctx.Err() }, quiet)
		out, err := h.Invoke(ctx, batch(item("101", "A"), item("102", "B")))
		if err != nil {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			t.Error("the answer came after the deadline")
		}
		if got, want := numbers(t, out), []string{"101", "102"}; !slices.Equal(got, want) {
			t.Errorf("reported: got %v, want %v", got, want)
		}
	})
}

func FuzzABatchNeverPanicsAndReportsNoEmptyNumber(f *testing.F) {
	f.Add(batch(item("101", "A")))
	f.Add(batch(insert("101", "T#A", `"event":{"S":"{"}`)))
	f.Add([]byte(`{"Records":[{"dynamodb":{"SequenceNumber":"1","NewImage":{"sk":null}}}]}`))
	h := stream.Handler(func(context.Context, events.Event) error { return errors.New("poison") }, quiet)
	f.Fuzz(func(t *testing.T, payload []byte) {
		out, err := h.Invoke(t.Context(), payload)
		if err == nil && slices.Contains(numbers(t, out), "") {
			t.Errorf("got an empty number in %s", out)
		}
	})
}
