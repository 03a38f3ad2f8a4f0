package access

import "strings"

// Facts are the records that a decision reads. A record that does not exist is nil, and denies.
type Facts struct {
	Partner    *Partner
	User       *User
	Grant      *Grant      // of the customer asked about and the user's partner
	Assignment *Assignment // of the customer asked about and the user
}

// FactsQuery asks for the facts about a user and, unless Customer is "", about that customer's grant to the user's partner.
type FactsQuery struct {
	User     string // <partner>:<ulid>
	Customer string
}

// Consistency is how facts are read, and what that promises.
type Consistency string

const (
	// Strong sees every change that was answered before the reading began; the facts are read side by side, not at one instant.
	Strong Consistency = "strong"
	// Eventual may miss the latest changes, usually those of the last second, and costs half.
	Eventual Consistency = "eventual"
	// Snapshot reads the facts of one question as of one instant, and costs twice as much as Strong.
	Snapshot Consistency = "snapshot"
)

// Subject returns whom a question names: the id of a partner's user, or an address whose user is to be looked up. Both are "" when the
// text is neither.
func Subject(text string) (user, address string) {
	switch {
	case ValidUserID(text):
		return text, ""
	case strings.Contains(text, "@"):
		address, _ = ParseEmail(text)
	}
	return "", address
}
