package dynamo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/metrics"
)

// counted adds up what a recorder writes, by metric and, where it has one, by its other dimension.
type counted struct {
	mu  sync.Mutex
	sum map[string]float64
}

func (c *counted) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var line map[string]any
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&line); err != nil {
		panic(err)
	}
	if c.sum == nil {
		c.sum = map[string]float64{}
	}
	for _, name := range []string{metrics.GrantsEnded, metrics.Mails, metrics.Contention} {
		if v, ok := line[name].(float64); ok {
			c.sum[strings.TrimSpace(fmt.Sprint(name, " ", text(line["Reason"]), text(line["State"])))] += v
		}
	}
	return len(b), nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func (c *counted) want(t *testing.T, when, figure string, want float64) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := c.sum[figure]; got != want {
		t.Errorf("%s: %s: got %v, want %v, in %v", when, figure, got, want, c.sum)
	}
}

// withMetrics is the table's store, which tells the recorder.
func (tb *table) withMetrics(t *testing.T, c *counted) *dynamo.Store {
	t.Helper()
	return dynamo.New(clientOf(t, engine.Shared(t).Endpoint(), tb.line), tb.name, dynamo.WithMetrics(metrics.New(c, "test", time.Now)))
}

func TestEachTimeThatOthersGetInBetweenIsCountedAsContention(t *testing.T) {
	t.Parallel()
	tb, c := newTable(t), &counted{}
	s := tb.withMetrics(t, c)
	apply := func(id string) error { return s.Apply(t.Context(), planOf(customerCreated(id))) }
	if err := apply("alone"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "alone", "Contention", 0)
	tb.line.fail(times(3, cancel("None", "TransactionConflict")))
	if err := apply("among"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "after three conflicts", "Contention", 3)
	tb.line.fail(times(2, cancel("ThrottlingError")))
	if err := apply("throttled"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "want of capacity", "Contention", 3)
	tb.line.fail(cancel("ConditionalCheckFailed"))
	if err := apply("never"); access.CodeOf(err) != access.Contention {
		t.Fatalf("got %v, want contention", err)
	}
	c.want(t, "given up, after twelve attempts", "Contention", 15)
}

func TestASnapshotThatMeetsAChangeIsCountedAsContention(t *testing.T) {
	t.Parallel()
	tb, c := newTable(t), &counted{}
	r := dynamo.NewReader(clientOf(t, engine.Shared(t).Endpoint(), tb.line), tb.name,
		dynamo.WithMetrics(metrics.New(c, "test", time.Now)))
	ask := []access.FactsQuery{{User: "contoso:01J", Customer: "acme"}}
	for _, step := range []struct {
		name  string
		fault fault
		want  float64
	}{
		{"nothing in the way", nil, 0},
		{"two changes under way", times(2, cancel("None", "TransactionConflict")), 2},
		{"want of capacity", times(2, cancel("ThrottlingError")), 2},
	} {
		tb.line.fail(step.fault)
		if _, err := r.Facts(t.Context(), ask, access.Snapshot); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		c.want(t, step.name, "Contention", step.want)
	}
}

func TestAnEndIsCountedWhenItIsWrittenAndOnlyThen(t *testing.T) {
	t.Parallel()
	tb, c := newTable(t), &counted{}
	s := tb.withMetrics(t, c)
	end := func(id string, kind events.Type, why access.Reason) access.Change {
		e := events.Event{ID: id, Type: kind, Time: noon, Customer: &events.Organisation{ID: "acme"}, Data: events.Data{Reason: string(why)}}
		return access.Change{Events: []events.Event{e}}
	}
	both := end("01A", events.GrantExpired, access.Expired)
	both.Events = append(both.Events, end("01B", events.GrantEnded, access.PartnerRemoved).Events...)
	both.Events = append(both.Events, end("01C", events.GrantEdited, "").Events...)
	if err := s.Apply(t.Context(), planOf(both)); err != nil {
		t.Fatal(err)
	}
	c.want(t, "written", "GrantsEnded expired", 1)
	c.want(t, "written", "GrantsEnded partner_removed", 1)
	tb.line.fail(refuse(http.StatusBadRequest, "ValidationException"))
	if err := s.Apply(t.Context(), planOf(end("01D", events.GrantRevoked, access.RevokedByCustomer))); err == nil {
		t.Fatal("got no error, want the refusal")
	}
	c.want(t, "refused", "GrantsEnded revoked_by_customer", 0)
	tb.line.fail(times(2, cancel("TransactionConflict")))
	if err := s.Apply(t.Context(), planOf(end("01E", events.GrantRevoked, access.RevokedByCustomer))); err != nil {
		t.Fatal(err)
	}
	c.want(t, "written at the third attempt", "GrantsEnded revoked_by_customer", 1)
	if len(c.sum) != 4 { // contention is the fourth
		t.Errorf("got the figures %v, want no others", c.sum)
	}
}

func TestAMailIsCountedUnderEachStateOnce(t *testing.T) {
	t.Parallel()
	tb, c := newTable(t), &counted{}
	s := tb.withMetrics(t, c)
	claim := func(event string) (receipt.Receipt, receipt.Claim) {
		t.Helper()
		r := receipt.Receipt{Key: receipt.Key{Customer: "acme", Event: event, Recipient: "r"}, To: "kim@contoso.example"}
		k, err := s.ClaimMail(t.Context(), r, noon, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return r, k
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mark := func(r receipt.Receipt, state receipt.State) error {
		return s.MarkMail(context.WithoutCancel(t.Context()), receipt.Feedback{Key: r.Key, MessageID: "m", State: state, At: noon})
	}
	r, k := claim("01A")
	must(s.SettleMail(t.Context(), k, receipt.Outcome{State: receipt.Sent, MessageID: "m", At: noon}))
	must(mark(r, receipt.Delivered))
	must(mark(r, receipt.Delivered)) // EventBridge delivers some twice
	must(mark(r, receipt.Bounced))
	must(mark(r, receipt.Delivered)) // older news

	r, k = claim("01B")
	must(mark(r, receipt.Delivered)) // before its sender has said that it was sent
	must(s.SettleMail(t.Context(), k, receipt.Outcome{State: receipt.Sent, MessageID: "m", At: noon}))

	_, k = claim("01C")
	must(s.SettleMail(t.Context(), k, receipt.Outcome{State: receipt.Dropped, At: noon}))
	must(s.SettleMail(t.Context(), k, receipt.Outcome{State: receipt.Dropped, At: noon})) // said twice

	for figure, want := range map[string]float64{"Mails sent": 2, "Mails delivered": 2, "Mails bounced": 1, "Mails dropped": 1} {
		c.want(t, "at the end", figure, want)
	}
	if len(c.sum) != 4 {
		t.Errorf("got the figures %v, want no others", c.sum)
	}
}
