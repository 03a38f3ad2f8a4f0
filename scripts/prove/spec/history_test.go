package spec_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"partneraccess/scripts/prove/spec"
)

// The history as people read it: what each change altered, who made it, and the filters.

// allOf reads a list to its end, in pages of that many.
func allOf(by *spec.Client, path string, limit int) []map[string]any {
	var out []map[string]any
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for cursor := ""; ; {
		var page struct {
			Items []map[string]any `json:"items"`
			Next  *string          `json:"next_cursor"`
		}
		by.Do("GET", fmt.Sprintf("%s%slimit=%d%s", path, sep, limit, cursor), nil).Want(200).JSON(&page)
		out = append(out, page.Items...)
		if page.Next == nil {
			return out
		}
		cursor = "&cursor=" + *page.Next
	}
}

// ownerOf creates the owner of a partner.
func ownerOf(w *spec.World, partner string) *spec.Client {
	address := "olga@" + partner + ".example"
	w.User(partner, address, "owner")
	return w.As(address)
}

func textOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestAnEntryOfTheHistorySaysWhatChangedAndNothingElse(t *testing.T) {
	t.Parallel()
	w, kim, _ := acme(t)
	ann, olga := w.AdminOf("acme"), ownerOf(w, "contoso")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view", "note": "ticket 1"}).Want(201)
	edit := ann.Do("PATCH", contosoGrant,
		m{"level": "support", "note": "ticket 2", "message": "hello", "until": "2027-03-01T00:00:00Z"}, "If-Match", "*", "X-Request-ID", "ann-1")
	edit.Want(200)
	const theirs = `{"field":"level","is":"support","was":"view"},{"field":"message","is":"hello","was":null},`
	const note = `{"field":"note","is":"ticket 2","was":"ticket 1"},`
	const end = `{"field":"until","is":"2027-03-01T00:00:00Z","was":null}`
	for _, c := range []struct {
		who                    *spec.Client
		path                   string
		changes, request, name string
	}{
		{ann, acmePath, "[" + theirs + note + end + "]", "ann-1", `"ann"`},
		{w.Provider(), acmePath, "[" + theirs + note + end + "]", "ann-1", `"ann"`},
		{olga, contosoPath, "[" + theirs + end + "]", "", "null"}, // the note, the request and names are the customer's own
		{w.Provider(), contosoPath, "[" + theirs + end + "]", "ann-1", `"ann"`},
	} {
		got := c.who.Do("GET", c.path+"/history?type=grant.edited", nil).Want(200)
		if s := textOf(got.Get("items.0.changes")); s != c.changes {
			t.Errorf("%s: the changes: got %s, want %s", c.path, s, c.changes)
		}
		if s, _ := got.Get("items.0.request_id").(string); s != c.request {
			t.Errorf("%s: the request: got %q, want %q", c.path, s, c.request)
		}
		if s := textOf(got.Get("items.0.actor.name")); (s == "null") != (c.name == "null") {
			t.Errorf("%s: the actor's name: got %s, want it as %s", c.path, s, c.name)
		}
	}
	olga.Do("PATCH", contosoUsers+"/"+kim, m{"role": "business", "phone": "+4512345678"}, "If-Match", "*", "X-Request-ID", "olga-1").Want(200)
	got := olga.Do("GET", contosoPath+"/history?type=user.edited", nil).Want(200)
	if s := textOf(got.Get("items.0.changes")); s != `[{"field":"role","is":"business","was":"tech"}]` {
		t.Errorf("a user: got %s, want the role alone: a telephone number is in no event", s)
	}
	if got.String("items.0.request_id") != "olga-1" || got.String("items.0.actor.name") == "" || got.String("items.0.actor.id") == "" {
		t.Errorf("a user: got %s, want the request and who olga is", got.Body)
	}
}

func TestTheHistoryIsFilteredByWhoAndWhom(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	ann, olga := w.AdminOf("acme"), ownerOf(w, "contoso")
	w.Partner("fabrikam")
	fay := w.User("fabrikam", "fay@fabrikam.example", "tech")
	w.Customer("globex")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "assigned_by": "partner"}).Want(201)
	w.Grant("acme", m{"partner": "fabrikam", "users": []string{fay}}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "users": []string{kim}}).Want(201)
	olga.Do("PUT", contosoPath+"/customers/acme/users", m{"users": []string{kim, sam}}).Want(200)
	w.Provider().Do("PATCH", contosoPath, m{"status": "suspended"}, "If-Match", "*").Want(200)
	w.Advance(0)

	acmeAll, contosoAll := allOf(ann, acmePath+"/history", 100), allOf(w.Provider(), contosoPath+"/history", 100)
	type filter struct {
		name, value string
		wants       func(e map[string]any) bool
	}
	named := func(address, id string) func(e map[string]any) bool {
		return func(e map[string]any) bool {
			s := textOf(e["data"])
			return strings.Contains(s, address) || strings.Contains(s, id)
		}
	}
	of := func(side, id string) func(e map[string]any) bool {
		return func(e map[string]any) bool {
			o, ok := e[side].(map[string]any)
			return ok && o["id"] == id
		}
	}
	actor := func(key, value string) func(e map[string]any) bool {
		return func(e map[string]any) bool { return e["actor"].(map[string]any)[key] == value }
	}
	common := []filter{
		{"person", "sam@contoso.example", named("sam@contoso.example", sam)},
		{"person", "SAM@contoso.example", named("sam@contoso.example", sam)},
		{"person", sam, named("sam@contoso.example", sam)},
		{"actor", "clock", actor("kind", "clock")},
		{"actor", "provider", actor("kind", "provider")},
		{"actor", "olga@contoso.example", actor("email", "olga@contoso.example")},
	}
	for _, side := range []struct {
		by   *spec.Client
		path string
		all  []map[string]any
		more []filter
	}{
		{ann, acmePath, acmeAll, []filter{{"partner", "fabrikam", of("partner", "fabrikam")}, {"partner", "nobody", of("partner", "nobody")}}},
		{w.Provider(), contosoPath, contosoAll, []filter{{"customer", "globex", of("customer", "globex")}}},
	} {
		for _, f := range slices.Concat(common, side.more) {
			var want []any
			for _, e := range side.all {
				if f.wants(e) {
					want = append(want, e["id"])
				}
			}
			if len(want) == 0 && f.value != "nobody" && f.value != "provider" {
				t.Errorf("%s?%s=%s: nothing to be found, so this proves nothing", side.path, f.name, f.value)
			}
			var got []any
			for _, e := range allOf(side.by, side.path+"/history?"+f.name+"="+url.QueryEscape(f.value), 1) {
				got = append(got, e["id"])
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s?%s=%s: got %v, want %v", side.path, f.name, f.value, got, want)
			}
		}
	}
}

func TestABadFilterOfTheHistoryIsRefused(t *testing.T) {
	t.Parallel()
	w, _, _ := acme(t)
	ann, olga := w.AdminOf("acme"), ownerOf(w, "contoso")
	for pointer, query := range map[string]string{
		"?person": "person=nobody", "?actor": "actor=root", "?partner": "partner=a%23b", "?customer": "customer=acme",
	} {
		ann.Do("GET", acmePath+"/history?"+query, nil).WantProblem(400, "invalid", pointer)
	}
	for pointer, query := range map[string]string{"?customer": "customer=a%23b", "?partner": "partner=contoso"} {
		olga.Do("GET", contosoPath+"/history?"+query, nil).WantProblem(400, "invalid", pointer)
	}
	page := ann.Do("GET", acmePath+"/history?limit=1&actor=provider", nil).Want(200)
	if next := page.String("next_cursor"); next != "" { // a cursor belongs to its filter
		ann.Do("GET", acmePath+"/history?limit=1&cursor="+next, nil).WantProblem(400, "invalid", "?cursor")
	}
}
