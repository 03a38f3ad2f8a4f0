package main

import (
	"os"
	"strings"
	"testing"

	"partneraccess/scripts/local/deployed"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
)

// resolved are the properties of a resource as they are in an account.
func (t template) resolved(test *testing.T, id string) map[string]any {
	test.Helper()
	resources := map[string]deployed.Resource{}
	for id, r := range t.Resources {
		resources[id] = deployed.Resource{Type: r.Type, Properties: r.Properties}
	}
	out, err := (&deployed.Template{Resources: resources}).Resolve(t.Resources[id].Properties, t.value)
	if err != nil {
		test.Fatalf("%s: %v", id, err)
	}
	return out.(map[string]any)
}

// value is what Ref and Fn::GetAtt come to. What has no name of its own is called by its logical id.
func (t template) value(id, kind, attribute string) (string, bool) {
	if kind == "" {
		v, ok := map[string]string{
			"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws",
			"AWS::StackId":   "arn:aws:cloudformation:" + region + ":" + account + ":stack/s/0a1b-2c",
			"AWS::URLSuffix": "amazonaws.com",
		}[id]
		return v, ok
	}
	name := id
	for _, property := range []string{"TableName", "FunctionName", "QueueName", "LogGroupName", "Name"} {
		if own, ok := t.Resources[id].Properties[property].(string); ok {
			name = own
		}
	}
	if attribute == "" {
		return name, true
	}
	pattern, ok := map[string]string{
		"AWS::ApiGatewayV2::Api ApiEndpoint": "https://NAME.execute-api.REGION.amazonaws.com",
		"AWS::Cognito::UserPool Arn":         "arn:aws:cognito-idp:REGION:ACCOUNT:userpool/REGION_NAME",
		"AWS::DynamoDB::Table Arn":           "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME",
		"AWS::DynamoDB::Table StreamArn":     "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/2026-11-22T10:00:00.000",
		"AWS::Events::EventBus Arn":          "arn:aws:events:REGION:ACCOUNT:event-bus/NAME",
		"AWS::Events::Rule Arn":              "arn:aws:events:REGION:ACCOUNT:rule/NAME",
		"AWS::IAM::Role Arn":                 "arn:aws:iam::ACCOUNT:role/NAME",
		"AWS::Lambda::Function Arn":          "arn:aws:lambda:REGION:ACCOUNT:function:NAME",
		"AWS::Logs::LogGroup Arn":            "arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*",
		"AWS::S3::Bucket Arn":                "arn:aws:s3:::NAME",
		"AWS::SQS::Queue Arn":                "arn:aws:sqs:REGION:ACCOUNT:NAME",
	}[kind+" "+attribute]
	return strings.NewReplacer("NAME", name, "REGION", region, "ACCOUNT", account).Replace(pattern), ok
}

// inline are the policies of each role, by its logical id.
func (t template) inline(test *testing.T) map[string][]any {
	test.Helper()
	out := map[string][]any{}
	for id := range t.of("AWS::IAM::Role") {
		own, _ := t.resolved(test, id)["Policies"].([]any)
		for _, p := range own {
			out[id] = append(out[id], at(p, "PolicyDocument"))
		}
	}
	for id := range t.of("AWS::IAM::Policy") {
		p := t.resolved(test, id)
		for _, role := range texted(p["Roles"]) {
			out[role] = append(out[role], p["PolicyDocument"])
		}
	}
	return out
}

// The quotas: docs.aws.amazon.com, "Understand CloudFormation quotas", "IAM and AWS STS quotas", "Lambda quotas". The CDK passes templates
// through its bucket, so that the 51,200 bytes of a template in the request itself do not count.
func TestEverythingFitsIntoAWSsQuotas(t *testing.T) {
	for _, variant := range allVariants() {
		tpl := synth(t, variant)
		text, err := os.ReadFile(tpl.file)
		if err != nil {
			t.Fatal(err)
		}
		largest := map[string]int{}
		fits := func(what, of string, got, most int) {
			largest[what] = max(largest[what], got)
			if got > most {
				t.Errorf("%s: %s: %s: got %d, at most %d", variant, of, what, got, most)
			}
		}
		fits("bytes of the template", "stack", len(text), 1_000_000)
		fits("resources", "stack", len(tpl.Resources), 500)
		fits("outputs", "stack", len(tpl.Outputs), 200)
		for role, policies := range tpl.inline(t) {
			sum := 0
			for _, p := range policies {
				sum += len(plain(p))
			}
			fits("characters of inline policies", role, sum, 10_240)
		}
		invokers := map[string][]any{} // by function: its policy's statements
		for id, r := range tpl.Resources {
			switch r.Type {
			case "AWS::IAM::Role":
				p := tpl.resolved(t, id)
				fits("characters of who may take the role", id, len(plain(p["AssumeRolePolicyDocument"])), 2_048)
				fits("characters of a role's description", id, len(plain(p["Description"])), 1_000)
			case "AWS::IAM::ManagedPolicy":
				fits("characters of a managed policy", id, len(plain(tpl.resolved(t, id)["PolicyDocument"])), 6_144)
			case "AWS::Lambda::Function":
				p := tpl.resolved(t, id)
				fits("bytes of environment", id, len(plain(at(p, "Environment", "Variables"))), 4_096)
				fits("characters of a function's description", id, len(plain(p["Description"])), 256)
			case "AWS::Lambda::Permission":
				p := tpl.resolved(t, id)
				function := p["FunctionName"].(string)
				invokers[function] = append(invokers[function], map[string]any{
					"Sid": id, "Effect": "Allow", "Principal": map[string]any{"Service": p["Principal"]}, "Action": p["Action"], "Resource": function,
					"Condition": map[string]any{"ArnLike": map[string]any{"AWS:SourceArn": p["SourceArn"]}},
				})
			}
		}
		for function, statements := range invokers {
			policy := map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": statements}
			fits("bytes of a function's policy", function, len(plain(policy)), 20_480)
		}
		t.Log(variant, plain(largest))
	}
}
