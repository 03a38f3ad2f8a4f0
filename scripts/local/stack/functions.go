package stack

import (
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/access"
	"partneraccess/shared/cognito"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/mail"
	"partneraccess/shared/ses"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/mailing"
	"partneraccess/shared/sweep"
)

// Deps is what a function's handler is wired with.
type Deps struct {
	Client  *dynamodb.Client
	Table   string
	Now     func() time.Time // the clock that /_local/clock moves
	BaseURL string           // where the gateway listens, without a slash at the end
	SES     string           // where SES's API v2 is served, without a slash at the end
	Log     *slog.Logger

	// Accounts keeps the employees' accounts of a table; nil: none are kept.
	Accounts func(cognito.Store) *cognito.Keeper
}

// Functions wires the handler of every function, by its name in the manifest.
func Functions(d Deps) map[string]lambda.Handler {
	store, ids := dynamo.New(d.Client, d.Table), setup.IDs(d.Now)
	cfg := httpapi.Config{
		Store: store, Now: d.Now, NewID: ids,
		SignInURL: "https://{domain}/sign-in?as=partner", Log: d.Log,
	}
	directory, expire := cfg, &sweep.Sweep{Store: store, Now: d.Now, NewID: ids, Log: d.Log}
	if d.Accounts != nil {
		keeper := d.Accounts(store)
		directory.Accounts, expire.Accounts = keeper, keeper
	}
	notify, mails := mailFunctions(d, store, cfg)
	return map[string]lambda.Handler{
		"check": httpapi.NewCheck(httpapi.CheckConfig{
			Facts: dynamo.NewReader(d.Client, d.Table), Catalogue: access.DefaultCatalogue(), Now: d.Now, BaseURL: d.BaseURL, Log: d.Log,
		}),
		"grant":     httpapi.NewGrant(cfg),
		"edit":      httpapi.NewEdit(cfg),
		"revoke":    httpapi.NewRevoke(cfg),
		"list":      httpapi.NewList(cfg),
		"directory": httpapi.NewDirectory(directory),
		"invite":    httpapi.NewInvite(cfg),
		"notify":    notify,
		"mail":      mails,
		"feedback":  ses.FeedbackHandler(store, d.Log),
		"expire":    expire.Handler(),
	}
}

// mailFunctions send their mails through the real client, to the stack's own SES.
func mailFunctions(d Deps, store *dynamo.Store, people httpapi.Config) (notify, mails lambda.Handler) {
	client, err := ses.NewClient(func(name string) string {
		return map[string]string{
			"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_SESV2": d.SES,
		}[name]
	})
	if err != nil { // nothing of this comes from outside
		panic(err)
	}
	c := mailing.Config{
		Store: store, Sender: ses.NewSender(client, "partner-access-local"), Now: d.Now, Log: d.Log,
		Settings: mail.Settings{
			Product: "Example Cloud", From: "Example Cloud <no-reply@cloud.example>", Support: "support@cloud.example",
			CustomerURL: "https://cloud.example/customers/{customer}/partners", PartnerURL: "https://cloud.example/partners/{partner}",
			InvitationURL: d.BaseURL + "/v1/invitations/{token}", // what the service says of it; a front end's page in earnest
			Unsubscribe:   "mailto:unsubscribe@cloud.example",
		},
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
