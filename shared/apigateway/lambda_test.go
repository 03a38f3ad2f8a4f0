package apigateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"partneraccess/shared/apigateway"
)

func refuse(status int, detail, _ string) apigateway.Response {
	return apigateway.Response{Status: status, Header: map[string]string{"Content-Type": "text/plain"}, Body: []byte(detail)}
}

// invoke hands a request to a function that keeps it, and returns what the function saw and answered.
func invoke(t *testing.T, payload string, answer apigateway.Response) (*apigateway.Request, events.APIGatewayV2HTTPResponse) {
	t.Helper()
	var seen *apigateway.Request
	h := apigateway.Lambda(func(_ context.Context, r *apigateway.Request) apigateway.Response {
		seen = r
		return answer
	}, refuse, slog.New(slog.DiscardHandler))
	out, err := h.Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	var resp events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &resp); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return seen, resp
}

const payload = `{"version":"2.0","routeKey":"PATCH /v1/customers/{customer}","rawPath":"/v1/customers/a%20b","rawQueryString":"q=x%20y&q=z",
	"cookies":["a=b"],"headers":{"content-type":"application/json","if-match":"\"7\"","x-request-id":"mine"},
	"queryStringParameters":{"q":"x y,z"},
	"requestContext":{"requestId":"gw","http":{"method":"PATCH","path":"/"},"authorizer":{"jwt":{"claims":{"iss":"https://i","sub":"s",
	"client_id":"c",
	"email":"Ann@Acme.Example","email_verified":"true","scope":"a  b","cognito:groups":"[x]"},"scopes":["a"]}}},
	"pathParameters":{"customer":"a b","partner":"ü"},"body":"{\"a\":\"\\u00e9\\n\"}","isBase64Encoded":false,"stageVariables":null}`

// Okta and Entra say scp, the one as a list, the other as words; API Gateway looks at either, and makes one text of a list.
func TestScopesStandInEitherClaim(t *testing.T) {
	for _, c := range []struct{ scope, scp string }{{"a  b", ""}, {"", "a b"}, {"", "[a b]"}, {"a", "b"}} {
		changed := strings.Replace(payload, `"scope":"a  b"`, fmt.Sprintf(`"scope":%q,"scp":%q`, c.scope, c.scp), 1)
		r, _ := invoke(t, changed, apigateway.Response{Status: 200})
		if !r.Claims.Has("a") || !r.Claims.Has("b") || r.Claims.Has("[a") {
			t.Errorf("scope %q, scp %q: got %q", c.scope, c.scp, r.Claims.Scopes)
		}
	}
}

func TestAPayloadBecomesARequest(t *testing.T) {
	r, _ := invoke(t, payload, apigateway.Response{Status: 200})
	claims := apigateway.Claims{Issuer: "https://i", Subject: "s", Email: "Ann@Acme.Example", Scopes: []string{"a", "b"}}
	if !reflect.DeepEqual(r.Claims, claims) {
		t.Errorf("got claims %+v, want %+v", r.Claims, claims)
	}
	q, err := r.Query()
	for name, got := range map[string][2]string{
		"method": {r.Method, "PATCH"}, "route": {r.RouteKey, "PATCH /v1/customers/{customer}"}, "path": {r.Path, "/v1/customers/a%20b"},
		"customer": {r.PathValue("customer"), "a b"}, "partner": {r.PathValue("partner"), "ü"}, "no parameter": {r.PathValue("user"), ""},
		"header": {r.Header("if-match"), `"7"`}, "no header": {r.Header("etag"), ""}, "id": {r.RequestID, "mine"},
		"body": {string(r.Body), `{"a":"\u00e9\n"}`}, "query": {strings.Join(q["q"], "|"), "x y|z"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %q, want %q", name, got[0], got[1])
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func TestARequestIDIsTheCallersWhenItIsSane(t *testing.T) {
	for id, want := range map[string]string{
		"01JD-x.y": "01JD-x.y", "": "gw", "two words": "gw", "é": "gw", "a\nb": "gw", strings.Repeat("x", 128): strings.Repeat("x", 128),
		strings.Repeat("x", 129): "gw",
	} {
		quoted, _ := json.Marshal(id)
		r, resp := invoke(t, strings.Replace(payload, `"mine"`, string(quoted), 1), apigateway.Response{Status: 204})
		if r.RequestID != want || resp.Headers["X-Request-ID"] != want {
			t.Errorf("%q: got %q and %q, want %q", id, r.RequestID, resp.Headers["X-Request-ID"], want)
		}
	}
}

func TestAnAddressCountsOnlyWhenItIsVerified(t *testing.T) {
	for claims, want := range map[string]string{
		`"email":"a@b.example","email_verified":"true"`:  "a@b.example",
		`"email":"a@b.example","email_verified":true`:    "a@b.example",
		`"email_verified":true,"email":"a@b.example"`:    "a@b.example",
		`"email":"a@b.example","email_verified":"false"`: "",
		`"email":"a@b.example","email_verified":"True"`:  "",
		`"email":"a@b.example"`:                          "",
	} {
		r, _ := invoke(
			t, `{"version":"2.0","routeKey":"GET /","requestContext":{"authorizer":{"jwt":{"claims":{`+claims+`}}}}}`,
			apigateway.Response{Status: 200},
		)
		if r.Claims.Email != want {
			t.Errorf("%s: got %q, want %q", claims, r.Claims.Email, want)
		}
	}
}

func TestBodies(t *testing.T) {
	body := func(b string, encoded bool) string {
		quoted, _ := json.Marshal(b)
		e := "false"
		if encoded {
			e = "true"
		}
		return `{"version":"2.0","routeKey":"POST /","body":` + string(quoted) + `,"isBase64Encoded":` + e +
			`,"requestContext":{"requestId":"gw"}}`
	}
	r, _ := invoke(t, body(base64.StdEncoding.EncodeToString([]byte("\x00ü")), true), apigateway.Response{Status: 200})
	if string(r.Body) != "\x00ü" {
		t.Errorf("got body %q", r.Body)
	}
	for name, c := range map[string]struct {
		payload string
		status  int
	}{
		"as large as may be":            {body(strings.Repeat("x", apigateway.MaxBody), false), 200},
		"one byte more":                 {body(strings.Repeat("x", apigateway.MaxBody+1), false), 413},
		"as large as may be, in base64": {body(base64.StdEncoding.EncodeToString(make([]byte, apigateway.MaxBody)), true), 200},
		"one byte more, in base64":      {body(base64.StdEncoding.EncodeToString(make([]byte, apigateway.MaxBody+1)), true), 413},
		"no base64":                     {body("%", true), 400},
	} {
		seen, resp := invoke(t, c.payload, apigateway.Response{Status: 200})
		if resp.StatusCode != c.status || (seen != nil) != (c.status == 200) {
			t.Errorf("%s: got %d, want %d", name, resp.StatusCode, c.status)
		}
	}
}

func TestAResponseIsEncodedWhole(t *testing.T) {
	body := "{\"a\":\"\\\"é\u2028\x01\"}"
	_, resp := invoke(t, payload,
		apigateway.Response{Status: 201, Header: map[string]string{"ETag": `"7"`, "Location": "/x"}, Body: []byte(body)})
	if resp.StatusCode != 201 || resp.Body != body || resp.Headers["ETag"] != `"7"` || resp.Headers["Location"] != "/x" ||
		resp.IsBase64Encoded {
		t.Errorf("got %+v", resp)
	}
}

func TestAPanicIs500AndIsLoggedWithoutWhatTheCallerSent(t *testing.T) {
	for _, p := range []any{"secret", map[string]string(nil)} {
		var log bytes.Buffer
		h := apigateway.Lambda(func(context.Context, *apigateway.Request) apigateway.Response {
			if m, ok := p.(map[string]string); ok {
				m["secret"] = "secret"
			}
			panic(p)
		}, refuse, slog.New(slog.NewJSONHandler(&log, nil)))
		out, err := h.Invoke(t.Context(), []byte(payload))
		if err != nil || !strings.Contains(string(out), `"statusCode":500`) || !strings.Contains(string(out), `text/plain`) {
			t.Errorf("got %s, %v", out, err)
		}
		if s := log.String(); !strings.Contains(s, `"request_id":"mine"`) || strings.Contains(s, "secret") || strings.Contains(s, "Ann@") ||
			strings.Contains(string(out), "secret") {
			t.Errorf("got log %s", s)
		}
	}
}

func TestOtherPayloadsAreErrors(t *testing.T) {
	h := apigateway.Lambda(func(context.Context, *apigateway.Request) apigateway.Response {
		return apigateway.Response{Status: 200}
	}, refuse, slog.New(slog.DiscardHandler))
	for _, p := range []string{``, `{}`, `[]`, `null`, `{"version":"1.0","routeKey":"GET /"}`, payload + payload, payload[:200]} {
		if out, err := h.Invoke(t.Context(), []byte(p)); err == nil {
			t.Errorf("%.40s: got %s, want an error", p, out)
		}
	}
}

// FuzzLambda asks that no payload makes the adapter panic or answer with something that is no JSON.
func FuzzLambda(f *testing.F) {
	f.Add([]byte(payload))
	f.Fuzz(func(t *testing.T, p []byte) {
		h := apigateway.Lambda(func(_ context.Context, r *apigateway.Request) apigateway.Response {
			return apigateway.Response{Status: 200, Header: map[string]string{"X": r.Path}, Body: r.Body}
		}, refuse, slog.New(slog.DiscardHandler))
		if out, err := h.Invoke(t.Context(), p); err == nil && !json.Valid(out) {
			t.Errorf("%s: got %s", p, out)
		}
	})
}

func TestTheNameOfTheAccountIsReadOrRefused(t *testing.T) {
	for _, c := range []struct {
		claims  string
		account string
		unclear bool
	}{
		{`"cognito:username":"contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV"`, "contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV", false},
		{`"cognito:username":["a"]`, "", true},
		{`"cognito:username":{"a":"b"}`, "", true},
		{`"cognito:username":7`, "", true},
		{`"cognito:username":null`, "", true},
		{`"username":"a:b","token_use":"access"`, "a:b", false},
		{`"token_use":"access","username":["a:b"]`, "", true},
		{`"username":"a:b","token_use":"id"`, "", false}, // another issuer's claim, which means something else
		{`"username":"a:b"`, "", false},
		{`"username":"a:b","token_use":"access","cognito:username":"c"`, "c", false},
	} {
		r, _ := invoke(t, strings.Replace(payload, `"cognito:groups":"[x]"`, c.claims, 1), apigateway.Response{Status: 200})
		if r.Claims.Account != c.account || r.Claims.Unclear != c.unclear {
			t.Errorf("%s: got %q, unclear: %v, want %q, %v", c.claims, r.Claims.Account, r.Claims.Unclear, c.account, c.unclear)
		}
	}
}

// logged are the ids of the requests of which a function logs a line, when it answers so and leaves that percentage of routine answers out.
func logged(t *testing.T, unlogged int, answer apigateway.Response) (ids []string) {
	t.Helper()
	var out bytes.Buffer
	h := apigateway.Lambda(func(context.Context, *apigateway.Request) apigateway.Response { return answer }, refuse,
		slog.New(slog.NewJSONHandler(&out, nil)), apigateway.UnloggedRoutine(unlogged))
	for i := range 1000 {
		request := strings.Replace(payload, `"x-request-id":"mine"`, fmt.Sprintf(`"x-request-id":"request-%d"`, i), 1)
		if _, err := h.Invoke(t.Context(), []byte(request)); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(out.String()) {
		var l struct {
			ID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		ids = append(ids, l.ID)
	}
	return ids
}

func TestRoutineAnswersAreLoggedByTheirRequestsIDs(t *testing.T) {
	routine, other := apigateway.Response{Status: 200, Routine: true}, apigateway.Response{Status: 200}
	if got := len(logged(t, 100, other)); got != 1000 {
		t.Errorf("what is no routine: got %d lines of 1000 requests, want all", got)
	}
	if got := len(logged(t, 0, routine)); got != 1000 {
		t.Errorf("with 0%% left out: got %d lines, want all", got)
	}
	if got := logged(t, 100, routine); len(got) != 0 {
		t.Errorf("with 100%% left out: got %d lines, want none", len(got))
	}
	tenth := logged(t, 90, routine)
	if len(tenth) < 70 || len(tenth) > 130 {
		t.Errorf("with 90%% left out: got %d lines of 1000, want about 100", len(tenth))
	}
	if again := logged(t, 90, routine); !reflect.DeepEqual(again, tenth) {
		t.Errorf("the same requests again: got %d other lines, want the same ones", len(again))
	}
}
