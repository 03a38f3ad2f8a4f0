package httpapi

import (
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/access"
)

func TestEachProblemCodeHasOneSection(t *testing.T) {
	t.Parallel()
	var got []access.Code
	for _, s := range problemSections() {
		if slices.Contains(got, s.code) {
			t.Errorf("%s: got two sections, want one", s.code)
		}
		got = append(got, s.code)
		for _, text := range []string{s.happened, s.do} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s: got %q, want a sentence", s.code, text)
			}
		}
	}
	for _, code := range ProblemCodes() {
		if !slices.Contains(got, code) {
			t.Errorf("%s: got no section: say in problem_sections.go what happened, and what to do", code)
		}
	}
	if len(got) != len(ProblemCodes()) {
		t.Errorf("got %d sections, want one for each of the %d codes", len(got), len(ProblemCodes()))
	}
}
