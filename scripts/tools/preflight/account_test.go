package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// answers are what AWS says, by call, in the words of its API references. Those of an account in which all is well come first; a text that
// begins with a number is an error of that status.
func answers() map[string]string {
	return map[string]string{
		"GetCallerIdentity": `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
			`<Arn>arn:aws:iam::123456789012:user/deployer</Arn><UserId>AIDA</UserId><Account>123456789012</Account>` +
			`</GetCallerIdentityResult></GetCallerIdentityResponse>`,
		"DescribeStacks CDKToolkit":         stack("CREATE_COMPLETE"),
		"DescribeStacks partner-access-dev": stack("UPDATE_COMPLETE"),
		"GET /2016-08-19/account-settings": `{"AccountLimit":{"ConcurrentExecutions":1000,"UnreservedConcurrentExecutions":1000,` +
			`"TotalCodeSize":80530636800,"CodeSizeUnzipped":262144000,"CodeSizeZipped":52428800},"AccountUsage":{"FunctionCount":3,"TotalCodeSize":1}}`,
		"GET /2019-09-30/functions/partner-access-dev-check/concurrency": `404 ResourceNotFoundException {"Message":"Function not found"}`,
		"GET /v2/email/account": `{"ProductionAccessEnabled":true,"SendingEnabled":true,"EnforcementStatus":"HEALTHY",` +
			`"SendQuota":{"Max24HourSend":50000,"MaxSendRate":14,"SentLast24Hours":0}}`,
		"GET /v2/email/identities/mail.cloud.example": `{"IdentityType":"DOMAIN","VerifiedForSendingStatus":true,` +
			`"DkimAttributes":{"SigningEnabled":true,"Status":"SUCCESS"}}`,
		"DescribeCertificate": `{"Certificate":{"CertificateArn":"arn","DomainName":"*.cloud.example","Status":"ISSUED",` +
			`"SubjectAlternativeNames":["*.cloud.example"]}}`,
		"GetSMSSandboxAccountStatus": sandboxed("false"),
		"DescribeTable": `{"Table":{"TableName":"left","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},` +
			`"LatestStreamArn":"arn:left/stream/1","GlobalSecondaryIndexes":[{"IndexName":"gsi1"},{"IndexName":"gsi2"}]}}`,
		"DescribeUserPool": `{"UserPool":{"AliasAttributes":["email"],"UsernameConfiguration":{"CaseSensitive":false},` +
			`"AdminCreateUserConfig":{"AllowAdminCreateUserOnly":true}}}`,
		"GET /id/.well-known/openid-configuration": `{"issuer":"$SELF/id","jwks_uri":"$SELF/id/keys"}`,
		"GET /id/keys": `{"keys":[{"kty":"EC"},{"kty":"RSA"}]}`,
	}
}

func stack(status string) string {
	return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>` +
		`<StackName>s</StackName><CreationTime>2026-11-28T08:00:00Z</CreationTime><StackStatus>` + status + `</StackStatus>` +
		`</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`
}

func sandboxed(is string) string {
	return `<GetSMSSandboxAccountStatusResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><GetSMSSandboxAccountStatusResult><IsInSandbox>` +
		is + `</IsInSandbox></GetSMSSandboxAccountStatusResult></GetSMSSandboxAccountStatusResponse>`
}

const (
	noStack = `400 <ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>` +
		`<Code>ValidationError</Code><Message>Stack with id s does not exist</Message></Error></ErrorResponse>`
	denied = `403 <ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>` +
		`<Code>AccessDenied</Code><Message>not authorized to perform: cloudformation:DescribeStacks</Message></Error></ErrorResponse>`
)

// pretend is AWS: it answers the calls that were foreseen, and no other.
func pretend(t *testing.T, said map[string]string) *httptest.Server {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call := r.Method + " " + r.URL.Path
		if _, target, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
			call = target
		} else if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
			call = strings.TrimSpace(form.Get("Action") + " " + form.Get("StackName"))
		}
		text, ok := said[call]
		if !ok {
			t.Errorf("got the call %q, want none but those that read what is looked at", call)
		}
		if len(text) > 4 && text[3] == ' ' {
			w.Header().Set("X-Amzn-Errortype", strings.Fields(text)[1])
			w.WriteHeader(map[string]int{"400": 400, "403": 403, "404": 404}[text[:3]])
			if text = text[4:]; !strings.HasPrefix(text, "<") {
				_, text, _ = strings.Cut(text, " ")
			}
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(text, "$SELF", s.URL))
	}))
	t.Cleanup(s.Close)
	return s
}

func lookAt(t *testing.T, said, given map[string]string) []finding {
	t.Helper()
	s := pretend(t, said)
	a := newAccount(aws.Config{
		Region: "eu-central-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		RetryMaxAttempts: 1,
	})
	for name, v := range given {
		given[name] = strings.ReplaceAll(v, "$SELF", s.URL)
	}
	all, err := read(given)
	if err != nil {
		t.Fatal(err)
	}
	return a.look(context.Background(), all)
}

// everything are settings of which each thing that is looked at is a part.
func everything() map[string]string {
	return map[string]string{
		"mailFrom": "Cloud <no-reply@mail.cloud.example>", "createMailIdentity": "false", "domain": "access.cloud.example",
		"certificate":   "arn:aws:acm:x",
		"consoleDomain": "partners.cloud.example", "consoleCertificate": "arn:aws:acm:y", "restoredTable": "arn:left",
		"restoredStream": "arn:left/stream/1", "userPool": "eu-central-1_Abc", "checkConcurrency": "100",
	}
}

func TestAnAccountInWhichAllIsWell(t *testing.T) {
	found := lookAt(t, answers(), everything())
	if len(found) != 11 {
		t.Errorf("got %d findings, want one of each thing that is looked at: %v", len(found), found)
	}
	for _, f := range found {
		if f.kind != fine {
			t.Errorf("got %v, want it fine", f)
		}
	}
}

func TestWhatHasToBeDoneIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		call, answer   string
		setting, value string
		want           kind
		say            string
	}{
		"no credentials":   {"GetCallerIdentity", denied, "", "", todoFirst, "aws sso login"},
		"no bootstrap":     {"DescribeStacks CDKToolkit", noStack, "", "", todoFirst, "cdk bootstrap aws://ACCOUNT/eu-central-1"},
		"the first time":   {"DescribeStacks partner-access-dev", noStack, "", "", fine, "first deployment"},
		"a failed attempt": {"DescribeStacks partner-access-dev", stack("ROLLBACK_COMPLETE"), "", "", fine, "begins again"},
		"under way":        {"DescribeStacks partner-access-dev", stack("UPDATE_IN_PROGRESS"), "", "", todoFirst, "wait"},
		"stuck":            {"DescribeStacks partner-access-dev", stack("UPDATE_ROLLBACK_FAILED"), "", "", todoFirst, "continue"},
		"not to be read":   {"DescribeStacks partner-access-dev", denied, "", "", unknown, "not authorized"},
		"a new account": {
			"GET /2016-08-19/account-settings",
			`{"AccountLimit":{"ConcurrentExecutions":10,"UnreservedConcurrentExecutions":10}}`, "checkConcurrency", "0", todoLater, "ask for 1000",
		},
		"too much reserved": {
			"GET /2016-08-19/account-settings",
			`{"AccountLimit":{"ConcurrentExecutions":1000,"UnreservedConcurrentExecutions":150}}`, "", "", todoFirst, "keeps 100",
		},
		"too much more reserved": {
			"GET /2019-09-30/functions/partner-access-dev-check/concurrency", `{"ReservedConcurrentExecutions":100}`,
			"checkConcurrency", "1001", todoFirst, "reserve 1000 at most",
		},
		"reserved before": {
			"GET /2019-09-30/functions/partner-access-dev-check/concurrency", `{"ReservedConcurrentExecutions":100}`,
			"checkConcurrency", "1000", fine, "1000 of them kept",
		},
		"nothing reserved": {"", "", "checkConcurrency", "0", fine, "set checkConcurrency to 200, which 1000 checks"},
		"half of a small rest": {
			"GET /2016-08-19/account-settings",
			`{"AccountLimit":{"ConcurrentExecutions":1000,"UnreservedConcurrentExecutions":300}}`, "checkConcurrency", "0", fine,
			"set checkConcurrency to 100",
		},
		"SES's sandbox": {
			"GET /v2/email/account", `{"ProductionAccessEnabled":false,"SendingEnabled":true,"SendQuota":{}}`, "", "",
			todoLater, "production access",
		},
		"SES has stopped": {
			"GET /v2/email/account", `{"ProductionAccessEnabled":true,"SendingEnabled":false,"EnforcementStatus":"SHUTDOWN"}`,
			"", "", todoFirst, "SHUTDOWN",
		},
		"no DNS yet": {
			"GET /v2/email/identities/mail.cloud.example",
			`{"VerifiedForSendingStatus":false,"DkimAttributes":{"Status":"PENDING"}}`, "", "", todoLater, "PENDING",
		},
		"no identity": {
			"GET /v2/email/identities/mail.cloud.example", `404 NotFoundException {"message":"no"}`, "", "", todoFirst,
			"set it to true",
		},
		"a certificate open": {
			"DescribeCertificate", `{"Certificate":{"Status":"PENDING_VALIDATION","DomainName":"*.cloud.example"}}`, "", "",
			todoFirst, "validation record",
		},
		"of another domain": {
			"DescribeCertificate", `{"Certificate":{"Status":"ISSUED","DomainName":"cloud.example"}}`, "", "", todoFirst,
			"not for this domain",
		},
		"texts' sandbox": {"GetSMSSandboxAccountStatus", sandboxed("true"), "", "", todoLater, "verified numbers"},
		"no stream":      {"DescribeTable", `{"Table":{"TableName":"left"}}`, "", "", todoFirst, "switch one on"},
		"another stream": {"", "", "restoredStream", "arn:left/stream/2", todoFirst, "arn:left/stream/1"},
		"no indexes": {
			"DescribeTable",
			`{"Table":{"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},"LatestStreamArn":"arn:left/stream/1"}}`,
			"", "", todoFirst, "gsi1",
		},
		"a pool of others": {
			"DescribeUserPool", `{"UserPool":{"UsernameAttributes":["email"]}}`, "", "", todoFirst,
			"no pool that this service has made",
		},
		"open to all": {
			"DescribeUserPool",
			`{"UserPool":{"AliasAttributes":["email"],"UsernameConfiguration":{"CaseSensitive":false},"AdminCreateUserConfig":{}}}`,
			"", "", todoFirst, "sign up",
		},
		"own issuer":        {"", "", "issuer", "$SELF/id", fine, "keys can be read"},
		"it spells another": {"", "", "issuer", "$SELF/id/", todoFirst, "letter by letter"},
		"no RSA":            {"GET /id/keys", `{"keys":[{"kty":"EC"}]}`, "issuer", "$SELF/id", todoFirst, "RS256"},
		"made a second time": {
			"DescribeStacks partner-access-dev", noStack, "createMailIdentity", "true", todoFirst,
			"set createMailIdentity to false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			said, given := answers(), everything()
			if c.call != "" {
				said[c.call] = c.answer
			}
			if c.setting != "" {
				given[c.setting] = c.value
			}
			found := lookAt(t, said, given)
			for _, f := range found {
				if f.kind == c.want && strings.Contains(f.say, c.say) {
					return
				}
			}
			t.Errorf("got %v, want %s with %q", found, c.want, c.say)
		})
	}
}

func TestOnlyAStackThatIsThereIsProtected(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "my.json")
	if err := os.WriteFile(settings, []byte(`{"stage": "prod", "mailFrom": "a@b.example"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]string{
		noStack: "false", stack("CREATE_COMPLETE"): "true", stack("UPDATE_ROLLBACK_COMPLETE"): "true", stack("UPDATE_FAILED"): "true",
		stack("ROLLBACK_COMPLETE"): "false", stack("CREATE_FAILED"): "false", stack("REVIEW_IN_PROGRESS"): "false", denied: "",
	} {
		said := maps.Clone(answers())
		said["DescribeStacks partner-access-prod"] = status
		s := pretend(t, said)
		for name, v := range map[string]string{
			"AWS_ENDPOINT_URL": s.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
			"AWS_MAX_ATTEMPTS": "1",
		} {
			t.Setenv(name, v)
		}
		var out strings.Builder
		err := run(t.Context(), []string{"-deployed", "-c", "settings=" + settings}, &out)
		if got := strings.TrimSpace(out.String()); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: got %q, %v, want %q", status, got, err, want)
		}
	}
}
