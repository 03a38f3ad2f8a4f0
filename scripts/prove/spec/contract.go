package spec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"partneraccess/shared/httpapi"
)

// Contract holds exchanges against an OpenAPI document. Parameters, statuses and headers are judged by kin-openapi. Bodies are judged by
// the JSON Schema library below it, from schemas that are compiled once: kin-openapi compiles a schema for each value, and leaves 2020-12
// for its own older validator where a schema has references.
type Contract struct {
	Doc    *openapi3.T
	bodies map[*openapi3.MediaType]*jsonschema.Schema
}

// contract is the one of shared/httpapi/openapi.yaml.
var contract = sync.OnceValues(func() (*Contract, error) { //nolint:gochecknoglobals // read once, never changed
	return NewContract(context.Background(), httpapi.OpenAPI)
})

// NewContract reads and validates a document, its examples too.
func NewContract(ctx context.Context, document []byte) (*Contract, error) {
	loader := openapi3.NewLoader()
	loader.Context = ctx
	doc, err := loader.LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if err := doc.Validate(ctx); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	c := &Contract{Doc: doc, bodies: map[*openapi3.MediaType]*jsonschema.Schema{}}
	if err := c.compile(); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return c, nil
}

// contractURL is what the schemas' references are resolved against; nothing is fetched from it.
const contractURL = "https://partner-access.invalid/openapi.json"

// compile compiles the schema of every body, and holds the examples against it.
func (c *Contract) compile() error {
	text, err := c.Doc.MarshalJSON()
	if err != nil {
		return err
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(contractURL, whole); err != nil {
		return err
	}
	for name, s := range c.Doc.Components.Schemas {
		schema, err := compiler.Compile(contractURL + "#/components/schemas/" + name)
		if err != nil {
			return err
		}
		for _, e := range s.Value.Examples {
			if err := schema.Validate(e); err != nil {
				return fmt.Errorf("%s: example: %w", name, err)
			}
		}
	}
	for path, item := range c.Doc.Paths.Map() {
		if err := c.compileItem(compiler, "/paths/"+escape(path), item); err != nil {
			return err
		}
	}
	for name, item := range c.Doc.Webhooks {
		if err := c.compileItem(compiler, "/webhooks/"+escape(name), item); err != nil {
			return err
		}
	}
	return nil
}

// compileItem compiles the schemas of all bodies of a path or a webhook, which stands at the pointer.
func (c *Contract) compileItem(compiler *jsonschema.Compiler, pointer string, item *openapi3.PathItem) error {
	for method, op := range item.Operations() {
		here := pointer + "/" + strings.ToLower(method)
		if b := op.RequestBody; b != nil {
			if err := c.compileContent(compiler, resolve(b.Ref, here+"/requestBody"), b.Value.Content); err != nil {
				return err
			}
		}
		for status, r := range op.Responses.Map() {
			if err := c.compileContent(compiler, resolve(r.Ref, here+"/responses/"+status), r.Value.Content); err != nil {
				return err
			}
		}
	}
	return nil
}

// itemSchema is the schema of one line of JSON Lines; the body as a whole is a string.
const itemSchema = "x-item-schema"

// compileContent compiles the schemas of one body, which stands at the pointer, and holds its examples against them.
func (c *Contract) compileContent(compiler *jsonschema.Compiler, pointer string, of openapi3.Content) (err error) {
	for media, m := range of {
		if _, done := c.bodies[m]; done {
			continue
		}
		where := pointer + "/content/" + escape(media)
		if m.Schema == nil {
			return fmt.Errorf("%s has no schema", where)
		}
		schema := "/schema"
		if _, lines := m.Extensions[itemSchema]; lines {
			schema = "/" + itemSchema
		}
		if c.bodies[m], err = compiler.Compile(contractURL + "#" + where + schema); err != nil {
			return err
		}
		for name, value := range examples(m) {
			if err := c.example(media, m, value); err != nil {
				return fmt.Errorf("%s: example %s: %w", where, name, err)
			}
		}
	}
	return nil
}

func escape(token string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
}

func resolve(ref, here string) string {
	if pointer, is := strings.CutPrefix(ref, "#"); is {
		return pointer
	}
	return here
}

// examples are a body's examples as JSON.
func examples(m *openapi3.MediaType) map[string][]byte {
	out := map[string][]byte{}
	add := func(name string, v any) {
		if v != nil {
			out[name], _ = json.Marshal(v) // it was read from YAML
		}
	}
	add("example", m.Example)
	for name, e := range m.Examples {
		add(name, e.Value.Value)
	}
	return out
}

func (c *Contract) body(m *openapi3.MediaType, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	return c.bodies[m].Validate(value)
}

// example holds an example, which was JSON or a text, against the schema of its medium.
func (c *Contract) example(media string, m *openapi3.MediaType, value []byte) error {
	if media != "application/jsonl" {
		return c.body(m, value)
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return fmt.Errorf("no text: %w", err)
	}
	return c.lines(m, []byte(text))
}

// lines holds each line of JSON Lines against the schema.
func (c *Contract) lines(m *openapi3.MediaType, text []byte) error {
	for line := range bytes.Lines(text) {
		if err := c.body(m, line); err != nil {
			return err
		}
	}
	return nil
}

// Body tells how a request's body departs from what the operation of that path, as it stands in the document, takes.
func (c *Contract) Body(method, path string, text []byte) error {
	op := c.Doc.Paths.Value(path).GetOperation(method)
	if op.RequestBody == nil {
		return errors.New("it takes no body")
	}
	return c.body(op.RequestBody.Value.Content.Get("application/json"), text)
}

// operation finds the operation of a request, with the path's parameters; nil when there is none.
func (c *Contract) operation(method, escapedPath string) (*routers.Route, map[string]string) {
	sent := strings.Split(escapedPath, "/")
	for path, item := range c.Doc.Paths.Map() {
		op := item.GetOperation(method)
		wanted := strings.Split(path, "/")
		if op == nil || len(wanted) != len(sent) {
			continue
		}
		params := map[string]string{}
		fits := true
		for i, w := range wanted {
			value, err := url.PathUnescape(sent[i])
			if name, is := strings.CutPrefix(w, "{"); is {
				params[strings.TrimSuffix(name, "}")] = value
				fits = fits && value != ""
			} else {
				fits = fits && w == value
			}
			fits = fits && err == nil
		}
		if fits {
			return &routers.Route{Spec: c.Doc, Path: path, PathItem: item, Method: method, Operation: op}, params
		}
	}
	return nil, nil
}

// Check tells how an exchange departs from the contract: an answer always, a request when it succeeded.
func (c *Contract) Check(r *http.Request, body []byte, status int, header http.Header, answer []byte) error {
	route, params := c.operation(r.Method, r.URL.EscapedPath())
	if route == nil {
		if status != http.StatusNotFound { // which is the gateway's own
			return fmt.Errorf("%s %s is no operation of it", r.Method, r.URL.Path)
		}
		return nil
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			ExcludeRequestBody: true, ExcludeResponseBody: true, IncludeResponseStatus: true, SkipSettingDefaults: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	var wrong []error
	if status < 300 {
		wrong = append(wrong, c.request(in, body))
	}
	return errors.Join(append(wrong, c.response(in, status, header, answer))...)
}

// Message tells how what is sent to a receiver departs from the webhook of that name.
func (c *Contract) Message(name string, r *http.Request, body []byte) error {
	item := c.Doc.Webhooks[name]
	if item == nil || item.GetOperation(r.Method) == nil {
		return fmt.Errorf("%s is no webhook of it", name)
	}
	return c.request(&openapi3filter.RequestValidationInput{
		Request: r, Route: &routers.Route{Spec: c.Doc, Path: "/", PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		Options: &openapi3filter.Options{ExcludeRequestBody: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}, body)
}

func (c *Contract) request(in *openapi3filter.RequestValidationInput, body []byte) error {
	r, op := in.Request, in.Route.Operation
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	for name := range r.URL.Query() {
		if op.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return fmt.Errorf("the request: the query parameter %q is not declared", name)
		}
	}
	switch {
	case op.RequestBody == nil && len(body) > 0:
		return errors.New("the request: it has a body, and none is declared")
	case op.RequestBody == nil:
		return nil
	}
	m := op.RequestBody.Value.Content.Get(r.Header.Get("Content-Type"))
	if m == nil {
		return fmt.Errorf("the request: Content-Type %q is not declared", r.Header.Get("Content-Type"))
	}
	if r.Header.Get("Content-Type") == "text/csv" { // the tests say what it comes to
		return nil
	}
	if err := c.body(m, body); err != nil {
		return fmt.Errorf("the request's body: %w", err)
	}
	return nil
}

func (c *Contract) response(in *openapi3filter.RequestValidationInput, status int, header http.Header, answer []byte) error {
	if in.Route.Operation.Responses.Status(status) == nil { // the default is for what the gateway or a later version answers
		return fmt.Errorf("the answer: %d is not declared", status)
	}
	err := openapi3filter.ValidateResponse(in.Request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(answer)), Options: in.Options,
	})
	if err != nil {
		return fmt.Errorf("the answer: %d: %w", status, err)
	}
	declared := in.Route.Operation.Responses.Status(status).Value
	for name := range header {
		if !ofTransport(name) &&
			!slices.ContainsFunc(names(declared.Headers), func(d string) bool { return http.CanonicalHeaderKey(d) == name }) {
			return fmt.Errorf("the answer: %d: the header %s is not declared", status, name)
		}
	}
	if len(declared.Content) == 0 {
		if len(answer) > 0 {
			return fmt.Errorf("the answer: %d: it has a body, and none is declared", status)
		}
		return nil
	}
	media, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	m := declared.Content[media]
	if m == nil {
		return fmt.Errorf("the answer: %d: Content-Type %q is not declared", status, header.Get("Content-Type"))
	}
	check := c.body
	switch media {
	case "application/jsonl":
		check = c.lines
	case "text/csv", "text/html":
		check = func(*openapi3.MediaType, []byte) error { return nil } // the tests parse it
	}
	if err := check(m, answer); err != nil {
		return fmt.Errorf("the answer's body: %d: %w", status, err)
	}
	return nil
}

// ofTransport tells which headers say nothing of the operation.
func ofTransport(name string) bool {
	switch name {
	case "Content-Type", "Content-Length", "Date", "Vary", "Apigw-Requestid":
		return true
	}
	return strings.HasPrefix(name, "Access-Control-")
}

func names(h openapi3.Headers) []string {
	out := make([]string, 0, len(h))
	for name := range h {
		out = append(out, name)
	}
	return out
}

// checkContract tells how an exchange departs from shared/httpapi/openapi.yaml.
func checkContract(r *http.Request, body []byte, a *Answer) error {
	c, err := contract()
	if err != nil {
		return err
	}
	return c.Check(r, body, a.Status, a.Header, a.Body)
}
