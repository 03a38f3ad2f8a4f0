package access_test

import (
	"testing"

	"partneraccess/shared/access"
)

func TestAPersonAloneChoosesHowItReads(t *testing.T) {
	t.Parallel()
	german := access.Preferences{Language: "de", Zone: "Europe/Berlin"}
	kim := access.Identity{Email: "kim@contoso.example", User: &access.User{ID: "contoso:kim"}}
	max := access.Identity{Email: "max@acme.example", MemberOf: []string{"acme"}}
	for _, c := range []struct {
		name   string
		who    access.Identity
		record *access.Email
		code   access.Code // "" = it is planned
	}{
		{"a partner's user", kim, &access.Email{Address: kim.Email, User: "contoso:kim", Version: 3}, ""},
		{"a member", max, &access.Email{Address: max.Email, MemberOf: []string{"acme"}, Version: 3}, ""},
		{"nobody", access.Identity{Email: "eve@elsewhere.example"}, nil, access.NotRegistered},
		{"who was removed meanwhile", kim, &access.Email{Address: kim.Email, Version: 3}, access.NotRegistered},
		{"whose address another user has by now", kim, &access.Email{Address: kim.Email, User: "fabrikam:kim", Version: 3}, access.NotRegistered},
		{"a member no longer", max, &access.Email{Address: max.Email, Version: 3}, access.NotRegistered},
		{
			"an address that only a partner's user has",
			access.Identity{Email: kim.Email},
			&access.Email{Address: kim.Email, User: "contoso:kim"},
			access.NotRegistered,
		},
	} {
		change, err := access.PlanPreferences(c.record, c.who, german)
		if got := access.CodeOf(err); got != c.code {
			t.Errorf("%s: got %q, want %q", c.name, got, c.code)
			continue
		}
		if c.code != "" {
			continue
		}
		w, ok := change.Writes[0].(access.EmailWrite)
		if !ok || len(change.Writes) != 1 || len(change.Events) != 0 || w.After.Preferences != german || w.Before != c.record ||
			w.After.Version != c.record.Version+1 {
			t.Errorf("%s: got %+v, want the record with the choice, and no event", c.name, change)
		}
		if again, err := access.PlanPreferences(w.After, c.who, german); err != nil || !again.Empty() {
			t.Errorf("%s: again: got %+v and %v, want nothing", c.name, again, err)
		}
	}
}
