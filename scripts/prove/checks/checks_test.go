package checks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/httpapi"
	"partneraccess/shared/manifest"
)

const (
	root   = "../../.."
	module = "partneraccess"
)

// rule is what a package may import beside the standard library. Each entry stands for itself and all under it.
type rule struct {
	own   []string // packages of the project
	other []string // of other modules
}

// rules are the arrows of the design: who may know whom. Adapters never import one another; they meet in a main.
func rules() map[string]rule {
	aws := []string{"github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"}
	text := []string{"golang.org/x", "github.com/go-json-experiment/json", "github.com/oklog/ulid/v2"}
	with := func(lists ...[]string) []string { return slices.Concat(lists...) }
	return map[string]rule{
		"events":          {},
		"shared/manifest": {own: []string{"shared/httpapi"}}, // the one table of routes
		"shared/console":  {},
		"shared/metrics":  {}, // may be told by whoever knows: it knows nobody
		"shared/awsenv":   {other: aws},
		// Unicode's tables: pure functions
		"shared/access": {own: []string{"events"}, other: []string{"golang.org/x/net/idna", "golang.org/x/text"}},
		"shared/service": {
			own:   []string{"events", "shared/access", "shared/cloudevents", "shared/mail/receipt", "shared/webhook"},
			other: []string{"golang.org/x/sync"},
		},
		"shared/cloudevents": {own: []string{"events", "shared/access"}}, // pure: the form in which others get events
		"shared/dynamo": {
			own: []string{
				"events", "shared/access", "shared/awsenv", "shared/cloudevents", "shared/mail/receipt", "shared/metrics",
			},
			other: with(aws, text),
		},
		"shared/rawjson":    {other: []string{"github.com/go-json-experiment/json"}},
		"shared/apigateway": {own: []string{"shared/rawjson"}, other: []string{"github.com/aws/aws-lambda-go"}}, // not what requests are about
		"shared/authzen":    {own: []string{"shared/access", "shared/rawjson"}, other: text},                    // a protocol without HTTP
		"shared/httpapi": {
			own: []string{
				"events", "shared/access", "shared/apigateway", "shared/authzen", "shared/cloudevents", "shared/mail/receipt", "shared/metrics",
				"shared/rawjson", "shared/service", "shared/webhook",
			},
			other: with(text, []string{"github.com/aws/aws-lambda-go", "gopkg.in/yaml.v3"}),
		},
		"shared/messages":     {other: []string{"golang.org/x/text"}}, // the rules of plurals
		"shared/mail":         {own: []string{"events", "shared/access", "shared/mail/receipt", "shared/messages"}, other: text},
		"shared/mail/receipt": {own: []string{"events"}}, // pure, like access: what is kept of a mail
		"shared/ses": {
			own:   []string{"events", "shared/awsenv", "shared/mail"},
			other: with(aws, text, []string{"github.com/aws/aws-lambda-go"}),
		},
		"shared/cognito": {own: []string{"shared/access", "shared/awsenv"}, other: with(aws, text)},
		"shared/stream":  {own: []string{"events", "shared/access"}, other: with(text, []string{"github.com/aws/aws-lambda-go"})},
		"shared/publish": {
			own: []string{"shared/access", "shared/cloudevents", "shared/dynamo"}, other: []string{"github.com/aws/aws-lambda-go"},
		},
		"shared/deliver": {
			own:   []string{"shared/access", "shared/dynamo", "shared/service", "shared/webhook"},
			other: []string{"github.com/aws/aws-lambda-go", "golang.org/x/sync"},
		},
		"shared/eventbridge": {own: []string{"shared/awsenv", "shared/cloudevents"}, other: aws},
		"shared/stream/batch": { // what Lambda makes of a stream: for the local stack and the tools, and in no function
			own: []string{"events"}, other: with(aws, text, []string{"github.com/aws/aws-lambda-go"}),
		},
		"shared/turns":  {}, // whose turn it is: it knows nobody
		"shared/client": {}, // a module elsewhere takes it alone
		// Each way to ask that needs a client of AWS is a package of its own.
		"shared/client/table":  {own: []string{"shared/access", "shared/client", "shared/dynamo"}, other: with(aws, text)},
		"shared/client/invoke": {own: []string{"shared/client"}, other: aws},
		"shared/sweep": {
			own:   []string{"events", "shared/access", "shared/metrics", "shared/service", "shared/turns"},
			other: with(text, []string{"github.com/aws/aws-lambda-go"}),
		},
		"shared/bulk": {
			own:   []string{"shared/access", "shared/metrics", "shared/service", "shared/turns"},
			other: with(text, []string{"github.com/aws/aws-lambda-go"}),
		},
		"shared/awslambda": {own: []string{"shared/awsenv"}, other: aws}, // starts another function
		// what all mains do alike
		"shared/setup":        {own: []string{"events", "shared"}, other: with(aws, text, []string{"github.com/aws/aws-lambda-go"})},
		"functions":           {own: []string{"events", "shared"}, other: with(aws, text, []string{"github.com/aws/aws-lambda-go"})},
		"shared/webhook":      {}, // sends to addresses that others name: knows nothing of what it sends
		"shared/settingsfile": {}, // a deployment's, for the CDK app and the tools that look at the same deployment
		// The manifest, the names of the metrics, and what the console is served with; and the code that judges the mails' settings and the
		// catalogue: what it would refuse in AWS is refused before.
		"infra": {
			own: []string{
				"shared/manifest", "shared/httpapi", "shared/metrics", "shared/console", "shared/mail", "shared/access", "shared/settingsfile",
				"shared/webhook",
			},
			other: []string{"github.com/aws/aws-cdk-go", "github.com/aws/constructs-go", "github.com/aws/jsii-runtime-go", "github.com/cdklabs"},
		},
		"scripts": {own: []string{"events", "shared", "scripts"}, other: []string{anything}},
	}
}

func (r rule) allows(imported string) bool {
	list := r.other
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		imported, list = own, r.own
	}
	return slices.ContainsFunc(list, func(a string) bool { return a == anything || imported == a || strings.HasPrefix(imported, a+"/") })
}

const anything = "*"

// ruleOf is the rule for a package: its own, or that of the folder that it lies in.
func ruleOf(path string) (rule, bool) {
	for all := rules(); path != "."; path = filepath.Dir(path) {
		if r, ok := all[path]; ok {
			return r, true
		}
	}
	return rule{}, false
}

type pkg struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string
	DepOnly    bool
}

// packages are those of the project and all that they need, as they are built for deployment: without tests.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Name,Standard,Imports,DepOnly", "./...")
	cmd.Dir = root
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &complaint)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestEveryPackageImportsOnlyWhatTheDesignAllows(t *testing.T) {
	t.Parallel()
	standard := map[string]bool{"C": true, "unsafe": true}
	all := packages(t)
	for _, p := range all {
		standard[p.ImportPath] = standard[p.ImportPath] || p.Standard
	}
	own := 0
	for _, p := range all {
		path, ok := strings.CutPrefix(p.ImportPath, module+"/")
		if !ok {
			continue
		}
		own++
		r, ok := ruleOf(path)
		if !ok {
			t.Errorf("package %s: got no rule, want one in rules() that says what it may import", path)
			continue
		}
		for _, i := range p.Imports {
			if !standard[i] && !r.allows(i) {
				t.Errorf("package %s imports %s: want only the standard library, %v and %v", path, i, r.own, r.other)
			}
		}
	}
	if own < 10 {
		t.Errorf("got %d packages of the project, want all of them", own)
	}
}

func TestTheRulesRefuseWhatTheyShould(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"shared/access", module + "/events", true},
		{"shared/access", module + "/shared/dynamo", false},
		{"shared/access", "github.com/oklog/ulid/v2", false},
		{"shared/access", "golang.org/x/net/idna", true},
		{"shared/access", "golang.org/x/net/http2", false},
		{"shared/dynamo", "github.com/aws/smithy-go", true},
		{"shared/dynamo", "github.com/aws/smithy-go/transport/http", true},
		{"shared/dynamo", "github.com/aws/smithy-gopher", false},
		{"shared/dynamo", module + "/shared/httpapi", false},
		{"shared/service", module + "/shared/dynamo", false},
		{"shared/service", "github.com/aws/aws-lambda-go/lambda", false},
		{"shared/dynamo", module + "/scripts/local/engine", false},
		{"shared/httpapi", module + "/shared/dynamo", false},
		{"shared/httpapi", module + "/shared/authzen", true},
		{"shared/client", "github.com/aws/aws-sdk-go-v2/service/dynamodb", false},
		{"shared/client", module + "/shared/access", false},
		{"shared/client/table", module + "/shared/dynamo", true},
		{"shared/client/invoke", module + "/shared/dynamo", false},
		{"shared/authzen", module + "/shared/apigateway", false},
		{"shared/apigateway", module + "/shared/access", false},
		{"shared/httpapi", "github.com/aws/aws-sdk-go-v2/service/dynamodb", false},
		{"shared/httpapi", "github.com/go-json-experiment/json/jsontext", true},
		{"functions/check", module + "/shared/dynamo", true},
		{"functions/check", module + "/functions/grant", false},
		{"functions/check", module + "/scripts/prove/spec", false},
		{"infra", module + "/shared/manifest", true},
		{"infra", module + "/shared/access", true},
		{"infra", module + "/shared/dynamo", false},
		{"scripts/local", module + "/shared/setup", true},
		{"scripts/local", module + "/functions/check", false},
		{"scripts/local", module + "/infra", false},
		{"scripts/local", "example.com/anything", true},
	} {
		r, ok := ruleOf(c.from)
		if got := ok && r.allows(c.to); got != c.want {
			t.Errorf("%s imports %s: got %v, want %v", c.from, c.to, got, c.want)
		}
	}
	if _, ok := ruleOf("shared/utils"); ok {
		t.Error("shared/utils: got a rule, want none")
	}
}

func TestTheTopLevelHoldsOnlyWhatTheDesignNames(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	may := []string{
		"functions", "infra", "shared", "events", "scripts", "go.mod", "go.sum", "cdk.json", "Makefile", "README.md",
		"CHANGELOG.md", "LICENSE", "NOTICE",
	}
	seen := map[string]bool{}
	for file := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		top, _, _ := strings.Cut(file, "/")
		if !seen[top] && !strings.HasPrefix(top, ".") && !slices.Contains(may, top) {
			t.Errorf("got %s at the top level, want only %v and dot files", top, may)
		}
		seen[top] = true
	}
	if !seen["go.mod"] || !seen["shared"] {
		t.Errorf("got the top level %v, want go.mod and shared among it", seen)
	}
}

func TestEveryFunctionOfTheManifestIsACommandAndNothingElseIs(t *testing.T) {
	t.Parallel()
	var want []string
	for _, f := range manifest.Functions() {
		want = append(want, f.Name)
	}
	slices.Sort(want)
	entries, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
		files, err := os.ReadDir(filepath.Join(root, "functions", e.Name()))
		var names []string
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), "_test.go") {
				names = append(names, f.Name())
			}
		}
		if err != nil || !slices.Equal(names, []string{"main.go"}) {
			t.Errorf("functions/%s: got the files %q (%v), want main.go and its tests alone", e.Name(), names, err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("functions: got %q, want what the manifest names, %q", got, want)
	}
	for _, p := range packages(t) {
		if name, ok := strings.CutPrefix(p.ImportPath, module+"/functions/"); ok && p.Name != "main" {
			t.Errorf("functions/%s: got package %s, want main", name, p.Name)
		}
	}
}

func TestEveryRouteIsServedByAFunctionOfTheManifest(t *testing.T) {
	t.Parallel()
	served := map[string]string{}
	for _, f := range manifest.Functions() {
		for _, r := range f.Routes {
			if other, twice := served[r.Key()]; twice {
				t.Errorf("%s: got %s and %s, want one function", r.Key(), other, f.Name)
			}
			served[r.Key()] = f.Name
		}
	}
	for _, r := range httpapi.Routes() {
		if got := served[r.Key()]; got != r.Function {
			t.Errorf("%s: got it served by %q, want %s, which is no function of the manifest or serves something else", r.Key(), got, r.Function)
		}
	}
	if len(served) < 60 {
		t.Errorf("got %d routes, want all of them", len(served))
	}
}
