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
	rows, err := measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		got := r.dollars()
		if r.goal > 0 && got > r.goal {
			t.Errorf("%s: $%.3f, want $%.2f at most", r.what, got, r.goal)
		}
		line := regexp.MustCompile(`\| ` + regexp.QuoteMeta(r.what) + ` *\| \$([0-9.]+) `).FindSubmatch(readme)
		if line == nil {
			t.Errorf("infra/README.md has no row for %s: put what `make cost` prints there", r.what)
			continue
		}
		if said, err := strconv.ParseFloat(string(line[1]), 64); err != nil || math.Abs(said-got) > max(0.02, got/10) {
			t.Errorf("%s: $%.3f, and infra/README.md says $%s: put what `make cost` prints there", r.what, got, line[1])
		}
	}
}

func TestTheTableAddsUp(t *testing.T) {
	r := row{what: "things", many: 1000, one: use{requests: 1, invocations: 2, gbSeconds: 0.5, reads: 4, writes: 2, mails: 1}}
	want := 1000 * (gatewayRequest + 2*lambdaRequest + 0.5*lambdaGBSecond + 4*readUnit + 2*writeUnit + mail)
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
