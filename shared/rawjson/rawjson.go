// Package rawjson reads JSON member by member and writes its strings, without structs and reflection: for the check, which decodes two
// documents a request and uses few of their members.
package rawjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Reader reads one JSON value. The strings that it returns are parts of one copy of the input, and stay valid. Its zero value is ready for
// Reset, which makes it usable again.
type Reader struct {
	in   bytes.Buffer
	data string
	dec  jsontext.Decoder
}

// Reset begins with another input, which must not change before the reader is done with it.
func (r *Reader) Reset(input []byte) {
	r.data = string(input)
	r.in = *bytes.NewBuffer(input)
	r.dec.Reset(&r.in)
}

// Object calls member with each member's name; member reads the value. null is an object without members, anything else an error.
func (r *Reader) Object(member func(name string) error) error {
	t, err := r.dec.ReadToken()
	if err != nil {
		return err
	}
	switch t.Kind() {
	case 'n':
		return nil
	case '{':
	default:
		return fmt.Errorf("%s stands where an object should", r.dec.StackPointer())
	}
	for r.dec.PeekKind() != '}' {
		name, err := r.Text()
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err = r.dec.ReadToken()
	return err
}

// ObjectOrSkip is Object for a value that may be anything: it skips what is no object and returns false.
func (r *Reader) ObjectOrSkip(member func(name string) error) (isObject bool, err error) {
	if r.dec.PeekKind() != '{' {
		return false, r.Skip()
	}
	return true, r.Object(member)
}

// ArrayOrSkip calls element for each element of an array; element reads it. It skips what is no array and returns false.
func (r *Reader) ArrayOrSkip(element func() error) (isArray bool, err error) {
	if r.dec.PeekKind() != '[' {
		return false, r.Skip()
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return true, err
	}
	for r.dec.PeekKind() != ']' {
		if err := element(); err != nil {
			return true, err
		}
	}
	_, err = r.dec.ReadToken()
	return true, err
}

// Text reads a string, or a number or boolean as it is written; null is "". An object or array is an error.
func (r *Reader) Text() (string, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return "", err
	}
	end := int(r.dec.InputOffset())
	switch v.Kind() {
	case '"':
		if bytes.IndexByte(v, '\\') < 0 {
			return r.data[end-len(v)+1 : end-1], nil
		}
		b, err := jsontext.AppendUnquote(make([]byte, 0, len(v)), v)
		return string(b), err
	case 'n':
		return "", nil
	case '{', '[':
		return "", fmt.Errorf("%s is no text", r.dec.StackPointer())
	}
	return r.data[end-len(v) : end], nil
}

// StringOrSkip reads a string. It skips any other value and returns false.
func (r *Reader) StringOrSkip() (s string, isString bool, err error) {
	if r.dec.PeekKind() != '"' {
		return "", false, r.Skip()
	}
	s, err = r.Text()
	return s, true, err
}

// BoolOrSkip reads a boolean. It skips any other value and returns false.
func (r *Reader) BoolOrSkip() (b, isBool bool, err error) {
	if k := r.dec.PeekKind(); k != 't' && k != 'f' {
		return false, false, r.Skip()
	}
	b, err = r.Bool()
	return b, true, err
}

// Bool reads a value as Text does and returns whether it is true.
func (r *Reader) Bool() (bool, error) {
	s, err := r.Text()
	return s == "true", err
}

// Value reads any value as it is written. It is valid until the next call.
func (r *Reader) Value() ([]byte, error) { return r.dec.ReadValue() }

// Null returns whether the next value is null, without reading it.
func (r *Reader) Null() bool { return r.dec.PeekKind() == 'n' }

// Skip reads a value that is not needed.
func (r *Reader) Skip() error { return r.dec.SkipValue() }

// End returns an error when anything follows the value.
func (r *Reader) End() error {
	if _, err := r.dec.ReadToken(); err != io.EOF { //nolint:errorlint // ReadToken promises it unwrapped
		return errors.New("something follows the JSON value")
	}
	return nil
}

// AppendString appends s as a JSON string. Bytes that are no UTF-8 are replaced.
func AppendString[T ~[]byte | ~string](b []byte, s T) []byte {
	b, err := jsontext.AppendQuote(b, s)
	_ = err // says only that something was replaced
	return b
}

// AppendJSON is AppendString for a text that is JSON itself, which is mostly quotes to escape and plain ASCII.
func AppendJSON(b, text []byte) []byte {
	from := len(b)
	b = append(b, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			return AppendString(b[:from], text)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// AppendStringTwice appends s as a JSON string that stands inside of a JSON string.
func AppendStringTwice(b []byte, s string) []byte {
	var buffer [64]byte
	for _, c := range AppendString(buffer[:0], s) { // which is UTF-8 and has no control characters
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}
