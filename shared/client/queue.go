package client

import (
	"context"
	"sync"
	"time"
)

const (
	maxTogether = 50                   // questions that travel together, at most
	together    = 2 * time.Millisecond // how long the first waits for others
	// maxJoining is how long a question may be that goes with others, in bytes. As JSON each may become six times as long; of 50 the service
	// takes 64 KiB.
	maxJoining = 190
)

// queue brings together what is asked at the same moment. A question that nobody joins goes alone.
type queue struct {
	client *Client

	mu      sync.Mutex
	waiting *batch
}

// batch is a batch on its way.
type batch struct {
	questions []Question
	full      chan struct{} // closed when nobody can join any more
	done      chan struct{} // closed when it was answered

	decisions []Decision
	errs      []error
	err       error
}

func (q *queue) ask(ctx context.Context, question Question) (Decision, error) {
	q.mu.Lock()
	p, first := q.waiting, q.waiting == nil
	if first {
		p = &batch{full: make(chan struct{}), done: make(chan struct{})}
		q.waiting = p
	}
	mine := len(p.questions)
	p.questions = append(p.questions, question)
	if len(p.questions) == maxTogether {
		q.waiting = nil
		close(p.full)
	}
	q.mu.Unlock()
	if first {
		// Whoever asked first may give up: the others' answers do not depend on it. Each try is bounded by the client's time-out.
		go q.send(context.WithoutCancel(ctx), p)
	}
	select {
	case <-ctx.Done():
		return Decision{}, ctx.Err()
	case <-p.done:
	}
	if p.err != nil {
		return Decision{}, p.err
	}
	return p.decisions[mine], p.errs[mine]
}

func (q *queue) send(ctx context.Context, p *batch) {
	defer close(p.done)
	select {
	case <-p.full:
	case <-time.After(together):
		q.mu.Lock()
		if q.waiting == p {
			q.waiting = nil
		}
		q.mu.Unlock()
	}
	if len(p.questions) == 1 {
		d, err := q.client.one(ctx, p.questions[0])
		p.decisions, p.errs = []Decision{d}, []error{err}
		return
	}
	p.decisions, p.errs = make([]Decision, len(p.questions)), make([]error, len(p.questions))
	p.err = q.client.batch(ctx, p.questions, p.decisions, p.errs, &options{RecordUse: true})
}
