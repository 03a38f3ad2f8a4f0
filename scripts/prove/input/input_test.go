package input_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/input"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// Go run ./scripts/prove input does the same for as long as one likes.
func TestBadInputIsRefusedAndTheCulpritNamed(t *testing.T) {
	for _, seed := range []uint64{1, 2, mathrand.Uint64()} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := run(t, input.Config{Requests: 1200, Seed: seed})
			t.Log(r)
			if len(r.Violations) > 0 {
				t.Errorf("go run ./scripts/prove input -seed %d: got %d violations, want none: %s", seed, len(r.Violations), r.Violations[0])
			}
			if r.Requests != 1200 || r.HTTP < 100 || r.Named < 150 || r.ByStatus["400"] < 300 || r.ByStatus["200"] == 0 {
				t.Errorf("got %v, want every kind of answer, and culprits named", r)
			}
		})
	}
}

func run(t *testing.T, c input.Config) *input.Report {
	t.Helper()
	c.Engine, c.Table = engine.Shared(t), "input-"+rand.Text()
	r, err := input.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is looked for is put in on purpose.
func TestAFaultIsFound(t *testing.T) {
	for about, f := range map[string]struct{ old, with, want string }{
		"another member is named": {`"pointer":"/`, `"pointer":"/x/`, `the pointers are ["/x/`},
		"no problem document":     {`"/v1/problems#invalid`, `"about:blank`, "against the contract"},
		"a fault":                 {`{"statusCode":400`, `{"statusCode":500`, "a fault of the service's"},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			r := run(t, input.Config{Requests: 600, Seed: 1, Most: 200, Handlers: func(d stack.Deps) (map[string]lambda.Handler, error) {
				h, err := stack.Functions(d)
				if err != nil {
					return nil, err
				}
				for name := range h {
					h[name] = faulty{h[name], f.old, f.with}
				}
				return h, nil
			}})
			if !strings.Contains(strings.Join(r.Violations, "\n"), f.want) {
				t.Errorf("got %d violations, want one with %s", len(r.Violations), f.want)
			}
		})
	}
}

// faulty answers with one text instead of another.
type faulty struct {
	lambda.Handler
	old, with string
}

func (f faulty) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	answer, err := f.Handler.Invoke(ctx, event)
	quoted := strings.ReplaceAll(f.old, `"`, `\"`)
	text := strings.ReplaceAll(string(answer), quoted, strings.ReplaceAll(f.with, `"`, `\"`))
	return []byte(strings.ReplaceAll(text, f.old, f.with)), err
}
