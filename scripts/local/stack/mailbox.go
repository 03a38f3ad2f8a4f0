package stack

import "sync"

// Mail is one e-mail that would have been sent.
type Mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	Event   string `json:"event"` // the type of the event that caused it
}

// Mailbox keeps what would have been sent, for GET /_local/mail. The zero value is empty and ready.
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

// Clear empties the mailbox.
func (m *Mailbox) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = nil
}
