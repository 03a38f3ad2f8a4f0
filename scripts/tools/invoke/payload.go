package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/scripts/local/seed"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
	"partneraccess/shared/stream/batch"
)

// sample is one thing that a function can be passed.
type sample struct {
	name string

	// Of a request.
	method, path string // the path with its query
	as           string // a person's address, or a scope
	body         string

	// Of anything else.
	payload func() any
	says    string
}

func (s sample) what() string {
	if s.method == "" {
		return s.says
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s as %s  %s", s.method, s.path, s.as, s.body))
}

// samplesOf are a function's samples, about the demo data of scripts/local/seed. A function of the stream has the events' instead.
func samplesOf(f manifest.Function) []sample {
	const ann, olga, check = "ann@acme.example", "olga@contoso.example", httpapi.ScopeCheck
	switch {
	case f.Schedule > 0:
		return []sample{{name: "tick", says: "the schedule, now", payload: tick}}
	case f.Feedback:
		return []sample{
			{name: "delivered", says: "SES has delivered a mail", payload: func() any { return feedback("Delivery", "delivery") }},
			{name: "bounced", says: "a mail came back for good", payload: func() any { return feedback("Bounce", "bounce") }},
		}
	}
	return map[string][]sample{
		"check": {{
			name: "evaluation", method: "POST", path: "/access/v1/evaluation", as: check,
			body: `{"subject":{"type":"user","id":"kim@contoso.example"},"action":{"name":"reports:read"},"resource":{"type":"customer","id":"acme"}}`,
		}},
		"grant": {
			{name: "user", method: "POST", path: "/v1/customers/acme/grants", as: ann, body: `{"email":"kim@contoso.example","level":"support"}`},
			{name: "everyone", method: "POST", path: "/v1/customers/acme/grants", as: ann, body: `{"partner":"contoso","everyone":true}`},
		},
		"edit": {{name: "level", method: "PATCH", path: "/v1/customers/acme/grants/contoso", as: ann, body: `{"level":"view"}`}},
		"revoke": {
			{name: "revoke", method: "DELETE", path: "/v1/customers/acme/grants/contoso", as: ann},
			{name: "relinquish", method: "DELETE", path: "/v1/partners/contoso/customers/acme", as: olga},
		},
		"list": {
			{name: "grants", method: "GET", path: "/v1/customers/acme/grants?status=active,ended", as: ann},
			{name: "customers", method: "GET", path: "/v1/partners/contoso/customers", as: olga},
		},
		"directory": {{
			name: "partner", method: "PATCH", path: "/v1/partners/contoso", as: seed.DirectoryScope,
			body: `{"contacts":["ops@contoso.example"]}`,
		}},
		"invite": {
			{
				name: "invite", method: "POST", path: "/v1/customers/acme/invitations", as: ann,
				body: `{"email":"dana@freelance.example","partner":"contoso","level":"view"}`,
			},
			{name: "list", method: "GET", path: "/v1/customers/acme/invitations", as: ann},
		},
		"bulk": {{
			name: "job", method: "POST", path: "/v1/customers/acme/bulk", as: ann,
			body: `{"rows":[{"op":"revoke","partner":"contoso"}],"on_error":"stop"}`,
		}},
		"webhook": {{
			name: "webhook", method: "POST", path: "/v1/webhooks", as: seed.DirectoryScope,
			body: `{"url":"https://hooks.cloud.example/partner-access","types":["access.lost"]}`,
		}},
		"mail": {{name: "mails", method: "GET", path: "/v1/customers/acme/mail", as: ann}},
	}[f.Name]
}

// payloadFor is what the function's trigger would send: for the named sample, for its only one, or for what a file holds.
func payloadFor(f manifest.Function, name string) ([]byte, error) {
	all := samplesOf(f)
	if i := slices.IndexFunc(all, func(s sample) bool { return s.name == name || name == "" && f.Stream == nil }); i >= 0 {
		return all[i].encode(f)
	}
	var data []byte
	var err error
	switch {
	case name == "":
		return nil, fmt.Errorf("say which event %s is to get: call this without arguments for the list", f.Name)
	case f.Stream != nil && slices.Contains(events.Types(), events.Type(name)):
		data, err = events.Sample(events.Type(name))
	default:
		if data, err = os.ReadFile(name); errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%q is neither a sample for %s nor a file: call this without arguments for the list", name, f.Name)
		}
	}
	if err != nil {
		return nil, err
	}
	var e events.Event
	if f.Stream != nil && json.Unmarshal(data, &e) == nil && e.ID != "" && e.Type != "" {
		return record(e, data)
	}
	if !json.Valid(data) {
		return nil, fmt.Errorf("%s is no JSON", name)
	}
	return data, nil
}

// record is a batch of the stream with one event in it. The event gets an id of its own, since the mails of one are sent but once.
func record(e events.Event, data []byte) ([]byte, error) {
	id := ulid.Make().String()
	data = []byte(strings.ReplaceAll(string(data), e.ID, id))
	e.ID = id
	return json.Marshal(lambdaevents.DynamoDBEvent{Records: []lambdaevents.DynamoDBEventRecord{batch.Inserted("", e, data, 1)}})
}

func (s sample) encode(f manifest.Function) ([]byte, error) {
	if s.method == "" {
		return json.Marshal(s.payload())
	}
	u, err := url.Parse(s.path)
	if err != nil {
		return nil, err
	}
	for _, route := range f.Routes {
		params, ok := matches(route, s.method, u.Path)
		if !ok {
			continue
		}
		claims := map[string]string{"iss": "invoke", "sub": s.as, "email": s.as, "email_verified": "true"}
		if !strings.Contains(s.as, "@") {
			claims = map[string]string{"iss": "invoke", "sub": "invoke", "client_id": "invoke", "scope": s.as}
		}
		id := ulid.Make().String()
		return json.Marshal(lambdaevents.APIGatewayV2HTTPRequest{
			Version: "2.0", RouteKey: route.Key(), RawPath: u.EscapedPath(), RawQueryString: u.RawQuery, PathParameters: params, Body: s.body,
			Headers: map[string]string{"content-type": "application/json", "if-match": "*", "host": "invoke.example"},
			RequestContext: lambdaevents.APIGatewayV2HTTPRequestContext{
				RouteKey: route.Key(), Stage: "$default", RequestID: id, TimeEpoch: time.Now().UnixMilli(),
				HTTP: lambdaevents.APIGatewayV2HTTPRequestContextHTTPDescription{
					Method: s.method, Path: u.Path, Protocol: "HTTP/1.1",
					SourceIP: "127.0.0.1",
				},
				Authorizer: &lambdaevents.APIGatewayV2HTTPRequestContextAuthorizerDescription{
					JWT: &lambdaevents.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
				},
			},
		})
	}
	return nil, fmt.Errorf("%s serves no route for %s %s", f.Name, s.method, u.Path)
}

// matches tells whether a request goes to the route, and what stands for its parameters.
func matches(r httpapi.Route, method, path string) (map[string]string, bool) {
	want, got := strings.Split(r.Path, "/"), strings.Split(path, "/")
	if r.Method != method || len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, segment := range want {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			params[strings.TrimSuffix(name, "}")] = got[i]
		} else if segment != got[i] {
			return nil, false
		}
	}
	return params, true
}

// tick is the event of an EventBridge rule with a schedule.
func tick() any {
	return lambdaevents.EventBridgeEvent{
		Version: "0", ID: ulid.Make().String(), DetailType: "Scheduled Event", Source: "aws.events", Time: time.Now().UTC().Truncate(time.Second),
		Detail: json.RawMessage("{}"),
	}
}

// feedback is what EventBridge makes of SES's word on a mail of a grant. Where there is no such mail, the function takes note of nothing.
func feedback(kind, member string) any {
	const to = "nobody@bounced.example" // a bounce keeps every further mail from the address
	type object = map[string]any
	outcome := object{"timestamp": time.Now().UTC(), "recipients": []string{to}, "smtpResponse": "250 2.0.0 OK"}
	if kind == "Bounce" {
		outcome = object{
			"timestamp": time.Now().UTC(), "bounceType": "Permanent", "bounceSubType": "General",
			"bouncedRecipients": []object{{"emailAddress": to, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}},
		}
	}
	detail, err := json.Marshal(object{
		"eventType": kind, member: outcome,
		"mail": object{
			"messageId": "invoke", "destination": []string{to},
			"tags": object{"organisation": []string{"c-acme"}, "event": []string{ulid.Make().String()}, "type": []string{"grant-created"}},
		},
	})
	if err != nil { // texts and instants
		panic(err)
	}
	return lambdaevents.EventBridgeEvent{
		Version: "0", ID: ulid.Make().String(), DetailType: "Email " + kind, Source: "aws.ses", Time: time.Now().UTC().Truncate(time.Second),
		Detail: detail,
	}
}
