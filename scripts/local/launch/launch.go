// Package launch runs the whole local stack as a process of its own, for what has to see it from outside: its memory, its CPU, its death.
package launch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/child"
)

// Options say how it is started.
type Options struct {
	Binary string   // of scripts/local
	Port   int      // 0 = a free one
	Args   []string // after --demo=false
	Env    []string // NAME=value; nil = what this process has. PORT is added.
}

// Stack is the stack that runs.
type Stack struct {
	URL     string
	ID      int // of its process
	process *child.Process
	printed *child.Tail
}

// How long it may take to answer, and to end.
const (
	starts = time.Minute
	ends   = 20 * time.Second
)

// Start returns when it answers.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if _, err := os.Stat(o.Binary); err != nil {
		return nil, fmt.Errorf("there is no %s: build it with `go build -o %[1]s ./scripts/local`", o.Binary)
	}
	if o.Port == 0 {
		var err error
		if o.Port, err = child.FreePort(ctx); err != nil {
			return nil, err
		}
	}
	s := &Stack{URL: "http://127.0.0.1:" + strconv.Itoa(o.Port), printed: &child.Tail{}}
	args := append([]string{"--demo=false"}, o.Args...)
	cmd := exec.Command(o.Binary, args...) //nolint:gosec,noctx // the caller's program, which runs until it is stopped
	cmd.Env = append(slices.Clone(o.Env), "PORT="+strconv.Itoa(o.Port))
	if o.Env == nil {
		cmd.Env = append(os.Environ(), cmd.Env...)
	}
	cmd.Stdout, cmd.Stderr = s.printed, s.printed
	var err error
	if s.process, err = child.Start(cmd); err != nil {
		return nil, fmt.Errorf("start the stack: %w", err)
	}
	s.ID = cmd.Process.Pid
	ctx, cancel := context.WithTimeout(ctx, starts)
	defer cancel()
	for {
		if a, err := ask.Send(ctx, http.DefaultClient, ask.Request{Method: http.MethodGet, URL: s.URL + "/_local/health"}); err == nil &&
			a.Done() {
			return s, nil
		}
		select {
		case <-s.process.Done():
			return nil, fmt.Errorf("the stack ended at once: %w: %s", s.process.Err(), s.printed)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("the stack does not answer: %s", s.printed), s.process.Stop(ends))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Printed is the end of what it has printed.
func (s *Stack) Printed() string { return s.printed.String() }

// Ended is closed when its process has ended, wanted or not.
func (s *Stack) Ended() <-chan struct{} { return s.process.Done() }

// Stop ends it gently, with what it has started. It fails when the stack says that it has ended badly, or has to be killed.
func (s *Stack) Stop() error {
	err := s.process.Stop(ends)
	if err == nil {
		err = s.process.Err()
	}
	if err != nil {
		return fmt.Errorf("the stack ended badly: %w: %s", err, s.printed)
	}
	return nil
}

// Kill ends it without further ado, when something else has failed.
func (s *Stack) Kill() { s.process.Kill() }
