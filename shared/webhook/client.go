package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const (
	// Timeout is how long an endpoint has for its whole answer.
	Timeout = 15 * time.Second
	// maxAnswer is how many bytes of an answer are read and kept.
	maxAnswer = 4 << 10
)

// ErrNotPublic is the error of an attempt at a name that leads to an address which is not public.
var ErrNotPublic = errors.New("the name leads to an address that is not public")

// Code is why an attempt got no answer, for programs.
type Code string

// The codes.
const (
	NotAllowed   Code = "address_not_public" // the address, or one that its name leads to, is none to send to
	NoName       Code = "dns"                // the name has no address
	NoConnection Code = "connection"         // nobody takes connections there
	NoTrust      Code = "tls"                // the certificate or the handshake is wrong
	TimedOut     Code = "timeout"            // there was no whole answer in time
	NoAnswer     Code = "no_answer"          // what came was no answer of HTTP
)

// failure is an error with its code.
type failure struct {
	error
	code Code
}

func (f failure) Unwrap() error { return f.error }

// CodeOf is the code of an error of Post; NoAnswer for any other.
func CodeOf(err error) Code {
	var f failure
	if errors.As(err, &f) {
		return f.code
	}
	return NoAnswer
}

// Resolver finds the addresses of a name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Client sends messages. Its zero value sends to public addresses alone, as Public says. Each attempt looks the name up, judges every
// address that it has, and connects to one of those very addresses: a name that leads elsewhere a moment later gains nothing. It follows no
// redirect, takes no proxy from its environment, keeps no connection, and sends nothing but what it is given.
type Client struct {
	Resolver Resolver      // nil: the system's
	Roots    *tls.Config   // nil: the system's roots; for tests
	Local    bool          // loopback is allowed, on any port and without TLS: for a service that runs on one's own machine
	Timeout  time.Duration // 0: Timeout
}

// Answer is what an endpoint has said.
type Answer struct {
	Status     int
	RetryAfter string // the header of that name, as it is
	Body       []byte // its first 4 KB
}

// Post sends a body with the given header. It fails when there is no whole answer within the time; a status of any kind is an answer. The
// error names no address of the network from which it is sent.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) (Answer, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.Check(address); err != nil {
		return Answer{}, failure{err, NotAllowed}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(string(body)))
	if err != nil {
		return Answer{}, err
	}
	maps.Copy(r.Header, header)
	transport := &http.Transport{
		DialContext: c.dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: timeout, TLSClientConfig: c.Roots.Clone(),
	}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r) // which follows no redirect
	if err != nil {
		return Answer{}, cause(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	kept, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil {
		err = ctx.Err() // a connection that is closed when the time is over can look like the end of the answer
	}
	if err != nil {
		return Answer{}, cause(ctx, err)
	}
	return Answer{Status: res.StatusCode, RetryAfter: res.Header.Get("Retry-After"), Body: kept}, nil
}

// Check says what is wrong with an address, as CheckURL does; loopback is right where the client sends to it.
func (c *Client) Check(address string) error {
	err := CheckURL(address)
	if err == nil || !c.Local {
		return err
	}
	r, parse := http.NewRequest(http.MethodPost, address, http.NoBody) //nolint:noctx // is not sent
	if parse != nil {
		return err
	}
	ip, _ := netip.ParseAddr(r.URL.Hostname())
	if (ip.IsLoopback() || r.URL.Hostname() == "localhost") && r.URL.User == nil {
		return nil
	}
	return err
}

// dial connects to an address of the host that was judged just now.
func (c *Client) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	found, err := c.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i] = found[i].Unmap()
		if !Public(found[i]) && !(c.Local && found[i].IsLoopback()) {
			return nil, ErrNotPublic // whatever the others are: a name with one such address is up to something, or wrong
		}
	}
	var d net.Dialer
	err = errNoName
	for _, ip := range found {
		var conn net.Conn
		if conn, err = d.DialContext(ctx, network, netip.AddrPortFrom(ip, portOf(port)).String()); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (c *Client) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	var r Resolver = net.DefaultResolver
	if c.Resolver != nil {
		r = c.Resolver
	}
	return r.LookupNetIP(ctx, "ip", host)
}

func portOf(text string) uint16 {
	n := uint16(0)
	for _, digit := range text { // of an address that was parsed
		n = n*10 + uint16(digit-'0')
	}
	return n
}

// cause is an error in words that its reader can use, and that tell nothing about where it was sent from.
func cause(ctx context.Context, err error) error {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var op *net.OpError
	switch {
	case errors.Is(err, ErrNotPublic):
		return failure{ErrNotPublic, NotAllowed}
	case ctx.Err() != nil:
		return failure{fmt.Errorf("no whole answer in time: %w", ctx.Err()), TimedOut}
	case errors.As(err, &dns), errors.Is(err, errNoName):
		return failure{errNoName, NoName}
	case errors.As(err, &cert):
		return failure{fmt.Errorf("the certificate is not accepted: %w", cert.Err), NoTrust}
	case errors.As(err, &record), errors.As(err, &alert):
		return failure{fmt.Errorf("no TLS: %w", err), NoTrust}
	case errors.As(err, &op):
		return failure{fmt.Errorf("no connection: %s: %w", op.Op, op.Err), NoConnection}
	default:
		return failure{fmt.Errorf("no answer: %w", err), NoAnswer}
	}
}

var errNoName = errors.New("the name has no address")
