package messages

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Pattern is a parsed pattern: texts and parameters in their order.
type Pattern []part

// part is a text, a parameter, or a choice between patterns.
type part struct {
	text   string
	name   string // of the parameter; "" = a text, or the number (#) of the plural around it
	kind   kind
	number bool
	cases  map[string]Pattern
}

type kind string

const (
	plainValue kind = ""
	pluralOf   kind = "plural"
	selectOf   kind = "select"
)

// other is the case that each choice has, for what no other case is for.
const other = "other"

// Parse reads a pattern in a part of ICU's MessageFormat (https://unicode-org.github.io/icu/userguide/format_parse/messages/):
//
//	{name}                                        the parameter
//	{n, plural, =0 {none} one {# day} other {# days}}  by the number's category in the language (CLDR); # is the number
//	{side, select, partner {…} other {…}}         by the parameter's text
//	'' for an apostrophe, '{' for a brace         an apostrophe before anything else is an apostrophe
//
// Formats of numbers and dates, offsets and ordinals are refused: their values come written.
func Parse(s string) (Pattern, error) {
	p := parser{rest: s}
	out, err := p.pattern(false)
	if err == nil && p.rest != "" {
		err = errors.New("a } has no {")
	}
	if err != nil {
		return nil, fmt.Errorf("the pattern %q: %w", s, err)
	}
	return out, nil
}

type parser struct{ rest string }

// pattern reads up to the end, or to the brace that ends a case.
func (p *parser) pattern(inPlural bool) (Pattern, error) {
	var out Pattern
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			out = append(out, part{text: text.String()})
			text.Reset()
		}
	}
	for p.rest != "" && p.rest[0] != '}' {
		switch c := p.rest[0]; {
		case c == '\'':
			if err := p.quoted(&text); err != nil {
				return nil, err
			}
		case c == '{':
			flush()
			p.rest = p.rest[1:]
			parameter, err := p.parameter(inPlural)
			if err != nil {
				return nil, err
			}
			out = append(out, parameter)
		case c == '#' && inPlural:
			flush()
			p.rest = p.rest[1:]
			out = append(out, part{number: true})
		default:
			text.WriteByte(c)
			p.rest = p.rest[1:]
		}
	}
	flush()
	return out, nil
}

// quoted reads an apostrophe, or what stands between two.
func (p *parser) quoted(text *strings.Builder) error {
	p.rest = p.rest[1:]
	switch {
	case strings.HasPrefix(p.rest, "'"):
		p.rest = p.rest[1:]
		text.WriteByte('\'')
	case p.rest != "" && strings.ContainsRune("{}#", rune(p.rest[0])):
		quoted, rest, ok := strings.Cut(p.rest, "'")
		if !ok {
			return errors.New("an apostrophe before a brace has no end")
		}
		text.WriteString(quoted)
		p.rest = rest
	default:
		text.WriteByte('\'')
	}
	return nil
}

// parameter reads what follows an opening brace, and the brace that ends it.
func (p *parser) parameter(inPlural bool) (part, error) {
	name := p.word()
	if name == "" {
		return part{}, errors.New("a parameter has no name")
	}
	if p.skip("}") {
		return part{name: name}, nil
	}
	if !p.skip(",") {
		return part{}, fmt.Errorf("the parameter %s has no end", name)
	}
	out := part{name: name, kind: kind(p.word()), cases: map[string]Pattern{}}
	if out.kind != pluralOf && out.kind != selectOf || !p.skip(",") {
		return part{}, fmt.Errorf("the parameter %s is neither plain nor a plural nor a select", name)
	}
	for !p.skip("}") {
		which := p.word()
		if !out.takes(which) || !p.skip("{") {
			return part{}, fmt.Errorf("the parameter %s has no case where one is expected: %q", name, which)
		}
		if _, there := out.cases[which]; there {
			return part{}, fmt.Errorf("the parameter %s has the case %s twice", name, which)
		}
		pattern, err := p.pattern(inPlural || out.kind == pluralOf)
		if err != nil {
			return part{}, err
		}
		if !p.skip("}") {
			return part{}, fmt.Errorf("the case %s of the parameter %s has no end", which, name)
		}
		out.cases[which] = pattern
	}
	if _, ok := out.cases[other]; !ok {
		return part{}, fmt.Errorf("the parameter %s has no case other", name)
	}
	return out, nil
}

// takes reports whether the name is one of a case: of a plural a category or an exact number.
func (p part) takes(name string) bool {
	if p.kind == selectOf {
		return name != ""
	}
	exact, ok := strings.CutPrefix(name, "=")
	if _, err := strconv.Atoi(exact); ok && err == nil {
		return true
	}
	return slices.Contains([]string{"zero", "one", "two", "few", "many", other}, name)
}

// word reads letters, digits and signs of names, after white space.
func (p *parser) word() string {
	p.rest = strings.TrimLeft(p.rest, " \n\t")
	end := strings.IndexFunc(p.rest, func(r rune) bool { return strings.ContainsRune(" \n\t{},#'", r) })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// skip reads a sign, after white space, if it comes next. Before a case's end white space belongs to the case.
func (p *parser) skip(sign string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " \n\t"), sign)
	if ok {
		p.rest = rest
	}
	return ok
}

// parameters appends what the pattern takes.
func (p Pattern) parameters(out *[]string) {
	for _, x := range p {
		switch x.kind {
		case pluralOf: // its categories are the language's own
			*out = append(*out, x.name+", plural")
		case selectOf:
			*out = append(*out, x.name+", select: "+strings.Join(slices.Sorted(maps.Keys(x.cases)), " "))
		case plainValue:
			if x.name != "" {
				*out = append(*out, x.name)
			}
		}
		for _, c := range x.cases {
			c.parameters(out)
		}
	}
}

// write writes the pattern; number is that of the plural around it.
func (p Pattern) write(b *strings.Builder, tag language.Tag, value func(string) (any, bool), number string) error {
	for _, x := range p {
		switch {
		case x.number:
			b.WriteString(number)
			continue
		case x.name == "":
			b.WriteString(x.text)
			continue
		}
		v, ok := value(x.name)
		if !ok {
			return fmt.Errorf("the parameter %s has no value", x.name)
		}
		text := fmt.Sprint(v)
		if x.kind == plainValue {
			b.WriteString(text)
			continue
		}
		which, within := text, number
		if x.kind == pluralOf {
			n, isNumber := v.(int)
			if !isNumber {
				return fmt.Errorf("the parameter %s is %q, want a number", x.name, text)
			}
			which, within = category(tag, n), text
			if _, exact := x.cases["="+text]; exact {
				which = "=" + text
			}
		}
		chosen, there := x.cases[which]
		if !there {
			chosen = x.cases[other]
		}
		if err := chosen.write(b, tag, value, within); err != nil {
			return err
		}
	}
	return nil
}

// category returns the plural category of a whole number in a language (CLDR).
func category(tag language.Tag, n int) string {
	switch plural.Cardinal.MatchPlural(tag, max(n, -n), 0, 0, 0, 0) {
	case plural.Zero:
		return "zero"
	case plural.One:
		return "one"
	case plural.Two:
		return "two"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	}
	return other
}
