package stack

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// Audience is what the local issuer's tokens are for.
const Audience = "partner-access"

// Issuer signs tokens for whoever asks: it stands for the provider's identity provider, on one's own machine alone.
type Issuer struct {
	url    string
	key    jwk.Key
	public jwk.Set
}

// TokenRequest says who a token is for: a person by e-mail, a back end by scope, or both.
type TokenRequest struct {
	Email         string `json:"email"`
	EmailVerified *bool  `json:"email_verified"` // nil means true
	Scope         string `json:"scope"`          // several are parted by spaces
	Account       string `json:"account"`        // the name of the account, as in a token of Cognito's; empty: without one
	Subject       string `json:"subject"`        // empty: derived from the e-mail, or "back-end"
	ExpiresIn     int64  `json:"expires_in"`     // seconds, negative for a token that has expired; 0 means 12 hours
}

// NewIssuer makes an issuer with a fresh RSA key, or with the one kept in dir, if dir is not empty.
func NewIssuer(url, dir string) (*Issuer, error) {
	private, err := signingKey(dir)
	if err != nil {
		return nil, err
	}
	return issuerWithKey(url, private)
}

func issuerWithKey(url string, private *rsa.PrivateKey) (*Issuer, error) {
	key, err := jwk.Import(private)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	if err := jwk.AssignKeyID(key); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	if err := errors.Join(key.Set(jwk.AlgorithmKey, jwa.RS256()), key.Set(jwk.KeyUsageKey, jwk.ForSignature)); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	set := jwk.NewSet()
	if err := set.AddKey(public); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	return &Issuer{url: url, key: key, public: set}, nil
}

// URL is the issuer's name, the tokens' iss.
func (i *Issuer) URL() string { return i.url }

// Keys are the public keys (the JWKS).
func (i *Issuer) Keys() jwk.Set { return i.public }

// Token signs a token. Its times are those of the real clock.
func (i *Issuer) Token(r TokenRequest) (string, error) {
	if r.Email == "" && r.Scope == "" {
		return "", errors.New(`give "email" (a person) or "scope" (a back end)`)
	}
	subject := r.Subject
	if subject == "" {
		subject = "back-end"
		if r.Email != "" {
			sum := sha256.Sum256([]byte(r.Email))
			subject = "local-" + hex.EncodeToString(sum[:8])
		}
	}
	lifetime := 12 * time.Hour
	if r.ExpiresIn != 0 {
		lifetime = time.Duration(r.ExpiresIn) * time.Second
	}
	now := time.Now().Truncate(time.Second)
	b := jwt.NewBuilder().
		Issuer(i.url).Audience([]string{Audience}).Subject(subject).JwtID(rand.Text()).
		IssuedAt(now).Expiration(now.Add(lifetime))
	if r.Email != "" {
		b = b.Claim("email", r.Email).Claim("email_verified", r.EmailVerified == nil || *r.EmailVerified)
	}
	if r.Scope != "" {
		b = b.Claim("scope", r.Scope)
	}
	if r.Account != "" {
		b = b.Claim("cognito:username", r.Account)
	}
	token, err := b.Build()
	if err != nil {
		return "", fmt.Errorf("build token: %w", err)
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.RS256(), i.key))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return string(signed), nil
}

func signingKey(dir string) (*rsa.PrivateKey, error) {
	path := filepath.Join(dir, "issuer-key.pem")
	if dir != "" {
		kept, err := os.ReadFile(path)
		if err == nil {
			return parseKey(path, kept)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the signing key: %w", err)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	if dir == "" {
		return key, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep the signing key: %w", err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return nil, fmt.Errorf("keep the signing key: %w", err)
	}
	return key, nil
}

func parseKey(path string, data []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no signing key: delete it, a new one will be made", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s holds no RSA signing key: delete it, a new one will be made", path)
	}
	return key, nil
}
