package spec_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/rights"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/manifest"
)

// all has every spelling sent to every route by every caller. Without it a quarter of them are, in turn, so that each is somewhere.
var all = flag.Bool("all", false, "send every spelling of every id, and not a quarter of them")

// records are all records of the table, as JSON, sorted.
func records(t *testing.T, w *spec.World) []string {
	t.Helper()
	var out []string
	table := w.Stack.Table()
	pages := dynamodb.NewScanPaginator(w.Stack.Engine().Client(), &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			b, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(b))
		}
	}
	slices.Sort(out)
	return out
}

// respelled are other ways to write an id, as they stand in a path: none is the id's own.
//
// None has %2f or %3f: API Gateway takes what they make of the path for another one (see the tests of scripts/local/stack).
func respelled(id string) []string {
	upper := strings.ToUpper(id)
	if upper == id {
		upper = strings.ToLower(id)
	}
	first := fmt.Sprintf("%%%02x", id[0])
	return []string{
		upper, strings.ToUpper(id[:1]) + id[1:] + "%20", "%20" + id, id + "%00", id + "%0a", id + "%09",
		strings.ReplaceAll(first, "%", "%25") + id[1:], first[:1] + "25" + first[1:] + id[1:], id + "%23", id + "%23G%23contoso", id + ".",
		id + "%2e", id + ";a=b", id + "%26", id + "%e2%80%8b",
		url.PathEscape(string(rune(id[0])-'a'+'\uff41') + id[1:]), url.PathEscape("\u0430" + id[1:]), id + "," + id, "*", "%25",
		"%7b" + id + "%7d", "null", id + "~", "%2500",
	}
}

// fill puts the parameters into a route's path, as they are.
func fill(path string, values map[string]string) string {
	for name, v := range values {
		path = strings.ReplaceAll(path, "{"+name+"}", v)
	}
	return path
}

// said is all that an answer tells, but for what the request itself said.
func said(a *spec.Answer, sent ...string) string {
	out := told(a)
	for _, s := range sent {
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
		out = strings.ReplaceAll(out, s, "(sent)")
	}
	return out
}

// parameters are the names in a route's path, in their order.
func parameters(path string) []string {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		if name, is := strings.CutPrefix(part, "{"); is {
			out = append(out, strings.TrimSuffix(name, "}"))
		}
	}
	return out
}

func TestNoSpellingOfAnIDReachesAnotherOrganisation(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	own := map[string]string{ // of acme and contoso
		"customer": "acme", "partner": "contoso", "user": tn.user["contoso"], "email": "member@acme.example", "invitation": tn.invited["acme"],
		"request": tn.asked["acme"], "job": tn.jobs["acme"], "webhook": tn.hooks["acme"], "event": tn.events["acme"],
		"mail": "01J9Z3NDEKTSV4RRFFQ69G5FAV.0f343b0931126a20f133d67c",
	}
	missing := map[string]string{
		"customer": "nowhere", "partner": "nobody", "user": "nobody:01J9Z3NDEKTSV4RRFFQ69G5FAV", "email": "nobody@nowhere.example",
		"invitation": "01J9Z3NDEKTSV4RRFFQ69G5FAV", "request": "01J9Z3NDEKTSV4RRFFQ69G5FAV", "job": "01J9Z3NDEKTSV4RRFFQ69G5FAV",
		"mail": own["mail"], "webhook": "whk_01J9Z3NDEKTSV4RRFFQ69G5FAV", "event": "01J9Z3NDEKTSV4RRFFQ69G5FAV",
	}
	callers := whoMay(t)
	before, asked, leaked, turn := records(t, tn.World), 0, 0, 0
	for _, f := range manifest.Functions() {
		for _, r := range f.Routes {
			if !strings.HasPrefix(r.Path, "/v1/") || strings.Contains(r.Path, "{token}") || !strings.Contains(r.Path, "{") {
				continue
			}
			may := callers[r.Key()]
			for _, letter := range []string{"g", "f", "X", "M", "O", "A", "P"} {
				ask := func(path string) *spec.Answer {
					var body any
					if r.Method != "GET" && r.Method != "DELETE" && !bodyless(path) {
						body = m{"no_such_member": 1}
					}
					asked++
					return tn.callers[letter].Do(r.Method, path, body, "If-Match", "*")
				}
				for i, name := range parameters(r.Path) {
					if name == "email" || letter == "P" && r.Method == "PUT" { // the one is the same in capitals; the other may be what is to be created
						continue
					}
					// Of whose own it is only the other spellings are strange.
					inside := i > 0 || strings.Contains("MA", letter) && name == "customer" || strings.Contains("OX", letter) && name == "partner" ||
						letter == "O" && strings.Contains(may, "L") || letter == "P"
					if strings.ContainsAny(may, "Cc") && strings.Contains("gMA", letter) && i == 0 && !inside ||
						strings.Contains(may, "L") && letter == "f" && r.Method == "POST" {
						continue // open to them, whoever's it is
					}
					nothing := maps.Clone(own)
					nothing[name] = missing[name]
					want := said(ask(fill(r.Path, nothing)), missing[name])
					var spellings []string
					if !inside {
						spellings = []string{own[name], fmt.Sprintf("%%%02x", own[name][0]) + own[name][1:]}
					}
					turn++
					for n, other := range respelled(own[name]) {
						if *all || (n+turn)%4 == 0 {
							spellings = append(spellings, other)
						}
					}
					for _, spelling := range spellings {
						values := maps.Clone(own)
						values[name] = spelling
						a := ask(fill(r.Path, values))
						if inside && a.Status == 404 && (strings.HasPrefix(want, "400 ") || strings.HasPrefix(want, "404 ")) {
							continue // who may call has the body refused first unless the id cannot be one, and is told what there is none of
						}
						if got := said(a, spelling); got != want {
							leaked++
							t.Errorf("%s, %s, of %q: got %s, want as of what is not there: %s", letter, r.Key(), spelling, got, want)
						}
					}
				}
			}
		}
	}
	least := 1500
	if *all {
		least *= 3 // what is asked beside the spellings is the same
	}
	if asked < least {
		t.Errorf("got %d requests, want every route and caller: at least %d", asked, least)
	}
	if after := records(t, tn.World); !slices.Equal(before, after) {
		t.Errorf("got %d records afterwards, want the %d that were there, as they were", len(after), len(before))
	}
	t.Logf("%d requests, %d leaked", asked, leaked)
}

func TestWhatABodyNamesOfAnotherOrganisationIsNotThere(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	admin, lead := tn.callers["A"], tn.callers["O"]
	foreign, none := tn.user["fabrikam"], "fabrikam:01J9Z3NDEKTSV4RRFFQ69G5FAV"
	before := records(t, tn.World)
	for about, ask := range map[string]func(user string) *spec.Answer{
		"grant": func(u string) *spec.Answer {
			return admin.Do("POST", "/v1/customers/acme/grants", m{"partner": "contoso", "users": []string{u}})
		},
		"add": func(u string) *spec.Answer {
			return admin.Do("PATCH", contosoGrant, m{"everyone": false, "users": m{"add": []string{u}}}, "If-Match", "*")
		},
		"set": func(u string) *spec.Answer {
			return admin.Do("PATCH", contosoGrant, m{"everyone": false, "users": m{"set": []string{u}}}, "If-Match", "*")
		},
		"pick": func(u string) *spec.Answer {
			return lead.Do("PUT", "/v1/partners/contoso/customers/acme/users", m{"users": []string{u}}, "If-Match", "*")
		},
		"check": func(u string) *spec.Answer {
			return lead.Do("POST", "/access/v1/evaluation", spec.Question(u, "sign_in", "acme"))
		},
		"several checks": func(u string) *spec.Answer {
			return lead.Do("POST", "/access/v1/evaluations", m{"evaluations": []m{spec.Question(u, "sign_in", "acme")}})
		},
		"search for customers": func(u string) *spec.Answer {
			return lead.Do("POST", "/access/v1/search/resource",
				m{"subject": m{"type": "user", "id": u}, "action": m{"name": "sign_in"}, "resource": m{"type": "customer"}})
		},
		"search for actions": func(u string) *spec.Answer {
			return lead.Do("POST", "/access/v1/search/action",
				m{"subject": m{"type": "user", "id": u}, "resource": m{"type": "customer", "id": "globex"}})
		},
	} {
		got, want := ask(foreign), ask(none)
		if a, b := said(got, foreign), said(want, none); a != b || got.Status < 400 {
			t.Errorf("%s: got %s of somebody else's user, want a refusal as of nobody: %s", about, a, b)
		}
	}
	// By address: whether it is somebody's is not told to whoever asks for a decision.
	known, unknown := "someone@fabrikam.example", "nobody@fabrikam.example"
	a := lead.Do("POST", "/access/v1/evaluation", spec.Question(known, "sign_in", "acme"))
	b := lead.Do("POST", "/access/v1/evaluation", spec.Question(unknown, "sign_in", "acme"))
	if a, b := said(a, known), said(b, unknown); a != b {
		t.Errorf("a check by address: got %s, want as of nobody: %s", a, b)
	}
	// A lead invites to its own partner alone, whether the other one is there or not.
	for _, partner := range []string{"fabrikam", "nobody"} {
		lead.Do("POST", "/v1/customers/acme/invitations", m{"email": "x@elsewhere.example", "partner": partner}).WantProblem(403, "forbidden",
			"/partner")
	}
	if after := records(t, tn.World); !slices.Equal(before, after) {
		t.Errorf("got %d records afterwards, want the %d that were there, as they were", len(after), len(before))
	}
}

func TestAForgedCursorReachesNothingElse(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for _, c := range []string{"acme", "globex"} {
		w.Customer(c)
		for _, p := range []string{"one", "two", "three"} {
			if c == "acme" {
				w.Partner(p)
			}
			w.Grant(c, m{"partner": p}).Want(201)
		}
	}
	w.User("one", "olga@one.example", "owner")
	position := func(a *spec.Answer) (digest, at string) {
		text, err := base64.RawURLEncoding.DecodeString(a.String("next_cursor"))
		if err != nil || len(text) < 13 {
			t.Fatalf("got the cursor %q, %v", text, err)
		}
		return string(text[:12]), string(text[12:])
	}
	for _, list := range []struct {
		by        *spec.Client
		path, own string // where an item names its organisation, and what it has to be
	}{
		{w.AdminOf("acme"), "/v1/customers/acme/grants", "customer.id"},
		{w.AdminOf("acme"), "/v1/customers/acme/history", "customer.id"},
	} {
		first := list.by.Do("GET", list.path+"?limit=1", nil).Want(200)
		digest, at := position(first)
		theirs := w.AdminOf("globex").Do("GET", strings.Replace(list.path, "acme", "globex", 1)+"?limit=1", nil).Want(200)
		_, other := position(theirs)
		for _, forged := range []string{
			other, strings.ReplaceAll(at, "acme", "globex"), "\x20", "~", "A", "G#", "C#globex", "C#globex\x1fG#one",
			strings.Repeat("z", 900), at + "0", strings.ToUpper(at), "zzzz", "0",
		} {
			cursor := url.QueryEscape(base64.RawURLEncoding.EncodeToString([]byte(digest + forged)))
			a := list.by.Do("GET", list.path+"?limit=100&cursor="+cursor, nil)
			if a.Status == 400 {
				continue
			}
			a.Want(200)
			for i := range a.Int("items.length") {
				if got := a.Get(fmt.Sprintf("items.%d.%s", i, list.own)); got != "acme" {
					t.Errorf("%s from %q: got an item of %v", list.path, forged, got)
				}
			}
		}
	}
}

func TestAnIdempotencyKeyOrAVersionTellsStrangersNothing(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	body, key := m{"partner": "contoso", "everyone": true}, []string{"Idempotency-Key", "the-key"}
	first := tn.callers["A"].Do("POST", "/v1/customers/acme/grants", body, key...).Want(200)
	for _, letter := range []string{"g", "f", "O", "X"} {
		foreign := tn.callers[letter].Do("POST", "/v1/customers/acme/grants", body, key...)
		none := tn.callers[letter].Do("POST", "/v1/customers/nowhere/grants", body, key...)
		if a, b := said(foreign), said(none); a != b || foreign.Status != 404 || foreign.Header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s with another's key: got %s, want as of what is not there: %s", letter, a, b)
		}
		for _, tag := range []string{first.Header.Get("ETag"), `"999"`, "*", ""} {
			foreign := tn.callers[letter].Do("PATCH", contosoGrant, m{"level": "manage"}, "If-Match", tag)
			none := tn.callers[letter].Do("PATCH", "/v1/customers/nowhere/grants/nobody", m{"level": "manage"}, "If-Match", tag)
			if a, b := said(foreign), said(none); a != b || foreign.Status != 404 {
				t.Errorf("%s with If-Match %s: got %s, want as of what is not there: %s", letter, tag, a, b)
			}
		}
	}
	// The first answer is its caller's as long as it may ask.
	tn.Provider().Do("PUT", "/v1/customers/acme/members/admin@acme.example?confirm=last_admin", m{"name": "Admin", "role": "member"}).Want(200)
	tn.callers["A"].Do("POST", "/v1/customers/acme/grants", body, key...).WantProblem(403, "forbidden")
	tn.Provider().Do("DELETE", "/v1/customers/acme/members/admin@acme.example", nil).Want(204)
	if a := tn.callers["A"].Do("POST", "/v1/customers/acme/grants", body, key...); a.Status != 403 ||
		a.Header.Get("Idempotency-Replayed") != "" {
		t.Errorf("who is a member no more: got %d %s, want 403", a.Status, a.Body)
	}
}

// What is somebody else's costs the same calls of the table as what is not there: who measures the time learns nothing. The times
// themselves are logged, since they mean little on a machine that others use.
func TestForeignAndMissingCostTheSameCalls(t *testing.T) {
	t.Parallel()
	calls := &rights.Record{}
	tn := townOf(t, spec.New(t, withoutWorker, func(c *stack.Config) { c.Calls = calls }))
	cost := func(route, letter, where string) (string, time.Duration) {
		before := calls.Calls()
		start := time.Now()
		tn.at(route, letter, where)
		took := time.Since(start)
		var out []string
		for c, n := range calls.Calls() {
			if more := n - before[c]; more > 0 {
				out = append(out, fmt.Sprintf("%d x %s", more, c))
			}
		}
		slices.Sort(out)
		return strings.Join(out, ", "), took
	}
	var foreign, missing []time.Duration
	callers := whoMay(t)
	for _, f := range manifest.Functions() {
		for _, r := range f.Routes {
			may := callers[r.Key()]
			if may == "" || !strings.Contains(r.Path, "{") {
				continue
			}
			for _, letter := range []string{"A", "M", "O", "T", "X", "?"} { // to whom globex and fabrikam are foreign
				if strings.ContainsAny(may, "Cc") && strings.Contains("AM", letter) || strings.Contains(may, "L") && letter == "O" {
					continue
				}
				a, tookA := cost(r.Key(), letter, "foreign")
				b, tookB := cost(r.Key(), letter, "missing")
				if a != b {
					t.Errorf("%s, %s: got the calls %s for what is somebody else's, and for what is not there %s", letter, r.Key(), a, b)
				}
				foreign, missing = append(foreign, tookA), append(missing, tookB)
			}
		}
	}
	slices.Sort(foreign)
	slices.Sort(missing)
	t.Logf("%d pairs of requests, median of foreign %s, of missing %s", len(foreign), foreign[len(foreign)/2], missing[len(missing)/2])
}

func TestOnlyTheAddressItselfIsThePerson(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	w.Admin("acme", "kim.ivi@acme.example")
	w.User("contoso", "iris@contoso.example", "owner")
	for email, want := range map[string]int{
		"kim.ivi@acme.example": 200, "KIM.IVI@ACME.EXAMPLE": 200, "Kim.Ivi@acme.Example": 200,
	} {
		w.As(email).Do("GET", "/v1/customers/acme/grants", nil).Want(want)
	}
	for email, code := range map[string]string{
		// Other people, as far as anybody can tell.
		"kim.ivi+a@acme.example": "not_registered", "kimivi@acme.example": "not_registered",
		"kim.ivi@acme.example.evil.example": "not_registered", "kim.ivi@sub.acme.example": "not_registered",
		"kim-ivi@acme.example": "not_registered", "kim.lvi@acme.example": "not_registered", "kim.ivi@acrne.example": "not_registered",
		"kim.ivi@xn--acm-dma.example": "not_registered", "kim.ivi@acm\u00e9.example": "not_registered",
		// Nobody's: no address is written so.
		"k\u0131m.\u0131v\u0131@acme.example": "forbidden", "\u212aim.ivi@acme.example": "forbidden",
		"K\u0130M.\u0130V\u0130@ACME.EXAMPLE": "forbidden", "kim.ivi@acme.example.": "forbidden",
		"kim.ivi@xn--acme-.example": "forbidden", "kim.ivi@\uff41cme.example": "forbidden", "kim.ivi@ac\u00adme.example": "forbidden",
		"\uff4bim.ivi@acme.example": "forbidden", "kim\uff0eivi@acme.example": "forbidden", "kim.ivi\uff20acme.example": "forbidden",
		"kim.ivi@acme\u3002example": "forbidden", "k\u0456m.ivi@acme.example": "forbidden",
		"kim.ivi@acme.example\u200b": "forbidden", "kim.ivi@\u0430cme.example": "forbidden", " kim.ivi@acme.example": "forbidden",
		"kim.ivi@acme.example ": "forbidden", "kim.ivi@acme.example\n": "forbidden",
		"kim.ivi@acme.example\x00": "forbidden", "kim..ivi@acme.example": "forbidden", ".kim.ivi@acme.example": "forbidden",
		"\"kim.ivi\"@acme.example": "forbidden", "Kim <kim.ivi@acme.example>": "forbidden",
		"kim.ivi@acme.example,eve@evil.example": "forbidden", "eve@evil.example,kim.ivi@acme.example": "forbidden",
		"kim.ivi@acme.example#": "forbidden", "kim.ivi%40acme.example": "forbidden", "kim.ivi@acme.example@evil.example": "forbidden",
		"kim.ivi(x)@acme.example": "forbidden", "mailto:kim.ivi@acme.example": "forbidden", "kim.ivi@[acme.example]": "forbidden",
		"ki\u0301m.ivi@acme.example": "forbidden",
	} {
		w.As(email).Do("GET", "/v1/customers/acme/grants", nil).WantProblem(403, code)
		if got := w.As(email).Do("GET", "/v1/me", nil).Want(200).Int("customers.length"); got != 0 {
			t.Errorf("%q: got %d customers, want none", email, got)
		}
	}
	no := false
	for _, email := range []string{"kim.ivi@acme.example", "iris@contoso.example"} {
		c := w.Bearer(w.Token(stack.TokenRequest{Email: email, EmailVerified: &no}))
		c.Do("GET", "/v1/customers/acme/grants", nil).WantProblem(403, "forbidden")
		c.Do("GET", "/v1/partners/contoso/account", nil).WantProblem(403, "forbidden")
		c.Do("POST", "/access/v1/evaluation", spec.Question("iris@contoso.example", "sign_in", "acme")).WantProblem(403, "forbidden")
	}
	// A scope is one of the words of the claim, whole.
	for _, scope := range []string{
		"partner-access/directoryx", "partner-access/Directory", "partner-access/",
		"partner-access/directory,partner-access/check", "x/partner-access/directory",
	} {
		c := w.Bearer(w.Token(stack.TokenRequest{Scope: scope}))
		if a := c.Do("GET", "/v1/customers/acme", nil); a.Status != 403 {
			t.Errorf("scope %q: got %d, want 403", scope, a.Status)
		}
		if a := c.Do("DELETE", "/v1/customers/acme", nil); a.Status != 403 {
			t.Errorf("scope %q: got %d, want 403", scope, a.Status)
		}
	}
	w.Bearer(w.Token(stack.TokenRequest{Email: "kim.ivi@acme.example", ExpiresIn: -1})).Do("GET", "/v1/customers/acme/grants", nil).Want(401)
}
