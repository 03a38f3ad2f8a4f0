// Package child runs the servers of the local stack as processes that end with this one.
package child

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Process is a process that ends with this one, however that happens.
type Process struct {
	cmd     *exec.Cmd
	done    chan struct{}
	err     error // before done is closed
	stopped sync.Once
}

// Start starts the command.
func Start(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = childAttr()
	cmd.WaitDelay = 2 * time.Second
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel's parent-death signal means the thread that started the child: it must live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if p.err = cmd.Wait(); p.err != nil {
			slog.Debug("child ended", "command", cmd.Path, "error", p.err)
		}
		close(p.done)
	}()
	return p, <-started
}

// Output runs the command until it ends, and returns what it printed. When the context that it was made with ends, so does the command,
// with all that it has started: a compiler, say.
func Output(cmd *exec.Cmd) ([]byte, error) {
	cmd.SysProcAttr = groupAttr()
	cmd.Cancel = func() error { kill(cmd); return nil }
	cmd.WaitDelay = 2 * time.Second
	return cmd.CombinedOutput()
}

// Done is closed when the process has ended, wanted or not.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is what the process says of its end, once it is Done.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Kill ends the process by force, and returns when it is gone.
func (p *Process) Kill() {
	kill(p.cmd)
	<-p.done
}

// Stop ends the process and returns when it is gone: gently, and after patience by force. Stopping twice is harmless.
func (p *Process) Stop(patience time.Duration) error {
	p.stopped.Do(func() {
		terminate(p.cmd)
		select {
		case <-p.done:
		case <-time.After(patience):
			kill(p.cmd)
		}
	})
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("process %d, %s, does not end", p.cmd.Process.Pid, p.cmd.Path)
	}
}

// FreePort is a port of 127.0.0.1 that was free just now. Somebody else can take it before it is used.
func FreePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// NodeModules is scripts/node_modules of the project that the working directory belongs to.
func NodeModules() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "scripts", "node_modules"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above it: run this inside the project", wd)
		}
	}
}

// Tail keeps the last of what is written to it, for the error of a child that does not start. The zero value is ready.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

// tailSize is in bytes.
const tailSize = 2000

// Write never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if len(t.buf) > tailSize {
		t.buf = t.buf[len(t.buf)-tailSize:]
	}
	return len(p), nil
}

// String is what was kept.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := bytes.TrimSpace(t.buf); len(s) > 0 {
		return string(s)
	}
	return "(nothing)"
}
