package dynamo

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func scan(text string) *scanner {
	s := &scanner{}
	s.body.WriteString(text)
	s.start()
	return s
}

func TestTheScannerReadsItemsLikeTheSDK(t *testing.T) {
	s := scan(` { "a" : {"S":"plain"}, "b":{"S":"q\"\\\u00e9\ud83d\ude00\/"},"c":{"N":"-1.5"},"d":{"BOOL":true},"e":{"BOOL":false},
		"f":{"L":[{"S":"x"},{"S":""}]},"g":{"M":{"x":{"S":"}"}}},"h":{"NULL":true},"i":{"SS":["]","\""]},"j":{"L":[]},"k":{"B":"AAEC"},"":{"S":""}}`)
	got, err := s.item()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]attr{
		"a": {name: "a", text: "plain"}, "b": {name: "b", text: "q\"\\é😀/"}, "c": {name: "c", text: "-1.5"}, "d": {name: "d", text: "1"},
		"e": {name: "e"}, "f": {name: "f", list: []string{"x", ""}}, "j": {name: "j"}, "": {},
	}
	for _, a := range got.attrs {
		if !reflect.DeepEqual(a, want[a.name]) {
			t.Errorf("got %+v, want %+v", a, want[a.name])
		}
	}
	if len(got.attrs) != len(want) {
		t.Errorf("got %d attributes, want %d", len(got.attrs), len(want))
	}
}

func TestKeysSurviveTheWire(t *testing.T) {
	for _, k := range []Key{{"P#contoso", "P"}, {`C#"\`, "M#é@x"}, {"\x00\n\u2028", "😀"}} {
		got, err := scan(string(appendKey(nil, k))).key()
		if got != k || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, k)
		}
	}
}

// FuzzScanner asks that whatever encoding/json can read as an item is read the same, and that nothing makes the scanner panic or
// run on.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		`{"a":{"S":"x"}}`, `{"a":{"S":"\\\""},"b":{"N":"1"}}`, `{"a":{"BOOL":true}}`, `{"a":{"L":[{"S":"x"}]}}`, `{"a":{"M":{"b":{"S":"x"}}}}`,
		`{"a":{"S":"`, `{`, ``, `{"a":{"X":[1,2.5e3,{"b":null}]}}`, `{"a":{"X":}}`, `{"a":{"X":]}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := scan(text).item()
		var as map[string]map[string]any
		if json.Unmarshal([]byte(text), &as) != nil || err != nil || !utf8.ValidString(text) || as == nil {
			return
		}
		sdk := map[string]types.AttributeValue{}
		for name, v := range as {
			if s, ok := v["S"].(string); ok && len(v) == 1 {
				sdk[name] = str(s)
			}
		}
		want := fromSDK(sdk)
		for _, a := range want.attrs {
			if strings.Count(text, `:`) != 2*len(as) || strings.Contains(text, `\ud`) || strings.Contains(text, `\uD`) {
				continue // repeated names, of which the scanner keeps the first, and halves of surrogate pairs
			}
			if g := got.find(a.name); g == nil || g.text != a.text {
				t.Errorf("%s: got %+v, want %+v", text, g, a)
			}
		}
	})
}
