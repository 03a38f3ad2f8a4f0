package spec_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/access"
)

const eve = "eve@elsewhere.example"

// newHost is an employer whose partner contoso is invited to by acme.
func newHost(t *testing.T) *employer {
	t.Helper()
	o := newEmployer(t, withStream)
	o.Customer("acme")
	return o
}

// invite invites eve, and returns the invitation's id and the token of its mail.
func (o *employer) invite(n int) (id, token string) {
	o.t.Helper()
	id = o.AdminOf("acme").Do(http.MethodPost, invitations, object{"email": eve, "partner": "contoso", "level": "support"}).
		Want(http.StatusCreated).String("invitation.id")
	return id, tokenIn(o.t, mailed(o.t, o.World, eve, "invitation.created", n))
}

func (o *employer) register(token string, body any) *spec.Answer {
	o.t.Helper()
	return o.Anonymous().Do(http.MethodPost, byToken(token)+"/register", body)
}

func TestE4_WhoHasNoAccountRegistersWithTheToken(t *testing.T) {
	t.Parallel()
	o := newHost(t)
	_, token := o.invite(1)
	if a := o.Anonymous().Do(http.MethodGet, byToken(token), nil).Want(http.StatusOK); a.Get("can_register") != true {
		t.Errorf("the preview: got %s, want can_register", a.Body)
	}
	o.register(token, object{"name": ""}).WantProblem(http.StatusBadRequest, "invalid", "/name")
	a := o.register(token, object{"name": "Eve Ericson"}).Want(http.StatusOK)
	if a.String("status") != "accepted" || strings.Contains(string(a.Body), eve) {
		t.Errorf("got %s, want accepted, and no address", a.Body)
	}

	// The sweep makes the account, and the mail's next attempt its password.
	o.waitForMails("user.created", eve, 1)
	o.Advance(2 * time.Minute)
	mail := mailed(t, o.World, eve, "user.created", 1)
	for _, want := range []string{"accepted with the link", "external user of contoso", "Hello Eve Ericson"} {
		if !strings.Contains(strings.ToLower(mail.Text), strings.ToLower(want)) {
			t.Errorf("the mail: got no %q in\n%s", want, mail.Text)
		}
	}
	in := o.login(eve, temporaryIn(t, mail), secretOne).Want(http.StatusOK).String("token")
	me := o.Bearer(in).Do(http.MethodGet, "/v1/me", nil).Want(http.StatusOK)
	user := me.String("partner.user.id")
	o.wantAccount(user, "enabled "+eve)
	o.wantNoTask(user)
	o.Bearer(in).Do(http.MethodGet, "/v1/partners/contoso/customers/acme", nil).Want(http.StatusOK)
	o.Allowed(user, "reports:read", "acme")

	// The token has been used: by whoever has it, under whatever account.
	o.register(token, nil).WantProblem(http.StatusGone, "invitation_ended")
	o.Bearer(in).Do(http.MethodPost, byToken(token)+"/accept", object{}).WantProblem(http.StatusGone, "invitation_ended")
	if a := o.Anonymous().Do(http.MethodGet, byToken(token), nil).Want(http.StatusOK); a.Get("can_register") != false {
		t.Errorf("the preview: got %s, want no can_register", a.Body)
	}
}

func TestARepeatedRegistrationIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	o := newHost(t)
	_, token := o.invite(1)
	once := []string{"Idempotency-Key", "once"}
	post := func() *spec.Answer {
		return o.Anonymous().Do(http.MethodPost, byToken(token)+"/register", object{"name": "Eve"}, once...)
	}
	first := post().Want(http.StatusOK)
	if again := post().Want(http.StatusOK); string(again.Body) != string(first.Body) {
		t.Errorf("repeated: got %s, want %s", again.Body, first.Body)
	}
	created := o.Provider().Do(http.MethodGet, "/v1/partners/contoso/history?type=user.created", nil).Want(http.StatusOK)
	if got := created.Int("items.length"); got != 2 {
		t.Errorf("users: got %d, want olga and eve", got)
	}
}

func TestATokenThatOpensNothingRegistersNobody(t *testing.T) {
	t.Parallel()
	o := newHost(t)
	id, token := o.invite(1)
	for _, wrong := range []string{
		token[:len(token)-1], token + "A", "nothing", "acme~" + id + "~" + strings.Repeat("A", 26),
		"nowhere~" + id + "~" + strings.Repeat("A", 26),
	} {
		o.register(wrong, nil).WantProblem(http.StatusNotFound, "not_found")
	}
	ann := o.AdminOf("acme")
	ann.Do(http.MethodPost, invitations+"/"+id+"/resend", nil).Want(http.StatusOK)
	second := tokenIn(t, mailed(t, o.World, eve, "invitation.resent", 1))
	o.register(token, nil).WantProblem(http.StatusNotFound, "not_found") // a later mail has replaced it
	ann.Do(http.MethodDelete, invitations+"/"+id, nil).Want(http.StatusOK)
	o.register(second, nil).WantProblem(http.StatusGone, "invitation_ended")

	_, third := o.invite(2)
	o.Advance(access.DefaultInvitationDays * 24 * time.Hour)
	o.register(third, nil).WantProblem(http.StatusGone, "invitation_ended")
	if u := o.Provider().Do(http.MethodGet, "/v1/partners/contoso/users?q=eve", nil).Want(http.StatusOK); u.Int("items.length") != 0 {
		t.Errorf("got %s, want no user", u.Body)
	}
}

func TestAnAddressThatHasAnAccountRegistersNoOther(t *testing.T) {
	t.Parallel()
	o := newHost(t)
	_, token := o.invite(1)
	user := o.User("contoso", eve, "external")
	a := o.register(token, nil).WantProblem(http.StatusConflict, "email_taken")
	if strings.Contains(string(a.Body), eve) || strings.Contains(string(a.Body), user) {
		t.Errorf("got %s, want neither address nor user", a.Body)
	}
	in := o.login(eve, temporaryIn(t, mailed(t, o.World, eve, "user.created", 1)), secretOne).Want(http.StatusOK).String("token")
	o.Bearer(in).Do(http.MethodPost, byToken(token)+"/accept", object{}).Want(http.StatusOK)
	o.Allowed(user, "reports:read", "acme")
}

func TestAMembersAddressRegistersNoUser(t *testing.T) { // A7
	t.Parallel()
	o := newHost(t)
	_, token := o.invite(1)
	o.Customer("globex")
	o.Member("globex", eve)
	secret, _ := o.passwordMail(eve, 1)
	o.register(token, nil).WantProblem(http.StatusConflict, "email_unavailable")
	in := o.login(eve, secret, secretOne).Want(http.StatusOK).String("token")
	o.Bearer(in).Do(http.MethodPost, byToken(token)+"/accept", object{}).WantProblem(http.StatusForbidden, "forbidden")

	// Nor does the account of a member who is one no more, while its token lives.
	o.Provider().Do(http.MethodDelete, "/v1/customers/globex/members/"+eve, nil).Want(http.StatusNoContent)
	o.Bearer(in).Do(http.MethodPost, byToken(token)+"/accept", object{}).Want(http.StatusUnauthorized)
	o.register(token, object{}).Want(http.StatusOK)
}

func TestNobodyRegistersWhereNoAccountsAreKept(t *testing.T) {
	t.Parallel()
	w := withMail(t)
	w.AdminOf("acme").Do("POST", invitations, m{"email": eve, "partner": "contoso"}).Want(201)
	token := tokenIn(t, mailed(t, w, eve, "invitation.created", 1))
	if a := w.Anonymous().Do("GET", byToken(token), nil).Want(200); a.Get("can_register") != false {
		t.Errorf("the preview: got %s, want no can_register", a.Body)
	}
	w.Anonymous().Do("POST", byToken(token)+"/register", nil).WantProblem(404, "not_found")
	w.As(eve).Do("POST", byToken(token)+"/accept", m{}).Want(200)
}
