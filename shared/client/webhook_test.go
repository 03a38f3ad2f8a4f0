package client_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/client"
	"partneraccess/shared/webhook"
)

var sent = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

const message = `{"type":"com.partner-access.grant.ended.v1"}`

// key makes a secret, and what a receiver verifies its signatures with.
func key(t *testing.T, kind webhook.SecretKind) (webhook.Secret, string) {
	t.Helper()
	s, err := webhook.NewSecret(kind, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := s.Public()
	if err != nil {
		t.Fatal(err)
	}
	return s, public
}

func signed(t *testing.T, secrets ...webhook.Secret) http.Header {
	t.Helper()
	h, err := webhook.Sign("01KCC45D40000000000000000A", sent, []byte(message), secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestASignedWebhookIsVerified(t *testing.T) {
	t.Parallel()
	for _, kind := range []webhook.SecretKind{webhook.V1, webhook.V1a} {
		s, public := key(t, kind)
		got, err := client.VerifyWebhook(signed(t, s), []byte(message), sent, public)
		if err != nil || got != (client.Webhook{ID: "01KCC45D40000000000000000A", Sent: sent}) {
			t.Errorf("%s: got %+v, %v", kind, got, err)
		}
		if _, err := client.VerifyWebhook(signed(t, s), []byte(message+" "), sent, public); !errors.Is(err, client.ErrWebhook) {
			t.Errorf("%s: another body: got %v", kind, err)
		}
	}
}

func TestOldAndNewKeysVerifyWhileTheyAreExchanged(t *testing.T) {
	t.Parallel()
	old, oldKey := key(t, webhook.V1)
	renewed, newKey := key(t, webhook.V1a)
	_, strange := key(t, webhook.V1)
	for about, c := range map[string]struct {
		header http.Header
		keys   []string
		want   bool
	}{
		"both signatures, the old key":   {signed(t, old, renewed), []string{oldKey}, true},
		"both signatures, the new key":   {signed(t, old, renewed), []string{newKey}, true},
		"the old signature, both keys":   {signed(t, old), []string{newKey, oldKey}, true},
		"the new signature, both keys":   {signed(t, renewed), []string{newKey, oldKey}, true},
		"the new signature, the old key": {signed(t, renewed), []string{oldKey}, false},
		"both signatures, another's key": {signed(t, old, renewed), []string{strange}, false},
	} {
		_, err := client.VerifyWebhook(c.header, []byte(message), sent, c.keys...)
		if (err == nil) != c.want || err != nil && !errors.Is(err, client.ErrWebhook) {
			t.Errorf("%s: got %v, want verified %t", about, err, c.want)
		}
	}
}

func TestAWebhookIsVerifiedWithinFiveMinutes(t *testing.T) {
	t.Parallel()
	s, public := key(t, webhook.V1)
	for away, want := range map[time.Duration]bool{
		-5*time.Minute - 1: false, -5 * time.Minute: true, 0: true, 5 * time.Minute: true, 5*time.Minute + 1: false, 24 * time.Hour: false,
	} {
		_, err := client.VerifyWebhook(signed(t, s), []byte(message), sent.Add(away), public)
		if (err == nil) != want || err != nil && !errors.Is(err, client.ErrWebhook) {
			t.Errorf("%s later: got %v, want verified %t", away, err, want)
		}
	}
}

func TestWebhooksWithoutTheirHeadersAreRefused(t *testing.T) {
	t.Parallel()
	s, public := key(t, webhook.V1)
	for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		for about, values := range map[string][]string{
			"missing": nil, "empty": {""}, "twice": {signed(t, s).Get(name), signed(t, s).Get(name)}, "other": {"x"}, "a space": {" "},
			"padded": {" " + signed(t, s).Get(name)}, "with a sign": {"+" + signed(t, s).Get(name)}, "with a zero": {"0" + signed(t, s).Get(name)},
			"huge": {strings.Repeat("9", 40)},
		} {
			h := signed(t, s)
			h[name] = values
			_, err := client.VerifyWebhook(h, []byte(message), sent, public)
			first := name == "Webhook-Signature" && about == "padded" // an empty signature before the one that counts
			if !first && !errors.Is(err, client.ErrWebhook) || first && err != nil {
				t.Errorf("%s %s: got %v", name, about, err)
			}
		}
	}
}

// A request of a megabyte of signatures would cost a second each.
func TestAWebhookHasTenSignaturesAtMost(t *testing.T) {
	t.Parallel()
	s, public := key(t, webhook.V1a)
	h := signed(t, s)
	own := h.Get("webhook-signature")
	for n, want := range map[int]bool{10: true, 11: false} {
		h.Set("webhook-signature", strings.Repeat("v1a,AAAA ", n-1)+own)
		if _, err := client.VerifyWebhook(h, []byte(message), sent, public); (err == nil) != want {
			t.Errorf("%d signatures: got %v", n, err)
		}
	}
}

func TestWhatIsNoKeyVerifiesNothing(t *testing.T) {
	t.Parallel()
	s, good := key(t, webhook.V1)
	private, public := key(t, webhook.V1a)
	of := func(prefix string, n int) string { return prefix + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for about, bad := range map[string]string{
		"empty": "", "no prefix": good[len("whsec_"):], "a private key": private.Text(), "no base64": "whsec_!", "short": of("whsec_", 23),
		"long": of("whsec_", 65), "a short public key": of("whpk_", 31), "a long public key": of("whpk_", 33), "a line break": good + "\n",
		"a public key as a secret": "whsec_" + public,
	} {
		_, err := client.VerifyWebhook(signed(t, s), []byte(message), sent, good, bad)
		if err == nil || errors.Is(err, client.ErrWebhook) || len(bad) > 20 && strings.Contains(err.Error(), bad[7:]) {
			t.Errorf("%s: got %v", about, err)
		}
	}
	if _, err := client.VerifyWebhook(signed(t, s), []byte(message), sent); err == nil || errors.Is(err, client.ErrWebhook) {
		t.Errorf("without a key: got %v", err)
	}
}
