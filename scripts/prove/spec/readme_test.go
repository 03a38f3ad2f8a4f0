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
	w.Customer("globex")
	w.Grant("acme", m{"partner": "contoso", "users": []string{kim}, "level": "support"}).Want(201)
	w.Grant("globex", m{"partner": "contoso", "users": []string{kim}, "level": "view"}).Want(201)
	check := w.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck})
	for about, program := range map[string]func() *exec.Cmd{
		"in Go": func() *exec.Cmd { return inAModuleOfItsOwn(t, guarded(snippet(t, "go"))) },
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
			if got := ask(w.Stack.URL(), check, kim+"|reports:read|acme", kim+"|reports:read|globex", sam+"|reports:read|acme",
				`"|reports:read|acme`); got != "true false false false" {
				t.Errorf("got %s, want yes for the first alone", got)
			}
			if got := ask(w.Stack.URL(), "no token", kim+"|reports:read|acme"); got != "false" {
				t.Errorf("without a token: got %s, want no", got)
			}
			if got := ask("http://127.0.0.1:1", check, kim+"|reports:read|acme"); got != "false" {
				t.Errorf("without an answer: got %s, want no", got)
			}
		})
	}
}

// guarded is a program that has those lines guard a page, asks for it as each of the questions, and prints who was served.
func guarded(lines string) string {
	return `package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"partneraccess/shared/client"
)

func signedIn(r *http.Request) (string, error) {
	if user := r.Header.Get("User"); user != "" {
		return user, nil
	}
	return "", errors.New("nobody is signed in")
}

func main() {
	api, token, id, secret := os.Args[1], os.Args[2], "back-end", "secret"
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, ` + "`" + `{"access_token":%q,"expires_in":3600}` + "`" + `, token)
	}))
	tokenURL := tokens.URL
	reports := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
` + lines + `
	for _, q := range os.Args[3:] {
		part := strings.Split(q, "|")
		r, w := httptest.NewRequest("GET", "/customers/"+part[2]+"/reports", nil), httptest.NewRecorder()
		r.Header.Set("User", part[0])
		http.DefaultServeMux.ServeHTTP(w, r)
		fmt.Println(w.Code == 200)
	}
}
`
}

// inAModuleOfItsOwn runs a program as that of a module elsewhere, which takes this one in the place of a fork's.
func inAModuleOfItsOwn(t *testing.T, program string) *exec.Cmd {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), program)
	for _, args := range [][]string{
		{"mod", "init", "example.com/product"},
		{"mod", "edit", "-require=partneraccess@v0.1.0", "-replace=partneraccess=" + root},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	return cmd
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
