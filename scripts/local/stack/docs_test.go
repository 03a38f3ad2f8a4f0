package stack_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
)

func TestTheContractIsServedAsYAMLAndJSON(t *testing.T) {
	t.Parallel()
	s := startWithPages(t, nil)
	if got := fetch(t, s.URL()+"/openapi.yaml"); got != string(httpapi.OpenAPI) {
		t.Errorf("got %d bytes of YAML, want the contract's %d", len(got), len(httpapi.OpenAPI))
	}
	text := fetch(t, s.URL()+"/openapi.json")
	fromJSON, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil || !json.Valid([]byte(text)) {
		t.Fatalf("got JSON that is no contract: %v", err)
	}
	fromYAML, err := openapi3.NewLoader().LoadFromData(httpapi.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fromJSON.Paths.Len(), fromYAML.Paths.Len(); got != want {
		t.Errorf("got %d paths in JSON, want the %d of YAML", got, want)
	}
}

func TestTheReferenceLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	s := startWithPages(t, nil)
	res := answer(t, http.MethodGet, s.URL()+"/docs", "")
	if got := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self'") {
		t.Errorf("got the policy %q, want one that lets only the page's own scripts in", got)
	}
	if page := fetch(t, s.URL()+"/docs"); strings.Contains(page, "http:") || strings.Contains(page, "https:") {
		t.Errorf("got a page that names another address: %s", page)
	}
	bundle := fetch(t, s.URL()+"/docs/redoc.js")
	if len(bundle) < 500_000 || strings.Contains(bundle, "cdn.") {
		t.Errorf("got a bundle of %d bytes, want Redoc's without addresses of CDNs", len(bundle))
	}
}

func TestTheDocumentsComeBeforeThePages(t *testing.T) {
	t.Parallel()
	s := startWithPages(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") }))
	for path, kind := range map[string]string{
		"/openapi.yaml": "application/yaml", "/openapi.json": "application/json", "/docs": "text/html; charset=utf-8",
		"/llms.txt": "text/plain; charset=utf-8",
	} {
		if res := answer(t, http.MethodGet, s.URL()+path, ""); res.StatusCode != 200 || res.Header.Get("Content-Type") != kind {
			t.Errorf("%s: got %d, %s, want %s", path, res.StatusCode, res.Header.Get("Content-Type"), kind)
		}
	}
	if res := answer(t, http.MethodPost, s.URL()+"/docs", "{}"); res.StatusCode != 405 {
		t.Errorf("POST /docs: got %d, want 405", res.StatusCode)
	}
}

// Each address that the guide names is there, and its example is answered.
func TestTheGuideForLanguageModelsIsTrue(t *testing.T) {
	t.Parallel()
	s, err := stack.Start(t.Context(), stack.Config{
		Engine: engine.Shared(t), Table: "docs-guide", CreateTable: dynamo.CreateTable, Handlers: stack.Functions,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	guide := fetch(t, s.URL()+"/llms.txt")
	links := 0
	for _, part := range strings.Split(guide, "](")[1:] {
		address, _, _ := strings.Cut(part, ")")
		links++
		if res := answer(t, http.MethodGet, address, ""); res.StatusCode != 200 || !strings.HasPrefix(address, s.URL()) {
			t.Errorf("%s: got %d, want a document of this stack", address, res.StatusCode)
		}
	}
	if links < 5 {
		t.Errorf("got %d links, want those to the contract, the reference, the problems and the metadata", links)
	}
	_, after, found := strings.Cut(guide, "POST "+s.URL())
	path, _, _ := strings.Cut(after, "\n")
	start, end := strings.Index(after, `{"subject"`), strings.Index(after, "\n\nThe answer")
	if !found || start < 0 || end < start {
		t.Fatalf("got a guide without the request of a check:\n%s", guide)
	}
	token, err := s.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck})
	if err != nil {
		t.Fatal(err)
	}
	res := answer(t, http.MethodPost, s.URL()+path, after[start:end], "Authorization", "Bearer "+token, "Content-Type", "application/json")
	if res.StatusCode != 200 {
		t.Errorf("POST %s: got %d, want a decision", path, res.StatusCode)
	}
}

func answer(t *testing.T, method, address, body string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}
