package stack

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// BusPath is where the stack serves EventBridge's API: a client's base endpoint is the stack's URL and this.
const BusPath = "/_local/eventbridge"

// BusName is the name of the local bus.
const BusName = "local"

// Bus speaks as much of Amazon EventBridge's API as putting events on a bus needs, checks what EventBridge checks, and keeps the latest
// events for GET /_local/events. Its faults are for tests.
type Bus struct {
	now func() time.Time

	mu     sync.Mutex
	events []BusEvent
	faults []busFault
}

// BusEvent is an event on the bus.
type BusEvent struct {
	Detail json.RawMessage `json:"detail"` // the CloudEvent
	Type   string          `json:"detail-type"`
	Source string          `json:"source"`
	At     time.Time       `json:"at"` // when it came, by the stack's clock, UTC
}

// keptEvents is how many events the bus keeps.
const keptEvents = 10_000

// maxEntry is the size of an entry in bytes, and maxEntries how many there are in a request
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html).
const (
	maxEntry   = 256 << 10
	maxEntries = 10
)

type busFault struct {
	entry bool          // one entry fails, and not the request
	lose  bool          // what was asked is done and the answer lost
	hang  time.Duration // before the answer
}

// Fail answers the next n requests with an internal error.
func (b *Bus) Fail(n int) { b.plan(n, busFault{}) }

// Refuse refuses the first entry of the next n requests and takes the others.
func (b *Bus) Refuse(n int) { b.plan(n, busFault{entry: true}) }

// Lose takes the next n requests and answers them with an internal error all the same.
func (b *Bus) Lose(n int) { b.plan(n, busFault{lose: true}) }

// Hang has the next n requests wait that long, and fail then.
func (b *Bus) Hang(n int, long time.Duration) { b.plan(n, busFault{hang: long}) }

// Heal forgets the faults that have not happened yet.
func (b *Bus) Heal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = nil
}

func (b *Bus) plan(n int, f busFault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		b.faults = append(b.faults, f)
	}
}

// List returns the events that are kept, oldest first; never nil.
func (b *Bus) List() []BusEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]BusEvent{}, b.events...)
}

// Clear forgets the events.
func (b *Bus) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = nil
}

// Named returns the events whose type matches: all, or those of a name such as grant.ended or of names that begin so, such as grant.*.
func (b *Bus) Named(name string) []BusEvent {
	out := []BusEvent{}
	for _, e := range b.List() {
		short := strings.TrimSuffix(strings.TrimPrefix(e.Type, "com.partner-access."), ".v1")
		if beginning, all := strings.CutSuffix(name, "*"); name == "" || short == name || all && strings.HasPrefix(short, beginning) {
			out = append(out, e)
		}
	}
	return out
}

func (b *Bus) serve(mux *http.ServeMux) {
	mux.Handle("POST "+BusPath, b)
	mux.Handle("POST "+BusPath+"/{$}", b)
	mux.HandleFunc("GET /_local/events", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, b.Named(r.URL.Query().Get("type")))
	})
	mux.HandleFunc("DELETE /_local/events", func(w http.ResponseWriter, _ *http.Request) {
		b.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
}

// busEntry is an entry of PutEvents, and busResult what became of it
// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html).
type busEntry struct {
	Source, DetailType, Detail, EventBusName string
}

type busResult struct {
	EventID      string `json:"EventId,omitzero"`
	ErrorCode    string `json:",omitzero"`
	ErrorMessage string `json:",omitzero"`
}

// ServeHTTP implements http.Handler: PutEvents.
func (b *Bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuseRequest := func(status int, kind, why string) {
		w.Header().Set("X-Amzn-Errortype", kind)
		writeJSON(w, status, map[string]string{"__type": kind, "message": why})
	}
	if target := r.Header.Get("X-Amz-Target"); target != "AWSEvents.PutEvents" {
		refuseRequest(http.StatusBadRequest, "UnknownOperationException", "the local bus knows PutEvents alone")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxEntries*maxEntry))
	var in struct{ Entries []busEntry }
	if err != nil || json.Unmarshal(body, &in) != nil || len(in.Entries) == 0 || len(in.Entries) > maxEntries {
		refuseRequest(http.StatusBadRequest, "ValidationException", "a request has 1 to 10 entries")
		return
	}
	f, faulty := b.nextFault()
	if f.hang > 0 {
		select {
		case <-time.After(f.hang):
		case <-r.Context().Done():
		}
	}
	results, failed := []busResult{}, 0
	if !faulty || f.entry || f.lose {
		results, failed = b.take(in.Entries, f.entry)
	}
	if faulty && !f.entry {
		refuseRequest(http.StatusInternalServerError, "InternalException", "Internal error.")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	writeJSON(w, http.StatusOK, map[string]any{"Entries": results, "FailedEntryCount": failed})
}

func (b *Bus) nextFault() (f busFault, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.faults) == 0 {
		return busFault{}, false
	}
	f, b.faults = b.faults[0], b.faults[1:]
	return f, true
}

// take keeps the entries that are as they should be, but for the first one where that is to be refused.
func (b *Bus) take(entries []busEntry, refuseFirst bool) (results []busResult, failed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, e := range entries {
		var detail map[string]json.RawMessage
		switch {
		case refuseFirst && i == 0:
			results = append(results, busResult{ErrorCode: "ThrottlingException", ErrorMessage: "Rate exceeded"})
		case e.Source == "" || e.DetailType == "" || strings.HasPrefix(e.Source, "aws."):
			results = append(results, busResult{ErrorCode: "InvalidArgument", ErrorMessage: "Parameter Source or DetailType is not valid."})
		case json.Unmarshal([]byte(e.Detail), &detail) != nil || len(e.Detail)+len(e.Source)+len(e.DetailType) > maxEntry:
			results = append(results, busResult{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."})
		default:
			results = append(results, busResult{EventID: "local"})
			b.events = append(b.events, BusEvent{json.RawMessage(e.Detail), e.DetailType, e.Source, b.now().UTC()})
			continue
		}
		failed++
	}
	b.events = b.events[max(0, len(b.events)-keptEvents):]
	return results, failed
}
