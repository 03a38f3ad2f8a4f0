package e2e_test

import (
	"crypto/rand"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"partneraccess/scripts/local/deployed"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/metrics"
)

func TestTheWholeScenario(t *testing.T) {
	if there := os.Getenv("SERVICE_URL"); there != "" {
		scenario(t, service{t, strings.TrimSuffix(there, "/")})
		return
	}
	s := start(t)
	clock := s.do("POST", "/_local/clock", "", m{"advance": "0s"})
	if os.Getenv("BACKEND") == "lambda" {
		clock.want(409)
	} else {
		clock.want(200)
	}
	scenario(t, s)
	if os.Getenv("AWS_ENDPOINT_URL_LAMBDA") != "" {
		return // who adds the figures up is LocalStack's business
	}
	for _, name := range []string{metrics.Decisions, metrics.Mails, metrics.GrantsEnded, metrics.SweepLag} {
		if got := s.do("GET", "/_local/metrics", "", nil).want(200); !strings.Contains(string(got.Body), `"`+name+`"`) {
			t.Errorf("the figures: got %s, want %s among them", got.Body, name)
		}
	}
}

// The gateway as it stands in front of LocalStack, where the stream and the schedule start the functions by themselves: here they are on a
// host of this test's own, with the environment of LocalStack's template, and started by a stack whose gateway nobody uses.
func TestTheWholeScenarioWithFunctionsThatAreAlreadyThere(t *testing.T) {
	if os.Getenv("BACKEND") != "lambda" || os.Getenv("AWS_ENDPOINT_URL_LAMBDA") != "" || os.Getenv("SERVICE_URL") != "" {
		t.Skip("it builds all functions: make test-lambda runs it")
	}
	e, err := engine.Start(t.Context(), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	b, err := deployed.Start(t.Context(), deployed.Options{Target: deployed.LocalStack})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	mails := "127.0.0.1:" + freePort(t)
	triggers, err := stack.Start(t.Context(), stack.Config{
		Engine: e, Table: "partner-access-dev-table", CreateTable: dynamo.CreateTable, Stream: true, Schedule: true, RealClock: true,
		Handlers: func(d stack.Deps) (map[string]lambda.Handler, error) {
			d.SES = "http://" + mails + "/_local/ses"
			return b.Handlers(d)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := triggers.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := start(t, "AWS_ENDPOINT_URL_LAMBDA="+b.Host().URL(), "AWS_ENDPOINT_URL_DYNAMODB="+e.Endpoint(), "IDENTITY=", "MAIL_LISTEN="+mails)
	s.do("POST", "/_local/clock", "", m{"advance": "1h"}).want(409)
	other := service{t, "http://" + mails}
	for _, path := range []string{"/_local/mail", "/_local/health", "/v1/me"} { // where containers reach it, nothing but SES is to be had
		other.do("GET", path, "", nil).want(404)
	}
	other.do("POST", "/_local/token", "", m{"email": "ann@acme.example"}).want(404)
	scenario(t, s)
	if got := triggers.Mail.List(); len(got) > 0 {
		t.Errorf("%d mails went elsewhere", len(got))
	}
}

// scenario is what the service is for, from the demo data to the end of a grant. It leaves its data behind, under names of its own.
func scenario(t *testing.T, s service) {
	t.Helper()
	if got := s.do("GET", "/v1/me", s.person("ann@acme.example"), nil).want(200); !strings.Contains(string(got.Body), "acme") {
		t.Errorf("the demo data: got %s, want Ann of acme", got.Body)
	}

	// A partner with an employee, and a customer.
	id := strings.ToLower(rand.Text())[:10]
	directory, back := s.system("partner-access/directory"), s.system("partner-access/check")
	partner, customer := "p-"+id, "c-"+id
	pia, carl := "pia@"+partner+".example", "carl@"+customer+".example"
	s.do("PUT", "/v1/partners/"+partner, directory,
		m{"name": "Partner " + id, "class": "channel", "offer": "manage", "contacts": []string{"ops@" + partner + ".example"}}).want(201)
	s.do("PUT", "/v1/customers/"+customer, directory,
		m{"name": "Customer " + id, "domain": customer + ".example", "contacts": []string{"it@" + customer + ".example"}}).want(201)
	s.do("PUT", "/v1/customers/"+customer+"/members/"+url.PathEscape(carl), directory, m{"name": "Carl", "role": "admin"}).want(201)
	made := s.do("POST", "/v1/partners/"+partner+"/users", directory, m{"email": pia, "name": "Pia", "role": "tech"}).want(201)
	user := made.text("id")
	admin := s.person(carl)
	grants, grant := "/v1/customers/"+customer+"/grants", "/v1/customers/"+customer+"/grants/"+partner

	check := func(action, want string) {
		t.Helper()
		got := s.do("POST", "/access/v1/evaluation", back, m{
			"subject": m{"type": "user", "id": pia}, "action": m{"name": action}, "resource": m{"type": "customer", "id": customer},
		}).want(200)
		if reason := got.text("context.reason"); reason != want ||
			got.text("decision") != map[bool]string{true: "true", false: "false"}[want == "granted"] {
			t.Errorf("%s: got %s, want %s", action, got.Body, want)
		}
	}
	welcome := s.mailed(pia, "user.created")
	s.signIn(pia, welcome)

	// Grant, check, edit.
	check("sign_in", "no_grant")
	s.do("POST", grants, admin, m{"email": pia, "level": "view"}).want(201)
	check("sign_in", "granted")
	check("reports:read", "level_too_low")
	s.mailed(pia, "grant.created")
	s.mailed("it@"+customer+".example", "grant.created")
	version := s.do("GET", grant, admin, nil).want(200).Header.Get("ETag")
	s.do("PATCH", grant, admin, m{"level": "support"}, "If-Match", version).want(200)
	check("reports:read", "granted")

	// What became of a mail comes back from SES.
	s.eventually("the mail to the customer's contact is marked as delivered", func() bool {
		list := string(s.do("GET", "/v1/customers/"+customer+"/mail", admin, nil).want(200).Body)
		return strings.Contains(list, `"delivered"`)
	})

	// The period ends: checks deny at the instant, and the sweep writes it down.
	until := time.Now().Add(4 * time.Second).UTC().Truncate(time.Millisecond)
	s.do("PATCH", grant, admin, m{"until": until.Format("2006-01-02T15:04:05.000Z")}, "If-Match", "*").want(200)
	if time.Until(until) > time.Second { // unless this machine took three seconds for the answer
		check("sign_in", "granted")
	}
	time.Sleep(time.Until(until))
	check("sign_in", "expired")
	swept := s.do("POST", "/_local/lambda/2015-03-31/functions/expire/invocations", "", m{"source": "aws.events"}).want(200)
	if failure := swept.Header.Get("X-Amz-Function-Error"); failure != "" {
		t.Fatalf("the sweep: got %s: %s", failure, swept.Body)
	}
	check("sign_in", "expired")
	if got := s.do("GET", grant, admin, nil).want(200); got.text("end.reason") != "expired" || got.text("end.by.kind") != "clock" {
		t.Errorf("the grant after the sweep: got %s, want its end by the clock", got.Body)
	}
	s.mailed(pia, "grant.expired")

	// Again, for all, and revoked: the next check denies.
	s.do("POST", grants, admin, m{"partner": partner, "everyone": true, "level": "view"}).want(201)
	check("sign_in", "granted")
	if own := s.do("GET", "/v1/partners/"+partner+"/customers", s.person(pia), nil).want(200); !strings.Contains(string(own.Body), customer) {
		t.Errorf("the partner's customers: got %s, want %s among them", own.Body, customer)
	}
	s.do("DELETE", grant, admin, nil).want(200)
	check("sign_in", "ended")
	s.mailed("ops@"+partner+".example", "grant.revoked")

	// An invitation, by the token in its mail.
	invited := "ivan@" + partner + ".example"
	s.do("POST", "/v1/customers/"+customer+"/invitations", admin, m{"email": invited, "partner": partner, "level": "view"}).want(201)
	if got := s.mailed(invited, "invitation.created"); !strings.Contains(got.Text, customer+"~") {
		t.Errorf("the invitation: got %s, want a link with its token", got.Text)
	}
	s.do("GET", "/v1/customers/"+customer+"/history", admin, nil).want(200)
	s.do("GET", "/v1/partners/"+partner+"/users/"+url.PathEscape(user), directory, nil).want(200)
}

// signIn signs the employee in with the password of its mail, where accounts are kept.
func (s service) signIn(email string, welcome mail) {
	s.t.Helper()
	none := s.do("POST", "/_local/login", "", m{"email": email, "password": "x"})
	if none.Status == 404 {
		s.t.Log("no accounts are kept here: nobody signs in")
		return
	}
	none.want(401)
	found := regexp.MustCompile(`(?m)assword:\s+(\S+)`).FindStringSubmatch(welcome.Text)
	if found == nil {
		s.t.Fatalf("the mail holds no password: %s", welcome.Text)
	}
	token := s.do("POST", "/_local/login", "",
		m{"email": email, "password": found[1], "new_password": "correct horse battery " + rand.Text()}).want(200).text("token")
	if me := s.do("GET", "/v1/me", token, nil).want(200); !strings.Contains(string(me.Body), email) {
		s.t.Errorf("signed in: got %s, want %s", me.Body, email)
	}
}
