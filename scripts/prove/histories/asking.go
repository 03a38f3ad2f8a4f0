package histories

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/stack"
)

// Partners' requests, as they are sent.

// takeRequests has the customer take requests of every partner, and gives it another admin.
func (w *world) takeRequests(ctx context.Context, customer int) error {
	path, email := "/v1/customers/"+customerID(customer), "second@"+customerID(customer)+".example"
	if err := w.must(ctx, http.MethodPut, path+"/members/"+email, object{"name": "Second", "role": "admin"}, http.StatusCreated); err != nil {
		return err
	}
	token, err := w.Token(stack.TokenRequest{Email: email})
	if err != nil {
		return err
	}
	w.seconds = append(w.seconds, token)
	a, err := ask.Send(ctx, w.http, ask.Request{
		Method: http.MethodPut, URL: w.URL() + path + "/request-policy", Token: token, Header: map[string]string{"If-Match": "*"},
		Body: object{"mode": "open", "approvals": approvals(customer), "hours": waits / 60},
	})
	if err == nil && !a.Done() {
		err = &ask.Refused{Answer: a}
	}
	return err
}

// requestNumber is the number of the request with that id, which is new when nobody has met it yet.
func (w *world) requestNumber(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := slices.Index(w.asked, id); n >= 0 {
		return n
	}
	w.asked = append(w.asked, id)
	return len(w.asked) - 1
}

// target notes whose request that is.
func (w *world) target(number int, p pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.targets[p], number) {
		w.targets[p] = append(w.targets[p], number)
	}
}

// someRequest has the command name the pair's latest request; false when there is none in this epoch.
func (w *world) someRequest(c *command) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	of := w.targets[pair{c.customer, c.partner}]
	if len(of) == 0 {
		return false
	}
	c.request = of[len(of)-1]
	return true
}

// requestRequest is a request about a partner's request.
func (w *world) requestRequest(c *command, f *firm, users []string) (token, method, path string, body any) {
	if c.kind == askFor {
		b := object{"customer": customerID(c.customer), "kind": "access"}
		if len(users) > 0 {
			b["users"] = users
		} else {
			b["everyone"] = true
		}
		if c.level >= 0 {
			b["level"] = levels()[c.level]
		}
		if c.until != unchanged {
			b["until"] = instant(c.until)
		}
		return f.owner, http.MethodPost, "/v1/partners/" + f.id + "/requests", b
	}
	w.mu.RLock()
	id := w.asked[c.request]
	w.mu.RUnlock()
	if c.kind == withdraw {
		return f.owner, http.MethodDelete, "/v1/partners/" + f.id + "/requests/" + id, nil
	}
	token = [...]string{w.admins[c.customer], w.seconds[c.customer], f.owner}[c.decider]
	path = "/v1/customers/" + customerID(c.customer) + "/requests/" + id
	if c.kind == decline {
		return token, http.MethodPost, path + "/decline", object{"note": "no"}
	}
	b := object{}
	if c.level >= 0 {
		b["level"] = levels()[c.level]
	}
	if c.until != unchanged {
		b["until"] = instant(c.until)
	}
	return token, http.MethodPost, path + "/approve", b
}

// noteRequest notes which request was asked for.
func (w *world) noteRequest(o *operation, a ask.Answer) error {
	var got struct{ Request struct{ ID string } }
	if err := a.Into(&got); err != nil {
		return err
	}
	o.request = w.requestNumber(got.Request.ID)
	w.target(o.request, pair{o.customer, o.partner})
	return nil
}

// pendingRequest is 1 and the number of the request that is pending; 0 when there is none.
func (w *world) pendingRequest(ctx context.Context, customer int, f *firm) (int, error) {
	var pending struct {
		Items []struct{ ID string }
	}
	_, err := w.get(ctx, "/v1/customers/"+customerID(customer)+"/requests?status=pending&partner="+f.id, &pending)
	switch {
	case err != nil || len(pending.Items) == 0:
		return 0, err
	case len(pending.Items) > 1:
		return 0, fmt.Errorf("%d requests of %s to %s are pending at once", len(pending.Items), f.id, customerID(customer))
	}
	return 1 + w.requestNumber(pending.Items[0].ID), nil
}

// endRequests declines what is pending at the end of an epoch, and forgets all requests.
func (w *world) endRequests(ctx context.Context, after map[pair]*operation) error {
	for p, o := range after {
		if o.seen.wish == 0 {
			continue
		}
		c := command{kind: decline, customer: p.customer, request: o.seen.wish - 1}
		token, method, path, body := w.requestRequest(&c, w.firm(p.partner), nil)
		if a, err := w.do(ctx, token, method, path, body); err != nil || !a.Done() {
			return fmt.Errorf("decline what is pending: got %d %s: %w", a.Status, a.Body, err)
		}
	}
	w.asked, w.targets = nil, map[pair][]int{}
	return nil
}
