package peer

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// waits stands before a storage, passes everything on, and adds up how long somebody waited for an answer: what is left of a check's time
// is the check's own. Any protocol will do in which the client speaks first.
type waits struct {
	listener net.Listener
	to       string
	running  sync.WaitGroup

	mu    sync.Mutex
	all   map[net.Conn]bool
	asked int // connections that have asked, and wait
	since time.Time
	total time.Duration
	turns int
}

// waitFor starts on a free port of 127.0.0.1 before the storage at this address.
func waitFor(ctx context.Context, address string) (*waits, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen before %s: %w", address, err)
	}
	w := &waits{listener: l, to: address, all: map[net.Conn]bool{}}
	w.running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed
			}
			w.running.Go(func() { w.serve(client) })
		}
	})
	return w, nil
}

func (w *waits) address() string { return w.listener.Addr().String() }

// take is for how long at least one was waiting, and how many answers there were, since the last call.
func (w *waits) take() (time.Duration, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	total, turns := w.total, w.turns
	w.total, w.turns = 0, 0
	return total, turns
}

func (w *waits) close() {
	_ = w.listener.Close()
	w.mu.Lock()
	for c := range w.all {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.running.Wait()
}

func (w *waits) serve(client net.Conn) {
	server, err := net.Dial("tcp", w.to) //nolint:noctx // at once, on this machine
	if err != nil {
		_ = client.Close()
		return
	}
	w.mu.Lock()
	w.all[client], w.all[server] = true, true
	w.mu.Unlock()
	c := &exchange{waits: w}
	w.running.Go(func() { pass(server, client, c.asks) })
	pass(client, server, c.answered)
	c.answered() // it waits no more
	_ = server.Close()
	_ = client.Close()
	w.mu.Lock()
	delete(w.all, client)
	delete(w.all, server)
	w.mu.Unlock()
}

// pass copies until an end, which ends the other direction, too.
func pass(to, from net.Conn, before func()) {
	defer to.Close() //nolint:errcheck // nobody is left to hear of it
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			before()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return // it has ended
		}
	}
}

// exchange is one connection: it waits from the first byte of a question to the first of the answer; the rest of both follows at once.
type exchange struct {
	*waits
	waiting bool
}

func (e *exchange) asks() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting {
		return
	}
	e.waiting = true
	if e.asked++; e.asked == 1 {
		e.since = time.Now()
	}
}

func (e *exchange) answered() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.waiting {
		return
	}
	e.waiting = false
	e.turns++
	if e.asked--; e.asked == 0 {
		e.total += time.Since(e.since)
	}
}
