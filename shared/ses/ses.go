// Package ses sends mails through Amazon SES, API v2, and decodes its feedback. No other package imports SES's client, the largest that a
// function can carry.
package ses

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"partneraccess/shared/awsenv"
	letters "partneraccess/shared/mail"
)

// The tags of a mail by which its receipt is found again; shared/mail writes them.
const (
	tagOrganisation = "organisation"
	tagEvent        = "event"
	tagSource       = "source"
)

// patience is how long SES may take to answer. It mostly takes a tenth of a second.
const patience = 20 * time.Second

// NewClient makes SES's client from the environment that Lambda gives a function: see awsenv.Read. The error is a sentence for the
// operator.
func NewClient(getenv func(string) string, change ...func(*sesv2.Options)) (*sesv2.Client, error) {
	env, err := awsenv.Read(getenv, "SESV2", "mail service")
	if err != nil {
		return nil, err
	}
	o := sesv2.Options{
		Region:       env.Region,
		Credentials:  env.Credentials,
		BaseEndpoint: env.Endpoint,
		Retryer:      retryer(),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = 8
			// A function is frozen between two batches. A connection that the other side has closed meanwhile would lose the mail without an error.
			// The transport compares this with the wall clock, which runs on meanwhile.
			t.IdleConnTimeout = 10 * time.Second
		}),
	}
	o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = env.FIPS, env.DualStack
	for _, f := range change {
		f(&o)
	}
	return sesv2.New(o), nil
}

// retryer retries what SES throttles, and nothing else. The SDK's own also retries after a broken connection or a late answer: SendEmail
// has no idempotency token, and each of those may be a mail that was sent.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 4
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
		// SES counts by the second.
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return 50*time.Millisecond + rand.N(200*time.Millisecond<<min(attempt, 3)), nil //nolint:gosec // a delay is no secret
		})
	})
}

// Sender sends mails.
type Sender struct {
	client *sesv2.Client
	set    *string
}

// NewSender returns a sender that uses the configuration set, by which SES reports later what became of the mails; "" = none.
func NewSender(client *sesv2.Client, configurationSet string) *Sender {
	s := &Sender{client: client}
	if configurationSet != "" {
		s.set = &configurationSet
	}
	return s
}

// Send implements mail.Sender. An error that does not wrap mail.ErrRefused is an Error.
func (s *Sender) Send(ctx context.Context, m letters.Message) (string, error) {
	in, err := input(m)
	if err != nil {
		return "", err
	}
	in.ConfigurationSetName = s.set
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := s.client.SendEmail(ctx, in)
	if err != nil {
		return "", failed(err, m)
	}
	return aws.ToString(out.MessageId), nil
}

func input(m letters.Message) (*sesv2.SendEmailInput, error) {
	// A name before an address has to be an encoded word when it is not ASCII; SES takes it as it is.
	from, err := encoded(m.From)
	if err != nil {
		return nil, fmt.Errorf("the sender's address: %w", err) // the operator's to mend: the mails wait
	}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: &from,
		Destination:      &types.Destination{ToAddresses: []string{m.To}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: text(m.Subject),
			Body:    &types.Body{Text: text(m.Text), Html: text(m.HTML)},
		}},
	}
	if m.ReplyTo != "" {
		to, err := encoded(m.ReplyTo)
		if err != nil {
			return nil, fmt.Errorf("the reply address: %w", err)
		}
		in.ReplyToAddresses = []string{to}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		in.Content.Simple.Headers = append(in.Content.Simple.Headers, types.MessageHeader{Name: &name, Value: aws.String(m.Headers[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Tags)) {
		in.EmailTags = append(in.EmailTags, types.MessageTag{Name: &name, Value: aws.String(m.Tags[name])})
	}
	return in, nil
}

func encoded(address string) (string, error) {
	a, err := mail.ParseAddress(address)
	if err != nil {
		return "", fmt.Errorf("%q is none: %w", address, err)
	}
	if a.Name == "" {
		return a.Address, nil
	}
	return a.String(), nil
}

func text(s string) *types.Content {
	return &types.Content{Data: &s, Charset: aws.String("UTF-8")}
}

// Error is a mail that was not sent, or of which that is unknown, and that can be retried. It names no recipient.
type Error struct {
	// Uncertain: no answer came. SES may have taken the mail, and will say so through the configuration set if it has.
	Uncertain bool

	cause     error
	recipient string
}

func (e *Error) Error() string {
	doing := "SES did not take the mail: "
	if e.Uncertain {
		doing = "SES did not say whether it took the mail: "
	}
	return doing + strings.ReplaceAll(e.cause.Error(), e.recipient, "(the recipient)") // SES quotes it, and errors are logged
}

func (e *Error) Unwrap() error { return e.cause }

// Is makes an uncertain error known as letters.ErrUncertain.
func (e *Error) Is(target error) bool { return e.Uncertain && target == letters.ErrUncertain }

// failed tells apart the mails that SES will never take and those that it may take later.
//
// For good, so that nobody holds up the rest of the stream with trying:
//   - BadRequestException: an address or a header that is not well-formed stays so. The sender's own address was looked at when the
//     function started (mail.Settings).
//   - MessageRejected: the content, or a recipient who is not verified where the account is in SES's sandbox. Not, though, when it is the
//     sender's identity that is not verified: that is the operator's mistake, and lasts until it is mended.
//
// For now, which is all the rest, since a mail that was given up is a person who was not told:
//   - TooManyRequestsException, Throttling, LimitExceededException: a moment, or a day's quota.
//   - SendingPausedException, AccountSuspendedException: about the account and not about this mail. Both end when AWS has looked at it; the
//     mails wait in the table for three days (mail.Notifier).
//   - MailFromDomainNotVerifiedException, NotFoundException (of the configuration set), AccessDenied, a wrong signature: the operator's to
//     mend.
//   - 5xx: SES says itself that it did not do it.
//   - No connection: nothing was sent.
//   - No answer, or none that can be read: this one alone is Uncertain.
func failed(err error, m letters.Message) error {
	var malformed *types.BadRequestException
	var rejected *types.MessageRejected
	switch {
	case errors.As(err, &malformed):
		return fmt.Errorf("%w: %s", letters.ErrRefused, malformed.ErrorMessage())
	case errors.As(err, &rejected):
		said := rejected.ErrorMessage()
		if !strings.Contains(said, "not verified") || strings.Contains(strings.ToLower(said), strings.ToLower(m.To)) {
			return fmt.Errorf("%w: %s", letters.ErrRefused, said)
		}
	}
	return &Error{Uncertain: !answered(err) && !unconnected(err), cause: err, recipient: m.To}
}

// answered reports whether SES itself refused.
func answered(err error) bool {
	var api smithy.APIError
	var garbled *smithy.DeserializationError
	var reply *smithyhttp.ResponseError
	if errors.As(err, &garbled) {
		return false
	}
	return errors.As(err, &api) || errors.As(err, &reply) && reply.HTTPStatusCode() >= http.StatusBadRequest
}

// unconnected reports whether no connection was made, so that nothing can have been sent.
func unconnected(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}
