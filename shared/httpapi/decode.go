package httpapi

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
)

// opt is a member of a JSON object that may be absent, or null, or a value.
type opt[T any] struct {
	Given bool
	Null  bool
	Value T
}

// UnmarshalJSONFrom is called only for members that are there.
func (o *opt[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	o.Given = true
	if d.PeekKind() == 'n' {
		o.Null = true
		_, err := d.ReadToken()
		return err
	}
	return json.UnmarshalDecode(d, &o.Value)
}

// has returns whether there is a value.
func (o opt[T]) has() bool { return o.Given && !o.Null }

// decodeBody reads a request's body strictly (RFC 8259, RFC 7493): one JSON object, no unknown member, none twice, nothing after it, every
// value of its type. An error has a pointer to what is wrong.
func decodeBody(r *apigateway.Request, into any) error {
	if ct := r.Header("content-type"); ct != "" || len(r.Body) > 0 {
		media, _, err := mime.ParseMediaType(ct)
		if err != nil || media != "application/json" {
			return access.Refuse(unsupportedMediaType, "the body has to be JSON: send Content-Type: application/json")
		}
	}
	if len(r.Body) == 0 {
		return access.Refuse(access.Invalid, "the request needs a body: a JSON object")
	}
	return decodeObject(r.Body, into)
}

// decodeObject reads one JSON object as decodeBody does.
func decodeObject(text []byte, into any) error {
	if k := jsontext.Value(text).Kind(); k != '{' && k != 0 {
		return access.Refuse(access.Invalid, "the body has to be a JSON object").At("")
	}
	err := json.Unmarshal(text, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic):
		detail := "this is no JSON"
		if errors.Is(err, jsontext.ErrDuplicateName) {
			detail = "this member stands there twice"
		}
		return malformed(syntactic.JSONPointer, detail)
	case errors.As(err, &semantic):
		if errors.Is(err, json.ErrUnknownName) {
			return malformed(semantic.JSONPointer, "this member is unknown")
		}
		if wrong := (*valueError)(nil); errors.As(err, &wrong) {
			return malformed(semantic.JSONPointer, wrong.detail)
		}
		return malformed(semantic.JSONPointer, fmt.Sprintf("this is %s: another type is expected", kindName(semantic.JSONKind)))
	}
	return access.Refuse(access.Invalid, "the body cannot be read as JSON")
}

func malformed(p jsontext.Pointer, detail string) error {
	e := access.Refuse(access.Invalid, "the request's body is malformed")
	e.Fields = []access.Field{{Pointer: string(p), Detail: detail}}
	return e
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "not readable"
}

// valueError says what is wrong with a value of the right type.
type valueError struct{ detail string }

func (e *valueError) Error() string { return e.detail }

// moment is an instant in RFC 3339 with any offset. It is truncated to milliseconds.
type moment struct{ time.Time }

// UnmarshalJSONFrom reads the instant, in UTC.
func (m *moment) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var s string
	if err := json.UnmarshalDecode(d, &s); err != nil {
		return err
	}
	t, err := parseInstant(s)
	m.Time = t
	return err
}

// maxExtension is the longest duration that is taken: ten years.
const maxExtension = 3653 * 24 * time.Hour

// parseDays reads a duration of days or weeks as in ISO 8601 (RFC 3339, appendix A). Months and years differ in length, so there are none;
// a day is 24 hours, as every day in UTC.
func parseDays(s string) (time.Duration, bool) {
	day := 24 * time.Hour
	digits, found := strings.CutSuffix(s, "D")
	if !found {
		digits, found = strings.CutSuffix(s, "W")
		day *= 7
	}
	digits, begun := strings.CutPrefix(digits, "P")
	n, err := strconv.ParseUint(digits, 10, 16)
	d := time.Duration(n) * day //nolint:gosec // 16 bits of days
	return d, found && begun && err == nil && digits[0] != '0' && d <= maxExtension
}

func (f *findings) duration(o opt[string], pointer string) *time.Duration {
	valid := func(s string) bool { _, ok := parseDays(s); return ok }
	text := f.text(o, pointer, "a duration is written in days or weeks, such as P90D or P2W, and has ten years (P3653D) at most", valid)
	if text == nil {
		return nil
	}
	d, _ := parseDays(*text)
	return &d
}

// durationOrNone is a duration that was given, null being 0: none.
func (f *findings) durationOrNone(o opt[string], pointer string) *time.Duration {
	if o.Null {
		return new(time.Duration)
	}
	return f.duration(o, pointer)
}

func parseInstant(s string) (time.Time, error) {
	s = strings.ToUpper(s)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !strictRFC3339(s) {
		return t, &valueError{"an instant is written as in RFC 3339, such as 2027-03-01T00:00:00Z"}
	}
	t = t.UTC().Truncate(time.Millisecond)
	if t.Year() < 1970 || t.Year() > 9999 {
		return t, &valueError{"an instant lies between the years 1970 and 9999"}
	}
	return t, nil
}

// strictRFC3339 refuses what time.Parse and Time.UnmarshalText accept and RFC 3339 does not: T1:00:00Z, a comma before the fraction and
// offsets beyond 23:59 (golang.org/issue/54568, 54580). It expects capitals that time.Parse has accepted.
func strictRFC3339(s string) bool {
	const seconds = len("2006-01-02T15:04:05")
	if len(s) <= seconds || s[len("2006-01-02T15")] != ':' || s[seconds] == ',' {
		return false
	}
	offset, utc := s[len(s)-1:], s[len(s)-1] == 'Z'
	if !utc {
		offset = s[len(s)-len("+02:00"):]
	}
	return utc || offset[1:3] <= "23" && offset[4:6] <= "59"
}

// findings collects everything that is wrong with an input, so that the caller can correct it at once.
type findings struct {
	fields []access.Field
	most   int // users in a list that is longer; 0 = there is none
}

func (f *findings) add(pointer, detail string) {
	f.fields = append(f.fields, access.Field{Pointer: pointer, Detail: detail})
}

func (f *findings) err() error {
	if len(f.fields) == 0 {
		return nil
	}
	e := access.Refuse(access.Invalid, "some of the input cannot be accepted")
	if len(f.fields) == 1 {
		e.Detail = f.fields[0].Detail
		if f.most > 0 {
			e.Code, e.Limit = access.TooManyUsers, f.most
		}
	}
	e.Fields = f.fields
	return e
}

// The methods below return a member's value, nil when it is absent or wrong; what is wrong is added to the findings.

func (f *findings) text(o opt[string], pointer, detail string, valid func(string) bool) *string {
	if !o.Given {
		return nil
	}
	if o.Null || !valid(o.Value) {
		f.add(pointer, detail)
		return nil
	}
	return &o.Value
}

// textOrNone is text that null removes: "" then. An empty text is refused.
func (f *findings) textOrNone(o opt[string], pointer, detail string, valid func(string) bool) *string {
	if o.Null {
		return new("")
	}
	return f.text(o, pointer, detail, valid)
}

func (f *findings) name(o opt[string], pointer string) *string {
	return f.text(o, pointer, nameHelp, access.ValidName)
}

const nameHelp = "a name has 1 to 200 characters that can be seen, on one line, without control characters, characters that are shown as " +
	"nothing, or spaces at its ends"

func (f *findings) note(o opt[string], pointer string) *string {
	if o.Null {
		o = opt[string]{Given: true}
	}
	return f.text(o, pointer, "a note has at most 1000 characters and no control characters but line feeds", access.ValidNote)
}

func (f *findings) message(o opt[string], pointer string) *string {
	if o.Null {
		o = opt[string]{Given: true}
	}
	return f.text(o, pointer, "a message has at most 1000 characters and no control characters but line feeds", access.ValidNote)
}

func (f *findings) level(o opt[string], pointer string) *access.Level {
	s := f.text(o, pointer, "a level is none, view, support or manage", func(s string) bool { _, ok := access.ParseLevel(s); return ok })
	if s == nil {
		return nil
	}
	l, _ := access.ParseLevel(*s)
	return &l
}

// maxCaps is how many caps one request may change.
const maxCaps = 20

// caps reads levels by address; null lifts a cap.
func (f *findings) caps(o opt[map[string]opt[string]], pointer string) map[string]*access.Level {
	if !o.Given {
		return nil
	}
	if o.Null {
		f.add(pointer, "this is an object of levels by address: leave it out to keep the caps, give null for an address to lift its cap")
		return nil
	}
	if len(o.Value) > maxCaps {
		f.add(pointer, fmt.Sprintf("at most %d caps in one request: use several", maxCaps))
		return nil
	}
	out := make(map[string]*access.Level, len(o.Value))
	for _, name := range slices.Sorted(maps.Keys(o.Value)) {
		at := string(jsontext.Pointer(pointer).AppendToken(name))
		address, ok := access.ParseEmail(name)
		if !ok {
			f.add(at, emailHelp)
			continue
		}
		if _, twice := out[address]; twice {
			f.add(at, "this address stands there twice")
			continue
		}
		out[address] = nil
		if level := o.Value[name]; !level.Null {
			out[address] = f.level(level, at)
		}
	}
	return out
}

func (f *findings) flag(o opt[bool], pointer string) *bool {
	if !o.Given {
		return nil
	}
	if o.Null {
		f.add(pointer, "this is true or false: leave it out to keep it as it is")
		return nil
	}
	return &o.Value
}

func (f *findings) email(o opt[string], pointer string) *string {
	s := f.text(o, pointer, emailHelp, func(s string) bool { _, ok := access.ParseEmail(s); return ok })
	if s == nil {
		return nil
	}
	e, _ := access.ParseEmail(*s)
	return &e
}

const emailHelp = "this is no e-mail address: write it plainly, such as kim@contoso.example, without / and ?; only the domain may be " +
	"international"

// domain reads a domain; null is none: "" then.
func (f *findings) domain(o opt[string], pointer string) *string {
	s := f.textOrNone(o, pointer, "a domain is written such as acme.example or b\u00fccher.example; null for none",
		func(s string) bool { _, ok := access.ParseDomain(s); return ok })
	if s == nil || *s == "" {
		return s
	}
	d, _ := access.ParseDomain(*s)
	return &d
}

// contacts reads a list of addresses: lower case, each once.
func (f *findings) contacts(o opt[[]string], pointer string) *[]string {
	if !o.Given {
		return nil
	}
	if o.Null {
		f.add(pointer, "this is a list of addresses: leave it out to keep it, give an empty one for none")
		return nil
	}
	if len(o.Value) > access.MaxContacts {
		f.add(pointer, fmt.Sprintf("at most %d addresses", access.MaxContacts))
		return nil
	}
	out := make([]string, 0, len(o.Value))
	seen := map[string]bool{}
	for i, s := range o.Value {
		e, ok := access.ParseEmail(s)
		if !ok {
			f.add(fmt.Sprintf("%s/%d", pointer, i), emailHelp)
			continue
		}
		if !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return &out
}

// domains reads a list of domains: sorted, lower case, each once.
func (f *findings) domains(o opt[[]string], pointer string) *[]string {
	if !o.Given {
		return nil
	}
	if o.Null {
		f.add(pointer, "this is a list of domains: leave it out to keep it, give an empty one for none")
		return nil
	}
	if len(o.Value) > access.MaxDomains {
		f.add(pointer, fmt.Sprintf("at most %d domains", access.MaxDomains))
		return nil
	}
	out := make([]string, 0, len(o.Value))
	for i, s := range o.Value {
		d, ok := access.ParseDomain(s)
		if !ok {
			f.add(fmt.Sprintf("%s/%d", pointer, i), "a domain is written such as contoso.example or b\u00fccher.example")
			continue
		}
		out = append(out, d)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return &out
}

// number is a whole number from 1 to most; what is left out is as given.
func (f *findings) number(o opt[int], pointer string, otherwise, most int) int {
	if !o.Given {
		return otherwise
	}
	if o.Null || o.Value < 1 || o.Value > most {
		f.add(pointer, fmt.Sprintf("this is a number from 1 to %d", most))
		return otherwise
	}
	return o.Value
}

// users reads a list of at most so many users' ids: each once.
func (f *findings) users(o opt[[]string], pointer string, most int) *[]string {
	if !o.Given {
		return nil
	}
	if o.Null {
		f.add(pointer, "this is a list of users' ids: leave it out to change nobody")
		return nil
	}
	if len(o.Value) > most {
		f.most = most
		f.add(pointer, fmt.Sprintf("at most %d users in one request: use several, or everyone", most))
		return nil
	}
	out := make([]string, 0, len(o.Value))
	seen := map[string]bool{}
	for i, s := range o.Value {
		if !access.ValidUserID(s) {
			f.add(fmt.Sprintf("%s/%d", pointer, i), "this is no user's id, such as contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV")
			continue
		}
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return &out
}

func oneOf[T ~string](f *findings, o opt[string], pointer string, values ...T) *T {
	if !o.Given {
		return nil
	}
	names := make([]string, len(values))
	for i, v := range values {
		if o.has() && o.Value == string(v) {
			return &v
		}
		names[i] = string(v)
	}
	f.add(pointer, "this is one of: "+strings.Join(names, ", "))
	return nil
}
