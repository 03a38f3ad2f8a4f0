package spec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"

	"partneraccess/scripts/local/child"
	"partneraccess/shared/httpapi"
)

// The contract as plain values, with the references unresolved.
func plainContract(t *testing.T) map[string]any {
	t.Helper()
	text, err := yaml.YAMLToJSON(httpapi.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// eachObject calls f for each object of a value, with its place.
func eachObject(v any, at string, f func(at string, o map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(at, v)
		for name, member := range v {
			if name != "example" && name != "examples" {
				eachObject(member, at+"/"+name, f)
			}
		}
	case []any:
		for i, element := range v {
			eachObject(element, fmt.Sprintf("%s/%d", at, i), f)
		}
	}
}

// eachOperation calls f for each operation of the contract.
func eachOperation(doc map[string]any, f func(key string, op map[string]any)) {
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			if method != "parameters" {
				f(strings.ToUpper(method)+" "+path, op.(map[string]any))
			}
		}
	}
}

// oapi-codegen makes a type of each component, whatever its section.
func TestNoTwoComponentsOfTheContractHaveOneName(t *testing.T) {
	t.Parallel()
	sections := map[string][]string{}
	for section, of := range plainContract(t)["components"].(map[string]any) {
		for name := range of.(map[string]any) {
			sections[strings.ToLower(name)] = append(sections[strings.ToLower(name)], section)
		}
	}
	for name, in := range sections {
		if len(in) > 1 {
			t.Errorf("%s: got it in %q, want one name for one component", name, in)
		}
	}
}

func TestEachOperationSaysWhatAnyOtherStatusCarries(t *testing.T) {
	t.Parallel()
	eachOperation(plainContract(t), func(key string, op map[string]any) {
		other, _ := op["responses"].(map[string]any)["default"].(map[string]any)
		if other["$ref"] != "#/components/responses/Other" {
			t.Errorf("%s: got the default %v, want the problem document", key, other)
		}
	})
}

// RFC 9457, 3.2: a client ignores the members that it does not know.
func TestAProblemMayHaveFurtherMembers(t *testing.T) {
	t.Parallel()
	doc := plainContract(t)["components"].(map[string]any)
	problem := doc["schemas"].(map[string]any)["Problem"]
	eachObject(problem, "Problem", func(at string, o map[string]any) {
		if o["additionalProperties"] == false {
			t.Errorf("%s is closed to further members", at)
		}
	})
	eachObject(doc["responses"], "responses", func(at string, o map[string]any) {
		if o["$ref"] == "#/components/schemas/Problem" && len(o) > 1 {
			t.Errorf("%s: got members beside $ref, which some tools ignore: use allOf", at)
		}
	})
}

// Generators cannot tell objects apart by their members.
func TestObjectsOfTheContractAreToldApart(t *testing.T) {
	t.Parallel()
	doc := plainContract(t)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	isObject := func(v any) bool {
		s := v.(map[string]any)
		if ref, is := s["$ref"].(string); is {
			s = schemas[ref[strings.LastIndexByte(ref, '/')+1:]].(map[string]any)
		}
		_, typed := s["type"]
		return s["type"] == "object" || !typed
	}
	eachObject(doc, "", func(at string, o map[string]any) {
		for _, word := range []string{"anyOf", "oneOf"} {
			of, _ := o[word].([]any)
			objects := slices.DeleteFunc(slices.Clone(of), func(v any) bool { return !isObject(v) })
			if len(objects) > 1 && o["discriminator"] == nil && !strings.HasSuffix(at, "/x-item-schema") {
				t.Errorf("%s: got %s of %d objects without a discriminator", at, word, len(objects))
			}
		}
	})
}

func TestTheContractSaysWhereItIsServedAndWhoAnswers(t *testing.T) {
	t.Parallel()
	doc := plainContract(t)
	if contact, _ := doc["info"].(map[string]any)["contact"].(map[string]any); contact["name"] == nil || contact["url"] == nil {
		t.Errorf("got the contact %v, want a name and an address", contact)
	}
	servers, _ := doc["servers"].([]any)
	if len(servers) < 2 {
		t.Errorf("got the servers %v, want the local one and a deployment", servers)
	}
	for _, s := range servers {
		if s.(map[string]any)["description"] == nil {
			t.Errorf("got the server %v, want what it is", s)
		}
	}
}

// What the service may say one day that it does not say now: reasons, codes and kinds of things. Levels, roles and states are not among
// them: their meaning is a client's to know.
func TestEnumsThatMayGrowAreMarked(t *testing.T) {
	t.Parallel()
	components := plainContract(t)["components"].(map[string]any)
	schemas := components["schemas"].(map[string]any)
	for name, s := range schemas {
		o := s.(map[string]any)
		if o["enum"] != nil && (strings.HasSuffix(name, "Reason") || name == "EventType" || name == "RequestKind") && o["x-may-grow"] != true {
			t.Errorf("%s is not marked with x-may-grow", name)
		}
	}
	eachObject(components["responses"], "responses", func(at string, o map[string]any) {
		if strings.HasSuffix(at, "/properties/code") && o["x-may-grow"] != true {
			t.Errorf("%s is not marked with x-may-grow", at)
		}
	})
}

// TestTheContractIsAnOpenAPI31DocumentAndItsExamplesKeepToIt holds them against their schemas.
func TestEachAnswerOfTheContractHasAnExample(t *testing.T) {
	t.Parallel()
	eachOperation(plainContract(t), func(key string, op map[string]any) {
		for status, r := range op["responses"].(map[string]any) {
			content, _ := r.(map[string]any)["content"].(map[string]any)
			for media, m := range content {
				o := m.(map[string]any)
				if strings.HasPrefix(status, "2") && o["example"] == nil && o["examples"] == nil {
					t.Errorf("%s: %s, %s: got no example", key, status, media)
				}
			}
		}
	})
}

func TestTheContractBreaksNoRuleOfTheLinter(t *testing.T) {
	t.Parallel()
	modules, err := child.NodeModules()
	if err != nil {
		t.Fatal(err)
	}
	linter := filepath.Join(filepath.Dir(modules), "tools", "lint-contract.mjs")
	lint := func(document []byte) (string, error) {
		file := filepath.Join(t.TempDir(), "openapi.yaml")
		if err := os.WriteFile(file, document, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "node", linter, file).CombinedOutput()
		return string(out), err
	}
	if out, err := lint(httpapi.OpenAPI); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	broken := strings.Replace(string(httpapi.OpenAPI), "operationId: evaluateAll", "operationId: evaluate", 1)
	if out, err := lint([]byte(broken)); err == nil || !strings.Contains(out, "operation-operationId-unique") {
		t.Errorf("two operations of one name: got %v and %q, want the rule that is broken", err, out)
	}
}
