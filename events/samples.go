package events

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed samples/*.json
var samples embed.FS

//go:embed schema.json
var schema []byte

//go:embed published.json
var publishedSchema []byte

// Schema is the contract as JSON Schema, draft 2020-12: of an event, and in $defs of each type with the members of data that it
// carries.
func Schema() []byte { return schema }

// PublishedSchema is the JSON Schema, draft 2020-12, of an event as other systems get it: see shared/cloudevents.
func PublishedSchema() []byte { return publishedSchema }

// Types are all types, in the order of their names.
func Types() []Type {
	files, err := fs.Glob(samples, "samples/*.json")
	if err != nil {
		panic(err) // the pattern is malformed
	}
	out := make([]Type, len(files))
	for i, f := range files {
		out[i] = Type(strings.TrimSuffix(path.Base(f), ".json"))
	}
	return out
}

// Sample is a realistic event of the type, as JSON. It fails for a type that there is not.
func Sample(t Type) ([]byte, error) {
	b, err := samples.ReadFile("samples/" + string(t) + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no event type %q", t)
	}
	return b, nil
}
