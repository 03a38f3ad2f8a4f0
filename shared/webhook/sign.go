package webhook

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed message.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

// The beginnings of keys, by which the two kinds are told apart.
const (
	prefixSymmetric = "whsec_"
	prefixPrivate   = "whsk_"
	prefixPublic    = "whpk_"
)

// The lengths of a symmetric key in bytes: of a new one, and what the specification allows.
const (
	newKey = 32
	minKey = 24
	maxKey = 64
)

// hidden is what is shown of a secret.
const hidden = "[secret]"

// SecretKind says how a secret signs: it is the version before each of its signatures.
type SecretKind string

// The kinds of Standard Webhooks 1.0.
const (
	V1  SecretKind = "v1"  // HMAC with SHA-256: the receiver has the same secret
	V1a SecretKind = "v1a" // Ed25519: the receiver has the public key alone
)

// Secret is what a message is signed with, in its written form: whsec_ and the base64 of 24 to 64 bytes, or whsk_ and the base64 of an
// Ed25519 private key (the seed and the public key, 64 bytes). It hides itself from logs, from package fmt and from encoders; only Text
// returns it. (In a field that is not exported fmt does not see that it can hide itself.)
type Secret string

// NewSecret makes a secret from the bytes of a reader, which is crypto/rand's but in tests.
func NewSecret(kind SecretKind, random io.Reader) (Secret, error) {
	seed := make([]byte, newKey) // an Ed25519 seed has as many
	if _, err := io.ReadFull(random, seed); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	switch kind {
	case V1:
		return Secret(prefixSymmetric + base64.StdEncoding.EncodeToString(seed)), nil
	case V1a:
		return Secret(prefixPrivate + base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(seed))), nil
	}
	return "", fmt.Errorf("make a secret: there is no kind %q, only %s and %s", kind, V1, V1a)
}

// Text returns the secret as it is written: for the store, and for the one answer that shows it.
func (s Secret) Text() string { return string(s) }

// Public returns what a receiver needs to verify: of a symmetric secret the secret itself, of an asymmetric one the public key (whpk_).
func (s Secret) Public() (string, error) {
	symmetric, private, err := s.key()
	if err != nil {
		return "", err
	}
	if symmetric != nil {
		return string(s), nil
	}
	return prefixPublic + base64.StdEncoding.EncodeToString(private[ed25519.SeedSize:]), nil
}

// String hides the secret.
func (s Secret) String() string { return hidden }

// GoString hides the secret.
func (s Secret) GoString() string { return hidden }

// Format hides the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText fails: what stores a secret takes its Text, and anything else that encodes one would give it away.
func (s Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("a webhook's secret is not encoded with what it is in: take its Text")
}

// key returns the key of one of the kinds. No error quotes it.
func (s Secret) key() (symmetric []byte, private ed25519.PrivateKey, err error) {
	if text, ok := strings.CutPrefix(string(s), prefixSymmetric); ok {
		key, ok := decode(text)
		if !ok || len(key) < minKey || len(key) > maxKey {
			return nil, nil, fmt.Errorf("a secret is %s and the base64 of %d to %d bytes: this one is not", prefixSymmetric, minKey, maxKey)
		}
		return key, nil, nil
	}
	if text, ok := strings.CutPrefix(string(s), prefixPrivate); ok {
		key, ok := decode(text)
		if !ok || len(key) != ed25519.PrivateKeySize || !bytes.Equal(key, ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])) {
			return nil, nil, fmt.Errorf("a private key is %s and the base64 of an Ed25519 seed and its public key: this one is not", prefixPrivate)
		}
		return nil, key, nil
	}
	return nil, nil, fmt.Errorf("a secret begins with %s or %s: this one does not", prefixSymmetric, prefixPrivate)
}

// decode decodes base64 in the one way in which these bytes are written.
func decode(text string) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil && base64.StdEncoding.EncodeToString(b) == text
}

func (s Secret) sign(message []byte) (string, error) {
	symmetric, private, err := s.key()
	if err != nil {
		return "", err
	}
	if symmetric == nil {
		return string(V1a) + "," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, message)), nil
	}
	mac := hmac.New(sha256.New, symmetric)
	mac.Write(message)
	return string(V1) + "," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Sign returns the headers of a message: its id, which is the same for each attempt, the time of this attempt, and a signature with each of
// the secrets, so that a receiver that has the old or the new one verifies it while they are exchanged. An id is visible ASCII without a
// full stop: that ends it in what is signed.
func Sign(id string, at time.Time, body []byte, secrets ...Secret) (http.Header, error) {
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '.' }) {
		return nil, fmt.Errorf("sign a message: its id is visible ASCII without a full stop, and not %q", id)
	}
	if len(secrets) == 0 {
		return nil, errors.New("sign a message: there is no secret")
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	message := append([]byte(id+"."+seconds+"."), body...)
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		var err error
		if signatures[i], err = s.sign(message); err != nil {
			return nil, fmt.Errorf("sign a message: %w", err)
		}
	}
	h := http.Header{}
	h.Set(headerID, id)
	h.Set(headerTimestamp, seconds)
	h.Set(headerSignature, strings.Join(signatures, " "))
	return h, nil
}
