package checks_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// What somebody reads in the README and types has to work.
func TestEveryMakeTargetOfTheReadmeIsThere(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`).FindAllStringSubmatch(read("Makefile"), -1) {
		targets[m[1]] = true
	}
	readme := read("README.md")
	found := 0
	// In code, where a command stands by itself, behind settings, or in a line of a block.
	for _, m := range regexp.MustCompile("(?m)(?:^|`|=\\S* |&& )make ([a-z][a-z0-9-]*)").FindAllStringSubmatch(readme, -1) {
		found++
		if !targets[m[1]] {
			t.Errorf("the README says make %s, and the Makefile has no such target", m[1])
		}
	}
	if found < 5 {
		t.Errorf("got %d commands in the README, want all of them", found)
	}
	for _, m := range regexp.MustCompile(`go run \./([A-Za-z0-9/_-]+)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("the README says go run ./%s: %v", m[1], err)
		}
	}
}
