package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"partneraccess/shared/manifest"
)

// ErrUnavailable says that a function could not be called at all. API Gateway answers 503 then, and 500 where a function has failed.
var ErrUnavailable = errors.New("the function cannot be called")

// Invoked are handlers of the manifest's functions that call Lambda's Invoke API. The functions' names there begin with prefix.
func Invoked(client *lambdaservice.Client, prefix string) map[string]lambda.Handler {
	out := map[string]lambda.Handler{}
	for _, f := range manifest.Functions() {
		out[f.Name] = invoked{client, prefix + f.Name}
	}
	return out
}

type invoked struct {
	client *lambdaservice.Client
	name   string
}

// Invoke implements lambda.Handler.
func (i invoked) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	// Once: to repeat is up to whoever starts functions, the stream's poller for one.
	out, err := i.client.Invoke(ctx, &lambdaservice.InvokeInput{FunctionName: &i.name, Payload: event},
		func(o *lambdaservice.Options) { o.RetryMaxAttempts = 1 })
	var refused smithy.APIError
	switch {
	case err != nil && ctx.Err() != nil: // the function's time is up, and the other side has not said so yet
		return nil, fmt.Errorf("%s: %w", i.name, ctx.Err())
	case errors.As(err, &refused):
		return nil, fmt.Errorf("%w: %s: %s: %s", ErrUnavailable, i.name, refused.ErrorCode(), refused.ErrorMessage())
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, i.name, err)
	case out.FunctionError != nil:
		return nil, fmt.Errorf("%s: %s", i.name, out.Payload)
	}
	return out.Payload, nil
}

// MailAddress is where SES is served for functions in containers: Config.MailListen with the port that was taken; "" when it is nowhere.
func (s *Stack) MailAddress() string { return s.mails }

// listenForMails serves SES, and nothing else, at an address that containers reach, until the stack stops.
func (s *Stack) listenForMails(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for mails at MAIL_LISTEN=%s: %w", address, err)
	}
	s.mails = l.Addr().String()
	mux := http.NewServeMux()
	s.SES.serve(mux)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	s.running.Go(func() {
		<-s.background.Done()
		_ = server.Close() // what is cut off is sent again
	})
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("SES stopped: %w", err))
		}
	}()
	return nil
}
