package trust_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/prove/trust"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// Make prove-trust does the same for as long as one likes.
func TestAMaliciousPartnerGetsOnlyWhatCustomersConsentedTo(t *testing.T) {
	for _, seed := range []uint64{1, rand.Uint64()} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r, err := trust.Run(t.Context(), trust.Config{Steps: 500, Seed: seed, Worlds: 1, Most: 1, DryRun: 2, Engine: engine.Shared(t)})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(r)
			if len(r.Violations) > 0 {
				t.Errorf("go run ./scripts/prove trust -seed %d: got %d violations, want none", seed, len(r.Violations))
			}
			if r.Allowed == 0 || r.Mails == 0 || r.Approved == 0 || r.Foretold == 0 || r.Later == 0 {
				t.Errorf("got %d checks allowed, %d mails, %d requests approved, dry runs with %d mails and %d later ones, want some of each",
					r.Allowed, r.Mails, r.Approved, r.Foretold, r.Later)
			}
		})
	}
}
