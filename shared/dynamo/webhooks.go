package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// The deliveries to a webhook are done by one worker at a time, so that an address that hangs has one execution busy, and no other webhook
// waits for it. The queue's item says who that is, and counts how often it was woken: whoever adds a delivery wakes the queue, and the
// worker does not leave while there were calls that it has not seen.

// The attributes of queues and deliveries.
const (
	calls     = "calls"   // how often the queue was woken
	called    = "called"  // when it was for the last time
	notBefore = "pause"   // until when nothing is sent
	failing   = "failing" // since when nothing has been taken
	told      = "told"    // after how many days of that its owner was told
	workerID  = "worker"
)

// webhookRow is a webhook as it is stored. A secret is stored as it is: the table is encrypted, and whoever signs needs it.
type webhookRow struct {
	ID          string               `json:"id"`
	Only        string               `json:"only,omitzero"`
	URL         string               `json:"url"`
	Description string               `json:"description,omitzero"`
	Types       []string             `json:"types,omitempty"`
	Status      access.WebhookStatus `json:"status"`
	Reason      access.WebhookReason `json:"reason,omitzero"`
	Kind        string               `json:"kind"`
	Secret      string               `json:"secret"`
	Former      string               `json:"former,omitzero"`
	FormerUntil time.Time            `json:"former_until,omitzero"`
	Challenge   string               `json:"challenge,omitzero"`
	ChallengeID string               `json:"challenge_id,omitzero"`
	Since       time.Time            `json:"since,omitzero"`
	Created     time.Time            `json:"created"`
	Updated     time.Time            `json:"updated"`
	Number      int64                `json:"number"`
}

func webhooksItem(w *access.Webhooks) draft {
	d := newDraft(webhooksKey(w.Customer))
	d.s("customer", w.Customer)
	rows := make([]string, len(w.List))
	for i, h := range w.List {
		row, _ := json.Marshal(webhookRow{ // texts and instants alone: this cannot fail
			h.ID, h.Only, h.URL, h.Description, h.Types, h.Status, h.Reason, h.Kind, h.Secret, h.Former, h.FormerUntil, h.Challenge,
			h.ChallengeID, h.Since, h.Created, h.Updated, h.Number,
		})
		rows[i] = string(row)
	}
	d.list("list", rows)
	if !w.Hour.IsZero() {
		d.t("hour", w.Hour)
		d.n(calls, int64(w.Calls))
	}
	d.n("version", w.Version)
	return d
}

func (it *item) webhooks() *access.Webhooks {
	w := &access.Webhooks{Customer: it.s("customer"), Hour: it.t("hour"), Calls: int(it.n(calls)), Version: it.n("version")}
	for _, text := range it.list("list") {
		var r webhookRow
		if json.Unmarshal([]byte(text), &r) != nil {
			it.check("list", errors.New("no webhook")) // json's error quotes it
		}
		w.List = append(w.List, access.Webhook{
			ID: r.ID, Customer: w.Customer, Only: r.Only, URL: r.URL, Description: r.Description, Types: r.Types, Status: r.Status,
			Reason: r.Reason, Kind: r.Kind, Secret: r.Secret, Former: r.Former, FormerUntil: r.FormerUntil, Challenge: r.Challenge,
			ChallengeID: r.ChallengeID, Since: r.Since, Created: r.Created, Updated: r.Updated, Number: r.Number,
		})
	}
	return w
}

func deliveryItem(w *access.WebhookDelivery) draft {
	k := deliveryKey(w.Webhook, w.Event)
	d := newDraft(k)
	d.s("webhook", w.Webhook)
	d.s("customer", w.Customer)
	d.s("event", w.Event)
	d.s("type", w.Type)
	d.s("body", string(w.Body))
	d.s("state", string(w.State))
	d.n("attempts", int64(w.Attempts))
	d.t("created", w.Created)
	if !w.Due.IsZero() {
		d.s(gsi2pk, deliveriesPK(w.Webhook))
		d.s(gsi2sk, dueSK(w.Due, k))
	}
	if last := w.Last; !last.At.IsZero() {
		d.t("last", last.At)
		d.n("took", last.Took.Milliseconds())
		d.n("status", int64(last.Status))
		d.s("code", string(last.Code))
		d.s("detail", last.Detail)
	}
	d.n("version", w.Version)
	d.n(ttl, w.Created.Add(access.WebhookDeliveryAge).Unix())
	return d
}

func (it *item) delivery() *access.WebhookDelivery {
	w := &access.WebhookDelivery{
		Webhook: it.s("webhook"), Customer: it.s("customer"), Event: it.s("event"), Type: it.s("type"), Body: []byte(it.s("body")),
		State: access.DeliveryState(it.s("state")), Attempts: int(it.n("attempts")), Created: it.t("created"), Version: it.n("version"),
	}
	if due := it.s(gsi2sk); len(due) >= len(instantLayout) {
		var err error
		w.Due, err = parseTime(due[:len(instantLayout)])
		it.check(gsi2sk, err)
	}
	if it.find("last") != nil {
		w.Last = access.DeliveryAttempt{
			At: it.t("last"), Took: time.Duration(it.n("took")) * time.Millisecond, Status: int(it.n("status")),
			Code: access.DeliveryCode(it.s("code")), Detail: it.s("detail"),
		}
	}
	return w
}

func noticeItem(e events.Event) (draft, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode notice %s: %w", e.Type, err)
	}
	customer := ""
	if e.Customer != nil {
		customer = e.Customer.ID
	}
	d := newDraft(webhookNoticeKey(customer, e.ID))
	d.s("type", string(e.Type))
	d.s("event", string(data))
	d.n(ttl, e.Time.Add(access.WebhookDeliveryAge).Unix())
	return d, nil
}

// notice stages that a notice is written.
func (tx *transaction) notice(table string, w access.WebhookNotice) error {
	d, err := noticeItem(w.Event)
	if err == nil {
		tx.create(table, d)
	}
	return err
}

// waking is the update that wakes a webhook's queue.
func waking(w access.WebhookWake) types.Update {
	k := queueKey(w.Webhook)
	return types.Update{
		Key: k.attributes(),
		UpdateExpression: aws.String("SET #customer = :customer, #calls = if_not_exists(#calls, :none) + :one, #called = :now, " +
			"gsi2pk = :due, gsi2sk = :at"),
		ExpressionAttributeNames: map[string]string{"#customer": "customer", "#calls": calls, "#called": called},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":customer": str(w.Customer), ":none": num(0), ":one": num(1), ":now": str(timeText(w.At)),
			":due": str(queueDuePK(shardOf(w.Webhook, webhookShards))), ":at": str(dueSK(w.At, k)),
		},
	}
}

// wake stages that the queue is woken.
func (tx *transaction) wake(table string, w access.WebhookWake) {
	u := waking(w)
	u.TableName = &table
	*tx = append(*tx, types.TransactWriteItem{Update: &u})
}

// Webhooks reads the webhooks of a customer, with "" the provider's; nil when it never had one.
func (s *Store) Webhooks(ctx context.Context, customer string) (*access.Webhooks, error) {
	return one(ctx, s, webhooksKey(customer), (*item).webhooks)
}

// RemoveWebhooks removes all webhooks of a customer, with their secrets. What waits for them is not sent any more.
func (s *Store) RemoveWebhooks(ctx context.Context, customer string) error {
	return s.Apply(ctx, func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
		all, err := s.Webhooks(ctx, customer)
		return all.Emptied(), nil, err
	})
}

// Delivery reads the delivery of an event to a webhook; nil when there is none, or none any more.
func (s *Store) Delivery(ctx context.Context, webhook, event string) (*access.WebhookDelivery, error) {
	return one(ctx, s, deliveryKey(webhook, event), (*item).delivery)
}

// Deliveries lists the deliveries to a webhook, the events that happened last first.
func (s *Store) Deliveries(
	ctx context.Context, webhook string, f access.DeliveryFilter, ask access.PageRequest,
) (access.Page[access.WebhookDelivery], error) {
	if !f.Until.IsZero() && !f.From.Before(f.Until) {
		return access.Page[access.WebhookDelivery]{Items: []access.WebhookDelivery{}}, nil
	}
	sp := span{pk: deliveriesPK(webhook), first: deliveryPrefix, last: deliveryPrefix + "~"}
	if !f.From.IsZero() {
		sp.first += firstID(f.From)
	}
	if !f.Until.IsZero() {
		sp.last = deliveryPrefix + firstID(f.Until)
	}
	keep := func(w *access.WebhookDelivery) bool { return f.State == "" || w.State == f.State }
	fetch := s.newestFirst(sp, deliveryPrefix, sk)
	return walk(ctx, ask, f.State != "", fetch, each((*item).delivery, keep), after(deliveryPrefix, sk))
}

// AddDelivery adds a new delivery, unless it is there already, and wakes the webhook's queue. It can be repeated. The result tells whether
// somebody has to be started: nobody works at the queue, and it does not pause.
func (s *Store) AddDelivery(ctx context.Context, w *access.WebhookDelivery) (start bool, err error) {
	if err := s.keep(ctx, deliveryItem(w)); err != nil {
		return false, err
	}
	u := waking(w.Wake())
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: u.Key, UpdateExpression: u.UpdateExpression, ExpressionAttributeNames: u.ExpressionAttributeNames,
		ExpressionAttributeValues: u.ExpressionAttributeValues, ReturnValues: types.ReturnValueAllNew,
	})
	if err != nil {
		return false, failed("wake a webhook's queue", err)
	}
	q := fromSDK(out.Attributes)
	now := timeText(w.Due)
	return q.s(heldTo) <= now && q.s(notBefore) <= now, q.err
}

// Queue is what is known of the deliveries to a webhook as a whole.
type Queue struct {
	Calls    int64
	Called   time.Time // the last time
	Paused   time.Time // nothing is sent until then; zero = it is not paused
	Failing  time.Time // since when nothing has been taken; zero = it does not fail
	Told     int       // after how many days of that the webhook's owner was told; 0 = not at all
	Customer string    // whose the webhook is
}

func (it *item) queue() *Queue {
	return &Queue{
		Calls: it.n(calls), Called: it.t(called), Paused: it.t(notBefore), Failing: it.t(failing), Told: int(it.n(told)),
		Customer: it.s("customer"),
	}
}

// HoldQueue has one worker send to a webhook until that instant; nil when another does. The same worker can hold it again.
func (s *Store) HoldQueue(ctx context.Context, webhook, worker string, now, until time.Time) (*Queue, error) {
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: queueKey(webhook).attributes(),
		UpdateExpression:         aws.String("SET #lease = :until, #worker = :worker"),
		ConditionExpression:      aws.String(present + " AND (attribute_not_exists(#lease) OR #lease <= :now OR #worker = :worker)"),
		ExpressionAttributeNames: map[string]string{"#lease": heldTo, "#worker": workerID},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":until": str(timeText(until)), ":worker": str(worker), ":now": str(timeText(now)),
		},
		ReturnValues: types.ReturnValueAllNew,
	})
	var not *types.ConditionalCheckFailedException
	if errors.As(err, &not) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("hold a webhook's queue", err)
	}
	q, err := decode(fromSDK(out.Attributes), (*item).queue)
	return q, err
}

// LeaveQueue ends a worker's hold. The queue is due again at that instant; never, when it is zero. It returns false when the queue was
// woken since the worker saw it, or another worker has it: then nothing is changed.
func (s *Store) LeaveQueue(ctx context.Context, webhook, worker string, seen Queue, due time.Time) (bool, error) {
	k := queueKey(webhook)
	e := edit{
		key: k, condition: "#worker = :worker AND #calls = :calls", remove: []string{heldTo, workerID},
		values: map[string]types.AttributeValue{":worker": str(worker), ":calls": num(seen.Calls)},
	}
	e.instantOrNone(notBefore, seen.Paused)
	e.health(seen)
	if due.IsZero() {
		e.remove = append(e.remove, gsi2pk, gsi2sk)
	} else {
		e.to(gsi2pk, queueDuePK(shardOf(webhook, webhookShards)))
		e.to(gsi2sk, dueSK(due, k))
	}
	e.set = append(e.set, "#calls = :calls") // an update has to set something
	ok, _, err := s.update(ctx, "leave a webhook's queue", e)
	return ok, err
}

// NoteQueue records how an address does while the worker has its queue, with the notice that its owner gets, if there is one. A notice is
// recorded once for so many days of the same failures (seen.Told): false when that was done, or another worker has the queue.
func (s *Store) NoteQueue(ctx context.Context, webhook, worker string, seen Queue, notice *access.WebhookNotice) (bool, error) {
	const doing = "note how an address does"
	e := edit{
		key: queueKey(webhook), condition: "#worker = :worker",
		values: map[string]types.AttributeValue{":worker": str(worker)},
	}
	e.health(seen)
	if notice == nil {
		ok, _, err := s.update(ctx, doing, e)
		return ok, err
	}
	e.condition += " AND (attribute_not_exists(#told) OR #told < :told OR attribute_not_exists(#failing) OR #failing <> :failing)"
	u := e.update(s.table)
	tx := transaction{{Update: &u}}
	if err := tx.notice(s.table, *notice); err != nil {
		return false, err
	}
	_, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: tx})
	if err == nil {
		return true, nil
	}
	err = tx.failure(err, -1)
	var by *overtaken
	if errors.As(err, &by) && !by.conflict {
		return false, nil
	}
	return false, fmt.Errorf("%s: %w", doing, err)
}

// health sets since when an address fails, and what its owner was told of that.
func (e *edit) health(q Queue) {
	e.instantOrNone(failing, q.Failing)
	if q.Failing.IsZero() || q.Told == 0 {
		e.remove = append(e.remove, told)
		return
	}
	e.set = append(e.set, "#told = :told")
	e.values[":told"] = num(int64(q.Told))
}

// QueueShards is the number of shards that DueQueues goes through.
func (s *Store) QueueShards() int { return webhookShards }

// DueQueues lists the webhooks of one shard that have something to send by now, with "" as owner for the provider's. It reads index 2.
func (s *Store) DueQueues(ctx context.Context, shard int, now time.Time, after string, limit int) (
	webhooks []string, next string, err error,
) {
	items, more, err := s.dueBy(ctx, queueDuePK(shard), now, after, limit)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		webhooks = append(webhooks, strings.TrimPrefix(it.s(pk), queueKey("").PK))
		if more {
			next = it.s(gsi2sk)
		}
	}
	return webhooks, next, nil
}

// DueDeliveries lists the ids of events that wait for a webhook, longest due first, and when the first one is due that is not due by now;
// zero when there is none. It reads index 2: a new one may be missing for some moments.
func (s *Store) DueDeliveries(ctx context.Context, webhook string, now time.Time, limit int) (due []string, next time.Time, err error) {
	sp := span{index: gsi2, pk: deliveriesPK(webhook), first: "0", last: "~"}
	items, _, err := s.query(ctx, sp, limit)
	if err != nil {
		return nil, time.Time{}, err
	}
	for _, it := range items {
		at, err := parseTime(it.s(gsi2sk)[:len(instantLayout)])
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("a delivery is due at an instant that is none: %w", err)
		}
		if at.After(now) {
			return due, at, nil
		}
		due = append(due, strings.TrimPrefix(it.s(sk), deliveryPrefix))
	}
	return due, time.Time{}, nil
}

// ClaimDelivery makes an attempt at a delivery this worker's until that instant, when it is due again, and counts it. It returns nil when
// the delivery is not due.
func (s *Store) ClaimDelivery(ctx context.Context, webhook, event string, now, until time.Time) (*access.WebhookDelivery, error) {
	k := deliveryKey(webhook, event)
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: k.attributes(),
		UpdateExpression:         aws.String("SET #attempts = #attempts + :one, #version = #version + :one, gsi2sk = :until"),
		ConditionExpression:      aws.String("#state = :pending AND gsi2sk < :now"),
		ExpressionAttributeNames: map[string]string{"#version": "version", "#state": "state", "#attempts": "attempts"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":one": num(1), ":until": str(dueSK(until, k)), ":pending": str(string(access.DeliveryPending)), ":now": str(timeText(now) + "~"),
		},
		ReturnValues: types.ReturnValueAllNew,
	})
	var not *types.ConditionalCheckFailedException
	if errors.As(err, &not) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("claim a delivery", err)
	}
	return decode(fromSDK(out.Attributes), (*item).delivery)
}

// PendingDeliveries reads those of the deliveries of these events, a hundred at most, that are due by now, in the order of the events. It
// reads the table itself.
func (s *Store) PendingDeliveries(ctx context.Context, webhook string, events []string, now time.Time) ([]*access.WebhookDelivery, error) {
	keys := make([]Key, len(events))
	for i, event := range events {
		keys[i] = deliveryKey(webhook, event)
	}
	items, err := s.get(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out []*access.WebhookDelivery
	for _, k := range keys {
		d, err := lookup(items, k, (*item).delivery)
		if err != nil {
			return nil, err
		}
		if d != nil && d.State == access.DeliveryPending && !d.Due.After(now) {
			out = append(out, d)
		}
	}
	return out, nil
}

// RecordDeliveries records what came of attempts at deliveries, a hundred at most, in one transaction. Of those of which somebody else has
// recorded something since they were read nothing is recorded.
func (s *Store) RecordDeliveries(ctx context.Context, all []*access.WebhookDelivery) error {
	if len(all) > 1 {
		tx := make(transaction, len(all))
		for i, w := range all {
			e := attemptEdit(w)
			u := e.update(s.table)
			tx[i] = types.TransactWriteItem{Update: &u}
		}
		_, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: tx})
		if err == nil {
			return nil
		}
		var by *overtaken
		if err = tx.failure(err, -1); !errors.As(err, &by) {
			return fmt.Errorf("record attempts at deliveries: %w", err)
		}
	}
	for _, w := range all {
		if err := s.RecordDelivery(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// RecordDelivery is RecordDeliveries for one.
func (s *Store) RecordDelivery(ctx context.Context, w *access.WebhookDelivery) error {
	_, _, err := s.update(ctx, "record an attempt at a delivery", attemptEdit(w))
	return err
}

// attemptEdit records an attempt at a delivery as it was read.
func attemptEdit(w *access.WebhookDelivery) edit {
	k := deliveryKey(w.Webhook, w.Event)
	e := edit{key: k, condition: sameState, values: map[string]types.AttributeValue{
		":version": num(w.Version), ":next": num(w.Version + 1), ":attempts": num(int64(w.Attempts)),
		":took": num(w.Last.Took.Milliseconds()), ":status": num(int64(w.Last.Status)),
	}}
	e.set = append(e.set, "#version = :next", "#attempts = :attempts", "#took = :took", "#status = :status")
	e.to("state", string(w.State))
	e.to("last", timeText(w.Last.At))
	e.textOrNone("code", string(w.Last.Code))
	e.textOrNone("detail", w.Last.Detail)
	if w.Due.IsZero() {
		e.remove = append(e.remove, gsi2pk, gsi2sk)
	} else {
		e.to(gsi2sk, dueSK(w.Due, k))
	}
	return e
}
