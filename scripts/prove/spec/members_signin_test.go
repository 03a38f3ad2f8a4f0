package spec_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
)

const (
	bea  = "bea@acme.example"
	beas = "/v1/customers/acme/members/bea@acme.example"
)

// memberAccount is the name of the account that an address has for its members; "" when there is none.
func (o *employer) memberAccount(address string) string {
	o.t.Helper()
	e, err := o.store.Email(o.t.Context(), address)
	if err != nil {
		o.t.Fatal(err)
	}
	if e == nil {
		return ""
	}
	return e.Account
}

var mailedPassword = regexp.MustCompile(`Temporary password:\s+(\S+)`)

// passwordMail waits for the n-th mail to a member's address that carries a temporary password, and returns that.
func (o *employer) passwordMail(to string, n int) (secret, text string) {
	o.t.Helper()
	spec.Eventually(o.t, func() error {
		var found []string
		for _, m := range o.Stack.Mail.List() {
			if m.To == to && strings.HasPrefix(m.Event, "member.") && mailedPassword.MatchString(m.Text) {
				found = append(found, m.Text)
			}
		}
		if len(found) < n {
			return fmt.Errorf("mails with a password to %s: got %d, want %d", to, len(found), n)
		}
		text = found[n-1]
		secret = mailedPassword.FindStringSubmatch(text)[1]
		return nil
	})
	return secret, text
}

// member registers a customer's admin, who chooses a password with what the mail carries; and gives the token.
func (o *employer) member(address, password string) (token string) {
	o.t.Helper()
	o.Customer("acme")
	o.Admin("acme", address)
	secret, _ := o.passwordMail(address, 1)
	return o.login(address, secret, password).Want(http.StatusOK).String("token")
}

func TestAMemberSignsInWithTheMailedPassword(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	token := o.member(bea, secretOne)
	_, text := o.passwordMail(bea, 1)
	for _, want := range []string{"as an administrator of acme", "Sign in:"} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("the mail: got no %q in\n%s", want, text)
		}
	}
	account := o.memberAccount(bea)
	o.wantAccount(account, "enabled "+bea)
	o.wantNoTask(account)
	o.in(bea, secretOne)
	o.in("BEA@acme.example", secretOne)
	o.out(bea, secretTwo)

	me := o.Bearer(token)
	if got := me.Do(http.MethodGet, "/v1/me", nil).Want(http.StatusOK); got.Int("customers.length") != 1 || got.Get("partner") != nil {
		t.Errorf("me: got %s, want a member of acme and no partner's user", got.Body)
	}
	me.Do(http.MethodPost, "/v1/customers/acme/grants", object{"email": "olga@contoso.example", "level": "view"}).Want(http.StatusCreated)
	o.Customer("globex")
	me.Do(http.MethodGet, "/v1/customers/globex/grants", nil).Want(http.StatusNotFound)
}

func TestAMemberOfSeveralCustomersHasOneAccount(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	token := o.member(bea, secretOne)
	account := o.memberAccount(bea)
	o.Customer("globex")
	o.Member("globex", bea)
	if got := o.memberAccount(bea); got != account {
		t.Errorf("a second customer: got account %s, want %s", got, account)
	}
	o.Bearer(token).Do(http.MethodGet, "/v1/customers/globex/grants", nil).Want(http.StatusOK)

	o.Provider().Do(http.MethodDelete, beas, nil).Want(http.StatusNoContent)
	o.Bearer(token).Do(http.MethodGet, "/v1/customers/acme/grants", nil).Want(http.StatusNotFound)
	o.Bearer(token).Do(http.MethodGet, "/v1/customers/globex/grants", nil).Want(http.StatusOK)
	o.wantAccount(account, "enabled "+bea)
}

func TestAnAccountEndsWithTheLastMembership(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	token := o.member(bea, secretOne)
	account := o.memberAccount(bea)
	o.Provider().Do(http.MethodDelete, beas, nil).Want(http.StatusNoContent)
	o.wantAccount(account, "none")
	o.wantNoTask(account)
	o.out(bea, secretOne)

	// Whoever is registered under the address again is somebody else as far as anybody knows: the token of before is nobody's.
	o.Admin("acme", bea)
	if again := o.memberAccount(bea); again == account || again == "" {
		t.Errorf("registered again: got account %q, want another than %s", again, account)
	}
	a := o.Bearer(token).Do(http.MethodGet, "/v1/customers/acme/grants", nil).Want(http.StatusUnauthorized)
	if !strings.Contains(a.String("detail"), "sign in again") {
		t.Errorf("got %s, want to be told to sign in again", a.Body)
	}
	secret, _ := o.passwordMail(bea, 2)
	o.out(bea, secretOne)
	next := o.login(bea, secret, secretTwo).Want(http.StatusOK).String("token")
	o.Bearer(next).Do(http.MethodGet, "/v1/customers/acme/grants", nil).Want(http.StatusOK)
}

func TestAMembersAccountOutlivesFailures(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	o.Customer("acme")
	o.wires.fail("AdminCreateUser", false)
	o.Admin("acme", bea)
	account := o.memberAccount(bea)
	if o.task(account) == nil {
		t.Fatal("the provider does not answer: got no task, want one")
	}
	o.wires.mend()
	o.settle()
	o.wantNoTask(account)
	o.wantAccount(account, "enabled "+bea)

	o.wires.fail("AdminDeleteUser", true)
	o.Provider().Do(http.MethodDelete, beas, nil).Want(http.StatusNoContent)
	if o.task(account) == nil {
		t.Fatal("an answer that is lost: got no task, want one")
	}
	o.wires.mend()
	o.settle()
	o.settle()
	o.wantNoTask(account)
	o.wantAccount(account, "none")
}

func TestAMembersAccountIsNoPartnersUser(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	token := o.member(bea, secretOne)

	// The same address comes to a partner's user (by a hand in the table, say): the account stays what its name says.
	olga := "olga@contoso.example"
	forged := o.Bearer(o.Token(stack.TokenRequest{Email: olga, Account: o.memberAccount(bea)}))
	for _, path := range []string{"/v1/me", "/v1/partners/contoso/users", "/v1/partners/contoso/account"} {
		forged.Do(http.MethodGet, path, nil).Want(http.StatusUnauthorized)
	}
	o.Bearer(token).Do(http.MethodGet, "/v1/partners/contoso/users/nobody", nil).Want(http.StatusNotFound)
	ask := object{
		"subject": object{"type": "user", "id": bea}, "action": object{"name": "sign_in"},
		"resource": object{"type": "customer", "id": "acme"},
	}
	o.Bearer(token).Do(http.MethodPost, "/access/v1/evaluation", ask).Want(http.StatusForbidden)
	scoped := o.Bearer(o.Token(stack.TokenRequest{
		Email: bea, Account: o.memberAccount(bea), Scope: "partner-access/directory partner-access/check",
	}))
	scoped.Do(http.MethodPost, "/access/v1/evaluation", ask).Want(http.StatusForbidden)
	scoped.Do(http.MethodPut, "/v1/customers/mine", object{"name": "Mine"}).WantProblem(http.StatusForbidden, "forbidden")
}

func TestAPartnersUsersAddressGetsNoMembersAccount(t *testing.T) { // A7, A8
	t.Parallel()
	o := newEmployer(t, withStream)
	o.Customer("acme")
	kim := o.User("contoso", "kim@contoso.example", "tech")
	first := temporaryIn(t, o.mailTo("kim@contoso.example"))
	token := o.login("kim@contoso.example", first, secretOne).Want(http.StatusOK).String("token")
	o.Member("acme", "kim@contoso.example")
	if got := o.memberAccount("kim@contoso.example"); got != "" {
		t.Errorf("got account %s, want none", got)
	}
	o.Bearer(token).Do(http.MethodGet, "/v1/customers/acme/grants", nil).Want(http.StatusNotFound)
	renew := "/v1/customers/acme/members/kim@contoso.example/password"
	o.Provider().Do(http.MethodPost, renew, object{"send": true}).WantProblem(http.StatusConflict, "email_taken")

	o.remove(kim)
	account := o.memberAccount("kim@contoso.example")
	o.wantAccount(kim, "none")
	o.wantAccount(account, "enabled kim@contoso.example")
	o.Provider().Do(http.MethodPost, renew, object{"send": true}).Want(http.StatusOK)
	secret, _ := o.passwordMail("kim@contoso.example", 1)
	next := o.login("kim@contoso.example", secret, secretTwo).Want(http.StatusOK).String("token")
	o.Bearer(next).Do(http.MethodGet, "/v1/customers/acme/grants", nil).Want(http.StatusOK)
	o.Bearer(token).Do(http.MethodGet, "/v1/customers/acme/grants", nil).Want(http.StatusUnauthorized)
}

func TestAMembersPasswordIsRenewed(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	o.Customer("acme")
	o.Admin("acme", bea)
	first, _ := o.passwordMail(bea, 1)
	renew := func(body object) *spec.Answer { return o.Provider().Do(http.MethodPost, beas+"/password", body) }
	for _, wrong := range []object{{}, {"send": false}, {"reset": false}, {"send": true, "reset": true}, {"send": true, "new": "x"}} {
		renew(wrong).Want(http.StatusBadRequest)
	}
	renew(object{"send": true}).Want(http.StatusOK)
	second, _ := o.passwordMail(bea, 2)
	o.out(bea, first)
	o.login(bea, second, secretOne).Want(http.StatusOK)
	renew(object{"send": true}).WantProblem(http.StatusConflict, "ended")
	o.in(bea, secretOne)

	renew(object{"reset": true}).Want(http.StatusOK)
	o.out(bea, secretOne)
	third, _ := o.passwordMail(bea, 3)
	o.login(bea, third, secretTwo).Want(http.StatusOK)

	o.Provider().Do(http.MethodPost, "/v1/customers/acme/members/nobody@acme.example/password", object{"send": true}).
		Want(http.StatusNotFound)
	o.Provider().Do(http.MethodPost, "/v1/customers/nowhere/members/bea@acme.example/password", object{"reset": true}).
		Want(http.StatusNotFound)
}

func TestAMembersTemporaryPasswordEnds(t *testing.T) {
	t.Parallel()
	o := newEmployer(t, withStream)
	o.Customer("acme")
	o.Admin("acme", bea)
	secret, _ := o.passwordMail(bea, 1)
	task := func() *access.Task {
		got, err := o.store.Task(t.Context(), access.ActivationTask(o.memberAccount(bea)))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	due := task()
	if due == nil || due.Address != bea {
		t.Fatalf("got task %+v, want one for %s", due, bea)
	}
	o.Advance(due.Due.Sub(o.Now()) + time.Second)
	o.settle()
	if left := task(); left != nil {
		t.Errorf("got task %+v, want it done", left)
	}
	o.out(bea, secret)
}
