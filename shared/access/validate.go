package access

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what people enter.
const (
	maxID       = 64
	maxName     = 200 // characters
	maxNote     = 1000
	maxEmail    = 254 // characters (RFC 5321)
	maxLocal    = 64  // characters before the @ (RFC 5321)
	maxDomain   = 253 // characters (RFC 1035, without the root's dot)
	MaxContacts = 20
	// MaxMemberships is how many customers one person can be a member of.
	MaxMemberships = 100
)

// ValidID reports whether s can be the id of a partner or a customer: [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
func ValidID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return true
}

// ValidUserID reports whether s can be the id of a partner's user: <partner>:<ULID>.
func ValidUserID(s string) bool {
	partner, id, ok := strings.Cut(s, ":")
	if !ok || !ValidID(partner) || len(id) != 26 {
		return false
	}
	return strings.Trim(id, ulidLetters) == ""
}

const ulidLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ValidAccountName reports whether s can be the name of a user's account at the identity provider: the user's id, whose letters the
// provider may have folded to lower case.
func ValidAccountName(s string) bool {
	partner, id, _ := strings.Cut(s, ":")
	upper := strings.ToUpper(id)
	return ValidUserID(partner+":"+upper) && len(upper) == len(id) // letters of other alphabets that fold to these are none of an id
}

// SameAccount reports whether the account name, which ValidAccountName has accepted, is that of the user with this id.
func SameAccount(name, user string) bool { return ValidUserID(user) && strings.EqualFold(name, user) }

// ParseEmail is the address in the one form that is stored and compared: lower case, ASCII, an internationalised domain as A-labels. False
// when it is no plain address (RFC 5321 dot-string and domain). A local part that is not ASCII is refused: SES delivers to none.
func ParseEmail(s string) (string, bool) {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(local) > maxLocal || !isDotString(local) {
		return "", false
	}
	if domain, ok = ParseDomain(domain); !ok {
		return "", false
	}
	if len(local)+1+len(domain) > maxEmail {
		return "", false
	}
	return strings.ToLower(local) + "@" + domain, true
}

// InDomain reports whether an address, as ParseEmail returns it, is in the domain or in a subdomain of it (D7). Nobody is in the domain "".
func InDomain(address, domain string) bool {
	at := len(address) - len(domain) - 1 // of the "@" or "." before the domain
	return domain != "" && at > 0 && address[at+1:] == domain && (address[at] == '@' || address[at] == '.')
}

// isDotString reports whether s is a dot-string (RFC 5321, 4.1.2), without the # that separates keys, and without / and ?: addresses stand
// in paths, which API Gateway decodes before it takes them apart.
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`"(),:;<>[]@\#/?`, s[i]) >= 0 {
			return false
		}
	}
	return true
}

// ValidName reports whether s can be shown as a name: 1 to 200 characters on one line, at least one of which is seen on its own, no
// control, direction, blank or ignorable characters (joiners and emoji variants only where they change what is seen), no space at the ends.
func ValidName(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxName && strings.TrimSpace(s) == s && printable(s, false) &&
		strings.ContainsFunc(s, visible)
}

// ValidNote reports whether s can be a note: at most 1000 characters, line feeds allowed.
func ValidNote(s string) bool { return utf8.RuneCountInString(s) <= maxNote && printable(s, true) }

// ValidPhone reports whether s is a telephone number in international form, E.164: + and 7 to 15 digits.
func ValidPhone(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// printable reports whether every character of s can be seen, or is a space between others. Lines allows line feeds.
func printable(s string, lines bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	before := rune(0)
	for i, r := range s {
		switch {
		case r == '\n' && lines:
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == utf8.RuneError, blank(r),
			unicode.Is(unicode.Noncharacter_Code_Point, r),
			unicode.Is(unicode.Bidi_Control, r): // can make a name read as another
			return false
		case ignorable(r):
			if after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):]); !isVisibleJoiner(before, r, after) {
				return false // a name with it looks like one without
			}
		}
		before = r
	}
	return true
}

// visible reports whether a printable character is seen on its own: a letter, number, sign or symbol, not a space or combining mark.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !blank(r) && !ignorable(r)
}

// ignorable is Unicode's Default_Ignorable_Code_Point, by its definition (DerivedCoreProperties.txt): what is shown as nothing.
func ignorable(r rune) bool {
	switch {
	case r < 0xad: // nearly always
		return false
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return true
	case blank(r), unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	}
	return unicode.Is(unicode.Cf, r)
}

// blank reports whether r is shown as nothing, or as a width without ink, though Unicode calls it neither ignorable nor a space.
func blank(r rune) bool {
	switch r {
	case '\u2800', // Braille pattern blank
		'\ufffc',     // object replacement
		'\U00013441', // Egyptian hieroglyph full blank
		'\U00013442', // Egyptian hieroglyph half blank
		'\U00016fe4', // Khitan small script filler
		'\U0001d159': // musical symbol null notehead
		return true
	}
	return r >= 0xfff9 && r <= 0xfffb || r >= 0x13430 && r <= 0x1343f // interlinear annotation and Egyptian format controls
}

// isVisibleJoiner reports whether an ignorable character changes what is seen: a joiner between letters of a script that needs it, or what
// makes one emoji of several.
func isVisibleJoiner(before, r, after rune) bool {
	symbol := func(r rune) bool { return unicode.In(r, unicode.So, unicode.Sk) && !blank(r) }
	switch r {
	case '\u200c', '\u200d':
		if r == '\u200d' && (symbol(before) || before == '\ufe0f') && symbol(after) {
			return true
		}
		return scriptUsesJoiners(before) && scriptUsesJoiners(after)
	case '\ufe0e', '\ufe0f':
		return symbol(before)
	}
	return false
}

// scriptUsesJoiners reports whether r belongs to a script in whose words a joiner is seen.
func scriptUsesJoiners(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M) && unicode.In(r,
		unicode.Arabic, unicode.Syriac, unicode.Mandaic, unicode.Mongolian, unicode.Nko, unicode.Adlam, unicode.Hanifi_Rohingya,
		unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada,
		unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Balinese, unicode.Javanese)
}
