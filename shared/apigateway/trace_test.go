package apigateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"partneraccess/shared/apigateway"
)

// The line of a request names the trace that its caller's traceparent names, and nothing that is no traceparent.
func TestTheLineOfARequestNamesItsTrace(t *testing.T) {
	t.Parallel()
	const trace, rest = "4bf92f3577b34da6a3ce929d0e0e4736", "-00f067aa0ba902b7-01"
	for about, c := range map[string]struct{ parent, want string }{
		"a traceparent":              {"00-" + trace + rest, trace},
		"one of a version to come":   {"cc-" + trace + rest + "-more", trace},
		"none":                       {"", ""},
		"a version that is none":     {"ff-" + trace + rest, ""},
		"more than there is":         {"00-" + trace + rest + "-more", ""},
		"more without a hyphen":      {"cc-" + trace + rest + "more", ""},
		"capitals":                   {"00-" + strings.ToUpper(trace) + rest, ""},
		"a trace of zeros":           {"00-" + strings.Repeat("0", 32) + rest, ""},
		"a span of zeros":            {"00-" + trace + "-0000000000000000-01", ""},
		"half of one":                {"00-" + trace, ""},
		"what is to stand in a line": {"00-" + `4bf92f3577b34da6a3ce929d0e0e47"}` + rest, ""},
		"a long one":                 {"cc-" + trace + rest + "-" + strings.Repeat("x", 1_000), ""},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			quoted, err := json.Marshal(c.parent)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			h := apigateway.Lambda(func(context.Context, *apigateway.Request) apigateway.Response {
				return apigateway.Response{Status: 200, Decision: "granted"}
			}, refuse, slog.New(slog.NewJSONHandler(&log, nil)))
			event := strings.Replace(payload, `"x-request-id":"mine"`, `"x-request-id":"mine","traceparent":`+string(quoted), 1)
			if _, err := h.Invoke(t.Context(), []byte(event)); err != nil {
				t.Fatal(err)
			}
			var line map[string]any
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			got, there := line["trace_id"]
			if there != (c.want != "") || there && got != c.want || line["request_id"] != "mine" || line["decision"] != "granted" {
				t.Errorf("got the line %v, want the trace %q", line, c.want)
			}
		})
	}
}
