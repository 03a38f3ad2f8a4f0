package alike_test

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"os"
	"testing"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/prove/alike"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// Go run ./scripts/prove alike does the same for as long as one likes.
func TestAllWaysToAskAnswerTheSame(t *testing.T) {
	t.Parallel()
	seed := mathrand.Uint64() //nolint:gosec // no secret
	r, err := alike.Run(t.Context(), alike.Config{
		Engine: engine.Shared(t), Table: "alike-" + rand.Text(), Questions: 2_000, World: 250, Seed: seed,
	})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	t.Log(r)
	if len(r.Violations) > 0 {
		t.Errorf("go run ./scripts/prove alike -seed %d: got %d differences, want none", seed, len(r.Violations))
	}
	for _, reason := range []string{"granted", "level_too_low", "expired", "not_yet_active", "user_not_assigned", "400"} {
		if r.Reasons[reason] == 0 {
			t.Errorf("seed %d: got no answer %s, want some", seed, reason)
		}
	}
}
