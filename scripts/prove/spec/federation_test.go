package spec_test

import (
	"net/http"
	"strings"
	"testing"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
)

// federated is a world in which corp vouches for acme.example and any for everybody; neither is trusted with more than it says.
func federated(t *testing.T) *employer {
	t.Helper()
	o := newEmployer(t, withStream, func(c *stack.Config) {
		c.Settings = map[string]string{"FEDERATION": "corp=acme.example,contoso.example;any=*"}
	})
	o.Customer("acme")
	o.Customer("globex")
	o.Admin("acme", bea)
	o.Admin("globex", "gus@globex.example")
	return o
}

// comes is somebody with a token as Cognito makes it of what an identity provider says.
func (o *employer) comes(account, email string, verified bool, scope string) *spec.Client {
	o.t.Helper()
	return o.Bearer(o.Token(stack.TokenRequest{Account: account, Email: email, EmailVerified: &verified, Scope: scope}))
}

func TestAMemberComesByItsOwnIdentityProvider(t *testing.T) {
	t.Parallel()
	o := federated(t)
	if got := o.memberAccount(bea); got != "" {
		t.Errorf("a member of a federated domain: got account %s, want none", got)
	}
	for _, account := range []string{"idp~corp_ann", "IDP~Corp_Ann", "idp~any_1", "idp~corp_https://id.acme.example/bea"} {
		o.comes(account, bea, true, "").Do(http.MethodGet, "/v1/customers/acme/grants", nil).Want(http.StatusOK)
	}
	o.Provider().Do(http.MethodPost, beas+"/password", object{"send": true}).WantProblem(http.StatusNotFound, "not_found")

	o.Provider().Do(http.MethodDelete, beas, nil).Want(http.StatusNoContent)
	o.comes("idp~corp_ann", bea, true, "").Do(http.MethodGet, "/v1/customers/acme/grants", nil).
		WantProblem(http.StatusForbidden, "not_registered")
}

func TestAnIdentityProviderThatLiesGetsNothing(t *testing.T) {
	t.Parallel()
	o := federated(t)
	kim := o.User("contoso", "kim@contoso.example", "tech")
	o.Grant("acme", object{"partner": "contoso", "everyone": true, "level": "manage"}).Want(http.StatusCreated)
	grants := func(c *spec.Client, customer string) *spec.Answer {
		return c.Do(http.MethodGet, "/v1/customers/"+customer+"/grants", nil)
	}

	// An address that it has not verified, or may not vouch for.
	grants(o.comes("idp~corp_1", bea, false, ""), "acme").Want(http.StatusForbidden)
	for _, account := range []string{"idp~corp_1", "idp~unknown_1"} {
		a := grants(o.comes(account, "gus@globex.example", true, ""), "globex").Want(http.StatusUnauthorized)
		if strings.Contains(string(a.Body), "gus@") {
			t.Errorf("%s: got %s, want no address", account, a.Body)
		}
	}
	grants(o.comes("idp~corp_1", "bea@eu.acme.example", true, ""), "acme").Want(http.StatusUnauthorized)

	// A partner's user, by its address and by a subject that looks like the name of its account.
	for _, account := range []string{"idp~corp_1", "idp~corp_" + kim, "idp~any_" + kim} {
		c := o.comes(account, "kim@contoso.example", true, "partner-access/directory partner-access/check")
		me := c.Do(http.MethodGet, "/v1/me", nil).Want(http.StatusOK)
		if me.Get("partner") != nil {
			t.Errorf("%s: got %s, want no partner's user", account, me.Body)
		}
		c.Do(http.MethodGet, "/v1/partners/contoso/users", nil).WantProblem(http.StatusForbidden, "not_registered")
		c.Do(http.MethodPut, "/v1/customers/mine", object{"name": "Mine"}).WantProblem(http.StatusForbidden, "forbidden")
		c.Do(http.MethodPost, "/access/v1/evaluation", object{
			"subject": object{"type": "user", "id": kim}, "action": object{"name": "sign_in"},
			"resource": object{"type": "customer", "id": "acme"},
		}).Want(http.StatusForbidden)
	}

	// Nor does anybody accept an invitation with it.
	_, token := o.invite(1)
	o.comes("idp~any_1", eve, true, "").Do(http.MethodPost, byToken(token)+"/accept", object{}).WantProblem(http.StatusForbidden, "forbidden")
}
