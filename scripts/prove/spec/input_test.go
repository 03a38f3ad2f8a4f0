package spec_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/prove/spec"
)

// office is a customer acme with an admin, and a partner contoso with an owner, olga, and a user, kim.
func office(t *testing.T) (w *spec.World, ann *spec.Client, kim string) {
	t.Helper()
	w = spec.New(t)
	w.Customer("acme")
	w.Partner("contoso")
	w.User("contoso", "olga@contoso.example", "owner")
	return w, w.AdminOf("acme"), w.User("contoso", "kim@contoso.example", "tech")
}

// Paths; the others stand in customer_test.go.
const acmePath, contosoPath, contosoUsers = "/v1/customers/acme", "/v1/partners/contoso", "/v1/partners/contoso/users"

func TestABodyIsOneObjectOfStrictJSON(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	for _, c := range []struct {
		name, body string
		pointer    string
	}{
		{"nothing", ``, "-"},
		{"blanks", `  `, ""},
		{"no JSON", `partner=contoso`, ""},
		{"an object that does not end", `{"partner":"contoso"`, "-"},
		{"a text that does not end", `{"partner":"contoso`, "-"},
		{"an array", `[{"partner":"contoso"}]`, ""},
		{"a text", `"contoso"`, ""},
		{"null", `null`, ""},
		{"a second value", `{"partner":"contoso"} {}`, "-"},
		{"something after the end", `{"partner":"contoso"}x`, "-"},
		{"a comma too many", `{"partner":"contoso",}`, "-"},
		{"a comment", `{"partner":"contoso" /* ours */}`, "-"},
		{"single quotes", `{'partner':'contoso'}`, "-"},
		{"a byte order mark", "\ufeff" + `{"partner":"contoso"}`, ""},
		{"NaN", `{"partner":NaN}`, "/partner"},
		{"a number with a leading zero", `{"partner":01}`, "-"},
		{"a member that stands there twice", `{"partner":"contoso","partner":"contoso"}`, "/partner"},
		{"a member that stands there twice, once escaped", `{"partner":"contoso","\u0070artner":"fabrikam"}`, "/partner"},
		{"an unknown member that stands there twice", `{"partner":"contoso","x":1,"x":2}`, "/x"},
		{"bytes that are no UTF-8", "{\"partner\":\"contoso\",\"note\":\"\xff\"}", "/note"},
		{"half a surrogate pair", `{"partner":"contoso","note":"\ud800"}`, "/note"},
		{"a control character in a text", "{\"partner\":\"contoso\",\"note\":\"a\tb\"}", "/note"},
		{"an unknown member", `{"partner":"contoso","colour":"red"}`, "/colour"},
		{"an unknown member with null", `{"partner":"contoso","colour":null}`, "/colour"},
		{"a member in another case", `{"Partner":"contoso"}`, "/Partner"},
		{"an unknown member whose name needs escapes", `{"a/b~c":1}`, "/a~1b~0c"},
		{"an unknown member that is nested deeply", `{"colour":` + deep + `}`, "/colour"},
		{"a known member that is nested deeply", `{"users":` + deep + `}`, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := ann.In(w.In(t)).Do("POST", grants, c.body)
			if c.pointer == "-" {
				a.WantProblem(400, "invalid")
			} else if c.pointer == "" && a.Get("errors") == nil {
				a.WantProblem(400, "invalid")
			} else {
				a.WantProblem(400, "invalid", c.pointer)
			}
		})
	}
	w.Denied(kim, "sign_in", "acme", "no_grant") // none of it was half understood
}

func TestABodyHasToBeSaidToBeJSON(t *testing.T) {
	t.Parallel()
	w, ann, _ := office(t)
	body := object{"partner": "contoso"}
	for _, media := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "application/problem+json",
		"application/json-patch+json", "json", "*/*", ";",
	} {
		ann.Do("POST", grants, body, "Content-Type", media).WantProblem(415, "unsupported_media_type")
	}
	for _, media := range []string{"application/json", "application/json; charset=utf-8", "APPLICATION/JSON"} {
		w.Provider().Do("PUT", acmePath, object{"name": "Acme"}, "Content-Type", media).Want(200)
	}
	ann.Do("POST", grants, "", "Content-Type", "application/json").WantProblem(400, "invalid")
	w.Provider().Do("DELETE", contosoPath, nil, "Content-Type", "").Want(204) // where none is needed, none is asked for
}

func TestAValueOfAnotherTypeIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	provider := w.Provider()
	anyVersion := []string{"If-Match", "*"}
	for _, c := range []struct {
		by           *spec.Client
		method, path string
		body         string
		pointers     []string
	}{
		{ann, "POST", grants, `{"partner":1}`, []string{"/partner"}},
		{ann, "POST", grants, `{"partner":null}`, []string{"/partner"}},
		{ann, "POST", grants, `{"partner":{}}`, []string{"/partner"}},
		{ann, "POST", grants, `{"partner":"contoso","users":"` + kim + `"}`, []string{"/users"}},
		{ann, "POST", grants, `{"partner":"contoso","users":null}`, []string{"/users"}},
		{ann, "POST", grants, `{"partner":"contoso","users":[]}`, []string{"/users"}},
		{ann, "POST", grants, `{"partner":"contoso","users":["` + kim + `",1]}`, []string{"/users/1"}},
		{ann, "POST", grants, `{"partner":"contoso","users":["` + kim + `",null]}`, []string{"/users/1"}},
		{ann, "POST", grants, `{"partner":"contoso","users":["` + kim + `",["x"]]}`, []string{"/users/1"}},
		{ann, "POST", grants, `{"partner":"contoso","users":["kim"]}`, []string{"/users/0"}},
		{ann, "POST", grants, `{"partner":"contoso","everyone":"true"}`, []string{"/everyone"}},
		{ann, "POST", grants, `{"partner":"contoso","everyone":1}`, []string{"/everyone"}},
		{ann, "POST", grants, `{"partner":"contoso","everyone":null}`, []string{"/everyone"}},
		{ann, "POST", grants, `{"partner":"contoso","level":2}`, []string{"/level"}},
		{ann, "POST", grants, `{"partner":"contoso","level":null}`, []string{"/level"}},
		{ann, "POST", grants, `{"partner":"contoso","level":"Manage"}`, []string{"/level"}},
		{ann, "POST", grants, `{"partner":"contoso","assigned_by":"provider"}`, []string{"/assigned_by"}},
		{ann, "POST", grants, `{"partner":"contoso","require_sso":null}`, []string{"/require_sso"}},
		{ann, "POST", grants, `{"partner":"contoso","from":1764000000}`, []string{"/from"}},
		{ann, "POST", grants, `{"partner":"contoso","until":"tomorrow"}`, []string{"/until"}},
		{ann, "POST", grants, `{"partner":"contoso","note":["x"]}`, []string{"/note"}},
		{ann, "POST", grants, `{}`, []string{""}},
		{ann, "POST", grants, `{"level":"view"}`, []string{""}},
		{ann, "POST", grants, `{"partner":"contoso","email":"kim@contoso.example"}`, []string{""}},
		{ann, "POST", grants, `{"email":"kim"}`, []string{"/email"}},
		{ann, "POST", grants, `{"email":"kim@contoso.example","users":["` + kim + `"]}`, []string{"/email"}},
		{ann, "POST", grants, `{"email":"kim@contoso.example","everyone":true}`, []string{"/email"}},
		{ann, "POST", grants, `{"partner":"contoso","users":["` + kim + `"],"everyone":true}`, []string{"/everyone"}},
		{ann, "POST", grants, `{"partner":"-","level":"x","note":"\u0007"}`, []string{"/partner", "/level", "/note"}}, // all at once
		{ann, "PATCH", contosoGrant, `{"users":[]}`, []string{"/users"}},
		{ann, "PATCH", contosoGrant, `{"users":null}`, []string{"/users"}},
		{ann, "PATCH", contosoGrant, `{"users":{"drop":["x"]}}`, []string{"/users/drop"}},
		{ann, "PATCH", contosoGrant, `{"users":{"set":["x"],"set":["y"]}}`, []string{"/users/set"}},
		{ann, "PATCH", contosoGrant, `{"users":{"set":null}}`, []string{"/users/set"}},
		{ann, "PATCH", contosoGrant, `{"users":{"add":["` + kim + `",7]}}`, []string{"/users/add/1"}},
		{ann, "PATCH", contosoGrant, `{"users":{"set":["` + kim + `"],"add":["` + kim + `"]}}`, []string{"/users"}},
		{ann, "PATCH", contosoGrant, `{"users":{"add":["` + kim + `"],"remove":["` + kim + `"]}}`, []string{"/users/remove"}},
		{ann, "PATCH", contosoGrant, `{"users":{"set":["` + kim + `"]},"everyone":true}`, []string{"/everyone"}},
		{ann, "PATCH", contosoGrant, `{"state":"ended"}`, []string{"/state"}},
		{ann, "PATCH", contosoGrant, `{"state":null}`, []string{"/state"}},
		{ann, "PATCH", contosoGrant, `{"partner":"contoso"}`, []string{"/partner"}},
		{w.As("olga@contoso.example"), "PUT", contosoPath + "/customers/acme/users", `{}`, []string{""}},
		{w.As("olga@contoso.example"), "PUT", contosoPath + "/customers/acme/users", `{"users":[],"everyone":true}`, []string{""}},
		{provider, "PUT", contosoPath, `{"class":"reseller"}`, []string{"/class"}},
		{provider, "PUT", contosoPath, `{"offer":"none","sso":null}`, []string{"/sso"}},
		{provider, "PUT", contosoPath, `{"status":"removed"}`, []string{"/status"}},
		{provider, "PUT", contosoPath, `{"contacts":"ops@contoso.example"}`, []string{"/contacts"}},
		{provider, "PUT", contosoPath, `{"contacts":null}`, []string{"/contacts"}},
		{provider, "PUT", contosoPath, `{"contacts":["ops@contoso.example","ops",null]}`, []string{"/contacts/1", "/contacts/2"}},
		{provider, "PUT", contosoPath, `{"parent":"nobody"}`, []string{"/parent"}},
		{provider, "PUT", contosoPath, `{"parent":"contoso"}`, []string{"/parent"}},
		{provider, "PUT", "/v1/partners/new", `{"class":"channel"}`, []string{"/name"}},
		{provider, "PUT", "/v1/customers/new", `{}`, []string{"/name"}},
		{provider, "PUT", acmePath + "/members/x@acme.example", `{}`, []string{"/name", "/role"}},
		{provider, "PUT", acmePath + "/members/x@acme.example", `{"name":"X","role":"owner"}`, []string{"/role"}},
		{provider, "PUT", acmePath + "/relationships/contoso", `{"everyone":"yes"}`, []string{"/everyone"}},
		{provider, "PUT", acmePath + "/managing-partner", `{}`, []string{"/partner"}},
		{provider, "POST", contosoUsers, `{}`, []string{"/email", "/name"}},
		{provider, "POST", contosoUsers, `{"email":"new@contoso.example","name":"New"}`, []string{"/role"}},
		{provider, "POST", contosoUsers, `{"email":"new@contoso.example","name":"New","role":"boss"}`, []string{"/role"}},
		{provider, "POST", contosoUsers, `{"email":"new@contoso.example","name":"New","role":"tech","mfa":"no"}`, []string{"/mfa"}},
		{provider, "POST", contosoUsers, `{"email":"new@contoso.example","name":"New","role":"tech","status":"invited"}`, []string{"/status"}},
		{provider, "POST", contosoUsers, `{"email":"new@contoso.example","name":"New","role":"tech","id":"contoso:1"}`, []string{"/id"}},
		{provider, "PATCH", contosoUsers + "/" + kim, `{"email":null}`, []string{"/email"}},
		{provider, "PATCH", contosoUsers + "/" + kim, `{"role":"external"}`, []string{"/role"}},
	} {
		t.Run(c.method+" "+c.body, func(t *testing.T) {
			header := anyVersion
			if c.method != "PATCH" {
				header = nil
			}
			c.by.In(w.In(t)).Do(c.method, c.path, c.body, header...).WantProblem(400, "invalid", c.pointers...)
		})
	}
}

func TestAnIDHas1To64LettersDigitsDotsHyphensAndUnderscores(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for _, kind := range []string{"partners", "customers"} {
		for _, id := range []string{"a", "Z", "0", "a.b_c-d", "A--", strings.Repeat("x", 64), "contoso%2E1"} {
			a := w.Provider().Do("PUT", "/v1/"+kind+"/"+id, object{"name": "N"}).Want(201)
			if want, _ := url.PathUnescape(id); a.String("id") != want {
				t.Errorf("id: got %q, want %q", a.String("id"), want)
			}
			if got, want := a.Header.Get("Location"), "/v1/"+kind+"/"+a.String("id"); got != want {
				t.Errorf("Location: got %q, want %q", got, want)
			}
		}
		for _, id := range []string{
			strings.Repeat("x", 65), "-a", ".a", "_a", "a%20b", "a%23b", "a:b", "%C3%A4", "a%00", "a@b",
			"%2E%2E", "*",
		} {
			w.Provider().Do("PUT", "/v1/"+kind+"/"+id, object{"name": "N"}).WantProblem(400, "invalid")
			w.Provider().Do("GET", "/v1/"+kind+"/"+id, nil).WantProblem(404, "not_found")
			w.Provider().Do("DELETE", "/v1/"+kind+"/"+id, nil).WantProblem(404, "not_found")
		}
	}
	w.Provider().Do("PUT", "/v1/partners/A", object{"name": "Other"}).Want(201) // ids are told apart by case
	for _, id := range []string{"x", "a:x", "a:01J9Z3NDEKTSV4RRFFQ69G5FA", "b:01J9Z3NDEKTSV4RRFFQ69G5FAV", "a:01j9z3ndektsv4rrffq69g5fav"} {
		w.Provider().Do("GET", "/v1/partners/a/users/"+id, nil).WantProblem(404, "not_found")
		w.Provider().Do("DELETE", "/v1/partners/a/users/"+id, nil).WantProblem(404, "not_found")
	}
}

func TestTextsAreTakenAsTheyAreOrRefused(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	long := func(n int, c string) string { return strings.Repeat(c, n) }
	partner := func(field string, v any) *spec.Answer { return w.Provider().Do("PUT", contosoPath, object{field: v}) }
	user := func(field string, v any) *spec.Answer {
		return w.Provider().Do("PATCH", contosoUsers+"/"+kim, object{field: v}, "If-Match", "*")
	}
	customer := func(field string, v any) *spec.Answer { return w.Provider().Do("PUT", acmePath, object{field: v}) }
	edit := func(field string, v any) *spec.Answer {
		return ann.Do("PATCH", contosoGrant, object{field: v}, "If-Match", "*")
	}
	for _, c := range []struct {
		put   func(string, any) *spec.Answer
		field string
		good  []any
		bad   []any
	}{
		{
			partner, "name",
			[]any{"C", "Contoso MSP", "O'Reilly & Söhne <GmbH>", "株式会社コントソ", "🙂", long(200, "ä"), "a b\u00a0c"},
			[]any{
				"", " ", " Contoso", "Contoso ", long(201, "ä"), "a\nb", "a\tb", "a\u0000b", "a\u007fb", "a\u202eb", "a\u2066b", "a\u2028b",
				"\ufeffa", "\u3164", "\u2800", "\u0301", "a\u200db", "a\ufe0f", "\U000e0041", "a\uffff", nil,
			},
		},
		{user, "name", []any{"Kim", long(200, "k")}, []any{"", "K\r\nBcc: all@acme.example", long(201, "k"), nil}},
		{
			user, "phone",
			[]any{"+4930123456", "+1234567", "+123456789012345", nil},
			[]any{"4930123456", "+49 30 123456", "+0123456789", "+123456", "+1234567890123456", "+49(30)123456", "+٤٩٣٠١٢٣٤٥٦"},
		},
		{
			user, "email",
			[]any{"kim@contoso.example", "k.i+m@sub.contoso.example", "k'm@xn--bcher-kva.example", long(64, "k") + "@contoso.example"},
			[]any{
				"", "kim", "kim@", "@contoso.example", "kim@contoso", "kim@@contoso.example", "Kim <kim@contoso.example>", "kim@contoso.example ",
				"kïm@contoso.example", "kim@127.0.0.1", "kim@contoso.1", "kim@xn--zz.example", "kim@c\u043entoso.example", "kim@\uff43ontoso.example",
				"kim@-contoso.example", "kim@contoso..example", "kim..k@contoso.example",
				`"kim"@contoso.example`, "kim@[127.0.0.1]", "kim,lea@contoso.example", "kim@contoso.example\nbcc:x", "a#b@contoso.example",
				long(65, "k") + "@contoso.example",
				"k@" + long(61, "c") + "." + long(61, "c") + "." + long(61, "c") + "." + long(61, "c") + ".example", nil,
			},
		},
		{
			customer, "domain",
			[]any{"acme.example", "a.b.c.example", "xn--bcher-kva.example", "1.example", nil},
			[]any{
				"acme", "acme.", ".acme.example", "-a.example", "a-.example", "a_b.example", "127.0.0.1", "bü_cher.example",
				"https://acme.example", "acme.example/x", long(64, "a") + ".example",
			},
		},
		{partner, "contacts", []any{[]string{}, addresses(20)}, []any{addresses(21), []string{"ops"}}},
		{
			edit, "note",
			[]any{"migration\nuntil March", long(1000, "ä"), " padded ", "", nil},
			[]any{long(1001, "ä"), "a\u0000b", "a\rb", "a\u202eb"},
		},
	} {
		for _, v := range c.good {
			a := c.put(c.field, v).Want(200)
			got := a.Get(c.field)
			if c.field == "note" {
				got = a.Get("grant.note")
				if v == nil {
					v = ""
				}
			}
			if want := plain(v); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: got %q, want %q as it was given", c.field, got, want)
			}
		}
		for _, v := range c.bad {
			a := c.put(c.field, v)
			if a.Status != 400 {
				t.Errorf("%s %q: got %d, want 400", c.field, v, a.Status)
				continue
			}
			a.WantProblem(400, "invalid")
			if got := a.String("errors.0.pointer"); got != "/"+c.field && !strings.HasPrefix(got, "/"+c.field+"/") {
				t.Errorf("%s %q: got pointer %q", c.field, v, got)
			}
		}
	}
}

func addresses(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("ops%d@contoso.example", i)
	}
	return out
}

// plain is a value as JSON would give it back.
func plain(v any) any {
	text, _ := json.Marshal(v)
	var out any
	_ = json.Unmarshal(text, &out)
	return out
}

func TestInternationalDomainsAreKeptAsALabels(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	if got := w.Provider().Do("PATCH", contosoUsers+"/"+kim, object{"email": "KIM@Bücher.example"}, "If-Match",
		"*").Want(200).String("email"); got != "kim@xn--bcher-kva.example" {
		t.Errorf("email: got %q, want the domain as an A-label", got)
	}
	w.Provider().Do("POST", contosoUsers, object{"email": "kim@xn--bcher-kva.example", "name": "Kim", "role": "tech"}).WantProblem(409,
		"email_taken")
	w.Provider().Do("POST", contosoUsers, object{"email": "kim@bu\u0308cher.example", "name": "Kim", "role": "tech"}).WantProblem(409,
		"email_taken")
	if got := w.Provider().Do("PUT", acmePath, object{"domain": "Äcme.example"}).Want(200).String("domain"); got != "xn--cme-pla.example" {
		t.Errorf("domain: got %q, want it as an A-label", got)
	}
	ann.Do("POST", "/v1/customers/acme/invitations", object{"email": "eve@äcme.example", "partner": "contoso"}).WantProblem(422,
		"own_organisation")
	w.Provider().Do("PUT", acmePath+"/members/"+url.PathEscape("eve@äcme.example"), object{"name": "Eve", "role": "member"}).Want(201)
	for _, token := range []string{"eve@äcme.example", "eve@xn--cme-pla.example"} {
		if got := w.As(token).Do("GET", "/v1/me", nil).Want(200).Get("customers.0.role"); got != "member" {
			t.Errorf("the token of %s: got role %v, want member", token, got)
		}
	}
	for _, q := range []string{"kim@xn--b", "kim@büch", "KIM@BÜCH"} {
		if got := w.As("olga@contoso.example").Do("GET", contosoUsers+"?q="+url.QueryEscape(q), nil).Want(200).Int("items.length"); got != 1 {
			t.Errorf("users by %s: got %d, want 1", q, got)
		}
	}
	for _, q := range []string{"xn--cme", "äcme.ex"} {
		if got := w.As("olga@contoso.example").Do("GET", contosoPath+"/customers?q="+url.QueryEscape(q),
			nil).Want(200).Int("items.length"); got != 1 {
			t.Errorf("customers by %s: got %d, want 1", q, got)
		}
	}
}

// TestAForgedCursorBehindTheListIsRefused makes cursors as anybody can who reads the source: the digest in them is no secret.
func TestAForgedCursorBehindTheListIsRefused(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	provider, olga := w.Provider(), w.As("olga@contoso.example")
	const end = "\U0010ffff\U0010ffff"
	for _, list := range []struct {
		by            *spec.Client
		route, path   string
		filter        url.Values
		behind, wrong string // positions: behind the list's end, and elsewhere
	}{
		{provider, "/v1/partners", "/v1/partners", nil, end, "~"},
		{ann, "/v1/partners", "/v1/partners", url.Values{"q": {"con"}}, "zzz", "\U0010ffff"},
		{ann, "/v1/customers/{customer}/grants", grants, nil, end, "zzz"},
		{ann, "/v1/customers/{customer}/grants/{partner}/users", contosoGrant + "/users", nil, end, "0"},
		{ann, "/v1/customers/{customer}/people", acmePath + "/people", nil, "zzz", "#"},
		{olga, "/v1/partners/{partner}/users/{user}/customers", contosoUsers + "/" + kim + "/customers", nil, "zzz", "#"},
		{ann, "/v1/customers/{customer}/members", acmePath + "/members", nil, end, "zzz"},
		{ann, "/v1/customers/{customer}/invitations", acmePath + "/invitations", nil, "", "zzz"},
		{ann, "/v1/customers/{customer}/mail", acmePath + "/mail", nil, "", "zzz"},
		{ann, "/v1/customers/{customer}/history", acmePath + "/history", url.Values{"from": {"2026-11-22T10:00:00Z"}}, "0", "zzz"},
		{olga, "/v1/partners/{partner}/users", contosoUsers, nil, end, "zzz"},
		{olga, "/v1/partners/{partner}/customers", contosoPath + "/customers", nil, end, "0"},
		{olga, "/v1/partners/{partner}/customers/{customer}/users", contosoPath + "/customers/acme/users", nil, end, "0"},
		{olga, "/v1/partners/{partner}/invitations", contosoPath + "/invitations", nil, "", "zzz"},
		{olga, "/v1/partners/{partner}/mail", contosoPath + "/mail", nil, "", "0"},
		{olga, "/v1/partners/{partner}/history", contosoPath + "/history", url.Values{"from": {"2026-11-22T10:00:00Z"}}, "0", "zzz"},
	} {
		sum := sha256.Sum256([]byte("GET " + list.route + "\n" + list.path + "\n" + list.filter.Encode()))
		ask := func(position string) *spec.Answer {
			q := url.Values{"cursor": {base64.RawURLEncoding.EncodeToString([]byte(base64.RawURLEncoding.EncodeToString(sum[:9]) + position))}}
			for name, v := range list.filter {
				q[name] = v
			}
			return list.by.Do("GET", list.path+"?"+q.Encode(), nil)
		}
		if list.behind != "" {
			ask(list.behind).WantProblem(400, "invalid", "?cursor")
		}
		for _, position := range []string{list.wrong, end, "0", "~", "\u00ff", "T#", strings.Repeat("z", 900)} {
			if a := ask(position); a.Status != 200 {
				a.WantProblem(400, "invalid", "?cursor")
			}
		}
	}
}

func TestIfMatchTakesAList(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	levels := []string{"support", "view"}
	edit := func(tags string) *spec.Answer { // one that gives more, or it would be taken whatever the version
		ann.Do("PATCH", contosoGrant, object{"level": levels[1]}, "If-Match", "*").Want(200)
		return ann.Do("PATCH", contosoGrant, object{"level": levels[0]}, "If-Match", tags)
	}
	next := func() string { // the version after the next edit
		v := w.Provider().Do("GET", contosoGrant, nil).Want(200).Int("version")
		if w.Provider().Do("GET", contosoGrant, nil).String("level") != levels[1] {
			v++
		}
		return fmt.Sprintf("%q", fmt.Sprint(v))
	}
	for _, list := range []string{`%s`, `"99", %s`, `%s, "99"`, `"a,b",%s`, ` , "98" ,, W/"97",%s , `, `"1x",%s`} {
		edit(fmt.Sprintf(list, next())).Want(200)
	}
	for _, list := range []string{`"98","99"`, `W/%s`, `"99", W/%s`, `*, %s`, `%s %s`, `%s; "9"`, `x, %s`} {
		edit(strings.ReplaceAll(list, "%s", next())).WantProblem(412, "version_mismatch")
	}
	edit(strings.TrimSuffix(strings.Repeat(`"9%d",`, 11), ",")).WantProblem(412, "version_mismatch") // the same eleven times
	many := ""
	for i := range 11 {
		many += fmt.Sprintf(`"9%d",`, i)
	}
	edit(many).WantProblem(400, "invalid")
	for path, body := range map[string]object{
		contosoPath: {"name": "C2"}, acmePath: {"name": "A2"},
		acmePath + "/members/admin@acme.example": {"name": "Ann B", "role": "admin"},
	} {
		w.Provider().Do("PUT", path, body, "If-Match", `"98","99"`).WantProblem(412, "version_mismatch")
		var tag string
		if !strings.Contains(path, "members") {
			tag = w.Provider().Do("GET", path, nil).Want(200).Header.Get("ETag")
		} else {
			tag = `"1"`
		}
		w.Provider().Do("PUT", path, body, "If-Match", `"98",`+tag).Want(200)
	}
}

func TestIfNoneMatchCreatesAndNeverChanges(t *testing.T) {
	t.Parallel()
	w, _, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}, "assigned_by": "partner"}).Want(201)
	w.Customer("globex")
	provider, olga := w.Provider(), w.As("olga@contoso.example")
	for _, c := range []struct {
		by   *spec.Client
		path string
		body object
		make bool // it can be created
	}{
		{provider, "/v1/partners/fabrikam", object{"name": "Fabrikam"}, true},
		{provider, "/v1/customers/initech", object{"name": "Initech"}, true},
		{provider, acmePath + "/members/eve@acme.example", object{"name": "Eve", "role": "member"}, true},
		{provider, acmePath + "/relationships/fabrikam", object{}, true},
		{provider, "/v1/customers/initech/managing-partner", object{"partner": "contoso"}, true},
		{olga, contosoPath + "/customers/acme/users", object{"users": []string{kim}}, false},
	} {
		if c.make {
			c.by.Do("PUT", c.path, c.body, "If-None-Match", "*").Want(201)
		}
		a := c.by.Do("PUT", c.path, c.body, "If-None-Match", "*")
		a.WantProblem(412, "version_mismatch")
		if c.make {
			c.by.Do("PUT", c.path, c.body, "If-None-Match", `"99"`).Want(200)
		}
	}
	tag := provider.Do("GET", acmePath, nil).Want(200).Header.Get("ETag")
	provider.Do("PUT", acmePath, object{"name": "Other"}, "If-None-Match", `"99", W/`+tag).WantProblem(412, "version_mismatch")
	if got := provider.Do("GET", acmePath, nil).Want(200).String("name"); got != "Acme" {
		t.Errorf("got the name %s, want it unchanged", got)
	}
	provider.Do("DELETE", "/v1/partners/fabrikam", nil).Want(204)
	provider.Do("PUT", "/v1/partners/fabrikam", object{"name": "Fabrikam"}, "If-None-Match", "*").WantProblem(409, "ended")
}

func TestEveryWordOfAPartnersNameIsFound(t *testing.T) {
	t.Parallel()
	w, ann, _ := office(t)
	words := func(n int) string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf("w%02d", i)
		}
		return strings.Join(out, " ")
	}
	w.Provider().Do("PUT", contosoPath, object{"name": words(20)}).Want(200)
	for i := range 20 {
		if got := ann.Do("GET", fmt.Sprintf("/v1/partners?q=w%02d", i), nil).Want(200).Int("items.length"); got != 1 {
			t.Errorf("the word w%02d: got %d partners, want 1", i, got)
		}
	}
	w.Provider().Do("PUT", contosoPath, object{"name": words(20) + " W00"}).Want(200) // the same word again
	w.Provider().Do("PUT", contosoPath, object{"name": words(21)}).WantProblem(400, "invalid", "/name")
	w.Provider().Do("PUT", "/v1/partners/fabrikam", object{"name": words(21)}).WantProblem(400, "invalid", "/name")
	w.Provider().Do("PUT", acmePath, object{"name": words(21)}).Want(200) // is looked for in a list that is read anyway
}

func TestANameThatIsCopiedOutOfAMailIsFound(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Provider().Do("PUT", contosoPath, object{"name": "Contoso.com A/B"}).Want(200)
	w.Provider().Do("PUT", acmePath, object{"name": "Acme.com"}).Want(200)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	olga := w.As("olga@contoso.example")
	for path, by := range map[string]*spec.Client{
		"/v1/partners?q=" + url.QueryEscape("Contoso.\u200bcom A/\u200bB"): ann,
		grants + "?q=" + url.QueryEscape("\u2068Contoso.\u200bcom\u2069"):  ann,
		contosoPath + "/customers?q=" + url.QueryEscape("Acme.\u200bcom"):  olga,
		contosoUsers + "?q=" + url.QueryEscape("ki\u200bm"):                olga,
	} {
		if got := by.Do("GET", path, nil).Want(200).Int("items.length"); got != 1 {
			t.Errorf("GET %s: got %d, want 1", path, got)
		}
	}
	ann.Do("GET", "/v1/partners?q="+url.QueryEscape("\u200b"), nil).WantProblem(400, "invalid", "?q")
}

func TestAddressesAndDomainsAreKeptInLowerCaseAndContactsOnce(t *testing.T) {
	t.Parallel()
	w, _, kim := office(t)
	a := w.Provider().Do("PATCH", contosoUsers+"/"+kim, object{"email": "KIM@Contoso.EXAMPLE", "name": "Kim K"}, "If-Match", "*").Want(200)
	if got := a.String("email"); got != "kim@contoso.example" {
		t.Errorf("email: got %q, want it in lower case", got)
	}
	if got := w.Provider().Do("PUT", acmePath, object{"domain": "ACME.example"}).Want(200).String("domain"); got != "acme.example" {
		t.Errorf("domain: got %q, want it in lower case", got)
	}
	got := w.Provider().Do("PUT", contosoPath,
		object{"contacts": []string{"B@x.example", "a@x.example", "b@X.example"}}).Want(200).Strings("contacts")
	if want := []string{"b@x.example", "a@x.example"}; !slices.Equal(got, want) {
		t.Errorf("contacts: got %q, want %q", got, want)
	}
	w.Provider().Do("PUT", acmePath+"/members/Eve%40ACME.example", object{"name": "Eve", "role": "admin"}).Want(201)
	if got := w.As("eve@acme.example").Do("GET", "/v1/me", nil).Want(200).Get("customers.0.role"); got != "admin" {
		t.Errorf("the member under another case of her address: got role %v, want admin", got)
	}
	for _, address := range []string{"eve", "eve%20@acme.example", "%22eve%22@acme.example"} {
		w.Provider().Do("PUT", acmePath+"/members/"+address, object{"name": "Eve", "role": "admin"}).WantProblem(400, "invalid")
		w.Provider().Do("DELETE", acmePath+"/members/"+address, nil).WantProblem(400, "invalid")
	}
}

func TestAnInstantIsRFC3339WithAnyOffsetToTheMillisecond(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	for given, want := range map[string]string{
		"2027-03-01T00:00:00Z":                         "2027-03-01T00:00:00Z",
		"2027-03-01t00:00:00z":                         "2027-03-01T00:00:00Z",
		"2027-03-01T00:00:00+00:00":                    "2027-03-01T00:00:00Z",
		"2027-03-01T00:00:00-00:00":                    "2027-03-01T00:00:00Z",
		"2027-03-01T00:00:00+02:00":                    "2027-02-28T22:00:00Z",
		"2027-03-01T00:00:00-11:30":                    "2027-03-01T11:30:00Z",
		"2027-03-01T00:00:00.5Z":                       "2027-03-01T00:00:00.5Z",
		"2027-03-01T00:00:00.001Z":                     "2027-03-01T00:00:00.001Z",
		"2027-03-01T00:00:00.12300000Z":                "2027-03-01T00:00:00.123Z",
		"2028-02-29T23:59:59Z":                         "2028-02-29T23:59:59Z",
		"9999-12-31T23:59:59.999Z":                     "9999-12-31T23:59:59.999Z",
		"2027-03-01T00:00:00.0001Z":                    "2027-03-01T00:00:00Z", // what is finer is cut off, not rounded
		"2027-03-01T00:00:00.9999999Z":                 "2027-03-01T00:00:00.999Z",
		"2027-03-01T00:00:00.123456789012345678+01:00": "2027-02-28T23:00:00.123Z",
	} {
		a := ann.Do("PATCH", contosoGrant, object{"until": given}, "If-Match", "*").Want(200)
		if got := a.String("grant.until"); got != want {
			t.Errorf("until %s: got %s, want %s", given, got, want)
		}
	}
	for _, bad := range []string{
		"", "2027-03-01", "2027-03-01T00:00:00", "2027-03-01 00:00:00Z", "2027-03-01T00:00Z", "2027-3-1T00:00:00Z", "2027-02-29T00:00:00Z",
		"2027-13-01T00:00:00Z", "2027-03-01T24:00:00Z", "2027-03-01T23:59:60Z", "2027-03-01T00:00:00,5Z", "2027-03-01T1:00:00Z",
		"2027-03-01T00:00:00.Z",
		"2027-03-01T00:00:00+0200", "2027-03-01T00:00:00+25:00", "2027-03-01T00:00:00+24:00", "2027-03-01T00:00:00+02:60",
		"2027-03-01T00:00:00-23:99", "2027-03-01T00:00:00 Z", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z", "+002027-03-01T00:00:00Z", "1772323200", "tomorrow", "2027-03-01T00:00:00Z[Europe/Berlin]",
	} {
		ann.Do("PATCH", contosoGrant, object{"until": bad}, "If-Match", "*").WantProblem(400, "invalid", "/until")
	}
}

func TestAPeriodEndsInTheFutureAndAfterItBegins(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	at := func(d time.Duration) string { return w.Now().Add(d).Format(time.RFC3339Nano) }
	create := func(more object) *spec.Answer {
		body := object{"partner": "contoso", "users": []string{kim}}
		for k, v := range more {
			body[k] = v
		}
		return w.Grant("acme", body)
	}
	create(object{"until": at(-time.Hour)}).WantProblem(422, "period_invalid", "/until")
	create(object{"until": at(0)}).WantProblem(422, "period_invalid", "/until")
	create(object{"from": at(time.Hour), "until": at(time.Hour)}).WantProblem(422, "period_invalid", "/until")
	create(object{"from": at(time.Hour), "until": at(time.Hour - time.Millisecond)}).WantProblem(422, "period_invalid", "/until")
	w.Denied(kim, "sign_in", "acme", "no_grant")

	a := create(object{"from": at(-time.Hour), "until": at(time.Millisecond)}).Want(201)
	if got, want := a.String("grant.from"), at(0); got != want { // a period never begins in the past
		t.Errorf("from: got %s, want %s", got, want)
	}
	w.Allowed(kim, "sign_in", "acme")
	w.Advance(time.Millisecond)
	w.Denied(kim, "sign_in", "acme", "expired")

	a = create(object{"from": nil, "until": nil}).Want(201)
	if a.Get("grant.until") != nil {
		t.Errorf("until: got %v, want null", a.Get("grant.until"))
	}
	ann.Do("PATCH", contosoGrant, object{"until": at(0)}, "If-Match", "*").WantProblem(422, "period_invalid", "/until")
	ann.Do("PATCH", contosoGrant, object{"from": at(time.Hour), "until": at(time.Minute)}, "If-Match", "*").WantProblem(422, "period_invalid",
		"/until")
}

func TestAListTakesItsOwnParametersAndNoOthers(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	lists := []string{
		grants, contosoGrant + "/users", acmePath + "/members", acmePath + "/history", "/v1/partners", contosoUsers, contosoPath + "/customers",
		contosoPath + "/customers/acme/users", contosoPath + "/history", acmePath + "/people", contosoUsers + "/" + kim + "/customers",
	}
	for _, path := range lists {
		for _, limit := range []string{"0", "-1", "101", "1.5", "ten", "", "1e1", "99999999999999999999"} {
			w.Provider().Do("GET", path+"?limit="+limit, nil).WantProblem(400, "invalid", "?limit")
		}
		for _, limit := range []string{"1", "100"} {
			w.Provider().Do("GET", path+"?limit="+limit, nil).Want(200)
		}
		w.Provider().Do("GET", path+"?limit=1&limit=1", nil).WantProblem(400, "invalid", "?limit")
		w.Provider().Do("GET", path+"?Limit=1", nil).WantProblem(400, "invalid", "?Limit")
		w.Provider().Do("GET", path+"?colour=red&limit=0", nil).WantProblem(400, "invalid", "?colour", "?limit")
		w.Provider().Do("GET", path+"?limit=%zz", nil).WantProblem(400, "invalid")
		for _, cursor := range []string{"x", "AAAA", "%00", strings.Repeat("A", 2000)} {
			w.Provider().Do("GET", path+"?cursor="+cursor, nil).WantProblem(400, "invalid", "?cursor")
		}
	}
	for query, pointer := range map[string]string{
		"?status=open": "?status", "?status=active,": "?status", "?status=active&status=ended": "?status", "?q=" + strings.Repeat("x", 201): "?q",
		"?q=a%0Ab": "?q", "?level=most": "?level", "?everyone=1": "?everyone", "?ends_before=2027-03-01": "?ends_before",
		"?changed_since=x": "?changed_since", "?sort=id": "?sort", "?sort=-": "?sort",
	} {
		ann.Do("GET", grants+query, nil).WantProblem(400, "invalid", pointer)
	}
	for query, pointer := range map[string]string{"?from=yesterday": "?from", "?until=2027-03-01": "?until", "?q=x": "?q"} {
		ann.Do("GET", acmePath+"/history"+query, nil).WantProblem(400, "invalid", pointer)
	}
	for _, query := range []string{
		"?status=active,ended", "?q=con&status=active", "?q=", "?status=", "?level=none,view&everyone=false&sort=-until",
	} {
		ann.Do("GET", grants+query, nil).Want(200)
	}
}

func TestWhatIsNoListTakesNoParameters(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	ann.Do("POST", grants+"?dryrun=true", object{"partner": "contoso", "users": []string{kim}}).WantProblem(400, "invalid", "?dryrun")
	ann.Do("POST", grants+"?dry_run=yes", object{"partner": "contoso", "users": []string{kim}}).WantProblem(400, "invalid", "?dry_run")
	w.Denied(kim, "sign_in", "acme", "no_grant")
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	ann.Do("DELETE", contosoGrant+"?user=x", nil).WantProblem(400, "invalid", "?user")
	w.Allowed(kim, "sign_in", "acme")
	for _, path := range []string{"/v1/me", acmePath, contosoGrant, contosoPath, contosoUsers + "/" + kim} {
		w.Provider().Do("GET", path+"?limit=1", nil).WantProblem(400, "invalid", "?limit")
	}
}

func TestACursorBelongsToItsListAndFilter(t *testing.T) {
	t.Parallel()
	w, ann, _ := office(t)
	for _, p := range []string{"contessa", "continental"} {
		w.Partner(p)
		w.Grant("acme", object{"partner": p}).Want(201)
	}
	w.Grant("acme", object{"partner": "contoso"}).Want(201)
	w.Customer("globex")
	w.Grant("globex", object{"partner": "contoso"}).Want(201)

	first := ann.Do("GET", grants+"?q=con&limit=1", nil).Want(200)
	next := url.QueryEscape(first.String("next_cursor"))
	ann.Do("GET", grants+"?q=con&limit=2&cursor="+next, nil).Want(200) // the limit is no part of the filter
	ann.Do("GET", grants+"?limit=2&q=con&status=&cursor="+next, nil).Want(200)
	for name, path := range map[string]string{
		"without the filter": grants + "?cursor=" + next,
		"another filter":     grants + "?q=co&cursor=" + next,
		"one filter more":    grants + "?q=con&status=active&cursor=" + next,
		"another list":       "/v1/partners?q=con&cursor=" + next,
		"cut off":            grants + "?q=con&cursor=" + next[:len(next)-3],
		"with something on":  grants + "?q=con&cursor=" + next + "AA%3D%3D",
	} {
		t.Run(name, func(t *testing.T) {
			if a := ann.In(w.In(t)).Do("GET", path, nil); name != "cut off" || a.Status != 200 {
				// a cursor that is cut may be another position of the same list
				a.WantProblem(400, "invalid", "?cursor")
			}
		})
	}
	w.AdminOf("globex").Do("GET", "/v1/customers/globex/grants?q=con&cursor="+next, nil).WantProblem(400, "invalid", "?cursor")

	seen := map[string]bool{}
	for path, pages := grants+"?q=con&limit=1", 0; ; pages++ {
		a := ann.Do("GET", path, nil).Want(200)
		if a.Int("items.length") > 0 {
			seen[a.String("items.0.partner.id")] = true
		}
		if a.Get("next_cursor") == nil {
			break
		}
		if pages == 10 {
			t.Fatalf("after %d pages there is still a cursor", pages)
		}
		path = grants + "?q=con&limit=1&cursor=" + url.QueryEscape(a.String("next_cursor"))
	}
	if len(seen) != 3 {
		t.Errorf("all pages together: got %v, want three partners", seen)
	}
}

func TestAnIdempotencyKeyGivesTheFirstAnswerAgain(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	lea := w.User("contoso", "lea@contoso.example", "tech")
	eve := w.Admin("acme", "eve@acme.example")
	key := []string{"Idempotency-Key", "k1"}
	body := object{"partner": "contoso", "users": []string{kim}}

	first := ann.Do("POST", grants, body, key...).Want(201)
	if got := first.Header.Get("Idempotency-Replayed"); got != "" {
		t.Errorf("the first time: got Idempotency-Replayed %q, want none", got)
	}
	ann.Do("DELETE", contosoGrant, nil).Want(200) // whatever has happened since
	w.Advance(23 * time.Hour)
	again := ann.Do("POST", grants, body, key...).Want(201)
	if string(again.Body) != string(first.Body) {
		t.Errorf("the second time: got %s, want %s", again.Body, first.Body)
	}
	for header, want := range map[string]string{
		"ETag": first.Header.Get("ETag"), "Location": "/v1/customers/acme/grants/contoso", "Content-Type": "application/json",
		"Idempotency-Replayed": "true",
	} {
		if got := again.Header.Get(header); got != want {
			t.Errorf("the second time, %s: got %q, want %q", header, got, want)
		}
	}
	w.Denied(kim, "sign_in", "acme", "ended") // the answer is repeated, the change is not

	ann.Do("POST", grants, object{"partner": "contoso", "users": []string{lea}}, key...).WantProblem(422, "idempotency_mismatch")
	ann.Do("POST", grants, `{"partner":"contoso" ,"users":["`+kim+`"]}`, key...).WantProblem(422, "idempotency_mismatch")
	w.Denied(lea, "sign_in", "acme", "ended")

	// The key is the caller's own, and the path's.
	if got := eve.Do("POST", grants, object{"partner": "contoso", "users": []string{lea}},
		key...).Want(201).Header.Get("Idempotency-Replayed"); got != "" {
		t.Errorf("another caller's key: got Idempotency-Replayed %q, want none", got)
	}
	w.Allowed(lea, "sign_in", "acme")
	user := object{"email": "new@contoso.example", "name": "New", "role": "tech"}
	created := w.Provider().Do("POST", contosoUsers, user, key...).Want(201)
	repeated := w.Provider().Do("POST", contosoUsers, user, key...).Want(201)
	if created.String("id") != repeated.String("id") || created.Header.Get("Location") != repeated.Header.Get("Location") {
		t.Errorf("a user created twice: got %s and %s, want the same", created.Body, repeated.Body)
	}
	w.Provider().Do("POST", contosoUsers, user).WantProblem(409, "email_taken", "/email") // without the key it is another request

	// Merging answers 200, again and again.
	merge := object{"partner": "contoso", "users": []string{kim}}
	for range 2 {
		a := ann.Do("POST", grants, merge, "Idempotency-Key", "k2").Want(200)
		if got := a.Strings("changes.added"); !slices.Equal(got, []string{kim}) {
			t.Errorf("added: got %v, want %s each time", got, kim)
		}
	}
}

func TestARefusalIsNotKeptUnderAnIdempotencyKey(t *testing.T) {
	t.Parallel()
	w, ann, _ := office(t)
	key := []string{"Idempotency-Key", "k"}
	body := object{"email": "late@contoso.example"}
	ann.Do("POST", grants, body, key...).WantProblem(422, "unknown_email")
	w.User("contoso", "late@contoso.example", "tech")
	ann.Do("POST", grants, body, key...).Want(201)
	ann.Do("POST", grants, body, key...).Want(201)
}

func TestAnIdempotencyKeyHas1To255VisibleCharacters(t *testing.T) {
	t.Parallel()
	w, ann, _ := office(t)
	body := object{"partner": "contoso"}
	for _, key := range []string{" ", "a b", "ä", strings.Repeat("k", 256), "a\tb"} {
		ann.Do("POST", grants, body, "Idempotency-Key", key).WantProblem(400, "invalid")
	}
	ann.Do("POST", grants, body, "Idempotency-Key", strings.Repeat("k", 255)).Want(201)
	ann.Do("POST", grants, body, "Idempotency-Key", "!#~").Want(200)
	ann.Do("PATCH", contosoGrant, object{"note": "x"}, "If-Match", "*", "Idempotency-Key", "a b").Want(200) // elsewhere it means nothing
	w.Provider().Do("PUT", acmePath, object{"name": "Acme"}, "Idempotency-Key", "a b").Want(200)
}

func TestSeveralUsersAreCreatedEachWithItsOwnResult(t *testing.T) {
	t.Parallel()
	w, ann, _ := office(t)
	olga := w.As("olga@contoso.example")
	one := func(email, role string) object { return object{"email": email, "name": "N", "role": role} }
	body := object{"users": []object{
		one("a@contoso.example", "tech"),
		one("kim@contoso.example", "tech"),
		{"email": "b", "role": "boss"},
		one("a@contoso.example", "business"),
		one("boss@contoso.example", "owner"),
		one("admin@acme.example", "tech"),
		{"email": "m@contoso.example", "name": "M", "role": "tech", "mfa": true},
		{"email": "p@contoso.example", "name": "P", "role": "sales_marketing", "mfa": true, "phone": "+4930123456"},
	}}
	a := olga.Do("POST", contosoUsers, body).Want(200)
	for i, want := range []struct {
		status   int
		code     string
		pointers []string
	}{
		{201, "", nil},
		{409, "email_unavailable", []string{"/users/1/email"}},
		{400, "invalid", []string{"/users/2/email", "/users/2/role", "/users/2/name"}},
		{409, "email_unavailable", []string{"/users/3/email"}},
		{403, "forbidden", []string{"/users/4/role"}},
		{409, "email_unavailable", []string{"/users/5/email"}},
		{422, "phone_required", []string{"/users/6/phone"}},
		{201, "", nil},
	} {
		at := fmt.Sprintf("results.%d.", i)
		if got := a.Int(at + "status"); got != want.status {
			t.Errorf("user %d: got %d, want %d, in %s", i, got, want.status, a.Body)
			continue
		}
		if want.code == "" {
			w.Provider().Do("GET", contosoUsers+"/"+a.String(at+"user.id"), nil).Want(200)
			continue
		}
		if got := a.String(at + "problem.code"); got != want.code {
			t.Errorf("user %d: got %s, want %s", i, got, want.code)
		}
		var pointers []string
		for j := range want.pointers {
			pointers = append(pointers, a.String(fmt.Sprintf("%sproblem.errors.%d.pointer", at, j)))
		}
		slices.Sort(pointers)
		slices.Sort(want.pointers)
		if !slices.Equal(pointers, want.pointers) {
			t.Errorf("user %d: got pointers %q, want %q", i, pointers, want.pointers)
		}
	}
	if got := olga.Do("GET", contosoUsers, nil).Want(200).Int("items.length"); got != 4 {
		t.Errorf("users afterwards: got %d, want olga, kim and the two", got)
	}
	ann.Do("POST", contosoUsers, body).WantProblem(404, "not_found")
}

func TestOneRequestCreatesUpTo25Users(t *testing.T) {
	t.Parallel()
	w, _, _ := office(t)
	several := func(n int) object {
		list := make([]object, n)
		for i := range list {
			list[i] = object{"email": fmt.Sprintf("u%d@contoso.example", i), "name": "U", "role": "tech"}
		}
		return object{"users": list}
	}
	w.Provider().Do("POST", contosoUsers, several(0)).WantProblem(400, "invalid", "/users")
	w.Provider().Do("POST", contosoUsers, several(26)).WantProblem(400, "invalid", "/users")
	w.Provider().Do("POST", contosoUsers, `{"users":null}`).WantProblem(400, "invalid", "/users")
	w.Provider().Do("POST", contosoUsers, `{"users":{}}`).WantProblem(400, "invalid", "/users")
	w.Provider().Do("POST", contosoUsers, `{"users":[{"colour":"red"}]}`).WantProblem(400, "invalid", "/users/0/colour")
	w.Provider().Do("POST", contosoUsers, `{"users":[{"email":"x@contoso.example"}],"name":"X"}`).WantProblem(400, "invalid", "/users")

	key := []string{"Idempotency-Key", "all"}
	first := w.Provider().Do("POST", contosoUsers, several(25), key...).Want(200)
	for i := range 25 {
		if got := first.Int(fmt.Sprintf("results.%d.status", i)); got != 201 {
			t.Errorf("user %d: got %d, want 201", i, got)
		}
	}
	again := w.Provider().Do("POST", contosoUsers, several(25), key...).Want(200)
	if string(first.Body) != string(again.Body) {
		t.Errorf("the second time: got %s, want %s", again.Body, first.Body)
	}
	// Another body under the key does nothing, not even for users that the first one did not name.
	other := several(25)
	other["users"].([]object)[3]["email"] = "new@contoso.example"
	w.Provider().Do("POST", contosoUsers, other, key...).WantProblem(422, "idempotency_mismatch")
	w.Provider().Do("POST", contosoUsers, several(1), key...).WantProblem(422, "idempotency_mismatch")
	if got := w.Provider().Do("GET", contosoUsers+"?limit=100", nil).Want(200).Int("items.length"); got != 27 {
		t.Errorf("users afterwards: got %d, want olga, kim and 25", got)
	}
}

func TestAnEditNamesTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	for _, c := range []struct {
		by         *spec.Client
		path       string
		gives      func(i int) object // an edit that gives, or is neither
		accepted   object
		needsMatch bool
		put        bool
	}{
		{ann, contosoGrant, func(i int) object { return object{"note": fmt.Sprint(i)} }, object{"level": "none"}, true, false},
		{
			w.Provider(), contosoPath, func(i int) object { return object{"name": fmt.Sprintf("Contoso %d", i)} },
			object{"offer": "view"},
			true,
			false,
		},
		{
			w.Provider(), contosoPath, func(i int) object { return object{"name": fmt.Sprintf("Contoso %d", i+100)} },
			object{"offer": "none"},
			false, true,
		},
		{
			w.Provider(), contosoUsers + "/" + kim, func(i int) object { return object{"name": fmt.Sprintf("Kim %d", i)} },
			object{"status": "disabled"},
			true, false,
		},
		{
			w.As("olga@contoso.example"), contosoPath + "/account",
			func(i int) object { return object{"contacts": []string{fmt.Sprintf("ops%d@contoso.example", i)}} }, nil, true, false,
		},
		{w.Provider(), acmePath, func(i int) object { return object{"name": fmt.Sprintf("Acme %d", i)} }, nil, false, true},
	} {
		t.Run(c.path, func(t *testing.T) {
			by := c.by.In(w.In(t))
			method := "PATCH"
			if c.put {
				method = "PUT"
			}
			read := func() string { return by.Do("GET", c.path, nil).Want(200).Header.Get("ETag") }
			n := 0
			edit := func(match ...string) *spec.Answer {
				n++
				var header []string
				if len(match) > 0 {
					header = []string{"If-Match", match[0]}
				}
				return by.Do(method, c.path, c.gives(n), header...)
			}
			if c.needsMatch {
				edit().WantProblem(428, "if_match_required")
			} else {
				edit().Want(200)
			}
			tag := read()
			a := edit(tag).Want(200)
			if got := a.Header.Get("ETag"); got == tag || got != read() {
				t.Errorf("ETag after an edit: got %s, want a new one, as GET gives it: %s", got, read())
			}
			edit(tag).WantProblem(412, "version_mismatch")
			for _, other := range []string{
				`"0"`, `"999"`, "W/" + read(), strings.Trim(read(), `"`), `"x"`, `"01"`, `""`, `"998", "999"`,
				`"998", W/` + read(),
			} {
				edit(other).WantProblem(412, "version_mismatch")
			}
			edit("*").Want(200)
			edit(read()).Want(200)
			edit(`"998", ` + read()).Want(200)
			if c.accepted != nil { // what only takes away is never refused for a stale version
				by.Do(method, c.path, c.accepted, "If-Match", tag).Want(200)
			}
		})
	}
}

func TestIfMatchIsForWhatIsThere(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for _, path := range []string{contosoPath, acmePath} {
		for _, tag := range []string{`"1"`, "*"} {
			w.Provider().Do("PUT", path, object{"name": "N"}, "If-Match", tag).WantProblem(412, "version_mismatch")
		}
		w.Provider().Do("GET", path, nil).WantProblem(404, "not_found")
	}
	w.Provider().Do("PATCH", contosoPath, object{"name": "N"}, "If-Match", "*").WantProblem(404, "not_found")
}

func TestAnEditThatChangesNothingKeepsTheVersion(t *testing.T) {
	t.Parallel()
	w, ann, kim := office(t)
	before := w.Grant("acme", object{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	after := ann.Do("PATCH", contosoGrant, object{"level": "view", "users": object{"set": []string{kim}}}, "If-Match", `"999"`).Want(200)
	if got, want := after.Header.Get("ETag"), before.Header.Get("ETag"); got != want {
		t.Errorf("ETag: got %s, want %s as before", got, want)
	}
	if got := after.Int("changes.fields.length"); got != 0 {
		t.Errorf("changed fields: got %d, want none", got)
	}
	merged := w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(200)
	if got, want := merged.Header.Get("ETag"), before.Header.Get("ETag"); got != want {
		t.Errorf("ETag after a merge that changes nothing: got %s, want %s as before", got, want)
	}
}
