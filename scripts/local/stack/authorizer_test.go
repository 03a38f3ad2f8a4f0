package stack_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"partneraccess/scripts/local/stack"
)

const issuerURL = "https://issuer.example"

// signer is an issuer of the tests' own, which can also sign what it should not.
type signer struct {
	private *rsa.PrivateKey
	keys    jwk.Set
	now     time.Time
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jwk.Import(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{jwk.KeyIDKey: "k1", jwk.AlgorithmKey: jwa.RS256()} {
		if err := public.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	set := jwk.NewSet()
	if err := set.AddKey(public); err != nil {
		t.Fatal(err)
	}
	return &signer{private, set, time.Unix(1_800_000_000, 0)}
}

func (s *signer) authorizer() *stack.Authorizer {
	return stack.NewAuthorizer(s.keys, issuerURL, stack.Audience, func() time.Time { return s.now })
}

// claims are those of a good token, with changes; a nil value takes a claim out.
func (s *signer) claims(changes map[string]any) []byte {
	c := map[string]any{
		"iss": issuerURL, "aud": stack.Audience, "sub": "s", "email": "ann@acme.example", "email_verified": true,
		"iat": s.now.Unix(), "exp": s.now.Unix() + 60,
	}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	out, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return out
}

func (s *signer) sign(t *testing.T, alg jwa.SignatureAlgorithm, kid string, key any, payload []byte) string {
	t.Helper()
	h := jws.NewHeaders()
	if kid != "" {
		if err := h.Set(jws.KeyIDKey, kid); err != nil {
			t.Fatal(err)
		}
	}
	out, err := jws.Sign(payload, jws.WithKey(alg, key, jws.WithProtectedHeaders(h)))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (s *signer) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	return s.sign(t, jwa.RS256(), "k1", s.private, s.claims(changes))
}

func TestClaimsOfAGoodTokenAreStringsAsAPIGatewayWritesThem(t *testing.T) {
	s := newSigner(t)
	got, err := s.authorizer().Claims("Bearer " + s.token(t, map[string]any{
		"groups": []string{"a", "b"}, "level": 1.5, "big": 1234567890123, "nothing": nil,
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"email": "ann@acme.example", "email_verified": "true", "exp": "1800000060", "groups": "[a b]", "level": "1.5", "big": "1234567890123",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
}

func TestTokensAreJudgedOnTheInstant(t *testing.T) {
	s := newSigner(t)
	now := s.now.Unix()
	for _, c := range []struct {
		name    string
		changes map[string]any
		good    bool
	}{
		{"as it should be", nil, true},
		{"one second before its end", map[string]any{"exp": now + 1}, true},
		{"at its end", map[string]any{"exp": now}, false},
		{"after its end", map[string]any{"exp": now - 1}, false},
		{"without an end", map[string]any{"exp": nil}, false},
		{"at its beginning", map[string]any{"nbf": now}, true},
		{"before its beginning", map[string]any{"nbf": now + 1}, false},
		{"issued in the future", map[string]any{"iat": now + 1}, false},
		{"without iat", map[string]any{"iat": nil}, true},
		{"of another issuer", map[string]any{"iss": "https://other.example"}, false},
		{"of the issuer with a slash more", map[string]any{"iss": issuerURL + "/"}, false},
		{"without an issuer", map[string]any{"iss": nil}, false},
		{"for another audience", map[string]any{"aud": "other"}, false},
		{"for several audiences, one of them us", map[string]any{"aud": []string{"other", stack.Audience}}, true},
		{"for nobody", map[string]any{"aud": nil}, false},
		{"for our client id", map[string]any{"aud": nil, "client_id": stack.Audience}, true},
		{"for another client id", map[string]any{"aud": nil, "client_id": "other"}, false},
		{"for another audience with our client id", map[string]any{"aud": "other", "client_id": stack.Audience}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.authorizer().Claims("Bearer " + s.token(t, c.changes))
			if (err == nil) != c.good {
				t.Errorf("got error %v, want good = %v", err, c.good)
			}
		})
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	s := newSigner(t)
	good := s.token(t, nil)
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	hs256 := func(secret []byte) string {
		signed := b64([]byte(`{"alg":"HS256","kid":"k1","typ":"JWT"}`)) + "." + b64(s.claims(nil))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return signed + "." + b64(mac.Sum(nil))
	}
	evil := b64(s.claims(map[string]any{"email": "eve@evil.example"}))

	for name, token := range map[string]string{
		"alg none":                       b64([]byte(`{"alg":"none","kid":"k1"}`)) + "." + evil + ".",
		"alg none, with a signature":     b64([]byte(`{"alg":"none","kid":"k1"}`)) + "." + evil + "." + parts[2],
		"HS256 with the public key":      hs256(public),
		"HS256 with the public key, DER": hs256(der),
		"RS512":                          s.sign(t, jwa.RS512(), "k1", s.private, s.claims(nil)),
		"PS256":                          s.sign(t, jwa.PS256(), "k1", s.private, s.claims(nil)),
		"another key":                    s.sign(t, jwa.RS256(), "k1", other, s.claims(nil)),
		"an unknown kid":                 s.sign(t, jwa.RS256(), "k2", s.private, s.claims(nil)),
		"no kid":                         s.sign(t, jwa.RS256(), "", s.private, s.claims(nil)),
		"other claims":                   parts[0] + "." + evil + "." + parts[2],
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"two parts":                      parts[0] + "." + parts[1],
		"bare claims":                    string(s.claims(nil)),
		"claims that are no object":      s.sign(t, jwa.RS256(), "k1", s.private, []byte(`"x"`)),
		"not a token":                    "abc",
		"another scheme":                 "Basic " + good,
		"two tokens":                     good + " " + good,
	} {
		t.Run(name, func(t *testing.T) {
			if claims, err := s.authorizer().Claims("Bearer " + token); err == nil {
				t.Errorf("got claims %v, want a refusal", claims)
			} else if strings.Contains(err.Error(), "evil") || strings.Contains(err.Error(), "acme") {
				t.Errorf("the error tells what is in the token: %v", err)
			}
		})
	}
}

func TestTheAuthorizationHeader(t *testing.T) {
	g := newGateway(t, echo)
	token := g.token(t)
	for _, c := range []struct {
		name, header string
		status       int
		challenge    string
	}{
		{"Bearer and a token", "Bearer " + token, 200, ""},
		{"in small letters", "bearer " + token, 200, ""},
		{"the bare token", token, 200, ""},
		{"nothing", "", 401, "Bearer"},
		{"Bearer alone", "Bearer ", 401, "Bearer"},
		{"another scheme", "Basic " + token, 401, `Bearer error="invalid_token", error_description="the token is malformed"`},
		{"a broken token", "Bearer " + token + "x", 401, `Bearer error="invalid_token", error_description="the token cannot be verified"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), "GET", g.url+"/things/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", c.header)
			res, got := do(t, r)
			if res.StatusCode != c.status || !strings.HasPrefix(res.Header.Get("Www-Authenticate"), c.challenge) {
				t.Errorf("got %d, challenge %q; want %d, %q", res.StatusCode, res.Header.Get("Www-Authenticate"), c.status, c.challenge)
			}
			if c.status == 401 && strings.TrimSpace(got) != `{"message":"Unauthorized"}` {
				t.Errorf("body: got %s, want API Gateway's", got)
			}
		})
	}
	t.Run("nothing, on a public route", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", g.url+"/public", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, got := do(t, r)
		if res.StatusCode != 200 {
			t.Fatalf("got %d, want 200", res.StatusCode)
		}
		if e := decodeEvent(t, got); e.RequestContext.Authorizer != nil {
			t.Errorf("authorizer: got %v, want none", e.RequestContext.Authorizer)
		}
	})
}
