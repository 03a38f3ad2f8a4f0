package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Tokens gives the access token of the next request. It may be used by many goroutines at once.
type Tokens interface {
	Token(ctx context.Context) (string, error)
}

// TokenFunc is a function that is Tokens.
type TokenFunc func(ctx context.Context) (string, error)

// Token is the function's.
func (f TokenFunc) Token(ctx context.Context) (string, error) { return f(ctx) }

// Credentials gets tokens with a machine's own client (RFC 6749, section 4.4) and keeps each until a minute before its end, since each
// one costs (Cognito: $2.25 a thousand). The endpoint is the stack's output SignInAddress with /oauth2/token behind it. No scopes are all
// that the client has.
func Credentials(endpoint, id, secret string, scopes ...string) Tokens {
	return &credentials{
		endpoint: endpoint, id: id, secret: secret, scope: strings.Join(scopes, " "), http: &http.Client{Timeout: 5 * time.Second},
	}
}

type credentials struct {
	endpoint, id, secret, scope string
	http                        *http.Client

	mu    sync.Mutex
	token string
	until time.Time
}

// Token asks for one at a time: who comes meanwhile gets the same.
func (c *credentials) Token(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := time.Now()
	if c.token != "" && began.Before(c.until) {
		return c.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if c.scope != "" {
		form.Set("scope", c.scope)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := c.http.Do(r)
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	defer a.Body.Close() //nolint:errcheck // it was read
	var got struct {
		Token string `json:"access_token"`
		Lasts int    `json:"expires_in"` // seconds
		Error string `json:"error"`
	}
	err = json.NewDecoder(io.LimitReader(a.Body, maxAnswer)).Decode(&got)
	switch {
	case a.StatusCode != http.StatusOK:
		return "", fmt.Errorf("get a token: %s answered %s %s", c.endpoint, a.Status, got.Error)
	case err != nil:
		return "", fmt.Errorf("get a token: %w", err)
	case got.Token == "":
		return "", errors.New("get a token: the answer has none")
	}
	c.token, c.until = got.Token, began.Add(time.Duration(got.Lasts)*time.Second-time.Minute)
	return c.token, nil
}

// forget has the next request get another token than this one, which was refused.
func (c *credentials) forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = ""
	}
}
