package webhook_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partneraccess/shared/webhook"
)

// names answers one list of addresses after another, the last one again and again.
type names struct {
	answers [][]string
	asked   atomic.Int32
}

func (n *names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	i := min(int(n.asked.Add(1)), len(n.answers)) - 1
	var out []netip.Addr
	for _, ip := range n.answers[i] {
		out = append(out, netip.MustParseAddr(ip))
	}
	if out == nil {
		return nil, &net.DNSError{Err: "no such host", Name: "inside.example", Server: "10.0.0.2:53", IsNotFound: true}
	}
	return out, nil
}

// receiver is an endpoint on loopback, and counts what reaches it.
func receiver(t *testing.T, h http.HandlerFunc) (address string, roots *tls.Config, reached *atomic.Int32) {
	t.Helper()
	reached = new(atomic.Int32)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		body, _ := io.ReadAll(r.Body) // before which the server does not see that the client has gone
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.URL, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, reached
}

func TestAMessageArrivesAsItIsSent(t *testing.T) {
	address, roots, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != `{"a":1}` || r.Header.Get("Webhook-Id") != "e1" || r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("got %s with %v", body, r.Header)
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, "later")
	})
	c := webhook.Client{Local: true, Roots: roots}
	got, err := c.Post(t.Context(), address, http.Header{"Webhook-Id": {"e1"}}, []byte(`{"a":1}`))
	if err != nil || got.Status != http.StatusTooManyRequests || got.RetryAfter != "7" || string(got.Body) != "later" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A deployment's client, with every way to name a host inside: none is connected to, whichever else the name has.
func TestAHostInsideIsNotReachedByAnyName(t *testing.T) {
	address, roots, reached := receiver(t, func(http.ResponseWriter, *http.Request) {})
	for _, to := range []string{address, strings.Replace(address, "127.0.0.1", "localhost", 1), "https://127.0.0.1/"} {
		if _, err := (&webhook.Client{Roots: roots}).Post(t.Context(), to, nil, nil); err == nil {
			t.Errorf("%s was sent to", to)
		}
	}
	for _, answers := range [][]string{
		{"127.0.0.1"},
		{"::1"},
		{"::ffff:127.0.0.1"},
		{"10.1.2.3"},
		{"169.254.169.254"},
		{"fd00:ec2::254"},
		{"64:ff9b::7f00:1"},
		{"93.184.215.14", "127.0.0.1"},
		{"127.0.0.1", "93.184.215.14"},
	} {
		c := webhook.Client{Roots: roots, Resolver: &names{answers: [][]string{answers}}, Timeout: time.Second}
		if _, err := c.Post(t.Context(), "https://hooks.example/", nil, nil); !errors.Is(err, webhook.ErrNotPublic) ||
			webhook.CodeOf(err) != webhook.NotAllowed {
			t.Errorf("%v: got %v, want %v", answers, err, webhook.ErrNotPublic)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d messages reached the host inside", n)
	}
}

// Rebinding: the name leads to a public address first, and inside afterwards.
func TestANameIsLookedUpOnceForEachAttempt(t *testing.T) {
	n := &names{answers: [][]string{{"127.0.0.1"}, {"10.0.0.1"}}}
	address, roots, reached := receiver(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "https://"))
	roots.ServerName = "example.com" // of the test's certificate
	c := webhook.Client{Local: true, Roots: roots, Resolver: n}
	// 127.0.0.1 stands for a public address here, on a port that a deployment would refuse.
	if _, err := c.Post(t.Context(), "https://127.0.0.1:"+port, nil, nil); err != nil || n.asked.Load() != 0 {
		t.Fatalf("got %v after %d look-ups", err, n.asked.Load())
	}
	_, err := c.Post(t.Context(), "https://hooks.example:8443/", nil, nil)
	if err == nil || n.asked.Load() != 1 {
		t.Errorf("got %v after %d look-ups, want no connection after one", err, n.asked.Load())
	}
	if _, err = c.Post(t.Context(), "https://hooks.example:8443/", nil, nil); !errors.Is(err, webhook.ErrNotPublic) || n.asked.Load() != 2 {
		t.Errorf("the second attempt: got %v after %d look-ups, want %v after two", err, n.asked.Load(), webhook.ErrNotPublic)
	}
	if got := reached.Load(); got != 1 {
		t.Errorf("%d messages arrived, want one", got)
	}
}

func TestNoRedirectIsFollowedAndNoProxyIsAsked(t *testing.T) {
	elsewhere, _, reached := receiver(t, func(http.ResponseWriter, *http.Request) {})
	t.Setenv("HTTPS_PROXY", elsewhere)
	address, roots, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	c := webhook.Client{Local: true, Roots: roots}
	if got, err := c.Post(t.Context(), address, nil, nil); err != nil || got.Status != http.StatusTemporaryRedirect {
		t.Errorf("got %+v, %v, want the redirect as it is", got, err)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d messages went elsewhere", n)
	}
}

func TestALongAnswerIsCutAndASlowOneGivenUp(t *testing.T) {
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 1024)); err != nil {
				return
			}
		}
	}
	address, roots, _ := receiver(t, endless)
	got, err := (&webhook.Client{Local: true, Roots: roots}).Post(t.Context(), address, nil, nil)
	if err != nil || len(got.Body) != 4096 {
		t.Errorf("got %d bytes, %v, want the first 4096", len(got.Body), err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"no header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"no end": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		address, roots, _ = receiver(t, h)
		c := webhook.Client{Local: true, Roots: roots, Timeout: 50 * time.Millisecond}
		if _, err = c.Post(t.Context(), address, nil, []byte("x")); webhook.CodeOf(err) != webhook.TimedOut ||
			!strings.Contains(err.Error(), "in time") {
			t.Errorf("%s: got %v, want that the time is over", name, err)
		}
	}
}

// What an endpoint's owner reads of a failure tells nothing about the network inside.
func TestAFailureNamesNoAddressOfTheSender(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "https://" + l.Addr().String()
	_ = l.Close()
	wrong, _, _ := receiver(t, func(http.ResponseWriter, *http.Request) {})
	c := webhook.Client{Local: true, Resolver: &names{answers: [][]string{nil}}}
	for to, want := range map[string]string{closed: "no connection", wrong: "certificate", "https://inside.example": "no address"} {
		_, err := c.Post(t.Context(), to, nil, nil)
		codes := map[string]webhook.Code{closed: webhook.NoConnection, wrong: webhook.NoTrust, "https://inside.example": webhook.NoName}
		if got := webhook.CodeOf(err); got != codes[to] {
			t.Errorf("%s: got the code %s, want %s", to, got, codes[to])
		}
		if err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "10.0.0.2") {
			t.Errorf("%s: got %v, want %q and no address", to, err, want)
		}
	}
}
