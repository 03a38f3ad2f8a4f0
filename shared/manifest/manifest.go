// Package manifest is the list of the service's functions: what starts each of them and what each may do to the table.
// The CDK app and the local stack both read it, so that what is deployed and what is run locally cannot differ.
package manifest

import (
	"slices"
	"time"
)

// Function is one Lambda function, built from functions/<Name>.
type Function struct {
	Name    string
	Does    string        // one sentence, for the operator
	Routes  []Route       // the HTTP routes that it serves
	Timeout time.Duration // after which Lambda ends an invocation
	Memory  int           // MiB
	Env     []string      // the environment variables that it reads, but for those that Lambda sets itself

	// What else starts it, beside requests.
	Stream   *Stream       // batches of the table's stream; nil: none
	Schedule time.Duration // this often, by the clock; 0: never
	Feedback bool          // what became of the mails: the events of SES's configuration set, through EventBridge
}

// Stream says how the table's stream starts a function. Lambda is told that the function reports single failures
// (ReportBatchItemFailures), that it begins at the oldest record (TRIM_HORIZON), and that what fails for good goes to a
// dead-letter queue.
type Stream struct {
	Filter            string        // the pattern that a record must match, as Lambda spells it, in JSON
	BatchSize         int           // records at most in one invocation
	MaxBatchingWindow time.Duration // how long to wait for a batch to fill; 0: not at all
	Retries           int           // attempts after the first one, before the batch goes to the dead-letter queue
	MaxAge            time.Duration // of a record: older ones go to the dead-letter queue untried
	Parallelization   int           // batches under way at once for each shard; those of one partition key stay in order
	Bisect            bool          // a batch that fails as a whole is cut in half before it is tried again
}

// Route is one HTTP route in API Gateway's own spelling: "GET /v1/customers/{customer}/grants".
type Route struct {
	Method string
	Path   string
	Public bool     // served without a token
	Scopes []string // of which the token must carry one; none: whoever has a token gets as far as the function
}

// Key is the route as API Gateway names it (its "route key").
func (r Route) Key() string { return r.Method + " " + r.Path }

func routes(rs ...Route) []Route { return rs }

func get(path string) Route    { return Route{Method: "GET", Path: path} }
func post(path string) Route   { return Route{Method: "POST", Path: path} }
func put(path string) Route    { return Route{Method: "PUT", Path: path} }
func patch(path string) Route  { return Route{Method: "PATCH", Path: path} }
func remove(path string) Route { return Route{Method: "DELETE", Path: path} }

// The scopes that a token of the provider's systems may carry.
const (
	ScopeDirectory = "partner-access/directory" // keeps partners and customers
	ScopeCheck     = "partner-access/check"     // asks for decisions
)

// provider makes routes such that nobody but the provider's own systems gets as far as the function, which looks for itself as well.
func provider(rs ...Route) []Route {
	for i := range rs {
		rs[i].Scopes = []string{ScopeDirectory}
	}
	return rs
}

// common are the settings of all functions. STAGE tells the figures of one deployment from another's, and may be empty.
func common() []string { return []string{"TABLE_NAME", "STAGE"} }

// people are the settings of the functions that serve people, which setup.Run reads.
func people() []string { return append(common(), "REQUIRE_SSO", "SIGN_IN_URL") }

// accounts are the settings of the functions that keep the employees' accounts, which identity.Accounts reads.
func accounts() []string { return []string{"IDENTITY", "USER_POOL_ID", "USER_POOL_CLIENT_ID"} }

// mails are the settings of the function that sends mails, which mailing.FromEnvironment reads.
func mails() []string {
	return []string{
		"PRODUCT_NAME", "MAIL_FROM", "MAIL_REPLY_TO", "SUPPORT", "CUSTOMER_URL", "PARTNER_URL", "INVITATION_URL", "UNSUBSCRIBE",
		"MAIL_CONFIGURATION_SET",
	}
}

// newEvents lets the inserted events of the outbox through: no other row of the table has a sort key that begins with T#.
const newEvents = `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"sk":{"S":[{"prefix":"T#"}]}}}}`

// Functions are all of them, in the order in which an operator would want to read them.
func Functions() []Function {
	return []Function{
		{
			Name:    "check",
			Does:    "answers whether a partner's user may do something in a customer's tenant (AuthZEN 1.0)",
			Timeout: 10 * time.Second, Memory: 512,
			Env: append(common(), "BASE_URL", "CATALOGUE_FILE"),
			Routes: routes(
				post("/access/v1/evaluation"),
				post("/access/v1/evaluations"),
				post("/access/v1/search/subject"),
				post("/access/v1/search/resource"),
				post("/access/v1/search/action"),
				Route{Method: "GET", Path: "/.well-known/authzen-configuration", Public: true},
			),
		},
		{
			Name:    "grant",
			Does:    "lets a partner into a customer's tenant",
			Timeout: 15 * time.Second, Memory: 256,
			Env:    people(),
			Routes: routes(post("/v1/customers/{customer}/grants")),
		},
		{
			Name:    "edit",
			Does:    "changes who is in, how much, and for how long",
			Timeout: 15 * time.Second, Memory: 256,
			Env: people(),
			Routes: routes(
				patch("/v1/customers/{customer}/grants/{partner}"),
				put("/v1/partners/{partner}/customers/{customer}/users"),
			),
		},
		{
			Name:    "revoke",
			Does:    "takes access away",
			Timeout: 15 * time.Second, Memory: 256,
			Env: people(),
			Routes: routes(
				remove("/v1/customers/{customer}/grants/{partner}"),
				remove("/v1/customers/{customer}/grants/{partner}/users/{user}"),
				remove("/v1/partners/{partner}/customers/{customer}"),
				remove("/v1/partners/{partner}/customers/{customer}/users/{user}"),
			),
		},
		{
			Name:    "list",
			Does:    "answers every question about what is there",
			Timeout: 15 * time.Second, Memory: 256,
			Env: people(),
			Routes: slices.Concat(provider(
				get("/v1/customers"),
			), routes(
				get("/v1/customers/{customer}"),
				get("/v1/customers/{customer}/grants"),
				get("/v1/customers/{customer}/grants/{partner}"),
				get("/v1/customers/{customer}/grants/{partner}/users"),
				get("/v1/customers/{customer}/members"),
				get("/v1/customers/{customer}/history"),
				get("/v1/partners"),
				get("/v1/partners/{partner}"),
				get("/v1/partners/{partner}/users"),
				get("/v1/partners/{partner}/users/{user}"),
				get("/v1/partners/{partner}/customers"),
				get("/v1/partners/{partner}/customers/{customer}"),
				get("/v1/partners/{partner}/partners"),
				get("/v1/partners/{partner}/customers/{customer}/users"),
				get("/v1/partners/{partner}/history"),
				get("/v1/partners/{partner}/account"),
			)),
		},
		{
			Name:    "directory",
			Does:    "keeps the partners, their users, the customers and their members",
			Timeout: 29 * time.Second, Memory: 256,
			Env: append(people(), accounts()...),
			Routes: slices.Concat(provider(
				put("/v1/partners/{partner}"),
				patch("/v1/partners/{partner}"),
				remove("/v1/partners/{partner}"),
				put("/v1/customers/{customer}"),
				remove("/v1/customers/{customer}"),
				put("/v1/customers/{customer}/members/{email}"),
				remove("/v1/customers/{customer}/members/{email}"),
				put("/v1/customers/{customer}/relationships/{partner}"),
				remove("/v1/customers/{customer}/relationships/{partner}"),
				put("/v1/customers/{customer}/managing-partner"),
				remove("/v1/customers/{customer}/managing-partner"),
			), routes(
				get("/v1/me"), // proves the address of who signs in for the first time
				patch("/v1/partners/{partner}/account"),
				post("/v1/partners/{partner}/users"),
				patch("/v1/partners/{partner}/users/{user}"),
				remove("/v1/partners/{partner}/users/{user}"),
				post("/v1/partners/{partner}/users/{user}/password"),
			)),
		},
		{
			Name:    "invite",
			Does:    "invites people who have no account, and lets them in when they accept",
			Timeout: 15 * time.Second, Memory: 256,
			Env: people(),
			Routes: routes(
				post("/v1/customers/{customer}/invitations"),
				get("/v1/customers/{customer}/invitations"),
				get("/v1/customers/{customer}/invitations/{invitation}"),
				remove("/v1/customers/{customer}/invitations/{invitation}"),
				post("/v1/customers/{customer}/invitations/{invitation}/resend"),
				get("/v1/partners/{partner}/invitations"),
				Route{Method: "GET", Path: "/v1/invitations/{token}", Public: true}, // the token is the secret
				post("/v1/invitations/{token}/accept"),
				post("/v1/invitations/{token}/decline"),
			),
		},
		{
			Name:    "expire",
			Does:    "does what the clock has brought: ends, reminders, and work that goes through many grants",
			Timeout: time.Minute, Memory: 256,
			Env:      append(common(), accounts()...),
			Schedule: time.Minute,
		},
		{
			Name:    "notify",
			Does:    "tells people by e-mail what has happened",
			Timeout: 2 * time.Minute, Memory: 256,
			Env:      slices.Concat(common(), mails(), accounts()),
			Schedule: time.Minute, // the mails that wait for another attempt
			Stream: &Stream{
				Filter:    newEvents,
				BatchSize: 10, // an event can mean eighty mails, and a batch must be done before the time-out
				// An event has to come again only when the table could not note its mails: those that SES does not take now wait
				// in the table, for the schedule. Twelve attempts with Lambda's growing pauses outlast a table that is throttled for minutes.
				Retries: 12, MaxAge: 6 * time.Hour, Parallelization: 2, Bisect: true,
			},
		},
		{
			Name:    "mail",
			Does:    "shows what became of the mails, sends one again, and lets an address that was blocked get mails again",
			Timeout: 29 * time.Second, Memory: 256,
			Env: slices.Concat(people(), mails(), accounts()),
			Routes: slices.Concat(routes(
				get("/v1/customers/{customer}/mail"),
				get("/v1/partners/{partner}/mail"),
				post("/v1/customers/{customer}/mail/{mail}/resend"),
				post("/v1/partners/{partner}/mail/{mail}/resend"),
			), provider(
				remove("/v1/mail/blocks/{email}"),
			)),
		},
		{
			Name:    "feedback",
			Does:    "notes which mails have arrived, bounced or been complained of",
			Timeout: 30 * time.Second, Memory: 128,
			Env:      common(),
			Feedback: true,
		},
	}
}
