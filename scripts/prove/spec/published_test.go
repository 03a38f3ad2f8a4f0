package spec_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/cloudevents"
)

// onBus waits until the bus has events with these names, in any order, beside others, and returns those of the first name.
func onBus(t *testing.T, w *spec.World, names ...string) []cloudevents.Event {
	t.Helper()
	var first []cloudevents.Event
	spec.Eventually(t, func() error {
		first = nil
		var got []string
		for _, e := range w.Stack.Bus.List() {
			var in cloudevents.Event
			if err := json.Unmarshal(e.Detail, &in); err != nil {
				t.Fatalf("%s is no event: %v", e.Detail, err)
			}
			if got = append(got, in.Name()); in.Name() == names[0] {
				first = append(first, in)
			}
		}
		for _, n := range names {
			if !slices.Contains(got, n) {
				return fmt.Errorf("got %q on the bus, want %s, too", got, n)
			}
		}
		return nil
	})
	return first
}

func TestOthersLearnWhoseAccessIsLostFromTheBus(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	onBus(t, w, "access.gained", "grant.created")
	w.Stack.Bus.Clear()
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	lost := onBus(t, w, "access.lost", "grant.revoked")
	want := cloudevents.Match{Customer: "acme", Partner: "contoso"}
	if len(lost) != 1 || *lost[0].Data.Match != want || *lost[0].Data.Ask || lost[0].Data.Level != "none" || lost[0].Data.Reason != "ended" {
		t.Errorf("got %+v, want that nobody of contoso has access to acme", lost)
	}
}

// One event stands for all people of a partner at all of its customers.
func TestASuspendedPartnerIsOneLoss(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	onBus(t, w, "access.gained", "grant.created")
	w.Stack.Bus.Clear()
	w.Provider().Do("PATCH", contosoPath, m{"status": "suspended"}, "If-Match", "*").Want(200)
	lost := onBus(t, w, "access.lost", "partner.suspended")
	if len(lost) != 1 || *lost[0].Data.Match != (cloudevents.Match{Partner: "contoso"}) || lost[0].Feed != "partners/contoso" {
		t.Errorf("got %+v, want one for contoso", lost)
	}
}

// An end that the clock brings is published by the sweep, with the instant at which it was.
func TestAnEndByTheClockIsPublishedWithItsInstant(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	until := w.Now().Add(time.Hour).Truncate(time.Second)
	w.Grant("acme", m{"partner": "contoso", "everyone": true, "until": until}).Want(201)
	onBus(t, w, "access.gained", "grant.created")
	w.Advance(2 * time.Hour)
	lost := onBus(t, w, "access.lost", "grant.expired")
	if len(lost) != 1 || !lost[0].Data.At.Equal(until) || lost[0].Data.Reason != "expired" || !lost[0].Time.After(until) {
		t.Errorf("got %+v, want a loss at %s", lost, until)
	}
}

// What the bus does not take comes later, with the same ids, and no check, change or version waits for it.
func TestWhatTheBusRefusesComesLater(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	onBus(t, w, "access.gained", "user.created", "customer.created") // all of the world's own: its owner gains access, too
	w.Stack.Bus.Clear()
	w.Stack.Bus.Fail(1)
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	spec.Eventually(t, func() error {
		w.Advance(time.Minute) // the schedule runs with each move
		names := map[string]int{}
		for _, e := range w.Stack.Bus.List() {
			names[e.Type]++
		}
		for _, n := range []string{"grant.created", "access.gained", "grant.revoked", "access.lost"} {
			if got := names["com.partner-access."+n+".v1"]; got != 1 {
				return fmt.Errorf("got %s %d times on the bus, want once", n, got)
			}
		}
		return nil
	})
}

// BenchmarkRevokeToBus measures how long after the answer to a revoke its access.lost is on the bus.
func BenchmarkRevokeToBus(b *testing.B) {
	w := spec.New(b, func(c *stack.Config) { c.Stream = true })
	w.Customer("acme")
	w.Partner("contoso")
	var took []time.Duration
	for b.Loop() {
		w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
		lost := len(w.Stack.Bus.Named("access.lost"))
		w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
		for answered := time.Now(); ; time.Sleep(time.Millisecond) {
			if len(w.Stack.Bus.Named("access.lost")) > lost {
				took = append(took, time.Since(answered))
				break
			}
			if time.Since(answered) > time.Minute {
				b.Fatal("it is not there after a minute")
			}
		}
	}
	slices.Sort(took)
	ms := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(ms(0.5), "ms_p50")
	b.ReportMetric(ms(0.99), "ms_p99")
	b.ReportMetric(ms(1), "ms_max")
}
