package spec_test

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"partneraccess/shared/webhook"
)

// message is what a receiver gets: a body, signed with secrets of these kinds.
func message(t *testing.T, body []byte, kinds ...webhook.SecretKind) *http.Request {
	t.Helper()
	var secrets []webhook.Secret
	for _, k := range kinds {
		s, err := webhook.NewSecret(k, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, s)
	}
	h, err := webhook.Sign(ulid.Make().String(), time.Now(), body, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://hooks.cloud.example/partner-access", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = h
	r.Header.Set("Content-Type", "application/cloudevents+json")
	return r
}

func TestTheContractSaysWhatAReceiverGets(t *testing.T) {
	t.Parallel()
	c := contract(t)
	samples, err := filepath.Glob("../../../events/published/*.json")
	if err != nil || len(samples) < 50 {
		t.Fatalf("got %d samples, %v", len(samples), err)
	}
	for _, file := range samples {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, kinds := range [][]webhook.SecretKind{{webhook.V1}, {webhook.V1a}, {webhook.V1, webhook.V1a}} {
			if err := c.Message("event", message(t, body, kinds...), body); err != nil {
				t.Errorf("%s, %q: %v", filepath.Base(file), kinds, err)
			}
		}
		if err := c.Message("webhook.verify", message(t, body, webhook.V1), body); err == nil {
			t.Errorf("%s is a challenge, too", filepath.Base(file))
		}
	}
}

func TestAMessageThatDepartsFromTheContractIsRefused(t *testing.T) {
	t.Parallel()
	c := contract(t)
	body, err := os.ReadFile("../../../events/published/grant.ended.json")
	if err != nil {
		t.Fatal(err)
	}
	for about, alter := range map[string]func(*http.Request){
		"no id":             func(r *http.Request) { r.Header.Del("webhook-id") },
		"a time as a text":  func(r *http.Request) { r.Header.Set("webhook-timestamp", "2026-12-01T09:00:00Z") },
		"no signature":      func(r *http.Request) { r.Header.Del("webhook-signature") },
		"another signature": func(r *http.Request) { r.Header.Set("webhook-signature", "sha256=00") },
		"another type":      func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"a GET":             func(r *http.Request) { r.Method = http.MethodGet },
	} {
		r := message(t, body, webhook.V1)
		alter(r)
		if err := c.Message("event", r, body); err == nil {
			t.Errorf("%s: got no error", about)
		}
	}
	other := bytes.Replace(body, []byte(`"specversion": "1.0"`), []byte(`"specversion": "0.3"`), 1)
	if err := c.Message("event", message(t, other, webhook.V1), other); err == nil {
		t.Error("another version of CloudEvents: got no error")
	}
	if err := c.Message("no.such", message(t, body, webhook.V1), body); err == nil {
		t.Error("a webhook that there is not: got no error")
	}
}
