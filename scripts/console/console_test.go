package console_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"partneraccess/scripts/local/cognitolocal"
	"partneraccess/scripts/local/embedhost"
	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/pages"
	"partneraccess/scripts/local/seed"
	"partneraccess/scripts/local/stack"
	"partneraccess/shared/console"
	"partneraccess/shared/dynamo"
)

func TestMain(m *testing.M) { os.Exit(cognitolocal.Main(m, engine.Main)) }

// The flows stand in test/*.flow.mjs, one test each, and are run by Node in Chromium against a stack of this test's own. CONSOLE_FLOW=word
// runs those with the word in their name. make test-pages runs this, make test does without.
func TestThePagesInABrowser(t *testing.T) {
	if os.Getenv("CONSOLE_BROWSER") == "skip" {
		t.Skip("CONSOLE_BROWSER=skip is set, as by make test: make test-pages tries the pages")
	}
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	built := build(t)

	// A vendor's pages: two that may show these in a frame, and one that may not. loose serves them without the header that says so.
	host, another, stranger, loose := &late{}, &late{}, &late{}, &late{}
	vendor, second, foe, lax := httptest.NewServer(host), httptest.NewServer(another), httptest.NewServer(stranger), httptest.NewServer(loose)
	for _, server := range []*httptest.Server{vendor, second, foe, lax} {
		t.Cleanup(server.Close)
	}
	embed := []string{site(vendor.URL), site(second.URL)}

	// A page of another origin has to be known before the stack starts, and the stack's address before the page is served.
	elsewhere, hosted := &late{}, &late{}
	other, signed := httptest.NewServer(elsewhere), httptest.NewServer(hosted)
	t.Cleanup(other.Close)
	t.Cleanup(signed.Close)

	own, err := pages.New(os.DirFS(built), console.Settings{Local: true, Product: stack.Product, Embed: embed})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stack.Start(t.Context(), stack.Config{
		Engine: engine.Shared(t), Table: "console", Cognito: cognitolocal.Shared(t), Stream: true,
		Pages: own, People: seed.People(), Origins: []string{other.URL, signed.URL, lax.URL},
		CreateTable: dynamo.CreateTable, Handlers: stack.Functions,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	token := func(scope, email string) (string, error) {
		return s.Token(stack.TokenRequest{Scope: scope, Email: email})
	}
	if err := seed.Run(t.Context(), s.URL(), token); err != nil {
		t.Fatal(err)
	}
	for on, settings := range map[*late]console.Settings{
		elsewhere: {API: s.URL(), Product: stack.Product, Local: true},
		hosted: {API: s.URL(), Product: stack.Product, Login: &console.Login{
			Authorize: signed.URL + "/login/authorize", Token: signed.URL + "/login/token", ClientID: "console", Scopes: []string{"openid", "email"},
		}},
	} {
		h, err := pages.New(os.DirFS(built), settings)
		if err != nil {
			t.Fatal(err)
		}
		on.serve(h)
	}
	login := &login{stack: s, pages: hosted.handler, codes: map[string]grant{}}
	hosted.serve(login)

	as := func(email string) (string, error) { return token("", email) }
	for _, h := range []*late{host, another, stranger} {
		h.serve(embedhost.New(os.DirFS("embed"), s.URL(), as))
	}
	shown, err := pages.New(os.DirFS(built), console.Settings{API: s.URL(), Local: true, Embed: embed})
	if err != nil {
		t.Fatal(err)
	}
	loose.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { shown.ServeHTTP(unframed{w}, r) }))

	args := []string{"--test-reporter=spec"}
	if word := os.Getenv("CONSOLE_FLOW"); word != "" {
		args = append(args, "--test-name-pattern="+word)
	}
	cmd := exec.CommandContext(t.Context(), "node", append(args, "test/run.mjs")...)
	cmd.Env = append(os.Environ(), "BASE="+s.URL(), "OTHER="+other.URL, "HOSTED="+signed.URL, "CHROMIUM="+browser,
		"VENDOR="+embed[0], "SECOND="+embed[1], "STRANGER="+site(foe.URL), "LOOSE="+lax.URL, "BUILT="+built)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("flows failed, see above: %v", err)
	}
}

// chromium finds the browser: CHROMIUM, or what the machine has.
func chromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("the pages are tried in Chromium, which this machine does not have: apt-get install chromium, " +
		"or name one with CHROMIUM=path, or leave the pages out with CONSOLE_BROWSER=skip")
}

// build builds the console into a folder of the test's own.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "npm", "--prefix", "..", "run", "--silent", "build", "--", "--outDir", dir, "--emptyOutDir")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the console cannot be built: %v\n%s", err, out)
	}
	return dir
}

// site gives the address of a local server the name of another site than the stack's, which is at 127.0.0.1.
func site(address string) string { return strings.Replace(address, "127.0.0.1", "localhost", 1) }

// unframed leaves out of an answer who may show it in a frame.
type unframed struct{ http.ResponseWriter }

func (u unframed) WriteHeader(status int) {
	u.Header().Del("Content-Security-Policy")
	u.ResponseWriter.WriteHeader(status)
}

func (u unframed) Write(b []byte) (int, error) {
	u.Header().Del("Content-Security-Policy")
	return u.ResponseWriter.Write(b)
}

// late is a handler that is known only after its address.
type late struct {
	mu      sync.Mutex
	handler http.Handler
}

func (l *late) serve(h http.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handler = h
}

func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	h := l.handler
	l.mu.Unlock()
	h.ServeHTTP(w, r)
}

// login is a hosted login as an identity provider's: authorization code with PKCE. It asks nobody: whoever comes is ann@acme.example.
type login struct {
	stack *stack.Stack
	pages http.Handler

	mu    sync.Mutex
	codes map[string]grant
}

// grant is what a code was given for.
type grant struct{ challenge, redirect string }

func (l *login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login/authorize":
		l.authorize(w, r)
	case "/login/token":
		l.token(w, r)
	default:
		l.pages.ServeHTTP(w, r)
	}
}

func (l *login) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "console" || q.Get("code_challenge_method") != "S256" ||
		q.Get("scope") != "openid email" {
		http.Error(w, "not a request for a code with PKCE: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	code := "code-" + q.Get("state")
	l.mu.Lock()
	l.codes[code] = grant{challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri")}
	l.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func (l *login) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	refuse := func(why string) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": why})
	}
	code := r.PostFormValue("code")
	l.mu.Lock()
	g, ok := l.codes[code]
	delete(l.codes, code)
	l.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		refuse("not a form")
	case r.PostFormValue("grant_type") != "authorization_code" || !ok:
		refuse("no such code")
	case base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge || r.PostFormValue("redirect_uri") != g.redirect:
		refuse("the code is somebody else's")
	default:
		token, err := l.stack.Token(stack.TokenRequest{Email: "ann@acme.example"})
		if err != nil {
			refuse(err.Error())
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id_token": token, "access_token": "not.for.this", "token_type": "Bearer", "expires_in": 3600,
		})
	}
}
