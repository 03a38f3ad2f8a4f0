package input

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// caller is who sends a request: the one who may, so that it is not refused before it is read.
type caller int

const (
	anonymous caller = iota
	provider
	backend
	admin // of acme
	owner // of contoso
	callers
)

// operation is one of the contract, with good bodies.
type operation struct {
	method, path string
	op           *openapi3.Operation
	params       openapi3.Parameters
	schema       *openapi3.Schema // of the body; nil: there is none
	good         []any            // bodies
	by           caller
}

func (o *operation) key() string { return o.method + " " + o.path }

// operations are all of the contract, in an order that does not change.
func operations(doc *openapi3.T) []*operation {
	var out []*operation
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			o := &operation{
				method: method, path: path, op: op, params: append(append(openapi3.Parameters{}, item.Parameters...), op.Parameters...),
				by: whoMay(method, path, op),
			}
			if op.RequestBody != nil {
				m := op.RequestBody.Value.Content.Get("application/json")
				o.schema = m.Schema.Value
				if m.Example != nil {
					o.good = append(o.good, m.Example)
				}
				names := make([]string, 0, len(m.Examples))
				for name := range m.Examples {
					names = append(names, name)
				}
				slices.Sort(names)
				for _, name := range names {
					o.good = append(o.good, m.Examples[name].Value.Value)
				}
			}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *operation) int { return strings.Compare(a.key(), b.key()) })
	return out
}

func whoMay(method, path string, op *openapi3.Operation) caller {
	if op.Security != nil {
		if len(*op.Security) == 0 {
			return anonymous
		}
		return provider
	}
	switch {
	case strings.HasPrefix(path, "/access/"):
		return backend
	case method == "GET" && !strings.HasSuffix(path, "/account"), strings.HasPrefix(path, "/v1/partners/{partner}/users"),
		strings.HasSuffix(path, "/mail/{mail}/resend"):
		return provider
	case strings.HasPrefix(path, "/v1/customers/{customer}"):
		return admin
	}
	return owner
}

// request is what is sent.
type request struct {
	op      *operation
	by      caller
	values  map[string]string // of the path, unescaped
	query   string            // raw
	header  map[string]string
	body    []byte
	hasBody bool

	what    string // was done to it
	broken  string // the pointer of the one member that was broken, when it is one
	one     bool   // that exactly one was
	added   bool   // which was not there before
	missing bool   // it was taken out
	must    bool   // be refused, whatever the schema says
}

func (r *request) path(escape func(string) string) string {
	parts := strings.Split(r.op.path, "/")
	for i, p := range parts {
		if name, is := strings.CutPrefix(p, "{"); is {
			parts[i] = escape(r.values[strings.TrimSuffix(name, "}")])
		}
	}
	return strings.Join(parts, "/")
}

// target is what stands behind the method.
func (r *request) target() string {
	t := r.path(url.PathEscape)
	if r.query != "" {
		t += "?" + r.query
	}
	return t
}

// generator makes requests up.
type generator struct {
	ops   []*operation
	names map[string]string // what good path parameters are
	odd   []string
	json  []raw
}

// request is the n-th request of a seed.
func (g *generator) request(seed, n uint64) *request {
	r := rand.New(rand.NewPCG(seed, n)) //nolint:gosec // to choose with
	o := g.ops[r.IntN(len(g.ops))]
	if o.schema == nil && r.IntN(3) > 0 { // there is more to break where there is a body
		o = g.ops[r.IntN(len(g.ops))]
	}
	q := &request{op: o, by: o.by, values: map[string]string{}, header: map[string]string{"X-Request-ID": "n-" + strconv.FormatUint(n, 10)}}
	for name, value := range g.names {
		q.values[name] = value
	}
	if strings.HasPrefix(o.key(), "DELETE") || o.path == "/v1/partners/{partner}/users/{user}/password" { // what is there stays there
		q.values["partner"], q.values["user"], q.values["email"] = "nobody", "nobody:01J9Z3NDEKTSV4RRFFQ69G5FAV", "nobody@nowhere.example"
		if o.by == provider {
			q.values["customer"] = "nowhere"
		}
	}
	for _, p := range o.params {
		if p.Value.Name == "If-Match" {
			q.header["If-Match"] = "*"
		}
	}
	var good any
	if o.schema != nil {
		good = o.good[r.IntN(len(o.good))]
		q.hasBody = true
		q.header["Content-Type"] = "application/json"
		q.body = encoded(good)
	}
	switch n := r.IntN(10); {
	case o.schema != nil && n < 5:
		g.breakOne(q, good, r)
	case o.schema != nil && n < 7:
		g.breakText(q, good, r)
	case o.schema != nil && n < 8:
		g.breakMany(q, good, r)
	default:
		g.breakAround(q, r)
	}
	return q
}

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return b
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// breakOne breaks one member of a good body.
func (g *generator) breakOne(q *request, good any, r *rand.Rand) {
	all := members(q.op.schema, good, nil)
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.pointer(), b.pointer()) })
	q.one = true
	if len(all) == 0 || r.IntN(12) == 0 {
		name := pick(r, []string{"no_such_member", "", "Partner", "users ", "__proto__", "a/b", "a~b", "\u00e4", "#", strings.Repeat("m", 300)})
		q.what, q.added, q.broken = "unknown member", true, member{path: []string{name}}.pointer()
		q.must = !strings.HasPrefix(q.op.path, "/access/")
		q.body = encoded(with(good, []string{name}, pick(r, g.json)))
		return
	}
	m := pick(r, all)
	q.broken, q.added = m.pointer(), !m.there
	switch n := r.IntN(12); {
	case n == 0 && m.there && len(m.path) == 1:
		q.what, q.missing = "missing", true
		q.body = encoded(with(good, m.path, nil))
	case n == 1 && m.there && len(m.path) == 1: // twice
		q.what, q.must = "twice", true
		text := string(encoded(good))
		q.body = []byte("{" + string(quoted(m.path[0])) + ":" + string(encoded(good.(map[string]any)[m.path[0]])) + "," + text[1:])
	case n < 5:
		q.what = "odd text"
		q.body = encoded(with(good, m.path, quoted(pick(r, g.odd))))
	case n < 7:
		q.what = "odd value"
		q.body = encoded(with(good, m.path, pick(r, g.json)))
	default:
		q.what = "against its schema"
		values := wrong(m.schema, r)
		if len(values) == 0 {
			values = g.json
		}
		q.body = encoded(with(good, m.path, pick(r, values)))
	}
}

// breakMany breaks several members.
func (g *generator) breakMany(q *request, good any, r *rand.Rand) {
	q.what = "several members"
	all := members(q.op.schema, good, nil)
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.pointer(), b.pointer()) })
	for range 2 + r.IntN(5) {
		if len(all) == 0 {
			break
		}
		m := pick(r, all)
		var v any = quoted(pick(r, g.odd))
		switch r.IntN(4) {
		case 0:
			v = pick(r, g.json)
		case 1:
			v = nil
		case 2:
			if values := wrong(m.schema, r); len(values) > 0 {
				v = pick(r, values)
			}
		}
		good = with(good, m.path, v)
	}
	q.body = encoded(good)
}

// breakText breaks the JSON itself.
func (g *generator) breakText(q *request, good any, r *rand.Rand) {
	text := encoded(good)
	cut := func() int { return r.IntN(len(text) + 1) }
	insert := func(s string) []byte { i := cut(); return slices.Concat(text[:i], []byte(s), text[i:]) }
	deep := 1 << (4 + r.IntN(11))
	switch r.IntN(16) {
	case 0:
		q.what, q.body, q.must = "cut off", text[:r.IntN(len(text))], true
	case 1:
		q.what, q.body, q.must = "something behind", append(slices.Clone(text),
			pick(r, []string{"x", "{}", ",", "]", "}", "\x00", "null"})...), true
	case 2:
		q.what, q.body = "a byte that is not UTF-8", insert(pick(r, []string{"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}))
	case 3:
		q.what, q.body, q.must = "deep arrays", []byte(strings.Repeat("[", deep)), true
	case 4:
		q.what, q.body, q.must = "deep objects", []byte(strings.Repeat(`{"users":`, min(deep, 7000))+"1"+
			strings.Repeat("}", min(deep, 7000))), true
	case 5:
		q.what, q.body = "a byte of another value", slices.Clone(text)
		q.body[r.IntN(len(text))] = byte(r.IntN(256))
	case 6:
		q.what, q.body, q.must = "too large", []byte(`{"note":"`+strings.Repeat("x", 65536)+`"}`), true
	case 7:
		q.what, q.body = "as large as can be", append(slices.Clone(text), strings.Repeat(" ", 65536-len(text))...)
	case 8:
		q.what, q.body, q.must = "many members", manyMembers(), true
		q.must = !strings.HasPrefix(q.op.path, "/access/")
	case 9:
		q.what, q.body, q.must = "no object", pick(r, g.json), false
	case 10:
		q.what, q.body, q.must = "a byte order mark", append([]byte("\xef\xbb\xbf"), text...), true
	case 11:
		q.what, q.body = "UTF-16", utf16(text)
		q.must = true
	case 12:
		q.what, q.body, q.must = "no JSON", []byte(
			pick(r, []string{
				"a=b&c=d", "<a/>", "undefined", "NaN", "{a:1}", "{'a':1}", "{\"a\":1,}", "// x\n{}",
				"\x1f\x8b\x08\x00", "%PDF", "-", "\"", "{",
			})), true
	case 13:
		q.what, q.body = "nothing", nil
		q.must = q.op.op.RequestBody.Value.Required
	case 14:
		q.what, q.body = "spaces everywhere", []byte(strings.ReplaceAll(string(text), ",", " ,\r\n\t "))
	default:
		q.what, q.body = "random bytes", make([]byte, r.IntN(300))
		for i := range q.body {
			q.body[i] = byte(r.IntN(256))
		}
	}
}

func manyMembers() []byte {
	var b strings.Builder
	b.WriteString("{")
	for i := range 3000 {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(`"m` + strconv.Itoa(i) + `":1`)
	}
	b.WriteString("}")
	return []byte(b.String())
}

func utf16(text []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, c := range text {
		out = append(out, c, 0)
	}
	return out
}

// breakAround breaks what stands around the body: the path, the query, the headers, who asks.
func (g *generator) breakAround(q *request, r *rand.Rand) {
	var inPath []string
	for _, p := range q.op.params {
		if p.Value.In == "path" {
			inPath = append(inPath, p.Value.Name)
		}
	}
	safe := func(s string) string { // what HTTP itself lets through
		return strings.Map(func(c rune) rune {
			if c < ' ' && c != '\t' || c == 0x7f {
				return -1
			}
			return c
		}, s)
	}
	switch n := r.IntN(8); {
	case n < 3 && len(inPath) > 0:
		name := pick(r, inPath)
		q.what, q.values[name] = "path: "+name, pick(r, g.odd)
		if q.values[name] == "" {
			q.values[name] = "\u0000"
		}
	case n == 3:
		q.what, q.query = "query", rawQuery(r, g.odd)
	case n == 4:
		q.what, q.header["If-Match"] = "If-Match", safe(
			pick(r, append(g.odd, `"1"`, `"0"`, `W/"1"`, `"1", "2"`, `"99999999999999999999"`, `"-1"`, `""`)))
	case n == 5:
		q.what, q.header["Idempotency-Key"] = "Idempotency-Key", safe(pick(r, append(g.odd, "k1", "k1", strings.Repeat("k", 256))))
	case n == 6:
		q.what, q.header["Content-Type"] = "Content-Type", safe(
			pick(r, []string{
				"", "text/plain", "application/json; charset=latin1", "application/JSON", "multipart/form-data; boundary=x",
				"application/x-www-form-urlencoded", "a", ";", "application/json;", "application/json; a",
				"application/problem+json", strings.Repeat("a/", 500),
			}))
	default:
		q.what, q.by = "caller", caller(r.IntN(int(callers)))
		q.header["X-Request-ID"] = safe(pick(r, g.odd))
	}
}

func rawQuery(r *rand.Rand, odd []string) string {
	if r.IntN(6) == 0 {
		return pick(r,
			[]string{
				"%", "%zz", "a;b", "&&&", "=", "==", "?", "limit", "limit=1&limit=2", "cursor=%00", "limit=1;cursor=2", "\u00e4",
				strings.Repeat("a=1&", 500),
			})
	}
	var parts []string
	for range 1 + r.IntN(3) {
		name := pick(r, []string{"limit", "cursor", "q", "status", "type", "from", "until", "no_such", "Limit", "limit[]", ""})
		value := pick(r, odd)
		if r.IntN(3) == 0 {
			value = pick(r,
				[]string{"0", "1", "100", "101", "-1", "1e2", "9223372036854775808", "active", "active,ended", "grant.created", "2027-03-01T00:00:00Z"})
		}
		parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(value))
	}
	return strings.Join(parts, "&")
}
