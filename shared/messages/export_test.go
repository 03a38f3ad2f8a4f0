package messages

import (
	"strings"

	"golang.org/x/text/language"
)

// Write writes a pattern in a language.
func Write(p Pattern, tag string, values map[string]any) (string, error) {
	var b strings.Builder
	err := p.write(&b, language.MustParse(tag), func(name string) (any, bool) {
		v, ok := values[name]
		return v, ok
	}, "")
	return b.String(), err
}
