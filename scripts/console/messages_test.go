package console_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The catalogue of shared/messages, as language/check.mjs judges it. Which keys and parameters the pages give is the compiler's to find.
func TestTheCatalogueIsWhole(t *testing.T) {
	if wrong := checkCatalogue(t); wrong != "" {
		t.Error(wrong)
	}
}

func TestTheCatalogueCheckFindsWhatIsWrong(t *testing.T) {
	right := map[string]string{"pages.a": "Add {name}", "words.count": "{count, plural, one {# user} other {# users}}"}
	for _, c := range []struct {
		name   string
		german map[string]string
		want   string
	}{
		{"nothing", map[string]string{"pages.a": "{name} hinzufügen", "words.count": "{count, plural, other {# Benutzer}}"}, ""},
		{"a missing key", map[string]string{"pages.a": "{name} hinzufügen"}, "de: words.count is missing"},
		{
			"a superfluous key",
			map[string]string{"pages.a": "{name}", "pages.b": "B", "words.count": "{count, plural, other {#}}"},
			"de: pages.b is not in English",
		},
		{
			"other parameters",
			map[string]string{"pages.a": "{named} hinzufügen", "words.count": "{count, plural, other {#}}"},
			"de: pages.a has named (text), English has name (text)",
		},
		{
			"a plural that is none",
			map[string]string{"pages.a": "{name}", "words.count": "{count} Benutzer"},
			"de: words.count has count (text), English has count (number)",
		},
		{"a broken pattern", map[string]string{"pages.a": "{name hinzufügen", "words.count": "{count, plural, other {#}}"}, "de: pages.a "},
		{
			"more of MessageFormat than others read",
			map[string]string{"pages.a": "{name, number}", "words.count": "{count, plural, other {#}}"},
			"de: pages.a uses what is neither",
		},
		{"an empty text", map[string]string{"pages.a": "", "words.count": "{count, plural, other {#}}"}, "de: pages.a is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			writeJSON(t, filepath.Join(dir, "en.json"), right)
			writeJSON(t, filepath.Join(dir, "de.json"), c.german)
			write(t, filepath.Join(dir, "page.tsx"), "t('pages.a', { name }); t('words.count', { count })")
			got := checkCatalogue(t, dir, dir)
			if got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheCatalogueCheckFindsUnusedKeys(t *testing.T) {
	dir := t.TempDir()
	words := map[string]string{"pages.a": "A", "words.level.view": "View"}
	writeJSON(t, filepath.Join(dir, "en.json"), words)
	writeJSON(t, filepath.Join(dir, "de.json"), words)
	write(t, filepath.Join(dir, "page.tsx"), "t(`words.level.${level}`)")
	if got, want := checkCatalogue(t, dir, dir), "en: pages.a is not used\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkCatalogue returns what language/check.mjs says; "" when nothing is wrong.
func checkCatalogue(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "node", append([]string{"language/check.mjs"}, args...)...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if (err != nil) != (len(out) > 0) {
		t.Fatalf("got %v, and said %q", err, out)
	}
	return string(out)
}

func writeJSON(t *testing.T, path string, content map[string]string) {
	t.Helper()
	text, err := json.Marshal(content) // with its keys sorted
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text))
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
