// Package publish hands events to others: each gets its place in its feed, and then goes to the bus.
//
// The feed is written in the table and comes first. The bus comes after it and holds up nothing: an event that it does not take waits in
// the table, and is tried again each minute. Whether the bus has an event is its receipt's to say, so that the bus gets it once, but for
// the time between its answer and the receipt: if the function ends there, the event goes to the bus again, with the same id and sequence.
//
// Webhooks get an event by a delivery of its own in the table, one for each pair; another function sends it: see package deliver.
package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/dynamo"
)

// Table keeps feeds and receipts. See dynamo.Store.
type Table interface {
	Publish(ctx context.Context, e cloudevents.Event, now time.Time) (dynamo.Published, error)
	Claim(ctx context.Context, id string, now time.Time) (bool, error)
	Sent(ctx context.Context, id string, now time.Time) error
	NotSent(ctx context.Context, id string, due time.Time) error
	UnsentShards() int
	Unsent(ctx context.Context, shard int, now time.Time, limit int) (list []dynamo.Unsent, more bool, err error)

	Webhooks(ctx context.Context, customer string) (*access.Webhooks, error)
	AddDelivery(ctx context.Context, w *access.WebhookDelivery) (start bool, err error)
	RemoveWebhooks(ctx context.Context, customer string) error
}

// Bus takes events, ten at most, and returns what was wrong with each: nil for those that it has taken.
type Bus interface {
	Put(ctx context.Context, all []cloudevents.Event) []error
}

const (
	// MaxEntries is how many events a bus takes at once
	// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html).
	MaxEntries = 10

	patience = 2 * time.Second  // for an answer of the bus, while the stream waits; a claim lasts longer
	pause    = 10 * time.Second // for which a bus that did not answer is left alone
	again    = 30 * time.Second // after which an event that the bus did not take is due

	runs     = 40 * time.Second // is how long one run for waiting events goes on
	pageSize = 100
	late     = 15 * time.Minute // after which a waiting event makes the run fail, so that somebody looks
)

// Publisher publishes events. It is safe for concurrent use.
type Publisher struct {
	Table Table
	Bus   Bus // nil: there is none
	Now   func() time.Time
	Log   *slog.Logger

	// StartDeliveries has what waits for a webhook sent; nil: the schedule of the function that sends does.
	StartDeliveries func(ctx context.Context, webhook string) error

	CustomerWebhooks bool // whether customers keep webhooks of their own, which get their events

	mu   sync.Mutex
	shut time.Time // until when the bus is left alone, by the real clock
}

// Publish publishes one event. It can be repeated. An error means that it has to be: the table could not record what became of it. A bus
// that does not take the event is no error.
func (p *Publisher) Publish(ctx context.Context, e cloudevents.Event) error {
	in, err := p.Table.Publish(ctx, e, p.Now())
	if err != nil || in.Sent {
		return err
	}
	if err := p.addDeliveries(ctx, in.Event); err != nil || p.Bus == nil {
		return err
	}
	if !in.New {
		if free, err := p.Table.Claim(ctx, e.ID, p.Now()); err != nil {
			return err
		} else if !free { // by whoever was here before, who may have failed since
			return p.Table.NotSent(ctx, e.ID, p.Now().Add(again))
		}
	}
	if p.isShut() {
		return p.Table.NotSent(ctx, e.ID, p.Now().Add(again))
	}
	short, cancel := context.WithTimeout(ctx, patience)
	refusal := p.Bus.Put(short, []cloudevents.Event{in.Event})[0]
	cancel()
	if refusal == nil {
		return p.Table.Sent(ctx, e.ID, p.Now())
	}
	p.leaveAlone()
	p.Log.Warn("the bus did not take an event", "event_id", e.ID, "event_type", e.Type, "error", refusal.Error())
	return p.Table.NotSent(ctx, e.ID, p.Now().Add(again))
}

// addDeliveries has the webhooks that want an event get it: the provider's, and its customer's. It can be repeated. A customer that is
// removed has none any more, and hears nothing of that: whoever the address belongs to is nobody's customer. Both lists are read for each
// event: one that was kept for a while would miss a webhook that became active just before.
func (p *Publisher) addDeliveries(ctx context.Context, e cloudevents.Event) error {
	if err := p.addDeliveriesOf(ctx, "", e); err != nil {
		return err
	}
	switch customer := e.Data.Customer; {
	case customer == "":
		return nil
	case e.Name() == cloudevents.CustomerRemoved:
		return p.Table.RemoveWebhooks(ctx, customer)
	case !p.CustomerWebhooks:
		return nil
	default:
		return p.addDeliveriesOf(ctx, customer, e)
	}
}

// addDeliveriesOf is addDeliveries for the webhooks of one owner.
func (p *Publisher) addDeliveriesOf(ctx context.Context, owner string, e cloudevents.Event) error {
	all, err := p.Table.Webhooks(ctx, owner)
	if err != nil || all == nil {
		return err
	}
	var body []byte
	for i := range all.List {
		h := &all.List[i]
		if !h.Takes(e.Data.Customer, e.Time) || !cloudevents.Wanted(e.Name(), h.Types) {
			continue
		}
		if body == nil {
			if body, err = json.Marshal(e); err != nil {
				return fmt.Errorf("encode event %s: %w", e.Type, err)
			}
		}
		pc := access.PlanContext{Now: p.Now().UTC().Truncate(time.Millisecond)}
		start, err := p.Table.AddDelivery(ctx, access.NewDelivery(h, e.ID, e.Name(), body, pc).After)
		if err != nil {
			return err
		}
		if start && p.StartDeliveries != nil {
			if err := p.StartDeliveries(ctx, h.ID); err != nil { // the schedule does within a minute
				p.Log.Warn("what is sent to a webhook waits for the schedule", "webhook", h.ID, "error", err.Error())
			}
		}
	}
	return nil
}

func (p *Publisher) isShut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.shut)
}

func (p *Publisher) leaveAlone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = time.Now().Add(pause)
}

// Report is what one run did for the events that wait for the bus.
type Report struct {
	Sent   int `json:"sent"`
	Failed int `json:"failed"` // left for a later run
}

// Retry has the bus take what waits, until there is nothing or the time runs out. It fails when the table does not answer, and when an
// event has waited for long.
func (p *Publisher) Retry(ctx context.Context) (Report, error) {
	var r Report
	if p.Bus == nil {
		return r, nil
	}
	stop, now := time.Now().Add(runs), p.Now()
	oldest := now
	for shard := range p.Table.UnsentShards() {
		for more := true; more && time.Now().Before(stop); {
			var waiting []dynamo.Unsent
			var err error
			sent := r.Sent
			if waiting, more, err = p.Table.Unsent(ctx, shard, now, pageSize); err != nil {
				return r, err
			}
			for len(waiting) > 0 {
				n := min(len(waiting), MaxEntries)
				if err := p.retry(ctx, waiting[:n], &r, &oldest); err != nil {
					return r, err
				}
				waiting = waiting[n:]
			}
			more = more && r.Sent > sent
		}
	}
	if waits := now.Sub(oldest); waits > late {
		return r, fmt.Errorf("an event has been waiting for the bus for %s, and %d in all still do", waits.Round(time.Minute), r.Failed)
	}
	return r, nil
}

// retry has the bus take some events, and remembers when the oldest of those happened that still wait.
func (p *Publisher) retry(ctx context.Context, waiting []dynamo.Unsent, r *Report, oldest *time.Time) error {
	var list []cloudevents.Event
	for _, u := range waiting {
		if u.Event == nil { // older than what feeds keep
			continue
		}
		free, err := p.Table.Claim(ctx, u.ID, p.Now())
		if err != nil {
			return err
		}
		if free {
			list = append(list, *u.Event)
		}
	}
	if len(list) == 0 {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i, refusal := range p.Bus.Put(short, list) {
		if refusal == nil {
			if err := p.Table.Sent(ctx, list[i].ID, p.Now()); err != nil {
				return err
			}
			r.Sent++
			continue
		}
		r.Failed++
		if list[i].Time.Before(*oldest) {
			*oldest = list[i].Time
		}
		p.Log.Warn("an event still waits for the bus", "event_id", list[i].ID, "event_type", list[i].Type, "error", refusal.Error())
		if err := p.Table.NotSent(ctx, list[i].ID, p.Now().Add(again)); err != nil {
			return err
		}
	}
	return nil
}

// Handler handles both kinds of invocations: batches of the table's stream, which go to the given one, and the schedule's, at which the bus
// gets what waits for it.
func (p *Publisher) Handler(stream lambda.Handler) lambda.Handler { return handler{p, stream} }

type handler struct {
	*Publisher
	stream lambda.Handler
}

// Invoke implements lambda.Handler.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var tick struct {
		Type string `json:"detail-type"`
	}
	scheduled := bytes.Contains(payload[:min(len(payload), 1000)], []byte(`"detail-type"`)) && json.Unmarshal(payload, &tick) == nil
	if !scheduled || tick.Type != "Scheduled Event" {
		return h.stream.Invoke(ctx, payload)
	}
	r, err := h.Retry(ctx)
	if err != nil {
		return nil, err
	}
	if r != (Report{}) {
		h.Log.Info("events that waited for the bus", "sent", r.Sent, "failed", r.Failed)
	}
	return json.Marshal(r)
}
