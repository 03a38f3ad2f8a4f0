package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// schema is CloudFormation's own list of resource types, which the CDK's command carries, with their properties; types of properties stand
// by id, as they are referred to.
type schema struct {
	resources, types map[string]map[string]schemaProperty
}

type schemaProperty struct {
	Type     schemaType
	Required bool
}

type schemaType struct {
	Type          string
	AllowedValues []any
	Element       *schemaType
	Types         []schemaType
	Reference     struct {
		ID string `json:"$ref"`
	}
}

func readSchema(t *testing.T) schema {
	t.Helper()
	type entities struct {
		Entities []struct {
			ID                 string `json:"$id"`
			CloudFormationType string
			Properties         map[string]schemaProperty
		}
	}
	var file struct {
		Schema struct{ Resource, TypeDefinition entities }
	}
	packed, err := os.ReadFile("../scripts/node_modules/aws-cdk/db.json.gz")
	if err != nil {
		t.Fatalf("make setup fetches it: %v", err)
	}
	text, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(text).Decode(&file)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := schema{map[string]map[string]schemaProperty{}, map[string]map[string]schemaProperty{}}
	for _, r := range file.Schema.Resource.Entities {
		s.resources[r.CloudFormationType] = r.Properties
	}
	for _, d := range file.Schema.TypeDefinition.Entities {
		s.types[d.ID] = d.Properties
	}
	return s
}

// faults are what CloudFormation would refuse of an object. What an intrinsic function comes to is not known here.
func (s schema) faults(at string, object map[string]any, properties map[string]schemaProperty) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if p, ok := properties[name]; ok {
			out = append(out, s.wrong(at+"."+name, object[name], p.Type)...)
		} else {
			out = append(out, at+"."+name+": no such property")
		}
	}
	for name, p := range properties {
		if _, ok := object[name]; p.Required && !ok {
			out = append(out, at+"."+name+": missing")
		}
	}
	return out
}

func (s schema) wrong(at string, value any, want schemaType) []string {
	object, isObject := value.(map[string]any)
	for name := range object {
		if len(object) == 1 && (name == "Ref" || strings.HasPrefix(name, "Fn::")) {
			return nil
		}
	}
	ok, out := false, []string(nil)
	switch want.Type {
	case "json":
		return nil
	case "string", "date-time":
		_, ok = value.(string)
	case "boolean":
		_, ok = value.(bool)
	case "number", "integer":
		n, isNumber := value.(float64)
		ok = isNumber && (want.Type == "number" || n == float64(int64(n)))
	case "array":
		list, isList := value.([]any)
		for i, v := range list {
			out = append(out, s.wrong(fmt.Sprintf("%s[%d]", at, i), v, *want.Element)...)
		}
		ok = isList
	case "map":
		for name, v := range object {
			out = append(out, s.wrong(at+"."+name, v, *want.Element)...)
		}
		ok = isObject
	case "tag":
		_, key := object["Key"].(string)
		_, given := object["Value"]
		ok = key && given && len(object) == 2
	case "ref":
		if isObject {
			return s.faults(at, object, s.types[want.Reference.ID])
		}
	case "union":
		for i, one := range want.Types {
			found := s.wrong(at, value, one)
			if len(found) == 0 {
				return nil
			}
			if i == 0 {
				out = found
			}
		}
		return out
	}
	if !ok {
		return []string{fmt.Sprintf("%s: %s is not of the type %s", at, plain(value), want.Type)}
	}
	if want.AllowedValues != nil && !slices.Contains(want.AllowedValues, value) {
		out = append(out, fmt.Sprintf("%s: %s is none of %s", at, plain(value), plain(want.AllowedValues)))
	}
	return out
}

func TestEveryResourceIsAsCloudFormationDefinesItsType(t *testing.T) {
	s := readSchema(t)
	unknown := map[string]bool{}
	for _, variant := range allVariants() {
		for id, r := range synth(t, variant).Resources {
			properties, ok := s.resources[r.Type]
			if !ok {
				unknown[r.Type] = true
				continue
			}
			for _, fault := range s.faults(id+" ("+r.Type+")", r.Properties, properties) {
				t.Errorf("%s: %s", variant, fault)
			}
		}
	}
	same(t, "types that CloudFormation does not define", slices.Sorted(maps.Keys(unknown)),
		[]string{"Custom::CDKBucketDeployment", "Custom::S3AutoDeleteObjects"}) // the CDK's own functions make these
	for _, c := range []struct{ kind, properties, want string }{
		{"AWS::SQS::Queue", `{"QueueName": {"Fn::Sub": "a"}, "Tags": [{"Key": "a", "Value": "b"}], "DelaySeconds": 3}`, ""},
		{"AWS::SQS::Queue", `{"Name": "a"}`, "x.Name: no such property"},
		{"AWS::SQS::Queue", `{"Tags": [{"Key": "a"}]}`, `x.Tags[0]: {"Key":"a"} is not of the type tag`},
		{"AWS::SQS::Queue", `{"DelaySeconds": 1.5}`, "x.DelaySeconds: 1.5 is not of the type integer"},
		{"AWS::SQS::Queue", `{"FifoQueue": "true"}`, `x.FifoQueue: "true" is not of the type boolean`},
		{"AWS::SQS::Queue", `{"QueueName": 7}`, "x.QueueName: 7 is not of the type string"},
		{"AWS::SQS::QueuePolicy", `{"PolicyDocument": {"a": "b"}, "Queues": "a"}`, `x.Queues: "a" is not of the type array`},
		{"AWS::SQS::QueuePolicy", `{"Queues": ["a", 1]}`, "x.Queues[1]: 1 is not of the type string x.PolicyDocument: missing"},
		{
			"AWS::Lambda::Function", `{"Code": {"Zip": "a"}, "Role": "a", "Environment": {"Variables": {"A": 1}}, "TracingConfig": {"Mode": "On"}}`,
			`x.Code.Zip: no such property x.Environment.Variables.A: 1 is not of the type string ` +
				`x.TracingConfig.Mode: "On" is none of ["Active","PassThrough"]`,
		},
		{"AWS::Lambda::Function", `{"Code": "a", "Role": "a"}`, `x.Code: "a" is not of the type ref`},
	} {
		object := map[string]any{}
		if err := json.Unmarshal([]byte(c.properties), &object); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.faults("x", object, s.resources[c.kind]), " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.properties, got, c.want)
		}
	}
}
