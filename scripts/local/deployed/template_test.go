package deployed_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/deployed"
)

// known are the values of the test's templates.
func known(id, typ, attribute string) (string, bool) {
	v, ok := map[string]string{
		"AWS::Region  ": "mars-1", "Table AWS::DynamoDB::Table ": "the-table", "Api AWS::ApiGatewayV2::Api ApiEndpoint": "https://api.example",
	}[id+" "+typ+" "+attribute]
	return v, ok
}

func template(t *testing.T, variable string) *deployed.Template {
	t.Helper()
	out, err := deployed.ParseTemplate([]byte(`{"Resources": {
		"Table": {"Type": "AWS::DynamoDB::Table"}, "Api": {"Type": "AWS::ApiGatewayV2::Api"}, "Other": {"Type": "AWS::SQS::Queue"},
		"F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "x-f", "Timeout": 12, "MemorySize": 512, "Environment": {"Variables": {"A": "b", "V": ` + variable + `}}}}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAFunctionsEnvironmentIsResolvedAsCloudFormationDoes(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		`"plain"`:                                "plain",
		`true`:                                   "true",
		`12`:                                     "12",
		`{"Ref": "Table"}`:                       "the-table",
		`{"Ref": "AWS::Region"}`:                 "mars-1",
		`{"Fn::GetAtt": ["Api", "ApiEndpoint"]}`: "https://api.example",
		`{"Fn::GetAtt": "Api.ApiEndpoint"}`:      "https://api.example",
		`{"Fn::Join": ["-", ["a", {"Ref": "Table"}, {"Fn::Join": ["", ["b", "c"]]}]]}`: "a-the-table-bc",
		`{"Fn::Sub": "${Table} in ${AWS::Region}, ${Api.ApiEndpoint}, ${!Table}"}`:     "the-table in mars-1, https://api.example, ${Table}",
		`{"Fn::Sub": ["${Own}/${Table}", {"Own": {"Ref": "AWS::Region"}}]}`:            "mars-1/the-table",
	} {
		got, err := template(t, variable).Functions(known)
		if err != nil || len(got) != 1 {
			t.Errorf("%s: got %+v (%v), want one function", variable, got, err)
			continue
		}
		if f := got[0]; f.Name != "x-f" || f.Timeout != 12*time.Second || f.Memory != 512 ||
			!maps.Equal(f.Env, map[string]string{"A": "b", "V": want}) {
			t.Errorf("%s: got %+v, want %s", variable, f, want)
		}
	}
}

func TestAnyPartOfATemplateIsResolved(t *testing.T) {
	t.Parallel()
	part := map[string]any{"A": []any{map[string]any{"Ref": "Table"}, 1.0, map[string]any{"B": map[string]any{"Fn::Sub": "${Table}!"}}}}
	got, err := template(t, `"x"`).Resolve(part, known)
	want := map[string]any{"A": []any{"the-table", 1.0, map[string]any{"B": "the-table!"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
	part["C"] = map[string]any{"Fn::ImportValue": "x"}
	if got, err := template(t, `"x"`).Resolve(part, known); err == nil || !strings.Contains(err.Error(), "Fn::ImportValue") {
		t.Errorf("got %v (%v), want an error", got, err)
	}
}

func TestWhatCannotBeResolvedIsAnError(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		`{"Ref": "Other"}`:                  "Ref of Other (AWS::SQS::Queue)",
		`{"Ref": "Nothing"}`:                `"Nothing" is no resource`,
		`{"Fn::GetAtt": ["Table", "Arn"]}`:  "Arn of Table (AWS::DynamoDB::Table)",
		`{"Fn::Sub": "${Other}"}`:           "Ref of Other",
		`{"Fn::Join": ["-", {"Ref": "X"}]}`: "Fn::Join",
		`{"Fn::ImportValue": "x"}`:          "Fn::ImportValue",
		`["a"]`:                             `["a"] is not understood`,
		`null`:                              "null is not understood",
		`{"Ref": "Table", "Fn::Sub": "x"}`:  "is not understood",
	} {
		got, err := template(t, variable).Functions(known)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "environment variable V") {
			t.Errorf("%s: got %+v (%v), want an error with %s that names the variable", variable, got, err, want)
		}
	}
	for _, text := range []string{`{`, `{}`} {
		if _, err := deployed.ParseTemplate([]byte(text)); err == nil {
			t.Errorf("the template %s: got no error", text)
		}
	}
}
