// Package mails wires the functions that send mails, show them and record what became of them. It is apart from setup so that the other
// functions do not carry the client of SES.
package mails

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"partneraccess/events"
	"partneraccess/shared/cognito"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/mail"
	"partneraccess/shared/mail/receipt"
	"partneraccess/shared/service"
	"partneraccess/shared/ses"
	"partneraccess/shared/setup"
	"partneraccess/shared/setup/identity"
	"partneraccess/shared/stream"
)

// Config is what mails are made and sent with.
type Config struct {
	Store      *dynamo.Store
	Settings   mail.Settings
	Sender     mail.Sender
	Suppressed service.Suppressed // of the service that Sender sends with; NewMailHandler alone needs it
	Accounts   service.Accounts   // make the temporary passwords; nil: the provider has its own identity provider
	Now        func() time.Time
	Log        *slog.Logger
}

// NewHandler handles batches of the table's stream, whose events' mails it sends, and the schedule's events, at which it sends the mails
// that wait. It fails with what is wrong with the settings.
func NewHandler(c Config) (lambda.Handler, error) {
	n, err := c.notifier()
	if err != nil {
		return nil, err
	}
	each := func(ctx context.Context, e events.Event) error {
		n := *n
		if l, ok := lambdacontext.FromContext(ctx); ok {
			n.Log = n.Log.With("request_id", l.AwsRequestID)
		}
		return n.Notify(ctx, e)
	}
	return notifyHandler{Config: c, service: c.service(notifier{n}), stream: stream.Handler(each, c.Log)}, nil
}

// service has the use cases about mails; to is nil where it sends none.
func (c Config) service(to service.Notifier) *service.Service {
	return &service.Service{Store: c.Store, Now: c.Now, NewID: setup.IDs(c.Now), Accounts: c.Accounts, Notifier: to, Log: c.Log}
}

func (c Config) notifier() (*mail.Notifier, error) {
	renderer, err := mail.NewRenderer(c.Settings)
	if err != nil {
		return nil, err
	}
	return &mail.Notifier{
		Renderer: renderer, Sender: c.Sender, Receipts: c.Store, Secrets: secrets{c.service(nil)}, Present: situations{c}, Chat: c.Settings.Chat,
		Provider: c.Settings.Provider, Readers: c.Store, Now: c.Now, Log: c.Log,
	}, nil
}

// NewMailHandler handles the requests about mails. It fails with what is wrong with the settings.
func NewMailHandler(c Config, people httpapi.Config) (lambda.Handler, error) {
	n, err := c.notifier()
	if err != nil {
		return nil, err
	}
	people.Notifier, people.Suppressed = notifier{n}, c.Suppressed
	return httpapi.NewMail(people), nil
}

// Notify builds the function that sends the mails. It reads what Store of the environment does; PRODUCT_NAME, MAIL_FROM, MAIL_REPLY_TO,
// SUPPORT, CUSTOMER_URL, PARTNER_URL, INVITATION_URL, UNSUBSCRIBE, PROVIDER_EMAIL, CHAT_WEBHOOK, DEFAULT_LANGUAGE and DEFAULT_ZONE, which
// mail.Settings explains; MAIL_CONFIGURATION_SET, through which SES says what became of the mails; and what identity.Accounts and
// ses.NewClient read. Change adapts the client of SES.
func Notify(own *cognito.Provider, change ...func(*sesv2.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		c, err := newConfig(e, own, change)
		if err != nil {
			return nil, err
		}
		return NewHandler(c)
	}
}

// Mail builds the function that shows what became of the mails. It reads what Notify does, and what Config of the environment does.
func Mail(own *cognito.Provider, change ...func(*sesv2.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		c, err := newConfig(e, own, change)
		if err != nil {
			return nil, err
		}
		people, _, err := e.Config()
		if err != nil {
			return nil, err
		}
		return NewMailHandler(c, people)
	}
}

// Feedback builds the function that records what SES reports of mails.
func Feedback(e *setup.Environment) (lambda.Handler, error) {
	store, err := e.Store()
	if err != nil {
		return nil, err
	}
	return ses.FeedbackHandler(store, e.Log), nil
}

func newConfig(e *setup.Environment, own *cognito.Provider, change []func(*sesv2.Options)) (Config, error) {
	store, err := e.Store()
	if err != nil {
		return Config{}, err
	}
	client, err := ses.NewClient(e.Getenv, change...)
	if err != nil {
		return Config{}, err
	}
	c := Config{
		Store: store, Now: e.Now, Log: e.Log,
		Sender:     chat{ses.NewSender(client, e.Getenv("MAIL_CONFIGURATION_SET")), e.Getenv("CHAT_WEBHOOK")},
		Suppressed: ses.NewSuppressed(client),
		Settings: mail.Settings{
			Product: e.Getenv("PRODUCT_NAME"), From: e.Getenv("MAIL_FROM"), ReplyTo: e.Getenv("MAIL_REPLY_TO"), Support: e.Getenv("SUPPORT"),
			CustomerURL: e.Getenv("CUSTOMER_URL"), PartnerURL: e.Getenv("PARTNER_URL"), InvitationURL: e.Getenv("INVITATION_URL"),
			Unsubscribe: e.Getenv("UNSUBSCRIBE"), Chat: e.Getenv("CHAT_WEBHOOK"), Language: e.Getenv("DEFAULT_LANGUAGE"),
			Zone: e.Getenv("DEFAULT_ZONE"), Provider: e.Getenv("PROVIDER_EMAIL"),
		},
	}
	c.Accounts, err = identity.Accounts(e, own)
	return c, err
}

// notifier is what the service sends mails with.
type notifier struct{ *mail.Notifier }

// NotifySummary implements service.Notifier.
func (n notifier) NotifySummary(ctx context.Context, r receipt.Receipt, customer, partner, outdated string) error {
	return n.Notifier.NotifySummary(ctx, mail.Summary(r, customer, partner, outdated))
}

// secrets has the service make the secrets of letters, which are not stored.
type secrets struct{ *service.Service }

// Secret implements mail.Secrets.
func (s secrets) Secret(ctx context.Context, l mail.Letter) (secret string, err error) {
	e := l.Event
	switch {
	case l.Secret == mail.Token && (e.Customer == nil || e.Data.Invitation == ""):
		return "", errors.New("the event names no invitation")
	case l.Secret == mail.Token:
		secret, err = s.NewToken(ctx, e.Customer.ID, e.Data.Invitation, e.Data.Sending)
	case l.Secret == mail.Credential && l.Side == mail.Member && e.Customer != nil:
		secret, err = s.NewMemberPassword(ctx, e.Customer.ID, l.To)
	case l.Secret == mail.Credential && (e.Data.Person == nil || e.Data.Person.ID == ""):
		return "", errors.New("the event names no user")
	case l.Secret == mail.Credential:
		secret, err = s.NewPassword(ctx, e.Data.Person.ID, l.To, e.Data.EmailWas != "")
	default:
		return "", fmt.Errorf("the secret %q is unknown", l.Secret)
	}
	var late *service.Outdated
	if errors.As(err, &late) {
		return "", fmt.Errorf("%w: %w", mail.ErrNoLongerNeeded, late)
	}
	return secret, err
}
