package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/manifest"
)

// call is one to AWS, with what IAM is told of it.
type call struct {
	Role     string         `json:"role"`
	Action   string         `json:"action"`
	Resource string         `json:"resource"`
	Context  map[string]any `json:"context,omitempty"`
}

const sender = "no-reply@mail.cloud.example"

// arns are those of the stack's resources, as the rights of the manifest name them, and of some that are not its own.
func (t template) arns(variant string) map[manifest.Resource][]string {
	arn := func(service, what string) string {
		return "arn:aws:" + service + ":" + region + ":" + account + ":" + what
	}
	table, stream := restoredTable, restoredTable+"/stream/2026-11-22T10:00:00.000"
	for id, r := range t.of("AWS::DynamoDB::Table") {
		table, _ = t.value(id, r.Type, "Arn")
		stream, _ = t.value(id, r.Type, "StreamArn")
	}
	out := map[manifest.Resource][]string{
		manifest.Table: {table}, manifest.Index1: {table + "/index/gsi1"}, manifest.Index2: {table + "/index/gsi2"},
		"stream": {stream}, "*": {"*"},
		"another table": {arn("dynamodb", "table/another"), table + "-two"}, "another pool": {arn("cognito-idp", "userpool/"+region+"_another")},
		"queue": {arn("sqs", "another")}, "topic": {arn("sns", "another")}, "another bus": {arn("events", "event-bus/default")},
		"function": {arn("lambda", "function:another")},
		"bucket":   {"arn:aws:s3:::another/x"}, "role": {"arn:aws:iam::" + account + ":role/another"}, "key": {arn("kms", "key/another")},
		"log": {arn("logs", "log-group:another:log-stream:x")}, "secret": {arn("secretsmanager", "secret:another")},
	}
	for id, r := range t.of("AWS::SES::ConfigurationSet") {
		set, _ := t.value(id, r.Type, "")
		identity := settingsOf(variant)["mailIdentity"]
		if identity == "" {
			_, identity, _ = strings.Cut(sender, "@")
		}
		out[manifest.Mails] = []string{arn("ses", "identity/"+identity), arn("ses", "configuration-set/"+set)}
		out[manifest.Suppressed] = []string{"*"}
	}
	for id, r := range t.of("AWS::Events::EventBus") {
		bus, _ := t.value(id, r.Type, "Arn")
		out[manifest.EventBus] = []string{bus}
	}
	for id, r := range t.of("AWS::Cognito::UserPool") {
		pool, _ := t.value(id, r.Type, "Arn")
		out[manifest.Accounts] = []string{pool}
	}
	if pool := settingsOf(variant)["userPool"]; pool != "" {
		out[manifest.Accounts] = []string{arn("cognito-idp", "userpool/"+pool)}
	}
	return out
}

// calls are what a right is for: one with each of its keys. scripts/prove/spec sees to it that functions call no more and no
// less than that.
func calls(role string, r manifest.Right, arns map[manifest.Resource][]string) []call {
	var out []call
	for _, arn := range arns[r.On] {
		c := call{role, r.Action, arn, nil}
		if r.On == manifest.Mails {
			c.Context = map[string]any{"ses:FromAddress": sender}
		}
		if len(r.Keys) == 0 {
			out = append(out, c)
		}
		for _, k := range r.Keys {
			c.Context = keys(k)
			if strings.HasSuffix(r.Action, ":UpdateItem") { // DynamoDB tells IAM which attributes an update names, and what it returns
				c.Context["dynamodb:Attributes"], c.Context["dynamodb:ReturnValues"] = []string{"pk", "sk", "hold"}, "ALL_NEW"
			}
			if len(r.Attributes) > 0 {
				c.Context["dynamodb:Attributes"], c.Context["dynamodb:ReturnValues"] = r.Attributes, "NONE"
			}
			out = append(out, c)
		}
	}
	return out
}

// keys are the partition keys of a call, of these kinds.
func keys(kinds ...string) map[string]any {
	leading := []string{}
	for _, k := range kinds {
		leading = append(leading, strings.TrimSuffix(k, "*")+"x")
	}
	return map[string]any{"dynamodb:LeadingKeys": leading}
}

// around are the calls that triggers, logs and traces need.
func (t template) around(variant, role, name string, f manifest.Function) []call {
	var out []call
	arns := t.arns(variant)
	prefix, _, _ := strings.Cut(name, "-"+f.Name)
	arns["AWS::DynamoDB::Table"] = arns["stream"]
	arns["AWS::Logs::LogGroup"] = []string{strings.Replace(arns["log"][0], "another", "/aws/lambda/"+name, 1)}
	for action, on := range extra(f) {
		arns["AWS::SQS::Queue"] = nil
		for _, trigger := range triggers(f) {
			if trigger != "stream" || action == "sqs:SendMessage" { // a stream's mapping asks nothing of its queue
				arns["AWS::SQS::Queue"] = append(arns["AWS::SQS::Queue"],
					strings.Replace(arns["queue"][0], "another", prefix+"-"+f.Name+"-"+trigger+"-dead", 1))
			}
		}
		out = append(out, calls(role, manifest.Right{Action: action, On: manifest.Resource(on)}, arns)...)
	}
	return out
}

// never are calls that no role of a stack may make, whatever the manifest says.
func never(role string, arns map[manifest.Resource][]string) []call {
	var out []call
	for on, actions := range map[manifest.Resource]string{
		manifest.Table: "dynamodb:Scan dynamodb:DeleteTable dynamodb:UpdateTable dynamodb:UpdateTimeToLive dynamodb:PartiQLSelect " +
			"dynamodb:PartiQLUpdate dynamodb:BatchWriteItem dynamodb:ExportTableToPointInTime dynamodb:PutResourcePolicy",
		manifest.Index1: "dynamodb:Scan", manifest.Index2: "dynamodb:Scan dynamodb:PartiQLSelect",
		"another table": "dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem",
		manifest.Accounts: "cognito-idp:ListUsers cognito-idp:DeleteUserPool cognito-idp:UpdateUserPool cognito-idp:CreateUserPoolClient " +
			"cognito-idp:DescribeUserPoolClient cognito-idp:SetUserPoolMfaConfig",
		"another pool": "cognito-idp:AdminGetUser cognito-idp:AdminSetUserPassword cognito-idp:AdminInitiateAuth",
		"queue":        "sqs:SendMessage sqs:ReceiveMessage", "topic": "sns:Publish", "another bus": "events:PutEvents",
		"function": "lambda:InvokeFunction lambda:UpdateFunctionCode",
		"bucket":   "s3:GetObject s3:PutObject", "role": "iam:PassRole iam:PutRolePolicy sts:AssumeRole", "key": "kms:Decrypt",
		"log": "logs:PutLogEvents", "secret": "secretsmanager:GetSecretValue", "*": "ses:PutSuppressedDestination ses:CreateEmailIdentity",
	} {
		for action := range strings.FieldsSeq(actions) {
			right := manifest.Right{Action: action, On: on}
			if on == "another table" {
				right.Keys = []string{"C#*", "P#*"}
			}
			out = append(out, calls(role, right, arns)...)
		}
	}
	for _, mails := range arns[manifest.Mails] {
		for action, from := range map[string]string{"SendEmail": "ceo@mail.cloud.example", "SendRawEmail": sender} {
			out = append(out, call{role, "ses:" + action, mails, map[string]any{"ses:FromAddress": from}})
		}
	}
	return out
}

// apart are calls to the table that a function may not make, whatever the manifest says: who only reads writes nothing, and so on.
func apart() []struct{ function, actions, kinds string } {
	const writes, all = "PutItem UpdateItem DeleteItem ConditionCheckItem", "A B C D E F I K N O P Q U W X Y Z"
	return []struct{ function, actions, kinds string }{
		{"check", writes, all},
		{"list", writes, all},
		{"grant", "DeleteItem", all},
		{"publish", "BatchGetItem Query DeleteItem", all},
		{"publish", "PutItem UpdateItem", "A B C D E I K N O P Q U W Y"},
		{"publish", "UpdateItem", "Z"},
		{"feedback", "GetItem BatchGetItem Query PutItem DeleteItem", all},
		{"notify", "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem", "A D I N O Q U W"},
	}
}

// judge asks the evaluator about the calls.
func judge(t *testing.T, policies map[string][]any, calls []call) []string {
	t.Helper()
	const script = "../scripts/tools/simulate.mjs"
	if _, err := os.Stat(script); err != nil { // for go test's cache, too
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	cmd := exec.Command("node", script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(plain(map[string]any{"policies": policies, "calls": calls})), &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &complaints)
	}
	var answers []string
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil || len(answers) != len(calls) {
		t.Fatalf("got %d answers to %d calls (%v)", len(answers), len(calls), err)
	}
	return answers
}

func TestPoliciesAllowTheCallsThatFunctionsMakeAndNoOthers(t *testing.T) {
	policies := map[string][]any{}
	var all []call
	var want []string
	expect := func(answer string, calls ...call) {
		for _, c := range calls {
			all, want = append(all, c), append(want, answer)
		}
	}
	for _, variant := range []string{"localstack", "outside", "pool", "restored", "taken over"} { // the others' rights are the same
		tpl := synth(t, variant)
		arns := tpl.arns(variant)
		for role, documents := range tpl.inline(t) {
			policies[variant+"-"+role] = documents
			expect("denied", never(variant+"-"+role, arns)...)
		}
		for _, r := range tpl.of("AWS::Lambda::Function") {
			name, ok := r.Properties["FunctionName"].(string)
			if !ok {
				continue
			}
			f, role := named(name[strings.LastIndex(name, "-")+1:]), variant+"-"+refers(r.Properties["Role"])
			expect("allowed", tpl.around(variant, role, name, f)...)
			own := map[string]bool{}
			spell := func(c call) string {
				return plain([]any{c.Action, c.Resource, c.Context["dynamodb:LeadingKeys"], c.Context["ses:FromAddress"]})
			}
			for _, right := range manifest.Rights(f.Name) {
				for _, c := range calls(role, right, arns) {
					own[plain(c)] = true
					if len(right.Attributes) == 0 { // whatever attributes it names
						own[spell(c)] = true
					}
					expect("allowed", c)
				}
				if len(right.Attributes) > 0 {
					for _, c := range calls(role, right, arns) {
						c.Context = maps.Clone(c.Context)
						c.Context["dynamodb:Attributes"] = append(slices.Clone(right.Attributes), "level")
						expect("denied", c)
						c.Context = maps.Clone(c.Context)
						c.Context["dynamodb:Attributes"], c.Context["dynamodb:ReturnValues"] = right.Attributes, "ALL_OLD"
						expect("denied", c)
					}
				}
				if len(right.Keys) > 0 { // of several items all must be allowed
					several := call{role, right.Action, arns[right.On][0], keys(right.Keys...)}
					expect("allowed", several)
					several.Context = keys(append(right.Keys[:1:1], "0#*")...) // no kind of item
					expect("denied", several)
				}
			}
			for _, other := range manifest.Functions() {
				for _, right := range manifest.Rights(other.Name) {
					for _, c := range calls(role, right, arns) {
						if !own[plain(c)] && !own[spell(c)] {
							expect("denied", c)
						}
					}
				}
			}
			for _, c := range apart() {
				for action := range strings.FieldsSeq(c.actions) {
					right := manifest.Right{Action: "dynamodb:" + action, On: manifest.Table}
					for kind := range strings.FieldsSeq(c.kinds) {
						right.Keys = append(right.Keys, kind+"#*")
					}
					if f.Name == c.function {
						expect("denied", calls(role, right, arns)...)
					}
				}
			}
		}
	}
	allowed := 0
	for i, got := range judge(t, policies, all) {
		if got != want[i] {
			t.Errorf("%s: got %s, want %s", plain(all[i]), got, want[i])
		}
		if want[i] == "allowed" {
			allowed++
		}
	}
	t.Logf("%d calls allowed, %d denied", allowed, len(all)-allowed)
}
