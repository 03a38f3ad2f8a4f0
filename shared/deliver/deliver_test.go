package deliver_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/deliver"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/service"
	"partneraccess/shared/webhook"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// sender is an address, or several, in memory.
type sender struct {
	mu     sync.Mutex
	got    map[string]map[string]int // how often each event came, by address
	answer func(ctx context.Context, address string) (webhook.Answer, error)
}

func (s *sender) Post(ctx context.Context, address string, header http.Header, _ []byte) (webhook.Answer, error) {
	s.mu.Lock()
	if s.got[address] == nil {
		s.got[address] = map[string]int{}
	}
	s.got[address][header.Get("webhook-id")]++
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		return answer(ctx, address)
	}
	return webhook.Answer{Status: http.StatusNoContent}, nil
}

func (s *sender) count(address string) (events, sent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.got[address] {
		sent += n
	}
	return len(s.got[address]), sent
}

// place is a table with active webhooks, and workers at it.
type place struct {
	*sender
	t     testing.TB
	store *dynamo.Store
	db    *dynamodb.Client
	table string
	hooks []access.Webhook
	clock atomic.Int64 // of the service, nanoseconds since 1970
}

func newPlace(t testing.TB, hooks int) *place {
	t.Helper()
	db, table := engine.Shared(t).Client(), "deliver-"+rand.Text()
	if err := dynamo.CreateTable(t.Context(), db, table, false); err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, store: dynamo.New(db, table), db: db, table: table, sender: &sender{got: map[string]map[string]int{}}}
	p.clock.Store(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC).UnixNano())
	secret, err := webhook.NewSecret(webhook.V1, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	all := &access.Webhooks{Version: 1}
	for i := range hooks {
		all.List = append(all.List, access.Webhook{
			ID: fmt.Sprintf("whk_%d", i), URL: fmt.Sprintf("https://%d.example/", i), Status: access.WebhookActive, Kind: "v1",
			Secret: secret.Text(), Created: p.now(), Updated: p.now(), Number: 1,
		})
	}
	p.hooks = all.List
	p.must(p.store.Apply(t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
		return access.Change{At: p.now(), Writes: []access.Write{access.WebhooksWrite{After: all}}}, nil, nil
	}))
	return p
}

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) now() time.Time                      { return time.Unix(0, p.clock.Load()).UTC() }
func (p *place) advance(d time.Duration)             { p.clock.Add(int64(d)) }
func (p *place) worker() *deliver.Worker             { return p.workerAt(p.store) }
func (p *place) start(context.Context, string) error { return nil }

func (p *place) workerAt(store deliver.Store) *deliver.Worker {
	log := slog.New(slog.DiscardHandler)
	return &deliver.Worker{
		Store: store, Service: &service.Service{Store: p.store, Now: p.now, NewID: func() string { return ulid.Make().String() }, Log: log},
		Sender: p.sender, Start: p.start, Now: p.now, NewID: rand.Text, Log: log,
	}
}

// add adds deliveries of that many new events to a webhook.
func (p *place) add(hook, events int) {
	p.t.Helper()
	pc := access.PlanContext{Now: p.now()}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range events / 8 {
				d := access.NewDelivery(&p.hooks[hook], ulid.Make().String(), "grant.ended", []byte(`{"id":"…"}`), pc).After
				for range 2 { // the stream may bring an event twice
					if _, err := p.store.AddDelivery(p.t.Context(), d); err != nil {
						p.t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestManyWorkersSendEachDeliveryOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.add(0, 200)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := p.worker().Deliver(t.Context(), "whk_0"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if events, sent := p.count("https://0.example/"); events != 200 || sent != 200 {
		t.Errorf("got %d events in %d messages, want 200, each once", events, sent)
	}
}

// leaving adds a delivery in the moment in which a worker has found nothing more and is about to leave.
type leaving struct {
	*dynamo.Store
	before func()
}

func (l leaving) LeaveQueue(ctx context.Context, id, worker string, seen dynamo.Queue, due time.Time) (bool, error) {
	l.before()
	return l.Store.LeaveQueue(ctx, id, worker, seen, due)
}

func TestWhatComesWhileAWorkerLeavesIsSentByIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.add(0, 8)
	var once sync.Once
	w := p.workerAt(leaving{p.store, func() { once.Do(func() { p.add(0, 8) }) }})
	if _, err := w.Deliver(t.Context(), "whk_0"); err != nil {
		t.Fatal(err)
	}
	if events, sent := p.count("https://0.example/"); events != 16 || sent != 16 {
		t.Errorf("got %d events in %d messages, want all 16", events, sent)
	}
}

// faulty fails calls at random, before or after they have happened.
type faulty struct {
	*dynamo.Store
	rate     *atomic.Int64 // of a hundred
	unmarked *atomic.Int64 // records of an attempt that were not written
}

var errFault = errors.New("the table does not answer")

func (f faulty) fails() bool { return mathrand.Int64N(100) < f.rate.Load() } //nolint:gosec // a fault is no secret

func (f faulty) HoldQueue(ctx context.Context, id, worker string, now, until time.Time) (*dynamo.Queue, error) {
	if f.fails() {
		return nil, errFault
	}
	q, err := f.Store.HoldQueue(ctx, id, worker, now, until)
	if f.fails() {
		return nil, errFault
	}
	return q, err
}

func (f faulty) LeaveQueue(ctx context.Context, id, worker string, seen dynamo.Queue, due time.Time) (bool, error) {
	if f.fails() {
		return false, errFault
	}
	left, err := f.Store.LeaveQueue(ctx, id, worker, seen, due)
	if f.fails() {
		return false, errFault
	}
	return left, err
}

func (f faulty) ClaimDelivery(ctx context.Context, id, event string, now, until time.Time) (*access.WebhookDelivery, error) {
	if f.fails() {
		return nil, errFault
	}
	d, err := f.Store.ClaimDelivery(ctx, id, event, now, until)
	if f.fails() {
		return nil, errFault
	}
	return d, err
}

func (f faulty) NoteQueue(ctx context.Context, id, worker string, seen dynamo.Queue, n *access.WebhookNotice) (bool, error) {
	if f.fails() {
		return false, errFault
	}
	ok, err := f.Store.NoteQueue(ctx, id, worker, seen, n)
	if f.fails() {
		return false, errFault
	}
	return ok, err
}

func (f faulty) RecordDelivery(ctx context.Context, d *access.WebhookDelivery) error {
	if ctx.Err() != nil || f.fails() {
		f.unmarked.Add(1)
		return errFault
	}
	err := f.Store.RecordDelivery(ctx, d)
	if err != nil {
		f.unmarked.Add(1)
	} else if f.fails() {
		return errFault
	}
	return err
}

func (f faulty) PendingDeliveries(ctx context.Context, id string, due []string, now time.Time) ([]*access.WebhookDelivery, error) {
	if f.fails() {
		return nil, errFault
	}
	return f.Store.PendingDeliveries(ctx, id, due, now)
}

func (f faulty) RecordDeliveries(ctx context.Context, all []*access.WebhookDelivery) error {
	if ctx.Err() != nil || f.fails() {
		f.unmarked.Add(int64(len(all)))
		return errFault
	}
	err := f.Store.RecordDeliveries(ctx, all)
	if err != nil {
		f.unmarked.Add(int64(len(all)))
	} else if f.fails() {
		return errFault
	}
	return err
}

// Whatever fails, each event arrives, and comes twice only where its attempt could not be recorded, with the same id.
func TestFaultsLoseNothingAndDoubleOnlyWhatIsNotRecorded(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	const events = 80
	p.add(0, events)
	f := faulty{p.store, new(atomic.Int64), new(atomic.Int64)}
	f.rate.Store(15)
	for round := 0; ; round++ {
		if round == 60 {
			f.rate.Store(0)
		}
		_, err := p.workerAt(f).Deliver(t.Context(), "whk_0")
		if err != nil && !errors.Is(err, errFault) && !errors.Is(err, context.Canceled) {
			t.Log(err)
		}
		p.advance(2 * time.Minute) // leases and claims end, and the schedule comes
		due, next, err := p.store.DueDeliveries(t.Context(), "whk_0", p.now(), 100)
		p.must(err)
		if len(due) == 0 && next.IsZero() {
			break
		}
		if round == 100 {
			t.Fatalf("%d deliveries still wait", len(due))
		}
	}
	arrived, sent := p.count("https://0.example/")
	if arrived != events || int64(sent-arrived) > f.unmarked.Load() {
		t.Errorf("got %d events in %d messages, want all %d, and doubles only of the %d that were not recorded", arrived, sent, events,
			f.unmarked.Load())
	}
	if due, _, err := p.store.DueQueues(t.Context(), shardWith(t, p), p.now(), "", 10); err != nil || len(due) > 1 {
		t.Errorf("got %q (%v) due", due, err)
	}
}

// shardWith is the shard of the queue of the place's first webhook.
func shardWith(t *testing.T, p *place) int {
	t.Helper()
	p.add(0, 8)
	for shard := range p.store.QueueShards() {
		due, _, err := p.store.DueQueues(t.Context(), shard, p.now().Add(time.Hour), "", 10)
		p.must(err)
		if len(due) > 0 {
			return shard
		}
	}
	t.Fatal("no shard has the webhook")
	return 0
}

func TestTheScheduleStartsAnExecutionForEachWebhookThatIsDue(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 12)
	for i := range 12 {
		p.add(i, 8)
	}
	if _, err := p.worker().Deliver(t.Context(), "whk_3"); err != nil {
		t.Fatal(err)
	}
	p.advance(time.Second)
	started := map[string]int{}
	w := p.worker()
	w.Start = func(_ context.Context, id string) error {
		started[id]++
		return nil
	}
	out, err := w.Handler().Invoke(t.Context(), []byte(`{"detail-type":"Scheduled Event"}`))
	p.must(err)
	var r deliver.Report
	p.must(json.Unmarshal(out, &r))
	if r.Started != 11 || len(started) != 11 || started["whk_3"] > 0 {
		t.Errorf("got %v, want all but the one in which nothing is due", started)
	}
}

// An address that does not answer is tried a few times and left alone, and its execution ends.
func TestAnAddressThatFailsIsLeftAloneForAWhileThatGrows(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.add(0, 400)
	p.answer = func(context.Context, string) (webhook.Answer, error) {
		return webhook.Answer{}, errors.New("no answer")
	}
	for range 60 { // an hour of schedules
		if _, err := p.worker().Deliver(t.Context(), "whk_0"); err != nil {
			t.Fatal(err)
		}
		p.advance(time.Minute)
	}
	_, total := p.count("https://0.example/")
	if total < 50 || total > 500 {
		t.Errorf("got %d attempts in an hour, want few: of 400 events, each is due several times", total)
	}
	p.answer = nil
	for range 20 {
		p.advance(time.Hour)
		if _, err := p.worker().Deliver(t.Context(), "whk_0"); err != nil {
			t.Fatal(err)
		}
	}
	if events, _ := p.count("https://0.example/"); events != 400 {
		t.Errorf("got %d events in the end, want all 400", events)
	}
}

// stopped is a table that a worker no longer reaches when it would record for the first time.
type stopped struct {
	*dynamo.Store
	once *sync.Once
}

func (s stopped) RecordDeliveries(ctx context.Context, all []*access.WebhookDelivery) error {
	err := s.Store.RecordDeliveries
	s.once.Do(func() { err = func(context.Context, []*access.WebhookDelivery) error { return errFault } })
	return err(ctx, all)
}

func TestAWorkerThatIsStoppedHasOneStretchSentAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.add(0, 80)
	s := stopped{p.store, new(sync.Once)}
	if _, err := p.workerAt(s).Deliver(t.Context(), "whk_0"); !errors.Is(err, errFault) {
		t.Fatalf("got %v, want the worker to be stopped", err)
	}
	if _, err := p.workerAt(s).Deliver(t.Context(), "whk_0"); err != nil {
		t.Fatal(err)
	}
	if _, sent := p.count("https://0.example/"); sent != 32 {
		t.Errorf("got %d messages while the lease runs, want those of the first alone", sent)
	}
	p.advance(2 * time.Minute)
	if _, err := p.workerAt(s).Deliver(t.Context(), "whk_0"); err != nil {
		t.Fatal(err)
	}
	if events, sent := p.count("https://0.example/"); events != 80 || sent != 80+32 {
		t.Errorf("got %d events in %d messages, want 80, of which one stretch of 32 twice", events, sent)
	}
}

// behind is a table whose index has had nothing removed from it.
type behind struct {
	*dynamo.Store
	left []string // of the next look-ups
}

func (b *behind) DueDeliveries(ctx context.Context, id string, now time.Time, limit int) ([]string, time.Time, error) {
	due, next, err := b.Store.DueDeliveries(ctx, id, now, limit)
	if len(due) > 0 {
		b.left = due
		return due, next, err
	}
	due, b.left = b.left, nil
	return due, next, err
}

func TestWhatTheIndexStillHasIsNotSentAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.add(0, 80)
	if _, err := p.workerAt(&behind{Store: p.store}).Deliver(t.Context(), "whk_0"); err != nil {
		t.Fatal(err)
	}
	if events, sent := p.count("https://0.example/"); events != 80 || sent != 80 {
		t.Errorf("got %d events in %d messages, want 80, each once", events, sent)
	}
}

// told are the notices about the place's webhooks, in their order.
func (p *place) told() []events.Event {
	p.t.Helper()
	out, err := p.db.Query(p.t.Context(), &dynamodb.QueryInput{
		TableName: &p.table, KeyConditionExpression: new("pk = :pk AND begins_with(sk, :event)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "H#C#"}, ":event": &types.AttributeValueMemberS{Value: "T#"},
		},
	})
	p.must(err)
	var all []events.Event
	for _, it := range out.Items {
		var e events.Event
		p.must(json.Unmarshal([]byte(it["event"].(*types.AttributeValueMemberS).Value), &e))
		all = append(all, e)
	}
	return all
}

func notices(all []events.Event) []string {
	var out []string
	for _, e := range all {
		out = append(out, fmt.Sprintf("%s %d", e.Type, e.Data.Days))
	}
	return out
}

// fail has workers try for so long, of which the store is stopped now and then.
func (p *place) fail(store deliver.Store, d time.Duration) {
	p.t.Helper()
	for end := p.now().Add(d); p.now().Before(end); p.advance(time.Hour) {
		p.add(0, 8)
		if _, err := p.workerAt(store).Deliver(p.t.Context(), "whk_0"); err != nil && !errors.Is(err, errFault) {
			p.t.Log(err)
		}
	}
}

func TestAnOwnerIsToldOfFailuresOnceEachAndAgainWhenTheyBeginAnew(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.answer = func(context.Context, string) (webhook.Answer, error) {
		return webhook.Answer{Status: http.StatusBadGateway}, nil
	}
	p.fail(p.store, 4*24*time.Hour)
	want := []string{"webhook.failing 1", "webhook.failing 3"}
	if got := notices(p.told()); !slices.Equal(got, want) {
		t.Fatalf("after four days: got %q, want %q", got, want)
	}
	e := p.told()[0]
	if since := p.now().Add(-4 * 24 * time.Hour); e.Webhook != "whk_0" || !e.Data.From.Equal(since) ||
		!e.Data.Until.Equal(since.Add(access.WebhookPatience)) || e.Data.Person != nil {
		t.Errorf("got %+v, want since when it fails and when it is disabled", e)
	}
	p.answer = nil
	p.fail(p.store, time.Hour)
	p.answer = func(context.Context, string) (webhook.Answer, error) {
		return webhook.Answer{Status: http.StatusBadGateway}, nil
	}
	p.fail(p.store, 6*24*time.Hour)
	want = append(want, "webhook.failing 1", "webhook.failing 3", "webhook.disabled 0")
	if got := notices(p.told()); !slices.Equal(got, want) {
		t.Errorf("after another six: got %q, want %q", got, want)
	}
}

func TestAnOwnerIsToldOnceWhateverFails(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.answer = func(context.Context, string) (webhook.Answer, error) {
		return webhook.Answer{Status: http.StatusBadGateway}, nil
	}
	f := faulty{p.store, new(atomic.Int64), new(atomic.Int64)}
	f.rate.Store(4)
	p.fail(f, 7*24*time.Hour)
	f.rate.Store(0)
	p.fail(f, 24*time.Hour)
	if got, want := notices(p.told()), []string{"webhook.failing 1", "webhook.failing 3", "webhook.disabled 0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnOwnerIsToldThatAnAddressIsGone(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	p.answer = func(context.Context, string) (webhook.Answer, error) {
		return webhook.Answer{Status: http.StatusGone}, nil
	}
	p.fail(p.store, 3*time.Hour)
	if got := p.told(); len(got) != 1 || got[0].Type != access.WebhookEnded || got[0].Data.Reason != "gone" {
		t.Errorf("got %+v, want one notice that it was disabled", got)
	}
}

// BenchmarkTenWebhooksOfWhichOneHangs measures how long nine addresses take to get what waits for them, while the tenth does not answer.
func BenchmarkTenWebhooksOfWhichOneHangs(b *testing.B) {
	const events = 1000
	for b.Loop() {
		b.StopTimer()
		p := newPlace(b, 10)
		for i := range 10 {
			p.add(i, events)
		}
		hang := make(chan struct{})
		p.answer = func(ctx context.Context, address string) (webhook.Answer, error) {
			if address == "https://0.example/" {
				select {
				case <-hang:
				case <-ctx.Done():
				}
				return webhook.Answer{}, errors.New("no whole answer in time")
			}
			return webhook.Answer{Status: http.StatusNoContent}, nil
		}
		b.StartTimer()
		var nine, all sync.WaitGroup
		for i := range 10 {
			wg := &nine
			if i == 0 {
				wg = &all
			}
			wg.Go(func() {
				if _, err := p.worker().Deliver(b.Context(), fmt.Sprintf("whk_%d", i)); err != nil {
					b.Error(err)
				}
			})
		}
		nine.Wait()
		b.StopTimer()
		close(hang)
		all.Wait()
		b.StartTimer()
		b.ReportMetric(9*events/b.Elapsed().Seconds(), "deliveries/s")
	}
}
