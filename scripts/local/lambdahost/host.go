// Package lambdahost runs the binaries of Lambda functions on this machine as Lambda does: each in processes of its own that ask a Runtime
// API for work (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), behind Lambda's Invoke API
// (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
//
// Lambda also freezes a process between two invocations and holds it to its memory; that is not done here.
package lambdahost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Function is what Lambda is told of a function.
type Function struct {
	Name    string
	Binary  string            // the program
	Env     map[string]string // beside what Lambda itself sets
	Timeout time.Duration     // after which an invocation is ended, and its process with it
	Memory  int               // MiB; the process is told, and not held to it
}

// Options are about all functions of a host. The zero value is good.
type Options struct {
	Region      string // empty: eu-central-1
	Account     string // empty: 000000000000
	Concurrency int    // processes of one function at most; beyond it Lambda answers 429; 0: 10, as in a new account

	// Output gets each line that a function prints, without its end; nil: it is dropped. It may be called by several at once.
	Output func(function, line string)
	Log    *slog.Logger // what becomes of processes; nil: nothing is logged
}

// Host is Lambda for some functions.
type Host struct {
	options  Options
	server   *http.Server
	listener net.Listener
	running  sync.WaitGroup // invocations

	mu        sync.Mutex
	functions map[string]*function
	closed    bool
}

// function is a function and the processes that it has.
type function struct {
	Function
	idle  []*environment
	all   map[*environment]bool
	inUse int // environments that are starting or at work
}

// Start starts a host without functions, whose Invoke API listens on a free port of 127.0.0.1 until Close.
func Start(ctx context.Context, o Options) (*Host, error) {
	if o.Region == "" {
		o.Region = "eu-central-1"
	}
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.Concurrency == 0 {
		o.Concurrency = 10
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Invoke API: %w", err)
	}
	h := &Host{options: o, listener: l, functions: map[string]*function{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{function}/invocations", h.serveInvoke)
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.server.Serve(l) }() // it ends by Close
	return h, nil
}

// URL is the endpoint of the Invoke API, for AWS_ENDPOINT_URL_LAMBDA.
func (h *Host) URL() string { return "http://" + h.listener.Addr().String() }

// Deploy adds a function, or replaces one: its processes end when they have finished what they do. Nothing is started before it is needed.
func (h *Host) Deploy(f Function) {
	h.mu.Lock()
	old := h.functions[f.Name]
	f.Env = maps.Clone(f.Env)
	h.functions[f.Name] = &function{Function: f, all: map[*environment]bool{}}
	var idle []*environment
	if old != nil {
		idle, old.idle = old.idle, nil
	}
	h.mu.Unlock()
	for _, e := range idle {
		h.end(old, e)
	}
}

// Close ends the invocations that are under way, and all processes.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	var all []*environment
	for _, f := range h.functions {
		for e := range f.all {
			all = append(all, e)
		}
		f.idle = nil
	}
	h.mu.Unlock()
	errs := make([]error, len(all)+1)
	var wg sync.WaitGroup
	for i, e := range all {
		wg.Go(func() { errs[i] = e.stop() })
	}
	wg.Wait()
	h.running.Wait()
	errs[len(all)] = h.server.Close()
	return errors.Join(errs...)
}

// Result is what an invocation came to.
type Result struct {
	Payload       []byte
	FunctionError string // "Unhandled" when the function failed, and the payload tells how; else empty
}

// The errors of Invoke, beside those of a function, which are results.
var (
	ErrUnknown   = errors.New("there is no such function")
	ErrThrottled = errors.New("all processes of the function are at work")
	errClosed    = errors.New("the host has been closed")
)

// Invoke runs a function with an event, in a process that is idle or in a new one. An invocation ends by itself or by the function's
// time-out; ctx does not end it.
func (h *Host) Invoke(_ context.Context, name string, event []byte) (Result, error) {
	f, e, err := h.take(name)
	if err != nil {
		return Result{}, err
	}
	defer h.running.Done()
	i := &invocation{
		id: newID(), event: event, arn: h.arn(f.Name), deadline: time.Time{}, result: make(chan Result, 1),
	}
	if e == nil {
		if e, err = h.start(f); err != nil {
			h.give(f, nil)
			return failed("Runtime.InvalidEntrypoint", "RequestId: "+i.id+" Error: "+err.Error()), nil
		}
	}
	result, reusable := e.run(i)
	if !reusable {
		h.end(f, e)
		h.give(f, nil)
		return result, nil
	}
	h.give(f, e)
	return result, nil
}

// Init starts a process of the function, tells how long it took until it asked for work, and ends it. Lambda calls this the Init Duration.
func (h *Host) Init(name string) (time.Duration, error) {
	h.mu.Lock()
	f := h.functions[name]
	h.mu.Unlock()
	if f == nil {
		return 0, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	began := time.Now()
	e, err := h.start(f)
	if err != nil {
		return 0, err
	}
	defer h.end(f, e)
	limit := time.NewTimer(initLimit)
	defer limit.Stop()
	select {
	case <-e.asks:
		return time.Since(began), nil
	case <-e.process.Done():
		return 0, fmt.Errorf("%s ended before it asked for work: %s", name, e.last)
	case <-limit.C:
		return 0, fmt.Errorf("%s did not ask for work within %s", name, initLimit)
	}
}

// Drop ends the function's idle processes, so that its next invocation finds none.
func (h *Host) Drop(name string) {
	h.mu.Lock()
	f := h.functions[name]
	var idle []*environment
	if f != nil {
		idle, f.idle = f.idle, nil
	}
	h.mu.Unlock()
	for _, e := range idle {
		h.end(f, e)
	}
}

// take finds the function and a process that is idle; nil, when one has to be started. Whoever takes gives back, and is done with running.
func (h *Host) take(name string) (*function, *environment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, errClosed
	}
	f := h.functions[name]
	if f == nil {
		return nil, nil, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	for n := len(f.idle); n > 0; n = len(f.idle) {
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		if !e.ended() {
			f.inUse++
			h.running.Add(1)
			return f, e, nil
		}
		delete(f.all, e)
		go e.close()
	}
	if f.inUse >= h.options.Concurrency {
		return nil, nil, fmt.Errorf("%w: %s has %d", ErrThrottled, name, f.inUse)
	}
	f.inUse++
	h.running.Add(1)
	return f, nil, nil
}

// give puts a process back, or says that it is gone.
func (h *Host) give(f *function, e *environment) {
	h.mu.Lock()
	f.inUse--
	keep := e != nil && !h.closed && h.functions[f.Name] == f
	if keep {
		f.idle = append(f.idle, e)
	}
	h.mu.Unlock()
	if e != nil && !keep {
		h.end(f, e)
	}
}

func (h *Host) start(f *function) (*environment, error) {
	e, err := launch(f.Function, h.variables(f.Function), func(line string) {
		if h.options.Output != nil {
			h.options.Output(f.Name, line)
		}
	})
	if err != nil {
		h.options.Log.Error("a function's process does not start", "function", f.Name, "error", err.Error())
		return nil, err
	}
	h.mu.Lock()
	f.all[e] = true
	closed := h.closed
	h.mu.Unlock()
	if closed { // Close has not seen it
		h.end(f, e)
		return nil, errClosed
	}
	return e, nil
}

func (h *Host) end(f *function, e *environment) {
	if err := e.stop(); err != nil {
		h.options.Log.Error("a function's process does not end", "function", f.Name, "error", err.Error())
	}
	h.mu.Lock()
	delete(f.all, e)
	h.mu.Unlock()
}

func (h *Host) arn(name string) string {
	return "arn:aws:lambda:" + h.options.Region + ":" + h.options.Account + ":function:" + name
}

// maxEvent is Lambda's limit for an event, and for an answer.
const maxEvent = 6 << 20

// invokeLater runs a function for nobody who waits.
func (h *Host) invokeLater(w http.ResponseWriter, name string, event []byte) {
	h.mu.Lock()
	known := h.functions[name] != nil
	h.mu.Unlock()
	if !known {
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+h.arn(name))
		return
	}
	go func() {
		if _, err := h.Invoke(context.Background(), name, event); err != nil && h.options.Log != nil {
			h.options.Log.Error("an event was lost", "function", name, "error", err.Error())
		}
	}()
	w.WriteHeader(http.StatusAccepted)
}

// serveInvoke answers the Invoke API. An asynchronous invocation is run at once, and not tried again: there is no queue here.
func (h *Host) serveInvoke(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("function")
	if _, last, isARN := strings.Cut(name, ":function:"); isARN {
		name, _, _ = strings.Cut(last, ":")
	}
	kind := r.Header.Get("X-Amz-Invocation-Type")
	if kind != "" && kind != "RequestResponse" && kind != "Event" {
		refuse(w, http.StatusBadRequest, "InvalidParameterValueException", "The host of the local stack answers RequestResponse and Event alone.")
		return
	}
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	switch {
	case err != nil:
		refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("Request must be smaller than %d bytes.", maxEvent))
		return
	case len(event) == 0:
		event = []byte("{}")
	case !json.Valid(event):
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json.")
		return
	}
	if kind == "Event" {
		h.invokeLater(w, name, event)
		return
	}
	result, err := h.Invoke(r.Context(), name, event)
	switch {
	case errors.Is(err, ErrUnknown):
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+h.arn(name))
		return
	case errors.Is(err, ErrThrottled):
		refuse(w, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
		return
	case err != nil:
		refuse(w, http.StatusInternalServerError, "ServiceException", err.Error())
		return
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	if result.FunctionError != "" {
		w.Header().Set("X-Amz-Function-Error", result.FunctionError)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(result.Payload) // the caller has gone away
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("X-Amzn-Errortype", kind)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": message}) // likewise
}

// failed is the result of an invocation of which the function itself did not say how it failed.
func failed(kind, message string) Result {
	payload, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	if err != nil { // two texts
		panic(err)
	}
	return Result{Payload: payload, FunctionError: "Unhandled"}
}

// newID looks like Lambda's request ids.
func newID() string {
	b := ulid.Make() // 16 bytes that are random enough
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
