package setup_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/setup"
)

func TestSettingsThatAreMissingOrWrongAreNamed(t *testing.T) {
	full := map[string]string{
		"TABLE_NAME": "t", "BASE_URL": "https://access.example/", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a",
		"AWS_SECRET_ACCESS_KEY": "b",
	}
	bad := filepath.Join(t.TempDir(), "catalogue.json")
	if err := os.WriteFile(bad, []byte(`{"levels":{"all":[]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ set, to, want string }{
		{"", "", ""},
		{"TABLE_NAME", "", "TABLE_NAME"},
		{"BASE_URL", "", "BASE_URL"},
		{"AWS_REGION", "", "AWS_REGION"},
		{"CATALOGUE_FILE", filepath.Join(t.TempDir(), "none.json"), "CATALOGUE_FILE"},
		{"CATALOGUE_FILE", bad, "CATALOGUE_FILE"},
		{"LOG_ALLOWS", "101", "LOG_ALLOWS"},
		{"LOG_ALLOWS", "1%", "LOG_ALLOWS"},
		{"LOG_ALLOWS", "0", ""},
	} {
		_, err := setup.Check(&setup.Environment{Now: time.Now, Log: slog.New(slog.DiscardHandler), Getenv: func(name string) string {
			if name == c.set {
				return c.to
			}
			return full[name]
		}})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s=%q: got %v, want an error about %q", c.set, c.to, err, c.want)
		}
	}
}
