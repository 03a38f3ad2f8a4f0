package ask_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"partneraccess/scripts/local/ask"
)

func TestARequestIsSentAsItIsMeantAndItsAnswerRead(t *testing.T) {
	var got *http.Request
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got, body = r, string(text)
		w.Header().Set("ETag", `"7"`)
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusConflict)
		}
		_, _ = io.WriteString(w, `{"code":"last_user","n":1}`)
	}))
	defer s.Close()
	for name, c := range map[string]struct {
		body            any
		text, mediaType string
	}{
		"nothing":        {nil, "", ""},
		"an object":      {map[string]int{"a": 1}, `{"a":1}`, "application/json"},
		"JSON as it is":  {json.RawMessage(`{ "a":1 `), `{ "a":1 `, "application/json"},
		"a value's null": {map[string]int(nil), "null", "application/json"},
	} {
		a, err := ask.Send(t.Context(), s.Client(), ask.Request{
			Method: http.MethodPatch, URL: s.URL + "/yes?q=1", Token: "t", Body: c.body, Header: map[string]string{"If-Match": "*"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if h := got.Header; got.Method != http.MethodPatch || got.URL.RawQuery != "q=1" || body != c.text ||
			h.Get("Content-Type") != c.mediaType || h.Get("Authorization") != "Bearer t" || h.Get("If-Match") != "*" {
			t.Errorf("%s: got %s %s %v %q, want it as it was given, of the type %q", name, got.Method, got.URL, h, body, c.mediaType)
		}
		var into struct{ N int }
		if err := a.Into(&into); err != nil || !a.Done() || into.N != 1 || a.Header.Get("ETag") != `"7"` || a.Text("code") != "last_user" ||
			a.Text("n") != "" {
			t.Errorf("%s: got %+v and %+v (%v), want what was answered", name, a, into, err)
		}
	}

	a, err := ask.Send(t.Context(), s.Client(), ask.Request{Method: http.MethodGet, URL: s.URL + "/no"})
	if err != nil || a.Done() || got.Header.Get("Authorization") != "" {
		t.Fatalf("got %+v, %v, want an answer", a, err)
	}
	refused, ok := errors.AsType[*ask.Refused](a.Into(nil))
	if !ok || refused.Status != http.StatusConflict || !strings.HasPrefix(refused.Error(), "GET /no answered 409: {") {
		t.Errorf("got %v, want it refused, and what", refused)
	}
	s.Close()
	if _, err := ask.Send(t.Context(), s.Client(), ask.Request{Method: http.MethodGet, URL: s.URL}); err == nil {
		t.Error("nobody is there: got no error, want one")
	}
}
