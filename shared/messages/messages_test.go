package messages_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/messages"
)

func TestAPatternIsWrittenWithItsValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		language, pattern, want string
	}{
		{"en", "", ""},
		{"en", "No parameter, 100% of it.", "No parameter, 100% of it."},
		{"en", "{who} of {where}", "Ann of Acme"},
		{"en", "{one, plural, one {# day} other {# days}} left", "1 day left"},
		{"en", "{two, plural, one {# day} other {# days}} left", "2 days left"},
		{"en", "{two, plural, =2 {a pair} one {# day} other {# days}}", "a pair"},
		{"en", "{nothing, plural, =0 {no users} one {# user} other {# users}}", "no users"},
		{"pl", "{two, plural, one {# dzień} few {# dni} many {# dni!} other {# dnia}}", "2 dni"},
		{"ar", "{two, plural, two {both} other {all #}}", "both"},
		{"en", "{two, plural, one {# user} other {# users of {where}}}", "2 users of Acme"},
		{"en", "{side, select, partner {your users} other {users}}", "your users"},
		{"en", "{who, select, partner {your users} other {users of {who}}}", "users of Ann"},
		{"en", "{side, select, partner {{two, plural, one {one} other {# of them}}} other {}}", "2 of them"},
		{"en", "{two, plural, one {#} other {{side, select, partner {#!} other {}}}}", "2!"},
		{"en", "{ who } and {two,plural,one{#}other{#}}", "Ann and 2"},
		{"en", "# is a number only in a plural", "# is a number only in a plural"},
		{"en", "{who}'s, it''s, '{braces}', {two, plural, one {} other {'#'#}}", "Ann's, it's, {braces}, #2"},
	} {
		parsed, err := messages.Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: got %v", c.pattern, err)
			continue
		}
		got, err := messages.Write(parsed, c.language, map[string]any{
			"who": "Ann", "where": "Acme", "side": "partner", "nothing": 0, "one": 1, "two": 2,
		})
		if err != nil || got != c.want {
			t.Errorf("%s in %s: got %q and %v, want %q", c.pattern, c.language, got, err, c.want)
		}
	}
}

func TestABrokenPatternIsRefused(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"{", "}", "{}", "{name", "a } b", "{n, plural}", "{n, plural, one {#}}", "{n, plural, other {#}", "{n, plural, some {#} other {#}}",
		"{n, plural, =x {#} other {#}}", "{n, plural, offset:1 one {#} other {#}}", "{n, selectordinal, other {#}}", "{d, date, short}",
		"{n, plural, one {#} one {#} other {#}}", "{n, select, other}", "{s, select, a {x}}", "'{ without an end", "{n, plural other {#}}",
	} {
		if p, err := messages.Parse(pattern); err == nil {
			t.Errorf("%s: got %v, want an error", pattern, p)
		}
	}
}

func TestAValueThatIsMissingOrNoNumberIsAnError(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"{nobody}", "{who, plural, other {#}}", "{two, plural, other {{nobody}}}"} {
		p, err := messages.Parse(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := messages.Write(p, "en", map[string]any{"who": "Ann", "two": 2}); err == nil {
			t.Errorf("%s: got %q, want an error", pattern, got)
		}
	}
	c, err := messages.Load("en", "mails.")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Format("mails.no_such_key", nil); err == nil {
		t.Errorf("a key without words: got %q, want an error", got)
	}
}

func TestEnglishAndGermanAreThere(t *testing.T) {
	t.Parallel()
	if got := messages.Languages(); !slices.Contains(got, "en") || !slices.Contains(got, "de") || !slices.IsSorted(got) {
		t.Errorf("got %v", got)
	}
	if _, err := messages.Load("xx", ""); err == nil || !strings.Contains(err.Error(), "de, en") {
		t.Errorf("got %v, want the languages that there are", err)
	}
}

// A language that is added has to have all words, with the same parameters.
func TestAllLanguagesHaveTheSameKeysAndParameters(t *testing.T) {
	t.Parallel()
	load := func(language string) *messages.Catalogue {
		c, err := messages.Load(language, "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	english := load(messages.Fallback)
	for _, language := range messages.Languages() {
		c := load(language)
		if missing := without(english.Keys(), c.Keys()); len(missing) > 0 {
			t.Errorf("%s.json lacks %v", language, missing)
		}
		if unknown := without(c.Keys(), english.Keys()); len(unknown) > 0 {
			t.Errorf("%s.json has %v, which %s.json has not", language, unknown, messages.Fallback)
		}
		for _, key := range c.Keys() {
			if got, want := c.Parameters(key), english.Parameters(key); !slices.Equal(got, want) {
				t.Errorf("%s.json, %s: got the parameters %q, want %q", language, key, got, want)
			}
		}
	}
}

func without(list, those []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(those, s) })
}

func TestTheFilesAreSortedAndTheirKeysSayWhoUsesThem(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`^(words|pages|problems|mails)(\.[a-z0-9_]+)+$`)
	for _, language := range messages.Languages() {
		text, err := os.ReadFile(language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		decoder, before := json.NewDecoder(strings.NewReader(string(text))), ""
		if _, err := decoder.Token(); err != nil {
			t.Fatal(err)
		}
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decoder.Token(); err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(name)
			if got <= before {
				t.Errorf("%s.json: got %s after %s, want each key once, sorted", language, got, before)
			}
			if !key.MatchString(got) {
				t.Errorf("%s.json: got the key %s, want %s", language, got, key)
			}
			before = got
		}
	}
}
