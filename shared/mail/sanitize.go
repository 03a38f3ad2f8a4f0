package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// People enter names and notes, and mails carry them to others under the provider's name: so they must not be able to pass for anything
// else than text. Templates escape what would be markup. This file sees to the rest:
//
//   - No line breaks and control characters, so that no header, paragraph or fact can be forged. Notes keep their lines, each quoted.
//   - No invisible characters: those that change the direction of what follows make a text read as another. A text with letters that are
//     written from right to left stands in an isolate, so that it does not turn its neighbours round.
//   - No links. Mail programs make links of what looks like an address, "http://evil.example" and even "evil.example", in HTML and in
//     plain text. A zero-width space (U+200B) after each ".", ":", "/", "@" or "\" within a word keeps them from it, and lets a long
//     word break there. Turned down: to drop such characters or to write "evil[.]example", since "Amazon.com" and "A/B Ltd." are honest
//     names and should read as they are; U+2060, which some programs show as a box; and to leave it to the "format-detection" tag, which
//     only some programs obey (it is set all the same). The price is that a name copied out of a mail has invisible characters in it;
//     e-mail addresses of people are checked when they are entered and stay as they are.
//
// What remains is that a name can be a lie in plain words. Names are at most 200 characters, and 60 in sentences and subjects.

// unlink is the zero-width space.
const unlink = "\u200b"

// singleLine returns a text on one line, without control and invisible characters, in which mail programs find no links.
func singleLine(s string) string {
	var b strings.Builder
	var before rune
	rtl := false
	for i, r := range s {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			r = ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d', r == utf8.RuneError: // joiners have their use in some scripts
			continue
		}
		if r == ' ' && (before == ' ' || before == 0) {
			continue
		}
		b.WriteRune(r)
		if next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):]); strings.ContainsRune(`.:/@\`, r) && !unicode.IsSpace(next) &&
			next != utf8.RuneError {
			b.WriteString(unlink)
		}
		rtl = rtl || rightToLeft(r)
		before = r
	}
	out := strings.TrimRight(b.String(), " ")
	if rtl {
		return "\u2068" + out + "\u2069"
	}
	return out
}

func rightToLeft(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff || r >= 0x10800 && r <= 0x10fff ||
		r >= 0x1e800 && r <= 0x1efff
}

// short returns a text on one line, of at most 60 characters, for sentences and subjects.
func short(s string) string { return singleLine(cut(s, 60)) }

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return strings.TrimRightFunc(string(runes[:most-1]), unicode.IsSpace) + "…"
}

// lines returns the lines of a note, without empty ones at its ends.
func lines(s string) []string {
	var out []string
	for l := range strings.Lines(strings.TrimSpace(s)) {
		out = append(out, singleLine(l))
	}
	return out
}
