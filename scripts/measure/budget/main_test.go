package main

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/manifest"
)

func TestABinaryMayGrowByFifteenPercent(t *testing.T) {
	t.Parallel()
	written := sizes{"arm64": {"check": 1000, "gone": 10}, "amd64": {"check": 1000}}
	for _, c := range []struct {
		check, other int64
		wrong        []string
	}{
		{1150, 1000, nil},
		{500, 1, nil},
		{1151, 1000, []string{"check for arm64 has grown by 15.1%, to 1151 bytes"}},
		{2000, 1200, []string{"check for amd64 has grown by 20.0%", "check for arm64 has grown by 100.0%"}},
	} {
		table, wrong := compare(written, sizes{"arm64": {"check": c.check, "new": 7}, "amd64": {"check": c.other}})
		want := append(slices.Clone(c.wrong), "new for arm64 has no size", "gone for arm64 is written down")
		if len(wrong) != len(want) || !strings.Contains(table, "check") || !strings.Contains(table, "new") {
			t.Errorf("%d, %d: got %q, want %q, in %s", c.check, c.other, wrong, want, table)
			continue
		}
		for i := range want {
			if !strings.Contains(wrong[i], want[i]) {
				t.Errorf("%d, %d: got %q, want %q", c.check, c.other, wrong[i], want[i])
			}
		}
	}
}

func TestEveryFunctionHasASizeThatIsWrittenDown(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("sizes.json")
	if err != nil {
		t.Fatal(err)
	}
	var written sizes
	if err := json.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range manifest.Functions() {
		want = append(want, f.Name)
	}
	slices.Sort(want)
	for _, p := range processors() {
		if got := slices.Sorted(maps.Keys(written[p])); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
}
