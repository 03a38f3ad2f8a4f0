package mail_test

import (
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the tests run
	"unicode"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"partneraccess/events"
	"partneraccess/shared/access"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/messages"
)

func settings() mail.Settings {
	return mail.Settings{
		Product: "Insight Cloud", From: "Insight Cloud <no-reply@insight.example>", ReplyTo: "help@insight.example",
		Support:       "help@insight.example",
		CustomerURL:   "https://insight.example/{customer}/partners?open={partner}",
		PartnerURL:    "https://partners.insight.example/{partner}/customers/{customer}",
		InvitationURL: "https://insight.example/invitation#{token}", Unsubscribe: "https://insight.example/unsubscribe?address={address}",
	}
}

func renderer(t *testing.T, s mail.Settings) *mail.Renderer {
	t.Helper()
	r, err := mail.NewRenderer(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// secretOf is what a letter carries in these tests.
func secretOf(l mail.Letter) string {
	return map[mail.SecretKind]string{mail.Token: "tok-3Jt9_xKq7Vw2", mail.Credential: `Xk4&<"w9>-Rt2`}[l.Secret]
}

// usual is the renderer of most tests, with the settings of all of them.
var usual = sync.OnceValues(func() (*mail.Renderer, error) { return mail.NewRenderer(settings()) })

func render(t *testing.T, l mail.Letter) mail.Message {
	t.Helper()
	r, err := usual()
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Render(l, secretOf(l))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// text200 is a name of 200 characters without a space.
var text200 = strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6)[:200]

// cases are the letters of the golden files: every letter of every sample, the ways in which a letter can differ from the sample's, and
// letters with everything in them that people could try.
func cases(t *testing.T) map[string]mail.Letter {
	t.Helper()
	out := map[string]mail.Letter{}
	add := func(as string, e events.Event) {
		for _, l := range mail.Letters(e) {
			name := fmt.Sprintf("%s-%s-%s", as, l.Template, l.Side)
			if _, there := out[name]; !there {
				out[name] = l
			}
		}
	}
	for _, typ := range events.Types() {
		add(string(typ), sample(t, typ))
	}
	change := func(as string, typ events.Type, f func(*events.Event)) { add(string(typ)+"-"+as, with(t, typ, f)) }
	crowd := func(e *events.Event) {
		e.Data.Users, e.Data.Added, e.Data.Removed, e.Data.UsersTruncated, e.Data.UserCount = nil, nil, nil, true, new(812)
	}
	for _, typ := range []events.Type{
		events.GrantSuspended, events.GrantResumed, events.GrantStarted, events.GrantExpiring,
		events.GrantRevoked,
	} {
		change("crowd", typ, crowd)
	}
	change("everyone", events.GrantCreated, func(e *events.Event) {
		crowd(e)
		e.Data.Everyone, e.Data.Fields, e.Data.Status, e.Data.From, e.Data.Until, e.Data.Note = new(
			true), []string{"everyone"}, "active", &e.Time, nil, ""
	})
	change("choose", events.GrantCreated, func(e *events.Event) {
		e.Data.Users, e.Data.Added, e.Data.UserCount, e.Data.AssignedBy = nil, nil, new(0), "partner"
	})
	change("registered", events.UserCreated, func(e *events.Event) {
		e.Actor = events.Actor{Kind: "customer", Email: "ann@acme.example"}
		e.Data.Invitation, e.Data.Account, e.Data.Role = "01M7SDSMGG0SQXGGDA2DYEAKNQ", true, "external"
	})
	change("nobody", events.GrantUserLeft,
		func(e *events.Event) { e.Data.UserCount, e.Data.Users, e.Data.AssignedBy = new(0), nil, "partner" })
	change("no_access", events.GrantCreated, func(e *events.Event) {
		e.Data.Level, e.Data.AssignedBy, e.Data.Until, e.Data.Note = "none", "partner", nil, ""
		e.Actor = events.Actor{Kind: "provider"}
	})
	change("everything", events.GrantEdited, func(e *events.Event) {
		d := &e.Data
		d.Fields = []string{"assigned_by", "everyone", "from", "level", "managed", "message", "note", "require_sso", "state", "until", "users"}
		d.AssignedBy, d.Everyone, d.Until, d.Note, d.LevelWas = "partner", new(true), nil, "", ""
		d.Message = ""
		e.Actor = events.Actor{Kind: "provider", Email: "root@insight.example"}
	})
	change("everyone_off", events.GrantEdited, func(e *events.Event) {
		e.Data.Fields, e.Data.Everyone, e.Data.LevelWas, e.Data.UntilWas = []string{"everyone", "until"}, new(false), "", nil
		crowd(e)
	})
	change("with_users", events.GrantSuspended, func(e *events.Event) {
		e.Data.Fields, e.Data.LevelWas = []string{"level", "state", "users"}, "manage"
		e.Data.Added, e.Data.Removed = e.Data.Users[:1], []events.Person{{ID: "contoso:01KAP2X5T0Y7D4N6B9W2H8S3FG", Email: sam}}
	})
	change("own_level", events.GrantEdited, func(e *events.Event) {
		e.Data.Fields, e.Data.LevelWas, e.Data.UntilWas, e.Data.Added, e.Data.Removed, e.Data.Note = []string{"level"}, "", nil, nil, nil, ""
		e.Data.Users[0].Level = "view"
		e.Data.Changed = []events.Person{{ID: e.Data.Users[0].ID, Email: kim, Name: "Kim Larsen", Level: "view", LevelWas: "support"}}
	})
	change("own_level", events.GrantCreated,
		func(e *events.Event) { e.Data.Added[0].Level, e.Data.Users[0].Level, e.Data.Note = "view", "view", "" })
	change("replaced", events.GrantEdited, func(e *events.Event) {
		e.Data.Fields, e.Data.LevelWas, e.Data.UntilWas, e.Data.Added, e.Data.Note = []string{"from", "require_sso", "users"}, "", nil, nil, ""
		e.Data.FromWas, e.Data.RequireSSO, e.Data.SSOWas, e.Data.Unnamed = new(e.Data.From.Add(-48*time.Hour)), new(true), new(false), 12
	})
	change("one_day", events.GrantExpiring, func(e *events.Event) { e.Data.Days = 1 })
	change("extends", events.GrantExpiring, func(e *events.Event) { e.Data.AutoExtend = "P90D" })
	change("unused", events.GrantExpiring, func(e *events.Event) {
		e.Data.Days, e.Data.AutoExtend, e.Data.Status = 1, "P90D", "active"
	})
	change("extended", events.GrantEdited, func(e *events.Event) {
		e.Data.Fields, e.Data.LevelWas, e.Data.Added, e.Data.Note = []string{"auto_extend"}, "", nil, ""
		e.Data.Changes = []events.Change{{Field: "auto_extend", Was: "", Is: "P90D"}}
	})
	change("by_partner", events.InvitationCreated, func(e *events.Event) {
		e.Actor, e.Data.Side, e.Data.Inviter = events.Actor{
			Kind:  "partner",
			Email: "olga@contoso.example",
		}, "partner", &events.Person{Name: "Olga Brandt", Email: "olga@contoso.example"}
	})
	change("by_partner", events.InvitationAccepted, func(e *events.Event) { e.Data.Side, e.Data.Inviter = "partner", nil })
	change("by_partner", events.InvitationDeclined, func(e *events.Event) { e.Data.Side, e.Data.Inviter = "partner", nil })
	change("by_itself_to_partner", events.InvitationCancelled, func(e *events.Event) {
		e.Actor, e.Data.Reason, e.Data.Side = events.Actor{Kind: "clock"}, "inviter_left", "partner"
	})
	change("by_itself", events.InvitationCancelled,
		func(e *events.Event) { e.Actor, e.Data.Reason = events.Actor{Kind: "clock"}, "grant_ended" })
	change("by_partner", events.InvitationExpired, func(e *events.Event) { e.Data.Side, e.Data.Inviter = "partner", nil })

	// What holds when the letters are made.
	later := func(as string, typ events.Type, f func(*events.Event, *mail.Situation)) {
		e := sample(t, typ)
		if e.Data.From != nil {
			e.Data.From = &e.Time
		}
		s := now(e)
		f(&e, &s)
		for _, l := range s.Letters(e) {
			if l.Outdated == "" || l.Urgent() {
				out[fmt.Sprintf("%s-%s-%s-%s", typ, as, l.Template, l.Side)] = l
			}
		}
	}
	for _, typ := range []events.Type{events.GrantCreated, events.GrantEdited, events.GrantResumed} {
		later("less_offered", typ, func(_ *events.Event, s *mail.Situation) { s.Partner.Offer = access.View })
		later("partner_suspended", typ, func(_ *events.Event, s *mail.Situation) { s.Partner.Status = access.Suspended })
	}
	later("without_sso", events.GrantCreated, func(_ *events.Event, s *mail.Situation) { s.Grant.RequireSSO, s.Partner.SSO = true, false })
	later("managed", events.GrantCreated, func(e *events.Event, s *mail.Situation) {
		e.Data.Users, e.Data.Added, e.Data.UserCount, e.Data.AssignedBy, e.Data.Until = nil, nil, new(0), "partner", nil
		e.Actor, s.Grant.Until, s.Grant.Managed, s.Customer.ManagedBy = events.Actor{Kind: "provider"}, time.Time{}, true, s.Partner.ID
	})
	later("managed", events.GrantPartnerSuspended, func(_ *events.Event, s *mail.Situation) {
		s.Partner.Status, s.Customer.ManagedBy = access.Suspended, s.Partner.ID
	})
	later("suspended_by_customer", events.GrantPartnerResumed,
		func(_ *events.Event, s *mail.Situation) { s.Grant.State = access.StateSuspended })
	later("ended_since", events.GrantCreated, func(_ *events.Event, s *mail.Situation) { s.Grant.ID = "grt_2" })
	later("owner", events.GrantRevoked, func(_ *events.Event, s *mail.Situation) { s.Partner.Contacts, s.Owner = nil, "olga@contoso.example" })
	later("hours", events.GrantExpiring, func(e *events.Event, s *mail.Situation) { s.Now = e.Data.Until.Add(-20 * time.Hour) })

	for _, typ := range []events.Type{
		events.GrantCreated, events.GrantEdited, events.InvitationCreated, events.UserCreated, events.UserEdited,
		events.ActivationMissed,
	} {
		add("hostile-"+string(typ), with(t, typ, hostile))
	}
	for side, to := range map[mail.Side]string{mail.Customer: it, mail.Partner: ops, mail.User: kim, mail.Invitee: noor} {
		r := receipt.New(sample(t, events.GrantEdited), to, "summary", string(side))
		at := receipt.NewBudget("p-contoso", to, false, noon).Summarised()
		r.Event, r.Type, r.Source = ulid.MustNew(ulid.Timestamp(at), nil).String(), receipt.SummaryType, "p-contoso"
		r.Lines = []string{
			"22 November 2026, 12:00 UTC: the access of Contoso to Acme was changed",
			"22 November 2026, 12:01 UTC: the invitation of Noor to Acme: cancelled",
		}
		out["mail.summary-summary-"+string(side)] = mail.Summary(r, "Acme", "Contoso", "")
		r.Template = "digest"
		out["mail.summary-digest-"+string(side)] = mail.Summary(r, "Acme", "Contoso", "")
	}
	for as, l := range noticeLetters() {
		out[as] = l
	}
	change("bare", events.GrantCreated, func(e *events.Event) { // all that a consumer may not count on is missing
		e.Customer.Name, e.Customer.Domain, e.Partner.Name, e.Actor.Email = "", "", "", ""
		e.Data = events.Data{Added: []events.Person{{Email: kim}}, Level: "view"}
	})
	return out
}

// everywhere are the cases in all languages, with times in zones.
func everywhere(t *testing.T) map[string]mail.Letter {
	t.Helper()
	out := map[string]mail.Letter{}
	for _, language := range messages.Languages() {
		for name, l := range cases(t) {
			l.Reader = readers()[language]
			l.Reader.Language = language
			out[language+" "+name] = l
		}
	}
	return out
}

// readers are the recipients of the golden files: English ones are in UTC.
func readers() map[string]access.Preferences {
	return map[string]access.Preferences{"en": {}, "de": {Language: "de", Zone: "Europe/Berlin"}}
}

// hostile makes every text that people enter what they could try.
func hostile(e *events.Event) {
	if e.Customer != nil {
		e.Customer.Name = "<script>alert(1)</script> http://evil.example/login & \"Co\"\r\nBcc: all@victims.example"
	}
	e.Partner.Name = text200
	people := []*events.Person{e.Data.Person, e.Data.Inviter}
	for _, l := range [][]events.Person{e.Data.Added, e.Data.Removed, e.Data.Users} {
		for i := range l {
			people = append(people, &l[i])
		}
	}
	for i, p := range people {
		if p != nil {
			p.Name = []string{
				"Kim \u202egnp.exe\u202c\u200b\u2066 <b>Larsen</b>", "www.evil.example", "</td></table><img src=x onerror=alert(1)>",
				"{{.Secret}} {{template \"x\"}}", "שלום 123 (קים)",
				"\u0000\u001b[31mred\u0085\u2028line", "javascript:alert(1)", "Ann\n\nSubject: You won",
			}[i%8]
		}
	}
	evil := strings.TrimSpace(
		strings.Repeat(
			"Click [here](https://evil.example) or \\\\evil\\share, mailto:evil@evil.example\n<a href=\"https://evil.example\">now</a>\n\n-- "+
				"\r\nInsight Cloud\u202e\n", 8))
	if n := utf8.RuneCountInString(evil); n > 1000 {
		evil = string([]rune(evil)[:1000])
	}
	e.Data.Note, e.Data.Message = evil, evil
}

func TestEveryLetterIsAsItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	compare(t, "testdata/golden", readers()["en"], ".txt", ".html")
}

// HTML says the same as the text, in any language.
func TestEveryGermanLetterIsAsItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	compare(t, "testdata/golden-de", readers()["de"], ".txt")
}

// compare holds the letters to such a reader against the golden files in a folder.
func compare(t *testing.T, dir string, reader access.Preferences, parts ...string) {
	t.Helper()
	all := cases(t)
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]bool{}
	for name, l := range all {
		l.Reader = reader
		m := render(t, l)
		head := fmt.Sprintf("To: %s\nFrom: %s\nReply-To: %s\nSubject: %s\n", m.To, m.From, m.ReplyTo, m.Subject)
		for _, list := range []map[string]string{m.Headers, m.Tags} {
			for _, k := range slices.Sorted(maps.Keys(list)) {
				head += k + ": " + list[k] + "\n"
			}
		}
		for part, got := range map[string]string{".txt": head + "\n" + m.Text, ".html": m.HTML} {
			if !slices.Contains(parts, part) {
				continue
			}
			file := name + part
			want[file] = true
			path := filepath.Join(dir, file)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(golden) {
				t.Errorf("%s (-update writes it anew): got\n%s\nwant\n%s", path, got, golden)
			}
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[f.Name()] {
			t.Errorf("got the golden file %s of no letter", filepath.Join(dir, f.Name()))
		}
	}
}

func TestTheGoldenFilesShowEveryLetterThatTheWordsHave(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, l := range cases(t) {
		shown[l.Template+"."+string(l.Side)] = true
	}
	files, err := filepath.Glob("templates/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\{\{define "(\w+\.\w+)"\}\}`).FindAllStringSubmatch(string(text), -1) {
			found++
			if !shown[m[1]] {
				t.Errorf("got the words of %s, which no golden file shows", m[1])
			}
		}
	}
	if found != len(shown) {
		t.Errorf("got %d letters with words and %d shown, want as many", found, len(shown))
	}
}

var (
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	invisible = regexp.MustCompile(`(?s)<head>.*</head>|<div style="display:none[^>]*>.*?</div>`)
	style     = regexp.MustCompile(`(?s)<style>.*</style>`)
	fetched   = regexp.MustCompile(
		`(?i)<(img|script|link|iframe|form|object|embed|base)|\s(src|srcset|background|on\w+)=|url\(|@import|http-equiv`)
	href = regexp.MustCompile(`href="([^"]*)"`)
)

// words are the words of a text that anybody can see.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(":>-", r) })
}

// seen is what a mail program shows of HTML.
func seen(h string) string {
	return html.UnescapeString(tag.ReplaceAllString(invisible.ReplaceAllString(h, ""), " "))
}

func TestPlainTextAndHTMLSayTheSame(t *testing.T) {
	t.Parallel()
	for name, l := range everywhere(t) {
		m := render(t, l)
		address := regexp.MustCompile(`https://[a-z.]*insight\.example\S*`) // stands behind the button in HTML
		text := words(address.ReplaceAllString(m.Text, ""))
		seenWords := words(address.ReplaceAllString(seen(m.HTML), ""))
		if i := slices.Index(seenWords, "Insight"); i == 0 { // the product's name stands above the subject
			seenWords = seenWords[2:]
		}
		if !slices.Equal(text, seenWords) {
			t.Errorf("%s: got in plain text\n%q\nand in HTML\n%q", name, text, seenWords)
		}
	}
}

// The provider's own addresses are all that a mail may link to.
func TestNoLetterLinksAnywhereButToTheSettings(t *testing.T) {
	t.Parallel()
	for name, l := range everywhere(t) {
		m := render(t, l)
		for _, found := range href.FindAllStringSubmatch(m.HTML, -1) {
			u := html.UnescapeString(found[1])
			if !strings.HasPrefix(u, "https://insight.example/") && !strings.HasPrefix(u, "https://partners.insight.example/") &&
				u != "mailto:help@insight.example" {
				t.Errorf("%s: got a link to %q", name, u)
			}
		}
		for _, markup := range append(tag.FindAllString(m.HTML, -1), style.FindString(m.HTML)) {
			if fetched.MatchString(markup) {
				t.Errorf("%s: got %s, want nothing that is fetched or run", name, markup)
			}
		}
		// What mail programs would make a link of by themselves.
		for part, s := range map[string]string{"text": m.Text, "HTML": seen(m.HTML), "subject": m.Subject} {
			for _, evil := range []string{"evil.example", "http://e", "https://e", "www.e", "evil@e", "\\\\evil", "javascript:a", "mailto:e"} {
				if strings.Contains(s, evil) {
					t.Errorf("%s: got %q in the %s, want it broken up", name, evil, part)
				}
			}
		}
	}
}

func TestWhatPeopleEnterCannotForgeAHeaderOrChangeDirection(t *testing.T) {
	t.Parallel()
	for name, l := range everywhere(t) {
		m := render(t, l)
		headers := map[string]string{"To": m.To, "From": m.From, "Reply-To": m.ReplyTo, "Subject": m.Subject}
		for k, v := range m.Headers {
			headers[k] = v
		}
		for k, v := range headers {
			if strings.ContainsFunc(v, unicode.IsControl) || strings.ContainsAny(v, "\u2028\u2029") {
				t.Errorf("%s: got the header %s: %q, want it on one line", name, k, v)
			}
		}
		if n := utf8.RuneCountInString(m.Subject); n > 250 {
			t.Errorf("%s: got a subject of %d characters: %s", name, n, m.Subject)
		}
		for _, s := range []string{m.Subject, m.Text, m.HTML} {
			if strings.ContainsFunc(s, func(r rune) bool {
				return unicode.Is(unicode.Cf, r) && !strings.ContainsRune("\u200b\u200c\u200d\u2068\u2069", r) || unicode.IsControl(r) && r != '\n'
			}) {
				t.Errorf("%s: got a character that is invisible: %+q", name, s)
			}
			if strings.Count(s, "\u2068") != strings.Count(s, "\u2069") {
				t.Errorf("%s: got isolates that do not end: %+q", name, s)
			}
		}
		for line := range strings.Lines(m.Text) {
			if strings.HasPrefix(line, "Bcc:") || strings.HasPrefix(line, "Subject:") {
				t.Errorf("%s: got the line %q of its own", name, line)
			}
		}
		if strings.Count(m.Text, "\n-- \n") != 1 {
			t.Errorf("%s: got %d signatures, want the one of the product: %s", name, strings.Count(m.Text, "\n-- \n"), m.Text)
		}
		if !utf8.ValidString(m.Subject + m.Text + m.HTML) {
			t.Errorf("%s: got no UTF-8", name)
		}
	}
}

func TestTagsHaveOnlyLettersThatTheMailServiceTakes(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	for name, l := range cases(t) {
		l.Event.Customer = &events.Organisation{ID: "acme.co_uk-1"}
		m := render(t, l)
		for _, k := range []string{"template", "type", "event", "organisation", "source"} {
			if !plain.MatchString(m.Tags[k]) {
				t.Errorf("%s: got the tag %s=%q", name, k, m.Tags[k])
			}
		}
		if got, want := m.Tags["organisation"], "c-acme_2eco_5fuk-1"; got != want {
			t.Errorf("%s: got the organisation %s, want %s", name, got, want)
		}
		if len(m.Tags) != 5 {
			t.Errorf("%s: got the tags %v", name, m.Tags)
		}
	}
}

func TestOnlyRemindersCanBeUnsubscribedFrom(t *testing.T) {
	t.Parallel()
	s := settings()
	byLink := renderer(t, s)
	s.Unsubscribe = "mailto:stop@insight.example?subject=stop"
	byMail := renderer(t, s)
	s.Unsubscribe = ""
	none := renderer(t, s)
	for name, l := range cases(t) {
		reminder := l.Template == "expiring" || strings.HasSuffix(l.Template, "_reminder")
		for _, c := range []struct {
			r          *mail.Renderer
			list, post string
		}{
			{byLink, "<https://insight.example/unsubscribe?address=" + strings.ReplaceAll(l.To, "@", "%40") + ">", "List-Unsubscribe=One-Click"},
			{byMail, "<mailto:stop@insight.example?subject=stop>", ""},
			{none, "", ""},
		} {
			if !reminder {
				c.list, c.post = "", ""
			}
			m, err := c.r.Render(l, secretOf(l))
			if err != nil {
				t.Fatal(err)
			}
			if m.Headers["List-Unsubscribe"] != c.list || m.Headers["List-Unsubscribe-Post"] != c.post {
				t.Errorf("%s: got %v, want %q and %q", name, m.Headers, c.list, c.post)
			}
			if got := strings.Contains(m.Text, "No more reminders"); got != (c.list != "") {
				t.Errorf("%s: got the line on reminders: %v, want %v", name, got, c.list != "")
			}
		}
	}
}

func TestASecretIsInItsOwnLetterAndInNoOther(t *testing.T) {
	t.Parallel()
	r := renderer(t, settings())
	for _, typ := range []events.Type{
		events.UserCreated, events.UserEdited, events.ActivationRenewed, events.InvitationCreated, events.InvitationResent,
		events.InvitationReminded,
	} {
		for _, l := range mail.Letters(sample(t, typ)) {
			secret := secretOf(l)
			m := render(t, l)
			if l.Secret == mail.NoSecret {
				if _, err := r.Render(l, "a secret"); err == nil {
					t.Errorf("%s to %s: got no error for a secret that it does not carry", typ, l.To)
				}
				continue
			}
			if !strings.Contains(m.Text, secret) || !strings.Contains(html.UnescapeString(m.HTML), secret) {
				t.Errorf("%s to %s: got no %s", typ, l.To, l.Secret)
			}
			if strings.Contains(m.Subject+fmt.Sprint(m.Headers, m.Tags), secret) {
				t.Errorf("%s to %s: got the %s outside of the text", typ, l.To, l.Secret)
			}
			if got := strings.Contains(m.HTML[:strings.Index(m.HTML, "<h1")], secret); got {
				t.Errorf("%s to %s: got the %s in the preview", typ, l.To, l.Secret)
			}
			none, err := r.Render(l, "")
			if l.Secret == mail.Token && err == nil {
				t.Errorf("%s to %s without a token: got no error", typ, l.To)
			}
			if l.Secret == mail.Credential && typ != events.ActivationRenewed && (err != nil || strings.Contains(none.Text, "password")) {
				// people sign in elsewhere
				t.Errorf("%s to %s without a password: got %v and %s", typ, l.To, err, none.Text)
			}
		}
	}
}

func TestALinksValuesAreEscaped(t *testing.T) {
	t.Parallel()
	l := mail.Letters(sample(t, events.InvitationCreated))[0]
	m, err := renderer(t, settings()).Render(l, `a&b="c>#/?`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://insight.example/invitation#a%26b%3D%22c%3E%23%2F%3F"; !strings.Contains(m.Text, want+"\n") ||
		!strings.Contains(m.HTML, `href="`+want+`"`) {
		t.Errorf("got %s and %s, want a link to %s", m.Text, href.FindAllString(m.HTML, -1), want)
	}
	// Without a customer there is no page of a customer.
	account := mail.Letters(sample(t, events.UserCreated))[0]
	if m := render(t, account); !strings.Contains(m.Text, "\nhttps://partners.insight.example/\n") {
		t.Errorf("got %s, want a link to the portal's root", m.Text)
	}
}

func TestALevelIsExplainedInWords(t *testing.T) {
	t.Parallel()
	for l := access.None; l <= access.Manage; l++ {
		e := with(t, events.GrantStarted, func(e *events.Event) { e.Data.Level = l.String() })
		m := render(t, mail.Letters(e)[0])
		if !strings.Contains(m.Text, "Access level: "+l.String()+" (") {
			t.Errorf("%s: got no explanation: %s", l, m.Text)
		}
	}
}

func TestTimesAreInUTCWithTheZoneWritten(t *testing.T) {
	t.Parallel()
	until := time.Date(2027, time.March, 1, 1, 30, 0, 0, time.FixedZone("CET", 3600))
	e := with(t, events.GrantExpiring, func(e *events.Event) { e.Data.Until = &until })
	m := render(t, mail.Letters(e)[0])
	for _, part := range []string{m.Text, m.HTML} {
		if !strings.Contains(part, "1 March 2027, 00:30 UTC") {
			t.Errorf("got %s, want the end in UTC", part)
		}
	}
	for name, l := range cases(t) {
		m := render(t, l)
		for _, found := range regexp.MustCompile(`\d\d:\d\d.{0,4}`).FindAllString(m.Text, -1) {
			if !strings.HasSuffix(found, " UTC") {
				t.Errorf("%s: got the time %q, want its zone", name, found)
			}
		}
	}
}

func TestAnEndByTheClockIsTheEndOfThePeriodHoweverLateItIsNoticed(t *testing.T) {
	t.Parallel()
	e := with(t, events.GrantExpired, func(e *events.Event) { e.Time = e.Data.Until.Add(7 * 24 * time.Hour) })
	m := render(t, mail.Letters(e)[0])
	if !strings.Contains(m.Text, "expired on 1 March 2027, 00:00 UTC") ||
		!strings.Contains(m.Text, "Ended: 1 March 2027, 00:00 UTC") {
		t.Errorf("got %s, want it to have ended on 1 March", m.Text)
	}
}

func TestTimesAreInTheRecipientsZoneAndInUTC(t *testing.T) {
	t.Parallel()
	e := sample(t, events.GrantExpiring)
	for _, c := range []struct {
		language, zone string
		until          time.Time
		want           string
	}{
		{"en", "", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), "1 March 2027, 00:00 UTC"},
		{"en", "UTC", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), "1 March 2027, 00:00 UTC"},
		{"en", "Nowhere/Land", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), "1 March 2027, 00:00 UTC"},
		{"en", "Europe/Berlin", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), "1 March 2027, 01:00 CET (00:00 UTC)"},
		{"en", "Europe/London", time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC), "1 March 2027, 09:00 UTC"},
		{"en", "Europe/London", time.Date(2027, 7, 1, 9, 0, 0, 0, time.UTC), "1 July 2027, 10:00 BST (09:00 UTC)"},
		{"en", "America/New_York", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), "28 February 2027, 19:00 EST (1 March 2027, 00:00 UTC)"},
		{"en", "America/Sao_Paulo", time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC), "1 March 2027, 09:00 UTC-03:00 (12:00 UTC)"},
		{"de", "Europe/Berlin", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), "1. März 2027, 01:00 Uhr MEZ (00:00 Uhr UTC)"},
		{"de", "Europe/Berlin", time.Date(2027, 3, 31, 22, 30, 0, 0, time.UTC), "1. April 2027, 00:30 Uhr MESZ (31. März 2027, 22:30 Uhr UTC)"},
		{"de", "", time.Date(2027, 12, 31, 23, 59, 0, 0, time.UTC), "31. Dezember 2027, 23:59 Uhr UTC"},
	} {
		e.Data.Until = &c.until
		l := mail.Letters(e)[0]
		l.Reader = access.Preferences{Language: c.language, Zone: c.zone}
		if m := render(t, l); !strings.Contains(m.Text, ": "+c.want+"\n") {
			t.Errorf("%s in %s: got %s, want %s", c.language, c.zone, m.Text, c.want)
		}
	}
}

func TestALetterSaysWhichLanguageItIsIn(t *testing.T) {
	t.Parallel()
	l := mail.Letters(sample(t, events.GrantRevoked))[0]
	for language, want := range map[string]string{"": "en", "en": "en", "de": "de", "xx": "en"} {
		l.Reader.Language = language
		if m := render(t, l); !strings.Contains(m.HTML, `<html lang="`+want+`" dir="ltr">`) {
			t.Errorf("%q: got %s, want the language %s", language, m.HTML[:60], want)
		}
	}
}

func TestALongListSaysHowManyAreNotInIt(t *testing.T) {
	t.Parallel()
	e := with(t, events.GrantRevoked, func(e *events.Event) {
		e.Data.Users = nil
		for i := range 130 {
			e.Data.Users = append(e.Data.Users, events.Person{Email: fmt.Sprintf("user-%03d@contoso.example", i)})
		}
	})
	ls := mail.Letters(e)
	m := render(t, ls[len(ls)-1])
	if got := strings.Count(m.Text, "- user-"); got != 100 || !strings.Contains(m.Text, "- and 30 more\n") {
		t.Errorf("got %d users, want 100 and a line for the others", got)
	}
}

func TestALetterWithoutWordsIsAMistake(t *testing.T) {
	t.Parallel()
	l := mail.Letters(sample(t, events.GrantCreated))[0]
	l.Template = "imagined"
	if _, err := renderer(t, settings()).Render(l, ""); err == nil {
		t.Error("got no error, want one")
	}
}

func TestSettingsSayWhatIsWrongWithThem(t *testing.T) {
	t.Parallel()
	if err := settings().Validate(); err != nil {
		t.Errorf("good settings: got %v", err)
	}
	for what, change := range map[string]func(*mail.Settings){
		"no reply address":         func(s *mail.Settings) { s.ReplyTo = "" },
		"no unsubscribing":         func(s *mail.Settings) { s.Unsubscribe = "" },
		"unsubscribing by mail":    func(s *mail.Settings) { s.Unsubscribe = "mailto:stop@insight.example" },
		"support on a page":        func(s *mail.Settings) { s.Support = "https://insight.example/help" },
		"a page on this machine":   func(s *mail.Settings) { s.CustomerURL = "http://localhost:8080/{customer}" },
		"a page without ids":       func(s *mail.Settings) { s.PartnerURL = "https://partners.insight.example" },
		"a sender without a name":  func(s *mail.Settings) { s.From = "no-reply@insight.example" },
		"another language":         func(s *mail.Settings) { s.Language = "de" },
		"another zone":             func(s *mail.Settings) { s.Zone = "Europe/Berlin" },
		"a token among parameters": func(s *mail.Settings) { s.InvitationURL = "https://insight.example/i?t={token}" },
	} {
		s := settings()
		change(&s)
		if err := s.Validate(); err != nil {
			t.Errorf("%s: got %v, want no error", what, err)
		}
	}
	for what, c := range map[string]struct {
		change func(*mail.Settings)
		says   string
	}{
		"no product":                         {func(s *mail.Settings) { s.Product = " " }, "the product's name"},
		"a product of two lines":             {func(s *mail.Settings) { s.Product = "Insight\nCloud" }, "on one line"},
		"no sender":                          {func(s *mail.Settings) { s.From = "" }, "the sender"},
		"a sender of two lines":              {func(s *mail.Settings) { s.From = "a@b.example\r\nBcc: c@d.example" }, "the sender"},
		"a chat without https":               {func(s *mail.Settings) { s.Chat = "http://hooks.example/x" }, "the chat's address"},
		"a reply address that is none":       {func(s *mail.Settings) { s.ReplyTo = "help" }, "the reply address"},
		"no support":                         {func(s *mail.Settings) { s.Support = "" }, "the support address"},
		"support under javascript":           {func(s *mail.Settings) { s.Support = "javascript:alert(1)" }, "the support address"},
		"a language without words":           {func(s *mail.Settings) { s.Language = "xx" }, "one of de, en"},
		"a zone that is nowhere":             {func(s *mail.Settings) { s.Zone = "Mars/Olympus" }, "the time zone"},
		"no customer's page":                 {func(s *mail.Settings) { s.CustomerURL = "" }, "the customer's page"},
		"a page without TLS":                 {func(s *mail.Settings) { s.CustomerURL = "http://insight.example/" }, "https://"},
		"a page with a password":             {func(s *mail.Settings) { s.CustomerURL = "https://a:b@insight.example/" }, "is no address"},
		"a page with an unknown placeholder": {func(s *mail.Settings) { s.PartnerURL = "https://insight.example/{user}" }, "placeholder"},
		"a page with a quote":                {func(s *mail.Settings) { s.PartnerURL = `https://insight.example/"x` }, "the partner's page"},
		"an invitation without a token":      {func(s *mail.Settings) { s.InvitationURL = "https://insight.example/i" }, "lacks {token}"},
		"unsubscribing without TLS":          {func(s *mail.Settings) { s.Unsubscribe = "http://localhost/u?a={address}" }, "https://"},
		"unsubscribing nobody":               {func(s *mail.Settings) { s.Unsubscribe = "https://insight.example/u" }, "{address}"},
		"unsubscribing by no mail":           {func(s *mail.Settings) { s.Unsubscribe = "mailto:stop" }, "no mailto: address"},
		"unsubscribing by a header": {
			func(s *mail.Settings) { s.Unsubscribe = "mailto:a@b.example>\r\nBcc: <c@d.example" },
			"no mailto: address",
		},
	} {
		s := settings()
		c.change(&s)
		err := s.Validate()
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want a sentence on %q", what, err, c.says)
		}
		if _, again := mail.NewRenderer(s); again == nil {
			t.Errorf("%s: got a renderer, want none", what)
		}
	}
	if err := (mail.Settings{}).Validate(); strings.Count(fmt.Sprint(err), "\n") < 5 {
		t.Errorf("no settings: got %v, want a line for each that is missing", err)
	}
}
