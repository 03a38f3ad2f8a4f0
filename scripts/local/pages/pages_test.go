package pages_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"partneraccess/scripts/local/pages"
	"partneraccess/shared/console"
)

func folder() fstest.MapFS {
	return fstest.MapFS{
		"index.html":             {Data: []byte("<!doctype html><title>the page</title>")},
		"icon.svg":               {Data: []byte("<svg/>")},
		"assets/index-abc1.js":   {Data: []byte(strings.Repeat("console.log(1);\n", 1000))},
		"assets/sans-abc1.woff2": {Data: []byte("wOF2....")},
	}
}

func get(t *testing.T, h http.Handler, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestEveryPathOfTheConsoleIsThePageItself(t *testing.T) {
	t.Parallel()
	h, err := pages.New(folder(), console.Settings{Local: true})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		status      int
		cache, kind string
	}{
		"/":                        {200, "no-cache", "text/html; charset=utf-8"},
		"/customers/acme/partners": {200, "no-cache", "text/html; charset=utf-8"},
		"/customers/acme.inc":      {200, "no-cache", "text/html; charset=utf-8"},
		"/assets":                  {200, "no-cache", "text/html; charset=utf-8"},
		"/assets/index-abc1.js":    {200, "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		"/assets/index-gone.js":    {404, "no-store", "text/plain; charset=utf-8"},
		"/icon.svg":                {200, "no-cache", "image/svg+xml"},
		"/settings.json":           {200, "no-cache", "application/json"},
	} {
		res := get(t, h, path)
		if res.StatusCode != want.status || res.Header.Get("Cache-Control") != want.cache || res.Header.Get("Content-Type") != want.kind {
			t.Errorf("%s: got %d, %q, %q, want %+v", path, res.StatusCode, res.Header.Get("Cache-Control"), res.Header.Get("Content-Type"), want)
		}
		if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: got X-Content-Type-Options %q, want nosniff", path, got)
		}
	}
}

func TestTextIsCompressedForThoseWhoAskForIt(t *testing.T) {
	t.Parallel()
	h, err := pages.New(folder(), console.Settings{Local: true})
	if err != nil {
		t.Fatal(err)
	}
	plain := string(folder()["assets/index-abc1.js"].Data)
	res := get(t, h, "/assets/index-abc1.js", "Accept-Encoding", "br, gzip;q=0.8")
	if got := res.Header.Get("Content-Encoding"); got != "gzip" || res.ContentLength <= 0 || res.ContentLength > 200 {
		t.Fatalf("got Content-Encoding %q and %d bytes, want gzip and far fewer than %d", got, res.ContentLength, len(plain))
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != plain {
		t.Errorf("got %d bytes (%v), want the file's %d", len(got), err, len(plain))
	}
	for _, accept := range []string{"", "br", "gzip;q=0"} {
		if got := get(t, h, "/assets/index-abc1.js", "Accept-Encoding", accept).Header.Get("Content-Encoding"); got != "" {
			t.Errorf("Accept-Encoding %q: got Content-Encoding %q, want none", accept, got)
		}
	}
	if got := get(t, h, "/assets/sans-abc1.woff2", "Accept-Encoding", "gzip").Header.Get("Content-Encoding"); got != "" {
		t.Errorf("a font: got Content-Encoding %q, want none: it is compressed already", got)
	}
}

func TestThePolicyLetsThePageReachTheAPIAndTheLoginAlone(t *testing.T) {
	t.Parallel()
	const rest = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "
	const end = "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	for _, c := range []struct {
		settings console.Settings
		want     string
	}{
		{console.Settings{Local: true}, "'self'"},
		{console.Settings{API: "https://api.example"}, "'self' https://api.example"},
		{
			console.Settings{API: "https://api.example/stage", Login: &console.Login{Token: "https://login.example/oauth2/token"}},
			"'self' https://api.example https://login.example",
		},
	} {
		h, err := pages.New(folder(), c.settings)
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, h, "/").Header.Get("Content-Security-Policy"); got != rest+c.want+end {
			t.Errorf("got %q, want %q", got, rest+c.want+end)
		}
		var got console.Settings
		if err := json.NewDecoder(get(t, h, "/settings.json").Body).Decode(&got); err != nil || got.API != c.settings.API {
			t.Errorf("settings: got %+v (%v), want %+v", got, err, c.settings)
		}
	}
	if _, err := pages.New(folder(), console.Settings{API: "api.example; script-src *"}); err == nil {
		t.Error("got no error for an API that is no address")
	}
}

func TestOnlyThePagesOfTheSettingsMayShowTheConsole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		embed           []string
		policy, options string
	}{
		{nil, "; frame-ancestors 'none';", "DENY"},
		{[]string{"https://app.example", "http://localhost:8090"}, "; frame-ancestors https://app.example http://localhost:8090;", ""},
	} {
		h, err := pages.New(folder(), console.Settings{Local: true, Embed: c.embed})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", "/customers/acme/partners", "/settings.json", "/assets/index-abc1.js"} {
			header := get(t, h, path).Header
			if got := header.Get("Content-Security-Policy"); !strings.Contains(got, c.policy) {
				t.Errorf("%v, %s: got the policy %q, want %q in it", c.embed, path, got, c.policy)
			}
			if got := header.Get("X-Frame-Options"); got != c.options {
				t.Errorf("%v, %s: got X-Frame-Options %q, want %q", c.embed, path, got, c.options)
			}
		}
	}
	if _, err := pages.New(folder(), console.Settings{Local: true, Embed: []string{"*"}}); err == nil {
		t.Error("got no error for a wildcard")
	}
}

func TestAFolderThatIsNotBuiltIsSaid(t *testing.T) {
	t.Parallel()
	if _, err := pages.New(fstest.MapFS{}, console.Settings{}); err == nil || !strings.Contains(err.Error(), "run build") {
		t.Errorf("got %v, want an error that says how to build it", err)
	}
}

func TestThePagesLeaveTheAPIAlone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/": true, "/customers/acme/partners": true, "/v1x": true, "/settings.json": true,
		"/v1": false, "/v1/me": false, "/access/v1/evaluation": false, "/.well-known/authzen-configuration": false, "/_local/mailbox": false,
	} {
		if got := pages.Owns(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
