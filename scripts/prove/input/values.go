package input

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// raw is JSON as it is sent.
type raw = json.RawMessage

func quoted(s string) raw {
	b, err := json.Marshal(s)
	if err != nil {
		return raw(`""`)
	}
	return b
}

// odd are texts that have broken programs before.
func odd() []string {
	return []string{
		"", " ", "\t", "a\r\nb", "Kim\r\nBcc: eve@elsewhere.example", "a\nb", "\x00", "a\x00b", "\x7f", "\u0085", "\u2028", "\u2029", "\ufeffKim",
		"Ki\u00adm", "\u202egnp.exe",
		"\u2066a\u2069", "e\u0301", "\u00e9", "\ud7ff", "\uffff", "\U0010ffff", "\U0001f469\u200d\U0001f4bb", "\u0130stanbul", "\u0131", "\u212a",
		"\uff41\uff43\uff4d\uff45", "\u0430cme", "stra\u00dfe",
		"#", "a#b", "P#contoso", "T#", "acme#G#contoso", "contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV", "contoso:", ":", "a:b:c", "..", ".", "../acme",
		"/", "a/b", "%2F", "%00", "%", "acme%23", "\\", "\"", "'",
		"' OR 1=1 --", "{{7*7}}", "${jndi:ldap://x}", "<script>alert(1)</script>", "=1+1", "-1", "0", "null", "true", "[]", "{}", "NaN", "*", "?",
		"a,b", "a|b", "~", "acme~01J9Z3NDEKTSV4RRFFQ69G5FAV~x",
		strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("\U0001f600", 200),
		strings.Repeat("\U0001f600", 201), strings.Repeat("\u0301", 300),
		strings.Repeat("x", 1000), strings.Repeat("x", 1001), strings.Repeat("x", 2049), strings.Repeat("y", 20000),
		"kim@contoso.example", "KIM@CONTOSO.EXAMPLE", "kim@contoso", "kim@", "@contoso.example", "kim@@contoso.example",
		"k\u0131m@contoso.example", "kim@c\u00f6ntoso.example", "kim@contoso.example.",
		"\"kim x\"@contoso.example", "kim@[127.0.0.1]", strings.Repeat("k", 65) + "@contoso.example",
		"k@" + strings.Repeat("c", 250) + ".example",
		"2027-03-01", "2027-03-01T00:00:00", "2027-02-30T00:00:00Z", "2027-03-01T24:00:00Z", "2027-03-01T23:59:60Z", "2027-03-01t00:00:00z",
		"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
		"10000-01-01T00:00:00Z", "2027-03-01T00:00:00.0001Z", "2027-03-01T00:00:00,5Z", "2027-03-01T00:00:00+99:99", "1969-12-31T23:59:59Z",
		"now", "P1D",
		"+4930123456", "+49 30 123456", "+0", "+" + strings.Repeat("1", 16), "support", "Support", "suppor\u0442", "open", "suspended",
	}
}

// oddJSON are values of every type, at the ends of what they can be.
func oddJSON() []raw {
	return []raw{
		raw("null"), raw("true"), raw("false"), raw("0"), raw("-0"), raw("1"), raw("-1"), raw("1.5"), raw("31"), raw("1e2"), raw("1E400"),
		raw("-1e400"), raw("1e-400"),
		raw("9007199254740993"), raw("9223372036854775808"), raw("-9223372036854775809"), raw(strings.Repeat("9", 400)),
		raw("0." + strings.Repeat("3", 400)), raw("{}"), raw("[]"),
		raw(`{"a":1}`), raw(`[null]`), raw(`[1]`), raw(`[""]`), raw(`[[]]`), raw(`[{}]`), raw(`{"":null}`), raw(`"\ud800"`),
		raw(`"\udc00\ud800"`), raw(`"\u0000"`),
		raw(strings.Repeat("[", 100) + strings.Repeat("]", 100)), raw(strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)),
	}
}

// wrong are values that the schema does not allow; none when it allows everything.
func wrong(s *openapi3.Schema, r *rand.Rand) []raw {
	if s == nil {
		return nil
	}
	var out []raw
	is := func(t string) bool { return s.Type != nil && s.Type.Is(t) || s.Type != nil && s.Type.Includes(t) }
	for _, v := range []struct {
		kind  string
		value raw
	}{
		{"string", quoted("7")},
		{"integer", raw("7")},
		{"integer", raw("-7")},
		{"number", raw("1.5")},
		{"boolean", raw("true")},
		{"boolean", raw("false")},
		{"array", raw("[]")},
		{"array", raw(`["a"]`)},
		{"object", raw("{}")},
		{"object", raw(`{"a":1}`)},
		{"null", raw("null")},
	} {
		if s.Type != nil && !is(v.kind) && !(v.kind == "integer" && is("number")) {
			out = append(out, v.value)
		}
	}
	if len(s.Enum) > 0 {
		first, _ := s.Enum[0].(string)
		for _, no := range []string{"", "no_such", first + " ", strings.ToUpper(first), " " + first, first + "\x00"} {
			out = append(out, quoted(no))
		}
	}
	if s.Pattern != "" {
		for _, no := range []string{"", "#", " ", "a b", "\u00e4", "a/../b", "\x00"} {
			out = append(out, quoted(no))
		}
	}
	if s.MaxLength != nil {
		tooMany := int(*s.MaxLength) + 1 //nolint:gosec // small
		out = append(out, quoted(strings.Repeat("x", tooMany)), quoted(strings.Repeat("\U0001f600", tooMany)))
	}
	if s.MinLength > 0 {
		out = append(out, quoted(strings.Repeat("x", int(s.MinLength)-1))) //nolint:gosec // small
	}
	if s.Format == "date-time" {
		for _, no := range []string{"", "soon", "2027-03-01", "2027-02-30T00:00:00Z", "2027-03-01T00:00:00", "10000-01-01T00:00:00Z"} {
			out = append(out, quoted(no))
		}
	}
	if s.Min != nil {
		out = append(out, raw(strconv.FormatFloat(*s.Min-1, 'f', -1, 64)))
	}
	if s.Max != nil {
		out = append(out, raw(strconv.FormatFloat(*s.Max+1, 'f', -1, 64)), raw("1e400"), raw("9223372036854775808"))
	}
	if s.MaxItems != nil && s.Items != nil && r.IntN(4) == 0 {
		item := raw(`"contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV"`)
		if strings.Contains(s.Items.Value.Pattern, "@") {
			item = raw(`"kim@contoso.example"`)
		}
		if s.Items.Value.Type != nil && s.Items.Value.Type.Is("object") {
			item = raw(`{}`)
		}
		out = append(out, raw("["+strings.Repeat(string(item)+",", int(*s.MaxItems))+string(item)+"]")) //nolint:gosec // small
	}
	return out
}

// member is a place in a body.
type member struct {
	path   []string
	schema *openapi3.Schema
	there  bool // in the body that is broken
}

func (m member) pointer() string {
	var b strings.Builder
	for _, p := range m.path {
		b.WriteString("/")
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	return b.String()
}

// members are the places of a body that its schema knows.
func members(s *openapi3.Schema, body any, path []string) []member {
	var out []member
	if s == nil {
		return nil
	}
	switch v := body.(type) {
	case map[string]any:
		for name, p := range properties(s) {
			value, there := v[name]
			at := append(append([]string(nil), path...), name)
			out = append(out, member{at, p, there})
			if there {
				out = append(out, members(p, value, at)...)
			}
		}
	case []any:
		if s.Items == nil {
			return out
		}
		for i, value := range v {
			at := append(append([]string(nil), path...), strconv.Itoa(i))
			out = append(out, member{at, s.Items.Value, true})
			out = append(out, members(s.Items.Value, value, at)...)
		}
	}
	return out
}

// properties are those of an object, in whichever of its forms.
func properties(s *openapi3.Schema) map[string]*openapi3.Schema {
	out := map[string]*openapi3.Schema{}
	for name, p := range s.Properties {
		out[name] = p.Value
	}
	for _, list := range []openapi3.SchemaRefs{s.AnyOf, s.OneOf, s.AllOf} {
		for _, other := range list {
			for name, p := range properties(other.Value) {
				out[name] = p
			}
		}
	}
	return out
}

// with is the body with another value at a place; nil takes it out.
func with(body any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	switch v := body.(type) {
	case map[string]any:
		out := make(map[string]any, len(v)+1)
		for name, old := range v {
			out[name] = old
		}
		if value == nil && len(path) == 1 {
			delete(out, path[0])
			return out
		}
		below, there := out[path[0]]
		if !there {
			below = map[string]any{}
		}
		out[path[0]] = with(below, path[1:], value)
		return out
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i >= len(v) {
			return v
		}
		out := append([]any(nil), v...)
		out[i] = with(out[i], path[1:], value)
		return out
	}
	return body
}
