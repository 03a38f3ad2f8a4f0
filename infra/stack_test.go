package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
	"partneraccess/shared/metrics"
)

func TestWhatHoldsDataOutlivesTheStack(t *testing.T) {
	holds := []string{"AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::SES::EmailIdentity", "AWS::Backup::BackupVault"}
	for _, variant := range onAWSAlone() {
		tpl := synth(t, variant)
		protected := variant == "outside"
		for id, r := range tpl.Resources {
			want := slices.Contains(holds, r.Type) || strings.HasPrefix(id, "TextsRole") // without which the pool cannot be changed
			if (r.DeletionPolicy == "RetainExceptOnCreate") != want || (r.UpdateReplacePolicy == "Retain") != want {
				t.Errorf("%s: %s (%s): got deletion %q, replacement %q, want it kept: %v", variant, id, r.Type, r.DeletionPolicy, r.UpdateReplacePolicy,
					want)
			}
		}
		_, table := tpl.only(t, "AWS::DynamoDB::Table")
		same(t, variant+": the table's protection", table.Properties["DeletionProtectionEnabled"], protected)
		same(t, variant+": the table's name", table.Properties["TableName"], nil) // one that was left would keep it
		same(t, variant+": the table's backups", at(table.Properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), true)
		same(t, variant+": the table's encryption", table.Properties["SSESpecification"], map[string]any{"SSEEnabled": true})
		for _, pool := range tpl.of("AWS::Cognito::UserPool") {
			same(t, variant+": the pool's protection", pool.Properties["DeletionProtection"], "INACTIVE")
		}
	}
	_, table := synth(t, "localstack").only(t, "AWS::DynamoDB::Table")
	if table.DeletionPolicy != "Delete" || table.Properties["DeletionProtectionEnabled"] == true {
		t.Errorf("localstack: got %+v, want a table that goes with the stack", table)
	}
}

func TestLogsEndAndSayNothingOfPeople(t *testing.T) {
	for variant, given := range variants() {
		tpl := synth(t, variant)
		want := 90
		if given["logRetentionDays"] != "" {
			want = 30
		}
		for id, log := range tpl.of("AWS::Logs::LogGroup") {
			same(t, variant+": "+id, log.Properties["RetentionInDays"], want)
			if log.Properties["LogGroupName"] == nil {
				t.Errorf("%s: %s has no name", variant, id)
			}
		}
		logs := len(manifest.Functions())
		if variant != "localstack" {
			logs++
			_, stage := tpl.only(t, "AWS::ApiGatewayV2::Stage")
			format, _ := at(stage.Properties, "AccessLogSettings", "Format").(string)
			if tpl.Resources[refers(at(stage.Properties, "AccessLogSettings", "DestinationArn"))].Type != "AWS::Logs::LogGroup" ||
				!strings.Contains(format, "$context.requestId") {
				t.Errorf("%s: got the access log %s", variant, plain(stage.Properties["AccessLogSettings"]))
			}
			for _, never := range []string{"$context.path", "email", "authorizer.claims.aud", "requestOverride"} {
				// a path holds addresses, and invitations' tokens
				if strings.Contains(format, never) {
					t.Errorf("%s: the access log has %s: %s", variant, never, format)
				}
			}
		}
		if len(foreign(tpl)) > 0 {
			logs++ // of what uploads the console
		}
		if got := len(tpl.of("AWS::Logs::LogGroup")); got != logs {
			t.Errorf("%s: got %d logs, want %d", variant, got, logs)
		}
	}
}

// extra are the actions that functions have beside the manifest's rights, and on what; "*" is any resource, where IAM knows none.
func extra(f manifest.Function) map[string]string {
	all := map[string]string{
		"logs:CreateLogStream": "AWS::Logs::LogGroup", "logs:PutLogEvents": "AWS::Logs::LogGroup",
		"xray:PutTraceSegments": "*", "xray:PutTelemetryRecords": "*",
	}
	if f.Stream != nil {
		for _, a := range []string{"DescribeStream", "GetRecords", "GetShardIterator"} {
			all["dynamodb:"+a] = "AWS::DynamoDB::Table"
		}
		all["dynamodb:ListStreams"] = "*"
	}
	if f.Stream != nil || f.Feedback || f.Schedule > 0 {
		all["sqs:SendMessage"] = "AWS::SQS::Queue"
	}
	if f.Feedback || f.Schedule > 0 {
		all["sqs:GetQueueAttributes"], all["sqs:GetQueueUrl"] = "AWS::SQS::Queue", "AWS::SQS::Queue"
	}
	return all
}

func TestARoleAllowsWhatTheManifestSaysAndNothingElse(t *testing.T) {
	for variant := range variants() {
		tpl := synth(t, variant)
		functionOf := map[string]manifest.Function{} // by the role's logical id
		for _, r := range tpl.of("AWS::Lambda::Function") {
			if name, ok := r.Properties["FunctionName"].(string); ok {
				functionOf[refers(r.Properties["Role"])] = named(name[strings.LastIndex(name, "-")+1:])
			}
		}
		aside := map[string]bool{} // roles of the CDK's own functions, of which another test speaks
		for _, f := range foreign(tpl) {
			aside[refers(f.Properties["Role"])] = true
		}
		for id, role := range tpl.of("AWS::IAM::Role") {
			backups := strings.Contains(plain(role.Properties["ManagedPolicyArns"]), "policy/service-role/AWSBackupServiceRolePolicyForBackup")
			rollouts := strings.Contains(plain(role.Properties["ManagedPolicyArns"]), "policy/service-role/AWSCodeDeployRoleForLambdaLimited")
			if !aside[id] && !backups && !rollouts &&
				(role.Properties["ManagedPolicyArns"] != nil || role.Properties["Policies"] != nil || role.Properties["RoleName"] != nil) {
				t.Errorf("%s: %s: got %s, want a role without others' policies", variant, id, plain(role.Properties))
			}
		}
		seen := map[string][]string{} // by function: what is allowed
		for id, policy := range tpl.of("AWS::IAM::Policy") {
			f, isFunction := functionOf[refers(at(policy.Properties, "Roles", 0))]
			if aside[refers(at(policy.Properties, "Roles", 0))] {
				continue
			}
			statements, _ := at(policy.Properties, "PolicyDocument", "Statement").([]any)
			for _, s := range statements {
				if at(s, "Effect") != "Allow" || at(s, "NotAction") != nil {
					t.Errorf("%s: %s: got %s, want what is allowed", variant, id, plain(s))
				}
				if !isFunction {
					same(t, variant+": Cognito's text messages", at(s, "Action"), "sns:Publish")
					if !strings.Contains(plain(at(s, "NotResource")), ":sns:*:*:*") {
						t.Errorf("%s: got %s, want no topic", variant, plain(s))
					}
					continue
				}
				resources, several := at(s, "Resource").([]any)
				if !several {
					resources = []any{at(s, "Resource")}
				}
				for _, action := range texted(at(s, "Action")) {
					if strings.Contains(action, "*") {
						t.Errorf("%s: %s: got the action %s, want none with a wildcard", variant, f.Name, action)
					}
					for _, r := range resources {
						if kind := extra(f)[action]; kind != "" {
							if got := tpl.Resources[refers(r)].Type; got != kind && (kind != "*" || r != "*") {
								t.Errorf("%s: %s: %s on %s, want on %s", variant, f.Name, action, plain(r), kind)
							}
							continue
						}
						// SES's list of the account is no resource to IAM. A mail may need a right to its recipient's identity: the condition bounds it.
						any := r == "*" && action == "ses:DeleteSuppressedDestination" ||
							action == "ses:SendEmail" && strings.HasSuffix(plain(r), `:identity/*"]]}`) && at(s, "Condition") != nil
						if strings.Contains(plain(r), "*") && !any {
							t.Errorf("%s: %s: %s on %s: want it on what is meant", variant, f.Name, action, plain(r))
						}
						seen[f.Name] = append(seen[f.Name], allowed(t, tpl, action, r, at(s, "Condition")))
					}
				}
			}
		}
		for _, f := range manifest.Functions() {
			var want []string
			for _, r := range manifest.Rights(f.Name) {
				want = append(want, wanted(tpl, r)...)
			}
			slices.Sort(want)
			slices.Sort(seen[f.Name])
			same(t, variant+": the rights of "+f.Name, seen[f.Name], want)
		}
	}
}

// allowed and wanted spell a right alike: the action, what it is on, and the condition.
func allowed(t *testing.T, tpl template, action string, on, condition any) string {
	t.Helper()
	kind, text := tpl.Resources[refers(on)].Type, plain(on)
	switch {
	case kind == "AWS::DynamoDB::Table" && strings.Contains(text, "/index/"):
		kind = text[strings.LastIndex(text, "/index/"):]
		kind, _, _ = strings.Cut(kind, `"`)
	case kind == "AWS::DynamoDB::Table" && !strings.Contains(text, `"Arn"`):
		t.Errorf("%s on %s: want the table", action, text)
	case strings.Contains(text, ":identity/"):
		kind = "identity"
	case strings.Contains(text, ":function:") && strings.Contains(text, "-work"):
		kind = "work"
	case strings.Contains(text, ":function:") && strings.Contains(text, "-deliver"):
		kind = "deliver"
	case on == "*":
		kind = "*"
	}
	if condition == nil {
		return action + " " + kind
	}
	return action + " " + kind + " " + plain(condition)
}

func wanted(tpl template, r manifest.Right) []string {
	keys := ""
	if len(r.Keys) > 0 {
		condition := map[string]any{"ForAllValues:StringLike": map[string]any{"dynamodb:LeadingKeys": r.Keys}}
		if len(r.Attributes) > 0 {
			condition["ForAllValues:StringEquals"] = map[string]any{"dynamodb:Attributes": r.Attributes}
			condition["StringEqualsIfExists"] = map[string]any{"dynamodb:ReturnValues": "NONE"}
		}
		keys = " " + plain(condition)
	}
	switch r.On {
	case manifest.Table:
		return []string{r.Action + " AWS::DynamoDB::Table" + keys}
	case manifest.Index1:
		return []string{r.Action + " /index/gsi1" + keys}
	case manifest.Index2:
		return []string{r.Action + " /index/gsi2" + keys}
	case manifest.Mails:
		if len(tpl.of("AWS::SES::ConfigurationSet")) == 0 {
			return nil
		}
		from := " " + plain(map[string]any{"StringEquals": map[string]any{"ses:FromAddress": "no-reply@mail.cloud.example"}})
		return []string{r.Action + " identity" + from, r.Action + " AWS::SES::ConfigurationSet" + from}
	case manifest.EventBus:
		return []string{r.Action + " AWS::Events::EventBus"}
	case manifest.Worker, manifest.Deliverer:
		return []string{r.Action + " " + string(r.On)}
	case manifest.Suppressed:
		if len(tpl.of("AWS::SES::ConfigurationSet")) == 0 {
			return nil
		}
		return []string{r.Action + " *"}
	case manifest.Accounts:
		if len(tpl.of("AWS::Cognito::UserPool")) == 0 {
			return nil
		}
		return []string{r.Action + " AWS::Cognito::UserPool"}
	}
	panic("a resource that the tests do not know: " + string(r.On))
}

func TestFunctionsAreInvokedByTheirOwnTriggersAlone(t *testing.T) {
	for variant := range variants() {
		tpl := synth(t, variant)
		for id, p := range tpl.of("AWS::Lambda::Permission") {
			kind := tpl.Resources[refers(p.Properties["SourceArn"])].Type
			if kind != "AWS::ApiGatewayV2::Api" && kind != "AWS::Events::Rule" || p.Properties["Action"] != "lambda:InvokeFunction" {
				t.Errorf("%s: %s: got %s, want this API or a rule of this stack", variant, id, plain(p.Properties))
			}
		}
		if len(tpl.of("AWS::Lambda::Url")) > 0 {
			t.Errorf("%s: got an address of a function, want none", variant)
		}
		for id, f := range tpl.of("AWS::Lambda::Function") {
			if f.Properties["FunctionName"] != nil && f.Properties["Layers"] != nil {
				t.Errorf("%s: %s: got the layers %s, want none", variant, id, plain(f.Properties["Layers"]))
			}
		}
	}
}

// triggers are what starts a function without anybody who waits for the answer.
func triggers(f manifest.Function) []string {
	var out []string
	if f.Stream != nil {
		out = append(out, "stream")
	}
	if f.Schedule > 0 {
		out = append(out, "clock")
	}
	if f.Feedback {
		out = append(out, "events")
	}
	return out
}

func TestDeadLettersAreEncryptedAndGoOverTLS(t *testing.T) {
	for variant := range variants() {
		tpl := synth(t, variant)
		closed := map[string]bool{}
		for _, p := range tpl.of("AWS::SQS::QueuePolicy") {
			statements, _ := at(p.Properties, "PolicyDocument", "Statement").([]any)
			for _, s := range statements {
				if at(s, "Effect") == "Deny" && plain(at(s, "Condition")) == `{"Bool":{"aws:SecureTransport":"false"}}` && at(s, "Action") == "sqs:*" {
					closed[refers(p.Properties["Queues"])] = true
				} else if at(s, "Principal", "Service") != "events.amazonaws.com" ||
					tpl.Resources[refers(at(s, "Condition"))].Type != "AWS::Events::Rule" {
					t.Errorf("%s: got %s, want nobody but a rule let in", variant, plain(s))
				}
			}
		}
		var triggered, asynchronous int
		for _, f := range manifest.Functions() {
			triggered += len(triggers(f))
			if f.Schedule > 0 || f.Feedback {
				asynchronous++
			}
		}
		queues := tpl.of("AWS::SQS::Queue")
		if len(queues) != triggered {
			t.Errorf("%s: got %d queues, want one for each of %d triggers", variant, len(queues), triggered)
		}
		for id, q := range queues {
			if q.Properties["SqsManagedSseEnabled"] != true || !closed[id] || q.Properties["MessageRetentionPeriod"] != float64(14*24*3600) {
				t.Errorf("%s: %s: got %s, closed %v, want it encrypted, over TLS, for 14 days", variant, id, plain(q.Properties), closed[id])
			}
		}
		// What a function fails on for good, when it was not asked by a caller who waits, lands in its queue.
		failures := tpl.of("AWS::Lambda::EventInvokeConfig")
		if len(failures) != asynchronous {
			t.Errorf("%s: got %d, want one for each of %d functions", variant, len(failures), asynchronous)
		}
		for id, c := range failures {
			if tpl.Resources[refers(c.Properties["DestinationConfig"])].Type != "AWS::SQS::Queue" {
				t.Errorf("%s: %s: got %s, want dead letters", variant, id, plain(c.Properties))
			}
		}
	}
}

func TestTheAPIIsBoundedAndHasOneAddress(t *testing.T) {
	for _, variant := range onAWSAlone() {
		tpl := synth(t, variant)
		_, stage := tpl.only(t, "AWS::ApiGatewayV2::Stage")
		same(t, variant+": throttle", stage.Properties["DefaultRouteSettings"],
			map[string]any{"DetailedMetricsEnabled": false, "ThrottlingBurstLimit": 70, "ThrottlingRateLimit": 50})
		limits, _ := stage.Properties["RouteSettings"].(map[string]any)
		for _, f := range manifest.Functions() {
			for _, r := range f.Routes {
				var want any
				if f.Name == "check" {
					want = map[string]any{"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 2000}
				}
				if r.Public {
					want = map[string]any{"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}
				}
				if r.Fallback {
					want = map[string]any{"ThrottlingRateLimit": 2, "ThrottlingBurstLimit": 10}
				}
				same(t, variant+": "+r.Key(), limits[r.Key()], want)
			}
		}
		for id := range tpl.of("AWS::ApiGatewayV2::Route") { // API Gateway refuses limits of a route that is not there
			if !strings.Contains(plain(stage.DependsOn), `"`+id+`"`) {
				t.Errorf("%s: the stage may come before %s", variant, id)
			}
		}
	}
	outside := synth(t, "outside")
	_, api := outside.only(t, "AWS::ApiGatewayV2::Api")
	same(t, "API Gateway's own address", api.Properties["DisableExecuteApiEndpoint"], true)
	_, domain := outside.only(t, "AWS::ApiGatewayV2::DomainName")
	same(t, "domain", domain.Properties["DomainName"], "access.cloud.example")
	same(t, "TLS", at(domain.Properties, "DomainNameConfigurations", 0, "SecurityPolicy"), "TLS_1_2")
	_, mapping := outside.only(t, "AWS::ApiGatewayV2::ApiMapping")
	if outside.Resources[refers(mapping.Properties["DomainName"])].Type != "AWS::ApiGatewayV2::DomainName" ||
		mapping.Properties["ApiMappingKey"] != nil {
		t.Errorf("got the mapping %s, want the domain's root", plain(mapping.Properties))
	}
	_, api = synth(t, "pool").only(t, "AWS::ApiGatewayV2::Api")
	same(t, "without a domain", api.Properties["DisableExecuteApiEndpoint"], false)
}

func TestAnIdentityProviderOfTheOperatorsOwnTakesThePoolsPlace(t *testing.T) {
	tpl := synth(t, "outside")
	_, a := tpl.only(t, "AWS::ApiGatewayV2::Authorizer")
	same(t, "issuer and audience", a.Properties["JwtConfiguration"],
		map[string]any{"Audience": []string{"partner-access", "other"}, "Issuer": "https://id.cloud.example/"})
	for id, r := range tpl.Resources {
		if strings.HasPrefix(r.Type, "AWS::Cognito::") {
			t.Errorf("got %s, a %s, want no pool", id, r.Type)
		}
	}
}

// The package shared/cognito says what the pool needs.
func TestThePoolIsAsTheServiceNeedsIt(t *testing.T) {
	tpl := synth(t, "pool")
	poolID, pool := tpl.only(t, "AWS::Cognito::UserPool")
	p := pool.Properties
	for name, want := range map[string]any{
		"AliasAttributes": []string{"email"}, "UsernameAttributes": nil, "UsernameConfiguration": map[string]any{"CaseSensitive": false},
		"Schema":                 []any{map[string]any{"Name": "email", "AttributeDataType": "String", "Mutable": true, "Required": false}},
		"AdminCreateUserConfig":  map[string]any{"AllowAdminCreateUserOnly": true},
		"MfaConfiguration":       "OPTIONAL",
		"EnabledMfas":            []string{"SMS_MFA", "SOFTWARE_TOKEN_MFA"},
		"AccountRecoverySetting": map[string]any{"RecoveryMechanisms": []any{map[string]any{"Name": "verified_email", "Priority": 1}}},
		"AutoVerifiedAttributes": nil,
	} {
		same(t, name, p[name], want)
	}
	if least, _ := at(p, "Policies", "PasswordPolicy", "MinimumLength").(float64); least < 12 {
		t.Errorf("got passwords of %v characters, want 12 at least", least)
	}
	if tpl.Resources[refers(p["SmsConfiguration"])].Type != "AWS::IAM::Role" {
		t.Errorf("got %s, want a role to send texts with", plain(p["SmsConfiguration"]))
	}
	// The identity that this stack makes is not verified yet when the pool is made.
	same(t, "mails with an identity of this stack's", at(p, "EmailConfiguration", "EmailSendingAccount"), "COGNITO_DEFAULT")
	_, second := synth(t, "second").only(t, "AWS::Cognito::UserPool")
	same(t, "mails with one that was there", at(second.Properties, "EmailConfiguration", "EmailSendingAccount"), "DEVELOPER")

	clients := tpl.of("AWS::Cognito::UserPoolClient")
	if len(clients) != 4 {
		t.Fatalf("got %d clients, want the back end, the pages, and one for each scope", len(clients))
	}
	for id, c := range clients {
		same(t, id+": of the pool", refers(c.Properties["UserPoolId"]), poolID)
		same(t, id+": who exists is not told", c.Properties["PreventUserExistenceErrors"], "ENABLED")
		if c.Properties["ExplicitAuthFlows"] == nil {
			t.Errorf("%s: got Cognito's own flows, among them signing in from anywhere", id)
		}
	}
	backEnd := clients["PasswordsClient"].Properties
	same(t, "the back end's flows", backEnd["ExplicitAuthFlows"], []string{"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"})
	same(t, "the back end's secret", backEnd["GenerateSecret"], false)
	same(t, "the back end's sign-in pages", backEnd["AllowedOAuthFlowsUserPoolClient"], nil)

	pages := clients["PagesClient"].Properties
	same(t, "the pages' flows", []any{pages["AllowedOAuthFlows"], pages["ExplicitAuthFlows"]},
		[]any{[]string{"code"}, []string{"ALLOW_REFRESH_TOKEN_AUTH"}})
	same(t, "the pages' scopes", pages["AllowedOAuthScopes"], []string{"openid", "email"})
	same(t, "the pages' secret", pages["GenerateSecret"], false)
	writes := texted(pages["WriteAttributes"])
	if len(writes) == 0 || slices.Contains(writes, "email") || slices.Contains(writes, "phone_number") {
		t.Errorf("got pages that write %q, want some list, without what says who one is", writes)
	}
	for id, scopes := range map[string][]string{
		"DirectoryClient": {httpapi.ScopeDirectory, httpapi.ScopeAudit}, "CheckClient": {httpapi.ScopeCheck}, // who serves people asks about now
	} {
		m := clients[id].Properties
		same(t, id, []any{m["AllowedOAuthFlows"], m["AllowedOAuthScopes"], m["GenerateSecret"]},
			[]any{[]string{"client_credentials"}, scopes, true})
	}
	_, server := tpl.only(t, "AWS::Cognito::UserPoolResourceServer")
	var scopes []string
	for i := range 3 {
		scopes = append(scopes, fmt.Sprint(server.Properties["Identifier"], "/", at(server.Properties, "Scopes", i, "ScopeName")))
	}
	same(t, "scopes", scopes, []string{httpapi.ScopeDirectory, httpapi.ScopeCheck, httpapi.ScopeAudit})
	_, a := tpl.only(t, "AWS::ApiGatewayV2::Authorizer")
	same(t, "whose tokens the API takes", a.Properties["JwtConfiguration"], map[string]any{
		"Audience": []any{map[string]any{"Ref": "PagesClient"}, map[string]any{"Ref": "DirectoryClient"}, map[string]any{"Ref": "CheckClient"}},
		"Issuer":   map[string]any{"Fn::GetAtt": []string{poolID, "ProviderURL"}},
	})
	groups := map[string]any{}
	for id, g := range tpl.of("AWS::Cognito::UserPoolGroup") {
		same(t, id+": of the pool", refers(g.Properties["UserPoolId"]), poolID)
		groups[id] = g.Properties["GroupName"]
	}
	same(t, "groups", groups, map[string]any{
		"CustomersGroup": "customers", "PartnersGroup": "partners", "PartnerOwnerGroup": "partner-owner", "PartnerAdminGroup": "partner-admin",
		"PartnerBusinessGroup": "partner-business", "PartnerTechGroup": "partner-tech", "PartnerSalesMarketingGroup": "partner-sales_marketing",
		"PartnerExternalGroup": "partner-external",
	})
	if len(tpl.of("AWS::Cognito::UserPoolDomain")) != 1 {
		t.Error("got other domains than one")
	}
}

func TestMailsAreSentUnderASetThatKeepsBadAddressesOff(t *testing.T) {
	for _, variant := range onAWSAlone() {
		tpl := synth(t, variant)
		id, set := tpl.only(t, "AWS::SES::ConfigurationSet")
		same(t, variant+": suppression", at(set.Properties, "SuppressionOptions", "SuppressedReasons"), []string{"BOUNCE"})
		same(t, variant+": reputation", at(set.Properties, "ReputationOptions", "ReputationMetricsEnabled"), true)
		_, d := tpl.only(t, "AWS::SES::ConfigurationSetEventDestination")
		same(t, variant+": of the set", refers(d.Properties["ConfigurationSetName"]), id)
		same(t, variant+": events", at(d.Properties, "EventDestination", "MatchingEventTypes"),
			[]string{"DELIVERY", "BOUNCE", "COMPLAINT", "REJECT"})
		if bus := plain(at(d.Properties, "EventDestination", "EventBridgeDestination")); !strings.Contains(bus, ":event-bus/default") {
			t.Errorf("%s: got %s, want the default bus, the only one that SES knows", variant, bus)
		}
	}
	_, identity := synth(t, "pool").only(t, "AWS::SES::EmailIdentity")
	same(t, "the sender's domain", identity.Properties["EmailIdentity"], "mail.cloud.example")
	if n := len(synth(t, "outside").of("AWS::SES::EmailIdentity")); n != 0 {
		t.Errorf("an identity that the account has: got %d made, want none", n)
	}
}

func TestAnOperatorIsTold(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, runbook, _ := strings.Cut(string(text), "### Alarms")
	runbook, _, _ = strings.Cut(runbook, "###")
	for _, variant := range onAWSAlone() {
		tpl := synth(t, variant)
		stage := variants()[variant]["stage"]
		if stage == "" {
			stage = "dev"
		}
		topic, _ := tpl.only(t, "AWS::SNS::Topic")
		alarms := map[string]map[string]any{}
		for id, a := range tpl.of("AWS::CloudWatch::Alarm") {
			p := a.Properties
			if p["AlarmActions"] != nil || len(fmt.Sprint(p["AlarmDescription"])) < 40 {
				t.Errorf("%s: %s: got %s, want it to say what it means, and to be told once, with its cause", variant, id, plain(p))
			}
			name, _ := p["AlarmName"].(string)
			alarms[strings.TrimPrefix(name, "partner-access-"+stage+"-")] = p
		}
		want := []string{
			"sweep-lag", "bulk-lag", "contention", "bounces", "complaints", "server-errors", "latency", "check-latency",
			"table-throttles", "check-traffic", "denials", "new-version",
			"past-gaps",
		}
		for _, f := range manifest.Functions() {
			want = append(want, f.Name+"-errors")
			quiet := []string{"expire", "work", "deliver"} // whose lag or dead letters tell
			if variants()[variant]["customerWebhooks"] != "true" {
				quiet = append(quiet, "webhook") // which the provider calls alone
			}
			if !slices.Contains(quiet, f.Name) {
				want = append(want, f.Name+"-throttles")
			}
			if f.Stream != nil {
				want = append(want, f.Name+"-age")
			}
			for _, trigger := range triggers(f) {
				want = append(want, f.Name+"-"+trigger+"-dead")
			}
		}
		slices.Sort(want)
		same(t, variant+": alarms", slices.Sorted(maps.Keys(alarms)), want)
		causes, told := tpl.of("AWS::CloudWatch::CompositeAlarm"), 0
		if len(causes) != 4 {
			t.Errorf("%s: got %d causes, want 4", variant, len(causes))
		}
		for id, c := range causes {
			if refers(c.Properties["AlarmActions"]) != topic || refers(c.Properties["OKActions"]) != topic {
				t.Errorf("%s: %s: got %s, want it told to the topic", variant, id, plain(c.Properties))
			}
			if !strings.HasSuffix(id, "Causestorage") && !strings.HasPrefix(id, "Causestorage") && c.Properties["ActionsSuppressor"] == nil {
				t.Errorf("%s: %s is told beside the table that it comes from", variant, id)
			}
			told += strings.Count(plain(c.Properties["AlarmRule"]), "ALARM(")
		}
		if told != len(alarms)-1 {
			t.Errorf("%s: got %d alarms among the causes, want each of %d once, but for the deployments' own", variant, told, len(alarms))
		}
		for name := range alarms { // a line for each, or one for all functions
			_, what, _ := strings.Cut(name, "-")
			if !strings.Contains(runbook, "`"+name+"`") && !strings.Contains(runbook, "`*-"+what+"`") {
				t.Errorf("%s: infra/README.md does not say what to do about %s", variant, name)
			}
		}
		lag := alarms["sweep-lag"]
		same(t, variant+": lag of the sweep", []any{lag["Namespace"], lag["MetricName"], lag["Dimensions"], lag["TreatMissingData"]},
			[]any{metrics.Namespace, metrics.SweepLag, []any{map[string]any{"Name": metrics.Stage, "Value": stage}}, "breaching"})
		same(t, variant+": the stream's age", alarms["notify-age"]["MetricName"], "IteratorAge")
		same(t, variant+": bounces", alarms["bounces"]["MetricName"], "Reputation.BounceRate")

		subscriptions := 0
		if variants()[variant]["alarmEmail"] != "" {
			subscriptions = 1
		}
		if got := len(tpl.of("AWS::SNS::Subscription")); got != subscriptions {
			t.Errorf("%s: got %d subscriptions, want %d", variant, got, subscriptions)
		}
		_, board := tpl.only(t, "AWS::CloudWatch::Dashboard")
		body := plain(board.Properties["DashboardBody"])
		for _, m := range []string{
			metrics.Decisions, metrics.GrantsEnded, metrics.Mails, metrics.SweepLag, metrics.BulkLag, metrics.Contention, "IteratorAge",
			"5xx", "ApproximateNumberOfMessagesVisible",
		} {
			if !strings.Contains(body, m) {
				t.Errorf("%s: the dashboard lacks %s", variant, m)
			}
		}
	}
}

// physicalNames are what things are called in an account, as far as the template says so itself. What CloudFormation names has the stack's
// name in it.
func physicalNames(tpl template) map[string]string {
	out := map[string]string{}
	for id, r := range tpl.Resources {
		for _, property := range []string{
			"TableName", "FunctionName", "LogGroupName", "QueueName", "TopicName", "AlarmName", "DashboardName", "UserPoolName", "Domain", "Name",
			"RoleName",
			"EmailIdentity", "DomainName",
		} {
			v := r.Properties[property]
			for _, config := range []string{"OriginAccessControlConfig", "ResponseHeadersPolicyConfig", "CachePolicyConfig"} {
				// CloudFront's stand one level below
				if v == nil {
					v = at(r.Properties, config, property)
				}
			}
			within := strings.HasSuffix(r.Type, "ResourceServer") || strings.HasSuffix(r.Type, "Mapping") ||
				strings.HasSuffix(r.Type, "InvokeConfig") || strings.HasSuffix(r.Type, "Alias") || strings.HasSuffix(r.Type, "Version") ||
				strings.HasSuffix(r.Type, "Permission") // these name others
			if v != nil && !within {
				out[r.Type+" "+plain(v)] = id
			}
		}
	}
	return out
}

func TestARestoredTableTakesTheTablesPlace(t *testing.T) {
	tpl := synth(t, "restored")
	if made := tpl.of("AWS::DynamoDB::Table"); len(made) > 0 {
		t.Errorf("the stack makes %d tables of its own", len(made))
	}
	for id, f := range tpl.of("AWS::Lambda::Function") {
		if got := at(f.Properties, "Environment", "Variables", "TABLE_NAME"); got != nil && got != "restored" {
			t.Errorf("%s: got the table %v", id, got)
		}
	}
	for id, mapping := range tpl.of("AWS::Lambda::EventSourceMapping") {
		if got := at(mapping.Properties, "EventSourceArn"); got != restoredTable+"/stream/2026-11-22T10:00:00.000" {
			t.Errorf("%s: got the stream %v", id, got)
		}
	}
	if len(tpl.errors) > 0 {
		t.Errorf("got complaints: %v", tpl.errors)
	}
	// Apart from the table nothing is another.
	usual := synth(t, "pool")
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::Lambda::Function", "AWS::CloudWatch::Alarm"} {
		if got, want := len(tpl.of(kind)), len(usual.of(kind)); got != want || want == 0 {
			t.Errorf("%s: got %d, want %d", kind, got, want)
		}
	}
	policies := 0
	for id, p := range tpl.of("AWS::IAM::Policy") {
		text := plain(p.Properties)
		if strings.Contains(text, "dynamodb:") {
			policies++
			if !strings.Contains(text, restoredTable) || strings.Contains(text, "-table") {
				t.Errorf("%s allows another table: %s", id, text)
			}
		}
	}
	if policies == 0 {
		t.Error("no policy speaks of the table")
	}
}

// policyOf is the logical id of the policy whose id begins so.
func policyOf(tpl template, prefix string) string {
	for id := range tpl.of("AWS::IAM::Policy") {
		if strings.HasPrefix(id, prefix) {
			return id
		}
	}
	return ""
}

func TestTracesAreTheOperatorsChoice(t *testing.T) {
	for id, f := range synth(t, "additions").of("AWS::Lambda::Function") {
		same(t, id+": tracing", f.Properties["TracingConfig"], nil)
	}
	for id, p := range synth(t, "additions").of("AWS::IAM::Policy") {
		if strings.Contains(plain(p.Properties), "xray:") {
			t.Errorf("%s allows traces that nobody wants", id)
		}
	}
}

func TestWhatAnOperatorAdds(t *testing.T) {
	tpl, given := synth(t, "additions"), settingsOf("additions")
	if len(tpl.errors) > 0 {
		t.Errorf("got complaints: %v", tpl.errors)
	}
	for id, r := range tpl.of("AWS::IAM::Role") {
		same(t, id+": the boundary", r.Properties["PermissionsBoundary"], given["permissionsBoundary"])
	}
	_, table := tpl.only(t, "AWS::DynamoDB::Table")
	same(t, "the table's key", table.Properties["SSESpecification"],
		map[string]any{"KMSMasterKeyId": given["tableKey"], "SSEEnabled": true, "SSEType": "KMS"})
	with := 0
	for _, p := range tpl.of("AWS::IAM::Policy") {
		if text := plain(p.Properties); strings.Contains(text, "kms:Decrypt") && strings.Contains(text, "kms:ViaService") {
			with++
		}
	}
	same(t, "functions that may use the key, and back ends that decide", with, len(manifest.Functions())+1)
	_, pages := tpl.only(t, "AWS::CloudFront::Distribution")
	same(t, "WAF before the pages", at(pages.Properties, "DistributionConfig", "WebACLId"), given["webAcl"])
	_, waf := tpl.only(t, "AWS::WAFv2::WebACLAssociation")
	same(t, "WAF before the pool", waf.Properties["WebACLArn"], given["poolWebAcl"])
	_, vault := tpl.only(t, "AWS::Backup::BackupVault")
	same(t, "the vault stays", vault.DeletionPolicy, "RetainExceptOnCreate")
	_, plan := tpl.only(t, "AWS::Backup::BackupPlan")
	rule := at(plan.Properties, "BackupPlan", "BackupPlanRule", 0)
	same(t, "kept for", at(rule, "Lifecycle", "DeleteAfterDays"), 400)
	same(t, "copied to", at(rule, "CopyActions", 0, "DestinationBackupVaultArn"), given["backupCopyTo"])
	_, selection := tpl.only(t, "AWS::Backup::BackupSelection")
	if text := plain(selection.Properties); !strings.Contains(text, "Table") {
		t.Errorf("got backups of %s, want the table", text)
	}
	_, budget := tpl.only(t, "AWS::Budgets::Budget")
	same(t, "budget", at(budget.Properties, "Budget", "BudgetLimit", "Amount"), 100)
	same(t, "who is told", at(budget.Properties, "NotificationsWithSubscribers", 1, "Subscribers", 0, "Address"), "ops@cloud.example")
	for id, r := range tpl.of("AWS::IAM::Role") {
		if strings.HasPrefix(id, "Pipeline") {
			same(t, "who deploys", at(r.Properties, "AssumeRolePolicyDocument", "Statement", 0, "Condition"),
				map[string]any{"StringEquals": map[string]any{
					"token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
					"token.actions.githubusercontent.com:sub": "repo:example/access:environment:dev",
				}})
		}
	}
	if text := plain(tpl.Resources[policyOf(tpl, "Pipeline")].Properties); strings.Count(text, "sts:AssumeRole") != 1 ||
		strings.Contains(text, `"Action":"*"`) {
		t.Errorf("got a pipeline that may %s", text)
	}
	for _, kind := range []string{"AWS::Budgets::Budget", "AWS::WAFv2::WebACLAssociation"} {
		if n := len(synth(t, "pool").of(kind)); n != 0 {
			t.Errorf("%s: got %d that nobody has asked for", kind, n)
		}
	}
}

// What a stack before this one has left: its pool is used as it is, and what went with that stack is made again.
func TestAnExistingPoolTakesThePoolsPlace(t *testing.T) {
	tpl, usual := synth(t, "taken over"), synth(t, "pool")
	if made := tpl.of("AWS::Cognito::UserPool"); len(made) > 0 {
		t.Errorf("the stack makes %d pools of its own", len(made))
	}
	for _, kind := range []string{
		"AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolGroup", "AWS::Cognito::UserPoolDomain", "AWS::Cognito::UserPoolResourceServer",
	} {
		if got, want := len(tpl.of(kind)), len(usual.of(kind)); got != want || want == 0 {
			t.Errorf("%s: got %d, want %d", kind, got, want)
		}
		for id, r := range tpl.of(kind) {
			same(t, id+": of the pool", r.Properties["UserPoolId"], existingPool)
		}
	}
	_, a := tpl.only(t, "AWS::ApiGatewayV2::Authorizer")
	same(t, "issuer", at(a.Properties, "JwtConfiguration", "Issuer"), map[string]any{"Fn::Join": []any{"", []any{
		"https://cognito-idp.", map[string]any{"Ref": "AWS::Region"}, ".amazonaws.com/" + existingPool,
	}}})
	for id, f := range tpl.of("AWS::Lambda::Function") {
		if got := at(f.Properties, "Environment", "Variables", "USER_POOL_ID"); got != nil && got != existingPool {
			t.Errorf("%s: got the pool %v", id, got)
		}
	}
	allowed := 0
	for _, p := range tpl.of("AWS::IAM::Policy") {
		if text := plain(p.Properties); strings.Contains(text, "cognito-idp:") && strings.Contains(text, ":userpool/"+existingPool) {
			allowed++
		}
	}
	if allowed == 0 {
		t.Error("no policy speaks of the pool")
	}
	if len(tpl.errors) > 0 {
		t.Errorf("got complaints: %v", tpl.errors)
	}
}

func TestStagesLiveSideBySide(t *testing.T) {
	one, two := physicalNames(synth(t, "pool")), physicalNames(synth(t, "second"))
	if len(one) < 59 {
		t.Errorf("got %d names, want those of all that has one", len(one))
	}
	for name, id := range one {
		if two[name] != "" {
			t.Errorf("%s is called %s in both stages", id, name)
		}
	}
}

func TestLocalStackGetsOnlyWhatItCanMake(t *testing.T) {
	text, err := os.ReadFile("localstack_types.txt")
	if err != nil {
		t.Fatal(err)
	}
	may := map[string]bool{}
	for line := range strings.SplitSeq(string(text), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			may[line] = true
		}
	}
	used := map[string]bool{}
	for id, r := range synth(t, "localstack").Resources {
		used[r.Type] = true
		if !may[r.Type] {
			t.Errorf("got %s, a %s, which is not in localstack_types.txt", id, r.Type)
		}
	}
	same(t, "types of the list", slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(may)))
}

func TestNoRuleOfCdkNagIsBroken(t *testing.T) {
	for _, variant := range allVariants() {
		tpl := synth(t, variant)
		for _, e := range tpl.errors {
			t.Errorf("%s: %s", variant, e)
		}
		for id, r := range tpl.Resources {
			rules, _ := at(r.Metadata, "cdk_nag", "rules_to_suppress").([]any)
			for _, rule := range rules {
				if why, _ := at(rule, "reason").(string); len(why) < 30 {
					t.Errorf("%s: %s: got %s, want a reason", variant, id, plain(rule))
				}
			}
		}
	}
	// It would be told.
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(filepath.Join(scratch, "broken"))})
	stack := awscdk.NewStack(app, jsii.String("broken"), nil)
	awssqs.NewQueue(stack, jsii.String("Q"), nil)
	nag(app)
	found := plain(assertions.Annotations_FromStack(stack).FindError(jsii.String("*"), assertions.Match_AnyValue()))
	for _, rule := range []string{"AwsSolutions-SQS3", "AwsSolutions-SQS4", "Serverless-SQSRedrivePolicy"} {
		if !strings.Contains(found, rule) {
			t.Errorf("a queue without TLS and dead letters: got %s, want %s", found, rule)
		}
	}
}
