package input

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/sync/errgroup"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/report"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

// Config says how much is done. The zero value of a number takes its default.
type Config struct {
	Requests int    // 100,000
	From     uint64 // the first one's number; with Requests 1 one request is repeated
	HTTP     int    // of a hundred go through the gateway, over HTTP; the others straight into the functions. 10
	Workers  int    // 4
	Most     int    // violations, after which it ends; 30
	Seed     uint64

	Engine *engine.Engine // outlives the run; nil: one is started as DYNAMODB says
	Table  string
	Log    io.Writer // a line now and then; nil: nothing

	Handlers func(stack.Deps) (map[string]lambda.Handler, error) // nil: the functions' own
}

// Report is what a run found.
type Report struct {
	Seed       uint64
	Engine     string
	Requests   int
	HTTP       int
	ByKind     map[string]int // what was broken
	ByStatus   map[string]int
	Named      int // refusals that had to name the one member that was broken, and did
	Operations int
	Violations []string
	Took       time.Duration
}

// String is what is printed of it.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "input: engine %s, seed %d, %d requests (%d over HTTP) to %d operations, the culprit named %d times, %s, %d CPUs %s/%s\n",
		r.Engine, r.Seed, r.Requests, r.HTTP, r.Operations, r.Named, r.Took.Round(time.Second), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	report.Counts(&b, "broken", r.ByKind)
	report.Counts(&b, "answers", r.ByStatus)
	report.Violations(&b, r.Violations)
	return b.String()
}

const everySo = 500 // requests the service is asked whether it is well

type runner struct {
	Config
	*stack.Stack
	handlers map[string]lambda.Handler
	function map[string]string // by route key
	contract *spec.Contract
	gen      *generator
	http     *http.Client
	tokens   [callers]string
	claims   [callers]map[string]string
	faults   *faults

	mu     sync.Mutex
	report *Report
}

// faults counts what is logged as an error.
type faults struct {
	slog.Handler
	n    atomic.Int64
	last atomic.Value
}

func (f *faults) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (f *faults) Handle(_ context.Context, r slog.Record) error {
	f.n.Add(1)
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += fmt.Sprintf(" %s=%.600s", a.Key, a.Value); return true })
	f.last.Store(text)
	return nil
}
func (f *faults) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f *faults) WithGroup(string) slog.Handler      { return f }

// Run sends the requests. The error is for what kept it from being done.
func Run(ctx context.Context, c Config) (_ *Report, err error) {
	if c.Requests == 0 {
		c.Requests = 100_000
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Most == 0 {
		c.Most = 30
	}
	if c.Handlers == nil {
		c.Handlers = stack.Functions
	}
	if c.HTTP == 0 {
		c.HTTP = 10
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	r := &runner{
		Config: c, function: map[string]string{}, faults: &faults{},
		http:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: time.Minute},
		report: &Report{Seed: c.Seed, ByKind: map[string]int{}, ByStatus: map[string]int{}},
	}
	if r.contract, err = spec.NewContract(ctx, httpapi.OpenAPI); err != nil {
		return nil, err
	}
	for _, f := range manifest.Functions() {
		for _, route := range f.Routes {
			r.function[route.Key()] = f.Name
		}
	}
	r.Stack, err = stack.Start(ctx, stack.Config{
		Engine: c.Engine, Table: c.Table, Still: time.Date(2026, time.November, 22, 10, 0, 0, 0, time.UTC), CreateTable: dynamo.CreateTable,
		Log: slog.New(r.faults),
		Handlers: func(d stack.Deps) (_ map[string]lambda.Handler, err error) {
			r.handlers, err = c.Handlers(d)
			return r.handlers, err
		},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		r.http.CloseIdleConnections()
		err = errors.Join(err, r.Stop())
	}()
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	r.report.Engine, r.report.Operations = r.Stack.Engine().Kind(), len(r.gen.ops)
	began := time.Now()
	err = errors.Join(r.run(ctx), ctx.Err())
	r.report.Took = time.Since(began)
	if n := r.faults.n.Load(); n > 0 {
		r.report.Violations = append(r.report.Violations, fmt.Sprintf("%d errors were logged, the last: %v", n, r.faults.last.Load()))
	}
	return r.report, err
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

// settle makes a small world in which most of what a good request names is there.
func (r *runner) settle(ctx context.Context) error {
	for by, ask := range map[caller]stack.TokenRequest{
		provider: {Scope: httpapi.ScopeDirectory}, backend: {Scope: httpapi.ScopeCheck}, admin: {Email: "ann@acme.example"},
		owner: {Email: "olga@contoso.example"},
	} {
		var err error
		if r.tokens[by], err = r.Token(ask); err != nil {
			return err
		}
		r.claims[by] = map[string]string{"iss": r.URL() + "/_local", "sub": fmt.Sprint("caller-", by), "aud": stack.Audience}
		if ask.Email != "" {
			r.claims[by]["email"], r.claims[by]["email_verified"] = ask.Email, "true"
		} else {
			r.claims[by]["scope"] = ask.Scope
		}
	}
	names := map[string]string{
		"customer": "acme", "partner": "contoso", "email": "ben@acme.example", "event": "01J9Z3NDEKTSV4RRFFQ69G5FAV",
		"mail": "01J9Z3NDEKTSV4RRFFQ69G5FAV.0f343b0931126a20f133d67c", "token": "acme~01J9Z3NDEKTSV4RRFFQ69G5FAV~sT0mHkzrVbQ4bY3wXc7uNw",
	}
	for _, step := range []struct {
		by           caller
		method, path string
		body         string
		keep, member string
	}{
		{provider, "PUT", "/v1/partners/contoso", `{"name":"Contoso","class":"channel","offer":"manage","sso":true}`, "", ""},
		{provider, "PUT", "/v1/customers/acme", `{"name":"Acme","domain":"acme.example"}`, "", ""},
		{provider, "PUT", "/v1/customers/acme/members/ann@acme.example", `{"name":"Ann","role":"admin"}`, "", ""},
		{provider, "POST", "/v1/partners/contoso/users", `{"name":"Olga","role":"owner","email":"olga@contoso.example"}`, "", ""},
		{provider, "POST", "/v1/partners/contoso/users", `{"name":"Kim","role":"tech","email":"kim@contoso.example"}`, "user", "id"},
		{admin, "POST", "/v1/customers/acme/grants", `{"partner":"contoso","everyone":true,"assigned_by":"partner"}`, "", ""},
		{admin, "POST", "/v1/customers/acme/invitations", `{"partner":"contoso","email":"eve@elsewhere.example"}`, "invitation", "invitation"},
		{admin, "POST", "/v1/customers/acme/bulk", `{"rows":[{"op":"revoke","partner":"nobody"}]}`, "job", "id"},
		{owner, "POST", "/v1/partners/contoso/requests", `{"customer":"acme","kind":"raise","level":"manage"}`, "request", "request"},
		{provider, "POST", "/v1/webhooks", `{"url":"https://hooks.cloud.example/partner-access","types":["grant.*"]}`, "webhook", "webhook"},
	} {
		sent, err := http.NewRequestWithContext(ctx, step.method, r.URL()+step.path, strings.NewReader(step.body))
		if err != nil {
			return err
		}
		sent.Header.Set("Content-Type", "application/json")
		a, err := r.overHTTP(sent, step.by)
		if err != nil || a.status >= 300 {
			return fmt.Errorf("%s %s: got %d %s: %w", step.method, step.path, a.status, a.body, err)
		}
		if step.keep != "" {
			var o map[string]any
			if err := json.Unmarshal(a.body, &o); err != nil {
				return err
			}
			if in, is := o[step.member].(map[string]any); is {
				o, step.member = in, "id"
			}
			names[step.keep], _ = o[step.member].(string)
		}
	}
	r.gen = &generator{ops: operations(r.contract.Doc), names: names, odd: odd(), json: oddJSON()}
	for _, o := range r.gen.ops {
		for _, m := range pathParameter.FindAllStringSubmatch(o.path, -1) {
			if names[m[1]] == "" {
				return fmt.Errorf("%s: nothing here stands for {%s}", o.path, m[1])
			}
		}
	}
	return nil
}

func (r *runner) run(ctx context.Context) error {
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	var next atomic.Uint64
	var g errgroup.Group
	for range r.Workers {
		g.Go(func() error {
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if n >= uint64(r.Requests) { //nolint:gosec // not negative
					return nil
				}
				if err := r.one(ctx, r.From+n); ctx.Err() == nil && err != nil {
					return err
				}
				if n%everySo == everySo-1 {
					if err := r.well(ctx); ctx.Err() == nil && err != nil {
						return fmt.Errorf("after request %d of seed %d: %w", n, r.Seed, err)
					}
				}
				if n%20000 == 19999 {
					_, _ = fmt.Fprintf(r.Log, "%d requests\n", n+1)
				}
				r.mu.Lock()
				if len(r.report.Violations) >= r.Most {
					enough(errors.New("enough"))
				}
				r.mu.Unlock()
			}
			return nil
		})
	}
	return errors.Join(g.Wait(), r.well(context.WithoutCancel(ctx)))
}

// well asks for something that has to be there.
func (r *runner) well(ctx context.Context) error {
	sent, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL()+"/v1/partners/contoso", nil)
	if err != nil {
		return err
	}
	a, err := r.overHTTP(sent, provider)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("the service is not well: got %d %s", a.status, a.body)
	}
	return err
}

// one sends a request and judges what it is answered.
func (r *runner) one(ctx context.Context, n uint64) error {
	q := r.gen.request(r.Seed, n)
	overHTTP := int(n%100) < r.HTTP || q.by != q.op.by // whom the gateway refuses
	if overHTTP {
		for name, v := range q.values { // which the gateway would take for another path, and no function ever sees
			q.values[name] = strings.NewReplacer("/", "_", "?", "_").Replace(v)
		}
	}
	sent, err := http.NewRequestWithContext(ctx, q.op.method, r.URL()+q.target(), bytes.NewReader(q.body))
	if err != nil {
		overHTTP = false
		if sent, err = http.NewRequestWithContext(ctx, q.op.method, r.URL(), bytes.NewReader(q.body)); err != nil {
			return err
		}
	}
	for name, value := range q.header {
		if value != "" {
			sent.Header.Set(name, value)
		}
	}
	a, overHTTP, err := r.send(ctx, q, sent, overHTTP)
	for range 10 {
		if err != nil || a.status != http.StatusForbidden || !bytes.Contains(a.body, []byte(access.PartnerNotActive)) {
			break
		}
		if err = r.resume(ctx); err == nil { // another request has suspended it
			sent.Body = io.NopCloser(bytes.NewReader(q.body))
			a, overHTTP, err = r.send(ctx, q, sent, overHTTP)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case ctx.Err() != nil && err != nil: // it was cut off
		return err
	case err != nil:
		r.report.Violations = append(r.report.Violations,
			fmt.Sprintf("seed %d request %d, %s %s, %s: %v", r.Seed, n, q.op.method, q.target(), q.what, err))
		return nil
	}
	named, wrong := judge(r.contract, q, sent, a)
	if named {
		r.report.Named++
	}
	r.report.Requests++
	if overHTTP {
		r.report.HTTP++
	}
	kind, _, _ := strings.Cut(q.what, ":")
	r.report.ByKind[kind]++
	r.report.ByStatus[fmt.Sprint(a.status)]++
	for _, w := range wrong {
		r.report.Violations = append(r.report.Violations,
			fmt.Sprintf("seed %d request %d, %s %.200s, %s %s: %.500s\n      sent %.300q\n      got %d %.400s",
				r.Seed, n, q.op.method, q.target(), q.what, q.broken, w, q.body, a.status, a.body))
	}
	return nil
}

// send sends a request over HTTP, unless it is to go to its function straight, or no client could send it.
func (r *runner) send(ctx context.Context, q *request, sent *http.Request, overHTTP bool) (answer, bool, error) {
	if overHTTP {
		a, err := r.overHTTP(sent, q.by)
		if err == nil || !strings.Contains(err.Error(), "invalid header field") {
			return a, true, err
		}
	}
	a, err := r.invoke(ctx, q)
	return a, false, err
}

// resume makes the partner active again, so that its people's requests are read at all.
func (r *runner) resume(ctx context.Context) error {
	sent, err := http.NewRequestWithContext(ctx, http.MethodPatch, r.URL()+"/v1/partners/contoso", strings.NewReader(`{"status":"active"}`))
	if err != nil {
		return err
	}
	sent.Header.Set("Content-Type", "application/json")
	sent.Header.Set("If-Match", "*")
	_, err = r.overHTTP(sent, provider)
	return err
}

func (r *runner) overHTTP(sent *http.Request, by caller) (answer, error) {
	if token := r.tokens[by]; token != "" {
		sent.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := r.http.Do(sent)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, body}, err
}

// invoke hands the request to its function as API Gateway does.
func (r *runner) invoke(ctx context.Context, q *request) (answer, error) {
	headers := map[string]string{}
	for name, value := range q.header {
		if value != "" {
			headers[strings.ToLower(name)] = value
		}
	}
	within := context.WithoutCancel(ctx)
	about := map[string]any{"requestId": "JKJaXmPLvHcESHA=", "http": map[string]any{"method": q.op.method}}
	if claims := r.claims[q.by]; claims != nil {
		about["authorizer"] = map[string]any{"jwt": map[string]any{"claims": claims, "scopes": nil}}
	}
	params := map[string]string{}
	for part := range strings.SplitSeq(q.op.path, "/") {
		if name, is := strings.CutPrefix(part, "{"); is {
			name = strings.TrimSuffix(name, "}")
			params[name] = q.values[name]
		}
	}
	path, _, _ := strings.Cut(q.target(), "?")
	event := map[string]any{
		"version": "2.0", "routeKey": q.op.key(), "rawPath": path, "rawQueryString": q.query, "headers": headers, "pathParameters": params,
		"requestContext": about, "isBase64Encoded": false,
	}
	if len(q.body) > 0 {
		event["body"] = string(q.body)
		if !utf8.Valid(q.body) {
			event["body"], event["isBase64Encoded"] = base64.StdEncoding.EncodeToString(q.body), true
		}
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return answer{}, err
	}
	out, err := r.handlers[r.function[q.op.key()]].Invoke(within, payload)
	if err != nil {
		return answer{}, fmt.Errorf("the function failed: %w", err)
	}
	var got struct {
		StatusCode int
		Headers    map[string]string
		Body       string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return answer{}, fmt.Errorf("the function answered %.300s: %w", out, err)
	}
	a := answer{got.StatusCode, http.Header{}, []byte(got.Body)}
	for name, value := range got.Headers {
		a.header.Set(name, value)
	}
	return a, nil
}
