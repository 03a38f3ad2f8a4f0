package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

func createTable(ctx context.Context, client *dynamodb.Client, name string, _ bool) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	return err
}

// config is a stack with one function, which echoes, on the engine that the tests share.
func config(t *testing.T) stack.Config {
	t.Helper()
	return stack.Config{
		Engine: engine.Shared(t), Table: "stack-" + strings.NewReplacer("/", "-", "'", "").Replace(t.Name()),
		CreateTable: createTable, Origins: []string{page},
		Functions: []manifest.Function{{
			Name: "f", Timeout: time.Minute, Routes: []httpapi.Route{{Method: "GET", Path: "/x"}},
		}},
		Handlers: func(stack.Deps) (map[string]lambda.Handler, error) {
			return map[string]lambda.Handler{"f": handlerFunc(echo)}, nil
		},
	}
}

func start(t *testing.T, c stack.Config) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func call(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	res, got := do(t, r)
	return res.StatusCode, strings.TrimSpace(got)
}

// Whoever waits for the stack by its health finds the demo data there, too.
func TestAStackIsNotHealthyBeforeItIsPrepared(t *testing.T) {
	c := config(t)
	var during int
	c.Prepare = func(_ context.Context, s *stack.Stack) error {
		status, got := call(t, "GET", s.URL()+"/_local/health", "")
		if during = status; !strings.Contains(got, `"status":"starting"`) {
			t.Errorf("while it is prepared: got %s, want it starting", got)
		}
		if status, got := call(t, "POST", s.URL()+"/_local/token", `{"scope":"partner-access/check"}`); status != http.StatusOK {
			t.Errorf("while it is prepared: got %d %s, want it to answer all else", status, got)
		}
		return nil
	}
	s := start(t, c)
	if after, _ := call(t, "GET", s.URL()+"/_local/health", ""); during != http.StatusServiceUnavailable || after != http.StatusOK {
		t.Errorf("got %d, then %d, want 503, then 200", during, after)
	}

	c.Prepare = func(context.Context, *stack.Stack) error { return errors.New("no data") }
	if s, err := stack.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no data") {
		t.Errorf("got %v, %v, want what went wrong", s, err)
	}
}

func TestAStackIssuesATokenThatItsRoutesAccept(t *testing.T) {
	s := start(t, config(t))
	if status, got := call(t, "GET", s.URL()+"/_local/health", ""); status != 200 || !strings.Contains(got, `"status":"ok"`) {
		t.Errorf("health: got %d %s, want ok", status, got)
	}
	status, got := call(t, "POST", s.URL()+"/_local/token", `{"email":"ann@acme.example","email_verified":false}`)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(got), &answer); err != nil || status != 200 {
		t.Fatalf("token: got %d %s (%v)", status, got, err)
	}
	status, got = call(t, "GET", s.URL()+"/x", "", "Authorization", "Bearer "+answer.Token)
	if status != 200 {
		t.Fatalf("got %d %s, want 200", status, got)
	}
	claims := decodeEvent(t, got).RequestContext.Authorizer.JWT.Claims
	for name, want := range map[string]string{
		"iss": s.URL() + "/_local", "aud": "[partner-access]", "email": "ann@acme.example", "email_verified": "false", "scope": "",
	} {
		if claims[name] != want {
			t.Errorf("claim %s: got %q, want %q", name, claims[name], want)
		}
	}

	if status, got := call(t, "GET", s.URL()+"/_local/jwks.json", ""); status != 200 || !strings.Contains(got, `"kid"`) ||
		strings.Contains(got, `"d"`) {
		t.Errorf("JWKS: got %d %s, want public keys alone", status, got)
	}
	expired, err := s.Token(stack.TokenRequest{Scope: "x", ExpiresIn: -1})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := call(t, "GET", s.URL()+"/x", "", "Authorization", "Bearer "+expired); status != 401 {
		t.Errorf("an expired token: got %d, want 401", status)
	}
	for _, bad := range []string{``, `{}`, `{"mail":"x"}`, `{"email":1}`, `{"scope":"x"} {}`} {
		if status, _ := call(t, "POST", s.URL()+"/_local/token", bad); status != 400 {
			t.Errorf("token request %q: got %d, want 400", bad, status)
		}
	}
}

func TestMovingTheClockSignsNobodyOutAndRunsTheSweep(t *testing.T) {
	c := config(t)
	sweeps := 0
	c.OnClock = func(_ context.Context, deps stack.Deps) error {
		sweeps++
		if ahead := time.Until(deps.Now()); ahead < 719*time.Hour {
			t.Errorf("the sweep sees a clock that is %s ahead, want 720h", ahead)
		}
		return nil
	}
	s := start(t, c)
	token, err := s.Token(stack.TokenRequest{Email: "ann@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	before := s.Clock.Now().Truncate(time.Millisecond) // as an event has it
	status, got := call(t, "POST", s.URL()+"/_local/clock", `{"advance":"720h"}`)
	var answer struct{ Now time.Time }
	if err := json.Unmarshal([]byte(got), &answer); err != nil || status != 200 {
		t.Fatalf("clock: got %d %s (%v)", status, got, err)
	}
	if moved := answer.Now.Sub(before); moved < 720*time.Hour || moved > 721*time.Hour {
		t.Errorf("the clock moved by %s, want 720h", moved)
	}
	if sweeps != 1 {
		t.Errorf("sweeps: got %d, want 1", sweeps)
	}

	status, got = call(t, "GET", s.URL()+"/x", "", "Authorization", "Bearer "+token)
	if status != 200 {
		t.Fatalf("an old token after 30 days: got %d %s, want 200", status, got)
	}
	if seen := time.UnixMilli(decodeEvent(t, got).RequestContext.TimeEpoch); seen.Before(before.Add(720 * time.Hour)) {
		t.Errorf("the event's time: got %s, want the moved clock's", seen)
	}
	fresh, err := s.Token(stack.TokenRequest{Email: "ann@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := call(t, "GET", s.URL()+"/x", "", "Authorization", "Bearer "+fresh); status != 200 {
		t.Errorf("a new token after 30 days: got %d, want 200", status)
	}
}

func TestTheClockCanBeSetAndRead(t *testing.T) {
	s := start(t, config(t))
	if status, got := call(t, "POST", s.URL()+"/_local/clock", `{"now":"2031-01-02T03:04:05+01:00"}`); status != 200 ||
		!strings.Contains(got, `"2031-01-02T02:04:0`) {
		t.Errorf("set: got %d %s, want 2031-01-02T02:04:05Z", status, got)
	}
	if status, got := call(t, "GET", s.URL()+"/_local/clock", ""); status != 200 || !strings.Contains(got, `"2031-01-02T02:04:`) ||
		!strings.Contains(got, `Z"`) {
		t.Errorf("read: got %d %s, want 2031-01-02T02:04, UTC", status, got)
	}
	for _, bad := range []string{`{}`, `{"advance":"30d"}`, `{"now":"tomorrow"}`, `{"advance":"1h","now":"2031-01-02T03:04:05Z"}`} {
		if status, _ := call(t, "POST", s.URL()+"/_local/clock", bad); status != 400 {
			t.Errorf("%s: got %d, want 400", bad, status)
		}
	}
}

func TestMailIsListedAndCleared(t *testing.T) {
	s := start(t, config(t))
	if _, got := call(t, "GET", s.URL()+"/_local/mail", ""); got != "[]" {
		t.Errorf("no mail: got %s, want []", got)
	}
	s.Mail.Add(stack.Mail{
		ID: "1", To: "ann@acme.example", From: "access@example.com", Subject: "S", Text: "T", HTML: "H", Headers: map[string]string{"X-A": "b"},
		Tags: map[string]string{"type": "grant-created"}, Event: "grant.created", At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
	})
	want := `[{"id":"1","to":"ann@acme.example","from":"access@example.com","subject":"S","text":"T","html":"H","headers":{"X-A":"b"},` +
		`"tags":{"type":"grant-created"},"event":"grant.created","at":"2026-11-22T10:00:00Z"}]`
	if _, got := call(t, "GET", s.URL()+"/_local/mail", ""); got != want {
		t.Errorf("one mail: got %s, want %s", got, want)
	}
	if status, _ := call(t, "DELETE", s.URL()+"/_local/mail", ""); status != 204 {
		t.Errorf("clear: got %d, want 204", status)
	}
	if _, got := call(t, "GET", s.URL()+"/_local/mail", ""); got != "[]" {
		t.Errorf("after clearing: got %s, want []", got)
	}
}

func TestLocalEndpointsAreForThisMachineAlone(t *testing.T) {
	s := start(t, config(t))
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, host, origin string
		status             int
	}{
		{"by address", "127.0.0.1:" + port, "", 200},
		{"by name", "localhost:" + port, "", 200},
		{"by IPv6 address", "[::1]:" + port, "", 200},
		{"a name that points here", "evil.example:" + port, "", 403},
		{"a name that starts like ours", "localhost.evil.example", "", 403},
		{"our own page", "localhost:" + port, "http://localhost:" + port, 200},
		{"a page that may", "localhost:" + port, page, 200},
		{"another page of this machine", "localhost:" + port, "http://localhost:1", 403},
		{"a foreign page", "localhost:" + port, "https://evil.example", 403},
		{"a page without origin", "localhost:" + port, "null", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := []string{"Host", c.host}
			if c.origin != "" {
				headers = append(headers, "Origin", c.origin)
			}
			if status, got := call(t, "POST", s.URL()+"/_local/token", `{"scope":"x"}`, headers...); status != c.status {
				t.Errorf("got %d %s, want %d", status, got, c.status)
			}
		})
	}
}

func TestTokensAndTableOutliveARestartWithADataFolder(t *testing.T) {
	c := config(t)
	c.DataDir = t.TempDir()
	first := start(t, c)
	port := first.URL()[strings.LastIndex(first.URL(), ":")+1:]
	token, err := first.Token(stack.TokenRequest{Scope: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if c.Port, err = net.LookupPort("tcp", port); err != nil {
		t.Fatal(err)
	}
	second := start(t, c) // also: the table that exists is no error
	if status, got := call(t, "GET", second.URL()+"/x", "", "Authorization", token); status != 200 {
		t.Errorf("the first stack's token: got %d %s, want 200", status, got)
	}
}

func TestATakenPortIsSaidInASentence(t *testing.T) {
	c := config(t)
	first := start(t, c)
	port, err := net.LookupPort("tcp", first.URL()[strings.LastIndex(first.URL(), ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	c.Port = port
	if _, err = stack.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "is taken") ||
		!strings.Contains(err.Error(), "PORT=") {
		t.Fatalf("got error %v, want one that says that the port is taken and what to do", err)
	}
}

func TestStopEndsTheEngineThatTheStackStarted(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "")
	c := config(t)
	c.Engine = nil
	s := start(t, c)
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-s.Engine().Died():
	default:
		t.Error("the engine is still there")
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://")); err == nil {
		_ = conn.Close()
		t.Error("the gateway still listens")
	}
}
