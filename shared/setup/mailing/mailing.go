// Package mailing wires the function that sends the mails. It stands beside the other functions' set-up to spare them SES's client.
package mailing

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"partneraccess/events"
	"partneraccess/shared/access"
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

// Config is what the mails are made and sent with.
type Config struct {
	Store      *dynamo.Store
	Settings   mail.Settings
	Sender     mail.Sender
	Suppressed httpapi.Suppressed // of the service that Sender sends with; NewMailHandler alone needs it
	Passwords  Passwords          // nil: people sign in where the provider's own identity provider says
	Now        func() time.Time
	Log        *slog.Logger
}

// NewHandler handles batches of the table's stream, whose events' mails it sends, and the schedule's events, at which it sends the mails that
// wait. It fails with what is wrong with the settings.
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
	return notify{Config: c, notifier: n, stream: stream.Handler(each, c.Log)}, nil
}

func (c Config) notifier() (*mail.Notifier, error) {
	renderer, err := mail.NewRenderer(c.Settings)
	if err != nil {
		return nil, err
	}
	return &mail.Notifier{Renderer: renderer, Sender: c.Sender, Receipts: c.Store, Secrets: secrets{c}, Present: situations{c}, Now: c.Now, Log: c.Log}, nil
}

// NewMailHandler handles the requests about mails. It fails with what is wrong with the settings.
func NewMailHandler(c Config, people httpapi.Config) (lambda.Handler, error) {
	n, err := c.notifier()
	if err != nil {
		return nil, err
	}
	return httpapi.NewMail(people, c.Store, again{c, n}, c.Suppressed), nil
}

// again sends a mail once more.
type again struct {
	Config
	notifier *mail.Notifier
}

// Resend implements httpapi.Resender.
func (a again) Resend(ctx context.Context, key receipt.Key, asked, source string) error {
	e, err := a.Store.Event(ctx, key)
	if err != nil {
		return err
	}
	if e == nil {
		if r, err := a.Store.Mail(ctx, key); err != nil || r == nil || r.Type != receipt.SummaryType {
			return cmp.Or(err, receipt.ErrUnknown)
		}
		return access.Refuse(access.MailOutdated, "a summary is not sent again: send the mails that it tells of")
	}
	if err := a.refused(ctx, *e, key, asked, source); err != nil {
		return err
	}
	// Being held is no refusal yet: the one before may have reopened it and then failed. Whoever holds it for good is found out in sending.
	switch err := a.Store.ReopenMail(ctx, key, asked, a.Now().UTC()); {
	case errors.Is(err, receipt.ErrDone):
		return nil
	case err != nil && !errors.Is(err, receipt.ErrHeld):
		return err
	}
	return a.notifier.NotifyOne(ctx, *e, key.Recipient)
}

// refused refuses to send again what holds no longer, and more than the organisation that asks may have us send. The receipt stays as it is. A request
// that was carried out before is not refused.
func (a again) refused(ctx context.Context, e events.Event, key receipt.Key, asked, source string) error {
	r, err := a.Store.Mail(ctx, key)
	if err != nil || r == nil || asked != "" && r.Asked == asked {
		return err
	}
	why, err := a.notifier.Outdated(ctx, e, key.Recipient)
	switch {
	case errors.Is(err, receipt.ErrUnknown): // a contact that was added after the event, and replaced since
		return access.Refuse(access.MailOutdated, "this mail is not sent again: nobody is told at this address any more")
	case err != nil:
		return err
	case why != "":
		return access.Refuse(access.MailOutdated, "this mail is not sent again: %s", why)
	case source == "":
		return nil
	}
	now, id := a.Now(), asked
	if id == "" {
		id = rand.Text()
	}
	b := receipt.NewBudget(source, r.To, false, now)
	switch ok, err := a.Store.SpendMail(ctx, b, key.Event+"/"+id); {
	case err != nil:
		return err
	case !ok:
		return service.TooManyMails(r.To, b.Renewed().Sub(now))
	}
	return nil
}

// Notify builds the function that sends the mails. It reads what Store of the environment does; PRODUCT_NAME, MAIL_FROM, MAIL_REPLY_TO, SUPPORT,
// CUSTOMER_URL, PARTNER_URL, INVITATION_URL and UNSUBSCRIBE, which mail.Settings explains; MAIL_CONFIGURATION_SET, through which SES says what became
// of the mails; and what identity.Accounts and ses.NewClient read. Change adapts the client of SES.
func Notify(keep identity.Keep, change ...func(*sesv2.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		c, err := config(e, keep, change)
		if err != nil {
			return nil, err
		}
		return NewHandler(c)
	}
}

// Mail builds the function that shows what became of the mails. It reads what Notify does, and what Config of the environment does.
func Mail(keep identity.Keep, change ...func(*sesv2.Options)) setup.Build {
	return func(e *setup.Environment) (lambda.Handler, error) {
		c, err := config(e, keep, change)
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

// Feedback builds the function that notes what SES says of mails.
func Feedback(e *setup.Environment) (lambda.Handler, error) {
	store, err := e.Store()
	if err != nil {
		return nil, err
	}
	return ses.FeedbackHandler(store, e.Log), nil
}

func config(e *setup.Environment, keep identity.Keep, change []func(*sesv2.Options)) (Config, error) {
	store, err := e.Store()
	if err != nil {
		return Config{}, err
	}
	client, err := ses.NewClient(e.Getenv, change...)
	if err != nil {
		return Config{}, err
	}
	c := Config{
		Store: store, Sender: ses.NewSender(client, e.Getenv("MAIL_CONFIGURATION_SET")), Suppressed: ses.NewSuppressed(client), Now: e.Now, Log: e.Log,
		Settings: mail.Settings{
			Product: e.Getenv("PRODUCT_NAME"), From: e.Getenv("MAIL_FROM"), ReplyTo: e.Getenv("MAIL_REPLY_TO"), Support: e.Getenv("SUPPORT"),
			CustomerURL: e.Getenv("CUSTOMER_URL"), PartnerURL: e.Getenv("PARTNER_URL"), InvitationURL: e.Getenv("INVITATION_URL"),
			Unsubscribe: e.Getenv("UNSUBSCRIBE"),
		},
	}
	accounts, err := keep.Accounts(e, c.Store)
	if err != nil {
		return Config{}, err
	}
	if accounts != nil {
		c.Passwords = accounts
	}
	return c, nil
}

// Passwords makes temporary passwords.
type Passwords interface {
	// TemporaryPassword makes one anew. It refuses with access.Ended when the user has no use for one any more. Settled tells, also with an
	// error, that nothing of it is still on its way.
	TemporaryPassword(ctx context.Context, u access.User) (password string, settled bool, err error)
}

// secrets makes what a letter carries and nothing stores: of a token only the digest is kept, of a password nothing.
type secrets struct{ Config }

// Secret implements mail.Secrets.
func (s secrets) Secret(ctx context.Context, l mail.Letter) (string, error) {
	switch l.Secret {
	case mail.Token:
		return s.token(ctx, l)
	case mail.Credential:
		return s.password(ctx, l)
	}
	return "", fmt.Errorf("the secret %q is unknown", l.Secret)
}

// token makes an invitation's token, for the mail or for the reminder. Which of the earlier ones still open it, access.PlanToken decides.
func (s secrets) token(ctx context.Context, l mail.Letter) (string, error) {
	e := l.Event
	if e.Customer == nil || e.Data.Invitation == "" {
		return "", errors.New("the event names no invitation")
	}
	secret, token := rand.Text(), ""
	err := s.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		i, err := s.Store.Invitation(ctx, e.Customer.ID, e.Data.Invitation)
		if err != nil {
			return access.Change{}, nil, err
		}
		m := access.Moment{Now: s.Now().UTC().Truncate(time.Millisecond), NewID: setup.IDs(s.Now), Actor: access.Actor{Kind: "clock"}}
		c, err := access.PlanToken(i, e.Data.Sending, access.TokenDigest(secret), m)
		if err == nil {
			token = access.Token(i, secret)
		}
		return c, nil, err
	})
	return token, needed(err)
}

// password makes a temporary password, and has the clock end it before it is made. It is "" when the person signs in elsewhere, or has signed in
// already and is told of something else than the password.
func (s secrets) password(ctx context.Context, l mail.Letter) (string, error) {
	p := l.Event.Data.Person
	if p == nil || p.ID == "" {
		return "", errors.New("the event names no user")
	}
	u, err := s.Store.User(ctx, p.ID)
	switch {
	case err != nil:
		return "", err
	case u == nil || u.Status != access.Active:
		return "", fmt.Errorf("%w: there is no such user any more, or it is disabled", mail.ErrNoLongerNeeded)
	case u.Email != l.To: // it was changed meanwhile, and the change has its own mail
		return "", fmt.Errorf("%w: the user has another address now", mail.ErrNoLongerNeeded)
	case s.Passwords == nil || !u.HasAccount():
		return "", nil
	}
	mine, err := s.limit(ctx, u.ID)
	if err != nil {
		return "", needed(err)
	}
	password, settled, err := s.Passwords.TemporaryPassword(ctx, *u)
	if settled {
		s.settle(ctx, mine)
	}
	if access.CodeOf(err) == access.Ended && l.Event.Data.EmailWas != "" {
		return "", nil
	}
	return password, needed(err)
}

// limit has the clock end the temporary password that is about to be made, and keeps others from being made meanwhile.
func (s secrets) limit(ctx context.Context, user string) (mine *access.Task, err error) {
	err = s.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		u, err := s.Store.User(ctx, user)
		if err != nil {
			return access.Change{}, nil, err
		}
		t, err := s.Store.Task(ctx, access.ActivationTask(user))
		if err != nil {
			return access.Change{}, nil, err
		}
		m := access.Moment{Now: s.Now().UTC().Truncate(time.Millisecond), NewID: setup.IDs(s.Now), Actor: access.Actor{Kind: "clock"}}
		var c access.Change
		c, mine, err = access.PlanTemporaryPassword(u, t, m)
		return c, nil, err
	})
	return mine, err
}

// settle lets others make a temporary password. When that fails they have to wait some minutes, and no more.
func (s secrets) settle(ctx context.Context, mine *access.Task) {
	err := s.Store.Apply(ctx, func(ctx context.Context) (access.Change, *access.Answer, error) {
		now, err := s.Store.Task(ctx, mine.ID)
		if err != nil {
			return access.Change{}, nil, err
		}
		return access.PlanPasswordSettled(now, mine), nil, nil
	})
	if err != nil && s.Log != nil {
		s.Log.Warn("another temporary password has to wait", "user", mine.User, "until", mine.Until, "error", err.Error())
	}
}

// needed turns the refusals that mean that a letter has come too late into mail.ErrNoLongerNeeded.
func needed(err error) error {
	switch access.CodeOf(err) {
	case access.InvitationEnded, access.Ended, access.NotFound:
		return fmt.Errorf("%w: %w", mail.ErrNoLongerNeeded, err)
	}
	return err
}
