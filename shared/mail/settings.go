package mail

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"partneraccess/shared/messages"
)

// Settings are the provider's brand and addresses.
//
// In the links {customer} and {partner} stand for the ids of the organisations, {token} for the invitation's token and {address} for the
// recipient's address. A letter that has no value for a link's placeholder links to the page at the address's root.
type Settings struct {
	Product       string // the product's name, as people know it
	From          string // an address, with or without a name: Acme Cloud <no-reply@cloud.example>
	ReplyTo       string // likewise; "" = none
	Support       string // whom people can ask: an e-mail address or an https: address
	CustomerURL   string // the customer's "Partners" page; may hold {customer} and {partner}. A reminder adds ?extend=P90D, and partner=
	PartnerURL    string // the partner's portal; may hold {customer} and {partner}
	InvitationURL string // where an invited person accepts; holds {token}
	Language      string // of mails to people who have chosen none: a tag of messages.Languages; "" = en
	Zone          string // in which mails to people who have chosen none write times: a name of IANA's; "" = UTC
	Unsubscribe   string // for reminders: mailto:, or https: with {address}, which has to take a POST (RFC 8058); "" = none
	Provider      string // a bare address that hears of the provider's own webhooks which fail; "" = none
	Chat          string // an incoming webhook of Slack or Teams that hears of requests which wait for a decision; a secret; "" = none
}

// Validate tells what is wrong, in sentences for the operator; nil when nothing is.
func (s Settings) Validate() error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if strings.TrimSpace(s.Product) == "" || strings.ContainsFunc(s.Product, unicode.IsControl) {
		say("the product's name %q is no name: give the one that people know, on one line", s.Product)
	}
	if !isAddress(s.From) {
		say("the sender %q is no address: write no-reply@example.com or Name <no-reply@example.com>", s.From)
	}
	if s.ReplyTo != "" && !isAddress(s.ReplyTo) {
		say("the reply address %q is no address: write help@example.com, or leave it out", s.ReplyTo)
	}
	if !isAddress(s.Support) || strings.ContainsAny(s.Support, "<> ") {
		if err := link(s.Support); err != nil {
			say("the support address %q is neither an e-mail address nor an https: address", s.Support)
		}
	}
	if s.Language != "" && !slices.Contains(messages.Languages(), s.Language) {
		say("the language %q has no words: it is one of %s", s.Language, strings.Join(messages.Languages(), ", "))
	}
	if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
		say("the time zone %q is none of IANA's: write one such as Europe/Berlin, or leave it out for UTC", s.Zone)
	}
	for _, l := range []struct{ name, url, may, must string }{
		{"the customer's page", s.CustomerURL, "customer partner", ""},
		{"the partner's page", s.PartnerURL, "customer partner", ""},
		{"the invitation's page", s.InvitationURL, "token", "token"},
	} {
		if err := link(l.url, strings.Fields(l.may)...); err != nil {
			say("the address of %s, %q, %w", l.name, l.url, err)
		} else if l.must != "" && !strings.Contains(l.url, "{"+l.must+"}") {
			say("the address of %s, %q, lacks {%s}", l.name, l.url, l.must)
		}
	}
	if a, err := mail.ParseAddress(s.Provider); s.Provider != "" && (err != nil || a.Address != s.Provider) {
		say("the provider's address %q is no bare e-mail address", s.Provider)
	}
	if s.Chat != "" && link(s.Chat) != nil {
		say("the chat's address is no https: address of an incoming webhook") // which nobody but the operator may read
	}
	if to, ok := strings.CutPrefix(s.Unsubscribe, "mailto:"); ok {
		if to, _, _ = strings.Cut(to, "?"); !isAddress(to) || strings.ContainsAny(s.Unsubscribe, "<> ") {
			say("the address to unsubscribe, %q, is no mailto: address", s.Unsubscribe)
		}
	} else if s.Unsubscribe != "" {
		if err := link(s.Unsubscribe, "address"); err != nil {
			say("the address to unsubscribe, %q, is no mailto: address and %w", s.Unsubscribe, err)
		} else if !strings.HasPrefix(s.Unsubscribe, "https://") || !strings.Contains(s.Unsubscribe, "{address}") {
			say("the address to unsubscribe, %q, has to begin with https:// and to hold {address}, since one click is all that it gets",
				s.Unsubscribe)
		}
	}
	return errors.Join(wrong...)
}

func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && !strings.ContainsFunc(s, unicode.IsControl) && strings.Contains(a.Address, "@")
}

// link tells what is wrong with a link that may hold these placeholders.
func link(s string, placeholders ...string) error {
	filled := s
	for _, p := range placeholders {
		filled = strings.ReplaceAll(filled, "{"+p+"}", "x")
	}
	if strings.ContainsAny(filled, "{}") {
		return fmt.Errorf("has a placeholder other than %q", placeholders)
	}
	u, err := url.Parse(filled)
	if err != nil || u.Host == "" || u.User != nil ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\`, r) }) {
		return errors.New("is no address such as https://example.com/page")
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return errors.New("has to begin with https:// (http:// only on this machine)")
	}
	return nil
}

// fill puts values into a link, escaped. Where one is missing it is the link's root.
func fill(s string, values map[string]string) string {
	for name, v := range values {
		if v == "" && strings.Contains(s, "{"+name+"}") {
			if u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(s)); err == nil {
				return u.Scheme + "://" + u.Host + "/"
			}
		}
	}
	for name, v := range values {
		s = strings.ReplaceAll(s, "{"+name+"}", url.QueryEscape(v))
	}
	return s
}
