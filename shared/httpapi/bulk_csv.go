package httpapi

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
)

// bulkColumns are the columns that the CSV of a job can have, each with how its cells are read. An empty cell is a member that is left out.
func bulkColumns() map[string]func(string) any {
	text := func(s string) any { return s }
	orNone := func(s string) any { // none: what the column says is lifted
		if s == "none" {
			return nil
		}
		return s
	}
	list := func(s string) any {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == ';' })
	}
	literal := func(s string) any { // a boolean or a number; anything else is refused as the text that it is
		if s == "true" || s == "false" || strings.Trim(s, "0123456789") == "" {
			return jsontext.Value(s)
		}
		return s
	}
	return map[string]func(string) any{
		"op": text, "customer": text, "partner": text, "email": text, "level": text, "from": text, "until": orNone, "extend": text,
		"auto_extend": orNone, "state": text, "assigned_by": text, "note": text, "message": text, "users": list, "add": list, "remove": list,
		"everyone": literal, "require_sso": literal, "version": literal,
	}
}

// malformedCSV refuses a body that is no CSV (RFC 4180).
func malformedCSV(line int, format string, args ...any) error {
	return access.Refuse(access.Invalid, "line %d: %s", line, fmt.Sprintf(format, args...))
}

// readCSV reads the rows of a CSV body, whose first line names the columns, and the lines on which they begin.
func (in *bulkInput) readCSV(body []byte) ([]rowObject, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, access.Refuse(access.Invalid, "the body is empty: its first line names the columns, such as op,partner,level")
	case err != nil:
		return nil, csvError(err, nil)
	}
	known := bulkColumns()
	for i, name := range header {
		name = strings.TrimSpace(name)
		header[i] = name
		switch {
		case known[name] == nil && strings.Contains(name, ";"):
			return nil, malformedCSV(1, "the columns are separated by commas, not by semicolons")
		case known[name] == nil:
			return nil, malformedCSV(1, "there is no column %q", name)
		case slices.Contains(header[:i], name):
			return nil, malformedCSV(1, "the column %q stands there twice", name)
		}
	}
	if !slices.Contains(header, "op") {
		return nil, malformedCSV(1, "there is no column op")
	}
	var out []rowObject
	in.lines = []int{}
	for {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF) && len(out) == 0:
			return nil, malformedCSV(2, "there is no row")
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, csvError(err, header)
		}
		line, _ := r.FieldPos(0)
		in.lines = append(in.lines, line)
		o, err := rowOf(header, record, known)
		if err != nil {
			return nil, malformedCSV(line, "this row cannot be read")
		}
		if len(out) <= access.MaxJobRows { // one more, so that too many are refused
			out = append(out, o)
		}
	}
}

// rowOf makes a row of a line's cells.
func rowOf(header, record []string, known map[string]func(string) any) (rowObject, error) {
	o, users := rowObject{}, map[string]any{}
	for i, name := range header {
		cell := strings.TrimSpace(record[i])
		if cell == "" {
			continue
		}
		value := known[name](cell)
		if name == "add" || name == "remove" {
			users[name] = value
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		o[name] = text
	}
	if set, is := o["users"]; is && string(o["op"]) == `"edit"` { // there users is an object
		users["set"] = set
	}
	if len(users) > 0 {
		text, err := json.Marshal(users)
		o["users"] = text
		return o, err
	}
	return o, nil
}

// csvError is what encoding/csv found, with the line.
func csvError(err error, header []string) error {
	var where *csv.ParseError
	if !errors.As(err, &where) {
		return access.Refuse(access.Invalid, "the body cannot be read as CSV")
	}
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		return malformedCSV(where.Line, "this line has not as many cells as there are columns (%d)", len(header))
	case errors.Is(err, csv.ErrQuote):
		return malformedCSV(where.Line, "a quotation mark is not where one can be: cells that contain one are quoted, and it is doubled")
	case errors.Is(err, csv.ErrBareQuote):
		return malformedCSV(where.Line, "a cell that is not quoted contains a quotation mark")
	}
	return malformedCSV(where.Line, "this is no CSV")
}
