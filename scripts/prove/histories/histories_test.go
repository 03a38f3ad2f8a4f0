package histories_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/histories"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// Go run ./scripts/prove histories does the same for as long as one likes.
func TestNoHistoryIsOtherThanWhatIsPromised(t *testing.T) {
	for _, seed := range []uint64{1, 2, mathrand.Uint64()} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := run(t, histories.Config{Ops: 800, Clients: 12, Epoch: 25, Seed: seed})
			t.Log(r)
			if len(r.Violations) > 0 {
				t.Errorf("go run ./scripts/prove histories -seed %d: got %d violations, want none: %s", seed, len(r.Violations), r.Violations[0])
			}
			if r.Approvals == 0 {
				t.Error("got no approval of a request, want some")
			}
			for _, answer := range []string{"granted", "ended", "user_not_assigned", "200", "201"} {
				if r.Answers[answer] == 0 {
					t.Errorf("got no answer %q among %v, want some of every kind", answer, r.Answers)
				}
			}
		})
	}
}

func run(t *testing.T, c histories.Config) *histories.Report {
	t.Helper()
	c.Engine, c.Table, c.Keep = engine.Shared(t), "histories-"+rand.Text(), t.TempDir()
	r, err := histories.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What the histories are there to find is put in on purpose.
func TestAFaultIsFound(t *testing.T) {
	for _, f := range []struct {
		about  string
		faulty func(map[string]lambda.Handler)
		want   string
		most   int // violations until it ends: what a cache does breaks other rules, too, maybe before this one
	}{
		{"checks are answered from a cache", cached, "was let in by", 1000},
		{"a revoke is answered and not done", func(h map[string]lambda.Handler) { h["revoke"] = liar{h["revoke"]} }, "Illegal", 1},
	} {
		t.Run(f.about, func(t *testing.T) {
			t.Parallel()
			r := run(t,
				histories.Config{
					Ops: 2400, Clients: 12, Epoch: 25, Most: f.most, Seed: 3,
					Handlers: func(d stack.Deps) (map[string]lambda.Handler, error) {
						h, err := stack.Functions(d)
						if err != nil {
							return nil, err
						}
						f.faulty(h)
						return h, nil
					},
				})
			if all := strings.Join(r.Violations, "\n"); !strings.Contains(all, f.want) {
				t.Errorf("got the violations %q, want one with %q", all, f.want)
			}
		})
	}
}

// cache answers a question that it has allowed once in the same way for as long as the test runs.
type cache struct {
	lambda.Handler
	mu    sync.Mutex
	known map[string][]byte
}

func cached(h map[string]lambda.Handler) {
	h["check"] = &cache{Handler: h["check"], known: map[string][]byte{}}
}

func (c *cache) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var e struct{ RawPath, Body string }
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	key := e.RawPath + e.Body
	c.mu.Lock()
	answer, ok := c.known[key]
	c.mu.Unlock()
	if ok {
		return answer, nil
	}
	answer, err := c.Handler.Invoke(ctx, event)
	if bytes.Contains(answer, []byte(`\"decision\":true`)) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.known[key] = answer
	}
	return answer, err
}

// liar says that every third request was done.
type liar struct{ lambda.Handler }

func (l liar) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if mathrand.IntN(3) == 0 {
		return []byte(`{"statusCode":200,"headers":{},"body":"{}"}`), nil
	}
	return l.Handler.Invoke(ctx, event)
}
