// Command features runs what shows each sentence of the reference products' documents, and prints a line for each: its tag, the result, the
// sentence and the test. It exits with 1 when one of them is not shown.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// The list of sentences, from the repository's root.
const list = "scripts/prove/spec/testdata/sentences.txt"

// sentence is one line of the list.
type sentence struct {
	tag, text string
	test      string // of scripts/prove/spec
	flow      string // in the browser: how its name begins
	otherwise string // why it is decided otherwise
}

func main() {
	failed, err := run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "features:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func run(ctx context.Context) (failed bool, err error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return false, err
	}
	sentences, err := parse(text)
	if err != nil {
		return false, err
	}
	tests, err := runTests(ctx, sentences)
	if err != nil {
		return false, err
	}
	flows, err := runFlows(ctx, sentences)
	if err != nil {
		return false, err
	}
	return report(sentences, tests, flows), nil
}

func parse(text []byte) ([]sentence, error) {
	var out []sentence
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, " | ")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s:%d: want a tag, a sentence and what shows it, separated by |", list, n)
		}
		s := sentence{tag: parts[0], text: parts[1]}
		switch kind, rest, _ := strings.Cut(parts[2], ": "); kind {
		case "page":
			s.flow = rest
		case "otherwise":
			s.otherwise = rest
		default:
			s.test = parts[2]
		}
		out = append(out, s)
	}
	return out, nil
}

// runTests runs the named tests of scripts/prove/spec, and tells which have passed.
func runTests(ctx context.Context, sentences []sentence) (map[string]bool, error) {
	var names []string
	for _, s := range sentences {
		if s.test != "" {
			names = append(names, s.test)
		}
	}
	slices.Sort(names)
	out, err := output(ctx, nil, "go", "test", "./scripts/prove/spec", "-json", "-count=1", "-run",
		"^("+strings.Join(slices.Compact(names), "|")+")$")
	if err != nil {
		return nil, err
	}
	passed := map[string]bool{}
	for line := range bytes.Lines(out) {
		var e struct{ Action, Test string }
		if json.Unmarshal(line, &e) == nil && e.Test != "" && e.Action == "pass" {
			passed[e.Test] = true
		}
	}
	return passed, nil
}

var flowLine = regexp.MustCompile(`^\s*([✔✖]) (.*?)(?: \([0-9.]+m?s\))?\s*$`)

// runFlows runs the pages' flows in the browser, and tells the names of those that have passed.
func runFlows(ctx context.Context, sentences []sentence) ([]string, error) {
	var words []string
	for _, s := range sentences {
		if s.flow != "" {
			words = append(words, "^"+regexp.QuoteMeta(s.flow))
		}
	}
	slices.Sort(words)
	out, err := output(ctx, []string{"CONSOLE_FLOW=" + strings.Join(slices.Compact(words), "|")}, "go", "test", "./scripts/console",
		"-count=1", "-v", "-run", "TestThePagesInABrowser")
	if err != nil {
		return nil, err
	}
	var passed []string
	for line := range bytes.Lines(out) {
		if m := flowLine.FindSubmatch(line); m != nil && string(m[1]) == "✔" {
			passed = append(passed, string(m[2]))
		}
	}
	return passed, nil
}

// output is what a command prints. That it fails is seen in what it prints; that it cannot be started is an error.
func output(ctx context.Context, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // Run returns it as it is
		return nil, err
	}
	return out.Bytes(), nil
}

func report(sentences []sentence, tests map[string]bool, flows []string) (failed bool) {
	shown, otherwise := 0, 0
	for _, s := range sentences {
		result, by := "FAIL", s.test
		switch {
		case s.otherwise != "":
			otherwise++
			result, by = "-", "decided otherwise: "+s.otherwise
		case s.flow != "":
			by = "page: " + s.flow
			if slices.ContainsFunc(flows, func(name string) bool { return strings.HasPrefix(name, s.flow) }) {
				result = "ok"
			}
		case tests[s.test]:
			result = "ok"
		}
		if result == "ok" {
			shown++
		}
		fmt.Printf("%-5s %-4s %s (%s)\n", s.tag, result, s.text, by)
	}
	fmt.Printf("\n%d sentences: %d shown, %d decided otherwise, %d not shown\n", len(sentences), shown, otherwise,
		len(sentences)-shown-otherwise)
	return shown+otherwise < len(sentences)
}
