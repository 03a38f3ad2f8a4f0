package mail

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/shared/mail/receipt"
)

// summary is the template of the letter that tells, at the end of a day, of the letters that went beyond what one organisation may cause to
// one recipient on that day. There is one for each (organisation that caused them, organisation that they are about, recipient, day).
const summary = "summary"

// digest is the template of the letter that tells of the changes of one bulk job that were not mailed one by one. There is one for each
// (job, recipient, organisation): to a partner's people its partner, whichever customers they are about.
const digest = "digest"

// digestAfter is how long a digest waits for another change of its job.
const digestAfter = 5 * time.Minute

// digested is the digest that tells of a letter about a change of a bulk job, and the line that it tells it in.
func (r *Renderer) digested(l Letter) (receipt.Receipt, string) {
	e := l.Event
	if l.Side != Customer && e.Partner != nil {
		e.Customer = nil
	}
	sum := sha256.Sum256([]byte(e.Job + "\n" + receipt.Digest(l.To) + "\n" + receipt.KeyOf(e, l.To).Organisation()))
	id, err := ulid.ParseStrict(e.Job) // its time: lists show it among the mails of its job
	if err != nil {
		_ = id.SetTime(ulid.Timestamp(e.Time))
	}
	_ = id.SetEntropy(sum[:10])
	e.ID, e.Type = id.String(), receipt.SummaryType
	return receipt.New(e, l.To, digest, string(l.Side)), r.line(l)
}

// bundled is the summary that tells of a letter, and the line that it tells it in.
func (r *Renderer) bundled(l Letter, b receipt.Budget) (receipt.Receipt, string) {
	sum := sha256.Sum256([]byte(b.Source + "\n" + b.Recipient + "\n" + receipt.KeyOf(l.Event, l.To).Organisation()))
	var id ulid.ULID
	// lists show it after the mails of its day; no day before 1970 comes here, nor one after 10889
	_ = id.SetTime(ulid.Timestamp(b.Summarised()))
	_ = id.SetEntropy(sum[:10])
	e := l.Event
	e.ID, e.Type = id.String(), receipt.SummaryType
	out := receipt.New(e, l.To, summary, string(l.Side))
	out.Source = b.Source
	return out, r.line(l)
}

// line tells of a letter in a line of a summary, in the recipient's language.
func (r *Renderer) line(l Letter) string {
	v := r.view(l, "")
	return v.clock(l.Event.Time) + ": " + v.happened()
}

// happened is what a letter tells, in a line of a summary.
func (v view) happened() string {
	as := happenedAs(v.l.Template)
	if as == "invitation" {
		_, became, _ := strings.Cut(string(v.l.Event.Type), ".")
		return v.T("happened.invitation", "what", v.oneOf("invitation_is", became))
	}
	return v.T("happened." + as)
}

// happenedAs is the name under which the lines of summaries have a letter: one for letters that a line need not tell apart.
func happenedAs(template string) string {
	switch {
	case slices.Contains([]string{"removed", "expired", "revoked", "relinquished"}, template):
		return "ended"
	case template == "address_former":
		return "address"
	case strings.HasPrefix(template, "invitation"):
		return "invitation"
	}
	return template
}

// Summary is the letter of a summary's receipt, about organisations of these names. Outdated says why its recipient is told nothing any
// more.
func Summary(r receipt.Receipt, customer, partner, outdated string) Letter {
	e := events.Event{ID: r.Event, Type: receipt.SummaryType, Time: r.Created}
	if id, err := ulid.ParseStrict(r.Event); err == nil {
		e.Time = ulid.Time(id.Time())
	}
	id := r.Partner
	if r.Customer != "" {
		e.Customer, id = &events.Organisation{ID: r.Customer, Name: customer}, r.With
	}
	if id != "" {
		e.Partner = &events.Organisation{ID: id, Name: partner}
	}
	e.Actor.Kind = "customer"
	if strings.HasPrefix(r.Source, "p-") {
		e.Actor.Kind = "partner"
	}
	return Letter{
		Event: e, To: r.To, Template: cmp.Or(r.Template, summary), Side: Side(r.Side), Lines: r.Lines, More: len(r.Lines) >= receipt.MaxLines,
		Outdated: outdated,
	}
}

// Day is the day that a summary is about.
func (v view) Day() string { return v.date(v.l.Event.Time.UTC().AddDate(0, 0, -1)) }

// Source is the organisation that caused the mails that a summary is about.
func (v view) Source() string {
	if v.l.Event.Actor.Kind == "partner" {
		return v.Partner()
	}
	return v.Customer()
}
