package spec_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// A person's language and time zone: its own choice, which its mails follow.

const preferences = "/v1/me/preferences"

// chosen returns what a person has chosen: the language and the zone, "" for none.
func chosen(t *testing.T, c *spec.Client) [2]any {
	t.Helper()
	me := c.Do(http.MethodGet, "/v1/me", nil).Want(http.StatusOK)
	return [2]any{me.Get("preferences.language"), me.Get("preferences.zone")}
}

func TestMailsAreInTheLanguageAndZoneThatAPersonHasChosen(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	kim, sam := w.User("contoso", "kim@contoso.example", "tech"), w.User("contoso", "sam@contoso.example", "tech")
	ann := w.AdminOf("acme")
	w.As("kim@contoso.example").Do("PUT", preferences, m{"language": "de", "zone": "America/Sao_Paulo"}).Want(200)
	w.As("sam@contoso.example").Do("PUT", preferences, m{"zone": "Asia/Tokyo"}).Want(200)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim, sam}, "until": "2031-03-01T00:00:00Z"}).Want(201)
	for to, want := range map[string][]string{
		"kim@contoso.example": {"Sie haben Zugriff auf", "28. Februar 2031, 21:00 Uhr UTC-03:00 (1. März 2031, 00:00 Uhr UTC)"},
		"sam@contoso.example": {"You have access to", "1 March 2031, 09:00 JST (00:00 UTC)"},
	} {
		mail := mailed(t, w, to, "grant.created", 1)
		for _, part := range want {
			if !strings.Contains(mail.Text, part) {
				t.Errorf("to %s: got %s, want %q", to, mail.Text, part)
			}
		}
	}
	w.As("kim@contoso.example").Do("PUT", preferences, m{"language": nil}).Want(200)
	ann.Do("DELETE", contosoGrant, nil).Want(200)
	if mail := mailed(t, w, "kim@contoso.example", "grant.revoked", 1); !strings.Contains(mail.Text, "You no longer have access") ||
		strings.Contains(mail.Text, "UTC-03:00") {
		t.Errorf("got %s, want the provider's choice after the person's own was withdrawn", mail.Text)
	}
}

func TestNobodyChoosesALanguageForAnybodyElse(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	w.User("contoso", "kim@contoso.example", "tech")
	w.Member("acme", "max@acme.example")
	ann, olga, kim, maxim := w.AdminOf("acme"), w.As("olga@contoso.example"), w.As("kim@contoso.example"), w.As("max@acme.example")
	kim.Do("PUT", preferences, m{"language": "de", "zone": "Europe/Berlin"}).Want(200)
	maxim.Do("PUT", preferences, m{"zone": "Europe/Vienna"}).Want(200)
	for _, c := range []*spec.Client{ann, olga} {
		if got := chosen(t, c); got != [2]any{nil, nil} {
			t.Errorf("got %v for somebody who has chosen nothing", got)
		}
		for _, other := range []m{
			{"language": "en", "email": "kim@contoso.example"},
			{"language": "en", "user": "contoso:kim"},
			{"language": "en", "address": "max@acme.example"},
		} {
			c.Local("PUT", preferences, other).WantProblem(400, "invalid")
		}
		c.Local("PUT", preferences+"?email=kim@contoso.example", m{"language": "en"}).WantProblem(400, "invalid")
	}
	if got, want := chosen(t, kim), [2]any{"de", "Europe/Berlin"}; got != want {
		t.Errorf("kim: got %v, want %v", got, want)
	}
	if got, want := chosen(t, maxim), [2]any{nil, "Europe/Vienna"}; got != want {
		t.Errorf("max: got %v, want %v", got, want)
	}
	// Who is not registered leaves nothing in the table.
	w.As("stranger@elsewhere.example").Do("PUT", preferences, m{"language": "de"}).WantProblem(403, "not_registered")
	w.Provider().Do("PUT", preferences, m{"language": "de"}).WantProblem(403, "forbidden")
	w.Anonymous().Do("PUT", preferences, m{"language": "de"}).Want(401)
	// A suspended partner's people change nothing.
	w.Provider().Do("PATCH", contosoPath, m{"status": "suspended"}, "If-Match", "*").Want(200)
	kim.Do("PUT", preferences, m{"language": "en"}).WantProblem(403, "partner_not_active")
}

func TestAnUnknownLanguageOrZoneIsRefusedAndTheDetailListsThem(t *testing.T) {
	t.Parallel()
	w, _, _ := acme(t)
	kim := w.As("kim@contoso.example")
	for _, c := range []struct {
		body    m
		pointer string
		detail  string
	}{
		{m{"language": "xx"}, "/language", "a language is one of: de, en"},
		{m{"language": "de-AT"}, "/language", "a language is one of: de, en"},
		{m{"language": ""}, "/language", "a language is one of: de, en"},
		{m{"zone": "Mars/Olympus"}, "/zone", "IANA"},
		{m{"zone": "../../etc/passwd"}, "/zone", "IANA"},
		{m{"zone": "Local"}, "/zone", "IANA"},
		{m{"zone": ""}, "/zone", "IANA"},
	} {
		got := kim.Do("PUT", preferences, c.body).WantProblem(400, "invalid")
		if got.String("errors.0.pointer") != c.pointer || !strings.Contains(got.String("errors.0.detail"), c.detail) {
			t.Errorf("%v: got %s, want %s at %s", c.body, got.Body, c.detail, c.pointer)
		}
	}
	if got := kim.Do("GET", "/v1/me", nil).Want(200); got.String("languages.0") != "de" || got.String("languages.1") != "en" {
		t.Errorf("got %s, want the languages that there are", got.Body)
	}
}

func TestWhatAPersonHasChosenGoesWithThePerson(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	w.User("contoso", "olga@contoso.example", "owner")
	german := m{"language": "de", "zone": "Europe/Berlin"}
	both, none := [2]any{"de", "Europe/Berlin"}, [2]any{nil, nil}
	w.As("kim@contoso.example").Do("PUT", preferences, german).Want(200)
	move := func(to string) {
		w.Provider().Do("PATCH", contosoUsers+"/"+kim, m{"email": to}, "If-Match", "*").Want(200)
	}
	move("kim.larsen@contoso.example") // the same person
	if got := chosen(t, w.As("kim.larsen@contoso.example")); got != both {
		t.Errorf("after a change within the domain: got %v, want %v", got, both)
	}
	move("lee@elsewhere.example") // perhaps another
	if got := chosen(t, w.As("lee@elsewhere.example")); got != none {
		t.Errorf("after a change of the domain: got %v, want nothing", got)
	}
	w.As("lee@elsewhere.example").Do("PUT", preferences, german).Want(200)
	w.Member("acme", "max@acme.example")
	w.As("max@acme.example").Do("PUT", preferences, german).Want(200)
	w.Provider().Do("DELETE", contosoUsers+"/"+kim, nil).Want(204)
	w.Provider().Do("DELETE", acmePath+"/members/max@acme.example", nil).Want(204)
	w.Advance(time.Minute)
	if left := holdsText(t, w, "berlin"); len(left) > 0 {
		t.Errorf("after the people have left: got %v, want none of what they have chosen", left)
	}
}
