package checks_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are what people read first, from the repository's root.
func documents() []string {
	return []string{
		"README.md", "infra/README.md", "shared/README.md", "events/README.md", "scripts/README.md", "scripts/measure/FIGURES.md",
		"scripts/console/package/README.md",
		".github/CONTRIBUTING.md", ".github/SECURITY.md",
	}
}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryCommandOfTheDocumentsIsThere(t *testing.T) {
	t.Parallel()
	targets := map[string]bool{}
	makefiles := []string{"Makefile"}
	included, err := filepath.Glob(filepath.Join(root, "scripts", "*.mk"))
	if err != nil || len(included) == 0 {
		t.Fatalf("the Makefile's parts: got %v and %v", included, err)
	}
	for _, path := range included {
		makefiles = append(makefiles, filepath.Join("scripts", filepath.Base(path)))
	}
	for _, name := range makefiles {
		for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`).FindAllStringSubmatch(document(t, name), -1) {
			targets[m[1]] = true
		}
	}
	found := 0
	// In code, where a command stands by itself, behind settings, or in a line of a block.
	command := regexp.MustCompile("(?m)(?:^ *|`|=\\S* |&& )make ([a-z][a-z0-9-]*)")
	tool := regexp.MustCompile(`go run \./([A-Za-z0-9/_-]+)`)
	for _, name := range documents() {
		text := document(t, name)
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			found++
			if !targets[m[1]] {
				t.Errorf("%s says make %s, and the Makefile has no such target", name, m[1])
			}
		}
		for _, m := range tool.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s says go run ./%s: %v", name, m[1], err)
			}
		}
	}
	if found < 20 {
		t.Errorf("got %d commands, want all of them", found)
	}
}

func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	for _, name := range documents() {
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			path := name
			if file != "" {
				path = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(document(t, path)), anchor) {
				t.Errorf("%s links to %s: there is no such heading", name, m[1])
			}
		}
	}
}

// anchors are those of a document's headings, as GitHub makes them.
func anchors(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out = append(out, strings.ReplaceAll(plain, " ", "-"))
	}
	return out
}

func TestTheReadmeIsReadInThreeMinutes(t *testing.T) {
	t.Parallel()
	if got := strings.Count(document(t, "README.md"), "\n"); got > 150 {
		t.Errorf("got %d lines, want 150 at most: what is for operators or contributors has a document of its own", got)
	}
}

func TestTheNoticeNamesEveryModuleOfTheFunctions(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./functions/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	notice := document(t, "NOTICE")
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	for _, module := range slices.Compact(modules) {
		if strings.HasPrefix(module, "github.com/aws/aws-sdk-go-v2/") || module == "partneraccess" {
			continue // with its parent; our own
		}
		if !strings.Contains(notice, module+" ") {
			t.Errorf("NOTICE does not name %s, which is in the functions' binaries", module)
		}
	}
}
