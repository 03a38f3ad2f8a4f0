package engine

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the one engine of a test process. A package-level variable, because a test process has one TestMain and
// many tests, and nothing but the package is common to them.
var shared struct { //nolint:gochecknoglobals // see above
	once   sync.Once
	engine *Engine
	err    error
}

// Shared returns the engine of this test process, started by the first test that asks. A test that cannot have it
// fails with the advice of Start: it is never skipped. Tables are kept apart by name.
func Shared(tb testing.TB) *Engine {
	tb.Helper()
	shared.once.Do(func() {
		shared.engine, shared.err = Start(context.WithoutCancel(tb.Context()), Options{})
	})
	if shared.err != nil {
		tb.Fatalf("this test needs a DynamoDB engine: %v", shared.err)
	}
	return shared.engine
}

// Main runs a package's tests and then stops the engine that Shared started:
//
//	func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }
//
// Without it the engine still ends with the test process on Linux.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.engine != nil {
		if err := shared.engine.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(code, 1)
		}
	}
	return code
}
