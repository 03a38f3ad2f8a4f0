// Package ask sends requests to the API as its callers do, with JSON, and reads the answers whole.
package ask

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Request is one to be sent.
type Request struct {
	Method, URL string
	Token       string // "" = none
	Body        any    // nil = none; a json.RawMessage as it is, all else as JSON
	Header      map[string]string
}

// Answer is what came back, of whatever status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	about  string
}

// Send fails only when no whole answer comes.
func Send(ctx context.Context, c *http.Client, r Request) (Answer, error) {
	var content io.Reader = http.NoBody
	if r.Body != nil {
		text, raw := r.Body.(json.RawMessage)
		if !raw {
			var err error
			if text, err = json.Marshal(r.Body); err != nil {
				return Answer{}, err
			}
		}
		content = bytes.NewReader(text)
	}
	out, err := http.NewRequestWithContext(ctx, r.Method, r.URL, content)
	if err != nil {
		return Answer{}, err
	}
	if r.Token != "" {
		out.Header.Set("Authorization", "Bearer "+r.Token)
	}
	if r.Body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.Header {
		out.Header.Set(name, value)
	}
	in, err := c.Do(out)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = in.Body.Close() }()
	text, err := io.ReadAll(in.Body)
	return Answer{in.StatusCode, in.Header, text, r.Method + " " + out.URL.Path}, err
}

// Done is whether it says that it was done.
func (a Answer) Done() bool {
	return a.Status >= http.StatusOK && a.Status < http.StatusMultipleChoices
}

// Text is a member of the body that is a text; "" when there is none of that name.
func (a Answer) Text(member string) string {
	var o map[string]any
	_ = json.Unmarshal(a.Body, &o)
	s, _ := o[member].(string)
	return s
}

// Into decodes what was done into a value, unless that is nil. It fails with *Refused when it was not done.
func (a Answer) Into(v any) error {
	switch {
	case !a.Done():
		return &Refused{a}
	case v == nil:
		return nil
	}
	return json.Unmarshal(a.Body, v)
}

// Refused is an answer that is no success.
type Refused struct{ Answer }

func (r *Refused) Error() string {
	return fmt.Sprintf("%s answered %d: %s", r.about, r.Status, bytes.TrimSpace(r.Body))
}
