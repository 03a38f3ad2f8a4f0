package webhook_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/webhook"
)

var sent = time.Unix(1_800_000_000, 999).UTC()

func secret(t *testing.T, kind webhook.SecretKind) webhook.Secret {
	t.Helper()
	s, err := webhook.NewSecret(kind, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func public(t *testing.T, s webhook.Secret) string {
	t.Helper()
	p, err := s.Public()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decoded(t *testing.T, text, prefix string) []byte {
	t.Helper()
	body, ok := strings.CutPrefix(text, prefix)
	b, err := base64.StdEncoding.DecodeString(body)
	if !ok || err != nil {
		t.Fatalf("%q is not %s and base64: %v", text, prefix, err)
	}
	return b
}

func TestASymmetricSecretSignsWithHMAC(t *testing.T) {
	s := secret(t, webhook.V1)
	key := decoded(t, s.Text(), "whsec_")
	if len(key) != 32 || public(t, s) != s.Text() {
		t.Errorf("got a key of %d bytes", len(key))
	}
	h, err := webhook.Sign("e1", sent, []byte(`{"a":1}`), s)
	if err != nil || h.Get("webhook-id") != "e1" || h.Get("webhook-timestamp") != "1800000000" {
		t.Fatalf("got %v, %v", h, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(`e1.1800000000.{"a":1}`))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); h.Get("webhook-signature") != want {
		t.Errorf("got %s, want %s", h.Get("webhook-signature"), want)
	}
}

// The example that Svix and the libraries of Standard Webhooks test with.
func TestAKnownMessageHasItsKnownSignature(t *testing.T) {
	h, err := webhook.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`),
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil || h.Get("webhook-signature") != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("got %v, %v", h, err)
	}
}

func TestAnAsymmetricSecretSignsWithEd25519(t *testing.T) {
	s := secret(t, webhook.V1a)
	if key := decoded(t, s.Text(), "whsk_"); len(key) != ed25519.PrivateKeySize {
		t.Errorf("got a key of %d bytes", len(key))
	}
	h, err := webhook.Sign("e1", sent, []byte(`{"a":1}`), s)
	if err != nil {
		t.Fatal(err)
	}
	signature := decoded(t, h.Get("webhook-signature"), "v1a,")
	if !ed25519.Verify(decoded(t, public(t, s), "whpk_"), []byte(`e1.1800000000.{"a":1}`), signature) {
		t.Errorf("%s is not the signature", h.Get("webhook-signature"))
	}
}

func TestThereIsASignatureForEachSecret(t *testing.T) {
	secrets := []webhook.Secret{secret(t, webhook.V1), secret(t, webhook.V1a), secret(t, webhook.V1)}
	h, err := webhook.Sign("e1", sent, []byte("x"), secrets...)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, s := range secrets {
		alone, err := webhook.Sign("e1", sent, []byte("x"), s)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, alone.Get("webhook-signature"))
	}
	if got := h.Values("webhook-signature"); len(got) != 1 || got[0] != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestASecretIsMadeOfTheReadersBytes(t *testing.T) {
	for _, kind := range []webhook.SecretKind{webhook.V1, webhook.V1a} {
		seed := bytes.Repeat([]byte{7}, 32)
		s, err := webhook.NewSecret(kind, bytes.NewReader(seed))
		if err != nil || !bytes.Contains(decoded(t, "x_"+strings.SplitN(s.Text(), "_", 2)[1], "x_"), seed) {
			t.Errorf("%s: got %v, %v", kind, s, err)
		}
		if _, err := webhook.NewSecret(kind, bytes.NewReader(seed[:31])); err == nil {
			t.Errorf("%s: 31 random bytes are enough", kind)
		}
	}
	if _, err := webhook.NewSecret("v2", rand.Reader); err == nil {
		t.Error("there is a kind v2")
	}
}

func TestASecretIsShownByNothingButItsText(t *testing.T) {
	for _, kind := range []webhook.SecretKind{webhook.V1, webhook.V1a} {
		s := secret(t, kind)
		in := struct{ Secret webhook.Secret }{s}
		var logged bytes.Buffer
		for _, l := range []*slog.Logger{slog.New(slog.NewJSONHandler(&logged, nil)), slog.New(slog.NewTextHandler(&logged, nil))} {
			l.Info("made", "secret", s, "in", in, "list", []webhook.Secret{s})
		}
		shown := logged.String()
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %t %c") {
			shown += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, in) + fmt.Sprintf(verb, &in) + fmt.Sprintf(verb, []webhook.Secret{s})
		}
		shown += fmt.Sprint(s, in) + s.String() + s.GoString()
		encoded, err := json.Marshal(in)
		if err == nil {
			t.Errorf("it is encoded: %s", encoded)
		}
		shown += string(encoded) + err.Error()
		part := s.Text()[len("whsec_") : len("whsec_")+12]
		if strings.Contains(shown, part) || strings.Contains(shown, fmt.Sprintf("%x", part)) || !strings.Contains(shown, "[secret]") {
			t.Errorf("%s is shown:\n%s", s.Text(), shown)
		}
	}
}

func TestNothingIsSignedWithWhatIsNoSecret(t *testing.T) {
	good := secret(t, webhook.V1)
	asymmetric := secret(t, webhook.V1a)
	private := decoded(t, asymmetric.Text(), "whsk_")
	other := bytes.Clone(private)
	other[63] ^= 1 // its public key is another's
	for name, s := range map[string]webhook.Secret{
		"empty":                 "",
		"no prefix":             webhook.Secret(strings.TrimPrefix(good.Text(), "whsec_")),
		"a public key":          webhook.Secret(public(t, asymmetric)),
		"no base64":             "whsec_!!!!",
		"too short":             webhook.Secret("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23))),
		"too long":              webhook.Secret("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65))),
		"a seed alone":          webhook.Secret("whsk_" + base64.StdEncoding.EncodeToString(private[:32])),
		"another's public key":  webhook.Secret("whsk_" + base64.StdEncoding.EncodeToString(other)),
		"a line break after it": good + "\n",
	} {
		h, err := webhook.Sign("e1", sent, []byte("x"), good, s)
		if err == nil || h != nil || len(s) > 8 && strings.Contains(err.Error(), s.Text()[7:]) {
			t.Errorf("%s: got %v, %v", name, h, err)
		}
		if _, err := s.Public(); err == nil {
			t.Errorf("%s: it has a public part", name)
		}
	}
	if h, err := webhook.Sign("e1", sent, []byte("x")); err == nil {
		t.Errorf("without a secret: got %v", h)
	}
}

// "a.1" at 2 and "a" at 1 with a body that begins with "2." would be signed alike.
func TestAnIDCannotReachIntoTheTimeOrTheBody(t *testing.T) {
	s := secret(t, webhook.V1)
	for _, id := range []string{"", "a.1", "a b", "a\r\nX: y", "é", "\x7f"} {
		if h, err := webhook.Sign(id, sent, []byte("x"), s); err == nil {
			t.Errorf("%q: got %v", id, h)
		}
	}
}
