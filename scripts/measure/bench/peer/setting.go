package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/child"
	"partneraccess/scripts/local/deployed"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/lambdahost"
	"partneraccess/scripts/local/launch"
	"partneraccess/scripts/measure/bench/fixture"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

// setting is all that runs while the two are compared.
type setting struct {
	stops []func() error

	postgres                 *postgres
	withPostgres, withSQLite *openFGA
	ourWaits, theirWaits     *waits         // before dynoxide for the function, and before PostgreSQL
	function                 lambda.Handler // the check function's binary, as Lambda runs it
	stackURL, stackToken     string
	stackID                  int // of its process
	client                   *http.Client
}

// start starts and fills everything, which takes more than a minute.
func (s *setting) start(ctx context.Context, openFGABinary string, now time.Time) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	s.after(func() error { return os.RemoveAll(dir) })
	e, err := engine.Start(ctx, engine.Options{Kind: engine.Dynoxide})
	if err != nil {
		return err
	}
	s.after(e.Stop)
	if s.postgres, err = startPostgres(ctx); err != nil {
		return err
	}
	s.after(s.postgres.stop)
	if s.theirWaits, err = s.before(ctx, s.postgres.address()); err != nil {
		return err
	}
	u, err := url.Parse(e.Endpoint())
	if err != nil {
		return err
	}
	if s.ourWaits, err = s.before(ctx, u.Host); err != nil {
		return err
	}
	if s.withPostgres, err = startOpenFGA(ctx, openFGABinary, "postgres", s.postgres.uri(s.theirWaits.address()), now); err != nil {
		return err
	}
	s.after(s.withPostgres.stop)
	if s.withSQLite, err = startOpenFGA(ctx, openFGABinary, "sqlite", "file:"+filepath.Join(dir, "openfga.db"), now); err != nil {
		return err
	}
	s.after(s.withSQLite.stop)

	all, loading := errgroup.WithContext(ctx)
	all.Go(func() error { return loadPeerTable(loading, e.Client(), now) })
	all.Go(func() error { return s.withPostgres.load(loading, now) })
	all.Go(func() error { return s.withSQLite.load(loading, now) })
	if err := all.Wait(); err != nil {
		return fmt.Errorf("fill the storages: %w", err)
	}
	if err := s.startFunction(ctx, dir); err != nil {
		return err
	}
	return s.startStack(ctx, dir, e.Endpoint())
}

func (s *setting) after(stop func() error) { s.stops = append(s.stops, stop) }

// stop ends what runs, the last first.
func (s *setting) stop() error {
	var err error
	for _, stop := range slices.Backward(s.stops) {
		err = errors.Join(err, stop())
	}
	return err
}

func (s *setting) before(ctx context.Context, address string) (*waits, error) {
	w, err := waitFor(ctx, address)
	if err == nil {
		s.after(func() error { w.close(); return nil })
	}
	return w, err
}

// loadPeerTable fills our table, and switches its stream on afterwards, since the engine's writes are slow with one.
func loadPeerTable(ctx context.Context, db *dynamodb.Client, now time.Time) error {
	if err := dynamo.CreateTable(ctx, db, fixture.Table, false); err != nil {
		return err
	}
	directory, ofCustomer := peerItems(now)
	if err := fixture.Write(ctx, db, fixture.Table, directory); err != nil {
		return err
	}
	for c := range peerCustomers {
		if err := fixture.Write(ctx, db, fixture.Table, ofCustomer(c)); err != nil {
			return err
		}
	}
	_, err := db.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName: aws.String(fixture.Table), StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage,
		},
	})
	return err
}

// startFunction runs the check function's binary, built as it is deployed.
func (s *setting) startFunction(ctx context.Context, dir string) error {
	if err := deployed.BuildPackages(ctx, dir, runtime.GOOS, runtime.GOARCH, []string{"./functions/check"}, []string{"check"}); err != nil {
		return err
	}
	host, err := lambdahost.Start(ctx, lambdahost.Options{})
	if err != nil {
		return err
	}
	s.after(host.Close)
	all := manifest.Functions()
	f := all[slices.IndexFunc(all, func(f manifest.Function) bool { return f.Name == "check" })]
	host.Deploy(lambdahost.Function{
		Name: f.Name, Binary: filepath.Join(dir, f.Name, "bootstrap"),
		Env: fixture.Settings("http://" + s.ourWaits.address()), Timeout: f.Timeout,
		Memory: f.Memory,
	})
	s.function = handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		r, err := host.Invoke(ctx, f.Name, payload)
		if err == nil && r.FunctionError != "" {
			err = fmt.Errorf("the function failed: %s", r.Payload)
		}
		return r.Payload, err
	})
	_, err = s.function.Invoke(ctx, ourEvent(question{level: access.View})) // so that its process is there
	return err
}

// handlerFunc is a lambda.Handler.
type handlerFunc func(context.Context, []byte) ([]byte, error)

// Invoke implements lambda.Handler.
func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// startStack starts the local stack as a process of its own, on the engine that is there.
func (s *setting) startStack(ctx context.Context, dir, engineURL string) error {
	binary := filepath.Join(dir, "local")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./scripts/local") //nolint:gosec // the project's own
	if said, err := child.Output(build); err != nil {
		return fmt.Errorf("build the local stack: %w: %s", err, said)
	}
	stack, err := launch.Start(ctx,
		launch.Options{Binary: binary, Env: append(os.Environ(), "IDENTITY=none", "BACKEND=", "AWS_ENDPOINT_URL_DYNAMODB="+engineURL)})
	if err != nil {
		return err
	}
	s.after(stack.Stop)
	s.client, s.stackURL, s.stackID = newHTTPClient(), stack.URL, stack.ID
	var made struct{ Token string }
	if err := send(ctx, s.client, http.MethodPost, s.stackURL+"/_local/token", "", map[string]string{"scope": httpapi.ScopeCheck},
		&made); err != nil {
		return fmt.Errorf("the local stack: %w: %s", err, stack.Printed())
	}
	s.stackToken = made.Token
	return nil
}

// stack asks the whole local stack.
func (s *setting) stack(ctx context.Context, question []byte) (bool, error) {
	var answer struct{ Decision *bool }
	if err := send(ctx, s.client, http.MethodPost, s.stackURL+fixture.Single, s.stackToken, json.RawMessage(question), &answer); err != nil {
		return false, err
	}
	if answer.Decision == nil {
		return false, errors.New("it made no decision")
	}
	return *answer.Decision, nil
}

// memory is a storage that makes its answers from the rules of what both sides hold, and keeps them: what is asked again costs it next to
// nothing.
type memory struct {
	now        time.Time
	directory  map[string]string // items by their keys
	ofCustomer func(int) []string

	mu   sync.Mutex
	kept map[string][]byte // answers, by request
}

// inMemory is the storage of a check.
func inMemory(now time.Time) *fixture.Canned {
	directory, ofCustomer := peerItems(now)
	m := &memory{now: now, directory: map[string]string{}, ofCustomer: ofCustomer, kept: map[string][]byte{}}
	for _, item := range directory {
		m.directory[keyOf(item)] = item
	}
	return &fixture.Canned{Answers: map[string]func([]byte) []byte{"DynamoDB_20120810.BatchGetItem": m.answer}}
}

// batchGet is what a request of BatchGetItem asks of a table.
type batchGet struct {
	RequestItems map[string]struct {
		Keys                     []itemKey
		ProjectionExpression     string
		ExpressionAttributeNames map[string]string
	}
}

type itemKey struct {
	PK struct{ S string } `json:"pk"`
	SK struct{ S string } `json:"sk"`
}

func keyOf(item string) string {
	var k itemKey
	if err := json.Unmarshal([]byte(item), &k); err != nil {
		panic(err)
	}
	return k.PK.S + " " + k.SK.S
}

func (m *memory) answer(request []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if answer := m.kept[string(request)]; answer != nil {
		return answer
	}
	var r batchGet
	if err := json.Unmarshal(request, &r); err != nil {
		panic(err)
	}
	asked := r.RequestItems[fixture.Table]
	var found []string
	for _, k := range asked.Keys {
		item := m.find(k)
		if item != "" && asked.ProjectionExpression != "" {
			item = fixture.Project(item, strings.Split(asked.ProjectionExpression, ","), asked.ExpressionAttributeNames)
		}
		if item != "" {
			found = append(found, item)
		}
	}
	answer := []byte(`{"Responses":{"` + fixture.Table + `":[` + strings.Join(found, ",") + `]},"UnprocessedKeys":{}}`)
	m.kept[string(request)] = answer
	return answer
}

// find is "" when there is no such item.
func (m *memory) find(k itemKey) string {
	key := k.PK.S + " " + k.SK.S
	id, ok := strings.CutPrefix(k.PK.S, "C#c")
	if !ok {
		return m.directory[key]
	}
	customer, err := strconv.Atoi(id)
	if err != nil {
		panic(err)
	}
	for _, item := range m.ofCustomer(customer) {
		if keyOf(item) == key {
			return item
		}
	}
	return ""
}

// send sends a request with JSON and reads the answer.
func send(ctx context.Context, client *http.Client, method, url, token string, body, into any) error {
	a, err := ask.Send(ctx, client, ask.Request{Method: method, URL: url, Token: token, Body: body})
	if err != nil {
		return err
	}
	return a.Into(into)
}

// newHTTPClient keeps a connection for each of the clients.
func newHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 30 * time.Second}
}

// again tries until it succeeds or the time is over.
func again(ctx context.Context, limit time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
