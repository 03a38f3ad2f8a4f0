package spec_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tags are the features, rules and errors of the five reference products: of the customer's tab (D), the relationships (W), the partner's
// portal (P), the managed customers (A), and the external users (E). What each is, the names of its tests say; `make features` lists them.
const tags = `
	D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D12 D13 D15 D16 D17 D18 D19 D20 D21 D23 D24 D25 D27 D28 D29 D30 D31
	W2 W3 W4 W6 W7 W8 W9 W10 W11 W12 W13 W14
	P1 P2 P3 P4 P5 P8 P9 P10 P11 P13 P14 P15 P16 P17 P19 P20 P21
	A1 A2 A3 A4 A5 A6 A7 A8 A9 A11 A12 A13 A14 A15 A16 A17 A18 A19 A20 A21
	E2 E3 E4 E5 E6 E7 E8 E9 E10 E11 E12 E13 E14 E15 E16`

// sentence is a line of testdata/sentences.txt: a tag with a letter, a sentence, and the test, the flow in the browser or the reason.
var sentence = regexp.MustCompile(`^([DWPAE][0-9]+)[a-z] \| [^|]+ \| (?:(Test\w+)|page: ([^|]+)|otherwise: [^|]+)$`)

func TestEverySentenceOfTheDocumentsNamesWhatShowsIt(t *testing.T) {
	text := read(t, "testdata/sentences.txt")
	tests, flows := "", ""
	for _, name := range glob(t, "*_test.go") {
		tests += read(t, name)
	}
	for _, name := range glob(t, "../../console/test/*.flow.mjs") {
		flows += read(t, name)
	}
	said := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := sentence.FindStringSubmatch(line)
		switch {
		case m == nil:
			t.Errorf("%s: want a tag with a letter, a sentence and what shows it", line)
			continue
		case m[2] != "" && !strings.Contains(tests, "func "+m[2]+"(t *testing.T)"):
			t.Errorf("%s: there is no such test", line)
		case m[3] != "" && !strings.Contains(flows, "flow('"+m[3]):
			t.Errorf("%s: there is no such flow", line)
		}
		said[m[1]] = true
	}
	for tag := range strings.FieldsSeq(tags) {
		if !said[tag] {
			t.Errorf("%s: no sentence has this tag", tag)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: got %d files and the error %v", pattern, len(names), err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryFeatureHasATestWithItsTagInTheName(t *testing.T) {
	tagged := regexp.MustCompile(`^((?:[DWPAE][0-9]+_)+)[A-Z]`)
	tests := regexp.MustCompile(`(?m)^func Test([DWPAE][0-9]\w*)\(`)
	found := map[string]bool{}
	for _, name := range glob(t, "*_test.go") {
		for _, test := range tests.FindAllStringSubmatch(read(t, name), -1) {
			m := tagged.FindStringSubmatch(test[1])
			if m == nil {
				t.Errorf("%s: the tags of Test%s are not followed by an underscore each, and by a sentence: make features would not list it", name,
					test[1])
				continue
			}
			for tag := range strings.SplitSeq(strings.TrimSuffix(m[1], "_"), "_") {
				found[tag] = true
			}
		}
	}
	for tag := range strings.FieldsSeq(tags) {
		if !found[tag] {
			t.Errorf("%s: no test has it in its name", tag)
		}
		delete(found, tag)
	}
	for tag := range found {
		t.Errorf("%s: no feature has this tag", tag)
	}
}
