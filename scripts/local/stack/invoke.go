package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"partneraccess/scripts/local/engine"
	"partneraccess/shared/manifest"
)

// invoke runs a function as Lambda does: with a deadline, and with a panic or an answer that comes too late as an error. Give it a
// context that does not end with the caller, which in AWS ends no function either.
func invoke(ctx context.Context, handlers map[string]lambda.Handler, f manifest.Function, id string, event []byte) ([]byte, error) {
	handler := handlers[f.Name]
	if handler == nil {
		return nil, fmt.Errorf("function %s has no handler in the local stack: add it to scripts/local/stack/functions.go", f.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: id, InvokedFunctionArn: functionARN(f.Name)})

	type result struct {
		raw []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- result{err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
			}
		}()
		raw, err := handler.Invoke(ctx, event)
		done <- result{raw, err}
	}()
	select {
	case r := <-done:
		return r.raw, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("timed out after %s", f.Timeout)
	}
}

// newInvocationID is Lambda's kind of request id; API Gateway's has slashes in it.
func newInvocationID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func functionARN(name string) string {
	return "arn:aws:lambda:" + engine.Region + ":" + accountID + ":function:" + name
}

// lambdaAPI serves Lambda's Invoke, so that scripts/tools/replay calls a function here as it does in AWS
// (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html). Answers are waited for, but for those to events;
// the caller may go away.
func (s *Stack) lambdaAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("function")
	if _, last, isARN := strings.Cut(name, ":function:"); isARN {
		name = last
	}
	for _, f := range s.functions {
		if f.Name != name || s.handlers[name] == nil {
			continue
		}
		event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInvocation))
		if err != nil {
			refuse(w, http.StatusRequestEntityTooLarge, "the event is larger than Lambda takes")
			return
		}
		id := newInvocationID()
		if r.Header.Get("X-Amz-Invocation-Type") == "Event" {
			s.running.Go(func() {
				if _, err := invoke(s.background, s.handlers, f, id, event); err != nil {
					s.log.Error("function failed", "function", name, "request_id", id, "error", err)
				}
			})
			w.WriteHeader(http.StatusAccepted)
			return
		}
		raw, err := invoke(context.WithoutCancel(r.Context()), s.handlers, f, id, event)
		w.Header().Set("X-Amz-Executed-Version", "$LATEST")
		w.Header().Set("X-Amzn-Requestid", id)
		if err != nil {
			s.log.Error("function failed", "function", name, "request_id", id, "error", err)
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			raw, _ = json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": "Error"})
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw) // the caller has gone away
		return
	}
	w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
	writeJSON(w, http.StatusNotFound, map[string]string{"Type": "User", "Message": "Function not found: " + functionARN(name)})
}

// maxInvocation is Lambda's limit for an event.
const maxInvocation = 6 << 20
