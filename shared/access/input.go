package access

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what people enter.
const (
	maxID       = 64
	maxName     = 200 // characters
	maxNote     = 1000
	maxEmail    = 254 // RFC 5321
	MaxContacts = 20
	// MaxMemberships is how many customers one person can be a member of.
	MaxMemberships = 100
)

// ValidID tells whether s can be the id of a partner or a customer: [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
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

// ValidUserID tells whether s can be the id of a partner's user: <partner>:<ULID>.
func ValidUserID(s string) bool {
	partner, id, ok := strings.Cut(s, ":")
	if !ok || !ValidID(partner) || len(id) != 26 {
		return false
	}
	return strings.Trim(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}

// ParseEmail is the address in the one form that is stored and compared: lower case, ASCII. False when it is no plain address
// (RFC 5321 dot-string and domain); an internationalised domain is written in its xn-- form.
func ParseEmail(s string) (string, bool) {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= utf8.RuneSelf || strings.IndexByte(`"(),:;<>[]\#`, s[i]) >= 0 {
			return "", false
		}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxEmail {
		return "", false
	}
	local, domain, _ := strings.Cut(s, "@")
	if len(local) > 64 || strings.Contains(domain, "@") || !ValidDomain(strings.ToLower(domain)) {
		return "", false
	}
	return strings.ToLower(s), true
}

// InDomain tells whether an address, as ParseEmail returns it, is in the domain or in a subdomain of it (D7). Nobody is in the domain "".
func InDomain(address, domain string) bool {
	at := len(address) - len(domain) - 1 // of the "@" or "." before the domain
	return domain != "" && at > 0 && address[at+1:] == domain && (address[at] == '@' || address[at] == '.')
}

// ValidDomain tells whether s is a lower-case domain name of at least two labels.
func ValidDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// ValidName tells whether s can be shown as a name: 1 to 200 characters on one line, no control, direction or zero-width characters,
// no space at the ends.
func ValidName(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxName && strings.TrimSpace(s) == s && printable(s, false)
}

// ValidNote tells whether s can be a note: at most 1000 characters, line feeds allowed.
func ValidNote(s string) bool { return utf8.RuneCountInString(s) <= maxNote && printable(s, true) }

// ValidPhone tells whether s is a telephone number in international form, E.164: + and 7 to 15 digits.
func ValidPhone(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

func printable(s string, lines bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r == '\n' && lines:
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == utf8.RuneError,
			unicode.Is(unicode.Bidi_Control, r),                        // can make a name read as another
			r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u00ad': // have no width: a name with them looks like one without
			return false
		}
	}
	return true
}
