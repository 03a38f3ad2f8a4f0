package spec_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/apigateway"
	"partneraccess/shared/httpapi"
)

type object = map[string]any

// notHere are the codes that TestEveryProblemIsToldInItsOwnWords does not provoke.
var notHere = map[string]string{
	"unauthenticated":   "the gateway refuses before a function is asked",
	"too_many_requests": "of passwords, and of the gateway",
	"wrong_password":    "of passwords",
	"weak_password":     "of passwords",
	"wrong_person":      "of invitations",
	"invitation_ended":  "of invitations",
	"already_invited":   "of invitations",
	"cannot_ask":        "of requests",
	"gives_nothing":     "of requests",
	"request_ended":     "of requests",
	"own_request":       "of requests",
	"wider_than_asked":  "of requests",
	"already_asked":     "of requests",
	"events_gone":       "of feeds",
}

// A provocation is a request that is refused, and how.
type provocation struct {
	code     string
	status   int
	title    string
	pointers []string
	by       *spec.Client
	method   string
	path     string
	body     any
	header   []string
}

// troubled is a world in which much is refused.
func troubled(t *testing.T) (*spec.World, []provocation) {
	w := spec.New(t)
	w.Partner("contoso", "domains", []string{"contoso.example"})
	sub := w.User("contoso", "sub@acme.example", "tech") // before the customer registers the domain
	for _, c := range []string{"acme", "globex", "initech"} {
		w.Customer(c)
	}
	w.Partner("fabrikam")
	w.Partner("northwind", "class", "other")
	w.Partner("offerless", "offer", "none")
	w.Partner("tailspin")
	w.Partner("gone")
	olga := w.User("contoso", "olga@contoso.example", "owner")
	kim := w.User("contoso", "kim@contoso.example", "tech")
	lea := w.User("contoso", "lea@contoso.example", "tech")
	dual := w.User("contoso", "dual@people.example", "tech")
	fred := w.User("fabrikam", "fred@fabrikam.example", "owner")
	provider, anyVersion := w.Provider(), []string{"If-Match", "*"}
	provider.Do("PATCH", "/v1/partners/tailspin", object{"status": "suspended"}, anyVersion...).Want(200)
	provider.Do("DELETE", "/v1/partners/gone", nil).Want(204)
	provider.Do("PATCH", "/v1/partners/contoso/users/"+lea, object{"status": "disabled"}, anyVersion...).Want(200)
	ann := w.AdminOf("acme")
	w.Member("acme", "bob@acme.example")
	w.Member("acme", "dual@people.example")
	w.Grant("acme", object{"partner": "contoso", "users": []string{kim}}).Want(201)
	w.Grant("acme", object{"partner": "fabrikam", "everyone": true}).Want(201)
	w.Grant("initech", object{"partner": "contoso"}).Want(201)
	ivy := w.AdminOf("initech")
	ivy.Do("DELETE", "/v1/customers/initech/grants/contoso", nil).Want(200)
	provider.Do("PUT", "/v1/customers/globex/managing-partner", object{"partner": "fabrikam"}).Want(201)
	used := []string{"Idempotency-Key", "used"}
	ann.Do("POST", "/v1/customers/acme/grants", object{"partner": "contoso", "users": []string{kim}}, used...).Want(200)
	many := make([]string, 81)
	for i := range many {
		many[i] = kim
	}

	const acme, users = "/v1/customers/acme/grants", "/v1/partners/contoso/users"
	return w, []provocation{
		{"invalid", 400, "The request is malformed", []string{"/level"}, ann, "POST", acme, object{"partner": "contoso", "level": "root"}, nil},
		{"forbidden", 403, "You may not do this", nil, w.As("bob@acme.example"), "POST", acme, object{"partner": "contoso"}, nil},
		{
			"not_registered", 403, "You are not registered with the provider", nil, w.As("x@elsewhere.example"), "POST", acme,
			object{"partner": "contoso"},
			nil,
		},
		{
			"managed", 403, "The relationship is managed by the provider", nil, w.AdminOf("globex"), "POST", "/v1/customers/globex/grants",
			object{"partner": "contoso"},
			nil,
		},
		{
			"managed", 403, "The relationship is managed by the provider", nil, w.AdminOf("globex"), "DELETE",
			"/v1/customers/globex/grants/fabrikam", nil, nil,
		},
		{"not_found", 404, "Not found", nil, ann, "GET", "/v1/customers/acme/grants/nobody", nil, nil},
		{"not_found", 404, "Not found", nil, ann, "GET", "/v1/customers/globex/grants", nil, nil},
		{"not_found", 404, "Not found", []string{"/partner"}, ann, "POST", acme, object{"partner": "nobody"}, nil},
		{"last_user", 409, "The last user cannot be removed", nil, ann, "DELETE", acme + "/contoso/users/" + kim, nil, nil},
		{"everyone_is_on", 409, "Everyone is switched on", nil, ann, "DELETE", acme + "/fabrikam/users/" + fred, nil, nil},
		{
			"managed_elsewhere", 409, "Another partner manages the customer", nil, provider, "PUT", "/v1/customers/globex/managing-partner",
			object{"partner": "contoso"},
			nil,
		},
		{
			"customer_has_partners", 409, "Other partners have access to the customer", nil, provider, "PUT", "/v1/customers/acme/managing-partner",
			object{"partner": "contoso"},
			nil,
		},
		{
			"customer_user_conflict", 409, "The person belongs to the customer",
			[]string{"/users/0"},
			ann, "POST", acme,
			object{"partner": "contoso", "users": []string{dual}},
			nil,
		},
		{
			"customer_user_conflict", 409, "The person belongs to the customer",
			[]string{"/email"},
			ann, "POST", acme,
			object{"email": "dual@people.example"},
			nil,
		},
		{
			"email_taken", 409, "The address is taken",
			[]string{"/email"},
			provider, "POST", users,
			object{"email": "fred@fabrikam.example", "name": "Fred", "role": "tech"},
			nil,
		},
		{
			"email_unavailable", 409, "The address cannot be used",
			[]string{"/email"},
			w.As("olga@contoso.example"), "POST", users,
			object{"email": "fred@fabrikam.example", "name": "Fred", "role": "tech"},
			nil,
		},
		{
			"domain_taken", 409, "The domain is taken",
			[]string{"/domains"},
			provider, "PATCH", "/v1/partners/fabrikam",
			object{"domains": []string{"contoso.example"}},
			anyVersion,
		},
		{
			"domain_taken", 409, "The domain is taken",
			[]string{"/domain"},
			provider, "PUT", "/v1/customers/globex",
			object{"domain": "contoso.example"},
			nil,
		},
		{"owner_required", 409, "An owner is required", nil, provider, "DELETE", users + "/" + olga, nil, nil},
		{
			"grant_differs", 409, "The open grant has other terms",
			[]string{"/level", "/until"},
			ann, "POST", acme,
			object{"partner": "contoso", "users": []string{kim}, "level": "manage", "until": "2030-01-01T00:00:00Z"},
			nil,
		},
		{
			"last_admin", 409, "The only admin of a customer with open grants", nil, provider, "DELETE",
			"/v1/customers/acme/members/admin@acme.example", nil, nil,
		},
		{"ended", 409, "It has ended", nil, ivy, "PATCH", "/v1/customers/initech/grants/contoso", object{"level": "view"}, anyVersion},
		{"ended", 409, "It has ended", nil, provider, "PUT", "/v1/partners/gone", object{"name": "Back"}, nil},
		{
			"version_mismatch", 412, "It has changed since it was read", nil, ann, "PATCH", acme + "/contoso",
			object{"level": "manage"},
			[]string{"If-Match", `"99"`},
		},
		{"too_large", 413, "The request is too large", nil, ann, "POST", acme, strings.Repeat(" ", apigateway.MaxBody+1), nil},
		{
			"unsupported_media_type", 415, "The body has to be JSON", nil, ann, "POST", acme,
			object{"partner": "contoso"},
			[]string{"Content-Type", "text/plain"},
		},
		{"unknown_email", 422, "No user has this address", []string{"/email"}, ann, "POST", acme, object{"email": "nobody@contoso.example"}, nil},
		{
			"own_organisation", 422, "A person of your own organisation",
			[]string{"/email"},
			ann, "POST", acme,
			object{"email": "bob@acme.example"},
			nil,
		},
		{
			"own_organisation", 422, "A person of your own organisation",
			[]string{"/users/1"},
			ann, "POST", acme,
			object{"partner": "contoso", "users": []string{kim, sub}},
			nil,
		},
		{
			"partner_not_eligible", 422, "The partner is not eligible",
			[]string{"/partner"},
			ann, "POST", acme,
			object{"partner": "northwind"},
			nil,
		},
		{
			"partner_not_eligible", 422, "The partner is not eligible",
			[]string{"/partner"},
			ann, "POST", acme,
			object{"partner": "offerless"},
			nil,
		},
		{"partner_not_active", 422, "The partner is not active", []string{"/partner"}, ann, "POST", acme, object{"partner": "tailspin"}, nil},
		{
			"user_not_of_partner", 422, "Not a user of the partner",
			[]string{"/users/add/1"},
			ann, "PATCH", acme + "/contoso",
			object{"users": object{"add": []string{kim, fred}}},
			anyVersion,
		},
		{
			"user_not_active", 422, "The user is not active",
			[]string{"/users/set/0"},
			ann, "PATCH", acme + "/contoso",
			object{"users": object{"set": []string{lea}}},
			anyVersion,
		},
		{
			"not_for_customers", 422, "The address belongs to a customer",
			[]string{"/email"},
			provider, "POST", users,
			object{"email": "bob@acme.example", "name": "Bob", "role": "tech"},
			nil,
		},
		{
			"phone_required", 422, "A telephone number is required",
			[]string{"/phone"},
			provider, "POST", users,
			object{"email": "new@contoso.example", "name": "New", "role": "tech", "mfa": true},
			nil,
		},
		{
			"period_invalid", 422, "The period is invalid",
			[]string{"/until"},
			ann, "PATCH", acme + "/contoso",
			object{"until": "2026-11-22T10:00:00Z"},
			anyVersion,
		},
		{
			"too_many_users", 422, "Too many users at once",
			[]string{"/users"},
			ann, "POST", acme,
			object{"partner": "contoso", "users": many},
			nil,
		},
		{
			"idempotency_mismatch", 422, "The idempotency key was used for another request", nil, ann, "POST", acme,
			object{"partner": "contoso", "note": "second"},
			used,
		},
		{
			"plan_changed", 409, "It would do something else now", nil, ann, "PATCH", acme + "/contoso",
			object{"level": "view"},
			[]string{"If-Match", "*", "Prefer", "plan=sha256:of-another-day"},
		},
		{"if_match_required", 428, "If-Match is required", nil, ann, "PATCH", acme + "/contoso", object{"level": "view"}, nil},
	}
}

func (p *provocation) send(w *spec.World, header ...string) *spec.Answer {
	return p.by.In(w).Do(p.method, p.path, p.body, append(slices.Clone(p.header), header...)...)
}

func TestEveryProblemIsToldInItsOwnWords(t *testing.T) {
	t.Parallel()
	w, all := troubled(t)
	seen := map[string]string{}
	check := func(t *testing.T, a *spec.Answer, status int, code, title string, pointers []string) {
		t.Helper()
		a.WantProblem(status, code, pointers...)
		if got := a.String("title"); got != title {
			t.Errorf("title: got %q, want %q", got, title)
		}
		if pointers == nil && a.Get("errors") != nil {
			t.Errorf("errors: got %v, want none", a.Get("errors"))
		}
		if got := a.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control: got %q, want no-store", got)
		}
		if other, known := seen[title]; known && other != code {
			t.Errorf("%s and %s have the same title %q", code, other, title)
		}
		seen[title] = code
	}
	for _, p := range all {
		t.Run(p.code+" "+p.method+" "+p.path, func(t *testing.T) {
			w := w.In(t)
			a := p.send(w, "X-Request-ID", "mine-"+p.code)
			check(t, a, p.status, p.code, p.title, p.pointers)
			if p.code == "too_many_users" && a.Int("limit") != 80 {
				t.Errorf("got %s, want the limit", a.Body)
			}
			for where, got := range map[string]string{"request_id": a.String("request_id"), "X-Request-ID": a.Header.Get("X-Request-ID")} {
				if got != "mine-"+p.code {
					t.Errorf("%s: got %q, want what was sent", where, got)
				}
			}
		})
	}
	w.Allowed("kim@contoso.example", "sign_in", "acme") // nothing of all that has changed anything

	put := func(w *spec.World) *spec.Answer {
		return w.Provider().Do("PUT", "/v1/customers/acme", object{"name": "Acme"})
	}
	t.Run("contention", func(t *testing.T) {
		t.Parallel()
		a := put(spec.New(t, withStorage(conflicting{})))
		check(t, a, 409, "contention", "Someone else is changing the same thing", nil)
		if got := a.Header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After: got %q, want 1", got)
		}
	})
	seen["The job is still open"], seen["There is nothing to try again"] = "job_open", "nothing_to_retry"
	t.Run("job_open, nothing_to_retry", func(t *testing.T) {
		w := spec.New(t, withoutWorker)
		w.Customer("acme")
		firms(w, 1)
		ann := w.AdminOf("acme")
		where := ann.Do("POST", acmeBulk, m{"rows": grantRows(1)}).Want(202).Header.Get("Location")
		check(t, ann.Do("POST", where+"/retry", nil), 409, "job_open", "The job is still open", nil)
		w.Advance(time.Minute)
		check(t, ann.Do("POST", where+"/retry", nil), 409, "nothing_to_retry", "There is nothing to try again", nil)
	})
	const full, unverified, underWay = "There are as many webhooks as there can be", "The webhook is not verified", "The delivery is under way"
	seen[full], seen[unverified], seen[underWay] = "too_many_webhooks", "webhook_not_verified", "delivery_pending"
	t.Run("too_many_webhooks, webhook_not_verified, delivery_pending", func(t *testing.T) {
		w, r, path := hooked(t, m{})
		release := make(chan struct{})
		t.Cleanup(func() { close(release) })
		r.set(func() { r.answer = func(string, string) int { <-release; return 204 } })
		event := w.Provider().Do("POST", path+"/test", nil).Want(202).String("event")
		check(t, w.Provider().Do("POST", path+"/deliveries/"+event+"/retry", nil), 409, "delivery_pending", underWay, nil)
		another := m{"url": "https://hooks.example.invalid/"}
		for range 19 {
			path = w.Provider().Do("POST", webhooks, another).Want(201).Header.Get("Location")
		}
		check(t, w.Provider().Do("POST", webhooks, another), 409, "too_many_webhooks", full, nil)
		check(t, w.Provider().Do("POST", path+"/test", nil), 409, "webhook_not_verified", unverified, nil)
	})
	seen["The mail is outdated"] = "mail_outdated"
	t.Run("mail_outdated", func(t *testing.T) {
		w := withMail(t)
		kim := w.User("contoso", "kim@contoso.example", "tech")
		w.Grant("acme", m{"partner": "contoso", "users": []string{kim}}).Want(201)
		id := mailState(t, w, acmeMail, "kim@contoso.example", "grant.created", "delivered")
		w.AdminOf("acme").Do("DELETE", contosoGrant, nil).Want(200)
		check(t, w.AdminOf("acme").Do("POST", acmeMail+"/"+id+"/resend", nil), 409, "mail_outdated", "The mail is outdated", nil)
	})
	t.Run("unavailable", func(t *testing.T) {
		w := spec.New(t, withStorage(unreachable{}))
		for _, a := range []*spec.Answer{
			put(w), w.Backend().Do("POST", "/access/v1/evaluation", spec.Question("contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV", "sign_in", "acme")),
		} {
			check(t, a, 503, "unavailable", "Try again in a moment", nil)
			if got := a.Header.Get("Retry-After"); got != "1" {
				t.Errorf("Retry-After: got %q, want 1", got)
			}
			if bytes.Contains(a.Body, []byte("unplugged")) {
				t.Errorf("got %s, want nothing of the cause", a.Body)
			}
		}
	})
	t.Run("internal", func(t *testing.T) {
		w := spec.New(t, func(c *stack.Config) {
			c.Handlers = func(d stack.Deps) (map[string]lambda.Handler, error) {
				d.Table = "there-is-no-such-table"
				return stack.Functions(d)
			}
		})
		a := put(w)
		check(t, a, 500, "internal", "Something went wrong", nil)
		if bytes.Contains(a.Body, []byte("table")) {
			t.Errorf("got %s, want nothing of the cause", a.Body)
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		for _, code := range texts(slices.Values(httpapi.ProblemCodes())) {
			provoked := slices.Contains(slices.Collect(maps.Values(seen)), code)
			if why, not := notHere[code]; !provoked && !not {
				t.Errorf("%s: got no test that provokes it", code)
			} else if provoked && not {
				t.Errorf("%s: was provoked, want that it cannot be: %s", code, why)
			}
		}
	})
}

// withStorage puts something between the functions and the engine.
func withStorage(between interface {
	wrap(next aws.HTTPClient) aws.HTTPClient
},
) func(*stack.Config) {
	return func(c *stack.Config) {
		c.Handlers = func(d stack.Deps) (map[string]lambda.Handler, error) {
			d.Client = dynamodb.New(d.Client.Options(), func(o *dynamodb.Options) {
				o.HTTPClient = between.wrap(o.HTTPClient)
				o.Retryer = aws.NopRetryer{}
			})
			return stack.Functions(d)
		}
	}
}

type httpClient func(*http.Request) (*http.Response, error)

func (f httpClient) Do(r *http.Request) (*http.Response, error) { return f(r) }

// unreachable is a storage that cannot be reached.
type unreachable struct{}

func (unreachable) wrap(aws.HTTPClient) aws.HTTPClient {
	return httpClient(func(*http.Request) (*http.Response, error) { return nil, errors.New("the cable is unplugged") })
}

// conflicting is a storage in which somebody else is always first.
type conflicting struct{}

func (conflicting) wrap(next aws.HTTPClient) aws.HTTPClient {
	return httpClient(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") {
			return next.Do(r)
		}
		return &http.Response{
			StatusCode: 400, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Request: r,
			Body: io.NopCloser(
				strings.NewReader(
					`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"m","CancellationReasons":[{"Code":"TransactionConflict"}]}`)),
		}, nil
	})
}

func TestWithoutATokenThatHoldsTheGatewayRefuses(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	expired := w.Token(stack.TokenRequest{Email: "ann@acme.example", ExpiresIn: -1})
	signed := w.Token(stack.TokenRequest{Email: "ann@acme.example"})
	for name, token := range map[string]string{
		"none": "", "one that has expired": expired, "no token at all": "sesame",
		"a signature of somebody else": signed[:len(signed)-8] + "AAAAAAAA",
		"another service's":            spec.New(t).Token(stack.TokenRequest{Email: "ann@acme.example"}),
	} {
		for _, path := range []string{"/v1/me", "/v1/customers/acme/grants"} {
			a := w.Bearer(token).Do("GET", path, nil)
			if got := a.Header.Get("WWW-Authenticate"); a.Status != 401 || !strings.HasPrefix(got, "Bearer") {
				t.Errorf("%s: got %d, WWW-Authenticate %q, want 401 and a challenge", name, a.Status, got)
			}
		}
	}
}

func TestARequestsOwnIDComesBackWhenItIsSane(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for _, c := range []struct{ method, path string }{
		{"GET", "/v1/me"},
		{"GET", "/v1/customers/nobody"},
		{"POST", "/access/v1/evaluation"},
		{"GET", "/.well-known/authzen-configuration"},
	} {
		for id, sane := range map[string]bool{
			"abc-123": true, strings.Repeat("x", 128): true, "{}\"\\/~!": true,
			"": false, strings.Repeat("x", 129): false, "a b": false, "a\tb": false, "ä": false,
		} {
			a := w.Provider().Do(c.method, c.path, nil, "X-Request-ID", id)
			want := id
			if !sane {
				want = a.Header.Get("Apigw-Requestid")
			}
			if got := a.Header.Get("X-Request-ID"); got != want {
				t.Errorf("%s %s, X-Request-ID %q: got %q, want %q", c.method, c.path, id, got, want)
			}
			if a.Status >= 400 && a.String("request_id") != want {
				t.Errorf("%s %s, X-Request-ID %q: got request_id %q, want %q", c.method, c.path, id, a.String("request_id"), want)
			}
		}
	}
}

func TestABodyMayHave64KiBAndNotAByteMore(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	w.Customer("acme")
	padded := func(content string, size int) string { return content + strings.Repeat(" ", size-len(content)) }
	const question = `{"subject":{"type":"user","id":"x"},"action":{"name":"x"},"resource":{"type":"customer","id":"acme"}}`
	for _, c := range []struct {
		by           *spec.Client
		method, path string
		body         string
	}{
		{w.Provider(), "PUT", "/v1/customers/acme", `{"name":"Ácmé"}`},
		{w.Backend(), "POST", "/access/v1/evaluation", question},
	} {
		c.by.Do(c.method, c.path, padded(c.body, apigateway.MaxBody)).Want(200)
		c.by.Do(c.method, c.path, padded(strings.Replace(c.body, "Ácmé", "Other", 1), apigateway.MaxBody+1)).WantProblem(413, "too_large")
	}
	if got := w.Provider().Do("GET", "/v1/customers/acme", nil).String("name"); got != "Ácmé" {
		t.Errorf("the name after a refusal: got %q, want Ácmé", got)
	}
}

// A refusal tells nothing that the caller may not know: the same request about what is somebody else's and about what does not exist is
// answered alike.
func TestWhatIsSomebodyElsesIsAnsweredLikeWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	w, _ := troubled(t)
	var bodies []string
	for _, customer := range []string{"globex", "nobody"} {
		a := w.AdminOf("acme").Do("GET", "/v1/customers/"+customer+"/grants", nil, "X-Request-ID", "r").WantProblem(404, "not_found")
		bodies = append(bodies, string(a.Body))
	}
	if bodies[0] != bodies[1] {
		t.Errorf("got %s for what is somebody else's and %s for what does not exist, want the same", bodies[0], bodies[1])
	}
}

// RFC 9457, 3.1.1: the type is resolved against the address that was asked.
func TestTheTypeOfAProblemPointsToItsSection(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	asked, err := url.Parse(w.Stack.URL() + "/v1/customers/nobody")
	if err != nil {
		t.Fatal(err)
	}
	problem := w.As("x@elsewhere.example").Do("GET", asked.Path, nil).WantProblem(403, "not_registered")
	section, err := asked.Parse(problem.String("type"))
	if err != nil {
		t.Fatal(err)
	}
	page := w.Anonymous().Do("GET", section.Path, nil).Want(200)
	if kind := page.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		t.Errorf("got Content-Type %q, want a page", kind)
	}
	if want := `<section id="` + section.Fragment + `">`; section.Fragment != "not_registered" || !bytes.Contains(page.Body, []byte(want)) {
		t.Errorf("got the type %q and a page without its section", problem.String("type"))
	}
	for _, code := range httpapi.ProblemCodes() {
		if !bytes.Contains(page.Body, []byte(`<section id="`+string(code)+`">`)) {
			t.Errorf("%s: got no section", code)
		}
	}
	w.Anonymous().Do("GET", section.Path+"?code=last_user", nil).WantProblem(400, "invalid", "?code")
}

func TestAnUnknownAddressIsAProblem(t *testing.T) {
	t.Parallel()
	w := spec.New(t)
	for _, by := range []*spec.Client{w.Anonymous(), w.As("x@elsewhere.example"), w.Provider()} {
		for _, at := range []string{
			"GET /v1/nothing", "POST /v1/customers", "PUT /access/v1/evaluation", "PATCH /v2/me", "DELETE /x", "GET /v1/nothing?dry_run=true",
			"POST /v1/nothing?x=%zz", "GET /v1/customers/acme/",
		} {
			method, path, _ := strings.Cut(at, " ")
			if a := by.Do(method, path, nil).WantProblem(404, "not_found"); !strings.Contains(a.String("detail"), "the contract") {
				t.Errorf("%s: got %s, want where the operations are listed", at, a.Body)
			}
		}
	}
}
