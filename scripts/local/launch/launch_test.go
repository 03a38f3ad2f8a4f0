package launch_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/launch"
)

func TestTheStackRunsAsAProcessUntilItIsStopped(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "local")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "partneraccess/scripts/local").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for name, end := range map[string]func(*launch.Stack) error{
		"stopped": (*launch.Stack).Stop,
		"killed":  func(s *launch.Stack) error { s.Kill(); return nil },
	} {
		s, err := launch.Start(t.Context(), launch.Options{Binary: binary, Env: append(os.Environ(), "IDENTITY=none", "BACKEND=")})
		if err != nil {
			t.Fatal(err)
		}
		health := ask.Request{Method: http.MethodGet, URL: s.URL + "/_local/health"}
		if a, err := ask.Send(t.Context(), http.DefaultClient, health); err != nil || !a.Done() || s.ID == 0 {
			t.Errorf("got %+v, %v, want an answer", a, err)
		}
		if err := end(s); err != nil {
			t.Errorf("%s: got %v, want no error", name, err)
		}
		<-s.Ended()
		if a, err := ask.Send(t.Context(), http.DefaultClient, health); err == nil {
			t.Errorf("%s: got %+v, want nobody there", name, a)
		}
	}
}

func TestAStackThatDoesNotStartSaysWhy(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("#!/bin/sh\necho no port $PORT, $NAME; exit 3\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	_, err := launch.Start(t.Context(), launch.Options{Binary: bad, Port: 1, Env: []string{"NAME=it"}})
	if err == nil || !strings.Contains(err.Error(), "exit status 3: no port 1, it") {
		t.Errorf("got %v, want what it printed", err)
	}
	_, err = launch.Start(t.Context(), launch.Options{Binary: bad + "ly"})
	if err == nil || !strings.Contains(err.Error(), "go build") {
		t.Errorf("got %v, want how it is built", err)
	}
}
