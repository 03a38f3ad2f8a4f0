package dynamo

import (
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/text/unicode/norm"

	"partneraccess/shared/access"
)

// maxNameBytes limits the name by which a list is sorted, so that it fits into a key in any script: one character can become 18 in normal
// form.
const maxNameBytes = 900

// normalise returns the form in which names are sorted: without case and accents, words separated by one space.
func normalise(name string) string {
	s := strings.Join(words(name), " ")
	if len(s) > maxNameBytes {
		s = strings.ToValidUTF8(s[:maxNameBytes], "")
	}
	return s
}

func words(name string) []string         { return access.NameWords(name) }
func distinctWords(name string) []string { return access.DistinctNameWords(name) }

// NameMatches reports whether each word of the query begins a word of the name, or the query begins the id: an address or a domain as it is
// stored, or as it is displayed.
func NameMatches(name, id, query string) bool {
	if query == "" || begins(id, query) {
		return true
	}
	have := words(name)
	for _, q := range words(query) {
		if !slices.ContainsFunc(have, func(w string) bool { return strings.HasPrefix(w, q) }) {
			return false
		}
	}
	return true
}

func begins(id, query string) bool {
	q := strings.ToLower(query)
	if shown := access.ShownEmail(id); shown != id && strings.HasPrefix(shown, norm.NFC.String(q)) {
		return true
	}
	return strings.HasPrefix(strings.ToLower(id), q)
}

// firstID returns the first ULID of that instant.
func firstID(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(uint64(max(t.UnixMilli(), 0))) // fails after the year 10889 only
	return id.String()
}
