package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"partneraccess/events"
)

// model is what a grant should be.
type model struct {
	open     bool
	everyone bool
	level    string
	in       []string // the users' ids, sorted
}

// step is one request, and what the grant is after it.
type step struct {
	method, path string
	body         any
	key          string // its Idempotency-Key, if the route takes one
	after        model
	event        events.Type
}

// customer is one customer's admin, who alone changes its grants, one request after the other.
type customer struct {
	*world
	id    string
	token string
	rand  *rand.Rand
	made  int // keys

	grants  map[string]model         // by partner, as answered
	told    map[string][]events.Type // the events that each grant should have
	partner string                   // of pending
	pending *step                    // got no answer
	changes int                      // answered
}

func levels() []string { return []string{"view", "support", "manage"} }

// choose makes up the next request.
func (c *customer) choose() (string, step) {
	f := c.firms[c.rand.IntN(len(c.firms))]
	now := c.grants[f.id]
	path := "/v1/customers/" + c.id + "/grants"
	someone := f.users[c.rand.IntN(len(f.users))]
	next := model{open: true, everyone: now.everyone, level: now.level, in: slices.Clone(now.in)}
	if !now.open {
		c.made++
		next.level, next.everyone = levels()[c.rand.IntN(3)], c.rand.IntN(4) == 0
		body := object{"partner": f.id, "level": next.level}
		if next.everyone {
			next.in, body["everyone"] = slices.Clone(f.users), true
		} else {
			next.in, body["users"] = []string{someone}, []string{someone}
		}
		return f.id, step{http.MethodPost, path, body, fmt.Sprintf("%s-%d", c.id, c.made), next, events.GrantCreated}
	}
	path += "/" + f.id
	edit := func(body object) (string, step) {
		return f.id, step{http.MethodPatch, path, body, "", next, events.GrantEdited}
	}
	has := slices.Contains(now.in, someone)
	switch n := c.rand.IntN(10); {
	case n < 2:
		return f.id, step{http.MethodDelete, path, nil, "", model{level: now.level}, events.GrantRevoked}
	case n < 4:
		others := slices.DeleteFunc(levels(), func(l string) bool { return l == now.level })
		next.level = others[c.rand.IntN(len(others))]
		return edit(object{"level": next.level})
	case n < 5 || now.everyone:
		next.everyone = !now.everyone
		if next.everyone {
			next.in = slices.Clone(f.users)
		}
		return edit(object{"everyone": next.everyone})
	case !has:
		next.in = append(next.in, someone)
		slices.Sort(next.in)
		return edit(object{"users": object{"add": []string{someone}}})
	case len(now.in) == 1: // the last one goes with the grant
		return f.id, step{http.MethodDelete, path, nil, "", model{level: now.level}, events.GrantRevoked}
	}
	next.in = slices.DeleteFunc(next.in, func(u string) bool { return u == someone })
	if c.rand.IntN(2) == 0 {
		return f.id, step{http.MethodDelete, path + "/users/" + someone, nil, "", next, events.GrantEdited}
	}
	return edit(object{"users": object{"remove": []string{someone}}})
}

// run sends requests until one gets no answer, and asks after each what a check says now.
func (c *customer) run(ctx context.Context) error {
	for ctx.Err() == nil {
		partner, s := c.choose()
		a, err := c.send(ctx, c.token, s.method, s.path, s.body, s.key)
		if err != nil || a.Status >= http.StatusInternalServerError {
			if !c.killed.Load() {
				return fmt.Errorf("%s: %s %s: got %d %s, %w before anything was killed", c.id, s.method, s.path, a.Status, a.Body, err)
			}
			c.partner, c.pending = partner, &s
			return nil
		}
		if !a.Done() {
			return fmt.Errorf("%s: %s %s %v: got %d %s, want it done", c.id, s.method, s.path, s.body, a.Status, a.Body)
		}
		c.done(partner, s)
		f := c.firm(partner)
		if err := c.check(ctx, f, f.users[c.rand.IntN(len(f.users))]); err != nil && !c.killed.Load() {
			return err
		}
		time.Sleep(2 * time.Millisecond) // ids of one millisecond sort at random
	}
	return nil
}

func (c *customer) done(partner string, s step) {
	c.grants[partner] = s.after
	c.told[partner] = append(c.told[partner], s.event)
	c.changes++
}

// check asks about a user. An error is a connection's; a wrong answer is noted.
func (c *customer) check(ctx context.Context, f *firm, user string) error {
	a, err := c.send(ctx, c.backend, http.MethodPost, "/access/v1/evaluation", object{
		"subject": object{"type": "user", "id": user}, "action": object{"name": "sign_in"}, "resource": object{"type": "customer", "id": c.id},
	}, "")
	if err != nil || a.Status >= http.StatusInternalServerError {
		return fmt.Errorf("%s: check: got %d %s: %w", c.id, a.Status, a.Body, err)
	}
	var d struct{ Decision bool }
	if err := json.Unmarshal(a.Body, &d); err != nil {
		return fmt.Errorf("%s: check: got %d %s: %w", c.id, a.Status, a.Body, err)
	}
	if g := c.grants[f.id]; d.Decision != (g.open && slices.Contains(g.in, user)) {
		c.violated("%s: check of %s: got %s, want the grant as it was answered: %+v", c.id, user, a.Body, g)
	}
	return nil
}

// again looks, after the restart, whether all is there that was answered, and repeats what got no answer. It tells whether that had been
// done.
func (c *customer) again(ctx context.Context) (before bool, err error) {
	for _, f := range c.firms {
		got, err := c.observe(ctx, f)
		if err != nil {
			return false, err
		}
		want := c.grants[f.id]
		if c.pending == nil || c.partner != f.id {
			if !same(got, want) {
				c.violated("%s, %s, after the kill: got %+v, want it as answered, %+v", c.id, f.id, got, want)
			}
			continue
		}
		s := *c.pending
		before = same(got, s.after)
		if !before && !same(got, want) {
			c.violated("%s, %s, after the kill: got %+v, want it as before the request without an answer, %+v, or as after it, %+v", c.id, f.id, got,
				want, s.after)
		}
		a, err := c.send(ctx, c.token, s.method, s.path, s.body, s.key)
		if err != nil {
			return false, err
		}
		// What has no key and has been done before may find nothing left to do.
		if !a.Done() && (!before || s.key != "" || a.Status >= 500) {
			c.violated("%s: %s %s, repeated: got %d %s, want it done (it had been: %v)", c.id, s.method, s.path, a.Status, a.Body, before)
		}
		if replayed := a.Header.Get("Idempotency-Replayed") == "true"; s.key != "" && replayed != before {
			c.violated("%s: %s %s, repeated: got an answer that was kept: %v, want %v", c.id, s.method, s.path, replayed, before)
		}
		c.done(f.id, s)
		c.pending = nil
		if got, err = c.observe(ctx, f); err != nil {
			return false, err
		}
		if !same(got, s.after) {
			c.violated("%s, %s, after the repetition: got %+v, want %+v", c.id, f.id, got, s.after)
		}
	}
	for _, f := range c.firms {
		for _, user := range f.users {
			if err := c.check(ctx, f, user); err != nil {
				return false, err
			}
		}
	}
	return before, nil
}

func same(a, b model) bool {
	if !a.open && !b.open {
		return true
	}
	return a.open == b.open && a.everyone == b.everyone && a.level == b.level && slices.Equal(a.in, b.in)
}

// observe reads a grant as its customer sees it, and counts.
func (c *customer) observe(ctx context.Context, f *firm) (model, error) {
	path := "/v1/customers/" + c.id + "/grants/" + f.id
	var g struct {
		Status   string
		Everyone bool
		Level    string
		Count    int `json:"user_count"`
	}
	status, err := c.get(ctx, path, &g)
	if err != nil || status == http.StatusNotFound {
		return model{}, err
	}
	out := model{open: g.Status == "active", everyone: g.Everyone, level: g.Level}
	if !out.open {
		return out, nil
	}
	var users struct{ Items []struct{ ID string } }
	if _, err := c.get(ctx, path+"/users?limit=100", &users); err != nil {
		return model{}, err
	}
	ids := map[string]bool{}
	for _, u := range users.Items {
		ids[u.ID] = true
	}
	out.in = slices.Sorted(maps.Keys(ids))
	if g.Count != len(ids) {
		c.violated("%s: got user_count %d, want the number of users, %d", path, g.Count, len(ids))
	}
	return out, nil
}
