package httpapi

import (
	"errors"
	"mime"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
)

// This file reads the requests of the OpenID AuthZEN Authorization API 1.0. Unknown members are ignored, as it wants. What is missing or
// of a wrong type is kept as a flaw and not told at once: in a batch it may be a default that every evaluation replaces, and else it
// spoils only the evaluations that use it.

// maxEvaluations is how many evaluations a batch may hold: at most 400 records to read, four requests.
const maxEvaluations = 100

// flaw is what is wrong with a member of a request.
type flaw struct {
	member string // below the object that it was found in: "", "/id"
	detail string
}

// entity is a subject, an action (whose name is its id) or a resource.
type entity struct {
	item     int // which evaluation it stands in; topLevel for the defaults
	kind     string
	id       string
	customer string // properties.customer
	owned    bool   // that there is one
	flaw     *flaw
	noKind   *flaw // that the type is missing or wrong
	noID     *flaw // that the id is missing or wrong, which a search for it does not mind
}

const topLevel = -1

// settings are what the service reads in a context.
type settings struct {
	item        int
	consistency access.Consistency
	flaw        *flaw
}

// ask is one question, or what a batch's questions have in common. What is not given is nil.
type ask struct {
	subject, action, resource *entity
	context                   *settings
}

// semantic says how a batch is answered.
type semantic string

const (
	executeAll          semantic = "execute_all"
	denyOnFirstDeny     semantic = "deny_on_first_deny"
	permitOnFirstPermit semantic = "permit_on_first_permit"
)

// batch is a request: one question in asks, or many.
type batch struct {
	asks     []ask
	many     bool
	semantic semantic
	page     page
}

// page is which part of a search's results is wanted.
type page struct {
	token string
	limit int // 0 = not said
}

// isJSON tells whether the request says that its body is JSON.
func isJSON(r *Request) bool {
	ct := r.Header("content-type")
	if ct == "application/json" {
		return true
	}
	t, _, err := mime.ParseMediaType(ct)
	return err == nil && t == "application/json"
}

// invalid refuses a request for what stands at one place of it.
func invalid(pointer, detail string) *access.Error {
	return &access.Error{Code: access.Invalid, Detail: detail, Fields: []access.Field{{Pointer: pointer, Detail: detail}}}
}

// readAsk reads a request's body. The error is a refusal of the request as a whole.
func (w *walker) readAsk(r *Request, evaluations bool) (*batch, *access.Error) {
	if !isJSON(r) {
		return nil, access.Refuse(access.Invalid, "The body has to be JSON: send Content-Type: application/json.")
	}
	w.reset(r.Body)
	b := &batch{semantic: executeAll}
	var refused *access.Error
	top := ask{}
	var items []ask
	ok, err := w.members(func(name string) error {
		switch known, err := w.askMember(&top, topLevel, name); {
		case known || err != nil:
			return err
		case w.null(): // counts as absent
		case name == "page":
			return w.page(&b.page, &refused)
		case name == "evaluations" && evaluations:
			return w.evaluations(&items, &refused)
		case name == "options" && evaluations:
			return w.options(&b.semantic, &refused)
		}
		return w.skip()
	})
	if err == nil {
		err = w.end()
	}
	switch {
	case len(r.Body) == 0:
		return nil, access.Refuse(access.Invalid, "The body is empty.")
	case err != nil:
		return nil, syntaxError(err)
	case !ok:
		return nil, invalid("", "This has to be an object.")
	case refused != nil:
		return nil, refused
	}
	if len(items) == 0 {
		b.asks = []ask{top}
		return b, nil
	}
	b.asks, b.many = items, true
	for i := range items {
		it := &items[i]
		it.subject = it.subject.over(top.subject)
		it.action = it.action.over(top.action)
		it.resource = it.resource.over(top.resource)
		if it.context == nil {
			it.context = top.context
		}
	}
	return b, nil
}

// over is what an evaluation says of an entity, completed by what is said of all: the whole, or the type and the id that it leaves out. Properties are
// its own.
func (e *entity) over(all *entity) *entity {
	switch {
	case e == nil:
		return all
	case all == nil:
		return e
	}
	if e.noKind.missing() && all.noKind == nil {
		e.kind, e.noKind = all.kind, nil
	}
	if e.noID.missing() && all.noID == nil {
		e.id, e.noID = all.id, nil
	}
	return e
}

// missing tells whether the flaw is that nothing was given.
func (f *flaw) missing() bool { return f != nil && f.detail == isMissing }

func syntaxError(err error) *access.Error {
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		return invalid(string(s.JSONPointer), "The body is no valid JSON: "+s.Err.Error()+", at byte "+strconv.FormatInt(s.ByteOffset, 10)+".")
	}
	return access.Refuse(access.Invalid, "The body is no valid JSON: %v.", err)
}

// askMember reads one of the four members that a question consists of; known is false for any other, which is left unread, as are those that are
// null: they count as absent.
func (w *walker) askMember(a *ask, item int, name string) (known bool, err error) {
	if w.null() {
		return false, nil
	}
	switch name {
	case "subject":
		a.subject, err = w.entity(item, "type", "id")
	case "action":
		a.action, err = w.entity(item, "", actionName)
	case "resource":
		a.resource, err = w.entity(item, "type", "id")
	case "context":
		a.context, err = w.settings(item)
	default:
		return false, nil
	}
	return true, err
}

const (
	actionName  = "name" // the member of an action that is its id
	wantsObject = "This has to be an object."
	wantsString = "This has to be a string."
	isMissing   = "This is missing."
)

// entity reads a subject, action or resource; kind is "" for what has no type.
func (w *walker) entity(item int, kind, id string) (*entity, error) {
	e := &entity{item: item}
	hasKind, hasID := kind == "", false
	ok, err := w.members(func(name string) error {
		var err error
		switch {
		case w.null(): // counts as absent
			err = w.skip()
		case name == id:
			hasID = true
			e.id, e.noID, err = w.named(id)
			if id == actionName && e.noID == nil && e.id == "" {
				e.noID = &flaw{"/" + id, "This is empty: name an action."}
			}
		case name == kind && kind != "":
			hasKind = true
			e.kind, e.noKind, err = w.named(kind)
		case name == "properties":
			err = w.properties(e)
		default:
			err = w.skip()
		}
		return err
	})
	if !ok {
		e.flaw = &flaw{"", wantsObject}
		return e, err
	}
	if !hasKind {
		e.noKind = &flaw{"/" + kind, isMissing}
	}
	if !hasID {
		e.noID = &flaw{"/" + id, isMissing}
	}
	return e, err
}

// named reads a string that is a member of an entity; the flaw is nil when it is one.
func (w *walker) named(member string) (string, *flaw, error) {
	s, wrong, err := w.string()
	if wrong != "" {
		return "", &flaw{"/" + member, wrong}, err
	}
	return s, nil, err
}

func (w *walker) properties(e *entity) error {
	ok, err := w.members(func(name string) error {
		if name != "customer" || w.null() {
			return w.skip()
		}
		e.owned = true
		var wrong string
		var err error
		if e.customer, wrong, err = w.string(); wrong != "" && e.flaw == nil {
			e.flaw = &flaw{"/properties/customer", wrong}
		}
		return err
	})
	if !ok && e.flaw == nil {
		e.flaw = &flaw{"/properties", wantsObject}
	}
	return err
}

func (w *walker) settings(item int) (*settings, error) {
	s := &settings{item: item}
	ok, err := w.members(func(name string) error {
		if name != "consistency" || w.null() {
			return w.skip()
		}
		text, wrong, err := w.string()
		switch s.consistency = access.Consistency(text); s.consistency {
		case access.Strong, access.Eventual, access.Snapshot:
		default:
			if wrong == "" {
				wrong = "This is strong, eventual or snapshot."
			}
			s.flaw = &flaw{"/consistency", wrong}
		}
		return err
	})
	if !ok {
		s.flaw = &flaw{"", wantsObject}
	}
	return s, err
}

func (w *walker) evaluations(items *[]ask, refused **access.Error) error {
	if w.dec.PeekKind() != '[' {
		*refused = invalid("/evaluations", "This has to be an array.")
		return w.skip()
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	*items = make([]ask, 0, 16)
	for w.dec.PeekKind() != ']' {
		n := len(*items)
		if n == maxEvaluations {
			*refused = invalid("/evaluations", "A batch may hold "+strconv.Itoa(maxEvaluations)+" evaluations at most: ask in several.")
			if err := w.skip(); err != nil {
				return err
			}
			continue
		}
		var a ask
		ok, err := w.members(func(name string) error {
			known, err := w.askMember(&a, n, name)
			if !known && err == nil {
				err = w.skip()
			}
			return err
		})
		if err != nil {
			return err
		}
		if !ok { // it asks nothing, not even what is asked of all
			a.subject = &entity{item: n, flaw: &flaw{wholeItem, wantsObject}}
		}
		*items = append(*items, a)
	}
	_, err := w.dec.ReadToken()
	return err
}

func (w *walker) options(s *semantic, refused **access.Error) error {
	ok, err := w.members(func(name string) error {
		if name != "evaluations_semantic" || w.null() {
			return w.skip()
		}
		text, wrong, err := w.string()
		*s = semantic(text)
		switch *s {
		case executeAll, denyOnFirstDeny, permitOnFirstPermit:
		default:
			wrong = "This is execute_all, deny_on_first_deny or permit_on_first_permit."
		}
		if wrong != "" {
			*refused = invalid("/options/evaluations_semantic", wrong)
		}
		return err
	})
	if !ok {
		*refused = invalid("/options", wantsObject)
	}
	return err
}

func (w *walker) page(p *page, refused **access.Error) error {
	ok, err := w.members(func(name string) error {
		if w.null() {
			return w.skip()
		}
		switch name {
		case "token":
			var wrong string
			var err error
			if p.token, wrong, err = w.string(); wrong != "" {
				*refused = invalid("/page/token", wrong)
			}
			return err
		case "limit":
			v, err := w.dec.ReadValue()
			if err != nil {
				return err
			}
			n, bad := strconv.Atoi(string(v))
			if bad != nil || n < 1 {
				*refused = invalid("/page/limit", "This is a whole number from 1.")
			}
			p.limit = min(n, maxLimit)
			return nil
		}
		return w.skip()
	})
	if !ok {
		*refused = invalid("/page", wantsObject)
	}
	return err
}

// members calls member for each member of an object; member reads the value. It passes over anything else and says so.
func (w *walker) members(member func(name string) error) (object bool, err error) {
	if w.dec.PeekKind() != '{' {
		return false, w.skip()
	}
	return true, w.object(member)
}

// null tells whether the value that comes next is null.
func (w *walker) null() bool { return w.dec.PeekKind() == 'n' }

// string reads a string. It passes over anything else, and wrong says that it was wrong.
func (w *walker) string() (s, wrong string, err error) {
	if w.dec.PeekKind() != '"' {
		return "", wantsString, w.skip()
	}
	s, err = w.text()
	return s, "", err
}

// Which members of a question an endpoint needs.
type needs struct{ subjectID, action, resourceID bool }

// flawed is what is wrong with a question, nil when nothing is.
func (a *ask) flawed(n needs) *access.Error {
	if e := a.subject.flawed("/subject", n.subjectID); e != nil {
		return e
	}
	if n.action {
		if e := a.action.flawed("/action", true); e != nil {
			return e
		}
	}
	if e := a.resource.flawed("/resource", n.resourceID); e != nil {
		return e
	}
	if a.context != nil && a.context.flaw != nil {
		return a.context.flaw.at(a.context.item, "/context")
	}
	return nil
}

func (e *entity) flawed(at string, id bool) *access.Error {
	switch {
	case e == nil:
		return invalid(at, isMissing)
	case e.noKind != nil:
		return e.noKind.at(e.item, at)
	case e.flaw != nil:
		return e.flaw.at(e.item, at)
	case id && e.noID != nil:
		return e.noID.at(e.item, at)
	}
	return nil
}

// wholeItem is the member of a flaw that concerns the whole evaluation.
const wholeItem = ".."

func (f *flaw) at(item int, member string) *access.Error {
	pointer := member + f.member
	if f.member == wholeItem {
		pointer = ""
	}
	if item != topLevel {
		pointer = "/evaluations/" + strconv.Itoa(item) + pointer
	}
	return invalid(pointer, f.detail)
}

// consistency is how the facts of a question are to be read.
func (a *ask) consistency() access.Consistency {
	if a.context == nil || a.context.consistency == "" {
		return access.Strong
	}
	return a.context.consistency
}
