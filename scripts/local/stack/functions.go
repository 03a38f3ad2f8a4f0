package stack

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/smithy-go/middleware"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/scripts/local/engine"
	"partneraccess/shared/cognito"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/metrics"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/hooks"
	"partneraccess/shared/setup/identity"
	"partneraccess/shared/setup/jobs"
	"partneraccess/shared/setup/mails"
	"partneraccess/shared/setup/publishing"
)

// Product is what the provider's product is called on the local stack.
const Product = "Example Cloud"

// Deps is what a function's handler is wired with.
type Deps struct {
	Client   *dynamodb.Client
	Table    string
	Now      func() time.Time // the clock that /_local/clock moves
	BaseURL  string           // where the gateway listens, without a slash at the end
	Console  string           // where the pages are that mails link to, without a slash at the end; empty: nowhere
	SES      string           // where SES's API v2 is served, without a slash at the end
	Log      *slog.Logger
	Metrics  *metrics.Recorder
	Settings map[string]string               // of the functions, beside and instead of those that the stack has for them
	Watch    []func(*middleware.Stack) error // sees the calls of the functions' clients of AWS, but for Client's own

	// What functions in processes of their own are given beside.
	Figures io.Writer         // takes the lines of metrics that they print
	Cognito string            // where Cognito is served; empty: no accounts are kept
	Pool    cognitolocal.Pool // of Cognito's

	// Accounts are people's accounts; nil: none are kept.
	Accounts *cognito.Provider
}

// settings are those of the functions: what a deployment's settings would be here, and what this stack was told.
func (d Deps) settings() map[string]string {
	set := map[string]string{
		"TABLE_NAME": d.Table, "BASE_URL": d.BaseURL, "SIGN_IN_URL": "https://{domain}/sign-in?as=partner",
		"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_SESV2": d.SES,
		"PRODUCT_NAME": Product, "MAIL_FROM": Product + " <no-reply@cloud.example>", "SUPPORT": "support@cloud.example",
		"PROVIDER_EMAIL": "operations@cloud.example",
		"CUSTOMER_URL":   "https://cloud.example/customers/{customer}/partners", "PARTNER_URL": "https://cloud.example/partners/{partner}",
		"INVITATION_URL":   d.BaseURL + "/v1/invitations/{token}", // what the service says of it; a front end's page in earnest
		"DELIVER_FUNCTION": "deliver", "WEBHOOKS_LOCAL": "true", "CUSTOMER_WEBHOOKS": "true",
		"WORK_FUNCTION": "work", "AWS_ENDPOINT_URL_LAMBDA": d.BaseURL + "/_local/lambda",
		"BUS_NAME": BusName, "AWS_ENDPOINT_URL_EVENTBRIDGE": d.BaseURL + BusPath,
		"UNSUBSCRIBE": "mailto:unsubscribe@cloud.example", "MAIL_CONFIGURATION_SET": "partner-access-local",
	}
	if d.Console != "" {
		set["CUSTOMER_URL"], set["PARTNER_URL"] = d.Console+"/customers/{customer}/partners", d.Console+"/partners/{partner}"
		set["INVITATION_URL"] = d.Console + "/invitations#{token}" // a fragment stands in no log
	}
	if d.Accounts != nil {
		set["IDENTITY"] = "cognito"
	}
	maps.Copy(set, d.Settings)
	return set
}

// Functions builds the handler of every function, by its name in the manifest, as each function does in Lambda. It fails with what is wrong
// with the settings.
func Functions(d Deps) (map[string]lambda.Handler, error) {
	settings, ids := d.settings(), setup.IDs(d.Now)
	watch := func(o *sesv2.Options) { o.APIOptions = append(o.APIOptions, d.Watch...) }
	starting := func(o *lambdaservice.Options) { o.APIOptions = append(o.APIOptions, d.Watch...) }
	out := map[string]lambda.Handler{}
	for name, build := range map[string]setup.Build{
		"check":     setup.Check,
		"grant":     setup.People(httpapi.NewGrant),
		"edit":      setup.People(httpapi.NewEdit),
		"revoke":    setup.People(httpapi.NewRevoke),
		"list":      setup.People(httpapi.NewList),
		"invite":    setup.Invite,
		"directory": identity.Directory(d.Accounts),
		"expire":    identity.Expire(d.Accounts),
		"notify":    mails.Notify(d.Accounts, watch),
		"publish":   publishing.Publish(func(o *eventbridge.Options) { o.APIOptions = append(o.APIOptions, d.Watch...) }, starting),
		"webhook":   hooks.Webhook(starting),
		"deliver":   hooks.Deliver(starting),
		"mail":      mails.Mail(d.Accounts, watch),
		"bulk":      jobs.Bulk(starting),
		"work":      jobs.Work,
		"feedback":  mails.Feedback,
	} {
		h, err := build(&setup.Environment{
			Getenv: func(name string) string { return settings[name] }, Now: d.Now, NewID: ids, Client: d.Client, Metrics: d.Metrics,
			Log: d.Log.With("function", name), // in AWS each has a log group of its own
		})
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", name, err)
		}
		out[name] = h
	}
	return out, nil
}
