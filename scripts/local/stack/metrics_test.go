package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"partneraccess/scripts/local/stack"
)

func TestAFigureThatCloudWatchWouldNotReadIsRefused(t *testing.T) {
	t.Parallel()
	const good = `{"_aws":{"Timestamp":1795348800000,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["Stage"]],"Metrics":[{"Name":"M","Unit":"Count"}]}]},"Stage":"s","M":2}`
	for _, c := range []struct{ name, old, with string }{
		{"no JSON", `}]}]},`, `}]}},`},
		{"no _aws", `"_aws"`, `"aws"`},
		{"no time", `"Timestamp":1795348800000,`, ``},
		{"seconds", `1795348800000`, `1795348800`},
		{"no directive", `[{"Namespace":"N","Dimensions":[["Stage"]],"Metrics":[{"Name":"M","Unit":"Count"}]}]`, `[]`},
		{"no namespace", `"Namespace":"N",`, ``},
		{"no dimensions", `"Dimensions":[["Stage"]],`, ``},
		{"no metrics", `[{"Name":"M","Unit":"Count"}]`, `[]`},
		{"another unit", `"Count"`, `"Things"`},
		{"a dimension without a member", `"Stage":"s",`, ``},
		{"a dimension without a text", `"Stage":"s"`, `"Stage":3`},
		{"an empty dimension", `"Stage":"s"`, `"Stage":""`},
		{"a metric without a member", `,"M":2`, ``},
		{"a metric that is no number", `"M":2`, `"M":"2"`},
	} {
		line := strings.Replace(good, c.old, c.with, 1)
		if line == good {
			t.Errorf("%s: %s does not stand in the line", c.name, c.old)
		}
		var m stack.Metrics
		_, _ = fmt.Fprintln(&m, line)
		if len(m.Refused()) != 1 || len(m.List()) != 0 {
			t.Errorf("%s: got %v and refused %q, want it refused", c.name, m.List(), m.Refused())
		}
	}
	var m stack.Metrics
	_, _ = fmt.Fprintln(&m, good)
	_, _ = fmt.Fprintln(&m, strings.Replace(good, `"M":2`, `"M":5`, 1))
	_, _ = fmt.Fprintln(&m, strings.Replace(good, `"M":2`, `"M":1`, 1))
	got := m.List()
	if len(got) != 1 || got[0].Samples != 3 || got[0].Sum != 8 || got[0].Max != 5 || got[0].Latest != 1 || got[0].Dimensions["Stage"] != "s" ||
		len(m.Refused()) != 0 {
		t.Errorf("three figures: got %+v and refused %q, want 3 samples, the sum 8, the largest 5, the latest 1", got, m.Refused())
	}
}
