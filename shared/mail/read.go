package mail

import (
	"cmp"
	"context"
	"errors"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail/receipt"
)

// hidden stands for a letter's secret where the letter is read again.
const hidden = "..."

// written is how a letter is written that was rendered with that secret, which is no part of it.
func (r *Renderer) written(l Letter, m Message, secret string) (receipt.Written, error) {
	if secret != "" {
		var err error
		if m, err = r.Render(l, hidden); err != nil {
			return receipt.Written{}, err
		}
	}
	return receipt.Written{
		Language: r.languageOf(l), Zone: cmp.Or(l.Reader.Zone, r.settings.Zone, "UTC"), Content: receipt.ContentOf(m.Subject, m.Text),
	}, nil
}

func (r *Renderer) languageOf(l Letter) string { return r.view(l, "").w.language }

// Read returns what a mail says: as it was sent where that can be told, otherwise as it would be written now. It is made of its event, in
// the language and zone that it was sent in, first with what holds now and then as the event alone tells it; the digest of what was sent
// decides between the two. A summary is made of its receipt (e is nil), with the names of the organisations that it is about. It fails with
// receipt.ErrUnknown when the event has no such letter to the recipient.
func (n *Notifier) Read(ctx context.Context, r receipt.Receipt, e *events.Event, customer, partner string) (receipt.Text, error) {
	var letters []Letter
	if e == nil {
		letters = []Letter{Summary(r, customer, partner, "")}
	} else {
		now, err := n.letters(ctx, *e)
		if err != nil {
			return receipt.Text{}, err
		}
		letters = append(now, Letters(*e)...)
	}
	reader := access.Preferences{Language: r.Written.Language, Zone: r.Written.Zone}
	if r.Written == (receipt.Written{}) && n.Readers != nil {
		chosen, err := n.Readers.Preferences(ctx, []string{r.To})
		if err != nil {
			return receipt.Text{}, err
		}
		reader = chosen[r.To]
	}
	var first *receipt.Text
	var errs []error
	for _, l := range letters {
		if receipt.Digest(l.To) != r.Recipient || l.Template != r.Template || string(l.Side) != r.Side {
			continue
		}
		l.Reader = reader
		for _, secret := range secretsOf(l) {
			text, err := n.Renderer.read(l, secret, r.Written.Content)
			switch {
			case err != nil: // the event alone may not tell all that a letter needs
				errs = append(errs, err)
			case text.AsSent != nil && *text.AsSent:
				return text, nil
			case first == nil:
				first = &text
			}
		}
	}
	if first == nil {
		return receipt.Text{}, errors.Join(append(errs, receipt.ErrUnknown)...)
	}
	return *first, nil
}

// secretsOf are what may stand for the secret of a letter: people who sign in elsewhere get no password.
func secretsOf(l Letter) []string {
	switch l.Secret {
	case NoSecret:
		return []string{""}
	case Credential:
		return []string{hidden, ""}
	}
	return []string{hidden}
}

// read is what a letter says, and whether the words are those of that content.
func (r *Renderer) read(l Letter, secret, content string) (receipt.Text, error) {
	m, err := r.Render(l, secret)
	if err != nil {
		return receipt.Text{}, err
	}
	t := receipt.Text{Subject: m.Subject, Text: m.Text, Language: r.languageOf(l)}
	if content != "" {
		same := receipt.ContentOf(m.Subject, m.Text) == content
		t.AsSent = &same
	}
	return t, nil
}
