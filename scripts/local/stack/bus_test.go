package stack_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
)

// onBus waits until the bus has that many events of the type.
func onBus(t *testing.T, s *stack.Stack, name string, want int) []stack.BusEvent {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(s.URL() + "/_local/events?type=" + name) //nolint:gosec // of the test's own stack
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		var got []stack.BusEvent
		if err != nil || json.Unmarshal(b, &got) != nil {
			t.Fatalf("got %s (%v), want events", b, err)
		}
		if len(got) == want {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: got %d events on the bus, want %d", name, len(got), want)
		}
	}
}

func TestTheBusGetsEventsAndWhatItRefusesLater(t *testing.T) {
	t.Parallel()
	s := whole(t)
	happen(t, s, "01KBUS0000000000000000000A")
	got := onBus(t, s, "grant.*", 1)[0]
	var e struct{ ID, Type, Source, Sequence string }
	if err := json.Unmarshal(got.Detail, &e); err != nil || e.ID != "01KBUS0000000000000000000A" || e.Type != got.Type || e.Source != s.URL() {
		t.Errorf("got %s of type %s (%v), want the event with the service's address", got.Detail, got.Type, err)
	}
	s.Bus.Clear()
	s.Bus.Refuse(1)
	s.Bus.Fail(1)
	happen(t, s, "01KBUS0000000000000000000B")
	happen(t, s, "01KBUS0000000000000000000C")
	for range 20 { // the schedule runs with each move
		if status, got := call(t, "POST", s.URL()+"/_local/clock", `{"advance":"2m"}`); status != http.StatusOK {
			t.Fatalf("move the clock: got %d %v", status, got)
		}
		if len(s.Bus.List()) == 2 {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	onBus(t, s, "grant.*", 2)
}
