package publish_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/publish"
)

// table keeps feeds and receipts in memory, as dynamo.Store does.
type table struct {
	mu       sync.Mutex
	events   map[string]cloudevents.Event
	held     map[string]time.Time
	sent     map[string]bool
	due      map[string]time.Time
	failSent int // of the next calls of Sent

	hooks      *access.Webhooks
	own        map[string]*access.Webhooks // of customers
	deliveries map[string]int              // how often each was added
}

func (t *table) Webhooks(_ context.Context, customer string) (*access.Webhooks, error) {
	if customer != "" {
		return t.own[customer], nil
	}
	return t.hooks, nil
}

func (t *table) RemoveWebhooks(_ context.Context, customer string) error {
	delete(t.own, customer)
	return nil
}

func (t *table) AddDelivery(_ context.Context, w *access.WebhookDelivery) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deliveries[w.Webhook+" "+w.Event]++
	return len(t.deliveries) == 1, nil
}

func newTable() *table {
	return &table{
		events: map[string]cloudevents.Event{}, held: map[string]time.Time{}, sent: map[string]bool{}, due: map[string]time.Time{},
		deliveries: map[string]int{},
	}
}

func (t *table) Publish(_ context.Context, e cloudevents.Event, now time.Time) (dynamo.Published, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if is, ok := t.events[e.ID]; ok {
		return dynamo.Published{Event: is, Sent: t.sent[e.ID]}, nil
	}
	e = e.At(int64(len(t.events) + 1))
	t.events[e.ID], t.held[e.ID] = e, now.Add(10*time.Second)
	return dynamo.Published{Event: e, New: true}, nil
}

func (t *table) Claim(_ context.Context, id string, now time.Time) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sent[id] || t.held[id].After(now) {
		return false, nil
	}
	t.held[id] = now.Add(10 * time.Second)
	return true, nil
}

func (t *table) Sent(_ context.Context, id string, _ time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failSent > 0 {
		t.failSent--
		return errors.New("the table does not answer")
	}
	t.sent[id] = true
	delete(t.due, id)
	return nil
}

func (t *table) NotSent(_ context.Context, id string, due time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.sent[id] {
		t.due[id] = due
	}
	return nil
}

func (t *table) UnsentShards() int { return 1 }

func (t *table) Unsent(_ context.Context, _ int, now time.Time, limit int) (list []dynamo.Unsent, more bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(t.due)) {
		if at := t.due[id]; !at.After(now) && len(list) < limit {
			e := t.events[id]
			list = append(list, dynamo.Unsent{ID: id, Event: &e, Due: at})
		}
	}
	return list, len(list) == limit, nil
}

// bus takes events unless refuse says otherwise.
type bus struct {
	mu     sync.Mutex
	got    map[string]int
	refuse func(e cloudevents.Event) error
	hang   time.Duration
	calls  int
}

func (b *bus) Put(ctx context.Context, all []cloudevents.Event) []error {
	out := make([]error, len(all))
	if b.hang > 0 {
		select {
		case <-time.After(b.hang):
		case <-ctx.Done():
			for i := range out {
				out[i] = ctx.Err()
			}
			return out
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	for i, e := range all {
		if b.refuse != nil {
			out[i] = b.refuse(e)
		}
		if out[i] == nil {
			b.got[e.ID]++
		}
	}
	return out
}

func setUp() (*publish.Publisher, *table, *bus) {
	t, b := newTable(), &bus{got: map[string]int{}}
	return &publish.Publisher{Table: t, Bus: b, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, t, b
}

func event(n int) cloudevents.Event {
	return cloudevents.FromEvent("https://api.access.example", events.Event{
		ID: fmt.Sprintf("E%03d", n), Type: events.GrantRevoked, Time: time.Now(), Customer: &events.Organisation{ID: "acme"},
	})
}

func TestTheBusGetsEachEventOnceHoweverOftenTheStreamBringsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, b := setUp()
		for range 3 {
			for n := range 5 {
				if err := p.Publish(t.Context(), event(n)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(b.got) != 5 || b.calls != 5 {
			t.Errorf("got %v, want five events, each once", b.got)
		}
	})
}

func TestABusThatHangsHoldsUpTheStreamOnceAndGetsEverythingLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, b := setUp()
		b.hang = time.Hour
		began := time.Now()
		for n := range 250 {
			if err := p.Publish(t.Context(), event(n)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the stream was held up for %s, want two seconds at most", took)
		}
		b.hang = 0
		time.Sleep(time.Minute)
		r, err := p.Retry(t.Context())
		if err != nil || r != (publish.Report{Sent: 250}) || len(b.got) != 250 || b.calls != 25 {
			t.Errorf("got %+v (%v) and %d events in %d calls, want 250 in 25", r, err, len(b.got), b.calls)
		}
	})
}

func TestAnEventThatIsRefusedWaitsAndKeepsBackNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, tb, b := setUp()
		b.refuse = func(cloudevents.Event) error { return errors.New("throttled") }
		for n := range 12 {
			if err := p.Publish(t.Context(), event(n)); err != nil {
				t.Fatal(err)
			}
		}
		b.refuse = func(e cloudevents.Event) error {
			if e.ID == "E003" {
				return errors.New("malformed")
			}
			return nil
		}
		time.Sleep(time.Minute)
		if r, err := p.Retry(t.Context()); err != nil || r != (publish.Report{Sent: 11, Failed: 1}) {
			t.Errorf("got %+v (%v), want eleven sent and one left", r, err)
		}
		time.Sleep(20 * time.Minute)
		if r, err := p.Retry(t.Context()); err == nil || r.Failed != 1 {
			t.Errorf("after 20 minutes: got %+v (%v), want an error, so that somebody looks", r, err)
		}
		b.refuse = nil
		time.Sleep(time.Minute)
		if r, err := p.Retry(t.Context()); err != nil || r.Sent != 1 || len(tb.due) != 0 {
			t.Errorf("healed: got %+v (%v) and %v that waits, want it sent", r, err, tb.due)
		}
	})
}

// Between the bus's answer and the receipt is the only time in which a failure makes a double, which has the same id and sequence.
func TestAReceiptThatIsLostMakesOneDoubleAndNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, tb, b := setUp()
		tb.failSent = 1
		if err := p.Publish(t.Context(), event(1)); err == nil {
			t.Error("got no error, want one, so that the stream brings the event again")
		}
		if err := p.Publish(t.Context(), event(1)); err != nil { // too early: whoever claimed it may be at it still
			t.Fatal(err)
		}
		if b.got["E001"] != 1 {
			t.Errorf("got %d while it was claimed, want one", b.got["E001"])
		}
		time.Sleep(time.Minute)
		for range 3 {
			if _, err := p.Retry(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if b.got["E001"] != 2 {
			t.Errorf("got %d, want two", b.got["E001"])
		}
	})
}

func TestTwoRunsAtOnceSendNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, b := setUp()
		b.refuse = func(cloudevents.Event) error { return errors.New("down") }
		for n := range 100 {
			if err := p.Publish(t.Context(), event(n)); err != nil {
				t.Fatal(err)
			}
		}
		b.refuse, b.hang = nil, 10*time.Millisecond
		time.Sleep(time.Minute)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := p.Retry(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for id, n := range b.got {
			if n != 1 {
				t.Errorf("%s came %d times, want once", id, n)
			}
		}
		if len(b.got) != 100 {
			t.Errorf("got %d events, want 100", len(b.got))
		}
	})
}

func TestWebhooksThatWantAnEventGetADeliveryOfIt(t *testing.T) {
	p, tb, _ := setUp()
	started := map[string]int{}
	p.StartDeliveries = func(_ context.Context, id string) error {
		started[id]++
		return errors.New("no answer") // which the schedule makes up for
	}
	tb.hooks = &access.Webhooks{List: []access.Webhook{
		{ID: "all", Status: access.WebhookActive},
		{ID: "grants", Status: access.WebhookPaused, Types: []string{"grant.*"}},
		{ID: "users", Status: access.WebhookActive, Types: []string{"partner_user.*"}},
		{ID: "acme", Status: access.WebhookActive, Only: "acme", Types: []string{"grant.revoked"}},
		{ID: "globex", Status: access.WebhookActive, Only: "globex"},
		{ID: "unverified", Status: access.WebhookUnverified},
		{ID: "since", Status: access.WebhookActive, Since: event(1).Time},
		{ID: "just after", Status: access.WebhookActive, Since: event(1).Time.Add(30 * time.Second)}, // the event may have been committed later
		{ID: "later", Status: access.WebhookActive, Since: event(1).Time.Add(31 * time.Second)},
		{ID: "disabled", Status: access.WebhookDisabled},
	}}
	for range 2 { // the stream may bring an event twice
		if err := p.Publish(t.Context(), event(1)); err != nil {
			t.Fatal(err)
		}
	}
	got := slices.Sorted(maps.Keys(tb.deliveries))
	if want := []string{"acme E001", "all E001", "grants E001", "just after E001", "since E001"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !maps.Equal(started, map[string]int{"all": 1}) {
		t.Errorf("started %v, want the one of which the table said so", started)
	}
}

func TestACustomersWebhooksGetItsEventsWhereTheyAreSwitchedOn(t *testing.T) {
	for _, on := range []bool{false, true} {
		p, tb, _ := setUp()
		p.CustomerWebhooks = on
		tb.own = map[string]*access.Webhooks{
			"acme":   {List: []access.Webhook{{ID: "acme", Customer: "acme", Status: access.WebhookActive}}},
			"globex": {List: []access.Webhook{{ID: "globex", Customer: "globex", Status: access.WebhookActive}}},
		}
		if err := p.Publish(t.Context(), event(1)); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		if on {
			want["acme E001"] = 1
		}
		if !maps.Equal(tb.deliveries, want) {
			t.Errorf("switched on %v: got %v, want %v", on, tb.deliveries, want)
		}
		removed := cloudevents.FromEvent("https://api.access.example", events.Event{
			ID: "E002", Type: events.CustomerRemoved, Time: time.Now(), Customer: &events.Organisation{ID: "acme"},
		})
		if err := p.Publish(t.Context(), removed); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(tb.deliveries, want) || tb.own["acme"] != nil || tb.own["globex"] == nil {
			t.Errorf("removed: got %v and %v, want no further delivery, and acme's webhooks gone", tb.deliveries, tb.own)
		}
	}
}
