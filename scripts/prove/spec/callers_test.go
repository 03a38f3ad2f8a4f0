package spec_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/manifest"
)

// callerLetters are the callers of a route as the tests write them. Who they are is written down in openapi.yaml (x-callers), a second
// time and independently of the code.
var callerLetters = map[string]string{
	"provider": "P", "customer_admin": "A", "customer_member": "M",
	"owner": "O", "admin": "a", "business": "B", "tech": "T", "sales_marketing": "S", "external": "X",
	"any_member":         "C", // of any customer
	"any_customer_admin": "c",
	"any_lead":           "L", // an owner, admin or business user of any partner, whose own it then has to be
	"signed_in":          "*",
}

// whoMay is who may call what, by route, as the contract says it.
func whoMay(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for path, item := range contract(t).Doc.Paths.Map() {
		for method, op := range item.Operations() {
			callers, _ := op.Extensions["x-callers"].([]any)
			for _, caller := range callers {
				letter, known := callerLetters[caller.(string)]
				if !known {
					t.Fatalf("%s %s: there is no caller %q", method, path, caller)
				}
				out[method+" "+path] += letter
			}
		}
	}
	return out
}

// elsewhere are the routes that are open to everybody, depend on a secret or on being the very person; each has a test of its own.
var elsewhere = map[string]string{
	"GET /v1/problems":                                                "TestTheTypeOfAProblemPointsToItsSection",
	"GET /v1/invitations/{token}":                                     "TestAnInvitationsTokenIsWhatOpensIt",
	"POST /v1/invitations/{token}/accept":                             "TestAnInvitationsTokenIsWhatOpensIt",
	"POST /v1/invitations/{token}/register":                           "TestE4_WhoHasNoAccountRegistersWithTheToken",
	"POST /v1/invitations/{token}/decline":                            "TestAnInvitationsTokenIsWhatOpensIt",
	"POST /v1/partners/{partner}/users/{user}/password":               "TestP20_APasswordIsChangedWithTheCurrentOneAlone",
	"POST /v1/customers/{customer}/mail/{mail}/resend":                "TestTheStateOfEachMailIsReadAndAMailIsSentAgain",
	"GET /v1/partners/{partner}/customers/{customer}":                 "TestW14_A18_A20_OneCustomerHasTheSignInLinkAndTheOwnLevel",
	"DELETE /v1/partners/{partner}/customers/{customer}/users/{user}": "TestEverybodyLeavesACustomerByItself",
	"GET /v1/partners/{partner}/users/{user}/customers":               "TestAPersonsCustomersAreShownToLeadsAndToItself",
	"POST /v1/partners/{partner}/mail/{mail}/resend":                  "TestTheStateOfEachMailIsReadAndAMailIsSentAgain",
	"GET /v1/partners/{partner}/requests/{request}":                   "TestARequestIsReadAndWithdrawnByItsSideAlone",
	"DELETE /v1/partners/{partner}/requests/{request}":                "TestARequestIsReadAndWithdrawnByItsSideAlone",
}

// town is a small world in which every kind of caller lives: acme and contoso, which have a grant, and globex and fabrikam, which have
// another.
type town struct {
	*spec.World
	callers map[string]*spec.Client // by letter; lower-case g and f are the neighbours' admin and owner, "?" nobody knows, "!" is a back end
	user    map[string]string       // a user of each partner, who is not the caller
	invited map[string]string       // an invitation of each customer
	asked   map[string]string       // a request to each customer
	jobs    map[string]string       // a cancelled bulk job of each customer, and of the provider ("")
	hooks   map[string]string       // a webhook of each customer, and of the provider (""), and
	events  map[string]string       // its challenge
}

func newTown(t *testing.T) town { return townOf(t, spec.New(t, withoutWorker)) }

func townOf(t *testing.T, w *spec.World) town {
	t.Helper()
	tn := town{World: w, user: map[string]string{}, invited: map[string]string{}, asked: map[string]string{}, jobs: map[string]string{}}
	for _, c := range []string{"acme", "globex"} {
		w.Customer(c)
		w.Admin(c, "admin@"+c+".example")
	}
	w.Member("acme", "member@acme.example")
	for _, p := range []string{"contoso", "fabrikam"} {
		w.Partner(p)
		w.User(p, "owner@"+p+".example", "owner")
		tn.user[p] = w.User(p, "someone@"+p+".example", "tech")
	}
	tn.callers = map[string]*spec.Client{
		"P": w.Provider(), "!": w.Backend(), "-": w.Anonymous(), "?": w.As("stranger@elsewhere.example"),
		"A": w.As("admin@acme.example"), "M": w.As("member@acme.example"), "g": w.As("admin@globex.example"),
		"O": w.As("owner@contoso.example"), "f": w.As("owner@fabrikam.example"),
	}
	for letter, role := range map[string]string{"a": "admin", "B": "business", "T": "tech", "S": "sales_marketing", "X": "external"} {
		w.User("contoso", role+"@contoso.example", role)
		tn.callers[letter] = w.As(role + "@contoso.example")
	}
	w.Grant("acme", map[string]any{"partner": "contoso", "everyone": true, "assigned_by": "partner"}).Want(201)
	w.Grant("globex", map[string]any{"partner": "fabrikam", "everyone": true, "assigned_by": "partner"}).Want(201)
	for customer, partner := range map[string]string{"acme": "contoso", "globex": "fabrikam"} {
		tn.invited[customer] = w.AdminOf(customer).Do("POST", "/v1/customers/"+customer+"/invitations",
			map[string]any{"email": "eve@" + partner + ".example", "partner": partner}).Want(201).String("invitation.id")
		tn.asked[customer] = w.As("owner@"+partner+".example").Do("POST", "/v1/partners/"+partner+"/requests",
			map[string]any{"customer": customer, "kind": "raise", "level": "manage"}).Want(201).String("request.id")
	}
	for owner, ask := range map[string]func(path string, body any) *spec.Answer{
		"acme": tn.jobOf("A", "/v1/customers/acme"), "globex": tn.jobOf("g", "/v1/customers/globex"), "": tn.jobOf("P", "/v1"),
	} {
		row := m{"op": "revoke", "partner": "nobody", "customer": "acme"}
		if owner != "" {
			row["customer"] = owner
		}
		tn.jobs[owner] = ask("", m{"rows": []m{row}}).Want(202).String("id")
		ask("/"+tn.jobs[owner]+"/cancel", nil).Want(200)
	}
	tn.hooks, tn.events = map[string]string{}, map[string]string{}
	for owner, letter := range map[string]string{"": "P", "acme": "A", "globex": "g"} {
		path, by := hooksOf(owner), tn.callers[letter]
		tn.hooks[owner] = by.Do("POST", path, m{"url": "https://hooks.example.invalid/"}).Want(201).String("webhook.id")
		tn.events[owner] = by.Do("GET", path+"/"+tn.hooks[owner]+"/deliveries", nil).Want(200).String("items.0.event")
	}
	block := receipt.Block{Address: "member@acme.example", State: receipt.Bounced, Reason: "user unknown", At: w.Now()}
	if err := dynamo.New(w.Stack.Engine().Client(), w.Stack.Table()).BlockAddress(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	for customer, partner := range map[string]string{"acme": "contoso", "globex": "fabrikam"} {
		to := "someone@" + partner + ".example"
		r := receipt.Receipt{
			Key:  receipt.Key{Customer: customer, Event: mailed1, Recipient: receipt.Digest(to)},
			With: partner, Type: "grant.created", To: to, Template: "granted", Side: "user",
		}
		if _, err := dynamo.New(w.Stack.Engine().Client(), w.Stack.Table()).ClaimMail(t.Context(), r, w.Now(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	return tn
}

// hooksOf is the path of the webhooks of a customer, with "" the provider's.
func hooksOf(customer string) string {
	if customer == "" {
		return webhooks
	}
	return "/v1/customers/" + customer + "/webhooks"
}

// mailed1 is the event of the mail that each of the town's relationships has had.
const mailed1 = "01J9Z3NDEKTSV4RRFFQ69G5FAV"

// jobOf asks for a bulk job as a caller.
func (tn town) jobOf(letter, of string) func(string, any) *spec.Answer {
	return func(path string, body any) *spec.Answer { return tn.callers[letter].Do("POST", of+"/bulk"+path, body) }
}

// bodyless tells which routes that change something have no body.
func bodyless(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	return slices.Contains([]string{"resend", "code", "cancel", "retry", "verify", "rotate", "test"}, last)
}

// at asks a route about acme and contoso, about their neighbours, or about what is not there. Bodies are such that who may call is refused
// for them: nothing changes but by DELETE.
func (tn town) at(route, letter, where string) *spec.Answer {
	customer, partner, email := "acme", "contoso", "member@acme.example"
	user, invitation, asked, job := tn.user["contoso"], tn.invited["acme"], tn.asked["acme"], tn.jobs["acme"]
	hook, event := tn.hooks["acme"], tn.events["acme"]
	if strings.Contains(route, " /v1/bulk/") {
		job = tn.jobs[""]
	}
	if strings.Contains(route, " /v1/webhooks/") {
		hook, event = tn.hooks[""], tn.events[""]
	}
	switch where {
	case "foreign":
		customer, partner, user, email = "globex", "fabrikam", tn.user["fabrikam"], "admin@globex.example"
		invitation, asked, job = tn.invited["globex"], tn.asked["globex"], tn.jobs["globex"]
		hook, event = tn.hooks["globex"], tn.events["globex"]
	case "missing":
		customer, partner, user, email = "nowhere", "nobody", "nobody:01J9Z3NDEKTSV4RRFFQ69G5FAV", "nobody@nowhere.example"
		const none = "01J9Z3NDEKTSV4RRFFQ69G5FAV"
		invitation, asked, job, hook, event = none, none, none, "whk_"+none, none
	}
	method, path, _ := strings.Cut(route, " ")
	mail := mailed1 + "." + receipt.Digest("someone@"+partner+".example")
	if strings.Contains(path, "/partners/") {
		mail += "." + customer
	}
	path = strings.NewReplacer("{customer}", customer, "{partner}", partner, "{user}", user, "{email}", email, "{invitation}", invitation,
		"{request}", asked, "{job}", job, "{webhook}", hook, "{event}", event,
		"{mail}", mail).Replace(path)
	if path == "/v1/events" {
		path += "?customer=" + customer
	}
	var body any
	if (method == "POST" || method == "PUT" || method == "PATCH") && !bodyless(path) {
		body = map[string]any{"no_such_member": 1}
	}
	return tn.callers[letter].Do(method, path, body, "If-Match", "*")
}

func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	may := whoMay(t)
	for _, f := range manifest.Functions() {
		for _, r := range f.Routes {
			if strings.HasPrefix(r.Path, "/v1/") && elsewhere[r.Key()] == "" {
				t.Run(r.Key(), func(t *testing.T) { t.Parallel(); testRoute(t, r.Key(), may[r.Key()]) })
			}
		}
	}
}

func testRoute(t *testing.T, route, may string) {
	if may == "" {
		t.Fatal("the contract does not say who may call it: x-callers")
	}
	tn := newTown(t)
	if strings.HasSuffix(route, "/resend") { // one that has ended is sent again by both sides, a pending one only by its own
		for c, id := range tn.invited {
			tn.callers[map[string]string{"acme": "A", "globex": "g"}[c]].Do("DELETE", "/v1/customers/"+c+"/invitations/"+id, nil).Want(200)
		}
	}
	for _, letter := range strings.Split("- ? ! g f M X S T B a O A P", " ") {
		if strings.HasPrefix(route, "DELETE") && expected(route, letter, may) == "allowed" {
			tn = newTown(t) // what the others have deleted is there again
		}
		own := tn.at(route, letter, "own")
		want := expected(route, letter, may)
		if got := outcome(own); got != want {
			t.Errorf("%s about its own: got %s, want %s: %s", letter, got, want, own.Body)
		}
		if want == "allowed" || !strings.Contains(route, "{") {
			continue
		}
		foreign, missing := tn.at(route, letter, "foreign"), tn.at(route, letter, "missing")
		neighbour := letter == "g" && strings.Contains(route, " /v1/customers/") ||
			letter == "f" && (strings.Contains(route, " /v1/partners/") || strings.Contains(may, "L"))
		if neighbour || strings.ContainsAny(may, "Cc") && letter == "g" {
			continue // the foreign place is its own
		}
		if a, b := told(foreign), told(missing); a != b {
			t.Errorf("%s can tell what is somebody else's from what is not there:\n%s\n%s", letter, a, b)
		}
		if got := outcome(foreign); got == "allowed" {
			t.Errorf("%s got at somebody else's: %s", letter, foreign.Body)
		}
	}
	for _, letter := range strings.Split(may, "") { // those who may, at what is not theirs
		if letter == "C" || letter == "c" || letter == "*" || letter == "L" {
			continue
		}
		missing := tn.at(route, letter, "missing")
		if letter == "P" {
			if got := outcome(missing); strings.Contains(route, "{") && got != "404 not_found" && !strings.HasPrefix(route, "P") {
				// the body is refused first
				t.Errorf("the provider, about what is not there: got %s", got)
			}
			continue
		}
		foreign := tn.at(route, letter, "foreign")
		if got := outcome(foreign); got != "404 not_found" {
			t.Errorf("%s about somebody else's: got %s, want 404 not_found: %s", letter, got, foreign.Body)
		}
		if a, b := told(foreign), told(missing); a != b {
			t.Errorf("%s can tell what is somebody else's from what is not there:\n%s\n%s", letter, a, b)
		}
	}
}

// expected is what a caller is told about acme and contoso.
func expected(route, letter, may string) string {
	customers := strings.Contains(route, " /v1/customers/")
	partners := strings.Contains(route, " /v1/partners/")
	switch {
	case letter == "-":
		return "401"
	case strings.Contains(may, letter), may == "*":
		return "allowed"
	case may == "P":
		return "403 from the gateway" // whose authorizer asks for the scope, before anybody looks at whom the route names
	case strings.Contains(may, "L") && strings.Contains("OaB", letter):
		return "allowed"
	case strings.Contains(may, "L") && letter == "f" && route == "POST /v1/customers/{customer}/invitations":
		return "allowed" // as far as the body, which is refused, whether the customer is there or not
	case strings.Contains(may, "C") && strings.Contains("AMg", letter), strings.Contains(may, "c") && strings.Contains("Ag", letter):
		return "allowed"
	case letter == "!", letter == "P":
		return "403 forbidden"
	case letter == "?":
		return "403 not_registered"
	case strings.Contains(may, "c") && letter == "M":
		return "403 forbidden"
	case customers && strings.Contains("AM", letter), partners && strings.Contains("OaBTSX", letter), !customers && !partners:
		return "403 forbidden"
	}
	return "404 not_found"
}

func outcome(a *spec.Answer) string {
	switch {
	case a.Status == 401:
		return "401"
	case a.Status == 403 && strings.TrimSpace(string(a.Body)) == `{"message":"Forbidden"}`:
		return "403 from the gateway"
	case a.Status == 400 && bytes.Contains(a.Body, []byte("/no_such_member")), a.Status == 200, a.Status == 201, a.Status == 202,
		a.Status == 204:
		return "allowed"
	case a.Status == 409, a.Status == 404 && bytes.Contains(a.Body, []byte("no such managing partner")): // past the question who may
		return "allowed"
	}
	return fmt.Sprintf("%d %s", a.Status, a.String("code"))
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// told is all that an answer tells.
func told(a *spec.Answer) string {
	return fmt.Sprint(a.Status, " ", requestID.ReplaceAllString(string(a.Body), ""), " ", a.Header.Get("ETag"), a.Header.Get("Location"))
}

func TestATokenOfAnUnverifiedAddressIsNobodys(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Admin("acme", "ann@acme.example")
	no := false
	c := w.Bearer(w.Token(stack.TokenRequest{Email: "ann@acme.example", EmailVerified: &no}))
	c.Do("GET", "/v1/customers/acme/grants", nil).WantProblem(403, "forbidden")
	if got := c.Do("GET", "/v1/me", nil).Want(200).String("email"); got != "" {
		t.Errorf("me: got %q, want nobody", got)
	}
}

func TestAnAddressInOtherCaseIsTheSamePersonAndALookAlikeIsNot(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	w.Admin("acme", "ann@acme.example")
	w.As("Ann@ACME.example").Do("GET", "/v1/customers/acme/grants", nil).Want(200)
	w.As("\u0430nn@acme.example").Do("GET", "/v1/customers/acme/grants", nil).WantProblem(403, "forbidden") // Cyrillic a
}
