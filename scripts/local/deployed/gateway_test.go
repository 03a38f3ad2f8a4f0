package deployed_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	function "github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/deployed"
	"partneraccess/scripts/local/lambdahost"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

// TestMain is also the function behind the gateway: the test's own binary, told so by its environment.
func TestMain(m *testing.M) {
	if os.Getenv("BE") == "function" {
		function.Start(func(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			switch e.QueryStringParameters["do"] {
			case "fail":
				return events.APIGatewayV2HTTPResponse{}, errors.New("with people's names in it")
			case "panic":
				panic("with people's names in it")
			case "sleep":
				time.Sleep(time.Hour)
			}
			return events.APIGatewayV2HTTPResponse{StatusCode: 201, Body: e.RouteKey}, nil
		})
	}
	os.Exit(m.Run())
}

func TestTheGatewayAnswersForFunctionsThatFailAsAPIGatewayDoes(t *testing.T) {
	t.Parallel()
	host, err := lambdahost.Start(t.Context(), lambdahost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host.Deploy(
		lambdahost.Function{Name: "x-check", Binary: binary, Env: map[string]string{"BE": "function"}, Timeout: 2 * time.Second, Memory: 128})
	handlers := stack.Invoked(deployed.Client(host.URL()), "x-")
	functions := []manifest.Function{
		{Name: "check", Timeout: 10 * time.Second, Routes: []httpapi.Route{{Method: "GET", Path: "/there", Public: true}}},
		{Name: "list", Timeout: 10 * time.Second, Routes: []httpapi.Route{{Method: "GET", Path: "/missing", Public: true}}},
	}
	issuer, err := stack.NewIssuer("http://issuer.example", "")
	if err != nil {
		t.Fatal(err)
	}
	g, err := stack.NewGateway(functions, handlers, stack.NewAuthorizer(issuer.Keys(), issuer.URL(), stack.Audience, time.Now), nil, time.Now,
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		code int
		body string
	}{
		{"/there", 201, "GET /there"},
		{"/there?do=fail", 500, "Internal Server Error"},
		{"/there?do=panic", 500, "Internal Server Error"},
		{"/there?do=sleep", 500, "Internal Server Error"},
		{"/there", 201, "GET /there"}, // in a new process
		{"/missing", 503, "Service Unavailable"},
	} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", c.path, nil))
		var message struct{ Message string }
		if c.code >= 500 {
			if err := json.Unmarshal(w.Body.Bytes(), &message); err != nil {
				t.Errorf("%s: %v", c.path, err)
			}
		} else {
			message.Message = w.Body.String()
		}
		if w.Code != c.code || message.Message != c.body {
			t.Errorf("%s: got %d %s, want %d %s", c.path, w.Code, w.Body, c.code, c.body)
		}
	}
	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/there", nil))
	if w.Code != 503 {
		t.Errorf("nobody listens: got %d %s, want 503", w.Code, w.Body)
	}
}

func TestTheFunctionsAreBuiltAsMakeBuildDoes(t *testing.T) {
	t.Parallel()
	root, err := deployed.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, _ := strings.Cut(string(text), "\nbuild: ")
	recipe, _, _ = strings.Cut(recipe, "\n.PHONY")
	flags := strings.Join(deployed.Flags(), " ")
	flags = strings.Replace(flags, "-ldflags=-s -w -buildid=", `-ldflags="-s -w -buildid="`, 1)
	if want := "CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build " + flags; !strings.Contains(recipe, want) {
		t.Errorf("make build: got %s, want %s in it", recipe, want)
	}
}
