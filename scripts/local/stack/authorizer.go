package stack

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// Authorizer verifies tokens as the JWT authorizer of an API Gateway HTTP API does
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html).
type Authorizer struct {
	issuers map[string]trusted // by name, the tokens' iss
	now     func() time.Time
}

// trusted is an issuer whose tokens are accepted.
type trusted struct {
	keys     jwk.Set
	audience string
}

// NewAuthorizer accepts tokens of one issuer for one audience, signed by one of keys, as of now. Every key must name
// its algorithm, which a token cannot change.
func NewAuthorizer(keys jwk.Set, issuer, audience string, now func() time.Time) *Authorizer {
	return &Authorizer{issuers: map[string]trusted{issuer: {keys, audience}}, now: now}
}

// Trust accepts tokens of another issuer, too: signed by one of its own keys, for its own audience. API Gateway's authorizer has one
// issuer; the local stack has two, so that one can be whoever one likes beside signing in with a password. It must not be called while
// tokens are verified.
func (a *Authorizer) Trust(keys jwk.Set, issuer, audience string) {
	a.issuers[issuer] = trusted{keys, audience}
}

// errNoToken is a request without a token, which API Gateway answers with a bare challenge.
var errNoToken = errors.New("no token")

// Claims verifies the token in the value of an Authorization header, with or without "Bearer ", and returns its claims
// as API Gateway hands them on: every value as a string. The error says nothing of the token's content.
func (a *Authorizer) Claims(authorization string) (map[string]string, error) {
	token := strings.TrimSpace(authorization)
	if scheme, rest, found := strings.Cut(token, " "); found && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	if token == "" {
		return nil, errNoToken
	}
	// jwt.Parse would also take bare JSON; a signed token is three parts.
	parts := strings.Split(token, ".")
	if len(parts) != 3 || strings.Contains(token, " ") {
		return nil, errors.New("the token is malformed")
	}

	// Who says to have issued it has to be read before anything is verified: whose keys are to be tried depends on it.
	claims, err := stringClaims(parts[1])
	if err != nil {
		return nil, err
	}
	issuer := claims["iss"]
	by, ok := a.issuers[issuer]
	if !ok {
		return nil, errors.New("the token's issuer is not trusted")
	}
	parsed, err := jwt.Parse([]byte(token),
		jwt.WithKeySet(by.keys), // the token's kid and alg must be those of a key
		jwt.WithIssuer(issuer),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
		jwt.WithClock(jwt.ClockFunc(a.now)),
	)
	switch {
	case err == nil:
	case errors.Is(err, jwt.TokenExpiredError()):
		return nil, errors.New("the token has expired")
	case errors.Is(err, jwt.TokenNotYetValidError()):
		return nil, errors.New("the token is not valid yet")
	case errors.Is(err, jwt.InvalidIssuedAtError()):
		return nil, errors.New("the token was issued in the future")
	case errors.Is(err, jwt.InvalidIssuerError()):
		return nil, errors.New("the token's issuer is not trusted")
	default:
		return nil, errors.New("the token cannot be verified")
	}

	// client_id counts only where there is no aud.
	audience, _ := parsed.Audience()
	if len(audience) == 0 {
		var clientID string
		if err := parsed.Get("client_id", &clientID); err == nil {
			audience = []string{clientID}
		}
	}
	if !slices.Contains(audience, by.audience) {
		return nil, errors.New("the token is for another audience")
	}
	return claims, nil
}

// scoped tells whether a token carries one of the scopes, in the claim scope or in scp, where some issuers have a list of them. Where a
// route asks for none, it does.
func scoped(claims map[string]string, scopes []string) bool {
	carried := strings.Fields(claims["scope"])
	carried = append(carried, strings.Fields(strings.Trim(claims["scp"], "[]"))...)
	return len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(carried, s) })
}

// stringClaims writes a payload's claims the way API Gateway does: true is "true", a number its digits, a list
// "[a b]".
func stringClaims(payload string) (map[string]string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, errors.New("the token is malformed")
	}
	var claims map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a float64 would print 1.79e+09
	if err := d.Decode(&claims); err != nil {
		return nil, errors.New("the token is malformed")
	}
	out := make(map[string]string, len(claims))
	for name, value := range claims {
		out[name] = fmt.Sprint(value)
	}
	return out, nil
}
