package lambdahost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"partneraccess/scripts/local/child"
)

// initLimit is how long a process may take until it asks for work.
const initLimit = 10 * time.Second

// environment is one process of a function, with a Runtime API of its own: Lambda calls it an execution environment. It does one thing at a
// time.
type environment struct {
	function Function
	process  *child.Process
	server   *http.Server
	last     *child.Tail   // of what it printed
	asks     chan struct{} // holds one while the process asks for work
	work     chan *invocation

	mu      sync.Mutex
	current *invocation // that the process has been handed
	broken  *Result     // what it said of its failed start
}

// invocation is one run of the function.
type invocation struct {
	id       string
	event    []byte
	arn      string
	deadline time.Time // set when the process is handed the event
	result   chan Result
}

// launch starts a process. It does not wait for it.
func launch(f Function, variables []string, output func(line string)) (*environment, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing to wait for
	if err != nil {
		return nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	e := &environment{function: f, last: &child.Tail{}, asks: make(chan struct{}, 1), work: make(chan *invocation)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initError)
	// A process that registers as an extension of its own, for no event, is told by SIGTERM when it is ended; here each is
	// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", newID())
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	e.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = e.server.Serve(l) }() // it ends by close

	binary, err := filepath.Abs(f.Binary)
	if err != nil {
		e.close()
		return nil, err
	}
	cmd := exec.Command(binary) //nolint:gosec,noctx // the function is what is to be run, until stop
	cmd.Dir = filepath.Dir(binary)
	cmd.Env = append(variables, "AWS_LAMBDA_RUNTIME_API="+l.Addr().String(), "LAMBDA_TASK_ROOT="+cmd.Dir)
	out := io.MultiWriter(e.last, &lines{to: output})
	cmd.Stdout, cmd.Stderr = out, out // one and the same, so that exec writes to it from one goroutine
	if e.process, err = child.Start(cmd); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// variables are the function's own, and those that Lambda sets (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
// Nothing of this process's environment gets to the function.
func (h *Host) variables(f Function) []string {
	all := map[string]string{
		"_HANDLER": "bootstrap", "AWS_REGION": h.options.Region, "AWS_DEFAULT_REGION": h.options.Region,
		"AWS_LAMBDA_FUNCTION_NAME": f.Name, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME": "local",
		"AWS_ACCESS_KEY_ID":          "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local",
		"LAMBDA_RUNTIME_DIR": "/var/runtime", "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC",
	}
	out := make([]string, 0, len(all)+len(f.Env)+2)
	for name, value := range all {
		if _, own := f.Env[name]; !own {
			out = append(out, name+"="+value)
		}
	}
	for name, value := range f.Env {
		out = append(out, name+"="+value)
	}
	return out
}

// run hands the process an event and waits for what comes of it. The process is good for another one unless it has failed to start, has
// ended or was late.
func (e *environment) run(i *invocation) (result Result, reusable bool) {
	limit := time.NewTimer(initLimit)
	defer limit.Stop()
	select {
	case <-e.asks:
	case <-e.process.Done():
		return e.exited(i), false
	case <-limit.C:
		return late(i, initLimit), false
	}
	limit.Reset(e.function.Timeout)
	select {
	case e.work <- i:
	case <-e.process.Done():
		return e.exited(i), false
	case <-limit.C:
		return late(i, e.function.Timeout), false
	}
	select {
	case result = <-i.result:
	case <-e.process.Done():
		select {
		case result = <-i.result: // it has answered, and then ended
			return result, false
		default:
			return e.exited(i), false
		}
	case <-limit.C:
		return late(i, e.function.Timeout), false
	}
	// An invocation is over when the process asks for the next one. A Go program that has panicked ends instead.
	select {
	case <-e.asks:
		e.asks <- struct{}{}
		return result, true
	case <-e.process.Done():
	case <-limit.C:
	}
	return result, false
}

func late(i *invocation, limit time.Duration) Result {
	return failed("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", i.id, limit.Seconds()))
}

// exited is the result of an invocation whose process has ended.
func (e *environment) exited(i *invocation) Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken != nil {
		return *e.broken
	}
	return failed("Runtime.ExitError", "RequestId: "+i.id+" Error: Runtime exited; it printed: "+e.last.String())
}

func (e *environment) ended() bool {
	select {
	case <-e.process.Done():
		return true
	default:
		return false
	}
}

// stop ends the process, and returns when it is gone. Lambda gives half a second to one that has registered as an extension, and none to
// others.
func (e *environment) stop() error {
	err := e.process.Stop(2 * time.Second)
	e.close()
	return err
}

func (e *environment) close() { _ = e.server.Close() } // nobody is left to hear of it

// next is where the process asks for work: it waits until there is some.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	select {
	case e.asks <- struct{}{}:
	default:
	}
	var i *invocation
	select {
	case i = <-e.work:
	case <-r.Context().Done():
		return
	}
	e.mu.Lock()
	i.deadline = time.Now().Add(e.function.Timeout)
	e.current = i
	e.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", i.arn)
	h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-%08x-%s;Sampled=0", time.Now().Unix(), strings.ReplaceAll(i.id, "-", "")[:24]))
	_, _ = w.Write(i.event) // a process that is gone is noticed by run
}

func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxEvent)
		e.finish(w, r, failed("Function.ResponseSizeTooLarge", message), http.StatusRequestEntityTooLarge)
		return
	}
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" || err != nil { // cut off, or ended with an error halfway
		e.finish(w, r, failed("Runtime.TruncatedResponse", "the answer was cut off: "+kind), http.StatusAccepted)
		return
	}
	e.finish(w, r, Result{Payload: body}, http.StatusAccepted)
}

func (e *environment) failure(w http.ResponseWriter, r *http.Request) {
	e.finish(w, r, errorOf(w, r), http.StatusAccepted)
}

// initError is how a process says that it cannot start. It ends then.
func (e *environment) initError(w http.ResponseWriter, r *http.Request) {
	result := errorOf(w, r)
	e.mu.Lock()
	e.broken = &result
	e.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// errorOf is the error that the process has sent.
func errorOf(w http.ResponseWriter, r *http.Request) Result {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err != nil || !json.Valid(body) {
		return failed("Runtime.Unknown", "the error cannot be read")
	}
	return Result{Payload: body, FunctionError: "Unhandled"}
}

// finish ends the invocation that the process has been handed, if it is the one that it means.
func (e *environment) finish(w http.ResponseWriter, r *http.Request, result Result, status int) {
	e.mu.Lock()
	i := e.current
	mine := i != nil && i.id == r.PathValue("id")
	if mine {
		e.current = nil
	}
	e.mu.Unlock()
	if !mine {
		http.Error(w, `{"errorType":"InvalidRequestID","errorMessage":"no such invocation is under way"}`, http.StatusBadRequest)
		return
	}
	i.result <- result
	w.WriteHeader(status)
}

// lines cuts what is written into lines.
type lines struct {
	to   func(string)
	rest []byte
}

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		l.to(string(bytes.TrimSuffix(l.rest[:end], []byte("\r"))))
		l.rest = l.rest[end+1:]
	}
}
