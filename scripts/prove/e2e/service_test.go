package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/child"
	"partneraccess/scripts/local/deployed"
)

// service is a Partner Access that runs, with the endpoints of the local stack under /_local/.
type service struct {
	t   *testing.T
	url string
}

// answer is what the service answered.
type answer struct {
	ask.Answer
	t    *testing.T
	what string
}

func (s service) do(method, path, token string, body any, header ...string) answer {
	s.t.Helper()
	r := ask.Request{Method: method, URL: s.url + path, Token: token, Body: body, Header: map[string]string{}}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header[header[i]] = header[i+1]
	}
	a, err := ask.Send(s.t.Context(), http.DefaultClient, r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{a, s.t, method + " " + path}
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s: got %d %s, want %d", a.what, a.Status, a.Body, status)
	}
	return a
}

// text is the value at a path of the body such as "context.reason", as text.
func (a answer) text(path string) string {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(a.Body, &v); err != nil {
		a.t.Fatalf("%s: got %d %s, which is no JSON: %v", a.what, a.Status, a.Body, err)
	}
	for step := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[step]
	}
	return fmt.Sprint(v)
}

// person is a token for the person with that address, and system one for a system of the provider's.
func (s service) person(email string) string {
	s.t.Helper()
	return s.do("POST", "/_local/token", "", m{"email": email}).want(200).text("token")
}

func (s service) system(scope string) string {
	s.t.Helper()
	return s.do("POST", "/_local/token", "", m{"scope": scope}).want(200).text("token")
}

type m map[string]any

type mail struct{ ID, To, Subject, Text, Event string }

// mailed waits for the mail of that event to that address.
func (s service) mailed(to, event string) mail {
	s.t.Helper()
	var got mail
	s.eventually("a mail to "+to+" of "+event, func() bool {
		var all []mail
		if err := json.Unmarshal(s.do("GET", "/_local/mail", "", nil).want(200).Body, &all); err != nil {
			s.t.Fatal(err)
		}
		for _, one := range all {
			if one.To == to && one.Event == event {
				got = one
				return true
			}
		}
		return false
	})
	return got
}

// eventually waits for what happens by itself: in LocalStack an idle stream is looked at every second or more.
func (s service) eventually(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: it has not come within 30 s", what)
		}
	}
}

// program is the local stack's program, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "local")
	build := exec.Command("go", "build", "-o", binary, "partneraccess/scripts/local") //nolint:gosec // of the project's own package
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the local stack: %w: %s", err, said)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binary, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

// start starts the local stack's program, as make run does, with more of an environment, and stops it when the test ends: then no process
// may be left.
func start(t *testing.T, more ...string) service {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	root, err := deployed.Root()
	if err != nil {
		t.Fatal(err)
	}
	port, err := child.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	printed := &bytes.Buffer{}
	cmd := exec.Command(binary, "-console", t.TempDir()) //nolint:gosec // until it is stopped
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, printed, printed
	cmd.Env = append(append(os.Environ(), "PORT="+strconv.Itoa(port)), more...)
	p, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	s := service{t, "http://127.0.0.1:" + strconv.Itoa(port)}
	t.Cleanup(func() {
		s.stop(p, cmd)
		if t.Failed() {
			t.Logf("the local stack printed:\n%s", printed) // it has ended: nobody writes any more
		}
	})
	const patience = 8 * time.Minute // on a machine that has much else to do, with nothing built before
	for end := time.Now().Add(patience); !s.up(); time.Sleep(200 * time.Millisecond) {
		select {
		case <-p.Done():
			t.Fatal("the local stack has ended")
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("the local stack does not answer within %s", patience)
		}
	}
	return s
}

func (s service) up() bool {
	a, err := ask.Send(s.t.Context(), http.DefaultClient, ask.Request{Method: http.MethodGet, URL: s.url + "/_local/health"})
	return err == nil && a.Status == http.StatusOK
}

// stop is Ctrl-C, after which nothing may be left.
func (s service) stop(p *child.Process, cmd *exec.Cmd) {
	s.t.Helper()
	before := descendants(s.t, cmd.Process.Pid)
	_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
	select {
	case <-p.Done():
	case <-time.After(20 * time.Second):
		s.t.Error("Ctrl-C: the local stack has not ended within 20 s")
		_ = p.Stop(time.Second)
		return
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("Ctrl-C: the local stack ended with %d, want 0", code)
	}
	for pid, name := range before {
		if syscall.Kill(pid, 0) == nil {
			s.t.Errorf("Ctrl-C: %s (%d) is left behind", name, pid)
		}
	}
}

// descendants are the processes that a process has started, and those that they have; none where there is no ps.
func descendants(t *testing.T, root int) map[int]string {
	t.Helper()
	out := map[int]string{}
	listed, err := exec.CommandContext(context.WithoutCancel(t.Context()), "ps", "-A", "-o", "pid=,ppid=,comm=").Output()
	if err != nil {
		t.Logf("whether processes are left behind is not looked at: ps: %v", err)
		return out
	}
	for changed := true; changed; {
		changed = false
		for line := range strings.Lines(string(listed)) {
			f := strings.Fields(line)
			if len(f) < 3 {
				continue
			}
			pid, _ := strconv.Atoi(f[0])
			parent, _ := strconv.Atoi(f[1])
			if _, ours := out[parent]; (ours || parent == root) && out[pid] == "" {
				out[pid], changed = f[2], true
			}
		}
	}
	return out
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := child.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}
