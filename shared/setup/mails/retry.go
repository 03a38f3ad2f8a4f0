package mails

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"golang.org/x/sync/errgroup"

	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/service"
	"partneraccess/shared/turns"
)

// notifyHandler handles both kinds of invocations: batches of the table's stream, and the schedule's, at which it sends the mails that
// wait.
type notifyHandler struct {
	Config
	service *service.Service
	stream  lambda.Handler
}

// Invoke implements lambda.Handler.
func (n notifyHandler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var tick struct {
		Type string `json:"detail-type"`
	}
	scheduled := bytes.Contains(payload[:min(len(payload), 1000)], []byte(`"detail-type"`)) && json.Unmarshal(payload, &tick) == nil
	if !scheduled || tick.Type != "Scheduled Event" {
		return n.stream.Invoke(ctx, payload)
	}
	if c, ok := lambdacontext.FromContext(ctx); ok {
		n.Log = n.Log.With("request_id", c.AwsRequestID)
	}
	r, err := n.retryWaiting(ctx)
	n.Log.Info("waiting mails", "settled", r.Settled, "failed", r.Failed, "cut", r.Cut)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// Report is what one run did for the mails that wait.
type Report struct {
	Settled int64 `json:"settled"`
	Failed  int64 `json:"failed"` // left for a later run
	Cut     bool  `json:"cut"`    // it ended before all mails were tried: the next run goes on
}

const (
	pageSize             = 1000
	sharePerOrganisation = 50               // mails that are queued between two readings of what waits
	maxFailuresInARow    = 5                // after which the mail service is left alone until the next run
	maxDuration          = 50 * time.Second // of a run, so that the next minute's does not overlap
	parallelShards       = 4
)

// retryWaiting sends the mails that are due for another attempt, organisation by organisation in turn and of each the longest due first,
// until there is none, the time runs out, or several fail in a row. Two runs may overlap: each mail is claimed. A mail that fails becomes
// due again later. An error means that a shard could not be listed; the others have been gone through all the same.
func (n notifyHandler) retryWaiting(ctx context.Context) (Report, error) {
	r := retry{notifyHandler: n, due: n.Now().UTC(), stop: time.Now().Add(maxDuration)}
	var g errgroup.Group // without a context of its own: one shard's error would cut off the mails that others are sending
	g.SetLimit(parallelShards)
	for i := range n.Store.DueShards() {
		g.Go(func() error { return r.shard(ctx, i) })
	}
	err := g.Wait()
	return Report{Settled: r.settled.Load(), Failed: r.failed.Load(), Cut: r.cut.Load()}, err
}

// retry is one run.
type retry struct {
	notifyHandler
	due  time.Time // by when a mail has to be due
	stop time.Time // of the real clock

	settled, failed, failedInARow atomic.Int64
	cut                           atomic.Bool
}

func (r *retry) isOver() bool {
	if time.Now().After(r.stop) {
		r.cut.Store(true)
	}
	return r.cut.Load()
}

// shard sends the mails of one shard. Organisations take turns: a mail of one waits for one of each other at most.
func (r *retry) shard(ctx context.Context, shard int) error {
	tried := map[string]bool{}
	for more := true; more && !r.isOver(); {
		var q *turns.Queue[receipt.Waiting]
		var err error
		if q, more, err = r.queue(ctx, shard, tried); err != nil {
			return err
		}
		for !r.isOver() {
			_, m, ok := q.Next()
			if !ok {
				break
			}
			r.send(ctx, m)
		}
	}
	return nil
}

// queue queues the mails that are due in a shard and were not tried in this run, up to each organisation's share. More means that there
// were others.
func (r *retry) queue(ctx context.Context, shard int, tried map[string]bool) (q *turns.Queue[receipt.Waiting], more bool, err error) {
	q = &turns.Queue[receipt.Waiting]{Share: sharePerOrganisation}
	after := ""
	for {
		mails, nextPage, err := r.Store.WaitingMails(ctx, shard, r.due, after, pageSize)
		if err != nil {
			return nil, false, fmt.Errorf("list the mails that wait: %w", err)
		}
		for _, m := range mails {
			after = m.Position
			switch {
			case tried[m.Position]:
			case q.Add(m.Customer+"#"+m.Partner, m):
				tried[m.Position] = true
			default:
				more = true
			}
		}
		if !nextPage || r.isOver() {
			return q, more, nil
		}
	}
}

func (r *retry) send(ctx context.Context, m receipt.Waiting) {
	switch err := r.service.RetryMail(ctx, m.Key); {
	case err == nil:
		r.settled.Add(1)
		r.failedInARow.Store(0)
	case errors.Is(err, receipt.ErrHeld), errors.Is(err, receipt.ErrSettled): // another run was faster
	case errors.Is(err, mail.ErrLate):
		r.cut.Store(true)
	default:
		r.failed.Add(1)
		if r.failedInARow.Add(1) >= maxFailuresInARow { // here and not before the next mail: there may be no next one
			r.cut.Store(true)
		}
		r.Log.Warn("a mail still waits", "event_id", m.Event, "recipient", m.Recipient, "error", err.Error())
	}
}
