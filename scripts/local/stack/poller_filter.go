package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// filter tells whether a record, decoded from JSON into any, matches an event pattern.
type filter func(record any) bool

// newFilter reads an event pattern as Lambda's event source mappings take it
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html): objects name fields, lists name the
// alternatives for one. Of the operators there are an exact value, prefix and exists; any other one is an error, so that a
// filter cannot mean less here than in AWS. An empty pattern matches everything.
func newFilter(pattern string) (filter, error) {
	if pattern == "" {
		return func(any) bool { return true }, nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(pattern)))
	var p map[string]any
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("the filter is no JSON object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the filter's JSON object")
	}
	return fields(p, "")
}

// fields matches what matches every field of the pattern.
func fields(pattern map[string]any, at string) (filter, error) {
	type field struct {
		name  string
		match filter
	}
	var all []field
	for name, p := range pattern {
		path := strings.TrimPrefix(at+"."+name, ".")
		var match filter
		var err error
		switch p := p.(type) {
		case map[string]any:
			match, err = fields(p, path)
		case []any:
			match, err = alternatives(p, path)
		default:
			err = fmt.Errorf("the filter's %s is neither an object nor a list", path)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, field{name, match})
	}
	return func(v any) bool {
		object, _ := v.(map[string]any)
		for _, f := range all {
			value, there := object[f.name]
			if !there {
				value = absent{}
			}
			if !f.match(value) {
				return false
			}
		}
		return true
	}, nil
}

// absent stands for a field that is not there, which null is not.
type absent struct{}

// alternatives matches what matches one of the list.
func alternatives(list []any, at string) (filter, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("the filter's %s lists nothing, so that nothing could match", at)
	}
	var any1 []filter
	for _, a := range list {
		switch a := a.(type) {
		case string, float64, bool, nil:
			any1 = append(any1, func(v any) bool { return v == a })
		case map[string]any:
			match, err := operator(a, at)
			if err != nil {
				return nil, err
			}
			any1 = append(any1, match)
		default:
			return nil, fmt.Errorf("the filter's %s holds a list in a list", at)
		}
	}
	return func(v any) bool {
		if list, ok := v.([]any); ok { // one element that matches is enough
			return slices.ContainsFunc(list, func(e any) bool { return matchesOne(any1, e) })
		}
		return matchesOne(any1, v)
	}, nil
}

func matchesOne(all []filter, v any) bool {
	if _, ok := v.(map[string]any); ok { // an object is no leaf
		return false
	}
	return slices.ContainsFunc(all, func(match filter) bool { return match(v) })
}

func operator(o map[string]any, at string) (filter, error) {
	if len(o) == 1 {
		if prefix, ok := o["prefix"].(string); ok {
			return func(v any) bool { s, ok := v.(string); return ok && strings.HasPrefix(s, prefix) }, nil
		}
		if exists, ok := o["exists"].(bool); ok {
			return func(v any) bool { _, missing := v.(absent); return missing != exists }, nil
		}
	}
	text, _ := json.Marshal(o) // it was JSON
	return nil, fmt.Errorf("the filter's %s uses %s, which the local stack does not know: teach it in poller_filter.go", at, text)
}
