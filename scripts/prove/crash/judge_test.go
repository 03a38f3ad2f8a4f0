package crash

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
)

// story is what a kill left of a grant that was created and then edited, with its mails; a test breaks something of it.
type story struct {
	customer *customer
	rows     []row
	events   []events.Event
	receipts map[letter]row
	came     map[letter][]string
}

func newStory(t *testing.T) *story {
	t.Helper()
	f := &firm{id: "contoso", users: []string{"kim", "lee"}}
	w := &world{firms: []*firm{f}, window: map[letter]int{}}
	s := &story{
		customer: &customer{
			world: w, id: "acme", grants: map[string]model{"contoso": {open: true, level: "view", in: f.users}},
			told: map[string][]events.Type{"contoso": {events.GrantCreated, events.GrantEdited}},
		},
		rows:     []row{{"pk": "C#acme", "sk": "G#contoso", "version": "2"}},
		receipts: map[letter]row{}, came: map[letter][]string{},
	}
	for i, typ := range s.customer.told["contoso"] {
		count := i + 1
		s.events = append(s.events, events.Event{
			ID: fmt.Sprint(i), Type: typ, Customer: &events.Organisation{ID: "acme", Contacts: []string{"it@acme.example"}},
			Partner: &events.Organisation{ID: "contoso"},
			Data: events.Data{
				Grant: "1", Version: int64(i + 1), UserCount: &count,
				Added: []events.Person{{ID: f.users[i], Email: f.users[i] + "@contoso.example"}},
			},
		})
	}
	for _, e := range s.events {
		for _, l := range mail.Letters(e) {
			key := letter{e.ID, receipt.Digest(l.To)}
			s.receipts[key], s.came[key] = row{"state": "sent"}, []string{"it"}
		}
	}
	if len(s.came) != 4 {
		t.Fatalf("got %d mails, want one to a user and one to the customer for each event", len(s.came))
	}
	return s
}

func (s *story) judge() []string {
	w := s.customer.world
	s.customer.judgeGrant(w.firms[0], s.rows, s.events)
	w.judgeMails(s.events, s.receipts, s.came)
	return w.report.Violations
}

func TestWhatIsLostDoubledOrHalfIsFound(t *testing.T) {
	kim := letter{"0", receipt.Digest("kim@contoso.example")}
	for about, c := range map[string]struct {
		spoil func(*story)
		want  string // "": nothing is wrong
	}{
		"all is well":                       {func(*story) {}, ""},
		"a mail that was being sent, twice": {func(s *story) { s.customer.window[kim] = 1; s.came[kim] = []string{"a", "b"} }, ""},
		"and three times": {
			func(s *story) { s.customer.window[kim] = 1; s.came[kim] = []string{"a", "b", "c"} },
			"got 3 mails",
		},
		"a mail twice":                      {func(s *story) { s.came[kim] = []string{"a", "b"} }, "got 2 mails"},
		"a mail lost":                       {func(s *story) { delete(s.came, kim) }, "got 0 mails"},
		"a mail lost though it was claimed": {func(s *story) { s.customer.window[kim] = 1; delete(s.came, kim) }, "got 0 mails"},
		"a receipt left":                    {func(s *story) { s.receipts[kim]["state"] = "claimed" }, `got the receipt "claimed"`},
		"a mail about nothing":              {func(s *story) { s.came[letter{"9", "x"}] = []string{"a"} }, "want none"},
		"an answered change without event":  {func(s *story) { s.events = s.events[:1] }, "want those of the changes"},
		"an event without change": {
			func(s *story) { s.events = append(s.events, s.events[1]) },
			"want each version to have its event",
		},
		"a grant that is behind its events": {func(s *story) { s.rows[0]["version"] = "1" }, "want that of its last event"},
		"a grant lost":                      {func(s *story) { s.rows = nil }, "got a grant: false"},
		"a count that is wrong":             {func(s *story) { *s.events[1].Data.UserCount = 3 }, "the last event counts"},
		"an event that leaves somebody out": {func(s *story) { s.events[1].Data.Added = nil }, "the events together say 1"},
		"a change that the answer had not": {
			func(s *story) { s.customer.told["contoso"] = s.customer.told["contoso"][:1] },
			"want those of the changes",
		},
		"a user whom nobody was told is in": {
			func(s *story) { s.customer.grants["contoso"] = model{open: true, in: []string{"kim"}} },
			"want 1",
		},
		"an event of another kind than asked": {func(s *story) { s.events[1].Type = events.GrantSuspended }, "want those of the changes"},
	} {
		t.Run(about, func(t *testing.T) {
			s := newStory(t)
			c.spoil(s)
			got := s.judge()
			if c.want == "" && len(got) > 0 || c.want != "" &&
				!slices.ContainsFunc(got, func(v string) bool { return strings.Contains(v, c.want) }) {
				t.Errorf("got the violations %q, want one that says %q", got, c.want)
			}
		})
	}
}

// A day's budget is spent, and one more mail is left to the summary: each of these leaves it out, or leaves it there too early.
func TestAMailThatIsLeftToTheSummaryIsInItAndBeyondTheBudget(t *testing.T) {
	it, noon := receipt.Digest("it@acme.example"), time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	acme := events.Organisation{ID: "acme", Contacts: []string{"it@acme.example"}}
	for about, c := range map[string]struct {
		before int
		lines  string
		came   []string
		want   string
	}{
		"all is well":              {receipt.Daily, "1 March 2027, 12:00 UTC: changed\n", nil, ""},
		"before it was spent":      {receipt.Daily - 1, "1 March 2027, 12:00 UTC: changed\n", nil, "after 19 others"},
		"not in the summary":       {receipt.Daily, "1 March 2027, 11:00 UTC: changed\n", nil, "in the summary: false"},
		"in the summary, and sent": {receipt.Daily, "1 March 2027, 12:00 UTC: changed\n", []string{"a"}, "came 1 times"},
	} {
		t.Run(about, func(t *testing.T) {
			w := &world{window: map[letter]int{}}
			summary := letter{"summary", it}
			receipts := map[letter]row{
				summary: {"type": string(receipt.SummaryType), "recipient": it, "source": "c-acme", "lines": c.lines, "state": "sent"},
			}
			came := map[letter][]string{summary: {"it"}}
			var all []events.Event
			for n := range c.before + 1 {
				e := events.Event{
					ID: fmt.Sprint(n), Type: events.GrantSuspended, Time: noon, Customer: &acme, Partner: &events.Organisation{ID: "contoso"},
					Actor: events.Actor{Kind: "customer"}, Data: events.Data{Grant: "1"},
				}
				if letters := mail.Letters(e); len(letters) != 1 || letters[0].To != "it@acme.example" {
					t.Fatalf("got the mails %v, want one to the customer", letters)
				}
				key := letter{e.ID, it}
				all, receipts[key], came[key] = append(all, e), row{"state": "sent"}, []string{"it"}
				if n == c.before {
					receipts[key], came[key] = row{"state": "bundled"}, c.came
				}
			}
			w.judgeMails(all, receipts, came)
			if got := strings.Join(w.report.Violations, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got the violations %q, want one that says %q", got, c.want)
			}
		})
	}
}

func TestRowsAreReadAsTheStackWritesThem(t *testing.T) {
	e, err := json.Marshal(events.Event{ID: "1", Type: events.GrantCreated})
	if err != nil {
		t.Fatal(err)
	}
	all, receipts, err := sorted([]row{
		{"sk": "T#2", "event": strings.Replace(string(e), `"1"`, `"2"`, 1)},
		{"sk": "T#1", "event": string(e)},
		{"sk": "G#contoso"},
		{"sk": "L#1#x", "event": "1", "recipient": "x", "state": "sent"},
	})
	if err != nil || len(all) != 2 || all[0].ID != "1" || len(receipts) != 1 || receipts[letter{"1", "x"}]["state"] != "sent" {
		t.Errorf("got %v, %v, %v", all, receipts, err)
	}
}

func TestAVersionThatWasNotKeptIsFound(t *testing.T) {
	w := &world{}
	grant := row{"pk": "C#acme", "sk": "G#contoso", "version": "3"}
	version := func(n string) row { return row{"pk": "Z#CG#acme#contoso", "sk": "V#" + n, "version": n} }
	w.judgeVersions([]row{grant, version("1")}) // the stream may be some moments behind
	if len(w.report.Violations) > 0 {
		t.Errorf("at first: got %q, want nothing", w.report.Violations)
	}
	w.judgeVersions([]row{grant, version("1"), version("3")})
	if got := strings.Join(w.report.Violations, "; "); got != "version 2 of the grant acme#contoso was not kept" || w.report.Versions != 3 {
		t.Errorf("a round later: got %q of %d versions, want the second of three missing", got, w.report.Versions)
	}
}

func TestAnEventThatNeverCameOrCameTooOftenIsFound(t *testing.T) {
	all := []events.Event{{ID: "01", Type: events.GrantCreated}, {ID: "02", Type: events.GrantRevoked}}
	for _, c := range []struct {
		name  string
		came  map[string]int
		stops int
		want  int
	}{
		{"each once, and one of lost access", map[string]int{"01": 1, "02": 1, "lost": 1}, 0, 0},
		{"one is lost", map[string]int{"01": 1}, 1, 1},
		{"one came again without a kill", map[string]int{"01": 2, "02": 1}, 0, 1},
		{"a stretch came again for a kill", map[string]int{"01": 33, "02": 1}, 1, 0},
		{"more than a stretch did", map[string]int{"01": 33, "02": 2}, 1, 1},
	} {
		w := &world{stops: c.stops}
		w.judgeDeliveries(all, c.came)
		if got := len(w.report.Violations); got != c.want {
			t.Errorf("%s: got %q, want %d violations", c.name, w.report.Violations, c.want)
		}
	}
}
