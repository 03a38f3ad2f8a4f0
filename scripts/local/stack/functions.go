package stack

import (
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/smithy-go/middleware"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/cognito"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/mail"
	"partneraccess/shared/metrics"
	"partneraccess/shared/ses"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mailing"
	"partneraccess/shared/sweep"
)

// Product is what the provider's product is called on the local stack.
const Product = "Example Cloud"

// Deps is what a function's handler is wired with.
type Deps struct {
	Client  *dynamodb.Client
	Table   string
	Now     func() time.Time // the clock that /_local/clock moves
	BaseURL string           // where the gateway listens, without a slash at the end
	Console string           // where the pages are that mails link to, without a slash at the end; empty: nowhere
	SES     string           // where SES's API v2 is served, without a slash at the end
	Log     *slog.Logger
	Metrics *metrics.Recorder
	Watch   []func(*middleware.Stack) error // sees the calls of the functions' clients of AWS, but for Client's own

	// What functions in processes of their own are given beside.
	Figures io.Writer         // takes the lines of metrics that they print
	Cognito string            // where Cognito is served; empty: no accounts are kept
	Pool    cognitolocal.Pool // of Cognito's

	// Accounts keeps the employees' accounts of a table; nil: none are kept.
	Accounts func(cognito.Store) *cognito.Keeper
}

// Functions wires the handler of every function, by its name in the manifest.
func Functions(d Deps) map[string]lambda.Handler {
	store, ids := dynamo.New(d.Client, d.Table).Measured(d.Metrics), setup.IDs(d.Now)
	log := func(function string) *slog.Logger { return d.Log.With("function", function) } // in AWS each has a log group of its own
	people := func(function string) httpapi.Config {
		return httpapi.Config{
			Store: store, Now: d.Now, NewID: ids,
			SignInURL: "https://{domain}/sign-in?as=partner", Log: log(function),
		}
	}
	directory, expire := people("directory"), &sweep.Sweep{Store: store, Now: d.Now, NewID: ids, Log: log("expire"), Metrics: d.Metrics}
	if d.Accounts != nil {
		keeper := d.Accounts(store)
		directory.Accounts, expire.Accounts = keeper, keeper
	}
	notify, mails := mailFunctions(d, store, log("notify"), people("mail"))
	return map[string]lambda.Handler{
		"check": httpapi.NewCheck(httpapi.CheckConfig{
			Facts: dynamo.NewReader(d.Client, d.Table).Measured(d.Metrics), Catalogue: access.DefaultCatalogue(), Now: d.Now, BaseURL: d.BaseURL,
			Log: log("check"), Metrics: d.Metrics,
		}),
		"grant":     httpapi.NewGrant(people("grant")),
		"edit":      httpapi.NewEdit(people("edit")),
		"revoke":    httpapi.NewRevoke(people("revoke")),
		"list":      httpapi.NewList(people("list")),
		"directory": httpapi.NewDirectory(directory),
		"invite":    httpapi.NewInvite(people("invite")),
		"notify":    notify,
		"mail":      mails,
		"feedback":  ses.FeedbackHandler(store, log("feedback")),
		"expire":    expire.Handler(),
	}
}

// mailFunctions send their mails through the real client, to the stack's own SES.
func mailFunctions(d Deps, store *dynamo.Store, log *slog.Logger, people httpapi.Config) (notify, mails lambda.Handler) {
	client, err := ses.NewClient(func(name string) string {
		return map[string]string{
			"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_SESV2": d.SES,
		}[name]
	}, func(o *sesv2.Options) { o.APIOptions = append(o.APIOptions, d.Watch...) })
	if err != nil { // nothing of this comes from outside
		panic(err)
	}
	c := mailing.Config{
		Store: store, Sender: ses.NewSender(client, "partner-access-local"), Suppressed: ses.NewSuppressed(client), Now: d.Now, Log: log,
		Settings: mail.Settings{
			Product: Product, From: Product + " <no-reply@cloud.example>", Support: "support@cloud.example",
			CustomerURL: "https://cloud.example/customers/{customer}/partners", PartnerURL: "https://cloud.example/partners/{partner}",
			InvitationURL: d.BaseURL + "/v1/invitations/{token}", // what the service says of it; a front end's page in earnest
			Unsubscribe:   "mailto:unsubscribe@cloud.example",
		},
	}
	if d.Console != "" {
		c.Settings.CustomerURL, c.Settings.PartnerURL = d.Console+"/customers/{customer}/partners", d.Console+"/partners/{partner}"
		c.Settings.InvitationURL = d.Console + "/invitations#{token}" // a fragment stands in no log
	}
	if d.Accounts != nil {
		c.Passwords = d.Accounts(store)
	}
	if notify, err = mailing.NewHandler(c); err != nil { // likewise
		panic(err)
	}
	if mails, err = mailing.NewMailHandler(c, people); err != nil {
		panic(err)
	}
	return notify, mails
}
