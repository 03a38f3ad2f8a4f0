package seed_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"partneraccess/scripts/local/seed"
)

func TestSeedSendsEveryPersonOfItsList(t *testing.T) {
	var all strings.Builder
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.Header.Get("Authorization"), "Bearer for partner-access/directory"; got != want {
			t.Errorf("Authorization: got %q, want %q", got, want)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !json.Valid(body) {
			t.Errorf("%s %s: body %q is no JSON (%v)", r.Method, r.URL.Path, body, err)
		}
		all.WriteString(r.Method + " " + r.URL.Path + " " + string(body) + "\n")
		w.WriteHeader(http.StatusCreated)
	})

	if err := seed.Run(t.Context(), base, token); err != nil {
		t.Fatal(err)
	}
	for _, p := range seed.People() {
		if strings.HasSuffix(p.Of, " umbra") || strings.HasSuffix(p.Of, " aldgate") {
			continue // of States
		}
		if !strings.Contains(all.String(), p.Email) || !strings.Contains(all.String(), `"name":"`+p.Name+`"`) {
			t.Errorf("%s is in the list and was not sent", p.Name)
		}
	}
	if want := "PUT /v1/customers/initech/managing-partner {\"partner\":\"contoso\"}\n"; !strings.HasSuffix(all.String(), want) {
		t.Errorf("requests end with: got %q, want %q", all.String()[len(all.String())-80:], want)
	}
}

func TestSeedTakesATakenEmailForItsOwn(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"status":409,"code":"email_taken"}`)
		}
	})
	if err := seed.Run(t.Context(), base, token); err != nil {
		t.Fatal(err)
	}
}

func TestSeedStopsAtARefusalAndSaysWhich(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/members/") {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"status":409,"code":"customer_user_conflict"}`)
		}
	})
	err := seed.Run(t.Context(), base, token)
	if err == nil || !strings.Contains(err.Error(), "/v1/customers/acme/members/") ||
		!strings.Contains(err.Error(), "customer_user_conflict") {
		t.Fatalf("got error %v, want one that names the request and the code", err)
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func token(scope, _ string) (string, error) { return "for " + scope, nil }
