package mail_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail"
)

// What holds when letters are made: whom they reach, which of them are sent, and what they say.

// now is the situation at the instant of an event in which everything is as the event says.
func now(e events.Event) mail.Situation {
	s := mail.Situation{Known: true, Now: e.Time, Users: map[string]*access.User{}, Assignments: map[string]*access.Assignment{}}
	if in := e.Data.Inviter; in != nil {
		s.Inviter = in.Email
	}
	if o := e.Customer; o != nil {
		s.Customer = &access.Customer{ID: o.ID, Name: o.Name, Domain: o.Domain, Contacts: o.Contacts, Status: access.Active}
	}
	if o := e.Partner; o != nil {
		s.Partner = &access.Partner{
			ID: o.ID, Name: o.Name, Contacts: o.Contacts, Class: access.Channel, Offer: access.Manage, SSO: true,
			Status: access.Active,
		}
	}
	d := e.Data
	if s.Customer != nil && s.Partner != nil && d.Grant != "" {
		level, _ := access.ParseLevel(d.Level)
		g := &access.Grant{
			ID: d.Grant, Customer: s.Customer.ID, Partner: s.Partner.ID, Level: level, State: access.StateOpen,
			AssignedBy: access.Assigner(d.AssignedBy),
			Everyone:   d.Everyone != nil && *d.Everyone, Epoch: 1, Version: d.Version,
		}
		if d.From != nil {
			g.From = *d.From
		}
		if d.Until != nil {
			g.Until = *d.Until
		}
		if d.UserCount != nil {
			g.Count = *d.UserCount
		}
		switch e.Type {
		case events.GrantSuspended:
			g.State = access.StateSuspended
		case events.GrantRevoked, events.GrantRelinquished, events.GrantExpired, events.GrantEnded:
			g.State, g.End = access.StateEnded, &access.End{Reason: access.Reason(d.Reason), At: e.Time}
		}
		s.Grant = g
	}
	people := slices.Concat(d.Users, d.Added, d.Changed, d.Removed)
	for _, p := range []*events.Person{d.Person, d.Requester} {
		if p != nil {
			people = append(people, *p)
		}
	}
	s.Deciders = map[string]bool{}
	for _, p := range d.Approvers {
		s.Deciders[p.Email] = true
	}
	for i, p := range people {
		if p.ID == "" || s.Partner == nil {
			continue
		}
		s.Users[p.ID] = &access.User{
			ID: p.ID, Partner: s.Partner.ID, Email: p.Email, Name: p.Name, Role: access.Tech, Status: access.Active,
			Number: int64(i + 100),
		}
		if !slices.Contains(d.Removed, p) && s.Grant != nil {
			a := &access.Assignment{Customer: s.Grant.Customer, Partner: s.Grant.Partner, User: p.ID, Epoch: 1}
			if own, ok := access.ParseLevel(p.Level); ok {
				a.Level = &own
			}
			s.Assignments[p.ID] = a
		}
	}
	return s
}

// sent are the letters that are sent in a situation, and dropped are the others.
func sent(ls []mail.Letter) (sent, dropped []mail.Letter) {
	for _, l := range ls {
		if l.Outdated == "" || l.Urgent() {
			sent = append(sent, l)
		} else {
			dropped = append(dropped, l)
		}
	}
	return sent, dropped
}

func TestWhileNothingHasChangedTheLettersAreThoseOfTheEvent(t *testing.T) {
	t.Parallel()
	for _, typ := range events.Types() {
		e := sample(t, typ)
		s := now(e)
		switch typ {
		case events.PartnerSuspended, events.GrantPartnerSuspended:
			s.Partner.Status = access.Suspended
		case events.PartnerRemoved:
			s.Partner.Status = access.Removed
		case events.ActivationMissed:
			s.Users[e.Data.Person.ID].ActivationMissedAt = e.Time
		}
		got, dropped := sent(s.Letters(e))
		if want := mail.Letters(e); !slices.Equal(told(got), told(want)) || len(dropped) > 0 {
			t.Errorf("%s: got %q and dropped %q, want %q", typ, told(got), told(dropped), told(want))
		}
		for _, l := range got {
			if l.Outdated != "" {
				t.Errorf("%s: the letter to %s is outdated: %s", typ, l.To, l.Outdated)
			}
		}
	}
}

func TestLettersReachWhoIsConcernedNow(t *testing.T) {
	t.Parallel()
	user := func(s mail.Situation, email string) *access.User {
		for _, u := range s.Users {
			if u.Email == email {
				return u
			}
		}
		return nil
	}
	for _, c := range []struct {
		what   string
		event  events.Type
		change func(*mail.Situation)
		want   []string
	}{
		{
			"a user has left", events.GrantCreated, func(s *mail.Situation) { user(*s, kim).Status = access.Removed },
			all(each("granted.user", sam), each("granted.customer", it, it2)),
		},
		{
			"a user is disabled", events.GrantRevoked, func(s *mail.Situation) { user(*s, kim).Status = access.Disabled },
			all(each("revoked.user", lee), each("revoked.partner", ops, ops2), each("revoked.customer", it, it2)),
		},
		{
			"a user has another address", events.GrantCreated, func(s *mail.Situation) { user(*s, kim).Email = "k@contoso.example" },
			all(each("granted.user", "k@contoso.example", sam), each("granted.customer", it, it2)),
		},
		{"the address belongs to another user now", events.GrantCreated, func(s *mail.Situation) {
			user(*s, sam).Status = access.Removed
			user(*s, kim).Email = sam
		}, all(each("granted.user", sam), each("granted.customer", it, it2))}, // Kim's letter, under the address that is Kim's now
		{"the contacts are others", events.GrantRevoked, func(s *mail.Situation) {
			s.Customer.Contacts, s.Partner.Contacts = []string{"new@acme.example"}, []string{ops}
		}, all(each("revoked.user", kim, lee), each("revoked.partner", ops), each("revoked.customer", "new@acme.example"))},
		{"the partner has no contacts", events.GrantRevoked, func(s *mail.Situation) {
			s.Partner.Contacts, s.Owner = nil, "olga@contoso.example"
		}, all(each("revoked.user", kim, lee), each("revoked.partner", "olga@contoso.example"), each("revoked.customer", it, it2))},
		{
			"the inviter belongs to the customer no longer", events.InvitationAccepted, func(s *mail.Situation) { s.Inviter = "" },
			each("invitation_accepted.customer", it, it2),
		},
		{
			"an account's address was changed since", events.UserCreated, func(s *mail.Situation) { user(*s, kim).Email = sam },
			each("account.partner", ops),
		},
		{
			"an account was removed since", events.UserCreated, func(s *mail.Situation) { user(*s, kim).Status = access.Removed },
			each("account.partner", ops),
		},
		{"another temporary password was made", events.ActivationMissed, func(*mail.Situation) {}, each("activation_missed.partner", ops)},
	} {
		e := sample(t, c.event)
		s := now(e)
		c.change(&s)
		got, dropped := sent(s.Letters(e))
		if !slices.Equal(told(got), c.want) {
			t.Errorf("%s: got %q, want %q", c.what, told(got), c.want)
		}
		for _, l := range dropped {
			if l.Outdated == "" {
				t.Errorf("%s: the letter to %s is dropped without a reason", c.what, l.To)
			}
		}
		for _, l := range mail.Letters(e) { // each has a receipt
			if !slices.ContainsFunc(append(got, dropped...), func(x mail.Letter) bool { return x.To == l.To }) {
				t.Errorf("%s: nothing says what became of the letter to %s", c.what, l.To)
			}
		}
	}
}

func TestNobodyIsToldOfAnAccessThatACheckDenies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		change func(*mail.Situation)
		open   bool // has begun is told
		gone   bool // users are told nothing, and organisations that it has ended since
	}{
		{"all is open", func(*mail.Situation) {}, true, false},
		{"the partner is suspended", func(s *mail.Situation) { s.Partner.Status = access.Suspended }, false, false},
		{"the partner is of another class", func(s *mail.Situation) { s.Partner.Class = access.Other }, false, false},
		{"single sign-on is required", func(s *mail.Situation) { s.Grant.RequireSSO, s.Partner.SSO = true, false }, false, false},
		{"the provider offers nothing", func(s *mail.Situation) { s.Partner.Offer = access.None }, false, false},
		{"the customer has suspended it", func(s *mail.Situation) { s.Grant.State = access.StateSuspended }, false, false},
		{"it begins later", func(s *mail.Situation) { s.Grant.From = s.Now.Add(time.Millisecond) }, false, false},
		{"it has ended", func(s *mail.Situation) {
			s.Grant.State, s.Grant.End = access.StateEnded, &access.End{Reason: access.RevokedByCustomer, At: s.Now}
		}, false, true},
		{"it is over", func(s *mail.Situation) { s.Grant.Until = s.Now }, false, true},
		{"it was granted again under another id", func(s *mail.Situation) { s.Grant.ID = "grt_2" }, false, true},
	} {
		for _, typ := range []events.Type{events.GrantStarted, events.GrantCreated, events.GrantResumed} {
			e := with(t, typ, func(e *events.Event) { e.Data.From = &e.Time })
			s := now(e)
			c.change(&s)
			got, _ := sent(s.Letters(e))
			if typ == events.GrantStarted && (len(got) > 0) != c.open {
				t.Errorf("%s: %s: got %q", c.what, typ, told(got))
			}
			if c.gone && slices.ContainsFunc(got, func(l mail.Letter) bool { return l.Side == mail.User }) {
				t.Errorf("%s: %s: got %q, want nothing to users", c.what, typ, told(got))
			}
			if c.gone && typ == events.GrantCreated && !strings.Contains(render(t, got[0]).Text, "The access has ended since.") {
				t.Errorf("%s: %s: got %s, want the customer's contacts to hear of it, and that it is over", c.what, typ, render(t, got[0]).Text)
			}
			for _, l := range got {
				m := render(t, l)
				for _, claim := range []string{"You have access to", "now has access to", "You now have access", "now have access to", "has begun"} {
					if strings.Contains(m.Subject+m.Text, claim) && !c.open {
						t.Errorf("%s: the letter %s to %s says %q:\n%s", c.what, l.Template, l.To, claim, m.Text)
					}
				}
			}
		}
	}
}

func TestASecurityNoticeIsSentThoughItComesLateAndNeverAgain(t *testing.T) {
	t.Parallel()
	for typ, change := range map[events.Type]func(*mail.Situation){
		events.GrantSuspended: func(s *mail.Situation) { s.Grant.State = access.StateOpen },
		events.GrantRevoked:   func(s *mail.Situation) { s.Grant.ID, s.Grant.State, s.Grant.End = "grt_2", access.StateOpen, nil },
	} {
		e := sample(t, typ)
		s := now(e)
		change(&s)
		ls := s.Letters(e)
		got, dropped := sent(ls)
		if len(got) == 0 || len(dropped) > 0 {
			t.Errorf("%s: got %q and dropped %q, want all of them", typ, told(got), told(dropped))
		}
		for _, l := range ls {
			if l.Outdated == "" {
				t.Errorf("%s: the letter to %s could be sent again, though it says what is over", typ, l.To)
			}
		}
	}
}

func TestALetterSaysTheLevelInEffect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		change func(*mail.Situation)
		want   string
	}{
		{"all is offered", func(*mail.Situation) {}, "Access level: support (read-only: as view, and reports and user activity)\n"},
		{
			"less is offered", func(s *mail.Situation) { s.Partner.Offer = access.View },
			"Access level: view (read-only: figures and insights), as the provider offers Contoso MSP no more than that\n",
		},
		{
			"nothing is offered", func(s *mail.Situation) { s.Partner.Offer = access.None },
			"Access level: none (a relationship without access), as the provider offers Contoso MSP no more than that\n",
		},
		{
			"the grant was lowered since", func(s *mail.Situation) { s.Grant.Level = access.View },
			"Access level: view (read-only: figures and insights)\n",
		},
		{
			"the person is capped", func(s *mail.Situation) { s.Grant.Caps = access.Caps{kim: access.View} },
			"Access level: view (read-only: figures and insights), which is the most that Acme allows you\n",
		},
	} {
		e := with(t, events.GrantCreated, func(e *events.Event) { e.Data.From, e.Data.Level = &e.Time, "support" })
		s := now(e)
		c.change(&s)
		i := slices.IndexFunc(s.Letters(e), func(l mail.Letter) bool { return l.To == kim })
		if m := render(t, s.Letters(e)[i]); !strings.Contains(m.Text, c.want) {
			t.Errorf("%s: got\n%s\nwant %s", c.what, m.Text, c.want)
		}
	}
}

func TestAReminderSaysTheTimeThatIsLeftWhenItIsMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left time.Duration
		want string
	}{
		{7 * 24 * time.Hour, "7 days"},
		{7*24*time.Hour - time.Minute, "7 days"},
		{5*24*time.Hour + time.Hour, "5 days"},
		{36*time.Hour - time.Second, "1 day"},
		{24*time.Hour - time.Minute, "1 day"},
		{20 * time.Hour, "20 hours"},
		{90 * time.Minute, "2 hours"},
		{time.Minute, "less than two hours"},
		{0, ""},
		{-time.Hour, ""},
	} {
		e := sample(t, events.GrantExpiring)
		s := now(e)
		s.Now = e.Data.Until.Add(-c.left)
		got, _ := sent(s.Letters(e))
		if c.want == "" {
			if len(got) > 0 {
				t.Errorf("%s before the end: got %q, want nothing", c.left, told(got))
			}
			continue
		}
		for _, l := range got {
			if m := render(t, l); !strings.HasSuffix(m.Subject, " ends in "+c.want) || !strings.Contains(m.Text, fmt.Sprintf(", in %s.", c.want)) {
				t.Errorf("%s before the end: got %q and\n%s", c.left, m.Subject, m.Text)
			}
		}
	}
	e := sample(t, events.GrantExpiring)
	s := now(e)
	s.Grant.Until = s.Grant.Until.Add(time.Hour)
	if got, _ := sent(s.Letters(e)); len(got) > 0 {
		t.Errorf("after the end was moved: got %q, want nothing", told(got))
	}
}

func TestTheNoteReachesTheCustomersPeopleAlone(t *testing.T) {
	t.Parallel()
	for _, typ := range events.Types() {
		e := with(t, typ, func(e *events.Event) { e.Data.Note, e.Data.Message = "a private note", "a message" })
		for _, s := range []mail.Situation{{}, now(e)} {
			for _, l := range s.Letters(e) {
				if m := render(t, l); l.Side != mail.Customer && strings.Contains(m.Text+m.HTML, "a private note") {
					t.Errorf("%s: the letter to the %s carries the note:\n%s", typ, l.Side, m.Text)
				}
			}
		}
	}
}
