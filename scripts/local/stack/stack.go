// Package stack is the whole service on one machine: a DynamoDB-compatible engine, an API gateway with its JWT
// authorizer, a token issuer, a clock that can be moved and the functions' own handlers.
package stack

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/manifest"
)

// DefaultTable is the table's name when Config names none.
const DefaultTable = "partner-access"

// Config says what to start.
type Config struct {
	Port    int      // on 127.0.0.1; 0 takes a free one
	DataDir string   // keeps the data and the signing key; empty: in memory
	Table   string   // empty: DefaultTable
	Stream  bool     // switches the table's stream on
	Origins []string // pages that may call the API from a browser

	Still      time.Time       // not zero: the clock stands still here until it is moved, so that tests can sit on an instant
	SigningKey *rsa.PrivateKey // nil: the one kept in DataDir, or a fresh one, which takes a while

	// Engine, if not nil, is used and outlives the stack; the table should have a name of its own then. If nil, one is
	// started as DYNAMODB and AWS_ENDPOINT_URL_DYNAMODB say.
	Engine *engine.Engine

	// CreateTable creates the table; it is not called for one that exists.
	CreateTable func(ctx context.Context, client *dynamodb.Client, name string, withStream bool) error

	// Functions are what is served; nil: those of the manifest.
	Functions []manifest.Function

	// Handlers makes the functions' handlers, by name in Functions, once everything that they need is there.
	Handlers func(Deps) map[string]lambda.Handler

	// OnClock runs after the clock was moved, before the answer; nil: nothing does.
	OnClock func(context.Context, Deps) error

	Log       *slog.Logger // nil: nothing is logged
	EngineLog io.Writer    // what the engine prints; nil: dropped
}

// Stack is a running stack.
type Stack struct {
	Clock *Clock
	Mail  *Mailbox

	url     string
	table   string
	origins []string
	engine  *engine.Engine
	owned   bool // the engine is ours to stop
	issuer  *Issuer
	onClock func(context.Context) error
	log     *slog.Logger

	server *http.Server
	failed chan error
	stop   func() error
}

// Start starts everything, in the order in which the parts need each other, and returns when the stack answers. ctx
// bounds the start alone; Stop ends the stack.
func Start(ctx context.Context, c Config) (_ *Stack, err error) {
	s := &Stack{
		Clock: &Clock{still: c.Still}, Mail: &Mailbox{},
		table: c.Table, origins: slices.Clone(c.Origins), log: c.Log, failed: make(chan error, 1),
	}
	if s.table == "" {
		s.table = DefaultTable
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.stop = sync.OnceValue(s.shutdown)

	// First the port: it is the likeliest to be missing, and says the address that tokens and links carry.
	listener, err := listen(ctx, c.Port)
	if err != nil {
		return nil, err
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	defer func() {
		if err != nil {
			_ = listener.Close()
			_ = s.Stop()
		}
	}()

	s.engine = c.Engine
	if s.engine == nil {
		if s.engine, err = engine.Start(ctx, engine.Options{DataDir: c.DataDir, Log: c.EngineLog}); err != nil {
			return nil, err
		}
		s.owned = true
	}
	if err := s.ensureTable(ctx, c); err != nil {
		return nil, err
	}
	if key := c.SigningKey; key != nil {
		s.issuer, err = issuerWithKey(s.url+"/_local", key)
	} else {
		s.issuer, err = NewIssuer(s.url+"/_local", c.DataDir)
	}
	if err != nil {
		return nil, err
	}

	deps := Deps{Client: s.engine.Client(), Table: s.table, Now: s.Clock.Now, BaseURL: s.url, Log: s.log}
	handlers := map[string]lambda.Handler{}
	if c.Handlers != nil {
		handlers = c.Handlers(deps)
	}
	if c.OnClock != nil {
		s.onClock = func(ctx context.Context) error { return c.OnClock(ctx, deps) }
	}
	functions := c.Functions
	if functions == nil {
		functions = manifest.Functions()
	}
	// Tokens are judged by the real clock, which also issues them.
	authorizer := NewAuthorizer(s.issuer.Keys(), s.issuer.URL(), Audience, time.Now)
	gateway, err := NewGateway(functions, handlers, authorizer, s.origins, s.Clock.Now, s.log)
	if err != nil {
		return nil, err
	}

	local := s.local()
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_local/") {
			local.ServeHTTP(w, r)
			return
		}
		gateway.ServeHTTP(w, r)
	})
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("the gateway stopped: %w", err))
		}
	}()
	if s.owned && s.engine.Died() != nil {
		go func() {
			<-s.engine.Died()
			s.fail(errors.New("the DynamoDB engine ended"))
		}()
	}
	return s, nil
}

// URL is where the stack listens, without a slash at the end.
func (s *Stack) URL() string { return s.url }

// Engine is the engine that holds the table.
func (s *Stack) Engine() *engine.Engine { return s.engine }

// Table is the table's name.
func (s *Stack) Table() string { return s.table }

// Token signs a token that the stack accepts.
func (s *Stack) Token(r TokenRequest) (string, error) { return s.issuer.Token(r) }

// Failed gives at most one error: a part ended that should not have. Stop is still needed; it makes the engine end too,
// so do not read from here afterwards.
func (s *Stack) Failed() <-chan error { return s.failed }

// Stop answers the requests that are under way, then ends everything that Start started. Stopping twice is harmless.
func (s *Stack) Stop() error { return s.stop() }

func (s *Stack) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // of its own: what made us stop has ended already
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		_ = s.server.Close()
		err = fmt.Errorf("requests were cut off: %w", err)
	}
	if s.owned {
		err = errors.Join(err, s.engine.Stop())
	}
	return err
}

func (s *Stack) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// ensureTable creates the table unless it is there, and returns when it is active.
func (s *Stack) ensureTable(ctx context.Context, c Config) error {
	client, name := s.engine.Client(), aws.String(s.table)
	_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: name})
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		if c.CreateTable == nil {
			return errors.New("stack.Config has no CreateTable")
		}
		err = c.CreateTable(ctx, client, s.table, c.Stream)
		if exists := (*types.ResourceInUseException)(nil); errors.As(err, &exists) { // somebody else was faster
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("table %s: %w", s.table, err)
	}
	active := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	if err := active.Wait(ctx, &dynamodb.DescribeTableInput{TableName: name}, 30*time.Second); err != nil {
		return fmt.Errorf("table %s does not become active: %w", s.table, err)
	}
	return nil
}

func listen(ctx context.Context, port int) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is taken: stop what listens there, or choose another one with PORT=%d", port, port+1)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d needs more rights than you have: choose one above 1023 with PORT=8080", port)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}
