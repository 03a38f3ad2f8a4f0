package spec_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/dynamo"
)

// twoCustomers is a world with two customers, both of which have granted contoso nothing yet.
func twoCustomers(t *testing.T) *spec.World {
	t.Helper()
	w := spec.New(t, func(c *stack.Config) { c.Stream = true })
	w.Customer("acme")
	w.Customer("globex")
	w.Partner("contoso")
	return w
}

func TestACustomersWebhookGetsItsOwnEventsAlone(t *testing.T) {
	t.Parallel()
	w := twoCustomers(t)
	own, theirs, all := newReceiver(t), newReceiver(t), newReceiver(t)
	path := hookOf(t, w.AdminOf("acme"), hooksOf("acme"), own, m{"types": []string{}})
	hookOf(t, w.AdminOf("globex"), hooksOf("globex"), theirs, m{"types": []string{"grant.*"}})
	hook(t, w, all, m{"types": []string{"grant.*", "partner.*"}})
	w.Partner("fabrikam") // of nobody's concern but the provider's
	w.Grant("acme", m{"partner": "contoso", "everyone": true}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "everyone": true}).Want(201)
	wantCount(t, own, "grant.created", 1, nil)
	wantCount(t, theirs, "grant.created", 1, nil)
	wantCount(t, all, "grant.created", 2, nil)
	wantCount(t, all, "partner.created", 1, nil)
	w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
	wantCount(t, own, "grant.revoked", 1, nil)
	wantCount(t, own, "access.lost", 1, nil)
	if a, b := len(own.ids("partner.created")), len(theirs.ids("grant.revoked")); a+b > 0 {
		t.Errorf("got %d and %d events that are of no concern to those customers", a, b)
	}
	if got := w.AdminOf("acme").Do("GET", path, nil).Want(200).String("customer"); got != "acme" {
		t.Errorf("got the customer %q, want acme", got)
	}
}

func TestAWebhookOfAnotherOwnerIsNotThere(t *testing.T) {
	t.Parallel()
	w := twoCustomers(t)
	body := m{"url": "https://hooks.example.invalid/"}
	acme, globex := w.AdminOf("acme"), w.AdminOf("globex")
	theirs := globex.Do("POST", hooksOf("globex"), body).Want(201).String("webhook.id")
	providers := w.Provider().Do("POST", webhooks, body).Want(201).String("webhook.id")
	acme.Do("POST", hooksOf("acme"), body).Want(201)
	for _, id := range []string{theirs, providers} {
		for _, ask := range []string{"GET ", "DELETE ", "POST /verify", "POST /rotate", "POST /test", "GET /deliveries"} {
			method, rest, _ := strings.Cut(ask, " ")
			acme.Do(method, hooksOf("acme")+"/"+id+rest, nil).WantProblem(404, "not_found")
		}
	}
	w.Provider().Do("GET", webhooks+"/"+theirs, nil).WantProblem(404, "not_found")
	acme.Do("GET", hooksOf("globex"), nil).WantProblem(404, "not_found")
	w.Member("acme", "mia@acme.example")
	w.As("mia@acme.example").Do("GET", hooksOf("acme"), nil).WantProblem(403, "forbidden")
	acme.Do("POST", hooksOf("acme"), m{"url": body["url"], "customer": "globex"}).WantProblem(400, "invalid", "/customer")
	for _, address := range []string{"https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "http://hooks.example.invalid/"} {
		acme.Do("POST", hooksOf("acme"), m{"url": address}).WantProblem(400, "invalid", "/url")
	}
}

func TestCustomersHaveWebhooksOnlyWhereTheyAreSwitchedOn(t *testing.T) {
	t.Parallel()
	w := spec.New(t, func(c *stack.Config) { c.Settings = map[string]string{"CUSTOMER_WEBHOOKS": ""} })
	w.Customer("acme")
	w.AdminOf("acme").Do("GET", hooksOf("acme"), nil).WantProblem(404, "not_found")
	w.AdminOf("acme").Do("POST", hooksOf("acme"), m{"url": "https://hooks.example.invalid/"}).WantProblem(404, "not_found")
}

// An admin of a customer is nobody's whom the provider trusts: the service knocks at no address again and again because he asks for it.
func TestACustomerHasFewWebhooksAndFewCalls(t *testing.T) {
	t.Parallel()
	w := twoCustomers(t)
	acme, body := w.AdminOf("acme"), m{"url": "https://hooks.example.invalid/"}
	for range 5 {
		acme.Do("POST", hooksOf("acme"), body).Want(201)
	}
	acme.Do("POST", hooksOf("acme"), body).WantProblem(409, "too_many_webhooks")
	path := hooksOf("acme") + "/" + acme.Do("GET", hooksOf("acme"), nil).Want(200).String("items.0.id")
	for range 55 {
		acme.Do("POST", path+"/verify", nil).Want(200)
	}
	for _, call := range []string{"/verify", "/rotate"} {
		if a := acme.Do("POST", path+call, nil); a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: got no Retry-After", call)
		} else {
			a.WantProblem(429, "too_many_requests")
		}
	}
	acme.Do("POST", path+"/replay", m{"from": w.Now()}).WantProblem(429, "too_many_requests")
	acme.Do("DELETE", path, nil).Want(204) // what removes one is not counted
	acme.Do("POST", hooksOf("acme"), body).WantProblem(429, "too_many_requests")
	w.AdminOf("globex").Do("POST", hooksOf("globex"), body).Want(201)
	w.Advance(time.Hour)
	acme.Do("POST", hooksOf("acme"), body).Want(201)
}

func TestACustomersAddressThatHangsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	w := twoCustomers(t)
	bad, good, providers := newReceiver(t), newReceiver(t), newReceiver(t)
	hookOf(t, w.AdminOf("acme"), hooksOf("acme"), bad, m{"types": []string{"grant.*"}})
	hookOf(t, w.AdminOf("globex"), hooksOf("globex"), good, m{"types": []string{"grant.*"}})
	hook(t, w, providers, m{"types": []string{"grant.*"}})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	bad.set(func() { bad.answer = func(string, string) int { <-release; return 500 } })
	for _, customer := range []string{"acme", "globex"} {
		for range 5 {
			w.Grant(customer, m{"partner": "contoso", "everyone": true}).Want(201)
			w.AdminOf(customer).Do("DELETE", "/v1/customers/"+customer+"/grants/contoso", nil).Want(200)
		}
	}
	wantCount(t, good, "grant.revoked", 5, nil)
	wantCount(t, providers, "grant.revoked", 10, nil)
}

// Whoever the address belongs to is nobody's customer any more: nothing is sent there, and no secret is kept.
func TestTheWebhooksOfACustomerGoWithIt(t *testing.T) {
	t.Parallel()
	w := twoCustomers(t)
	own, all := newReceiver(t), newReceiver(t)
	hookOf(t, w.AdminOf("acme"), hooksOf("acme"), own, m{})
	hook(t, w, all, m{"types": []string{"customer.removed"}})
	w.Provider().Do("DELETE", "/v1/customers/acme", nil, "If-Match", "*")
	wantCount(t, all, "customer.removed", 1, nil)
	store := dynamo.New(w.Stack.Engine().Client(), w.Stack.Table())
	spec.Eventually(t, func() error {
		hooks, err := store.Webhooks(t.Context(), "acme")
		if err != nil || len(hooks.List) > 0 {
			return errors.Join(err, fmt.Errorf("%d webhooks are left", len(hooks.List)))
		}
		return nil
	})
	if n := len(own.ids("customer.removed")); n != 0 {
		t.Errorf("the address got %d events of the removal, want none", n)
	}
}

func TestACustomersContactsHearThatItsWebhookWasDisabled(t *testing.T) {
	t.Parallel()
	const it = "it@acme.example"
	w := twoCustomers(t)
	contacts := m{"name": "Acme", "domain": "acme.example", "contacts": []string{it}}
	w.Provider().Do("PUT", "/v1/customers/acme", contacts, "If-Match", "*").Want(200)
	r := newReceiver(t)
	path := hookOf(t, w.AdminOf("acme"), hooksOf("acme"), r, m{})
	r.set(func() { r.answer = func(string, string) int { return http.StatusGone } })
	w.AdminOf("acme").Do("POST", path+"/test", nil).Want(202)
	wantStatusAs(t, w.AdminOf("acme"), path, "disabled")
	if mail := mailed(t, w, it, "webhook.disabled", 1); !strings.Contains(mail.Text, "Acme") {
		t.Errorf("got %s, want it to name the customer", mail.Text)
	}
	id := mailState(t, w, acmeMail, it, "webhook.disabled", "delivered")
	w.AdminOf("acme").Do("POST", acmeMail+"/"+id+"/resend", nil).Want(200)
	mailed(t, w, it, "webhook.disabled", 2)
	for _, mail := range w.Stack.Mail.List() {
		if mail.To == operations {
			t.Errorf("the provider was told of a customer's webhook: %s", mail.Subject)
		}
	}
}
