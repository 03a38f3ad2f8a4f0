// Command smoke goes once through a service that runs, deployed or local: a customer grants a partner access, a check allows it, access is
// revoked, the check denies it, and the mails of it are sent. It makes a customer and a partner of its own, with addresses of SES's mailbox
// simulator, and removes them in the end.
//
//	go run ./scripts/tools/smoke -url http://127.0.0.1:8080
//	go run ./scripts/tools/smoke -url https://… -tokens https://…/oauth2/token -directory ID:SECRET -check ID:SECRET
//
// The second form gets its tokens with the clients of the outputs DirectoryClient and CheckClient at SignInAddress.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"partneraccess/scripts/local/ask"
	"partneraccess/shared/httpapi"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	s := &smoke{http: &http.Client{Timeout: 40 * time.Second}, out: out}
	flags.StringVar(&s.url, "url", "", "the `address` of the API")
	flags.StringVar(&s.tokens, "tokens", "", "the `address` of the token endpoint; without it the local stack's tokens are taken")
	directory := flags.String("directory", "", "`id:secret` of a client with the scope "+httpapi.ScopeDirectory)
	check := flags.String("check", "", "`id:secret` of a client with the scope "+httpapi.ScopeCheck)
	flags.DurationVar(&s.patience, "patience", time.Minute, "how long mails may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.url = strings.TrimSuffix(s.url, "/"); s.url == "" {
		return errors.New("say where: -url https://…")
	}
	var err error
	if s.provider, err = s.token(ctx, *directory, httpapi.ScopeDirectory); err != nil {
		return err
	}
	if s.backEnd, err = s.token(ctx, *check, httpapi.ScopeCheck); err != nil {
		return err
	}
	name := strings.ToLower(rand.Text()[:10])
	s.customer, s.partner = "smoke-c-"+name, "smoke-p-"+name
	return errors.Join(s.scenario(ctx), s.leave(context.WithoutCancel(ctx)))
}

type object = map[string]any

type smoke struct {
	url, tokens       string
	patience          time.Duration
	http              *http.Client
	out               io.Writer
	provider, backEnd string // tokens
	customer, partner string
	user              string
}

// token gets one with the client's secret, or from the local stack.
func (s *smoke) token(ctx context.Context, client, scope string) (string, error) {
	var got struct {
		Token       string
		AccessToken string `json:"access_token"`
	}
	if s.tokens == "" {
		a, err := ask.Send(ctx, s.http, ask.Request{Method: http.MethodPost, URL: s.url + "/_local/token", Body: object{"scope": scope}})
		if err == nil {
			err = a.Into(&got)
		}
		if err != nil {
			return "", fmt.Errorf("get a token of the local stack (for a deployment give -tokens, -directory and -check): %w", err)
		}
		return got.Token, nil
	}
	id, secret, ok := strings.Cut(client, ":")
	if !ok {
		return "", errors.New("give -directory and -check as id:secret")
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.tokens, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.SetBasicAuth(id, secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := s.http.Do(r)
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	defer a.Body.Close() //nolint:errcheck // it was read
	if err := json.NewDecoder(a.Body).Decode(&got); err != nil || got.AccessToken == "" {
		return "", fmt.Errorf("get a token for %s: %s answered %s", scope, s.tokens, a.Status)
	}
	return got.AccessToken, nil
}

// do sends a request, which has to be answered with that status, and says how long it took.
func (s *smoke) do(ctx context.Context, about, token, method, path string, body any, want ...int) (ask.Answer, error) {
	began := time.Now()
	a, err := ask.Send(ctx, s.http, ask.Request{Method: method, URL: s.url + path, Token: token, Body: body})
	if err != nil {
		return a, fmt.Errorf("%s: %w", about, err)
	}
	for _, status := range want {
		if a.Status == status {
			_, err := fmt.Fprintf(s.out, "ok  %4d ms  %s\n", time.Since(began).Milliseconds(), about)
			return a, err
		}
	}
	return a, fmt.Errorf("%s: %s %s answered %d %s, want %v", about, method, path, a.Status, a.Body, want)
}

func (s *smoke) scenario(ctx context.Context) error {
	customers, partners := "/v1/customers/"+s.customer, "/v1/partners/"+s.partner
	relationship := customers + "/relationships/" + s.partner
	a, err := s.do(ctx, "AuthZEN's metadata, without a token", "", http.MethodGet, "/.well-known/authzen-configuration", nil, 200)
	if err != nil {
		return err
	}
	if got := a.Text("policy_decision_point"); strings.TrimSuffix(got, "/") != s.url {
		return fmt.Errorf("the metadata says that this is %q: clients that come by %s would not trust it", got, s.url)
	}
	if _, err := s.do(ctx, "a check without a token is refused", "", http.MethodPost, "/access/v1/evaluation", object{}, 401); err != nil {
		return err
	}
	for _, step := range []struct {
		about, method, path string
		body                any
	}{
		{"a customer is registered", http.MethodPut, customers, object{"name": "Smoke test", "contacts": []string{simulated("c")}}},
		{"a partner is registered", http.MethodPut, partners, object{
			"name": "Smoke test", "class": "channel", "offer": "manage", "contacts": []string{simulated("p")},
		}},
	} {
		if _, err := s.do(ctx, step.about, s.provider, step.method, step.path, step.body, 201); err != nil {
			return err
		}
	}
	if a, err = s.do(ctx, "a user of the partner is registered", s.provider, http.MethodPost, partners+"/users", object{
		"email": simulated(s.partner), "name": "Smoke", "role": "tech",
	}, 201); err != nil {
		return err
	}
	s.user = a.Text("id")
	if err := s.decided(ctx, false); err != nil {
		return err
	}
	if _, err = s.do(ctx, "the partner is granted access", s.provider, http.MethodPut, relationship, object{"everyone": true}, 200,
		201); err != nil {
		return err
	}
	if err := s.decided(ctx, true); err != nil {
		return err
	}
	if _, err = s.do(ctx, "access is revoked", s.provider, http.MethodDelete, relationship, nil, 200, 204); err != nil {
		return err
	}
	if err := s.decided(ctx, false); err != nil {
		return err
	}
	return s.mailed(ctx, customers)
}

// simulated is an address at which SES takes a mail and delivers it to nobody, in its sandbox, too.
func simulated(of string) string { return "success+" + of + "@simulator.amazonses.com" }

func (s *smoke) decided(ctx context.Context, want bool) error {
	a, err := s.do(ctx, fmt.Sprintf("a check says %v", want), s.backEnd, http.MethodPost, "/access/v1/evaluation", object{
		"subject": object{"type": "user", "id": s.user}, "action": object{"name": "sign_in"},
		"resource": object{"type": "customer", "id": s.customer},
	}, 200)
	var got struct{ Decision bool }
	if err == nil {
		err = a.Into(&got)
	}
	if err == nil && got.Decision != want {
		err = fmt.Errorf("a check says %s, want %v", a.Body, want)
	}
	return err
}

// mailed waits until the customer's mails are sent.
func (s *smoke) mailed(ctx context.Context, customers string) error {
	for end := time.Now().Add(s.patience); ; {
		a, err := s.do(ctx, "the customer's mails are asked for", s.provider, http.MethodGet, customers+"/mail", nil, 200)
		var got struct {
			Items []struct{ State, Reason string }
		}
		if err == nil {
			err = a.Into(&got)
		}
		if err != nil {
			return err
		}
		sent := len(got.Items) >= 2
		for _, m := range got.Items {
			sent = sent && (m.State == "sent" || m.State == "delivered" || m.State == "dropped")
		}
		if sent {
			_, err := fmt.Fprintf(s.out, "ok           %d mails are sent\n", len(got.Items))
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the mails are not sent within %v: %s", s.patience, a.Body)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// leave removes what the scenario has made, as far as it came.
func (s *smoke) leave(ctx context.Context) error {
	_, user := s.do(ctx, "the user is removed", s.provider, http.MethodDelete, "/v1/partners/"+s.partner+"/users/"+s.user, nil, 200, 204, 404)
	_, partner := s.do(ctx, "the partner is removed", s.provider, http.MethodDelete, "/v1/partners/"+s.partner, nil, 200, 202, 204, 404)
	_, customer := s.do(ctx, "the customer is removed", s.provider, http.MethodDelete, "/v1/customers/"+s.customer, nil, 200, 202, 204, 404)
	return errors.Join(user, partner, customer)
}
