package authzen

import (
	"strconv"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/rawjson"
)

// EvaluatedAt is how the instant of a decision is written: always with milliseconds.
const EvaluatedAt = "2006-01-02T15:04:05.000Z07:00"

// The answers to evaluations are written as they have to stand in API Gateway's payload, as the inside of a JSON string: a batch is long,
// and to escape it afterwards is a twentieth of its time. Only texts of others are escaped, when they are written.

// AppendBatch writes the answer to a batch of n evaluations, each of which answer writes.
func AppendBatch(b []byte, n int, answer func(b []byte, i int) []byte) []byte {
	b = append(b, `{\"evaluations\":[`...)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = answer(b, i)
	}
	return append(b, `]}`...)
}

// AppendFailure writes the answer to an evaluation of a batch that could not be decided: a denial, with the status that the failure has by
// itself.
func AppendFailure(b []byte, e *access.Error, status int) []byte {
	message := e.Detail
	if len(e.Fields) > 0 {
		message = e.Fields[0].Pointer + ": " + e.Detail
	}
	b = append(b, `{\"decision\":false,\"context\":{\"error\":{\"status\":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,\"message\":`...)
	b = rawjson.AppendStringTwice(b, message)
	return append(b, `}}}`...)
}

// Ask is where a denied person can ask the customer, and what for; Kind is "" where it is not known whether the customer takes requests.
type Ask struct {
	Kind access.RequestKind
	Page string
}

// append writes it.
func (a *Ask) append(b []byte) []byte {
	b = append(b, `,\"request\":{\"kinds\":[`...)
	if a.Kind != "" {
		b = append(b, `\"`...)
		b = append(b, a.Kind...)
		b = append(b, `\"`...)
	}
	b = append(b, `],\"page\":`...)
	b = rawjson.AppendStringTwice(b, a.Page)
	return append(b, '}')
}

// AppendDecision writes one decision, with its instant unless that is zero, and how to ask unless that is nil. What it does not escape is
// this service's own text.
func AppendDecision(b []byte, d *access.Decision, at time.Time, ask *Ask) []byte {
	user, admin := sentences(d.Reason)
	b = append(b, `{\"decision\":`...)
	b = strconv.AppendBool(b, d.Allow)
	b = append(b, `,\"context\":{\"reason\":\"`...)
	b = append(b, d.Reason...)
	b = append(b, `\",\"reason_user\":\"`...)
	b = append(b, user...)
	b = append(b, `\",\"reason_admin\":\"`...)
	b = append(b, admin...)
	b = append(b, `\"`...)
	if d.Grant != "" {
		b = append(b, `,\"grant\":`...)
		b = rawjson.AppendStringTwice(b, d.Grant)
		b = append(b, `,\"level\":\"`...)
		b = append(b, d.Level.String()...)
		b = append(b, `\"`...)
	}
	if !d.Until.IsZero() {
		b = append(b, `,\"valid_until\":\"`...)
		b = d.Until.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, `\"`...)
	}
	if ask != nil {
		b = ask.append(b)
	}
	if !at.IsZero() {
		b = append(b, `,\"evaluated_at\":\"`...)
		b = at.AppendFormat(b, EvaluatedAt)
		b = append(b, `\"`...)
	}
	return append(b, `}}`...)
}

// AppendPast writes one decision about an instant of the past, marked as such, with the versions that are missing for it.
func AppendPast(b []byte, d *access.Decision, evaluated, at time.Time, missing []access.MissingVersions) []byte {
	b = AppendDecision(b, d, evaluated, nil)
	b = append(b[:len(b)-len(`}}`)], `,\"past\":true,\"at\":\"`...)
	b = at.AppendFormat(b, EvaluatedAt)
	b = append(b, `\",\"complete\":`...)
	b = strconv.AppendBool(b, len(missing) == 0)
	b = append(b, `,\"missing\":[`...)
	for i, m := range missing {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `{\"record\":\"`...), m.Kind...)
		for _, of := range [...]struct{ name, id string }{{"customer", m.Customer}, {"partner", m.Partner}, {"user", m.User}} {
			if of.id != "" {
				b = append(append(append(b, `\",\"`...), of.name...), `\":\"`...)
				b = append(b, of.id...) // no id needs an escape
			}
		}
		b = strconv.AppendInt(append(b, `\",\"from\":`...), m.From, 10)
		b = strconv.AppendInt(append(b, `,\"to\":`...), m.To, 10)
		b = append(b, '}')
	}
	return append(b, `]}}`...)
}

// Results is a page of a search.
type Results struct {
	Type      string   // of the entities; "" for actions
	IDs       []string // names of actions
	NextToken string   // "" after the last page
}

// Append writes the answer to a search, as JSON that is not escaped.
func (r Results) Append(b []byte) []byte {
	b = append(b, `{"page":{"next_token":`...)
	b = rawjson.AppendString(b, r.NextToken)
	b = append(b, `},"results":[`...)
	for i, id := range r.IDs {
		if i > 0 {
			b = append(b, ',')
		}
		if r.Type == "" {
			b = append(b, `{"name":`...)
		} else {
			b = append(b, `{"type":`...)
			b = rawjson.AppendString(b, r.Type)
			b = append(b, `,"id":`...)
		}
		b = rawjson.AppendString(b, id)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}
