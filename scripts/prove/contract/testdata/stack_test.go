// Package flow runs one flow through each client that is generated from the contract, against the local stack: grant, list by cursor, edit
// with If-Match, be refused with an ETag that is no longer true, check, check in a batch, revoke. `make test-contract` copies it beside
// what the generators write; it is compiled nowhere else.
package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// The demo data's customer, its admin, and who gets access. Kim works for the first partner; the second is there for a second page.
const (
	customer = "acme"
	admin    = "ann@acme.example"
	partner  = "contoso"
	second   = "fabrikam"
	kim      = "kim@contoso.example"
	other    = "globex" // grants nothing
	action   = "reports:read"
)

// service is the address of the stack, and judge holds an exchange against the contract. Both are there when the first test begins.
var (
	service *url.URL
	judge   validator.Validator
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	stop, err := prepare()
	defer stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// prepare reads the contract and starts the stack, with its demo data, of the repository at ROOT.
func prepare() (stop func(), err error) {
	stop = func() {}
	root := os.Getenv("ROOT")
	text, err := os.ReadFile(filepath.Join(root, "shared/httpapi/openapi.yaml"))
	if err != nil {
		return stop, err
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return stop, err
	}
	var errs []error
	if judge, errs = validator.NewValidator(document); len(errs) > 0 {
		return stop, fmt.Errorf("libopenapi-validator does not take the contract: %v", errs)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return stop, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return stop, err
	}
	var log bytes.Buffer
	cmd := exec.Command(filepath.Join(root, ".build/local"))
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(port))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return stop, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() { _ = cmd.Process.Signal(syscall.SIGTERM); <-ended }
	service = &url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(port)}
	for deadline := time.After(time.Minute); ; {
		if res, err := http.Get(service.String() + "/_local/health"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return stop, nil
			}
		}
		select {
		case err := <-ended:
			return func() {}, fmt.Errorf("the stack ended at once: %v: %s", err, &log)
		case <-deadline:
			return stop, fmt.Errorf("the stack does not answer: %s", &log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// watched returns an address of the service at which libopenapi-validator sees each exchange. What it finds wrong, in a request or in an
// answer, fails the test, and so does traffic of fewer exchanges than the flow has.
func watched(t *testing.T) string {
	t.Helper()
	var (
		mu   sync.Mutex
		seen int
	)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(service) },
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			asked := res.Request.Clone(context.Background())
			asked.Body, _ = res.Request.GetBody()
			answered := *res
			answered.Body = io.NopCloser(bytes.NewReader(body))
			mu.Lock()
			defer mu.Unlock()
			seen++
			if _, wrong := judge.ValidateHttpRequestResponse(asked, &answered); len(wrong) > 0 {
				for _, w := range wrong {
					t.Errorf("%s %s: %d: %s: %s", asked.Method, asked.URL.Path, res.StatusCode, w.Message, w.Reason)
					for _, s := range w.SchemaValidationErrors {
						t.Errorf("  %+v", *s)
					}
				}
			}
			res.Body = io.NopCloser(bytes.NewReader(body))
			return nil
		},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.Close()
		if seen < 12 {
			t.Errorf("%d exchanges were seen, fewer than the flow has", seen)
		}
	})
	return s.URL
}

// token is one of the stack's, for a person's address or a back end's scope.
func token(t *testing.T, key, value string) string {
	t.Helper()
	body, _ := json.Marshal(map[string]string{key: value})
	res, err := http.Post(service.String()+"/_local/token", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var got struct{ Token string }
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("no token for %s: %v", value, err)
	}
	return got.Token
}

func adminToken(t *testing.T) string   { return token(t, "email", admin) }
func backEndToken(t *testing.T) string { return token(t, "scope", "partner-access/check") }

// want fails the test at once: what follows in a flow needs what was before.
func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// wantBoth is what a list of one grant a page comes to. The demo data may have others.
func wantBoth(t *testing.T, pages int, partners []string) {
	t.Helper()
	list := " " + strings.Join(partners, " ") + " "
	if pages < 2 || !strings.Contains(list, " "+partner+" ") || !strings.Contains(list, " "+second+" ") {
		t.Fatalf("%d pages of one grant came to %v, which has to have %s and %s", pages, partners, partner, second)
	}
}

// TestWatcherFindsWhatTheContractForbids keeps the other tests honest: libopenapi-validator accepts what is valid, and finds an invalid
// answer and an invalid request.
func TestWatcherFindsWhatTheContractForbids(t *testing.T) {
	const denied = `{"decision":false,"context":{"reason":"no_grant","reason_user":"","reason_admin":""}}`
	const asks = `{"subject":{"type":"user","id":"kim"},"action":{"name":"sign_in"},"resource":{"type":"customer","id":"acme"}}`
	for _, c := range []struct {
		name, request, answer string
		valid                 bool
	}{
		{"valid", asks, denied, true},
		{"invalid answer", asks, `{"decision":"yes","context":{"reason":"no_grant","reason_user":"","reason_admin":""}}`, false},
		{"invalid request", `{"subject":{"type":"user","id":7}}`, denied, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/access/v1/evaluation", strings.NewReader(c.request))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer x")
			res := &http.Response{
				StatusCode: http.StatusOK,
				Header:     http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "X-Request-Id": {"1"}},
				Body:       io.NopCloser(strings.NewReader(c.answer)),
			}
			if valid, wrong := judge.ValidateHttpRequestResponse(r, res); valid != c.valid {
				t.Errorf("valid: got %t, want %t: %v", valid, c.valid, wrong)
			}
		})
	}
}
