package apigateway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"partneraccess/shared/rawjson"
)

// decoder reads payloads, one after the other. It does not unmarshal them into events.APIGatewayV2HTTPRequest: that takes a third of the
// whole time of a check, for fields that nobody looks at.
type decoder struct {
	rawjson.Reader
	buffer  []byte // see Request.Buffer
	maxBody int    // bytes
}

// badBody is why no handler sees a request.
type badBody struct {
	status int
	detail string
}

// decode reads the payload into r. The error is for what is no payload of API Gateway's.
func (d *decoder) decode(payload []byte, r *Request) (*badBody, error) {
	d.Reset(payload)
	defer d.Reset(nil) // keep no request in the pool
	e := event{Reader: &d.Reader, request: r, fields: make([]Field, 0, 24)}
	if err := e.Object(e.member); err != nil {
		return nil, err
	}
	if err := e.End(); err != nil {
		return nil, err
	}
	if r.RouteKey == "" {
		return nil, errors.New("it has no routeKey")
	}
	e.token.complete(&r.Claims)
	r.RequestID = e.gatewayID
	if id := r.Header("x-request-id"); loggableID(id) {
		r.RequestID = id
	}
	return e.setBody(d.maxBody), nil
}

// event is a payload that is being read: one method for each object in it that has members of use.
type event struct {
	*rawjson.Reader
	request   *Request
	fields    []Field // headers and path parameters, in one piece
	body      string
	encoded   bool
	gatewayID string
	token     token
}

func (e *event) member(name string) (err error) {
	switch name {
	case "version":
		var v string
		if v, err = e.Text(); err == nil && v != "2.0" {
			err = fmt.Errorf("its version is %q", v)
		}
	case "routeKey":
		e.request.RouteKey, err = e.Text()
	case "rawPath":
		e.request.Path, err = e.Text()
	case "rawQueryString":
		e.request.RawQuery, err = e.Text()
	case "headers":
		e.request.Headers, err = e.readFields()
	case "pathParameters":
		e.request.Params, err = e.readFields()
	case "body":
		e.body, err = e.Text()
	case "isBase64Encoded":
		e.encoded, err = e.Bool()
	case "requestContext":
		err = e.Object(e.contextMember)
	default:
		err = e.Skip()
	}
	return err
}

func (e *event) contextMember(name string) (err error) {
	switch name {
	case "requestId":
		e.gatewayID, err = e.Text()
	case "http":
		err = e.Object(e.httpMember)
	case "authorizer":
		err = e.Object(e.authorizerMember)
	default:
		err = e.Skip()
	}
	return err
}

func (e *event) httpMember(name string) (err error) {
	if name != "method" {
		return e.Skip()
	}
	e.request.Method, err = e.Text()
	return err
}

func (e *event) authorizerMember(name string) error {
	if name != "jwt" {
		return e.Skip()
	}
	return e.Object(e.jwtMember)
}

func (e *event) jwtMember(name string) error {
	if name != "claims" {
		return e.Skip()
	}
	return e.Object(e.claim)
}

// token holds claims whose meaning depends on others.
type token struct {
	use, email, username     string
	verified, usernameNoText bool
}

func (e *event) claim(name string) (err error) {
	c := &e.request.Claims
	switch name {
	case "iss":
		c.Issuer, err = e.Text()
	case "sub":
		c.Subject, err = e.Text()
	case "email":
		e.token.email, err = e.Text()
	case "email_verified": // API Gateway turns all claims into strings
		e.token.verified, err = e.Bool()
	case "cognito:username":
		var isText bool
		c.Account, isText, err = e.StringOrSkip()
		c.Unclear = !isText
	case "username": // so an access token of Cognito's names the same
		var isText bool
		e.token.username, isText, err = e.StringOrSkip()
		e.token.usernameNoText = !isText
	case "token_use":
		e.token.use, err = e.Text()
	case "scope", "scp": // API Gateway looks at either; a list has become "[a b]"
		var v string
		if v, err = e.Text(); err == nil {
			c.Scopes = append(c.Scopes, strings.Fields(strings.Trim(v, "[]"))...)
		}
	default:
		err = e.Skip()
	}
	return err
}

func (t *token) complete(c *Claims) {
	if t.use == "access" && c.Account == "" && !c.Unclear {
		c.Account, c.Unclear = t.username, t.usernameNoText
	}
	if t.verified {
		c.Email = t.email
	}
}

// readFields reads an object of texts, to the end of the fields.
func (e *event) readFields() ([]Field, error) {
	from := len(e.fields)
	err := e.Object(func(name string) error {
		v, err := e.Text()
		e.fields = append(e.fields, Field{name, v})
		return err
	})
	return e.fields[from:len(e.fields):len(e.fields)], err
}

func (e *event) setBody(most int) *badBody {
	e.request.Body = []byte(e.body)
	if e.encoded {
		var err error
		if e.request.Body, err = base64.StdEncoding.DecodeString(e.body); err != nil {
			return &badBody{http.StatusBadRequest, "the body is no base64, though API Gateway says so"}
		}
	}
	if n := len(e.request.Body); n > most {
		return &badBody{http.StatusRequestEntityTooLarge, fmt.Sprintf("A body may have %d bytes at most; this one has %d.", most, n)}
	}
	return nil
}

// loggableID returns whether a caller's request id can be logged and sent back as it is.
func loggableID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
