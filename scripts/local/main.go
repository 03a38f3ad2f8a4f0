// Command local runs the whole of Partner Access on this machine, with demo data, until Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"partneraccess/scripts/local/embedhost"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/pages"
	"partneraccess/scripts/local/seed"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/console"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/manifest"
	"partneraccess/shared/settingsfile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "local stack:", err)
		stop()
		os.Exit(1)
	}
}

const usage = `Runs the whole of Partner Access on this machine.

  go run ./scripts/local [flags]

Environment: PORT (8080), DYNAMODB (dynoxide or dynamodb-local), AWS_ENDPOINT_URL_DYNAMODB (an engine that is
already there), AWS_ENDPOINT_URL_SESV2 (where mails go instead of the mailbox), IDENTITY (cognito, the default:
people's accounts at cognito-local; or none), CORS_ORIGINS (pages that may call the API, with commas between);
and, as a deployment has them, CATALOGUE_FILE (your actions and levels), DEFAULT_LANGUAGE and DEFAULT_ZONE (of mails), REQUIRE_SSO and
SIGN_IN_URL. EMBED_PORT serves a page at that port that shows the console's in a frame, as a vendor's own application may;
EMBED_ORIGINS are further origins whose pages may do so.

BACKEND=lambda runs the functions as programs of their own, as Lambda does, with the environment of the CDK's template; building
them takes a while. With AWS_ENDPOINT_URL_LAMBDA they are those of a Lambda that is already there, such as LocalStack's, whose
own stream and rule start them; STAGE (dev) says which deployment. MAIL_LISTEN=0.0.0.0:8025 takes their mails at that address,
since containers do not reach 127.0.0.1. The clock cannot be moved then.

`

// run starts the stack, says so, and returns when ctx ends or a part of the stack does.
func run(ctx context.Context, args []string, env func(string) string, out, errs io.Writer) (err error) {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		_, _ = fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	dataDir := flags.String("data", "", "keep the data in this `folder` over restarts (default: in memory)")
	ahead := flags.Duration("ahead", 0, "start the clock so far ahead of the real one: where it had been moved to, with kept data")
	demo := flags.Bool("demo", true, "put demo data in")
	built := flags.String("console", ".build/console",
		"serve the console that was built into this `folder` at /; without it there are no pages")
	throttle := flags.String("throttle", "",
		"refuse with 429 what API Gateway would: default, or a `file` of a deployment's settings with its own rates (default: nothing is refused)")
	verbose := flags.Bool("v", false, "print what the DynamoDB engine prints, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not understood: see --help", flags.Arg(0))
	}
	port, err := portOf(env("PORT"))
	if err != nil {
		return err
	}

	accounts, err := accountsOf(env("IDENTITY"))
	if err != nil {
		return err
	}
	page, embedPort, err := consoleOf(*built, env)
	if err != nil {
		return err
	}

	level := new(slog.LevelVar) // the demo data's requests are nobody's concern
	level.Set(slog.LevelWarn)
	c := stack.Config{
		Accounts: accounts, Pages: page, Settings: settingsOf(env),
		Port: port, DataDir: *dataDir, Ahead: *ahead, SES: env("AWS_ENDPOINT_URL_SESV2"), MailListen: env("MAIL_LISTEN"),
		Origins:     originsOf(env("CORS_ORIGINS")),
		CreateTable: dynamo.CreateTable, Handlers: stack.Functions, Stream: true, Schedule: true,
		Log: slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level})),
	}
	if *demo {
		c.People, c.Prepare = seed.People(), seedOnce
	}
	if *verbose {
		c.EngineLog = errs
	}
	if c.Throttles, err = throttlesOf(*throttle); err != nil {
		return err
	}
	if env("BACKEND") == "lambda" && *ahead != 0 {
		return errors.New("the functions are programs of their own (BACKEND=lambda) and have the real clock: leave --ahead out")
	}
	b, err := backendOf(ctx, env, &c, errs)
	if err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while it was being built
		}
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	s, err := stack.Start(ctx, c)
	if err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while it was starting
		}
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()

	if err := errors.Join(serveHost(ctx, embedPort, s), banner(out, s, *demo, page != nil, embedPort, b.where)); err != nil {
		return err
	}
	level.Set(slog.LevelInfo)
	select {
	case <-ctx.Done():
		_, err := fmt.Fprintln(out, "stopping")
		return err
	case err := <-s.Failed():
		return err
	}
}

// accountsOf returns whether employees' accounts are kept, as IDENTITY says.
func accountsOf(kind string) (bool, error) {
	if kind != "" && kind != "cognito" && kind != "none" {
		return false, fmt.Errorf("IDENTITY=%s is not understood: set it to cognito or none", kind)
	}
	return kind != "none", nil
}

// throttlesOf are the throttles of the flag: nil when it is empty.
func throttlesOf(flag string) (*manifest.Throttles, error) {
	if flag == "" {
		return nil, nil //nolint:nilnil // none is what was asked for
	}
	limits := manifest.DefaultThrottles()
	if flag == "default" {
		return &limits, nil
	}
	given, err := settingsfile.Read(flag)
	if err != nil {
		return nil, err
	}
	for _, t := range limits.Settings() {
		if given[t.Name] == "" {
			continue
		}
		if *t.Value, err = strconv.ParseFloat(given[t.Name], 64); err != nil || *t.Value < 1 || *t.Value > t.Most {
			return nil, fmt.Errorf("%s is %q in %s: give a whole number from 1 to %.0f", t.Name, given[t.Name], flag, t.Most)
		}
	}
	return &limits, nil
}

// settingsOf are the functions' settings that the environment has.
func settingsOf(env func(string) string) map[string]string {
	set := map[string]string{}
	for _, name := range []string{"CATALOGUE_FILE", "DEFAULT_LANGUAGE", "DEFAULT_ZONE", "REQUIRE_SSO", "SIGN_IN_URL"} {
		if value := env(name); value != "" {
			set[name] = value
		}
	}
	return set
}

func portOf(s string) (int, error) {
	if s == "" {
		return 8080, nil
	}
	port, err := strconv.Atoi(s)
	if err != nil || port < 0 || port > 65535 {
		return 0, fmt.Errorf("PORT=%s is no port: give a number from 1 to 65535", s)
	}
	return port, nil
}

// consoleOf serves the console that stands in a folder, as one of the stack's own pages; nil where none was built. It also returns the port
// of the page that shows the console in a frame, 0 for none.
func consoleOf(dir string, env func(string) string) (_ http.Handler, embedPort int, _ error) {
	embed := listOf(env("EMBED_ORIGINS"))
	if port := env("EMBED_PORT"); port != "" {
		var err error
		if embedPort, err = strconv.Atoi(port); err != nil || embedPort < 1 || embedPort > 65535 {
			return nil, 0, fmt.Errorf("EMBED_PORT=%s is no port: give a number from 1 to 65535", port)
		}
		embed = append(embed, hostOrigin(embedPort))
	}
	if _, err := os.Stat(filepath.Join(dir, "index.html")); errors.Is(err, fs.ErrNotExist) {
		return nil, embedPort, nil
	}
	h, err := pages.New(os.DirFS(dir), console.Settings{Local: true, Product: stack.Product, Embed: embed})
	if err != nil {
		return nil, 0, err // and no handler that is not nil
	}
	return h, embedPort, nil
}

// hostOrigin is another site than the console's at 127.0.0.1, as a vendor's application is.
func hostOrigin(port int) string { return "http://localhost:" + strconv.Itoa(port) }

// serveHost serves the page that shows the console in a frame until ctx ends; port 0 is none.
func serveHost(ctx context.Context, port int, s *stack.Stack) error {
	if port == 0 {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "localhost:"+strconv.Itoa(port))
	if err != nil {
		return fmt.Errorf("EMBED_PORT=%d: %w", port, err)
	}
	token := func(email string) (string, error) { return s.Token(stack.TokenRequest{Email: email}) }
	server := &http.Server{Handler: embedhost.New(os.DirFS("scripts/console/embed"), s.URL(), token), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // until it is closed
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return nil
}

func originsOf(s string) []string {
	if s == "" {
		s = "http://localhost:5173,http://127.0.0.1:5173"
	}
	return listOf(s)
}

func listOf(s string) []string {
	var out []string
	for o := range strings.SplitSeq(s, ",") {
		if o = strings.TrimRight(strings.TrimSpace(o), "/"); o != "" {
			out = append(out, o)
		}
	}
	return out
}

// seedOnce puts the demo data in, unless the kept data had it before: what somebody changed since stays changed.
func seedOnce(ctx context.Context, s *stack.Stack) error {
	mark := ""
	if dir := s.Engine().DataDir(); dir != "" {
		mark = filepath.Join(dir, "seeded")
		if _, err := os.Stat(mark); err == nil {
			return nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	token := func(scope, email string) (string, error) {
		return s.Token(stack.TokenRequest{Scope: scope, Email: email})
	}
	if err := seed.Run(ctx, s.URL(), token); err != nil {
		return err
	}
	if err := seed.States(ctx, s.URL(), token, s.Clock.Now()); err != nil {
		return err
	}
	if mark == "" {
		return nil
	}
	return os.WriteFile(mark, []byte("The demo data is in; delete this file to have it put in again.\n"), 0o600)
}

func banner(out io.Writer, s *stack.Stack, demo, page bool, embedded int, functions string) error {
	where := "in memory"
	switch dir := s.Engine().DataDir(); {
	case s.Engine().Kind() == engine.External:
		where = "at " + s.Engine().Endpoint()
	case dir != "":
		where = "in " + dir
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nPartner Access runs at %s (%s, data %s). Ctrl-C stops it.\n", s.URL(), s.Engine().Kind(), where)
	if page {
		fmt.Fprint(&b, "The console is there, too: open the address in a browser.\n")
	}
	fmt.Fprintf(&b, "The API's reference is at %s/docs, its contract at /openapi.yaml and /openapi.json, a guide for "+
		"language models at /llms.txt.\n", s.URL())
	if embedded != 0 {
		fmt.Fprintf(&b, "A page that shows the console in a frame is at %s.\n", hostOrigin(embedded))
	}
	if functions != "" {
		fmt.Fprintf(&b, "The functions are %s; the clock is the real one.\n", functions)
	}
	if demo {
		fmt.Fprint(&b, "\nDemo people\n")
		table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		for _, p := range seed.People() {
			fmt.Fprintf(table, "  %s\t%s\t%s of %s\n", p.Email, p.Name, p.Role, p.Of)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(&b, `
A first request, as Ann; paste it into another terminal
  BASE=%s
  TOKEN=$(curl -s $BASE/_local/token -d '{"email":"ann@acme.example"}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -s $BASE/v1/me -H "Authorization: Bearer $TOKEN"
`, s.URL())
		if api, _ := s.DirectAccounts(); api != nil {
			fmt.Fprint(&b, `
People sign in with the password from their mail (at $BASE/_local/mailbox), which has to be replaced
  curl -s $BASE/_local/login -d '{"email":"...","password":"...","new_password":"at least twelve characters"}'
`)
		}
	}
	_, err := fmt.Fprintln(out, b.String())
	return err
}
