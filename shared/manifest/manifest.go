// Package manifest is the list of the service's functions: what starts each of them and what each may do to the table.
// The CDK app and the local stack both read it, so that what is deployed and what is run locally cannot differ.
package manifest

import (
	"slices"
	"time"

	"partneraccess/shared/httpapi"
)

// Function is one Lambda function, built from functions/<Name>.
type Function struct {
	Name    string
	Does    string          // one sentence, for the operator
	Routes  []httpapi.Route // the HTTP routes that it serves, of the table in shared/httpapi
	Timeout time.Duration   // after which Lambda ends an invocation
	Memory  int             // MiB
	Env     []string        // the environment variables that it reads, but for those that Lambda sets itself

	// What else starts it, beside requests.
	Stream   *Stream       // batches of the table's stream; nil: none
	Schedule time.Duration // this often; 0: never
	Feedback bool          // what became of the mails: the events of SES's configuration set, through EventBridge
}

// Stream says how the table's stream starts a function. In each case the function reports single failures
// (ReportBatchItemFailures), begins at the oldest record (TRIM_HORIZON), and what fails for good goes to a dead-letter
// queue.
type Stream struct {
	Filter            string        // the pattern that a record must match, as Lambda spells it, in JSON
	BatchSize         int           // records at most in one invocation
	MaxBatchingWindow time.Duration // how long to wait for a batch to fill; 0: not at all
	Retries           int           // attempts after the first one, before the batch goes to the dead-letter queue
	MaxAge            time.Duration // of a record: older ones go to the dead-letter queue untried
	Parallelization   int           // batches under way at once for each shard; those of one partition key stay in order
	Bisect            bool          // a batch that fails as a whole is cut in half before it is tried again
	Carries           string        // what its records mean to the operator, in the plural: mails
}

// routes are those that a function serves.
func routes(function string) []httpapi.Route {
	var out []httpapi.Route
	for _, r := range httpapi.Routes() {
		if r.Function == function {
			out = append(out, r)
		}
	}
	return out
}

// commonSettings are the settings of all functions. STAGE distinguishes the metrics of deployments, and may be empty.
func commonSettings() []string { return []string{"TABLE_NAME", "STAGE"} }

// peopleSettings are the settings of the functions that serve people, which Environment.Config in shared/setup reads.
func peopleSettings() []string {
	return append(commonSettings(), "REQUIRE_SSO", "SIGN_IN_URL", "FEDERATION")
}

// accountSettings are the settings of the functions that keep people's accounts, which identity.FromEnvironment reads.
func accountSettings() []string { return []string{"IDENTITY", "USER_POOL_ID", "USER_POOL_CLIENT_ID"} }

// mailSettings are the settings of the function that sends mails, which mails.Notify reads.
func mailSettings() []string {
	return []string{
		"PRODUCT_NAME", "MAIL_FROM", "MAIL_REPLY_TO", "SUPPORT", "CUSTOMER_URL", "PARTNER_URL", "INVITATION_URL", "UNSUBSCRIBE",
		"DEFAULT_LANGUAGE", "DEFAULT_ZONE", "MAIL_CONFIGURATION_SET", "CHAT_WEBHOOK", "PROVIDER_EMAIL",
	}
}

// newEvents lets the inserted events of the outbox through: no other row of the table has a sort key that begins with T#.
const newEvents = `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"sk":{"S":[{"prefix":"T#"}]}}}}`

// eventStream has the events' mails sent. An event has to come again only when the table could not record its mails: those that SES does
// not take wait in the table, for the schedule. Twelve attempts with Lambda's growing pauses outlast a table that is throttled for minutes.
func eventStream() *Stream {
	return &Stream{
		Filter:    newEvents,
		Carries:   "mails",
		BatchSize: 10, // an event can mean eighty mails, and a batch must be done before the time-out
		Retries:   12, MaxAge: 6 * time.Hour, Parallelization: 2, Bisect: true,
	}
}

// newVersions lets the written records through whose versions are kept: see refOf in shared/dynamo/keys.go, and the events of the outbox.
// What is made of them begins with Z#, F# and X#, so that no filter matches it.
const newVersions = `{"eventName":["INSERT","MODIFY"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"C#"},{"prefix":"P#"}]},` +
	`"sk":{"S":["C","P","H",{"prefix":"G#"},{"prefix":"U#"},{"prefix":"F#"},{"prefix":"T#"}]}}}}`

// versionStream has the versions of records kept, and events published. It tries as long as eventStream does; what fails for good leaves a
// gap that answers about the past name.
func versionStream() *Stream {
	return &Stream{
		Filter:    newVersions,
		Carries:   "versions of records and events for others",
		BatchSize: 100, // a record is a few small writes
		Retries:   12, MaxAge: 6 * time.Hour, Parallelization: 2, Bisect: true,
	}
}

// Functions are all of them, in the order in which an operator would want to read them.
func Functions() []Function {
	return slices.Concat(forCallers(), behindThem(), jobFunctions(), webhookFunctions())
}

// forCallers are the functions that people and back ends call, but for those about mails and bulk jobs.
func forCallers() []Function {
	return []Function{
		{
			Name:    "check",
			Does:    "answers whether a partner's user may do something in a customer's tenant (AuthZEN 1.0)",
			Timeout: 10 * time.Second, Memory: 512,
			Env:    append(commonSettings(), "BASE_URL", "CATALOGUE_FILE", "LOG_ALLOWS", "PARTNER_URL"),
			Routes: routes("check"),
		},
		{
			Name:    "grant",
			Does:    "grants a partner access to a customer's tenant",
			Timeout: 15 * time.Second, Memory: 256,
			Env:    peopleSettings(),
			Routes: routes("grant"),
		},
		{
			Name:    "edit",
			Does:    "edits who has access, at which level, and for how long",
			Timeout: 15 * time.Second, Memory: 256,
			Env:    peopleSettings(),
			Routes: routes("edit"),
		},
		{
			Name:    "revoke",
			Does:    "revokes access",
			Timeout: 15 * time.Second, Memory: 256,
			Env:    peopleSettings(),
			Routes: routes("revoke"),
		},
		{
			Name:    "list",
			Does:    "lists and reads grants, partners, customers, their people and history",
			Timeout: 15 * time.Second, Memory: 256,
			Env:    peopleSettings(),
			Routes: routes("list"),
		},
		{
			Name:    "directory",
			Does:    "manages the partners, their users, the customers and their members",
			Timeout: 29 * time.Second, Memory: 256,
			Env:    append(peopleSettings(), accountSettings()...),
			Routes: routes("directory"),
		},
		{
			Name:    "invite",
			Does:    "invites people who have no account, who get access when they accept; takes partners' requests and customers' decisions",
			Timeout: 15 * time.Second, Memory: 256,
			Env:    append(peopleSettings(), "IDENTITY"), // whether accounts are kept; the sweep makes those that come with an invitation
			Routes: routes("invite"),
		},
	}
}

// behindThem are the functions that the clock, the stream and SES start, and those about mails.
func behindThem() []Function {
	return []Function{
		{
			Name:    "expire",
			Does:    "does what is due: expiries, reminders, and work on many grants",
			Timeout: time.Minute, Memory: 256,
			Env:      append(commonSettings(), accountSettings()...),
			Schedule: time.Minute,
		},
		{
			Name:    "notify",
			Does:    "notifies people by e-mail of what has happened",
			Timeout: 2 * time.Minute, Memory: 256,
			Env:      slices.Concat(commonSettings(), mailSettings(), accountSettings()),
			Schedule: time.Minute, // the mails that wait for another attempt
			Stream:   eventStream(),
		},
		{
			Name:    "publish",
			Does:    "keeps the versions of records, for questions about the past, and publishes events",
			Timeout: time.Minute, Memory: 256,
			Env:      append(commonSettings(), "BASE_URL", "BUS_NAME", "CUSTOMER_WEBHOOKS", "DELIVER_FUNCTION"),
			Schedule: time.Minute, // the events that wait for the bus
			Stream:   versionStream(),
		},
		{
			Name:    "mail",
			Does:    "lists the mails and their delivery, sends one again, and unblocks addresses",
			Timeout: 29 * time.Second, Memory: 256,
			Env:    slices.Concat(peopleSettings(), mailSettings(), accountSettings()),
			Routes: routes("mail"),
		},
		{
			Name:    "feedback",
			Does:    "records which mails were delivered, bounced or were marked as spam",
			Timeout: 30 * time.Second, Memory: 128,
			Env:      commonSettings(),
			Feedback: true,
		},
	}
}

// jobFunctions are those for bulk jobs.
func jobFunctions() []Function {
	return []Function{
		{
			Name:    "bulk",
			Does:    "takes jobs of many changes, and tells what became of them",
			Timeout: 29 * time.Second, Memory: 256,
			Env:    append(peopleSettings(), "WORK_FUNCTION"),
			Routes: routes("bulk"),
		},
		{
			Name:    "work",
			Does:    "does the rows of bulk jobs",
			Timeout: 5 * time.Minute, Memory: 256,
			Env:      peopleSettings(),
			Schedule: time.Minute, // for what bulk could not start, and what a run before left
		},
	}
}

// webhookFunctions are those for webhooks.
func webhookFunctions() []Function {
	return []Function{
		{
			Name:    "webhook",
			Does:    "keeps the webhooks to which events are sent, and tells what became of what was sent",
			Timeout: 29 * time.Second, Memory: 256,
			Env:    append(peopleSettings(), "BASE_URL", "CUSTOMER_WEBHOOKS", "DELIVER_FUNCTION"),
			Routes: routes("webhook"),
		},
		{
			Name:    "deliver",
			Does:    "sends events to webhooks, each execution to one of them",
			Timeout: 2 * time.Minute, Memory: 256,
			Env:      append(commonSettings(), "DELIVER_FUNCTION"),
			Schedule: time.Minute, // what waits for another attempt
		},
	}
}
