package mail

import (
	"context"
	"slices"
	"strings"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// Situation is the present state when the letters of an event are rendered: who gets them, and what a check would answer. The zero value
// knows nothing; then the event is taken as it is.
type Situation struct {
	Known       bool
	Now         time.Time // UTC
	Customer    *access.Customer
	Partner     *access.Partner
	Grant       *access.Grant
	Headcount   access.Headcount
	Users       map[string]*access.User // those whom the event names
	Assignments map[string]*access.Assignment
	Owner       string // the address of an owner of the partner, where the partner has no contacts (P16, D21, D31)
	// the address of the event's inviter, while the inviter still belongs to the inviting side; "" = it does not
	Inviter    string
	Invitation *access.Invitation // that the event is about
	Request    *access.RequestRow // likewise
	Deciders   map[string]bool    // of those whom the event names: who still decides about requests to the customer
	Webhook    *access.Webhook    // that the notice is about; nil = there is none any more
	Provider   string             // the address at which the provider hears of its own webhooks; "" = it does not
}

// Situations reads the present state.
type Situations interface {
	// Situation reads it for the people and organisations of one event.
	Situation(ctx context.Context, e events.Event) (Situation, error)
}

// Letters returns the mails that an event causes, when nothing is known of later changes.
func Letters(e events.Event) []Letter { return Situation{}.Letters(e) }

// Letters returns the mails that an event causes now, to the present addresses of people and organisations. A recipient of the event who
// gets nothing any longer has a letter, too, with the reason in Outdated: it is never sent, and its receipt shows that.
func (s Situation) Letters(e events.Event) []Letter {
	if !s.Known {
		return letters(e)
	}
	out := letters(s.present(e))
	reached := map[string]bool{}
	for i := range out {
		l := &out[i]
		l.Situation = s
		l.Outdated = s.outdated(*l)
		reached[l.To] = true
	}
	for _, l := range letters(e) {
		if !reached[l.To] {
			l.Situation, l.Gone = s, true
			l.Moved = s.moved(e, l.To)
			l.Outdated = "this address no longer gets mails about it: the person has left, is disabled or has another address, or the contact was " +
				"replaced"
			out = append(out, l)
		}
	}
	return out
}

// moved returns the present address of a user whom the event has under another one; "" when there is none, or it is the same.
func (s Situation) moved(e events.Event, was string) string {
	for _, p := range slices.Concat(e.Data.Added, e.Data.Removed, e.Data.Changed, e.Data.Users) {
		if u := s.Users[p.ID]; u != nil && strings.EqualFold(p.Email, was) && u.Email != was {
			return u.Email
		}
	}
	return ""
}

// present returns the event with the present addresses. Those who are no longer notified have none.
func (s Situation) present(e events.Event) events.Event {
	if o := e.Customer; o != nil && s.Customer != nil {
		now := *o
		now.Contacts = s.Customer.Contacts
		if e.Webhook != "" { // whoever sent it knows webhooks alone
			now.Name = s.Customer.Name
		}
		e.Customer = &now
	}
	if e.Webhook != "" && s.Provider != "" {
		e.Data.Person = &events.Person{Email: s.Provider}
	}
	if o := e.Partner; o != nil && s.Partner != nil {
		now := *o
		if now.Contacts = s.Partner.Contacts; len(now.Contacts) == 0 && s.Owner != "" {
			now.Contacts = []string{s.Owner}
		}
		e.Partner = &now
	}
	if in := e.Data.Inviter; in != nil && in.Email != s.Inviter {
		now := *in
		now.Email = s.Inviter
		e.Data.Inviter = &now
	}
	if p := e.Data.Requester; p != nil {
		now := s.people([]events.Person{*p})[0]
		e.Data.Requester = &now
		e.Data.Approvers = slices.DeleteFunc(slices.Clone(e.Data.Approvers), func(p events.Person) bool { return !s.Deciders[p.Email] })
	}
	if kind, _, _ := strings.Cut(string(e.Type), "."); kind == "grant" {
		for _, list := range []*[]events.Person{&e.Data.Added, &e.Data.Removed, &e.Data.Changed, &e.Data.Users} {
			*list = s.people(*list)
		}
	}
	return e
}

// people returns these people with their present addresses.
func (s Situation) people(list []events.Person) []events.Person {
	out := slices.Clone(list)
	for i := range out {
		p := &out[i]
		u := s.Users[p.ID]
		if u == nil || u.Status != access.Active {
			p.Email = ""
			continue
		}
		p.Email, p.Name = u.Email, u.Name
	}
	return out
}

// Urgent reports whether a letter is sent even when it is late and outdated, since its recipient has to learn of it: the end or suspension
// of access, and, for organisations, each change; the letter then says that the access has ended since.
func (l Letter) Urgent() bool {
	switch l.Template {
	case "granted", "changed", "resumed":
		return !l.Gone && l.Side != User
	}
	return !l.Gone && l.ends()
}

// ends reports whether the letter says that access has ended or is suspended.
func (l Letter) ends() bool {
	switch l.Template {
	case "removed", "suspended", "expired", "revoked", "relinquished", "ended", "partner_suspended", "partner_removed":
		return true
	}
	return false
}

// security reports whether the letter says that access ended or is suspended, or that an address or the person behind it changed.
func (l Letter) security() bool {
	return l.ends() || l.Template == "address" || l.Template == "address_former" || l.Template == "person_changed"
}

// outdated returns why the letter no longer applies; "" when it does.
func (s Situation) outdated(l Letter) string {
	switch kind, _, _ := strings.Cut(string(l.Event.Type), "."); kind {
	case "grant":
		return s.outdatedGrant(l)
	case "partner":
		return s.outdatedPartner(l)
	case "user":
		return s.outdatedAccount(l)
	case "request":
		pending := s.Request == nil
		if !pending {
			status, _ := s.Request.Status(s.Now)
			pending = status == access.RequestPending
		}
		if !pending && slices.Contains([]string{"request", "request_reminder", "request_question", "request_seconded"}, l.Template) {
			return "the request has ended"
		}
	case "webhook":
		switch h := s.Webhook; {
		case h == nil:
			return "there is no such webhook any more"
		case (h.Status == access.WebhookDisabled) != (l.Event.Type == access.WebhookEnded):
			return "the webhook is " + string(h.Status) + " by now"
		}
	case "invitation":
		switch i := s.Invitation; {
		case i == nil || l.Secret != Token && (l.Template != "invitation" || l.Side != Customer):
		case i.Status(s.Now) != access.InvitationPending:
			return "the invitation has ended"
		case l.Secret == Token && i.Sending != l.Event.Data.Sending:
			return "a later mail carries the link"
		}
	}
	return ""
}

func (s Situation) outdatedGrant(l Letter) string {
	open := s.Grant != nil && s.Grant.EndAt(s.Partner, s.Now) == nil
	holds := open && s.Grant.ID == l.Event.Data.Grant
	d, person := s.decision(l)
	in := person && (d.Allow || isTemporary(d.Reason))
	const ended = "the access has ended"
	switch l.Template {
	case "revoked", "relinquished", "ended", "expired":
		if open {
			return "access was granted again"
		}
	case "removed":
		if holds && in {
			return "the person has access again"
		}
	case "suspended":
		if holds && s.Grant.State == access.StateOpen {
			return "the access was resumed"
		}
	case "partner_suspended", "partner_resumed":
		return s.outdatedPartner(l)
	case "granted", "changed", "resumed", "started", "expiring":
		switch {
		case !holds:
			return ended
		case person && !in:
			return "the person has no access"
		case l.Template == "resumed" && s.Grant.State != access.StateOpen:
			return "the access was suspended again"
		case l.Template == "started" && (s.Grant.DenialReason(s.Partner, s.Now) != "" || s.effective(l) == access.None):
			return "the access is not open"
		case l.Template == "expiring" && (l.Event.Data.Until == nil || !s.Grant.Until.Equal(*l.Event.Data.Until) || !s.Now.Before(s.Grant.Until)):
			return "the end of the period was changed"
		}
	}
	return ""
}

func (s Situation) outdatedPartner(l Letter) string {
	switch {
	case s.Partner == nil:
	case l.Template == "partner_suspended" && s.Partner.Status == access.Active:
		return "the suspension has ended"
	case l.Template == "partner_resumed" && s.Partner.Status != access.Active:
		return "the partner is " + string(s.Partner.Status) + " again"
	}
	return ""
}

func (s Situation) outdatedAccount(l Letter) string {
	p := l.Event.Data.Person
	if l.Side != User || l.Template == "address_former" || p == nil {
		return ""
	}
	switch u := s.Users[p.ID]; {
	case u == nil || u.Status == access.Removed:
		return "there is no such user any more"
	case u.Status != access.Active:
		return "the account is " + string(u.Status)
	case u.Email != l.To:
		return "the user has another address now"
	case l.Template == "activation_missed" && u.ActivationMissedAt.IsZero():
		return "the user has another temporary password"
	}
	return ""
}

// isTemporary reports whether a reason to deny is about the grant or the partner and not about the person: it ends when the level or the
// state changes.
func isTemporary(w access.DecisionReason) bool {
	switch w {
	case access.LevelTooLow, access.DeniedSuspended, access.NotYetActive, access.DeniedPartnerNotActive,
		access.DeniedPartnerNotEligible, access.SSORequired:
		return true
	}
	return false
}

// decision returns what a check answers the letter's recipient now, for any action; false when the letter is not about a user's own access.
func (s Situation) decision(l Letter) (access.Decision, bool) {
	f, ok := s.facts(l)
	if !ok {
		return access.Decision{}, false
	}
	return access.DecideAccess(f, f.Grant.Customer, s.Now), true
}

// facts returns what a check reads for the letter's recipient.
func (s Situation) facts(l Letter) (access.Facts, bool) {
	if !s.Known || l.Side != User || s.Grant == nil {
		return access.Facts{}, false
	}
	d := l.Event.Data
	for _, p := range slices.Concat(d.Added, d.Removed, d.Changed, d.Users) {
		if strings.EqualFold(p.Email, l.To) && s.Users[p.ID] != nil {
			return access.Facts{Partner: s.Partner, User: s.Users[p.ID], Grant: s.Grant, Assignment: s.Assignments[p.ID]}, true
		}
	}
	return access.Facts{}, false
}

// over reports whether the grant of the letter has ended since.
func (s Situation) over(l Letter) bool {
	return s.Known && !l.ends() && l.Event.Data.Grant != "" && !s.same(l)
}

// same reports whether the grant of the letter is the present one and has not ended.
func (s Situation) same(l Letter) bool {
	return s.Grant != nil && s.Grant.ID == l.Event.Data.Grant && s.Grant.EndAt(s.Partner, s.Now) == nil
}

// effective returns the level of the letter's recipient, or of its organisation, now; after the end, the level before it.
func (s Situation) effective(l Letter) access.Level {
	granted := s.granted(l)
	if s.Partner == nil {
		return granted
	}
	if f, ok := s.facts(l); ok && s.same(l) {
		return f.Grant.LevelOf(f.Partner, f.User, f.Assignment)
	}
	return access.Lowest(granted, s.Partner.Offer)
}

// granted returns the level that the customer has granted now; after the end, before it.
func (s Situation) granted(l Letter) access.Level {
	level, _ := access.ParseLevel(asked(l))
	switch {
	case !strings.HasPrefix(string(l.Event.Type), "invitation.") && s.same(l):
		return s.Grant.Level
	case s.same(l): // what is offered to one person is at most what the partner has
		return access.Lowest(level, s.Grant.Level)
	}
	return level
}

// asked returns the level of the event: the recipient's own when it is a user who has one, else the grant's.
func asked(l Letter) string {
	if p := recipient(l, l.Event.Data.Changed, l.Event.Data.Added, l.Event.Data.Users); p != nil && p.Level != "" {
		return p.Level
	}
	return l.Event.Data.Level
}

// recipient returns the user among these to whom the letter goes; nil when it goes to somebody else.
func recipient(l Letter, lists ...[]events.Person) *events.Person {
	for _, p := range slices.Concat(lists...) {
		if l.Side == User && strings.EqualFold(p.Email, l.To) {
			return &p
		}
	}
	return nil
}
