package dynamo

import (
	"strings"
	"testing"
)

func TestAnErrorAboutAnItemNamesNoPersonAndQuotesNothing(t *testing.T) {
	t.Parallel()
	const address, text = "kim.secret@contoso.example", "Kim Secret"
	for _, c := range []struct {
		key  Key
		want string
	}{
		{emailKey(address), "item E#… E: attribute "},
		{blockKey(address, ""), "item B#… B: attribute "},
		{memberKey("acme", address), "item C#acme M#…: attribute "},
		{wordKey("secret", "contoso"), "item W#…: attribute "},
		{userKey("contoso:01J"), "item P#contoso U#contoso:01J: attribute "},
	} {
		for _, attribute := range []string{"version", "created", "mfa", "level"} {
			it := &item{attrs: []attr{{name: pk, text: c.key.PK}, {name: sk, text: c.key.SK}, {name: attribute, text: text + " " + address}}}
			switch attribute {
			case "version":
				it.n(attribute)
			case "created":
				it.t(attribute)
			case "mfa":
				it.b(attribute)
			case "level":
				it.level(attribute)
			}
			if it.err == nil || !strings.HasPrefix(it.err.Error(), c.want+attribute) {
				t.Errorf("%v, %s: got %v, want an error that begins with %q", c.key, attribute, it.err, c.want+attribute)
				continue
			}
			if said := strings.ToLower(it.err.Error()); strings.Contains(said, "secret") {
				t.Errorf("%v, %s: got %q, want no address and no name in it", c.key, attribute, said)
			}
		}
	}
}
