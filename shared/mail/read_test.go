package mail_test

import (
	"errors"
	"strings"
	"testing"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

func (o *office) sentTo(t *testing.T, e events.Event, to string) (receipt.Receipt, mail.Message) {
	t.Helper()
	if err := o.Notify(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for _, m := range o.outbox {
		if m.To == to {
			return o.receipts[receipt.KeyOf(e, to)].Receipt, m
		}
	}
	t.Fatalf("got no mail to %s", to)
	return receipt.Receipt{}, mail.Message{}
}

func (o *office) read(t *testing.T, r receipt.Receipt, e *events.Event) receipt.Text {
	t.Helper()
	text, err := o.Read(t.Context(), r, e, "Acme", "Contoso")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestALetterIsReadInTheLanguageThatItWasSentIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.GrantCreated)
	to := mail.Letters(e)[0].To
	o.Readers = &chosen{by: map[string]access.Preferences{to: {Language: "de", Zone: "Europe/Berlin"}}}
	r, m := o.sentTo(t, e, to)
	o.Readers = &chosen{by: map[string]access.Preferences{to: {Language: "en", Zone: "Asia/Tokyo"}}} // chosen since
	text := o.read(t, r, &e)
	if text.Text != m.Text || text.Subject != m.Subject || text.Language != "de" || text.AsSent == nil || !*text.AsSent {
		t.Errorf("got %+v, want what was sent:\n%s", text, m.Text)
	}
	r.Written = receipt.Written{} // a mail of before this was kept
	if text := o.read(t, r, &e); text.AsSent != nil || text.Language != "en" {
		t.Errorf("got %q, as sent: %v, want it in the language of now, and that nothing tells", text.Language, text.AsSent)
	}
}

func TestWhatIsNotWhatWasSentIsSaid(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	e := sample(t, events.GrantCreated)
	to := mail.Letters(e)[0].To
	r, m := o.sentTo(t, e, to)
	e.Customer.Name = "Another" // as after an erasure, which rewrites events
	text := o.read(t, r, &e)
	if text.AsSent == nil || *text.AsSent || text.Text == m.Text {
		t.Errorf("got %+v, want another text, and that it is another", text)
	}
	r.Template = "revoked"
	if _, err := o.Read(t.Context(), r, &e, "", ""); !errors.Is(err, receipt.ErrUnknown) {
		t.Errorf("a letter that the event does not have: got %v, want %v", err, receipt.ErrUnknown)
	}
}

func TestALetterIsReadWithoutItsSecret(t *testing.T) {
	t.Parallel()
	for _, typ := range []events.Type{events.InvitationCreated, events.UserCreated} {
		o := newOffice(t)
		e := sample(t, typ)
		for _, l := range mail.Letters(e) {
			if l.Secret == mail.NoSecret {
				continue
			}
			r, m := o.sentTo(t, e, l.To)
			text := o.read(t, r, &e)
			if text.AsSent == nil || !*text.AsSent || text.Text == m.Text || !strings.Contains(text.Text, "...") {
				t.Errorf("%s: got %+v, want what was sent but for its secret:\n%s", typ, text, m.Text)
			}
		}
	}
}
