package embedhost_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"partneraccess/scripts/local/embedhost"
)

func TestThePageHasItsScriptFromThePages(t *testing.T) {
	t.Parallel()
	h := embedhost.New(fstest.MapFS{
		"index.html": {Data: []byte(`<script src="{pages}/embed.js"></script>`)}, "secret.txt": {Data: []byte("x")},
	}, "http://127.0.0.1:8080", func(email string) (string, error) {
		if email == "" {
			return "", errors.New("nobody")
		}
		return "token of " + email, nil
	})
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/":                  {http.StatusOK, `src="http://127.0.0.1:8080/embed.js"`},
		"/token?as=a@b.test": {http.StatusOK, "token of a@b.test"},
		"/token":             {http.StatusForbidden, "nobody"},
		"/secret.txt":        {http.StatusNotFound, ""},
		"/host.js":           {http.StatusInternalServerError, "host.js"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.body) {
			t.Errorf("%s: got %d %q, want %d with %q", path, w.Code, w.Body, want.status, want.body)
		}
		if policy := w.Header().Get("Content-Security-Policy"); path == "/" && !strings.Contains(policy, "frame-src http://127.0.0.1:8080;") {
			t.Errorf("got the policy %q, want the pages allowed in a frame", policy)
		}
	}
}
