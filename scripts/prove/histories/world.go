package histories

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
)

// object is a JSON object.
type object = map[string]any

func startOfTime() time.Time { return time.Date(2026, time.November, 22, 10, 0, 0, 0, time.UTC) }

// world is the service that is driven, and who is there.
type world struct {
	*stack.Stack
	http     *http.Client
	provider string // tokens
	backend  string
	admins   []string // of each customer
	seconds  []string // likewise, another one
	made     int      // partners and users so far: their names are never used twice

	moving  sync.Mutex // held while the clock is moved
	mu      sync.RWMutex
	minute  []int64          // all that the clock has shown, and the one that it is being moved to
	firms   []*firm          // the partners that are there in this epoch
	asked   []string         // the ids of this epoch's requests, by their numbers
	targets map[pair][]int   // their numbers by the customer and the partner
	goners  map[string]int64 // users and partners who were removed, and when that was answered
}

// firm is a partner.
type firm struct {
	id    string
	owner string // token
	users []person
}

type person struct{ id, email string }

func customerID(i int) string { return fmt.Sprintf("c%d", i) }

func newWorld(ctx context.Context, c Config) (_ *world, err error) {
	s, err := stack.Start(ctx,
		stack.Config{Engine: c.Engine, Table: c.Table, Still: startOfTime(), CreateTable: dynamo.CreateTable, Handlers: c.Handlers})
	if err != nil {
		return nil, err
	}
	w := &world{
		Stack: s, minute: []int64{0}, goners: map[string]int64{}, targets: map[pair][]int{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.stop())
		}
	}()
	if w.provider, err = s.Token(stack.TokenRequest{Scope: httpapi.ScopeDirectory}); err != nil {
		return nil, err
	}
	if w.backend, err = s.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck}); err != nil {
		return nil, err
	}
	for n := range c.Customers {
		id := customerID(n)
		email := "admin@" + id + ".example"
		if err := w.must(ctx, http.MethodPut, "/v1/customers/"+id, object{"name": id}, http.StatusCreated); err != nil {
			return nil, err
		}
		if err := w.must(ctx, http.MethodPut, "/v1/customers/"+id+"/members/"+email, object{"name": "Admin", "role": "admin"},
			http.StatusCreated); err != nil {
			return nil, err
		}
		token, err := s.Token(stack.TokenRequest{Email: email})
		if err != nil {
			return nil, err
		}
		w.admins = append(w.admins, token)
		if err := w.takeRequests(ctx, n); err != nil {
			return nil, err
		}
	}
	for range c.Partners {
		f, err := w.newFirm(ctx, c.Users)
		if err != nil {
			return nil, err
		}
		w.firms = append(w.firms, f)
	}
	return w, nil
}

func (w *world) stop() error {
	w.http.CloseIdleConnections()
	return w.Stop()
}

// newFirm registers a partner with an owner and so many users more.
func (w *world) newFirm(ctx context.Context, users int) (*firm, error) {
	w.made++
	f := &firm{id: fmt.Sprintf("p%d", w.made)}
	if err := w.must(ctx, http.MethodPut, "/v1/partners/"+f.id, object{"name": f.id, "class": "channel", "offer": "manage"},
		http.StatusCreated); err != nil {
		return nil, err
	}
	for i := range users + 1 {
		role := "tech"
		if i == 0 {
			role = "owner"
		}
		if err := w.newUser(ctx, f, role); err != nil {
			return nil, err
		}
	}
	var err error
	f.owner, err = w.Token(stack.TokenRequest{Email: f.users[0].email})
	return f, err
}

func (w *world) newUser(ctx context.Context, f *firm, role string) error {
	w.made++
	email := fmt.Sprintf("u%d@%s.example", w.made, f.id)
	a, err := w.do(ctx, w.provider, http.MethodPost, "/v1/partners/"+f.id+"/users", object{"email": email, "name": "User", "role": role})
	if err != nil {
		return err
	}
	if a.Status != http.StatusCreated {
		return fmt.Errorf("create a user: got %d %s", a.Status, a.Body)
	}
	f.users = append(f.users, person{a.Text("id"), email})
	return nil
}

func (w *world) must(ctx context.Context, method, path string, body any, status int) error {
	a, err := w.do(ctx, w.provider, method, path, body)
	if err == nil && a.Status != status {
		err = fmt.Errorf("%s %s: got %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return err
}

// became is a status, with the code of a refusal.
func became(a ask.Answer) string {
	if a.Done() {
		return fmt.Sprint(a.Status)
	}
	return fmt.Sprint(a.Status, " ", a.Text("code"))
}

func (w *world) do(ctx context.Context, token, method, path string, body any) (ask.Answer, error) {
	r := ask.Request{Method: method, URL: w.URL() + path, Token: token, Body: body}
	if method == http.MethodPatch {
		r.Header = map[string]string{"If-Match": "*"}
	}
	return ask.Send(ctx, w.http, r)
}

func (w *world) get(ctx context.Context, path string, into any) (int, error) {
	a, err := w.do(ctx, w.provider, http.MethodGet, path, nil)
	if err == nil && a.Status == http.StatusOK {
		err = a.Into(into)
	}
	return a.Status, err
}

// now is the minute that the clock shows.
func (w *world) now() int64 { return int64(w.Clock.Now().Sub(startOfTime()) / time.Minute) }

// since are the minutes that the clock has shown since it showed that one.
func (w *world) since(first int64) []int64 {
	last := w.now()
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(w.minute), func(m int64) bool { return m < first || m > last })
}

// advance moves the clock, which runs the sweep.
func (w *world) advance(ctx context.Context, minutes int64) (ask.Answer, error) {
	w.moving.Lock()
	defer w.moving.Unlock()
	w.mu.Lock()
	w.minute = append(w.minute, w.minute[len(w.minute)-1]+minutes)
	w.mu.Unlock()
	return w.do(ctx, w.provider, http.MethodPost, "/_local/clock", object{"advance": fmt.Sprintf("%dm", minutes)})
}

func (w *world) firm(i int) *firm {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.firms[i]
}

func (w *world) usersOf(partner int) int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return len(w.firms[partner].users)
}

func (w *world) person(partner, user int) person {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.firms[partner].users[user]
}

// number is the number of the user with the id, -1 for one that is not there in this epoch.
func (w *world) number(partner int, id string) int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.IndexFunc(w.firms[partner].users, func(p person) bool { return p.id == id })
}

func instant(minute int64) any {
	if minute == none {
		return nil
	}
	return startOfTime().Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)
}

func minuteOf(s string) int64 {
	if s == "" {
		return none
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return -2
	}
	return int64(t.Sub(startOfTime()) / time.Minute)
}

func levels() []string { return []string{"none", "view", "support", "manage"} }

func actions() []string { return []string{"", "sign_in", "reports:read", "settings:write"} }

// question is one of AuthZEN's.
func (w *world) question(c *command, customer, user int, byAddress bool) object {
	p := w.person(c.partner, user)
	id := p.id
	if byAddress {
		id = p.email
	}
	return object{
		"subject": object{"type": "user", "id": id}, "action": object{"name": actions()[c.need]},
		"resource": object{"type": "customer", "id": customerID(customer)},
		"context":  object{"consistency": c.how},
	}
}

// request makes a command's request ready: the path, the body, and whose it is.
func (w *world) request(c *command) (token, method, path string, body any) {
	switch {
	case c.kind.reads():
		path, body = w.questionRequest(c)
		return w.backend, http.MethodPost, path, body
	case c.kind.ofPartner(), c.kind == addMember, c.kind == removeMember:
		method, path, body = w.directoryRequest(c)
		return w.provider, method, path, body
	}
	return w.grantRequest(c)
}

// questionRequest is a request of the decision API, by the customer's back end.
func (w *world) questionRequest(c *command) (path string, body object) {
	switch c.kind {
	case batch:
		items := make([]object, len(c.users))
		for i, u := range c.users {
			items[i] = w.question(c, c.customer, u, false)
		}
		return "/access/v1/evaluations", object{"evaluations": items}
	case searchUsers:
		q := w.question(c, c.customer, c.users[0], false)
		q["subject"], q["page"] = object{"type": "user"}, object{"limit": 100}
		return "/access/v1/search/subject", q
	case searchCustomers:
		q := w.question(c, c.customer, c.users[0], false)
		q["resource"] = object{"type": "customer"}
		return "/access/v1/search/resource", q
	case searchActions:
		q := w.question(c, c.customer, c.users[0], false)
		delete(q, "action")
		return "/access/v1/search/action", q
	}
	return "/access/v1/evaluation", w.question(c, c.customer, c.users[0], c.users[0]%3 == 1)
}

// directoryRequest is a request of the provider, about partners, their users and the members of customers.
func (w *world) directoryRequest(c *command) (method, path string, body any) {
	f := w.firm(c.partner)
	partner := "/v1/partners/" + f.id
	users := partner + "/users"
	var user, member string
	if len(c.users) > 0 {
		p := w.person(c.partner, c.users[0])
		user, member = users+"/"+p.id, "/v1/customers/"+customerID(c.customer)+"/members/"+url.PathEscape(p.email)
	}
	switch c.kind {
	case join:
		w.mu.Lock()
		w.made++
		email := fmt.Sprintf("u%d@%s.example", w.made, f.id)
		w.mu.Unlock()
		return http.MethodPost, users, object{"email": email, "name": "User", "role": "tech"}
	case leave:
		return http.MethodDelete, user, nil
	case disable:
		return http.MethodPatch, user, object{"status": "disabled"}
	case enable:
		return http.MethodPatch, user, object{"status": "active"}
	case suspendPartner:
		return http.MethodPatch, partner, object{"status": "suspended"}
	case resumePartner:
		return http.MethodPatch, partner, object{"status": "active"}
	case removePartner:
		return http.MethodDelete, partner, nil
	case addMember:
		return http.MethodPut, member, object{"name": "User", "role": "member"}
	}
	return http.MethodDelete, member, nil
}

// grantRequest is a request that changes a grant, by the customer's administrator or, to relinquish it, the partner's owner.
func (w *world) grantRequest(c *command) (token, method, path string, body any) {
	f := w.firm(c.partner)
	admin, grants := w.admins[c.customer], "/v1/customers/"+customerID(c.customer)+"/grants"
	grant := grants + "/" + f.id
	ids := make([]string, len(c.users))
	for i, u := range c.users {
		ids[i] = w.person(c.partner, u).id
	}
	edit := func(body object) (string, string, string, any) { return admin, http.MethodPatch, grant, body }
	switch c.kind {
	case grantUsers, grantEveryone:
		b := object{"partner": f.id}
		if c.kind == grantUsers {
			b["users"] = ids
		} else {
			b["everyone"] = true
		}
		if c.level >= 0 {
			b["level"] = levels()[c.level]
		}
		if c.until != unchanged {
			b["until"] = instant(c.until)
		}
		return admin, http.MethodPost, grants, b
	case setUsers:
		return edit(object{"users": object{"set": ids}})
	case addUsers:
		return edit(object{"users": object{"add": ids}})
	case removeUsers:
		return edit(object{"users": object{"remove": ids}})
	case deleteUser:
		return admin, http.MethodDelete, grant + "/users/" + ids[0], nil
	case everyoneOn, everyoneOff:
		return edit(object{"everyone": c.kind == everyoneOn})
	case setLevel:
		return edit(object{"level": levels()[c.level]})
	case setUntil:
		return edit(object{"until": instant(c.until)})
	case setFrom:
		return edit(object{"from": instant(c.from)})
	case suspend:
		return edit(object{"state": "suspended"})
	case resume:
		return edit(object{"state": "open"})
	case askFor, approve, decline, withdraw:
		return w.requestRequest(c, f, ids)
	case relinquish:
		return f.owner, http.MethodDelete, "/v1/partners/" + f.id + "/customers/" + customerID(c.customer), nil
	}
	return admin, http.MethodDelete, grant, nil
}

// decision is an evaluation's answer.
type decision struct {
	Decision bool `json:"decision"`
	Context  struct {
		Reason string `json:"reason"`
	} `json:"context"`
}

func (d decision) reason() string {
	if d.Decision != (d.Context.Reason == "granted") {
		return fmt.Sprintf("%v because %s", d.Decision, d.Context.Reason)
	}
	return d.Context.Reason
}

// observed reads everything of a pair.
func (w *world) observed(ctx context.Context, customer, partner int) (seen, error) {
	f := w.firm(partner)
	var o seen
	var p struct{ Status string }
	if status, err := w.get(ctx, "/v1/partners/"+f.id, &p); err != nil || status != http.StatusOK {
		if err != nil || status != http.StatusNotFound {
			return o, fmt.Errorf("read partner %s: got %d: %w", f.id, status, err)
		}
		p.Status = "removed"
	}
	o.partner = map[string]standing{"active": active, "suspended": suspended, "removed": removed}[p.Status]
	var users struct {
		Items []struct{ ID, Status string }
	}
	for i, u := range f.users { // one by one: the list leaves out whoever has left
		users.Items = users.Items[:0]
		var one struct{ ID, Status string }
		status, err := w.get(ctx, "/v1/partners/"+f.id+"/users/"+u.id, &one)
		if err != nil {
			return o, err
		}
		if status == http.StatusOK && one.Status != "removed" {
			o.present |= of(i)
			if one.Status == "disabled" {
				o.disabled |= of(i)
			}
		}
	}
	var members struct {
		Items []struct{ Email string }
		Next  *string `json:"next_cursor"`
	}
	if _, err := w.get(ctx, "/v1/customers/"+customerID(customer)+"/members?limit=100", &members); err != nil {
		return o, err
	}
	if members.Next != nil {
		return o, errors.New("the customer has more members than a page holds")
	}
	for _, m := range members.Items {
		if i := slices.IndexFunc(f.users, func(p person) bool { return p.email == m.Email }); i >= 0 {
			o.member |= of(i)
		}
	}
	var err error
	if o.wish, err = w.pendingRequest(ctx, customer, f); err != nil {
		return o, err
	}
	path := "/v1/customers/" + customerID(customer) + "/grants/" + f.id
	var g struct {
		Status      string
		State       string
		Everyone    bool
		Level       string
		From, Until string
		Count       int `json:"user_count"`
	}
	status, err := w.get(ctx, path, &g)
	if err != nil || status == http.StatusNotFound {
		return o, err
	}
	o.status, o.paused, o.everyone, o.counted = g.Status, g.State == "suspended", g.Everyone, g.Count
	o.level, o.from, o.until = slices.Index(levels(), g.Level), minuteOf(g.From), minuteOf(g.Until)
	var in struct {
		Items []struct{ ID string }
	}
	if status, err = w.get(ctx, path+"/users?limit=100", &in); err != nil {
		return o, err
	}
	for _, u := range in.Items {
		n := w.number(partner, u.ID)
		if n < 0 {
			return o, fmt.Errorf("%s lists %s, whom nobody knows (status %d)", path, u.ID, status)
		}
		o.in |= of(n)
	}
	return o, nil
}

// within tells a search's results that are users of the partner.
func (w *world) within(partner int, ids []string) []int {
	var out []int
	f := w.firm(partner)
	for _, id := range ids {
		if strings.HasPrefix(id, f.id+":") {
			out = append(out, w.number(partner, id))
		}
	}
	return out
}
