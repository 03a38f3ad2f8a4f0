// Package receipt is what is kept of one mail: who is told what about which event, and what became of it.
//
// It is a package of its own so that storage and API can speak of it without carrying the mails' templates. A receipt goes this way:
//
//	             +-> sent -> delivered -> bounced -> complained
//	claimed -----+-> failed      the sender or the recipient's server will never take it
//	 ^  |        +-> suppressed  the address is blocked
//	 |  |        +-> dropped     what it says no longer holds: an invitation that has ended meanwhile
//	 |  |        +-> bundled     one organisation has caused more of them than a day allows: the day's summary tells of it; or a bulk job has
//	 |  |                        caused more of them than its first ones: its digest does
//	 +--+ released, or its lease is over: until then it waits, as work that is due
//
// Every state but claimed is settled: nobody sends the mail again, unless a person asks for it (Reopen).
package receipt

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"partneraccess/events"
)

// SummaryType is the type of a summary's receipt, which tells of the mails beyond a budget. It is no event that anybody else hears of.
const SummaryType events.Type = "mail.summary"

// State is what became of a mail.
type State string

// The states.
const (
	Claimed    State = "claimed"    // somebody is sending it, or is about to try again
	Sent       State = "sent"       // the mail service has taken it
	Delivered  State = "delivered"  // the recipient's server has taken it
	Bounced    State = "bounced"    // the recipient's server refused it
	Complained State = "complained" // the recipient says that it is spam
	Failed     State = "failed"     // the mail service refused it for good
	Suppressed State = "suppressed" // not sent: the address has bounced or complained before
	Dropped    State = "dropped"    // not sent: no longer needed when it was about to be
	Bundled    State = "bundled"    // not sent by itself: the day's summary tells of it, or a job's digest
)

// Rank orders what is heard of a mail that was sent: a later word counts only when it ranks higher. 0 = nothing of that kind.
func (s State) Rank() int {
	switch s {
	case Sent:
		return 1
	case Delivered:
		return 2
	case Bounced:
		return 3
	case Complained:
		return 4
	}
	return 0
}

// Key names a receipt: by whose history it stands, and which (event, recipient) it is.
type Key struct {
	Customer  string // the customer's id when the event concerns one
	Partner   string // the partner's id otherwise
	Provider  bool   // it is about the provider's own webhooks, and concerns neither
	Event     string // the event's id
	Recipient string // Digest of the address
}

// KeyOf is the key of the mail about the event to that address.
func KeyOf(e events.Event, to string) Key {
	k := Key{Event: e.ID, Recipient: Digest(to)}
	switch {
	case e.Customer != nil:
		k.Customer = e.Customer.ID
	case e.Partner != nil:
		k.Partner = e.Partner.ID
	default:
		k.Provider = e.Webhook != ""
	}
	return k
}

// Digest stands for an address where the address itself should not be seen, such as in keys, logs and links: 24 hexadecimal digits. It is
// the same however the address is capitalised.
func Digest(address string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(address)))
	return hex.EncodeToString(sum[:12])
}

// provider stands for the provider where an organisation is named.
const provider = "provider"

// Organisation is the key's organisation in the letters that a tag of the mail service may have, [A-Za-z0-9_-]: "c-" or "p-" and the id, in
// which "." is "_2e" and "_" is "_5f", or "provider".
func (k Key) Organisation() string {
	if k.Provider {
		return provider
	}
	escape := strings.NewReplacer(".", "_2e", "_", "_5f")
	if k.Customer != "" {
		return "c-" + escape.Replace(k.Customer)
	}
	return "p-" + escape.Replace(k.Partner)
}

// ParseKey is the key that the tags of a mail and its recipient name. It fails when the organisation is none that Organisation makes.
func ParseKey(organisation, event, to string) (Key, error) {
	k := Key{Event: event, Recipient: Digest(to)}
	if organisation == provider && event != "" {
		k.Provider = true
		return k, nil
	}
	kind, id, _ := strings.Cut(organisation, "-")
	id = strings.NewReplacer("_2e", ".", "_5f", "_").Replace(id)
	switch kind {
	case "c":
		k.Customer = id
	case "p":
		k.Partner = id
	}
	if id == "" || event == "" || k.Organisation() != organisation {
		return Key{}, fmt.Errorf("the tags organisation %q and event %q name no mail", organisation, event)
	}
	return k, nil
}

// Receipt is what is kept of one mail.
type Receipt struct {
	Key
	With      string // the partner's id when the event concerns a customer and a partner
	Type      events.Type
	To        string
	Template  string
	Side      string
	State     State
	Lease     time.Time // while claimed: until then nobody else may send it; UTC
	MessageID string    // the mail service's
	Attempts  int
	Asked     string    // which request had it sent again at last, in the caller's own words; "" when none did, or did not say
	Reason    string    // why it was not sent, or came back; of the latest attempt that failed while claimed
	Lines     []string  // of a summary or digest: what it tells of
	Source    string    // of a summary: the organisation that caused the mails, as SourceOf names it
	Written   Written   // how the mail that was sent is written; zero while none was, and for mails of before this was kept
	Created   time.Time // UTC
	Sent      time.Time // UTC: when the mail service took it
	Updated   time.Time // UTC: when what it says changed last
}

// New is the receipt of a mail about the event, before anything was done.
func New(e events.Event, to, template, side string) Receipt {
	r := Receipt{Key: KeyOf(e, to), Type: e.Type, To: to, Template: template, Side: side}
	if e.Customer != nil && e.Partner != nil {
		r.With = e.Partner.ID
	}
	return r
}

// Claim is the right to send one mail until the lease ends.
type Claim struct {
	Key
	Token string // nobody else's claim has it
	Lease time.Time
	Since time.Time // the first claim of a mail that has waited since then
}

// Waiting is a mail that is due for another attempt.
type Waiting struct {
	Key
	Position string // its place in the list of those
}

// Outcome is what the holder of a claim says of the mail.
type Outcome struct {
	State     State // sent, failed, suppressed, dropped or bundled
	MessageID string
	Reason    string
	Written   Written // of a mail that was sent
	At        time.Time
}

// Written is how a mail is written, so that it can be read again: its words are made anew, and Content tells whether they are the same.
type Written struct {
	Language string // a tag, such as de
	Zone     string // of IANA's
	Content  string // ContentOf its subject and text, without its secret
}

// ContentOf stands for the words of a mail: 32 hexadecimal digits.
func ContentOf(subject, text string) string {
	sum := sha256.Sum256([]byte(subject + "\n" + text))
	return hex.EncodeToString(sum[:16])
}

// Text is what a mail says. A secret (the token in an invitation's link, a temporary password) is three dots.
type Text struct {
	Subject, Text string
	Language      string // a tag, such as de
	AsSent        *bool  // whether that is what was sent, word for word; nil when nothing tells
}

// Feedback is what the mail service says later of a mail that it has taken.
type Feedback struct {
	Key
	MessageID string
	State     State // delivered, bounced or complained
	Reason    string
	At        time.Time
}

// SourceOf is the organisation that an event's mails are caused by, as Organisation writes it: that of who made the change, and, when that
// was the provider or the clock, the one whose history the event stands in.
func SourceOf(e events.Event) string {
	switch {
	case e.Actor.Kind == "customer" && e.Customer != nil:
		return Key{Customer: e.Customer.ID}.Organisation()
	case e.Actor.Kind == "partner" && e.Partner != nil:
		return Key{Partner: e.Partner.ID}.Organisation()
	}
	return KeyOf(e, "").Organisation()
}

// Budget names how much one organisation may have us send to one recipient on one day.
type Budget struct {
	Source    string // the organisation, as SourceOf names it; of a job's budget the job
	Recipient string // Digest of the address
	Security  bool   // of the mails that say that access ended, or that an address or its person changed: others never use it up
	Day       time.Time
}

// The most mails that one organisation can cause to one recipient on one day (UTC). Security notices are counted apart.
const (
	Daily         = 20
	DailySecurity = 100
)

// MaxLines is how many mails the summary of a day tells of.
const MaxLines = 100

// NewBudget is the budget of the day of that instant.
func NewBudget(source, address string, security bool, now time.Time) Budget {
	return Budget{Source: source, Recipient: Digest(address), Security: security, Day: now.UTC().Truncate(24 * time.Hour)}
}

// PerJob is the most mails about the changes of one bulk job to one recipient; a digest tells of the others.
const PerJob = 3

// NewJobBudget is the budget of a bulk job.
func NewJobBudget(job, address string, now time.Time) Budget {
	return Budget{Source: jobPrefix + job, Recipient: Digest(address), Day: now.UTC().Truncate(24 * time.Hour)}
}

// jobPrefix stands before a job where an organisation is named elsewhere.
const jobPrefix = "j-"

// Most is how many mails the budget allows.
func (b Budget) Most() int {
	if strings.HasPrefix(b.Source, jobPrefix) {
		return PerJob
	}
	if b.Security {
		return DailySecurity
	}
	return Daily
}

// Renewed is when the next day's budget begins, UTC.
func (b Budget) Renewed() time.Time { return b.Day.Add(24 * time.Hour) }

// Summarised is when the summary of the day is due, UTC: when nobody can still be at a mail of that day, since no function runs for longer.
func (b Budget) Summarised() time.Time { return b.Renewed().Add(15 * time.Minute) }

// Bounded tells whether the mails of an event count against a budget: those of customers and partners do, the provider's and the clock's do
// not.
func Bounded(e events.Event) bool { return e.Actor.Kind == "customer" || e.Actor.Kind == "partner" }

// Block is why an address gets no further mail. One for a complaint is about the mails of one organisation, and holds back no other's.
type Block struct {
	Address string
	Source  string // the organisation that caused the mails that it holds back, as SourceOf names it; "" = all mails
	State   State  // bounced or complained
	Reason  string
	At      time.Time
}

// The ways in which a mail cannot be claimed or sent again, and in which feedback cannot be kept.
var (
	ErrHeld    = errors.New("somebody else is sending this mail: try again when the lease is over")
	ErrSettled = errors.New("this mail is settled")
	ErrDone    = errors.New("this mail has been sent again for this request already")
	ErrUnknown = errors.New("there is no such mail")
)
