package receivers

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	mrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"partneraccess/shared/client"
	"partneraccess/shared/webhook"
)

// mutations is how often each message is altered, in each way of ways.
const mutations = 10_000

// delivery is a message as it comes to a receiver.
type delivery struct {
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"`
	Signature string `json:"signature"`
	Body      string `json:"body"`
}

func (d delivery) header() http.Header {
	h := http.Header{}
	h.Set("webhook-id", d.ID)
	h.Set("webhook-timestamp", d.Timestamp)
	h.Set("webhook-signature", d.Signature)
	return h
}

func secret(t *testing.T, kind webhook.SecretKind) (s webhook.Secret, key string) {
	t.Helper()
	s, err := webhook.NewSecret(kind, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = s.Public(); err != nil {
		t.Fatal(err)
	}
	return s, key
}

// samples are the published events by name, compact as they are sent.
func samples(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../../events/published/*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("got %d samples, %v", len(files), err)
	}
	out := map[string]string{}
	for _, f := range files {
		var b bytes.Buffer
		raw, err := os.ReadFile(f)
		if err == nil {
			err = json.Compact(&b, raw)
		}
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".json")] = b.String()
	}
	return out
}

func deliver(t *testing.T, body string, at time.Time, secrets ...webhook.Secret) delivery {
	t.Helper()
	var event struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		t.Fatal(err)
	}
	h, err := webhook.Sign(event.ID, at, []byte(body), secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return delivery{ID: event.ID, Timestamp: h.Get("webhook-timestamp"), Signature: h.Get("webhook-signature"), Body: body}
}

// ways are those in which one part of a message with one signature is altered.
func ways() map[string]func(*mrand.Rand, *delivery) {
	return map[string]func(*mrand.Rand, *delivery){
		"body":      func(r *mrand.Rand, d *delivery) { d.Body = altered(r, d.Body, "") },
		"id":        func(r *mrand.Rand, d *delivery) { d.ID = altered(r, d.ID, "0123456789ABCDEFGHJKMNPQRSTVWXYZ.") },
		"timestamp": func(r *mrand.Rand, d *delivery) { d.Timestamp = anotherNumber(r, d.Timestamp) },
		"signature": func(r *mrand.Rand, d *delivery) {
			version, text, _ := strings.Cut(d.Signature, ",")
			d.Signature = version + "," + altered(r, text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
		},
		"version": func(r *mrand.Rand, d *delivery) {
			version, text, _ := strings.Cut(d.Signature, ",")
			d.Signature = another(r, version, []string{"", "v", "v1", "v1a", "V1", "v2", "v1b", "v10", "1", "v0", "hmac", "v1 ", " "}) + "," + text
		},
	}
}

// altered replaces, inserts or deletes a character, of all bytes when there is no alphabet.
func altered(r *mrand.Rand, s, alphabet string) string {
	b := []byte(s)
	draw := func() byte {
		if alphabet == "" {
			return byte(r.IntN(1 << 7)) // a body is sent as it is, and the samples for Node are JSON
		}
		return alphabet[r.IntN(len(alphabet))]
	}
	for {
		at := r.IntN(len(b))
		out := slices.Clone(b)
		switch r.IntN(3) {
		case 0:
			out[at] = draw()
		case 1:
			out = slices.Insert(out, at, draw())
		default:
			out = slices.Delete(out, at, at+1)
		}
		if !bytes.Equal(b, out) {
			return string(out)
		}
	}
}

func anotherNumber(r *mrand.Rand, s string) string {
	n, _ := strconv.ParseInt(s, 10, 64)
	if m := n + r.Int64N(241) - 120; m != n {
		return strconv.FormatInt(m, 10)
	}
	return s + "0"
}

func another(r *mrand.Rand, s string, list []string) string {
	for {
		if other := list[r.IntN(len(list))]; other != s {
			return other
		}
	}
}

func TestReceiversInGoVerifyWhatIsSent(t *testing.T) {
	t.Parallel()
	now := time.Now() // the library asks the clock itself
	for name, body := range samples(t) {
		s, key := secret(t, webhook.V1)
		d := deliver(t, body, now, s)
		library, err := standardwebhooks.NewWebhook(s.Text())
		if err != nil {
			t.Fatal(err)
		}
		if err := library.Verify([]byte(d.Body), d.header()); err != nil {
			t.Errorf("%s: the library: %v", name, err)
		}
		if got, err := client.VerifyWebhook(d.header(), []byte(d.Body), now, key); err != nil || got.ID != d.ID {
			t.Errorf("%s: the client: got %+v, %v", name, got, err)
		}
		asymmetric, public := secret(t, webhook.V1a)
		d = deliver(t, body, now, asymmetric, s)
		if _, err := client.VerifyWebhook(d.header(), []byte(d.Body), now, public); err != nil {
			t.Errorf("%s: the client by the public key: %v", name, err)
		}
		if err := library.Verify([]byte(d.Body), d.header()); err != nil {
			t.Errorf("%s: the library, with a signature of another kind before its own: %v", name, err)
		}
	}
}

// The client is told the time of the message, and the library to ignore it: it is the signature that refuses each of them.
func TestReceiversInGoRefuseEachMutation(t *testing.T) {
	t.Parallel()
	now := time.Now()
	body := samples(t)["grant.edited"]
	for _, kind := range []webhook.SecretKind{webhook.V1, webhook.V1a} {
		s, key := secret(t, kind)
		good := deliver(t, body, now, s)
		var library *standardwebhooks.Webhook
		if kind == webhook.V1 {
			var err error
			if library, err = standardwebhooks.NewWebhook(s.Text()); err != nil {
				t.Fatal(err)
			}
		}
		for way, alter := range ways() {
			r := mrand.New(mrand.NewPCG(7, uint64(len(way)))) //nolint:gosec // the same draws each time
			for range mutations / len(ways()) {
				bad := good
				alter(r, &bad)
				if _, err := client.VerifyWebhook(bad.header(), []byte(bad.Body), now, key); !errors.Is(err, client.ErrWebhook) {
					t.Fatalf("%s, %s: the client: got %v for %+v", kind, way, err, bad)
				}
				if library == nil {
					continue
				}
				if err := library.VerifyIgnoringTimestamp([]byte(bad.Body), bad.header()); err == nil {
					t.Fatalf("%s: the library verifies %+v", way, bad)
				}
			}
		}
	}
}
