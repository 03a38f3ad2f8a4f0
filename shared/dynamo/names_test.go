package dynamo

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"partneraccess/shared/access"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestWordsOfANameAreWithoutCaseAccentsAndSigns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about, name string
		want        []string
	}{
		{"case", "Contoso MSP", []string{"contoso", "msp"}},
		{"accents", "Société Générale d'Été", []string{"societe", "generale", "d", "ete"}},
		{"accents that are characters of their own", "Socie\u0301te\u0301", []string{"societe"}},
		{"German", "Straße & Söhne", []string{"strasse", "sohne"}},
		{"German capitals", "STRASSE STRAẞE", []string{"strasse", "strasse"}},
		{"Turkish dotted and dotless", "İstanbul Işık ışık IŞIK", []string{"istanbul", "isik", "isik", "isik"}},
		{"Polish, Danish, Croatian, Maltese", "Łódź Øresund Đakovo Ħamrun", []string{"lodz", "oresund", "dakovo", "hamrun"}},
		{"Greek, with a final sigma", "Σίσυφος ΣΊΣΥΦΟΣ", []string{"σισυφοσ", "σισυφοσ"}},
		{"Cyrillic", "Ёлка и Йод", []string{"елка", "и", "иод"}},
		{"Chinese, Japanese", "東京システム 株式会社", []string{"東京システム", "株式会社"}},
		{"half and full width", "ＡＢＣ ｼｽﾃﾑ", []string{"abc", "システム"}},
		{"Korean, taken apart", "한국 주식회사", []string{norm.NFD.String("한국"), norm.NFD.String("주식회사")}},
		{"Hindi: vowel signs are part of their word", "हिन्दी सेवा", words("हिन्दी सेवा")},
		{"punctuation", "  A&B/C-D: (e.f) \u2013 4.2! ", []string{"a", "b", "c", "d", "e", "f", "4", "2"}},
		{"digits", "24x7 Support²", []string{"24x7", "support2"}},
		{"ligatures", "ﬁne Ǆ", []string{"fine", "dz"}},
		{"signs alone", "&!", []string{"_"}},
		{"an emoji", "🚀", []string{"_"}},
		{"nothing", "", []string{"_"}},
	} {
		if got := words(c.name); !slices.Equal(got, c.want) {
			t.Errorf("%s: words of %q: got %q, want %q", c.about, c.name, got, c.want)
		}
	}
	if got := words("हिन्दी सेवा"); len(got) != 2 {
		t.Errorf("words of हिन्दी सेवा: got %q, want 2", got)
	}
	if got, want := normalise("  Zoë's  Bürö (Nord)"), "zoe s buro nord"; got != want {
		t.Errorf("normalise: got %q, want %q", got, want)
	}
}

func TestAQueryMatchesWhenEachOfItsWordsBeginsAWordOfTheName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, id, query string
		want            bool
	}{
		{"Contoso MSP", "c-1", "", true},
		{"Contoso MSP", "c-1", "con", true},
		{"Contoso MSP", "c-1", "MSP con", true},
		{"Contoso MSP", "c-1", "con con", true},
		{"Contoso MSP", "c-1", "con xyz", false},
		{"Contoso MSP", "c-1", "toso", false},
		{"Contoso MSP", "c-1", "contosos", false},
		{"Contoso MSP", "c-1", "C-1", true},
		{"Contoso MSP", "c-1", "1", false},
		{"Contoso MSP", "", "c-1", false},
		{"Straße & Söhne", "s", "STRASSE sohne", true},
		{"Straße & Söhne", "s", "straß", true},
		{"Işık", "x", "isik", true},
		{"Işık", "x", "ışık", true},
		{"Işık", "x", "IŞIK", true},
		{"Σίσυφος", "s", "σισυφος", true},
		{"Σίσυφος", "s", "Σίσ", true},
		{"東京システム", "t", "東京", true},
		{"東京システム", "t", "システム", false},
		{"हिन्दी", "h", "हि", true},
		{"한국", "k", "하", true},
		{"한국", "k", "한", true},
		{"한국", "k", "국", false},
		{"🚀", "r", "!", true},
		{"Contoso", "c", "!", false},
	} {
		if got := access.NameMatches(c.name, c.id, c.query); got != c.want {
			t.Errorf("%q (%s) and the query %q: got %v, want %v", c.name, c.id, c.query, got, c.want)
		}
	}
}

func TestAnyNameIsFoundByTheBeginningOfEachOfItsWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.RuneFrom([]rune("-& "), unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Han, unicode.Hangul, unicode.Nd).
			Filter(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("-& ", r) })
		name := rapid.StringOf(letters).Draw(t, "name")
		for _, w := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-& ", r) }) {
			r := []rune(w)
			query := string(r[:rapid.IntRange(1, len(r)).Draw(t, "length")])
			if ws := words(query); ws[0] != "_" && !access.NameMatches(name, "", query) {
				t.Fatalf("%q by %q: got no match, want one (words %q and %q)", name, query, words(name), words(query))
			}
		}
		for _, w := range words(name) {
			if w == "" || strings.Contains(w, "#") || !utf8.ValidString(w) || utf8.RuneCountInString(w) > 64 {
				t.Fatalf("words of %q: got %q, want neither empty, nor too long, nor with #", name, w)
			}
		}
	})
}

func TestKeysOfTheLongestNamesFit(t *testing.T) {
	t.Parallel()
	const most = 1024 // bytes of a sort key
	id := strings.Repeat("p", 64)
	for _, c := range []string{"a", "\u00e4", "東", "\u3300", "\ufdfa", "𝔸", "㍿", "½"} {
		for _, name := range []string{strings.Repeat(c, 200), strings.Repeat(c+" ", 100)} {
			if got := len(directorySK(normalise(name), id)); got > most {
				t.Errorf("%s, 200 times: got %d bytes of the directory's key, want at most %d", c, got, most)
			}
			if !utf8.ValidString(normalise(name)) {
				t.Errorf("%s, 200 times: got a normal form that is no UTF-8", c)
			}
			for _, w := range words(name) {
				if got := len(wordKey(w, id).SK); got > most {
					t.Errorf("%s, 200 times: got %d bytes of a word's key, want at most %d", c, got, most)
				}
			}
			if !access.NameMatches(name, "", name) {
				t.Errorf("%s, 200 times: the name does not match itself", c)
			}
		}
	}
}
