package lambdahost_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	function "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"partneraccess/scripts/local/lambdahost"
)

// TestMain is also the function that the tests run: the test's own binary, told so by its environment.
func TestMain(m *testing.M) {
	switch os.Getenv("BE") {
	case "function":
		function.Start(handle)
	case "tidy":
		function.StartWithOptions(handle, function.WithEnableSIGTERM(func() {
			println("the last word")
			os.Exit(0)
		}))
	case "dead":
		println("no settings")
		os.Exit(1)
	case "mute":
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// told is what the function saw.
type told struct {
	PID      int               `json:"pid"`
	ID       string            `json:"id"`
	ARN      string            `json:"arn"`
	Left     time.Duration     `json:"left"`
	Trace    string            `json:"trace"`
	Env      map[string]string `json:"env"`
	Received json.RawMessage   `json:"received"`
}

func handle(ctx context.Context, event json.RawMessage) (*told, error) {
	var in struct{ Do string }
	if err := json.Unmarshal(event, &in); err != nil {
		return nil, err
	}
	switch in.Do {
	case "fail":
		return nil, errors.New("it did not work")
	case "panic":
		panic("out of my mind")
	case "exit":
		println("good bye")
		os.Exit(3)
	case "sleep":
		println("asleep")
		time.Sleep(time.Hour)
	case "wait":
		time.Sleep(time.Second)
	case "large":
		return &told{Trace: strings.Repeat("x", 7<<20)}, nil
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	out := &told{
		PID: os.Getpid(), ID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Left: time.Until(deadline), Env: map[string]string{},
		Received: event,
	}
	out.Trace, _ = ctx.Value("x-amzn-trace-id").(string)
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		out.Env[name] = value
	}
	return out, nil
}

// host has the function f, which the test's binary is, with a client of Lambda's.
func host(t *testing.T, be string, timeout time.Duration, o lambdahost.Options) (*lambdahost.Host, *lambda.Client) {
	t.Helper()
	h, err := lambdahost.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h.Deploy(
		lambdahost.Function{Name: "f", Binary: binary, Env: map[string]string{"BE": be, "AWS_REGION": "mars-1"}, Timeout: timeout, Memory: 128})
	return h, lambda.New(lambda.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(h.URL()), Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

func invoke(t *testing.T, c *lambda.Client, event string) (*lambda.InvokeOutput, told) {
	t.Helper()
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(event)})
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	var seen told
	if out.FunctionError == nil {
		if err := json.Unmarshal(out.Payload, &seen); err != nil {
			t.Fatalf("%s: got %s: %v", event, out.Payload, err)
		}
	}
	return out, seen
}

func TestAFunctionIsToldWhatLambdaTellsIt(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	_, c := host(t, "function", 20*time.Second, lambdahost.Options{})
	_, got := invoke(t, c, `{"do":"tell","n":1}`)
	if string(got.Received) != `{"do":"tell","n":1}` || len(got.ID) != 36 || !strings.HasPrefix(got.Trace, "Root=1-") ||
		got.ARN != "arn:aws:lambda:eu-central-1:000000000000:function:f" || got.Left <= 10*time.Second || got.Left > 20*time.Second {
		t.Errorf("got %+v", got)
	}
	for name, want := range map[string]string{
		"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_REGION": "mars-1", "AWS_ACCESS_KEY_ID": "local",
		"_HANDLER": "bootstrap", "BE": "function", "SECRET_OF_THE_HOST": "", "HOME": "",
	} {
		if got.Env[name] != want {
			t.Errorf("%s: got %q, want %q", name, got.Env[name], want)
		}
	}
	if _, again := invoke(t, c, `{}`); again.PID != got.PID || again.ID == got.ID {
		t.Errorf("the second invocation: got the process %d and the id %s, want the same process and another id", again.PID, again.ID)
	}
}

func TestWhatAFunctionDoesWrongIsToldAsLambdaTellsIt(t *testing.T) {
	t.Parallel()
	const patience = 20 * time.Second // seven megabytes take a while on a machine that has much else to do
	_, unhurried := host(t, "function", patience, lambdahost.Options{})
	_, hurried := host(t, "function", time.Second, lambdahost.Options{})
	last := unhurried
	_, before := invoke(t, last, `{}`)
	for _, step := range []struct {
		c                    *lambda.Client
		event, kind, message string
		same                 bool // process afterwards
	}{
		{unhurried, `{"do":"fail"}`, "errorString", "it did not work", true},
		{unhurried, `{"do":"large"}`, "Function.ResponseSizeTooLarge", "maximum allowed payload size", false},
		{unhurried, `{"do":"panic"}`, "string", "out of my mind", false},
		{unhurried, `{"do":"exit"}`, "Runtime.ExitError", "good bye", false},
		{hurried, `{"do":"sleep"}`, "Sandbox.Timedout", "Task timed out after 1.00 seconds", false},
	} {
		if step.c != last {
			last = step.c
			_, before = invoke(t, last, `{}`)
		}
		out, _ := invoke(t, last, step.event)
		var failure struct{ ErrorType, ErrorMessage string }
		if err := json.Unmarshal(out.Payload, &failure); err != nil {
			t.Fatal(err)
		}
		if aws.ToString(out.FunctionError) != "Unhandled" || out.StatusCode != 200 || failure.ErrorType != step.kind ||
			!strings.Contains(failure.ErrorMessage, step.message) {
			t.Errorf("%s: got %d, %q, %s, want %s: %s", step.event, out.StatusCode, aws.ToString(out.FunctionError), out.Payload, step.kind,
				step.message)
		}
		_, after := invoke(t, last, `{}`)
		if (after.PID == before.PID) != step.same {
			t.Errorf("%s: the process before it was %d, after it %d: want the same: %v", step.event, before.PID, after.PID, step.same)
		}
		if !step.same && alive(before.PID) {
			t.Errorf("%s: the process %d lives on", step.event, before.PID)
		}
		before = after
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestWhatIsNoFunctionIsRefusedAsLambdaDoes(t *testing.T) {
	t.Parallel()
	h, c := host(t, "dead", time.Second, lambdahost.Options{})
	out, _ := invoke(t, c, `{}`)
	if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), "Runtime.ExitError") ||
		!strings.Contains(string(out.Payload), "no settings") {
		t.Errorf("a function that cannot start: got %q, %s", aws.ToString(out.FunctionError), out.Payload)
	}
	if _, err := h.Init("f"); err == nil || !strings.Contains(err.Error(), "no settings") {
		t.Errorf("its start: got %v, want what it printed", err)
	}
	h.Deploy(lambdahost.Function{Name: "f", Binary: "/nowhere/bootstrap", Timeout: time.Second})
	if out, _ := invoke(t, c, `{}`); !strings.Contains(string(out.Payload), "Runtime.InvalidEntrypoint") {
		t.Errorf("no program: got %s", out.Payload)
	}

	var unknown *types.ResourceNotFoundException
	if _, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("g")}); !errors.As(err, &unknown) {
		t.Errorf("no such function: got %v", err)
	}
	var bad *types.InvalidRequestContentException
	if _, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{`)}); !errors.As(err, &bad) {
		t.Errorf("no JSON: got %v", err)
	}
	var parameter *types.InvalidParameterValueException
	if _, err := c.Invoke(t.Context(),
		&lambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun}); !errors.As(err, &parameter) {
		t.Errorf("an invocation of another type: got %v", err)
	}
	var large *types.RequestTooLargeException
	event := `"` + strings.Repeat("x", 6<<20) + `"`
	if _, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(event)}); !errors.As(err, &large) {
		t.Errorf("too much: got %v", err)
	}
}

func TestOneProcessDoesOneThingAtATimeAndTooManyAreThrottled(t *testing.T) {
	t.Parallel()
	_, c := host(t, "function", 20*time.Second, lambdahost.Options{Concurrency: 2})
	var mu sync.Mutex
	processes, throttled := map[int]bool{}, 0
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			out, err := c.Invoke(t.Context(),
				&lambda.InvokeInput{FunctionName: aws.String("arn:aws:lambda:eu-central-1:000000000000:function:f"), Payload: []byte(`{"do":"wait"}`)})
			mu.Lock()
			defer mu.Unlock()
			if many := (*types.TooManyRequestsException)(nil); errors.As(err, &many) {
				throttled++
				return
			}
			var seen told
			if err == nil {
				err = json.Unmarshal(out.Payload, &seen)
			}
			if err != nil {
				t.Error(err)
				return
			}
			processes[seen.PID] = true
		})
	}
	wg.Wait()
	if len(processes) != 2 || throttled != 3 {
		t.Errorf("five at once: got %d processes and %d refusals, want 2 and 3", len(processes), throttled)
	}
}

func TestNoProcessIsLeftBehind(t *testing.T) {
	t.Parallel()
	asleep := make(chan bool, 1)
	h, c := host(t, "function", time.Minute, lambdahost.Options{Output: func(_, line string) {
		if line == "asleep" {
			asleep <- true
		}
	}})
	_, idle := invoke(t, c, `{}`)
	h.Drop("f")
	if alive(idle.PID) {
		t.Errorf("dropped: the process %d lives on", idle.PID)
	}
	_, idle = invoke(t, c, `{}`)
	busy := make(chan lambdahost.Result)
	go func() {
		r, err := h.Invoke(t.Context(), "f", []byte(`{"do":"sleep"}`))
		if err != nil {
			t.Error(err)
		}
		busy <- r
	}()
	<-asleep
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if r := <-busy; r.FunctionError != "Unhandled" {
		t.Errorf("what was under way: got %+v, want a failure", r)
	}
	if alive(idle.PID) {
		t.Errorf("the process %d lives on", idle.PID)
	}
	if _, err := h.Invoke(t.Context(), "f", []byte(`{}`)); err == nil {
		t.Error("after the end: got an answer, want an error")
	}
}

func TestTheOutputAndTheStartOfAProcess(t *testing.T) {
	t.Parallel()
	said := make(chan string, 10)
	h, c := host(t, "function", time.Second, lambdahost.Options{Output: func(function, line string) { said <- function + ": " + line }})
	took, err := h.Init("f")
	if err != nil || took <= 0 || took > 10*time.Second {
		t.Errorf("got %s (%v), want how long the start took", took, err)
	}
	invoke(t, c, `{"do":"exit"}`)
	if got := <-said; got != "f: good bye" {
		t.Errorf("got %q", got)
	}
}

func TestAProcessThatAsksForItSaysALastWord(t *testing.T) {
	t.Parallel()
	said := make(chan string, 10)
	h, c := host(t, "tidy", time.Minute, lambdahost.Options{Output: func(_, line string) { said <- line }})
	invoke(t, c, `{}`)
	h.Drop("f")
	select {
	case got := <-said:
		if got != "the last word" {
			t.Errorf("got %q, want the last word", got)
		}
	default:
		t.Error("it has ended without the last word")
	}
}
