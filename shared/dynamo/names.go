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

// A word of a name is searched by its beginning, and a name sorted by it, of a length that fits into a key whatever the script: some
// characters stand for up to 18 in the normal form.
const (
	maxWordRunes = 64
	maxNameBytes = 900
)

// normalise is a name as it is sorted: without case, without accents, words separated by one space.
func normalise(name string) string {
	s := strings.Join(words(name), " ")
	if len(s) > maxNameBytes {
		s = strings.ToValidUTF8(s[:maxNameBytes], "")
	}
	return s
}

// words are the normal forms of a name's words, in their order.
func words(name string) []string {
	// Left taken apart: so the first letters of a Korean syllable begin it.
	fold := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), runes.Map(bare))
	plain, _, err := transform.String(fold, name)
	if err != nil {
		plain = strings.ToLower(name)
	}
	ws := strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) })
	if len(ws) == 0 { // a name of signs alone
		ws = []string{"_"}
	}
	for i, w := range ws {
		if r := []rune(w); len(r) > maxWordRunes {
			ws[i] = string(r[:maxWordRunes])
		}
	}
	return ws
}

// bare takes the stroke, or the missing dot, off letters that Unicode does not take apart: people leave them out when they search.
func bare(r rune) rune {
	switch r {
	case 'ı':
		return 'i'
	case 'ł':
		return 'l'
	case 'ø':
		return 'o'
	case 'đ', 'ð':
		return 'd'
	case 'ħ':
		return 'h'
	case 'ŧ':
		return 't'
	}
	return r
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
