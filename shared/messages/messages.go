// Package messages holds the words of pages and mails: a file of JSON for each language, from keys to patterns.
//
// Keys are the same in each language, and begin with what uses them: "words." (roles and states), "pages.", "problems." and "mails.". A
// pattern is written in a part of ICU's MessageFormat, which Parse explains. A language is added by adding its file.
package messages

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Fallback is the language of which every key has words, and whose tests say what a key's parameters are.
const Fallback = "en"

//go:embed *.json
var files embed.FS

// Languages returns the tags of the languages, sorted.
func Languages() []string {
	entries, _ := files.ReadDir(".") // an embedded folder is always there
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(out)
	return out
}

// Catalogue has the patterns of one language.
type Catalogue struct {
	tag      language.Tag
	patterns map[string]Pattern
}

// Load reads those patterns of a language whose keys begin with the prefix. It fails for a language without a file, and when a pattern is
// broken.
func Load(tag, prefix string) (*Catalogue, error) {
	text, err := files.ReadFile(tag + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no language %q: it is one of %s", tag, strings.Join(Languages(), ", "))
	}
	return read(tag, prefix, text)
}

func read(tag, prefix string, text []byte) (*Catalogue, error) {
	known, err := language.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("the file %s.json is named after no language: %w", tag, err)
	}
	var all map[string]string
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s.json: %w", tag, err)
	}
	c := &Catalogue{tag: known, patterns: map[string]Pattern{}}
	for key, s := range all {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if c.patterns[key], err = Parse(s); err != nil {
			return nil, fmt.Errorf("%s.json, %s: %w", tag, key, err)
		}
	}
	return c, nil
}

// Has reports whether the language has a pattern with that key.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.patterns[key]
	return ok
}

// Keys returns the keys, sorted.
func (c *Catalogue) Keys() []string {
	out := make([]string, 0, len(c.patterns))
	for k := range c.patterns {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Parameters returns what the pattern with that key takes, sorted: "name", "name, plural" or "name, select: case case", each once.
func (c *Catalogue) Parameters(key string) []string {
	var out []string
	c.patterns[key].parameters(&out)
	slices.Sort(out)
	return slices.Compact(out)
}

// Format writes the pattern with that key. Value returns a parameter's value by its name: a text or, for a plural, a number (int); false
// when there is none, which is an error.
func (c *Catalogue) Format(key string, value func(name string) (any, bool)) (string, error) {
	p, ok := c.patterns[key]
	if !ok {
		return "", fmt.Errorf("there are no words for %s in the language %s", key, c.tag)
	}
	var b strings.Builder
	if err := p.write(&b, c.tag, value, ""); err != nil {
		return "", fmt.Errorf("%s in the language %s: %w", key, c.tag, err)
	}
	return b.String(), nil
}
