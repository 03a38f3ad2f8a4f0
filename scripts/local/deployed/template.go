package deployed

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Template is a template of CloudFormation, as far as the functions need it.
type Template struct {
	Resources map[string]Resource
}

// Resource is one resource of a template.
type Resource struct {
	Type       string
	Properties map[string]any
}

// Function is a function of a template, with its environment as CloudFormation would give it.
type Function struct {
	Name    string // with the stage in it
	Timeout time.Duration
	Memory  int // MiB
	Env     map[string]string
}

// Values says what a reference comes to: to a resource, by its name in the template and its type, as Ref gives it (attribute "") or as
// Fn::GetAtt does; or to one of CloudFormation's own parameters (typ "", id such as AWS::Region). False: it is not known.
type Values func(id, typ, attribute string) (string, bool)

// ParseTemplate reads a template in JSON.
func ParseTemplate(text []byte) (*Template, error) {
	t := &Template{}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("the template is no JSON: %w", err)
	}
	if len(t.Resources) == 0 {
		return nil, errors.New("the template has no resources")
	}
	return t, nil
}

// Functions are the template's Lambda functions, sorted by name. What values does not know, and what Functions does not understand, is an
// error.
func (t *Template) Functions(values Values) ([]Function, error) {
	var out []Function
	r := resolver{t, values}
	for id, res := range t.Resources {
		if res.Type != "AWS::Lambda::Function" {
			continue
		}
		f, err := r.function(res.Properties)
		if err != nil {
			return nil, fmt.Errorf("function %s of the template: %w", id, err)
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Resolve is a part of the template as CloudFormation would make it. Values and errors are as with Functions.
func (t *Template) Resolve(part any, values Values) (any, error) {
	var wrong error
	var resolve func(any) any
	r := resolver{t, values}
	resolve = func(part any) any {
		switch part := part.(type) {
		case []any:
			out := make([]any, 0, len(part))
			for _, p := range part {
				out = append(out, resolve(p))
			}
			return out
		case map[string]any:
			out := map[string]any{}
			for name, p := range part {
				if len(part) == 1 && (name == "Ref" || strings.HasPrefix(name, "Fn::")) {
					text, err := r.call(name, p)
					wrong = errors.Join(wrong, err)
					return text
				}
				out[name] = resolve(p)
			}
			return out
		}
		return part
	}
	return resolve(part), wrong
}

type resolver struct {
	*Template
	values Values
}

func (r resolver) function(p map[string]any) (Function, error) {
	f := Function{Env: map[string]string{}, Timeout: 3 * time.Second, Memory: 128} // Lambda's defaults
	var err error
	if f.Name, err = r.text(p["FunctionName"]); err != nil {
		return f, fmt.Errorf("FunctionName: %w", err)
	}
	if seconds, ok := p["Timeout"].(float64); ok {
		f.Timeout = time.Duration(seconds) * time.Second
	}
	if memory, ok := p["MemorySize"].(float64); ok {
		f.Memory = int(memory)
	}
	environment, _ := p["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if f.Env[name], err = r.text(variables[name]); err != nil {
			return f, fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	return f, nil
}

// text is what CloudFormation makes of a value.
func (r resolver) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool, float64:
		return fmt.Sprint(v), nil
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				return r.call(name, argument)
			}
		}
	}
	text, _ := json.Marshal(v) // it was read from JSON
	return "", fmt.Errorf("%s is not understood", text)
}

func (r resolver) call(name string, argument any) (string, error) {
	list, _ := argument.([]any)
	switch id, isText := argument.(string); name {
	case "Ref":
		if isText {
			return r.reference(id, "")
		}
	case "Fn::GetAtt":
		if isText {
			id, attribute, _ := strings.Cut(id, ".")
			return r.reference(id, attribute)
		}
		if len(list) == 2 {
			id, _ := list[0].(string)
			attribute, _ := list[1].(string)
			return r.reference(id, attribute)
		}
	case "Fn::Join":
		return r.join(list)
	case "Fn::Sub":
		if isText {
			return r.substitute(id, nil)
		}
		if len(list) == 2 {
			pattern, _ := list[0].(string)
			own, _ := list[1].(map[string]any)
			return r.substitute(pattern, own)
		}
	}
	text, _ := json.Marshal(argument) // likewise
	return "", fmt.Errorf("%s of %s is not understood", name, text)
}

func (r resolver) reference(id, attribute string) (string, error) {
	res, ok := r.Resources[id]
	if !ok && !strings.HasPrefix(id, "AWS::") {
		return "", fmt.Errorf("%q is no resource of the template", id)
	}
	if value, ok := r.values(id, res.Type, attribute); ok {
		return value, nil
	}
	if attribute == "" {
		return "", fmt.Errorf("nobody knows what Ref of %s (%s) comes to", id, res.Type)
	}
	return "", fmt.Errorf("nobody knows what %s of %s (%s) comes to", attribute, id, res.Type)
}

func (r resolver) join(list []any) (string, error) {
	if len(list) == 2 {
		between, isText := list[0].(string)
		parts, isList := list[1].([]any)
		if isText && isList {
			var out []string
			for _, p := range parts {
				s, err := r.text(p)
				if err != nil {
					return "", err
				}
				out = append(out, s)
			}
			return strings.Join(out, between), nil
		}
	}
	return "", errors.New("Fn::Join wants a text and a list")
}

// substitute fills in ${Name}, ${Name.Attribute} and a name of own; ${!x} stands for ${x}.
func (r resolver) substitute(pattern string, own map[string]any) (string, error) {
	var wrong error
	out := regexp.MustCompile(`\$\{[^}]+\}`).ReplaceAllStringFunc(pattern, func(found string) string {
		name := found[2 : len(found)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		var value string
		var err error
		if v, ok := own[name]; ok {
			value, err = r.text(v)
		} else {
			id, attribute, _ := strings.Cut(name, ".")
			value, err = r.reference(id, attribute)
		}
		wrong = errors.Join(wrong, err)
		return value
	})
	return out, wrong
}
