package setup_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

func TestLambdaSaysWhenItEndsTheProcess(t *testing.T) {
	asked := make(chan string, 2)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked <- strings.TrimSpace(fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.Header.Get("Lambda-Extension-Name"),
			r.Header.Get("Lambda-Extension-Identifier"), " ", string(body)))
		if r.URL.Path == "/2020-01-01/extension/event/next" {
			<-r.Context().Done() // none ever comes
		}
		w.Header().Set("Lambda-Extension-Identifier", "id")
	}))
	defer api.Close()
	ended := make(chan bool, 1)
	if err := setup.OnShutdown(api.Listener.Addr().String(), func() { ended <- true }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`POST /2020-01-01/extension/register last-figures {"events":null}`, "GET /2020-01-01/extension/event/next id"} {
		if got := <-asked; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
}

func TestWithoutAnExtensionsAPIThatIsSaid(t *testing.T) {
	api := httptest.NewServer(http.NotFoundHandler())
	defer api.Close()
	for where, want := range map[string]string{api.Listener.Addr().String(): "404", "127.0.0.1:1": "reach the Extensions API"} {
		if err := setup.OnShutdown(where, func() {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", where, err, want)
		}
	}
}
