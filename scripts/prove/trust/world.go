package trust

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
)

// object is a JSON object.
type object = map[string]any

func startOfTime() time.Time { return time.Date(2026, time.November, 22, 10, 0, 0, 0, time.UTC) }

// The organisations. Hooli's admin works for the evil partner.
const (
	evil, good          = "evil", "good"
	globex, acme, hooli = "globex", "acme", "hooli"
)

func customers() []string { return []string{globex, acme, hooli} }

// world is a service of its own, and what is expected of it.
type world struct {
	*consent
	*stack.Stack
	random *rand.Rand
	http   *http.Client
	tokens map[stack.TokenRequest]string
	trace  []string
	report *Report
	found  []string

	invitations map[string]*invitation
	wishes      []*wish
	codes       map[string]string // that customers have handed out
	secrets     []string          // tokens of invitations that attackers have been sent
	mails       int               // of those that there are, how many were looked at
	made        int
	outbox      *outbox
	expire      lambda.Handler
	foretell    int // one of so many requests is held against its dry run

	scheme []move // what is left of it
	aim    aim    // what its success would be, which is asked about more often than anything else
}

// who makes a request.
type who struct {
	stack.TokenRequest
	side    string // evil, hooli, or "" for who is honest
	account string // of a partner's user
}

func newWorld(ctx context.Context, c Config, key *rsa.PrivateKey, table string, random *rand.Rand) (_ *world, err error) {
	var handlers map[string]lambda.Handler
	s, err := stack.Start(ctx, stack.Config{
		Engine: c.Engine, Table: table, Still: startOfTime(), SigningKey: key, CreateTable: dynamo.CreateTable, Functions: functions(),
		Stream: true, Handlers: func(d stack.Deps) (_ map[string]lambda.Handler, err error) {
			handlers, err = c.Handlers(d)
			return handlers, err
		},
	})
	if err != nil {
		return nil, err
	}
	w := &world{
		foretell: c.DryRun,
		consent: &consent{
			now: startOfTime(), customers: map[string]*customer{}, partners: map[string]*partner{},
			accounts: map[string]*account{},
		},
		Stack: s, random: random, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: time.Minute},
		tokens: map[stack.TokenRequest]string{}, report: &Report{Answers: map[string]int{}}, invitations: map[string]*invitation{},
		codes: map[string]string{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.stop())
		}
	}()
	w.expire = handlers["expire"]
	if w.outbox, err = newOutbox(ctx, c.Engine, table, handlers["notify"]); err != nil {
		return nil, err
	}
	for _, id := range customers() {
		w.customers[id] = &customer{
			id: id, members: map[string]bool{}, admins: map[string]bool{}, caps: map[string]level{}, terms: map[string]*terms{},
		}
		body := object{"name": title(id), "contacts": []string{"contact@" + id + ".example"}}
		if id != globex { // which registers its domain only later
			body["domain"] = id + ".example"
			w.customers[id].domain = id + ".example"
		}
		if err := w.must(ctx, w.provider(), "PUT", "/v1/customers/"+id, body); err != nil {
			return nil, err
		}
		w.customers[id].approvals = 1
		for name, role := range map[string]string{"ann": "admin", "bob": "member", "cleo": "admin"} {
			if err := w.must(ctx, w.provider(), "PUT", "/v1/customers/"+id+"/members/"+name+"@"+id+".example",
				object{"name": secretName(id, name), "role": role}); err != nil {
				return nil, err
			}
			w.joined(id, name+"@"+id+".example", role == "admin")
		}
	}
	for _, id := range customers() {
		if _, err := w.do(ctx, w.person("ann@"+id+".example"), http.MethodPut, "/v1/customers/"+id+"/request-policy",
			object{"mode": "open"}); err != nil {
			return nil, err
		}
	}
	for _, id := range []string{evil, good} {
		w.partners[id] = &partner{id: id, status: "active", class: "channel", offer: 3, sso: true}
		if err := w.must(ctx, w.provider(), "PUT", "/v1/partners/"+id,
			object{
				"name": title(id), "class": "channel", "offer": "manage", "sso": true,
				"contacts": []string{"contact@" + id + ".example"},
			}); err != nil {
			return nil, err
		}
	}
	if err := w.addUsers(ctx); err != nil {
		return nil, err
	}
	// Where the provider confirms domains, it has confirmed these; services from before do not know the member.
	for _, id := range []string{evil, good} {
		if _, err := w.do(ctx, w.provider(), "PATCH", "/v1/partners/"+id, object{"domains": []string{id + ".example"}}); err != nil {
			return nil, err
		}
	}
	return w, w.reloadUsers(ctx)
}

// addUsers makes the partners' users; among the attackers is one who was demoted and one who was removed.
func (w *world) addUsers(ctx context.Context) error {
	for _, u := range [][3]string{
		{evil, "olga", "owner"},
		{evil, "adam", "admin"},
		{evil, "bill", "business"},
		{evil, "tess", "tech"},
		{evil, "xena", "admin"},
		{evil, "yuri", "admin"},
		{good, "gina", "owner"},
		{good, "gus", "tech"},
	} {
		name := title(u[1])
		if u[0] == good {
			name = secretName(good, u[1])
		}
		if err := w.must(ctx, w.provider(), "POST", "/v1/partners/"+u[0]+"/users",
			object{"email": u[1] + "@" + u[0] + ".example", "name": name, "role": u[2]}); err != nil {
			return err
		}
	}
	if err := w.reloadUsers(ctx); err != nil {
		return err
	}
	if err := w.must(ctx, w.provider(), "PATCH", "/v1/partners/evil/users/"+w.holder("xena@evil.example").id,
		object{"role": "tech"}); err != nil {
		return err
	}
	return w.must(ctx, w.provider(), "DELETE", "/v1/partners/evil/users/"+w.holder("yuri@evil.example").id, nil)
}

func (w *world) stop() error {
	w.http.CloseIdleConnections()
	return w.Stop()
}

func title(id string) string { return strings.ToUpper(id[:1]) + id[1:] }

// What belongs to one organisation alone holds its name in such a text, and nothing else does.

func secretName(org, name string) string { return "Qz" + org + " " + title(name) }
func secretNote(org string) string       { return "note Zx" + org }
func secretWords(org, to string) string  { return "words Yw" + org + to }

// foreign is a text in what was sent to a side, and to the person with an account of that partner, that belongs to another organisation
// than the customers whose member it is; "" when there is none.
func foreign(side, part, text string, member ...string) string {
	secrets := []string{"Zx" + globex, "Zx" + acme, "Qz" + globex, "Qz" + acme, "bob@" + globex, "bob@" + acme}
	switch side {
	case evil:
		secrets = append(secrets, "Zx"+hooli, "Qz"+hooli, "bob@"+hooli)
		if part != good {
			secrets = append(secrets, "Yw"+globex+good, "Yw"+acme+good, "Yw"+hooli+good)
		}
		if part != good && len(member) == 0 { // a member of a customer, whoever else it is, sees the people of the customer's partners
			secrets = append(secrets, "Qz"+good, "gus@"+good)
		}
		if part == good { // a person outside whom a customer has invited to the good one
			secrets = append(secrets, "Yw"+globex+evil, "Yw"+acme+evil, "Yw"+hooli+evil)
		}
	case hooli: // sees the people of its partners
		secrets = append(secrets, "Yw"+globex, "Yw"+acme)
	default:
		return ""
	}
	for _, s := range secrets {
		own := func(cust string) bool { return strings.Contains(s, cust) }
		if strings.Contains(text, s) && !slices.ContainsFunc(member, own) {
			return s
		}
	}
	return ""
}

// sideOf is to whom a mail to the address goes.
func sideOf(address string) string {
	switch domainOf(address) {
	case evil + ".example", "elsewhere.example":
		return evil
	case hooli + ".example":
		return hooli
	}
	return ""
}

func (w *world) provider() who {
	return who{TokenRequest: stack.TokenRequest{Scope: httpapi.ScopeDirectory}}
}

func (w *world) person(address string) who {
	out := who{TokenRequest: stack.TokenRequest{Email: address}, side: sideOf(address)}
	if a := w.holder(address); a != nil {
		out.account = a.id
	}
	return out
}

func (w *world) must(ctx context.Context, by who, method, path string, body any) error {
	a, err := w.do(ctx, by, method, path, body)
	if err == nil && !a.Done() {
		err = &ask.Refused{Answer: a}
	}
	return err
}

// do sends a request, records it, and looks for texts that the answer should not hold.
func (w *world) do(ctx context.Context, by who, method, path string, body any) (ask.Answer, error) {
	token, ok := w.tokens[by.TokenRequest]
	if !ok {
		var err error
		if token, err = w.Token(by.TokenRequest); err != nil {
			return ask.Answer{}, err
		}
		w.tokens[by.TokenRequest] = token
	}
	r := ask.Request{Method: method, URL: w.URL() + path, Token: token, Body: body}
	if method == http.MethodPatch || strings.HasSuffix(path, "/request-policy") {
		r.Header = map[string]string{"If-Match": "*"}
	}
	foretold, err := w.predict(ctx, r, path)
	if err != nil {
		return ask.Answer{}, fmt.Errorf("dry run of %s %s: %w", method, path, err)
	}
	a, err := ask.Send(ctx, w.http, r)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if path != "/access/v1/evaluations" {
		w.recordStep(by, method, path, body, a)
	}
	if a.Status >= http.StatusInternalServerError {
		w.violation("%s %s was answered %d %s", method, path, a.Status, a.Body)
	}
	if s := foreign(by.side, w.partnerOf(by.account), string(a.Body), w.memberships(by)...); s != "" {
		w.violation("%s was shown %q by %s %s: %s", w.call(by), s, method, path, a.Body)
	}
	if foretold != nil {
		return a, foretold.judge(ctx, w, by, w.call(by)+" "+method+" "+path, a)
	}
	if method != http.MethodGet && path != "/access/v1/evaluations" {
		_, err = w.outbox.deliver(ctx)
	}
	return a, err
}

// memberships are the customers to which the caller belongs by its address.
func (w *world) memberships(by who) []string {
	return slices.DeleteFunc(customers(), func(id string) bool { return !w.memberOf(by, id) })
}

// workedFor returns whether the address was that of an account of the partner.
func (w *world) workedFor(address, part string) bool {
	for _, a := range w.accounts {
		if a.partner == part && slices.Contains(a.held, address) {
			return true
		}
	}
	return false
}

func (w *world) partnerOf(id string) string {
	if a := w.accounts[id]; a != nil {
		return a.partner
	}
	return ""
}

func (w *world) call(by who) string {
	if by.Scope != "" {
		return by.Scope
	}
	if by.Account != "" {
		return by.Email + " (account " + by.Account + ")"
	}
	return by.Email
}

func (w *world) recordStep(by who, method, path string, body any, a ask.Answer) {
	text, _ := json.Marshal(body) //nolint:errchkjson // it has been sent
	line := fmt.Sprintf("%s  %s: %s %s %s -> %d", w.now.Format("01-02 15:04"), w.call(by), method, path, text, a.Status)
	if !a.Done() {
		line += " " + a.Text("code")
	}
	w.trace = append(w.trace, line)
}

func (w *world) violation(format string, args ...any) {
	w.found = append(w.found, fmt.Sprintf(format, args...))
}

// reloadUsers reads the partners' users.
func (w *world) reloadUsers(ctx context.Context) error {
	seen := map[string]bool{}
	for _, part := range []string{evil, good} {
		for cursor := ""; ; {
			a, err := w.getAsProvider(ctx, "/v1/partners/"+part+"/users?limit=100"+cursor)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct{ ID, Email, Role, Status string }
				Next  *string `json:"next_cursor"`
			}
			if err := a.Into(&page); err != nil {
				return err
			}
			for _, u := range page.Items {
				w.recordUser(u.ID, part, u.Role, u.Status, u.Email)
				seen[u.ID] = true
			}
			if page.Next == nil {
				break
			}
			cursor = "&cursor=" + url.QueryEscape(*page.Next)
		}
	}
	for _, a := range w.accounts {
		if !seen[a.id] {
			a.status = "removed"
		}
	}
	for _, part := range []string{evil, good} {
		owns := func(id string) bool { return w.accounts[id].role == "owner" && w.accounts[id].status == "active" }
		if !slices.ContainsFunc(w.usersOf(part, false), owns) {
			w.violation("partner %s has no active owner any more", part)
		}
	}
	return nil
}

// getAsProvider reads as the provider; the step is not recorded.
func (w *world) getAsProvider(ctx context.Context, path string) (ask.Answer, error) {
	token := w.tokens[w.provider().TokenRequest]
	return ask.Send(ctx, w.http, ask.Request{Method: http.MethodGet, URL: w.URL() + path, Token: token})
}

// evaluation asks whether the subject may do at the customer what takes that level.
func evaluation(subject, customer string, need level) object {
	action := []string{"", "dashboard:read", "reports:read", "settings:write"}[need]
	return object{
		"subject": object{"type": "user", "id": subject}, "action": object{"name": action},
		"resource": object{"type": "customer", "id": customer},
	}
}

// decision is the answer to an evaluation.
type decision struct {
	Decision bool
	Context  struct {
		Level      string // the effective level
		ValidUntil string `json:"valid_until"` // "" = the access has no end
	}
}

// evaluate has a back end ask, a hundred questions at a time.
func (w *world) evaluate(ctx context.Context, items []object) ([]decision, error) {
	backend := who{TokenRequest: stack.TokenRequest{Scope: httpapi.ScopeCheck}}
	var out []decision
	for part := range slices.Chunk(items, 100) {
		a, err := w.do(ctx, backend, http.MethodPost, "/access/v1/evaluations", object{"evaluations": part})
		if err != nil {
			return nil, err
		}
		var got struct{ Evaluations []decision }
		if err := a.Into(&got); err != nil {
			return nil, err
		}
		if len(got.Evaluations) != len(part) {
			return nil, fmt.Errorf("got %d answers to %d questions", len(got.Evaluations), len(part))
		}
		out = append(out, got.Evaluations...)
	}
	return out, nil
}

// check asks about some accounts at all customers.
func (w *world) check(ctx context.Context) error {
	type question struct {
		account, subject, customer string
		need                       level
	}
	var asked []question
	var items []object
	for range 6 {
		id := w.order[w.random.IntN(len(w.order))]
		a := w.accounts[id]
		q := question{id, id, customers()[w.random.IntN(3)], level(1 + w.random.IntN(3))}
		if w.accounts[w.aim.account] != nil && w.chance(3) {
			q.account, q.subject, q.customer = w.aim.account, w.aim.account, w.aim.customer
		} else if w.random.IntN(3) == 0 {
			q.account, q.subject = "", a.held[w.random.IntN(len(a.held))]
			if now := w.holder(q.subject); now != nil {
				q.account = now.id
			}
		}
		asked = append(asked, q)
		items = append(items, evaluation(q.subject, q.customer, q.need))
	}
	got, err := w.evaluate(ctx, items)
	if err != nil {
		return err
	}
	w.report.Checks += len(asked)
	for i, q := range asked {
		if !got[i].Decision {
			continue
		}
		w.report.Allowed++
		if most := w.maxLevel(q.account, q.customer); most < q.need {
			w.violation("%s may %s at %s, and the customer has consented to %s at most: %+v", q.subject, levels()[q.need], q.customer,
				levels()[most], w.accounts[q.account])
		}
	}
	return nil
}

// readMails looks at the mails that have come, and keeps the tokens that attackers got.
func (w *world) readMails() {
	all := w.Mail.List()
	for _, mail := range all[w.mails:] {
		w.report.Mails++
		side := sideOf(mail.To)
		text := mail.Subject + "\n" + mail.Text + "\n" + mail.HTML
		ours, theirs := w.workedFor(mail.To, evil), w.workedFor(mail.To, good)
		if ours && theirs {
			continue // it was for one of the two, who can tell
		}
		var decides []string // who decides about a request is one of the customer's, whoever else it is
		for _, id := range customers() {
			if strings.HasPrefix(mail.Event, "request.") && w.customers[id].admins[mail.To] {
				decides = append(decides, id)
			}
		}
		if s := foreign(side, map[bool]string{true: good, false: evil}[theirs], text, decides...); s != "" {
			w.violation("a mail of %s to %s holds %q: %s", mail.Event, mail.To, s, mail.Text)
		}
		if _, rest, ok := strings.Cut(mail.Text, "/v1/invitations/"); ok && side != "" {
			secret := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '>' || r == ')' })[0]
			if secret = strings.TrimRight(secret, "."); !slices.Contains(w.secrets, secret) {
				w.secrets = append(w.secrets, secret)
			}
		}
	}
	w.mails = len(all)
}
