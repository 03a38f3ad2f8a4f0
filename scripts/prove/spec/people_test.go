package spec_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

const peoplePath = acmePath + "/people"

// comeInNow are the ids of who is in the list of people, with their levels, page by page.
func comeInNow(t *testing.T, by *spec.Client, query string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for cursor := ""; ; {
		a := by.Do("GET", peoplePath+"?limit=3&"+query+cursor, nil).Want(200)
		var page struct {
			Items []struct {
				User  struct{ ID string }
				Level string
			}
			NextCursor *string `json:"next_cursor"`
		}
		a.JSON(&page)
		for _, p := range page.Items {
			if out[p.User.ID] != "" {
				t.Errorf("%s stands in two pages", p.User.ID)
			}
			out[p.User.ID] = p.Level
		}
		if page.NextCursor == nil {
			return out
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

func TestTheListOfPeopleIsWhomChecksAllow(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	provider := w.Provider()
	w.Partner("fabrikam")
	users := []string{kim}
	for _, p := range []string{"contoso", "fabrikam"} {
		for i := range 4 {
			users = append(users, w.User(p, fmt.Sprintf("u%d@%s.example", i, p), "tech"))
		}
		users = append(users, w.User(p, "boss@"+p+".example", "owner"))
	}
	of := func(p string) []string {
		return slices.DeleteFunc(slices.Clone(users), func(u string) bool { return !strings.HasPrefix(u, p+":") })
	}
	r := rand.New(rand.NewPCG(5, 15)) //nolint:gosec // a test's worlds, the same each time
	some := func(from []string) []string {
		from = slices.Clone(from)
		r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		return from[:1+r.IntN(len(from)-1)]
	}
	levels := []string{"none", "view", "support", "manage"}
	people := 0
	for n := range 60 {
		p := []string{"contoso", "fabrikam"}[r.IntN(2)]
		grant := acmePath + "/grants/" + p
		switch r.IntN(9) {
		case 0, 1:
			ann.Do("POST", acmePath+"/grants", object{"partner": p, "users": some(of(p)), "until": w.Now().Add(time.Hour).Format(time.RFC3339)})
		case 2:
			ann.Do("PATCH", grant, object{"everyone": r.IntN(2) == 0}, "If-Match", "*")
		case 3:
			ann.Do("PATCH", grant, object{"users": some(of(p))}, "If-Match", "*")
		case 4:
			ann.Do("PATCH", grant, object{"level": levels[r.IntN(4)]}, "If-Match", "*")
		case 5:
			ann.Do("PATCH", grant, object{"caps": object{"u1@" + p + ".example": levels[r.IntN(4)]}}, "If-Match", "*")
		case 6:
			provider.Do("PATCH", "/v1/partners/"+p, object{"status": []string{"active", "suspended"}[r.IntN(2)]}, "If-Match", "*")
		case 7:
			u := of(p)[1+r.IntN(3)]
			provider.Do("PATCH", "/v1/partners/"+p+"/users/"+u, object{"status": []string{"active", "disabled"}[r.IntN(2)]}, "If-Match", "*")
		case 8:
			w.Advance(20 * time.Minute)
		}
		got := comeInNow(t, ann, "sort="+[]string{"name", "-partner", "until", "last_used_on"}[r.IntN(4)])
		for _, u := range users {
			in, reason := w.Check(u, "sign_in", "acme")
			if (got[u] != "") != in {
				t.Fatalf("step %d: %s is listed with %q, and a check answers %v, %s", n, u, got[u], in, reason)
			}
			if in {
				people++
			}
		}
	}
	if people < 50 {
		t.Errorf("got %d people who can come in, want more in such a world", people)
	}
}

func TestARowOfPeopleTellsWhatACustomerAsks(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}, "level": "manage", "until": "2026-12-01T00:00:00Z"}).Want(201)
	ann.Do("PATCH", contosoGrant, object{"caps": object{"kim@contoso.example": "support"}}, "If-Match", "*").Want(200)
	a := ann.Do("GET", peoplePath, nil).Want(200)
	for path, want := range map[string]string{
		"items.0.user.id": kim, "items.0.user.email": "kim@contoso.example", "items.0.partner.id": "contoso", "items.0.level": "support",
		"items.0.granted_level": "manage", "items.0.cap": "support", "items.0.why": "picked", "items.0.since": "2026-11-22T10:00:00Z",
		"items.0.until": "2026-12-01T00:00:00Z", "items.0.granted_by.kind": "customer", "items.0.granted_by.email": "admin@acme.example",
	} {
		if got := a.String(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if a.Get("items.0.last_used_on") != nil || a.Int("total") != 1 {
		t.Errorf("got %s, want no last use and a total of 1", a.Body)
	}
	for query, want := range map[string]int{
		"partner=contoso": 1, "partner=fabrikam": 0, "q=kim": 1, "q=lee": 0, "level=support": 1, "level=manage,view": 0,
		"ends_before=2026-12-01T00:00:00Z": 0, "ends_before=2026-12-01T00:00:01Z": 1, "unused_since=2026-11-22": 1, "count=true": 1,
	} {
		if got := ann.Do("GET", peoplePath+"?"+query, nil).Want(200).Int("total"); got != want {
			t.Errorf("%s: got %d, want %d", query, got, want)
		}
	}
	for query, pointer := range map[string]string{
		"partner=a%20b": "?partner", "level=none": "?level", "level=view,": "?level", "ends_before=soon": "?ends_before",
		"unused_since=2026-11-31": "?unused_since", "unused_since=2026-11-01T00:00:00Z": "?unused_since",
		"sort=age": "?sort", "sort=--name": "?sort",
		"count=1": "?count", "status=active": "?status",
	} {
		ann.Do("GET", peoplePath+"?"+query, nil).WantProblem(400, "invalid", pointer)
	}
}

func TestTheLastUseIsShownAndOutlivesEdits(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	users := 1
	used := func(when, want string) {
		t.Helper()
		for path, index := range map[string]int{peoplePath: 0, contosoGrant + "/users": users - 1} { // by name, and by id
			got, _ := ann.Do("GET", path, nil).Want(200).Get(fmt.Sprintf("items.%d.last_used_on", index)).(string)
			if got != want {
				t.Errorf("%s: %s: got %q, want %q", when, path, got, want)
			}
		}
	}
	tag := ann.Do("GET", contosoGrant, nil).Want(200).Header.Get("Etag")
	w.Denied(kim, "no:such", "acme", "level_too_low")
	self := w.As("kim@contoso.example")
	question := object{
		"subject": object{"type": "user", "id": kim}, "action": object{"name": "sign_in"}, "resource": object{"type": "customer", "id": "acme"},
	}
	self.Do("POST", "/access/v1/evaluation", question).Want(200)
	used("denied, and asked by the person itself", "")
	w.Allowed(kim, "sign_in", "acme")
	used("allowed", "2026-11-22")
	if got := ann.Do("GET", contosoGrant, nil).Want(200).Header.Get("Etag"); got != tag {
		t.Errorf("the grant's ETag: got %s after a use, want %s", got, tag)
	}
	ann.Do("PATCH", contosoGrant, object{"level": "support"}, "If-Match", tag).Want(200)
	used("edited", "2026-11-22")
	w.Advance(24 * time.Hour)
	if got := comeInNow(t, ann, "unused_since=2026-11-23"); len(got) != 1 {
		t.Errorf("unused since the day after: got %v", got)
	}
	w.Allowed(kim, "sign_in", "acme")
	if got := comeInNow(t, ann, "unused_since=2026-11-23"); len(got) != 0 {
		t.Errorf("unused since the day of the use: got %v", got)
	}
	ann.Do("PATCH", contosoGrant, object{"everyone": true}, "If-Match", "*").Want(200)
	users = 2              // olga, too
	w.Advance(time.Minute) // the sweep deletes the rows that count no more
	used("everyone", "2026-11-23")
	ann.Do("PATCH", contosoGrant, object{"everyone": false}, "If-Match", "*").Want(200)
	used("everyone off again", "2026-11-23")
	if got := ann.Do("GET", acmePath+"/history", nil).Want(200); strings.Contains(string(got.Body), "2026-11-23\"") {
		t.Errorf("got %s, want no use in the history", got.Body)
	}
}

func TestAPersonsCustomersAreShownToLeadsAndToItself(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Customer("globex")
	w.Customer("initech")
	w.Partner("fabrikam")
	w.User("fabrikam", "owner@fabrikam.example", "owner")
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}, "level": "support"}).Want(201)
	w.Grant("globex", object{"partner": "contoso", "everyone": true}).Want(201)
	path := contosoUsers + "/" + kim + "/customers"
	callers := map[string]*spec.Client{
		"the provider": w.Provider(), "kim": w.As("kim@contoso.example"), "the owner": w.As("olga@contoso.example"),
	}
	for _, role := range []string{"admin", "business", "tech", "sales_marketing", "external"} {
		w.User("contoso", role+"@contoso.example", role)
	}
	callers["an admin"], callers["business"] = w.As("admin@contoso.example"), w.As("business@contoso.example")
	for who, c := range callers {
		a := c.Do("GET", path, nil).Want(200)
		if a.Int("total") != 2 || a.String("items.0.customer.id") != "acme" || a.String("items.1.why") != "everyone" {
			t.Errorf("%s: got %s, want acme and globex", who, a.Body)
		}
	}
	for _, address := range []string{
		"tech@contoso.example", "sales_marketing@contoso.example", "external@contoso.example", "owner@fabrikam.example", "admin@globex.example",
	} {
		w.As(address).Do("GET", path, nil).WantProblem(404, "not_found")
	}
	ann.Do("GET", path, nil).WantProblem(404, "not_found")
	olga := w.As("olga@contoso.example")
	olga.Do("GET", contosoUsers+"/contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV/customers", nil).WantProblem(404, "not_found")
	if got := olga.Do("GET", path+"?level=support", nil).Want(200); got.Int("total") != 1 {
		t.Errorf("those at support: got %s", got.Body)
	}
	olga.Do("GET", path+"?sort=partner", nil).WantProblem(400, "invalid", "?sort")
	olga.Do("PATCH", contosoUsers+"/"+kim, object{"status": "disabled"}, "If-Match", "*").Want(200)
	if got := olga.Do("GET", path, nil).Want(200); got.Int("total") != 0 {
		t.Errorf("disabled: got %s, want none", got.Body)
	}
}
