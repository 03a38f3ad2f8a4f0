package stack_test

import (
	"encoding/json"
	"strings"
	"testing"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/manifest"
)

func TestAFilterMatchesAsLambdaDoes(t *testing.T) {
	const event = `{"eventName":"INSERT","dynamodb":{"NewImage":{"sk":{"S":"T#01"},"n":{"N":"7"},"on":{"BOOL":true},"no":{"NULL":null}}}}`
	for _, c := range []struct {
		pattern, record string
		want            bool
	}{
		{``, event, true},
		{`{}`, event, true},
		{`{"eventName":["INSERT"]}`, event, true},
		{`{"eventName":["REMOVE","INSERT"]}`, event, true},
		{`{"eventName":["REMOVE"]}`, event, false},
		{`{"eventName":["INSER"]}`, event, false},
		{`{"eventName":["insert"]}`, event, false},
		{`{"missing":["x"]}`, event, false},
		{`{"missing":{"deeper":["x"]}}`, event, false},
		{`{"missing":[{"exists":false}]}`, event, true},
		{`{"missing":{"deeper":[{"exists":false}]}}`, event, true},
		{`{"eventName":[{"exists":true}]}`, event, true},
		{`{"eventName":[{"exists":false}]}`, event, false},
		{`{"dynamodb":["x",{"exists":true}]}`, event, false}, // exists is for leaves
		{`{"eventName":[{"prefix":"INS"}]}`, event, true},
		{`{"eventName":["REMOVE",{"prefix":"INS"}]}`, event, true},
		{`{"eventName":[{"prefix":"NS"}]}`, event, false},
		{`{"dynamodb":{"NewImage":{"n":{"N":["7"]}}}}`, event, true},
		{`{"dynamodb":{"NewImage":{"n":{"N":[7]}}}}`, event, false}, // DynamoDB's numbers are texts
		{`{"dynamodb":{"NewImage":{"n":{"N":[{"prefix":"7"}]}}}}`, event, true},
		{`{"dynamodb":{"NewImage":{"on":{"BOOL":[true]}}}}`, event, true},
		{`{"dynamodb":{"NewImage":{"on":{"BOOL":[false]}}}}`, event, false},
		{`{"dynamodb":{"NewImage":{"no":{"NULL":[null]}}}}`, event, true},
		{`{"missing":[null]}`, event, false}, // null is not absence
		{`{"a":["x"]}`, `{"a":["y","x"]}`, true},
		{`{"a":["x"]}`, `{"a":{"x":1}}`, false},
	} {
		match, err := stack.NewFilter(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		var record any
		if err := json.Unmarshal([]byte(c.record), &record); err != nil {
			t.Fatal(err)
		}
		if got := match(record); got != c.want {
			t.Errorf("%s on %s: got %v, want %v", c.pattern, c.record, got, c.want)
		}
	}
}

func TestAFilterThatIsNotUnderstoodIsAnError(t *testing.T) {
	for _, pattern := range []string{
		`7`, `[]`, `{`, `{} {}`, `{"a":"x"}`, `{"a":[]}`, `{"a":[["x"]]}`, `{"a":[{"anything-but":["x"]}]}`, `{"a":[{"numeric":[">",1]}]}`,
		`{"a":[{"suffix":"x"}]}`, `{"a":[{"prefix":7}]}`, `{"a":[{"prefix":"x","exists":true}]}`, `{"a":[{"exists":"true"}]}`,
		`{"$or":[{"a":["x"]}]}`,
	} {
		if _, err := stack.NewFilter(pattern); err == nil {
			t.Errorf("%s: got a filter, want an error", pattern)
		}
	}
}

func TestTheManifestsFiltersLetTheOutboxThrough(t *testing.T) {
	streams := 0
	for _, f := range manifest.Functions() {
		if f.Stream == nil {
			continue
		}
		streams++
		match, err := stack.NewFilter(f.Stream.Filter)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for record, want := range map[string]bool{
			`{"eventName":"INSERT","dynamodb":{"NewImage":{"sk":{"S":"T#01"}}}}`:                                true,
			`{"eventName":"INSERT","dynamodb":{"NewImage":{"sk":{"S":"G#initech"}}}}`:                           false,
			`{"eventName":"MODIFY","dynamodb":{"NewImage":{"sk":{"S":"T#01"}},"OldImage":{"sk":{"S":"T#01"}}}}`: false,
			`{"eventName":"REMOVE","dynamodb":{"OldImage":{"sk":{"S":"T#01"}}}}`:                                false,
		} {
			var r any
			if err := json.NewDecoder(strings.NewReader(record)).Decode(&r); err != nil {
				t.Fatal(err)
			}
			if got := match(r); got != want {
				t.Errorf("%s: %s: got %v, want %v", f.Name, record, got, want)
			}
		}
	}
	if streams == 0 {
		t.Error("no function of the manifest is started by the stream")
	}
}
