package dynamo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
)

func TestMain(m *testing.M) {
	// Thirty runs of the state machine find what its mutants do; more take -rapid.checks, which is read after this.
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	os.Exit(engine.Main(m))
}

// noon is when everything in these tests happens unless something else is said.
var noon = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

// table is a table of a test's own, the store on it, and the line between the two.
type table struct {
	*dynamo.Store
	name string
	line *line
	raw  *dynamodb.Client // past the line
}

func newTable(t *testing.T) *table {
	t.Helper()
	e := engine.Shared(t)
	tb := &table{name: "dynamo-" + rand.Text(), raw: e.Client()}
	if err := dynamo.CreateTable(t.Context(), tb.raw, tb.name, false); err != nil {
		t.Fatal(err)
	}
	tb.line = newLine(t)
	tb.Store = dynamo.New(clientOf(t, e.Endpoint(), tb.line), tb.name)
	return tb
}

// clientOf is the functions' own client, on that line to that endpoint.
func clientOf(t *testing.T, endpoint string, l http.RoundTripper) *dynamodb.Client {
	t.Helper()
	env := map[string]string{
		"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
	}
	c, err := dynamo.NewClient(func(name string) string { return env[name] },
		func(o *dynamodb.Options) { o.HTTPClient = dynamo.Direct{RoundTripper: l} })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// save writes records that are not there yet, as changes of at most 90 writes.
func (tb *table) save(t *testing.T, writes ...access.Write) {
	t.Helper()
	for part := range slices.Chunk(writes, 90) {
		if err := tb.Apply(t.Context(), planOf(access.Change{Writes: part})); err != nil {
			t.Fatalf("save %d records: %v", len(part), err)
		}
	}
}

// planOf plans the same change again and again.
func planOf(c access.Change) dynamo.Plan {
	return func(context.Context) (access.Change, *access.StoredResponse, error) { return c, nil, nil }
}

// dump prints the whole table, one line for a key and one for each attribute, in their order.
func (tb *table) dump(t *testing.T) string {
	t.Helper()
	byKey := map[string]map[string]types.AttributeValue{}
	pages := dynamodb.NewScanPaginator(tb.raw, &dynamodb.ScanInput{TableName: &tb.name, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			byKey[show(item["pk"])+" "+show(item["sk"])] = item
		}
	}
	var b strings.Builder
	for _, k := range sortedKeys(byKey) {
		fmt.Fprintln(&b, k)
		for _, name := range sortedKeys(byKey[k]) {
			if name != "pk" && name != "sk" {
				fmt.Fprintf(&b, "\t%s: %s\n", name, show(byKey[k][name]))
			}
		}
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func show(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberL:
		var parts []string
		for _, e := range v.Value {
			parts = append(parts, show(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprintf("%T", v)
}

// line carries requests to the engine, remembers which operations they were, and fails those that it is told to.
type line struct {
	to *http.Transport

	mu         sync.Mutex
	operations []string
	fault      fault
	at         int // requests since the fault was set
}

// fault answers the n-th request, counted from 0, instead of the engine; send lets the engine answer.
type fault func(r *http.Request, operation string, n int, send func() (*http.Response, error)) (*http.Response, error)

func newLine(t *testing.T) *line {
	l := &line{to: &http.Transport{MaxIdleConnsPerHost: 16}}
	t.Cleanup(func() {
		l.to.CloseIdleConnections()
		if ops := l.seen(); slices.Contains(ops, "Scan") {
			t.Errorf("got the operations %v, want none of them to be Scan", ops)
		}
	})
	return l
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	l.mu.Lock()
	l.operations = append(l.operations, op)
	f, n := l.fault, l.at
	l.at++
	l.mu.Unlock()
	send := func() (*http.Response, error) { return l.to.RoundTrip(r) }
	if f == nil {
		return send()
	}
	return f(r, op, n, send)
}

// seen are the operations so far.
func (l *line) seen() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.operations)
}

func (l *line) fail(f fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault, l.at = f, 0
}

// times has the first n requests answered by a fault and lets the others through.
func times(n int, f fault) fault {
	return func(r *http.Request, op string, i int, send func() (*http.Response, error)) (*http.Response, error) {
		if i >= n {
			return send()
		}
		return f(r, op, i, send)
	}
}

// refuse answers with an error of DynamoDB's.
func refuse(status int, code string) fault {
	return reply(status, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"a fault that the test makes"}`)
}

// cancel answers that a transaction was cancelled, with the reason of each of its writes.
func cancel(reasons ...string) fault {
	var list []string
	for _, r := range reasons {
		list = append(list, `{"Code":"`+r+`","Message":"a fault that the test makes"}`)
	}
	return reply(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"cancelled",
		"CancellationReasons":[`+strings.Join(list, ",")+`]}`)
}

func reply(status int, body string) fault {
	return func(r *http.Request, _ string, _ int, _ func() (*http.Response, error)) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Request: r, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

// cutBefore loses the connection before the request arrives.
func cutBefore(*http.Request, string, int, func() (*http.Response, error)) (*http.Response, error) {
	return nil, errors.New("read tcp 127.0.0.1: connection reset by peer")
}

// cutAfter loses the connection when the request has been carried out.
func cutAfter(_ *http.Request, _ string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
	resp, err := send()
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// cutWithin loses the connection when half of the answer has come.
func cutWithin(_ *http.Request, _ string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
	resp, err := send()
	if err != nil {
		return nil, err
	}
	whole, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), broken{}))
	return resp, err
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// silence never answers.
func silence(r *http.Request, _ string, _ int, _ func() (*http.Response, error)) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTheTableIsAsTheFunctionsNeedIt(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{false, true} {
		db := engine.Shared(t).Client()
		name := "dynamo-" + rand.Text()
		if err := dynamo.CreateTable(t.Context(), db, name, stream); err != nil {
			t.Fatal(err)
		}
		out, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			t.Fatal(err)
		}
		got := out.Table
		if got.TableStatus != types.TableStatusActive {
			t.Errorf("status: got %s, want ACTIVE", got.TableStatus)
		}
		if got.BillingModeSummary == nil || got.BillingModeSummary.BillingMode != types.BillingModePayPerRequest {
			t.Errorf("billing: got %+v, want PAY_PER_REQUEST", got.BillingModeSummary)
		}
		if got, want := keySchema(got.KeySchema), "pk HASH, sk RANGE"; got != want {
			t.Errorf("key: got %s, want %s", got, want)
		}
		var indexes []string
		for _, ix := range got.GlobalSecondaryIndexes {
			indexes = append(indexes, fmt.Sprintf("%s: %s, %s", *ix.IndexName, keySchema(ix.KeySchema), ix.Projection.ProjectionType))
		}
		slices.Sort(indexes)
		if want := []string{"gsi1: gsi1pk HASH, gsi1sk RANGE, ALL", "gsi2: gsi2pk HASH, gsi2sk RANGE, KEYS_ONLY"}; !slices.Equal(indexes, want) ||
			len(got.LocalSecondaryIndexes) != 0 {
			t.Errorf("indexes: got %q and %d local ones, want %q and none", indexes, len(got.LocalSecondaryIndexes), want)
		}
		for _, a := range got.AttributeDefinitions {
			if a.AttributeType != types.ScalarAttributeTypeS {
				t.Errorf("attribute %s: got the type %s, want S", *a.AttributeName, a.AttributeType)
			}
		}
		on := got.StreamSpecification != nil && aws.ToBool(got.StreamSpecification.StreamEnabled)
		if on != stream {
			t.Errorf("stream: got %v, want %v", on, stream)
		}
		if on && got.StreamSpecification.StreamViewType != types.StreamViewTypeNewAndOldImages {
			t.Errorf("stream: got %s, want NEW_AND_OLD_IMAGES", got.StreamSpecification.StreamViewType)
		}
		if err := dynamo.CreateTable(t.Context(), db, name, stream); err == nil {
			t.Error("a table that is there already: got no error, want one")
		}
	}
}

func keySchema(ks []types.KeySchemaElement) string {
	var out []string
	for _, k := range ks {
		out = append(out, *k.AttributeName+" "+string(k.KeyType))
	}
	return strings.Join(out, ", ")
}

// The operations that are seen by the line are those of the tests; this looks at all Go files: functions, scripts, infra and tests.
func TestNothingScansTheTable(t *testing.T) {
	t.Parallel()
	scan := regexp.MustCompile(`\b(Scan(Input|Paginator|APIClient)|NewScanPaginator|\w+\.Scan\(|ExecuteStatement|BatchExecuteStatement)`)
	may := map[string]string{ // tests, of tables that are theirs alone
		"../../shared/dynamo/table_test.go":          "prints whole tables for the golden file, and names what is forbidden",
		"../../scripts/prove/faults/world_test.go":   "compares whole tables",
		"../../scripts/prove/spec/isolation_test.go": "compares whole tables",
		"../../scripts/prove/spec/erase_test.go":     "searches a whole table for what was erased",
		"../../scripts/prove/spec/faults_test.go":    "recounts a whole table",
		"../../scripts/prove/spec/restore_test.go":   "copies a whole table, as a restore does",
		"../../scripts/prove/crash/judge.go":         "reads what a kill has left, past the service, with an engine of its own",
	}
	looked := 0
	for _, dir := range []string{"../../events", "../../functions", "../../infra", "../../scripts", "../../shared"} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err == nil && e.IsDir() && e.Name() == "node_modules":
				return fs.SkipDir
			case err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || may[path] != "":
				return err
			}
			looked++
			text, err := os.ReadFile(path)
			if found := scan.Find(text); found != nil {
				t.Errorf("%s: got %s, want no Scan and no PartiQL, which can scan", path, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 150 {
		t.Errorf("got %d Go files to look at, want all", looked)
	}
}
