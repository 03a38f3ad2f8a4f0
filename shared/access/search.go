package access

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

const (
	// maxWordRunes is how much of a word of a name is searched, in characters of its normal form.
	maxWordRunes = 64
	// MaxNameWords is how many different words the name of a partner has at most: each has a row of its own, written in the same transaction.
	MaxNameWords = 20
)

// NameWords are the normal forms of a name's words, in their order: without case and accents. A name of signs alone has the word "_".
func NameWords(name string) []string {
	if ws, plain := asciiWords(name); plain { // nearly always, and fifty times as fast
		return ws
	}
	// Left taken apart: so the first letters of a Korean syllable begin it.
	fold := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), runes.Map(bare))
	plain, _, err := transform.String(fold, name)
	if err != nil {
		plain = strings.ToLower(name)
	}
	return wordsOf(plain)
}

// asciiWords are the words of a name of ASCII alone, which has no other normal form than the lower case; false for other names.
func asciiWords(name string) (ws []string, plain bool) {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return nil, false
		}
	}
	return wordsOf(strings.ToLower(name)), true
}

func wordsOf(plain string) []string {
	ws := strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) })
	if len(ws) == 0 { // a name of signs alone
		ws = []string{"_"}
	}
	for i, w := range ws {
		if len(w) <= maxWordRunes {
			continue
		}
		if r := []rune(w); len(r) > maxWordRunes {
			ws[i] = string(r[:maxWordRunes])
		}
	}
	return ws
}

// DistinctNameWords are the words under which a name is found, in the order of their code points.
func DistinctNameWords(name string) []string {
	ws := NameWords(name)
	slices.Sort(ws)
	return slices.Compact(ws)
}

// NameMatches reports whether each word of the query begins a word of the name, or the query begins the id: an address or a domain as it is
// stored, or as it is displayed.
func NameMatches(name, id, query string) bool {
	if query == "" || IDBegins(id, query) {
		return true
	}
	have := NameWords(name)
	for _, q := range NameWords(query) {
		if !slices.ContainsFunc(have, func(w string) bool { return strings.HasPrefix(w, q) }) {
			return false
		}
	}
	return true
}

// IDBegins reports whether the query begins an id, as NameMatches has it.
func IDBegins(id, query string) bool {
	q := strings.ToLower(query)
	if shown := ShownEmail(id); shown != id && strings.HasPrefix(shown, norm.NFC.String(q)) {
		return true
	}
	return strings.HasPrefix(strings.ToLower(id), q)
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

// SearchText is what somebody looks for, without the characters that are shown as nothing: a name that is copied out of a mail has
// zero-width spaces in it. Joiners stay, as they do in names.
func SearchText(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\u200c' && r != '\u200d' && (ignorable(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return -1
		}
		return r
	}, s))
}
