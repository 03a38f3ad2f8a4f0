// Command replay does what the batches that were given up are for: it takes the dead letters of the functions notify and publish one by
// one, finds the records again, and calls the function with them. What succeeds is taken out of the queue, the rest stays for the next
// replay. What had been sent before is not sent again: receipts are kept for a year, dead letters for two weeks. A version is kept once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"partneraccess/shared/dynamo"
	"partneraccess/shared/stream/batch"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "replay:", err)
		stop()
		os.Exit(1)
	}
}

// run replays every dead letter once, and fails when one of them failed again.
func run(ctx context.Context, args []string, env func(string) string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		_, _ = fmt.Fprint(errs, `Sends the mails, or keeps the versions, of the batches that were given up.

  go run ./scripts/tools/replay -queue URL     of the dead-letter queue in AWS
  go run ./scripts/tools/replay -local URL     of the local stack, such as http://127.0.0.1:8080

In AWS the credentials come from the environment (AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN); a profile's are
put there by: eval "$(aws configure export-credentials --format env)". They need sqs:ReceiveMessage, sqs:DeleteMessage and
sqs:ChangeMessageVisibility on the queue, dynamodb:GetShardIterator and dynamodb:GetRecords on the stream, lambda:InvokeFunction, and, for
letters that are older than the stream's 24 hours, dynamodb:Query on the table and its index gsi1: the history of every partner and
customer is looked through then. Versions can be kept within those 24 hours alone.

`)
		flags.PrintDefaults()
	}
	queue := flags.String("queue", "", "the dead-letter queue's `URL`")
	local := flags.String("local", "", "the local stack's `URL`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || (*queue == "") == (*local == "") {
		return errors.New("give either -queue or -local: see --help")
	}

	var from source
	var function *lambda.Client
	if *local != "" {
		base := strings.TrimSuffix(*local, "/")
		from = &localSource{url: base + "/_local/dead-letters"}
		function = lambda.New(lambda.Options{
			Region: "local", BaseEndpoint: aws.String(base + "/_local/lambda"), Retryer: aws.NopRetryer{},
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
			}),
		})
	} else {
		db, err := dynamo.NewClient(env)
		if err != nil {
			return err
		}
		// The other clients stand on the same region and credentials, and each may have its own endpoint.
		o := db.Options()
		from = &queueSource{
			url: *queue,
			sqs: sqs.New(sqs.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: endpoint(env, "SQS")}),
			streams: dynamodbstreams.New(
				dynamodbstreams.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: endpoint(env, "DYNAMODB_STREAMS")}),
			db: dynamodb.New(o),
		}
		function = lambda.New(lambda.Options{
			// a call can take minutes
			Region: o.Region, Credentials: o.Credentials, BaseEndpoint: endpoint(env, "LAMBDA"), Retryer: aws.NopRetryer{},
		})
	}

	failed, err := replayAll(ctx, from, function, out)
	if len(failed) > 0 {
		// Those that failed are given back even when the replay was stopped.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err = errors.Join(err, giveBack(ctx, failed))
	}
	return err
}

// patience is with the queue, when letters are given back.
const patience = 30 * time.Second

// replayAll replays every dead letter once, and returns those that failed again.
func replayAll(ctx context.Context, from source, function *lambda.Client, out io.Writer) (failed []*letter, err error) {
	for done := 0; ; {
		l, err := from.next(ctx)
		if err != nil {
			return failed, err
		}
		if l == nil {
			_, err := fmt.Fprintf(out, "%d replayed, %d failed again\n", done, len(failed))
			return failed, err
		}
		if err := replay(ctx, function, l); err != nil {
			failed = append(failed, l)
			if _, err := fmt.Fprintf(out, "failed again: %s: %v\n", l.name(), err); err != nil {
				return failed, err
			}
			continue
		}
		if err := l.remove(ctx); err != nil {
			return failed, fmt.Errorf("take %s out, which is done: %w", l.name(), err)
		}
		done++
		if _, err := fmt.Fprintf(out, "replayed: %s\n", l.name()); err != nil {
			return failed, err
		}
	}
}

// giveBack has the letters that failed be there for the next replay. Its error, which there always is, says that they failed.
func giveBack(ctx context.Context, failed []*letter) error {
	for _, l := range failed {
		if err := l.giveBack(ctx); err != nil {
			return fmt.Errorf(
				"some failed again and are still in the queue, where they are not seen for up to an hour, since they could not be given back: %w", err)
		}
	}
	return errors.New("some failed again and are still in the queue: the function's log says why")
}

func endpoint(env func(string) string, service string) *string {
	for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
		if url := env(name); url != "" {
			return &url
		}
	}
	return nil
}

// source gives the dead letters one by one, each once; nil at the end.
type source interface {
	next(context.Context) (*letter, error)
}

// letter is one dead letter.
type letter struct {
	batch.DeadLetter
	records  func(context.Context) ([]lambdaevents.DynamoDBEventRecord, error)
	remove   func(context.Context) error
	giveBack func(context.Context) error // so that the next replay has it at once
}

func (l *letter) name() string {
	i := l.DDBStreamBatchInfo
	return fmt.Sprintf("%s of %s, %d records from %s on in %s", l.RequestContext.Condition, l.Timestamp.Format("2006-01-02T15:04:05Z"),
		i.BatchSize, i.StartSequenceNumber, i.ShardID)
}

// atOnce is how many records the function gets in one call: as many as Lambda gives it.
const atOnce = 10

// replay calls the function that had the letter's batch, and fails unless it handles every record.
func replay(ctx context.Context, function *lambda.Client, l *letter) error {
	records, err := l.records(ctx)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return errors.New("its records are neither in the stream nor in the table")
	}
	for part := range slices.Chunk(records, atOnce) {
		event, err := json.Marshal(lambdaevents.DynamoDBEvent{Records: part})
		if err != nil {
			return fmt.Errorf("encode the batch: %w", err)
		}
		out, err := function.Invoke(ctx, &lambda.InvokeInput{FunctionName: &l.RequestContext.FunctionARN, Payload: event})
		if err != nil {
			return fmt.Errorf("call the function: %w", err)
		}
		if out.FunctionError != nil {
			return fmt.Errorf("the function failed: %s", out.Payload)
		}
		var response lambdaevents.DynamoDBEventResponse
		if err := json.Unmarshal(out.Payload, &response); err != nil {
			return fmt.Errorf("the function's answer %s: %w", out.Payload, err)
		}
		if n := len(response.BatchItemFailures); n > 0 {
			return fmt.Errorf("%d of %d records failed", n, len(part))
		}
	}
	return nil
}
