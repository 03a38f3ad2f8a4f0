package access_test

import (
	"strings"
	"testing"

	"partneraccess/shared/access"
)

func TestAnAliasHidesThePersonAndKeepsTheDomain(t *testing.T) {
	t.Parallel()
	kim := access.Alias("kim@contoso.example")
	if strings.Contains(kim, "kim") || !strings.HasSuffix(kim, "@contoso.example") {
		t.Errorf("got %s, want a digest at contoso.example", kim)
	}
	for _, other := range []string{"lea@contoso.example", "kim@fabrikam.example", "Kim@contoso.example"} {
		if kim == access.Alias(other) {
			t.Errorf("got %s of %s, too, want one for each address", kim, other)
		}
	}
	for _, domain := range []string{"contoso.example", "example", "eu.contoso.example", "oso.example", ""} {
		if got, want := access.InDomain(kim, domain), access.InDomain("kim@contoso.example", domain); got != want {
			t.Errorf("in %q: got %v of the alias and %v of the address", domain, got, want)
		}
	}
	caps := access.Caps{access.Alias("kim@old.example"): access.View, kim: access.Support, access.Alias("lea@contoso.example"): access.None}
	u := access.User{Email: kim, FormerEmails: []string{access.Alias("kim@old.example")}}
	if got, capped := caps.Of(&u); got != access.View || !capped {
		t.Errorf("got the cap %v, %v, want the lower of the person's own", got, capped)
	}
}
