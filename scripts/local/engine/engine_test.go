package engine_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partneraccess/scripts/local/engine"
)

func TestMain(m *testing.M) {
	if os.Getenv("ENGINE_TEST_PARENT") != "" {
		os.Exit(parent())
	}
	os.Exit(engine.Main(m))
}

// parent is a process that starts an engine, says where, and waits to be killed.
func parent() int {
	e, err := engine.Start(context.Background(), engine.Options{})
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		return 1
	}
	_, _ = os.Stdout.WriteString(e.Endpoint() + "\n")
	_ = os.Stdout.Close()
	select {}
}

func TestSharedIsOneEngineThatStoresAnItem(t *testing.T) {
	e := engine.Shared(t)
	if again := engine.Shared(t); again != e {
		t.Fatalf("second call: got another engine at %s, want the one at %s", again.Endpoint(), e.Endpoint())
	}
	createTable(t, e, "engine-test")
	put(t, e, "engine-test", "a")
	if !has(t, e, "engine-test", "a") {
		t.Fatal("the item that was put is not there")
	}
}

func TestDataDirKeepsItemsOverARestart(t *testing.T) {
	if os.Getenv("AWS_ENDPOINT_URL_DYNAMODB") != "" {
		t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "") // an engine that is already there keeps what it wants
	}
	dir := t.TempDir()
	first := start(t, dir)
	createTable(t, first, "kept")
	put(t, first, "kept", "a")

	if _, err := engine.Start(t.Context(), engine.Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "is in use") {
		t.Fatalf("a second engine on the same folder: got error %v, want one that says that it is in use", err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}

	second := start(t, dir)
	if !has(t, second, "kept", "a") {
		t.Fatal("the item is gone after a restart on the same folder")
	}
}

func TestStopEndsTheProcessAndMayBeRepeated(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "")
	e := start(t, "")
	for range 2 {
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-e.Died():
	default:
		t.Fatal("Stop returned and the process is still there")
	}
	if answers(t.Context(), e.Client()) {
		t.Fatal("the engine still answers after Stop")
	}
}

func TestTheEngineDiesWithAParentThatIsKilled(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		return // the parent-death signal exists on Linux alone
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ENGINE_TEST_PARENT=1", "AWS_ENDPOINT_URL_DYNAMODB=")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := io.ReadAll(out) // ends when the parent closes its output
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(strings.TrimSpace(string(line)), "http://")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("the parent's engine does not answer: %v", err)
	}
	defer func() { _ = conn.Close() }()

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	// The kernel closes the connection when the engine is gone.
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the engine outlives a parent that was killed")
	}
}

func TestAnEngineThatIsAlreadyThereIsUsedAndLeftAlone(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", engine.Shared(t).Endpoint())
	e, err := engine.Start(t.Context(), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Kind() != engine.External {
		t.Fatalf("kind: got %q, want %q", e.Kind(), engine.External)
	}
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	if !answers(t.Context(), e.Client()) {
		t.Fatal("Stop stopped an engine that it did not start")
	}
}

func TestAMissingBinaryAndAWrongKindSayWhatToDo(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "")
	_, err := engine.Start(t.Context(), engine.Options{Kind: "mongo"})
	if err == nil || !strings.Contains(err.Error(), "dynamodb-local") {
		t.Errorf("unknown kind: got error %v, want one that names the kinds", err)
	}

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module empty\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	_, err = engine.Start(t.Context(), engine.Options{Kind: engine.Dynoxide})
	if err == nil || !(strings.Contains(err.Error(), "make setup") || strings.Contains(err.Error(), "DYNAMODB=dynamodb-local")) {
		t.Errorf("missing binary: got error %v, want one that says what to run", err)
	}
}

func start(t *testing.T, dir string) *engine.Engine {
	t.Helper()
	e, err := engine.Start(t.Context(), engine.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func createTable(t *testing.T, e *engine.Engine, name string) {
	t.Helper()
	_, err := e.Client().CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, e *engine.Engine, table, pk string) {
	t.Helper()
	_, err := e.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: key(pk)})
	if err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, e *engine.Engine, table, pk string) bool {
	t.Helper()
	out, err := e.Client().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(table), Key: key(pk)})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Item) > 0
}

func key(pk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}}
}

func answers(ctx context.Context, c *dynamodb.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := c.ListTables(ctx, &dynamodb.ListTablesInput{}, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	return err == nil
}
