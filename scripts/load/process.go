package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"partneraccess/scripts/local/child"
	"partneraccess/scripts/local/processes"
)

// process is the stack, with its children.
type process struct {
	cmd     *exec.Cmd
	url     string
	backend string
	printed *child.Tail
	ended   chan error
}

// start starts the stack and returns when it answers.
func start(ctx context.Context, binary string) (*process, error) {
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("there is no %s: build it with `go build -o %s ./scripts/local`, or run `make load`", binary, binary)
	}
	number, err := child.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(number)
	p := &process{
		url: "http://127.0.0.1:" + port, backend: cmp.Or(os.Getenv("BACKEND"), "the handlers in the gateway's process"),
		printed: &child.Tail{}, ended: make(chan error, 1),
	}
	p.cmd = exec.Command(binary, "--demo=false") //nolint:noctx // it is stopped by a signal, so that it can end its children
	p.cmd.Env = append(os.Environ(), "PORT="+port)
	p.cmd.Stdout, p.cmd.Stderr = p.printed, p.printed
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is ours alone
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the stack: %w", err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if healthy(ctx, p.url+"/_local/health") {
			return p, nil
		}
		select {
		case err := <-p.ended:
			return nil, fmt.Errorf("the stack ended at once: %w: %s", err, p.printed)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("the stack does not answer: %s", p.printed), p.stop())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the stack: %w", err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("the stack ended badly: %w: %s", err, p.printed)
		}
		return nil
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill() // the last resort
		return errors.New("the stack did not stop within 20 s")
	}
}

func healthy(ctx context.Context, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // its status is all that is wanted
	return resp.StatusCode == http.StatusOK
}

// memory is what each kind of process held, in MiB, from sample to sample. Processes of one kind count together.
type memory map[string][]float64

// watch samples until ctx ends; the function that it returns waits for that.
func (p *process) watch(ctx context.Context, every time.Duration) func() memory {
	out := memory{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			for name, size := range sizes(p.cmd.Process.Pid) {
				out[name] = append(out[name], size)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(every):
			}
		}
	})
	return func() memory { wg.Wait(); return out }
}

// sizes are what the process and its children hold, in MiB, by name.
func sizes(parent int) map[string]float64 {
	out := map[string]float64{}
	family, err := processes.Family(parent)
	if err != nil {
		return out // it is told that nothing is known
	}
	for _, p := range family {
		out[p.Name] += float64(p.Resident) / (1 << 20)
	}
	return out
}

// print writes what memory was, and returns the name of what grew. The engine holds the data in memory, so that each write, whose events and receipts are
// kept, makes it larger: that part is told and does not count.
func (m memory) print(w io.Writer, writes int64) (grew string) {
	const kept = 40.0 / 1024 // MiB that a write may leave in the engine: a grant's change, its events, its mails' receipts, the answer to its key, and the stream's records
	if len(m) == 0 {
		_, _ = fmt.Fprintln(w, "memory: not told by this system")
		return ""
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := m[name]
		if len(s) < 8 {
			_, _ = fmt.Fprintf(w, "memory of %-12s %4.0f MiB at the end; too short a time to tell more\n", name, s[len(s)-1])
			continue
		}
		before, after := median(s[len(s)/4:len(s)/2]), median(s[3*len(s)/4:])
		_, _ = fmt.Fprintf(w, "memory of %-12s %4.0f MiB in the second quarter, %4.0f MiB in the last one (%.2fx)\n", name, before, after, after/before)
		allowed := before*1.1 + 8
		if name == "dynoxide" || name == "java" {
			allowed += float64(writes) / 2 * kept
		}
		if after > allowed {
			grew = name
		}
	}
	return grew
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}
