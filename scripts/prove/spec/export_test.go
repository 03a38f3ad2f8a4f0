package spec_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// Lists as CSV and JSON Lines.

// follow is the address in a Link header; "" without one.
func follow(a *spec.Answer) string {
	link, rel, ok := strings.Cut(a.Header.Get("Link"), ">; ")
	if !ok || rel != `rel="next"` {
		return ""
	}
	return strings.TrimPrefix(link, "<")
}

// exported reads all pages of an export, one after the other; between is called between two of them.
func exported(by *spec.Client, path string, between func(page int)) (file []byte, pages int) {
	for path != "" {
		a := by.Do("GET", path, nil).Want(200)
		file = append(file, a.Body...)
		pages++
		if path = follow(a); path != "" && between != nil {
			between(pages)
		}
	}
	return file, pages
}

// rowsOf parses a CSV file, and takes off the names of its columns and its last line.
func rowsOf(t *testing.T, file []byte) (columns []string, rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(file)).ReadAll() // every record has as many fields as the first
	if err != nil || len(all) < 2 {
		t.Fatalf("got %d records, %v in %.500s", len(all), err, file)
	}
	last := all[len(all)-1]
	if n := strconv.Itoa(len(all) - 2); last[0] != "#rows" || last[1] != n {
		t.Errorf("the last line: got %q, want #rows and %s", last, n)
	}
	for _, r := range all[1 : len(all)-1] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = r[i]
		}
		rows = append(rows, row)
	}
	return all[0], rows
}

func TestAListAsCSVHasWhatTheListHas(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	ann, olga := w.AdminOf("acme"), ownerOf(w, "contoso")
	const note = "=HYPERLINK(\"http://evil.example\";\"Ærø, \"\"here\"\"\")\nsecond line, æøå 漢字"
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view", "note": note, "until": "2027-03-28T12:00:00Z"}).Want(201)
	file, _ := exported(ann, grants+"?format=csv&tz=Europe/Berlin", nil)
	columns, rows := rowsOf(t, file)
	if len(rows) != 1 {
		t.Fatalf("got %d rows, want the grant", len(rows))
	}
	grant := ann.Do("GET", contosoGrant, nil).Want(200)
	for column, want := range map[string]string{
		"id": grant.String("id"), "partner.id": "contoso", "partner.name": "Contoso", "level": "view", "everyone": "false", "user_count": "1",
		"from": "2026-11-22T10:00:00.000Z", "from (Europe/Berlin)": "2026-11-22T11:00:00.000+01:00",
		"until": "2027-03-28T12:00:00.000Z", "until (Europe/Berlin)": "2027-03-28T14:00:00.000+02:00", // the clocks have changed
		"note": "'" + note, "end.reason": "", "end.at": "", "end.at (Europe/Berlin)": "",
	} {
		if got, has := rows[0][column]; !has || got != want {
			t.Errorf("%s: got %q, want %q, among %q", column, got, want, columns)
		}
	}
	if !bytes.Contains(file, []byte("\r\n#rows,1,")) || bytes.HasPrefix(file, []byte("\ufeff")) {
		t.Errorf("got %q, want lines that end with CRLF, without a byte order mark", file)
	}
	for _, list := range []struct {
		by   *spec.Client
		path string
	}{
		{ann, acmePath + "/people"},
		{ann, acmePath + "/people?sort=-until"},
		{ann, acmePath + "/history"},
		{olga, contosoPath + "/history"},
		{olga, contosoPath + "/customers"},
		{ann, acmePath + "/mail"},
		{olga, contosoPath + "/mail"},
		{w.Provider(), grants + "?status=ended"},
	} {
		items := allOf(list.by, list.path, 100)
		with := map[bool]string{true: "&", false: "?"}[strings.Contains(list.path, "?")]
		file, _ := exported(list.by, list.path+with+"format=csv", nil)
		_, rows := rowsOf(t, file)
		var lines []any
		text, _ := exported(list.by, list.path+with+"format=jsonl&limit=2", nil)
		for line := range bytes.Lines(text) {
			var v any
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatalf("%s: %v in %s", list.path, err, line)
			}
			lines = append(lines, v)
		}
		want := append(slices.Collect(func(yield func(any) bool) {
			for _, item := range items {
				if !yield(item) {
					return
				}
			}
		}), map[string]any{"rows": float64(len(items))})
		if len(rows) != len(items) || textOf(lines) != textOf(want) {
			t.Errorf("%s: got %d rows, and the lines %s, want %s", list.path, len(rows), textOf(lines), textOf(want))
		}
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	texts := []string{
		"=1+1", "+1", "-1", "@SUM(A1)", " =1", "\"=1", "a;=1+1", "a\n=1", "\uff1d1", "plain", "1-1", "a=b", "kim@contoso.example", "a, -b",
	}
	for i, text := range texts {
		id := fmt.Sprintf("p%02d", i)
		w.Partner(id)
		w.Grant("acme", m{"partner": id, "everyone": true, "note": text}).Want(201)
	}
	file, _ := exported(w.AdminOf("acme"), grants+"?format=csv", nil)
	_, rows := rowsOf(t, file)
	got := map[string]string{}
	for _, r := range rows {
		got[r["partner.id"]] = r["note"]
	}
	want := []string{
		"'=1+1", "'+1", "'-1", "'@SUM(A1)", " '=1", "\"'=1", "a;'=1+1", "a\n'=1", "'\uff1d1", "plain", "1-1", "a=b",
		"kim@contoso.example", "a, -b",
	}
	for i := range texts {
		if is := got[fmt.Sprintf("p%02d", i)]; is != want[i] {
			t.Errorf("%q: got %q, want %q", texts[i], is, want[i])
		}
	}
}

func TestAnExportIsWholeWhileTheListGrows(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	ann := w.AdminOf("acme")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	n := 0
	edit := func() {
		n++
		w.Stack.Clock.Set(w.Now().Add(time.Second))
		ann.Do("PATCH", contosoGrant, m{"message": fmt.Sprintf("number %d", n)}, "If-Match", "*").Want(200)
	}
	for range 1050 {
		edit()
	}
	before := allOf(ann, acmePath+"/history", 100)
	began := time.Now()
	file, pages := exported(ann, acmePath+"/history?format=csv", func(int) { edit() })
	t.Logf("%d bytes in %d pages, %s", len(file), pages, time.Since(began))
	_, rows := rowsOf(t, file)
	if len(rows) != len(before) || len(rows) < 1050 || pages < 11 {
		t.Errorf("got %d rows in %d pages, want the %d of when it began", len(rows), pages, len(before))
	}
	for i, r := range rows {
		if r["id"] != before[i]["id"] {
			t.Fatalf("row %d: got %s, want %s", i, r["id"], before[i]["id"])
		}
	}
	found, pages := exported(ann, acmePath+"/history?format=jsonl&type=grant.created", nil) // one event behind a thousand others
	if lines := bytes.Count(found, []byte("\n")); lines != 2 || pages < 3 || !bytes.HasSuffix(found, []byte("{\"rows\":1}\n")) {
		t.Errorf("filtered: got %s in %d pages, want the one event, and pages that are empty", found, pages)
	}
}

func TestTheFormatIsAskedForByAcceptOrByName(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	ann := w.AdminOf("acme")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	for _, c := range []struct{ query, accept, want string }{
		{"", "", "application/json"},
		{"", "*/*", "application/json"},
		{"", "text/html,application/xhtml+xml", "application/json"},
		{"", "text/csv", "text/csv; charset=utf-8"},
		{"", "text/csv;q=0.5, application/json", "application/json"},
		{"", "text/csv, */*;q=0.1", "text/csv; charset=utf-8"},
		{"", "application/x-ndjson", "application/jsonl"},
		{"", "application/jsonl", "application/jsonl"},
		{"?format=csv", "application/json", "text/csv; charset=utf-8"},
		{"?format=json", "text/csv", "application/json"},
		{"?format=jsonl", "", "application/jsonl"},
	} {
		a := ann.Do("GET", grants+c.query, nil, "Accept", c.accept).Want(200)
		if got := a.Header.Get("Content-Type"); got != c.want {
			t.Errorf("%s with Accept: %s: got %s, want %s", c.query, c.accept, got, c.want)
		}
		name := a.Header.Get("Content-Disposition")
		if strings.HasPrefix(c.want, "text/csv") && name != `attachment; filename="acme-grants-2026-11-22.csv"` {
			t.Errorf("the file's name: got %s", name)
		}
	}
	for query, pointers := range map[string][]string{
		"?format=xlsx": {"?format"}, "?format=": {"?format"}, "?format=csv&format=csv": {"?format"}, "?tz=Europe/Berlin": {"?tz"},
		"?format=csv&tz=Mars/Olympus": {"?tz"}, "?format=csv&tz=": {"?tz"}, "?format=csv&tz=Local": {"?tz"},
		"?format=csv&tz=../../etc/passwd": {"?tz"},
		"?format=csv&limit=101":           {"?limit"}, "?format=csv&cursor=x.1": {"?cursor"}, "?format=csv&cursor=x.y": {"?cursor"},
		"?format=csv&colour=red": {"?colour"},
	} {
		ann.Do("GET", grants+query, nil).WantProblem(400, "invalid", pointers...)
	}
	ann.Do("GET", acmePath+"/members?format=csv", nil).WantProblem(400, "invalid", "?format") // no list that is exported
	ann.Do("GET", "/v1/customers/globex/grants?format=csv", nil).WantProblem(404, "not_found")
}
