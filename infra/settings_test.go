package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAWrongSettingIsNamed(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "catalogue.json")
	if err := os.WriteFile(broken, []byte(`{"levels": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := map[string]string{"pageUrl": "", "issuer": "https://id.example", "audience": "a"}
	login := map[string]string{
		"consoleClient": "pages", "consoleAuthorize": "https://id.example/authorize",
		"consoleToken": "https://id.example/token",
	}
	const edge = "arn:aws:acm:us-east-1:123456789012:certificate/x"
	for _, c := range []struct {
		name    string
		changes map[string]string
		want    string // in the error; "": none
	}{
		{"as it should be", nil, ""},
		{"another identity provider", outside, ""},
		{"a domain", map[string]string{"domain": "access.example.com", "certificate": "arn:aws:acm:eu-central-1:123456789012:certificate/x"}, ""},
		{"an address that is verified", map[string]string{"mailIdentity": "no-reply@mail.cloud.example"}, ""},
		{"a domain above the sender's", map[string]string{"mailIdentity": "cloud.example"}, ""},
		{"a name that is none", map[string]string{"isuer": "https://id.example"}, "isuer is no setting for the target aws"},
		{"one of LocalStack's", map[string]string{"sesEndpoint": "http://x"}, "sesEndpoint is no setting for the target aws"},
		{
			"a table without its stream",
			map[string]string{"restoredTable": "arn:aws:dynamodb:eu-central-1:123456789012:table/t"},
			"restoredStream is \"\"",
		},
		{
			"a stream without its table",
			map[string]string{"restoredStream": "arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/x"},
			"restoredTable is \"\"",
		},
		{"another table's stream", map[string]string{
			"restoredTable":  "arn:aws:dynamodb:eu-central-1:123456789012:table/t",
			"restoredStream": "arn:aws:dynamodb:eu-central-1:123456789012:table/tt/stream/x",
		}, "restoredStream is"},
		{"no product", map[string]string{"product": ""}, "product is missing"},
		{"no sender", map[string]string{"mailFrom": ""}, "mailFrom is missing"},
		{"no way back", map[string]string{"pageUrl": "", "console": "false"}, "pageUrl is missing"},
		{"no way back but the console's", map[string]string{"pageUrl": ""}, ""},
		{"a sender that is none", map[string]string{"mailFrom": "nobody"}, "the sender"},
		{"an invitation without its token", map[string]string{"invitationUrl": "https://x.example/i"}, "{token}"},
		{"another stage's characters", map[string]string{"stage": "Prod"}, "stage is \"Prod\""},
		{"a long stage", map[string]string{"stage": strings.Repeat("a", 17)}, "stage is"},
		{"a stage that ends in a hyphen", map[string]string{"stage": "a-"}, "stage is"},
		{"a stage that Cognito refuses", map[string]string{"stage": "myaws"}, "Cognito allows no aws"},
		{"a rollout of another kind", map[string]string{"rollout": "AllAtOnce"}, "rollout is \"AllAtOnce\": set it to none"},
		{"a slower rollout", map[string]string{"rollout": "Linear10PercentEvery1Minute"}, ""},
		{"more allows than all", map[string]string{"logAllows": "101"}, "logAllows is \"101\""},
		{"no access log perhaps", map[string]string{"accessLog": "maybe"}, "accessLog is \"maybe\""},
		{"another target", map[string]string{"target": "azure"}, "target is \"azure\""},
		{"an issuer without an audience", map[string]string{"pageUrl": "", "issuer": "https://id.example"}, "audience is not"},
		{"an audience without an issuer", map[string]string{"audience": "a"}, "issuer is not"},
		{"an issuer and a way back to no pool", map[string]string{"issuer": "https://id.example", "audience": "a"}, "leave one out"},
		{
			"an issuer without TLS",
			map[string]string{"pageUrl": "", "issuer": "http://id.example", "audience": "a"},
			"issuer is \"http://id.example\"",
		},
		{"an issuer with a query", with(outside, map[string]string{"issuer": "https://id.example?x=1"}), "letter by letter"},
		{
			"an issuer with its discovery",
			with(outside, map[string]string{"issuer": "https://id.example/.well-known/openid-configuration"}), "leave /.well-known",
		},
		{"an audience that is a pattern", with(outside, map[string]string{"audience": "api://*"}), "knows no patterns"},
		{"an issuer and a pool that is there", with(outside, map[string]string{"userPool": "eu-central-1_AbC"}), "and no issuer"},
		{"a way back without TLS", map[string]string{"pageUrl": "http://cloud.example/in"}, "pageUrl has"},
		{"any origin", map[string]string{"origins": "*"}, "origins has \"*\""},
		{"an origin with a path", map[string]string{"origins": "https://cloud.example/"}, "origins has"},
		{"a wildcard that may show the pages", map[string]string{"embedOrigins": "https://*.cloud.example"}, "embedOrigins: \"https://*"},
		{"a machine that may show the pages", map[string]string{"embedOrigins": "http://localhost:3000"}, "the reader's own machine"},
		{"no pages to be shown", map[string]string{"console": "false", "embedOrigins": "https://cloud.example"}, "console is not true"},
		{"a domain without a certificate", map[string]string{"domain": "access.example.com"}, "belong together"},
		{
			"a certificate without a domain",
			map[string]string{"certificate": "arn:aws:acm:eu-central-1:123456789012:certificate/x"},
			"belong together",
		},
		{
			"a domain that is an address",
			map[string]string{"domain": "https://access.example.com", "certificate": "arn:aws:acm:eu-central-1:123456789012:certificate/x"},
			"domain is",
		},
		{"a certificate that is none", map[string]string{"domain": "access.example.com", "certificate": "mine"}, "certificate is \"mine\""},
		{"somebody else's identity", map[string]string{"mailIdentity": "oud.example"}, "mailIdentity is \"oud.example\""},
		{"a truth that is none", map[string]string{"requireSso": "maybe"}, "requireSso is \"maybe\""},
		{"another truth that is none", map[string]string{"createMailIdentity": "si"}, "createMailIdentity is \"si\""},
		{"no requests", map[string]string{"throttleRate": "0"}, "throttleRate is \"0\""},
		{"half a request", map[string]string{"throttleBurst": "0.5"}, "throttleBurst is \"0.5\""},
		{"fewer than no executions", map[string]string{"checkConcurrency": "-1"}, "checkConcurrency is \"-1\""},
		{"a key that is none", map[string]string{"tableKey": "mine"}, "tableKey is \"mine\""},
		{
			"WAF before pages that are not there",
			map[string]string{"console": "false", "webAcl": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1"},
			"webAcl stands before the pages",
		},
		{
			"WAF of a region before the pages",
			map[string]string{"webAcl": "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/1"},
			"webAcl is",
		},
		{
			"copies of no backups",
			map[string]string{"backupDays": "0", "backupCopyTo": "arn:aws:backup:eu-west-1:123456789012:backup-vault:away"},
			"backupDays is 0",
		},
		{"a budget that nobody hears of", map[string]string{"budget": "10", "alarmEmail": ""}, "told to alarmEmail"},
		{"a role for anybody", map[string]string{"checkRoleFor": "*"}, "checkRoleFor has \"*\""},
		{"a role for some roles", map[string]string{"checkRoleFor": "arn:aws:iam::123456789012:role/*"}, "checkRoleFor has"},
		{"a role for a person", map[string]string{"checkRoleFor": "arn:aws:iam::123456789012:user/ann"}, "checkRoleFor has"},
		{"a role for half an account", map[string]string{"checkRoleFor": "123456789012, 1234"}, "checkRoleFor has \"1234\""},
		{"a role for an account and a role", map[string]string{"checkRoleFor": "210987654321," + deciding}, ""},
		{"any repository", map[string]string{"pipeline": "example/*"}, "pipeline is"},
		{"a pool that is none", map[string]string{"userPool": "people"}, "userPool is \"people\""},
		{"days that CloudWatch does not know", map[string]string{"logRetentionDays": "31"}, "logRetentionDays is 31"},
		{"no sign-in address", map[string]string{"signInUrl": "{domain}/in"}, "signInUrl is"},
		{"a name before the alarms' address", map[string]string{"alarmEmail": "Ops <ops@cloud.example>"}, "alarmEmail is"},
		{"a catalogue that is not there", map[string]string{"catalogue": filepath.Join(t.TempDir(), "none.json")}, "catalogue cannot be read"},
		{"a catalogue that is none", map[string]string{"catalogue": broken}, "catalogue"},
		{
			"a file that is not there",
			map[string]string{"settings": filepath.Join(t.TempDir(), "none.json")},
			"the file of settings cannot be read",
		},
		{"a console with another identity provider", with(outside, login), ""},
		{
			"another identity provider that the console does not know", with(outside, map[string]string{"console": "true"}),
			"console needs consoleClient",
		},
		{"half a login", with(outside, map[string]string{"consoleClient": "pages"}), "console needs consoleClient"},
		{"another login than the pool's", login, "are of an identity provider of your own"},
		{
			"a token endpoint without TLS", with(with(outside, login), map[string]string{"consoleToken": "http://id.example/token"}),
			"consoleToken is",
		},
		{"a way out to nowhere", with(with(outside, login), map[string]string{"consoleLogout": "{origin}"}), "consoleLogout is"},
		{
			"a domain of no console",
			map[string]string{"console": "false", "consoleDomain": "partners.example.com", "consoleCertificate": edge},
			"console is not true",
		},
		{"a console's domain", map[string]string{"consoleDomain": "partners.example.com", "consoleCertificate": edge}, ""},
		{
			"a console's domain without a certificate",
			map[string]string{"consoleDomain": "partners.example.com"},
			"consoleDomain and consoleCertificate belong together",
		},
		{
			"a console's domain that is an address",
			map[string]string{"consoleDomain": "https://partners.example.com", "consoleCertificate": edge},
			"consoleDomain is",
		},
		{"one domain for both", map[string]string{
			"domain": "access.example.com", "certificate": "arn:aws:acm:eu-central-1:123456789012:certificate/x",
			"consoleDomain": "access.example.com", "consoleCertificate": edge,
		}, "and not the API's"},
		{"a certificate that CloudFront does not take", map[string]string{
			"consoleDomain": "partners.example.com", "consoleCertificate": "arn:aws:acm:eu-central-1:123456789012:certificate/x",
		}, "in us-east-1"},
		{"a console that is none", map[string]string{"console": "perhaps"}, "console is \"perhaps\""},
		{
			"LocalStack with a console",
			map[string]string{"target": "localstack", "pageUrl": "", "alarmEmail": "", "console": "true"},
			"are for AWS",
		},
		{"LocalStack", map[string]string{"target": "localstack", "pageUrl": "", "alarmEmail": ""}, ""},
		{"LocalStack with a pool", map[string]string{"target": "localstack"}, "are for AWS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(with(base(), c.changes))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got error %v, want one that says %q", err, c.want)
			}
			if err != nil && strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("got %q, want one sentence for one mistake", err)
			}
		})
	}
}

func TestAFileOfSettingsStandsBehindTheCommandLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(file,
		[]byte(`{"product": "From the file", "stage": "file", "throttleRate": 7, "requireSso": true, "origins": ["https://a.example", "https://b.example"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	given := base()
	for _, name := range []string{"product", "throttleRate", "requireSso", "origins"} {
		delete(given, name)
	}
	given["settings"], given["stage"] = file, "line"
	s, err := read(given)
	if err != nil {
		t.Fatal(err)
	}
	if s.letters.Product != "From the file" || s.stage != "line" || s.throttles.Others.Rate != 7 || !s.requireSSO ||
		!slices.Equal(s.origins, []string{"https://a.example", "https://b.example"}) {
		t.Errorf("got %+v", s)
	}
	if err := os.WriteFile(file, []byte(`[1]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(given); err == nil || !strings.Contains(err.Error(), "no JSON object") {
		t.Errorf("got error %v, want one about the file", err)
	}
}

func TestTheExampleIsGood(t *testing.T) {
	s, err := read(map[string]string{"settings": "settings.example.json"})
	if err != nil {
		t.Fatal(err)
	}
	if s.stage != "dev" || !s.ownPool() || !s.console || s.mailIdentity != "cloud.example" || s.logRetentionDays != 90 {
		t.Errorf("got %+v, want the defaults", s)
	}
}
