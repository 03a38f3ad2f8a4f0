// Package apidocs serves what programmers and their tools read of the API: the contract as YAML and JSON, the reference that is rendered
// from it, and a guide for language models. Nothing of it is loaded from elsewhere.
package apidocs

import (
	"bytes"
	_ "embed" // for the page and the guide
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"text/template"
	"time"

	"github.com/oasdiff/yaml"

	"partneraccess/scripts/local/child"
	"partneraccess/shared/httpapi"
)

//go:embed docs.html
var page []byte

//go:embed llms.txt
var guide string

// The page's policy: Redoc writes its styles into the page, and searches in a worker that it makes itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// asJSON is the contract as JSON.
var asJSON = sync.OnceValues(func() ([]byte, error) { //nolint:gochecknoglobals // made once, never changed
	return yaml.YAMLToJSON(httpapi.OpenAPI)
})

// Handler serves the documents of a service at one address.
type Handler struct {
	files map[string]file
}

// file makes a document when it is asked for.
type file struct {
	kind    string
	content func() ([]byte, error)
}

// New serves the documents of the service at that address, which has no slash at the end.
func New(address string) *Handler {
	fixed := func(content []byte) func() ([]byte, error) { return func() ([]byte, error) { return content, nil } }
	return &Handler{map[string]file{
		"/openapi.yaml":  {"application/yaml", fixed(httpapi.OpenAPI)},
		"/openapi.json":  {"application/json", asJSON},
		"/docs":          {"text/html; charset=utf-8", fixed(page)},
		"/docs/redoc.js": {"text/javascript; charset=utf-8", redoc},
		"/llms.txt":      {"text/plain; charset=utf-8", func() ([]byte, error) { return guideFor(address) }},
	}}
}

// Owns returns whether a path is one of the documents'.
func (h *Handler) Owns(path string) bool {
	_, is := h.files[path]
	return is
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, is := h.files[r.URL.Path]
	if !is {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this is a document", http.StatusMethodNotAllowed)
		return
	}
	content, err := f.content()
	if err != nil {
		http.Error(w, "the document cannot be read: run `make setup`", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", policy)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// redoc is Redoc's bundle. Its logo, which it would load from elsewhere, is left out.
func redoc() ([]byte, error) {
	modules, err := child.NodeModules()
	if err != nil {
		return nil, err
	}
	bundle, err := os.ReadFile(filepath.Join(modules, "redoc", "bundles", "redoc.standalone.js"))
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(bundle, []byte("https://cdn.redoc.ly/redoc/logo-mini.svg"), []byte("data:,")), nil
}

func guideFor(address string) ([]byte, error) {
	t, err := template.New("llms.txt").Parse(guide)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct{ Base string }{address})
	return b.Bytes(), err
}
