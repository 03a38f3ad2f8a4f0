package crash_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"partneraccess/scripts/prove/crash"
)

// stackBinary builds the local stack.
func stackBinary(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the stack's children die with it on Linux alone")
	}
	binary := filepath.Join(t.TempDir(), "local")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "partneraccess/scripts/local").CombinedOutput(); err != nil {
		t.Fatalf("build the stack: %v: %s", err, out)
	}
	return binary
}

// go run ./scripts/prove crash -bulk does the same for as long as one likes.
func TestEachRowOfABulkJobIsMadeOnceWhenEverythingIsKilled(t *testing.T) {
	seed := rand.Uint64()
	r, err := crash.RunBulk(t.Context(), crash.Config{Binary: stackBinary(t), Data: t.TempDir(), Rounds: 2, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %s", seed, r)
	if len(r.Violations) > 0 {
		t.Errorf("go run ./scripts/prove crash -bulk -seed %d: got %d violations, want none: %s", seed, len(r.Violations), r.Violations[0])
	}
	if r.Kills < 2 || r.Jobs != 2 {
		t.Errorf("got %+v, want a kill for each of two jobs", r)
	}
}

// go run ./scripts/prove crash does the same for as long as one likes.
func TestNothingThatWasAnsweredIsLostWhenEverythingIsKilled(t *testing.T) {
	binary := stackBinary(t)
	seed := rand.Uint64()
	r, err := crash.Run(t.Context(), crash.Config{Binary: binary, Data: t.TempDir(), Rounds: 2, Clients: 4, Seed: seed, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %s", seed, r)
	if len(r.Violations) > 0 {
		t.Errorf("go run ./scripts/prove crash -seed %d: got %d violations, want none: %s", seed, len(r.Violations), r.Violations[0])
	}
	if r.Kills < 2 || r.Changes == 0 || r.Events < r.Changes || r.Mails < r.Changes {
		t.Errorf("got %+v, want kills in the middle of traffic", r)
	}
}
