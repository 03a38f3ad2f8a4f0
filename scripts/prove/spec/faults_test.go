package spec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/events"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

// Faults of what stands around the functions: clocks that differ, a stream that tells everything twice and out of order, functions that run
// beside themselves.

// skew is by how much the functions' clocks differ. Lambda keeps them within milliseconds.
const skew = 5 * time.Second

// at are the functions with clocks that differ from the world's by that much.
func at(d stack.Deps, by time.Duration) (map[string]lambda.Handler, error) {
	now := d.Now
	d.Now = func() time.Time { return now().Add(by) }
	return stack.Functions(d)
}

// checkAt has check's clock differ from all others'.
func checkAt(by time.Duration) func(*stack.Config) {
	return func(c *stack.Config) {
		c.Handlers = func(d stack.Deps) (map[string]lambda.Handler, error) {
			out, err := stack.Functions(d)
			other, err2 := at(d, by)
			if err := errors.Join(err, err2); err != nil {
				return nil, err
			}
			out["check"] = other["check"]
			return out, nil
		}
	}
}

func TestWithAnyClocksNoCheckAllowsWhatWasRevoked(t *testing.T) {
	t.Parallel()
	provider := func(w *spec.World) *spec.Client { return w.Provider() }
	admin := func(w *spec.World) *spec.Client { return w.AdminOf("acme") }
	edit := func(body m) func(string) any { return func(string) any { return body } }
	for _, taken := range []struct {
		how    string
		by     func(*spec.World) *spec.Client
		method string
		path   string // with {user}
		body   func(user string) any
	}{
		{"revoked", admin, "DELETE", contosoGrant, nil},
		{
			"relinquished", func(w *spec.World) *spec.Client { return w.As("olga@contoso.example") }, "DELETE",
			"/v1/partners/contoso/customers/acme", nil,
		},
		{"taken out", admin, "DELETE", contosoGrant + "/users/{user}", nil},
		{"taken out by an edit", admin, "PATCH", contosoGrant, func(user string) any { return m{"users": m{"remove": []string{user}}} }},
		{"level lowered", admin, "PATCH", contosoGrant, edit(m{"level": "none"})},
		{"suspended", admin, "PATCH", contosoGrant, edit(m{"state": "suspended"})},
		{"begins later", admin, "PATCH", contosoGrant, edit(m{"from": spec.Start.Add(day)})},
		{"user disabled", provider, "PATCH", "/v1/partners/contoso/users/{user}", edit(m{"status": "disabled"})},
		{"user removed", provider, "DELETE", "/v1/partners/contoso/users/{user}", nil},
		{"user a member", provider, "PUT", "/v1/customers/acme/members/kim@contoso.example", edit(m{"name": "Kim", "role": "member"})},
		{"partner suspended", provider, "PATCH", "/v1/partners/contoso", edit(m{"status": "suspended"})},
		{"partner removed", provider, "DELETE", "/v1/partners/contoso", nil},
		{"offer lowered", provider, "PATCH", "/v1/partners/contoso", edit(m{"offer": "none"})},
	} {
		for _, by := range []time.Duration{-skew, skew} {
			t.Run(fmt.Sprintf("%s, check by %s", taken.how, by), func(t *testing.T) {
				t.Parallel()
				w := spec.New(t, checkAt(by))
				w.Customer("acme")
				w.Partner("contoso")
				w.User("contoso", "olga@contoso.example", "owner")
				kim, sam := w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "tech")
				w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}}).Want(201)
				if by < 0 { // for the check it has not begun yet
					w.Denied(kim, "sign_in", "acme", "not_yet_active")
					w.Stack.Clock.Advance(-by)
				}
				w.Allowed(kim, "sign_in", "acme")
				var body any
				if taken.body != nil {
					body = taken.body(kim)
				}
				if a := taken.by(w).Do(taken.method, strings.ReplaceAll(taken.path, "{user}", kim), body, "If-Match", "*"); a.Status >= 300 {
					t.Fatalf("got %d %s, want it done", a.Status, a.Body)
				}
				if allowed, reason := w.Check(kim, "sign_in", "acme"); allowed {
					t.Errorf("got %v (%s), want it denied", allowed, reason)
				}
			})
		}
	}
}

// The one thing that a check's clock decides is a period: it begins and ends as much later, or earlier, as that clock differs.
func TestAPeriodEndsByTheChecksClockAndARecordedEndStays(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-skew, skew} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			w := spec.New(t, checkAt(by))
			w.Customer("acme")
			w.Partner("contoso")
			kim := w.User("contoso", "kim@contoso.example", "tech")
			from, until := spec.Start.Add(day), spec.Start.Add(2*day)
			w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "from": from, "until": until}).Want(201)
			for _, step := range []struct {
				now    time.Time
				reason string
			}{
				{from.Add(-by - time.Millisecond), "not_yet_active"},
				{from.Add(-by), "granted"},
				{until.Add(-by - time.Millisecond), "granted"},
				{until.Add(-by), "expired"},
			} {
				w.Stack.Clock.Set(step.now) // without a sweep
				if allowed, reason := w.Check(kim, "sign_in", "acme"); reason != step.reason || allowed != (reason == "granted") {
					t.Errorf("at %s: got %v (%s), want %s", step.now.Format(time.RFC3339Nano), allowed, reason, step.reason)
				}
			}
			w.Stack.Clock.Set(until)
			w.Advance(0) // the sweep, by the clock that is right
			w.Denied(kim, "sign_in", "acme", "expired")
			w.Stack.Clock.Set(until.Add(-skew))
			w.Denied(kim, "sign_in", "acme", "expired")
		})
	}
}

// tangle is notify as a stream and a Lambda at their worst would have it: each batch goes to two of them at once whose clocks differ, whole
// to one and doubled, out of order and in parts to the other; and then it is said now and again to have failed from some record on, or
// altogether.
type tangle struct {
	ahead, behind lambda.Handler

	mu     sync.Mutex
	rand   *rand.Rand
	failed map[string]int // by sequence number: how often it was said of a record that it had failed
	faults atomic.Int64
}

// Invoke implements lambda.Handler.
func (h *tangle) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var in struct{ Records []json.RawMessage }
	if err := json.Unmarshal(payload, &in); err != nil || len(in.Records) == 0 { // the schedule's: the mails that wait
		return nil, errors.Join(both(ctx, payload, h.ahead, h.behind))
	}
	h.mu.Lock()
	twice := append(append([]json.RawMessage{}, in.Records...), in.Records...)
	h.rand.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
	cut := h.rand.IntN(len(twice) + 1)
	way, from := h.rand.IntN(4), h.rand.IntN(len(in.Records))
	h.mu.Unlock()
	whole := in.Records
	if way == 2 { // the rest is not looked at before it has failed
		whole = whole[:from]
	}

	var runs sync.WaitGroup
	errs := make([]error, 3)
	for i, part := range [][]json.RawMessage{whole, twice[:cut], twice[cut:]} {
		if way == 2 && i > 0 {
			continue
		}
		handler := h.ahead
		if i > 0 {
			handler = h.behind
		}
		runs.Go(func() {
			event, err := json.Marshal(map[string]any{"Records": part})
			if err == nil {
				var answer []byte
				answer, err = handler.Invoke(ctx, event)
				if err == nil && bytes.Contains(answer, []byte("itemIdentifier")) {
					err = fmt.Errorf("records failed: %s", answer)
				}
			}
			errs[i] = err
		})
	}
	runs.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}

	numbers := make([]string, len(in.Records))
	for i, raw := range in.Records {
		var r struct {
			DynamoDB struct{ SequenceNumber string } `json:"dynamodb"`
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, err
		}
		numbers[i] = r.DynamoDB.SequenceNumber
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed[numbers[from]] >= 2 && way != 2 { // it is not to be given up
		way = 0
	}
	switch way {
	case 1, 2: // half of it failed
		h.failed[numbers[from]]++
		h.faults.Add(1)
		return json.Marshal(map[string]any{"batchItemFailures": []any{map[string]string{"itemIdentifier": numbers[from]}}})
	case 3: // all of it
		h.failed[numbers[from]]++
		h.faults.Add(1)
		return nil, errors.New("the answer got lost")
	}
	return []byte(`{"batchItemFailures":[]}`), nil
}

// both invokes two handlers at once.
func both(ctx context.Context, payload []byte, a, b lambda.Handler) error {
	var runs sync.WaitGroup
	errs := make([]error, 2)
	for i, h := range []lambda.Handler{a, b} {
		runs.Go(func() { _, errs[i] = h.Invoke(ctx, payload) })
	}
	runs.Wait()
	return errors.Join(errs...)
}

// beside is a function that runs twice at once, with clocks that differ.
type beside struct{ ahead, behind lambda.Handler }

// Invoke implements lambda.Handler.
func (h beside) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return nil, both(ctx, payload, h.ahead, h.behind)
}

func TestWithAFaultyStreamAndConcurrencyEachMailIsSentOnce(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	notify := &tangle{rand: rand.New(rand.NewPCG(seed, 1)), failed: map[string]int{}} //nolint:gosec // no secret
	w := spec.New(t, func(c *stack.Config) {
		c.Stream = true
		c.Handlers = func(d stack.Deps) (map[string]lambda.Handler, error) {
			out, err := stack.Functions(d)
			ahead, err2 := at(d, skew)
			behind, err3 := at(d, -skew)
			if err := errors.Join(err, err2, err3); err != nil {
				return nil, err
			}
			notify.ahead, notify.behind = ahead["notify"], behind["notify"]
			out["notify"], out["expire"] = notify, beside{ahead["expire"], behind["expire"]}
			return out, nil
		}
	})
	w.Partner("contoso", "contacts", []string{"ops@contoso.example"})
	users := make([]string, 5)
	for i := range users {
		users[i] = w.User("contoso", fmt.Sprintf("u%d@contoso.example", i), "tech")
	}
	waitUntilAllIsSent(t, w) // one of them is removed below, and who is gone is told of no password
	const customers = 6
	customer := func(i int) string { return fmt.Sprintf("c%d", i) }
	var admins sync.WaitGroup
	for i := range customers {
		c := customer(i)
		w.Customer(c)
		w.Provider().Do("PUT", "/v1/customers/"+c, m{"contacts": []string{"it@" + c + ".example"}}).Want(200)
		admin := w.AdminOf(c)
		admins.Go(func() {
			path := "/v1/customers/" + c + "/grants"
			edit := func(body m) { admin.Do("PATCH", path+"/contoso", body, "If-Match", "*").Want(200) }
			admin.Do("POST", path, m{"partner": "contoso", "users": users[:2], "until": spec.Start.Add(40 * day)}).Want(201)
			edit(m{"users": m{"add": users[2:4]}})
			edit(m{"level": "support"})
			edit(m{"users": m{"remove": users[:1]}})
			if i%3 == 0 {
				edit(m{"everyone": true})
			}
			if i%3 == 1 {
				admin.Do("DELETE", path+"/contoso", nil).Want(http.StatusOK)
				admin.Do("POST", path, m{"partner": "contoso", "users": users[3:]}).Want(201)
			}
		})
	}
	admins.Wait()
	w.Provider().Do("DELETE", "/v1/partners/contoso/users/"+users[4], nil).Want(204)
	// Two sweeps at a time, a minute after what is to be told. The clock is not moved while mails are being sent: their leases would be over.
	for _, step := range []time.Duration{10*day + time.Minute, 23 * day, 6 * day, day} {
		waitUntilAllIsSent(t, w)
		w.Advance(step)
	}
	want := waitUntilAllIsSent(t, w)
	time.Sleep(300 * time.Millisecond) // for one too many
	mails := map[string]int{}
	for _, m := range w.Stack.Mail.List() {
		mails[fmt.Sprint(m.Event, " ", m.Tags["event"], " to ", receipt.Digest(m.To))]++
	}
	for about := range want {
		if mails[about] != 1 {
			t.Errorf("%s: got %d mails, want 1", about, mails[about])
		}
	}
	for about, n := range mails {
		if !want[about] {
			t.Errorf("%s: got %d mails, want none", about, n)
		}
	}
	if len(want) < 100 || notify.faults.Load() == 0 || len(w.Stack.Dead.List()) > 0 {
		t.Errorf("got %d mails, %d faults and %d dead letters, want many, some and none", len(want), notify.faults.Load(),
			len(w.Stack.Dead.List()))
	}
	t.Logf("%d mails, each once; %d batches were said to have failed", len(want), notify.faults.Load())
	for i := range customers {
		c := customer(i)
		if n, listed := userCount(w, t, c), listedUsers(w, c); n != len(listed) {
			t.Errorf("%s: got user_count %d, want %d, as many as are listed", c, n, len(listed))
		}
		ends := "expiring 30, expiring 7, expiring 1, expired"
		if i%3 == 1 {
			ends = "user_left"
		}
		if told := toldByTheClock(w, c); told != ends {
			t.Errorf("%s: got told by the clock %q, want %q", c, told, ends)
		}
	}
}

// waitUntilAllIsSent returns the mails that the events in the table tell of when each of them has been sent.
func waitUntilAllIsSent(t *testing.T, w *spec.World) (want map[string]bool) {
	t.Helper()
	spec.Eventually(t, func() error {
		var waiting []string
		if want, waiting = letters(t, w); len(waiting) > 0 {
			return fmt.Errorf("these mails are not sent: %q", waiting)
		}
		return nil
	})
	return want
}

// letters are all mails that the events in the table tell of, but for those to users that were outdated when they were made, and those that
// have no receipt or whose receipt is not settled.
func letters(t *testing.T, w *spec.World) (all map[string]bool, waiting []string) {
	t.Helper()
	var happened []events.Event
	settled, dropped := map[string]bool{}, map[string]bool{}
	table := w.Stack.Table()
	pages := dynamodb.NewScanPaginator(w.Stack.Engine().Client(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			text := func(name string) string {
				s, _ := item[name].(*types.AttributeValueMemberS)
				if s == nil {
					return ""
				}
				return s.Value
			}
			switch sk := text("sk"); {
			case strings.HasPrefix(sk, "T#"):
				var e events.Event
				if err := json.Unmarshal([]byte(text("event")), &e); err != nil {
					t.Fatal(err)
				}
				happened = append(happened, e)
			case strings.HasPrefix(sk, "L#"):
				key := text("event") + text("recipient")
				settled[key] = text("state") != string(receipt.Claimed)
				dropped[key] = text("state") == string(receipt.Dropped) // what it said held no longer when it was made
			}
		}
	}
	all = map[string]bool{}
	for _, e := range happened {
		for _, l := range mail.Letters(e) {
			about, key := fmt.Sprint(e.Type, " ", e.ID, " to ", receipt.Digest(l.To)), e.ID+receipt.Digest(l.To)
			if dropped[key] && l.Side == mail.User {
				continue
			}
			if all[about] = true; !settled[key] {
				waiting = append(waiting, about)
			}
		}
	}
	return all, waiting
}
