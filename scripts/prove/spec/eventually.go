package spec

import (
	"testing"
	"time"
)

const (
	patience = time.Minute
	between  = 20 * time.Millisecond
)

// Eventually tries until try returns nil, which is for what the stack does on its own threads: mails, the stream, the feedback on a mail.
// After a minute the test fails with the last error.
func Eventually(t testing.TB, try func() error) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(between) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %v: %v", patience, err)
		}
	}
}
