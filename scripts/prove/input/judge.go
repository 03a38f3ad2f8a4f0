package input

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"partneraccess/scripts/prove/spec"
)

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is what is read of a problem document.
type problem struct {
	Code   string
	Detail string
	Errors []struct{ Pointer string }
}

// judge says what is wrong with an answer, and whether it named the one member that was broken, where it has to.
func judge(c *spec.Contract, q *request, sent *http.Request, a answer) (culprit bool, wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if a.status >= http.StatusInternalServerError {
		add("a fault of the service's")
	}
	if err := c.Check(sent, q.body, a.status, a.header, a.body); err != nil {
		// What is wrong with one question of many is told with the others' answers, and decisions pass over what they do not know.
		decided := (!strings.HasPrefix(q.op.path, "/v1/") || q.op.key() == "POST /v1/partners/{partner}/users") && a.status == http.StatusOK
		if !decided || !strings.HasPrefix(err.Error(), "the request") {
			add("against the contract: %v", err)
		}
	}
	if q.must && a.status < 300 {
		add("accepted, though it has to be refused")
	}
	if !q.one || a.status == http.StatusRequestEntityTooLarge {
		return false, wrong
	}
	var p problem
	if a.status >= 400 {
		_ = json.Unmarshal(a.body, &p) // the contract has judged it
	}
	// tell what is wrong with each, under 200
	each := q.op.path == "/access/v1/evaluations" || q.op.key() == "POST /v1/partners/{partner}/users"
	if each && a.status == http.StatusOK || strings.HasSuffix(q.op.path, "/password") {
		return false, wrong // no passwords are kept here, whatever is sent
	}
	allowed := c.Body(q.op.method, q.op.path, q.body) == nil && !q.must
	var pointers []string
	for _, e := range p.Errors {
		pointers = append(pointers, e.Pointer)
	}
	parent := q.broken[:strings.LastIndex(q.broken, "/")]
	named := func(s string) bool {
		return s == q.broken || strings.HasPrefix(s, q.broken+"/") || q.missing && s == parent
	}
	switch {
	case allowed:
		// A rule may forbid what the schema allows; several members may only be wrong together.
	case a.status != http.StatusBadRequest && p.Code != "too_many_users":
		add("one member is wrong, and the answer does not say so")
	case (q.added || q.missing) && (q.op.schema.If != nil || len(q.op.schema.AnyOf)+len(q.op.schema.OneOf) > 0) && len(pointers) > 0:
		// it may not stand beside the others, whatever its value
	case !slices.ContainsFunc(pointers, named):
		add("the pointers are %q, and the member that is wrong is %q", pointers, q.broken)
	case !q.added && slices.ContainsFunc(pointers, func(s string) bool { return !named(s) }):
		add("the pointers are %q, and only %q is wrong", pointers, q.broken)
	default:
		return true, wrong
	}
	return false, wrong
}
