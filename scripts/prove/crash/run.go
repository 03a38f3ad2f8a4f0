package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/events"
	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/child"
	"partneraccess/scripts/local/launch"
	"partneraccess/shared/httpapi"
)

// Config says what to do.
type Config struct {
	Binary  string // of scripts/local
	Data    string // an empty folder
	Rounds  int
	Clients int // customers, each changing its own grants
	Seed    uint64
	Log     io.Writer // nil: nothing is logged
}

// Report is what was seen.
type Report struct {
	Kills      int
	Changes    int // answered
	Cut        int // requests whose answer was lost
	CutDone    int // of them, those that had been done
	Events     int
	Unread     int // events that the stream still had to tell, over all kills
	Mails      int // that were to be sent
	Summaries  int // of them, those that tell of what went beyond a day's budget
	Window     int // of them, those that were claimed and not marked as sent at a kill
	Twice      int // how many mails too many these were: at most one for each kill
	Versions   int // of grants that were looked for
	Delivered  int // events that came to the webhook, with those of lost and gained access
	Doubled    int // how often one of them came again
	Violations []string
}

func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b,
		"%d kills; %d changes answered; %d requests without an answer, of which %d had been done, and all were after one repetition\n", r.Kills,
		r.Changes, r.Cut, r.CutDone)
	fmt.Fprintf(&b,
		"%d events, of which %d had not been told when a kill came; %d mails, %d of them summaries; %d were being sent when a kill came, "+
			"which makes %d too many\n",
		r.Events, r.Unread, r.Mails, r.Summaries, r.Window, r.Twice)
	fmt.Fprintf(&b, "%d versions of grants were looked for; %d events came to the webhook, %d of them again\n", r.Versions, r.Delivered,
		r.Doubled)
	for _, v := range r.Violations {
		fmt.Fprintln(&b, "VIOLATION", v)
	}
	return b.String()
}

// object is a JSON object.
type object = map[string]any

// firm is a partner, with its users' ids, sorted.
type firm struct {
	id    string
	users []string
}

// world is the service, from outside, and what it was told.
type world struct {
	Config
	port     int
	http     *http.Client
	inbox    *inbox
	receiver *receiver
	webhook  string // its path
	stops    int    // how often a worker that sends to it may have been stopped
	provider string // tokens
	backend  string
	firms    []*firm
	ahead    time.Duration // of the stack's clock
	killed   atomic.Bool   // or about to be

	window map[letter]int // at how many kills it was claimed and not marked as sent
	former map[string]int // the versions of the grants when everything was told at last, by their keys

	mu     sync.Mutex
	report Report
}

func (w *world) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Violations = append(w.report.Violations, fmt.Sprintf(format, args...))
}

func (w *world) logf(format string, args ...any) {
	if w.Log != nil {
		_, _ = fmt.Fprintf(w.Log, format+"\n", args...)
	}
}

func (w *world) firm(id string) *firm {
	return w.firms[slices.IndexFunc(w.firms, func(f *firm) bool { return f.id == id })]
}

// watcher is the customer whose grants show that the stream has been told to its end.
const watcher = "watcher"

const day = 24 * time.Hour

// Run kills the stack so many times. The report is there whenever it could start; an error says what kept it from going on.
func Run(ctx context.Context, c Config) (_ *Report, err error) {
	w := &world{
		Config: c, window: map[letter]int{},
		http:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute},
		ahead: time.Until(time.Now().UTC().Truncate(day).Add(day + day/2)), // at noon, so that no round crosses midnight
	}
	if w.port, err = child.FreePort(ctx); err != nil { // the same each time: tokens name it
		return nil, err
	}
	if w.inbox, err = openInbox(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.inbox.close()) }()
	if w.receiver, err = openReceiver(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.receiver.server.Close()) }()
	r := rand.New(rand.NewPCG(c.Seed, 1)) //nolint:gosec // no secret
	p, err := w.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { p.Kill() }()
	customers, err := w.populate(ctx, r)
	if err != nil {
		return nil, err
	}
	for round := range c.Rounds {
		if p, err = w.round(ctx, p, customers, round, r); err != nil {
			return &w.report, fmt.Errorf("round %d: %w", round, err)
		}
		if len(w.report.Violations) > 0 {
			break
		}
	}
	for _, c := range customers {
		w.report.Changes += c.changes
	}
	return &w.report, nil
}

// round is traffic, a kill, a look, a restart, what follows from it, and another look. It gives the stack back, running.
func (w *world) round(ctx context.Context, p *launch.Stack, customers []*customer, round int, r *rand.Rand) (*launch.Stack, error) {
	w.killed.Store(false)
	g, running := errgroup.WithContext(ctx)
	for _, c := range customers {
		g.Go(func() error { return c.run(running) })
	}
	select {
	case <-time.After(time.Duration(200+r.IntN(900)) * time.Millisecond):
	case <-running.Done(): // a client failed
	}
	w.killed.Store(true)
	order, err := kill(p, r)
	w.http.CloseIdleConnections()
	if err = errors.Join(err, g.Wait()); err != nil {
		return p, fmt.Errorf("%w; the stack printed: %s", err, p.Printed())
	}
	if err := w.atKill(ctx); err != nil {
		return p, err
	}

	if p, err = w.restart(ctx, p); err != nil {
		return p, err
	}
	for r.IntN(3) == 0 { // and once more, while what was left is being told
		time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		more, err := kill(p, r)
		order += "; " + more
		if err = errors.Join(err, w.atKill(ctx)); err != nil {
			return p, err
		}
		if p, err = w.restart(ctx, p); err != nil {
			return p, err
		}
	}
	cut, done := 0, 0
	for _, c := range customers {
		had := c.pending != nil
		before, err := c.again(ctx)
		if err != nil {
			return p, err
		}
		if had {
			cut++
			if before {
				done++
			}
		}
	}
	w.report.Cut += cut
	w.report.CutDone += done
	if err := w.settle(ctx); err != nil {
		return p, fmt.Errorf("%w; the stack printed: %s", err, p.Printed())
	}
	if err := p.Stop(); err != nil {
		return p, err
	}
	if err := w.atRest(ctx, customers); err != nil {
		return p, err
	}
	w.logf("round %d: killed %s; %d requests without an answer, %d of them done; %d events, %d mails, %d of them claimed at a kill, %d too "+
		"many",
		round, order, cut, done, w.report.Events, w.report.Mails, w.report.Window, w.report.Twice)
	return w.restart(ctx, p)
}

// restart starts the stack again; if that fails, the one before is given back, which has ended.
func (w *world) restart(ctx context.Context, p *launch.Stack) (*launch.Stack, error) {
	next, err := w.start(ctx)
	if err != nil {
		return p, err
	}
	return next, nil
}

// populate makes partners of five users each, and customers.
func (w *world) populate(ctx context.Context, r *rand.Rand) ([]*customer, error) {
	var err error
	if w.provider, err = w.token(ctx, object{"scope": httpapi.ScopeDirectory}); err != nil {
		return nil, err
	}
	if w.backend, err = w.token(ctx, object{"scope": httpapi.ScopeCheck}); err != nil {
		return nil, err
	}
	if err := w.hook(ctx); err != nil {
		return nil, err
	}
	for _, id := range []string{"contoso", "fabrikam"} {
		f := &firm{id: id}
		body := object{"name": id, "class": "channel", "offer": "manage", "contacts": []string{"ops@" + id + ".example"}}
		if _, err := w.must(ctx, w.provider, http.MethodPut, "/v1/partners/"+id, body); err != nil {
			return nil, err
		}
		for n := range 5 {
			role := "tech"
			if n == 0 {
				role = "owner"
			}
			a, err := w.must(ctx, w.provider, http.MethodPost, "/v1/partners/"+id+"/users",
				object{"email": fmt.Sprintf("u%d@%s.example", n, id), "name": "User", "role": role})
			if err != nil {
				return nil, err
			}
			f.users = append(f.users, a.Text("id"))
		}
		slices.Sort(f.users)
		w.firms = append(w.firms, f)
	}
	ids := []string{watcher}
	for n := range w.Clients {
		ids = append(ids, fmt.Sprintf("c%d", n))
	}
	var out []*customer
	for n, id := range ids {
		email := "admin@" + id + ".example"
		if _, err := w.must(ctx, w.provider, http.MethodPut, "/v1/customers/"+id,
			object{"name": id, "contacts": []string{"it@" + id + ".example"}}); err != nil {
			return nil, err
		}
		if _, err := w.must(ctx, w.provider, http.MethodPut, "/v1/customers/"+id+"/members/"+email,
			object{"name": "Admin", "role": "admin"}); err != nil {
			return nil, err
		}
		token, err := w.token(ctx, object{"email": email})
		if err != nil {
			return nil, err
		}
		if id == watcher {
			continue
		}
		out = append(out, &customer{
			world: w, id: id, token: token, grants: map[string]model{}, told: map[string][]events.Type{},
			rand: rand.New(rand.NewPCG(r.Uint64(), uint64(n))), //nolint:gosec // no secret
		})
	}
	return out, w.settle(ctx) // so that no temporary password is being made when the first kill comes
}

// settle returns when the stream has been told to its end, and all mails that waited for a lease, or for the day's summary, have been sent.
// It moves the clock to another day, which has another budget of mails.
func (w *world) settle(ctx context.Context) error {
	if err := w.told(ctx); err != nil {
		return err
	}
	w.ahead += day
	if _, err := w.must(ctx, w.provider, http.MethodPost, "/_local/clock", object{"advance": day.String()}); err != nil {
		return err
	}
	w.stops++
	if err := w.told(ctx); err != nil { // what the sweep did on that day
		return err
	}
	if err := w.sent(ctx); err != nil {
		return err
	}
	var dead []any
	if _, err := w.get(ctx, "/_local/dead-letters", &dead); err != nil {
		return err
	}
	if len(dead) > 0 {
		w.violated("%d batches of the stream were given up", len(dead))
	}
	return nil
}

// told returns when the stream has been told to its end: its events are told one after the other, so that those before the watcher's last
// one have been.
func (w *world) told(ctx context.Context) error {
	path := "/v1/customers/" + watcher + "/relationships/" + w.firms[0].id
	if _, err := w.must(ctx, w.provider, http.MethodPut, path, object{"everyone": true}); err != nil {
		return err
	}
	if _, err := w.must(ctx, w.provider, http.MethodDelete, path, nil); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		last, err := w.watched(ctx)
		if err != nil || last {
			return err
		}
		if time.Now().After(end) {
			return errors.New("the mails of the last change are not sent within a minute")
		}
	}
}

// watched tells whether the latest event of the watcher has its mails, and all of them are sent.
func (w *world) watched(ctx context.Context) (bool, error) {
	var history struct {
		Items []struct{ ID string }
	}
	var mails struct {
		Items []struct{ ID, Event, State string }
	}
	if _, err := w.get(ctx, "/v1/customers/"+watcher+"/history?limit=1", &history); err != nil {
		return false, err
	}
	if _, err := w.get(ctx, "/v1/customers/"+watcher+"/mail?limit=50", &mails); err != nil {
		return false, err
	}
	if len(history.Items) == 0 {
		return false, errors.New("the watcher has no history")
	}
	some, all := false, true
	for _, m := range mails.Items {
		if strings.HasPrefix(m.ID, history.Items[0].ID) {
			some, all = true, all && m.State == "sent"
		}
	}
	return some && all, nil
}

func (w *world) token(ctx context.Context, whose object) (string, error) {
	a, err := w.must(ctx, "", http.MethodPost, "/_local/token", whose)
	if err != nil {
		return "", err
	}
	return a.Text("token"), nil
}

// must sends a request that has to succeed.
func (w *world) must(ctx context.Context, token, method, path string, body any) (ask.Answer, error) {
	a, err := w.send(ctx, token, method, path, body, "")
	if err == nil {
		err = a.Into(nil)
	}
	return a, err
}

// get reads as the provider. Nothing is read from a 404.
func (w *world) get(ctx context.Context, path string, into any) (int, error) {
	a, err := w.send(ctx, w.provider, http.MethodGet, path, nil, "")
	if err == nil && a.Status != http.StatusNotFound {
		err = a.Into(into)
	}
	return a.Status, err
}

func (w *world) send(ctx context.Context, token, method, path string, body any, key string) (ask.Answer, error) {
	r := ask.Request{
		Method: method, URL: fmt.Sprintf("http://127.0.0.1:%d%s", w.port, path), Token: token, Body: body,
		Header: map[string]string{},
	}
	if method == http.MethodPatch {
		r.Header["If-Match"] = "*"
	}
	if key != "" {
		r.Header["Idempotency-Key"] = key
	}
	return ask.Send(ctx, w.http, r)
}
