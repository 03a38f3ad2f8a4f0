package access_test

import (
	"net/mail"
	"strings"
	"testing"
	"unicode"

	"partneraccess/shared/access"
)

type inputCase struct {
	name  string
	input string
	want  bool
}

func check(t *testing.T, valid func(string) bool, cases []inputCase) {
	t.Helper()
	for _, c := range cases {
		if got := valid(c.input); got != c.want {
			t.Errorf("%s, %q: got %v, want %v", c.name, c.input, got, c.want)
		}
	}
}

func TestAnIDIsShortAndPlain(t *testing.T) {
	check(t, access.ValidID, []inputCase{
		{"one character", "a", true},
		{"a digit first", "0", true},
		{"all kinds of characters", "A9.z_-", true},
		{"64 characters", strings.Repeat("a", 64), true},
		{"65 characters", strings.Repeat("a", 65), false},
		{"nothing", "", false},
		{"a dot first", ".a", false},
		{"a hyphen first", "-a", false},
		{"an underscore first", "_a", false},
		{"what separates keys", "a#b", false},
		{"what separates users from partners", "a:b", false},
		{"a space", "a b", false},
		{"a slash", "a/b", false},
		{"a line feed at the end", "a\n", false},
		{"NUL", "a\x00", false},
		{"a Cyrillic a, which looks like a Latin one", "\u0430cme", false},
		{"a fullwidth letter", "\uff41cme", false},
		{"no UTF-8", "a\xff", false},
	})
}

func TestAUserIDNamesItsPartner(t *testing.T) {
	const ulid = "01J9Z3NDEKTSV4RRFFQ69G5FAV"
	check(t, access.ValidUserID, []inputCase{
		{"partner and ULID", "contoso:" + ulid, true},
		{"no partner", ":" + ulid, false},
		{"no ULID", "contoso:", false},
		{"no colon", "contoso" + ulid, false},
		{"two colons", "contoso:x:" + ulid, false},
		{"one character short", "contoso:" + ulid[1:], false},
		{"one character long", "contoso:" + ulid + "0", false},
		{"lower case", "contoso:" + strings.ToLower(ulid), false},
		{"a letter that Crockford left out", "contoso:" + ulid[:25] + "U", false},
		{"that letter inside", "contoso:0" + "I" + ulid[2:], false},
		{"what separates keys", "contoso:" + ulid[:25] + "#", false},
		{"a partner that is none", "con#toso:" + ulid, false},
	})
}

func TestAnEmailAddressHasOneForm(t *testing.T) {
	for _, c := range []struct{ name, input, want string }{
		{"as it is", "kim@contoso.example", "kim@contoso.example"},
		{"capitals", "Kim.O'Hara+Test@CONTOSO.Example", "kim.o'hara+test@contoso.example"},
		{"an internationalised domain as A-labels", "kim@xn--bcher-kva.example", "kim@xn--bcher-kva.example"},
		{"A-labels in capitals", "kim@XN--Bcher-kva.example", "kim@xn--bcher-kva.example"},
		{"an internationalised domain in Unicode", "kim@bücher.example", "kim@xn--bcher-kva.example"},
		{"in capitals", "KIM@BÜCHER.example", "kim@xn--bcher-kva.example"},
		{"in decomposed letters", "kim@bu\u0308cher.example", "kim@xn--bcher-kva.example"},
		{"a sharp s, which is no ss", "kim@straße.example", "kim@xn--strae-oqa.example"},
		{"scripts that Japanese writes together", "kim@日本のIT.example", "kim@xn--it-zb4a439uzlb.example"},
		{"an internationalised top-level domain", "kim@例え.テスト", "kim@xn--r8jz45g.xn--zckzah"},
		{"right to left", "kim@דנה.example", "kim@xn--7dbc9a.example"},
		{"an ideographic full stop", "kim@bücher。example", ""},
		{"fullwidth letters", "kim@\uff43ontoso.example", ""},
		{"a dotted capital I", "kim@b\u0130cher.example", ""},
		{"an A-label that stands for nothing", "kim@xn--zz.example", ""},
		{"an A-label that stands for ASCII", "kim@xn--abc-.example", ""},
		{"a label whose A-label is too long", "kim@" + strings.Repeat("ü", 63) + ".example", ""},
		{"a joiner where the script needs none", "kim@con\u200dtoso.example", ""},
		{"a local part that is not ASCII", "jürgen@contoso.example", ""},
		{"an address of the network", "kim@127.0.0.1", ""},
		{"an address of the network in hexadecimal", "kim@127.0.0x1", ""},
		{"a top-level domain of digits", "kim@contoso.123", ""},
		{"digits before the top-level domain", "kim@1.2.3.example", "kim@1.2.3.example"},
		{"the longest local part", strings.Repeat("a", 64) + "@b.example", strings.Repeat("a", 64) + "@b.example"},
		{"a local part that is too long", strings.Repeat("a", 65) + "@b.example", ""},
		{"254 characters", "a@" + strings.Repeat("b.", 122) + "example" + "x", "a@" + strings.Repeat("b.", 122) + "example" + "x"},
		{"255 characters", "a@" + strings.Repeat("b.", 122) + "example" + "xy", ""},
		{"nothing", "", ""},
		{"no at", "contoso.example", ""},
		{"two ats", "a@b@contoso.example", ""},
		{"no local part", "@contoso.example", ""},
		{"no domain", "kim@", ""},
		{"one label", "kim@localhost", ""},
		{"a dot first", ".kim@contoso.example", ""},
		{"a dot last", "kim.@contoso.example", ""},
		{"two dots", "kim..x@contoso.example", ""},
		{"a dot at the end of the domain", "kim@contoso.example.", ""},
		{"a label that begins with a hyphen", "kim@-contoso.example", ""},
		{"a label that ends with a hyphen", "kim@contoso-.example", ""},
		{"an underscore in the domain", "kim@con_toso.example", ""},
		{"an address literal", "kim@[127.0.0.1]", ""},
		{"a display name", "Kim <kim@contoso.example>", ""},
		{"angle brackets", "<kim@contoso.example>", ""},
		{"a quoted local part", `"kim"@contoso.example`, ""},
		{"a comment", "kim(x)@contoso.example", ""},
		{"a list", "kim@contoso.example,lee@contoso.example", ""},
		{"a group", "g:kim@contoso.example;", ""},
		{"a space before", " kim@contoso.example", ""},
		{"a space after", "kim@contoso.example ", ""},
		{"a line feed and a header", "kim@contoso.example\nBcc: x@y.example", ""},
		{"NUL", "kim\x00@contoso.example", ""},
		{"DEL", "kim\x7f@contoso.example", ""},
		{"what separates keys", "kim#x@contoso.example", ""},
		{"a Cyrillic o, which looks like a Latin one", "kim@cont\u043eso.example", ""},
		{"a Kelvin sign in the domain", "kim@\u212aontoso.example", ""},
		{"a Kelvin sign, whose lower case is k", "\u212aim@contoso.example", ""},
		{"what separates the segments of a path", "kim/x@contoso.example", ""},
		{"what ends a path", "kim?x@contoso.example", ""},
		{"an encoded word", "=?utf-8?q?kim?=@contoso.example", ""},
	} {
		got, ok := access.ParseEmail(c.input)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s, %q: got %q, %v; want %q", c.name, c.input, got, ok, c.want)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{
		"kim@contoso.example", "K@B.C", "a@b@c.d", `"a b"@c.d`, "a@[::1]", "x#y@z.a", "\u212a@b.c", "a@b.c\r\n", strings.Repeat("a", 300),
		"kim@bücher.example", "kim@xn--bcher-kva.example", "kim@xn--zz.example", "kim@127.0.0.1", "kim@例え.テスト", "kim@b\u200dc.example",
		"kim@\u0430pple.example", "a@b。c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := access.ParseEmail(s)
		if !ok {
			if got != "" {
				t.Fatalf("%q: got %q beside a refusal, want nothing", s, got)
			}
			return
		}
		if again, ok := access.ParseEmail(got); !ok || again != got {
			t.Errorf("%q: got %q, which is read as %q, %v; want one form", s, got, again, ok)
		}
		ascii := !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
		if local, _, _ := strings.Cut(s, "@"); !strings.HasPrefix(got, strings.ToLower(local)+"@") {
			t.Errorf("%q: got %q, want the same local part", s, got)
		}
		if again, ok := access.ParseEmail(access.ShownEmail(got)); !ok || again != got {
			t.Errorf("%q: got %q, which is shown as %q, which is read as %q, %v; want one address", s, got, access.ShownEmail(got), again, ok)
		}
		if ascii && !strings.EqualFold(s, got) || strings.ContainsFunc(got, func(r rune) bool { return r >= 0x80 }) ||
			strings.Count(got, "@") != 1 || strings.ContainsAny(got, "# \r\n\x00<>") || len(got) > 254 {
			t.Errorf("%q: got %q, want the same address in plain lower case", s, got)
		}
		if a, err := mail.ParseAddress(got); err != nil || a.Address != got {
			t.Errorf("%q: got %q, which net/mail reads as %v, %v", s, got, a, err)
		}
	})
}

func TestADomainIsANameOfThePublicDNS(t *testing.T) {
	valid := func(s string) bool { _, ok := access.ParseDomain(s); return ok }
	check(t, valid, []inputCase{
		{"two labels", "acme.example", true},
		{"63 characters in a label", strings.Repeat("a", 63) + ".example", true},
		{"64 characters in a label", strings.Repeat("a", 64) + ".example", false},
		{"capitals", "Acme.example", true},
		{"one label", "acme", false},
		{"an empty label", "acme..example", false},
		{"a dot at the end", "acme.example.", false},
		{"a dot at the end of a Unicode name", "äcme.example.", false},
		{"a port", "acme.example:443", false},
		{"a path", "acme.example/x", false},
		{"a wildcard", "*.acme.example", false},
		{"Unicode", "äcme.example", true},
		{"an underscore beside Unicode", "ä_cme.example", false},
		{"an address of the network", "127.0.0.1", false},
		{"another", "::1", false},
		{"letters of two scripts", "\u0430cme.example", false},
		{"the same as an A-label", "xn--cme-5cd.example", true},
		{"a soft hyphen, which is shown as nothing", "ac\u00adme.example", false},
		{"no UTF-8", "\xffcme.example", false},
		{"nothing", "", false},
	})
	for in, want := range map[string]string{
		"Acme.example": "acme.example", "ÄCME.example": "xn--cme-pla.example", "xn--CME-pla.example": "xn--cme-pla.example",
	} {
		if got, _ := access.ParseDomain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestADomainIsShownInUnicodeUnlessItCouldPassForAnother(t *testing.T) {
	for _, c := range []struct{ name, stored, want string }{
		{"ASCII", "kim@acme.example", "kim@acme.example"},
		{"one label", "kim@xn--bcher-kva.example", "kim@bücher.example"},
		{"all labels", "kim@xn--r8jz45g.xn--zckzah", "kim@例え.テスト"},
		{"Cyrillic", "kim@xn--80aswg.example", "kim@сайт.example"},
		{"a Cyrillic letter among Latin ones", "kim@xn--cme-5cd.example", "kim@xn--cme-5cd.example"},
		{"Cyrillic letters that all look like Latin ones", "kim@xn--80ak6aa92e.example", "kim@xn--80ak6aa92e.example"},
		{"an A-label that stands for nothing", "kim@xn--zz.example", "kim@xn--zz.example"},
		{"no address", "xn--zz", "xn--zz"},
	} {
		if got := access.ShownEmail(c.stored); got != c.want {
			t.Errorf("%s, %q: got %q, want %q", c.name, c.stored, got, c.want)
		}
	}
}

func TestANameIsWhatItLooksLike(t *testing.T) {
	check(t, access.ValidName, []inputCase{
		{"a name", "Ann O'Hara-Müller, Jr.", true},
		{"another script", "山田 太郎", true},
		{"right to left", "דנה", true},
		{"joiners, which some scripts need", "نامه\u200cها", true},
		{"200 characters", strings.Repeat("ü", 200), true},
		{"201 characters", strings.Repeat("ü", 201), false},
		{"nothing", "", false},
		{"a space before", " Ann", false},
		{"a no-break space after", "Ann\u00a0", false},
		{"a line feed", "Ann\nBob", false},
		{"a tab", "Ann\tBob", false},
		{"NUL", "Ann\x00", false},
		{"DEL", "Ann\x7f", false},
		{"a C1 control", "Ann\u0085Bob", false},
		{"a line separator", "Ann\u2028Bob", false},
		{"a right-to-left override", "Ann\u202egnp.exe", false},
		{"a left-to-right isolate", "Ann\u2066x", false},
		{"a right-to-left mark", "Ann\u200f", false},
		{"a left-to-right mark", "Ann\u200e", false},
		{"an Arabic letter mark", "Ann\u061c", false},
		{"a zero-width space", "Ann\u200b", false},
		{"a word joiner", "Ann\u2060", false},
		{"a soft hyphen", "An\u00adn", false},
		{"a byte order mark", "\ufeffAnn", false},
		{"a replacement character", "Ann\ufffd", false},
		{"no UTF-8", "Ann\xff", false},
		{"a Hangul filler", "\u3164", false},
		{"half-width Hangul filler within", "Ann\uffa0Lee", false},
		{"Hangul choseong and jungseong fillers", "\u115f\u1160", false},
		{"a blank Braille pattern", "Ann\u2800", false},
		{"a combining grapheme joiner", "An\u034fn", false},
		{"an inherent vowel of Khmer", "\u17b4", false},
		{"a Mongolian vowel separator", "An\u180en", false},
		{"an invisible times", "A\u2062B", false},
		{"an unassigned ignorable character", "Ann\u2065", false},
		{"another, of the supplementary planes", "Ann\U000e0fff", false},
		{"a tag", "Ann\U000e0041", false},
		{"a variation selector after a letter", "Ann\ufe0f", false},
		{"a supplementary variation selector", "Ann\U000e0100", false},
		{"a joiner between Latin letters", "An\u200dn", false},
		{"a joiner at the end", "نامه\u200c", false},
		{"an emoji and its variant", "Acme \u2764\ufe0f", true},
		{"an emoji of several", "\U0001f469\u200d\U0001f680 Ltd.", true},
		{"a noncharacter", "Ann\ufffe", false},
		{"another", "Ann\ufdd0", false},
		{"one of the last plane", "Ann\U0010ffff", false},
		{"an interlinear annotation anchor", "Ann\ufff9", false},
		{"an object replacement character", "\ufffc", false},
		{"a musical null notehead", "\U0001d159", false},
		{"a combining mark alone", "\u0301", false},
		{"combining marks and spaces", "\u0301 \u20dd", false},
		{"a mark on a letter", "e\u0301", true},
		{"a prepended mark of Arabic, which is seen", "\u0600\u0661", true},
		{"an ideographic space within", "山田\u3000太郎", true},
		{"only an ideographic space", "\u3000", false},
		{"signs alone", "+++", true},
	})
}

// TestNoNameConsistsOfWhatIsNotSeen goes through all of Unicode: a name of a character alone is refused unless the character has ink.
func TestNoNameConsistsOfWhatIsNotSeen(t *testing.T) {
	unseen := []*unicode.RangeTable{
		unicode.C, unicode.Z, unicode.M, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Noncharacter_Code_Point,
		unicode.White_Space,
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.In(r, unseen...) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) && access.ValidName(string(r)) {
			t.Errorf("%U alone: got a valid name, want none", r)
		}
		if unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Noncharacter_Code_Point) && r != 0x200c &&
			access.ValidName("a"+string(r)+"b") {
			t.Errorf("%U within a name: got a valid name, want none", r)
		}
	}
}

func TestASearchLeavesOutWhatIsNotSeen(t *testing.T) {
	for in, want := range map[string]string{
		"contoso": "contoso", " con\u200btoso ": "contoso", "a.\u200bb": "a.b", "\u2068דנה\u2069": "דנה", "نامه\u200cها": "نامه\u200cها",
		"\u200b": "", "\ufeffx": "x",
	} {
		if got := access.SearchText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestANoteMayHaveLines(t *testing.T) {
	check(t, access.ValidNote, []inputCase{
		{"nothing", "", true},
		{"lines", "one\n\ntwo", true},
		{"1000 characters", strings.Repeat("ü", 1000), true},
		{"1001 characters", strings.Repeat("ü", 1001), false},
		{"a carriage return", "one\r\ntwo", false},
		{"an escape", "\x1b[31mred", false},
		{"a right-to-left override", "\u202e", false},
	})
}

func TestATelephoneNumberIsInternational(t *testing.T) {
	check(t, access.ValidPhone, []inputCase{
		{"7 digits", "+1234567", true},
		{"15 digits", "+123456789012345", true},
		{"6 digits", "+123456", false},
		{"16 digits", "+1234567890123456", false},
		{"no plus", "4930123456", false},
		{"a zero first", "+0493012345", false},
		{"spaces", "+49 30 123456", false},
		{"two plus signs", "++4930123456", false},
		{"other digits", "+٤٩٣٠١٢٣٤٥٦", false},
		{"nothing", "", false},
	})
}

func TestAnAddressIsInItsDomainAndInThoseAbove(t *testing.T) {
	for _, c := range []struct {
		address, domain string
		want            bool
	}{
		{"ann@acme.example", "acme.example", true},
		{"ann@eu.acme.example", "acme.example", true},
		{"ann@a.b.acme.example", "acme.example", true},
		{"ann@notacme.example", "acme.example", false},
		{"ann@acme.example", "eu.acme.example", false},
		{"ann@acme.example.evil.example", "acme.example", false},
		{"acme.example@evil.example", "acme.example", false},
		{"ann@acme.example", "", false},
		{"acme.example", "acme.example", false},
		{"", "acme.example", false},
	} {
		if got := access.InDomain(c.address, c.domain); got != c.want {
			t.Errorf("InDomain(%q, %q): got %v, want %v", c.address, c.domain, got, c.want)
		}
	}
}
