package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"partneraccess/scripts/local/child"
	"partneraccess/scripts/local/processes"
)

// process is the running stack.
type process struct {
	cmd     *exec.Cmd
	printed *child.Tail
	ended   chan struct{}
	err     error // of ended
}

// start starts the stack on the data, with its clock so far ahead, and returns when it answers.
func (w *world) start(ctx context.Context) (*process, error) {
	p := &process{printed: &child.Tail{}, ended: make(chan struct{})}
	p.cmd = exec.Command(w.Binary, "--demo=false", "--data", w.Data, "--ahead", w.ahead.String()) //nolint:noctx,gosec // it is ended by signals; the program is the caller's
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_ENDPOINT_URL") && !strings.HasPrefix(v, "BACKEND=") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, "PORT="+strconv.Itoa(w.port), "AWS_ENDPOINT_URL_SESV2="+w.inbox.url)
	p.cmd.Stdout, p.cmd.Stderr = p.printed, p.printed
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what is killed is this group alone
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the stack: %w", err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.ended) }()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if a, err := w.send(ctx, "", http.MethodGet, "/_local/health", nil, ""); err == nil && a.Status == http.StatusOK {
			return p, nil
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("the stack ended at once: %w: %s", p.err, p.printed)
		case <-ctx.Done():
			p.end()
			return nil, fmt.Errorf("the stack does not answer: %s", p.printed)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop ends it the gentle way.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the stack: %w", err)
	}
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("the stack ended badly: %w: %s", p.err, p.printed)
		}
		return nil
	case <-time.After(20 * time.Second):
		p.end()
		return errors.New("the stack did not stop within 20 s")
	}
}

// end kills it without further ado, when something else has failed.
func (p *process) end() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// kill ends the stack's processes with SIGKILL, in a random order and up to some milliseconds apart, and says in which.
func (p *process) kill(r *rand.Rand) (string, error) {
	victims, err := processes.Family(p.cmd.Process.Pid)
	if err != nil {
		return "", err
	}
	if len(victims) < 2 {
		return "", errors.New("the stack's engine is not found under /proc: this needs Linux")
	}
	slices.SortFunc(victims, func(a, b processes.Process) int { return cmp.Compare(a.ID, b.ID) }) // so that a seed repeats
	r.Shuffle(len(victims), func(i, j int) { victims[i], victims[j] = victims[j], victims[i] })
	var names []string
	for i, v := range victims {
		if i > 0 && r.IntN(2) == 0 {
			time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
		}
		if err := syscall.Kill(-v.ID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) { // each is a group of its own; one may have died with its parent
			return "", fmt.Errorf("kill %s: %w", v.Name, err)
		}
		names = append(names, v.Name)
	}
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		return "", errors.New("the stack survives SIGKILL")
	}
	for _, v := range victims { // the engine's file is free when its process is gone
		for end := time.Now().Add(10 * time.Second); syscall.Kill(v.ID, 0) == nil && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}
	return strings.Join(names, ", "), nil
}
