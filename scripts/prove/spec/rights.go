package spec

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/rights"
	"partneraccess/shared/manifest"
)

// calls are all that the functions of all worlds of this process call.
//
//nolint:gochecknoglobals // a test process has one TestMain and many tests, and nothing but the package is common to them
var calls = &rights.Record{}

// Main runs the package's tests and then holds what the functions called meanwhile against the rights that the manifest gives them, both
// ways: nothing is called that is not allowed, and nothing allowed that is never called. The second needs all tests, and all of them
// passed: otherwise it says that it was left out.
//
//	func TestMain(m *testing.M) { os.Exit(spec.Main(m)) }
func Main(m *testing.M) int {
	code := cognitolocal.Main(m, engine.Main)
	forbidden, spare := calls.Compare(manifest.Functions(), manifest.Rights)
	if why := partial(code); why != "" {
		fmt.Fprintln(os.Stderr, "not looked at: whether functions have rights that they do not need, since", why)
		spare = nil
	}
	for _, call := range forbidden {
		fmt.Fprintln(os.Stderr, "called, and not allowed in shared/manifest/rights.go:", call)
	}
	for _, right := range spare {
		fmt.Fprintln(os.Stderr, "allowed in shared/manifest/rights.go, and never called:", right)
	}
	if len(forbidden)+len(spare) > 0 {
		fmt.Fprintln(os.Stderr, "FAIL: the functions' rights are not what they call")
		return 1
	}
	return code
}

// partial says why this run proves nothing of the rights, or nothing.
func partial(code int) string {
	if code != 0 {
		return "tests failed"
	}
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.short"} {
		f := flag.Lookup(name)
		if f != nil && f.Value.String() != f.DefValue {
			return fmt.Sprintf("only some tests ran (-%s=%s)", name[len("test."):], f.Value)
		}
	}
	return ""
}
