package spec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"partneraccess/events"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

func TestMain(m *testing.M) { os.Exit(spec.Main(m)) }

// ours is read once: with the race detector that takes many seconds.
var ours = sync.OnceValues(func() (*spec.Contract, error) {
	return spec.NewContract(context.Background(), httpapi.OpenAPI)
})

func contract(t *testing.T) *spec.Contract {
	t.Helper()
	c, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheContractIsAnOpenAPI31DocumentAndItsExamplesKeepToIt(t *testing.T) {
	t.Parallel()
	c := contract(t)
	if !c.Doc.IsOpenAPI31OrLater() {
		t.Errorf("openapi: got %s, want 3.1", c.Doc.OpenAPI)
	}
	for _, broken := range []struct{ of, old, with string }{
		{"a request's example", "{email: kim@contoso.example, level: view}", "{email: kim@contoso.example, level: most}"},
		{"an answer's example", "results: [{name: sign_in}", "results: [{name: sign_in, id: 1}"},
		{"a schema's example", "version: 7", "version: '7'"},
		{"a webhook's example", "example: {token: 3f2c9d51b08e47a6}", "example: {token: 7}"},
		{"a reference", "'#/components/schemas/GrantChange'", "'#/components/schemas/GrantChanges'"},
	} {
		document := bytes.Replace(httpapi.OpenAPI, []byte(broken.old), []byte(broken.with), 1)
		if bytes.Equal(document, httpapi.OpenAPI) {
			t.Errorf("%s: %q does not stand in the document", broken.of, broken.old)
		}
		if _, err := spec.NewContract(t.Context(), document); err == nil {
			t.Errorf("%s that is wrong: got no error", broken.of)
		}
	}
}

func TestTheContractHasTheRoutesThatAreDeployedAndNoOthers(t *testing.T) {
	t.Parallel()
	c := contract(t)
	var want, got []string
	public, scopes := map[string]bool{}, map[string][]string{}
	for _, f := range manifest.Functions() {
		for _, r := range f.Routes {
			if r.Fallback { // of what is no operation
				continue
			}
			want = append(want, r.Key())
			public[r.Key()], scopes[r.Key()] = r.Public, r.Scopes
		}
	}
	for path, item := range c.Doc.Paths.Map() {
		for method, op := range item.Operations() {
			key := method + " " + path
			got = append(got, key)
			if open := op.Security != nil && len(*op.Security) == 0; open != public[key] {
				t.Errorf("%s: got a contract that asks for no token: %v, want %v", key, open, public[key])
			}
			var asked []string
			if op.Security != nil && len(*op.Security) > 0 {
				asked = (*op.Security)[0]["token"]
			}
			if !slices.Equal(asked, scopes[key]) {
				t.Errorf("%s: got a contract that asks for the scopes %q, want %q", key, asked, scopes[key])
			}
		}
	}
	same(t, "routes", got, want)
}

func TestTheContractNamesEverythingThatTheServiceSays(t *testing.T) {
	t.Parallel()
	c := contract(t)
	var codes []string
	for _, r := range c.Doc.Components.Responses {
		if m := r.Value.Content["application/problem+json"]; m != nil {
			for _, s := range m.Schema.Value.AllOf {
				if code := s.Value.Properties["code"]; code != nil {
					codes = append(codes, enum(code)...)
				}
			}
		}
	}
	same(t, "problem codes", codes, texts(slices.Values(httpapi.ProblemCodes())))

	schemas := c.Doc.Components.Schemas
	same(t, "event types", enum(schemas["EventType"]), texts(slices.Values(events.Types())))
	ends := slices.Concat(enum(schemas["EndReason"]), enum(schemas["InvitationReason"]), enum(schemas["RequestReason"]))
	slices.Sort(ends)
	same(t, "reasons of an end", slices.Compact(ends), texts(maps.Keys(endReasons)))
	same(t, "reasons of a decision", enum(schemas["Decision"].Value.Properties["context"].Value.Properties["reason"]),
		texts(maps.Keys(decisionReasons)))
	same(t, "roles", enum(schemas["Role"]), texts(maps.Keys(roles)))
}

func TestPagesOfOtherOriginsHaveTheHeadersOfTheContract(t *testing.T) {
	t.Parallel()
	const page = "https://cloud.example"
	w := spec.New(t, func(c *stack.Config) { c.Origins = []string{page} })
	headers := func(method, answer string) []string {
		r, err := http.NewRequestWithContext(t.Context(), method, w.Stack.URL()+"/v1/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", page)
		r.Header.Set("Access-Control-Request-Method", "GET")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return strings.Split(res.Header.Get(answer), ",")
	}
	allowed, exposed := headers("OPTIONS", "Access-Control-Allow-Headers"), headers("GET", "Access-Control-Expose-Headers")
	simple := []string{"cache-control", "content-type", "www-authenticate"} // the first two are read without; the last one is for no page
	for path, item := range contract(t).Doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if name := strings.ToLower(p.Value.Name); p.Value.In == "header" && !slices.Contains(allowed, name) {
					t.Errorf("%s %s: a page may not send %s", method, path, name)
				}
			}
			for _, response := range op.Responses.Map() {
				for name := range response.Value.Headers {
					if name = strings.ToLower(name); !slices.Contains(exposed, name) && !slices.Contains(simple, name) {
						t.Errorf("%s %s: a page cannot read %s", method, path, name)
					}
				}
			}
		}
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s: %q stands in openapi.yaml and is unknown to the code", what, g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s: %q is missing in openapi.yaml", what, w)
		}
	}
}

func enum(s *openapi3.SchemaRef) []string {
	var out []string
	for _, v := range s.Value.Enum {
		out = append(out, v.(string))
	}
	return out
}

// The texts that the service says, of each kind. The linter exhaustive keeps the lists as long as the code's.
var (
	//exhaustive:enforce
	endReasons = map[access.Reason]struct{}{
		access.RevokedByCustomer: {}, access.RelinquishedByPartner: {}, access.Expired: {}, access.PartnerRemoved: {},
		access.CustomerRemoved: {}, access.RelationshipEnded: {}, access.ManagementEnded: {}, access.GrantEnded: {},
		access.ChoiceChanged: {}, access.InviterLeft: {}, access.NotActive: {}, access.NotEligible: {},
		access.ManagedNow: {}, access.PeriodChanged: {}, access.RequesterLeft: {}, access.Fulfilled: {},
	}

	//exhaustive:enforce
	decisionReasons = map[access.DecisionReason]struct{}{
		access.Granted: {}, access.UnknownSubject: {}, access.DeniedPartnerNotActive: {},
		access.DeniedPartnerNotEligible: {}, access.SSORequired: {}, access.DeniedUserNotActive: {}, access.NoGrant: {},
		access.NotYetActive: {}, access.DeniedSuspended: {}, access.DeniedExpired: {}, access.DeniedEnded: {},
		access.UserNotAssigned: {}, access.DeniedConflict: {}, access.DeniedOwnOrganisation: {}, access.LevelTooLow: {},
		access.ActionNotAllowed: {}, access.RoleNotAllowed: {},
	}

	//exhaustive:enforce
	roles = map[access.Role]struct{}{
		access.Owner: {}, access.Admin: {}, access.Business: {}, access.Tech: {}, access.SalesMarketing: {}, access.External: {},
	}
)

// texts are the keys of such a list.
func texts[T ~string](of iter.Seq[T]) []string {
	var out []string
	for text := range of {
		out = append(out, string(text))
	}
	return out
}

// An exchange, changed in one place so that it is wrong, is refused: what passes has been looked at.
func TestAnExchangeThatDepartsFromTheContractIsRefused(t *testing.T) {
	t.Parallel()
	c := contract(t)
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	request := `{"partner":"contoso","users":["` + kim + `"],"until":"2027-03-01T00:00:00Z"}`
	path := "/v1/customers/acme/grants"
	made := w.AdminOf("acme").Do("POST", path, request).Want(201)

	type exchange struct {
		method, path, request string
		status                int
		header                http.Header
		answer                string
	}
	set := func(pointer string, v any) func(*exchange) {
		return func(e *exchange) {
			var whole any
			if err := json.Unmarshal([]byte(e.answer), &whole); err != nil {
				t.Error(err)
			}
			steps := strings.Split(pointer, ".")
			in := whole
			for _, s := range steps[:len(steps)-1] {
				in = in.(map[string]any)[s]
			}
			last := steps[len(steps)-1]
			if v == nil {
				delete(in.(map[string]any), last)
			} else {
				in.(map[string]any)[last] = v
			}
			text, _ := json.Marshal(whole)
			e.answer = string(text)
		}
	}
	refused := func(status int, problem string) func(*exchange) {
		return func(e *exchange) {
			e.status, e.answer = status, problem
			e.header.Set("Content-Type", "application/problem+json")
			e.header.Del("ETag")
			e.header.Del("Location")
		}
	}
	const notFound = `{"type":"/v1/problems#not_found","title":"Not found","status":404,"code":"not_found","detail":"d","request_id":"r"}`
	for _, tc := range []struct {
		name   string
		change func(*exchange)
		kept   bool
	}{
		{"as it was", func(*exchange) {}, true},
		{"another status that is declared", func(e *exchange) { e.status = 200; e.header.Del("Location") }, true},
		{"a status that is not declared", func(e *exchange) { e.status = 202 }, false},
		{"a member that is missing", set("grant.until", nil), false},
		{"a member that is unknown", set("grant.colour", "red"), false},
		{"a member that is unknown, at the top", set("colour", "red"), false},
		{"another type", set("grant.version", "1"), false},
		{"another word", set("grant.status", "open"), false},
		{"a time that is no time", set("grant.from", "yesterdayZ"), false},
		{"a time that is not in UTC", set("grant.from", "2026-11-22T11:00:00+01:00"), false},
		{"null where there has to be something", set("grant.level", json.RawMessage("null")), false},
		{"an id of another shape", set("grant.id", "1"), false},
		{"a wrong element of a list", set("changes.added", []any{"kim"}), false},
		{"no ETag", func(e *exchange) { e.header.Del("ETag") }, false},
		{"an ETag without quotes", func(e *exchange) { e.header.Set("ETag", "1") }, false},
		{"no Location", func(e *exchange) { e.header.Del("Location") }, false},
		{"no X-Request-ID", func(e *exchange) { e.header.Del("X-Request-ID") }, false},
		{"a header that is not declared", func(e *exchange) { e.header.Set("X-Colour", "red") }, false},
		{"another Content-Type", func(e *exchange) { e.header.Set("Content-Type", "text/plain") }, false},
		{"a body that is no JSON", func(e *exchange) { e.answer = "yes" }, false},
		{"a problem document", refused(404, notFound), true},
		{"a problem whose code is of another status", refused(409, strings.Replace(notFound, `"status":404`, `"status":409`, 1)), false},
		{"a problem whose status is not the answer's", refused(409, strings.Replace(notFound, `"not_found"`, `"ended"`, 1)), false},
		{"a problem without request_id", refused(404, strings.Replace(notFound, `,"request_id":"r"`, "", 1)), false},
		{"a problem with an unknown member", refused(404, strings.Replace(notFound, `"title"`, `"colour":1,"title"`, 1)), true},
		{"an accepted request with an unknown member", func(e *exchange) { e.request = `{"partner":"contoso","colour":"red"}` }, false},
		{"an accepted request with another type", func(e *exchange) { e.request = `{"partner":"contoso","everyone":"yes"}` }, false},
		{"an accepted request that names nobody", func(e *exchange) { e.request = `{"level":"view"}` }, false},
		{"a refused request may be anything", func(e *exchange) { refused(404, notFound)(e); e.request = `{"colour":"red"}` }, true},
		{"a query parameter that is not declared", func(e *exchange) { e.path += "?colour=red" }, false},
		{"an id of another shape in the path", func(e *exchange) { e.path = "/v1/customers/%20/grants" }, false},
		{"an operation that is not declared", func(e *exchange) { e.method = "PUT" }, false},
	} {
		e := exchange{"POST", path, request, made.Status, made.Header.Clone(), string(made.Body)}
		tc.change(&e)
		r, err := http.NewRequestWithContext(context.Background(), e.method, "http://127.0.0.1"+e.path, strings.NewReader(e.request))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if err := c.Check(r, []byte(e.request), e.status, e.header, []byte(e.answer)); (err == nil) != tc.kept {
			t.Errorf("%s: got error %v, want one: %v", tc.name, err, !tc.kept)
		}
	}
}
