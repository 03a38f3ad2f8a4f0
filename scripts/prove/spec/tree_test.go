package spec_test

import (
	"slices"
	"strconv"
	"testing"

	"partneraccess/scripts/prove/spec"
)

func TestW3_AParentSeesItsSubPartnersAndTheProviderAllCustomers(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	for i := range 3 {
		w.Partner("sub-"+strconv.Itoa(i), "parent", "contoso", "name", "Sub "+strconv.Itoa(i))
	}
	w.Customer("acme")
	w.Customer("globex")
	w.User("sub-0", "sam@sub-0.example", "owner")
	w.Grant("acme", m{"partner": "sub-0", "everyone": true}).Want(201)
	list := "/v1/partners/contoso/partners"
	olga := w.As("olga@contoso.example")
	below := olga.Do("GET", list, nil).Want(200)
	if got, want := ids(below), []string{"sub-0", "sub-1", "sub-2"}; !slices.Equal(got, want) {
		t.Errorf("the partners below: got %v, want %v", got, want)
	}
	first, _ := below.Get("items.0").(map[string]any)
	if len(first) != 2 || first["name"] != "Sub 0" {
		t.Errorf("a partner below: got %v, want its id and name and nothing else", first)
	}
	olga.Do("GET", "/v1/partners/sub-0/customers", nil).WantProblem(404, "not_found")

	w.Provider().Do("PATCH", "/v1/partners/sub-1", m{"parent": nil}, "If-Match", "*").Want(200)
	w.Provider().Do("DELETE", "/v1/partners/sub-2", nil).Want(204)
	if got := ids(olga.Do("GET", list, nil).Want(200)); !slices.Equal(got, []string{"sub-0"}) {
		t.Errorf("after one has no parent any more and one is removed: got %v, want the third alone", got)
	}

	if got := ids(w.Provider().Do("GET", "/v1/customers", nil).Want(200)); !slices.Equal(got, []string{"acme", "globex"}) {
		t.Errorf("all customers: got %v, want both, by name", got)
	}
	if got := ids(w.Provider().Do("GET", "/v1/customers?q=glo", nil).Want(200)); !slices.Equal(got, []string{"globex"}) {
		t.Errorf("those whose name begins with glo: got %v, want globex", got)
	}
	w.Provider().Do("DELETE", "/v1/customers/globex", nil).Want(204)
	if got := ids(w.Provider().Do("GET", "/v1/customers", nil).Want(200)); !slices.Equal(got, []string{"acme"}) {
		t.Errorf("after one is removed: got %v, want the other alone", got)
	}
}

func TestW14_A18_A20_OneCustomerHasTheSignInLinkAndTheOwnLevel(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "manage", "assigned_by": "partner"}).Want(201)
	page := "/v1/partners/contoso/customers/acme"
	got := w.As("kim@contoso.example").Do("GET", page, nil).Want(200)
	if got.Get("you_have_access") != true || got.String("your_level") != "manage" || got.String("your_reason") != "granted" ||
		got.String("sign_in_url") == "" {
		t.Errorf("who has access: got %s, want the link and its level", got.Body)
	}
	got = w.As("sam@contoso.example").Do("GET", page, nil).Want(200)
	if got.Get("you_have_access") != false || got.String("your_reason") != "user_not_assigned" || got.Get("sign_in_url") != nil {
		t.Errorf("who is not assigned: got %s, want no link and the reason of a check", got.Body)
	}
	w.Denied(sam, "sign_in", "acme", "user_not_assigned")
	if got := w.Provider().Do("GET", page, nil).Want(200); got.Get("your_level") != nil || got.Get("your_reason") != nil {
		t.Errorf("the provider: got %s, want nothing about itself", got.Body)
	}

	w.User("contoso", "eve@elsewhere.example", "external")
	w.As("eve@elsewhere.example").Do("GET", page, nil).WantProblem(404, "not_found") // who cannot enter sees none
}

// ids are those of a list's items, in its order.
func ids(a *spec.Answer) []string {
	var list struct {
		Items []struct{ ID string }
	}
	a.JSON(&list)
	out := make([]string, len(list.Items))
	for i, item := range list.Items {
		out[i] = item.ID
	}
	return out
}
