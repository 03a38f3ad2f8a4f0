package httpapi

import (
	"encoding/json"
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

func TestAProblemSaysWhatItsWordsNeed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  *access.Error
		want string
	}{
		{&access.Error{Code: access.TooManyUsers, Detail: "x", Limit: 80}, `"detail":"x","request_id":"r","limit":80}`},
		{&access.Error{Code: access.PeriodInvalid, Detail: "x", MaxDays: 30}, `"detail":"x","request_id":"r","max_days":30}`},
		{&access.Error{Code: access.PartnerNotEligible, Detail: "x", Offered: "view"}, `"detail":"x","request_id":"r","offered":"view"}`},
		{&access.Error{Code: access.PeriodInvalid, Detail: "x"}, `"detail":"x","request_id":"r"}`},
	} {
		p := problemOf(c.err, "r")
		if got := string(p.append(nil)); !strings.HasSuffix(got, c.want) {
			t.Errorf("got %s, want it to end with %s", got, c.want)
		}
		encoded, err := json.Marshal(p) // as in the answers of bulk jobs and dry runs
		if err != nil || string(encoded) != string(p.append(nil)) {
			t.Errorf("encoded: got %s (%v), want %s", encoded, err, p.append(nil))
		}
	}
}
