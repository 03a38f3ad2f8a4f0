package authzen

import (
	"errors"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
	"partneraccess/shared/rawjson"
)

const (
	// MaxEvaluations is how many evaluations a batch may hold: at most 400 records to read, four requests.
	MaxEvaluations = 100
	// MaxResults is how many results a page of a search may hold.
	MaxResults = 100
)

// Semantic says how a batch is answered.
type Semantic string

// The semantics of a batch; the first is the default.
const (
	ExecuteAll          Semantic = "execute_all"
	DenyOnFirstDeny     Semantic = "deny_on_first_deny"
	PermitOnFirstPermit Semantic = "permit_on_first_permit"
)

// Request is what a body asks.
type Request struct {
	Queries  []Query // one, unless it is a batch
	Batch    bool
	Semantic Semantic
	Page     Page
}

// Page is which part of a search's results is wanted.
type Page struct {
	Token string
	Limit int // 0 = not given
}

// Decoder decodes requests' bodies. Its zero value is ready, and may be used by many at once.
type Decoder struct{ readers sync.Pool } // of *reader

// Decode reads a body. The error refuses the request as a whole; what is wrong with a query is found by Query.Validate. Evaluations says
// that the body may be a batch.
func (d *Decoder) Decode(body []byte, evaluations bool) (*Request, *access.Error) {
	r, _ := d.readers.Get().(*reader)
	if r == nil {
		r = &reader{}
	}
	defer d.readers.Put(r)
	return r.request(body, evaluations)
}

// reader reads the parts of a request.
type reader struct{ rawjson.Reader }

func (r *reader) request(body []byte, evaluations bool) (*Request, *access.Error) {
	r.Reset(body)
	out := &Request{Semantic: ExecuteAll}
	var refused *access.Error
	defaults := Query{}
	var items []Query
	isObject, err := r.ObjectOrSkip(func(name string) error {
		switch known, err := r.queryMember(&defaults, inDefaults, name); {
		case known || err != nil:
			return err
		case r.Null(): // counts as absent
		case name == "page":
			return r.page(&out.Page, &refused)
		case name == "evaluations" && evaluations:
			return r.evaluations(&items, &refused)
		case name == "options" && evaluations:
			return r.options(&out.Semantic, &refused)
		}
		return r.Skip()
	})
	if err == nil {
		err = r.End()
	}
	switch {
	case len(body) == 0:
		return nil, access.Refuse(access.Invalid, "The body is empty.")
	case err != nil:
		return nil, syntaxError(err)
	case !isObject:
		return nil, Invalid("", wantsObject)
	case refused != nil:
		return nil, refused
	}
	if len(items) == 0 {
		out.Queries = []Query{defaults}
		return out, nil
	}
	out.Queries, out.Batch = items, true
	for i := range items {
		q := &items[i]
		q.Subject = q.Subject.withDefaults(defaults.Subject)
		q.Action = q.Action.withDefaults(defaults.Action)
		q.Resource = q.Resource.withDefaults(defaults.Resource)
		if q.Context == nil {
			q.Context = defaults.Context
		}
	}
	return out, nil
}

func syntaxError(err error) *access.Error {
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		return Invalid(string(s.JSONPointer), "The body is no valid JSON: "+s.Err.Error()+", at byte "+strconv.FormatInt(s.ByteOffset, 10)+".")
	}
	return access.Refuse(access.Invalid, "The body is no valid JSON: %v.", err)
}

// queryMember reads one of the four members of a query. Known is false for any other, and for null, which counts as absent; neither is read
// then.
func (r *reader) queryMember(q *Query, evaluation int, name string) (known bool, err error) {
	if r.Null() {
		return false, nil
	}
	switch name {
	case "subject":
		q.Subject, err = r.entity(evaluation, "type", "id")
	case "action":
		q.Action, err = r.entity(evaluation, "", actionName)
	case "resource":
		q.Resource, err = r.entity(evaluation, "type", "id")
	case "context":
		q.Context, err = r.context(evaluation)
	default:
		return false, nil
	}
	return true, err
}

// entity reads a subject, action or resource, whose type and ID are the members of those names; typeName is "" for what has no type.
func (r *reader) entity(evaluation int, typeName, idName string) (*Entity, error) {
	e := &Entity{evaluation: evaluation}
	hasType, hasID := typeName == "", false
	isObject, err := r.ObjectOrSkip(func(name string) error {
		var err error
		switch {
		case r.Null(): // counts as absent
			err = r.Skip()
		case name == idName:
			hasID = true
			e.ID, e.wrongID, err = r.entityString(idName)
			if idName == actionName && e.wrongID == nil && e.ID == "" {
				e.wrongID = &memberError{"/" + idName, "This is empty: name an action."}
			}
		case name == typeName && typeName != "":
			hasType = true
			e.Type, e.wrongType, err = r.entityString(typeName)
		case name == "properties":
			err = r.properties(e)
		default:
			err = r.Skip()
		}
		return err
	})
	if !isObject {
		e.wrong = &memberError{"", wantsObject}
		return e, err
	}
	if !hasType {
		e.wrongType = &memberError{"/" + typeName, isMissing}
	}
	if !hasID {
		e.wrongID = &memberError{"/" + idName, isMissing}
	}
	return e, err
}

// entityString reads a member of an entity that has to be a string.
func (r *reader) entityString(member string) (string, *memberError, error) {
	s, isString, err := r.StringOrSkip()
	if !isString {
		return "", &memberError{"/" + member, wantsString}, err
	}
	return s, nil, err
}

func (r *reader) properties(e *Entity) error {
	isObject, err := r.ObjectOrSkip(func(name string) error {
		if name != "customer" || r.Null() {
			return r.Skip()
		}
		e.HasCustomer = true
		var isString bool
		var err error
		if e.Customer, isString, err = r.StringOrSkip(); !isString && e.wrong == nil {
			e.wrong = &memberError{"/properties/customer", wantsString}
		}
		return err
	})
	if !isObject && e.wrong == nil {
		e.wrong = &memberError{"/properties", wantsObject}
	}
	return err
}

func (r *reader) context(evaluation int) (*Context, error) {
	c := &Context{evaluation: evaluation}
	isObject, err := r.ObjectOrSkip(func(name string) error {
		if name == "record_use" && !r.Null() {
			yes, isBool, err := r.BoolOrSkip()
			if c.RecordUse = &yes; !isBool && c.wrong == nil {
				c.wrong = &memberError{"/record_use", "This is true or false."}
			}
			return err
		}
		if name == "at" && !r.Null() {
			text, isString, err := r.StringOrSkip()
			if c.At = &text; !isString && c.wrong == nil {
				c.wrong = &memberError{"/at", wantsString}
			}
			return err
		}
		if name != "consistency" || r.Null() {
			return r.Skip()
		}
		text, isString, err := r.StringOrSkip()
		switch c.consistency = access.Consistency(text); c.consistency {
		case access.Strong, access.Eventual, access.Snapshot:
		default:
			c.wrong = &memberError{"/consistency", "This is strong, eventual or snapshot."}
			if !isString {
				c.wrong.detail = wantsString
			}
		}
		return err
	})
	if !isObject {
		c.wrong = &memberError{"", wantsObject}
	}
	return c, err
}

func (r *reader) evaluations(items *[]Query, refused **access.Error) error {
	*items = make([]Query, 0, 16)
	isArray, err := r.ArrayOrSkip(func() error {
		n := len(*items)
		if n == MaxEvaluations {
			*refused = Invalid("/evaluations", "A batch may hold "+strconv.Itoa(MaxEvaluations)+" evaluations at most: ask in several.")
			return r.Skip()
		}
		var q Query
		isObject, err := r.ObjectOrSkip(func(name string) error {
			known, err := r.queryMember(&q, n, name)
			if !known && err == nil {
				err = r.Skip()
			}
			return err
		})
		if !isObject { // it asks nothing, not even what is asked of all
			q.Subject = &Entity{evaluation: n, wrong: &memberError{wholeEvaluation, wantsObject}}
		}
		*items = append(*items, q)
		return err
	})
	if !isArray {
		*refused = Invalid("/evaluations", "This has to be an array.")
	}
	return err
}

func (r *reader) options(s *Semantic, refused **access.Error) error {
	isObject, err := r.ObjectOrSkip(func(name string) error {
		if name != "evaluations_semantic" || r.Null() {
			return r.Skip()
		}
		// What is no string is none of the three.
		text, _, err := r.StringOrSkip()
		switch *s = Semantic(text); *s {
		case ExecuteAll, DenyOnFirstDeny, PermitOnFirstPermit:
		default:
			*refused = Invalid("/options/evaluations_semantic", "This is execute_all, deny_on_first_deny or permit_on_first_permit.")
		}
		return err
	})
	if !isObject {
		*refused = Invalid("/options", wantsObject)
	}
	return err
}

func (r *reader) page(p *Page, refused **access.Error) error {
	isObject, err := r.ObjectOrSkip(func(name string) error {
		if r.Null() {
			return r.Skip()
		}
		switch name {
		case "token":
			var isString bool
			var err error
			if p.Token, isString, err = r.StringOrSkip(); !isString {
				*refused = Invalid("/page/token", wantsString)
			}
			return err
		case "limit":
			v, err := r.Value()
			if err != nil {
				return err
			}
			n, bad := strconv.Atoi(string(v))
			if bad != nil || n < 1 {
				*refused = Invalid("/page/limit", "This is a whole number from 1.")
			}
			p.Limit = min(n, MaxResults)
			return nil
		}
		return r.Skip()
	})
	if !isObject {
		*refused = Invalid("/page", wantsObject)
	}
	return err
}
