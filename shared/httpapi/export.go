package httpapi

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"maps"
	"mime"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
)

// A list whose route says exported is also given as CSV (RFC 4180) or as JSON Lines, a page at a time. The first page of CSV begins with
// the columns' names, and the last line of the last page says how many rows there are: the pages of an export, one after the other, are one
// file, and a file without that line is not whole. The endpoints know nothing of it.

// exportFormat is how a list is given.
type exportFormat struct{ name, media string }

// exportFormats are all of them. The first is what a list is without asking.
func exportFormats() []exportFormat {
	return []exportFormat{
		{"json", "application/json"}, {"csv", "text/csv"}, {"jsonl", "application/jsonl"}, {"jsonl", "application/x-ndjson"},
	}
}

// export says how one page is to be given.
type export struct {
	format string         // csv or jsonl
	zone   *time.Location // in which instants are given, too; nil = in UTC alone
	rows   int            // on the pages before
	first  bool
	next   url.Values // of the next page, but for its cursor
}

// takeExport takes format, tz and the number of rows before out of the query. It returns nil when the list is to be JSON as ever.
func takeExport(r *apigateway.Request) (*export, error) {
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil { // which pageAsk refuses
		return nil, nil //nolint:nilerr // see above
	}
	e, err := readExport(q, r.Header("accept"))
	if err != nil {
		return nil, err
	}
	e.next = maps.Clone(q)
	q.Del("format")
	q.Del("tz")
	if e.format == "json" {
		r.RawQuery = q.Encode()
		return nil, nil
	}
	if !q.Has("limit") {
		q.Set("limit", strconv.Itoa(maxLimit))
	}
	err = e.continues(q)
	r.RawQuery = q.Encode()
	return e, err
}

// readExport reads format and tz. Format goes before the header Accept.
func readExport(q url.Values, accept string) (*export, error) {
	var f findings
	for _, name := range []string{"format", "tz"} {
		if len(q[name]) > 1 {
			f.add("?"+name, "this parameter stands there twice")
		}
	}
	e := &export{format: accepted(accept)}
	if q.Has("format") {
		e.format = q.Get("format")
	}
	if !slices.ContainsFunc(exportFormats(), func(of exportFormat) bool { return of.name == e.format }) {
		f.add("?format", "format is csv, jsonl or json")
	}
	switch {
	case !q.Has("tz"):
	case e.format == "json":
		f.add("?tz", "tz goes with format=csv or format=jsonl: JSON has instants in UTC")
	default:
		if e.zone = zoneOf(q.Get("tz")); e.zone == nil {
			f.add("?tz", "tz is a time zone of the IANA database, such as Europe/Berlin")
		}
	}
	return e, f.err()
}

// continues takes the number of rows on the pages before out of the cursor. A number that was made up is told back to who made it up.
func (e *export) continues(q url.Values) error {
	c, rows, counted := strings.Cut(q.Get("cursor"), ".")
	e.first = c == ""
	if !counted {
		return nil
	}
	n, err := strconv.ParseUint(rows, 10, 31)
	if err != nil {
		return access.Refuse(access.Invalid, "this cursor belongs to another list or filter, or is none: start again without it").At("?cursor")
	}
	e.rows = int(n)
	q.Set("cursor", c)
	return nil
}

// zoneOf returns a zone of the IANA database; nil when there is none of that name.
func zoneOf(name string) *time.Location {
	if name == "" || name == "Local" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// accepted returns the format that the header Accept prefers (RFC 9110, 12.5.1), json when it names none of them.
func accepted(header string) string {
	best, most := "json", 0.0
	for _, text := range strings.Split(header, ",") {
		media, params, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			weight = q
		}
		for _, f := range exportFormats() {
			if weight > most && (f.media == media || f.name == "json" && (media == "*/*" || media == "application/*")) {
				best, most = f.name, weight
			}
		}
	}
	return best
}

// fileName is how an exported list is called when it is saved, without the format: acme-grants-2027-03-01.
func fileName(r *apigateway.Request, now time.Time) string {
	_, list, _ := strings.Cut(r.RouteKey, "}/")
	list = strings.NewReplacer("/", "-", "{job}", r.PathValue("job")).Replace(list)
	// The routes that export name an organisation, or a job of the provider's.
	organisation := cmp.Or(r.PathValue("customer")+r.PathValue("partner"), r.PathValue("job"))
	return organisation + "-" + list + "-" + now.Format("2006-01-02")
}

// exportable is the answer with a page of a list.
type exportable interface {
	// table returns the type of the items, the items, the cursor of the next page; nil at the end; and of which past they are; nil = of now.
	table() (reflect.Type, []reflect.Value, *string, *PastView)
}

func (l listView[T]) table() (reflect.Type, []reflect.Value, *string, *PastView) {
	return reflect.TypeFor[T](), valuesOf(l.Items), l.NextCursor, nil
}

func (l countedListView[T]) table() (reflect.Type, []reflect.Value, *string, *PastView) {
	return reflect.TypeFor[T](), valuesOf(l.Items), l.NextCursor, l.PastView
}

func valuesOf[T any](items []T) []reflect.Value {
	out := make([]reflect.Value, len(items))
	for i := range items {
		out[i] = reflect.ValueOf(&items[i]).Elem()
	}
	return out
}

// encode gives a page in the export's format, with the headers that go with it. The path is the request's, for the link to the next page.
func (e *export) encode(list exportable, path, file string) ([]byte, map[string]string, error) {
	of, items, next, past := list.table()
	rows := e.rows + len(items)
	header := map[string]string{"Content-Disposition": `attachment; filename="` + file + "." + e.format + `"`}
	if next != nil {
		e.next.Set("format", e.format)
		e.next.Set("cursor", *next+"."+strconv.Itoa(rows))
		header["Link"] = "<" + path + "?" + e.next.Encode() + `>; rel="next"`
	}
	var b bytes.Buffer
	if e.format == "jsonl" {
		header["Content-Type"] = "application/jsonl"
		err := e.lines(&b, of, items, next == nil, rows, past)
		return b.Bytes(), header, err
	}
	header["Content-Type"] = "text/csv; charset=utf-8"
	err := e.csv(&b, of, items, next == nil, rows, past)
	return b.Bytes(), header, err
}

func (e *export) csv(b *bytes.Buffer, of reflect.Type, items []reflect.Value, last bool, rows int, past *PastView) error {
	columns := columnsOf(of)
	w := csv.NewWriter(b)
	w.UseCRLF = true // RFC 4180
	var record []string
	write := func() {
		_ = w.Write(record) // to a buffer; Error tells of everything
		record = record[:0]
	}
	if e.first {
		for _, c := range columns {
			if record = append(record, c.name); c.instant && e.zone != nil {
				record = append(record, c.name+" ("+e.zone.String()+")")
			}
		}
		write()
	}
	for _, item := range items {
		for _, c := range columns {
			text, err := c.cell(item)
			if err != nil {
				return err
			}
			if record = append(record, harmless(text)); c.instant && e.zone != nil {
				record = append(record, c.local(item, e.zone))
			}
		}
		write()
	}
	if last {
		record = append(record, "#rows", strconv.Itoa(rows))
		if past != nil {
			record = append(record, "#at", past.At.Format(time.RFC3339Nano), map[bool]string{true: "#complete", false: "#incomplete"}[past.Complete])
		}
		for len(record) < len(columns)+e.extra(columns) {
			record = append(record, "")
		}
		write()
	}
	w.Flush()
	return w.Error()
}

// extra is how many columns there are more because of the zone.
func (e *export) extra(columns []column) (n int) {
	for _, c := range columns {
		if c.instant && e.zone != nil {
			n++
		}
	}
	return n
}

// harmless returns a text that no spreadsheet runs as a formula (OWASP, CSV Injection): an apostrophe stands before what would begin one,
// at the beginning and after what another reader may take for the end of a cell.
func harmless(text string) string {
	const begins, ends = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", ";\t\r\n|" // the full-width ones, too
	if !strings.ContainsAny(text, begins) {
		return text
	}
	var b strings.Builder
	start := true
	for _, r := range text {
		if start && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", r) || b.Len() == 0 && strings.ContainsRune("\t\r\n", r) {
			b.WriteByte('\'')
		}
		start = strings.ContainsRune(ends, r) || start && strings.ContainsRune(` "'`, r)
		b.WriteRune(r)
	}
	return b.String()
}

// lines writes JSON Lines: each item as in the list, with its instants in the export's zone as local, and at the end the number of rows.
func (e *export) lines(b *bytes.Buffer, of reflect.Type, items []reflect.Value, last bool, rows int, past *PastView) error {
	columns := columnsOf(of)
	for _, item := range items {
		line, err := json.Marshal(item.Interface())
		if err != nil {
			return err
		}
		if e.zone != nil {
			local := map[string]string{}
			for _, c := range columns {
				if text := c.local(item, e.zone); c.instant && text != "" {
					local[c.name] = text
				}
			}
			more, err := json.Marshal(local, json.Deterministic(true))
			if err != nil {
				return err
			}
			line = append(append(append(line[:len(line)-1], `,"local":`...), more...), '}')
		}
		b.Write(append(line, '\n'))
	}
	if last {
		end, err := json.Marshal(struct {
			Rows int `json:"rows"`
			*PastView
		}{rows, past})
		if err != nil {
			return err
		}
		b.Write(append(end, '\n'))
	}
	return nil
}
