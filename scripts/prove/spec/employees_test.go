package spec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
	"partneraccess/shared/cognito"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/setup"
	"partneraccess/shared/sweep"
)

// employer is a world in which people's accounts are kept, at cognito-local.
type employer struct {
	*spec.World
	t     *testing.T
	wires *wires
	store *dynamo.Store
	pool  *cognito.Provider
}

const (
	secretOne = "correct horse battery"
	secretTwo = "staple of another kind"
)

func newEmployer(t *testing.T, more ...func(*stack.Config)) *employer {
	t.Helper()
	o := &employer{t: t, wires: &wires{}}
	server := cognitolocal.Shared(t)
	o.World = spec.New(t, append(more, func(c *stack.Config) {
		c.Cognito = server
		c.CognitoOptions = append(c.CognitoOptions, func(p *cognitoidentityprovider.Options) {
			o.wires.next = p.HTTPClient
			p.HTTPClient, p.Retryer = o.wires, aws.NopRetryer{} // a fault is one, and not an attempt
		})
	})...)
	o.store = dynamo.New(o.Stack.Engine().Client(), o.Stack.Table())
	api, pool := o.Stack.DirectAccounts()
	o.pool = cognito.New(api, pool, "")
	o.Partner("contoso")
	o.User("contoso", "olga@contoso.example", "owner")
	return o
}

// settle is after the time for which whoever wrote a task has it to itself, and for which what it has sent may still arrive.
func (o *employer) settle() {
	o.t.Helper()
	o.Advance(8 * time.Minute)
}

// throughFailures makes a change while a call of the identity provider's fails, after its effect or before: a task is left, a sweep
// that fails leaves it, too, and one that succeeds carries it through.
func (o *employer) throughFailures(name, user, call string, after bool, change func()) {
	o.t.Helper()
	o.wires.fail(call, after)
	change()
	if o.task(user) == nil {
		o.t.Errorf("%s: got no task, want one", name)
	}
	o.settle() // a sweep that fails, too, unless the effect is there by now
	if !after && o.task(user) == nil {
		o.t.Errorf("%s: after a sweep that failed: got no task, want one", name)
	}
	o.wires.mend()
	o.settle()
	o.wantNoTask(user)
}

// waitForMails waits until n mails about that to that address are held by no attempt: each is settled, or waits for another attempt. Only
// then may the clock go further than a function lives.
func (o *employer) waitForMails(about, to string, n int) {
	o.t.Helper()
	spec.Eventually(o.t, func() error {
		page, err := o.store.PartnerMails(o.t.Context(), "contoso", access.PageRequest{Limit: 100})
		if err != nil {
			o.t.Fatal(err)
		}
		unheld := 0
		for _, r := range page.Items {
			if r.To == to && string(r.Type) == about && r.Lease.IsZero() {
				unheld++
			}
		}
		if unheld != n {
			return fmt.Errorf("mails of %s to %s that no attempt holds: got %d, want %d", about, to, unheld, n)
		}
		return nil
	})
}

// login signs in as the page would.
func (o *employer) login(email, password, replacement string) *spec.Answer {
	o.t.Helper()
	body := object{"email": email, "password": password}
	if replacement != "" {
		body["new_password"] = replacement
	}
	return o.Anonymous().Local(http.MethodPost, "/_local/login", body)
}

// credential is the temporary password that the mail to a new employee carries.
func (o *employer) credential(user string) string {
	o.t.Helper()
	u, err := o.store.User(o.t.Context(), user)
	if err != nil {
		o.t.Fatal(err)
	}
	secret, _, err := o.pool.TemporaryPassword(o.t.Context(), u.Account())
	if err != nil {
		o.t.Fatal(err)
	}
	return secret
}

// employee is a user who has chosen a password, and its token.
func (o *employer) employee(email, role, password string) (user, token string) {
	o.t.Helper()
	user = o.User("contoso", email, role)
	return user, o.login(email, o.credential(user), password).Want(http.StatusOK).String("token")
}

func (o *employer) in(email, password string) {
	o.t.Helper()
	if a := o.login(email, password, ""); a.Status != http.StatusOK || a.Get("token") == nil {
		o.t.Errorf("log in as %s: got %d %s, want a token", email, a.Status, a.Body)
	}
}

func (o *employer) out(email, password string) {
	o.t.Helper()
	if a := o.login(email, password, ""); a.Status != http.StatusUnauthorized {
		o.t.Errorf("log in as %s: got %d %s, want 401", email, a.Status, a.Body)
	}
}

// edit edits a user as the provider.
func (o *employer) edit(user string, body object) *spec.Answer {
	o.t.Helper()
	return o.Provider().Do(http.MethodPatch, pathOf(user), body, "If-Match", "*").Want(http.StatusOK)
}

func (o *employer) remove(user string) {
	o.t.Helper()
	o.Provider().Do(http.MethodDelete, pathOf(user), nil).Want(http.StatusNoContent)
}

func pathOf(user string) string {
	partner, _, _ := strings.Cut(user, ":")
	return "/v1/partners/" + partner + "/users/" + user
}

// task is the user's identity task.
func (o *employer) task(user string) *access.Task {
	o.t.Helper()
	t, err := o.store.Task(o.t.Context(), access.IdentityTask(user))
	if err != nil {
		o.t.Fatal(err)
	}
	return t
}

func (o *employer) wantNoTask(user string) {
	o.t.Helper()
	if t := o.task(user); t != nil {
		o.t.Errorf("task of %s: got %+v, want none", user, t)
	}
}

// account is what the identity provider has of a user, in one line.
func (o *employer) account(user string) string {
	o.t.Helper()
	api, pool := o.Stack.DirectAccounts()
	a, err := api.AdminGetUser(o.t.Context(), &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &pool, Username: &user})
	if err != nil {
		if strings.Contains(err.Error(), "UserNotFoundException") {
			return "none"
		}
		o.t.Fatal(err)
	}
	state, has := "disabled", map[string]string{}
	if a.Enabled {
		state = "enabled"
	}
	for _, v := range a.UserAttributes {
		has[*v.Name] = *v.Value
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", state, has["email"], has["phone_number"]))
}

func (o *employer) wantAccount(user, want string) {
	o.t.Helper()
	if got := o.account(user); got != want {
		o.t.Errorf("account of %s: got %q, want %q", user, got, want)
	}
}

// wires are the functions' connection to the identity provider. Calls of one name can be made to fail.
type wires struct {
	next cognitoidentityprovider.HTTPClient

	mu     sync.Mutex
	call   string // "" = none, "*" = all
	after  bool   // the call takes effect, and its answer is lost
	answer string // the code of an error that is answered in place of the call's effect
	asked  map[string]int
}

func (f *wires) fail(call string, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.call, f.after, f.answer = call, after, ""
}

func (f *wires) refuse(call, code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.call, f.answer = call, code
}

func (f *wires) mend() { f.fail("", false) }

// count is how often a call was made.
func (f *wires) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[call]
}

func (f *wires) Do(r *http.Request) (*http.Response, error) {
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.mu.Lock()
	if f.asked == nil {
		f.asked = map[string]int{}
	}
	f.asked[call]++
	broken, after, answer := f.call == call || f.call == "*", f.after, f.answer
	f.mu.Unlock()
	switch {
	case !broken:
		return f.next.Do(r)
	case answer != "":
		return refusal(r, answer), nil
	case after:
		if res, err := f.next.Do(r); err == nil {
			_ = res.Body.Close()
		}
	}
	return nil, errors.New("the wire was cut")
}

// refusal is an error as Cognito answers it.
func refusal(r *http.Request, code string) *http.Response {
	body, _ := json.Marshal(map[string]string{"__type": code, "message": code + " in the words of Cognito"})
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}
}

func TestP2_P15_ATemporaryPasswordSignsInOnceAndIsReplaced(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim := o.User("contoso", "kim@contoso.example", "tech")
	o.wantAccount(kim, "enabled kim@contoso.example")
	o.wantNoTask(kim)

	temporary := o.credential(kim)
	if len(temporary) < 20 {
		t.Errorf("the temporary password: got %d characters, want 20 or more", len(temporary))
	}
	o.out("kim@contoso.example", "not "+temporary)
	if a := o.login("kim@contoso.example", temporary, ""); a.Status != http.StatusOK || a.Get("challenge") != "NEW_PASSWORD_REQUIRED" ||
		a.Get("token") != nil {
		t.Fatalf("the temporary password: got %d %s, want a challenge and no token", a.Status, a.Body)
	}
	o.login("kim@contoso.example", temporary, "too short").Want(http.StatusUnprocessableEntity)
	token := o.login("kim@contoso.example", temporary, secretOne).Want(http.StatusOK).String("token")
	me := o.Bearer(token).Do(http.MethodGet, "/v1/me", nil).Want(http.StatusOK)
	if got := me.String("partner.user.id"); got != kim {
		t.Errorf("who the token is for: got %s, want %s", got, kim)
	}

	o.out("kim@contoso.example", temporary)
	o.in("kim@contoso.example", secretOne)
	o.in("KIM@contoso.example", secretOne)
}

// The same token opens the directory, the partner's portal and each customer that has let the employee in: what it may do there is asked by
// whichever system it has been shown to, about the employee alone.
func TestP1_P3_OneAccountOpensSeveralSystems(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim, first := o.employee("kim@contoso.example", "tech", secretOne)
	again := o.login("kim@contoso.example", secretOne, "").Want(http.StatusOK).String("token")
	for _, customer := range []string{"acme", "globex", "initech"} {
		o.Customer(customer)
	}
	o.Grant("acme", object{"partner": "contoso", "users": []string{kim}, "level": "manage"}).Want(http.StatusCreated)
	o.Grant("globex", object{"partner": "contoso", "everyone": true}).Want(http.StatusCreated)
	olga := o.Provider().Do(http.MethodGet, "/v1/partners/contoso/users?q=olga", nil).Want(http.StatusOK).String("items.0.id")
	for _, token := range []string{first, again} {
		me := o.Bearer(token)
		// The directory, /v1.
		if got := me.Do(http.MethodGet, "/v1/me", nil).Want(http.StatusOK).String("partner.user.id"); got != kim {
			t.Errorf("me: got %s, want %s", got, kim)
		}
		if got := me.Do(http.MethodGet, "/v1/partners/contoso/users", nil).Want(http.StatusOK).Int("items.length"); got != 2 {
			t.Errorf("employees: got %d, want 2", got)
		}
		list := me.Do(http.MethodGet, "/v1/partners/contoso/customers", nil).Want(http.StatusOK)
		for i, want := range []string{"acme", "globex"} {
			at := fmt.Sprintf("items.%d.", i)
			if list.String(at+"customer.id") != want || list.Get(at+"you_have_access") != true ||
				!strings.Contains(list.String(at+"sign_in_url"), want) {
				t.Errorf("customers: got %s, want %s to be opened", list.Body, want)
			}
		}
		// Customers' tenants and the portal, /access/v1.
		asks := []struct {
			kind, id, action string
			want             bool
		}{
			{"customer", "acme", "sign_in", true},
			{"customer", "acme", "settings:write", true},
			{"customer", "globex", "sign_in", true},
			{"customer", "globex", "settings:write", false},
			{"customer", "initech", "sign_in", false},
			{"partner", "contoso", "devices:read", true},
			{"partner", "contoso", "tickets:write", true},
			{"partner", "contoso", "employees:write", false},
		}
		question := func(subject string, i int) object {
			return object{
				"subject": object{"type": "user", "id": subject}, "action": object{"name": asks[i].action},
				"resource": object{"type": asks[i].kind, "id": asks[i].id},
			}
		}
		for _, subject := range []string{kim, "kim@contoso.example"} {
			var all []object
			for i, ask := range asks {
				q := question(subject, i)
				all = append(all, q)
				if got := me.Do(http.MethodPost, "/access/v1/evaluation", q).Want(http.StatusOK).Get("decision"); got != ask.want {
					t.Errorf("%s, %s at %s %s: got %v, want %v", subject, ask.action, ask.kind, ask.id, got, ask.want)
				}
			}
			several := me.Do(http.MethodPost, "/access/v1/evaluations", object{"evaluations": all}).Want(http.StatusOK)
			for i, ask := range asks {
				if got := several.Get(fmt.Sprintf("evaluations.%d.decision", i)); got != ask.want {
					t.Errorf("among several, %s, %s at %s %s: got %v, want %v", subject, ask.action, ask.kind, ask.id, got, ask.want)
				}
			}
		}
		// It is nobody else's, and no more than a person's.
		me.Do(http.MethodPost, "/access/v1/evaluation", question(olga, 0)).WantProblem(http.StatusForbidden, "forbidden")
		me.Do(http.MethodPost, "/access/v1/evaluation", question("olga@contoso.example", 5)).WantProblem(http.StatusForbidden, "forbidden")
		me.Do(http.MethodGet, "/v1/customers/acme/grants", nil).WantProblem(http.StatusNotFound, "not_found")
	}
}

func TestP15_P16_TheMailCarriesTheCredentialAndItsCopyDoesNot(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, func(c *stack.Config) { c.Stream = true })
	o.Partner("contoso", "contacts", []string{"office@contoso.example"})
	o.User("contoso", "kim@contoso.example", "tech")
	mail, copied := o.mailTo("kim@contoso.example"), o.mailTo("office@contoso.example")
	secret := temporaryIn(t, mail)
	if strings.Contains(copied.Text+copied.HTML+copied.Subject, secret) || !strings.Contains(copied.Text, "kim@contoso.example") {
		t.Errorf("the copy: got %s, want one that tells of the employee, and nothing of the password", copied.Text)
	}
	o.login("kim@contoso.example", secret, secretOne).Want(http.StatusOK)
	o.out("kim@contoso.example", secret)
	o.in("kim@contoso.example", secretOne)
}

// temporaryIn is the temporary password in a mail.
func temporaryIn(t *testing.T, mail stack.Mail) string {
	t.Helper()
	secret := regexp.MustCompile(`\b\w{5}(-\w{5}){3}\b`).FindString(mail.Text)
	if secret == "" || !strings.Contains(mail.HTML, secret) {
		t.Fatalf("got a mail without a temporary password: %s", mail.Text)
	}
	return secret
}

// mailTo is the latest mail to an address that tells of a new employee, Kim, once there is one.
func (o *employer) mailTo(address string) stack.Mail {
	o.t.Helper()
	return o.mailOf("user.created", address)
}

// mailOf is the latest mail of that event to an address that tells of Kim, or of Kira, once there is one.
func (o *employer) mailOf(event, address string) stack.Mail {
	o.t.Helper()
	var found stack.Mail
	spec.Eventually(o.t, func() error {
		mails := o.Stack.Mail.List()
		for _, found = range slices.Backward(mails) {
			if found.To == address && found.Event == event && regexp.MustCompile(`ki(m|ra)@contoso\.example`).MatchString(found.Text) {
				return nil
			}
		}
		return fmt.Errorf("no mail of %s to %s came, in %+v", event, address, mails)
	})
	return found
}

func withStream(c *stack.Config) { c.Stream = true }

func TestP15_P19_ACorrectedAddressGetsItsOwnCredential(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	o.Partner("contoso", "contacts", []string{"office@contoso.example"})
	kim := o.User("contoso", "kim@contoso.example", "tech")
	first := temporaryIn(t, o.mailTo("kim@contoso.example"))
	o.edit(kim, object{"email": "kira@contoso.example"})
	second := temporaryIn(t, o.mailOf("user.edited", "kira@contoso.example"))
	for _, address := range []string{"kim@contoso.example", "kira@contoso.example"} {
		o.out(address, first) // which somebody else has read, it may be
	}
	o.out("kim@contoso.example", second)
	o.login("kira@contoso.example", second, secretOne).Want(http.StatusOK)
	o.in("kira@contoso.example", secretOne)
	for _, to := range []string{"kim@contoso.example", "office@contoso.example"} {
		if m := o.mailOf("user.edited", to); strings.Contains(m.Text+m.HTML, second) {
			t.Errorf("to %s: got the password in %s", to, m.Text)
		}
	}
	if m := o.mailOf("user.edited", "kim@contoso.example"); strings.Contains(m.Text+m.HTML, "kira@") {
		t.Errorf("the address before is told the new one: %s", m.Text)
	}

	// So it is for who has signed in: the password that was chosen ends, too.
	o.edit(kim, object{"email": "third@contoso.example"})
	third := temporaryIn(t, o.mailOf("user.edited", "third@contoso.example"))
	o.out("third@contoso.example", secretOne)
	o.out("kira@contoso.example", secretOne)
	o.login("third@contoso.example", third, secretTwo).Want(http.StatusOK)
	o.in("third@contoso.example", secretTwo)
}

// The account may get its new address long after the change: no password is sent before, since that change would end it.
func TestP15_P19_TheCredentialFollowsTheCorrectedAddress(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	kim := o.User("contoso", "kim@contoso.example", "tech")
	first := temporaryIn(t, o.mailTo("kim@contoso.example"))
	o.wires.fail("AdminUpdateUserAttributes", false)
	o.edit(kim, object{"email": "kira@contoso.example"})
	o.out("kim@contoso.example", first)
	o.waitForMails("user.edited", "kira@contoso.example", 1)
	o.wires.mend()
	o.settle()
	second := temporaryIn(t, o.mailOf("user.edited", "kira@contoso.example"))
	o.settle()
	o.login("kira@contoso.example", second, secretOne).Want(http.StatusOK)
}

func TestP15_AMissedActivationIsToldAndGetsAnotherCredential(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	o.Partner("contoso", "contacts", []string{"office@contoso.example"})
	kim := o.User("contoso", "kim@contoso.example", "tech")
	first := temporaryIn(t, o.mailTo("kim@contoso.example"))
	o.credential(kim)
	missed := func() any {
		return o.As("olga@contoso.example").Do(http.MethodGet, pathOf(kim), nil).Want(http.StatusOK).Get("activation_missed_at")
	}
	o.Advance(access.ActivationLife - time.Second)
	if got := missed(); got != nil {
		t.Errorf("before the end: got missed at %v, want nothing", got)
	}
	last := o.credential(kim) // not by the service: its end is that of the mail's
	o.Advance(2 * time.Second)
	o.out("kim@contoso.example", first)
	o.out("kim@contoso.example", last)
	if got := missed(); got == nil {
		t.Error("after the end: got nothing, want the user to show it")
	}
	for _, to := range []string{"kim@contoso.example", "office@contoso.example"} {
		o.mailOf("user.activation_missed", to)
	}
	o.Advance(access.ActivationLife)
	history := o.As("olga@contoso.example").Do(http.MethodGet, "/v1/partners/contoso/history?type=user.activation_missed",
		nil).Want(http.StatusOK)
	if got := history.Int("items.length"); got != 2 { // Olga has not signed in either
		t.Errorf("told: got %d in %s, want it told once of each", got, history.Body)
	}

	// The first mail, once more, is as good; so that it is not missed again, another one is asked for.
	id := mailState(t, o.World, "/v1/partners/contoso/mail", "kim@contoso.example", "user.created", "delivered")
	o.As("olga@contoso.example").Do(http.MethodPost, "/v1/partners/contoso/mail/"+id+"/resend", nil).Want(http.StatusOK)
	if got := missed(); got != nil {
		t.Errorf("after the mail was sent again: got missed at %v, want nothing", got)
	}
	o.Advance(access.ActivationLife)
	if got := missed(); got == nil {
		t.Error("after its end: got nothing, want the user to show it")
	}

	send := pathOf(kim) + "/password"
	o.As("olga@contoso.example").Do(http.MethodPost, send, object{"send": true}).Want(http.StatusOK)
	second := temporaryIn(t, o.mailOf("user.activation_renewed", "kim@contoso.example"))
	if m := o.mailOf("user.activation_renewed", "office@contoso.example"); strings.Contains(m.Text+m.HTML, second) {
		t.Errorf("the copy has the password: %s", m.Text)
	}
	if got := missed(); got != nil {
		t.Errorf("after another one: got missed at %v, want nothing", got)
	}
	o.login("kim@contoso.example", second, secretOne).Want(http.StatusOK)
	o.As("olga@contoso.example").Do(http.MethodPost, send, object{"send": true}).WantProblem(http.StatusConflict, "ended")
	o.Advance(access.ActivationLife)
	o.in("kim@contoso.example", secretOne)
	if got := missed(); got != nil {
		t.Errorf("who has signed in: got missed at %v, want nothing", got)
	}
}

func TestP15_WhoManagesEmployeesHasACredentialSent(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim, ext := o.User("contoso", "kim@contoso.example", "tech"), o.User("contoso", "ext@elsewhere.example", "external")
	o.User("contoso", "bea@contoso.example", "business")
	o.Partner("fabrikam")
	o.User("fabrikam", "fay@fabrikam.example", "owner")
	path, send := pathOf(kim)+"/password", object{"send": true}
	o.Provider().Do(http.MethodPost, path, send).Want(http.StatusOK)
	o.As("bea@contoso.example").Do(http.MethodPost, path, send).Want(http.StatusOK)
	o.As("kim@contoso.example").Do(http.MethodPost, path, send).WantProblem(http.StatusForbidden, "forbidden")
	o.As("fay@fabrikam.example").Do(http.MethodPost, path, send).WantProblem(http.StatusNotFound, "not_found")
	o.Provider().Do(http.MethodPost, pathOf(ext)+"/password", send).Want(http.StatusOK)
	o.Provider().Do(http.MethodPost, pathOf("contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV")+"/password", send).WantProblem(http.StatusNotFound,
		"not_found")
	o.Provider().Do(http.MethodPost, path, object{"send": false}).WantProblem(http.StatusNotFound, "not_found")
	o.As("kim@contoso.example").Do(http.MethodPost, path, object{"send": true, "current": "a", "new": "b"}).WantProblem(http.StatusBadRequest,
		"invalid", "/send")
	once := []string{"Idempotency-Key", "once"}
	o.Provider().Do(http.MethodPost, path, send, once...).Want(http.StatusOK)
	o.Provider().Do(http.MethodPost, path, send, once...).Want(http.StatusOK)
	history := o.Provider().Do(http.MethodGet, "/v1/partners/contoso/history?type=user.activation_renewed", nil).Want(http.StatusOK)
	if got := history.Int("items.length"); got != 4 {
		t.Errorf("sendings: got %d, want 4, one of them repeated under its key", got)
	}
	o.edit(kim, object{"status": "disabled"})
	o.Provider().Do(http.MethodPost, path, send).WantProblem(http.StatusUnprocessableEntity, "user_not_active")
	o.edit(kim, object{"status": "active"})
	o.wires.fail("AdminGetUser", false)
	o.Provider().Do(http.MethodPost, path, send).WantProblem(http.StatusServiceUnavailable, "unavailable")
}

// Whether an account is missing is of no consequence to anything else: there is no list to work off.
func TestP2_SendingACredentialCreatesAMissingAccount(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	before := func(email string) string {
		t.Helper()
		var id string
		err := o.store.Apply(t.Context(), func(ctx context.Context) (access.Change, *access.StoredResponse, error) {
			f, err := o.store.UserFacts(ctx, "contoso", "", email)
			if err != nil {
				return access.Change{}, nil, err
			}
			pc := access.PlanContext{Now: o.Now(), Actor: access.Actor{Kind: "provider"}, NewID: setup.IDs(o.Now)} // IDENTITY=none
			c, u, err := access.PlanNewUser(f, access.UserCommand{Email: &email, Name: new("Kim"), Role: new(access.Tech)}, pc)
			c.Events = nil // was told long ago
			if err == nil {
				id = u.ID
			}
			return c, nil, err
		})
		if err != nil {
			t.Fatal(err)
		}
		o.wantAccount(id, "none")
		return id
	}
	kim := before("kim@contoso.example")
	for _, fails := range []string{"AdminCreateUser", ""} { // and again, when it was interrupted
		o.wires.fail(fails, false)
		o.Provider().Do(http.MethodPost, pathOf(kim)+"/password", object{"send": true}).Want(http.StatusOK)
	}
	o.waitForMails("user.activation_renewed", "kim@contoso.example", 2) // while one makes its password, the other waits
	o.settle()
	o.wantAccount(kim, "enabled kim@contoso.example")
	// Each of the two was answered, and has its mail; the password that was made last is good, whichever mail has it.
	var mails []stack.Mail
	spec.Eventually(t, func() error {
		mails = slices.DeleteFunc(o.Stack.Mail.List(),
			func(m stack.Mail) bool { return m.Event != "user.activation_renewed" || m.To != "kim@contoso.example" })
		if len(mails) < 2 {
			return fmt.Errorf("got %d mails with a new password to kim, want 2", len(mails))
		}
		return nil
	})
	good := 0
	for _, m := range mails {
		if o.login("kim@contoso.example", temporaryIn(t, m), secretOne).Status == http.StatusOK {
			good++
		}
	}
	if len(mails) != 2 || good != 1 {
		t.Errorf("got %d mails, %d of them with a good password, want 2 and 1", len(mails), good)
	}
	o.wantNoTask(kim)

	kira := before("other@contoso.example")
	o.edit(kira, object{"email": "kira@contoso.example"})
	o.wantAccount(kira, "enabled kira@contoso.example")
	o.login("kira@contoso.example", temporaryIn(t, o.mailOf("user.edited", "kira@contoso.example")), secretTwo).Want(http.StatusOK)
}

func TestP15_NoCredentialForUsersWithAPasswordOrRemoved(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	refused := func(user string) {
		t.Helper()
		u, err := o.store.User(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		if secret, _, err := o.pool.TemporaryPassword(t.Context(), u.Account()); secret != "" || access.CodeOf(err) != access.Ended {
			t.Errorf("a credential for %s, who is %s: got an error %v, want it refused", u.Email, u.Status, err)
		}
	}
	kim := o.User("contoso", "kim@contoso.example", "tech")
	first := o.credential(kim)
	second := o.credential(kim) // the mail was sent again
	o.out("kim@contoso.example", first)
	o.login("kim@contoso.example", second, secretOne).Want(http.StatusOK)
	refused(kim)
	o.in("kim@contoso.example", secretOne)

	lee := o.User("contoso", "lee@contoso.example", "tech")
	o.edit(lee, object{"status": "disabled"})
	refused(lee)
	o.remove(lee)
	refused(lee)
}

func TestP14_SeveralEmployeesGetTheirAccountsInOneGo(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	var users []object
	for i := range 25 {
		users = append(users, object{"email": fmt.Sprintf("n%d@contoso.example", i), "name": "N", "role": "tech"})
	}
	users[3]["email"] = "olga@contoso.example"
	a := o.Provider().Do(http.MethodPost, "/v1/partners/contoso/users", object{"users": users}).Want(http.StatusOK)
	for i, u := range users {
		at := fmt.Sprintf("results.%d", i)
		if i == 3 {
			if got := a.Int(at + ".status"); got != http.StatusConflict {
				t.Errorf("an address that is taken: got %d, want 409", got)
			}
			continue
		}
		id := a.String(at + ".user.id")
		o.wantAccount(id, "enabled "+u["email"].(string))
		o.wantNoTask(id)
	}
}

func TestE3_ExternalUsersHaveAnAccountLikeEmployees(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	ext := o.User("contoso", "ext@elsewhere.example", "external")
	token := o.login("ext@elsewhere.example", o.credential(ext), secretOne).Want(http.StatusOK).String("token")
	o.Bearer(token).Do(http.MethodPost, pathOf(ext)+"/password", object{"current": secretOne, "new": secretTwo}).Want(http.StatusNoContent)
	o.in("ext@elsewhere.example", secretTwo)

	o.edit(ext, object{"email": "ext2@elsewhere.example"})
	o.wantNoTask(ext)
	o.wantAccount(ext, "enabled ext2@elsewhere.example")
	o.out("ext2@elsewhere.example", secretTwo)
	o.remove(ext)
	o.wantNoTask(ext)
	o.wantAccount(ext, "none")
}

func TestP19_ANewAddressSignsInAndTheFormerDoesNot(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim, token := o.employee("kim@contoso.example", "tech", secretOne)
	o.edit(kim, object{"email": "kira@contoso.example", "phone": "+4930123456"})
	o.wantAccount(kim, "enabled kira@contoso.example +4930123456")
	o.out("kim@contoso.example", secretOne)
	o.out("kira@contoso.example", secretOne)
	o.login("kira@contoso.example", o.credential(kim), secretTwo).Want(http.StatusOK)
	o.in("kira@contoso.example", secretTwo)

	o.edit(kim, object{"phone": nil})
	o.wantAccount(kim, "enabled kira@contoso.example")
	o.edit(kim, object{"role": "business"})
	o.wantNoTask(kim)

	// Somebody else gets the address, while a token that was made out to it is still good.
	o.User("contoso", "kim@contoso.example", "admin")
	o.Bearer(token).Do(http.MethodGet, "/v1/me", nil).WantProblem(http.StatusUnauthorized, "unauthenticated")
	o.Bearer(token).Do(http.MethodPost, "/v1/partners/contoso/users", object{"email": "new@contoso.example", "name": "New", "role": "tech"}).
		WantProblem(http.StatusUnauthorized, "unauthenticated")
	o.Customer("acme")
	o.Bearer(token).Do(http.MethodPost, "/access/v1/evaluation", spec.Question("kim@contoso.example", "sign_in", "acme")).
		WantProblem(http.StatusUnauthorized, "unauthenticated")
	o.Member("acme", "nobody@acme.example")
	o.Member("acme", "kim@contoso.example")
	o.Bearer(token).Do(http.MethodGet, "/v1/customers/acme", nil).WantProblem(http.StatusUnauthorized, "unauthenticated")

	again := o.login("kira@contoso.example", secretTwo, "").Want(http.StatusOK).String("token")
	o.Bearer(again).Do(http.MethodGet, "/v1/me", nil).Want(http.StatusOK)
}

func TestP20_WhoManagesEmployeesReplacesALostPassword(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	o.Partner("contoso", "contacts", []string{"office@contoso.example"})
	kim, adam := o.User("contoso", "kim@contoso.example", "tech"), o.User("contoso", "adam@contoso.example", "admin")
	o.login("kim@contoso.example", temporaryIn(t, o.mailTo("kim@contoso.example")), secretOne).Want(http.StatusOK)
	o.User("contoso", "bea@contoso.example", "business")
	ext, otto := o.User("contoso", "ext@elsewhere.example", "external"), o.User("contoso", "otto@contoso.example", "owner")
	o.Partner("fabrikam")
	o.User("fabrikam", "fay@fabrikam.example", "owner")
	path, reset := pathOf(kim)+"/password", object{"reset": true}

	o.As("kim@contoso.example").Do(http.MethodPost, path, reset).WantProblem(http.StatusForbidden, "forbidden")
	o.As("fay@fabrikam.example").Do(http.MethodPost, path, reset).WantProblem(http.StatusNotFound, "not_found")
	o.As("kim@contoso.example").Do(http.MethodPost, path, object{"reset": true, "send": true}).WantProblem(http.StatusBadRequest, "invalid",
		"/reset", "/send")
	o.As("kim@contoso.example").Do(http.MethodPost, path, object{"reset": true, "current": secretOne, "new": secretTwo}).
		WantProblem(http.StatusBadRequest, "invalid", "/reset")
	o.Provider().Do(http.MethodPost, pathOf(ext)+"/password", reset).Want(http.StatusOK)
	o.in("kim@contoso.example", secretOne)

	// The password ends with the answer; the temporary one comes by mail, to the person alone, works once, and is replaced.
	o.As("bea@contoso.example").Do(http.MethodPost, path, reset).Want(http.StatusOK)
	o.out("kim@contoso.example", secretOne)
	m := o.mailOf("user.activation_renewed", "kim@contoso.example")
	temporary := temporaryIn(t, m)
	if m := o.mailOf("user.activation_renewed", "office@contoso.example"); strings.Contains(m.Text+m.HTML, temporary) {
		t.Errorf("the copy has the password: %s", m.Text)
	}
	o.login("kim@contoso.example", temporary, secretTwo).Want(http.StatusOK)
	o.in("kim@contoso.example", secretTwo)
	o.out("kim@contoso.example", temporary)

	// Rank: an owner's password is the provider's to reset.
	o.As("adam@contoso.example").Do(http.MethodPost, pathOf(otto)+"/password", reset).WantProblem(http.StatusForbidden, "forbidden")
	o.Provider().Do(http.MethodPost, pathOf(adam)+"/password", reset).Want(http.StatusOK) // who has never signed in gets another one
}

func TestP20_ALostPasswordIsReplacedWithACodeByMail(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	o.employee("kim@contoso.example", "tech", secretOne)
	o.User("contoso", "nia@contoso.example", "tech") // has a temporary password alone
	forgot := func(email string) {
		o.Anonymous().Local(http.MethodPost, "/_local/forgot", object{"email": email}).Want(http.StatusOK)
	}
	confirm := func(email, code, password string) *spec.Answer {
		return o.Anonymous().Local(http.MethodPost, "/_local/forgot/confirm", object{"email": email, "code": code, "new_password": password})
	}
	codes := func(to string) (found []string) {
		for _, m := range o.Stack.Mail.List() {
			if m.To == to && m.Subject == "Your password reset code" {
				found = append(found, regexp.MustCompile(`\b\d{6}\b`).FindString(m.Text))
			}
		}
		return found
	}
	// The answer is the same whoever has an account; a code goes to whoever has a password of its own.
	for _, email := range []string{"nobody@contoso.example", "nia@contoso.example", "kim@contoso.example"} {
		forgot(email)
	}
	if n, k := codes("nia@contoso.example"), codes("kim@contoso.example"); len(n) != 0 || len(k) != 1 {
		t.Fatalf("codes: got %d and %d, want none for a temporary password and one for a password", len(n), len(k))
	}
	code := codes("kim@contoso.example")[0]
	confirm("kim@contoso.example", code, "elevenchars").Want(http.StatusUnprocessableEntity) // and the code is not used up
	confirm("nia@contoso.example", code, secretTwo).Want(http.StatusUnauthorized)
	confirm("kim@contoso.example", code, secretTwo).Want(http.StatusNoContent)
	o.in("kim@contoso.example", secretTwo)
	o.out("kim@contoso.example", secretOne)
	confirm("kim@contoso.example", code, secretOne).Want(http.StatusUnauthorized) // once

	// A code is good for an hour and for five attempts.
	forgot("kim@contoso.example")
	late := codes("kim@contoso.example")[1]
	o.Advance(time.Hour)
	confirm("kim@contoso.example", late, secretOne).Want(http.StatusUnauthorized)
	forgot("kim@contoso.example")
	last := codes("kim@contoso.example")[2]
	for range 5 {
		confirm("kim@contoso.example", "wrong", secretOne).Want(http.StatusUnauthorized)
	}
	confirm("kim@contoso.example", last, secretOne).Want(http.StatusUnauthorized)
	o.in("kim@contoso.example", secretTwo)
}

func TestP20_APasswordIsChangedWithTheCurrentOneAlone(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim, token := o.employee("kim@contoso.example", "sales_marketing", secretOne)
	me, path := o.Bearer(token), pathOf(kim)+"/password"
	change := func(by *spec.Client, current, proposed string) *spec.Answer {
		return by.Do(http.MethodPost, path, object{"current": current, "new": proposed})
	}

	change(me, "a wrong one altogether", secretTwo).WantProblem(http.StatusUnprocessableEntity, "wrong_password", "/current")
	o.in("kim@contoso.example", secretOne)
	for _, weak := range []string{"elevenchars", " twelve of them", "aaaabbbbccccdddd", secretOne, strings.Repeat("long enough ", 30)} {
		change(me, secretOne, weak).WantProblem(http.StatusUnprocessableEntity, "weak_password", "/new")
	}
	me.Do(http.MethodPost, path, object{"new": secretTwo}).WantProblem(http.StatusBadRequest, "invalid", "/current")
	me.Do(http.MethodPost, path, object{"current": secretOne, "new": nil}).WantProblem(http.StatusBadRequest, "invalid", "/new")
	o.in("kim@contoso.example", secretOne)

	change(me, secretOne, secretTwo).Want(http.StatusNoContent)
	o.out("kim@contoso.example", secretOne)
	o.in("kim@contoso.example", secretTwo)

	// Nobody else, whatever they may do otherwise: for them there is nothing here.
	change(o.As("olga@contoso.example"), secretTwo, secretOne).WantProblem(http.StatusNotFound, "not_found")
	change(o.Provider(), secretTwo, secretOne).WantProblem(http.StatusNotFound, "not_found")
	o.Customer("acme")
	change(o.AdminOf("acme"), secretTwo, secretOne).WantProblem(http.StatusNotFound, "not_found")
	o.Partner("fabrikam")
	o.User("fabrikam", "fay@fabrikam.example", "owner")
	change(o.As("fay@fabrikam.example"), secretTwo, secretOne).WantProblem(http.StatusNotFound, "not_found")
}

func TestP20_WhatTheIdentityProviderSaysOfAPasswordIsPassedOn(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim, token := o.employee("kim@contoso.example", "tech", secretOne)
	for _, c := range []struct {
		call, refuses string
		status        int
		code          string
	}{
		{"AdminInitiateAuth", "NotAuthorizedException", 422, "wrong_password"},
		{"AdminInitiateAuth", "UserNotFoundException", 422, "wrong_password"},
		{"AdminInitiateAuth", "TooManyRequestsException", 429, "too_many_requests"},
		{"AdminInitiateAuth", "InternalErrorException", 500, "internal"}, // a 400 that is no refusal of ours
		{"AdminSetUserPassword", "InvalidPasswordException", 422, "weak_password"},
		{"AdminSetUserPassword", "PasswordHistoryPolicyViolationException", 422, "weak_password"},
		{"AdminSetUserPassword", "LimitExceededException", 429, "too_many_requests"},
	} {
		o.wires.refuse(c.call, c.refuses)
		o.Bearer(token).Do(http.MethodPost, pathOf(kim)+"/password", object{"current": secretOne, "new": secretTwo}).WantProblem(c.status, c.code)
	}
	for _, call := range []string{"AdminInitiateAuth", "AdminSetUserPassword"} {
		o.wires.fail(call, false)
		o.Bearer(token).Do(http.MethodPost, pathOf(kim)+"/password",
			object{"current": secretOne, "new": secretTwo}).WantProblem(http.StatusServiceUnavailable, "unavailable")
	}
	o.in("kim@contoso.example", secretOne)
}

func TestP21_D23_DisablingOrRemovingAnEmployeeEndsItsSessions(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim, token := o.employee("kim@contoso.example", "tech", secretOne)
	o.edit(kim, object{"status": "disabled"})
	o.wantAccount(kim, "disabled kim@contoso.example")
	o.out("kim@contoso.example", secretOne)
	if got := o.wires.count("AdminUserGlobalSignOut"); got != 1 {
		t.Errorf("sign-outs after disabling: got %d, want 1", got)
	}
	o.Bearer(token).Do(http.MethodGet, "/v1/partners/contoso/users", nil).WantProblem(http.StatusForbidden, "forbidden")

	o.edit(kim, object{"status": "active"})
	o.in("kim@contoso.example", secretOne)

	o.remove(kim)
	o.wantAccount(kim, "none")
	o.wantNoTask(kim)
	o.out("kim@contoso.example", secretOne)
	if got := o.wires.count("AdminUserGlobalSignOut"); got != 2 {
		t.Errorf("sign-outs after removing: got %d, want 2", got)
	}
	o.Bearer(token).Do(http.MethodGet, "/v1/me", nil).WantProblem(http.StatusUnauthorized, "unauthenticated")

	// The address is free again, for another account.
	other, _ := o.employee("kim@contoso.example", "tech", secretTwo)
	o.wantAccount(other, "enabled kim@contoso.example")
	o.out("kim@contoso.example", secretOne)
}

func TestP13_TwoFactorSignInIsSetAtTheProviderAndNeedsAPhone(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim := o.User("contoso", "kim@contoso.example", "tech")
	o.Provider().Do(http.MethodPatch, pathOf(kim), object{"mfa": true}, "If-Match", "*").WantProblem(http.StatusUnprocessableEntity,
		"phone_required", "/phone")
	o.edit(kim, object{"mfa": true, "phone": "+4930123456"})
	o.wantAccount(kim, "enabled kim@contoso.example +4930123456")
	if got := o.wires.count("AdminSetUserMFAPreference"); got != 1 { // which cognito-local does not know
		t.Errorf("calls for the second factor: got %d, want 1", got)
	}
	o.wantNoTask(kim)
}

// Every way in which one call can fail, for every change. The answer is a success, and the sweep finishes the account.
func TestP19_P21_AnAccountIsFinishedByTheSweepWhateverFails(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	for _, c := range []struct {
		change string
		do     func(user string)
		want   string
		calls  []string
	}{
		{"edit", func(u string) {
			o.edit(u, object{"email": "new-" + strings.ToLower(u[len(u)-6:]) + "@contoso.example", "phone": nil})
		}, "enabled new-%s@contoso.example", []string{"AdminGetUser", "AdminDeleteUserAttributes", "AdminUpdateUserAttributes"}},
		{
			"disable", func(u string) { o.edit(u, object{"status": "disabled"}) }, "disabled %s@contoso.example +4930123456",
			[]string{"AdminGetUser", "AdminDisableUser", "AdminUserGlobalSignOut"},
		},
		{"remove", func(u string) { o.remove(u) }, "none", []string{"AdminUserGlobalSignOut", "AdminDeleteUser"}},
		{
			"two factors", func(u string) { o.edit(u, object{"mfa": true}) }, "enabled %s@contoso.example +4930123456",
			[]string{"AdminSetUserMFAPreference"},
		},
	} {
		for _, call := range append(c.calls, "*") {
			for _, after := range []bool{false, true} {
				name := fmt.Sprintf("%s, %s, after its effect: %v", c.change, call, after)
				o.wires.mend()
				user := o.User("contoso", fmt.Sprintf("u%d@contoso.example", time.Now().UnixNano()), "tech")
				tail := strings.ToLower(user[len(user)-6:])
				o.edit(user, object{"email": tail + "@contoso.example", "phone": "+4930123456"})
				o.wantNoTask(user)

				o.throughFailures(name, user, call, after, func() { c.do(user) })
				want := c.want
				if strings.Contains(want, "%s") {
					want = fmt.Sprintf(want, tail)
				}
				if got := o.account(user); got != want {
					t.Errorf("%s: account: got %q, want %q", name, got, want)
				}
			}
		}
	}
}

func TestP2_AnAccountThatCouldNotBeMadeIsMadeByTheSweep(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	for i, after := range []bool{false, true} {
		o.wires.fail("AdminCreateUser", after)
		email := fmt.Sprintf("kim%d@contoso.example", i)
		kim := o.User("contoso", email, "tech")
		if o.task(kim) == nil {
			t.Fatal("got no task, want one")
		}
		// A change that comes before the account is there.
		o.wires.fail("*", false)
		o.edit(kim, object{"phone": "+4930123456"})
		o.wires.mend()
		o.settle()
		o.settle()
		o.wantNoTask(kim)
		o.wantAccount(kim, "enabled "+email+" +4930123456")
		o.login(email, o.credential(kim), secretOne).Want(http.StatusOK)
	}
}

func TestP19_AChangeDuringAnotherIsAppliedOnceMore(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	kim := o.User("contoso", "kim@contoso.example", "tech")
	o.wires.fail("AdminUpdateUserAttributes", true) // the worker may still be at it, for all that anybody knows
	o.edit(kim, object{"phone": "+4930000001"})
	o.wires.mend()
	o.edit(kim, object{"phone": "+4930000002"})
	o.wantAccount(kim, "enabled kim@contoso.example +4930000002")
	if task := o.task(kim); task == nil || !task.Again {
		t.Fatalf("task: got %+v, want one to be gone through again", task)
	}
	// The first one's late write.
	api, pool := o.Stack.DirectAccounts()
	late := cognito.New(api, pool, "")
	u, err := o.store.User(t.Context(), kim)
	if err != nil {
		t.Fatal(err)
	}
	u.Phone = "+4930000001"
	if _, err := late.Sync(t.Context(), u.Account(), true); err != nil {
		t.Fatal(err)
	}
	o.settle()
	o.wantNoTask(kim)
	o.wantAccount(kim, "enabled kim@contoso.example +4930000002")
}

func TestP2_TwoSweepsAtOnceAreHarmless(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	o.wires.fail("*", false)
	var users []string
	for i := range 12 {
		users = append(users, o.User("contoso", fmt.Sprintf("u%d@contoso.example", i), "tech"))
	}
	o.Stack.Clock.Advance(8 * time.Minute) // when nothing that was sent can arrive any more, and without its sweep
	o.wires.mend()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			o.Anonymous().Local(http.MethodPost, "/_local/lambda/2015-03-31/functions/expire/invocations", object{})
		})
	}
	both.Wait()
	for i, u := range users {
		o.wantNoTask(u)
		o.wantAccount(u, fmt.Sprintf("enabled u%d@contoso.example", i))
	}
	if got := o.wires.count("AdminCreateUser"); got != len(users)+1 { // and the owner's
		t.Errorf("accounts made: got %d calls, want %d: each task is one worker's", got, len(users)+1)
	}
}

func TestASilentIdentityProviderDelaysNothingElse(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	o.Customer("acme")
	o.Grant("acme", object{"partner": "contoso", "until": spec.Start.Add(time.Minute).Format(time.RFC3339)}).Want(http.StatusCreated)
	o.wires.fail("*", false)
	for i := range 40 {
		o.User("contoso", fmt.Sprintf("u%d@contoso.example", i), "tech")
	}
	before := o.wires.count("AdminGetUser")
	o.settle()
	if got := o.wires.count("AdminGetUser") - before; got == 0 || got > 8 {
		t.Errorf("calls of the sweep: got %d, want at most one for each of the 8 shards", got)
	}
	ended := o.AdminOf("acme").Do(http.MethodGet, "/v1/customers/acme/history?type=grant.expired", nil).Want(http.StatusOK)
	if got := ended.Int("items.length"); got != 1 {
		t.Errorf("ends that were written down: got %d, want 1", got)
	}
}

// Cognito gives an address to one account only, which cognito-local does not.
func TestP19_TwoWhoHaveSwappedAddressesDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	unique := &uniqueAddresses{o: o, next: o.wires.next}
	ann, ben := o.User("contoso", "ann@contoso.example", "tech"), o.User("contoso", "ben@contoso.example", "tech")
	o.wires.fail("*", false)
	o.edit(ann, object{"email": "between@contoso.example"})
	o.edit(ben, object{"email": "ann@contoso.example"})
	o.edit(ann, object{"email": "ben@contoso.example"})
	o.wires.next = unique
	o.wires.mend()
	for range 4 {
		o.settle()
	}
	o.wantNoTask(ann)
	o.wantNoTask(ben)
	o.wantAccount(ann, "enabled ben@contoso.example")
	o.wantAccount(ben, "enabled ann@contoso.example")
	if unique.refused == 0 {
		t.Error("no address was held by another account: this test shows nothing")
	}
}

type uniqueAddresses struct {
	o       *employer
	next    cognitoidentityprovider.HTTPClient
	mu      sync.Mutex
	refused int
}

func (u *uniqueAddresses) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".AdminUpdateUserAttributes") {
		return u.next.Do(r)
	}
	u.mu.Lock() // so that two updates cannot both find the address free
	defer u.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in cognitoidentityprovider.AdminUpdateUserAttributesInput
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	api, pool := u.o.Stack.DirectAccounts()
	for _, a := range in.UserAttributes {
		if *a.Name != "email" {
			continue
		}
		holders, err := api.ListUsers(context.WithoutCancel(r.Context()),
			&cognitoidentityprovider.ListUsersInput{UserPoolId: &pool, Filter: aws.String(fmt.Sprintf("email = %q", *a.Value))})
		if err != nil {
			return nil, err
		}
		if len(holders.Users) > 0 && *holders.Users[0].Username != *in.Username {
			u.refused++
			return refusal(r, "AliasExistsException"), nil
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return u.next.Do(r)
}

func TestWithIDENTITYNoneNoAccountsAreKept(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	w.Provider().Do(http.MethodPatch, pathOf(kim), object{"email": "kira@contoso.example"}, "If-Match", "*").Want(http.StatusOK)
	task, err := dynamo.New(w.Stack.Engine().Client(), w.Stack.Table()).Task(t.Context(), access.IdentityTask(kim))
	if err != nil || task != nil {
		t.Errorf("identity task: got %+v (%v), want none", task, err)
	}
	a := w.As("kira@contoso.example").Do(http.MethodPost, pathOf(kim)+"/password", object{"current": secretOne, "new": secretTwo}).
		WantProblem(http.StatusNotFound, "not_found")
	if got := a.String("detail"); !strings.Contains(got, "passwords are not kept here") {
		t.Errorf("detail: got %q, want it to say that passwords are not kept here", got)
	}
	w.Anonymous().Local(http.MethodPost, "/_local/login",
		object{"email": "kira@contoso.example", "password": secretOne}).Want(http.StatusNotFound)
}

func TestAccountsThatAreKeptNoMoreLeaveNoTasks(t *testing.T) {
	t.Parallel()
	o := newEmployer(t)
	o.wires.fail("*", false)
	kim := o.User("contoso", "kim@contoso.example", "tech")
	// The same table, after IDENTITY was set to none.
	s := sweep.Sweep{
		Store: o.store, Now: func() time.Time { return o.Now().Add(time.Minute) },
		NewID: func() string { t.Error("nothing new is wanted"); return "" },
		Log:   slog.New(slog.DiscardHandler),
	}
	if r, err := s.Run(t.Context()); err != nil || r.Failed > 0 {
		t.Errorf("sweep: got %+v (%v), want no failure", r, err)
	}
	o.wantNoTask(kim)
}
