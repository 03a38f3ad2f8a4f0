package main

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/manifest"
)

// written counts what the functions write to their logs, as CloudWatch does. Many write to it.
type written struct {
	mu      sync.Mutex
	bytes   float64
	seconds time.Time     // what the figures' clock shows
	figures stack.Metrics // that CloudWatch makes of the lines
}

// Write counts one line.
func (w *written) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	counted := len(bytes.TrimSuffix(line, []byte("\n"))) + logEntry
	if bytes.HasPrefix(line, []byte(`{"_aws"`)) {
		counted += lambdaAdds
		_, _ = w.figures.Write(line)
	}
	if _, rest, ok := bytes.Cut(line, []byte(`,"function":"`)); ok { // the stack's own addition: in AWS each function has its log
		counted -= len(`,"function":""`) + bytes.IndexByte(rest, '"')
	}
	w.bytes += float64(counted)
	return len(line), nil
}

// take returns the bytes since it was called last.
func (w *written) take() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.bytes
	w.bytes = 0
	return n
}

func (w *written) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seconds
}

func (w *written) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seconds = w.seconds.Add(time.Second)
}

// accessLine is what CloudWatch counts of API Gateway's line about one request, with values as long as those of a check.
func accessLine() int {
	return len(strings.NewReplacer(
		"$context.requestId", "JKJaXmPLvHcESHA=", "$context.routeKey", "POST /access/v1/evaluation", "$context.status", "200",
		"$context.responseLatency", "12", "$context.identity.sourceIp", "203.0.113.170",
		"$context.authorizer.claims.sub", "1example23456789abcdefghij", "$context.authorizer.error", "-", "$context.integrationErrorMessage", "-",
	).Replace(manifest.AccessLog())) + logEntry
}
