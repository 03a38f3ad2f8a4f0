package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/access"
	"partneraccess/shared/httpapi"
)

// useLog takes uses down, or fails, or hangs until its time is up.
type useLog struct {
	mu    sync.Mutex
	uses  []string
	err   error
	hangs bool
}

func (l *useLog) RecordUse(ctx context.Context, customer, user string, use access.Use) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uses = append(l.uses, fmt.Sprintf("%s at %s on %s as %d", user[len(user)-2:], customer, use.On, use.Number))
	if l.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return l.err
}

func (l *useLog) seen() string { slices.Sort(l.uses); return strings.Join(l.uses, ", ") }

func newUseCheck(f httpapi.FactSource, l *useLog, now func() time.Time) lambda.Handler {
	return httpapi.NewCheck(httpapi.CheckConfig{
		Facts: f, Uses: l, Catalogue: access.DefaultCatalogue(), Now: now, BaseURL: "https://access.example", Log: slog.New(slog.DiscardHandler),
	})
}

func atNoon() time.Time { return noon }

func with(body, member string) string { return strings.TrimSuffix(body, "}") + "," + member + "}" }

func TestWhatCountsAsAUse(t *testing.T) {
	allowed, denied := ask(kim, "reports:read", atAcme), ask(lea, "reports:read", atAcme)
	batch := func(more string) string {
		return `{"subject":{"type":"user","id":"` + kim + `"},"action":{"name":"sign_in"},"evaluations":[{"resource":` + atAcme + `},` +
			`{"resource":` + atAcme + `},{"resource":{"type":"customer","id":"globex"}}]` + more + `}`
	}
	const acmes = "S1 at acme on 2026-11-22 as 1"
	for _, c := range []struct{ name, path, body, want string }{
		{"a single allow", evaluation, allowed, acmes},
		{"an allow that says so", evaluation, with(allowed, `"context":{"record_use":true}`), acmes},
		{"an allow that says not", evaluation, with(allowed, `"context":{"record_use":false}`), ""},
		{"an allow that says nothing", evaluation, with(allowed, `"context":{"record_use":null}`), acmes},
		{"a deny", evaluation, denied, ""},
		{"a partner's portal", evaluation, ask(kim, "tickets:read", `{"type":"partner","id":"contoso"}`), ""},
		{"a batch", evaluations, batch(""), ""},
		{"a batch that says so", evaluations, batch(`,"context":{"record_use":true}`), acmes + ", S1 at globex on 2026-11-22 as 1"},
		{
			"a batch that is cut", evaluations,
			batch(`,"context":{"record_use":true},"options":{"evaluations_semantic":"permit_on_first_permit"}`), acmes,
		},
	} {
		l := &useLog{}
		a := send(t, newUseCheck(newFacts("acme", "globex"), l, atNoon), post{path: c.path, body: c.body})
		if a.Status != 200 || l.seen() != c.want {
			t.Errorf("%s: got %d and the uses %q, want 200 and %q", c.name, a.Status, l.seen(), c.want)
		}
	}
	a := send(t, newUseCheck(newFacts("acme"), &useLog{}, atNoon),
		post{path: evaluation, body: with(allowed, `"context":{"record_use":"yes"}`)})
	if a.Status != 400 || !strings.Contains(a.Body, "/context/record_use") {
		t.Errorf("record_use is no boolean: got %d %s, want 400 that names it", a.Status, a.Body)
	}
}

func TestAPersonWhoAsksAboutItselfHasUsedNothing(t *testing.T) {
	l := &useLog{}
	a := send(t, newUseCheck(newFacts("acme"), l, atNoon), post{
		path: evaluation, body: with(ask(kim, "reports:read", atAcme), `"context":{"record_use":true}`),
		claims: map[string]string{"email": "kim@contoso.example", "email_verified": "true"},
	})
	if a.Status != 200 || !strings.Contains(a.Body, `"decision":true`) || l.seen() != "" {
		t.Errorf("got %d %s and the uses %q, want an allow and no use", a.Status, a.Body, l.seen())
	}
}

// usedFacts are facts whose row tells of a last use.
type usedFacts struct {
	*facts
	use access.Use
}

func (f usedFacts) Facts(ctx context.Context, qs []access.FactsQuery, c access.Consistency) ([]access.Facts, error) {
	out, err := f.facts.Facts(ctx, qs, c)
	for i := range out {
		out[i].Assignment.LastUse = f.use
	}
	return out, err
}

func TestAUseIsRecordedOnceAPersonAndDay(t *testing.T) {
	midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		use  access.Use
		now  time.Time
		want string
	}{
		{"told of already", access.Use{On: "2026-11-22", Number: 1}, midnight.Add(-time.Nanosecond), ""},
		{"the next day", access.Use{On: "2026-11-22", Number: 1}, midnight, "S1 at acme on 2026-11-23 as 1"},
		{"in another zone it is the next day", access.Use{On: "2026-11-22", Number: 1}, noon.In(time.FixedZone("", 14*3600)), ""},
		{"by the person who had the account before", access.Use{On: "2026-11-22", Number: 9}, noon, "S1 at acme on 2026-11-22 as 1"},
		{"by a clock that was ahead", access.Use{On: "2026-12-01", Number: 1}, noon, ""},
	} {
		l := &useLog{}
		f := newFacts("acme")
		f.grants["acme"].Until = time.Time{}
		send(t, newUseCheck(usedFacts{f, c.use}, l, func() time.Time { return c.now }), post{path: evaluation, body: ask(kim, "sign_in", atAcme)})
		if l.seen() != c.want {
			t.Errorf("%s: got the uses %q, want %q", c.name, l.seen(), c.want)
		}
	}
}

func TestAUseNeverChangesAnAnswerAndPausesAfterAFailure(t *testing.T) {
	for _, l := range []*useLog{{err: errors.New("no capacity")}, {hangs: true}} {
		now := noon
		h := newUseCheck(newFacts("acme"), l, func() time.Time { return now })
		question := post{path: evaluation, body: ask(kim, "sign_in", atAcme)}
		for i, c := range []struct {
			after time.Duration
			want  int // uses that were tried so far
		}{{0, 1}, {0, 1}, {9 * time.Second, 1}, {10 * time.Second, 2}} {
			now = noon.Add(c.after)
			began := time.Now()
			a := send(t, h, question)
			if a.Status != 200 || !strings.Contains(a.Body, `"decision":true`) || len(l.uses) != c.want {
				t.Errorf("check %d: got %d %s after %d attempts, want an allow after %d", i+1, a.Status, a.Body, len(l.uses), c.want)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("check %d: took %v, want the budget of 50 ms to be kept", i+1, took)
			}
		}
	}
}
