package mailing

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

// notify tells the two kinds of invocations apart: batches of the table's stream, and the schedule's, which sends the mails that wait.
type notify struct {
	Config
	service *service.Service
	stream  lambda.Handler
}

// Invoke implements lambda.Handler.
func (n notify) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
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
	r, err := n.waiting(ctx)
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
	Cut     bool  `json:"cut"`    // the time, or the patience, was used up: the next run goes on
}

const (
	page     = 1000
	share    = 50               // mails of one organisation between two looks at what waits
	inARow   = 5                // failures one after the other, after which the mail service is left alone until the next run
	atMost   = 50 * time.Second // a run, so that the next minute's finds the field clear
	parallel = 4                // shards gone through side by side
)

// waiting sends the mails that are due for another attempt, organisation by organisation in turn and of each the longest due first, until
// there is none, the time runs out, or one fails after the other. Two runs at once do each other no harm: each mail is claimed. A mail that
// fails moves to the end of the line by itself. An error means that a shard could not be listed; the others have been gone through all the
// same.
func (n notify) waiting(ctx context.Context) (Report, error) {
	now, stop := n.Now().UTC(), time.Now().Add(atMost)
	var settled, failed, row atomic.Int64
	var cut atomic.Bool
	over := func() bool {
		if time.Now().After(stop) {
			cut.Store(true)
		}
		return cut.Load()
	}
	try := func(m receipt.Waiting) {
		switch err := n.service.RetryMail(ctx, m.Key); {
		case err == nil:
			settled.Add(1)
			row.Store(0)
		case errors.Is(err, receipt.ErrHeld), errors.Is(err, receipt.ErrSettled): // another was faster
		case errors.Is(err, mail.ErrLate):
			cut.Store(true)
		default:
			failed.Add(1)
			if row.Add(1) >= inARow { // said here and not where the next is begun: there may be no next
				cut.Store(true)
			}
			n.Log.Warn("a mail still waits", "event_id", m.Event, "recipient", m.Recipient, "error", err.Error())
		}
	}
	// Organisations take turns: a mail of one waits for one of each other at most.
	shard := func(i int) error {
		tried := map[string]bool{}
		for left := true; left && !over(); {
			q := turns.Queue[receipt.Waiting]{Share: share}
			left = false
			for after := ""; ; {
				mails, more, err := n.Store.WaitingMails(ctx, i, now, after, page)
				if err != nil {
					return fmt.Errorf("list the mails that wait: %w", err)
				}
				for _, m := range mails {
					after = m.Position
					switch {
					case tried[m.Position]:
					case q.Add(m.Customer+"#"+m.Partner, m):
						tried[m.Position] = true
					default:
						left = true
					}
				}
				if !more || over() {
					break
				}
			}
			for !over() {
				_, m, ok := q.Next()
				if !ok {
					break
				}
				try(m)
			}
		}
		return nil
	}
	var g errgroup.Group // without a context of its own: one shard's error would cut off the mails that others are sending
	g.SetLimit(parallel)
	for i := range n.Store.DueShards() {
		g.Go(func() error { return shard(i) })
	}
	err := g.Wait()
	return Report{Settled: settled.Load(), Failed: failed.Load(), Cut: cut.Load()}, err
}
