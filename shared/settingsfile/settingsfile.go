// Package settingsfile reads the file of a deployment's settings, for the CDK app and for the tools that look at the same deployment. What
// the settings mean, and which there are, is the app's.
package settingsfile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Read reads a JSON object of settings, by name. Lists may be lists there. The error is a sentence for the operator.
func Read(file string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, fmt.Errorf("the file of settings cannot be read: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("the file of settings %s is no JSON object: %w", file, err)
	}
	return Texts(values), nil
}

// Texts are values as one would give them with -c: lists with commas.
func Texts(values map[string]any) map[string]string {
	out := map[string]string{}
	for name, v := range values {
		if several, ok := v.([]any); ok {
			var parts []string
			for _, one := range several {
				parts = append(parts, fmt.Sprint(one))
			}
			out[name] = strings.Join(parts, ",")
			continue
		}
		out[name] = fmt.Sprint(v)
	}
	return out
}
