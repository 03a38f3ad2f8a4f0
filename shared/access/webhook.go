package access

import (
	"slices"
	"time"

	"partneraccess/events"
)

// Webhook is an address to which events are sent as they happen, signed. It belongs to the provider, or to one customer, which gets its own
// events alone. All instants are UTC.
type Webhook struct {
	ID          string
	Customer    string   // whose it is; "" = the provider's
	Only        string   // of a provider's: the customer whose events it gets; "" = everybody's
	URL         string   // as webhook.CheckURL allows
	Description string   // for people
	Types       []string // names of events, or their beginnings with an asterisk, such as grant.*; none = all
	Status      WebhookStatus
	Reason      WebhookReason // why it is disabled
	Kind        string        // of its secrets: v1 or v1a
	Secret      string        // signs what is sent; it is shown once, when it is made
	Former      string        // the secret before it, which signs beside it until FormerUntil; "" = there is none
	FormerUntil time.Time
	Challenge   string    // what the address has to answer to become active; "" = it has
	ChallengeID string    // of the delivery that brings it
	Since       time.Time // when it answered the latest challenge
	Created     time.Time
	Updated     time.Time
	Number      int64 // how often it was changed, from 1
}

// WebhookStatus says whether events are sent to a webhook.
type WebhookStatus string

// The statuses. What happens while a webhook is neither active nor paused is not sent later, unless it is asked for.
const (
	WebhookUnverified WebhookStatus = "unverified" // it has not answered the challenge
	WebhookActive     WebhookStatus = "active"
	WebhookPaused     WebhookStatus = "paused"   // what happens waits until it is active again
	WebhookDisabled   WebhookStatus = "disabled" // for its reason
)

// WebhookReason says why a webhook is disabled.
type WebhookReason string

// The reasons.
const (
	WebhookGone    WebhookReason = "gone"    // it has answered 410
	WebhookFailing WebhookReason = "failing" // nothing that was sent has been taken for five days
)

// Limits of webhooks.
const (
	MaxWebhooks        = 20 // of the provider
	MaxOwnWebhooks     = 5  // of one customer
	MaxWebhookCalls    = 60 // that have something sent, or change a webhook, of one customer in an hour
	MaxWebhookTypes    = 50
	WebhookOverlap     = 24 * time.Hour     // for which a former secret signs beside the new one
	WebhookPatience    = 5 * 24 * time.Hour // of nothing but failures, after which a webhook is disabled
	WebhookDeliveryAge = 30 * 24 * time.Hour
)

// Webhooks are all of one owner.
type Webhooks struct {
	Customer string // "" = the provider's
	List     []Webhook
	Hour     time.Time // of the calls that are counted; a customer's alone
	Calls    int
	Version  int64
}

// Calling counts a call by which a customer has something sent, or changes a webhook: else its admins could have the service knock at
// addresses that are none of theirs, one challenge after the other. It is refused with TooManyRequests until the hour is over. What it
// returns stands for the webhooks in the plan of that call. The provider's calls are not counted.
func (w *Webhooks) Calling(customer string, pc PlanContext) (*Webhooks, error) {
	if customer == "" {
		return w, nil
	}
	out := Webhooks{Customer: customer}
	if w != nil {
		out = *w
	}
	if hour := pc.Now.Truncate(time.Hour); !out.Hour.Equal(hour) {
		out.Hour, out.Calls = hour, 0
	}
	if out.Calls++; out.Calls > MaxWebhookCalls {
		e := Refuse(TooManyRequests, "your organisation has changed or tried its webhooks %d times in this hour: wait for the next one",
			MaxWebhookCalls)
		e.Wait = out.Hour.Add(time.Hour).Sub(pc.Now)
		return nil, e
	}
	return &out, nil
}

// Called are the writes of a call that changes no webhook: that it was counted.
func (w *Webhooks) Called(customer string) []Write {
	if customer == "" {
		return nil
	}
	return []Write{w.with(customer, func(list []Webhook) []Webhook { return list })}
}

// Emptied plans that all webhooks are removed.
func (w *Webhooks) Emptied() Change {
	if w == nil || len(w.List) == 0 {
		return Change{}
	}
	return Change{Writes: []Write{w.with(w.Customer, func([]Webhook) []Webhook { return nil })}}
}

// Find returns the webhook with the id; nil when there is none.
func (w *Webhooks) Find(id string) *Webhook {
	if w == nil {
		return nil
	}
	if i := slices.IndexFunc(w.List, func(h Webhook) bool { return h.ID == id }); i >= 0 {
		h := w.List[i]
		return &h
	}
	return nil
}

// Stored is the version that was loaded; 0 when there was none.
func (w *Webhooks) Stored() int64 { return stored(w, func(w *Webhooks) int64 { return w.Version }) }

// Verified reports whether the webhook is its owner's to pause: it has answered its challenge, and is not disabled.
func (h *Webhook) Verified() bool { return h.Status == WebhookActive || h.Status == WebhookPaused }

// Takes reports whether an event of its types about that customer, "" for none, is to be sent to the webhook, now or when it is active
// again. What happened before it answered its challenge is not, even where whoever sends learns of it later. An event that was planned up
// to webhookLag before may have been committed after: it may come.
func (h *Webhook) Takes(customer string, happened time.Time) bool {
	return h.Verified() && (h.Only == "" || h.Only == customer) && (h.Customer == "" || h.Customer == customer) &&
		!happened.Before(h.Since.Add(-webhookLag))
}

// webhookLag is how long the commit of an event may come after its time: no function of the API runs longer.
const webhookLag = 30 * time.Second

// Signing are the secrets that sign what is sent now.
func (h *Webhook) Signing(now time.Time) []string {
	if h.Former != "" && now.Before(h.FormerUntil) {
		return []string{h.Secret, h.Former}
	}
	return []string{h.Secret}
}

// WebhookDelivery is an event on its way to one webhook. There is one for each pair, so that an event is sent once however often the stream
// brings it. All instants are UTC.
type WebhookDelivery struct {
	Webhook  string
	Customer string // whose the webhook is
	Event    string // the id of the event: a ULID
	Type     string // such as grant.ended, or one of the two below
	Body     []byte // JSON
	State    DeliveryState
	Attempts int
	Due      time.Time // of the next attempt; zero = there is none
	Last     DeliveryAttempt
	Created  time.Time
	Version  int64
}

// The types of what is sent to a webhook beside events.
const (
	WebhookChallenge = "webhook.verify"
	WebhookTest      = "webhook.test"
)

// DeliveryState says what became of a delivery.
type DeliveryState string

// The states.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered" // the address has answered 2xx
	DeliveryFailed    DeliveryState = "failed"    // after the last attempt
)

// DeliveryFilter selects deliveries. The zero value selects all.
type DeliveryFilter struct {
	From, Until time.Time     // when the event happened: From is within, Until is not; zero = no bound
	State       DeliveryState // "" = any
}

// DeliveryAttempt is one attempt and what came of it.
type DeliveryAttempt struct {
	At     time.Time
	Took   time.Duration
	Status int          // of HTTP; 0 = there was no whole answer
	Code   DeliveryCode // why it failed; "" = it did not, or it was made before there were codes
	Detail string       // the same for people, with the beginning of the answer
}

// DeliveryCode is why an attempt failed, for programs: one of webhook's codes, or one of these.
type DeliveryCode string

// The codes of attempts that got an answer, and of a challenge that needs none any more.
const (
	DeliveryRedirected DeliveryCode = "redirect" // which is not followed
	DeliveryStatus     DeliveryCode = "status"   // another status than 2xx
	DeliveryToken      DeliveryCode = "bad_challenge"
	DeliveryReplaced   DeliveryCode = "replaced" // a later challenge took its place
)

// WebhookDeliveryWrite writes a delivery, and has it noticed.
type WebhookDeliveryWrite = Replace[WebhookDelivery]

// WebhooksWrite writes the webhooks of one owner.
type WebhooksWrite = Replace[Webhooks]

// Stored is the version that was loaded; 0 when there was none.
func (d *WebhookDelivery) Stored() int64 {
	return stored(d, func(d *WebhookDelivery) int64 { return d.Version })
}

// WebhookWake has a webhook's deliveries looked at.
type WebhookWake struct {
	Webhook  string
	Customer string // whose it is
	At       time.Time
}

func (WebhookWake) write() {}

// WebhookNotice has whoever manages a webhook told by mail of how its address does. It is no event that anybody else hears of.
type WebhookNotice struct{ Event events.Event }

func (WebhookNotice) write() {}

// The types of the notices.
const (
	WebhookFails events.Type = "webhook.failing"  // Data.From: since when; Data.Days: after how many days; Data.Until: when it is disabled
	WebhookEnded events.Type = "webhook.disabled" // Data.Reason: why; Data.From: since when nothing was taken
)

// WebhookNoticeDays are the days of nothing but failures after which a webhook's manager is told of them.
func WebhookNoticeDays() []int { return []int{1, 3} }

// NoticeDue returns after how many days of failures a notice is due, by how long they have gone on; 0 when there is none.
func NoticeDue(failing time.Duration) int {
	due := 0
	for _, days := range WebhookNoticeDays() {
		if failing >= time.Duration(days)*24*time.Hour {
			due = days
		}
	}
	return due
}

// FailureNotice tells that nothing has been taken for so many days, since that instant.
func (h *Webhook) FailureNotice(days int, since time.Time, pc PlanContext) WebhookNotice {
	return h.notice(WebhookFails, events.Data{Days: days, From: instant(since), Until: instant(since.Add(WebhookPatience))}, pc)
}

// DisabledNotice tells that the webhook was disabled. Since is when its address began to fail; zero = it did not.
func (h *Webhook) DisabledNotice(since time.Time, pc PlanContext) WebhookNotice {
	return h.notice(WebhookEnded, events.Data{Reason: string(h.Reason), From: instant(since)}, pc)
}

func (h *Webhook) notice(t events.Type, d events.Data, pc PlanContext) WebhookNotice {
	e := pc.asClock().event(t, nil, nil, d)
	e.Webhook = h.ID
	if h.Customer != "" {
		e.Customer = &events.Organisation{ID: h.Customer}
	}
	return WebhookNotice{e}
}

// PlanWebhook plans another webhook. H has what its owner has said, the id and the secret; it becomes what is stored.
func PlanWebhook(all *Webhooks, h *Webhook, pc PlanContext) (Change, error) {
	most := MaxWebhooks
	if h.Customer != "" {
		most = MaxOwnWebhooks
	}
	if all != nil && len(all.List) >= most {
		return Change{}, Refuse(TooManyWebhooks, "there are %d webhooks, which is as many as there can be: remove one", most)
	}
	h.Created, h.Updated, h.Number = pc.Now, pc.Now, 1
	return Change{Writes: []Write{all.with(h.Customer, func(list []Webhook) []Webhook { return append(list, *h) })}}, nil
}

// NewDelivery is the write of a new delivery.
func NewDelivery(h *Webhook, event, name string, body []byte, pc PlanContext) WebhookDeliveryWrite {
	return WebhookDeliveryWrite{After: &WebhookDelivery{
		Webhook: h.ID, Customer: h.Customer, Event: event, Type: name, Body: body, State: DeliveryPending, Due: pc.Now, Created: pc.Now,
		Version: 1,
	}}
}

// with plans another list of webhooks.
func (w *Webhooks) with(customer string, change func([]Webhook) []Webhook) WebhooksWrite {
	after := Webhooks{Customer: customer, Version: 1}
	if w != nil {
		after.List, after.Hour, after.Calls, after.Version = slices.Clone(w.List), w.Hour, w.Calls, w.Version+1
	}
	after.List = change(after.List)
	return WebhooksWrite{Before: w, After: &after}
}

// Edited plans that a webhook becomes what change makes of it; a nil webhook when there is none of that id, and then nothing is written.
func (w *Webhooks) Edited(id string, pc PlanContext, change func(*Webhook)) (Change, *Webhook) {
	h := w.Find(id)
	if h == nil {
		return Change{}, nil
	}
	change(h)
	h.Updated, h.Number = pc.Now, h.Number+1
	write := w.with(w.Customer, func(list []Webhook) []Webhook {
		list[slices.IndexFunc(list, func(h Webhook) bool { return h.ID == id })] = *h
		return list
	})
	return Change{Writes: []Write{write}}, h
}

// Without plans that a webhook is removed. What is on its way to it is not sent any more.
func (w *Webhooks) Without(id string) Change {
	return Change{Writes: []Write{w.with(w.Customer, func(list []Webhook) []Webhook {
		return slices.DeleteFunc(list, func(h Webhook) bool { return h.ID == id })
	})}}
}

// CheckSeen refuses a change by somebody who has read another version than is there.
func (h *Webhook) CheckSeen(seen int64) error {
	if seen == AnyVersion || seen == h.Number {
		return nil
	}
	return versionMismatch("webhook", seen, h.Number)
}

// SetStatus sets the status that its owner wants: active or paused. A webhook that was not verified, or is disabled, has to be verified.
func (h *Webhook) SetStatus(to WebhookStatus) error {
	if !h.Verified() {
		return Refuse(WebhookNotVerified, "this webhook is %s: have it verified first", h.Status)
	}
	h.Status = to
	return nil
}

// Challenged makes the webhook one that has to answer a token, which the delivery with that id brings, before events are sent to it.
func (h *Webhook) Challenged(token, id string) {
	h.Status, h.Reason, h.Challenge, h.ChallengeID = WebhookUnverified, "", token, id
}

// Rotate gives the webhook another secret. The one before signs beside it for a day; one that is older than that does not any more.
func (h *Webhook) Rotate(secret string, now time.Time) {
	h.Former, h.FormerUntil, h.Secret = h.Secret, now.Add(WebhookOverlap), secret
}

// Wake has the delivery noticed.
func (d *WebhookDelivery) Wake() WebhookWake {
	return WebhookWake{Webhook: d.Webhook, Customer: d.Customer, At: d.Due}
}

// CanRetry reports whether somebody can have it sent at once: it is not on its way, nor about to be.
func (d *WebhookDelivery) CanRetry(now time.Time) bool {
	return d.State != DeliveryPending || d.Due.Sub(now) > deliveryRetry
}

// deliveryRetry is longer than an attempt takes.
const deliveryRetry = time.Minute

// Again is the delivery as one that is sent once more, from the first pause on.
func (d WebhookDelivery) Again(pc PlanContext) WebhookDeliveryWrite {
	after := d
	after.State, after.Attempts, after.Due, after.Version = DeliveryPending, 0, pc.Now, d.Version+1
	return WebhookDeliveryWrite{Before: &d, After: &after}
}
