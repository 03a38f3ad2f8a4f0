package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"partneraccess/scripts/local/launch"
)

func start(t *testing.T) *launch.Stack {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "local")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "partneraccess/scripts/local").CombinedOutput(); err != nil {
		t.Fatalf("build the stack: %v: %s", err, out)
	}
	s, err := launch.Start(t.Context(), launch.Options{Binary: binary})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

func TestAServiceThatRunsIsGoneThrough(t *testing.T) {
	s := start(t)
	// A deployment's tokens, as Cognito's token endpoint gives them.
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		scope := map[string]string{"d secret": "partner-access/directory", "c secret": "partner-access/check"}[id+" "+secret]
		if r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != scope {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusBadRequest)
			return
		}
		own := &smoke{url: s.URL, http: http.DefaultClient}
		token, err := own.token(r.Context(), "", scope)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"` + token + `","token_type":"Bearer"}`))
	}))
	defer tokens.Close()
	for name, args := range map[string][]string{
		"the local stack": {"-url", s.URL},
		"a deployment":    {"-url", s.URL, "-tokens", tokens.URL, "-directory", "d:secret", "-check", "c:secret"},
	} {
		var out strings.Builder
		if err := run(t.Context(), args, &out); err != nil {
			t.Errorf("%s: %v after\n%s", name, err, &out)
		}
		for _, want := range []string{"a check says true", "mails are sent", "the customer is removed"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: got %s, want %q in it", name, &out, want)
			}
		}
	}
	if err := run(t.Context(), []string{"-url", s.URL, "-tokens", tokens.URL, "-directory", "d:wrong", "-check", "c:secret"},
		&strings.Builder{}); err == nil ||
		!strings.Contains(err.Error(), "400") {
		t.Errorf("a wrong secret: got %v, want what was answered", err)
	}
	// Another address than the service knows itself by.
	if err := run(t.Context(), []string{"-url", strings.Replace(s.URL, "127.0.0.1", "localhost", 1)}, &strings.Builder{}); err == nil ||
		!strings.Contains(err.Error(), "metadata") {
		t.Errorf("another address: got %v, want the metadata's", err)
	}
}
