package mail_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"partneraccess/events"
	"partneraccess/shared/mail"
)

var update = flag.Bool("update", false, "write testdata/golden, and the table in doc.go, as they are now")

// sample is the sample of a type.
func sample(t *testing.T, typ events.Type) events.Event {
	t.Helper()
	raw, err := events.Sample(typ)
	if err != nil {
		t.Fatal(err)
	}
	var e events.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// with is the sample of a type, changed.
func with(t *testing.T, typ events.Type, change func(*events.Event)) events.Event {
	t.Helper()
	e := sample(t, typ)
	change(&e)
	return e
}

// told lists letters as "address: template.side", with the secret after it.
func told(ls []mail.Letter) []string {
	var out []string
	for _, l := range ls {
		s := fmt.Sprintf("%s: %s.%s", l.To, l.Template, l.Side)
		if l.Secret != "" {
			s += " with a " + string(l.Secret)
		}
		out = append(out, s)
	}
	return out
}

const (
	kim  = "kim@contoso.example"
	sam  = "sam@contoso.example"
	lee  = "lee@contoso.example"
	ops  = "ops@contoso.example"
	ops2 = "access@contoso.example"
	it   = "it@acme.example"
	it2  = "security@acme.example"
	ann  = "ann@acme.example"
	bob  = "bob@acme.example"
	olga = "olga@contoso.example"
	noor = "noor@freelance.example"
)

func each(what string, to ...string) []string {
	var out []string
	for _, a := range to {
		out = append(out, a+": "+what)
	}
	return out
}

func all(lists ...[]string) []string { return slices.Concat(lists...) }

func TestEachEventTellsThoseWhomItConcerns(t *testing.T) {
	t.Parallel()
	cases := map[events.Type][]string{
		events.GrantCreated: all(each("granted.user", kim, sam), each("granted.customer", it, it2)),
		events.GrantEdited: all(each("granted.user", lee), each("removed.user", sam), each("changed.user", kim),
			each("changed.partner", ops, ops2), each("changed.customer", it, it2)),
		events.GrantSuspended: all(each("suspended.user", kim, lee), each("suspended.customer", it, it2)),
		events.GrantResumed:   all(each("resumed.user", kim, lee), each("resumed.customer", it, it2)),
		events.GrantStarted:   all(each("started.user", kim, sam), each("started.partner", ops, ops2), each("started.customer", it, it2)),
		events.GrantExpiring: all(each("expiring.user", kim, lee), each("expiring.partner", ops, ops2),
			each("expiring.customer", it, it2)),
		events.GrantExpired: all(each("expired.user", kim, lee), each("expired.partner", ops, ops2), each("expired.customer", it, it2)),
		events.GrantRevoked: all(each("revoked.user", kim, lee), each("revoked.partner", ops, ops2), each("revoked.customer", it, it2)),
		events.GrantRelinquished: all(each("relinquished.user", kim, lee), each("relinquished.partner", ops, ops2),
			each("relinquished.customer", it, it2)),
		events.GrantEnded:            all(each("ended.user", kim, lee), each("ended.partner", ops, ops2), each("ended.customer", it, it2)),
		events.GrantUserLeft:         each("user_left.customer", it, it2),
		events.GrantPersonChanged:    each("person_changed.customer", it, it2),
		events.GrantPartnerSuspended: each("partner_suspended.customer", it, it2),
		events.GrantPartnerResumed:   each("partner_resumed.customer", it, it2),
		events.PartnerSuspended:      each("partner_suspended.partner", ops, ops2),
		events.PartnerResumed:        each("partner_resumed.partner", ops, ops2),
		events.PartnerRemoved:        each("partner_removed.partner", ops, ops2),
		events.UserCreated:           all(each("account.user with a credential", kim), each("account.partner", ops)), // P15, P16
		events.UserEdited: all(
			each("address.user with a credential", kim), each("address_former.user", "kim.larson@contoso.example"), each("address.partner", ops),
		),
		events.ActivationRenewed:   all(each("activation_renewed.user with a credential", kim), each("activation_renewed.partner", ops)),
		events.ActivationMissed:    all(each("activation_missed.user", kim), each("activation_missed.partner", ops)),
		events.MemberAdded:         each("account.member with a credential", ann),
		events.MemberRenewed:       each("activation_renewed.member with a credential", ann),
		events.InvitationCreated:   each("invitation.invitee with a token", noor),
		events.InvitationResent:    each("invitation.invitee with a token", noor),
		events.InvitationReminded:  each("invitation_reminder.invitee with a token", noor),
		events.InvitationCancelled: each("invitation_cancelled.invitee", noor),
		events.InvitationAccepted:  each("invitation_accepted.customer", ann),
		events.InvitationDeclined:  each("invitation_declined.customer", ann),
		events.InvitationExpired:   each("invitation_expired.customer", ann),
		events.RequestCreated:      all(each("request.customer", ann, bob), each("request.user", olga)),
		events.RequestReminded:     each("request_reminder.customer", ann, bob),
		events.RequestQuestioned:   each("request_question.user", olga),
		events.RequestSeconded:     each("request_seconded.customer", bob),
		events.RequestApproved:     all(each("request_approved.user", olga), each("request_approved.customer", bob)),
		events.RequestDeclined:     all(each("request_declined.user", olga), each("request_declined.customer", bob)),
		events.RequestWithdrawn:    each("request_withdrawn.customer", ann, bob),
		events.RequestExpired:      all(each("request_ended.user", olga), each("request_ended.customer", ann, bob)),
		events.RequestCancelled:    all(each("request_ended.user", olga), each("request_ended.customer", ann, bob)),
		events.RequestCodesRefused: each("request_codes.customer", it, it2),
	}
	for _, typ := range events.Types() {
		if got, want := told(mail.Letters(sample(t, typ))), cases[typ]; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", typ, got, want)
		}
	}
	if got := mail.Letters(with(t, events.GrantCreated, func(e *events.Event) { e.Type = "grant.imagined" })); got != nil {
		t.Errorf("a type that nobody knows: got %q, want nothing", told(got))
	}
	if got := mail.Letters(events.Event{}); got != nil {
		t.Errorf("an empty event: got %q, want nothing", told(got))
	}
}

func TestWhoIsToldDependsOnWhatChanged(t *testing.T) {
	t.Parallel()
	customers := func(what string) []string { return each(what+".customer", it, it2) }
	partners := func(what string) []string { return each(what+".partner", ops, ops2) }
	for _, c := range []struct {
		what   string
		event  events.Type
		change func(*events.Data)
		want   []string
	}{
		{"an invitation ends with its grant", events.InvitationCancelled, func(d *events.Data) {
			d.Reason = "grant_ended"
		}, all(each("invitation_cancelled.invitee", noor), each("invitation_cancelled.customer", ann))},
		{"an invitation ends since its inviter has left", events.InvitationCancelled, func(d *events.Data) {
			d.Reason = "inviter_left"
		}, all(each("invitation_cancelled.invitee", noor), customers("invitation_cancelled"))},
		{"a partner's invitation ends since its inviter has left", events.InvitationCancelled, func(d *events.Data) {
			d.Reason, d.Side = "inviter_left", "partner"
		}, all(each("invitation_cancelled.invitee", noor), partners("invitation_cancelled"))},
		{"granted to everyone", events.GrantCreated, func(d *events.Data) {
			d.Added, d.Users, d.UsersTruncated, d.Everyone = nil, nil, true, new(true)
		}, all(partners("granted"), customers("granted"))},
		{"granted to everyone of a small partner", events.GrantCreated, func(d *events.Data) {
			d.Added, d.Everyone = nil, new(true)
		}, all(partners("granted"), customers("granted"))},
		{"granted, and the partner chooses", events.GrantCreated, func(d *events.Data) {
			d.Added, d.Users, d.AssignedBy, d.UserCount = nil, nil, "partner", new(0)
		}, all(partners("granted"), customers("granted"))},
		{"granted to some, and the partner chooses the others", events.GrantCreated, func(d *events.Data) {
			d.AssignedBy = "partner"
		}, all(each("granted.user", kim, sam), partners("granted"), customers("granted"))},
		{"the last user has left", events.GrantUserLeft, func(d *events.Data) {
			d.UserCount, d.Users = new(0), nil
		}, all(partners("user_left"), customers("user_left"))},
		{"only users changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.LevelWas, d.UntilWas = []string{"users"}, "", nil
		}, all(each("granted.user", lee), each("removed.user", sam), customers("changed"))},
		{"only the note changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed = []string{"note"}, nil, nil
		}, nil},
		{"only the message changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed = []string{"message"}, nil, nil
		}, all(partners("changed"), customers("changed"))},
		{"the message was removed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed, d.Message = []string{"message"}, nil, nil, ""
		}, customers("changed")},
		{"the note and the level changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed = []string{"level", "note"}, nil, nil
		}, all(each("changed.user", kim, lee), customers("changed"))},
		{"only the level changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed = []string{"level"}, nil, nil
		}, all(each("changed.user", kim, lee), customers("changed"))},
		{"only the beginning changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed = []string{"from"}, nil, nil
		}, all(each("changed.user", kim, lee), customers("changed"))},
		{"only single sign-on changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed = []string{"require_sso"}, nil, nil
		}, all(each("changed.user", kim, lee), customers("changed"))},
		{"one user's own level changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.LevelWas, d.UntilWas, d.Added, d.Removed = []string{"level"}, "", nil, nil, nil
			d.Changed = []events.Person{{Email: lee, Level: "view", LevelWas: "support"}}
		}, all(each("changed.user", lee), customers("changed"))},
		{"one user's own level changed among a crowd", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.LevelWas, d.UntilWas, d.Added, d.Removed, d.Users, d.UsersTruncated = []string{"level"}, "", nil, nil, nil, nil, true
			d.Changed = []events.Person{{Email: lee, Level: "view", LevelWas: "support"}}
		}, all(each("changed.user", lee), customers("changed"))},
		{"others were chosen, and not all who went are known", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.LevelWas, d.UntilWas, d.Added, d.Unnamed = []string{"users"}, "", nil, nil, 12
		}, all(each("removed.user", sam), partners("changed"), customers("changed"))},
		{"suspended, others were chosen, and not all who went are known", events.GrantSuspended, func(d *events.Data) {
			d.Unnamed = 12
		}, all(each("suspended.user", kim, lee), partners("suspended"), customers("suspended"))},
		{"the level of a crowd changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed, d.Users, d.UsersTruncated = []string{"level"}, nil, nil, nil, true
		}, all(partners("changed"), customers("changed"))},
		{"the note of a crowd changed", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed, d.Users, d.UsersTruncated = []string{"note"}, nil, nil, nil, true
		}, nil},
		{"one of a crowd was taken out", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Users, d.UsersTruncated = []string{"users"}, nil, nil, true
		}, all(each("removed.user", sam), customers("changed"))},
		{"the period changed before anybody was chosen", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed, d.Users = []string{"until"}, nil, nil, nil
		}, all(partners("changed"), customers("changed"))},
		{"everyone was switched on", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed, d.Everyone = []string{"everyone"}, nil, nil, new(true)
		}, all(partners("changed"), customers("changed"))},
		{"everyone was switched off and one taken out", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Everyone = []string{"everyone", "users"}, nil, new(false)
		}, all(each("removed.user", sam), partners("changed"), customers("changed"))},
		{"the partner may choose from now on", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed, d.AssignedBy = []string{"assigned_by"}, nil, nil, "partner"
		}, all(partners("changed"), customers("changed"))},
		{"the customer chooses from now on", events.GrantEdited, func(d *events.Data) {
			d.Fields, d.Added, d.Removed = []string{"assigned_by"}, nil, nil
		}, customers("changed")},
		{"suspended, and users changed with it", events.GrantSuspended, func(d *events.Data) {
			d.Added = []events.Person{{Email: lee}}
			d.Removed = []events.Person{{Email: sam}}
		}, all(each("granted.user", lee), each("removed.user", sam), each("suspended.user", kim), customers("suspended"))},
		{
			"a crowd is suspended", events.GrantSuspended, func(d *events.Data) { d.Users, d.UsersTruncated = nil, true },
			all(partners("suspended"), customers("suspended")),
		},
		{
			"a crowd is resumed", events.GrantResumed, func(d *events.Data) { d.Users, d.UsersTruncated = nil, true },
			all(partners("resumed"), customers("resumed")),
		},
		{
			"a crowd's period begins", events.GrantStarted, func(d *events.Data) { d.Users, d.UsersTruncated = nil, true },
			all(partners("started"), customers("started")),
		},
		{
			"the period begins and nobody was chosen", events.GrantStarted, func(d *events.Data) { d.Users = nil },
			all(partners("started"), customers("started")),
		},
		{"a period ends soon and nobody's address is known", events.GrantExpiring, func(d *events.Data) {
			d.Users = []events.Person{{ID: "contoso:01KAP2X5T0KJ5M8QZC3V7E1R2A"}}
		}, all(partners("expiring"), customers("expiring"))},
		{
			"a crowd's period ends soon", events.GrantExpiring, func(d *events.Data) { d.Users, d.UsersTruncated = nil, true },
			all(partners("expiring"), customers("expiring")),
		},
		{
			"a crowd is revoked", events.GrantRevoked, func(d *events.Data) { d.Users, d.UsersTruncated = nil, true },
			all(partners("revoked"), customers("revoked")),
		},
		{
			"an account of the primary address itself", events.UserCreated, func(d *events.Data) { d.Person.Email = ops },
			each("account.user with a credential", ops),
		},
		{
			"an account that came with an invitation's acceptance", events.UserCreated,
			func(d *events.Data) { d.Invitation, d.Role = "01J", "external" }, nil,
		},
		{"a user without another address", events.UserEdited, func(d *events.Data) { d.Fields, d.EmailWas = []string{"role"}, "" }, nil},
		{"enabled", events.UserEnabled, func(*events.Data) {}, nil},
		{
			"enabled with another address", events.UserEnabled, func(d *events.Data) { d.EmailWas = sam },
			all(each("address.user with a credential", kim), each("address_former.user", sam), each("address.partner", ops)),
		},
		{"disabled with another address", events.UserDisabled, func(d *events.Data) { d.EmailWas = sam }, each("address_former.user", sam)},
		{
			"the partner invites", events.InvitationCreated, func(d *events.Data) { d.Side = "partner" },
			all(each("invitation.invitee with a token", noor), customers("invitation")),
		},
		{
			"the partner's invitation is sent again", events.InvitationResent, func(d *events.Data) { d.Side = "partner" },
			each("invitation.invitee with a token", noor),
		},
		{"the partner's invitation is accepted", events.InvitationAccepted, func(d *events.Data) {
			d.Side, d.Inviter = "partner", &events.Person{Email: kim}
		}, each("invitation_accepted.partner", kim)},
		{
			"an invitation of nobody known is declined", events.InvitationDeclined, func(d *events.Data) { d.Inviter = nil },
			customers("invitation_declined"),
		},
		{"a partner's invitation of nobody known expires", events.InvitationExpired, func(d *events.Data) {
			d.Side, d.Inviter = "partner", &events.Person{Name: "Olga"}
		}, partners("invitation_expired")},
	} {
		e := with(t, c.event, func(e *events.Event) { c.change(&e.Data) })
		if got := told(mail.Letters(e)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

// The customer's contacts get the customer's letter, whatever a partner uses their addresses for.
func TestAnAddressGetsOneMailTheMostSpecificOrItsCustomers(t *testing.T) {
	t.Parallel()
	e := with(t, events.GrantEdited, func(e *events.Event) {
		e.Data.Everyone = new(true) // so that the partner's contacts are told
		e.Partner.Contacts = []string{"KIM@contoso.example", ops, ops2, ops2, it, lee, sam}
		e.Customer.Contacts = []string{it, kim, ops, it2}
		e.Data.Users = append(e.Data.Users, e.Data.Users...)
	})
	want := []string{
		lee + ": granted.user", sam + ": removed.user", ops2 + ": changed.partner", it + ": changed.customer",
		kim + ": changed.customer", ops + ": changed.customer", it2 + ": changed.customer",
	}
	if got := told(mail.Letters(e)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatIsNoAddressGetsNothing(t *testing.T) {
	t.Parallel()
	e := with(t, events.GrantCreated, func(e *events.Event) {
		e.Data.Added = []events.Person{
			{ID: "contoso:x"},
			{Email: "nobody"},
			{Email: "a@b.example\r\nBcc: c@d.example"},
			{Email: "a@b.example, c@d.example"},
			{Email: "<a@b.example>"},
			{Email: kim},
		}
		e.Customer.Contacts = []string{"", "Ann <ann@acme.example>"}
	})
	if got, want := told(mail.Letters(e)), each("granted.user", kim); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, typ := range events.Types() {
		for _, l := range mail.Letters(with(t, typ, func(e *events.Event) { e.Customer, e.Partner = nil, nil })) {
			if l.Side == mail.Customer && l.To != ann || l.Side == mail.Partner {
				t.Errorf("%s of no organisation: got a letter to %s", typ, l.To)
			}
		}
	}
}

func TestTheOrderIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	for _, typ := range events.Types() {
		want := told(mail.Letters(sample(t, typ)))
		for range 20 {
			if got := told(mail.Letters(sample(t, typ))); !slices.Equal(got, want) {
				t.Fatalf("%s: got %q, want %q as before", typ, got, want)
			}
		}
	}
}

func TestThePackageCommentSaysWhichEventTellsWhomWhat(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), "//\n//\tevent")
	_, after, ok2 := strings.Cut(rest, "//\n// A crowd")
	if !ok || !ok2 {
		t.Fatal("got no table in doc.go, want one between the second paragraph and the one on crowds")
	}
	got := "//\tevent" + rest[:len(rest)-len(after)-len("//\n// A crowd")]
	want := mail.Table()
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile("doc.go", []byte(before+"//\n"+want+"//\n// A crowd"+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("got the table\n%s\nwant what the rules say (-update writes it):\n%s", got, want)
}
