package mail_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

// chosen is what people have chosen, by address; asked are the addresses of each request for it.
type chosen struct {
	by    map[string]access.Preferences
	asked [][]string
	err   error
}

func (c *chosen) Preferences(_ context.Context, addresses []string) (map[string]access.Preferences, error) {
	c.asked = append(c.asked, slices.Sorted(slices.Values(addresses)))
	return c.by, c.err
}

func TestEachRecipientReadsInItsOwnLanguage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	read := &chosen{by: map[string]access.Preferences{kim: {Language: "de", Zone: "Europe/Berlin"}, it: {Zone: "Asia/Tokyo"}}}
	o.Readers = read
	e := sample(t, events.GrantRevoked)
	if err := o.Notify(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	subjects := map[string]string{kim: "Sie haben keinen Zugriff auf", it: "The access of Contoso MSP was revoked"}
	for _, m := range o.outbox {
		if want, ok := subjects[m.To]; ok && !strings.HasPrefix(m.Subject, want) {
			t.Errorf("to %s: got %s, want %s", m.To, m.Subject, want)
		}
		if german, is := strings.Contains(m.HTML, `lang="de"`), m.To == kim; german != is {
			t.Errorf("to %s: got German: %v, want %v", m.To, german, is)
		}
	}
	if len(read.asked) != 1 || len(read.asked[0]) != len(o.outbox) {
		t.Errorf("got the requests %v, want one for the %d letters", read.asked, len(o.outbox))
	}
}

func TestWhoHasChosenNothingReadsAsTheSettingsSay(t *testing.T) {
	t.Parallel()
	s := settings()
	s.Language, s.Zone = "de", "Europe/Berlin"
	r := renderer(t, s)
	for _, c := range []struct {
		chosen access.Preferences
		want   string
	}{
		{access.Preferences{}, "ist am 1. März 2027, 01:00 Uhr MEZ (00:00 Uhr UTC) abgelaufen"},
		{access.Preferences{Language: "en"}, "expired on 1 March 2027, 01:00 CET (00:00 UTC)"},
		{access.Preferences{Zone: "UTC"}, "ist am 1. März 2027, 00:00 Uhr UTC abgelaufen"},
		{access.Preferences{Language: "xx", Zone: "Asia/Tokyo"}, "ist am 1. März 2027, 09:00 Uhr JST (00:00 Uhr UTC) abgelaufen"},
	} {
		l := mail.Letters(sample(t, events.GrantExpired))[0]
		l.Reader = c.chosen
		m, err := r.Render(l, "")
		if err != nil || !strings.Contains(m.Text, c.want) {
			t.Errorf("%v: got %s and %v, want %s", c.chosen, m.Text, err, c.want)
		}
	}
}

// A mail in a language that its reader has not chosen would be worse than a late one.
func TestAMailWaitsForWhatItsRecipientHasChosen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	read := &chosen{err: errors.New("the table does not answer")}
	o.Readers = read
	e := sample(t, events.GrantRevoked)
	if err := o.Notify(t.Context(), e); !errors.Is(err, read.err) || len(o.outbox) > 0 {
		t.Fatalf("got %v and %d mails, want the error and none", err, len(o.outbox))
	}
	read.err = nil
	if err := o.Notify(t.Context(), e); err != nil || len(o.outbox) == 0 {
		t.Errorf("again: got %v and %d mails", err, len(o.outbox))
	}
}

// The lines of a summary are written when they are bundled, in the language of who will get it.
func TestALineOfASummaryIsInItsRecipientsLanguage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Readers = &chosen{by: map[string]access.Preferences{it: {Language: "de", Zone: "Europe/Berlin"}}}
	e := with(t, events.GrantEdited, func(e *events.Event) { e.Job = "01M7SDSMGG0SQXGGDA2DYEAKNQ" })
	for i := range 40 {
		e.ID = e.ID[:24] + string(rune('A'+i/20)) + string("0123456789ABCDEFGHJK"[i%20])
		if err := o.Notify(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	found := false
	for key, r := range o.receipts {
		if r.Template == "digest" && key.Recipient == receipt.Digest(it) {
			found = true
			if !strings.Contains(r.Lines[0], "der Zugriff von Contoso MSP auf Acme wurde geändert") || !strings.Contains(r.Lines[0], "Uhr MEZ") {
				t.Errorf("got the lines %q, want German ones", r.Lines)
			}
		}
	}
	if !found {
		t.Error("got no digest")
	}
}
