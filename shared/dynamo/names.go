package dynamo

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/oklog/ulid/v2"
	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// normalise is a name as it is searched: without case, without accents, words separated by one space.
func normalise(name string) string { return strings.Join(words(name), " ") }

// words are the normal forms of a name's words, in their order.
func words(name string) []string {
	fold := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), norm.NFC)
	plain, _, err := transform.String(fold, name)
	if err != nil {
		plain = strings.ToLower(name)
	}
	ws := strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	if len(ws) == 0 { // a name of signs alone
		ws = []string{"_"}
	}
	return ws
}

// distinctWords are the words under which a name is found.
func distinctWords(name string) []string {
	ws := words(name)
	slices.Sort(ws)
	return slices.Compact(ws)
}

// NameMatches tells whether each word of the query begins a word of the name, or whether the query begins the id.
func NameMatches(name, id, query string) bool {
	if query == "" || strings.HasPrefix(strings.ToLower(id), strings.ToLower(query)) {
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

// firstID is the first ULID of that instant.
func firstID(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(uint64(max(t.UnixMilli(), 0))) // fails after the year 10889 only
	return id.String()
}
