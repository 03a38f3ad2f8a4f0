package client

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// WebhookTolerance is how far the time of a message may be from the receiver's clock.
const WebhookTolerance = 5 * time.Minute

const (
	maxSignatures = 10 // of a message: a sender that exchanges its secret makes two
	minSecret     = 24 // bytes of a symmetric secret
	maxSecret     = 64
)

// ErrWebhook is the error of a message that nobody who has one of the secrets has sent just now: answer 401 and read none of it.
var ErrWebhook = errors.New("partner access: the webhook's message is not verified")

// Webhook is what is known of a message beside its body.
type Webhook struct {
	ID   string    // of the event: the same for each attempt, so that a receiver passes over what it has had
	Sent time.Time // when this attempt was made, to the second, UTC
}

// VerifyWebhook returns the id and the time of a message that was signed with one of the keys (Standard Webhooks 1.0). Its body is the
// bytes that came: what was decoded and encoded again is another text. A key is the endpoint's secret (whsec_…) or its public key
// (whpk_…); while secrets are exchanged there are two. It fails with ErrWebhook when a header is missing or there twice, when the message
// is more than WebhookTolerance away from now, and when no signature is of one of the keys; and with another error when a key is none.
//
//	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
//	…
//	message, err := client.VerifyWebhook(r.Header, body, time.Now(), os.Getenv("WEBHOOK_SECRET"))
func VerifyWebhook(header http.Header, body []byte, now time.Time, keys ...string) (Webhook, error) {
	verifiers := make([]verifier, len(keys))
	for i, text := range keys {
		var err error
		if verifiers[i], err = verifierOf(text); err != nil {
			return Webhook{}, fmt.Errorf("partner access: the webhook's key %d of %d: %w", i+1, len(keys), err)
		}
	}
	if len(keys) == 0 {
		return Webhook{}, errors.New("partner access: there is no key to verify a webhook's message with")
	}
	var values [3]string
	for i, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		is := header.Values(name)
		if len(is) != 1 || is[0] == "" {
			return Webhook{}, fmt.Errorf("%w: the header %s is there %d times", ErrWebhook, name, len(is))
		}
		values[i] = is[0]
	}
	id, seconds, signatures := values[0], values[1], strings.Split(values[2], " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != seconds {
		return Webhook{}, fmt.Errorf("%w: its time is no number of seconds", ErrWebhook)
	}
	sent := time.Unix(n, 0).UTC()
	if sent.Before(now.Add(-WebhookTolerance)) || sent.After(now.Add(WebhookTolerance)) {
		return Webhook{}, fmt.Errorf("%w: it is of %s, and it is %s now", ErrWebhook, sent.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if len(signatures) > maxSignatures {
		return Webhook{}, fmt.Errorf("%w: it has %d signatures, more than %d", ErrWebhook, len(signatures), maxSignatures)
	}
	message := append([]byte(id+"."+seconds+"."), body...)
	for _, s := range signatures {
		version, text, _ := strings.Cut(s, ",")
		signature, ok := decodeBase64(text)
		for _, v := range verifiers {
			if ok && version == v.version && v.verify(message, signature) {
				return Webhook{ID: id, Sent: sent}, nil
			}
		}
	}
	return Webhook{}, fmt.Errorf("%w: no signature is of a key that is known here", ErrWebhook)
}

// verifier verifies the signatures of one version.
type verifier struct {
	version string
	verify  func(message, signature []byte) bool
}

// verifierOf reads a key. No error quotes it.
func verifierOf(text string) (verifier, error) {
	if encoded, ok := strings.CutPrefix(text, "whsec_"); ok {
		key, ok := decodeBase64(encoded)
		if !ok || len(key) < minSecret || len(key) > maxSecret {
			return verifier{}, fmt.Errorf("a secret is whsec_ and the base64 of %d to %d bytes", minSecret, maxSecret)
		}
		return verifier{"v1", func(message, signature []byte) bool {
			mac := hmac.New(sha256.New, key)
			mac.Write(message)
			return hmac.Equal(mac.Sum(nil), signature)
		}}, nil
	}
	if encoded, ok := strings.CutPrefix(text, "whpk_"); ok {
		key, ok := decodeBase64(encoded)
		if !ok || len(key) != ed25519.PublicKeySize {
			return verifier{}, fmt.Errorf("a public key is whpk_ and the base64 of %d bytes", ed25519.PublicKeySize)
		}
		return verifier{"v1a", func(message, signature []byte) bool { return ed25519.Verify(key, message, signature) }}, nil
	}
	return verifier{}, errors.New("a key begins with whsec_ or whpk_")
}

// decodeBase64 decodes what is written in the one way in which these bytes are written.
func decodeBase64(text string) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil && base64.StdEncoding.EncodeToString(b) == text
}
