package cognitolocal

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the one server of a test process, as engine's is.
var shared struct { //nolint:gochecknoglobals // nothing but the package is common to a process's tests
	once   sync.Once
	server *Server
	err    error
}

// Shared returns the server of this test process, started by the first test that asks. A test that cannot have it fails: it is never
// skipped. Pools are kept apart by name.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.once.Do(func() {
		shared.server, shared.err = Start(context.WithoutCancel(tb.Context()), Options{})
	})
	if shared.err != nil {
		tb.Fatalf("this test needs cognito-local: %v", shared.err)
	}
	return shared.server
}

// Main runs a package's tests with run and then stops the server that Shared started:
//
//	func TestMain(m *testing.M) { os.Exit(cognitolocal.Main(m, engine.Main)) }
func Main(m *testing.M, run func(*testing.M) int) int {
	code := run(m)
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(code, 1)
		}
	}
	return code
}
