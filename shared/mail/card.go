package mail

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"partneraccess/events"
)

// chatAddress stands for the chat among the recipients of letters: it says which service has the channel, and not which channel that is.
func chatAddress(chat string) string {
	if u, err := url.Parse(chat); err == nil && chat != "" {
		return "chat@" + u.Hostname()
	}
	return ""
}

// withCard adds the chat to the letters of a request that waits for a decision. What it is told is what those who decide are told.
func withCard(letters []Letter, e events.Event, chat string) []Letter {
	if chat == "" || e.Type != events.RequestCreated && e.Type != events.RequestReminded {
		return letters
	}
	i := slices.IndexFunc(letters, func(l Letter) bool { return l.Side == Customer })
	if i < 0 {
		return letters
	}
	l := letters[i]
	l.To, l.Gone, l.Moved = chatAddress(chat), false, ""
	return append(letters, l)
}

// card is a letter as an incoming webhook of a chat takes it: for Slack text and blocks, for Microsoft Teams and whatever else takes its
// form an adaptive card. It shows, and has a link; nothing is decided from it. What people entered stands in elements that know no markup,
// so that it neither mentions anybody nor links anywhere.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
func card(p page, chat string) ([]byte, error) {
	paragraphs := strings.Join(p.Paragraphs, "\n")
	if chatAddress(chat) == "chat@hooks.slack.com" {
		return json.Marshal(slackMessage(p, paragraphs))
	}
	run := func(text string, bold bool) object {
		if bold {
			return object{"type": "TextRun", "text": text, "weight": "bolder"}
		}
		return object{"type": "TextRun", "text": text}
	}
	block := func(runs ...object) object { return object{"type": "RichTextBlock", "inlines": runs} }
	body := []object{block(run(p.Subject, true)), block(run(paragraphs, false))}
	for _, f := range p.Facts {
		body = append(body, block(run(f.Label+": ", true), run(f.Value, false)))
	}
	return json.Marshal(object{
		"type": "message",
		"attachments": []object{{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content": object{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
				"actions": []object{{"type": "Action.OpenUrl", "title": p.Action, "url": p.URL}},
			},
		}},
	})
}

type object = map[string]any

// slackMessage is the letter within Slack's limits: 150 characters of a header and 3,000 of a section.
func slackMessage(p page, paragraphs string) object {
	facts := make([]string, len(p.Facts))
	for i, f := range p.Facts {
		facts[i] = f.Label + ": " + f.Value
	}
	plain := func(text string, most int) object {
		return object{"type": "plain_text", "text": cut(text, most), "emoji": false}
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	return object{
		"text": escape(p.Subject), // what a notification shows
		"blocks": []object{
			{"type": "header", "text": plain(p.Subject, 150)},
			{"type": "section", "text": plain(paragraphs, 3000)},
			{"type": "section", "text": plain(strings.Join(facts, "\n"), 3000)},
			{"type": "section", "text": object{"type": "mrkdwn", "text": "<" + p.URL + "|" + escape(p.Action) + ">"}},
		},
	}
}
