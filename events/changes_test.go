package events_test

import (
	"encoding/json"
	"testing"

	"partneraccess/events"
)

// altered is what an event with these data altered, as JSON.
func altered(t *testing.T, data string) string {
	t.Helper()
	var d events.Data
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(d.Altered())
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestAnEventSaysWhatItAlteredAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ data, want string }{
		"as it is written": {
			`{"level":"view","until":"2027-01-01T00:00:00Z","changes":[{"field":"level","was":"manage","is":"view"}]}`,
			`[{"field":"level","was":"manage","is":"view"}]`,
		},
		"before there were changes": {
			`{"level":"view","level_was":"manage","from":"2026-01-01T00:00:00Z","require_sso":false,"require_sso_was":true,"everyone":true}`,
			`[{"field":"everyone","was":false,"is":true},{"field":"level","was":"manage","is":"view"},` +
				`{"field":"require_sso","was":true,"is":false}]`,
		},
		"an end where there was none": {
			`{"until":"2027-01-01T00:00:00Z","fields":["until"]}`, `[{"field":"until","was":null,"is":"2027-01-01T00:00:00Z"}]`,
		},
		"no end any more": {
			`{"until_was":"2027-01-01T00:00:00Z","fields":["until"]}`, `[{"field":"until","was":"2027-01-01T00:00:00Z","is":null}]`,
		},
		"another address": {
			`{"person":{"email":"new@x.example"},"email_was":"old@x.example"}`,
			`[{"field":"email","was":"old@x.example","is":"new@x.example"}]`,
		},
		"nothing": {`{"level":"view","until":"2027-01-01T00:00:00Z"}`, `null`},
	} {
		if got := altered(t, c.data); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
