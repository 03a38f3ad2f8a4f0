package mail_test

import (
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail"
)

func TestAReminderTellsWhenTheAccessWasLastUsed(t *testing.T) {
	t.Parallel()
	until := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	now := until.Add(-7 * 24 * time.Hour)
	r, err := mail.NewRenderer(settings())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		kim, lee access.Day
		number   int64 // of kim's person at its use
		forKim   string
		forAcme  string
	}{
		{"never", "", "", 1, "no use is recorded", "no use is recorded"},
		{"today", "2027-02-22", "", 1, "today (22 February 2027)", "today (22 February 2027)"},
		{"yesterday", "2027-02-21", "2026-11-22", 1, "yesterday (21 February 2027)", "yesterday (21 February 2027)"},
		{"59 days", "2026-12-25", "", 1, "59 days ago (25 December 2026)", "59 days ago (25 December 2026)"},
		{"three months", "2026-11-22", "2027-02-01", 1, "3 months ago (22 November 2026)", "21 days ago (1 February 2027)"},
		{"two years", "2025-02-22", "", 1, "2 years ago (22 February 2025)", "2 years ago (22 February 2025)"},
		{"by the person who had the account before", "2027-02-21", "2026-11-22", 9, "no use is recorded", "3 months ago (22 November 2026)"},
	} {
		e := events.Event{
			ID: "01MFD5D4DCWXEX6JDZ6PNJ35RD", Type: events.GrantExpiring, Time: now, Actor: events.Actor{Kind: "clock"},
			Customer: &events.Organisation{ID: "acme", Name: "Acme", Contacts: []string{"it@acme.example"}},
			Partner:  &events.Organisation{ID: "contoso", Name: "Contoso", Contacts: []string{"desk@contoso.example"}},
			Data: events.Data{Grant: "g", Level: "view", Until: &until, Days: 7, Users: []events.Person{
				{ID: "contoso:kim", Email: "kim@contoso.example", Name: "Kim"}, {ID: "contoso:lee", Email: "lee@contoso.example", Name: "Lee"},
			}},
		}
		user := func(id string, n int64) *access.User {
			return &access.User{
				ID: "contoso:" + id, Partner: "contoso", Number: n, Email: id + "@contoso.example", Role: access.Tech, Status: access.Active,
			}
		}
		row := func(id string, use access.Use) *access.Assignment {
			return &access.Assignment{Customer: "acme", Partner: "contoso", User: "contoso:" + id, LastUse: use}
		}
		s := mail.Situation{
			Known: true, Now: now, Customer: &access.Customer{ID: "acme", Name: "Acme", Contacts: []string{"it@acme.example"}},
			Partner: &access.Partner{
				ID: "contoso", Name: "Contoso", Status: access.Active, Class: access.Channel, Offer: access.Manage,
				Contacts: []string{"desk@contoso.example"},
			},
			Grant: &access.Grant{ID: "g", Customer: "acme", Partner: "contoso", Level: access.View, State: access.StateOpen, Until: until, Count: 2},
			Users: map[string]*access.User{"contoso:kim": user("kim", 1), "contoso:lee": user("lee", 2)},
			Assignments: map[string]*access.Assignment{
				"contoso:kim": row("kim", access.Use{On: c.kim, Number: c.number}), "contoso:lee": row("lee", access.Use{On: c.lee, Number: 2}),
			},
		}
		told := map[string]string{}
		for _, l := range s.Letters(e) {
			m, err := r.Render(l, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, line, ok := strings.Cut(m.Text, "\nLast used: "); ok {
				told[l.To], _, _ = strings.Cut(line, "\n")
			}
		}
		want := map[string]string{"kim@contoso.example": c.forKim, "it@acme.example": c.forAcme, "desk@contoso.example": c.forAcme}
		for to, text := range want {
			if told[to] != text {
				t.Errorf("%s: %s got %q, want %q", c.name, to, told[to], text)
			}
		}
	}
}
