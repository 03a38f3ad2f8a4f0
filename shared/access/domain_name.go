package access

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// idnaProfile converts and checks internationalised names by IDNA 2008 and UTS 46, without the mappings that only IDNA 2003 wanted: the
// German sharp s stays one.
//
//nolint:gochecknoglobals // a constant that Go cannot write as one
var idnaProfile = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.ValidateLabels(true), idna.StrictDomainName(true),
	idna.VerifyDNSLength(true),
)

const aLabel = "xn--" // begins an A-label (RFC 5890, 2.3.2.1)

// ParseDomain is a domain name in the one form that is stored and compared: lower case, ASCII, internationalised labels as A-labels. False
// when s is no name of at least two labels in the public DNS, such as 127.0.0.1. What is not ASCII is as IDNA 2008 has it, but for capitals
// and decomposed letters: no other form of the same characters, such as fullwidth ones, and no label of mixed scripts.
func ParseDomain(s string) (string, bool) {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < utf8.RuneSelf
	}
	lower := strings.ToLower(s)
	if ascii && !strings.HasPrefix(lower, aLabel) && !strings.Contains(lower, "."+aLabel) { // nearly always
		return result(lower, isASCIIDomain(lower))
	}
	if len(s) > 4*maxDomain || !utf8.ValidString(s) {
		return "", false
	}
	a, err := idnaProfile.ToASCII(s)
	if err != nil || !isASCIIDomain(a) || ascii && a != lower { // such as xn--abc-, which stands for abc
		return "", false
	}
	if !ascii {
		shown, err := idnaProfile.ToUnicode(a)
		if err != nil || shown != norm.NFC.String(lower) || strings.ContainsFunc(s, likeASCII) {
			return "", false
		}
		for label := range strings.SplitSeq(shown, ".") {
			if !oneScript(label) {
				return "", false
			}
		}
	}
	return a, true
}

// likeASCII reports whether r is another form of an ASCII character, such as a fullwidth letter or the Kelvin sign: an address with it is
// another one's in disguise.
func likeASCII(r rune) bool {
	return r >= utf8.RuneSelf &&
		strings.ContainsFunc(norm.NFKC.String(strings.ToLower(string(r))), func(r rune) bool { return r < utf8.RuneSelf })
}

func result(s string, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	return s, true
}

// isASCIIDomain reports whether s is a lower-case ASCII name of at least two labels, the last of which begins with a letter, as all
// top-level domains do.
func isASCIIDomain(s string) bool {
	labels := 0
	last := ""
	for l := range strings.SplitSeq(s, ".") {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
		labels, last = labels+1, l
	}
	return len(s) <= maxDomain && labels >= 2 && last[0] >= 'a' && last[0] <= 'z'
}

// ShownDomain is a stored domain as people read it: in Unicode, except labels that could pass for another name. Those stay A-labels.
func ShownDomain(s string) string {
	if !strings.Contains(s, aLabel) {
		return s
	}
	labels := strings.Split(s, ".")
	for i, l := range labels {
		if !strings.HasPrefix(l, aLabel) {
			continue
		}
		if u, err := idnaProfile.ToUnicode(l); err == nil && oneScript(u) && !looksLatin(u) {
			labels[i] = u
		}
	}
	return strings.Join(labels, ".")
}

// ShownEmail is a stored address as people read it: see ShownDomain. What has no @ is taken for a domain.
func ShownEmail(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	if !ok {
		return ShownDomain(s)
	}
	return local + "@" + ShownDomain(domain)
}

// oneScript reports whether the letters of a label belong to one script, or to those that are written together in Japanese, Chinese or
// Korean (UTS 39, 5.2: highly restrictive).
func oneScript(label string) bool {
	scripts := map[string]bool{}
	for _, r := range label {
		for name, table := range unicode.Scripts {
			if r >= utf8.RuneSelf && name != "Common" && name != "Inherited" && unicode.Is(table, r) ||
				r < utf8.RuneSelf && name == "Latin" && unicode.IsLetter(r) {
				scripts[name] = true
				break
			}
		}
	}
	for _, together := range [][]string{{"Latin", "Han", "Hiragana", "Katakana"}, {"Latin", "Han", "Bopomofo"}, {"Latin", "Han", "Hangul"}} {
		n := 0
		for _, name := range together {
			if scripts[name] {
				n++
			}
		}
		if n == len(scripts) {
			return true
		}
	}
	return len(scripts) == 1
}

// looksLatin reports whether a label of another script consists of letters that look like Latin ones.
func looksLatin(label string) bool {
	foreign := false
	for _, r := range label {
		switch {
		case !unicode.IsLetter(r):
		case strings.ContainsRune("асԁеһіјӏорԛѕԝхуъьҽпгѵѡανορικυτω", r):
			foreign = true
		default:
			return false
		}
	}
	return foreign
}
