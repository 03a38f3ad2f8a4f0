// Command preflight looks, with AWS's read-only calls, whether a deployment can succeed in the account of the credentials, and says what to
// do about what it finds. It changes nothing.
//
//	go run ./scripts/tools/preflight -c settings=my.json
//
// It ends with 1 when something has to be done first. What the credentials may not read is said, and is no reason to end so.
//
// With -deployed it prints true when the stack is there, and false when it is not, or could not be made: make deploy asks this, since only
// a stack that is there may be protected (see the setting protect).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/mail"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"

	"partneraccess/shared/manifest"
	"partneraccess/shared/settingsfile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "preflight:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	given := map[string]string{}
	flags := flag.NewFlagSet("preflight", flag.ContinueOnError)
	deployed := flags.Bool("deployed", false, "print whether the stack is there")
	flags.Func("c", "a setting, `name=value`, as the CDK takes it; settings=file names a file of them", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("give name=value")
		}
		given[name] = value
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := read(given)
	if err != nil {
		return err
	}
	account, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("read the AWS credentials: %w", err)
	}
	if account.Region == "" {
		return errors.New("no region is set: set AWS_REGION, or the region of the AWS profile")
	}
	a := newAccount(account)
	if *deployed {
		status, err := a.stack(ctx, s.stack())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, there(status))
		return err
	}
	found := a.look(ctx, s)
	todo := 0
	for _, f := range found {
		if f.kind == todoFirst {
			todo++
		}
		if _, err := fmt.Fprintf(out, "%-5s %s: %s\n", f.kind, f.about, f.say); err != nil {
			return err
		}
	}
	if todo > 0 {
		return fmt.Errorf("%d things have to be done before make deploy", todo)
	}
	return nil
}

// settings are those of a deployment, by their names in infra/README.md.
type settings map[string]string

// read reads the settings that were given, and the file of them if one is named, as the CDK app does; the app says what is wrong with them.
func read(given map[string]string) (settings, error) {
	out := settings{"stage": "dev", "createMailIdentity": "true", "checkConcurrency": "0"}
	usual := manifest.DefaultThrottles()
	for _, t := range usual.Settings() {
		out[t.Name] = fmt.Sprint(*t.Value)
	}
	if file := given["settings"]; file != "" {
		fromFile, err := settingsfile.Read(file)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, fromFile)
	}
	maps.Copy(out, given)
	return out, nil
}

func (s settings) stack() string { return "partner-access-" + s["stage"] }

// mailIdentity is what SES has to have verified: by default the domain of the sender.
func (s settings) mailIdentity() string {
	if s["mailIdentity"] != "" {
		return s["mailIdentity"]
	}
	from, err := mail.ParseAddress(s["mailFrom"])
	if err != nil {
		return ""
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	return domain
}
