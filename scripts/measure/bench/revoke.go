package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
)

// How much is measured of what ends access.
const (
	heldWriters = 64
	heldRounds  = 10 // of each side, one after the other in turns
	heldTakes   = 10 // requests of a round
)

// takings measures how long what ends access takes while many write the same record, against the same while as many write others.
func takings(ctx context.Context) ([]fixture.Figure, error) {
	w, err := newTakingWorld(ctx)
	if err != nil {
		return nil, err
	}
	defer w.stack.Stop() //nolint:errcheck // it ends with this process at the latest
	var out []fixture.Figure
	for _, one := range w.takings() {
		figures, err := w.measure(ctx, one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.what, err)
		}
		out = append(out, figures...)
		_, _ = fmt.Fprintln(os.Stderr, one.what, figures[0][1], figures[1][1], figures[2][1]) // the whole takes minutes
	}
	return out, nil
}

// taking is a request that ends access, and who writes meanwhile.
type taking struct {
	what    string
	prepare func(context.Context) (ask.Request, error) // brings back what the last one ended
	write   func(writer int, same bool) ask.Request    // the record that the request ends, or another
}

type takingWorld struct {
	stack                  *stack.Stack
	http                   *http.Client
	provider, admin, owner string // tokens
	kim                    string
	others                 []string // users
	users                  atomic.Int64
}

type object = map[string]any

func newTakingWorld(ctx context.Context) (*takingWorld, error) {
	s, err := stack.Start(ctx, stack.Config{
		Still: time.Date(2026, time.November, 22, 10, 0, 0, 0, time.UTC), CreateTable: dynamo.CreateTable, Handlers: stack.Functions,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	w := &takingWorld{stack: s, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * heldWriters}, Timeout: time.Minute}}
	for into, r := range map[*string]stack.TokenRequest{
		&w.provider: {Scope: httpapi.ScopeDirectory}, &w.admin: {Email: "ann@acme.example"}, &w.owner: {Email: "olga@contoso.example"},
	} {
		if *into, err = s.Token(r); err != nil {
			return nil, err
		}
	}
	steps := []ask.Request{w.ask(w.provider, "PUT", "/v1/partners/contoso", object{"name": "Contoso", "class": "channel", "offer": "manage"})}
	for i := range heldWriters + 1 {
		c, p := w.customer(i), w.partner(i)
		if i < heldWriters {
			steps = append(steps, w.ask(w.provider, "PUT", "/v1/partners/"+p, object{"name": p, "class": "channel", "offer": "manage"}))
		}
		steps = append(steps,
			w.ask(w.provider, "PUT", "/v1/customers/"+c, object{"name": c}),
			w.ask(w.provider, "PUT", "/v1/customers/"+c+"/members/ann@acme.example", object{"name": "Ann", "role": "admin"}),
		)
	}
	for _, r := range steps {
		if _, err := w.must(ctx, r); err != nil {
			return nil, err
		}
	}
	if _, err := w.user(ctx, "olga", "owner"); err != nil {
		return nil, err
	}
	if w.kim, err = w.user(ctx, "kim", "tech"); err != nil {
		return nil, err
	}
	for i := range 4 {
		id, err := w.user(ctx, fmt.Sprint("colleague", i), "tech")
		if err != nil {
			return nil, err
		}
		w.others = append(w.others, id)
	}
	for i := range heldWriters {
		if _, err := w.must(ctx, w.grant(w.customer(i))); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// customer is the writer's own; the last one is the one that all write.
func (w *takingWorld) customer(writer int) string {
	if writer == heldWriters {
		return "acme"
	}
	return fmt.Sprint("customer", writer)
}

func (w *takingWorld) partner(writer int) string { return fmt.Sprint("partner", writer) }

func (w *takingWorld) ask(token, method, path string, body any) ask.Request {
	r := ask.Request{Method: method, URL: w.stack.URL() + path, Token: token, Body: body}
	if method == http.MethodPatch {
		r.Header = map[string]string{"If-Match": "*"}
	}
	return r
}

// must sends a request until others are not in its way any more.
func (w *takingWorld) must(ctx context.Context, r ask.Request) (ask.Answer, error) {
	a, err := ask.Send(ctx, w.http, r)
	for n := 0; err == nil && a.Text("code") == "contention" && n < 20; n++ {
		a, err = ask.Send(ctx, w.http, r)
	}
	if err == nil && !a.Done() {
		err = &ask.Refused{Answer: a}
	}
	return a, err
}

func (w *takingWorld) user(ctx context.Context, name, role string) (string, error) {
	a, err := w.must(ctx, w.newUser("contoso", name, role))
	return a.Text("id"), err
}

func (w *takingWorld) newUser(partner, name, role string) ask.Request {
	return w.ask(w.provider, "POST", "/v1/partners/"+partner+"/users",
		object{"email": name + "@" + partner + ".example", "name": name, "role": role})
}

// grant leaves the choice of users to the partner.
func (w *takingWorld) grant(customer string) ask.Request {
	return w.ask(w.admin, "POST", "/v1/customers/"+customer+"/grants",
		object{"partner": "contoso", "level": "manage", "users": []string{w.kim}, "assigned_by": "partner"})
}

// pick has the partner choose kim, and others by chance.
func (w *takingWorld) pick(writer int, same bool) ask.Request {
	if same {
		writer = heldWriters
	}
	users := []string{w.kim, w.others[0]} // nobody is the last one, who would be kept (E9)
	for _, id := range w.others[1:] {
		if rand.IntN(2) == 0 { //nolint:gosec // no secret
			users = append(users, id)
		}
	}
	return w.ask(w.owner, "PUT", "/v1/partners/contoso/customers/"+w.customer(writer)+"/users", object{"users": users})
}

func (w *takingWorld) takings() []taking {
	const grant = "/v1/customers/acme/grants/contoso"
	// once prepares a request that ends what the first one has brought about.
	once := func(before, request ask.Request) func(context.Context) (ask.Request, error) {
		return func(ctx context.Context) (ask.Request, error) {
			_, err := w.must(ctx, before)
			return request, err
		}
	}
	somebody := func(ctx context.Context) (ask.Request, error) {
		id, err := w.user(ctx, fmt.Sprint("leaver", w.users.Add(1)), "tech")
		return w.ask(w.provider, "DELETE", "/v1/partners/contoso/users/"+id, nil), err
	}
	suspend := once(w.ask(w.provider, "PATCH", "/v1/partners/contoso", object{"status": "active"}),
		w.ask(w.provider, "PATCH", "/v1/partners/contoso", object{"status": "suspended"}))
	return []taking{
		{"revoke", once(w.grant("acme"), w.ask(w.admin, "DELETE", grant, nil)), w.pick},
		{"relinquish", once(w.grant("acme"), w.ask(w.owner, "DELETE", "/v1/partners/contoso/customers/acme", nil)), w.pick},
		{"suspend a grant", func(ctx context.Context) (ask.Request, error) {
			a, err := w.must(ctx, w.grant("acme"))
			if err == nil && a.Status != http.StatusCreated { // it is there, suspended
				_, err = w.must(ctx, w.ask(w.admin, "PATCH", grant, object{"state": "open"}))
			}
			return w.ask(w.admin, "PATCH", grant, object{"state": "suspended"}), err
		}, w.pick},
		{"take a user out", once(w.pick(0, true), w.ask(w.admin, "DELETE", grant+"/users/"+w.kim, nil)), w.pick},
		{"disable a user", once(
			w.ask(w.provider, "PATCH", "/v1/partners/contoso/users/"+w.kim, object{"status": "active"}),
			w.ask(w.provider, "PATCH", "/v1/partners/contoso/users/"+w.kim, object{"status": "disabled"}),
		), w.pick},
		{"remove a user", somebody, w.pick},
		{"remove a user while all create users", somebody, func(writer int, same bool) ask.Request {
			partner := w.partner(writer)
			if same {
				partner = "contoso"
			}
			return w.newUser(partner, fmt.Sprint("new", w.users.Add(1)), "tech")
		}},
		{"suspend a partner (the kill switch)", suspend, w.pick},
		{"suspend a partner while all edit it", suspend, func(writer int, same bool) ask.Request {
			partner := w.partner(writer)
			if same {
				partner = "contoso"
			}
			return w.ask(w.provider, "PATCH", "/v1/partners/"+partner,
				object{"contacts": []string{fmt.Sprintf("ops%d@%s.example", w.users.Add(1), partner)}})
		}},
	}
}

// measure sends the request again and again, in turns while all write the same record and while each writes one of its own.
func (w *takingWorld) measure(ctx context.Context, one taking) ([]fixture.Figure, error) {
	if _, err := w.must(ctx, w.ask(w.provider, "PATCH", "/v1/partners/contoso", object{"status": "active"})); err != nil {
		// the one before may have suspended it
		return nil, err
	}
	if a, err := ask.Send(ctx, w.http, w.grant("acme")); err != nil || a.Status != http.StatusConflict && !a.Done() {
		return nil, errors.Join(err, &ask.Refused{Answer: a})
	}
	var same atomic.Bool
	var wrote [2]atomic.Int64
	stop := make(chan struct{})
	var g errgroup.Group
	for i := range heldWriters {
		g.Go(func() error {
			for {
				select {
				case <-stop:
					return nil
				default:
				}
				now := same.Load()
				if _, err := ask.Send(ctx, w.http, one.write(i, now)); err != nil {
					return err
				}
				wrote[arm(now)].Add(1)
			}
		})
	}
	var took [2][]float64
	refused := 0
	err := func() error {
		defer close(stop)
		for round := range 2 * heldRounds {
			for range heldTakes {
				same.Store(false) // what gives waits for nobody here
				r, err := one.prepare(ctx)
				if err != nil {
					return err
				}
				now := round%2 == 1
				same.Store(now)
				time.Sleep(time.Duration(20+rand.IntN(60)) * time.Millisecond) //nolint:gosec // all are at it by then
				began := time.Now()
				a, err := ask.Send(ctx, w.http, r)
				if err != nil {
					return err
				}
				took[arm(now)] = append(took[arm(now)], float64(time.Since(began)))
				switch {
				case a.Status == http.StatusConflict:
					refused++
				case !a.Done():
					return &ask.Refused{Answer: a}
				}
			}
		}
		return nil
	}()
	if err := errors.Join(err, g.Wait()); err != nil {
		return nil, err
	}
	ratio := func(percent int) string {
		a, b := fixture.Quantile(took[1], percent), fixture.Quantile(took[0], percent)
		return fmt.Sprintf("%.2fx (%s against %s)", a/b, fixture.Duration(a), fixture.Duration(b))
	}
	name := os.Getenv("DYNAMODB")
	if name == "" {
		name = "dynoxide"
	}
	return []fixture.Figure{
		{fmt.Sprintf("%s: p99 of %d among %d who write the same, against others", one.what, len(took[1]), heldWriters), ratio(99), "at most 3"},
		{"   p50 on " + name, ratio(50), ""},
		{"   answered 409", fmt.Sprint(refused), "0"},
	}, nil
}

func arm(same bool) int {
	if same {
		return 1
	}
	return 0
}
