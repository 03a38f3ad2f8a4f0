package dynamo_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/dynamo"
)

func published(id string) cloudevents.Event {
	return cloudevents.FromEvent("https://api.access.example", events.Event{
		ID: id, Type: events.GrantRevoked, Time: noon, Customer: &events.Organisation{ID: "acme"}, Partner: &events.Organisation{ID: "contoso"},
	})
}

func TestAFeedIsNumberedWithoutGapsAndEachEventIsInItOnce(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	var wg sync.WaitGroup
	for worker := range 3 { // two of which publish the same events
		wg.Go(func() {
			for i := range 20 {
				p, err := tb.Publish(t.Context(), published(fmt.Sprintf("E%d-%02d", worker%2, i)), noon)
				if err != nil || p.Sent {
					t.Errorf("worker %d: got %+v (%v), want the event", worker, p, err)
				}
			}
		})
	}
	wg.Wait()
	var got []string
	for after := int64(0); after < 40; {
		page, err := tb.Section(t.Context(), "customers/acme", after, 7, noon)
		if err != nil || len(page.Events) == 0 || page.Latest != 40 {
			t.Fatalf("after %d: got %+v (%v), want further events", after, page, err)
		}
		for _, e := range page.Events {
			after++
			if e.Sequence != cloudevents.Number(after) {
				t.Errorf("got the number %s, want %d", e.Sequence, after)
			}
			got = append(got, e.ID)
		}
	}
	slices.Sort(got)
	if len(got) != 40 || len(slices.Compact(got)) != 40 {
		t.Errorf("got %d events %q, want 40, each once", len(got), got)
	}
}

// numbers are the places of a section's events.
func numbers(s cloudevents.Section) []int64 {
	var out []int64
	for _, e := range s.Events {
		out = append(out, e.Place())
	}
	return out
}

// Two events are published each day, and DynamoDB deletes none of them on its own here.
func TestEventsAreReadForThirtyDays(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for i := range 10 {
		if _, err := tb.Publish(t.Context(), published(fmt.Sprintf("E%d", i)), noon.Add(time.Duration(i/2)*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	end := noon.Add(dynamo.KeepFeed)
	const oldest = -1
	for _, c := range []struct {
		about string
		after int64
		limit int
		at    time.Time
		want  []int64
		gone  bool
	}{
		{"from the oldest", oldest, 3, noon, []int64{1, 2, 3}, false},
		{"from the first", 0, 3, noon, []int64{1, 2, 3}, false},
		{"the next", 3, 3, noon, []int64{4, 5, 6}, false},
		{"the last", 9, 3, noon, []int64{10}, false},
		{"at the end", 10, 3, noon, nil, false},
		{"beyond it", 11, 3, noon, nil, false},
		{"far beyond it", 1<<63 - 1, 3, noon, nil, false},
		{"a moment before the first expires", 0, 3, end.Add(-time.Second), []int64{1, 2, 3}, false},
		{"when the first two have expired", 0, 3, end, nil, true},
		{"after one that has expired, before another", 1, 3, end, nil, true},
		{"after the last that has expired", 2, 3, end, []int64{3, 4, 5}, false},
		{"from the oldest, when two have expired", oldest, 3, end, []int64{3, 4, 5}, false},
		{"from the oldest, behind a page that has", oldest, 1, end.Add(72 * time.Hour), []int64{9}, false},
		{"when all have expired", 3, 3, end.Add(96 * time.Hour), nil, true},
		{"at the end, when all have expired", 10, 3, end.Add(96 * time.Hour), nil, false},
		{"from the oldest, when all have expired", oldest, 3, end.Add(96 * time.Hour), nil, false},
	} {
		got, err := tb.Section(t.Context(), "customers/acme", c.after, c.limit, c.at)
		if err != nil || !slices.Equal(numbers(got), c.want) || got.Gone != c.gone || got.Latest != 10 {
			t.Errorf("%s: got %d, gone %t, latest %d (%v), want %d, gone %t", c.about, numbers(got), got.Gone, got.Latest, err, c.want, c.gone)
		}
	}
	got, err := tb.Section(t.Context(), "customers/globex", oldest, 3, noon)
	if err != nil || got.Events != nil || got.Latest != 0 || got.Gone {
		t.Errorf("of an organisation without events: got %+v (%v)", got, err)
	}
}

// DynamoDB deletes in no order: what a deleted event leaves is no gap that a reader passes over.
func TestASectionEndsBeforeAnEventThatWasDeleted(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	for i := range 5 {
		if _, err := tb.Publish(t.Context(), published(fmt.Sprintf("E%d", i)), noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tb.raw.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &tb.name, Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "F#customers/acme"}, "sk": &types.AttributeValueMemberS{Value: "E#" + cloudevents.Number(3)},
	}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after int64
		want  []int64
		gone  bool
	}{{0, []int64{1, 2}, false}, {-1, []int64{1, 2}, false}, {2, nil, true}, {3, []int64{4, 5}, false}} {
		got, err := tb.Section(t.Context(), "customers/acme", c.after, 10, noon)
		if err != nil || !slices.Equal(numbers(got), c.want) || got.Gone != c.gone {
			t.Errorf("after %d: got %d, gone %t (%v), want %d, gone %t", c.after, numbers(got), got.Gone, err, c.want, c.gone)
		}
	}
}

// Nothing is lost to who reads while others publish, however the reads and the transactions overlap.
func TestWhoReadsWhileOthersPublishMissesNothing(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	const events = 60
	var wg sync.WaitGroup
	for worker := range 2 {
		wg.Go(func() {
			for i := range events / 2 {
				if _, err := tb.Publish(t.Context(), published(fmt.Sprintf("E%d-%02d", worker, i)), noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]bool{}
	for after := int64(0); after < events && !t.Failed(); {
		got, err := tb.Section(t.Context(), "customers/acme", after, 7, noon)
		if err != nil || got.Gone {
			t.Fatalf("after %d: got %+v (%v)", after, got, err)
		}
		for _, e := range got.Events {
			if after++; e.Place() != after {
				t.Fatalf("got the number %d after %d", e.Place(), after-1)
			}
			seen[e.ID] = true
		}
	}
	wg.Wait()
	if len(seen) != events {
		t.Errorf("got %d events, want %d", len(seen), events)
	}
}

func TestAnEventWaitsForTheBusUntilItHasIt(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	waiting := func(at time.Time) (ids []string) {
		t.Helper()
		for shard := range tb.UnsentShards() {
			list, _, err := tb.Unsent(t.Context(), shard, at, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range list {
				if u.Event == nil || u.Event.ID != u.ID || !u.Due.Equal(noon) {
					t.Errorf("got %+v, want the event, due at noon", u)
				}
				ids = append(ids, u.ID)
			}
		}
		return ids
	}
	if _, err := tb.Publish(t.Context(), published("E1"), noon); err != nil {
		t.Fatal(err)
	}
	if got := waiting(noon); got != nil {
		t.Errorf("before an attempt: got %q, want nothing that waits", got)
	}
	if err := tb.NotSent(t.Context(), "E1", noon); err != nil {
		t.Fatal(err)
	}
	if got := waiting(noon.Add(-time.Second)); got != nil {
		t.Errorf("before it is due: got %q, want nothing", got)
	}
	if got := waiting(noon); !slices.Equal(got, []string{"E1"}) {
		t.Errorf("when it is due: got %q, want E1", got)
	}
	if err := tb.Sent(t.Context(), "E1", noon); err != nil {
		t.Fatal(err)
	}
	if err := tb.NotSent(t.Context(), "E1", noon); err != nil {
		t.Fatal(err)
	}
	if got := waiting(noon.Add(time.Hour)); got != nil {
		t.Errorf("once the bus has it: got %q, want nothing", got)
	}
	p, err := tb.Publish(t.Context(), published("E1"), noon)
	if err != nil || !p.Sent || p.Event.Sequence != cloudevents.Number(1) {
		t.Errorf("published again: got %+v (%v), want number 1, which was sent", p, err)
	}
}

// Whoever reads the same change twice gets the same ids, and what is no change of a record's version means nothing.
func TestNewsOfAnItem(t *testing.T) {
	t.Parallel()
	image := func(version int, status string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"pk":{"S":"P#contoso"},"sk":{"S":"P"},"id":{"S":"contoso"},"name":{"S":"Contoso"},"class":{"S":"channel"},
			"offer":{"S":"manage"},"status":{"S":%q},"version":{"N":"%d"},"changed":{"S":"2027-03-03T09:30:00.000Z"}}`, status, version))
	}
	suspended, err := dynamo.NewsOf(image(1, "active"), image(2, "suspended"))
	if err != nil || len(suspended.Shifts) != 1 || !suspended.Shifts[0].Lost || suspended.Shifts[0].Partner != "contoso" {
		t.Fatalf("got %+v (%v), want that its people have lost access", suspended, err)
	}
	again, err := dynamo.NewsOf(image(1, "active"), image(2, "suspended"))
	if err != nil || !slices.Equal(again.IDs, suspended.IDs) || len(again.IDs[0]) != 26 {
		t.Errorf("read again: got the ids %q (%v), want %q", again.IDs, err, suspended.IDs)
	}
	other, err := dynamo.NewsOf(image(3, "active"), image(4, "suspended"))
	if err != nil || other.IDs[0] == suspended.IDs[0] {
		t.Errorf("another change: got the ids %q (%v), want others", other.IDs, err)
	}
	for name, images := range map[string][2]json.RawMessage{
		"a hold, which is no version": {image(2, "active"), image(2, "active")},
		"a new partner":               {nil, image(1, "active")},
		"a version of a record":       {nil, json.RawMessage(`{"pk":{"S":"Z#PP#contoso"},"sk":{"S":"V#1"},"version":{"N":"1"}}`)},
		"an event that was rewritten": {json.RawMessage(`{"pk":{"S":"P#c"}}`), json.RawMessage(`{"pk":{"S":"P#c"},"sk":{"S":"T#1"},"event":{"S":"{}"}}`)},
	} {
		if n, err := dynamo.NewsOf(images[0], images[1]); err != nil || n.Event != nil || len(n.Shifts) > 0 {
			t.Errorf("%s: got %+v (%v), want nothing", name, n, err)
		}
	}
	n, err := dynamo.NewsOf(nil, json.RawMessage(`{"pk":{"S":"P#c"},"sk":{"S":"T#1"},"event":{"S":"{\"id\":\"1\",\"type\":\"user.created\"}"}}`))
	if err != nil || n.Event == nil || n.Event.Type != events.UserCreated {
		t.Errorf("an event: got %+v (%v), want user.created", n, err)
	}
}
