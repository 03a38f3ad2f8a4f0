// Package deliver sends events to webhooks.
//
// One execution at a time sends to a webhook, some events side by side, so that an address that hangs keeps one execution busy and no other
// webhook waits for it. An address that fails several times in a row is left alone for a while, which grows; what waits for it is not tried
// meanwhile. What was sent is recorded for a stretch of events at once: up to 32 of them are sent again, with the same ids, when an
// execution ends between an address's answer and the record. That no other sends them meanwhile is what the queue's lease says, and no
// claim of each.
package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/service"
	"partneraccess/shared/webhook"
)

// Store is the table, as deliveries use it. See dynamo.Store.
type Store interface {
	Webhooks(ctx context.Context, customer string) (*access.Webhooks, error)
	HoldQueue(ctx context.Context, webhook, worker string, now, until time.Time) (*dynamo.Queue, error)
	LeaveQueue(ctx context.Context, webhook, worker string, seen dynamo.Queue, due time.Time) (bool, error)
	QueueShards() int
	DueQueues(ctx context.Context, shard int, now time.Time, after string, limit int) (webhooks []string, next string, err error)
	DueDeliveries(ctx context.Context, webhook string, now time.Time, limit int) (due []string, next time.Time, err error)
	Delivery(ctx context.Context, webhook, event string) (*access.WebhookDelivery, error)
	ClaimDelivery(ctx context.Context, webhook, event string, now, until time.Time) (*access.WebhookDelivery, error)
	RecordDelivery(ctx context.Context, w *access.WebhookDelivery) error
	PendingDeliveries(ctx context.Context, webhook string, events []string, now time.Time) ([]*access.WebhookDelivery, error)
	RecordDeliveries(ctx context.Context, all []*access.WebhookDelivery) error
	NoteQueue(ctx context.Context, webhook, worker string, seen dynamo.Queue, notice *access.WebhookNotice) (bool, error)
}

// Sender sends a message to an address. See webhook.Client.
type Sender interface {
	Post(ctx context.Context, address string, header http.Header, body []byte) (webhook.Answer, error)
}

// Worker sends what waits for webhooks.
type Worker struct {
	Store   Store
	Service *service.Service // for what an answer changes of a webhook
	Sender  Sender
	Start   func(ctx context.Context, webhook string) error // another execution for one webhook
	Now     func() time.Time
	NewID   func() string
	Log     *slog.Logger
}

const (
	lease      = time.Minute            // of a webhook's queue; renewed with every stretch
	begins     = lease - 25*time.Second // of that, in which attempts begin: what is left is for their ends and the record
	claim      = 30 * time.Second       // of a challenge: longer than an attempt takes
	sideBySide = 8                      // attempts
	stretch    = 32                     // deliveries that are looked up at once
	inARow     = 5                      // failures, after which an address is left alone
	pauseLeast = 5 * time.Second        // for which it is, growing with how long it has failed
	pauseMost  = 5 * time.Minute        //
	mostRetry  = 24 * time.Hour         // that an address can ask us to wait
	lookAgain  = 5 * time.Second        // after which a queue that was just woken is looked at again: the index may have been behind
	looks      = 2                      // as often as it is waited for the index
	moment     = 100 * time.Millisecond // in which the index usually follows
	margin     = 20 * time.Second       // before the function's time-out: for one more attempt
	challenges = 3                      // attempts at a challenge
	listed     = 100                    // webhooks that are listed at once
	kept       = 300                    // characters of an answer
)

// Report is what one execution did.
type Report struct {
	Delivered int `json:"delivered"`
	Failed    int `json:"failed"`  // attempts
	Started   int `json:"started"` // executions for other webhooks
}

// Handler handles both kinds of invocations: for one webhook, and the schedule's, which has an execution started for each that is due.
func (w *Worker) Handler() lambda.Handler { return handler{w} }

type handler struct{ *Worker }

// Invoke implements lambda.Handler.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var ask struct {
		Webhook string `json:"webhook"`
	}
	if err := json.Unmarshal(payload, &ask); err != nil {
		return nil, fmt.Errorf("what is to be done: %w", err)
	}
	var r Report
	var err error
	if ask.Webhook == "" {
		r, err = h.startDue(ctx)
	} else {
		r, err = h.Deliver(ctx, ask.Webhook)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// startDue starts an execution for each webhook that has something due.
func (w *Worker) startDue(ctx context.Context) (r Report, err error) {
	for shard := range w.Store.QueueShards() {
		for after, more := "", true; more; more = after != "" {
			var due []string
			if due, after, err = w.Store.DueQueues(ctx, shard, w.Now(), after, listed); err != nil {
				return r, err
			}
			for _, id := range due {
				if err := w.Start(ctx, id); err != nil {
					return r, err
				}
				r.Started++
			}
		}
	}
	return r, nil
}

// queue is one webhook while this execution sends to it.
type queue struct {
	*Worker
	id   string // of the webhook
	me   string
	seen dynamo.Queue
	mine bool      // seen is this execution's
	was  time.Time // since when the address fails, as the table has it
	held time.Time // since when the lease runs, by the real clock
	hook *access.Webhook
	plan service.WebhookPlans

	mu     sync.Mutex
	row    int       // failures without a success since
	wait   time.Time // the address asked to be left alone until then
	gone   bool      // it answered 410
	report Report
}

// Deliver sends what waits for a webhook, until there is nothing or the time runs out. When another execution does, it does nothing.
func (w *Worker) Deliver(ctx context.Context, id string) (Report, error) {
	q := &queue{Worker: w, id: id, me: w.NewID()}
	stop := time.Now().Add(time.Hour)
	if deadline, ok := ctx.Deadline(); ok {
		stop = deadline.Add(-margin)
	}
	for {
		q.held = time.Now()
		held, err := w.Store.HoldQueue(ctx, id, q.me, w.Now(), w.Now().Add(lease))
		if err != nil || held == nil {
			return q.report, err
		}
		q.saw(held)
		due, err := q.work(ctx, stop)
		if err != nil {
			return q.report, err // the lease ends, and the schedule finds it
		}
		if left, err := w.Store.LeaveQueue(ctx, id, q.me, q.seen, due); err != nil || left {
			return q.report, err
		}
	}
}

// saw takes what the table says of the queue. Once this execution has the queue, it knows better itself how the address does.
func (q *queue) saw(held *dynamo.Queue) {
	q.was = held.Failing
	if q.mine {
		held.Failing, held.Told, held.Paused = q.seen.Failing, q.seen.Told, q.seen.Paused
	}
	q.seen, q.mine = *held, true
}

// work sends what is due, and returns when there is more to do; zero for never.
func (q *queue) work(ctx context.Context, stop time.Time) (time.Time, error) {
	for looked := 0; ; {
		now := q.Now()
		q.plan = service.WebhookPlans{Service: q.Service, Owner: q.seen.Customer}
		all, err := q.Store.Webhooks(ctx, q.seen.Customer)
		if err != nil {
			return time.Time{}, err
		}
		q.hook = all.Find(q.id)
		switch {
		case q.hook == nil || q.hook.Status == access.WebhookPaused || q.hook.Status == access.WebhookDisabled:
			q.seen.Failing, q.seen.Told = time.Time{}, 0 // its owner has it in hand: what fails afterwards begins anew
			return time.Time{}, nil
		case !time.Now().Before(stop):
			return now, nil
		case q.hook.Status == access.WebhookUnverified:
			if due, err := q.challenge(ctx); err != nil || due.After(now) || due.IsZero() {
				return due, err
			}
			continue
		case q.seen.Paused.After(now):
			return q.seen.Paused, nil
		}
		q.seen.Paused = time.Time{}
		due, next, err := q.Store.DueDeliveries(ctx, q.id, now, stretch)
		if err != nil {
			return time.Time{}, err
		}
		if len(due) == 0 && looked < looks && next.IsZero() && now.Before(q.seen.Called.Add(lookAgain)) {
			looked++
			time.Sleep(moment)
			continue
		}
		if len(due) == 0 {
			return q.lookAgain(next), nil
		}
		if err := q.send(ctx, due, stop); err != nil {
			return time.Time{}, err
		}
		if over, err := q.judge(ctx); over || err != nil {
			return q.seen.Paused, err
		}
		q.held = time.Now()
		held, err := q.Store.HoldQueue(ctx, q.id, q.me, q.Now(), q.Now().Add(lease))
		if err != nil || held == nil {
			return time.Time{}, errors.Join(err, errLost(held))
		}
		q.saw(held)
		looked = looks // something was there: the index is not behind
	}
}

// lookAgain is when a queue in which nothing is due is looked at again, if something is at next, or never: soon after it was woken, since
// the index may have been behind.
func (q *queue) lookAgain(next time.Time) time.Time {
	soon := q.seen.Called.Add(lookAgain)
	if q.Now().Before(soon) && (next.IsZero() || soon.Before(next)) {
		return soon
	}
	return next
}

// challenge sends a webhook its latest challenge, and returns when there is more to do: now, when it has answered rightly.
func (q *queue) challenge(ctx context.Context) (time.Time, error) {
	d, err := q.Store.Delivery(ctx, q.id, q.hook.ChallengeID)
	if err != nil || d == nil || d.State != access.DeliveryPending {
		return time.Time{}, err
	}
	if d.Due.After(q.Now()) {
		return d.Due, nil
	}
	if d, err = q.Store.ClaimDelivery(ctx, q.id, d.Event, q.Now(), q.Now().Add(claim)); err != nil || d == nil {
		return q.Now().Add(claim), err // nobody else has it: the answer to a claim of ours was lost
	}
	err = q.attempt(ctx, d)
	if err == nil {
		err = q.Store.RecordDelivery(ctx, d)
	}
	if err != nil {
		return time.Time{}, err
	}
	if d.State == access.DeliveryDelivered {
		q.seen.Paused = time.Time{}
		return q.Now(), nil
	}
	return d.Due, nil
}

// errOther is what ends an execution whose lease another has taken.
var errOther = errors.New("another execution sends to this webhook")

func errLost(held *dynamo.Queue) error {
	if held == nil {
		return errOther
	}
	return nil
}

// judge looks at what the attempts of a stretch say about the address: over tells that nothing more is sent to it for now.
func (q *queue) judge(ctx context.Context) (over bool, err error) {
	now := q.Now()
	failing := time.Duration(0)
	if !q.seen.Failing.IsZero() {
		failing = now.Sub(q.seen.Failing)
	}
	switch {
	case q.gone:
		return true, q.plan.Disable(ctx, q.id, access.WebhookGone, q.seen.Failing)
	case failing >= access.WebhookPatience:
		return true, q.plan.Disable(ctx, q.id, access.WebhookFailing, q.seen.Failing)
	}
	if err := q.tell(ctx, access.NoticeDue(failing)); err != nil {
		return true, err
	}
	switch {
	case q.wait.After(now):
		q.seen.Paused = q.wait
		return true, nil
	case q.row >= inARow:
		q.seen.Paused = now.Add(min(pauseMost, max(pauseLeast, now.Sub(q.seen.Failing)/10)))
		return true, nil
	}
	return false, nil
}

// tell has the webhook's owner told by mail that nothing has been taken for so many days, once; 0 = there is nothing to tell. It records at
// once that an address has begun to fail, or has recovered: what this execution alone knew would be lost when it is stopped.
func (q *queue) tell(ctx context.Context, days int) error {
	var notice *access.WebhookNotice
	switch {
	case days > q.seen.Told:
		q.seen.Told = days
		n := q.hook.FailureNotice(days, q.seen.Failing, access.PlanContext{Now: q.Now().UTC().Truncate(time.Millisecond), NewID: q.Service.NewID})
		notice = &n
	case q.was.Equal(q.seen.Failing):
		return nil
	}
	ok, err := q.Store.NoteQueue(ctx, q.id, q.me, q.seen, notice)
	if err == nil && !ok {
		err = errOther
	}
	q.was = q.seen.Failing
	return err
}

// send makes an attempt at each of these deliveries and records what came of them, until the address is to be left alone or the time is
// over.
func (q *queue) send(ctx context.Context, due []string, stop time.Time) error {
	all, err := q.Store.PendingDeliveries(ctx, q.id, due, q.Now())
	if err != nil {
		return err
	}
	if len(all) == 0 { // the index is behind
		time.Sleep(moment)
		return nil
	}
	var mu sync.Mutex
	var done []*access.WebhookDelivery
	var g errgroup.Group
	g.SetLimit(sideBySide)
	for _, d := range all {
		g.Go(func() error {
			if q.leftAlone() || time.Since(q.held) > begins || !time.Now().Before(stop) {
				return nil
			}
			d.Attempts++
			if err := q.attempt(ctx, d); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done = append(done, d)
			return nil
		})
	}
	err = g.Wait()
	return errors.Join(err, q.Store.RecordDeliveries(ctx, done))
}

func (q *queue) leftAlone() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.gone || q.row >= inARow || q.wait.After(q.Now())
}

// attempt makes one attempt at a delivery, and has it say what came of it.
func (q *queue) attempt(ctx context.Context, d *access.WebhookDelivery) error {
	if d.Type == access.WebhookChallenge && q.isOver(d) {
		return nil
	}
	began, real := q.Now(), time.Now()
	answer, err := q.post(ctx, d, began)
	d.Last = access.DeliveryAttempt{At: began, Took: time.Since(real), Status: answer.Status}
	code, failure := wrong(d, q.hook, answer, err)
	d.Last.Code, d.Last.Detail = code, detail(failure, answer)
	d.Due = time.Time{}
	if failure == nil {
		d.State = access.DeliveryDelivered
	} else {
		pause, more := webhook.Next(d.Attempts, rand.Float64()) //nolint:gosec // a pause is no secret
		if d.Type == access.WebhookChallenge {
			more = more && d.Attempts < challenges
		}
		if more && answer.Status != http.StatusGone {
			d.Due = q.Now().Add(max(pause, retryAfter(answer, began)))
		} else {
			d.State = access.DeliveryFailed
		}
	}
	q.note(d, answer, failure)
	if failure == nil && d.Type == access.WebhookChallenge {
		return q.plan.Verified(ctx, q.id, q.hook.Challenge)
	}
	return nil
}

// isOver settles a challenge that needs no answer any more: another came after it, or it was answered, which was not recorded.
func (q *queue) isOver(d *access.WebhookDelivery) bool {
	replaced, answered := d.Event != q.hook.ChallengeID, q.hook.Challenge == ""
	if !replaced && !answered {
		return false
	}
	d.Due, d.State, d.Last = time.Time{}, access.DeliveryDelivered, access.DeliveryAttempt{At: q.Now()}
	if replaced {
		d.State, d.Last.Code, d.Last.Detail = access.DeliveryFailed, access.DeliveryReplaced, "it was replaced by a later one"
	}
	return true
}

func (q *queue) post(ctx context.Context, d *access.WebhookDelivery, now time.Time) (webhook.Answer, error) {
	var secrets []webhook.Secret
	for _, s := range q.hook.Signing(now) {
		secrets = append(secrets, webhook.Secret(s))
	}
	header, err := webhook.Sign(d.Event, now, d.Body, secrets...)
	if err != nil {
		return webhook.Answer{}, err
	}
	header.Set("Content-Type", "application/cloudevents+json")
	header.Set("User-Agent", "partner-access")
	return q.Sender.Post(ctx, q.hook.URL, header, d.Body)
}

// note remembers what an attempt says about the address.
func (q *queue) note(d *access.WebhookDelivery, answer webhook.Answer, failure error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if failure == nil {
		q.row, q.seen.Failing, q.seen.Told = 0, time.Time{}, 0
		q.report.Delivered++
		return
	}
	q.row++
	q.report.Failed++
	if q.seen.Failing.IsZero() {
		q.seen.Failing = d.Last.At.Truncate(time.Millisecond) // as the table has it
	}
	q.gone = q.gone || answer.Status == http.StatusGone && d.Type != access.WebhookChallenge
	if answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusServiceUnavailable {
		if wait := retryAfter(answer, d.Last.At); wait > 0 {
			q.wait = d.Last.At.Add(wait)
		}
	}
	q.Log.Info("an attempt at a webhook failed", "webhook", q.id, "event_id", d.Event, "event_type", d.Type, "attempt", d.Attempts,
		"status", answer.Status, "code", d.Last.Code, "error", failure.Error())
}

// wrong is why an attempt has failed; nil when it has not.
func wrong(d *access.WebhookDelivery, h *access.Webhook, answer webhook.Answer, err error) (access.DeliveryCode, error) {
	switch {
	case err != nil:
		return access.DeliveryCode(webhook.CodeOf(err)), err
	case answer.Status >= 300 && answer.Status <= 399:
		return access.DeliveryRedirected, fmt.Errorf("the address answered %d", answer.Status)
	case answer.Status < 200 || answer.Status > 299:
		return access.DeliveryStatus, fmt.Errorf("the address answered %d", answer.Status)
	case d.Type == access.WebhookChallenge:
		var b struct {
			Token string `json:"token"`
		}
		if json.Unmarshal(answer.Body, &b) != nil || b.Token == "" || b.Token != h.Challenge {
			return access.DeliveryToken, errors.New(`the address did not answer with the token of its latest challenge, as {"token":"…"}`)
		}
	}
	return "", nil
}

// detail is what is shown of an attempt: why it failed, and the beginning of the answer.
func detail(failure error, answer webhook.Answer) string {
	if failure == nil {
		return ""
	}
	text := failure.Error()
	if len(answer.Body) > 0 {
		body := []rune(string(answer.Body))
		text += ": " + string(body[:min(len(body), kept)])
	}
	return text
}

// retryAfter is how long an address asks us to wait (RFC 9110, section 10.2.3), at most a day; 0 when it does not.
func retryAfter(a webhook.Answer, now time.Time) time.Duration {
	if a.RetryAfter == "" {
		return 0
	}
	wait := time.Duration(0)
	if n, err := strconv.Atoi(a.RetryAfter); err == nil {
		wait = time.Duration(min(n, int(mostRetry/time.Second))) * time.Second
	} else if at, err := http.ParseTime(a.RetryAfter); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), mostRetry)
}
