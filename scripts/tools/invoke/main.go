// Command invoke passes a sample to a function as its trigger would, and prints the answer: an event of the contract as a record of the
// table's stream, a request as API Gateway's payload, the tick of the schedule, SES's word on a mail, or whatever a file holds.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/events"
	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/manifest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "invoke:", err)
		stop()
		os.Exit(1)
	}
}

const usage = `Passes a sample to a function as its trigger would.

  go run ./scripts/tools/invoke                             lists the functions and their samples
  go run ./scripts/tools/invoke notify grant.created        of the local stack that make run has started
  go run ./scripts/tools/invoke check                       a function with one sample needs no name of it
  go run ./scripts/tools/invoke notify event.json           an event of the contract, or a whole payload, from a file
  go run ./scripts/tools/invoke -as NAME notify …           the deployed function of that name or ARN

With -as the region, the credentials and, if another than AWS's own, the endpoint come from the environment (AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_LAMBDA or AWS_ENDPOINT_URL). What the function does it
does in earnest: its mails go out.

`

// run invokes one function once. It fails when the function did, and when it reported that records failed.
func run(ctx context.Context, args []string, env func(string) string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("invoke", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		_, _ = fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	local := flags.String("url", "http://127.0.0.1:8080", "the local stack's `URL`")
	deployed := flags.String("as", "", "the `name` under which the function is deployed: it is called in AWS")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return list(out)
	}
	if flags.NArg() > 2 {
		return errors.New("give a function, and one sample or file: see --help")
	}
	f, err := function(flags.Arg(0))
	if err != nil {
		return err
	}
	payload, err := payloadFor(f, flags.Arg(1))
	if err != nil {
		return err
	}

	s := &localStack{url: strings.TrimSuffix(*local, "/")}
	if *deployed != "" {
		s = nil
	}
	client, name := s.client(), f.Name
	if s == nil {
		db, err := dynamo.NewClient(env)
		if err != nil {
			return err
		}
		o := db.Options()
		name = *deployed
		client = lambda.New(lambda.Options{
			// what was done once is not done again
			Region: o.Region, Credentials: o.Credentials, BaseEndpoint: endpoint(env), Retryer: aws.NopRetryer{},
		})
	}
	before, err := s.mails(ctx)
	if err != nil {
		return err
	}
	answer, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload})
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	if answer.FunctionError != nil {
		return fmt.Errorf("the function failed: %s", answer.Payload)
	}
	if err := show(out, answer.Payload); err != nil {
		return err
	}
	after, err := s.mails(ctx)
	if err != nil {
		return err
	}
	if s != nil && f.Stream != nil {
		if err := showMails(out, after[min(len(before), len(after)):]); err != nil {
			return err
		}
	}
	var batch struct {
		BatchItemFailures []json.RawMessage `json:"batchItemFailures"`
	}
	if json.Unmarshal(answer.Payload, &batch) == nil && len(batch.BatchItemFailures) > 0 {
		return errors.New("the function reports that records failed: its log says why")
	}
	return nil
}

func function(name string) (manifest.Function, error) {
	all := manifest.Functions()
	i := slices.IndexFunc(all, func(f manifest.Function) bool { return f.Name == name })
	if i < 0 {
		return manifest.Function{}, fmt.Errorf("there is no function %q: call this without arguments for the list", name)
	}
	return all[i], nil
}

func endpoint(env func(string) string) *string {
	for _, name := range []string{"AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"} {
		if url := env(name); url != "" {
			return &url
		}
	}
	return nil
}

// list prints the functions, each with its samples.
func list(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "FUNCTION\tSAMPLE\tWHAT IT IS\n")
	for _, f := range manifest.Functions() {
		if f.Stream != nil {
			fmt.Fprintf(w, "%s\t(an event)\t%s\n", f.Name, f.Does)
			continue
		}
		for _, s := range samplesOf(f) {
			fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, s.name, s.what())
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var names []string
	for _, t := range events.Types() {
		names = append(names, string(t))
	}
	_, err := fmt.Fprintf(out, "\nEvents: %s\n", strings.Join(names, " "))
	return err
}

// show prints an answer: of an HTTP response the status and the body, of anything else its JSON.
func show(out io.Writer, payload []byte) error {
	var response struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	}
	text := payload
	if json.Unmarshal(payload, &response) == nil && response.StatusCode != 0 {
		if _, err := fmt.Fprintf(out, "%d %s\n", response.StatusCode, http.StatusText(response.StatusCode)); err != nil {
			return err
		}
		text = []byte(response.Body)
	}
	var indented bytes.Buffer
	if json.Indent(&indented, text, "", "  ") == nil {
		text = indented.Bytes()
	}
	if len(text) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(out, "%s\n", text)
	return err
}

func showMails(out io.Writer, mails []stack.Mail) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range mails {
		fmt.Fprintf(w, "mail to %s\t%s\n", m.To, m.Subject)
	}
	if len(mails) == 0 {
		fmt.Fprintf(w, "no mail: the event tells nobody, or what its mails would carry is not there (an invitation, an account)\n")
	}
	return w.Flush()
}

// localStack is a stack that is running; nil: there is none.
type localStack struct{ url string }

func (s *localStack) client() *lambda.Client {
	if s == nil {
		return nil
	}
	return lambda.New(lambda.Options{
		Region: "local", BaseEndpoint: aws.String(s.url + "/_local/lambda"), Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

// mails are those in the stack's mailbox, oldest first.
func (s *localStack) mails(ctx context.Context) ([]stack.Mail, error) {
	if s == nil {
		return nil, nil
	}
	a, err := ask.Send(ctx, http.DefaultClient, ask.Request{Method: http.MethodGet, URL: s.url + "/_local/mail"})
	if err != nil {
		return nil, fmt.Errorf("no local stack answers (start one with make run, or name another with URL=…): %w", err)
	}
	if a.Status != http.StatusOK {
		return nil, fmt.Errorf("%s/_local/mail answers %d %s: is that a local stack?", s.url, a.Status, http.StatusText(a.Status))
	}
	var mails []stack.Mail
	if err := a.Into(&mails); err != nil {
		return nil, fmt.Errorf("read the mailbox: %w", err)
	}
	return mails, nil
}
