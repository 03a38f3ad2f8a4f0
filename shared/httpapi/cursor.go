package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"partneraccess/shared/access"
	"partneraccess/shared/apigateway"
)

const (
	defaultLimit = 50
	maxLimit     = 100
)

// A cursor is the position after a page, together with a digest of the list that it belongs to. It names only a place in the list that the
// request asks for, so that a forged one reaches nothing else.

// listDigest identifies a list: the route, what its path names, and its filter.
func listDigest(r *apigateway.Request, filter url.Values) string {
	sum := sha256.Sum256([]byte(r.RouteKey + "\n" + r.Path + "\n" + filter.Encode()))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func cursor(digest, position string) *string {
	if position == "" {
		return nil
	}
	c := base64.RawURLEncoding.EncodeToString([]byte(digest + position))
	return &c
}

// pageAsk reads limit and cursor. The remaining parameters are the filter; unknown ones are refused.
func pageAsk(r *apigateway.Request, known ...string) (access.PageRequest, url.Values, string, error) {
	ask := access.PageRequest{Limit: defaultLimit}
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		return ask, nil, "", access.Refuse(access.Invalid, "the query string cannot be read: percent-encode it")
	}
	var f findings
	filter := url.Values{}
	for name, values := range q {
		switch {
		case len(values) > 1:
			f.add("?"+name, "this parameter stands there twice")
		case name == "limit":
			n, err := strconv.Atoi(values[0])
			if err != nil || n < 1 || n > maxLimit {
				f.add("?limit", "limit is a number from 1 to 100")
			} else {
				ask.Limit = n
			}
		case name == "cursor":
		case !slices.Contains(known, name):
			f.add("?"+name, "this parameter is unknown here")
		case values[0] != "":
			filter[name] = values
		}
	}
	digest := listDigest(r, filter)
	if c := q.Get("cursor"); c != "" {
		text, err := base64.RawURLEncoding.DecodeString(c)
		position, ours := strings.CutPrefix(string(text), digest)
		if err != nil || !ours || position == "" || !plainPosition(position) {
			f.add("?cursor", "this cursor belongs to another list or filter, or is none: start again without it")
		}
		ask.After = position
	}
	return ask, filter, digest, sortedErr(&f)
}

// noQuery refuses parameters where none are known: a caller who sends one expects an effect.
func noQuery(r *apigateway.Request) error {
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil || len(q) == 0 && r.RawQuery != "" {
		return access.Refuse(access.Invalid, "there is no query string here")
	}
	var f findings
	for name := range q {
		f.add("?"+name, "this parameter is unknown here")
	}
	return sortedErr(&f)
}

// sortedErr sorts what was found by parameter: they come from a map, and the same request has to get the same answer.
func sortedErr(f *findings) error {
	slices.SortStableFunc(f.fields, func(a, b access.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return f.err()
}

// plainPosition returns whether a position can stand in a key: short text without control characters.
func plainPosition(s string) bool {
	return len(s) <= 900 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
