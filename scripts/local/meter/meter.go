// Package meter measures what calls of a local DynamoDB engine would cost.
package meter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Meter stands before an engine, asks it for the price of every call, and adds up.
type Meter struct {
	server *httptest.Server
	engine string

	mu     sync.Mutex
	calls  int
	reads  float64 // units
	writes float64
	failed error // the first call whose price was not told
}

// New measures the calls of the engine at that address, which have to be made to URL instead.
func New(engine string) *Meter {
	m := &Meter{engine: engine}
	m.server = httptest.NewServer(m)
	return m
}

// URL is where the calls are made.
func (m *Meter) URL() string { return m.server.URL }

// Close ends it.
func (m *Meter) Close() { m.server.Close() }

// ServeHTTP passes a call on. Nobody verifies the signature of a request to a local engine, so that the question can be put into its body.
func (m *Meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	kind := kindOf(operation)
	if kind != unmetered {
		body = bytes.Replace(body, []byte(`{`), []byte(`{"ReturnConsumedCapacity":"TOTAL",`), 1)
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, m.engine, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header = r.Header.Clone()
	out.Header.Del("Content-Length")
	out.Header.Del("Accept-Encoding")
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if kind != unmetered {
		m.recordCall(operation, kind, resp.StatusCode, answer)
	}
	for name, values := range resp.Header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer) // a caller who has gone is no matter
}

type kind int

const (
	unmetered kind = iota // the stream's, which Lambda reads for nothing, and those about the table itself
	read
	write
)

func kindOf(operation string) kind {
	switch operation {
	case "GetItem", "BatchGetItem", "Query", "TransactGetItems":
		return read
	case "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems":
		return write
	}
	return unmetered
}

func (m *Meter) recordCall(operation string, kind kind, status int, answer []byte) {
	var told struct{ ConsumedCapacity json.RawMessage }
	type price struct{ CapacityUnits float64 }
	units, err := 0.0, json.Unmarshal(answer, &told)
	if err == nil && len(told.ConsumedCapacity) > 0 {
		var several []price
		if told.ConsumedCapacity[0] == '{' {
			several = make([]price, 1)
			err = json.Unmarshal(told.ConsumedCapacity, &several[0])
		} else {
			err = json.Unmarshal(told.ConsumedCapacity, &several)
		}
		for _, p := range several {
			units += p.CapacityUnits
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	switch {
	case err != nil || status == http.StatusOK && units == 0:
		if m.failed == nil {
			m.failed = fmt.Errorf("the engine does not tell what a %s costs: %d %s", operation, status, answer)
		}
	case kind == read:
		m.reads += units
	default: // a condition that does not hold costs, too, but the engine does not tell: it is rare
		m.writes += units
	}
}

// Take returns what was used since the last time: calls, and read and write units. It fails when the engine did not tell the price of one.
func (m *Meter) Take() (calls int, reads, writes float64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls, reads, writes, err = m.calls, m.reads, m.writes, m.failed
	m.calls, m.reads, m.writes = 0, 0, 0
	return calls, reads, writes, err
}
