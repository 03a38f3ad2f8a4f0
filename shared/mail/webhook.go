package mail

import (
	"net/url"

	"partneraccess/shared/access"
)

// Address is where a webhook sends to, as far as a mail shows it: the host. Paths and queries of such addresses are often secrets.
func (v view) Address() string {
	h := v.l.Situation.Webhook
	if h == nil {
		return v.l.Event.Webhook
	}
	u, err := url.Parse(h.URL)
	if err != nil || u.Host == "" {
		return h.ID
	}
	return singleLine(u.Host)
}

// Days is after how many days of nothing but failures the letter was made.
func (v view) Days() int { return v.d().Days }

// AddressGone reports whether the webhook was disabled since its address has answered 410.
func (v view) AddressGone() bool { return v.d().Reason == string(access.WebhookGone) }

func (v view) addWebhookFacts(t *factTable) {
	t.add(v.T("fact.webhook_address"), v.Address())
	if h := v.l.Situation.Webhook; h != nil {
		t.add(v.T("fact.webhook_description"), singleLine(h.Description))
	}
	t.add(v.T("fact.webhook"), v.l.Event.Webhook)
	t.add(v.T("fact.webhook_failing"), v.instant(v.d().From, ""))
	if v.l.Event.Type == access.WebhookEnded {
		t.add(v.T("fact.webhook_disabled"), v.clock(v.l.Event.Time))
		return
	}
	t.add(v.T("fact.webhook_disables"), v.instant(v.d().Until, ""))
}
