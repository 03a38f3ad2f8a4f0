package stack

import (
	"slices"
	"sync"
	"time"
)

// Mail is one e-mail that SES would have sent.
type Mail struct {
	ID      string            `json:"id"` // SES's message id
	To      string            `json:"to"`
	From    string            `json:"from"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	HTML    string            `json:"html"`
	Headers map[string]string `json:"headers"` // that the sender added, by name
	Tags    map[string]string `json:"tags"`
	Event   string            `json:"event"` // the type of the event that caused it, from the tag "type"
	At      time.Time         `json:"at"`    // by the stack's clock, UTC
}

// Mailbox keeps what would have been sent, for GET /_local/mail and the page /_local/mailbox. The zero value is empty and ready.
type Mailbox struct {
	mu    sync.Mutex
	mails []Mail
}

// Add puts a mail at the end.
func (m *Mailbox) Add(mail Mail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, mail)
}

// List returns all mails, oldest first; never nil.
func (m *Mailbox) List() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail{}, m.mails...)
}

// Find returns the mail with that id.
func (m *Mailbox) Find(id string) (Mail, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.mails, func(mail Mail) bool { return mail.ID == id })
	if i < 0 {
		return Mail{}, false
	}
	return m.mails[i], true
}

// Clear empties the mailbox.
func (m *Mailbox) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = nil
}
