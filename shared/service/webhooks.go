package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"partneraccess/shared/access"
	"partneraccess/shared/webhook"
)

// webhooks is what webhooks need of the table.
type webhooks interface {
	// Webhooks reads those of a customer, with "" the provider's; nil when it never had one.
	Webhooks(ctx context.Context, customer string) (*access.Webhooks, error)
	// Delivery reads the delivery of an event to a webhook; nil when there is none, or none any more.
	Delivery(ctx context.Context, webhook, event string) (*access.WebhookDelivery, error)
	// Deliveries lists the deliveries to a webhook, the events that happened last first.
	Deliveries(
		ctx context.Context, webhook string, f access.DeliveryFilter, ask access.PageRequest,
	) (access.Page[access.WebhookDelivery], error)
}

// WebhookRequest is what an owner says of a webhook. Of an edit nil is what stays.
type WebhookRequest struct {
	URL         *string
	Description *string
	Types       *[]string
	Only        *string
	Status      *access.WebhookStatus // active or paused
	Kind        string                // of the secret; of a new one only
	Seen        int64                 // of an edit: the version that was read, or access.AnyVersion
}

// NewWebhook is a webhook whose secret is shown: what its receiver verifies with.
type NewWebhook struct {
	*access.Webhook
	Key string
}

// WebhookPlans are the use cases about the webhooks of one owner.
type WebhookPlans struct {
	*Service
	Owner string // a customer; "" = the provider
}

// List returns all webhooks.
func (s WebhookPlans) List(ctx context.Context) ([]access.Webhook, error) {
	all, err := s.Store.Webhooks(ctx, s.Owner)
	if err != nil || all == nil {
		return nil, err
	}
	return all.List, nil
}

// Read returns one webhook. It fails with access.NotFound when there is none.
func (s WebhookPlans) Read(ctx context.Context, id string) (*access.Webhook, error) {
	_, h, err := s.read(ctx, id)
	return h, err
}

func (s WebhookPlans) read(ctx context.Context, id string) (*access.Webhooks, *access.Webhook, error) {
	all, err := s.Store.Webhooks(ctx, s.Owner)
	if err != nil {
		return nil, nil, err
	}
	h := all.Find(id)
	if h == nil {
		return nil, nil, NothingHere()
	}
	return all, h, nil
}

// Create makes a webhook and sends it its challenge.
func (s WebhookPlans) Create(ctx context.Context, ask WebhookRequest, o Options[NewWebhook]) (NewWebhook, error) {
	secret, key, err := newSecret(ask.Kind)
	if err != nil {
		return NewWebhook{}, err
	}
	h := access.Webhook{ID: "whk_" + s.NewID(), Customer: s.Owner, Kind: ask.Kind, Secret: secret}
	token := rand.Text()
	ask.apply(&h)
	out, err := change(ctx, s.Service, o, func(ctx context.Context) (access.Change, NewWebhook, error) {
		all, err := s.Store.Webhooks(ctx, s.Owner)
		if err != nil {
			return access.Change{}, NewWebhook{}, err
		}
		pc, made := s.planContext(access.Actor{}), h
		if all, err = all.Calling(s.Owner, pc); err != nil {
			return access.Change{}, NewWebhook{}, err
		}
		challenge := s.challenge(&made, token, pc)
		c, err := access.PlanWebhook(all, &made, pc)
		c.Writes = append(c.Writes, challenge...)
		return c, NewWebhook{&made, key}, err
	})
	if err == nil {
		s.startDeliveries(ctx, out.ID)
	}
	return out, err
}

// Edit changes a webhook. One that gets another address has to be verified again.
func (s WebhookPlans) Edit(ctx context.Context, id string, ask WebhookRequest, o Options[*access.Webhook]) (*access.Webhook, error) {
	token := rand.Text()
	return s.edit(ctx, id, o, func(h *access.Webhook, pc access.PlanContext) ([]access.Write, error) {
		if err := h.CheckSeen(ask.Seen); err != nil {
			return nil, err
		}
		was := h.URL
		ask.apply(h)
		if ask.Status != nil {
			if err := h.SetStatus(*ask.Status); err != nil {
				return nil, err
			}
		}
		if h.URL == was { // what waited for a pause to end is sent
			return []access.Write{access.WebhookWake{Webhook: h.ID, Customer: h.Customer, At: pc.Now}}, nil
		}
		return s.challenge(h, token, pc), nil
	})
}

// Verify sends a webhook another challenge. Until it has answered no events are sent to it.
func (s WebhookPlans) Verify(ctx context.Context, id string, o Options[*access.Webhook]) (*access.Webhook, error) {
	token := rand.Text()
	return s.edit(ctx, id, o, func(h *access.Webhook, pc access.PlanContext) ([]access.Write, error) {
		return s.challenge(h, token, pc), nil
	})
}

// Rotate gives a webhook another secret. For a day the former one signs, too.
func (s WebhookPlans) Rotate(ctx context.Context, id string, o Options[NewWebhook]) (NewWebhook, error) {
	var out NewWebhook
	return change(ctx, s.Service, o, func(ctx context.Context) (access.Change, NewWebhook, error) {
		c, h, err := s.planEdit(ctx, id, func(h *access.Webhook, pc access.PlanContext) ([]access.Write, error) {
			secret, key, err := newSecret(h.Kind)
			if err == nil {
				out.Key = key
				h.Rotate(secret, pc.Now)
			}
			return nil, err
		})
		out.Webhook = h
		return c, out, err
	})
}

// Remove removes a webhook.
func (s WebhookPlans) Remove(ctx context.Context, id string, seen int64, o Options[none]) error {
	_, err := change(ctx, s.Service, o, func(ctx context.Context) (access.Change, none, error) {
		all, h, err := s.read(ctx, id)
		if err != nil {
			return access.Change{}, none{}, err
		}
		if err := h.CheckSeen(seen); err != nil {
			return access.Change{}, none{}, err
		}
		return all.Without(id), none{}, nil
	})
	return err
}

// Test sends a webhook an event that is none.
func (s WebhookPlans) Test(ctx context.Context, id string, o Options[*access.WebhookDelivery]) (*access.WebhookDelivery, error) {
	return s.deliver(ctx, id, o, func(_ context.Context, h *access.Webhook, pc access.PlanContext) (access.WebhookDeliveryWrite, error) {
		if h.Status != access.WebhookActive {
			return access.WebhookDeliveryWrite{}, access.Refuse(access.WebhookNotVerified, "this webhook is %s: it gets nothing", h.Status)
		}
		event := pc.NewID()
		body := s.message(event, access.WebhookTest, pc, map[string]string{"webhook": h.ID})
		return access.NewDelivery(h, event, access.WebhookTest, body, pc), nil
	})
}

// deliver has one delivery sent, which do plans, and counts the call.
func (s WebhookPlans) deliver(
	ctx context.Context, id string, o Options[*access.WebhookDelivery],
	do func(ctx context.Context, h *access.Webhook, pc access.PlanContext) (access.WebhookDeliveryWrite, error),
) (*access.WebhookDelivery, error) {
	out, err := change(ctx, s.Service, o, func(ctx context.Context) (access.Change, *access.WebhookDelivery, error) {
		all, h, err := s.read(ctx, id)
		if err != nil {
			return access.Change{}, nil, err
		}
		pc := s.planContext(access.Actor{})
		w, err := do(ctx, h, pc)
		if err == nil {
			all, err = all.Calling(s.Owner, pc)
		}
		if err != nil {
			return access.Change{}, nil, err
		}
		return access.Change{Writes: append(all.Called(s.Owner), w)}, w.After, nil
	})
	if err == nil {
		s.startDeliveries(ctx, id)
	}
	return out, err
}

// Deliveries lists what was sent to a webhook, or waits to be.
func (s WebhookPlans) Deliveries(
	ctx context.Context, id string, f access.DeliveryFilter, ask access.PageRequest,
) (access.Page[access.WebhookDelivery], error) {
	if _, err := s.Read(ctx, id); err != nil {
		return access.Page[access.WebhookDelivery]{}, err
	}
	return s.Store.Deliveries(ctx, id, f, ask)
}

// Retry has an event sent to a webhook again, at once. It is refused while it waits for its next attempt within a minute, or is on its way.
func (s WebhookPlans) Retry(
	ctx context.Context, id, event string, o Options[*access.WebhookDelivery],
) (*access.WebhookDelivery, error) {
	return s.deliver(ctx, id, o, func(ctx context.Context, _ *access.Webhook, pc access.PlanContext) (access.WebhookDeliveryWrite, error) {
		d, err := s.Store.Delivery(ctx, id, event)
		switch {
		case err != nil:
		case d == nil:
			err = NothingHere()
		case d.Type == access.WebhookChallenge:
			err = access.Refuse(access.WebhookNotVerified, "a challenge is not sent again: have the webhook verified anew")
		case !d.CanRetry(pc.Now):
			err = access.Refuse(access.DeliveryPendingStill, "it is being sent, or is about to be: wait a minute")
		default:
			return d.Again(pc), nil
		}
		return access.WebhookDeliveryWrite{}, err
	})
}

// Replayed is what came of one stretch of a replay.
type Replayed struct {
	Count int
	Next  string // the position from which to go on; "" = it is done
}

// replayStretch is how many deliveries one request looks at.
const replayStretch = 100

// Replay has a stretch of a webhook's log sent again, the latest events first. What waits already is left as it is.
func (s WebhookPlans) Replay(ctx context.Context, id string, f access.DeliveryFilter, after string) (Replayed, error) {
	var out Replayed
	err := s.apply(ctx, func(ctx context.Context) (access.Change, error) {
		all, _, err := s.read(ctx, id)
		if err == nil {
			all, err = all.Calling(s.Owner, s.planContext(access.Actor{}))
		}
		if err != nil {
			return access.Change{}, err
		}
		return access.Change{Writes: all.Called(s.Owner)}, nil
	})
	if err != nil {
		return out, err
	}
	page, err := s.Deliveries(ctx, id, f, access.PageRequest{Limit: replayStretch, After: after})
	if err != nil {
		return out, err
	}
	for i := range page.Items {
		event, again := page.Items[i].Event, false
		err := s.apply(ctx, func(ctx context.Context) (access.Change, error) {
			d, err := s.Store.Delivery(ctx, id, event)
			if again = err == nil && d != nil && d.State != access.DeliveryPending && d.Type != access.WebhookChallenge; !again {
				return access.Change{}, err
			}
			return access.Change{Writes: []access.Write{d.Again(s.planContext(access.Actor{}))}}, nil
		})
		if err != nil {
			return out, err
		}
		if again {
			out.Count++
		}
	}
	if out.Next = page.Next; out.Count > 0 {
		s.startDeliveries(ctx, id)
	}
	return out, nil
}

// Verified makes a webhook active that has answered the token of its latest challenge.
func (s WebhookPlans) Verified(ctx context.Context, id, token string) error {
	return s.follow(ctx, id, func(h *access.Webhook, _ access.PlanContext) (bool, []access.Write) {
		if h.Status != access.WebhookUnverified || h.Challenge != token {
			return false, nil
		}
		h.Status, h.Challenge, h.Since = access.WebhookActive, "", s.now()
		return true, nil
	})
}

// Disable disables a webhook that is active or paused, and has its owner told by mail. Since is when its address began to fail; zero = it
// did not.
func (s WebhookPlans) Disable(ctx context.Context, id string, reason access.WebhookReason, since time.Time) error {
	return s.follow(ctx, id, func(h *access.Webhook, pc access.PlanContext) (bool, []access.Write) {
		if !h.Verified() {
			return false, nil
		}
		h.Status, h.Reason = access.WebhookDisabled, reason
		return true, []access.Write{h.DisabledNotice(since, pc)}
	})
}

// follow changes a webhook because of what its address has answered, if the change still applies, with what else is written then.
func (s WebhookPlans) follow(
	ctx context.Context, id string, edit func(*access.Webhook, access.PlanContext) (applies bool, more []access.Write),
) error {
	return s.apply(ctx, func(ctx context.Context) (access.Change, error) {
		all, err := s.Store.Webhooks(ctx, s.Owner)
		if err != nil {
			return access.Change{}, err
		}
		applies, pc := false, s.planContext(access.Actor{})
		var more []access.Write
		c, _ := all.Edited(id, pc, func(h *access.Webhook) { applies, more = edit(h, pc) })
		if !applies {
			return access.Change{}, nil
		}
		c.Writes = append(c.Writes, more...)
		return c, nil
	})
}

// webhookEdit changes a webhook, and returns what else is written with that.
type webhookEdit func(*access.Webhook, access.PlanContext) ([]access.Write, error)

// edit changes a webhook and has what waits for it sent.
func (s WebhookPlans) edit(ctx context.Context, id string, o Options[*access.Webhook], do webhookEdit) (*access.Webhook, error) {
	out, err := change(ctx, s.Service, o, func(ctx context.Context) (access.Change, *access.Webhook, error) {
		return s.planEdit(ctx, id, do)
	})
	if err == nil {
		s.startDeliveries(ctx, id)
	}
	return out, err
}

func (s WebhookPlans) planEdit(ctx context.Context, id string, do webhookEdit) (access.Change, *access.Webhook, error) {
	all, _, err := s.read(ctx, id)
	if err != nil {
		return access.Change{}, nil, err
	}
	pc := s.planContext(access.Actor{})
	if all, err = all.Calling(s.Owner, pc); err != nil {
		return access.Change{}, nil, err
	}
	var more []access.Write
	c, h := all.Edited(id, pc, func(h *access.Webhook) { more, err = do(h, pc) })
	c.Writes = append(c.Writes, more...)
	return c, h, err
}

func (ask WebhookRequest) apply(h *access.Webhook) {
	if ask.URL != nil {
		h.URL = *ask.URL
	}
	if ask.Description != nil {
		h.Description = *ask.Description
	}
	if ask.Types != nil {
		h.Types = *ask.Types
	}
	if ask.Only != nil {
		h.Only = *ask.Only
	}
}

// challenge has a webhook answer a token before events are sent to it.
func (s WebhookPlans) challenge(h *access.Webhook, token string, pc access.PlanContext) []access.Write {
	h.Challenged(token, pc.NewID())
	body := s.message(h.ChallengeID, access.WebhookChallenge, pc, map[string]string{"token": token, "webhook": h.ID})
	return []access.Write{access.NewDelivery(h, h.ChallengeID, access.WebhookChallenge, body, pc)}
}

// message is a CloudEvent of a type that is no event's.
func (s WebhookPlans) message(id, name string, pc access.PlanContext, data map[string]string) []byte {
	body, _ := json.Marshal(map[string]any{ // texts and an instant: this cannot fail
		"specversion": "1.0", "id": id, "source": s.Source, "type": name, "time": pc.Now, "datacontenttype": "application/json", "data": data,
	})
	return body
}

// startDeliveries has what waits for a webhook sent at once; otherwise the schedule does.
func (s WebhookPlans) startDeliveries(ctx context.Context, id string) {
	if s.StartDeliveries == nil {
		return
	}
	if err := s.StartDeliveries(ctx, id); err != nil {
		s.Log.Warn("what is sent to a webhook waits for the schedule", "webhook", id, "error", err.Error())
	}
}

// newSecret makes a secret, and returns it with what a receiver verifies with.
func newSecret(kind string) (secret, key string, err error) {
	made, err := webhook.NewSecret(webhook.SecretKind(kind), rand.Reader)
	if err != nil {
		return "", "", err
	}
	key, err = made.Public()
	return made.Text(), key, err
}
