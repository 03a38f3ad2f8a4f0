package spec_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/httpapi"
)

// The README's functions for a back end, as they stand there, in a program that asks with them.
func TestTheReadmesCheckAllowsOnlyAClearYes(t *testing.T) {
	t.Parallel()
	w, kim, sam := acme(t)
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	check := w.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck})
	for about, program := range map[string]func() *exec.Cmd{
		"in Go": func() *exec.Cmd {
			file := filepath.Join(t.TempDir(), "main.go")
			write(t, file, `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

var base = os.Args[1]

func main() {
	for _, q := range os.Args[3:] {
		part := strings.Split(q, "|")
		fmt.Println(allowed(context.Background(), os.Args[2], part[0], part[1], part[2]))
	}
}

`+snippet(t, "go"))
			return exec.CommandContext(t.Context(), "go", "run", file) //nolint:gosec // the README's own
		},
		"in Node": func() *exec.Cmd {
			file := filepath.Join(t.TempDir(), "main.mjs")
			write(t, file, `const [BASE, token, ...questions] = process.argv.slice(2);
`+snippet(t, "js")+`
for (const q of questions) console.log(await allowed(token, ...q.split('|')));
`)
			return exec.CommandContext(t.Context(), "node", file) //nolint:gosec // the README's own
		},
	} {
		t.Run(about, func(t *testing.T) {
			ask := func(base, token string, questions ...string) string {
				cmd := program()
				cmd.Args = append(append(cmd.Args, base, token), questions...)
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				return strings.Join(strings.Fields(string(out)), " ")
			}
			if got := ask(w.Stack.URL(), check, kim+"|sign_in|acme", kim+"|reports:read|acme", sam+"|sign_in|acme",
				`"|sign_in|acme`); got != "true false false false" {
				t.Errorf("got %s, want yes for the first alone", got)
			}
			if got := ask(w.Stack.URL(), "no token", kim+"|sign_in|acme"); got != "false" {
				t.Errorf("without a token: got %s, want no", got)
			}
			if got := ask("http://127.0.0.1:1", check, kim+"|sign_in|acme"); got != "false" {
				t.Errorf("without an answer: got %s, want no", got)
			}
		})
	}
}

// snippet is the README's first block in a language.
func snippet(t *testing.T, language string) string {
	t.Helper()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "```"+language+"\n")
	code, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatalf("the README has no block in %s", language)
	}
	return code
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
