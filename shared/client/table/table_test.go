package table_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/client"
	"partneraccess/shared/client/table"
	"partneraccess/shared/dynamo"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

const kimID = "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1"

var (
	noon = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	end  = noon.Add(time.Hour)
	kim  = client.Question{User: kimID, Action: "reports:read", Customer: "acme"}
)

// world is a table in which acme grants kim of contoso support until end, and the way to it, which can fail.
type world struct {
	t     *testing.T
	store *dynamo.Store
	db    *dynamodb.Client
	name  string
	now   time.Time
	grant access.Grant
	calls atomic.Int64
	fails func(operation string) bool // nil: no call does

	answered func() // after each call; nil: nothing
}

// Do implements dynamodb.HTTPClient.
func (w *world) Do(r *http.Request) (*http.Response, error) {
	w.calls.Add(1)
	if _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); w.fails != nil && w.fails(operation) {
		return nil, errors.New("the line is cut")
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if w.answered != nil && err == nil {
		text, unread := io.ReadAll(a.Body)
		a.Body, err = io.NopCloser(bytes.NewReader(text)), unread
		w.answered()
	}
	return a, err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e := engine.Shared(t)
	w := &world{t: t, name: "checker-" + rand.Text(), now: noon}
	if err := dynamo.CreateTable(t.Context(), e.Client(), w.name, false); err != nil {
		t.Fatal(err)
	}
	w.store = dynamo.New(e.Client(), w.name)
	var err error
	w.db, err = table.Client(aws.Config{
		Region: engine.Region, BaseEndpoint: aws.String(e.Endpoint()), Credentials: e.Client().Options().Credentials,
	}, func(o *dynamodb.Options) { o.HTTPClient, o.Retryer = w, aws.NopRetryer{} })
	if err != nil {
		t.Fatal(err)
	}
	w.grant = access.Grant{
		ID: "grt_1", Customer: "acme", Partner: "contoso", Level: access.Support, State: access.StateOpen, From: noon, Until: end, Version: 1,
	}
	w.write(
		access.PartnerWrite{After: &access.Partner{
			ID: "contoso", Class: access.Channel, Offer: access.Manage, Status: access.Active, Version: 1,
		}},
		access.UserWrite{After: &access.User{
			ID: kimID, Partner: "contoso", Number: 1, Email: "kim@contoso.example", Role: access.Tech, Status: access.Active, Version: 1,
		}},
		access.EmailWrite{After: &access.Email{Address: "kim@contoso.example", User: kimID, Version: 1}},
		access.GrantWrite{After: &w.grant},
		access.AssignmentWrite{After: &access.Assignment{Customer: "acme", Partner: "contoso", User: kimID, Version: 1}},
	)
	return w
}

func (w *world) write(writes ...access.Write) {
	w.t.Helper()
	if err := w.store.Apply(w.t.Context(), func(context.Context) (access.Change, *access.StoredResponse, error) {
		return access.Change{Writes: writes, At: noon}, nil, nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) checker(options ...table.Option) *table.Checker {
	w.t.Helper()
	clock := table.Clock(func() time.Time { return w.now })
	c, err := table.New(w.db, w.name, access.DefaultCatalogue(), append([]table.Option{clock}, options...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestADecisionSaysWhatTheServiceWouldSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := w.checker().Check(t.Context(), kim)
	want := client.Decision{Allowed: true, Reason: "granted", Level: "support", Grant: "grt_1", ValidUntil: end, EvaluatedAt: noon}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if n := w.calls.Load(); n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
	byAddress := kim
	byAddress.User = "Kim@Contoso.example"
	if got, err := w.checker().Check(t.Context(), byAddress); err != nil || got != want || w.calls.Load() != 3 {
		t.Errorf("by address: got %+v, %v with %d requests, want the same with one more", got, err, w.calls.Load()-1)
	}
}

func TestAPeriodEndsOnItsInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.checker()
	for _, at := range []struct {
		time.Time
		reason string
	}{{noon.Add(-1), "not_yet_active"}, {noon, "granted"}, {end.Add(-1), "granted"}, {end, "expired"}, {end.Add(1), "expired"}} {
		w.now = at.Time
		if d, err := c.Check(t.Context(), kim); err != nil || d.Reason != at.reason || d.Allowed != (at.reason == "granted") {
			t.Errorf("%s: got %+v, %v, want %s", at.Format(time.RFC3339Nano), d, err, at.reason)
		}
	}
}

func TestNothingIsKeptOfAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.checker()
	if d, err := c.Check(t.Context(), kim); err != nil || !d.Allowed {
		t.Fatalf("got %+v, %v, want it allowed", d, err)
	}
	revoked := w.grant
	revoked.State, revoked.Version = access.StateEnded, 2
	revoked.End = &access.End{Reason: access.RevokedByCustomer, At: noon}
	w.write(access.GrantWrite{Before: &w.grant, After: &revoked})
	if d, err := c.Check(t.Context(), kim); err != nil || d.Allowed || d.Reason != "ended" {
		t.Errorf("after the revoke: got %+v, %v, want it denied", d, err)
	}
}

func TestWhatCannotBeReadIsNoAllow(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"BatchGetItem", "GetItem"} {
		w := newWorld(t)
		w.fails = func(o string) bool { return o == operation }
		q := kim
		q.User = "kim@contoso.example"
		served := false
		h := client.Middleware(w.checker(), func(*http.Request) (client.Question, error) { return q, nil })(
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }))
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		if answer.Code != http.StatusServiceUnavailable || served {
			t.Errorf("%s fails: got %d, served %v, want 503", operation, answer.Code, served)
		}
		decisions, _, err := w.checker().Checks(t.Context(), []client.Question{q, q})
		if err == nil || len(decisions) > 0 {
			t.Errorf("%s fails: got %+v, %v, want an error", operation, decisions, err)
		}
	}
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := w.checker().Check(ctx, kim); err == nil || d.Allowed {
		t.Errorf("a context that has ended: got %+v, %v, want an error", d, err)
	}
	q := kim
	q.Action = ""
	if d, err := w.checker().Check(t.Context(), q); err == nil || d.Allowed {
		t.Errorf("no action: got %+v, %v, want an error", d, err)
	}
	if d, err := w.checker(table.Eventual()).Check(t.Context(), kim); err != nil || !d.Allowed {
		t.Errorf("eventual: got %+v, %v", d, err)
	}
}

func TestACheckerNeedsATableAndACatalogue(t *testing.T) {
	t.Parallel()
	db, catalogue := dynamodb.New(dynamodb.Options{}), access.DefaultCatalogue()
	for about, make := range map[string]func() (*table.Checker, error){
		"no client":    func() (*table.Checker, error) { return table.New(nil, "t", catalogue) },
		"no name":      func() (*table.Checker, error) { return table.New(db, "", catalogue) },
		"no catalogue": func() (*table.Checker, error) { return table.New(db, "t", nil) },
	} {
		if c, err := make(); err == nil || c != nil {
			t.Errorf("%s: got %v, want an error", about, c)
		}
	}
}

// service counts what it is asked in time.
type service struct {
	asked int
	err   error
}

func (s *service) Check(ctx context.Context, _ client.Question) (client.Decision, error) {
	if ctx.Err() == nil {
		s.asked++
	}
	return client.Decision{}, s.err
}

func TestTheServiceRecordsTheFirstUseOfADay(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t), &service{}
	c := w.checker(table.RecordUses(s))
	ask := func(want int, about string) {
		t.Helper()
		if d, err := c.Check(t.Context(), kim); err != nil || d.Allowed != w.now.Before(end) {
			t.Errorf("%s: got %+v, %v", about, d, err)
		}
		if s.asked != want {
			t.Errorf("%s: the service was asked %d times, want %d", about, s.asked, want)
		}
	}
	ask(1, "the first use")
	if err := dynamo.NewReader(w.db, w.name).RecordUse(t.Context(), "acme", kimID, access.Use{On: "2026-11-22", Number: 1}); err != nil {
		t.Fatal(err)
	}
	ask(1, "one that is recorded")
	if _, _, err := c.Checks(t.Context(), []client.Question{kim}); err != nil || s.asked != 1 {
		t.Errorf("a list of questions: the service was asked %d times (%v), want 1", s.asked, err)
	}
	w.now = end
	ask(1, "a denial")

	w, s = newWorld(t), &service{}
	c = w.checker(table.RecordUses(s), table.Clock(func() time.Time { return noon }))
	gone, leave := context.WithCancel(t.Context())
	w.answered = leave // breaks its request off when its access has been read
	if d, err := c.Check(gone, kim); err != nil || !d.Allowed || s.asked != 1 {
		t.Errorf("who breaks off: got %+v, %v, and the service was asked %d times, want 1", d, err, s.asked)
	}

	w, s = newWorld(t), &service{err: errors.New("away")}
	c = w.checker(table.RecordUses(s))
	ask(1, "a service that does not answer")
	ask(1, "a service that did not answer a moment ago")
	w.now = noon.Add(11 * time.Second)
	ask(2, "a service that did not answer a while ago")
}
