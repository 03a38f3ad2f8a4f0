package access

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Passwords have 12 to 256 characters. They need not be of several classes: length is what guessing founders on, and such rules lead to
// Password-2026! (NIST SP 800-63B, 3.1.1.2). The provider's own policy may ask for more.
const (
	minPassword  = 12
	maxPassword  = 256
	minDifferent = 5 // characters, so that twelve times the same is none
)

// CheckPassword refuses a new password that is too weak, or is the current one.
func CheckPassword(current, proposed string) error {
	different := map[rune]bool{}
	for _, r := range proposed {
		different[unicode.ToLower(r)] = true
	}
	weak := func(s string, args ...any) error { return Refuse(WeakPassword, s, args...).At("/new") }
	switch n := utf8.RuneCountInString(proposed); {
	case n < minPassword || n > maxPassword:
		return weak("a password has %d to %d characters", minPassword, maxPassword)
	case strings.TrimSpace(proposed) != proposed || strings.ContainsFunc(proposed, unicode.IsControl) || !utf8.ValidString(proposed):
		return weak("a password has no spaces at its ends and no control characters")
	case len(different) < minDifferent:
		return weak("a password has at least %d different characters", minDifferent)
	case proposed == current:
		return weak("the new password is the current one: choose another")
	}
	return nil
}
