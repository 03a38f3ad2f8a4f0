package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

// What is deployed is what runs locally: these tests hold the template against the local stack's own parts.

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheTableIsTheOneOfTheLocalStack(t *testing.T) {
	var created map[string]any
	db := dynamodb.New(dynamodb.Options{
		Region: "x", Credentials: aws.AnonymousCredentials{}, BaseEndpoint: aws.String("http://table.invalid"),
		HTTPClient: roundTrip(func(r *http.Request) (*http.Response, error) {
			answer := `{"Table":{"TableStatus":"ACTIVE"}}`
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".CreateTable") {
				if err := json.NewDecoder(r.Body).Decode(&created); err != nil {
					t.Error(err)
				}
				answer = `{}`
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
		}),
	})
	if err := dynamo.CreateTable(t.Context(), db, "t", true); err != nil {
		t.Fatal(err)
	}
	for variant := range variants() {
		_, table := synth(t, variant).only(t, "AWS::DynamoDB::Table")
		for _, what := range []string{"KeySchema", "BillingMode", "AttributeDefinitions", "GlobalSecondaryIndexes"} {
			same(t, variant+": "+what, table.Properties[what], created[what])
		}
		same(t, variant+": stream", at(table.Properties, "StreamSpecification", "StreamViewType"),
			at(created, "StreamSpecification", "StreamViewType"))
		same(t, variant+": time to live", table.Properties["TimeToLiveSpecification"], map[string]any{"AttributeName": "ttl", "Enabled": true})
	}
}

// gateway is the local one, with functions that say who they are.
func gateway(t *testing.T, origins ...string) (http.Handler, *stack.Issuer) {
	t.Helper()
	issuer, err := stack.NewIssuer("http://issuer.example", "")
	if err != nil {
		t.Fatal(err)
	}
	handlers := map[string]lambda.Handler{}
	for _, f := range manifest.Functions() {
		handlers[f.Name] = handler(f.Name)
	}
	g, err := stack.NewGateway(manifest.Functions(), handlers,
		stack.NewAuthorizer(issuer.Keys(), issuer.URL(), stack.Audience, time.Now), origins, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return g, issuer
}

type handler string

func (h handler) Invoke(_ context.Context, event []byte) ([]byte, error) {
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	return json.Marshal(events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: string(h) + " " + e.RouteKey})
}

func TestTheRoutesAreThoseOfTheLocalGateway(t *testing.T) {
	g, issuer := gateway(t)
	token := func(scope string) string {
		out, err := issuer.Token(stack.TokenRequest{Email: "ann@acme.example", Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plainToken, scoped := token(""), map[string]string{}
	for _, scope := range []string{httpapi.ScopeDirectory, httpapi.ScopeCheck} {
		scoped[scope] = token(scope)
	}
	ask := func(key, token string) (int, string) {
		method, path, _ := strings.Cut(key, " ")
		r := httptest.NewRequestWithContext(t.Context(), method, strings.NewReplacer("{", "", "}", "").Replace(path), nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	var want []string
	for _, f := range manifest.Functions() {
		for _, r := range f.Routes {
			want = append(want, r.Key())
		}
		if len(f.Routes) > 0 && f.Timeout > gatewayPatience {
			t.Errorf("%s may take %s, and API Gateway waits %s", f.Name, f.Timeout, gatewayPatience)
		}
	}
	slices.Sort(want)
	for _, variant := range onAWSAlone() {
		tpl := synth(t, variant)
		authorizer, _ := tpl.only(t, "AWS::ApiGatewayV2::Authorizer")
		var got []string
		for _, r := range tpl.of("AWS::ApiGatewayV2::Route") {
			key, _ := r.Properties["RouteKey"].(string)
			got = append(got, key)

			// Whom it lets through.
			public := r.Properties["AuthorizationType"] == "NONE"
			if !public && (r.Properties["AuthorizationType"] != "JWT" || refers(r.Properties["AuthorizerId"]) != authorizer) {
				t.Errorf("%s: %s: got %s, want the authorizer", variant, key, plain(r.Properties))
			}
			code, _ := ask(key, "")
			if (code == 200) != public || !public && code != 401 {
				t.Errorf("%s: %s without a token: the gateway here says %d, and public in AWS is %v", variant, key, code, public)
			}
			if public {
				continue
			}
			scopes := texted(r.Properties["AuthorizationScopes"])
			if code, _ := ask(key, plainToken); (code == 200) != (len(scopes) == 0) {
				t.Errorf("%s: %s without a scope: the gateway here says %d, and in AWS it asks for %q", variant, key, code, scopes)
			}
			for scope, token := range scoped {
				code, body := ask(key, token)
				if (code == 200) != (len(scopes) == 0 || slices.Contains(scopes, scope)) {
					t.Errorf("%s: %s with %s: the gateway here says %d, and in AWS it asks for %q", variant, key, scope, code, scopes)
				}
				if code != 200 {
					continue
				}
				// Whom it reaches.
				integration := tpl.Resources[refers(r.Properties["Target"])]
				live := tpl.Resources[refers(integration.Properties["IntegrationUri"])]
				function, _ := tpl.Resources[refers(live.Properties["FunctionName"])].Properties["FunctionName"].(string)
				name, _, _ := strings.Cut(body, " ")
				if !strings.HasSuffix(function, "-"+name) || integration.Properties["PayloadFormatVersion"] != "2.0" || body != name+" "+key {
					t.Errorf("%s: %s: got the function %s in AWS (%s) and %s here", variant, key, function, plain(integration.Properties), body)
				}
			}
		}
		slices.Sort(got)
		same(t, variant+": routes", got, want)
	}
}

func TestBrowsersAreToldTheSameAsLocally(t *testing.T) {
	_, api := synth(t, "pool").only(t, "AWS::ApiGatewayV2::Api")
	cors := func(name string) []string { return texted(at(api.Properties, "CorsConfiguration", name)) }
	same(t, "origins", cors("AllowOrigins"), []string{"https://cloud.example", "https://admin.cloud.example"})
	g, _ := gateway(t, cors("AllowOrigins")...)
	for _, origin := range cors("AllowOrigins") {
		r := httptest.NewRequestWithContext(t.Context(), "OPTIONS", "/v1/me", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "GET")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		for header, want := range map[string][]string{
			"Access-Control-Allow-Origin": {origin}, "Access-Control-Allow-Methods": cors("AllowMethods"),
			"Access-Control-Allow-Headers": cors("AllowHeaders"), "Access-Control-Expose-Headers": cors("ExposeHeaders"),
			"Access-Control-Max-Age": {strconv.Itoa(int(at(api.Properties, "CorsConfiguration", "MaxAge").(float64)))},
		} {
			same(t, header, strings.Split(w.Header().Get(header), ","), want)
		}
	}
	if at(api.Properties, "CorsConfiguration", "AllowCredentials") != nil {
		t.Error("got credentials for pages, want none: tokens are sent by hand")
	}
	if _, api := synth(t, "outside").only(t, "AWS::ApiGatewayV2::Api"); api.Properties["CorsConfiguration"] != nil {
		t.Errorf("without origins: got %s, want no pages let in", plain(api.Properties["CorsConfiguration"]))
	}
}

func TestTheFunctionsAreThoseOfTheManifest(t *testing.T) {
	all := variants()
	all["oidc"] = settingsOf("oidc")
	for variant, given := range all {
		tpl := synth(t, variant)
		stage := given["stage"]
		if stage == "" {
			stage = "dev"
		}
		functions := map[string]resource{}
		for _, r := range tpl.of("AWS::Lambda::Function") {
			if name, ok := r.Properties["FunctionName"].(string); ok { // the others are the CDK's own
				functions[name] = r
			}
		}
		if len(functions) != len(manifest.Functions()) {
			t.Errorf("%s: got %d functions, want those of the manifest alone", variant, len(functions))
		}
		roles := map[string]string{}
		for _, f := range manifest.Functions() {
			name := "partner-access-" + stage + "-" + f.Name
			p := functions[name].Properties
			if p == nil {
				t.Errorf("%s: %s is missing", variant, name)
				continue
			}
			what := variant + ": " + f.Name
			same(t, what+": time-out", p["Timeout"], f.Timeout.Seconds())
			same(t, what+": memory", p["MemorySize"], f.Memory)
			same(t, what+": runtime", p["Runtime"], "provided.al2023")
			same(t, what+": tracing", at(p, "TracingConfig", "Mode"), "Active")
			architecture := "arm64"
			if variant == "localstack" {
				architecture = "x86_64"
			}
			same(t, what+": processor", p["Architectures"], []string{architecture})
			var reserved any
			if f.Name == "check" && given["checkConcurrency"] != "" {
				reserved = 20
			}
			same(t, what+": reserved executions", p["ReservedConcurrentExecutions"], reserved)

			// One role for each function, and a log that ends.
			role := refers(p["Role"])
			if other := roles[role]; other != "" || tpl.Resources[role].Type != "AWS::IAM::Role" {
				t.Errorf("%s: got the role %s, which is %s's: want one of its own", what, role, other)
			}
			roles[role] = f.Name
			log := tpl.Resources[refers(at(p, "LoggingConfig", "LogGroup"))]
			same(t, what+": log", log.Properties["LogGroupName"], "/aws/lambda/"+name)
			format := []any{"JSON", "WARN", "INFO"} // no line for the start, the end and the report of each invocation
			if variant == "localstack" {
				format = []any{"Text", nil, nil}
			}
			same(t, what+": format of the log", []any{
				at(p, "LoggingConfig", "LogFormat"), at(p, "LoggingConfig", "SystemLogLevel"), at(p, "LoggingConfig", "ApplicationLogLevel"),
			}, format)

			env, _ := at(p, "Environment", "Variables").(map[string]any)
			var got []string
			for n := range env {
				if !strings.HasPrefix(n, "AWS_ENDPOINT_URL_") {
					got = append(got, n)
				} else if variant != "localstack" {
					t.Errorf("%s: got %s, want AWS's own addresses", what, n)
				}
				if !strings.HasPrefix(n, "AWS_") && !slices.Contains(f.Env, n) {
					t.Errorf("%s: got the setting %s, which the manifest does not name", what, n)
				}
			}
			if variant == "oidc" { // where all there is is set
				slices.Sort(got)
				same(t, what+": settings", got, slices.Sorted(slices.Values(f.Env)))
			}
			same(t, what+": stage", env["STAGE"], stage)
		}
	}
}

func TestSettingsReachTheFunctions(t *testing.T) {
	env := func(variant, function string) map[string]any {
		for _, r := range synth(t, variant).of("AWS::Lambda::Function") {
			if name, _ := r.Properties["FunctionName"].(string); strings.HasSuffix(name, "-"+function) {
				out, _ := at(r.Properties, "Environment", "Variables").(map[string]any)
				return out
			}
		}
		t.Fatalf("%s has no function %s", variant, function)
		return nil
	}
	pool := synth(t, "pool")
	users, _ := pool.only(t, "AWS::Cognito::UserPool")
	table, _ := pool.only(t, "AWS::DynamoDB::Table")
	api, _ := pool.only(t, "AWS::ApiGatewayV2::Api")
	set, _ := pool.only(t, "AWS::SES::ConfigurationSet")
	for name, want := range map[string]any{
		"TABLE_NAME": map[string]any{"Ref": table}, "PRODUCT_NAME": "Cloud", "MAIL_FROM": "Cloud <no-reply@mail.cloud.example>",
		"MAIL_REPLY_TO": "help@cloud.example",
		"SUPPORT":       "help@cloud.example",
		"CUSTOMER_URL":  "https://cloud.example/c/{customer}", "PARTNER_URL": "https://cloud.example/p/{partner}",
		"INVITATION_URL": "https://cloud.example/i/{token}", "UNSUBSCRIBE": "mailto:stop@cloud.example",
		"DEFAULT_LANGUAGE": "de", "DEFAULT_ZONE": "Europe/Berlin",
		"MAIL_CONFIGURATION_SET": map[string]any{"Ref": set},
		"REQUIRE_SSO":            "true", "SIGN_IN_URL": "https://{domain}/in",
		"IDENTITY": "cognito", "USER_POOL_ID": map[string]any{"Ref": users},
		"USER_POOL_CLIENT_ID": map[string]any{"Ref": "PasswordsClient"},
	} {
		same(t, "mail: "+name, env("pool", "mail")[name], want)
	}
	same(t, "address", env("pool", "check")["BASE_URL"], map[string]any{"Fn::GetAtt": []string{api, "ApiEndpoint"}})
	same(t, "catalogue", env("pool", "check")["CATALOGUE_FILE"], "/var/task/catalogue.json")

	same(t, "the domain is the address", env("outside", "check")["BASE_URL"], "https://access.cloud.example")
	same(t, "the catalogue that is built in", env("outside", "check")["CATALOGUE_FILE"], nil)
	same(t, "accounts elsewhere", env("outside", "directory")["IDENTITY"], "none")
	same(t, "accounts elsewhere, pool", env("outside", "directory")["USER_POOL_ID"], nil)

	same(t, "LocalStack's table", env("localstack", "check")["AWS_ENDPOINT_URL_DYNAMODB"], "http://localhost.localstack.cloud:4566")
	same(t, "LocalStack's mails go to the local mailbox", env("localstack", "notify")["AWS_ENDPOINT_URL_SESV2"],
		"http://host.docker.internal:8025/_local/ses")
	same(t, "LocalStack's address", env("localstack", "check")["BASE_URL"], "http://127.0.0.1:8080")
	same(t, "LocalStack's accounts", env("localstack", "notify")["IDENTITY"], "none")
}

func TestTheStreamStartsWhatItStartsLocally(t *testing.T) {
	for variant := range variants() {
		tpl := synth(t, variant)
		for _, f := range manifest.Functions() {
			if f.Stream == nil {
				continue
			}
			s, p := f.Stream, map[string]any(nil)
			for _, m := range tpl.of("AWS::Lambda::EventSourceMapping") {
				name, _ := tpl.Resources[refers(m.Properties["FunctionName"])].Properties["FunctionName"].(string)
				if strings.HasSuffix(name, "-"+f.Name) {
					p = m.Properties
				}
			}
			table, _ := tpl.only(t, "AWS::DynamoDB::Table")
			same(t, variant+": source", p["EventSourceArn"], map[string]any{"Fn::GetAtt": []string{table, "StreamArn"}})
			same(t, variant+": filter", p["FilterCriteria"], map[string]any{"Filters": []any{map[string]any{"Pattern": s.Filter}}})
			same(t, variant+": single failures", p["FunctionResponseTypes"], []string{"ReportBatchItemFailures"})
			for name, want := range map[string]any{
				"BatchSize": s.BatchSize, "MaximumBatchingWindowInSeconds": s.MaxBatchingWindow.Seconds(), "MaximumRetryAttempts": s.Retries,
				"MaximumRecordAgeInSeconds": s.MaxAge.Seconds(), "ParallelizationFactor": s.Parallelization, "BisectBatchOnFunctionError": s.Bisect,
				"StartingPosition": "TRIM_HORIZON",
			} {
				same(t, variant+": "+name, p[name], want)
			}
			name, _ := tpl.Resources[refers(p["FunctionName"])].Properties["FunctionName"].(string)
			dead := tpl.Resources[refers(p["DestinationConfig"])]
			if !strings.HasSuffix(name, "-"+f.Name) || dead.Type != "AWS::SQS::Queue" {
				t.Errorf("%s: got the function %s and the dead letters in %s", variant, name, plain(dead))
			}
		}
	}
}

func TestTheClockAndTheFeedbackStartWhatTheyStartLocally(t *testing.T) {
	for variant := range variants() {
		tpl := synth(t, variant)
		rules := map[string]map[string]any{}
		for _, r := range tpl.of("AWS::Events::Rule") {
			targets, _ := r.Properties["Targets"].([]any)
			name, _ := tpl.Resources[refers(at(targets, 0, "Arn"))].Properties["FunctionName"].(string)
			rules[name[strings.LastIndex(name, "-")+1:]] = r.Properties
			if dead := tpl.Resources[refers(at(targets, 0, "DeadLetterConfig"))]; len(targets) != 1 || dead.Type != "AWS::SQS::Queue" {
				t.Errorf("%s: %s: got %s, want one target with a dead-letter queue", variant, name, plain(targets))
			}
		}
		var want []string
		for _, f := range manifest.Functions() {
			if f.Schedule > 0 {
				want = append(want, f.Name)
				unit := " minutes)"
				if f.Schedule == time.Minute {
					unit = " minute)"
				}
				same(t, variant+": schedule", rules[f.Name]["ScheduleExpression"], "rate("+strconv.Itoa(int(f.Schedule.Minutes()))+unit)
			}
			if f.Feedback {
				want = append(want, f.Name)
				same(t, variant+": source", at(rules[f.Name], "EventPattern", "source"), []string{"aws.ses"})
				same(t, variant+": types", at(rules[f.Name], "EventPattern", "detail-type"),
					[]string{"Email Delivered", "Email Bounced", "Email Complaint Received", "Email Rejected"})
				if variant != "localstack" {
					set, _ := tpl.only(t, "AWS::SES::ConfigurationSet")
					same(t, variant+": of this stack's mails", at(rules[f.Name], "EventPattern", "detail", "mail", "tags", "ses:configuration-set"),
						[]any{map[string]any{"Ref": set}})
				}
			}
		}
		same(t, variant+": rules", slices.Sorted(maps.Keys(rules)), slices.Sorted(slices.Values(want)))
	}
}
