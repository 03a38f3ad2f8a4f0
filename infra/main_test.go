package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/manifest"
)

// The tests of stacks cannot run in parallel: jsii is one process that answers one question at a time. Each variant is synthesized once.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "infra")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = folder
	code := m.Run()
	jsii.Close()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

var scratch string // for assemblies and packages; gone at the end

// base are settings that are good for AWS with a user pool, all of them given.
func base() map[string]string {
	catalogue := filepath.Join(scratch, "own-catalogue.json")
	if err := os.WriteFile(catalogue, []byte(`{"levels": {"view": ["reports:read"]}}`), 0o600); err != nil {
		panic(err)
	}
	return map[string]string{
		"product": "Cloud", "mailFrom": "Cloud <no-reply@mail.cloud.example>", "support": "help@cloud.example", "replyTo": "help@cloud.example",
		"customerUrl": "https://cloud.example/c/{customer}", "partnerUrl": "https://cloud.example/p/{partner}",
		"invitationUrl": "https://cloud.example/i/{token}", "unsubscribe": "mailto:stop@cloud.example", "defaultLanguage": "de",
		"defaultZone": "Europe/Berlin", "chatWebhook": "https://hooks.slack.com/services/T/B/x", "providerEmail": "hooks@cloud.example",
		"pageUrl": "https://cloud.example/in,http://localhost:5173/in", "origins": "https://cloud.example,https://admin.cloud.example",
		"signInUrl": "https://{domain}/in", "requireSso": "true", "alarmEmail": "ops@cloud.example", "catalogue": catalogue,
		"tracing": "true", "throttleRate": "50", "throttleBurst": "70", "checkConcurrency": "20", "logRetentionDays": "30",
	}
}

func with(settings map[string]string, changes map[string]string) map[string]string {
	out := maps.Clone(settings)
	maps.Copy(out, changes)
	return out
}

// variants are the stacks that the tests look at, by name, with what they are told.
func variants() map[string]map[string]string {
	outside := with(base(), map[string]string{
		"stage": "prod", "issuer": "https://id.cloud.example/", "audience": "partner-access, other", "domain": "access.cloud.example",
		"certificate": "arn:aws:acm:eu-central-1:123456789012:certificate/abc", "createMailIdentity": "false", "mailIdentity": "cloud.example",
		"protect": "true",
	})
	for _, name := range []string{
		"pageUrl", "origins", "catalogue", "alarmEmail", "checkConcurrency", "replyTo", "unsubscribe", "signInUrl", "chatWebhook",
		"providerEmail",
		"defaultLanguage", "defaultZone",
	} {
		delete(outside, name)
	}
	return map[string]map[string]string{
		"pool": base(),
		"second": with(base(), map[string]string{
			"stage": "two", "createMailIdentity": "false", "customerWebhooks": "true", "pageUrl": "", "consoleDomain": "partners.cloud.example",
			"consoleCertificate": "arn:aws:acm:us-east-1:123456789012:certificate/def",
			"embedOrigins":       "https://app.cloud.example,https://admin.cloud.example:8443",
		}),
		"outside":    outside,
		"localstack": {"target": "localstack", "tracing": "true"},
	}
}

// settingsOf are those of a variant, or of one of those to which not all applies that the tests say of the others: the one whose table was
// restored, the usual one without the console or without what an operator may do without, and the console with an identity provider of the
// operator's own.
func settingsOf(variant string) map[string]string {
	switch variant {
	case "restored":
		return with(base(),
			map[string]string{"restoredTable": restoredTable, "restoredStream": restoredTable + "/stream/2026-11-22T10:00:00.000"})
	case "taken over":
		return with(base(), map[string]string{"userPool": existingPool})
	case "additions":
		return with(base(), map[string]string{
			"tableKey": "arn:aws:kms:eu-central-1:123456789012:key/k", "permissionsBoundary": "arn:aws:iam::123456789012:policy/edge",
			"webAcl":       "arn:aws:wafv2:us-east-1:123456789012:global/webacl/pages/1",
			"poolWebAcl":   "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/pool/2",
			"backupCopyTo": "arn:aws:backup:eu-west-1:123456789012:backup-vault:away", "backupDays": "400", "budget": "100", "tracing": "false",
			"pipeline": "example/access", "checkRoleFor": "210987654321, " + deciding,
		})
	case "oidc":
		return with(base(), map[string]string{
			"federationName": "Corp", "federationDomains": "acme.example, initech.example", "federationIssuer": "https://id.acme.example",
			"federationClient": "partner-access", "federationSecret": federationSecret,
		})
	case "saml":
		return with(base(), map[string]string{
			"federationName": "corp", "federationDomains": "*", "federationMetadata": "https://id.acme.example/metadata",
			"federationEmail":    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
			"federationVerified": "email_verified",
		})
	case "bare":
		return with(base(), map[string]string{"console": "false"})
	case "sparing":
		return with(base(), map[string]string{
			"accessLog": "false", "platformLog": "true", "logAllows": "100", "rollout": "none", "anomalies": "false",
			"dashboard": "false", "sharedMachine": "true",
		})
	case "guests":
		return with(variants()["outside"], map[string]string{
			"consoleClient": "pages", "consoleAuthorize": "https://id.cloud.example/authorize",
			"consoleToken":  "https://tokens.cloud.example/oauth/token",
			"consoleLogout": "https://id.cloud.example/logout?to={origin}",
		})
	}
	return variants()[variant]
}

// deciding is a role whose back end decides from the table itself.
const deciding = "arn:aws:iam::123456789012:role/reports/api"

const federationSecret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:corp-client-AbCdEf"

const existingPool = "eu-central-1_AbCdEfGhI"

const restoredTable = "arn:aws:dynamodb:eu-central-1:123456789012:table/restored"

// allVariants are all of them, those of settingsOf too.
func allVariants() []string {
	return append(slices.Sorted(maps.Keys(variants())), "additions", "bare", "guests", "oidc", "restored", "saml", "sparing", "taken over")
}

func onAWSAlone() []string { return []string{"outside", "pool", "second"} }

// template is a synthesized stack.
type template struct {
	Resources map[string]resource
	Outputs   map[string]any
	errors    []string // what cdk-nag and the CDK complain of
	file      string   // as it goes to CloudFormation
}

type resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           any
	Metadata            map[string]any
}

var synthesized = struct {
	sync.Mutex
	templates map[string]template
}{templates: map[string]template{}}

// synth is the stack of that variant. Its packages hold a word each, so that nothing has to be built.
func synth(t *testing.T, variant string) template {
	t.Helper()
	synthesized.Lock()
	defer synthesized.Unlock()
	if got, ok := synthesized.templates[variant]; ok {
		return got
	}
	context := map[string]any{}
	var project struct{ Context map[string]any }
	text, err := os.ReadFile("../cdk.json")
	if err == nil {
		err = json.Unmarshal(text, &project)
	}
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(context, project.Context)
	for name, value := range settingsOf(variant) {
		context[name] = value
	}
	app := awscdk.NewApp(&awscdk.AppProps{Context: &context, Outdir: jsii.String(filepath.Join(scratch, variant))})
	s, err := read(given(app))
	if err != nil {
		t.Fatal(err)
	}
	stack := newStack(app, s, packages(t), builtPages(t))
	out := template{file: filepath.Join(scratch, variant, *stack.TemplateFile())}
	raw, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	found := assertions.Annotations_FromStack(stack)
	for _, m := range slices.Concat(*found.FindError(jsii.String("*"), assertions.Match_AnyValue()),
		*found.FindWarning(jsii.String("*"), assertions.Match_AnyValue())) {
		out.errors = append(out.errors, plain(m))
	}
	synthesized.templates[variant] = out
	return out
}

func packages(t *testing.T) code {
	t.Helper()
	c := code{}
	for _, f := range manifest.Functions() {
		c[f.Name] = filepath.Join(scratch, "packages", f.Name)
		if err := os.MkdirAll(c[f.Name], 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c[f.Name], "bootstrap"), []byte(f.Name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// builtPages is a folder such as make console leaves.
func builtPages(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(scratch, "console")
	if err := os.MkdirAll(filepath.Join(folder, "assets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.html", "icon.svg", "assets/index-abc1.js"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// of are the resources of a type, by logical id.
func (t template) of(kind string) map[string]resource {
	out := map[string]resource{}
	for id, r := range t.Resources {
		if r.Type == kind {
			out[id] = r
		}
	}
	return out
}

// foreign are the functions that are not the service's: the CDK's own, which have no name.
func foreign(tpl template) map[string]resource {
	out := tpl.of("AWS::Lambda::Function")
	maps.DeleteFunc(out, func(_ string, f resource) bool { return f.Properties["FunctionName"] != nil })
	return out
}

// only is the one resource of a type.
func (t template) only(test *testing.T, kind string) (string, resource) {
	test.Helper()
	all := t.of(kind)
	if len(all) != 1 {
		test.Fatalf("%s: got %d, want one", kind, len(all))
	}
	for id, r := range all {
		return id, r
	}
	panic("unreachable")
}

// at is what stands under names and indexes: at(x, "Code", 0, "S3Key"); nil where there is nothing.
func at(x any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := x.(map[string]any)
			x = m[step]
		case int:
			l, _ := x.([]any)
			if step >= len(l) {
				return nil
			}
			x = l[step]
		}
	}
	return x
}

// refers is the logical id that a Ref or an Fn::GetAtt names first, anywhere in x.
func refers(x any) string {
	switch x := x.(type) {
	case map[string]any:
		if id, ok := x["Ref"].(string); ok && !strings.HasPrefix(id, "AWS::") {
			return id
		}
		if id, ok := at(x, "Fn::GetAtt", 0).(string); ok {
			return id
		}
		for _, name := range slices.Sorted(maps.Keys(x)) {
			if id := refers(x[name]); id != "" {
				return id
			}
		}
	case []any:
		for _, y := range x {
			if id := refers(y); id != "" {
				return id
			}
		}
	}
	return ""
}

// plain is x in JSON.
func plain(x any) string {
	text, err := json.Marshal(x)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := plain(got), plain(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func texted(x any) []string {
	switch x := x.(type) {
	case string:
		return []string{x}
	case []any:
		var out []string
		for _, y := range x {
			out = append(out, fmt.Sprint(y))
		}
		return out
	}
	return nil
}
