package anyday_test

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"os"
	"testing"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/prove/anyday"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// Go run ./scripts/prove anyday does the same for as long as one likes.
func TestThePastIsToldAsItWas(t *testing.T) {
	var allowed, rows, halfway int                        // of both: a short history may have no list with anybody in it
	for _, seed := range []uint64{1, mathrand.Uint64()} { //nolint:gosec // no secret
		r, err := anyday.Run(t.Context(), anyday.Config{
			Engine: engine.Shared(t), Table: "anyday-" + rand.Text(), Changes: 250, Seed: seed, Faulty: 0.8,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(r)
		if len(r.Violations) > 0 {
			t.Errorf("go run ./scripts/prove anyday -seed %d: got %d differences, want none", seed, len(r.Violations))
		}
		allowed, rows, halfway = allowed+r.Allowed, rows+r.Rows, halfway+r.Failed
	}
	if allowed == 0 || rows == 0 || halfway == 0 {
		t.Errorf("got %d allowed checks, %d rows of lists, %d batches that failed, want some of each", allowed, rows, halfway)
	}
}

// Asking about a day two years back costs what the customer has, and not what happened since.
func TestADayTwoYearsBackIsReadByGrants(t *testing.T) {
	var reads []anyday.Reads
	for _, changes := range []int{30, 300} {
		r, err := anyday.FirstDay(t.Context(), engine.Shared(t), "reads-"+rand.Text(), changes)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d changes since: %+v", changes, r)
		reads = append(reads, r)
	}
	if reads[0] != reads[1] {
		t.Errorf("got %+v after 30 changes and %+v after 300, want the same", reads[0], reads[1])
	}
}

// A version that never came is told.
func TestALostVersionMakesAnswersIncompleteAndNotWrong(t *testing.T) {
	r, err := anyday.Run(t.Context(), anyday.Config{
		Engine: engine.Shared(t), Table: "anyday-" + rand.Text(), Changes: 200, Seed: 7, Lose: 0.1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	if len(r.Violations) > 0 || r.Incomplete == 0 {
		t.Errorf("got %d answers that differ and %d that say that they are incomplete, want none and some", len(r.Violations), r.Incomplete)
	}
}

// A product that follows access.lost and access.gained, and knows none of the rules, knows who may do what.
func TestWhoFollowsTheEventsKnowsEverybodysLevel(t *testing.T) {
	for _, seed := range []uint64{3, mathrand.Uint64()} { //nolint:gosec // no secret
		f, err := anyday.Follow(t.Context(), anyday.Config{Engine: engine.Shared(t), Table: "follow-" + rand.Text(), Changes: 150, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %d changes, %d lost, %d gained; %d levels fell and %d rose; %d checks", seed, f.Changes, f.Lost, f.Gained, f.Fell,
			f.Rose, f.Asked)
		for _, v := range f.Violations[:min(len(f.Violations), 10)] {
			t.Error(v)
		}
		if f.Fell < 20 || f.Rose < 20 {
			t.Errorf("got %d levels that fell and %d that rose, want some of each", f.Fell, f.Rose)
		}
	}
}
