package httpapi

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
)

func header(name, value string) []apigateway.Field {
	return []apigateway.Field{{Name: name, Value: value}}
}

// refusedAs fails unless an error is a refusal of that code, each of whose pointers is one.
func refusedAs(t *testing.T, err error, codes ...access.Code) {
	t.Helper()
	var e *access.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a refusal", err)
	}
	for _, c := range codes {
		if e.Code == c {
			for _, f := range e.Fields {
				if !strings.HasPrefix(f.Pointer, "?") && !jsontext.Pointer(f.Pointer).IsValid() {
					t.Errorf("got the pointer %q, which is none", f.Pointer)
				}
			}
			return
		}
	}
	t.Errorf("got %v, want one of %v", e, codes)
}

// A cursor is made by us; whatever comes back is one of ours for that list, or refused.
func FuzzCursor(f *testing.F) {
	r := &apigateway.Request{RouteKey: "GET /v1/customers/{customer}/grants", Path: "/v1/customers/acme/grants"}
	ours := *cursor(listDigest(r, url.Values{"q": {"con"}}), "G#contoso")
	for _, q := range []string{
		"", "limit=1", "limit=101", "limit=%31", "q=con&cursor=" + ours, "cursor=" + ours, "cursor=%00", "cursor=====",
		"limit=1&limit=2", "a;b", "%zz", "=", "status=active,ended",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := *r
		r.RawQuery = query
		ask, filter, digest, err := pageAsk(&r, "q", "status")
		if err != nil {
			refusedAs(t, err, access.Invalid)
			return
		}
		if ask.Limit < 1 || ask.Limit > maxLimit {
			t.Errorf("got the limit %d", ask.Limit)
		}
		for name := range filter {
			if name != "q" && name != "status" {
				t.Errorf("got the filter %q, which is unknown", name)
			}
		}
		if ask.After == "" {
			return
		}
		if !utf8.ValidString(ask.After) || strings.ContainsAny(ask.After, "\x00\r\n") || len(ask.After) > 900 {
			t.Errorf("got the position %q, which cannot stand in a key", ask.After)
		}
		// Where it comes from, it is taken again, for the same filter alone.
		r.RawQuery = filter.Encode() + "&cursor=" + *cursor(digest, ask.After)
		if again, _, _, err := pageAsk(&r, "q", "status"); err != nil || again.After != ask.After {
			t.Errorf("got %q, %v, want %q again", again.After, err, ask.After)
		}
		r.Path = "/v1/customers/globex/grants"
		if _, _, _, err := pageAsk(&r, "q", "status"); err == nil {
			t.Error("got another customer's cursor accepted")
		}
	})
}

// An If-Match is a version, any, or matches nothing.
func FuzzIfMatch(f *testing.F) {
	for _, tag := range []string{
		"", "*", `"7"`, `W/"7"`, `"7","7"`, `, "7" , ,W/"8"`, `"a,b", "7"`, `*, "7"`, `"7" "8"`, `W/`, `"7",`, `"07"`,
		`"+7"`, `"-7"`, `"0"`, `"9223372036854775807"`, `"9223372036854775808"`, `"7", "8"`, `""7""`, "7", "\"7", "\u00a0*",
	} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		for _, one := range entityTags(tag) {
			if bare := strings.TrimPrefix(one, "W/"); len(bare) < 2 || bare[0] != '"' || strings.IndexByte(bare[1:], '"') != len(bare)-2 ||
				!strings.Contains(tag, one) {
				t.Errorf("%q: got the entity tag %q, want what stands in quotes", tag, one)
			}
		}
		c := &call{Request: &apigateway.Request{Headers: header("if-match", tag)}}
		seen, err := c.readIfMatch(true)
		trimmed := strings.TrimSpace(tag)
		switch {
		case trimmed == "":
			refusedAs(t, err, ifMatchRequired)
		case err != nil:
			t.Errorf("got %v", err)
		case trimmed == "*" && seen != access.AnyVersion, trimmed != "*" && seen < 0:
			t.Errorf("got the version %d", seen)
		case seen > 0 && etag(seen) != trimmed:
			t.Errorf("got the version %d of %q, which is written otherwise", seen, trimmed)
		}
	})
}

// An Idempotency-Key is visible ASCII, and two that differ are never taken for one another, nor another caller's.
func FuzzIdempotencyKey(f *testing.F) {
	f.Add("k", "l", "a@x.example", "b@x.example")
	f.Add("k\n", "k", "", "")
	f.Add(strings.Repeat("k", 255), strings.Repeat("k", 256), "a", "a")
	f.Add("a", "b\na", "s\n", "s")
	f.Fuzz(func(t *testing.T, key, other, subject, another string) {
		digest := func(key, subject string) string {
			c := &call{
				Request: &apigateway.Request{Method: "POST", RouteKey: "POST /v1/x", Path: "/v1/x", Headers: header("idempotency-key", key)},
				api:     &api{},
			}
			c.api.Now = func() time.Time { return time.Unix(0, 0) }
			c.Claims.Subject = subject
			a, err := c.idempotency("")
			visible := key != "" && len(key) <= 255 && strings.Trim(key, visibleASCII()) == ""
			if (err == nil && a != nil) != visible {
				t.Errorf("key %q: got %v, %v", key, a, err)
			}
			if err != nil {
				refusedAs(t, err, access.Invalid)
			}
			if a == nil {
				return ""
			}
			return a.Digest
		}
		one := digest(key, subject)
		if two := digest(other, subject); one != "" && two == one && key != other {
			t.Errorf("the keys %q and %q are taken for one another", key, other)
		}
		if two := digest(key, another); one != "" && two == one && subject != another {
			t.Errorf("the key of %q is taken for that of %q", subject, another)
		}
	})
}

func visibleASCII() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

// A body that is taken is JSON of one object; what is refused is pointed at.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"users":{"set":["contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV"]},"level":"manage"}`, `{"from":"2027-01-01T00:00:00+01:00","until":null}`,
		`{"level":null}`,
		`{"level":"view","level":"manage"}`, `{"a/b":1}`, `{"users":{"set":[1]}}`, `{"note":"\ud800"}`, "\xff{}", `{"everyone":1e400}`, `[`,
		`{"until":"9999-12-31T23:59:59-14:00"}`, `{"users":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &apigateway.Request{Body: body, Headers: header("content-type", "application/json")}
		var b editBody
		if err := decodeBody(r, &b); err != nil {
			refusedAs(t, err, access.Invalid)
			return
		}
		var o map[string]any
		if err := json.Unmarshal(body, &o); err != nil || !utf8.Valid(body) {
			t.Errorf("%q: got it accepted, though it is no JSON object: %v", body, err)
		}
		cmd, err := b.command()
		if err != nil {
			refusedAs(t, err, access.Invalid, access.TooManyUsers)
			return
		}
		if cmd.Note != nil && !access.ValidNote(*cmd.Note) || len(cmd.Add) > access.MaxUserChanges ||
			cmd.Until != nil && !cmd.Until.IsZero() && (cmd.Until.Year() < 1970 || cmd.Until.Year() > 9999) {
			t.Errorf("%q: got %+v", body, cmd)
		}
	})
}
