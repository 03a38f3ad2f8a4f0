package mail

import (
	"slices"
	"strings"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// Side is the party that a letter addresses.
type Side string

// The sides.
const (
	User     Side = "user"     // a partner's user, about its own access
	Partner  Side = "partner"  // the partner's contacts
	Customer Side = "customer" // the customer's contacts
	Invitee  Side = "invitee"  // a person without an account
	Member   Side = "member"   // a customer's member, about its own account
	Provider Side = "provider" // the provider, about its own webhooks
)

// SecretKind is a secret in a letter, which is generated when the letter is sent and stored nowhere.
type SecretKind string

// The kinds.
const (
	NoSecret   SecretKind = ""
	Token      SecretKind = "token"      // of the link to an invitation (E3)
	Credential SecretKind = "credential" // a temporary password (P15)
)

// Letter is one mail that an event causes.
type Letter struct {
	Event    events.Event
	To       string
	Template string
	Side     Side
	Secret   SecretKind
	Reader   access.Preferences // its recipient's

	Lines []string // of a summary or digest: what it tells of
	More  bool     // whether it leaves out what else happened

	Situation Situation // when it was made
	Outdated  string    // why what it says holds no longer; "" = it holds. An outdated letter is sent only where it is urgent, and never again
	Gone      bool      // this address no longer gets mails about it
	Moved     string    // the address at which the recipient is told now; "" = nowhere else
}

// rule is one row of the table "which event tells whom what" (see the package comment, which a test holds to this).
type rule struct {
	on       []events.Type
	to       recipients
	side     Side // "" = the inviter's
	template string
	secret   SecretKind
}

// recipients are the people to whom a rule sends a letter.
type recipients struct {
	name string
	who  func(events.Event) []string
}

// rules is the table. Within one event an address gets one letter: that of the first rule that applies to it.
//
//nolint:funlen // a table: a line for each letter, read from top to bottom
func rules() []rule {
	on := func(types ...events.Type) []events.Type { return types }
	var (
		added     = recipients{"the users added", func(e events.Event) []string { return emails(e.Data.Added) }}
		removed   = recipients{"the users removed", func(e events.Event) []string { return emails(e.Data.Removed) }}
		remaining = recipients{"the other users, when their terms changed", func(e events.Event) []string {
			if !termsChanged(e) {
				return nil
			}
			return others(e)
		}}
		other    = recipients{"the other users", others}
		users    = recipients{"the users", func(e events.Event) []string { return emails(e.Data.Users) }}
		theirs   = recipients{"the users whose own level changed", func(e events.Event) []string { return emails(e.Data.Changed) }}
		person   = recipients{"the person", func(e events.Event) []string { return address(e.Data.Person) }}
		partner  = recipients{"the partner's contacts", func(e events.Event) []string { return contacts(e.Partner) }}
		customer = recipients{"the customer's contacts", func(e events.Event) []string { return contacts(e.Customer) }}
		primary  = recipients{
			"the partner's primary address",
			func(e events.Event) []string { return contacts(e.Partner)[:min(1, len(contacts(e.Partner)))] },
		}
		newcomer = recipients{
			"the person who gets an account",
			func(e events.Event) []string {
				return unless(e.Data.Invitation != "" && !e.Data.Account, person.who(e))
			},
		}
		copied = recipients{"the partner's primary address, unless by an invitation", func(e events.Event) []string {
			return unless(e.Data.Invitation != "", primary.who(e))
		}}
		moved = recipients{
			"the person, when the address changed",
			func(e events.Event) []string { return unless(e.Data.EmailWas == "", person.who(e)) },
		}
		former  = recipients{"the address before, when it changed", func(e events.Event) []string { return []string{e.Data.EmailWas} }}
		movedTo = recipients{"the partner's primary address, if the address changed", func(e events.Event) []string {
			return unless(e.Data.EmailWas == "", primary.who(e))
		}}
		enrolled = recipients{
			"the person, when an account was made",
			func(e events.Event) []string { return unless(!e.Data.Account, person.who(e)) },
		}
		inviter = recipients{"the inviter, or the inviting side's contacts", invitingSide}
		// The numbers are those of the notes in doc.go.
		opened = recipients{"the partner's contacts (1)", func(e events.Event) []string {
			return when(anonymous(e) || switched(e) || e.Data.AssignedBy == "partner", e.Partner)
		}}
		edited = recipients{"the partner's contacts (2)", func(e events.Event) []string {
			chooses := e.Data.AssignedBy == "partner" && slices.Contains(e.Data.Fields, "assigned_by")
			return when(addressed(e) || switched(e) || chooses || e.Data.Unnamed > 0 || anonymous(e) && termsChanged(e), e.Partner)
		}}
		paused = recipients{"the partner's contacts (3)", func(e events.Event) []string {
			return when(addressed(e) || anonymous(e) || e.Data.Unnamed > 0 || switched(e), e.Partner)
		}}
		emptied = recipients{"the partner's contacts, when no user is left", func(e events.Event) []string {
			return when(e.Data.UserCount != nil && *e.Data.UserCount == 0, e.Partner)
		}}
		informed = recipients{"the customer's contacts, unless only the note changed", func(e events.Event) []string {
			return when(!slices.Equal(e.Data.Fields, []string{"note"}), e.Customer)
		}}
		withdrawn = recipients{"the inviter, or the inviting side's contacts (4)", func(e events.Event) []string {
			switch {
			case e.Data.Reason == "":
				return nil
			case e.Data.Reason == "inviter_left" && e.Data.Side == "partner": // nobody who has left hears of it
				return contacts(e.Partner)
			case e.Data.Reason == "inviter_left":
				return contacts(e.Customer)
			}
			return invitingSide(e)
		}}
		requester = recipients{"the person who asked", func(e events.Event) []string { return address(e.Data.Requester) }}
		deciders  = recipients{"those who decide", deciding}
		rest      = recipients{"the others who decide", func(e events.Event) []string {
			return slices.DeleteFunc(deciding(e), func(a string) bool { return strings.EqualFold(a, e.Actor.Email) })
		}}
		manager = recipients{"the provider's address", func(e events.Event) []string {
			return unless(e.Customer != nil, address(e.Data.Person))
		}}
		host = recipients{
			"the customer's contacts, when the partner invites",
			func(e events.Event) []string { return when(e.Data.Side == "partner", e.Customer) },
		}
	)
	all := []rule{
		{on(events.GrantCreated), added, User, "granted", NoSecret},
		{on(events.GrantCreated), opened, Partner, "granted", NoSecret},
		{on(events.GrantCreated), customer, Customer, "granted", NoSecret},

		{on(events.GrantEdited, events.GrantSuspended, events.GrantResumed), added, User, "granted", NoSecret},
		{on(events.GrantEdited, events.GrantSuspended, events.GrantResumed), removed, User, "removed", NoSecret},
		{on(events.GrantEdited), theirs, User, "changed", NoSecret},
		{on(events.GrantEdited), remaining, User, "changed", NoSecret},
		{on(events.GrantEdited), edited, Partner, "changed", NoSecret},
		{on(events.GrantEdited), informed, Customer, "changed", NoSecret},
	}
	for _, t := range on(events.GrantSuspended, events.GrantResumed) {
		all = append(all, rule{on(t), other, User, name(t), NoSecret}, rule{on(t), paused, Partner, name(t), NoSecret},
			rule{on(t), customer, Customer, name(t), NoSecret})
	}
	for _, t := range on(events.GrantStarted, events.GrantExpiring) {
		all = append(all, rule{on(t), users, User, name(t), NoSecret}, rule{on(t), partner, Partner, name(t), NoSecret},
			rule{on(t), customer, Customer, name(t), NoSecret})
	}
	for _, t := range on(events.GrantExpired, events.GrantRevoked, events.GrantRelinquished, events.GrantEnded) {
		all = append(all, rule{on(t), users, User, name(t), NoSecret}, rule{on(t), partner, Partner, name(t), NoSecret},
			rule{on(t), customer, Customer, name(t), NoSecret})
	}
	return append(all,
		rule{on(events.GrantUserLeft), emptied, Partner, "user_left", NoSecret}, // E9
		rule{on(events.GrantUserLeft), customer, Customer, "user_left", NoSecret},
		rule{on(events.GrantPersonChanged), customer, Customer, "person_changed", NoSecret},
		rule{on(events.GrantPartnerSuspended), customer, Customer, "partner_suspended", NoSecret},
		rule{on(events.GrantPartnerResumed), customer, Customer, "partner_resumed", NoSecret},
		rule{on(events.PartnerSuspended), partner, Partner, "partner_suspended", NoSecret},
		rule{on(events.PartnerResumed), partner, Partner, "partner_resumed", NoSecret},
		rule{on(events.PartnerRemoved), partner, Partner, "partner_removed", NoSecret},

		rule{on(events.UserCreated), newcomer, User, "account", Credential}, // P15
		rule{on(events.UserCreated), copied, Partner, "account", NoSecret},  // P16
		rule{on(events.UserEdited, events.UserEnabled), moved, User, "address", Credential},
		rule{on(events.UserEdited, events.UserEnabled, events.UserDisabled), former, User, "address_former", NoSecret},
		rule{on(events.UserEdited, events.UserEnabled), movedTo, Partner, "address", NoSecret},
		rule{on(events.ActivationRenewed), person, User, "activation_renewed", Credential},
		rule{on(events.ActivationRenewed), primary, Partner, "activation_renewed", NoSecret},
		rule{on(events.ActivationMissed), person, User, "activation_missed", NoSecret},
		rule{on(events.ActivationMissed), primary, Partner, "activation_missed", NoSecret},

		rule{on(events.MemberAdded), enrolled, Member, "account", Credential},
		rule{on(events.MemberRenewed), person, Member, "activation_renewed", Credential},

		rule{on(events.InvitationCreated, events.InvitationResent), person, Invitee, "invitation", Token},
		rule{on(events.InvitationCreated), host, Customer, "invitation", NoSecret},
		rule{on(events.InvitationReminded), person, Invitee, "invitation_reminder", Token},
		rule{on(events.InvitationCancelled), person, Invitee, "invitation_cancelled", NoSecret},
		rule{on(events.InvitationCancelled), withdrawn, "", "invitation_cancelled", NoSecret},
		rule{on(events.InvitationAccepted), inviter, "", "invitation_accepted", NoSecret},
		rule{on(events.InvitationDeclined), inviter, "", "invitation_declined", NoSecret},
		rule{on(events.InvitationExpired), inviter, "", "invitation_expired", NoSecret},

		rule{on(events.RequestCreated), deciders, Customer, "request", NoSecret},
		rule{on(events.RequestCreated), requester, User, "request", NoSecret},
		rule{on(events.RequestReminded), deciders, Customer, "request_reminder", NoSecret},
		rule{on(events.RequestQuestioned), requester, User, "request_question", NoSecret},
		rule{on(events.RequestSeconded), rest, Customer, "request_seconded", NoSecret},
		rule{on(events.RequestApproved), requester, User, "request_approved", NoSecret},
		rule{on(events.RequestApproved), rest, Customer, "request_approved", NoSecret},
		rule{on(events.RequestDeclined), requester, User, "request_declined", NoSecret},
		rule{on(events.RequestDeclined), rest, Customer, "request_declined", NoSecret},
		rule{on(events.RequestWithdrawn), deciders, Customer, "request_withdrawn", NoSecret},
		rule{on(events.RequestExpired, events.RequestCancelled), requester, User, "request_ended", NoSecret},
		rule{on(events.RequestExpired, events.RequestCancelled), deciders, Customer, "request_ended", NoSecret},
		rule{on(events.RequestCodesRefused), customer, Customer, "request_codes", NoSecret},

		rule{on(access.WebhookFails), manager, Provider, "webhook_failing", NoSecret},
		rule{on(access.WebhookFails), customer, Customer, "webhook_failing", NoSecret},
		rule{on(access.WebhookEnded), manager, Provider, "webhook_disabled", NoSecret},
		rule{on(access.WebhookEnded), customer, Customer, "webhook_disabled", NoSecret},
	)
}

// letters returns the mails that an event causes, in the order of the table and of the people in the event. An address gets one letter,
// that of the first rule that applies to it: a user who is granted access and is also a contact of the partner gets the user's letter. The
// customer's contacts get the customer's letter, whatever else their addresses are used for; only a letter with a secret comes before that.
// An event without a rule, or of an unknown type, causes none. What is no plain address gets nothing.
func letters(e events.Event) []Letter {
	var out []Letter
	told, customers := map[string]bool{}, map[string]bool{}
	for _, r := range rules() {
		if r.side == Customer && slices.Contains(r.on, e.Type) {
			for _, a := range r.to.who(e) {
				to, _ := access.ParseEmail(a)
				customers[to] = true
			}
		}
	}
	for _, r := range rules() {
		if !slices.Contains(r.on, e.Type) {
			continue
		}
		side := r.side
		if side == "" {
			side = Customer
			if e.Data.Side == "partner" {
				side = Partner
			}
		}
		for _, a := range r.to.who(e) {
			to, ok := access.ParseEmail(a)
			if !ok || access.IsPseudonym(to) || told[to] || customers[to] && side != Customer && r.secret == NoSecret {
				continue
			}
			told[to] = true
			out = append(out, Letter{Event: e, To: to, Template: r.template, Side: side, Secret: r.secret})
		}
	}
	return out
}

// name returns the template of an event type that has one of its own.
func name(t events.Type) string {
	_, what, _ := strings.Cut(string(t), ".")
	return what
}

func emails(people []events.Person) []string {
	out := make([]string, len(people))
	for i, p := range people {
		out[i] = p.Email
	}
	return out
}

func address(p *events.Person) []string {
	if p == nil {
		return nil
	}
	return []string{p.Email}
}

func contacts(o *events.Organisation) []string {
	if o == nil {
		return nil
	}
	return o.Contacts
}

func when(yes bool, o *events.Organisation) []string {
	if !yes {
		return nil
	}
	return contacts(o)
}

func unless(yes bool, addresses []string) []string {
	if yes {
		return nil
	}
	return addresses
}

// deciding returns who decides about a request to the customer.
func deciding(e events.Event) []string { return unless(e.Customer == nil, emails(e.Data.Approvers)) }

// others returns the users who had access before and still have.
func others(e events.Event) []string {
	added := emails(e.Data.Added)
	return slices.DeleteFunc(emails(e.Data.Users), func(a string) bool { return slices.Contains(added, a) })
}

// anonymous reports whether no user can be notified: there are too many, none is assigned yet, or none has a known address.
func anonymous(e events.Event) bool {
	return e.Data.UsersTruncated ||
		!slices.ContainsFunc(slices.Concat(e.Data.Users, e.Data.Added), func(p events.Person) bool { return p.Email != "" })
}

// addressed reports whether the change has a message of the customer to the partner.
func addressed(e events.Event) bool {
	return e.Data.Message != "" && slices.Contains(e.Data.Fields, "message")
}

func switched(e events.Event) bool { return e.Data.Everyone != nil }

// termsChanged reports whether the level, the period or the sign-in of users has changed.
func termsChanged(e events.Event) bool {
	return slices.ContainsFunc(e.Data.Fields, func(f string) bool {
		if f == "level" && e.Data.LevelWas == "" && len(e.Data.Changed) > 0 {
			return false // only those users' own changed
		}
		return slices.Contains([]string{"level", "from", "until", "require_sso", "state", "managed"}, f)
	})
}

func invitingSide(e events.Event) []string {
	if a := address(e.Data.Inviter); len(a) > 0 && a[0] != "" {
		return a
	}
	if e.Data.Side == "partner" {
		return contacts(e.Partner)
	}
	return contacts(e.Customer)
}
