package main

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"partneraccess/events"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/seed"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/manifest"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// start is a stack with all functions and the demo data, as make run has it, but for the stream: nothing else sends mails.
func start(t *testing.T) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Config{
		Engine: engine.Shared(t), Table: "invoke-" + rand.Text(), CreateTable: dynamo.CreateTable, Handlers: stack.Functions,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := seed.Run(t.Context(), s.URL(),
		func(scope, email string) (string, error) {
			return s.Token(stack.TokenRequest{Scope: scope, Email: email})
		}); err != nil {
		t.Fatal(err)
	}
	return s
}

// invoke is what the command prints on the stack.
func invoke(t *testing.T, s *stack.Stack, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), append([]string{"-url", s.URL() + "/"}, args...), nil, &out, io.Discard)
	return out.String(), err
}

func TestEveryFunctionHasASampleThatItTakes(t *testing.T) {
	s := start(t)
	for _, f := range manifest.Functions() { // in the order in which each finds what it is about: grant, edit, revoke
		samples := samplesOf(f)
		if f.Stream != nil {
			samples = []sample{{name: string(events.GrantCreated)}}
		}
		if len(samples) == 0 {
			t.Errorf("%s: got no sample, want one at least", f.Name)
		}
		for _, sample := range samples {
			got, err := invoke(t, s, f.Name, sample.name)
			if err != nil {
				t.Errorf("%s %s: got %v and %s, want an answer", f.Name, sample.name, err, got)
			}
			if ok := regexp.MustCompile(`^20\d `).MatchString(got); len(f.Routes) > 0 && !ok && sample.name != "relinquish" { // revoked before
				t.Errorf("%s %s: got %s, want a success", f.Name, sample.name, got)
			}
		}
	}
	if got, err := invoke(t, s, "check"); err != nil || !strings.Contains(got, "200 OK") || !strings.Contains(got, `"reason": "ended"`) {
		t.Errorf("check, its only sample: got %v and %s, want that kim's grant has ended", err, got)
	}
}

func TestEveryEventIsPassedToNotifyAndItsMailsAreShown(t *testing.T) {
	s := start(t)
	for _, kind := range events.Types() {
		if got, err := invoke(t, s, "notify", string(kind)); err != nil {
			t.Errorf("%s: got %v and %s, want it handled", kind, err, got)
		}
	}
	for range 2 { // each time an event of its own
		got, err := invoke(t, s, "notify", "grant.created")
		if err != nil || !strings.Contains(got, "mail to it@acme.example ") || strings.Count(got, "mail to ") < 2 ||
			strings.Contains(got, "revoked") {
			t.Errorf("grant.created: got %v and %s, want its mails and no others", err, got)
		}
	}
	if got, err := invoke(t, s, "notify", "invitation.created"); err != nil || !strings.Contains(got, "no mail: ") {
		t.Errorf("an invitation that there is not: got %v and %s, want no mail", err, got)
	}
}

func TestAFileIsPassedAsItIsUnlessItIsAnEvent(t *testing.T) {
	s := start(t)
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "payload.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sample, err := events.Sample(events.GrantRevoked)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := invoke(t, s, "notify", file(string(sample))); err != nil || !strings.Contains(got, "mail to ") {
		t.Errorf("an event: got %v and %s, want its mails", err, got)
	}
	poison := lambdaevents.DynamoDBEvent{Records: []lambdaevents.DynamoDBEventRecord{{
		EventName: "INSERT",
		Change: lambdaevents.DynamoDBStreamRecord{
			SequenceNumber: "7", NewImage: map[string]lambdaevents.DynamoDBAttributeValue{
				"sk": lambdaevents.NewStringAttribute("T#1"), "event": lambdaevents.NewStringAttribute("{"),
			},
		},
	}}}
	batch, err := json.Marshal(poison)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := invoke(t, s, "notify", file(string(batch))); err == nil || !strings.Contains(err.Error(), "records failed") ||
		!strings.Contains(got, `"itemIdentifier": "7"`) {
		t.Errorf("a batch that fails: got %v and %s, want an error and the record's number", err, got)
	}
	if _, err := invoke(t, s, "check", file(`{"no":"request"}`)); err == nil || !strings.Contains(err.Error(), "the function failed") {
		t.Errorf("what is no request: got %v, want that the function failed", err)
	}
	if _, err := invoke(t, s, "check", file(`{`)); err == nil || !strings.Contains(err.Error(), "no JSON") {
		t.Errorf("what is no JSON: got %v, want an error that says so", err)
	}
}

func TestADeployedFunctionIsCalledByItsName(t *testing.T) {
	s := start(t)
	env := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
		"AWS_ENDPOINT_URL_LAMBDA": s.URL() + "/_local/lambda",
	}
	getenv := func(name string) string { return env[name] }
	var out strings.Builder
	err := run(t.Context(),
		[]string{"-as", "arn:aws:lambda:eu-central-1:000000000000:function:list", "-url", "http://127.0.0.1:1", "list", "grants"}, getenv, &out,
		io.Discard)
	if err != nil || !strings.Contains(out.String(), `"items"`) {
		t.Errorf("got %v and %s, want what ann may see", err, out.String())
	}
	if err := run(t.Context(), []string{"-as", "missing", "list", "grants"}, getenv, io.Discard, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "missing") {
		t.Errorf("a name that there is not: got %v, want an error that names it", err)
	}
	env = nil
	if err := run(t.Context(), []string{"-as", "list", "list", "grants"}, getenv, io.Discard, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("without a region: got %v, want an error that names it", err)
	}
}

func TestTheCommandSaysWhatThereIs(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), nil, nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest.Functions() {
		if !regexp.MustCompile(`(?m)^` + f.Name + ` +\S`).MatchString(out.String()) {
			t.Errorf("got a list without %s: %s", f.Name, out.String())
		}
	}
	for _, kind := range events.Types() {
		if !strings.Contains(out.String(), " "+string(kind)) {
			t.Errorf("got a list without the event %s", kind)
		}
	}
	for want, args := range map[string][]string{
		`no function "nothing"`: {"nothing"}, "which event": {"notify"}, "neither a sample": {"check", "nothing"},
		"see --help": {"check", "a", "b"},
		"make run":   {"-url", "http://127.0.0.1:1", "check"},
	} {
		if err := run(t.Context(), args, nil, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want an error with %q", args, err, want)
		}
	}
}
