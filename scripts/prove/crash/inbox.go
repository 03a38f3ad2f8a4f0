package crash

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"partneraccess/shared/mail/receipt"
)

// letter is a mail as its receipt knows it: the event, and the recipient's digest.
type letter struct{ event, recipient string }

// inbox is SES outside of the stack. It takes every mail.
type inbox struct {
	url    string
	server *http.Server

	mu    sync.Mutex
	mails map[letter][]string // to whom, and of what, each time
}

func openInbox(ctx context.Context) (*inbox, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mails: %w", err)
	}
	b := &inbox{url: "http://" + l.Addr().String(), mails: map[letter][]string{}}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = b.server.Serve(l) }() // until it is closed
	return b, nil
}

func (b *inbox) close() error { return b.server.Close() }

// ServeHTTP answers SendEmail.
func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Destination struct{ ToAddresses []string }
		EmailTags   []struct{ Name, Value string }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Destination.ToAddresses) != 1 ||
		!strings.HasSuffix(r.URL.Path, "/v2/email/outbound-emails") {
		http.Error(w, `{"message":"no mail to one recipient"}`, http.StatusBadRequest)
		return
	}
	to, tags := in.Destination.ToAddresses[0], map[string]string{}
	for _, t := range in.EmailTags {
		tags[t.Name] = t.Value
	}
	b.mu.Lock()
	key := letter{tags["event"], receipt.Digest(to)}
	b.mails[key] = append(b.mails[key], tags["type"]+" to "+to)
	b.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"MessageId": rand.Text()}) // whoever asked may have been killed
}

// all are the mails so far.
func (b *inbox) all() map[letter][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[letter][]string, len(b.mails))
	for k, v := range b.mails {
		out[k] = append([]string(nil), v...)
	}
	return out
}
