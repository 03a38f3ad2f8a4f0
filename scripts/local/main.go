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
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/seed"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/dynamo"
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

// run starts the stack, says so, and returns when ctx ends or a part of the stack does.
func run(ctx context.Context, args []string, env func(string) string, out, errs io.Writer) (err error) {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		_, _ = fmt.Fprint(errs, `Runs the whole of Partner Access on this machine.

  go run ./scripts/local [flags]

Environment: PORT (8080), DYNAMODB (dynoxide or dynamodb-local), AWS_ENDPOINT_URL_DYNAMODB (an engine that is
already there), IDENTITY (cognito, the default: employees' accounts at cognito-local; or none), CORS_ORIGINS (pages that
may call the API, with commas between).

`)
		flags.PrintDefaults()
	}
	dataDir := flags.String("data", "", "keep the data in this `folder` over restarts (default: in memory)")
	demo := flags.Bool("demo", true, "put demo data in")
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

	accounts := env("IDENTITY") != "none"
	if kind := env("IDENTITY"); kind != "" && kind != "cognito" && accounts {
		return fmt.Errorf("IDENTITY=%s is not understood: set it to cognito or none", kind)
	}

	c := stack.Config{
		Accounts: accounts,
		Port:     port, DataDir: *dataDir, Origins: originsOf(env("CORS_ORIGINS")),
		CreateTable: dynamo.CreateTable, Handlers: stack.Functions, Stream: true, Schedule: true,
		Log: slog.New(slog.NewTextHandler(errs, nil)),
	}
	if *verbose {
		c.EngineLog = errs
	}
	s, err := stack.Start(ctx, c)
	if err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while it was starting
		}
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()

	if *demo {
		if err := seedOnce(ctx, s); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	if err := banner(out, s, *demo); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		_, err := fmt.Fprintln(out, "stopping")
		return err
	case err := <-s.Failed():
		return err
	}
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

func originsOf(s string) []string {
	if s == "" {
		s = "http://localhost:5173,http://127.0.0.1:5173"
	}
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
	token := func(scope string) (string, error) { return s.Token(stack.TokenRequest{Scope: scope}) }
	if _, err := seed.Run(ctx, s.URL(), token); err != nil {
		return err
	}
	if mark == "" {
		return nil
	}
	return os.WriteFile(mark, []byte("The demo data is in; delete this file to have it put in again.\n"), 0o600)
}

func banner(out io.Writer, s *stack.Stack, demo bool) error {
	where := "in memory"
	switch dir := s.Engine().DataDir(); {
	case s.Engine().Kind() == engine.External:
		where = "at " + s.Engine().Endpoint()
	case dir != "":
		where = "in " + dir
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nPartner Access runs at %s (%s, data %s). Ctrl-C stops it.\n", s.URL(), s.Engine().Kind(), where)
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
An employee signs in with the password from its mail (at $BASE/_local/mailbox), which has to be replaced
  curl -s $BASE/_local/login -d '{"email":"...","password":"...","new_password":"at least twelve characters"}'
`)
		}
	}
	_, err := fmt.Fprintln(out, b.String())
	return err
}
