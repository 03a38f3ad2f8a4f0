package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/shared/access"
	"partneraccess/shared/httpapi"
)

const (
	kim         = "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S1" // a technician, in acme's grant
	lea         = "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S2" // the owner, not in it
	unknownUser = "contoso:01JD8Z6Q7YB5V3K2N4M6P8R0S9"
	checker     = "partner-access/check"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// facts is a fact source in memory: partner contoso, its users kim and lea, and its grants.
type facts struct {
	grants map[string]*access.Grant // by customer
	ins    map[string]bool          // customer + user
	err    error
	asked  []string // each call
}

func newFacts(customers ...string) *facts {
	f := &facts{grants: map[string]*access.Grant{}, ins: map[string]bool{}}
	for _, c := range customers {
		f.grants[c] = &access.Grant{
			ID: "grt_" + c, Customer: c, Partner: "contoso", Level: access.Support, State: access.StateOpen, Until: noon.Add(time.Hour),
		}
		f.ins[c+kim] = true
	}
	return f
}

func (f *facts) Facts(_ context.Context, qs []access.FactsQuery, c access.Consistency) ([]access.Facts, error) {
	f.asked = append(f.asked, fmt.Sprintf("facts %s %d", c, len(qs)))
	if f.err != nil {
		return nil, f.err
	}
	out := make([]access.Facts, len(qs))
	for i, q := range qs {
		if !strings.HasPrefix(q.User, "contoso:") {
			continue
		}
		out[i].Partner = &access.Partner{ID: "contoso", Class: access.Channel, Offer: access.Manage, Status: access.Active}
		switch q.User {
		case kim:
			out[i].User = &access.User{ID: kim, Partner: "contoso", Number: 1, Role: access.Tech, Status: access.Active}
		case lea:
			out[i].User = &access.User{ID: lea, Partner: "contoso", Number: 2, Role: access.Owner, Status: access.Active}
		}
		out[i].Grant = f.grants[q.Customer]
		if f.ins[q.Customer+q.User] {
			out[i].Assignment = &access.Assignment{Customer: q.Customer, User: q.User}
		}
	}
	return out, nil
}

func (f *facts) UserByEmail(_ context.Context, address string) (string, error) {
	f.asked = append(f.asked, "email "+address)
	return map[string]string{"kim@contoso.example": kim, "lea@contoso.example": lea}[address], f.err
}

func paged(all []string, ask access.PageRequest) access.Page[string] {
	slices.Sort(all)
	from, there := slices.BinarySearch(all, ask.After)
	if there {
		from++
	}
	all = all[from:]
	if len(all) <= ask.Limit {
		return access.Page[string]{Items: all}
	}
	return access.Page[string]{Items: all[:ask.Limit], Next: all[ask.Limit-1]}
}

func (f *facts) CustomersOf(_ context.Context, partner string, ask access.PageRequest) (access.Page[string], error) {
	if partner != "contoso" {
		return access.Page[string]{}, f.err
	}
	return paged(slices.Collect(maps.Keys(f.grants)), ask), f.err
}

func (f *facts) PartnersOf(_ context.Context, customer string, ask access.PageRequest) (access.Page[string], error) {
	if f.grants[customer] == nil {
		return access.Page[string]{}, f.err
	}
	return paged([]string{"contoso"}, ask), f.err
}

func (f *facts) UsersOf(_ context.Context, partner string, ask access.PageRequest) (access.Page[string], error) {
	if partner != "contoso" {
		return access.Page[string]{}, f.err
	}
	return paged([]string{kim, lea}, ask), f.err
}

// post is a request and who sends it.
type post struct {
	path    string
	body    string
	headers map[string]string
	claims  map[string]string
}

type answer struct {
	Status  int
	Headers map[string]string
	Body    string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return m
}

func send(t *testing.T, h lambda.Handler, p post) answer {
	t.Helper()
	method := "POST"
	if p.body == "" && strings.HasPrefix(p.path, "/.well-known") {
		method = "GET"
	}
	headers := map[string]string{"content-type": "application/json"}
	maps.Copy(headers, p.headers)
	if p.claims == nil {
		p.claims = map[string]string{"scope": checker}
	}
	payload, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": method + " " + p.path, "rawPath": p.path, "rawQueryString": "", "headers": headers, "body": p.body,
		"requestContext": map[string]any{
			"requestId": "gateway-1", "http": map[string]any{"method": method},
			"authorizer": map[string]any{"jwt": map[string]any{"claims": p.claims, "scopes": nil}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		StatusCode int
		Headers    map[string]string
		Body       string
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if a.Headers["X-Request-ID"] == "" {
		t.Errorf("%s: no X-Request-ID in %v", p.path, a.Headers)
	}
	return answer{a.StatusCode, a.Headers, a.Body}
}

func newCheck(t *testing.T, f *facts) lambda.Handler {
	t.Helper()
	catalogue, err := access.ParseCatalogue([]byte(`{
		"levels": {"view": ["sign_in"], "support": ["reports:read"], "manage": ["*"]}, "actions": ["reports:write"],
		"roles": {"owner": ["*"], "tech": ["tickets:*"]}, "portal_actions": ["tickets:read", "account:read"],
		"resource_types": {"tenant": {"self": true}, "report": {"self": false}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return httpapi.NewCheck(httpapi.CheckConfig{
		Facts: f, Catalogue: catalogue, Now: func() time.Time { return noon }, BaseURL: "https://access.example",
		Log: slog.New(slog.DiscardHandler),
	})
}

func ask(subject, action, resource string) string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":"%s"},"action":{"name":"%s"},"resource":%s}`, subject, action, resource)
}

const (
	evaluation  = "/access/v1/evaluation"
	evaluations = "/access/v1/evaluations"
	atAcme      = `{"type":"customer","id":"acme"}`
)

func TestAnEvaluationAnswersWithItsReason(t *testing.T) {
	for _, c := range []struct{ name, body, decision, reason, reads string }{
		{"a user in the grant", ask(kim, "reports:read", atAcme), "true", "granted", "facts strong 1"},
		{
			"by e-mail in whatever case", ask("Kim@Contoso.Example", "reports:read", atAcme), "true", "granted",
			"email kim@contoso.example, facts strong 1",
		},
		{"an unknown e-mail", ask("x@contoso.example", "reports:read", atAcme), "false", "unknown_subject", "email x@contoso.example"},
		{"an unknown user", ask(unknownUser, "reports:read", atAcme), "false", "unknown_subject", "facts strong 1"},
		{"an id that cannot be", ask("kim", "reports:read", atAcme), "false", "unknown_subject", ""},
		{"an e-mail that cannot be", ask("kim@@x", "reports:read", atAcme), "false", "unknown_subject", ""},
		{"another type of subject", strings.Replace(ask(kim, "x", atAcme), `"user"`, `"robot"`, 1), "false", "unknown_subject", ""},
		{"not assigned", ask(lea, "reports:read", atAcme), "false", "user_not_assigned", "facts strong 1"},
		{"no grant", ask(kim, "reports:read", `{"type":"customer","id":"fabrikam"}`), "false", "no_grant", "facts strong 1"},
		{"a customer's id that cannot be", ask(kim, "reports:read", `{"type":"customer","id":"a#b"}`), "false", "no_grant", "facts strong 1"},
		{"a higher level's action", ask(kim, "reports:write", atAcme), "false", "level_too_low", "facts strong 1"},
		{"a type that stands for the customer", ask(kim, "reports:read", `{"type":"tenant","id":"acme"}`), "true", "granted", "facts strong 1"},
		{
			"a customer's resource", ask(kim, "reports:read", `{"type":"report","id":"9","properties":{"customer":"acme","x":1}}`), "true",
			"granted", "facts strong 1",
		},
		{"an unknown type", ask(kim, "reports:read", `{"type":"moon","id":"acme"}`), "false", "action_not_allowed", ""},
		{"the portal", ask(kim, "tickets:write", `{"type":"partner","id":"contoso"}`), "true", "granted", "facts strong 1"},
		{
			"the portal, another role's", ask(kim, "account:read", `{"type":"partner","id":"contoso"}`), "false", "role_not_allowed",
			"facts strong 1",
		},
		{
			"another partner's portal", ask(kim, "tickets:write", `{"type":"partner","id":"fabrikam"}`), "false", "role_not_allowed",
			"facts strong 1",
		},
		{"nobody's portal", ask(kim, "tickets:write", `{"type":"partner","id":""}`), "false", "role_not_allowed", "facts strong 1"},
		{
			"unknown members are ignored", `{"x":[{}],"evaluations":7,` +
				strings.Replace(ask(kim, "reports:read", atAcme), `{"subject":{`, `"subject":{"y":null,`, 1),
			"true", "granted", "facts strong 1",
		},
		{
			"optional members that are null",
			strings.TrimSuffix(ask(kim, "reports:read", `{"type":"customer","id":"acme","properties":null}`), "}") + `,"context":null}`, "true",
			"granted", "facts strong 1",
		},
		{
			"a consistency that is null", strings.TrimSuffix(ask(kim, "reports:read", atAcme), "}") + `,"context":{"consistency":null}}`, "true",
			"granted", "facts strong 1",
		},
		{
			"a snapshot", strings.TrimSuffix(ask(kim, "reports:read", atAcme), "}") + `,"context":{"consistency":"snapshot","time":1}}`, "true",
			"granted", "facts snapshot 1",
		},
	} {
		f := newFacts("acme")
		a := send(t, newCheck(t, f), post{path: evaluation, body: c.body})
		m := a.json(t)
		context, _ := m["context"].(map[string]any)
		if a.Status != 200 || fmt.Sprint(m["decision"]) != c.decision || context["reason"] != c.reason {
			t.Errorf("%s: got %d %s, want decision %s, reason %s", c.name, a.Status, a.Body, c.decision, c.reason)
		}
		if got := strings.Join(f.asked, ", "); got != c.reads {
			t.Errorf("%s: read %q, want %q", c.name, got, c.reads)
		}
		if context["reason_user"] == "" || context["reason_admin"] == "" || context["evaluated_at"] != "2026-11-22T12:00:00.000Z" {
			t.Errorf("%s: got context %v", c.name, context)
		}
	}
}

func TestAnAllowCarriesTheGrantAndItsEnd(t *testing.T) {
	f := newFacts("acme")
	a := send(t, newCheck(t, f), post{path: evaluation, body: ask(kim, "reports:read", atAcme)})
	got := a.json(t)["context"].(map[string]any)
	if got["grant"] != "grt_acme" || got["level"] != "support" || got["valid_until"] != "2026-11-22T13:00:00Z" {
		t.Errorf("got %v", got)
	}
	f.grants["acme"].Until = time.Time{}
	a = send(t, newCheck(t, f), post{path: evaluation, body: ask(kim, "reports:read", atAcme)})
	if _, there := a.json(t)["context"].(map[string]any)["valid_until"]; there {
		t.Errorf("got %s, want no valid_until for continuous access", a.Body)
	}
	for at, want := range map[time.Time]string{noon: "expired", noon.Add(time.Nanosecond): "granted"} {
		f.grants["acme"].Until = at
		if a := send(t, newCheck(t, f), post{path: evaluation, body: ask(kim, "reports:read", atAcme)}); !strings.Contains(a.Body,
			`"reason":"`+want+`"`) {
			t.Errorf("until %v: got %s, want %s", at, a.Body, want)
		}
	}
}

func TestAMalformedEvaluationIs400WithItsPlace(t *testing.T) {
	good := ask(kim, "reports:read", atAcme)
	for _, c := range []struct{ name, body, pointer string }{
		{"empty", "", "-"},
		{"no JSON", `{"subject":`, "/subject"},
		{"an array", `[]`, ""},
		{"something after it", good + "{}", "-"},
		{"the same member twice", `{"subject":{},"subject":{}}`, "/subject"},
		{"no subject", `{"action":{"name":"x"},"resource":` + atAcme + `}`, "/subject"},
		{"no action", `{"subject":{"type":"user","id":"x"},"resource":` + atAcme + `}`, "/action"},
		{"no resource", `{"subject":{"type":"user","id":"x"},"action":{"name":"x"}}`, "/resource"},
		{"subject is text", `{"subject":"kim","action":{"name":"x"},"resource":` + atAcme + `}`, "/subject"},
		{"subject is null", `{"subject":null,"action":{"name":"x"},"resource":` + atAcme + `}`, "/subject"},
		{"no type", `{"subject":{"id":"x"},"action":{"name":"x"},"resource":` + atAcme + `}`, "/subject/type"},
		{"an empty name", ask(kim, "", atAcme), "/action/name"},
		{"a type that is null", `{"subject":{"type":null,"id":"x"},"action":{"name":"x"},"resource":` + atAcme + `}`, "/subject/type"},
		{"a name that is null", `{"subject":{"type":"user","id":"x"},"action":{"name":null},"resource":` + atAcme + `}`, "/action/name"},
		{"a customer that is null", ask(kim, "x", `{"type":"report","id":"9","properties":{"customer":null}}`), "/resource/properties/customer"},
		{"no id", `{"subject":{"type":"user"},"action":{"name":"x"},"resource":` + atAcme + `}`, "/subject/id"},
		{"an id that is a number", `{"subject":{"type":"user","id":7},"action":{"name":"x"},"resource":` + atAcme + `}`, "/subject/id"},
		{"no name", `{"subject":{"type":"user","id":"x"},"action":{},"resource":` + atAcme + `}`, "/action/name"},
		{"a name that is an object", `{"subject":{"type":"user","id":"x"},"action":{"name":{}},"resource":` + atAcme + `}`, "/action/name"},
		{"properties of a wrong type", ask(kim, "x", `{"type":"customer","id":"acme","properties":[]}`), "/resource/properties"},
		{"no customer", ask(kim, "x", `{"type":"report","id":"9"}`), "/resource/properties/customer"},
		{"a customer that is a number", ask(kim, "x", `{"type":"report","id":"9","properties":{"customer":1}}`), "/resource/properties/customer"},
		{"a context of a wrong type", strings.TrimSuffix(good, "}") + `,"context":[]}`, "/context"},
		{"an unknown consistency", strings.TrimSuffix(good, "}") + `,"context":{"consistency":"lucky"}}`, "/context/consistency"},
	} {
		f := newFacts("acme")
		a := send(t, newCheck(t, f), post{path: evaluation, body: c.body})
		m := a.json(t)
		pointer := "-"
		if errs, ok := m["errors"].([]any); ok {
			pointer = errs[0].(map[string]any)["pointer"].(string)
		}
		if a.Status != 400 || m["code"] != "invalid" || a.Headers["Content-Type"] != "application/problem+json" ||
			pointer != c.pointer && c.pointer != "-" {
			t.Errorf("%s: got %d %s, want 400 at %q", c.name, a.Status, a.Body, c.pointer)
		}
		if len(f.asked) != 0 {
			t.Errorf("%s: read %v", c.name, f.asked)
		}
	}
}

func TestOnlyJSONIsAccepted(t *testing.T) {
	for ct, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200, "": 400, "text/plain": 400,
		"application/jsonp":                 400,
		"application/x-www-form-urlencoded": 400,
	} {
		a := send(t, newCheck(t, newFacts("acme")),
			post{path: evaluation, body: ask(kim, "x", atAcme), headers: map[string]string{"content-type": ct}})
		if a.Status != want {
			t.Errorf("%q: got %d, want %d", ct, a.Status, want)
		}
	}
}

func TestACheckThatCannotBeAnsweredIs503(t *testing.T) {
	var log bytes.Buffer
	f := newFacts("acme")
	f.err = errors.New("storage is down")
	h := httpapi.NewCheck(httpapi.CheckConfig{
		Facts: f, Catalogue: access.DefaultCatalogue(), Now: func() time.Time { return noon }, Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	for _, subject := range []string{kim, "kim@contoso.example"} {
		a := send(t, h, post{path: evaluation, body: ask(subject, "sign_in", atAcme), headers: map[string]string{"x-request-id": "caller-7"}})
		if a.Status != 503 || a.json(t)["code"] != "unavailable" || a.Headers["Retry-After"] == "" || strings.Contains(a.Body, "down") {
			t.Errorf("got %d %s %v", a.Status, a.Body, a.Headers)
		}
	}
	if !strings.Contains(log.String(), `"request_id":"caller-7"`) || !strings.Contains(log.String(), "storage is down") ||
		strings.Contains(log.String(), "kim@") {
		t.Errorf("got log %s", log.String())
	}
}

func decisions(t *testing.T, a answer) string {
	t.Helper()
	list, ok := a.json(t)["evaluations"].([]any)
	if a.Status != 200 || !ok {
		t.Fatalf("got %d %s, want evaluations", a.Status, a.Body)
	}
	var out []string
	for _, e := range list {
		m := e.(map[string]any)
		s := fmt.Sprint(m["decision"])
		if c, _ := m["context"].(map[string]any); c["error"] != nil {
			s += fmt.Sprint("!", c["error"].(map[string]any)["status"])
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestABatchReplacesDefaultsWholeAndCutsAfterTheDecidingItem(t *testing.T) {
	top := `"subject":{"type":"user","id":"` + kim + `"},"action":{"name":"reports:read"}`
	r := func(id string) string { return `{"resource":{"type":"customer","id":"` + id + `"}}` }
	for _, c := range []struct{ name, body, want, reads string }{
		{"all", `{` + top + `,"evaluations":[` + r("acme") + `,` + r("b") + `,` + r("acme") + `]}`, "true false true", "facts strong 3"},
		{"first deny", `{` + top + `,"options":{"evaluations_semantic":"deny_on_first_deny"},"evaluations":[` + r("acme") + `,` + r("b") + `,` +
			r("acme") + `]}`, "true false", "facts strong 3"},
		{"first permit", `{` + top + `,"options":{"evaluations_semantic":"permit_on_first_permit","x":1},"evaluations":[` + r("b") + `,` +
			r("acme") + `,` + r("b") + `]}`, "false true", "facts strong 3"},
		{"a default is replaced whole", `{"subject":{"type":"user","id":"` + kim +
			`"},"action":{"name":"reports:read"},"resource":{"type":"report","id":"1","properties":{"customer":"acme"}},"evaluations":[{},{"resource":{"type":"report","id":"1"}}]}`, "true false!400", "facts strong 1"},
		{"an invalid default that all replace", `{"resource":7,` + top + `,"evaluations":[` + r("acme") + `]}`, "true", "facts strong 1"},
		{
			"an invalid default that one uses", `{"resource":7,` + top + `,"evaluations":[` + r("acme") + `,{}]}`, "true false!400",
			"facts strong 1",
		},
		{"bad items", `{` + top + `,"evaluations":[7,` + r("acme") + `,{"resource":{"type":"customer"}},{"action":{"name":""},"resource":` +
			atAcme + `},{"action":{"name":7},"resource":` + atAcme + `}]}`, "false!400 true false!400 false!400 false!400", "facts strong 1"},
		{
			"an item inherits the type that it leaves out",
			`{` + top +
				`,"resource":{"type":"customer"},"evaluations":[{"resource":{"id":"acme"}},{"resource":{"id":"b"}},{"resource":{"type":"moon","id":"acme"}}]}`, "true false false", "facts strong 2",
		},
		{
			"an item inherits the id that it leaves out",
			`{` + top +
				`,"resource":{"type":"customer","id":"acme"},"evaluations":[{"resource":{"type":"tenant"}},{"resource":{}},{"subject":{"type":"user"},"resource":{"type":"tenant"}}]}`, "true true true", "facts strong 3",
		},
		{
			"an item inherits the name that it leaves out",
			`{` + top + `,"resource":` + atAcme + `,"evaluations":[{"action":{}},{"action":{"properties":{"soft":true}}}]}`, "true true",
			"facts strong 2",
		},
		{"properties are an item's own", `{` + top +
			`,"resource":{"type":"report","properties":{"customer":"acme"}},"evaluations":[{"resource":{"id":"1"}},{"resource":{"id":"1","properties":{"customer":"acme"}}}]}`, "false!400 true", "facts strong 1"},
		{"null counts as absent", `{` + top + `,"context":null,"options":null,"page":null,"resource":` + atAcme +
			`,"evaluations":[{"subject":null,"action":null,"resource":null,"context":null},{"resource":{"type":null,"id":"acme","properties":null},"context":{"consistency":null}},{"options":{"evaluations_semantic":null}}]}`, "true true true", "facts strong 3"},
		{
			"a default of a wrong type is not inherited",
			`{` + top + `,"resource":{"type":7,"id":"acme"},"evaluations":[{"resource":{"id":"acme"}}]}`, "false!400", "",
		},
		{
			"a bad item denies", `{` + top + `,"options":{"evaluations_semantic":"deny_on_first_deny"},"evaluations":[{},` + r("acme") + `]}`,
			"false!400", "facts strong 1",
		},
		{"an item's own context", `{` + top + `,"context":{"consistency":"eventual"},"evaluations":[` + r("acme") + `,{"context":{},"resource":` +
			atAcme + `},{"context":{"consistency":"x"},"resource":` + atAcme + `}]}`, "true true false!400", "facts strong 1, facts eventual 1"},
		{
			"e-mails are looked up once", `{"action":{"name":"reports:read"},"resource":` + atAcme +
				`,"evaluations":[{"subject":{"type":"user","id":"kim@contoso.example"}},{"subject":{"type":"user","id":"KIM@contoso.example"}}]}`,
			"true true", "email kim@contoso.example, facts strong 2",
		},
	} {
		f := newFacts("acme")
		a := send(t, newCheck(t, f), post{path: evaluations, body: c.body})
		if got := decisions(t, a); got != c.want {
			t.Errorf("%s: got %s, want %s: %s", c.name, got, c.want, a.Body)
		}
		if got := strings.Join(f.asked, ", "); got != c.reads {
			t.Errorf("%s: read %q, want %q", c.name, got, c.reads)
		}
	}
}

func TestABatchWithoutEvaluationsAnswersAsASingleOne(t *testing.T) {
	one := ask(kim, "reports:read", atAcme)
	for _, body := range []string{one, strings.TrimSuffix(one, "}") + `,"evaluations":[]}`} {
		if m := send(t, newCheck(t, newFacts("acme")), post{path: evaluations, body: body}).json(t); m["decision"] != true ||
			m["evaluations"] != nil {
			t.Errorf("got %v", m)
		}
	}
	if a := send(t, newCheck(t, newFacts("acme")), post{path: evaluations, body: `{"evaluations":[]}`}); a.Status != 400 {
		t.Errorf("nothing asked: got %d %s", a.Status, a.Body)
	}
}

func TestARepeatedBatchAnswersTheSameBody(t *testing.T) {
	body := `{"subject":{"type":"user","id":"` + kim + `"},"action":{"name":"reports:read"},"evaluations":[{"resource":` + atAcme +
		`},{"resource":{"type":"customer","id":"b"}},{}]}`
	now := noon
	h := httpapi.NewCheck(
		httpapi.CheckConfig{
			Facts: newFacts("acme"), Catalogue: access.DefaultCatalogue(), Now: func() time.Time { return now },
			Log: slog.New(slog.DiscardHandler),
		})
	first := send(t, h, post{path: evaluations, body: body})
	if got := first.Headers["Evaluated-At"]; got != "2026-11-22T12:00:00.000Z" {
		t.Errorf("got Evaluated-At %q, want the instant with milliseconds", got)
	}
	now = now.Add(1234567 * time.Microsecond)
	again := send(t, h, post{path: evaluations, body: body})
	if again.Body != first.Body {
		t.Errorf("got\n%s, want the same body again:\n%s", again.Body, first.Body)
	}
	if got := again.Headers["Evaluated-At"]; got != "2026-11-22T12:00:01.234Z" {
		t.Errorf("got Evaluated-At %q, want the instant of the second, cut off to milliseconds", got)
	}
	single := send(t, h, post{path: evaluation, body: ask(kim, "reports:read", atAcme)})
	if got := single.json(t)["context"].(map[string]any)["evaluated_at"]; got != "2026-11-22T12:00:01.234Z" ||
		single.Headers["Evaluated-At"] != "" {
		t.Errorf("a single question: got evaluated_at %v and header %q, want it in the context only", got, single.Headers["Evaluated-At"])
	}
}

func TestABatchIsRefusedAsAWhole(t *testing.T) {
	item := ask(kim, "reports:read", atAcme)
	for name, body := range map[string]string{
		"too many":                   `{"evaluations":[` + strings.TrimSuffix(strings.Repeat(item+",", 101), ",") + `]}`,
		"evaluations are an object":  `{"evaluations":{}}`,
		"evaluations are null":       `{"evaluations":null}`,
		"an unknown semantic":        `{"options":{"evaluations_semantic":"any"},"evaluations":[` + item + `]}`,
		"a semantic that is no text": `{"options":{"evaluations_semantic":1},"evaluations":[` + item + `]}`,
		"options of a wrong type":    `{"options":1,"evaluations":[` + item + `]}`,
		"cut":                        `{"evaluations":[` + item,
	} {
		if a := send(t, newCheck(t, newFacts("acme")), post{path: evaluations, body: body}); a.Status != 400 {
			t.Errorf("%s: got %d %s, want 400", name, a.Status, a.Body)
		}
	}
	a := send(t, newCheck(t, newFacts("acme")),
		post{path: evaluations, body: `{"evaluations":[` + strings.TrimSuffix(strings.Repeat(item+",", 100), ",") + `]}`})
	if got := strings.Count(decisions(t, a), "true"); got != 100 {
		t.Errorf("a hundred: got %d", got)
	}
}

func TestInABatchStorageErrorsDenyWhatNeededTheStorage(t *testing.T) {
	f := newFacts("acme")
	f.err = errors.New("down")
	a := send(t, newCheck(t, f),
		post{path: evaluations, body: `{"evaluations":[` + ask(kim, "x", atAcme) + `,` + ask("nobody", "x", atAcme) + `,` +
			ask("kim@contoso.example", "x", atAcme) + `]}`})
	if got := decisions(t, a); got != "false!503 false false!503" {
		t.Errorf("got %s: %s", got, a.Body)
	}
}

func TestWhoMayAsk(t *testing.T) {
	kims := map[string]string{"email": "Kim@contoso.example", "email_verified": "true"}
	for _, c := range []struct {
		name   string
		claims map[string]string
		path   string
		body   string
		want   int
	}{
		{"a back end about anybody", map[string]string{"scope": "openid " + checker}, evaluation, ask(lea, "x", atAcme), 200},
		{"a user about itself, by id", kims, evaluation, ask(kim, "x", atAcme), 200},
		{"a user about itself, by e-mail", kims, evaluation, ask("kim@contoso.example", "x", atAcme), 200},
		{"a user about another", kims, evaluation, ask(lea, "x", atAcme), 403},
		{"a user about another, by e-mail", kims, evaluation, ask("lea@contoso.example", "x", atAcme), 403},
		{"a user about nobody", kims, evaluation, ask("nobody", "x", atAcme), 403},
		{
			"a user, one of two about another", kims, evaluations, `{"evaluations":[` + ask(kim, "x", atAcme) + `,` + ask(lea, "x", atAcme) + `]}`,
			403,
		},
		{
			"an address that is not verified",
			map[string]string{"email": "kim@contoso.example", "email_verified": "false"},
			evaluation,
			ask(kim, "x", atAcme), 403,
		},
		{"an address that says nothing of it", map[string]string{"email": "kim@contoso.example"}, evaluation, ask(kim, "x", atAcme), 403},
		{"a stranger", map[string]string{"email": "x@contoso.example", "email_verified": "true"}, evaluation, ask(kim, "x", atAcme), 403},
		{"another scope", map[string]string{"scope": "partner-access/directory partner-access/check2"}, evaluation, ask(kim, "x", atAcme), 403},
		{"nothing", map[string]string{}, evaluation, ask(kim, "x", atAcme), 403},
		{"a user searches its customers", kims, "/access/v1/search/resource", ask(kim, "reports:read", `{"type":"customer"}`), 200},
		{"a user searches another's", kims, "/access/v1/search/resource", ask(lea, "reports:read", `{"type":"customer"}`), 403},
		{"a user searches its actions", kims, "/access/v1/search/action", ask(kim, "", atAcme), 200},
		{"a user searches subjects", kims, "/access/v1/search/subject", ask(kim, "reports:read", atAcme), 403},
	} {
		a := send(t, newCheck(t, newFacts("acme")), post{path: c.path, body: c.body, claims: c.claims})
		if a.Status != c.want || c.want == 403 && a.json(t)["code"] != "forbidden" {
			t.Errorf("%s: got %d %s, want %d", c.name, a.Status, a.Body, c.want)
		}
	}
}

func found(t *testing.T, a answer) (list []string, token string) {
	t.Helper()
	if a.Status != 200 {
		t.Fatalf("got %d %s", a.Status, a.Body)
	}
	var m struct {
		Page    struct{ Next_token *string }
		Results []struct{ Type, ID, Name string }
	}
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil || m.Page.Next_token == nil || m.Results == nil {
		t.Fatalf("got %s, %v: want results and page.next_token", a.Body, err)
	}
	for _, r := range m.Results {
		list = append(list, strings.TrimPrefix(r.Type+":"+r.ID+r.Name, ":"))
	}
	return list, *m.Page.Next_token
}

func TestSearches(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		want             []string
	}{
		{"customers", "resource", ask(kim, "reports:read", `{"type":"customer","id":"ignored"}`), []string{"customer:acme", "customer:beta"}},
		{
			"customers, by e-mail", "resource", ask("kim@contoso.example", "reports:read", `{"type":"customer"}`),
			[]string{"customer:acme", "customer:beta"},
		},
		{"customers under another type", "resource", ask(kim, "reports:read", `{"type":"tenant"}`), []string{"tenant:acme", "tenant:beta"}},
		{"customers, too high an action", "resource", ask(kim, "reports:write", `{"type":"customer"}`), nil},
		{"resources that only the provider knows", "resource", ask(kim, "reports:read", `{"type":"report"}`), nil},
		{"an unknown type", "resource", ask(kim, "reports:read", `{"type":"moon"}`), nil},
		{"of an unknown user", "resource", ask("nobody", "reports:read", `{"type":"customer"}`), nil},
		{"portals", "resource", ask(kim, "tickets:read", `{"type":"partner"}`), []string{"partner:contoso"}},
		{"portals, another role's", "resource", ask(kim, "account:read", `{"type":"partner"}`), nil},
		{"subjects", "subject", ask("ignored", "reports:read", atAcme), []string{"user:" + kim}},
		{
			"subjects without id", "subject", `{"subject":{"type":"user"},"action":{"name":"reports:read"},"resource":` + atAcme + `}`,
			[]string{"user:" + kim},
		},
		{
			"subjects of a customer's resource", "subject", ask("", "reports:read", `{"type":"report","id":"1","properties":{"customer":"acme"}}`),
			[]string{"user:" + kim},
		},
		{
			"subjects of the portal", "subject", ask("", "tickets:read", `{"type":"partner","id":"contoso"}`),
			[]string{"user:" + kim, "user:" + lea},
		},
		{"another type of subjects", "subject", `{"subject":{"type":"robot"},"action":{"name":"reports:read"},"resource":` + atAcme + `}`, nil},
		{"subjects of an unknown customer", "subject", ask("", "reports:read", `{"type":"customer","id":"zeta"}`), nil},
		{"subjects of a customer that cannot be", "subject", ask("", "reports:read", `{"type":"customer","id":"#"}`), nil},
		{"actions", "action", `{"subject":{"type":"user","id":"` + kim + `"},"resource":` + atAcme + `}`, []string{"reports:read", "sign_in"}},
		{"actions in the portal", "action", ask(kim, "ignored", `{"type":"partner","id":"contoso"}`), []string{"tickets:read"}},
		{"actions of an unknown user", "action", ask(unknownUser, "", atAcme), nil},
	} {
		got, token := found(t, send(t, newCheck(t, newFacts("acme", "beta")), post{path: "/access/v1/search/" + c.path, body: c.body}))
		if !reflect.DeepEqual(got, c.want) || token != "" {
			t.Errorf("%s: got %v (then %q), want %v", c.name, got, token, c.want)
		}
	}
}

func TestASearchComesInPagesThatBelongToIt(t *testing.T) {
	f := newFacts("a1", "a2", "a3", "a4", "a5")
	h := newCheck(t, f)
	page := func(body, page string) answer {
		return send(t, h, post{path: "/access/v1/search/resource", body: strings.TrimSuffix(body, "}") + `,"page":` + page + `}`})
	}
	body := ask(kim, "reports:read", `{"type":"customer"}`)
	var all []string
	list, token := found(t, page(body, `{"limit":2}`))
	first := token
	all = append(all, list...)
	for token != "" {
		list, token = found(t, page(body, `{"token":"`+token+`"}`))
		if len(list) > 2 {
			t.Errorf("got a page of %d, want the limit of the first", len(list))
		}
		all = append(all, list...)
	}
	if want := []string{"customer:a1", "customer:a2", "customer:a3", "customer:a4", "customer:a5"}; !reflect.DeepEqual(all, want) {
		t.Errorf("got %v, want %v", all, want)
	}
	for name, c := range map[string]struct {
		body, page string
		want       int
	}{
		"the same limit":       {body, `{"limit":2,"token":"` + first + `"}`, 200},
		"another limit":        {body, `{"limit":3,"token":"` + first + `"}`, 400},
		"another search":       {ask(kim, "sign_in", `{"type":"customer"}`), `{"token":"` + first + `"}`, 400},
		"another type":         {ask(kim, "reports:read", `{"type":"tenant"}`), `{"token":"` + first + `"}`, 400},
		"no token":             {body, `{"token":"x"}`, 400},
		"a token of no string": {body, `{"token":1}`, 400},
		"a limit of 0":         {body, `{"limit":0}`, 400},
		"a limit of text":      {body, `{"limit":"2"}`, 400},
		"a page of text":       {body, `"2"`, 400},
		"an empty token":       {body, `{"token":""}`, 200},
		// What the service does not know has no part in the search, and may be another on each page, such as the time.
		"an unknown member of the context": {
			strings.TrimSuffix(body, "}") + `,"context":{"time":"2026-11-22T10:00:00Z","device":{"os":[1]}}}`, `{"token":"` + first + `"}`, 200,
		},
		"a context without members":       {strings.TrimSuffix(body, "}") + `,"context":{}}`, `{"token":"` + first + `"}`, 200},
		"the consistency that is default": {strings.TrimSuffix(body, "}") + `,"context":{"consistency":"strong"}}`, `{"token":"` + first + `"}`, 200},
		"another consistency":             {strings.TrimSuffix(body, "}") + `,"context":{"consistency":"eventual"}}`, `{"token":"` + first + `"}`, 400},
		"an unknown member of an entity": {
			strings.Replace(body, `{"type":"customer"}`, `{"type":"customer","properties":{"x":1},"y":2}`, 1), `{"token":"` + first + `"}`, 200,
		},
	} {
		if a := page(c.body, c.page); a.Status != c.want {
			t.Errorf("%s: got %d %s, want %d", name, a.Status, a.Body, c.want)
		}
	}
}

// TestAPageOfASearchIsFullWhileThereAreResults has a thousand candidates who are no results before, between and after the results.
func TestAPageOfASearchIsFullWhileThereAreResults(t *testing.T) {
	f := newFacts()
	id := func(i int) string { return fmt.Sprintf("c%05d", i) }
	one := newFacts("x").grants["x"]
	for i := range 3100 {
		f.grants[id(i)] = &access.Grant{ID: "grt", Customer: id(i), Partner: "contoso", State: access.StateEnded}
	}
	for _, i := range []int{0, 1001, 1002, 2050, 3000} {
		g := *one
		g.Customer = id(i)
		f.grants[id(i)], f.ins[id(i)+kim] = &g, true
	}
	h := newCheck(t, f)
	body, page := ask(kim, "reports:read", `{"type":"customer"}`), `{"limit":2}`
	var got [][]string
	for page != "" && len(got) < 10 {
		f.asked = nil
		list, token := found(t,
			send(t, h, post{path: "/access/v1/search/resource", body: strings.TrimSuffix(body, "}") + `,"page":` + page + `}`}))
		got, page = append(got, list), ""
		if token != "" {
			page = `{"token":"` + token + `"}`
		}
		if len(f.asked) > 50 {
			t.Errorf("a page took %d reads, want a bounded number", len(f.asked))
		}
	}
	if want := [][]string{
		{"customer:c00000", "customer:c01001"},
		{"customer:c01002", "customer:c02050"},
		{"customer:c03000"},
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("got the pages %v, want %v", got, want)
	}
	for i := range 6000 {
		f.grants[id(i)] = &access.Grant{ID: "grt", Customer: id(i), Partner: "contoso", State: access.StateEnded}
	}
	if list, token := found(t, send(t, h, post{path: "/access/v1/search/resource", body: body})); len(list) != 0 || token == "" {
		t.Errorf("six thousand candidates without a result: got %v and the token %q, want no results yet and where to go on", list, token)
	}
}

func TestEverySearchFindsTheSameInPagesOfOne(t *testing.T) {
	for _, c := range []struct{ path, body string }{
		{"subject", ask("", "tickets:read", `{"type":"partner","id":"contoso"}`)},
		{"subject", ask("", "sign_in", atAcme)},
		{"action", ask(kim, "", atAcme)},
		{"resource", ask(kim, "sign_in", `{"type":"customer"}`)},
	} {
		f := newFacts("acme", "beta", "delta")
		f.ins["acme"+lea] = true
		h := newCheck(t, f)
		whole, _ := found(t, send(t, h, post{path: "/access/v1/search/" + c.path, body: c.body}))
		var got []string
		page := `{"limit":1}`
		for n := 0; n < 20 && page != ""; n++ {
			list, token := found(t,
				send(t, h, post{path: "/access/v1/search/" + c.path, body: strings.TrimSuffix(c.body, "}") + `,"page":` + page + `}`}))
			got = append(got, list...)
			page = ""
			if token != "" {
				page = `{"token":"` + token + `"}`
			}
		}
		if !reflect.DeepEqual(got, whole) || len(whole) == 0 {
			t.Errorf("%s: got %v in pages of one, %v at once", c.path, got, whole)
		}
	}
}

func TestASearchMissesWhatItNeeds(t *testing.T) {
	for path, bodies := range map[string][]string{
		"resource": {
			`{"action":{"name":"x"},"resource":{"type":"customer"}}`,
			`{"subject":{"type":"user"},"action":{"name":"x"},"resource":{"type":"customer"}}`, ask(kim, "x", `{}`),
		},
		"subject": {
			ask("", "x", `{"type":"customer"}`), `{"action":{"name":"x"},"resource":` + atAcme + `}`,
			`{"subject":{"type":"user"},"resource":` + atAcme + `}`,
		},
		"action": {`{"subject":{"type":"user","id":"x"}}`, ask(kim, "", `{"type":"customer"}`), ask(kim, "", `{"type":"report","id":"1"}`)},
	} {
		for _, body := range bodies {
			if a := send(t, newCheck(t, newFacts("acme")), post{path: "/access/v1/search/" + path, body: body}); a.Status != 400 {
				t.Errorf("%s %s: got %d %s, want 400", path, body, a.Status, a.Body)
			}
		}
	}
}

// The standard's section 9: there is no capabilities, since no capability is registered, and parameters without values are left out.
func TestDiscovery(t *testing.T) {
	a := send(t, newCheck(t, newFacts()), post{path: "/.well-known/authzen-configuration", claims: map[string]string{}})
	want := map[string]any{
		"policy_decision_point":       "https://access.example",
		"access_evaluation_endpoint":  "https://access.example/access/v1/evaluation",
		"access_evaluations_endpoint": "https://access.example/access/v1/evaluations",
		"search_subject_endpoint":     "https://access.example/access/v1/search/subject",
		"search_resource_endpoint":    "https://access.example/access/v1/search/resource",
		"search_action_endpoint":      "https://access.example/access/v1/search/action",
	}
	if got := a.json(t); a.Status != 200 || !reflect.DeepEqual(got, want) || a.Headers["Content-Type"] != "application/json" {
		t.Errorf("got %d %v %v", a.Status, got, a.Headers)
	}
	// "Metadata Caching" of the standard's security considerations.
	if got := a.Headers["Cache-Control"]; got != "public, max-age=3600" {
		t.Errorf("got Cache-Control %q, want that it may be kept for an hour", got)
	}
}
