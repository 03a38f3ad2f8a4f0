// Package spec drives the whole service over HTTP on the local stack: its tests read as the specification.
package spec

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
)

// World is a whole service of a test's own: a table, the functions, a gateway and a clock that stands still. All of it may be used by
// several goroutines at once; what fails fails the test.
type World struct {
	Stack *stack.Stack

	t testing.TB
	*shared
}

// shared is what the views of a world have in common.
type shared struct {
	http *http.Client

	mu     sync.Mutex
	tokens map[stack.TokenRequest]string
	admins map[string]bool // customers whose admin@ has been registered
}

// Start is when the clock of every world stands at first.
var Start = time.Date(2026, time.November, 22, 10, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a date cannot be a constant

// signingKey is made once: it would be most of what a world costs.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { //nolint:gochecknoglobals // see above
	return rsa.GenerateKey(rand.Reader, 2048)
})

// New starts a world, empty, on the engine that the package's tests share, and stops it when the test ends. The package needs
//
//	func TestMain(m *testing.M) { os.Exit(spec.Main(m)) }
//
// The clock stands at Start until it is moved. An option changes what is started: the stream, say, or what runs when the clock is moved.
func New(t testing.TB, opts ...func(*stack.Config)) *World {
	t.Helper()
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	c := stack.Config{
		Engine: engine.Shared(t), Table: "spec-" + rand.Text(), Still: Start, SigningKey: key,
		CreateTable: dynamo.CreateTable, Handlers: stack.Functions, Calls: calls,
	}
	for _, o := range opts {
		o(&c)
	}
	s, err := stack.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	connections := &http.Transport{MaxIdleConnsPerHost: 64}
	w := &World{Stack: s, t: t, shared: &shared{
		http: &http.Client{Transport: connections, Timeout: time.Minute}, tokens: map[stack.TokenRequest]string{}, admins: map[string]bool{},
	}}
	t.Cleanup(func() { // the context of the test has ended
		connections.CloseIdleConnections()
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		table := s.Table()
		if _, err := s.Engine().Client().DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
			t.Errorf("delete the table: %v", err)
		}
	})
	return w
}

// In is the same world for a subtest: what fails there fails the subtest.
func (w *World) In(t testing.TB) *World { return &World{Stack: w.Stack, t: t, shared: w.shared} }

// Now is the world's time, UTC.
func (w *World) Now() time.Time { return w.Stack.Clock.Now() }

// Advance moves the clock by d, which may be negative, the way a user of the local stack does.
func (w *World) Advance(d time.Duration) {
	w.t.Helper()
	w.Anonymous().send(http.MethodPost, "/_local/clock", map[string]string{"advance": d.String()}, false).Want(http.StatusOK)
}

// Token is a token that the service accepts, unless the request says otherwise. The same request gives the same token.
func (w *World) Token(r stack.TokenRequest) string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	token, ok := w.tokens[r]
	if !ok {
		var err error
		if token, err = w.Stack.Token(r); err != nil {
			w.t.Fatal(err)
		}
		w.tokens[r] = token
	}
	return token
}

// Client calls the service as somebody.
type Client struct {
	w     *World
	token string
}

// Bearer calls with that token.
func (w *World) Bearer(token string) *Client { return &Client{w, token} }

// In is the same caller for a subtest's view of the world.
func (c *Client) In(w *World) *Client { return w.Bearer(c.token) }

// Anonymous calls without a token.
func (w *World) Anonymous() *Client { return w.Bearer("") }

// As calls as the person with that address, signed in and verified.
func (w *World) As(email string) *Client {
	w.t.Helper()
	return w.Bearer(w.Token(stack.TokenRequest{Email: email}))
}

// Provider calls as one of the provider's own systems, which keep the directory.
func (w *World) Provider() *Client {
	w.t.Helper()
	return w.Bearer(w.Token(stack.TokenRequest{Scope: httpapi.ScopeDirectory}))
}

// Backend calls as a back end that asks for decisions.
func (w *World) Backend() *Client {
	w.t.Helper()
	return w.Bearer(w.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck}))
}

// Answer is what the service answered. One with the status 0 was none; the test has failed already.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	w    *World
	what string // the request, for messages
}

// Do sends a request and checks the answer, and the request when it succeeds, against shared/httpapi/openapi.yaml. The body is nil for
// none, a string or []byte that is sent as it is, or a value that is sent as JSON; with a body goes Content-Type: application/json. Headers
// are name, value, name, value; an empty value takes the header out.
func (c *Client) Do(method, path string, body any, header ...string) *Answer {
	c.w.t.Helper()
	return c.send(method, path, body, true, header...)
}

// Local sends a request that stands in no contract, such as one to the stack's own endpoints under /_local/.
func (c *Client) Local(method, path string, body any, header ...string) *Answer {
	c.w.t.Helper()
	return c.send(method, path, body, false, header...)
}

func (c *Client) send(method, path string, body any, inContract bool, header ...string) *Answer {
	t := c.w.t
	t.Helper()
	out := &Answer{w: c.w, what: method + " " + path}
	var content []byte
	switch b := body.(type) {
	case nil:
	case string:
		content = []byte(b)
	case []byte:
		content = b
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			t.Errorf("%s: the body is no JSON: %v", out.what, err)
			return out
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.w.Stack.URL()+path, bytes.NewReader(content))
	if err != nil {
		t.Errorf("%s: %v", out.what, err)
		return out
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	res, err := c.w.http.Do(r)
	if err != nil {
		t.Errorf("%s: %v", out.what, err)
		return out
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%s: %v", out.what, err)
		return out
	}
	out.Status, out.Header, out.Body = res.StatusCode, res.Header, answer
	if inContract {
		if err := checkContract(r, content, out); err != nil {
			t.Errorf("%s does not keep to openapi.yaml: %v\nrequest: %.2000s\nanswer: %d %.2000s", out.what, err, content, out.Status, out.Body)
		}
	}
	return out
}

// Want ends the test unless the answer has the status.
func (a *Answer) Want(status int) *Answer {
	a.w.t.Helper()
	if a.Status != status {
		a.w.t.Fatalf("%s: got %d %s, want %d", a.what, a.Status, a.Body, status)
	}
	return a
}

// WantProblem ends the test unless the answer is a problem document with the status, the code and, when some are given, exactly these
// pointers, in whatever order.
func (a *Answer) WantProblem(status int, code string, pointers ...string) *Answer {
	a.w.t.Helper()
	var p httpapi.Problem
	media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err := json.Unmarshal(a.Body, &p); err != nil || media != "application/problem+json" {
		a.w.t.Fatalf("%s: got %d %s %s, want a problem document: %d %s", a.what, a.Status, media, a.Body, status, code)
	}
	if a.Status != status || p.Status != status || p.Code != code || p.Type != "/v1/problems#"+code || p.Title == "" ||
		p.Detail == "" {
		a.w.t.Fatalf("%s: got %d %s, want the problem %d %s", a.what, a.Status, a.Body, status, code)
	}
	if len(pointers) == 0 {
		return a
	}
	got := make([]string, len(p.Errors))
	for i, e := range p.Errors {
		got[i] = e.Pointer
	}
	slices.Sort(got)
	if want := slices.Sorted(slices.Values(pointers)); !slices.Equal(got, want) {
		a.w.t.Fatalf("%s: got pointers %q, want %q, in %s", a.what, got, want, a.Body)
	}
	return a
}

// JSON decodes the body.
func (a *Answer) JSON(into any) {
	a.w.t.Helper()
	if err := json.Unmarshal(a.Body, into); err != nil {
		a.w.t.Fatalf("%s: got %d %s, which is no %T: %v", a.what, a.Status, a.Body, into, err)
	}
}

// Get is the value at a path of the body such as "grant.customer.id" or "items.0.status"; nil where there is none, and for null. "" is
// the whole. An array's "length" is how many elements it has.
func (a *Answer) Get(path string) any {
	a.w.t.Helper()
	var v any
	a.JSON(&v)
	if path == "" {
		return v
	}
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			switch {
			case step == "length":
				v = float64(len(in))
			case err != nil || i < 0 || i >= len(in):
				return nil
			default:
				v = in[i]
			}
		default:
			return nil
		}
	}
	return v
}

// String is the text at a path of the body; anything else there ends the test.
func (a *Answer) String(path string) string {
	a.w.t.Helper()
	s, ok := a.Get(path).(string)
	if !ok {
		a.w.t.Fatalf("%s: got %v at %q, want a string, in %d %s", a.what, a.Get(path), path, a.Status, a.Body)
	}
	return s
}

// Int is the whole number at a path of the body; anything else there ends the test.
func (a *Answer) Int(path string) int {
	a.w.t.Helper()
	n, ok := a.Get(path).(float64)
	if !ok || n != float64(int(n)) {
		a.w.t.Fatalf("%s: got %v at %q, want a whole number, in %d %s", a.what, a.Get(path), path, a.Status, a.Body)
	}
	return int(n)
}

// Strings are the texts at a path of the body, such as "changes.added"; anything else there ends the test.
func (a *Answer) Strings(path string) []string {
	a.w.t.Helper()
	list, ok := a.Get(path).([]any)
	out := make([]string, len(list))
	for i, v := range list {
		var is bool
		out[i], is = v.(string)
		ok = ok && is
	}
	if !ok {
		a.w.t.Fatalf("%s: got %v at %q, want a list of strings, in %d %s", a.what, a.Get(path), path, a.Status, a.Body)
	}
	return out
}

// Partner puts a partner: by default an active channel partner with single sign-on, offered manage. More are members of the body, key,
// value, key, value.
func (w *World) Partner(id string, more ...any) *Answer {
	w.t.Helper()
	body := map[string]any{"name": title(id), "class": "channel", "offer": "manage", "sso": true}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return w.put("/v1/partners/"+id, body)
}

// Customer puts a customer with the domain <id>.example.
func (w *World) Customer(id string) *Answer {
	w.t.Helper()
	return w.put("/v1/customers/"+id, map[string]any{"name": title(id), "domain": strings.ToLower(id) + ".example"})
}

// Admin makes a person an admin of the customer, and calls as that person.
func (w *World) Admin(customer, email string) *Client {
	w.t.Helper()
	return w.person(customer, email, "admin")
}

// Member makes a person a member of the customer who is no admin, and calls as that person.
func (w *World) Member(customer, email string) *Client {
	w.t.Helper()
	return w.person(customer, email, "member")
}

func (w *World) person(customer, email, role string) *Client {
	w.t.Helper()
	name, _, _ := strings.Cut(email, "@")
	w.put("/v1/customers/"+customer+"/members/"+url.PathEscape(email), map[string]any{"name": title(name), "role": role})
	return w.As(email)
}

func (w *World) put(path string, body any) *Answer {
	w.t.Helper()
	a := w.Provider().Do(http.MethodPut, path, body)
	if a.Status != http.StatusCreated {
		a.Want(http.StatusOK)
	}
	return a
}

// User creates a user of the partner and returns its id.
func (w *World) User(partner, email, role string) string {
	w.t.Helper()
	name, _, _ := strings.Cut(email, "@")
	return w.Provider().Do(http.MethodPost, "/v1/partners/"+partner+"/users", map[string]any{
		"email": email, "name": title(name), "role": role,
	}).Want(http.StatusCreated).String("id")
}

// Grant grants as admin@<customer>.example, whom it makes an admin first. The answer is what the customer gets, a refusal too.
func (w *World) Grant(customer string, body map[string]any) *Answer {
	w.t.Helper()
	return w.AdminOf(customer).Do(http.MethodPost, "/v1/customers/"+customer+"/grants", body)
}

// AdminOf calls as admin@<customer>.example, whom it makes an admin when that has not been done.
func (w *World) AdminOf(customer string) *Client {
	w.t.Helper()
	email := "admin@" + strings.ToLower(customer) + ".example"
	w.mu.Lock()
	done := w.admins[customer]
	w.mu.Unlock()
	if done {
		return w.As(email)
	}
	c := w.Admin(customer, email)
	w.mu.Lock()
	w.admins[customer] = true
	w.mu.Unlock()
	return c
}

// Check asks, as a back end, whether the user may do the action in the customer's tenant, and why. The subject is a user's id or address.
func (w *World) Check(subject, action, customer string) (allowed bool, reason string) {
	w.t.Helper()
	a := w.Backend().Do(http.MethodPost, "/access/v1/evaluation", Question(subject, action, customer)).Want(http.StatusOK)
	return a.Get("decision") == true, a.String("context.reason")
}

// Question is the body of an evaluation of a customer's resource.
func Question(subject, action, customer string) map[string]any {
	return map[string]any{
		"subject":  map[string]any{"type": "user", "id": subject},
		"action":   map[string]any{"name": action},
		"resource": map[string]any{"type": "customer", "id": customer},
	}
}

// Allowed fails the test unless the user may do the action in the customer's tenant.
func (w *World) Allowed(subject, action, customer string) {
	w.t.Helper()
	if allowed, reason := w.Check(subject, action, customer); !allowed || reason != "granted" {
		w.t.Errorf("%s, %s at %s: got %v (%s), want true (granted)", subject, action, customer, allowed, reason)
	}
}

// Denied fails the test unless the user may not do the action in the customer's tenant, for that reason.
func (w *World) Denied(subject, action, customer, reason string) {
	w.t.Helper()
	if allowed, got := w.Check(subject, action, customer); allowed || got != reason {
		w.t.Errorf("%s, %s at %s: got %v (%s), want false (%s)", subject, action, customer, allowed, got, reason)
	}
}

// title makes a name of an id: contoso is Contoso.
func title(id string) string { return strings.ToUpper(id[:1]) + id[1:] }
