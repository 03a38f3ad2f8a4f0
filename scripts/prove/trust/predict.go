package trust

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"partneraccess/scripts/local/ask"
)

// standing is what an account may do at a customer, by checks.
type standing struct {
	level level
	until string // "" = no end, or no access
}

// prediction is what a dry run said of a request, before it was sent.
type prediction struct {
	dry    ask.Answer
	before map[string]standing
}

// predictable tells whether a request has a dry run.
func predictable(method, path string) bool {
	if strings.HasSuffix(path, "/requests") || strings.HasSuffix(path, "/code") {
		return false
	}
	return method != http.MethodGet && strings.HasPrefix(path, "/v1/") && !strings.HasSuffix(path, "/password") &&
		!strings.Contains(path, "/mail/")
}

// predict asks for a dry run of some of the requests.
func (w *world) predict(ctx context.Context, r ask.Request, path string) (*prediction, error) {
	if w.foretell == 0 || !predictable(r.Method, path) || len(w.trace)%w.foretell != 0 {
		return nil, nil
	}
	before, err := w.standings(ctx)
	if err != nil {
		return nil, err
	}
	if strings.Contains(r.URL, "?") {
		r.URL += "&dry_run=true"
	} else {
		r.URL += "?dry_run=true"
	}
	dry, err := ask.Send(ctx, w.http, r)
	return &prediction{dry, before}, err
}

// judge holds what a request did against its dry run.
func (p *prediction) judge(ctx context.Context, w *world, what string, did ask.Answer) error {
	var dry struct {
		Would      struct{ Status int }
		Gains      []effect
		Loses      []effect
		Complete   bool
		GainsTotal int `json:"gains_total"`
		LosesTotal int `json:"loses_total"`
	}
	if p.dry.Status != http.StatusOK { // it was refused as the request is
		if p.dry.Status != did.Status {
			w.violation("%s was answered %d, and its dry run %d: %s", what, did.Status, p.dry.Status, p.dry.Body)
		}
		return nil
	}
	if err := p.dry.Into(&dry); err != nil {
		return err
	}
	if dry.Would.Status != did.Status {
		w.violation("%s was answered %d %s, and its dry run said %d", what, did.Status, did.Body, dry.Would.Status)
	}
	after, err := w.standings(ctx)
	if err != nil {
		return err
	}
	want := differences(p.before, after)
	got := w.told(dry.Gains, "gains")
	maps.Copy(got, w.told(dry.Loses, "loses"))
	w.report.Predicted++
	for _, line := range slices.Sorted(maps.Keys(want)) {
		if !got[line] {
			w.violation("%s: its dry run did not say that %s", what, line)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(got)) {
		if !want[line] {
			w.violation("%s: its dry run said that %s", what, line)
		}
	}
	return nil
}

// effect is one of a dry run's.
type effect struct {
	User     struct{ ID string }
	Customer string
	From     string `json:"from_level"`
	To       string `json:"to_level"`
	At       *string
	Until    *string
}

// told are the effects at once on accounts that the world knows: somebody who is only being made has another id in a dry run.
func (w *world) told(effects []effect, which string) map[string]bool {
	out := map[string]bool{}
	for _, e := range effects {
		if w.accounts[e.User.ID] == nil || e.At != nil {
			continue
		}
		until := ""
		if e.Until != nil {
			until = *e.Until
		}
		out[fmt.Sprintf("%s at %s %s, %s to %s until %s", e.User.ID, e.Customer, which, e.From, e.To, until)] = true
	}
	return out
}

// differences are what changed, in the words of told.
func differences(before, after map[string]standing) map[string]bool {
	out := map[string]bool{}
	for pair, was := range before {
		is := after[pair]
		line := func(which string) {
			out[fmt.Sprintf("%s %s, %s to %s until %s", pair, which, levels()[was.level], levels()[is.level], is.until)] = true
		}
		both := was.level > 0 && is.level > 0
		if is.level > was.level || both && was.until != "" && (is.until == "" || is.until > was.until) {
			line("gains")
		}
		if is.level < was.level || both && is.until != "" && (was.until == "" || was.until > is.until) {
			line("loses")
		}
	}
	return out
}

// standings are what every account may do at every customer.
func (w *world) standings(ctx context.Context) (map[string]standing, error) {
	out := map[string]standing{}
	type question struct {
		pair string
		need level
	}
	var asked []question
	var items []object
	for _, id := range w.order {
		for _, c := range customers() {
			for need := level(1); need <= 3; need++ {
				asked = append(asked, question{id + " at " + c, need})
				items = append(items, evaluation(id, c, need))
			}
			out[id+" at "+c] = standing{}
		}
	}
	got, err := w.evaluate(ctx, items)
	if err != nil {
		return nil, err
	}
	for i, d := range got {
		if q := asked[i]; d.Decision {
			out[q.pair] = standing{level: max(out[q.pair].level, q.need), until: d.Context.ValidUntil}
		}
	}
	return out, nil
}
