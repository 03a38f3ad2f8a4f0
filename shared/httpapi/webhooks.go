package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/cloudevents"
	"partneraccess/shared/service"
	"partneraccess/shared/webhook"
)

// webhookView is a webhook, without its secret.
type webhookView struct {
	ID            string               `json:"id"`
	Customer      textOrNull           `json:"customer"` // whose events it gets; null: everybody's
	URL           string               `json:"url"`
	Description   textOrNull           `json:"description"`
	Types         []string             `json:"types"` // none: all
	Status        access.WebhookStatus `json:"status"`
	Reason        textOrNull           `json:"reason"` // why it is disabled
	SecretKind    string               `json:"secret_kind"`
	PreviousUntil *time.Time           `json:"previous_secret_until"` // until when the secret before the present one signs, too
	CreatedAt     time.Time            `json:"created_at"`
	UpdatedAt     time.Time            `json:"updated_at"`
	Version       int64                `json:"version"`
}

func (c *call) viewWebhook(h *access.Webhook) webhookView {
	v := webhookView{
		ID: h.ID, Customer: textOrNull(cmp.Or(h.Customer, h.Only)), URL: h.URL, Description: textOrNull(h.Description), Types: h.Types,
		Status: h.Status,
		Reason: textOrNull(h.Reason), SecretKind: h.Kind, CreatedAt: h.Created, UpdatedAt: h.Updated, Version: h.Number,
	}
	if v.Types == nil {
		v.Types = []string{}
	}
	if h.Former != "" && c.api.now().Before(h.FormerUntil) {
		v.PreviousUntil = &h.FormerUntil
	}
	return v
}

// secretView is a webhook with what its receiver verifies with. It is shown once.
type secretView struct {
	Webhook webhookView `json:"webhook"`
	Secret  string      `json:"secret"` // whsec_… of kind v1, and whpk_…, a public key, of kind v1a
}

func (c *call) webhookReply(h *access.Webhook) reply {
	return reply{status: 200, body: c.viewWebhook(h), version: h.Number}
}

func (c *call) secretReply(status int) func(service.NewWebhook) reply {
	return func(h service.NewWebhook) reply {
		r := reply{status: status, body: secretView{c.viewWebhook(h.Webhook), h.Key}, version: h.Number}
		if status == 201 {
			if r.location = "/v1/webhooks/" + h.ID; h.Customer != "" {
				r.location = "/v1/customers/" + h.Customer + "/webhooks/" + h.ID
			}
		}
		return r
	}
}

// deliveryView is an event on its way to a webhook, and what became of it.
type deliveryView struct {
	Event         string               `json:"event"` // the event's id
	Type          string               `json:"type"`
	State         access.DeliveryState `json:"state"`
	Attempts      int                  `json:"attempts"`
	LastAttemptAt *time.Time           `json:"last_attempt_at"`
	LastStatus    *int                 `json:"last_status"` // of HTTP; null: no attempt, or no answer
	LastMS        *int64               `json:"last_ms"`     // that the last attempt took
	LastCode      textOrNull           `json:"last_code"`   // why the last attempt failed, for programs
	LastError     textOrNull           `json:"last_error"`
	NextAttemptAt *time.Time           `json:"next_attempt_at"`
	CreatedAt     time.Time            `json:"created_at"`
}

func viewDelivery(d *access.WebhookDelivery) deliveryView {
	v := deliveryView{
		Event: d.Event, Type: d.Type, State: d.State, Attempts: d.Attempts, LastError: textOrNull(d.Last.Detail),
		LastCode: textOrNull(d.Last.Code), LastAttemptAt: timeOrNull(d.Last.At), NextAttemptAt: timeOrNull(d.Due), CreatedAt: d.Created,
	}
	if !d.Last.At.IsZero() {
		v.LastMS = new(d.Last.Took.Milliseconds())
	}
	if d.Last.Status > 0 {
		v.LastStatus = &d.Last.Status
	}
	return v
}

func deliveryReply(d *access.WebhookDelivery) reply { return reply{status: 202, body: viewDelivery(d)} }

// webhookBody is what a POST and a PATCH say of a webhook.
type webhookBody struct {
	URL         opt[string]   `json:"url"`
	Description opt[string]   `json:"description"`
	Types       opt[[]string] `json:"types"`
	Customer    opt[string]   `json:"customer"`
	SecretKind  opt[string]   `json:"secret_kind"` // of a POST
	Status      opt[string]   `json:"status"`      // of a PATCH
}

const maxDescription = 200

func (c *call) readWebhook(isNew bool) (service.WebhookRequest, error) {
	var b webhookBody
	var f findings
	if err := decodeBody(c.Request, &b); err != nil {
		return service.WebhookRequest{}, err
	}
	ask := service.WebhookRequest{Kind: string(webhook.V1), Types: f.eventTypes(b.Types, "/types")}
	ask.URL = f.text(b.URL, "/url", "the address is text", func(string) bool { return true })
	if ask.URL != nil {
		if err := c.api.CheckWebhook(*ask.URL); err != nil {
			f.add("/url", err.Error())
		}
	}
	ask.Description = f.textOrNone(b.Description, "/description", "a description is text of at most 200 characters on one line",
		func(s string) bool { return access.ValidName(s) && len([]rune(s)) <= maxDescription })
	ask.Only = f.textOrNone(b.Customer, "/customer", "customer is the id of a customer", access.ValidID)
	if c.PathValue("customer") != "" && b.Customer.Given {
		f.add("/customer", "leave customer out: a customer's webhook gets its own events alone")
	}
	switch {
	case isNew && ask.URL == nil && !b.URL.Given:
		f.add("/url", "url is missing: name the address to send to")
	case isNew && b.Status.Given:
		f.add("/status", "a new webhook has no status to choose: it becomes active when it answers the challenge")
	case !isNew && b.SecretKind.Given:
		f.add("/secret_kind", "the kind of the secret stays: make another webhook")
	}
	if kind := f.text(b.SecretKind, "/secret_kind", "secret_kind is v1 or v1a",
		func(s string) bool { return s == string(webhook.V1) || s == string(webhook.V1a) }); kind != nil {
		ask.Kind = *kind
	}
	if status := f.text(b.Status, "/status", "status is active or paused", func(s string) bool {
		return s == string(access.WebhookActive) || s == string(access.WebhookPaused)
	}); status != nil {
		ask.Status = new(access.WebhookStatus(*status))
	}
	return ask, f.err()
}

// eventTypes reads names of events, or their beginnings with an asterisk; null removes them.
func (f *findings) eventTypes(o opt[[]string], pointer string) *[]string {
	if !o.Given {
		return nil
	}
	if len(o.Value) > access.MaxWebhookTypes {
		f.add(pointer, "too many types: use patterns such as grant.*")
		return nil
	}
	for i, p := range o.Value {
		if p == "*" || !cloudevents.Selects(p) {
			f.add(fmt.Sprintf("%s/%d", pointer, i), "no event is called so: name one, or its beginning, as in grant.*")
		}
	}
	return &o.Value
}

// webhooks are those of the customer that the route names, or the provider's.
func (c *call) webhooks() service.WebhookPlans {
	return service.WebhookPlans{Service: c.service, Owner: c.PathValue("customer")}
}

// ofCustomers serves a customer's webhooks as the provider's, where the deployment has customers keep some.
func ofCustomers(do endpoint) endpoint {
	return func(ctx context.Context, c *call) (reply, error) {
		if !c.api.CustomerWebhooks {
			return reply{}, access.Refuse(access.NotFound, "customers have no webhooks of their own here: the provider has not switched them on")
		}
		return do(ctx, c)
	}
}

func listWebhooks(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	all, err := c.webhooks().List(ctx)
	out := make([]webhookView, len(all))
	for i := range all {
		out[i] = c.viewWebhook(&all[i])
	}
	return reply{status: 200, body: listView[webhookView]{Items: out}}, err
}

func postWebhook(ctx context.Context, c *call) (reply, error) {
	ask, err := c.readWebhook(true)
	if err != nil {
		return reply{}, err
	}
	return perform(c, c.secretReply(201), func(o service.Options[service.NewWebhook]) (service.NewWebhook, error) {
		return c.webhooks().Create(ctx, ask, o)
	})
}

func getWebhook(ctx context.Context, c *call) (reply, error) {
	if err := noQuery(c.Request); err != nil {
		return reply{}, err
	}
	h, err := c.webhooks().Read(ctx, c.PathValue("webhook"))
	return replyWith(c.webhookReply, h, err)
}

func patchWebhook(ctx context.Context, c *call) (reply, error) {
	seen, err := c.readIfMatch(true)
	if err != nil {
		return reply{}, err
	}
	ask, err := c.readWebhook(false)
	if err != nil {
		return reply{}, err
	}
	ask.Seen = seen
	return perform(c, c.webhookReply, func(o service.Options[*access.Webhook]) (*access.Webhook, error) {
		return c.webhooks().Edit(ctx, c.PathValue("webhook"), ask, o)
	})
}

func deleteWebhook(ctx context.Context, c *call) (reply, error) {
	seen, err := c.readIfMatch(false)
	if err != nil {
		return reply{}, err
	}
	return perform(c, func(struct{}) reply { return reply{status: 204} }, func(o service.Options[struct{}]) (struct{}, error) {
		return struct{}{}, c.webhooks().Remove(ctx, c.PathValue("webhook"), seen, o)
	})
}

func verifyWebhook(ctx context.Context, c *call) (reply, error) {
	return perform(c, c.webhookReply, func(o service.Options[*access.Webhook]) (*access.Webhook, error) {
		return c.webhooks().Verify(ctx, c.PathValue("webhook"), o)
	})
}

func rotateWebhook(ctx context.Context, c *call) (reply, error) {
	return perform(c, c.secretReply(200), func(o service.Options[service.NewWebhook]) (service.NewWebhook, error) {
		return c.webhooks().Rotate(ctx, c.PathValue("webhook"), o)
	})
}

func testWebhook(ctx context.Context, c *call) (reply, error) {
	return perform(c, deliveryReply, func(o service.Options[*access.WebhookDelivery]) (*access.WebhookDelivery, error) {
		return c.webhooks().Test(ctx, c.PathValue("webhook"), o)
	})
}

func listDeliveries(ctx context.Context, c *call) (reply, error) {
	ask, q, digest, err := pageAsk(c.Request, "state", "from", "until")
	if err != nil {
		return reply{}, err
	}
	var f findings
	filter := access.DeliveryFilter{State: access.DeliveryState(q.Get("state"))}
	if s := filter.State; s != "" && s != access.DeliveryPending && s != access.DeliveryDelivered && s != access.DeliveryFailed {
		f.add("?state", "state is one of: pending, delivered, failed")
	}
	for name, to := range map[string]*time.Time{"from": &filter.From, "until": &filter.Until} {
		if text := q.Get(name); text != "" {
			if *to, err = parseInstant(text); err != nil {
				f.add("?"+name, err.Error())
			}
		}
	}
	if err := f.err(); err != nil {
		return reply{}, err
	}
	page, err := c.webhooks().Deliveries(ctx, c.PathValue("webhook"), filter, ask)
	return listReply(page, err, digest, viewDelivery)
}

func retryDelivery(ctx context.Context, c *call) (reply, error) {
	event := c.PathValue("event")
	if !access.ValidID(event) {
		return reply{}, notFound()
	}
	return perform(c, deliveryReply, func(o service.Options[*access.WebhookDelivery]) (*access.WebhookDelivery, error) {
		return c.webhooks().Retry(ctx, c.PathValue("webhook"), event, o)
	})
}

// replayBody says which deliveries are made again: those of events from one instant on until another, which failed or, with all, whatever
// became of them. After is where the answer to the request before said to go on.
type replayBody struct {
	From  opt[moment] `json:"from"`
	Until opt[moment] `json:"until"`
	All   opt[bool]   `json:"all"`
	After opt[string] `json:"after"`
}

// replayView is what came of one stretch of a replay.
type replayView struct {
	Replayed int        `json:"replayed"`
	After    textOrNull `json:"after"` // null: it is done; otherwise send the request again with it
}

func replayWebhook(ctx context.Context, c *call) (reply, error) {
	var b replayBody
	if err := decodeBody(c.Request, &b); err != nil {
		return reply{}, err
	}
	var f findings
	if !b.From.has() {
		f.add("/from", "from is missing: the instant from which on events are sent again")
	}
	filter := access.DeliveryFilter{From: b.From.Value.Time, Until: b.Until.Value.Time, State: access.DeliveryFailed}
	if all := f.flag(b.All, "/all"); all != nil && *all {
		filter.State = ""
	}
	after := f.textOrNone(b.After, "/after", "after is what the answer before said", access.ValidID)
	if err := f.err(); err != nil {
		return reply{}, err
	}
	if after == nil {
		after = new("")
	}
	out, err := c.webhooks().Replay(ctx, c.PathValue("webhook"), filter, strings.ToUpper(*after))
	return reply{status: 200, body: replayView{out.Count, textOrNull(out.Next)}}, err
}
