package main

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What is measured must meet the goals, and infra/README.md must say it, to a tenth or two cents.
func TestTheServiceCostsWhatItsDocumentSays(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "") // which measure sets, for the stack
	rows, rest, err := measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	holds := func(what string, got, goal float64) {
		t.Helper()
		if goal > 0 && got > goal {
			t.Errorf("%s: $%.3f, want $%.2f at most", what, got, goal)
		}
		line := regexp.MustCompile(`\| ` + regexp.QuoteMeta(what) + ` *\| \$([0-9.]+) `).FindSubmatch(readme)
		if line == nil {
			t.Errorf("infra/README.md has no row for %s: put what `make cost` prints there", what)
			return
		}
		if said, err := strconv.ParseFloat(string(line[1]), 64); err != nil || math.Abs(said-got) > max(0.02, got/10) {
			t.Errorf("%s: $%.3f, and infra/README.md says $%s: put what `make cost` prints there", what, got, line[1])
		}
	}
	for _, r := range rows {
		holds(r.what, r.dollars(), r.goal)
	}
	for _, e := range rest {
		holds(e.what, e.dollars, 0)
	}
	holds("the stack at rest", sum(rest), 0)
	holds(sparingly, sparing(rest), restGoal)
	for _, e := range beside() {
		holds(e.what, e.dollars, 0)
	}
	// The logs of an allowed check, in what they are paid by: API Gateway's line, and a hundredth of check's own.
	if got := rows[0].one.logBytes; got > 230 {
		t.Errorf("an allowed check logs %.0f bytes, want 230 at most", got)
	}
}

func TestTheTableAddsUp(t *testing.T) {
	r := row{what: "things", many: 1000, one: use{
		requests: 1, invocations: 2, gbSeconds: 0.5, reads: 4, writes: 2, mails: 1, logBytes: 1024, outBytes: 2048,
	}}
	want := 1000 * (gatewayRequest + 2*lambdaRequest + 0.5*lambdaGBSecond + 4*readUnit + 2*writeUnit + mail +
		(logGB+logMonths*logKeptGB)/1024/1024 + 2*outGB/1024/1024)
	if got := r.dollars(); math.Abs(got-want) > 1e-9 {
		t.Errorf("got %v, want %v", got, want)
	}
	var b strings.Builder
	if err := table(&b, []row{r}); err != nil {
		t.Fatal(err)
	}
	if want := "| things | $0.110"; !strings.Contains(b.String(), want) {
		t.Errorf("got %s, want %q in it", b.String(), want)
	}
}
