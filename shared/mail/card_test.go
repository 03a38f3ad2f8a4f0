package mail_test

import (
	"encoding/json"
	"strings"
	"testing"

	"partneraccess/events"
	"partneraccess/shared/mail"
)

// asked is a sample's event, with words that a chat could take for markup.
func asked(t *testing.T) events.Event {
	t.Helper()
	e := sample(t, events.RequestCreated)
	requester := *e.Data.Requester
	requester.Name = "<!channel> *Olga* [x](y) & Co"
	e.Data.Requester = &requester
	return e
}

func cardOf(t *testing.T, chat string) string {
	t.Helper()
	s := settings()
	s.Chat = chat
	for _, l := range mail.WithCard(mail.Letters(asked(t)), asked(t), chat) {
		m, err := renderer(t, s).Render(l, "")
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(l.To, "chat@") != (m.Card != nil) {
			t.Errorf("%s: got the card %s", l.To, m.Card)
		}
		if m.Card != nil {
			return string(m.Card)
		}
	}
	t.Fatal("no card")
	return ""
}

func TestACardForTeamsHasNoMarkupOfPeople(t *testing.T) {
	var card struct {
		Attachments []struct {
			Content struct {
				Body []struct {
					Type    string
					Inlines []struct{ Type, Text string }
				}
				Actions []struct{ Type, URL string }
			}
		}
	}
	text := cardOf(t, "https://prod-1.westeurope.logic.azure.com/workflows/x")
	if err := json.Unmarshal([]byte(text), &card); err != nil || len(card.Attachments) != 1 {
		t.Fatalf("got %s, %v", text, err)
	}
	c := card.Attachments[0].Content
	for _, b := range c.Body {
		if b.Type != "RichTextBlock" || len(b.Inlines) == 0 || b.Inlines[0].Type != "TextRun" {
			t.Errorf("got %+v, want text runs, which know no markup", b)
		}
	}
	if len(c.Actions) != 1 || c.Actions[0].Type != "Action.OpenUrl" ||
		!strings.HasPrefix(c.Actions[0].URL, "https://insight.example/acme/partners") {
		t.Errorf("got %+v, want one link", c.Actions)
	}
}

func TestACardForSlackHasNoMarkupOfPeople(t *testing.T) {
	var card struct {
		Text   string
		Blocks []struct{ Text struct{ Type, Text string } }
	}
	text := cardOf(t, "https://hooks.slack.com/services/T/B/x")
	if err := json.Unmarshal([]byte(text), &card); err != nil || len(card.Blocks) != 4 {
		t.Fatalf("got %s, %v", text, err)
	}
	if strings.ContainsAny(card.Text, "<>") || !strings.Contains(card.Text, "&amp;") && strings.Contains(card.Text, "& Co") {
		t.Errorf("the notification: got %q, want it escaped", card.Text)
	}
	for i, b := range card.Blocks[:3] {
		if b.Text.Type != "plain_text" || b.Text.Text == "" {
			t.Errorf("block %d: got %+v, want plain text", i, b.Text)
		}
	}
	if link := card.Blocks[3].Text.Text; !strings.HasPrefix(link, "<https://insight.example/acme/partners") || strings.Count(link, "<") != 1 {
		t.Errorf("got %q, want one link", link)
	}
}

func TestOnlyARequestThatWaitsIsToldToAChat(t *testing.T) {
	for _, typ := range events.Types() {
		e, n := sample(t, typ), 0
		for _, l := range mail.WithCard(mail.Letters(e), e, "https://hooks.slack.com/services/x") {
			if l.To == "chat@hooks.slack.com" {
				n++
			}
		}
		if want := map[events.Type]int{events.RequestCreated: 1, events.RequestReminded: 1}[e.Type]; n != want {
			t.Errorf("%s: got %d cards, want %d", e.Type, n, want)
		}
		if len(mail.WithCard(mail.Letters(e), e, "")) != len(mail.Letters(e)) {
			t.Errorf("%s: a card without a chat", e.Type)
		}
	}
}
