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
	v := view{l: l, s: r.settings}
	return receipt.New(e, l.To, digest, string(l.Side)), clock(l.Event.Time) + ": " + v.happened()
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
	v := view{l: l, s: r.settings}
	return out, clock(l.Event.Time) + ": " + v.happened()
}

// happened is what a letter tells, in a line of a summary.
func (v view) happened() string {
	access := "the access of " + v.Partner() + " to " + v.Customer()
	switch v.l.Template {
	case "granted":
		return access + " was granted, or users were added"
	case "changed":
		return access + " was changed"
	case "removed", "expired", "revoked", "relinquished", "ended":
		return access + " was ended, or a user was removed from it"
	case "suspended":
		return access + " was suspended"
	case "resumed":
		return access + " was resumed"
	case "user_left":
		return v.Person() + " has left " + v.Partner()
	case "account":
		return "an account was created for " + v.Person()
	case "address", "address_former":
		return "the address of an account was changed"
	case "activation_renewed":
		return "a temporary password was sent to " + v.Person()
	}
	if strings.HasPrefix(v.l.Template, "invitation") {
		return "the invitation of " + v.Person() + " to " + v.Customer() + ": " +
			strings.ReplaceAll(strings.TrimPrefix(string(v.l.Event.Type), "invitation."), "_", " ")
	}
	return strings.ReplaceAll(strings.ReplaceAll(string(v.l.Event.Type), ".", " "), "_", " ")
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
	if len(r.Lines) >= receipt.MaxLines {
		r.Lines = append(slices.Clip(r.Lines), "… and more: the history has all of it")
	}
	return Letter{Event: e, To: r.To, Template: cmp.Or(r.Template, summary), Side: Side(r.Side), Lines: r.Lines, Outdated: outdated}
}

// Day is the day that a summary is about.
func (v view) Day() string { return v.l.Event.Time.UTC().AddDate(0, 0, -1).Format("2 January 2006") }

// Source is the organisation that caused the mails that a summary is about.
func (v view) Source() string {
	if v.l.Event.Actor.Kind == "partner" {
		return v.Partner()
	}
	return v.Customer()
}
