package mail_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/mail"
)

const operations = "operations@insight.example"

// failing is a webhook whose address has failed since noon, and what is told of it.
func failing(customer string) *access.Webhook {
	return &access.Webhook{
		ID: "whk_01M7SDSMGG0SQXGGDA2DYEAKNQ", Customer: customer, Status: access.WebhookActive, Description: "tickets <b>of</b> the help desk",
		URL: "https://hooks.insight.example/services/T0/B0/s3cr3t?token=s3cr3t",
	}
}

func aboutWebhooks() access.PlanContext {
	return access.PlanContext{Now: noon.Add(25 * time.Hour), NewID: func() string { return "01M7SDSMGG0SQXGGDA2DYEAKNR" }}
}

// noticed are the letters of a notice, in the situation that it was made in.
func noticed(h *access.Webhook, n access.WebhookNotice) []mail.Letter {
	s := mail.Situation{Known: true, Now: n.Event.Time, Webhook: h, Provider: operations}
	if h.Customer != "" {
		s.Customer = &access.Customer{ID: h.Customer, Name: "Acme", Contacts: []string{it, it2}, Status: access.Active}
	}
	return s.Letters(n.Event)
}

func noticeLetters() map[string]mail.Letter {
	out := map[string]mail.Letter{}
	for _, customer := range []string{"", "acme"} {
		h := failing(customer)
		add := func(as string, n access.WebhookNotice) {
			l := noticed(h, n)[0]
			out[string(n.Event.Type)+as+"-"+l.Template+"-"+string(l.Side)] = l
		}
		add("", h.FailureNotice(1, noon, aboutWebhooks()))
		add("-three_days", h.FailureNotice(3, noon, aboutWebhooks()))
		h.Status, h.Reason = access.WebhookDisabled, access.WebhookFailing
		add("", h.DisabledNotice(noon, aboutWebhooks()))
		h.Reason = access.WebhookGone
		add("-gone", h.DisabledNotice(time.Time{}, aboutWebhooks()))
	}
	return out
}

func TestWhoManagesAWebhookHearsThatItFails(t *testing.T) {
	t.Parallel()
	own, theirs := failing(""), failing("acme")
	for _, c := range []struct {
		letters []mail.Letter
		want    []string
	}{
		{noticed(own, own.FailureNotice(1, noon, aboutWebhooks())), []string{"webhook_failing.provider " + operations}},
		{
			noticed(theirs, theirs.FailureNotice(1, noon, aboutWebhooks())),
			[]string{"webhook_failing.customer " + it, "webhook_failing.customer " + it2},
		},
	} {
		var got []string
		for _, l := range c.letters {
			got = append(got, l.Template+"."+string(l.Side)+" "+l.To)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	s := mail.Situation{Known: true, Webhook: own}
	if got := s.Letters(own.FailureNotice(1, noon, aboutWebhooks()).Event); len(got) != 0 {
		t.Errorf("got %d letters though the provider names no address, want none", len(got))
	}
}

// What stands after the host of such an address is often its password.
func TestANoticeShowsTheHostOfAWebhookAndNoMore(t *testing.T) {
	t.Parallel()
	for name, l := range noticeLetters() {
		m := render(t, l)
		for part, text := range map[string]string{"subject": m.Subject, "text": m.Text, "HTML": m.HTML} {
			if strings.Contains(text, "s3cr3t") || strings.Contains(text, "services") {
				t.Errorf("%s: the %s shows more than the host: %s", name, part, text)
			}
		}
		if !strings.Contains(strings.ReplaceAll(m.Subject, "\u200b", ""), "hooks.insight.example") { // no program makes a link of it
			t.Errorf("%s: got the subject %q, want it to name the host", name, m.Subject)
		}
	}
}

func TestANoticeThatHoldsNoLongerIsNotSent(t *testing.T) {
	t.Parallel()
	h := failing("")
	n := h.FailureNotice(1, noon, aboutWebhooks())
	h.Status = access.WebhookDisabled
	for what, letters := range map[string][]mail.Letter{
		"disabled by now": noticed(h, n),
		"removed":         (mail.Situation{Known: true, Provider: operations}).Letters(n.Event),
		"active again":    noticed(failing(""), h.DisabledNotice(noon, aboutWebhooks())),
	} {
		if len(letters) != 1 || letters[0].Outdated == "" || letters[0].Urgent() {
			t.Errorf("%s: got %+v, want one letter that is outdated", what, letters)
		}
	}
}
