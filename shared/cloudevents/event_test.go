package cloudevents_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/cloudevents/sdk-go/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
)

var update = flag.Bool("update", false, "write the published samples as they are now")

const (
	source = "https://api.access.example"
	folder = "../../events/published"
)

var began = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// published are the samples as others get them, by name.
func published(t *testing.T) map[string]cloudevents.Event {
	t.Helper()
	out := map[string]cloudevents.Event{}
	for i, typ := range events.Types() {
		raw, err := events.Sample(typ)
		if err != nil {
			t.Fatal(err)
		}
		var e events.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		out[string(typ)] = cloudevents.FromEvent(source, e).At(int64(i + 1))
	}
	for i, s := range []access.Shift{
		{Lost: true, Customer: "acme", Partner: "contoso", Grant: "grt_01KAP7C1RGQ4X8T2M6V9B3N5HK", Reason: access.DeniedEnded, At: began},
		{Customer: "acme", Partner: "contoso", User: "contoso:01KAP2X5T0KJ5M8QZC3V7E1R2A", At: began},
	} {
		e := cloudevents.FromShift(source, "01KCC45D40000000000000000"+string(rune('A'+i)), began, s).At(int64(101 + i))
		out[e.Name()] = e
	}
	return out
}

func encode(t *testing.T, e cloudevents.Event) []byte {
	t.Helper()
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(events.PublishedSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(cloudevents.Schema, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(cloudevents.Schema)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEachTypeIsPublishedAsItsSample(t *testing.T) {
	t.Parallel()
	all := published(t)
	for name, e := range all {
		file, b := filepath.Join(folder, name+".json"), encode(t, e)
		if *update {
			if err := os.WriteFile(file, b, 0o644); err != nil { //nolint:gosec // of the project
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || !bytes.Equal(b, want) { //nolint:gosec // of the project
			t.Errorf("%s (%v; -update writes it): got\n%s", file, err, b)
		}
	}
	files, err := filepath.Glob(folder + "/*.json")
	if err != nil || len(files) != len(all) || !slices.Equal(cloudevents.Names(), slices.Sorted(keys(all))) {
		t.Errorf("got %d samples (%v) and the names %q, want those of %d types", len(files), err, cloudevents.Names(), len(all))
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestEachSampleIsAsTheSchemaAndTheSDKWantIt(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for name, e := range published(t) {
		b := encode(t, e)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got sdk.Event
		if err := json.Unmarshal(b, &got); err != nil {
			t.Errorf("%s: the SDK refuses it: %v", name, err)
			continue
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: the SDK finds it invalid: %v", name, err)
		}
		var data cloudevents.Data
		if err := got.DataAs(&data); err != nil || data.Customer != e.Data.Customer || data.Partner != e.Data.Partner {
			t.Errorf("%s: the SDK reads the data as %+v (%v)", name, data, err)
		}
		if got.ID() != e.ID || got.Type() != e.Type || got.Source() != source || got.Subject() != e.Subject || !got.Time().Equal(e.Time) ||
			got.Extensions()["sequence"] != e.Sequence || got.Extensions()["partitionkey"] != e.Feed {
			t.Errorf("%s: the SDK reads\n%s", name, got)
		}
	}
}

// The schema knows every member: what is published and not described would be found here.
func TestNothingIsPublishedThatTheSchemaDoesNotName(t *testing.T) {
	t.Parallel()
	var described struct {
		Properties map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(events.PublishedSchema(), &described); err != nil {
		t.Fatal(err)
	}
	for name, e := range published(t) {
		var got map[string]json.RawMessage
		if err := json.Unmarshal(encode(t, e), &got); err != nil {
			t.Fatal(err)
		}
		var data map[string]any
		if err := json.Unmarshal(got["data"], &data); err != nil {
			t.Fatal(err)
		}
		for member := range got {
			if _, ok := described.Properties[member]; !ok {
				t.Errorf("%s: the schema does not name %s", name, member)
			}
		}
		for member := range data {
			if _, ok := described.Properties["data"].Properties[member]; !ok {
				t.Errorf("%s: the schema does not name data.%s", name, member)
			}
		}
	}
}

func TestPublishedEventsNameNobodyByAddressOrName(t *testing.T) {
	t.Parallel()
	for name, e := range published(t) {
		b := encode(t, e)
		for _, secret := range []string{"@", "Ann", "Kim", "Contoso", "Acme", "Ticket", "The migration"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s has %q:\n%s", name, secret, b)
			}
		}
	}
}

func TestPatternsOfTypes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, patterns string
		want           bool
	}{
		{"grant.ended", "", true},
		{"grant.ended", "grant.ended", true},
		{"grant.ended", "grant.*", true},
		{"grant.ended", "user.* *", true},
		{"grant.ended", "grant", false},
		{"grant.ended", "grant.end", false},
		{"grant.ended", "access.* user.created", false},
	} {
		if got := cloudevents.Wanted(c.name, strings.Fields(c.patterns)); got != c.want {
			t.Errorf("%s among %q: got %t, want %t", c.name, c.patterns, got, c.want)
		}
	}
}
