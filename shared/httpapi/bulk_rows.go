package httpapi

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
	"partneraccess/shared/service"
)

type bulkBody struct {
	Rows    opt[[]jsontext.Value] `json:"rows"`
	OnError opt[string]           `json:"on_error"`
}

// rowObject is a row as it was sent: its members by their names.
type rowObject = map[string]jsontext.Value

// bulkInput is what is read of a bulk request, from JSON or CSV.
type bulkInput struct {
	findings
	customer string // that the path names; "" = the provider's job
	rows     []*access.JobRow
	lines    []int // of CSV, by row
}

// maxFindings is how many mistakes are told at once.
const maxFindings = 50

// readJob reads what a bulk request asks for. All rows are looked at before any is stored: what is malformed is refused as a whole.
func (c *call) readJob() (service.JobRequest, error) {
	in := bulkInput{customer: c.PathValue("customer")}
	ask := service.JobRequest{Customer: in.customer, Caller: c.jobCaller()}
	media, _, _ := mime.ParseMediaType(c.Header("content-type"))
	onError, err := c.readBulkQuery(&ask, media)
	if err != nil {
		return ask, err
	}
	var objects []rowObject
	switch media {
	case "text/csv":
		if objects, err = in.readCSV(c.Body); err != nil {
			return ask, err
		}
	case "application/json":
		var b bulkBody
		if err := decodeBody(c.Request, &b); err != nil {
			return ask, err
		}
		onError = b.OnError
		objects = in.objects(b)
	default:
		return ask, access.Refuse(unsupportedMediaType, "the rows are sent as application/json or as text/csv")
	}
	if how := oneOf(&in.findings, onError, "/on_error", onErrorContinue, onErrorStop); how != nil {
		ask.StopOnError = *how == onErrorStop
	}
	if n := len(objects); n > access.MaxJobRows {
		in.add("/rows", fmt.Sprintf("a job has %d rows at most, these are %d: use several", access.MaxJobRows, n))
		objects = nil
	}
	for i, o := range objects {
		in.readRow(i, o)
	}
	if len(in.fields) > maxFindings {
		in.fields = in.fields[:maxFindings]
	}
	ask.Rows = in.rows
	return ask, in.err()
}

// readBulkQuery reads dry_run, and on_error, which a CSV body has no place for.
func (c *call) readBulkQuery(ask *service.JobRequest, media string) (onError opt[string], err error) {
	q, err := c.Query()
	if err != nil {
		return onError, access.Refuse(access.Invalid, "the query string cannot be read: percent-encode it")
	}
	var f findings
	for name, given := range q {
		switch {
		case len(given) > 1:
			f.add("?"+name, "this parameter stands there twice")
		case name == "dry_run" && (given[0] == "true" || given[0] == "false"):
			ask.DryRun = given[0] == "true"
		case name == "dry_run":
			f.add("?dry_run", "dry_run is true or false")
		case name == "on_error" && media == "text/csv" && slices.Contains([]string{onErrorContinue, onErrorStop}, given[0]):
			onError = opt[string]{Given: true, Value: given[0]}
		case name == "on_error" && media == "text/csv":
			f.add("?on_error", "on_error is continue or stop")
		case name == "on_error":
			f.add("?on_error", "with JSON on_error is a member of the body")
		default:
			f.add("?"+name, "this parameter is unknown here")
		}
	}
	return onError, sortedErr(&f)
}

// objects are the rows of a JSON body.
func (in *bulkInput) objects(b bulkBody) []rowObject {
	if !b.Rows.has() || len(b.Rows.Value) == 0 {
		in.add("/rows", "name at least one row")
		return nil
	}
	out := make([]rowObject, len(b.Rows.Value))
	for i, text := range b.Rows.Value {
		if text.Kind() != '{' || json.Unmarshal(text, &out[i]) != nil {
			in.at(i, "", "a row is a JSON object")
		}
	}
	return out
}

// at adds what is wrong with a row.
func (in *bulkInput) at(i int, pointer, detail string) {
	if in.lines != nil {
		detail = fmt.Sprintf("line %d: %s", in.lines[i], detail)
	}
	in.add(fmt.Sprintf("/rows/%d%s", i, pointer), detail)
}

// text takes a member that is a text out of a row; "" when there is none, or when it is no text.
func (in *bulkInput) text(i int, o rowObject, name string) string {
	value, is := o[name]
	delete(o, name)
	if !is {
		return ""
	}
	var s string
	switch {
	case value.Kind() != '"' || json.Unmarshal(value, &s) != nil:
		in.at(i, "/"+name, "a string is expected")
	case s == "":
		in.at(i, "/"+name, "this is empty: leave it out where it is not needed")
	}
	return s
}

// readRow reads one row. What is left of its members is the body of the request that it stands for.
func (in *bulkInput) readRow(i int, o rowObject) {
	if o == nil {
		return
	}
	before := len(in.fields)
	r := &access.JobRow{Op: access.Op(in.text(i, o, "op")), Customer: in.text(i, o, "customer"), Seen: access.AnyVersion}
	if r.Partner = in.text(i, o, "partner"); r.Partner != "" && !access.ValidID(r.Partner) {
		in.at(i, "/partner", "this cannot be a partner's id: look it up in the partners directory")
	}
	in.customerOf(i, r)
	if version, is := o["version"]; is {
		delete(o, "version")
		var n int64
		if json.Unmarshal(version, &n) != nil || n < 1 {
			in.at(i, "/version", "a version is a whole number from 1, as a grant shows it")
		}
		r.Seen = n
	}
	if len(in.fields) > before {
		return
	}
	in.readBody(i, r, o)
	if len(in.fields) == before {
		in.rows = append(in.rows, r)
	}
}

// customerOf finds whose grant a row is about: a customer's job is about its own.
func (in *bulkInput) customerOf(i int, r *access.JobRow) {
	switch {
	case in.customer != "" && (r.Customer == "" || r.Customer == in.customer):
		r.Customer = in.customer
	case in.customer != "":
		in.at(i, "/customer", "a customer's job is about its own grants: leave this out, or give the customer of the path")
	case !access.ValidID(r.Customer):
		in.at(i, "/customer", "name the customer")
	}
}

// readBody checks the members of a row as the route of its operation would, and makes the request's body of them.
func (in *bulkInput) readBody(i int, r *access.JobRow, o rowObject) {
	only := func(names ...string) {
		for _, name := range slices.Sorted(maps.Keys(o)) {
			if !slices.Contains(names, name) {
				in.at(i, string(jsontext.Pointer("").AppendToken(name)), fmt.Sprintf("this member is unknown in a row with the op %s", r.Op))
			}
		}
	}
	before := len(in.fields)
	check := func(into any, command func() error) {
		if len(in.fields) > before {
			return
		}
		body, err := json.Marshal(o, json.Deterministic(true))
		if err == nil && len(body) > access.MaxRowLength {
			in.at(i, "", fmt.Sprintf("a row has %d bytes at most", access.MaxRowLength))
			return
		}
		if err == nil {
			err = decodeObject(body, into)
		}
		if err == nil {
			err = command()
		}
		in.refusal(i, err)
		r.Body = body
	}
	if r.Partner == "" && (r.Op != access.OpGrant || in.customer == "") {
		in.at(i, "/partner", "name the partner")
	}
	if r.Seen != access.AnyVersion && r.Op != access.OpEdit && r.Op != access.OpExtend {
		in.at(i, "/version", fmt.Sprintf("a row with the op %s has no version", r.Op))
	}
	switch {
	case r.Op == access.OpRevoke:
		only()
	case r.Op == access.OpGrant && in.customer == "":
		only("everyone")
		check(&relationshipBody{}, func() error { return nil })
	case r.Op == access.OpGrant:
		if r.Partner != "" {
			o["partner"], _ = json.Marshal(r.Partner) // a text
		}
		var b grantBody
		check(&b, func() error { _, _, err := b.command(); return err })
	case in.customer == "":
		in.at(i, "/op", "the provider's rows are grant, which establishes a relationship, and revoke")
	case r.Op == access.OpExtend:
		only("until", "extend", "message")
		var b editBody
		check(&b, func() error { return b.extension() })
	case r.Op == access.OpEdit:
		var b editBody
		check(&b, func() error { _, err := b.command(); return err })
	default:
		in.at(i, "/op", "op is one of: grant, edit, extend, revoke")
	}
}

// extension checks the body of a row that only moves a grant's end.
func (b editBody) extension() error {
	if !b.Extend.Given && !b.Until.Given {
		return access.Refuse(access.Invalid, "give until or extend").At("/extend")
	}
	_, err := b.command()
	return err
}

// refusal adds what a route would say of a row's body.
func (in *bulkInput) refusal(i int, err error) {
	var refused *access.Error
	switch {
	case err == nil:
	case !errors.As(err, &refused):
		in.at(i, "", "this row cannot be read")
	case len(refused.Fields) == 0:
		in.at(i, "", refused.Detail)
	default:
		for _, f := range refused.Fields {
			in.at(i, f.Pointer, f.Detail)
		}
	}
}
