package trust

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	facts "partneraccess/events"
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
	said   foretold
	before map[string]standing // nil: it would be refused
}

// foretold is what is read of a dry run's answer.
type foretold struct {
	Would struct{ Status int }
	Gains []effect
	Loses []effect
	Mails []struct {
		To       *string // nil: an address that the caller may not see
		Template string
	}
	MailsTotal int `json:"mails_total"`
	Events     []struct{ Type facts.Type }
	Later      []string
	LaterMails int `json:"later_mails_total"`
}

// predictable tells whether a request has a dry run.
func predictable(method, path string) bool {
	if strings.HasSuffix(path, "/requests") || strings.HasSuffix(path, "/code") {
		return false
	}
	return method != http.MethodGet && strings.HasPrefix(path, "/v1/") && !strings.HasSuffix(path, "/password") &&
		!strings.Contains(path, "/mail/")
}

// predict asks for a dry run of some of the requests, and looks whether it wrote anything.
func (w *world) predict(ctx context.Context, r ask.Request, path string) (*prediction, error) {
	if w.foretell == 0 || !predictable(r.Method, path) || len(w.trace)%w.foretell != 0 {
		return nil, nil
	}
	p, err := w.dryRun(ctx, r)
	if err == nil && len(p.said.Later) > 0 && p.would() { // the sweep is to do nothing else afterwards
		if err = w.sweep(ctx); err == nil {
			p, err = w.dryRun(ctx, r)
		}
	}
	if err == nil && p.would() {
		p.before, err = w.standings(ctx)
	}
	return p, err
}

// would returns whether the dry run was made, and the request would not be refused.
func (p *prediction) would() bool {
	return p.dry.Status == http.StatusOK && p.said.Would.Status < http.StatusMultipleChoices
}

func (w *world) dryRun(ctx context.Context, r ask.Request) (*prediction, error) {
	if _, err := w.outbox.deliver(ctx); err != nil {
		return nil, err
	}
	if strings.Contains(r.URL, "?") {
		r.URL += "&dry_run=true"
	} else {
		r.URL += "?dry_run=true"
	}
	p := &prediction{}
	var err error
	if p.dry, err = ask.Send(ctx, w.http, r); err != nil {
		return nil, err
	}
	wrote, err := w.outbox.deliver(ctx)
	if wrote.records > 0 || len(wrote.mails) > 0 {
		w.violation("the dry run of %s %s wrote %d records and caused %d mails", r.Method, r.URL, wrote.records, len(wrote.mails))
	}
	if err == nil && p.dry.Status == http.StatusOK {
		err = p.dry.Into(&p.said)
	}
	return p, err
}

// sweep does what is due.
func (w *world) sweep(ctx context.Context) error {
	_, err := w.expire.Invoke(ctx, []byte("{}"))
	return err
}

// judge holds what a request did against its dry run.
func (p *prediction) judge(ctx context.Context, w *world, by who, what string, did ask.Answer) error {
	wrote, err := w.outbox.deliver(ctx)
	if err != nil {
		return err
	}
	if p.dry.Status != http.StatusOK { // it was refused as the request is
		if p.dry.Status != did.Status {
			w.violation("%s was answered %d, and its dry run %d: %s", what, did.Status, p.dry.Status, p.dry.Body)
		}
		return nil
	}
	if p.said.Would.Status != did.Status {
		w.violation("%s was answered %d %s, and its dry run said %d", what, did.Status, did.Body, p.said.Would.Status)
		return nil
	}
	w.report.Predicted++
	p.judgeEvents(w, what, wrote)
	p.judgeMails(w, what, wrote)
	if !p.would() {
		return nil
	}
	w.report.Applied++
	after, err := w.standings(ctx)
	if err != nil {
		return err
	}
	want := differences(p.before, after)
	got := w.told(p.said.Gains, "gains")
	maps.Copy(got, w.told(p.said.Loses, "loses"))
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
	return p.judgeLater(ctx, w, by, what)
}

// judgeEvents compares the events.
func (p *prediction) judgeEvents(w *world, what string, wrote written) {
	said := []facts.Type{}
	for _, e := range p.said.Events {
		said = append(said, e.Type)
	}
	w.report.Events += len(said)
	if !slices.Equal(slices.Sorted(slices.Values(said)), slices.Sorted(slices.Values(wrote.events))) {
		w.violation("%s had the events %v, and its dry run said %v", what, wrote.events, said)
	}
}

// judgeMails compares the mails that follow at once: each one whose address the caller may see, and, of the others, whether there are any
// of a template.
func (p *prediction) judgeMails(w *world, what string, wrote written) {
	type mail struct{ to, template string }
	real := map[mail]int{}
	for m := range wrote.mails {
		real[mail{m.to, m.template}]++
	}
	hidden := map[string]bool{} // templates
	for _, m := range p.said.Mails {
		if m.To == nil {
			hidden[m.Template] = true
			continue
		}
		key := mail{*m.To, m.Template}
		if real[key]--; real[key] < 0 {
			w.violation("%s: its dry run said that %s gets the mail %s", what, key.to, key.template)
		}
		if real[key] == 0 {
			delete(real, key)
		}
	}
	met := map[string]bool{}
	for m := range real {
		if met[m.template] = true; !hidden[m.template] {
			w.violation("%s: its dry run did not say that %s gets the mail %s", what, m.to, m.template)
		}
	}
	for template := range hidden {
		if !met[template] {
			w.violation("%s: its dry run said that somebody gets the mail %s", what, template)
		}
	}
	w.report.Foretold += len(p.said.Mails)
	if p.said.MailsTotal != len(p.said.Mails) {
		w.violation("%s: its dry run listed %d mails, and counted %d", what, len(p.said.Mails), p.said.MailsTotal)
	}
}

// judgeLater has the sweep do the work that follows, and compares how many mails that causes: each one for the provider, who may see all
// addresses; others are told of those that they may not see as one of each event.
func (p *prediction) judgeLater(ctx context.Context, w *world, by who, what string) error {
	if len(p.said.Later) == 0 {
		if p.said.LaterMails > 0 {
			w.violation("%s: its dry run said that nothing follows, with %d mails", what, p.said.LaterMails)
		}
		return nil
	}
	if err := w.sweep(ctx); err != nil {
		return err
	}
	wrote, err := w.outbox.deliver(ctx)
	least := map[string]bool{}
	for m := range wrote.mails {
		least[m.template+" "+m.event] = true
	}
	w.report.Later += p.said.LaterMails
	if n := p.said.LaterMails; n > len(wrote.mails) || n < len(least) || by.Scope != "" && n != len(wrote.mails) {
		w.violation("%s: the work that follows caused %d mails, and its dry run said %d: %v", what, len(wrote.mails), n, wrote.mails)
	}
	return err
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

// standings are what every account may do at every customer, as checks answer it.
func (w *world) standings(ctx context.Context) (map[string]standing, error) {
	var pairs []string
	var items []object
	for _, id := range w.order {
		for _, c := range customers() {
			pairs = append(pairs, id+" at "+c)
			items = append(items, evaluation(id, c, 1))
		}
	}
	got, err := w.evaluate(ctx, items)
	if err != nil {
		return nil, err
	}
	out := map[string]standing{}
	for i, d := range got {
		out[pairs[i]] = standing{}
		if d.Decision {
			out[pairs[i]] = standing{level: levelOf(d.Context.Level), until: d.Context.ValidUntil}
		}
	}
	return out, nil
}
