package stack_test

import (
	"encoding/json"
	"slices"
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

// What the readers of the table's stream get, by the record: each of them its own, and none what it writes itself.
func TestTheManifestsFiltersLetEachReadersRecordsThrough(t *testing.T) {
	readers := map[string]func(any) bool{}
	for _, f := range manifest.Functions() {
		if f.Stream == nil {
			continue
		}
		match, err := stack.NewFilter(f.Stream.Filter)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		readers[f.Name] = match
	}
	if len(readers) != 2 {
		t.Errorf("got %d readers of the stream, want notify and publish: a shard bears two", len(readers))
	}
	record := func(event, pk, sk string) any {
		keys := map[string]any{"pk": map[string]any{"S": pk}, "sk": map[string]any{"S": sk}}
		return map[string]any{"eventName": event, "dynamodb": map[string]any{"Keys": keys, "NewImage": keys}}
	}
	for _, c := range []struct{ event, pk, sk, want string }{
		{"INSERT", "C#acme", "T#01", "notify publish"},
		{"MODIFY", "C#acme", "T#01", "publish"}, // which passes over it: one pattern serves both kinds of records
		{"REMOVE", "C#acme", "T#01", ""},
		{"INSERT", "C#acme", "G#initech", "publish"},
		{"MODIFY", "C#acme", "G#initech", "publish"},
		{"MODIFY", "C#acme", "U#initech:01", "publish"},
		{"REMOVE", "C#acme", "U#initech:01", ""},
		{"MODIFY", "C#acme", "C", "publish"},
		{"MODIFY", "P#initech", "P", "publish"},
		{"INSERT", "P#initech", "H", "publish"},
		{"INSERT", "P#initech", "U#initech:01", "publish"},
		{"INSERT", "P#initech", "F#initech:01", "publish"},
		{"INSERT", "C#acme", "I#01", ""},
		{"INSERT", "C#acme", "L#01#x", ""},
		{"INSERT", "K#01", "K", ""},
		{"INSERT", "Z#CG#acme#initech", "V#2027-01-01T00:00:00.000Z#000000000001", ""},
		{"INSERT", "Z#CU#acme#initech", "V#initech:01#2027-01-01T00:00:00.000Z#000000000001", ""},
		{"INSERT", "Z#CU#acme#initech", "R#initech:01", ""},
	} {
		for name, match := range readers {
			if got := match(record(c.event, c.pk, c.sk)); got != slices.Contains(strings.Fields(c.want), name) {
				t.Errorf("%s: %s of %s %s: got %v", name, c.event, c.pk, c.sk, got)
			}
		}
	}
}
