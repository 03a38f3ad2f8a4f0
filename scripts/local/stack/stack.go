// Package stack is the whole service on one machine: a DynamoDB-compatible engine, an API gateway with its JWT
// authorizer, a token issuer, a clock that can be moved, the table's stream, a schedule, a mailbox and the functions' own handlers.
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
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/apidocs"
	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/pages"
	"partneraccess/scripts/local/rights"
	"partneraccess/scripts/local/seed"
	"partneraccess/shared/manifest"
	"partneraccess/shared/metrics"
)

// DefaultTable is the table's name when Config names none.
const DefaultTable = "partner-access"

// Config says what to start.
type Config struct {
	Port    int      // on 127.0.0.1; 0 takes a free one
	DataDir string   // keeps the data and the signing key; empty: in memory
	Table   string   // empty: DefaultTable
	Origins []string // pages that may call the API from a browser

	// Throttles are heeded by the gateway once Prepare is done; nil: none are, however much is asked.
	Throttles *manifest.Throttles

	Pages  http.Handler  // answers what is neither the API's nor under /_local/; nil: the gateway does
	People []seed.Person // who may be told that the demo data has them, so that a page can offer to be one of them

	// Stream makes the table with its stream and starts the functions that the stream starts. It costs: dynoxide's writes become
	// slower as the stream grows.
	Stream bool

	// Schedule runs the scheduled functions by the real clock. They run after each move of the stack's clock in any case.
	Schedule bool

	Still      time.Time       // not zero: the clock stands still here until it is moved, so that tests can sit on an instant
	Ahead      time.Duration   // how far ahead of the real time the clock starts; not for one that stands still
	RealClock  bool            // the functions have the real clock, so that the stack's cannot be moved
	SigningKey *rsa.PrivateKey // nil: the one kept in DataDir, or a fresh one, which takes a while

	// Engine, if not nil, is used and outlives the stack; the table should have a name of its own then. If nil, one is
	// started as DYNAMODB and AWS_ENDPOINT_URL_DYNAMODB say.
	Engine *engine.Engine

	Settings map[string]string // of the functions, beside and instead of those that the stack has for them

	// Accounts keeps people's accounts at a cognito-local of the stack's own, in DataDir. Cognito, if not nil, does that instead, in a pool
	// that has the table's name, and outlives the stack. CognitoOptions change the client that the functions have of it.
	Accounts       bool
	Cognito        *cognitolocal.Server
	CognitoOptions []func(*cognitoidentityprovider.Options)

	SES string // where mails go, without a slash at the end; empty: into the stack's mailbox

	// MailListen is where SES is served, too, for functions in containers: an address such as 0.0.0.0:8025, on which nothing else of the stack
	// is to be had. Port 0 takes a free one, which MailAddress tells. Empty: nowhere.
	MailListen string

	// CreateTable creates the table; it is not called for one that exists.
	CreateTable func(ctx context.Context, client *dynamodb.Client, name string, withStream bool) error

	// Functions are what is served; nil: those of the manifest.
	Functions []manifest.Function

	// Handlers makes the functions' handlers, by name in Functions, once everything that they need is there.
	Handlers func(Deps) (map[string]lambda.Handler, error)

	// Prepare runs once the stack answers, and puts demo data in, say. Until it is done, /_local/health says "starting"; nil: nothing does.
	Prepare func(context.Context, *Stack) error

	// OnClock runs after the clock was moved and the scheduled functions have run, before the answer; nil: nothing does.
	OnClock func(context.Context, Deps) error

	Log       *slog.Logger // nil: nothing is logged
	EngineLog io.Writer    // what the engine prints; nil: dropped
	Figures   io.Writer    // gets the lines of metrics that the functions write; nil: they are added up alone

	Calls *rights.Record // notes which calls of AWS the functions make; nil: nobody does
}

// Stack is a running stack.
type Stack struct {
	Clock   *Clock
	Mail    *Mailbox
	SES     *SES
	Bus     *Bus         // that the function publish puts events on
	Dead    *DeadLetters // batches of the stream that were given up
	Metrics *Metrics

	url     string
	table   string
	origins []string
	people  []seed.Person
	engine  *engine.Engine
	owned   bool // the engine is ours to stop
	issuer  *Issuer
	fixed   bool // the clock cannot be moved
	log     *slog.Logger

	accounts   *accounts  // nil: none are kept
	recoveries recoveries // of lost passwords
	mails      string     // MailAddress

	functions []manifest.Function
	handlers  map[string]lambda.Handler
	schedule  *schedule
	gateway   *Gateway
	onClock   func(context.Context) error

	server     *http.Server
	unused     unusedConnections
	background context.Context //nolint:containedctx // of what runs without a request; ends with the stack
	quit       context.CancelFunc
	running    sync.WaitGroup // what runs in the background
	failed     chan error
	prepared   atomic.Bool
	stop       func() error
}

// Start starts everything, in the order in which the parts need each other, and returns when the stack answers. ctx
// bounds the start alone; Stop ends the stack.
func Start(ctx context.Context, c Config) (_ *Stack, err error) {
	s := newStack(ctx, c)
	// First the port: it is the likeliest to be missing, and says the address that tokens and links carry.
	listener, err := listen(ctx, c.Port)
	if err != nil {
		return nil, err
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn), ConnState: s.unused.track,
	}
	defer func() {
		if err != nil {
			_ = listener.Close()
			_ = s.Stop()
		}
	}()
	accounts := s.startAccounts(ctx, c)
	defer func() {
		if err != nil {
			if a, e := accounts(); e == nil { // it may still be starting
				err = errors.Join(err, a.stop())
			}
		}
	}()
	if err := s.startEngine(ctx, c); err != nil {
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
	if s.accounts, err = accounts(); err != nil {
		return nil, err
	}
	if err := s.makeFunctions(c); err != nil {
		return nil, err
	}
	pollers, err := s.newPollers(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.route(ctx, c); err != nil {
		return nil, err
	}
	s.serve(c, listener, pollers)
	if c.Prepare != nil {
		if err := c.Prepare(ctx, s); err != nil {
			return nil, err
		}
	}
	if c.Throttles != nil {
		s.gateway.Throttle(*c.Throttles)
	}
	s.prepared.Store(true)
	return s, nil
}

// newStack makes a stack of which nothing runs yet.
func newStack(ctx context.Context, c Config) *Stack {
	s := &Stack{
		Clock: &Clock{still: c.Still}, Mail: &Mailbox{}, Dead: &DeadLetters{}, Metrics: &Metrics{also: c.Figures},
		table: c.Table, origins: slices.Clone(c.Origins), people: slices.Clone(c.People), log: c.Log, failed: make(chan error, 1),
		fixed: c.RealClock,
	}
	if s.table == "" {
		s.table = DefaultTable
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.Clock.Advance(c.Ahead)
	s.background, s.quit = context.WithCancel(context.WithoutCancel(ctx))
	s.Bus = &Bus{now: s.Clock.Now}
	s.SES = &SES{box: s.Mail, now: s.Clock.Now, log: s.log, background: s.background}
	s.stop = sync.OnceValue(s.shutdown)
	return s
}

// startEngine starts the engine, unless there is one, and creates the table.
func (s *Stack) startEngine(ctx context.Context, c Config) (err error) {
	s.engine = c.Engine
	if s.engine == nil {
		if s.engine, err = engine.Start(ctx, engine.Options{DataDir: c.DataDir, Log: c.EngineLog}); err != nil {
			return err
		}
		s.owned = true
	}
	if err := s.ensureTable(ctx, c); err != nil {
		return err
	}
	if dir := s.engine.DataDir(); dir != "" {
		return s.Dead.keepIn(filepath.Join(dir, "dead-letters.json"))
	}
	return nil
}

// makeFunctions makes the functions' handlers, and what starts them.
func (s *Stack) makeFunctions(c Config) (err error) {
	deps := Deps{
		Settings: c.Settings, Client: s.engine.Client(), Table: s.table, Now: s.Clock.Now, BaseURL: s.url, Log: s.log, SES: s.url + sesPath,
		Metrics: metrics.New(s.Metrics, metrics.DefaultStage, s.Clock.Now), Figures: s.Metrics,
	}
	if c.SES != "" {
		deps.SES = c.SES
	}
	if c.Pages != nil {
		deps.Console = s.url
	}
	if c.Calls != nil {
		deps.Watch = append(deps.Watch, c.Calls.Watch)
		deps.Client = dynamodb.New(deps.Client.Options(), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, deps.Watch...) })
	}
	if s.accounts != nil {
		deps.Accounts = s.accounts.provider
		deps.Cognito, deps.Pool = s.accounts.server.Endpoint(), s.accounts.pool
	}
	s.handlers = map[string]lambda.Handler{}
	if c.Handlers != nil {
		if s.handlers, err = c.Handlers(deps); err != nil {
			return err
		}
	}
	if c.OnClock != nil {
		s.onClock = func(ctx context.Context) error { return c.OnClock(ctx, deps) }
	}
	s.functions = c.Functions
	if s.functions == nil {
		s.functions = manifest.Functions()
	}
	s.schedule = s.newSchedule()
	s.SES.feedback = s.newFeedback()
	return nil
}

// newPollers makes a poller for each function that the stream starts.
func (s *Stack) newPollers(ctx context.Context, c Config) ([]*poller, error) {
	var out []*poller
	for _, f := range s.functions {
		if f.Stream == nil || !c.Stream {
			continue
		}
		p, err := s.newPoller(ctx, f)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// route sets the server's handler: the stack's own paths, the contract's documents, the pages, and else the gateway.
func (s *Stack) route(ctx context.Context, c Config) error {
	// Tokens are judged by the real clock, which also issues them.
	authorizer := NewAuthorizer(s.issuer.Keys(), s.issuer.URL(), Audience, time.Now)
	s.trustAccounts(authorizer)
	var err error
	s.gateway, err = NewGateway(s.functions, s.handlers, authorizer, s.origins, s.Clock.Now, s.log)
	if err != nil {
		return err
	}
	if c.MailListen != "" {
		if err := s.listenForMails(ctx, c.MailListen); err != nil {
			return err
		}
	}
	local, documents := s.local(), apidocs.New(s.url)
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/_local/"):
			local.ServeHTTP(w, r)
		case documents.Owns(r.URL.Path):
			documents.ServeHTTP(w, r)
		case c.Pages != nil && pages.Owns(r.URL.Path):
			c.Pages.ServeHTTP(w, r)
		default:
			s.gateway.ServeHTTP(w, r)
		}
	})
	return nil
}

// serve answers requests, and starts what runs without one.
func (s *Stack) serve(c Config, listener net.Listener, pollers []*poller) {
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("the gateway stopped: %w", err))
		}
	}()
	for _, p := range pollers {
		s.running.Go(func() { p.run(s.background) })
	}
	if c.Schedule {
		s.running.Go(func() { s.schedule.run(s.background) })
	}
	s.watchAccounts()
	if s.owned && s.engine.Died() != nil {
		go func() {
			<-s.engine.Died()
			s.fail(errors.New("the DynamoDB engine ended"))
		}()
	}
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
	// What runs by itself first: it sends its mails through the server.
	s.quit()
	err := s.settle(ctx)
	s.unused.close()
	if e := s.server.Shutdown(ctx); e != nil {
		_ = s.server.Close()
		err = errors.Join(err, fmt.Errorf("requests were cut off: %w", e))
	}
	err = errors.Join(err, s.accounts.stop())
	if s.owned {
		err = errors.Join(err, s.engine.Stop())
	}
	return err
}

// unusedConnections are the connections without a request so far. Go's client opens some before it needs them, such as SES's client when it
// sends several mails, and Shutdown would wait five seconds for each.
type unusedConnections struct {
	mu   sync.Mutex
	open map[net.Conn]bool
}

func (s *unusedConnections) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != http.StateNew {
		delete(s.open, c)
		return
	}
	if s.open == nil {
		s.open = map[net.Conn]bool{}
	}
	s.open[c] = true
}

func (s *unusedConnections) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close() // the other end has not spoken
	}
}

// settle waits for what runs in the background, which has been told to end.
func (s *Stack) settle(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		s.SES.wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("the stream's and the schedule's functions did not end in time")
	}
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
