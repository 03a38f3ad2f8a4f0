package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"partneraccess/scripts/local/pages"
	"partneraccess/shared/console"
)

// withConsole are the variants that have it: with the pool, with a domain, with an identity provider of the operator's own.
func withConsole() []string { return []string{"guests", "pool", "second"} }

// written is a text of the template as it will be: what only AWS knows is called by its id, such as [SignIn].
func written(x any) string {
	if s, ok := x.(string); ok {
		return s
	}
	if parts, ok := at(x, "Fn::Join", 1).([]any); ok {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(written(p))
		}
		return b.String()
	}
	if id, ok := at(x, "Ref").(string); ok {
		return "[" + strings.TrimPrefix(id, "AWS::") + "]"
	}
	return plain(x)
}

// settingsFile is /settings.json as it will be.
func settingsFile(t *testing.T, variant string) console.Settings {
	t.Helper()
	tpl := synth(t, variant)
	var text string
	for _, d := range tpl.of("Custom::CDKBucketDeployment") {
		keys, _ := d.Properties["SourceObjectKeys"].([]any)
		for n, key := range keys {
			file := filepath.Join(scratch, variant, "asset."+strings.TrimSuffix(fmt.Sprint(key), ".zip"), console.SettingsFile)
			raw, err := os.ReadFile(file)
			if err != nil {
				continue // another source
			}
			text = string(raw)
			markers, _ := at(d.Properties, "SourceMarkers", n).(map[string]any)
			for marker, value := range markers {
				text = strings.ReplaceAll(text, marker, written(value))
			}
		}
	}
	var s console.Settings
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: got the settings %q: %v", variant, text, err)
	}
	return s
}

// known gives what only AWS knows a name that a host can have.
func known(s string) string { return strings.NewReplacer("[", "", "]", "").Replace(s) }

// locally is what the local stack answers to the same settings, with the same files.
func locally(t *testing.T, s console.Settings, path string) *http.Response {
	t.Helper()
	if s.Login != nil {
		l := *s.Login
		l.Token = known(l.Token)
		s.Login = &l
	}
	h, err := pages.New(os.DirFS(builtPages(t)), s)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Result()
}

func TestTheConsolesFilesAreForCloudFrontAlone(t *testing.T) {
	for _, variant := range withConsole() {
		tpl := synth(t, variant)
		bucket, b := tpl.only(t, "AWS::S3::Bucket")
		same(t, variant+": the public", b.Properties["PublicAccessBlockConfiguration"], map[string]any{
			"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
		})
		same(t, variant+": encryption",
			at(b.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "SSEAlgorithm"), "AES256")
		same(t, variant+": nobody else's files", at(b.Properties, "OwnershipControls", "Rules", 0, "ObjectOwnership"), "BucketOwnerEnforced")
		distribution, d := tpl.only(t, "AWS::CloudFront::Distribution")
		_, policy := tpl.only(t, "AWS::S3::BucketPolicy")
		same(t, variant+": of the bucket", refers(policy.Properties["Bucket"]), bucket)
		var refused []string
		readers := 0
		statements, _ := at(policy.Properties, "PolicyDocument", "Statement").([]any)
		for _, s := range statements {
			switch {
			case at(s, "Effect") == "Deny":
				same(t, variant+": refused", []any{at(s, "Action"), at(s, "Principal")}, []any{"s3:*", map[string]any{"AWS": "*"}})
				refused = append(refused, plain(at(s, "Condition")))
			case at(s, "Principal", "Service") == "cloudfront.amazonaws.com":
				readers++
				same(t, variant+": CloudFront's right", at(s, "Action"), "s3:GetObject")
				if from := at(s, "Condition", "StringEquals", "AWS:SourceArn"); refers(from) != distribution || strings.Contains(plain(from), "*") {
					t.Errorf("%s: got CloudFront let in with %s, want this distribution alone", variant, plain(from))
				}
			default: // the CDK's function empties the bucket before the stack goes
				if r := tpl.Resources[refers(at(s, "Principal"))]; r.Type != "AWS::IAM::Role" ||
					strings.Contains(plain(at(s, "Action")), "s3:GetObject") {
					t.Errorf("%s: got %s, want nobody else let in", variant, plain(s))
				}
			}
		}
		slices.Sort(refused)
		same(t, variant+": who comes without TLS, or with an old one", refused, []string{
			`{"Bool":{"aws:SecureTransport":"false"}}`, `{"NumericLessThan":{"s3:TlsVersion":1.2}}`,
		})
		_, access := tpl.only(t, "AWS::CloudFront::OriginAccessControl")
		c := at(access.Properties, "OriginAccessControlConfig")
		same(t, variant+": signed", []any{at(c, "OriginAccessControlOriginType"), at(c, "SigningBehavior"), at(c, "SigningProtocol")},
			[]string{"s3", "always", "sigv4"})
		origin := at(d.Properties, "DistributionConfig", "Origins", 0)
		if readers != 1 || refers(at(origin, "DomainName")) != bucket ||
			tpl.Resources[refers(at(origin, "OriginAccessControlId"))].Type != access.Type {
			t.Errorf("%s: got %d readers and the origin %s, want the bucket by way of the access control", variant, readers, plain(origin))
		}
	}
}

func TestTheConsoleIsServedOverTLSAlone(t *testing.T) {
	for _, variant := range withConsole() {
		_, d := synth(t, variant).only(t, "AWS::CloudFront::Distribution")
		c := at(d.Properties, "DistributionConfig")
		same(t, variant+": the pages", at(c, "DefaultCacheBehavior", "ViewerProtocolPolicy"), "redirect-to-https")
		same(t, variant+": the API", at(c, "CacheBehaviors", 0, "ViewerProtocolPolicy"), "https-only")
		same(t, variant+": HTTP",
			[]any{at(c, "HttpVersion"), at(c, "IPV6Enabled"), at(c, "DefaultCacheBehavior", "Compress"), at(c, "DefaultRootObject")},
			[]any{"http2and3", true, true, "index.html"})
		if variant != "second" {
			same(t, variant+": CloudFront's own address", []any{at(c, "Aliases"), at(c, "ViewerCertificate")}, []any{nil, nil})
			continue
		}
		same(t, "domain", at(c, "Aliases"), []string{"partners.cloud.example"})
		same(t, "certificate", at(c, "ViewerCertificate"), map[string]any{
			"AcmCertificateArn": variants()["second"]["consoleCertificate"], "MinimumProtocolVersion": "TLSv1.2_2021",
			"SslSupportMethod": "sni-only",
		})
	}
}

func TestTheConsoleComesWithTheHeadersOfTheLocalStack(t *testing.T) {
	for _, variant := range withConsole() {
		tpl := synth(t, variant)
		id, policy := tpl.only(t, "AWS::CloudFront::ResponseHeadersPolicy")
		_, d := tpl.only(t, "AWS::CloudFront::Distribution")
		same(t, variant+": of the pages", refers(at(d.Properties, "DistributionConfig", "DefaultCacheBehavior", "ResponseHeadersPolicyId")), id)
		c := at(policy.Properties, "ResponseHeadersPolicyConfig")
		security := at(c, "SecurityHeadersConfig")
		got := map[string]string{
			"Content-Security-Policy": known(written(at(security, "ContentSecurityPolicy", "ContentSecurityPolicy"))),
			"Referrer-Policy":         written(at(security, "ReferrerPolicy", "ReferrerPolicy")),
		}
		ancestors := "https://app.cloud.example https://admin.cloud.example:8443" // of the second
		if options := at(security, "FrameOptions", "FrameOption"); options != nil || variant != "second" {
			got["X-Frame-Options"], ancestors = written(options), "'none'"
		}
		if at(security, "ContentTypeOptions", "Override") == true {
			got["X-Content-Type-Options"] = "nosniff" // what it means
		}
		custom, _ := at(c, "CustomHeadersConfig", "Items").([]any)
		for _, h := range custom {
			got[written(at(h, "Header"))] = written(at(h, "Value"))
		}
		want := map[string]string{}
		for name, values := range locally(t, settingsFile(t, variant), "/").Header {
			if !slices.Contains([]string{"Accept-Ranges", "Cache-Control", "Content-Length", "Content-Type", "Last-Modified", "Vary"}, name) {
				// the file's
				want[name] = strings.Join(values, ", ")
			}
		}
		same(t, variant+": headers", got, want)
		if len(want) < 5 || !strings.Contains(want["Content-Security-Policy"], "frame-ancestors "+ancestors+";") {
			t.Errorf("%s: got the local headers %v, want all that the pages have", variant, want)
		}
		same(t, variant+": TLS from now on", security.(map[string]any)["StrictTransportSecurity"],
			map[string]any{"AccessControlMaxAgeSec": 31536000, "IncludeSubdomains": false, "Override": true, "Preload": false})
	}
}

func TestTheConsoleIsToldWhereToSignIn(t *testing.T) {
	const cognito = "https://[SignIn].auth.[Region].amazoncognito.com"
	for variant, want := range map[string]console.Login{
		"pool": {
			Authorize: cognito + "/oauth2/authorize", Token: cognito + "/oauth2/token", ClientID: "[PagesClient]",
			Scopes: []string{"openid", "email"},
			Logout: cognito + "/logout?client_id=[PagesClient]&logout_uri={origin}%2Fsign-in",
		},
		"guests": {
			Authorize: "https://id.cloud.example/authorize", Token: "https://tokens.cloud.example/oauth/token", ClientID: "pages",
			Scopes: []string{"openid", "email"},
			Logout: "https://id.cloud.example/logout?to={origin}",
		},
	} {
		same(t, variant, settingsFile(t, variant), console.Settings{Login: &want, Product: "Cloud"}) // the API is where the page is
	}
	same(t, "who may show it", settingsFile(t, "second").Embed, []string{"https://app.cloud.example", "https://admin.cloud.example:8443"})
	for variant, want := range map[string][]string{
		"pool":   {"https://cloud.example/in", "http://localhost:5173/in", "https://{CloudFront}/sign-in"},
		"second": {"https://partners.cloud.example/sign-in"},
		"bare":   {"https://cloud.example/in", "http://localhost:5173/in"},
	} {
		tpl := synth(t, variant)
		client := tpl.of("AWS::Cognito::UserPoolClient")["PagesClient"].Properties
		for _, list := range []string{"CallbackURLs", "LogoutURLs"} {
			var got []string
			urls, _ := client[list].([]any)
			for _, u := range urls {
				text := written(u)
				if id := refers(u); tpl.Resources[id].Type == "AWS::CloudFront::Distribution" {
					text = strings.Replace(text, plain(map[string]any{"Fn::GetAtt": []string{id, "DomainName"}}), "{CloudFront}", 1)
				}
				got = append(got, text)
			}
			same(t, variant+": "+list, got, want)
		}
	}
}

// The console's own file says what it reads.
func TestTheSettingsAreThoseThatTheConsoleReads(t *testing.T) {
	source, err := os.ReadFile("../scripts/console/src/settings.ts")
	if err != nil {
		t.Fatal(err)
	}
	fields := func(name string) map[string]bool { // with whether it may be left out
		body := regexp.MustCompile(`(?s)interface ` + name + ` \{(.*?)\n\}`).FindSubmatch(source)
		if body == nil {
			t.Fatalf("settings.ts has no interface %s", name)
		}
		out := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^  (\w+)(\??):`).FindAllSubmatch(body[1], -1) {
			out[string(m[1])] = len(m[2]) > 0
		}
		return out
	}
	optional := func(least, most any) map[string]bool {
		out := map[string]bool{}
		always := object(least)
		for name := range object(most) {
			_, ok := always[name]
			out[name] = !ok
		}
		return out
	}
	same(t, "the settings", optional(console.Settings{}, console.Settings{
		Local: true, Product: "Cloud", Login: &console.Login{}, Embed: []string{"x"},
	}),
		fields("Settings"))
	same(t, "the login", optional(console.Login{}, console.Login{Logout: "x"}), fields("HostedLogin"))
}

func TestThePathsOfTheConsoleAreThoseOfTheLocalStack(t *testing.T) {
	tpl := synth(t, "pool")
	id, f := tpl.only(t, "AWS::CloudFront::Function")
	_, d := tpl.only(t, "AWS::CloudFront::Distribution")
	use := at(d.Properties, "DistributionConfig", "DefaultCacheBehavior", "FunctionAssociations", 0)
	same(t, "when", []any{refers(at(use, "FunctionARN")), at(use, "EventType")}, []string{id, "viewer-request"})
	paths := []string{
		"/", "/index.html", "/icon.svg", "/settings.json", "/assets/index-abc1.js", "/assets/index-gone.js", "/assets", "/sign-in",
		"/customers/acme/partners",
		"/customers/acme.inc", "/customers/acme.inc/partners", "/deep/icon.svg", "/invitations",
	}
	asked, err := json.Marshal(paths)
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("%s\nconsole.log(JSON.stringify(%s.map((uri) => handler({ request: { uri } }).uri)))", f.Properties["FunctionCode"],
		asked)
	out, err := exec.CommandContext(t.Context(), "node", "-e", script).Output() //nolint:gosec // the template's own function
	var got []string
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil || len(got) != len(paths) {
		t.Fatalf("got %q (%v) from the function, want an answer for each path", out, err)
	}
	settings := settingsFile(t, "pool")
	for n, path := range paths {
		answer := locally(t, settings, path)
		want := path
		if answer.Header.Get("Content-Type") == "text/html; charset=utf-8" {
			want = "/index.html"
		}
		if got[n] != want {
			t.Errorf("%s: got %s from CloudFront, want %s as locally", path, got[n], want)
		}
	}
}

func TestTheFilesAreKeptAsLongAsLocally(t *testing.T) {
	tpl := synth(t, "pool")
	settings := settingsFile(t, "pool")
	seen := map[string]string{}
	var first, second string
	for id, d := range tpl.of("Custom::CDKBucketDeployment") {
		prefix, _ := d.Properties["DestinationBucketKeyPrefix"].(string)
		if prefix == console.Assets {
			first = id
		} else {
			second = id
		}
		same(t, id+": what is there already", d.Properties["Prune"], false)
		keys, _ := d.Properties["SourceObjectKeys"].([]any)
		for _, key := range keys {
			folder := filepath.Join(scratch, "pool", "asset."+strings.TrimSuffix(fmt.Sprint(key), ".zip"))
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				path := "/" + strings.TrimPrefix(prefix+"/"+e.Name(), "/")
				keep, _ := at(d.Properties, "SystemMetadata", "cache-control").(string)
				seen[path] = keep
				if want := locally(t, settings, path).Header.Get("Cache-Control"); keep != want {
					t.Errorf("%s: got Cache-Control %q, want %q as locally", path, keep, want)
				}
			}
		}
	}
	same(t, "files", seen, map[string]string{
		"/assets/index-abc1.js": "public, max-age=31536000, immutable", "/icon.svg": "no-cache", "/index.html": "no-cache",
		"/settings.json": "no-cache",
	})
	if !strings.Contains(plain(tpl.Resources[second].DependsOn), first) {
		t.Errorf("got the page after %s, want it after the files that it names", plain(tpl.Resources[second].DependsOn))
	}
}

// Two people ask for the same path, and are answered differently.
func TestCloudFrontKeepsNoAnswerOfTheAPI(t *testing.T) {
	for variant, host := range map[string]string{"pool": "[Api].execute-api.[Region].[URLSuffix]", "guests": "access.cloud.example"} {
		tpl := synth(t, variant)
		api, _ := tpl.only(t, "AWS::ApiGatewayV2::Api")
		_, d := tpl.only(t, "AWS::CloudFront::Distribution")
		c := at(d.Properties, "DistributionConfig")
		behaviours, _ := at(c, "CacheBehaviors").([]any)
		b := at(c, "CacheBehaviors", 0)
		same(t, variant+": the API's paths", []any{len(behaviours), at(b, "PathPattern")}, []any{1, "/v1/*"})
		same(t, variant+": methods", at(b, "AllowedMethods"), []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"})
		same(t, variant+": an ETag stays as it is", at(b, "Compress"), false)
		// AWS's own, by its published id
		same(t, variant+": all headers but the host's", at(b, "OriginRequestPolicyId"), "b689b0a8-53d0-40ab-baf2-68738e2966ac")
		same(t, variant+": headers", at(b, "ResponseHeadersPolicyId"), nil)
		origin := at(c, "Origins", 1)
		same(t, variant+": the API", []any{at(b, "TargetOriginId"), strings.Replace(written(at(origin, "DomainName")), "["+api+"]", "[Api]", 1)},
			[]any{at(origin, "Id"), host})
		same(t, variant+": to the API",
			[]any{at(origin, "CustomOriginConfig", "OriginProtocolPolicy"), at(origin, "CustomOriginConfig", "OriginSSLProtocols")},
			[]any{"https-only", []string{"TLSv1.2"}})
		id, policy := tpl.only(t, "AWS::CloudFront::CachePolicy")
		p := at(policy.Properties, "CachePolicyConfig")
		same(t, variant+": of the API", refers(at(b, "CachePolicyId")), id)
		same(t, variant+": seconds", []any{at(p, "MinTTL"), at(p, "DefaultTTL")}, []int{0, 0})
		same(t, variant+": each token's own", at(p, "ParametersInCacheKeyAndForwardedToOrigin", "HeadersConfig"),
			map[string]any{"HeaderBehavior": "whitelist", "Headers": []string{"Authorization"}})
		same(t, variant+": each query's own", at(p, "ParametersInCacheKeyAndForwardedToOrigin", "QueryStringsConfig", "QueryStringBehavior"),
			"all")
		refusals := map[float64]bool{}
		list, _ := at(c, "CustomErrorResponses").([]any)
		for _, e := range list {
			code, _ := at(e, "ErrorCode").(float64)
			refusals[code] = true
			same(t, fmt.Sprintf("%s: %v", variant, code), e, map[string]any{"ErrorCode": code, "ErrorCachingMinTTL": 0}) // and no page in its place
		}
		same(t, variant+": refusals that CloudFront would keep", slices.Sorted(maps.Keys(refusals)),
			[]int{400, 403, 404, 405, 414, 500, 501, 502, 503, 504})
	}
}

// The functions that the CDK brings along for the console: one that uploads the files, and one that empties the bucket at the end.
func TestTheCDKsOwnFunctionsReachTheConsolesFilesAlone(t *testing.T) {
	for _, variant := range withConsole() {
		tpl := synth(t, variant)
		uploader := ""
		for id, f := range foreign(tpl) {
			if strings.HasPrefix(id, "CustomCDKBucketDeployment") {
				uploader = refers(f.Properties["Role"])
			}
		}
		if n := len(foreign(tpl)); n != 2 || uploader == "" {
			t.Errorf("%s: got %d functions of the CDK's, and %q for the role of the one that uploads: want two", variant, n, uploader)
		}
		bucket, _ := tpl.only(t, "AWS::S3::Bucket")
		for id, p := range tpl.of("AWS::IAM::Policy") {
			if refers(p.Properties["Roles"]) != uploader {
				continue
			}
			statements, _ := at(p.Properties, "PolicyDocument", "Statement").([]any)
			for _, s := range statements {
				writes := strings.Contains(plain(at(s, "Action")), "s3:PutObject") || strings.Contains(plain(at(s, "Action")), "s3:Delete")
				on := at(s, "Resource")
				resources, several := on.([]any)
				if !several {
					resources = []any{on}
				}
				for _, r := range resources {
					own, log := refers(r) == bucket, tpl.Resources[refers(r)].Type == "AWS::Logs::LogGroup"
					assets := !writes && strings.Contains(plain(r), ":s3:::\",{\"Fn::Sub\":\"cdk-hnb659fds-assets-")
					if !own && !log && !assets {
						t.Errorf("%s: %s: got %s on %s, want the console's files, the CDK's assets to read, and its log", variant, id, plain(at(s, "Action")),
							plain(r))
					}
				}
			}
		}
	}
}

func TestTheConsoleCanBeLeftOut(t *testing.T) {
	for _, variant := range []string{"bare", "outside", "localstack"} {
		tpl := synth(t, variant)
		for id, r := range tpl.Resources {
			if strings.HasPrefix(r.Type, "AWS::CloudFront::") || strings.HasPrefix(r.Type, "AWS::S3::") || strings.HasPrefix(r.Type, "Custom::") {
				t.Errorf("%s: got %s, a %s, want no console", variant, id, r.Type)
			}
		}
		if n := len(foreign(tpl)); n != 0 || tpl.Outputs["Console"] != nil {
			t.Errorf("%s: got %d functions of the CDK's, and the output %s", variant, n, plain(tpl.Outputs["Console"]))
		}
	}
	// And nothing else is another without it, but for the way back from the login, of which another test speaks.
	whole, bare := synth(t, "pool"), synth(t, "bare")
	for id, r := range bare.Resources {
		got, want := maps.Clone(r.Properties), maps.Clone(whole.Resources[id].Properties)
		if id == "PagesClient" {
			for _, list := range []string{"CallbackURLs", "LogoutURLs"} {
				delete(got, list)
				delete(want, list)
			}
		}
		same(t, id, got, want)
	}
}
