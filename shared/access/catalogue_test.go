package access_test

import (
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/access"
)

func TestACatalogueThatIsWrongIsRefusedAndSaysWhere(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"no JSON", "levels: view", "catalogue: "},
		{"cut off", `{"levels":{"view":["a"]`, "catalogue: "},
		{"something follows", `{} {}`, "follows"},
		{"a brace too many", `{}}`, "follows"},
		{"a list", `[]`, "catalogue: "},
		{"an unknown field", `{"level":{}}`, "level"},
		{"an unknown level", `{"levels":{"edit":["a"]}}`, "edit"},
		{"level none gives nothing", `{"levels":{"none":["a"]}}`, "none"},
		{"an unknown role", `{"roles":{"root":["*"]}}`, "root"},
		{"external has no role", `{"roles":{"external":["*"]}}`, "external"},
		{"an empty pattern", `{"levels":{"view":[""]}}`, `view: "" is no pattern`},
		{"nothing after !", `{"levels":{"view":["!"]}}`, `"!" is no pattern`},
		{"two !", `{"levels":{"support":["!!a"]}}`, "support"},
		{"a star inside", `{"levels":{"manage":["a*b"]}}`, "manage"},
		{"two stars", `{"roles":{"tech":["a**"]}}`, "tech"},
		{"a space", `{"roles":{"tech":["a b"]}}`, `"a b" is no pattern`},
		{"a pattern that is no string", `{"levels":{"view":[1]}}`, "catalogue: "},
		{"a type without a name", `{"resource_types":{"":{}}}`, "resource_types"},
		{"a type that means the portal", `{"resource_types":{"partner":{}}}`, "partner"},
		{"a customer that is not itself", `{"resource_types":{"customer":{"self":false}}}`, "customer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := access.ParseCatalogue([]byte(c.file))
			if err == nil || !strings.HasPrefix(err.Error(), "catalogue: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v and error %v, want an error that says %q", got, err, c.want)
			}
		})
	}
}

func TestACatalogueListsTheNamesThatCanBeSearched(t *testing.T) {
	c, err := access.ParseCatalogue([]byte(`{
		"levels": {"view": ["b:read", "a:read", "!c:read"], "manage": ["a:read", "x:*", "*"]}, "actions": ["z:write", "a:read"],
		"roles": {"tech": ["t:read", "t:*", "!t:write"]}, "portal_actions": ["p:read"],
		"resource_types": {"tenant": {"self": true}, "report": {}}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.CustomerActions(), []string{"a:read", "b:read", "z:write"}; !slices.Equal(got, want) {
		t.Errorf("customers' actions: got %v, want %v", got, want)
	}
	if got, want := c.PortalActions(), []string{"p:read", "t:read"}; !slices.Equal(got, want) {
		t.Errorf("portal's actions: got %v, want %v", got, want)
	}
	for name, want := range map[string]struct{ self, known bool }{
		"customer": {true, true}, "tenant": {true, true}, "report": {false, true}, "partner": {false, false}, "Tenant": {false, false},
		"": {false, false},
	} {
		if got, known := c.Resource(name); got.Self != want.self || known != want.known {
			t.Errorf("type %q: got %+v, known %v; want %+v", name, got, known, want)
		}
	}
}

func TestTheDefaultCatalogueIsWhatTheProductsGive(t *testing.T) { // D3, W6, W9
	c := access.DefaultCatalogue()
	want := []string{
		"capacity:read", "dashboard:read", "insights:read", "metrics:read", "notifications:receive", "reports:read", "sign_in",
		"user_activity:read",
	}
	if got := c.CustomerActions(); !slices.Equal(got, want) {
		t.Errorf("customers' actions: got %v, want %v", got, want)
	}
	if !slices.IsSorted(c.PortalActions()) || !slices.Contains(c.PortalActions(), "store:buy") {
		t.Errorf("portal's actions: got %v, want them sorted, with store:buy", c.PortalActions())
	}
}

func FuzzParseCatalogue(f *testing.F) {
	for _, s := range []string{
		`{}`, `null`, `{"levels":{"view":["a","!b","c:*","!c:d*","*"]}}`, `{"roles":{"tech":["!*"]}}`,
		`{"levels":{"view":["**"]}}`, `{}}`,
	} {
		f.Add([]byte(s), "a")
	}
	f.Fuzz(func(t *testing.T, file []byte, action string) {
		c, err := access.ParseCatalogue(file)
		if (c == nil) == (err == nil) {
			t.Fatalf("got catalogue %v and error %v, want one of them", c, err)
		}
		if err != nil {
			return
		}
		// A higher level never gives less, unless it takes away itself; level none gives nothing.
		facts := defaultCase().Facts
		facts.Grant.Level = "none"
		if d := c.Decide(facts.facts(), "acme", action, day("2026-06-15")); d.Allow {
			t.Errorf("%q at level none under %s: got yes, want no", action, file)
		}
		facts.User.Role = access.External
		if d := c.DecidePortal(facts.facts(), "contoso", action); d.Allow {
			t.Errorf("%q of an external user in the portal under %s: got yes, want no", action, file)
		}
	})
}

func TestLevelsHaveNamesAndAnOrder(t *testing.T) {
	for i, name := range []string{"none", "view", "support", "manage"} {
		l, ok := access.ParseLevel(name)
		if !ok || int(l) != i || l.String() != name {
			t.Errorf("%s: got %d, %v, named %s; want %d", name, l, ok, l, i)
		}
	}
	for _, name := range []string{"", "View", "admin", "Level(4)"} {
		if l, ok := access.ParseLevel(name); ok {
			t.Errorf("%q: got level %s, want none", name, l)
		}
	}
	if got := access.Lowest(access.Manage, access.Support, access.View, access.Manage); got != access.View {
		t.Errorf("lowest: got %s, want view", got)
	}
}
