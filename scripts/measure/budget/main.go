// Command budget holds the size of every function's binary against the one that is written down beside it, in sizes.json, and fails when
// one has grown by more than 15%: a cold start loads all of it. To grow on purpose, write the new sizes down with -write.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"partneraccess/scripts/local/deployed"
	"partneraccess/shared/manifest"
)

// allowance is how much a binary may grow, as a part of what is written down.
const allowance = 0.15

// sizes are those of the functions' binaries in bytes, by processor, in Go's names, and function.
type sizes map[string]map[string]int64

// processors are those that functions are deployed to: Lambda's, and LocalStack's.
func processors() []string { return []string{"arm64", "amd64"} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "budget:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("budget", flag.ContinueOnError)
	flags.SetOutput(errs)
	write := flags.Bool("write", false, "write the sizes down as they are now")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := deployed.Root()
	if err != nil {
		return err
	}
	file := filepath.Join(root, "scripts", "measure", "budget", "sizes.json")
	now, err := measure(ctx)
	if err != nil {
		return err
	}
	if *write {
		text, err := json.MarshalIndent(now, "", "  ")
		if err != nil {
			return fmt.Errorf("encode the sizes: %w", err)
		}
		return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // a file of the repository
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the sizes that are written down cannot be read; go run ./scripts/measure/budget -write writes them: %w", err)
	}
	var written sizes
	if err := json.Unmarshal(text, &written); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	table, wrong := compare(written, now)
	if _, err := io.WriteString(out, table); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s\nTo have it so on purpose: go run ./scripts/measure/budget -write, and commit scripts/measure/budget/sizes.json",
			strings.Join(wrong, "\n"))
	}
	return nil
}

// measure builds every function for each processor as it is deployed.
func measure(ctx context.Context) (_ sizes, err error) {
	dir, err := os.MkdirTemp("", "budget")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := sizes{}
	for _, p := range processors() {
		if err := deployed.Build(ctx, filepath.Join(dir, p), "linux", p); err != nil {
			return nil, err
		}
		out[p] = map[string]int64{}
		for _, f := range manifest.Functions() {
			info, err := os.Stat(filepath.Join(dir, p, f.Name, "bootstrap"))
			if err != nil {
				return nil, err
			}
			out[p][f.Name] = info.Size()
		}
	}
	return out, nil
}

// compare makes a table of what is written down and what is, and sentences of what is wrong.
func compare(written, now sizes) (table string, wrong []string) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "function\tprocessor\tbytes\twritten down\tchange\t") // into memory
	for _, p := range slices.Sorted(maps.Keys(now)) {
		for _, f := range slices.Sorted(maps.Keys(now[p])) {
			is, was := now[p][f], written[p][f]
			if was <= 0 {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t-\t-\t\n", f, p, is)
				wrong = append(wrong, fmt.Sprintf("%s for %s has no size that is written down", f, p))
				continue
			}
			change := float64(is-was) / float64(was)
			_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%+.1f%%\t\n", f, p, is, was, 100*change)
			if change > allowance {
				wrong = append(wrong,
					fmt.Sprintf("%s for %s has grown by %.1f%%, to %d bytes: %.0f%% are allowed", f, p, 100*change, is, 100*allowance))
			}
		}
	}
	_ = w.Flush() // likewise
	for _, p := range slices.Sorted(maps.Keys(written)) {
		for _, f := range slices.Sorted(maps.Keys(written[p])) {
			if _, ok := now[p][f]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s for %s is written down, and there is no such function", f, p))
			}
		}
	}
	return b.String(), wrong
}
